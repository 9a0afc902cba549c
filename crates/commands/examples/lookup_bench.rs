//! How long does it take to find a command's row and its first key? The best of several runs, over a
//! pipeline of different commands, as they come.
//!
//!     cargo run --release -p ringslot-commands --example lookup_bench

use commands::Table;
use resp::{Args, OwnedBatch};
use std::hint::black_box;
use std::time::Instant;

fn best_ns(calls: &OwnedBatch, mut work: impl FnMut(Args<'_>)) -> f64 {
    const ROUNDS: usize = 50_000;
    let run = |_| {
        let start = Instant::now();
        for _ in 0..ROUNDS {
            for i in 0..calls.len() {
                work(black_box(calls.args(i)));
            }
        }
        start.elapsed().as_nanos() as f64 / (ROUNDS * calls.len()) as f64
    };
    (0..9).map(run).fold(f64::INFINITY, f64::min)
}

fn main() {
    let table = Table::standard();
    println!("ns a command              args alone    find   find, first_key, is_single_key");
    for (what, lines) in [
        ("GET", &["get k"][..]),
        ("GET, SET", &["GET key:000000012345", "SET key:000000012345 value"]),
        (
            "nine commands",
            &[
                "GET k",
                "SET k v",
                "INCR k",
                "MGET a b",
                "MSET a 1 b 2",
                "DEL k",
                "EXPIRE k 1",
                "PEXPIRETIME k",
                "INCRBYFLOAT k 1",
            ],
        ),
        ("CONFIG GET", &["CONFIG GET save"]),
    ] {
        let mut calls = OwnedBatch::new();
        for line in lines {
            let words: Vec<&str> = line.split(' ').collect();
            calls.push(OwnedBatch::of(&words).args(0));
        }
        let alone = best_ns(&calls, |args| {
            black_box(args);
        });
        let find = best_ns(&calls, |args| {
            black_box(table.find(args));
        });
        let all = best_ns(&calls, |args| {
            let (_, row) = table.find(args).expect("it is built");
            black_box((row.first_key(args), row.is_single_key(args)));
        });
        println!("{what:25} {alone:8.1} {find:9.1} {all:8.1}");
    }
}
