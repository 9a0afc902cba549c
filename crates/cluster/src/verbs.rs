//! What operators ask for: the changing subcommands of CLUSTER (section 13), from arguments already parsed.
//!
//! A verb either changes everything it was asked to, or nothing and says why. Those that change who
//! owns what return the routing version to await: the reply leaves once the shell has carried out
//! all outputs and that version is applied (R3).

use crate::blacklist::BLACKLIST_TTL_S;
use crate::machine::Cluster;
use crate::nodes::NodeKey;
use crate::settings::BUS_PORT_OFFSET;
use crate::{ClusterError, LogLevel, NodeId, ShardId};
use slot::{Slot, SlotRange, SlotSet};
use std::net::IpAddr;

impl Cluster {
    /// CLUSTER MEET. The ports are whatever numbers were given; without a bus port it is the client
    /// port + 10000.
    pub fn meet(
        &mut self,
        now_ms: u64,
        ip: &[u8],
        port: i64,
        bus_port: Option<i64>,
    ) -> Result<(), ClusterError> {
        let text = String::from_utf8_lossy(ip);
        let is_port = |port: i64| u16::try_from(port).ok().filter(|&port| port != 0);
        let bus_port = bus_port.unwrap_or_else(|| port.saturating_add(i64::from(BUS_PORT_OFFSET)));
        let (Ok(ip), Some(client_port), Some(bus_port)) =
            (text.parse::<IpAddr>(), is_port(port), is_port(bus_port))
        else {
            return Err(ClusterError::InvalidAddress { ip: text.into_owned(), port: port.to_string() });
        };
        if !self.begin_handshake(now_ms, ip.to_string(), client_port, bus_port) {
            self.settle(now_ms);
            return Err(ClusterError::TooManyNodes);
        }
        self.settle(now_ms);
        Ok(())
    }

    /// CLUSTER FORGET. A node that was forgotten a moment ago, perhaps by another node's word, is no error.
    pub fn forget(&mut self, now_ms: u64, id: &[u8]) -> Result<u64, ClusterError> {
        let Some(key) = self.node_of(id) else {
            let is_barred = NodeId::parse(id).is_some_and(|id| self.is_blacklisted(now_ms, &id));
            return if is_barred { Ok(self.routing_version()) } else { Err(ClusterError::unknown_node(id)) };
        };
        if key == self.myself {
            return Err(ClusterError::ForgetMyself);
        }
        let id = self.nodes[key].id;
        self.bar(now_ms, id, BLACKLIST_TTL_S);
        self.delete_node(key);
        self.todo.membership();
        self.settle(now_ms);
        Ok(self.routing_version())
    }

    /// CLUSTER ADDSLOTS.
    pub fn add_slots(&mut self, now_ms: u64, slots: &[Slot]) -> Result<u64, ClusterError> {
        let slots = self.check_slots(slots.iter().copied(), true)?;
        Ok(self.change_slots(now_ms, &slots, true))
    }

    /// CLUSTER ADDSLOTSRANGE.
    pub fn add_slots_ranges(&mut self, now_ms: u64, ranges: &[(Slot, Slot)]) -> Result<u64, ClusterError> {
        let slots = self.check_ranges(ranges, true)?;
        Ok(self.change_slots(now_ms, &slots, true))
    }

    /// CLUSTER DELSLOTS.
    pub fn del_slots(&mut self, now_ms: u64, slots: &[Slot]) -> Result<u64, ClusterError> {
        let slots = self.check_slots(slots.iter().copied(), false)?;
        Ok(self.change_slots(now_ms, &slots, false))
    }

    /// CLUSTER DELSLOTSRANGE.
    pub fn del_slots_ranges(&mut self, now_ms: u64, ranges: &[(Slot, Slot)]) -> Result<u64, ClusterError> {
        let slots = self.check_ranges(ranges, false)?;
        Ok(self.change_slots(now_ms, &slots, false))
    }

    /// CLUSTER FLUSHSLOTS; `has_keys` says whether this node holds any.
    pub fn flush_slots(&mut self, now_ms: u64, has_keys: bool) -> Result<u64, ClusterError> {
        if has_keys {
            return Err(ClusterError::FlushNeedsEmptyDb);
        }
        self.release_slots_of(self.myself);
        self.todo.membership();
        self.settle(now_ms);
        Ok(self.routing_version())
    }

