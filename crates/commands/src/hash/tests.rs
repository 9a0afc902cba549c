//! Where nothing else is said, the expectations are Redis 7.0.15's, asked by the harness; see `testing.rs`. Fields that
//! expire are those of the documentation of Redis 7.4 and 8 and Valkey 9.

use crate::testing::{TestNode, NOW_MS};

#[track_caller]
fn check_all(node: &mut TestNode, lines: &[(&str, &str)]) {
    lines.iter().for_each(|(line, reply)| node.check(line, reply));
}

/// Lines that the reference server does not know.
#[track_caller]
fn check_ours(node: &mut TestNode, lines: &[(&str, &str)]) {
    lines.iter().for_each(|(line, reply)| node.check_ours(line, reply));
}

/// A command with many fields: " f1 1 f2 2" for 1..=2.
fn pairs(range: impl Iterator<Item = usize>) -> String {
    range.map(|i| format!(" f{i} {i}")).collect()
}

#[test]
fn fields_are_set_read_and_removed() {
    let mut node = TestNode::new();
    check_all(
        &mut node,
        &[
            ("HSET h a 1", ":1"),
            ("HSET h a 2 b 3 a 4", ":1"),
            ("HGET h a", "$1 4"),
            ("HGET h x", "$-1"),
            ("HGET none x", "$-1"),
            ("HMSET h c x d \"\"", "+OK"),
            ("HMGET h a x c a d", "*5 $1 4 $-1 $1 x $1 4 $0 "),
            ("HMGET none a b", "*2 $-1 $-1"),
            ("HGETALL h", "*8 $1 a $1 4 $1 b $1 3 $1 c $1 x $1 d $0 "),
            ("HKEYS h", "*4 $1 a $1 b $1 c $1 d"),
            ("HVALS h", "*4 $1 4 $1 3 $1 x $0 "),
            ("HGETALL none", "*0"),
            ("HKEYS none", "*0"),
            ("HLEN h", ":4"),
            ("HLEN none", ":0"),
            ("HSTRLEN h c", ":1"),
            ("HSTRLEN h d", ":0"),
            ("HSTRLEN h x", ":0"),
            ("HSTRLEN none x", ":0"),
            ("HEXISTS h d", ":1"),
            ("HEXISTS h x", ":0"),
            ("HEXISTS none x", ":0"),
            ("HSETNX h a 9", ":0"),
            ("HSETNX h e 9", ":1"),
            ("HDEL h x", ":0"),
            ("HDEL h a a x b", ":2"),
            ("HDEL none x", ":0"),
            ("HDEL h c d e f", ":3"),
            ("EXISTS h", ":0"),
            ("HSET h a", "-ERR wrong number of arguments for 'hset' command"),
            ("HSET h a 1 b", "-ERR wrong number of arguments for 'hset' command"),
            ("HMSET h a 1 b", "-ERR wrong number of arguments for 'hmset' command"),
            ("EXISTS h", ":0"),
        ],
    );
}

#[test]
fn other_types_are_refused() {
    let mut node = TestNode::new();
    node.check("SET s x", "+OK");
    for line in [
        "HSET s a 1",
        "HSETNX s a 1",
        "HMSET s a 1",
        "HGET s a",
        "HMGET s a",
        "HDEL s a",
        "HLEN s",
        "HSTRLEN s a",
        "HEXISTS s a",
        "HGETALL s",
        "HKEYS s",
        "HVALS s",
        "HINCRBY s a 1",
        "HINCRBYFLOAT s a 1",
        "HRANDFIELD s",
        "HRANDFIELD s 1",
        "HSCAN s 0",
    ] {
        node.check(line, "-WRONGTYPE Operation against a key holding the wrong kind of value");
    }
    for line in [
        "HEXPIRE s 1 FIELDS 1 a",
        "HTTL s FIELDS 1 a",
        "HPERSIST s FIELDS 1 a",
        "HGETDEL s FIELDS 1 a",
        "HGETEX s FIELDS 1 a",
        "HSETEX s FIELDS 1 a 1",
    ] {
        node.check_ours(line, "-WRONGTYPE Operation against a key holding the wrong kind of value");
    }
}

