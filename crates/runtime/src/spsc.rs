//! Rings between cores: bounded, single producer, single consumer, and the mesh built of them.
//!
//!     core a                          core b
//!     push_request(b) --requests a>b--> drain        may be full: the caller parks the message (R6)
//!     drain           <--answers b>a--- push_answer  never refused
//!
//! Each ordered pair of cores has a request ring and an answer ring. Answers are what a peer has already
//! counted on: grants, returns, replies. They exist only for requests that were accepted, of which a
//! connection has one in flight, so their number is bounded by the connections; where a burst of them is
//! longer than the ring, the rest waits in a queue at the sender and goes first at the next flush.
//! Counting places a peer was tried and dropped: a batch that travels a > b > c is answered by c, and a
//! lease is given back by who never was asked, so no pair of cores can count for itself.
//!
//! Sleeping (rule R6), per core one flag on a line of its own:
//!
//!     sleeper: flag = true; fence; look at all rings again; sleep       (`prepare_sleep`, `awake`)
//!     sender:  push everything of the turn; fence; read flags; wake     (`flush_wakes`)
//!
//! 1. Both fences are SeqCst, so of a sleeper and a sender that race at least one sees the other: either
//!    the sleeper finds the message or the sender finds the flag.
//! 2. The sender that takes the flag down (swap) is the one that wakes: one wake for one sleep.
//! 3. Pushed messages become visible at `flush_wakes` (or when a ring fills half way), once a batch.
//!
//! Not here: how a sleeper is woken (`data::Io::peer_wake`), and what the messages mean (`node`).

use std::cell::UnsafeCell;
use std::collections::VecDeque;
use std::mem::MaybeUninit;
use std::sync::atomic::{fence, AtomicBool, AtomicUsize, Ordering};
use std::sync::Arc;

/// A value alone on its 128 bytes: two lines, because processors fetch lines in pairs.
#[repr(align(128))]
#[derive(Debug, Default)]
struct Line<T>(T);

struct Shared<T> {
    /// Next place to read; written by the consumer only.
    head: Line<AtomicUsize>,
    /// Next place to write; written by the producer only.
    tail: Line<AtomicUsize>,
    mask: usize,
    places: Box<[UnsafeCell<MaybeUninit<T>>]>,
}

/// The sending end of a ring.
pub struct Producer<T> {
    shared: Arc<Shared<T>>,
    /// Where the next message goes; ahead of the shared tail by what is not yet published.
    tail: usize,
    published: usize,
    /// The consumer's head as last seen, so that the shared line is read only when we seem full.
    head_seen: usize,
}

/// The receiving end of a ring.
pub struct Consumer<T> {
    shared: Arc<Shared<T>>,
    head: usize,
    tail_seen: usize,
}

/// A ring of `capacity` messages, rounded up to a power of two.
pub fn ring<T>(capacity: usize) -> (Producer<T>, Consumer<T>) {
    let capacity = capacity.max(2).next_power_of_two();
    let places = (0..capacity).map(|_| UnsafeCell::new(MaybeUninit::uninit())).collect();
    let shared = Arc::new(Shared {
        head: Line(AtomicUsize::new(0)),
        tail: Line(AtomicUsize::new(0)),
        mask: capacity - 1,
        places,
    });
    (
        Producer { shared: shared.clone(), tail: 0, published: 0, head_seen: 0 },
        Consumer { shared, head: 0, tail_seen: 0 },
    )
}

/// The cells: the only place where a message crosses threads without a lock.
#[allow(unsafe_code)]
mod cells {
    use super::*;

    // SAFETY: a `Shared` hands each message from the one producer to the one consumer (neither end can be
    // cloned), so sharing it between two threads needs no more than that messages may change threads.
    unsafe impl<T: Send> Sync for Shared<T> {}
    // SAFETY: as above; dropping the last handle drops the messages on that thread, which `T: Send` allows.
    unsafe impl<T: Send> Send for Shared<T> {}

    impl<T> Shared<T> {
        /// Writes a message. Callers are `Producer` methods that have checked `index - head < capacity`.
        pub(super) fn write(&self, index: usize, message: T) {
            // SAFETY: the place is free: it is not below the published tail, so the consumer does not
            // look at it, and the head that we saw (Acquire) is past its last use. We are the only producer.
            unsafe { (*self.places[index & self.mask].get()).write(message) };
        }

        /// Takes a message out. Callers are `Consumer::pop` and `drop`, which hold head <= index < tail.
        pub(super) fn read(&self, index: usize) -> T {
            // SAFETY: index is below the tail that was published (Release) after the write and that we loaded
            // (Acquire), and not below head, so the place is initialised and is read once: the caller
            // moves its head past it at once.
            unsafe { (*self.places[index & self.mask].get()).assume_init_read() }
        }
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        let (head, tail) = (*self.head.0.get_mut(), *self.tail.0.get_mut());
        let mut index = head;
        while index != tail {
            drop(self.read(index));
            index = index.wrapping_add(1);
        }
    }
}

