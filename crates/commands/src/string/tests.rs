//! The expectations are Redis 7.0.15's, asked by the harness; see `testing.rs`.

use crate::testing::{TestNode, NOW_MS};

#[test]
fn get_and_set() {
    let mut node = TestNode::new();
    for (line, reply) in [
        ("GET k", "$-1"),
        ("SET k v", "+OK"),
        ("GET k", "$1 v"),
        ("get K", "$-1"),
        ("SET k \"\"", "+OK"),
        ("GET k", "$0 "),
        ("SET k \"a b\\r\\nc\"", "+OK"),
        ("GET k", "$6 a b c"),
        ("GET", "-ERR wrong number of arguments for 'get' command"),
        ("GET a b", "-ERR wrong number of arguments for 'get' command"),
        ("SET k", "-ERR wrong number of arguments for 'set' command"),
        ("STRLEN k", ":6"),
        ("STRLEN none", ":0"),
        ("STRLEN", "-ERR wrong number of arguments for 'strlen' command"),
    ] {
        node.check(line, reply);
    }
    let mut node = TestNode::resp3();
    node.check("GET k", "_");
    node.check("SET k v", "+OK");
    node.check("GET k", "$1 v");
    node.check("SET k w NX", "_");
    node.check("SET k w GET", "$1 v");
    node.check("SET new w GET", "_");
    node.check("MGET k none", "*2 $1 w _");
    node.check("GETDEL none", "_");
    node.check("GETEX none", "_");
    node.check("GETSET none v", "_");
}

#[test]
fn set_obeys_its_conditions() {
    let mut node = TestNode::new();
    for (line, reply) in [
        ("SET k v XX", "$-1"),
        ("SET k v NX", "+OK"),
        ("SET k w nx", "$-1"),
        ("GET k", "$1 v"),
        ("SET k w xx", "+OK"),
        ("SET k x NX NX", "$-1"),
        ("SET k x XX XX", "+OK"),
        ("SET k v NX XX", "-ERR syntax error"),
        ("SET k v XX NX", "-ERR syntax error"),
        ("SET k v FOO", "-ERR syntax error"),
        ("SET k v \"\"", "-ERR syntax error"),
        ("SET k y GET", "$1 x"),
        ("SET k z get GET", "$1 y"),
        ("SET k a NX GET", "$1 z"),
        ("GET k", "$1 z"),
        ("SET k a XX GET", "$1 z"),
        ("SET new a XX GET", "$-1"),
        ("EXISTS new", ":0"),
        ("SET new a NX GET", "$-1"),
        ("GET new", "$1 a"),
    ] {
        node.check(line, reply);
    }
}

