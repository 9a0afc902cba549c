//! The hex examples of the reference (section 2), the lengths of all types, and packets that wish us ill.

use super::*;
use crate::rng::Rng;
use slot::Slot;

fn id(text: &str) -> NodeId {
    NodeId::parse(text.as_bytes()).unwrap()
}

fn hex(text: &str) -> Vec<u8> {
    text.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

/// 2.1: a PING of Redis 7.2, written down byte by byte from the reference, zero where it shows nothing.
fn ping_of_redis() -> Vec<u8> {
    let mut bytes = vec![0; 2448];
    let mut at = |offset: usize, data: &[u8]| bytes[offset..offset + data.len()].copy_from_slice(data);
    at(0x000, &hex("52 43 6d 62 00 00 09 90 00 01 43 32 00 00 00 01"));
    at(0x010, &hex("00 00 00 00 00 00 00 02 00 00 00 00 00 00 00 02"));
    at(0x028, b"58b084472198cd896a8bf6a590ae277df611b7bd");
    at(0x2fa, &hex("e0"));
    at(0x2fb, &[0xff; 0x5a5 - 0x2fb]);
    at(0x5a5, &hex("07"));
    at(0x8a6, &hex("00 03"));
    at(0x8c8, &hex("6a 42 00 11 01 04 00 00"));
    at(0x8d0, b"390f83e4e001f561dbf7158f7375ca4245232c26");
    at(0x8fc, &hex("6b 04 72 2e"));
    at(0x900, b"127.0.0.1");
    at(0x92e, &hex("43 31 6a 41 00 01 00 00 00 00"));
    at(0x938, &hex("00 00 00 18 00 00 00 00"));
    at(0x940, b"host.example");
    at(0x950, &hex("00 00 00 10 00 01 00 00"));
    at(0x958, b"nodeA");
    at(0x960, &hex("00 00 00 30 00 03 00 00"));
    at(0x968, b"c76e175d6cd6d818b28a163daede1d59b13b9170");
    bytes
}

fn message(body: Body) -> Message {
    let header = Header {
        current_epoch: 10,
        config_epoch: 7,
        offset: 0x0102_0304_0506_0708,
        sender: Some(id("58b084472198cd896a8bf6a590ae277df611b7bd")),
        slots: [0, 8, 16383].into_iter().filter_map(Slot::new).collect(),
        role: ClaimedRole::Replica { of: Some(id("390f83e4e001f561dbf7158f7375ca4245232c26")) },
        ip: b"10.1.2.3".to_vec(),
        port: 6379,
        tls_port: 6380,
        bus_port: 16379,
        flags: NodeFlags::MYSELF.with(NodeFlags::SLAVE),
        state_is_fail: true,
        message_flags: MessageFlags::default(),
    };
    Message { header, body }
}

fn decode_full(bytes: &[u8]) -> Message {
    match Packet::decode(bytes) {
        Ok(Packet::Full(message)) => *message,
        other => panic!("{other:?}"),
    }
}

fn publication(channel: &str, message: &str) -> Publication {
    Publication { channel: channel.into(), message: message.into() }
}

#[test]
fn the_ping_of_the_reference_is_read_and_written_back() {
    let bytes = ping_of_redis();
    let ping = decode_full(&bytes);
    assert_eq!(ping.encode(), bytes);

    let header = &ping.header;
    assert_eq!((header.current_epoch, header.config_epoch, header.offset), (2, 2, 0));
    assert_eq!(header.sender.unwrap().as_str(), "58b084472198cd896a8bf6a590ae277df611b7bd");
    assert_eq!(header.slots.ranges().map(|(a, b)| (a.get(), b.get())).collect::<Vec<_>>(), [(5461, 10922)]);
    assert_eq!(header.role, ClaimedRole::Primary);
    assert_eq!((header.port, header.tls_port, header.bus_port), (17202, 0, 27202));
    assert_eq!(header.flags, NodeFlags::MYSELF.with(NodeFlags::MASTER));
    assert!(header.state_is_fail && header.ip.is_empty());
    let Body::Ping(heartbeat) = &ping.body else { panic!("{:?}", ping.body) };
    assert_eq!(
        heartbeat.gossip,
        [GossipEntry {
            node: id("390f83e4e001f561dbf7158f7375ca4245232c26"),
            ping_sent_s: 0,
            pong_received_s: 0x6b04_722e,
            ip: b"127.0.0.1".to_vec(),
            port: 17201,
            bus_port: 27201,
            flags: NodeFlags::MASTER,
            tls_port: 0,
        }]
    );
    assert_eq!(
        heartbeat.extensions,
        [
            Extension::Hostname(b"host.example".to_vec()),
            Extension::HumanNodename(b"nodeA".to_vec()),
            Extension::ShardId(ShardId::parse(b"c76e175d6cd6d818b28a163daede1d59b13b9170").unwrap()),
        ]
    );
}

#[test]
fn a_forgotten_node_is_told_as_valkey_tells_it() {
    let (forgotten, shard) =
        ("390f83e4e001f561dbf7158f7375ca4245232c26", "c76e175d6cd6d818b28a163daede1d59b13b9170");
    let mut tail = hex("00 00 00 38 00 02 00 00");
    tail.extend_from_slice(forgotten.as_bytes());
    tail.extend(hex("00 00 00 00 00 00 00 3c 00 00 00 30 00 03 00 00"));
    tail.extend_from_slice(shard.as_bytes());

    let mut pong = message(Body::Pong(Heartbeat {
        extensions: vec![
            Extension::ForgottenNode { node: id(forgotten), ttl_s: 60 },
            Extension::ShardId(ShardId::parse(shard.as_bytes()).unwrap()),
        ],
        ..Heartbeat::default()
    }));
    pong.header.message_flags = MessageFlags::EXT_DATA;
    let bytes = pong.encode();
    assert_eq!(&bytes[HEADER_LEN..], tail);
    assert_eq!(decode_full(&bytes), pong);
}

#[test]
fn the_light_publication_of_the_reference_is_read_and_written_back() {
    let bytes = hex("52 43 6d 62 00 00 00 1c 00 01 00 00 80 04 00 00 00 00 00 02 00 00 00 02 63 68 68 69");
    let packet = Packet::decode(&bytes).unwrap();
    assert_eq!(packet, Packet::Light(publication("ch", "hi"), Reach::Cluster));
    assert_eq!(packet.encode(), bytes);
}

#[test]
fn the_full_publication_of_the_reference_is_read_and_written_back() {
    let full = message(Body::Publish(publication("chan", "hello"), Reach::Cluster));
    let bytes = full.encode();
    assert_eq!(bytes.len(), 2273);
    assert_eq!(&bytes[HEADER_LEN..], hex("00 00 00 04 00 00 00 05 63 68 61 6e 68 65 6c 6c 6f"));
    assert_eq!(decode_full(&bytes), full);
}

#[test]
fn every_type_has_its_number_and_its_length_and_comes_back_the_same() {
    let node = Some(id("390f83e4e001f561dbf7158f7375ca4245232c26"));
    let slots: SlotSet = [1, 2].into_iter().filter_map(Slot::new).collect();
    let module = Body::Module { id: [1, 2, 3, 4, 5, 6, 7, 8], kind: 9, payload: b"pay".to_vec() };
    for (body, kind, len) in [
        (Body::Ping(Heartbeat::default()), 0, 2256),
        (Body::Pong(Heartbeat::default()), 1, 2256),
        (Body::Meet(Heartbeat::default()), 2, 2256),
        (Body::Fail(node), 3, 2296),
        (Body::Publish(publication("c", "m"), Reach::Cluster), 4, 2266),
        (Body::AuthRequest, 5, 2256),
        (Body::AuthAck, 6, 2256),
        (Body::Update { config_epoch: 9, node, slots: Box::new(slots) }, 7, 4352),
        (Body::ManualFailoverStart, 8, 2256),
        (module, 9, 2272),
        (Body::Publish(publication("c", "m"), Reach::Shard), 10, 2266),
        (Body::Unknown { kind: 11, body: b"whatever".to_vec() }, 11, 2264),
    ] {
        let message = message(body);
        let bytes = message.encode();
        assert_eq!((kind_of(&bytes), bytes.len()), (Some(kind), len));
        assert_eq!(u32_at(&bytes, at::TOTLEN) as usize, len);
        assert_eq!(decode_full(&bytes), message);
    }
}

/// A message of this type with this many bytes more or fewer, its own length told truly.
fn resized(body: Body, by: isize) -> Vec<u8> {
    let mut bytes = message(body).encode();
    bytes.resize((bytes.len() as isize + by) as usize, 0);
    let total = length(bytes.len());
    put(&mut bytes, at::TOTLEN, &total);
    bytes
}

#[test]
fn a_length_that_is_not_the_types_is_refused() {
    let node = Some(id("390f83e4e001f561dbf7158f7375ca4245232c26"));
    let bodies = || {
        [
            Body::Ping(Heartbeat::default()),
            Body::Fail(node),
            Body::Publish(publication("c", "m"), Reach::Cluster),
            Body::AuthRequest,
            Body::AuthAck,
            Body::Update { config_epoch: 9, node, slots: Box::default() },
            Body::ManualFailoverStart,
            Body::Module { id: [0; 8], kind: 9, payload: b"pay".to_vec() },
        ]
    };
    for body in bodies() {
        let kind = body.kind();
        let longer = Packet::decode(&resized(body, 1)).unwrap_err();
        assert!(matches!(longer, DecodeError::Length { kind: found, .. } if found == kind), "{longer:?}");
    }
    for body in bodies().into_iter().filter(|body| message(body.clone()).encode().len() > HEADER_LEN) {
        let shorter = Packet::decode(&resized(body, -1)).unwrap_err();
        assert!(matches!(shorter, DecodeError::Length { .. }), "{shorter:?}");
    }
    // Bodies too short for their own length fields.
    for (kind, extra) in [(kind::PUBLISH, 7), (kind::PUBLISHSHARD, 0), (kind::MODULE, 12)] {
        let bytes = message(Body::Unknown { kind, body: vec![0; extra] }).encode();
        assert!(matches!(Packet::decode(&bytes), Err(DecodeError::Length { .. })));
    }
    // Lengths whose sum would wrap in 32 bits.
    let mut wrapping = message(Body::Publish(publication("c", "m"), Reach::Cluster)).encode();
    put(&mut wrapping, HEADER_LEN, &[0xff; 4]);
    put(&mut wrapping, HEADER_LEN + 4, &3u32.to_be_bytes());
    assert!(matches!(Packet::decode(&wrapping), Err(DecodeError::Length { .. })));
}

#[test]
fn another_version_is_refused_before_its_length_is_looked_at() {
    let mut bytes = resized(Body::AuthAck, 1);
    put(&mut bytes, at::VERSION, &2u16.to_be_bytes());
    assert_eq!(Packet::decode(&bytes), Err(DecodeError::Version(2)));
}

#[test]
fn extensions_have_to_be_padded_and_to_fit() {
    let with_length = |extension_len: u32| {
        let mut bytes = ping_of_redis();
        put(&mut bytes, 0x960, &extension_len.to_be_bytes());
        Packet::decode(&bytes)
    };
    assert!(with_length(48).is_ok());
    for bad in [0, 4, 47, 49] {
        assert_eq!(with_length(bad), Err(DecodeError::ExtensionPadding(bad)));
    }
    for long in [56, 65536, 0xffff_fff8] {
        assert_eq!(with_length(long), Err(DecodeError::ExtensionOverrun(long)));
    }
    assert!(matches!(with_length(40), Err(DecodeError::Length { .. })), "bytes are left over");

    let counting = |count: u16| {
        let mut bytes = ping_of_redis();
        put(&mut bytes, at::EXTENSIONS, &count.to_be_bytes());
        Packet::decode(&bytes)
    };
    assert!(matches!(counting(2), Err(DecodeError::Length { .. })));
    assert!(matches!(counting(4), Err(DecodeError::ExtensionOverrun(_))));

    let mut without_flag = ping_of_redis();
    without_flag[at::MFLAGS] = 0;
    assert!(matches!(Packet::decode(&without_flag), Err(DecodeError::Length { .. })));

    let mut flag_alone = message(Body::Ping(Heartbeat::default()));
    flag_alone.header.message_flags = MessageFlags::EXT_DATA;
    assert_eq!(decode_full(&flag_alone.encode()), flag_alone, "Valkey's way to say that it understands them");
}

#[test]
fn extensions_of_the_future_and_malformed_known_ones_are_kept_aside() {
    let mut bytes = ping_of_redis();
    put(&mut bytes, 0x964, &9u16.to_be_bytes());
    let Body::Ping(heartbeat) = decode_full(&bytes).body else { panic!() };
    assert!(matches!(&heartbeat.extensions[2], Extension::Unknown { kind: 9, data } if data.len() == 40));

    let mut bytes = ping_of_redis();
    bytes[0x970] = b'!';
    let Body::Ping(heartbeat) = decode_full(&bytes).body else { panic!() };
    assert!(matches!(&heartbeat.extensions[2], Extension::Unknown { kind: 3, .. }));
}

#[test]
fn one_malformed_gossip_entry_spoils_the_section_and_nothing_else() {
    let mut bytes = ping_of_redis();
    bytes[0x8d0] = b'X';
    let Body::Ping(heartbeat) = decode_full(&bytes).body else { panic!() };
    assert_eq!((heartbeat.gossip.len(), heartbeat.gossip_dropped, heartbeat.extensions.len()), (0, 1, 3));
}

#[test]
fn gossip_beyond_the_message_is_refused() {
    let mut bytes = ping_of_redis();
    put(&mut bytes, at::COUNT, &u16::MAX.to_be_bytes());
    assert!(matches!(Packet::decode(&bytes), Err(DecodeError::Length { .. })));
}

#[test]
fn only_publications_may_be_light() {
    let light = |kind: u16| {
        let mut bytes = Packet::Light(publication("ch", "hi"), Reach::Shard).encode();
        put(&mut bytes, at::TYPE, &kind.to_be_bytes());
        Packet::decode(&bytes)
    };
    assert_eq!(light(0x800a), Ok(Packet::Light(publication("ch", "hi"), Reach::Shard)));
    assert_eq!(light(0x8000), Err(DecodeError::LightType(0)));
    assert_eq!(light(0x0004), Err(DecodeError::Frame(28)), "a full one has a full header");
}

#[test]
fn frames_that_are_no_messages_are_refused() {
    assert_eq!(Packet::decode(b""), Err(DecodeError::Frame(0)));
    assert_eq!(Packet::decode(&ping_of_redis()[..2447]), Err(DecodeError::Frame(2447)));
}

/// Whatever bytes come, decoding ends, and what it accepts it can write and read again.
#[test]
fn mutated_packets_never_panic_and_stay_what_they_were_read_as() {
    let node = Some(id("390f83e4e001f561dbf7158f7375ca4245232c26"));
    let seeds = [
        ping_of_redis(),
        message(Body::Fail(node)).encode(),
        message(Body::Publish(publication("chan", "hello"), Reach::Cluster)).encode(),
        message(Body::Update { config_epoch: 1, node, slots: Box::new(SlotSet::new()) }).encode(),
        message(Body::Module { id: [1; 8], kind: 2, payload: vec![3; 20] }).encode(),
        Packet::Light(publication("ch", "hi"), Reach::Cluster).encode(),
    ];
    // The fields that decide what is read; random bytes elsewhere would be spent on the bitmap.
    let hot =
        [4, 5, 6, 7, 8, 9, 12, 13, 14, 15, 2214, 2215, 2253, 2256, 2257, 2258, 2259, 2260, 2261, 2262, 2263];
    let mut rng = Rng::new(20_260_801);
    let mut accepted = 0;
    for round in 0..60_000 {
        let mut bytes = seeds[round % seeds.len()].clone();
        for _ in 0..1 + rng.below(4) {
            let place = if rng.below(3) == 0 { rng.below(bytes.len()) } else { hot[rng.below(hot.len())] };
            let value = [0, 1, 0x7f, 0x80, 0xff, rng.next() as u8][rng.below(6)];
            if let Some(byte) = bytes.get_mut(place) {
                *byte = value;
            }
        }
        match rng.below(4) {
            0 => bytes.truncate(rng.below(bytes.len() + 1)),
            1 => bytes.resize(bytes.len() + rng.below(300), rng.next() as u8),
            _ => {}
        }
        if rng.below(2) == 0 && bytes.len() >= 8 {
            let total = length(bytes.len());
            put(&mut bytes, at::TOTLEN, &total);
        }
        if let Ok(packet) = Packet::decode(&bytes) {
            accepted += 1;
            // What has been accepted has one meaning, malformed gossip and names aside, which are
            // not repeated.
            let is_reduced = match &packet {
                Packet::Full(message) => {
                    let nobodys_replica = message.header.role == (ClaimedRole::Replica { of: None });
                    nobodys_replica
                        || matches!(&message.body, Body::Ping(beat) | Body::Pong(beat) | Body::Meet(beat)
                            if beat.gossip_dropped > 0)
                }
                Packet::Light(..) => false,
            };
            if !is_reduced {
                assert_eq!(Packet::decode(&packet.encode()).as_ref(), Ok(&packet));
            }
        }
    }
    assert!(accepted > 1000, "only {accepted} were accepted: the mutations miss the point");
}
