//! Random commands from a grammar over everything that is built, drawn from a seed.
//!
//! Few keys, so that commands meet; many edge values, so that they meet badly. What depends on the
//! moment is kept comparable:
//!
//! 1. An expiry is either far in the past, far in the future, or relative with an amount that no
//!    other command of the run uses and that only grows, so that GT and LT never see a tie which
//!    the two servers' clocks would break differently.
//! 2. SET and GETEX take no time in the past: when such a key leaves DBSIZE is nobody's promise.
//! 3. RANDOMKEY and SCAN are steps of their own: any key that is there is right, and an iteration
//!    must return them all.

mod bits;
mod hash;
mod list;
mod set;
mod sorted_set;

use crate::compare::Mask;
use crate::random::Random;

/// One thing that is sent to both servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A command whose replies are compared under a mask.
    Command {
        /// On which connection.
        connection: usize,
        /// Its words.
        args: Vec<Vec<u8>>,
        /// How to compare.
        mask: Mask,
    },
    /// RANDOMKEY: what one server answers, both must have.
    RandomKey {
        /// On which connection.
        connection: usize,
    },
    /// A whole SCAN iteration with these options: both find the same keys.
    Scan {
        /// On which connection.
        connection: usize,
        /// The words after the cursor.
        options: Vec<Vec<u8>>,
    },
}

/// Connections that a sequence uses.
pub const CONNECTIONS: usize = 2;

const KEYS: &[&str] =
    &["a", "b", "c", "d", "key:1", "key:2", "{t}1", "{t}2", "{t}3", "{u}1", "", "\u{1}\r\n$\u{7f}"];
const PATTERNS: &[&str] =
    &["*", "?", "key:*", "{t}*", "[ab]", "[^ab]", "[a-c]", "*1", "\\*", "[", "a*b", "", "**?", "nothing"];
const VALUES: &[&str] = &[
    "",
    "0",
    "1",
    "-1",
    "10",
    "9999",
    "10000",
    "42",
    "-0",
    "+1",
    "01",
    " 1",
    "1 ",
    "abc",
    "ABC",
    "hello world",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "-9223372036854775809",
    "1.5",
    "3.0e3",
    "0.1",
    "-2.75",
    "1e400",
    "inf",
    "nan",
    "0x10",
    "\r\n",
    "\u{0}\u{1}\u{ff}",
];
const INTEGERS: &[&str] = &[
    "0",
    "1",
    "-1",
    "2",
    "3",
    "5",
    "7",
    "-2",
    "-5",
    "10",
    "100",
    "-100",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "x",
    "",
    "1.0",
    " 1",
    "+1",
    "00",
    "4294967296",
];
const FLOATS: &[&str] = &[
    "0",
    "1",
    "-1",
    "0.1",
    "0.25",
    "1.5",
    "-3.75",
    "10.5e2",
    "1e10",
    "3.0",
    "200",
    "-0.5",
    "x",
    "",
    "nan",
    "inf",
    "-inf",
    " 1",
    "1e-3",
    "5.0e3",
    "123456789.125",
];
const FUTURE_SECONDS: &[&str] = &["4102444800", "4102444801", "7258118400"];
const FUTURE_MILLIS: &[&str] = &["4102444800000", "4102444800001", "7258118400123"];
/// No 9223372036854775807: rounding it to seconds overflows in Redis 7.2 and not in 7.0.
const BAD_TIMES: &[&str] =
    &["0", "-1", "x", "", "9223372036854775000", "-9223372036854775808", "1.5", "99999999999999999999"];

/// Names that take part in random case changes and missing arguments.
type Words = Vec<Vec<u8>>;

/// Draws steps.
#[derive(Clone, Debug)]
pub struct Generator {
    random: Random,
    /// Cluster mode: keys of a command mostly share a hash tag.
    cluster: bool,
    /// Grows with every relative expiry (rule 1).
    seconds: u64,
}

impl Generator {
    /// The steps of `seed`.
    pub fn new(seed: u64, cluster: bool) -> Generator {
        Generator { random: Random::new(seed), cluster, seconds: 100_000 }
    }

