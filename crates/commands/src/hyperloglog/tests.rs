//! The expectations are Redis 7.0.15's, asked by the harness; see `testing.rs`. What is compared with a
//! server byte by byte, after random histories, is in the black-box suites.

use crate::testing::TestNode;
use datatypes::hyperloglog::{Encoding, HllRef};

#[test]
fn elements_are_added_counted_and_merged() {
    let mut node = TestNode::new();
    for (line, reply) in [
        ("PFCOUNT h", ":0"),
        ("PFADD h", ":1"),
        ("PFADD h", ":0"),
        ("OBJECT ENCODING h", "$3 raw"),
        ("PFADD h a b c", ":1"),
        ("PFADD h a b c", ":0"),
        ("PFCOUNT h", ":3"),
        ("PFCOUNT h", ":3"),
        ("PFADD g c d", ":1"),
        ("PFCOUNT h g none", ":4"),
        ("PFMERGE h g none", "+OK"),
        ("PFCOUNT h", ":4"),
        ("PFMERGE new", "+OK"),
        ("PFCOUNT new", ":0"),
        ("PFDEBUG ENCODING h", "+sparse"),
        ("PFDEBUG DECODE new", "$7 Z:16384"),
        ("PFDEBUG todense h", ":1"),
        ("PFDEBUG todense h", ":0"),
        ("PFDEBUG encoding h", "+dense"),
        ("PFDEBUG decode h", "-ERR HLL encoding is not sparse"),
        ("PFCOUNT h", ":4"),
        ("STRLEN h", ":12304"),
        ("PFADD h a", ":0"),
        ("PFADD h e", ":1"),
        ("PFCOUNT h", ":5"),
        ("PFDEBUG NOSUCH h", "-ERR Unknown PFDEBUG subcommand 'NOSUCH'"),
        ("PFDEBUG GETREG none", "-ERR The specified key does not exist"),
        ("PFSELFTEST", "+OK"),
    ] {
        node.check(line, reply);
    }
    let registers = node.run("PFDEBUG GETREG g");
    assert!(registers.starts_with("*16384 :") && registers.contains(":1"));
    node.check_ours("PFDEBUG ENCODING g", "+dense");
}

#[test]
fn other_strings_are_refused() {
    let mut node = TestNode::new();
    let refused = "-WRONGTYPE Key is not a valid HyperLogLog string value.";
    for value in ["x", "12", "HYLL", "\"HYLL\\x02\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\""] {
        node.check(&format!("SET k {value}"), "+OK");
        for line in
            ["PFADD k a", "PFCOUNT k", "PFCOUNT none k", "PFMERGE d k", "PFMERGE k", "PFDEBUG GETREG k"]
        {
            node.check(line, refused);
        }
    }
    node.check("EXISTS d", ":0");
    let corrupted = "-INVALIDOBJ Corrupted HLL object detected";
    let bad = "\"HYLL\\x01\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\x80\\x7f\\xf0\"";
    node.check(&format!("SET k {bad}"), "+OK");
    for line in ["PFCOUNT k", "PFCOUNT none k", "PFMERGE d k", "PFDEBUG GETREG k", "PFDEBUG TODENSE k"] {
        node.check(line, corrupted);
    }
    // Rule 2: some of these lie in the registers that are there.
    let before = node.run("GET k");
    let many: Vec<String> = (0..2_000).map(|n| n.to_string()).collect();
    node.check_ours(&format!("PFADD k {}", many.join(" ")), corrupted);
    assert_eq!(node.run("GET k"), before);
}

#[test]
fn what_is_counted_is_kept_and_logged() {
    let mut node = TestNode::new();
    node.check_log("PFADD h a", "PFADD h a");
    node.check_log("PFADD h a", "");
    node.check_log("PFCOUNT h", "PFCOUNT h");
    node.check_log("PFCOUNT h", "");
    node.check_log("PFCOUNT h none", "");
    node.check_log("PFMERGE h", "PFMERGE h");
    node.check_log("PFCOUNT h", "PFCOUNT h");
    node.check_log("PFDEBUG ENCODING h", "");
    node.check_log("PFDEBUG GETREG h", "PFDEBUG GETREG h");
    node.check_log("PFDEBUG GETREG h", "");
    node.check_log("PFADD h a", "");
    node.check_log("PFADD h b c", "PFADD h b c");
    assert_eq!(node.dirty("PFADD new a b"), 3);
    node.check_log("PFADD new a b", "");
    node.check("EXPIRE new 100", ":1");
    node.run("PFADD new x y z");
    node.run("PFDEBUG TODENSE new");
    node.check("TTL new", ":100");
}

#[test]
fn the_limit_of_sparse_values_is_obeyed() {
    let mut node = TestNode::new();
    for (max, encoding) in [("0", "+dense"), ("20", "+dense"), ("100", "+sparse"), ("20000", "+sparse")] {
        node.configure("hll-sparse-max-bytes", max);
        node.check("FLUSHALL", "+OK");
        node.check("PFADD h a b c", ":1");
        node.check("PFDEBUG ENCODING h", encoding);
    }
    // Longer than a dense one, and than a record holds.
    for n in 0..300 {
        let many: Vec<String> = (0..100).map(|i| format!("{n}:{i}")).collect();
        node.run(&format!("PFADD h {}", many.join(" ")));
    }
    let value = node.run_words(&[&b"GET"[..], b"h"]);
    let start = value.iter().position(|byte| *byte == b'\n').expect("a bulk string") + 1;
    let hll = HllRef::of(&value[start..value.len() - 2]).expect("a HyperLogLog");
    let counted = hll.count().expect("a sound one");
    assert!((29_000..31_000).contains(&counted), "{counted}");
    assert_eq!(hll.encoding(), Encoding::Sparse);
    node.check_ours("PFCOUNT h", &format!(":{counted}"));
    // As other tests expect it of a reference server.
    node.configure("hll-sparse-max-bytes", "3000");
}
