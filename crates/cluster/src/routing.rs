//! What the data cores know of the cluster: an immutable map from slots to owners, by version.
//!
//! The control plane is the map's only writer. It hands out version after version, each to all cores,
//! and hears when all have applied one:
//!
//! ```text
//!     ours, in the table      v3 {0-99}          v4 {0-199}          v5 {50-199}
//!     applied by the cores    v3                 v3                  v3              v5
//!     claimed on the bus      {0-99}             {0-99}              {50-99}         {50-199}
//! ```
//!
//! Rule R3: a slot gained is claimed only when the cores can serve it; a slot lost is no longer claimed
//! from that moment on, even if it is regained before the loss was applied. So what is claimed is the applied
//! version's slots, less what any later version lacks.

use crate::machine::Cluster;
use crate::NodeId;
use slot::{Slot, SlotSet, SLOT_COUNT};
use std::collections::VecDeque;
use std::sync::Arc;

/// Whether the cluster serves (section 6).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClusterState {
    /// It does.
    Ok,
    /// It does not.
    #[default]
    Fail,
}

/// In [`RoutingMap::owners`]: the slot has no owner.
pub const UNASSIGNED: u16 = u16::MAX;

/// One version of who serves what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoutingMap {
    /// Ever growing.
    pub version: u64,
    /// Whether the cluster serves at all.
    pub state: ClusterState,
    /// `cluster-require-full-coverage`.
    pub require_full_coverage: bool,
    /// `cluster-allow-reads-when-down`.
    pub allow_reads_when_down: bool,
    /// `cluster-allow-pubsubshard-when-down`.
    pub allow_pubsubshard_when_down: bool,
    /// The slots of this node.
    pub mine: SlotSet,
    /// By slot: an index into `nodes`, or [`UNASSIGNED`].
    pub owners: Box<[u16; SLOT_COUNT]>,
    /// Every owner of a slot, and this node first of all.
    pub nodes: Vec<RoutingNode>,
}

/// What `-MOVED` has to say about a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoutingNode {
    /// Its name.
    pub id: NodeId,
    /// Its address for clients, as the preferred endpoint type wants it: may be empty, or `?`.
    pub endpoint: String,
    /// Its ordinary client port.
    pub port: u16,
    /// Its TLS client port, or 0.
    pub tls_port: u16,
    /// Whether it is this node.
    pub is_myself: bool,
}

impl RoutingMap {
    /// Who serves a slot.
    pub fn owner(&self, slot: Slot) -> Option<&RoutingNode> {
        self.nodes.get(usize::from(self.owners[slot.index()]))
    }
}

/// How many versions may wait for the cores one by one; older ones are then awaited together.
const MAX_PENDING: usize = 64;

#[derive(Debug)]
pub(crate) struct RoutingState {
    last: Option<Arc<RoutingMap>>,
    applied_version: u64,
    /// Our slots, as far as the cores can serve them and no later version has taken them away.
    claimable: SlotSet,
    /// Versions on their way, each with our slots in it.
    pending: VecDeque<(u64, SlotSet)>,
}

impl RoutingState {
    pub fn new() -> RoutingState {
        RoutingState { last: None, applied_version: 0, claimable: SlotSet::new(), pending: VecDeque::new() }
    }

    /// Whether any version has been applied: until then this node keeps to itself.
    pub fn started(&self) -> bool {
        self.applied_version > 0
    }

    pub fn applied_version(&self) -> u64 {
        self.applied_version
    }

    pub fn last_version(&self) -> u64 {
        self.last.as_ref().map_or(0, |map| map.version)
    }

    pub fn claimable(&self) -> &SlotSet {
        &self.claimable
    }

    /// A slot has left us: it is not claimed any more, whatever the cores still hold.
    pub fn lose(&mut self, slot: Slot) {
        self.claimable.remove(slot);
        // Nor when a version from before the loss, still on its way, is applied.
        for (_, mine) in &mut self.pending {
            mine.remove(slot);
        }
    }

    pub fn publish(&mut self, map: Arc<RoutingMap>) {
        if self.pending.len() == MAX_PENDING {
            // Whoever has applied the next has applied this one too.
            self.pending.pop_front();
        }
        self.pending.push_back((map.version, map.mine.clone()));
        self.last = Some(map);
    }

    pub fn applied(&mut self, version: u64) {
        while self.pending.front().is_some_and(|&(waiting, _)| waiting <= version) {
            let (waiting, mine) = self.pending.pop_front().expect("it has a front");
            self.applied_version = waiting;
            self.claimable = mine;
        }
    }
}

impl Cluster {
    /// The version that the data cores should hold now; a verb's reply waits until it is applied.
    pub fn routing_version(&self) -> u64 {
        self.routing.last_version()
    }

    /// The latest version that all data cores have applied.
    pub fn applied_routing_version(&self) -> u64 {
        self.routing.applied_version()
    }

    /// The map that the data cores should hold now.
    pub fn routing_map(&self) -> Arc<RoutingMap> {
        self.routing.last.clone().expect("the first version is made before the machine is handed out")
    }

    /// Our slots as the bus may know them (rule R3).
    pub(crate) fn claimed_slots(&self) -> SlotSet {
        let mut claimed = self.me().slots.clone();
        claimed.intersect_with(self.routing.claimable());
        claimed
    }

    /// The next version, if it differs from the last in anything but its number.
    pub(crate) fn next_routing_map(&mut self) -> Option<Arc<RoutingMap>> {
        let mut map = self.build_routing_map();
        if let Some(last) = &self.routing.last {
            map.version = last.version;
            if map == **last {
                return None;
            }
        }
        map.version = self.routing.last_version() + 1;
        let map = Arc::new(map);
        self.routing.publish(map.clone());
        Some(map)
    }

    fn build_routing_map(&self) -> RoutingMap {
        let mut nodes = Vec::new();
        let mut owners = Box::new([UNASSIGNED; SLOT_COUNT]);
        let others = self.nodes.iter().filter(|&(key, node)| key != self.myself && !node.slots.is_empty());
        for (key, node) in std::iter::once((self.myself, self.me())).chain(others) {
            let is_myself = key == self.myself;
            let index = nodes.len() as u16;
            nodes.push(RoutingNode {
                id: node.id,
                endpoint: self.endpoint(node).unwrap_or_default(),
                port: node.port,
                tls_port: node.tls_port,
                is_myself,
            });
            for slot in node.slots.iter() {
                owners[slot.index()] = index;
            }
        }
        RoutingMap {
            version: 0,
            state: self.evaluation.state(),
            require_full_coverage: self.settings.require_full_coverage,
            allow_reads_when_down: self.settings.allow_reads_when_down,
            allow_pubsubshard_when_down: self.settings.allow_pubsubshard_when_down,
            mine: self.me().slots.clone(),
            owners,
            nodes,
        }
    }
}
