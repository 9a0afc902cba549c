//! The admin executor: the configuration's one writer, files, memory for the cores, the end.
//!
//!     CONFIG SET: core --request--> here: change a copy, publish version n --> all cores, the bus
//!                 core <--- +OK --- when all have acknowledged n (rule R3) <-------'
//!
//! 1. A reply that depends on a configuration leaves when every core and the bus go by it.
//! 2. A command that fails changes nothing: it works on a copy.
//! 3. Chunks of memory are populated here, away from the data cores.

use crate::control::{Inbound, ToAdmin, ToBus};
use commands::exec::ControlAction;
use commands::facts::{NodeFacts, ProcessFacts};
use commands::{ControlExec, Run, Table};
use config::Config;
use node::{ControlRequest, FromControl, ToControl};
use resp::Reply;
use runtime::control::{replace_file, spawn_executor, Ctx, Durability, Executor, ExecutorError};
use runtime::mailbox::{Receiver, Sender};
use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What the executor is made from.
pub struct Parts {
    /// The configuration in force.
    pub config: Arc<Config>,
    /// The file that CONFIG REWRITE writes.
    pub config_file: Option<PathBuf>,
    /// Facts of the node.
    pub facts: Arc<NodeFacts>,
    /// To the cores.
    pub cores: Vec<Sender<Inbound>>,
    /// To the bus, in cluster mode.
    pub bus: Option<Sender<ToBus>>,
    /// From everybody.
    pub inbox: Receiver<ToAdmin>,
    /// For the tick.
    pub sender: Sender<ToAdmin>,
    /// Processors of the data cores, to keep off.
    pub avoid: Vec<usize>,
}

/// Starts the executor.
pub fn start(parts: Parts) -> Result<Executor, ExecutorError> {
    let avoid = parts.avoid.clone();
    spawn_executor("admin", &avoid, move |cx| run(cx, parts))
}

struct Admin {
    config: Arc<Config>,
    config_file: Option<PathBuf>,
    facts: Arc<NodeFacts>,
    cores: Vec<Sender<Inbound>>,
    bus: Option<Sender<ToBus>>,
    /// Number of the last configuration handed out.
    version: u64,
    waiting: VecDeque<Waiting>,
    /// Memory of the machine, bytes.
    system_memory: u64,
}

/// A reply that waits for acknowledgements of a configuration.
struct Waiting {
    version: u64,
    missing: usize,
    core: u8,
    conn: node::ConnId,
    reply: Reply,
}

async fn run(cx: Ctx, parts: Parts) {
    let Parts { config, config_file, facts, cores, bus, mut inbox, sender, .. } = parts;
    let mut admin = Admin {
        config,
        config_file,
        facts,
        cores,
        bus,
        version: 0,
        waiting: VecDeque::new(),
        system_memory: system_memory(),
    };
    cx.spawn_kept(tick(cx.clone(), sender));
    while let Some(message) = inbox.recv().await {
        match message {
            ToAdmin::Core { core, message: ToControl::Request(request) } => {
                admin.request(&cx, core, *request).await
            }
            ToAdmin::Core { message: ToControl::ConfigApplied(version), .. } => admin.applied(version).await,
            ToAdmin::Core { core, message: ToControl::ChunkWish } => admin.supply_chunk(&cx, core).await,
            ToAdmin::Core { message: ToControl::RoutingApplied(_), .. } => {}
            ToAdmin::BusConfigApplied(version) => admin.applied(version).await,
            ToAdmin::Second => admin.tell_process_facts().await,
            ToAdmin::Stop => break,
        }
    }
    for core in &admin.cores {
        let _ = core.push(Inbound::Stop).await;
    }
}

async fn tick(cx: Ctx, sender: Sender<ToAdmin>) {
    while sender.push(ToAdmin::Second).await.is_ok() {
        cx.sleep(Duration::from_secs(1)).await;
    }
}

