//! One core's share of the keys.
//!
//! ```text
//!     database -> slot -> Table (24 bytes) -> segments -> records
//! ```
//!
//! 1. What is emptied at once (FLUSHALL, a dropped slot, a huge value) is put aside as garbage and freed
//!    by [`Keyspace::background`], step by step.
//! 2. A slot that is lent or borrowed is a slot as any other: its tables come and go by pointer (rule R5),
//!    its blocks stay in the pages of the core that made them (rule R11).

use crate::chunk::give_back_within;
use crate::cursor::Cursor;
use crate::defragment::Defragmenter;
use crate::entry::Entry;
use crate::expire::{ExpiryWalk, Gone};
use crate::memory::Memory;
use crate::place::{hash, locate_in, Key, Place};
use crate::record::{Boxed, Draft, Record};
use crate::table::Table;
use crate::value::{AccessClock, Form, NewValue, OwnedRecord, Progress, Replaced, INLINE_MAX};
use crate::watch::Watch;
use datatypes::collection::Large;
use slot::{Slot, SLOT_COUNT};
use std::ops::Range;
use std::sync::Arc;

pub use crate::chunk::Chunk;
pub use crate::memory::FreeChain;
pub use crate::watch::Touched;

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

/// The tables of one database.
struct Database {
    slots: Box<[Table]>,
    /// Keys of each group of [`GROUP`] slots, so that the slot of the nth key is found quickly.
    groups: [usize; SLOT_COUNT / GROUP],
    keys: usize,
    volatile: usize,
}

const GROUP: usize = 128;

impl Database {
    fn new() -> Database {
        Database {
            slots: vec![Table::EMPTY; SLOT_COUNT].into_boxed_slice(),
            groups: [0; SLOT_COUNT / GROUP],
            keys: 0,
            volatile: 0,
        }
    }

    /// Takes a slot's table out, or puts another in.
    fn exchange(&mut self, slot: Slot, table: Table) -> Table {
        let old = std::mem::replace(&mut self.slots[slot.index()], table);
        self.keys = self.keys + table.keys as usize - old.keys as usize;
        let group = &mut self.groups[slot.index() / GROUP];
        *group = *group + table.keys as usize - old.keys as usize;
        self.volatile = self.volatile + table.volatile as usize - old.volatile as usize;
        old
    }
}

/// What was emptied and is not freed yet.
#[derive(Default)]
struct Garbage {
    tables: Vec<Table>,
    buffers: Vec<Arc<Vec<u8>>>,
    collections: Vec<Large>,
    /// A huge buffer that is on its way, and how much of it has gone.
    going: Option<(Vec<u8>, usize)>,
}

impl Garbage {
    /// Lets a value go: now if that is quick, else step by step.
    #[inline]
    fn discard(&mut self, boxed: Option<Boxed>) {
        match boxed {
            Some(Boxed::Buffer(buffer)) if buffer.capacity() > HUGE => self.buffers.push(buffer),
            Some(Boxed::Large(large)) if large.memory() > FREE_AT_ONCE => self.collections.push(large),
            _ => {}
        }
    }

    /// Lets some of a huge buffer or of a collection go. Whether there was one.
    fn step(&mut self) -> bool {
        if let Some((buffer, gone)) = &mut self.going {
            // Who else still refers to a buffer frees it; this one is ours alone.
            *gone = give_back_within(buffer, *gone, FREE_STEP);
            if *gone >= buffer.capacity() {
                self.going = None;
            }
            return true;
        }
        if let Some(collection) = self.collections.last_mut() {
            if collection.dismantle(DISMANTLE_STEPS) {
                self.collections.pop();
            }
            return true;
        }
        let Some(buffer) = self.buffers.pop() else { return false };
        self.going = Arc::into_inner(buffer).map(|mut buffer| {
            buffer.clear();
            (buffer, 0)
        });
        true
    }
}

/// One core's share of the keys of all databases.
pub struct Keyspace {
    setup: Setup,
    pub(crate) memory: Memory,
    databases: Vec<Option<Box<Database>>>,
    garbage: Garbage,
    expiry_walk: ExpiryWalk,
    defragmenter: Defragmenter,
    pub(crate) stats: Stats,
    pub(crate) expired: Vec<ExpiredKey>,
    /// The state of the generator of [`Keyspace::random_number`].
    random: u64,
    /// Where small collections are changed.
    pub(crate) scratch: Vec<u8>,
    watch: Watch,
}