    /// A sequence: pipelines of steps. It starts from empty databases and fresh connections.
    pub fn sequence(&mut self) -> Vec<Vec<Step>> {
        let mut pipelines = Vec::new();
        for _ in 0..2 + self.random.below(8) {
            let length = match self.random.below(4) {
                0 => 1,
                1 => 1 + self.random.below(4),
                _ => 1 + self.random.below(60),
            };
            let connection = self.random.below(CONNECTIONS);
            pipelines.push((0..length).map(|_| self.step(connection)).collect());
        }
        pipelines
    }

    fn step(&mut self, connection: usize) -> Step {
        match self.random.below(60) {
            0 => Step::RandomKey { connection },
            1 => {
                let options = self.scan_options();
                Step::Scan { connection, options }
            }
            _ => {
                let (mut args, mut mask) = self.command();
                if self.random.one_in(40) {
                    // A word too few or too many is an error, or another command: both know which.
                    // SPOP without a count would pop what the other server keeps.
                    if self.random.one_in(2) && args.len() > 1 && args[0] != b"SPOP" {
                        args.pop();
                    } else {
                        let extra = self.value();
                        args.push(extra);
                    }
                    mask = loosest(&args, mask);
                }
                let name = self.any_case(&args[0]);
                args[0] = name;
                Step::Command { connection, args, mask }
            }
        }
    }

    fn command(&mut self) -> (Words, Mask) {
        let k = self.key();
        if self.random.one_in(5) {
            return self.bits_command(k);
        }
        if self.random.one_in(5) {
            return self.list_command(k);
        }
        if self.random.one_in(5) {
            return self.sorted_set_command(k);
        }
        if self.random.one_in(5) {
            return self.hash_command(k);
        }
        if self.random.one_in(5) {
            return self.set_command(k);
        }
        let exact = |w: Words| (w, Mask::Exact);
        match self.random.below(96) {
            0..=11 => exact(self.set(k)),
            12..=17 => exact(vec![b"GET".to_vec(), k]),
            18 => exact(vec![b"GETDEL".to_vec(), k]),
            19 | 20 => exact(self.getex(k)),
            21 => exact(vec![b"GETSET".to_vec(), k, self.value()]),
            22 => exact(vec![b"SETNX".to_vec(), k, self.value()]),
            23 => exact(vec![b"SETEX".to_vec(), k, self.relative_seconds(), self.value()]),
            24 => exact(vec![b"PSETEX".to_vec(), k, self.relative_millis(), self.value()]),
            25..=27 => exact(vec![b"APPEND".to_vec(), k, self.value()]),
            28 => exact(vec![b"STRLEN".to_vec(), k]),
            29 | 30 => exact(vec![self.one_of(&["INCR", "DECR"]), k]),
            31..=33 => exact(vec![self.one_of(&["INCRBY", "DECRBY"]), k, self.integer()]),
            34 | 35 => exact(vec![b"INCRBYFLOAT".to_vec(), k, self.one_of(FLOATS)]),
            36 | 37 => exact(vec![self.one_of(&["GETRANGE", "SUBSTR"]), k, self.integer(), self.integer()]),
            38 | 39 => exact(vec![b"SETRANGE".to_vec(), k, self.offset(), self.value()]),
            40 | 41 => exact(self.mset()),
            42..=44 => exact(self.with_keys("MGET")),
            45 => exact(self.lcs(k)),
            46..=48 => {
                let name = self.one_of(&["DEL", "UNLINK", "EXISTS", "TOUCH"]);
                exact(self.with_keys(&String::from_utf8_lossy(&name)))
            }
            49..=56 => exact(self.expire(k)),
            57 | 58 => (vec![b"TTL".to_vec(), k], Mask::Near(5)),
            59 | 60 => (vec![b"PTTL".to_vec(), k], Mask::Near(5_000)),
            61 => (vec![b"EXPIRETIME".to_vec(), k], Mask::Near(5)),
            62 => (vec![b"PEXPIRETIME".to_vec(), k], Mask::Near(5_000)),
            63 | 64 => exact(vec![b"PERSIST".to_vec(), k]),
            65 => exact(vec![b"TYPE".to_vec(), k]),
            66..=69 => {
                let name = self.one_of(&["RENAME", "RENAMENX"]);
                let to = self.partner(&k);
                exact(vec![name, k, to])
            }
            70..=72 => exact(self.copy(k)),
            73 => exact(vec![b"MOVE".to_vec(), k, self.database()]),
            74 => exact(vec![
                b"OBJECT".to_vec(),
                // REFCOUNT is left to the case files: a small integer that COPY made counts as shared here
                // (docs/compatibility.md).
                self.one_of(&["ENCODING", "encoding", "FREQ", "NOSUCH"]),
                k,
            ]),
            // Small integers are one shared object in Redis, whose idle time tells nothing.
            75 => (vec![b"OBJECT".to_vec(), b"IDLETIME".to_vec(), k], Mask::Type),
            76 | 77 => (vec![b"KEYS".to_vec(), self.one_of(PATTERNS)], Mask::Unordered),
            78 => exact(vec![b"DBSIZE".to_vec()]),
            79..=81 => exact(vec![b"SELECT".to_vec(), self.database()]),
            82 => exact(vec![b"SWAPDB".to_vec(), self.database(), self.database()]),
            83 => exact(self.flush()),
            84 => exact(vec![b"PING".to_vec(), self.value()]),
            85 => exact(vec![b"ECHO".to_vec(), self.value()]),
            86 => exact(vec![
                b"CLIENT".to_vec(),
                b"SETNAME".to_vec(),
                self.one_of(&["x", "y z", "", "\n", "name"]),
            ]),
            87 => exact(vec![b"CLIENT".to_vec(), b"GETNAME".to_vec()]),
            88 => exact(vec![
                b"CLIENT".to_vec(),
                self.one_of(&["NOSUCH", "NO-EVICT", "REPLY"]),
                self.one_of(&["on", "x"]),
            ]),
            89 => exact(vec![b"CLUSTER".to_vec(), b"KEYSLOT".to_vec(), k]),
            90 => exact(vec![self.one_of(&["NOSUCH", "GE T", "LRANGEX", ""]), k, self.value()]),
            91 => exact(vec![
                b"COMMAND".to_vec(),
                b"GETKEYS".to_vec(),
                self.one_of(&["MSET", "GET", "RENAME"]),
                k,
                self.value(),
            ]),
            92 => exact(vec![self.one_of(&["READONLY", "READWRITE", "ASKING", "PING"])]),
            93 => exact(vec![
                b"CONFIG".to_vec(),
                b"GET".to_vec(),
                self.one_of(&["maxmemory", "proto-max-bulk-len", "save", "nosuch*"]),
            ]),
            94 => exact(vec![b"SELECT".to_vec(), b"0".to_vec()]),
            _ => exact(self.mset()),
        }
    }

