//! Payloads of DUMP and RESTORE: a value with its kind in front and a footer ([`dump`](crate::dump)) behind.
//!
//! [`dump()`] and [`restore`] do it at once; [`Dump`] and [`Restore`] in steps, for values that would stop a
//! core for too long. The steps of both are linear in what they read or write.
//!
//! 1. A payload is checked whole before any of it is read, so that a client hears of a wrong checksum
//!    rather than of what a wrong byte led to.
//! 2. What follows a value and precedes the footer is ignored, as Redis does.

use crate::crc64::Checksum;
use crate::dump::{self, COMMON_VERSION};
use crate::encode::Encoder;
use crate::read::Reader;
use crate::value::{kind, Value, ValueRef};
use crate::{Corrupt, Decoder, Limits};

/// Appends the payload of a value, for Redis 7.0 and later where the value allows it.
pub fn dump(value: ValueRef<'_>, into: &mut Vec<u8>) {
    let done = Dump::new(COMMON_VERSION).step(value, usize::MAX, into);
    assert!(done, "no value is larger than memory");
}

/// The value of a payload.
pub fn restore(payload: &[u8], limits: &Limits) -> Result<Value, Corrupt> {
    let value = Restore::new().step(payload, limits, usize::MAX)?;
    Ok(value.expect("no payload is larger than memory"))
}

/// A payload that is being written.
pub struct Dump {
    encoder: Encoder,
    begun: bool,
    checksum: Option<Checksum>,
}

impl Dump {
    /// For a receiver that reads payloads of this version: 10 is Redis 7.0, 11 is 7.2.
    pub fn new(version: u16) -> Dump {
        Dump { encoder: Encoder::new(version), begun: false, checksum: Some(Checksum::new()) }
    }

    /// Appends about so many bytes; whether that was the rest. The value must be the same at each step.
    pub fn step(&mut self, value: ValueRef<'_>, budget: usize, into: &mut Vec<u8>) -> bool {
        let Some(checksum) = &mut self.checksum else { return true };
        let from = into.len();
        let kind = self.encoder.kind(value);
        if !self.begun {
            into.push(kind);
            self.begun = true;
        }
        let done = self.encoder.step(value, budget, into);
        if done {
            into.extend_from_slice(&version_of(kind).to_le_bytes());
        }
        checksum.update(&into[from..]);
        if done {
            let checksum = self.checksum.take().map_or(0, Checksum::finish);
            into.extend_from_slice(&checksum.to_le_bytes());
        }
        done
    }
}

/// The lowest version whose readers know this kind, but at least the common one.
fn version_of(kind: u8) -> u16 {
    match kind {
        kind::SET_LISTPACK | kind::STREAM_3 => 11,
        kind::HASH_EXPIRING | kind::HASH_EXPIRING_LISTPACK => 12,
        _ => COMMON_VERSION,
    }
}

/// A payload that is being read.
pub struct Restore {
    phase: Phase,
}

enum Phase {
    Check { checksum: Option<Checksum>, at: usize },
    Read { decoder: Decoder, at: usize },
}

impl Restore {
    /// From the beginning.
    pub fn new() -> Restore {
        Restore { phase: Phase::Check { checksum: Some(Checksum::new()), at: 0 } }
    }

    /// Reads for about so many bytes; the value, if that was all of it. The payload must be the same at each step.
    pub fn step(&mut self, payload: &[u8], limits: &Limits, budget: usize) -> Result<Option<Value>, Corrupt> {
        let mut budget = budget;
        if let Phase::Check { checksum, at } = &mut self.phase {
            let (body, summed, expected) = dump::parts(payload)?;
            let until = summed.len().min(at.saturating_add(budget.max(1)));
            if let Some(checksum) = checksum {
                checksum.update(&summed[*at..until]);
            }
            budget -= (until - *at).min(budget);
            *at = until;
            if until < summed.len() {
                return Ok(None);
            }
            if checksum.take().map(Checksum::finish) != Some(expected) {
                return Err(Corrupt::Checksum);
            }
            let &kind = body.first().ok_or(Corrupt::Truncated)?;
            self.phase = Phase::Read { decoder: Decoder::new(kind), at: 1 };
        }
        let Phase::Read { decoder, at } = &mut self.phase else { unreachable!("the check is done") };
        let (body, ..) = dump::parts(payload)?;
        let mut input = Reader::new(body, limits.string_bytes);
        input.set_position(*at);
        let value = decoder.step(&mut input, limits, budget);
        *at = input.position();
        value
    }
}

impl Default for Restore {
    fn default() -> Restore {
        Restore::new()
    }
}
