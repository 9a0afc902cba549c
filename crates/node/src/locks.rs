//! The locks of one core: its slots, and the core as a whole (rules R4 and R5).
//!
//! A [`LockRequest`] visits home cores in ascending order and holds what it has got while it waits;
//! a [`Tour`] that must be atomic holds whole cores, in ascending order too. One order for all makes
//! a cycle of waiters impossible:
//!
//!     gate(0) < slots of 0, ascending < gate(1) < slots of 1, ascending < ...
//!
//!     gate   free ----- requests pass, counted in `inside` ----- a tour waits for inside = 0, holds
//!     slot   free ----- one request holds ---------------------- waiters queue, first come first served
//!
//! 1. Whoever comes to a gate that has a queue, joins the queue: a tour is not overtaken for ever.
//! 2. A slot's queue is not empty only while the slot is held (between two calls of
//!    [`Locks::next_ready`], that is: releases are followed by it until it has nothing).
//! 3. Commands that need only free slots of this core pass without a lock: they run to completion.
//! 4. A lock covers the slot in all databases.
//!
//! Not here: what holders do (`core/lease.rs`, `core/tour.rs`). Pure: no time, no messages.

use crate::message::{Batch, LockRequest, Tour};
use slot::Slot;
use std::collections::{HashMap, VecDeque};

/// Somebody whose turn has come.
pub enum Ready {
    /// A batch that waited for a slot or for the core: its next command may be free to run.
    Batch(Box<Batch>),
    /// A request that now holds all its slots on this core.
    Request(Box<LockRequest>),
    /// A tour that now holds this core.
    Tour(Box<Tour>),
}

/// The locks of one core.
#[derive(Default)]
pub struct Locks {
    /// Slots that a request holds, with who waits for each.
    held: HashMap<Slot, VecDeque<Ready>>,
    /// Queues of slots that were released and are not yet looked through.
    released: VecDeque<(Slot, VecDeque<Ready>)>,
    gate: Gate,
}

#[derive(Default)]
struct Gate {
    /// Requests that hold or wait for slots of this core.
    inside: usize,
    /// A tour holds the core.
    exclusive: bool,
    /// Nobody is let in: something waits until all are out.
    closed: bool,
    queue: VecDeque<Ready>,
    /// Something changed that may let the front of the queue pass.
    look: bool,
}

impl Locks {
    /// Whether a command on this slot must wait.
    #[inline]
    pub fn blocks(&self, slot: Slot) -> bool {
        #[cfg(feature = "canary")]
        if !self.gate.exclusive {
            return false;
        }
        self.gate.exclusive || (!self.held.is_empty() && self.held.contains_key(&slot))
    }

    /// Whether a tour holds the core.
    #[inline]
    pub fn exclusive(&self) -> bool {
        self.gate.exclusive
    }

    /// Whether nothing is locked and nobody waits.
    pub fn idle(&self) -> bool {
        self.held.is_empty() && self.released.is_empty() && self.gate.inside == 0 && !self.gate.exclusive
    }

    /// Whether a request holds this slot.
    #[inline]
    pub fn is_held(&self, slot: Slot) -> bool {
        !self.held.is_empty() && self.held.contains_key(&slot)
    }

    /// How many slots are held.
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// Parks a batch whose next command wants `slot`, which [`Locks::blocks`].
    pub fn wait(&mut self, slot: Slot, batch: Box<Batch>) {
        match self.held.get_mut(&slot) {
            Some(queue) => queue.push_back(Ready::Batch(batch)),
            None => self.gate.queue.push_back(Ready::Batch(batch)),
        }
    }

    /// A request arrives at core `here`. It comes back when it holds all its slots on this core, at
    /// once or from [`Locks::next_ready`].
    pub fn request(&mut self, here: u8, request: Box<LockRequest>) -> Option<Box<LockRequest>> {
        if self.gate.exclusive || self.gate.closed || !self.gate.queue.is_empty() {
            self.gate.queue.push_back(Ready::Request(request));
            return None;
        }
        self.gate.inside += 1;
        self.lock_slots(here, request)
    }

