//! Where nothing else is said, the expectations are Redis 7.0.15's, asked by the harness; see `testing.rs`. What came
//! with 7.2 (ZRANK WITHSCORE, the shortest text of a score) is checked alone.

use super::format_17_digits;
use crate::testing::TestNode;

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";
const NOT_FLOAT: &str = "-ERR value is not a valid float";

fn checked(lines: &[(&str, &str)]) -> TestNode {
    let mut node = TestNode::new();
    for (line, reply) in lines {
        node.check(line, reply);
    }
    node
}

#[track_caller]
fn check_encoding(node: &mut TestNode, key: &str, encoding: &str) {
    node.check_ours(&format!("OBJECT ENCODING {key}"), &format!("${} {encoding}", encoding.len()));
}

/// ZADD of `m0` to `m<count - 1>`, each with its number as score.
fn zadd_many(key: &str, count: usize) -> String {
    let pairs: String = (0..count).map(|i| format!(" {i} m{i}")).collect();
    format!("ZADD {key}{pairs}")
}

#[test]
fn members_get_scores_as_the_options_allow() {
    checked(&[
        ("ZADD z 1 a", ":1"),
        ("ZADD z 1 a", ":0"),
        ("ZADD z 2 a 3 b", ":1"),
        ("ZADD z CH 3 a 3 b 4 c", ":2"),
        ("ZADD z NX CH 9 a 5 d", ":1"),
        ("ZADD z XX CH 9 a 5 e", ":1"),
        ("ZADD z GT CH 8 a 10 b 1 e", ":2"),
        ("ZADD z LT CH 10 a 2 b", ":1"),
        ("ZADD z XX GT CH 0 a 11 c 1 f", ":1"),
        ("ZADD z INCR 1.5 a", "$4 10.5"),
        ("ZADD z INCR NX 1 a", "$-1"),
        ("ZADD z INCR XX 1 none", "$-1"),
        ("ZADD z INCR GT -1 a", "$-1"),
        ("ZADD z INCR LT 1 a", "$-1"),
        ("ZADD z INCR 0 a", "$4 10.5"),
        ("ZADD none XX INCR 1 a", "$-1"),
        ("ZADD none XX 1 a", ":0"),
        ("EXISTS none", ":0"),
        ("ZINCRBY z -0.5 a", "$2 10"),
        ("ZINCRBY z inf a", "$3 inf"),
        ("ZINCRBY z -inf a", "-ERR resulting score is not a number (NaN)"),
        ("ZINCRBY n 2 a", "$1 2"),
        ("ZRANGE z 0 -1 WITHSCORES", "*10 $1 e $1 1 $1 b $1 2 $1 d $1 5 $1 c $2 11 $1 a $3 inf"),
        ("ZADD z 1 a 1 a 2 a", ":0"),
        ("ZSCORE z a", "$1 2"),
    ]);
}

#[test]
fn zadd_refuses_what_contradicts() {
    let mut node = checked(&[
        ("ZADD z 1", "-ERR wrong number of arguments for 'zadd' command"),
        ("ZADD z 1 a 2", "-ERR syntax error"),
        ("ZADD z NX XX", "-ERR syntax error"),
        ("ZADD z NX XX 1 a", "-ERR XX and NX options at the same time are not compatible"),
        ("ZADD z GT LT 1 a", "-ERR GT, LT, and/or NX options at the same time are not compatible"),
        ("ZADD z GT NX 1 a", "-ERR GT, LT, and/or NX options at the same time are not compatible"),
        ("ZADD z LT NX 1 a", "-ERR GT, LT, and/or NX options at the same time are not compatible"),
        ("ZADD z INCR 1 a 2 b", "-ERR INCR option supports a single increment-element pair"),
        ("ZADD z x a", NOT_FLOAT),
        ("ZADD z 1 a nan b", NOT_FLOAT),
        ("ZADD z 1 a \"\" b", NOT_FLOAT),
        ("ZADD z \" 1\" b", NOT_FLOAT),
        ("ZINCRBY z x a", NOT_FLOAT),
        ("ZINCRBY z NX a", "-ERR syntax error"),
        ("EXISTS z", ":0"),
        ("SET s 1", "+OK"),
        ("ZADD s x a", NOT_FLOAT),
        ("ZADD s 1 a", WRONG_TYPE),
        ("ZINCRBY s 1 a", WRONG_TYPE),
        ("ZREM s a", WRONG_TYPE),
        ("ZRANGE s 0 -1", WRONG_TYPE),
        ("ZPOPMIN s", WRONG_TYPE),
        ("ZPOPMIN s 0", WRONG_TYPE),
        ("ZUNION 1 s", WRONG_TYPE),
        ("ZUNION 1 s NOSUCH", WRONG_TYPE),
        ("ZSCAN s 0 NOSUCH", WRONG_TYPE),
        ("ZRANGESTORE d s 0 -1", WRONG_TYPE),
    ]);
    node.check_log("ZADD z NX XX 1 a", "");
}

