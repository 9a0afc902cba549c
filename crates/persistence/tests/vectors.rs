//! Payloads byte by byte: those of other versions, of encodings that nobody writes any more, and wrong ones.

mod support;

use persistence::dump::{seal, COMMON_VERSION};
use persistence::{dump, restore, Corrupt, Dump, Value};
use support::{bytes, check_sealed, contents, hex, limits};

/// What stands over a footer, read.
fn read(body: &[u8]) -> Result<Value, Corrupt> {
    let mut payload = body.to_vec();
    seal(COMMON_VERSION, 0, &mut payload);
    check_sealed(&payload, &limits());
    restore(&payload, &limits())
}

fn refused(body: &str) -> Corrupt {
    read(&bytes(body)).err().unwrap_or_else(|| panic!("{body} is read"))
}

/// The elements as text, and the encoding.
fn shown(value: &Value) -> (Vec<String>, &'static str) {
    let (_, joined) = contents(value.as_ref());
    let mut words = Vec::new();
    let mut rest = &joined[..];
    while let Some((length, after)) = rest.split_first_chunk() {
        let (word, after) = after.split_at(u32::from_le_bytes(*length) as usize);
        words.push(String::from_utf8_lossy(word).into_owned());
        rest = after;
    }
    let encoding = match value {
        Value::String(_) => "",
        Value::List(list) => list.as_ref().encoding(),
        Value::Set(set) => set.as_ref().encoding(),
        Value::SortedSet(set) => set.as_ref().encoding(),
        Value::Hash(hash) => hash.as_ref().encoding(),
        Value::Stream(stream) => stream.as_ref().encoding(),
    };
    (words, encoding)
}

fn check(body: &str, elements: &[&str], encoding: &str) {
    let value = read(&bytes(body)).unwrap_or_else(|reason| panic!("{body}: {reason}"));
    let (shown, found) = shown(&value);
    assert_eq!(shown, elements, "{body}");
    assert_eq!(found, encoding, "{body}");
}

#[test]
fn payloads_of_7_0_come_back_as_they_came() {
    for payload in [
        "00 05 68656c6c6f 0a00 6372df766534200a",
        "00 c07b 0a00 48e253e1007a67b9",
        "00 c118fc 0a00 4602355e70225a90",
        "00 c2a0860100 0a00 f12403506f2fa674",
        "00 0a 33303030303030303030 0a00 e7076b7954bb7947",
        "00 c3093c016161e02f00016161 0a00 a67e08b217d09780",
        "12 01 02 13 13000000 0300 816102 0101 8568656c6c6f06 ff 0a00 a21038a516cf7d51",
        "0b 0e 02000000 03000000 0100 0200 2c01 0a00 e510b28e7b9529aa",
        "10 12 12000000 0400 816602 817602 816e02 0a01 ff 0a00 45f842d8ea0693ca",
        "11 14 14000000 0400 816102 0101 816202 83322e3504 ff 0a00 d44c6ea4f644d9d7",
        "11 10 10000000 0200 816d02 842d696e6605 ff 0a00 f6adb186e1a8e39c",
    ] {
        let payload = bytes(payload);
        check_sealed(&payload, &limits());
        let value = restore(&payload, &limits()).expect("it is read");
        let mut written = Vec::new();
        dump(value.as_ref(), &mut written);
        assert_eq!(hex(&written), hex(&payload));
    }
}

#[test]
fn tables_become_what_7_2_makes_of_them() {
    for (payload, encoding) in [
        ("02 03 c001 0162 0161 0a00 4467f0c6e2d12e5b", "listpack"),
        ("04 01 0166 0176 0a00 adf24356b1860efc", "listpack"),
        ("04 01 0166 0176 0900 7d00129ae5006d4d", "listpack"),
        ("05 01 0161 000000000000f83f 0a00 45a3a88f44e959da", "listpack"),
    ] {
        let value =
            restore(&bytes(payload), &limits()).unwrap_or_else(|reason| panic!("{payload}: {reason}"));
        assert_eq!(shown(&value).1, encoding, "{payload}");
    }
}

