//! LZF, the compression of strings inside RDB payloads.
//!
//! ```text
//!     000lllll  l+1 bytes              the bytes themselves, 1 to 32 of them
//!     lllooooo  oooooooo               l+2 bytes from o+1 bytes back, l from 1 to 6
//!     111ooooo  llllllll  oooooooo     l+9 bytes from o+1 bytes back
//! ```
//!
//! 1. Decompression never trusts: no byte is read beyond the input, copied from before the output or
//!    written beyond the announced length, and the lengths must agree exactly at the end.
//! 2. Nothing is allocated for an announced length that so many input bytes cannot give
//!    ([`MAX_RATIO`]).
//! 3. Compression makes the choices of the library in Redis (hash, table size, what is remembered, when
//!    it gives up), so that our payloads are, byte for byte, those of a Redis that compresses for
//!    the first time. (Redis does not clear its table, so that what it finds depends, in rare cases, on what
//!    it compressed before. Ours forgets.)
//!
//! Written here because the crate of that name is declared deprecated by its author, and allocates what
//! the input tells it to.

/// A compressed byte stands for no more than so many: 3 bytes give 264.
pub const MAX_RATIO: usize = 88;

/// The longest run of literal bytes.
const MAX_LITERALS: usize = 32;
/// How far back a reference reaches.
const MAX_DISTANCE: usize = 1 << 13;
/// The longest match.
const MAX_MATCH: usize = (1 << 8) + (1 << 3);
const HASH_BITS: u32 = 16;

/// Appends what `input` decompresses to, exactly `len` bytes; false if it does not, and then what was
/// appended is of no use.
pub fn decompress(input: &[u8], len: usize, into: &mut Vec<u8>) -> bool {
    if len.div_ceil(MAX_RATIO) > input.len() {
        return false;
    }
    let start = into.len();
    let end = start + len;
    into.reserve(len);
    let mut rest = input;
    while let Some((&control, after)) = rest.split_first() {
        rest = after;
        if control < 32 {
            let count = usize::from(control) + 1;
            if count > rest.len() || count > end - into.len() {
                return false;
            }
            let (literals, after) = rest.split_at(count);
            into.extend_from_slice(literals);
            rest = after;
            continue;
        }
        let mut count = usize::from(control >> 5) + 2;
        if count == 9 {
            let Some((&more, after)) = rest.split_first() else { return false };
            count += usize::from(more);
            rest = after;
        }
        let Some((&low, after)) = rest.split_first() else { return false };
        rest = after;
        let distance = (usize::from(control & 31) << 8 | usize::from(low)) + 1;
        if distance > into.len() - start || count > end - into.len() {
            return false;
        }
        let from = into.len() - distance;
        if distance >= count {
            into.extend_from_within(from..from + count);
        } else {
            // The copy overlaps itself: a pattern that repeats.
            for at in from..from + count {
                into.push(into[at]);
            }
        }
    }
    into.len() == end
}

/// Compresses; keeps its table between strings, since clearing it costs more than a short string.
#[derive(Default)]
pub struct Compressor {
    /// By hash of three bytes, where they were last seen: the position plus the string's base. Empty until
    /// needed.
    table: Vec<u32>,
    /// The next string's base. All entries are below, so that they are of strings before.
    next_base: u32,
}

impl Compressor {
    /// Without a table yet.
    pub fn new() -> Compressor {
        Compressor::default()
    }