#[test]
fn numbers_are_raised() {
    let mut node = TestNode::new();
    check_all(
        &mut node,
        &[
            ("HINCRBY h n 5", ":5"),
            ("HINCRBY h n -7", ":-2"),
            ("HINCRBY h n x", "-ERR value is not an integer or out of range"),
            ("HINCRBY h n 1.0", "-ERR value is not an integer or out of range"),
            ("HSET h t abc s \" 1\" m 9223372036854775807", ":3"),
            ("HINCRBY h t 1", "-ERR hash value is not an integer"),
            ("HINCRBY h s 1", "-ERR hash value is not an integer"),
            ("HINCRBY h m 1", "-ERR increment or decrement would overflow"),
            ("HINCRBY h m -1", ":9223372036854775806"),
            ("HINCRBYFLOAT h f 1.5", "$3 1.5"),
            ("HINCRBYFLOAT h f -0.25", "$4 1.25"),
            ("HINCRBYFLOAT h n 3", "$1 1"),
            ("HINCRBYFLOAT h f x", "-ERR value is not a valid float"),
            ("HINCRBYFLOAT h f nan", "-ERR value is not a valid float"),
            ("HINCRBYFLOAT h f inf", "-ERR value is NaN or Infinity"),
            ("HINCRBYFLOAT h t 1", "-ERR hash value is not a float"),
            ("HINCRBYFLOAT none t x", "-ERR value is not a valid float"),
            ("HINCRBY none t x", "-ERR value is not an integer or out of range"),
            ("EXISTS none", ":0"),
        ],
    );
    assert_eq!(node.dirty("HINCRBY h t 1"), 0, "an error changes nothing");
}

#[test]
fn encodings_change_at_the_thresholds() {
    let mut node = TestNode::new();
    node.configure("hash-max-listpack-entries", "4");
    node.configure("hash-max-listpack-value", "8");
    node.run(&format!("HSET a{}", pairs(1..=4)));
    node.check("OBJECT ENCODING a", "$8 listpack");
    node.run("HSETNX a f5 5");
    node.check("OBJECT ENCODING a", "$9 hashtable");
    node.run("HDEL a f5 f4 f3");
    node.check("OBJECT ENCODING a", "$9 hashtable");
    for (line, key, encoding) in [
        ("HSET b 12345678 12345678", "b", "$8 listpack"),
        ("HSET b 12345678 123456789", "b", "$9 hashtable"),
        ("HSETNX c 123456789 1", "c", "$9 hashtable"),
        // Redis 7.0 looks at the fields as they come, 7.2 at how many are announced.
        ("HSET n a 1 a 1 a 1 a 1 a 1", "n", "$9 hashtable"),
        ("HSET d f 12345678", "d", "$8 listpack"),
        ("HINCRBY d f 900000000", "d", "$9 hashtable"),
    ] {
        node.run(line);
        node.check_ours(&format!("OBJECT ENCODING {key}"), encoding);
    }
    node.check_ours("HEXPIRE a 10 FIELDS 1 f1", "*1 :1");
    node.check_ours("OBJECT ENCODING a", "$9 hashtable");
    node.run("HSET e a 1");
    node.check_ours("HEXPIRE e 10 FIELDS 1 a", "*1 :1");
    node.check_ours("OBJECT ENCODING e", "$10 listpackex");
}

