//! The expectations are Redis 7.0.15's, asked by the harness; see `testing.rs`.

use crate::testing::TestNode;

#[test]
fn bits_are_set_got_and_counted() {
    let mut node = TestNode::new();
    for (line, reply) in [
        ("GETBIT k 0", ":0"),
        ("SETBIT k 7 1", ":0"),
        ("GET k", "$1 \u{1}"),
        ("SETBIT k 7 1", ":1"),
        ("GETBIT k 7", ":1"),
        ("GETBIT k 4294967295", ":0"),
        ("GETBIT k 4294967296", "-ERR bit offset is not an integer or out of range"),
        ("GETBIT k -1", "-ERR bit offset is not an integer or out of range"),
        ("SETBIT k 0 2", "-ERR bit is not an integer or out of range"),
        ("SETBIT k x 2", "-ERR bit offset is not an integer or out of range"),
        ("SET n 12", "+OK"),
        ("SETBIT n 0 0", ":0"),
        ("OBJECT ENCODING n", "$3 raw"),
        ("SET s foobar", "+OK"),
        ("BITCOUNT s", ":26"),
        ("BITCOUNT s 1 1", ":6"),
        ("BITCOUNT s 5 30 BIT", ":17"),
        ("BITCOUNT s -5 -10 NOSUCH", ":0"),
        ("BITCOUNT s 0 1 NOSUCH", "-ERR syntax error"),
        ("BITCOUNT s 0", "-ERR syntax error"),
        ("BITCOUNT none 0", ":0"),
        ("BITPOS s 1", ":1"),
        ("BITPOS s 0 -100 -200", ":0"),
        ("BITPOS s 2", "-ERR The bit argument must be 1 or 0."),
        ("BITPOS none 0", ":0"),
        ("BITPOS none 1", ":-1"),
        ("SETBIT f 7 1", ":0"),
        ("BITOP NOT f f", ":1"),
        ("BITPOS f 0 0 0 BIT", ":-1"),
        ("BITPOS f 0", ":7"),
        ("BITPOS f 0 0 6 BIT", ":-1"),
    ] {
        node.check(line, reply);
    }
}

#[test]
fn strings_are_combined() {
    let mut node = TestNode::new();
    for (line, reply) in [
        ("MSET a abcd b ab e \"\"", "+OK"),
        ("BITOP AND d a b", ":4"),
        ("GET d", "$4 ab\0\0"),
        ("BITOP xor d a a", ":4"),
        ("GET d", "$4 \0\0\0\0"),
        ("BITOP OR d none b", ":2"),
        ("GET d", "$2 ab"),
        ("OBJECT ENCODING d", "$3 raw"),
        ("EXPIRE d 100", ":1"),
        ("BITOP OR d b", ":2"),
        ("TTL d", ":-1"),
        ("BITOP NOT d a b", "-ERR BITOP NOT must be called with a single source key."),
        ("BITOP NOSUCH d a b", "-ERR syntax error"),
        ("BITOP AND d none e", ":0"),
        ("EXISTS d", ":0"),
    ] {
        node.check(line, reply);
    }
}