    fn set(&mut self, key: Vec<u8>) -> Words {
        let mut words = vec![b"SET".to_vec(), key, self.value()];
        let mut options: Vec<Words> = Vec::new();
        if self.random.one_in(3) {
            options.push(self.set_expiry());
        }
        if self.random.one_in(4) {
            options.push(vec![self.one_of(&["NX", "XX", "nx", "xX"])]);
        }
        if self.random.one_in(4) {
            options.push(vec![self.one_of(&["GET", "get"])]);
        }
        if self.random.one_in(8) {
            options.push(vec![b"KEEPTTL".to_vec()]);
        }
        if self.random.one_in(30) {
            options.push(vec![self.one_of(&["NOSUCH", "EX", "NX", "XX", "PERSIST", ""])]);
        }
        self.shuffle(&mut options);
        words.extend(options.concat());
        words
    }

    fn getex(&mut self, key: Vec<u8>) -> Words {
        let mut words = vec![b"GETEX".to_vec(), key];
        match self.random.below(5) {
            0 => {}
            1 => words.push(b"PERSIST".to_vec()),
            2 => words.push(self.one_of(&["persist", "KEEPTTL", "NX", "EX"])),
            _ => words.extend(self.set_expiry()),
        }
        words
    }

    fn set_expiry(&mut self) -> Words {
        match self.random.below(9) {
            0 | 1 => vec![b"EX".to_vec(), self.relative_seconds()],
            2 | 3 => vec![b"PX".to_vec(), self.relative_millis()],
            4 => vec![b"EXAT".to_vec(), self.one_of(FUTURE_SECONDS)],
            5 => vec![b"pxat".to_vec(), self.one_of(FUTURE_MILLIS)],
            // PXAT and EXAT would take "1.5" and the like as errors, and none of these as a past time.
            _ => vec![self.one_of(&["EX", "PX", "EXAT", "PXAT"]), self.one_of(BAD_TIMES)],
        }
    }

