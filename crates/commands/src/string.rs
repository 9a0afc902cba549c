//! String commands. `datatypes` has the arithmetic; here we read the arguments, ask the keyspace, record
//! what changed, and word the reply.
//!
//! A value is copied once: from the receive buffer into its record, or from its record into the reply.
//! One that was received apart is kept as it is (`Args::shared`), and a large one is replied by
//! reference ([`write_value`]).
//!
//! 1. Arguments are checked before keys are looked at, in Redis's order: which of two errors is
//!    answered is part of the behaviour.
//! 2. Times are logged as absolute milliseconds, floats as their result: replicas must not compute them
//!    anew.

use crate::table::{at, through, Categories, Command, Flags, KeySpec};
use crate::{CommandError, Exec, Now};
use datatypes::string::LcsError;
use datatypes::IncrementError;
use keyspace::{Entry, ExpiryChange, Form, Key, NewValue, StrRef, ValueRef};
use resp::{format_integer, parse_integer, Args, Reply};

type Outcome = Result<(), CommandError>;

const STRING: Categories = Categories::STRING;
const READONLY: Flags = Flags::READONLY;
const WRITE: Flags = Flags::WRITE;
const DENYOOM: Flags = Flags::DENYOOM;
const FAST: Flags = Flags::FAST;

const READS: &[KeySpec] = &[at(1, &["RO", "access"])];
const CHANGES: &[KeySpec] = &[at(1, &["RW", "access", "update"])];
const OVERWRITES: &[KeySpec] = &[at(1, &["OW", "update"])];

pub const TABLE: &[Command] = &[
    Command::new("append", append)
        .arity(3)
        .keys(&[at(1, &["RW", "insert"])])
        .flags(&[WRITE, DENYOOM, FAST])
        .acl(STRING),
    Command::new("decr", decr).arity(2).keys(CHANGES).flags(&[WRITE, DENYOOM, FAST]).acl(STRING),
    Command::new("decrby", decrby).arity(3).keys(CHANGES).flags(&[WRITE, DENYOOM, FAST]).acl(STRING),
    Command::new("get", get).arity(2).keys(READS).flags(&[READONLY, FAST]).acl(STRING),
    Command::new("getdel", getdel)
        .arity(2)
        .keys(&[at(1, &["RW", "access", "delete"])])
        .flags(&[WRITE, FAST])
        .acl(STRING),
    Command::new("getex", getex)
        .arity(-2)
        .keys(&[at(1, &["RW", "access", "update"]).noted("RW and UPDATE because it changes the TTL")])
        .flags(&[WRITE, FAST])
        .acl(STRING),
    Command::new("getrange", getrange).arity(4).keys(READS).flags(&[READONLY]).acl(STRING),
    Command::new("getset", getset).arity(3).keys(CHANGES).flags(&[WRITE, DENYOOM, FAST]).acl(STRING),
    Command::new("incr", incr).arity(2).keys(CHANGES).flags(&[WRITE, DENYOOM, FAST]).acl(STRING),
    Command::new("incrby", incrby).arity(3).keys(CHANGES).flags(&[WRITE, DENYOOM, FAST]).acl(STRING),
    Command::new("incrbyfloat", incrbyfloat)
        .arity(3)
        .keys(CHANGES)
        .flags(&[WRITE, DENYOOM, FAST])
        .acl(STRING),
    Command::new("lcs", lcs)
        .arity(-3)
        .keys(&[through(1, 1, 1, &["RO", "access"])])
        .flags(&[READONLY])
        .acl(STRING),
    Command::new("mget", mget)
        .arity(-2)
        .keys(&[through(1, -1, 1, &["RO", "access"])])
        .flags(&[READONLY, FAST])
        .acl(STRING)
        .tips(&["request_policy:multi_shard"]),
    Command::new("mset", mset)
        .arity(-3)
        .keys(&[through(1, -1, 2, &["OW", "update"])])
        .flags(&[WRITE, DENYOOM])
        .acl(STRING)
        .tips(&["request_policy:multi_shard", "response_policy:all_succeeded"]),
    Command::new("msetnx", msetnx)
        .arity(-3)
        .keys(&[through(1, -1, 2, &["OW", "insert"])])
        .flags(&[WRITE, DENYOOM])
        .acl(STRING),
    Command::new("psetex", psetex).arity(4).keys(OVERWRITES).flags(&[WRITE, DENYOOM]).acl(STRING),
    Command::new("set", set)
        .arity(-3)
        .keys(&[at(1, &["RW", "access", "update", "variable_flags"])
            .noted("RW and ACCESS due to the optional `GET` argument")])
        .flags(&[WRITE, DENYOOM])
        .acl(STRING),
    Command::new("setex", setex).arity(4).keys(OVERWRITES).flags(&[WRITE, DENYOOM]).acl(STRING),
    Command::new("setnx", setnx)
        .arity(3)
        .keys(&[at(1, &["OW", "insert"])])
        .flags(&[WRITE, DENYOOM, FAST])
        .acl(STRING),
    Command::new("setrange", setrange)
        .arity(4)
        .keys(&[at(1, &["RW", "update"])])
        .flags(&[WRITE, DENYOOM])
        .acl(STRING),
    Command::new("strlen", strlen).arity(2).keys(&[at(1, &["RO"])]).flags(&[READONLY, FAST]).acl(STRING),
    Command::new("substr", getrange).arity(4).keys(READS).flags(&[READONLY]).acl(STRING),
];

