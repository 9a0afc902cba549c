//! `ringslot cluster`: a cluster of this machine, in the foreground, for trying things out.
//!
//!     directories, free ports --> N processes of this program --> all answer
//!         --> first time: epochs, MEET, slots --> all say cluster_state:ok --> wait for Ctrl-C --> SIGTERM to all
//!
//! 1. The nodes are ordinary ones, told everything by their command line; each has a directory named by its
//!    port, with its `nodes.conf` and its log. So what is tried here works the same on several machines.
//! 2. Whether the nodes were joined before is read from the nodes, not remembered: starting again on the same
//!    directory starts the same cluster.
//! 3. No node is left behind: however this ends short of SIGKILL, all children are told to stop and waited for.
//!    A terminal's Ctrl-C does not reach them (they have a process group of their own); this process passes
//!    it on, so that they end in one way only.
//! 4. A node that dies takes the rest with it, and the end of its log is shown.
//!
//! Not here: replicas, other machines, watching over a real cluster.

use runtime::thread;
use rustix::process::{kill_process, Pid, Signal};
use std::error::Error;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc::{channel, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

const SLOTS: usize = 16_384;
/// The bus listens so far above the port.
const BUS_OFFSET: u16 = 10_000;
/// How long nodes may take to answer: they may have to share one processor.
const UP_WITHIN: Duration = Duration::from_secs(30);
/// How long they may take to agree beyond the node timeout, after which a node may be taken for lost.
const AGREE_WITHIN: Duration = Duration::from_secs(60);
/// How long they may take to end.
const END_WITHIN: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// Lines of a dead node's log that are shown.
const LOG_LINES: usize = 20;

/// Options of `ringslot cluster`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// How many nodes, all primaries
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=100))]
    nodes: u16,
    /// The first node's port; the others take the next ones, and each its bus port 10000 above
    #[arg(long, default_value_t = 7000, value_parser = clap::value_parser!(u16).range(1..=55_436))]
    port: u16,
    /// Where the nodes keep their files; start again on the same directory to have the same cluster again
    #[arg(long, default_value = "./ringslot-cluster")]
    dir: PathBuf,
    /// Data cores of each node
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=64))]
    cores: u8,
    /// Milliseconds after which a silent node is suspected
    #[arg(long, default_value_t = 5000, value_parser = clap::value_parser!(u32).range(100..))]
    node_timeout: u32,
}

/// Why the nodes are to be stopped.
enum End {
    /// Somebody asked for it.
    Asked,
    Failed(Box<dyn Error>),
}

impl<E: Into<Box<dyn Error>>> From<E> for End {
    fn from(error: E) -> End {
        End::Failed(error.into())
    }
}

/// Runs the cluster until somebody ends it.
pub fn run(options: &Options) -> Result<ExitCode, Box<dyn Error>> {
    // First of all, so that no signal can come between the start of a child and the wait for its end.
    thread::prepare_signals()?;
    let mut cluster = Cluster { nodes: Vec::new(), stops: stops() };
    let end = cluster.run(options);
    if !cluster.nodes.is_empty() {
        println!("Stopping {} nodes ...", cluster.nodes.len());
    }
    cluster.stop();
    match end {
        Ok(never) => match never {},
        Err(End::Asked) => {
            println!("Stopped.");
            Ok(ExitCode::SUCCESS)
        }
        Err(End::Failed(error)) => Err(error),
    }
}

/// Tells each SIGINT and SIGTERM that arrives.
fn stops() -> Receiver<()> {
    let (tell, stops) = channel();
    std::thread::spawn(move || while thread::wait_for_stop().is_ok() && tell.send(()).is_ok() {});
    stops
}

struct Cluster {
    nodes: Vec<Node>,
    stops: Receiver<()>,
}

struct Node {
    port: u16,
    log: PathBuf,
    child: Child,
}

/// What a node says of the cluster.
#[derive(Debug, PartialEq, Eq)]
struct View {
    ok: bool,
    known_nodes: usize,
    slots_assigned: usize,
    my_epoch: u64,
}

impl Cluster {
    fn run(&mut self, options: &Options) -> Result<std::convert::Infallible, End> {
        let directory = std::path::absolute(&options.dir)?;
        let ports: Vec<u16> = (options.port..options.port + options.nodes).collect();
        ports
            .iter()
            .try_for_each(|&port| port_is_free(port).and_then(|()| port_is_free(port + BUS_OFFSET)))?;
        println!("Starting {} nodes in {} ...", options.nodes, directory.display());
        for &port in &ports {
            self.nodes.push(Node::start(options, &directory, port)?);
        }
        self.until("answer", UP_WITHIN, |nodes| {
            Ok(nodes.iter().all(|node| node.ask(&["PING"]).is_ok_and(|reply| reply == "PONG")))
        })?;
        self.join(&directory)?;
        let agree_within = AGREE_WITHIN + Duration::from_millis(u64::from(options.node_timeout) * 2);
        self.until("agree on the cluster", agree_within, |nodes| {
            let agrees = |view: View| view.ok && view.known_nodes >= nodes.len();
            Ok(nodes.iter().all(|node| node.view().is_ok_and(agrees)))
        })?;
        self.tell(&directory);
        loop {
            self.watch(Duration::from_millis(500))?;
        }
    }

