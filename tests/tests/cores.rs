//! Two data cores, one keyspace: what clients may rely on although keys live on different cores.
//!
//! Standalone, `--cores 2`. Pairs of keys are drawn so that they lie in different slots far apart,
//! hence (slots are dealt to cores in contiguous runs) on different cores.
//!
//! 1. MSET, MSETNX and RENAME over both cores are seen whole or not at all by MGET and EXISTS.
//! 2. The commands of a connection take effect in the order they were sent: who sees the later write
//!    sees the earlier one.
//! 3. Replies come in the order of the commands.
//! 4. Under random multi-key load nothing hangs, also when clients die in the middle, and afterwards
//!    clients, file descriptors and memory are what they were.
//!
//! `RINGSLOT_SOAK_SECONDS=600` makes the random load as long as a release asks for.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ringslot_tests::client::{Client, ClientError};
use ringslot_tests::process;
use ringslot_tests::random::Random;
use ringslot_tests::reply::{encode, Value};
use ringslot_tests::server::{Server, Setup};
use ringslot_tests::wait;

/// How long each of the short tests runs.
const RUN: Duration = Duration::from_secs(4);
/// A command that has no reply by then hangs: the slowest here takes milliseconds.
const HANG: Duration = Duration::from_secs(30);

fn two_cores() -> Server {
    Setup::subject(2).start()
}

fn client(server: &Server) -> Client {
    server.client().with_deadline(HANG)
}

/// Keys of the lower and of the upper half of the slots, so of the two cores.
fn keys_of_both_halves(count: usize) -> (Vec<String>, Vec<String>) {
    let of_half =
        |half| (0..).map(|i| format!("key:{i}")).filter(move |k| half_of(k) == half).take(count).collect();
    (of_half(0), of_half(1))
}

/// 0 or 1: which half of the slots a key without a hash tag is in (CRC16/XMODEM modulo 16384).
fn half_of(key: &str) -> u16 {
    let mut crc = 0u16;
    for byte in key.bytes() {
        crc ^= u16::from(byte) << 8;
        for _ in 0..8 {
            crc = if crc & 0x8000 != 0 { crc << 1 ^ 0x1021 } else { crc << 1 };
        }
    }
    (crc & 0x3fff) >> 13
}

/// What one client of a test does until the flag says stop.
type Worker<'a> = Box<dyn FnOnce(&AtomicBool) + Send + 'a>;

/// Runs the workers until the time is up or one of them fails; every worker is told by the flag.
fn together(duration: Duration, workers: Vec<Worker<'_>>) {
    let stop = AtomicBool::new(false);
    let start = Instant::now();
    std::thread::scope(|scope| {
        let handles: Vec<_> = workers.into_iter().map(|work| scope.spawn(|| work(&stop))).collect();
        while start.elapsed() < duration
            && !stop.load(Ordering::Relaxed)
            && handles.iter().all(|h| !h.is_finished())
        {
            std::thread::sleep(Duration::from_millis(20));
        }
        stop.store(true, Ordering::Relaxed);
    });
}

#[test]
fn mset_over_both_cores_is_seen_whole() {
    let server = two_cores();
    let (low, high) = keys_of_both_halves(4);
    let keys: Vec<String> = low.iter().chain(&high).cloned().collect();
    let looks = AtomicU64::new(0);
    let mut workers: Vec<Worker<'_>> = Vec::new();
    for writer in 0..6 {
        let (keys, server) = (&keys, &server);
        workers.push(Box::new(move |stop| {
            let mut client = client(server);
            for round in 0.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let value = format!("{writer}-{round}");
                let mut command = vec!["MSET".to_string()];
                for key in keys {
                    command.extend([key.clone(), value.clone()]);
                }
                client.call(&command).ok();
            }
        }));
    }
    for _ in 0..6 {
        let (keys, server, looks) = (&keys, &server, &looks);
        workers.push(Box::new(move |stop| {
            let mut client = client(server);
            let mut command = vec!["MGET".to_string()];
            command.extend(keys.iter().cloned());
            while !stop.load(Ordering::Relaxed) {
                let reply = client.call(&command);
                let values = reply.items();
                assert!(values.iter().all(|v| *v == values[0]), "a part of an MSET was seen: {values:?}");
                looks.fetch_add(1, Ordering::Relaxed);
            }
        }));
    }
    together(RUN, workers);
    assert!(looks.load(Ordering::Relaxed) > 100, "too few looks to mean anything");
}

