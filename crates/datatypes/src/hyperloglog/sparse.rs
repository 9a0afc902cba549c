//! Sparse registers: runs of equal numbers.
//!
//! ```text
//!     00nnnnnn            ZERO    n + 1 registers are zero                  (1..=64)
//!     01nnnnnn nnnnnnnn   XZERO   n + 1 registers are zero, high bits first (1..=16384)
//!     1vvvvvnn            VAL     n + 1 registers (1..=4) hold v + 1        (1..=32)
//! ```
//!
//! To raise a register is to split its run in up to three, and then to merge equal neighbours:
//!
//! ```text
//!     XZERO:16384  --register 100 to 3-->  XZERO:100  VAL:3,1  XZERO:16283
//!                  --register 101 to 3-->  XZERO:100  VAL:3,1  VAL:3,1  XZERO:16282
//!                                   merge  XZERO:100  VAL:3,2  XZERO:16282
//! ```
//!
//! 1. Which run a register ends up in depends on history: Redis merges only values, never zeros, only
//!    where it has just written, and only within five runs. The same is done here, for the bytes are part
//!    of the contract (`hyperloglog.rs`, rule 1).
//! 2. A value that needs more than 32, or more bytes than allowed, must become dense; so it is judged
//!    before anything is written.
//! 3. Runs must cover exactly the registers. (Redis before its fix of CVE-2025-32023 forgave some that cover
//!    more.) An XZERO cut off by the end has a zero for its second byte.

use super::{Corrupted, Histogram, Registers, HEADER, REGISTERS};
use std::fmt::Write;

const LONGEST_ZERO: usize = 64;
const GREATEST_VALUE: u8 = 32;
const LONGEST_VALUE: usize = 4;
/// How many runs are looked at for a merge.
const MERGE_LOOKS: usize = 5;

/// A run: how many registers, what they hold (0 for zeros), and in how many bytes it is written.
#[derive(Clone, Copy)]
struct Run {
    len: usize,
    value: u8,
    bytes: usize,
}

impl Run {
    /// The run that is written at `at`, which is inside of the runs.
    fn at(runs: &[u8], at: usize) -> Run {
        let byte = runs[at];
        match byte >> 6 {
            0 => Run { len: usize::from(byte) + 1, value: 0, bytes: 1 },
            1 => {
                let low = runs.get(at + 1).copied().unwrap_or(0);
                Run { len: (usize::from(byte & 0x3F) << 8 | usize::from(low)) + 1, value: 0, bytes: 2 }
            }
            _ => Run { len: usize::from(byte & 3) + 1, value: (byte >> 2 & 0x1F) + 1, bytes: 1 },
        }
    }
}

/// The runs in order.
fn runs(body: &[u8]) -> impl Iterator<Item = Run> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let run = (at < body.len()).then(|| Run::at(body, at))?;
        at += run.bytes;
        Some(run)
    })
}

/// Appends a run of zeros.
pub(super) fn push_zeros(into: &mut Vec<u8>, len: usize) {
    if len > LONGEST_ZERO {
        let n = (len - 1) as u16;
        into.extend_from_slice(&(n | 0x4000).to_be_bytes());
    } else if len > 0 {
        into.push(len as u8 - 1);
    }
}

fn push_value(into: &mut Vec<u8>, value: u8, len: usize) {
    if len > 0 {
        into.push(0x80 | (value - 1) << 2 | (len as u8 - 1));
    }
}

pub(super) fn histogram(body: &[u8], histogram: &mut Histogram) -> Result<(), Corrupted> {
    let mut covered = 0;
    for run in runs(body) {
        covered += run.len;
        if covered > REGISTERS {
            return Err(Corrupted);
        }
        histogram[usize::from(run.value)] += run.len as u32;
    }
    whole(covered)
}

