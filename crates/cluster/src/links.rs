//! The TCP links to other nodes: at most one to each, and one from each (section 3.1).
//!
//! ```text
//!     outbound   Connect -> connecting --handle_connected--> up -> gone
//!                carries our pings and all that we originate
//!     inbound    handle_inbound -> stranger --a known node speaks--> bound to it -> gone
//!                carries only our pongs
//! ```
//!
//! 1. A link that the machine closes is forgotten at once; whatever is still reported about it is ignored.
//! 2. Messages go out on links that are up. What is meant for a link still connecting is not kept: the
//!    first ping of the new link says it all again.
//! 3. Strangers are bounded in number (the oldest has to go) and in the length of their messages.

use crate::nodes::NodeKey;
use crate::packet_reader::PacketReader;
use std::collections::BTreeMap;

/// The name of a link. Those of outbound links are allotted by the machine, those of inbound ones by
/// the shell; a bit keeps them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(u64);

const OUTBOUND_BIT: u64 = 1 << 63;

impl LinkId {
    /// The name of the `number`th link that the shell has accepted (below 2^63).
    pub fn inbound(number: u64) -> LinkId {
        LinkId(number & !OUTBOUND_BIT)
    }

    pub(crate) fn outbound(number: u64) -> LinkId {
        LinkId(number | OUTBOUND_BIT)
    }

    /// Whether the machine asked for this link.
    pub fn is_outbound(self) -> bool {
        self.0 & OUTBOUND_BIT != 0
    }

    /// Its number, for logs and tables.
    pub fn get(self) -> u64 {
        self.0
    }
}

/// Inbound links that no known node has spoken on. A joining cluster needs a few; more is a port
/// scan or worse.
pub(crate) const MAX_STRANGERS: usize = 1024;
/// The longest message of a stranger: a MEET with the most gossip that its count can express.
pub(crate) const MAX_STRANGER_MESSAGE: usize = 8 << 20;
/// An inbound link carries only pongs, so this much unsent means that its peer asks and never reads.
pub(crate) const MAX_INBOUND_UNSENT: u64 = 64 << 20;

#[derive(Debug)]
pub(crate) struct Link {
    /// Whose it is; of an inbound link once a known node has spoken on it.
    pub node: Option<NodeKey>,
    pub up: bool,
    pub created_ms: u64,
    /// The address of the other end, without port.
    pub peer_ip: String,
    /// Our own address on this link.
    pub local_ip: String,
    /// Bytes that the shell has queued and not yet handed to the socket.
    pub unsent: u64,
    pub reader: PacketReader,
}

#[derive(Debug, Default)]
pub(crate) struct Links {
    links: BTreeMap<LinkId, Link>,
    allotted: u64,
}

impl Links {
    pub fn allot(&mut self) -> LinkId {
        self.allotted += 1;
        LinkId::outbound(self.allotted)
    }

    pub fn insert(&mut self, id: LinkId, link: Link) {
        self.links.insert(id, link);
    }

    pub fn remove(&mut self, id: LinkId) -> Option<Link> {
        self.links.remove(&id)
    }

    pub fn get(&self, id: LinkId) -> Option<&Link> {
        self.links.get(&id)
    }

    pub fn get_mut(&mut self, id: LinkId) -> Option<&mut Link> {
        self.links.get_mut(&id)
    }

    pub fn is_up(&self, id: LinkId) -> bool {
        self.links.get(&id).is_some_and(|link| link.up)
    }

    pub fn iter(&self) -> impl Iterator<Item = (LinkId, &Link)> {
        self.links.iter().map(|(&id, link)| (id, link))
    }

    /// The stranger that has been here longest, if there are as many as we bear.
    pub fn stranger_to_evict(&self) -> Option<LinkId> {
        let strangers = || self.iter().filter(|(id, link)| !id.is_outbound() && link.node.is_none());
        if strangers().count() < MAX_STRANGERS {
            return None;
        }
        strangers().min_by_key(|(id, link)| (link.created_ms, *id)).map(|(id, _)| id)
    }
}
