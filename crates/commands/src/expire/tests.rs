//! The expectations are Redis 7.0.15's, asked by the harness; see `testing.rs`.

use crate::testing::{TestNode, NOW_MS};

#[test]
fn an_expiry_is_set_told_and_taken() {
    let mut node = TestNode::new();
    for (line, reply) in [
        ("EXPIRE k 10", ":0"),
        ("TTL k", ":-2"),
        ("PTTL k", ":-2"),
        ("EXPIRETIME k", ":-2"),
        ("PEXPIRETIME k", ":-2"),
        ("PERSIST k", ":0"),
        ("SET k v", "+OK"),
        ("TTL k", ":-1"),
        ("PTTL k", ":-1"),
        ("EXPIRETIME k", ":-1"),
        ("PEXPIRETIME k", ":-1"),
        ("PERSIST k", ":0"),
        ("EXPIRE k 100", ":1"),
        ("TTL k", ":100"),
        ("PEXPIRE k 200400", ":1"),
        ("TTL k", ":200"),
        ("EXPIREAT k 99999999999", ":1"),
        ("EXPIRETIME k", ":99999999999"),
        ("PEXPIRETIME k", ":99999999999000"),
        ("PEXPIREAT k 99999999999499", ":1"),
        ("EXPIRETIME k", ":99999999999"),
        ("PEXPIREAT k 99999999999500", ":1"),
        ("EXPIRETIME k", ":100000000000"),
        ("PERSIST k", ":1"),
        ("TTL k", ":-1"),
        ("EXPIRE k 0", ":1"),
        ("EXISTS k", ":0"),
        ("SET k v", "+OK"),
        ("EXPIRE k -1", ":1"),
        ("EXISTS k", ":0"),
        ("SET k v", "+OK"),
        ("EXPIREAT k 1", ":1"),
        ("EXISTS k", ":0"),
        ("SET k v", "+OK"),
        ("PEXPIREAT k -9223372036854775808", ":1"),
        ("EXISTS k", ":0"),
        ("SET k v", "+OK"),
        ("EXPIRE k x", "-ERR value is not an integer or out of range"),
        ("EXPIRE k 1.5", "-ERR value is not an integer or out of range"),
        ("EXPIRE none x", "-ERR value is not an integer or out of range"),
        ("EXPIRE k 9223372036854775807", "-ERR invalid expire time in 'expire' command"),
        ("EXPIRE k -9223372036854775807", "-ERR invalid expire time in 'expire' command"),
        ("EXPIRE k 9223372036854775", "-ERR invalid expire time in 'expire' command"),
        ("PEXPIRE k 9223372036854775807", "-ERR invalid expire time in 'pexpire' command"),
        ("EXPIREAT k 9223372036854775807", "-ERR invalid expire time in 'expireat' command"),
        ("PEXPIREAT k 9223372036854775807", ":1"),
        ("PEXPIRETIME k", ":9223372036854775807"),
        ("PEXPIRE k -9223372036854775808", ":1"),
        ("EXPIRE k", "-ERR wrong number of arguments for 'expire' command"),
        ("EXPIREAT k", "-ERR wrong number of arguments for 'expireat' command"),
        ("PEXPIRE k", "-ERR wrong number of arguments for 'pexpire' command"),
        ("PEXPIREAT k", "-ERR wrong number of arguments for 'pexpireat' command"),
        ("TTL", "-ERR wrong number of arguments for 'ttl' command"),
        ("TTL a b", "-ERR wrong number of arguments for 'ttl' command"),
        ("PTTL", "-ERR wrong number of arguments for 'pttl' command"),
        ("EXPIRETIME", "-ERR wrong number of arguments for 'expiretime' command"),
        ("PEXPIRETIME", "-ERR wrong number of arguments for 'pexpiretime' command"),
        ("PERSIST", "-ERR wrong number of arguments for 'persist' command"),
    ] {
        node.check(line, reply);
    }
}

