//! What a message does, in order (section 3.4). Each step has its own file; here is only the order,
//! which matters.
//!
//! ```text
//!     frame -> decode -> whose? -> 1 alive -> 2 epochs -> by type:
//!       PING MEET       3 my address, meet back, PONG at once
//!       PING PONG MEET  4 identity, address -> 5 answered -> 6 role -> 7 slots, collision, gossip, extensions
//!       FAIL 8   PUBLISH 9   AUTH_REQUEST 10   UPDATE 7.4
//! ```
//!
//! 1. A message that cannot be understood is dropped and its link kept (1.7); only the packet
//!    reader ends links for what they say, and `check_identity` for who says it.
//! 2. Every PING and MEET is answered, also a stranger's; a stranger changes nothing else.
//! 3. A message in our own name is a clone's, or our own from a MEET to ourselves: it is answered
//!    and otherwise ignored.

use crate::codec::{Body, ClaimedRole, Extension, Header, Heartbeat, Message, Packet, Publication, Reach};
use crate::handshake::Proceed;
use crate::machine::Cluster;
use crate::nodes::{NodeKey, Role};
use crate::{text, LinkId, LogLevel, NodeFlags, Output, ShardId};
use slot::SlotSet;

impl Cluster {
    /// One whole frame has arrived.
    pub(crate) fn receive(&mut self, now_ms: u64, link: LinkId, frame: &[u8]) {
        match Packet::decode(frame) {
            Ok(Packet::Full(message)) => self.receive_message(now_ms, link, *message),
            Ok(Packet::Light(publication, reach)) => self.receive_light(now_ms, link, publication, reach),
            Err(error) => self.log(LogLevel::Warning, format!("Received invalid packet: {error}")),
        }
    }

    fn receive_message(&mut self, now_ms: u64, link: LinkId, message: Message) {
        let Message { header, body } = message;
        if header.sender == Some(self.my_id()) {
            return self.receive_from_myself(now_ms, link, &header, &body);
        }
        let sender = self.sender_of(link, &header);
        if let Some(node) = sender.and_then(|key| self.nodes.get_mut(key)) {
            // 1. Whatever it says, it lives.
            node.data_received_ms = now_ms;
            // 2.
            if !node.in_handshake {
                self.learn_epochs(sender.expect("it was found by its key"), &header);
            }
        }
        match (body, sender) {
            (Body::Ping(heartbeat), _) => {
                self.answer(now_ms, link, sender, &header, None);
                self.receive_heartbeat(now_ms, link, sender, &header, heartbeat, Beat::Ping);
            }
            (Body::Meet(heartbeat), _) => {
                self.answer(now_ms, link, sender, &header, Some(&heartbeat));
                self.receive_heartbeat(now_ms, link, sender, &header, heartbeat, Beat::Meet);
            }
            (Body::Pong(heartbeat), _) => {
                self.receive_heartbeat(now_ms, link, sender, &header, heartbeat, Beat::Pong);
            }
            (Body::Unknown { kind, .. }, _) => {
                self.log(LogLevel::Warning, format!("Received unknown packet type: {kind}"));
            }
            // Nothing else is taken from strangers.
            (_, None) => {}
            (Body::Fail(about), Some(sender)) => self.receive_fail(now_ms, sender, self.find_id(about)),
            (Body::Publish(publication, reach), Some(_)) => self.deliver(publication, reach),
            (Body::AuthRequest, Some(sender)) => self.consider_vote(now_ms, sender, &header),
            (Body::Update { config_epoch, node, slots }, Some(_)) => {
                self.receive_update(config_epoch, self.find_id(node), &slots);
            }
            (Body::ManualFailoverStart, Some(sender)) => {
                let text = format!(
                    "Manual failover requested by {}, and not granted: this node has no replicas",
                    self.nodes[sender].label()
                );
                self.log(LogLevel::Notice, text);
            }
            // We never stand for election, and have no modules.
            (Body::AuthAck | Body::Module { .. }, Some(_)) => {}
        }
    }

    /// The node that speaks: the link's, or the header's. An inbound link is its speaker's from now on.
    fn sender_of(&mut self, link: LinkId, header: &Header) -> Option<NodeKey> {
        let of_link = self.links.get(link)?.node;
        if let Some(key) = of_link.filter(|&key| self.nodes.get(key).is_some_and(|node| !node.in_handshake)) {
            return Some(key);
        }
        let sender = self.find_id(header.sender)?;
        if of_link.is_none() {
            // A node has one inbound link; the older one is likely dead, and its end not noticed yet.
            let older = self.nodes.get_mut(sender)?.inbound.replace(link);
            if let Some(older) = older {
                self.close_link(older);
            }
            self.links.get_mut(link)?.node = Some(sender);
        }
        Some(sender)
    }