impl<T> Producer<T> {
    /// How many messages the ring holds.
    pub fn capacity(&self) -> usize {
        self.shared.mask + 1
    }

    /// Puts a message into the ring, to be seen by the consumer after [`publish`](Self::publish).
    /// Gives it back where the ring is full.
    pub fn push(&mut self, message: T) -> Result<(), T> {
        if self.tail.wrapping_sub(self.head_seen) == self.capacity() {
            self.head_seen = self.shared.head.0.load(Ordering::Acquire);
            if self.tail.wrapping_sub(self.head_seen) == self.capacity() {
                return Err(message);
            }
        }
        self.shared.write(self.tail, message);
        self.tail = self.tail.wrapping_add(1);
        Ok(())
    }

    /// Puts as many messages of the iterator as fit; the rest stays in it. Returns how many went.
    pub fn push_batch(&mut self, messages: &mut impl Iterator<Item = T>) -> usize {
        self.head_seen = self.shared.head.0.load(Ordering::Acquire);
        let room = self.capacity() - self.tail.wrapping_sub(self.head_seen);
        let mut count = 0;
        for message in messages.take(room) {
            self.shared.write(self.tail, message);
            self.tail = self.tail.wrapping_add(1);
            count += 1;
        }
        count
    }

    /// Shows the consumer what was pushed. Says whether there was anything new.
    pub fn publish(&mut self) -> bool {
        let new = self.published != self.tail;
        if new {
            self.shared.tail.0.store(self.tail, Ordering::Release);
            self.published = self.tail;
        }
        new
    }
}

impl<T> Drop for Producer<T> {
    fn drop(&mut self) {
        // What was pushed must at least be dropped, by the consumer or by `Shared`.
        self.publish();
    }
}

impl<T> Consumer<T> {
    /// Takes the oldest message.
    pub fn pop(&mut self) -> Option<T> {
        let message = self.take()?;
        self.release();
        Some(message)
    }

    /// Hands every published message to `each`, up to `limit`; frees their places once at the end.
    pub fn pop_batch(&mut self, limit: usize, mut each: impl FnMut(T)) -> usize {
        let mut count = 0;
        while count < limit {
            let Some(message) = self.take() else { break };
            each(message);
            count += 1;
        }
        if count > 0 {
            self.release();
        }
        count
    }

    /// Whether a published message waits. Reads the shared tail afresh.
    pub fn has_messages(&self) -> bool {
        self.shared.tail.0.load(Ordering::Acquire) != self.head
    }

    fn take(&mut self) -> Option<T> {
        if self.head == self.tail_seen {
            self.tail_seen = self.shared.tail.0.load(Ordering::Acquire);
            if self.head == self.tail_seen {
                return None;
            }
        }
        let message = self.shared.read(self.head);
        self.head = self.head.wrapping_add(1);
        Some(message)
    }

    fn release(&mut self) {
        self.shared.head.0.store(self.head, Ordering::Release);
    }
}

impl<T> Drop for Consumer<T> {
    fn drop(&mut self) {
        // A panic inside `pop_batch` leaves the shared head behind ours; `Shared` must not drop twice.
        self.release();
    }
}

struct Flags {
    sleeping: Box<[Line<AtomicBool>]>,
}

/// Builds the rings of `n` cores and deals each core its [`Endpoints`].
pub struct Mesh<T> {
    endpoints: Vec<Option<Endpoints<T>>>,
}

impl<T> Mesh<T> {
    /// `capacity` requests may be under way from one core to another, and as many answers.
    pub fn new(cores: usize, capacity: usize) -> Mesh<T> {
        let flags = Arc::new(Flags { sleeping: (0..cores).map(|_| Line(AtomicBool::new(false))).collect() });
        // Sending ends by sender, receiving ends by receiver; both in the order of the peers.
        let mut outs: Vec<Vec<_>> = (0..cores).map(|_| Vec::new()).collect();
        let mut ins: Vec<Vec<_>> = (0..cores).map(|_| Vec::new()).collect();
        for (from, outs) in outs.iter_mut().enumerate() {
            for (_, ins) in ins.iter_mut().enumerate().filter(|(to, _)| *to != from) {
                let (request, requests) = ring(capacity);
                let (answer, answers) = ring(capacity);
                outs.push((request, answer));
                ins.push((requests, answers));
            }
        }
        let link = |((requests_out, answers_out), (requests_in, answers_in))| {
            Some(Link {
                requests_out,
                answers_out,
                requests_in,
                answers_in,
                answers_waiting: VecDeque::new(),
            })
        };
        let endpoints = |(core, (outs, ins)): (usize, (Vec<_>, Vec<_>))| {
            let mut peers: Vec<Option<Link<T>>> = outs.into_iter().zip(ins).map(link).collect();
            peers.insert(core, None);
            Some(Endpoints { core, flags: flags.clone(), peers, first: 0, wakes: Vec::with_capacity(cores) })
        };
        Mesh { endpoints: outs.into_iter().zip(ins).enumerate().map(endpoints).collect() }
    }

