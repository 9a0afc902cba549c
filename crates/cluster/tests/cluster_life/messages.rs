use crate::puppet::{closed, header, id, log, sent, slots, Puppet, Stage, TIMEOUT};
use cluster::codec::{
    Body, ClaimedRole, Extension, GossipEntry, Heartbeat, Message, Packet, Publication, Reach, HEADER_LEN,
};
use cluster::{MessageFlags, NodeFlags, NodeId, Output};

fn ping() -> Body {
    Body::Ping(Heartbeat::default())
}

fn gossip(id: NodeId, flags: NodeFlags) -> GossipEntry {
    GossipEntry {
        node: id,
        ping_sent_s: 0,
        pong_received_s: 0,
        ip: b"10.0.0.77".to_vec(),
        port: 7777,
        bus_port: 17777,
        flags,
        tls_port: 0,
    }
}

fn ping_about(entries: Vec<GossipEntry>) -> Body {
    Body::Ping(Heartbeat { gossip: entries, ..Heartbeat::default() })
}

fn is_pong(outputs: &[Output], link: cluster::LinkId) -> bool {
    sent(outputs).iter().any(|(to, message)| *to == link && matches!(message.body, Body::Pong(_)))
}

#[test]
fn every_ping_and_meet_is_answered_on_its_own_socket() {
    let mut stage = Stage::new();
    let puppet = stage.join('a', |_| {});
    assert!(is_pong(&stage.say(&puppet, puppet.from, ping()), puppet.from));
    let link = stage.stranger();
    let outputs = stage.say_as(header(id('b'), 7050), link, ping());
    assert!(is_pong(&outputs, link), "a stranger's too");
    assert!(!stage.knows(&id('b')));
    let outputs = stage.say_as(header(id('b'), 7050), link, Body::Meet(Heartbeat::default()));
    assert!(is_pong(&outputs, link));
    assert!(stage.cluster.nodes_text().contains("10.0.0.9:7050@17050 handshake - 0 0 0 disconnected\n"));
}

#[test]
fn what_we_send_is_what_the_reference_wants() {
    let mut stage = Stage::new();
    let puppet = stage.join('a', |_| {});
    let outputs = stage.say(&puppet, puppet.from, ping());
    let (_, pong) = &sent(&outputs)[0];
    let header = &pong.header;
    assert_eq!(header.sender, Some(stage.cluster.my_id()));
    assert_eq!(header.flags, NodeFlags::MYSELF.with(NodeFlags::MASTER), "no bit that we do not implement");
    assert_eq!((header.port, header.bus_port, header.tls_port), (7000, 17000, 0));
    assert_eq!((header.current_epoch, header.config_epoch), (1, 1));
    assert_eq!(header.slots, slots(0..100));
    assert_eq!(header.message_flags, MessageFlags::EXT_DATA);
    assert!(header.ip.is_empty() && header.role == ClaimedRole::Primary && header.state_is_fail);
    let Body::Pong(beat) = &pong.body else { panic!() };
    assert_eq!(beat.extensions, [Extension::ShardId(stage.cluster.my_shard_id())]);
    assert!(beat.gossip.len() <= 1);
}

#[test]
fn nodes_are_added_by_gossip_of_members_only() {
    let mut stage = Stage::new();
    let link = stage.stranger();
    stage.say_as(header(id('b'), 7050), link, ping_about(vec![gossip(id('c'), NodeFlags::MASTER)]));
    let meet =
        Body::Meet(Heartbeat { gossip: vec![gossip(id('c'), NodeFlags::MASTER)], ..Heartbeat::default() });
    stage.say_as(header(id('b'), 7050), link, meet);
    assert!(!stage.knows(&id('c')));

    let puppet = stage.join('a', |_| {});
    let entries = vec![
        gossip(
            id('c'),
            NodeFlags::SLAVE.with(NodeFlags(0xfc00)).with(NodeFlags::MYSELF).with(NodeFlags::NOFAILOVER),
        ),
        gossip(id('d'), NodeFlags::MASTER.with(NodeFlags::NOADDR)),
        gossip(id('e'), NodeFlags::MASTER.with(NodeFlags::FAIL)),
    ];
    stage.say(&puppet, puppet.from, ping_about(entries));
    assert_eq!(stage.line(&id('c'))[1..4], ["10.0.0.77:7777@17777", "slave,nofailover", "-"]);
    assert!(!stage.knows(&id('d')), "a node without address helps nobody");
    assert_eq!(stage.line(&id('e'))[2], "master,fail");
}

