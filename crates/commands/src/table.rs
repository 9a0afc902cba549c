//! The shape of a command's row, and the look-up by name.
//!
//! A row carries everything that COMMAND INFO answers and that the gates in `node` ask. The words
//! for people (summary, complexity, arguments) are in `docs.rs`, away from what is hot.

use crate::exec::{ClusterExec, ControlExec, Exec, Gathered, Visit};
use crate::CommandError;
use resp::{Args, Reply};

/// A handler that runs on one core, to completion.
pub type Handler = fn(&mut Exec<'_>, Args<'_>, &mut Reply) -> Result<(), CommandError>;

/// Where a command runs, and what runs there.
#[derive(Clone, Copy)]
pub enum Run {
    /// Anywhere: it needs the session and facts that every core has (PING, SELECT, CONFIG GET).
    Here(Handler),
    /// On a core that holds the slots of all its keys, lent ones included.
    Keys(Handler),
    /// On the core that holds the slot which this function reads from the arguments (SCAN's cursor,
    /// CLUSTER GETKEYSINSLOT). An argument it cannot read is answered by the handler anywhere.
    Slot(fn(Args<'_>) -> Option<slot::Slot>, Handler),
    /// On the core that owns the connection (CLIENT INFO).
    Origin(Handler),
    /// On every core in turn, then once more on the connection's own.
    EveryCore(EveryCore),
    /// On the control plane, where the cluster is (CLUSTER INFO).
    Cluster(fn(&mut ClusterExec<'_>, Args<'_>, &mut Reply) -> Result<(), CommandError>),
    /// On the control plane, where the configuration has its one writer (CONFIG SET, SHUTDOWN).
    Control(fn(&mut ControlExec<'_>, Args<'_>, &mut Reply) -> Result<(), CommandError>),
    /// Has subcommands only; bare, it answers as the arity says.
    Container,
}

/// A command that visits every core.
#[derive(Clone, Copy)]
pub struct EveryCore {
    /// Whether all cores are locked first, so that the visits take effect as one (rule R4).
    pub locked: bool,
    /// Refuses bad arguments before any core is visited.
    pub check: fn(&Exec<'_>, Args<'_>) -> Result<(), CommandError>,
    /// One core's part. It cannot fail: `check` has passed.
    pub visit: fn(&mut Visit<'_>, Args<'_>, &mut Gathered),
    /// The reply, on the connection's own core.
    pub finish: fn(&mut Exec<'_>, Args<'_>, Gathered, &mut Reply) -> Result<(), CommandError>,
}

macro_rules! bits {
    ($(#[$doc:meta])* $name:ident: $($flag:ident = $bit:expr, $text:expr;)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
        pub struct $name(pub u32);
        impl $name {
            $(#[doc = concat!("`", $text, "`")] pub const $flag: $name = $name(1 << $bit);)*
            /// Every flag with the word that COMMAND INFO uses, in the order it lists them.
            pub const WORDS: &'static [($name, &'static str)] = &[$(($name::$flag, $text)),*];
            /// No flags.
            pub const NONE: $name = $name(0);
            /// Both sets.
            pub const fn or(self, other: $name) -> $name { $name(self.0 | other.0) }
            /// Whether any flag of `other` is set.
            pub const fn has(self, other: $name) -> bool { self.0 & other.0 != 0 }
        }
    };
}

bits! {
    /// A command's flags, as COMMAND INFO lists them (the order is Redis's).
    Flags:
    WRITE = 0, "write";
    READONLY = 1, "readonly";
    DENYOOM = 2, "denyoom";
    MODULE = 3, "module";
    ADMIN = 4, "admin";
    PUBSUB = 5, "pubsub";
    NOSCRIPT = 6, "noscript";
    BLOCKING = 7, "blocking";
    LOADING = 8, "loading";
    STALE = 9, "stale";
    SKIP_MONITOR = 10, "skip_monitor";
    SKIP_SLOWLOG = 11, "skip_slowlog";
    ASKING = 12, "asking";
    FAST = 13, "fast";
    NO_AUTH = 14, "no_auth";
    MAY_REPLICATE = 15, "may_replicate";
    NO_MANDATORY_KEYS = 16, "no_mandatory_keys";
    NO_ASYNC_LOADING = 17, "no_async_loading";
    NO_MULTI = 18, "no_multi";
    MOVABLEKEYS = 19, "movablekeys";
    ALLOW_BUSY = 20, "allow_busy";
}

bits! {
    /// ACL categories of a command (COMMAND INFO prefixes them with `@`).
    Categories:
    KEYSPACE = 0, "keyspace";
    READ = 1, "read";
    WRITE = 2, "write";
    SET = 3, "set";
    SORTEDSET = 4, "sortedset";
    LIST = 5, "list";
    HASH = 6, "hash";
    STRING = 7, "string";
    BITMAP = 8, "bitmap";
    HYPERLOGLOG = 9, "hyperloglog";
    GEO = 10, "geo";
    STREAM = 11, "stream";
    PUBSUB = 12, "pubsub";
    ADMIN = 13, "admin";
    FAST = 14, "fast";
    SLOW = 15, "slow";
    BLOCKING = 16, "blocking";
    DANGEROUS = 17, "dangerous";
    CONNECTION = 18, "connection";
    TRANSACTION = 19, "transaction";
    SCRIPTING = 20, "scripting";
}

/// Where a command's keys begin and how they go on (COMMAND INFO, key specifications).
#[derive(Clone, Copy, Debug)]
pub struct KeySpec {
    /// Words such as `RW`, `access`, `update`, in Redis's order.
    pub flags: &'static [&'static str],
    /// Where the first key stands.
    pub begin: Begin,
    /// Which arguments from there are keys.
    pub find: Find,
    /// A remark that COMMAND INFO shows with the specification.
    pub notes: Option<&'static str>,
}

/// Where the first key of a specification stands.
#[derive(Clone, Copy, Debug)]
pub enum Begin {
    /// At this argument (0 is the command's name).
    Index(u8),
    /// After this word, looked for from `from` (negative: from the end, backwards).
    Keyword(&'static str, i8),
    /// Cannot be told.
    Unknown,
}

/// Which arguments, counted from the first key, are keys.
#[derive(Clone, Copy, Debug)]
pub enum Find {
    /// From the first to `last` (relative to the first; negative: from the end of the arguments),
    /// each `step`-th; `limit` divides the rest (0 and 1: no limit).
    Range {
        /// The last key, relative to the first, or from the end when negative.
        last: i8,
        /// Distance between keys.
        step: u8,
        /// What part of the remaining arguments may be keys.
        limit: u8,
    },
    /// An argument says how many keys follow.
    KeyNum {
        /// Where the count stands, relative to the begin.
        at: u8,
        /// Where the first key stands, relative to the begin.
        first: u8,
        /// Distance between keys.
        step: u8,
    },
    /// Cannot be told.
    Unknown,
}

/// One row of the table.
#[derive(Clone, Copy)]
pub struct Command {
    /// Lower-case name; of a subcommand `container|sub`.
    pub name: &'static str,
    /// Number of arguments with the name; negative: at least so many.
    pub arity: i16,
    /// Flags.
    pub flags: Flags,
    /// ACL categories, complete (those implied by flags included).
    pub categories: Categories,
    /// Key specifications.
    pub keys: &'static [KeySpec],
    /// Hints for proxies and clients.
    pub tips: &'static [&'static str],
    /// Where it runs and what runs.
    pub run: Run,
    /// Its subcommands.
    pub subcommands: &'static [Command],
}