    /// Replaces `into` by the compressed form of `input`; false if that would be longer than `limit`
    /// bytes, and then what is in `into` is of no use.
    pub fn compress(&mut self, input: &[u8], limit: usize, into: &mut Vec<u8>) -> bool {
        into.clear();
        if input.is_empty() || limit == 0 {
            return false;
        }
        let Some(base) = self.base_for(input.len()) else { return false };
        let table = &mut self.table[..];
        let mut note = |at: usize| -> u32 {
            let slot = &mut table[slot_of(input[at], input[at + 1], input[at + 2])];
            std::mem::replace(slot, base + at as u32)
        };

        // The control byte of a run is written before it is known, and taken back if the run is empty.
        into.push(0);
        let mut literals = 0;
        let mut at = 0;
        while at + 2 < input.len() {
            let seen = note(at);
            // The first position is never referred to: in Redis its place in the table means "none".
            let Some(found) = (seen > base)
                .then(|| (seen - base) as usize)
                .filter(|&found| at - found <= MAX_DISTANCE && input[found..found + 3] == input[at..at + 3])
            else {
                if into.len() >= limit {
                    return false;
                }
                into.push(input[at]);
                at += 1;
                literals += 1;
                close_full_run(into, &mut literals);
                continue;
            };
            if into.len() - usize::from(literals == 0) + 4 >= limit {
                return false;
            }
            close_run(into, literals);
            let count = match_length(input, found, at);
            let distance = at - found - 1;
            let high = (distance >> 8) as u8;
            if count < 9 {
                into.push(high | ((count - 2) as u8) << 5);
            } else {
                into.push(high | 7 << 5);
                into.push((count - 9) as u8);
            }
            into.push(distance as u8);
            into.push(0);
            literals = 0;
            at += count;
            if at + 2 >= input.len() {
                break;
            }
            // Of the matched positions only the last two are remembered.
            note(at - 2);
            note(at - 1);
        }
        if into.len() + 3 > limit {
            return false;
        }
        for &byte in &input[at..] {
            into.push(byte);
            literals += 1;
            close_full_run(into, &mut literals);
        }
        close_run(into, literals);
        true
    }

    /// A base for a string of this length, above every entry; none if there is no such length.
    fn base_for(&mut self, len: usize) -> Option<u32> {
        let len = u32::try_from(len).ok().filter(|&len| len < u32::MAX)?;
        if self.table.is_empty() {
            self.table = vec![0; 1 << HASH_BITS];
            self.next_base = 1;
        } else if self.next_base.checked_add(len).is_none() {
            self.table.fill(0);
            self.next_base = 1;
        }
        let base = self.next_base;
        self.next_base += len;
        Some(base)
    }
}

/// The place of three bytes in the table.
fn slot_of(a: u8, b: u8, c: u8) -> usize {
    let bytes = u32::from_be_bytes([0, a, b, c]);
    let hash = (bytes >> (24 - HASH_BITS)).wrapping_sub(bytes.wrapping_mul(5));
    (hash & ((1 << HASH_BITS) - 1)) as usize
}

/// How many bytes at `at` are taken from `found`, where three are known to match.
fn match_length(input: &[u8], found: usize, at: usize) -> usize {
    let longest = (input.len() - at - 2).min(MAX_MATCH);
    let matching = input[found..].iter().zip(&input[at..]).take_while(|(a, b)| a == b).count();
    // Redis's library compares the first 16 without counting, and so may take one or two bytes more than
    // `longest` in front of the end of the input.
    if longest <= 16 {
        matching.min(longest).max(3)
    } else if matching < 19 {
        matching
    } else {
        matching.min(longest).max(19)
    }
}

/// Ends a run of literals: writes its control byte, or takes that back.
fn close_run(into: &mut Vec<u8>, literals: usize) {
    if literals == 0 {
        into.pop();
    } else {
        let control = into.len() - literals - 1;
        into[control] = (literals - 1) as u8;
    }
}

