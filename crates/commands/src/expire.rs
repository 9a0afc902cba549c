//! Expiry commands: when a key goes, and how long it has.
//!
//! Inside, an expiry is always a unix time in milliseconds, and so it is logged (PEXPIREAT), whatever
//! unit the client spoke in. A time that has passed already is the removal of the key, and is logged as
//! that. What becomes of keys whose time comes later is `keyspace::View`'s (on access) and `node`'s (the
//! active cycle).

use crate::table::{at, Categories, Command, Flags, KeySpec};
use crate::{CommandError, Exec};
use resp::{format_integer, parse_integer, Args, Reply};

type Outcome = Result<(), CommandError>;

const KEYSPACE: Categories = Categories::KEYSPACE;
const READONLY: Flags = Flags::READONLY;
const WRITE: Flags = Flags::WRITE;
const FAST: Flags = Flags::FAST;

const READS: &[KeySpec] = &[at(1, &["RO", "access"])];
const CHANGES: &[KeySpec] = &[at(1, &["RW", "update"])];
/// Time passes between two nodes that are asked.
const VARIES: &[&str] = &["nondeterministic_output"];

pub const TABLE: &[Command] = &[
    Command::new("expire", expire).arity(-3).keys(CHANGES).flags(&[WRITE, FAST]).acl(KEYSPACE),
    Command::new("expireat", expireat).arity(-3).keys(CHANGES).flags(&[WRITE, FAST]).acl(KEYSPACE),
    Command::new("expiretime", expiretime).arity(2).keys(READS).flags(&[READONLY, FAST]).acl(KEYSPACE),
    Command::new("persist", persist).arity(2).keys(CHANGES).flags(&[WRITE, FAST]).acl(KEYSPACE),
    Command::new("pexpire", pexpire).arity(-3).keys(CHANGES).flags(&[WRITE, FAST]).acl(KEYSPACE),
    Command::new("pexpireat", pexpireat).arity(-3).keys(CHANGES).flags(&[WRITE, FAST]).acl(KEYSPACE),
    Command::new("pexpiretime", pexpiretime).arity(2).keys(READS).flags(&[READONLY, FAST]).acl(KEYSPACE),
    Command::new("pttl", pttl).arity(2).keys(READS).flags(&[READONLY, FAST]).acl(KEYSPACE).tips(VARIES),
    Command::new("ttl", ttl).arity(2).keys(READS).flags(&[READONLY, FAST]).acl(KEYSPACE).tips(VARIES),
];

/// EXPIRE key seconds [NX | XX | GT | LT]
fn expire(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    set_expiry(cx, args, reply, 1000, cx.now.unix_ms(), "expire")
}

/// EXPIREAT key unix-seconds [NX | XX | GT | LT]
fn expireat(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    set_expiry(cx, args, reply, 1000, 0, "expireat")
}

/// PEXPIRE key milliseconds [NX | XX | GT | LT]
fn pexpire(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    set_expiry(cx, args, reply, 1, cx.now.unix_ms(), "pexpire")
}

/// PEXPIREAT key unix-milliseconds [NX | XX | GT | LT]
fn pexpireat(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    set_expiry(cx, args, reply, 1, 0, "pexpireat")
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
    let conditions = Conditions::read(args)?;
    let number = parse_integer(args.get(2)).ok_or(CommandError::NotInteger)?;
    let at = number.checked_mul(unit_ms).and_then(|ms| ms.checked_add_unsigned(since_ms));
    let at = at.ok_or(CommandError::InvalidExpireTime(name))?;
    let key = cx.key(args, 1);
    let Some(entry) = cx.keys.find_for_write(&key) else {
        reply.integer(0);
        return Ok(());
    };
    if !conditions.allow(entry.expiry(), at) {
        reply.integer(0);
        return Ok(());
    }
    match u64::try_from(at) {
        Ok(at) if at > cx.now.unix_ms() => {
            cx.keys.set_expiry(&key, Some(at));
            cx.log(&[b"PEXPIREAT", key.bytes, &format_integer(at as i64)]);
        }
        _ => {
            cx.keys.remove(&key);
            cx.log_expired(key.bytes);
        }
    }
    cx.changed(1);
    reply.integer(1);
    Ok(())
}

/// When an expiry may be set. Each may be given several times.
#[derive(Default)]
struct Conditions {
    nx: bool,
    xx: bool,
    gt: bool,
    lt: bool,
}

impl Conditions {
    fn read(args: Args) -> Result<Conditions, CommandError> {
        let mut conditions = Conditions::default();
        for word in args.iter().skip(3) {
            let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
            let condition = match () {
                () if is(b"nx") => &mut conditions.nx,
                () if is(b"xx") => &mut conditions.xx,
                () if is(b"gt") => &mut conditions.gt,
                () if is(b"lt") => &mut conditions.lt,
                () => return Err(CommandError::unsupported_option(word)),
            };
            *condition = true;
        }
        let Conditions { nx, xx, gt, lt } = conditions;
        if nx && (xx || gt || lt) {
            return Err(CommandError::ExpireNxAndOther);
        }
        if gt && lt {
            return Err(CommandError::ExpireGtAndLt);
        }
        Ok(conditions)
    }

    /// A key without an expiry lives for ever: nothing is later, everything is earlier.
    fn allow(&self, current: Option<u64>, new: i64) -> bool {
        let current = current.map(|at| at as i64);
        !(self.nx && current.is_some()
            || self.xx && current.is_none()
            || self.gt && current.is_none_or(|current| new <= current)
            || self.lt && current.is_some_and(|current| new >= current))
    }
}

/// PERSIST key
fn persist(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let key = cx.key(args, 1);
    let volatile = cx.keys.find_for_write(&key).is_some_and(|entry| entry.expiry().is_some());
    if volatile {
        cx.keys.set_expiry(&key, None);
        cx.changed(1);
    }
    reply.integer(volatile.into());
    Ok(())
}

/// TTL key: seconds left, rounded; -1 without an expiry, -2 without the key.
fn ttl(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    tell_expiry(cx, args, reply, |at, now_ms| (at.saturating_sub(now_ms) + 500) / 1000)
}

/// PTTL key: milliseconds left.
fn pttl(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    tell_expiry(cx, args, reply, |at, now_ms| at.saturating_sub(now_ms))
}

/// EXPIRETIME key: unix seconds, rounded.
fn expiretime(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    tell_expiry(cx, args, reply, |at, _| (at + 500) / 1000)
}

/// PEXPIRETIME key: unix milliseconds.
fn pexpiretime(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    tell_expiry(cx, args, reply, |at, _| at)
}

fn tell_expiry(cx: &mut Exec, args: Args, reply: &mut Reply, tell: fn(u64, u64) -> u64) -> Outcome {
    let key = cx.key(args, 1);
    let now_ms = cx.now.unix_ms();
    reply.integer(match cx.look(&key).map(|entry| entry.expiry()) {
        None => -2,
        Some(None) => -1,
        Some(Some(at)) => tell(at, now_ms) as i64,
    });
    Ok(())
}

#[cfg(test)]
mod tests;
