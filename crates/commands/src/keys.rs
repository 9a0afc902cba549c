//! Commands on keys, whatever they hold, and on whole databases.
//!
//! Two keys may lie in slots of two cores: the handler does not notice, because both slots are held by
//! the core that runs it. Whole databases are emptied and exchanged core by core while all cores are
//! locked (rule R4):
//!
//! ```text
//!     FLUSHALL    check -> visit core 0: empty, log "FLUSHALL" -> visit core 1: empty -> ... -> +OK
//! ```
//!
//! 1. Only the first visit logs, before any core is free again: the command has one place in the log, in
//!    front of whatever any core does afterwards.
//! 2. Emptying is always by handing the tables over to be freed in steps, so SYNC and ASYNC differ in
//!    nothing that a client could see.

use crate::exec::Visit;
use crate::table::{at, through, Categories, Command, EveryCore, Flags, KeySpec, Run};
use crate::{help, write_command, CommandError, Exec, Gathered};
use config::MaxmemoryPolicy;
use keyspace::{Form, Key, ValueRef};
use resp::{parse_integer, Args, Reply};

type Outcome = Result<(), CommandError>;

const KEYSPACE: Categories = Categories::KEYSPACE;
const DANGEROUS: Categories = Categories::DANGEROUS;
const READONLY: Flags = Flags::READONLY;
const WRITE: Flags = Flags::WRITE;
const FAST: Flags = Flags::FAST;

/// The source of RENAME.
const MOVES: KeySpec = at(1, &["RW", "access", "delete"]);
const SUMMED: &[&str] = &["request_policy:multi_shard", "response_policy:agg_sum"];
const EVERYWHERE: &[&str] = &["request_policy:all_shards", "response_policy:all_succeeded"];

pub const TABLE: &[Command] = &[
    Command::new("copy", copy)
        .arity(-3)
        .keys(&[at(1, &["RO", "access"]), at(2, &["OW", "update"])])
        .flags(&[WRITE, Flags::DENYOOM])
        .acl(KEYSPACE),
    Command::running(
        "dbsize",
        Run::EveryCore(EveryCore { locked: false, check: any, visit: count_here, finish: sum }),
    )
    .arity(1)
    .flags(&[READONLY, FAST])
    .acl(KEYSPACE)
    .tips(&["request_policy:all_shards", "response_policy:agg_sum"]),
    Command::new("del", del)
        .arity(-2)
        .keys(&[through(1, -1, 1, &["RM", "delete"])])
        .flags(&[WRITE])
        .acl(KEYSPACE)
        .tips(SUMMED),
    Command::new("exists", exists)
        .arity(-2)
        .keys(&[through(1, -1, 1, &["RO"])])
        .flags(&[READONLY, FAST])
        .acl(KEYSPACE)
        .tips(SUMMED),
    Command::running(
        "flushall",
        Run::EveryCore(EveryCore { locked: true, check: check_flush, visit: flush_all_here, finish: ok }),
    )
    .arity(-1)
    .flags(&[WRITE])
    .acl(KEYSPACE.or(DANGEROUS))
    .tips(EVERYWHERE),
    Command::running(
        "flushdb",
        Run::EveryCore(EveryCore { locked: true, check: check_flush, visit: flush_db_here, finish: ok }),
    )
    .arity(-1)
    .flags(&[WRITE])
    .acl(KEYSPACE.or(DANGEROUS))
    .tips(EVERYWHERE),
    Command::new("move", move_to_db)
        .arity(3)
        .keys(&[at(1, &["RW", "access", "update"])])
        .flags(&[WRITE, FAST])
        .acl(KEYSPACE),
    Command::container("object", OBJECT),
    // Locked: otherwise a slot between two cores could hide the only keys.
    Command::running(
        "randomkey",
        Run::EveryCore(EveryCore { locked: true, check: any, visit: random_here, finish: pick_random }),
    )
    .arity(1)
    .flags(&[READONLY])
    .acl(KEYSPACE)
    .tips(&["request_policy:all_shards", "response_policy:special", "nondeterministic_output"]),
    Command::new("rename", rename)
        .arity(3)
        .keys(&[MOVES, at(2, &["OW", "update"])])
        .flags(&[WRITE])
        .acl(KEYSPACE),
    Command::new("renamenx", renamenx)
        .arity(3)
        .keys(&[MOVES, at(2, &["OW", "insert"])])
        .flags(&[WRITE, FAST])
        .acl(KEYSPACE),
    Command::running(
        "swapdb",
        Run::EveryCore(EveryCore { locked: true, check: check_swap, visit: swap_here, finish: ok }),
    )
    .arity(3)
    .flags(&[WRITE, FAST])
    .acl(KEYSPACE.or(DANGEROUS)),
    Command::new("touch", touch)
        .arity(-2)
        .keys(&[through(1, -1, 1, &["RO"])])
        .flags(&[READONLY, FAST])
        .acl(KEYSPACE)
        .tips(SUMMED),
    Command::new("type", type_of).arity(2).keys(&[at(1, &["RO"])]).flags(&[READONLY, FAST]).acl(KEYSPACE),
    Command::new("unlink", del)
        .arity(-2)
        .keys(&[through(1, -1, 1, &["RM", "delete"])])
        .flags(&[WRITE, FAST])
        .acl(KEYSPACE)
        .tips(SUMMED),
];

