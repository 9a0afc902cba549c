//! What does a key cost, in memory, and do deletions give it back?
//!
//!     cargo run --release -p ringslot-keyspace --example defrag_rss -- 5000000 [expiry]
//!
//! Keys and values are of 16 bytes. "Overhead" is resident memory less these 32 bytes a key.

use keyspace::{AccessClock, Form, Keyspace, NewValue, Setup};
use std::time::Instant;

/// Resident bytes of this process.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux has it");
    let pages: usize = statm.split(' ').nth(1).and_then(|field| field.parse().ok()).expect("a number");
    pages * 4096
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let count: u64 = arguments.next().map_or(5_000_000, |text| text.parse().expect("a number of keys"));
    let expiry = arguments.next().map(|_| 2_000_000_000_000);
    let mut keys = Keyspace::new(Setup { core: 0, cores: 1, databases: 1, hash_seed: 0x1234_5678_9abc_def1 });
    let before = resident();
    let tell = |what: &str, keys: &Keyspace| {
        let (resident, memory, len) = (resident() - before, keys.memory(), keys.len(0).max(1));
        println!(
            "{what:28} {:9} keys  {:7.1} MB resident, {:5.1} B/key overhead; records {:5.1} tables {:4.1} \
             unused {:5.1} B/key",
            keys.len(0),
            resident as f64 / 1e6,
            resident as f64 / len as f64 - 32.0,
            memory.records as f64 / len as f64,
            memory.tables as f64 / len as f64,
            memory.unused as f64 / len as f64,
        );
    };
    let name = |n: u64| format!("key:{n:012}");
    for n in 0..count {
        let key = name(n);
        let at = keys.locate(key.as_bytes());
        let value = NewValue::Copy(key.as_bytes(), Form::Auto);
        keys.insert(0, at, key.as_bytes(), value, expiry, AccessClock::new(1));
    }
    tell("filled", &keys);
    for n in (0..count).filter(|n| n % 3 != 0) {
        let key = name(n);
        let at = keys.locate(key.as_bytes());
        assert!(keys.remove(0, at, key.as_bytes()));
    }
    tell("two thirds deleted", &keys);
    let (mut calls, mut longest, start) = (0, 0, Instant::now());
    loop {
        let step = Instant::now();
        let progress = keys.defragment(1000, |_| true);
        longest = longest.max(step.elapsed().as_micros());
        calls += 1;
        if progress.done {
            break;
        }
    }
    tell("defragmented", &keys);
    println!(
        "{calls} steps of 1000, {:.1} s in all, the longest {longest} us",
        start.elapsed().as_secs_f64()
    );
    keys.flush_all();
    while keys.background(1000) {}
    while !keys.defragment(1000, |_| true).done {}
    println!("flushed: {:.1} MB resident", (resident() - before) as f64 / 1e6);
}
