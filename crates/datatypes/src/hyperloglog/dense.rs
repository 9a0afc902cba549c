//! Dense registers: 16384 numbers of six bits, one after the other, each from the low bits of its byte
//! upwards.
//!
//! ```text
//!     byte       0          1          2
//!            [11000000] [22221111] [33333322]     four registers in three bytes
//! ```
//!
//! The body begins behind the header; the functions that patch a value take the whole string.

use super::{Histogram, Registers, HEADER, REGISTERS};

/// Bytes of all registers.
pub(super) const LEN: usize = REGISTERS * 6 / 8;
const MAX: u8 = 63;

/// A few bytes to be written into a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patch {
    /// Where they go in the string.
    pub at: usize,
    bytes: [u8; 2],
    len: usize,
}

impl Patch {
    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// What must be written into a dense value so that a register has this number; `None` if it has it, or a
/// greater one.
pub fn raise(value: &[u8], register: usize, number: u8) -> Option<Patch> {
    let bit = register * 6;
    let (at, shift) = (HEADER + bit / 8, bit % 8);
    // Only where it begins near the end of its byte does it reach into the next.
    let len = if shift > 2 { 2 } else { 1 };
    let mut bytes = [0; 2];
    bytes[..len].copy_from_slice(&value[at..at + len]);
    let both = u16::from_le_bytes(bytes);
    if number <= (both >> shift) as u8 & MAX {
        return None;
    }
    let both = both & !(u16::from(MAX) << shift) | u16::from(number) << shift;
    Some(Patch { at, bytes: both.to_le_bytes(), len })
}

/// Writes all registers.
pub(super) fn write(body: &mut [u8], registers: &Registers) {
    let (fours, _) = registers.as_chunks::<4>();
    let (threes, _) = body.as_chunks_mut::<3>();
    for (three, four) in threes.iter_mut().zip(fours) {
        let [a, b, c, d] = four.map(|register| u32::from(register & MAX));
        let bytes = (a | b << 6 | c << 12 | d << 18).to_le_bytes();
        three.copy_from_slice(&bytes[..3]);
    }
}

pub(super) fn merge_into(body: &[u8], registers: &mut Registers) {
    let (fours, _) = registers.as_chunks_mut::<4>();
    for (into, four) in fours.iter_mut().zip(fours_of(body)) {
        for (register, number) in into.iter_mut().zip(four) {
            *register = (*register).max(number);
        }
    }
}

pub(super) fn histogram(body: &[u8], histogram: &mut Histogram) {
    tally(fours_of(body), histogram);
}

/// Counts how often each number occurs.
pub(super) fn tally(fours: impl Iterator<Item = [u8; 4]>, histogram: &mut Histogram) {
    // Four tables, because of equal numbers one after the other each would wait for the one before.
    let mut tables = [[0u32; 64]; 4];
    for four in fours {
        for (table, number) in tables.iter_mut().zip(four) {
            table[usize::from(number & MAX)] += 1;
        }
    }
    for table in &tables {
        histogram.iter_mut().zip(table).for_each(|(all, count)| *all += count);
    }
}

fn fours_of(body: &[u8]) -> impl Iterator<Item = [u8; 4]> + '_ {
    body.as_chunks::<3>().0.iter().map(|[a, b, c]| {
        let bits = u32::from_le_bytes([*a, *b, *c, 0]);
        [0, 6, 12, 18].map(|shift| (bits >> shift) as u8 & MAX)
    })
}
