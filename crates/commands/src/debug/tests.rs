//! DEBUG on a node of two cores. Digests of all types are compared with a reference server's in the tests
//! package.

use crate::scenario::MiniNode;

#[test]
fn every_core_is_held_up_and_told() {
    let mut node = MiniNode::new(&[("enable-debug-command", "yes")]);
    for (line, us) in [("1.5", 1_500_000), ("0.25x", 250_000), ("x", 0), ("-1", 0), ("inf", 0)] {
        assert_eq!(node.run(&format!("DEBUG SLEEP {line}")), "+OK");
        assert_eq!((node.facts(0).sleep_us, node.facts(1).sleep_us), (us, us), "{line}");
    }
    assert!(node.facts(1).active_expire);
    node.run("DEBUG SET-ACTIVE-EXPIRE 0");
    assert!(!node.facts(0).active_expire && !node.facts(1).active_expire);
}

#[test]
fn local_clients_may_where_only_they_may() {
    let mut node = MiniNode::new(&[("enable-debug-command", "local")]);
    assert_eq!(node.run("DEBUG JMAP"), "+OK");
    node.session.is_local = false;
    assert!(node.run("DEBUG JMAP").starts_with("-ERR DEBUG command not allowed."));
}
fn node() -> MiniNode {
    MiniNode::new(&[("enable-debug-command", "yes")])
}

#[test]
fn digests_are_those_of_redis() {
    let mut node = node();
    // As redis-server 7.0.15 answers.
    let nothing = "0".repeat(40);
    assert_eq!(node.run("DEBUG DIGEST"), format!("+{nothing}"));
    assert_eq!(node.run("DEBUG DIGEST-VALUE none"), format!("[+{nothing}]"));
    assert_eq!(node.run("DEBUG DIGEST-VALUE"), "[]");
    MAKE.iter().for_each(|line| drop(node.run(line)));
    assert_eq!(node.run("DEBUG DIGEST-VALUE s l i h e none"), VALUES);
    assert_eq!(node.run("DEBUG DIGEST"), ALL);
    assert_eq!(node.run("DEBUG RELOAD"), "+OK");
    assert_eq!(node.run("DEBUG DIGEST"), ALL);
}

const MAKE: &[&str] = &[
    "SET s hello",
    "RPUSH l a 1 b",
    "SADD i 1 2 3",
    "HSET h a 1 b 2",
    "SET e 5 EX 1000",
    "SELECT 3",
    "SET s other",
    "SELECT 0",
];
const VALUES: &str = "[+36b23a1456b2dce2c3ed252c456761301dba8060 +d5f44352f6226abea9252dad248ef5de0d964396 \
                      +2a462a3f51a1db89738ebbeef0c47ce1bbc85246 +6c8f22b3bf510fdcfd6122dd0f908a80e88243bf \
                      +1e47b7737b7537b3113b09ca0319a5fd0e2bf48d +0000000000000000000000000000000000000000]";
const ALL: &str = "+49a239987adca7bcbee6b3ecde837b3f38cbd6e0";

#[test]
fn values_are_looked_into() {
    let mut node = node();
    node.run("SET s hello");
    node.run("RPUSH l a 1");
    for (line, reply) in [
        (
            "DEBUG OBJECT s",
            "+Value at:0x* refcount:1 encoding:embstr serializedlength:6 lru:* lru_seconds_idle:0",
        ),
        ("DEBUG OBJECT l", "+Value at:0x* encoding:listpack serializedlength:15 *"),
        ("DEBUG OBJECT none", "-ERR no such key"),
        ("DEBUG LISTPACK l", "\"bytes: 12, elements: 2*0: string of 1 bytes *1: integer 1*\""),
        ("DEBUG LISTPACK s", "-ERR Not a listpack encoded object."),
        ("DEBUG LISTPACK none", "-ERR no such key"),
        (
            "DEBUG HTSTATS-KEY l",
            "-ERR The value stored at the specified key is not represented using an hash table",
        ),
        ("DEBUG RELOAD NOSAVE", "-ERR Error trying to load the RDB dump, check server logs."),
        ("DEBUG RELOAD NOW", "-ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options."),
        ("DEBUG RELOAD noflush merge", "+OK"),
        (
            "DEBUG QUICKLIST-PACKED-THRESHOLD 5gb",
            "-ERR argument must be a memory value bigger than 1 and smaller than 4gb",
        ),
        ("DEBUG QUICKLIST-PACKED-THRESHOLD 10b", "+OK"),
    ] {
        let answer = node.run(line);
        assert!(config::glob::matches(reply.as_bytes(), answer.as_bytes()), "{line}: {answer}");
    }
}

#[test]
fn all_cores_have_the_new_replication_id() {
    let mut node = node();
    let old = node.facts(0).node.replication_id.clone();
    assert_eq!(node.run("DEBUG CHANGE-REPL-ID"), "+OK");
    let new = node.facts(0).node.replication_id.clone();
    assert!(new != old && new.len() == 40);
    assert_eq!(node.facts(1).node.replication_id, new);
}