#[test]
fn rename_between_cores_never_shows_both_or_neither() {
    let server = two_cores();
    let (low, high) = keys_of_both_halves(1);
    let (a, b) = (low[0].as_str(), high[0].as_str());
    client(&server).call(&["SET", a, "moving"]).ok();
    let looks = AtomicU64::new(0);
    let mut workers: Vec<Worker<'_>> = Vec::new();
    let mover = &server;
    workers.push(Box::new(move |stop| {
        let mut client = client(mover);
        while !stop.load(Ordering::Relaxed) {
            client.call(&["RENAME", a, b]).ok();
            client.call(&["RENAME", b, a]).ok();
        }
    }));
    for _ in 0..6 {
        let (server, looks) = (&server, &looks);
        workers.push(Box::new(move |stop| {
            let mut client = client(server);
            while !stop.load(Ordering::Relaxed) {
                assert_eq!(client.call(&["EXISTS", a, b]), Value::Integer(1));
                let reply = client.call(&["MGET", a, b]);
                let there = reply.items().iter().filter(|v| **v != Value::Null).count();
                assert_eq!(there, 1, "{reply:?}");
                looks.fetch_add(1, Ordering::Relaxed);
            }
        }));
    }
    together(RUN, workers);
    assert!(looks.load(Ordering::Relaxed) > 100, "too few looks to mean anything");
}

#[test]
fn msetnx_over_both_cores_has_one_winner_a_round() {
    let server = two_cores();
    let (low, high) = keys_of_both_halves(2);
    let keys = [low[0].as_str(), high[0].as_str(), low[1].as_str(), high[1].as_str()];
    let wins = AtomicU64::new(0);
    let rounds = AtomicU64::new(0);
    let mut workers: Vec<Worker<'_>> = Vec::new();
    for id in 0..8usize {
        let (server, wins, rounds) = (&server, &wins, &rounds);
        workers.push(Box::new(move |stop| {
            let mut client = client(server);
            let name = id.to_string();
            while !stop.load(Ordering::Relaxed) {
                // Each tries the keys in an order of its own.
                let mut order = keys;
                order.rotate_left(id % keys.len());
                let mut command = vec!["MSETNX"];
                for key in order {
                    command.extend([key, name.as_str()]);
                }
                if client.call(&command) == Value::Integer(1) {
                    // The winner owns all of them, until it deletes them.
                    let mut look = vec!["MGET"];
                    look.extend(keys);
                    let reply = client.call(&look);
                    let mine = Value::Bulk(name.clone().into_bytes());
                    assert!(reply.items().iter().all(|v| *v == mine), "{name} won but finds {reply:?}");
                    let mut delete = vec!["DEL"];
                    delete.extend(keys);
                    assert_eq!(client.call(&delete), Value::Integer(keys.len() as i64));
                    wins.fetch_add(1, Ordering::Relaxed);
                }
                rounds.fetch_add(1, Ordering::Relaxed);
            }
        }));
    }
    together(RUN, workers);
    assert!(wins.load(Ordering::Relaxed) > 10, "of {rounds:?} tries");
}

