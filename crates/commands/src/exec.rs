//! What a handler may see and do.
//!
//! [`Exec`] is made anew for each command by `node`, from parts that live longer. A handler that
//! changes keys says so once: [`Exec::changed`] alone logs the command as it was sent,
//! [`Exec::log`] beside it gives the words that replicas and the journal get instead.
//!
//! Not here: turning effects into log bytes (`node::settle`), where a command runs (`table::Run`).

use keyspace::{Entry, Key, Place, View};
use resp::{format_integer, Args, Protocol};
use slot::Slot;
use std::sync::Arc;

/// The time of the turn, the same for all its commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Wall clock, microseconds since 1970.
    pub unix_us: u64,
}

impl Now {
    /// Wall clock, milliseconds since 1970.
    pub fn unix_ms(self) -> u64 {
        self.unix_us / 1000
    }
}

/// What CLIENT REPLY asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ReplyMode {
    /// Replies are sent.
    #[default]
    On,
    /// None is sent.
    Off,
    /// The reply of the next command is not sent (set by SKIP itself).
    SkipNext,
    /// The reply of this command is not sent.
    Skip,
}

/// A client's state, which travels with its commands from core to core (rule R8).
#[derive(Clone, Debug)]
pub struct Session {
    /// CLIENT ID.
    pub id: u64,
    /// SELECTed database.
    pub db: u16,
    /// RESP version of replies.
    pub protocol: Protocol,
    /// Whether it may run commands that need AUTH.
    pub authenticated: bool,
    /// CLIENT REPLY.
    pub reply_mode: ReplyMode,
    /// READONLY was sent.
    pub readonly: bool,
    /// ASKING was sent: holds for the next command.
    pub asking: bool,
    /// CLIENT NO-EVICT.
    pub no_evict: bool,
    /// CLIENT NO-TOUCH.
    pub no_touch: bool,
    /// The connection is closed once this command's reply is out (QUIT, protocol errors).
    pub close: bool,
    /// CLIENT SETNAME.
    pub name: Option<Arc<[u8]>>,
    /// CLIENT SETINFO LIB-NAME.
    pub lib_name: Option<Arc<[u8]>>,
    /// CLIENT SETINFO LIB-VER.
    pub lib_ver: Option<Arc<[u8]>>,
    /// Index of the last command in the table, for CLIENT LIST.
    pub last_command: u16,
    /// Address of the peer, as CLIENT LIST shows it.
    pub peer: Arc<str>,
    /// Local address, as CLIENT LIST shows it.
    pub local: Arc<str>,
    /// Connected by a unix socket or the loopback (DEBUG local, protected mode).
    pub is_local: bool,
}

/// What a command changed, in the words that replicas and the journal get.
#[derive(Debug, Default)]
pub struct Effects {
    /// Somebody reads the log: words must be kept.
    pub wanted: bool,
    /// Keys or fields changed by this command: Redis's `dirty`.
    pub dirty: u64,
    /// Commands to log instead of the one that was sent, as RESP arrays, one after the other.
    pub words: Vec<u8>,
}

/// What a handler that runs on a core gets.
pub struct Exec<'a> {
    /// The keys of the session's database that this core holds now.
    pub keys: View<'a>,
    /// The client.
    pub session: &'a mut Session,
    /// The configuration in force.
    pub config: &'a Arc<config::Config>,
    /// Up to where collections are kept in compact encodings.
    pub limits: &'a crate::TypeLimits,
    /// Facts of the node and of this core: counters, start time, ids.
    pub facts: &'a mut crate::facts::CoreFacts,
    /// What this command changed.
    pub effects: &'a mut Effects,
    /// The time.
    pub now: Now,
    /// A source of randomness.
    pub random: &'a mut dyn FnMut() -> u64,
    /// The command's first key, as routing found it: which argument it is, and where it lives.
    pub first_key: Option<(usize, Place)>,
    /// What the command waits for: see [`Exec::wait`].
    pub waiting: &'a mut Option<crate::Wait>,
    /// Whether this core holds a slot and it is not locked (SCAN goes on only through such slots).
    pub at_home: &'a dyn Fn(Slot) -> bool,
}

