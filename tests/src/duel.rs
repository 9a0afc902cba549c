//! Random sequences sent to both servers until they disagree, and the disagreement made small.
//!
//! ```text
//!     seed ─► Generator ─► sequence ─► run ── equal ──► next sequence
//!                                       │
//!                                   difference ─► shrink ─► a case file to print
//! ```
//!
//! Each sequence starts from empty databases and new connections, so that a failing one can be run
//! again by itself, in part. Sequence `n` of a run is drawn from the seed `seed + n`.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::compare::{compare, Mask};
use crate::generator::{Generator, Step, CONNECTIONS};
use crate::pair::{show_args, show_word, Both, Pair, Report};
use crate::reply::{encode, quoted, Value};
use crate::script::Script;
use crate::shrink::shrink;

/// Runs spent on making a failure small.
const SHRINK_TRIES: usize = 600;
/// A SCAN that has not ended after this many calls never does.
const SCAN_CALLS: usize = 10_000;
/// Words longer than this are not worth printing in full.
const PRINTED_WORD: usize = 400;

/// What to run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Seed of the first sequence.
    pub seed: u64,
    /// When to stop.
    pub duration: Duration,
    /// Data cores of the subject.
    pub cores: usize,
    /// 2 or 3.
    pub protocol: u8,
    /// Both in cluster mode.
    pub cluster: bool,
    /// Failures after which the run ends.
    pub failures: usize,
}

/// Runs sequences until the time is up; what differed is in the report as small case files.
pub fn run(options: &Options) -> Report {
    let script = Script { cluster: options.cluster, ..Script::default() };
    let mut pair = Pair::start(&script, options.cores);
    let mut report = Report::default();
    let start = Instant::now();
    let mut seed = options.seed;
    while start.elapsed() < options.duration && report.failures.len() < options.failures {
        let sequence = Generator::new(seed, options.cluster).sequence();
        let mut cases = 0;
        if let Err(why) = run_sequence(&pair, options.protocol, &sequence, &mut cases) {
            let mut text = format!("seed {seed}, RESP{}, {} cores: {why}\n", options.protocol, options.cores);
            if pair.subject.is_alive() {
                let small = shrink_sequence(&pair, options.protocol, &sequence);
                text.push_str(&case_file(seed, options.protocol, &small));
            } else {
                let _ = writeln!(text, "the subject has ended\n{}", pair.subject.log_tail());
                pair = Pair::start(&script, options.cores);
                text.push_str(&case_file(seed, options.protocol, &sequence));
            }
            report.failures.push(text);
        }
        report.cases += cases;
        seed += 1;
    }
    report
}

/// Runs one sequence from nothing; the error is the first difference.
pub fn run_sequence(
    pair: &Pair,
    protocol: u8,
    sequence: &[Vec<Step>],
    cases: &mut usize,
) -> Result<(), String> {
    pair.empty()?;
    let mut connections = (0..CONNECTIONS).map(|_| pair.connect(protocol)).collect::<Result<Vec<_>, _>>()?;
    for pipeline in sequence {
        for batch in batches(pipeline) {
            run_batch(pair, &mut connections, batch, cases)?;
        }
    }
    pair.same_contents()
}

/// Cuts a pipeline at the steps that need the replies before the next is sent.
fn batches(pipeline: &[Step]) -> impl Iterator<Item = &[Step]> {
    let alone = |step: &Step| !matches!(step, Step::Command { .. });
    pipeline.chunk_by(move |a, b| !alone(a) && !alone(b))
}

fn run_batch(pair: &Pair, connections: &mut [Both], batch: &[Step], cases: &mut usize) -> Result<(), String> {
    match batch {
        [Step::RandomKey { connection }] => random_key(&mut connections[*connection]),
        [Step::Scan { connection, options }] => scan(&mut connections[*connection], options),
        steps => {
            // A shrunk pipeline can hold steps of several connections: each gets its part in one write.
            for step in steps.chunk_by(|a, b| connection_of(a) == connection_of(b)) {
                let both = &mut connections[connection_of(&step[0])];
                let commands: Vec<(&Vec<Vec<u8>>, &Mask)> = step
                    .iter()
                    .filter_map(|s| match s {
                        Step::Command { args, mask, .. } => Some((args, mask)),
                        _ => None,
                    })
                    .collect();
                let bytes: Vec<u8> = commands.iter().flat_map(|(args, _)| encode(args)).collect();
                both.send_raw(&bytes).map_err(|e| e.to_string())?;
                for (args, mask) in commands {
                    let (subject, reference) =
                        both.read().map_err(|why| format!("{}: {why}", show_args(args)))?;
                    *cases += 1;
                    compare(mask, pair.same_version(), &subject, &reference)
                        .map_err(|why| format!("{}: {}", show_args(args), why.0))?;
                }
            }
            Ok(())
        }
    }
}

fn connection_of(step: &Step) -> usize {
    match step {
        Step::Command { connection, .. } | Step::RandomKey { connection } | Step::Scan { connection, .. } => {
            *connection
        }
    }
}

