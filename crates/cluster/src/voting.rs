//! Voting: a replica of a failed primary asks for the right to replace it (section 8.4).
//!
//! ```text
//!     AUTH_REQUEST --1..6 hold?--> last_vote_epoch, voted time --> Save+fsync --> AUTH_ACK
//!                      no: silence
//! ```
//!
//! One vote per epoch, for ever: it is on disk before it leaves, by the order of a turn's outputs.
//! And one per primary and 2 * node_timeout, so that a slow winner is not overtaken. Not here:
//! standing for election ourselves.

use crate::codec::{Body, Header};
use crate::machine::Cluster;
use crate::nodes::NodeKey;
use crate::{LogLevel, MessageFlags};

impl Cluster {
    /// Answers an AUTH_REQUEST of a known sender, or does not.
    pub(crate) fn consider_vote(&mut self, now_ms: u64, candidate: NodeKey, request: &Header) {
        let label = self.nodes[candidate].label();
        let primary = match self.may_vote(now_ms, candidate, request) {
            Ok(primary) => primary,
            Err(None) => return,
            Err(Some(reason)) => {
                return self.log(LogLevel::Warning, format!("Failover auth denied to {label}: {reason}"));
            }
        };
        self.last_vote_epoch = self.current_epoch;
        if let Some(primary) = self.nodes.get_mut(primary) {
            primary.voted_ms = now_ms;
        }
        self.todo.save_first();
        self.send_to(candidate, Body::AuthAck);
        let epoch = self.current_epoch;
        self.log(LogLevel::Notice, format!("Failover auth granted to {label} for epoch {epoch}"));
    }

    /// The candidate's primary if we may vote for it; else the reason for the log, if it deserves one.
    fn may_vote(&self, now_ms: u64, candidate: NodeKey, request: &Header) -> Result<NodeKey, Option<String>> {
        // 1. Only primaries with slots are counted, so only they vote.
        if !self.me().is_voter() {
            return Err(None);
        }
        // 2. The header has raised our epoch already, so the request is as new as any, or is old.
        if request.current_epoch < self.current_epoch {
            let (asked, ours) = (request.current_epoch, self.current_epoch);
            return Err(Some(format!("reqEpoch ({asked}) < curEpoch({ours})")));
        }
        // 3.
        if self.last_vote_epoch == self.current_epoch {
            return Err(Some(format!("already voted for epoch {}", self.current_epoch)));
        }
        // 4.
        let node = &self.nodes[candidate];
        if !node.is_replica() {
            return Err(Some("it is a master node".to_owned()));
        }
        let Some(primary_key) = node.replica_of() else {
            return Err(Some("I don't know its master".to_owned()));
        };
        let primary = &self.nodes[primary_key];
        if !primary.has_failed() && !request.message_flags.has(MessageFlags::FORCEACK) {
            return Err(Some("its master is up".to_owned()));
        }
        // 5.
        let wait = self.settings.node_timeout_ms.saturating_mul(2);
        let since = now_ms.saturating_sub(primary.voted_ms);
        if since < wait {
            let left = wait - since;
            return Err(Some(format!("can't vote about this master before {left} milliseconds")));
        }
        // 6. It must not win slots that somebody else holds under a newer claim.
        for slot in request.slots.iter() {
            let Some(owner) = self.slots.owner(slot) else { continue };
            let epoch = self.nodes[owner].config_epoch;
            if !self.slots.is_unclaimed(slot) && epoch > request.config_epoch {
                return Err(Some(format!(
                    "slot {slot} epoch ({epoch}) > reqEpoch ({})",
                    request.config_epoch
                )));
            }
        }
        Ok(primary_key)
    }
}