    /// CLUSTER SET-CONFIG-EPOCH: for a node that knows nobody yet, so that new primaries need not collide.
    pub fn set_config_epoch(&mut self, now_ms: u64, epoch: i64) -> Result<(), ClusterError> {
        let epoch = u64::try_from(epoch).map_err(|_| ClusterError::InvalidEpoch(epoch))?;
        if self.nodes.len() > 1 {
            return Err(ClusterError::EpochWithOthersKnown);
        }
        if self.me().config_epoch != 0 {
            return Err(ClusterError::EpochAlreadySet);
        }
        self.me_mut().config_epoch = epoch;
        self.current_epoch = self.current_epoch.max(epoch);
        self.log(LogLevel::Notice, format!("configEpoch set to {epoch} via CLUSTER SET-CONFIG-EPOCH"));
        self.todo.save();
        self.todo.state = true;
        self.settle(now_ms);
        Ok(())
    }

    /// CLUSTER BUMPEPOCH: whether our epoch was raised, and what it is.
    pub fn bump_epoch(&mut self, now_ms: u64) -> (bool, u64) {
        let is_bumped = self.bump_without_consensus().is_some();
        self.settle(now_ms);
        (is_bumped, self.me().config_epoch)
    }

    /// CLUSTER SAVECONFIG: the number of the save; the reply tells how that save went.
    pub fn save_config(&mut self, now_ms: u64) -> u64 {
        self.todo.save_first();
        self.settle(now_ms);
        self.saves()
    }

    /// CLUSTER RESET; `has_keys` says whether this node holds any.
    pub fn reset(&mut self, now_ms: u64, hard: bool, has_keys: bool) -> Result<u64, ClusterError> {
        if has_keys {
            return Err(ClusterError::ResetNeedsEmptyDb);
        }
        self.slots.close_open_slots();
        for slot in Slot::all() {
            self.release_slot(slot);
        }
        for key in self.nodes.keys() {
            if key != self.myself {
                self.delete_node(key);
            }
        }
        self.blacklist.clear();
        if hard {
            self.current_epoch = 0;
            self.last_vote_epoch = 0;
            let (id, shard) = (NodeId::random(&mut self.rng), ShardId::random(&mut self.rng));
            self.nodes.rename(self.myself, id);
            let myself = self.me_mut();
            myself.config_epoch = 0;
            myself.shard = shard;
            // Links that know us by the old name would answer for it.
            self.close_all_links();
            self.log(LogLevel::Notice, format!("Node hard reset, now I'm {id}"));
        }
        self.todo.membership();
        self.todo.save_first();
        self.settle(now_ms);
        Ok(self.routing_version())
    }

    /// The node of this name, exactly as it is written.
    pub(crate) fn node_of(&self, id: &[u8]) -> Option<NodeKey> {
        self.nodes.find(&NodeId::parse(id)?)
    }

    fn close_all_links(&mut self) {
        let ids: Vec<_> = self.links.iter().map(|(id, _)| id).collect();
        for id in ids {
            self.close_link(id);
        }
    }

    fn check_ranges(&self, ranges: &[(Slot, Slot)], adding: bool) -> Result<SlotSet, ClusterError> {
        let mut slots = SlotSet::new();
        for &(first, last) in ranges {
            let range = SlotRange::new(first, last)
                .ok_or(ClusterError::RangeReversed { first: first.get(), last: last.get() })?;
            self.check_into(&mut slots, range.slots(), adding)?;
        }
        Ok(slots)
    }

    fn check_slots(&self, given: impl Iterator<Item = Slot>, adding: bool) -> Result<SlotSet, ClusterError> {
        let mut slots = SlotSet::new();
        self.check_into(&mut slots, given, adding)?;
        Ok(slots)
    }

    fn check_into(
        &self,
        slots: &mut SlotSet,
        given: impl Iterator<Item = Slot>,
        adding: bool,
    ) -> Result<(), ClusterError> {
        for slot in given {
            match (self.slots.owner(slot).is_some(), adding) {
                (true, true) => return Err(ClusterError::SlotBusy(slot.get())),
                (false, false) => return Err(ClusterError::SlotUnassigned(slot.get())),
                _ => {}
            }
            if !slots.insert(slot) {
                return Err(ClusterError::SlotRepeated(slot.get()));
            }
        }
        Ok(())
    }