    fn expire(&mut self, key: Vec<u8>) -> Words {
        let mut words = match self.random.below(8) {
            0 | 1 => vec![b"EXPIRE".to_vec(), key, self.relative_seconds()],
            2 | 3 => vec![b"PEXPIRE".to_vec(), key, self.relative_millis()],
            4 => vec![b"EXPIREAT".to_vec(), key, self.one_of(FUTURE_SECONDS)],
            5 => vec![b"PEXPIREAT".to_vec(), key, self.one_of(FUTURE_MILLIS)],
            6 => vec![self.one_of(&["EXPIREAT", "PEXPIREAT"]), key, self.one_of(&["1", "0", "-5", "1000"])],
            _ => {
                let name = self.one_of(&["EXPIRE", "PEXPIRE", "EXPIREAT", "PEXPIREAT"]);
                vec![name, key, self.one_of(BAD_TIMES)]
            }
        };
        for _ in 0..[0, 0, 0, 1, 1, 1, 2][self.random.below(7)] {
            words.push(self.one_of(&["NX", "XX", "GT", "LT", "gt", "NOSUCH"]));
        }
        words
    }

    fn copy(&mut self, key: Vec<u8>) -> Words {
        let to = self.partner(&key);
        let mut words = vec![b"COPY".to_vec(), key, to];
        let mut options: Vec<Words> = Vec::new();
        // In cluster mode 7.0 and 7.2 refuse another database in different words.
        if !self.cluster && self.random.one_in(3) {
            options.push(vec![b"DB".to_vec(), self.database()]);
        }
        if self.random.one_in(3) {
            options.push(vec![b"REPLACE".to_vec()]);
        }
        if self.random.one_in(20) {
            options.push(vec![self.one_of(if self.cluster { &["NOSUCH"] } else { &["DB", "NOSUCH"] })]);
        }
        self.shuffle(&mut options);
        words.extend(options.concat());
        words
    }

    fn lcs(&mut self, key: Vec<u8>) -> Words {
        let other = self.partner(&key);
        let mut words = vec![b"LCS".to_vec(), key, other];
        for option in ["LEN", "IDX", "WITHMATCHLEN"] {
            if self.random.one_in(3) {
                words.push(option.into());
            }
        }
        if self.random.one_in(4) {
            words.push(b"MINMATCHLEN".to_vec());
            words.push(self.integer());
        }
        words
    }

    fn mset(&mut self) -> Words {
        let mut words = vec![self.one_of(&["MSET", "MSET", "MSETNX"])];
        let mut key = self.key();
        for _ in 0..1 + self.random.below(5) {
            words.push(key.clone());
            words.push(self.value());
            key = self.partner(&key);
        }
        words
    }

    fn with_keys(&mut self, name: &str) -> Words {
        let mut words = vec![name.as_bytes().to_vec()];
        let mut key = self.key();
        for _ in 0..1 + self.random.below(6) {
            words.push(key.clone());
            key = self.partner(&key);
        }
        words
    }

    fn flush(&mut self) -> Words {
        let mut words = vec![self.one_of(&["FLUSHDB", "FLUSHDB", "FLUSHALL"])];
        match self.random.below(4) {
            0 => words.push(self.one_of(&["ASYNC", "SYNC", "async"])),
            1 => words.push(b"NOSUCH".to_vec()),
            _ => {}
        }
        words
    }

    fn scan_options(&mut self) -> Words {
        let mut options: Vec<Words> = Vec::new();
        if self.random.one_in(2) {
            options.push(vec![b"MATCH".to_vec(), self.one_of(PATTERNS)]);
        }
        if self.random.one_in(2) {
            options.push(vec![b"COUNT".to_vec(), self.one_of(&["1", "2", "10", "1000"])]);
        }
        if self.random.one_in(3) {
            options.push(vec![b"TYPE".to_vec(), self.one_of(&["string", "list", "STRING", "nosuch"])]);
        }
        self.shuffle(&mut options);
        options.concat()
    }

    fn key(&mut self) -> Vec<u8> {
        self.one_of(KEYS)
    }

