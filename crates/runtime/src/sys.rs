//! System calls that neither the standard library nor io-uring's crate has: one thin function each, with
//! nothing decided here. The only module, beside the rings, that may say `unsafe`.
#![allow(unsafe_code)]

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

/// The result of a call that says -1 and sets errno.
pub(crate) fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(result)
}

pub(crate) fn clock_ns(clock: libc::clockid_t) -> u64 {
    let mut at = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `at` is ours and outlives the call. Both clocks in use exist on every Linux, so it cannot fail.
    unsafe { libc::clock_gettime(clock, &mut at) };
    at.tv_sec as u64 * 1_000_000_000 + at.tv_nsec as u64
}

/// What may be said about pages without changing what they hold.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Advice {
    Populate,
    HugePages,
}

pub(crate) fn advise(start: *mut u8, length: usize, advice: Advice) -> io::Result<()> {
    let advice = match advice {
        Advice::Populate => libc::MADV_POPULATE_WRITE,
        Advice::HugePages => libc::MADV_HUGEPAGE,
    };
    // SAFETY: neither advice changes the contents of memory; a range that is not mapped is an error.
    check(unsafe { libc::madvise(start.cast(), length, advice) }).map(drop)
}

/// Memory straight from the kernel, zeroed, page aligned, unmapped when dropped.
pub(crate) struct Pages {
    start: *mut u8,
    length: usize,
}

// SAFETY: a `Pages` owns its mapping; nothing about it belongs to a thread.
unsafe impl Send for Pages {}

impl Pages {
    pub(crate) fn new(length: usize) -> io::Result<Pages> {
        let (prot, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: a new anonymous mapping at an address of the kernel's choice touches nothing that exists.
        let start = unsafe { libc::mmap(std::ptr::null_mut(), length, prot, flags, -1, 0) };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Pages { start: start.cast(), length })
    }

    pub(crate) fn start(&self) -> *mut u8 {
        self.start
    }

    pub(crate) fn len(&self) -> usize {
        self.length
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and whoever borrowed from it borrowed from `self`.
        unsafe { libc::munmap(self.start.cast(), self.length) };
    }
}

pub(crate) fn set_option(fd: &impl AsRawFd, level: i32, name: i32, value: i32) -> io::Result<()> {
    let size = size_of::<i32>() as libc::socklen_t;
    // SAFETY: the option value is a live i32 and its size is given.
    check(unsafe { libc::setsockopt(fd.as_raw_fd(), level, name, (&raw const value).cast(), size) }).map(drop)
}

fn socket(family: i32) -> io::Result<OwnedFd> {
    // SAFETY: no pointers; the descriptor that comes back is owned by nobody else.
    unsafe {
        let fd = check(libc::socket(family, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0))?;
        Ok(OwnedFd::from_raw_fd(fd))
    }
}

/// A bound and listening TCP socket. `prepare` sets options between making and binding it.
pub(crate) fn listen_tcp(
    addr: SocketAddr,
    backlog: i32,
    prepare: impl FnOnce(&OwnedFd) -> io::Result<()>,
) -> io::Result<OwnedFd> {
    let family = if addr.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    let fd = socket(family)?;
    if addr.is_ipv6() {
        // Else `::` would take the IPv4 port too, and a bind of both would fail.
        set_option(&fd, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, 1)?;
    }
    prepare(&fd)?;
    let (store, length) = sockaddr(addr);
    // SAFETY: `store` is a live sockaddr of at least `length` bytes.
    check(unsafe { libc::bind(fd.as_raw_fd(), (&raw const store).cast(), length) })?;
    // SAFETY: no pointers.
    check(unsafe { libc::listen(fd.as_raw_fd(), backlog) })?;
    Ok(fd)
}

