//! The connections of one core and the verbs on them; and the loop that turns completions into callbacks.
//!
//! A connection receives by a multishot receive that stays armed; everything that wants it otherwise (a
//! pause, a direct receive, the end) cancels it, waits for its last completion, and goes on from there:
//!
//!     Idle --arm--> Armed --cancel--> Cancelling --last completion--> Idle     (`settle` decides)
//!
//!     Open --close--> Closing: cancel all, count operations down to 0 --> Leaving: close the file --> free
//!
//! 1. `inflight` counts the operations of a connection whose completion (or, for quiet sends, whose silence)
//!    is still to come. The file is closed and the slot freed only at 0.
//! 2. A slot is an index into the ring's file table: the socket has no descriptor of its own.
//! 3. `quiet` sends of a turn are over when the enter that took them has returned and every completion has
//!    been looked at: those that went wrong have spoken up by then (see `quiet.rs`).
//! 4. Entries that do not fit into the submission queue wait in `backlog`, in order.

use crate::clock::{self, Now};
use crate::data::bell::Bell;
use crate::data::buffers::{self, Buffers};
use crate::data::outgoing::{Incoming, Outgoing};
use crate::data::ring::{Entered, Ring};
use crate::data::{
    quiet, CloseReason, ConnId, CoreApp, Listener, LoopConfig, Peer, Segment, StartError, Turn,
};
use crate::sys;
use io_uring::{cqueue, opcode, squeue, types};
use std::collections::VecDeque;
use std::mem::MaybeUninit;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::Arc;

/// What a completion is about: the top byte of its user data. Below it stand the slot (24 bits) and the
/// generation (32).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Kind {
    Accept = 1,
    AcceptCancel,
    Receive,
    QuietSend,
    Send,
    Direct,
    /// Of the multishot receive.
    Cancel,
    /// Of everything, for closing.
    CancelAll,
    Shutdown,
    Close,
    Bell,
    /// Another core's message: this core is to look at its rings.
    Wake,
    /// Our message to another core failed: it is gone.
    WakeFailed,
}

const KINDS: [Kind; 13] = [
    Kind::Accept,
    Kind::AcceptCancel,
    Kind::Receive,
    Kind::QuietSend,
    Kind::Send,
    Kind::Direct,
    Kind::Cancel,
    Kind::CancelAll,
    Kind::Shutdown,
    Kind::Close,
    Kind::Bell,
    Kind::Wake,
    Kind::WakeFailed,
];

/// The most connections that user data can name.
pub(super) const MOST_CONNECTIONS: u32 = 1 << 24;

/// How long to leave a listener alone that could not accept (no descriptors, no memory).
const ACCEPT_PAUSE_US: u64 = 20_000;

/// From so many short receives in one turn on, the next turn waits for as many, but not for long: each turn costs
/// a sleep, a waking, and a waking of the clients. Below, that is, with few clients, latency comes first.
const GATHER: u32 = 12;
const GATHER_MOST: u32 = 64;
const GATHER_US: u64 = 100;
/// The longest receive that counts for it: one command or two.
const GATHER_BYTES: i32 = 256;

/// How long stopping waits for the last operations.
const STOP_US: u64 = 2_000_000;

fn user_data(kind: Kind, conn: ConnId) -> u64 {
    (kind as u64) << 56 | u64::from(conn.slot) << 32 | u64::from(conn.generation)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Free,
    Open,
    /// The application has closed; operations are still to end.
    Closing,
    /// The close itself is under way.
    Leaving,
}

/// The multishot receive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Receive {
    Idle,
    Armed,
    Cancelling,
}

struct Conn {
    generation: u32,
    stage: Stage,
    receive: Receive,
    paused: bool,
    /// The peer has closed or the socket failed: nothing more is received.
    ended: bool,
    /// `on_closed` has been called.
    told: bool,
    /// The send under way is quiet.
    quiet: bool,
    /// The cancel of everything, for closing, is under way.
    cancelling_all: bool,
    /// Operations under way, and the cancels among them.
    inflight: u8,
    cancels: u8,
    outgoing: Option<Outgoing>,
    incoming: Option<Box<Incoming>>,
}

struct Accepting {
    fd: OwnedFd,
    unix: bool,
    armed: bool,
    /// Not before this time, after a failure.
    retry_at: Option<u64>,
}

/// How to reach the other cores of the data plane.
pub(super) struct Peers {
    /// By core: the descriptor of its ring; negative until it has one.
    pub(super) rings: Vec<AtomicI32>,
    pub(super) bells: Vec<Bell>,
}

