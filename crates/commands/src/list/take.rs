//! Commands that take elements out of lists, or from one into another.
//!
//! ```text
//!     LPOP RPOP            pop_from          BLPOP BRPOP: pop_from_first, one element
//!     LMPOP                pop_from_first    BLMPOP: pop_from_first with a count
//!     LMOVE RPOPLPUSH      move_element      BLMOVE BRPOPLPUSH: move_element
//! ```
//!
//! Each of the three serves its command now, or tells that there is nothing to serve it with and has said
//! nothing; a client that waits is served by the same function later.
//!
//! 1. Whatever popped from the first of several keys is logged as LPOP or RPOP of that key.
//! 2. A list can be moved into itself. Its element is taken out before it is put back in, and only then the
//!    encoding is looked at, as in Redis.

use super::{not_below, write_element, Outcome};
use crate::{CommandError, Exec};
use datatypes::list::{End, List, ListRef};
use keyspace::{Key, Readable};
use resp::{format_integer, Args, Reply};
use std::ops::Range;

/// LPOP key [count]
pub(super) fn lpop(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    pop(cx, args, reply, End::Front)
}

/// RPOP key [count]
pub(super) fn rpop(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    pop(cx, args, reply, End::Back)
}

fn pop(cx: &mut Exec, args: Args, reply: &mut Reply, from: End) -> Outcome {
    if args.len() > 3 {
        return Err(CommandError::WrongArity(if from == End::Front { "lpop" } else { "rpop" }));
    }
    let count = match args.try_get(2) {
        Some(count) => Some(not_below(0, count).ok_or_else(CommandError::bad_pop_count)?),
        None => None,
    };
    let key = cx.key(args, 1);
    if pop_from(cx, &key, from, count, reply)?.is_none() {
        match count {
            Some(_) => reply.null_array(),
            None => reply.null(),
        }
    }
    Ok(())
}

/// LMPOP numkeys key [key ...] LEFT | RIGHT [COUNT count]
pub(super) fn lmpop(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let MultiPop { keys, from, count } = MultiPop::of(args, 1)?;
    if !pop_from_first(cx, args, keys, from, Some(count), reply)? {
        reply.null_array();
    }
    Ok(())
}

/// What LMPOP and BLMPOP are told.
pub(crate) struct MultiPop {
    /// Which arguments are keys.
    pub keys: Range<usize>,
    pub from: End,
    pub count: usize,
}

impl MultiPop {
    /// Reads the arguments, of which the number of keys is the `at`-th.
    pub fn of(args: Args, at: usize) -> Result<MultiPop, CommandError> {
        let numkeys = not_below(1, args.get(at)).ok_or_else(CommandError::bad_lmpop_numkeys)?;
        let end = numkeys.saturating_add(at + 1);
        let from = end_named(args.try_get(end).ok_or(CommandError::Syntax)?)?;
        let count = match args.len() - end - 1 {
            0 => 1,
            2.. if args.get(end + 1).eq_ignore_ascii_case(b"count") => {
                let count = not_below(1, args.get(end + 2)).ok_or_else(CommandError::bad_lmpop_count)?;
                if args.len() > end + 3 {
                    return Err(CommandError::Syntax);
                }
                count
            }
            _ => return Err(CommandError::Syntax),
        };
        Ok(MultiPop { keys: at + 1..end, from, count })
    }
}

/// LMOVE source destination LEFT | RIGHT LEFT | RIGHT: the element.
pub(super) fn lmove(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let (from, to) = (end_named(args.get(3))?, end_named(args.get(4))?);
    move_or_null(cx, args, reply, from, to)
}

/// RPOPLPUSH source destination: the element.
pub(super) fn rpoplpush(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    move_or_null(cx, args, reply, End::Back, End::Front)
}

fn move_or_null(cx: &mut Exec, args: Args, reply: &mut Reply, from: End, to: End) -> Outcome {
    let (source, destination) = (cx.key(args, 1), cx.key(args, 2));
    if !move_element(cx, &source, &destination, from, to, reply)? {
        reply.null();
    }
    Ok(())
}

