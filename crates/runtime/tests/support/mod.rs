//! An application for the tests: it echoes, with back-pressure, and obeys a few first bytes.
//!
//! A connection's first byte says what it wants: `e` echo; `d` eight bytes of length (big endian), then so
//! many bytes, received directly, of which the sum goes back; `q` one byte `!` and the end; `x` the end at once;
//! `p` no new connections until it sends more.
#![allow(dead_code)]

use runtime::clock::Now;
use runtime::data::*;
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;
use std::time::Duration;

/// Above this many bytes unsent, a connection is not read.
pub const HIGH_WATER: usize = 1 << 20;

#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    Accepted(ConnId, Peer),
    Closed(ConnId, CloseReason),
    /// All connections are gone.
    Empty,
    Timer(u64),
    /// A connection is not read, or none is accepted, for the time being.
    Paused,
}

#[derive(Default)]
struct Client {
    mode: Option<u8>,
    header: Vec<u8>,
    out: Vec<u8>,
    paused: bool,
    dirty: bool,
    ending: bool,
    spare: Vec<u8>,
}

pub struct Echo {
    clients: Vec<Client>,
    dirty: Vec<ConnId>,
    events: mpsc::Sender<Event>,
    stop: runtime::mailbox::Receiver<()>,
    stopping: bool,
    had_any: bool,
    vectored: bool,
}

impl Echo {
    fn client(&mut self, conn: ConnId) -> &mut Client {
        &mut self.clients[conn.slot()]
    }

    fn mark(&mut self, conn: ConnId) {
        if !std::mem::replace(&mut self.client(conn).dirty, true) {
            self.dirty.push(conn);
        }
    }

    fn end(&mut self, io: &mut Io, conn: ConnId) {
        io.close(conn);
        assert!(!io.is_open(conn));
    }
}

impl CoreApp for Echo {
    fn on_accept(&mut self, io: &mut Io, conn: ConnId, peer: Peer) {
        assert!(io.is_open(conn));
        if self.clients.len() <= conn.slot() {
            self.clients.resize_with(conn.slot() + 1, Client::default);
        }
        *self.client(conn) = Client::default();
        self.had_any = true;
        let _ = self.events.send(Event::Accepted(conn, peer));
    }

    fn on_data(&mut self, io: &mut Io, conn: ConnId, mut bytes: &[u8]) {
        let client = &mut self.clients[conn.slot()];
        if client.mode.is_none() {
            client.mode = Some(bytes[0]);
            bytes = &bytes[1..];
        }
        match client.mode {
            Some(b'e') => {
                client.out.extend_from_slice(bytes);
                if client.out.len() > HIGH_WATER && !client.paused {
                    client.paused = true;
                    io.pause_receive(conn);
                    let _ = self.events.send(Event::Paused);
                }
                self.mark(conn);
            }
            Some(b'd') => {
                let missing = 8 - client.header.len();
                let (head, rest) = bytes.split_at(bytes.len().min(missing));
                client.header.extend_from_slice(head);
                if client.header.len() == 8 {
                    let length = u64::from_be_bytes(client.header[..].try_into().unwrap()) as usize;
                    client.header.clear();
                    // What has come already is at its place; the rest of the bytes, if any, follows it.
                    let (mine, after) = rest.split_at(rest.len().min(length));
                    assert!(after.is_empty(), "the tests send one value at a time");
                    io.receive_direct(conn, mine.to_vec(), mine.len(), length - mine.len());
                }
            }
            Some(b'q') => {
                client.out.push(b'!');
                client.ending = true;
                self.mark(conn);
            }
            Some(b'x') => self.end(io, conn),
            Some(b'p') => match bytes.is_empty() {
                true => {
                    io.pause_accept();
                    let _ = self.events.send(Event::Paused);
                }
                false => io.resume_accept(),
            },
            other => panic!("mode {other:?}"),
        }
    }

    fn on_direct(&mut self, _io: &mut Io, conn: ConnId, buf: Vec<u8>) {
        let sum: u64 = buf.iter().map(|byte| u64::from(*byte)).sum();
        self.client(conn).out.extend_from_slice(&sum.to_be_bytes());
        self.mark(conn);
    }

    fn on_sent(&mut self, io: &mut Io, conn: ConnId, result: Result<Sent, i32>) {
        let Ok(sent) = result else { return };
        let ended = self.client(conn).ending && self.client(conn).out.is_empty();
        if let Sent::Bytes(mut bytes) = sent {
            bytes.clear();
            self.client(conn).spare = bytes;
        }
        if ended {
            return self.end(io, conn);
        }
        self.mark(conn);
    }

    fn on_closed(&mut self, io: &mut Io, conn: ConnId, reason: CloseReason) {
        let _ = self.events.send(Event::Closed(conn, reason));
        self.end(io, conn);
    }

