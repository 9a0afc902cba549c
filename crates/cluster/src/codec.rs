//! The messages of the bus, from bytes and to bytes (section 1).
//!
//! ```text
//!     full    | header 2256 | gossip 104 * count | extensions, 8-byte multiples |   PING PONG MEET
//!             | header 2256 | body by type                                      |   all others
//!     light   | header 16   | u32 channel len | u32 message len | both          |   PUBLISH, [V8] only
//! ```
//!
//! 1. Everything is big endian, but for a module's id, which is opaque.
//! 2. `totlen` is trusted by nobody: a message whose length is not exactly what its type and counts
//!    demand is dropped and its link kept ([`DecodeError`], rules 1.7.2 to 1.7.4). What ends a
//!    link, a wrong signature or an impossible length, is [`packet_reader`](crate::packet_reader)'s
//!    business (1.7.1, 1.7.5).
//! 3. Decoding never panics and allocates no more than the length of its input.
//! 4. What is decoded and encoded again is byte-equal, padding and unused fields (zero) aside.
//!
//! Names that are not names become `None` here, so that nothing later need ask again.

use crate::{MessageFlags, NodeFlags, NodeId, ShardId};
use slot::SlotSet;

/// The length of a full header, which every message but a light one has.
pub const HEADER_LEN: usize = 2256;
/// The length of a light header.
pub const LIGHT_HEADER_LEN: usize = 16;
/// The length of a gossip entry.
pub const GOSSIP_LEN: usize = 104;
/// The first bytes of every message.
pub const SIGNATURE: &[u8; 4] = b"RCmb";

const VERSION: u16 = 1;
const LIGHT_BIT: u16 = 0x8000;
const IP_LEN: usize = 46;
const BITMAP_LEN: usize = 2048;
const EXTENSION_HEADER_LEN: usize = 8;

/// Where the fields of the full header are (1.1).
mod at {
    pub const TOTLEN: usize = 4;
    pub const VERSION: usize = 8;
    pub const PORT: usize = 10;
    pub const TYPE: usize = 12;
    pub const COUNT: usize = 14;
    pub const CURRENT_EPOCH: usize = 16;
    pub const CONFIG_EPOCH: usize = 24;
    pub const OFFSET: usize = 32;
    pub const SENDER: usize = 40;
    pub const MYSLOTS: usize = 80;
    pub const SLAVEOF: usize = 2128;
    pub const MYIP: usize = 2168;
    pub const EXTENSIONS: usize = 2214;
    pub const PPORT: usize = 2246;
    pub const CPORT: usize = 2248;
    pub const FLAGS: usize = 2250;
    pub const STATE: usize = 2252;
    pub const MFLAGS: usize = 2253;
}

/// The numbers of the message types (1.2).
pub mod kind {
    #![allow(missing_docs)]
    pub const PING: u16 = 0;
    pub const PONG: u16 = 1;
    pub const MEET: u16 = 2;
    pub const FAIL: u16 = 3;
    pub const PUBLISH: u16 = 4;
    pub const AUTH_REQUEST: u16 = 5;
    pub const AUTH_ACK: u16 = 6;
    pub const UPDATE: u16 = 7;
    pub const MFSTART: u16 = 8;
    pub const MODULE: u16 = 9;
    pub const PUBLISHSHARD: u16 = 10;
    /// How many types are known.
    pub const COUNT: usize = 11;

    /// The names in CLUSTER INFO, by number.
    pub const NAMES: [&str; COUNT] = [
        "ping",
        "pong",
        "meet",
        "fail",
        "publish",
        "auth-req",
        "auth-ack",
        "update",
        "mfstart",
        "module",
        "publishshard",
    ];
}

/// Whatever one frame may hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet {
    /// A message that says everything about its sender.
    Full(Box<Message>),
    /// A message that relies on the link for its sender.
    Light(Publication, Reach),
}

/// A message with a full header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// About its sender.
    pub header: Header,
    /// What it has to say.
    pub body: Body,
}

