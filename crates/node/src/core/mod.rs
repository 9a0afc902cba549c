//! One data core of the node: connections, the keys of its slots, and its part in what several cores
//! do together. Pure: *(now, input) -> (state, outputs)*.
//!
//! A turn, as the shell drives it:
//!
//!     begin_turn(now)
//!       handle_accepted | handle_received | handle_big_received | handle_sent | handle_closed
//!       handle_message (answers first) | handle_control | handle_timer
//!     run_runnable              connections whose input was longer than a turn's share
//!     seal(draw)                rule R1: after this, and not before,
//!     poll_message, poll_output, poll_control   what leaves
//!
//! Where the parts are: `input.rs` bytes to commands; `execute.rs` one command; `travel.rs` batches
//! between cores (R8); `lease.rs` slots of several cores (R5); `tour.rs` commands of every core (R4);
//! `clients.rs` what CLIENT asks; `background.rs` expiry, defragmentation, timeouts.
//!
//! 1. Nothing leaves the core but by the `poll_*` methods, and those give nothing before `seal`.
//! 2. After a lock is released, everybody it made ready runs before any other command of this core.

mod background;
mod blocked;
mod clients;
mod execute;
mod input;
mod lease;
mod settings;
mod tour;
mod travel;

use crate::connection::Connection;
use crate::locks::{Locks, Ready};
use crate::log::{Log, Sealed};
use crate::message::{Batch, ConnId, Message};
use crate::plan::{Facts, Pause};
use crate::random::Random;
use crate::waiters::Waiters;
pub use background::TICK_MS;
use commands::facts::{CoreFacts, NodeFacts, ProcessFacts};
use commands::{CommandError, Effects, Now, Session, Table, Wait};
use config::Config;
use keyspace::Keyspace;
use resp::{OwnedBatch, Protocol, Reply, Segments};
use settings::Settings;
use slot::Slot;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

/// What a core is made from.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Its number, from 0.
    pub core: u8,
    /// How many there are: 1 to 64.
    pub cores: u8,
    /// Seed of its random choices.
    pub seed: u64,
    /// Seed of the key hash, the same on all cores.
    pub hash_seed: u64,
    /// The configuration.
    pub config: Arc<Config>,
    /// The node.
    pub node: Arc<NodeFacts>,
    /// The first routing map; none in standalone mode.
    pub routing: Option<Arc<cluster::RoutingMap>>,
}

/// What the shell does for a core.
#[derive(Debug)]
pub enum Output {
    /// Receive nothing more of this connection.
    PauseReceive(ConnId),
    /// Receive again.
    ResumeReceive(ConnId),
    /// Receive the rest of a big value straight into a buffer for `whole` bytes that begins with `received`.
    ReceiveBig {
        /// Whose.
        conn: ConnId,
        /// What is there already.
        received: Vec<u8>,
        /// Bytes of the whole.
        whole: usize,
    },
    /// Take no new connections.
    PauseAccept,
    /// Take new connections again.
    ResumeAccept,
    /// Close this connection; nothing more is heard of it.
    Close(ConnId),
    /// Hold this core for so long (DEBUG SLEEP), microseconds.
    Sleep(u64),
}

/// A command that the control plane answers.
#[derive(Debug)]
pub struct ControlRequest {
    /// The core that asks.
    pub core: u8,
    /// For whom.
    pub conn: ConnId,
    /// The client.
    pub session: Session,
    /// Exactly one command.
    pub command: OwnedBatch,
}

impl ControlRequest {
    /// Whether the cluster answers it, or the configuration's writer.
    pub fn is_for_cluster(&self) -> bool {
        let found = table().find(self.command.args(0));
        found.is_some_and(|(_, row)| matches!(row.run, commands::Run::Cluster(_)))
    }
}

/// From the control plane to a core.
pub enum FromControl {
    /// The answer to a [`ControlRequest`].
    Reply(ConnId, Reply),
    /// A new configuration, with a number to acknowledge.
    Config(u64, Arc<Config>),
    /// A new routing map; its version is acknowledged.
    Routing(Arc<cluster::RoutingMap>),
    /// A chunk of memory that the keyspace wished for.
    Chunk(keyspace::Chunk),
    /// Readings of the operating system.
    Process(ProcessFacts),
    /// Another node has these slots under a newer epoch: their keys go. A routing map without them came
    /// before.
    DropSlots(Arc<slot::SlotSet>),
}

