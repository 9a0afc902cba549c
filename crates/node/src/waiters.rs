//! Who waits for which key: the blocked clients of one core's slots (rule R7).
//!
//! ```text
//!     slot -> (database, key) -> tickets, oldest first          the client's batch stays at its own core
//!     touched key with tickets -> ready, in the order of touching
//! ```
//!
//! 1. A ticket keeps its place until its client is served or gives up: a try that finds nothing is no
//!    reason to lose it.
//! 2. A ticket may be stale for a moment, when its client was served for another key or its time is over:
//!    whoever claims it learns so at the client's own core.
//! 3. Tickets of a client are found by its connection and the number of its wait, never by place.
//!
//! Not here: claiming and serving (`core/blocked.rs`). Pure: no time, no messages.

use crate::message::ConnId;
use keyspace::ValueType;
use slot::Slot;
use std::collections::{BTreeMap, HashMap, VecDeque};

/// One client's wait, unique in the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WaitId {
    /// The connection.
    pub conn: ConnId,
    /// Which of its waits.
    pub number: u64,
}

/// A client's place in the queue of a key.
#[derive(Clone, Copy, Debug)]
pub struct Ticket {
    /// Whose.
    pub wait: WaitId,
    /// The core that owns the connection.
    pub origin: u8,
    /// What the key must hold.
    pub wants: ValueType,
    /// It also wants to know when the key is gone.
    pub on_deletion: bool,
}

/// A key of a database.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WaitedKey {
    /// The database.
    pub db: u16,
    /// The name.
    pub key: Vec<u8>,
}

/// The clients that wait for one key, oldest first.
#[derive(Debug, Default)]
struct Queue {
    tickets: BTreeMap<u64, Ticket>,
    places: HashMap<WaitId, u64>,
    /// How many of them want to know when the key is gone.
    on_deletion: usize,
}

/// The waiters of one core's slots.
#[derive(Debug, Default)]
pub struct Waiters {
    slots: HashMap<Slot, HashMap<WaitedKey, Queue>>,
    ready: VecDeque<(Slot, WaitedKey)>,
    next_place: u64,
}

impl Waiters {
    /// Whether anybody waits for a key of this slot.
    pub fn has_slot(&self, slot: Slot) -> bool {
        self.slots.contains_key(&slot)
    }

    /// Whether nobody waits for anything.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Puts a ticket at the end of a key's queue. One that has a place there keeps it.
    pub fn register(&mut self, slot: Slot, key: WaitedKey, ticket: Ticket) {
        let queue = self.slots.entry(slot).or_default().entry(key).or_default();
        if let std::collections::hash_map::Entry::Vacant(vacant) = queue.places.entry(ticket.wait) {
            vacant.insert(self.next_place);
            queue.on_deletion += usize::from(ticket.on_deletion);
            queue.tickets.insert(self.next_place, ticket);
            self.next_place += 1;
        }
    }

    /// Takes a client out of a key's queue. Whether the slot has no waiters any more.
    pub fn unregister(&mut self, slot: Slot, key: &WaitedKey, wait: WaitId) -> bool {
        let Some(keys) = self.slots.get_mut(&slot) else { return true };
        if let Some(queue) = keys.get_mut(key) {
            if let Some(place) = queue.places.remove(&wait) {
                let ticket = queue.tickets.remove(&place).expect("both know it");
                queue.on_deletion -= usize::from(ticket.on_deletion);
            }
            if queue.tickets.is_empty() {
                keys.remove(key);
            }
        }
        let empty = keys.is_empty();
        if empty {
            self.slots.remove(&slot);
        }
        empty
    }

    /// Notes that a key was touched, if somebody waits for it.
    pub fn touch(&mut self, slot: Slot, key: WaitedKey) {
        let waited = self.slots.get(&slot).is_some_and(|keys| keys.contains_key(&key));
        if waited && !self.ready.iter().any(|(_, ready)| *ready == key) {
            self.ready.push_back((slot, key));
        }
    }

    /// The key that was touched first and is not served yet, of those that `passes` allows.
    pub fn next_ready(&mut self, passes: impl Fn(Slot, &WaitedKey) -> bool) -> Option<(Slot, WaitedKey)> {
        let at = self.ready.iter().position(|(slot, key)| passes(*slot, key))?;
        self.ready.remove(at)
    }

    /// The first ticket of a key's queue behind a place, with its own place.
    pub fn after(&self, slot: Slot, key: &WaitedKey, place: Option<u64>) -> Option<(u64, Ticket)> {
        let queue = self.slots.get(&slot)?.get(key)?;
        let from = place.map_or(0, |place| place + 1);
        queue.tickets.range(from..).next().map(|(place, ticket)| (*place, *ticket))
    }

