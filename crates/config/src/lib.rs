//! Configuration: every directive of Redis 7.2 and a few of our own.
//!
//! This crate reads no file, no clock and no environment: text goes in, values come out. That is why it
//! can be fuzzed and why CONFIG SET can be tried on a copy first. The shell reads the files, changes
//! the working directory, binds the ports, and publishes a [`Config`] as an immutable version that the
//! cores read.
//!
//! ```text
//! file, stdin, --options --load.rs--> Config --getters--> whoever obeys it
//! CONFIG SET name value  ----set----> Changed, or SetError and nothing has changed
//! CONFIG REWRITE  <--rewrite.rs-- old text of the file
//! ```
//!
//! 1. `table.rs` is the single truth about names, kinds, bounds and defaults.
//! 2. A [`Config`] always holds a valid value for each directive; [`Config::set`] changes all the values
//!    that it is given or none.
//! 3. No input makes any of this panic.
//!
//! Not here: what must be tried on the machine to know whether a value works (a port that is taken, a
//! directory that is missing). The shell tries it on the copy and words the refusal with
//! [`SetError::Failed`]. The pattern matcher of KEYS and SCAN is here ([`glob`]) because CONFIG GET
//! needs it too.

mod directive;
pub mod glob;
mod load;
mod rewrite;
mod table;
mod value;
pub mod words;

use std::fmt;

pub use directive::{Check, Directive, Effect, Kind, NumberForm, Special};
pub use load::{from_command_line, ConfigFileError, Launch, LoadError, Loader, Sources};
pub use table::{Id, TABLE};
pub use value::{events, memory as parse_memory, BadValue, OutputLimit, SavePoint, Value};

impl Id {
    /// What the table says about it.
    pub fn directive(self) -> &'static Directive {
        &TABLE[self as usize]
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.directive().name
    }

    /// Finds a directive by its name or its older name, in any case.
    pub fn find(name: &[u8]) -> Option<Id> {
        Id::ALL.iter().copied().find(|id| {
            let directive = id.directive();
            name.eq_ignore_ascii_case(directive.name.as_bytes())
                || directive.alias.is_some_and(|alias| name.eq_ignore_ascii_case(alias.as_bytes()))
        })
    }
}

/// One valid value for every directive.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// In the order of [`Id::ALL`].
    values: Vec<Value>,
}

impl Default for Config {
    fn default() -> Config {
        Config { values: TABLE.iter().map(Value::default_of).collect() }
    }
}

/// The directives that a [`Config::set`] gave another value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed(Vec<Id>);

impl Changed {
    /// Whether this one has another value now.
    pub fn contains(&self, id: Id) -> bool {
        self.0.contains(&id)
    }

    /// All of them, in the order in which they were given.
    pub fn iter(&self) -> impl Iterator<Item = Id> + '_ {
        self.0.iter().copied()
    }

    /// Whether all values were what they had been.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What [`Config::set`] has to know about who asks and when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SetContext {
    /// The client is connected from this machine (`enable-protected-configs local`).
    pub client_is_local: bool,
    /// Data is being loaded.
    pub loading: bool,
}

/// Why CONFIG SET was refused. Displayed, it is Redis's text after `ERR ` (or the whole error line for
/// [`SetError::Loading`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetError {
    /// There is no such directive.
    Unknown(String),
    /// The directive cannot have this value, or not now.
    Failed {
        /// The directive.
        name: String,
        /// Why.
        why: String,
    },
    /// Data is being loaded, and this directive has to wait for it.
    Loading,
}

impl fmt::Display for SetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SetError::Unknown(name) => {
                write!(f, "Unknown option or number of arguments for CONFIG SET - '{name}'")
            }
            SetError::Failed { name, why } => {
                write!(f, "CONFIG SET failed (possibly related to argument '{name}') - {why}")
            }
            SetError::Loading => f.write_str("LOADING Redis is loading the dataset in memory"),
        }
    }
}

impl std::error::Error for SetError {}

impl Config {
    /// The value of a directive.
    pub fn value(&self, id: Id) -> &Value {
        &self.values[id as usize]
    }

