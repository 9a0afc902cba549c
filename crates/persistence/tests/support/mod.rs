//! What a payload must keep to, whatever is in it: for the tests here and the fuzz target `dump_payload`.

use persistence::dump::{seal, COMMON_VERSION};
use persistence::read::Reader;
use persistence::{dump, restore, Corrupt, Decoder, Dump, Limits, Restore, Value, ValueRef};

/// Checks bytes as a payload, and as what stands over a right footer.
#[allow(dead_code)]
pub fn check(bytes: &[u8]) {
    let limits = limits();
    drop(restore(bytes, &limits));
    let mut payload = bytes.to_vec();
    seal(COMMON_VERSION, 0, &mut payload);
    check_sealed(&payload, &limits);
}

/// A node's limits, and a string limit that shows.
pub fn limits() -> Limits {
    Limits { string_bytes: 64 << 20, ..Limits::with_seed(7) }
}

/// Checks a payload whose footer is right: it is refused for what is in it, or read, however it is cut into steps; and what
/// is read is written so that it reads the same again.
pub fn check_sealed(payload: &[u8], limits: &Limits) {
    let whole = restore(payload, limits);
    let stepped = in_steps(payload, limits);
    let value = match (whole, stepped) {
        (Err(reason), Err(again)) => {
            assert_eq!(reason, again, "in steps it is refused for another reason");
            assert!(!reason.in_footer(), "the footer is right");
            return;
        }
        (Ok(value), Ok(stepped)) => {
            assert_eq!(contents(value.as_ref()), contents(stepped.as_ref()), "in steps it is another");
            value
        }
        (whole, stepped) => panic!("whole: {:?}; in steps: {:?}", whole.err(), stepped.err()),
    };
    check_value(&value, limits);
    check_prefixes(payload, limits, &value);
}

/// What is read is written so that it reads the same again.
fn check_value(value: &Value, limits: &Limits) {
    let mut written = Vec::new();
    dump(value.as_ref(), &mut written);
    for version in [10, 11] {
        let mut dump = Dump::new(version);
        let mut stepped = Vec::new();
        while !dump.step(value.as_ref(), 1, &mut stepped) {}
        assert!(version == 11 || stepped == written, "in steps it is written otherwise");
        let again = restore(&stepped, limits).unwrap_or_else(|reason| panic!("our own payload: {reason}"));
        let expected = contents(value.as_ref());
        assert_eq!(contents(again.as_ref()), expected, "it reads as something else");
    }
}

/// A value that arrives in pieces waits for the rest, and is then the same.
fn check_prefixes(payload: &[u8], limits: &Limits, value: &Value) {
    let body = &payload[..payload.len() - 10];
    let mut decoder = Decoder::new(body[0]);
    let mut at = 1;
    let cuts = (1..=16).map(|part| 1 + (body.len() - 1) * part / 16);
    for cut in cuts {
        let mut input = Reader::new(&body[..cut], limits.string_bytes);
        input.set_position(at);
        let result = decoder.step(&mut input, limits, usize::MAX);
        at = input.position();
        match result {
            Err(Corrupt::Truncated) => (),
            Ok(Some(arrived)) => {
                assert_eq!(contents(arrived.as_ref()), contents(value.as_ref()), "in pieces it is another");
                return;
            }
            other => panic!("a piece of {cut} bytes gives {:?}", other.map(|_| ())),
        }
    }
    panic!("the whole is not enough");
}

fn in_steps(payload: &[u8], limits: &Limits) -> Result<Value, Corrupt> {
    let mut restore = Restore::new();
    loop {
        if let Some(value) = restore.step(payload, limits, 1)? {
            return Ok(value);
        }
    }
}

/// The elements of a value, each after its length: in order where there is one, else sorted.
pub fn contents(value: ValueRef<'_>) -> (usize, Vec<u8>) {
    let mut items: Vec<Vec<Vec<u8>>> = Vec::new();
    match value {
        ValueRef::String(text) => items.push(vec![text.to_vec()]),
        ValueRef::List(list) => items.extend(list.iter().map(|item| vec![item.to_bytes().into_owned()])),
        ValueRef::Set(set) => {
            items.extend(set.iter().map(|item| vec![item.to_bytes().into_owned()]));
            items.sort();
        }
        ValueRef::SortedSet(set) => {
            let pair = |score: f64| score.to_le_bytes().to_vec();
            items.extend(set.iter().map(|(member, score)| vec![member.to_bytes().into_owned(), pair(score)]));
            items.sort();
        }
        ValueRef::Hash(hash) => {
            for entry in hash.entries() {
                let mut words =
                    vec![entry.field.to_bytes().into_owned(), entry.value.to_bytes().into_owned()];
                words.extend(entry.expiry.map(|time| time.to_le_bytes().to_vec()));
                items.push(words);
            }
            items.sort();
        }
        ValueRef::Stream(stream) => {
            for entry in stream.get().iter() {
                let id = entry.id();
                let mut words = vec![format!("{}-{}", id.ms, id.seq).into_bytes()];
                for (field, value) in entry.fields() {
                    words.extend([field.to_bytes().into_owned(), value.to_bytes().into_owned()]);
                }
                items.push(words);
            }
        }
    }
    let mut joined = Vec::new();
    for word in items.iter().flatten() {
        joined.extend((word.len() as u32).to_le_bytes());
        joined.extend(word);
    }
    (items.len(), joined)
}

/// Bytes as they are written in tests: pairs of hexadecimal digits, blanks where it pleases.
#[allow(dead_code)]
pub fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u32> = hex.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}

/// The reverse of [`bytes`].
#[allow(dead_code)]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
