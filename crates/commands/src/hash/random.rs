//! Fields chosen at random: HRANDFIELD.
//!
//! Each choice has the same probability. Different fields come in no order that means anything; only repeated ones
//! (a negative count) are drawn one by one. With their values they are pairs in RESP3, and a flat array in RESP2.

use super::{field_time, live_len, say, Outcome};
use crate::{CommandError, Exec};
use datatypes::hash::HashRef;
use datatypes::listpack::Item;
use resp::{parse_integer, Args, Reply};

/// HRANDFIELD key [count [WITHVALUES]]: different fields, or with a negative count so many draws.
pub(super) fn hrandfield(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let (key, now) = (cx.key(args, 1), field_time(cx));
    let Some(text) = args.try_get(2) else {
        match cx.keys.read::<HashRef>(&key)?.and_then(|hash| hash.random(now, cx.random)) {
            Some((field, _)) => say(reply, field),
            None => reply.null(),
        }
        return Ok(());
    };
    let count = parse_integer(text).ok_or(CommandError::NotInteger)?;
    if count == i64::MIN {
        return Err(CommandError::not_between(-i64::MAX, i64::MAX));
    }
    let values = match args.len() {
        3 => false,
        4 if args.get(3).eq_ignore_ascii_case(b"withvalues") => true,
        _ => return Err(CommandError::Syntax),
    };
    if values && count.unsigned_abs() > i64::MAX as u64 / 2 {
        return Err(CommandError::count_out_of_range());
    }
    let Some(hash) = cx.keys.read::<HashRef>(&key)? else {
        reply.array(0);
        return Ok(());
    };
    let wanted = count.unsigned_abs() as usize;
    let there = live_len(hash, now);
    if count < 0 {
        let draws = if there == 0 { 0 } else { wanted };
        begin(reply, draws, values);
        for _ in 0..draws {
            let pair = hash.random(now, cx.random).expect("some field is there");
            say_pair(reply, pair, values);
        }
        return Ok(());
    }
    begin(reply, wanted.min(there), values);
    hash.sample(wanted, now, cx.random, &mut |field, value| say_pair(reply, (field, value), values));
    Ok(())
}

fn begin(reply: &mut Reply, fields: usize, values: bool) {
    let flat = values && !reply.is_resp3();
    reply.array(if flat { fields * 2 } else { fields });
}

fn say_pair(reply: &mut Reply, (field, value): (Item, Item), values: bool) {
    if values && reply.is_resp3() {
        reply.array(2);
    }
    say(reply, field);
    if values {
        say(reply, value);
    }
}
