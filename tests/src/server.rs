//! Servers: started on a free loopback port in a directory of their own, and ended with their value.
//!
//! ```text
//!     Setup::of(program).with("timeout", "5").start() ──► Server ──drop──► killed, directory removed
//!                                                        │    ▲
//!                                                   stop │    │ start_again (same port, directory)
//!                                                        ▼    │
//!                                                      Stopped
//! ```
//!
//! 1. A server is up when it answers PING (or refuses it for want of a password).
//! 2. When the test panics, the end of the server's log goes to standard error.
//! 3. Ports come in pairs, because the cluster bus listens 10,000 above.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::client::{Address, Client};
use crate::process;
use crate::program::{Kind, Program};
use crate::random::Random;
use crate::reply::Value;
use crate::wait;

/// How long a server may take until it answers.
const START_DEADLINE: Duration = Duration::from_secs(20);
/// How long a server may take to end after SIGTERM.
pub const STOP_DEADLINE: Duration = Duration::from_secs(20);
/// Bytes of its log that a failing test shows.
const LOG_TAIL: usize = 4000;
/// A port may be taken by another process between the look and the start.
const PORT_ATTEMPTS: usize = 5;

/// A directory that is removed with its value.
#[derive(Debug)]
pub struct TempDir(PathBuf);

