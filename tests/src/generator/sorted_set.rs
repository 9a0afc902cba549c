//! Sorted sets in random sequences.
//!
//! Sorted sets have keys of their own, and are met by strings and sets all the same. Scores are halves of small
//! integers, infinities or none: Redis 7.0 writes other scores with more digits than 7.2. What chooses at random
//! is compared by its shape. ZRANK is left to the case file: a word too many is an option to 7.2. No weight makes a
//! zero negative: listpacks of 7.0 keep its sign. Members come from a small range, so that sets meet, and now and
//! then there are many.

use super::{Generator, Words, VALUES};
use crate::compare::Mask;

const ZSETS: &[&str] = &["z1", "z2", "z3", "{t}z1", "{t}z2", "{t}z3"];
const SCORES: &[&str] =
    &["0", "1", "-1", "0.5", "-2.5", "3", "7", "10", "1e3", "inf", "-inf", "x", "", "nan", "(1"];
const SCORE_ENDS: &[&str] =
    &["-inf", "+inf", "0", "1", "(1", "3", "(7", "5.5", "-3", "(-inf", "(inf", "x", "", "20"];
const LEX_ENDS: &[&str] = &["-", "+", "[m1", "(m3", "[m", "(m9", "[", "[1", "(5", "x", ""];
const RANKS: &[&str] = &["0", "1", "2", "5", "-1", "-2", "-5", "100", "-100", "x", "9223372036854775807"];
const COUNTS: &[&str] = &["0", "1", "2", "3", "5", "100", "-1", "x", "", "9223372036854775808"];

impl Generator {
    /// A command on sorted sets; the key is one that strings use.
    pub(super) fn sorted_set_command(&mut self, other: Vec<u8>) -> (Words, Mask) {
        let key = self.one_of(ZSETS);
        let exact = |words| (words, Mask::Exact);
        match self.random.below(40) {
            0..=8 => exact(self.zadd(key)),
            9 => exact(vec![b"ZINCRBY".to_vec(), key, self.one_of(SCORES), self.zset_member()]),
            10..=12 => {
                let name = self.one_of(&["ZREM", "ZMSCORE", "ZSCORE"]);
                let mut words = vec![name.clone(), key, self.zset_member()];
                if name == b"ZREM" || name == b"ZMSCORE" {
                    words.push(self.zset_member());
                }
                exact(words)
            }
            13 => exact(vec![b"ZCARD".to_vec(), key]),
            14 | 15 => {
                let name = self.one_of(&["ZCOUNT", "ZREMRANGEBYSCORE", "ZCOUNT"]);
                exact(vec![name, key, self.one_of(SCORE_ENDS), self.one_of(SCORE_ENDS)])
            }
            16 => exact(vec![b"ZREMRANGEBYRANK".to_vec(), key, self.one_of(RANKS), self.one_of(RANKS)]),
            17..=24 => exact(self.zrange(key)),
            25..=27 => {
                let mut words = vec![self.one_of(&["ZPOPMIN", "ZPOPMAX"]), key];
                if self.random.one_in(2) {
                    words.push(self.one_of(COUNTS));
                }
                exact(words)
            }
            28 => {
                let mut words = vec![b"ZMPOP".to_vec()];
                self.push_zsets(&mut words, &key);
                words.push(self.one_of(&["MIN", "MAX", "min", "LEFT"]));
                if self.random.one_in(2) {
                    words.extend([self.one_of(&["COUNT", "count", "NOSUCH"]), self.one_of(COUNTS)]);
                }
                exact(words)
            }
            29 => {
                let count = self.one_of(&["1", "2", "-3", "x", "0"]);
                (vec![b"ZRANDMEMBER".to_vec(), key, count, b"WITHSCORES".to_vec()], Mask::Shape)
            }
            30..=35 => exact(self.zset_algebra(key)),
            36 => exact(vec![self.one_of(&["RENAME", "COPY"]), key, self.one_of(ZSETS)]),
            37 => exact(self.expire(key)),
            38 => exact(vec![self.one_of(&["DEL", "UNLINK", "TYPE", "EXISTS", "GET"]), key]),
            _ => exact(vec![self.one_of(&["ZCARD", "ZPOPMIN", "ZPOPMAX"]), other]),
        }
    }

