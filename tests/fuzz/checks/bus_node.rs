//! A node on a hostile bus. The input is a script: messages of known and unknown senders with fields
//! from small pools (so that they concern one another), links that come and go, time that passes.
//!
//! 1. Nothing makes the node panic.
//! 2. Every file that it has saved can be loaded.
//! 3. Its current epoch never goes back, and routing versions grow.

use cluster::codec::{
    Body, ClaimedRole, Extension, GossipEntry, Header, Heartbeat, Message, Packet, Publication, Reach,
};
use cluster::{Cluster, LinkId, MessageFlags, NodeFlags, NodeId, Output, Settings, ShardId};
use slot::{Slot, SlotSet};

const START_MS: u64 = 1_700_000_000_000;

/// Runs the script.
pub fn check(script: &[u8]) {
    let mut world = World::new();
    let mut script = Script { bytes: script.iter() };
    while let Some(step) = script.bytes.next().copied() {
        world.step(step, &mut script);
        world.answer();
    }
    world.tick(200);
    world.answer();
    if let Some(text) = &world.saved {
        let loaded = Cluster::load(text, Settings::default(), 2, world.now_ms);
        assert!(loaded.is_ok(), "{:?} in\n{}", loaded.err(), String::from_utf8_lossy(text));
        assert_eq!(loaded.unwrap().my_id(), world.node.my_id());
    }
}

/// Bytes that decide; zeros once they are used up, so that every script ends.
struct Script<'a> {
    bytes: std::slice::Iter<'a, u8>,
}

impl Script<'_> {
    fn byte(&mut self) -> u8 {
        self.bytes.next().copied().unwrap_or(0)
    }

    fn pick(&mut self, below: usize) -> usize {
        self.byte() as usize % below
    }

    fn few_bytes(&mut self) -> Vec<u8> {
        (0..self.pick(12)).map(|_| self.byte()).collect()
    }

    fn ip(&mut self) -> Vec<u8> {
        match self.pick(4) {
            0 => Vec::new(),
            1 => b"10.0.0.1".to_vec(),
            2 => b"10.0.0.2".to_vec(),
            _ => self.few_bytes(),
        }
    }

    fn slots(&mut self) -> SlotSet {
        (0..self.pick(6)).filter_map(|_| Slot::new(u16::from(self.byte()) * 64)).collect()
    }

    fn epoch(&mut self) -> u64 {
        match self.byte() {
            255 => u64::MAX,
            254 => i64::MAX as u64,
            small => u64::from(small % 16),
        }
    }
}

struct World {
    node: Cluster,
    now_ms: u64,
    /// Names to speak of, ours first.
    names: Vec<NodeId>,
    inbound: u64,
    links: Vec<LinkId>,
    asked_for: Vec<LinkId>,
    saved: Option<Vec<u8>>,
    routing_version: u64,
    epoch: u64,
}

impl World {
    fn new() -> World {
        let node = Cluster::new(Settings { node_timeout_ms: 1000, ..Settings::default() }, 1, START_MS);
        let strangers = ["a", "b", "c", "d"].map(|letter| letter.repeat(NodeId::LEN));
        let names = strangers.iter().filter_map(|name| NodeId::parse(name.as_bytes()));
        let names = std::iter::once(node.my_id()).chain(names).collect();
        let mut world = World {
            node,
            now_ms: START_MS,
            names,
            inbound: 0,
            links: Vec::new(),
            asked_for: Vec::new(),
            saved: None,
            routing_version: 0,
            epoch: 0,
        };
        world.answer();
        world.tick(100);
        world.answer();
        world.accept();
        world
    }

    fn step(&mut self, step: u8, script: &mut Script<'_>) {
        match step % 16 {
            0..=7 => {
                let message = self.message(script);
                self.deliver(script, message);
            }
            8 => self.tick(u64::from(script.byte()) * 20),
            9 => self.accept(),
            10 if !self.links.is_empty() => {
                let link = self.links.swap_remove(script.pick(self.links.len()));
                self.node.handle_link_closed(self.now_ms, link);
            }
            11 => {
                for link in std::mem::take(&mut self.asked_for) {
                    if script.pick(4) == 0 {
                        self.node.handle_connect_failed(self.now_ms, link);
                    } else {
                        self.links.push(link);
                        self.node.handle_connected(self.now_ms, link, "10.0.0.9");
                    }
                }
            }
            12 => {
                let ip = script.ip();
                let port = i64::from(script.byte());
                let bus_port = (script.pick(2) == 0).then(|| i64::from(script.byte()));
                // A refusal is an answer, too.
                let _ = self.node.meet(self.now_ms, &ip, port, bus_port);
            }
            13 => {
                let bytes = script.few_bytes();
                self.deliver(script, bytes);
            }
            14 => {
                let publication = Publication { channel: script.few_bytes(), message: script.few_bytes() };
                let reach = if script.pick(2) == 0 { Reach::Cluster } else { Reach::Shard };
                self.deliver(script, Packet::Light(publication, reach).encode());
            }
            _ => {
                // A message with one byte changed, its length excepted.
                let mut message = self.message(script);
                let at = 8 + (script.pick(256) * 256 + script.pick(256)) % (message.len() - 8);
                message[at] ^= 1 << script.pick(8);
                self.deliver(script, message);
            }
        }
    }

