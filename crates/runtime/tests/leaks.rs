//! Nothing stays behind: descriptors, slots, memory of idle connections. Alone in its process, since it
//! counts what the process holds.

mod support;

use std::io::{Read, Write};
use support::{pattern, Event, Options, Server};

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

#[test]
fn nothing_stays_behind() {
    let before_all = descriptors();
    let bytes = pattern(300_000);
    for quiet_sends in [true, false] {
        let server = Server::start(Options { quiet_sends, ..Options::default() });
        let before = descriptors();
        let mut slots = 0;
        for round in 0..30 {
            for n in 0..10 {
                let mut stream = server.connect();
                // Ended in every state: idle, in the middle of an echo that nobody reads, of a direct
                // receive, by a reset, by the server.
                let mode = (round + n) % 5;
                stream.write_all([b"e", b"e", b"d", b"e", b"x"][mode]).unwrap();
                match mode {
                    1 | 3 => stream.write_all(&bytes).unwrap(),
                    2 => {
                        stream.write_all(&1_000_000u64.to_be_bytes()).unwrap();
                        stream.write_all(&bytes).unwrap();
                    }
                    _ => {}
                }
                if mode == 3 {
                    // Closed with unread bytes, a socket resets the connection.
                    let _ = stream.read(&mut [0; 10]);
                }
            }
            server.wait_for(|event| {
                if let Event::Accepted(conn, _) = event {
                    slots = slots.max(conn.slot() + 1);
                }
                *event == Event::Empty
            });
        }
        assert!(slots <= 50, "slots are used again: {slots}");
        assert_eq!(descriptors(), before);
    }
    assert_eq!(descriptors(), before_all);
    idle_connections_are_cheap();
}

/// Memory of this process, not the kernel's: which holds the sockets.
fn idle_connections_are_cheap() {
    const IDLE: usize = 4000;
    runtime::thread::raise_nofile(3 * IDLE as u64).unwrap();
    let server = Server::start(Options { max_connections: IDLE as u32, ..Options::default() });
    let before = runtime::thread::usage().rss_bytes;
    let mut streams: Vec<_> = (0..IDLE).map(|_| server.connect()).collect();
    for stream in &mut streams {
        stream.write_all(b"e!").unwrap();
        stream.read_exact(&mut [0]).unwrap();
    }
    // Served buffers were touched too: the shared ones.
    let shared = 512 * 16 * 1024;
    let used = runtime::thread::usage().rss_bytes.saturating_sub(before + shared);
    assert!(used / (IDLE as u64) < 4096, "{} bytes an idle connection", used / IDLE as u64);
}
