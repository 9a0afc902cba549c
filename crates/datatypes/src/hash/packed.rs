//! A hash in a listpack: pairs of field and value, or triples with an expiry.
//!
//! ```text
//!     pairs     | field | value | field | value | ...
//!     triples   | field | value | expiry | field | value | expiry | ...
//!                 expiring, the next to go first | the others, expiry 0, in the order they were set
//! ```

use super::Entry;
use crate::integer::Decimal;
use crate::listpack::{self, Item, Listpack, Pos};

/// A listpack of fields, to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packed<'a> {
    pack: Listpack<'a>,
    stride: usize,
}

/// What an element in the place of an expiry says.
pub(super) fn expiry_of(item: Item<'_>) -> Option<u64> {
    let at = item.as_i64().and_then(|at| u64::try_from(at).ok());
    at.filter(|&at| at != 0)
}

impl<'a> Packed<'a> {
    pub(super) fn pairs(bytes: &'a [u8]) -> Packed<'a> {
        Packed { pack: Listpack::new(bytes), stride: 2 }
    }

    pub(super) fn triples(bytes: &'a [u8]) -> Packed<'a> {
        Packed { pack: Listpack::new(bytes), stride: 3 }
    }

    /// How many fields there are.
    pub(super) fn len(&self) -> usize {
        self.pack.len() / self.stride
    }

    /// Where the first field is.
    pub(super) fn first(&self) -> Option<Pos> {
        self.pack.first()
    }

    /// Where this field is.
    pub(super) fn find(&self, field: &[u8]) -> Option<Pos> {
        self.pack.find(field, self.pack.first()?, self.stride)
    }

    /// Where the value of the field at `pos` is.
    pub(super) fn value_pos(&self, pos: Pos) -> Pos {
        self.pack.next(pos).expect("a value stands behind its field")
    }

    /// The field at `pos`, its value and its expiry.
    pub(super) fn entry(&self, pos: Pos) -> Entry<'a> {
        let value = self.value_pos(pos);
        let expiry = if self.stride == 3 {
            let expiry = self.pack.next(value).expect("an expiry stands behind its value");
            expiry_of(self.pack.get(expiry))
        } else {
            None
        };
        Entry { field: self.pack.get(pos), value: self.pack.get(value), expiry }
    }

    /// Where the field stands before which one belongs that goes at `at_ms`: behind those that go before or with it.
    fn place_for(&self, at_ms: u64) -> Option<Pos> {
        let mut next = self.pack.first();
        while let Some(pos) = next {
            let expiry = self.pack.next(self.value_pos(pos)).expect("an expiry stands behind its value");
            if expiry_of(self.pack.get(expiry)).is_none_or(|other| other > at_ms) {
                return Some(pos);
            }
            next = self.pack.next(expiry);
        }
        None
    }
}

/// Takes out the field at `pos` with all that belongs to it.
pub(super) fn remove(bytes: &mut Vec<u8>, pos: Pos, stride: usize) {
    for _ in 0..stride {
        listpack::remove(bytes, pos);
    }
}

/// Adds a triple where its expiry belongs.
pub(super) fn insert_triple(bytes: &mut Vec<u8>, field: &[u8], value: &[u8], expiry: Option<u64>) {
    let place = expiry.and_then(|at| Packed::triples(bytes).place_for(at));
    let Some(place) = place else {
        listpack::push_back(bytes, field);
        listpack::push_back(bytes, value);
        listpack::push_back_int(bytes, expiry.map_or(0, stored));
        return;
    };
    let at = listpack::insert_before(bytes, place, field);
    let at = listpack::insert_after(bytes, at, value);
    listpack::insert_after(bytes, at, Decimal::new(expiry.map_or(0, stored)).as_bytes());
}

fn stored(at_ms: u64) -> i64 {
    i64::try_from(at_ms).expect("an expiry is checked to be far below 2^63")
}

/// Triples of pairs; no field expires.
pub(super) fn with_expiries(pairs: &[u8]) -> Vec<u8> {
    let mut bytes = listpack::create();
    for (index, item) in Listpack::new(pairs).iter().enumerate() {
        match item {
            Item::Int(number) => listpack::push_back_int(&mut bytes, number),
            Item::Str(text) => listpack::push_back(&mut bytes, text),
        }
        if index % 2 == 1 {
            listpack::push_back_int(&mut bytes, 0);
        }
    }
    bytes
}