    fn receive_from_myself(&mut self, now_ms: u64, link: LinkId, header: &Header, body: &Body) {
        let of_link = self.links.get(link).and_then(|link| link.node);
        match of_link.filter(|_| link.is_outbound()) {
            Some(expected) => {
                self.check_identity(link, expected, Some(self.myself), header);
            }
            None if matches!(body, Body::Ping(_) | Body::Meet(_)) => self.heartbeat(now_ms, link, Body::Pong),
            None => {}
        }
    }

    /// Step 3: PING and MEET; the latter comes with its gossip.
    fn answer(
        &mut self,
        now_ms: u64,
        link: LinkId,
        sender: Option<NodeKey>,
        header: &Header,
        meet: Option<&Heartbeat>,
    ) {
        self.learn_my_address(link, meet.is_some());
        if let (None, Some(heartbeat)) = (sender, meet) {
            self.meet_back(now_ms, link, header);
            self.take_gossip(now_ms, None, heartbeat);
        }
        self.heartbeat(now_ms, link, Body::Pong);
    }

    /// Steps 4 to 7.
    fn receive_heartbeat(
        &mut self,
        now_ms: u64,
        link: LinkId,
        sender: Option<NodeKey>,
        header: &Header,
        heartbeat: Heartbeat,
        beat: Beat,
    ) {
        let ours = self.links.get(link).and_then(|found| found.node).filter(|_| link.is_outbound());
        // 4.
        if let Some(expected) = ours {
            if self.check_identity(link, expected, sender, header) == Proceed::LinkClosed {
                return;
            }
        }
        if let Some(node) = sender.and_then(|key| self.nodes.get_mut(key)) {
            node.no_failover = header.flags.has(NodeFlags::NOFAILOVER);
            if beat == Beat::Ping && !node.in_handshake {
                self.update_address(sender.expect("it was found by its key"), link, header);
            }
        }
        // 5.
        if let (Some(key), Beat::Pong) = (ours, beat) {
            if let Some(node) = self.nodes.get_mut(key) {
                node.pong_received_ms = now_ms;
                node.ping_sent_ms = 0;
                node.owes_meet = false;
            }
            self.clear_failure(now_ms, key);
        }
        let Some(sender) = sender else { return };
        // 6.
        self.learn_role(sender, header);
        // 7. Only now is it settled whose slots these are.
        self.learn_slots(sender, header);
        self.resolve_collision(sender, header);
        if heartbeat.gossip_dropped > 0 {
            let text = format!("Malformed gossip from {} is ignored", self.nodes[sender].label());
            self.log(LogLevel::Notice, text);
        }
        self.take_gossip(now_ms, Some(sender), &heartbeat);
        self.take_extensions(now_ms, sender, &heartbeat.extensions);
    }

    /// Step 6: a primary has become a replica, a replica a primary, or a replica has moved.
    fn learn_role(&mut self, sender: NodeKey, header: &Header) {
        match header.role {
            ClaimedRole::Primary => self.set_primary(sender),
            ClaimedRole::Replica { of } => {
                let primary = self.find_id(of).filter(|&primary| primary != sender);
                let node = &self.nodes[sender];
                if !node.is_replica() {
                    self.release_slots_of(sender);
                    if let Some(node) = self.nodes.get_mut(sender) {
                        node.role = Role::Replica { of: None };
                        node.migrate_to = false;
                    }
                    self.todo.membership();
                }
                if let Some(primary) = primary {
                    self.set_replica_of(sender, primary);
                }
            }
        }
    }

    pub(crate) fn set_primary(&mut self, key: NodeKey) {
        let Some(node) = self.nodes.get_mut(key) else { return };
        if node.is_primary() {
            return;
        }
        let former = node.replica_of();
        node.role = Role::Primary;
        node.migrate_to |= former.is_some();
        if let Some(former) = former {
            self.note_replica_left(former);
        }
        self.todo.membership();
    }

    fn set_replica_of(&mut self, key: NodeKey, primary: NodeKey) {
        let shard = self.nodes[primary].shard;
        let Some(node) = self.nodes.get_mut(key) else { return };
        let former = node.replica_of();
        if former == Some(primary) {
            return;
        }
        node.role = Role::Replica { of: Some(primary) };
        node.shard = shard;
        if let Some(former) = former {
            self.note_replica_left(former);
        }
        if let Some(primary) = self.nodes.get_mut(primary) {
            primary.migrate_to = true;
        }
        self.todo.membership();
    }

