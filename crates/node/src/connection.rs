//! One client's connection, as its own core keeps it.
//!
//!     Ready --commands for other cores--> Away --batch comes home--> Ready
//!     Ready --CLUSTER, CONFIG SET-------> Waiting (the batch is kept here) --answer--> Ready
//!     Away  --batch comes home parked---> Blocked --claimed, or its time is over--> Away
//!     any   --peer gone-----------------> gone: what was read is still executed, replies are dropped
//!
//! 1. `input` begins at a command's first byte; it is empty while nothing is left over, so that an idle
//!    connection owns no buffer.
//! 2. At most one send is in flight (`in_flight > 0`); replies gather in `out` meanwhile.
//! 3. While a batch is out, nothing of the connection is executed here: order (rule R8).

use crate::message::{Batch, ConnId};
use crate::waiters::WaitedKey;
use commands::Session;
use resp::{Partial, Reply};
use slot::Slot;

/// Where the connection's commands are executed now.
#[derive(Debug, Default)]
pub enum Whereabouts {
    /// Here.
    #[default]
    Ready,
    /// A batch travels, tours, waits for a lock or for the end of a pause.
    Away,
    /// The control plane answers the next command of this batch.
    Waiting(Box<Batch>),
    /// The next command of this batch waits for a key (rule R7).
    Blocked(Box<Batch>),
}

/// A claim that came while the batch was away.
#[derive(Debug)]
pub struct Missed {
    /// Who claimed.
    pub home: u8,
    /// The slot of the key.
    pub slot: Slot,
    /// The key.
    pub key: WaitedKey,
    /// Of which wait.
    pub number: u64,
}

/// A big value that is being received straight into its place.
#[derive(Debug)]
pub struct BigValue {
    /// What came of it so far, until the shell is asked.
    pub buffer: Vec<u8>,
    /// Bytes that make it whole, CRLF included.
    pub whole: usize,
    /// The buffer is with the shell.
    pub asked: bool,
}

/// One connection.
#[derive(Debug)]
pub struct Connection {
    /// Its name.
    pub id: ConnId,
    /// The client's state. While a batch is out: as it was at the departure.
    pub session: Session,
    /// Received and not executed, from a command's start on.
    pub input: Vec<u8>,
    /// The parser's place inside an unfinished command.
    pub partial: Partial,
    /// A value that is received apart.
    pub big: Option<BigValue>,
    /// Replies that the shell has not taken.
    pub out: Reply,
    /// Bytes of replies that the shell is sending.
    pub in_flight: usize,
    /// Where its commands run.
    pub whereabouts: Whereabouts,
    /// Claims that came while the batch was away.
    pub missed: Vec<Missed>,
    /// The shell was told to stop receiving.
    pub receive_paused: bool,
    /// The peer is gone, or was told to go: nothing is sent any more.
    pub gone: bool,
    /// It is gone with commands left to run, and counted as such.
    pub lingers: bool,
    /// Close when all replies are out.
    pub close_after_replies: bool,
    /// It is in the core's list of connections with work left.
    pub runnable: bool,
    /// It is in the core's list of connections with replies.
    pub has_replies: bool,
    /// When it connected, unix microseconds.
    pub since_us: u64,
    /// Its last command, unix microseconds.
    pub last_us: u64,
    /// Since when its replies are above the soft limit, unix milliseconds.
    pub above_soft_since_ms: Option<u64>,
}

impl Connection {
    /// A new connection of a client in this state.
    pub fn new(id: ConnId, session: Session, now_us: u64) -> Connection {
        let out = Reply::new(session.protocol);
        Connection {
            id,
            session,
            input: Vec::new(),
            partial: Partial::default(),
            big: None,
            out,
            in_flight: 0,
            whereabouts: Whereabouts::Ready,
            missed: Vec::new(),
            receive_paused: false,
            gone: false,
            lingers: false,
            close_after_replies: false,
            runnable: false,
            has_replies: false,
            since_us: now_us,
            last_us: now_us,
            above_soft_since_ms: None,
        }
    }

    /// Whether its commands may be executed here now.
    pub fn is_ready(&self) -> bool {
        matches!(self.whereabouts, Whereabouts::Ready)
    }

    /// Whether nothing of it is under way: what waits for a key may wait for ever.
    pub fn is_idle(&self) -> bool {
        matches!(self.whereabouts, Whereabouts::Ready | Whereabouts::Blocked(_))
    }

    /// Bytes received and not executed.
    pub fn query_bytes(&self) -> usize {
        self.input.len() + self.big.as_ref().map_or(0, |big| big.buffer.len())
    }

    /// Bytes of replies not yet sent.
    pub fn output_bytes(&self) -> usize {
        self.out.len() + self.in_flight
    }
}
