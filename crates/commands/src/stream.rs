//! Stream commands. `datatypes::stream` keeps the entries and the groups; here we read the arguments, call it,
//! record what changed, and word the reply.
//!
//! ```text
//!     stream.rs    XLEN XRANGE XREVRANGE XDEL XSETID, and the table of all
//!     add.rs       XADD XTRIM                               read.rs     XREAD XREADGROUP, which may wait
//!     group.rs     XGROUP                                   pending.rs  XACK XPENDING XCLAIM XAUTOCLAIM
//!     info.rs      XINFO                                    effects.rs  what replicas get in their place
//! ```
//!
//! 1. A stream without entries stays a key: it has a last id, and maybe groups.
//! 2. A stream is not touched where nothing would change, as far as that can be told before: who waits for it is
//!    tried again each time it is touched.
//! 3. Ids are checked in Redis's order, which differs between commands: some look at the key first.
//! 4. Many nodes, or a group, are not freed by the command that took them out: [`free_later`].

mod add;
mod effects;
mod group;
mod info;
mod pending;
mod read;
#[cfg(test)]
mod tests;

use crate::table::{at, Begin, Categories, Command, Find, Flags, KeySpec, Run};
use crate::{CommandError, Exec};
use datatypes::listpack::Item;
use datatypes::stream::{BoundError, Entries, Entry, SetIdError, Stream, StreamId, StreamRef};
use keyspace::{AccessClock, Key, OwnedRecord, OwnedValue};
use resp::{parse_integer, Args, Reply};

type Outcome = Result<(), CommandError>;

const STREAM: Categories = Categories::STREAM;
const READONLY: Flags = Flags::READONLY;
const WRITE: Flags = Flags::WRITE;
const DENYOOM: Flags = Flags::DENYOOM;
const FAST: Flags = Flags::FAST;
const BLOCKING: Flags = Flags::BLOCKING;

const READ: &[KeySpec] = &[at(1, &["RO", "access"])];
const UPDATED: &[KeySpec] = &[at(1, &["RW", "update"])];
const SHORTENED: &[KeySpec] = &[at(1, &["RW", "delete"])];
/// The stream that a subcommand is about.
const ASKED: &[KeySpec] = &[at(2, &["RO", "access"])];

const ANY_OUTPUT: &[&str] = &["nondeterministic_output"];

/// The first half of what follows STREAMS, looked for from this argument on.
const fn after_streams(from: i8) -> KeySpec {
    KeySpec {
        flags: &["RO", "access"],
        begin: Begin::Keyword("STREAMS", from),
        find: Find::Range { last: -1, step: 1, limit: 2 },
        notes: None,
    }
}

pub const TABLE: &[Command] = &[
    Command::new("xack", pending::xack).arity(-4).keys(UPDATED).flags(&[WRITE, FAST]).acl(STREAM),
    Command::new("xadd", add::xadd)
        .arity(-5)
        .keys(UPDATED)
        .flags(&[WRITE, DENYOOM, FAST])
        .acl(STREAM)
        .tips(ANY_OUTPUT),
    Command::new("xautoclaim", pending::xautoclaim)
        .arity(-6)
        .keys(SHORTENED)
        .flags(&[WRITE, FAST])
        .acl(STREAM)
        .tips(ANY_OUTPUT),
    Command::new("xclaim", pending::xclaim)
        .arity(-6)
        .keys(UPDATED)
        .flags(&[WRITE, FAST])
        .acl(STREAM)
        .tips(ANY_OUTPUT),
    Command::new("xdel", xdel).arity(-3).keys(SHORTENED).flags(&[WRITE, FAST]).acl(STREAM),
    Command::container("xgroup", XGROUP),
    Command::container("xinfo", XINFO),
    Command::new("xlen", xlen).arity(2).keys(&[at(1, &["RO"])]).flags(&[READONLY, FAST]).acl(STREAM),
    Command::new("xpending", pending::xpending)
        .arity(-3)
        .keys(READ)
        .flags(&[READONLY])
        .acl(STREAM)
        .tips(ANY_OUTPUT),
    Command::new("xrange", xrange).arity(-4).keys(READ).flags(&[READONLY]).acl(STREAM),
    Command::new("xread", read::xread)
        .arity(-4)
        .keys(&[after_streams(1)])
        .flags(&[BLOCKING, READONLY])
        .acl(STREAM),
    Command::new("xreadgroup", read::xreadgroup)
        .arity(-7)
        .keys(&[after_streams(4)])
        .flags(&[BLOCKING, WRITE])
        .acl(STREAM),
    Command::new("xrevrange", xrevrange).arity(-4).keys(READ).flags(&[READONLY]).acl(STREAM),
    Command::new("xsetid", xsetid).arity(-3).keys(UPDATED).flags(&[WRITE, DENYOOM, FAST]).acl(STREAM),
    Command::new("xtrim", add::xtrim).arity(-4).keys(SHORTENED).flags(&[WRITE]).acl(STREAM).tips(ANY_OUTPUT),
];

