//! A client that hides nothing: it sends the bytes it is given, and returns the bytes of a reply.

use std::fmt;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::reply::{encode, quoted, Framer, Malformed, Value};

/// How long a reply may take unless a test says otherwise.
pub const REPLY_DEADLINE: Duration = Duration::from_secs(20);

/// Why there is no reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientError {
    /// The server closed the connection; what it had sent of an unfinished reply.
    Closed(Vec<u8>),
    /// The deadline passed; what had come of an unfinished reply.
    Timeout(Vec<u8>),
    /// The bytes are not RESP.
    Malformed(Malformed, Vec<u8>),
    /// The socket failed.
    Io(ErrorKind),
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClientError::Closed(rest) => write!(f, "connection closed after {}", quoted(rest, 200)),
            ClientError::Timeout(rest) => write!(f, "no reply in time, only {}", quoted(rest, 200)),
            ClientError::Malformed(why, rest) => write!(f, "{why}: {}", quoted(rest, 200)),
            ClientError::Io(kind) => write!(f, "socket: {kind}"),
        }
    }
}

impl std::error::Error for ClientError {}

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A port of the loopback address.
    Port(u16),
    /// A unix socket.
    Unix(PathBuf),
}

#[derive(Debug)]
enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// One connection.
#[derive(Debug)]
pub struct Client {
    stream: Stream,
    received: Vec<u8>,
    /// How much of `received` has been given away.
    taken: usize,
    deadline: Duration,
}

impl Client {
    /// Connects.
    pub fn connect(address: &Address) -> std::io::Result<Client> {
        let stream = match address {
            Address::Port(port) => {
                let stream = TcpStream::connect(("127.0.0.1", *port))?;
                stream.set_nodelay(true)?;
                Stream::Tcp(stream)
            }
            Address::Unix(path) => Stream::Unix(UnixStream::connect(path)?),
        };
        Ok(Client { stream, received: Vec::new(), taken: 0, deadline: REPLY_DEADLINE })
    }

    /// Connects to a port; panics when nobody listens.
    #[track_caller]
    pub fn to_port(port: u16) -> Client {
        Client::connect(&Address::Port(port)).unwrap_or_else(|e| panic!("connect to port {port}: {e}"))
    }

    /// Connects to a unix socket; panics when nobody listens.
    #[track_caller]
    pub fn to_unix(path: &Path) -> Client {
        Client::connect(&Address::Unix(path.into()))
            .unwrap_or_else(|e| panic!("connect to {}: {e}", path.display()))
    }

    /// The same connection with another deadline for replies.
    pub fn with_deadline(mut self, deadline: Duration) -> Client {
        self.deadline = deadline;
        self
    }

