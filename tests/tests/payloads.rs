//! Payloads of DUMP between the reference server and ours, both ways, and payloads with wrong bytes.
//!
//! ```text
//!     reference --DUMP--> ours      the same digest on both
//!     ours --DUMP--> reference      the same digest, encoding and consumer groups as at first
//!     ours, made here by the same commands --DUMP--> reference, and back
//! ```
//!
//! Digests are DEBUG DIGEST-VALUE's. Redis 7.0 writes scores with 17 digits there and 7.2 the fewest, so scores
//! are such that both are equal.

use ringslot_tests::client::Client;
use ringslot_tests::program::Program;
use ringslot_tests::random::Random;
use ringslot_tests::reply::Value;
use ringslot_tests::server::{Server, Setup};

const VALUES: usize = 2_000;
const MUTATED: usize = 10_000;
/// Longer payloads are not mutated: most of their bytes are alike.
const MUTATED_MAX: usize = 2_000;

type Words = Vec<Vec<u8>>;

fn server(program: &Program, cores: usize) -> Server {
    Setup::of(program).cores(cores).with("enable-debug-command", "yes").start()
}

fn words(text: &str) -> Words {
    text.split(' ').map(|word| word.as_bytes().to_vec()).collect()
}

/// What makes a value of any type and encoding under `key`.
fn make(random: &mut Random, key: &str) -> Vec<Words> {
    match random.below(6) {
        0 => vec![[words(&format!("SET {key}")), vec![element(random)]].concat()],
        1 => {
            let count = size(random);
            vec![collect(random, "RPUSH", key, count, |random| vec![element(random)])]
        }
        2 => {
            let count = size(random);
            let integers = random.one_in(2);
            vec![collect(random, "SADD", key, count, |random| match integers {
                true => vec![integer(random)],
                false => vec![element(random)],
            })]
        }
        3 => {
            let count = size(random);
            vec![collect(random, "HSET", key, count, |random| vec![element(random), element(random)])]
        }
        4 => {
            let count = size(random);
            vec![collect(random, "ZADD", key, count, |random| vec![score(random), element(random)])]
        }
        _ => stream(random, key),
    }
}

fn collect(
    random: &mut Random,
    command: &str,
    key: &str,
    count: usize,
    one: impl Fn(&mut Random) -> Words,
) -> Words {
    let mut all = words(&format!("{command} {key}"));
    (0..count).for_each(|_| all.extend(one(random)));
    all
}

/// Below and above the thresholds of the compact encodings.
fn size(random: &mut Random) -> usize {
    match random.below(10) {
        0..=6 => 1 + random.below(20),
        7 | 8 => 100 + random.below(60),
        _ => 500 + random.below(300),
    }
}

fn integer(random: &mut Random) -> Vec<u8> {
    let shift = random.below(64);
    ((random.next_u64() as i64) >> shift).to_string().into_bytes()
}

fn element(random: &mut Random) -> Vec<u8> {
    let bytes = |random: &mut Random, len: usize| (0..len).map(|_| random.next_u64() as u8).collect();
    match random.below(40) {
        0..=9 => integer(random),
        10..=29 => format!("element:{}", random.below(100_000)).into_bytes(),
        30..=36 => {
            let len = 1 + random.below(64);
            bytes(random, len)
        }
        37 => Vec::new(),
        // That LZF shrinks, and that it does not.
        38 => b"again and ".repeat(1 + random.below(300)),
        _ => {
            let len = 64 + random.below(500);
            bytes(random, len)
        }
    }
}

fn score(random: &mut Random) -> Vec<u8> {
    let text = match random.below(20) {
        0 => "inf".to_string(),
        1 => "-inf".to_string(),
        2..=5 => format!("{}.5", random.below(1000)),
        _ => (random.below(2_000_000) as i64 - 1_000_000).to_string(),
    };
    text.into_bytes()
}