    /// A tour arrives that wants the whole core. It comes back when it holds it.
    pub fn request_core(&mut self, tour: Box<Tour>) -> Option<Box<Tour>> {
        if self.gate.exclusive || self.gate.closed || self.gate.inside > 0 || !self.gate.queue.is_empty() {
            self.gate.queue.push_back(Ready::Tour(tour));
            return None;
        }
        self.gate.exclusive = true;
        Some(tour)
    }

    /// Lets no request or tour in until [`Locks::open`]. Whether those inside are all out, so that nothing of
    /// this core is locked or lent. Whoever is inside waits for later gates and slots only: it gets out.
    pub fn close(&mut self) -> bool {
        self.gate.closed = true;
        self.gate.inside == 0 && !self.gate.exclusive
    }

    /// The opposite of [`Locks::close`].
    pub fn open(&mut self) {
        self.gate.closed = false;
        self.gate.look = true;
    }

    /// Locks a free slot for a waiter that is claimed from another core. To be released by [`Locks::release`].
    pub fn claim(&mut self, slot: Slot) {
        let before = self.held.insert(slot, VecDeque::new());
        assert!(before.is_none() && !self.gate.exclusive, "only a free slot is claimed");
        self.gate.inside += 1;
    }

    /// A request that held `slots` of this core is done with them.
    pub fn release(&mut self, slots: impl Iterator<Item = Slot>) {
        for slot in slots {
            let queue = self.held.remove(&slot).expect("only the holder releases, once");
            if !queue.is_empty() {
                self.released.push_back((slot, queue));
            }
        }
        self.gate.inside -= 1;
        self.gate.look = true;
    }

    /// The tour that held this core is done with it.
    pub fn release_core(&mut self) {
        assert!(self.gate.exclusive, "only the holder releases, once");
        self.gate.exclusive = false;
        self.gate.look = true;
    }

    /// The next one whose turn has come after a release. To be called until it has none, before any
    /// other command of this core is looked at.
    pub fn next_ready(&mut self, here: u8) -> Option<Ready> {
        while let Some((slot, mut queue)) = self.released.pop_front() {
            if let Some(later) = self.held.get_mut(&slot) {
                // Taken meanwhile by a request of the queue: the rest waits on, before newcomers.
                queue.append(later);
                *later = queue;
                continue;
            }
            let Some(first) = queue.pop_front() else { continue };
            match first {
                Ready::Request(request) => {
                    self.released.push_front((slot, queue));
                    if let Some(request) = self.lock_slots(here, request) {
                        return Some(Ready::Request(request));
                    }
                }
                batch => {
                    self.released.push_front((slot, queue));
                    return Some(batch);
                }
            }
        }
        self.next_at_gate(here)
    }

    fn next_at_gate(&mut self, here: u8) -> Option<Ready> {
        while self.gate.look && !self.gate.exclusive && !self.gate.closed {
            match self.gate.queue.pop_front() {
                None => self.gate.look = false,
                Some(Ready::Batch(batch)) => return Some(Ready::Batch(batch)),
                Some(Ready::Tour(tour)) if self.gate.inside == 0 => {
                    self.gate.exclusive = true;
                    self.gate.look = false;
                    return Some(Ready::Tour(tour));
                }
                Some(Ready::Tour(tour)) => {
                    self.gate.queue.push_front(Ready::Tour(tour));
                    self.gate.look = false;
                }
                Some(Ready::Request(request)) => {
                    self.gate.inside += 1;
                    if let Some(request) = self.lock_slots(here, request) {
                        return Some(Ready::Request(request));
                    }
                }
            }
        }
        None
    }

    /// Locks the request's slots on this core in order, or leaves it in the queue of the first that
    /// another holds.
    fn lock_slots(&mut self, here: u8, mut request: Box<LockRequest>) -> Option<Box<LockRequest>> {
        while let Some(&(home, slot)) = request.slots.get(request.locked) {
            if home != here {
                break;
            }
            if let Some(queue) = self.held.get_mut(&slot) {
                // Who has waited for a key comes before those who came since (rule R7).
                match request.batch.wait.is_some() {
                    true => queue.push_front(Ready::Request(request)),
                    false => queue.push_back(Ready::Request(request)),
                }
                return None;
            }
            self.held.insert(slot, VecDeque::new());
            request.locked += 1;
        }
        Some(request)
    }
}
