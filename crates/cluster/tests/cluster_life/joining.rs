use crate::world::{World, NODE_TIMEOUT};
use cluster::{EndpointType, Settings};

#[test]
fn clusters_of_three_to_seven_form_and_agree() {
    for count in 3..=7 {
        let mut world = World::formed(count);
        let members: Vec<usize> = (0..count).collect();
        for index in 0..count {
            let epoch = &world.line(0, &world.id(index)).unwrap()[6];
            assert_eq!(*epoch, (index + 1).to_string(), "epochs set by hand are kept");
        }
        world.run_while(10_000, "nothing disturbs it", |world| {
            world.agree(&members) && world.all_ok(&members)
        });
    }
}

#[test]
fn two_nodes_meet_and_learn_their_own_addresses() {
    let mut world = World::new(2);
    world.run_for(200);
    world.meet(0, 1);
    world.run_until(1000, "both know each other", |world| world.agree(&[0, 1]));
    assert_eq!(world.line(0, &world.id(0)).unwrap()[1], "10.0.0.1:7000@17000");
    assert_eq!(world.line(1, &world.id(1)).unwrap()[1], "10.0.0.2:7000@17000");
    assert_eq!(world.flags(0, &world.id(1)), "master");
}

#[test]
fn meeting_again_or_oneself_changes_nothing() {
    let mut world = World::formed(3);
    world.meet(0, 1);
    world.meet(2, 2);
    world.run_for(NODE_TIMEOUT + 2000);
    assert!(world.agree(&[0, 1, 2]), "{}", world.describe());
}

#[test]
fn a_handshake_with_nobody_is_given_up() {
    let mut world = World::formed(3);
    world.with_node(0, |cluster, now| cluster.meet(now, b"10.9.9.9", 7000, None).unwrap());
    world.run_for(500);
    assert!(world.node(0).nodes_text().contains("handshake"));
    assert!(!world.node(1).nodes_text().contains("10.9.9.9"), "nobody is told of it");
    world.run_for(NODE_TIMEOUT + 200);
    assert!(world.agree(&[0, 1, 2]), "{}", world.describe());
}

#[test]
fn names_and_shards_spread_and_are_cleared_when_no_longer_announced() {
    let mut world = World::with(3, |index| Settings {
        announce_hostname: Some(format!("host-{index}.example")),
        announce_human_nodename: (index == 1).then(|| "bertha".to_owned()),
        ..Settings::default()
    });
    world.form();
    assert_eq!(world.line(0, &world.id(1)).unwrap()[1], "10.0.0.2:7000@17000,host-1.example");
    world.run_until(5000, "the shard and the name are on disk", |world| {
        let disk = String::from_utf8(world.members[0].disk.clone()).unwrap();
        let shard = world.node(1).my_shard_id();
        disk.contains(&format!(",host-1.example,tls-port=0,nodename=bertha,shard-id={shard} master"))
    });
    world.with_node(1, |cluster, now| {
        cluster.set_settings(Settings { announce_hostname: None, ..cluster.settings().clone() }, now);
    });
    world.run_until(5000, "the host name is gone", |world| {
        world.line(0, &world.id(1)).unwrap()[1] == "10.0.0.2:7000@17000"
    });
    world.with_node(0, |cluster, now| {
        let preferred_endpoint_type = EndpointType::Hostname;
        cluster.set_settings(Settings { preferred_endpoint_type, ..cluster.settings().clone() }, now);
    });
    let map = world.node(0).routing_map();
    let endpoints: Vec<&str> = map.nodes.iter().map(|node| node.endpoint.as_str()).collect();
    assert!(
        map.nodes[0].is_myself && endpoints[0] == "host-0.example" && endpoints.contains(&"?"),
        "{endpoints:?}"
    );
}

#[test]
fn forgetting_on_one_node_is_enough_and_lasts_a_minute() {
    let mut world = World::formed(4);
    let id = world.id(3);
    world.kill(3);
    world.with_node(0, |cluster, now| cluster.forget(now, id.as_bytes()).unwrap());
    let known_by = |world: &World| (0..3).filter(|&index| world.line(index, &id).is_some()).count();
    world.run_until(10_000, "the others forget it too", |world| known_by(world) == 0);
    world.with_node(0, |cluster, now| {
        cluster.forget(now, id.as_bytes()).expect("forgotten already is no error")
    });
    assert!(!world.is_ok(0) || !world.is_ok(1), "its slots have no owner any more");

    // It comes back and knows them all, but they do not take it back by gossip.
    world.start(3);
    world.run_while(50_000, "it stays forgotten", |world| known_by(world) == 0);
    world.run_for(30_000);
    world.with_node(0, |cluster, now| {
        assert_eq!(cluster.forget(now, id.as_bytes()).unwrap_err().to_string(), format!("Unknown node {id}"));
    });
    world.meet(0, 3);
    world.run_until(10_000, "it is met again", |world| known_by(world) == 3 && world.all_ok(&[0, 1, 2, 3]));
}

#[test]
fn a_node_that_comes_back_at_another_address_is_found() {
    let mut world = World::formed(3);
    let id = world.id(2);
    world.kill(2);
    world.members[2].ip = "10.0.1.77".to_owned();
    world.start(2);
    world.run_until(10_000, "it has moved", |world| {
        (0..2).all(|index| world.line(index, &id).unwrap()[1] == "10.0.1.77:7000@17000")
    });
    world.run_until(20_000, "all is well", |world| world.all_ok(&[0, 1, 2]));
}

#[test]
fn an_address_that_answers_in_another_name_is_lost() {
    let mut world = World::formed(3);
    let id = world.id(2);
    world.with_node(2, |cluster, now| cluster.reset(now, true, false).unwrap());
    assert_ne!(world.id(2), id);
    world.run_until(10_000, "nobody is there by that name", |world| {
        (0..2).all(|index| {
            world.flags(index, &id).contains("noaddr") && world.line(index, &id).unwrap()[1] == ":0@0"
        })
    });
}

#[test]
fn a_restarted_node_knows_everything_again() {
    let mut world = World::formed(5);
    let (id, slots) = (world.id(4), world.slots_of(0, &world.id(4)));
    world.kill(4);
    world.run_for(300);
    world.start(4);
    world.run_while(1900, "it waits before it serves", |world| !world.is_ok(4));
    world.run_until(5000, "it serves", |world| world.is_ok(4) && world.agree(&[0, 1, 2, 3, 4]));
    assert_eq!((world.id(4), world.slots_of(4, &id)), (id, slots));
}

#[test]
fn until_the_data_cores_have_a_map_a_node_keeps_to_itself() {
    let mut world = World::formed(3);
    let (id, slots) = (world.id(2), world.slots_of(0, &world.id(2)));
    world.kill(2);
    world.members[2].applies_routing = false;
    world.start(2);
    world.run_for(1000);
    assert_eq!(world.slots_of(0, &id), slots);
    assert_eq!(world.node(2).links().len(), 0);
    assert_eq!(world.line(0, &id).unwrap()[7], "disconnected");
    let version = world.node(2).routing_version();
    world.with_node(2, |cluster, now| cluster.handle_routing_applied(now, version));
    world.run_until(5000, "it joins", |world| world.agree(&[0, 1, 2]) && world.is_ok(2));
}