/// Freed at once up to this size; above, by [`Keyspace::background`].
const HUGE: usize = 1 << 20;
/// Collections up to this size are freed at once.
const FREE_AT_ONCE: usize = 64 << 10;
/// Pieces of a collection that go in one step.
const DISMANTLE_STEPS: usize = 512;
/// Bytes of a huge value that go in one step: some 0.1 ms of the kernel's time.
const FREE_STEP: usize = 2 << 20;

/// A slot of all databases, on its way to another core. It must arrive at one: dropped, it leaks.
#[must_use]
pub struct LentSlot {
    slot: Slot,
    parts: Vec<(u16, Table)>,
    /// Whether somebody watches it, and what was touched meanwhile.
    watched: bool,
    touched: Vec<Touched>,
}

impl LentSlot {
    /// Which slot it is.
    pub fn slot(&self) -> Slot {
        self.slot
    }
}

impl Keyspace {
    /// An empty keyspace. Cheap: what costs memory is made with the first key that needs it.
    pub fn new(setup: Setup) -> Keyspace {
        Keyspace {
            setup,
            memory: Memory::new(setup.core),
            databases: (0..setup.databases).map(|_| None).collect(),
            garbage: Garbage::default(),
            expiry_walk: ExpiryWalk::default(),
            defragmenter: Defragmenter::default(),
            stats: Stats::default(),
            expired: Vec::new(),
            random: setup.hash_seed ^ u64::from(setup.core) << 56,
            scratch: Vec::new(),
            watch: Watch::default(),
        }
    }

    /// A number for the logarithmic counters of LFU: of a sequence that the setup determines (splitmix64).
    pub(crate) fn random_number(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ self.random >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
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

    #[inline]
    fn table(&self, db: u16, slot: Slot) -> Option<&Table> {
        let database = self.databases.get(usize::from(db))?.as_ref()?;
        Some(&database.slots[slot.index()])
    }

    /// First stage of a batch: asks for the cache line in which the key's table entry is.
    #[inline]
    pub fn prefetch_entry(&self, db: u16, at: Place) {
        if let Some(table) = self.table(db, at.slot) {
            table.prefetch(at.hash);
        }
    }

    /// Second stage of a batch, once the entries had time to arrive: asks for the key's record.
    #[inline]
    pub fn prefetch_record(&self, db: u16, at: Place) {
        if let Some(table) = self.table(db, at.slot) {
            table.prefetch_record(at.hash);
        }
    }

    #[inline]
    pub(crate) fn find_record(&self, db: u16, at: Place, key: &[u8]) -> Option<Record> {
        self.table(db, at.slot)?.find(at.hash, key)
    }

    /// The entry of a key, expired or not.
    #[inline]
    pub fn find(&self, db: u16, at: Place, key: &[u8]) -> Option<Entry<'_>> {
        self.find_record(db, at, key).map(Entry::of)
    }

    /// Sets the access clock of a key; whether the key is there.
    pub fn set_clock(&mut self, db: u16, at: Place, key: &[u8], clock: AccessClock) -> bool {
        self.find_record(db, at, key).map(|record| record.set_clock(clock)).is_some()
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
        let draft = Draft { key, value, expiry, clock };
        match self.find_record(db, at, key) {
            Some(old) => {
                self.replace_record(db, at, old, draft);
                Replaced::Old
            }
            None => {
                self.insert_record(db, at, draft);
                Replaced::New
            }
        }
    }

    fn database(&mut self, db: u16) -> &mut Database {
        self.databases[usize::from(db)].get_or_insert_with(|| Box::new(Database::new()))
    }

    /// Puts in a key that is not there.
    pub(crate) fn insert_record(&mut self, db: u16, at: Place, draft: Draft<'_>) -> Record {
        let record = Record::create(&mut self.memory, draft);
        let seed = self.setup.hash_seed;
        let Keyspace { memory, databases, .. } = self;
        let database = databases[usize::from(db)].get_or_insert_with(|| Box::new(Database::new()));
        database.slots[at.slot.index()].insert(memory, &|key| hash(seed, key), at.hash, record);
        database.groups[at.slot.index() / GROUP] += 1;
        database.keys += 1;
        self.changed(db, at.slot, record, false);
        record
    }