fn stream(random: &mut Random, key: &str) -> Vec<Words> {
    let (mut all, mut ms) = (Vec::new(), 0);
    let mut ids = Vec::new();
    for _ in 0..size(random) {
        ms += 1 + random.below(3);
        let id = format!("{ms}-{}", random.below(3));
        let mut add = words(&format!("XADD {key} {id}"));
        // Mostly the same fields, so that most entries lean on the first of their node.
        let names: &[&str] = if random.one_in(5) { &["other"] } else { &["name", "age"] };
        names.iter().for_each(|name| add.extend([name.as_bytes().to_vec(), element(random)]));
        all.push(add);
        ids.push(id);
    }
    for id in &ids {
        if random.one_in(8) {
            all.push(words(&format!("XDEL {key} {id}")));
        }
    }
    for group in 0..random.below(3) {
        all.push(words(&format!("XGROUP CREATE {key} group{group} 0")));
        for reader in 0..random.below(3) {
            let count = 1 + random.below(ids.len());
            let read = format!("XREADGROUP GROUP group{group} reader{reader} COUNT {count} STREAMS {key} >");
            all.push(words(&read));
        }
        let acknowledged = random.below(ids.len());
        all.push(words(&format!("XACK {key} group{group} {}", ids[acknowledged])));
    }
    all
}

fn run(client: &mut Client, commands: &[Words]) {
    for command in commands {
        let reply = client.call(command);
        assert!(!reply.is_error(), "{}: {reply:?}", String::from_utf8_lossy(&command[0]));
    }
}

fn dump(client: &mut Client, key: &str) -> Vec<u8> {
    match client.call(&["DUMP", key]) {
        Value::Bulk(payload) => payload,
        other => panic!("DUMP {key}: {other:?}"),
    }
}

fn restore(client: &mut Client, key: &str, payload: &[u8]) -> Value {
    client.call(&[b"RESTORE", key.as_bytes(), b"0", payload, b"REPLACE"])
}

fn digest(client: &mut Client, key: &str) -> String {
    client.call(&["DEBUG", "DIGEST-VALUE", key]).items()[0].text()
}

/// What the digest leaves out.
fn inside(client: &mut Client, key: &str) -> (String, String) {
    let groups = client.call(&["XINFO", "STREAM", key, "FULL", "COUNT", "0"]);
    let groups = if groups.is_error() { String::new() } else { format!("{groups:?}") };
    (client.call(&["OBJECT", "ENCODING", key]).text(), groups)
}

#[test]
fn values_go_there_and_back() {
    for cores in [1, 2] {
        let (ours, theirs) = (server(&Program::subject(), cores), server(&Program::reference(), 1));
        let (mut ours, mut theirs) = (ours.client(), theirs.client());
        for seed in 0..VALUES / 2 {
            let mut random = Random::new((cores * VALUES + seed) as u64);
            let commands = make(&mut random, "k");
            let what = String::from_utf8_lossy(&commands[0][0]).into_owned();

            // From there to us, and back.
            run(&mut theirs, &commands);
            let (made, kept) = (digest(&mut theirs, "k"), inside(&mut theirs, "k"));
            restore(&mut ours, "k", &dump(&mut theirs, "k")).ok();
            assert_eq!(digest(&mut ours, "k"), made, "{what} of seed {seed} came here");
            restore(&mut theirs, "k", &dump(&mut ours, "k")).ok();
            assert_eq!(digest(&mut theirs, "k"), made, "{what} of seed {seed} came back");
            assert_eq!(inside(&mut theirs, "k"), kept, "{what} of seed {seed} came back");

            // Through our own codec.
            ours.call(&["DEBUG", "RELOAD"]).ok();
            assert_eq!(digest(&mut ours, "k"), made, "{what} of seed {seed} was reloaded");

            // Made here, to there, and back.
            ours.call(&["FLUSHALL"]).ok();
            run(&mut ours, &commands);
            assert_eq!(digest(&mut ours, "k"), made, "{what} of seed {seed} was made here");
            // What is decoded has no history: a table that was expected to be larger is compact now.
            ours.call(&["DEBUG", "RELOAD"]).ok();
            let kept = inside(&mut ours, "k");
            restore(&mut theirs, "k", &dump(&mut ours, "k")).ok();
            assert_eq!(digest(&mut theirs, "k"), made, "{what} of seed {seed} went there");
            restore(&mut ours, "k", &dump(&mut theirs, "k")).ok();
            assert_eq!(digest(&mut ours, "k"), made, "{what} of seed {seed} came home");
            if what != "XADD" {
                // Times at which consumers were active do not fit in a payload of 7.0.
                assert_eq!(inside(&mut ours, "k"), kept, "{what} of seed {seed} came home");
            }
            theirs.call(&["FLUSHALL"]).ok();
            ours.call(&["FLUSHALL"]).ok();
        }
    }
}

