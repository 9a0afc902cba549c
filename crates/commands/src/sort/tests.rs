//! Where nothing else is said, the expectations are Redis 7.0.15's, asked by the harness; see `testing.rs`.

use crate::testing::TestNode;

fn with_list(values: &str) -> TestNode {
    let mut node = TestNode::new();
    let push = format!("RPUSH l {values}");
    node.check_log(&push, &push);
    node
}

#[test]
fn elements_come_in_order() {
    let mut node = with_list("10 9 -3 1.5 9 0");
    for (line, reply) in [
        ("SORT l", "*6 $2 -3 $1 0 $3 1.5 $1 9 $1 9 $2 10"),
        ("SORT l DESC LIMIT 1 2", "*2 $1 9 $1 9"),
        ("SORT l ALPHA", "*6 $2 -3 $1 0 $3 1.5 $2 10 $1 9 $1 9"),
        ("SORT l BY nosort", "*6 $2 10 $1 9 $2 -3 $3 1.5 $1 9 $1 0"),
        ("SORT l BY nosort DESC LIMIT 1 2", "*2 $1 9 $3 1.5"),
        ("SORT l LIMIT -5 2", "*2 $2 -3 $1 0"),
        ("SORT l LIMIT 10 2", "*0"),
        ("SORT l LIMIT 4 -1", "*2 $1 9 $2 10"),
        ("SORT l LIMIT 0 9223372036854775807 DESC ASC", "*6 $2 -3 $1 0 $3 1.5 $1 9 $1 9 $2 10"),
        ("SORT l LIMIT 1 x", "-ERR value is not an integer or out of range"),
        ("SORT l LIMIT 1", "-ERR syntax error"),
        ("SORT_RO l STORE d", "-ERR syntax error"),
        ("SORT none", "*0"),
        ("RPUSH l x", ":7"),
        ("SORT l", "-ERR One or more scores can't be converted into double"),
        ("SORT l STORE d", "-ERR One or more scores can't be converted into double"),
        ("SET s v", "+OK"),
        ("SORT s", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        ("SORT s NOSUCH", "-ERR syntax error"),
        ("COMMAND GETKEYS SORT a STORE x LIMIT 1 2 STORE b GET STORE", "*2 $1 a $1 b"),
        ("COMMAND GETKEYS SORT_RO a STORE b", "*1 $1 a"),
    ] {
        node.check(line, reply);
    }
}

#[test]
fn patterns_name_keys_and_fields() {
    let mut node = with_list("1 2 3");
    for (line, reply) in [
        ("MSET w1 30 w2 20 w3 10 n1 one n3 three", "+OK"),
        ("SORT l BY w*", "*3 $1 3 $1 2 $1 1"),
        (
            "SORT l BY w* GET n* GET # GET w* GET fixed",
            "*12 $5 three $1 3 $2 10 $-1 $-1 $1 2 $2 20 $-1 $3 one $1 1 $2 30 $-1",
        ),
        ("SORT l BY n* ALPHA", "*3 $1 2 $1 1 $1 3"),
        ("SORT l BY n*", "-ERR One or more scores can't be converted into double"),
        ("SORT l BY none*", "*3 $1 1 $1 2 $1 3"),
        ("SORT l BY w* STORE d GET n*", ":3"),
        ("LRANGE d 0 -1", "*3 $5 three $0  $3 one"),
        ("HSET h1 f 5 ->g 1", ":2"),
        ("HSET h2 f 4", ":1"),
        ("SORT l BY h*->f GET # GET h*->f GET h*->", "*9 $1 3 $-1 $-1 $1 2 $1 4 $-1 $1 1 $1 5 $-1"),
    ] {
        node.check(line, reply);
    }
}

#[test]
fn a_stored_result_takes_the_place_of_whatever_was_there() {
    let mut node = with_list("3 1 2");
    node.check("SET d v", "+OK");
    node.check_log("SORT l STORE d", "SORT l STORE d");
    node.check("LRANGE d 0 -1", "*3 $1 1 $1 2 $1 3");
    assert_eq!(node.dirty("SORT l STORE d LIMIT 0 2"), 2);
    node.check_log("SORT none STORE d", "SORT none STORE d");
    node.check_log("SORT none STORE d", "");
    node.check("SADD s b a c", ":3");
    node.check("SORT s BY nosort STORE l DESC", ":3");
    node.check("LRANGE l 0 -1", "*3 $1 c $1 b $1 a");
}

#[test]
fn texts_are_numbers_as_strtod_has_it() {
    let mut node = with_list("\" 2\" \"\" 0x10 inf -inf 1e3");
    node.check("SORT l", "*6 $4 -inf $0  $2  2 $4 0x10 $3 1e3 $3 inf");
    for bad in ["\"2 \"", "nan", "1e400", "\" \"", "x"] {
        let mut node = with_list(bad);
        node.check("SORT l", "-ERR One or more scores can't be converted into double");
    }
}

#[test]
fn patterns_are_refused_where_their_keys_may_be_elsewhere() {
    let mut node = TestNode::in_cluster();
    node.run("RPUSH l 1");
    node.check("SORT l BY w*", "-ERR BY option of SORT denied in Cluster mode.");
    node.check("SORT l GET #", "-ERR GET option of SORT denied in Cluster mode.");
    node.check("SORT l BY nosort", "*1 $1 1");
    let mut node = TestNode::new();
    node.at_home = |_| false;
    node.run("RPUSH {t}l 2 1");
    node.run("MSET {t}1 20 {t}2 10");
    node.check_ours("SORT {t}l BY {t}* GET {t}*", "*2 $2 10 $2 20");
    let refused = node.run("SORT {t}l BY w*");
    assert!(
        refused.starts_with("-ERR a BY or GET pattern of SORT names a key on another core."),
        "{refused}"
    );
}