#[test]
fn what_changes_nothing_is_not_logged() {
    let mut node = TestNode::new();
    node.check_log("ZADD z 1 a 2 b", "ZADD z 1 a 2 b");
    node.check_log("ZADD z 1 a 2 b", "");
    node.check_log("ZADD z NX 5 a", "");
    node.check_log("ZADD z GT 0 a", "");
    node.check_log("ZINCRBY z 0 a", "");
    node.check_log("ZREM z x y", "");
    node.check_log("ZREMRANGEBYRANK z 5 9", "");
    node.check_log("ZPOPMIN none", "");
    node.check_log("ZPOPMIN z 0", "");
    node.check_log("ZUNIONSTORE d 1 none", "");
    node.check_log("ZRANGESTORE d none 0 -1", "");
    assert_eq!(node.dirty("ZADD z 1 a 5 b 6 c 7 d"), 3);
    assert_eq!(node.dirty("ZADD z XX GT 2 a 1 b"), 1);
    assert_eq!(node.dirty("ZREM z a x b"), 2);
    assert_eq!(node.dirty("ZREMRANGEBYSCORE z -inf inf"), 2);
    assert_eq!(node.dirty("ZREMRANGEBYSCORE z -inf inf"), 0);
    node.run("ZADD z 1 a 2 b 3 c");
    assert_eq!(node.dirty("ZUNIONSTORE d 1 z"), 1);
    assert_eq!(node.dirty("ZPOPMAX z 2"), 2);
    assert_eq!(node.dirty("ZPOPMAX z 2"), 1);
    node.check_log("ZUNIONSTORE d 1 none", "ZUNIONSTORE d 1 none");
}

#[test]
fn what_takes_from_several_keys_is_logged_as_what_it_did() {
    let mut node = TestNode::new();
    node.check("ZADD z 1 a 2 b 3 c 4 d 5 e", ":5");
    node.check_log("ZPOPMIN z", "ZPOPMIN z");
    node.check_log("ZMPOP 2 none z MAX", "ZPOPMAX z 1");
    node.check_log("BZPOPMIN none z 0", "ZPOPMIN z");
    node.check_log("BZMPOP 1 2 none z MAX COUNT 100", "ZPOPMAX z 2");
    node.check_log("ZMPOP 2 none z MAX", "");
}

#[test]
fn a_command_without_elements_waits() {
    let mut node = TestNode::new();
    for (line, keys, until_ms) in [
        ("BZPOPMIN a b 0", &["a", "b"][..], None),
        ("BZPOPMAX a 2", &["a"], Some(crate::testing::NOW_MS + 2000)),
        ("BZMPOP 0.5 2 a b MIN COUNT 3", &["a", "b"], Some(crate::testing::NOW_MS + 500)),
    ] {
        assert_eq!(node.run(line), "", "{line}");
        let wait = node.waiting.take().expect("it waits");
        assert_eq!(wait.keys, keys.iter().map(|key| key.as_bytes().to_vec()).collect::<Vec<_>>());
        assert_eq!(wait.wants, keyspace::ValueType::SortedSet);
        assert_eq!(wait.until_ms, until_ms);
    }
    node.check("BZPOPMIN a x", "-ERR timeout is not a float or out of range");
    node.check("BZPOPMIN a -1", "-ERR timeout is negative");
    node.check("BZMPOP 0 0 a MIN", "-ERR numkeys should be greater than 0");
    node.check("SET s 1", "+OK");
    node.check("BZPOPMIN a s 0", WRONG_TYPE);
    node.check("ZADD z 1 a", ":1");
    node.check("BZPOPMIN a z s 0", "*3 $1 z $1 a $1 1");
}

