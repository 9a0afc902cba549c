//! What the loop itself costs: a server that answers +PONG to every command of `redis-benchmark -t
//! ping_mbulk`, counted by their asterisks.
//!
//!     cargo run --release --example pong -- 7777 [told] [whole] [buffers=N] [bytes=N]
//!
//! `told` makes every send a completion, `whole` gives a buffer to each receive.

use runtime::clock::Now;
use runtime::data::*;

#[derive(Default)]
struct Client {
    owed: usize,
    spare: Vec<u8>,
}

struct Pong {
    told: bool,
    clients: Vec<Client>,
    dirty: Vec<ConnId>,
}

impl CoreApp for Pong {
    fn on_accept(&mut self, _: &mut Io, conn: ConnId, _: Peer) {
        if self.clients.len() <= conn.slot() {
            self.clients.resize_with(conn.slot() + 1, Client::default);
        }
        self.clients[conn.slot()].owed = 0;
    }

    fn on_data(&mut self, _: &mut Io, conn: ConnId, bytes: &[u8]) {
        let client = &mut self.clients[conn.slot()];
        if client.owed == 0 {
            self.dirty.push(conn);
        }
        client.owed += bytes.iter().filter(|byte| **byte == b'*').count();
    }

    fn on_direct(&mut self, _: &mut Io, _: ConnId, _: Vec<u8>) {}

    fn on_sent(&mut self, _: &mut Io, conn: ConnId, result: Result<Sent, i32>) {
        let client = &mut self.clients[conn.slot()];
        if let Ok(Sent::Bytes(bytes)) = result {
            client.spare = bytes;
        }
        if client.owed > 0 {
            self.dirty.push(conn);
        }
    }

    fn on_closed(&mut self, io: &mut Io, conn: ConnId, _: CloseReason) {
        io.close(conn);
    }

    fn on_wake(&mut self, _: &mut Io) {}
    fn on_timer(&mut self, _: &mut Io, _: Now) {}

    fn end_of_turn(&mut self, io: &mut Io) -> Turn {
        for conn in self.dirty.drain(..) {
            let client = &mut self.clients[conn.slot()];
            if !io.is_open(conn) || io.is_sending(conn) || client.owed == 0 {
                continue;
            }
            let mut bytes = std::mem::take(&mut client.spare);
            bytes.clear();
            for _ in 0..std::mem::take(&mut client.owed) {
                bytes.extend_from_slice(b"+PONG\r\n");
            }
            match self.told {
                true => io.send(conn, bytes),
                false => io.reply(conn, bytes),
            }
        }
        Turn::Idle { deadline: Some(io.now().mono_us + 100_000) }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let port: u16 = arguments.first().ok_or("a port is missing")?.parse()?;
    let number = |name: &str| arguments.iter().find_map(|a| a.strip_prefix(name)?.parse::<usize>().ok());
    let mut config = LoopConfig::new(0)?;
    config.listeners.push(Listener::tcp(([127, 0, 0, 1], port).into(), TcpOptions::default())?);
    config.ring.incremental_buffers = !arguments.iter().any(|a| a == "whole");
    if let Some(count) = number("buffers=") {
        config.ring.receive_buffers = count as u16;
    }
    if let Some(bytes) = number("bytes=") {
        config.ring.receive_buffer_bytes = bytes;
    }
    let told = arguments.iter().any(|a| a == "told");
    let app = move || Pong { told, clients: Vec::new(), dirty: Vec::new() };
    for result in DataPlane::start(vec![CoreSpec { config, app }])?.join() {
        result?;
    }
    Ok(())
}