/// One core's sockets, as the application sees them.
pub struct Io {
    ring: Ring,
    /// Entries for which the submission queue had no room.
    backlog: VecDeque<squeue::Entry>,
    conns: Vec<Conn>,
    free: Vec<u32>,
    /// Connections that are not free.
    open: usize,
    max_connections: u32,
    listeners: Vec<Accepting>,
    /// Accepted while the table was full: they get the next free slots.
    waiting: VecDeque<(usize, OwnedFd)>,
    quiet_works: bool,
    /// Quiet sends queued since the last enter, and those that it took.
    quiet_new: Vec<ConnId>,
    quiet_taken: Vec<ConnId>,
    /// Direct receives of nothing: told at the next look.
    complete_already: Vec<ConnId>,
    /// Something is to be told that no completion will wake us for.
    restless: bool,
    /// Set by the application until it has passed; and given with the last turn, for one sleep.
    deadline: Option<u64>,
    turn_deadline: Option<u64>,
    now: Now,
    core: usize,
    peers: Arc<Peers>,
    /// MSG_RING reaches a ring with DEFER_TASKRUN since 6.3; before, the bell does it.
    msg_ring_works: bool,
    /// The application takes no new connections for now.
    accept_paused: bool,
    /// Short receives that this turn's look at the ring brought.
    gathered: u32,
    stopping: bool,
}

// The verbs of the application.
impl Io {
    /// The time, as read at the start of this turn.
    pub fn now(&self) -> Now {
        self.now
    }

    /// Which core this is.
    pub fn core(&self) -> usize {
        self.core
    }

    /// How many connections are open, those that are just closing included.
    pub fn connections(&self) -> usize {
        self.open
    }

    /// Whether the connection still exists, as far as the application may use it.
    pub fn is_open(&self, conn: ConnId) -> bool {
        self.conns.get(conn.slot()).is_some_and(|c| c.generation == conn.generation && c.stage == Stage::Open)
    }

    /// Whether a send is under way, so that none may be started.
    pub fn is_sending(&self, conn: ConnId) -> bool {
        self.is_open(conn) && self.conns[conn.slot()].outgoing.is_some()
    }

    /// Sends bytes; `on_sent` gives them back as soon as all are in the socket. For sends that something
    /// waits for: the next piece, the end of the connection, reading again.
    ///
    /// # Panics
    /// Where a send of this connection is under way.
    pub fn send(&mut self, conn: ConnId, bytes: Vec<u8>) {
        self.start_send(conn, false, || Outgoing::bytes(bytes));
    }

    /// As `send`, of segments in order.
    ///
    /// # Panics
    /// Where a send of this connection is under way.
    pub fn send_vectored(&mut self, conn: ConnId, segments: Vec<Segment>) {
        self.start_send(conn, false, || Outgoing::segments(segments));
    }

    /// Sends bytes for whose end nothing waits: a reply. It leaves as fast as by `send` and costs less: where
    /// all goes into the socket at once, the core is not woken for it, and `on_sent` comes in the next turn,
    /// whatever that is for. At `end_of_turn` only a send for which the socket had no room is still under
    /// way, and of that `on_sent` tells at once.
    ///
    /// # Panics
    /// Where a send of this connection is under way.
    pub fn reply(&mut self, conn: ConnId, bytes: Vec<u8>) {
        self.start_send(conn, true, || Outgoing::bytes(bytes));
    }

    /// As `reply`, of segments in order.
    ///
    /// # Panics
    /// Where a send of this connection is under way.
    pub fn reply_vectored(&mut self, conn: ConnId, segments: Vec<Segment>) {
        self.start_send(conn, true, || Outgoing::segments(segments));
    }

    /// Stops receiving (back-pressure). What the kernel has already handed over is still delivered.
    pub fn pause_receive(&mut self, conn: ConnId) {
        if self.is_open(conn) {
            self.conns[conn.slot()].paused = true;
            self.settle(conn);
        }
    }

    /// Receives again.
    pub fn resume_receive(&mut self, conn: ConnId) {
        if self.is_open(conn) {
            self.conns[conn.slot()].paused = false;
            self.settle(conn);
        }
    }

