//! `ringslot cluster`: the local launcher, run as a user runs it.
//!
//! With another server as the subject there is no launcher; [`Launcher`] then starts three of its
//! nodes and joins them with redis-cli, so that what runs on the cluster can be proved without ours.

use std::fs::File;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::client::{Address, Client};
use crate::nodes;
use crate::process;
use crate::program::{Kind, Program};
use crate::server::{Server, Setup, STOP_DEADLINE};
use crate::wait;

/// How long the cluster may take until all its nodes are ok.
const UP_DEADLINE: Duration = Duration::from_secs(40);

/// A running local cluster.
#[derive(Debug)]
pub struct Launcher {
    running: Running,
    ports: Vec<u16>,
}

#[derive(Debug)]
enum Running {
    Ours { child: Child, log: std::path::PathBuf },
    Plain(Vec<Server>),
}

impl Launcher {
    /// Starts a cluster on free ports in a row.
    #[track_caller]
    pub fn start(dir: &Path, nodes: u16, cores: usize) -> Launcher {
        Launcher::start_at(dir, free_row(nodes), nodes, cores)
    }

    /// Starts a cluster whose first node listens on `port`, and waits until it serves.
    #[track_caller]
    pub fn start_at(dir: &Path, port: u16, count: u16, cores: usize) -> Launcher {
        let program = Program::subject();
        let launcher = if program.kind == Kind::Ringslot {
            let log = dir.join("launcher.log");
            let open =
                || File::options().create(true).append(true).open(&log).expect("a file in our own directory");
            let child = Command::new(&program.path)
                .args(["cluster", "--nodes", &count.to_string(), "--port", &port.to_string()])
                .args(["--dir", &dir.display().to_string(), "--cores", &cores.to_string()])
                .stdin(Stdio::null())
                .stdout(open())
                .stderr(open())
                .spawn()
                .unwrap_or_else(|e| panic!("{program} cluster: {e}"));
            Launcher { running: Running::Ours { child, log }, ports: (port..port + count).collect() }
        } else {
            let servers: Vec<Server> = (0..count).map(|_| Setup::of(&program).cluster().start()).collect();
            let ports: Vec<u16> = servers.iter().map(Server::port).collect();
            let addresses: Vec<String> = ports.iter().map(|p| format!("127.0.0.1:{p}")).collect();
            let mut args = vec!["--cluster", "create"];
            args.extend(addresses.iter().map(String::as_str));
            args.push("--cluster-yes");
            nodes::redis_cli_ok(&args);
            Launcher { running: Running::Plain(servers), ports }
        };
        let up = wait::until(UP_DEADLINE, || launcher.ports.iter().all(|p| serves(*p)).then_some(()));
        assert!(up.is_some(), "the local cluster is not up after {UP_DEADLINE:?}\n{}", launcher.log());
        launcher
    }

    /// The ports of its nodes.
    pub fn ports(&self) -> Vec<u16> {
        self.ports.clone()
    }

    /// What it has printed.
    pub fn log(&self) -> String {
        match &self.running {
            Running::Ours { log, .. } => std::fs::read_to_string(log).unwrap_or_default(),
            Running::Plain(servers) => servers.iter().map(Server::log_tail).collect(),
        }
    }

    /// Ctrl-C; how it ended.
    #[track_caller]
    pub fn interrupt(&mut self) -> ExitStatus {
        match &mut self.running {
            Running::Ours { child, .. } => {
                process::interrupt(child.id());
                wait::until(STOP_DEADLINE, || child.try_wait().ok().flatten())
                    .unwrap_or_else(|| panic!("still running {STOP_DEADLINE:?} after Ctrl-C"))
            }
            Running::Plain(servers) => {
                let statuses: Vec<_> = servers.drain(..).map(|s| s.stop().status).collect();
                statuses.into_iter().find(|s| !s.success()).unwrap_or_default()
            }
        }
    }
}

impl Drop for Launcher {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- log of the local cluster\n{}", self.log());
        }
        if let Running::Ours { child, .. } = &mut self.running {
            // It ends its nodes when it is interrupted; only a launcher that hangs is killed.
            process::interrupt(child.id());
            if wait::until(STOP_DEADLINE, || child.try_wait().ok().flatten()).is_none() {
                let _ = child.kill();
            }
            let _ = child.wait();
        }
    }
}

fn serves(port: u16) -> bool {
    let Ok(client) = Client::connect(&Address::Port(port)) else { return false };
    let mut client = client.with_deadline(Duration::from_secs(2));
    matches!(nodes::info(&mut client, "cluster_state").as_deref(), Ok("ok"))
}

/// The first of `count` free ports in a row, their bus ports free too.
fn free_row(count: u16) -> u16 {
    loop {
        let first = crate::server::free_port();
        let free = |p: u16| TcpListener::bind(("127.0.0.1", p)).is_ok();
        if (first..first + count).all(|p| free(p) && free(p + 10_000)) {
            return first;
        }
    }
}