    /// CONFIG GET: names and values that match any of the patterns, sorted by name. A name without
    /// wildcards is answered as it was spelled; hidden directives must be asked for that way.
    pub fn get<P: AsRef<[u8]>>(&self, patterns: &[P]) -> Vec<(String, Vec<u8>)> {
        let mut found: Vec<(String, Vec<u8>)> = Vec::new();
        for pattern in patterns {
            let pattern = pattern.as_ref();
            if pattern.iter().any(|byte| b"[*?".contains(byte)) {
                for id in Id::ALL {
                    let directive = id.directive();
                    let names = [Some(directive.name), directive.alias];
                    for name in names.into_iter().flatten().filter(|_| !directive.hidden) {
                        if glob::matches_ignoring_case(pattern, name.as_bytes()) {
                            found.push((name.to_string(), self.show(*id)));
                        }
                    }
                }
            } else if let Some(id) = Id::find(pattern) {
                found.push((String::from_utf8_lossy(pattern).into_owned(), self.show(id)));
            }
        }
        // Stable, so that of two spellings the one that was asked for first stays.
        found.sort_by_key(|(name, _)| name.to_ascii_lowercase());
        found.dedup_by(|later, earlier| later.0.eq_ignore_ascii_case(&earlier.0));
        found
    }

    /// The value of a directive as CONFIG GET answers it.
    pub fn show(&self, id: Id) -> Vec<u8> {
        self.value(id).show(id.directive())
    }

    /// CONFIG SET: gives all of the directives these values, or none of them.
    ///
    /// Whether the machine can follow (a port, a directory) is for the caller to try: call this on a
    /// copy, apply what [`Changed`] names, and only then publish the copy.
    pub fn set<N: AsRef<[u8]>, V: AsRef<[u8]>>(
        &mut self,
        pairs: &[(N, V)],
        context: SetContext,
    ) -> Result<Changed, SetError> {
        let ids = self.settable(pairs, context)?;
        let mut next = self.clone();
        let mut changed = Changed::default();
        for (id, (_, text)) in ids.into_iter().zip(pairs) {
            let value = next.parse_live(id, text.as_ref()).map_err(|BadValue(why)| SetError::Failed {
                name: id.name().to_string(),
                why: why.into_owned(),
            })?;
            if value != *next.value(id) {
                next.values[id as usize] = value;
                changed.0.push(id);
            }
        }
        *self = next;
        Ok(changed)
    }

    /// Looks up every name first, so that an unknown one is what is reported, whatever else is wrong
    /// before it.
    fn settable<N: AsRef<[u8]>, V>(
        &self,
        pairs: &[(N, V)],
        context: SetContext,
    ) -> Result<Vec<Id>, SetError> {
        let lossy = |name: &N| String::from_utf8_lossy(name.as_ref()).into_owned();
        let mut ids = Vec::with_capacity(pairs.len());
        let mut first_error = None;
        for (name, _) in pairs {
            let Some(id) = Id::find(name.as_ref()) else {
                // As in Redis, an earlier error hides an unknown name.
                return Err(first_error.unwrap_or_else(|| SetError::Unknown(lossy(name))));
            };
            let directive = id.directive();
            let failed = |why: &str| SetError::Failed { name: lossy(name), why: why.to_string() };
            let error = if directive.immutable {
                Some(failed("can't set immutable config"))
            } else if directive.protected && !self.enable_protected_configs().allows(context.client_is_local)
            {
                Some(failed("can't set protected config"))
            } else if context.loading && directive.deny_loading {
                Some(SetError::Loading)
            } else if ids.contains(&id) {
                Some(failed("duplicate parameter"))
            } else {
                None
            };
            first_error = first_error.or(error);
            ids.push(id);
        }
        first_error.map_or(Ok(ids), Err)
    }

    /// A value given by CONFIG SET: one text, of which a directive that takes several words gets the
    /// parts between single blanks.
    fn parse_live(&self, id: Id, text: &[u8]) -> Result<Value, BadValue> {
        let directive = id.directive();
        let args: Vec<&[u8]> = match directive.takes_several() {
            true if text.is_empty() => Vec::new(),
            true => text.split(|&byte| byte == b' ').collect(),
            false => vec![text],
        };
        let value = Value::parse(directive, &args, self.value(id), false)?;
        self.check_supported(id, &value)?;
        Ok(value)
    }