#[test]
fn a_text_that_would_break_nodes_conf_is_not_taken() {
    let mut stage = Stage::new();
    let puppet = stage.join('a', |_| {});
    let mut entry = gossip(id('c'), NodeFlags::MASTER);
    entry.ip = b"1.2.3.4 x\n".to_vec();
    let mut header = puppet.header.clone();
    header.message_flags = MessageFlags::EXT_DATA;
    header.ip = b"1.2.3.4,".to_vec();
    let body = Body::Ping(Heartbeat {
        gossip: vec![entry],
        gossip_dropped: 0,
        extensions: vec![
            Extension::Hostname(b"good.example".to_vec()),
            Extension::HumanNodename(b"a b\nvars currentEpoch 99".to_vec()),
        ],
    });
    stage.say_as(header, puppet.from, body);
    assert!(!stage.knows(&id('c')));
    assert_eq!(
        stage.line(&puppet.id)[1],
        format!("10.0.0.9:{0}@{1},good.example", puppet.port, puppet.port + 10_000)
    );
}

#[test]
fn messages_that_are_wrong_are_dropped_and_their_link_kept() {
    let mut stage = Stage::new();
    let puppet = stage.join('a', |_| {});
    let mut wrong_version = Message { header: puppet.header.clone(), body: ping() }.encode();
    wrong_version[9] = 2;
    let mut wrong_length = Message { header: puppet.header.clone(), body: ping() }.encode();
    wrong_length.push(0);
    wrong_length[4..8].copy_from_slice(&2257u32.to_be_bytes());
    for bytes in [wrong_version, wrong_length] {
        let outputs = stage.bytes(puppet.from, &bytes);
        assert!(sent(&outputs).is_empty() && !closed(&outputs, puppet.from), "{}", log(&outputs));
        assert!(is_pong(&stage.say(&puppet, puppet.from, ping()), puppet.from), "the next is understood");
    }
}

#[test]
fn a_stream_that_is_none_ends_its_link() {
    for bytes in [&b"GET / HTTP/1.1\r\n"[..], b"RCmb\0\0\x08\xcf\0\x01\0\0\0\0\0\0", b"RCmb\xff\xff\xff\xff"]
    {
        let mut stage = Stage::new();
        let puppet = stage.join('a', |_| {});
        let outputs = stage.bytes(puppet.from, bytes);
        assert!(closed(&outputs, puppet.from), "{}", log(&outputs));
        let again = stage.say(&puppet, puppet.from, ping());
        assert!(again.is_empty(), "a closed link is forgotten");
    }
}

#[test]
fn unknown_types_count_as_a_sign_of_life_and_teach_epochs() {
    let mut stage = Stage::new();
    let mut puppet = stage.join('a', |_| {});
    puppet.header.current_epoch = 42;
    let outputs = stage.say(&puppet, puppet.from, Body::Unknown { kind: 77, body: b"future".to_vec() });
    assert!(log(&outputs).contains("unknown packet type: 77") && !closed(&outputs, puppet.from));
    assert_eq!(stage.cluster.current_epoch(), 42);
}

#[test]
fn publications_of_members_reach_our_subscribers_and_strangers_do_not() {
    let mut stage = Stage::new();
    let puppet = stage.join('a', |_| {});
    let body = |reach| Body::Publish(Publication { channel: b"c".to_vec(), message: b"m".to_vec() }, reach);
    let published = |outputs: &[Output]| {
        outputs
            .iter()
            .filter_map(|o| if let Output::Publish { shard, .. } = o { Some(*shard) } else { None })
            .collect::<Vec<_>>()
    };
    assert_eq!(published(&stage.say(&puppet, puppet.from, body(Reach::Cluster))), [false]);
    assert_eq!(published(&stage.say(&puppet, puppet.from, body(Reach::Shard))), [true]);
    let light = Packet::Light(Publication { channel: b"c".to_vec(), message: b"m".to_vec() }, Reach::Cluster)
        .encode();
    assert_eq!(published(&stage.bytes(puppet.from, &light)), [false]);
    let link = stage.stranger();
    assert_eq!(published(&stage.say_as(header(id('b'), 7050), link, body(Reach::Cluster))), []);
    let outputs = stage.bytes(link, &light);
    assert!(published(&outputs).is_empty() && closed(&outputs, link));

    stage.cluster.publish(stage.now, false, b"news".to_vec(), b"text".to_vec());
    stage.cluster.publish(stage.now, true, b"news".to_vec(), b"text".to_vec());
    let outputs = stage.outputs();
    let messages = sent(&outputs);
    assert_eq!(messages.len(), 1, "nobody else is of our shard");
    assert_eq!(messages[0].0, puppet.to);
}

