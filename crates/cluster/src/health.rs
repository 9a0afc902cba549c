//! Whether the cluster is up, as seen from here (section 6).
//!
//! ```text
//!     start: fail --2 s after the first look, all slots covered, majority in reach--> ok
//!     ok --a slot uncovered, or the majority out of reach--> fail
//!     fail --for a while back with the majority--> ok
//! ```
//!
//! The two delays are a primary's: after a start, and after having been with a minority, others may have
//! elected somebody in our place, and we give them time to tell us before we take writes again.

use crate::machine::Cluster;
use crate::{ClusterState, LogLevel};
use slot::SLOT_COUNT;

const WRITABLE_DELAY_MS: u64 = 2000;
const MIN_REJOIN_DELAY_MS: u64 = 500;
const MAX_REJOIN_DELAY_MS: u64 = 5000;

#[derive(Debug, Default)]
pub(crate) struct Evaluation {
    state: ClusterState,
    first_ms: Option<u64>,
    /// When we were last seen to be with a minority.
    minority_ms: u64,
}

impl Evaluation {
    pub fn state(&self) -> ClusterState {
        self.state
    }

    pub fn is_fail(&self) -> bool {
        self.state == ClusterState::Fail
    }
}

impl Cluster {
    /// Whether the cluster is up.
    pub fn state(&self) -> ClusterState {
        self.evaluation.state
    }

    /// How many primaries have slots: they are the ones that count.
    pub(crate) fn size(&self) -> usize {
        self.nodes.iter().filter(|(_, node)| node.is_voter()).count()
    }

    pub(crate) fn quorum(&self) -> usize {
        self.size() / 2 + 1
    }

    pub(crate) fn evaluate_state(&mut self, now_ms: u64) {
        let first_ms = *self.evaluation.first_ms.get_or_insert(now_ms);
        if self.evaluation.is_fail() && now_ms.saturating_sub(first_ms) < WRITABLE_DELAY_MS {
            return;
        }
        let reachable = self
            .nodes
            .iter()
            .filter(|(_, node)| node.is_voter() && !node.has_failed() && !node.is_suspected())
            .count();
        let is_minority = reachable < self.quorum();
        if is_minority {
            self.evaluation.minority_ms = now_ms;
        }
        let is_covered = !self.settings.require_full_coverage || self.served_slots() == SLOT_COUNT;
        let state = if is_covered && !is_minority { ClusterState::Ok } else { ClusterState::Fail };
        if state == self.evaluation.state {
            return;
        }
        let rejoin_delay = self.settings.node_timeout_ms.clamp(MIN_REJOIN_DELAY_MS, MAX_REJOIN_DELAY_MS);
        if state == ClusterState::Ok && now_ms.saturating_sub(self.evaluation.minority_ms) < rejoin_delay {
            return;
        }
        self.evaluation.state = state;
        self.todo.routing = true;
        match state {
            ClusterState::Ok => self.log(LogLevel::Notice, "Cluster state changed: ok".to_owned()),
            ClusterState::Fail => self.log(LogLevel::Warning, "Cluster state changed: fail".to_owned()),
        }
    }

    /// How many slots have an owner that has not failed. A slot is in one node's set at most.
    fn served_slots(&self) -> usize {
        let serving = self.nodes.iter().filter(|(_, node)| !node.has_failed());
        serving.map(|(_, node)| node.slots.len()).sum()
    }
}
