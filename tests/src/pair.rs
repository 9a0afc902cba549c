//! A subject beside a reference, and case files run against both.
//!
//! Every section starts from empty databases and new connections, and ends with a look at what is
//! left: keys, values, encodings and expiries must be equal too, so that a command which answers
//! right and does wrong is found where it stands.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use crate::client::{Client, ClientError};
use crate::compare::{compare, Mask};
use crate::nodes;
use crate::program::Program;
use crate::reply::{quoted, Value};
use crate::script::{Action, Script, Section, Step};
use crate::server::{Server, Setup};

/// How long one reply may take before the server counts as hung.
const DEADLINE: Duration = Duration::from_secs(10);
/// Databases whose contents are compared after a section.
const DATABASES: &[&str] = &["0", "1", "9", "15"];
/// Milliseconds by which expiries may differ: the same command reaches the two servers at two times.
const EXPIRY_TOLERANCE: i64 = 5_000;

/// Two servers with the same directives.
#[derive(Debug)]
pub struct Pair {
    /// The server under test.
    pub subject: Server,
    /// The yardstick.
    pub reference: Server,
    cluster: bool,
    password: Option<String>,
}

/// What running case files has found.
#[derive(Debug, Default)]
pub struct Report {
    /// Replies compared.
    pub cases: usize,
    /// What differed, each ready to be printed.
    pub failures: Vec<String>,
}

impl Report {
    /// Adds another report's findings.
    pub fn merge(&mut self, other: Report) {
        self.cases += other.cases;
        self.failures.extend(other.failures);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for failure in &self.failures {
            writeln!(f, "{failure}")?;
        }
        write!(f, "{} replies compared, {} differences", self.cases, self.failures.len())
    }
}

/// The same connection on both sides.
#[derive(Debug)]
pub struct Both {
    /// To the server under test.
    pub subject: Client,
    /// To the yardstick.
    pub reference: Client,
}

impl Both {
    /// Sends the same bytes to both.
    pub fn send_raw(&mut self, bytes: &[u8]) -> Result<(), ClientError> {
        self.reference.send_raw(bytes)?;
        self.subject.send_raw(bytes)
    }

    /// Reads one reply from each: the subject's, then the reference's.
    pub fn read(&mut self) -> Result<(Vec<u8>, Vec<u8>), String> {
        let reference = self.reference.read_bytes().map_err(|e| format!("reference: {e}"))?;
        let subject = self
            .subject
            .read_bytes()
            .map_err(|e| format!("subject: {e}\n   reference {}", quoted(&reference, 300)))?;
        Ok((subject, reference))
    }

    /// Sends one command to both and returns both replies' meanings.
    pub fn call<A: AsRef<[u8]>>(&mut self, args: &[A]) -> Result<(Value, Value), String> {
        let reference = self.reference.try_call(args).map_err(|e| format!("reference: {e}"))?;
        let subject = self.subject.try_call(args).map_err(|e| format!("subject: {e}"))?;
        Ok((subject, reference))
    }
}

impl Pair {
    /// Starts both with the script's directives, the subject on `cores` data cores.
    #[track_caller]
    pub fn start(script: &Script, cores: usize) -> Pair {
        let start = |program: Program| {
            let mut setup = Setup::of(&program).cores(cores);
            for (directive, value) in &script.directives {
                setup = setup.with(directive, value);
            }
            if script.cluster {
                setup = setup.cluster();
            }
            let server = setup.start();
            if script.cluster {
                nodes::own_all_slots(&server);
            }
            server
        };
        let password = script.directives.iter().find(|(d, _)| d == "requirepass").map(|(_, v)| v.clone());
        Pair {
            subject: start(Program::subject()),
            reference: start(Program::reference()),
            cluster: script.cluster,
            password,
        }
    }

    /// Whether both speak the same version of Redis.
    pub fn same_version(&self) -> bool {
        self.subject.program().same_version(self.reference.program())
    }

    /// A new connection to each, speaking `protocol`.
    pub fn connect(&self, protocol: u8) -> Result<Both, String> {
        let open = |server: &Server| -> Result<Client, String> {
            let client =
                Client::connect(&server.address()).map_err(|e| format!("{}: {e}", server.program()))?;
            let mut client = client.with_deadline(DEADLINE);
            if protocol == 3 {
                client
                    .try_call(&["HELLO", "3"])
                    .map_err(|e| format!("{}: HELLO 3: {e}", server.program()))?;
            }
            Ok(client)
        };
        Ok(Both { reference: open(&self.reference)?, subject: open(&self.subject)? })
    }

