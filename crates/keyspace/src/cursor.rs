//! The place where a SCAN goes on.
//!
//! ```text
//!     slot (14 bits) << 38 | next hash prefix (38 bits)       below 2^53; 0 is the start and the end
//! ```
//!
//! A slot's keys are visited in the order of the top 38 bits of their hash, all keys of one prefix
//! together. Growth, shrinkage, splits and defragmentation keep that order, so a key that is there
//! during the whole iteration is visited, and visited once.

use slot::{Slot, SLOTS};

pub(crate) const PREFIX_BITS: u32 = 38;

/// A place in the iteration over a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor(u64);

impl Cursor {
    /// Where an iteration starts; as a result: its end.
    pub const START: Cursor = Cursor(0);

    /// From the number that a client sent. Any number will do: past the last slot there is nothing.
    pub const fn new(number: u64) -> Cursor {
        Cursor(number)
    }

    /// The number to send to a client.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The start of a slot; of a number past the last: the end.
    pub const fn at_slot(number: u16) -> Cursor {
        if number >= SLOTS {
            Cursor(0)
        } else {
            Cursor((number as u64) << PREFIX_BITS)
        }
    }

    /// The slot in which the iteration goes on, if there is one.
    pub fn slot(self) -> Option<Slot> {
        u16::try_from(self.0 >> PREFIX_BITS).ok().and_then(Slot::new)
    }

    /// The first hash prefix that has not been visited.
    pub(crate) const fn prefix(self) -> u64 {
        self.0 & ((1 << PREFIX_BITS) - 1)
    }

    /// After all keys below `prefix` of a slot were visited; the prefix may be one past the last.
    pub(crate) fn within(slot: Slot, prefix: u64) -> Cursor {
        if prefix >> PREFIX_BITS != 0 {
            Cursor::at_slot(slot.get() + 1)
        } else {
            Cursor(u64::from(slot.get()) << PREFIX_BITS | prefix)
        }
    }
}
