//! The keyspace from outside: expiry that nobody triggers, SCAN's promise, one huge slot.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ringslot_tests::client::Client;
use ringslot_tests::reply::{encode, Value};
use ringslot_tests::server::Setup;
use ringslot_tests::wait;

fn info_number(client: &mut Client, section: &str, field: &str) -> u64 {
    let text = client.call(&["INFO", section]).text();
    let value = text.lines().find_map(|l| l.strip_prefix(field)?.strip_prefix(':'));
    value.and_then(|v| v.trim().parse().ok()).unwrap_or_else(|| panic!("no number {field} in {text}"))
}

fn many(range: std::ops::Range<usize>, command: impl Fn(usize) -> Vec<String>) -> Vec<Vec<String>> {
    range.map(command).collect()
}

#[test]
fn keys_that_nobody_touches_expire_all_the_same() {
    const KEYS: usize = 20_000;
    for cores in [1, 2] {
        let server = Setup::subject(cores).start();
        let mut client = server.client();
        client.call(&["SET", "stays", "v"]).ok();
        for start in (0..KEYS).step_by(1000) {
            let sets = many(start..start + 1000, |i| {
                vec!["SET".into(), format!("k{i}"), "v".into(), "PX".into(), "300".into()]
            });
            client.pipeline(&sets).iter().for_each(Value::ok);
        }
        wait::until_ok("all keys with an expiry are gone", Duration::from_secs(30), || {
            match client.call(&["DBSIZE"]).integer() {
                1 => Ok(()),
                n => Err(format!("{n} keys")),
            }
        });
        assert_eq!(info_number(&mut client, "stats", "expired_keys"), KEYS as u64, "{cores} cores");
        assert_eq!(client.call(&["GET", "stays"]), Value::Bulk(b"v".to_vec()));
    }
}

#[test]
fn an_expired_key_is_gone_at_once_even_with_the_active_cycle_off() {
    let server = Setup::subject(2).start();
    let mut client = server.client();
    client.call(&["DEBUG", "SET-ACTIVE-EXPIRE", "0"]).ok();
    for i in 0..200 {
        client.call(&["SET", &format!("k{i}"), "v", "PX", "50"]).ok();
    }
    wait::until_ok("every key is gone", Duration::from_secs(10), || {
        let alive =
            (0..200).filter(|i| client.call(&["EXISTS", &format!("k{i}")]) == Value::Integer(1)).count();
        if alive == 0 {
            Ok(())
        } else {
            Err(format!("{alive} left"))
        }
    });
    // A reader never sees a value whose time is over, however close it looks.
    for _ in 0..50 {
        // The key's time begins after this, and ends at least 20 ms later.
        let start = Instant::now();
        client.call(&["SET", "edge", "v", "PX", "20"]).ok();
        while client.call(&["GET", "edge"]) != Value::Null {
            assert!(start.elapsed() < Duration::from_secs(10), "still there after {:?}", start.elapsed());
        }
        assert!(start.elapsed() >= Duration::from_millis(18), "gone after {:?}", start.elapsed());
    }
}

/// Every key of a whole iteration.
fn scan_all(client: &mut Client, count: &str) -> HashSet<String> {
    let mut found = HashSet::new();
    let mut cursor = "0".to_string();
    loop {
        let reply = client.call(&["SCAN", &cursor, "COUNT", count]);
        let [next, keys] = reply.items() else { panic!("{reply:?}") };
        found.extend(keys.items().iter().map(Value::text));
        cursor = next.text();
        // Some JavaScript clients read cursors as numbers.
        assert!(cursor.parse::<u64>().expect("a cursor is a number") < 1 << 53, "cursor {cursor}");
        if cursor == "0" {
            return found;
        }
    }
}

