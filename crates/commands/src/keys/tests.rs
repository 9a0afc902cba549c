//! The expectations are Redis 7.0.15's, asked by the harness; see `testing.rs`.

use crate::testing::TestNode;

const LFU_ONLY: &str = "-ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note \
                        that when switching between policies at runtime LRU and LFU data will take some time to \
                        adjust.";
const NO_LFU: &str =
    "-ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when \
                      switching between policies at runtime LRU and LFU data will take some time to adjust.";

#[test]
fn keys_are_counted_and_removed() {
    let mut node = TestNode::new();
    for (line, reply) in [
        ("MSET a 1 b 2 c 3", "+OK"),
        ("EXISTS a", ":1"),
        ("EXISTS a b none a", ":3"),
        ("EXISTS", "-ERR wrong number of arguments for 'exists' command"),
        ("TOUCH a b none a", ":3"),
        ("TOUCH", "-ERR wrong number of arguments for 'touch' command"),
        ("TYPE a", "+string"),
        ("TYPE none", "+none"),
        ("TYPE", "-ERR wrong number of arguments for 'type' command"),
        ("DBSIZE", ":3"),
        ("DBSIZE x", "-ERR wrong number of arguments for 'dbsize' command"),
        ("DEL a none a", ":1"),
        ("DEL", "-ERR wrong number of arguments for 'del' command"),
        ("UNLINK b c d", ":2"),
        ("UNLINK", "-ERR wrong number of arguments for 'unlink' command"),
        ("DBSIZE", ":0"),
        ("RANDOMKEY", "$-1"),
        ("SET a 1", "+OK"),
        ("RANDOMKEY", "$1 a"),
        ("RANDOMKEY x", "-ERR wrong number of arguments for 'randomkey' command"),
    ] {
        node.check(line, reply);
    }
    TestNode::resp3().check("RANDOMKEY", "_");
}

#[test]
fn a_random_key_is_a_live_one() {
    let mut node = TestNode::new();
    node.run("MSET a 1 b 2 c 3 d 4");
    for key in ["e", "f", "g", "h"] {
        node.run(&format!("SET {key} v PX 10"));
    }
    node.sleep(11);
    let mut seen: Vec<String> = (0..200).map(|_| node.run("RANDOMKEY")).collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen, ["$1 a", "$1 b", "$1 c", "$1 d"]);
    node.check("FLUSHALL", "+OK");
    node.run("SET e v PX 10");
    node.sleep(11);
    node.check_log("RANDOMKEY", "expired e");
}

#[test]
fn names_are_changed() {
    let mut node = TestNode::new();
    for (line, reply) in [
        ("RENAME none x", "-ERR no such key"),
        ("RENAME none none", "-ERR no such key"),
        ("RENAMENX none x", "-ERR no such key"),
        ("SET a 1 EX 100", "+OK"),
        ("RENAME a b", "+OK"),
        ("EXISTS a", ":0"),
        ("GET b", "$1 1"),
        ("TTL b", ":100"),
        ("RENAME b b", "+OK"),
        ("RENAMENX b b", ":0"),
        ("SET c 3", "+OK"),
        ("RENAMENX b c", ":0"),
        ("RENAMENX b d", ":1"),
        ("TTL d", ":100"),
        ("RENAME c d", "+OK"),
        ("TTL d", ":-1"),
        ("GET d", "$1 3"),
        ("DBSIZE", ":1"),
        ("RENAME d", "-ERR wrong number of arguments for 'rename' command"),
        ("RENAMENX d", "-ERR wrong number of arguments for 'renamenx' command"),
        ("APPEND d x", ":2"),
        ("RENAME d e", "+OK"),
        ("OBJECT ENCODING e", "$3 raw"),
    ] {
        node.check(line, reply);
    }
}

