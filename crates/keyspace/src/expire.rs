//! The active part of expiry: a walk over the slots that have keys about to expire.
//!
//! Each table knows a time before which none of its keys expires, nor a field of a hash in it. A walk skips tables whose time has not
//! come, and while it goes through one it learns that table's next time:
//!
//!     next_expiry: old --walk begins--> never --insertions lower it--> ... --walk ends--> the earliest seen
//!
//! 1. Bounded: it stops between two entries of different hash prefixes, and goes on there the next time.
//! 2. A walk that leaves a table before its end (the slot is locked, the databases are exchanged) makes
//!    the table due again: no key may be forgotten.
//! 3. As in Redis a key has expired once its time is past, not when it is reached.
//! 4. A hash of which fields have expired loses as many as the budget allows, and its key with the last one. If some
//!    are left, the walk comes back to it at once the next time: it stays at that hash prefix.

use crate::keyspace::Keyspace;
use crate::place::{hash, Key, Place};
use crate::record::Record;
use crate::spot::Spot;
use crate::value::Progress;
use datatypes::hash::Hash;
use slot::{Slot, SLOTS};

/// What the active cycle removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone<'a> {
    /// A key with all that it held.
    Key(&'a [u8]),
    /// Fields of a hash. If they were its last ones, the key is gone, too, as after an HDEL of them.
    Fields {
        /// The key of the hash.
        key: &'a [u8],
        /// Their names.
        fields: &'a [Vec<u8>],
    },
}

/// Fields of one hash that a call removes, however little of its budget is left.
const FIELDS_AT_LEAST: usize = 16;
/// Steps that the removal of a field counts for: it takes a microsecond, a look at a record a part of that.
const FIELD_STEPS: usize = 8;

/// Where the walk is.
#[derive(Debug, Default)]
pub(crate) struct ExpiryWalk {
    db: u16,
    slot: u16,
    /// Hash prefix at which it goes on in this slot.
    prefix: u64,
    /// The earliest expiry that it has seen in this slot, if it has begun with it.
    earliest: Option<u64>,
}

impl ExpiryWalk {
    /// Forgets where it was in the slot, before its end. What it had learned goes with it, so the slot's
    /// time becomes unknown, which is: due.
    pub fn leave(&mut self, keys: &mut Keyspace) {
        if self.earliest.take().is_some() {
            self.prefix = 0;
            let slot = Slot::new(self.slot).expect("the walk stays below the number of slots");
            if let Some(table) = keys.table_mut(self.db, slot) {
                table.next_expiry = 0;
            }
        }
    }

    /// See [`Keyspace::active_expire`]. Done when it has been everywhere once.
    pub fn step(
        &mut self,
        keys: &mut Keyspace,
        now_ms: u64,
        budget: usize,
        home: impl Fn(Slot) -> bool,
        mut f: impl FnMut(u16, Slot, Gone<'_>),
    ) -> Progress {
        let mut progress = Progress::default();
        let databases = keys.setup().databases;
        let slots = usize::from(databases) * usize::from(SLOTS);
        let mut visited = 0;
        while visited < slots {
            if keys.volatile_len(self.db) == 0 {
                visited += usize::from(SLOTS - self.slot);
                self.leave(keys);
                self.next_database(databases);
                continue;
            }
            let slot = Slot::new(self.slot).expect("the walk stays below the number of slots");
            if home(slot) && self.is_due(keys, slot, now_ms) {
                if progress.steps >= budget {
                    return progress;
                }
                if !self.walk(keys, slot, now_ms, budget, &mut progress, &mut f) {
                    return progress;
                }
            }
            visited += 1;
            self.next_slot(keys, databases);
        }
        progress.done = true;
        progress
    }

    fn is_due(&self, keys: &mut Keyspace, slot: Slot, now_ms: u64) -> bool {
        let begun = self.earliest.is_some();
        keys.table_mut(self.db, slot)
            .is_some_and(|table| table.volatile > 0 && (begun || table.next_expiry < now_ms))
    }

    /// Goes on in a slot. Whether it came to the slot's end.
    fn walk(
        &mut self,
        keys: &mut Keyspace,
        slot: Slot,
        now_ms: u64,
        budget: usize,
        progress: &mut Progress,
        f: &mut impl FnMut(u16, Slot, Gone<'_>),
    ) -> bool {
        let seed = keys.setup().hash_seed;
        let Some(table) = keys.table_mut(self.db, slot) else { return true };
        let mut earliest = *self.earliest.get_or_insert_with(|| {
            table.next_expiry = u64::MAX;
            u64::MAX
        });
        let mut due = Vec::new();
        let left = budget.saturating_sub(progress.steps).max(1);
        let next = table.walk(&|key| hash(seed, key), self.prefix, left, |hash, record| {
            progress.steps += 1;
            match record.due() {
                Some(expiry) if expiry < now_ms => due.push((hash, record)),
                Some(expiry) => earliest = earliest.min(expiry),
                None => {}
            }
        });
        let mut left_over = false;
        for (hash, record) in due {
            let place = Place { slot, hash };
            if record.expiry().is_some_and(|expiry| expiry < now_ms) {
                f(self.db, slot, Gone::Key(record.key()));
                keys.remove_record(self.db, place, record);
                keys.stats.expired += 1;
                progress.changed += 1;
                continue;
            }
            let most = (budget.saturating_sub(progress.steps) / FIELD_STEPS).max(FIELDS_AT_LEAST);
            let key = record.key().to_vec();
            let (fields, next_due) = expire_fields(keys, self.db, place, &key, record, now_ms, most);
            f(self.db, slot, Gone::Fields { key: &key, fields: &fields });
            progress.steps += fields.len() * FIELD_STEPS;
            progress.changed += fields.len();
            match next_due {
                Some(at) if at < now_ms => left_over = true,
                Some(at) => earliest = earliest.min(at),
                None => {}
            }
        }
        self.earliest = Some(earliest);
        if left_over {
            return false;
        }
        self.prefix = next;
        if next >> crate::cursor::PREFIX_BITS == 0 {
            return false;
        }
        self.earliest = None;
        if let Some(table) = keys.table_mut(self.db, slot) {
            table.next_expiry = table.next_expiry.min(earliest);
        }
        true
    }

    fn next_slot(&mut self, keys: &mut Keyspace, databases: u16) {
        self.leave(keys);
        *self = ExpiryWalk { db: self.db, slot: self.slot + 1, ..ExpiryWalk::default() };
        if self.slot == SLOTS {
            self.next_database(databases);
        }
    }

    fn next_database(&mut self, databases: u16) {
        *self = ExpiryWalk { db: (self.db + 1) % databases, ..ExpiryWalk::default() };
    }
}

/// Removes up to so many expired fields of a hash: their names, and what is due of its key then.
fn expire_fields(
    keys: &mut Keyspace,
    db: u16,
    place: Place,
    key: &[u8],
    record: Record,
    now_ms: u64,
    most: usize,
) -> (Vec<Vec<u8>>, Option<u64>) {
    let (clock, expiry) = (record.clock(), record.expiry());
    let spot = Spot { keyspace: keys, db, key: Key { bytes: key, place }, record: Some(record), clock };
    let mut hash = spot.edit::<Hash>().expect("only fields of hashes are due");
    let mut fields = Vec::new();
    hash.expire_fields(now_ms, most, &mut |field| fields.push(field.to_vec()));
    let left = hash.as_ref().next_expiry();
    let next_due = match hash.is_empty() {
        true => None,
        false => left.into_iter().chain(expiry).min(),
    };
    drop(hash);
    (fields, next_due)
}

#[cfg(test)]
mod tests;
