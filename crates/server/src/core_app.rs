//! A data core's thread: joins the pure `node::Core` to its ring.
//!
//! The order of a turn is the node's (rules R1 and R6): answers and requests of other cores, then what
//! clients sent, then the seal, and only then replies and messages leave.
//!
//!     callbacks of the ring --> Core::handle_*        end_of_turn: mesh -> run_runnable -> seal
//!                                                       -> messages, verbs, sends, control -> wakes
//!
//! 1. A request for which a ring has no room waits here, in order; there is at most one for each
//!    connection (rule R8). What the control plane has no room for waits likewise.
//! 2. The shared words are those of rule R11: the log counter and one line a core.

use crate::control::{Inbound, Lines, ToAdmin, ToBus};
use node::core::TICK_MS;
use node::{Core, Message, Output, ToControl};
use resp::Segments;
use runtime::data::{CloseReason, ConnId, CoreApp, Io, Peer, Segment, Sent, Turn};
use runtime::mailbox::{Receiver, Refused, Sender};
use runtime::spsc::Endpoints;
use std::collections::VecDeque;
use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

/// Requests taken from one peer in a turn.
const REQUESTS_A_TURN: usize = 64;
/// How long a stop waits for batches and replies that are under way, microseconds.
const STOP_GRACE_US: u64 = 2_000_000;

/// What a core's thread owns.
pub struct App {
    /// The core. It is not taken apart when the thread ends: another core may still read records that lie
    /// in its pages, and the process ends anyway.
    pub core: ManuallyDrop<Core>,
    /// Its ends of the rings between cores.
    pub mesh: Endpoints<Message>,
    /// From the control plane.
    pub inbox: Receiver<Inbound>,
    /// To the cluster's executor; none in standalone mode.
    pub bus: Option<Sender<ToBus>>,
    /// To the admin executor.
    pub admin: Sender<ToAdmin>,
    /// The log's counter (rule R1).
    pub counter: Arc<AtomicU64>,
    /// One line a core (rule R11).
    pub lines: Arc<Lines>,
    /// Rings the core when a mailbox has room again.
    pub bell: runtime::data::Bell,
    /// Things of the shell's own.
    pub state: State,
}

/// What the shell itself has to remember.
#[derive(Default)]
pub struct State {
    turn_begun: bool,
    mail: bool,
    waiting: Vec<VecDeque<Message>>,
    control: VecDeque<ToControl>,
    stopping_since_us: Option<u64>,
    ticking: bool,
}

impl App {
    fn begin(&mut self) {
        if !self.state.turn_begun {
            self.state.turn_begun = true;
            self.core.begin_turn(commands_now());
        }
    }

    fn read_mail(&mut self) {
        if !std::mem::take(&mut self.state.mail) {
            return;
        }
        while let Some(message) = self.inbox.try_pop() {
            match message {
                Inbound::Node(message) => self.core.handle_control(message),
                Inbound::Stop => {
                    self.state.stopping_since_us.get_or_insert(runtime::clock::mono_us());
                }
            }
        }
    }

    /// Hands messages to the other cores, in order, as far as there is room.
    fn push_messages(&mut self) {
        let State { waiting, .. } = &mut self.state;
        if waiting.len() < self.mesh.cores() {
            waiting.resize_with(self.mesh.cores(), VecDeque::new);
        }
        while let Some((to, message)) = self.core.poll_message() {
            let to = usize::from(to);
            match message.is_answer() {
                true => self.mesh.push_answer(to, message),
                false => waiting[to].push_back(message),
            }
        }
        for (to, queue) in waiting.iter_mut().enumerate() {
            while let Some(message) = queue.pop_front() {
                if let Err(message) = self.mesh.push_request(to, message) {
                    queue.push_front(message);
                    break;
                }
            }
        }
    }

    fn push_control(&mut self) {
        while let Some(message) = self.core.poll_control() {
            self.state.control.push_back(message);
        }
        while let Some(message) = self.state.control.pop_front() {
            if let Err(message) = self.route_control(message) {
                self.state.control.push_front(message);
                break;
            }
        }
    }

