//! Stream commands: replies, what is logged, what waits.

use crate::testing::{TestNode, NOW_MS};
use crate::Wait;
use keyspace::ValueType;

#[test]
fn entries_are_added_and_logged_with_their_ids() {
    let mut node = TestNode::new();
    node.check_log("XADD s 5-* a 1 b 2", "XADD s 5-0 a 1 b 2");
    node.check_log("XADD s 5-* a 1", "XADD s 5-1 a 1");
    node.check_log("XADD s 6-0 a 1", "XADD s 6-0 a 1");
    node.check_log("XADD s MAXLEN 2 7-0 a 1", "XADD s MAXLEN 2 7-0 a 1");
    node.check_log("XADD s nomkstream MAXLEN = 2 8-* a 1", "XADD s NOMKSTREAM MAXLEN = 2 8-0 a 1");
    node.check_log("XADD s MAXLEN ~ 1 LIMIT 5 9-0 a 1", "XADD s MAXLEN = 3 9-0 a 1");
    node.check_log("XADD s MINID ~ 9 10-0 a 1", "XADD s MINID = 5-0 10-0 a 1");
    node.check_log("XADD s 10-0 a 1", "");
    node.check_log("XADD t NOMKSTREAM * a 1", "");
    node.check("EXISTS t", ":0");
    node.check("XLEN s", ":4");
}

#[test]
fn an_automatic_id_is_the_time() {
    let mut node = TestNode::new();
    node.check_log("XADD s * a 1", &format!("XADD s {NOW_MS}-0 a 1"));
    node.check_log("XADD s * a 1", &format!("XADD s {NOW_MS}-1 a 1"));
}

#[test]
fn trimming_is_logged_as_what_it_did() {
    let mut node = TestNode::new();
    node.configure("stream-node-max-entries", "2");
    for id in 1..=9 {
        node.run(&format!("XADD s {id} a 1"));
    }
    node.check_log("XTRIM s MAXLEN ~ 20", "");
    node.check_log("XTRIM s MAXLEN ~ 6", "XTRIM s MAXLEN = 7");
    node.check_log("XTRIM s MINID ~ 6", "XTRIM s MINID = 5-0");
    node.check_log("XTRIM s MINID 6", "XTRIM s MINID 6");
    node.check_log("XTRIM s MAXLEN 1", "XTRIM s MAXLEN 1");
    assert_eq!(node.dirty("XTRIM s MAXLEN 0"), 1);
    node.check_log("XTRIM s MAXLEN 0", "");
    node.check("TYPE s", "+stream");
}

#[test]
fn a_long_stream_is_trimmed_and_keeps_its_expiry() {
    let mut node = TestNode::new();
    for id in 1..=20_000 {
        node.run(&format!("XADD s {id} a 1"));
    }
    node.run("EXPIRE s 1000");
    node.check("XTRIM s MAXLEN 1", ":19999");
    node.check("TTL s", ":1000");
    node.check("XRANGE s - +", "*1 *2 $7 20000-0 *2 $1 a $1 1");
}

/// A stream of three entries with a group.
fn grouped() -> TestNode {
    let mut node = TestNode::new();
    for line in ["XADD s 1 a 1", "XADD s 2 b 2", "XADD s 3 c 3", "XGROUP CREATE s g 0"] {
        node.run(line);
    }
    node
}

/// What is logged of one delivery at `now`.
fn claim(consumer: &str, id: u64, count: u64, last: u64) -> String {
    format!("XCLAIM s g {consumer} 0 {id}-0 TIME {NOW_MS} RETRYCOUNT {count} FORCE JUSTID LASTID {last}-0")
}

#[test]
fn deliveries_are_logged_one_by_one() {
    let mut node = grouped();
    let two = [claim("c", 1, 1, 1), claim("c", 2, 1, 2)].join(" ; ");
    node.check_log("XREADGROUP GROUP g c COUNT 2 STREAMS s >", &two);
    assert_eq!(node.dirty("XREADGROUP GROUP g c STREAMS s >"), 1);
    // Nothing is new; what was given before is not told again.
    node.check_log("XREADGROUP GROUP g c STREAMS s >", "");
    node.check_log("XREADGROUP GROUP g c STREAMS s 0", "");
    node.check_log("XREADGROUP GROUP g d STREAMS s >", "XGROUP CREATECONSUMER s g d");
    node.check_log("XREADGROUP GROUP g e STREAMS s 0", "XGROUP CREATECONSUMER s g e");
}

#[test]
fn deliveries_without_acknowledgement_move_the_group() {
    let mut node = grouped();
    node.check_log(
        "XREADGROUP GROUP g c COUNT 2 NOACK STREAMS s >",
        "XGROUP SETID s g 2-0 ENTRIESREAD 2 ; XGROUP CREATECONSUMER s g c",
    );
    node.check_log("XREADGROUP GROUP g c NOACK STREAMS s >", "XGROUP SETID s g 3-0 ENTRIESREAD 3");
    node.check("XPENDING s g", "*4 :0 $-1 $-1 *-1");
}

