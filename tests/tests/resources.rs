//! What clients can cost, and how the process starts and ends.
//!
//! Bounds, not speeds: memory of idle, deaf, stalling and greedy clients; limits of clients; clean
//! stops; the command line. Each test prints its figure.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ringslot_tests::client::{Client, ClientError};
use ringslot_tests::process;
use ringslot_tests::program::{Kind, Program};
use ringslot_tests::reply::{encode, Value};
use ringslot_tests::server::{free_port, Server, Setup, TempDir, STOP_DEADLINE};
use ringslot_tests::wait;

const MIB: u64 = 1 << 20;

fn subject() -> Setup {
    Setup::subject(1)
}

fn used_memory(client: &mut Client) -> u64 {
    let text = client.call(&["INFO", "memory"]).text();
    let value = text.lines().find_map(|l| l.strip_prefix("used_memory:")).expect("INFO tells used_memory");
    value.trim().parse().expect("a number of bytes")
}

/// A field of the CLIENT LIST line of the client with this name.
fn client_field(client: &mut Client, name: &str, field: &str) -> Option<u64> {
    let list = client.call(&["CLIENT", "LIST"]).text();
    let line = list.lines().find(|l| l.split(' ').any(|w| w == format!("name={name}")))?;
    let value = line.split(' ').find_map(|w| w.strip_prefix(field)?.strip_prefix('='))?;
    value.parse().ok()
}

// --- memory ---------------------------------------------------------------------------------------

#[test]
fn ten_thousand_idle_connections_cost_less_than_four_kib_each() {
    const CONNECTIONS: usize = 10_000;
    process::raise_open_files(CONNECTIONS as u64 + 500).unwrap_or_else(|why| panic!("{why}"));
    for cores in [1, 2] {
        let server = Setup::subject(cores).with("maxclients", "10100").start();
        let open = |count: usize| -> Vec<TcpStream> {
            (0..count)
                .map(|i| {
                    let stream = TcpStream::connect(("127.0.0.1", server.port()))
                        .unwrap_or_else(|e| panic!("connection {i}: {e}"));
                    let mut served = &stream;
                    served.write_all(b"PING\r\n").expect("a connection takes a command");
                    let mut reply = [0u8; 7];
                    served.read_exact(&mut reply).unwrap_or_else(|e| panic!("reply of connection {i}: {e}"));
                    assert_eq!(&reply, b"+PONG\r\n");
                    stream
                })
                .collect()
        };
        // What is made once is made by the first.
        let first = open(50);
        let before = process::resident_bytes(server.pid());
        let rest = open(CONNECTIONS);
        // Buffers may be given back a little later.
        let mut each = 0;
        let settled = wait::until(Duration::from_secs(20), || {
            each = process::resident_bytes(server.pid()).saturating_sub(before) / CONNECTIONS as u64;
            (each < 4096).then_some(())
        });
        println!("{cores} cores: {each} resident bytes a connection");
        assert!(settled.is_some(), "{each} resident bytes a connection");
        let mut client = server.client();
        let info = client.call(&["INFO", "clients"]).text();
        let expected = format!("connected_clients:{}", CONNECTIONS + first.len() + 1);
        assert!(info.contains(&expected), "{expected} in {info}");
        drop((first, rest));
        wait::until_ok("all are gone", Duration::from_secs(30), || {
            let info = client.call(&["INFO", "clients"]).text();
            if info.contains("connected_clients:1\r") {
                Ok(())
            } else {
                Err(info)
            }
        });
    }
}

#[test]
fn a_client_that_never_reads_is_closed_at_the_hard_limit() {
    for cores in [1, 2] {
        let server = Setup::subject(cores).with("client-output-buffer-limit", "normal 8mb 4mb 10").start();
        let mut watcher = server.client();
        watcher.call(&[&b"SET"[..], b"big", &vec![b'x'; MIB as usize]]).ok();
        let before = process::resident_bytes(server.pid());
        let mut deaf = server.client();
        deaf.call(&["CLIENT", "SETNAME", "deaf"]).ok();
        let gets: Vec<u8> = (0..2000).flat_map(|_| encode(&["GET", "big"])).collect();
        let _ = deaf.send_raw(&gets);
        let mut peak = before;
        let closed = wait::until(Duration::from_secs(30), || {
            peak = peak.max(process::resident_bytes(server.pid()));
            client_field(&mut watcher, "deaf", "id").is_none().then_some(())
        });
        println!("{cores} cores: a deaf client cost {} KiB at its peak", (peak - before) / 1024);
        assert!(closed.is_some(), "a client with 2,000 MB of unread replies is still connected");
        // The limit, the value itself, and the allocator's slack; not the 2,000 MB that were asked for.
        assert!(peak - before < 48 * MIB, "{} MiB", (peak - before) / MIB);
        assert_eq!(watcher.call(&["PING"]), Value::Simple("PONG".into()));
    }
}

