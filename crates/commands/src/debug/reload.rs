//! DEBUG RELOAD: every value is written as bytes and read back.
//!
//! There are no files yet, so it happens in memory, a key at a time: the payload and the new value of one key
//! are all that is there twice. What it proves is the codec. A key whose time has come is not loaded, as with
//! a file: it expires. Access clocks stay.
//!
//! Encodings are chosen anew by the limits in force, as when a file is loaded.

use crate::dump::value;
use crate::Visit;
use keyspace::{Cursor, OwnedRecord, View};
use persistence::dump::NEWEST_VERSION;
use persistence::{Dump, Limits};
use slot::SLOTS;

/// Names that are held at once.
const NAMES: usize = 128;

/// Reloads what one core holds.
pub(super) fn here(visit: &mut Visit<'_>) {
    // Nothing that is here is too long to come back.
    let limits = Limits { string_bytes: usize::MAX, ..value::limits(visit.limits, visit.config) };
    let mut payload = Vec::new();
    for db in 0..visit.keyspace.setup().databases {
        let mut keys = View::new(visit.keyspace, db, visit.now.unix_ms(), visit.access);
        let (mut cursor, mut names) = (Cursor::START, Vec::new());
        loop {
            cursor = keys.keyspace().scan(db, cursor, 0..SLOTS, NAMES, |entry| {
                names.push(entry.key().to_vec());
            });
            for name in names.drain(..) {
                reload(&mut keys, &name, &limits, &mut payload);
            }
            if cursor == Cursor::START {
                break;
            }
        }
    }
}

fn reload(keys: &mut View<'_>, name: &[u8], limits: &Limits, payload: &mut Vec<u8>) {
    let key = keys.locate(name);
    let Some(entry) = keys.peek(&key) else {
        // Whoever opens it finds that its time has come.
        keys.open(&key);
        return;
    };
    let (expiry, clock) = (entry.expiry(), entry.clock());
    payload.clear();
    let written = Dump::new(NEWEST_VERSION).step(value::to_write(entry.value()), usize::MAX, payload);
    assert!(written, "no value is larger than memory");
    let read = persistence::restore(payload, limits);
    let read = read.unwrap_or_else(|error| {
        panic!("what was written of a {} cannot be read: {error}", { entry.value_type().name() })
    });
    keys.put(&key, OwnedRecord { value: value::to_store(read), expiry, clock });
}
