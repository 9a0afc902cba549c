//! A group of consumers, and what they have yet to acknowledge.
//!
//! ```text
//!     pending    id -> delivery time | deliveries | consumer      of the whole group
//!     consumers  number -> name | seen | active | its pending ids
//!     names      name -> number                                   in the order that clients see
//! ```
//!
//! 1. A pending id stands in the group's list and in that of the one consumer named there; nowhere else.
//! 2. Numbers of consumers are never used again, so a pending entry cannot change hands by accident. 0 is
//!    nobody: only while a payload is being restored, or an entry forced upon a consumer.
//! 3. "Seen" is when a consumer last asked, "active" when it last got something: never, at first.
//! 4. Deleting a consumer is the one operation that may pass all pending entries by: some 7 ns each.
//!
//! Not here: whether the entries still exist (`delivery.rs`).

use super::id::StreamId;
use super::id_map::{IdMap, Pairs};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

/// What the two maps hold for each consumer, about, besides its name and pending ids.
const CONSUMER_OVERHEAD: usize = 200;

/// A consumer of one group.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct ConsumerId(u64);

const NOBODY: ConsumerId = ConsumerId(0);

/// A pending entry, as its group knows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pending {
    pub(super) delivery_time: i64,
    pub(super) delivery_count: u64,
    pub(super) consumer: ConsumerId,
}

/// A group.
#[derive(Clone, Debug)]
pub struct Group {
    last_id: StreamId,
    entries_read: Option<u64>,
    pending: IdMap<Pending>,
    consumers: BTreeMap<ConsumerId, Consumer>,
    names: BTreeMap<Arc<[u8]>, ConsumerId>,
    last_consumer: u64,
    /// Heap bytes of the consumers.
    consumers_heap: usize,
}

/// A consumer.
#[derive(Clone, Debug)]
pub struct Consumer {
    name: Arc<[u8]>,
    seen_time: i64,
    active_time: Option<i64>,
    pending: IdMap<()>,
}

impl Consumer {
    /// Its name.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// When it last asked for something.
    pub fn seen_time(&self) -> i64 {
        self.seen_time
    }

    /// When it last was given something.
    pub fn active_time(&self) -> Option<i64> {
        self.active_time
    }

    /// How many entries it has yet to acknowledge.
    pub fn pending_len(&self) -> usize {
        self.pending.len()
    }

    /// Their ids, in order.
    pub fn pending_ids(&self) -> impl Iterator<Item = StreamId> + '_ {
        self.pending.range(StreamId::MIN).map(|(id, ())| id)
    }

    fn heap(&self) -> usize {
        CONSUMER_OVERHEAD + self.name.len() + self.pending.memory()
    }
}

/// A pending entry, as clients see it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Delivery<'a> {
    /// The entry.
    pub id: StreamId,
    /// Whose it is; empty while a payload has not said.
    pub consumer: &'a [u8],
    /// When it was delivered last.
    pub delivery_time: i64,
    /// How often.
    pub delivery_count: u64,
}

impl Group {
    pub(super) fn new(last_id: StreamId, entries_read: Option<u64>) -> Group {
        Group {
            last_id,
            entries_read,
            pending: IdMap::default(),
            consumers: BTreeMap::new(),
            names: BTreeMap::new(),
            last_consumer: 0,
            consumers_heap: 0,
        }
    }

    /// The last id delivered to any consumer.
    pub fn last_id(&self) -> StreamId {
        self.last_id
    }

    /// The place of that id among all entries ever added, if it is known.
    pub fn entries_read(&self) -> Option<u64> {
        self.entries_read
    }

    /// XGROUP SETID.
    pub fn set_id(&mut self, last_id: StreamId, entries_read: Option<u64>) {
        self.last_id = last_id;
        self.entries_read = entries_read;
    }

    /// XCLAIM's LASTID: the last id goes up to this one, never down. Whether it did.
    pub fn advance_to(&mut self, last_id: StreamId) -> bool {
        let up = last_id > self.last_id;
        self.last_id = self.last_id.max(last_id);
        up
    }

    /// How many entries are pending.
    pub fn pending_len(&self) -> usize {
        self.pending.len()
    }

    /// The lowest and the highest pending id.
    pub fn pending_span(&self) -> Option<(StreamId, StreamId)> {
        Some((self.pending.first()?, self.pending.last()?))
    }