#[test]
fn ranges_of_every_kind() {
    checked(&[
        ("ZADD z 1 a 2 b 3 c 4 d", ":4"),
        ("ZRANGE z 0 1", "*2 $1 a $1 b"),
        ("ZRANGE z 0 1 REV", "*2 $1 d $1 c"),
        ("ZREVRANGE z 1 -2 WITHSCORES", "*4 $1 c $1 3 $1 b $1 2"),
        ("ZRANGE z (1 3 BYSCORE", "*2 $1 b $1 c"),
        ("ZRANGE z 3 (1 BYSCORE REV", "*2 $1 c $1 b"),
        ("ZRANGE z -inf +inf BYSCORE LIMIT 1 2", "*2 $1 b $1 c"),
        ("ZRANGE z +inf -inf BYSCORE REV LIMIT 1 2", "*2 $1 c $1 b"),
        ("ZRANGE z -inf +inf BYSCORE LIMIT 1 -1", "*3 $1 b $1 c $1 d"),
        ("ZRANGE z -inf +inf BYSCORE LIMIT -1 2", "*0"),
        ("ZRANGE z -inf +inf BYSCORE LIMIT 9 2", "*0"),
        ("ZRANGE z -inf +inf BYSCORE LIMIT 0 0", "*0"),
        ("ZRANGE z 0 -1 LIMIT 1 -1", "*4 $1 a $1 b $1 c $1 d"),
        ("ZRANGEBYSCORE z 2 3 WITHSCORES LIMIT 1 1", "*2 $1 c $1 3"),
        ("ZREVRANGEBYSCORE z 3 2 WITHSCORES", "*4 $1 c $1 3 $1 b $1 2"),
        ("ZCOUNT z (1 +inf", ":3"),
        ("ZCOUNT z 3 1", ":0"),
        ("ZCOUNT none x 1", "-ERR min or max is not a float"),
        ("ZADD l 0 a 0 b 0 c 0 d", ":4"),
        ("ZRANGEBYLEX l [b (d", "*2 $1 b $1 c"),
        ("ZREVRANGEBYLEX l + (b LIMIT 1 5", "*1 $1 c"),
        ("ZRANGE l + - BYLEX REV LIMIT 0 2", "*2 $1 d $1 c"),
        ("ZLEXCOUNT l - [c", ":3"),
        ("ZLEXCOUNT none c -", "-ERR min or max not valid string range item"),
        (
            "ZRANGE z 0 1 LIMIT 1 2",
            "-ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
        ),
        (
            "ZRANGEBYLEX z 0 1 WITHSCORES",
            "-ERR syntax error, WITHSCORES not supported in combination with BYLEX",
        ),
        ("ZREVRANGE z 0 1 REV", "-ERR syntax error"),
        ("ZRANGE z 0 1 BYSCORE BYLEX", "-ERR syntax error"),
        ("ZRANGEBYSCORE z 0 1 LIMIT 1", "-ERR syntax error"),
        ("ZRANGEBYSCORE z 0 1 LIMIT x 1", "-ERR value is not an integer or out of range"),
        ("ZRANGESTORE d z 0 1 WITHSCORES", "-ERR syntax error"),
        ("ZRANGE none 0 -1", "*0"),
        ("ZRANGESTORE d z 1 2 REV", ":2"),
        ("ZRANGE d 0 -1 WITHSCORES", "*4 $1 b $1 2 $1 c $1 3"),
        ("ZRANGESTORE d d (2 +inf BYSCORE", ":1"),
        ("ZRANGESTORE d z 10 20", ":0"),
        ("EXISTS d", ":0"),
        ("ZREMRANGEBYRANK z -1 -1", ":1"),
        ("ZREMRANGEBYSCORE z (1 2", ":1"),
        ("ZREMRANGEBYLEX l [b [c", ":2"),
        ("ZRANGE z 0 -1", "*2 $1 a $1 c"),
        ("ZREMRANGEBYLEX l - +", ":2"),
        ("EXISTS l", ":0"),
        ("ZREMRANGEBYRANK z x 1", "-ERR value is not an integer or out of range"),
        ("ZREMRANGEBYRANK none 0 1", ":0"),
    ]);
}

#[test]
fn ranks_are_counted_from_either_end() {
    let mut node = checked(&[
        ("ZADD z 1 a 2 b 3 c", ":3"),
        ("ZRANK z a", ":0"),
        ("ZREVRANK z a", ":2"),
        ("ZRANK z x", "$-1"),
        ("ZREVRANK none x", "$-1"),
    ]);
    node.check_ours("ZRANK z b WITHSCORE", "*2 :1 $1 2");
    node.check_ours("ZREVRANK z c withscore", "*2 :0 $1 3");
    node.check_ours("ZRANK z x WITHSCORE", "*-1");
    node.check_ours("ZRANK none x WITHSCORE", "*-1");
    node.check_ours("ZRANK z b WITHSCORES", "-ERR syntax error");
    node.check_ours("ZREVRANK z b WITHSCORE x", "-ERR wrong number of arguments for 'zrevrank' command");
}

