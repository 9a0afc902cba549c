//! The table against the published facts: arity, flags, categories, key specifications and tips of each
//! command that is built, and which commands those are.
//!
//! `commands.json` holds the facts as Valkey 8.0 publishes them, for all commands. Where Redis 7.2.4
//! says something else we follow Redis; [`RESOLVED`] lists each such place, and [`LATER`] what neither has.

use commands::table::{Begin, Categories, Find, Flags, KeySpec};
use commands::{Command, Table};
use serde_json::{Map, Value};

/// Flags that Valkey 8.0 has and Redis 7.2.4 has not.
const RESOLVED: &[(&str, &str)] = &[
    ("CLUSTER INFO", "LOADING"),
    ("CLUSTER MYID", "LOADING"),
    ("CLUSTER MYSHARDID", "LOADING"),
    ("CLUSTER NODES", "LOADING"),
];

/// Flags that COMMAND does not show.
const HIDDEN: &[&str] = &["SENTINEL", "ONLY_SENTINEL", "TOUCHES_ARBITRARY_KEYS", "PROTECTED"];

/// Commands of whole groups that wait for other types, RDB or replicas.
const NOT_BUILT: &[&str] = &["MIGRATE", "WAIT", "WAITAOF"];

/// Commands of later servers ("only_in" in the facts) that are built all the same: the expiry of fields, as the
/// documentation of Redis 7.4 and 8 and of Valkey 9 describes it.
const LATER: &[&str] = &[
    "HEXPIRE",
    "HEXPIREAT",
    "HEXPIRETIME",
    "HGETDEL",
    "HGETEX",
    "HPERSIST",
    "HPEXPIRE",
    "HPEXPIREAT",
    "HPEXPIRETIME",
    "HPTTL",
    "HSETEX",
    "HTTL",
];

/// Groups of which every command is built but those of [`NOT_BUILT`].
const WHOLE: &[&str] =
    &["string", "generic", "list", "hash", "set", "sorted_set", "stream", "bitmap", "hyperloglog", "geo"];

/// Groups of which some commands are built.
const IN_PART: &[&str] = &["connection", "server", "cluster", "scripting"];

/// The order in which COMMAND lists what a command does with a key.
const KEY_FLAGS: &[&str] = &[
    "RO",
    "RW",
    "OW",
    "RM",
    "ACCESS",
    "UPDATE",
    "INSERT",
    "DELETE",
    "NOT_KEY",
    "INCOMPLETE",
    "VARIABLE_FLAGS",
];

fn facts() -> Map<String, Value> {
    match serde_json::from_str(include_str!("commands.json")).expect("JSON") {
        Value::Object(facts) => facts,
        _ => panic!("an object of commands"),
    }
}

fn words<'a>(facts: &'a Value, name: &str) -> Vec<&'a str> {
    let list = facts[name].as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().map(|word| word.as_str().expect("a word")).collect()
}

/// The name under which the facts know a row.
fn published(row: &Command) -> String {
    row.name.replace('|', " ").to_uppercase()
}

#[test]
fn every_row_agrees_with_the_facts() {
    let facts = facts();
    for row in Table::standard().rows() {
        let name = published(row);
        let facts = facts.get(&name).unwrap_or_else(|| panic!("{name} is no published command"));
        assert_eq!(i64::from(row.arity), facts["arity"].as_i64().expect("a number"), "{name}");
        let mut flags: Vec<&str> = words(facts, "flags");
        flags.retain(|flag| !HIDDEN.contains(flag) && !RESOLVED.contains(&(&name, flag)));
        assert_eq!(row.categories.0, categories(&words(facts, "acl"), &flags).0, "{name}: {:?}", shown(row));
        let specs: Vec<KeyFacts> =
            facts["key_specs"].as_array().expect("a list").iter().map(key_facts).collect();
        let ours: Vec<KeyFacts> = row.keys.iter().map(key_row).collect();
        if name == "SINTERSTORE" {
            // Redis 7.2.4 says RW of its first key, Valkey OW.
            assert_eq!((ours[0].flags[0].as_str(), specs[0].flags[0].as_str()), ("RW", "OW"));
            assert_eq!(ours[1..], specs[1..]);
        } else {
            assert_eq!(ours, specs, "{name}");
        }
        let mut flags: Vec<String> = flags.iter().map(|flag| flag.to_lowercase()).collect();
        let plain =
            |spec: &KeyFacts| matches!(spec.find, FindFacts::Range(..)) && spec.begin.starts_with("index");
        if specs.iter().any(|spec| !plain(spec)) {
            flags.push("movablekeys".to_string());
        }
        flags.sort_unstable();
        let mut ours: Vec<&str> = row.flags.words().collect();
        ours.sort_unstable();
        assert_eq!(ours, flags, "{name}");
        let tips: Vec<String> = words(facts, "tips").iter().map(|tip| tip.to_lowercase()).collect();
        assert_eq!(row.tips, tips, "{name}");
    }
}

