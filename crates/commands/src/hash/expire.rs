//! When fields of a hash go: HEXPIRE and its like, HTTL and its like, HPERSIST.
//!
//! They are later than Redis 7.2, whose manner and texts we follow elsewhere, and are built from the documentation of
//! Redis 7.4 and Valkey 9. Where that leaves something open we do as EXPIRE, TTL and SET do.
//!
//! ```text
//!     HEXPIRE key seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]
//!     a number for each field:   -2 no such field   0 condition not met   1 set   2 gone, the time has passed
//!     HTTL, HPERSIST:            -2 no such field  -1 no expiry           else the time, or 1
//! ```
//!
//! 1. Inside, and in the log (HPEXPIREAT), a time is in Unix milliseconds; what has passed already is logged as HDEL.
//! 2. Only fields that changed are logged: what the conditions found here need not hold for whoever reads the log.

use super::{field_time, log_expiry, log_fields, Outcome};
use crate::{CommandError, Exec};
use datatypes::hash::{Condition, ExpirySet, Hash, HashRef};
use resp::{format_integer, parse_integer, Args, Reply};

/// HEXPIRE key seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]
pub(super) fn hexpire(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    set_expiry(cx, args, reply, 1000, cx.now.unix_ms(), "hexpire")
}

/// HEXPIREAT key unix-seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]
pub(super) fn hexpireat(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    set_expiry(cx, args, reply, 1000, 0, "hexpireat")
}

/// HPEXPIRE key milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...]
pub(super) fn hpexpire(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    set_expiry(cx, args, reply, 1, cx.now.unix_ms(), "hpexpire")
}

/// HPEXPIREAT key unix-milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...]
pub(super) fn hpexpireat(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    set_expiry(cx, args, reply, 1, 0, "hpexpireat")
}

/// The number counts `unit_ms` each, from `since_ms` on.
fn set_expiry(
    cx: &mut Exec,
    args: Args,
    reply: &mut Reply,
    unit_ms: i64,
    since_ms: u64,
    name: &'static str,
) -> Outcome {
    let (condition, words) = read_condition(args)?;
    let fields = read_fields(args, words, 1)?;
    let at_ms = time(args.get(2), unit_ms, since_ms, name)?;
    let (key, now) = (cx.key(args, 1), field_time(cx));
    let mut hash = cx.keys.edit::<Hash>(&key)?;
    let (mut set, mut gone): (Vec<&[u8]>, Vec<&[u8]>) = (Vec::new(), Vec::new());
    reply.array(fields.len());
    for field in fields.iter() {
        let old = hash.as_ref().expiry(field, now);
        let outcome = match old {
            None => ExpirySet::NoField,
            Some(old) if !condition.holds(old, at_ms) => ExpirySet::NotMet,
            Some(_) => hash.set_expiry(field, at_ms, condition, now),
        };
        reply.integer(match outcome {
            ExpirySet::NoField => -2,
            ExpirySet::NotMet => 0,
            ExpirySet::Set => {
                set.push(field);
                1
            }
            ExpirySet::Deleted => {
                gone.push(field);
                2
            }
        });
    }
    drop(hash);
    cx.changed((set.len() + gone.len()) as u64);
    if !set.is_empty() {
        log_expiry(cx, key.bytes, at_ms, &set);
    }
    if !gone.is_empty() {
        log_fields(cx, &[b"HDEL", key.bytes], &gone);
    }
    Ok(())
}

/// The condition, if there is one, and where FIELDS stands.
fn read_condition(args: Args) -> Result<(Condition, usize), CommandError> {
    let mut condition = Condition::Always;
    for (i, word) in args.iter().enumerate().skip(3) {
        let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
        let next = match () {
            () if is(b"fields") => return Ok((condition, i)),
            () if is(b"nx") => Condition::IfNone,
            () if is(b"xx") => Condition::IfSome,
            () if is(b"gt") => Condition::IfLater,
            () if is(b"lt") => Condition::IfEarlier,
            () => break,
        };
        if condition != Condition::Always && condition != next {
            use Condition::{IfEarlier, IfLater, IfNone};
            return Err(match (condition, next) {
                (IfNone, _) | (_, IfNone) => CommandError::ExpireNxAndOther,
                (IfEarlier, IfLater) | (IfLater, IfEarlier) => CommandError::ExpireGtAndLt,
                _ => CommandError::Syntax,
            });
        }
        condition = next;
    }
    Err(CommandError::Syntax)
}

