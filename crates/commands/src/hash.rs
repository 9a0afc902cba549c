//! Hash commands. `datatypes::hash` picks and converts the encoding; here we read the arguments, call it, record
//! what changed, and word the reply.
//!
//! What reads and sets fields is here, with the table of all; `hash/random.rs` has HRANDFIELD, `hash/expire.rs` the
//! expiry of fields, and `hash/combined.rs` what does two things at once (HGETDEL, HGETEX, HSETEX).
//!
//! 1. A field whose time has come is not shown. It leaves when a write meets it, or with the active cycle; both log
//!    an HDEL. Until then it counts in HLEN, as in Redis.
//! 2. Where a log is being read, nothing expires by itself: the log has the HDEL. There the time of fields is zero
//!    ([`field_time`]), at which no field has expired.
//! 3. So what a command that was logged finds must not depend on the reader's clock: where an expired field that is
//!    still there would make a difference (HSETNX, HINCRBY, HSETEX KEEPTTL), its HDEL is logged first ([`bury`]).
//! 4. A command that changes nothing writes nothing: we look before a hash is touched, since a touched one ends the
//!    transactions of those who WATCH it.

mod combined;
mod expire;
mod random;
#[cfg(test)]
mod tests;

use crate::scan::collection::{self, NoValues, Options, Page};
use crate::table::{at, Categories, Command, Flags, KeySpec};
use crate::{CommandError, Exec};
use datatypes::hash::{Hash, HashRef, SetExpiry};
use datatypes::listpack::Item;
use datatypes::{Decimal, IncrementError, LongDouble};
use keyspace::Edit;
use resp::{format_integer, parse_integer, Args, Reply};

type Outcome = Result<(), CommandError>;

const HASH: Categories = Categories::HASH;
const READONLY: Flags = Flags::READONLY;
const WRITE: Flags = Flags::WRITE;
const DENYOOM: Flags = Flags::DENYOOM;
const FAST: Flags = Flags::FAST;

/// A hash whose fields or values are answered.
const READ: &[KeySpec] = &[at(1, &["RO", "access"])];
/// A hash of which something is said.
const ASKED: &[KeySpec] = &[at(1, &["RO"])];
const UPDATED: &[KeySpec] = &[at(1, &["RW", "update"])];
const RAISED: &[KeySpec] = &[at(1, &["RW", "access", "update"])];

const ANY_ORDER: &[&str] = &["nondeterministic_output_order"];
const ANY_OUTPUT: &[&str] = &["nondeterministic_output"];

