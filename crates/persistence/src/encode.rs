//! Writing a value, in steps.
//!
//! An [`Encoder`] is given the value again and again, each time for a budget of bytes; between two steps
//! the core does other work. It keeps its place by number, rank, cursor or id, not by reference: the value
//! must be the same at each step, but may have been put aside in between.
//!
//! 1. The kind ([`Encoder::kind`]) is the oldest that holds all of the value and that the receiver knows:
//!    a set's listpack and a consumer's active time are lost on 7.0, a field's expiry is never.
//! 2. Compact forms are copied as they are. So a payload that came from Redis leaves as it came.
//! 3. A step ends after an element or blob.

use crate::dump::COMMON_VERSION;
use crate::encode_hash;
use crate::encode_stream::StreamCursor;
use crate::value::{kind, ValueRef, NODE_LISTPACK, NODE_PLAIN};
use crate::write::{self, Writer};
use datatypes::hash::HashRef;
use datatypes::list::{ListRef, NodeRef};
use datatypes::set::SetRef;
use datatypes::sorted_set::SortedSetRef;

/// Elements of a table that are asked for at once.
const SCAN: usize = 16;

/// A value that is being written.
pub struct Encoder {
    version: u16,
    writer: Writer,
    cursor: Cursor,
}

/// How far a value is written.
#[derive(Clone, Copy)]
enum Cursor {
    Start,
    /// So many nodes of a list, or the elements of a sorted set above this rank.
    Count(usize),
    /// The elements of a table before this cursor.
    Scan(u64),
    Stream(StreamCursor),
    End,
}

impl Encoder {
    /// For a receiver that reads payloads of this version.
    pub fn new(version: u16) -> Encoder {
        Encoder { version, writer: Writer::new(), cursor: Cursor::Start }
    }

    /// What is written in front of the value.
    pub fn kind(&self, value: ValueRef<'_>) -> u8 {
        match value {
            ValueRef::String(_) => kind::STRING,
            ValueRef::List(_) => kind::LIST_LISTPACKS,
            ValueRef::Set(SetRef::Intset(_)) => kind::SET_INTSET,
            ValueRef::Set(SetRef::Listpack(_)) if self.version > COMMON_VERSION => kind::SET_LISTPACK,
            ValueRef::Set(_) => kind::SET,
            ValueRef::SortedSet(SortedSetRef::Listpack(_)) => kind::SORTED_SET_LISTPACK,
            ValueRef::SortedSet(_) => kind::SORTED_SET,
            ValueRef::Hash(hash) => encode_hash::kind_of(hash),
            ValueRef::Stream(_) if self.version > COMMON_VERSION => kind::STREAM_3,
            ValueRef::Stream(_) => kind::STREAM_2,
        }
    }

    /// Begins with another value.
    pub fn reset(&mut self) {
        self.cursor = Cursor::Start;
    }

    /// Appends about so many bytes of the value; whether that was the rest of it.
    pub fn step(&mut self, value: ValueRef<'_>, budget: usize, into: &mut Vec<u8>) -> bool {
        let kind = self.kind(value);
        let until = into.len().saturating_add(budget.max(1));
        let writer = &mut self.writer;
        self.cursor = match value {
            _ if matches!(self.cursor, Cursor::End) => Cursor::End,
            ValueRef::String(text) => whole(writer, text, into),
            ValueRef::List(ListRef::Listpack(bytes)) => {
                // As if it were a large list's only node.
                write::length(1, into);
                write::length(NODE_LISTPACK, into);
                whole(writer, bytes, into)
            }
            ValueRef::Set(SetRef::Listpack(bytes)) if kind == kind::SET_LISTPACK => {
                whole(writer, bytes, into)
            }
            ValueRef::Set(SetRef::Intset(bytes)) => whole(writer, bytes, into),
            ValueRef::SortedSet(SortedSetRef::Listpack(bytes)) => whole(writer, bytes, into),
            ValueRef::Hash(hash) if encode_hash::blob(hash, writer, into) => Cursor::End,
            ValueRef::List(list) => self.list(list, until, into),
            ValueRef::Set(set) => self.set(set, until, into),
            ValueRef::SortedSet(set) => self.sorted_set(set, until, into),
            ValueRef::Hash(hash) => self.hash(hash, until, into),
            ValueRef::Stream(stream) => {
                let cursor = match self.cursor {
                    Cursor::Stream(cursor) => cursor,
                    _ => StreamCursor::start(stream.get(), into),
                };
                let enough = |into: &Vec<u8>| into.len() >= until;
                let next = cursor.advance(kind, stream.get(), writer, into, enough);
                next.map_or(Cursor::End, Cursor::Stream)
            }
        };
        matches!(self.cursor, Cursor::End)
    }

    fn list(&mut self, list: ListRef<'_>, until: usize, into: &mut Vec<u8>) -> Cursor {
        let ListRef::Large(list) = list else { unreachable!("a listpack was written as a whole") };
        let from = match self.cursor {
            Cursor::Count(count) => count,
            _ => {
                write::length(list.node_count() as u64, into);
                0
            }
        };
        for (count, node) in list.nodes().enumerate().skip(from) {
            if into.len() >= until {
                return Cursor::Count(count);
            }
            let (container, bytes) = match node {
                NodeRef::Plain(element) => (NODE_PLAIN, element),
                NodeRef::Packed(pack) => (NODE_LISTPACK, pack.bytes()),
            };
            write::length(container, into);
            self.writer.string(bytes, into);
        }
        Cursor::End
    }

    fn set(&mut self, set: SetRef<'_>, until: usize, into: &mut Vec<u8>) -> Cursor {
        let mut cursor = self.scan_cursor(set.len(), into);
        loop {
            let writer = &mut self.writer;
            cursor =
                set.scan(cursor, SCAN, &mut |member| member.with_bytes(|member| writer.string(member, into)));
            if cursor == 0 {
                return Cursor::End;
            }
            if into.len() >= until {
                return Cursor::Scan(cursor);
            }
        }
    }

    /// Where to go on in a table; at its beginning its length is written.
    fn scan_cursor(&self, len: usize, into: &mut Vec<u8>) -> u64 {
        match self.cursor {
            Cursor::Scan(cursor) => cursor,
            _ => {
                write::length(len as u64, into);
                0
            }
        }
    }

    /// The highest first: whoever reads it then always adds at the front.
    fn sorted_set(&mut self, set: SortedSetRef<'_>, until: usize, into: &mut Vec<u8>) -> Cursor {
        let mut left = match self.cursor {
            Cursor::Count(left) => left,
            _ => {
                write::length(set.len() as u64, into);
                set.len()
            }
        };
        for (member, score) in set.range(0..left).rev() {
            if into.len() >= until {
                return Cursor::Count(left);
            }
            member.with_bytes(|member| self.writer.string(member, into));
            write::binary_double(score, into);
            left -= 1;
        }
        Cursor::End
    }

    fn hash(&mut self, hash: HashRef<'_>, until: usize, into: &mut Vec<u8>) -> Cursor {
        let mut cursor = match self.cursor {
            Cursor::Scan(cursor) => cursor,
            _ => {
                encode_hash::start(hash, into);
                0
            }
        };
        loop {
            cursor = encode_hash::scan(hash, cursor, SCAN, &mut self.writer, into);
            if cursor == 0 {
                return Cursor::End;
            }
            if into.len() >= until {
                return Cursor::Scan(cursor);
            }
        }
    }
}

fn whole(writer: &mut Writer, bytes: &[u8], into: &mut Vec<u8>) -> Cursor {
    writer.string(bytes, into);
    Cursor::End
}