/// What either server answers to RANDOMKEY, both have; or both have nothing.
fn random_key(both: &mut Both) -> Result<(), String> {
    match both.call(&["RANDOMKEY"])? {
        (Value::Null, Value::Null) => Ok(()),
        (Value::Bulk(subject), Value::Bulk(reference)) => {
            for key in [subject, reference] {
                match both.call(&[b"EXISTS", key.as_slice()])? {
                    (Value::Integer(1), Value::Integer(1)) => {}
                    other => return Err(format!("RANDOMKEY gave {}: EXISTS {other:?}", quoted(&key, 60))),
                }
            }
            Ok(())
        }
        other => Err(format!("RANDOMKEY: {other:?}")),
    }
}

/// A whole iteration on each server: without changes meanwhile, every key exactly as KEYS would.
fn scan(both: &mut Both, options: &[Vec<u8>]) -> Result<(), String> {
    let iterate = |client: &mut crate::client::Client| -> Result<Vec<Vec<u8>>, String> {
        let mut cursor = b"0".to_vec();
        let mut found = Vec::new();
        for _ in 0..SCAN_CALLS {
            let mut args = vec![b"SCAN".to_vec(), cursor];
            args.extend_from_slice(options);
            let reply = client.try_call(&args).map_err(|e| e.to_string())?;
            let Value::Array(parts) = &reply else { return Err(format!("{}: {reply:?}", show_args(&args))) };
            let [Value::Bulk(next), Value::Array(keys)] = parts.as_slice() else {
                return Err(format!("{}: {reply:?}", show_args(&args)));
            };
            found.extend(keys.iter().map(|k| k.text().into_bytes()));
            if next == b"0" {
                found.sort();
                // An iteration may return a key twice.
                found.dedup();
                return Ok(found);
            }
            cursor = next.clone();
        }
        Err(format!("SCAN with {} does not end", show_args(options)))
    };
    let reference = iterate(&mut both.reference).map_err(|e| format!("reference: {e}"))?;
    let subject = iterate(&mut both.subject).map_err(|e| format!("subject: {e}"))?;
    if subject == reference {
        return Ok(());
    }
    let list = |keys: &[Vec<u8>]| keys.iter().map(|k| quoted(k, 60)).collect::<Vec<_>>().join(" ");
    Err(format!(
        "SCAN 0 {}\n     subject {}\n   reference {}",
        show_args(options),
        list(&subject),
        list(&reference)
    ))
}

/// The smallest part of a sequence that still differs. Single commands first; where only a pipeline
/// shows it, the pipelines are kept.
pub fn shrink_sequence(pair: &Pair, protocol: u8, sequence: &[Vec<Step>]) -> Vec<Vec<Step>> {
    let fails = |sequence: &[Vec<Step>]| run_sequence(pair, protocol, sequence, &mut 0).is_err();
    let one_by_one: Vec<Vec<Step>> = sequence.iter().flatten().map(|s| vec![s.clone()]).collect();
    if fails(&one_by_one) {
        return shrink(&one_by_one, SHRINK_TRIES, fails);
    }
    let whole = shrink(sequence, SHRINK_TRIES, fails);
    let tagged: Vec<(usize, Step)> =
        whole.iter().enumerate().flat_map(|(i, p)| p.iter().map(move |s| (i, s.clone()))).collect();
    let regroup = |steps: &[(usize, Step)]| -> Vec<Vec<Step>> {
        steps.chunk_by(|a, b| a.0 == b.0).map(|c| c.iter().map(|(_, s)| s.clone()).collect()).collect()
    };
    regroup(&shrink(&tagged, SHRINK_TRIES, |steps| fails(&regroup(steps))))
}

/// A sequence as a section of a case file.
pub fn case_file(seed: u64, protocol: u8, sequence: &[Vec<Step>]) -> String {
    let mut text = format!("== seed {seed}\n@protocols {protocol}\n");
    let mut current = usize::MAX;
    for pipeline in sequence {
        if pipeline.len() > 1 {
            let _ = writeln!(text, "# one pipeline of {}:", pipeline.len());
        }
        for step in pipeline {
            let connection = connection_of(step);
            if connection != current {
                let _ = writeln!(text, "@conn {connection}");
                current = connection;
            }
            match step {
                Step::Command { args, mask, .. } => {
                    let words: Vec<String> = args.iter().map(|a| show_word(a, PRINTED_WORD)).collect();
                    let _ = writeln!(text, "{}{}", prefix(mask), words.join(" "));
                }
                Step::RandomKey { .. } => text.push_str("[type] RANDOMKEY\n"),
                Step::Scan { options, .. } => {
                    let _ = writeln!(text, "[type] SCAN 0 {}", show_args(options));
                }
            }
        }
    }
    text
}

fn prefix(mask: &Mask) -> String {
    match mask {
        Mask::Near(n) => format!("[near {n}] "),
        Mask::Unordered => "[unordered] ".into(),
        Mask::Type => "[type] ".into(),
        Mask::Shape => "[shape] ".into(),
        _ => String::new(),
    }
}