pub const TABLE: &[Command] = &[
    Command::new("hdel", hdel).arity(-3).keys(&[at(1, &["RW", "delete"])]).flags(&[WRITE, FAST]).acl(HASH),
    Command::new("hexists", hexists).arity(3).keys(ASKED).flags(&[READONLY, FAST]).acl(HASH),
    Command::new("hexpire", expire::hexpire).arity(-6).keys(UPDATED).flags(&[WRITE, DENYOOM, FAST]).acl(HASH),
    Command::new("hexpireat", expire::hexpireat)
        .arity(-6)
        .keys(UPDATED)
        .flags(&[WRITE, DENYOOM, FAST])
        .acl(HASH),
    Command::new("hexpiretime", expire::hexpiretime).arity(-5).keys(READ).flags(&[READONLY, FAST]).acl(HASH),
    Command::new("hget", hget).arity(3).keys(READ).flags(&[READONLY, FAST]).acl(HASH),
    Command::new("hgetall", hgetall).arity(2).keys(READ).flags(&[READONLY]).acl(HASH).tips(ANY_ORDER),
    Command::new("hgetdel", combined::hgetdel)
        .arity(-5)
        .keys(&[at(1, &["RW", "access", "delete"])])
        .flags(&[WRITE, FAST])
        .acl(HASH),
    Command::new("hgetex", combined::hgetex)
        .arity(-5)
        .keys(&[at(1, &["RW", "access", "update"]).noted("RW and UPDATE because it changes the TTL")])
        .flags(&[WRITE, FAST])
        .acl(HASH),
    Command::new("hincrby", hincrby).arity(4).keys(RAISED).flags(&[WRITE, DENYOOM, FAST]).acl(HASH),
    Command::new("hincrbyfloat", hincrbyfloat).arity(4).keys(RAISED).flags(&[WRITE, DENYOOM, FAST]).acl(HASH),
    Command::new("hkeys", hkeys).arity(2).keys(READ).flags(&[READONLY]).acl(HASH).tips(ANY_ORDER),
    Command::new("hlen", hlen).arity(2).keys(ASKED).flags(&[READONLY, FAST]).acl(HASH),
    Command::new("hmget", hmget).arity(-3).keys(READ).flags(&[READONLY, FAST]).acl(HASH),
    Command::new("hmset", hmset).arity(-4).keys(UPDATED).flags(&[WRITE, DENYOOM, FAST]).acl(HASH),
    Command::new("hpersist", expire::hpersist).arity(-5).keys(UPDATED).flags(&[WRITE, FAST]).acl(HASH),
    Command::new("hpexpire", expire::hpexpire)
        .arity(-6)
        .keys(UPDATED)
        .flags(&[WRITE, DENYOOM, FAST])
        .acl(HASH),
    Command::new("hpexpireat", expire::hpexpireat)
        .arity(-6)
        .keys(UPDATED)
        .flags(&[WRITE, DENYOOM, FAST])
        .acl(HASH),
    Command::new("hpexpiretime", expire::hpexpiretime)
        .arity(-5)
        .keys(READ)
        .flags(&[READONLY, FAST])
        .acl(HASH),
    Command::new("hpttl", expire::hpttl).arity(-5).keys(READ).flags(&[READONLY, FAST]).acl(HASH),
    Command::new("hrandfield", random::hrandfield)
        .arity(-2)
        .keys(READ)
        .flags(&[READONLY])
        .acl(HASH)
        .tips(ANY_OUTPUT),
    Command::new("hscan", hscan).arity(-3).keys(READ).flags(&[READONLY]).acl(HASH).tips(ANY_OUTPUT),
    Command::new("hset", hset).arity(-4).keys(UPDATED).flags(&[WRITE, DENYOOM, FAST]).acl(HASH),
    Command::new("hsetex", combined::hsetex).arity(-6).keys(UPDATED).flags(&[WRITE, DENYOOM, FAST]).acl(HASH),
    Command::new("hsetnx", hsetnx)
        .arity(4)
        .keys(&[at(1, &["RW", "insert"])])
        .flags(&[WRITE, DENYOOM, FAST])
        .acl(HASH),
    Command::new("hstrlen", hstrlen).arity(3).keys(ASKED).flags(&[READONLY, FAST]).acl(HASH),
    Command::new("httl", expire::httl).arity(-5).keys(READ).flags(&[READONLY, FAST]).acl(HASH),
    Command::new("hvals", hvals).arity(2).keys(READ).flags(&[READONLY]).acl(HASH).tips(ANY_ORDER),
];

/// The time by which fields expire (invariant 2).
fn field_time(cx: &Exec) -> u64 {
    if cx.keys.shows_expired() {
        0
    } else {
        cx.now.unix_ms()
    }
}

/// Removes an expired field that is still there; whether there was one. It must be logged ([`log_buried`]).
fn bury(hash: &mut Edit<Hash>, field: &[u8], now_ms: u64) -> bool {
    let is_overdue = hash.as_ref().next_expiry().is_some_and(|at| at < now_ms)
        && hash.as_ref().contains(field, 0)
        && !hash.as_ref().contains(field, now_ms);
    if is_overdue {
        hash.remove(field, now_ms);
    }
    is_overdue
}

/// Logs the end of a field that the command, which follows as it was sent, found expired.
fn log_buried(cx: &mut Exec, args: Args, fields: &[&[u8]]) {
    log_fields(cx, &[b"HDEL", args.get(1)], fields);
    let words: Vec<&[u8]> = args.iter().collect();
    cx.log(&words);
}

/// Logs a command on many fields.
fn log_fields(cx: &mut Exec, front: &[&[u8]], fields: &[&[u8]]) {
    if cx.effects.wanted {
        cx.log(&[front, fields].concat());
    }
}

/// Logs that fields expire at a time.
fn log_expiry(cx: &mut Exec, key: &[u8], at_ms: u64, fields: &[&[u8]]) {
    let (at, count) = (format_integer(at_ms as i64), format_integer(fields.len() as i64));
    log_fields(cx, &[b"HPEXPIREAT", key, &at, b"FIELDS", &count], fields);
}

/// HSET key field value [field value ...]: how many fields are new.
fn hset(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let new = set_all(cx, args, "hset")?;
    reply.integer(new);
    Ok(())
}

