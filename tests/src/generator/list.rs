//! Lists in random sequences.
//!
//! Lists have keys of their own: OBJECT ENCODING, which is asked of the others, has a name in Redis 7.2 that
//! 7.0 does not know. Other keys meet only what makes no list. Elements come from a few, so that LREM, LPOS
//! and LINSERT find them, and some are long or many, so that lists grow into quicklists and shrink again.

use super::{Generator, Words};
use crate::compare::Mask;

const LISTS: &[&str] = &["l1", "l2", "{t}l1", "{t}l2", "{t}l3"];
const ELEMENTS: &[&str] =
    &["a", "b", "c", "1", "2", "01", "-7", "", "4096", "9223372036854775807", "\u{0}\n"];
const INDICES: &[&str] = &[
    "0",
    "1",
    "-1",
    "2",
    "-2",
    "3",
    "-3",
    "5",
    "-5",
    "10",
    "-10",
    "40",
    "-40",
    "200",
    "-200",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "x",
    "",
    "01",
];
const COUNTS: &[&str] =
    &["0", "1", "2", "3", "7", "50", "-1", "-2", "9223372036854775807", "x", "", "-9223372036854775808"];
/// The smallest integer is a rank to 7.0, and an error to 7.2.
const RANKS: &[&str] = &["0", "1", "2", "3", "7", "-1", "-2", "-3", "9223372036854775807", "x", ""];

impl Generator {
    /// A command of this group; the key is one that strings use.
    pub(super) fn list_command(&mut self, key: Vec<u8>) -> (Words, Mask) {
        let list = self.list_key();
        // What makes no list may meet any key.
        let either = if self.random.one_in(20) { key } else { list.clone() };
        let words = match self.random.below(42) {
            0..=9 => self.push(list),
            10 | 11 => {
                let name = self.one_of(&["LPUSHX", "RPUSHX"]);
                vec![name, either, self.element(), self.element()]
            }
            12..=14 => {
                let mut words = vec![self.one_of(&["LPOP", "RPOP"]), either];
                if self.random.one_in(2) {
                    words.push(self.one_of(COUNTS));
                }
                words
            }
            15 => vec![b"LLEN".to_vec(), either],
            16 | 17 => vec![b"LINDEX".to_vec(), either, self.list_index()],
            18..=20 => vec![b"LSET".to_vec(), either, self.list_index(), self.element()],
            21..=23 => {
                let side = self.one_of(&["BEFORE", "AFTER", "before", "After", "BEFORE", "AFTER", "BESIDE"]);
                vec![b"LINSERT".to_vec(), either, side, self.element(), self.element()]
            }
            24 | 25 => vec![b"LREM".to_vec(), either, self.one_of(COUNTS), self.element()],
            26 => {
                // Seldom more than a few elements go, or lists would never grow long.
                let (first, last) = if self.random.one_in(3) {
                    (self.list_index(), self.list_index())
                } else {
                    (self.random.below(4).to_string().into_bytes(), self.one_of(&["-1", "-2", "-3", "100"]))
                };
                vec![b"LTRIM".to_vec(), either, first, last]
            }
            27 => vec![b"LRANGE".to_vec(), either, self.list_index(), self.list_index()],
            28..=30 => vec![b"LRANGE".to_vec(), either, b"0".to_vec(), b"-1".to_vec()],
            31..=33 => self.lpos(either),
            34..=36 => self.list_move(either),
            37 | 38 => self.lmpop(either),
            39 => {
                let to = self.list_partner(&list);
                match self.random.below(3) {
                    0 => vec![b"COPY".to_vec(), list, to, b"REPLACE".to_vec()],
                    1 => vec![b"COPY".to_vec(), list, to],
                    _ => vec![b"RENAME".to_vec(), list, to],
                }
            }
            40 => vec![self.one_of(&["TYPE", "EXISTS", "PERSIST", "TOUCH", "GET", "STRLEN"]), list],
            _ => match self.random.below(4) {
                0 => vec![b"SET".to_vec(), list, self.value()],
                1 => vec![b"EXPIRE".to_vec(), list, self.relative_seconds()],
                _ => vec![self.one_of(&["DEL", "UNLINK"]), list],
            },
        };
        (words, Mask::Exact)
    }

