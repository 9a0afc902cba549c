//! What cores send each other.
//!
//! Requests ask a core for something and may have to wait for room in its ring; answers always have
//! room, since whoever asked reserved it (rule R6). Everything large is behind a `Box`, so that a
//! message is a few words.

use commands::{Gathered, Session};
use keyspace::{FreeChain, LentSlot};
use resp::{OwnedBatch, Reply};
use slot::Slot;

/// A connection's name in the node: unique while the process runs. The low half is the shell's.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ConnId(pub u64);

/// From one core to another.
pub enum Message {
    /// Request: run the next commands of this batch.
    Batch(Box<Batch>),
    /// Request: lock slots of yours.
    Lock(Box<LockRequest>),
    /// Request: it is your turn in this tour.
    Tour(Box<Tour>),
    /// Answer: the batch is home again.
    Done(Box<Batch>),
    /// Answer, to the runner: all slots are locked and here they are.
    Granted(Box<LockRequest>),
    /// Answer, to the home core: slots that were lent.
    Return(Vec<(Slot, LentSlot)>),
    /// Answer: the tour is home again.
    Gathered(Box<Tour>),
    /// Answer: blocks of yours that were freed here (rule R11).
    Frees(FreeChain),
}

impl Message {
    /// Whether it goes by the ring that always has room.
    pub fn is_answer(&self) -> bool {
        !matches!(self, Message::Batch(_) | Message::Lock(_) | Message::Tour(_))
    }

    /// The batch it carries, if any.
    pub(crate) fn batch_mut(&mut self) -> Option<&mut Batch> {
        match self {
            Message::Batch(batch) | Message::Done(batch) => Some(batch),
            Message::Lock(request) | Message::Granted(request) => Some(&mut request.batch),
            Message::Tour(tour) | Message::Gathered(tour) => Some(&mut tour.batch),
            Message::Return(_) | Message::Frees(_) => None,
        }
    }
}

/// Commands of one connection on their way (rule R8): a connection has at most one.
#[derive(Debug)]
pub struct Batch {
    /// The core that owns the connection.
    pub origin: u8,
    /// The connection.
    pub conn: ConnId,
    /// Its state, which travels along; the connection's core keeps the copy of the departure.
    pub session: Session,
    /// The commands, with their bytes.
    pub commands: OwnedBatch,
    /// The first that has not run.
    pub next: usize,
    /// The replies so far.
    pub reply: Reply,
    /// The highest log number of what it wrote or read; numbers of this turn are filled in by the seal.
    pub highest: u64,
    /// Cores it has been to since it left or since its last lock, one bit each.
    pub visited: u64,
}

/// A wish for slots of several cores, and those it has got (rule R5).
pub struct LockRequest {
    /// Home core and slot, ascending, each once.
    pub slots: Vec<(u8, Slot)>,
    /// How many of them, from the front, are locked.
    pub locked: usize,
    /// The core that runs the commands.
    pub runner: u8,
    /// Slots of other cores than the runner, detached.
    pub lent: Vec<(Slot, LentSlot)>,
    /// What shall run.
    pub batch: Box<Batch>,
    /// The first command of the batch that is not covered by these locks.
    pub until: usize,
}

/// How far a tour is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// It locks the cores.
    Lock,
    /// It does its work on each core, and unlocks it if it was locked.
    Visit,
}

/// A command that visits every core in ascending order; it is the next of its batch.
#[derive(Debug)]
pub struct Tour {
    /// What it does at the cores now.
    pub stage: Stage,
    /// Whether cores are locked first.
    pub locked: bool,
    /// What the visits add up to.
    pub gathered: Gathered,
    /// The batch whose next command it is.
    pub batch: Box<Batch>,
}