    /// Notes that a record was made, or what it holds has changed; `was_volatile` is what it said of itself before.
    #[inline]
    pub(crate) fn changed(&mut self, db: u16, slot: Slot, record: Record, was_volatile: bool) {
        self.note_due(db, slot, record, was_volatile);
        self.touched(db, slot, record);
    }

    /// Tells whoever watches the slot that what this record's key holds has changed, or goes.
    #[inline]
    pub(crate) fn touched(&mut self, db: u16, slot: Slot, record: Record) {
        if self.watch.is_on(slot) {
            self.watch.note(db, slot, record.key());
        }
    }

    /// Starts or stops listing the keys of a slot whose values change ([`Keyspace::take_touched`]).
    pub fn watch_slot(&mut self, slot: Slot, on: bool) {
        self.watch.set(slot, on);
    }

    /// Whether [`Keyspace::take_touched`] would return any.
    #[inline]
    pub fn has_touched(&self) -> bool {
        self.watch.has_touched()
    }

    /// Keys of watched slots that were made, changed or removed since the last call, oldest first, as far as their
    /// slots are wanted. Those of a slot that is lent stay, and travel with it.
    pub fn take_touched(&mut self, of: impl Fn(Slot) -> bool) -> Vec<Touched> {
        self.watch.take(of)
    }

    /// Overwrites what a key holds. Nothing of `draft` may lie in `old`.
    pub(crate) fn replace_record(&mut self, db: u16, at: Place, old: Record, draft: Draft<'_>) {
        let was_volatile = old.is_volatile();
        let (record, boxed) = old.replace(&mut self.memory, draft);
        self.garbage.discard(boxed);
        if record != old {
            self.database(db).slots[at.slot.index()].repoint(at.hash, old, record);
        }
        self.changed(db, at.slot, record, was_volatile);
    }

    /// Counts a record, or no longer, by what is due of it now.
    #[inline]
    fn note_due(&mut self, db: u16, slot: Slot, record: Record, was_volatile: bool) {
        let due = record.due();
        if was_volatile || due.is_some() {
            record.set_volatile(due.is_some());
            self.note_expiry(db, slot, was_volatile, due);
        }
    }

    /// Keeps count of the keys that will expire, whole or in part, and of the earliest time.
    fn note_expiry(&mut self, db: u16, slot: Slot, before: bool, after: Option<u64>) {
        let database = self.database(db);
        let table = &mut database.slots[slot.index()];
        if let Some(at) = after {
            table.next_expiry = if table.volatile == 0 { at } else { table.next_expiry.min(at) };
        }
        if before != after.is_some() {
            let change = if after.is_some() { 1 } else { -1 };
            table.volatile = table.volatile.wrapping_add_signed(change);
            database.volatile = database.volatile.wrapping_add_signed(change as isize);
        }
    }

    /// Sets or clears the expiry of a key; whether the key is there.
    pub fn set_expiry(&mut self, db: u16, at: Place, key: &[u8], expiry: Option<u64>) -> bool {
        let Some(record) = self.find_record(db, at, key) else { return false };
        self.set_record_expiry(db, &Key { bytes: key, place: at }, record, expiry);
        true
    }

    pub(crate) fn set_record_expiry(&mut self, db: u16, key: &Key<'_>, record: Record, expiry: Option<u64>) {
        let at = key.place;
        match (record.expiry(), expiry) {
            (None, None) => {}
            (Some(_), Some(to)) => {
                record.set_expiry(to);
                self.note_due(db, at.slot, record, true);
            }
            _ => {
                // The record has another size then: it is made anew, from a copy of its value.
                let (clock, mut bytes) = (record.clock(), Vec::new());
                let value = record.take_value(&mut self.memory).into_new(&mut bytes);
                self.replace_record(db, at, record, Draft { key: key.bytes, value, expiry, clock });
            }
        }
    }

    /// Adds `tail` to a string, which becomes [`Form::Raw`]. Returns its new length, or `None` if
    /// there is no such key.
    pub fn append(&mut self, db: u16, at: Place, key: &[u8], tail: &[u8]) -> Option<usize> {
        let len = self.find(db, at, key).map(|entry| entry.string().bytes.len())?;
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
        let record = self.find_record(db, at, key)?;
        Some(self.write_record(db, &Key { bytes: key, place: at }, record, offset, bytes))
    }