impl Exec<'_> {
    /// The `at`-th argument as a key. What routing computed for the first key is not computed again.
    #[inline]
    pub fn key<'k>(&self, args: Args<'k>, at: usize) -> Key<'k> {
        let bytes = args.get(at);
        match self.first_key {
            Some((first, place)) if first == at => Key { bytes, place },
            _ => self.keys.locate(bytes),
        }
    }

    /// Logs the removal of a key whose time has come, in place of the command that was sent.
    pub fn log_expired(&mut self, key: &[u8]) {
        let word: &[u8] = if self.config.lazyfree_lazy_expire() { b"UNLINK" } else { b"DEL" };
        self.log(&[word, key]);
    }

    /// Reads a key that is counted as a hit or a miss, but is not touched (TTL, TYPE, OBJECT).
    pub fn look(&mut self, key: &Key<'_>) -> Option<Entry<'_>> {
        if self.keys.exists(key) {
            self.keys.peek(key)
        } else {
            None
        }
    }

    /// States that `count` keys or fields changed. The command is logged as it was sent, unless
    /// [`Exec::log`] gave other words.
    pub fn changed(&mut self, count: u64) {
        self.effects.dirty += count;
    }

    /// Logs `words` in place of the command that was sent (INCRBYFLOAT as SET, relative expiry as
    /// PXAT). Called several times, the commands are applied as one unit.
    pub fn log(&mut self, words: &[&[u8]]) {
        self.effects.log(words);
    }
}

impl Effects {
    /// See [`Exec::log`].
    pub fn log(&mut self, words: &[&[u8]]) {
        if self.wanted {
            write_command(&mut self.words, words);
        }
    }

    /// Forgets what was stated, and keeps the memory.
    pub fn clear(&mut self) {
        self.dirty = 0;
        self.words.clear();
    }
}

/// Appends a command as a RESP array, as clients send it.
pub fn write_command<W>(into: &mut Vec<u8>, words: W)
where
    W: IntoIterator<IntoIter: ExactSizeIterator>,
    W::Item: AsRef<[u8]>,
{
    let words = words.into_iter();
    into.push(b'*');
    into.extend_from_slice(&format_integer(words.len() as i64));
    into.extend_from_slice(b"\r\n");
    for word in words {
        let word = word.as_ref();
        into.push(b'$');
        into.extend_from_slice(&format_integer(word.len() as i64));
        into.extend_from_slice(b"\r\n");
        into.extend_from_slice(word);
        into.extend_from_slice(b"\r\n");
    }
}

/// One client as CLIENT LIST and CLIENT KILL see it.
#[derive(Clone, Debug)]
pub struct ClientRow {
    /// The session as its own core last saw it.
    pub session: Session,
    /// File number or its stand-in, unique in the node.
    pub fd: u64,
    /// Seconds since it connected.
    pub age_s: u64,
    /// Seconds since its last command.
    pub idle_s: u64,
    /// Bytes received and not yet executed.
    pub query_bytes: usize,
    /// Reply bytes not yet sent.
    pub output_bytes: usize,
    /// Redis's one-letter flags: `N`, or a combination.
    pub flags: &'static str,
    /// Its commands are postponed by CLIENT PAUSE.
    pub paused: bool,
}

/// The clients of one core; `node` implements it.
pub trait Clients {
    /// Calls `f` for each, in the order of their ids.
    fn each(&self, f: &mut dyn FnMut(&ClientRow));
    /// Closes one: at once, or when its reply is out if it is the caller.
    fn kill(&mut self, id: u64, caller: bool);
    /// CLIENT PAUSE until a time in unix ms; `writes_only` lets reads pass.
    fn pause(&mut self, until_ms: u64, writes_only: bool);
    /// CLIENT UNPAUSE.
    fn unpause(&mut self);
    /// CLIENT UNBLOCK: whether the client was blocked on this core.
    fn unblock(&mut self, id: u64, with_error: bool) -> bool;
}

