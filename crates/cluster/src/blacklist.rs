//! Forgotten nodes (end of section 4). CLUSTER FORGET on one node would be undone by the next
//! gossip of another, so a forgotten name is barred from gossip for a minute, and the ban travels
//! with every ping (FORGOTTEN_NODE), so that one FORGET is enough among nodes of 7.2 and later.
//! MEET still brings the node back.

use crate::machine::Cluster;
use crate::nodes::NodeKey;
use crate::{LogLevel, NodeId};

/// How long CLUSTER FORGET bars a node.
pub(crate) const BLACKLIST_TTL_S: u64 = 60;
/// The longest ban that another node may impose.
const MAX_TTL_S: u64 = 24 * 3600;
/// Entries; beyond it the one that ends first is dropped. Each is 56 bytes in every ping.
const MAX_ENTRIES: usize = 256;

impl Cluster {
    pub(crate) fn is_blacklisted(&self, now_ms: u64, id: &NodeId) -> bool {
        self.blacklist.get(id).is_some_and(|&until_s| until_s >= now_ms / 1000)
    }

    pub(crate) fn bar(&mut self, now_ms: u64, id: NodeId, ttl_s: u64) {
        let now_s = now_ms / 1000;
        self.blacklist.retain(|_, &mut until_s| until_s >= now_s);
        self.blacklist.insert(id, now_s + ttl_s.min(MAX_TTL_S));
        if self.blacklist.len() > MAX_ENTRIES {
            let first = self.blacklist.iter().min_by_key(|&(_, until_s)| *until_s).map(|(&id, _)| id);
            if let Some(first) = first {
                self.blacklist.remove(&first);
            }
        }
    }

    /// Names and the seconds that they remain barred.
    pub(crate) fn bans(&self, now_ms: u64) -> Vec<(NodeId, u64)> {
        let now_s = now_ms / 1000;
        self.blacklist
            .iter()
            .filter_map(|(&id, &until_s)| until_s.checked_sub(now_s).map(|ttl_s| (id, ttl_s)))
            .collect()
    }

    /// A FORGOTTEN_NODE extension: an operator removed this node elsewhere.
    pub(crate) fn forget_as_told(&mut self, now_ms: u64, teller: NodeKey, id: NodeId, ttl_s: u64) {
        let Some(key) = self.nodes.find(&id).filter(|&key| key != self.myself) else { return };
        let text = format!("Node {id} is forgotten, as told by {}", self.nodes[teller].label());
        self.log(LogLevel::Notice, text);
        self.bar(now_ms, id, ttl_s);
        self.delete_node(key);
        self.todo.membership();
    }
}
