//! What the kernel says of a process, and signals to one pid.

use std::fs;
use std::time::Duration;

use rustix::process::{getrlimit, kill_process, setrlimit, Pid, Resource, Rlimit, Signal};

/// Resident bytes of a process.
#[track_caller]
pub fn resident_bytes(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process lives");
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).expect("VmRSS is always there");
    let kib: u64 = line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).expect("a number of KiB");
    kib * 1024
}

/// Open file descriptors of a process.
#[track_caller]
pub fn open_files(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).expect("the process lives").count()
}

/// User and system time of a process so far.
#[track_caller]
pub fn cpu_time(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process lives");
    let after_name = stat.rsplit_once(')').expect("a name in parentheses").1;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks: u64 = [11, 12].iter().map(|&i| fields[i].parse::<u64>().expect("ticks")).sum();
    // Linux reports these in USER_HZ, which is 100 on every architecture that it runs on here.
    Duration::from_millis(ticks * 10)
}

/// Each thread of a process: name, state, CPU ticks so far and what it waits for. For reports of hangs.
pub fn threads(pid: u32) -> Vec<String> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let mut shown: Vec<String> = tasks
        .flatten()
        .map(|task| {
            let read = |file: &str| fs::read_to_string(task.path().join(file)).unwrap_or_default();
            let stat = read("stat");
            let fields: Vec<&str> =
                stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
            let field = |i: usize| fields.get(i).copied().unwrap_or("?");
            format!(
                "{} {}: state {}, user {} system {} ticks, in {}",
                task.file_name().to_string_lossy(),
                read("comm").trim(),
                field(0),
                field(11),
                field(12),
                read("wchan").trim()
            )
        })
        .collect();
    shown.sort();
    shown
}

/// Asks a process to end (SIGTERM).
pub fn terminate(pid: u32) {
    signal(pid, Signal::TERM);
}

/// Interrupts a process (SIGINT), as Ctrl-C does.
pub fn interrupt(pid: u32) {
    signal(pid, Signal::INT);
}

/// Ends a process at once (SIGKILL).
pub fn kill(pid: u32) {
    signal(pid, Signal::KILL);
}

/// Stops a process without ending it (SIGSTOP).
pub fn freeze(pid: u32) {
    signal(pid, Signal::STOP);
}

/// Lets a stopped process go on (SIGCONT).
pub fn thaw(pid: u32) {
    signal(pid, Signal::CONT);
}

fn signal(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).expect("a pid is above zero");
    // The process may have ended by itself: that is no fault of the caller.
    let _ = kill_process(pid, signal);
}

/// Raises this process' limit of open files to at least `wanted`; children inherit it.
pub fn raise_open_files(wanted: u64) -> Result<(), String> {
    let now = getrlimit(Resource::Nofile);
    if now.current.is_none_or(|current| current >= wanted) {
        return Ok(());
    }
    if now.maximum.is_some_and(|hard| hard < wanted) {
        return Err(format!(
            "this test needs {wanted} open files, but the hard limit is {}: raise it (ulimit -Hn, or \
             /etc/security/limits.conf) and run it again",
            now.maximum.unwrap_or(0)
        ));
    }
    setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: now.maximum })
        .map_err(|e| format!("raising the limit of open files to {wanted}: {e}"))
}