impl TempDir {
    /// A new empty directory.
    pub fn new(name: &str) -> TempDir {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("ringslot-{name}-{}-{number}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap_or_else(|e| panic!("create {}: {e}", path.display()));
        TempDir(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What a server is to be started with.
#[derive(Clone, Debug)]
pub struct Setup {
    program: Program,
    cores: usize,
    cluster: bool,
    config_file: bool,
    directives: Vec<(String, String)>,
}

impl Setup {
    /// A standalone server without persistence, on one core where cores can be told.
    pub fn of(program: &Program) -> Setup {
        Setup {
            program: program.clone(),
            cores: 1,
            cluster: false,
            config_file: false,
            directives: Vec::new(),
        }
    }

    /// The subject on `cores` data cores.
    pub fn subject(cores: usize) -> Setup {
        Setup::of(&Program::subject()).cores(cores)
    }

    /// Data cores; said only to a server that knows the directive.
    pub fn cores(mut self, cores: usize) -> Setup {
        self.cores = cores;
        self
    }

    /// In cluster mode.
    pub fn cluster(mut self) -> Setup {
        self.cluster = true;
        self
    }

    /// With one more directive.
    pub fn with(mut self, directive: &str, value: &str) -> Setup {
        self.directives.push((directive.into(), value.into()));
        self
    }

    /// With its directives in a file `server.conf` of its directory, for CONFIG REWRITE.
    pub fn in_config_file(mut self) -> Setup {
        self.config_file = true;
        self
    }

    /// Starts it and waits until it answers; panics with its log when it does not.
    #[track_caller]
    pub fn start(self) -> Server {
        let mut last = String::new();
        for _ in 0..PORT_ATTEMPTS {
            let port = free_port();
            let dir = TempDir::new("server");
            match launch(&self, port, dir) {
                Ok(server) => return server,
                Err(log) => last = log,
            }
            if !last.contains("in use") {
                break;
            }
        }
        panic!("{} did not start: {last}", self.program);
    }

    /// The command line of a server at `port` in `dir`.
    pub fn command(&self, port: u16, dir: &Path) -> Command {
        let mut all: Vec<(String, String)> = [
            ("port", port.to_string()),
            ("bind", "127.0.0.1".into()),
            ("dir", dir.display().to_string()),
            ("save", String::new()),
            ("appendonly", "no".into()),
            ("enable-debug-command", "yes".into()),
        ]
        .map(|(k, v)| (k.to_string(), v))
        .to_vec();
        if self.cluster {
            all.push(("cluster-enabled".into(), "yes".into()));
        }
        if self.program.kind == Kind::Ringslot {
            all.push(("cores".into(), self.cores.to_string()));
        }
        all.extend(self.directives.iter().cloned());
        let mut command = Command::new(&self.program.path);
        if self.config_file {
            let file = dir.join("server.conf");
            if !file.exists() {
                let quote = |v: &str| if v.is_empty() { "\"\"".to_string() } else { v.to_string() };
                let text: String = all.iter().map(|(k, v)| format!("{k} {}\n", quote(v))).collect();
                fs::write(&file, text).unwrap_or_else(|e| panic!("write {}: {e}", file.display()));
            }
            command.arg(file);
        } else {
            for (directive, value) in &all {
                command.arg(format!("--{directive}")).arg(value);
            }
        }
        command
    }
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    setup: Setup,
    child: Child,
    port: u16,
    // None only while it changes hands in `stop`.
    dir: Option<TempDir>,
}

/// A server that has ended, whose port and directory are kept.
#[derive(Debug)]
pub struct Stopped {
    setup: Setup,
    port: u16,
    dir: TempDir,
    /// How it ended.
    pub status: ExitStatus,
}

fn log_path(dir: &Path) -> PathBuf {
    dir.join("server.log")
}

/// Starts a server, or gives back its log.
fn launch(setup: &Setup, port: u16, dir: TempDir) -> Result<Server, String> {
    let open = || {
        File::options()
            .create(true)
            .append(true)
            .open(log_path(dir.path()))
            .expect("a file in our own directory")
    };
    let child = setup
        .command(port, dir.path())
        .current_dir(dir.path())
        .stdin(Stdio::null())
        .stdout(open())
        .stderr(open())
        .spawn()
        .map_err(|e| format!("{}: {e}", setup.program))?;
    let mut server = Server { setup: setup.clone(), child, port, dir: Some(dir) };
    let up = wait::until(START_DEADLINE, || {
        if let Ok(Some(status)) = server.child.try_wait() {
            return Some(Err(format!("ended at once with {status}")));
        }
        let mut client = Client::connect(&server.address()).ok()?.with_deadline(Duration::from_secs(2));
        match client.try_call(&["PING"]).ok()? {
            Value::Error(text) if !text.starts_with("NOAUTH") => None,
            _ => Some(Ok(())),
        }
    });
    match up {
        Some(Ok(())) => Ok(server),
        Some(Err(why)) => Err(format!("{why}\n{}", server.log_tail())),
        None => Err(format!("no answer to PING within {START_DEADLINE:?}\n{}", server.log_tail())),
    }
}

impl Server {
    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where it listens.
    pub fn address(&self) -> Address {
        Address::Port(self.port)
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        self.dir.as_ref().expect("only `stop` takes it, and takes the server too").path()
    }

    /// The program that it runs.
    pub fn program(&self) -> &Program {
        &self.setup.program
    }

    /// A new connection.
    #[track_caller]
    pub fn client(&self) -> Client {
        Client::to_port(self.port)
    }

    /// Whether it still runs.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits until it has ended by itself.
    pub fn wait_end(&mut self, deadline: Duration) -> Option<ExitStatus> {
        wait::until(deadline, || self.child.try_wait().ok().flatten())
    }

    /// Sends SIGTERM and waits for the end; panics when it does not come.
    #[track_caller]
    pub fn stop(self) -> Stopped {
        process::terminate(self.pid());
        self.into_stopped()
    }

    /// Ends it with SIGKILL.
    #[track_caller]
    pub fn crash(self) -> Stopped {
        process::kill(self.pid());
        self.into_stopped()
    }

    /// Waits for an end that somebody else has asked for.
    #[track_caller]
    pub fn into_stopped(mut self) -> Stopped {
        let status = self
            .wait_end(STOP_DEADLINE)
            .unwrap_or_else(|| panic!("still running {STOP_DEADLINE:?} after it was told to end"));
        let dir = self.dir.take().expect("taken only here");
        Stopped { setup: self.setup.clone(), port: self.port, dir, status }
    }

    /// The end of its log.
    pub fn log_tail(&self) -> String {
        let log = fs::read(log_path(self.dir())).unwrap_or_default();
        String::from_utf8_lossy(&log[log.len().saturating_sub(LOG_TAIL)..]).into_owned()
    }

    /// All of its log.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(log_path(self.dir())).unwrap_or_default()).into_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() && self.dir.is_some() {
            eprintln!("--- log of {} at port {}\n{}", self.setup.program, self.port, self.log_tail());
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Stopped {
    /// Its directory.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Starts it as before, on the same port and directory; panics with its log when it does not come up.
    #[track_caller]
    pub fn start_again(self) -> Server {
        launch(&self.setup, self.port, self.dir).unwrap_or_else(|log| panic!("did not start again: {log}"))
    }
}

/// A port on which, and 10,000 above which, nobody listens now.
pub fn free_port() -> u16 {
    static DRAWN: AtomicU32 = AtomicU32::new(0);
    let nanos =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.subsec_nanos());
    let count = DRAWN.fetch_add(1, Ordering::Relaxed);
    let seed = u64::from(std::process::id()) << 40 ^ u64::from(count) << 32 ^ u64::from(nanos);
    let mut random = Random::new(seed);
    loop {
        // Below the range from which the kernel takes ports for outgoing connections.
        let port = 10_000 + random.below(12_000) as u16;
        let free = |p: u16| TcpListener::bind(("127.0.0.1", p)).is_ok();
        if free(port) && free(port + 10_000) {
            return port;
        }
    }
}