    /// Pending entries from `start` to `end`, of one consumer or of all.
    pub fn pending(&self, start: StreamId, end: StreamId, of: Option<ConsumerId>) -> Deliveries<'_> {
        let pairs = match of {
            None => Whose::All(self.pending.range(start)),
            Some(consumer) => match self.consumers.get(&consumer) {
                Some(consumer) => Whose::One(consumer.pending.range(start)),
                None => Whose::Nobody,
            },
        };
        Deliveries { group: self, pairs, end }
    }

    /// One pending entry.
    pub fn pending_one(&self, id: StreamId) -> Option<Delivery<'_>> {
        self.pending.get(id).map(|pending| self.delivery(id, pending))
    }

    /// The consumers in the order of their names.
    pub fn consumers(&self) -> impl ExactSizeIterator<Item = (ConsumerId, &Consumer)> {
        self.names.values().map(|id| (*id, &self.consumers[id]))
    }

    /// The consumers behind a name, in the order of theirs: where writing a payload in steps goes on.
    pub fn consumers_after(&self, name: &[u8]) -> impl Iterator<Item = (ConsumerId, &Consumer)> {
        let names = self.names.range::<[u8], _>((Bound::Excluded(name), Bound::Unbounded));
        names.map(|(_, id)| (*id, &self.consumers[id]))
    }

    /// The consumer of a name.
    pub fn consumer(&self, name: &[u8]) -> Option<ConsumerId> {
        self.names.get(name).copied()
    }

    /// What is known of a consumer.
    pub fn consumer_state(&self, id: ConsumerId) -> Option<&Consumer> {
        self.consumers.get(&id)
    }

    /// XGROUP CREATECONSUMER: a new consumer, unless there is one of that name.
    pub fn create_consumer(&mut self, name: &[u8], now: i64) -> Option<ConsumerId> {
        if self.names.contains_key(name) {
            return None;
        }
        self.last_consumer += 1;
        let id = ConsumerId(self.last_consumer);
        let name: Arc<[u8]> = name.into();
        let consumer =
            Consumer { name: name.clone(), seen_time: now, active_time: None, pending: IdMap::default() };
        self.consumers_heap += consumer.heap();
        self.consumers.insert(id, consumer);
        self.names.insert(name, id);
        Some(id)
    }

    /// A consumer asks for something now: creates it if need be. Whether it was new.
    pub fn see_consumer(&mut self, name: &[u8], now: i64) -> (ConsumerId, bool) {
        match self.consumer(name) {
            Some(id) => {
                self.consumers.get_mut(&id).expect("a name has a consumer").seen_time = now;
                (id, false)
            }
            None => (self.create_consumer(name, now).expect("the name is free"), true),
        }
    }

    /// XGROUP DELCONSUMER: how many entries it had pending. They are pending no more.
    pub fn delete_consumer(&mut self, name: &[u8]) -> Option<usize> {
        let id = self.names.remove(name)?;
        let consumer = self.consumers.remove(&id).expect("a name has a consumer");
        self.consumers_heap -= consumer.heap();
        let gone = consumer.pending.len();
        // One look-up costs about as much as passing thirty entries by.
        if gone > self.pending.len() / 32 {
            self.pending.retain(|_, pending| pending.consumer != id);
        } else {
            for id in consumer.pending_ids() {
                self.pending.remove(id);
            }
        }
        Some(gone)
    }

    /// XACK: whether this entry was pending. It no longer is.
    pub fn acknowledge(&mut self, id: StreamId) -> bool {
        let Some(pending) = self.pending.remove(id) else { return false };
        self.change_ids(pending.consumer, |ids| {
            ids.remove(id);
        });
        true
    }

    /// Heap bytes, itself included.
    pub fn memory(&self) -> usize {
        size_of::<Group>() + self.pending.memory() + self.consumers_heap
    }

    /// Frees pieces, one for each step; true when nothing is left.
    pub(super) fn dismantle(&mut self, steps: &mut usize) -> bool {
        let before = self.pending.chunks();
        let done = self.pending.dismantle(*steps);
        *steps -= before - self.pending.chunks();
        if !done {
            return false;
        }
        while let Some(mut consumer) = self.consumers.first_entry() {
            if *steps == 0 {
                return false;
            }
            let (heap, chunks) = (consumer.get().heap(), consumer.get().pending.chunks());
            let done = consumer.get_mut().pending.dismantle(*steps);
            *steps -= chunks - consumer.get().pending.chunks();
            self.consumers_heap = self.consumers_heap + consumer.get().heap() - heap;
            if !done {
                return false;
            }
            let consumer = consumer.remove();
            self.consumers_heap -= consumer.heap();
            self.names.remove(&consumer.name);
            *steps = steps.saturating_sub(1);
        }
        true
    }

    pub(super) fn pending_mut(&mut self, id: StreamId) -> Option<&mut Pending> {
        self.pending.get_mut(id)
    }

    pub(super) fn pending_copy(&self, id: StreamId) -> Option<Pending> {
        self.pending.get(id).copied()
    }

    pub(super) fn first_pending_from(&self, id: StreamId) -> Option<(StreamId, Pending)> {
        self.pending.first_from(id).map(|(id, pending)| (id, *pending))
    }

    /// A consumer's first pending id at or above this one.
    pub(super) fn first_of_from(&self, consumer: ConsumerId, id: StreamId) -> Option<StreamId> {
        self.consumers.get(&consumer)?.pending.first_from(id).map(|(id, ())| id)
    }

    /// Makes an entry pending with a consumer, whoever had it before.
    pub(super) fn assign(&mut self, id: StreamId, new: Pending) {
        let old = self.pending.insert(id, new).map_or(NOBODY, |old| old.consumer);
        if old == new.consumer {
            return;
        }
        self.change_ids(old, |ids| {
            ids.remove(id);
        });
        self.change_ids(new.consumer, |ids| {
            ids.insert(id, ());
        });
    }

    pub(super) fn set_active(&mut self, consumer: ConsumerId, now: i64) {
        if let Some(consumer) = self.consumers.get_mut(&consumer) {
            consumer.active_time = Some(now);
        }
    }

    pub(super) fn delivery(&self, id: StreamId, pending: &Pending) -> Delivery<'_> {
        let consumer = self.consumers.get(&pending.consumer).map_or(&[][..], |consumer| consumer.name());
        Delivery {
            id,
            consumer,
            delivery_time: pending.delivery_time,
            delivery_count: pending.delivery_count,
        }
    }

    fn change_ids(&mut self, consumer: ConsumerId, change: impl FnOnce(&mut IdMap<()>)) {
        if let Some(consumer) = self.consumers.get_mut(&consumer) {
            let before = consumer.pending.memory();
            change(&mut consumer.pending);
            self.consumers_heap = self.consumers_heap + consumer.pending.memory() - before;
        }
    }
}