/// What every full message tells about its sender (1.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The cluster's clock, as far as the sender knows.
    pub current_epoch: u64,
    /// The version of its claim to slots, or of its primary's.
    pub config_epoch: u64,
    /// Its replication offset.
    pub offset: u64,
    /// Its name; `None` if the field holds no name.
    pub sender: Option<NodeId>,
    /// Its slots, or its primary's.
    pub slots: SlotSet,
    /// What it says it is.
    pub role: ClaimedRole,
    /// The address it wants to be known by; empty: that of its socket.
    pub ip: Vec<u8>,
    /// Its ordinary client port.
    pub port: u16,
    /// Its TLS client port, or 0.
    pub tls_port: u16,
    /// Its bus port.
    pub bus_port: u16,
    /// Its flags.
    pub flags: NodeFlags,
    /// Whether it holds the cluster to be down.
    pub state_is_fail: bool,
    /// What is particular about this message.
    pub message_flags: MessageFlags,
}

/// What the `slaveof` field says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimedRole {
    /// Zeros.
    Primary,
    /// A name, or something that is none.
    Replica {
        /// Its primary.
        of: Option<NodeId>,
    },
}

/// What a message says, by type (1.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// "Are you there?"
    Ping(Heartbeat),
    /// "I am."
    Pong(Heartbeat),
    /// As a ping, and "add me".
    Meet(Heartbeat),
    /// A majority has found this node failed.
    Fail(Option<NodeId>),
    /// For subscribers.
    Publish(Publication, Reach),
    /// "Vote for me."
    AuthRequest,
    /// "I do."
    AuthAck,
    /// "Your claim is older than this one."
    Update {
        /// The claim's version.
        config_epoch: u64,
        /// Whose it is.
        node: Option<NodeId>,
        /// What is claimed.
        slots: Box<SlotSet>,
    },
    /// A replica asks its primary to stand still and hand over.
    ManualFailoverStart,
    /// Between modules.
    Module {
        /// Opaque.
        id: [u8; 8],
        /// The module's own message type.
        kind: u8,
        /// Opaque.
        payload: Vec<u8>,
    },
    /// A type of the future: the header counts, the rest is not understood.
    Unknown {
        /// Its number.
        kind: u16,
        /// Its body.
        body: Vec<u8>,
    },
}

/// Whom a publication is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The subscribers of the whole cluster.
    Cluster,
    /// The subscribers at the nodes of one shard.
    Shard,
}

/// A message to a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// The channel.
    pub channel: Vec<u8>,
    /// The message.
    pub message: Vec<u8>,
}

/// What PING, PONG and MEET carry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heartbeat {
    /// About other nodes. Empty if any entry was malformed (1.7.4).
    pub gossip: Vec<GossipEntry>,
    /// How many entries were dropped for one malformed.
    pub gossip_dropped: u16,
    /// About the sender.
    pub extensions: Vec<Extension>,
}

/// What a sender knows of another node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GossipEntry {
    /// Its name.
    pub node: NodeId,
    /// Unix seconds of an unanswered ping, or 0.
    pub ping_sent_s: u32,
    /// Unix seconds of the last pong.
    pub pong_received_s: u32,
    /// Its address.
    pub ip: Vec<u8>,
    /// Its ordinary client port.
    pub port: u16,
    /// Its bus port.
    pub bus_port: u16,
    /// What the sender holds it to be.
    pub flags: NodeFlags,
    /// Its TLS client port, or 0.
    pub tls_port: u16,
}

/// Something about the sender that the header has no room for (1.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extension {
    /// Type 0.
    Hostname(Vec<u8>),
    /// Type 1.
    HumanNodename(Vec<u8>),
    /// Type 2: an operator has removed this node; do not take it back from gossip.
    ForgottenNode {
        /// Which.
        node: NodeId,
        /// For how long.
        ttl_s: u64,
    },
    /// Type 3.
    ShardId(ShardId),
    /// Any other, or one of the above with unexpected contents.
    Unknown {
        /// Its type.
        kind: u16,
        /// Its data, padding included.
        data: Vec<u8>,
    },
}

/// Why a whole frame is not a message. It is dropped; its link is kept (1.7.2 to 1.7.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Neither header is complete, or `totlen` is not the frame's length. The packet reader lets no
    /// such frame through.
    #[error("frame of {0} bytes holds no message")]
    Frame(usize),
    /// Another version of the protocol.
    #[error("version {0} of the protocol is not understood")]
    Version(u16),
    /// The body does not have the length that its type and counts demand.
    #[error("type {kind} of length {found}, expected {expected}")]
    Length {
        /// The message's type.
        kind: u16,
        /// The length it should have.
        expected: u64,
        /// The length it has.
        found: usize,
    },
    /// An extension's length is below 8 or no multiple of it.
    #[error("an extension of {0} bytes is not padded properly")]
    ExtensionPadding(u32),
    /// An extension reaches beyond the message.
    #[error("an extension of {0} bytes exceeds the message")]
    ExtensionOverrun(u32),
    /// A type that cannot be light is.
    #[error("type {0} cannot have a light header")]
    LightType(u16),
}