    /// Receives the next `length` bytes to the end of `buf[..from]`, where a huge value is to be, without
    /// passing through the shared buffers. What those still bring is put in place here: `on_data` is not
    /// called before `on_direct` has given the filled buffer, and goes on with what follows it.
    ///
    /// # Panics
    /// Where `buf` is shorter than `from`, or a direct receive is under way.
    pub fn receive_direct(&mut self, conn: ConnId, buf: Vec<u8>, from: usize, length: usize) {
        if self.is_open(conn) {
            let place = &mut self.conns[conn.slot()].incoming;
            assert!(place.is_none(), "one direct receive at a time");
            *place = Some(Box::new(Incoming::new(buf, from, length)));
            match length {
                0 => {
                    self.complete_already.push(conn);
                    self.restless = true;
                }
                _ => self.settle(conn),
            }
        }
    }

    /// Takes no new connections until `resume_accept` (back-pressure): they wait in the kernel's backlog. Those
    /// that the kernel has accepted already still come.
    pub fn pause_accept(&mut self) {
        self.accept_paused = true;
        self.stop_accepting();
    }

    /// Takes new connections again.
    pub fn resume_accept(&mut self) {
        self.accept_paused = false;
        self.accept_everywhere();
    }

    /// Tells the peer that nothing more will be sent.
    pub fn shutdown_write(&mut self, conn: ConnId) {
        if self.is_open(conn) {
            self.conns[conn.slot()].inflight += 1;
            let entry = opcode::Shutdown::new(types::Fixed(conn.slot), libc::SHUT_WR).build();
            self.push(entry.user_data(user_data(Kind::Shutdown, conn)));
        }
    }

    /// Ends the connection. A send under way is cut off; wait for `on_sent` first where it matters.
    pub fn close(&mut self, conn: ConnId) {
        if self.is_open(conn) {
            self.conns[conn.slot()].stage = Stage::Closing;
            self.settle(conn);
        }
    }

    /// Sets when `on_timer` is called, on the monotonic clock in microseconds; none for never. It is
    /// forgotten when it has been called.
    pub fn set_deadline(&mut self, deadline_us: Option<u64>) {
        self.deadline = deadline_us;
    }

    /// Makes another core's `on_wake` run. It goes out with this turn's enter.
    pub fn peer_wake(&mut self, core: usize) {
        let ring = self.peers.rings[core].load(Ordering::Acquire);
        if !self.msg_ring_works || ring < 0 {
            return self.peers.bells[core].ring();
        }
        let wake = user_data(Kind::Wake, ConnId { slot: 0, generation: 0 });
        let failed = user_data(Kind::WakeFailed, ConnId { slot: core as u32, generation: 0 });
        let entry = opcode::MsgRingData::new(types::Fd(ring), 0, wake, None).build();
        self.push(entry.flags(squeue::Flags::SKIP_SUCCESS).user_data(failed));
    }
}

// What the verbs lead to.
impl Io {
    pub(super) fn ring_fd(&self) -> RawFd {
        self.ring.fd()
    }

    fn push(&mut self, entry: squeue::Entry) {
        if !self.backlog.is_empty() || !push_entry(&mut self.ring, &entry) {
            self.backlog.push_back(entry);
        }
    }

    fn start_send(&mut self, conn: ConnId, lazy: bool, outgoing: impl FnOnce() -> Outgoing) {
        if !self.is_open(conn) {
            return;
        }
        let quiet = lazy && self.quiet_works;
        let state = &mut self.conns[conn.slot()];
        assert!(state.outgoing.is_none(), "one send at a time");
        let outgoing = state.outgoing.insert(outgoing());
        state.inflight += 1;
        if outgoing.is_done() {
            // Nothing to send: it is over at the next look, as if it had been.
            state.quiet = true;
            self.quiet_new.push(conn);
            self.restless = true;
        } else if quiet && outgoing.fits_one_call() {
            state.quiet = true;
            let entry = outgoing.entry(conn.slot, quiet::FLAGS);
            self.quiet_new.push(conn);
            let entry = entry.flags(squeue::Flags::SKIP_SUCCESS).user_data(user_data(Kind::QuietSend, conn));
            self.push(entry);
        } else {
            self.push_told_send(conn);
        }
    }

    /// A send that waits for room in the socket and tells when it is done.
    fn push_told_send(&mut self, conn: ConnId) {
        let outgoing = self.conns[conn.slot()].outgoing.as_mut().expect("a send is under way");
        let entry = outgoing.entry(conn.slot, libc::MSG_WAITALL | libc::MSG_NOSIGNAL);
        self.push(entry.user_data(user_data(Kind::Send, conn)));
    }

