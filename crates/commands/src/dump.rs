//! DUMP and RESTORE: values as bytes, between servers.
//!
//! The bytes are `persistence`'s: those of Redis, both ways. Here is what surrounds them: options, expiry,
//! access clock, and what the log gets.
//!
//! 1. A payload is decoded before anything is removed: one that is refused changes nothing, REPLACE or not.
//! 2. What is logged expires at an absolute time (ABSTTL). A value whose time is over by now is not stored;
//!    where it would have replaced a key, that key's removal is logged instead.
//! 3. Where keys do not expire by themselves (a log is being read), neither does what is restored.

pub(crate) mod value;

use crate::table::{at, Categories, Command, Flags, KeySpec};
use crate::{CommandError, Exec};
use config::MaxmemoryPolicy;
use keyspace::{AccessClock, OwnedRecord};
use resp::{parse_integer, Args, Reply};
use std::sync::Arc;

type Outcome<T = ()> = Result<T, CommandError>;

pub const TABLE: &[Command] = &[
    Command::new("dump", dump)
        .arity(2)
        .keys(&[at(1, &["RO", "access"])])
        .flags(&[Flags::READONLY])
        .acl(Categories::KEYSPACE)
        .tips(&["nondeterministic_output"]),
    restoring("restore"),
    // What MIGRATE sends to a node that imports the slot.
    restoring("restore-asking").flags(&[Flags::ASKING]),
];

const TARGET: &[KeySpec] = &[at(1, &["OW", "update"])];

const fn restoring(name: &'static str) -> Command {
    Command::new(name, restore)
        .arity(-4)
        .keys(TARGET)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .acl(Categories::KEYSPACE.or(Categories::DANGEROUS))
}

/// DUMP key
fn dump(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let key = cx.key(args, 1);
    let Some(entry) = cx.keys.find(&key) else {
        reply.null();
        return Ok(());
    };
    let mut payload = Vec::new();
    persistence::dump(value::to_write(entry.value()), &mut payload);
    reply.bulk_shared(&Arc::new(payload));
    Ok(())
}

/// RESTORE and RESTORE-ASKING key ttl payload [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]
fn restore(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let options = Options::read(args)?;
    let key = cx.key(args, 1);
    let taken = cx.keys.find_for_write(&key).is_some();
    if taken && !options.replace {
        return Err(CommandError::busy_key());
    }
    let ttl = parse_integer(args.get(2)).ok_or(CommandError::NotInteger)?;
    if ttl < 0 {
        return Err(CommandError::negative_ttl());
    }
    let limits = value::limits(cx.limits, cx.config);
    let value = persistence::restore(args.get(3), &limits).map_err(CommandError::bad_payload)?;

    let now_ms = cx.now.unix_ms() as i64;
    // A sum that leaves the 64 bits is a time long ago, as in Redis.
    let expiry = match ttl {
        0 => None,
        at if options.absolute => Some(at),
        ttl => Some(ttl.wrapping_add(now_ms)),
    };
    if expiry.is_some_and(|at| at <= now_ms) && !cx.keys.shows_expired() {
        if taken {
            cx.keys.remove(&key);
            cx.changed(1);
            let word: &[u8] = if cx.config.lazyfree_lazy_server_del() { b"UNLINK" } else { b"DEL" };
            cx.log(&[word, key.bytes]);
        }
        reply.ok();
        return Ok(());
    }

    let expiry = expiry.map(|at| u64::try_from(at).unwrap_or(0));
    let record = OwnedRecord { value: value::to_store(value), expiry, clock: options.clock(cx) };
    cx.keys.put(&key, record);
    cx.changed(1);
    if let Some(at) = expiry.filter(|_| !options.absolute) {
        let at = resp::format_integer(at as i64);
        let mut words: Vec<&[u8]> = args.iter().collect();
        words[2] = &at;
        words.push(b"ABSTTL");
        cx.log(&words);
    }
    reply.ok();
    Ok(())
}

/// What RESTORE is told besides key, time and payload.
#[derive(Default)]
struct Options {
    replace: bool,
    absolute: bool,
    idle_s: Option<i64>,
    frequency: Option<u8>,
}

impl Options {
    fn read(args: Args<'_>) -> Outcome<Options> {
        let mut options = Options::default();
        let mut i = 4;
        while let Some(word) = args.try_get(i) {
            let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
            let number = args.try_get(i + 1);
            i += 1;
            match number {
                _ if is(b"replace") => options.replace = true,
                _ if is(b"absttl") => options.absolute = true,
                // Of the two only one can be meant; the same one twice is no mistake.
                Some(number) if is(b"idletime") && options.frequency.is_none() => {
                    let seconds = parse_integer(number).ok_or(CommandError::NotInteger)?;
                    if seconds < 0 {
                        return Err(CommandError::negative_idletime());
                    }
                    options.idle_s = Some(seconds);
                    i += 1;
                }
                Some(number) if is(b"freq") && options.idle_s.is_none() => {
                    let frequency = parse_integer(number).ok_or(CommandError::NotInteger)?;
                    let frequency = u8::try_from(frequency).map_err(|_| CommandError::bad_frequency())?;
                    options.frequency = Some(frequency);
                    i += 1;
                }
                _ => return Err(CommandError::Syntax),
            }
        }
        Ok(options)
    }

    /// The access clock that the options ask for; what the policy in force has no use for is ignored.
    fn clock(&self, cx: &Exec) -> AccessClock {
        /// The greatest number of seconds that a clock holds.
        const MOST: i64 = 0xFF_FFFF;
        let now_ms = cx.now.unix_ms();
        let is_lfu = matches!(
            cx.config.maxmemory_policy(),
            MaxmemoryPolicy::AllkeysLfu | MaxmemoryPolicy::VolatileLfu
        );
        let now = AccessClock::lru(now_ms);
        if is_lfu {
            let new = AccessClock::lfu(now_ms);
            return match self.frequency {
                Some(frequency) => AccessClock::new(new.get() & !0xFF | u32::from(frequency)),
                None => new,
            };
        }
        let Some(idle_s) = self.idle_s else { return now };
        // Below zero the clock comes out at its other end; what lies further back than a round loses its
        // upper bits, as in Redis.
        let at = i64::from(now.get()).wrapping_sub(idle_s);
        let at = if at < 0 { at.wrapping_add(MOST) } else { at };
        AccessClock::new(at as u32)
    }
}

#[cfg(test)]
mod tests;