/// The type that a frame names, whatever else is wrong with it, without the light bit.
pub fn kind_of(frame: &[u8]) -> Option<u16> {
    (frame.len() >= LIGHT_HEADER_LEN).then(|| u16_at(frame, at::TYPE) & !LIGHT_BIT)
}

pub(crate) fn is_light(frame: &[u8]) -> bool {
    frame.len() >= LIGHT_HEADER_LEN && u16_at(frame, at::TYPE) & LIGHT_BIT != 0
}

impl Packet {
    /// Reads one whole frame.
    pub fn decode(frame: &[u8]) -> Result<Packet, DecodeError> {
        if frame.len() < LIGHT_HEADER_LEN || u32_at(frame, at::TOTLEN) as usize != frame.len() {
            return Err(DecodeError::Frame(frame.len()));
        }
        let kind = u16_at(frame, at::TYPE);
        let version = u16_at(frame, at::VERSION);
        if version != VERSION {
            return Err(DecodeError::Version(version));
        }
        if kind & LIGHT_BIT != 0 {
            let reach = match kind & !LIGHT_BIT {
                kind::PUBLISH => Reach::Cluster,
                kind::PUBLISHSHARD => Reach::Shard,
                other => return Err(DecodeError::LightType(other)),
            };
            return Ok(Packet::Light(decode_publication(frame, LIGHT_HEADER_LEN, kind)?, reach));
        }
        if frame.len() < HEADER_LEN {
            return Err(DecodeError::Frame(frame.len()));
        }
        let body = decode_body(frame, kind)?;
        Ok(Packet::Full(Box::new(Message { header: decode_header(frame), body })))
    }

    /// Writes it.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Packet::Full(message) => message.encode(),
            Packet::Light(publication, reach) => {
                let kind = publish_kind(*reach) | LIGHT_BIT;
                let mut out = Vec::with_capacity(LIGHT_HEADER_LEN + publication.encoded_len());
                out.extend_from_slice(SIGNATURE);
                out.extend_from_slice(&[0; LIGHT_HEADER_LEN - 4]);
                put(&mut out, at::VERSION, &VERSION.to_be_bytes());
                put(&mut out, at::TYPE, &kind.to_be_bytes());
                encode_publication(&mut out, publication);
                finish(out)
            }
        }
    }
}

impl Message {
    /// Writes it.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![0; HEADER_LEN];
        let header = &self.header;
        put(&mut out, 0, SIGNATURE);
        put(&mut out, at::VERSION, &VERSION.to_be_bytes());
        put(&mut out, at::PORT, &header.port.to_be_bytes());
        put(&mut out, at::TYPE, &self.body.kind().to_be_bytes());
        put(&mut out, at::CURRENT_EPOCH, &header.current_epoch.to_be_bytes());
        put(&mut out, at::CONFIG_EPOCH, &header.config_epoch.to_be_bytes());
        put(&mut out, at::OFFSET, &header.offset.to_be_bytes());
        put(&mut out, at::SENDER, id_bytes(&header.sender));
        put(&mut out, at::MYSLOTS, &header.slots.to_bitmap());
        put(
            &mut out,
            at::SLAVEOF,
            match &header.role {
                ClaimedRole::Primary => &[0; NodeId::LEN],
                ClaimedRole::Replica { of } => id_bytes(of),
            },
        );
        put(&mut out, at::MYIP, &ip_bytes(&header.ip));
        put(&mut out, at::PPORT, &header.tls_port.to_be_bytes());
        put(&mut out, at::CPORT, &header.bus_port.to_be_bytes());
        put(&mut out, at::FLAGS, &header.flags.0.to_be_bytes());
        put(&mut out, at::STATE, &[header.state_is_fail as u8]);
        put(&mut out, at::MFLAGS, &[header.message_flags.0]);
        match &self.body {
            Body::Ping(heartbeat) | Body::Pong(heartbeat) | Body::Meet(heartbeat) => {
                encode_heartbeat(&mut out, heartbeat);
            }
            Body::Fail(node) => out.extend_from_slice(id_bytes(node)),
            Body::Publish(publication, _) => encode_publication(&mut out, publication),
            Body::AuthRequest | Body::AuthAck | Body::ManualFailoverStart => {}
            Body::Update { config_epoch, node, slots } => {
                out.extend_from_slice(&config_epoch.to_be_bytes());
                out.extend_from_slice(id_bytes(node));
                out.extend_from_slice(&slots.to_bitmap());
            }
            Body::Module { id, kind, payload } => {
                out.extend_from_slice(id);
                out.extend_from_slice(&length(payload.len()));
                out.push(*kind);
                out.extend_from_slice(payload);
            }
            Body::Unknown { body, .. } => out.extend_from_slice(body),
        }
        finish(out)
    }
}