    /// Brings what the kernel does for this connection in line with what is wanted.
    fn settle(&mut self, conn: ConnId) {
        let state = &mut self.conns[conn.slot()];
        match state.stage {
            Stage::Open => {}
            Stage::Closing => return self.settle_close(conn),
            Stage::Free | Stage::Leaving => return,
        }
        let direct = state.incoming.as_deref_mut();
        let multishot = !state.paused && !state.ended && direct.is_none();
        match (state.receive, direct) {
            (Receive::Armed, _) if !multishot => {
                state.receive = Receive::Cancelling;
                state.inflight += 1;
                state.cancels += 1;
                let entry = opcode::AsyncCancel::new(user_data(Kind::Receive, conn)).build();
                self.push(entry.user_data(user_data(Kind::Cancel, conn)));
            }
            (Receive::Idle, Some(incoming))
                if !state.ended && !incoming.is_armed() && !incoming.is_done() =>
            {
                state.inflight += 1;
                let entry = incoming.entry(conn.slot);
                self.push(entry.user_data(user_data(Kind::Direct, conn)));
            }
            (Receive::Idle, None) if multishot => {
                state.receive = Receive::Armed;
                state.inflight += 1;
                let entry = opcode::RecvMulti::new(types::Fixed(conn.slot), buffers::GROUP).build();
                self.push(entry.user_data(user_data(Kind::Receive, conn)));
            }
            _ => {}
        }
    }

    fn settle_close(&mut self, conn: ConnId) {
        let state = &mut self.conns[conn.slot()];
        if state.inflight == 0 {
            state.stage = Stage::Leaving;
            let entry = opcode::Close::new(types::Fixed(conn.slot)).build();
            self.push(entry.user_data(user_data(Kind::Close, conn)));
        } else if !state.cancelling_all && state.inflight > state.cancels + u8::from(state.quiet) {
            // Close(Fixed) alone would leave an armed receive, and with it the socket, alive.
            state.cancelling_all = true;
            state.inflight += 1;
            state.cancels += 1;
            let builder = types::CancelBuilder::fd(types::Fixed(conn.slot)).all();
            let entry = opcode::AsyncCancel2::new(builder).build();
            self.push(entry.user_data(user_data(Kind::CancelAll, conn)));
        }
    }

    /// Arms the listeners that are not, as long as there is room.
    fn accept_everywhere(&mut self) {
        if self.stopping || self.accept_paused || self.open >= self.max_connections as usize {
            return;
        }
        for listener in 0..self.listeners.len() {
            let accepting = &mut self.listeners[listener];
            if accepting.armed || accepting.retry_at.is_some_and(|at| at > self.now.mono_us) {
                continue;
            }
            accepting.armed = true;
            accepting.retry_at = None;
            let entry = opcode::AcceptMulti::new(types::Fd(accepting.fd.as_raw_fd()))
                .flags(libc::SOCK_CLOEXEC)
                .build();
            self.push(entry.user_data(user_data(Kind::Accept, accept_id(listener))));
        }
    }

    /// What comes from now on waits in the kernel's backlog.
    fn stop_accepting(&mut self) {
        for listener in 0..self.listeners.len() {
            if self.listeners[listener].armed {
                let accept = user_data(Kind::Accept, accept_id(listener));
                let entry = opcode::AsyncCancel::new(accept).build();
                self.push(entry.user_data(user_data(Kind::AcceptCancel, accept_id(listener))));
            }
        }
    }

    /// Makes room in the completion queue known to the kernel, which moves in what overflowed.
    fn enter_for_overflow(&mut self) -> std::io::Result<()> {
        self.ring.enter(0, None).map(drop)
    }

    /// Submits everything; waits for so many completions.
    fn enter(&mut self, wait: u32, timeout_us: Option<u64>) -> std::io::Result<()> {
        loop {
            while let Some(entry) = self.backlog.front() {
                if !push_entry(&mut self.ring, entry) {
                    break;
                }
                self.backlog.pop_front();
            }
            let last = self.backlog.is_empty();
            let entered = self.ring.enter(if last { wait } else { 0 }, timeout_us)?;
            let all_taken = last && self.ring.unsubmitted() == 0;
            if all_taken {
                self.quiet_taken.append(&mut self.quiet_new);
            }
            // Where the kernel took less than everything, it wants its completions looked at first.
            if last || entered == Entered::TimedOut || self.ring.unsubmitted() > 0 {
                return Ok(());
            }
        }
    }
}

#[allow(unsafe_code)]
fn push_entry(ring: &mut Ring, entry: &squeue::Entry) -> bool {
    // SAFETY: the entries of this module carry addresses only of `Outgoing` and `Incoming`, which keep their
    // heap memory in place until `completed` and leak it if dropped before, and of nothing else.
    unsafe { ring.push(entry) }
}

