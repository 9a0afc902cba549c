//! The data plane: one pinned thread a core, each with a ring, its own listening sockets and connections.
//!
//! The application (`server` over the pure `node`) is a set of callbacks; it never waits and never sees a
//! socket. A turn of the loop:
//!
//!     completions --> on_accept, on_data, on_direct, on_closed, on_wake
//!                 --> on_sent for what this turn's look at the ring shows as gone
//!                 --> on_timer where the deadline has passed
//!                 --> end_of_turn: seal, then send (R1), push messages, wake peers
//!                 --> may_sleep (R6), then one io_uring_enter: submits everything, waits for the next
//!
//! 1. One system call a turn. Accepting costs a few more; sending and receiving none.
//! 2. A connection has at most one send under way. Short sends are continued here.
//! 3. `on_closed` comes once, and only while the application has not closed. After `close` the application
//!    hears nothing more of the connection, and its `ConnId` means nothing.
//! 4. A slot is given to a new connection only when every operation of the old one has ended: stale
//!    completions cannot be; stale `ConnId`s (a reply from another core) are known by their generation.
//! 5. Bytes given to `on_data` are in the kernel's buffer and are valid for the call only.
//!
//! Not here: what bytes mean, who owns which slot, output limits (`node`); queues between cores (`spsc`).

mod bell;
mod buffers;
mod io;
mod listen;
mod outgoing;
mod plane;
mod quiet;
mod ring;

use crate::clock::Now;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;

pub use bell::Bell;
pub use io::Io;
pub use listen::{Listener, TcpOptions};
pub(crate) use plane::panic_message;
pub use plane::{CoreFailure, CoreSpec, DataPlane, LoopConfig, RingSizes};

/// One connection of one core. Small enough to travel with a batch and come back after the connection has
/// ended: then every verb ignores it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConnId {
    slot: u32,
    generation: u32,
}

impl ConnId {
    /// The place of the connection in its core's table: dense, reused, below `max_connections`.
    pub fn slot(self) -> usize {
        self.slot as usize
    }

    /// All of it in one number, for whom stores it.
    pub fn to_u64(self) -> u64 {
        u64::from(self.slot) << 32 | u64::from(self.generation)
    }

    /// The inverse of `to_u64`.
    pub fn from_u64(number: u64) -> ConnId {
        ConnId { slot: (number >> 32) as u32, generation: number as u32 }
    }
}

/// Who connected, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// The client's address; none for a unix socket.
    pub remote: Option<SocketAddr>,
    /// Our address as the client sees it; none for a unix socket.
    pub local: Option<SocketAddr>,
    /// Whether it came by a unix socket.
    pub unix: bool,
    /// Which of the configured listeners it came by.
    pub listener: usize,
}

/// A piece of a vectored send.
#[derive(Debug)]
pub enum Segment {
    /// Bytes of this send alone.
    Bytes(Vec<u8>),
    /// A part of bytes that others use too: a big value, a message to many subscribers.
    Shared(Arc<Vec<u8>>, Range<usize>),
}

impl Segment {
    /// The bytes that are to be sent.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Segment::Bytes(bytes) => bytes,
            Segment::Shared(bytes, range) => &bytes[range.clone()],
        }
    }
}

/// What has been sent, given back for reuse.
#[derive(Debug)]
pub enum Sent {
    /// The buffer of a `send`.
    Bytes(Vec<u8>),
    /// The segments of a `send_vectored`.
    Segments(Vec<Segment>),
}

/// Why a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// The peer sends nothing more. It may still read.
    PeerClosed,
    /// The socket failed, with this errno.
    Error(i32),
}

/// What the loop does after a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Sleep until something happens, at most until this time on the monotonic clock (microseconds).
    Idle {
        /// When `on_timer` is wanted at the latest; `set_deadline` may ask for an earlier time.
        deadline: Option<u64>,
    },
    /// Do not sleep: look at the ring and call again.
    MoreWork,
    /// Close everything and end the thread.
    Stop,
}

/// What runs on a core. All calls come from the core's thread.
pub trait CoreApp {
    /// A client connected. Receiving starts by itself.
    fn on_accept(&mut self, io: &mut Io, conn: ConnId, peer: Peer);

    /// Bytes came, in order. They are valid for the call only.
    fn on_data(&mut self, io: &mut Io, conn: ConnId, bytes: &[u8]);

    /// A direct receive is complete: `buf` holds all that was asked for.
    fn on_direct(&mut self, io: &mut Io, conn: ConnId, buf: Vec<u8>);

    /// The send under way has ended; another may start. Gives the buffers back, or the errno; a failed send
    /// is followed by `on_closed`.
    fn on_sent(&mut self, io: &mut Io, conn: ConnId, result: Result<Sent, i32>);

    /// The peer has closed, or the socket failed. Nothing more will be received; `close` is still to be
    /// called. Comes once.
    fn on_closed(&mut self, io: &mut Io, conn: ConnId, reason: CloseReason);

    /// Somebody woke this core: a peer's ring or a mailbox may hold messages.
    fn on_wake(&mut self, io: &mut Io);

    /// The deadline has passed.
    fn on_timer(&mut self, io: &mut Io, now: Now);

    /// Everything that happened has been told. The application seals its effects, sends, pushes messages to
    /// other cores, wakes those that sleep, and says how to go on.
    fn end_of_turn(&mut self, io: &mut Io) -> Turn;

    /// Asked before sleeping (R6): raise the sleep flag and look at the inbound rings once more; false where
    /// something waits. `spsc::Endpoints::prepare_sleep` does both.
    fn may_sleep(&mut self) -> bool {
        true
    }

    /// The sleep that `may_sleep` allowed is over: take the flag down.
    fn woke(&mut self) {}
}

/// Why a core could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The kernel gave no ring.
    #[error("cannot set up io_uring: {0}")]
    Ring(std::io::Error),
    /// The table of connections could not be registered.
    #[error("cannot register {count} connections with io_uring: {error}")]
    Files {
        /// How many were asked for.
        count: u32,
        /// What the kernel said.
        error: std::io::Error,
    },
    /// The receive buffers could not be registered.
    #[error("cannot register receive buffers: {0}")]
    Buffers(std::io::Error),
    /// The thread could not be started or pinned.
    #[error("cannot start the thread of core {core}: {error}")]
    Thread {
        /// Which core.
        core: usize,
        /// What the system said.
        error: std::io::Error,
    },
}