#[test]
fn fields_are_drawn() {
    let mut node = TestNode::new();
    node.run("HSET h a 1 b 2 c 3");
    let bounds = "-9223372036854775807 and 9223372036854775807";
    check_all(
        &mut node,
        &[
            ("HRANDFIELD none", "$-1"),
            ("HRANDFIELD none 1", "*0"),
            ("HRANDFIELD none -1 WITHVALUES", "*0"),
            ("HRANDFIELD h 0", "*0"),
            ("HRANDFIELD h 3", "*3 $1 a $1 b $1 c"),
            ("HRANDFIELD h 10 withvalues", "*6 $1 a $1 1 $1 b $1 2 $1 c $1 3"),
            ("HRANDFIELD h x", "-ERR value is not an integer or out of range"),
            ("HRANDFIELD h 1 x", "-ERR syntax error"),
            ("HRANDFIELD h 1 WITHVALUES x", "-ERR syntax error"),
            ("HRANDFIELD h 9223372036854775807 WITHVALUES", "-ERR value is out of range"),
            ("HRANDFIELD h -4611686018427387904 WITHVALUES", "-ERR value is out of range"),
        ],
    );
    node.check_ours(
        "HRANDFIELD h -9223372036854775808",
        &format!("-ERR value is out of range, value must between {bounds}"),
    );
    for _ in 0..20 {
        let reply = node.run("HRANDFIELD h");
        assert!(["$1 a", "$1 b", "$1 c"].contains(&reply.as_str()), "{reply}");
        let reply = node.run("HRANDFIELD h -5 WITHVALUES");
        let words: Vec<&str> = reply.split(' ').collect();
        assert_eq!((words[0], words.len()), ("*10", 21));
        for pair in words[1..].chunks(4) {
            let at = b"abc".iter().position(|field| pair[1].as_bytes() == [*field]).expect("a field");
            assert_eq!(pair[3], (at + 1).to_string());
        }
        let reply = node.run("HRANDFIELD h 2");
        let words: Vec<&str> = reply.split(' ').collect();
        assert!(words[0] == "*2" && words[2] != words[4], "{reply}");
    }
    let mut node = TestNode::resp3();
    node.run("HSET h a 1 b 2");
    node.check("HRANDFIELD h 5 WITHVALUES", "*2 *2 $1 a $1 1 *2 $1 b $1 2");
    node.check("HRANDFIELD h 5", "*2 $1 a $1 b");
    node.check("HGETALL h", "%2 $1 a $1 1 $1 b $1 2");
    node.check("HGETALL none", "%0");
    node.check("HGET h x", "_");
}

#[test]
fn hashes_are_scanned() {
    let mut node = TestNode::new();
    node.run("HSET h a 1 ab 2 c 3");
    check_all(
        &mut node,
        &[
            ("HSCAN h 0", "*2 $1 0 *6 $1 a $1 1 $2 ab $1 2 $1 c $1 3"),
            ("HSCAN h 0 MATCH a* COUNT 1", "*2 $1 0 *4 $1 a $1 1 $2 ab $1 2"),
            ("HSCAN none 0 NOSUCH", "*2 $1 0 *0"),
            ("HSCAN h x", "-ERR invalid cursor"),
            ("HSCAN h 0 NOSUCH", "-ERR syntax error"),
            ("HSCAN h 0 COUNT 0", "-ERR syntax error"),
        ],
    );
    node.check_ours("HSCAN h 0 NOVALUES", "*2 $1 0 *3 $1 a $2 ab $1 c");
    node.run(&format!("HSET big{}", pairs(1..=1000)));
    node.run("HEXPIRE big 1 FIELDS 2 f7 f8");
    node.sleep(1001);
    let (mut cursor, mut seen) = ("0".to_string(), std::collections::BTreeSet::new());
    loop {
        let reply = node.run(&format!("HSCAN big {cursor} NOVALUES COUNT 50"));
        let words: Vec<&str> = reply.split(' ').collect();
        seen.extend(words[4..].chunks(2).map(|pair| pair[1].to_string()));
        cursor = words[2].to_string();
        if cursor == "0" {
            break;
        }
    }
    assert_eq!(seen.len(), 998, "all but the expired");
    assert!(!seen.contains("f7"));
}