#[test]
fn payloads_of_7_2_are_read_and_written_for_it() {
    let stream = "15 01 10 0000000000000001 0000000000000001
        28 28000000 0f00 0201 0001 0101 816602 0001 0201 0001 0001 817602 0401 0201 0101 0001 817702 0401 ff
        02 02 01 01 01 00 00 02 01 01 67 01 01 01
        01 0000000000000001 0000000000000001 c9325f09a2010000 01
        01 02 6331 c9325f09a2010000 c9325f09a2010000 01 0000000000000001 0000000000000001
        0b00 620936d86926e79a";
    for payload in [stream, "14 0f 0f000000 0300 816102 816202 0101 ff 0b00 2ebbdf41d7870d64"] {
        let payload = bytes(payload);
        let value = restore(&payload, &limits()).expect("it is read");
        let mut dump = Dump::new(11);
        let mut written = Vec::new();
        while !dump.step(value.as_ref(), 1, &mut written) {}
        assert_eq!(hex(&written), hex(&payload));
    }
    let Ok(Value::Stream(stream)) = restore(&bytes(stream), &limits()) else { panic!("it is a stream") };
    let group = stream.group(b"g").expect("it has a group");
    assert_eq!((group.pending_len(), group.entries_read(), group.consumers().len()), (1, Some(1), 1));
    // The form for 7.0 has the kind 19 and no active time.
    let mut written = Vec::new();
    dump(Value::Stream(stream).as_ref(), &mut written);
    assert_eq!((written[0], &written[written.len() - 10..written.len() - 8]), (19, &[10, 0][..]));
}

#[test]
fn old_encodings_are_read() {
    // A list and a sorted set, element by element; scores as text.
    check("01 03 0161 c001 05 68656c6c6f", &["a", "1", "hello"], "listpack");
    let scores = read(&bytes("03 04 0161 ff 0162 01 31 0163 03 322e35 0164 fe")).expect("it is read");
    let Value::SortedSet(scores) = scores else { panic!("it is a sorted set") };
    let found: Vec<f64> = scores.as_ref().iter().map(|(_, score)| score).collect();
    assert_eq!(found, [f64::NEG_INFINITY, 1.0, 2.5, f64::INFINITY]);
    // A zipmap.
    check("09 0f 02 01 66 01 00 76 01 67 02 02 7777 0000 ff", &["f", "v", "g", "ww"], "listpack");
    // Ziplists: "a" and 1; then as a list, a sorted set, a hash, a list of two.
    let ziplist = "10 10000000 0d000000 0200 00 01 61 03 f2 ff";
    check(&format!("0a {ziplist}"), &["a", "1"], "listpack");
    check(&format!("0d {ziplist}"), &["a", "1"], "listpack");
    check(&format!("0e 01 {ziplist}"), &["a", "1"], "listpack");
    check(&format!("0e 02 {ziplist} {ziplist}"), &["a", "1", "a", "1"], "quicklist");
    let Ok(Value::SortedSet(set)) = read(&bytes(&format!("0c {ziplist}"))) else {
        panic!("it is a sorted set")
    };
    assert_eq!(set.as_ref().score(b"a"), Some(1.0));
    // A stream of 5.0: what it does not say is estimated.
    let stream = "0f 01 10 0000000000000001 0000000000000001
        28 28000000 0f00 0201 0001 0101 816602 0001 0201 0001 0001 817602 0401 0201 0101 0001 817702 0401 ff
        02 02 01 01 01 67 02 01 00 00";
    let Ok(Value::Stream(stream)) = read(&bytes(stream)) else { panic!("it is a stream") };
    assert_eq!(stream.counters().entries_added, 2);
    assert_eq!(stream.counters().first_id.ms, 1);
    assert_eq!(stream.group(b"g").and_then(|group| group.entries_read()), Some(2));
}