impl Body {
    /// The number of its type.
    pub fn kind(&self) -> u16 {
        match self {
            Body::Ping(_) => kind::PING,
            Body::Pong(_) => kind::PONG,
            Body::Meet(_) => kind::MEET,
            Body::Fail(_) => kind::FAIL,
            Body::Publish(_, reach) => publish_kind(*reach),
            Body::AuthRequest => kind::AUTH_REQUEST,
            Body::AuthAck => kind::AUTH_ACK,
            Body::Update { .. } => kind::UPDATE,
            Body::ManualFailoverStart => kind::MFSTART,
            Body::Module { .. } => kind::MODULE,
            Body::Unknown { kind, .. } => *kind,
        }
    }
}

impl Publication {
    fn encoded_len(&self) -> usize {
        8 + self.channel.len() + self.message.len()
    }
}

impl Extension {
    /// The number of its type.
    pub fn kind(&self) -> u16 {
        match self {
            Extension::Hostname(_) => 0,
            Extension::HumanNodename(_) => 1,
            Extension::ForgottenNode { .. } => 2,
            Extension::ShardId(_) => 3,
            Extension::Unknown { kind, .. } => *kind,
        }
    }
}

fn publish_kind(reach: Reach) -> u16 {
    match reach {
        Reach::Cluster => kind::PUBLISH,
        Reach::Shard => kind::PUBLISHSHARD,
    }
}

fn decode_header(frame: &[u8]) -> Header {
    let slaveof = array_at::<{ NodeId::LEN }>(frame, at::SLAVEOF);
    let role = if slaveof == [0; NodeId::LEN] {
        ClaimedRole::Primary
    } else {
        ClaimedRole::Replica { of: NodeId::parse(&slaveof) }
    };
    Header {
        current_epoch: u64_at(frame, at::CURRENT_EPOCH),
        config_epoch: u64_at(frame, at::CONFIG_EPOCH),
        offset: u64_at(frame, at::OFFSET),
        sender: id_at(frame, at::SENDER),
        slots: SlotSet::from_bitmap(&array_at::<BITMAP_LEN>(frame, at::MYSLOTS)),
        role,
        ip: text(&frame[at::MYIP..at::MYIP + IP_LEN]).to_vec(),
        port: u16_at(frame, at::PORT),
        tls_port: u16_at(frame, at::PPORT),
        bus_port: u16_at(frame, at::CPORT),
        flags: NodeFlags(u16_at(frame, at::FLAGS)),
        state_is_fail: frame[at::STATE] != 0,
        message_flags: MessageFlags(frame[at::MFLAGS]),
    }
}

fn decode_body(frame: &[u8], kind: u16) -> Result<Body, DecodeError> {
    let exactly = |body_len: u64| expect_length(frame, kind, HEADER_LEN as u64 + body_len);
    Ok(match kind {
        kind::PING => Body::Ping(decode_heartbeat(frame, kind)?),
        kind::PONG => Body::Pong(decode_heartbeat(frame, kind)?),
        kind::MEET => Body::Meet(decode_heartbeat(frame, kind)?),
        kind::FAIL => {
            exactly(NodeId::LEN as u64)?;
            Body::Fail(id_at(frame, HEADER_LEN))
        }
        kind::PUBLISH => Body::Publish(decode_publication(frame, HEADER_LEN, kind)?, Reach::Cluster),
        kind::PUBLISHSHARD => Body::Publish(decode_publication(frame, HEADER_LEN, kind)?, Reach::Shard),
        kind::AUTH_REQUEST | kind::AUTH_ACK | kind::MFSTART => {
            exactly(0)?;
            match kind {
                kind::AUTH_REQUEST => Body::AuthRequest,
                kind::AUTH_ACK => Body::AuthAck,
                _ => Body::ManualFailoverStart,
            }
        }
        kind::UPDATE => {
            exactly((8 + NodeId::LEN + BITMAP_LEN) as u64)?;
            Body::Update {
                config_epoch: u64_at(frame, HEADER_LEN),
                node: id_at(frame, HEADER_LEN + 8),
                slots: Box::new(SlotSet::from_bitmap(&array_at::<BITMAP_LEN>(
                    frame,
                    HEADER_LEN + 8 + NodeId::LEN,
                ))),
            }
        }
        kind::MODULE => {
            if frame.len() < HEADER_LEN + 13 {
                exactly(13)?;
            }
            exactly(13 + u64::from(u32_at(frame, HEADER_LEN + 8)))?;
            Body::Module {
                id: array_at::<8>(frame, HEADER_LEN),
                kind: frame[HEADER_LEN + 12],
                payload: frame[HEADER_LEN + 13..].to_vec(),
            }
        }
        _ => Body::Unknown { kind, body: frame[HEADER_LEN..].to_vec() },
    })
}

