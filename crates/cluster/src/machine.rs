//! The machine itself: its state, what the world tells it, and the order in which it answers.
//!
//! Every entry point has the same three parts. It changes state and *stages* what follows from that
//! (messages, connections, logs), it marks what has become stale (`Todo`), and `settle` then puts out,
//! in this order:
//!
//! ```text
//!     1. state re-evaluated      2. Save      3. Routing      4. what was staged, in its order
//! ```
//!
//! So a message never leaves before the file that it depends on (rule 1 of the crate), however late in the
//! turn the file's contents became known; many changes of one turn are one save and one routing version.

use crate::codec::{kind, kind_of};
use crate::health::Evaluation;
use crate::links::{Link, Links, MAX_STRANGER_MESSAGE};
use crate::node_id::NodeId;
use crate::nodes::{Node, NodeKey, Nodes, Role};
use crate::rng::Rng;
use crate::routing::RoutingState;
use crate::slots::SlotTable;
use crate::{text, LinkId, LogLevel, Output, Settings, ShardId};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// One member of a cluster.
#[derive(Debug)]
pub struct Cluster {
    pub(crate) settings: Settings,
    pub(crate) rng: Rng,
    pub(crate) myself: NodeKey,
    pub(crate) nodes: Nodes,
    pub(crate) slots: SlotTable,
    /// The cluster's clock (section 7.1); saved.
    pub(crate) current_epoch: u64,
    /// The epoch of our last vote; saved before the vote leaves.
    pub(crate) last_vote_epoch: u64,
    pub(crate) evaluation: Evaluation,
    /// Forgotten nodes, and until which unix second gossip may not bring them back.
    pub(crate) blacklist: BTreeMap<NodeId, u64>,
    pub(crate) links: Links,
    pub(crate) routing: RoutingState,
    pub(crate) ticks: u64,
    /// How many nodes were suspected at the last tick: that many are added to gossip.
    pub(crate) suspected_nodes: usize,
    pub(crate) offset: u64,
    pub(crate) stats: Stats,
    pub(crate) todo: Todo,
    staged: Vec<Output>,
    outputs: VecDeque<Output>,
    saves: u64,
    saved: u64,
}

/// Messages by type, and links lost to the send buffer limit; for CLUSTER INFO.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stats {
    pub sent: [u64; kind::COUNT],
    pub received: [u64; kind::COUNT],
    pub links_over_limit: u64,
}

/// What the current turn has made stale.
#[derive(Debug, Default)]
pub(crate) struct Todo {
    pub state: bool,
    pub save: bool,
    pub fsync: bool,
    pub routing: bool,
}

impl Todo {
    /// Something in nodes.conf changed that may be lost in a crash.
    pub fn save(&mut self) {
        self.save = true;
    }

    /// Something in nodes.conf changed that the next message builds on (the table of section 11).
    pub fn save_first(&mut self) {
        self.save = true;
        self.fsync = true;
    }

    /// Who owns what, or who is alive, changed.
    pub fn membership(&mut self) {
        self.save = true;
        self.state = true;
        self.routing = true;
    }
}

impl Cluster {
    /// A node that has never run: it makes up its names, and has them saved first.
    pub fn new(settings: Settings, seed: u64, now_ms: u64) -> Cluster {
        let mut rng = Rng::new(seed);
        let mut node = Node::new(NodeId::random(&mut rng), ShardId::random(&mut rng), now_ms);
        node.role = Role::Primary;
        let mut nodes = Nodes::default();
        let myself = nodes.insert(node);
        let mut cluster = Cluster::assemble(settings, rng, nodes, myself);
        let id = cluster.my_id();
        cluster.log(LogLevel::Notice, format!("No cluster configuration found, I'm {id}"));
        cluster.todo.save_first();
        cluster.announce_settings();
        cluster.settle(now_ms);
        cluster
    }

    pub(crate) fn assemble(settings: Settings, rng: Rng, nodes: Nodes, myself: NodeKey) -> Cluster {
        Cluster {
            settings,
            rng,
            myself,
            nodes,
            slots: SlotTable::new(),
            current_epoch: 0,
            last_vote_epoch: 0,
            evaluation: Evaluation::default(),
            blacklist: BTreeMap::new(),
            links: Links::default(),
            routing: RoutingState::new(),
            ticks: 0,
            suspected_nodes: 0,
            offset: 0,
            stats: Stats::default(),
            todo: Todo { routing: true, ..Todo::default() },
            staged: Vec::new(),
            outputs: VecDeque::new(),
            saves: 0,
            saved: 0,
        }
    }

    // Getters; the texts and tables of the CLUSTER command are in `views`.

    /// Our name.
    pub fn my_id(&self) -> NodeId {
        self.me().id
    }

    /// The name of our shard.
    pub fn my_shard_id(&self) -> ShardId {
        self.me().shard
    }

    /// The configuration in force.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The number of the last `Save` that is on disk.
    pub fn saved_version(&self) -> u64 {
        self.saved
    }

