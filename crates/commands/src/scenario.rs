//! Scenarios: lines of commands with their replies, run against a node in miniature.
//!
//! The node has two cores with a keyspace each, clients that are only rows, and in cluster mode a cluster
//! without links. It brings each command where its row says, as `node` does, one at a time.
//!
//! A scenario is a file of `tests/cases`:
//!
//! ```text
//! # a comment
//! ! requirepass secret        a directive; these come first
//! ! protocol 3                RESP3 from here on, whatever HELLO says
//! PING -> +PONG               a command as in a configuration file, and its reply
//! CLIENT ID -> :*             the reply is a pattern, as of KEYS, if it has a star
//! > CLIENT KILL MAXAGE 9 -> :0     Redis 7.2 answers otherwise, and that is meant
//! ```
//!
//! Replies are written on one line: `+status`, `-error`, `:1`, `"bulk"`, `nil`, `nil*` (a null array),
//! `[array]`, `{map}`, `~[set]`, `="verbatim"`, and `none` where nothing is said.

use crate::exec::{ClientRow, Clients, ControlAction};
use crate::facts::{CommandCounters, CoreFacts, NodeFacts};
use crate::table::Run;
use crate::{
    ClusterExec, CommandError, ControlExec, Effects, Exec, Gathered, Now, ReplyMode, Session, Table, Visit,
};
use crate::{TypeLimits, Wait};
use config::Config;
use keyspace::{Access, Keyspace, Setup, View};
use resp::{OwnedBatch, Protocol, Reply};
use slot::Slot;
use std::fmt::Write;
use std::sync::Arc;

const CORES: u8 = 2;
/// The first client is the one that sends the scenario's commands.
pub(crate) const CALLER: u64 = 7;

struct Core {
    keyspace: Keyspace,
    facts: CoreFacts,
    clients: Rows,
}

/// Clients that do nothing but be listed and killed.
#[derive(Default)]
pub(crate) struct Rows {
    pub rows: Vec<ClientRow>,
    pub paused: Option<(u64, bool)>,
    pub blocked: Vec<u64>,
    pub unblocked: Vec<(u64, bool)>,
}

impl Clients for Rows {
    fn each(&self, f: &mut dyn FnMut(&ClientRow)) {
        self.rows.iter().for_each(f);
    }

    fn kill(&mut self, id: u64, caller: bool) {
        self.rows.retain(|row| row.session.id != id || caller);
    }

    fn pause(&mut self, until_ms: u64, writes_only: bool) {
        self.paused = Some((until_ms, writes_only));
    }

    fn unpause(&mut self) {
        self.paused = None;
    }

    fn unblock(&mut self, id: u64, with_error: bool) -> bool {
        let there = self.blocked.contains(&id);
        if there {
            self.unblocked.push((id, with_error));
        }
        there
    }
}

/// A node in miniature.
pub(crate) struct MiniNode {
    pub config: Arc<Config>,
    pub session: Session,
    pub now: Now,
    pub cluster: Option<cluster::Cluster>,
    pub actions: Vec<ControlAction>,
    pub after_routing: Option<u64>,
    cores: Vec<Core>,
}

fn session(id: u64, last_command: u16) -> Session {
    Session {
        id,
        db: 0,
        protocol: Protocol::Resp2,
        authenticated: true,
        reply_mode: ReplyMode::On,
        readonly: false,
        asking: false,
        no_evict: false,
        no_touch: false,
        close: false,
        name: None,
        lib_name: None,
        lib_ver: None,
        last_command,
        peer: format!("127.0.0.1:{}", 40000 + id).into(),
        local: "127.0.0.1:6379".into(),
        is_local: true,
    }
}

fn row(session: Session, age_s: u64, flags: &'static str) -> ClientRow {
    let fd = session.id + 1;
    ClientRow { session, fd, age_s, idle_s: 0, query_bytes: 0, output_bytes: 0, flags, paused: false }
}

