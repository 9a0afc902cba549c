//! Payloads that a redis-server 7.0 answered to DUMP: read, compared with what they were made of, and written as
//! they came. `data/make_payloads.py` says how they were made.

mod support;

use persistence::{crc64, dump, restore, Value};
use support::{check_sealed, contents, limits};

/// A line of the file.
struct Sample {
    name: String,
    kind: String,
    encoding: String,
    count: usize,
    checksum: u64,
    payload: Vec<u8>,
}

fn samples() -> Vec<Sample> {
    include_str!("data/redis_7_0.txt")
        .lines()
        .map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            let [name, kind, encoding, count, checksum, payload] = words[..] else { panic!("{line}") };
            Sample {
                name: name.to_owned(),
                kind: kind.to_owned(),
                encoding: encoding.to_owned(),
                count: count.parse().expect("a count"),
                checksum: u64::from_str_radix(checksum, 16).expect("a checksum"),
                payload: support::bytes(payload),
            }
        })
        .collect()
}

fn kind_and_encoding(value: &Value) -> (&'static str, &'static str) {
    match value {
        Value::String(_) => ("string", ""),
        Value::List(list) => ("list", list.as_ref().encoding()),
        Value::Set(set) => ("set", set.as_ref().encoding()),
        Value::SortedSet(set) => ("zset", set.as_ref().encoding()),
        Value::Hash(hash) => ("hash", hash.as_ref().encoding()),
        Value::Stream(stream) => ("stream", stream.as_ref().encoding()),
    }
}

#[test]
fn they_are_read_as_what_they_were() {
    let samples = samples();
    assert!(samples.len() > 60);
    for sample in samples {
        let value =
            restore(&sample.payload, &limits()).unwrap_or_else(|reason| panic!("{}: {reason}", sample.name));
        let (count, joined) = contents(value.as_ref());
        assert_eq!(count, sample.count, "{}", sample.name);
        assert_eq!(crc64::checksum(&joined), sample.checksum, "{}", sample.name);
        let (kind, encoding) = kind_and_encoding(&value);
        assert_eq!(kind, sample.kind, "{}", sample.name);
        // What 7.0 has in a quicklist or a table, 7.2 has in a listpack if it is small.
        let small = match (&*sample.kind, &*sample.encoding) {
            ("list", _) => ["small", "empty_element", "integers", "strings"]
                .iter()
                .any(|name| sample.name.ends_with(name)),
            ("set", "hashtable") => sample.name == "set:small",
            _ => false,
        };
        match &*sample.kind {
            "string" => (),
            _ if small => assert_eq!(encoding, "listpack", "{}", sample.name),
            _ => assert_eq!(encoding, sample.encoding, "{}", sample.name),
        }
    }
}

#[test]
fn they_leave_as_they_came() {
    for sample in samples() {
        let value = restore(&sample.payload, &limits()).expect("it is read");
        let mut payload = Vec::new();
        dump(value.as_ref(), &mut payload);
        if sample.encoding == "hashtable" {
            // A table has no order.
            let again = restore(&payload, &limits()).expect("it is read again");
            assert_eq!(contents(again.as_ref()), contents(value.as_ref()), "{}", sample.name);
        } else {
            assert!(payload == sample.payload, "{}: {}", sample.name, support::hex(&payload));
        }
    }
}

#[test]
fn they_may_come_and_go_in_steps() {
    for sample in samples() {
        check_sealed(&sample.payload, &limits());
    }
}