#[test]
fn fields_that_expire_are_read_and_written() {
    // Field by field: f goes at 1000, g at 1004, h stays.
    let table = "18 e803000000000000 03 01 0166 0176 05 0167 0176 00 0168 0176";
    // The same as a listpack, and as the drafts of 7.4 wrote both.
    let pack = "21 21000000 0900 816602 817602 c3e802 816702 817602 c3ec02 816802 817602 0001 ff";
    let blob = format!("19 e803000000000000 {pack}");
    let draft = "16 03 43e8 0166 0176 43ec 0167 0176 00 0168 0176";
    let blob_draft = format!("17 {pack}");
    for body in [table, &blob, draft, &blob_draft] {
        let Ok(Value::Hash(hash)) = read(&bytes(body)) else { panic!("{body} is a hash") };
        assert_eq!(hash.as_ref().encoding(), "listpackex", "{body}");
        let expiry = |field: &[u8]| hash.as_ref().expiry(field, 0);
        assert_eq!(
            (expiry(b"f"), expiry(b"g"), expiry(b"h")),
            (Some(Some(1000)), Some(Some(1004)), Some(None))
        );
        // Only readers of version 12 know such a hash, and it says so.
        let mut written = Vec::new();
        dump(Value::Hash(hash).as_ref(), &mut written);
        let mut expected = bytes(&blob);
        seal(12, 0, &mut expected);
        assert_eq!(hex(&written), hex(&expected), "{body}");
    }
    let long = format!("18 e803000000000000 02 01 4046 {} 0176 00 0168 0176", "66".repeat(70));
    let Ok(Value::Hash(hash)) = read(&bytes(&long)) else { panic!("it is a hash") };
    assert_eq!((hash.as_ref().encoding(), hash.as_ref().next_expiry()), ("hashtable", Some(1000)));
    let mut written = Vec::new();
    dump(Value::Hash(hash).as_ref(), &mut written);
    assert_eq!(
        (written[0], &written[1..10], written[written.len() - 10]),
        (24, &bytes("e803000000000000 02")[..], 12)
    );
}

#[test]
fn what_cannot_be_is_refused() {
    // Kinds: those of modules, none, and one of a fork.
    for kind in ["06", "07", "08", "1a", "fa", "ff"] {
        assert!(matches!(refused(&format!("{kind} 01 01")), Corrupt::Type(_)), "{kind}");
    }
    assert_eq!(refused(""), Corrupt::Truncated);
    // Collections of nothing.
    for body in
        ["01 00", "02 00", "03 00", "04 00", "05 00", "0e 00", "12 00", "18 0000000000000000 00", "16 00"]
    {
        assert_eq!(refused(body), Corrupt::Empty, "{body}");
    }
    for kind in ["10", "11", "14", "17", "12 01 02", "19 0000000000000000"] {
        assert_eq!(refused(&format!("{kind} 07 07000000 0000 ff")), Corrupt::Empty, "{kind}");
    }
    for kind in ["0a", "0c", "0d", "0e 01"] {
        assert_eq!(refused(&format!("{kind} 0b 0b000000 0a000000 0000 ff")), Corrupt::Empty, "{kind}");
    }
    assert_eq!(refused("09 02 00 ff"), Corrupt::Empty);
    assert_eq!(refused("0b 08 02000000 00000000"), Corrupt::Intset);
    // Twice the same: 1 and "1" are.
    assert_eq!(refused("02 02 0161 0161"), Corrupt::Duplicate);
    assert_eq!(refused("02 02 c001 0131"), Corrupt::Duplicate);
    assert_eq!(refused("04 02 0161 0162 0161 0163"), Corrupt::Duplicate);
    assert_eq!(refused("05 02 0161 0000000000000000 0161 000000000000f03f"), Corrupt::Duplicate);
    assert_eq!(refused("14 0c 0c000000 0200 0101 813102 ff"), Corrupt::Duplicate);
    assert_eq!(refused("10 0f 0f000000 0400 0101 0201 0101 0301 ff"), Corrupt::Duplicate);
    assert_eq!(refused("09 0b 02 01 66 01 00 76 01 66 00 00 ff"), Corrupt::Duplicate);
    assert_eq!(refused("0b 0c 02000000 02000000 0100 0100"), Corrupt::Intset);
    // Halves of pairs; scores that are none, or out of order.
    assert_eq!(refused("10 09 09000000 0100 0101 ff"), Corrupt::Odd);
    assert_eq!(refused("05 01 0161 000000000000f87f"), Corrupt::Score);
    assert_eq!(refused("03 01 0161 fd"), Corrupt::Score);
    assert_eq!(refused("03 01 0161 03 612e35"), Corrupt::Score);
    for body in [
        "11 09 09000000 0100 0101 ff",
        "11 0d 0d000000 0200 816102 816202 ff",
        "11 11 11000000 0400 816102 0201 816202 0101 ff",
        "11 0f 0f000000 0400 0101 0201 0101 0301 ff",
    ] {
        assert_eq!(refused(body), Corrupt::Listpack, "{body}");
    }
    // Nodes of lists.
    assert_eq!(refused("12 01 03 0161"), Corrupt::Container(3));
    assert_eq!(refused("12 01 01 00"), Corrupt::Container(1));
    assert_eq!(refused("12 01 02 0161"), Corrupt::Listpack);
    // Times of fields: out of order, after none, negative, too late.
    for pack in [
        "19 19000000 0600 816602 817602 c3e802 816702 817602 c3e702 ff",
        "18 18000000 0600 816602 817602 0001 816702 817602 c3e702 ff",
        "10 10000000 0300 816602 817602 dfff02 ff",
    ] {
        assert_eq!(refused(&format!("17 {pack}")), Corrupt::Expiry, "{pack}");
    }
    assert_eq!(refused("18 ffffffffffffffff 01 01 0166 0176"), Corrupt::Expiry);
    assert_eq!(refused("18 e803000000000000 01 81ffffffffffffffff 0166 0176"), Corrupt::Expiry);
    assert_eq!(refused("18 0000000000000000 01 01 0166 0176"), Corrupt::Expiry);
}

