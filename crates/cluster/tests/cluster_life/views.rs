use crate::puppet::{id, slots, Stage};
use cluster::codec::{Body, ClaimedRole, Heartbeat};
use cluster::{Direction, EndpointType, NodeFlags, NodeHealth, Settings};

fn stage() -> Stage {
    let mut stage = Stage::new();
    stage.join('a', |header| {
        header.slots = slots(100..16384);
        header.config_epoch = 5;
        header.current_epoch = 5;
        header.offset = 3;
    });
    for (digit, offset) in [('b', 9), ('c', 0)] {
        stage.join(digit, |header| {
            header.role = ClaimedRole::Replica { of: Some(id('a')) };
            header.flags = NodeFlags::MYSELF.with(NodeFlags::SLAVE);
            header.slots = slots(100..16384);
            header.config_epoch = 5;
            header.offset = offset;
        });
    }
    stage
}

#[test]
fn nodes_are_described_as_redis_describes_them() {
    let stage = stage();
    let (me, a, b) = (stage.cluster.my_id(), id('a'), id('b'));
    let text = stage.cluster.nodes_text();
    let lines: Vec<&str> = text.lines().collect();
    // The clock at which each pong came.
    let pong = |line: &str| line.split(' ').nth(5).unwrap().to_owned();
    assert_eq!(lines[0], format!("{me} 10.0.0.1:7000@17000 myself,master - 0 0 1 connected 0-99"));
    assert_eq!(
        lines[1],
        format!("{a} 10.0.0.9:7010@17010 master - 0 {} 5 connected 100-16383", pong(lines[1]))
    );
    assert_eq!(lines[2], format!("{b} 10.0.0.9:7011@17011 slave {a} 0 {} 5 connected", pong(lines[2])));
    assert_eq!(lines.len(), 4);
    assert!(text.ends_with("connected\n"));
}

#[test]
fn info_has_the_lines_of_redis_in_their_order() {
    let mut stage = stage();
    let text = stage.cluster.info_text();
    let expected = "cluster_state:fail\r\ncluster_slots_assigned:16384\r\ncluster_slots_ok:16384\r\n\
        cluster_slots_pfail:0\r\ncluster_slots_fail:0\r\ncluster_known_nodes:4\r\ncluster_size:2\r\n\
        cluster_current_epoch:5\r\ncluster_my_epoch:1\r\ncluster_stats_messages_pong_sent:3\r\n\
        cluster_stats_messages_meet_sent:3\r\ncluster_stats_messages_sent:6\r\ncluster_stats_messages_ping_received:3\r\n\
        cluster_stats_messages_pong_received:6\r\ncluster_stats_messages_received:9\r\n\
        total_cluster_links_buffer_limit_exceeded:0\r\n";
    assert_eq!(text, expected);
    stage.tick(2100);
    assert!(stage.cluster.info_text().starts_with("cluster_state:ok\r\n"));
}

#[test]
fn slots_have_their_owner_and_the_replicas_that_can_serve() {
    let mut stage = stage();
    let views = stage.cluster.slots();
    let text: Vec<String> = views
        .iter()
        .map(|view| {
            let nodes: Vec<String> = view
                .nodes
                .iter()
                .map(|node| format!("{}:{}", node.endpoint.as_deref().unwrap(), node.port))
                .collect();
            format!("{} {}", view.range, nodes.join(" "))
        })
        .collect();
    assert_eq!(text, ["0-99 10.0.0.1:7000", "100-16383 10.0.0.9:7010 10.0.0.9:7011"]);
    assert!(views.iter().all(|view| view.nodes.iter().all(|node| node.metadata.is_empty())));

    let preferring = |preferred_endpoint_type| Settings {
        preferred_endpoint_type,
        announce_hostname: Some("me.example".to_owned()),
        ..Settings { node_timeout_ms: 2000, client_port: 7000, ..Settings::default() }
    };
    stage.cluster.set_settings(preferring(EndpointType::Hostname), stage.now);
    let [mine, other] = &stage.cluster.slots()[..] else { panic!() };
    assert_eq!(mine.nodes[0].endpoint.as_deref(), Some("me.example"));
    assert_eq!(mine.nodes[0].metadata, [("ip", "10.0.0.1".to_owned())]);
    assert_eq!(other.nodes[0].endpoint.as_deref(), Some("?"));
    stage.cluster.set_settings(preferring(EndpointType::UnknownEndpoint), stage.now);
    let mine = &stage.cluster.slots()[0].nodes[0];
    assert_eq!((mine.endpoint.clone(), mine.metadata.len()), (None, 2));
    assert_eq!(stage.cluster.routing_map().nodes[0].endpoint, "");
}

#[test]
fn shards_gather_a_primary_and_its_replicas() {
    let mut stage = stage();
    stage.cluster.set_replication_offset(12);
    let shards = stage.cluster.shards();
    let text: Vec<String> = shards
        .iter()
        .map(|shard| {
            let nodes = shard.nodes.iter().map(|node| {
                let role = if node.is_replica { "replica" } else { "master" };
                format!("{} {role} {} {}", node.port, node.offset, node.health.as_str())
            });
            let ranges = shard.slots.iter().map(|range| range.to_string());
            format!("{} | {}", ranges.collect::<Vec<_>>().join(","), nodes.collect::<Vec<_>>().join(", "))
        })
        .collect();
    assert_eq!(
        text,
        [
            "0-99 | 7000 master 12 online",
            "100-16383 | 7010 master 3 online, 7011 replica 9 online, 7012 replica 0 loading"
        ]
    );
    let primary = stage.cluster.nodes_text().lines().nth(1).unwrap()[..40].to_owned();
    assert_eq!(primary, id('a').as_str());
    let witness = stage.join('d', |_| {});
    stage.say(&witness, witness.from, Body::Fail(Some(id('b'))));
    assert_eq!(stage.cluster.shards()[1].nodes[1].health, NodeHealth::Fail);
    assert_eq!(stage.cluster.slots()[1].nodes.len(), 1, "a failed replica is not offered");
}

#[test]
fn links_are_those_of_known_nodes() {
    let mut stage = stage();
    stage.stranger();
    let links = stage.cluster.links();
    assert_eq!(links.len(), 6);
    assert!(links.iter().all(|link| link.events == "r" && link.send_buffer_bytes == 0));
    assert_eq!(links.iter().filter(|link| link.direction == Direction::To).count(), 3);
    // A second link from a node replaces the first.
    let again = stage.stranger();
    stage.say_as(crate::puppet::header(id('a'), 7010), again, Body::Ping(Heartbeat::default()));
    assert_eq!(stage.cluster.links().len(), 6);
    stage.cluster.handle_link_writable_info(again, 5);
    assert_eq!(stage.cluster.links().iter().filter(|link| link.events == "rw").count(), 1);
}
