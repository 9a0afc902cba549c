//! What takes elements off either end of a sorted set, and waits for some where there are none.
//!
//! ```text
//!     ZPOPMIN  ZPOPMAX     take                BZPOPMIN  BZPOPMAX    take_from_first, one element
//!     ZMPOP                take_from_first     BZMPOP                take_from_first
//! ```
//!
//! A command that waits runs again from the beginning when one of its keys is touched, so there is nothing to
//! remember. Whatever took from the first of several keys is logged as ZPOPMIN or ZPOPMAX of that key.
//!
//! 1. ZPOPMIN answers a flat array, but pairs where RESP3 is spoken and a count was given. ZMPOP answers pairs to
//!    everyone, and BZPOPMIN key, member and score.

use super::{say_member, Outcome};
use crate::blocking::until_of_seconds;
use crate::{CommandError, Exec, Wait};
use datatypes::sorted_set::SortedSet;
use keyspace::{Key, ValueType};
use resp::{format_integer, parse_integer, Args, Reply};
use std::ops::Range;

/// From which end elements are taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Min,
    Max,
}

impl End {
    /// The command that takes from this end.
    fn command(self) -> &'static [u8] {
        match self {
            End::Min => b"ZPOPMIN",
            End::Max => b"ZPOPMAX",
        }
    }
}

/// ZPOPMIN key [count]
pub(super) fn zpopmin(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    pop(cx, args, reply, End::Min)
}

/// ZPOPMAX key [count]
pub(super) fn zpopmax(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    pop(cx, args, reply, End::Max)
}

fn pop(cx: &mut Exec, args: Args, reply: &mut Reply, end: End) -> Outcome {
    if args.len() > 3 {
        return Err(CommandError::Syntax);
    }
    let count = match args.try_get(2) {
        Some(text) => Some(not_below(0, text).ok_or_else(CommandError::not_positive)?),
        None => None,
    };
    let in_pairs = count.is_some() && reply.is_resp3();
    let begin =
        |reply: &mut Reply, elements: usize| reply.array(if in_pairs { elements } else { 2 * elements });
    let key = cx.key(args, 1);
    if take(cx, &key, end, count.unwrap_or(1), in_pairs, reply, begin)?.is_none() {
        reply.array(0);
    }
    Ok(())
}

/// ZMPOP numkeys key [key ...] MIN | MAX [COUNT count]
pub(super) fn zmpop(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let MultiPop { keys, end, count } = MultiPop::of(args, 1)?;
    if !take_from_first(cx, args, keys, end, Some(count), reply)? {
        reply.null_array();
    }
    Ok(())
}

/// BZPOPMIN key [key ...] timeout
pub(super) fn bzpopmin(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    pop_or_wait(cx, args, reply, End::Min)
}

/// BZPOPMAX key [key ...] timeout
pub(super) fn bzpopmax(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    pop_or_wait(cx, args, reply, End::Max)
}

fn pop_or_wait(cx: &mut Exec, args: Args, reply: &mut Reply, end: End) -> Outcome {
    let last = args.len() - 1;
    let until_ms = until_of_seconds(args.get(last), cx.now.unix_ms())?;
    if !take_from_first(cx, args, 1..last, end, None, reply)? {
        wait(cx, args, 1..last, until_ms);
    }
    Ok(())
}

/// BZMPOP timeout numkeys key [key ...] MIN | MAX [COUNT count]
pub(super) fn bzmpop(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let MultiPop { keys, end, count } = MultiPop::of(args, 2)?;
    let until_ms = until_of_seconds(args.get(1), cx.now.unix_ms())?;
    if !take_from_first(cx, args, keys.clone(), end, Some(count), reply)? {
        wait(cx, args, keys, until_ms);
    }
    Ok(())
}

fn wait(cx: &mut Exec, args: Args, keys: Range<usize>, until_ms: Option<u64>) {
    cx.wait(Wait {
        keys: keys.map(|at| args.get(at).to_vec()).collect(),
        wants: ValueType::SortedSet,
        on_deletion: false,
        until_ms,
        replaced: Vec::new(),
    });
}

