//! Clients that wait for keys, against the built binary, on one core and on two.
//!
//! The keys of each test are drawn over all slots, so that with two cores a command often needs both. What
//! interleavings can do to the protocol behind it, the simulator explores (`ringslot-sim`, queues); here it
//! runs with real rings, threads and clocks.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use ringslot_tests::client::Client;
use ringslot_tests::random::Random;
use ringslot_tests::reply::Value;
use ringslot_tests::server::{Server, Setup};
use ringslot_tests::wait;

fn info(client: &mut Client, field: &str) -> u64 {
    let text = client.call(&["INFO", "clients"]).text();
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{field}:")));
    line.expect("the field is there").trim().parse().expect("a number")
}

/// Waits until so many clients are blocked.
fn blocked(server: &Server, count: u64) {
    let mut client = server.client();
    let reached = wait::until(Duration::from_secs(20), || {
        (info(&mut client, "blocked_clients") == count).then_some(())
    });
    assert!(reached.is_some(), "{} are blocked, not {count}", info(&mut client, "blocked_clients"));
}

/// Sends a command whose reply is read later.
fn ask(server: &Server, command: &[&str]) -> Client {
    let mut client = server.client().with_deadline(Duration::from_secs(20));
    client.send_raw(&ringslot_tests::reply::encode(command)).expect("the server takes a command");
    client
}

fn bulk(text: &str) -> Value {
    Value::Bulk(text.as_bytes().to_vec())
}

fn pair(key: &str, element: &str) -> Value {
    Value::Array(vec![bulk(key), bulk(element)])
}

fn on_one_core_and_on_two(test: impl Fn(&Server)) {
    for cores in [1, 2] {
        let server = Setup::subject(cores).start();
        test(&server);
        blocked(&server, 0);
        let mut client = server.client();
        for field in ["total_blocking_keys", "clients_in_timeout_table"] {
            assert_eq!(info(&mut client, field), 0, "{field} with {cores} cores");
        }
    }
}

#[test]
fn waiters_are_served_in_the_order_in_which_they_came() {
    on_one_core_and_on_two(|server| {
        let mut waiters = Vec::new();
        for n in 0..12 {
            // A second key for each, anywhere.
            waiters.push(ask(server, &["BLPOP", "queue", &format!("other:{n}"), "0"]));
            blocked(server, n + 1);
        }
        let mut producer = server.client();
        producer.call(&["RPUSH", "queue", "0", "1", "2", "3", "4"]);
        for n in 5..11 {
            producer.call(&["RPUSH", "queue", &n.to_string()]);
        }
        for (n, waiter) in waiters.iter_mut().enumerate().take(11) {
            assert_eq!(waiter.try_read().expect("it is served"), pair("queue", &n.to_string()));
        }
        producer.call(&["RPUSH", "other:11", "late"]);
        assert_eq!(waiters[11].try_read().expect("it is served"), pair("other:11", "late"));
        assert_eq!(producer.call(&["EXISTS", "queue", "other:11"]), Value::Integer(0));
    });
}

#[test]
fn whatever_makes_the_key_wakes_its_waiters() {
    on_one_core_and_on_two(|server| {
        let mut other = server.client();
        other.call(&["RPUSH", "source", "v"]);
        for (made_by, command) in [
            ("RENAME", &["RENAME", "source", "target"][..]),
            ("COPY", &["COPY", "spare", "target"]),
            ("LMOVE", &["LMOVE", "spare", "target", "LEFT", "LEFT"]),
            ("RPUSH", &["RPUSH", "target", "v"]),
        ] {
            let mut waiter = ask(server, &["BRPOP", "target", "0"]);
            blocked(server, 1);
            other.call(&["SET", "target", "no list"]).ok();
            other.call(&["DEL", "target"]);
            other.call(command);
            assert_eq!(waiter.try_read().expect("it is served"), pair("target", "v"), "{made_by}");
            other.call(&["DEL", "spare"]);
            other.call(&["RPUSH", "spare", "v"]);
        }
    });
}

#[test]
fn a_chain_of_moves_runs_through() {
    on_one_core_and_on_two(|server| {
        let links = 6;
        let mut movers = Vec::new();
        for n in 0..links {
            let (from, to) = (format!("link:{n}"), format!("link:{}", n + 1));
            movers.push(ask(server, &["BLMOVE", &from, &to, "LEFT", "RIGHT", "0"]));
            blocked(server, n + 1);
        }
        let mut last =
            ask(server, &["BLMPOP", "0", "2", "nothing", &format!("link:{links}"), "LEFT", "COUNT", "3"]);
        blocked(server, links + 1);
        server.client().call(&["LPUSH", "link:0", "v"]);
        for mover in &mut movers {
            assert_eq!(mover.try_read().expect("it moves"), bulk("v"));
        }
        let expected = Value::Array(vec![bulk(&format!("link:{links}")), Value::Array(vec![bulk("v")])]);
        assert_eq!(last.try_read().expect("it pops"), expected);
    });
}

