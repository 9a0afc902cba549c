//! `differ`: random command sequences against both servers, for as long as wanted.
//!
//!     differ --seed 1 --minutes 30 [--cores 2] [--resp3] [--cluster] [--failures 5]
//!
//! Prints every difference as a small case file, and exits with 1 when there was one.

use std::process::ExitCode;
use std::time::Duration;

use ringslot_tests::duel::{run, Options};

const USAGE: &str =
    "differ [--seed N] [--minutes M | --seconds S] [--cores N] [--resp3] [--cluster] [--failures N]";

fn main() -> ExitCode {
    let options = match parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(why) => {
            eprintln!("{why}\nusage: {USAGE}");
            return ExitCode::from(2);
        }
    };
    println!("{options:?}");
    let report = run(&options);
    println!("{report}");
    if report.failures.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn parse(mut args: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options {
        seed: 1,
        duration: Duration::from_secs(60),
        cores: 1,
        protocol: 2,
        cluster: false,
        failures: 5,
    };
    while let Some(arg) = args.next() {
        let mut number = || -> Result<u64, String> {
            let value = args.next().ok_or(format!("{arg} needs a number"))?;
            value.parse().map_err(|_| format!("{arg} {value}: no number"))
        };
        match arg.as_str() {
            "--seed" => options.seed = number()?,
            "--minutes" => options.duration = Duration::from_secs(60 * number()?),
            "--seconds" => options.duration = Duration::from_secs(number()?),
            "--cores" => options.cores = number()? as usize,
            "--failures" => options.failures = number()? as usize,
            "--resp3" => options.protocol = 3,
            "--cluster" => options.cluster = true,
            _ => return Err(format!("unknown option {arg}")),
        }
    }
    Ok(options)
}