#[test]
fn fail_messages_are_obeyed_from_members_only_and_never_about_us() {
    let mut stage = Stage::new();
    let puppet = stage.join('a', |_| {});
    let other = stage.join('b', |_| {});
    let link = stage.stranger();
    stage.say_as(header(id('z'), 7050), link, Body::Fail(Some(other.id)));
    assert_eq!(stage.line(&other.id)[2], "master");
    stage.say(&puppet, puppet.from, Body::Fail(Some(stage.cluster.my_id())));
    stage.say(&puppet, puppet.from, Body::Fail(None));
    stage.say(&puppet, puppet.from, Body::Fail(Some(id('y'))));
    assert!(!stage.cluster.nodes_text().contains("fail"));
    stage.say(&puppet, puppet.from, Body::Fail(Some(other.id)));
    assert_eq!(stage.line(&other.id)[2], "master,fail");
    // It has no slots, so that its next pong is enough.
    stage.say(&other, other.to, Body::Pong(Heartbeat::default()));
    assert_eq!(stage.line(&other.id)[2], "master");
}

#[test]
fn roles_are_followed_and_a_primary_turned_replica_loses_its_slots() {
    let mut stage = Stage::new();
    let mut one = stage.join('a', |header| {
        header.slots = slots(100..200);
        header.config_epoch = 5;
    });
    let mut two = stage.join('b', |header| {
        header.role = ClaimedRole::Replica { of: Some(id('a')) };
        header.flags = NodeFlags::MYSELF.with(NodeFlags::SLAVE);
        header.slots = slots(100..200);
        header.config_epoch = 5;
        header.offset = 77;
    });
    assert_eq!(stage.line(&two.id)[2..7], ["slave", one.id.as_str(), "0", &stage.now.to_string(), "5"]);
    let replicas = stage.cluster.replicas(one.id.as_bytes()).unwrap();
    assert!(replicas.len() == 1 && replicas[0].starts_with(two.id.as_str()));
    assert_eq!(
        stage.cluster.replicas(two.id.as_bytes()).unwrap_err().to_string(),
        "The specified node is not a master"
    );

    // The replica is elected: it claims under epoch 6.
    two.header.role = ClaimedRole::Primary;
    two.header.config_epoch = 6;
    two.header.current_epoch = 6;
    let outputs = stage.say(&two, two.from, ping());
    assert!(outputs.iter().any(|output| matches!(output, Output::Save { fsync: true, .. })));
    assert_eq!(stage.line(&two.id)[8..], ["100-199"]);
    assert_eq!(stage.line(&one.id).len(), 8, "nothing is left to the old primary");

    // The old one returns with its old claim, and is told.
    let outputs = stage.say(&one, one.from, ping());
    let update =
        sent(&outputs).into_iter().find(|(link, _)| *link == one.to).expect("an UPDATE on our link to it").1;
    let Body::Update { config_epoch, node, slots: claimed } = update.body else {
        panic!("{:?}", update.body)
    };
    assert_eq!((config_epoch, node, *claimed), (6, Some(two.id), slots(100..200)));

    // It becomes the other's replica.
    one.header.role = ClaimedRole::Replica { of: Some(two.id) };
    one.header.config_epoch = 6;
    one.header.slots = slots(100..200);
    let outputs = stage.say(&one, one.from, ping());
    assert!(sent(&outputs).iter().all(|(_, message)| !matches!(message.body, Body::Update { .. })));
    assert_eq!(stage.line(&one.id)[2..4], ["slave".to_owned(), two.id.to_string()]);
}