/// The fields behind `FIELDS numfields`, which stand at `from`; each has `width` words.
pub(super) fn read_fields(args: Args<'_>, from: usize, width: usize) -> Result<Args<'_>, CommandError> {
    let count = parse_integer(args.try_get(from + 1).ok_or(CommandError::Syntax)?);
    let count = count.ok_or(CommandError::NotInteger)?;
    let there = args.len() - from - 2;
    if count <= 0 || usize::try_from(count).ok().and_then(|count| count.checked_mul(width)) != Some(there) {
        return Err(CommandError::numfields());
    }
    Ok(args.from(from + 2))
}

/// A time in Unix ms: the number counts `unit_ms` each, from `since_ms` on.
pub(super) fn time(
    number: &[u8],
    unit_ms: i64,
    since_ms: u64,
    name: &'static str,
) -> Result<u64, CommandError> {
    let number = parse_integer(number).ok_or(CommandError::NotInteger)?;
    let at_ms = number.checked_mul(unit_ms).and_then(|ms| ms.checked_add_unsigned(since_ms));
    match at_ms {
        Some(at_ms) if number >= 0 => Ok(at_ms as u64),
        _ => Err(CommandError::InvalidExpireTime(name)),
    }
}

/// HTTL key FIELDS numfields field [field ...]: seconds left, rounded as TTL does.
pub(super) fn httl(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    tell_expiry(cx, args, reply, |at, now_ms| (at.saturating_sub(now_ms) + 500) / 1000)
}

/// HPTTL key FIELDS numfields field [field ...]: milliseconds left.
pub(super) fn hpttl(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    tell_expiry(cx, args, reply, |at, now_ms| at.saturating_sub(now_ms))
}

/// HEXPIRETIME key FIELDS numfields field [field ...]: Unix seconds, rounded as EXPIRETIME does.
pub(super) fn hexpiretime(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    tell_expiry(cx, args, reply, |at, _| at.saturating_add(500) / 1000)
}

/// HPEXPIRETIME key FIELDS numfields field [field ...]: Unix milliseconds.
pub(super) fn hpexpiretime(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    tell_expiry(cx, args, reply, |at, _| at)
}

fn tell_expiry(cx: &mut Exec, args: Args, reply: &mut Reply, tell: fn(u64, u64) -> u64) -> Outcome {
    let fields = only_fields(args)?;
    let (key, now) = (cx.key(args, 1), field_time(cx));
    let now_ms = cx.now.unix_ms();
    let hash = cx.keys.read::<HashRef>(&key)?;
    reply.array(fields.len());
    for field in fields.iter() {
        reply.integer(match hash.and_then(|hash| hash.expiry(field, now)) {
            None => -2,
            Some(None) => -1,
            Some(Some(at)) => tell(at, now_ms) as i64,
        });
    }
    Ok(())
}

/// HPERSIST key FIELDS numfields field [field ...]
pub(super) fn hpersist(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let fields = only_fields(args)?;
    let (key, now) = (cx.key(args, 1), field_time(cx));
    let mut hash = cx.keys.edit::<Hash>(&key)?;
    let mut kept: Vec<&[u8]> = Vec::new();
    reply.array(fields.len());
    for field in fields.iter() {
        reply.integer(match hash.as_ref().expiry(field, now) {
            None => -2,
            Some(None) => -1,
            Some(Some(_)) => {
                hash.persist(field, now);
                kept.push(field);
                1
            }
        });
    }
    drop(hash);
    log_persisted(cx, key.bytes, &kept);
    Ok(())
}

/// States that these fields stay.
pub(super) fn log_persisted(cx: &mut Exec, key: &[u8], fields: &[&[u8]]) {
    cx.changed(fields.len() as u64);
    if !fields.is_empty() {
        let count = format_integer(fields.len() as i64);
        log_fields(cx, &[b"HPERSIST", key, b"FIELDS", &count], fields);
    }
}

/// The fields of a command that has no options: FIELDS stands behind the key.
pub(super) fn only_fields(args: Args<'_>) -> Result<Args<'_>, CommandError> {
    if !args.get(2).eq_ignore_ascii_case(b"fields") {
        return Err(CommandError::Syntax);
    }
    read_fields(args, 2, 1)
}
