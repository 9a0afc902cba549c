//! The safe twin: a keyspace of ordered maps, plain enough to be believed.
//!
//! The real table is tested against it: the same operations on both must give the same answers. It
//! keeps entries in the order (slot, hash, key), the order in which SCAN must visit them.

use crate::cursor::{Cursor, PREFIX_BITS};
use crate::place::Place;
use crate::value::{AccessClock, Form, NewValue, Replaced};
use slot::Slot;
use std::collections::BTreeMap;
use std::ops::Range;

type Order = (u16, u64, Vec<u8>);

/// A record of the twin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TwinRecord {
    /// The bytes of the string.
    pub bytes: Vec<u8>,
    /// What OBJECT ENCODING must know.
    pub form: Form,
    /// Expiry in unix ms.
    pub expiry: Option<u64>,
    /// Access clock.
    pub clock: AccessClock,
}

/// Databases of ordered maps.
#[derive(Clone, Debug)]
pub struct Twin {
    databases: Vec<BTreeMap<Order, TwinRecord>>,
}

impl Twin {
    /// With so many databases, all empty.
    pub fn new(databases: u16) -> Twin {
        Twin { databases: vec![BTreeMap::new(); databases.into()] }
    }

    fn order(at: Place, key: &[u8]) -> Order {
        (at.slot.get(), at.hash, key.to_vec())
    }

    /// The record of a key.
    pub fn find(&self, db: u16, at: Place, key: &[u8]) -> Option<&TwinRecord> {
        self.databases[usize::from(db)].get(&Twin::order(at, key))
    }

    /// The record of a key, to be changed.
    pub fn find_mut(&mut self, db: u16, at: Place, key: &[u8]) -> Option<&mut TwinRecord> {
        self.databases[usize::from(db)].get_mut(&Twin::order(at, key))
    }

    /// Inserts or overwrites.
    pub fn insert(
        &mut self,
        db: u16,
        at: Place,
        key: &[u8],
        value: &NewValue<'_>,
        expiry: Option<u64>,
        clock: AccessClock,
    ) -> Replaced {
        let form = match value {
            NewValue::Copy(_, form) | NewValue::Shared(_, form) => *form,
        };
        let record = TwinRecord { bytes: value.bytes().to_vec(), form, expiry, clock };
        match self.databases[usize::from(db)].insert(Twin::order(at, key), record) {
            None => Replaced::New,
            Some(_) => Replaced::Old,
        }
    }

    /// Removes a key; returns what it held.
    pub fn remove(&mut self, db: u16, at: Place, key: &[u8]) -> Option<TwinRecord> {
        self.databases[usize::from(db)].remove(&Twin::order(at, key))
    }

    /// Keys in a database.
    pub fn len(&self, db: u16) -> usize {
        self.databases[usize::from(db)].len()
    }

    /// Keys with an expiry in a database.
    pub fn volatile_len(&self, db: u16) -> usize {
        self.databases[usize::from(db)].values().filter(|record| record.expiry.is_some()).count()
    }

    /// Keys in a slot of a database.
    pub fn slot_len(&self, db: u16, slot: Slot) -> usize {
        self.slot(db, slot).count()
    }

    /// The keys and records of a slot, in SCAN's order.
    pub fn slot(&self, db: u16, slot: Slot) -> impl Iterator<Item = (&[u8], &TwinRecord)> {
        let number = slot.get();
        self.databases[usize::from(db)]
            .range((number, 0, Vec::new())..)
            .take_while(move |((slot, _, _), _)| *slot == number)
            .map(|((_, _, key), record)| (key.as_slice(), record))
    }

    /// All keys and records of a database, in SCAN's order.
    pub fn iter(&self, db: u16) -> impl Iterator<Item = (&[u8], &TwinRecord)> {
        self.databases[usize::from(db)].iter().map(|((_, _, key), record)| (key.as_slice(), record))
    }

    /// See `Keyspace::scan`; here the budget counts keys.
    pub fn scan(
        &self,
        db: u16,
        cursor: Cursor,
        slots: Range<u16>,
        budget: usize,
        mut f: impl FnMut(&[u8], &TwinRecord),
    ) -> Cursor {
        let start = cursor.max(Cursor::at_slot(slots.start));
        let Some(slot) = start.slot() else { return Cursor::START };
        let mut last = None;
        let low = start.prefix() << (64 - PREFIX_BITS);
        let ahead = self.databases[usize::from(db)].range((slot.get(), low, Vec::new())..);
        for (seen, ((slot, hash, key), record)) in ahead.enumerate() {
            let prefix = (*slot, hash >> (64 - PREFIX_BITS));
            if *slot >= slots.end {
                break;
            }
            if seen >= budget && last != Some(prefix) {
                return Cursor::within(Slot::new(*slot).expect("only slots are stored"), prefix.1);
            }
            f(key, record);
            last = Some(prefix);
        }
        Cursor::at_slot(slots.end)
    }

    /// Empties a database.
    pub fn flush(&mut self, db: u16) {
        self.databases[usize::from(db)].clear();
    }

    /// Exchanges two databases.
    pub fn swap(&mut self, a: u16, b: u16) {
        self.databases.swap(a.into(), b.into());
    }

    /// Takes a slot out of all databases.
    pub fn detach(&mut self, slot: Slot) -> TwinSlot {
        let number = slot.get();
        self.databases
            .iter_mut()
            .map(|map| {
                let mut middle = map.split_off(&(number, 0, Vec::new()));
                let mut rest = middle.split_off(&(number + 1, 0, Vec::new()));
                map.append(&mut rest);
                middle
            })
            .collect()
    }

    /// Puts a slot back.
    pub fn attach(&mut self, lent: TwinSlot) {
        for (map, mut part) in self.databases.iter_mut().zip(lent) {
            map.append(&mut part);
        }
    }
}

/// A slot of a twin on its way.
pub type TwinSlot = Vec<BTreeMap<Order, TwinRecord>>;

impl Twin {
    /// The key as stored and its record.
    pub fn entry(&self, db: u16, at: Place, key: &[u8]) -> Option<(&[u8], &TwinRecord)> {
        let map = &self.databases[usize::from(db)];
        map.get_key_value(&Twin::order(at, key)).map(|((_, _, key), record)| (key.as_slice(), record))
    }
}
