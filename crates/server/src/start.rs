//! From a configuration to a running node, and its end.
//!
//!     probes -> limits -> files and sockets -> cluster state -> executors -> data cores -> wait for the end
//!
//! What can fail is tried before the first client is let in, and told with the way out.

use crate::control::{Inbound, Lines, ToAdmin, ToBus};
use crate::core_app::{App, State};
use crate::{admin, bus, doctor_report};
use commands::facts::NodeFacts;
use config::{Config, Launch};
use node::{Core, Message, Setup};
use runtime::data::{Bell, CoreSpec, DataPlane, Listener, LoopConfig, TcpOptions};
use runtime::mailbox::{mailbox, Notify, Receiver, Sender};
use runtime::spsc::Mesh;
use runtime::thread;
use std::error::Error;
use std::mem::ManuallyDrop;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::Arc;

/// Messages that may wait in a mailbox before its senders hold back.
const MAILBOX: usize = 4096;
/// Messages that may wait in a ring between two cores.
const RING: usize = 1024;
/// Receive buffers of 16 KiB a core. A turn empties them, and incremental ones are shared by many small
/// requests; more would only be more memory to touch.
const RECEIVE_BUFFERS: u16 = 128;
/// Files that a process needs besides clients.
const FILES_BESIDES_CLIENTS: u64 = 128;

/// Runs a node until it is told to stop.
pub fn serve(launch: Launch) -> Result<(), Box<dyn Error>> {
    let Launch { mut config, config_file, notes } = launch;
    let config_file = config_file.map(absolute).transpose()?;
    std::env::set_current_dir(path(config.dir()))
        .map_err(|error| format!("Can't chdir to '{}': {error}", text(config.dir())))?;
    config.set_working_directory(std::env::current_dir()?.as_os_str().as_encoded_bytes());
    if config.daemonize() {
        thread::daemonize()?;
    }
    thread::prepare_signals()?;
    crate::logging::start(&config)?;
    let pidfile = write_pidfile(&config)?;
    let result = run(config, config_file, notes);
    if let Err(error) = &result {
        tracing::error!("{error}");
    }
    if let Some(pidfile) = pidfile {
        let _ = std::fs::remove_file(pidfile);
    }
    tracing::info!("Ringslot is now ready to exit, bye bye...");
    crate::logging::finish();
    result
}

fn run(mut config: Config, config_file: Option<PathBuf>, notes: Vec<String>) -> Result<(), Box<dyn Error>> {
    let cpus = thread::allowed_cpus()?;
    let cores = how_many_cores(&config, cpus.len());
    doctor_report::refuse_if_fatal(cores)?;
    limit_clients(&mut config);
    let facts = Arc::new(node_facts(&config, config_file.as_deref(), cores));
    greet(&config, &facts, &notes);
    let config = Arc::new(config);
    let unix_path = config.unixsocket().map(text).unwrap_or_default();
    let lines = Arc::new(Lines::new(cores, unix_path.clone()));
    let loops = loops(&config, cores, &cpus)?;
    let bells: Vec<Bell> = loops.iter().map(LoopConfig::bell).collect();
    let (core_boxes, inboxes): (Vec<Sender<Inbound>>, Vec<Receiver<Inbound>>) =
        bells.iter().map(|bell| mailbox(MAILBOX, Notify::Core(bell.clone()))).unzip();
    let (to_admin, admin_box) = mailbox::<ToAdmin>(MAILBOX, Notify::Task);
    let (to_bus, bus_box) = mailbox::<ToBus>(MAILBOX, Notify::Task);
    let data_cpus = &cpus[..cores.min(cpus.len())];

    let bus = match config.cluster_enabled() {
        false => None,
        true => Some(bus::start(bus::Parts {
            config: Arc::clone(&config),
            cores: core_boxes.clone(),
            admin: to_admin.clone(),
            inbox: bus_box,
            sender: to_bus.clone(),
            lines: Arc::clone(&lines),
            seed: random_u64()?,
            listen: bus_addresses(&config)?,
            avoid: data_cpus.to_vec(),
        })?),
    };
    let admin = admin::start(admin::Parts {
        config: Arc::clone(&config),
        config_file,
        facts: Arc::clone(&facts),
        cores: core_boxes.clone(),
        bus: bus.as_ref().map(|_| to_bus.clone()),
        inbox: admin_box,
        sender: to_admin.clone(),
        avoid: data_cpus.to_vec(),
    })?;

    let counter = Arc::new(AtomicU64::new(0));
    let mut mesh: Mesh<Message> = Mesh::new(cores, RING);
    let hash_seed = random_u64()?;
    let mut specs = Vec::new();
    for (number, (loop_config, inbox)) in loops.into_iter().zip(inboxes).enumerate() {
        let setup = Setup {
            core: number as u8,
            cores: cores as u8,
            seed: random_u64()?,
            hash_seed,
            config: Arc::clone(&config),
            node: Arc::clone(&facts),
            routing: bus.as_ref().map(|bus| Arc::clone(&bus.first_routing)),
        };
        let (mesh, bell) = (mesh.take(number), loop_config.bell());
        let (admin, counter, lines) = (to_admin.clone(), Arc::clone(&counter), Arc::clone(&lines));
        let bus = bus.as_ref().map(|_| to_bus.clone());
        let app = move || App {
            core: ManuallyDrop::new(Core::new(setup, crate::core_app::commands_now())),
            mesh,
            inbox,
            bus,
            admin,
            counter,
            lines,
            bell,
            state: State::default(),
        };
        specs.push(CoreSpec { config: loop_config, app });
    }
    let plane = DataPlane::start(specs)?;
    if config.port() != 0 {
        tracing::info!("Ready to accept connections tcp");
    }
    stop_on_signal(to_admin.clone());
    drop((to_admin, to_bus, core_boxes));
    let failed = end(plane);
    drop((admin, bus));
    if !unix_path.is_empty() {
        let _ = std::fs::remove_file(&unix_path);
    }
    failed.map_or(Ok(()), |failure| Err(failure.into()))
}