#[test]
fn what_changed_is_logged() {
    let mut node = TestNode::new();
    node.check_log("HSET h a 1 b 2", "HSET h a 1 b 2");
    assert_eq!(node.dirty("HSET h a 1 b 2"), 2, "a value is set even if it was the same");
    node.check_log("HSETNX h a 1", "");
    node.check_log("HSETNX h c 1", "HSETNX h c 1");
    node.check_log("HINCRBY h c 1", "HINCRBY h c 1");
    node.check_log("HINCRBY h c x", "");
    node.check_log("HINCRBYFLOAT h c 0.5", "HSET h c 2.5");
    node.check_log("HDEL h x", "");
    node.check_log("HDEL h c x", "HDEL h c x");
    node.check_log("HGETALL h", "");
    node.check_log("HEXPIRE h 10 FIELDS 2 a x", &format!("HPEXPIREAT h {} FIELDS 1 a", NOW_MS + 10_000));
    node.check_log("HEXPIRE h 10 NX FIELDS 1 a", "");
    node.check_log(
        "HINCRBYFLOAT h a 1",
        &format!("HSET h a 2 ; HPEXPIREAT h {} FIELDS 1 a", NOW_MS + 10_000),
    );
    node.check_log("HPERSIST h FIELDS 3 x a b", "HPERSIST h FIELDS 1 a");
    node.check_log("HPERSIST h FIELDS 1 a", "");
    node.check_log("HEXPIRE h 0 FIELDS 3 x a a", "HDEL h a");
    node.check_log("HGETDEL h FIELDS 1 a", "");
    node.check_log("HGETDEL h FIELDS 2 b b", "HDEL h b");
    node.check("EXISTS h", ":0");
    node.check_log("HSETEX h FIELDS 1 a 1", "HSET h a 1");
    node.check_log(
        "HSETEX h PX 5 FIELDS 2 a 1 b 2",
        &format!("HSET h a 1 b 2 ; HPEXPIREAT h {} FIELDS 2 a b", NOW_MS + 5),
    );
    node.check_log("HSETEX h KEEPTTL FIELDS 1 a 3", "HSETEX h KEEPTTL FIELDS 1 a 3");
    node.check_log("HSETEX h FNX FIELDS 1 a 3", "");
    node.check_log("HGETEX h FIELDS 1 a", "");
    node.check_log("HGETEX h EX 1 FIELDS 2 a x", &format!("HPEXPIREAT h {} FIELDS 1 a", NOW_MS + 1000));
    node.check_log("HGETEX h PERSIST FIELDS 2 a x", "HPERSIST h FIELDS 1 a");
    node.check_log("HGETEX h PERSIST FIELDS 2 a x", "");
    node.check_log("HGETEX h PXAT 1 FIELDS 2 a x", "HDEL h a");
    node.check_log("HSETEX h EXAT 1 FIELDS 2 b 1 c 1", "HDEL h b");
    node.check_log("HSETEX h EXAT 1 FIELDS 1 c 1", "");
}