/// From a core to the control plane.
#[derive(Debug)]
pub enum ToControl {
    /// Answer this.
    Request(Box<ControlRequest>),
    /// This configuration is in force here.
    ConfigApplied(u64),
    /// This routing map is in force here (rule R3).
    RoutingApplied(u64),
    /// A chunk of memory is wished for.
    ChunkWish,
}

/// One data core.
pub struct Core {
    id: u8,
    cores: u8,
    now: Now,
    config: Arc<Config>,
    settings: Settings,
    keyspace: Keyspace,
    homes: Box<[u8]>,
    locks: Locks,
    log: Log,
    effects: Effects,
    facts: CoreFacts,
    pause: Pause,
    paused: VecDeque<Box<Batch>>,
    /// Batches that go on once whoever made them ready is done.
    departures: VecDeque<Box<Batch>>,
    random: Random,
    connections: HashMap<ConnId, Box<Connection>, BuildIdHasher>,
    /// Connections that are gone and have commands left to run; and whether new ones wait for that.
    lingering: usize,
    accept_paused: bool,
    next_client: u64,
    runnable: VecDeque<ConnId>,
    replying: Vec<ConnId>,
    scratch: input::Scratch,
    messages: VecDeque<(u8, Message)>,
    outputs: VecDeque<Output>,
    control: VecDeque<ToControl>,
    waiting_routing: Option<Arc<cluster::RoutingMap>>,
    waiting_drops: Vec<Arc<slot::SlotSet>>,
    upkeep: background::Upkeep,
    highest: u64,
    /// Buffers of replies that were sent, for the next ones.
    spare: Vec<Vec<u8>>,
    /// Connections that began a big value in this turn.
    receiving_big: Vec<ConnId>,
    waiters: Waiters,
    /// When waits of this core's clients are over: unix milliseconds.
    deadlines: BTreeSet<(u64, ConnId)>,
    /// Slots that are locked for a claim, and the place of its ticket.
    claims: HashMap<Slot, u64>,
    trials: Vec<blocked::Trial>,
    /// The slot that the command of a claimed batch may use although it is locked.
    claimed: Option<Slot>,
    next_wait: u64,
    /// Waiters are being served: what that touches is looked at afterwards.
    waking: bool,
    /// What the command that has just run waits for.
    waiting: Option<Wait>,
    /// The core's part of `maxmemory` is used up.
    out_of_memory: bool,
}

/// Buffers kept for replies: as many as connections that are answered in one turn, about.
const SPARE_BUFFERS: usize = 64;
/// Gone connections with commands left, above which no new connections are taken. Clients that send and close
/// without waiting for replies would otherwise heap up work that everybody waits behind.
const LINGERING: usize = 128;
/// A larger buffer is not kept: one long reply should not stay for ever.
const SPARE_BYTES: usize = 64 * 1024;

/// Hashes a [`ConnId`]: it is well spread by one multiplication.
#[derive(Clone, Copy, Default)]
pub struct IdHasher(u64);

type BuildIdHasher = std::hash::BuildHasherDefault<IdHasher>;

impl std::hash::Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, _: &[u8]) {
        unreachable!("a ConnId is one u64");
    }
    fn write_u64(&mut self, id: u64) {
        self.0 = id.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(20);
    }
}

impl Core {
    /// A core without connections and keys. `now` is the time of its start.
    pub fn new(setup: Setup, now: Now) -> Core {
        let databases = match setup.config.cluster_enabled() {
            true => 1,
            false => u16::try_from(setup.config.databases()).unwrap_or(u16::MAX),
        };
        let homes = slot::Slot::all()
            .map(|slot| (slot.index() * usize::from(setup.cores) / slot::SLOT_COUNT) as u8)
            .collect();
        let facts = CoreFacts {
            node: setup.node,
            active_expire: true,
            routing: setup.routing,
            ..CoreFacts::default()
        };
        Core {
            id: setup.core,
            cores: setup.cores,
            now,
            keyspace: Keyspace::new(keyspace::Setup {
                core: setup.core,
                cores: setup.cores,
                databases,
                hash_seed: setup.hash_seed,
            }),
            settings: Settings::of(&setup.config, setup.hash_seed),
            config: setup.config,
            homes,
            locks: Locks::default(),
            log: Log::default(),
            effects: Effects::default(),
            facts,
            pause: Pause::default(),
            paused: VecDeque::new(),
            departures: VecDeque::new(),
            random: Random::new(setup.seed),
            connections: HashMap::default(),
            lingering: 0,
            accept_paused: false,
            next_client: 0,
            runnable: VecDeque::new(),
            replying: Vec::new(),
            scratch: input::Scratch::default(),
            messages: VecDeque::new(),
            outputs: VecDeque::new(),
            control: VecDeque::new(),
            waiting_routing: None,
            waiting_drops: Vec::new(),
            upkeep: background::Upkeep::default(),
            highest: 0,
            spare: Vec::new(),
            receiving_big: Vec::new(),
            waiters: Waiters::default(),
            deadlines: BTreeSet::new(),
            claims: HashMap::new(),
            trials: Vec::new(),
            claimed: None,
            next_wait: 0,
            waking: false,
            waiting: None,
            out_of_memory: false,
        }
    }

