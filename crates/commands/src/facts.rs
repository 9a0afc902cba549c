//! Facts of the node and the counters of one core, as INFO tells them.
//!
//! Each core counts for itself; INFO visits the cores and adds up ([`Totals::add`]).

use std::sync::Arc;

/// The version of Redis whose behaviour this node has.
pub const REDIS_VERSION: &str = "7.2.4";

/// What does not change while the process runs.
#[derive(Clone, Debug, Default)]
pub struct NodeFacts {
    /// 40 hex digits drawn at start.
    pub run_id: String,
    /// 40 hex digits drawn at start: the history that replicas would follow.
    pub replication_id: String,
    /// Process id.
    pub pid: u32,
    /// Unix milliseconds of the start.
    pub started_ms: u64,
    /// TCP port listened on.
    pub tcp_port: u16,
    /// Path of the executable.
    pub executable: String,
    /// Path of the configuration file, or empty.
    pub config_file: String,
    /// Name and release of the operating system.
    pub os: String,
    /// Data cores.
    pub cores: u8,
}

/// What the shell reads from the operating system once a second.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProcessFacts {
    /// Resident bytes.
    pub rss: u64,
    /// Largest resident size seen, bytes.
    pub rss_peak: u64,
    /// Physical memory of the machine, bytes.
    pub system_memory: u64,
    /// User CPU time of the process, microseconds.
    pub user_us: u64,
    /// System CPU time of the process, microseconds.
    pub system_us: u64,
}

/// Counters of one command.
#[derive(Clone, Copy, Debug, Default)]
pub struct CommandCounters {
    /// Times it ran.
    pub calls: u64,
    /// Times a gate refused it.
    pub rejected: u64,
    /// Times it ran and answered an error.
    pub failed: u64,
    /// Time spent, microseconds, as far as it was measured.
    pub usec: u64,
}

/// Counters that add up over cores.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    /// Commands executed.
    pub commands: u64,
    /// Connections accepted.
    pub connections: u64,
    /// Connections refused (maxclients, protected mode).
    pub rejected_connections: u64,
    /// Connections now.
    pub clients: u64,
    /// Largest unread input of a client now, bytes.
    pub max_input: u64,
    /// Largest unsent output of a client now, bytes.
    pub max_output: u64,
    /// Bytes received.
    pub net_input: u64,
    /// Bytes sent.
    pub net_output: u64,
    /// Commands executed in the last second.
    pub ops_per_second: u64,
    /// Look-ups for reading that found a key.
    pub hits: u64,
    /// Look-ups for reading that found none.
    pub misses: u64,
    /// Keys that expired.
    pub expired: u64,
    /// Error replies.
    pub error_replies: u64,
    /// Error replies by their first word.
    pub errors_by_code: std::collections::BTreeMap<String, u64>,
    /// Changes since the last save (Redis's `dirty`).
    pub dirty: u64,
    /// Clients whose commands wait for CLIENT PAUSE.
    pub paused_clients: u64,
    /// Clients that wait for a key.
    pub blocked_clients: u64,
    /// Of those, the ones that wait for a limited time.
    pub timed_clients: u64,
    /// Keys that somebody waits for.
    pub blocking_keys: u64,
    /// Of those, keys of which somebody wants to know when they go.
    pub blocking_keys_on_deletion: u64,
    /// Bytes that keys and values use. One core alone may be below zero, because what one core made
    /// another may free.
    pub used_memory: i64,
    /// Of those, bytes of the tables that find the keys.
    pub table_memory: i64,
    /// Bytes taken from the system for keys and tables.
    pub mapped_memory: i64,
    /// Keys, keys with an expiry, and the sum of their remaining times (ms), by database.
    pub databases: Vec<(u64, u64, u64)>,
    /// By command, in the order of the table.
    pub by_command: Vec<CommandCounters>,
}

/// What a core knows of the node and of itself.
#[derive(Clone, Debug, Default)]
pub struct CoreFacts {
    /// Of the node.
    pub node: Arc<NodeFacts>,
    /// Of the process.
    pub process: ProcessFacts,
    /// Of this core.
    pub totals: Totals,
    /// Largest used_memory seen by INFO.
    pub peak_memory: u64,
    /// DEBUG SET-ACTIVE-EXPIRE.
    pub active_expire: bool,
    /// DEBUG SLEEP: how long the shell shall hold this core, microseconds.
    pub sleep_us: u64,
    /// Cluster facts for INFO and the gates; `None` in standalone mode.
    pub routing: Option<Arc<cluster::RoutingMap>>,
}

impl Totals {
    /// CONFIG RESETSTAT: forgets what was counted, and keeps what describes the present.
    pub fn reset(&mut self) {
        *self = Totals {
            clients: self.clients,
            max_input: self.max_input,
            max_output: self.max_output,
            ops_per_second: self.ops_per_second,
            dirty: self.dirty,
            paused_clients: self.paused_clients,
            blocked_clients: self.blocked_clients,
            timed_clients: self.timed_clients,
            blocking_keys: self.blocking_keys,
            blocking_keys_on_deletion: self.blocking_keys_on_deletion,
            used_memory: self.used_memory,
            table_memory: self.table_memory,
            mapped_memory: self.mapped_memory,
            databases: std::mem::take(&mut self.databases),
            by_command: vec![CommandCounters::default(); self.by_command.len()],
            ..Totals::default()
        };
    }

    /// Adds another core's counters.
    pub fn add(&mut self, other: &Totals) {
        self.commands += other.commands;
        self.connections += other.connections;
        self.rejected_connections += other.rejected_connections;
        self.clients += other.clients;
        self.max_input = self.max_input.max(other.max_input);
        self.max_output = self.max_output.max(other.max_output);
        self.net_input += other.net_input;
        self.net_output += other.net_output;
        self.ops_per_second += other.ops_per_second;
        self.hits += other.hits;
        self.misses += other.misses;
        self.expired += other.expired;
        self.error_replies += other.error_replies;
        for (code, n) in &other.errors_by_code {
            *self.errors_by_code.entry(code.clone()).or_default() += n;
        }
        self.dirty += other.dirty;
        self.paused_clients += other.paused_clients;
        self.blocked_clients += other.blocked_clients;
        self.timed_clients += other.timed_clients;
        self.blocking_keys += other.blocking_keys;
        self.blocking_keys_on_deletion += other.blocking_keys_on_deletion;
        self.used_memory += other.used_memory;
        self.table_memory += other.table_memory;
        self.mapped_memory += other.mapped_memory;
        add_each(&mut self.databases, &other.databases, |a, b| *a = (a.0 + b.0, a.1 + b.1, a.2 + b.2));
        add_each(&mut self.by_command, &other.by_command, |a, b| {
            a.calls += b.calls;
            a.rejected += b.rejected;
            a.failed += b.failed;
            a.usec += b.usec;
        });
    }
}

fn add_each<T: Default + Clone>(to: &mut Vec<T>, from: &[T], add: impl Fn(&mut T, &T)) {
    if to.len() < from.len() {
        to.resize(from.len(), T::default());
    }
    to.iter_mut().zip(from).for_each(|(a, b)| add(a, b));
}
