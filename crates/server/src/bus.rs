//! The cluster's executor: the sans-I/O `cluster::Cluster` on sockets, nodes.conf, and its one clock.
//!
//! It shares its thread with nothing (rule R12). Everything that happens becomes one event of one queue,
//! and each event is handled to its end: outputs are carried out in the machine's order, so that a
//! nodes.conf that must be on disk is there before any later message leaves.
//!
//!     cores, admin, timer, links --events--> queue --> Cluster --outputs--> links, files, cores
//!
//! 1. A reply to an operator waits until the cores have applied the routing it changed (rule R3).
//! 2. If nodes.conf cannot be saved the process ends: it must not forget what it promised.
//! 3. What waits on one link is bounded by `cluster-link-sendbuf-limit` and by [`MOST_QUEUED`].

use crate::control::{Inbound, Lines, ToAdmin, ToBus};
use cluster::{Cluster, EndpointType, LinkId, LogLevel, Output, RoutingMap, Settings};
use commands::{ClusterExec, Run, Table};
use config::Config;
use futures_lite::{AsyncReadExt, AsyncWriteExt};
use node::{ConnId, ControlRequest, FromControl, ToControl};
use resp::Reply;
use runtime::control::{
    lock_file, replace_file, spawn_executor, Ctx, Durability, Executor, FileLock, ListenOptions, ReadHalf,
    Task, TcpListener, TcpStream, WriteHalf,
};
use runtime::mailbox::{mailbox, Notify, Receiver, Sender};
use std::cell::RefCell;
use std::collections::HashMap;
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// The machine's tick.
const TICK: Duration = Duration::from_millis(100);
/// Messages queued on one link before it is given up.
const MOST_QUEUED: usize = 10_000;
/// Bytes read from a link at once.
const READ: usize = 64 * 1024;

/// What the executor is made from.
pub struct Parts {
    /// The configuration in force.
    pub config: Arc<Config>,
    /// To the cores.
    pub cores: Vec<Sender<Inbound>>,
    /// To the admin executor.
    pub admin: Sender<ToAdmin>,
    /// Events of others.
    pub inbox: Receiver<ToBus>,
    /// For events of its own.
    pub sender: Sender<ToBus>,
    /// How many keys there are.
    pub lines: Arc<Lines>,
    /// Seed of the machine's random choices.
    pub seed: u64,
    /// Where to accept links.
    pub listen: Vec<SocketAddr>,
    /// Processors of the data cores, to keep off.
    pub avoid: Vec<usize>,
}

/// The running executor.
pub struct Bus {
    /// What the cores start with.
    pub first_routing: Arc<RoutingMap>,
    _executor: Executor,
    /// Holds nodes.conf locked while the process runs.
    _lock: FileLock,
}

/// Something that happened on a link.
pub enum LinkEvent {
    /// A node connected to us; the stream is in [`Arrivals`] under this number.
    Accepted(u64),
    /// Our connection is there, likewise.
    Connected(LinkId, u64),
    /// It is not.
    ConnectFailed(LinkId),
    /// Bytes came.
    Bytes(LinkId, Vec<u8>),
    /// So many bytes have left.
    Written(LinkId, usize),
    /// It is closed or broken.
    Closed(LinkId),
}

/// Streams on their way to the driver: they cannot leave their thread, and the queue of events is for
/// all threads.
#[derive(Clone, Default)]
struct Arrivals(Rc<RefCell<(u64, HashMap<u64, TcpStream>)>>);

impl Arrivals {
    fn put(&self, stream: TcpStream) -> u64 {
        let (next, streams) = &mut *self.0.borrow_mut();
        *next += 1;
        streams.insert(*next, stream);
        *next
    }

    fn take(&self, number: u64) -> Option<TcpStream> {
        self.0.borrow_mut().1.remove(&number)
    }
}