    /// Step 7: a primary's claim, or a correction of a stale one.
    fn learn_slots(&mut self, sender: NodeKey, header: &Header) {
        let node = &self.nodes[sender];
        let claims_for = if node.is_replica() { node.replica_of() } else { Some(sender) };
        let Some(claimant) = claims_for else { return };
        let is_known = if claimant == self.myself {
            header.slots == self.claimed_slots()
        } else {
            self.nodes[claimant].slots == header.slots
        };
        // A claim that we hold exactly so can still end the doubt about slots that were once not claimed.
        let not_claimed = self.slots.not_claimed();
        let is_doubted = claimant == sender
            && !not_claimed.is_empty()
            && header.slots.iter().any(|slot| not_claimed.contains(slot));
        if is_known && !is_doubted {
            return;
        }
        if claimant == sender {
            self.apply_claim(sender, header.config_epoch, &header.slots);
        }
        self.correct_claim(sender, header);
    }

    fn take_extensions(&mut self, now_ms: u64, sender: NodeKey, extensions: &[Extension]) {
        let mut hostname = String::new();
        let mut human_nodename = String::new();
        let mut shard: Option<ShardId> = None;
        for extension in extensions {
            match extension {
                Extension::Hostname(name) => {
                    hostname = text::accept(name, text::is_hostname).unwrap_or_default()
                }
                Extension::HumanNodename(name) => {
                    human_nodename = text::accept(name, text::is_nodename).unwrap_or_default();
                }
                Extension::ForgottenNode { node, ttl_s } => {
                    self.forget_as_told(now_ms, sender, *node, *ttl_s);
                    if self.nodes.get(sender).is_none() {
                        return;
                    }
                }
                Extension::ShardId(id) => shard = Some(*id),
                Extension::Unknown { kind, .. } => {
                    self.log(LogLevel::Debug, format!("Received unknown extension type {kind}"));
                }
            }
        }
        // Nodes before 7.2 have no shard id: a replica's is its primary's, and a primary's what we
        // made up for it.
        let shard = shard.or_else(|| {
            let primary = self.nodes[sender].replica_of()?;
            Some(self.nodes[primary].shard)
        });
        let Some(node) = self.nodes.get_mut(sender) else { return };
        let shard = shard.unwrap_or(node.shard);
        if node.hostname != hostname || node.human_nodename != human_nodename || node.shard != shard {
            node.hostname = hostname;
            node.human_nodename = human_nodename;
            node.shard = shard;
            self.todo.save();
            self.todo.routing = true;
        }
    }

    /// 5.5.
    fn receive_fail(&mut self, now_ms: u64, sender: NodeKey, about: Option<NodeKey>) {
        let Some(about) = about.filter(|&about| about != self.myself) else { return };
        if !self.nodes[about].has_failed() {
            let (from, about_label) = (self.nodes[sender].label(), self.nodes[about].label());
            self.log(LogLevel::Notice, format!("FAIL message received from {from} about {about_label}"));
            self.mark_failed(now_ms, about);
        }
    }

    /// 7.4, the receiving end.
    fn receive_update(&mut self, epoch: u64, about: Option<NodeKey>, slots: &SlotSet) {
        let Some(about) = about else { return };
        if about == self.myself || self.nodes[about].config_epoch >= epoch {
            return;
        }
        self.set_primary(about);
        if let Some(node) = self.nodes.get_mut(about) {
            node.config_epoch = epoch;
        }
        self.todo.save_first();
        self.apply_claim(about, epoch, slots);
    }

    /// 1.6: we never ask for these; a node that sends one anyway is read if the link says who it is.
    fn receive_light(&mut self, now_ms: u64, link: LinkId, publication: Publication, reach: Reach) {
        let key = self.links.get(link).and_then(|link| link.node);
        match key.and_then(|key| self.nodes.get_mut(key)) {
            Some(node) if !node.in_handshake => {
                node.data_received_ms = now_ms;
                self.deliver(publication, reach);
            }
            _ => self.close_link(link),
        }
    }

    fn deliver(&mut self, publication: Publication, reach: Reach) {
        let Publication { channel, message } = publication;
        self.stage(Output::Publish { shard: reach == Reach::Shard, channel, message });
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Beat {
    Ping,
    Pong,
    Meet,
}
