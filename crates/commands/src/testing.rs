//! A node of one core for tests: a line in, its reply out.
//!
//! ```text
//!     let mut node = TestNode::new();
//!     node.check("SET k v", "+OK");            a reply's line ends are shown as blanks
//!     node.check("GET k", "$1 v");
//!     node.check_log("SETEX k 10 v", "SET k v PXAT 1000000010000");
//! ```
//!
//! The clock stands still but for [`TestNode::sleep`].
//!
//! The expectations are a real server's. With `RINGSLOT_REFERENCE=127.0.0.1:port` in the environment
//! and `--test-threads=1`, each line that is checked is sent to that server (Redis 7.0.15 was asked),
//! too, and its reply must be the same. Lines after a `sleep`, and those of `check_ours`, are not sent.

mod duel;

use crate::exec::{ClientRow, Clients};
use crate::facts::CoreFacts;
use crate::table::EveryCore;
use crate::{Effects, Exec, Gathered, Now, ReplyMode, Run, Session, Table, Visit};
use config::{Config, SetContext};
use keyspace::{Access, Keyspace, Setup, View};
use resp::{Args, Batch, Limits, OwnedBatch, Partial, Protocol, Reply};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

/// When tests take place.
pub const NOW_MS: u64 = 1_000_000_000_000;

/// A node of one core, and its only client.
pub struct TestNode {
    keyspace: Keyspace,
    session: Session,
    config: Arc<Config>,
    facts: CoreFacts,
    effects: Effects,
    now: Now,
    random: u64,
    reference: Option<TcpStream>,
    /// What the last command waits for.
    pub waiting: Option<crate::Wait>,
    /// Whether slots are at home, for SCAN.
    pub at_home: fn(slot::Slot) -> bool,
}

impl TestNode {
    /// Without keys.
    pub fn new() -> TestNode {
        let mut node = TestNode {
            keyspace: Keyspace::new(Setup { core: 0, cores: 1, databases: 16, hash_seed: 7 }),
            session: session(),
            config: Arc::new(Config::default()),
            facts: CoreFacts::default(),
            effects: Effects { wanted: true, ..Effects::default() },
            now: Now { unix_us: NOW_MS * 1000 },
            random: 1,
            reference: reference(),
            waiting: None,
            at_home: |_| true,
        };
        node.ask_reference("FLUSHALL");
        node.ask_reference("CONFIG SET proto-max-bulk-len 512mb maxmemory 0 maxmemory-policy noeviction");
        node
    }

    /// That speaks RESP3.
    pub fn resp3() -> TestNode {
        let mut node = TestNode::new();
        node.session.protocol = Protocol::Resp3;
        node.ask_reference("HELLO 3");
        node
    }

    /// In a cluster; there is no reference server for it.
    pub fn in_cluster() -> TestNode {
        let mut loader = config::Loader::default();
        loader.load(b"cluster-enabled yes\n", &mut NoFiles).expect("a directive");
        let (config, _) = loader.finish().expect("a configuration");
        TestNode { config: Arc::new(config), reference: None, ..TestNode::new() }
    }

    /// Gives a directive a value.
    pub fn configure(&mut self, name: &str, value: &str) {
        let mut config = (*self.config).clone();
        config.set(&[(name, value)], SetContext::default()).expect("a directive and a value for it");
        self.config = Arc::new(config);
        self.ask_reference(&format!("CONFIG SET {name} {value}"));
    }

    /// Lets time pass.
    pub fn sleep(&mut self, ms: u64) {
        self.now.unix_us += ms * 1000;
        self.reference = None;
    }

    /// Uses another database.
    pub fn select(&mut self, db: u16) {
        self.session.db = db;
        self.ask_reference(&format!("SELECT {db}"));
    }

    /// The line must have this reply.
    #[track_caller]
    pub fn check(&mut self, line: &str, reply: &str) {
        assert_eq!(self.run(line), reply, "{line}");
        if let Some(theirs) = self.ask_reference(line) {
            assert_eq!(theirs, reply, "{line}, as the reference server answers it");
        }
    }

    /// The line must have this reply here; the reference server has another version, or clock.
    #[track_caller]
    pub fn check_ours(&mut self, line: &str, reply: &str) {
        assert_eq!(self.run(line), reply, "{line}");
    }

    /// The line must be logged in these words; "" if nothing is. Commands are separated by ` ; `.
    #[track_caller]
    pub fn check_log(&mut self, line: &str, words: &str) {
        self.run(line);
        self.ask_reference(line);
        assert_eq!(self.take_log(line), words, "{line}");
    }

    /// What the line is answered, line ends shown as blanks.
    pub fn run(&mut self, line: &str) -> String {
        self.effects.clear();
        self.keyspace.take_expired();
        let batch = words_of(line);
        shown(&self.execute(batch.args(0)))
    }

    /// Runs a command and says what it changed, as `dirty` counts it.
    pub fn dirty(&mut self, line: &str) -> u64 {
        self.run(line);
        self.effects.dirty
    }

    /// Runs a command given by its words.
    pub fn run_words<A: AsRef<[u8]>>(&mut self, words: &[A]) -> Vec<u8> {
        self.effects.clear();
        self.keyspace.take_expired();
        self.execute(OwnedBatch::of(words).args(0))
    }