#[test]
fn a_client_that_reads_too_slowly_is_closed_at_the_soft_limit() {
    let server = subject().with("client-output-buffer-limit", "normal 64mb 4mb 3").start();
    let mut watcher = server.client();
    watcher.call(&[&b"SET"[..], b"big", &vec![b'x'; MIB as usize]]).ok();
    let mut slow = server.client();
    slow.call(&["CLIENT", "SETNAME", "slow"]).ok();
    // The kernel's socket buffers take the first megabytes: ask until the server itself holds enough.
    wait::until_ok("the server holds more than 4 MB", Duration::from_secs(20), || {
        slow.send(&["GET", "big"]).map_err(|e| e.to_string())?;
        match client_field(&mut watcher, "slow", "omem") {
            Some(held) if held > 6 * MIB => Ok(()),
            other => Err(format!("omem {other:?}")),
        }
    });
    let start = Instant::now();
    let closed = wait::until(Duration::from_secs(30), || {
        client_field(&mut watcher, "slow", "id").is_none().then_some(start.elapsed())
    });
    let after = closed.expect("closed when it has been above the soft limit for 3 s");
    println!("closed after {after:?}");
    assert!(after > Duration::from_secs(1), "closed after {after:?}, the soft limit allows 3 s");
}

#[test]
fn without_a_limit_set_a_deaf_client_still_leaves_the_others_served() {
    let server = Setup::subject(2).start();
    let mut watcher = server.client().with_deadline(Duration::from_secs(5));
    watcher.call(&["SET", "k", "v"]).ok();
    let mut deaf = server.client();
    let gets: Vec<u8> = (0..20_000).flat_map(|_| encode(&["GET", "k"])).collect();
    let mut sent = 0;
    for _ in 0..20 {
        sent += deaf.send_some(&gets, Duration::from_millis(50)).unwrap_or(0);
        assert_eq!(watcher.call(&["GET", "k"]), Value::Bulk(b"v".to_vec()));
    }
    println!("{sent} bytes of commands were taken from a client that never reads");
}

#[test]
fn a_client_that_announces_a_huge_bulk_and_stalls_costs_little() {
    const CLIENTS: u64 = 20;
    let server = subject().start();
    let mut watcher = server.client();
    // A warm-up, so that what is made once does not count.
    watcher.call(&[&b"SET"[..], b"k", &vec![b'x'; MIB as usize]]).ok();
    watcher.call(&["DEL", "k"]);
    let before = process::resident_bytes(server.pid());
    let mut stalled: Vec<Client> = (0..CLIENTS).map(|_| server.client()).collect();
    for client in &mut stalled {
        client.send_raw(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\n").expect("a header is taken");
        client.send_raw(&[b'x'; 1000]).expect("the first bytes are taken");
    }
    // All headers have been read once a later command of another client is answered and time has passed.
    let mut peak = before;
    wait::until(Duration::from_secs(1), || {
        assert_eq!(watcher.call(&["PING"]), Value::Simple("PONG".into()));
        peak = peak.max(process::resident_bytes(server.pid()));
        None::<()>
    });
    let each = (peak - before) / CLIENTS;
    println!("{} KiB a stalled client", each / 1024);
    assert!(each < 256 * 1024, "{each} bytes a stalled client");

    // What was announced is paid for only as it comes.
    for client in &mut stalled {
        client.send_raw(&vec![b'x'; MIB as usize]).expect("a megabyte is taken");
    }
    let mut peak = before;
    wait::until(Duration::from_secs(1), || {
        watcher.call(&["PING"]);
        peak = peak.max(process::resident_bytes(server.pid()));
        None::<()>
    });
    let each = (peak - before) / CLIENTS;
    println!("{} KiB a stalled client that has sent 1 MiB", each / 1024);
    assert!(each < 4 * MIB, "{each} bytes for one MiB received");

    drop(stalled);
    wait::until_ok("memory comes back", Duration::from_secs(20), || {
        match process::resident_bytes(server.pid()).saturating_sub(before) {
            rest if rest < 16 * MIB => Ok(()),
            rest => Err(format!("{} MiB more than before", rest / MIB)),
        }
    });
}

#[test]
fn a_huge_value_goes_in_and_out_whole_without_a_copy_a_layer() {
    const SIZE: usize = 128 << 20;
    let server = subject().start();
    let before = process::resident_bytes(server.pid());
    let value: Vec<u8> = (0..SIZE).map(|i| (i % 251) as u8).collect();
    let mut client = server.client().with_deadline(Duration::from_secs(60));
    client.call(&[&b"SET"[..], b"huge", &value]).ok();
    let peak = |server: &Server| {
        let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).expect("it lives");
        let line = status.lines().find(|l| l.starts_with("VmHWM:")).expect("VmHWM is always there");
        let kib: u64 = line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).expect("KiB");
        (kib * 1024 - before) as f64 / SIZE as f64
    };
    let set = peak(&server);
    let reply = client.call(&["GET", "huge"]);
    assert!(reply == Value::Bulk(value), "the value came back changed");
    let get = peak(&server);
    println!("peak memory, as a multiple of the value: {set:.2} after SET, {get:.2} after GET");
    assert!(set < 1.5, "SET took {set:.2} times the value");
    assert!(get < 2.5, "GET took {get:.2} times the value");
    assert_eq!(client.call(&["DEL", "huge"]), Value::Integer(1));
}

