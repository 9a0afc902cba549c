//! What the machine asks its shell to do.

use crate::{LinkId, RoutingMap};
use slot::SlotSet;
use std::sync::Arc;

/// One thing to do. Outputs are carried out in order, each finished before the next is begun.
#[derive(Clone, Debug)]
pub enum Output {
    /// Write nodes.conf: to a temporary file beside it, renamed over it. With `fsync` the file and
    /// its directory are on disk before any later output. Answer with `handle_saved`; if it fails,
    /// stop the process.
    Save {
        /// Number of this save, ever growing.
        version: u64,
        /// The whole file.
        text: Vec<u8>,
        /// Whether later outputs depend on its being on disk.
        fsync: bool,
    },
    /// Hand a new version to all data cores. Answer with `handle_routing_applied` when all have applied it;
    /// later outputs need not wait for that.
    Routing(Arc<RoutingMap>),
    /// Delete the keys of these slots: another node holds them under a newer epoch. A `Routing` without
    /// them came before.
    DropKeys(Box<SlotSet>),
    /// Connect to a node's bus port. Answer with `handle_connected` or `handle_connect_failed`.
    Connect {
        /// The name of the link to be.
        link: LinkId,
        /// An address, or a name if a node announces one.
        ip: String,
        /// The bus port.
        port: u16,
    },
    /// Queue a message on a link. One message may go to many links; its bytes are shared.
    Send {
        /// Where to.
        link: LinkId,
        /// A whole message.
        bytes: Arc<[u8]>,
    },
    /// Close a link and drop what is queued on it. The machine has forgotten it already: no answer.
    Close {
        /// Which.
        link: LinkId,
    },
    /// Deliver a message of another node to our own subscribers only.
    Publish {
        /// Whether the channel is a shard channel.
        shard: bool,
        /// The channel.
        channel: Vec<u8>,
        /// The message.
        message: Vec<u8>,
    },
    /// Tell the log.
    Log {
        /// How much it matters.
        level: LogLevel,
        /// One line.
        text: String,
    },
}

/// Redis's log levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// For developers.
    Debug,
    /// Much, and sometimes useful.
    Verbose,
    /// What an operator wants to see.
    Notice,
    /// What an operator must see.
    Warning,
}