/// GET key
fn get(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let key = cx.key(args, 1);
    match cx.keys.find(&key) {
        Some(entry) => write_value(string(entry)?, reply),
        None => reply.null(),
    }
    Ok(())
}

/// MGET key [key ...]: what is no string is answered as missing.
fn mget(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    reply.array(args.len() - 1);
    for i in 1..args.len() {
        let key = cx.key(args, i);
        match cx.keys.find(&key).and_then(|entry| string(entry).ok()) {
            Some(value) => write_value(value, reply),
            None => reply.null(),
        }
    }
    Ok(())
}

/// STRLEN key
fn strlen(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let key = cx.key(args, 1);
    let len = match cx.keys.find(&key) {
        Some(entry) => string(entry)?.bytes().len(),
        None => 0,
    };
    reply.integer(len as i64);
    Ok(())
}

/// GETRANGE key start end, and SUBSTR, its older name: both ends are included, negative ones count from
/// the end.
fn getrange(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let (start, end) = (integer(args.get(2))?, integer(args.get(3))?);
    let key = cx.key(args, 1);
    let Some(entry) = cx.keys.find(&key) else {
        reply.bulk(b"");
        return Ok(());
    };
    let value = string(entry)?;
    let range = datatypes::string::range(value.bytes().len(), start, end);
    match value.shared() {
        Some(buffer) => reply.bulk_shared_range(buffer, range),
        None => reply.bulk(&value.bytes()[range]),
    }
    Ok(())
}

/// SET key value [NX | XX] [GET] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL]
fn set(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    if args.len() == 3 {
        let key = cx.key(args, 1);
        cx.keys.set(&key, value_of(args, 2), ExpiryChange::Clear);
        cx.changed(1);
        reply.ok();
        return Ok(());
    }
    let options = Options::of_set(args)?;
    let expiry = options.expiry.map(|expiry| expiry.at(cx.now, "set")).transpose()?;
    let key = cx.key(args, 1);
    if options.get {
        write_old_value(cx, &key, reply)?;
    }
    if options.condition.is_some_and(|wanted| wanted != Wanted::of(cx, &key)) {
        if !options.get {
            reply.null();
        }
        return Ok(());
    }
    let change = match expiry {
        Some(at) => ExpiryChange::At(at),
        None if options.keep_ttl => ExpiryChange::Keep,
        None => ExpiryChange::Clear,
    };
    cx.keys.set(&key, value_of(args, 2), change);
    cx.changed(1);
    match (options.expiry, expiry) {
        // Logged as it was sent: PXAT is what replicas get.
        (Some(Expiry { unit: Unit::UnixMs, .. }), _) if !options.get => {}
        (_, Some(at)) => log_set_at(cx, key.bytes, args.get(2), at),
        _ if options.get && cx.effects.wanted => {
            let is_get = |i: usize, word: &[u8]| i >= 3 && word.eq_ignore_ascii_case(b"get");
            let words = args.iter().enumerate().filter(|(i, word)| !is_get(*i, word));
            cx.log(&words.map(|(_, word)| word).collect::<Vec<_>>());
        }
        _ => {}
    }
    if !options.get {
        reply.ok();
    }
    Ok(())
}