#[test]
fn an_update_binds_slots_to_a_known_node_with_a_newer_epoch() {
    let mut stage = Stage::new();
    let one = stage.join('a', |header| {
        header.slots = slots(100..200);
        header.config_epoch = 5;
    });
    let two = stage.join('b', |_| {});
    let update =
        |epoch, node| Body::Update { config_epoch: epoch, node: Some(node), slots: Box::new(slots(0..150)) };
    stage.say(&one, one.from, update(9, id('f')));
    stage.say(&one, one.from, update(0, two.id));
    assert_eq!(stage.line(&two.id).len(), 8);
    let outputs = stage.say(&one, one.from, update(4, two.id));
    assert_eq!(stage.line(&two.id)[8..], ["0-99"], "ours had epoch 1, the other's has 5");
    let order: Vec<&str> = outputs
        .iter()
        .filter_map(|output| match output {
            Output::Save { fsync: true, .. } => Some("save"),
            Output::Routing(map) => Some(if map.mine.is_empty() { "routing" } else { "wrong" }),
            Output::DropKeys(dropped) => Some(if **dropped == slots(0..100) { "drop" } else { "wrong" }),
            _ => None,
        })
        .collect();
    assert_eq!(order, ["save", "routing", "drop"]);
}

#[test]
fn whoever_sends_anything_is_alive_even_if_its_pongs_are_late() {
    let mut stage = Stage::new();
    let puppet = stage.join('a', |_| {});
    for _ in 0..40 {
        stage.tick(TIMEOUT / 10);
        stage.say(&puppet, puppet.from, Body::Fail(None));
    }
    assert_eq!(stage.line(&puppet.id)[2], "master");
    assert_ne!(stage.line(&puppet.id)[4], "0", "a ping has been unanswered all the time");
    stage.tick(TIMEOUT + 200);
    assert_eq!(stage.line(&puppet.id)[2], "master,fail", "alone with slots, we need nobody's word");
}

fn dialed(outputs: &[Output], puppet: &Puppet) -> Option<cluster::LinkId> {
    outputs.iter().find_map(|output| match output {
        Output::Connect { link, port, .. } if *port == puppet.port + 10_000 => Some(*link),
        _ => None,
    })
}

#[test]
fn the_silence_of_a_node_that_refuses_connections_counts_from_the_first_refusal() {
    let mut stage = Stage::new();
    let puppet = stage.join('a', |_| {});
    stage.cluster.handle_link_closed(stage.now, puppet.to);
    let link = dialed(&stage.tick(100), &puppet).expect("it is dialed again at once");
    assert_eq!(stage.line(&puppet.id)[4], "0");
    stage.cluster.handle_connect_failed(stage.now, link);
    assert_eq!(stage.line(&puppet.id)[4], stage.now.to_string());
}

#[test]
fn a_silent_link_is_renewed_and_one_over_its_limit_closed() {
    let mut stage = Stage::new();
    let puppet = stage.join('a', |_| {});
    let outputs = stage.tick(TIMEOUT + TIMEOUT / 2 + 500);
    assert!(closed(&outputs, puppet.to), "no answer for half the timeout, on a link older than the timeout");
    let renewed = dialed(&outputs, &puppet).expect("a new link to it");
    let asked_at = stage.line(&puppet.id)[4].clone();
    stage.cluster.handle_connected(stage.now, renewed, "10.0.0.1");
    let outputs = stage.outputs();
    assert!(matches!(&sent(&outputs)[..], [(link, message)] if *link == renewed && message.body.kind() == 0));
    assert_eq!(stage.line(&puppet.id)[4], asked_at, "a new link is no new patience");

    let mut stage = Stage::new();
    let puppet = stage.join('a', |_| {});
    let settings = cluster::Settings { link_sendbuf_limit: 1000, ..stage.cluster.settings().clone() };
    stage.cluster.set_settings(settings, stage.now);
    stage.cluster.handle_link_writable_info(puppet.to, 1000);
    assert!(!closed(&stage.tick(100), puppet.to));
    stage.cluster.handle_link_writable_info(puppet.to, 1001);
    assert!(closed(&stage.tick(100), puppet.to));
    assert!(stage.cluster.info_text().ends_with("total_cluster_links_buffer_limit_exceeded:1\r\n"));
}

