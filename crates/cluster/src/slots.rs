//! Who owns which slot, and how a claim changes that (sections 7.2 and 7.4).
//!
//! ```text
//!     unassigned --claim--> owned by S --S claims no more--> owned, but free to be taken
//!                              |  ^                               |
//!                              |  +------S claims again-----------+
//!                              +--claim of T with a higher epoch--> owned by T
//! ```
//!
//! 1. A slot is in `owner` and in its owner's own set, or in neither.
//! 2. A higher epoch wins; an equal one never does. Only a message of the owner, or an UPDATE about
//!    it, makes a claim.
//! 3. A slot that its owner has stopped claiming stays with it, so that clients are redirected and
//!    not refused, until another claims it; it is never told to others as a claim of that owner.
//! 4. A slot that we are importing is changed by operators only.
//!
//! A primary that loses its last slot to a claim should follow the one that took it. This node cannot
//! replicate yet: it stays an empty primary and says so.

use crate::codec::{Body, Header};
use crate::machine::Cluster;
use crate::nodes::NodeKey;
use crate::{LogLevel, Output};
use slot::{Slot, SlotSet, SLOT_COUNT};
use std::collections::BTreeMap;

#[derive(Debug)]
pub(crate) struct SlotTable {
    owner: Box<[Option<NodeKey>; SLOT_COUNT]>,
    /// Slots whose owner has stopped claiming them.
    not_claimed: SlotSet,
    /// Slots being moved; read from nodes.conf and written back, changed by no verb yet.
    pub migrating_to: BTreeMap<Slot, NodeKey>,
    pub importing_from: BTreeMap<Slot, NodeKey>,
}

impl SlotTable {
    pub fn new() -> SlotTable {
        SlotTable {
            owner: Box::new([None; SLOT_COUNT]),
            not_claimed: SlotSet::new(),
            migrating_to: BTreeMap::new(),
            importing_from: BTreeMap::new(),
        }
    }

    pub fn owner(&self, slot: Slot) -> Option<NodeKey> {
        self.owner[slot.index()]
    }

    /// Whether anyone may take it, whatever the epochs.
    pub fn is_unclaimed(&self, slot: Slot) -> bool {
        self.owner(slot).is_none() || self.not_claimed.contains(slot)
    }

    pub fn not_claimed(&self) -> &SlotSet {
        &self.not_claimed
    }

    pub fn close_open_slots(&mut self) {
        self.migrating_to.clear();
        self.importing_from.clear();
    }

    pub fn forget_open_slots_of(&mut self, key: NodeKey) {
        self.migrating_to.retain(|_, &mut node| node != key);
        self.importing_from.retain(|_, &mut node| node != key);
    }
}

impl Cluster {
    /// Gives a slot without an owner to a node.
    pub(crate) fn bind_slot(&mut self, slot: Slot, key: NodeKey) {
        let owner = &mut self.slots.owner[slot.index()];
        assert!(owner.is_none(), "a slot is released before it is bound again");
        *owner = Some(key);
        let somebody_has_replicas =
            || self.nodes.iter().any(|(_, node)| node.is_replica() && node.replica_of().is_some());
        let first = self.nodes[key].slots.is_empty();
        let becomes_target = first && somebody_has_replicas();
        let node = self.nodes.get_mut(key).expect("the owner of a slot is in the table");
        node.slots.insert(slot);
        node.migrate_to |= becomes_target;
        self.todo.routing = true;
    }

    /// Takes a slot from its owner, if it has one.
    pub(crate) fn release_slot(&mut self, slot: Slot) {
        if let Some(key) = self.slots.owner[slot.index()].take() {
            if let Some(node) = self.nodes.get_mut(key) {
                node.slots.remove(slot);
            }
            if key == self.myself {
                self.routing.lose(slot);
            }
            self.slots.not_claimed.remove(slot);
            self.todo.routing = true;
        }
    }

    pub(crate) fn release_slots_of(&mut self, key: NodeKey) {
        let Some(node) = self.nodes.get(key) else { return };
        for slot in node.slots.clone().iter() {
            self.release_slot(slot);
        }
    }

    /// 7.2: `claimant` says that it owns exactly these slots, as of `epoch`.
    pub(crate) fn apply_claim(&mut self, claimant: NodeKey, epoch: u64, claim: &SlotSet) {
        if claimant == self.myself {
            self.log(LogLevel::Notice, "Discarding UPDATE message about myself.".to_owned());
            return;
        }
        let mut lost = SlotSet::new();
        let mut rebound = false;
        for slot in Slot::all() {
            let owner = self.slots.owner(slot);
            if !claim.contains(slot) {
                if owner == Some(claimant) {
                    self.slots.not_claimed.insert(slot);
                }
                continue;
            }
            if owner == Some(claimant) {
                self.slots.not_claimed.remove(slot);
                continue;
            }
            let is_older = owner.is_some_and(|owner| self.nodes[owner].config_epoch < epoch);
            if self.slots.importing_from.contains_key(&slot) || !(is_older || self.slots.is_unclaimed(slot)) {
                continue;
            }
            if owner == Some(self.myself) {
                lost.insert(slot);
                self.slots.migrating_to.remove(&slot);
            }
            self.release_slot(slot);
            self.bind_slot(slot, claimant);
            rebound = true;
        }
        if rebound {
            self.todo.membership();
            self.todo.save_first();
        }
        if !lost.is_empty() {
            self.yield_slots(claimant, lost, claim.len());
        }
    }

    /// The end of 7.2, for a node that is a primary and cannot be anything else yet.
    fn yield_slots(&mut self, claimant: NodeKey, lost: SlotSet, claimed: usize) {
        let (count, winner) = (lost.len(), self.nodes[claimant].label());
        self.stage(Output::DropKeys(Box::new(lost)));
        self.log(
            LogLevel::Notice,
            format!("Lost {count} slot(s) to {winner}, which claims them with a newer epoch"),
        );
        if self.me().slots.is_empty() && (self.settings.allow_replica_migration || claimed == count) {
            self.log(
                LogLevel::Warning,
                format!(
                    "All slots of this node went to {winner}. A Redis node would become its replica; this one stays a \
                     primary without slots, for it cannot replicate yet"
                ),
            );
        }
    }

    /// 7.4: a sender that claims what another owns under a higher epoch is told so, once per message.
    pub(crate) fn correct_claim(&mut self, sender: NodeKey, header: &Header) {
        let stale = header.slots.iter().find_map(|slot| {
            let owner = self.slots.owner(slot).filter(|&owner| owner != sender)?;
            let is_stale =
                !self.slots.is_unclaimed(slot) && self.nodes[owner].config_epoch > header.config_epoch;
            is_stale.then_some(owner)
        });
        let Some(owner) = stale else { return };
        let owner_node = &self.nodes[owner];
        let mut slots = owner_node.slots.clone();
        slots.difference_with(self.slots.not_claimed());
        if owner == self.myself {
            slots = self.claimed_slots();
        }
        let body = Body::Update {
            config_epoch: owner_node.config_epoch,
            node: Some(owner_node.id),
            slots: Box::new(slots),
        };
        let text = format!(
            "Node {} has old slots configuration, sending an UPDATE message about {}",
            self.nodes[sender].id, owner_node.id
        );
        self.log(LogLevel::Verbose, text);
        self.send_to(sender, body);
    }
}