/// SETNX key value
fn setnx(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let key = cx.key(args, 1);
    let free = Wanted::of(cx, &key) == Wanted::Missing;
    if free {
        cx.keys.set(&key, value_of(args, 2), ExpiryChange::Clear);
        cx.changed(1);
    }
    reply.integer(free.into());
    Ok(())
}

/// SETEX key seconds value
fn setex(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    set_expiring(cx, args, reply, Unit::Seconds, "setex")
}

/// PSETEX key milliseconds value
fn psetex(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    set_expiring(cx, args, reply, Unit::Ms, "psetex")
}

fn set_expiring(cx: &mut Exec, args: Args, reply: &mut Reply, unit: Unit, name: &'static str) -> Outcome {
    let at = Expiry { unit, number: args.get(2) }.at(cx.now, name)?;
    let key = cx.key(args, 1);
    cx.keys.set(&key, value_of(args, 3), ExpiryChange::At(at));
    cx.changed(1);
    log_set_at(cx, key.bytes, args.get(3), at);
    reply.ok();
    Ok(())
}

/// GETSET key value
fn getset(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let key = cx.key(args, 1);
    write_old_value(cx, &key, reply)?;
    cx.keys.set(&key, value_of(args, 2), ExpiryChange::Clear);
    cx.changed(1);
    cx.log(&[b"SET", key.bytes, args.get(2)]);
    Ok(())
}

/// GETDEL key
fn getdel(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let key = cx.key(args, 1);
    write_old_value(cx, &key, reply)?;
    if cx.keys.remove(&key) {
        cx.changed(1);
        cx.log(&[b"DEL", key.bytes]);
    }
    Ok(())
}

/// GETEX key [EX s | PX ms | EXAT s | PXAT ms | PERSIST]
fn getex(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let options = Options::of_getex(args)?;
    let key = cx.key(args, 1);
    let now = cx.now;
    let at = match cx.keys.find(&key) {
        None => {
            reply.null();
            return Ok(());
        }
        Some(entry) => {
            let value = string(entry)?;
            let at = options.expiry.map(|expiry| expiry.at(now, "getex")).transpose()?;
            write_value(value, reply);
            at
        }
    };
    match at {
        Some(at) if at <= now.unix_ms() => {
            cx.keys.remove(&key);
            cx.log_expired(key.bytes);
        }
        Some(at) => {
            cx.keys.set_expiry(&key, Some(at));
            cx.log(&[b"PEXPIREAT", key.bytes, &format_integer(at as i64)]);
        }
        None if options.persist && cx.keys.peek(&key).is_some_and(|entry| entry.expiry().is_some()) => {
            cx.keys.set_expiry(&key, None);
            cx.log(&[b"PERSIST", key.bytes]);
        }
        None => return Ok(()),
    }
    cx.changed(1);
    Ok(())
}

/// MSET key value [key value ...]
fn mset(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    set_all(cx, args, "mset")?;
    reply.ok();
    Ok(())
}

/// MSETNX key value [key value ...]: all, or none if any key is there.
fn msetnx(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    if args.len().is_multiple_of(2) {
        return Err(CommandError::WrongArity("msetnx"));
    }
    for i in (1..args.len()).step_by(2) {
        let key = cx.key(args, i);
        if Wanted::of(cx, &key) == Wanted::There {
            reply.integer(0);
            return Ok(());
        }
    }
    set_all(cx, args, "msetnx")?;
    reply.integer(1);
    Ok(())
}