/// Waits for all cores; one that fails takes the process with it: half a node would lie about its slots.
fn end(plane: DataPlane) -> Option<String> {
    plane.wait_any();
    plane.join().into_iter().find_map(|ended| ended.err()).map(|failure| failure.to_string())
}

/// `cores`, or one for each processor that the process may use; from four up one is left for the
/// control plane (rule R12).
fn how_many_cores(config: &Config, cpus: usize) -> usize {
    match config.cores() {
        0 if cpus >= 4 => (cpus - 1).min(64),
        0 => cpus.clamp(1, 64),
        cores => cores.min(64),
    }
}

/// Lowers `maxclients` to what the limit on open files allows, as Redis does.
fn limit_clients(config: &mut Config) {
    let wanted = u64::from(config.maxclients()) + FILES_BESIDES_CLIENTS;
    match thread::raise_nofile(wanted) {
        Ok(limit) if limit < wanted => {
            let clients = limit.saturating_sub(FILES_BESIDES_CLIENTS).max(1) as u32;
            tracing::warn!(
                "You requested maxclients of {} requiring at least {wanted} max file descriptors. Current \
                 maximum open files is {limit}. maxclients has been reduced to {clients}.",
                config.maxclients()
            );
            config.lower_maxclients(clients);
        }
        Ok(_) => {}
        Err(error) => tracing::warn!("cannot read or raise the limit on open files: {error}"),
    }
}

fn greet(config: &Config, facts: &NodeFacts, notes: &[String]) {
    tracing::info!("oO0OoO0OoO0Oo Ringslot is starting oO0OoO0OoO0Oo");
    tracing::info!(
        "Ringslot version={}, bits=64, pid={}, cores={}, mode={}, port={}",
        env!("CARGO_PKG_VERSION"),
        facts.pid,
        facts.cores,
        if config.cluster_enabled() { "cluster" } else { "standalone" },
        config.port()
    );
    notes.iter().for_each(|note| tracing::warn!("{note}"));
    let unused = config.accepted_but_unused();
    if !unused.is_empty() {
        tracing::warn!("Accepted, but without effect in this version: {}", unused.join(", "));
    }
}

fn node_facts(config: &Config, config_file: Option<&Path>, cores: usize) -> NodeFacts {
    let (major, minor) = thread::kernel_version();
    let hex = |_| format!("{:016x}", random_u64().unwrap_or_default());
    let id = || (0..3).map(hex).collect::<String>()[..40].to_owned();
    NodeFacts {
        run_id: id(),
        replication_id: id(),
        pid: std::process::id(),
        started_ms: runtime::clock::unix_ms(),
        tcp_port: config.port(),
        executable: std::env::current_exe().map(|exe| exe.display().to_string()).unwrap_or_default(),
        config_file: config_file.map(|file| file.display().to_string()).unwrap_or_default(),
        os: format!("Linux {major}.{minor} {}", std::env::consts::ARCH),
        cores: cores as u8,
    }
}

