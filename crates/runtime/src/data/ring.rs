//! The ring of one core: setting it up as well as this kernel can, and entering it.
//!
//! Entering is one system call a turn: it submits everything, runs the deferred work (DEFER_TASKRUN: the
//! kernel completes nothing behind our back, only inside an enter) and waits, all at once. The ring's own
//! descriptor is registered, so that the kernel needs no look-up of it; io-uring's crate remembers such
//! a registration in a borrowed `Submitter`, which would have to live beside the ring that it borrows, so
//! we call the kernel ourselves.
//!
//! 1. The ring is built and entered on its core's thread only (SINGLE_ISSUER).
//! 2. Whoever pushes an entry with an address in it keeps what is there until its completion.
#![allow(unsafe_code)]

use crate::data::StartError;
use crate::sys::check;
use io_uring::{cqueue, squeue, EnterFlags, IoUring};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, RawFd};

/// IORING_REGISTER_RING_FDS and the index that lets the kernel choose: private in io-uring's crate.
const REGISTER_RING_FDS: libc::c_uint = 20;
const ANY_INDEX: u32 = u32::MAX;

pub(super) struct Ring {
    ring: IoUring,
    /// What `enter` names: the registered index, or the descriptor on kernels that refuse to register.
    enter_fd: RawFd,
    enter_flags: u32,
}

/// The kernel's `io_uring_getevents_arg`.
#[repr(C)]
struct WaitArg {
    sigmask: u64,
    sigmask_size: u32,
    min_wait_us: u32,
    timespec: u64,
}

/// The kernel's `io_uring_rsrc_update`.
#[repr(C)]
struct ResourceUpdate {
    offset: u32,
    reserved: u32,
    data: u64,
}

/// How an `enter` ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entered {
    /// Something completed, or nothing was to be waited for.
    Done,
    /// The time to wait ran out.
    TimedOut,
}

impl Ring {
    pub(super) fn new(submissions: u32, completions: u32) -> Result<Ring, StartError> {
        let ring = build(submissions, completions, true)
            .or_else(|error| match error.raw_os_error() {
                Some(libc::EINVAL) => build(submissions, completions, false),
                _ => Err(error),
            })
            .map_err(StartError::Ring)?;
        let mut update = ResourceUpdate { offset: ANY_INDEX, reserved: 0, data: ring.as_raw_fd() as u64 };
        // SAFETY: `update` is live, laid out as the kernel's struct, and one of it is announced.
        let registered = unsafe {
            libc::syscall(
                libc::SYS_io_uring_register,
                ring.as_raw_fd(),
                REGISTER_RING_FDS,
                &raw mut update,
                1,
            )
        };
        let (enter_fd, enter_flags) = match registered {
            1 => (update.offset as RawFd, EnterFlags::REGISTERED_RING.bits()),
            _ => (ring.as_raw_fd(), 0),
        };
        Ok(Ring { ring, enter_fd, enter_flags })
    }

    pub(super) fn fd(&self) -> RawFd {
        self.ring.as_raw_fd()
    }

    pub(super) fn submitter(&self) -> io_uring::Submitter<'_> {
        self.ring.submitter()
    }

    /// Queues an entry. False where the queue is full: enter, then push again.
    ///
    /// # Safety
    /// What the entry points to stays where it is, and is used by nobody else, until its completion.
    pub(super) unsafe fn push(&mut self, entry: &squeue::Entry) -> bool {
        // SAFETY: passed on to our caller.
        unsafe { self.ring.submission().push(entry).is_ok() }
    }

    /// How many entries the kernel has not taken yet.
    pub(super) fn unsubmitted(&mut self) -> usize {
        self.ring.submission().len()
    }

    /// Whether the kernel holds completions that only an enter brings: deferred work, or what overflowed.
    pub(super) fn has_hidden_work(&mut self) -> bool {
        let queue = self.ring.submission();
        queue.taskrun() || queue.cq_overflow()
    }

    /// Whether completions overflowed the queue and wait in the kernel.
    pub(super) fn has_overflowed(&mut self) -> bool {
        self.ring.submission().cq_overflow()
    }

    /// Takes completions off the queue.
    pub(super) fn fill<'a>(&mut self, entries: &'a mut [MaybeUninit<cqueue::Entry>]) -> &'a [cqueue::Entry] {
        self.ring.completion().fill(entries)
    }

    /// Submits everything and runs deferred work; sleeps until `wait` completions are there (0: not at
    /// all) or `timeout_us` has passed. An interrupted sleep counts as one that is done.
    pub(super) fn enter(&mut self, wait: u32, timeout_us: Option<u64>) -> io::Result<Entered> {
        let to_submit = self.unsubmitted() as u32;
        let mut flags = self.enter_flags | EnterFlags::GETEVENTS.bits();
        let timespec;
        let mut arg = WaitArg { sigmask: 0, sigmask_size: 8, min_wait_us: 0, timespec: 0 };
        let (mut arg_address, mut arg_size) = (std::ptr::null(), 8);
        if let (1.., Some(us)) = (wait, timeout_us) {
            timespec =
                libc::timespec { tv_sec: (us / 1_000_000) as _, tv_nsec: (us % 1_000_000 * 1_000) as _ };
            arg.timespec = (&raw const timespec) as u64;
            flags |= EnterFlags::EXT_ARG.bits();
            (arg_address, arg_size) = (&raw const arg, size_of::<WaitArg>());
        }
        // SAFETY: the ring is ours and open; `arg` and `timespec` are live for the call and laid out as the
        // kernel has them (a 64-bit timespec is two i64); the entries' memory is invariant 2.
        let result = unsafe {
            libc::syscall(
                libc::SYS_io_uring_enter,
                self.enter_fd,
                to_submit,
                wait,
                flags,
                arg_address,
                arg_size,
            )
        };
        match check(result as i32) {
            Ok(_) => Ok(Entered::Done),
            Err(error) => match error.raw_os_error() {
                Some(libc::ETIME) => Ok(Entered::TimedOut),
                // EINTR: a signal. EAGAIN, EBUSY: the kernel wants its completions taken first.
                Some(libc::EINTR | libc::EAGAIN | libc::EBUSY) => Ok(Entered::Done),
                _ => Err(error),
            },
        }
    }
}

/// SINGLE_ISSUER and DEFER_TASKRUN exist since 6.1, our floor; NO_SQARRAY since 6.6.
fn build(submissions: u32, completions: u32, no_sqarray: bool) -> io::Result<IoUring> {
    let mut builder = IoUring::builder();
    builder
        .setup_single_issuer()
        .setup_defer_taskrun()
        .setup_taskrun_flag()
        .setup_submit_all()
        .setup_cqsize(completions)
        .setup_clamp()
        .dontfork();
    if no_sqarray {
        builder.setup_no_sqarray();
    }
    builder.build(submissions)
}