fn set_all(cx: &mut Exec, args: Args, name: &'static str) -> Outcome {
    if args.len().is_multiple_of(2) {
        return Err(CommandError::WrongArity(name));
    }
    for i in (1..args.len()).step_by(2) {
        let key = cx.key(args, i);
        cx.keys.set(&key, value_of(args, i + 1), ExpiryChange::Clear);
    }
    cx.changed(args.len() as u64 / 2);
    Ok(())
}

/// INCR key
fn incr(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    add(cx, args, 1, reply)
}

/// DECR key
fn decr(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    add(cx, args, -1, reply)
}

/// INCRBY key increment
fn incrby(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    add(cx, args, integer(args.get(2))?, reply)
}

/// DECRBY key decrement
fn decrby(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let decrement = integer(args.get(2))?;
    add(cx, args, decrement.checked_neg().ok_or(CommandError::DecrementOverflow)?, reply)
}

fn add(cx: &mut Exec, args: Args, increment: i64, reply: &mut Reply) -> Outcome {
    let key = cx.key(args, 1);
    let old = match cx.keys.find_for_write(&key) {
        Some(entry) => integer(string(entry)?.bytes())?,
        None => 0,
    };
    let new = old.checked_add(increment).ok_or(CommandError::IncrementOverflow)?;
    cx.keys.set(&key, NewValue::Copy(&format_integer(new), Form::Auto), ExpiryChange::Keep);
    cx.changed(1);
    reply.integer(new);
    Ok(())
}

/// INCRBYFLOAT key increment
fn incrbyfloat(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let key = cx.key(args, 1);
    let old = match cx.keys.find_for_write(&key) {
        Some(entry) => string(entry)?.bytes(),
        None => b"0",
    };
    let new = datatypes::increment_float(old, args.get(2)).map_err(|error| match error {
        IncrementError::NotAFloat => CommandError::NotFloat,
        IncrementError::NotFinite => CommandError::NotFinite,
    })?;
    cx.keys.set(&key, NewValue::Copy(&new, Form::Embstr), ExpiryChange::Keep);
    cx.changed(1);
    cx.log(&[b"SET", key.bytes, &new, b"KEEPTTL"]);
    reply.bulk(&new);
    Ok(())
}

/// APPEND key value: the new length.
fn append(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let key = cx.key(args, 1);
    let tail = args.get(2);
    let old_len = match cx.keys.find_for_write(&key) {
        Some(entry) => Some(string(entry)?.bytes().len()),
        None => None,
    };
    let len = match old_len {
        Some(old_len) => {
            check_length(cx, old_len as u64, tail.len())?;
            cx.keys.append(&key, tail)
        }
        // Not an append to nothing, which would make even a number "raw".
        None => {
            cx.keys.set(&key, value_of(args, 2), ExpiryChange::Clear);
            tail.len()
        }
    };
    cx.changed(1);
    reply.integer(len as i64);
    Ok(())
}

/// SETRANGE key offset value: the new length.
fn setrange(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let offset = integer(args.get(2))?;
    let offset = u64::try_from(offset).map_err(|_| CommandError::OffsetOutOfRange)?;
    let key = cx.key(args, 1);
    let bytes = args.get(3);
    let old_len = match cx.keys.find_for_write(&key) {
        Some(entry) => string(entry)?.bytes().len(),
        None => 0,
    };
    if bytes.is_empty() {
        reply.integer(old_len as i64);
        return Ok(());
    }
    check_length(cx, offset, bytes.len())?;
    let len = cx.keys.write_range(&key, offset as usize, bytes);
    cx.changed(1);
    reply.integer(len as i64);
    Ok(())
}