#[test]
fn broken_streams_are_refused() {
    const NODE: &str = "10 0000000000000001 0000000000000001
        28 28000000 0f00 0201 0001 0101 816602 0001 0201 0001 0001 817602 0401 0201 0101 0001 817702 0401 ff";
    const ID: &str = "0000000000000001 0000000000000001";
    const TIME: &str = "c9325f09a2010000";
    let with_groups = |groups: &str| format!("13 01 {NODE} 02 02 01 01 01 00 00 02 {groups}");
    assert!(read(&bytes(&with_groups("00"))).is_ok());
    let group = format!("01 67 01 01 01 01 {ID} {TIME} 01 01 01 63 {TIME} 01 {ID}");
    assert!(read(&bytes(&with_groups(&format!("01 {group}")))).is_ok());
    for (what, body) in [
        ("a key of 15 bytes", format!("13 01 0f {} 00", "00".repeat(15))),
        ("a node twice", format!("13 02 {NODE} {NODE} 04 02 01 01 01 00 00 02 00")),
        ("another length", format!("13 01 {NODE} 03 02 01 01 01 00 00 02 00")),
        ("a length without nodes", "13 00 03 02 01 01 01 00 00 02 00".to_owned()),
        ("a group twice", with_groups(&format!("02 {group} {group}"))),
        (
            "an entry pending twice",
            with_groups(&format!("01 01 67 01 01 01 02 {ID} {TIME} 01 {ID} {TIME} 01 00")),
        ),
        ("a pending entry of nobody", with_groups(&format!("01 01 67 01 01 01 01 {ID} {TIME} 01 00"))),
        (
            "a consumer twice",
            with_groups(&format!("01 01 67 01 01 01 00 02 01 63 {TIME} 00 01 63 {TIME} 00")),
        ),
        (
            "an entry that is not pending",
            with_groups(&format!("01 01 67 01 01 01 00 01 01 63 {TIME} 01 {ID}")),
        ),
    ] {
        assert!(matches!(refused(&body), Corrupt::Stream(_)), "{what}");
    }
}

#[test]
fn huge_claims_cost_nothing() {
    const MUCH: &str = "81 7fffffffffffffff";
    for kind in ["01", "02", "03", "04", "05", "0e", "0f", "12", "13", "16", "18 0100000000000000"] {
        assert_eq!(refused(&format!("{kind} {MUCH}")), Corrupt::Truncated, "{kind}");
    }
    assert!(matches!(refused(&format!("00 {MUCH}")), Corrupt::TooLong(_)));
    assert!(matches!(refused(&format!("00 c3 09 {MUCH} 016161e02f00016161")), Corrupt::TooLong(_)));
    assert_eq!(refused("00 c3 02 8003f00000 0000"), Corrupt::Lzf);
}
