//! Members chosen at random: ZRANDMEMBER.
//!
//! Different members come in no order that means anything, but for all of them, which Redis tells from the highest
//! down; only repeated ones (a negative count) are drawn one by one.

use super::{begin, say, say_member, Outcome};
use crate::{CommandError, Exec};
use datatypes::sorted_set::SortedSetRef;
use resp::{parse_integer, Args, Reply};

/// ZRANDMEMBER key [count [WITHSCORES]]: different members, or with a negative count so many draws.
pub(super) fn zrandmember(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let key = cx.key(args, 1);
    let Some(text) = args.try_get(2) else {
        match cx.keys.read::<SortedSetRef>(&key)?.and_then(|set| set.random(cx.random)) {
            Some((member, _)) => say_member(reply, member),
            None => reply.null(),
        }
        return Ok(());
    };
    let count = parse_integer(text).ok_or(CommandError::NotInteger)?;
    if count == i64::MIN {
        return Err(CommandError::not_between(-i64::MAX, i64::MAX));
    }
    let with_scores = args.len() == 4 && args.get(3).eq_ignore_ascii_case(b"withscores");
    if args.len() > 3 && !with_scores {
        return Err(CommandError::Syntax);
    }
    if with_scores && count.abs() > i64::MAX / 2 {
        return Err(CommandError::out_of_range());
    }
    let Some(set) = cx.keys.read::<SortedSetRef>(&key)? else {
        reply.array(0);
        return Ok(());
    };
    let wanted = count.unsigned_abs() as usize;
    if count < 0 {
        begin(reply, wanted, with_scores);
        for _ in 0..wanted {
            say(reply, set.random(cx.random).expect("no set under a key is empty"), with_scores);
        }
    } else if wanted >= set.len() {
        begin(reply, set.len(), with_scores);
        set.iter().rev().for_each(|element| say(reply, element, with_scores));
    } else {
        begin(reply, wanted, with_scores);
        set.sample(wanted, cx.random, &mut |member, score| say(reply, (member, score), with_scores));
    }
    Ok(())
}
