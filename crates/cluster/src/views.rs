//! What operators and clients see: CLUSTER NODES, INFO, SLOTS, SHARDS, LINKS, REPLICAS (sections 11 and 13).
//!
//! Texts are made here byte by byte as Redis makes them; tables come out as values, for RESP2 and
//! RESP3 write them differently. Nodes are listed in the order in which this node came to know
//! them, ranges in the order of slots and split only where the owner changes, so that tools that
//! compare the answers of several nodes find them equal.

use crate::codec::kind;
use crate::machine::Cluster;
use crate::nodes::{Node, NodeKey};
use crate::{ClusterError, ClusterState, EndpointType, NodeFlags, NodeId, ShardId};
use slot::{Slot, SlotRange};
use std::collections::BTreeMap;
use std::fmt::Write;

/// A range of CLUSTER SLOTS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotRangeView {
    /// The slots.
    pub range: SlotRange,
    /// Their owner, then those of its replicas that can serve.
    pub nodes: Vec<NodeView>,
}

/// A node of CLUSTER SLOTS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeView {
    /// The preferred endpoint; `None` is a null.
    pub endpoint: Option<String>,
    /// The ordinary client port.
    pub port: u16,
    /// The TLS client port, for clients that came by TLS.
    pub tls_port: u16,
    /// Its name.
    pub id: NodeId,
    /// What else is known: `ip` and `hostname`, where they are not the endpoint.
    pub metadata: Vec<(&'static str, String)>,
}

/// A shard of CLUSTER SHARDS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardView {
    /// Its name, which the command does not show.
    pub id: ShardId,
    /// The slots of its primary.
    pub slots: Vec<SlotRange>,
    /// Its nodes.
    pub nodes: Vec<ShardNodeView>,
}

/// A node of CLUSTER SHARDS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardNodeView {
    /// Its name.
    pub id: NodeId,
    /// The ordinary client port; not shown if 0.
    pub port: u16,
    /// The TLS client port; not shown if 0.
    pub tls_port: u16,
    /// Its address.
    pub ip: String,
    /// The preferred endpoint.
    pub endpoint: String,
    /// Its host name; not shown if empty.
    pub hostname: String,
    /// Whether it is a replica.
    pub is_replica: bool,
    /// Its replication offset.
    pub offset: u64,
    /// How it is.
    pub health: NodeHealth,
}

/// `health` in CLUSTER SHARDS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeHealth {
    /// It serves.
    Online,
    /// It has failed.
    Fail,
    /// A replica that has no data yet.
    Loading,
}

impl NodeHealth {
    /// The word in the reply.
    pub fn as_str(self) -> &'static str {
        match self {
            NodeHealth::Online => "online",
            NodeHealth::Fail => "fail",
            NodeHealth::Loading => "loading",
        }
    }
}

/// A link of CLUSTER LINKS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkView {
    /// Who made it.
    pub direction: Direction,
    /// To or from whom.
    pub node: NodeId,
    /// When it was made, unix milliseconds.
    pub created_ms: u64,
    /// `r` when it is read from, `w` when something waits to be written.
    pub events: &'static str,
    /// Bytes waiting to be written.
    pub send_buffer_bytes: u64,
}

/// `direction` in CLUSTER LINKS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// We made it.
    To,
    /// The other node made it.
    From,
}

impl Direction {
    /// The word in the reply.
    pub fn as_str(self) -> &'static str {
        match self {
            Direction::To => "to",
            Direction::From => "from",
        }
    }
}

impl Cluster {
    /// CLUSTER NODES.
    pub fn nodes_text(&self) -> String {
        let mut out = String::new();
        for (key, node) in self.nodes.iter() {
            self.describe(&mut out, key, node, false);
            out.push('\n');
        }
        out
    }

    /// CLUSTER REPLICAS: lines as in CLUSTER NODES.
    pub fn replicas(&self, id: &[u8]) -> Result<Vec<String>, ClusterError> {
        let key = self.node_of(id).ok_or_else(|| ClusterError::unknown_node(id))?;
        if self.nodes[key].is_replica() {
            return Err(ClusterError::NotAPrimary);
        }
        let describe = |(key, node): (NodeKey, &Node)| {
            let mut line = String::new();
            self.describe(&mut line, key, node, false);
            line
        };
        Ok(self.nodes.replicas_of(key).map(describe).collect())
    }

    /// CLUSTER COUNT-FAILURE-REPORTS.
    pub fn count_failure_reports(&self, now_ms: u64, id: &[u8]) -> Result<usize, ClusterError> {
        let key = self.node_of(id).ok_or_else(|| ClusterError::unknown_node(id))?;
        Ok(self.count_reports(now_ms, key))
    }

