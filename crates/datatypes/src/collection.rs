//! What all collections have in common, for whom stores them without looking inside.
//!
//! A small collection is bytes in one of Redis's compact encodings; a large one is a structure on the heap.
//! The keyspace keeps the bytes in the key's record and the structure by its pointer, and needs of each
//! type only the way from the one form to the other:
//!
//!     record bytes --from_compact--> T --edited--> into_parts --> record bytes
//!     record's box --from_large----> T --edited--> into_parts --> record's box
//!
//! [`Form`](Compact::form) numbers the compact encodings of a type; the number stands in two bits of the record.

use crate::hash::{Hash, HashRef, LargeHash};
use crate::list::{List, ListRef, Quicklist};
use crate::set::{LargeSet, Set, SetRef};
use crate::sorted_set::{LargeSortedSet, SortedSet, SortedSetRef};
use crate::stream::{Stream, StreamLarge, StreamRef};

/// The type of a value, as TYPE names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ValueType {
    /// A string.
    String = 0,
    /// A list.
    List = 1,
    /// A set.
    Set = 2,
    /// A sorted set.
    SortedSet = 3,
    /// A hash.
    Hash = 4,
    /// A stream.
    Stream = 5,
}

impl ValueType {
    /// All of them, by number.
    pub const ALL: [ValueType; 6] = [
        ValueType::String,
        ValueType::List,
        ValueType::Set,
        ValueType::SortedSet,
        ValueType::Hash,
        ValueType::Stream,
    ];

    /// What TYPE answers.
    pub fn name(self) -> &'static str {
        match self {
            ValueType::String => "string",
            ValueType::List => "list",
            ValueType::Set => "set",
            ValueType::SortedSet => "zset",
            ValueType::Hash => "hash",
            ValueType::Stream => "stream",
        }
    }
}

/// A collection in one of the two forms that can be stored.
#[derive(Clone, Debug)]
pub enum Parts {
    /// Bytes of a compact encoding, and its number among those of the type.
    Compact(u8, Vec<u8>),
    /// A structure on the heap.
    Large(Large),
}

impl std::fmt::Debug for Large {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a large {}", self.value_type().name())
    }
}

/// A type of collections.
pub trait Collection: Sized {
    /// Which type it is.
    const TYPE: ValueType;
    /// An empty one, in memory that is at hand.
    fn empty_in(memory: Vec<u8>) -> Self;
    /// From bytes that [`Collection::into_parts`] gave.
    fn from_compact(form: u8, bytes: Vec<u8>) -> Self;
    /// From a structure of this type.
    ///
    /// # Panics
    /// Where it is of another type.
    fn from_large(large: Large) -> Self;
    /// To be stored.
    fn into_parts(self) -> Parts;
    /// Whether nothing is in it, so that its key is to go. (A stream may be empty and stay.)
    fn is_gone(&self) -> bool;
}

macro_rules! large {
    ($($name:ident($large:ty),)*) => {
        /// A large collection of any type.
        #[derive(Clone)]
        pub enum Large {
            $(
                #[doc = concat!("Of the type ", stringify!($name), ".")]
                $name(Box<$large>),
            )*
        }

        impl Large {
            /// Its type.
            pub fn value_type(&self) -> ValueType {
                match self {
                    $(Large::$name(_) => ValueType::$name,)*
                }
            }

            /// Bytes of heap that it holds.
            pub fn memory(&self) -> usize {
                match self {
                    $(Large::$name(large) => large.memory(),)*
                }
            }

            /// Frees about so many of its pieces; whether nothing is left.
            pub fn dismantle(&mut self, steps: usize) -> bool {
                match self {
                    $(Large::$name(large) => large.dismantle(steps),)*
                }
            }
        }
    };
}

large! {
    List(Quicklist),
    Set(LargeSet),
    SortedSet(LargeSortedSet),
    Hash(LargeHash),
    Stream(StreamLarge),
}

/// What [`crate::listpack::create`] makes.
const EMPTY_LISTPACK: [u8; 7] = [7, 0, 0, 0, 0, 0, 0xff];

/// An empty listpack in memory that is at hand.
fn listpack_in(mut memory: Vec<u8>) -> Vec<u8> {
    memory.clear();
    memory.extend_from_slice(&EMPTY_LISTPACK);
    memory
}

macro_rules! collection {
    ($type:ident, $empty:expr, $is_gone:expr, [$($form:literal => $compact:ident),*]) => {
        impl Collection for $type {
            const TYPE: ValueType = ValueType::$type;

            #[inline]
            fn empty_in(memory: Vec<u8>) -> $type {
                let make: fn(Vec<u8>) -> $type = $empty;
                make(memory)
            }

            #[inline]
            fn from_compact(form: u8, bytes: Vec<u8>) -> $type {
                match form {
                    $($form => $type::$compact(bytes),)*
                    _ => unreachable!("form {form}, {} bytes: there is no such encoding", bytes.len()),
                }
            }

            #[inline]
            fn from_large(large: Large) -> $type {
                match large {
                    Large::$type(large) => $type::Large(large),
                    other => panic!("{:?} is no {:?}", other.value_type(), ValueType::$type),
                }
            }

            #[inline]
            fn into_parts(self) -> Parts {
                match self {
                    $($type::$compact(bytes) => Parts::Compact($form, bytes),)*
                    $type::Large(large) => Parts::Large(Large::$type(large)),
                }
            }

            #[inline]
            fn is_gone(&self) -> bool {
                let is_gone: fn(&$type) -> bool = $is_gone;
                is_gone(self)
            }
        }
    };
}

collection!(List, |memory| List::Listpack(listpack_in(memory)), |list| list.as_ref().is_empty(), [0 => Listpack]);
collection!(Set, |_| Set::new(), |set| set.is_empty(), [0 => Listpack, 1 => Intset]);
collection!(
    SortedSet,
    |memory| SortedSet::Listpack(listpack_in(memory)),
    |set| set.as_ref().is_empty(),
    [0 => Listpack]
);
collection!(
    Hash,
    |memory| Hash::Listpack(listpack_in(memory)),
    |hash| hash.as_ref().is_empty(),
    [0 => Listpack, 1 => ListpackEx]
);
collection!(Stream, |_| Stream::new(), |_| false, []);

macro_rules! collection_ref {
    ($type:ident, $owned:ident, [$($form:literal => $compact:ident),*]) => {
        impl<'a> $type<'a> {
            /// From bytes that [`Collection::into_parts`] gave.
            #[inline]
            pub fn from_compact(form: u8, bytes: &'a [u8]) -> $type<'a> {
                match form {
                    $($form => $type::$compact(bytes),)*
                    _ => unreachable!("form {form}, {} bytes: there is no such encoding", bytes.len()),
                }
            }

            /// A copy of it all.
            pub fn copied(self) -> $owned {
                match self {
                    $($type::$compact(bytes) => $owned::$compact(bytes.to_vec()),)*
                    $type::Large(large) => $owned::Large(Box::new(large.clone())),
                }
            }
        }
    };
}

collection_ref!(ListRef, List, [0 => Listpack]);
collection_ref!(SetRef, Set, [0 => Listpack, 1 => Intset]);
collection_ref!(SortedSetRef, SortedSet, [0 => Listpack]);
collection_ref!(HashRef, Hash, [0 => Listpack, 1 => ListpackEx]);
collection_ref!(StreamRef, Stream, []);