const XGROUP: &[Command] = &[
    Command::new("xgroup|create", group::create)
        .arity(-5)
        .keys(&[at(2, &["RW", "insert"])])
        .flags(&[WRITE, DENYOOM])
        .acl(STREAM),
    Command::new("xgroup|createconsumer", group::create_consumer)
        .arity(5)
        .keys(&[at(2, &["RW", "insert"])])
        .flags(&[WRITE, DENYOOM])
        .acl(STREAM),
    Command::new("xgroup|delconsumer", group::delete_consumer)
        .arity(5)
        .keys(&[at(2, &["RW", "delete"])])
        .flags(&[WRITE])
        .acl(STREAM),
    Command::new("xgroup|destroy", group::destroy)
        .arity(4)
        .keys(&[at(2, &["RW", "delete"])])
        .flags(&[WRITE])
        .acl(STREAM),
    help("xgroup|help", group::help),
    Command::new("xgroup|setid", group::set_id)
        .arity(-5)
        .keys(&[at(2, &["RW", "update"])])
        .flags(&[WRITE])
        .acl(STREAM),
];

const XINFO: &[Command] = &[
    Command::new("xinfo|consumers", info::consumers)
        .arity(4)
        .keys(ASKED)
        .flags(&[READONLY])
        .acl(STREAM)
        .tips(ANY_OUTPUT),
    Command::new("xinfo|groups", info::groups).arity(3).keys(ASKED).flags(&[READONLY]).acl(STREAM),
    help("xinfo|help", info::help),
    Command::new("xinfo|stream", info::stream).arity(-3).keys(ASKED).flags(&[READONLY]).acl(STREAM),
];

const fn help(name: &'static str, handler: crate::table::Handler) -> Command {
    Command::running(name, Run::Here(handler)).arity(2).flags(&[Flags::LOADING, Flags::STALE]).acl(STREAM)
}

/// XLEN key
fn xlen(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let key = cx.key(args, 1);
    reply.integer(cx.keys.read::<StreamRef>(&key)?.map_or(0, |stream| stream.len()) as i64);
    Ok(())
}

/// XRANGE key start end [COUNT count]
fn xrange(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    range(cx, args, reply, false)
}

/// XREVRANGE key end start [COUNT count]
fn xrevrange(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    range(cx, args, reply, true)
}

fn range(cx: &mut Exec, args: Args, reply: &mut Reply, reversed: bool) -> Outcome {
    let (start, end) = if reversed { (3, 2) } else { (2, 3) };
    let (start, end) = (start_of(args.get(start))?, end_of(args.get(end))?);
    let mut count = None;
    for at in (4..args.len()).step_by(2) {
        match args.try_get(at + 1) {
            Some(given) if args.get(at).eq_ignore_ascii_case(b"count") => count = Some(amount(given)?),
            _ => return Err(CommandError::Syntax),
        }
    }
    let key = cx.key(args, 1);
    let Some(stream) = cx.keys.read::<StreamRef>(&key)? else {
        reply.array(0);
        return Ok(());
    };
    match count {
        Some(0) => reply.null_array(),
        most => {
            let all = match reversed {
                false => stream.get().range(start, end),
                true => stream.get().range_reversed(start, end),
            };
            write_entries(reply, all, most.unwrap_or(0));
        }
    }
    Ok(())
}

/// XDEL key id [id ...]: how many of these entries there were.
fn xdel(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let key = cx.key(args, 1);
    let mut stream = cx.keys.edit::<Stream>(&key)?;
    let mut deleted = 0;
    if stream.was_there() {
        let ids = ids_of(args.from(2))?;
        if let Some(first) = ids.iter().position(|&id| stream.as_ref().get().get(id).is_some()) {
            deleted = stream.delete(ids[first..].iter().copied());
        }
    }
    drop(stream);
    cx.changed(deleted as u64);
    reply.integer(deleted as i64);
    Ok(())
}

