//! A database as a command sees it: expired keys are not there, reads are counted and remembered.
//!
//! [`Keyspace`] stores; this is where time enters. A key whose expiry has passed is removed by the
//! first command that meets it, and listed ([`Keyspace::take_expired`]) so that the log and the
//! notifications learn of it. Where keys must not expire by themselves (on a replica, while paused) it
//! is only hidden, and while a log is being read it is shown as any other.

use crate::edit::{Edit, WrongType};
use crate::entry::Entry;
use crate::keyspace::{ExpiredKey, Keyspace};
use crate::place::Key;
use crate::record::Record;
use crate::spot::Spot;
use crate::value::{AccessClock, NewValue, OwnedRecord, Readable, Replaced};
use datatypes::collection::Collection;

/// What a read leaves on the access clock of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    /// Nothing (CLIENT NO-TOUCH). A new value has the time.
    No,
    /// Nothing, under an LFU policy: a new key has the counter that new keys have.
    NoLfu,
    /// The time.
    Lru,
    /// One access more, with a probability that falls with their number.
    Lfu {
        /// `lfu-log-factor`.
        log_factor: u32,
        /// `lfu-decay-time`, minutes.
        decay_minutes: u32,
    },
}

/// What becomes of a key whose time has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expired {
    /// It is removed and listed.
    Remove,
    /// It is not shown, but stays: its removal is somebody else's decision.
    Hide,
    /// It is shown as if it had no expiry.
    Show,
}

/// How a view treats what it meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// What reads leave on the access clock.
    pub touch: Touch,
    /// What becomes of expired keys.
    pub expired: Expired,
}

impl Default for Access {
    fn default() -> Access {
        Access { touch: Touch::Lru, expired: Expired::Remove }
    }
}

/// What becomes of the expiry of a key that is overwritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpiryChange {
    /// It stays as it is (KEEPTTL); a new key has none.
    Keep,
    /// The key has none.
    Clear,
    /// Unix ms.
    At(u64),
}

/// A database as a command sees it.
pub struct View<'k> {
    keyspace: &'k mut Keyspace,
    db: u16,
    now_ms: u64,
    access: Access,
}

impl<'k> View<'k> {
    /// Of a database, at a time.
    #[inline]
    pub fn new(keyspace: &'k mut Keyspace, db: u16, now_ms: u64, access: Access) -> View<'k> {
        View { keyspace, db, now_ms, access }
    }

    /// The database that it shows.
    pub fn db(&self) -> u16 {
        self.db
    }

    /// The time that it takes for now, unix ms.
    pub fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// Whether keys are shown whose time has come: nothing expires by itself here.
    pub fn shows_expired(&self) -> bool {
        self.access.expired == Expired::Show
    }

    /// All that lies below.
    pub fn keyspace(&mut self) -> &mut Keyspace {
        self.keyspace
    }

    /// Another database, seen in the same way.
    #[inline]
    pub fn in_db(&mut self, db: u16) -> View<'_> {
        View { keyspace: self.keyspace, db, now_ms: self.now_ms, access: self.access }
    }

