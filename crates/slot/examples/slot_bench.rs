//! How long does it take to find a key's slot? Ours beside the `crc16` crate, the best of several runs.
//!
//!     cargo run --release -p ringslot-slot --example slot_bench

use std::hint::black_box;
use std::time::Instant;

fn best_ns(mut work: impl FnMut()) -> f64 {
    const CALLS: u32 = 1_000_000;
    let run = |_| {
        let start = Instant::now();
        for _ in 0..CALLS {
            work();
        }
        start.elapsed().as_nanos() as f64 / f64::from(CALLS)
    };
    (0..9).map(run).fold(f64::INFINITY, f64::min)
}

fn main() {
    println!("ns a key          crc16 crate   crc16   slot_of");
    for len in [4, 8, 12, 16, 20, 32, 64, 250] {
        let key: Vec<u8> = (0..len).map(|i| b'a' + (i * 7 % 26) as u8).collect();
        let reference = best_ns(|| {
            black_box(crc16::State::<crc16::XMODEM>::calculate(black_box(&key)));
        });
        let crc = best_ns(|| {
            black_box(slot::crc16(black_box(&key)));
        });
        let of = best_ns(|| {
            black_box(slot::slot_of(black_box(&key)));
        });
        println!("{len:4} bytes        {reference:10.1}  {crc:7.1}  {of:7.1}");
    }
}
