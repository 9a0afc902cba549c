//! Two things at once: HGETDEL reads and removes fields, HGETEX reads them and changes when they go, HSETEX sets
//! them and when they go.
//!
//! They are built from the documentation of Redis 8 and Valkey 9; see `expire.rs`.
//!
//! ```text
//!     HGETEX key [EX s | PX ms | EXAT s | PXAT ms | PERSIST] FIELDS numfields field [field ...]
//!     HSETEX key [FNX | FXX] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL] FIELDS numfields field value [...]
//! ```
//!
//! 1. They are logged in words that older servers know, but for the expiry of fields itself: HDEL, HSET and
//!    HPEXPIREAT. Only KEEPTTL has no other words.
//! 2. A time that has passed removes the fields: of HSETEX, too, which then sets nothing.

use super::expire::{log_persisted, only_fields, read_fields, time};
use super::{bury, field_time, log_buried, log_expiry, log_fields, say_or_null, Outcome};
use crate::{CommandError, Exec};
use datatypes::hash::{Condition, Hash, HashRef, SetExpiry};
use resp::{Args, Reply};

/// HGETDEL key FIELDS numfields field [field ...]
pub(super) fn hgetdel(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let fields = only_fields(args)?;
    let (key, now) = (cx.key(args, 1), field_time(cx));
    let mut hash = cx.keys.edit::<Hash>(&key)?;
    let mut gone: Vec<&[u8]> = Vec::new();
    reply.array(fields.len());
    for field in fields.iter() {
        let value = hash.as_ref().get(field, now);
        say_or_null(reply, value);
        if value.is_some() {
            hash.remove(field, now);
            gone.push(field);
        }
    }
    drop(hash);
    log_removed(cx, key.bytes, &gone);
    Ok(())
}

/// HGETEX key [EX s | PX ms | EXAT s | PXAT ms | PERSIST] FIELDS numfields field [field ...]
pub(super) fn hgetex(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let options = Options::read(args, Kind::Get, cx.now.unix_ms())?;
    let fields = read_fields(args, options.fields_at, 1)?;
    let (key, now) = (cx.key(args, 1), field_time(cx));
    let hash = cx.keys.read::<HashRef>(&key)?;
    reply.array(fields.len());
    for field in fields.iter() {
        say_or_null(reply, hash.and_then(|hash| hash.get(field, now)));
    }
    if options.life == Life::Unsaid || hash.is_none() {
        return Ok(());
    }
    let mut hash = cx.keys.edit::<Hash>(&key)?;
    let mut met: Vec<&[u8]> = Vec::new();
    for field in fields.iter() {
        let Some(old) = hash.as_ref().expiry(field, now) else { continue };
        match options.life {
            Life::At(at_ms) => {
                hash.set_expiry(field, at_ms, Condition::Always, now);
            }
            _ if old.is_none() => continue,
            _ => {
                hash.persist(field, now);
            }
        }
        met.push(field);
    }
    drop(hash);
    match options.life {
        Life::At(at_ms) if at_ms <= now => log_removed(cx, key.bytes, &met),
        Life::At(at_ms) => {
            cx.changed(met.len() as u64);
            if !met.is_empty() {
                log_expiry(cx, key.bytes, at_ms, &met);
            }
        }
        _ => log_persisted(cx, key.bytes, &met),
    }
    Ok(())
}

