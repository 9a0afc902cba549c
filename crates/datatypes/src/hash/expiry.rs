//! When fields of a large hash go: the time of a field, and the fields in the order of time.
//!
//! Both hold the field's name once more. A hash in which no field expires has neither, and a read asks only when a
//! field is overdue, so expiry costs nothing where it is not used.

use crate::dict::{keyed_hash, Dict};
use std::collections::BTreeSet;
use std::mem;

/// The expiries of a large hash.
#[derive(Clone, Debug)]
pub struct Expiries {
    times: Dict,
    order: BTreeSet<(u64, Box<[u8]>)>,
    /// Bytes of the names in `order`.
    names: usize,
}

impl Expiries {
    pub(super) fn new(seed: u64) -> Expiries {
        // Its entries are some of those of the hash: the seeds should differ.
        let seed = keyed_hash(seed, b"expiries");
        Expiries { times: Dict::new(seed), order: BTreeSet::new(), names: 0 }
    }

    /// The expiry of a field.
    pub(super) fn get(&self, field: &[u8]) -> Option<u64> {
        self.times.get(field).map(time_of)
    }

    /// The earliest one.
    pub(super) fn first(&self) -> Option<u64> {
        self.order.first().map(|(at, _)| *at)
    }

    /// The field that goes first, and when.
    pub(super) fn first_field(&self) -> Option<(u64, &[u8])> {
        self.order.first().map(|(at, field)| (*at, &**field))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    pub(super) fn set(&mut self, field: &[u8], at_ms: u64) {
        self.remove(field);
        self.times.insert(field, &at_ms.to_le_bytes());
        self.order.insert((at_ms, field.into()));
        self.names += field.len();
    }

    /// Ends the expiry of a field; false if it has none.
    pub(super) fn remove(&mut self, field: &[u8]) -> bool {
        let Some(at) = self.get(field) else { return false };
        self.times.remove(field);
        self.order.remove(&(at, field.into()));
        self.names -= field.len();
        true
    }

    /// Bytes of heap, itself included. Nodes of the tree are three quarters full.
    pub(super) fn memory(&self) -> usize {
        let elements = self.order.len() * mem::size_of::<(u64, Box<[u8]>)>() * 4 / 3;
        mem::size_of::<Expiries>() + self.times.memory() + elements + self.names
    }

    pub(super) fn dismantle(&mut self, steps: usize) -> bool {
        for left in (0..steps).rev() {
            match self.order.pop_first() {
                Some((_, field)) => self.names -= field.len(),
                None => return self.times.dismantle(left),
            }
        }
        false
    }
}

fn time_of(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().expect("a time has eight bytes"))
}