fn decode_publication(frame: &[u8], header_len: usize, kind: u16) -> Result<Publication, DecodeError> {
    let start = header_len + 8;
    if frame.len() < start {
        expect_length(frame, kind, start as u64)?;
    }
    let channel_len = u64::from(u32_at(frame, header_len));
    let message_len = u64::from(u32_at(frame, header_len + 4));
    expect_length(frame, kind, start as u64 + channel_len + message_len)?;
    // The sum fits the frame, so each of its parts does.
    let (channel, message) = frame[start..].split_at(channel_len as usize);
    Ok(Publication { channel: channel.to_vec(), message: message.to_vec() })
}

fn encode_publication(out: &mut Vec<u8>, publication: &Publication) {
    out.extend_from_slice(&length(publication.channel.len()));
    out.extend_from_slice(&length(publication.message.len()));
    out.extend_from_slice(&publication.channel);
    out.extend_from_slice(&publication.message);
}

fn decode_heartbeat(frame: &[u8], kind: u16) -> Result<Heartbeat, DecodeError> {
    let count = u16_at(frame, at::COUNT);
    let gossip_end = HEADER_LEN + GOSSIP_LEN * usize::from(count);
    let has_extensions = MessageFlags(frame[at::MFLAGS]).has(MessageFlags::EXT_DATA);
    if frame.len() < gossip_end || (!has_extensions && frame.len() != gossip_end) {
        return Err(DecodeError::Length { kind, expected: gossip_end as u64, found: frame.len() });
    }
    let mut extensions = Vec::new();
    if has_extensions {
        let mut rest = &frame[gossip_end..];
        for _ in 0..u16_at(frame, at::EXTENSIONS) {
            extensions.push(decode_extension(&mut rest)?);
        }
        expect_length(frame, kind, (frame.len() - rest.len()) as u64)?;
    }
    let entries = frame[HEADER_LEN..gossip_end].chunks_exact(GOSSIP_LEN);
    let (gossip, gossip_dropped) = match entries.map(decode_gossip).collect::<Option<Vec<_>>>() {
        Some(gossip) => (gossip, 0),
        None => (Vec::new(), count),
    };
    Ok(Heartbeat { gossip, gossip_dropped, extensions })
}

fn decode_gossip(entry: &[u8]) -> Option<GossipEntry> {
    Some(GossipEntry {
        node: id_at(entry, 0)?,
        ping_sent_s: u32_at(entry, 40),
        pong_received_s: u32_at(entry, 44),
        ip: text(&entry[48..48 + IP_LEN]).to_vec(),
        port: u16_at(entry, 94),
        bus_port: u16_at(entry, 96),
        flags: NodeFlags(u16_at(entry, 98)),
        tls_port: u16_at(entry, 100),
    })
}

fn decode_extension(rest: &mut &[u8]) -> Result<Extension, DecodeError> {
    if rest.len() < EXTENSION_HEADER_LEN {
        return Err(DecodeError::ExtensionOverrun(EXTENSION_HEADER_LEN as u32));
    }
    let length = u32_at(rest, 0);
    if length < EXTENSION_HEADER_LEN as u32 || !length.is_multiple_of(8) {
        return Err(DecodeError::ExtensionPadding(length));
    }
    if length as usize > rest.len() {
        return Err(DecodeError::ExtensionOverrun(length));
    }
    let (extension, after) = rest.split_at(length as usize);
    *rest = after;
    let (kind, data) = (u16_at(extension, 4), &extension[EXTENSION_HEADER_LEN..]);
    let known = match kind {
        0 => Some(Extension::Hostname(text(data).to_vec())),
        1 => Some(Extension::HumanNodename(text(data).to_vec())),
        2 if data.len() == 48 => {
            id_at(data, 0).map(|node| Extension::ForgottenNode { node, ttl_s: u64_at(data, 40) })
        }
        3 if data.len() == 40 => ShardId::parse(data).map(Extension::ShardId),
        _ => None,
    };
    Ok(known.unwrap_or_else(|| Extension::Unknown { kind, data: data.to_vec() }))
}