#[test]
fn set_gives_keeps_and_takes_an_expiry() {
    let mut node = TestNode::new();
    for (line, reply) in [
        ("SET k v EX 100", "+OK"),
        ("TTL k", ":100"),
        ("SET k v", "+OK"),
        ("TTL k", ":-1"),
        ("SET k v px 100000", "+OK"),
        ("TTL k", ":100"),
        ("SET k w KEEPTTL", "+OK"),
        ("TTL k", ":100"),
        ("GET k", "$1 w"),
        ("SET k w KEEPTTL KEEPTTL", "+OK"),
        ("SET none w KEEPTTL", "+OK"),
        ("TTL none", ":-1"),
        ("SET k v EX 10 EX 200", "+OK"),
        ("TTL k", ":200"),
        ("SET k v EXAT 99999999999", "+OK"),
        ("EXPIRETIME k", ":99999999999"),
        ("SET k v PXAT 99999999999123", "+OK"),
        ("PEXPIRETIME k", ":99999999999123"),
        ("SET k v NX EX 10", "$-1"),
        ("PEXPIRETIME k", ":99999999999123"),
        ("SET k v EX 10 KEEPTTL", "-ERR syntax error"),
        ("SET k v KEEPTTL EX 10", "-ERR syntax error"),
        ("SET k v EX 10 PX 10", "-ERR syntax error"),
        ("SET k v PX 10 EXAT 10", "-ERR syntax error"),
        ("SET k v PERSIST", "-ERR syntax error"),
        ("SET k v EX", "-ERR syntax error"),
        ("SET k v EX EX", "-ERR value is not an integer or out of range"),
        ("SET k v EX 1.5", "-ERR value is not an integer or out of range"),
        ("SET k v EX 9223372036854775808", "-ERR value is not an integer or out of range"),
        ("SET k v EX 0", "-ERR invalid expire time in 'set' command"),
        ("SET k v EX -1", "-ERR invalid expire time in 'set' command"),
        ("SET k v PX -1", "-ERR invalid expire time in 'set' command"),
        ("SET k v EXAT 0", "-ERR invalid expire time in 'set' command"),
        ("SET k v EX 9223372036854776", "-ERR invalid expire time in 'set' command"),
        ("SET k v EX 9223372036854775", "-ERR invalid expire time in 'set' command"),
        ("SET k v PX 9223372036854775807", "-ERR invalid expire time in 'set' command"),
        ("SET k v PXAT 9223372036854775807", "+OK"),
        ("SET k v NX EX 0", "-ERR invalid expire time in 'set' command"),
        ("SET k v EXAT 1", "+OK"),
        ("EXISTS k", ":0"),
        ("SETEX k 100 v", "+OK"),
        ("TTL k", ":100"),
        ("PSETEX k 100000 v", "+OK"),
        ("TTL k", ":100"),
        ("SETEX k 0 v", "-ERR invalid expire time in 'setex' command"),
        ("SETEX k -5 v", "-ERR invalid expire time in 'setex' command"),
        ("PSETEX k 0 v", "-ERR invalid expire time in 'psetex' command"),
        ("SETEX k x v", "-ERR value is not an integer or out of range"),
        ("PSETEX k 1.0 v", "-ERR value is not an integer or out of range"),
        ("SETEX k 10", "-ERR wrong number of arguments for 'setex' command"),
        ("PSETEX k 10", "-ERR wrong number of arguments for 'psetex' command"),
        ("SETNX k w", ":0"),
        ("SETNX new w", ":1"),
        ("GET new", "$1 w"),
        ("SETNX new", "-ERR wrong number of arguments for 'setnx' command"),
    ] {
        node.check(line, reply);
    }
    node.check("SET k v PX 100", "+OK");
    node.sleep(99);
    node.check("PTTL k", ":1");
    node.sleep(2);
    node.check("GET k", "$-1");
}

#[test]
fn getex_and_getdel() {
    let mut node = TestNode::new();
    for (line, reply) in [
        ("GETEX k", "$-1"),
        ("GETEX k EX 0", "$-1"),
        ("GETEX k NX", "-ERR syntax error"),
        ("SET k v", "+OK"),
        ("GETEX k", "$1 v"),
        ("TTL k", ":-1"),
        ("GETEX k EX 100", "$1 v"),
        ("TTL k", ":100"),
        ("GETEX k", "$1 v"),
        ("TTL k", ":100"),
        ("GETEX k PERSIST", "$1 v"),
        ("TTL k", ":-1"),
        ("GETEX k PERSIST PERSIST", "$1 v"),
        ("GETEX k PX 200000", "$1 v"),
        ("TTL k", ":200"),
        ("GETEX k EXAT 99999999999", "$1 v"),
        ("EXPIRETIME k", ":99999999999"),
        ("GETEX k PXAT 99999999999123", "$1 v"),
        ("PEXPIRETIME k", ":99999999999123"),
        ("GETEX k EX 10 PERSIST", "-ERR syntax error"),
        ("GETEX k PERSIST EX 10", "-ERR syntax error"),
        ("GETEX k KEEPTTL", "-ERR syntax error"),
        ("GETEX k GET", "-ERR syntax error"),
        ("GETEX k EX", "-ERR syntax error"),
        ("GETEX k EX 0", "-ERR invalid expire time in 'getex' command"),
        ("GETEX k PXAT -1", "-ERR invalid expire time in 'getex' command"),
        ("GETEX k EX x", "-ERR value is not an integer or out of range"),
        ("GETEX", "-ERR wrong number of arguments for 'getex' command"),
        ("GETEX k PXAT 1", "$1 v"),
        ("EXISTS k", ":0"),
        ("SET k v", "+OK"),
        ("GETDEL k", "$1 v"),
        ("GETDEL k", "$-1"),
        ("GETDEL", "-ERR wrong number of arguments for 'getdel' command"),
        ("GETSET k v", "$-1"),
        ("EXPIRE k 100", ":1"),
        ("GETSET k w", "$1 v"),
        ("TTL k", ":-1"),
        ("GETSET k", "-ERR wrong number of arguments for 'getset' command"),
    ] {
        node.check(line, reply);
    }
}

