use crate::puppet::{id, log, sent, slots, Puppet, Stage, TIMEOUT};
use cluster::codec::{Body, ClaimedRole};
use cluster::{Cluster, MessageFlags, NodeFlags, Output};

/// A primary with slots 100 to 199 and epoch 5, a replica of it, and a third node.
fn shard() -> (Stage, Puppet, Puppet, Puppet) {
    let mut stage = Stage::new();
    let primary = stage.join('a', |header| {
        header.slots = slots(100..200);
        header.config_epoch = 5;
        header.current_epoch = 5;
    });
    let replica = |header: &mut cluster::codec::Header| {
        header.role = ClaimedRole::Replica { of: Some(id('a')) };
        header.flags = NodeFlags::MYSELF.with(NodeFlags::SLAVE);
        header.slots = slots(100..200);
        header.config_epoch = 5;
        header.current_epoch = 6;
    };
    let one = stage.join('b', replica);
    let other = stage.join('c', replica);
    (stage, primary, one, other)
}

fn fail(stage: &mut Stage, witness: &Puppet, victim: &Puppet) {
    stage.say(witness, witness.from, Body::Fail(Some(victim.id)));
    assert_eq!(stage.line(&victim.id)[2], "master,fail");
}

fn is_granted(outputs: &[Output]) -> bool {
    sent(outputs).iter().any(|(_, message)| message.body == Body::AuthAck)
}

#[test]
fn a_vote_is_on_disk_before_it_leaves() {
    let (mut stage, primary, one, _) = shard();
    fail(&mut stage, &one, &primary);
    let outputs = stage.say(&one, one.from, Body::AuthRequest);
    let place =
        |wanted: &dyn Fn(&Output) -> bool| outputs.iter().position(wanted).expect("it is among the outputs");
    let saved = place(&|output| match output {
        Output::Save { fsync, text, .. } => {
            *fsync && text.ends_with(b"vars currentEpoch 6 lastVoteEpoch 6\n")
        }
        _ => false,
    });
    let acked = place(&|output| matches!(output, Output::Send { link, .. } if *link == one.to));
    assert!(saved < acked && is_granted(&outputs));
    let ack = &sent(&outputs)[0].1;
    assert_eq!((ack.header.current_epoch, ack.encode().len()), (6, 2256));
}

#[test]
fn one_vote_an_epoch_and_it_survives_a_restart() {
    let (mut stage, primary, one, other) = shard();
    fail(&mut stage, &one, &primary);
    assert!(is_granted(&stage.say(&one, one.from, Body::AuthRequest)));
    for puppet in [&one, &other] {
        let outputs = stage.say(puppet, puppet.from, Body::AuthRequest);
        assert!(!is_granted(&outputs) && log(&outputs).contains("already voted for epoch 6"));
    }
    let save = stage.cluster.save_config(stage.now);
    let text = stage.outputs().into_iter().find_map(|output| match output {
        Output::Save { version, text, .. } if version == save => Some(text),
        _ => None,
    });
    let again = Cluster::load(&text.unwrap(), stage.cluster.settings().clone(), 1, stage.now).unwrap();
    assert_eq!(again.current_epoch(), 6);
    stage.cluster = again;
    stage.cluster.handle_routing_applied(stage.now, 1);
    stage.outputs();
    stage.tick(200);
    let link = stage.stranger();
    let outputs = stage.say_as(other.header.clone(), link, Body::AuthRequest);
    assert!(log(&outputs).contains("already voted for epoch 6"), "{}", log(&outputs));
}

#[test]
fn a_primary_that_is_up_is_replaced_only_by_a_manual_failover() {
    let (mut stage, _, mut one, _) = shard();
    let outputs = stage.say(&one, one.from, Body::AuthRequest);
    assert!(!is_granted(&outputs) && log(&outputs).contains("its master is up"));
    one.header.message_flags = MessageFlags::FORCEACK;
    assert!(is_granted(&stage.say(&one, one.from, Body::AuthRequest)));
}

#[test]
fn one_vote_per_primary_and_two_timeouts() {
    let (mut stage, primary, one, mut other) = shard();
    fail(&mut stage, &one, &primary);
    assert!(is_granted(&stage.say(&one, one.from, Body::AuthRequest)));
    other.header.current_epoch = 7;
    let outputs = stage.say(&other, other.from, Body::AuthRequest);
    assert!(!is_granted(&outputs) && log(&outputs).contains("can't vote about this master before"));
    stage.now += 2 * TIMEOUT;
    let outputs = stage.say(&other, other.from, Body::AuthRequest);
    assert!(is_granted(&outputs), "{}", log(&outputs));
}

#[test]
fn old_epochs_primaries_and_outdated_claims_are_refused() {
    let (mut stage, primary, one, mut other) = shard();
    fail(&mut stage, &one, &primary);
    let mut ahead = one.clone();
    ahead.header.current_epoch = 9;
    stage.say(&ahead, ahead.from, Body::Fail(None));
    let outputs = stage.say(&one, one.from, Body::AuthRequest);
    assert!(!is_granted(&outputs) && log(&outputs).contains("reqEpoch (6) < curEpoch(9)"));

    let mut as_primary = primary.clone();
    as_primary.header.current_epoch = 9;
    let outputs = stage.say(&as_primary, as_primary.from, Body::AuthRequest);
    assert!(!is_granted(&outputs) && log(&outputs).contains("it is a master node"));

    other.header.current_epoch = 9;
    other.header.config_epoch = 4;
    let outputs = stage.say(&other, other.from, Body::AuthRequest);
    assert!(!is_granted(&outputs) && log(&outputs).contains("slot 100 epoch (5) > reqEpoch (4)"));
}

#[test]
fn a_primary_without_slots_has_no_vote() {
    let (mut stage, primary, one, _) = shard();
    fail(&mut stage, &one, &primary);
    stage.cluster.flush_slots(stage.now, false).unwrap();
    stage.outputs();
    let outputs = stage.say(&one, one.from, Body::AuthRequest);
    assert!(!is_granted(&outputs));
    assert!(!outputs.iter().any(|output| matches!(output, Output::Save { .. })));
}
