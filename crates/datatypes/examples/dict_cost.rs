//! What a dict costs beside the standard map: bytes of an element at a million, nanoseconds of a look-up.
//!
//!     cargo run --release -p ringslot-datatypes --example dict_cost [elements]

use datatypes::dict::Dict;
use std::collections::HashMap;
use std::time::Instant;

fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    status.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or(0) * 4096
}

fn key(n: usize) -> [u8; 16] {
    let mut key = *b"member:000000000";
    let mut rest = n.wrapping_mul(0x9e37_79b1) % 1_000_000_007;
    for byte in key[7..].iter_mut().rev() {
        *byte = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    key
}

/// Nanoseconds of each call, over all numbers below `elements`.
fn time(name: &str, elements: usize, mut call: impl FnMut(usize)) {
    let start = Instant::now();
    for n in 0..elements {
        call(n);
    }
    println!("    {name:<10} {:6.0} ns", start.elapsed().as_nanos() as f64 / elements as f64);
}

fn main() {
    let elements = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    // Reads in another order than that of the insertions.
    let mixed = |n: usize| n.wrapping_mul(7_368_787) % elements;
    for value_len in [0, 16] {
        let value = vec![b'v'; value_len];
        println!("{elements} keys of 16 bytes with values of {value_len}");

        let before = resident();
        let mut dict = Dict::new(42);
        println!("  dict");
        time("insert", elements, |n| assert!(dict.insert(&key(n), &value)));
        let each = |bytes: usize| bytes as f64 / elements as f64 - 16.0 - value_len as f64;
        println!(
            "    overhead   {:6.1} bytes, {:.1} resident",
            each(dict.memory()),
            each(resident() - before)
        );
        time("get", elements, |n| assert!(dict.get(&key(mixed(n))).is_some()));
        time("missing", elements, |n| assert!(dict.get(&key(n + elements)).is_none()));
        let mut state = 1u64;
        let mut draw = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state ^ state >> 33
        };
        time("random", elements, |_| assert!(dict.random(&mut draw).is_some()));
        time("remove", elements, |n| assert!(dict.remove(&key(mixed(n)))));
        drop(dict);

        let before = resident();
        let mut map: HashMap<Vec<u8>, Vec<u8>> = HashMap::new();
        println!("  std HashMap");
        time("insert", elements, |n| assert!(map.insert(key(n).to_vec(), value.clone()).is_none()));
        println!("    overhead          bytes, {:.1} resident", each(resident().saturating_sub(before)));
        time("get", elements, |n| assert!(map.contains_key(&key(mixed(n))[..])));
        time("missing", elements, |n| assert!(!map.contains_key(&key(n + elements)[..])));
        time("remove", elements, |n| assert!(map.remove(&key(mixed(n))[..]).is_some()));
    }
}
