//! A value of any type, owned or borrowed, and which form it takes.

use datatypes::hash::{Hash, HashRef};
use datatypes::list::{List, ListRef};
use datatypes::set::{Set, SetRef};
use datatypes::sorted_set::{SortedSet, SortedSetRef};
use datatypes::stream::{Stream, StreamRef};

/// A value that was read.
#[derive(Clone)]
pub enum Value {
    /// A string; who stores it finds out whether it is an integer.
    String(Vec<u8>),
    /// A list.
    List(List),
    /// A set.
    Set(Set),
    /// A sorted set.
    SortedSet(SortedSet),
    /// A hash.
    Hash(Hash),
    /// A stream.
    Stream(Stream),
}

/// A value to be written.
#[derive(Clone, Copy)]
pub enum ValueRef<'a> {
    /// A string, an integer's text included.
    String(&'a [u8]),
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

impl Value {
    /// To write it.
    pub fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Value::String(text) => ValueRef::String(text),
            Value::List(list) => ValueRef::List(list.as_ref()),
            Value::Set(set) => ValueRef::Set(set.as_ref()),
            Value::SortedSet(set) => ValueRef::SortedSet(set.as_ref()),
            Value::Hash(hash) => ValueRef::Hash(hash.as_ref()),
            Value::Stream(stream) => ValueRef::Stream(stream.as_ref()),
        }
    }
}

/// The numbers that stand before values: what comes is in this form.
pub mod kind {
    /// A string.
    pub const STRING: u8 = 0;
    /// A list, element by element.
    pub const LIST: u8 = 1;
    /// A set, member by member.
    pub const SET: u8 = 2;
    /// A sorted set, scores as text.
    pub const SORTED_SET_TEXT: u8 = 3;
    /// A hash, field by field.
    pub const HASH: u8 = 4;
    /// A sorted set, scores as doubles.
    pub const SORTED_SET: u8 = 5;
    /// A hash in a zipmap.
    pub const HASH_ZIPMAP: u8 = 9;
    /// A list in a ziplist.
    pub const LIST_ZIPLIST: u8 = 10;
    /// A set in an intset.
    pub const SET_INTSET: u8 = 11;
    /// A sorted set in a ziplist.
    pub const SORTED_SET_ZIPLIST: u8 = 12;
    /// A hash in a ziplist.
    pub const HASH_ZIPLIST: u8 = 13;
    /// A list in ziplists.
    pub const LIST_ZIPLISTS: u8 = 14;
    /// A stream of Redis 5.0.
    pub const STREAM: u8 = 15;
    /// A hash in a listpack.
    pub const HASH_LISTPACK: u8 = 16;
    /// A sorted set in a listpack.
    pub const SORTED_SET_LISTPACK: u8 = 17;
    /// A list in listpacks and large elements.
    pub const LIST_LISTPACKS: u8 = 18;
    /// A stream of Redis 7.0.
    pub const STREAM_2: u8 = 19;
    /// A set in a listpack.
    pub const SET_LISTPACK: u8 = 20;
    /// A stream of Redis 7.2.
    pub const STREAM_3: u8 = 21;
    /// A hash with expiry times, as only 7.4's release candidates wrote it.
    pub const HASH_EXPIRING_DRAFT: u8 = 22;
    /// The same in a listpack.
    pub const HASH_EXPIRING_LISTPACK_DRAFT: u8 = 23;
    /// A hash with expiry times, field by field.
    pub const HASH_EXPIRING: u8 = 24;
    /// A hash with expiry times in a listpack.
    pub const HASH_EXPIRING_LISTPACK: u8 = 25;
}

/// The form of a list's node: an element by itself.
pub(crate) const NODE_PLAIN: u64 = 1;
/// The form of a list's node: a listpack.
pub(crate) const NODE_LISTPACK: u64 = 2;
