//! Processors, limits, signals, and what the process uses.
//!
//! Data cores are pinned, one a processor. Control threads are not pinned but kept off the processors of the
//! data cores where there are others (R12). Signals are blocked in every thread (they inherit it from the
//! first) and waited for by one thread of their own.

use crate::sys;
use std::fs;
use std::io;

/// The processors that this process may run on, ascending.
pub fn allowed_cpus() -> io::Result<Vec<usize>> {
    sys::affinity()
}

/// Pins the calling thread to one processor.
pub fn pin_to(cpu: usize) -> io::Result<()> {
    sys::set_affinity(&[cpu])
}

/// Keeps the calling thread off these processors, unless there would be none left.
pub fn keep_off(avoid: &[usize], allowed: &[usize]) -> io::Result<()> {
    let rest: Vec<usize> = allowed.iter().copied().filter(|cpu| !avoid.contains(cpu)).collect();
    sys::set_affinity(if rest.is_empty() { allowed } else { &rest })
}

/// Raises the limit of open files to at least `wanted`, the hard limit too where we may. Returns what the
/// soft limit is now, which may be less.
pub fn raise_nofile(wanted: u64) -> io::Result<u64> {
    let (soft, hard) = sys::limit(libc::RLIMIT_NOFILE)?;
    if soft >= wanted {
        return Ok(soft);
    }
    if wanted > hard && sys::set_limit(libc::RLIMIT_NOFILE, wanted, wanted).is_ok() {
        return Ok(wanted);
    }
    let reachable = wanted.min(hard);
    sys::set_limit(libc::RLIMIT_NOFILE, reachable, hard)?;
    Ok(reachable)
}

/// What the process has used so far.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Usage {
    /// Bytes of memory in use now.
    pub rss_bytes: u64,
    /// Bytes of memory in use at most.
    pub peak_rss_bytes: u64,
    /// Microseconds of processor time outside the kernel.
    pub user_us: u64,
    /// Microseconds of processor time inside the kernel.
    pub system_us: u64,
    /// As `user_us`, of ended children.
    pub children_user_us: u64,
    /// As `system_us`, of ended children.
    pub children_system_us: u64,
}

/// Reads what the process has used.
pub fn usage() -> Usage {
    let (own, children) = (sys::usage(libc::RUSAGE_SELF), sys::usage(libc::RUSAGE_CHILDREN));
    let us = |time: libc::timeval| time.tv_sec as u64 * 1_000_000 + time.tv_usec as u64;
    Usage {
        rss_bytes: rss_bytes().unwrap_or(0),
        peak_rss_bytes: own.ru_maxrss as u64 * 1024,
        user_us: us(own.ru_utime),
        system_us: us(own.ru_stime),
        children_user_us: us(children.ru_utime),
        children_system_us: us(children.ru_stime),
    }
}

fn rss_bytes() -> Option<u64> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split(' ').nth(1)?.parse().ok()?;
    Some(pages * sys::page_size() as u64)
}

/// Major and minor version of the running kernel; (0, 0) where it cannot be told.
pub fn kernel_version() -> (u32, u32) {
    let text = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut numbers = text.split(|c: char| !c.is_ascii_digit()).map_while(|digits| digits.parse().ok());
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

/// Goes on as a child without terminal, its standard streams on /dev/null. To be called before any thread is
/// started: a fork takes only the calling one along, so it is refused where there are others.
pub fn daemonize() -> io::Result<()> {
    if fs::read_dir("/proc/self/task")?.count() != 1 {
        return Err(io::Error::other("daemonize comes before the first thread"));
    }
    if !sys::fork()? {
        sys::exit_now(0);
    }
    sys::new_session()?;
    let null = fs::OpenOptions::new().read(true).write(true).open("/dev/null")?;
    (0..3).try_for_each(|stream| sys::duplicate_onto(&null, stream))
}

/// The signals that ask for the end.
const STOP_SIGNALS: [i32; 2] = [libc::SIGTERM, libc::SIGINT];

/// Prepares for signals: SIGHUP and SIGPIPE are ignored, SIGTERM and SIGINT held back from this thread and
/// all that it starts. Called first of all; `wait_for_stop` is where they arrive.
pub fn prepare_signals() -> io::Result<()> {
    sys::ignore_signal(libc::SIGHUP)?;
    sys::ignore_signal(libc::SIGPIPE)?;
    sys::block_signals(&STOP_SIGNALS)
}

/// Waits until somebody asks the process to end; returns the signal's number. For a thread of its own, after
/// `prepare_signals`.
pub fn wait_for_stop() -> io::Result<i32> {
    sys::wait_signal(&STOP_SIGNALS)
}
