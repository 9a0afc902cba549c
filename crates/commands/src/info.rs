//! INFO: facts and counters of the node, by section.
//!
//! Each core adds its counters to [`Totals`]; the core of the connection words them. Visits take no
//! lock, so the numbers of two cores may be a moment apart.
//!
//! 1. Sections stand in Redis's order whatever the order of the request; one that does not exist is
//!    left out without a word.
//! 2. Fields are those of Redis 7.2, in its order, as far as they mean something here; a field that
//!    tools are known to read and that is always the same here is told as that. Our own fields end
//!    their section.

use crate::exec::{Gathered, Visit};
use crate::facts::{CoreFacts, Totals, REDIS_VERSION};
use crate::table::{Categories, Command, EveryCore, Flags, Run};
use crate::{CommandError, Exec, Table};
use config::Id;
use resp::{Args, Reply};
use std::collections::BTreeSet;
use std::fmt::{Display, Write};

type Result = std::result::Result<(), CommandError>;

/// INFO.
pub const TABLE: &[Command] = &[Command::running(
    "info",
    Run::EveryCore(EveryCore { locked: false, check: |_, _| Ok(()), visit, finish }),
)
.arity(-1)
.flags(&[Flags::LOADING, Flags::STALE])
.acl(Categories::DANGEROUS)
.tips(&["nondeterministic_output", "request_policy:all_shards", "response_policy:special"])];

/// One core's part.
fn visit(visit: &mut Visit<'_>, _: Args<'_>, gathered: &mut Gathered) {
    let mut totals = visit.facts.totals.clone();
    let stats = visit.keyspace.stats();
    totals.hits = stats.hits;
    totals.misses = stats.misses;
    totals.expired = stats.expired;
    let memory = visit.keyspace.memory();
    totals.used_memory = memory.used;
    totals.table_memory = memory.tables;
    totals.mapped_memory = memory.mapped;
    // Each core knows the peak of the INFOs that it worded.
    gathered.count = gathered.count.max(visit.facts.peak_memory);
    let databases = visit.keyspace.setup().databases;
    totals.databases = (0..databases).map(|db| database(visit, db)).collect();
    gathered.totals.add(&totals);
}

/// Keys of a database, those with an expiry, and an estimate of the sum of their remaining times (ms).
fn database(visit: &Visit<'_>, db: u16) -> (u64, u64, u64) {
    /// Redis, too, tells the average of a sample.
    const SAMPLE: usize = 64;
    let (keys, volatile) = (visit.keyspace.len(db) as u64, visit.keyspace.volatile_len(db) as u64);
    if volatile == 0 {
        return (keys, 0, 0);
    }
    let now_ms = visit.now.unix_ms();
    let (mut seen, mut remaining) = (0_u64, 0_u64);
    visit.keyspace.scan(db, keyspace::Cursor::START, 0..slot::SLOT_COUNT as u16, SAMPLE, |entry| {
        if let Some(expiry) = entry.expiry() {
            seen += 1;
            remaining += expiry.saturating_sub(now_ms);
        }
    });
    (keys, volatile, remaining.checked_div(seen).unwrap_or(0) * volatile)
}

/// The sections of a request without arguments.
const DEFAULT: &[&str] = &[
    "server",
    "clients",
    "memory",
    "persistence",
    "stats",
    "replication",
    "cpu",
    "errorstats",
    "cluster",
    "keyspace",
];

/// Which sections are wanted.
struct Wanted {
    all: bool,
    names: BTreeSet<String>,
}

impl Wanted {
    /// INFO [section [section ...]]
    fn parse(args: Args<'_>) -> Wanted {
        let mut wanted = Wanted { all: false, names: BTreeSet::new() };
        let defaults = || DEFAULT.iter().map(|name| name.to_string());
        if args.len() == 1 {
            wanted.names.extend(defaults());
        }
        for word in args.from(1).iter() {
            match word.to_ascii_lowercase().as_slice() {
                b"default" => wanted.names.extend(defaults()),
                b"all" | b"everything" => wanted.all = true,
                name => {
                    wanted.names.insert(String::from_utf8_lossy(name).into_owned());
                }
            }
        }
        wanted
    }

