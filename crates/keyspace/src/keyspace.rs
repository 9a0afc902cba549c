//! One core's share of the keys.

use crate::cursor::Cursor;
use crate::entry::Entry;
use crate::place::{locate_in, Place};
use crate::twin::{Twin, TwinSlot};
use crate::value::{AccessClock, Form, NewValue, OwnedRecord, OwnedValue, Progress, Replaced};
use slot::Slot;
use std::ops::Range;

/// What a keyspace must be told.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// The core that it belongs to.
    pub core: u8,
    /// How many cores the node has.
    pub cores: u8,
    /// How many databases there are.
    pub databases: u16,
    /// The seed of the hash, the same for all cores of a node.
    pub hash_seed: u64,
}

/// How much memory there is, and what for. Records and segments are counted on the core whose pages
/// they lie in; a large value is counted where it was made and discounted where it is freed, so one
/// core's numbers may be negative and only the sum over all cores has a meaning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryUse {
    /// Bytes in use: records, tables and large values.
    pub used: i64,
    /// Bytes of records, as blocks.
    pub records: i64,
    /// Bytes of segments and directories.
    pub tables: i64,
    /// Bytes of values and records outside the slab.
    pub large: i64,
    /// Bytes taken from the system for records and tables and not given back.
    pub mapped: i64,
    /// Of `mapped`, bytes that are in no use: free blocks and pages.
    pub unused: i64,
}

/// What the keyspace counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Reads that found their key.
    pub hits: u64,
    /// Reads that did not.
    pub misses: u64,
    /// Keys that expired.
    pub expired: u64,
}

/// A key that expired, for the log and for notifications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpiredKey {
    /// Its database.
    pub db: u16,
    /// Its slot.
    pub slot: Slot,
    /// Its name.
    pub key: Vec<u8>,
}

/// One core's share of the keys of all databases.
pub struct Keyspace {
    setup: Setup,
    twin: Twin,
    pub(crate) stats: Stats,
    pub(crate) expired: Vec<ExpiredKey>,
}

/// A slot of all databases, on its way to another core. It must arrive at one: dropped, it leaks.
#[must_use]
pub struct LentSlot {
    slot: Slot,
    parts: TwinSlot,
}

impl LentSlot {
    /// Which slot it is.
    pub fn slot(&self) -> Slot {
        self.slot
    }
}

/// Freed blocks on their way back to the core that owns their pages. Dropped, they leak.
#[must_use]
pub struct FreeChain {
    owner: u8,
}

impl FreeChain {
    /// The core that must get them.
    pub fn owner(&self) -> u8 {
        self.owner
    }
}

/// 2 MB of memory, aligned, in a huge page if the system has one to give.
pub struct Chunk(());

impl Chunk {
    /// Asks the system for one, and touches it. Takes a fraction of a millisecond, so it is done on a
    /// control thread.
    pub fn populate() -> Option<Chunk> {
        Some(Chunk(()))
    }
}

impl Keyspace {
    /// An empty keyspace. Cheap: what costs memory is made with the first key that needs it.
    pub fn new(setup: Setup) -> Keyspace {
        Keyspace { setup, twin: Twin::new(setup.databases), stats: Stats::default(), expired: Vec::new() }
    }

    /// How it was set up.
    pub fn setup(&self) -> Setup {
        self.setup
    }

    /// Where a key lives.
    #[inline]
    pub fn locate(&self, key: &[u8]) -> Place {
        locate_in(self.setup.hash_seed, key)
    }

    /// First stage of a batch: asks for the cache line in which the key's table entry is.
    #[inline]
    pub fn prefetch_entry(&self, _db: u16, _at: Place) {}

    /// Second stage of a batch, once the entries had time to arrive: asks for the key's record.
    #[inline]
    pub fn prefetch_record(&self, _db: u16, _at: Place) {}

