//! A key and its value, as found in the table.

use crate::record::Record;
use crate::value::{AccessClock, OwnedRecord, OwnedValue, StrRef, ValueRef, ValueType};
use datatypes::hash::HashRef;
use datatypes::list::ListRef;
use datatypes::set::SetRef;
use datatypes::sorted_set::SortedSetRef;
use datatypes::stream::StreamRef;
use std::marker::PhantomData;

/// A key and its value.
#[derive(Clone, Copy)]
pub struct Entry<'a> {
    record: Record,
    /// As long as this lives, the keyspace is borrowed and the record stays.
    keyspace: PhantomData<&'a ()>,
}

impl<'a> Entry<'a> {
    pub(crate) fn of(record: Record) -> Entry<'a> {
        Entry { record, keyspace: PhantomData }
    }

    pub(crate) fn string(self) -> StrRef<'a> {
        self.record.string()
    }

    /// Its key.
    pub fn key(self) -> &'a [u8] {
        self.record.key()
    }

    /// Its value.
    pub fn value(self) -> ValueRef<'a> {
        self.record.value()
    }

    /// The type of its value.
    pub fn value_type(self) -> ValueType {
        self.record.value_type()
    }

    /// When it expires, unix ms.
    pub fn expiry(self) -> Option<u64> {
        self.record.expiry()
    }

    /// When it was last accessed, or how often.
    pub fn clock(self) -> AccessClock {
        self.record.clock()
    }

    /// A copy of all but the key (COPY); a large string is shared, not copied.
    pub fn to_owned_record(self) -> OwnedRecord {
        let value = match self.value() {
            ValueRef::Str(string) => match string.shared() {
                Some(buffer) => OwnedValue::Shared(buffer.clone(), string.form()),
                None => OwnedValue::Inline(string.bytes().to_vec(), string.form()),
            },
            ValueRef::List(list) => OwnedValue::of(list.copied()),
            ValueRef::Set(set) => OwnedValue::of(set.copied()),
            ValueRef::SortedSet(set) => OwnedValue::of(set.copied()),
            ValueRef::Hash(hash) => OwnedValue::of(hash.copied()),
            ValueRef::Stream(stream) => OwnedValue::of(stream.copied()),
        };
        OwnedRecord { value, expiry: self.expiry(), clock: self.clock() }
    }

    /// Bytes that it takes, its place in the table included (MEMORY USAGE).
    pub fn memory(self) -> usize {
        // Its block, a boxed value with its two headers, and its share of the table.
        let boxed = match self.value() {
            ValueRef::Str(string) => string.shared.map_or(0, |buffer| buffer.capacity() + 48),
            ValueRef::List(ListRef::Large(list)) => list.memory(),
            ValueRef::Set(SetRef::Large(set)) => set.memory(),
            ValueRef::SortedSet(SortedSetRef::Large(set)) => set.memory(),
            ValueRef::Hash(HashRef::Large(hash)) => hash.memory(),
            ValueRef::Stream(StreamRef::Large(stream)) => stream.memory(),
            _ => 0,
        };
        self.record.size().next_multiple_of(8) + boxed + 10
    }
}
