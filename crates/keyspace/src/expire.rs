//! The active part of expiry: a walk over the slots that have keys about to expire.
//!
//! Each table knows a time before which none of its keys expires. A walk skips tables whose time has not
//! come, and while it goes through one it learns that table's next time:
//!
//!     next_expiry: old --walk begins--> never --insertions lower it--> ... --walk ends--> the earliest seen
//!
//! 1. Bounded: it stops between two entries of different hash prefixes, and goes on there the next time.
//! 2. A walk that leaves a table before its end (the slot is locked, the databases are exchanged) makes
//!    the table due again: no key may be forgotten.
//! 3. As in Redis a key has expired once its time is past, not when it is reached.

use crate::keyspace::Keyspace;
use crate::place::{hash, Place};
use crate::value::Progress;
use slot::{Slot, SLOTS};

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
        mut f: impl FnMut(u16, Slot, &[u8]),
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
        f: &mut impl FnMut(u16, Slot, &[u8]),
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
            match record.expiry() {
                Some(expiry) if expiry < now_ms => due.push((hash, record)),
                Some(expiry) => earliest = earliest.min(expiry),
                None => {}
            }
        });
        for (hash, record) in due {
            f(self.db, slot, record.key());
            keys.remove_record(self.db, Place { slot, hash }, record);
            keys.stats.expired += 1;
            progress.changed += 1;
        }
        self.prefix = next;
        self.earliest = Some(earliest);
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