/// The loop of one core.
pub(super) struct Loop<A> {
    io: Io,
    buffers: Buffers,
    bell: Bell,
    app: A,
}

impl<A: CoreApp> Loop<A> {
    /// Sets everything up but the application, on the core's own thread.
    pub(super) fn prepare(config: &mut LoopConfig, peers: Arc<Peers>) -> Result<(Io, Buffers), StartError> {
        let mut ring = Ring::new(config.ring.submissions, config.ring.completions)?;
        let max_connections = config.max_connections.clamp(1, MOST_CONNECTIONS);
        ring.submitter()
            .register_files_sparse(max_connections)
            .map_err(|error| StartError::Files { count: max_connections, error })?;
        let sizes = &config.ring;
        let buffers = Buffers::new(
            &ring.submitter(),
            sizes.receive_buffers.next_power_of_two(),
            sizes.receive_buffer_bytes,
            sizes.incremental_buffers,
        )
        .map_err(StartError::Buffers)?;
        let quiet_works = config.quiet_sends && quiet::works(&mut ring);
        let accepting =
            |Listener { fd, unix }: Listener| Accepting { fd, unix, armed: false, retry_at: None };
        let io = Io {
            ring,
            backlog: VecDeque::new(),
            conns: Vec::new(),
            free: Vec::new(),
            open: 0,
            max_connections,
            listeners: config.listeners.drain(..).map(accepting).collect(),
            waiting: VecDeque::new(),
            quiet_works,
            quiet_new: Vec::new(),
            quiet_taken: Vec::new(),
            complete_already: Vec::new(),
            restless: false,
            deadline: None,
            turn_deadline: None,
            now: clock::now(),
            core: config.core,
            peers,
            msg_ring_works: crate::thread::kernel_version() >= (6, 3),
            accept_paused: false,
            gathered: 0,
            stopping: false,
        };
        Ok((io, buffers))
    }

    pub(super) fn with_app(io: Io, buffers: Buffers, bell: Bell, app: A) -> Loop<A> {
        Loop { io, buffers, bell, app }
    }

    /// Runs until the application says stop.
    pub(super) fn run(mut self) -> std::io::Result<()> {
        self.listen_to_bell();
        self.io.accept_everywhere();
        loop {
            self.take_turn();
            let turn = self.app.end_of_turn(&mut self.io);
            self.buffers.publish();
            self.io.turn_deadline = None;
            match turn {
                Turn::Idle { deadline } => {
                    self.io.turn_deadline = deadline;
                    self.sleep()?;
                }
                Turn::MoreWork => self.glance()?,
                Turn::Stop => return self.stop(),
            }
        }
    }

    /// Everything that happened since the last look.
    fn take_turn(&mut self) {
        self.io.now = clock::now();
        self.io.gathered = 0;
        self.reap();
        self.end_quiet_sends();
        while let Some(conn) = self.io.complete_already.pop() {
            complete_direct(&mut self.app, &mut self.io, conn);
        }
        if self.io.listeners.iter().any(|l| l.retry_at.is_some_and(|at| at <= self.io.now.mono_us)) {
            self.io.accept_everywhere();
        }
        let now = self.io.now;
        let passed = |deadline: Option<u64>| deadline.is_some_and(|at| at <= now.mono_us);
        if passed(self.io.deadline) || passed(self.io.turn_deadline) {
            self.io.deadline = self.io.deadline.filter(|at| *at > now.mono_us);
            self.app.on_timer(&mut self.io, now);
        }
    }

    fn sleep(&mut self) -> std::io::Result<()> {
        if std::mem::take(&mut self.io.restless) || !self.app.may_sleep() {
            return self.glance();
        }
        let retry = self.io.listeners.iter().filter_map(|l| l.retry_at).min();
        let deadline = [self.io.turn_deadline, self.io.deadline, retry].into_iter().flatten().min();
        // The turn may have been long: its own reading of the clock would let us sleep as much too long.
        let timeout = deadline.map(|at| at.saturating_sub(clock::mono_us()));
        let (wait, timeout) = match (timeout, self.io.gathered) {
            (Some(0), _) => (0, None),
            (_, gathered @ GATHER..) => {
                (gathered.min(GATHER_MOST), Some(timeout.unwrap_or(u64::MAX).min(GATHER_US)))
            }
            _ => (1, timeout),
        };
        let result = self.io.enter(wait, timeout);
        self.app.woke();
        result
    }

