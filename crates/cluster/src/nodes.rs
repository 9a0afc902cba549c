//! The node table: everything this node believes about each member, itself included.
//!
//! A node is found by its name, and referred to by a `NodeKey` that is never used twice, so that a
//! key kept somewhere (a slot's owner, a failure report) can become stale but never mean another node.
//! Iteration is in the order of creation, and so is the same in every run of a seed.
//!
//! Role and health are types here; the wire's flag word is made of them ([`Node::flags`]).

use crate::links::LinkId;
use crate::rng::Rng;
use crate::{NodeFlags, NodeId, ShardId};
use slot::SlotSet;
use std::collections::BTreeMap;

/// A larger cluster than any that works (a thousand nodes is the advice), and a bound to what MEET
/// and gossip can make us store.
pub(crate) const MAX_NODES: usize = 8192;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NodeKey(u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Not told yet: in handshake, or known only as somebody's primary.
    Unknown,
    Primary,
    /// `of` is `None` while its primary is not in the table.
    Replica {
        of: Option<NodeKey>,
    },
}

/// Section 5. PFAIL is our own suspicion, FAIL what a majority has agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    Online,
    Suspected,
    Failed { since_ms: u64 },
}

#[derive(Debug)]
pub(crate) struct Node {
    pub id: NodeId,
    pub shard: ShardId,
    pub role: Role,
    pub health: Health,
    /// Its name is made up: it has not answered yet.
    pub in_handshake: bool,
    pub no_address: bool,
    /// It has to be sent a MEET, until it answers.
    pub owes_meet: bool,
    pub migrate_to: bool,
    pub no_failover: bool,
    pub ip: String,
    pub port: u16,
    pub tls_port: u16,
    pub bus_port: u16,
    pub hostname: String,
    pub human_nodename: String,
    pub created_ms: u64,
    /// When the ping now unanswered was sent; 0 if none is.
    pub ping_sent_ms: u64,
    pub pong_received_ms: u64,
    pub data_received_ms: u64,
    /// When we last voted for a replica of this primary.
    pub voted_ms: u64,
    pub config_epoch: u64,
    pub offset: u64,
    pub slots: SlotSet,
    pub outbound: Option<LinkId>,
    pub inbound: Option<LinkId>,
    /// Which primaries hold it to be failing, and when they last said so.
    pub failure_reports: BTreeMap<NodeKey, u64>,
}

impl Node {
    pub fn new(id: NodeId, shard: ShardId, now_ms: u64) -> Node {
        Node {
            id,
            shard,
            role: Role::Unknown,
            health: Health::Online,
            in_handshake: false,
            no_address: false,
            owes_meet: false,
            migrate_to: false,
            no_failover: false,
            ip: String::new(),
            port: 0,
            tls_port: 0,
            bus_port: 0,
            hostname: String::new(),
            human_nodename: String::new(),
            created_ms: now_ms,
            ping_sent_ms: 0,
            pong_received_ms: 0,
            data_received_ms: 0,
            voted_ms: 0,
            config_epoch: 0,
            offset: 0,
            slots: SlotSet::new(),
            outbound: None,
            inbound: None,
            failure_reports: BTreeMap::new(),
        }
    }

    pub fn is_primary(&self) -> bool {
        self.role == Role::Primary
    }

    pub fn is_replica(&self) -> bool {
        matches!(self.role, Role::Replica { .. })
    }

    /// Its primary, if it is a replica and we know of whom.
    pub fn replica_of(&self) -> Option<NodeKey> {
        match self.role {
            Role::Replica { of } => of,
            _ => None,
        }
    }

    pub fn is_suspected(&self) -> bool {
        self.health == Health::Suspected
    }

    pub fn has_failed(&self) -> bool {
        matches!(self.health, Health::Failed { .. })
    }

    /// A primary that counts: in the cluster's size, in quorums, in votes.
    pub fn is_voter(&self) -> bool {
        self.is_primary() && !self.slots.is_empty()
    }

