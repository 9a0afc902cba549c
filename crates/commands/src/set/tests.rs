//! Where nothing else is said, the expectations are Redis 7.0.15's, asked by the harness; see `testing.rs`. It has
//! no sets in listpacks: encodings, and orders that follow from them, are those of Redis 7.2's source.

use crate::testing::TestNode;
use std::collections::BTreeSet;

/// A command with many members: `numbers(1..=3)` is " 1 2 3".
fn numbers(range: impl Iterator<Item = usize>) -> String {
    range.map(|i| format!(" {i}")).collect()
}

fn words(range: impl Iterator<Item = usize>) -> String {
    range.map(|i| format!(" m{i}")).collect()
}

/// The elements of a reply that is one aggregate.
fn elements(reply: &str) -> Vec<String> {
    let words: Vec<&str> = reply.split(' ').collect();
    assert!(matches!(&words[0][..1], "*" | "~"), "{reply}");
    let found: Vec<String> = words[1..].chunks(2).map(|pair| pair[1].to_string()).collect();
    assert_eq!(found.len(), words[0][1..].parse::<usize>().expect("a length"), "{reply}");
    found
}

fn members(node: &mut TestNode, key: &str) -> BTreeSet<String> {
    let all = elements(&node.run(&format!("SMEMBERS {key}")));
    let set: BTreeSet<String> = all.iter().cloned().collect();
    assert_eq!(set.len(), all.len(), "each member is said once");
    set
}

#[track_caller]
fn check_encoding(node: &mut TestNode, key: &str, encoding: &str) {
    node.check_ours(&format!("OBJECT ENCODING {key}"), &format!("${} {encoding}", encoding.len()));
}

#[test]
fn members_come_and_go() {
    let mut node = TestNode::new();
    for (line, reply) in [
        ("SADD s a", ":1"),
        ("SADD s a", ":0"),
        ("SADD s a b a c", ":2"),
        ("SADD s a b c \"\"", ":1"),
        ("SCARD s", ":4"),
        ("SCARD none", ":0"),
        ("SISMEMBER s a", ":1"),
        ("SISMEMBER s \"\"", ":1"),
        ("SISMEMBER s x", ":0"),
        ("SISMEMBER none x", ":0"),
        ("SMISMEMBER s a x b a", "*4 :1 :0 :1 :1"),
        ("SMISMEMBER none a b", "*2 :0 :0"),
        ("SREM s x", ":0"),
        ("SREM s x a y b", ":2"),
        ("SREM none x", ":0"),
        ("SREM s c \"\" a c", ":2"),
        ("EXISTS s", ":0"),
        ("SMEMBERS s", "*0"),
        ("SADD n 3 1 2 01", ":4"),
        ("SADD i 3 1 -2", ":3"),
        ("SMEMBERS i", "*3 $2 -2 $1 1 $1 3"),
        ("SISMEMBER i 01", ":0"),
        ("SISMEMBER i 3", ":1"),
    ] {
        node.check(line, reply);
    }
    node.check_ours("SMEMBERS n", "*4 $1 1 $1 2 $1 3 $2 01");
}

#[test]
fn other_types_are_refused_in_redis_s_order() {
    let mut node = TestNode::new();
    node.check("SET str v", "+OK");
    node.check("SADD s a", ":1");
    let wrong = "-WRONGTYPE Operation against a key holding the wrong kind of value";
    for line in [
        "SADD str a",
        "SREM str a",
        "SISMEMBER str a",
        "SMISMEMBER str a",
        "SCARD str",
        "SMEMBERS str",
        "SMOVE str s a",
        "SMOVE s str a",
        "SMOVE s str x",
        "SPOP str",
        "SPOP str 0",
        "SRANDMEMBER str",
        "SRANDMEMBER str 0",
        "SINTER none str",
        "SINTER s str",
        "SINTERCARD 2 none str",
        "SINTERSTORE d none str",
        "SUNION s str",
        "SUNIONSTORE d s str",
        "SDIFF none str",
        "SDIFFSTORE d s s str",
        "SSCAN str 0",
        "SSCAN str 0 NOSUCH",
    ] {
        node.check(line, wrong);
    }
    for (line, reply) in [
        ("SMOVE none str a", ":0"),
        ("SPOP str -1", "-ERR value is out of range, must be positive"),
        ("SPOP str 1 1", "-ERR syntax error"),
        ("SRANDMEMBER str x", "-ERR value is not an integer or out of range"),
        ("SSCAN str x", "-ERR invalid cursor"),
        ("SSCAN none 0 NOSUCH", "*2 $1 0 *0"),
        ("SINTERCARD 0 str", "-ERR numkeys should be greater than 0"),
        ("SINTERCARD 2 str", "-ERR Number of keys can't be greater than number of args"),
        ("SINTERCARD 1 str LIMIT -1", "-ERR LIMIT can't be negative"),
        ("SINTERCARD 1 str LIMIT", "-ERR syntax error"),
        ("SINTERCARD 1 str LIMIT 1 NO", "-ERR syntax error"),
    ] {
        node.check(line, reply);
    }
}