    /// Submits what there is and takes what is ready, without sleeping; no system call if there is neither.
    fn glance(&mut self) -> std::io::Result<()> {
        let io = &mut self.io;
        if io.ring.unsubmitted() > 0 || !io.backlog.is_empty() || io.ring.has_hidden_work() {
            return io.enter(0, None);
        }
        io.quiet_taken.append(&mut io.quiet_new);
        Ok(())
    }

    fn reap(&mut self) {
        const AT_ONCE: usize = 64;
        let mut entries = [const { MaybeUninit::<cqueue::Entry>::uninit() }; AT_ONCE];
        loop {
            let entries = self.io.ring.fill(&mut entries);
            for entry in entries {
                self.complete(entry);
            }
            if entries.len() < AT_ONCE {
                return;
            }
        }
    }

    fn complete(&mut self, entry: &cqueue::Entry) {
        let (data, result, flags) = (entry.user_data(), entry.result(), entry.flags());
        let Some(&kind) = KINDS.get(((data >> 56) as usize).wrapping_sub(1)) else { return };
        let conn = ConnId { slot: (data >> 32) as u32 & (MOST_CONNECTIONS - 1), generation: data as u32 };
        match kind {
            Kind::Receive => self.received(conn, result, flags),
            Kind::QuietSend => self.quiet_send_spoke(conn, result),
            Kind::Send => self.send_ended(conn, result),
            Kind::Direct => self.direct_ended(conn, result),
            Kind::Cancel | Kind::CancelAll => self.cancel_ended(conn, kind, result),
            Kind::Shutdown => self.operation_ended(conn),
            Kind::Close => self.closed(conn),
            Kind::Accept => self.accepted(conn.slot(), result, cqueue::more(flags)),
            Kind::AcceptCancel | Kind::WakeFailed => {}
            Kind::Bell => {
                if !cqueue::more(flags) {
                    self.listen_to_bell();
                }
                self.bell.heard();
                self.wake_app();
            }
            Kind::Wake => {
                // Other cores wait for our answers, and we for theirs.
                self.io.gathered = 0;
                self.wake_app();
            }
        }
    }

    fn wake_app(&mut self) {
        if !self.io.stopping {
            self.app.on_wake(&mut self.io);
        }
    }

    fn listen_to_bell(&mut self) {
        let poll = opcode::PollAdd::new(types::Fd(self.bell.fd()), libc::POLLIN as u32).multi(true).build();
        self.io.push(poll.user_data(user_data(Kind::Bell, ConnId { slot: 0, generation: 0 })));
    }

    /// A completion of the multishot receive.
    fn received(&mut self, conn: ConnId, result: i32, flags: u32) {
        // A pipeline has gathered by itself.
        self.io.gathered += u32::from(result <= GATHER_BYTES);
        let received = cqueue::buffer_select(flags)
            .map(|id| self.buffers.received(id, result.max(0) as usize, cqueue::buffer_more(flags)));
        if !cqueue::more(flags) {
            let state = &mut self.io.conns[conn.slot()];
            state.receive = Receive::Idle;
            state.inflight -= 1;
        }
        if let Some(received) = received {
            if result > 0 {
                self.deliver(conn, &received);
            }
            self.buffers.finished(received);
        }
        match -result {
            // 0 bytes: the peer has closed. But a cancelled receive may end with nothing, too.
            0 if !cqueue::more(flags) => self.end_receiving(conn, CloseReason::PeerClosed),
            // The buffers ran dry; they are back before the new receive looks. Or we cancelled it.
            libc::ENOBUFS | libc::ECANCELED | libc::EINTR | libc::EAGAIN => {}
            errno if errno > 0 => self.end_receiving(conn, CloseReason::Error(errno)),
            _ => {}
        }
        if !cqueue::more(flags) {
            self.io.settle(conn);
        }
    }

    fn deliver(&mut self, conn: ConnId, received: &buffers::Received) {
        if !self.io.is_open(conn) {
            return;
        }
        let mut bytes = self.buffers.bytes(received);
        // As long as a direct receive waits for its turn, what comes belongs to it first.
        while let Some(incoming) = self.io.conns[conn.slot()].incoming.as_deref_mut() {
            bytes = incoming.append(bytes);
            if !complete_direct(&mut self.app, &mut self.io, conn) || !self.io.is_open(conn) {
                return;
            }
        }
        if !bytes.is_empty() {
            self.app.on_data(&mut self.io, conn, bytes);
        }
    }