/// A socket address as the kernel wants it, with its length.
pub(crate) fn sockaddr(addr: SocketAddr) -> (libc::sockaddr_storage, libc::socklen_t) {
    // SAFETY: all zeroes is a valid sockaddr_storage.
    let mut store: libc::sockaddr_storage = unsafe { std::mem::zeroed() };
    let length = match addr {
        SocketAddr::V4(v4) => {
            let sin = libc::sockaddr_in {
                sin_family: libc::AF_INET as libc::sa_family_t,
                sin_port: v4.port().to_be(),
                sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(v4.ip().octets()) },
                sin_zero: [0; 8],
            };
            // SAFETY: a storage is made to hold any address, and is aligned for each.
            unsafe { (&raw mut store).cast::<libc::sockaddr_in>().write(sin) };
            size_of::<libc::sockaddr_in>()
        }
        SocketAddr::V6(v6) => {
            let sin6 = libc::sockaddr_in6 {
                sin6_family: libc::AF_INET6 as libc::sa_family_t,
                sin6_port: v6.port().to_be(),
                sin6_flowinfo: v6.flowinfo(),
                sin6_addr: libc::in6_addr { s6_addr: v6.ip().octets() },
                sin6_scope_id: v6.scope_id(),
            };
            // SAFETY: as above.
            unsafe { (&raw mut store).cast::<libc::sockaddr_in6>().write(sin6) };
            size_of::<libc::sockaddr_in6>()
        }
    };
    (store, length as libc::socklen_t)
}

/// Sets how many connections may wait, on a socket that listens already.
pub(crate) fn set_backlog(fd: &impl AsRawFd, backlog: i32) -> io::Result<()> {
    // SAFETY: no pointers.
    check(unsafe { libc::listen(fd.as_raw_fd(), backlog) }).map(drop)
}

pub(crate) fn eventfd() -> io::Result<OwnedFd> {
    // SAFETY: no pointers; the descriptor is new.
    unsafe { Ok(OwnedFd::from_raw_fd(check(libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK))?)) }
}

/// Takes over a descriptor that the kernel has just given us (an accept's result).
pub(crate) fn own_fd(fd: RawFd) -> OwnedFd {
    assert!(fd >= 0);
    // SAFETY: callers pass the result of an accept on their own ring, once; nobody else knows its number.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

fn cpu_set(cpus: &[usize]) -> libc::cpu_set_t {
    // SAFETY: all zeroes is the empty set; CPU_SET ignores what is beyond the set's size.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        for &cpu in cpus.iter().filter(|cpu| **cpu < libc::CPU_SETSIZE as usize) {
            libc::CPU_SET(cpu, &mut set);
        }
        set
    }
}

/// Binds the calling thread to these processors.
pub(crate) fn set_affinity(cpus: &[usize]) -> io::Result<()> {
    let set = cpu_set(cpus);
    // SAFETY: `set` is a live set of the given size; 0 means the calling thread.
    check(unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &set) }).map(drop)
}

/// The processors that the calling thread may run on.
pub(crate) fn affinity() -> io::Result<Vec<usize>> {
    let mut set = cpu_set(&[]);
    // SAFETY: `set` is live and of the given size.
    check(unsafe { libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &mut set) })?;
    // SAFETY: CPU_ISSET reads within the set for these numbers.
    Ok((0..libc::CPU_SETSIZE as usize).filter(|&cpu| unsafe { libc::CPU_ISSET(cpu, &set) }).collect())
}