impl Admin {
    async fn request(&mut self, cx: &Ctx, core: u8, request: ControlRequest) {
        let mut config = Config::clone(&self.config);
        let mut reply = Reply::new(request.session.protocol);
        let mut actions = Vec::new();
        let args = request.command.args(0);
        let result = match Table::standard().find(args) {
            Some((_, row)) => match row.run {
                Run::Control(handler) => {
                    let mut exec = ControlExec {
                        config: &mut config,
                        node: &self.facts,
                        session: &request.session,
                        now: crate::core_app::commands_now(),
                        actions: &mut actions,
                    };
                    handler(&mut exec, args, &mut reply)
                }
                _ => Err(commands::CommandError::not_a_cluster()),
            },
            None => Err(Table::standard().why_not(args)),
        };
        if let Err(error) = result {
            reply.clear();
            error.write(&mut reply);
            return self.answer(core, request.conn, reply).await;
        }
        let mut awaited = None;
        for action in actions {
            match action {
                ControlAction::PublishConfig => awaited = Some(self.publish(config.clone()).await),
                ControlAction::RewriteConfig => {
                    if let Err(why) = self.rewrite(cx).await {
                        reply.clear();
                        reply.error(&format!("ERR Rewriting config file: {why}"));
                    }
                }
                ControlAction::Stop => {
                    tracing::warn!("User requested shutdown...");
                    for core in &self.cores {
                        let _ = core.push(Inbound::Stop).await;
                    }
                    return;
                }
            }
        }
        match awaited {
            None => self.answer(core, request.conn, reply).await,
            Some(version) => {
                let missing = self.cores.len() + usize::from(self.bus.is_some());
                self.waiting.push_back(Waiting { version, missing, core, conn: request.conn, reply });
            }
        }
    }

    /// Hands a new configuration to everybody who goes by it.
    async fn publish(&mut self, config: Config) -> u64 {
        self.version += 1;
        self.config = Arc::new(config);
        crate::logging::configure(&self.config);
        for core in &self.cores {
            let message = FromControl::Config(self.version, Arc::clone(&self.config));
            let _ = core.push(Inbound::Node(message)).await;
        }
        if let Some(bus) = &self.bus {
            let _ = bus.push(ToBus::Config(self.version, Arc::clone(&self.config))).await;
        }
        self.version
    }

    async fn applied(&mut self, version: u64) {
        if let Some(waiting) = self.waiting.iter_mut().find(|waiting| waiting.version == version) {
            waiting.missing -= 1;
        }
        while self.waiting.front().is_some_and(|waiting| waiting.missing == 0) {
            let Some(done) = self.waiting.pop_front() else { break };
            self.answer(done.core, done.conn, done.reply).await;
        }
    }

    async fn answer(&self, core: u8, conn: node::ConnId, reply: Reply) {
        let message = Inbound::Node(FromControl::Reply(conn, reply));
        let _ = self.cores[usize::from(core)].push(message).await;
    }

    /// CONFIG REWRITE.
    async fn rewrite(&self, cx: &Ctx) -> Result<(), String> {
        let file = self.config_file.clone().ok_or("the server is running without a config file")?;
        let config = Arc::clone(&self.config);
        let write = move || -> io::Result<()> {
            let old = match std::fs::read(&file) {
                Ok(old) => old,
                Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
                Err(error) => return Err(error),
            };
            replace_file(&file, &config.rewrite(&old), Durability::PowerLoss)
        };
        match cx.spawn_blocking(write).await {
            Ok(written) => written.map_err(|error| error.to_string()),
            Err(panic) => Err(panic.to_string()),
        }
    }

    async fn supply_chunk(&self, cx: &Ctx, core: u8) {
        if let Ok(Some(chunk)) = cx.spawn_blocking(keyspace::Chunk::populate).await {
            let _ = self.cores[usize::from(core)].push(Inbound::Node(FromControl::Chunk(chunk))).await;
        }
    }

    async fn tell_process_facts(&self) {
        let usage = runtime::thread::usage();
        let facts = ProcessFacts {
            rss: usage.rss_bytes,
            rss_peak: usage.peak_rss_bytes,
            system_memory: self.system_memory,
            user_us: usage.user_us,
            system_us: usage.system_us,
        };
        for core in &self.cores {
            let _ = core.push(Inbound::Node(FromControl::Process(facts))).await;
        }
    }
}

/// Memory of the machine, bytes; 0 if the system does not tell.
fn system_memory() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kib =
        total.and_then(|rest| rest.trim().strip_suffix(" kB")).and_then(|kib| kib.trim().parse::<u64>().ok());
    kib.map_or(0, |kib| kib * 1024)
}