    /// Sends bytes as they are, and reads nothing.
    pub fn send_raw(&mut self, bytes: &[u8]) -> Result<(), ClientError> {
        let timeout = Some(self.deadline);
        let result = match &mut self.stream {
            Stream::Tcp(s) => s.set_write_timeout(timeout).and_then(|()| s.write_all(bytes)),
            Stream::Unix(s) => s.set_write_timeout(timeout).and_then(|()| s.write_all(bytes)),
        };
        result.map_err(|e| match e.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => ClientError::Timeout(Vec::new()),
            ErrorKind::BrokenPipe | ErrorKind::ConnectionReset => ClientError::Closed(Vec::new()),
            kind => ClientError::Io(kind),
        })
    }

    /// Writes as much as the socket takes now without waiting longer than `patience`; how much it was.
    pub fn send_some(&mut self, bytes: &[u8], patience: Duration) -> Result<usize, ClientError> {
        let result = match &mut self.stream {
            Stream::Tcp(s) => s.set_write_timeout(Some(patience)).and_then(|()| s.write(bytes)),
            Stream::Unix(s) => s.set_write_timeout(Some(patience)).and_then(|()| s.write(bytes)),
        };
        match result {
            Ok(n) => Ok(n),
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(0),
            Err(e) if matches!(e.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => {
                Err(ClientError::Closed(Vec::new()))
            }
            Err(e) => Err(ClientError::Io(e.kind())),
        }
    }

    /// Sends one command, and reads nothing.
    pub fn send<A: AsRef<[u8]>>(&mut self, args: &[A]) -> Result<(), ClientError> {
        self.send_raw(&encode(args))
    }

    /// The exact bytes of the next reply.
    pub fn read_bytes(&mut self) -> Result<Vec<u8>, ClientError> {
        let start = Instant::now();
        let mut framer = Framer::default();
        loop {
            let waiting = &self.received[self.taken..];
            match framer.end(waiting) {
                Ok(Some(end)) => {
                    let reply = waiting[..end].to_vec();
                    self.take(end);
                    return Ok(reply);
                }
                Ok(None) => {}
                Err(why) => return Err(ClientError::Malformed(why, waiting.to_vec())),
            }
            let left = self.deadline.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Err(ClientError::Timeout(self.received[self.taken..].to_vec()));
            }
            match self.receive(left) {
                Ok(0) => return Err(ClientError::Closed(self.received[self.taken..].to_vec())),
                Ok(_) => {}
                Err(ClientError::Timeout(_)) => {
                    return Err(ClientError::Timeout(self.received[self.taken..].to_vec()))
                }
                Err(other) => return Err(other),
            }
        }
    }

    /// Everything that comes until the server closes.
    pub fn read_to_close(&mut self) -> Result<Vec<u8>, ClientError> {
        let start = Instant::now();
        loop {
            let left = self.deadline.saturating_sub(start.elapsed());
            let more =
                if left.is_zero() { Err(ClientError::Timeout(Vec::new())) } else { self.receive(left) };
            match more {
                // A reset after the last byte is a close too: the server had input it never read.
                Ok(0) | Err(ClientError::Closed(_)) => {
                    let rest = self.received[self.taken..].to_vec();
                    self.take(rest.len());
                    return Ok(rest);
                }
                Ok(_) => {}
                Err(ClientError::Timeout(_)) => {
                    return Err(ClientError::Timeout(self.received[self.taken..].to_vec()))
                }
                Err(other) => return Err(other),
            }
        }
    }

    /// Reads the next reply's meaning.
    pub fn try_read(&mut self) -> Result<Value, ClientError> {
        let bytes = self.read_bytes()?;
        Value::parse(&bytes).map_err(|why| ClientError::Malformed(why, bytes))
    }

    /// One command, one reply.
    pub fn try_call<A: AsRef<[u8]>>(&mut self, args: &[A]) -> Result<Value, ClientError> {
        self.send(args)?;
        self.try_read()
    }

    /// One command, one reply; panics when there is none.
    #[track_caller]
    pub fn call<A: AsRef<[u8]>>(&mut self, args: &[A]) -> Value {
        match self.try_call(args) {
            Ok(value) => value,
            Err(e) => {
                let shown: Vec<String> = args.iter().map(|a| quoted(a.as_ref(), 60)).collect();
                panic!("{}: {e}", shown.join(" "))
            }
        }
    }

    /// Sends all commands in one write, then reads all replies.
    #[track_caller]
    pub fn pipeline(&mut self, commands: &[Vec<String>]) -> Vec<Value> {
        let bytes: Vec<u8> = commands.iter().flat_map(|c| encode(c)).collect();
        self.send_raw(&bytes).unwrap_or_else(|e| panic!("pipeline of {}: {e}", commands.len()));
        (0..commands.len())
            .map(|i| self.try_read().unwrap_or_else(|e| panic!("reply {i} of a pipeline: {e}")))
            .collect()
    }

    /// Reads once from the socket; 0 when the server has closed.
    fn receive(&mut self, patience: Duration) -> Result<usize, ClientError> {
        let mut chunk = [0u8; 64 * 1024];
        let patience = Some(patience.max(Duration::from_millis(1)));
        let result = match &mut self.stream {
            Stream::Tcp(s) => s.set_read_timeout(patience).and_then(|()| s.read(&mut chunk)),
            Stream::Unix(s) => s.set_read_timeout(patience).and_then(|()| s.read(&mut chunk)),
        };
        match result {
            Ok(n) => {
                self.received.extend_from_slice(&chunk[..n]);
                Ok(n)
            }
            Err(e) => Err(match e.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut => ClientError::Timeout(Vec::new()),
                ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => {
                    ClientError::Closed(self.received[self.taken..].to_vec())
                }
                kind => ClientError::Io(kind),
            }),
        }
    }

    /// Forgets `n` bytes, moving what is left only when it is worth it.
    fn take(&mut self, n: usize) {
        self.taken += n;
        if self.taken == self.received.len() {
            self.received.clear();
            self.taken = 0;
        } else if self.taken > 1 << 20 {
            self.received.drain(..self.taken);
            self.taken = 0;
        }
    }
}
