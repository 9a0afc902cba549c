//! A collection that is being changed: taken out of its record, and put back when the guard goes.
//!
//! ```text
//!     spot.edit::<Hash>() --> Edit (a Hash) --commands change it--> drop: stored, or its key removed
//!     small: its bytes are copied to the keyspace's scratch buffer and back
//!     large: the box is lent by the record, which points at nothing meanwhile
//! ```
//!
//! 1. A collection that has become empty takes its key with it; one that was never there and stays empty
//!    makes no key.
//! 2. What was not changed is not written: only `DerefMut` and [`Edit::change_if`] make it changed.

use crate::record::{Draft, Record};
use crate::spot::Spot;
use crate::value::{NewValue, Replaced};
use datatypes::collection::{Collection, Parts};
use std::ops::{Deref, DerefMut};

/// A larger scratch buffer is not kept.
const SCRATCH_KEPT: usize = 64 << 10;

/// The key holds a value of another type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrongType;

/// What became of the key of an [`Edit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It is as it was, there or not.
    Unchanged,
    /// It was made.
    Made,
    /// Its value was changed.
    Changed,
    /// Its value became empty: it was removed.
    Removed,
}

/// A collection under a key, to be changed. It is stored when this ends.
pub struct Edit<'v, T: Collection> {
    spot: Spot<'v>,
    /// There until it is stored.
    value: Option<T>,
    changed: bool,
}

impl<'v> Spot<'v> {
    /// The collection that is here, or an empty one for a key that is not there.
    #[inline]
    pub fn edit<T: Collection>(self) -> Result<Edit<'v, T>, WrongType> {
        let scratch = std::mem::take(&mut self.keyspace.scratch);
        let value = match self.record {
            None => T::empty_in(scratch),
            Some(record) if record.value_type() != T::TYPE => {
                self.keyspace.scratch = scratch;
                return Err(WrongType);
            }
            Some(record) => match record.lend(&mut self.keyspace.memory, scratch) {
                Parts::Compact(form, bytes) => T::from_compact(form, bytes),
                Parts::Large(large) => T::from_large(large),
            },
        };
        Ok(Edit { spot: self, value: Some(value), changed: false })
    }
}

impl<T: Collection> Edit<'_, T> {
    /// Whether the key was there when this began.
    pub fn was_there(&self) -> bool {
        self.spot.record.is_some()
    }

    /// Changes it, if `change` says that it did. What it says no to must be as it was.
    #[inline]
    pub fn change_if(&mut self, change: impl FnOnce(&mut T) -> bool) -> bool {
        let value = self.value.as_mut().expect("it is there until it is stored");
        let did = change(value);
        self.changed |= did;
        did
    }

    /// Stores it now, and tells what became of the key.
    pub fn store(mut self) -> Stored {
        self.put_back()
    }

    fn put_back(&mut self) -> Stored {
        let Some(value) = self.value.take() else { return Stored::Unchanged };
        let record = self.spot.record;
        if self.changed && value.is_gone() {
            return match record {
                Some(record) => {
                    self.spot.keyspace.remove_record(self.spot.db, self.spot.key.place, record);
                    Stored::Removed
                }
                None => Stored::Unchanged,
            };
        }
        match (value.into_parts(), record) {
            (Parts::Large(large), Some(record)) if record.is_boxed() => {
                record.return_large(&mut self.spot.keyspace.memory, large);
                if self.changed {
                    let (db, slot) = (self.spot.db, self.spot.key.place.slot);
                    self.spot.keyspace.changed(db, slot, record, record.is_volatile());
                    Stored::Changed
                } else {
                    Stored::Unchanged
                }
            }
            (Parts::Compact(_, bytes), _) if !self.changed => {
                self.spot.keyspace.scratch = bytes;
                Stored::Unchanged
            }
            (_, None) if !self.changed => Stored::Unchanged,
            (parts, _) => self.write(parts),
        }
    }

    fn write(&mut self, parts: Parts) -> Stored {
        let mut bytes = Vec::new();
        let value = match parts {
            Parts::Compact(form, own) => {
                bytes = own;
                NewValue::Compact(T::TYPE, form, &bytes)
            }
            Parts::Large(large) => NewValue::Large(large),
        };
        let expiry = self.spot.record.and_then(Record::expiry);
        let draft = Draft { key: self.spot.key.bytes, value, expiry, clock: self.spot.clock };
        let stored = match self.spot.store(draft) {
            Replaced::Old => Stored::Changed,
            Replaced::New => Stored::Made,
        };
        if bytes.capacity() <= SCRATCH_KEPT {
            self.spot.keyspace.scratch = bytes;
        }
        stored
    }
}

impl<T: Collection> Deref for Edit<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        self.value.as_ref().expect("it is there until it is stored")
    }
}

impl<T: Collection> DerefMut for Edit<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.changed = true;
        self.value.as_mut().expect("it is there until it is stored")
    }
}

impl<T: Collection> Drop for Edit<'_, T> {
    fn drop(&mut self) {
        self.put_back();
    }
}

#[cfg(test)]
mod tests;