#[test]
fn claims_are_logged_as_they_are() {
    let mut node = grouped();
    node.run("XREADGROUP GROUP g c STREAMS s >");
    node.check_log("XCLAIM s g d 0 2", &claim("d", 2, 2, 3));
    node.check_log("XCLAIM s g d 0 2 JUSTID", &claim("d", 2, 2, 3));
    node.check_log("XCLAIM s g d 1 2", "");
    node.check_log("XCLAIM s g e 1 2", "XGROUP CREATECONSUMER s g e");
    node.check_log("XCLAIM s g d 0 9 LASTID 7", "XGROUP SETID s g 7-0 ENTRIESREAD 3");
    node.run("XDEL s 3");
    // It was the other consumer's, and is nobody's from now on.
    node.check_log("XCLAIM s g d 0 3", &claim("c", 3, 1, 7));
    node.check("XCLAIM s g d 0 3", "*0");
    node.check_log("XAUTOCLAIM s g d 0 0 COUNT 1", &claim("d", 1, 2, 7));
    node.check_log("XAUTOCLAIM s g f 1 0", "XGROUP CREATECONSUMER s g f");
}

#[test]
fn claims_may_say_when_and_how_often() {
    let mut node = grouped();
    node.run("XREADGROUP GROUP g c STREAMS s >");
    node.check("XCLAIM s g d 0 1 IDLE 5000 RETRYCOUNT 7 JUSTID", "*1 $3 1-0");
    node.check_ours("XPENDING s g IDLE 5000 - + 10", "*1 *4 $3 1-0 $1 d :5000 :7");
    node.check("XPENDING s g IDLE 5001 - + 10", "*0");
    // A time to come counts as now.
    node.run(&format!("XCLAIM s g d 0 1 TIME {}", NOW_MS + 1));
    node.check_ours("XPENDING s g - + 1 d", "*1 *4 $3 1-0 $1 d :0 :8");
    node.sleep(30);
    node.check("XPENDING s g - (2-0 10", "*1 *4 $3 1-0 $1 d :30 :8");
}

#[test]
fn what_is_gone_is_named_by_xautoclaim() {
    let mut node = grouped();
    node.run("XREADGROUP GROUP g c STREAMS s >");
    node.run("XDEL s 2");
    node.check(
        "XREADGROUP GROUP g c COUNT 2 STREAMS s 1",
        "*1 *2 $1 s *2 *2 $3 2-0 *-1 *2 $3 3-0 *2 $1 c $1 3",
    );
    node.check("XAUTOCLAIM s g d 0 - COUNT 2 JUSTID", "*3 $3 3-0 *1 $3 1-0 *1 $3 2-0");
    node.check("XAUTOCLAIM s g d 0 3", "*3 $3 0-0 *1 *2 $3 3-0 *2 $1 c $1 3 *0");
    node.check("XPENDING s g", "*4 :2 $3 1-0 $3 3-0 *1 *2 $1 d $1 2");
}

#[test]
fn maps_are_maps_in_resp3() {
    let mut node = TestNode::resp3();
    node.run("XADD s 1 a 1");
    node.check("XREAD STREAMS s 0", "%1 $1 s *1 *2 $3 1-0 *2 $1 a $1 1");
    node.check("XREAD STREAMS s 1", "_");
    node.run("XGROUP CREATE s g $");
    node.check(
        "XINFO GROUPS s",
        "*1 %6 $4 name $1 g $9 consumers :0 $7 pending :0 $17 last-delivered-id $3 1-0 $12 entries-read _ \
         $3 lag :0",
    );
    node.check("XPENDING s g", "*4 :0 _ _ _");
    node.run("XADD s 2 a 1");
    node.check("XREADGROUP GROUP g c STREAMS s >", "%1 $1 s *1 *2 $3 2-0 *2 $1 a $1 1");
}

fn wait(keys: &[&str], on_deletion: bool, until_ms: Option<u64>) -> Wait {
    let keys = keys.iter().map(|key| key.as_bytes().to_vec()).collect();
    Wait { keys, wants: ValueType::Stream, on_deletion, until_ms, replaced: Vec::new() }
}

