//! The expectations are Redis 7.0.15's, asked by the harness; see `testing.rs`. Encodings are Redis 7.2's:
//! 7.0 has no listpack lists.

use crate::testing::TestNode;

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";
const NOT_INTEGER: &str = "-ERR value is not an integer or out of range";

fn checked(lines: &[(&str, &str)]) -> TestNode {
    let mut node = TestNode::new();
    for (line, reply) in lines {
        node.check(line, reply);
    }
    node
}

#[test]
fn elements_are_pushed_and_popped_at_both_ends() {
    let mut node = checked(&[
        ("LPUSHX l a", ":0"),
        ("RPUSHX l a", ":0"),
        ("EXISTS l", ":0"),
        ("RPUSH l a b c", ":3"),
        ("LPUSH l 1 2 3", ":6"),
        ("LPUSHX l x", ":7"),
        ("RPUSHX l y z", ":9"),
        ("LRANGE l 0 -1", "*9 $1 x $1 3 $1 2 $1 1 $1 a $1 b $1 c $1 y $1 z"),
        ("LLEN l", ":9"),
        ("LPOP l", "$1 x"),
        ("RPOP l", "$1 z"),
        ("LPOP l 2", "*2 $1 3 $1 2"),
        ("RPOP l 2", "*2 $1 y $1 c"),
        ("LPOP l 0", "*0"),
        ("RPOP l 100", "*3 $1 b $1 a $1 1"),
        ("EXISTS l", ":0"),
        ("LPOP l", "$-1"),
        ("LPOP l 0", "*-1"),
        ("RPOP l 3", "*-1"),
        ("LLEN l", ":0"),
        ("LPOP l -1", "-ERR value is out of range, must be positive"),
        ("RPOP l x", "-ERR value is out of range, must be positive"),
        ("RPOP l 1 2", "-ERR wrong number of arguments for 'rpop' command"),
        ("LPOP l 1 2", "-ERR wrong number of arguments for 'lpop' command"),
    ]);
    node.check_log("RPUSH l a b", "RPUSH l a b");
    assert_eq!(node.dirty("LPUSH l a b c"), 3);
    assert_eq!(node.dirty("LPOP l 2"), 2);
    assert_eq!(node.dirty("LPOP l"), 1);
    node.check_log("LPOP l 0", "");
    node.check_log("LPUSHX none a", "");
    node.check_log("LPOP none", "");
    node.check_log("RPOP l 100", "RPOP l 100");
}

#[test]
fn elements_are_found_by_index_and_value() {
    let mut node = checked(&[
        ("LINDEX none x", "$-1"),
        ("LSET none x v", "-ERR no such key"),
        ("LINSERT none beside a b", "-ERR syntax error"),
        ("LINSERT none before a b", ":0"),
        ("RPUSH l a b c 1 2 3 c c", ":8"),
        ("LINDEX l 3", "$1 1"),
        ("LINDEX l -1", "$1 c"),
        ("LINDEX l 8", "$-1"),
        ("LINDEX l -9223372036854775808", "$-1"),
        ("LINDEX l x", NOT_INTEGER),
        ("LPOS l c", ":2"),
        ("LPOS l c RANK 2", ":6"),
        ("LPOS l c rank -1", ":7"),
        ("LPOS l c RANK 4", "$-1"),
        ("LPOS l c COUNT 0", "*3 :2 :6 :7"),
        ("LPOS l c COUNT 2 RANK -2", "*2 :6 :2"),
        ("LPOS l c COUNT 5 MAXLEN 7", "*2 :2 :6"),
        ("LPOS l c COUNT 0 MAXLEN 2", "*0"),
        ("LPOS l c MAXLEN 1 RANK -1", ":7"),
        ("LPOS l c RANK 9223372036854775807", "$-1"),
        ("LPOS l 01 COUNT 0", "*0"),
        ("LPOS none c", "$-1"),
        ("LPOS none c COUNT 1", "*0"),
        ("LPOS l c RANK", "-ERR syntax error"),
        ("LPOS l c NO 1", "-ERR syntax error"),
        ("LPOS l c COUNT -1", "-ERR COUNT can't be negative"),
        ("LPOS l c COUNT x", "-ERR COUNT can't be negative"),
        ("LPOS l c MAXLEN -1", "-ERR MAXLEN can't be negative"),
        (
            "LPOS l c RANK 0",
            "-ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use \
             negative to start from the end of the list",
        ),
        ("LSET l 0 A", "+OK"),
        ("LSET l -8 AA", "+OK"),
        ("LSET l 8 v", "-ERR index out of range"),
        ("LSET l -9 v", "-ERR index out of range"),
        ("LSET l x v", NOT_INTEGER),
        ("LINSERT l BEFORE c x", ":9"),
        ("LINSERT l after 3 4", ":10"),
        ("LINSERT l after none 4", ":-1"),
        ("LRANGE l 0 -1", "*10 $2 AA $1 b $1 x $1 c $1 1 $1 2 $1 3 $1 4 $1 c $1 c"),
        ("LREM l 1 c", ":1"),
        ("LREM l -1 c", ":1"),
        ("LREM l 0 none", ":0"),
        ("LREM l x c", NOT_INTEGER),
        ("LRANGE l 2 -1", "*6 $1 x $1 1 $1 2 $1 3 $1 4 $1 c"),
        ("LTRIM l 1 -2", "+OK"),
        ("LRANGE l -100 100", "*6 $1 b $1 x $1 1 $1 2 $1 3 $1 4"),
        ("LRANGE l 3 2", "*0"),
        ("LRANGE none 0 1", "*0"),
        ("LRANGE none 0 x", NOT_INTEGER),
        ("LTRIM none 0 1", "+OK"),
        ("LTRIM l 0 x", NOT_INTEGER),
        ("LTRIM l 4 2", "+OK"),
        ("EXISTS l", ":0"),
        ("RPUSH l a a", ":2"),
        ("LREM l 0 a", ":2"),
        ("EXISTS l", ":0"),
    ]);
    // 7.0 takes it for -1.
    node.check_ours(
        "LPOS l c RANK -9223372036854775808",
        "-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
    );
}

