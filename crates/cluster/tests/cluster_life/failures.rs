use crate::world::{World, NODE_TIMEOUT};

/// From silence to FAIL everywhere: a ping at the latest half a timeout after the last one, a
/// timeout for it, and a few rounds of gossip.
const DETECTION: u64 = NODE_TIMEOUT + NODE_TIMEOUT / 2 + 2000;

fn all_say_fail(world: &World, observers: &[usize], id: &str) -> bool {
    observers.iter().all(|&index| world.flags(index, id) == "master,fail")
}

#[test]
fn a_killed_primary_is_suspected_and_then_failed_by_all() {
    for count in 3..=7 {
        let mut world = World::formed(count);
        let victim = count - 1;
        let id = world.id(victim);
        let others: Vec<usize> = (0..victim).collect();
        world.kill(victim);
        let suspected = world.run_until(DETECTION, "somebody suspects it", |world| {
            others.iter().any(|&index| world.flags(index, &id).contains("fail"))
        });
        assert!(suspected >= NODE_TIMEOUT, "after {suspected} ms already");
        let failed = world.run_until(DETECTION, "all say FAIL", |world| all_say_fail(world, &others, &id));
        assert!(suspected + failed <= DETECTION, "after {} ms only", suspected + failed);
        world.run_until(500, "uncovered slots take the cluster down", |world| {
            others.iter().all(|&index| !world.is_ok(index))
        });
        let disk = String::from_utf8(world.members[0].disk.clone()).unwrap();
        assert!(disk.contains("master,fail "), "{disk}");
    }
}

#[test]
fn a_frozen_one_whose_sockets_stay_open_is_failed_too() {
    let mut world = World::formed(3);
    let id = world.id(2);
    world.freeze(2);
    world.run_until(DETECTION + NODE_TIMEOUT, "all say FAIL", |world| all_say_fail(world, &[0, 1], &id));
}

#[test]
fn a_stop_shorter_than_the_timeout_is_forgiven() {
    let mut world = World::formed(3);
    world.freeze(2);
    world.run_for(NODE_TIMEOUT - 300);
    world.thaw(2);
    world.run_while(3 * NODE_TIMEOUT, "nobody minds", |world| {
        world.all_ok(&[0, 1, 2]) && !world.node(0).nodes_text().contains("fail")
    });
}

#[test]
fn one_that_swallows_even_connections_is_failed_too() {
    let mut world = World::formed(3);
    let id = world.id(2);
    world.kill(2);
    world.cut(&[0, 1], &[2]);
    world.start(2);
    world.run_until(DETECTION + NODE_TIMEOUT, "all say FAIL", |world| all_say_fail(world, &[0, 1], &id));
}

#[test]
fn a_primary_that_returns_keeps_its_slots_and_is_taken_back_after_a_while() {
    let mut world = World::formed(3);
    let (id, slots) = (world.id(2), world.slots_of(0, &world.id(2)));
    world.kill(2);
    world.run_until(DETECTION, "all say FAIL", |world| all_say_fail(world, &[0, 1], &id));
    world.start(2);
    world.run_while(
        2 * NODE_TIMEOUT - 500,
        "it is not taken back at once: somebody might have been elected",
        |world| all_say_fail(world, &[0, 1], &id),
    );
    world.run_until(NODE_TIMEOUT + 2000, "it is taken back", |world| {
        (0..2).all(|index| world.flags(index, &id) == "master" && world.slots_of(index, &id) == slots)
    });
    world.run_until(3000, "all is well", |world| world.all_ok(&[0, 1, 2]) && world.agree(&[0, 1, 2]));
    assert!(world.members[0].log.contains("nobody is serving its slots after some time"));
}

#[test]
fn a_primary_without_slots_is_taken_back_at_once() {
    let mut world = World::formed(4);
    let id = world.id(3);
    world.with_node(3, |cluster, now| cluster.flush_slots(now, false).unwrap());
    // The others keep the slots bound to it until another claims them.
    let orphans = crate::world::share(3, 4);
    for index in 0..3 {
        world.with_node(index, |cluster, now| cluster.del_slots(now, &orphans).unwrap());
    }
    world.with_node(0, |cluster, now| cluster.add_slots(now, &orphans).unwrap());
    world.run_until(5000, "they are another's", |world| world.all_ok(&[0, 1, 2, 3]));
    world.kill(3);
    world.run_until(DETECTION + 2000, "all say FAIL", |world| all_say_fail(world, &[0, 1, 2], &id));
    assert!(world.all_ok(&[0, 1, 2]), "nobody misses it");
    world.start(3);
    world
        .run_until(1000, "it is taken back", |world| (0..3).all(|index| world.flags(index, &id) == "master"));
}