#[test]
fn encodings_change_where_those_of_redis_7_2_do() {
    let mut node = TestNode::new();
    let long = "x".repeat(65);
    let cases: Vec<(String, &str)> = vec![
        (numbers(1..=512), "intset"),
        (numbers(1..=513), "hashtable"),
        (words(1..=128), "listpack"),
        (words(1..=129), "hashtable"),
        (format!(" 1{}", words(1..=127)), "listpack"),
        // The first member and the count make it begin as an intset.
        (format!(" 1{}", words(1..=128)), "hashtable"),
        (format!(" m{}", numbers(1..=128)), "hashtable"),
        (format!("{} m", numbers(1..=127)), "listpack"),
        (format!("{} m", numbers(1..=128)), "hashtable"),
        (format!(" {}", &long[1..]), "listpack"),
        (format!(" {long}"), "hashtable"),
        (format!(" 1 {}", &long[1..]), "listpack"),
        (format!(" 1 {long}"), "hashtable"),
    ];
    for (members, encoding) in &cases {
        node.run("DEL all one");
        node.run(&format!("SADD all{members}"));
        check_encoding(&mut node, "all", encoding);
        for member in members.split_ascii_whitespace() {
            node.run(&format!("SADD one {member}"));
        }
        check_encoding(&mut node, "one", encoding);
        let count = members.split_ascii_whitespace().count();
        node.check_ours("SCARD all", &format!(":{count}"));
        node.check_ours("SINTERCARD 2 all one", &format!(":{count}"));
    }
    // A set that shrinks stays what it is.
    node.run(&format!("SREM all{}", numbers(1..=512)));
    check_encoding(&mut node, "all", "hashtable");
}

#[test]
fn many_members_convert_a_set_although_none_is_new() {
    let mut node = TestNode::new();
    node.configure("set-max-intset-entries", "3");
    node.run("SADD i 1 2 3");
    node.check("SADD i 1 2 3", ":0");
    check_encoding(&mut node, "i", "intset");
    assert_eq!(node.dirty("SADD i 1 2 3 1"), 0);
    check_encoding(&mut node, "i", "hashtable");
    node.check("SCARD i", ":3");
    node.configure("set-max-intset-entries", "512");
    node.run("SADD l a");
    node.check_ours(&format!("SADD l{}", " a".repeat(128)), ":0");
    check_encoding(&mut node, "l", "listpack");
    node.check_ours(&format!("SADD l{}", " a".repeat(129)), ":0");
    check_encoding(&mut node, "l", "hashtable");
}

