//! A set of slots: one bit each, 2 KiB, with the cluster bus's bitmap as its byte form.
//!
//! Word `n` holds slots `64n..64n + 64`, the lowest in the lowest bit. Written word by word in little
//! endian that is just the bus's layout (slot `s` is bit `s % 8` of byte `s / 8`).

use crate::{Slot, SlotRange, SLOT_COUNT};
use std::fmt;

const WORDS: usize = SLOT_COUNT / 64;
const BITMAP_BYTES: usize = SLOT_COUNT / 8;

/// A set of slots.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct SlotSet {
    words: [u64; WORDS],
}

impl SlotSet {
    /// The empty set.
    pub const fn new() -> SlotSet {
        SlotSet { words: [0; WORDS] }
    }

    /// The set of every slot.
    pub const fn full() -> SlotSet {
        SlotSet { words: [u64::MAX; WORDS] }
    }

    /// Adds a slot; whether it is new.
    #[inline]
    pub fn insert(&mut self, slot: Slot) -> bool {
        let (word, bit) = place(slot);
        let new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        new
    }

    /// Removes a slot; whether it was there.
    #[inline]
    pub fn remove(&mut self, slot: Slot) -> bool {
        let (word, bit) = place(slot);
        let there = self.words[word] & bit != 0;
        self.words[word] &= !bit;
        there
    }

    /// Adds every slot of a range.
    pub fn insert_range(&mut self, range: SlotRange) {
        for slot in range.slots() {
            self.insert(slot);
        }
    }

    /// Whether the slot is in the set.
    #[inline]
    pub fn contains(&self, slot: Slot) -> bool {
        let (word, bit) = place(slot);
        self.words[word] & bit != 0
    }

    /// How many slots it has, by counting them.
    pub fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|&word| word == 0)
    }

    /// Removes them all.
    pub fn clear(&mut self) {
        self.words = [0; WORDS];
    }

    /// Its slots in order.
    pub fn iter(&self) -> Slots<'_> {
        Slots { words: &self.words, next_word: 0, current: 0 }
    }

    /// Its longest runs in order, each with its first and its last slot.
    pub fn ranges(&self) -> Ranges<'_> {
        Ranges { set: self, from: 0 }
    }

    /// Adds the slots of the other set.
    pub fn union_with(&mut self, other: &SlotSet) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word |= other;
        }
    }

    /// Removes the slots of the other set.
    pub fn difference_with(&mut self, other: &SlotSet) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= !other;
        }
    }

    /// Keeps only the slots that are in the other set too.
    pub fn intersect_with(&mut self, other: &SlotSet) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= other;
        }
    }

    /// The bus's form: slot `s` is bit `s % 8` of byte `s / 8`.
    pub fn to_bitmap(&self) -> [u8; BITMAP_BYTES] {
        let mut bitmap = [0; BITMAP_BYTES];
        for (bytes, word) in bitmap.chunks_exact_mut(8).zip(&self.words) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        bitmap
    }

    /// The set that a bitmap of the bus holds.
    pub fn from_bitmap(bitmap: &[u8; BITMAP_BYTES]) -> SlotSet {
        let mut set = SlotSet::new();
        for (word, bytes) in set.words.iter_mut().zip(bitmap.chunks_exact(8)) {
            *word = u64::from_le_bytes(bytes.try_into().expect("chunks of eight"));
        }
        set
    }

    /// The first slot at or above `from` whose membership is `wanted`.
    fn next_where(&self, wanted: bool, from: usize) -> Option<usize> {
        let mut at = from;
        while at < SLOT_COUNT {
            let word = if wanted { self.words[at / 64] } else { !self.words[at / 64] };
            let rest = word >> (at % 64);
            if rest != 0 {
                return Some(at + rest.trailing_zeros() as usize);
            }
            at = (at / 64 + 1) * 64;
        }
        None
    }
}

#[inline]
fn place(slot: Slot) -> (usize, u64) {
    (slot.index() / 64, 1 << (slot.index() % 64))
}

fn slot_at(index: usize) -> Slot {
    u16::try_from(index).ok().and_then(Slot::new).expect("a bit of the set is a slot")
}

impl Default for SlotSet {
    fn default() -> SlotSet {
        SlotSet::new()
    }
}

impl fmt::Debug for SlotSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.ranges().map(|(first, last)| format!("{}", SlotRange { first, last })))
            .finish()
    }
}

impl FromIterator<Slot> for SlotSet {
    fn from_iter<I: IntoIterator<Item = Slot>>(slots: I) -> SlotSet {
        let mut set = SlotSet::new();
        set.extend(slots);
        set
    }
}

impl Extend<Slot> for SlotSet {
    fn extend<I: IntoIterator<Item = Slot>>(&mut self, slots: I) {
        for slot in slots {
            self.insert(slot);
        }
    }
}