#[test]
fn who_sees_the_later_write_sees_the_earlier_one() {
    let server = two_cores();
    let (low, high) = keys_of_both_halves(3);
    // Both directions, and a chain over several keys.
    let chains: Vec<Vec<&str>> =
        vec![vec![&low[0], &high[0]], vec![&high[1], &low[1]], vec![&low[2], &high[2], &low[1], &high[0]]];
    for chain in &chains {
        client(&server).call(&["FLUSHALL"]).ok();
        let looks = AtomicU64::new(0);
        let mut workers: Vec<Worker<'_>> = Vec::new();
        let target = &server;
        workers.push(Box::new(move |stop| {
            let mut client = client(target);
            for round in 1.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let value = round.to_string();
                let commands: Vec<Vec<String>> =
                    chain.iter().map(|key| vec!["SET".to_string(), key.to_string(), value.clone()]).collect();
                for reply in client.pipeline(&commands) {
                    reply.ok();
                }
            }
        }));
        for together in [false, true] {
            let (server, looks) = (&server, &looks);
            workers.push(Box::new(move |stop| {
                let mut client = client(server);
                while !stop.load(Ordering::Relaxed) {
                    // The latest is read first: what it says, all earlier ones must say or have passed.
                    let keys: Vec<&str> = chain.iter().rev().copied().collect();
                    let replies = if together {
                        let commands: Vec<Vec<String>> =
                            keys.iter().map(|k| vec!["GET".to_string(), k.to_string()]).collect();
                        client.pipeline(&commands)
                    } else {
                        keys.iter().map(|k| client.call(&["GET", k])).collect()
                    };
                    let numbers: Vec<u64> = replies.iter().map(|r| r.text().parse().unwrap_or(0)).collect();
                    assert!(
                        numbers.windows(2).all(|w| w[0] <= w[1]),
                        "reading {keys:?} gave {numbers:?}: a later write was seen before an earlier one"
                    );
                    looks.fetch_add(1, Ordering::Relaxed);
                }
            }));
        }
        together(RUN / 2, workers);
        assert!(looks.load(Ordering::Relaxed) > 100, "too few looks to mean anything");
    }
}

#[test]
fn replies_come_in_the_order_of_the_commands() {
    let server = two_cores();
    let mut workers: Vec<Worker<'_>> = Vec::new();
    for id in 0..6u64 {
        let server = &server;
        workers.push(Box::new(move |stop| {
            let mut client = client(server);
            let mut random = Random::new(id);
            let mut model = std::collections::HashMap::new();
            while !stop.load(Ordering::Relaxed) {
                let mut bytes = Vec::new();
                let mut expected = Vec::new();
                for _ in 0..1 + random.below(500) {
                    let key = format!("{id}:{}", random.below(200));
                    match random.below(4) {
                        0 => {
                            let value = random.next_u64().to_string();
                            bytes.extend(encode(&["SET", &key, &value]));
                            expected.push(b"+OK\r\n".to_vec());
                            model.insert(key, value);
                        }
                        1 => {
                            let mark = random.next_u64().to_string();
                            bytes.extend(encode(&["ECHO", &mark]));
                            expected.push(format!("${}\r\n{mark}\r\n", mark.len()).into_bytes());
                        }
                        2 => {
                            let other = format!("{id}:{}", random.below(200));
                            bytes.extend(encode(&["MGET", &key, &other]));
                            let bulk = |k: &String| match model.get(k) {
                                Some(v) => format!("${}\r\n{v}\r\n", v.len()),
                                None => "$-1\r\n".to_string(),
                            };
                            expected.push(format!("*2\r\n{}{}", bulk(&key), bulk(&other)).into_bytes());
                        }
                        _ => {
                            bytes.extend(encode(&["GET", &key]));
                            expected.push(match model.get(&key) {
                                Some(v) => format!("${}\r\n{v}\r\n", v.len()).into_bytes(),
                                None => b"$-1\r\n".to_vec(),
                            });
                        }
                    }
                }
                client.send_raw(&bytes).expect("the server takes a pipeline");
                for (index, expected) in expected.iter().enumerate() {
                    let reply = client.read_bytes().unwrap_or_else(|e| panic!("reply {index}: {e}"));
                    assert_eq!(
                        String::from_utf8_lossy(&reply),
                        String::from_utf8_lossy(expected),
                        "client {id}, reply {index} of a pipeline of {}",
                        expected.len()
                    );
                }
            }
        }));
    }
    together(RUN, workers);
}

/// What should be the same before and after a load.
#[derive(Clone, Debug)]
struct Level {
    clients: usize,
    open_files: usize,
    used_memory: u64,
}