pub(super) fn merge_into(body: &[u8], registers: &mut Registers) -> Result<(), Corrupted> {
    let mut covered = 0;
    for run in runs(body) {
        let end = covered + run.len;
        let part = registers.get_mut(covered..end).ok_or(Corrupted)?;
        if run.value > 0 {
            part.iter_mut().for_each(|register| *register = (*register).max(run.value));
        }
        covered = end;
    }
    whole(covered)
}

fn whole(covered: usize) -> Result<(), Corrupted> {
    if covered == REGISTERS {
        Ok(())
    } else {
        Err(Corrupted)
    }
}

pub(super) fn decoded(body: &[u8]) -> String {
    let mut text = String::new();
    for run in runs(body) {
        let Run { len, value, bytes } = run;
        let _ = match (value, bytes) {
            (0, 1) => write!(text, "z:{len} "),
            (0, _) => write!(text, "Z:{len} "),
            _ => write!(text, "v:{value},{len} "),
        };
    }
    text.truncate(text.trim_end().len());
    text
}

/// Where to begin the search for a register that is above the last one: two runs before the one that was
/// found last. The nearer one may have been merged with it and hold the next register, too, and then the
/// run before that one must be known. Where there are not two runs behind us, at the first run of all.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cursor {
    at: usize,
    /// The first register of the run there.
    first: usize,
}

/// What came of an attempt to raise a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Raised {
    /// It holds as much already.
    No,
    /// It was raised.
    Yes,
    /// It can only be raised in a dense value; nothing has changed.
    NeedsDense,
}

/// Raises a register of a whole value to a number.
pub(super) fn raise(
    value: &mut Vec<u8>,
    register: usize,
    number: u8,
    max_bytes: usize,
    cursor: &mut Cursor,
) -> Result<Raised, Corrupted> {
    if number > GREATEST_VALUE {
        return Ok(Raised::NeedsDense);
    }
    // 1. The run of the register, and the two before it.
    let body = &value[HEADER..];
    let Cursor { mut at, mut first } = *cursor;
    let (mut before, mut before_that) = (Cursor::default(), Cursor::default());
    let run = loop {
        if at >= body.len() {
            return Err(Corrupted);
        }
        let run = Run::at(body, at);
        if register < first + run.len {
            break run;
        }
        before_that = before;
        before = Cursor { at, first };
        (at, first) = (at + run.bytes, first + run.len);
    };
    *cursor = before_that;
    if run.value >= number {
        return Ok(Raised::No);
    }
    // 2. What stands there afterwards: the part before the register, the register, the part behind it.
    let mut new = Vec::with_capacity(5);
    let push_rest = |new: &mut Vec<u8>, len| match run.value {
        0 => push_zeros(new, len),
        old => push_value(new, old, len),
    };
    push_rest(&mut new, register - first);
    push_value(&mut new, number, 1);
    push_rest(&mut new, first + run.len - 1 - register);
    if new.len() > run.bytes && value.len() + new.len() - run.bytes > max_bytes {
        return Ok(Raised::NeedsDense);
    }
    let start = HEADER + at;
    if start + run.bytes > value.len() {
        return Err(Corrupted);
    }
    value.splice(start..start + run.bytes, new);
    // 3. Equal neighbours from the run before.
    merge_values(value, HEADER + before.at);
    Ok(Raised::Yes)
}

/// Merges adjacent values that are equal and short enough, as far as Redis looks.
fn merge_values(value: &mut Vec<u8>, mut at: usize) {
    for _ in 0..MERGE_LOOKS {
        if at >= value.len() {
            return;
        }
        let run = Run::at(value, at);
        if run.value > 0 && at + 1 < value.len() {
            let next = Run::at(value, at + 1);
            let len = run.len + next.len;
            if next.value == run.value && len <= LONGEST_VALUE {
                value.remove(at);
                value[at] = 0x80 | (run.value - 1) << 2 | (len as u8 - 1);
                // The merged one may take in the next, too.
                continue;
            }
        }
        at += run.bytes;
    }
}