/// Takes an element, or up to `count` of them, out of the list at a key and replies it, or them as an array.
/// Tells how many; `None`, with nothing said, if there is no list.
pub(crate) fn pop_from(
    cx: &mut Exec,
    key: &Key,
    from: End,
    count: Option<usize>,
    reply: &mut Reply,
) -> Result<Option<usize>, CommandError> {
    let limits = &cx.limits.list;
    let mut list = cx.keys.edit::<List>(key)?;
    if !list.was_there() {
        return Ok(None);
    }
    let Some(count) = count else {
        list.pop(from, limits, |element| write_element(element, reply)).expect("no list is empty");
        list.store();
        cx.changed(1);
        return Ok(Some(1));
    };
    let length = list.as_ref().len();
    let count = count.min(length);
    let (outermost, first) = match from {
        End::Front => (0, 0),
        End::Back => (length - 1, length - count),
    };
    reply.array(count);
    let elements = list.as_ref().iter_from(outermost, from.opposite()).take(count);
    elements.for_each(|element| write_element(element, reply));
    if count == length {
        drop(list);
        cx.keys.remove(key);
    } else {
        if count > 0 {
            list.remove_range(first, count, limits);
        }
        list.store();
    }
    cx.changed(count as u64);
    Ok(Some(count))
}

/// Takes an element, or up to `count` of them, out of the first list among these arguments; replies its key
/// and the element, or the array of them. False, with nothing said, if none of them is there.
pub(crate) fn pop_from_first(
    cx: &mut Exec,
    args: Args,
    keys: Range<usize>,
    from: End,
    count: Option<usize>,
    reply: &mut Reply,
) -> Result<bool, CommandError> {
    let before = reply.mark();
    for at in keys {
        let key = cx.key(args, at);
        reply.array(2);
        reply.bulk(key.bytes);
        let Some(popped) = pop_from(cx, &key, from, count, reply)? else {
            reply.truncate(before);
            continue;
        };
        let name: &[u8] = if from == End::Front { b"LPOP" } else { b"RPOP" };
        match count {
            Some(_) => cx.log(&[name, key.bytes, &format_integer(popped as i64)]),
            None => cx.log(&[name, key.bytes]),
        }
        return Ok(true);
    }
    Ok(false)
}

/// Takes an element out of one list, puts it into another, which may be the same or not there yet, and replies
/// it. False, with nothing said, if there is no source.
pub(crate) fn move_element(
    cx: &mut Exec,
    source: &Key,
    destination: &Key,
    from: End,
    to: End,
    reply: &mut Reply,
) -> Result<bool, CommandError> {
    if !is_list(cx, source)? {
        return Ok(false);
    }
    let limits = &cx.limits.list;
    let mut element = Vec::new();
    if source.bytes == destination.bytes {
        let mut list = cx.keys.edit::<List>(source)?;
        let popped = match &mut *list {
            // Not `List::pop`, which would look at the encoding (rule 2).
            List::Large(large) => large.pop(from, |item| item.write_to(&mut element)),
            small => small.pop(from, limits, |item| item.write_to(&mut element)),
        };
        popped.expect("no list is empty");
        list.push(std::iter::once(&element[..]), to, limits);
        // Removes nothing, and looks at the encoding.
        list.remove_range(0, 0, limits);
    } else {
        is_list(cx, destination)?;
        let mut list = cx.keys.edit::<List>(source)?;
        list.pop(from, limits, |item| item.write_to(&mut element)).expect("no list is empty");
        list.store();
        cx.keys.edit::<List>(destination)?.push(std::iter::once(&element[..]), to, limits);
    }
    reply.bulk(&element);
    cx.changed(1);
    Ok(true)
}

/// Whether there is a list; what is something else is refused.
fn is_list(cx: &mut Exec, key: &Key) -> Result<bool, CommandError> {
    match cx.keys.find_for_write(key) {
        Some(entry) => ListRef::of(entry.value()).map(|_| true).ok_or(CommandError::WrongType),
        None => Ok(false),
    }
}

/// The end that LEFT or RIGHT is.
pub(crate) fn end_named(word: &[u8]) -> Result<End, CommandError> {
    match word {
        word if word.eq_ignore_ascii_case(b"left") => Ok(End::Front),
        word if word.eq_ignore_ascii_case(b"right") => Ok(End::Back),
        _ => Err(CommandError::Syntax),
    }
}