    /// Its number.
    pub fn id(&self) -> u8 {
        self.id
    }

    /// The time of its turn.
    pub fn now(&self) -> Now {
        self.now
    }

    /// Connections it has.
    pub fn connections(&self) -> usize {
        self.connections.len()
    }

    /// Whether replies are being sent or wait to be.
    pub fn is_sending(&self) -> bool {
        self.connections.values().any(|conn| conn.output_bytes() > 0)
    }

    /// Why a client may not connect, if it may not: `clients` are connected to the node already.
    pub fn refusal(&self, clients: u64, is_local: bool) -> Option<CommandError> {
        if clients >= u64::from(self.config.maxclients()) {
            return Some(CommandError::MaxClients);
        }
        let open = self.config.protected_mode() && self.config.requirepass().is_none();
        (open && !is_local).then_some(CommandError::ProtectedMode)
    }

    /// Keys of all its databases.
    pub fn keys(&self) -> usize {
        (0..self.keyspace.setup().databases).map(|db| self.keyspace.len(db)).sum()
    }

    /// Its keys, to be dismantled in the end.
    pub fn keyspace_mut(&mut self) -> &mut Keyspace {
        &mut self.keyspace
    }

    /// Its keys.
    pub fn keyspace(&self) -> &Keyspace {
        &self.keyspace
    }

    /// Whether no lock is held and no batch, tour or lock waits here.
    pub fn is_settled(&self) -> bool {
        self.locks.idle()
            && self.claims.is_empty()
            && self.trials.is_empty()
            && self.paused.is_empty()
            && self.connections.values().all(|conn| conn.is_idle())
    }

    /// Starts or stops keeping the words of what changes.
    pub fn want_log(&mut self, wanted: bool) {
        self.log.wanted = wanted;
        self.effects.wanted = wanted;
    }

    /// Begins a turn: everything until the next happens at this time.
    pub fn begin_turn(&mut self, now: Now) {
        self.now = now;
        self.look_at_memory();
        if self.pause.until_ms != 0 && now.unix_ms() >= self.pause.until_ms {
            self.end_pause();
            self.run_ready();
        }
        if self.deadlines.first().is_some_and(|(at, _)| *at <= now.unix_ms()) {
            self.end_waits();
            self.run_ready();
        }
    }

    /// A client connected. `allowed` is false when there are too many, or protected mode refuses it:
    /// then it gets this error and is closed.
    pub fn handle_accepted(
        &mut self,
        conn: ConnId,
        peer: Arc<str>,
        local: Arc<str>,
        is_local: bool,
        refusal: Option<CommandError>,
    ) {
        self.facts.totals.connections += 1;
        self.next_client += 1;
        let session = Session {
            id: (self.next_client - 1) * u64::from(self.cores) + u64::from(self.id) + 1,
            db: 0,
            protocol: Protocol::Resp2,
            authenticated: self.config.requirepass().is_none(),
            reply_mode: Default::default(),
            readonly: false,
            asking: false,
            no_evict: false,
            no_touch: false,
            close: false,
            name: None,
            lib_name: None,
            lib_ver: None,
            last_command: commands::Table::NO_COMMAND,
            peer,
            local,
            is_local,
        };
        let mut connection = Box::new(Connection::new(conn, session, self.now.unix_us));
        if let Some(error) = refusal {
            self.facts.totals.connections -= 1;
            self.facts.totals.rejected_connections += 1;
            error.write(&mut connection.out);
            connection.close_after_replies = true;
            self.note_replies(&mut connection);
        }
        self.connections.insert(conn, connection);
    }

    /// The peer closed the connection, or it broke. What was read is still executed.
    pub fn handle_closed(&mut self, conn: ConnId) {
        let Some(mut connection) = self.connections.remove(&conn) else { return };
        connection.gone = true;
        connection.in_flight = 0;
        connection.out.clear();
        if let Some(big) = connection.big.take() {
            drop(big);
            connection.input.clear();
        }
        self.outputs.push_back(Output::Close(conn));
        self.put_back(connection);
    }