    fn zset_member(&mut self) -> Vec<u8> {
        match self.random.below(12) {
            0..=5 => format!("m{}", self.random.below(12)).into_bytes(),
            6..=8 => self.random.below(12).to_string().into_bytes(),
            9 => vec![b'x'; 63 + self.random.below(4)],
            10 => self.value(),
            _ => self.one_of(VALUES),
        }
    }

    fn zadd(&mut self, key: Vec<u8>) -> Words {
        let mut words = vec![b"ZADD".to_vec(), key];
        while self.random.one_in(3) {
            words.push(self.one_of(&["NX", "XX", "GT", "LT", "CH", "INCR", "ch", "gt"]));
        }
        if self.random.one_in(12) {
            // Never more than a listpack takes: then 7.2 makes a set large at once, and 7.0 only if they are new.
            for _ in 0..60 + self.random.below(60) {
                let halves = self.random.below(100) as f64 / 2.0;
                words.push(halves.to_string().into_bytes());
                words.push(format!("m{}", self.random.below(400)).into_bytes());
            }
        }
        for _ in 0..1 + self.random.below(4) {
            let scores = if self.random.one_in(4) { SCORES } else { &SCORES[..9] };
            words.push(self.one_of(scores));
            words.push(self.zset_member());
        }
        words
    }

    fn zrange(&mut self, key: Vec<u8>) -> Words {
        let name = self.one_of(&[
            "ZRANGE",
            "ZRANGE",
            "ZRANGESTORE",
            "ZREVRANGE",
            "ZRANGEBYSCORE",
            "ZREVRANGEBYSCORE",
        ]);
        let mut words = vec![name.clone()];
        if name == b"ZRANGESTORE" {
            words.push(self.one_of(ZSETS));
        }
        words.push(key);
        let by_score = name.ends_with(b"BYSCORE") || name != b"ZREVRANGE" && self.random.one_in(2);
        let ends = if by_score { SCORE_ENDS } else { RANKS };
        words.extend([self.one_of(ends), self.one_of(ends)]);
        if by_score && !name.ends_with(b"BYSCORE") {
            words.push(b"BYSCORE".to_vec());
        }
        while self.random.one_in(2) {
            match self.random.below(4) {
                0 => words.push(self.one_of(&["REV", "rev"])),
                1 | 2 => words.push(self.one_of(&["WITHSCORES", "withscores"])),
                _ => words.extend([b"LIMIT".to_vec(), self.one_of(RANKS), self.one_of(RANKS)]),
            }
        }
        words
    }

    fn push_zsets(&mut self, words: &mut Words, key: &[u8]) {
        let count = 1 + self.random.below(3);
        let numkeys =
            if self.random.one_in(15) { self.one_of(COUNTS) } else { count.to_string().into_bytes() };
        words.extend([numkeys, key.to_vec()]);
        for _ in 1..count {
            words.push(self.one_of(ZSETS));
        }
    }

    fn zset_algebra(&mut self, key: Vec<u8>) -> Words {
        let name = self.one_of(&[
            "ZUNION",
            "ZINTER",
            "ZDIFF",
            "ZUNIONSTORE",
            "ZINTERSTORE",
            "ZDIFFSTORE",
            "ZINTERCARD",
            "ZLEXCOUNT",
        ]);
        if name == b"ZLEXCOUNT" {
            // Of one score, which is where ranges of members have a meaning.
            return vec![name, b"nosuch".to_vec(), self.one_of(LEX_ENDS), self.one_of(LEX_ENDS)];
        }
        let mut words = vec![name.clone()];
        if name.ends_with(b"STORE") {
            words.push(self.one_of(ZSETS));
        }
        self.push_zsets(&mut words, &key);
        while self.random.one_in(2) {
            match self.random.below(4) {
                0 => words.push(b"WITHSCORES".to_vec()),
                1 => words.extend([b"AGGREGATE".to_vec(), self.one_of(&["SUM", "MIN", "max", "x"])]),
                2 => words.extend([b"LIMIT".to_vec(), self.one_of(COUNTS)]),
                _ => words.extend([b"WEIGHTS".to_vec(), self.one_of(&["2", "3", "0.5", "inf", "x"])]),
            }
        }
        words
    }
}