/// One loop a core, each with its own listening sockets.
fn loops(config: &Config, cores: usize, cpus: &[usize]) -> Result<Vec<LoopConfig>, Box<dyn Error>> {
    let options =
        TcpOptions { backlog: config.tcp_backlog().max(1) as u32, keepalive_s: config.tcp_keepalive() };
    let mut loops = Vec::new();
    for core in 0..cores {
        let mut spec = LoopConfig::new(core)?;
        spec.cpu = cpus.get(core).copied();
        spec.max_connections = config.maxclients() + 32;
        spec.ring.receive_buffers = RECEIVE_BUFFERS;
        if core == 0 {
            // Cores share their addresses, and so would two nodes: whoever is there already is met here.
            listen(config, config.port(), |address| std::net::TcpListener::bind(address).map(drop))?;
        }
        spec.listeners = listen(config, config.port(), |address| Listener::tcp(address, options))?;
        if let (0, Some(path)) = (core, config.unixsocket()) {
            let mode = Some(config.unixsocketperm()).filter(|&mode| mode != 0);
            let listener = Listener::unix(Path::new(&text(path)), mode, options.backlog)
                .map_err(|error| format!("Failed opening Unix socket: bind: {error}"))?;
            spec.listeners.push(listener);
        }
        loops.push(spec);
    }
    Ok(loops)
}

/// Opens one socket for each address of `bind`; an address with `-` before it may be missing.
fn listen<T>(
    config: &Config,
    port: u16,
    open: impl Fn(SocketAddr) -> std::io::Result<T>,
) -> Result<Vec<T>, Box<dyn Error>> {
    let mut listeners = Vec::new();
    if port == 0 {
        return Ok(listeners);
    }
    for (address, optional) in bind_addresses(config, port) {
        let opened = address.and_then(&open);
        match opened {
            Ok(listener) => listeners.push(listener),
            Err(_) if optional => {}
            Err(error) => {
                return Err(format!(
                    "Warning: Could not create server TCP listening socket *:{port}: {error}"
                )
                .into())
            }
        }
    }
    match listeners.is_empty() {
        true => Err(format!("Failed listening on port {port} (tcp), aborting.").into()),
        false => Ok(listeners),
    }
}

fn bind_addresses(config: &Config, port: u16) -> Vec<(std::io::Result<SocketAddr>, bool)> {
    let one = |entry: &Vec<u8>| {
        let entry = text(entry);
        let (name, optional) = match entry.strip_prefix('-') {
            Some(name) => (name.to_owned(), true),
            None => (entry, false),
        };
        let address = match name.as_str() {
            "*" => Ok(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port)),
            "::*" => Ok(SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), port)),
            name => (name, port).to_socket_addrs().and_then(|mut found| {
                found.next().ok_or_else(|| std::io::Error::other("the name has no address"))
            }),
        };
        (address, optional)
    };
    config.bind().iter().map(one).collect()
}

/// Where the cluster bus listens.
fn bus_addresses(config: &Config) -> Result<Vec<SocketAddr>, Box<dyn Error>> {
    let port = match config.cluster_port() {
        0 => config.port().checked_add(10_000).ok_or(
            "Redis port number too high for cluster mode: the bus port would be above 65535. Set cluster-port.",
        )?,
        port => port,
    };
    Ok(bind_addresses(config, port).into_iter().filter_map(|(address, _)| address.ok()).collect())
}

/// A thread that waits for SIGTERM or SIGINT.
fn stop_on_signal(admin: Sender<ToAdmin>) {
    std::thread::spawn(move || {
        if let Ok(signal) = thread::wait_for_stop() {
            let name = if signal == 2 { "SIGINT" } else { "SIGTERM" };
            tracing::warn!("Received {name} scheduling shutdown...");
            let _ = admin.try_push(ToAdmin::Stop);
        }
    });
}

fn write_pidfile(config: &Config) -> Result<Option<PathBuf>, Box<dyn Error>> {
    let file = match (config.pidfile(), config.daemonize()) {
        (Some(file), _) => absolute(file.to_vec())?,
        (None, true) => PathBuf::from("/var/run/ringslot.pid"),
        (None, false) => return Ok(None),
    };
    // As Redis: a node runs without it, and says so.
    match std::fs::write(&file, format!("{}\n", std::process::id())) {
        Ok(()) => Ok(Some(file)),
        Err(error) => {
            tracing::warn!("Failed to write PID file {}: {error}", file.display());
            Ok(None)
        }
    }
}

/// Randomness of the operating system.
pub fn random_u64() -> std::io::Result<u64> {
    use std::io::Read;
    let mut bytes = [0; 8];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

fn absolute(file: Vec<u8>) -> std::io::Result<PathBuf> {
    std::path::absolute(path(&file))
}

fn path(bytes: &[u8]) -> &Path {
    use std::os::unix::ffi::OsStrExt;
    Path::new(std::ffi::OsStr::from_bytes(bytes))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