    /// The ends of one core, to be moved to its thread. Each can be taken once.
    pub fn take(&mut self, core: usize) -> Endpoints<T> {
        self.endpoints[core].take().expect("each core takes its endpoints once")
    }
}

/// Both directions between this core and one peer.
struct Link<T> {
    requests_out: Producer<T>,
    answers_out: Producer<T>,
    requests_in: Consumer<T>,
    answers_in: Consumer<T>,
    /// Answers for which the ring had no place, oldest first.
    answers_waiting: VecDeque<T>,
}

/// One core's ends of all its rings.
pub struct Endpoints<T> {
    core: usize,
    flags: Arc<Flags>,
    /// By peer; `None` at our own place.
    peers: Vec<Option<Link<T>>>,
    /// The peer that is served first, moving on at each drain so that none is always last.
    first: usize,
    /// What `flush_wakes` lends out; kept so that a turn allocates nothing.
    wakes: Vec<usize>,
}

/// How a message arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// By `push_request`: it owes the sender one answer.
    Request,
    /// By `push_answer`: it ends one of our requests.
    Answer,
}

impl<T> Endpoints<T> {
    /// Which core this is.
    pub fn core(&self) -> usize {
        self.core
    }

    /// How many cores the mesh has.
    pub fn cores(&self) -> usize {
        self.peers.len()
    }

    /// Queues a request for a peer. Gives it back where the ring is full: park it, stop reading what feeds
    /// it, and try again on a later turn.
    ///
    /// # Panics
    /// Where `to` is this core.
    pub fn push_request(&mut self, to: usize, message: T) -> Result<(), T> {
        self.peers[to].as_mut().expect("a core sends nothing to itself").requests_out.push(message)
    }

    /// Queues what a peer counts on (answer, grant, return). Never refused, and in order.
    ///
    /// # Panics
    /// Where `to` is this core.
    pub fn push_answer(&mut self, to: usize, message: T) {
        let link = self.peers[to].as_mut().expect("a core sends nothing to itself");
        if !link.answers_waiting.is_empty() {
            link.answers_waiting.push_back(message);
        } else if let Err(message) = link.answers_out.push(message) {
            link.answers_waiting.push_back(message);
        }
    }

    /// Hands out what has arrived: all answers first (they free what others wait for), then at most
    /// `limit` requests a peer. Returns how many messages there were.
    pub fn drain(&mut self, limit: usize, mut each: impl FnMut(usize, Lane, T)) -> usize {
        let mut count = 0;
        let peers = self.peers.len();
        for i in 0..peers {
            let from = (self.first + i) % peers;
            if let Some(link) = &mut self.peers[from] {
                let answers =
                    link.answers_in.pop_batch(usize::MAX, |message| each(from, Lane::Answer, message));
                count += answers;
            }
        }
        for i in 0..peers {
            let from = (self.first + i) % peers;
            if let Some(link) = &mut self.peers[from] {
                count += link.requests_in.pop_batch(limit, |message| each(from, Lane::Request, message));
            }
        }
        self.first = (self.first + 1) % peers.max(1);
        count
    }

    /// Whether anything has arrived and is not drained.
    pub fn has_messages(&self) -> bool {
        let waits = |link: &Link<T>| link.answers_in.has_messages() || link.requests_in.has_messages();
        self.peers.iter().flatten().any(waits)
    }

    /// Shows the peers everything pushed in this turn and returns those that sleep and are to be woken
    /// by the caller, each once for all of its messages.
    pub fn flush_wakes(&mut self) -> &[usize] {
        self.wakes.clear();
        for (peer, link) in self.peers.iter_mut().enumerate() {
            let Some(link) = link else { continue };
            while let Some(message) = link.answers_waiting.pop_front() {
                if let Err(message) = link.answers_out.push(message) {
                    link.answers_waiting.push_front(message);
                    break;
                }
            }
            let requests = link.requests_out.publish();
            let answers = link.answers_out.publish();
            if requests || answers {
                self.wakes.push(peer);
            }
        }
        if !self.wakes.is_empty() {
            fence(Ordering::SeqCst);
            let flags = &self.flags.sleeping;
            // The plain load keeps the line shared while the peer is awake; the swap picks the one waker.
            self.wakes.retain(|&peer| {
                flags[peer].0.load(Ordering::Relaxed) && flags[peer].0.swap(false, Ordering::SeqCst)
            });
        }
        &self.wakes
    }

    /// Called just before sleeping: true means that the core may sleep, and that whoever sends from now
    /// on will wake it. False means that messages wait, to be drained or (answers for which a ring had no
    /// place) to be flushed; the flag is down again.
    pub fn prepare_sleep(&mut self) -> bool {
        if self.peers.len() < 2 {
            return true;
        }
        self.flags.sleeping[self.core].0.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        let held = self.peers.iter().flatten().any(|link| !link.answers_waiting.is_empty());
        if held || self.has_messages() {
            self.awake();
            return false;
        }
        true
    }

    /// Called after sleeping, whatever ended the sleep.
    pub fn awake(&mut self) {
        if self.peers.len() > 1 {
            self.flags.sleeping[self.core].0.store(false, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests;
