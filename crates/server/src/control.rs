//! What the data cores and the control plane send each other, and the words that they share.

use node::{FromControl, ToControl};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// To a core.
pub enum Inbound {
    /// For the node.
    Node(FromControl),
    /// Finish what was read, and end.
    Stop,
}

/// To the admin executor.
pub enum ToAdmin {
    /// From a core.
    Core {
        /// Which.
        core: u8,
        /// What.
        message: ToControl,
    },
    /// The cluster goes by this configuration.
    BusConfigApplied(u64),
    /// A second has passed.
    Second,
    /// End the process.
    Stop,
}

/// To the cluster's executor.
pub enum ToBus {
    /// From a core.
    Core {
        /// Which.
        core: u8,
        /// What.
        message: ToControl,
    },
    /// The configuration has changed; to be acknowledged to the admin executor with this number.
    Config(u64, std::sync::Arc<config::Config>),
    /// Something happened on the bus.
    Link(crate::bus::LinkEvent),
    /// A hundred milliseconds have passed.
    Tick,
}

/// One line a core, written by it alone (rule R11), on a cache line of its own.
#[derive(Default)]
#[repr(align(128))]
struct Line {
    connections: AtomicU64,
    keys: AtomicU64,
    quiet: AtomicBool,
}

/// All cores' lines.
pub struct Lines {
    lines: Box<[Line]>,
    unix_path: String,
}

impl Lines {
    /// For so many cores; `unix_path` is what clients of the unix socket are shown as their address.
    pub fn new(cores: usize, unix_path: String) -> Lines {
        Lines { lines: (0..cores).map(|_| Line::default()).collect(), unix_path }
    }

    /// The path of the unix socket, or nothing.
    pub fn unix_path(&self) -> &str {
        &self.unix_path
    }

    /// Tells how many connections a core has.
    pub fn set_connections(&self, core: usize, connections: u64) {
        self.lines[core].connections.store(connections, Ordering::Relaxed);
    }

    /// Tells how many keys a core has.
    pub fn set_keys(&self, core: usize, keys: u64) {
        self.lines[core].keys.store(keys, Ordering::Relaxed);
    }

    /// Tells whether a core that is to stop has nothing under way.
    pub fn set_quiet(&self, core: usize, quiet: bool) {
        self.lines[core].quiet.store(quiet, Ordering::Release);
    }

    /// Connections of all cores.
    pub fn connections(&self) -> u64 {
        self.lines.iter().map(|line| line.connections.load(Ordering::Relaxed)).sum()
    }

    /// Keys of all cores, as of their last tick.
    pub fn keys(&self) -> u64 {
        self.lines.iter().map(|line| line.keys.load(Ordering::Relaxed)).sum()
    }

    /// Whether no core has anything under way.
    pub fn all_quiet(&self) -> bool {
        self.lines.iter().all(|line| line.quiet.load(Ordering::Acquire))
    }
}