#[test]
fn fields_get_an_expiry_and_lose_it() {
    let mut node = TestNode::new();
    node.run("HSET h a 1 b 2 c 3");
    let at = |ms: u64| NOW_MS + ms;
    check_ours(
        &mut node,
        &[
            ("HEXPIRE h 10 FIELDS 3 a x b", "*3 :1 :-2 :1"),
            ("HPEXPIRE none 10 FIELDS 2 a b", "*2 :-2 :-2"),
            ("HTTL h FIELDS 4 a b c x", "*4 :10 :10 :-1 :-2"),
            ("HPTTL h FIELDS 1 a", "*1 :10000"),
            ("HTTL none FIELDS 1 a", "*1 :-2"),
            ("HEXPIRE h 20 NX FIELDS 2 a c", "*2 :0 :1"),
            ("HEXPIRE h 30 XX FIELDS 2 a x", "*2 :1 :-2"),
            ("HEXPIRE h 25 gt FIELDS 2 a b", "*2 :0 :1"),
            ("HEXPIRE h 22 LT FIELDS 3 a b c", "*3 :1 :1 :0"),
            ("HPTTL h FIELDS 3 a b c", "*3 :22000 :22000 :20000"),
            ("HPERSIST h FIELDS 3 a x a", "*3 :1 :-2 :-1"),
            ("HPERSIST none FIELDS 1 a", "*1 :-2"),
            ("HEXPIRE h 9 GT FIELDS 1 a", "*1 :0"),
            ("HEXPIRE h 9 LT FIELDS 1 a", "*1 :1"),
        ],
    );
    node.check_ours("HPEXPIRETIME h FIELDS 2 a x", &format!("*2 :{} :-2", at(9000)));
    node.check_ours("HEXPIRETIME h FIELDS 1 a", &format!("*1 :{}", at(9000) / 1000));
    node.check_ours(&format!("HPEXPIREAT h {} FIELDS 1 b", at(1499)), "*1 :1");
    node.check_ours("HTTL h FIELDS 1 b", "*1 :1");
    node.check_ours(&format!("HEXPIREAT h {} FIELDS 1 b", at(5000) / 1000), "*1 :1");
    node.check_ours("HPTTL h FIELDS 1 b", "*1 :5000");
    // A new value ends an expiry, an increment does not.
    node.check_ours("HSET h a 5", ":0");
    node.check_ours("HINCRBY h b 1", ":3");
    node.check_ours("HINCRBYFLOAT h b 1", "$1 4");
    node.check_ours("HTTL h FIELDS 2 a b", "*2 :-1 :5");
    // What has passed is gone at once, and so is the key with its last field.
    node.check_ours("HPEXPIREAT h 5 FIELDS 2 a a", "*2 :2 :-2");
    node.check_ours("HEXPIRE h 0 FIELDS 2 b c", "*2 :2 :2");
    node.check_ours("EXISTS h", ":0");
}

#[test]
fn arguments_of_field_expiries_are_checked() {
    let mut node = TestNode::new();
    node.run("HSET h a 1");
    let number = "-ERR numfields should be greater than 0 and match the provided number of fields";
    let integer = "-ERR value is not an integer or out of range";
    for (line, reply) in [
        ("HEXPIRE h 10 FIELDS 2 a", number),
        ("HEXPIRE h 10 FIELDS 1 a b", number),
        ("HEXPIRE h 10 FIELDS 0 a", number),
        ("HEXPIRE h 10 FIELDS -1 a", number),
        ("HEXPIRE h 10 FIELDS 9223372036854775807 a", number),
        ("HEXPIRE h 10 FIELDS x a", integer),
        ("HEXPIRE h x FIELDS 1 a", integer),
        ("HEXPIRE h 1.5 FIELDS 1 a", integer),
        ("HEXPIRE h 10 FOO FIELDS 1 a", "-ERR syntax error"),
        ("HEXPIRE h 10 NX 1 a", "-ERR syntax error"),
        ("HEXPIRE h 10 NX NX FIELDS", "-ERR syntax error"),
        (
            "HEXPIRE h 10 NX GT FIELDS 1 a",
            "-ERR NX and XX, GT or LT options at the same time are not compatible",
        ),
        ("HEXPIRE h 10 GT LT FIELDS 1 a", "-ERR GT and LT options at the same time are not compatible"),
        ("HEXPIRE h 10 XX LT FIELDS 1 a", "-ERR syntax error"),
        ("HEXPIRE h -1 FIELDS 1 a", "-ERR invalid expire time in 'hexpire' command"),
        ("HPEXPIRE h 9223372036854775807 FIELDS 1 a", "-ERR invalid expire time in 'hpexpire' command"),
        ("HEXPIREAT h 9223372036854775 FIELDS 1 a", "*1 :1"),
        ("HEXPIREAT h 9223372036854776 FIELDS 1 a", "-ERR invalid expire time in 'hexpireat' command"),
        ("HPEXPIREAT h -1 FIELDS 1 a", "-ERR invalid expire time in 'hpexpireat' command"),
        ("HEXPIRE h 10 FIELDS 1", "-ERR wrong number of arguments for 'hexpire' command"),
        ("HTTL h 1 a b", "-ERR syntax error"),
        ("HTTL h FIELDS 2 a", number),
        ("HTTL h FIELDS x a", integer),
        ("HPERSIST h FIELDS 0 a", number),
        ("HPERSIST h FOO 1 a", "-ERR syntax error"),
        ("HGETDEL h FIELDS 2 a", number),
        ("HGETDEL h FOO 1 a", "-ERR syntax error"),
        ("HGETEX h EX 10 PX 10 FIELDS 1 a", "-ERR syntax error"),
        ("HGETEX h EX 10 PERSIST FIELDS 1 a", "-ERR syntax error"),
        ("HGETEX h KEEPTTL FIELDS 1 a", "-ERR syntax error"),
        ("HGETEX h EX FIELDS 1 a", integer),
        ("HGETEX h EX -1 FIELDS 1 a", "-ERR invalid expire time in 'hgetex' command"),
        ("HGETEX h FIELDS 2 a", number),
        ("HGETEX h EX 10 PERSIST", "-ERR syntax error"),
        ("HSETEX h FIELDS 1 a", "-ERR wrong number of arguments for 'hsetex' command"),
        ("HSETEX h FIELDS 1 a 1 b", number),
        ("HSETEX h FIELDS 2 a 1", number),
        ("HSETEX h FNX FXX FIELDS 1 a 1", "-ERR syntax error"),
        ("HSETEX h EX 10 KEEPTTL FIELDS 1 a 1", "-ERR syntax error"),
        ("HSETEX h PERSIST FIELDS 1 a 1", "-ERR syntax error"),
        ("HSETEX h PX 9223372036854775807 FIELDS 1 a 1", "-ERR invalid expire time in 'hsetex' command"),
    ] {
        node.check_ours(line, reply);
    }
    node.check_ours("HGETALL h", "*2 $1 a $1 1");
}