const OBJECT: &[Command] = &[
    about("object|encoding", object_encoding),
    about("object|freq", object_freq),
    Command::running("object|help", Run::Here(object_help))
        .arity(2)
        .flags(&[Flags::LOADING, Flags::STALE])
        .acl(KEYSPACE),
    about("object|idletime", object_idletime),
    about("object|refcount", object_refcount),
];

const ABOUT: &[KeySpec] = &[at(2, &["RO"])];

const fn about(name: &'static str, handler: crate::table::Handler) -> Command {
    Command::new(name, handler)
        .arity(3)
        .keys(ABOUT)
        .flags(&[READONLY])
        .acl(KEYSPACE)
        .tips(&["nondeterministic_output"])
}

/// DEL and UNLINK key [key ...]: large values are always freed in the background.
fn del(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let mut removed = 0;
    for i in 1..args.len() {
        let key = cx.key(args, i);
        removed += u64::from(cx.keys.remove(&key));
    }
    cx.changed(removed);
    reply.integer(removed as i64);
    Ok(())
}

/// EXISTS key [key ...]: one that is named twice counts twice.
fn exists(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let mut found = 0;
    for i in 1..args.len() {
        let key = cx.key(args, i);
        found += i64::from(cx.keys.exists(&key));
    }
    reply.integer(found);
    Ok(())
}

/// TOUCH key [key ...]
fn touch(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let mut found = 0;
    for i in 1..args.len() {
        let key = cx.key(args, i);
        found += i64::from(cx.keys.find(&key).is_some());
    }
    reply.integer(found);
    Ok(())
}

/// TYPE key
fn type_of(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let key = cx.key(args, 1);
    reply.simple(cx.look(&key).map_or("none", |entry| entry.value_type().name()));
    Ok(())
}

/// RENAME key newkey
fn rename(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    rename_unless(cx, args, false)?;
    reply.ok();
    Ok(())
}

/// RENAMENX key newkey
fn renamenx(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let renamed = rename_unless(cx, args, true)?;
    reply.integer(renamed.into());
    Ok(())
}

/// Whether the key has a new name. Its own name is none, and is taken if names that are taken are kept.
fn rename_unless(cx: &mut Exec, args: Args, keep_taken: bool) -> Result<bool, CommandError> {
    let (from, to) = (cx.key(args, 1), cx.key(args, 2));
    if cx.keys.find_for_write(&from).is_none() {
        return Err(CommandError::NoSuchKey);
    }
    if from.bytes == to.bytes || (keep_taken && cx.keys.find_for_write(&to).is_some()) {
        return Ok(false);
    }
    let record = cx.keys.take(&from).expect("it was there just now");
    cx.keys.put(&to, record);
    cx.changed(1);
    Ok(true)
}