    fn change_slots(&mut self, now_ms: u64, slots: &SlotSet, adding: bool) -> u64 {
        for slot in slots.iter() {
            // Whoever assigns a slot by hand has finished moving it.
            self.slots.importing_from.remove(&slot);
            if adding {
                self.bind_slot(slot, self.myself);
            } else {
                self.release_slot(slot);
            }
        }
        self.todo.membership();
        self.settle(now_ms);
        self.routing_version()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Output, Settings};

    const NOW: u64 = 1_700_000_000_000;

    fn fresh() -> Cluster {
        let mut cluster = Cluster::new(Settings::default(), 1, NOW);
        cluster.handle_routing_applied(NOW, 1);
        while cluster.poll_output().is_some() {}
        cluster
    }

    fn slots(numbers: &[u16]) -> Vec<Slot> {
        numbers.iter().map(|&number| Slot::new(number).unwrap()).collect()
    }

    #[test]
    fn slots_are_added_and_deleted_all_or_none() {
        let mut cluster = fresh();
        assert_eq!(cluster.add_slots(NOW, &slots(&[1, 2, 1])), Err(ClusterError::SlotRepeated(1)));
        assert_eq!(cluster.routing_map().mine.len(), 0);
        let version = cluster.add_slots(NOW, &slots(&[1, 2])).unwrap();
        assert_eq!(version, 2);
        assert_eq!(cluster.add_slots(NOW, &slots(&[3, 2])), Err(ClusterError::SlotBusy(2)));
        assert_eq!(cluster.del_slots(NOW, &slots(&[1, 3])), Err(ClusterError::SlotUnassigned(3)));
        assert_eq!(cluster.routing_map().mine.len(), 2);
        cluster.del_slots(NOW, &slots(&[1])).unwrap();
        assert_eq!(cluster.routing_map().mine.len(), 1);
        let [first, last] = slots(&[20, 10])[..] else { unreachable!() };
        assert_eq!(
            cluster.add_slots_ranges(NOW, &[(first, last)]).unwrap_err().to_string(),
            "start slot number 20 is greater than end slot number 10"
        );
        cluster.add_slots_ranges(NOW, &[(last, first)]).unwrap();
        assert_eq!(cluster.routing_map().mine.len(), 12);
        cluster.del_slots_ranges(NOW, &[(last, first)]).unwrap();
        assert_eq!(cluster.flush_slots(NOW, true), Err(ClusterError::FlushNeedsEmptyDb));
        cluster.flush_slots(NOW, false).unwrap();
        assert_eq!(cluster.routing_map().mine.len(), 0);
    }

    #[test]
    fn gained_slots_are_claimed_once_applied_and_lost_ones_at_once_no_more() {
        let mut cluster = fresh();
        let all: Vec<Slot> = Slot::all().take(100).collect();
        let gained = cluster.add_slots(NOW, &all).unwrap();
        assert_eq!(cluster.claimed_slots().len(), 0);
        cluster.handle_routing_applied(NOW, gained);
        assert_eq!(cluster.claimed_slots().len(), 100);

        let lost = cluster.del_slots(NOW, &all[..50]).unwrap();
        assert_eq!(cluster.claimed_slots().len(), 50);
        let regained = cluster.add_slots(NOW, &all[..50]).unwrap();
        assert_eq!(cluster.claimed_slots().len(), 50, "the cores have not even lost them yet");
        cluster.handle_routing_applied(NOW, lost);
        assert_eq!(cluster.claimed_slots().len(), 50);
        cluster.handle_routing_applied(NOW, regained);
        assert_eq!(cluster.claimed_slots().len(), 100);
    }

    #[test]
    fn a_version_from_before_a_loss_does_not_bring_the_slot_back() {
        let mut cluster = fresh();
        let slot = slots(&[7]);
        let gained = cluster.add_slots(NOW, &slot).unwrap();
        cluster.del_slots(NOW, &slot).unwrap();
        let regained = cluster.add_slots(NOW, &slot).unwrap();
        cluster.handle_routing_applied(NOW, gained);
        assert_eq!(cluster.claimed_slots().len(), 0);
        cluster.handle_routing_applied(NOW, regained);
        assert_eq!(cluster.claimed_slots().len(), 1);
    }