#[test]
fn strangers_are_bounded() {
    let mut stage = Stage::new();
    let first = stage.stranger();
    let mut last = first;
    for _ in 0..1100 {
        last = stage.stranger();
    }
    assert!(stage.say_as(header(id('b'), 7050), first, ping()).is_empty(), "the oldest had to go");
    assert!(is_pong(&stage.say_as(header(id('b'), 7050), last, ping()), last));
    // Each MEET names another port; the table does not grow without end.
    for port in 1..3000 {
        stage.say_as(header(id('b'), port), last, Body::Meet(Heartbeat::default()));
    }
    assert!(stage.cluster.nodes_text().lines().count() < 600);
    // A stranger may not announce a message that only members may send.
    let mut bytes = b"RCmb".to_vec();
    bytes.extend((64u32 << 20).to_be_bytes());
    assert!(closed(&stage.bytes(last, &bytes), last));
}

#[test]
fn an_epoch_at_the_end_of_numbers_does_no_harm() {
    let mut stage = Stage::new();
    let mut puppet = stage.join('f', |_| {});
    puppet.header.current_epoch = u64::MAX;
    puppet.header.config_epoch = 1;
    let outputs = stage.say(&puppet, puppet.from, ping());
    assert!(log(&outputs).contains("run out of epochs") || stage.cluster.my_config_epoch() == 1);
    assert_eq!(stage.cluster.bump_epoch(stage.now), (false, 1));
}

/// A member that has lost its mind: whatever it says, the machine lives, keeps its name, and can
/// read its own file.
#[test]
fn random_messages_of_a_member_never_panic() {
    for seed in 0..20u64 {
        let mut stage = Stage::new();
        let puppets: Vec<Puppet> =
            ['a', 'b', 'c'].into_iter().map(|digit| stage.join(digit, |_| {})).collect();
        let my_id = stage.cluster.my_id();
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut random = move |bound: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % bound
        };
        let mut disk = Vec::new();
        for _ in 0..300 {
            let puppet = &puppets[random(3) as usize];
            let mut names = vec![my_id, id('z')];
            names.extend(puppets.iter().map(|puppet| puppet.id));
            let mut name = || names[random(names.len() as u64) as usize];
            let (one, other, third) = (name(), name(), name());
            let mut header = puppet.header.clone();
            header.sender = Some(one);
            header.current_epoch = random(50);
            header.config_epoch = random(50);
            header.flags = NodeFlags(random(1 << 16) as u16);
            header.message_flags = MessageFlags(random(8) as u8 | 4);
            let start = random(300) as u16;
            header.slots = slots(start..start + random(300) as u16);
            if random(3) == 0 {
                header.role = ClaimedRole::Replica { of: Some(other) };
            }
            let beat = Heartbeat {
                gossip: vec![
                    gossip(other, NodeFlags(random(1 << 16) as u16)),
                    gossip(third, NodeFlags(random(1 << 16) as u16)),
                ],
                gossip_dropped: 0,
                extensions: vec![if random(20) == 0 {
                    Extension::ForgottenNode { node: third, ttl_s: random(u64::MAX) }
                } else {
                    Extension::Hostname(b"h.example".to_vec())
                }],
            };
            let body = match random(9) {
                0 => Body::Fail(Some(other)),
                1 => Body::Update {
                    config_epoch: random(60),
                    node: Some(other),
                    slots: Box::new(slots(start..start + 200)),
                },
                2 => Body::AuthRequest,
                3 => Body::AuthAck,
                4 => Body::ManualFailoverStart,
                5 => Body::Meet(beat),
                6 => Body::Pong(beat),
                _ => Body::Ping(beat),
            };
            let mut bytes = Message { header, body }.encode();
            for _ in 0..random(3) {
                let place = 8 + random((bytes.len() - 8) as u64) as usize;
                bytes[place] = random(256) as u8;
            }
            let link = if random(3) == 0 { puppet.to } else { puppet.from };
            let mut outputs = stage.bytes(link, &bytes);
            outputs.extend(stage.tick(random(3) * 100));
            for output in &outputs {
                match output {
                    Output::Save { text, .. } => disk = text.clone(),
                    Output::Send { bytes, .. } => {
                        assert!(Packet::decode(bytes).is_ok() && bytes.len() >= HEADER_LEN)
                    }
                    _ => {}
                }
            }
        }
        assert_eq!(stage.cluster.my_id(), my_id);
        let again = cluster::Cluster::load(&disk, stage.cluster.settings().clone(), 1, stage.now)
            .expect("its own file");
        assert_eq!(again.my_id(), my_id);
    }
}