    /// The cluster's business goes to the bus, everything else to the admin executor.
    fn route_control(&self, message: ToControl) -> Result<(), ToControl> {
        let core = self.core.id();
        let for_bus = match &message {
            ToControl::Request(request) => request.is_for_cluster(),
            ToControl::RoutingApplied(_) => true,
            _ => false,
        };
        match (for_bus, &self.bus) {
            (true, Some(bus)) => push(bus, ToBus::Core { core, message }, &self.bell).map_err(|m| match m {
                ToBus::Core { message, .. } => message,
                _ => unreachable!("it was just made"),
            }),
            _ => push(&self.admin, ToAdmin::Core { core, message }, &self.bell).map_err(|m| match m {
                ToAdmin::Core { message, .. } => message,
                _ => unreachable!("it was just made"),
            }),
        }
    }

    fn do_outputs(&mut self, io: &mut Io) {
        while let Some(output) = self.core.poll_output() {
            match output {
                Output::PauseReceive(conn) => io.pause_receive(shell(conn)),
                Output::ResumeReceive(conn) => io.resume_receive(shell(conn)),
                Output::ReceiveBig { conn, received, whole } => {
                    let mut buffer = Vec::with_capacity(whole);
                    buffer.extend_from_slice(&received);
                    io.receive_direct(shell(conn), buffer, received.len(), whole - received.len());
                }
                Output::PauseAccept => io.pause_accept(),
                Output::ResumeAccept => io.resume_accept(),
                Output::Close(conn) => io.close(shell(conn)),
                Output::Sleep(us) => std::thread::sleep(std::time::Duration::from_micros(us)),
            }
        }
    }

    fn send_replies(&mut self, io: &mut Io) {
        while let Some((conn, segments, awaited)) = self.core.poll_send() {
            send(io, shell(conn), segments, awaited);
        }
    }

    /// When the first client that waits for a key gives up, on the monotonic clock. The node counts whole
    /// milliseconds of the wall clock, and a wait is over when its millisecond is reached.
    fn next_wait(&self, io: &Io) -> Option<u64> {
        let left_us = (self.core.next_wait_ms()? * 1_000).saturating_sub(self.core.now().unix_us);
        Some(io.now().mono_us + left_us)
    }

    /// Whether nothing is under way that a stop should wait for.
    fn is_quiet(&self) -> bool {
        self.core.is_settled()
            && !self.core.is_sending()
            && self.state.control.is_empty()
            && self.state.waiting.iter().all(VecDeque::is_empty)
    }

    fn stop_turn(&mut self, io: &Io, since_us: u64, runnable: bool) -> Turn {
        let me = usize::from(self.core.id());
        self.lines.set_quiet(me, self.is_quiet() && !runnable);
        let over = io.now().mono_us.saturating_sub(since_us) > STOP_GRACE_US;
        match over || self.lines.all_quiet() {
            true => Turn::Stop,
            false => Turn::Idle { deadline: Some(io.now().mono_us + 1_000) },
        }
    }
}

impl CoreApp for App {
    fn on_accept(&mut self, io: &mut Io, conn: ConnId, peer: Peer) {
        self.begin();
        let address = |address: Option<std::net::SocketAddr>, none: &str| -> Arc<str> {
            address.map_or_else(|| Arc::from(none), |address| Arc::from(address.to_string()))
        };
        let is_local =
            peer.unix || peer.remote.is_some_and(|remote| remote.ip().to_canonical().is_loopback());
        let path = self.lines.unix_path();
        let refusal = self.core.refusal(self.lines.connections(), is_local);
        self.core.handle_accepted(
            node_conn(conn),
            address(peer.remote, &format!("{path}:0")),
            address(peer.local, &format!("{path}:0")),
            is_local,
            refusal,
        );
        self.lines.set_connections(io.core(), self.core.connections() as u64);
    }

    fn on_data(&mut self, _io: &mut Io, conn: ConnId, bytes: &[u8]) {
        if self.state.stopping_since_us.is_none() {
            self.begin();
            self.core.handle_received(node_conn(conn), bytes);
        }
    }

    fn on_direct(&mut self, _io: &mut Io, conn: ConnId, buffer: Vec<u8>) {
        self.begin();
        self.core.handle_big_received(node_conn(conn), buffer);
    }

