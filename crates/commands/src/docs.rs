//! What COMMAND DOCS tells people about the commands: summaries, versions and arguments.
//!
//! Nothing here is asked while commands run; the table's rows (`table.rs`) hold what is. The files
//! below have one entry for each command that is built, by published group. Arguments form a tree:
//!
//! ```text
//!     SET key value [NX | XX] [EX seconds | ...]
//!     key("key", 0), string("value"), one_of("condition", &[word("nx", "NX"), ...]).optional(), ...
//! ```
//!
//! 1. Argument names, kinds, tokens and versions are those of Redis 7.2.4, so that clients which draw
//!    their help from them show the same; a test compares them with `tests/documented.json`. There are
//!    two additions: MAXAGE of CLIENT KILL, which Valkey has, and the expiry of hash fields, as Redis 7.4 and 8
//!    document it.
//! 2. Summaries and complexities are our own words.

mod bitmap;
mod cluster;
mod connection;
mod generic;
mod geo;
mod hash;
mod hyperloglog;
mod list;
mod scripting;
mod server;
mod set;
mod sorted_set;
mod stream;
mod string;

use resp::Reply;

/// The groups in which commands are published, and what they hold.
const GROUPS: &[(&str, &[Doc])] = &[
    ("bitmap", bitmap::DOCS),
    ("cluster", cluster::DOCS),
    ("connection", connection::DOCS),
    ("generic", generic::DOCS),
    ("geo", geo::DOCS),
    ("hash", hash::DOCS),
    ("hyperloglog", hyperloglog::DOCS),
    ("list", list::DOCS),
    ("scripting", scripting::DOCS),
    ("server", server::DOCS),
    ("set", set::DOCS),
    ("sorted-set", sorted_set::DOCS),
    ("stream", stream::DOCS),
    ("string", string::DOCS),
];

/// A command, described.
#[derive(Clone, Copy)]
pub struct Doc {
    name: &'static str,
    since: &'static str,
    complexity: &'static str,
    summary: &'static str,
    arguments: &'static [Argument],
    deprecated: Option<Deprecated>,
    /// For operators and tests only.
    system: bool,
}

/// Since when a command is out of favour, and what to use instead.
#[derive(Clone, Copy)]
struct Deprecated {
    since: &'static str,
    instead: &'static str,
}

const fn doc(
    name: &'static str,
    since: &'static str,
    complexity: &'static str,
    summary: &'static str,
) -> Doc {
    Doc { name, since, complexity, summary, arguments: &[], deprecated: None, system: false }
}

impl Doc {
    const fn args(self, arguments: &'static [Argument]) -> Doc {
        Doc { arguments, ..self }
    }

    const fn deprecated(self, since: &'static str, instead: &'static str) -> Doc {
        Doc { deprecated: Some(Deprecated { since, instead }), ..self }
    }

    const fn system(self) -> Doc {
        Doc { system: true, ..self }
    }
}