    /// Runs one section in one protocol.
    pub fn run_section(&self, section: &Section, protocol: u8) -> Report {
        let mut report = Report::default();
        let mut run =
            SectionRun { pair: self, protocol, connections: BTreeMap::new(), current: "main".into() };
        let title = format!("{} (RESP{protocol})", section.name);
        if let Err(why) = self.empty() {
            report.failures.push(format!("== {title}\n   emptying before the section: {why}"));
            return report;
        }
        for step in &section.steps {
            let outcome = run.step(step);
            report.cases += outcome.cases;
            let shown = || format!("== {title}, line {}: {}", step.line, show(&step.action));
            report.failures.extend(outcome.unequal.iter().map(|why| format!("{}\n   {why}", shown())));
            if let Some(why) = outcome.broken {
                report
                    .failures
                    .push(format!("{}\n   {why}\n   the rest of the section was not run", shown()));
                break;
            }
        }
        if let Err(why) = self.same_contents() {
            report.failures.push(format!("== {title}: contents after the section\n   {why}"));
        }
        report
    }

    /// Connects with every right.
    pub fn admin(&self) -> Result<Both, String> {
        let mut both = self.connect(2)?;
        if let Some(password) = &self.password {
            both.call(&["AUTH", password])?;
        }
        Ok(both)
    }

    /// Removes every key on both sides.
    pub fn empty(&self) -> Result<(), String> {
        match self.admin()?.call(&["FLUSHALL"])? {
            (Value::Simple(a), Value::Simple(b)) if a == "OK" && b == "OK" => Ok(()),
            other => Err(format!("FLUSHALL: {other:?}")),
        }
    }

    /// Compares keys, values, encodings and expiries.
    pub fn same_contents(&self) -> Result<(), String> {
        let mut both = self.admin()?;
        let databases = if self.cluster { &DATABASES[..1] } else { DATABASES };
        for database in databases {
            both.call(&["SELECT", database])?;
            let (subject, reference) = both.call(&["KEYS", "*"])?;
            let sorted = |value: &Value| {
                let mut keys: Vec<Vec<u8>> = value
                    .items()
                    .iter()
                    .map(|v| match v {
                        Value::Bulk(key) => key.clone(),
                        other => format!("{other:?}").into_bytes(),
                    })
                    .collect();
                keys.sort();
                keys
            };
            let (subject, reference) = (sorted(&subject), sorted(&reference));
            if subject != reference {
                let list =
                    |keys: &[Vec<u8>]| keys.iter().map(|k| quoted(k, 60)).collect::<Vec<_>>().join(" ");
                return Err(format!(
                    "keys of database {database}\n     subject {}\n   reference {}",
                    list(&subject),
                    list(&reference)
                ));
            }
            for key in &reference {
                let mut same = |command: &[&[u8]], mask: &Mask| {
                    both.reference.send(command).map_err(|e| e.to_string())?;
                    both.subject.send(command).map_err(|e| e.to_string())?;
                    let (subject, reference) = both.read()?;
                    compare(mask, false, &subject, &reference)
                        .map_err(|why| format!("database {database}, {}: {}", show_args(command), why.0))?;
                    Ok::<_, String>(reference)
                };
                let value_type = same(&[b"TYPE", key], &Mask::Exact)?;
                match value_type.trim_ascii() {
                    b"+list" => same(&[b"LRANGE", key, b"0", b"-1"], &Mask::Exact)?,
                    b"+set" => same(&[b"SMEMBERS", key], &Mask::Unordered)?,
                    b"+zset" => same(&[b"ZRANGE", key, b"0", b"-1", b"WITHSCORES"], &Mask::Exact)?,
                    // Sorted, a field and its value could not be told from two that were exchanged.
                    b"+hash" => {
                        same(&[b"HKEYS", key], &Mask::Unordered)?;
                        same(&[b"HVALS", key], &Mask::Unordered)?
                    }
                    b"+stream" => same(&[b"XRANGE", key, b"-", b"+"], &Mask::Exact)?,
                    _ => same(&[b"GET", key], &Mask::Exact)?,
                };
                // Redis 7.0 has no sets and no lists in listpacks.
                let differs = value_type.starts_with(b"+set") || value_type.starts_with(b"+list");
                let encoding = if differs { Mask::Type } else { Mask::Exact };
                same(&[b"OBJECT", b"ENCODING", key], &encoding)?;
                same(&[b"PEXPIRETIME", key], &Mask::Near(EXPIRY_TOLERANCE))?;
            }
        }
        Ok(())
    }
}

