//! Failure detection: how a silent node becomes a failed one, and comes back (section 5).
//!
//! A peer that leaves a ping unanswered for `node_timeout`, and sends nothing else either, is
//! PFAIL, a private suspicion that gossip carries around. A node that suspects it too, and has
//! heard a majority of primaries say so lately, declares FAIL and tells everyone, who obey without
//! counting again.
//!
//! ```text
//!     online --silent--> PFAIL --majority of primaries--> FAIL --answers us--> online, unless it has slots:
//!        ^                 |                                      then only after 2 * node_timeout, when
//!        +--answers us-----+                                      evidently nobody took them over (5.4)
//! ```
//!
//! 1. Only primaries with slots count, as reporters and as ourselves, and a report lives 2 * node_timeout.
//! 2. FAIL is taken back only by a node that has itself heard from the peer.

use crate::codec::{kind, Body};
use crate::machine::Cluster;
use crate::nodes::{Health, NodeKey};
use crate::LogLevel;

impl Cluster {
    fn report_validity_ms(&self) -> u64 {
        self.settings.node_timeout_ms.saturating_mul(2)
    }

    /// 5.2: a primary says in gossip how it finds `about`.
    pub(crate) fn take_report(&mut self, now_ms: u64, reporter: NodeKey, about: NodeKey, is_failing: bool) {
        if !self.nodes[reporter].is_voter() {
            return;
        }
        let Some(node) = self.nodes.get_mut(about) else { return };
        let is_news = if is_failing {
            node.failure_reports.insert(reporter, now_ms).is_none()
        } else {
            node.failure_reports.remove(&reporter).is_some()
        };
        if is_news {
            let what = if is_failing { "as not reachable" } else { "is back online" };
            let text = format!(
                "Node {} reported node {} {what}.",
                self.nodes[reporter].label(),
                self.nodes[about].label()
            );
            self.log(LogLevel::Verbose, text);
        }
        if is_failing {
            self.fail_if_agreed(now_ms, about);
        }
    }

    /// How many primaries report it and have not been silent about it for too long.
    pub(crate) fn count_reports(&self, now_ms: u64, about: NodeKey) -> usize {
        let validity = self.report_validity_ms();
        let is_valid = |&time: &u64| now_ms.saturating_sub(time) <= validity;
        self.nodes[about].failure_reports.values().filter(|&time| is_valid(time)).count()
    }

    /// 5.3.
    pub(crate) fn fail_if_agreed(&mut self, now_ms: u64, key: NodeKey) {
        let validity = self.report_validity_ms();
        let Some(node) = self.nodes.get_mut(key) else { return };
        node.failure_reports.retain(|_, &mut time| now_ms.saturating_sub(time) <= validity);
        if !node.is_suspected() {
            return;
        }
        let reports = node.failure_reports.len() + usize::from(self.me().is_voter());
        if reports < self.quorum() {
            return;
        }
        let text = format!("Marking node {} as failing (quorum reached).", self.nodes[key].label());
        self.log(LogLevel::Notice, text);
        self.mark_failed(now_ms, key);
        let message = self.message(Body::Fail(Some(self.nodes[key].id)));
        self.broadcast(kind::FAIL, message.encode());
    }

    /// 5.5, and the end of 5.3.
    pub(crate) fn mark_failed(&mut self, now_ms: u64, key: NodeKey) {
        let Some(node) = self.nodes.get_mut(key) else { return };
        node.health = Health::Failed { since_ms: now_ms };
        self.todo.membership();
    }

    pub(crate) fn suspect(&mut self, now_ms: u64, key: NodeKey) {
        let Some(node) = self.nodes.get_mut(key) else { return };
        if node.health != Health::Online {
            return;
        }
        node.health = Health::Suspected;
        let text = format!("*** NODE {} possibly failing", node.id);
        self.log(LogLevel::Debug, text);
        self.todo.state = true;
        if self.me().is_voter() && self.size() == 1 {
            // Nobody else could ever agree with us.
            self.fail_if_agreed(now_ms, key);
        }
    }

    /// 5.1 and 5.4: it has answered a ping of ours.
    pub(crate) fn clear_failure(&mut self, now_ms: u64, key: NodeKey) {
        let undo_delay = self.settings.node_timeout_ms.saturating_mul(2);
        let Some(node) = self.nodes.get_mut(key) else { return };
        match node.health {
            Health::Online => return,
            Health::Suspected => {}
            Health::Failed { since_ms } => {
                let reason = if node.is_replica() {
                    "replica is reachable again"
                } else if node.slots.is_empty() {
                    "master without slots is reachable again"
                } else if now_ms.saturating_sub(since_ms) > undo_delay {
                    "is reachable again and nobody is serving its slots after some time"
                } else {
                    return;
                };
                let text = format!("Clear FAIL state for node {}: {reason}.", node.label());
                node.health = Health::Online;
                self.log(LogLevel::Notice, text);
            }
        }
        if let Some(node) = self.nodes.get_mut(key) {
            node.health = Health::Online;
        }
        self.todo.membership();
    }
}