    /// CLUSTER INFO (13.1).
    pub fn info_text(&self) -> String {
        let (mut assigned, mut ok, mut suspected, mut failed) = (0, 0, 0, 0);
        for (_, node) in self.nodes.iter() {
            let count = node.slots.len();
            assigned += count;
            *(if node.has_failed() {
                &mut failed
            } else if node.is_suspected() {
                &mut suspected
            } else {
                &mut ok
            }) += count;
        }
        let mut out = String::new();
        let mut line = |name: &str, value: &dyn std::fmt::Display| {
            write!(out, "{name}:{value}\r\n").expect("a String takes whatever is written to it");
        };
        let state = match self.state() {
            ClusterState::Ok => "ok",
            ClusterState::Fail => "fail",
        };
        line("cluster_state", &state);
        line("cluster_slots_assigned", &assigned);
        line("cluster_slots_ok", &ok);
        line("cluster_slots_pfail", &suspected);
        line("cluster_slots_fail", &failed);
        line("cluster_known_nodes", &self.nodes.len());
        line("cluster_size", &self.size());
        line("cluster_current_epoch", &self.current_epoch);
        line("cluster_my_epoch", &self.me().config_epoch);
        for (direction, counts) in [("sent", &self.stats.sent), ("received", &self.stats.received)] {
            for (name, &count) in kind::NAMES.iter().zip(counts).filter(|(_, &count)| count > 0) {
                line(&format!("cluster_stats_messages_{name}_{direction}"), &count);
            }
            line(&format!("cluster_stats_messages_{direction}"), &counts.iter().sum::<u64>());
        }
        line("total_cluster_links_buffer_limit_exceeded", &self.stats.links_over_limit);
        out
    }

    /// CLUSTER SLOTS (13.3).
    pub fn slots(&self) -> Vec<SlotRangeView> {
        let mut ranges: Vec<(NodeKey, SlotRange)> = Vec::new();
        for slot in Slot::all() {
            let Some(owner) = self.slots.owner(slot) else { continue };
            match ranges.last_mut() {
                Some((key, range)) if *key == owner && range.last.next() == Some(slot) => range.last = slot,
                _ => ranges.push((owner, SlotRange::one(slot))),
            }
        }
        let mut nodes: BTreeMap<NodeKey, Vec<NodeView>> = BTreeMap::new();
        ranges
            .into_iter()
            .map(|(owner, range)| {
                let nodes = nodes.entry(owner).or_insert_with(|| {
                    let serving = |(_, node): &(NodeKey, &Node)| !node.has_failed() && node.offset != 0;
                    let replicas = self.nodes.replicas_of(owner).filter(serving);
                    let views = std::iter::once((owner, &self.nodes[owner])).chain(replicas);
                    views.map(|(_, node)| self.view(node)).collect()
                });
                SlotRangeView { range, nodes: nodes.clone() }
            })
            .collect()
    }

    /// CLUSTER SHARDS (13.2).
    pub fn shards(&self) -> Vec<ShardView> {
        let mut shards: Vec<ShardView> = Vec::new();
        for (key, node) in self.nodes.iter().filter(|(_, node)| !node.in_handshake) {
            let index = shards.iter().position(|shard| shard.id == node.shard).unwrap_or_else(|| {
                // As Redis does, the slots are those of the first node's primary.
                let primary = node.replica_of().map_or(node, |primary| &self.nodes[primary]);
                shards.push(ShardView {
                    id: node.shard,
                    slots: primary.slots.ranges().map(range).collect(),
                    nodes: Vec::new(),
                });
                shards.len() - 1
            });
            let offset = if key == self.myself { self.offset } else { node.offset };
            shards[index].nodes.push(ShardNodeView {
                id: node.id,
                port: node.port,
                tls_port: node.tls_port,
                ip: node.ip.clone(),
                endpoint: self.endpoint(node).unwrap_or_default(),
                hostname: node.hostname.clone(),
                is_replica: node.is_replica(),
                offset,
                health: if node.has_failed() {
                    NodeHealth::Fail
                } else if node.is_replica() && offset == 0 {
                    NodeHealth::Loading
                } else {
                    NodeHealth::Online
                },
            });
        }
        shards
    }

    /// CLUSTER LINKS: those whose node is known.
    pub fn links(&self) -> Vec<LinkView> {
        let mut views = Vec::new();
        for (_, node) in self.nodes.iter() {
            for id in node.outbound.into_iter().chain(node.inbound) {
                let Some(link) = self.links.get(id) else { continue };
                views.push(LinkView {
                    direction: if id.is_outbound() { Direction::To } else { Direction::From },
                    node: node.id,
                    created_ms: link.created_ms,
                    events: match (link.up, link.unsent > 0) {
                        (true, false) => "r",
                        (true, true) => "rw",
                        (false, _) => "",
                    },
                    send_buffer_bytes: link.unsent,
                });
            }
        }
        views
    }

    fn view(&self, node: &Node) -> NodeView {
        let preferred = self.settings.preferred_endpoint_type;
        let mut metadata = Vec::new();
        if preferred != EndpointType::Ip {
            metadata.push(("ip", node.ip.clone()));
        }
        if preferred != EndpointType::Hostname && !node.hostname.is_empty() {
            metadata.push(("hostname", node.hostname.clone()));
        }
        NodeView {
            endpoint: self.endpoint(node),
            port: node.port,
            tls_port: node.tls_port,
            id: node.id,
            metadata,
        }
    }

