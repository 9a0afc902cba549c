//! How two nodes come to know each other (section 3.3).
//!
//! ```text
//!     A: CLUSTER MEET B        node "random", handshake, owes a MEET
//!     A  --MEET-->  B          B: node "random'", handshake, at the address of A's socket
//!     A  <--PONG--  B          A: "random" is renamed to what the header says, and is a member
//!     A  <--PING--  B          on a link that B makes
//!     A  --PONG-->  B          B: renames likewise
//! ```
//!
//! 1. A node whose name is made up is told to nobody, and is dropped if it does not answer in time.
//! 2. Only a reply on a link that we made ourselves proves who is at an address.
//! 3. If the reply's name is known already, the made-up node is dropped, and the known one perhaps moved.
//! 4. If a member's link is answered by somebody else, its address is wrong: it has none until it speaks up.

use crate::codec::Header;
use crate::machine::Cluster;
use crate::nodes::{Node, NodeKey, Role};
use crate::{text, LinkId, LogLevel, NodeFlags, NodeId, ShardId};

/// Handshakes that strangers may begin at a time. Each is gone after the node timeout, and a
/// refused one comes again.
const MAX_HANDSHAKES: usize = 512;

/// What is left to do with a heartbeat.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proceed {
    On,
    /// Its link is gone, and with it our reason to read on.
    LinkClosed,
}

impl Cluster {
    /// Begins a handshake with whoever is at this address, unless one is under way. `false` if the
    /// table is full.
    pub(crate) fn begin_handshake(&mut self, now_ms: u64, ip: String, port: u16, bus_port: u16) -> bool {
        self.is_handshake_under_way(&ip, port, bus_port)
            || self.add_handshake(now_ms, ip, port, 0, bus_port, true)
    }

    fn is_handshake_under_way(&self, ip: &str, port: u16, bus_port: u16) -> bool {
        self.nodes.iter().any(|(_, node)| {
            node.in_handshake && node.ip == ip && node.port == port && node.bus_port == bus_port
        })
    }

    /// Step 3 of the picture: somebody unknown wants to be met.
    pub(crate) fn meet_back(&mut self, now_ms: u64, link: LinkId, header: &Header) {
        let ip = self.address_of(link, header);
        let strangers = self.nodes.iter().filter(|(_, node)| node.in_handshake).count();
        if ip.is_empty()
            || header.bus_port == 0
            || strangers >= MAX_HANDSHAKES
            || self.is_handshake_under_way(&ip, header.port, header.bus_port)
        {
            return;
        }
        self.add_handshake(now_ms, ip, header.port, header.tls_port, header.bus_port, false);
    }

    fn add_handshake(
        &mut self,
        now_ms: u64,
        ip: String,
        port: u16,
        tls_port: u16,
        bus_port: u16,
        meet: bool,
    ) -> bool {
        if self.nodes.is_full() {
            self.log(LogLevel::Warning, "The node table is full, a new node is not added".to_owned());
            return false;
        }
        let mut node = Node::new(NodeId::random(&mut self.rng), ShardId::random(&mut self.rng), now_ms);
        node.in_handshake = true;
        node.owes_meet = meet;
        node.ip = ip;
        node.port = port;
        node.tls_port = tls_port;
        node.bus_port = bus_port;
        self.nodes.insert(node);
        true
    }

    /// A heartbeat has come on a link that we made: is it from whom we think? (3.3, steps 4 and 6.)
    pub(crate) fn check_identity(
        &mut self,
        link: LinkId,
        expected: NodeKey,
        sender: Option<NodeKey>,
        header: &Header,
    ) -> Proceed {
        let Some(node) = self.nodes.get(expected) else { return Proceed::LinkClosed };
        if !node.in_handshake {
            if header.sender == Some(node.id) {
                return Proceed::On;
            }
            let text = format!("PONG contains mismatching sender ID. About node {}", node.label());
            self.log(LogLevel::Debug, text);
            self.lose_address(expected, link);
            return Proceed::LinkClosed;
        }
        let Some(id) = header.sender else {
            self.delete_node(expected);
            return Proceed::LinkClosed;
        };
        if let Some(known) = sender.or_else(|| self.nodes.find(&id)) {
            let text = format!(
                "Handshake: we already know node {}, updating the address if needed.",
                self.nodes[known].label()
            );
            self.log(LogLevel::Verbose, text);
            if known != self.myself {
                self.update_address(known, link, header);
            }
            self.delete_node(expected);
            return Proceed::LinkClosed;
        }
        self.nodes.rename(expected, id);
        if let Some(node) = self.nodes.get_mut(expected) {
            node.in_handshake = false;
            node.role =
                if header.flags.has(NodeFlags::SLAVE) { Role::Replica { of: None } } else { Role::Primary };
        }
        self.log(LogLevel::Debug, format!("Handshake with node {id} completed."));
        self.todo.membership();
        Proceed::On
    }

    fn lose_address(&mut self, key: NodeKey, link: LinkId) {
        if let Some(node) = self.nodes.get_mut(key) {
            node.no_address = true;
            node.ip.clear();
            node.port = 0;
            node.tls_port = 0;
            node.bus_port = 0;
        }
        self.close_link(link);
        self.todo.membership();
    }

    /// A known node speaks on a link that is not ours to it: is it still where we think?
    pub(crate) fn update_address(&mut self, key: NodeKey, link: LinkId, header: &Header) {
        let ip = self.address_of(link, header);
        let Some(node) = self.nodes.get(key) else { return };
        if node.outbound == Some(link) || ip.is_empty() {
            return;
        }
        if node.ip == ip
            && node.port == header.port
            && node.tls_port == header.tls_port
            && node.bus_port == header.bus_port
        {
            return;
        }
        let text = format!("Address updated for node {}, now {ip}:{}", node.label(), header.port);
        self.set_address(key, ip, header.port, header.tls_port, header.bus_port);
        self.log(LogLevel::Notice, text);
    }

    /// What the sender announces, or else what its socket shows.
    fn address_of(&self, link: LinkId, header: &Header) -> String {
        let announced = text::accept(&header.ip, text::is_address).filter(|ip| !ip.is_empty());
        announced.or_else(|| self.links.get(link).map(|link| link.peer_ip.clone())).unwrap_or_default()
    }

    /// 3.4, step 3: nobody tells a node its own address, so it takes it from the sockets that
    /// others reach it by.
    pub(crate) fn learn_my_address(&mut self, link: LinkId, is_meet: bool) {
        if self.settings.announce_ip.is_some() || !(is_meet || self.me().ip.is_empty()) {
            return;
        }
        let Some(local) = self.links.get(link).map(|link| link.local_ip.clone()) else { return };
        if local.is_empty() || local == self.me().ip || !text::is_address(local.as_bytes()) {
            return;
        }
        self.log(LogLevel::Notice, format!("IP address for this node updated to {local}"));
        self.me_mut().ip = local;
        self.todo.save();
        self.todo.routing = true;
    }
}