#[test]
fn conditions_compare_with_the_expiry_there_is() {
    let mut node = TestNode::new();
    for (line, reply) in [
        ("SET k v", "+OK"),
        ("EXPIRE k 100 XX", ":0"),
        ("EXPIRE k 100 GT", ":0"),
        ("EXPIRE k 100 NX", ":1"),
        ("EXPIRE k 200 NX", ":0"),
        ("TTL k", ":100"),
        ("EXPIRE k 50 GT", ":0"),
        ("EXPIRE k 200 gt", ":1"),
        ("EXPIRE k 300 LT", ":0"),
        ("EXPIRE k 50 lt", ":1"),
        ("TTL k", ":50"),
        ("EXPIRE k 60 XX", ":1"),
        ("EXPIRE k 70 XX GT", ":1"),
        ("EXPIRE k 60 XX LT", ":1"),
        ("EXPIRE k 60 XX XX", ":1"),
        ("TTL k", ":60"),
        ("PERSIST k", ":1"),
        ("EXPIRE k 100 XX LT", ":0"),
        ("EXPIRE k 100 LT", ":1"),
        ("PEXPIREAT k 99999999999999 GT", ":1"),
        ("PEXPIREAT k 99999999999999 GT", ":0"),
        ("PEXPIREAT k 99999999999999 LT", ":0"),
        ("EXPIRE k -1 GT", ":0"),
        ("EXPIRE k -1 LT", ":1"),
        ("EXISTS k", ":0"),
        ("SET k v", "+OK"),
        ("EXPIRE k 10 FOO", "-ERR Unsupported option FOO"),
        ("EXPIRE k x FOO", "-ERR Unsupported option FOO"),
        ("EXPIRE k 10 NX FOO XX", "-ERR Unsupported option FOO"),
        ("EXPIRE k 10 NX XX", "-ERR NX and XX, GT or LT options at the same time are not compatible"),
        ("EXPIRE k 10 NX GT", "-ERR NX and XX, GT or LT options at the same time are not compatible"),
        ("EXPIRE k 10 LT NX", "-ERR NX and XX, GT or LT options at the same time are not compatible"),
        ("EXPIRE k 10 GT LT", "-ERR GT and LT options at the same time are not compatible"),
        ("EXPIRE none 10 GT LT", "-ERR GT and LT options at the same time are not compatible"),
        ("EXPIRE none 10 NX", ":0"),
    ] {
        node.check(line, reply);
    }
}

#[test]
fn a_key_whose_time_has_come_is_not_there() {
    let mut node = TestNode::new();
    node.check("SET k v PX 1500", "+OK");
    node.sleep(400);
    node.check("PTTL k", ":1100");
    node.check("TTL k", ":1");
    node.sleep(200);
    node.check("TTL k", ":1");
    node.sleep(500);
    node.check("TTL k", ":0");
    node.sleep(401);
    for (line, reply) in
        [("TTL k", ":-2"), ("GET k", "$-1"), ("EXISTS k", ":0"), ("PERSIST k", ":0"), ("DBSIZE", ":0")]
    {
        node.check(line, reply);
    }
}

#[test]
fn replicas_get_the_time_or_the_removal() {
    let mut node = TestNode::new();
    node.run("SET k v");
    for (line, words) in [
        ("EXPIRE k 10", format!("PEXPIREAT k {}", NOW_MS + 10_000)),
        ("PEXPIRE k 10 LT", format!("PEXPIREAT k {}", NOW_MS + 10)),
        ("EXPIREAT k 99999999999", "PEXPIREAT k 99999999999000".into()),
        ("PEXPIREAT k 99999999999123 GT", "PEXPIREAT k 99999999999123".into()),
        ("EXPIRE k 10 NX", String::new()),
        ("PERSIST k", "PERSIST k".into()),
        ("PERSIST k", String::new()),
        ("EXPIRE none 10", String::new()),
        ("EXPIRE k 0", "DEL k".into()),
    ] {
        node.check_log(line, &words);
    }
    node.configure("lazyfree-lazy-expire", "yes");
    node.run("SET k v");
    node.check_log("EXPIREAT k 5", "UNLINK k");
    node.run("SET k v PX 10");
    node.sleep(11);
    node.check_log("EXPIRE k 10", "expired k");
}