/// LCS key1 key2 [LEN] [IDX] [MINMATCHLEN n] [WITHMATCHLEN]
fn lcs(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let mut texts = [Vec::new(), Vec::new()];
    for (i, text) in texts.iter_mut().enumerate() {
        let key = cx.key(args, i + 1);
        if let Some(entry) = cx.keys.find(&key) {
            let value = string(entry).map_err(|_| CommandError::LcsNotStrings)?;
            *text = value.bytes().to_vec();
        }
    }
    let [a, b] = &texts;
    let (mut only_length, mut ranges, mut with_lengths, mut shortest) = (false, false, false, 0);
    let mut i = 3;
    while let Some(word) = args.try_get(i) {
        match word.to_ascii_uppercase().as_slice() {
            b"IDX" => ranges = true,
            b"LEN" => only_length = true,
            b"WITHMATCHLEN" => with_lengths = true,
            b"MINMATCHLEN" if i + 1 < args.len() => {
                i += 1;
                shortest = integer(args.get(i))?.max(0);
            }
            _ => return Err(CommandError::Syntax),
        }
        i += 1;
    }
    if only_length && ranges {
        return Err(CommandError::LcsLenAndIdx);
    }
    let refused = |error| match error {
        LcsError::TooLong => CommandError::LcsTooLong,
        LcsError::TooMuchMemory => CommandError::LcsTooMuchMemory,
    };
    let most = cx.config.proto_max_bulk_len();
    if only_length {
        reply.integer(datatypes::string::lcs_len(a, b, most).map_err(refused)?.into());
        return Ok(());
    }
    let found = datatypes::string::lcs(a, b, most).map_err(refused)?;
    if !ranges {
        reply.bulk(&found.bytes);
        return Ok(());
    }
    reply.map(2);
    reply.bulk(b"matches");
    let shown = || found.matches.iter().filter(|one| i64::from(one.len()) >= shortest);
    reply.array(shown().count());
    for one in shown() {
        reply.array(if with_lengths { 3 } else { 2 });
        for (first, last) in [one.a, one.b] {
            reply.array(2);
            reply.integer(first.into());
            reply.integer(last.into());
        }
        if with_lengths {
            reply.integer(one.len().into());
        }
    }
    reply.bulk(b"len");
    reply.integer(found.bytes.len() as i64);
    Ok(())
}

/// What SET's NX and XX ask of the key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Missing,
    There,
}

impl Wanted {
    fn of(cx: &mut Exec, key: &Key) -> Wanted {
        match cx.keys.find_for_write(key) {
            Some(_) => Wanted::There,
            None => Wanted::Missing,
        }
    }
}

/// What a number that sets an expiry counts, and from when.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    Seconds,
    Ms,
    UnixSeconds,
    UnixMs,
}

#[derive(Clone, Copy)]
struct Expiry<'a> {
    unit: Unit,
    number: &'a [u8],
}

impl Expiry<'_> {
    /// The time in unix milliseconds, for the command of this name.
    fn at(self, now: Now, command: &'static str) -> Result<u64, CommandError> {
        let number = integer(self.number)?;
        let in_ms = match self.unit {
            Unit::Seconds | Unit::UnixSeconds => number.checked_mul(1000),
            Unit::Ms | Unit::UnixMs => Some(number),
        };
        let at = in_ms.filter(|ms| *ms > 0).and_then(|ms| match self.unit {
            Unit::Seconds | Unit::Ms => ms.checked_add(now.unix_ms() as i64),
            Unit::UnixSeconds | Unit::UnixMs => Some(ms),
        });
        at.map(|at| at as u64).ok_or(CommandError::InvalidExpireTime(command))
    }
}

impl Unit {
    fn of(word: &[u8]) -> Option<Unit> {
        let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
        match word.len() {
            2 if is(b"ex") => Some(Unit::Seconds),
            2 if is(b"px") => Some(Unit::Ms),
            4 if is(b"exat") => Some(Unit::UnixSeconds),
            4 if is(b"pxat") => Some(Unit::UnixMs),
            _ => None,
        }
    }
}