impl<'a> IntoIterator for &'a SlotSet {
    type Item = Slot;
    type IntoIter = Slots<'a>;

    fn into_iter(self) -> Slots<'a> {
        self.iter()
    }
}

/// The slots of a set in order.
#[derive(Clone, Debug)]
pub struct Slots<'a> {
    words: &'a [u64; WORDS],
    /// The word to look at once `current` has no bit left.
    next_word: usize,
    current: u64,
}

impl Iterator for Slots<'_> {
    type Item = Slot;

    fn next(&mut self) -> Option<Slot> {
        while self.current == 0 {
            self.current = *self.words.get(self.next_word)?;
            self.next_word += 1;
        }
        let bit = self.current.trailing_zeros() as usize;
        self.current &= self.current - 1;
        Some(slot_at((self.next_word - 1) * 64 + bit))
    }
}

/// The runs of a set in order.
#[derive(Clone, Debug)]
pub struct Ranges<'a> {
    set: &'a SlotSet,
    from: usize,
}

impl Iterator for Ranges<'_> {
    type Item = (Slot, Slot);

    fn next(&mut self) -> Option<(Slot, Slot)> {
        let first = self.set.next_where(true, self.from)?;
        let after = self.set.next_where(false, first).unwrap_or(SLOT_COUNT);
        self.from = after;
        Some((slot_at(first), slot_at(after - 1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn slot(number: u16) -> Slot {
        Slot::new(number).unwrap()
    }

    #[test]
    fn the_bitmap_has_the_lowest_slot_in_the_lowest_bit() {
        let set: SlotSet = [slot(0), slot(9), slot(16383)].into_iter().collect();
        let bitmap = set.to_bitmap();
        assert_eq!((bitmap[0], bitmap[1], bitmap[2047]), (1, 2, 0x80));
        assert_eq!(bitmap.iter().map(|byte| byte.count_ones()).sum::<u32>(), 3);
        assert_eq!(SlotSet::from_bitmap(&bitmap), set);
    }

    #[test]
    fn ranges_reach_both_ends() {
        assert_eq!(SlotSet::full().ranges().collect::<Vec<_>>(), [(Slot::MIN, Slot::MAX)]);
        assert_eq!(SlotSet::new().ranges().next(), None);
        let mut set = SlotSet::new();
        for text in ["0-63", "65", "16383"] {
            set.insert_range(text.parse().unwrap());
        }
        let found: Vec<_> = set.ranges().map(|(first, last)| (first.get(), last.get())).collect();
        assert_eq!(found, [(0, 63), (65, 65), (16383, 16383)]);
    }

    proptest! {
        #[test]
        fn it_behaves_like_an_ordinary_set(
            steps in proptest::collection::vec((any::<bool>(), 0..SLOTS_NEAR), 0..300),
            others in proptest::collection::vec(0..SLOTS_NEAR, 0..100),
        ) {
            let (mut set, mut model) = (SlotSet::new(), BTreeSet::new());
            for (insert, number) in steps {
                let slot = slot(number);
                if insert {
                    prop_assert_eq!(set.insert(slot), model.insert(slot));
                } else {
                    prop_assert_eq!(set.remove(slot), model.remove(&slot));
                }
            }
            prop_assert!(set.iter().eq(model.iter().copied()));
            prop_assert_eq!((set.len(), set.is_empty()), (model.len(), model.is_empty()));
            prop_assert!(Slot::all().all(|slot| set.contains(slot) == model.contains(&slot)));
            prop_assert_eq!(&SlotSet::from_bitmap(&set.to_bitmap()), &set);

            let mut rebuilt = SlotSet::new();
            let mut before: Option<Slot> = None;
            for (first, last) in set.ranges() {
                prop_assert!(before.is_none_or(|before| before.get() + 1 < first.get()), "runs touch");
                before = Some(last);
                rebuilt.insert_range(SlotRange::new(first, last).unwrap());
            }
            prop_assert_eq!(&rebuilt, &set);

            let other: SlotSet = others.iter().map(|&number| slot(number)).collect();
            let other_model: BTreeSet<Slot> = other.iter().collect();
            let (mut union, mut difference, mut both) = (set.clone(), set.clone(), set.clone());
            union.union_with(&other);
            difference.difference_with(&other);
            both.intersect_with(&other);
            prop_assert!(union.iter().eq(model.union(&other_model).copied()));
            prop_assert!(difference.iter().eq(model.difference(&other_model).copied()));
            prop_assert!(both.iter().eq(model.intersection(&other_model).copied()));
        }
    }

    /// Few enough different slots that they meet and form runs, across several words.
    const SLOTS_NEAR: u16 = 200;
}
