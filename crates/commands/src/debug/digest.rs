//! DEBUG DIGEST and DIGEST-VALUE: forty hex digits that are equal where values are.
//!
//! They are Redis 7.2's, whatever the encoding, so that values here can be compared with values there:
//!
//! ```text
//!     xor(d, x)   d ^= sha1(x)                 for what has no order
//!     mix(d, x)   d = sha1(d ^ sha1(x))        for what has one
//!
//!     value       mix type, then    string: mix text        list: mix each element
//!                                   set: xor each member     stream: mix each id, field and value
//!                                   hash, sorted set: xor the mix of each pair
//!                 and xor "!!expire!!" if the key expires
//!     keyspace    of each database that is not empty: mix number, xor the mix of each key and its value
//! ```
//!
//! Groups and consumers of streams are left out, as Redis leaves them out. Scores are written in the fewest
//! digits; Redis 7.0 writes 17, so that digests of sorted sets differ there.

use super::sha1::{sha1, Digest};
use datatypes::sorted_set::SortedSetRef;
use keyspace::{Cursor, Entry, Keyspace, ValueRef};
use slot::SLOTS;
use std::io::Write;

fn xor(digest: &mut Digest, bytes: &[u8]) {
    combine(digest, &sha1(bytes));
}

fn mix(digest: &mut Digest, bytes: &[u8]) {
    xor(digest, bytes);
    *digest = sha1(digest);
}

fn combine(digest: &mut Digest, other: &Digest) {
    digest.iter_mut().zip(other).for_each(|(byte, other)| *byte ^= other);
}

/// The digest of a value and of whether it expires.
pub(super) fn of_value(entry: Entry<'_>, now_ms: u64) -> Digest {
    let mut digest = [0; 20];
    add_value(&mut digest, entry, now_ms);
    digest
}

fn add_value(digest: &mut Digest, entry: Entry<'_>, now_ms: u64) {
    let value = entry.value();
    mix(digest, &number_of(value).to_be_bytes());
    match value {
        ValueRef::Str(string) => mix(digest, string.bytes()),
        ValueRef::List(list) => list.iter().for_each(|item| item.with_bytes(|item| mix(digest, item))),
        ValueRef::Set(set) => set.iter().for_each(|member| member.with_bytes(|member| xor(digest, member))),
        ValueRef::SortedSet(set) => add_sorted_set(digest, set),
        ValueRef::Hash(hash) => {
            for (field, value) in hash.iter(now_ms) {
                let mut pair = [0; 20];
                field.with_bytes(|field| mix(&mut pair, field));
                value.with_bytes(|value| mix(&mut pair, value));
                xor(digest, &pair);
            }
        }
        ValueRef::Stream(stream) => {
            for entry in stream.get().iter() {
                let id = entry.id();
                mix(digest, format!("{}.{}", id.ms, id.seq).as_bytes());
                for (field, value) in entry.fields() {
                    field.with_bytes(|field| mix(digest, field));
                    value.with_bytes(|value| mix(digest, value));
                }
            }
        }
    }
    if entry.expiry().is_some() {
        xor(digest, b"!!expire!!");
    }
}

fn add_sorted_set(digest: &mut Digest, set: SortedSetRef<'_>) {
    let mut text = Vec::new();
    for (member, score) in set.iter() {
        let mut pair = [0; 20];
        member.with_bytes(|member| mix(&mut pair, member));
        text.clear();
        write_score(score, &mut text);
        mix(&mut pair, &text);
        xor(digest, &pair);
    }
}

/// Redis's numbers of types.
fn number_of(value: ValueRef<'_>) -> u32 {
    match value {
        ValueRef::Str(_) => 0,
        ValueRef::List(_) => 1,
        ValueRef::Set(_) => 2,
        ValueRef::SortedSet(_) => 3,
        ValueRef::Hash(_) => 4,
        ValueRef::Stream(_) => 6,
    }
}

/// A score as the digest has it. Unlike ZSCORE it writes large integers with an exponent: 1e+17.
fn write_score(score: f64, into: &mut Vec<u8>) {
    if score.is_sign_negative() {
        into.push(b'-');
    }
    let score = score.abs();
    if score == 0.0 || score.is_infinite() {
        into.extend_from_slice(if score == 0.0 { b"0" } else { b"inf" });
        return;
    }
    // Rust writes the fewest digits, too: `d.ddde-x`.
    let text = format!("{score:e}");
    let (number, exponent) = text.split_once('e').expect("written so");
    let digits: String = number.chars().filter(|&c| c != '.').collect();
    let exponent: i32 = exponent.parse().expect("written so");
    let count = digits.len() as i32;
    // So many zeros follow the digits, or of so many places (negative) the point stands in front.
    let shift = exponent - (count - 1);
    let written = if shift >= 0 && exponent.abs() < count + 7 {
        write!(into, "{digits}{:0>1$}", "", shift as usize)
    } else if shift < 0 && (shift > -7 || exponent.abs() < 4) {
        match usize::try_from(count + shift) {
            Ok(whole @ 1..) => write!(into, "{}.{}", &digits[..whole], &digits[whole..]),
            _ => write!(into, "0.{:0>1$}{digits}", "", (-(count + shift)) as usize),
        }
    } else {
        let point = if count > 1 { "." } else { "" };
        write!(into, "{}{point}{}e{exponent:+}", &digits[..1], &digits[1..])
    };
    written.expect("a Vec takes everything");
}

/// What the keys of a core add to the digest of a database.
pub(super) fn of_keys(keyspace: &Keyspace, db: u16, now_ms: u64) -> Digest {
    let mut all = [0; 20];
    keyspace.scan(db, Cursor::START, 0..SLOTS, usize::MAX, |entry| {
        let mut digest = [0; 20];
        mix(&mut digest, entry.key());
        add_value(&mut digest, entry, now_ms);
        xor(&mut all, &digest);
    });
    all
}

/// The digest of all, from what each core has of each database that is not empty there.
pub(super) fn of_all(parts: &mut [(u64, Vec<u8>)]) -> Digest {
    parts.sort_by_key(|(db, _)| *db);
    let (mut all, mut last) = ([0; 20], None);
    for (db, part) in parts.iter() {
        if last != Some(*db) {
            mix(&mut all, &(*db as u32).to_be_bytes());
            last = Some(*db);
        }
        combine(&mut all, part.as_slice().try_into().expect("a digest"));
    }
    all
}

/// As DEBUG says it.
pub(super) fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_have_the_fewest_digits() {
        for (score, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (1.0, "1"),
            (-120.0, "-120"),
            (3.5, "3.5"),
            (0.1, "0.1"),
            (-0.001, "-0.001"),
            (0.000_001, "0.000001"),
            (0.000_000_1, "1e-7"),
            (1e7, "10000000"),
            (1e8, "1e+8"),
            (123e7, "1230000000"),
            (123e8, "1.23e+10"),
            (1e17, "1e+17"),
            (1.5e300, "1.5e+300"),
            (2.5e-10, "2.5e-10"),
            (9_007_199_254_740_993.0, "9007199254740992"),
            (1.0 / 3.0, "0.3333333333333333"),
        ] {
            let mut written = Vec::new();
            write_score(score, &mut written);
            assert_eq!(String::from_utf8_lossy(&written), text);
        }
    }
}