impl MiniNode {
    /// A node with these directives. Besides the caller three clients are connected: 8 and 9 on the other
    /// core, 10 on the caller's.
    pub fn new(directives: &[(&str, &str)]) -> MiniNode {
        let words: Vec<String> =
            directives.iter().flat_map(|(name, value)| [format!("--{name}"), value.to_string()]).collect();
        let config = config::from_command_line(&words, &mut NoFiles).expect("good directives").config;
        let cluster = config.cluster_enabled().then(|| {
            let mut cluster = cluster::Cluster::new(cluster::Settings::default(), 1, 1_700_000_000_000);
            cluster.handle_routing_applied(1_700_000_000_000, 1);
            cluster
        });
        let node = Arc::new(NodeFacts {
            run_id: "0123456789".repeat(4),
            replication_id: "9876543210".repeat(4),
            pid: 42,
            started_ms: 1_700_000_000_000 - 100_000_000,
            tcp_port: 6379,
            os: "Linux 6.1 x86_64".to_string(),
            cores: CORES,
            ..NodeFacts::default()
        });
        let authenticated = config.requirepass().is_none();
        let databases = config.databases() as u16;
        let cores = (0..CORES).map(|core| {
            let keyspace = Keyspace::new(Setup { core, cores: CORES, databases, hash_seed: 1 });
            let mut facts = CoreFacts { node: node.clone(), active_expire: true, ..CoreFacts::default() };
            facts.totals.by_command = vec![CommandCounters::default(); Table::standard().len()];
            let ids: &[u64] = if core == 0 { &[CALLER, 10] } else { &[8, 9] };
            let rows = ids.iter().map(|&id| row(session(id, u16::MAX), id * 10, "N")).collect();
            Core { keyspace, facts, clients: Rows { rows, ..Rows::default() } }
        });
        MiniNode {
            cores: cores.collect(),
            config: Arc::new(config),
            session: Session { authenticated, ..session(CALLER, u16::MAX) },
            now: Now { unix_us: 1_700_000_000_123_456 },
            cluster,
            actions: Vec::new(),
            after_routing: None,
        }
    }

    pub fn clients(&mut self, core: usize) -> &mut Rows {
        &mut self.cores[core].clients
    }

    pub fn facts(&mut self, core: usize) -> &mut CoreFacts {
        &mut self.cores[core].facts
    }

    /// Runs a command line and writes its reply on a line.
    pub fn run(&mut self, line: &str) -> String {
        let words = config::words::split(line.as_bytes()).expect("balanced quotes");
        let batch = OwnedBatch::of(&words);
        let mut reply = Reply::new(self.session.protocol);
        if let Err(error) = self.call(&batch, &mut reply) {
            reply = Reply::new(self.session.protocol);
            error.write(&mut reply);
        }
        shown(&reply.to_vec())
    }

    fn call(&mut self, batch: &OwnedBatch, reply: &mut Reply) -> Result<(), CommandError> {
        let args = batch.args(0);
        let Some((index, command)) = Table::standard().find(args) else {
            return Err(Table::standard().why_not(args));
        };
        self.session.last_command = index;
        let core_of = |slot: Slot| slot.index() % usize::from(CORES);
        match command.run {
            Run::Here(handler) | Run::Origin(handler) => handler(&mut self.exec(0).get(), args, reply),
            Run::Keys(handler) => {
                let at = command.first_key(args).map_or(0, |key| core_of(slot::slot_of(args.get(key))));
                handler(&mut self.exec(at).get(), args, reply)
            }
            Run::Slot(slot, handler) => {
                let at = slot(args).map_or(0, core_of);
                handler(&mut self.exec(at).get(), args, reply)
            }
            Run::EveryCore(every) => {
                (every.check)(&self.exec(0).get(), args)?;
                let mut gathered = Gathered::default();
                for (at, core) in self.cores.iter_mut().enumerate() {
                    let mut visit = Visit {
                        core: at as u8,
                        keyspace: &mut core.keyspace,
                        clients: &mut core.clients,
                        facts: &mut core.facts,
                        config: &self.config,
                        limits: &mut TypeLimits::of(&self.config, 0),
                        effects: &mut Effects::default(),
                        session: &self.session,
                        at_home: &|slot| core_of(slot) == at,
                        is_mine: &|slot| core_of(slot) == at,
                        access: Access::default(),
                        now: self.now,
                        random: &mut || 0,
                    };
                    (every.visit)(&mut visit, args, &mut gathered);
                }
                (every.finish)(&mut self.exec(0).get(), args, gathered, reply)
            }
            Run::Cluster(handler) => {
                let keys = self.cores.iter().map(|core| core.keyspace.len(0) as u64).sum();
                let cluster = self.cluster.as_mut().ok_or_else(CommandError::not_a_cluster)?;
                let mut cx = ClusterExec {
                    cluster,
                    session: &self.session,
                    config: &self.config,
                    now: self.now,
                    keys,
                    after_routing: None,
                    after_save: false,
                };
                let result = handler(&mut cx, args, reply);
                self.after_routing = cx.after_routing;
                result
            }
            Run::Control(handler) => {
                let mut next = (*self.config).clone();
                let node = self.cores[0].facts.node.clone();
                let mut cx = ControlExec {
                    config: &mut next,
                    node: &node,
                    session: &self.session,
                    now: self.now,
                    actions: &mut self.actions,
                };
                handler(&mut cx, args, reply)?;
                self.config = Arc::new(next);
                Ok(())
            }
            Run::Container => Err(CommandError::WrongArity(command.name)),
        }
    }

    fn exec(&mut self, core: usize) -> ExecParts<'_> {
        ExecParts {
            core: &mut self.cores[core],
            session: &mut self.session,
            config: &self.config,
            now: self.now,
            limits: TypeLimits::of(&self.config, 0),
            effects: Effects::default(),
            waiting: None,
            random: || 0,
        }
    }
}

