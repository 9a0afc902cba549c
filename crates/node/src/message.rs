//! What cores send each other.
//!
//! Requests ask a core for something and may have to wait for room in its ring; answers always have
//! room, since whoever asked reserved it (rule R6). Everything large is behind a `Box`, so that a
//! message is a few words.

use crate::waiters::{Ticket, WaitId, WaitedKey};
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
    /// Answer, to the home of a slot that was lent: a client waits for a key of yours.
    Register(Box<(Slot, WaitedKey, Ticket)>),
    /// Answer, to the home of a key: this client waits for it no more.
    Forget(Box<(Slot, WaitedKey, WaitId)>),
    /// Answer, to the home of a key: the command of this client, which you sent away, was tried in vain.
    Tried(Box<(Slot, WaitedKey, WaitId)>),
    /// Answer, to the home of a key: look again whether it can serve somebody.
    Look(Box<(Slot, WaitedKey)>),
    /// Answer, to a client's own core: a key that it waits for is ready.
    Claim(Box<Claim>),
    /// Answer, to the home of the key that was claimed for.
    Claimed(Box<Claimed>),
    /// Answer, to a client's own core: what it waits for will not come here.
    TryAgain(WaitId),
}

/// A home core asks for the batch of a client that waits for one of its keys.
#[derive(Debug)]
pub struct Claim {
    /// The key's slot, which is locked meanwhile.
    pub slot: Slot,
    /// The key.
    pub key: WaitedKey,
    /// Whose batch.
    pub wait: WaitId,
}

/// What became of a claim.
#[derive(Debug)]
pub struct Claimed {
    /// As in the claim.
    pub slot: Slot,
    /// As in the claim.
    pub key: WaitedKey,
    /// As in the claim.
    pub wait: WaitId,
    /// The batch, or why not.
    pub outcome: ClaimOutcome,
}

/// What a client's own core answers to a claim.
#[derive(Debug)]
pub enum ClaimOutcome {
    /// Here it is.
    Batch(Box<Batch>),
    /// It is on its way for another key; should it come back unserved, you are told to look again.
    Later,
    /// That wait is over.
    Gone,
}

/// What the next command of a batch waits for.
#[derive(Debug)]
pub struct KeyWait {
    /// The number of the wait, unique in the node.
    pub number: u64,
    /// The keys, in whose queues it has a place.
    pub keys: Vec<(Slot, WaitedKey)>,
    /// When it gives up, unix milliseconds.
    pub until_ms: Option<u64>,
    /// It has been tried and waits; otherwise it is about to be tried.
    pub is_parked: bool,
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
            Message::Claimed(claimed) => match &mut claimed.outcome {
                ClaimOutcome::Batch(batch) => Some(batch),
                ClaimOutcome::Later | ClaimOutcome::Gone => None,
            },
            Message::Return(_)
            | Message::Frees(_)
            | Message::Register(_)
            | Message::Forget(_)
            | Message::Tried(_)
            | Message::Look(_)
            | Message::Claim(_)
            | Message::TryAgain(_) => None,
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
    /// What its next command waits for, from the first time that it found nothing until it is answered.
    pub wait: Option<Box<KeyWait>>,
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