#[test]
fn fields_are_read_and_written() {
    let mut node = TestNode::new();
    for (line, reply) in [
        ("BITFIELD k", "*0"),
        ("BITFIELD k GET u8 0", "*1 :0"),
        ("EXISTS k", ":0"),
        ("BITFIELD k SET u8 #1 255 GET u8 8 INCRBY u8 #1 1", "*3 :0 :255 :0"),
        ("STRLEN k", ":2"),
        ("BITFIELD k OVERFLOW SAT INCRBY i8 0 1000 OVERFLOW FAIL INCRBY i8 0 1", "*2 :127 $-1"),
        ("BITFIELD k OVERFLOW SAT SET i8 0 -9223372036854775808 GET i8 0", "*2 :127 :127"),
        ("BITFIELD k SET u64 0 1", BAD_TYPE),
        ("BITFIELD k SET u8 0", "-ERR syntax error"),
        ("BITFIELD k OVERFLOW NOSUCH", "-ERR Invalid OVERFLOW type specified"),
        ("BITFIELD k SET u8 #-1 1", "-ERR bit offset is not an integer or out of range"),
        ("BITFIELD k SET u8 0 x", "-ERR value is not an integer or out of range"),
        ("BITFIELD k GET u4 #4611686018427387904", "*1 :7"),
        ("BITFIELD_RO k GET i8 0 GET u3 1", "*2 :127 :7"),
        ("BITFIELD_RO k SET i8 0 1", "-ERR BITFIELD_RO only supports the GET subcommand"),
        ("BITFIELD fail OVERFLOW FAIL SET u1 0 2", "*1 $-1"),
        ("GET fail", "$1 \0"),
    ] {
        node.check(line, reply);
    }
    let mut node = TestNode::resp3();
    node.check("BITFIELD k OVERFLOW FAIL SET u1 0 2", "*1 _");
}

const BAD_TYPE: &str =
    "-ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.";

#[test]
fn the_limit_of_lengths_is_obeyed() {
    let mut node = TestNode::new();
    node.configure("proto-max-bulk-len", "1mb");
    node.check("SETBIT k 8388608 1", "-ERR bit offset is not an integer or out of range");
    node.check("SETBIT k 8388607 1", ":0");
    node.check("STRLEN k", ":1048576");
    node.check("BITCOUNT k", ":1");
    node.check("BITPOS k 1", ":8388607");
    // The last field may end behind it.
    node.check("BITFIELD k SET i64 8388607 -1", "*1 :-9223372036854775808");
    node.check("STRLEN k", ":1048584");
    node.check("BITCOUNT k", ":64");
}

/// A change is logged as it was sent; what changes nothing is not logged, as in 7.2.
#[test]
fn only_changes_are_logged() {
    let mut node = TestNode::new();
    node.check_log("SETBIT k 3 0", "SETBIT k 3 0");
    node.check_log("SETBIT k 3 0", "");
    node.check_log("SETBIT k 3 1", "SETBIT k 3 1");
    node.check_log("BITFIELD k SET u8 0 16", "");
    node.check_log("BITFIELD k INCRBY u8 0 1 GET u8 0", "BITFIELD k INCRBY u8 0 1 GET u8 0");
    node.check_log("BITFIELD k GET u8 0", "");
    node.check_log("BITFIELD new OVERFLOW FAIL SET u1 0 2", "BITFIELD new OVERFLOW FAIL SET u1 0 2");
    node.check_log("BITFIELD new OVERFLOW FAIL SET u1 0 2", "");
    node.check_log("BITOP NOT d k", "BITOP NOT d k");
    node.check_log("BITOP NOT d none", "BITOP NOT d none");
    node.check_log("BITOP NOT d none", "");
    assert_eq!(node.dirty("BITFIELD k SET u8 0 1 SET u8 0 1 SET u8 0 2"), 2);
}

#[test]
fn an_expiry_stays_where_a_bit_is_written() {
    let mut node = TestNode::new();
    node.check("SET k abc EX 100", "+OK");
    node.check("SETBIT k 1 0", ":1");
    node.check("SETBIT k 1000 1", ":0");
    node.check("BITFIELD k SET u8 5000 1", "*1 :0");
    node.check("TTL k", ":100");
}

/// A huge value is written where it lies.
#[test]
fn a_bit_of_a_huge_value_costs_what_a_bit_costs() {
    let mut node = TestNode::new();
    node.run("SETBIT k 1073741824 1");
    node.run("BITCOUNT k");
    let start = std::time::Instant::now();
    for at in 0..2_000 {
        node.run(&format!("SETBIT k {} 1", at * 500_000));
        node.run(&format!("BITFIELD k INCRBY u16 {} 1", at * 500_000 + 16));
    }
    // 128 MB copied once each would be minutes.
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    node.check_ours("BITCOUNT k", ":4001");
}