/// Soft and hard value of a limit.
pub(crate) fn limit(resource: libc::__rlimit_resource_t) -> io::Result<(u64, u64)> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` is live.
    check(unsafe { libc::getrlimit(resource, &mut limit) })?;
    Ok((limit.rlim_cur, limit.rlim_max))
}

pub(crate) fn set_limit(resource: libc::__rlimit_resource_t, soft: u64, hard: u64) -> io::Result<()> {
    let limit = libc::rlimit { rlim_cur: soft, rlim_max: hard };
    // SAFETY: `limit` is live.
    check(unsafe { libc::setrlimit(resource, &limit) }).map(drop)
}

/// What this process, or its ended children, used.
pub(crate) fn usage(who: libc::c_int) -> libc::rusage {
    // SAFETY: all zeroes is a valid rusage, it is live, and `who` is one of the two that exist.
    unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(who, &mut usage);
        usage
    }
}

pub(crate) fn page_size() -> usize {
    // SAFETY: no pointers.
    unsafe { libc::sysconf(libc::_SC_PAGESIZE) as usize }
}

/// An advisory lock on an open file, of the whole file. Fails at once where another holds it.
pub(crate) fn lock_exclusive(fd: &impl AsRawFd) -> io::Result<()> {
    // SAFETY: no pointers.
    check(unsafe { libc::flock(fd.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) }).map(drop)
}

/// Forks; true in the child. For `daemonize` alone, which runs before there is any other thread.
pub(crate) fn fork() -> io::Result<bool> {
    // SAFETY: the caller has checked that this is the only thread, so the child is a whole copy.
    Ok(check(unsafe { libc::fork() })? == 0)
}

/// A new session, without a terminal.
pub(crate) fn new_session() -> io::Result<()> {
    // SAFETY: no pointers.
    check(unsafe { libc::setsid() }).map(drop)
}

/// Makes descriptor `to` mean what `from` does.
pub(crate) fn duplicate_onto(from: &impl AsRawFd, to: RawFd) -> io::Result<()> {
    // SAFETY: no pointers; the callers replace standard input, output and error only.
    check(unsafe { libc::dup2(from.as_raw_fd(), to) }).map(drop)
}

/// The process ends at once, without running anything at exit.
pub(crate) fn exit_now(code: i32) -> ! {
    // SAFETY: no pointers.
    unsafe { libc::_exit(code) }
}

fn signal_set(signals: &[i32]) -> libc::sigset_t {
    // SAFETY: sigemptyset initialises the set, sigaddset refuses numbers that are none.
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        for &signal in signals {
            libc::sigaddset(&mut set, signal);
        }
        set
    }
}

/// Holds these signals back from the calling thread and the threads that it will start.
pub(crate) fn block_signals(signals: &[i32]) -> io::Result<()> {
    let set = signal_set(signals);
    // SAFETY: `set` is live; the old set is not wanted.
    match unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &set, std::ptr::null_mut()) } {
        0 => Ok(()),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}

/// Waits for one of these signals, which must be blocked.
pub(crate) fn wait_signal(signals: &[i32]) -> io::Result<i32> {
    let set = signal_set(signals);
    let mut signal = 0;
    // SAFETY: both are live.
    match unsafe { libc::sigwait(&set, &mut signal) } {
        0 => Ok(signal),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}

pub(crate) fn ignore_signal(signal: i32) -> io::Result<()> {
    // SAFETY: ignoring needs no handler.
    if unsafe { libc::signal(signal, libc::SIG_IGN) } == libc::SIG_ERR {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Asks the peer whether it lives after so many seconds of silence, and gives up after three questions a
/// third of that apart. 0 leaves it off.
pub(crate) fn keepalive(fd: &impl AsRawFd, seconds: u32) -> io::Result<()> {
    if seconds == 0 {
        return Ok(());
    }
    let seconds = seconds.min(i16::MAX as u32) as i32;
    set_option(fd, libc::SOL_SOCKET, libc::SO_KEEPALIVE, 1)?;
    set_option(fd, libc::IPPROTO_TCP, libc::TCP_KEEPIDLE, seconds)?;
    set_option(fd, libc::IPPROTO_TCP, libc::TCP_KEEPINTVL, (seconds / 3).max(1))?;
    set_option(fd, libc::IPPROTO_TCP, libc::TCP_KEEPCNT, 3)
}

pub(crate) fn is_root() -> bool {
    // SAFETY: no pointers.
    unsafe { libc::geteuid() == 0 }
}