#[test]
fn copies_are_made() {
    let mut node = TestNode::new();
    for (line, reply) in [
        ("COPY none x", ":0"),
        ("SET a 1 EX 100", "+OK"),
        ("COPY a b", ":1"),
        ("GET b", "$1 1"),
        ("TTL b", ":100"),
        ("COPY a b", ":0"),
        ("SET a 2", "+OK"),
        ("COPY a b REPLACE", ":1"),
        ("GET b", "$1 2"),
        ("TTL b", ":-1"),
        ("COPY a a", "-ERR source and destination objects are the same"),
        ("COPY a a DB 0", "-ERR source and destination objects are the same"),
        ("COPY a a DB 1", ":1"),
        ("COPY a a DB 1", ":0"),
        ("COPY a a DB 1 REPLACE", ":1"),
        ("COPY a x DB 16", "-ERR DB index is out of range"),
        ("COPY a x DB -1", "-ERR DB index is out of range"),
        ("COPY a x DB x", "-ERR value is not an integer or out of range"),
        (
            "COPY a x DB 4294967296",
            "-ERR value is out of range, value must between -2147483648 and 2147483647",
        ),
        ("COPY a x DB", "-ERR syntax error"),
        ("COPY a x FOO", "-ERR syntax error"),
        ("COPY a", "-ERR wrong number of arguments for 'copy' command"),
        ("COPY none x FOO", "-ERR syntax error"),
    ] {
        node.check(line, reply);
    }
    node.select(1);
    node.check("GET a", "$1 2");
    let mut node = TestNode::in_cluster();
    node.run("SET a 1");
    // A cluster has one database; 7.0.15 says "Copying to another database is not allowed in cluster mode".
    node.check("COPY a b DB 1", "-ERR DB index is out of range");
    node.check("COPY a b DB 0", ":1");
}

#[test]
fn keys_move_between_databases() {
    let mut node = TestNode::new();
    for (line, reply) in [
        ("MOVE a 1", ":0"),
        ("SET a 1 EX 100", "+OK"),
        ("MOVE a 0", "-ERR source and destination objects are the same"),
        ("MOVE none 0", "-ERR source and destination objects are the same"),
        ("MOVE a 16", "-ERR DB index is out of range"),
        ("MOVE a -1", "-ERR DB index is out of range"),
        ("MOVE a x", "-ERR value is not an integer or out of range"),
        ("MOVE a 2147483648", "-ERR value is out of range, value must between -2147483648 and 2147483647"),
        ("MOVE a 1", ":1"),
        ("EXISTS a", ":0"),
        ("SET a 2", "+OK"),
        ("MOVE a 1", ":0"),
        ("MOVE a", "-ERR wrong number of arguments for 'move' command"),
        ("SWAPDB 0 1", "+OK"),
        ("GET a", "$1 1"),
        ("TTL a", ":100"),
        ("SWAPDB 0 0", "+OK"),
        ("SWAPDB x 1", "-ERR invalid first DB index"),
        ("SWAPDB 0 x", "-ERR invalid second DB index"),
        ("SWAPDB 4294967296 1", "-ERR invalid first DB index"),
        ("SWAPDB 0 16", "-ERR DB index is out of range"),
        ("SWAPDB -1 0", "-ERR DB index is out of range"),
        ("SWAPDB 16 x", "-ERR invalid second DB index"),
        ("SWAPDB 0", "-ERR wrong number of arguments for 'swapdb' command"),
    ] {
        node.check(line, reply);
    }
    node.select(1);
    node.check("GET a", "$1 2");
    let mut node = TestNode::in_cluster();
    node.check("MOVE a x", "-ERR MOVE is not allowed in cluster mode");
    node.check("SWAPDB x 1", "-ERR SWAPDB is not allowed in cluster mode");
}

#[test]
fn databases_are_emptied() {
    let mut node = TestNode::new();
    node.check("MSET a 1 b 2", "+OK");
    node.select(1);
    node.check("MSET a 1 b 2 c 3", "+OK");
    for (line, reply) in [
        ("FLUSHDB FOO", "-ERR syntax error"),
        ("FLUSHDB SYNC x", "-ERR syntax error"),
        ("FLUSHALL ASYNC SYNC", "-ERR syntax error"),
        ("DBSIZE", ":3"),
        ("FLUSHDB", "+OK"),
        ("DBSIZE", ":0"),
    ] {
        node.check(line, reply);
    }
    node.select(0);
    for (line, reply) in [
        ("DBSIZE", ":2"),
        ("flushall async", "+OK"),
        ("DBSIZE", ":0"),
        ("FLUSHALL SYNC", "+OK"),
        ("FLUSHDB ASYNC", "+OK"),
    ] {
        node.check(line, reply);
    }
}