    /// The address for clients; `None` is the unknown endpoint.
    pub(crate) fn endpoint(&self, node: &Node) -> Option<String> {
        match self.settings.preferred_endpoint_type {
            EndpointType::Ip => Some(node.ip.clone()),
            EndpointType::Hostname if node.hostname.is_empty() => Some("?".to_owned()),
            EndpointType::Hostname => Some(node.hostname.clone()),
            EndpointType::UnknownEndpoint => None,
        }
    }

    /// A line of CLUSTER NODES, or with auxiliary fields one of nodes.conf.
    pub(crate) fn describe(&self, out: &mut String, key: NodeKey, node: &Node, for_file: bool) {
        let is_myself = key == self.myself;
        let mut put = |text: std::fmt::Arguments| {
            out.write_fmt(text).expect("a String takes whatever is written to it");
        };
        put(format_args!("{} {}:{}@{}", node.id, node.ip, node.port, node.bus_port));
        if for_file {
            put(format_args!(",{},tls-port={}", node.hostname, node.tls_port));
            if !node.human_nodename.is_empty() {
                put(format_args!(",nodename={}", node.human_nodename));
            }
            put(format_args!(",shard-id={}", node.shard));
        } else if !node.hostname.is_empty() {
            put(format_args!(",{}", node.hostname));
        }
        let primary = node.replica_of().map(|primary| &self.nodes[primary]);
        let flags = node.flags().with_if(is_myself, NodeFlags::MYSELF).names();
        let primary_id = primary.map_or("-", |primary| primary.id.as_str());
        let epoch = primary.unwrap_or(node).config_epoch;
        let is_connected = is_myself || self.is_linked(key);
        let link = if is_connected { "connected" } else { "disconnected" };
        put(format_args!(
            " {flags} {primary_id} {} {} {epoch} {link}",
            node.ping_sent_ms, node.pong_received_ms
        ));
        for ends in node.slots.ranges() {
            put(format_args!(" {}", range(ends)));
        }
        if is_myself {
            for (slot, &target) in &self.slots.migrating_to {
                put(format_args!(" [{slot}->-{}]", self.nodes[target].id));
            }
            for (slot, &source) in &self.slots.importing_from {
                put(format_args!(" [{slot}-<-{}]", self.nodes[source].id));
            }
        }
    }
}

fn range((first, last): (Slot, Slot)) -> SlotRange {
    SlotRange { first, last }
}

/// The lines of CLUSTER HELP between its title and the HELP entry that every container command has.
pub const HELP: &[&str] = &[
    "ADDSLOTS <slot> [<slot> ...]",
    "    Assign slots to current node.",
    "ADDSLOTSRANGE <start slot> <end slot> [<start slot> <end slot> ...]",
    "    Assign slots which are between <start-slot> and <end-slot> to current node.",
    "BUMPEPOCH",
    "    Advance the cluster config epoch.",
    "COUNT-FAILURE-REPORTS <node-id>",
    "    Return number of failure reports for <node-id>.",
    "COUNTKEYSINSLOT <slot>",
    "    Return the number of keys in <slot>.",
    "DELSLOTS <slot> [<slot> ...]",
    "    Delete slots information from current node.",
    "DELSLOTSRANGE <start slot> <end slot> [<start slot> <end slot> ...]",
    "    Delete slots information which are between <start-slot> and <end-slot> from current node.",
    "FAILOVER [FORCE|TAKEOVER]",
    "    Promote current replica node to being a master.",
    "FORGET <node-id>",
    "    Remove a node from the cluster.",
    "GETKEYSINSLOT <slot> <count>",
    "    Return key names stored by current node in a slot.",
    "FLUSHSLOTS",
    "    Delete current node own slots information.",
    "INFO",
    "    Return information about the cluster.",
    "KEYSLOT <key>",
    "    Return the hash slot for <key>.",
    "MEET <ip> <port> [<bus-port>]",
    "    Connect nodes into a working cluster.",
    "MYID",
    "    Return the node id.",
    "MYSHARDID",
    "    Return the node's shard id.",
    "NODES",
    "    Return cluster configuration seen by node. Output format:",
    "    <id> <ip:port@bus-port[,hostname]> <flags> <master> <pings> <pongs> <epoch> <link> <slot> ...",
    "REPLICATE <node-id>",
    "    Configure current node as replica to <node-id>.",
    "RESET [HARD|SOFT]",
    "    Reset current node (default: soft).",
    "SET-CONFIG-EPOCH <epoch>",
    "    Set config epoch of current node.",
    "SETSLOT <slot> (IMPORTING <node-id>|MIGRATING <node-id>|STABLE|NODE <node-id>)",
    "    Set slot state.",
    "REPLICAS <node-id>",
    "    Return <node-id> replicas.",
    "SAVECONFIG",
    "    Force saving cluster configuration on disk.",
    "SLOTS",
    "    Return information about slots range mappings. Each range is made of:",
    "    start, end, master and replicas IP addresses, ports and ids",
    "SHARDS",
    "    Return information about slot range mappings and the nodes associated with them.",
    "LINKS",
    "    Return information about all network links between this node and its peers.",
    "    Output format is an array where each array element is a map containing attributes of a link",
];