#[test]
fn results_are_stored_in_the_encodings_of_redis_7_2() {
    let mut node = TestNode::new();
    node.run("SADD ints 1 2 3");
    node.run("SADD pack a 1 2");
    node.run(&format!("SADD large{} a", numbers(1..=600)));
    node.run(&format!("SADD words{} 7", words(1..=200)));
    node.run("SADD mixed 2 x 1");
    for (line, encoding) in [
        ("SINTERSTORE d ints pack", "intset"),
        ("SINTERSTORE d pack large", "listpack"),
        ("SINTERSTORE d pack mixed", "intset"),
        ("SINTERSTORE d large words", "intset"),
        ("SINTERSTORE d words words", "hashtable"),
        ("SINTERSTORE d large ints", "intset"),
        ("SUNIONSTORE d ints", "intset"),
        ("SUNIONSTORE d ints pack", "listpack"),
        ("SUNIONSTORE d large", "hashtable"),
        ("SDIFFSTORE d pack none", "listpack"),
        ("SDIFFSTORE d pack mixed", "listpack"),
        ("SDIFFSTORE d large ints", "hashtable"),
        ("SDIFFSTORE d ints pack", "intset"),
        ("SDIFFSTORE d large pack", "hashtable"),
        ("SDIFFSTORE d mixed pack", "listpack"),
    ] {
        node.run(line);
        check_encoding(&mut node, "d", encoding);
    }
    // Up to as many integers as an intset takes; they were strings of a table.
    node.run(&format!("SADD many{} z", numbers(1..=512)));
    node.check_ours("SINTERSTORE d large many none", ":0");
    node.run("SREM many z");
    check_encoding(&mut node, "many", "hashtable");
    node.check_ours("SINTERSTORE d large many", ":512");
    check_encoding(&mut node, "d", "intset");
}

#[test]
fn several_sets_are_combined() {
    let mut node = TestNode::new();
    node.check("SADD a 1 2 3 4", ":4");
    node.check("SADD b 3 4 5", ":3");
    node.check("SADD c 4 6", ":2");
    for (line, reply) in [
        ("SINTER a", "*4 $1 1 $1 2 $1 3 $1 4"),
        ("SINTER a b", "*2 $1 3 $1 4"),
        ("SINTER a b c", "*1 $1 4"),
        ("SINTER a none", "*0"),
        ("SINTER a a", "*4 $1 1 $1 2 $1 3 $1 4"),
        ("SUNION a c none b", "*6 $1 1 $1 2 $1 3 $1 4 $1 5 $1 6"),
        ("SUNION none", "*0"),
        ("SDIFF a b", "*2 $1 1 $1 2"),
        ("SDIFF a none c", "*3 $1 1 $1 2 $1 3"),
        ("SDIFF a b a", "*0"),
        ("SDIFF none a", "*0"),
        ("SINTERCARD 3 a b c", ":1"),
        ("SINTERCARD 2 a b LIMIT 0", ":2"),
        ("SINTERCARD 2 a b limit 1", ":1"),
        ("SINTERCARD 2 a b LIMIT 1 LIMIT 9", ":2"),
        ("SINTERCARD 2 a none", ":0"),
        ("SINTERSTORE d a b", ":2"),
        ("SMEMBERS d", "*2 $1 3 $1 4"),
        ("SUNIONSTORE a a c", ":5"),
        ("SMEMBERS a", "*5 $1 1 $1 2 $1 3 $1 4 $1 6"),
        ("SDIFFSTORE a a b", ":3"),
        ("SMEMBERS a", "*3 $1 1 $1 2 $1 6"),
        ("SINTERSTORE a a b", ":0"),
        ("EXISTS a", ":0"),
        ("SET d text EX 100", "+OK"),
        ("SUNIONSTORE d b", ":3"),
        ("TTL d", ":-1"),
        ("TYPE d", "+set"),
        ("SDIFFSTORE d none b", ":0"),
        ("EXISTS d", ":0"),
    ] {
        node.check(line, reply);
    }
}

#[test]
fn a_member_is_moved() {
    let mut node = TestNode::new();
    node.check("SADD a 1 x", ":2");
    node.check("SADD b x", ":1");
    for (line, words) in [
        ("SMOVE a b none", ""),
        ("SMOVE none b x", ""),
        ("SMOVE a a x", ""),
        ("SMOVE a b x", "SMOVE a b x"),
        ("SMOVE a c 1", "SMOVE a c 1"),
    ] {
        node.check_log(line, words);
    }
    node.check("EXISTS a", ":0");
    check_encoding(&mut node, "c", "intset");
    node.check("SMOVE c c 1", ":1");
    node.check("SMOVE c c 2", ":0");
    assert_eq!(node.dirty("SMOVE c b 1"), 2);
    node.run("SADD c x");
    assert_eq!(node.dirty("SMOVE c b x"), 1);
}