#[test]
fn deleted_memory_comes_back() {
    let server = subject().start();
    let mut client = server.client();
    client.call(&["SET", "warm", "1"]).ok();
    let (before, resident) = (used_memory(&mut client), process::resident_bytes(server.pid()));
    for start in (0..200_000).step_by(1000) {
        let sets: Vec<Vec<String>> =
            (start..start + 1000).map(|i| vec!["SET".into(), format!("key:{i}"), "x".repeat(64)]).collect();
        client.pipeline(&sets);
    }
    let full = used_memory(&mut client);
    assert!(full > before + 200_000 * 64, "used_memory counts values: {before} then {full}");
    client.call(&["FLUSHALL"]).ok();
    wait::until_ok("used_memory falls back", Duration::from_secs(20), || match used_memory(&mut client) {
        now if now < before + MIB => Ok(()),
        now => Err(format!("{now}, was {before}")),
    });
    let kept = process::resident_bytes(server.pid()).saturating_sub(resident);
    println!("{} KiB stay resident after FLUSHALL of {} KiB", kept / 1024, (full - before) / 1024);
}

// --- limits ---------------------------------------------------------------------------------------

#[test]
fn maxclients_refuses_the_next_and_takes_one_when_one_leaves() {
    for cores in [1, 2] {
        let server = Setup::subject(cores).with("maxclients", "5").start();
        // The one that waited for the start may still be leaving.
        let mut clients = Vec::new();
        wait::until_ok("five clients", Duration::from_secs(10), || {
            while clients.len() < 5 {
                let mut client = server.client();
                client.try_call(&["PING"]).map_err(|e| e.to_string()).and_then(|r| {
                    if r.is_error() {
                        Err(r.text())
                    } else {
                        Ok(())
                    }
                })?;
                clients.push(client);
            }
            Ok(())
        });
        let mut sixth = server.client();
        let said = sixth.read_to_close().expect("refused and closed");
        assert_eq!(said, b"-ERR max number of clients reached\r\n", "{cores} cores");
        assert!(clients[0].call(&["INFO", "stats"]).text().contains("rejected_connections:1"));
        clients.pop();
        wait::until_ok("a place is free", Duration::from_secs(10), || {
            match server.client().try_call(&["PING"]) {
                Ok(Value::Simple(_)) => Ok(()),
                other => Err(format!("{other:?}")),
            }
        });
    }
}

#[test]
fn an_idle_client_is_closed_after_timeout_and_a_busy_one_is_not() {
    for cores in [1, 2] {
        let server = Setup::subject(cores).with("timeout", "2").start();
        let mut busy = server.client();
        let mut idle = server.client().with_deadline(Duration::from_secs(20));
        idle.call(&["PING"]);
        let start = Instant::now();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                let said = idle.read_to_close();
                (said, start.elapsed())
            });
            while !waiting.is_finished() {
                busy.call(&["PING"]);
                std::thread::sleep(Duration::from_millis(100));
            }
            let (said, after) = waiting.join().expect("no panic");
            assert_eq!(said, Ok(Vec::new()));
            assert!(after >= Duration::from_millis(1900), "closed after only {after:?}");
        });
        assert_eq!(busy.call(&["PING"]), Value::Simple("PONG".into()));
    }
}