    fn push(&mut self, list: Vec<u8>) -> Words {
        let mut words = vec![self.one_of(&["LPUSH", "RPUSH", "RPUSH"]), list];
        let count = match self.random.below(12) {
            0 => 30 + self.random.below(300),
            1 => 1 + self.random.below(1_500),
            _ => 1 + self.random.below(6),
        };
        for _ in 0..count {
            let element = if count > 20 && !self.random.one_in(20) {
                self.random.below(30_000).to_string().into_bytes()
            } else {
                self.element()
            };
            words.push(element);
        }
        words
    }

    fn lpos(&mut self, key: Vec<u8>) -> Words {
        let mut words = vec![b"LPOS".to_vec(), key, self.element()];
        for (option, numbers) in [("RANK", RANKS), ("count", COUNTS), ("MAXLEN", COUNTS)] {
            if self.random.one_in(3) {
                words.push(option.into());
                words.push(self.one_of(numbers));
            }
        }
        if self.random.one_in(20) {
            words.push(self.one_of(&["RANK", "NO", ""]));
        }
        words
    }

    fn list_move(&mut self, key: Vec<u8>) -> Words {
        let to = self.list_partner(&key);
        if self.random.one_in(2) {
            return vec![b"RPOPLPUSH".to_vec(), key, to];
        }
        let ends = &["LEFT", "RIGHT", "left", "RIGHT", "LEFT", "RIGHT", "UP"];
        vec![b"LMOVE".to_vec(), key, to, self.one_of(ends), self.one_of(ends)]
    }

    fn lmpop(&mut self, key: Vec<u8>) -> Words {
        let mut keys = vec![key];
        for _ in 0..self.random.below(3) {
            let partner = self.list_partner(&keys[0]);
            keys.push(partner);
        }
        let numkeys = if self.random.one_in(15) {
            self.one_of(&["0", "1", "2", "4", "-1", "x"])
        } else {
            keys.len().to_string().into_bytes()
        };
        let mut words = vec![b"LMPOP".to_vec(), numkeys];
        words.extend(keys);
        words.push(self.one_of(&["LEFT", "RIGHT", "left", "right", "LEFT", "RIGHT", "UP"]));
        if self.random.one_in(2) {
            words.push(b"COUNT".to_vec());
            words.push(self.one_of(COUNTS));
        }
        words
    }

    fn list_key(&mut self) -> Vec<u8> {
        self.one_of(LISTS)
    }

    /// Another list, in cluster mode mostly one of the same slot.
    fn list_partner(&mut self, key: &[u8]) -> Vec<u8> {
        match (self.cluster && !self.random.one_in(8), key.starts_with(b"{t}")) {
            (true, true) => self.one_of(&["{t}l1", "{t}l2", "{t}l3"]),
            // Of a string's key no list may be made.
            (true, false) if LISTS.iter().any(|list| list.as_bytes() == key) => key.to_vec(),
            _ => self.list_key(),
        }
    }

    fn list_index(&mut self) -> Vec<u8> {
        match self.random.below(4) {
            0 => (self.random.below(400) as i64 - 200).to_string().into_bytes(),
            _ => self.one_of(INDICES),
        }
    }

    fn element(&mut self) -> Vec<u8> {
        match self.random.below(16) {
            0 => self.random.below(100_000).to_string().into_bytes(),
            1 => vec![b'e'; self.random.below(300)],
            // Of the order of a node's limit.
            2 if self.random.one_in(6) => vec![b'n'; 3_000 + self.random.below(6_000)],
            3 => self.value(),
            _ => self.one_of(ELEMENTS),
        }
    }
}