    /// The entry of a key, expired or not.
    pub fn find(&self, db: u16, at: Place, key: &[u8]) -> Option<Entry<'_>> {
        self.twin.entry(db, at, key).map(|(key, record)| Entry { key, record })
    }

    /// Sets the access clock of a key; whether the key is there.
    pub fn set_clock(&mut self, db: u16, at: Place, key: &[u8], clock: AccessClock) -> bool {
        self.twin.find_mut(db, at, key).map(|record| record.clock = clock).is_some()
    }

    /// Inserts a key or overwrites what it held.
    pub fn insert(
        &mut self,
        db: u16,
        at: Place,
        key: &[u8],
        value: NewValue<'_>,
        expiry: Option<u64>,
        clock: AccessClock,
    ) -> Replaced {
        self.twin.insert(db, at, key, &value, expiry, clock)
    }

    /// Sets or clears the expiry of a key; whether the key is there.
    pub fn set_expiry(&mut self, db: u16, at: Place, key: &[u8], expiry: Option<u64>) -> bool {
        self.twin.find_mut(db, at, key).map(|record| record.expiry = expiry).is_some()
    }

    /// Adds `tail` to a string, which becomes [`Form::Raw`]. Returns its new length, or `None` if
    /// there is no such key.
    pub fn append(&mut self, db: u16, at: Place, key: &[u8], tail: &[u8]) -> Option<usize> {
        let len = self.twin.find(db, at, key)?.bytes.len();
        self.write_range(db, at, key, len, tail)
    }

    /// Writes `bytes` into a string at `offset`, with zeros in any gap; the string becomes
    /// [`Form::Raw`]. Returns its new length, or `None` if there is no such key.
    pub fn write_range(
        &mut self,
        db: u16,
        at: Place,
        key: &[u8],
        offset: usize,
        bytes: &[u8],
    ) -> Option<usize> {
        let record = self.twin.find_mut(db, at, key)?;
        let end = offset + bytes.len();
        if record.bytes.len() < end {
            record.bytes.resize(end, 0);
        }
        record.bytes[offset..end].copy_from_slice(bytes);
        record.form = Form::Raw;
        Some(record.bytes.len())
    }

    /// Removes a key; whether it was there. A huge value is freed later, by [`Keyspace::background`].
    pub fn remove(&mut self, db: u16, at: Place, key: &[u8]) -> bool {
        self.twin.remove(db, at, key).is_some()
    }

    /// Removes a key and returns what it held.
    pub fn take(&mut self, db: u16, at: Place, key: &[u8]) -> Option<OwnedRecord> {
        let record = self.twin.remove(db, at, key)?;
        let value = OwnedValue::Inline(record.bytes, record.form);
        Some(OwnedRecord { value, expiry: record.expiry, clock: record.clock })
    }

    /// Puts a value that was taken or copied under a key.
    pub fn put(&mut self, db: u16, at: Place, key: &[u8], record: OwnedRecord) -> Replaced {
        self.insert(db, at, key, record.value.as_new(), record.expiry, record.clock)
    }

    /// Keys in a database.
    pub fn len(&self, db: u16) -> usize {
        self.twin.len(db)
    }

    /// Whether a database has no key.
    pub fn is_empty(&self, db: u16) -> bool {
        self.len(db) == 0
    }

    /// Keys of a database that have an expiry.
    pub fn volatile_len(&self, db: u16) -> usize {
        self.twin.volatile_len(db)
    }

    /// Keys of a slot in a database.
    pub fn slot_len(&self, db: u16, slot: Slot) -> usize {
        self.twin.slot_len(db, slot)
    }

    /// Goes on with an iteration over the keys of `slots`: shows at least `budget` of them, if there
    /// are as many, and all keys of one hash prefix together. The result is where to go on; at the
    /// end of the slots it is the start of the slot after them, which is [`Cursor::START`] after the
    /// last of all.
    pub fn scan(
        &self,
        db: u16,
        cursor: Cursor,
        slots: Range<u16>,
        budget: usize,
        mut f: impl FnMut(Entry<'_>),
    ) -> Cursor {
        self.twin.scan(db, cursor, slots, budget, |key, record| f(Entry { key, record }))
    }

    /// A random key of a database, if it has any.
    pub fn random(&self, db: u16, random: &mut dyn FnMut() -> u64) -> Option<Entry<'_>> {
        let len = self.len(db) as u64;
        let nth = if len == 0 { return None } else { random() % len };
        self.twin.iter(db).nth(nth as usize).map(|(key, record)| Entry { key, record })
    }

    /// Up to `max` keys of a slot.
    pub fn keys_in_slot(&self, db: u16, slot: Slot, max: usize) -> Vec<Vec<u8>> {
        self.twin.slot(db, slot).take(max).map(|(key, _)| key.to_vec()).collect()
    }

    /// Drops all keys of a slot in all databases; freed later, by [`Keyspace::background`].
    pub fn drop_slot(&mut self, slot: Slot) {
        let _ = self.twin.detach(slot);
    }

    /// Empties a database at once; the memory is freed later, by [`Keyspace::background`].
    pub fn flush_db(&mut self, db: u16) {
        self.twin.flush(db);
    }

    /// Empties all databases.
    pub fn flush_all(&mut self) {
        (0..self.setup.databases).for_each(|db| self.flush_db(db));
    }

    /// Exchanges the contents of two databases.
    pub fn swap_db(&mut self, a: u16, b: u16) {
        self.twin.swap(a, b);
    }

    /// Removes expired keys, in at most about `budget` steps (a step looks at one record), of the slots
    /// that `home` allows: those that are at home and not locked. `f` sees each removed key.
    pub fn active_expire(
        &mut self,
        now_ms: u64,
        budget: usize,
        home: impl Fn(Slot) -> bool,
        mut f: impl FnMut(u16, Slot, &[u8]),
    ) -> Progress {
        let mut progress = Progress { done: true, ..Progress::default() };
        for db in 0..self.setup.databases {
            let due: Vec<Vec<u8>> = self
                .twin
                .iter(db)
                .filter(|(_, record)| record.expiry.is_some_and(|expiry| expiry <= now_ms))
                .map(|(key, _)| key.to_vec())
                .collect();
            for key in due {
                let at = self.locate(&key);
                if !home(at.slot) {
                    continue;
                }
                if progress.steps >= budget {
                    return Progress { done: false, ..progress };
                }
                self.remove(db, at, &key);
                self.stats.expired += 1;
                f(db, at.slot, &key);
                progress.steps += 1;
                progress.changed += 1;
            }
        }
        progress
    }

    /// Moves records and tables out of sparse pages, and pages of other cores, in at most about
    /// `budget` steps (a step looks at one record), and gives emptied memory back to the system. Only
    /// touches slots that `home` allows.
    pub fn defragment(&mut self, _budget: usize, _home: impl Fn(Slot) -> bool) -> Progress {
        Progress { done: true, ..Progress::default() }
    }

    /// Frees what FLUSHALL, dropped slots and huge values left, in at most about `budget` steps.
    /// Whether there is more to do.
    pub fn background(&mut self, _budget: usize) -> bool {
        false
    }

    /// Takes a slot out of all databases, to be sent to another core.
    pub fn detach(&mut self, slot: Slot) -> LentSlot {
        LentSlot { slot, parts: self.twin.detach(slot) }
    }

    /// Puts a slot in, or back.
    pub fn attach(&mut self, lent: LentSlot) {
        self.twin.attach(lent.parts);
    }

    /// Blocks freed here that belong to other cores' pages: send each chain to its owner.
    pub fn take_foreign_frees(&mut self) -> impl Iterator<Item = FreeChain> + '_ {
        std::iter::empty()
    }

    /// Takes back blocks of this core that others freed.
    pub fn give_back(&mut self, chain: FreeChain) {
        debug_assert_eq!(chain.owner, self.setup.core);
    }

    /// How much memory there is, and what for.
    pub fn memory(&self) -> MemoryUse {
        MemoryUse::default()
    }

    /// How many chunks a control thread should populate and supply now, if any.
    pub fn poll_chunk_wish(&mut self) -> Option<usize> {
        None
    }

    /// Takes a chunk for later use.
    pub fn supply_chunk(&mut self, _chunk: Chunk) {}

    /// What was counted since the last reset.
    pub fn stats(&self) -> Stats {
        self.stats
    }

    /// CONFIG RESETSTAT.
    pub fn reset_stats(&mut self) {
        self.stats = Stats::default();
    }

    /// Keys that were found to be expired, and removed, by views since the last call.
    pub fn take_expired(&mut self) -> Vec<ExpiredKey> {
        std::mem::take(&mut self.expired)
    }

    /// Whether [`Keyspace::take_expired`] would return any.
    #[inline]
    pub fn has_expired(&self) -> bool {
        !self.expired.is_empty()
    }
}
