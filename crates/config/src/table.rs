//! The table of directives: every one of Redis 7.2, and a few of our own.
//!
//! One row is one directive: its name, the kind of value with bounds and default, and what is special
//! about it. Parsing, CONFIG GET, CONFIG SET and CONFIG REWRITE read nothing but these rows, so a new
//! directive is one line here (and a getter in `lib.rs` if someone obeys it).
//!
//! `.used()` says that Ringslot obeys the directive. A row without it is known to Redis and means
//! nothing here yet: it is stored, answered and written back, and a value other than the default is
//! told at start-up. `.refused("what")` is for those which would be dangerous to ignore, because a
//! user who sets them relies on them (encryption, users): any other value than the default is an error.

use crate::directive::*;

const I32_MIN: i128 = i32::MIN as i128;
const I32_MAX: i128 = i32::MAX as i128;
const U32_MAX: i128 = u32::MAX as i128;
const I64_MAX: i128 = i64::MAX as i128;
const U64_MAX: i128 = u64::MAX as i128;

/// Pairs each name of a row with the row, so that the two cannot get out of step.
macro_rules! table {
    ($($id:ident => $row:expr,)*) => {
        /// A directive, as an index into [`TABLE`].
        #[allow(missing_docs, reason = "the row says it")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Id { $($id,)* }

        impl Id {
            /// Every directive, in the order of the table.
            pub const ALL: &'static [Id] = &[$(Id::$id,)*];
        }

        /// Every directive, in the order of [`Id`].
        pub static TABLE: &[Directive] = &[$($row,)*];
    };
}