#[test]
fn two_things_are_done_at_once() {
    let mut node = TestNode::new();
    check_ours(
        &mut node,
        &[
            ("HSETEX h FXX FIELDS 1 a 1", ":0"),
            ("EXISTS h", ":0"),
            ("HSETEX h FNX EX 10 FIELDS 2 a 1 b 2", ":1"),
            ("HSETEX h FNX FIELDS 2 c 1 b 2", ":0"),
            ("HSETEX h FXX FIELDS 2 c 1 b 2", ":0"),
            ("HTTL h FIELDS 3 a b c", "*3 :10 :10 :-2"),
            ("HSETEX h fxx keepttl FIELDS 1 a 3", ":1"),
            ("HSETEX h FIELDS 1 b 4", ":1"),
            ("HTTL h FIELDS 2 a b", "*2 :10 :-1"),
            ("HGETEX h FIELDS 3 a b c", "*3 $1 3 $1 4 $-1"),
            ("HGETEX h EX 20 FIELDS 3 a b c", "*3 $1 3 $1 4 $-1"),
            ("HTTL h FIELDS 2 a b", "*2 :20 :20"),
            ("HGETEX h PERSIST FIELDS 1 a", "*1 $1 3"),
            ("HTTL h FIELDS 2 a b", "*2 :-1 :20"),
            ("HGETEX none EX 20 FIELDS 2 a b", "*2 $-1 $-1"),
            ("HGETEX h PX 0 FIELDS 1 a", "*1 $1 3"),
            ("HEXISTS h a", ":0"),
            ("HSETEX h EX 0 FIELDS 2 b 1 c 2", ":1"),
            ("EXISTS h", ":0"),
            ("HSET h a 1 b 2 c 3", ":3"),
            ("HGETDEL h FIELDS 3 a x a", "*3 $1 1 $-1 $-1"),
            ("HGETDEL none FIELDS 1 a", "*1 $-1"),
            ("HGETDEL h FIELDS 2 b c", "*2 $1 2 $1 3"),
            ("EXISTS h", ":0"),
        ],
    );
}