#[test]
fn xread_waits_for_what_comes_after_its_ids() {
    let mut node = TestNode::new();
    node.run("XADD s 5 a 1");
    assert_eq!(node.run("XREAD BLOCK 100 STREAMS t s $ 5"), "");
    let replaced = vec![(6, b"0-0".to_vec())];
    let until_ms = Some(NOW_MS + 100);
    assert_eq!(node.waiting.take(), Some(Wait { replaced, ..wait(&["t", "s"], false, until_ms) }));
    assert_eq!(node.run("XREAD BLOCK 0 STREAMS s $"), "");
    let replaced = vec![(5, b"5-0".to_vec())];
    assert_eq!(node.waiting.take(), Some(Wait { replaced, ..wait(&["s"], false, None) }));
    // What is there is not waited for.
    node.check_ours("XREAD BLOCK 0 STREAMS s t 4 0", "*1 *2 $1 s *1 *2 $3 5-0 *2 $1 a $1 1");
    assert_eq!(node.waiting, None);
}

#[test]
fn xreadgroup_waits_and_says_nothing_meanwhile() {
    let mut node = grouped();
    node.run("XGROUP SETID s g $");
    node.check_log("XREADGROUP GROUP g c BLOCK 0 STREAMS s >", "");
    assert_eq!(node.waiting.take(), Some(wait(&["s"], true, None)));
    // The consumer is there already.
    node.check_ours("XGROUP CREATECONSUMER s g c", ":0");
    // History never waits.
    node.check_ours("XREADGROUP GROUP g c BLOCK 0 STREAMS s 0", "*1 *2 $1 s *0");
    assert_eq!(node.waiting, None);
    node.run("XADD s 4 a 1");
    node.check_log("XREADGROUP GROUP g c BLOCK 0 STREAMS s >", &claim("c", 4, 1, 4));
}

#[test]
fn a_consumer_made_while_it_waited_is_told_when_it_is_served() {
    let mut node = grouped();
    node.run("XGROUP SETID s g $");
    node.check_log("XREADGROUP GROUP g c BLOCK 0 NOACK STREAMS s >", "");
    node.run("XADD s 4 a 1");
    node.check_log(
        "XREADGROUP GROUP g c BLOCK 0 NOACK STREAMS s >",
        "XGROUP SETID s g 4-0 ENTRIESREAD 4 ; XGROUP CREATECONSUMER s g c",
    );
}

#[test]
fn a_waiting_consumer_is_seen_once_a_second() {
    let mut node = grouped();
    node.run("XGROUP SETID s g $");
    let idle = |node: &mut TestNode| {
        let told = node.run("XINFO CONSUMERS s g");
        told.split(':').nth(2).expect("three numbers").split(' ').next().map(str::to_string)
    };
    node.run("XREADGROUP GROUP g c BLOCK 0 STREAMS s >");
    node.sleep(999);
    node.run("XREADGROUP GROUP g c BLOCK 0 STREAMS s >");
    assert_eq!(idle(&mut node).as_deref(), Some("999"));
    node.run("XREADGROUP GROUP g c STREAMS s >");
    assert_eq!(idle(&mut node).as_deref(), Some("0"));
    node.sleep(1_000);
    node.run("XREADGROUP GROUP g c BLOCK 0 STREAMS s >");
    assert_eq!(idle(&mut node).as_deref(), Some("0"));
}

#[test]
fn groups_come_and_go() {
    let mut node = TestNode::new();
    node.check_log("XGROUP CREATE s g $", "");
    node.check("EXISTS s", ":0");
    node.check_log("XGROUP CREATE s g $ MKSTREAM", "XGROUP CREATE s g $ MKSTREAM");
    node.check("XGROUP CREATE s g $", "-BUSYGROUP Consumer Group name already exists");
    node.check_log("XGROUP CREATECONSUMER s g c", "XGROUP CREATECONSUMER s g c");
    node.check_log("XGROUP CREATECONSUMER s g c", "");
    node.check_log("XGROUP DELCONSUMER s g c", "XGROUP DELCONSUMER s g c");
    node.check_log("XGROUP DELCONSUMER s g c", "");
    node.check_log("XGROUP DESTROY s g", "XGROUP DESTROY s g");
    node.check_log("XGROUP DESTROY s g", "");
    node.check("TYPE s", "+stream");
}

#[test]
fn a_large_group_is_destroyed_and_its_stream_stays() {
    let mut node = TestNode::new();
    for id in 1..=5_000 {
        node.run(&format!("XADD s {id} a 1"));
    }
    node.run("XGROUP CREATE s g 0");
    node.run("XREADGROUP GROUP g c STREAMS s >");
    node.check("XGROUP DESTROY s g", ":1");
    node.check("XLEN s", ":5000");
    node.check("XINFO GROUPS s", "*0");
}

#[test]
fn texts_of_7_2_where_7_0_says_less() {
    let mut node = TestNode::new();
    node.check_ours(
        "XREAD STREAMS s t 0",
        "-ERR Unbalanced 'xread' list of streams: for each stream key an ID or '$' must be specified.",
    );
    node.check_ours(
        "XREADGROUP GROUP g c STREAMS s t >",
        "-ERR Unbalanced 'xreadgroup' list of streams: for each stream key an ID or '>' must be specified.",
    );
}
