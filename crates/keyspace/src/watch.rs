//! Which keys of watched slots changed: what blocked clients and WATCH ask of the keyspace (rule R7).
//!
//! A slot is watched while somebody waits for one of its keys. Whatever command makes, changes or removes
//! a key there, the key is listed; whether anybody waits for that very key, the node knows. Where nobody
//! waits for anything this costs one comparison.

use slot::{Slot, SlotSet};

/// A key that was made, changed or removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touched {
    /// Its database.
    pub db: u16,
    /// Its slot.
    pub slot: Slot,
    /// Its name.
    pub key: Vec<u8>,
}

/// The watched slots of a core, and what was touched in them.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    slots: SlotSet,
    /// How many they are.
    count: usize,
    touched: Vec<Touched>,
}

impl Watch {
    #[inline]
    pub fn is_on(&self, slot: Slot) -> bool {
        self.count > 0 && self.slots.contains(slot)
    }

    pub fn set(&mut self, slot: Slot, on: bool) {
        let changed = if on { self.slots.insert(slot) } else { self.slots.remove(slot) };
        match (changed, on) {
            (true, true) => self.count += 1,
            (true, false) => self.count -= 1,
            (false, _) => {}
        }
    }

    #[cold]
    pub fn note(&mut self, db: u16, slot: Slot, key: &[u8]) {
        let same = |touched: &Touched| touched.db == db && touched.key == key;
        if !self.touched.last().is_some_and(same) {
            self.touched.push(Touched { db, slot, key: key.to_vec() });
        }
    }

    #[inline]
    pub fn has_touched(&self) -> bool {
        !self.touched.is_empty()
    }

    pub fn take(&mut self, of: impl Fn(Slot) -> bool) -> Vec<Touched> {
        self.touched.extract_if(.., |touched| of(touched.slot)).collect()
    }

    /// The slot goes to another core: whether it is watched there, and what was touched so far.
    pub fn leave(&mut self, slot: Slot) -> (bool, Vec<Touched>) {
        if self.count == 0 {
            return (false, Vec::new());
        }
        let watched = self.slots.contains(slot);
        self.set(slot, false);
        (watched, self.touched.extract_if(.., |touched| touched.slot == slot).collect())
    }

    /// The slot comes.
    pub fn join(&mut self, slot: Slot, watched: bool, mut touched: Vec<Touched>) {
        if watched {
            self.set(slot, true);
        }
        self.touched.append(&mut touched);
    }
}