#[test]
fn integers_are_counted() {
    let mut node = TestNode::new();
    for (line, reply) in [
        ("INCR n", ":1"),
        ("INCR n", ":2"),
        ("INCRBY n 40", ":42"),
        ("DECR n", ":41"),
        ("DECRBY n 50", ":-9"),
        ("DECRBY n -9", ":0"),
        ("INCRBY n -10", ":-10"),
        ("GET n", "$3 -10"),
        ("SET n 9223372036854775807", "+OK"),
        ("INCR n", "-ERR increment or decrement would overflow"),
        ("INCRBY n 1", "-ERR increment or decrement would overflow"),
        ("DECR n", ":9223372036854775806"),
        ("SET n -9223372036854775808", "+OK"),
        ("DECR n", "-ERR increment or decrement would overflow"),
        ("DECRBY n 1", "-ERR increment or decrement would overflow"),
        ("DECRBY n -9223372036854775808", "-ERR decrement would overflow"),
        ("INCRBY n 9223372036854775807", ":-1"),
        ("SET n 1.5", "+OK"),
        ("INCR n", "-ERR value is not an integer or out of range"),
        ("SET n \" 1\"", "+OK"),
        ("INCR n", "-ERR value is not an integer or out of range"),
        ("SET n 01", "+OK"),
        ("INCR n", "-ERR value is not an integer or out of range"),
        ("SET n \"\"", "+OK"),
        ("INCR n", "-ERR value is not an integer or out of range"),
        ("SET n 10", "+OK"),
        ("INCRBY n x", "-ERR value is not an integer or out of range"),
        ("INCRBY n 1.0", "-ERR value is not an integer or out of range"),
        ("DECRBY n 9223372036854775808", "-ERR value is not an integer or out of range"),
        ("DECRBY n \" 1\"", "-ERR value is not an integer or out of range"),
        ("EXPIRE n 100", ":1"),
        ("INCR n", ":11"),
        ("TTL n", ":100"),
        ("OBJECT ENCODING n", "$3 int"),
        ("INCR", "-ERR wrong number of arguments for 'incr' command"),
        ("DECR", "-ERR wrong number of arguments for 'decr' command"),
        ("INCRBY n", "-ERR wrong number of arguments for 'incrby' command"),
        ("DECRBY n", "-ERR wrong number of arguments for 'decrby' command"),
    ] {
        node.check(line, reply);
    }
}

#[test]
fn floats_are_added_with_eighty_bits() {
    let mut node = TestNode::new();
    for (line, reply) in [
        ("INCRBYFLOAT f 10.50", "$4 10.5"),
        ("INCRBYFLOAT f 0.1", "$4 10.6"),
        ("INCRBYFLOAT f -5", "$3 5.6"),
        ("SET f 5.0e3", "+OK"),
        ("INCRBYFLOAT f 2.0e2", "$4 5200"),
        ("INCRBYFLOAT f 0", "$4 5200"),
        ("OBJECT ENCODING f", "$6 embstr"),
        ("INCRBY f 1", ":5201"),
        ("EXPIRE f 100", ":1"),
        ("INCRBYFLOAT f 1", "$4 5202"),
        ("TTL f", ":100"),
        ("INCRBYFLOAT f x", "-ERR value is not a valid float"),
        ("INCRBYFLOAT f \" 1\"", "-ERR value is not a valid float"),
        ("INCRBYFLOAT f \"1 \"", "-ERR value is not a valid float"),
        ("INCRBYFLOAT f \"\"", "-ERR value is not a valid float"),
        ("INCRBYFLOAT f nan", "-ERR value is not a valid float"),
        ("INCRBYFLOAT f inf", "-ERR increment would produce NaN or Infinity"),
        ("INCRBYFLOAT f -inf", "-ERR increment would produce NaN or Infinity"),
        ("SET f abc", "+OK"),
        ("INCRBYFLOAT f 1", "-ERR value is not a valid float"),
        ("SET f 0.1", "+OK"),
        ("INCRBYFLOAT f 0.2", "$3 0.3"),
        ("INCRBYFLOAT f 1e-18", "$3 0.3"),
        ("SET f 3", "+OK"),
        ("INCRBYFLOAT f -3", "$1 0"),
        ("INCRBYFLOAT f 17179869184", "$11 17179869184"),
        ("INCRBYFLOAT f 1.123456789123456789", "$29 17179869185.12345678918063641"),
        ("INCRBYFLOAT f", "-ERR wrong number of arguments for 'incrbyfloat' command"),
    ] {
        node.check(line, reply);
    }
}

