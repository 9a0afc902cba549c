//! A key and its value, as found in the table.

use crate::twin::TwinRecord;
use crate::value::{AccessClock, OwnedRecord, OwnedValue, StrRef, ValueRef, ValueType};

/// A key and its value.
#[derive(Clone, Copy)]
pub struct Entry<'a> {
    pub(crate) key: &'a [u8],
    pub(crate) record: &'a TwinRecord,
}

impl<'a> Entry<'a> {
    /// Its key.
    pub fn key(self) -> &'a [u8] {
        self.key
    }

    /// Its value.
    pub fn value(self) -> ValueRef<'a> {
        ValueRef::Str(StrRef { bytes: &self.record.bytes, shared: None, form: self.record.form })
    }

    /// The type of its value.
    pub fn value_type(self) -> ValueType {
        ValueType::String
    }

    /// When it expires, unix ms.
    pub fn expiry(self) -> Option<u64> {
        self.record.expiry
    }

    /// When it was last accessed, or how often.
    pub fn clock(self) -> AccessClock {
        self.record.clock
    }

    /// A copy of all but the key (COPY); a large value is shared, not copied.
    pub fn to_owned_record(self) -> OwnedRecord {
        let ValueRef::Str(string) = self.value();
        let value = match string.shared() {
            Some(buffer) => OwnedValue::Shared(buffer.clone(), string.form()),
            None => OwnedValue::Inline(string.bytes().to_vec(), string.form()),
        };
        OwnedRecord { value, expiry: self.expiry(), clock: self.clock() }
    }

    /// Bytes that it takes, its place in the table included (MEMORY USAGE).
    pub fn memory(self) -> usize {
        self.key.len() + self.record.bytes.len() + 32
    }
}