    fn has(&self, name: &str) -> bool {
        self.all || self.names.contains(name)
    }
}

/// The text in the making.
#[derive(Default)]
struct Text(String);

impl Text {
    fn section(&mut self, title: &str) {
        if !self.0.is_empty() {
            self.0.push_str("\r\n");
        }
        self.0.push_str(&format!("# {title}\r\n"));
    }

    fn field(&mut self, name: &str, value: impl Display) {
        write!(self.0, "{name}:{value}\r\n").expect("a string takes all that is written");
    }

    /// A number of bytes, and once more for people.
    fn bytes(&mut self, name: &str, bytes: u64) {
        self.field(name, bytes);
        self.field(&format!("{name}_human"), human(bytes));
    }
}

/// A number of bytes with a unit.
fn human(bytes: u64) -> String {
    const UNITS: &[char] = &['K', 'M', 'G', 'T', 'P'];
    if bytes < 1024 {
        return format!("{bytes}B");
    }
    // 1024 is one of the first unit, 1024 * 1024 one of the second.
    let unit = (bytes.ilog2() as usize / 10).min(UNITS.len());
    format!("{:.2}{}", bytes as f64 / 1024_f64.powi(unit as i32), UNITS[unit - 1])
}

/// What writes a section.
type Section = fn(&mut Text, &mut Exec<'_>, &Totals);

fn finish(cx: &mut Exec<'_>, args: Args<'_>, gathered: Gathered, reply: &mut Reply) -> Result {
    let wanted = Wanted::parse(args);
    let totals = gathered.totals;
    cx.facts.peak_memory = bytes(totals.used_memory).max(gathered.count);
    let mut text = Text::default();
    let sections: &[(&str, Section)] = &[
        ("server", server),
        ("clients", clients),
        ("memory", memory),
        ("persistence", persistence),
        ("stats", stats),
        ("replication", replication),
        ("cpu", cpu),
        ("commandstats", commandstats),
        ("errorstats", errorstats),
        ("cluster", cluster),
        ("keyspace", keyspace_section),
    ];
    for (name, write) in sections {
        if wanted.has(name) {
            write(&mut text, cx, &totals);
        }
    }
    reply.verbatim("txt", text.0.as_bytes());
    Ok(())
}

fn server(text: &mut Text, cx: &mut Exec<'_>, _: &Totals) {
    let CoreFacts { node, .. } = &*cx.facts;
    let uptime_s = cx.now.unix_ms().saturating_sub(node.started_ms) / 1000;
    text.section("Server");
    text.field("redis_version", REDIS_VERSION);
    text.field("redis_git_sha1", "00000000");
    text.field("redis_git_dirty", 0);
    text.field("redis_build_id", "0");
    text.field("redis_mode", if cx.config.cluster_enabled() { "cluster" } else { "standalone" });
    text.field("os", &node.os);
    text.field("arch_bits", usize::BITS);
    text.field("multiplexing_api", "io_uring");
    text.field("process_id", node.pid);
    text.field("process_supervised", "no");
    text.field("run_id", &node.run_id);
    text.field("tcp_port", node.tcp_port);
    text.field("server_time_usec", cx.now.unix_us);
    text.field("uptime_in_seconds", uptime_s);
    text.field("uptime_in_days", uptime_s / 86400);
    text.field("hz", cx.config.hz());
    text.field("configured_hz", cx.config.hz());
    text.field("lru_clock", keyspace::AccessClock::lru(cx.now.unix_ms()).get());
    text.field("executable", &node.executable);
    text.field("config_file", &node.config_file);
    text.field("io_threads_active", 0);
    text.field("ringslot_version", env!("CARGO_PKG_VERSION"));
    text.field("cores", node.cores);
}

fn clients(text: &mut Text, cx: &mut Exec<'_>, totals: &Totals) {
    text.section("Clients");
    text.field("connected_clients", totals.clients);
    text.field("maxclients", cx.config.maxclients());
    text.field("client_recent_max_input_buffer", totals.max_input);
    text.field("client_recent_max_output_buffer", totals.max_output);
    text.field("blocked_clients", totals.blocked_clients);
    text.field("tracking_clients", 0);
    text.field("clients_in_timeout_table", totals.timed_clients);
    text.field("total_blocking_keys", totals.blocking_keys);
    text.field("total_blocking_keys_on_nokey", totals.blocking_keys_on_deletion);
    text.field("paused_clients", totals.paused_clients);
}

/// A sum over all cores, which is below zero for moments at most.
fn bytes(sum: i64) -> u64 {
    u64::try_from(sum).unwrap_or(0)
}

fn memory(text: &mut Text, cx: &mut Exec<'_>, totals: &Totals) {
    let used = bytes(totals.used_memory);
    let overhead = bytes(totals.table_memory).min(used);
    let (process, peak) = (cx.facts.process, cx.facts.peak_memory);
    let ratio = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
    text.section("Memory");
    text.bytes("used_memory", used);
    text.bytes("used_memory_rss", process.rss);
    text.bytes("used_memory_peak", peak);
    text.field("used_memory_peak_perc", format!("{:.2}%", 100.0 * ratio(used, peak)));
    text.field("used_memory_overhead", overhead);
    text.field("used_memory_dataset", used - overhead);
    text.field("used_memory_dataset_perc", format!("{:.2}%", 100.0 * ratio(used - overhead, used)));
    text.bytes("total_system_memory", process.system_memory);
    text.bytes("maxmemory", cx.config.maxmemory());
    text.field("maxmemory_policy", String::from_utf8_lossy(&cx.config.show(Id::MaxmemoryPolicy)));
    text.field("mem_fragmentation_ratio", format!("{:.2}", ratio(process.rss, used)));
    text.field("mem_fragmentation_bytes", process.rss as i64 - used as i64);
    text.field("mem_allocator", "mimalloc");
    text.field("active_defrag_running", 0);
    text.field("lazyfree_pending_objects", 0);
    text.bytes("process_rss_peak", process.rss_peak);
    text.bytes("mapped_memory", bytes(totals.mapped_memory));
}

/// Nothing is saved yet: the fields that tools wait for say so.
fn persistence(text: &mut Text, _: &mut Exec<'_>, totals: &Totals) {
    text.section("Persistence");
    text.field("loading", 0);
    text.field("async_loading", 0);
    text.field("rdb_changes_since_last_save", totals.dirty);
    text.field("rdb_bgsave_in_progress", 0);
    text.field("rdb_last_bgsave_status", "ok");
    text.field("rdb_saves", 0);
    text.field("aof_enabled", 0);
    text.field("aof_rewrite_in_progress", 0);
    text.field("aof_rewrite_scheduled", 0);
    text.field("aof_last_bgrewrite_status", "ok");
    text.field("aof_last_write_status", "ok");
}

fn stats(text: &mut Text, _: &mut Exec<'_>, totals: &Totals) {
    text.section("Stats");
    text.field("total_connections_received", totals.connections);
    text.field("total_commands_processed", totals.commands);
    text.field("instantaneous_ops_per_sec", totals.ops_per_second);
    text.field("total_net_input_bytes", totals.net_input);
    text.field("total_net_output_bytes", totals.net_output);
    text.field("rejected_connections", totals.rejected_connections);
    text.field("sync_full", 0);
    text.field("sync_partial_ok", 0);
    text.field("sync_partial_err", 0);
    text.field("expired_keys", totals.expired);
    text.field("evicted_keys", 0);
    text.field("evicted_clients", 0);
    text.field("keyspace_hits", totals.hits);
    text.field("keyspace_misses", totals.misses);
    text.field("pubsub_channels", 0);
    text.field("pubsub_patterns", 0);
    text.field("pubsubshard_channels", 0);
    text.field("latest_fork_usec", 0);
    text.field("total_forks", 0);
    text.field("total_error_replies", totals.error_replies);
}

fn replication(text: &mut Text, cx: &mut Exec<'_>, _: &Totals) {
    text.section("Replication");
    text.field("role", "master");
    text.field("connected_slaves", 0);
    text.field("master_failover_state", "no-failover");
    text.field("master_replid", &cx.facts.node.replication_id);
    text.field("master_replid2", "0".repeat(40));
    text.field("master_repl_offset", 0);
    text.field("second_repl_offset", -1);
    text.field("repl_backlog_active", 0);
    text.field("repl_backlog_size", cx.config.number(Id::ReplBacklogSize));
    text.field("repl_backlog_first_byte_offset", 0);
    text.field("repl_backlog_histlen", 0);
}

fn cpu(text: &mut Text, cx: &mut Exec<'_>, _: &Totals) {
    let seconds = |us: u64| format!("{}.{:06}", us / 1_000_000, us % 1_000_000);
    text.section("CPU");
    text.field("used_cpu_sys", seconds(cx.facts.process.system_us));
    text.field("used_cpu_user", seconds(cx.facts.process.user_us));
    text.field("used_cpu_sys_children", seconds(0));
    text.field("used_cpu_user_children", seconds(0));
}

fn commandstats(text: &mut Text, _: &mut Exec<'_>, totals: &Totals) {
    text.section("Commandstats");
    for (command, counters) in Table::standard().rows().zip(&totals.by_command) {
        let calls = counters.calls;
        if calls + counters.rejected + counters.failed == 0 {
            continue;
        }
        let each = if calls == 0 { 0.0 } else { counters.usec as f64 / calls as f64 };
        text.field(
            &format!("cmdstat_{}", command.name),
            format_args!(
                "calls={calls},usec={},usec_per_call={each:.2},rejected_calls={},failed_calls={}",
                counters.usec, counters.rejected, counters.failed
            ),
        );
    }
}

fn errorstats(text: &mut Text, _: &mut Exec<'_>, totals: &Totals) {
    text.section("Errorstats");
    for (code, count) in &totals.errors_by_code {
        // What would break a line or a field apart is replaced, as in Redis.
        let code: String = code.chars().map(|c| if "#:\n\r".contains(c) { '_' } else { c }).collect();
        text.field(&format!("errorstat_{code}"), format_args!("count={count}"));
    }
}

fn cluster(text: &mut Text, cx: &mut Exec<'_>, _: &Totals) {
    text.section("Cluster");
    text.field("cluster_enabled", u8::from(cx.config.cluster_enabled()));
}

fn keyspace_section(text: &mut Text, _: &mut Exec<'_>, totals: &Totals) {
    text.section("Keyspace");
    for (db, (keys, volatile, remaining_ms)) in totals.databases.iter().enumerate() {
        if *keys > 0 {
            let average = if *volatile == 0 { 0 } else { remaining_ms / volatile };
            text.field(&format!("db{db}"), format_args!("keys={keys},expires={volatile},avg_ttl={average}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::MiniNode;

    fn fields(text: &str) -> Vec<(String, String)> {
        let text = config::words::split(text.as_bytes()).expect("one quoted word").remove(0);
        let text = String::from_utf8(text).expect("text");
        text.lines()
            .filter_map(|line| line.split_once(':'))
            .map(|(a, b)| (a.to_string(), b.to_string()))
            .collect()
    }

    fn titles(text: &str) -> Vec<&str> {
        text.split("# ").skip(1).map(|rest| rest.split("\\r").next().expect("a title")).collect()
    }

    #[test]
    fn sections_are_those_asked_for_in_their_own_order() {
        let mut node = MiniNode::new(&[]);
        let all = [
            "Server",
            "Clients",
            "Memory",
            "Persistence",
            "Stats",
            "Replication",
            "CPU",
            "Errorstats",
            "Cluster",
            "Keyspace",
        ];
        assert_eq!(titles(&node.run("INFO")), all);
        assert_eq!(titles(&node.run("INFO default")), all);
        assert_eq!(titles(&node.run("INFO DEFAULT nosuch server")), all);
        assert_eq!(titles(&node.run("INFO keyspace CPU Clients clients")), ["Clients", "CPU", "Keyspace"]);
        assert_eq!(titles(&node.run("INFO commandstats")), ["Commandstats"]);
        assert_eq!(titles(&node.run("INFO default commandstats")).len(), all.len() + 1);
        assert_eq!(titles(&node.run("INFO all")).len(), all.len() + 1);
        assert_eq!(titles(&node.run("INFO everything nosuch")).len(), all.len() + 1);
        assert_eq!(node.run("INFO nosuch"), "\"\"");
        assert_eq!(node.run("INFO cluster"), "\"# Cluster\\r\\ncluster_enabled:0\\r\\n\"");
        assert_eq!(
            node.run("INFO cluster keyspace"),
            "\"# Cluster\\r\\ncluster_enabled:0\\r\\n\\r\\n# Keyspace\\r\\n\""
        );
    }

    #[test]
    fn counters_of_all_cores_are_added() {
        let mut node = MiniNode::new(&[]);
        let get = Table::standard().find_name(b"get").expect("built").0;
        for core in 0..2 {
            let totals = &mut node.facts(core).totals;
            totals.commands = 100;
            totals.clients = 2;
            totals.errors_by_code.insert("ERR".to_string(), 3);
            totals.errors_by_code.insert("A:B#".to_string(), 1);
            let counters = &mut totals.by_command[usize::from(get)];
            (counters.calls, counters.usec, counters.failed) = (4, 6, 1);
        }
        for key in ["a", "b", "c", "d", "e", "{x}"] {
            node.run(&format!("SET {key} 1 PX 60000"));
        }
        node.run("SELECT 3");
        node.run("SET k v");
        node.run("GET k");
        node.run("GET nosuch");
        let all = fields(&node.run("INFO everything"));
        let is = |name: &str, value: &str| {
            let found: Vec<_> =
                all.iter().filter(|(field, _)| field == name).map(|(_, value)| value).collect();
            assert_eq!(found, [value], "{name}");
        };
        is("redis_version", "7.2.4");
        is("redis_mode", "standalone");
        is("uptime_in_seconds", "100000");
        is("uptime_in_days", "1");
        is("cores", "2");
        is("total_commands_processed", "200");
        is("connected_clients", "4");
        is("keyspace_hits", "1");
        is("keyspace_misses", "1");
        is("cmdstat_get", "calls=8,usec=12,usec_per_call=1.50,rejected_calls=0,failed_calls=2");
        is("errorstat_ERR", "count=6");
        is("errorstat_A_B_", "count=2");
        is("db0", "keys=6,expires=6,avg_ttl=60000");
        is("db3", "keys=1,expires=0,avg_ttl=0");
        is("master_replid", &"9876543210".repeat(4));
        assert!(all.iter().all(|(name, _)| name != "db1" && name != "cmdstat_set"));

        assert_eq!(node.run("CONFIG RESETSTAT"), "+OK");
        let all = fields(&node.run("INFO everything"));
        let value = |name: &str| all.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str());
        assert_eq!(value("total_commands_processed"), Some("0"));
        assert_eq!(value("keyspace_hits"), Some("0"));
        assert_eq!(value("connected_clients"), Some("4"), "they are still there");
        assert_eq!(value("cmdstat_get"), None);
        assert_eq!(value("errorstat_ERR"), None);
        assert_eq!(value("db0"), Some("keys=6,expires=6,avg_ttl=60000"));
    }

    #[test]
    fn what_one_core_frees_for_another_is_no_memory_in_use() {
        let totals = |used_memory| Totals { used_memory, ..Totals::default() };
        let mut sum = totals(5000);
        sum.add(&totals(-1000));
        assert_eq!(sum.used_memory, 4000);
    }

    #[test]
    fn bytes_are_shown_to_people_with_a_unit() {
        for (bytes, text) in [
            (0, "0B"),
            (1023, "1023B"),
            (1024, "1.00K"),
            (1_048_575, "1024.00K"),
            (1_048_576, "1.00M"),
            (1_572_864, "1.50M"),
            (1 << 30, "1.00G"),
            (1 << 40, "1.00T"),
            (1 << 50, "1.00P"),
        ] {
            assert_eq!(human(bytes), text);
        }
    }
}