/// Loads nodes.conf, or begins one, and starts the executor.
pub fn start(parts: Parts) -> Result<Bus, Box<dyn Error>> {
    let file = PathBuf::from(
        String::from_utf8_lossy(parts.config.cluster_config_file().unwrap_or(b"nodes.conf")).into_owned(),
    );
    let lock = lock(&file)?;
    let now_ms = runtime::clock::unix_ms();
    let settings = settings(&parts.config);
    let mut cluster = match std::fs::read(&file) {
        Ok(text) if !text.is_empty() => {
            Cluster::load(&text, settings, parts.seed, now_ms).map_err(|error| {
                format!("Unrecoverable error: corrupted cluster config file {}: {error}", file.display())
            })?
        }
        Ok(_) => Cluster::new(settings, parts.seed, now_ms),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Cluster::new(settings, parts.seed, now_ms),
        Err(error) => return Err(format!("cannot read {}: {error}", file.display()).into()),
    };
    tracing::info!("Node configuration loaded, I'm {}", cluster.my_id());
    save_at_start(&mut cluster, &file)?;
    let first_routing = cluster.routing_map();
    let avoid = parts.avoid.clone();
    let executor = spawn_executor("bus", &avoid, move |cx| run(cx, parts, cluster, file))?;
    Ok(Bus { first_routing, _executor: executor, _lock: lock })
}

/// Two nodes on one nodes.conf would destroy it. The lock is on a file beside it, for the file itself is
/// replaced at each save.
fn lock(file: &Path) -> Result<FileLock, Box<dyn Error>> {
    let mut name = file.as_os_str().to_owned();
    name.push(".lock");
    match lock_file(Path::new(&name)) {
        Ok(Some(lock)) => Ok(lock),
        Ok(None) => Err(format!(
            "Sorry, the cluster configuration file {} is already used by a different Redis Cluster node. Please \
             make sure that different nodes use different cluster configuration files.",
            file.display()
        )
        .into()),
        Err(error) => Err(format!("Can't open {} in order to acquire a lock: {error}", name.display()).into()),
    }
}

/// What the machine wants first: that its name is on disk before anybody hears it.
fn save_at_start(cluster: &mut Cluster, file: &Path) -> Result<(), Box<dyn Error>> {
    let version = cluster.routing_version();
    cluster.handle_routing_applied(runtime::clock::unix_ms(), version);
    while let Some(output) = cluster.poll_output() {
        if let Output::Save { version, text, .. } = output {
            replace_file(file, &text, Durability::PowerLoss).map_err(|error| {
                format!(
                    "cannot write {}: {error}. Mend the directory's rights or free space.",
                    file.display()
                )
            })?;
            cluster.handle_saved(runtime::clock::unix_ms(), version, Ok(()));
        }
    }
    Ok(())
}

struct Driver {
    cx: Ctx,
    cluster: Cluster,
    file: PathBuf,
    config: Arc<Config>,
    cores: Vec<Sender<Inbound>>,
    admin: Sender<ToAdmin>,
    events: Sender<ToBus>,
    arrivals: Arrivals,
    lines: Arc<Lines>,
    links: HashMap<LinkId, Link>,
    next_inbound: u64,
    /// The routing version that each core goes by.
    applied: Vec<u64>,
    waiting: Vec<Waiting>,
}

struct Link {
    /// To the task that writes.
    queue: Sender<Arc<[u8]>>,
    queued_bytes: usize,
    /// Dropped with the link, which closes the socket.
    _tasks: [Task<()>; 2],
}

/// A reply that waits for a routing version.
struct Waiting {
    version: u64,
    core: u8,
    conn: ConnId,
    reply: Reply,
}

