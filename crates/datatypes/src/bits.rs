//! Strings as sequences of bits: counting, searching and combining them.
//!
//! Bit 0 is the highest bit of the first byte, so a bit's offset grows from left to right as the string is
//! written down:
//!
//! ```text
//!     byte      0          1
//!     bits   01234567   89......
//!          [ 10000001 ][ 01000000 ]     bits 0, 7 and 9 are set
//! ```
//!
//! 1. Ranges are half open, in bits, and lie inside of the string; [`span`] makes them of the two ends
//!    that clients give.
//! 2. A string may be as long as half a gigabyte, so what touches all of it works on many bytes at once.
//!    The loops are written such that the compiler makes vectors of them on any machine.
//!
//! Not here: numbers of several bits (`bitfield.rs`); the bits beyond the end, which read as zero, but for
//! [`get`].

use std::ops::Range;

/// The bit at an offset; beyond the end there are zeros.
pub fn get(bytes: &[u8], offset: u64) -> bool {
    let byte = usize::try_from(offset / 8).ok().and_then(|at| bytes.get(at));
    byte.is_some_and(|byte| byte & mask(offset) != 0)
}

/// A byte after the bit that `offset` means in it was changed.
pub fn with_bit(byte: u8, offset: u64, on: bool) -> u8 {
    if on {
        byte | mask(offset)
    } else {
        byte & !mask(offset)
    }
}

fn mask(offset: u64) -> u8 {
    0x80 >> (offset % 8)
}

/// The units that a client means by `start` and `end` (both included, negative ones from the end) where
/// there are `len`. What lies outside is cut off; ends in the wrong order give an empty range.
pub fn span(len: u64, start: i64, end: i64) -> Range<u64> {
    let from_start = |index: i64| match u64::try_from(index) {
        Ok(index) => index,
        Err(_) => len.saturating_sub(index.unsigned_abs()),
    };
    let (first, end) = (from_start(start), from_start(end).saturating_add(1).min(len));
    if first < end {
        first..end
    } else {
        0..0
    }
}

/// How many bits are set.
pub fn count(bytes: &[u8]) -> u64 {
    let (blocks, rest) = bytes.as_chunks::<BLOCK>();
    let (words, tail) = rest.as_chunks::<8>();
    let words: u64 = words.iter().map(|word| u64::from(u64::from_ne_bytes(*word).count_ones())).sum();
    let tail: u64 = tail.iter().map(|byte| u64::from(byte.count_ones())).sum();
    count_blocks(blocks) + words + tail
}

/// How many bits of a range are set.
pub fn count_range(bytes: &[u8], range: Range<u64>) -> u64 {
    let Some(edges) = Edges::of(&range) else { return 0 };
    let count_byte = |at: usize, mask: u8| u64::from((bytes[at] & mask).count_ones());
    if edges.first == edges.last {
        return count_byte(edges.first, edges.first_mask & edges.last_mask);
    }
    count_byte(edges.first, edges.first_mask)
        + count(&bytes[edges.first + 1..edges.last])
        + count_byte(edges.last, edges.last_mask)
}

/// The offset of the first bit of a range that is set, or that is clear.
pub fn position(bytes: &[u8], bit: bool, range: Range<u64>) -> Option<u64> {
    let edges = Edges::of(&range)?;
    // What is looked for becomes a one, and what lies outside of the range a zero.
    let flip = if bit { 0 } else { 0xFF };
    let look = |at: usize, mask: u8| {
        let found = (bytes[at] ^ flip) & mask;
        (found != 0).then(|| at as u64 * 8 + u64::from(found.leading_zeros()))
    };
    if edges.first == edges.last {
        return look(edges.first, edges.first_mask & edges.last_mask);
    }
    look(edges.first, edges.first_mask)
        .or_else(|| {
            let inner = &bytes[edges.first + 1..edges.last];
            let skipped = leading(inner, flip);
            (skipped < inner.len()).then(|| look(edges.first + 1 + skipped, 0xFF)).flatten()
        })
        .or_else(|| look(edges.last, edges.last_mask))
}

/// How many bytes at the front are this one.
fn leading(bytes: &[u8], byte: u8) -> usize {
    /// Enough for a few vectors at a time.
    const STEP: usize = 64;
    let (steps, _) = bytes.as_chunks::<STEP>();
    let differs = |step: &[u8; STEP]| step.iter().fold(0, |all, other| all | (other ^ byte)) != 0;
    let skipped = steps.iter().position(differs).unwrap_or(steps.len()) * STEP;
    skipped + bytes[skipped..].iter().position(|other| *other != byte).unwrap_or(bytes.len() - skipped)
}