#[test]
fn parts_of_strings() {
    let mut node = TestNode::new();
    for (line, reply) in [
        ("GETRANGE k 0 -1", "$0 "),
        ("SET k \"Hello World\"", "+OK"),
        ("GETRANGE k 0 3", "$4 Hell"),
        ("GETRANGE k 0 -1", "$11 Hello World"),
        ("GETRANGE k -4 -1", "$4 orld"),
        ("GETRANGE k 5 3", "$0 "),
        ("GETRANGE k -1 -5", "$0 "),
        ("GETRANGE k 5 5000", "$6  World"),
        ("GETRANGE k -5000 10000", "$11 Hello World"),
        ("GETRANGE k 0 -9223372036854775808", "$1 H"),
        ("GETRANGE k 100 200", "$0 "),
        ("SUBSTR k 1 2", "$2 el"),
        ("GETRANGE k a 1", "-ERR value is not an integer or out of range"),
        ("GETRANGE k 0 1.0", "-ERR value is not an integer or out of range"),
        ("GETRANGE none x 1", "-ERR value is not an integer or out of range"),
        ("GETRANGE k 0", "-ERR wrong number of arguments for 'getrange' command"),
        ("SUBSTR k 0", "-ERR wrong number of arguments for 'substr' command"),
        ("SET n 12345", "+OK"),
        ("GETRANGE n 1 2", "$2 23"),
        ("SETRANGE k 6 Redis", ":11"),
        ("GET k", "$11 Hello Redis"),
        ("SETRANGE k 12 !", ":13"),
        ("STRLEN k", ":13"),
        ("OBJECT ENCODING k", "$3 raw"),
        ("SETRANGE none 0 \"\"", ":0"),
        ("EXISTS none", ":0"),
        ("SETRANGE k 100 \"\"", ":13"),
        ("SETRANGE gap 3 x", ":4"),
        ("GET gap", "$4 \0\0\0x"),
        ("SETRANGE n 0 9", ":5"),
        ("GET n", "$5 92345"),
        ("OBJECT ENCODING n", "$3 raw"),
        ("INCR n", ":92346"),
        ("OBJECT ENCODING n", "$3 int"),
        ("SETRANGE k -1 x", "-ERR offset is out of range"),
        ("SETRANGE none -1 \"\"", "-ERR offset is out of range"),
        ("SETRANGE k x x", "-ERR value is not an integer or out of range"),
        ("SETRANGE k 536870912 x", "-ERR string exceeds maximum allowed size (proto-max-bulk-len)"),
        ("SETRANGE k 9223372036854775807 x", "-ERR string exceeds maximum allowed size (proto-max-bulk-len)"),
        ("SETRANGE none 536870912 x", "-ERR string exceeds maximum allowed size (proto-max-bulk-len)"),
        ("SETRANGE k 1", "-ERR wrong number of arguments for 'setrange' command"),
        ("APPEND a foo", ":3"),
        ("OBJECT ENCODING a", "$6 embstr"),
        ("APPEND a bar", ":6"),
        ("GET a", "$6 foobar"),
        ("OBJECT ENCODING a", "$3 raw"),
        ("APPEND i 1", ":1"),
        ("OBJECT ENCODING i", "$3 int"),
        ("APPEND i 2", ":2"),
        ("OBJECT ENCODING i", "$3 raw"),
        ("INCR i", ":13"),
        ("APPEND i \"\"", ":2"),
        ("EXPIRE a 100", ":1"),
        ("APPEND a !", ":7"),
        ("TTL a", ":100"),
        ("SETRANGE a 0 F", ":7"),
        ("TTL a", ":100"),
        ("APPEND e \"\"", ":0"),
        ("EXISTS e", ":1"),
        ("APPEND a", "-ERR wrong number of arguments for 'append' command"),
    ] {
        node.check(line, reply);
    }
    node.configure("proto-max-bulk-len", "1048576");
    node.check("SETRANGE k 1048576 x", "-ERR string exceeds maximum allowed size (proto-max-bulk-len)");
    node.check("SETRANGE k 1048575 x", ":1048576");
    node.check("APPEND k y", "-ERR string exceeds maximum allowed size (proto-max-bulk-len)");
}

