//! Gossip: what every heartbeat tells about third nodes, and what we make of it (section 4).
//!
//! Telling: a tenth of the nodes, at least three, drawn at random, and besides them every node that
//! we suspect: a suspicion must reach a majority within the validity of reports.
//!
//! Listening, entry by entry, `sender` being the one who tells:
//!
//! 1. We know the node: a primary's word on its health is a failure report, or takes one back.
//! 2. We know it and all are well: a later pong than ours saves us a ping.
//! 3. We cannot reach it, the sender can, at another address: we try there.
//! 4. We do not know it, but know the sender: it is a new member. Nobody else's word adds one.

use crate::codec::{GossipEntry, Heartbeat};
use crate::machine::Cluster;
use crate::nodes::{Health, Node, NodeKey, Role};
use crate::{text, NodeFlags, NodeId, ShardId};
use std::collections::BTreeSet;

const MIN_ENTRIES: usize = 3;
/// How far in the future of our clock a pong may seem to lie.
const CLOCK_TOLERANCE_MS: u64 = 500;

impl Cluster {
    pub(crate) fn pick_gossip(&mut self) -> Vec<GossipEntry> {
        let mut candidates = self.nodes.len().saturating_sub(2);
        let wanted = (self.nodes.len() / 10).max(MIN_ENTRIES).min(candidates);
        let mut picked = BTreeSet::new();
        let mut entries = Vec::new();
        for _ in 0..wanted * 3 {
            if candidates == 0 || entries.len() == wanted {
                break;
            }
            let key = self.nodes.random(&mut self.rng);
            let node = &self.nodes[key];
            if key == self.myself || node.is_suspected() {
                continue;
            }
            if node.in_handshake || node.no_address || (node.outbound.is_none() && node.slots.is_empty()) {
                candidates -= 1;
                continue;
            }
            if picked.insert(key) {
                entries.push(gossip_about(node));
                candidates -= 1;
            }
        }
        let suspected = self
            .nodes
            .iter()
            .filter(|(_, node)| node.is_suspected() && !node.in_handshake && !node.no_address)
            .take(self.suspected_nodes);
        entries.extend(suspected.map(|(_, node)| gossip_about(node)));
        entries
    }

    /// `sender` is `None` for a MEET of a node that we do not know.
    pub(crate) fn take_gossip(&mut self, now_ms: u64, sender: Option<NodeKey>, heartbeat: &Heartbeat) {
        for entry in &heartbeat.gossip {
            // Text that cannot be passed on makes the entry useless; the rest of the section is not to blame.
            let Some(ip) = text::accept(&entry.ip, text::is_address) else { continue };
            match self.nodes.find(&entry.node) {
                Some(key) if key == self.myself => {}
                Some(key) => self.take_gossip_about(now_ms, sender, key, entry, ip),
                None if sender.is_some() => self.add_member(now_ms, entry, ip),
                None => {}
            }
        }
    }

    fn take_gossip_about(
        &mut self,
        now_ms: u64,
        sender: Option<NodeKey>,
        key: NodeKey,
        entry: &GossipEntry,
        ip: String,
    ) {
        let is_failing = entry.flags.any(NodeFlags::FAIL.with(NodeFlags::PFAIL));
        if let Some(sender) = sender {
            self.take_report(now_ms, sender, key, is_failing);
        }
        if is_failing {
            return;
        }
        let has_reports = self.count_reports(now_ms, key) > 0;
        let Some(node) = self.nodes.get_mut(key) else { return };
        if node.ping_sent_ms == 0 && !has_reports {
            let pong_ms = u64::from(entry.pong_received_s) * 1000;
            if pong_ms > node.pong_received_ms && pong_ms <= now_ms + CLOCK_TOLERANCE_MS {
                node.pong_received_ms = pong_ms;
            }
        }
        let is_elsewhere = node.ip != ip
            || node.port != entry.port
            || node.tls_port != entry.tls_port
            || node.bus_port != entry.bus_port;
        if node.health != Health::Online && !entry.flags.has(NodeFlags::NOADDR) && is_elsewhere {
            self.set_address(key, ip, entry.port, entry.tls_port, entry.bus_port);
        }
    }

    fn add_member(&mut self, now_ms: u64, entry: &GossipEntry, ip: String) {
        if entry.flags.has(NodeFlags::NOADDR)
            || self.is_blacklisted(now_ms, &entry.node)
            || self.nodes.is_full()
        {
            return;
        }
        let mut node = Node::new(entry.node, ShardId::random(&mut self.rng), now_ms);
        // The sender's view of it is ours until we have met it; bits that are about the sender's
        // own business are not.
        node.role = if entry.flags.has(NodeFlags::SLAVE) {
            Role::Replica { of: None }
        } else if entry.flags.has(NodeFlags::MASTER) {
            Role::Primary
        } else {
            Role::Unknown
        };
        node.health = if entry.flags.has(NodeFlags::FAIL) {
            Health::Failed { since_ms: 0 }
        } else if entry.flags.has(NodeFlags::PFAIL) {
            Health::Suspected
        } else {
            Health::Online
        };
        node.no_failover = entry.flags.has(NodeFlags::NOFAILOVER);
        node.migrate_to = entry.flags.has(NodeFlags::MIGRATE_TO);
        node.ip = ip;
        node.port = entry.port;
        node.tls_port = entry.tls_port;
        node.bus_port = entry.bus_port;
        self.nodes.insert(node);
        self.todo.save();
    }

    /// Moves a node to another address; the link to the old one is of no use.
    pub(crate) fn set_address(&mut self, key: NodeKey, ip: String, port: u16, tls_port: u16, bus_port: u16) {
        let Some(node) = self.nodes.get_mut(key) else { return };
        node.ip = ip;
        node.port = port;
        node.tls_port = tls_port;
        node.bus_port = bus_port;
        node.no_address = false;
        if let Some(link) = node.outbound {
            self.close_link(link);
        }
        self.todo.membership();
    }

    pub(crate) fn find_id(&self, id: Option<NodeId>) -> Option<NodeKey> {
        self.nodes.find(&id?)
    }
}

fn gossip_about(node: &Node) -> GossipEntry {
    let seconds = |ms: u64| u32::try_from(ms / 1000).unwrap_or(u32::MAX);
    GossipEntry {
        node: node.id,
        ping_sent_s: seconds(node.ping_sent_ms),
        pong_received_s: seconds(node.pong_received_ms),
        ip: node.ip.clone().into_bytes(),
        port: node.port,
        bus_port: node.bus_port,
        flags: node.flags(),
        tls_port: node.tls_port,
    }
}