/// The bytes in which a range of bits begins and ends, and which of their bits belong to it.
struct Edges {
    first: usize,
    first_mask: u8,
    last: usize,
    last_mask: u8,
}

impl Edges {
    fn of(range: &Range<u64>) -> Option<Edges> {
        (range.start < range.end).then(|| {
            let last = range.end - 1;
            Edges {
                first: (range.start / 8) as usize,
                first_mask: 0xFF >> (range.start % 8),
                last: (last / 8) as usize,
                last_mask: 0xFF << (7 - last % 8),
            }
        })
    }
}

/// What BITOP does with the bits of several strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Set in all.
    And,
    /// Set in any.
    Or,
    /// Set in an odd number of them.
    Xor,
    /// Not set in the only one.
    Not,
}

/// The bits of several strings combined; the shorter ones are followed by zeros up to the length of the
/// longest.
pub fn combine(operation: Operation, sources: &[&[u8]]) -> Vec<u8> {
    /// Small enough for the nearest cache, so that the result is written to memory once.
    const PART: usize = 8 * 1024;
    let len = sources.iter().map(|source| source.len()).max().unwrap_or(0);
    // Zeros from the system cost nothing before they are touched.
    let mut result = vec![0; len];
    for (n, part) in result.chunks_mut(PART).enumerate() {
        let at = n * PART;
        for (i, source) in sources.iter().enumerate() {
            let rest = source.get(at..).unwrap_or_default();
            let source = &rest[..rest.len().min(part.len())];
            let (both, beyond) = part.split_at_mut(source.len());
            if i == 0 {
                both.copy_from_slice(source);
                continue;
            }
            let pairs = both.iter_mut().zip(source);
            match operation {
                Operation::And => {
                    pairs.for_each(|(a, b)| *a &= b);
                    beyond.fill(0);
                }
                Operation::Or => pairs.for_each(|(a, b)| *a |= b),
                Operation::Xor => pairs.for_each(|(a, b)| *a ^= b),
                Operation::Not => {}
            }
        }
        if operation == Operation::Not {
            part.iter_mut().for_each(|byte| *byte = !*byte);
        }
    }
    result
}

/// Words that are counted side by side.
const LANES: usize = 4;
/// Bytes of eight times as many words.
const BLOCK: usize = 8 * 8 * LANES;

type Lanes = [u64; LANES];

/// Counts without looking at each word: eight words are first added bit by bit, as a column of eight digits
/// is, into words that hold the ones, twos, fours and eights of each column (Harley and Seal's method).
/// Only the eights are counted each time.
fn count_blocks(blocks: &[[u8; BLOCK]]) -> u64 {
    let (mut ones, mut twos, mut fours) = ([0; LANES], [0; LANES], [0; LANES]);
    let mut eights = 0;
    for block in blocks {
        let (words, _) = block.as_chunks::<{ 8 * LANES }>();
        let word = |n: usize| load(&words[n]);
        let carry_a = add(&mut ones, word(0), word(1));
        let carry_b = add(&mut ones, word(2), word(3));
        let fours_a = add(&mut twos, carry_a, carry_b);
        let carry_a = add(&mut ones, word(4), word(5));
        let carry_b = add(&mut ones, word(6), word(7));
        let fours_b = add(&mut twos, carry_a, carry_b);
        eights += ones_of(add(&mut fours, fours_a, fours_b));
    }
    8 * eights + 4 * ones_of(fours) + 2 * ones_of(twos) + ones_of(ones)
}

/// Adds two digits to a third, column by column; returns the carries.
#[inline(always)]
fn add(digit: &mut Lanes, a: Lanes, b: Lanes) -> Lanes {
    let mut carry = [0; LANES];
    for lane in 0..LANES {
        let either = digit[lane] ^ a[lane];
        carry[lane] = (digit[lane] & a[lane]) | (either & b[lane]);
        digit[lane] = either ^ b[lane];
    }
    carry
}

#[inline(always)]
fn load(bytes: &[u8; 8 * LANES]) -> Lanes {
    let (words, _) = bytes.as_chunks::<8>();
    std::array::from_fn(|lane| u64::from_ne_bytes(words[lane]))
}

