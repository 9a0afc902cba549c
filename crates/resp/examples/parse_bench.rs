//! What do parsing a request and wording a reply cost? The best of several runs, in ns a command.
//!
//!     cargo run --release -p ringslot-resp --example parse_bench

use resp::{parse, Batch, Limits, Partial, Protocol, Reply, State};
use std::hint::black_box;
use std::time::Instant;

fn best_ns(per: usize, mut work: impl FnMut()) -> f64 {
    let calls = 2_000_000 / per;
    let run = |_| {
        let start = Instant::now();
        for _ in 0..calls {
            work();
        }
        start.elapsed().as_nanos() as f64 / (calls * per) as f64
    };
    (0..9).map(run).fold(f64::INFINITY, f64::min)
}

fn command(args: &[&[u8]]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", args.len()).into_bytes();
    for arg in args {
        bytes.extend_from_slice(format!("${}\r\n", arg.len()).as_bytes());
        bytes.extend_from_slice(arg);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

fn main() {
    let (key, value) = (&b"key:000000012345"[..], &[b'v'; 64][..]);
    let many: Vec<&[u8]> = std::iter::once(&b"MSET"[..]).chain(std::iter::repeat_n(key, 200)).collect();
    let (limits, mut partial, mut batch) = (Limits::default(), Partial::default(), Batch::new());
    println!("parsing, ns a command");
    for (name, one, pipeline) in [
        ("GET, pipeline 1", command(&[b"GET", key]), 1),
        ("GET, pipeline 16", command(&[b"GET", key]), 16),
        ("GET, pipeline 64", command(&[b"GET", key]), 64),
        ("SET of 64 bytes, pipeline 16", command(&[b"SET", key, value]), 16),
        ("MSET of 200 arguments", command(&many), 1),
        ("inline GET, pipeline 16", b"GET key:000000012345\r\n".to_vec(), 16),
    ] {
        let buffer = one.repeat(pipeline);
        let ns = best_ns(pipeline, || {
            let progress = parse(black_box(&buffer), &mut partial, &limits, 64, &mut batch).unwrap();
            assert_eq!((progress.state, batch.len()), (State::Complete, pipeline));
            black_box(&batch);
        });
        println!("    {name:30} {ns:7.1}");
    }
    let buffer = command(&[b"GET", key]).repeat(16);
    let ns = best_ns(16, || {
        parse(black_box(&buffer), &mut partial, &limits, 64, &mut batch).unwrap();
        for i in 0..batch.len() {
            let args = batch.args(&buffer, i);
            black_box((args.get(0), args.get(1)));
        }
    });
    println!("    {:30} {ns:7.1}", "GET, and both arguments read");

    println!("replies, ns each");
    let mut reply = Reply::new(Protocol::Resp2);
    type Say = fn(&mut Reply, &[u8]);
    for (name, say) in [
        ("ok", (|r, _| r.ok()) as Say),
        ("integer 7", |r, _| r.integer(black_box(7))),
        ("integer 1234567", |r, _| r.integer(black_box(1_234_567))),
        ("null", |r, _| r.null()),
        ("bulk of 64 bytes", |r, value| r.bulk(value)),
        ("bulk of 1000 bytes", |r, value| r.bulk(value)),
        ("double 0.1", |r, _| r.double(black_box(0.1))),
    ] {
        let value = vec![b'v'; if name.contains("1000") { 1000 } else { 64 }];
        let ns = best_ns(16, || {
            reply.clear();
            for _ in 0..16 {
                say(&mut reply, black_box(&value));
            }
            black_box(&reply);
        });
        println!("    {name:30} {ns:7.1}");
    }
}