/// CRC-64 as under payloads, a bit at a time: slow, and nobody else's.
fn checksum(bytes: &[u8]) -> u64 {
    const POLYNOMIAL: u64 = 0x95ac_9329_ac4b_c9b5;
    bytes.iter().fold(0, |crc, &byte| {
        (0..8).fold(crc ^ u64::from(byte), |crc, _| crc >> 1 ^ if crc & 1 == 1 { POLYNOMIAL } else { 0 })
    })
}

/// Some wrong bytes under a right footer.
fn mutated(random: &mut Random, payload: &[u8]) -> Vec<u8> {
    const FOOTER: usize = 10;
    let mut body = payload[..payload.len() - FOOTER].to_vec();
    for _ in 0..1 + random.below(4) {
        let at = random.below(body.len());
        match random.below(6) {
            0 => body[at] ^= 1 << random.below(8),
            1 => body[at] = random.next_u64() as u8,
            2 => body[at] = *random.pick(&[0, 1, 0x7F, 0x80, 0xC0, 0xC3, 0xFE, 0xFF]),
            3 => body.insert(at, random.next_u64() as u8),
            4 if body.len() > 2 => drop(body.remove(at)),
            _ if body.len() > 4 && random.one_in(4) => body.truncate(at.max(1)),
            _ => body[0] = random.below(26) as u8,
        }
    }
    body.extend_from_slice(&[11, 0]);
    let checksum = checksum(&body);
    body.extend_from_slice(&checksum.to_le_bytes());
    body
}

#[test]
fn wrong_bytes_are_refused_or_harmless() {
    let (ours, theirs) = (server(&Program::subject(), 1), server(&Program::reference(), 1));
    let (mut ours, mut theirs) = (ours.client(), theirs.client());
    let mut random = Random::new(64);
    let mut payloads = Vec::new();
    while payloads.len() < 300 {
        run(&mut theirs, &make(&mut random, "k"));
        payloads.push(dump(&mut theirs, "k"));
        payloads.retain(|payload| payload.len() <= MUTATED_MAX);
        theirs.call(&["DEL", "k"]);
    }
    let payload = &payloads[0];
    let (summed, sum) = payload.split_last_chunk().expect("a footer");
    assert_eq!(checksum(summed), u64::from_le_bytes(*sum), "the checksum is Redis's");

    let mut accepted = 0;
    for _ in 0..MUTATED {
        let index = random.below(payloads.len());
        let payload = mutated(&mut random, &payloads[index]);
        let reply = restore(&mut ours, "k", &payload);
        if reply.is_error() {
            assert_eq!(reply.text(), "ERR Bad data format");
            continue;
        }
        accepted += 1;
        // What was taken for a value behaves like one.
        let made = digest(&mut ours, "k");
        let again = dump(&mut ours, "k");
        restore(&mut ours, "again", &again).ok();
        assert_eq!(digest(&mut ours, "again"), made, "{}", payload.escape_ascii());
        assert!(!ours.call(&["DEBUG", "OBJECT", "k"]).is_error());
        assert!(!ours.call(&["COPY", "k", "copy", "REPLACE"]).is_error());
        assert_eq!(digest(&mut ours, "copy"), made, "{}", payload.escape_ascii());
    }
    println!("{accepted} of {MUTATED} were values");
    assert!(accepted > 100, "only {accepted} of the mutated payloads were values");
    ours.call(&["DEBUG", "RELOAD"]).ok();
    assert_eq!(ours.call(&["PING"]).text(), "PONG");
}