#[test]
fn objects_tell_their_encoding() {
    let mut node = TestNode::new();
    let (short, long) = ("x".repeat(44), "x".repeat(45));
    node.check(
        &format!("MSET n 123 big 9223372036854775807 bigger 9223372036854775808 short {short} long {long}"),
        "+OK",
    );
    for (line, reply) in [
        ("OBJECT ENCODING none", "$-1"),
        ("OBJECT ENCODING n", "$3 int"),
        ("OBJECT ENCODING big", "$3 int"),
        ("OBJECT ENCODING bigger", "$6 embstr"),
        ("OBJECT ENCODING short", "$6 embstr"),
        ("OBJECT ENCODING long", "$3 raw"),
        ("object encoding long", "$3 raw"),
        ("COPY n m", ":1"),
        ("OBJECT ENCODING m", "$3 int"),
        ("SETRANGE n 0 4", ":3"),
        ("COPY n m REPLACE", ":1"),
        ("OBJECT ENCODING m", "$3 raw"),
        ("OBJECT REFCOUNT big", ":1"),
        ("SET n 9999", "+OK"),
        ("OBJECT REFCOUNT n", ":2147483647"),
        ("SET n 10000", "+OK"),
        ("OBJECT REFCOUNT n", ":1"),
        ("SET n -1", "+OK"),
        ("OBJECT REFCOUNT n", ":1"),
        ("INCR n", ":0"),
        ("OBJECT REFCOUNT n", ":2147483647"),
        ("OBJECT REFCOUNT none", "$-1"),
        ("SET n -1", "+OK"),
        ("OBJECT IDLETIME n", ":0"),
        ("OBJECT IDLETIME none", "$-1"),
        ("OBJECT FREQ n", LFU_ONLY),
        ("OBJECT FREQ none", "$-1"),
        ("OBJECT", "-ERR wrong number of arguments for 'object' command"),
        ("OBJECT FOO n", "-ERR unknown subcommand 'FOO'. Try OBJECT HELP."),
        ("OBJECT FREQ", "-ERR wrong number of arguments for 'object|freq' command"),
        ("OBJECT ENCODING a b", "-ERR wrong number of arguments for 'object|encoding' command"),
        ("OBJECT HELP x", "-ERR wrong number of arguments for 'object|help' command"),
    ] {
        node.check(line, reply);
    }
    // 7.0.15 says "Prints this help.".
    node.check_ours(
        "OBJECT HELP",
            "*15 +OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are: +ENCODING <key> +    Return \
             the kind of internal representation used in order to store the value +    associated with a <key>. \
             +FREQ <key> +    Return the access frequency index of the <key>. The returned integer is +    \
             proportional to the logarithm of the recent access frequency of the key. +IDLETIME <key> +    \
             Return the idle time of the <key>, that is the approximated number of +    seconds elapsed since \
             the last access to the key. +REFCOUNT <key> +    Return the number of references of the value \
             associated with the specified +    <key>. +HELP +    Print this help.",
    );
    node.configure("maxmemory-policy", "allkeys-lfu");
    node.check("OBJECT IDLETIME n", NO_LFU);
    node.check("OBJECT IDLETIME none", "$-1");
    node.configure("maxmemory-policy", "noeviction");
    node.run("GET n");
    node.sleep(5000);
    node.check("OBJECT IDLETIME n", ":5");
    node.check("EXISTS n", ":1");
    node.check("TTL n", ":-1");
    node.check("TYPE n", "+string");
    node.check("OBJECT IDLETIME n", ":5");
    node.check("TOUCH n", ":1");
    node.check("OBJECT IDLETIME n", ":0");
    TestNode::resp3().check("OBJECT ENCODING none", "_");
}

#[test]
fn what_changed_nothing_is_not_logged() {
    let mut node = TestNode::new();
    node.run("MSET a 1 b 2");
    for (line, words) in [
        ("DEL none", ""),
        ("DEL a none", "DEL a none"),
        ("UNLINK none", ""),
        ("UNLINK b", "UNLINK b"),
        ("RENAME a b", ""),
        ("SET a 1", "SET a 1"),
        ("RENAME a a", ""),
        ("RENAME a b", "RENAME a b"),
        ("COPY b c", "COPY b c"),
        ("COPY b c", ""),
        ("COPY b d DB 3", "COPY b d DB 3"),
        ("MOVE b 1", "MOVE b 1"),
        ("MOVE b 1", ""),
        ("EXISTS c", ""),
        ("TOUCH c", ""),
        ("SWAPDB 0 1", "SWAPDB 0 1"),
        ("SWAPDB 0 99", ""),
        ("FLUSHDB ASYNC", "FLUSHDB ASYNC"),
        ("FLUSHDB", "FLUSHDB"),
        ("FLUSHALL", "FLUSHALL"),
        ("FLUSHALL", "FLUSHALL"),
        ("FLUSHALL x", ""),
    ] {
        node.check_log(line, words);
    }
    node.run("MSET a 1 b 2");
    assert_eq!(node.dirty("DEL a b c"), 2);
    node.run("SET e v PX 10");
    node.sleep(11);
    node.check_log("DEL e", "expired e");
    node.run("SET e v PX 10");
    node.run("SET f v");
    node.sleep(11);
    node.check_log("RENAMENX f e", "expired e ; RENAMENX f e");
}
