//! The case files and the random generator, against the reference server, byte for byte.
//!
//! Where Redis 7.2 differs from the server that is installed, 7.2 counts: such cases are unit tests of `commands`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ringslot_tests::duel;
use ringslot_tests::pair::{run_file, Report};
use ringslot_tests::script::Script;

/// Failures shown of a file; the count tells how many there are.
const SHOWN: usize = 200;
/// Time of one generator run; several make up about twenty seconds.
const RANDOM_RUN: Duration = Duration::from_secs(5);

fn case_files() -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let entries = std::fs::read_dir(&dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a readable directory").path())
        .filter(|path| path.extension().is_some_and(|e| e == "txt"))
        .collect();
    files.sort();
    files
}

fn check(what: &str, mut report: Report) {
    println!("{what}: {} replies compared", report.cases);
    let count = report.failures.len();
    report.failures.truncate(SHOWN);
    assert!(count == 0, "{what}: {count} differences, of which\n{report}");
}

fn run_all(cores: usize) {
    let only = std::env::var("RINGSLOT_CASES").unwrap_or_default();
    let mut report = Report::default();
    for file in case_files().iter().filter(|f| f.to_string_lossy().contains(&only)) {
        report.merge(run_file(file, cores));
    }
    check(&format!("case files, {cores} cores"), report);
}

#[test]
fn there_are_cases_enough() {
    let mut total = 0;
    for file in case_files() {
        let text = std::fs::read_to_string(&file).expect("a readable case file");
        total += Script::parse(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display())).cases();
    }
    println!("{total} cases");
    assert!(total >= 1_500, "only {total} cases");
}

#[test]
fn case_files_on_one_core() {
    run_all(1);
}

#[test]
fn case_files_on_two_cores() {
    run_all(2);
}

fn random(seed: u64, cores: usize, protocol: u8, cluster: bool) {
    let options = duel::Options { seed, duration: RANDOM_RUN, cores, protocol, cluster, failures: 3 };
    check(&format!("{options:?}"), duel::run(&options));
}

#[test]
fn random_sequences_on_one_core() {
    random(1_000, 1, 2, false);
}

#[test]
fn random_sequences_on_two_cores_in_resp3() {
    random(2_000, 2, 3, false);
}

#[test]
fn random_sequences_on_two_cores() {
    random(3_000, 2, 2, false);
}

#[test]
fn random_sequences_in_cluster_mode() {
    random(4_000, 2, 2, true);
}
