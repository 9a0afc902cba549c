//! What a group's consumers are given: new entries, their own history, and what others left behind.
//!
//! ```text
//!     XREADGROUP >     entries above the group's last id   -> pending with this consumer, delivered once
//!     XREADGROUP id    this consumer's pending entries     -> delivered once more; those gone: the id alone
//!     XCLAIM           the ids that are asked for          -> pending with this consumer; those gone: pending no more
//!     XAUTOCLAIM       the group's pending entries         -> the same, those idle for long enough
//! ```
//!
//! 1. A visitor sees each entry in the order in which it is answered, as it is pending from now on (or was, if
//!    it is gone); from that, replicas' commands are written (XCLAIM with the delivery's very time and count).
//! 2. An entry delivered anew that is pending already (XGROUP SETID went back) changes hands, and counts as
//!    delivered once.
//! 3. The consumer was noted before (`Group::see_consumer`); it is active only if it gets something.
//!
//! Not here: waiting for new entries.

use super::group::{ConsumerId, Delivery, Pending};
use super::id::StreamId;
use super::node::Entry;
use super::range::Entries;
use super::StreamLarge;

/// What reading new entries did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Delivered {
    /// Entries delivered.
    pub entries: usize,
    /// Whether the group's last id and read counter moved: with NOACK, replicas are told by XGROUP SETID.
    pub moved: bool,
}

/// Which entries to claim, and how.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Claim {
    /// Only entries idle for so long, in milliseconds.
    pub min_idle: i64,
    /// When they count as delivered: now, if not given or not a time up to now.
    pub delivery_time: Option<i64>,
    /// How often they count as delivered: once more, if not given.
    pub retry_count: Option<u64>,
    /// Entries that are not pending become so.
    pub force: bool,
    /// Only ids are wanted: that is not a delivery.
    pub just_id: bool,
}

/// What became of a pending entry.
#[derive(Clone, Debug)]
pub enum Claimed<'a> {
    /// It is the consumer's now.
    Moved {
        /// As it is pending now.
        delivery: Delivery<'a>,
        /// The entry.
        entry: Entry<'a>,
    },
    /// The stream no longer has the entry: it is pending no more.
    Gone {
        /// As it was pending.
        delivery: Delivery<'a>,
    },
}

impl StreamLarge {
    /// XREADGROUP with `>`: entries above the group's last id, at most `count` of them (0: all).
    pub fn read_new<'a>(
        &'a mut self,
        group: &[u8],
        consumer: ConsumerId,
        count: usize,
        no_ack: bool,
        now: i64,
        mut visit: impl FnMut(Entry<'a>),
    ) -> Delivered {
        let mut read = Delivered::default();
        let StreamLarge { nodes, counters, groups, groups_heap, .. } = self;
        let Some(group) = groups.get_mut(group) else { return read };
        let Some(start) = group.last_id().next() else { return read };
        let before = group.memory();
        let most = if count == 0 { usize::MAX } else { count };
        for entry in Entries::new(nodes, start, StreamId::MAX, false).take(most) {
            let id = entry.id();
            group.set_id(id, counters.read_counter_after(group.entries_read(), id));
            read.moved = true;
            if !no_ack {
                group.assign(id, Pending { delivery_time: now, delivery_count: 1, consumer });
                group.set_active(consumer, now);
            }
            read.entries += 1;
            visit(entry);
        }
        *groups_heap = *groups_heap + group.memory() - before;
        read
    }

    /// XREADGROUP with an id: the consumer's pending entries above it, at most `count` (0: all). How many
    /// there were.
    pub fn read_history<'a>(
        &'a mut self,
        group: &[u8],
        consumer: ConsumerId,
        above: StreamId,
        count: usize,
        now: i64,
        mut visit: impl FnMut(StreamId, Option<Entry<'a>>),
    ) -> usize {
        let Some(group) = self.groups.get_mut(group) else { return 0 };
        let mut read = 0;
        let mut from = above.next();
        while count == 0 || read < count {
            let Some(id) = from.and_then(|from| group.first_of_from(consumer, from)) else { break };
            let entry = Entries::new(&self.nodes, id, id, false).next();
            if entry.is_some() {
                let pending = group.pending_mut(id).expect("what a consumer has is pending");
                pending.delivery_time = now;
                pending.delivery_count = pending.delivery_count.wrapping_add(1);
            }
            visit(id, entry);
            read += 1;
            from = id.next();
        }
        read
    }

    /// XCLAIM: the visitor sees what was claimed and what is gone.
    pub fn claim(
        &mut self,
        group: &[u8],
        consumer: ConsumerId,
        ids: impl IntoIterator<Item = StreamId>,
        how: &Claim,
        now: i64,
        mut visit: impl FnMut(Claimed<'_>),
    ) {
        for id in ids {
            self.claim_one(group, consumer, id, how, now, &mut visit);
        }
    }

    /// XAUTOCLAIM: claims pending entries from `start` on, at most `count` claimed or gone, and looks at ten
    /// times as many. Answers where to go on, 0-0 at the end.
    #[allow(clippy::too_many_arguments)]
    pub fn auto_claim(
        &mut self,
        group: &[u8],
        consumer: ConsumerId,
        start: StreamId,
        count: usize,
        how: &Claim,
        now: i64,
        mut visit: impl FnMut(Claimed<'_>),
    ) -> StreamId {
        let (mut left, mut attempts) = (count, count.saturating_mul(10));
        let mut from = Some(start);
        loop {
            let pending = self.groups.get(group).zip(from);
            let Some((id, _)) = pending.and_then(|(group, from)| group.first_pending_from(from)) else {
                return StreamId::MIN;
            };
            if attempts == 0 || left == 0 {
                return id;
            }
            attempts -= 1;
            if self.claim_one(group, consumer, id, how, now, &mut visit) {
                left -= 1;
            }
            from = id.next();
        }
    }

    /// Claims one entry. Whether there was something to tell.
    fn claim_one(
        &mut self,
        group: &[u8],
        consumer: ConsumerId,
        id: StreamId,
        how: &Claim,
        now: i64,
        visit: &mut impl FnMut(Claimed<'_>),
    ) -> bool {
        let Some(group) = self.groups.get_mut(group) else { return false };
        let before = group.memory();
        let pending = group.pending_copy(id);
        let Some(entry) = Entries::new(&self.nodes, id, id, false).next() else {
            let Some(pending) = pending else { return false };
            visit(Claimed::Gone { delivery: group.delivery(id, &pending) });
            group.acknowledge(id);
            self.groups_heap = self.groups_heap + group.memory() - before;
            return true;
        };
        let delivery_count = match pending {
            Some(pending) if how.min_idle > 0 && now.wrapping_sub(pending.delivery_time) < how.min_idle => {
                return false;
            }
            Some(pending) => pending.delivery_count,
            // Forced: delivered once by that, and now once more.
            None if how.force => 1,
            None => return false,
        };
        let delivery_count = match how.retry_count {
            Some(count) => count,
            None if how.just_id => delivery_count,
            None => delivery_count.wrapping_add(1),
        };
        let delivery_time = how.delivery_time.filter(|time| (0..=now).contains(time)).unwrap_or(now);
        let pending = Pending { delivery_time, delivery_count, consumer };
        group.assign(id, pending);
        group.set_active(consumer, now);
        visit(Claimed::Moved { delivery: group.delivery(id, &pending), entry });
        self.groups_heap = self.groups_heap + group.memory() - before;
        true
    }
}
