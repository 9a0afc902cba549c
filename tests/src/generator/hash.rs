//! Hashes in random sequences.
//!
//! Hashes have keys of their own, whose encodings no string disturbs; they are met by other types all the same. The
//! reference server knows no expiry of fields, so that is left to unit tests. Fields come from a small range, a large
//! one, or are odd, so that hashes are in both encodings and cross the thresholds.

use super::{Generator, Words, FLOATS, PATTERNS, VALUES};
use crate::compare::Mask;

const HASHES: &[&str] = &["h1", "h2", "h3", "{t}h1", "{t}h2"];
const COUNTS: &[&str] = &["0", "1", "2", "5", "100", "-1", "-3", "-100"];

impl Generator {
    /// A command on hashes; the key is one that other types use.
    pub(super) fn hash_command(&mut self, other: Vec<u8>) -> (Words, Mask) {
        let key = self.one_of(HASHES);
        let field = self.field();
        let exact = |words| (words, Mask::Exact);
        let unordered = |words| (words, Mask::Unordered);
        match self.random.below(44) {
            0..=6 => exact(self.with_pairs("HSET", key)),
            7 => exact(self.with_pairs("HMSET", key)),
            8 | 9 => exact(vec![b"HSETNX".to_vec(), key, field, self.value()]),
            10..=12 => exact(vec![b"HGET".to_vec(), key, field]),
            13 | 14 => exact(self.with_fields("HMGET", key)),
            15..=17 => exact(self.with_fields("HDEL", key)),
            18 | 19 => exact(vec![self.one_of(&["HEXISTS", "HSTRLEN"]), key, field]),
            20 => exact(vec![b"HLEN".to_vec(), key]),
            21..=24 => unordered(vec![self.one_of(&["HGETALL", "HKEYS", "HVALS"]), key]),
            25..=27 => exact(vec![b"HINCRBY".to_vec(), key, field, self.integer()]),
            28..=30 => exact(vec![b"HINCRBYFLOAT".to_vec(), key, field, self.one_of(FLOATS)]),
            31 => (self.with_values(vec![b"HRANDFIELD".to_vec(), key], COUNTS), Mask::Shape),
            32 => unordered(self.with_values(
                vec![b"HRANDFIELD".to_vec(), key],
                &["1000000", "x", "1.5", "", "4611686018427387904", "01"],
            )),
            33 | 34 => (self.hscan(key), Mask::Shape),
            35 => exact(vec![b"OBJECT".to_vec(), b"ENCODING".to_vec(), key]),
            36 => {
                let name = self.one_of(&["RENAME", "RENAMENX", "COPY"]);
                let to = if self.cluster { key.clone() } else { self.one_of(HASHES) };
                exact(vec![name, key, to])
            }
            37 => {
                let name = self.one_of(&["DEL", "UNLINK", "TYPE", "PERSIST", "EXISTS", "GET", "TTL"]);
                (vec![name.clone(), key], if name == b"TTL" { Mask::Near(5) } else { Mask::Exact })
            }
            38 => exact(self.expire(key)),
            39 => exact(vec![self.one_of(&["APPEND", "SETNX", "SETBIT", "INCRBY"]), key, b"1".to_vec()]),
            40 => exact(match self.random.below(3) {
                0 => vec![self.one_of(&["HGET", "HDEL", "HMGET"]), other, field],
                // Refused by any other type; where nothing is, no hash comes of it either.
                1 => vec![b"HINCRBY".to_vec(), other, field, b"x".to_vec()],
                _ => vec![b"HINCRBYFLOAT".to_vec(), other, field, b"inf".to_vec()],
            }),
            _ => {
                let name = self.one_of(&["HGETALL", "HKEYS", "HVALS", "HLEN", "HRANDFIELD"]);
                (vec![name, other], Mask::Exact)
            }
        }
    }

    fn field(&mut self) -> Vec<u8> {
        match self.random.below(12) {
            0..=6 => format!("f{}", self.random.below(10)).into_bytes(),
            7 | 8 => self.random.below(10).to_string().into_bytes(),
            9 => vec![b'x'; 63 + self.random.below(3)],
            10 => format!("f{}", self.random.below(600)).into_bytes(),
            _ => self.one_of(VALUES),
        }
    }

    /// Mostly a few pairs; now and then so many that the encoding changes. Of more than 512, which Redis 7.2 counts
    /// before it looks at them and 7.0 as they come, no two are alike.
    fn with_pairs(&mut self, name: &str, key: Vec<u8>) -> Words {
        let mut words = vec![name.as_bytes().to_vec(), key];
        let count = match self.random.below(24) {
            0 => 480 + self.random.below(20),
            1 => self.random.below(100),
            2 => 513 + self.random.below(10),
            _ => 0,
        };
        let first = self.random.below(600);
        for i in 0..count {
            words.extend([format!("f{}", first + i).into_bytes(), i.to_string().into_bytes()]);
        }
        for _ in 0..usize::from(count == 0) + self.random.below(4) {
            words.push(self.field());
            let value = if self.random.one_in(2) { self.integer() } else { self.value() };
            words.push(value);
        }
        words
    }

    fn with_fields(&mut self, name: &str, key: Vec<u8>) -> Words {
        let mut words = vec![name.as_bytes().to_vec(), key];
        let count = if self.random.one_in(20) { 300 } else { 1 + self.random.below(5) };
        (0..count).for_each(|_| words.push(self.field()));
        words
    }

    fn with_values(&mut self, mut words: Words, counts: &[&str]) -> Words {
        words.push(self.one_of(counts));
        if self.random.one_in(2) {
            words.push(self.one_of(&["WITHVALUES", "withvalues", "WITHVALUES", "WITHSCORES"]));
        }
        words
    }

    /// A step that sees the whole hash, or is refused: how much a smaller one sees, each version decides itself.
    fn hscan(&mut self, key: Vec<u8>) -> Words {
        let mut options: Vec<Words> = vec![vec![b"COUNT".to_vec(), b"100000".to_vec()]];
        if self.random.one_in(2) {
            options.push(vec![self.one_of(&["MATCH", "match"]), self.one_of(PATTERNS)]);
        }
        if self.random.one_in(10) {
            options.push(vec![self.one_of(&["TYPE", "COUNT", "MATCH"])]);
        }
        self.shuffle(&mut options);
        let mut words = vec![b"HSCAN".to_vec(), key, self.one_of(&["0", "0", "0", "0", "x", "-", ""])];
        words.extend(options.concat());
        words
    }
}
