//! Hashes: fields with values, and the time at which a field goes.
//!
//! ```text
//!     listpack     field, value, field, value, ...
//!     listpackex   field, value, expiry, ...     the expiry in Unix ms; 0: none. As Redis 7.4 writes it
//!     hashtable    a dict of fields to values, and for fields that expire an index by time (`expiry.rs`)
//!
//!     listpack --a field is to expire--> listpackex
//!        |                                   |
//!        +--more than hash-max-listpack-entries, or a string above hash-max-listpack-value--> hashtable
//! ```
//!
//! 1. A hash changes its encoding exactly where Redis does (7.2; 7.4 for listpackex), and never back.
//! 2. In a listpackex, fields that expire stand first, the next to go at the front; so the next expiry is that of
//!    the first field.
//! 3. A field is expired when its expiry lies before now. Reads do not show it, and writes treat it as absent, but
//!    it is there and counts in [`HashRef::len`] until [`Hash::expire_fields`] or a write removes it.
//! 4. Setting a value ends the expiry of its field, unless it is told to keep it.
//!
//! Writing is in `change.rs`, pairs and triples of a listpack in `packed.rs`. Not here: keys, replies, the clock, and
//! what becomes of a hash without fields.

mod change;
mod expiry;
mod packed;
#[cfg(test)]
mod tests;

use crate::dict::{self, below, Dict, Selection};
use crate::listpack::{self, Item, Listpack};
pub use change::{Condition, ExpirySet, IncrementError, Persisted, SetExpiry};
use expiry::Expiries;
use packed::Packed;
use std::mem;

/// When a hash outgrows its encoding.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most fields of a listpack: hash-max-listpack-entries.
    pub listpack_entries: usize,
    /// Most bytes of a field or value in a listpack: hash-max-listpack-value.
    pub listpack_value: usize,
    /// The secret of the node, which seeds the hashes of large values.
    pub hash_seed: u64,
}

impl Limits {
    /// Those of a configuration that does not mention them.
    pub fn with_seed(hash_seed: u64) -> Limits {
        Limits { listpack_entries: 512, listpack_value: 64, hash_seed }
    }
}

/// A large hash.
#[derive(Clone, Debug)]
pub struct LargeHash {
    fields: Dict,
    /// Of those fields that have one; absent where none has.
    expiries: Option<Box<Expiries>>,
}

impl LargeHash {
    fn new(seed: u64) -> LargeHash {
        LargeHash { fields: Dict::new(seed), expiries: None }
    }

    /// Bytes of heap that it holds, itself included.
    pub fn memory(&self) -> usize {
        let expiries = self.expiries.as_ref().map_or(0, |expiries| expiries.memory());
        mem::size_of::<LargeHash>() + self.fields.memory() + expiries
    }

    /// Frees about so many of its pieces; whether nothing is left.
    pub fn dismantle(&mut self, steps: usize) -> bool {
        match &mut self.expiries {
            Some(expiries) => {
                if expiries.dismantle(steps) {
                    self.expiries = None;
                }
                false
            }
            None => self.fields.dismantle(steps),
        }
    }

    /// The expiry of a field.
    fn expiry(&self, field: &[u8]) -> Option<u64> {
        self.expiries.as_ref().and_then(|expiries| expiries.get(field))
    }

    /// The expiries, if a field is expired but still there: only then is it worth asking about each.
    fn overdue(&self, now_ms: u64) -> Option<&Expiries> {
        let expiries = self.expiries.as_deref()?;
        expiries.first().is_some_and(|first| is_expired(first, now_ms)).then_some(expiries)
    }
}

/// Whether what expires at `at_ms` is gone.
fn is_expired(at_ms: u64, now_ms: u64) -> bool {
    at_ms < now_ms
}

/// A hash to be changed.
#[derive(Clone, Debug)]
pub enum Hash {
    /// A few fields.
    Listpack(Vec<u8>),
    /// A few fields, some of which may expire.
    ListpackEx(Vec<u8>),
    /// Any fields.
    Large(Box<LargeHash>),
}

/// A hash to be read.
#[derive(Clone, Copy, Debug)]
pub enum HashRef<'a> {
    /// A few fields.
    Listpack(&'a [u8]),
    /// A few fields, some of which may expire.
    ListpackEx(&'a [u8]),
    /// Any fields.
    Large(&'a LargeHash),
}

/// A field as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Its name.
    pub field: Item<'a>,
    /// Its value.
    pub value: Item<'a>,
    /// When it goes, in Unix ms.
    pub expiry: Option<u64>,
}

impl Entry<'_> {
    fn is_live(&self, now_ms: u64) -> bool {
        self.expiry.is_none_or(|at| !is_expired(at, now_ms))
    }
}