/// What a visit of one core gets (see [`crate::table::EveryCore`]).
pub struct Visit<'a> {
    /// The core visited.
    pub core: u8,
    /// All that this core holds.
    pub keyspace: &'a mut keyspace::Keyspace,
    /// Its clients.
    pub clients: &'a mut dyn Clients,
    /// Its facts and counters.
    pub facts: &'a mut crate::facts::CoreFacts,
    /// The configuration in force.
    pub config: &'a Arc<config::Config>,
    /// Up to where collections are kept in compact encodings.
    pub limits: &'a mut crate::TypeLimits,
    /// What this visit changed. Of all visits of a command only one may log words.
    pub effects: &'a mut Effects,
    /// The client that asked.
    pub session: &'a Session,
    /// Whether a slot is this core's and not locked.
    pub at_home: &'a dyn Fn(Slot) -> bool,
    /// Whether a slot is this core's.
    pub is_mine: &'a dyn Fn(Slot) -> bool,
    /// What reads leave behind and what becomes of expired keys.
    pub access: keyspace::Access,
    /// The time.
    pub now: Now,
    /// A source of randomness.
    pub random: &'a mut dyn FnMut() -> u64,
}

impl Visit<'_> {
    /// Whether this is the first of a command's visits: the one that may log words. While it runs all
    /// other cores are still locked, so its words precede whatever they do afterwards.
    pub fn is_first(&self) -> bool {
        self.core == 0
    }

    /// The session's database on this core.
    pub fn keys(&mut self) -> View<'_> {
        View::new(self.keyspace, self.session.db, self.now.unix_ms(), self.access)
    }
}

/// How far a step of SCAN is, from core to core.
#[derive(Clone, Copy, Debug)]
pub struct ScanStep {
    /// Where to go on.
    pub cursor: keyspace::Cursor,
    /// Keys that are still to be seen.
    pub left: usize,
    /// The other cores have nothing to do.
    pub over: bool,
    /// There is nothing behind the cursor: the iteration ends.
    pub ended: bool,
}

/// What the visits of all cores add up to. Each command uses what it needs.
#[derive(Debug, Default)]
pub struct Gathered {
    /// A count or a sum.
    pub count: u64,
    /// Names, lines, keys.
    pub rows: Vec<Vec<u8>>,
    /// Lines with a number to sort by (CLIENT LIST: the id).
    pub numbered: Vec<(u64, Vec<u8>)>,
    /// Counters of all cores, added (INFO).
    pub totals: crate::facts::Totals,
    /// SCAN.
    pub scan: Option<ScanStep>,
}

/// What a command of the cluster gets: it runs where the cluster's state is, on the bus thread.
pub struct ClusterExec<'a> {
    /// The cluster.
    pub cluster: &'a mut cluster::Cluster,
    /// The client.
    pub session: &'a Session,
    /// The configuration in force.
    pub config: &'a Arc<config::Config>,
    /// The time.
    pub now: Now,
    /// Keys of the node, for the subcommands that ask whether it is empty.
    pub keys: u64,
    /// The routing version that all cores must have applied before the reply leaves (rule R3).
    pub after_routing: Option<u64>,
    /// The nodes.conf version that must be saved before the reply leaves.
    pub after_save: bool,
}

/// What a control command asks of the shell, done in order before the reply leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ControlAction {
    /// Hand the changed configuration to every core and to the cluster, and wait until all have it.
    PublishConfig,
    /// Write the configuration file anew (CONFIG REWRITE).
    RewriteConfig,
    /// Stop the node (SHUTDOWN); no reply leaves.
    Stop,
}

/// What a control command gets: it runs where the configuration's one writer is.
pub struct ControlExec<'a> {
    /// The configuration, to be changed.
    pub config: &'a mut config::Config,
    /// Facts of the node.
    pub node: &'a Arc<crate::facts::NodeFacts>,
    /// The client.
    pub session: &'a Session,
    /// The time.
    pub now: Now,
    /// What the shell shall do.
    pub actions: &'a mut Vec<ControlAction>,
}