#[test]
fn waiting_ends_by_time_by_command_and_by_hanging_up() {
    on_one_core_and_on_two(|server| {
        let start = Instant::now();
        let mut timed = ask(server, &["BLPOP", "a", "b", "0.3"]);
        assert_eq!(timed.try_read().expect("its time is over"), Value::Null);
        assert!(start.elapsed() >= Duration::from_millis(290), "{:?}", start.elapsed());
        let mut other = server.client();
        for (with, expected) in [
            ("TIMEOUT", Value::Null),
            ("ERROR", Value::Error("UNBLOCKED client unblocked via CLIENT UNBLOCK".into())),
        ] {
            let mut waiter = server.client();
            let id = waiter.call(&["CLIENT", "ID"]).text();
            waiter.send_raw(&ringslot_tests::reply::encode(&["BLPOP", "a", "b", "0"])).expect("it is sent");
            blocked(server, 1);
            assert_eq!(other.call(&["CLIENT", "UNBLOCK", &id, with]), Value::Integer(1));
            assert_eq!(waiter.try_read().expect("it is unblocked"), expected);
            assert_eq!(other.call(&["CLIENT", "UNBLOCK", &id, with]), Value::Integer(0));
        }
        drop(ask(server, &["BLPOP", "a", "b", "0"]));
        blocked(server, 0);
        assert_eq!(other.call(&["RPUSH", "a", "1"]), Value::Integer(1));
        assert_eq!(other.call(&["LLEN", "a"]), Value::Integer(1));
    });
}

#[test]
fn what_stands_in_front_of_a_wait_is_answered_and_what_follows_comes_later() {
    on_one_core_and_on_two(|server| {
        let mut client = server.client().with_deadline(Duration::from_secs(20));
        let mut bytes = Vec::new();
        for command in [&["SET", "x", "1"][..], &["BLPOP", "q", "0"], &["GET", "x"], &["GET", "y"]] {
            bytes.extend(ringslot_tests::reply::encode(command));
        }
        client.send_raw(&bytes).expect("it is sent");
        client.try_read().expect("SET is answered").ok();
        blocked(server, 1);
        server.client().call(&["SET", "x", "2"]).ok();
        server.client().call(&["RPUSH", "q", "e"]);
        assert_eq!(client.try_read().expect("it is served"), pair("q", "e"));
        assert_eq!(client.try_read().expect("the rest follows"), bulk("2"));
        assert_eq!(client.try_read().expect("the rest follows"), Value::Null);
    });
}

/// Producers and consumers with keys everywhere, some of whom hang up while they wait: nothing that was
/// pushed comes out twice, and nothing is lost but what somebody took who then hung up.
#[test]
fn every_element_comes_out_once() {
    on_one_core_and_on_two(|server| {
        const QUEUES: usize = 6;
        let (stop, pushed) = (AtomicBool::new(false), AtomicU64::new(0));
        let popped = Mutex::new(BTreeMap::<String, u32>::new());
        let mortal = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for producer in 0..4u64 {
                let (stop, pushed) = (&stop, &pushed);
                scope.spawn(move || {
                    let (mut client, mut random) = (server.client(), Random::new(producer));
                    for n in 0.. {
                        if stop.load(Ordering::Relaxed) {
                            break;
                        }
                        let (queue, other) = (random.below(QUEUES), random.below(QUEUES));
                        client.call(&["RPUSH", &format!("q:{queue}"), &format!("{producer}-{n}")]);
                        pushed.fetch_add(1, Ordering::Relaxed);
                        if n % 7 == 0 {
                            client.call(&[
                                "LMOVE",
                                &format!("q:{queue}"),
                                &format!("q:{other}"),
                                "LEFT",
                                "RIGHT",
                            ]);
                        }
                    }
                });
            }
            for consumer in 0..8u64 {
                let (stop, popped, mortal) = (&stop, &popped, &mortal);
                scope.spawn(move || {
                    let mut random = Random::new(100 + consumer);
                    let mut client = server.client().with_deadline(Duration::from_secs(20));
                    // After the end, until the queues have been empty for a while.
                    let mut idle = 0;
                    while idle < 3 {
                        let keys: Vec<String> =
                            (0..1 + random.below(3)).map(|_| format!("q:{}", random.below(QUEUES))).collect();
                        let mut command = vec!["BLPOP"];
                        command.extend(keys.iter().map(String::as_str));
                        command.push("0.2");
                        match client.call(&command) {
                            Value::Array(pair) => {
                                *popped.lock().expect("unpoisoned").entry(pair[1].text()).or_default() += 1;
                            }
                            Value::Null => idle += u32::from(stop.load(Ordering::Relaxed)),
                            other => panic!("{other:?}"),
                        }
                        if consumer == 7 && !stop.load(Ordering::Relaxed) {
                            // It asks, and is gone before the answer.
                            mortal.fetch_add(1, Ordering::Relaxed);
                            drop(ask(server, &command));
                        }
                    }
                });
            }
            std::thread::sleep(Duration::from_secs(3));
            stop.store(true, Ordering::Relaxed);
        });
        let popped = popped.into_inner().expect("unpoisoned");
        assert!(popped.values().all(|count| *count == 1), "something came out twice");
        let mut client = server.client();
        let left: u64 = (0..QUEUES)
            .map(|queue| {
                client.call(&["LLEN", &format!("q:{queue}")]).text().parse::<u64>().expect("a number")
            })
            .sum();
        let (pushed, mortal) = (pushed.into_inner(), mortal.into_inner());
        let out = popped.len() as u64 + left;
        println!(
            "{pushed} pushed, {} popped, {left} left, at most {mortal} went with who hung up",
            popped.len()
        );
        assert!(out <= pushed && out + mortal >= pushed, "{} are missing", pushed - out);
        assert!(popped.len() > 1_000, "too few to mean anything");
    });
}