    /// A key and its place. When the place is known already, build the [`Key`] from it.
    #[inline]
    pub fn locate<'a>(&self, key: &'a [u8]) -> Key<'a> {
        Key { bytes: key, place: self.keyspace.locate(key) }
    }

    /// Reads a key: counts a hit or a miss and touches its clock.
    #[inline]
    pub fn find(&mut self, key: &Key<'_>) -> Option<Entry<'_>> {
        let Some(record) = self.live(key) else {
            self.keyspace.stats.misses += 1;
            return None;
        };
        self.keyspace.stats.hits += 1;
        self.touch(record);
        Some(Entry::of(record))
    }

    /// Reads a key that must hold this type, as [`View::find`] does.
    #[inline]
    pub fn read<'a, R: Readable<'a>>(&'a mut self, key: &Key<'_>) -> Result<Option<R>, WrongType> {
        match self.find(key) {
            Some(entry) => R::of(entry.value()).map(Some).ok_or(WrongType),
            None => Ok(None),
        }
    }

    /// Takes the collection under a key to be changed, as [`View::open`] does; an empty one where nothing is.
    #[inline]
    pub fn edit<'a, T: Collection>(&'a mut self, key: &Key<'a>) -> Result<Edit<'a, T>, WrongType> {
        self.open(key).edit()
    }

    /// Reads a key in order to change it: no hit or miss, but its clock is touched.
    pub fn find_for_write(&mut self, key: &Key<'_>) -> Option<Entry<'_>> {
        let record = self.live(key)?;
        self.touch(record);
        Some(Entry::of(record))
    }

    /// Finds a key's place in order to change what is there, in one look-up: no hit or miss, but the clock
    /// of what is there is touched.
    #[inline]
    pub fn open<'a>(&'a mut self, key: &Key<'a>) -> Spot<'a> {
        let record = self.live(key);
        if let Some(record) = record {
            self.touch(record);
        }
        let clock = match (self.access.touch, record) {
            (Touch::Lru | Touch::No, _) => AccessClock::lru(self.now_ms),
            // A key keeps its frequency when its value changes.
            (Touch::Lfu { .. } | Touch::NoLfu, Some(record)) => record.clock(),
            (Touch::Lfu { .. } | Touch::NoLfu, None) => AccessClock::lfu(self.now_ms),
        };
        Spot { keyspace: self.keyspace, db: self.db, key: *key, record, clock }
    }

    /// Reads a key that is counted as a hit or a miss, but is not touched (TTL, TYPE, OBJECT).
    #[inline]
    pub fn look(&mut self, key: &Key<'_>) -> Option<Entry<'_>> {
        let found = self.live(key);
        let stats = &mut self.keyspace.stats;
        *(if found.is_some() { &mut stats.hits } else { &mut stats.misses }) += 1;
        found.map(Entry::of)
    }

    /// Looks at a key and leaves no trace (DEBUG, SCAN's TYPE filter): nothing is counted, touched or
    /// removed.
    pub fn peek(&self, key: &Key<'_>) -> Option<Entry<'_>> {
        let entry = self.keyspace.find(self.db, key.place, key.bytes)?;
        (!self.is_expired(&entry)).then_some(entry)
    }

    /// Whether a key is there: counts a hit or a miss, and touches nothing (EXISTS).
    pub fn exists(&mut self, key: &Key<'_>) -> bool {
        self.look(key).is_some()
    }

    /// Whether this entry, met in a scan, must not be shown.
    pub fn is_expired(&self, entry: &Entry<'_>) -> bool {
        self.access.expired != Expired::Show && entry.expiry().is_some_and(|expiry| expiry < self.now_ms)
    }

    /// Stores a value, whatever was there.
    #[inline]
    pub fn set(&mut self, key: &Key<'_>, value: NewValue<'_>, expiry: ExpiryChange) -> Replaced {
        self.open(key).set(value, expiry)
    }

    /// Adds to a string; where nothing is, `tail` is stored as by SET. Returns the new length.
    pub fn append(&mut self, key: &Key<'_>, tail: &[u8]) -> usize {
        self.open(key).append(tail)
    }

    /// Writes into a string, which is made if it is not there, with zeros in any gap. Returns its new
    /// length.
    pub fn write_range(&mut self, key: &Key<'_>, offset: usize, bytes: &[u8]) -> usize {
        self.open(key).write_range(offset, bytes)
    }

    /// Removes a key; whether it was there.
    pub fn remove(&mut self, key: &Key<'_>) -> bool {
        self.open(key).remove()
    }

    /// Sets or clears the expiry of a key, whose clock is not touched; whether the key is there.
    pub fn set_expiry(&mut self, key: &Key<'_>, expiry: Option<u64>) -> bool {
        let found = self.live(key);
        if let Some(record) = found {
            self.keyspace.set_record_expiry(self.db, key, record, expiry);
        }
        found.is_some()
    }

    /// Removes a key and returns what it held (RENAME, MOVE, GETDEL).
    pub fn take(&mut self, key: &Key<'_>) -> Option<OwnedRecord> {
        let record = self.live(key)?;
        Some(self.keyspace.take_record(self.db, key.place, record))
    }

    /// Puts what was taken, or copied with [`Entry::to_owned_record`], under a key.
    pub fn put(&mut self, key: &Key<'_>, record: OwnedRecord) -> Replaced {
        self.open(key).put(record)
    }

    /// The key's record, if it is there and its time has not come; removes it if it has.
    #[inline]
    fn live(&mut self, key: &Key<'_>) -> Option<Record> {
        let record = self.keyspace.find_record(self.db, key.place, key.bytes)?;
        match record.expiry() {
            Some(expiry) if expiry < self.now_ms && self.access.expired != Expired::Show => {
                self.expire(key, record);
                None
            }
            _ => Some(record),
        }
    }

    #[cold]
    fn expire(&mut self, key: &Key<'_>, record: Record) {
        if self.access.expired == Expired::Remove {
            self.keyspace.remove_record(self.db, key.place, record);
            self.keyspace.stats.expired += 1;
            let name = ExpiredKey { db: self.db, slot: key.place.slot, key: key.bytes.to_vec() };
            self.keyspace.expired.push(name);
        }
    }

    #[inline]
    fn touch(&mut self, record: Record) {
        match self.access.touch {
            Touch::No | Touch::NoLfu => {}
            Touch::Lru => record.set_clock(AccessClock::lru(self.now_ms)),
            Touch::Lfu { log_factor, decay_minutes } => {
                let random = self.keyspace.random_number();
                let clock = record.clock().lfu_accessed(self.now_ms, log_factor, decay_minutes, random);
                record.set_clock(clock);
            }
        }
    }
}