table! {
    // Ringslot's own.
    Cores => integer("cores", 0, 1024, 0).immutable().used(),
    ClusterAllowCrossSlot => yes_no("cluster-allow-cross-slot", false).used(),
    ClusterCorePorts => yes_no("cluster-core-ports", false).immutable(),

    // Yes or no.
    Rdbchecksum => yes_no("rdbchecksum", true).immutable(),
    Daemonize => yes_no("daemonize", false).immutable().used(),
    IoThreadsDoReads => yes_no("io-threads-do-reads", false).immutable(),
    AlwaysShowLogo => yes_no("always-show-logo", false).immutable().used(),
    ProtectedMode => yes_no("protected-mode", true).used(),
    Rdbcompression => yes_no("rdbcompression", true),
    RdbDelSyncFiles => yes_no("rdb-del-sync-files", false),
    Activerehashing => yes_no("activerehashing", true),
    StopWritesOnBgsaveError => yes_no("stop-writes-on-bgsave-error", true),
    SetProcTitle => yes_no("set-proc-title", true).immutable().used(),
    DynamicHz => yes_no("dynamic-hz", true),
    LazyfreeLazyEviction => yes_no("lazyfree-lazy-eviction", false),
    LazyfreeLazyExpire => yes_no("lazyfree-lazy-expire", false).used(),
    LazyfreeLazyServerDel => yes_no("lazyfree-lazy-server-del", false).used(),
    LazyfreeLazyUserDel => yes_no("lazyfree-lazy-user-del", false).used(),
    LazyfreeLazyUserFlush => yes_no("lazyfree-lazy-user-flush", false).used(),
    ReplDisableTcpNodelay => yes_no("repl-disable-tcp-nodelay", false),
    ReplDisklessSync => yes_no("repl-diskless-sync", true),
    AofRewriteIncrementalFsync => yes_no("aof-rewrite-incremental-fsync", true),
    NoAppendfsyncOnRewrite => yes_no("no-appendfsync-on-rewrite", false),
    ClusterRequireFullCoverage => yes_no("cluster-require-full-coverage", true).used(),
    RdbSaveIncrementalFsync => yes_no("rdb-save-incremental-fsync", true),
    AofLoadTruncated => yes_no("aof-load-truncated", true),
    AofUseRdbPreamble => yes_no("aof-use-rdb-preamble", true),
    AofTimestampEnabled => yes_no("aof-timestamp-enabled", false),
    ClusterReplicaNoFailover => yes_no("cluster-replica-no-failover", false).alias("cluster-slave-no-failover"),
    ReplicaLazyFlush => yes_no("replica-lazy-flush", false).alias("slave-lazy-flush"),
    ReplicaServeStaleData => yes_no("replica-serve-stale-data", true).alias("slave-serve-stale-data"),
    ReplicaReadOnly => yes_no("replica-read-only", true).alias("slave-read-only"),
    ReplicaIgnoreMaxmemory => yes_no("replica-ignore-maxmemory", true).alias("slave-ignore-maxmemory"),
    JemallocBgThread => yes_no("jemalloc-bg-thread", true),
    Activedefrag => yes_no("activedefrag", false),
    SyslogEnabled => yes_no("syslog-enabled", false).immutable(),
    ClusterEnabled => yes_no("cluster-enabled", false).immutable().used(),
    Appendonly => yes_no("appendonly", false).deny_loading(),
    ClusterAllowReadsWhenDown => yes_no("cluster-allow-reads-when-down", false).used(),
    ClusterAllowPubsubshardWhenDown => yes_no("cluster-allow-pubsubshard-when-down", true),
    CrashLogEnabled => yes_no("crash-log-enabled", true),
    CrashMemcheckEnabled => yes_no("crash-memcheck-enabled", true),
    UseExitOnPanic => yes_no("use-exit-on-panic", false).hidden(),
    DisableThp => yes_no("disable-thp", true).immutable(),
    ClusterAllowReplicaMigration => yes_no("cluster-allow-replica-migration", true),
    ReplicaAnnounced => yes_no("replica-announced", true),
    LatencyTracking => yes_no("latency-tracking", true).used(),
    AofDisableAutoGc => yes_no("aof-disable-auto-gc", false).hidden(),
    ReplicaIgnoreDiskWriteErrors => yes_no("replica-ignore-disk-write-errors", false),

    // Text.
    Aclfile => text("aclfile", "").immutable().refused("ACL users"),
    Unixsocket => text_or_unset("unixsocket").immutable().used(),
    Pidfile => text_or_unset("pidfile").immutable().used(),
    ReplicaAnnounceIp => text_or_unset("replica-announce-ip").alias("slave-announce-ip"),
    Masteruser => text_or_unset("masteruser").sensitive(),
    ClusterAnnounceIp => text_or_unset("cluster-announce-ip").used(),
    ClusterConfigFile => text("cluster-config-file", "nodes.conf").immutable().used(),
    ClusterAnnounceHostname => text_or_unset("cluster-announce-hostname").check(Check::HostName).used(),
    ClusterAnnounceHumanNodename => text_or_unset("cluster-announce-human-nodename").check(Check::NodeName).used(),
    SyslogIdent => text("syslog-ident", "redis").immutable(),
    Dbfilename => text("dbfilename", "dump.rdb").protected().check(Check::DumpName),
    Appendfilename => text("appendfilename", "appendonly.aof").immutable().check(Check::AppendName),
    Appenddirname => text("appenddirname", "appendonlydir").immutable().check(Check::AppendDir),
    ServerCpulist => text_or_unset("server_cpulist").immutable(),
    BioCpulist => text_or_unset("bio_cpulist").immutable(),
    AofRewriteCpulist => text_or_unset("aof_rewrite_cpulist").immutable(),
    BgsaveCpulist => text_or_unset("bgsave_cpulist").immutable(),
    IgnoreWarnings => text("ignore-warnings", ""),
    ProcTitleTemplate => text("proc-title-template", "{title} {listen-addr} {server-mode}").check(Check::TitleTemplate),
    BindSourceAddr => text_or_unset("bind-source-addr"),
    Logfile => text("logfile", "").immutable().used(),
    LocaleCollate => text("locale-collate", ""),
    Masterauth => text_or_unset("masterauth").sensitive(),
    Requirepass => text_or_unset("requirepass").sensitive().used(),

    // One word of a list, or several.
    Supervised => choice("supervised", SUPERVISED_MODE, "no").immutable(),
    SyslogFacility => choice("syslog-facility", SYSLOG_FACILITY, "local0").immutable(),
    ReplDisklessLoad => choice("repl-diskless-load", REPL_DISKLESS_LOAD, "disabled").deny_loading(),
    Loglevel => choice("loglevel", LOGLEVEL, "notice").used(),
    MaxmemoryPolicy => choice("maxmemory-policy", MAXMEMORY_POLICY, "noeviction"),
    Appendfsync => choice("appendfsync", AOF_FSYNC, "everysec"),
    OomScoreAdj => choice("oom-score-adj", OOM_SCORE_ADJ, "no"),
    AclPubsubDefault => choice("acl-pubsub-default", ACL_PUBSUB_DEFAULT, "resetchannels"),
    SanitizeDumpPayload => choice("sanitize-dump-payload", SANITIZE_DUMP_PAYLOAD, "no"),
    EnableProtectedConfigs => choice("enable-protected-configs", PROTECTED_ACTION, "no").immutable().used(),
    EnableDebugCommand => choice("enable-debug-command", PROTECTED_ACTION, "no").immutable().used(),
    EnableModuleCommand => choice("enable-module-command", PROTECTED_ACTION, "no").immutable(),
    ClusterPreferredEndpointType => choice("cluster-preferred-endpoint-type", CLUSTER_PREFERRED_ENDPOINT_TYPE, "ip").used(),
    PropagationErrorBehavior => choice("propagation-error-behavior", PROPAGATION_ERROR_BEHAVIOR, "ignore"),
    ShutdownOnSigint => flags("shutdown-on-sigint", SHUTDOWN_ON_SIG, "default").check(Check::ShutdownFlags),
    ShutdownOnSigterm => flags("shutdown-on-sigterm", SHUTDOWN_ON_SIG, "default").check(Check::ShutdownFlags),

    // Numbers.
    Databases => integer("databases", 1, I32_MAX, 16).immutable().used(),
    Port => integer("port", 0, 65535, 6379).used(),
    IoThreads => integer("io-threads", 1, 128, 1).immutable(),
    AutoAofRewritePercentage => integer("auto-aof-rewrite-percentage", 0, I32_MAX, 100),
    ClusterReplicaValidityFactor => integer("cluster-replica-validity-factor", 0, I32_MAX, 10).alias("cluster-slave-validity-factor"),
    ListMaxListpackSize => integer("list-max-listpack-size", I32_MIN, I32_MAX, -2).alias("list-max-ziplist-size").used(),
    TcpKeepalive => integer("tcp-keepalive", 0, I32_MAX, 300).used(),
    ClusterMigrationBarrier => integer("cluster-migration-barrier", 0, I32_MAX, 1),
    ActiveDefragCycleMin => integer("active-defrag-cycle-min", 1, 99, 1),
    ActiveDefragCycleMax => integer("active-defrag-cycle-max", 1, 99, 25),
    ActiveDefragThresholdLower => integer("active-defrag-threshold-lower", 0, 1000, 10),
    ActiveDefragThresholdUpper => integer("active-defrag-threshold-upper", 0, 1000, 100),
    LfuLogFactor => integer("lfu-log-factor", 0, I32_MAX, 10),
    LfuDecayTime => integer("lfu-decay-time", 0, I32_MAX, 1),
    ReplicaPriority => integer("replica-priority", 0, I32_MAX, 100).alias("slave-priority"),
    ReplDisklessSyncDelay => integer("repl-diskless-sync-delay", 0, I32_MAX, 5),
    MaxmemorySamples => integer("maxmemory-samples", 1, I32_MAX, 5),
    MaxmemoryEvictionTenacity => integer("maxmemory-eviction-tenacity", 0, 100, 10),
    Timeout => integer("timeout", 0, I32_MAX, 0).used(),
    ReplicaAnnouncePort => integer("replica-announce-port", 0, 65535, 0).alias("slave-announce-port"),
    TcpBacklog => integer("tcp-backlog", 0, I32_MAX, 511).immutable().used(),
    ClusterPort => integer("cluster-port", 0, 65535, 0).immutable().used(),
    ClusterAnnounceBusPort => integer("cluster-announce-bus-port", 0, 65535, 0).used(),
    ClusterAnnouncePort => integer("cluster-announce-port", 0, 65535, 0).used(),
    ClusterAnnounceTlsPort => integer("cluster-announce-tls-port", 0, 65535, 0).used(),
    ReplTimeout => integer("repl-timeout", 1, I32_MAX, 60),
    ReplPingReplicaPeriod => integer("repl-ping-replica-period", 1, I32_MAX, 10).alias("repl-ping-slave-period"),
    ListCompressDepth => integer("list-compress-depth", 0, I32_MAX, 0),
    RdbKeySaveDelay => integer("rdb-key-save-delay", I32_MIN, I32_MAX, 0).hidden(),
    KeyLoadDelay => integer("key-load-delay", I32_MIN, I32_MAX, 0).hidden(),
    ActiveExpireEffort => integer("active-expire-effort", 1, 10, 1).used(),
    Hz => integer("hz", 0, I32_MAX, 10).used(),
    MinReplicasToWrite => integer("min-replicas-to-write", 0, I32_MAX, 0).alias("min-slaves-to-write"),
    MinReplicasMaxLag => integer("min-replicas-max-lag", 0, I32_MAX, 10).alias("min-slaves-max-lag"),
    WatchdogPeriod => integer("watchdog-period", 0, I32_MAX, 0).hidden(),
    ShutdownTimeout => integer("shutdown-timeout", 0, I32_MAX, 10),
    ReplDisklessSyncMaxReplicas => integer("repl-diskless-sync-max-replicas", 0, I32_MAX, 0),
    Maxclients => integer("maxclients", 1, U32_MAX, 10000).used(),
    Unixsocketperm => octal("unixsocketperm", 0, 0o777, 0).immutable().used(),
    SocketMarkId => integer("socket-mark-id", 0, U32_MAX, 0).immutable(),
    ActiveDefragMaxScanFields => integer("active-defrag-max-scan-fields", 1, I64_MAX, 1000),
    SlowlogMaxLen => integer("slowlog-max-len", 0, I64_MAX, 128).used(),
    AcllogMaxLen => integer("acllog-max-len", 0, I64_MAX, 128),
    BusyReplyThreshold => integer("busy-reply-threshold", 0, I64_MAX, 5000).alias("lua-time-limit"),
    ClusterNodeTimeout => integer("cluster-node-timeout", 0, I64_MAX, 15000).used(),
    ClusterPingInterval => integer("cluster-ping-interval", 0, I64_MAX, 0).hidden().used(),
    SlowlogLogSlowerThan => integer("slowlog-log-slower-than", -1, I64_MAX, 10000).used(),
    LatencyMonitorThreshold => integer("latency-monitor-threshold", 0, I64_MAX, 0).used(),
    ProtoMaxBulkLen => memory("proto-max-bulk-len", 1048576, I64_MAX, 536870912).used(),
    StreamNodeMaxEntries => integer("stream-node-max-entries", 0, I64_MAX, 100).used(),
    ReplBacklogSize => memory("repl-backlog-size", 1, I64_MAX, 1048576),
    Maxmemory => memory("maxmemory", 0, U64_MAX, 0),
    ClusterLinkSendbufLimit => memory("cluster-link-sendbuf-limit", 0, U64_MAX, 0).used(),
    HashMaxListpackEntries => integer("hash-max-listpack-entries", 0, I64_MAX, 512).alias("hash-max-ziplist-entries").used(),
    SetMaxIntsetEntries => integer("set-max-intset-entries", 0, I64_MAX, 512).used(),
    SetMaxListpackEntries => integer("set-max-listpack-entries", 0, I64_MAX, 128).used(),
    SetMaxListpackValue => integer("set-max-listpack-value", 0, I64_MAX, 64).used(),
    ZsetMaxListpackEntries => integer("zset-max-listpack-entries", 0, I64_MAX, 128).alias("zset-max-ziplist-entries").used(),
    ActiveDefragIgnoreBytes => memory("active-defrag-ignore-bytes", 1, I64_MAX, 104857600),
    HashMaxListpackValue => memory("hash-max-listpack-value", 0, I64_MAX, 64).alias("hash-max-ziplist-value").used(),
    StreamNodeMaxBytes => memory("stream-node-max-bytes", 0, I64_MAX, 4096).used(),
    ZsetMaxListpackValue => memory("zset-max-listpack-value", 0, I64_MAX, 64).alias("zset-max-ziplist-value").used(),
    HllSparseMaxBytes => memory("hll-sparse-max-bytes", 0, I64_MAX, 3000).used(),
    TrackingTableMaxKeys => integer("tracking-table-max-keys", 0, I64_MAX, 1000000),
    ClientQueryBufferLimit => memory("client-query-buffer-limit", 1048576, I64_MAX, 1073741824).used(),
    MaxmemoryClients => memory_or_percent("maxmemory-clients", -100, I64_MAX, 0),
    ReplBacklogTtl => integer("repl-backlog-ttl", 0, I64_MAX, 3600),
    AutoAofRewriteMinSize => memory("auto-aof-rewrite-min-size", 0, I64_MAX, 67108864),
    LoadingProcessEventsIntervalBytes => integer("loading-process-events-interval-bytes", 1024, I32_MAX, 2097152).hidden(),

    // Values with a grammar of their own (`value.rs`).
    Dir => special("dir", Special::Dir).protected().deny_loading().used(),
    Save => special("save", Special::Save),
    ClientOutputBufferLimit => special("client-output-buffer-limit", Special::ClientOutputBufferLimit).used(),
    OomScoreAdjValues => special("oom-score-adj-values", Special::OomScoreAdjValues),
    NotifyKeyspaceEvents => special("notify-keyspace-events", Special::NotifyKeyspaceEvents),
    Bind => special("bind", Special::Bind).used(),
    Replicaof => special("replicaof", Special::Replicaof).alias("slaveof").immutable().refused("replication"),
    LatencyTrackingInfoPercentiles => special("latency-tracking-info-percentiles", Special::LatencyTrackingInfoPercentiles).used(),

    // TLS.
    TlsPort => integer("tls-port", 0, 65535, 0).refused("TLS"),
    TlsSessionCacheSize => integer("tls-session-cache-size", 0, I32_MAX, 20480),
    TlsSessionCacheTimeout => integer("tls-session-cache-timeout", 0, I32_MAX, 300),
    TlsCluster => yes_no("tls-cluster", false).refused("TLS"),
    TlsReplication => yes_no("tls-replication", false).refused("TLS"),
    TlsAuthClients => choice("tls-auth-clients", TLS_AUTH_CLIENTS, "yes"),
    TlsPreferServerCiphers => yes_no("tls-prefer-server-ciphers", false),
    TlsSessionCaching => yes_no("tls-session-caching", true),
    TlsCertFile => text_or_unset("tls-cert-file"),
    TlsKeyFile => text_or_unset("tls-key-file"),
    TlsKeyFilePass => text_or_unset("tls-key-file-pass"),
    TlsClientCertFile => text_or_unset("tls-client-cert-file"),
    TlsClientKeyFile => text_or_unset("tls-client-key-file"),
    TlsClientKeyFilePass => text_or_unset("tls-client-key-file-pass"),
    TlsDhParamsFile => text_or_unset("tls-dh-params-file"),
    TlsCaCertFile => text_or_unset("tls-ca-cert-file"),
    TlsCaCertDir => text_or_unset("tls-ca-cert-dir"),
    TlsProtocols => text_or_unset("tls-protocols"),
    TlsCiphers => text_or_unset("tls-ciphers"),
    TlsCiphersuites => text_or_unset("tls-ciphersuites"),
}