#[test]
fn several_keys_at_once() {
    let mut node = TestNode::new();
    for (line, reply) in [
        ("MSET a 1 b 2", "+OK"),
        ("MGET a b none a", "*4 $1 1 $1 2 $-1 $1 1"),
        ("MSET a 1 b", "-ERR wrong number of arguments for 'mset' command"),
        ("MSET a", "-ERR wrong number of arguments for 'mset' command"),
        ("MSETNX a 1 b", "-ERR wrong number of arguments for 'msetnx' command"),
        ("MSETNX c 1 a 2", ":0"),
        ("EXISTS c", ":0"),
        ("MSETNX c 1 d 2 c 3", ":1"),
        ("MGET c d", "*2 $1 3 $1 2"),
        ("EXPIRE a 100", ":1"),
        ("MSET a 5 a 6", "+OK"),
        ("GET a", "$1 6"),
        ("TTL a", ":-1"),
        ("MGET", "-ERR wrong number of arguments for 'mget' command"),
    ] {
        node.check(line, reply);
    }
}

#[test]
fn lcs_in_all_its_forms() {
    let mut node = TestNode::new();
    for (line, reply) in [
        ("MSET a ohmytext b mynewtext", "+OK"),
        ("LCS a b", "$6 mytext"),
        ("LCS a b LEN", ":6"),
        ("LCS a b IDX", "*4 $7 matches *2 *2 *2 :4 :7 *2 :5 :8 *2 *2 :2 :3 *2 :0 :1 $3 len :6"),
        ("LCS a b IDX MINMATCHLEN 4", "*4 $7 matches *1 *2 *2 :4 :7 *2 :5 :8 $3 len :6"),
        ("LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN", "*4 $7 matches *1 *3 *2 :4 :7 *2 :5 :8 :4 $3 len :6"),
        (
            "LCS a b IDX MINMATCHLEN -3 withmatchlen",
            "*4 $7 matches *2 *3 *2 :4 :7 *2 :5 :8 :4 *3 *2 :2 :3 *2 :0 :1 :2 $3 len :6",
        ),
        ("LCS a b MINMATCHLEN 3", "$6 mytext"),
        ("LCS a none", "$0 "),
        ("LCS a none LEN", ":0"),
        ("LCS none none IDX", "*4 $7 matches *0 $3 len :0"),
        ("LCS a b LEN IDX", "-ERR If you want both the length and indexes, please just use IDX."),
        ("LCS a b FOO", "-ERR syntax error"),
        ("LCS a b MINMATCHLEN", "-ERR syntax error"),
        ("LCS a b MINMATCHLEN x", "-ERR value is not an integer or out of range"),
        ("LCS a", "-ERR wrong number of arguments for 'lcs' command"),
    ] {
        node.check(line, reply);
    }
    let mut node = TestNode::resp3();
    node.check("MSET a ohmytext b mynewtext", "+OK");
    node.check("LCS a b IDX MINMATCHLEN 4", "%2 $7 matches *1 *2 *2 :4 :7 *2 :5 :8 $3 len :6");
    let mut node = TestNode::new();
    node.configure("proto-max-bulk-len", "1048576");
    node.run("SETRANGE a 1000 x");
    node.run("SETRANGE b 1000 x");
    node.check_ours(
        "LCS a b",
        "-ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len",
    );
}

