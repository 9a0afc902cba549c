//! Writing a hash; the layouts are in `decode_hash.rs`.
//!
//! A hash none of whose fields expires is written as Redis 7.0 reads it. One with times is for 7.4 and
//! later only: no older form has room for them.

use crate::decode_hash::NEVER_EXPIRED;
use crate::value::kind;
use crate::write::{self, Writer};
use datatypes::hash::HashRef;

pub(crate) fn kind_of(hash: HashRef<'_>) -> u8 {
    match (hash, hash.next_expiry()) {
        (HashRef::Listpack(_), _) => kind::HASH_LISTPACK,
        (HashRef::ListpackEx(_), Some(_)) => kind::HASH_EXPIRING_LISTPACK,
        (HashRef::Large(_), Some(_)) => kind::HASH_EXPIRING,
        (_, None) => kind::HASH,
    }
}

/// Writes a hash that is one blob; false if it is not.
pub(crate) fn blob(hash: HashRef<'_>, writer: &mut Writer, into: &mut Vec<u8>) -> bool {
    match (hash, hash.next_expiry()) {
        (HashRef::Listpack(bytes), _) => writer.string(bytes, into),
        (HashRef::ListpackEx(bytes), Some(earliest)) => {
            write::milliseconds(earliest as i64, into);
            writer.string(bytes, into);
        }
        _ => return false,
    }
    true
}

/// Writes what stands before the fields.
pub(crate) fn start(hash: HashRef<'_>, into: &mut Vec<u8>) {
    if let Some(earliest) = hash.next_expiry() {
        write::milliseconds(earliest as i64, into);
    }
    write::length(hash.len() as u64, into);
}

/// Writes about `count` fields from a cursor on; the next cursor, 0 at the end.
pub(crate) fn scan(
    hash: HashRef<'_>,
    cursor: u64,
    count: usize,
    writer: &mut Writer,
    into: &mut Vec<u8>,
) -> u64 {
    let earliest = hash.next_expiry();
    hash.scan(cursor, count, NEVER_EXPIRED, &mut |field, value| {
        field.with_bytes(|field| {
            if let Some(earliest) = earliest {
                let expiry = hash.expiry(field, NEVER_EXPIRED).flatten();
                write::length(expiry.map_or(0, |expiry| expiry - earliest + 1), into);
            }
            writer.string(field, into);
        });
        value.with_bytes(|value| writer.string(value, into));
    })
}
