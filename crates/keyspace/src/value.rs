//! What a key holds, as callers hand it in and see it.
//!
//! A small value lies in the record beside its key. One above [`INLINE_MAX`] is an `Arc<Vec<u8>>`
//! that the record points at, so that a reply can send it without a copy and SET can keep the very
//! buffer that the network filled. A collection lies in the record as long as it is in a compact encoding;
//! then the record points at its large form.

use datatypes::collection::{Collection, Large, Parts};
use datatypes::hash::HashRef;
use datatypes::list::ListRef;
use datatypes::set::SetRef;
use datatypes::sorted_set::SortedSetRef;
use datatypes::stream::StreamRef;
use std::sync::Arc;

pub use datatypes::collection::ValueType;

/// The largest value that lies in its record. Below it a copy is cheaper than a reply by reference.
pub const INLINE_MAX: usize = 16 * 1024;

/// What OBJECT ENCODING must remember of a string, because its bytes alone do not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Form {
    /// "int" if it is a canonical 64-bit integer, else "embstr" up to 44 bytes, else "raw".
    #[default]
    Auto,
    /// "raw", whatever the bytes: what APPEND and SETRANGE leave.
    Raw,
    /// "embstr" even if the bytes are an integer: a float result such as `3`.
    Embstr,
}

/// A value to be stored.
#[derive(Clone, Debug)]
pub enum NewValue<'a> {
    /// A string, copied.
    Copy(&'a [u8], Form),
    /// A string in a buffer of its own, kept as it is if it is above [`INLINE_MAX`].
    Shared(Arc<Vec<u8>>, Form),
    /// The bytes of a small collection, and which compact encoding of its type they are in.
    Compact(ValueType, u8, &'a [u8]),
    /// A large collection.
    Large(Large),
}

/// A value as it is read.
#[derive(Clone, Copy)]
pub enum ValueRef<'a> {
    /// A string.
    Str(StrRef<'a>),
    /// A list.
    List(ListRef<'a>),
    /// A set.
    Set(SetRef<'a>),
    /// A sorted set.
    SortedSet(SortedSetRef<'a>),
    /// A hash.
    Hash(HashRef<'a>),
    /// A stream.
    Stream(StreamRef<'a>),
}

/// One of the types as it is read.
pub trait Readable<'a>: Sized {
    /// The value, if it is of this type.
    fn of(value: ValueRef<'a>) -> Option<Self>;
}

macro_rules! readable {
    ($($name:ident($type:ty),)*) => {$(
        impl<'a> Readable<'a> for $type {
            #[inline]
            fn of(value: ValueRef<'a>) -> Option<$type> {
                match value {
                    ValueRef::$name(value) => Some(value),
                    _ => None,
                }
            }
        }
    )*};
}

readable! {
    Str(StrRef<'a>),
    List(ListRef<'a>),
    Set(SetRef<'a>),
    SortedSet(SortedSetRef<'a>),
    Hash(HashRef<'a>),
    Stream(StreamRef<'a>),
}

/// A string as it is read.
#[derive(Clone, Copy, Debug)]
pub struct StrRef<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) shared: Option<&'a Arc<Vec<u8>>>,
    pub(crate) form: Form,
}

impl<'a> StrRef<'a> {
    /// Its bytes.
    #[inline]
    pub fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// The buffer of a large one, for sending it without a copy.
    #[inline]
    pub fn shared(self) -> Option<&'a Arc<Vec<u8>>> {
        self.shared
    }

    /// What OBJECT ENCODING must know.
    #[inline]
    pub fn form(self) -> Form {
        self.form
    }
}

/// The LFU counter of a new key.
const LFU_CREDIT: u32 = 5;

/// The 24 bits that eviction knows of a key: seconds of its last access (LRU), or minutes << 8 and a
/// logarithmic counter (LFU), as Redis keeps them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct AccessClock(u32);

impl AccessClock {
    /// From a number, of which 24 bits are kept.
    #[inline]
    pub const fn new(bits: u32) -> AccessClock {
        AccessClock(bits & 0xFF_FFFF)
    }

    /// The LRU clock at a time.
    #[inline]
    pub const fn lru(unix_ms: u64) -> AccessClock {
        AccessClock((unix_ms / 1000) as u32 & 0xFF_FFFF)
    }

    /// The LFU clock of a new key: it has a small credit, so that it is not evicted before its second use.
    #[inline]
    pub const fn lfu(unix_ms: u64) -> AccessClock {
        AccessClock(AccessClock::minutes(unix_ms) << 8 | LFU_CREDIT)
    }

    const fn minutes(unix_ms: u64) -> u32 {
        (unix_ms / 60_000) as u32 & 0xFFFF
    }

    /// The LFU counter at a time: it has lost one for each `decay_minutes` since the last access; with 0
    /// minutes it loses nothing.
    pub const fn frequency(self, unix_ms: u64, decay_minutes: u32) -> u32 {
        let (now, then) = (AccessClock::minutes(unix_ms), self.0 >> 8);
        // 16 bits of minutes go round; Redis takes 65535 of them for a round.
        let passed = if now >= then { now - then } else { 0xFFFF - then + now };
        let counter = self.0 & 0xFF;
        match passed.checked_div(decay_minutes) {
            Some(lost) => counter.saturating_sub(lost),
            None => counter,
        }
    }

    /// The LFU clock after one more access: the counter grows with a probability that falls with its
    /// height. `random` is any number, all equally likely.
    pub fn lfu_accessed(self, unix_ms: u64, log_factor: u32, decay_minutes: u32, random: u64) -> AccessClock {
        let counter = self.frequency(unix_ms, decay_minutes);
        let above = f64::from(counter.saturating_sub(LFU_CREDIT));
        let chance = 1.0 / (above * f64::from(log_factor) + 1.0);
        // The top 53 bits as a number below one.
        let grows = counter < 255 && (random >> 11) as f64 / (1u64 << 53) as f64 <= chance;
        AccessClock(AccessClock::minutes(unix_ms) << 8 | (counter + u32::from(grows)))
    }

    /// The 24 bits.
    #[inline]
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// A value taken out of the keyspace, with all that belongs to it but its key.
#[derive(Clone, Debug)]
pub struct OwnedRecord {
    /// The value.
    pub value: OwnedValue,
    /// Its expiry, unix ms.
    pub expiry: Option<u64>,
    /// Its access clock.
    pub clock: AccessClock,
}

/// A value that belongs to nobody yet.
#[derive(Clone, Debug)]
pub enum OwnedValue {
    /// A small string.
    Inline(Vec<u8>, Form),
    /// A large one.
    Shared(Arc<Vec<u8>>, Form),
    /// A small collection: its type, the number of its encoding, its bytes.
    Compact(ValueType, u8, Vec<u8>),
    /// A large collection.
    Large(Large),
}

impl OwnedValue {
    /// To be stored: by itself where it is large, else by its bytes, which go to `bytes`.
    pub fn into_new(self, bytes: &mut Vec<u8>) -> NewValue<'_> {
        match self {
            OwnedValue::Inline(own, form) => {
                *bytes = own;
                NewValue::Copy(bytes, form)
            }
            OwnedValue::Shared(buffer, form) => NewValue::Shared(buffer, form),
            OwnedValue::Compact(value_type, form, own) => {
                *bytes = own;
                NewValue::Compact(value_type, form, bytes)
            }
            OwnedValue::Large(large) => NewValue::Large(large),
        }
    }

    /// A collection of any type.
    pub fn of(collection: impl Collection) -> OwnedValue {
        fn stored<T: Collection>(collection: T) -> OwnedValue {
            match collection.into_parts() {
                Parts::Compact(form, bytes) => OwnedValue::Compact(T::TYPE, form, bytes),
                Parts::Large(large) => OwnedValue::Large(large),
            }
        }
        stored(collection)
    }
}

/// What an insertion found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replaced {
    /// The key was not there.
    New,
    /// The key was there, and its value is gone.
    Old,
}

/// How far a bounded piece of work came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Progress {
    /// Steps used up.
    pub steps: usize,
    /// Keys removed or records moved.
    pub changed: usize,
    /// There is nothing more to do for now; otherwise call again.
    pub done: bool,
}