    /// All bytes of the last send are out.
    /// `buffer` is what was sent, to be used again.
    pub fn handle_sent(&mut self, conn: ConnId, buffer: Option<Vec<u8>>) {
        self.keep_spare(buffer);
        let Some(mut connection) = self.connections.remove(&conn) else { return };
        self.facts.totals.net_output += connection.in_flight as u64;
        connection.in_flight = 0;
        connection.above_soft_since_ms = None;
        if !connection.input.is_empty() {
            self.make_runnable(&mut connection);
        }
        self.note_replies(&mut connection);
        self.put_back(connection);
    }

    /// Something came from another core.
    pub fn handle_message(&mut self, from: u8, message: Message) {
        debug_assert!(from != self.id);
        match message {
            Message::Batch(batch) => self.travel(batch),
            Message::Lock(request) => self.lock(request),
            Message::Tour(tour) => self.tour_arrives(tour),
            Message::Done(batch) => self.batch_is_home(batch),
            Message::Granted(request) => self.run_granted(*request),
            Message::Return(slots) => self.take_back(slots),
            Message::Gathered(tour) => self.tour_is_home(tour),
            Message::Frees(chain) => self.keyspace.give_back(chain),
            Message::Register(registration) => {
                let (slot, key, ticket) = *registration;
                self.register(slot, key, ticket);
            }
            Message::Forget(forgotten) => self.forget_ticket(forgotten.0, &forgotten.1, forgotten.2),
            Message::Tried(tried) => self.trial_over(tried.0, &tried.1, tried.2),
            Message::Look(look) => self.waiters.touch(look.0, look.1),
            Message::Claim(claim) => self.claimed_by(from, *claim),
            Message::Claimed(claimed) => self.claim_answered(*claimed),
            Message::TryAgain(wait) => self.try_again(wait),
        }
        self.run_ready();
    }

    /// Something came from the control plane.
    pub fn handle_control(&mut self, message: FromControl) {
        match message {
            FromControl::Reply(conn, reply) => self.control_replied(conn, reply),
            FromControl::Config(number, config) => {
                let old = std::mem::replace(
                    &mut self.settings,
                    Settings::of(&config, self.keyspace.setup().hash_seed),
                );
                // It is DEBUG's, and not in the configuration.
                self.settings.types.list.plain_from = old.types.list.plain_from;
                self.config = config;
                self.control.push_back(ToControl::ConfigApplied(number));
            }
            FromControl::Routing(map) => {
                self.waiting_routing = Some(map);
            }
            FromControl::Chunk(chunk) => self.keyspace.supply_chunk(chunk),
            FromControl::Process(process) => self.facts.process = process,
            FromControl::DropSlots(slots) => self.waiting_drops.push(slots),
        }
        self.run_ready();
    }

    /// Connections whose input was longer than their share of the last turn. Whether there are more.
    pub fn run_runnable(&mut self) -> bool {
        for _ in 0..self.runnable.len() {
            let Some(conn) = self.runnable.pop_front() else { break };
            let Some(mut connection) = self.connections.remove(&conn) else { continue };
            connection.runnable = false;
            self.advance(&mut connection);
            self.put_back(connection);
            self.run_ready();
        }
        !self.runnable.is_empty()
    }

    /// Ends the turn: seals what it changed. Only now may anything leave (rule R1).
    pub fn seal(&mut self, draw: impl FnOnce() -> u64) {
        self.ask_for_big_values();
        self.highest = self.log.seal(draw);
        for (_, message) in &mut self.messages {
            if let Some(batch) = message.batch_mut() {
                batch.highest = batch.highest.max(self.highest);
            }
        }
        for chain in self.keyspace.take_foreign_frees() {
            self.messages.push_back((chain.owner(), Message::Frees(chain)));
        }
        if self.keyspace.poll_chunk_wish().is_some() {
            self.control.push_back(ToControl::ChunkWish);
        }
    }

    /// The next message to another core. The shell keeps what does not fit, in order.
    pub fn poll_message(&mut self) -> Option<(u8, Message)> {
        self.messages.pop_front()
    }

    /// The next thing for the shell to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// The next message to the control plane.
    pub fn poll_control(&mut self) -> Option<ToControl> {
        self.control.pop_front()
    }

    /// The next batch of the log.
    pub fn poll_sealed(&mut self) -> Option<Sealed> {
        self.log.poll_sealed()
    }