    // What the world did.

    /// The configuration changed.
    pub fn set_settings(&mut self, settings: Settings, now_ms: u64) {
        if self.settings == settings {
            return;
        }
        if self.settings.announce_ip.is_some() && settings.announce_ip.is_none() {
            // Back to what the sockets show.
            self.me_mut().ip.clear();
        }
        self.settings = settings;
        self.todo.membership();
        self.announce_settings();
        self.settle(now_ms);
    }

    /// Our replication offset, for headers and CLUSTER SHARDS. Call it when it changes, or before ticks.
    pub fn set_replication_offset(&mut self, offset: u64) {
        self.offset = offset;
    }

    /// A tenth of a second has passed (section 4).
    pub fn handle_tick(&mut self, now_ms: u64) {
        if !self.routing.started() {
            return;
        }
        self.ticks += 1;
        self.close_overfull_links();
        self.reconnect(now_ms);
        if self.ticks.is_multiple_of(10) {
            self.ping_somebody(now_ms);
        }
        self.check_every_node(now_ms);
        if self.evaluation.is_fail() {
            self.todo.state = true;
        }
        self.settle(now_ms);
    }

    /// A link that we asked for is up.
    pub fn handle_connected(&mut self, now_ms: u64, link: LinkId, local_ip: &str) {
        let Some(found) = self.links.get_mut(link) else { return };
        found.up = true;
        found.local_ip = local_ip.to_owned();
        self.greet(now_ms, link);
        self.settle(now_ms);
    }

    /// A link that we asked for could not be made. The next tick tries again.
    pub fn handle_connect_failed(&mut self, now_ms: u64, link: LinkId) {
        let node = self.forget_link(link);
        if let Some(node) = node.and_then(|key| self.nodes.get_mut(key)) {
            // A node that cannot even be pinged has to be found out too: its silence counts from now.
            if node.ping_sent_ms == 0 {
                node.ping_sent_ms = now_ms;
            }
        }
        self.settle(now_ms);
    }

    /// A link is gone. The next tick makes a new one if it was ours.
    pub fn handle_link_closed(&mut self, now_ms: u64, link: LinkId) {
        self.forget_link(link);
        self.settle(now_ms);
    }

    /// Somebody has connected to our bus port. The addresses are without ports.
    pub fn handle_inbound(&mut self, now_ms: u64, link: LinkId, peer_ip: &str, local_ip: &str) {
        assert!(!link.is_outbound(), "the shell names inbound links by LinkId::inbound");
        if !self.routing.started() {
            self.stage(Output::Close { link });
        } else {
            if let Some(oldest) = self.links.stranger_to_evict() {
                self.close_link(oldest);
            }
            self.links.insert(
                link,
                Link {
                    node: None,
                    up: true,
                    created_ms: now_ms,
                    peer_ip: text::accept(peer_ip.as_bytes(), text::is_address).unwrap_or_default(),
                    local_ip: local_ip.to_owned(),
                    unsent: 0,
                    reader: Default::default(),
                },
            );
        }
        self.settle(now_ms);
    }

    /// Bytes have arrived on a link.
    pub fn handle_bytes(&mut self, now_ms: u64, link: LinkId, bytes: &[u8]) {
        if let Some(found) = self.links.get_mut(link) {
            found.reader.feed(bytes);
        }
        // A message may close the link, also the one that it came on.
        while let Some(found) = self.links.get_mut(link) {
            let is_member =
                found.node.and_then(|key| self.nodes.get(key)).is_some_and(|node| !node.in_handshake);
            let max_len = if is_member { self.settings.max_message_bytes } else { MAX_STRANGER_MESSAGE };
            match found.reader.next_frame(max_len) {
                Ok(Some(frame)) => {
                    if let Some(count) =
                        kind_of(&frame).and_then(|kind| self.stats.received.get_mut(kind as usize))
                    {
                        *count += 1;
                    }
                    self.receive(now_ms, link, &frame);
                }
                Ok(None) => break,
                Err(violation) => {
                    let peer = found.peer_ip.clone();
                    self.log(LogLevel::Warning, format!("{violation}, from {peer}"));
                    self.close_link(link);
                }
            }
        }
        self.settle(now_ms);
    }

    /// How many bytes of a link wait for its socket. Tell it when it changes much, and before
    /// ticks; a shell whose queue for an inbound link is long should stop reading from that link,
    /// too.
    pub fn handle_link_writable_info(&mut self, link: LinkId, queued_bytes: u64) {
        if let Some(found) = self.links.get_mut(link) {
            found.unsent = queued_bytes;
        }
    }

    /// A `Save` has ended. On failure the process has to stop, for the file no longer tells what we
    /// have promised; only CLUSTER SAVECONFIG may report it instead.
    pub fn handle_saved(&mut self, now_ms: u64, version: u64, result: Result<(), String>) {
        match result {
            Ok(()) => self.saved = self.saved.max(version),
            Err(reason) => {
                self.log(LogLevel::Warning, format!("Fatal: can't update cluster config file: {reason}"));
            }
        }
        self.settle(now_ms);
    }