#[test]
fn a_minority_goes_down_and_the_majority_judges_it() {
    let mut world = World::formed(5);
    let ids: Vec<String> = (0..5).map(|index| world.id(index)).collect();
    world.cut(&[0, 1], &[2, 3, 4]);
    world.run_until(DETECTION + NODE_TIMEOUT, "the majority finds both failed", |world| {
        (2..5).all(|index| (0..2).all(|other| world.flags(index, &ids[other]) == "master,fail"))
    });
    assert!(!world.is_ok(0) && !world.is_ok(1));
    // Long enough for the two to tell each other whom they miss.
    world.run_for(2 * NODE_TIMEOUT);
    assert_eq!(world.node(0).count_failure_reports(world.now, ids[2].as_bytes()), Ok(1));
    assert!((0..2).all(|index| world.flags(index, &ids[2]) == "master,fail?"), "a minority can only suspect");

    world.heal();
    let back = world.run_until(6 * NODE_TIMEOUT, "all is well again", |world| {
        world.agree(&[0, 1, 2, 3, 4]) && world.all_ok(&[0, 1, 2, 3, 4])
    });
    assert!(back >= NODE_TIMEOUT, "the minority came back after {back} ms already: there is a rejoin delay");
}

#[test]
fn whoever_was_alone_waits_before_it_serves_again() {
    let mut world = World::formed(5);
    world.cut(&[0], &[1, 2, 3, 4]);
    world.run_until(DETECTION, "it finds itself alone", |world| !world.is_ok(0));
    world.heal();
    world.run_until(500, "it hears all of them", |world| !world.node(0).nodes_text().contains("fail"));
    world.run_while(NODE_TIMEOUT - 500, "somebody may have been elected", |world| !world.is_ok(0));
    world.run_until(1000, "nobody was", |world| world.is_ok(0));
}

#[test]
fn one_that_still_hears_the_victim_is_told_and_believes_it() {
    let mut world = World::formed(5);
    let id = world.id(4);
    world.cut(&[0, 1, 2], &[4]);
    world.run_until(DETECTION + NODE_TIMEOUT, "the one between them is told", |world| {
        world.flags(3, &id) == "master,fail"
    });
    assert!(world.members[3].log.contains("FAIL message received from"), "{}", world.members[3].log);
    assert!(world.line(3, &id).unwrap()[7] == "connected");
}

#[test]
fn two_that_cannot_hear_each_other_do_not_bring_either_down() {
    let mut world = World::formed(5);
    let (one, other) = (world.id(0), world.id(1));
    world.cut(&[0], &[1]);
    world.run_until(DETECTION + NODE_TIMEOUT, "they suspect each other", |world| {
        world.flags(0, &other) == "master,fail?" && world.flags(1, &one) == "master,fail?"
    });
    world.run_while(20_000, "nobody else does", |world| {
        world.all_ok(&[0, 1, 2, 3, 4]) && (2..5).all(|index| world.flags(index, &one) == "master")
    });
    let reports = |world: &World| {
        (2..5).map(|index| world.node(index).count_failure_reports(world.now, one.as_bytes()).unwrap()).max()
    };
    assert_eq!(reports(&world), Some(1));
    world.heal();
    world.run_until(5000, "they hear each other", |world| world.agree(&[0, 1, 2, 3, 4]));
    world.run_until(3 * NODE_TIMEOUT, "the reports are taken back", |world| reports(world) == Some(0));
}

#[test]
fn with_partial_coverage_the_rest_goes_on() {
    let mut world =
        World::with(3, |_| cluster::Settings { require_full_coverage: false, ..Default::default() });
    world.form();
    let id = world.id(2);
    world.kill(2);
    world.run_until(DETECTION, "all say FAIL", |world| all_say_fail(world, &[0, 1], &id));
    world.run_while(3000, "two of three go on", |world| world.all_ok(&[0, 1]));
    assert!(world.node(0).routing_map().owners.iter().all(|&owner| owner != cluster::UNASSIGNED));
}

#[test]
fn an_empty_node_is_down_and_one_with_all_slots_is_up_after_two_seconds() {
    let mut world = World::new(2);
    world.with_node(1, |cluster, now| cluster.add_slots(now, &crate::world::share(0, 1)).unwrap());
    world.run_for(10);
    world.run_while(1900, "it waits before it serves", |world| !world.is_ok(1));
    world.run_until(1000, "it serves", |world| world.is_ok(1));
    assert!(!world.is_ok(0));
}