    /// Does what the node wants done, at once and successfully; links it asks for wait for a step.
    fn answer(&mut self) {
        while let Some(output) = self.node.poll_output() {
            match output {
                Output::Save { version, text, .. } => {
                    self.saved = Some(text);
                    self.node.handle_saved(self.now_ms, version, Ok(()));
                }
                Output::Routing(map) => {
                    assert!(map.version > self.routing_version);
                    self.routing_version = map.version;
                    self.node.handle_routing_applied(self.now_ms, map.version);
                }
                Output::Connect { link, .. } => self.asked_for.push(link),
                Output::Close { link } => {
                    self.links.retain(|&open| open != link);
                    self.asked_for.retain(|&asked| asked != link);
                }
                Output::Send { bytes, .. } => {
                    let sent = Packet::decode(&bytes).expect("we send what can be read");
                    if let Packet::Full(message) = sent {
                        assert!(message.header.current_epoch >= self.epoch, "the epoch went back");
                        self.epoch = message.header.current_epoch;
                    }
                }
                Output::DropKeys(_) | Output::Publish { .. } | Output::Log { .. } => {}
            }
        }
    }

    fn tick(&mut self, passed_ms: u64) {
        self.now_ms += passed_ms;
        self.node.handle_tick(self.now_ms);
    }

    fn accept(&mut self) {
        self.inbound += 1;
        let link = LinkId::inbound(self.inbound);
        self.links.push(link);
        self.node.handle_inbound(self.now_ms, link, "10.0.0.1", "10.0.0.9");
    }

    fn deliver(&mut self, script: &mut Script<'_>, bytes: Vec<u8>) {
        if !self.links.is_empty() {
            let link = self.links[script.pick(self.links.len())];
            self.node.handle_bytes(self.now_ms, link, &bytes);
        }
    }

    fn name(&self, script: &mut Script<'_>) -> NodeId {
        self.names[script.pick(self.names.len())]
    }

    fn some_name(&self, script: &mut Script<'_>) -> Option<NodeId> {
        (script.pick(8) > 0).then(|| self.name(script))
    }

    fn message(&self, script: &mut Script<'_>) -> Vec<u8> {
        let mut header = Header {
            current_epoch: script.epoch(),
            config_epoch: script.epoch(),
            offset: u64::from(script.byte()),
            sender: self.some_name(script),
            slots: script.slots(),
            role: match script.pick(4) {
                0 => ClaimedRole::Replica { of: self.some_name(script) },
                _ => ClaimedRole::Primary,
            },
            ip: script.ip(),
            port: u16::from(script.byte()),
            tls_port: 0,
            bus_port: u16::from(script.byte()),
            flags: NodeFlags(u16::from(script.byte())),
            state_is_fail: script.pick(2) == 0,
            message_flags: MessageFlags(script.byte() & !MessageFlags::EXT_DATA.0),
        };
        let body = match script.pick(12) {
            0..=2 => Body::Ping(self.heartbeat(script)),
            3..=5 => Body::Pong(self.heartbeat(script)),
            6 => Body::Meet(self.heartbeat(script)),
            7 => Body::Fail(self.some_name(script)),
            8 => Body::AuthRequest,
            9 => Body::AuthAck,
            10 => Body::Update {
                config_epoch: script.epoch(),
                node: self.some_name(script),
                slots: Box::new(script.slots()),
            },
            _ => Body::ManualFailoverStart,
        };
        if let Body::Ping(heartbeat) | Body::Pong(heartbeat) | Body::Meet(heartbeat) = &body {
            if !heartbeat.extensions.is_empty() {
                header.message_flags.0 |= MessageFlags::EXT_DATA.0;
            }
        }
        Message { header, body }.encode()
    }

    fn heartbeat(&self, script: &mut Script<'_>) -> Heartbeat {
        let now_s = (self.now_ms / 1000) as u32;
        let gossip = (0..script.pick(4))
            .map(|_| GossipEntry {
                node: self.name(script),
                ping_sent_s: u32::from(script.byte()),
                pong_received_s: now_s.wrapping_add(u32::from(script.byte())).wrapping_sub(128),
                ip: script.ip(),
                port: u16::from(script.byte()),
                bus_port: u16::from(script.byte()),
                flags: NodeFlags(u16::from(script.byte())),
                tls_port: 0,
            })
            .collect();
        let extensions = (0..script.pick(3))
            .map(|_| match script.pick(5) {
                0 => Extension::Hostname(script.few_bytes()),
                1 => Extension::HumanNodename(script.few_bytes()),
                2 => Extension::ForgottenNode { node: self.name(script), ttl_s: u64::from(script.byte()) },
                3 => match ShardId::parse(&[b'e'; NodeId::LEN]) {
                    Some(shard) => Extension::ShardId(shard),
                    None => Extension::Hostname(Vec::new()),
                },
                _ => Extension::Unknown { kind: u16::from(script.byte()), data: vec![script.byte(); 8] },
            })
            .collect();
        Heartbeat { gossip, gossip_dropped: 0, extensions }
    }
}