async fn run(cx: Ctx, parts: Parts, cluster: Cluster, file: PathBuf) {
    let Parts { config, cores, admin, mut inbox, sender, lines, listen, .. } = parts;
    let arrivals = Arrivals::default();
    for address in listen {
        match cx.listen(address, ListenOptions::default()) {
            Ok(listener) => cx.spawn_kept(accept(listener, arrivals.clone(), sender.clone())),
            Err(error) => {
                tracing::error!("Failed listening on port {} (cluster), aborting: {error}", address.port());
                std::process::exit(1);
            }
        }
    }
    cx.spawn_kept(tick(cx.clone(), sender.clone()));
    let version = cluster.routing_version();
    let mut driver = Driver {
        applied: vec![version; cores.len()],
        cx,
        cluster,
        file,
        config,
        cores,
        admin,
        events: sender,
        arrivals,
        lines,
        links: HashMap::new(),
        next_inbound: 0,
        waiting: Vec::new(),
    };
    while let Some(event) = inbox.recv().await {
        driver.handle(event).await;
        driver.carry_out().await;
        driver.release_replies().await;
    }
}

async fn tick(cx: Ctx, events: Sender<ToBus>) {
    while events.push(ToBus::Tick).await.is_ok() {
        cx.sleep(TICK).await;
    }
}

async fn accept(listener: TcpListener, arrivals: Arrivals, events: Sender<ToBus>) {
    loop {
        match listener.accept().await {
            Ok(stream) => {
                if events.push(ToBus::Link(LinkEvent::Accepted(arrivals.put(stream)))).await.is_err() {
                    return;
                }
            }
            Err(error) => tracing::warn!("accepting a cluster link failed: {error}"),
        }
    }
}

impl Driver {
    async fn handle(&mut self, event: ToBus) {
        let now_ms = runtime::clock::unix_ms();
        match event {
            ToBus::Tick => self.cluster.handle_tick(now_ms),
            ToBus::Config(number, config) => {
                self.cluster.set_settings(settings(&config), now_ms);
                self.config = config;
                let _ = self.admin.push(ToAdmin::BusConfigApplied(number)).await;
            }
            ToBus::Core { core, message: ToControl::Request(request) } => self.request(core, *request).await,
            ToBus::Core { core, message: ToControl::RoutingApplied(version) } => {
                self.applied[usize::from(core)] = version;
                let all = self.applied.iter().copied().min().unwrap_or(version);
                self.cluster.handle_routing_applied(now_ms, all);
            }
            ToBus::Core { .. } => {}
            ToBus::Link(event) => self.link(now_ms, event),
        }
    }

    fn link(&mut self, now_ms: u64, event: LinkEvent) {
        match event {
            LinkEvent::Accepted(number) => {
                let Some(stream) = self.arrivals.take(number) else { return };
                self.next_inbound += 1;
                let link = LinkId::inbound(self.next_inbound);
                let (peer, local) = (address_text(stream.peer_addr()), address_text(stream.local_addr()));
                self.open(link, stream);
                self.cluster.handle_inbound(now_ms, link, &peer, &local);
            }
            LinkEvent::Connected(link, number) => {
                let Some(stream) = self.arrivals.take(number) else { return };
                let local = address_text(stream.local_addr());
                self.open(link, stream);
                self.cluster.handle_connected(now_ms, link, &local);
            }
            LinkEvent::ConnectFailed(link) => self.cluster.handle_connect_failed(now_ms, link),
            LinkEvent::Bytes(link, bytes) => {
                if self.links.contains_key(&link) {
                    self.cluster.handle_bytes(now_ms, link, &bytes);
                }
            }
            LinkEvent::Written(link, bytes) => {
                if let Some(open) = self.links.get_mut(&link) {
                    open.queued_bytes -= bytes;
                    self.cluster.handle_link_writable_info(link, open.queued_bytes as u64);
                }
            }
            LinkEvent::Closed(link) => {
                if self.links.remove(&link).is_some() {
                    self.cluster.handle_link_closed(now_ms, link);
                }
            }
        }
    }

    /// Starts the two tasks of a link; they end with it.
    fn open(&mut self, link: LinkId, stream: TcpStream) {
        let (queue, outbound) = mailbox(MOST_QUEUED, Notify::Task);
        let (reader, writer) = stream.split();
        let tasks = [
            self.cx.spawn(write(link, writer, outbound, self.events.clone())),
            self.cx.spawn(read(link, reader, self.events.clone())),
        ];
        self.links.insert(link, Link { queue, queued_bytes: 0, _tasks: tasks });
    }