    /// Makes one cluster of nodes that are not one yet.
    fn join(&mut self, directory: &Path) -> Result<(), End> {
        let views = self.nodes.iter().map(Node::view).collect::<Result<Vec<View>, _>>()?;
        match views.iter().map(|view| view.slots_assigned).max() {
            Some(0) | None => {}
            Some(SLOTS) => {
                println!("The nodes know each other from before.");
                return Ok(());
            }
            Some(some) => {
                return Err(format!(
                    "{} holds a cluster with only {some} of {SLOTS} slots: it was interrupted while being made. Remove \
                     the directory and start again.",
                    directory.display()
                )
                .into())
            }
        }
        println!("Joining them ...");
        // Epochs of their own spare the nodes from settling who is who; they can only be given to strangers.
        for (number, (node, view)) in self.nodes.iter().zip(&views).enumerate() {
            if view.known_nodes == 1 && view.my_epoch == 0 {
                node.ask(&["CLUSTER", "SET-CONFIG-EPOCH", &(number + 1).to_string()])?;
            }
        }
        for node in &self.nodes[1..] {
            node.ask(&["CLUSTER", "MEET", "127.0.0.1", &self.nodes[0].port.to_string()])?;
        }
        // Slots come last: a start that is interrupted before leaves nodes that can be joined again.
        self.until("meet", AGREE_WITHIN, |nodes| {
            Ok(nodes.iter().all(|node| node.view().is_ok_and(|view| view.known_nodes == nodes.len())))
        })?;
        for (node, (first, last)) in self.nodes.iter().zip(shares(self.nodes.len())) {
            node.ask(&["CLUSTER", "ADDSLOTSRANGE", &first.to_string(), &last.to_string()])?;
        }
        Ok(())
    }

    fn tell(&self, directory: &Path) {
        println!("\nThe cluster is up: {} nodes, {SLOTS} slots.\n", self.nodes.len());
        for node in &self.nodes {
            println!("  127.0.0.1:{}  pid {:<8} {}", node.port, node.child.id(), node.log.display());
        }
        let talk = format!("redis-cli -c -p {}", self.nodes[0].port);
        let forget = format!("rm -r {}", directory.display());
        let width = talk.len().max(forget.len()) + 2;
        println!("\n  {talk:width$}talks to it; -c follows keys to their nodes");
        println!("  {:width$}stops all nodes; the same command starts them again", "Ctrl-C");
        println!("  {forget:width$}forgets the cluster, once it is stopped\n");
    }

    /// Waits until something holds of the nodes, or one dies, or somebody wants to stop.
    fn until(
        &mut self,
        what: &str,
        within: Duration,
        mut holds: impl FnMut(&[Node]) -> Result<bool, End>,
    ) -> Result<(), End> {
        let deadline = Instant::now() + within;
        while !holds(&self.nodes)? {
            self.watch(POLL)?;
            if Instant::now() > deadline {
                let logs = self.nodes.iter().map(Node::end_of_log).collect::<String>();
                return Err(format!("The nodes did not {what} within {} s.\n{logs}", within.as_secs()).into());
            }
        }
        Ok(())
    }

    /// Lets some time pass, in which nothing is to happen.
    fn watch(&mut self, time: Duration) -> Result<(), End> {
        match self.stops.recv_timeout(time) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return Err(End::Asked),
        }
        for node in &mut self.nodes {
            if let Some(status) = node.child.try_wait()? {
                return Err(node.obituary(status).into());
            }
        }
        Ok(())
    }

    /// Asks all nodes to end and waits for it; whoever takes too long, or is asked for impatiently, is killed.
    fn stop(&mut self) {
        self.nodes.iter().for_each(|node| node.terminate());
        let deadline = Instant::now() + END_WITHIN;
        while self.nodes.iter_mut().any(Node::runs) {
            let impatient = self.stops.recv_timeout(POLL).is_ok();
            if impatient || Instant::now() > deadline {
                for node in self.nodes.iter_mut().filter_map(|node| node.runs().then_some(node)) {
                    println!("Node {} (pid {}) does not end and is killed.", node.port, node.child.id());
                    let _ = node.child.kill();
                    let _ = node.child.wait();
                }
            }
        }
    }
}

impl Node {
    fn start(options: &Options, directory: &Path, port: u16) -> Result<Node, Box<dyn Error>> {
        let directory = directory.join(port.to_string());
        fs::create_dir_all(&directory)
            .map_err(|error| format!("cannot make {}: {error}", directory.display()))?;
        let log = directory.join("ringslot.log");
        // What a node says before its log is open shall be found there too.
        let early = File::options().append(true).create(true).open(&log)?;
        let child = Command::new(std::env::current_exe()?)
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--cluster-enabled", "yes"])
            .args(["--cluster-config-file", "nodes.conf", "--cores", &options.cores.to_string()])
            .args(["--cluster-node-timeout", &options.node_timeout.to_string()])
            .arg("--dir")
            .arg(&directory)
            .arg("--logfile")
            .arg(&log)
            .stdin(Stdio::null())
            .stdout(early.try_clone()?)
            .stderr(early)
            .process_group(0)
            .spawn()?;
        Ok(Node { port, log, child })
    }

    fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    fn terminate(&self) {
        // One that has ended already is still ours to wait for, so the number cannot be another's.
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
    }

    fn obituary(&self, status: ExitStatus) -> String {
        format!("The node on port {} has ended ({status}).\n{}", self.port, self.end_of_log())
    }

    fn end_of_log(&self) -> String {
        let text =
            fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let last = lines[lines.len().saturating_sub(LOG_LINES)..].join("\n    ");
        format!("The end of {}:\n    {last}\n", self.log.display())
    }

    fn view(&self) -> Result<View, Box<dyn Error>> {
        View::parse(&self.ask(&["CLUSTER", "INFO"])?).ok_or_else(|| "CLUSTER INFO lacks a line".into())
    }

    /// Asks over a connection of its own: it is rare, and a node that has been restarted is no special case.
    fn ask(&self, words: &[&str]) -> Result<String, Box<dyn Error>> {
        let address = (Ipv4Addr::LOCALHOST, self.port);
        let mut stream = TcpStream::connect_timeout(&address.into(), ANSWER_WITHIN)?;
        stream.set_read_timeout(Some(ANSWER_WITHIN))?;
        stream.set_write_timeout(Some(ANSWER_WITHIN))?;
        let mut request = format!("*{}\r\n", words.len());
        words.iter().for_each(|word| request += &format!("${}\r\n{word}\r\n", word.len()));
        stream.write_all(request.as_bytes())?;
        read_reply(&mut BufReader::new(stream))?
            .map_err(|error| format!("node {} answered {} with: {error}", self.port, words.join(" ")).into())
    }
}

impl View {
    fn parse(info: &str) -> Option<View> {
        let value = |name: &str| info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        Some(View {
            ok: value("cluster_state")? == "ok",
            known_nodes: value("cluster_known_nodes")?.parse().ok()?,
            slots_assigned: value("cluster_slots_assigned")?.parse().ok()?,
            my_epoch: value("cluster_my_epoch")?.parse().ok()?,
        })
    }
}

/// One reply that is a line or a bulk string; inside, what the node refused.
fn read_reply(stream: &mut impl BufRead) -> std::io::Result<Result<String, String>> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let line = line.trim_end();
    let unexpected =
        || std::io::Error::new(std::io::ErrorKind::InvalidData, format!("unexpected reply {line:?}"));
    match line.split_at_checked(1).ok_or_else(unexpected)? {
        ("+", text) => Ok(Ok(text.to_owned())),
        ("-", text) => Ok(Err(text.to_owned())),
        ("$", length) => {
            let length: u64 = length.parse().map_err(|_| unexpected())?;
            let mut text = String::new();
            stream.take(length).read_to_string(&mut text)?;
            Ok(Ok(text))
        }
        _ => Err(unexpected()),
    }
}

/// First and last slot of each node's share, as even as it goes.
fn shares(nodes: usize) -> Vec<(usize, usize)> {
    (0..nodes).map(|node| (node * SLOTS / nodes, (node + 1) * SLOTS / nodes - 1)).collect()
}

fn port_is_free(port: u16) -> Result<(), String> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map(drop).map_err(|error| {
        format!("Port {port} cannot be used: {error}. Stop what has it, or choose other ports with --port.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_cover_every_slot_once() {
        for nodes in 1..=100 {
            let mut next = 0;
            for (first, last) in shares(nodes) {
                assert_eq!(first, next);
                assert!((SLOTS / nodes..=SLOTS / nodes + 1).contains(&(last + 1 - first)), "{nodes}");
                next = last + 1;
            }
            assert_eq!(next, SLOTS);
        }
    }

    #[test]
    fn replies_are_read_or_refused() {
        let read = |text: &str| read_reply(&mut text.as_bytes()).map_err(|error| error.kind());
        assert_eq!(read("+PONG\r\n"), Ok(Ok("PONG".into())));
        assert_eq!(read("-ERR no\r\n"), Ok(Err("ERR no".into())));
        assert_eq!(read("$4\r\na\r\nb\r\n"), Ok(Ok("a\r\nb".into())));
        for broken in ["", "\r\n", ":1\r\n", "$x\r\n"] {
            assert_eq!(read(broken), Err(std::io::ErrorKind::InvalidData), "{broken:?}");
        }
    }

    #[test]
    fn cluster_info_is_understood() {
        let info = "cluster_state:fail\r\ncluster_slots_assigned:5\r\ncluster_known_nodes:3\r\ncluster_my_epoch:2\r\n";
        let view = View { ok: false, known_nodes: 3, slots_assigned: 5, my_epoch: 2 };
        assert_eq!(View::parse(info), Some(view));
        assert_eq!(View::parse("cluster_state:ok\r\n"), None);
    }
}