/// Ends a run that is as long as runs can be, and begins the next.
fn close_full_run(into: &mut Vec<u8>, literals: &mut usize) {
    if *literals == MAX_LITERALS {
        close_run(into, *literals);
        into.push(0);
        *literals = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn compressed(input: &[u8]) -> Option<Vec<u8>> {
        let mut into = Vec::new();
        Compressor::new().compress(input, input.len().checked_sub(4)?, &mut into).then_some(into)
    }

    fn decompressed(input: &[u8], len: usize) -> Option<Vec<u8>> {
        let mut into = b"before".to_vec();
        decompress(input, len, &mut into).then(|| into.split_off(6))
    }

    #[test]
    fn it_chooses_as_redis_does() {
        let expected = [0x01, 0x61, 0x61, 0xe0, 0x2f, 0x00, 0x01, 0x61, 0x61];
        assert_eq!(compressed(&[b'a'; 60]).as_deref(), Some(&expected[..]));
        assert_eq!(decompressed(&expected, 60), Some(vec![b'a'; 60]));
    }

    #[test]
    fn what_does_not_shrink_stays() {
        assert_eq!(compressed(b""), None);
        assert_eq!(compressed(b"abcdefghijklmnopqrstuvwxyz"), None);
    }

    #[test]
    fn lengths_must_agree() {
        let form = compressed(&[b'a'; 60]).expect("it shrinks");
        for len in (0..200).filter(|&len| len != 60) {
            assert_eq!(decompressed(&form, len), None, "{len}");
        }
        for cut in 0..form.len() {
            assert_eq!(decompressed(&form[..cut], 60), None, "{cut}");
        }
    }

    #[test]
    fn nothing_is_copied_from_before_the_output() {
        assert_eq!(decompressed(&[0x00, b'a', 0x20, 0x00], 4), Some(b"aaaa".to_vec()));
        assert_eq!(decompressed(&[0x00, b'a', 0x20, 0x01], 4), None);
        assert_eq!(decompressed(&[0x20, 0x00], 3), None);
    }

    #[test]
    fn an_impossible_length_allocates_nothing() {
        let mut into = Vec::new();
        assert!(!decompress(&[0xff; 1000], 1 << 40, &mut into));
        assert_eq!(into.capacity(), 0);
    }

    #[test]
    fn a_reused_table_changes_nothing() {
        let mut kept = Compressor::new();
        let mut into = Vec::new();
        for seed in 0..200u32 {
            let input: Vec<u8> = (0..seed * 7).map(|i| (i * i * (seed + 3) / 16) as u8 & 15).collect();
            let shrinks = kept.compress(&input, input.len().saturating_sub(4), &mut into);
            assert_eq!(shrinks.then(|| into.clone()), compressed(&input));
        }
        // Where the positions would leave the type, the table is cleared.
        kept.next_base = u32::MAX - 100;
        let input = [b'x'; 500];
        assert!(kept.compress(&input, 400, &mut into));
        assert_eq!(Some(into), compressed(&input));
    }

    proptest! {
        #[test]
        fn what_shrinks_comes_back(
            pieces in prop::collection::vec((0..4u8, 1..400usize, any::<u64>()), 0..20),
        ) {
            let mut input = Vec::new();
            for (kind, len, seed) in pieces {
                match kind {
                    0 => input.extend((0..len).map(|_| seed as u8)),
                    1 => input.extend((0..len).map(|i| (seed >> (i % 8 * 8)) as u8)),
                    2 => input.extend((0..len).map(|i| (seed.wrapping_mul(i as u64 | 1) >> 40) as u8)),
                    _ => {
                        let from = seed as usize % (input.len() + 1);
                        let until = (from + len).min(input.len());
                        input.extend_from_within(from..until);
                    }
                }
            }
            if let Some(form) = compressed(&input) {
                prop_assert!(form.len() + 4 <= input.len());
                prop_assert!(form.len() * MAX_RATIO >= input.len());
                prop_assert_eq!(decompressed(&form, input.len()), Some(input));
            }
        }

        #[test]
        fn anything_is_read_or_refused(input in prop::collection::vec(any::<u8>(), 0..300), len in 0..2000usize) {
            if let Some(output) = decompressed(&input, len) {
                prop_assert_eq!(output.len(), len);
            }
        }
    }
}