/// HMSET key field value [field value ...]
fn hmset(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    set_all(cx, args, "hmset")?;
    reply.ok();
    Ok(())
}

fn set_all(cx: &mut Exec, args: Args, name: &'static str) -> Result<i64, CommandError> {
    if args.len() % 2 == 1 {
        return Err(CommandError::WrongArity(name));
    }
    let (key, now, limits) = (cx.key(args, 1), field_time(cx), &cx.limits.hash);
    let mut hash = cx.keys.edit::<Hash>(&key)?;
    let mut new = 0;
    {
        let hash = &mut *hash;
        hash.expect((2..args.len()).map(|i| args.get(i)), limits);
        for i in (2..args.len()).step_by(2) {
            new += i64::from(hash.set(args.get(i), args.get(i + 1), SetExpiry::End, now, limits));
        }
    }
    drop(hash);
    cx.changed((args.len() as u64 - 2) / 2);
    Ok(new)
}

/// HSETNX key field value: whether the field was not there.
fn hsetnx(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let (key, now, limits) = (cx.key(args, 1), field_time(cx), &cx.limits.hash);
    let (field, value) = (args.get(2), args.get(3));
    let mut hash = cx.keys.edit::<Hash>(&key)?;
    if hash.as_ref().contains(field, now) {
        reply.integer(0);
        return Ok(());
    }
    let is_buried = bury(&mut hash, field, now);
    hash.expect([field, value].into_iter(), limits);
    hash.set(field, value, SetExpiry::End, now, limits);
    drop(hash);
    cx.changed(1);
    if is_buried {
        log_buried(cx, args, &[field]);
    }
    reply.integer(1);
    Ok(())
}

/// HINCRBY key field increment: the sum. The field keeps its expiry.
fn hincrby(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let by = parse_integer(args.get(3)).ok_or(CommandError::NotInteger)?;
    let (key, now, limits, field) = (cx.key(args, 1), field_time(cx), &cx.limits.hash, args.get(2));
    let mut hash = cx.keys.edit::<Hash>(&key)?;
    let old = match hash.as_ref().get(field, now) {
        Some(value) => value.as_i64().ok_or_else(CommandError::hash_value_not_integer)?,
        None => 0,
    };
    let sum = old.checked_add(by).ok_or(CommandError::IncrementOverflow)?;
    let is_buried = bury(&mut hash, field, now);
    hash.set(field, Decimal::new(sum).as_bytes(), SetExpiry::Keep, now, limits);
    drop(hash);
    cx.changed(1);
    if is_buried {
        log_buried(cx, args, &[field]);
    }
    reply.integer(sum);
    Ok(())
}

/// HINCRBYFLOAT key field increment: the sum. The field keeps its expiry.
fn hincrbyfloat(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let (field, by) = (args.get(2), args.get(3));
    if !LongDouble::parse(by).ok_or(CommandError::NotFloat)?.is_finite() {
        return Err(CommandError::infinite_increment());
    }
    let (key, now, limits) = (cx.key(args, 1), field_time(cx), &cx.limits.hash);
    let mut hash = cx.keys.edit::<Hash>(&key)?;
    let sum = match hash.as_ref().get(field, now) {
        Some(value) => value.with_bytes(|value| datatypes::increment_float(value, by)),
        None => datatypes::increment_float(b"0", by),
    };
    let sum = sum.map_err(|error| match error {
        IncrementError::NotAFloat => CommandError::hash_value_not_float(),
        IncrementError::NotFinite => CommandError::NotFinite,
    })?;
    let expiry = hash.as_ref().expiry(field, now).flatten();
    hash.set(field, &sum, SetExpiry::Keep, now, limits);
    drop(hash);
    cx.changed(1);
    // What the sum is must not depend on the reader's floats. HSET ends an expiry, so that is said again.
    cx.log(&[b"HSET", key.bytes, field, &sum]);
    if let Some(at_ms) = expiry {
        log_expiry(cx, key.bytes, at_ms, &[field]);
    }
    reply.bulk(&sum);
    Ok(())
}