/// What an argument is.
#[derive(Clone, Copy)]
enum Kind {
    String,
    Integer,
    Double,
    /// A key, of the command's key specification with this number.
    Key(u8),
    Pattern,
    /// A pattern of keys, of the key specification with this number.
    KeyPattern(u8),
    UnixTime,
    /// Its token alone.
    Word,
    /// One of several.
    OneOf(&'static [Argument]),
    /// All of several, in order.
    Block(&'static [Argument]),
}

/// An argument of a command.
#[derive(Clone, Copy)]
pub struct Argument {
    name: &'static str,
    kind: Kind,
    token: Option<&'static str>,
    shown_as: Option<&'static str>,
    since: Option<&'static str>,
    deprecated: Option<&'static str>,
    optional: bool,
    multiple: bool,
    /// Where it is repeated, its token is too.
    multiple_token: bool,
}

const fn argument(name: &'static str, kind: Kind) -> Argument {
    Argument {
        name,
        kind,
        token: None,
        shown_as: None,
        since: None,
        deprecated: None,
        optional: false,
        multiple: false,
        multiple_token: false,
    }
}

const fn string(name: &'static str) -> Argument {
    argument(name, Kind::String)
}

const fn integer(name: &'static str) -> Argument {
    argument(name, Kind::Integer)
}

const fn double(name: &'static str) -> Argument {
    argument(name, Kind::Double)
}

const fn key(name: &'static str, specification: u8) -> Argument {
    argument(name, Kind::Key(specification))
}

const fn pattern(name: &'static str) -> Argument {
    argument(name, Kind::Pattern)
}

const fn key_pattern(name: &'static str, specification: u8) -> Argument {
    argument(name, Kind::KeyPattern(specification))
}

const fn unix_time(name: &'static str) -> Argument {
    argument(name, Kind::UnixTime)
}

const fn word(name: &'static str, token: &'static str) -> Argument {
    argument(name, Kind::Word).token(token)
}

const fn one_of(name: &'static str, arguments: &'static [Argument]) -> Argument {
    argument(name, Kind::OneOf(arguments))
}

const fn block(name: &'static str, arguments: &'static [Argument]) -> Argument {
    argument(name, Kind::Block(arguments))
}

impl Argument {
    const fn token(self, token: &'static str) -> Argument {
        Argument { token: Some(token), ..self }
    }

    const fn shown_as(self, text: &'static str) -> Argument {
        Argument { shown_as: Some(text), ..self }
    }

    const fn since(self, version: &'static str) -> Argument {
        Argument { since: Some(version), ..self }
    }

    const fn deprecated(self, version: &'static str) -> Argument {
        Argument { deprecated: Some(version), ..self }
    }

    const fn optional(self) -> Argument {
        Argument { optional: true, ..self }
    }

    const fn multiple(self) -> Argument {
        Argument { multiple: true, ..self }
    }

    const fn multiple_token(self) -> Argument {
        Argument { multiple_token: true, ..self }
    }

    fn kind_name(&self) -> &'static str {
        match self.kind {
            Kind::String => "string",
            Kind::Integer => "integer",
            Kind::Double => "double",
            Kind::Key(_) => "key",
            Kind::Pattern | Kind::KeyPattern(_) => "pattern",
            Kind::UnixTime => "unix-time",
            Kind::Word => "pure-token",
            Kind::OneOf(_) => "oneof",
            Kind::Block(_) => "block",
        }
    }

    fn flags(&self) -> Vec<&'static str> {
        let all = [
            (self.optional, "optional"),
            (self.multiple, "multiple"),
            (self.multiple_token, "multiple_token"),
        ];
        all.into_iter().filter(|(set, _)| *set).map(|(_, word)| word).collect()
    }
}

/// What is known about a command (`container|sub` for a subcommand), with its group.
pub fn find(name: &str) -> Option<(&'static str, &'static Doc)> {
    let in_group = |&(group, docs): &(&'static str, &'static [Doc])| {
        docs.iter().find(|doc| doc.name == name).map(|doc| (group, doc))
    };
    GROUPS.iter().find_map(in_group)
}

/// The description of a command as COMMAND DOCS words it; `subcommands` are the names of its own.
pub fn write(reply: &mut Reply, name: &str, subcommands: &[&str]) {
    // A command may be built before it is described, but the tests do not let it pass.
    let Some((group, doc)) = find(name) else { return reply.map(0) };
    let pairs = 4
        + usize::from(doc.system || doc.deprecated.is_some())
        + if doc.deprecated.is_some() { 2 } else { 0 }
        + usize::from(!doc.arguments.is_empty())
        + usize::from(!subcommands.is_empty());
    reply.map(pairs);
    pair(reply, "summary", doc.summary);
    pair(reply, "since", doc.since);
    pair(reply, "group", group);
    pair(reply, "complexity", doc.complexity);
    if doc.system || doc.deprecated.is_some() {
        reply.bulk(b"doc_flags");
        let flags = [(doc.deprecated.is_some(), "deprecated"), (doc.system, "syscmd")];
        words(reply, &flags.into_iter().filter(|(set, _)| *set).map(|(_, word)| word).collect::<Vec<_>>());
    }
    if let Some(Deprecated { since, instead }) = doc.deprecated {
        pair(reply, "deprecated_since", since);
        pair(reply, "replaced_by", instead);
    }
    if !doc.arguments.is_empty() {
        reply.bulk(b"arguments");
        write_arguments(reply, doc.arguments);
    }
    if !subcommands.is_empty() {
        reply.bulk(b"subcommands");
        reply.map(subcommands.len());
        for sub in subcommands {
            reply.bulk(sub.as_bytes());
            write(reply, sub, &[]);
        }
    }
}

fn write_arguments(reply: &mut Reply, arguments: &[Argument]) {
    reply.array(arguments.len());
    for argument in arguments {
        write_argument(reply, argument);
    }
}

