//! Sets in random sequences.
//!
//! Sets have keys of their own: Redis 7.0 knows no sets in listpacks, and other commands ask for encodings. They
//! are met by strings and other keys all the same. What chooses at random would make the two servers' histories
//! differ, so SPOP takes all members or none. Members come from a small range, a large one, or are odd, so that
//! sets are in every encoding, meet, and cross the thresholds in both directions.

use super::{Generator, Words, VALUES};
use crate::compare::Mask;

const SETS: &[&str] = &["s1", "s2", "s3", "s4", "{t}s1", "{t}s2", "{t}s3"];
const COUNTS: &[&str] =
    &["0", "1", "2", "3", "5", "100", "-1", "9223372036854775807", "9223372036854775808", "x", "", "01"];
const PATTERNS: &[&str] = &["*", "?", "1*", "[1-3]*", "m?", "*x", "", "nothing"];

impl Generator {
    /// A command on sets; the key is one that strings use.
    pub(super) fn set_command(&mut self, other: Vec<u8>) -> (Words, Mask) {
        let key = self.set_key();
        let member = self.member();
        let exact = |words| (words, Mask::Exact);
        let unordered = |words| (words, Mask::Unordered);
        match self.random.below(40) {
            0..=8 => exact(self.with_members("SADD", key)),
            9..=11 => exact(self.with_members("SREM", key)),
            12 => exact(vec![b"SISMEMBER".to_vec(), key, member]),
            13 => exact(self.with_members("SMISMEMBER", key)),
            14 => exact(vec![b"SCARD".to_vec(), key]),
            15..=18 => unordered(vec![b"SMEMBERS".to_vec(), key]),
            19 | 20 => {
                let to = self.other_set(&key);
                exact(vec![b"SMOVE".to_vec(), key, to, member])
            }
            21 => {
                let count = self.one_of(&["1000000", "9223372036854775807", "0", "-1", "x", ""]);
                unordered(vec![b"SPOP".to_vec(), key, count])
            }
            22 => (
                vec![b"SRANDMEMBER".to_vec(), key, self.one_of(&["0", "1", "2", "5", "-3", "-100"])],
                Mask::Shape,
            ),
            23 => unordered(vec![b"SRANDMEMBER".to_vec(), key, self.one_of(&["1000000", "x", "1.5"])]),
            24..=26 => {
                let name = self.one_of(&["SINTER", "SUNION", "SDIFF"]);
                unordered(self.with_sets(vec![name], key))
            }
            27..=31 => {
                let name = self.one_of(&["SINTERSTORE", "SUNIONSTORE", "SDIFFSTORE"]);
                let to = self.other_set(&key);
                exact(self.with_sets(vec![name, to], key))
            }
            32 | 33 => exact(self.sintercard(key)),
            34 => (self.sscan(key), Mask::Shape),
            35 => {
                let name = self.one_of(&["RENAME", "RENAMENX", "COPY"]);
                let to = self.other_set(&key);
                exact(vec![name, key, to])
            }
            36 => {
                let name = self.one_of(&["DEL", "UNLINK", "TYPE", "PERSIST", "EXISTS", "GET", "TTL"]);
                (vec![name.clone(), key], if name == b"TTL" { Mask::Near(5) } else { Mask::Exact })
            }
            37 => exact(self.expire(key)),
            38 => exact(match self.random.below(3) {
                0 => vec![self.one_of(&["APPEND", "SET", "SETBIT", "SETNX", "INCRBY"]), key, b"1".to_vec()],
                1 => vec![self.one_of(&["SISMEMBER", "SREM"]), other, member],
                _ => vec![b"SMOVE".to_vec(), key, other, b"nosuch member".to_vec()],
            }),
            _ => {
                let name = self.one_of(&["SMEMBERS", "SCARD", "SRANDMEMBER", "SINTER", "SUNION", "SDIFF"]);
                (vec![name, other], Mask::Exact)
            }
        }
    }

    fn set_key(&mut self) -> Vec<u8> {
        self.one_of(SETS)
    }

    /// Another set's key, in cluster mode mostly one of the same slot.
    fn other_set(&mut self, key: &[u8]) -> Vec<u8> {
        if self.cluster && !self.random.one_in(8) {
            return if key.starts_with(b"{t}") {
                self.one_of(&["{t}s1", "{t}s2", "{t}s3"])
            } else {
                key.to_vec()
            };
        }
        self.set_key()
    }

    fn member(&mut self) -> Vec<u8> {
        match self.random.below(12) {
            0..=4 => self.random.below(12).to_string().into_bytes(),
            5..=7 => format!("m{}", self.random.below(12)).into_bytes(),
            // Integers of any width, negative ones too.
            8 => (self.random.next_u64() as i64 >> self.random.below(64)).to_string().into_bytes(),
            9 => vec![b'x'; 63 + self.random.below(4)],
            10 => self.value(),
            _ => self.one_of(VALUES),
        }
    }

    /// Mostly a few members; now and then so many that the encoding changes.
    fn with_members(&mut self, name: &str, key: Vec<u8>) -> Words {
        let mut words = vec![name.as_bytes().to_vec(), key];
        let (count, range) = match self.random.below(16) {
            0 => (self.random.below(600), 600),
            1 => (self.random.below(140), 150),
            2 => (500 + self.random.below(30), 100_000),
            _ => (0, 1),
        };
        let prefix = self.one_of(&["", "", "m"]);
        for _ in 0..count {
            let number = self.random.below(range).to_string();
            words.push([&prefix, number.as_bytes()].concat());
        }
        for _ in 0..usize::from(count == 0) + self.random.below(5) {
            words.push(self.member());
        }
        words
    }

    fn with_sets(&mut self, mut words: Words, key: Vec<u8>) -> Words {
        words.push(key.clone());
        for _ in 0..self.random.below(4) {
            words.push(self.other_set(&key));
        }
        words
    }

    fn sintercard(&mut self, key: Vec<u8>) -> Words {
        let sets = self.with_sets(Words::new(), key);
        let numkeys =
            if self.random.one_in(12) { self.one_of(COUNTS) } else { sets.len().to_string().into_bytes() };
        let mut words = vec![b"SINTERCARD".to_vec(), numkeys];
        words.extend(sets);
        if self.random.one_in(2) {
            words.extend([self.one_of(&["LIMIT", "limit", "LIMIT", "NOSUCH"]), self.one_of(COUNTS)]);
        }
        words
    }

    /// A step that sees the whole set, or is refused: how much a smaller one sees, each version decides itself.
    fn sscan(&mut self, key: Vec<u8>) -> Words {
        let mut options: Vec<Words> = vec![vec![b"COUNT".to_vec(), b"100000".to_vec()]];
        if self.random.one_in(2) {
            options.push(vec![self.one_of(&["MATCH", "match"]), self.one_of(PATTERNS)]);
        }
        if self.random.one_in(10) {
            options.push(vec![self.one_of(&["TYPE", "NOVALUES", "COUNT", "MATCH"])]);
        }
        if self.random.one_in(20) {
            options.push(vec![b"COUNT".to_vec(), self.one_of(&["0", "-1", "x", ""])]);
        }
        self.shuffle(&mut options);
        let mut words = vec![b"SSCAN".to_vec(), key, self.one_of(&["0", "0", "0", "0", "x", "-", ""])];
        words.extend(options.concat());
        words
    }
}