fn shown(row: &Command) -> Vec<&'static str> {
    row.categories.words().collect()
}

/// The categories that are stated, and those that follow from flags.
fn categories(acl: &[&str], flags: &[&str]) -> Categories {
    let mut all = Categories::NONE;
    let mut add = |word: &str| {
        let found = Categories::WORDS.iter().find(|(_, name)| name.eq_ignore_ascii_case(word));
        all = all.or(found.unwrap_or_else(|| panic!("{word} is a category")).0);
    };
    acl.iter().for_each(|word| add(word));
    for flag in flags {
        match *flag {
            "WRITE" | "PUBSUB" | "BLOCKING" | "FAST" => add(flag),
            "READONLY" if !acl.contains(&"SCRIPTING") => add("read"),
            "ADMIN" => ["admin", "dangerous"].into_iter().for_each(&mut add),
            _ => {}
        }
    }
    if !flags.contains(&"FAST") {
        add("slow");
    }
    all
}

#[derive(Debug, PartialEq)]
enum FindFacts {
    Range(i64, i64, i64),
    KeyNum(i64, i64, i64),
    Unknown,
}

#[derive(Debug, PartialEq)]
struct KeyFacts {
    flags: Vec<String>,
    begin: String,
    find: FindFacts,
}

fn key_facts(spec: &Value) -> KeyFacts {
    let mut flags = words(spec, "flags");
    flags.sort_by_key(|flag| KEY_FLAGS.iter().position(|known| known == flag).expect("a key's flag"));
    let flags = flags.iter().map(|flag| if flag.len() == 2 { flag.to_string() } else { flag.to_lowercase() });
    let number = |of: &Value, name: &str| of[name].as_i64().expect("a number");
    let (begin, find) = (&spec["begin_search"], &spec["find_keys"]);
    KeyFacts {
        flags: flags.collect(),
        begin: if let Some(index) = begin.get("index") {
            format!("index {}", number(index, "pos"))
        } else if let Some(keyword) = begin.get("keyword") {
            format!(
                "keyword {} {}",
                keyword["keyword"].as_str().expect("a word"),
                number(keyword, "startfrom")
            )
        } else {
            "unknown".to_string()
        },
        find: if let Some(range) = find.get("range") {
            FindFacts::Range(number(range, "lastkey"), number(range, "step"), number(range, "limit"))
        } else if let Some(keys) = find.get("keynum") {
            FindFacts::KeyNum(number(keys, "keynumidx"), number(keys, "firstkey"), number(keys, "step"))
        } else {
            FindFacts::Unknown
        },
    }
}

fn key_row(spec: &KeySpec) -> KeyFacts {
    KeyFacts {
        flags: spec.flags.iter().map(|flag| flag.to_string()).collect(),
        begin: match spec.begin {
            Begin::Index(at) => format!("index {at}"),
            Begin::Keyword(word, from) => format!("keyword {word} {from}"),
            Begin::Unknown => "unknown".to_string(),
        },
        find: match spec.find {
            Find::Range { last, step, limit } => FindFacts::Range(last.into(), step.into(), limit.into()),
            Find::KeyNum { at, first, step } => FindFacts::KeyNum(at.into(), first.into(), step.into()),
            Find::Unknown => FindFacts::Unknown,
        },
    }
}

/// A command that is not built must be unknown, not half there.
#[test]
fn the_groups_that_are_promised_are_built_and_no_more() {
    let table = Table::standard();
    for (name, facts) in facts() {
        let is_later = facts.get("only_in").is_some_and(Value::is_string);
        let is_ours = !is_later || LATER.contains(&name.as_str());
        let built = match name.split_once(' ') {
            None => table.find_name(name.as_bytes()).is_some(),
            Some((container, sub)) => table
                .find_name(container.as_bytes())
                .is_some_and(|row| table.find_sub(row, sub.as_bytes()).is_some()),
        };
        match facts["group"].as_str().expect("a group") {
            group if WHOLE.contains(&group) => {
                assert_eq!(built, is_ours && !NOT_BUILT.contains(&name.as_str()), "{name}");
            }
            group => assert!(!built || IN_PART.contains(&group), "{name} of the group {group}"),
        }
    }
}

#[test]
fn a_write_is_a_write_in_both_words() {
    for row in Table::standard().rows() {
        assert_eq!(row.flags.has(Flags::WRITE), row.categories.has(Categories::WRITE), "{}", row.name);
        assert!(row.categories.has(Categories::FAST) != row.categories.has(Categories::SLOW), "{}", row.name);
    }
}