/// COPY source destination [DB n] [REPLACE]
fn copy(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let (mut db, mut replace) = (cx.keys.db(), false);
    let mut i = 3;
    while let Some(word) = args.try_get(i) {
        i += 1;
        if word.eq_ignore_ascii_case(b"replace") {
            replace = true;
        } else if word.eq_ignore_ascii_case(b"db") && i < args.len() {
            db = database(cx, args.get(i))?;
            i += 1;
        } else {
            return Err(CommandError::Syntax);
        }
    }
    if cx.config.cluster_enabled() && (db != 0 || cx.keys.db() != 0) {
        return Err(CommandError::CopyInCluster);
    }
    let (from, to) = (cx.key(args, 1), cx.key(args, 2));
    if db == cx.keys.db() && from.bytes == to.bytes {
        return Err(CommandError::SameObject);
    }
    let Some(record) = cx.keys.find(&from).map(|entry| entry.to_owned_record()) else {
        reply.integer(0);
        return Ok(());
    };
    let mut target = cx.keys.in_db(db);
    let free = target.find_for_write(&to).is_none();
    if free || replace {
        target.put(&to, record);
        cx.changed(1);
    }
    reply.integer((free || replace).into());
    Ok(())
}

/// MOVE key db
fn move_to_db(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    if cx.config.cluster_enabled() {
        return Err(CommandError::MoveInCluster);
    }
    let db = database(cx, args.get(2))?;
    if db == cx.keys.db() {
        return Err(CommandError::SameObject);
    }
    let key = cx.key(args, 1);
    let there = cx.keys.find_for_write(&key).is_some();
    if !there || cx.keys.in_db(db).find_for_write(&key).is_some() {
        reply.integer(0);
        return Ok(());
    }
    let record = cx.keys.take(&key).expect("it was there just now");
    cx.keys.in_db(db).put(&key, record);
    cx.changed(1);
    reply.integer(1);
    Ok(())
}

/// A database's number.
fn database(cx: &Exec, text: &[u8]) -> Result<u16, CommandError> {
    let number = parse_integer(text).ok_or(CommandError::NotInteger)?;
    // Redis keeps it in 32 bits.
    let (low, high) = (i32::MIN.into(), i32::MAX.into());
    if !(low..=high).contains(&number) {
        return Err(CommandError::not_between(low, high));
    }
    match u16::try_from(number) {
        Ok(db) if u32::from(db) < cx.config.databases() => Ok(db),
        _ => Err(CommandError::NoSuchDb),
    }
}

// OBJECT.

/// Says what `tell` knows of a key's value; nothing of a missing key.
fn tell(
    cx: &mut Exec,
    args: Args,
    reply: &mut Reply,
    tell: impl FnOnce(&Exec, &Key, &mut Reply) -> Outcome,
) -> Outcome {
    let key = cx.key(args, 2);
    if cx.look(&key).is_none() {
        reply.null();
        return Ok(());
    }
    tell(cx, &key, reply)
}

/// OBJECT ENCODING key
fn object_encoding(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    tell(cx, args, reply, |cx, key, reply| {
        let value = cx.keys.peek(key).expect("looked at just now").value();
        reply.bulk(encoding_name(value).as_bytes());
        Ok(())
    })
}

/// The name of the encoding that Redis would have chosen.
pub(crate) fn encoding_name(value: ValueRef) -> &'static str {
    /// What fits beside its header in 64 bytes.
    const EMBEDDED_MAX: usize = 44;
    let string = match value {
        ValueRef::Str(string) => string,
        ValueRef::List(list) => return list.encoding(),
        ValueRef::Set(set) => return set.encoding(),
        ValueRef::SortedSet(set) => return set.encoding(),
        ValueRef::Hash(hash) => return hash.encoding(),
        ValueRef::Stream(stream) => return stream.encoding(),
    };
    match string.form() {
        Form::Raw => "raw",
        Form::Auto if parse_integer(string.bytes()).is_some() => "int",
        _ if string.bytes().len() <= EMBEDDED_MAX => "embstr",
        _ => "raw",
    }
}