#[test]
fn a_password_guards_every_listener() {
    let dir = TempDir::new("socket");
    let path = dir.path().join("server.sock");
    let server = Setup::subject(2)
        .with("requirepass", "secret")
        .with("unixsocket", &path.display().to_string())
        .with("unixsocketperm", "700")
        .start();
    let mode = std::fs::metadata(&path).expect("the socket is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    for mut client in [server.client(), Client::to_unix(&path)] {
        assert_eq!(client.call(&["GET", "k"]), Value::Error("NOAUTH Authentication required.".into()));
        client.call(&["AUTH", "secret"]).ok();
        client.call(&["SET", "k", "v"]).ok();
        assert_eq!(client.call(&["GET", "k"]), Value::Bulk(b"v".to_vec()));
    }
}

#[test]
fn a_unix_socket_serves_like_a_port() {
    let dir = TempDir::new("socket");
    let path = dir.path().join("server.sock");
    let server = Setup::subject(2).with("unixsocket", &path.display().to_string()).start();
    let mut client = Client::to_unix(&path);
    let sets: Vec<Vec<String>> =
        (0..1000).map(|i| vec!["SET".into(), format!("k{i}"), i.to_string()]).collect();
    client.pipeline(&sets).iter().for_each(Value::ok);
    assert_eq!(server.client().call(&["DBSIZE"]), Value::Integer(1000));
    let info = client.call(&["CLIENT", "INFO"]).text();
    assert!(info.contains(&format!("addr={}:0", path.display())), "{info}");
    client.call(&[&b"SET"[..], b"big", &vec![b'x'; 5 << 20]]).ok();
    assert_eq!(client.call(&["STRLEN", "big"]), Value::Integer(5 << 20));
    assert_eq!(client.call(&["GETRANGE", "big", "0", "3"]), Value::Bulk(b"xxxx".to_vec()));
}

// --- start and end --------------------------------------------------------------------------------

#[test]
fn sigterm_answers_what_was_read_and_exits_with_zero() {
    for cores in [1, 2] {
        let server = Setup::subject(cores).start();
        let mut client = server.client();
        let mut idle = server.client();
        idle.call(&["PING"]);
        let sets: Vec<u8> = (0..200).flat_map(|i| encode(&["SET", &format!("k{i}"), "v"])).collect();
        client.send_raw(&sets).expect("a pipeline is taken");
        // One reply shows that the pipeline, which is one read, has been read.
        assert_eq!(client.try_read(), Ok(Value::Simple("OK".into())));
        process::terminate(server.pid());
        for i in 1..200 {
            assert_eq!(client.try_read(), Ok(Value::Simple("OK".into())), "reply {i} after SIGTERM");
        }
        assert_eq!(client.read_to_close(), Ok(Vec::new()));
        assert_eq!(idle.read_to_close(), Ok(Vec::new()));
        let stopped = server.into_stopped();
        assert!(stopped.status.success(), "{cores} cores: ended with {}", stopped.status);
    }
}

#[test]
fn sigint_and_shutdown_exit_with_zero() {
    let server = subject().start();
    process::interrupt(server.pid());
    assert!(server.into_stopped().status.success());

    for command in [&["SHUTDOWN"][..], &["SHUTDOWN", "NOSAVE"], &["shutdown", "nosave", "now"]] {
        let server = Setup::subject(2).start();
        let mut client = server.client();
        client.send(command).expect("taken");
        // Success has no reply.
        assert_eq!(client.read_to_close(), Ok(Vec::new()), "{command:?}");
        assert!(server.into_stopped().status.success(), "{command:?}");
    }
}

#[test]
fn a_stop_under_load_is_clean() {
    let server = Setup::subject(2).start();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for id in 0..8 {
            let (server, stop) = (&server, &stop);
            scope.spawn(move || {
                let mut client = server.client();
                let mut acknowledged = 0u64;
                while !stop.load(Ordering::Relaxed) {
                    match client.try_call(&["MSET", &format!("a{id}"), "1", &format!("b{id}"), "2"]) {
                        Ok(reply) => {
                            reply.ok();
                            acknowledged += 1;
                        }
                        // Nothing but a close ends it: no half reply, no error.
                        Err(ClientError::Closed(rest)) => {
                            assert!(rest.is_empty(), "half a reply: {rest:?}");
                            break;
                        }
                        Err(e) => panic!("client {id}: {e}"),
                    }
                }
                assert!(acknowledged > 0);
            });
        }
        let mut watcher = server.client();
        wait::until_ok("load", Duration::from_secs(10), || {
            let info = watcher.call(&["INFO", "stats"]).text();
            let n = info.lines().find_map(|l| l.strip_prefix("total_commands_processed:")).unwrap_or("0");
            if n.trim().parse::<u64>().unwrap_or(0) > 5_000 {
                Ok(())
            } else {
                Err(n.to_string())
            }
        });
        process::terminate(server.pid());
        let ended =
            wait::until(Duration::from_secs(20), || watcher.try_call(&["PING"]).is_err().then_some(()));
        stop.store(true, Ordering::Relaxed);
        assert!(ended.is_some(), "it serves on after SIGTERM");
    });
    assert!(server.into_stopped().status.success());
}