/// HDEL key field [field ...]: how many were there.
fn hdel(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let (key, now, fields) = (cx.key(args, 1), field_time(cx), args.from(2));
    let mut hash = cx.keys.edit::<Hash>(&key)?;
    let (mut removed, mut gone) = (0, 0);
    // Expired fields go, too, but nobody is told.
    if let Some(first) = fields.iter().position(|field| hash.as_ref().contains(field, 0)) {
        let hash = &mut *hash;
        let before = hash.len();
        for field in fields.from(first).iter() {
            removed += i64::from(hash.remove(field, now));
            if hash.is_empty() {
                break;
            }
        }
        gone = before - hash.len();
    }
    drop(hash);
    cx.changed(gone as u64);
    reply.integer(removed);
    Ok(())
}

/// HGET key field
fn hget(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let (key, now) = (cx.key(args, 1), field_time(cx));
    let hash = cx.keys.read::<HashRef>(&key)?;
    say_or_null(reply, hash.and_then(|hash| hash.get(args.get(2), now)));
    Ok(())
}

/// HMGET key field [field ...]
fn hmget(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let (key, now, fields) = (cx.key(args, 1), field_time(cx), args.from(2));
    let hash = cx.keys.read::<HashRef>(&key)?;
    reply.array(fields.len());
    for field in fields.iter() {
        say_or_null(reply, hash.and_then(|hash| hash.get(field, now)));
    }
    Ok(())
}

/// HEXISTS key field
fn hexists(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let (key, now) = (cx.key(args, 1), field_time(cx));
    let there = cx.keys.read::<HashRef>(&key)?.is_some_and(|hash| hash.contains(args.get(2), now));
    reply.integer(there.into());
    Ok(())
}

/// HLEN key
fn hlen(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let key = cx.key(args, 1);
    reply.integer(cx.keys.read::<HashRef>(&key)?.map_or(0, HashRef::len) as i64);
    Ok(())
}

/// HSTRLEN key field
fn hstrlen(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let (key, now) = (cx.key(args, 1), field_time(cx));
    let value = cx.keys.read::<HashRef>(&key)?.and_then(|hash| hash.get(args.get(2), now));
    reply.integer(value.map_or(0, |value| value.len()) as i64);
    Ok(())
}

/// HGETALL key
fn hgetall(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let (key, now) = (cx.key(args, 1), field_time(cx));
    let Some(hash) = cx.keys.read::<HashRef>(&key)? else {
        reply.map(0);
        return Ok(());
    };
    reply.map(live_len(hash, now));
    for (field, value) in hash.iter(now) {
        say(reply, field);
        say(reply, value);
    }
    Ok(())
}

/// HKEYS key
fn hkeys(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    say_each(cx, args, reply, |(field, _)| field)
}

/// HVALS key
fn hvals(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    say_each(cx, args, reply, |(_, value)| value)
}

fn say_each(
    cx: &mut Exec,
    args: Args,
    reply: &mut Reply,
    part: for<'a> fn((Item<'a>, Item<'a>)) -> Item<'a>,
) -> Outcome {
    let (key, now) = (cx.key(args, 1), field_time(cx));
    let Some(hash) = cx.keys.read::<HashRef>(&key)? else {
        reply.array(0);
        return Ok(());
    };
    reply.array(live_len(hash, now));
    hash.iter(now).for_each(|pair| say(reply, part(pair)));
    Ok(())
}

/// HSCAN key cursor [MATCH pattern] [COUNT count] [NOVALUES]
fn hscan(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let cursor = collection::cursor(args)?;
    let (key, now) = (cx.key(args, 1), field_time(cx));
    let Some(hash) = cx.keys.read::<HashRef>(&key)? else {
        collection::nothing(reply);
        return Ok(());
    };
    let options = Options::read(args, NoValues::Known)?;
    let mut page = Page::new();
    let next = hash.scan(cursor, options.count, now, &mut |field, value| {
        field.with_bytes(|field| {
            if options.wants(field) {
                page.push(field);
                if options.values {
                    value.with_bytes(|value| page.push(value));
                }
            }
        })
    });
    page.answer(next, reply);
    Ok(())
}

/// How many fields a hash shows.
fn live_len(hash: HashRef, now_ms: u64) -> usize {
    if hash.next_expiry().is_none_or(|at| at >= now_ms) {
        hash.len()
    } else {
        hash.iter(now_ms).count()
    }
}

/// A field or value as an element of the reply.
fn say(reply: &mut Reply, item: Item) {
    match item {
        Item::Int(number) => reply.bulk_integer(number),
        Item::Str(text) => reply.bulk(text),
    }
}

fn say_or_null(reply: &mut Reply, item: Option<Item>) {
    match item {
        Some(item) => say(reply, item),
        None => reply.null(),
    }
}
