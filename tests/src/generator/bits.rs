//! Bitmaps, bitfields and HyperLogLogs in random sequences.
//!
//! Bits are written into the strings that other commands use, too. HyperLogLogs mostly have keys of their
//! own, for nearly any other write would end them; elements come from a small set, so that some are added
//! twice, or from a large one, so that values grow until they are dense. Both servers see the same
//! history, so even the bytes of the values must be equal in the end.

use super::{Generator, Words};
use crate::compare::Mask;

const SKETCHES: &[&str] = &["h1", "h2", "h3", "{t}h1", "{t}h2"];
/// None that would make a value of hundreds of megabytes.
const OFFSETS: &[&str] = &["0", "1", "7", "8", "9", "63", "64", "100", "-1", "4294967296", "x", "", "01"];
const FIELD_OFFSETS: &[&str] =
    &["#0", "#1", "#2", "#7", "#100", "#-1", "#x", "#", "#4611686018427387904", "9223372036854775807", "-8"];
const TYPES: &[&str] = &["u8", "i8", "u1", "i1", "u63", "i64", "u64", "i65", "u0", "8", "", "I8"];
const ENDS: &[&str] = &[
    "0",
    "1",
    "2",
    "-1",
    "-2",
    "5",
    "9",
    "30",
    "-30",
    "100",
    "-100",
    "9223372036854775807",
    "-9223372036854775808",
    "x",
];
const AMOUNTS: &[&str] = &[
    "0",
    "1",
    "-1",
    "2",
    "-2",
    "127",
    "128",
    "-128",
    "-129",
    "255",
    "256",
    "1000",
    "9223372036854775807",
    "-9223372036854775808",
    "-9223372036854775700",
    "4611686018427387904",
    "9223372036854775808",
    "x",
];

impl Generator {
    /// A command of these groups; the key is one that strings use.
    pub(super) fn bits_command(&mut self, key: Vec<u8>) -> (Words, Mask) {
        let words = match self.random.below(12) {
            0 | 1 => {
                vec![b"SETBIT".to_vec(), key, self.bit_offset(), self.one_of(&["0", "1", "1", "2", "x"])]
            }
            2 => vec![b"GETBIT".to_vec(), key, self.bit_offset()],
            3 => self.ranged(vec![b"BITCOUNT".to_vec(), key], 1),
            4 => {
                let bit = self.one_of(&["0", "1", "0", "1", "2", "x"]);
                self.ranged(vec![b"BITPOS".to_vec(), key, bit], 3)
            }
            5 => self.bitop(key),
            6 | 7 => self.bitfield(key),
            _ => self.sketch(key),
        };
        (words, Mask::Exact)
    }

    fn bit_offset(&mut self) -> Vec<u8> {
        match self.random.below(10) {
            0..=5 => self.random.below(400).to_string().into_bytes(),
            // Beyond the longest value that lies in its record.
            6 => self.random.below(200_000).to_string().into_bytes(),
            _ => self.one_of(OFFSETS),
        }
    }

    /// No ends, both with or without a unit, and now and then too few or too many.
    fn ranged(&mut self, mut words: Words, of: usize) -> Words {
        let mut ends = if self.random.one_in(3) { 0 } else { 2 };
        if self.random.one_in(of + 1) {
            ends = self.random.below(4);
        }
        for _ in 0..ends {
            words.push(self.one_of(ENDS));
        }
        if ends == 2 && self.random.one_in(2) {
            words.push(self.one_of(&["BIT", "BYTE", "bit", "BITS"]));
        }
        words
    }

    fn bitop(&mut self, key: Vec<u8>) -> Words {
        let to = self.partner(&key);
        let mut words = vec![b"BITOP".to_vec(), self.one_of(&["AND", "OR", "xor", "NOT", "NO"]), to];
        let sources =
            if words[1] == b"NOT" && !self.random.one_in(10) { 1 } else { 1 + self.random.below(4) };
        let mut source = key;
        for _ in 0..sources {
            words.push(source.clone());
            source = self.partner(&source);
        }
        words
    }

    fn bitfield(&mut self, key: Vec<u8>) -> Words {
        let mut words = vec![self.one_of(&["BITFIELD", "BITFIELD", "BITFIELD", "BITFIELD_RO"]), key];
        let reads_only = words[0].ends_with(b"RO") && !self.random.one_in(5);
        for _ in 0..self.random.below(6) {
            let what = if reads_only { 0 } else { self.random.below(10) };
            match what {
                0 | 1 => words.push(b"GET".to_vec()),
                2..=4 => words.push(b"SET".to_vec()),
                5..=7 => words.push(b"incrby".to_vec()),
                _ => {
                    let kind = self.one_of(&["WRAP", "SAT", "FAIL", "sat", "fail", "SAT", "FAIL", "NO"]);
                    words.extend([b"OVERFLOW".to_vec(), kind]);
                    continue;
                }
            }
            let width = match self.random.below(12) {
                0 => self.one_of(TYPES),
                n if n % 2 == 0 => format!("u{}", 1 + self.random.below(63)).into_bytes(),
                _ => format!("i{}", 1 + self.random.below(64)).into_bytes(),
            };
            words.push(width);
            words.push(match self.random.below(12) {
                0 => self.one_of(FIELD_OFFSETS),
                1..=3 => format!("#{}", self.random.below(30)).into_bytes(),
                _ => self.bit_offset(),
            });
            if what > 1 {
                let amount = match self.random.below(2) {
                    0 => self.one_of(AMOUNTS),
                    _ => (self.random.next_u64() as i64 >> self.random.below(64)).to_string().into_bytes(),
                };
                words.push(amount);
            }
        }
        words
    }

    fn sketch(&mut self, key: Vec<u8>) -> Words {
        let key = if self.random.one_in(12) { key } else { self.sketch_key() };
        match self.random.below(16) {
            0..=7 => {
                let mut words = vec![b"PFADD".to_vec(), key];
                let (count, of) = match self.random.below(8) {
                    0 => (0, 1),
                    1 => (1 + self.random.below(1_500), 1_000_000),
                    _ => (1 + self.random.below(20), [10, 1_000_000][self.random.below(2)]),
                };
                words.extend((0..count).map(|_| self.random.below(of).to_string().into_bytes()));
                words
            }
            8..=10 => self.with_sketches("PFCOUNT", key),
            11 | 12 => self.with_sketches("PFMERGE", key),
            13 => {
                let sub = self.one_of(&["DECODE", "decode", "ENCODING", "DECODE", "TODENSE", "NO"]);
                vec![b"PFDEBUG".to_vec(), sub, key]
            }
            14 => vec![b"GET".to_vec(), key],
            _ => vec![self.one_of(&["DEL", "PERSIST", "STRLEN", "TYPE", "PFCOUNT"]), key],
        }
    }

    fn sketch_key(&mut self) -> Vec<u8> {
        self.one_of(SKETCHES)
    }

    fn with_sketches(&mut self, name: &str, key: Vec<u8>) -> Words {
        let mut words = vec![name.as_bytes().to_vec(), key.clone()];
        for _ in 0..self.random.below(4) {
            let other = match (self.cluster, key.starts_with(b"{t}")) {
                (true, true) => self.one_of(&["{t}h1", "{t}h2"]),
                (true, false) if !self.random.one_in(8) => key.clone(),
                _ => self.sketch_key(),
            };
            words.push(other);
        }
        words
    }
}