    /// Does what the machine wants, in its order.
    async fn carry_out(&mut self) {
        while let Some(output) = self.cluster.poll_output() {
            match output {
                Output::Save { version, text, fsync } => self.save(version, text, fsync).await,
                Output::Routing(map) => self.to_all_cores(|| FromControl::Routing(Arc::clone(&map))).await,
                Output::DropKeys(slots) => {
                    let slots = Arc::new(*slots);
                    self.to_all_cores(|| FromControl::DropSlots(Arc::clone(&slots))).await;
                }
                Output::Connect { link, ip, port } => {
                    let timeout = Duration::from_millis(self.config.cluster_node_timeout().clamp(100, 5_000));
                    let to = (ip, port, timeout);
                    self.cx.spawn_kept(connect(
                        self.cx.clone(),
                        link,
                        to,
                        self.arrivals.clone(),
                        self.events.clone(),
                    ));
                }
                Output::Send { link, bytes } => self.send(link, bytes),
                Output::Close { link } => drop(self.links.remove(&link)),
                Output::Publish { .. } => {} // there are no subscribers yet
                Output::Log { level, text } => match level {
                    LogLevel::Debug => tracing::trace!("{text}"),
                    LogLevel::Verbose => tracing::debug!("{text}"),
                    LogLevel::Notice => tracing::info!("{text}"),
                    LogLevel::Warning => tracing::warn!("{text}"),
                },
            }
        }
    }

    fn send(&mut self, link: LinkId, bytes: Arc<[u8]>) {
        let Some(open) = self.links.get_mut(&link) else { return };
        let len = bytes.len();
        if open.queue.try_push(bytes).is_err() {
            tracing::warn!("a cluster link took no messages for too long and is closed");
            self.links.remove(&link);
            self.cluster.handle_link_closed(runtime::clock::unix_ms(), link);
            return;
        }
        open.queued_bytes += len;
        self.cluster.handle_link_writable_info(link, open.queued_bytes as u64);
    }

    async fn save(&mut self, version: u64, text: Vec<u8>, fsync: bool) {
        let durability = if fsync { Durability::PowerLoss } else { Durability::Process };
        let file = self.file.clone();
        let write = self.cx.spawn_blocking(move || replace_file(&file, &text, durability)).await;
        let result = write.unwrap_or_else(|panic| Err(io::Error::other(panic)));
        if let Err(error) = &result {
            tracing::error!(
                "Fatal: can't update cluster config file {}: {error}. Free disk space or mend its rights, then start again.",
                self.file.display()
            );
            crate::logging::finish();
            std::process::exit(1);
        }
        self.cluster.handle_saved(
            runtime::clock::unix_ms(),
            version,
            result.map_err(|error| error.to_string()),
        );
    }

    async fn to_all_cores(&self, message: impl Fn() -> FromControl) {
        for core in &self.cores {
            let _ = core.push(Inbound::Node(message())).await;
        }
    }

    async fn request(&mut self, core: u8, request: ControlRequest) {
        let mut reply = Reply::new(request.session.protocol);
        let args = request.command.args(0);
        let mut exec = ClusterExec {
            cluster: &mut self.cluster,
            session: &request.session,
            config: &self.config,
            now: crate::core_app::commands_now(),
            keys: self.lines.keys(),
            after_routing: None,
            after_save: false,
        };
        let result = match Table::standard().find(args) {
            Some((_, row)) => match row.run {
                Run::Cluster(handler) => handler(&mut exec, args, &mut reply),
                _ => unreachable!("{} is not the cluster's", row.name),
            },
            None => Err(Table::standard().why_not(args)),
        };
        let version = exec.after_routing.unwrap_or(0);
        if let Err(error) = result {
            reply.clear();
            error.write(&mut reply);
        }
        self.waiting.push(Waiting { version, core, conn: request.conn, reply });
    }

