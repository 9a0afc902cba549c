//! What is sent, to whom and when (sections 3.2 and 4), and how a message of ours is built.
//!
//! Each tenth of a second:
//!
//! 1. Handshakes that were not answered in time are dropped; every node without a link gets one.
//! 2. Each full second, five nodes are drawn and the one longest unheard of is pinged.
//! 3. Every node: a link that went dead is closed; one not heard of for half the node timeout is
//!    pinged; one that has left a ping unanswered for the whole of it, and sent nothing else
//!    meanwhile, is suspected.
//!
//! A link still connecting counts as a ping under way, or a host that swallows packets would never
//! be suspected.

use crate::codec::{kind, Body, ClaimedRole, Extension, Header, Heartbeat, Message};
use crate::links::{Link, MAX_INBOUND_UNSENT};
use crate::machine::Cluster;
use crate::nodes::NodeKey;
use crate::{LinkId, LogLevel, MessageFlags, NodeFlags, Output};

/// A handshake lives for the node timeout, but not less than this.
const MIN_HANDSHAKE_MS: u64 = 1000;
const RANDOM_PING_CANDIDATES: usize = 5;

impl Cluster {
    /// 3.2.
    pub(crate) fn reconnect(&mut self, now_ms: u64) {
        let handshake_ms = self.settings.node_timeout_ms.max(MIN_HANDSHAKE_MS);
        self.suspected_nodes = 0;
        for key in self.nodes.keys() {
            let Some(node) = self.nodes.get(key) else { continue };
            // A node can be known by name only: as the primary of somebody in nodes.conf.
            if key == self.myself || node.no_address || node.ip.is_empty() {
                continue;
            }
            self.suspected_nodes += usize::from(node.is_suspected());
            if node.in_handshake && now_ms.saturating_sub(node.created_ms) > handshake_ms {
                self.delete_node(key);
            } else if node.outbound.is_none() {
                self.connect(now_ms, key);
            }
        }
    }

    fn connect(&mut self, now_ms: u64, key: NodeKey) {
        let link = self.links.allot();
        let Some(node) = self.nodes.get_mut(key) else { return };
        node.outbound = Some(link);
        let (ip, port) = (node.ip.clone(), node.bus_port);
        self.links.insert(
            link,
            Link {
                node: Some(key),
                up: false,
                created_ms: now_ms,
                peer_ip: ip.clone(),
                local_ip: String::new(),
                unsent: 0,
                reader: Default::default(),
            },
        );
        self.stage(Output::Connect { link, ip, port });
    }

    /// The first message on a link of ours, at once, so that a reconnection costs no time against
    /// the node timeout.
    pub(crate) fn greet(&mut self, now_ms: u64, link: LinkId) {
        let Some(key) = self.links.get(link).and_then(|link| link.node) else { return };
        let Some(node) = self.nodes.get_mut(key) else { return };
        let body: fn(Heartbeat) -> Body = if node.owes_meet { Body::Meet } else { Body::Ping };
        // A ping that the last link swallowed is still unanswered, and keeps its time.
        if node.ping_sent_ms == 0 && !node.owes_meet {
            node.ping_sent_ms = now_ms;
        }
        self.heartbeat(now_ms, link, body);
    }

    /// 4.1.
    pub(crate) fn ping_somebody(&mut self, now_ms: u64) {
        let mut oldest: Option<(u64, NodeKey)> = None;
        for _ in 0..RANDOM_PING_CANDIDATES {
            let key = self.nodes.random(&mut self.rng);
            let node = &self.nodes[key];
            if key == self.myself || node.in_handshake || node.ping_sent_ms != 0 || !self.is_linked(key) {
                continue;
            }
            if oldest.is_none_or(|(pong_ms, _)| node.pong_received_ms < pong_ms) {
                oldest = Some((node.pong_received_ms, key));
            }
        }
        if let Some((_, key)) = oldest {
            self.ping(now_ms, key);
        }
    }

    /// 4.2.
    pub(crate) fn check_every_node(&mut self, now_ms: u64) {
        let timeout = self.settings.node_timeout_ms;
        let interval = self.settings.ping_interval();
        for key in self.nodes.keys() {
            let Some(node) = self.nodes.get(key) else { continue };
            if key == self.myself || node.no_address || node.in_handshake {
                continue;
            }
            let pong_age = now_ms.saturating_sub(node.pong_received_ms);
            if node.ping_sent_ms == 0 && pong_age > interval {
                if self.is_linked(key) {
                    self.ping(now_ms, key);
                    continue;
                }
                if let Some(node) = self.nodes.get_mut(key).filter(|node| node.outbound.is_some()) {
                    node.ping_sent_ms = now_ms;
                }
            }
            let Some(node) = self.nodes.get(key) else { continue };
            if node.ping_sent_ms == 0 {
                continue;
            }
            let ping_age = now_ms.saturating_sub(node.ping_sent_ms);
            let data_age = now_ms.saturating_sub(node.data_received_ms);
            if let Some(link) = node.outbound {
                let link_age = self.links.get(link).map_or(0, |link| now_ms.saturating_sub(link.created_ms));
                if link_age > timeout && ping_age > timeout / 2 && data_age > timeout / 2 {
                    // Perhaps only the connection is dead.
                    self.close_link(link);
                }
            }
            if ping_age.min(data_age) > timeout {
                self.suspect(now_ms, key);
            }
        }
    }