    fn end_receiving(&mut self, conn: ConnId, reason: CloseReason) {
        let state = &mut self.io.conns[conn.slot()];
        state.ended = true;
        if state.stage == Stage::Open && !state.told {
            state.told = true;
            self.app.on_closed(&mut self.io, conn, reason);
        }
    }

    /// An operation without a result of interest has ended.
    fn operation_ended(&mut self, conn: ConnId) {
        self.io.conns[conn.slot()].inflight -= 1;
        self.io.settle(conn);
    }

    /// A direct receive came to an end: all of it, or as much as there was.
    fn direct_ended(&mut self, conn: ConnId, result: i32) {
        let state = &mut self.io.conns[conn.slot()];
        state.inflight -= 1;
        let incoming = state.incoming.as_deref_mut().expect("it is kept until its receive ends");
        incoming.completed(result.max(0) as usize);
        if state.stage != Stage::Open {
            state.incoming = None;
        } else if !complete_direct(&mut self.app, &mut self.io, conn) {
            match -result {
                0 => self.end_receiving(conn, CloseReason::PeerClosed),
                libc::EINTR | libc::EAGAIN => {}
                errno if errno > 0 => self.end_receiving(conn, CloseReason::Error(errno)),
                _ => {}
            }
        }
        self.io.settle(conn);
    }

    /// A quiet send did not go out whole: the rest is sent aloud.
    fn quiet_send_spoke(&mut self, conn: ConnId, result: i32) {
        self.io.conns[conn.slot()].quiet = false;
        self.send_ended(conn, if result == -libc::EAGAIN { 0 } else { result });
    }

    fn send_ended(&mut self, conn: ConnId, result: i32) {
        let state = &mut self.io.conns[conn.slot()];
        let outgoing = state.outgoing.as_mut().expect("it is kept until its send ends");
        outgoing.completed(result.max(0) as usize);
        let again = result >= 0 || matches!(-result, libc::EINTR | libc::EAGAIN);
        if state.stage == Stage::Open && again && !outgoing.is_done() {
            return self.io.push_told_send(conn);
        }
        state.inflight -= 1;
        let outgoing = state.outgoing.take().expect("it was there");
        if state.stage != Stage::Open {
            return self.io.settle(conn);
        }
        if outgoing.is_done() {
            return self.app.on_sent(&mut self.io, conn, Ok(outgoing.into_sent()));
        }
        self.app.on_sent(&mut self.io, conn, Err(-result));
        if self.io.is_open(conn) {
            self.end_receiving(conn, CloseReason::Error(-result));
            self.io.settle(conn);
        }
    }

    /// The quiet sends that said nothing are done (invariant 3).
    fn end_quiet_sends(&mut self) {
        if self.io.quiet_taken.is_empty() {
            return;
        }
        while self.io.ring.has_overflowed() {
            // A failure may be among the completions for which the queue had no room.
            if self.io.enter_for_overflow().is_err() {
                break;
            }
            self.reap();
        }
        let mut taken = std::mem::take(&mut self.io.quiet_taken);
        for conn in taken.drain(..) {
            let Some(state) = self.io.conns.get_mut(conn.slot()) else { continue };
            if state.generation != conn.generation || !state.quiet {
                continue;
            }
            state.quiet = false;
            state.inflight -= 1;
            let mut outgoing = state.outgoing.take().expect("it is kept until its send ends");
            outgoing.completed_whole();
            if state.stage == Stage::Open {
                self.app.on_sent(&mut self.io, conn, Ok(outgoing.into_sent()));
            } else {
                self.io.settle(conn);
            }
        }
        // A send that a callback started is in `quiet_new`; keep this one's memory.
        self.io.quiet_taken = taken;
    }

    fn cancel_ended(&mut self, conn: ConnId, kind: Kind, result: i32) {
        let state = &mut self.io.conns[conn.slot()];
        state.inflight -= 1;
        state.cancels -= 1;
        state.cancelling_all &= kind != Kind::CancelAll;
        // Not found: its last completion may be on its way, then this asks once too often and no harm done.
        if result < 0 && state.receive == Receive::Cancelling {
            state.receive = Receive::Armed;
        }
        self.io.settle(conn);
    }

    fn closed(&mut self, conn: ConnId) {
        let state = &mut self.io.conns[conn.slot()];
        debug_assert!(state.stage == Stage::Leaving && state.inflight == 0);
        state.stage = Stage::Free;
        state.generation = state.generation.wrapping_add(1);
        state.incoming = None;
        self.io.open -= 1;
        self.io.free.push(conn.slot);
        if let Some((listener, fd)) = self.io.waiting.pop_front() {
            self.welcome(listener, fd);
        }
        if self.io.waiting.is_empty() {
            self.io.accept_everywhere();
        }
    }

