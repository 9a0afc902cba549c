//! The control plane: async tasks for what may take milliseconds. Cluster bus, timers, replication links,
//! files, admin.
//!
//!     spawn_executor("bus", ..) --> a thread --> main(ctx) --> ctx.spawn(task), ctx.connect(..), ...
//!                                                    '--> when it ends, kept tasks are cancelled
//!
//! An executor is one thread; its tasks never leave it and share its memory without locks. What computes for
//! long, or waits for a disk in a call of its own, goes to `spawn_blocking`.
//!
//! 1. The backend (glommio) is named in `executor.rs` alone. Others see `Ctx`, and futures' own traits. It is
//!    unmaintained: a second backend would fit behind the same file.
//! 2. io_uring is tried before an executor is made: where it is refused the backend would end the process.
//! 3. A task that panics ends alone: its awaiter gets `TaskPanic`.
//! 4. Control threads keep off the data cores' processors where there are others (R12).
//!
//! Not here: what is spoken on a connection (`cluster`, `replication`), and the data plane.

mod executor;
mod files;

use crate::clock;
use std::io;
use std::time::Duration;

pub use executor::{spawn_executor, Ctx, Executor, ReadHalf, Task, TcpListener, TcpStream, WriteHalf};
pub use files::{append_file, lock_file, replace_file, AppendFile, Durability, FileLock};

/// A task ended by a panic.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a task panicked: {0}")]
pub struct TaskPanic(
    /// What it said.
    pub String,
);

/// Why an executor could not start.
#[derive(Debug, thiserror::Error)]
pub enum ExecutorError {
    /// The kernel does not give us io_uring as it is needed.
    #[error(transparent)]
    IoUring(#[from] crate::doctor::IoUringRefused),
    /// The thread, or the backend on it, could not be set up.
    #[error("cannot start executor {name}: {error}")]
    Start {
        /// Which executor.
        name: String,
        /// What the system said.
        error: io::Error,
    },
}

/// Ticks at a steady pace. Ticks that nobody awaited in time are left out, not made up for.
#[derive(Debug)]
pub struct Interval {
    next_us: u64,
    period_us: u64,
}

impl Interval {
    pub(crate) fn new(period: Duration) -> Interval {
        let period_us = (period.as_micros() as u64).max(1);
        Interval { next_us: clock::mono_us() + period_us, period_us }
    }

    /// Waits for the next tick; returns the time at which it was due, on the monotonic clock.
    pub async fn tick(&mut self, ctx: &Ctx) -> u64 {
        ctx.sleep_until(self.next_us).await;
        let (due, now) = (self.next_us, clock::mono_us());
        let behind = now.saturating_sub(due) / self.period_us;
        self.next_us = due + (behind + 1) * self.period_us;
        due
    }
}

/// How a listening socket of the control plane is made.
#[derive(Debug, Clone, Copy)]
pub struct ListenOptions {
    /// How many connections may wait to be accepted.
    pub backlog: u32,
}

impl Default for ListenOptions {
    fn default() -> ListenOptions {
        ListenOptions { backlog: 511 }
    }
}