/// Runs a whole case file on a pair of its own.
pub fn run_file(path: &Path, cores: usize) -> Report {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let script = Script::parse(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let mut pair = Pair::start(&script, cores);
    let mut report = Report::default();
    for section in &script.sections {
        for &protocol in &section.protocols {
            let mut part = pair.run_section(section, protocol);
            for failure in &mut part.failures {
                *failure = format!("{name} {failure}");
            }
            report.merge(part);
            if !pair.subject.is_alive() {
                let log = pair.subject.log_tail();
                report.failures.push(format!("{name}: the subject has ended in {}\n{log}", section.name));
                pair = Pair::start(&script, cores);
            }
        }
    }
    report
}

struct SectionRun<'a> {
    pair: &'a Pair,
    protocol: u8,
    connections: BTreeMap<String, Both>,
    current: String,
}

#[derive(Default)]
struct Outcome {
    cases: usize,
    unequal: Vec<String>,
    /// Why the section cannot go on.
    broken: Option<String>,
}

impl SectionRun<'_> {
    fn step(&mut self, step: &Step) -> Outcome {
        let mut outcome = Outcome::default();
        if let Action::Connection(name) = &step.action {
            self.current = name.clone();
            return outcome;
        }
        if let Err(why) = self.exchange(&step.action, &mut outcome) {
            outcome.broken = Some(why);
        }
        outcome
    }

    fn exchange(&mut self, action: &Action, outcome: &mut Outcome) -> Result<(), String> {
        let same_version = self.pair.same_version();
        if !self.connections.contains_key(&self.current) {
            let both = self.pair.connect(self.protocol)?;
            self.connections.insert(self.current.clone(), both);
        }
        let both = self.connections.get_mut(&self.current).expect("inserted above");
        let read = |both: &mut Both, mask: &Mask, outcome: &mut Outcome| -> Result<(), String> {
            let (subject, reference) = both.read()?;
            outcome.cases += 1;
            if let Err(why) = compare(mask, same_version, &subject, &reference) {
                outcome.unequal.push(why.0);
            }
            Ok(())
        };
        match action {
            Action::Command { args, check } => {
                both.send_raw(&crate::reply::encode(args)).map_err(|e| e.to_string())?;
                match check.mask(self.protocol) {
                    Some(mask) => read(both, &mask, outcome)?,
                    None => outcome.cases += 1,
                }
            }
            Action::Raw(bytes, count) => {
                both.send_raw(bytes).map_err(|e| e.to_string())?;
                for _ in 0..*count {
                    read(both, &Mask::Exact, outcome)?;
                }
            }
            Action::Read(count) => {
                for _ in 0..*count {
                    read(both, &Mask::Exact, outcome)?;
                }
            }
            Action::RawClose(bytes) => {
                // The server may close while it is being written to: what it said still counts.
                let _ = both.send_raw(bytes);
                self.closes(outcome)?;
            }
            Action::Closed => self.closes(outcome)?,
            Action::Connection(_) => {}
        }
        Ok(())
    }

    /// Both close; the connection is forgotten, so that its name can be used anew.
    fn closes(&mut self, outcome: &mut Outcome) -> Result<(), String> {
        let mut both = self.connections.remove(&self.current).ok_or("no connection")?;
        outcome.cases += 1;
        let reference = both.reference.read_to_close().map_err(|e| format!("reference stays open: {e}"))?;
        let subject = both.subject.read_to_close().map_err(|e| format!("subject stays open: {e}"))?;
        if let Err(why) = compare(&Mask::Exact, true, &subject, &reference) {
            outcome.unequal.push(why.0);
        }
        Ok(())
    }
}

fn show(action: &Action) -> String {
    match action {
        Action::Command { args, .. } => show_args(args),
        Action::Raw(bytes, _) | Action::RawClose(bytes) => quoted(bytes, 120),
        Action::Read(n) => format!("@read {n}"),
        Action::Closed => "@closed".into(),
        Action::Connection(name) => format!("@conn {name}"),
    }
}

/// Words as a case file would hold them, long ones cut.
pub fn show_args<A: AsRef<[u8]>>(args: &[A]) -> String {
    args.iter().map(|a| show_word(a.as_ref(), 80)).collect::<Vec<_>>().join(" ")
}

/// A word as a case file would hold it: plain where it can be.
pub fn show_word(word: &[u8], limit: usize) -> String {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"-_:.*?+(),/=%<>@$!&;~^".contains(b);
    let risky_start = word.first().is_some_and(|b| b"@=#[".contains(b));
    if !word.is_empty() && word.len() <= limit && !risky_start && word.iter().all(plain) {
        String::from_utf8_lossy(word).into_owned()
    } else {
        quoted(word, limit)
    }
}