#[inline(always)]
fn ones_of(lanes: Lanes) -> u64 {
    lanes.iter().map(|word| u64::from(word.count_ones())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bits_of(bytes: &[u8]) -> Vec<bool> {
        (0..bytes.len() as u64 * 8).map(|at| get(bytes, at)).collect()
    }

    #[test]
    fn bits_are_numbered_from_the_left() {
        let bytes = [0x81, 0x40];
        let set: Vec<u64> = (0..40).filter(|at| get(&bytes, *at)).collect();
        assert_eq!(set, [0, 7, 9]);
        assert!(!get(&bytes, u64::MAX));
        assert_eq!(with_bit(0, 0, true), 0x80);
        assert_eq!(with_bit(0xFF, 15, false), 0xFE);
    }

    #[test]
    fn ends_are_cut_off() {
        for (len, start, end, range) in [
            (10, 0, -1, 0..10),
            (10, 2, 4, 2..5),
            (10, -3, -1, 7..10),
            (10, -100, 100, 0..10),
            (10, 5, 4, 0..0),
            (10, 10, 20, 0..0),
            (10, 0, -100, 0..1),
            (10, i64::MIN, i64::MAX, 0..10),
            (10, i64::MAX, i64::MIN, 0..0),
            (0, 0, -1, 0..0),
            (0, 0, 0, 0..0),
        ] {
            assert_eq!(span(len, start, end), range, "{len} {start} {end}");
        }
    }

    #[test]
    fn nothing_is_the_combination_of_nothing() {
        for operation in [Operation::And, Operation::Or, Operation::Xor, Operation::Not] {
            assert_eq!(combine(operation, &[b"", b""]), b"");
        }
        assert_eq!(combine(Operation::Not, &[b"\x0F\xFF"]), b"\xF0\x00");
        // A source that is not there is a run of zeros, first or last.
        assert_eq!(combine(Operation::And, &[b"", b"ab"]), b"\0\0");
        assert_eq!(combine(Operation::And, &[b"ab", b""]), b"\0\0");
        assert_eq!(combine(Operation::Or, &[b"", b"ab"]), b"ab");
    }

    fn strings() -> impl Strategy<Value = Vec<u8>> {
        // Long runs of one byte, so that whole blocks are skipped.
        let part = (any::<u8>(), prop_oneof![Just(1usize), 1usize..9, 200usize..700]);
        proptest::collection::vec(part, 0..6)
            .prop_map(|parts| parts.iter().flat_map(|(byte, n)| vec![*byte; *n]).collect())
    }

    proptest! {
        #[test]
        fn counts_and_positions_agree_with_a_look_at_each_bit(bytes in strings(), a: u16, b: u16, plain: bool) {
            let bytes: Vec<u8> = match plain {
                true => bytes.iter().map(|byte| if *byte > 200 { 0xFF } else if *byte > 3 { 0 } else { *byte }).collect(),
                false => bytes,
            };
            let bits = bits_of(&bytes);
            prop_assert_eq!(count(&bytes), bits.iter().filter(|bit| **bit).count() as u64);
            let at = |n: u16| if bits.is_empty() { 0 } else { usize::from(n) % (bits.len() + 1) };
            let (start, end) = (at(a).min(at(b)), at(a).max(at(b)));
            let range = start as u64..end as u64;
            let part = &bits[start..end];
            prop_assert_eq!(count_range(&bytes, range.clone()), part.iter().filter(|bit| **bit).count() as u64);
            for bit in [false, true] {
                let first = part.iter().position(|other| *other == bit).map(|n| (start + n) as u64);
                prop_assert_eq!(position(&bytes, bit, range.clone()), first);
            }
        }

        #[test]
        fn combinations_agree_byte_by_byte(
            mut sources in proptest::collection::vec(strings(), 1..5),
            long in 0usize..20_000,
        ) {
            let long = long.max(sources[0].len());
            sources[0].resize(long, 0x5A);
            let refs: Vec<&[u8]> = sources.iter().map(Vec::as_slice).collect();
            let len = refs.iter().map(|source| source.len()).max().unwrap();
            let byte = |source: &[u8], at: usize| source.get(at).copied().unwrap_or(0);
            type Fold = fn(u8, u8) -> u8;
            let folds: [(Operation, Fold); 3] = [
                (Operation::And, |a, b| a & b),
                (Operation::Or, |a, b| a | b),
                (Operation::Xor, |a, b| a ^ b),
            ];
            for (operation, fold) in folds {
                let naive: Vec<u8> = (0..len)
                    .map(|at| refs.iter().map(|source| byte(source, at)).reduce(fold).unwrap())
                    .collect();
                prop_assert_eq!(combine(operation, &refs), naive);
            }
            let not: Vec<u8> = refs[0].iter().map(|byte| !byte).collect();
            prop_assert_eq!(combine(Operation::Not, &refs[..1]), not);
        }
    }
}
