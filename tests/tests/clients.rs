//! Real cluster clients against a local three-node cluster.
//!
//! The Makefile makes their environments: `RINGSLOT_PYTHON` is a Python that has redis-py,
//! `RINGSLOT_NODE_MODULES` a node_modules directory that has ioredis; `target/python` and
//! `target/node` are looked at when these are not set.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use ringslot_tests::launcher::Launcher;
use ringslot_tests::program::installed;
use ringslot_tests::server::TempDir;

fn manifest_dir() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn environment(variable: &str, fallback: &str) -> PathBuf {
    let path = match env::var_os(variable) {
        Some(path) => PathBuf::from(path),
        None => manifest_dir().parent().expect("tests is in the workspace").join(fallback),
    };
    assert!(
        path.exists(),
        "{} is not there: run `make test`, which makes it, or set {variable}",
        path.display()
    );
    path
}

/// Runs a script against a new cluster; it must pass at least `least` checks and fail none.
#[track_caller]
fn run(cores: usize, least: u64, script: &str, program: &Path, variables: &[(&str, &Path)]) {
    let dir = TempDir::new("clients");
    let cluster = Launcher::start(dir.path(), 3, cores);
    let output = Command::new(program)
        .arg(manifest_dir().join("clients").join(script))
        .arg(cluster.ports()[0].to_string())
        .envs(variables.iter().copied())
        .output()
        .unwrap_or_else(|e| panic!("{}: {e}", program.display()));
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let last = text.lines().rev().find(|l| l.ends_with(" failed")).unwrap_or("no summary");
    println!("{script}: {last}");
    assert!(output.status.success() && last.ends_with(", 0 failed"), "{script}: {}\n{text}", output.status);
    let passed: u64 = last.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0);
    assert!(passed >= least, "only {passed} checks passed\n{text}");
}

#[test]
fn redis_py_writes_reads_and_expires_ten_thousand_keys() {
    let python = environment("RINGSLOT_PYTHON", "target/python/bin/python");
    run(1, 30_000, "redis_py_cluster.py", &python, &[]);
}

#[test]
fn ioredis_writes_reads_and_expires_ten_thousand_keys() {
    let modules = environment("RINGSLOT_NODE_MODULES", "target/node/node_modules");
    let node = installed("node", "nodejs");
    run(2, 30_000, "ioredis_cluster.mjs", &node, &[("RINGSLOT_NODE_MODULES", &modules)]);
}