#[test]
fn elements_are_taken_from_either_end() {
    checked(&[
        ("ZADD z 1 a 2 b 3 c 4 d 5 e 6 f", ":6"),
        ("ZPOPMIN z", "*2 $1 a $1 1"),
        ("ZPOPMAX z 2", "*4 $1 f $1 6 $1 e $1 5"),
        ("ZPOPMIN z 0", "*0"),
        ("ZPOPMIN z -1", "-ERR value is out of range, must be positive"),
        ("ZPOPMIN z x", "-ERR value is out of range, must be positive"),
        ("ZPOPMIN z 1 2", "-ERR syntax error"),
        ("ZPOPMIN none", "*0"),
        ("ZMPOP 2 none z MIN", "*2 $1 z *1 *2 $1 b $1 2"),
        ("ZMPOP 1 z MAX COUNT 9", "*2 $1 z *2 *2 $1 d $1 4 *2 $1 c $1 3"),
        ("ZMPOP 1 z MAX COUNT 9", "*-1"),
        ("EXISTS z", ":0"),
        ("ZMPOP 0 z MAX", "-ERR numkeys should be greater than 0"),
        ("ZMPOP 1 z MAX COUNT 0", "-ERR count should be greater than 0"),
        ("ZMPOP 1 z MAX COUNT 1 COUNT 1", "-ERR syntax error"),
        ("ZMPOP 1 z MAX COUNT", "-ERR syntax error"),
        ("ZMPOP 1 z LEFT", "-ERR syntax error"),
        ("ZMPOP 9 z MIN", "-ERR syntax error"),
    ]);
}

#[test]
fn resp3_has_pairs_and_doubles() {
    let mut node = TestNode::resp3();
    for (line, reply) in [
        ("ZADD z 1 a 2.5 b 3 c 4 d", ":4"),
        ("ZSCORE z b", ",2.5"),
        ("ZSCORE z x", "_"),
        ("ZMSCORE z a x", "*2 ,1 _"),
        ("ZINCRBY z 1 a", ",2"),
        ("ZADD z NX INCR 1 a", "_"),
        ("ZRANGE z 0 1 WITHSCORES", "*2 *2 $1 a ,2 *2 $1 b ,2.5"),
        ("ZUNION 1 z WITHSCORES", "*4 *2 $1 a ,2 *2 $1 b ,2.5 *2 $1 c ,3 *2 $1 d ,4"),
        ("ZRANDMEMBER z 9 WITHSCORES", "*4 *2 $1 d ,4 *2 $1 c ,3 *2 $1 b ,2.5 *2 $1 a ,2"),
        ("ZPOPMIN z", "*2 $1 a ,2"),
        ("ZPOPMIN z 1", "*1 *2 $1 b ,2.5"),
        ("ZMPOP 1 z MIN", "*2 $1 z *1 *2 $1 c ,3"),
        ("ZSCAN z 0", "*2 $1 0 *2 $1 d $1 4"),
        ("BZPOPMAX z 0", "*3 $1 z $1 d ,4"),
        ("ZMPOP 1 z MIN", "_"),
        ("ZRANDMEMBER z", "_"),
        ("ZPOPMIN z 3", "*0"),
    ] {
        node.check(line, reply);
    }
}

