//! XGROUP: groups and their consumers are made, moved and removed.
//!
//! The checks come in Redis's order: options, the type of the key, the key, the group, and then the id.
//!
//! 1. Only XGROUP CREATE with MKSTREAM makes a stream.
//! 2. A group that is destroyed touches its stream: who waits in it with XREADGROUP learns that it is gone.

use super::{free_later, id_of, Outcome};
use crate::{CommandError, Exec};
use datatypes::stream::{Stream, StreamId, StreamLarge};
use keyspace::Edit;
use resp::{parse_integer, Args, Reply};

const HELP: &[&str] = &[
    "CREATE <key> <groupname> <id|$> [option]",
    "    Create a new consumer group. Options are:",
    "    * MKSTREAM",
    "      Create the empty stream if it does not exist.",
    "    * ENTRIESREAD entries_read",
    "      Set the group's entries_read counter (internal use).",
    "CREATECONSUMER <key> <groupname> <consumer>",
    "    Create a new consumer in the specified group.",
    "DELCONSUMER <key> <groupname> <consumer>",
    "    Remove the specified consumer.",
    "DESTROY <key> <groupname>",
    "    Remove the specified group.",
    "SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]",
    "    Set the current group ID and entries_read counter.",
];

/// XGROUP HELP
pub(super) fn help(_: &mut Exec, _: Args, reply: &mut Reply) -> Outcome {
    crate::help::write(reply, "XGROUP", HELP);
    Ok(())
}

fn unknown(args: Args) -> CommandError {
    CommandError::unknown_or_arity("XGROUP", args.get(1))
}

/// What may follow the id.
#[derive(Default)]
struct Options {
    mkstream: bool,
    /// ENTRIESREAD: -1 is unknown.
    entries_read: Option<u64>,
}

impl Options {
    fn read(args: Args, may_make: bool) -> Result<Options, CommandError> {
        let mut options = Options::default();
        let mut i = 5;
        while let Some(word) = args.try_get(i) {
            match args.try_get(i + 1) {
                _ if may_make && word.eq_ignore_ascii_case(b"mkstream") => {
                    options.mkstream = true;
                    i += 1;
                }
                Some(read) if word.eq_ignore_ascii_case(b"entriesread") => {
                    options.entries_read = match parse_integer(read).ok_or(CommandError::NotInteger)? {
                        -1 => None,
                        read => Some(u64::try_from(read).map_err(|_| CommandError::entries_read_negative())?),
                    };
                    i += 2;
                }
                _ => return Err(unknown(args)),
            }
        }
        Ok(options)
    }
}

/// The stream, which has to be there.
fn edit<'a>(cx: &'a mut Exec, args: Args<'a>) -> Result<Edit<'a, Stream>, CommandError> {
    let key = cx.key(args, 2);
    let stream = cx.keys.edit::<Stream>(&key)?;
    stream.was_there().then_some(stream).ok_or_else(CommandError::xgroup_needs_key)
}

/// The stream, which has to be there with the group.
fn edit_group<'a>(cx: &'a mut Exec, args: Args<'a>) -> Result<Edit<'a, Stream>, CommandError> {
    let stream = edit(cx, args)?;
    match stream.group(args.get(3)) {
        Some(_) => Ok(stream),
        None => Err(CommandError::no_group(args.get(3), args.get(2))),
    }
}

fn last_id(stream: &StreamLarge) -> StreamId {
    stream.counters().last_id
}

/// XGROUP CREATE key group id | $ [MKSTREAM] [ENTRIESREAD entries-read]
pub(super) fn create(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let Options { mkstream, entries_read } = Options::read(args, true)?;
    let key = cx.key(args, 2);
    let mut stream = cx.keys.edit::<Stream>(&key)?;
    if !stream.was_there() && !mkstream {
        return Err(CommandError::xgroup_needs_key());
    }
    if args.len() > 8 {
        return Err(unknown(args));
    }
    let id = match args.get(4) {
        b"$" => last_id(&stream),
        id => id_of(id)?,
    };
    if stream.group(args.get(3)).is_some() {
        return Err(CommandError::busy_group());
    }
    stream.create_group(args.get(3), id, entries_read);
    drop(stream);
    cx.changed(1);
    reply.ok();
    Ok(())
}

/// XGROUP SETID key group id | $ [ENTRIESREAD entries-read]
pub(super) fn set_id(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let options = Options::read(args, false)?;
    let mut stream = edit_group(cx, args)?;
    if args.len() != 5 && args.len() != 7 {
        return Err(unknown(args));
    }
    let id = match args.get(4) {
        b"$" => last_id(&stream),
        // Here `-` and `+` are ids.
        id => StreamId::parse(id, 0).ok_or_else(CommandError::invalid_stream_id)?,
    };
    let mut group = stream.group_mut(args.get(3)).expect("just seen");
    group.set_id(id, options.entries_read);
    drop(group);
    drop(stream);
    cx.changed(1);
    reply.ok();
    Ok(())
}

/// XGROUP DESTROY key group: whether there was one.
pub(super) fn destroy(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let mut stream = edit(cx, args)?;
    if stream.group(args.get(3)).is_none() {
        reply.integer(0);
        return Ok(());
    }
    let rest = stream.destroy_group(args.get(3));
    drop(stream);
    let key = cx.key(args, 2);
    free_later(cx, &key, rest);
    cx.changed(1);
    reply.integer(1);
    Ok(())
}

/// XGROUP CREATECONSUMER key group consumer: whether it is new.
pub(super) fn create_consumer(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let now = cx.now.unix_ms() as i64;
    let mut stream = edit_group(cx, args)?;
    let is_new = stream.group(args.get(3)).is_some_and(|group| group.consumer(args.get(4)).is_none());
    if is_new {
        stream.group_mut(args.get(3)).expect("just seen").create_consumer(args.get(4), now);
    }
    drop(stream);
    cx.changed(is_new.into());
    reply.integer(is_new.into());
    Ok(())
}

/// XGROUP DELCONSUMER key group consumer: how many entries it had pending.
pub(super) fn delete_consumer(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let mut stream = edit_group(cx, args)?;
    let is_there = stream.group(args.get(3)).is_some_and(|group| group.consumer(args.get(4)).is_some());
    let mut pending = 0;
    if is_there {
        let mut group = stream.group_mut(args.get(3)).expect("just seen");
        pending = group.delete_consumer(args.get(4)).expect("just seen");
    }
    drop(stream);
    cx.changed(is_there.into());
    reply.integer(pending as i64);
    Ok(())
}
