//! Starting and ending the data cores.
//!
//! 1. Every core builds its ring on its own thread and reports.
//! 2. Only when all have, does any of them run: so each knows how to wake all others, and a node that cannot
//!    start all of its cores starts none.

use crate::data::bell::Bell;
use crate::data::io::{Loop, Peers};
use crate::data::{CoreApp, Listener, StartError};
use crate::thread as threads;
use std::any::Any;
use std::io;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{mpsc, Arc};
use std::thread::JoinHandle;

/// The sizes of a core's ring and receive buffers.
#[derive(Debug, Clone, Copy)]
pub struct RingSizes {
    /// Submission queue entries.
    pub submissions: u32,
    /// Completion queue entries.
    pub completions: u32,
    /// Receive buffers: a power of two, at most 32768.
    pub receive_buffers: u16,
    /// Bytes of each.
    pub receive_buffer_bytes: usize,
    /// Fill buffers step by step where the kernel can.
    pub incremental_buffers: bool,
}

impl Default for RingSizes {
    fn default() -> RingSizes {
        RingSizes {
            submissions: 1024,
            completions: 4096,
            receive_buffers: 512,
            receive_buffer_bytes: 16 << 10,
            incremental_buffers: true,
        }
    }
}

/// What one core is to be.
pub struct LoopConfig {
    /// Its number; the numbers of a plane are 0, 1, 2 and so on.
    pub core: usize,
    /// The processor to which its thread is pinned.
    pub cpu: Option<usize>,
    /// The name of its thread, of which the kernel shows 15 bytes.
    pub thread_name: String,
    /// Bytes of stack: scripts and deep recursion run on it.
    pub stack_bytes: usize,
    /// Sizes of its ring.
    pub ring: RingSizes,
    /// The most connections of this core; beyond, clients wait in the listeners' backlog.
    pub max_connections: u32,
    /// Its own listening sockets.
    pub listeners: Vec<Listener>,
    /// Let replies that go out whole make no completion, where the kernel allows it.
    pub quiet_sends: bool,
    bell: Bell,
}

impl LoopConfig {
    /// A core with no listeners and default sizes.
    pub fn new(core: usize) -> io::Result<LoopConfig> {
        Ok(LoopConfig {
            core,
            cpu: None,
            thread_name: format!("core-{core}"),
            stack_bytes: 8 << 20,
            ring: RingSizes::default(),
            max_connections: 10_000,
            listeners: Vec::new(),
            quiet_sends: true,
            bell: Bell::new()?,
        })
    }

    /// What wakes this core from threads that have no ring: for mailboxes.
    pub fn bell(&self) -> Bell {
        self.bell.clone()
    }
}

/// A core and what makes its application, on the core's own thread.
pub struct CoreSpec<F> {
    /// The core.
    pub config: LoopConfig,
    /// Makes the application.
    pub app: F,
}

/// How a core ended that did not stop when it was told to.
#[derive(Debug, thiserror::Error)]
pub enum CoreFailure {
    /// The kernel refused to go on with the ring.
    #[error("core {core}: io_uring failed: {error}")]
    Ring {
        /// Which core.
        core: usize,
        /// What the kernel said.
        error: io::Error,
    },
    /// The application panicked.
    #[error("core {core} panicked: {message}")]
    Panicked {
        /// Which core.
        core: usize,
        /// What it said.
        message: String,
    },
}

/// The running data cores.
pub struct DataPlane {
    threads: Vec<JoinHandle<io::Result<()>>>,
    ended: mpsc::Receiver<usize>,
}

impl DataPlane {
    /// Starts all cores, or none.
    pub fn start<A, F>(cores: Vec<CoreSpec<F>>) -> Result<DataPlane, StartError>
    where
        A: CoreApp,
        F: FnOnce() -> A + Send + 'static,
    {
        let peers = Arc::new(Peers {
            rings: cores.iter().map(|_| AtomicI32::new(-1)).collect(),
            bells: cores.iter().map(|core| core.config.bell()).collect(),
        });
        let (report, reports) = mpsc::channel();
        let (end, ended) = mpsc::channel();
        let (mut threads, mut starts) = (Vec::new(), Vec::new());
        for spec in cores {
            let core = spec.config.core;
            let (start, started) = mpsc::channel::<()>();
            let (report, end, peers) = (report.clone(), end.clone(), peers.clone());
            let name = spec.config.thread_name.clone();
            let thread = std::thread::Builder::new()
                .name(name)
                .stack_size(spec.config.stack_bytes)
                .spawn(move || run_core(spec, peers, report, started, Ended { core, end }))
                .map_err(|error| StartError::Thread { core, error })?;
            threads.push(thread);
            starts.push(start);
        }
        // 1. All are ready, or the first failure ends the others: their `starts` are dropped.
        for _ in &threads {
            reports.recv().expect("every core reports once")?;
        }
        // 2. All run. One that has ended meanwhile is found by `wait`.
        for start in starts {
            let _ = start.send(());
        }
        Ok(DataPlane { threads, ended })
    }

    /// Waits until any core has ended, for whatever reason; says which. None where all have and were waited for.
    pub fn wait_any(&self) -> Option<usize> {
        self.ended.recv().ok()
    }

    /// Waits until all cores have ended.
    pub fn join(self) -> Vec<Result<(), CoreFailure>> {
        let ended = |(core, thread): (usize, JoinHandle<io::Result<()>>)| match thread.join() {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(CoreFailure::Ring { core, error }),
            Err(panic) => Err(CoreFailure::Panicked { core, message: panic_message(&*panic) }),
        };
        self.threads.into_iter().enumerate().map(ended).collect()
    }
}

/// What a panic said, where it said it in words.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| text.to_string());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a message".into())
}

/// Tells of a core's end, also by a panic.
struct Ended {
    core: usize,
    end: mpsc::Sender<usize>,
}

impl Drop for Ended {
    fn drop(&mut self) {
        // Nobody may be waiting.
        let _ = self.end.send(self.core);
    }
}

fn run_core<A: CoreApp, F: FnOnce() -> A>(
    mut spec: CoreSpec<F>,
    peers: Arc<Peers>,
    report: mpsc::Sender<Result<(), StartError>>,
    started: mpsc::Receiver<()>,
    _ended: Ended,
) -> io::Result<()> {
    let core = spec.config.core;
    let pinned = spec.config.cpu.map_or(Ok(()), threads::pin_to);
    let ready = pinned
        .map_err(|error| StartError::Thread { core, error })
        .and_then(|()| Loop::<A>::prepare(&mut spec.config, peers.clone()));
    let (io, buffers) = match ready {
        Ok(ready) => ready,
        Err(error) => {
            let _ = report.send(Err(error));
            return Ok(());
        }
    };
    peers.rings[core].store(io.ring_fd(), Ordering::Release);
    let _ = report.send(Ok(()));
    drop(report);
    if started.recv().is_err() {
        return Ok(());
    }
    let bell = spec.config.bell();
    let result = Loop::with_app(io, buffers, bell, (spec.app)()).run();
    peers.rings[core].store(-1, Ordering::Release);
    result
}