    fn on_sent(&mut self, _io: &mut Io, conn: ConnId, result: Result<Sent, i32>) {
        self.begin();
        match result {
            Ok(Sent::Bytes(buffer)) => self.core.handle_sent(node_conn(conn), Some(buffer)),
            Ok(Sent::Segments(_)) => self.core.handle_sent(node_conn(conn), None),
            Err(_) => {} // on_closed follows
        }
    }

    fn on_closed(&mut self, _io: &mut Io, conn: ConnId, _reason: CloseReason) {
        self.begin();
        self.core.handle_closed(node_conn(conn));
    }

    fn on_wake(&mut self, _io: &mut Io) {
        self.state.mail = true;
    }

    fn on_timer(&mut self, io: &mut Io, now: runtime::clock::Now) {
        self.begin();
        self.core.handle_timer();
        io.set_deadline(Some(now.mono_us + TICK_MS * 1_000));
    }

    fn end_of_turn(&mut self, io: &mut Io) -> Turn {
        self.begin();
        if !std::mem::replace(&mut self.state.ticking, true) {
            // The first tick; each sets the next. A deadline of the ring, unlike a turn's own, also holds while
            // turn follows turn without sleep.
            io.set_deadline(Some(io.now().mono_us + TICK_MS * 1_000));
        }
        self.read_mail();
        let App { core, mesh, .. } = self;
        let arrived =
            mesh.drain(REQUESTS_A_TURN, |from, _lane, message| core.handle_message(from as u8, message));
        let runnable = self.core.run_runnable();
        let more = self.core.free_some() || runnable;
        let counter = &self.counter;
        self.core.seal(|| counter.fetch_add(1, Ordering::AcqRel) + 1);
        self.lines.set_connections(io.core(), self.core.connections() as u64);
        if self.bus.is_some() {
            // Before a request for the cluster leaves: FLUSHSLOTS asks whether there are keys.
            self.lines.set_keys(io.core(), self.core.keys() as u64);
        }
        self.push_messages();
        self.do_outputs(io);
        self.send_replies(io);
        self.push_control();
        let App { mesh, .. } = self;
        for &peer in mesh.flush_wakes() {
            io.peer_wake(peer);
        }
        self.state.turn_begun = false;
        match self.state.stopping_since_us {
            Some(since_us) => self.stop_turn(io, since_us, runnable),
            None if more || arrived > 0 => Turn::MoreWork,
            None => Turn::Idle { deadline: self.next_wait(io) },
        }
    }

    fn may_sleep(&mut self) -> bool {
        self.mesh.prepare_sleep()
    }

    fn woke(&mut self) {
        self.mesh.awake();
    }
}

fn push<T>(to: &Sender<T>, message: T, bell: &runtime::data::Bell) -> Result<(), T> {
    match to.push_from_core(message, bell) {
        Ok(()) => Ok(()),
        Err(Refused::Full(message)) => Err(message),
        // The other side is gone because the process ends.
        Err(Refused::Closed(_)) => Ok(()),
    }
}

/// Sends replies. Where nobody waits for their end, the ring need not tell of it.
fn send(io: &mut Io, conn: ConnId, segments: Segments, awaited: bool) {
    let (bytes, splices) = segments.into_parts();
    if splices.is_empty() {
        return match awaited {
            true => io.send(conn, bytes),
            false => io.reply(conn, bytes),
        };
    }
    let mut parts = Vec::with_capacity(2 * splices.len() + 1);
    let mut at = 0;
    for splice in splices {
        parts.push(Segment::Bytes(bytes[at..splice.at].to_vec()));
        parts.push(Segment::Shared(splice.value, splice.range));
        at = splice.at;
    }
    parts.push(Segment::Bytes(bytes[at..].to_vec()));
    match awaited {
        true => io.send_vectored(conn, parts),
        false => io.reply_vectored(conn, parts),
    }
}

/// The wall clock, for one turn.
pub fn commands_now() -> node::Now {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    node::Now { unix_us: since.as_micros() as u64 }
}

fn node_conn(conn: ConnId) -> node::ConnId {
    node::ConnId(conn.to_u64())
}

fn shell(conn: node::ConnId) -> ConnId {
    ConnId::from_u64(conn.0)
}
