//! Members chosen at random: SPOP and SRANDMEMBER.
//!
//! 1. What was chosen is logged, not the choice: SPOP as SREM of its members, in batches so that no command of the
//!    log is huge, or as DEL (UNLINK) of the key if it took all.
//! 2. Each choice has the same probability. Different members come in no order that means anything; only repeated
//!    ones (a negative count) are drawn one by one.

use super::{say, store, Outcome};
use crate::{CommandError, Exec};
use datatypes::set::{Set, SetRef};
use keyspace::ExpiryChange;
use resp::{parse_integer, Args, Reply};
use std::mem;

/// Members of one SREM in the log.
const BATCH: usize = 1024;

/// SPOP key [count]
pub(super) fn spop(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    match args.len() {
        2 => pop_one(cx, args, reply),
        3 => pop_several(cx, args, reply),
        _ => Err(CommandError::Syntax),
    }
}

fn pop_one(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let key = cx.key(args, 1);
    let mut set = cx.keys.edit::<Set>(&key)?;
    if !set.was_there() {
        reply.null();
        return Ok(());
    }
    let mut member = Vec::new();
    set.pop(cx.random, &mut |item| item.write_to(&mut member));
    drop(set);
    cx.changed(1);
    cx.log(&[b"SREM", key.bytes, &member]);
    reply.bulk(&member);
    Ok(())
}

fn pop_several(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let count = parse_integer(args.get(2)).and_then(|count| usize::try_from(count).ok());
    let count = count.ok_or_else(CommandError::not_positive)?;
    let key = cx.key(args, 1);
    let mut set = cx.keys.edit::<Set>(&key)?;
    if !set.was_there() || count == 0 {
        reply.set(0);
        return Ok(());
    }
    let size = set.len();
    if count >= size {
        reply.set(size);
        set.as_ref().iter().for_each(|item| say(reply, item));
        drop(set);
        cx.keys.remove(&key);
        cx.changed(size as u64);
        let removal: &[u8] = if cx.config.lazyfree_lazy_server_del() { b"UNLINK" } else { b"DEL" };
        cx.log(&[removal, key.bytes]);
        return Ok(());
    }
    let is_logged = cx.effects.wanted;
    let mut popped: Vec<Vec<u8>> = Vec::new();
    reply.set(count);
    let left_over = set.pop_many(count, &cx.limits.set, cx.random, &mut |item| {
        say(reply, item);
        if is_logged {
            popped.push(item.to_bytes().into_owned());
        }
    });
    match left_over {
        None => drop(set),
        // It goes back under its key, to be replaced from there: what is replaced is freed step by step.
        Some(large) => {
            let rest = mem::replace(&mut *set, Set::Large(large));
            drop(set);
            store(cx, &key, rest, ExpiryChange::Keep);
        }
    }
    cx.changed(count as u64);
    let mut words: Vec<&[u8]> = Vec::new();
    for batch in popped.chunks(BATCH) {
        words.clear();
        words.extend([b"SREM", key.bytes]);
        words.extend(batch.iter().map(Vec::as_slice));
        cx.log(&words);
    }
    Ok(())
}

/// SRANDMEMBER key [count]: different members, or with a negative count so many draws.
pub(super) fn srandmember(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    if args.len() > 3 {
        return Err(CommandError::Syntax);
    }
    let key = cx.key(args, 1);
    let Some(text) = args.try_get(2) else {
        match cx.keys.read::<SetRef>(&key)?.and_then(|set| set.random(cx.random)) {
            Some(member) => say(reply, member),
            None => reply.null(),
        }
        return Ok(());
    };
    let count = parse_integer(text).ok_or(CommandError::NotInteger)?;
    if count == i64::MIN {
        return Err(CommandError::not_between(-i64::MAX, i64::MAX));
    }
    let Some(set) = cx.keys.read::<SetRef>(&key)? else {
        reply.array(0);
        return Ok(());
    };
    let wanted = count.unsigned_abs() as usize;
    if count < 0 {
        reply.array(wanted);
        for _ in 0..wanted {
            say(reply, set.random(cx.random).expect("no set under a key is empty"));
        }
        return Ok(());
    }
    reply.array(wanted.min(set.len()));
    set.sample(wanted, cx.random, &mut |member| say(reply, member));
    Ok(())
}