fn level(server: &Server) -> Level {
    let mut client = client(server);
    let list = client.call(&["CLIENT", "LIST"]).text();
    let memory = client.call(&["INFO", "memory"]).text();
    let used = memory.lines().find_map(|l| l.strip_prefix("used_memory:")).expect("INFO tells used_memory");
    Level {
        clients: list.lines().filter(|l| !l.is_empty()).count(),
        open_files: process::open_files(server.pid()),
        used_memory: used.trim().parse().expect("a number of bytes"),
    }
}

/// A random command over keys of both cores; all of them may be sent at any time.
fn multi_key_command(random: &mut Random, keys: &[String]) -> Vec<String> {
    let mut pick = |n: usize| -> Vec<String> { (0..n).map(|_| random.pick(keys).clone()).collect() };
    let some = pick(6);
    let with_values =
        |keys: &[String]| keys.iter().flat_map(|k| [k.clone(), "v".repeat(20)]).collect::<Vec<_>>();
    let (name, args): (&str, Vec<String>) = match random.below(14) {
        0 | 1 => ("MSET", with_values(&some)),
        2 => ("MSETNX", with_values(&some[..3])),
        3 | 4 => ("MGET", some),
        5 => ("DEL", some[..4].to_vec()),
        6 => ("RENAME", some[..2].to_vec()),
        7 => ("RENAMENX", some[..2].to_vec()),
        8 => ("COPY", vec![some[0].clone(), some[1].clone(), "REPLACE".into()]),
        9 => ("EXISTS", some),
        10 => ("SET", vec![some[0].clone(), "w".repeat(30)]),
        11 => ("GET", vec![some[0].clone()]),
        12 => ("UNLINK", some[..2].to_vec()),
        _ => ("TOUCH", some),
    };
    std::iter::once(name.to_string()).chain(args).collect()
}