#[test]
fn what_changes_nothing_is_not_logged() {
    let mut node = TestNode::new();
    node.check_log("SADD s a b", "SADD s a b");
    node.check_log("SADD s b a", "");
    node.check_log("SREM s x", "");
    node.check_log("SREM none x", "");
    node.check_log("SUNIONSTORE none1 none2", "");
    node.check_log("SUNIONSTORE d s", "SUNIONSTORE d s");
    node.check_log("SUNIONSTORE d s", "SUNIONSTORE d s");
    node.check_log("SDIFFSTORE d s s", "SDIFFSTORE d s s");
    node.check_log("SREM s a x b", "SREM s a x b");
    assert_eq!(node.dirty("SADD s a b c c"), 3);
    assert_eq!(node.dirty("SREM s a x b"), 2);
    assert_eq!(node.dirty("SUNIONSTORE d s"), 1);
}

#[test]
fn popped_members_are_logged_as_removed() {
    let mut node = TestNode::new();
    node.run("SADD s a");
    node.check_log("SPOP s", "SREM s a");
    node.check("EXISTS s", ":0");
    node.check_log("SPOP s", "");
    node.check_log("SPOP s 3", "");
    node.run("SADD s 1 2 3");
    node.check_log("SPOP s 0", "");
    node.check_log("SPOP s 3", "DEL s");
    node.configure("lazyfree-lazy-server-del", "yes");
    node.run("SADD s 1 2 3");
    node.check_log("SPOP s 4", "UNLINK s");
    node.check("EXISTS s", ":0");
}

#[test]
fn many_popped_members_are_logged_in_batches() {
    // Two nodes with the same random numbers: the reply of one tells what the other must log.
    let mut nodes = [TestNode::new(), TestNode::new()];
    for node in &mut nodes {
        node.run(&format!("SADD s{}", numbers(1..=3000)));
    }
    let [told, logged] = &mut nodes;
    let mut left = members(told, "s");
    for count in [10, 1024, 1025] {
        let popped = elements(&told.run(&format!("SPOP s {count}")));
        assert_eq!(popped.len(), count);
        assert!(popped.iter().all(|member| left.remove(member)));
        let log: Vec<String> =
            popped.chunks(1024).map(|batch| format!("SREM s {}", batch.join(" "))).collect();
        logged.check_log(&format!("SPOP s {count}"), &log.join(" ; "));
        assert_eq!(members(told, "s"), left);
        assert_eq!(members(logged, "s"), left);
    }
    assert_eq!(told.dirty("SPOP s 900"), 900);
}

#[test]
fn popping_takes_different_members_from_any_encoding() {
    let fills: [&dyn Fn() -> String; 3] = [&|| numbers(1..=100), &|| words(1..=100), &|| words(1..=2000)];
    for fill in fills {
        for (count, expiry) in [(1, false), (7, true), (60, false), (95, true), (99, true)] {
            let mut node = TestNode::new();
            node.run(&format!("SADD s{}", fill()));
            if expiry {
                node.run("EXPIRE s 100");
            }
            let before = members(&mut node, "s");
            let count = count * before.len() / 100;
            let popped = elements(&node.run(&format!("SPOP s {count}")));
            let popped: BTreeSet<String> = popped.into_iter().collect();
            assert_eq!(popped.len(), count);
            let after = members(&mut node, "s");
            assert_eq!(&popped | &after, before);
            assert_eq!(popped.len() + after.len(), before.len());
            node.check_ours("TTL s", if expiry { ":100" } else { ":-1" });
        }
    }
}

#[test]
fn a_set_that_was_nearly_all_popped_is_small_again() {
    let mut node = TestNode::new();
    node.run(&format!("SADD s{}", words(1..=2000)));
    node.run("SPOP s 1000");
    check_encoding(&mut node, "s", "hashtable");
    node.run("SPOP s 950");
    check_encoding(&mut node, "s", "listpack");
    node.check_ours("SCARD s", ":50");
    node.run("SADD i 1 2 3 4 5 6 7 8 9 10");
    node.run("SPOP i 9");
    check_encoding(&mut node, "i", "intset");
}

