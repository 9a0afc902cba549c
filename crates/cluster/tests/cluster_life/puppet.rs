//! One machine among peers that the test speaks for, message by message.

use cluster::codec::{Body, ClaimedRole, Header, Heartbeat, Message, Packet};
use cluster::{Cluster, LinkId, MessageFlags, NodeFlags, NodeId, Output, Settings};
use slot::{Slot, SlotSet};

pub const NOW: u64 = 1_800_000_000_000;
pub const TIMEOUT: u64 = 2000;

/// A machine with slots 0 to 99 and epoch 1, past its first seconds.
pub struct Stage {
    pub cluster: Cluster,
    pub now: u64,
    inbound: u64,
}

/// A peer: its name, what it says about itself, and the links to and from it.
#[derive(Clone)]
pub struct Puppet {
    pub id: NodeId,
    pub header: Header,
    pub port: u16,
    /// The machine's link to it.
    pub to: LinkId,
    /// Its link to the machine.
    pub from: LinkId,
}

pub fn id(digit: char) -> NodeId {
    NodeId::parse(digit.to_string().repeat(40).as_bytes()).unwrap()
}

pub fn slots(range: std::ops::Range<u16>) -> SlotSet {
    range.filter_map(Slot::new).collect()
}

pub fn header(id: NodeId, port: u16) -> Header {
    Header {
        current_epoch: 1,
        config_epoch: 0,
        offset: 0,
        sender: Some(id),
        slots: SlotSet::new(),
        role: ClaimedRole::Primary,
        ip: Vec::new(),
        port,
        tls_port: 0,
        bus_port: port + 10_000,
        flags: NodeFlags::MYSELF.with(NodeFlags::MASTER),
        state_is_fail: false,
        message_flags: MessageFlags::default(),
    }
}

impl Stage {
    pub fn new() -> Stage {
        let settings = Settings { node_timeout_ms: TIMEOUT, client_port: 7000, ..Settings::default() };
        let mut cluster = Cluster::new(settings, 11, NOW);
        cluster.handle_routing_applied(NOW, 1);
        cluster.set_config_epoch(NOW, 1).unwrap();
        let own: Vec<Slot> = slots(0..100).iter().collect();
        let version = cluster.add_slots(NOW, &own).unwrap();
        cluster.handle_routing_applied(NOW, version);
        let mut stage = Stage { cluster, now: NOW, inbound: 0 };
        stage.outputs();
        stage
    }

    pub fn outputs(&mut self) -> Vec<Output> {
        std::iter::from_fn(|| self.cluster.poll_output()).collect()
    }

    pub fn tick(&mut self, ms: u64) -> Vec<Output> {
        let end = self.now + ms;
        let mut outputs = Vec::new();
        while self.now < end {
            self.now += 100;
            self.cluster.handle_tick(self.now);
            for output in self.outputs() {
                if let Output::Routing(map) = &output {
                    self.cluster.handle_routing_applied(self.now, map.version);
                }
                outputs.push(output);
            }
        }
        outputs
    }

    /// Somebody connects.
    pub fn stranger(&mut self) -> LinkId {
        self.inbound += 1;
        let link = LinkId::inbound(self.inbound);
        self.cluster.handle_inbound(self.now, link, "10.0.0.9", "10.0.0.1");
        self.outputs();
        link
    }

    /// Makes a member of a puppet, by MEET and PONG, and gives it a link of its own.
    pub fn join(&mut self, digit: char, shape: impl FnOnce(&mut Header)) -> Puppet {
        let port = 7000 + digit.to_digit(36).unwrap() as u16;
        self.cluster.meet(self.now, b"10.0.0.9", i64::from(port), None).unwrap();
        self.now += 100;
        self.cluster.handle_tick(self.now);
        let to = self
            .outputs()
            .into_iter()
            .find_map(|output| match output {
                Output::Connect { link, port: dialed, .. } if dialed == port + 10_000 => Some(link),
                _ => None,
            })
            .expect("it connects to whom it was told to meet");
        self.cluster.handle_connected(self.now, to, "10.0.0.1");
        let from = self.stranger();
        let mut puppet = Puppet { id: id(digit), header: header(id(digit), port), port, to, from };
        shape(&mut puppet.header);
        // The first reply completes the handshake, the second is a member's.
        self.say(&puppet, to, Body::Pong(Heartbeat::default()));
        self.say(&puppet, to, Body::Pong(Heartbeat::default()));
        self.say(&puppet, from, Body::Ping(Heartbeat::default()));
        puppet
    }

    /// What follows when a puppet says this on this link.
    pub fn say(&mut self, puppet: &Puppet, link: LinkId, body: Body) -> Vec<Output> {
        self.say_as(puppet.header.clone(), link, body)
    }

    pub fn say_as(&mut self, header: Header, link: LinkId, body: Body) -> Vec<Output> {
        self.bytes(link, &Message { header, body }.encode())
    }

    pub fn bytes(&mut self, link: LinkId, bytes: &[u8]) -> Vec<Output> {
        self.cluster.handle_bytes(self.now, link, bytes);
        let outputs = self.outputs();
        for output in &outputs {
            if let Output::Routing(map) = output {
                self.cluster.handle_routing_applied(self.now, map.version);
            }
        }
        outputs
    }

    /// Its line of CLUSTER NODES about a node, as fields.
    pub fn line(&self, id: &NodeId) -> Vec<String> {
        let text = self.cluster.nodes_text();
        let line = text.lines().find(|line| line.starts_with(id.as_str()));
        line.map(|line| line.split(' ').map(str::to_owned).collect()).unwrap_or_default()
    }

    pub fn knows(&self, id: &NodeId) -> bool {
        !self.line(id).is_empty()
    }
}

/// The messages among the outputs, and where they go.
pub fn sent(outputs: &[Output]) -> Vec<(LinkId, Message)> {
    let message = |bytes: &[u8]| match Packet::decode(bytes) {
        Ok(Packet::Full(message)) => *message,
        other => panic!("the machine sent {other:?}"),
    };
    outputs
        .iter()
        .filter_map(|output| match output {
            Output::Send { link, bytes } => Some((*link, message(bytes))),
            _ => None,
        })
        .collect()
}

pub fn closed(outputs: &[Output], link: LinkId) -> bool {
    outputs.iter().any(|output| matches!(output, Output::Close { link: closed } if *closed == link))
}

pub fn log(outputs: &[Output]) -> String {
    let lines = outputs.iter().filter_map(|output| match output {
        Output::Log { text, .. } => Some(text.as_str()),
        _ => None,
    });
    lines.collect::<Vec<_>>().join("\n")
}