    /// Another key, in cluster mode mostly one of the same slot.
    fn partner(&mut self, key: &[u8]) -> Vec<u8> {
        if self.cluster && !self.random.one_in(8) {
            return if key.starts_with(b"{t}") {
                self.one_of(&["{t}1", "{t}2", "{t}3"])
            } else {
                key.to_vec()
            };
        }
        self.key()
    }

    fn value(&mut self) -> Vec<u8> {
        match self.random.below(40) {
            // 44 bytes is the border of Redis's embedded strings.
            0 => vec![b'x'; 44],
            1 => vec![b'x'; 45],
            2 => vec![b'y'; 1 + self.random.below(300)],
            3 => (0..5_000 + self.random.below(20_000)).map(|i| (i * 7 % 251) as u8).collect(),
            4 => self.random.below(20_000).to_string().into_bytes(),
            5 => (0..self.random.below(40)).map(|_| self.random.below(256) as u8).collect(),
            _ => self.one_of(VALUES),
        }
    }

    fn integer(&mut self) -> Vec<u8> {
        self.one_of(INTEGERS)
    }

    /// Never an offset that would make a value of hundreds of megabytes.
    fn offset(&mut self) -> Vec<u8> {
        self.one_of(&["0", "1", "2", "5", "100", "5000", "-1", "536870912", "9223372036854775807", "x", ""])
    }

    fn database(&mut self) -> Vec<u8> {
        self.one_of(&[
            "0",
            "0",
            "1",
            "1",
            "9",
            "15",
            "16",
            "-1",
            "x",
            "",
            "9223372036854775807",
            "4294967296",
        ])
    }

    fn relative_seconds(&mut self) -> Vec<u8> {
        self.seconds += 7;
        self.seconds.to_string().into_bytes()
    }

    fn relative_millis(&mut self) -> Vec<u8> {
        self.seconds += 7;
        (self.seconds * 1000).to_string().into_bytes()
    }

    fn one_of(&mut self, words: &[&str]) -> Vec<u8> {
        self.random.pick(words).as_bytes().to_vec()
    }

    fn any_case(&mut self, name: &[u8]) -> Vec<u8> {
        match self.random.below(6) {
            0 => name.to_ascii_lowercase(),
            1 => {
                name.iter().map(|b| if self.random.one_in(2) { b.to_ascii_lowercase() } else { *b }).collect()
            }
            _ => name.to_vec(),
        }
    }

    fn shuffle(&mut self, items: &mut [Words]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.random.below(i + 1));
        }
    }
}

/// What a command with a word dropped or added may need: it can have become another one.
fn loosest(args: &[Vec<u8>], mask: Mask) -> Mask {
    match args[0].as_slice() {
        b"TTL" | b"PTTL" | b"EXPIRETIME" | b"PEXPIRETIME" | b"KEYS" => mask,
        b"OBJECT" => Mask::Type,
        b"SRANDMEMBER" | b"HRANDFIELD" | b"ZRANDMEMBER" => Mask::Shape,
        // Bare, it lists every command, which is not what is compared here.
        b"COMMAND" | b"CONFIG" | b"CLIENT" => Mask::Type,
        _ => mask,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_steps_always() {
        let draw = |seed| Generator::new(seed, false).sequence();
        assert_eq!(draw(3), draw(3));
        assert_ne!(draw(3), draw(4));
    }

    #[test]
    fn every_command_comes_up() {
        let mut generator = Generator::new(1, false);
        let mut seen = std::collections::BTreeSet::new();
        for step in (0..400).flat_map(|_| generator.sequence()).flatten() {
            if let Step::Command { args, .. } = step {
                seen.insert(String::from_utf8_lossy(&args[0]).to_ascii_uppercase());
            }
        }
        for name in [
            "SET",
            "GETEX",
            "MSETNX",
            "LCS",
            "COPY",
            "RENAMENX",
            "SWAPDB",
            "EXPIREAT",
            "SUBSTR",
            "PERSIST",
            "BITPOS",
            "PFMERGE",
            "SMOVE",
            "SSCAN",
            "LMOVE",
            "LMPOP",
            "HINCRBYFLOAT",
            "HRANDFIELD",
        ] {
            assert!(seen.contains(name), "{name} is in the grammar and was never drawn");
        }
    }
}