type Words = &'static [(&'static str, i32)];

const MAXMEMORY_POLICY: Words = &[
    ("volatile-lru", 0),
    ("volatile-lfu", 1),
    ("volatile-random", 2),
    ("volatile-ttl", 3),
    ("allkeys-lru", 4),
    ("allkeys-lfu", 5),
    ("allkeys-random", 6),
    ("noeviction", 7),
];
const SYSLOG_FACILITY: Words = &[
    ("user", 0),
    ("local0", 1),
    ("local1", 2),
    ("local2", 3),
    ("local3", 4),
    ("local4", 5),
    ("local5", 6),
    ("local6", 7),
    ("local7", 8),
];
const LOGLEVEL: Words = &[("debug", 0), ("verbose", 1), ("notice", 2), ("warning", 3), ("nothing", 4)];
const SUPERVISED_MODE: Words = &[("upstart", 0), ("systemd", 1), ("auto", 2), ("no", 3)];
const AOF_FSYNC: Words = &[("everysec", 0), ("always", 1), ("no", 2)];
const SHUTDOWN_ON_SIG: Words = &[("default", 0), ("save", 1), ("nosave", 2), ("now", 4), ("force", 8)];
const REPL_DISKLESS_LOAD: Words = &[("disabled", 0), ("on-empty-db", 1), ("swapdb", 2)];
const TLS_AUTH_CLIENTS: Words = &[("no", 0), ("yes", 1), ("optional", 2)];
const OOM_SCORE_ADJ: Words = &[("no", 0), ("yes", 1), ("relative", 1), ("absolute", 2)];
const ACL_PUBSUB_DEFAULT: Words = &[("allchannels", 0), ("resetchannels", 1)];
const SANITIZE_DUMP_PAYLOAD: Words = &[("no", 0), ("yes", 1), ("clients", 2)];
const PROTECTED_ACTION: Words = &[("no", 0), ("yes", 1), ("local", 2)];
const CLUSTER_PREFERRED_ENDPOINT_TYPE: Words = &[("ip", 0), ("hostname", 1), ("unknown-endpoint", 2)];
const PROPAGATION_ERROR_BEHAVIOR: Words = &[("ignore", 0), ("panic", 1), ("panic-on-replicas", 2)];
