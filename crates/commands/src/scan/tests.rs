//! The expectations are Redis 7.0.15's, asked by the harness; see `testing.rs`.

use crate::testing::TestNode;
use slot::Slot;
use std::collections::BTreeMap;

#[test]
fn arguments_are_refused_in_order() {
    let mut node = TestNode::new();
    node.check("SET k v", "+OK");
    for (line, reply) in [
        ("SCAN", "-ERR wrong number of arguments for 'scan' command"),
        ("SCAN x", "-ERR invalid cursor"),
        ("SCAN 1x", "-ERR invalid cursor"),
        ("SCAN \" 0\"", "-ERR invalid cursor"),
        ("SCAN -", "-ERR invalid cursor"),
        ("SCAN 18446744073709551616", "-ERR invalid cursor"),
        ("SCAN x COUNT x", "-ERR invalid cursor"),
        ("SCAN 0 COUNT x", "-ERR value is not an integer or out of range"),
        ("SCAN 0 COUNT 0", "-ERR syntax error"),
        ("SCAN 0 COUNT -1", "-ERR syntax error"),
        ("SCAN 0 COUNT", "-ERR syntax error"),
        ("SCAN 0 MATCH", "-ERR syntax error"),
        ("SCAN 0 FOO 1", "-ERR syntax error"),
        ("SCAN 0 COUNT 1 FOO", "-ERR syntax error"),
        ("SCAN 0", "*2 $1 0 *1 $1 k"),
        ("SCAN +0", "*2 $1 0 *1 $1 k"),
        ("SCAN -0", "*2 $1 0 *1 $1 k"),
        ("SCAN \"\"", "*2 $1 0 *1 $1 k"),
        ("SCAN 0 count 9223372036854775807", "*2 $1 0 *1 $1 k"),
        ("SCAN 0 MATCH * TYPE string COUNT 100", "*2 $1 0 *1 $1 k"),
        ("SCAN 0 MATCH x*", "*2 $1 0 *0"),
        ("SCAN 0 TYPE list", "*2 $1 0 *0"),
        ("SCAN 0 TYPE STRING", "*2 $1 0 *1 $1 k"),
        ("SCAN 0 TYPE nosuch", "*2 $1 0 *0"),
        ("KEYS", "-ERR wrong number of arguments for 'keys' command"),
        ("KEYS *", "*1 $1 k"),
        ("KEYS x*", "*0"),
        ("KEYS [j-l]", "*1 $1 k"),
    ] {
        node.check(line, reply);
    }
    // Past every slot, as a client may count.
    node.check_ours("SCAN 18446744073709551615", "*2 $1 0 *0");
    node.check_ours("SCAN -1", "*2 $1 0 *0");
}

/// All keys of an iteration, and how often each was returned.
fn iterate(node: &mut TestNode, options: &str) -> BTreeMap<String, usize> {
    let (mut cursor, mut seen) = ("0".to_string(), BTreeMap::new());
    for step in 0.. {
        assert!(step < 100_000, "an iteration ends");
        let reply = node.run(&format!("SCAN {cursor} {options}"));
        let words: Vec<&str> = reply.split(' ').collect();
        cursor = words[2].to_string();
        for key in words[4..].chunks(2) {
            *seen.entry(key[1].to_string()).or_default() += 1;
        }
        if cursor == "0" {
            break;
        }
        assert!(cursor.parse::<u64>().expect("a number") < 1 << 53);
    }
    seen
}

#[test]
fn every_key_is_returned_once() {
    let mut node = TestNode::new();
    for i in 0..500 {
        node.run(&format!("SET key:{i} v"));
        node.run(&format!("SET {{one}}:{i} v"));
    }
    for options in ["", "COUNT 1", "COUNT 7", "COUNT 1000000"] {
        let seen = iterate(&mut node, options);
        assert_eq!(seen.len(), 1000, "{options}");
        assert!(seen.values().all(|times| *times == 1), "{options}");
    }
    let some = iterate(&mut node, "MATCH key:4?9 COUNT 3");
    assert_eq!(some.len(), 10);
    assert_eq!(node.run("KEYS key:4?9").split(' ').filter(|word| word.starts_with("key")).count(), 10);
}

#[test]
fn expired_keys_are_not_returned_and_are_removed_by_scan() {
    let mut node = TestNode::new();
    node.run("SET gone v PX 10");
    node.run("SET stays v");
    node.sleep(11);
    node.check("KEYS *", "*1 $5 stays");
    node.check("SCAN 0 MATCH s*", "*2 $1 0 *1 $5 stays");
    node.check("DBSIZE", ":2");
    node.check("SCAN 0 TYPE hash", "*2 $1 0 *0");
    node.check("DBSIZE", ":1");
}

#[test]
fn a_step_ends_where_the_core_ends() {
    let mut node = TestNode::new();
    for i in 0..100 {
        node.run(&format!("SET key:{i} v"));
    }
    node.at_home = |slot| slot.get() < 8192;
    let reply = node.run("SCAN 0 COUNT 1000");
    assert!(reply.starts_with(&format!("*2 $16 {} *", 8192u64 << 38)), "{reply}");
    // The rest is on another core, or lent at the moment: the cursor comes back as it was.
    node.check_ours(&format!("SCAN {}", 8192u64 << 38), &format!("*2 $16 {} *0", 8192u64 << 38));
}

/// Slot 0 begins at number 0, which must not be answered before the end.
#[test]
fn an_iteration_that_cannot_start_does_not_end() {
    let mut node = TestNode::new();
    node.run("SET k v");
    node.at_home = |slot| slot != Slot::MIN;
    node.check_ours("SCAN 0", "*2 $16 4503599627370496 *0");
    node.at_home = |_| true;
    node.check_ours("SCAN 4503599627370496", "*2 $1 0 *1 $1 k");
}