/// What ZMPOP and BZMPOP are told.
struct MultiPop {
    /// Which arguments are keys.
    keys: Range<usize>,
    end: End,
    count: usize,
}

impl MultiPop {
    /// Reads the arguments, of which the number of keys is the `at`-th.
    fn of(args: Args, at: usize) -> Result<MultiPop, CommandError> {
        let numkeys = not_below(1, args.get(at)).ok_or_else(CommandError::numkeys_not_positive)?;
        let last = numkeys.saturating_add(at + 1);
        let end = match args.try_get(last).ok_or(CommandError::Syntax)? {
            word if word.eq_ignore_ascii_case(b"min") => End::Min,
            word if word.eq_ignore_ascii_case(b"max") => End::Max,
            _ => return Err(CommandError::Syntax),
        };
        let mut count = None;
        let mut i = last + 1;
        while let Some(word) = args.try_get(i) {
            if count.is_some() || i + 1 == args.len() || !word.eq_ignore_ascii_case(b"count") {
                return Err(CommandError::Syntax);
            }
            count = Some(not_below(1, args.get(i + 1)).ok_or_else(CommandError::bad_lmpop_count)?);
            i += 2;
        }
        Ok(MultiPop { keys: at + 1..last, end, count: count.unwrap_or(1) })
    }
}

/// An integer that is not below a bound.
fn not_below(low: i64, text: &[u8]) -> Option<usize> {
    parse_integer(text).filter(|number| *number >= low).map(|number| number as usize)
}

/// Takes elements out of the first sorted set among these arguments, and replies its key with them: with a count
/// in pairs, else with the one element. False, with nothing said, if none of them is there.
fn take_from_first(
    cx: &mut Exec,
    args: Args,
    keys: Range<usize>,
    end: End,
    count: Option<usize>,
    reply: &mut Reply,
) -> Result<bool, CommandError> {
    for at in keys {
        let key = cx.key(args, at);
        let begin = |reply: &mut Reply, elements: usize| match count {
            Some(_) => {
                reply.array(2);
                reply.bulk(key.bytes);
                reply.array(elements);
            }
            None => {
                reply.array(3);
                reply.bulk(key.bytes);
            }
        };
        let Some(taken) = take(cx, &key, end, count.unwrap_or(1), count.is_some(), reply, begin)? else {
            continue;
        };
        match count {
            Some(_) => cx.log(&[end.command(), key.bytes, &format_integer(taken as i64)]),
            None => cx.log(&[end.command(), key.bytes]),
        }
        return Ok(true);
    }
    Ok(false)
}

/// Takes up to `count` elements out of the sorted set at a key, and replies them behind what `begin` says of their
/// number. Tells how many; `None`, with nothing said, if there is no set.
fn take(
    cx: &mut Exec,
    key: &Key,
    end: End,
    count: usize,
    in_pairs: bool,
    reply: &mut Reply,
    begin: impl FnOnce(&mut Reply, usize),
) -> Result<Option<usize>, CommandError> {
    let mut set = cx.keys.edit::<SortedSet>(key)?;
    if !set.was_there() {
        return Ok(None);
    }
    let len = set.len();
    let taken = count.min(len);
    begin(reply, taken);
    let mut say = |(member, score)| {
        if in_pairs {
            reply.array(2);
        }
        say_member(reply, member);
        reply.double(score);
    };
    let ranks = match end {
        End::Min => 0..taken,
        End::Max => len - taken..len,
    };
    let elements = set.as_ref().range(ranks.clone());
    match end {
        End::Min => elements.for_each(&mut say),
        End::Max => elements.rev().for_each(&mut say),
    }
    if taken == len {
        drop(set);
        cx.keys.remove(key);
    } else {
        if taken > 0 {
            set.remove_ranks(ranks, |_, _| ());
        }
        set.store();
    }
    cx.changed(taken as u64);
    Ok(Some(taken))
}
