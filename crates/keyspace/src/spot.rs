//! A key's place in a view, found once: what is there can be read, then changed, then found no more.
//!
//!     view.open(key) --> Spot --entry()--> judge what is there --set / append / remove / ..--> gone
//!
//! A command that must see a value before it writes another (INCR, APPEND, SETRANGE, GETSET) would look
//! the key up twice; a spot remembers. It borrows the view, so nothing can move the record meanwhile.

use crate::entry::Entry;
use crate::keyspace::Keyspace;
use crate::place::Key;
use crate::record::{Draft, Record};
use crate::value::{AccessClock, Form, NewValue, OwnedRecord, Replaced};
use crate::view::ExpiryChange;

/// A key's place, whether the key is there or not.
pub struct Spot<'v> {
    pub(crate) keyspace: &'v mut Keyspace,
    pub(crate) db: u16,
    pub(crate) key: Key<'v>,
    pub(crate) record: Option<Record>,
    /// The clock of a value that is made now.
    pub(crate) clock: AccessClock,
}

impl Spot<'_> {
    /// What is there.
    #[inline]
    pub fn entry(&self) -> Option<Entry<'_>> {
        self.record.map(Entry::of)
    }

    /// Stores a value, whatever was there.
    #[inline]
    pub fn set(mut self, value: NewValue<'_>, expiry: ExpiryChange) -> Replaced {
        let expiry = match expiry {
            ExpiryChange::Clear => None,
            ExpiryChange::At(at) => Some(at),
            ExpiryChange::Keep => self.record.and_then(Record::expiry),
        };
        let clock = self.clock;
        self.store(Draft { key: self.key.bytes, value, expiry, clock })
    }

    /// Puts what was taken, or copied with [`Entry::to_owned_record`], here.
    pub fn put(mut self, record: OwnedRecord) -> Replaced {
        let OwnedRecord { value, expiry, clock } = record;
        let mut bytes = Vec::new();
        self.store(Draft { key: self.key.bytes, value: value.into_new(&mut bytes), expiry, clock })
    }

    #[inline]
    pub(crate) fn store(&mut self, draft: Draft<'_>) -> Replaced {
        match self.record {
            Some(old) => {
                self.keyspace.replace_record(self.db, self.key.place, old, draft);
                Replaced::Old
            }
            None => {
                self.keyspace.insert_record(self.db, self.key.place, draft);
                Replaced::New
            }
        }
    }

    /// Adds to a string, which becomes [`Form::Raw`]; where nothing is, `tail` is stored as by SET.
    /// Returns the new length.
    pub fn append(self, tail: &[u8]) -> usize {
        match self.record {
            Some(record) => {
                let len = record.string().bytes().len();
                self.keyspace.write_record(self.db, &self.key, record, len, tail)
            }
            None => {
                self.set(NewValue::Copy(tail, Form::Auto), ExpiryChange::Clear);
                tail.len()
            }
        }
    }

    /// Writes into a string, with zeros in any gap; where nothing is, one is made. It becomes
    /// [`Form::Raw`]. Returns its new length.
    pub fn write_range(mut self, offset: usize, bytes: &[u8]) -> usize {
        let record = match self.record {
            Some(record) => record,
            None => {
                let (value, clock) = (NewValue::Copy(b"", Form::Raw), self.clock);
                let draft = Draft { key: self.key.bytes, value, expiry: None, clock };
                self.keyspace.insert_record(self.db, self.key.place, draft)
            }
        };
        self.record = Some(record);
        self.keyspace.write_record(self.db, &self.key, record, offset, bytes)
    }

    /// Sets or clears the expiry; whether there is a key to have one.
    pub fn set_expiry(self, expiry: Option<u64>) -> bool {
        if let Some(record) = self.record {
            self.keyspace.set_record_expiry(self.db, &self.key, record, expiry);
        }
        self.record.is_some()
    }

    /// Removes the key; whether it was there.
    pub fn remove(self) -> bool {
        if let Some(record) = self.record {
            self.keyspace.remove_record(self.db, self.key.place, record);
        }
        self.record.is_some()
    }

    /// Removes the key and returns what it held (RENAME, MOVE, GETDEL).
    pub fn take(self) -> Option<OwnedRecord> {
        self.record.map(|record| self.keyspace.take_record(self.db, self.key.place, record))
    }
}