#[test]
fn elements_go_from_list_to_list() {
    let mut node = checked(&[
        ("LMOVE none d LEFT RIGHT", "$-1"),
        ("LMOVE none d LEFT MIDDLE", "-ERR syntax error"),
        ("RPOPLPUSH none d", "$-1"),
        ("RPUSH s a b c 1", ":4"),
        ("LMOVE s d left RIGHT", "$1 a"),
        ("RPOPLPUSH s d", "$1 1"),
        ("LRANGE d 0 -1", "*2 $1 1 $1 a"),
        ("LMOVE d d LEFT RIGHT", "$1 1"),
        ("LRANGE d 0 -1", "*2 $1 a $1 1"),
        ("RPOPLPUSH s s", "$1 c"),
        ("LRANGE s 0 -1", "*2 $1 c $1 b"),
        ("SET t x", "+OK"),
        ("LMOVE s t LEFT LEFT", WRONG_TYPE),
        ("LMOVE none t LEFT LEFT", "$-1"),
        ("LMOVE t s LEFT LEFT", WRONG_TYPE),
        ("LLEN s", ":2"),
        ("LMOVE s d LEFT LEFT", "$1 c"),
        ("LMOVE s s LEFT LEFT", "$1 b"),
        ("LMOVE s d LEFT LEFT", "$1 b"),
        ("EXISTS s", ":0"),
        ("LLEN d", ":4"),
    ]);
    node.check_log("RPOPLPUSH none d", "");
    node.check_log("RPOPLPUSH d e", "RPOPLPUSH d e");
    assert_eq!(node.dirty("LMOVE d d LEFT LEFT"), 1);
}

#[test]
fn the_first_list_of_several_is_popped() {
    let mut node = checked(&[
        ("LMPOP 1 none LEFT", "*-1"),
        ("RPUSH l a b c d e", ":5"),
        ("LMPOP 2 none l LEFT", "*2 $1 l *1 $1 a"),
        ("LMPOP 3 none none l right count 2", "*2 $1 l *2 $1 e $1 d"),
        ("SET t x", "+OK"),
        ("LMPOP 2 none t LEFT", WRONG_TYPE),
        ("LMPOP 3 none t l LEFT", WRONG_TYPE),
        ("LMPOP 2 l t LEFT COUNT 0", "-ERR count should be greater than 0"),
        ("LMPOP 2 l t LEFT COUNT x", "-ERR count should be greater than 0"),
        ("LMPOP 2 l t LEFT COUNT", "-ERR syntax error"),
        ("LMPOP 2 l t LEFT NO 1", "-ERR syntax error"),
        ("LMPOP 2 l t LEFT COUNT 1 COUNT 1", "-ERR syntax error"),
        ("LMPOP 2 l t UP", "-ERR syntax error"),
        ("LMPOP 2 l LEFT", "-ERR syntax error"),
        ("LMPOP 0 l LEFT", "-ERR numkeys should be greater than 0"),
        ("LMPOP x l LEFT", "-ERR numkeys should be greater than 0"),
        ("LMPOP 2 l t LEFT COUNT 9223372036854775807", "*2 $1 l *2 $1 b $1 c"),
        ("EXISTS l", ":0"),
    ]);
    // In Redis this runs into an index that has wrapped around.
    node.check_ours("LMPOP 9223372036854775807 l LEFT", "-ERR syntax error");
    node.run("RPUSH l a b c d e");
    node.check_log("LMPOP 2 none l LEFT", "LPOP l 1");
    node.check_log("LMPOP 1 l RIGHT COUNT 100", "RPOP l 4");
    node.check_log("LMPOP 1 l RIGHT", "");
}

#[test]
fn other_types_are_refused() {
    let mut node = TestNode::new();
    node.check("SET t x", "+OK");
    for line in [
        "LPUSH t a",
        "RPUSHX t a",
        "LLEN t",
        "LINDEX t x",
        "LSET t x v",
        "LINSERT t BEFORE a b",
        "LREM t 0 a",
        "LTRIM t 0 1",
        "LRANGE t 0 1",
        "LPOS t a",
        "LPOP t",
        "LPOP t 0",
        "RPOPLPUSH t t",
    ] {
        node.check(line, WRONG_TYPE);
    }
}