/// HSETEX key [FNX | FXX] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL] FIELDS numfields field value [...]: whether
/// the fields were set.
pub(super) fn hsetex(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let options = Options::read(args, Kind::Set, cx.now.unix_ms())?;
    let words = read_fields(args, options.fields_at, 2)?;
    let fields = || words.iter().step_by(2);
    let (key, now, limits) = (cx.key(args, 1), field_time(cx), &cx.limits.hash);
    let mut hash = cx.keys.edit::<Hash>(&key)?;
    let is_there = |field: &[u8]| hash.as_ref().contains(field, now);
    let is_met = match options.wanted {
        None => true,
        Some(Wanted::Missing) => !fields().any(is_there),
        Some(Wanted::There) => fields().all(is_there),
    };
    if !is_met {
        reply.integer(0);
        return Ok(());
    }
    reply.integer(1);
    if let Life::At(at_ms) = options.life {
        if at_ms <= now {
            let mut gone: Vec<&[u8]> = Vec::new();
            for field in fields() {
                // One that is expired already goes with them.
                if hash.as_ref().contains(field, 0) {
                    hash.remove(field, now);
                    gone.push(field);
                }
            }
            drop(hash);
            log_removed(cx, key.bytes, &gone);
            return Ok(());
        }
    }
    let expiry = match options.life {
        Life::At(at_ms) => SetExpiry::At(at_ms),
        Life::Keep => SetExpiry::Keep,
        Life::Unsaid | Life::Persist => SetExpiry::End,
    };
    let mut buried: Vec<&[u8]> = Vec::new();
    hash.expect((0..words.len()).map(|i| words.get(i)), limits);
    for i in (0..words.len()).step_by(2) {
        if expiry == SetExpiry::Keep && bury(&mut hash, words.get(i), now) {
            buried.push(words.get(i));
        }
        hash.set(words.get(i), words.get(i + 1), expiry, now, limits);
    }
    drop(hash);
    cx.changed(words.len() as u64 / 2);
    if expiry == SetExpiry::Keep {
        if !buried.is_empty() {
            log_buried(cx, args, &buried);
        }
        return Ok(());
    }
    if cx.effects.wanted {
        let words: Vec<&[u8]> = words.iter().collect();
        log_fields(cx, &[b"HSET", key.bytes], &words);
        if let Life::At(at_ms) = options.life {
            log_expiry(cx, key.bytes, at_ms, &fields().collect::<Vec<_>>());
        }
    }
    Ok(())
}

fn log_removed(cx: &mut Exec, key: &[u8], fields: &[&[u8]]) {
    cx.changed(fields.len() as u64);
    if !fields.is_empty() {
        log_fields(cx, &[b"HDEL", key], fields);
    }
}

/// Whose options are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Get,
    Set,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Get => "hgetex",
            Kind::Set => "hsetex",
        }
    }
}

/// What is said about when the fields go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Life {
    Unsaid,
    /// Unix ms.
    At(u64),
    Persist,
    Keep,
}

/// FNX and FXX, which look at all fields.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Missing,
    There,
}

/// What stands between the key and FIELDS.
struct Options {
    life: Life,
    wanted: Option<Wanted>,
    /// Where FIELDS stands.
    fields_at: usize,
}

impl Options {
    /// Of each kind of option there may be one.
    fn read(args: Args, kind: Kind, now_ms: u64) -> Result<Options, CommandError> {
        let (mut life, mut wanted) = (Life::Unsaid, None);
        let mut i = 2;
        while let Some(word) = args.try_get(i) {
            let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
            if is(b"fields") {
                return Ok(Options { life, wanted, fields_at: i });
            }
            let condition = match () {
                () if kind == Kind::Set && is(b"fnx") => Some(Wanted::Missing),
                () if kind == Kind::Set && is(b"fxx") => Some(Wanted::There),
                () => None,
            };
            if condition.is_some() {
                if wanted.is_some() {
                    return Err(CommandError::Syntax);
                }
                wanted = condition;
                i += 1;
                continue;
            }
            let unit = match () {
                () if is(b"ex") => Some((1000, now_ms)),
                () if is(b"px") => Some((1, now_ms)),
                () if is(b"exat") => Some((1000, 0)),
                () if is(b"pxat") => Some((1, 0)),
                () => None,
            };
            let next = match unit {
                Some((unit_ms, since_ms)) => {
                    i += 1;
                    let number = args.try_get(i).ok_or(CommandError::Syntax)?;
                    Life::At(time(number, unit_ms, since_ms, kind.name())?)
                }
                None if kind == Kind::Get && is(b"persist") => Life::Persist,
                None if kind == Kind::Set && is(b"keepttl") => Life::Keep,
                None => return Err(CommandError::Syntax),
            };
            if life != Life::Unsaid {
                return Err(CommandError::Syntax);
            }
            life = next;
            i += 1;
        }
        Err(CommandError::Syntax)
    }
}
