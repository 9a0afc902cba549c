//! Epochs: the cluster's logical clock and the versions of claims (sections 7.1, 7.3 and 7.5).
//!
//! `current_epoch` is the highest number anyone has heard of; elections and bumps draw the next
//! from it. A primary's `config_epoch` is the version of its claim to slots, and the higher one
//! wins a slot. Two primaries with the same one could never settle a dispute, so the one with the
//! smaller name moves on.
//!
//! 1. Neither number ever goes back, RESET HARD aside.
//! 2. A number of our own is on disk before any message carries it (`Todo::save_first`).

use crate::codec::{ClaimedRole, Header};
use crate::machine::Cluster;
use crate::nodes::NodeKey;
use crate::LogLevel;

impl Cluster {
    /// The cluster's clock, as far as we know.
    pub fn current_epoch(&self) -> u64 {
        self.current_epoch
    }

    /// The version of our claim to slots.
    pub fn my_config_epoch(&self) -> u64 {
        self.me().config_epoch
    }

    /// 3.4, step 2: what a header teaches about time.
    pub(crate) fn learn_epochs(&mut self, sender: NodeKey, header: &Header) {
        self.current_epoch = self.current_epoch.max(header.current_epoch);
        let Some(node) = self.nodes.get_mut(sender) else { return };
        node.offset = header.offset;
        // A replica's header carries its primary's epoch, which is the primary's to tell.
        if header.role == ClaimedRole::Primary && header.config_epoch > node.config_epoch {
            node.config_epoch = header.config_epoch;
            self.todo.save_first();
        }
    }

    pub(crate) fn greatest_epoch(&self) -> u64 {
        self.nodes.iter().map(|(_, node)| node.config_epoch).fold(self.current_epoch, u64::max)
    }

    /// 7.3.
    pub(crate) fn resolve_collision(&mut self, sender: NodeKey, header: &Header) {
        let (node, myself) = (&self.nodes[sender], self.me());
        if !node.is_primary()
            || header.config_epoch != myself.config_epoch
            || node.config_epoch != myself.config_epoch
            || node.id <= myself.id
        {
            return;
        }
        let label = node.label();
        let Some(epoch) = self.draw_epoch() else { return };
        self.log(
            LogLevel::Verbose,
            format!("WARNING: configEpoch collision with node {label}. configEpoch set to {epoch}"),
        );
    }

    /// 7.5: makes our claim the newest without asking anybody, unless it is already. The new epoch,
    /// if there is one.
    pub(crate) fn bump_without_consensus(&mut self) -> Option<u64> {
        let mine = self.me().config_epoch;
        if mine != 0 && mine == self.greatest_epoch() {
            return None;
        }
        let epoch = self.draw_epoch()?;
        self.log(LogLevel::Notice, format!("New configEpoch set to {epoch}"));
        Some(epoch)
    }

    /// The next epoch, now ours. There is none if a node that is out of its mind has told us the
    /// last number there is.
    fn draw_epoch(&mut self) -> Option<u64> {
        let Some(epoch) = self.current_epoch.checked_add(1) else {
            self.log(LogLevel::Warning, "The cluster has run out of epochs".to_owned());
            return None;
        };
        self.current_epoch = epoch;
        self.me_mut().config_epoch = epoch;
        self.todo.save_first();
        Some(epoch)
    }
}