// From payloads: each answers whether what it was given can be true.
impl Group {
    /// A pending entry, nobody's so far.
    pub fn restore_pending(&mut self, id: StreamId, delivery_time: i64, delivery_count: u64) -> bool {
        let pending = Pending { delivery_time, delivery_count, consumer: NOBODY };
        self.pending.insert(id, pending).is_none()
    }

    /// A consumer.
    pub fn restore_consumer(
        &mut self,
        name: &[u8],
        seen_time: i64,
        active_time: Option<i64>,
    ) -> Option<ConsumerId> {
        let id = self.create_consumer(name, seen_time)?;
        self.consumers.get_mut(&id).expect("just created").active_time = active_time;
        Some(id)
    }

    /// Whose a pending entry is. Each may be said once.
    pub fn restore_owner(&mut self, consumer: ConsumerId, id: StreamId) -> bool {
        match self.pending_copy(id) {
            Some(pending) if pending.consumer == NOBODY => {
                self.assign(id, Pending { consumer, ..pending });
                true
            }
            _ => false,
        }
    }

    /// Whether every pending entry has its consumer: after all owners were restored.
    pub fn is_owned(&self) -> bool {
        self.consumers.values().map(Consumer::pending_len).sum::<usize>() == self.pending.len()
    }
}

/// Pending entries in the order of their ids.
#[derive(Clone, Debug)]
pub struct Deliveries<'a> {
    group: &'a Group,
    pairs: Whose<'a>,
    end: StreamId,
}

#[derive(Clone, Debug)]
enum Whose<'a> {
    All(Pairs<'a, Pending>),
    One(Pairs<'a, ()>),
    Nobody,
}

impl<'a> Iterator for Deliveries<'a> {
    type Item = Delivery<'a>;

    fn next(&mut self) -> Option<Delivery<'a>> {
        let (id, pending) = match &mut self.pairs {
            Whose::All(pairs) => pairs.next()?,
            Whose::One(pairs) => {
                let (id, ()) = pairs.next()?;
                (id, self.group.pending.get(id).expect("what a consumer has is pending"))
            }
            Whose::Nobody => return None,
        };
        (id <= self.end).then(|| self.group.delivery(id, pending))
    }
}