#[test]
fn scan_returns_what_is_there_during_the_whole_iteration() {
    const STABLE: usize = 2_000;
    // Spread over all slots, and all in one.
    for (cores, tag) in [(1, ""), (2, ""), (2, "{one}")] {
        let server = Setup::subject(cores).start();
        let mut client = server.client();
        let stable: HashSet<String> = (0..STABLE).map(|i| format!("{tag}stable:{i}")).collect();
        for key in &stable {
            client.call(&["SET", key, "v"]).ok();
        }
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let (server, stop) = (&server, &stop);
            scope.spawn(move || {
                // Growth to many times the size, then shrinkage, again and again.
                let mut client = server.client();
                while !stop.load(Ordering::Relaxed) {
                    for start in (0..40_000).step_by(1000) {
                        if stop.load(Ordering::Relaxed) {
                            return;
                        }
                        client.pipeline(&many(start..start + 1000, |i| {
                            vec!["SET".into(), format!("{tag}passing:{i}"), "v".into()]
                        }));
                    }
                    for start in (0..40_000).step_by(1000) {
                        client.pipeline(&many(start..start + 1000, |i| {
                            vec!["DEL".into(), format!("{tag}passing:{i}")]
                        }));
                    }
                }
            });
            for round in 0..6 {
                let found = scan_all(&mut client, ["10", "100", "1000"][round % 3]);
                let missing = stable.iter().filter(|k| !found.contains(*k)).count();
                if missing > 0 {
                    stop.store(true, Ordering::Relaxed);
                }
                assert_eq!(
                    missing, 0,
                    "{cores} cores, tag {tag:?}, round {round}: keys that SCAN did not return"
                );
            }
            stop.store(true, Ordering::Relaxed);
        });
    }
}

#[test]
fn a_million_keys_go_into_one_slot() {
    const KEYS: usize = 1_000_000;
    const BATCH: usize = 50;
    let server = Setup::subject(1).start();
    let mut client = server.client();
    let mut slowest = Duration::ZERO;
    for start in (0..KEYS).step_by(BATCH) {
        let bytes: Vec<u8> =
            (start..start + BATCH).flat_map(|i| encode(&["SET", &format!("{{tag}}{i}"), "v"])).collect();
        let begin = Instant::now();
        client.send_raw(&bytes).expect("a pipeline is taken");
        for _ in 0..BATCH {
            client.try_read().expect("a reply").ok();
        }
        slowest = slowest.max(begin.elapsed());
    }
    // How little an insertion may move is counted, not timed, in the tests of `keyspace`.
    println!("{KEYS} keys in one slot: the slowest batch of {BATCH} took {slowest:?}");
    assert_eq!(client.call(&["DBSIZE"]).integer(), KEYS as i64);
    for i in (0..KEYS).step_by(997) {
        assert_eq!(client.call(&["EXISTS", &format!("{{tag}}{i}")]).integer(), 1);
    }
    let begin = Instant::now();
    client.call(&["FLUSHALL"]).ok();
    println!("FLUSHALL took {:?}", begin.elapsed());
}

#[test]
fn databases_are_kept_apart_on_every_core() {
    let server = Setup::subject(2).start();
    let mut client = server.client();
    for database in 0..16 {
        client.call(&["SELECT", &database.to_string()]).ok();
        let sets = many(0..200, |i| vec!["SET".into(), format!("k{i}"), format!("{database}:{i}")]);
        client.pipeline(&sets).iter().for_each(Value::ok);
    }
    let keyspace = client.call(&["INFO", "keyspace"]).text();
    for database in 0..16 {
        assert!(keyspace.contains(&format!("db{database}:keys=200,expires=0")), "{keyspace}");
    }
    client.call(&["SWAPDB", "3", "12"]).ok();
    client.call(&["SELECT", "5"]).ok();
    client.call(&["FLUSHDB"]).ok();
    for database in 0..16 {
        client.call(&["SELECT", &database.to_string()]).ok();
        let shown = match database {
            3 => 12,
            12 => 3,
            other => other,
        };
        let expected =
            if database == 5 { Value::Null } else { Value::Bulk(format!("{shown}:7").into_bytes()) };
        assert_eq!(client.call(&["GET", "k7"]), expected, "database {database}");
        assert_eq!(client.call(&["DBSIZE"]).integer(), if database == 5 { 0 } else { 200 });
    }
    client.call(&["FLUSHALL"]).ok();
    assert_eq!(client.call(&["DBSIZE"]), Value::Integer(0));
    assert_eq!(client.call(&["INFO", "keyspace"]).text().trim(), "# Keyspace");
}
