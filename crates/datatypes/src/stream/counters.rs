//! The numbers of a stream, and what they tell of a group's progress.
//!
//! A group's read counter is the place of its last delivered entry among all entries ever added; its lag is
//! what was added behind. Both are exact while no entry in between was deleted. Deletions are known only by
//! the highest deleted id: while that lies ahead of the group, or is not known to lie behind it, there is no
//! answer.
//!
//! ```text
//!     ever added   x x x x | 5 6 7 8 9        entries_added 9, len 5; trimmed in front: nothing ahead is missing
//!                            ^ first_id       an id before it has counter 4, it has 5, last_id has 9
//! ```
//!
//! This follows 7.2.4 to the letter, its blind spots included: trimming leaves `max_deleted_id` alone.

use super::id::{NewId, StreamId};
use super::AddError;

/// The numbers of a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    /// Live entries.
    pub len: u64,
    /// The id of the entry added last, or what XSETID said.
    pub last_id: StreamId,
    /// The id of the first live entry, 0-0 if there is none.
    pub first_id: StreamId,
    /// The highest id that XDEL removed.
    pub max_deleted_id: StreamId,
    /// Entries ever added.
    pub entries_added: u64,
}

impl Counters {
    /// The id of an entry to be added.
    pub(super) fn new_id(&self, wanted: NewId, now_ms: u64) -> Result<StreamId, AddError> {
        let after_last = self.last_id.next().ok_or(AddError::Exhausted)?;
        let id = match wanted {
            NewId::Given(id) => id,
            NewId::Auto if now_ms > self.last_id.ms => StreamId::new(now_ms, 0),
            NewId::Auto => after_last,
            // The sequence may not carry into the milliseconds.
            NewId::AutoSeq(ms) if ms == self.last_id.ms => {
                if after_last.ms != ms {
                    return Err(AddError::NotAbove);
                }
                after_last
            }
            NewId::AutoSeq(ms) => StreamId::new(ms, 0),
        };
        if id <= self.last_id {
            return Err(AddError::NotAbove);
        }
        Ok(id)
    }

    /// An entry was added.
    pub(super) fn added(&mut self, id: StreamId) {
        self.len += 1;
        self.entries_added = self.entries_added.wrapping_add(1);
        self.last_id = id;
        if self.len == 1 {
            self.first_id = id;
        }
    }

    /// Whether an entry at or above `start` may have been deleted.
    pub(super) fn may_miss_from(&self, start: StreamId) -> bool {
        self.len > 0
            && self.max_deleted_id != StreamId::MIN
            && self.first_id <= self.max_deleted_id
            && start <= self.max_deleted_id
    }

    /// The place of an id among all entries ever added, where it can be known: the read counter of a group
    /// that was delivered all up to it.
    pub fn distance_from_first(&self, id: StreamId) -> Option<u64> {
        if self.entries_added == 0 {
            return Some(0);
        }
        if id == self.last_id || (self.len == 0 && id < self.last_id) {
            return Some(self.entries_added);
        }
        if id > self.last_id {
            return None;
        }
        let whole = self.max_deleted_id == StreamId::MIN || self.max_deleted_id < self.first_id;
        let before_first = self.entries_added.wrapping_sub(self.len);
        match id.cmp(&self.first_id) {
            std::cmp::Ordering::Less if whole => Some(before_first),
            std::cmp::Ordering::Equal if whole => Some(before_first.wrapping_add(1)),
            _ => None,
        }
    }

    /// The read counter of a group that `entries_read` was known of, once it has been delivered `id` as well.
    pub(super) fn read_counter_after(&self, entries_read: Option<u64>, id: StreamId) -> Option<u64> {
        match entries_read {
            Some(read) if !self.may_miss_from(id) => Some(read.wrapping_add(1)),
            _ if self.entries_added > 0 => self.distance_from_first(id),
            unchanged => unchanged,
        }
    }

    /// How many entries a group has yet to be delivered, where it can be known. Negative if XSETID or
    /// ENTRIESREAD lied.
    pub fn lag(&self, last_delivered: StreamId, entries_read: Option<u64>) -> Option<i64> {
        if self.entries_added == 0 {
            return Some(0);
        }
        let read = match entries_read {
            Some(read) if !self.may_miss_from(last_delivered) => read,
            _ => self.distance_from_first(last_delivered)?,
        };
        Some(self.entries_added.wrapping_sub(read) as i64)
    }
}
