//! The data loop over real sockets: every way of setting it up serves the same bytes.

mod support;

use runtime::data::*;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;
use support::{all_ways, pattern, Event, Options, Server};

fn echo(stream: &mut TcpStream, bytes: &[u8]) {
    stream.write_all(bytes).unwrap();
    let mut back = vec![0; bytes.len()];
    stream.read_exact(&mut back).unwrap();
    assert!(back == bytes, "the echo differs");
}

#[test]
fn many_connections_echo_pipelines_in_order() {
    for options in all_ways() {
        let server = Server::start(options);
        let mut streams: Vec<_> = (0..100).map(|_| server.connect()).collect();
        streams.iter_mut().for_each(|stream| stream.write_all(b"e").unwrap());
        for round in 0..10 {
            // All write before any reads, so that one turn serves many.
            for (i, stream) in streams.iter_mut().enumerate() {
                (0..16).for_each(|n| stream.write_all(format!("{round}-{i}-{n};").as_bytes()).unwrap());
            }
            for (i, stream) in streams.iter_mut().enumerate() {
                let expected: String = (0..16).map(|n| format!("{round}-{i}-{n};")).collect();
                let mut back = vec![0; expected.len()];
                stream.read_exact(&mut back).unwrap();
                assert_eq!(String::from_utf8(back).unwrap(), expected, "{options:?}");
            }
        }
    }
}

#[test]
fn twenty_megabytes_come_back_to_a_slow_reader() {
    let bytes = pattern(20 << 20);
    for options in all_ways() {
        let bytes = &bytes[..];
        let server = Server::start(options);
        let mut stream = server.connect();
        let mut writer = stream.try_clone().unwrap();
        thread::scope(|scope| {
            let written = scope.spawn(move || {
                writer.write_all(b"e").unwrap();
                // It fills all buffers on the way, and is held there: back-pressure.
                writer.write_all(bytes).unwrap();
            });
            // Reading starts only when the other side is stuck: all sockets full, a send cut short, and more
            // waiting than it will hold.
            server.wait_for(|event| *event == Event::Paused);
            let mut back = Vec::new();
            let mut piece = vec![0; 7000];
            while back.len() < bytes.len() {
                let count = stream.read(&mut piece).unwrap();
                assert!(count > 0);
                back.extend_from_slice(&piece[..count]);
            }
            assert!(back == bytes, "{options:?}");
            written.join().unwrap();
        });
    }
}

#[test]
fn a_value_is_received_straight_into_its_place() {
    for options in all_ways() {
        let server = Server::start(options);
        let mut stream = server.connect();
        stream.write_all(b"d").unwrap();
        let large = if options.sizes.receive_buffer_bytes < 1024 { 1 << 20 } else { 64 << 20 };
        for length in [1, 3, 511, 512, 513, 70_000, large, 5] {
            let bytes = pattern(length);
            let sum: u64 = bytes.iter().map(|byte| u64::from(*byte)).sum();
            stream.write_all(&(length as u64).to_be_bytes()).unwrap();
            stream.write_all(&bytes).unwrap();
            let mut back = [0; 8];
            stream.read_exact(&mut back).unwrap();
            assert_eq!(u64::from_be_bytes(back), sum, "{length} bytes, {options:?}");
        }
    }
}

#[test]
fn a_direct_receive_ends_with_its_connection() {
    let server = Server::start(Options::default());
    let mut stream = server.connect();
    stream.write_all(b"d").unwrap();
    stream.write_all(&(100u64 << 20).to_be_bytes()).unwrap();
    stream.write_all(&pattern(3 << 20)).unwrap();
    drop(stream);
    server.wait_for(|event| matches!(event, Event::Closed(_, _)));
    server.wait_for(|event| *event == Event::Empty);
}

#[test]
fn the_application_can_end_a_connection() {
    for options in all_ways() {
        let server = Server::start(options);
        let mut stream = server.connect();
        stream.write_all(b"q").unwrap();
        stream.write_all(b"more").unwrap();
        let mut back = Vec::new();
        // Unread bytes make the kernel reset the connection, so an error is as good an end.
        let _ = stream.read_to_end(&mut back);
        assert!(back.is_empty() || back[0] == b'!');
        // Ended at once, in the middle of a stream towards it.
        let mut stream = server.connect();
        stream.write_all(b"x").unwrap();
        while stream.write_all(&[0; 65536]).is_ok() {}
        server.wait_for(|event| *event == Event::Empty);
    }
}

#[test]
fn a_slot_is_used_again_under_another_name() {
    let server = Server::start(Options::default());
    let mut seen = Vec::new();
    for _ in 0..20 {
        let mut stream = server.connect();
        stream.write_all(b"e").unwrap();
        echo(&mut stream, b"hello");
        let Event::Accepted(conn, peer) = server.wait_for(|e| matches!(e, Event::Accepted(..))) else {
            unreachable!()
        };
        assert_eq!(peer.remote, Some(stream.local_addr().unwrap()));
        assert_eq!(peer.local, Some(server.addr));
        assert_eq!((peer.unix, peer.listener), (false, 0));
        assert_eq!(conn.slot(), 0);
        assert_eq!(ConnId::from_u64(conn.to_u64()), conn);
        assert!(!seen.contains(&conn));
        seen.push(conn);
        drop(stream);
        server.wait_for(|event| *event == Event::Closed(conn, CloseReason::PeerClosed));
        server.wait_for(|event| *event == Event::Empty);
    }
}

#[test]
fn clients_beyond_the_table_wait_for_a_place() {
    let server = Server::start(Options { max_connections: 4, ..Options::default() });
    let mut streams: Vec<_> = (0..12).map(|_| server.connect()).collect();
    streams.iter_mut().for_each(|stream| stream.write_all(b"e").unwrap());
    for mut stream in streams {
        echo(&mut stream, b"my turn");
    }
}

#[test]
fn while_accepting_is_paused_clients_wait_in_the_backlog() {
    let server = Server::start(Options::default());
    let mut gate = server.connect();
    for _ in 0..3 {
        gate.write_all(b"p").unwrap();
        server.wait_for(|event| *event == Event::Paused);
        // The cancellation leaves with the turn's enter, after the event.
        std::thread::sleep(Duration::from_millis(50));
        let mut late = server.connect();
        late.write_all(b"e").unwrap();
        late.write_all(b"hello").unwrap();
        late.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        let mut back = [0; 5];
        assert!(late.read(&mut back).is_err(), "an answer although nothing is accepted");
        gate.write_all(b"go on").unwrap();
        late.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        late.read_exact(&mut back).unwrap();
        assert_eq!(&back, b"hello");
        gate = server.connect();
    }
}

#[test]
fn a_unix_socket_is_served_with_its_permissions() {
    use std::os::unix::fs::PermissionsExt;
    let path = std::env::temp_dir().join(format!("ringslot-test-{}.sock", std::process::id()));
    // What an earlier run left behind is replaced.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let listener = Listener::unix(&path, Some(0o700), 16).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    let server = Server::start_with(Options::default(), vec![listener]);
    let mut stream = UnixStream::connect(&path).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(b"ehello").unwrap();
    let mut back = [0; 5];
    stream.read_exact(&mut back).unwrap();
    assert_eq!(&back, b"hello");
    let Event::Accepted(_, peer) = server.wait_for(|e| matches!(e, Event::Accepted(..))) else {
        unreachable!()
    };
    assert_eq!(peer, Peer { remote: None, local: None, unix: true, listener: 1 });
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn an_address_in_use_without_reuse_is_told_at_once() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let error = Listener::tcp(taken.local_addr().unwrap(), TcpOptions::default()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
}
