//! DEBUG: what tests and the curious ask for. Refused unless `enable-debug-command` allows it.
//!
//! DEBUG is one command, not a container: it takes its subcommands apart itself, after the
//! permission. It visits every core under the lock of the whole node, because SLEEP holds up and
//! SET-ACTIVE-EXPIRE concerns them all, and so that OBJECT finds its key at home.
//!
//! ```text
//!     digest     forty hex digits that are Redis's for the same values
//!     object     how one value is kept
//!     protocol   a reply of each kind
//!     reload     every value through the codec and back
//! ```
//!
//! Nothing but RELOAD changes a key, and nothing at all is logged.

mod digest;
mod object;
mod protocol;
mod reload;
mod sha1;
#[cfg(test)]
mod tests;

use crate::facts::NodeFacts;
use crate::table::{Command, EveryCore, Flags, Run};
use crate::{CommandError, Exec, Gathered, Visit};
use datatypes::list;
use keyspace::Entry;
use resp::{Args, Reply};
use std::sync::Arc;

type Result<T = ()> = std::result::Result<T, CommandError>;

/// DEBUG.
pub const TABLE: &[Command] =
    &[Command::running("debug", Run::EveryCore(EveryCore { locked: true, check, visit, finish }))
        .arity(-2)
        .flags(&[Flags::ADMIN, Flags::NOSCRIPT, Flags::LOADING, Flags::STALE])];

/// Redis's bound of QUICKLIST-PACKED-THRESHOLD: somewhat below 4 GiB.
const MOST_PACKED: u64 = (1 << 32) - (1 << 20);