/// XSETID key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]
fn xsetid(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let id = id_of(args.get(2))?;
    let (mut entries_added, mut max_deleted_id) = (None, StreamId::MIN);
    for at in (3..args.len()).step_by(2) {
        let Some(value) = args.try_get(at + 1) else { return Err(CommandError::Syntax) };
        match args.get(at) {
            word if word.eq_ignore_ascii_case(b"entriesadded") => {
                let added = parse_integer(value).ok_or(CommandError::NotInteger)?;
                let added = u64::try_from(added).map_err(|_| CommandError::entries_added_negative())?;
                entries_added = Some(added);
            }
            word if word.eq_ignore_ascii_case(b"maxdeletedid") => {
                max_deleted_id = id_of(value)?;
                if id < max_deleted_id {
                    return Err(CommandError::setid_below_given_deleted());
                }
            }
            _ => return Err(CommandError::Syntax),
        }
    }
    let key = cx.key(args, 1);
    let mut stream = cx.keys.edit::<Stream>(&key)?;
    if !stream.was_there() {
        return Err(CommandError::NoSuchKey);
    }
    stream.set_id(id, entries_added, max_deleted_id).map_err(|refusal| match refusal {
        SetIdError::BelowMaxDeleted => CommandError::setid_below_deleted(),
        SetIdError::BelowTop => CommandError::setid_below_top(),
        SetIdError::AddedBelowLength => CommandError::setid_added_below_length(),
    })?;
    drop(stream);
    cx.changed(1);
    reply.ok();
    Ok(())
}

/// An argument that has to be a certain id.
fn id_of(argument: &[u8]) -> Result<StreamId, CommandError> {
    StreamId::parse_strict(argument, 0).ok_or_else(CommandError::invalid_stream_id)
}

/// Arguments that all have to be ids: a command does nothing if one is not.
fn ids_of(arguments: Args) -> Result<Vec<StreamId>, CommandError> {
    arguments.iter().map(id_of).collect()
}

fn start_of(argument: &[u8]) -> Result<StreamId, CommandError> {
    StreamId::parse_start(argument).map_err(|refusal| match refusal {
        BoundError::Invalid => CommandError::invalid_stream_id(),
        BoundError::Empty => CommandError::invalid_start(),
    })
}

fn end_of(argument: &[u8]) -> Result<StreamId, CommandError> {
    StreamId::parse_end(argument).map_err(|refusal| match refusal {
        BoundError::Invalid => CommandError::invalid_stream_id(),
        BoundError::Empty => CommandError::invalid_end(),
    })
}

/// A COUNT: negative ones count as 0.
fn amount(argument: &[u8]) -> Result<usize, CommandError> {
    let count = parse_integer(argument).ok_or(CommandError::NotInteger)?;
    Ok(usize::try_from(count).unwrap_or(0))
}

/// Entries as an array, at most so many of them (0: all).
fn write_entries(reply: &mut Reply, entries: Entries, most: usize) {
    let begun = reply.begin_array();
    let mut count = 0;
    for entry in entries.take(if most == 0 { usize::MAX } else { most }) {
        write_entry(reply, &entry);
        count += 1;
    }
    reply.end_array(begun, count);
}

/// An entry: its id, then its fields and values in one array.
fn write_entry(reply: &mut Reply, entry: &Entry) {
    reply.array(2);
    write_id(reply, entry.id());
    reply.array(entry.pairs() * 2);
    for (field, value) in entry.fields() {
        write_item(reply, field);
        write_item(reply, value);
    }
}

fn write_item(reply: &mut Reply, item: Item) {
    match item {
        Item::Int(number) => reply.bulk_integer(number),
        Item::Str(text) => reply.bulk(text),
    }
}

fn write_id(reply: &mut Reply, id: StreamId) {
    reply.bulk(&id_text(id));
}

fn id_text(id: StreamId) -> Vec<u8> {
    let mut text = Vec::with_capacity(41);
    id.write_to(&mut text);
    text
}

/// Frees what was taken out of the stream under a key, step by step. It takes the stream's place for a moment:
/// what is overwritten is freed in the background.
fn free_later(cx: &mut Exec, key: &Key, rest: Option<Stream>) {
    let Some(rest) = rest else { return };
    if let Some(stream) = cx.keys.take(key) {
        let rest =
            OwnedRecord { value: OwnedValue::of(rest), expiry: stream.expiry, clock: AccessClock::default() };
        cx.keys.put(key, rest);
        cx.keys.put(key, stream);
    }
}