fn write_argument(reply: &mut Reply, argument: &Argument) {
    let flags = argument.flags();
    let pairs = reply.begin_map();
    let mut count = 3;
    pair(reply, "name", argument.name);
    pair(reply, "type", argument.kind_name());
    if !matches!(argument.kind, Kind::OneOf(_) | Kind::Block(_)) {
        pair(reply, "display_text", argument.shown_as.unwrap_or(argument.name));
    }
    if let Kind::Key(specification) | Kind::KeyPattern(specification) = argument.kind {
        reply.bulk(b"key_spec_index");
        reply.integer(specification.into());
        count += 1;
    }
    let texts =
        [("token", argument.token), ("since", argument.since), ("deprecated_since", argument.deprecated)];
    for (name, text) in texts {
        if let Some(text) = text {
            pair(reply, name, text);
            count += 1;
        }
    }
    if !flags.is_empty() {
        reply.bulk(b"flags");
        words(reply, &flags);
        count += 1;
    }
    if let Kind::OneOf(parts) | Kind::Block(parts) = argument.kind {
        reply.bulk(b"arguments");
        write_arguments(reply, parts);
    }
    reply.end_map(pairs, count);
}

fn pair(reply: &mut Reply, name: &str, value: &str) {
    reply.bulk(name.as_bytes());
    reply.bulk(value.as_bytes());
}

/// A set of words, which Redis sends as statuses.
pub(crate) fn words(reply: &mut Reply, words: &[&str]) {
    reply.set(words.len());
    for word in words {
        reply.simple(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Table;
    use serde_json::{json, Map, Value};

    /// Facts of Redis 7.2.4 about the commands that are built.
    fn facts() -> Map<String, Value> {
        let text = include_str!("../tests/documented.json");
        serde_json::from_str(text).expect("a map of commands")
    }

    /// An argument as the facts have it.
    fn as_json(argument: &Argument) -> Value {
        let mut map = Map::new();
        map.insert("name".to_string(), json!(argument.name));
        map.insert("type".to_string(), json!(argument.kind_name()));
        let texts = [
            ("token", argument.token),
            ("display", argument.shown_as),
            ("since", argument.since),
            ("deprecated_since", argument.deprecated),
        ];
        for (name, text) in texts {
            map.extend(text.map(|text| (name.to_string(), json!(text))));
        }
        for flag in argument.flags() {
            map.insert(flag.to_string(), json!(true));
        }
        match argument.kind {
            Kind::Key(specification) | Kind::KeyPattern(specification) => {
                map.insert("key_spec_index".to_string(), json!(specification));
            }
            Kind::OneOf(parts) | Kind::Block(parts) => {
                map.insert("arguments".to_string(), parts.iter().map(as_json).collect());
            }
            _ => {}
        }
        Value::Object(map)
    }

    #[test]
    fn every_command_is_described_and_nothing_else() {
        let mut described: Vec<&str> =
            GROUPS.iter().flat_map(|(_, docs)| docs.iter()).map(|doc| doc.name).collect();
        let mut built: Vec<&str> = Table::standard().rows().map(|row| row.name).collect();
        described.sort_unstable();
        built.sort_unstable();
        assert_eq!(described, built);
    }

    #[test]
    fn arguments_arities_and_versions_are_those_of_redis() {
        let facts = facts();
        for row in Table::standard().rows() {
            let name = row.name;
            let fact = facts.get(name).unwrap_or_else(|| panic!("{name} is not in the facts"));
            let (group, doc) = find(name).expect("described");
            assert_eq!(fact["arity"], json!(row.arity), "{name}");
            assert_eq!(fact["group"], json!(group), "{name}");
            assert_eq!(fact["since"], json!(doc.since), "{name}");
            let arguments: Value = doc.arguments.iter().map(as_json).collect();
            assert_eq!(fact["arguments"], arguments, "{name}");
            let deprecated = doc.deprecated.map(|deprecated| deprecated.since);
            assert_eq!(fact.get("deprecated_since"), deprecated.map(|since| json!(since)).as_ref(), "{name}");
            let instead = doc.deprecated.map(|deprecated| deprecated.instead);
            assert_eq!(fact.get("replaced_by"), instead.map(|instead| json!(instead)).as_ref(), "{name}");
        }
    }

    #[test]
    fn keys_in_the_arguments_have_their_specification() {
        fn keys(arguments: &[Argument], found: &mut Vec<u8>) {
            for argument in arguments {
                match argument.kind {
                    Kind::Key(specification) | Kind::KeyPattern(specification) => found.push(specification),
                    Kind::OneOf(parts) | Kind::Block(parts) => keys(parts, found),
                    _ => {}
                }
            }
        }
        for row in Table::standard().rows() {
            let mut found = Vec::new();
            keys(find(row.name).expect("described").1.arguments, &mut found);
            found.dedup();
            let all: Vec<u8> = (0..row.keys.len() as u8).collect();
            assert_eq!(found, all, "{}", row.name);
        }
    }
}
