//! Hash slots: which of the 16384 a key belongs to, and sets and ranges of them.
//!
//! The slot is the unit that this node owns, locks, moves, counts and migrates, so nearly every
//! crate names one. What is here is arithmetic only: who owns a slot is `cluster`'s and `node`'s.
//!
//! ```text
//!     key           foo{user:1}:cart
//!     hash tag          ^^^^^^           between the first `{` and the first `}` after it
//!     slot          crc16(b"user:1") % 16384
//! ```
//!
//! 1. A tag that is empty (`{}x`) or never closed (`{a`) is no tag: the whole key is hashed.
//! 2. Only the first `{` counts, and the first `}` after it: `foo{{bar}}zap` hashes `{bar`.
//! 3. The CRC is CRC16/XMODEM (polynomial 0x1021, start 0, nothing reflected), by specification.
//! 4. A `Slot` is below 16384 by construction, so an array of 16384 may be indexed with it unasked.
//!
//! Follows the Redis Cluster specification, "Key distribution model" and "Hash tags".

mod crc16;
mod range;
mod set;

pub use self::crc16::crc16;
pub use range::{ParseRangeError, SlotRange};
pub use set::{Ranges, SlotSet, Slots};

use std::fmt;

/// How many slots there are.
pub const SLOTS: u16 = 16384;

/// [`SLOTS`] for the length of an array.
pub const SLOT_COUNT: usize = SLOTS as usize;

/// A hash slot, always below [`SLOTS`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(u16);

impl Slot {
    /// Slot 0.
    pub const MIN: Slot = Slot(0);
    /// Slot 16383.
    pub const MAX: Slot = Slot(SLOTS - 1);

    /// The slot of this number, if there is one.
    #[inline]
    pub const fn new(number: u16) -> Option<Slot> {
        if number < SLOTS {
            Some(Slot(number))
        } else {
            None
        }
    }

    /// Its number.
    #[inline]
    pub const fn get(self) -> u16 {
        self.0
    }

    /// Its number, for indexing an array of [`SLOT_COUNT`]. The mask changes nothing: it tells the
    /// compiler of invariant 4, so that such an access needs no bounds check.
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize & (SLOT_COUNT - 1)
    }

    /// Every slot in order.
    pub fn all() -> impl DoubleEndedIterator<Item = Slot> + ExactSizeIterator {
        (0..SLOTS).map(Slot)
    }

    /// The slot after this one, unless this is the last.
    #[inline]
    pub const fn next(self) -> Option<Slot> {
        Slot::new(self.0 + 1)
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "slot {}", self.0)
    }
}

impl From<Slot> for u16 {
    fn from(slot: Slot) -> u16 {
        slot.0
    }
}

impl TryFrom<u16> for Slot {
    type Error = OutOfRange;

    fn try_from(number: u16) -> Result<Slot, OutOfRange> {
        Slot::new(number).ok_or(OutOfRange(number))
    }
}

/// A number that is no slot's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfRange(pub u16);

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not a hash slot (0 to {})", self.0, SLOTS - 1)
    }
}

impl std::error::Error for OutOfRange {}

/// The slot that a key belongs to.
#[inline]
pub fn slot_of(key: &[u8]) -> Slot {
    Slot(crc16(hashed_part(key)) & (SLOTS - 1))
}

/// What of a key is hashed: its tag if it has one, else all of it.
#[inline]
pub fn hashed_part(key: &[u8]) -> &[u8] {
    if !has_brace(key) {
        return key;
    }
    match key.iter().position(|&byte| byte == b'{') {
        Some(open) => tag_after(key, open),
        None => key,
    }
}

/// Whether there is a `{`, which in most keys there is not: eight bytes at a time, the last eight
/// overlapping those before, takes a third of the time of asking byte by byte.
#[inline]
fn has_brace(key: &[u8]) -> bool {
    let Some(last) = key.last_chunk::<8>() else { return key.contains(&b'{') };
    let mut found = braces(*last);
    for eight in key.chunks_exact(8) {
        found |= braces(eight.try_into().expect("chunks of eight"));
    }
    found != 0
}

/// Not 0 if one of the bytes is a `{`: the XOR makes it zero, and only of a zero byte does
/// subtracting one set the top bit which was not set (a borrow may set another's as well, which changes
/// nothing of the answer).
#[inline]
fn braces(eight: [u8; 8]) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let zeroed = u64::from_le_bytes(eight) ^ (ONES * b'{' as u64);
    zeroed.wrapping_sub(ONES) & !zeroed & ONES << 7
}

fn tag_after(key: &[u8], open: usize) -> &[u8] {
    let rest = &key[open + 1..];
    match rest.iter().position(|&byte| byte == b'}') {
        Some(close) if close > 0 => &rest[..close],
        _ => key,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_keys_have_their_published_slots() {
        for (key, slot) in [("foo", 12182), ("bar", 5061), ("hello", 866), ("{tag}1", 8338), ("", 0)] {
            assert_eq!(slot_of(key.as_bytes()).get(), slot, "{key}");
        }
    }

    #[test]
    fn only_a_closed_and_filled_tag_is_hashed_alone() {
        for (key, part) in [
            ("{user1000}.following", "user1000"),
            ("a{b}c", "b"),
            ("{}x", "{}x"),
            ("foo{}{bar}", "foo{}{bar}"),
            ("{a", "{a"),
            ("a}b", "a}b"),
            ("}{a}", "a"),
            ("foo{{bar}}zap", "{bar"),
            ("foo{bar}{zap}", "bar"),
            ("{", "{"),
            ("{}", "{}"),
        ] {
            assert_eq!(hashed_part(key.as_bytes()), part.as_bytes(), "{key}");
        }
        assert_eq!(slot_of(b"{user1000}.following"), slot_of(b"{user1000}.followers"));
    }

    #[test]
    fn a_slot_is_below_16384() {
        assert_eq!(Slot::new(16383), Some(Slot::MAX));
        assert_eq!(Slot::new(16384), None);
        assert_eq!(Slot::MAX.next(), None);
        assert_eq!(Slot::try_from(20000), Err(OutOfRange(20000)));
        assert_eq!(Slot::all().len(), SLOT_COUNT);
        assert_eq!(Slot::MAX.to_string(), "16383");
    }

    #[test]
    fn a_brace_is_seen_wherever_it_stands() {
        for len in 0..40 {
            for filler in [0, b'a', b'z', b'|', 0xFB, 0xFF] {
                let mut key = vec![filler; len];
                assert!(!has_brace(&key));
                for at in 0..len {
                    key[at] = b'{';
                    assert!(has_brace(&key), "{len} bytes, at {at}");
                    key[at] = filler;
                }
            }
        }
    }

    proptest! {
        #[test]
        fn a_key_without_braces_is_hashed_whole(key in "[^{}]*") {
            let expected = ::crc16::State::<::crc16::XMODEM>::calculate(key.as_bytes()) % SLOTS;
            prop_assert_eq!(slot_of(key.as_bytes()).get(), expected);
        }

        #[test]
        fn keys_of_one_tag_share_a_slot(tag in "[^{}]+", before in "[^{}]*", after in "[{}a-z]*") {
            let key = format!("{before}{{{tag}}}{after}");
            prop_assert_eq!(slot_of(key.as_bytes()), slot_of(tag.as_bytes()));
        }
    }
}