/// Runs the subject to its end with these arguments: how it ended, and what it printed.
#[track_caller]
fn run(args: &[&str]) -> (ExitStatus, String) {
    let program = Program::subject();
    let dir = TempDir::new("run");
    let printed = dir.path().join("printed");
    // A file, not a pipe: a daemon that kept a pipe open would keep us waiting for its end.
    let open = || File::options().create(true).append(true).open(&printed).expect("our own directory");
    let mut child = Command::new(&program.path)
        .args(args)
        .current_dir(dir.path())
        .stdin(Stdio::null())
        .stdout(open())
        .stderr(open())
        .spawn()
        .unwrap_or_else(|e| panic!("{program}: {e}"));
    let ended = wait::until(STOP_DEADLINE, || child.try_wait().ok().flatten());
    let _ = child.kill();
    let _ = child.wait();
    let text = String::from_utf8_lossy(&std::fs::read(&printed).unwrap_or_default()).into_owned();
    match ended {
        Some(status) => (status, text),
        None => panic!("{args:?}: it runs on instead of ending\n{text}"),
    }
}

#[test]
fn the_version_is_what_client_suites_parse() {
    for flag in ["-v", "--version"] {
        let (status, text) = run(&[flag]);
        assert!(status.success());
        assert_eq!(text.trim().lines().count(), 1, "{text}");
        assert!(text.contains(" bits=64"), "{text}");
        if Program::subject().kind == Kind::Ringslot {
            assert!(text.starts_with("Ringslot server v=7.2.4 "), "{text}");
            assert!(text.contains(" ringslot="), "{text}");
        }
    }
}

#[test]
fn an_unknown_directive_is_refused_with_the_nearest_name() {
    let cases: &[(&[&str], &str, &str)] = &[
        (&["--maxmemroy", "1gb"], "maxmemroy", "maxmemory"),
        (&["--cluster-node-timout", "5000"], "cluster-node-timout", "cluster-node-timeout"),
        (&["--prot", "7000"], "prot", "port"),
    ];
    for (args, wrong, nearest) in cases {
        let (status, text) = run(args);
        assert!(!status.success(), "{text}");
        assert!(text.contains(wrong), "{text}");
        if Program::subject().kind == Kind::Ringslot {
            assert!(text.contains(nearest), "{wrong}: no {nearest} in {text}");
        }
    }
}

#[test]
fn a_bad_value_is_refused_with_its_directive() {
    for args in [
        ["--port", "x"],
        ["--port", "65536"],
        ["--maxmemory", "lots"],
        ["--appendonly", "maybe"],
        ["--databases", "0"],
        ["--cluster-enabled", "2"],
        ["--timeout", "-1"],
    ] {
        let (status, text) = run(&args);
        assert!(!status.success(), "{args:?}: {text}");
        assert!(text.contains(&args[0][2..]), "{args:?}: {text}");
    }
}

#[test]
fn a_taken_port_is_told_and_ends_the_start() {
    let server = subject().start();
    let port = server.port().to_string();
    let (status, text) = run(&["--port", &port, "--bind", "127.0.0.1"]);
    assert!(!status.success());
    assert!(text.contains(&port), "{text}");
}