#[test]
fn replicas_get_absolute_times_and_results() {
    let mut node = TestNode::new();
    let in_10_s = NOW_MS + 10_000;
    for (line, words) in [
        ("SET k v", "SET k v".into()),
        ("SET k v EX 10", format!("SET k v PXAT {in_10_s}")),
        ("SET k v PX 10000", format!("SET k v PXAT {in_10_s}")),
        ("SET k v EXAT 99999999999", "SET k v PXAT 99999999999000".into()),
        ("SET k v PXAT 99999999999123", "SET k v PXAT 99999999999123".into()),
        ("SET k v PXAT 99999999999123 GET", "SET k v PXAT 99999999999123".into()),
        ("SET k v XX EX 10 GET", format!("SET k v PXAT {in_10_s}")),
        ("SET k v KEEPTTL", "SET k v KEEPTTL".into()),
        ("SET k get GET XX", "SET k get XX".into()),
        ("SET k v NX", String::new()),
        ("SET k v EX 0", String::new()),
        ("SETEX k 10 v", format!("SET k v PXAT {in_10_s}")),
        ("PSETEX k 10000 v", format!("SET k v PXAT {in_10_s}")),
        ("SETNX k v", String::new()),
        ("SETNX k2 v", "SETNX k2 v".into()),
        ("GETSET k w", "SET k w".into()),
        ("GETEX k", String::new()),
        ("GETEX k PERSIST", String::new()),
        ("GETEX k EX 10", format!("PEXPIREAT k {in_10_s}")),
        ("GETEX k PERSIST", "PERSIST k".into()),
        ("GETEX k PXAT 5", "DEL k".into()),
        ("GETDEL k2", "DEL k2".into()),
        ("GETDEL k2", String::new()),
        ("MSET a 1 b 2", "MSET a 1 b 2".into()),
        ("MSETNX a 1 c 2", String::new()),
        ("MSETNX c 1 d 2", "MSETNX c 1 d 2".into()),
        ("INCR a", "INCR a".into()),
        ("INCRBYFLOAT a 1.5", "SET a 3.5 KEEPTTL".into()),
        ("INCRBYFLOAT a x", String::new()),
        ("APPEND a x", "APPEND a x".into()),
        ("SETRANGE a 0 y", "SETRANGE a 0 y".into()),
        ("SETRANGE a 0 \"\"", String::new()),
        ("GET a", String::new()),
    ] {
        node.check_log(line, &words);
    }
    assert_eq!(node.dirty("MSET a 1 b 2 c 3"), 3);
    node.configure("lazyfree-lazy-expire", "yes");
    node.check_log("GETEX a PXAT 5", "UNLINK a");
    node.run("SET e v PX 10");
    node.sleep(11);
    node.check_log("SET e w NX", "expired e ; SET e w NX");
}

/// A value that was received apart is not copied, on its way in or out.
#[test]
fn a_large_value_is_kept_and_sent_as_it_is() {
    let big = vec![b'x'; 100_000];
    let mut node = TestNode::new();
    assert_eq!(node.run_words(&[&b"SET"[..], b"k", &big]), b"+OK\r\n");
    let reply = node.run_words(&[&b"GET"[..], b"k"]);
    assert_eq!(reply.len(), 100_000 + "$100000\r\n\r\n".len());
    assert_eq!(
        node.run_words(&[&b"GETRANGE"[..], b"k", b"10", b"59999"]).len(),
        59_990 + "$59990\r\n\r\n".len()
    );
    assert_eq!(node.run_words(&[&b"APPEND"[..], b"k", b"y"]), b":100001\r\n");

    let frame = format!("*3\r\n$3\r\nSET\r\n$1\r\nb\r\n${}\r\n", big.len()).into_bytes();
    let mut partial = resp::Partial::default();
    let mut batch = resp::Batch::new();
    let limits = resp::Limits { big_threshold: 1024, ..resp::Limits::default() };
    let state =
        resp::parse(&frame, &mut partial, &limits, 1, &mut batch).expect("a prefix of a command").state;
    assert!(matches!(state, resp::State::Big { len: 100_000, already: 0 }));
    partial.big_received([&big[..], b"\r\n"].concat());
    resp::parse(&frame, &mut partial, &limits, 1, &mut batch).expect("a command");
    let args = batch.args(&frame, 0);
    assert!(matches!(super::value_of(args, 2), keyspace::NewValue::Shared(kept, _) if kept.len() == 100_000));
    assert!(matches!(super::value_of(args, 1), keyspace::NewValue::Copy(b"b", _)));
    assert_eq!(node.execute(args), b"+OK\r\n");
    assert_eq!(node.run("STRLEN b"), ":100000");
}
