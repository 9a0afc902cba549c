//! XINFO: what is known of a stream, its groups and their consumers.
//!
//! Every answer is a map. What cannot be known is null: a group's read counter, its lag.

use super::{write_entries, write_entry, write_id, Outcome};
use crate::{CommandError, Exec};
use datatypes::stream::{Consumer, ConsumerId, Delivery, Group, StreamId, StreamLarge, StreamRef};
use resp::{parse_integer, Args, Reply};

/// How many entries FULL shows if it is not told.
const SHOWN: usize = 10;

const HELP: &[&str] = &[
    "CONSUMERS <key> <groupname>",
    "    Show consumers of <groupname>.",
    "GROUPS <key>",
    "    Show the stream consumer groups.",
    "STREAM <key> [FULL [COUNT <count>]",
    "    Show information about the stream.",
];

/// XINFO HELP
pub(super) fn help(_: &mut Exec, _: Args, reply: &mut Reply) -> Outcome {
    crate::help::write(reply, "XINFO", HELP);
    Ok(())
}

fn read<'a>(cx: &'a mut Exec, args: Args) -> Result<&'a StreamLarge, CommandError> {
    let key = cx.key(args, 2);
    Ok(cx.keys.read::<StreamRef>(&key)?.ok_or(CommandError::NoSuchKey)?.get())
}

/// XINFO CONSUMERS key group
pub(super) fn consumers(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let now = cx.now.unix_ms() as i64;
    let group = read(cx, args)?.group(args.get(3));
    let group = group.ok_or_else(|| CommandError::no_group(args.get(3), args.get(2)))?;
    reply.array(group.consumers().len());
    for (_, consumer) in group.consumers() {
        reply.map(4);
        name(reply, consumer.name());
        number(reply, "pending", consumer.pending_len() as i64);
        number(reply, "idle", (now - consumer.seen_time()).max(0));
        number(reply, "inactive", consumer.active_time().map_or(-1, |active| now - active));
    }
    Ok(())
}

/// XINFO GROUPS key
pub(super) fn groups(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let stream = read(cx, args)?;
    reply.array(stream.groups().len());
    for (group_name, group) in stream.groups() {
        reply.map(6);
        name(reply, group_name);
        number(reply, "consumers", group.consumers().len() as i64);
        number(reply, "pending", group.pending_len() as i64);
        write_progress(reply, stream, group);
    }
    Ok(())
}

/// XINFO STREAM key [FULL [COUNT count]]
pub(super) fn stream(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let stream = read(cx, args)?;
    let full = match args.len() {
        3 => None,
        4 | 6 if args.get(3).eq_ignore_ascii_case(b"full") => Some(full_count(args)?),
        _ => return Err(CommandError::unknown_or_arity("XINFO", args.get(1))),
    };
    let counters = stream.counters();
    reply.map(if full.is_some() { 9 } else { 10 });
    number(reply, "length", stream.len() as i64);
    number(reply, "radix-tree-keys", stream.nodes().len() as i64);
    number(reply, "radix-tree-nodes", stream.radix_tree_nodes() as i64);
    id(reply, "last-generated-id", counters.last_id);
    id(reply, "max-deleted-entry-id", counters.max_deleted_id);
    number(reply, "entries-added", counters.entries_added as i64);
    id(reply, "recorded-first-entry-id", counters.first_id);
    if let Some(most) = full {
        word(reply, "entries");
        write_entries(reply, stream.iter(), most);
        word(reply, "groups");
        reply.array(stream.groups().len());
        for (group_name, group) in stream.groups() {
            write_group(reply, stream, group_name, group, most);
        }
        return Ok(());
    }
    number(reply, "groups", stream.groups().len() as i64);
    let last = stream.range_reversed(StreamId::MIN, StreamId::MAX).next();
    for (title, entry) in [("first-entry", stream.iter().next()), ("last-entry", last)] {
        word(reply, title);
        match entry {
            Some(entry) => write_entry(reply, &entry),
            None => reply.null(),
        }
    }
    Ok(())
}

/// How much FULL shows of each list; 0 is all.
fn full_count(args: Args) -> Result<usize, CommandError> {
    let Some(count) = args.try_get(5) else { return Ok(SHOWN) };
    if !args.get(4).eq_ignore_ascii_case(b"count") {
        return Err(CommandError::unknown_or_arity("XINFO", args.get(1)));
    }
    let count = parse_integer(count).ok_or(CommandError::NotInteger)?;
    Ok(usize::try_from(count).unwrap_or(SHOWN))
}

fn write_group(reply: &mut Reply, stream: &StreamLarge, group_name: &[u8], group: &Group, most: usize) {
    reply.map(7);
    name(reply, group_name);
    write_progress(reply, stream, group);
    number(reply, "pel-count", group.pending_len() as i64);
    write_pending(reply, group, None, most);
    word(reply, "consumers");
    reply.array(group.consumers().len());
    for (consumer_id, consumer) in group.consumers() {
        write_consumer(reply, group, consumer_id, consumer, most);
    }
}

fn write_consumer(reply: &mut Reply, group: &Group, of: ConsumerId, consumer: &Consumer, most: usize) {
    reply.map(5);
    name(reply, consumer.name());
    number(reply, "seen-time", consumer.seen_time());
    number(reply, "active-time", consumer.active_time().unwrap_or(-1));
    number(reply, "pel-count", consumer.pending_len() as i64);
    write_pending(reply, group, Some(of), most);
}

/// Pending entries; those of one consumer go without its name.
fn write_pending(reply: &mut Reply, group: &Group, of: Option<ConsumerId>, most: usize) {
    word(reply, "pending");
    let begun = reply.begin_array();
    let all = group.pending(StreamId::MIN, StreamId::MAX, of);
    let mut count = 0;
    for Delivery { id, consumer, delivery_time, delivery_count } in
        all.take(if most == 0 { usize::MAX } else { most })
    {
        reply.array(if of.is_some() { 3 } else { 4 });
        write_id(reply, id);
        if of.is_none() {
            reply.bulk(consumer);
        }
        reply.integer(delivery_time);
        reply.integer(delivery_count as i64);
        count += 1;
    }
    reply.end_array(begun, count);
}

/// How far a group is.
fn write_progress(reply: &mut Reply, stream: &StreamLarge, group: &Group) {
    id(reply, "last-delivered-id", group.last_id());
    let lag = stream.counters().lag(group.last_id(), group.entries_read());
    for (title, known) in [("entries-read", group.entries_read().map(|read| read as i64)), ("lag", lag)] {
        word(reply, title);
        match known {
            Some(count) => reply.integer(count),
            None => reply.null(),
        }
    }
}

fn word(reply: &mut Reply, title: &str) {
    reply.bulk(title.as_bytes());
}

fn number(reply: &mut Reply, title: &str, value: i64) {
    word(reply, title);
    reply.integer(value);
}

fn id(reply: &mut Reply, title: &str, value: StreamId) {
    word(reply, title);
    write_id(reply, value);
}

fn name(reply: &mut Reply, value: &[u8]) {
    word(reply, "name");
    reply.bulk(value);
}