#[test]
fn a_configuration_comes_from_a_file_then_arguments_and_from_standard_input() {
    let dir = TempDir::new("config");
    let file = dir.path().join("my.conf");
    let text = format!(
        "# a comment\nport 1\nbind 127.0.0.1\ndir {}\nsave \"\"\nmaxclients 123\ntimeout 7\n\
         client-output-buffer-limit normal 1mb 512kb 30\n",
        dir.path().display()
    );
    std::fs::write(&file, &text).expect("our own directory");
    for from_stdin in [false, true] {
        let port = free_port();
        let program = Program::subject();
        let mut command = Command::new(&program.path);
        if from_stdin {
            command.arg("-").stdin(Stdio::piped());
        } else {
            command.arg(&file).stdin(Stdio::null());
        }
        let mut child = command
            .args(["--port", &port.to_string(), "--timeout", "9"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|e| panic!("{program}: {e}"));
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(text.as_bytes()).expect("it reads its standard input");
        }
        let connected = wait::until(Duration::from_secs(10), || {
            let mut client = Client::connect(&ringslot_tests::client::Address::Port(port)).ok()?;
            client.try_call(&["PING"]).ok().map(|_| client)
        });
        let values = connected.map(|mut client| {
            ["maxclients", "timeout", "client-output-buffer-limit"]
                .map(|name| client.call(&["CONFIG", "GET", name]).items()[1].text())
        });
        process::terminate(child.id());
        let ended = wait::until(Duration::from_secs(20), || child.try_wait().ok().flatten());
        let _ = child.kill();
        let _ = child.wait();
        let [maxclients, timeout, limits] = values.expect("it answers on the port of the arguments");
        assert_eq!((maxclients.as_str(), timeout.as_str()), ("123", "9"));
        assert!(limits.starts_with("normal 1048576 524288 30"), "{limits}");
        assert!(ended.is_some_and(|s| s.success()));
    }
}

#[test]
fn config_rewrite_lasts_over_a_restart_and_keeps_comments() {
    let server = subject().in_config_file().with("maxclients", "500").start();
    let file = server.dir().join("server.conf");
    let mut text = std::fs::read_to_string(&file).expect("started from it");
    text.insert_str(0, "# first line, kept\n");
    std::fs::write(&file, &text).expect("our own directory");
    let mut client = server.client();
    client.call(&["CONFIG", "SET", "maxmemory", "100mb", "timeout", "77"]).ok();
    client.call(&["CONFIG", "SET", "maxclients", "600"]).ok();
    client.call(&["CONFIG", "REWRITE"]).ok();
    let rewritten = std::fs::read_to_string(&file).expect("still there");
    assert!(rewritten.starts_with("# first line, kept\n"), "{rewritten}");
    assert!(rewritten.contains("\nmaxclients 600\n"), "{rewritten}");
    assert!(!rewritten.contains("maxclients 500"), "{rewritten}");
    let server = server.stop().start_again();
    let mut client = server.client();
    for (name, value) in [("maxmemory", "104857600"), ("timeout", "77"), ("maxclients", "600")] {
        assert_eq!(client.call(&["CONFIG", "GET", name]).items()[1].text(), value, "{name}");
    }
    // Without a file there is nothing to rewrite.
    let other = subject().start();
    assert_eq!(
        other.client().call(&["CONFIG", "REWRITE"]),
        Value::Error("ERR The server is running without a config file".into())
    );
}

#[test]
fn a_daemon_writes_its_pidfile_and_logfile_and_removes_the_pidfile() {
    let dir = TempDir::new("daemon");
    let port = free_port();
    let (pidfile, logfile) = (dir.path().join("d.pid"), dir.path().join("d.log"));
    let path = |p: &std::path::Path| p.display().to_string();
    let (status, text) = run(&[
        "--port",
        &port.to_string(),
        "--bind",
        "127.0.0.1",
        "--daemonize",
        "yes",
        "--save",
        "",
        "--dir",
        &path(dir.path()),
        "--pidfile",
        &path(&pidfile),
        "--logfile",
        &path(&logfile),
    ]);
    assert!(status.success(), "the one who starts it ends with zero: {text}");
    let pid: u32 = wait::until_ok("the pidfile", Duration::from_secs(10), || {
        let text = std::fs::read_to_string(&pidfile).map_err(|e| e.to_string())?;
        text.trim().parse().map_err(|_| text)
    });
    let answers = wait::until(Duration::from_secs(10), || {
        let mut client = Client::connect(&ringslot_tests::client::Address::Port(port)).ok()?;
        client.try_call(&["INFO", "server"]).ok()
    });
    process::terminate(pid);
    let gone = wait::until(Duration::from_secs(20), || (!pidfile.exists()).then_some(()));
    if gone.is_none() {
        process::kill(pid);
    }
    let info = answers.expect("the daemon answers").text();
    assert!(info.contains(&format!("process_id:{pid}")), "{info}");
    assert!(gone.is_some(), "the pidfile stays behind");
    assert!(std::fs::metadata(&logfile).expect("a log").len() > 0);
}
