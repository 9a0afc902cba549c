//! The log of one core: what its commands changed, sealed once a turn (rule R1).
//!
//!     turn:  command, command, ... | seal: one number drawn, bytes published | messages and replies leave
//!
//! 1. A turn that changed anything draws exactly one number; one that changed nothing draws none. So
//!    numbers are dense, and a merge of all cores' batches waits only for the next number.
//! 2. Bytes are finished RESP commands; a batch says which database they begin in.
//! 3. While nobody reads the log, numbers are drawn and no bytes are kept.

use std::collections::VecDeque;

/// What a core changed in one turn, under its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The number drawn for it.
    pub number: u64,
    /// `(database, commands)` in the order of execution; each item is applied as one unit.
    pub units: Vec<(u16, Vec<u8>)>,
}

/// The log of one core.
#[derive(Debug, Default)]
pub struct Log {
    /// Somebody reads it.
    pub wanted: bool,
    changed: bool,
    units: Vec<(u16, Vec<u8>)>,
    published: VecDeque<Sealed>,
    last: u64,
}

impl Log {
    /// Records that a command changed something in `db`, and its words if they are wanted.
    pub fn append(&mut self, db: u16, words: impl FnOnce(&mut Vec<u8>)) {
        self.changed = true;
        if self.wanted {
            let mut bytes = Vec::new();
            words(&mut bytes);
            self.units.push((db, bytes));
        }
    }

    /// Ends a turn: publishes what changed under a number from `draw`. The core's last number.
    pub fn seal(&mut self, draw: impl FnOnce() -> u64) -> u64 {
        if std::mem::take(&mut self.changed) {
            self.last = draw();
            if self.wanted {
                self.published
                    .push_back(Sealed { number: self.last, units: std::mem::take(&mut self.units) });
            }
        }
        self.last
    }

    /// The oldest batch that the merge has not taken.
    pub fn poll_sealed(&mut self) -> Option<Sealed> {
        self.published.pop_front()
    }
}