#[test]
fn random_multi_key_load_neither_hangs_nor_leaks() {
    let seconds = std::env::var("RINGSLOT_SOAK_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(10);
    let server = two_cores();
    let (low, high) = keys_of_both_halves(20);
    let keys: Vec<String> = low.into_iter().chain(high).collect();

    // One run first, so that what is made once (buffers, tables) is there before the level is taken.
    load(&server, &keys, Duration::from_secs(3), 1);
    let before = settled(&server);
    load(&server, &keys, Duration::from_secs(seconds), 2);

    let after = wait::until(Duration::from_secs(60), || {
        let now = settled(&server);
        let near = now.used_memory <= before.used_memory + (1 << 20);
        (now.clients == before.clients && now.open_files <= before.open_files && near).then_some(now)
    });
    match after {
        Some(after) => println!("before {before:?}\nafter  {after:?}"),
        None => panic!("something is kept after the load\nbefore {before:?}\nafter  {:?}", settled(&server)),
    }
    // No key is locked for ever: each answers a write that touches all of them.
    let mut client = client(&server);
    let mut all = vec!["MSET".to_string()];
    all.extend(keys.iter().flat_map(|k| [k.clone(), "end".to_string()]));
    client.call(&all).ok();
}

/// The level with an empty keyspace.
fn settled(server: &Server) -> Level {
    client(server).call(&["FLUSHALL"]).ok();
    level(server)
}

/// Replies that others get while one client gets none for the time of a hang: above this, the machine
/// was not too slow, the server was unfair.
const STARVED: u64 = 20_000;

/// The first hang is described, the others are its consequence.
static HUNG: std::sync::Once = std::sync::Once::new();

/// What a server that hangs still does: which keys are stuck, and where its threads stand.
fn diagnosis(server: &Server, keys: &[String]) -> String {
    let ask = |command: &[&str]| -> bool {
        let connected = Client::connect(&server.address());
        connected.is_ok_and(|c| c.with_deadline(Duration::from_secs(1)).try_call(command).is_ok())
    };
    let first = process::threads(server.pid());
    let stuck: Vec<&String> = keys.iter().filter(|k| !ask(&["EXISTS", k])).collect();
    let pings = (0..10).filter(|_| ask(&["PING"])).count();
    let list = Client::connect(&server.address())
        .ok()
        .and_then(|c| c.with_deadline(Duration::from_secs(2)).try_call(&["CLIENT", "LIST"]).ok());
    format!(
        "--- hang\n{pings} of 10 new connections answer PING; {} of {} keys are stuck: {stuck:?}\nthreads at first\n  {}\nthreads now\n  {}\nclients\n{}",
        stuck.len(),
        keys.len(),
        first.join("\n  "),
        process::threads(server.pid()).join("\n  "),
        list.map_or("CLIENT LIST does not answer".into(), |l| l.text()),
    )
}

/// Clients that run random commands, half of them dying in the middle of a pipeline again and again.
fn load(server: &Server, keys: &[String], duration: Duration, seed: u64) {
    let (sent, answered, slowest) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let mut workers: Vec<Worker<'_>> = Vec::new();
    for id in 0..24u64 {
        let (sent, answered, slowest) = (&sent, &answered, &slowest);
        workers.push(Box::new(move |stop| {
            let mut random = Random::new(seed * 1000 + id);
            let dies = id % 2 == 1;
            let mut client = client(server);
            while !stop.load(Ordering::Relaxed) {
                let count = 1 + random.below(40);
                let commands: Vec<Vec<String>> =
                    (0..count).map(|_| multi_key_command(&mut random, keys)).collect();
                if dies {
                    let mut bytes: Vec<u8> = commands.iter().flat_map(|c| encode(c)).collect();
                    // Also in the middle of a command.
                    bytes.truncate(1 + random.below(bytes.len()));
                    match client.send_raw(&bytes) {
                        Ok(()) | Err(ClientError::Closed(_)) => {}
                        Err(e) => panic!("client {id}: {e}"),
                    }
                    client = self::client(server);
                } else {
                    let bytes: Vec<u8> = commands.iter().flat_map(|c| encode(c)).collect();
                    client.send_raw(&bytes).unwrap_or_else(|e| panic!("client {id}: {e}"));
                    for (index, command) in commands.iter().enumerate() {
                        let (begin, before) = (Instant::now(), answered.load(Ordering::Relaxed));
                        let late = |e: &ClientError| {
                            let others = answered.load(Ordering::Relaxed) - before;
                            format!(
                                "client {id}, reply {index} of {}, to {command:?}: {e}; others got {others} replies meanwhile",
                                commands.len()
                            )
                        };
                        let reply = client.try_read().or_else(|e| {
                            // A deadlock, or unfairness, or a machine with other things to do. The load ends: a
                            // server that is alive then catches up, one that is stuck stays stuck.
                            if !stop.swap(true, Ordering::Relaxed) {
                                eprintln!("{}\n{}", late(&e), diagnosis(server, keys));
                            }
                            let others = answered.load(Ordering::Relaxed) - before;
                            let quiet = Instant::now();
                            let reply = client.try_read()?;
                            eprintln!("without load the reply came after {:?}", quiet.elapsed());
                            assert!(others < STARVED, "client {id} was starved: {}", late(&e));
                            Ok(reply)
                        });
                        let reply = reply.unwrap_or_else(|e: ClientError| {
                            HUNG.call_once(|| eprintln!("stuck without load\n{}", diagnosis(server, keys)));
                            panic!("{}", late(&e))
                        });
                        answered.fetch_add(1, Ordering::Relaxed);
                        slowest.fetch_max(begin.elapsed().as_millis() as u64, Ordering::Relaxed);
                        let text = reply.text();
                        let allowed = ["ERR no such key", "ERR source and destination objects are the same"];
                        assert!(
                            !reply.is_error() || allowed.contains(&text.as_str()),
                            "unexpected reply {reply:?}"
                        );
                    }
                }
                sent.fetch_add(count as u64, Ordering::Relaxed);
            }
        }));
    }
    together(duration, workers);
    println!("{sent:?} commands sent, {answered:?} replies read, the slowest after {slowest:?} ms");
}