    /// Every data core has applied this version of the routing map, and with it all earlier ones.
    pub fn handle_routing_applied(&mut self, now_ms: u64, version: u64) {
        let first = !self.routing.started();
        self.routing.applied(version);
        if first && self.routing.started() {
            self.todo.state = true;
        }
        self.settle(now_ms);
    }

    /// What the shell does next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    // For the other files of this machine.

    pub(crate) fn me(&self) -> &Node {
        &self.nodes[self.myself]
    }

    pub(crate) fn me_mut(&mut self) -> &mut Node {
        self.nodes.get_mut(self.myself).expect("this node is in its own table")
    }

    pub(crate) fn stage(&mut self, output: Output) {
        self.staged.push(output);
    }

    pub(crate) fn log(&mut self, level: LogLevel, text: String) {
        self.stage(Output::Log { level, text });
    }

    /// Sends on a link that is up; on any other, nothing.
    pub(crate) fn send(&mut self, link: LinkId, kind: u16, bytes: Arc<[u8]>) {
        if self.links.is_up(link) {
            self.stats.sent[kind as usize] += 1;
            self.stage(Output::Send { link, bytes });
        }
    }

    /// Sends to every other node that has a link and a true name.
    pub(crate) fn broadcast(&mut self, kind: u16, bytes: Vec<u8>) {
        let links: Vec<LinkId> = self
            .nodes
            .iter()
            .filter(|&(key, node)| key != self.myself && !node.in_handshake)
            .filter_map(|(_, node)| node.outbound)
            .collect();
        let bytes: Arc<[u8]> = bytes.into();
        for link in links {
            self.send(link, kind, bytes.clone());
        }
    }

    pub(crate) fn close_link(&mut self, link: LinkId) {
        if self.links.get(link).is_some() {
            self.forget_link(link);
            self.stage(Output::Close { link });
        }
    }

    /// Takes a link out of the tables; whose it was.
    fn forget_link(&mut self, link: LinkId) -> Option<NodeKey> {
        let key = self.links.remove(link)?.node?;
        if let Some(node) = self.nodes.get_mut(key) {
            if node.outbound == Some(link) {
                node.outbound = None;
            }
            if node.inbound == Some(link) {
                node.inbound = None;
            }
        }
        Some(key)
    }

    /// Removes a node and every reference to it (end of section 4).
    pub(crate) fn delete_node(&mut self, key: NodeKey) {
        assert!(key != self.myself, "this node stays in its own table");
        self.release_slots_of(key);
        self.slots.forget_open_slots_of(key);
        let Some(node) = self.nodes.remove(key) else { return };
        for (_, other) in self.nodes.iter_mut() {
            other.failure_reports.remove(&key);
            if other.role == (Role::Replica { of: Some(key) }) {
                other.role = Role::Replica { of: None };
            }
        }
        if let Some(primary) = node.replica_of() {
            self.note_replica_left(primary);
        }
        for link in node.outbound.into_iter().chain(node.inbound) {
            self.close_link(link);
        }
        self.todo.state = true;
        self.todo.routing = true;
    }

    /// A primary without replicas is no target for migrating ones (section 10).
    pub(crate) fn note_replica_left(&mut self, primary: NodeKey) {
        if self.nodes.replicas_of(primary).next().is_none() {
            if let Some(primary) = self.nodes.get_mut(primary) {
                primary.migrate_to = false;
            }
        }
    }

    /// Our own entry of the table follows the configuration.
    pub(crate) fn announce_settings(&mut self) {
        let settings = self.settings.clone();
        let myself = self.me_mut();
        if let Some(ip) =
            settings.announce_ip.as_deref().and_then(|ip| text::accept(ip.as_bytes(), text::is_address))
        {
            myself.ip = ip;
        }
        myself.port = settings.announced_port();
        myself.tls_port = settings.announced_tls_port();
        myself.bus_port = settings.announced_bus_port();
        myself.hostname = settings.announce_hostname.unwrap_or_default();
        myself.human_nodename = settings.announce_human_nodename.unwrap_or_default();
        myself.no_failover = settings.no_failover;
    }

    /// Ends a turn: see the top of the file.
    pub(crate) fn settle(&mut self, now_ms: u64) {
        if std::mem::take(&mut self.todo.state) && self.routing.started() {
            self.evaluate_state(now_ms);
        }
        if std::mem::take(&mut self.todo.save) {
            self.saves += 1;
            let fsync = std::mem::take(&mut self.todo.fsync);
            self.outputs.push_back(Output::Save { version: self.saves, text: self.nodes_conf(), fsync });
        }
        if std::mem::take(&mut self.todo.routing) {
            if let Some(map) = self.next_routing_map() {
                self.outputs.push_back(Output::Routing(map));
            }
        }
        self.outputs.extend(self.staged.drain(..));
    }

    pub(crate) fn saves(&self) -> u64 {
        self.saves
    }
}
