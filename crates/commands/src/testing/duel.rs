//! Random lines, asked of a node and of a reference server: their replies must be equal.

use super::TestNode;

const COMMANDS: &[&str] = &[
    "APPEND K V",
    "DECR K",
    "DECRBY K N",
    "GET K",
    "GETDEL K",
    "GETEX K E",
    "GETEX K PERSIST",
    "GETRANGE K N N",
    "GETSET K V",
    "INCR K",
    "INCRBY K N",
    "INCRBYFLOAT K F",
    "LCS K K",
    "LCS K K LEN",
    "LCS K K IDX WITHMATCHLEN",
    "LCS K K IDX MINMATCHLEN N",
    "MGET K K K",
    "MSET K V K V",
    "MSETNX K V K V",
    "PSETEX K S V",
    "SET K V",
    "SET K V O",
    "SET K V O O",
    "SET K V E O",
    "SET K V O E",
    "SET K V E E",
    "SETEX K S V",
    "SETNX K V",
    "SETRANGE K I V",
    "STRLEN K",
    "SUBSTR K N N",
    "COPY K K",
    "COPY K K O",
    "COPY K K REPLACE",
    "COPY K K DB D",
    "COPY K K DB D REPLACE",
    "DEL K K",
    "EXISTS K K K",
    "MOVE K D",
    "OBJECT ENCODING K",
    "OBJECT FREQ K",
    "RENAME K K",
    "RENAMENX K K",
    "TOUCH K K",
    "TYPE K",
    "UNLINK K",
    "DBSIZE",
    "SWAPDB D D",
    "EXPIRE K S",
    "EXPIREAT K T C C",
    "EXPIREAT K T",
    "EXPIREAT K T C",
    "EXPIRETIME K",
    "PERSIST K",
    "PEXPIREAT K T",
    "PEXPIREAT K T C",
    "PEXPIRETIME K",
    "TTL K",
    "KEYS nothing*",
    "FLUSHDB",
    "FLUSHDB O",
    "GET",
    "SET K",
    "FOO K V",
    "OBJECT K K",
    "EXPIRE K S V",
    "SCAN x V",
    "SCAN 0 V V",
    "APPEND K V V",
];

fn choice<'a>(random: &mut impl FnMut() -> u64, from: &[&'a str]) -> &'a str {
    from[random() as usize % from.len()]
}

fn word(random: &mut impl FnMut() -> u64, kind: &str) -> String {
    match kind {
        "K" => choice(random, &["a", "b", "c", "{x}d", "\"\""]).to_string(),
        "V" => choice(
            random,
            &[
                "x",
                "hello",
                "\"\"",
                "10",
                "-1",
                "007",
                "1.5",
                "3.0e3",
                "9223372036854775807",
                "\" 1\"",
                "\"a\\x00b\"",
                "mynewtextthatislongerthanfortyfourbytesinallandso",
                "ohmytext",
                "\"\\r\\n\"",
                "0",
                "9999",
                "10000",
            ],
        )
        .to_string(),
        "N" => choice(
            random,
            &[
                "0",
                "1",
                "-1",
                "5",
                "100",
                "-100",
                "x",
                "1.0",
                "9223372036854775807",
                "-9223372036854775808",
                "9223372036854775808",
                "1000000",
                "-5",
            ],
        )
        .to_string(),
        // Times: nothing may expire by itself, since the clocks differ.
        "S" => choice(
            random,
            &["0", "100000", "-1", "1000000", "x", "1.0", "9223372036854775807", "9223372036854775"],
        )
        .to_string(),
        "I" => {
            choice(random, &["0", "1", "5", "40", "-1", "x", "536870912", "9223372036854775807"]).to_string()
        }
        "F" => choice(
            random,
            &[
                "1",
                "0.1",
                "-2.5",
                "1e3",
                "1e-5",
                "x",
                "inf",
                "nan",
                "0",
                "3.14159265358979",
                "1e17",
                "-0.3",
                "0x10",
                "\"\"",
                "1e400",
                "5e-324",
                "123456789.123456789",
            ],
        )
        .to_string(),
        "O" => choice(random, &["NX", "xx", "GET", "KEEPTTL", "FOO", "REPLACE", "ASYNC", "sync"]).to_string(),
        "C" => choice(random, &["NX", "XX", "gt", "LT", "FOO"]).to_string(),
        "D" => choice(random, &["0", "1", "2", "16", "x", "-1"]).to_string(),
        "T" => choice(random, &["99999999999", "88888888888", "1", "-1", "0", "x", "9223372036854775807"])
            .to_string(),
        "E" => {
            let unit = choice(random, &["EX", "PX", "EXAT", "PXAT", "ex"]);
            let number = match unit {
                "EX" | "ex" => choice(random, &["100", "0", "x", "9223372036854775807", "-1"]),
                // In seconds, or rounded to them, so that the clocks may differ.
                "PX" => choice(random, &["100000", "0", "1.5", "-1"]),
                _ => choice(random, &["99999999999", "88888888888000", "x", "0", "9223372036854775807"]),
            };
            format!("{unit} {number}")
        }
        other => other.to_string(),
    }
}

fn now_us() -> u64 {
    let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since_1970.expect("a clock that is set").as_micros() as u64
}

/// The other server reads its clock a little later: rounded seconds may differ by one, and milliseconds
/// by some.
fn is_same(ours: &str, theirs: &str) -> bool {
    let number = |reply: &str| reply.strip_prefix(':').and_then(|number| number.parse::<i64>().ok());
    match (number(ours), number(theirs)) {
        (Some(ours), Some(theirs)) if ours >= 100 => {
            (0..=if ours > 1_000_000_000_000 { 1000 } else { 1 }).contains(&(theirs - ours).abs())
        }
        _ => ours == theirs,
    }
}

/// Without a reference server there is nobody to agree with, and nothing is done.
#[test]
fn random_lines_are_answered_as_by_the_reference_server() {
    let seed: u64 = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let lines: usize = std::env::var("LINES").ok().and_then(|lines| lines.parse().ok()).unwrap_or(20_000);
    for protocol in [2, 3] {
        let mut node = if protocol == 3 { TestNode::resp3() } else { TestNode::new() };
        if node.reference.is_none() {
            return;
        }
        let mut state = seed;
        let mut random = || super::next(&mut state);
        let mut history = Vec::new();
        for _ in 0..lines {
            let words = choice(&mut random, COMMANDS).split(' ');
            let line: Vec<String> = words.map(|kind| word(&mut random, kind)).collect();
            let line = line.join(" ");
            history.push(line.clone());
            node.now.unix_us = now_us();
            let (ours, theirs) = (node.run(&line), node.ask_reference(&line).expect("there is one"));
            let last = &history[history.len().saturating_sub(12)..];
            assert!(
                is_same(&ours, &theirs),
                "ours {ours}\ntheirs {theirs}\nseed {seed}: {line}\nafter {last:#?}"
            );
        }
    }
}