/// OBJECT REFCOUNT key: 1, but for the small integers of which Redis has one object each. (A copy made by
/// COPY has one of its own there, but not here.)
fn object_refcount(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    tell(cx, args, reply, |cx, key, reply| {
        let value = cx.keys.peek(key).expect("looked at just now").value();
        let small = match value {
            ValueRef::Str(string) => {
                parse_integer(string.bytes()).is_some_and(|number| (0..10_000).contains(&number))
            }
            _ => false,
        };
        // Where each key needs an access clock of its own, nothing is shared.
        let shares = cx.config.maxmemory() == 0 || !(is_lru(cx) || is_lfu(cx));
        let shared = small && shares && encoding_name(value) == "int";
        reply.integer(if shared { i32::MAX.into() } else { 1 });
        Ok(())
    })
}

/// OBJECT IDLETIME key: seconds since it was last used.
fn object_idletime(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    tell(cx, args, reply, |cx, key, reply| {
        if is_lfu(cx) {
            return Err(CommandError::IdleTimeUnderLfu);
        }
        let entry = cx.keys.peek(key).expect("looked at just now");
        let now = keyspace::AccessClock::lru(cx.now.unix_ms()).get();
        // 24 bits of seconds go round in half a year.
        reply.integer((now.wrapping_sub(entry.clock().get()) & 0xFF_FFFF).into());
        Ok(())
    })
}

/// OBJECT FREQ key: the logarithm of how often it was used, less what it lost since.
fn object_freq(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    tell(cx, args, reply, |cx, key, reply| {
        if !is_lfu(cx) {
            return Err(CommandError::FreqWithoutLfu);
        }
        let clock = cx.keys.peek(key).expect("looked at just now").clock().get();
        let (minutes, counter) = (clock >> 8, clock & 0xFF);
        let now = (cx.now.unix_ms() / 60_000) as u32 & 0xFFFF;
        let passed = now.wrapping_sub(minutes) & 0xFFFF;
        let lost = passed.checked_div(cx.config.lfu_decay_time()).unwrap_or(0);
        reply.integer(counter.saturating_sub(lost).into());
        Ok(())
    })
}

fn is_lfu(cx: &Exec) -> bool {
    matches!(cx.config.maxmemory_policy(), MaxmemoryPolicy::AllkeysLfu | MaxmemoryPolicy::VolatileLfu)
}

fn is_lru(cx: &Exec) -> bool {
    matches!(cx.config.maxmemory_policy(), MaxmemoryPolicy::AllkeysLru | MaxmemoryPolicy::VolatileLru)
}

/// OBJECT HELP
fn object_help(_: &mut Exec, _: Args, reply: &mut Reply) -> Outcome {
    help::write(
        reply,
        "OBJECT",
        &[
            "ENCODING <key>",
            "    Return the kind of internal representation used in order to store the value",
            "    associated with a <key>.",
            "FREQ <key>",
            "    Return the access frequency index of the <key>. The returned integer is",
            "    proportional to the logarithm of the recent access frequency of the key.",
            "IDLETIME <key>",
            "    Return the idle time of the <key>, that is the approximated number of",
            "    seconds elapsed since the last access to the key.",
            "REFCOUNT <key>",
            "    Return the number of references of the value associated with the specified",
            "    <key>.",
        ],
    );
    Ok(())
}

// Whole databases.

fn any(_: &Exec, _: Args) -> Outcome {
    Ok(())
}

fn ok(_: &mut Exec, _: Args, _: Gathered, reply: &mut Reply) -> Outcome {
    reply.ok();
    Ok(())
}

/// DBSIZE, on one core.
fn count_here(visit: &mut Visit, _: Args, gathered: &mut Gathered) {
    gathered.count += visit.keyspace.len(visit.session.db) as u64;
}