enum Request<'a> {
    Help,
    ChangeReplId,
    Digest,
    /// The keys are the arguments from the third on.
    DigestValue,
    HtstatsKey(&'a [u8]),
    /// Jmap exists for the sake of Redis's own test suite.
    Jmap,
    Listpack(&'a [u8]),
    Object(&'a [u8]),
    Protocol(&'a [u8]),
    /// Bytes.
    QuicklistPackedThreshold(usize),
    Reload,
    SetActiveExpire(bool),
    /// Microseconds.
    Sleep(u64),
}

fn parse(args: Args<'_>) -> Result<Request<'_>> {
    let sub = args.get(1);
    Ok(match (sub.to_ascii_lowercase().as_slice(), args.len()) {
        (b"help", 2) => Request::Help,
        (b"change-repl-id", 2) => Request::ChangeReplId,
        (b"digest", 2) => Request::Digest,
        (b"digest-value", _) => Request::DigestValue,
        (b"htstats-key", 3..) => Request::HtstatsKey(args.get(2)),
        (b"jmap", 2) => Request::Jmap,
        (b"listpack", 3) => Request::Listpack(args.get(2)),
        (b"object", 3) => Request::Object(args.get(2)),
        (b"protocol", 3) => Request::Protocol(args.get(2)),
        (b"quicklist-packed-threshold", 3) => {
            Request::QuicklistPackedThreshold(packed_threshold(args.get(2))?)
        }
        (b"reload", _) => {
            reload_options(args)?;
            Request::Reload
        }
        (b"set-active-expire", 3) => Request::SetActiveExpire(leading_integer(args.get(2)) != 0),
        (b"sleep", 3) => Request::Sleep((leading_float(args.get(2)) * 1e6) as u64),
        _ => return Err(CommandError::unknown_or_arity("DEBUG", sub)),
    })
}

/// Elements of so many bytes get nodes of their own; 0 stands for the usual bound.
fn packed_threshold(text: &[u8]) -> Result<usize> {
    match config::parse_memory(text) {
        Some(0) => Ok(list::Limits::default().plain_from),
        Some(bytes @ ..=MOST_PACKED) => Ok(bytes as usize),
        _ => Err(CommandError::bad_packed_threshold()),
    }
}

/// MERGE and NOFLUSH make no difference where nothing is flushed; NOSAVE asks for a file.
fn reload_options(args: Args<'_>) -> Result {
    let mut from_file = false;
    for word in args.iter().skip(2) {
        if word.eq_ignore_ascii_case(b"nosave") {
            from_file = true;
        } else if !word.eq_ignore_ascii_case(b"merge") && !word.eq_ignore_ascii_case(b"noflush") {
            return Err(CommandError::bad_reload_option());
        }
    }
    if from_file {
        return Err(CommandError::nothing_to_reload());
    }
    Ok(())
}

/// As C's `strtod` for plain decimals: what cannot be read counts as zero, and what follows is ignored.
fn leading_float(text: &[u8]) -> f64 {
    let text = String::from_utf8_lossy(text);
    let text = text.trim_start();
    let good = (0..=text.len()).rev().filter(|&end| text.is_char_boundary(end));
    let number = good.filter_map(|end| text[..end].parse::<f64>().ok()).next();
    number.filter(|number| number.is_finite()).unwrap_or(0.0)
}

/// As C's `atoi`.
fn leading_integer(text: &[u8]) -> i64 {
    leading_float(text) as i64
}

fn check(cx: &Exec<'_>, args: Args<'_>) -> Result {
    if !cx.config.enable_debug_command().allows(cx.session.is_local) {
        return Err(CommandError::debug_not_allowed());
    }
    parse(args).map(|_| ())
}

fn visit(visit: &mut Visit<'_>, args: Args<'_>, gathered: &mut Gathered) {
    let now_ms = visit.now.unix_ms();
    match parse(args).expect("the check has passed") {
        Request::ChangeReplId => change_replication_id(visit, gathered),
        Request::Digest => {
            let databases = 0..visit.keyspace.setup().databases;
            for db in databases.filter(|&db| visit.keyspace.len(db) > 0) {
                let digest = digest::of_keys(visit.keyspace, db, now_ms);
                gathered.numbered.push((db.into(), digest.to_vec()));
            }
        }
        Request::DigestValue => {
            for at in 2..args.len() {
                if let Some(entry) = entry(visit, args.get(at)) {
                    gathered.numbered.push((at as u64, digest::of_value(entry, now_ms).to_vec()));
                }
            }
        }
        Request::HtstatsKey(key) => tell(visit, key, gathered, |entry| object::table(entry.value())),
        Request::Listpack(key) => tell(visit, key, gathered, |entry| object::listpack(entry.value())),
        Request::Object(key) => {
            let listpack_size = visit.limits.list.listpack_size;
            tell(visit, key, gathered, |entry| Some(object::line(entry, listpack_size, now_ms)));
        }
        Request::QuicklistPackedThreshold(bytes) => visit.limits.list.plain_from = bytes,
        Request::Reload => reload::here(visit),
        Request::SetActiveExpire(on) => visit.facts.active_expire = on,
        Request::Sleep(us) => visit.facts.sleep_us = us,
        Request::Help | Request::Jmap | Request::Protocol(_) => {}
    }
}

/// A key of the session's database, if it lives on this core. Redis shows a key that has expired and was not
/// met since, and so do we.
fn entry<'v>(visit: &'v Visit<'_>, key: &[u8]) -> Option<Entry<'v>> {
    visit.keyspace.find(visit.session.db, visit.keyspace.locate(key), key)
}

/// Gathers what there is to say of a key, and counts it.
fn tell(
    visit: &Visit<'_>,
    key: &[u8],
    gathered: &mut Gathered,
    say: impl FnOnce(Entry<'_>) -> Option<String>,
) {
    if let Some(entry) = entry(visit, key) {
        gathered.count += 1;
        gathered.rows.extend(say(entry).map(String::into_bytes));
    }
}

/// The first core draws an id, the others take the same.
fn change_replication_id(visit: &mut Visit<'_>, gathered: &mut Gathered) {
    if gathered.rows.is_empty() {
        let id: Vec<u8> = (0..20).map(|_| (visit.random)() as u8).collect();
        gathered.rows.push(digest::hex(&id).into_bytes());
    }
    let replication_id = String::from_utf8_lossy(&gathered.rows[0]).into_owned();
    visit.facts.node = Arc::new(NodeFacts { replication_id, ..NodeFacts::clone(&visit.facts.node) });
}

fn finish(_: &mut Exec<'_>, args: Args<'_>, mut gathered: Gathered, reply: &mut Reply) -> Result {
    let request = parse(args)?;
    let text = gathered.rows.first().map(|row| String::from_utf8_lossy(row));
    match request {
        Request::Help => crate::help::write(reply, "DEBUG", HELP),
        Request::Digest => {
            reply.simple(&digest::hex(&digest::of_all(&mut gathered.numbered)));
        }
        Request::DigestValue => {
            reply.array(args.len() - 2);
            for at in 2..args.len() as u64 {
                let found = gathered.numbered.iter().find(|(place, _)| *place == at);
                reply.simple(&digest::hex(found.map_or(&[0; 20], |(_, digest)| digest)));
            }
        }
        Request::HtstatsKey(_) | Request::Listpack(_) | Request::Object(_) if gathered.count == 0 => {
            return Err(CommandError::NoSuchKey);
        }
        Request::HtstatsKey(_) => {
            reply.verbatim("txt", text.ok_or_else(CommandError::not_a_table)?.as_bytes());
        }
        Request::Listpack(_) => {
            reply.verbatim("txt", text.ok_or_else(CommandError::not_a_listpack)?.as_bytes());
        }
        Request::Object(_) => reply.simple(&text.expect("a line for each key")),
        Request::Protocol(kind) => protocol::answer(kind, reply)?,
        Request::ChangeReplId
        | Request::Jmap
        | Request::QuicklistPackedThreshold(_)
        | Request::Reload
        | Request::SetActiveExpire(_)
        | Request::Sleep(_) => reply.ok(),
    }
    Ok(())
}

const HELP: &[&str] = &[
    "CHANGE-REPL-ID",
    "    Draws a new replication id.",
    "DIGEST",
    "    A digest of all keys, values and of whether they expire.",
    "DIGEST-VALUE <key> [<key> ...]",
    "    A digest of each value; zeros for a key that is not there.",
    "HTSTATS-KEY <key>",
    "    What is known of the table that holds the value of the key.",
    "JMAP",
    "    Does nothing.",
    "LISTPACK <key>",
    "    The elements of a value that is kept in a listpack.",
    "OBJECT <key>",
    "    How the value of the key is kept.",
    "PROTOCOL <type>",
    "    A reply of this type: string, integer, double, bignum, null, array, set, map,",
    "    attrib, push, verbatim, true or false.",
    "QUICKLIST-PACKED-THRESHOLD <size>",
    "    Elements of lists of so many bytes get a node of their own; 0 restores the bound.",
    "RELOAD [MERGE] [NOFLUSH]",
    "    Writes every value as bytes and reads it back, in memory.",
    "SET-ACTIVE-EXPIRE (0|1)",
    "    Whether keys expire that nobody asks for.",
    "SLEEP <seconds>",
    "    Holds up all cores; fractions of a second are allowed.",
];
