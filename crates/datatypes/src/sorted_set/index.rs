//! The scores of a large sorted set by member: a dict from member to score.
//!
//! A score takes as many bytes as it needs, and their number says how it is written: one, two or four for an
//! integer of that size, eight for any other. Counters and times in seconds, the most usual scores, thus
//! take half of a double.

use crate::dict::Dict;

/// From a member to its score.
#[derive(Clone)]
pub(super) struct Index {
    scores: Dict,
}

/// Calls `f` with the bytes of a score.
#[inline]
fn encode<R>(score: f64, f: impl FnOnce(&[u8]) -> R) -> R {
    let integer = score as i32;
    // To the bit: -0 is no integer.
    if f64::from(integer).to_bits() != score.to_bits() {
        f(&score.to_le_bytes())
    } else if let Ok(integer) = i8::try_from(integer) {
        f(&integer.to_le_bytes())
    } else if let Ok(integer) = i16::try_from(integer) {
        f(&integer.to_le_bytes())
    } else {
        f(&integer.to_le_bytes())
    }
}

#[inline]
fn decode(bytes: &[u8]) -> f64 {
    match *bytes {
        [a] => f64::from(i8::from_le_bytes([a])),
        [a, b] => f64::from(i16::from_le_bytes([a, b])),
        [a, b, c, d] => f64::from(i32::from_le_bytes([a, b, c, d])),
        _ => f64::from_le_bytes(bytes.try_into().expect("the value of a member is a score")),
    }
}

impl Index {
    pub fn new(seed: u64) -> Index {
        Index { scores: Dict::new(seed) }
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.scores.len()
    }

    /// Bytes on the heap.
    pub fn memory(&self) -> usize {
        self.scores.memory()
    }

    pub fn get(&self, member: &[u8]) -> Option<f64> {
        self.scores.get(member).map(decode)
    }

    /// Gives a member a score, whether or not it is there.
    pub fn set(&mut self, member: &[u8], score: f64) {
        encode(score, |bytes| match self.scores.get_mut(member) {
            Some(old) if old.len() == bytes.len() => old.copy_from_slice(bytes),
            _ => {
                self.scores.insert(member, bytes);
            }
        });
    }

    /// Adds a member that is not there.
    pub fn add(&mut self, member: &[u8], score: f64) {
        encode(score, |bytes| self.scores.add(member, bytes));
    }

    pub fn remove(&mut self, member: &[u8]) {
        self.scores.remove(member);
    }

    /// See [`Dict::scan`].
    pub fn scan(&self, cursor: u64, count: usize, f: &mut dyn FnMut(&[u8], f64)) -> u64 {
        self.scores.scan(cursor, count, &mut |member, value| f(member, decode(value)))
    }

    /// Frees about so many blocks of memory; true when nothing is left.
    pub fn dismantle(&mut self, steps: usize) -> bool {
        self.scores.dismantle(steps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_score_takes_the_bytes_that_it_needs() {
        for (score, bytes) in [
            (0.0, 1),
            (-0.0, 8),
            (-128.0, 1),
            (128.0, 2),
            (32768.0, 4),
            (-2147483648.0, 4),
            (2147483648.0, 8),
            (0.5, 8),
            (f64::INFINITY, 8),
            (f64::NEG_INFINITY, 8),
        ] {
            encode(score, |encoded| {
                assert_eq!(encoded.len(), bytes, "{score}");
                assert_eq!(decode(encoded).to_bits(), score.to_bits());
            });
        }
    }

    proptest! {
        #[test]
        fn scores_are_kept_to_the_bit(score: f64, integer: i32, shift in 0..32u32) {
            for score in [score, f64::from(integer >> shift)] {
                prop_assert_eq!(encode(score, decode).to_bits(), score.to_bits());
            }
        }

        #[test]
        fn a_score_that_needs_more_or_less_room_replaces_the_old_one(
            scores in proptest::collection::vec(prop_oneof![Just(0.0), Just(300.0), Just(1e6), Just(0.1), Just(-7.0)], 1..20),
        ) {
            let mut index = Index::new(1);
            for score in scores {
                index.set(b"member", score);
                prop_assert_eq!(index.get(b"member"), Some(score));
                prop_assert_eq!(index.len(), 1);
            }
        }
    }
}
