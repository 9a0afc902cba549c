//! What the commands of the workload mean, said naively: two databases of strings in maps.

use std::collections::BTreeMap;
use std::fmt;

/// A key of the workload.
pub type Key = &'static str;

/// A command of the workload.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "they are Redis's commands")]
pub enum Op {
    Get(Key),
    Set(Key, String),
    GetSet(Key, String),
    Incr(Key),
    Append(Key, String),
    MSet(Vec<(Key, String)>),
    MSetNx(Vec<(Key, String)>),
    MGet(Vec<Key>),
    Del(Vec<Key>),
    Exists(Vec<Key>),
    Rename(Key, Key),
    RenameNx(Key, Key),
    Copy(Key, Key),
    Ping,
    Keys,
    FlushAll,
    FlushDb,
    SwapDb,
    Select(u8),
    // Of the queues (`queues.rs`); timeouts in milliseconds.
    RPush(Key, String),
    LPop(Key),
    LLen(Key),
    BlPop(Vec<Key>, u64),
    BlMove(Key, Key, u64),
}

/// A reply, as far as the workload needs it.
#[derive(Clone, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "they are RESP's")]
pub enum Answer {
    Status(String),
    Error(String),
    Integer(i64),
    Bulk(Option<String>),
    Array(Vec<Answer>),
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answer::Status(text) => write!(f, "+{text}"),
            Answer::Error(text) => write!(f, "-{text}"),
            Answer::Integer(n) => write!(f, ":{n}"),
            Answer::Bulk(None) => f.write_str("nil"),
            Answer::Bulk(Some(text)) => write!(f, "{text:?}"),
            Answer::Array(items) => f.debug_list().entries(items).finish(),
        }
    }
}

impl Op {
    /// The words that a client sends.
    pub fn words(&self) -> Vec<String> {
        let mut words: Vec<String> = Vec::new();
        let mut put = |parts: &[&str]| words.extend(parts.iter().map(|part| part.to_string()));
        match self {
            Op::Get(key) => put(&["GET", key]),
            Op::Set(key, value) => put(&["SET", key, value]),
            Op::GetSet(key, value) => put(&["GETSET", key, value]),
            Op::Incr(key) => put(&["INCR", key]),
            Op::Append(key, value) => put(&["APPEND", key, value]),
            Op::MSet(pairs) | Op::MSetNx(pairs) => {
                put(&[if matches!(self, Op::MSet(_)) { "MSET" } else { "MSETNX" }]);
                pairs.iter().for_each(|(key, value)| put(&[key, value]));
            }
            Op::MGet(keys) | Op::Del(keys) | Op::Exists(keys) => {
                put(&[match self {
                    Op::MGet(_) => "MGET",
                    Op::Del(_) => "DEL",
                    _ => "EXISTS",
                }]);
                put(keys);
            }
            Op::Rename(from, to) => put(&["RENAME", from, to]),
            Op::RenameNx(from, to) => put(&["RENAMENX", from, to]),
            Op::Copy(from, to) => put(&["COPY", from, to]),
            Op::Ping => put(&["PING"]),
            Op::Keys => put(&["KEYS", "*"]),
            Op::FlushAll => put(&["FLUSHALL"]),
            Op::FlushDb => put(&["FLUSHDB"]),
            Op::SwapDb => put(&["SWAPDB", "0", "1"]),
            Op::Select(db) => put(&["SELECT", &db.to_string()]),
            Op::RPush(key, value) => put(&["RPUSH", key, value]),
            Op::LPop(key) => put(&["LPOP", key]),
            Op::LLen(key) => put(&["LLEN", key]),
            Op::BlPop(keys, ms) => {
                put(&["BLPOP"]);
                put(keys);
                put(&[&seconds(*ms)]);
            }
            Op::BlMove(from, to, ms) => put(&["BLMOVE", from, to, "LEFT", "RIGHT", &seconds(*ms)]),
        }
        words
    }
}

fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

/// What the node holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct State {
    /// Two databases.
    pub databases: [BTreeMap<String, String>; 2],
}

impl State {
    /// Executes a command of a client that has SELECTed `db`.
    pub fn apply(&mut self, db: &mut u8, op: &Op) -> Answer {
        let keys = &mut self.databases[usize::from(*db)];
        let ok = || Answer::Status("OK".into());
        let bulk = |value: Option<&String>| Answer::Bulk(value.cloned());
        match op {
            Op::Get(key) => bulk(keys.get(*key)),
            Op::Set(key, value) => {
                keys.insert(key.to_string(), value.clone());
                ok()
            }
            Op::GetSet(key, value) => Answer::Bulk(keys.insert(key.to_string(), value.clone())),
            Op::Incr(key) => match keys.get(*key).map_or(Ok(0), |value| value.parse::<i64>()) {
                Ok(n) => {
                    keys.insert(key.to_string(), (n + 1).to_string());
                    Answer::Integer(n + 1)
                }
                Err(_) => Answer::Error("ERR value is not an integer or out of range".into()),
            },
            Op::Append(key, value) => {
                let whole = keys.entry(key.to_string()).or_default();
                whole.push_str(value);
                Answer::Integer(whole.len() as i64)
            }
            Op::MSet(pairs) => {
                keys.extend(pairs.iter().map(|(key, value)| (key.to_string(), value.clone())));
                ok()
            }
            Op::MSetNx(pairs) if pairs.iter().any(|(key, _)| keys.contains_key(*key)) => Answer::Integer(0),
            Op::MSetNx(pairs) => {
                keys.extend(pairs.iter().map(|(key, value)| (key.to_string(), value.clone())));
                Answer::Integer(1)
            }
            Op::MGet(wanted) => Answer::Array(wanted.iter().map(|key| bulk(keys.get(*key))).collect()),
            Op::Del(gone) => {
                Answer::Integer(gone.iter().filter(|key| keys.remove(**key).is_some()).count() as i64)
            }
            Op::Exists(wanted) => {
                Answer::Integer(wanted.iter().filter(|key| keys.contains_key(**key)).count() as i64)
            }
            Op::Rename(from, to) => match keys.remove(*from) {
                Some(value) => {
                    keys.insert(to.to_string(), value);
                    ok()
                }
                None => Answer::Error("ERR no such key".into()),
            },
            Op::RenameNx(from, _) if !keys.contains_key(*from) => Answer::Error("ERR no such key".into()),
            Op::RenameNx(_, to) if keys.contains_key(*to) => Answer::Integer(0),
            Op::RenameNx(from, to) => {
                let value = keys.remove(*from).expect("just seen");
                keys.insert(to.to_string(), value);
                Answer::Integer(1)
            }
            Op::Copy(from, to) => match (keys.get(*from).cloned(), keys.contains_key(*to)) {
                (Some(value), false) => {
                    keys.insert(to.to_string(), value);
                    Answer::Integer(1)
                }
                _ => Answer::Integer(0),
            },
            Op::Ping => Answer::Status("PONG".into()),
            Op::Keys => Answer::Array(keys.keys().map(|key| Answer::Bulk(Some(key.clone()))).collect()),
            Op::FlushAll => {
                self.databases = Default::default();
                ok()
            }
            Op::FlushDb => {
                keys.clear();
                ok()
            }
            Op::SwapDb => {
                self.databases.swap(0, 1);
                ok()
            }
            Op::Select(to) => {
                *db = *to;
                ok()
            }
            Op::RPush(..) | Op::LPop(_) | Op::LLen(_) | Op::BlPop(..) | Op::BlMove(..) => {
                unreachable!("queues are not replayed")
            }
        }
    }
}