    pub(crate) fn write_record(
        &mut self,
        db: u16,
        key: &Key<'_>,
        record: Record,
        offset: usize,
        bytes: &[u8],
    ) -> usize {
        let string = record.string();
        let (old, end) = (string.bytes.len(), offset + bytes.len());
        let len = old.max(end);
        if string.shared.is_some() {
            record.edit_box(&mut self.memory, |buffer| {
                if len > buffer.capacity() {
                    buffer.reserve_exact(with_room(len) - buffer.len());
                }
                buffer.resize(len, 0);
                buffer[offset..end].copy_from_slice(bytes);
            });
        } else if end <= old {
            record.overwrite(offset, bytes);
        } else {
            // Room to grow where the value is about to leave its record, none where it stays inline.
            // Zeros from the system cost nothing before they are touched, so a far offset is no pause.
            let mut buffer = vec![0; if len > INLINE_MAX { with_room(len) } else { len }];
            buffer.truncate(len);
            buffer[..old].copy_from_slice(string.bytes);
            buffer[offset..end].copy_from_slice(bytes);
            let value = match len > INLINE_MAX {
                true => NewValue::Shared(Arc::new(buffer), Form::Raw),
                false => NewValue::Copy(&buffer, Form::Raw),
            };
            let (expiry, clock) = (record.expiry(), record.clock());
            self.replace_record(db, key.place, record, Draft { key: key.bytes, value, expiry, clock });
        }
        len
    }

    /// Removes a key; whether it was there. A huge value is freed later, by [`Keyspace::background`].
    pub fn remove(&mut self, db: u16, at: Place, key: &[u8]) -> bool {
        let Some(record) = self.find_record(db, at, key) else { return false };
        self.remove_record(db, at, record);
        true
    }

    /// Removes a key that was found.
    pub(crate) fn remove_record(&mut self, db: u16, at: Place, record: Record) {
        self.unlink(db, at, record);
        let boxed = record.free(&mut self.memory);
        self.garbage.discard(boxed);
    }

    /// Takes a record out of its table; its block is the caller's.
    fn unlink(&mut self, db: u16, at: Place, record: Record) {
        self.touched(db, at.slot, record);
        if record.is_volatile() {
            self.note_expiry(db, at.slot, true, None);
        }
        let Keyspace { memory, databases, garbage, .. } = self;
        let database = databases[usize::from(db)].as_mut().expect("the record was found in it");
        let table = &mut database.slots[at.slot.index()];
        table.remove(memory, at.hash, record);
        if table.is_hollow() {
            garbage.tables.push(std::mem::replace(table, Table::EMPTY));
        }
        database.groups[at.slot.index() / GROUP] -= 1;
        database.keys -= 1;
    }

    /// Removes a key and returns what it held.
    pub fn take(&mut self, db: u16, at: Place, key: &[u8]) -> Option<OwnedRecord> {
        let record = self.find_record(db, at, key)?;
        Some(self.take_record(db, at, record))
    }

    pub(crate) fn take_record(&mut self, db: u16, at: Place, record: Record) -> OwnedRecord {
        let (expiry, clock) = (record.expiry(), record.clock());
        self.unlink(db, at, record);
        let value = record.take_value(&mut self.memory);
        let nothing = record.free(&mut self.memory);
        debug_assert!(nothing.is_none());
        OwnedRecord { value, expiry, clock }
    }

    /// Puts a value that was taken or copied under a key.
    pub fn put(&mut self, db: u16, at: Place, key: &[u8], record: OwnedRecord) -> Replaced {
        let mut bytes = Vec::new();
        self.insert(db, at, key, record.value.into_new(&mut bytes), record.expiry, record.clock)
    }

    /// Keys in a database.
    pub fn len(&self, db: u16) -> usize {
        self.databases[usize::from(db)].as_ref().map_or(0, |database| database.keys)
    }

    /// Whether a database has no key.
    pub fn is_empty(&self, db: u16) -> bool {
        self.len(db) == 0
    }

    /// Keys of a database that have an expiry, or fields that have one.
    pub fn volatile_len(&self, db: u16) -> usize {
        self.databases[usize::from(db)].as_ref().map_or(0, |database| database.volatile)
    }