#[test]
fn random_members_are_members() {
    let mut node = TestNode::new();
    node.check("SRANDMEMBER none", "$-1");
    node.check("SRANDMEMBER none 5", "*0");
    node.check("SRANDMEMBER none -5", "*0");
    let range = "-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807";
    node.check("SRANDMEMBER none -9223372036854775808", range);
    for fill in [numbers(1..=20), words(1..=20), words(1..=500)] {
        node.run("DEL s");
        node.run(&format!("SADD s{fill}"));
        let all = members(&mut node, "s");
        let size = all.len();
        node.check_ours("SRANDMEMBER s 0", "*0");
        for count in [1, 2, size / 2, size - 1, size, size + 1, 1_000_000] {
            let some = elements(&node.run(&format!("SRANDMEMBER s {count}")));
            let distinct: BTreeSet<String> = some.iter().cloned().collect();
            assert_eq!((some.len(), distinct.len()), (count.min(size), count.min(size)));
            assert!(distinct.is_subset(&all));
        }
        let draws = elements(&node.run(&format!("SRANDMEMBER s -{}", size * 20)));
        assert_eq!(draws.len(), size * 20);
        let distinct: BTreeSet<String> = draws.into_iter().collect();
        assert_eq!(distinct, all, "twenty draws for each member find them all");
        let one = node.run("SRANDMEMBER s");
        assert!(all.contains(one.split(' ').nth(1).expect("a member")));
        assert_eq!(node.dirty("SRANDMEMBER s 3"), 0);
        assert_eq!(members(&mut node, "s"), all);
    }
}

#[test]
fn a_scan_meets_every_member() {
    let mut node = TestNode::new();
    node.run("SADD i 2 1 12");
    node.run(&format!("SADD l{}", words(1..=5000)));
    node.check("SSCAN i 0", "*2 $1 0 *3 $1 1 $1 2 $2 12");
    // A small set is answered whole, whatever is asked for.
    node.check("SSCAN i 77 COUNT 1", "*2 $1 0 *3 $1 1 $1 2 $2 12");
    node.check("SSCAN i 0 MATCH 1* COUNT 1", "*2 $1 0 *2 $1 1 $2 12");
    node.check("SSCAN i 0 MATCH x", "*2 $1 0 *0");
    node.check("SSCAN i 0 COUNT 0", "-ERR syntax error");
    node.check("SSCAN i 0 NOVALUES", "-ERR syntax error");
    node.check("SSCAN i 0 TYPE set", "-ERR syntax error");
    for (options, expected) in [("COUNT 100", 5000), ("", 5000), ("COUNT 70 MATCH m4?9", 10)] {
        let (mut cursor, mut seen, mut steps) = ("0".to_string(), BTreeSet::new(), 0);
        loop {
            let reply = node.run(&format!("SSCAN l {cursor} {options}"));
            let words: Vec<&str> = reply.split(' ').collect();
            cursor = words[2].to_string();
            seen.extend(words[4..].chunks(2).map(|pair| pair[1].to_string()));
            steps += 1;
            if cursor == "0" {
                break;
            }
        }
        assert_eq!(seen.len(), expected, "{options}");
        assert!((10..=600).contains(&steps), "{options}: {steps} steps");
    }
}

#[test]
fn resp3_has_sets() {
    let mut node = TestNode::resp3();
    node.check("SADD s 1 2", ":2");
    node.check("SMEMBERS s", "~2 $1 1 $1 2");
    node.check("SMEMBERS none", "~0");
    node.check("SINTER s s", "~2 $1 1 $1 2");
    node.check("SINTER s none", "~0");
    node.check("SUNION s", "~2 $1 1 $1 2");
    node.check("SDIFF s s", "~0");
    node.check("SMISMEMBER s 1 3", "*2 :1 :0");
    node.check("SISMEMBER s 1", ":1");
    node.check("SRANDMEMBER none", "_");
    node.check("SRANDMEMBER s 5", "*2 $1 1 $1 2");
    node.check("SSCAN s 0", "*2 $1 0 *2 $1 1 $1 2");
    node.check("SPOP none", "_");
    node.check("SPOP none 1", "~0");
    node.check("SPOP s 0", "~0");
    node.check("SPOP s 2", "~2 $1 1 $1 2");
    node.check("SINTERSTORE d none", ":0");
}