#[test]
fn sets_are_united_intersected_and_subtracted() {
    checked(&[
        ("ZADD x 1 a 2 b 3 c", ":3"),
        ("ZADD y 10 b 20 c 30 d", ":3"),
        ("SADD s b c e", ":3"),
        ("ZUNION 2 x y WITHSCORES", "*8 $1 a $1 1 $1 b $2 12 $1 c $2 23 $1 d $2 30"),
        ("ZUNION 2 x y WEIGHTS 2 -1 WITHSCORES", "*8 $1 d $3 -30 $1 c $3 -14 $1 b $2 -6 $1 a $1 2"),
        ("ZUNION 2 x y AGGREGATE MIN WITHSCORES", "*8 $1 a $1 1 $1 b $1 2 $1 c $1 3 $1 d $2 30"),
        ("ZINTER 3 x y s WITHSCORES", "*4 $1 b $2 13 $1 c $2 24"),
        ("ZINTER 2 x y AGGREGATE MAX WITHSCORES", "*4 $1 b $2 10 $1 c $2 20"),
        ("ZINTER 2 x none", "*0"),
        ("ZDIFF 2 x s WITHSCORES", "*2 $1 a $1 1"),
        ("ZDIFF 2 x x", "*0"),
        ("ZDIFF 3 s y none", "*1 $1 e"),
        ("ZINTERCARD 2 x y", ":2"),
        ("ZINTERCARD 2 x y LIMIT 1", ":1"),
        ("ZINTERCARD 2 x y LIMIT 0", ":2"),
        ("ZINTERCARD 2 x y LIMIT -1", "-ERR LIMIT can't be negative"),
        ("ZINTERCARD 2 x y WITHSCORES", "-ERR syntax error"),
        ("ZUNIONSTORE d 2 x s WEIGHTS 1 5 AGGREGATE SUM", ":4"),
        ("ZRANGE d 0 -1 WITHSCORES", "*8 $1 a $1 1 $1 e $1 5 $1 b $1 7 $1 c $1 8"),
        ("ZUNIONSTORE d 2 d d", ":4"),
        ("ZSCORE d c", "$2 16"),
        ("EXPIRE d 100", ":1"),
        ("ZINTERSTORE d 2 x y", ":2"),
        ("TTL d", ":-1"),
        ("ZDIFFSTORE d 2 x y", ":1"),
        ("ZDIFFSTORE d 2 x x", ":0"),
        ("EXISTS d", ":0"),
        ("SET d v", "+OK"),
        ("ZUNIONSTORE d 1 x", ":3"),
        ("TYPE d", "+zset"),
        ("ZUNION x x", "-ERR value is not an integer or out of range"),
        ("ZUNION 0 x", "-ERR at least 1 input key is needed for 'zunion' command"),
        ("ZDIFFSTORE d 0 x", "-ERR at least 1 input key is needed for 'zdiffstore' command"),
        ("ZINTERCARD -1 x", "-ERR at least 1 input key is needed for 'zintercard' command"),
        ("ZUNION 3 x y", "-ERR syntax error"),
        ("ZUNION 2 x y WEIGHTS 1", "-ERR syntax error"),
        ("ZUNION 2 x y WEIGHTS 1 x", "-ERR weight value is not a float"),
        ("ZUNION 2 x y AGGREGATE AVG", "-ERR syntax error"),
        ("ZUNIONSTORE d 2 x y WITHSCORES", "-ERR syntax error"),
        ("ZDIFF 2 x y WEIGHTS 1 2", "-ERR syntax error"),
        ("ZADD n -1 a 1 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", ":2"),
        ("ZUNIONSTORE d 1 n WEIGHTS 0", ":2"),
        ("ZSCORE d a", "$2 -0"),
        ("ZADD i inf a", ":1"),
        ("ZADD j -inf a", ":1"),
        ("ZUNION 2 i j WITHSCORES", "*2 $1 a $1 0"),
        ("ZINTER 2 i j WEIGHTS 0 1 WITHSCORES", "*2 $1 a $4 -inf"),
    ]);
}

#[test]
fn encodings_change_where_redis_changes_them() {
    let mut node = TestNode::new();
    let long = "x".repeat(65);
    node.run(&zadd_many("z", 128));
    check_encoding(&mut node, "z", "listpack");
    node.check_ours("ZADD z 1 m1 2 m2", ":0");
    check_encoding(&mut node, "z", "listpack");
    node.check_ours("ZADD z 200 m200", ":1");
    check_encoding(&mut node, "z", "skiplist");
    node.check_ours("ZUNIONSTORE small 1 z WEIGHTS 2", ":129");
    check_encoding(&mut node, "small", "skiplist");
    node.run("ZREM z m200");
    check_encoding(&mut node, "z", "skiplist");
    node.run("ZUNIONSTORE small 1 z");
    check_encoding(&mut node, "small", "listpack");
    node.run("ZRANGESTORE small z 0 -1");
    check_encoding(&mut node, "small", "listpack");
    node.run(&format!("ZADD l 1 {long}"));
    check_encoding(&mut node, "l", "skiplist");
    node.run("ZADD l2 1 a");
    node.run(&format!("ZADD l2 1 {long}"));
    check_encoding(&mut node, "l2", "skiplist");
    // So many words alone make it large (7.2).
    node.run("ZADD w 0 m0");
    node.run(&zadd_many("w", 129).replace("ZADD w", "ZADD w XX"));
    node.check_ours("OBJECT ENCODING w", "$8 skiplist");
    node.check_ours("ZCARD w", ":1");
}