/// The options of SET and GETEX.
#[derive(Default)]
struct Options<'a> {
    condition: Option<Wanted>,
    get: bool,
    keep_ttl: bool,
    persist: bool,
    expiry: Option<Expiry<'a>>,
}

impl<'a> Options<'a> {
    fn of_set(args: Args<'a>) -> Result<Options<'a>, CommandError> {
        Options::read(args, 3, |options, word| {
            let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
            if is(b"nx") && options.condition != Some(Wanted::There) {
                options.condition = Some(Wanted::Missing);
            } else if is(b"xx") && options.condition != Some(Wanted::Missing) {
                options.condition = Some(Wanted::There);
            } else if is(b"get") {
                options.get = true;
            } else if is(b"keepttl") && options.expiry.is_none() {
                options.keep_ttl = true;
            } else {
                return Err(CommandError::Syntax);
            }
            Ok(())
        })
    }

    fn of_getex(args: Args<'a>) -> Result<Options<'a>, CommandError> {
        Options::read(args, 2, |options, word| {
            if !word.eq_ignore_ascii_case(b"persist") || options.expiry.is_some() {
                return Err(CommandError::Syntax);
            }
            options.persist = true;
            Ok(())
        })
    }

    /// Reads the options that set an expiry; `other` reads the rest. An option may be repeated, the last
    /// number counts; two that contradict each other are refused.
    fn read(
        args: Args<'a>,
        from: usize,
        other: impl Fn(&mut Options<'a>, &[u8]) -> Outcome,
    ) -> Result<Options<'a>, CommandError> {
        let mut options = Options::default();
        let mut i = from;
        while let Some(word) = args.try_get(i) {
            i += 1;
            let (Some(unit), Some(number)) = (Unit::of(word), args.try_get(i)) else {
                other(&mut options, word)?;
                continue;
            };
            let contradicts = options.expiry.is_some_and(|before| before.unit != unit);
            if contradicts || options.keep_ttl || options.persist {
                return Err(CommandError::Syntax);
            }
            options.expiry = Some(Expiry { unit, number });
            i += 1;
        }
        Ok(options)
    }
}

/// The string in an entry.
pub(crate) fn string(entry: Entry) -> Result<StrRef, CommandError> {
    match entry.value() {
        ValueRef::Str(string) => Ok(string),
        _ => Err(CommandError::WrongType),
    }
}

/// An argument or a value as an integer.
fn integer(text: &[u8]) -> Result<i64, CommandError> {
    parse_integer(text).ok_or(CommandError::NotInteger)
}

/// An argument as a value: as it is if it was received apart.
#[inline]
fn value_of<'a>(args: Args<'a>, at: usize) -> NewValue<'a> {
    match args.shared(at) {
        Some(buffer) => NewValue::Shared(buffer, Form::Auto),
        None => NewValue::Copy(args.get(at), Form::Auto),
    }
}

/// A value, by reference if it is large.
#[inline]
fn write_value(value: StrRef, reply: &mut Reply) {
    match value.shared() {
        Some(buffer) => reply.bulk_shared(buffer),
        None => reply.bulk(value.bytes()),
    }
}

/// What the key holds before it is changed, as GET answers it.
fn write_old_value(cx: &mut Exec, key: &Key, reply: &mut Reply) -> Outcome {
    match cx.keys.find(key) {
        Some(entry) => write_value(string(entry)?, reply),
        None => reply.null(),
    }
    Ok(())
}

fn log_set_at(cx: &mut Exec, key: &[u8], value: &[u8], at: u64) {
    cx.log(&[b"SET", key, value, b"PXAT", &format_integer(at as i64)]);
}

/// Whether a string may grow to `before` bytes and `more`.
fn check_length(cx: &Exec, before: u64, more: usize) -> Outcome {
    match before.checked_add(more as u64) {
        Some(len) if len <= cx.config.proto_max_bulk_len() => Ok(()),
        _ => Err(CommandError::StringTooLong),
    }
}

#[cfg(test)]
mod tests;