    /// The next connection with replies to send and no send in flight, those replies, and whether something
    /// waits for their end, so that the shell must tell of it promptly.
    pub fn poll_send(&mut self) -> Option<(ConnId, Segments, bool)> {
        while let Some(conn) = self.replying.pop() {
            let Some(connection) = self.connections.get_mut(&conn) else { continue };
            connection.has_replies = false;
            if connection.in_flight > 0 || connection.gone || connection.out.is_empty() {
                continue;
            }
            connection.in_flight = connection.out.len();
            let awaited = connection.close_after_replies || !connection.input.is_empty();
            return Some((conn, connection.out.take_segments(), awaited));
        }
        None
    }

    /// Runs everybody whom a release has made ready (invariant 2).
    fn run_ready(&mut self) {
        loop {
            // Whoever waits for what was touched is served before anybody else.
            self.wake_waiters();
            if let Some(ready) = self.locks.next_ready(self.id) {
                match ready {
                    Ready::Batch(batch) => self.travel(batch),
                    Ready::Request(request) => self.locked_here(request),
                    Ready::Tour(tour) => self.tour_holds(tour),
                }
            } else if let Some(batch) = self.departures.pop_front() {
                self.travel(batch);
            } else if !self.apply_routing() {
                break;
            }
        }
    }

    /// Applies a new routing map, and drops lost slots, once no slot is lent or locked (rule R3). Until then
    /// nobody new is let in, so that steady traffic cannot put it off. Whether it did.
    fn apply_routing(&mut self) -> bool {
        if (self.waiting_routing.is_none() && self.waiting_drops.is_empty()) || !self.locks.close() {
            return false;
        }
        if let Some(map) = self.waiting_routing.take() {
            self.control.push_back(ToControl::RoutingApplied(map.version));
            self.redirect_waiters(|slot| !map.owner(slot).is_some_and(|node| node.is_myself));
            self.facts.routing = Some(map);
        }
        for slots in std::mem::take(&mut self.waiting_drops) {
            self.redirect_waiters(|slot| slots.contains(slot));
            slots.iter().for_each(|slot| self.keyspace.drop_slot(slot));
        }
        self.locks.open();
        true
    }

    fn keep_spare(&mut self, buffer: Option<Vec<u8>>) {
        let fits = |buffer: &Vec<u8>| buffer.capacity() <= SPARE_BYTES;
        if let Some(buffer) = buffer.filter(|buffer| self.spare.len() < SPARE_BUFFERS && fits(buffer)) {
            self.spare.push(buffer);
        }
    }

    fn planning(&self) -> Facts<'_> {
        Facts {
            here: self.id,
            homes: &self.homes,
            locks: &self.locks,
            routing: self.facts.routing.as_deref(),
            cross_slot: self.settings.cross_slot,
            pause: self.pause,
            out_of_memory: self.out_of_memory,
            all_held: false,
            claimed: self.claimed,
        }
    }

    fn send(&mut self, to: u8, message: Message) {
        debug_assert!(to != self.id);
        self.messages.push_back((to, message));
    }

    fn make_runnable(&mut self, connection: &mut Connection) {
        if !connection.runnable {
            connection.runnable = true;
            self.runnable.push_back(connection.id);
        }
    }

    fn note_replies(&mut self, connection: &mut Connection) {
        if connection.gone {
            connection.out.clear();
        } else if !connection.has_replies && connection.in_flight == 0 && !connection.out.is_empty() {
            connection.has_replies = true;
            self.replying.push(connection.id);
        }
    }

    /// Puts a connection back into the table, or ends it.
    fn put_back(&mut self, mut connection: Box<Connection>) {
        if connection.gone {
            self.end_wait_of_gone(&mut connection);
        }
        let finished = connection.is_ready() && !connection.runnable;
        if connection.gone && finished {
            return self.forget(&connection);
        }
        if connection.close_after_replies && finished && !connection.gone && connection.output_bytes() == 0 {
            self.outputs.push_back(Output::Close(connection.id));
            return;
        }
        self.balance_receiving(&mut connection);
        if connection.gone && finished {
            return self.forget(&connection);
        }
        if connection.gone && !std::mem::replace(&mut connection.lingers, true) {
            self.lingering += 1;
            if self.lingering > LINGERING && !self.accept_paused {
                self.accept_paused = true;
                self.outputs.push_back(Output::PauseAccept);
            }
        }
        self.connections.insert(connection.id, connection);
    }

    /// The last command of a gone connection has run.
    fn forget(&mut self, connection: &Connection) {
        self.lingering -= usize::from(connection.lingers);
        if self.accept_paused && self.lingering <= LINGERING / 2 {
            self.accept_paused = false;
            self.outputs.push_back(Output::ResumeAccept);
        }
    }
}

/// The table of commands.
fn table() -> &'static Table {
    Table::standard()
}