    /// Sends the replies whose routing is in force. Saves are done already: outputs come first.
    async fn release_replies(&mut self) {
        let applied = self.applied.iter().copied().min().unwrap_or(u64::MAX);
        let mut kept = Vec::new();
        for waiting in std::mem::take(&mut self.waiting) {
            match waiting.version <= applied {
                true => {
                    let message = Inbound::Node(FromControl::Reply(waiting.conn, waiting.reply));
                    let _ = self.cores[usize::from(waiting.core)].push(message).await;
                }
                false => kept.push(waiting),
            }
        }
        self.waiting = kept;
    }
}

async fn connect(
    cx: Ctx,
    link: LinkId,
    to: (String, u16, Duration),
    arrivals: Arrivals,
    events: Sender<ToBus>,
) {
    let (ip, port, timeout) = to;
    let connected = match ip.parse() {
        Ok(ip) => cx.connect(SocketAddr::new(ip, port), timeout).await,
        Err(_) => Err(io::Error::other("it is no address")),
    };
    let event = match connected {
        Ok(stream) => LinkEvent::Connected(link, arrivals.put(stream)),
        Err(error) => {
            tracing::debug!("Connection with cluster node at {ip}:{port} failed: {error}");
            LinkEvent::ConnectFailed(link)
        }
    };
    let _ = events.push(ToBus::Link(event)).await;
}

async fn read(link: LinkId, mut stream: ReadHalf, events: Sender<ToBus>) {
    let mut buffer = vec![0; READ];
    loop {
        let event = match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => LinkEvent::Closed(link),
            Ok(count) => LinkEvent::Bytes(link, buffer[..count].to_vec()),
        };
        let last = matches!(event, LinkEvent::Closed(_));
        if events.push(ToBus::Link(event)).await.is_err() || last {
            return;
        }
    }
}

async fn write(link: LinkId, mut stream: WriteHalf, mut queue: Receiver<Arc<[u8]>>, events: Sender<ToBus>) {
    while let Some(bytes) = queue.recv().await {
        let event = match stream.write_all(&bytes).await {
            Ok(()) => LinkEvent::Written(link, bytes.len()),
            Err(_) => LinkEvent::Closed(link),
        };
        if events.push(ToBus::Link(event)).await.is_err() {
            return;
        }
    }
}

fn address_text(address: SocketAddr) -> String {
    address.ip().to_canonical().to_string()
}

fn settings(config: &Config) -> Settings {
    let text = |value: Option<&[u8]>| value.map(|value| String::from_utf8_lossy(value).into_owned());
    Settings {
        node_timeout_ms: config.cluster_node_timeout(),
        ping_interval_ms: config.cluster_ping_interval(),
        require_full_coverage: config.cluster_require_full_coverage(),
        allow_reads_when_down: config.cluster_allow_reads_when_down(),
        allow_pubsubshard_when_down: config.cluster_allow_pubsubshard_when_down(),
        allow_replica_migration: config.cluster_allow_replica_migration(),
        no_failover: config.cluster_replica_no_failover(),
        client_port: config.port(),
        tls_port: config.tls_port(),
        bus_port: config.cluster_port(),
        announce_ip: text(config.cluster_announce_ip()),
        announce_port: config.cluster_announce_port(),
        announce_tls_port: config.cluster_announce_tls_port(),
        announce_bus_port: config.cluster_announce_bus_port(),
        announce_hostname: text(config.cluster_announce_hostname()),
        announce_human_nodename: text(config.cluster_announce_human_nodename()),
        preferred_endpoint_type: match config.cluster_preferred_endpoint_type() {
            config::EndpointType::Ip => EndpointType::Ip,
            config::EndpointType::Hostname => EndpointType::Hostname,
            config::EndpointType::UnknownEndpoint => EndpointType::UnknownEndpoint,
        },
        link_sendbuf_limit: config.cluster_link_sendbuf_limit(),
        ..Settings::default()
    }
}
