//! Payloads with wrong bytes under a right checksum: 10,000 others at every run, and those that were kept.

mod support;

use persistence::dump::{seal, COMMON_VERSION};
use persistence::read::Reader;
use persistence::{kind, write};
use proptest::prelude::*;
use std::sync::OnceLock;
use support::{bytes, check, check_sealed, limits};

/// Longer ones would take their time without showing more.
const LONGEST: usize = 2500;

/// What stands over the footers of right payloads.
fn originals() -> &'static [Vec<u8>] {
    static ORIGINALS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    ORIGINALS.get_or_init(|| {
        let recorded = include_str!("data/redis_7_0.txt").lines().map(|line| {
            let payload = bytes(line.split(' ').next_back().expect("a line has words"));
            payload[..payload.len() - 10].to_vec()
        });
        let mut all: Vec<Vec<u8>> = recorded.chain(kept().map(|(_, seed)| seed)).collect();
        let plain: Vec<Vec<u8>> = all.iter().filter_map(|body| uncompressed(body)).collect();
        all.extend(plain);
        all.retain(|body| !body.is_empty() && body.len() <= LONGEST);
        assert!(all.len() > 80);
        all
    })
}

/// The seeds of the fuzz target.
fn kept() -> impl Iterator<Item = (String, Vec<u8>)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fuzz/seeds/dump_payload");
    let entries = std::fs::read_dir(folder).expect("the target has seeds");
    entries.map(|entry| {
        let path = entry.expect("the folder can be listed").path();
        (path.display().to_string(), std::fs::read(&path).expect("a seed can be read"))
    })
}

/// A value that is one blob, with the blob as it is: so that a wrong byte hits it and not its compression.
fn uncompressed(body: &[u8]) -> Option<Vec<u8>> {
    let (&kind, rest) = body.split_first()?;
    let front = match kind {
        kind::HASH_ZIPMAP..=kind::HASH_ZIPLIST | kind::HASH_LISTPACK | kind::SORTED_SET_LISTPACK => 0,
        kind::LIST_LISTPACKS if rest.starts_with(&[1, 2]) => 2,
        _ => return None,
    };
    let blob = Reader::new(&rest[front..], 1 << 20).string().ok()?;
    let mut into = body[..1 + front].to_vec();
    write::length(blob.len() as u64, &mut into);
    into.extend_from_slice(&blob);
    Some(into)
}

/// One wrong thing in a payload.
#[derive(Clone, Debug)]
enum Fault {
    Bit(prop::sample::Index, u8),
    Byte(prop::sample::Index, u8),
    Cut(prop::sample::Index, usize),
    Insert(prop::sample::Index, Vec<u8>),
    Repeat(prop::sample::Index, usize),
    Kind(u8),
}

fn fault() -> impl Strategy<Value = Fault> {
    let at = any::<prop::sample::Index>;
    let telling = prop::sample::select(vec![
        0, 1, 2, 0x0a, 0x3f, 0x40, 0x7f, 0x80, 0x81, 0xc0, 0xc3, 0xf0, 0xf4, 0xfe, 0xff,
    ]);
    prop_oneof![
        3 => (at(), 0..8u8).prop_map(|(at, bit)| Fault::Bit(at, bit)),
        3 => (at(), any::<u8>()).prop_map(|(at, byte)| Fault::Byte(at, byte)),
        3 => (at(), telling).prop_map(|(at, byte)| Fault::Byte(at, byte)),
        1 => (at(), 1..20usize).prop_map(|(at, count)| Fault::Cut(at, count)),
        1 => (at(), prop::collection::vec(any::<u8>(), 1..10)).prop_map(|(at, bytes)| Fault::Insert(at, bytes)),
        1 => (at(), 1..40usize).prop_map(|(at, count)| Fault::Repeat(at, count)),
        1 => (0..27u8).prop_map(Fault::Kind),
    ]
}

impl Fault {
    fn apply(&self, body: &mut Vec<u8>) {
        if body.is_empty() {
            return;
        }
        match self {
            Fault::Bit(at, bit) => *at.get_mut(body) ^= 1 << bit,
            Fault::Byte(at, byte) => *at.get_mut(body) = *byte,
            Fault::Cut(at, count) => {
                let from = at.index(body.len());
                body.drain(from..(from + count).min(body.len()));
            }
            Fault::Insert(at, bytes) => {
                let from = at.index(body.len());
                body.splice(from..from, bytes.iter().copied());
            }
            Fault::Repeat(at, count) => {
                let from = at.index(body.len());
                let piece = body[from..(from + count).min(body.len())].to_vec();
                body.splice(from..from, piece);
            }
            Fault::Kind(kind) => body[0] = *kind,
        }
    }
}

#[test]
fn what_was_kept_is_read_or_refused() {
    for (name, seed) in kept() {
        println!("{name}");
        check(&seed);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn what_is_wrong_is_read_or_refused(
        original in any::<prop::sample::Index>(),
        faults in prop::collection::vec(fault(), 1..4),
    ) {
        let mut body = original.get(originals()).clone();
        faults.iter().for_each(|fault| fault.apply(&mut body));
        seal(COMMON_VERSION, 0, &mut body);
        check_sealed(&body, &limits());
    }
}