    fn accepted(&mut self, listener: usize, result: i32, more: bool) {
        self.io.listeners[listener].armed = more;
        match -result {
            fd if fd <= 0 => {
                let fd = sys::own_fd(-fd as RawFd);
                if self.io.stopping {
                    drop(fd);
                } else if self.io.open < self.io.max_connections as usize {
                    self.welcome(listener, fd);
                } else {
                    self.io.waiting.push_back((listener, fd));
                }
            }
            libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM => {
                self.io.listeners[listener].retry_at = Some(self.io.now.mono_us + ACCEPT_PAUSE_US);
            }
            // One connection failed before we took it, or we cancelled.
            _ => {}
        }
        if self.io.open >= self.io.max_connections as usize {
            self.io.stop_accepting();
        } else if !more {
            self.io.accept_everywhere();
        }
    }

    /// Gives an accepted connection a slot. The address is asked for here, a system call that a multishot
    /// accept cannot save; then the file table holds the socket and its descriptor goes.
    fn welcome(&mut self, listener: usize, fd: OwnedFd) {
        let io = &mut self.io;
        let unix = io.listeners[listener].unix;
        let (fd, remote, local) = if unix { (fd, None, None) } else { addresses(fd) };
        if !unix && remote.is_none() {
            // It is gone already.
            return;
        }
        let slot = io.free.pop().unwrap_or(io.conns.len() as u32);
        if io.ring.submitter().register_files_update(slot, &[fd.as_raw_fd()]).is_err() {
            if (slot as usize) < io.conns.len() {
                io.free.push(slot);
            }
            return;
        }
        drop(fd);
        if slot as usize == io.conns.len() {
            io.conns.push(Conn::new());
        }
        let state = &mut io.conns[slot as usize];
        let generation = state.generation;
        *state = Conn { generation, stage: Stage::Open, ..Conn::new() };
        io.open += 1;
        let conn = ConnId { slot, generation };
        self.app.on_accept(io, conn, Peer { remote, local, unix, listener });
        self.io.settle(conn);
    }

    /// Closes everything and waits for it, so that no memory is freed under the kernel.
    fn stop(mut self) -> std::io::Result<()> {
        self.io.stopping = true;
        self.io.stop_accepting();
        self.io.waiting.clear();
        for slot in 0..self.io.conns.len() as u32 {
            let generation = self.io.conns[slot as usize].generation;
            self.io.close(ConnId { slot, generation });
        }
        let until = clock::mono_us() + STOP_US;
        while self.io.open > 0 && clock::mono_us() < until {
            self.io.enter(1, Some(50_000))?;
            self.reap();
            self.end_quiet_sends();
            self.buffers.publish();
        }
        let Loop { io, buffers, app, .. } = self;
        drop(app);
        let quiesced = io.open == 0;
        drop(io);
        if quiesced {
            release(buffers);
        }
        Ok(())
    }
}

#[allow(unsafe_code)]
fn release(buffers: Buffers) {
    // SAFETY: the caller has dropped the ring, with no connection and so no receive left.
    unsafe { buffers.release() }
}

/// Hands a direct receive over if it is complete; says whether it was.
fn complete_direct(app: &mut impl CoreApp, io: &mut Io, conn: ConnId) -> bool {
    if !io.is_open(conn) {
        return false;
    }
    let place = &mut io.conns[conn.slot()].incoming;
    let Some(incoming) = place.take_if(|incoming| !incoming.is_armed() && incoming.is_done()) else {
        return false;
    };
    app.on_direct(io, conn, incoming.into_bytes());
    io.settle(conn);
    true
}

fn accept_id(listener: usize) -> ConnId {
    ConnId { slot: listener as u32, generation: 0 }
}

/// Both addresses of a TCP socket; none where it is no longer connected.
fn addresses(fd: OwnedFd) -> (OwnedFd, Option<SocketAddr>, Option<SocketAddr>) {
    let stream = TcpStream::from(fd);
    let (remote, local) = (stream.peer_addr().ok(), stream.local_addr().ok());
    (stream.into(), remote, local)
}

impl Conn {
    fn new() -> Conn {
        Conn {
            generation: 0,
            stage: Stage::Free,
            receive: Receive::Idle,
            paused: false,
            ended: false,
            told: false,
            quiet: false,
            cancelling_all: false,
            inflight: 0,
            cancels: 0,
            outgoing: None,
            incoming: None,
        }
    }
}