    /// Keys of a slot in a database.
    pub fn slot_len(&self, db: u16, slot: Slot) -> usize {
        self.table(db, slot).map_or(0, |table| table.keys as usize)
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
        let end = Cursor::at_slot(slots.end);
        let (Some(first), Some(Some(database))) = (cursor.slot(), self.databases.get(usize::from(db))) else {
            return end;
        };
        let seed = self.setup.hash_seed;
        let (mut seen, mut prefix) = (0, cursor.prefix());
        for number in first.get().max(slots.start)..slots.end {
            let Some(slot) = Slot::new(number) else { break };
            if number != first.get() {
                prefix = 0;
            }
            if seen >= budget {
                return Cursor::within(slot, prefix);
            }
            let table = &database.slots[slot.index()];
            let next = table.walk(&|key| hash(seed, key), prefix, budget - seen, |_, record| {
                seen += 1;
                f(Entry::of(record));
            });
            if next >> crate::cursor::PREFIX_BITS == 0 {
                return Cursor::within(slot, next);
            }
        }
        end
    }

    /// A random key of a database, if it has any: the slot by its number of keys, then a place in it.
    pub fn random(&self, db: u16, random: &mut dyn FnMut() -> u64) -> Option<Entry<'_>> {
        let database = self.databases[usize::from(db)].as_ref().filter(|database| database.keys > 0)?;
        let mut nth = (random() % database.keys as u64) as usize;
        let group = database.groups.iter().position(|&keys| match nth.checked_sub(keys) {
            Some(rest) => {
                nth = rest;
                false
            }
            None => true,
        })?;
        for table in &database.slots[group * GROUP..(group + 1) * GROUP] {
            match nth.checked_sub(table.keys as usize) {
                Some(rest) => nth = rest,
                None => return table.random(random).map(Entry::of),
            }
        }
        None
    }

    /// Up to `max` keys of a slot.
    pub fn keys_in_slot(&self, db: u16, slot: Slot, max: usize) -> Vec<Vec<u8>> {
        let mut keys = Vec::new();
        let seed = self.setup.hash_seed;
        if let Some(table) = self.table(db, slot) {
            table.walk(&|key| hash(seed, key), 0, max, |_, record| {
                if keys.len() < max {
                    keys.push(record.key().to_vec());
                }
            });
        }
        keys
    }

    /// Drops all keys of a slot in all databases; freed later, by [`Keyspace::background`].
    pub fn drop_slot(&mut self, slot: Slot) {
        for (_, table) in self.detach(slot).parts {
            self.garbage.tables.push(table);
        }
    }

    /// Empties a database at once; the memory is freed later, by [`Keyspace::background`].
    pub fn flush_db(&mut self, db: u16) {
        // The database itself stays: a new one would cost the next command the page faults of its tables.
        let Some(database) = &mut self.databases[usize::from(db)] else { return };
        for table in database.slots.iter_mut() {
            if database.keys == 0 {
                break;
            }
            if table.keys > 0 {
                database.keys -= table.keys as usize;
                self.garbage.tables.push(std::mem::replace(table, Table::EMPTY));
            }
        }
        database.groups.fill(0);
        database.volatile = 0;
    }

    /// Empties all databases.
    pub fn flush_all(&mut self) {
        (0..self.setup.databases).for_each(|db| self.flush_db(db));
    }

    /// Exchanges the contents of two databases.
    pub fn swap_db(&mut self, a: u16, b: u16) {
        let mut walk = std::mem::take(&mut self.expiry_walk);
        walk.leave(self);
        self.expiry_walk = walk;
        self.databases.swap(usize::from(a), usize::from(b));
    }

    /// Removes expired keys, and expired fields of hashes, in at most about `budget` steps (a step looks at one
    /// record; to remove a field takes some), of the slots that `home` allows: those that are at home and not
    /// locked. `f` sees what was removed.
    pub fn active_expire(
        &mut self,
        now_ms: u64,
        budget: usize,
        home: impl Fn(Slot) -> bool,
        f: impl FnMut(u16, Slot, Gone<'_>),
    ) -> Progress {
        let mut walk = std::mem::take(&mut self.expiry_walk);
        let progress = walk.step(self, now_ms, budget, home, f);
        self.expiry_walk = walk;
        progress
    }

    pub(crate) fn table_mut(&mut self, db: u16, slot: Slot) -> Option<&mut Table> {
        let database = self.databases.get_mut(usize::from(db))?.as_mut()?;
        Some(&mut database.slots[slot.index()])
    }

    /// Moves records and tables out of sparse pages, and pages of other cores, in at most about
    /// `budget` steps (a step looks at one record), and gives emptied memory back to the system. Only
    /// touches slots that `home` allows.
    pub fn defragment(&mut self, budget: usize, home: impl Fn(Slot) -> bool) -> Progress {
        let Keyspace { memory, databases, defragmenter, .. } = self;
        let tables = databases.iter_mut().map(|db| db.as_mut().map(|db| &mut *db.slots));
        defragmenter.step(memory, &mut tables.collect::<Vec<_>>(), budget, home)
    }

    /// Frees what FLUSHALL, dropped slots, huge values and other cores left, in at most about `budget`
    /// steps (a step frees one record; a piece of a huge value ends the call). Whether there is more to do.
    pub fn background(&mut self, budget: usize) -> bool {
        let Keyspace { memory, garbage, .. } = self;
        if garbage.step() {
            return true;
        }
        let mut freed = memory.take_back(budget);
        loop {
            if freed >= budget {
                return true;
            }
            // Taken out, so that what its records hold can be put beside it.
            let Some(mut table) = garbage.tables.pop() else { return false };
            let more = table.drop_segment(memory, |memory, record| {
                freed += 1;
                garbage.discard(record.free(memory));
            });
            freed += 1;
            if more {
                garbage.tables.push(table);
            }
        }
    }

    /// Lets a large collection go: at once if that is quick, else by [`Keyspace::background`].
    pub fn discard(&mut self, large: Large) {
        self.garbage.discard(Some(Boxed::Large(large)));
    }

    /// Takes a slot out of all databases, to be sent to another core.
    pub fn detach(&mut self, slot: Slot) -> LentSlot {
        let mut parts = Vec::new();
        for (db, database) in self.databases.iter_mut().enumerate() {
            if let Some(database) = database.as_mut().filter(|db| db.slots[slot.index()].keys > 0) {
                parts.push((db as u16, database.exchange(slot, Table::EMPTY)));
            }
        }
        let (watched, touched) = self.watch.leave(slot);
        LentSlot { slot, parts, watched, touched }
    }

    /// Puts a slot in, or back.
    pub fn attach(&mut self, lent: LentSlot) {
        self.watch.join(lent.slot, lent.watched, lent.touched);
        for (db, mut table) in lent.parts {
            // A walk may have been in the middle of it: it begins anew.
            table.next_expiry = 0;
            let before = self.database(db).exchange(lent.slot, table);
            assert!(before.keys == 0, "a slot is held by one core at a time");
        }
    }

    /// Blocks freed here that belong to other cores' pages: send each chain to its owner.
    pub fn take_foreign_frees(&mut self) -> impl Iterator<Item = FreeChain> + '_ {
        self.memory.take_foreign()
    }

    /// Takes back blocks of this core that others freed; a long chain in the steps of
    /// [`Keyspace::background`].
    pub fn give_back(&mut self, chain: FreeChain) {
        self.memory.give_back(chain);
    }

    /// How much memory there is, and what for.
    pub fn memory(&self) -> MemoryUse {
        self.memory.usage()
    }

    /// How many chunks a control thread should populate and supply now, if any.
    pub fn poll_chunk_wish(&mut self) -> Option<usize> {
        self.memory.wishes_chunk().then_some(1)
    }

    /// Takes a chunk for later use.
    pub fn supply_chunk(&mut self, chunk: Chunk) {
        self.memory.supply(chunk);
    }

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

/// The capacity of a growing value: twice as much at first, an eighth more once it is large, for memory
/// that is reserved is also counted.
fn with_room(len: usize) -> usize {
    len + if len < HUGE { len } else { len / 8 }
}

impl Keyspace {
    /// Frees everything, for the orderly end of several keyspaces in one process: first all are
    /// dismantled, then each gets the blocks that the others freed, and only then are they dropped.
    pub fn dismantle(&mut self) -> Vec<FreeChain> {
        self.flush_all();
        while self.background(usize::MAX) {}
        self.memory.take_foreign().collect()
    }
}

impl Drop for Keyspace {
    /// Alone, a keyspace frees what does not lie in its memory's own chunks: boxed values, large records,
    /// directories. Where there are other cores its records may lie in their chunks, which may be gone
    /// already: then that is what [`Keyspace::dismantle`] is for, and a process that ends needs neither.
    fn drop(&mut self) {
        if self.setup.cores == 1 {
            let _ = self.dismantle();
        }
    }
}