    /// Runs a command and returns its reply.
    pub fn execute(&mut self, args: Args<'_>) -> Vec<u8> {
        let mut reply = Reply::new(self.session.protocol);
        let table = Table::standard();
        let Some((_, command)) = table.find(args) else {
            table.why_not(args).write(&mut reply);
            return reply.to_vec();
        };
        let mark = reply.mark();
        let result = match command.run {
            Run::Here(run) | Run::Keys(run) | Run::Origin(run) | Run::Slot(_, run) => {
                let first = command.first_key(args).map(|at| (at, self.keyspace.locate(args.get(at))));
                self.with_exec(first, |cx| run(cx, args, &mut reply))
            }
            Run::EveryCore(EveryCore { check, visit, finish, .. }) => {
                self.with_exec(None, |cx| check(cx, args)).and_then(|()| {
                    let mut gathered = Gathered::default();
                    self.with_visit(|core| visit(core, args, &mut gathered));
                    self.with_exec(None, |cx| finish(cx, args, gathered, &mut reply))
                })
            }
            Run::Cluster(_) | Run::Control(_) | Run::Container => {
                unreachable!("{} runs elsewhere", command.name)
            }
        };
        if let Err(error) = result {
            reply.truncate(mark);
            error.write(&mut reply);
        }
        reply.to_vec()
    }

    fn with_exec<R>(
        &mut self,
        first_key: Option<(usize, keyspace::Place)>,
        run: impl FnOnce(&mut Exec<'_>) -> R,
    ) -> R {
        let random = &mut self.random;
        run(&mut Exec {
            keys: View::new(&mut self.keyspace, self.session.db, self.now.unix_ms(), Access::default()),
            session: &mut self.session,
            config: &self.config,
            limits: &crate::TypeLimits::of(&self.config, 0),
            facts: &mut self.facts,
            effects: &mut self.effects,
            now: self.now,
            random: &mut || next(random),
            first_key,
            waiting: &mut self.waiting,
            at_home: &self.at_home,
        })
    }

    fn with_visit(&mut self, run: impl FnOnce(&mut Visit<'_>)) {
        let random = &mut self.random;
        run(&mut Visit {
            core: 0,
            keyspace: &mut self.keyspace,
            clients: &mut Nobody,
            facts: &mut self.facts,
            config: &self.config,
            limits: &mut crate::TypeLimits::of(&self.config, 0),
            effects: &mut self.effects,
            session: &self.session,
            at_home: &self.at_home,
            is_mine: &|_| true,
            access: Access::default(),
            now: self.now,
            random: &mut || next(random),
        });
    }

    /// What `node` would log for the last command: expired keys first.
    pub fn take_log(&mut self, line: &str) -> String {
        let expired = self.keyspace.take_expired().into_iter();
        let mut log: Vec<String> =
            expired.map(|gone| format!("expired {}", String::from_utf8_lossy(&gone.key))).collect();
        if !self.effects.words.is_empty() {
            let mut batch = Batch::new();
            let words = &self.effects.words;
            resp::parse(words, &mut Partial::default(), &Limits::default(), 64, &mut batch).expect("RESP");
            for i in 0..batch.len() {
                let words: Vec<_> = batch.args(words, i).iter().map(String::from_utf8_lossy).collect();
                log.push(words.join(" "));
            }
        } else if self.effects.dirty > 0 {
            log.push(line.to_string());
        }
        log.join(" ; ")
    }

    fn ask_reference(&mut self, line: &str) -> Option<String> {
        let stream = self.reference.as_mut()?;
        let batch = words_of(line);
        let mut bytes = Vec::new();
        crate::write_command(&mut bytes, batch.args(0));
        // PING marks the end of a reply whose length nobody here computes.
        crate::write_command(&mut bytes, ["PING", "the end"]);
        stream.write_all(&bytes).expect("the reference server listens");
        let (mut reply, end) = (Vec::new(), b"$7\r\nthe end\r\n");
        while !reply.ends_with(end) {
            let mut some = [0; 4096];
            let n = stream.read(&mut some).expect("the reference server answers");
            assert!(n > 0, "the reference server hung up");
            reply.extend_from_slice(&some[..n]);
        }
        Some(shown(&reply[..reply.len() - end.len()]))
    }
}

fn reference() -> Option<TcpStream> {
    let address = std::env::var("RINGSLOT_REFERENCE").ok()?;
    Some(TcpStream::connect(address).expect("the reference server listens"))
}

/// The words of a line, quoted as in an inline command.
fn words_of(line: &str) -> OwnedBatch {
    let bytes = format!("{line}\r\n").into_bytes();
    let mut batch = Batch::new();
    resp::parse(&bytes, &mut Partial::default(), &Limits::default(), 1, &mut batch).expect("a line");
    batch.to_owned(&bytes, 0)
}

fn shown(reply: &[u8]) -> String {
    let text = String::from_utf8_lossy(reply);
    text.strip_suffix("\r\n").unwrap_or(&text).replace("\r\n", " ")
}

fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F);
    // All 64 bits are wanted, and the low ones of such a generator are poor.
    *state ^ *state >> 32
}

fn session() -> Session {
    Session {
        id: 1,
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
        last_command: Table::NO_COMMAND,
        peer: "127.0.0.1:50000".into(),
        local: "127.0.0.1:6379".into(),
        is_local: true,
    }
}

struct NoFiles;

impl config::Sources for NoFiles {
    fn read_file(&mut self, _: &[u8]) -> Result<Vec<u8>, String> {
        unreachable!("nothing is included")
    }
    fn read_stdin(&mut self) -> Result<Vec<u8>, String> {
        unreachable!("nothing is read")
    }
}

struct Nobody;

impl Clients for Nobody {
    fn each(&self, _: &mut dyn FnMut(&ClientRow)) {}
    fn kill(&mut self, _: u64, _: bool) {}
    fn pause(&mut self, _: u64, _: bool) {}
    fn unpause(&mut self) {}
    fn unblock(&mut self, _: u64, _: bool) -> bool {
        false
    }
}