    fn check_supported(&self, id: Id, value: &Value) -> Result<(), BadValue> {
        match id.directive().effect {
            Effect::Refused(missing) if *value != Value::default_of(id.directive()) => Err(BadValue(
                format!("Ringslot does not have {missing} yet, and to ignore this would be dangerous").into(),
            )),
            _ => Ok(()),
        }
    }

    /// Directives that were given a value and mean nothing here yet: to be told at start-up.
    pub fn accepted_but_unused(&self) -> Vec<&'static str> {
        let is_told = |id: &Id| {
            let directive = id.directive();
            let says_never = matches!(self.value(*id), Value::Save(points) if points.is_empty());
            directive.effect == Effect::Accepted
                && *self.value(*id) != Value::default_of(directive)
                // Nothing is saved, and that is what it asks for.
                && !says_never
        };
        Id::ALL.iter().filter(|id| is_told(id)).map(|id| id.name()).collect()
    }

    /// The shell tells where it is: `dir` is answered and written back as an absolute path.
    pub fn set_working_directory(&mut self, path: &[u8]) {
        self.values[Id::Dir as usize] = Value::Text(Some(path.to_vec()));
    }

    /// The shell tells what the limit on open files allows.
    pub fn lower_maxclients(&mut self, clients: u32) {
        let clients = clients.clamp(1, self.maxclients());
        self.values[Id::Maxclients as usize] = Value::Number(clients.into());
    }

    /// A yes/no directive; `false` for any other kind.
    pub fn yes(&self, id: Id) -> bool {
        matches!(self.value(id), Value::YesNo(true))
    }

    /// A number; zero for any other kind.
    pub fn number(&self, id: Id) -> i128 {
        match self.value(id) {
            Value::Number(number) => *number,
            _ => 0,
        }
    }

    /// A text that is set.
    pub fn text(&self, id: Id) -> Option<&[u8]> {
        match self.value(id) {
            Value::Text(text) => text.as_deref(),
            _ => None,
        }
    }

    fn word(&self, id: Id) -> i32 {
        match self.value(id) {
            Value::Choice(word) => *word,
            _ => 0,
        }
    }
}

/// `loglevel`: what is logged is this and what weighs more.
#[allow(missing_docs, reason = "Redis's own words")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    Debug,
    Verbose,
    Notice,
    Warning,
    Nothing,
}

/// `maxmemory-policy`.
#[allow(missing_docs, reason = "Redis's own words")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaxmemoryPolicy {
    VolatileLru,
    VolatileLfu,
    VolatileRandom,
    VolatileTtl,
    AllkeysLru,
    AllkeysLfu,
    AllkeysRandom,
    NoEviction,
}

/// `enable-debug-command` and its like: who may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// Nobody.
    No,
    /// Everybody.
    Yes,
    /// Clients on this machine.
    Local,
}

impl Allowed {
    /// Whether a client may, on this machine or not.
    pub fn allows(self, client_is_local: bool) -> bool {
        self == Allowed::Yes || (self == Allowed::Local && client_is_local)
    }
}

/// `cluster-preferred-endpoint-type`: how clients are told to find a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointType {
    /// By its address.
    Ip,
    /// By its host name.
    Hostname,
    /// The way they found this one.
    UnknownEndpoint,
}

/// How much of a client's output may wait, by the class of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputLimits {
    /// Of ordinary clients.
    pub normal: OutputLimit,
    /// Of replicas.
    pub replica: OutputLimit,
    /// Of subscribers.
    pub pubsub: OutputLimit,
}

