//! `sim [--seeds N] [--from SEED] [--seed SEED] [--seconds S]`: runs seeds and tells the first that fails.

use std::process::ExitCode;
use std::time::{Duration, Instant};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| {
        let at = args.iter().position(|arg| arg == name)?;
        args.get(at + 1)?.parse::<u64>().ok()
    };
    let (from, count) = match value("--seed") {
        Some(seed) => (seed, 1),
        None => (value("--from").unwrap_or(0), value("--seeds").unwrap_or(1000)),
    };
    let until = value("--seconds").map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let mut ran = 0;
    for seed in from..from.saturating_add(count) {
        if until.is_some_and(|until| Instant::now() > until) {
            break;
        }
        if let Err(failure) = sim::run(seed) {
            println!("seed {} fails: {}", failure.seed, failure.what);
            return ExitCode::FAILURE;
        }
        ran += 1;
    }
    println!("{ran} seeds from {from}: all checkers are quiet");
    ExitCode::SUCCESS
}