impl<'a> HashRef<'a> {
    /// What OBJECT ENCODING answers.
    pub fn encoding(self) -> &'static str {
        match self {
            HashRef::Listpack(_) => "listpack",
            HashRef::ListpackEx(_) => "listpackex",
            HashRef::Large(_) => "hashtable",
        }
    }

    /// How many fields it has, those included that are expired and still there.
    pub fn len(self) -> usize {
        match self.packed() {
            Ok(packed) => packed.len(),
            Err(large) => large.fields.len(),
        }
    }

    /// Whether it has none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The value of a field.
    pub fn get(self, field: &[u8], now_ms: u64) -> Option<Item<'a>> {
        match self.packed() {
            Ok(packed) => {
                let entry = packed.entry(packed.find(field)?);
                entry.is_live(now_ms).then_some(entry.value)
            }
            Err(large) => {
                let value = large.fields.get(field)?;
                if let Some(expiries) = large.overdue(now_ms) {
                    if expiries.get(field).is_some_and(|at| is_expired(at, now_ms)) {
                        return None;
                    }
                }
                Some(Item::Str(value))
            }
        }
    }

    /// Whether the field is there.
    pub fn contains(self, field: &[u8], now_ms: u64) -> bool {
        self.get(field, now_ms).is_some()
    }

    /// When a field goes: nothing if there is no such field, and nothing inside if it stays.
    pub fn expiry(self, field: &[u8], now_ms: u64) -> Option<Option<u64>> {
        self.get(field, now_ms)?;
        match self.packed() {
            Ok(packed) => Some(packed.entry(packed.find(field)?).expiry),
            Err(large) => Some(large.expiry(field)),
        }
    }

    /// When the next field goes, or should have gone.
    pub fn next_expiry(self) -> Option<u64> {
        match self {
            HashRef::Listpack(_) => None,
            HashRef::ListpackEx(bytes) => {
                let packed = Packed::triples(bytes);
                packed.entry(packed.first()?).expiry
            }
            HashRef::Large(large) => large.expiries.as_ref()?.first(),
        }
    }

    /// All fields as they are stored, the expired ones too, in the order of the encoding.
    pub fn entries(self) -> Entries<'a> {
        Entries(match self {
            HashRef::Listpack(bytes) => Source::Pairs(Listpack::new(bytes).iter()),
            HashRef::ListpackEx(bytes) => Source::Triples(Listpack::new(bytes).iter()),
            HashRef::Large(large) => Source::Large(large.fields.iter(), large.expiries.as_deref()),
        })
    }

    /// All fields with their values, in the order of the encoding.
    pub fn iter(self, now_ms: u64) -> impl Iterator<Item = (Item<'a>, Item<'a>)> {
        let entries = match self {
            // Where nothing is expired, nobody need be asked.
            HashRef::Large(large) => Entries(Source::Large(large.fields.iter(), large.overdue(now_ms))),
            _ => self.entries(),
        };
        entries.filter(move |entry| entry.is_live(now_ms)).map(|entry| (entry.field, entry.value))
    }

    /// A field and its value, each with the same probability.
    pub fn random(self, now_ms: u64, draw: &mut dyn FnMut() -> u64) -> Option<(Item<'a>, Item<'a>)> {
        if let HashRef::Large(large) = self {
            let expiries = large.overdue(now_ms);
            // The expired are few, unless all of them expired at once.
            for _ in 0..32 {
                let (field, value) = large.fields.random(draw)?;
                let expiry = expiries.and_then(|expiries| expiries.get(field));
                if expiry.is_none_or(|at| !is_expired(at, now_ms)) {
                    return Some((Item::Str(field), Item::Str(value)));
                }
            }
        }
        let live = self.iter(now_ms).count();
        if live == 0 {
            return None;
        }
        self.iter(now_ms).nth(below(live, draw))
    }

    /// Tells `count` different fields with their values: all of them, if there are no more. Each choice has the same
    /// probability, but the order means nothing.
    pub fn sample(
        self,
        count: usize,
        now_ms: u64,
        draw: &mut dyn FnMut() -> u64,
        f: &mut dyn FnMut(Item<'_>, Item<'_>),
    ) {
        match self {
            HashRef::Large(large) if large.overdue(now_ms).is_none() => {
                large.fields.sample(count, draw, &mut |field, value| f(Item::Str(field), Item::Str(value)));
            }
            _ => {
                let mut chosen = Selection::new(count, self.iter(now_ms).count());
                let sampled = self.iter(now_ms).filter(|_| chosen.next(draw));
                sampled.for_each(|(field, value)| f(field, value));
            }
        }
    }

    /// Tells about `count` fields with their values from a cursor on and gives the next cursor, zero at the end; a
    /// small hash is told whole. A field that is there from the first call to the last is told.
    pub fn scan(self, cursor: u64, count: usize, now_ms: u64, f: &mut dyn FnMut(Item<'_>, Item<'_>)) -> u64 {
        let HashRef::Large(large) = self else {
            self.iter(now_ms).for_each(|(field, value)| f(field, value));
            return 0;
        };
        let expiries = large.overdue(now_ms);
        large.fields.scan(cursor, count, &mut |field, value| {
            let expiry = expiries.and_then(|expiries| expiries.get(field));
            if expiry.is_none_or(|at| !is_expired(at, now_ms)) {
                f(Item::Str(field), Item::Str(value));
            }
        })
    }

    fn packed(self) -> Result<Packed<'a>, &'a LargeHash> {
        match self {
            HashRef::Listpack(bytes) => Ok(Packed::pairs(bytes)),
            HashRef::ListpackEx(bytes) => Ok(Packed::triples(bytes)),
            HashRef::Large(large) => Err(large),
        }
    }
}

/// The fields of a hash as they are stored.
#[derive(Clone, Debug)]
pub struct Entries<'a>(Source<'a>);

#[derive(Clone, Debug)]
enum Source<'a> {
    Pairs(listpack::Iter<'a>),
    Triples(listpack::Iter<'a>),
    /// And where to ask for expiries.
    Large(dict::Iter<'a>, Option<&'a Expiries>),
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        match &mut self.0 {
            Source::Pairs(items) => Some(Entry { field: items.next()?, value: items.next()?, expiry: None }),
            Source::Triples(items) => {
                let (field, value) = (items.next()?, items.next()?);
                Some(Entry { field, value, expiry: packed::expiry_of(items.next()?) })
            }
            Source::Large(entries, expiries) => {
                let (field, value) = entries.next()?;
                let expiry = expiries.and_then(|expiries| expiries.get(field));
                Some(Entry { field: Item::Str(field), value: Item::Str(value), expiry })
            }
        }
    }
}