#[test]
fn random_members_are_members() {
    let mut node = checked(&[
        ("ZRANDMEMBER none", "$-1"),
        ("ZRANDMEMBER none 5", "*0"),
        ("ZADD z 1 a", ":1"),
        ("ZRANDMEMBER z", "$1 a"),
        ("ZRANDMEMBER z 0", "*0"),
        ("ZRANDMEMBER z -3 WITHSCORES", "*6 $1 a $1 1 $1 a $1 1 $1 a $1 1"),
        ("ZRANDMEMBER z x", "-ERR value is not an integer or out of range"),
        ("ZRANDMEMBER z 1 WITHSCORE", "-ERR syntax error"),
        ("ZRANDMEMBER z 1 WITHSCORES x", "-ERR syntax error"),
        ("ZRANDMEMBER z -9223372036854775807 WITHSCORES", "-ERR value is out of range"),
    ]);
    node.check(
        "ZRANDMEMBER z -9223372036854775808",
        "-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
    );
    for count in [100, 300] {
        node.run("DEL z");
        node.run(&zadd_many("z", count));
        for line in ["ZRANDMEMBER z 40 WITHSCORES", "ZRANDMEMBER z 99 WITHSCORES"] {
            let reply = node.run(line);
            let words: Vec<&str> = reply.split(' ').skip(1).filter(|word| !word.starts_with('$')).collect();
            let mut seen = std::collections::HashSet::new();
            for pair in words.chunks(2) {
                assert_eq!(pair[0], format!("m{}", pair[1]));
                assert!(seen.insert(pair[0]), "different members");
            }
            assert!(line.contains(&seen.len().to_string()), "{line}");
        }
    }
}

#[test]
fn zscan_finds_every_member_with_its_score() {
    let mut node = checked(&[
        ("ZSCAN none 0", "*2 $1 0 *0"),
        ("ZSCAN none x", "-ERR invalid cursor"),
        ("ZADD z 1 a 2.5 b", ":2"),
        ("ZSCAN z 0", "*2 $1 0 *4 $1 a $1 1 $1 b $3 2.5"),
        ("ZSCAN z 0 MATCH b", "*2 $1 0 *2 $1 b $3 2.5"),
        ("ZSCAN z 0 COUNT 0", "-ERR syntax error"),
        ("ZSCAN z 0 NOVALUES", "-ERR syntax error"),
    ]);
    node.run(&zadd_many("z", 1000));
    node.run("ZADD z 0.1 m7");
    let (mut cursor, mut seen) = ("0".to_string(), std::collections::HashMap::new());
    loop {
        let reply = node.run(&format!("ZSCAN z {cursor} COUNT 50 MATCH m*"));
        let words: Vec<&str> = reply.split(' ').filter(|w| !w.starts_with(['$', '*'])).collect();
        for pair in words[1..].chunks(2) {
            seen.insert(pair[0].to_string(), pair[1].to_string());
        }
        cursor = words[0].to_string();
        if cursor == "0" {
            break;
        }
    }
    assert_eq!(seen.len(), 1000);
    assert_eq!(seen["m999"], "999");
    assert_eq!(seen["m7"], "0.10000000000000001");
}

#[test]
fn seventeen_digits_are_printed_as_c_does() {
    for (score, text) in [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (-1.5, "-1.5"),
        (0.1, "0.10000000000000001"),
        (100.0, "100"),
        (1e16, "10000000000000000"),
        (1e17, "1e+17"),
        (1.5e300, "1.5000000000000001e+300"),
        (0.0001, "0.0001"),
        (-0.00012, "-0.00012"),
        (0.00001, "1.0000000000000001e-05"),
        (1e-100, "1e-100"),
        // A tie: the last digit becomes even.
        (2f64.powi(-25), "2.9802322387695312e-08"),
        (f64::INFINITY, "inf"),
        (f64::NEG_INFINITY, "-inf"),
    ] {
        let mut found = Vec::new();
        format_17_digits(score, &mut found);
        assert_eq!(String::from_utf8(found).expect("ASCII"), text);
    }
}
