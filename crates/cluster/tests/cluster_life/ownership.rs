use crate::world::{share, World, NODE_TIMEOUT};
use cluster::UNASSIGNED;
use slot::Slot;
use std::collections::BTreeSet;

#[test]
fn primaries_with_equal_epochs_end_with_different_ones() {
    let mut world = World::new(5);
    for index in 0..5 {
        world.with_node(index, |cluster, now| {
            cluster.set_config_epoch(now, 3).unwrap();
            cluster.add_slots(now, &share(index, 5)).unwrap();
        });
    }
    for index in 1..5 {
        world.meet(index, 0);
    }
    let epochs = |world: &World| -> BTreeSet<u64> {
        (0..5).map(|index| world.node(index).my_config_epoch()).collect()
    };
    world.run_until(30_000, "five epochs", |world| epochs(world).len() == 5 && world.agree(&[0, 1, 2, 3, 4]));
    let greatest = (0..5).max_by_key(|&index| world.id(index)).unwrap();
    assert_eq!(world.node(greatest).my_config_epoch(), 3, "the greatest name never moves");
    let settled = epochs(&world);
    world.run_for(10_000);
    assert_eq!(epochs(&world), settled);
    for index in 0..5 {
        let disk = String::from_utf8(world.members[index].disk.clone()).unwrap();
        let epoch = format!(" {} connected", world.node(index).my_config_epoch());
        assert!(disk.contains(&epoch), "the new epoch is on disk: {disk}");
    }
}

#[test]
fn a_bumped_epoch_is_known_everywhere() {
    let mut world = World::formed(3);
    let id = world.id(0);
    assert_eq!(world.with_node(0, |cluster, now| cluster.bump_epoch(now)), (true, 4));
    assert_eq!(world.with_node(0, |cluster, now| cluster.bump_epoch(now)), (false, 4));
    world.run_until(5000, "all know", |world| {
        (0..3)
            .all(|index| world.line(index, &id).unwrap()[6] == "4" && world.node(index).current_epoch() == 4)
    });
}

#[test]
fn slots_are_claimed_only_when_the_cores_serve_them() {
    let mut world = World::new(2);
    world.meet(0, 1);
    world.run_until(2000, "they meet", |world| world.agree(&[0, 1]));
    world.members[0].applies_routing = false;
    let id = world.id(0);
    let version = world.with_node(0, |cluster, now| cluster.add_slots(now, &share(0, 2)).unwrap());
    world.run_while(5000, "nobody is told", |world| world.slots_of(1, &id).is_empty());
    assert_eq!(world.slots_of(0, &id), "0-8191");
    world.with_node(0, |cluster, now| cluster.handle_routing_applied(now, version));
    world.run_until(5000, "now they are", |world| world.slots_of(1, &id) == "0-8191");
}

#[test]
fn a_stale_owner_is_corrected_and_drops_the_keys() {
    let mut world = World::formed(3);
    let (away, taker) = (world.id(0), world.id(1));
    world.cut(&[0], &[1, 2]);
    world.run_for(4 * NODE_TIMEOUT);
    // While it is away an operator gives its slots to another, under a newer epoch.
    let slots = share(0, 3);
    world.with_node(1, |cluster, now| {
        cluster.del_slots(now, &slots).unwrap();
        cluster.add_slots(now, &slots).unwrap();
        assert!(cluster.bump_epoch(now).0);
    });
    world.run_until(10_000, "the third knows", |world| world.slots_of(2, &away).is_empty());
    world.heal();
    world.run_until(6 * NODE_TIMEOUT, "it gives way", |world| {
        world.agree(&[0, 1, 2]) && world.all_ok(&[0, 1, 2]) && world.slots_of(0, &away).is_empty()
    });
    assert_eq!(world.slots_of(0, &taker), "0-10921");
    assert_eq!(world.members[0].dropped.len(), slots.len(), "keys that are another's are dropped");
    assert!(world.members[0].log.contains("it cannot replicate yet"), "{}", world.members[0].log);
    assert_eq!(world.flags(0, &away), "myself,master");
}

#[test]
fn a_slot_given_up_stays_with_its_owner_until_another_claims_it() {
    let mut world = World::formed(3);
    let (giver, taker) = (world.id(0), world.id(1));
    let slot = [Slot::new(100).unwrap()];
    world.with_node(0, |cluster, now| cluster.del_slots(now, &slot).unwrap());
    world.run_for(3000);
    assert_eq!(world.slots_of(0, &giver), "0-99 101-5460");
    assert_eq!(world.slots_of(1, &giver), "0-5460", "others redirect to the old owner still");
    world.with_node(1, |cluster, now| {
        cluster.del_slots(now, &slot).unwrap();
        cluster.add_slots(now, &slot).unwrap();
    });
    world.run_until(5000, "all agree on the new owner", |world| {
        world.agree(&[0, 1, 2]) && world.slots_of(2, &taker) == "100 5461-10921"
    });
}

#[test]
fn a_slot_claimed_again_is_no_longer_free_to_take() {
    let mut world = World::formed(3);
    let giver = world.id(2);
    let slot = [Slot::new(16000).unwrap()];
    world.with_node(2, |cluster, now| cluster.del_slots(now, &slot).unwrap());
    world.run_for(3000);
    world.with_node(2, |cluster, now| cluster.add_slots(now, &slot).unwrap());
    world.run_for(3000);
    // Another one, which does not hear the owner, now tries to take it under an older epoch.
    world.cut(&[0], &[2]);
    world.with_node(0, |cluster, now| {
        cluster.del_slots(now, &slot).unwrap();
        cluster.add_slots(now, &slot).unwrap();
    });
    let claimant = world.id(0);
    assert_eq!(world.slots_of(0, &claimant), "0-5460 16000");
    world.run_while(1800, "the third stays with the owner", |world| {
        world.slots_of(1, &giver) == "10922-16383"
    });
    world.heal();
    world.run_for(3000);
    assert!(world.agree(&[0, 1, 2]), "{}", world.describe());
}

#[test]
fn the_routing_map_says_what_the_table_says() {
    let world = World::formed(3);
    for index in 0..3 {
        let map = world.node(index).routing_map();
        assert_eq!(map.mine.iter().collect::<Vec<_>>(), share(index, 3));
        assert_eq!(map.nodes.len(), 3);
        for owner in 0..3 {
            for slot in share(owner, 3) {
                let node = map.owner(slot).unwrap();
                assert_eq!((node.id.to_string(), node.is_myself), (world.id(owner), owner == index));
                assert_eq!((node.endpoint.as_str(), node.port), (world.members[owner].ip.as_str(), 7000));
            }
        }
        assert!(map.owners.iter().all(|&owner| owner != UNASSIGNED));
        assert_eq!(world.node(index).applied_routing_version(), map.version);
    }
}