macro_rules! yes_no_getters {
    ($($(#[$doc:meta])* $name:ident = $id:ident;)*) => {
        $($(#[$doc])* pub fn $name(&self) -> bool { self.yes(Id::$id) })*
    };
}

/// The bounds in the table keep the numbers within the types; a test sets each to both of its bounds.
macro_rules! number_getters {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $id:ident;)*) => {
        $($(#[$doc])* pub fn $name(&self) -> $type { self.number(Id::$id) as $type })*

        #[cfg(test)]
        fn assert_numbers_fit() {
            $(if let Kind::Number { low, high, .. } = Id::$id.directive().kind {
                assert!(<$type>::try_from(low).is_ok() && <$type>::try_from(high).is_ok(), stringify!($name));
            } else {
                panic!("{} is no number", stringify!($name));
            })*
        }
    };
}

macro_rules! text_getters {
    ($($(#[$doc:meta])* $name:ident = $id:ident;)*) => {
        $($(#[$doc])* pub fn $name(&self) -> Option<&[u8]> { self.text(Id::$id).filter(|text| !text.is_empty()) })*
    };
}

/// What is obeyed, each with its type.
impl Config {
    yes_no_getters! {
        /// Refuse clients of other machines while there is neither a password nor a `bind`.
        protected_mode = ProtectedMode;
        /// Go to the background.
        daemonize = Daemonize;
        /// Show what runs where in the process title.
        set_proc_title = SetProcTitle;
        /// Print the banner even when the log is a file.
        always_show_logo = AlwaysShowLogo;
        /// Record latency histograms for each command.
        latency_tracking = LatencyTracking;
        /// Free what an expired key held in the background.
        lazyfree_lazy_expire = LazyfreeLazyExpire;
        /// Free what a command overwrote in the background.
        lazyfree_lazy_server_del = LazyfreeLazyServerDel;
        /// DEL is UNLINK.
        lazyfree_lazy_user_del = LazyfreeLazyUserDel;
        /// FLUSHALL and FLUSHDB are ASYNC unless they say otherwise.
        lazyfree_lazy_user_flush = LazyfreeLazyUserFlush;
        /// Free evicted values in the background.
        lazyfree_lazy_eviction = LazyfreeLazyEviction;
        /// Be a node of a cluster.
        cluster_enabled = ClusterEnabled;
        /// Answer nothing while any slot has no owner.
        cluster_require_full_coverage = ClusterRequireFullCoverage;
        /// Serve reads while the cluster is down.
        cluster_allow_reads_when_down = ClusterAllowReadsWhenDown;
        /// Serve sharded publish/subscribe while the cluster is down.
        cluster_allow_pubsubshard_when_down = ClusterAllowPubsubshardWhenDown;
        /// Let replicas move to primaries that have none.
        cluster_allow_replica_migration = ClusterAllowReplicaMigration;
        /// Never stand for election.
        cluster_replica_no_failover = ClusterReplicaNoFailover;
        /// Ringslot: run commands over several slots of this node rather than answer CROSSSLOT.
        cluster_allow_cross_slot = ClusterAllowCrossSlot;
        /// Ringslot: announce a port for each core.
        cluster_core_ports = ClusterCorePorts;
        /// Keep a journal.
        appendonly = Appendonly;
    }

    number_getters! {
        /// Ringslot: how many data cores; 0 is every processor that the process may use.
        cores: usize = Cores;
        /// TCP port; 0 is none.
        port: u16 = Port;
        /// TLS port; 0 is none.
        tls_port: u16 = TlsPort;
        /// Mode bits of the unix socket; 0 leaves them to the umask.
        unixsocketperm: u32 = Unixsocketperm;
        /// Backlog of the listening sockets.
        tcp_backlog: i32 = TcpBacklog;
        /// Close a client that was idle for so many seconds; 0 is never.
        timeout: u32 = Timeout;
        /// Seconds of silence before a TCP keepalive probe; 0 is none.
        tcp_keepalive: u32 = TcpKeepalive;
        /// How many clients at once.
        maxclients: u32 = Maxclients;
        /// How many databases.
        databases: u32 = Databases;
        /// Longest single argument, in bytes.
        proto_max_bulk_len: u64 = ProtoMaxBulkLen;
        /// Most bytes of unfinished requests of one client.
        client_query_buffer_limit: u64 = ClientQueryBufferLimit;
        /// Memory that data may take, in bytes; 0 is no limit.
        maxmemory: u64 = Maxmemory;
        /// How often a second background work is looked at.
        hz: u32 = Hz;
        /// How hard to look for expired keys, 1 to 10.
        active_expire_effort: u32 = ActiveExpireEffort;
        /// Slow log: commands of so many microseconds and more; 0 is all, negative none.
        slowlog_log_slower_than: i64 = SlowlogLogSlowerThan;
        /// Slow log: how many entries.
        slowlog_max_len: usize = SlowlogMaxLen;
        /// Latency monitor: events of so many milliseconds and more; 0 is none.
        latency_monitor_threshold: u64 = LatencyMonitorThreshold;
        /// Seconds that a shutdown waits for replicas.
        shutdown_timeout: u32 = ShutdownTimeout;
        /// A script or function that runs longer than so many milliseconds can be killed.
        busy_reply_threshold: u64 = BusyReplyThreshold;
        /// Milliseconds of silence until a node is suspected.
        cluster_node_timeout: u64 = ClusterNodeTimeout;
        /// Milliseconds between pings to one node; 0 is half of the node timeout.
        cluster_ping_interval: u64 = ClusterPingInterval;
        /// Port of the cluster bus; 0 is `port` + 10000.
        cluster_port: u16 = ClusterPort;
        /// Port that other nodes and clients are told; 0 is `port`.
        cluster_announce_port: u16 = ClusterAnnouncePort;
        /// TLS port that other nodes and clients are told; 0 is `tls-port`.
        cluster_announce_tls_port: u16 = ClusterAnnounceTlsPort;
        /// Bus port that other nodes are told; 0 is the bus's own.
        cluster_announce_bus_port: u16 = ClusterAnnounceBusPort;
        /// Most bytes that may wait on one bus link; 0 is no limit.
        cluster_link_sendbuf_limit: u64 = ClusterLinkSendbufLimit;
        /// Replicas that a primary must keep when one of them migrates.
        cluster_migration_barrier: u32 = ClusterMigrationBarrier;
        /// How stale a replica may be and still stand for election, in node timeouts; 0 is any.
        cluster_replica_validity_factor: u32 = ClusterReplicaValidityFactor;
        /// Seconds between a primary's pings to its replicas.
        repl_ping_replica_period: u32 = ReplPingReplicaPeriod;
        /// A hash of more fields is a table.
        hash_max_listpack_entries: u64 = HashMaxListpackEntries;
        /// A hash with a longer field or value is a table.
        hash_max_listpack_value: u64 = HashMaxListpackValue;
        /// Size of a list's nodes: positive in elements, -1 to -5 in steps of bytes.
        list_max_listpack_size: i32 = ListMaxListpackSize;
        /// List nodes at either end that stay uncompressed; 0 is no compression.
        list_compress_depth: u32 = ListCompressDepth;
        /// A set of more integers is no longer an intset.
        set_max_intset_entries: u64 = SetMaxIntsetEntries;
        /// A set of more members is a table.
        set_max_listpack_entries: u64 = SetMaxListpackEntries;
        /// A set with a longer member is a table.
        set_max_listpack_value: u64 = SetMaxListpackValue;
        /// A sorted set of more members is a skip list.
        zset_max_listpack_entries: u64 = ZsetMaxListpackEntries;
        /// A sorted set with a longer member is a skip list.
        zset_max_listpack_value: u64 = ZsetMaxListpackValue;
        /// Bytes of one node of a stream; 0 is no limit.
        stream_node_max_bytes: u64 = StreamNodeMaxBytes;
        /// Entries of one node of a stream; 0 is no limit.
        stream_node_max_entries: u64 = StreamNodeMaxEntries;
        /// A sparse HyperLogLog of more bytes becomes dense.
        hll_sparse_max_bytes: u64 = HllSparseMaxBytes;
        /// How fast LFU counters grow.
        lfu_log_factor: u32 = LfuLogFactor;
        /// Minutes until an LFU counter is halved.
        lfu_decay_time: u32 = LfuDecayTime;
    }

    text_getters! {
        /// The password of the default user, if there is one.
        requirepass = Requirepass;
        /// Path of the unix socket, if there is one.
        unixsocket = Unixsocket;
        /// File for the process id, if there is one.
        pidfile = Pidfile;
        /// File for the log; without one it goes to standard output.
        logfile = Logfile;
        /// How the process title is put together.
        proc_title_template = ProcTitleTemplate;
        /// File in which the cluster's state is kept.
        cluster_config_file = ClusterConfigFile;
        /// Address that other nodes and clients are told.
        cluster_announce_ip = ClusterAnnounceIp;
        /// Host name that clients are told.
        cluster_announce_hostname = ClusterAnnounceHostname;
        /// Name of this node for the logs of people.
        cluster_announce_human_nodename = ClusterAnnounceHumanNodename;
        /// File of snapshots.
        dbfilename = Dbfilename;
    }

    /// The directory in which files are kept.
    pub fn dir(&self) -> &[u8] {
        self.text(Id::Dir).unwrap_or(b".")
    }

    /// Addresses to listen on: with `-` before one, a failure to do so is not an error; `*` and `::*`
    /// are all of IPv4 and all of IPv6.
    pub fn bind(&self) -> &[Vec<u8>] {
        match self.value(Id::Bind) {
            Value::Addresses(addresses) => addresses,
            _ => &[],
        }
    }

    /// Whether `bind` was left alone (protected mode asks).
    pub fn bind_is_default(&self) -> bool {
        *self.value(Id::Bind) == Value::default_of(Id::Bind.directive())
    }

    /// How much of a client's output may wait.
    pub fn client_output_buffer_limit(&self) -> OutputLimits {
        let no_limit = OutputLimit { hard_bytes: 0, soft_bytes: 0, soft_seconds: 0 };
        let [normal, replica, pubsub] = match self.value(Id::ClientOutputBufferLimit) {
            Value::OutputLimits(limits) => *limits,
            _ => [no_limit; 3],
        };
        OutputLimits { normal, replica, pubsub }
    }

    /// When to save snapshots.
    pub fn save(&self) -> &[SavePoint] {
        match self.value(Id::Save) {
            Value::Save(points) => points,
            _ => &[],
        }
    }

    /// Which keyspace events are published: bits of [`events`].
    pub fn notify_keyspace_events(&self) -> u32 {
        match self.value(Id::NotifyKeyspaceEvents) {
            Value::Events(bits) => *bits,
            _ => 0,
        }
    }

    /// The percentiles of INFO latencystats.
    pub fn latency_tracking_info_percentiles(&self) -> &[f64] {
        match self.value(Id::LatencyTrackingInfoPercentiles) {
            Value::Percentiles(all) => all,
            _ => &[],
        }
    }

    /// What is logged.
    pub fn loglevel(&self) -> LogLevel {
        use LogLevel::*;
        [Debug, Verbose, Notice, Warning, Nothing][self.word(Id::Loglevel) as usize]
    }

    /// What is evicted when memory runs out.
    pub fn maxmemory_policy(&self) -> MaxmemoryPolicy {
        use MaxmemoryPolicy::*;
        [
            VolatileLru,
            VolatileLfu,
            VolatileRandom,
            VolatileTtl,
            AllkeysLru,
            AllkeysLfu,
            AllkeysRandom,
            NoEviction,
        ][self.word(Id::MaxmemoryPolicy) as usize]
    }

    /// Who may use DEBUG.
    pub fn enable_debug_command(&self) -> Allowed {
        self.allowed(Id::EnableDebugCommand)
    }

    /// Who may set `dir` and `dbfilename`.
    pub fn enable_protected_configs(&self) -> Allowed {
        self.allowed(Id::EnableProtectedConfigs)
    }

    fn allowed(&self, id: Id) -> Allowed {
        [Allowed::No, Allowed::Yes, Allowed::Local][self.word(id) as usize]
    }

    /// How clients are told to find a node.
    pub fn cluster_preferred_endpoint_type(&self) -> EndpointType {
        use EndpointType::*;
        [Ip, Hostname, UnknownEndpoint][self.word(Id::ClusterPreferredEndpointType) as usize]
    }
}

#[cfg(test)]
mod tests;