/// What an [`Exec`] borrows and nobody else keeps.
struct ExecParts<'a> {
    core: &'a mut Core,
    session: &'a mut Session,
    config: &'a Arc<Config>,
    now: Now,
    limits: TypeLimits,
    effects: Effects,
    waiting: Option<Wait>,
    random: fn() -> u64,
}

impl ExecParts<'_> {
    fn get(&mut self) -> Exec<'_> {
        let db = self.session.db;
        Exec {
            keys: View::new(&mut self.core.keyspace, db, self.now.unix_ms(), Access::default()),
            session: self.session,
            config: self.config,
            limits: &self.limits,
            facts: &mut self.core.facts,
            effects: &mut self.effects,
            now: self.now,
            random: &mut self.random,
            first_key: None,
            waiting: &mut self.waiting,
            at_home: &|_| true,
        }
    }
}

struct NoFiles;

impl config::Sources for NoFiles {
    fn read_file(&mut self, _: &[u8]) -> Result<Vec<u8>, String> {
        Err("there are no files".to_string())
    }

    fn read_stdin(&mut self) -> Result<Vec<u8>, String> {
        Err("there is no standard input".to_string())
    }
}

/// A reply on one line.
fn shown(bytes: &[u8]) -> String {
    let mut out = String::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        if !out.is_empty() {
            out.push(' ');
        }
        show_one(&mut rest, &mut out);
    }
    if out.is_empty() {
        out.push_str("none");
    }
    out
}

fn show_one(rest: &mut &[u8], out: &mut String) {
    let end = rest.windows(2).position(|two| two == b"\r\n").expect("a line ends");
    let (kind, line) = (rest[0], String::from_utf8_lossy(&rest[1..end]).into_owned());
    *rest = &rest[end + 2..];
    let number = || line.parse::<i64>().expect("a length");
    match kind {
        b'+' | b'-' | b':' | b',' | b'#' => write!(out, "{}{line}", kind as char).expect("a string"),
        b'_' => out.push_str("nil"),
        b'$' if number() < 0 => out.push_str("nil"),
        b'*' if number() < 0 => out.push_str("nil*"),
        b'$' | b'=' => {
            let (mut text, after) = rest.split_at(number() as usize);
            *rest = &after[2..];
            if kind == b'=' {
                assert_eq!(&text[..4], b"txt:");
                text = &text[4..];
                out.push('=');
            }
            out.push_str(&String::from_utf8_lossy(&config::words::quote(text)));
        }
        b'*' | b'~' | b'%' => {
            let (open, close) = match kind {
                b'*' => ("[", ']'),
                b'~' => ("~[", ']'),
                _ => ("{", '}'),
            };
            out.push_str(open);
            let elements = number() * if kind == b'%' { 2 } else { 1 };
            for element in 0..elements {
                if element > 0 {
                    out.push(' ');
                }
                show_one(rest, out);
            }
            out.push(close);
        }
        _ => panic!("no reply begins with {:?}", kind as char),
    }
}

/// Runs a file of `tests/cases`; all that differs is told at once.
pub(crate) fn play(name: &str, text: &str) {
    let directives: Vec<(&str, &str)> = text
        .lines()
        .filter_map(|line| line.strip_prefix("! "))
        .map(|line| line.split_once(' ').expect("a directive and its value"))
        .filter(|(name, _)| *name != "protocol")
        .collect();
    let mut node = MiniNode::new(&directives);
    let (mut ran, mut wrong) = (0, String::new());
    for (number, line) in text.lines().enumerate() {
        if line.trim_start() == "! protocol 3" {
            node.session.protocol = Protocol::Resp3;
        } else if line == "! protocol 2" {
            node.session.protocol = Protocol::Resp2;
        }
        let line = line.strip_prefix("> ").unwrap_or(line);
        let Some((command, expected)) = line.rsplit_once(" -> ") else { continue };
        let got = node.run(command);
        let same = match expected.contains('*') && expected != "nil*" {
            true => config::glob::matches(expected.replace(['[', ']', '\\'], "?").as_bytes(), got.as_bytes()),
            false => got == expected,
        };
        ran += 1;
        if !same {
            writeln!(wrong, "{name}:{}: {command}\n  expected {expected}\n  got      {got}", number + 1)
                .expect("a string");
        }
    }
    assert!(ran > 0 && wrong.is_empty(), "of {ran} cases these differ:\n{wrong}");
}

macro_rules! scenarios {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            play(stringify!($name), include_str!(concat!("../tests/cases/", stringify!($name), ".txt")));
        })*
    };
}

scenarios! {
    connection
    password
    client
    config
    command
    command_docs
    command_info
    command_resp3
    debug
    debug_refused
    standalone
    cluster
    cluster_resp3
}
