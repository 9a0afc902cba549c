//! A database as a command sees it: expired keys are not there, reads are counted and remembered.
//!
//! [`Keyspace`] stores; this is where time enters. A key whose expiry has passed is removed by the
//! first command that meets it, and listed ([`Keyspace::take_expired`]) so that the log and the
//! notifications learn of it. Where keys must not expire by themselves (on a replica, while paused) it
//! is only hidden, and while a log is being read it is shown as any other.

use crate::entry::Entry;
use crate::keyspace::{ExpiredKey, Keyspace};
use crate::place::Key;
use crate::record::{Draft, Record};
use crate::value::{AccessClock, NewValue, OwnedRecord, Replaced};

/// What a read leaves on the access clock of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    /// Nothing (CLIENT NO-TOUCH).
    No,
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

    /// Reads a key in order to change it: no hit or miss, but its clock is touched.
    pub fn find_for_write(&mut self, key: &Key<'_>) -> Option<Entry<'_>> {
        let record = self.live(key)?;
        self.touch(record);
        Some(Entry::of(record))
    }

    /// Looks at a key and leaves no trace (OBJECT, DEBUG, SCAN's TYPE filter): nothing is counted,
    /// touched or removed.
    pub fn peek(&self, key: &Key<'_>) -> Option<Entry<'_>> {
        let entry = self.keyspace.find(self.db, key.place, key.bytes)?;
        (!self.is_expired(&entry)).then_some(entry)
    }

    /// Whether a key is there: counts a hit or a miss, and touches nothing (EXISTS).
    pub fn exists(&mut self, key: &Key<'_>) -> bool {
        let there = self.live(key).is_some();
        let stats = &mut self.keyspace.stats;
        *(if there { &mut stats.hits } else { &mut stats.misses }) += 1;
        there
    }

    /// Whether this entry, met in a scan, must not be shown.
    pub fn is_expired(&self, entry: &Entry<'_>) -> bool {
        self.access.expired != Expired::Show && entry.expiry().is_some_and(|expiry| expiry < self.now_ms)
    }

    /// Stores a value, whatever was there.
    #[inline]
    pub fn set(&mut self, key: &Key<'_>, value: NewValue<'_>, expiry: ExpiryChange) -> Replaced {
        let found = self.live(key);
        let expiry = match expiry {
            ExpiryChange::Clear => None,
            ExpiryChange::At(at) => Some(at),
            ExpiryChange::Keep => found.and_then(Record::expiry),
        };
        let draft = Draft { key: key.bytes, value, expiry, clock: self.new_clock() };
        match found {
            Some(old) => {
                self.keyspace.replace_record(self.db, key.place, old, draft);
                Replaced::Old
            }
            None => {
                self.keyspace.insert_record(self.db, key.place, draft);
                Replaced::New
            }
        }
    }

    /// Adds to a string, which is made if it is not there. Returns its new length.
    pub fn append(&mut self, key: &Key<'_>, tail: &[u8]) -> usize {
        self.touch_or_make(key, crate::Form::Auto);
        self.keyspace.append(self.db, key.place, key.bytes, tail).expect("it was there or made just now")
    }

    /// Writes into a string, which is made if it is not there, with zeros in any gap. Returns its new
    /// length.
    pub fn write_range(&mut self, key: &Key<'_>, offset: usize, bytes: &[u8]) -> usize {
        self.touch_or_make(key, crate::Form::Raw);
        self.keyspace
            .write_range(self.db, key.place, key.bytes, offset, bytes)
            .expect("it was there or made just now")
    }

    /// Removes a key; whether it was there.
    pub fn remove(&mut self, key: &Key<'_>) -> bool {
        let found = self.live(key);
        if let Some(record) = found {
            self.keyspace.remove_record(self.db, key.place, record);
        }
        found.is_some()
    }

    /// Sets or clears the expiry of a key; whether the key is there.
    pub fn set_expiry(&mut self, key: &Key<'_>, expiry: Option<u64>) -> bool {
        self.live(key).is_some() && self.keyspace.set_expiry(self.db, key.place, key.bytes, expiry)
    }

    /// Removes a key and returns what it held (RENAME, MOVE, GETDEL).
    pub fn take(&mut self, key: &Key<'_>) -> Option<OwnedRecord> {
        if self.live(key).is_some() {
            self.keyspace.take(self.db, key.place, key.bytes)
        } else {
            None
        }
    }

    /// Puts what was taken, or copied with [`Entry::to_owned_record`], under a key.
    pub fn put(&mut self, key: &Key<'_>, record: OwnedRecord) -> Replaced {
        let there = self.live(key).is_some();
        self.keyspace.put(self.db, key.place, key.bytes, record);
        if there {
            Replaced::Old
        } else {
            Replaced::New
        }
    }

    fn touch_or_make(&mut self, key: &Key<'_>, form: crate::Form) {
        match self.live(key) {
            Some(record) => self.touch(record),
            None => {
                self.set(key, NewValue::Copy(b"", form), ExpiryChange::Clear);
            }
        }
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
        if self.access.touch == Touch::Lru {
            record.set_clock(AccessClock::lru(self.now_ms));
        }
    }

    fn new_clock(&self) -> AccessClock {
        AccessClock::lru(self.now_ms)
    }
}