    #[test]
    fn however_many_versions_wait_none_is_claimed_too_early() {
        let mut cluster = fresh();
        let slot = slots(&[7]);
        let mut version = 0;
        for _ in 0..100 {
            version = cluster.add_slots(NOW, &slot).unwrap();
            assert_eq!(cluster.claimed_slots().len(), 0);
            version = version.max(cluster.del_slots(NOW, &slot).unwrap());
        }
        cluster.handle_routing_applied(NOW, version - 1);
        assert_eq!(cluster.claimed_slots().len(), 0);
        let last = cluster.add_slots(NOW, &slot).unwrap();
        cluster.handle_routing_applied(NOW, version);
        assert_eq!(cluster.claimed_slots().len(), 0);
        cluster.handle_routing_applied(NOW, last);
        assert_eq!(cluster.claimed_slots().len(), 1);
    }

    #[test]
    fn an_address_is_a_literal_with_ports() {
        let mut cluster = fresh();
        for (ip, port, bus_port, told) in [
            ("localhost", 7000, None, "localhost:7000"),
            ("127.0.0.1", 0, None, "127.0.0.1:0"),
            ("127.0.0.1", 60000, None, "127.0.0.1:60000"),
            ("127.0.0.1", -1, Some(1), "127.0.0.1:-1"),
            ("127.0.0.1", 7000, Some(0), "127.0.0.1:7000"),
            ("127.0.0.1", i64::MAX, None, "127.0.0.1:9223372036854775807"),
        ] {
            let error = cluster.meet(NOW, ip.as_bytes(), port, bus_port).unwrap_err();
            assert_eq!(error.to_string(), format!("Invalid node address specified: {told}"));
        }
        cluster.meet(NOW, b"127.0.0.1", 7000, None).unwrap();
        cluster.meet(NOW, b"127.0.0.1", 7000, Some(17000)).unwrap();
        cluster.meet(NOW, b"::1", 7000, Some(17000)).unwrap();
        assert_eq!(cluster.nodes.len(), 3, "the second asks for what is under way");
    }

    #[test]
    fn epochs_are_set_once_by_hand_and_bumped_when_not_the_greatest() {
        let mut cluster = fresh();
        assert_eq!(
            cluster.set_config_epoch(NOW, -3).unwrap_err().to_string(),
            "Invalid config epoch specified: -3"
        );
        cluster.set_config_epoch(NOW, 5).unwrap();
        assert_eq!(cluster.set_config_epoch(NOW, 6), Err(ClusterError::EpochAlreadySet));
        assert_eq!(cluster.bump_epoch(NOW), (false, 5));
        cluster.current_epoch = 9;
        assert_eq!(cluster.bump_epoch(NOW), (true, 10));
        cluster.meet(NOW, b"127.0.0.1", 7000, None).unwrap();
        assert_eq!(cluster.set_config_epoch(NOW, 6), Err(ClusterError::EpochWithOthersKnown));
    }

    #[test]
    fn a_reset_forgets_everything_and_a_hard_one_the_name_too() {
        let mut cluster = fresh();
        let (id, shard) = (cluster.my_id(), cluster.my_shard_id());
        cluster.bump_epoch(NOW);
        cluster.add_slots(NOW, &slots(&[1])).unwrap();
        cluster.meet(NOW, b"127.0.0.1", 7000, None).unwrap();
        assert_eq!(cluster.reset(NOW, false, true), Err(ClusterError::ResetNeedsEmptyDb));
        cluster.reset(NOW, false, false).unwrap();
        assert_eq!((cluster.my_id(), cluster.nodes.len(), cluster.current_epoch), (id, 1, 1));
        cluster.reset(NOW, true, false).unwrap();
        assert!(cluster.my_id() != id && cluster.my_shard_id() != shard);
        assert_eq!((cluster.current_epoch, cluster.my_config_epoch()), (0, 0));
        let saved = std::iter::from_fn(|| cluster.poll_output())
            .filter_map(|output| match output {
                Output::Save { fsync, text, .. } => Some((fsync, text)),
                _ => None,
            })
            .last()
            .unwrap();
        assert!(saved.0 && saved.1.ends_with(b"vars currentEpoch 0 lastVoteEpoch 0\n"));
    }

    #[test]
    fn this_node_and_unknown_ones_cannot_be_forgotten() {
        let mut cluster = fresh();
        let id = cluster.my_id();
        assert_eq!(cluster.forget(NOW, id.as_bytes()), Err(ClusterError::ForgetMyself));
        assert_eq!(cluster.forget(NOW, b"abc").unwrap_err().to_string(), "Unknown node abc");
    }
}