#[test]
fn what_changes_nothing_is_not_logged() {
    let mut node = TestNode::new();
    node.run("RPUSH l a b c");
    for line in
        ["LREM l 0 none", "LINSERT l AFTER none x", "LSET l 9 x", "LTRIM l 0 -1", "LPUSH", "LTRIM none 0 1"]
    {
        node.check_log(line, "");
    }
    node.check_log("LTRIM l 1 -1", "LTRIM l 1 -1");
    assert_eq!(node.dirty("LTRIM l 5 1"), 2);
    node.run("RPUSH l a b a c a");
    assert_eq!(node.dirty("LREM l -2 a"), 2);
    assert_eq!(node.dirty("LINSERT l BEFORE a x"), 1);
    assert_eq!(node.dirty("LSET l 0 y"), 1);
}

/// The encodings of 7.2 at its limits, and lists of many nodes.
#[test]
fn encodings_change_where_redis_changes_them() {
    let mut node = TestNode::new();
    let encoding = |node: &mut TestNode| node.run("OBJECT ENCODING l");
    let (small, large) = ("$8 listpack", "$9 quicklist");
    node.configure("list-max-listpack-size", "4");
    node.run("RPUSH l a b c d");
    assert_eq!(encoding(&mut node), small);
    node.run("LPUSH l e");
    assert_eq!(encoding(&mut node), large);
    for (line, after) in [
        ("LRANGE l 0 -1", large),
        ("LPOP l", large),
        ("RPOP l 2", small),
        // Moved into itself, it is looked at afterwards.
        ("RPUSH l c d", small),
        ("LINSERT l AFTER none x", large),
        ("LREM l 1 a", large),
        ("LREM l 1 b", small),
        ("RPUSH l e f", small),
        ("LSET l 100 x", large),
        ("LTRIM l 0 1", small),
        ("RPUSH l x y z", large),
        ("LTRIM l 0 2", large),
        ("RPOPLPUSH l l", large),
        ("RPOPLPUSH l m", small),
        ("RPUSH l x y z", large),
        // Of two nodes, one element each.
        ("LMPOP 1 l LEFT COUNT 3", large),
        ("LMPOP 1 l LEFT", small),
    ] {
        node.run(line);
        assert_eq!(encoding(&mut node), after, "{line}");
    }
    node.configure("list-max-listpack-size", "-2");
    node.run("DEL l");
    let long = "x".repeat(5000);
    node.run(&format!("RPUSH l {long}"));
    assert_eq!(encoding(&mut node), small);
    node.run(&format!("RPUSH l {long}"));
    assert_eq!(encoding(&mut node), large);
    node.run("LPOP l");
    assert_eq!(encoding(&mut node), large);
    node.run("LSET l 0 x");
    assert_eq!(encoding(&mut node), small);
}

#[test]
fn long_lists_are_read_moved_and_removed() {
    let mut node = TestNode::new();
    let all: Vec<String> = (0..20_000).map(|n| n.to_string()).collect();
    for some in all.chunks(5_000) {
        let end = some.last().expect("some").parse::<usize>().expect("a number") + 1;
        node.check(&format!("RPUSH l {}", some.join(" ")), &format!(":{end}"));
    }
    node.check("LINDEX l 12345", "$5 12345");
    node.check("LINDEX l -1", "$5 19999");
    node.check("LRANGE l 9999 10000", "*2 $4 9999 $5 10000");
    node.check("LPOS l 15000", ":15000");
    node.check("LPOS l 15000 RANK -1 MAXLEN 4999", "$-1");
    node.check("LINSERT l BEFORE 10000 x", ":20001");
    node.check("LSET l 10001 y", "+OK");
    node.check("LRANGE l 9999 10002", "*4 $4 9999 $1 x $1 y $5 10001");
    node.check("LREM l 0 x", ":1");
    node.check("RPOPLPUSH l m", "$5 19999");
    node.check("RPOPLPUSH l l", "$5 19998");
    node.check("LTRIM l 1 -2", "+OK");
    node.check("LLEN l", ":19997");
    let popped = node.run("RPOP l 19998");
    assert!(popped.starts_with("*19997 $5 19996 ") && popped.ends_with(" $1 2 $1 1 $1 0"));
    node.check_ours("EXISTS l", ":0");
}

#[test]
fn nulls_have_a_form_of_their_own_in_resp3() {
    let mut node = TestNode::resp3();
    for (line, reply) in [
        ("LPOP none", "_"),
        ("LPOP none 1", "_"),
        ("LMPOP 1 none LEFT", "_"),
        ("LMOVE none d LEFT LEFT", "_"),
        ("LPOS none x", "_"),
        ("LPOS none x COUNT 1", "*0"),
        ("RPUSH l 1 a", ":2"),
        ("LINDEX l 5", "_"),
        ("LRANGE l 0 -1", "*2 $1 1 $1 a"),
        ("LMPOP 1 l LEFT COUNT 2", "*2 $1 l *2 $1 1 $1 a"),
    ] {
        node.check(line, reply);
    }
}
