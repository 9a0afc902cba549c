//! What replicas and the journal get in place of commands on groups.
//!
//! ```text
//!     an entry was delivered or claimed   XCLAIM key group consumer 0 id TIME t RETRYCOUNT n FORCE JUSTID LASTID id
//!     a pending entry was dropped         the same: the receiver finds no entry, and drops it, too
//!     only the group's last id moved      XGROUP SETID key group id ENTRIESREAD n
//!     a consumer was made by the way      XGROUP CREATECONSUMER key group consumer
//! ```
//!
//! Each says how things are, not what was done, so that it may be applied twice.

use crate::Effects;
use datatypes::stream::{Delivery, Group, StreamId};
use resp::format_integer;

use super::id_text;

/// A group of a stream, as arguments name it.
#[derive(Clone, Copy)]
pub(super) struct Named<'a> {
    pub key: &'a [u8],
    pub group: &'a [u8],
}

impl Named<'_> {
    /// An entry is pending like this.
    pub fn log_claim(self, effects: &mut Effects, delivery: &Delivery, last_id: StreamId) {
        if !effects.wanted {
            return;
        }
        effects.log(&[
            b"XCLAIM",
            self.key,
            self.group,
            delivery.consumer,
            b"0",
            &id_text(delivery.id),
            b"TIME",
            &format_integer(delivery.delivery_time),
            b"RETRYCOUNT",
            &format_integer(delivery.delivery_count as i64),
            b"FORCE",
            b"JUSTID",
            b"LASTID",
            &id_text(last_id),
        ]);
    }

    /// The group was read up to here.
    pub fn log_progress(self, effects: &mut Effects, group: &Group) {
        let read = group.entries_read().map_or(-1, |read| read as i64);
        let last_id = id_text(group.last_id());
        effects.log(&[
            b"XGROUP",
            b"SETID",
            self.key,
            self.group,
            &last_id,
            b"ENTRIESREAD",
            &format_integer(read),
        ]);
    }

    /// The group has this consumer.
    pub fn log_consumer(self, effects: &mut Effects, consumer: &[u8]) {
        effects.log(&[b"XGROUP", b"CREATECONSUMER", self.key, self.group, consumer]);
    }
}