/// Both forms of a hash: `fields` more make it large.
fn with_expired(fields: usize) -> TestNode {
    let mut node = TestNode::new();
    node.run("HSET h a 1 b 2 c 3");
    if fields > 0 {
        node.run(&format!("HSET h{}", pairs(1..=fields)));
    }
    node.run("HPEXPIRE h 100 FIELDS 2 a b");
    node.sleep(101);
    node
}

#[test]
fn expired_fields_are_not_shown() {
    for (fields, len) in [(0, 1), (600, 601)] {
        let mut node = with_expired(fields);
        check_ours(
            &mut node,
            &[
                ("HGET h a", "$-1"),
                ("HMGET h a c", "*2 $-1 $1 3"),
                ("HEXISTS h a", ":0"),
                ("HSTRLEN h a", ":0"),
                ("HTTL h FIELDS 2 a c", "*2 :-2 :-1"),
                ("HPERSIST h FIELDS 1 a", "*1 :-2"),
                ("HEXPIRE h 10 FIELDS 1 a", "*1 :-2"),
                ("HGETDEL h FIELDS 1 a", "*1 $-1"),
                ("HGETEX h EX 10 FIELDS 1 a", "*1 $-1"),
                ("HSETEX h FXX FIELDS 1 a 1", ":0"),
            ],
        );
        for (line, header) in [
            ("HGETALL h", format!("*{}", 2 * len)),
            ("HKEYS h", format!("*{len}")),
            ("HVALS h", format!("*{len}")),
            ("HRANDFIELD h 1000", format!("*{len}")),
            ("HLEN h", format!(":{}", len + 2)),
        ] {
            let reply = node.run(line);
            let words: Vec<&str> = reply.split(' ').collect();
            assert_eq!(words[0], header, "{line}");
            assert!(!words.contains(&"a"), "{line}");
        }
    }
    let mut node = TestNode::new();
    node.run("HSETEX h PX 5 FIELDS 2 a 1 b 2");
    node.sleep(6);
    check_ours(
        &mut node,
        &[
            ("HGETALL h", "*0"),
            ("HRANDFIELD h", "$-1"),
            ("HRANDFIELD h 5", "*0"),
            ("HRANDFIELD h -5", "*0"),
            ("HSCAN h 0", "*2 $1 0 *0"),
        ],
    );
}

#[test]
fn writes_end_the_expired_fields_that_they_meet() {
    for fields in [0, 600] {
        for (line, reply, log) in [
            ("HSET h a 5", ":1", "HSET h a 5"),
            ("HSETNX h a 5", ":1", "HDEL h a ; HSETNX h a 5"),
            ("HINCRBY h a 5", ":5", "HDEL h a ; HINCRBY h a 5"),
            ("HINCRBYFLOAT h a 5", "$1 5", "HSET h a 5"),
            ("HSETEX h FNX KEEPTTL FIELDS 1 a 5", ":1", "HDEL h a ; HSETEX h FNX KEEPTTL FIELDS 1 a 5"),
            ("HSETEX h FIELDS 1 a 5", ":1", "HSET h a 5"),
        ] {
            let mut node = with_expired(fields);
            node.check_log(line, log);
            node.check_ours("HMGET h a b", "*2 $1 5 $-1");
            node.check_ours("HTTL h FIELDS 1 a", "*1 :-1");
            let mut node = with_expired(fields);
            node.check_ours(line, reply);
        }
        let mut node = with_expired(fields);
        node.check_log("HDEL h a x", "HDEL h a x");
        let mut node = with_expired(fields);
        let before: i64 = node.run("HLEN h")[1..].parse().expect("a number");
        node.check_ours("HDEL h a b", ":0");
        node.check_ours("HLEN h", &format!(":{}", before - 2));
    }
}