    /// All tickets of a slot, taken out: the slot is this node's no more.
    pub fn take_slot(&mut self, slot: Slot) -> Vec<(WaitedKey, Ticket)> {
        let keys = self.slots.remove(&slot).unwrap_or_default();
        let mut all: Vec<(u64, WaitedKey, Ticket)> = keys
            .into_iter()
            .flat_map(|(key, queue)| {
                queue.tickets.into_iter().map(move |(place, ticket)| (place, key.clone(), ticket))
            })
            .collect();
        all.sort_unstable_by_key(|(place, ..)| *place);
        all.into_iter().map(|(_, key, ticket)| (key, ticket)).collect()
    }

    /// Whether somebody wants to know when this key is gone.
    pub fn wants_deletion(&self, slot: Slot, key: &WaitedKey) -> bool {
        self.slots.get(&slot).and_then(|keys| keys.get(key)).is_some_and(|queue| queue.on_deletion > 0)
    }

    /// The keys with waiters.
    pub fn keys(&self) -> impl Iterator<Item = (Slot, &WaitedKey)> {
        self.slots.iter().flat_map(|(slot, keys)| keys.keys().map(|key| (*slot, key)))
    }

    /// The slots with waiters.
    pub fn slots(&self) -> Vec<Slot> {
        self.slots.keys().copied().collect()
    }

    /// Keys with waiters, and those among them of which somebody wants to know when they go.
    pub fn count_keys(&self) -> (u64, u64) {
        let queues = self.slots.values().flat_map(HashMap::values);
        queues.fold((0, 0), |(all, some), queue| (all + 1, some + u64::from(queue.on_deletion > 0)))
    }

    /// Notes that any key may have changed, as after FLUSHALL and SWAPDB: oldest waiters first.
    pub fn touch_all(&mut self) {
        let mut all: Vec<(u64, Slot, WaitedKey)> = Vec::new();
        for (slot, keys) in &self.slots {
            let oldest = |queue: &Queue| queue.tickets.keys().next().copied().unwrap_or(0);
            all.extend(keys.iter().map(|(key, queue)| (oldest(queue), *slot, key.clone())));
        }
        all.sort_unstable();
        all.into_iter().for_each(|(_, slot, key)| self.touch(slot, key));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticket(conn: u64) -> Ticket {
        let wait = WaitId { conn: ConnId(conn), number: 1 };
        Ticket { wait, origin: 0, wants: ValueType::List, on_deletion: false }
    }

    fn key(name: &str) -> WaitedKey {
        WaitedKey { db: 0, key: name.as_bytes().to_vec() }
    }

    #[test]
    fn the_oldest_comes_first_and_a_place_is_kept() {
        let slot = slot::slot_of(b"a");
        let mut waiters = Waiters::default();
        for conn in [3, 1, 2] {
            waiters.register(slot, key("a"), ticket(conn));
        }
        waiters.register(slot, key("a"), ticket(3)); // tried, found nothing
        let mut order = Vec::new();
        let mut place = None;
        while let Some((at, ticket)) = waiters.after(slot, &key("a"), place) {
            order.push(ticket.wait.conn.0);
            place = Some(at);
        }
        assert_eq!(order, [3, 1, 2]);
        assert!(!waiters.unregister(slot, &key("a"), ticket(3).wait));
        assert_eq!(waiters.after(slot, &key("a"), None).unwrap().1.wait.conn, ConnId(1));
        assert!(!waiters.unregister(slot, &key("a"), ticket(1).wait));
        assert!(waiters.unregister(slot, &key("a"), ticket(2).wait));
        assert!(waiters.is_empty());
    }

    #[test]
    fn only_waited_keys_become_ready_and_each_once() {
        let (a, b) = (slot::slot_of(b"a"), slot::slot_of(b"b"));
        let mut waiters = Waiters::default();
        waiters.register(a, key("a"), ticket(1));
        waiters.register(b, key("b"), ticket(2));
        for (slot, name) in [(b, "b"), (a, "a"), (b, "b"), (a, "x")] {
            waiters.touch(slot, key(name));
        }
        assert_eq!(waiters.next_ready(|slot, _| slot != b), Some((a, key("a"))));
        assert_eq!(waiters.next_ready(|_, _| true), Some((b, key("b"))));
        assert_eq!(waiters.next_ready(|_, _| true), None);
    }
}
