//! The commands that wait for an element: BLPOP, BRPOP, BLMOVE, BRPOPLPUSH, BLMPOP.
//!
//! Each serves itself as its plain sister does (`take.rs`), and waits where there is nothing to be had. It runs
//! from the beginning again when one of its keys is touched, so there is nothing to remember. It is logged in
//! the words of the sister, who does not wait.

use super::take::{end_named, move_element, pop_from_first, MultiPop};
use super::Outcome;
use crate::blocking::until_of_seconds;
use crate::{Exec, Wait};
use datatypes::list::End;
use keyspace::ValueType;
use resp::{Args, Reply};
use std::ops::Range;

/// BLPOP key [key ...] timeout
pub(super) fn blpop(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    pop(cx, args, reply, End::Front)
}

/// BRPOP key [key ...] timeout
pub(super) fn brpop(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    pop(cx, args, reply, End::Back)
}

fn pop(cx: &mut Exec, args: Args, reply: &mut Reply, from: End) -> Outcome {
    let last = args.len() - 1;
    let until_ms = until_of_seconds(args.get(last), cx.now.unix_ms())?;
    if !pop_from_first(cx, args, 1..last, from, None, reply)? {
        wait(cx, args, 1..last, until_ms);
    }
    Ok(())
}

/// BLMPOP timeout numkeys key [key ...] LEFT | RIGHT [COUNT count]
pub(super) fn blmpop(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let MultiPop { keys, from, count } = MultiPop::of(args, 2)?;
    let until_ms = until_of_seconds(args.get(1), cx.now.unix_ms())?;
    if !pop_from_first(cx, args, keys.clone(), from, Some(count), reply)? {
        wait(cx, args, keys, until_ms);
    }
    Ok(())
}

/// BLMOVE source destination LEFT | RIGHT LEFT | RIGHT timeout
pub(super) fn blmove(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let (from, to) = (end_named(args.get(3))?, end_named(args.get(4))?);
    if move_or_wait(cx, args, reply, 5, from, to)? {
        cx.log(&[b"LMOVE", args.get(1), args.get(2), args.get(3), args.get(4)]);
    }
    Ok(())
}

/// BRPOPLPUSH source destination timeout
pub(super) fn brpoplpush(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    if move_or_wait(cx, args, reply, 3, End::Back, End::Front)? {
        cx.log(&[b"RPOPLPUSH", args.get(1), args.get(2)]);
    }
    Ok(())
}

/// Whether an element was moved.
fn move_or_wait(
    cx: &mut Exec,
    args: Args,
    reply: &mut Reply,
    timeout: usize,
    from: End,
    to: End,
) -> Result<bool, crate::CommandError> {
    let until_ms = until_of_seconds(args.get(timeout), cx.now.unix_ms())?;
    let (source, destination) = (cx.key(args, 1), cx.key(args, 2));
    let moved = move_element(cx, &source, &destination, from, to, reply)?;
    if !moved {
        wait(cx, args, 1..2, until_ms);
    }
    Ok(moved)
}

fn wait(cx: &mut Exec, args: Args, keys: Range<usize>, until_ms: Option<u64>) {
    cx.wait(Wait {
        keys: keys.map(|at| args.get(at).to_vec()).collect(),
        wants: ValueType::List,
        on_deletion: false,
        until_ms,
        replaced: Vec::new(),
    });
}