fn encode_heartbeat(out: &mut Vec<u8>, heartbeat: &Heartbeat) {
    // Both counts are below 2^16: the node table and the blacklist are bounded far below.
    put(out, at::COUNT, &(heartbeat.gossip.len() as u16).to_be_bytes());
    put(out, at::EXTENSIONS, &(heartbeat.extensions.len() as u16).to_be_bytes());
    for entry in &heartbeat.gossip {
        out.extend_from_slice(entry.node.as_bytes());
        out.extend_from_slice(&entry.ping_sent_s.to_be_bytes());
        out.extend_from_slice(&entry.pong_received_s.to_be_bytes());
        out.extend_from_slice(&ip_bytes(&entry.ip));
        out.extend_from_slice(&entry.port.to_be_bytes());
        out.extend_from_slice(&entry.bus_port.to_be_bytes());
        out.extend_from_slice(&entry.flags.0.to_be_bytes());
        out.extend_from_slice(&entry.tls_port.to_be_bytes());
        out.extend_from_slice(&[0; 2]);
    }
    for extension in &heartbeat.extensions {
        encode_extension(out, extension);
    }
}

fn encode_extension(out: &mut Vec<u8>, extension: &Extension) {
    let start = out.len();
    out.extend_from_slice(&[0; EXTENSION_HEADER_LEN]);
    match extension {
        Extension::Hostname(name) | Extension::HumanNodename(name) => {
            out.extend_from_slice(name);
            out.push(0);
        }
        Extension::ForgottenNode { node, ttl_s } => {
            out.extend_from_slice(node.as_bytes());
            out.extend_from_slice(&ttl_s.to_be_bytes());
        }
        Extension::ShardId(shard) => out.extend_from_slice(shard.as_bytes()),
        Extension::Unknown { data, .. } => out.extend_from_slice(data),
    }
    let extension_len = (out.len() - start).next_multiple_of(8);
    out.resize(start + extension_len, 0);
    put(out, start, &length(extension_len));
    put(out, start + 4, &extension.kind().to_be_bytes());
}

fn expect_length(frame: &[u8], kind: u16, expected: u64) -> Result<(), DecodeError> {
    if frame.len() as u64 == expected {
        Ok(())
    } else {
        Err(DecodeError::Length { kind, expected, found: frame.len() })
    }
}

fn finish(mut out: Vec<u8>) -> Vec<u8> {
    let total = length(out.len());
    put(&mut out, at::TOTLEN, &total);
    out
}

/// A length as the wire wants it. Whoever publishes keeps below the limit of a bulk string, 512 MiB.
fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).expect("a message is shorter than 4 GiB").to_be_bytes()
}

fn put(out: &mut [u8], at: usize, bytes: &[u8]) {
    out[at..at + bytes.len()].copy_from_slice(bytes);
}

fn id_bytes(id: &Option<NodeId>) -> &[u8; NodeId::LEN] {
    id.as_ref().map_or(&[0; NodeId::LEN], NodeId::as_bytes)
}

fn ip_bytes(ip: &[u8]) -> [u8; IP_LEN] {
    let mut field = [0; IP_LEN];
    let len = ip.len().min(IP_LEN - 1);
    field[..len].copy_from_slice(&ip[..len]);
    field
}

/// What stands before the first NUL.
fn text(field: &[u8]) -> &[u8] {
    field.split(|&byte| byte == 0).next().unwrap_or_default()
}

fn array_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes[at..at + N].try_into().expect("a slice of N bytes")
}

fn id_at(bytes: &[u8], at: usize) -> Option<NodeId> {
    NodeId::parse(&bytes[at..at + NodeId::LEN])
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes(array_at(bytes, at))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(array_at(bytes, at))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_be_bytes(array_at(bytes, at))
}

#[cfg(test)]
mod tests;