    pub(crate) fn close_overfull_links(&mut self) {
        let limit = self.settings.link_sendbuf_limit;
        let overfull: Vec<_> = self
            .links
            .iter()
            .filter(|(id, link)| {
                (limit != 0 && link.unsent > limit) || (!id.is_outbound() && link.unsent > MAX_INBOUND_UNSENT)
            })
            .map(|(id, link)| (id, link.unsent, link.node))
            .collect();
        for (id, unsent, key) in overfull {
            let node =
                key.and_then(|key| self.nodes.get(key)).map_or(String::new(), |node| node.id.to_string());
            let direction = if id.is_outbound() { "to" } else { "from" };
            self.log(
                LogLevel::Warning,
                format!(
                    "Freeing cluster link({direction} node {node}, used memory: {unsent}) due to exceeding send buffer \
                     memory limit."
                ),
            );
            self.close_link(id);
            self.stats.links_over_limit += 1;
        }
    }

    /// Whether a message can go out to it now.
    pub(crate) fn is_linked(&self, key: NodeKey) -> bool {
        self.nodes.get(key).and_then(|node| node.outbound).is_some_and(|link| self.links.is_up(link))
    }

    fn ping(&mut self, now_ms: u64, key: NodeKey) {
        let Some(node) = self.nodes.get_mut(key) else { return };
        node.ping_sent_ms = now_ms;
        if let Some(link) = node.outbound {
            self.heartbeat(now_ms, link, Body::Ping);
        }
    }

    /// Sends a PING, PONG or MEET with gossip and extensions.
    pub(crate) fn heartbeat(&mut self, now_ms: u64, link: LinkId, body: fn(Heartbeat) -> Body) {
        let heartbeat =
            Heartbeat { gossip: self.pick_gossip(), gossip_dropped: 0, extensions: self.extensions(now_ms) };
        let mut message = self.message(body(heartbeat));
        message.header.message_flags = MessageFlags::EXT_DATA;
        self.send(link, message.body.kind(), message.encode().into());
    }

    /// Sends a message on the link that we made to a node, if there is one.
    pub(crate) fn send_to(&mut self, key: NodeKey, body: Body) {
        let Some(link) = self.nodes.get(key).and_then(|node| node.outbound) else { return };
        let message = self.message(body);
        self.send(link, message.body.kind(), message.encode().into());
    }

    /// A message of ours: the header says all about us.
    pub(crate) fn message(&self, body: Body) -> Message {
        let myself = self.me();
        let header = Header {
            current_epoch: self.current_epoch,
            config_epoch: myself.config_epoch,
            offset: self.offset,
            sender: Some(myself.id),
            slots: self.claimed_slots(),
            role: ClaimedRole::Primary,
            ip: match &self.settings.announce_ip {
                Some(_) => myself.ip.clone().into_bytes(),
                None => Vec::new(),
            },
            port: myself.port,
            tls_port: myself.tls_port,
            bus_port: myself.bus_port,
            flags: myself.flags().with(NodeFlags::MYSELF),
            state_is_fail: self.evaluation.is_fail(),
            message_flags: MessageFlags::default(),
        };
        Message { header, body }
    }

    /// 1.5, in the order of real nodes.
    fn extensions(&self, now_ms: u64) -> Vec<Extension> {
        let myself = self.me();
        let mut extensions = Vec::new();
        if !myself.hostname.is_empty() {
            extensions.push(Extension::Hostname(myself.hostname.clone().into_bytes()));
        }
        if !myself.human_nodename.is_empty() {
            extensions.push(Extension::HumanNodename(myself.human_nodename.clone().into_bytes()));
        }
        let bans = self.bans(now_ms);
        extensions.extend(bans.into_iter().map(|(node, ttl_s)| Extension::ForgottenNode { node, ttl_s }));
        extensions.push(Extension::ShardId(myself.shard));
        extensions
    }

    /// A message of a client of ours, for the subscribers of the other nodes: of all, or of our shard only.
    pub fn publish(&mut self, now_ms: u64, shard: bool, channel: Vec<u8>, message: Vec<u8>) {
        let reach = if shard { crate::codec::Reach::Shard } else { crate::codec::Reach::Cluster };
        let publication = crate::codec::Publication { channel, message };
        let encoded = self.message(Body::Publish(publication, reach)).encode();
        if shard {
            let my_shard = self.me().shard;
            let links: Vec<LinkId> = self
                .nodes
                .iter()
                .filter(|&(key, node)| key != self.myself && !node.in_handshake && node.shard == my_shard)
                .filter_map(|(_, node)| node.outbound)
                .collect();
            let bytes: std::sync::Arc<[u8]> = encoded.into();
            for link in links {
                self.send(link, kind::PUBLISHSHARD, bytes.clone());
            }
        } else {
            self.broadcast(kind::PUBLISH, encoded);
        }
        self.settle(now_ms);
    }
}