    /// The flag word of the wire, but for MYSELF, which the table adds.
    pub fn flags(&self) -> NodeFlags {
        NodeFlags::default()
            .with_if(self.is_primary(), NodeFlags::MASTER)
            .with_if(self.is_replica(), NodeFlags::SLAVE)
            .with_if(self.is_suspected(), NodeFlags::PFAIL)
            .with_if(self.has_failed(), NodeFlags::FAIL)
            .with_if(self.in_handshake, NodeFlags::HANDSHAKE)
            .with_if(self.no_address, NodeFlags::NOADDR)
            .with_if(self.owes_meet, NodeFlags::MEET)
            .with_if(self.migrate_to, NodeFlags::MIGRATE_TO)
            .with_if(self.no_failover, NodeFlags::NOFAILOVER)
    }

    /// How the log names it.
    pub fn label(&self) -> String {
        format!("{} ({})", self.id, self.human_nodename)
    }
}

#[derive(Debug, Default)]
pub(crate) struct Nodes {
    table: BTreeMap<NodeKey, Node>,
    by_id: BTreeMap<NodeId, NodeKey>,
    /// The keys once more, so that one can be drawn at random.
    keys: Vec<NodeKey>,
    created: u32,
}

impl Nodes {
    /// Adds a node whose name is not in the table.
    pub fn insert(&mut self, node: Node) -> NodeKey {
        self.created += 1;
        let key = NodeKey(self.created);
        let before = self.by_id.insert(node.id, key);
        assert!(before.is_none(), "a name stands for one node");
        self.table.insert(key, node);
        self.keys.push(key);
        key
    }

    pub fn remove(&mut self, key: NodeKey) -> Option<Node> {
        let node = self.table.remove(&key)?;
        self.by_id.remove(&node.id);
        self.keys.retain(|&other| other != key);
        Some(node)
    }

    /// Gives a node another name, one that is not in the table.
    pub fn rename(&mut self, key: NodeKey, id: NodeId) {
        let node = self.table.get_mut(&key).expect("a node that is renamed is in the table");
        self.by_id.remove(&node.id);
        node.id = id;
        let before = self.by_id.insert(id, key);
        assert!(before.is_none(), "a name stands for one node");
    }

    pub fn find(&self, id: &NodeId) -> Option<NodeKey> {
        self.by_id.get(id).copied()
    }

    pub fn get(&self, key: NodeKey) -> Option<&Node> {
        self.table.get(&key)
    }

    pub fn get_mut(&mut self, key: NodeKey) -> Option<&mut Node> {
        self.table.get_mut(&key)
    }

    pub fn len(&self) -> usize {
        self.keys.len()
    }

    pub fn is_full(&self) -> bool {
        self.len() >= MAX_NODES
    }

    pub fn iter(&self) -> impl Iterator<Item = (NodeKey, &Node)> {
        self.table.iter().map(|(&key, node)| (key, node))
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = (NodeKey, &mut Node)> {
        self.table.iter_mut().map(|(&key, node)| (key, node))
    }

    /// The keys as they are now, for loops that change the table.
    pub fn keys(&self) -> Vec<NodeKey> {
        self.table.keys().copied().collect()
    }

    /// Any node, each as likely as the others.
    pub fn random(&self, rng: &mut Rng) -> NodeKey {
        self.keys[rng.below(self.keys.len())]
    }

    pub fn replicas_of(&self, primary: NodeKey) -> impl Iterator<Item = (NodeKey, &Node)> {
        self.iter().filter(move |(_, node)| node.replica_of() == Some(primary))
    }
}

impl std::ops::Index<NodeKey> for Nodes {
    type Output = Node;

    /// For keys that are known to be in the table: `myself`, and owners of slots.
    fn index(&self, key: NodeKey) -> &Node {
        &self.table[&key]
    }
}
