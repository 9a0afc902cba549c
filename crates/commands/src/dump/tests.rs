//! RESTORE's options, what it leaves and what it logs. Payloads of all types are exchanged with a reference
//! server in the tests package.

use crate::testing::{TestNode, NOW_MS};

/// The payload of a string, an integer, a list, ..: what DUMP answers for `key`.
fn payload(node: &mut TestNode, key: &str) -> Vec<u8> {
    let reply = node.run_words(&["DUMP", key]);
    let head = reply.iter().position(|&byte| byte == b'\n').expect("a length") + 1;
    reply[head..reply.len() - 2].to_vec()
}

fn restore(node: &mut TestNode, key: &str, ttl: &str, payload: &[u8], options: &str) -> String {
    let mut words: Vec<&[u8]> = vec![b"RESTORE", key.as_bytes(), ttl.as_bytes(), payload];
    words.extend(options.split_whitespace().map(str::as_bytes));
    let reply = node.run_words(&words);
    String::from_utf8_lossy(&reply).trim_end().to_string()
}

#[test]
fn a_value_comes_back() {
    let mut node = TestNode::new();
    node.check("DUMP none", "$-1");
    let long = "x".repeat(20_000);
    for (make, key, show) in [
        ("SET text hello", "text", "GET text"),
        ("SET int 12345", "int", "GET int"),
        ("RPUSH list a 1 b", "list", "LRANGE list 0 -1"),
        ("SADD ints 1 2 3", "ints", "SMEMBERS ints"),
        ("SADD set a b", "set", "SMEMBERS set"),
        ("HSET hash a 1 b 2", "hash", "HGETALL hash"),
        (&format!("SET long {long}"), "long", "GET long"),
        (&format!("RPUSH longlist {long} b"), "longlist", "LRANGE longlist 0 -1"),
    ] {
        node.run(make);
        let (shown, encoding) = (node.run(show), node.run(&format!("OBJECT ENCODING {key}")));
        let bytes = payload(&mut node, key);
        assert_eq!(restore(&mut node, key, "0", &bytes, "REPLACE"), "+OK", "{make}");
        assert_eq!(payload(&mut node, key), bytes, "{make}");
        assert_eq!(node.run(show), shown, "{make}");
        assert_eq!(node.run(&format!("OBJECT ENCODING {key}")), encoding, "{make}");
        node.check(&format!("TTL {key}"), ":-1");
    }
}

#[test]
fn what_is_wrong_is_said_in_redis_s_order() {
    let mut node = TestNode::new();
    node.run("SET k v");
    let good = payload(&mut node, "k");
    let mut bad = good.clone();
    bad[1] ^= 1;
    // Nothing but a type that no module stands behind.
    let mut strange = vec![7];
    persistence::dump::seal(10, 0, &mut strange);
    let syntax = "-ERR syntax error";
    let integer = "-ERR value is not an integer or out of range";
    for (key, ttl, payload, options, reply) in [
        ("k", "0", &good, "REPLACE IDLETIME", syntax),
        ("k", "0", &good, "IDLETIME 1 FREQ 1", syntax),
        ("k", "0", &good, "FREQ 1 IDLETIME 1", syntax),
        ("k", "0", &good, "SOMETHING", syntax),
        ("k", "0", &good, "FREQ x", integer),
        ("k", "0", &good, "IDLETIME -1", "-ERR Invalid IDLETIME value, must be >= 0"),
        ("k", "0", &good, "FREQ 256", "-ERR Invalid FREQ value, must be >= 0 and <= 255"),
        ("k", "0", &good, "FREQ -1", "-ERR Invalid FREQ value, must be >= 0 and <= 255"),
        ("k", "x", &bad, "", "-BUSYKEY Target key name already exists."),
        ("k", "x", &bad, "REPLACE", integer),
        ("k", "-1", &bad, "REPLACE", "-ERR Invalid TTL value, must be >= 0"),
        ("k", "0", &bad, "REPLACE", "-ERR DUMP payload version or checksum are wrong"),
        ("new", "0", &vec![], "", "-ERR DUMP payload version or checksum are wrong"),
        ("k", "0", &strange, "REPLACE", "-ERR Bad data format"),
        ("new", "0", &good, "idletime 1 IdleTime 2 absttl replace", "+OK"),
    ] {
        assert_eq!(restore(&mut node, key, ttl, payload, options), reply, "{key} {ttl} {options}");
    }
    node.check("GET k", "$1 v");
}

#[test]
fn expiry_is_logged_as_a_time() {
    let mut node = TestNode::new();
    node.run("SET k v");
    let bytes = payload(&mut node, "k");
    let shown = String::from_utf8_lossy(&bytes).into_owned();
    let mut check = |ttl: &str, options: &str, log: String, pttl: &str| {
        assert_eq!(restore(&mut node, "k", ttl, &bytes, &format!("REPLACE {options}")), "+OK");
        assert_eq!(node.take_log("as sent"), log, "{ttl} {options}");
        node.check_ours("PTTL k", pttl);
    };
    let later = NOW_MS + 500;
    check("500", "", format!("RESTORE k {later} {shown} REPLACE ABSTTL"), ":500");
    // As it was sent.
    check("0", "", "as sent".to_string(), ":-1");
    check(&later.to_string(), "ABSTTL", "as sent".to_string(), ":500");
    // Over by now: the old key goes, and is not there the next time.
    check(&NOW_MS.to_string(), "ABSTTL", "DEL k".to_string(), ":-2");
    check(&NOW_MS.to_string(), "ABSTTL", String::new(), ":-2");
    // A sum beyond the 64 bits.
    check(&i64::MAX.to_string(), "", String::new(), ":-2");
}

#[test]
fn the_access_clock_is_what_the_policy_makes_of_the_options() {
    let mut node = TestNode::new();
    node.run("SET k v");
    let bytes = payload(&mut node, "k");
    restore(&mut node, "k", "0", &bytes, "REPLACE IDLETIME 1000");
    node.check_ours("OBJECT IDLETIME k", ":1000");
    restore(&mut node, "k", "0", &bytes, "REPLACE FREQ 9");
    node.check_ours("OBJECT IDLETIME k", ":0");
    node.configure("maxmemory-policy", "allkeys-lfu");
    restore(&mut node, "k", "0", &bytes, "REPLACE FREQ 100");
    node.check_ours("OBJECT FREQ k", ":100");
    restore(&mut node, "k", "0", &bytes, "REPLACE");
    node.check_ours("OBJECT FREQ k", ":5");
}
