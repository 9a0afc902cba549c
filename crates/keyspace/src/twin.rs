//! The safe twin: a keyspace of ordered maps, plain enough to be believed.
//!
//! The real table is tested against it: the same operations on both must give the same answers. It
//! keeps entries in the order (slot, hash, key), the order in which SCAN must visit them.

use crate::place::Place;
use crate::value::{AccessClock, Form, NewValue, Replaced};
use std::collections::BTreeMap;

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
        let (bytes, form) = match value {
            NewValue::Copy(bytes, form) => (bytes.to_vec(), *form),
            NewValue::Shared(buffer, form) => (buffer.to_vec(), *form),
            NewValue::Compact(..) | NewValue::Large(_) => unreachable!("the twin holds strings"),
        };
        let record = TwinRecord { bytes, form, expiry, clock };
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

    /// All keys and records of a database, in SCAN's order.
    pub fn iter(&self, db: u16) -> impl Iterator<Item = (&[u8], &TwinRecord)> {
        self.databases[usize::from(db)].iter().map(|((_, _, key), record)| (key.as_slice(), record))
    }
}