    fn on_wake(&mut self, _io: &mut Io) {
        self.stopping |= self.stop.try_pop().is_some();
    }

    fn on_timer(&mut self, _io: &mut Io, now: Now) {
        let _ = self.events.send(Event::Timer(now.mono_us));
    }

    fn end_of_turn(&mut self, io: &mut Io) -> Turn {
        let mut dirty = std::mem::take(&mut self.dirty);
        for conn in dirty.drain(..) {
            self.client(conn).dirty = false;
            if !io.is_open(conn) || io.is_sending(conn) {
                continue;
            }
            let vectored = self.vectored;
            let client = &mut self.clients[conn.slot()];
            if client.out.is_empty() {
                continue;
            }
            let spare = std::mem::take(&mut client.spare);
            let out = std::mem::replace(&mut client.out, spare);
            if client.paused && client.out.len() <= HIGH_WATER {
                client.paused = false;
                io.resume_receive(conn);
            }
            if vectored {
                // Cut in odd places, every other piece shared.
                let out = std::sync::Arc::new(out);
                let pieces = out.len() / 1000 + 1;
                let at = |i: usize| out.len() * i / pieces;
                let segments = (0..pieces)
                    .map(|i| match i % 2 {
                        0 => Segment::Shared(out.clone(), at(i)..at(i + 1)),
                        _ => Segment::Bytes(out[at(i)..at(i + 1)].to_vec()),
                    })
                    .collect();
                match client.ending {
                    true => io.send_vectored(conn, segments),
                    false => io.reply_vectored(conn, segments),
                }
            } else if client.ending {
                io.send(conn, out);
            } else {
                io.reply(conn, out);
            }
        }
        self.dirty = dirty;
        if self.had_any && io.connections() == 0 {
            self.had_any = false;
            let _ = self.events.send(Event::Empty);
        }
        match self.stopping {
            true => Turn::Stop,
            false => Turn::Idle { deadline: None },
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub struct Options {
    pub sizes: RingSizes,
    pub quiet_sends: bool,
    pub max_connections: u32,
    pub vectored: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options { sizes: RingSizes::default(), quiet_sends: true, max_connections: 1000, vectored: false }
    }
}

/// Every way in which the loop can be set up.
pub fn all_ways() -> Vec<Options> {
    let tiny = RingSizes {
        submissions: 8,
        completions: 16,
        receive_buffers: 4,
        receive_buffer_bytes: 512,
        ..RingSizes::default()
    };
    let mut ways = Vec::new();
    for sizes in [RingSizes::default(), tiny] {
        for incremental_buffers in [true, false] {
            for quiet_sends in [true, false] {
                for vectored in [true, false] {
                    let sizes = RingSizes { incremental_buffers, ..sizes };
                    ways.push(Options { sizes, quiet_sends, vectored, ..Options::default() });
                }
            }
        }
    }
    ways
}

pub struct Server {
    pub addr: SocketAddr,
    pub events: mpsc::Receiver<Event>,
    plane: Option<DataPlane>,
    stop: runtime::mailbox::Sender<()>,
}

impl Server {
    pub fn start(options: Options) -> Server {
        Server::start_with(options, Vec::new())
    }

    pub fn start_with(options: Options, more: Vec<Listener>) -> Server {
        let listener = Listener::tcp("127.0.0.1:0".parse().unwrap(), TcpOptions::default()).unwrap();
        let addr = listener.local_addr().unwrap();
        let mut config = LoopConfig::new(0).unwrap();
        config.ring = options.sizes;
        config.quiet_sends = options.quiet_sends;
        config.max_connections = options.max_connections;
        config.listeners.push(listener);
        config.listeners.extend(more);
        let (stop, stopped) = runtime::mailbox::mailbox(4, runtime::mailbox::Notify::Core(config.bell()));
        let (send, events) = mpsc::channel();
        let app = move || Echo {
            clients: Vec::new(),
            dirty: Vec::new(),
            events: send,
            stop: stopped,
            stopping: false,
            had_any: false,
            vectored: options.vectored,
        };
        let plane = DataPlane::start(vec![CoreSpec { config, app }]).unwrap();
        Server { addr, events, plane: Some(plane), stop }
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.addr).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.set_write_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    /// The next event that is wanted; others are passed over.
    pub fn wait_for(&self, mut wanted: impl FnMut(&Event) -> bool) -> Event {
        loop {
            let event = self.events.recv_timeout(Duration::from_secs(20)).expect("an event in time");
            if wanted(&event) {
                return event;
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.stop.try_push(());
        for result in self.plane.take().unwrap().join() {
            if !std::thread::panicking() {
                result.unwrap();
            }
        }
    }
}

/// Bytes that differ from place to place.
pub fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i as u32).wrapping_mul(2654435761).to_be_bytes()[0]).collect()
}
