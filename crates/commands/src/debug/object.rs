//! DEBUG OBJECT, LISTPACK and HTSTATS-KEY: how one value is kept.
//!
//! `serializedlength` is what Redis 7.2 would write of the value, without its kind and footer. Values are never
//! shared, so `refcount` is 1. LISTPACK answers what Redis prints on its own standard output. A table has
//! neither slots nor chains that Redis's words would fit: HTSTATS-KEY tells what there is to tell.

use datatypes::hash::HashRef;
use datatypes::list::{ListRef, NodeRef};
use datatypes::listpack::{Item, Listpack};
use datatypes::set::SetRef;
use datatypes::sorted_set::SortedSetRef;
use keyspace::{AccessClock, Entry, ValueRef};
use persistence::Encoder;
use std::fmt::Write;

/// The version of RDB that Redis 7.2 writes.
const REDIS_7_2: u16 = 11;
/// Bytes that are serialised at once, to be counted.
const STEP: usize = 64 * 1024;
/// Bytes of an element that LISTPACK shows.
const SHOWN: usize = 64;

/// The status of DEBUG OBJECT.
pub(super) fn line(entry: Entry<'_>, listpack_size: i32, now_ms: u64) -> String {
    let lru = entry.clock().get();
    let idle = AccessClock::lru(now_ms).get().wrapping_sub(lru) & 0xFF_FFFF;
    let mut line = format!(
        "Value at:{:p} refcount:1 encoding:{} serializedlength:{} lru:{lru} lru_seconds_idle:{idle}",
        entry.key().as_ptr(),
        crate::keys::encoding_name(entry.value()),
        serialized_length(entry),
    );
    if let ValueRef::List(ListRef::Large(list)) = entry.value() {
        let (nodes, bytes) = (list.node_count(), list.nodes().map(node_bytes).sum::<usize>());
        let average = list.len() as f64 / nodes as f64;
        let _ = write!(
            line,
            " ql_nodes:{nodes} ql_avg_node:{average:.2} ql_listpack_max:{listpack_size} ql_compressed:0 \
             ql_uncompressed_size:{bytes}"
        );
    }
    line
}

fn node_bytes(node: NodeRef<'_>) -> usize {
    match node {
        NodeRef::Plain(element) => element.len(),
        NodeRef::Packed(listpack) => listpack.bytes().len(),
    }
}

fn serialized_length(entry: Entry<'_>) -> usize {
    let value = crate::dump::value::to_write(entry.value());
    let (mut encoder, mut bytes, mut length) = (Encoder::new(REDIS_7_2), Vec::new(), 0);
    loop {
        let done = encoder.step(value, STEP, &mut bytes);
        length += bytes.len();
        bytes.clear();
        if done {
            return length;
        }
    }
}

/// The elements of a value that is one listpack.
pub(super) fn listpack(value: ValueRef<'_>) -> Option<String> {
    let bytes = match value {
        ValueRef::List(ListRef::Listpack(bytes))
        | ValueRef::Set(SetRef::Listpack(bytes))
        | ValueRef::SortedSet(SortedSetRef::Listpack(bytes))
        | ValueRef::Hash(HashRef::Listpack(bytes) | HashRef::ListpackEx(bytes)) => bytes,
        _ => return None,
    };
    let listpack = Listpack::new(bytes);
    let mut text = format!("bytes: {}, elements: {}\n", bytes.len(), listpack.len());
    for (index, item) in listpack.iter().enumerate() {
        let _ = match item {
            Item::Int(number) => writeln!(text, "{index}: integer {number}"),
            Item::Str(bytes) => {
                let shown = &bytes[..bytes.len().min(SHOWN)];
                writeln!(text, "{index}: string of {} bytes \"{}\"", bytes.len(), shown.escape_ascii())
            }
        };
    }
    Some(text)
}

/// What is known of a value's table.
pub(super) fn table(value: ValueRef<'_>) -> Option<String> {
    let (elements, bytes) = match value {
        ValueRef::Set(set @ SetRef::Large(large)) => (set.len(), large.memory()),
        ValueRef::Hash(hash @ HashRef::Large(large)) => (hash.len(), large.memory()),
        ValueRef::SortedSet(set @ SortedSetRef::Large(large)) => (set.len(), large.memory()),
        _ => return None,
    };
    Some(format!("Hash table 0 stats (main hash table):\n number of elements: {elements}\n bytes: {bytes}\n"))
}