fn sum(_: &mut Exec, _: Args, gathered: Gathered, reply: &mut Reply) -> Outcome {
    reply.integer(gathered.count as i64);
    Ok(())
}

/// RANDOMKEY, on one core: a key of it, and how many it stands for.
fn random_here(visit: &mut Visit, _: Args, gathered: &mut Gathered) {
    let (db, now_ms) = (visit.session.db, visit.now.unix_ms());
    // Each try that meets an expired key removes it; where it may not, 100 tries are Redis's limit.
    for tries in 1.. {
        let Some(entry) = visit.keyspace.random(db, visit.random) else { return };
        let name = entry.key().to_vec();
        if entry.expiry().is_none_or(|at| at >= now_ms) || tries == 100 {
            gathered.numbered.push((visit.keyspace.len(db) as u64, name));
            return;
        }
        let mut keys = visit.keys();
        let key = keys.locate(&name);
        keys.remove(&key);
    }
}

fn pick_random(cx: &mut Exec, _: Args, gathered: Gathered, reply: &mut Reply) -> Outcome {
    let total: u64 = gathered.numbered.iter().map(|(keys, _)| keys).sum();
    if total == 0 {
        reply.null();
        return Ok(());
    }
    let mut nth = (cx.random)() % total;
    for (keys, name) in &gathered.numbered {
        if nth < *keys {
            reply.bulk(name);
            break;
        }
        nth -= keys;
    }
    Ok(())
}

/// FLUSHALL and FLUSHDB [ASYNC | SYNC]
fn check_flush(_: &Exec, args: Args) -> Outcome {
    match args.try_get(1) {
        None => Ok(()),
        Some(word)
            if args.len() == 2
                && (word.eq_ignore_ascii_case(b"sync") || word.eq_ignore_ascii_case(b"async")) =>
        {
            Ok(())
        }
        Some(_) => Err(CommandError::Syntax),
    }
}

fn flush_all_here(visit: &mut Visit, args: Args, _: &mut Gathered) {
    let removed = (0..visit.keyspace.setup().databases).map(|db| visit.keyspace.len(db) as u64).sum();
    visit.keyspace.flush_all();
    changed_here(visit, args, removed);
}

fn flush_db_here(visit: &mut Visit, args: Args, _: &mut Gathered) {
    let removed = visit.keyspace.len(visit.session.db) as u64;
    visit.keyspace.flush_db(visit.session.db);
    changed_here(visit, args, removed);
}

/// SWAPDB index1 index2
fn check_swap(cx: &Exec, args: Args) -> Outcome {
    if cx.config.cluster_enabled() {
        return Err(CommandError::SwapdbInCluster);
    }
    let number = |at: usize, otherwise: CommandError| {
        let number = parse_integer(args.get(at)).and_then(|number| i32::try_from(number).ok());
        number.ok_or(otherwise)
    };
    // Both are read before either is looked for.
    let numbers = [number(1, CommandError::InvalidFirstDb)?, number(2, CommandError::InvalidSecondDb)?];
    let exists = |number: &i32| u32::try_from(*number).is_ok_and(|db| db < cx.config.databases());
    if numbers.iter().all(exists) {
        Ok(())
    } else {
        Err(CommandError::NoSuchDb)
    }
}

fn swap_here(visit: &mut Visit, args: Args, _: &mut Gathered) {
    let number =
        |at: usize| parse_integer(args.get(at)).and_then(|n| u16::try_from(n).ok()).expect("checked");
    visit.keyspace.swap_db(number(1), number(2));
    changed_here(visit, args, 0);
}

/// States what a visit changed. The first of them logs the command as it was sent, even if nothing was
/// there: a replica may have what we have not.
fn changed_here(visit: &mut Visit, args: Args, removed: u64) {
    if !visit.is_first() {
        visit.facts.totals.dirty += removed;
        return;
    }
    visit.effects.dirty += removed.max(1);
    if visit.effects.wanted {
        write_command(&mut visit.effects.words, args);
    }
}

#[cfg(test)]
mod tests;
