//! Ranges of sorted sets: by rank, by score, by member; answered, stored, counted, removed.
//!
//! ```text
//!     ZRANGE key (1 5 BYSCORE REV LIMIT 2 3 --> Query --> ranks of the range --LIMIT--> ranks --> reply or a new set
//!     ZCOUNT, ZREMRANGEBYSCORE              --> Range --> ranks of the range ---------> their number, or gone
//! ```
//!
//! 1. Arguments are read as Redis reads them: all options first, then what contradicts, then the ends of the range,
//!    and the key last.
//! 2. A negative offset of LIMIT leads past all elements; a negative count means all of them.
//! 3. By rank, LIMIT with a negative count is taken and means nothing.

use super::{begin, gather, say, store_result, Outcome};
use crate::{CommandError, Exec};
use datatypes::sorted_set::{ranks_between, LexRange, ScoreRange, SortedSet, SortedSetRef};
use resp::{parse_integer, Args, Reply};

/// What the two ends of a range are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Rank,
    Score,
    Lex,
}

/// A range, as its two ends state it.
enum Range<'a> {
    Rank(i64, i64),
    Score(ScoreRange),
    Lex(LexRange<'a>),
}

impl<'a> Range<'a> {
    fn parse(by: By, min: &'a [u8], max: &'a [u8]) -> Result<Range<'a>, CommandError> {
        Ok(match by {
            By::Rank => Range::Rank(integer(min)?, integer(max)?),
            By::Score => Range::Score(ScoreRange::parse(min, max).ok_or_else(CommandError::end_not_float)?),
            By::Lex => Range::Lex(LexRange::parse(min, max).ok_or_else(CommandError::end_not_lex)?),
        })
    }

    /// The ranks of its elements; `reverse`: as seen from the highest one down.
    fn ranks(&self, set: SortedSetRef, reverse: bool) -> std::ops::Range<usize> {
        match self {
            Range::Rank(start, stop) => {
                let len = set.len();
                let ranks = ranks_between(*start, *stop, len);
                if reverse {
                    len - ranks.end..len - ranks.start
                } else {
                    ranks
                }
            }
            Range::Score(range) => set.ranks_by_score(range),
            Range::Lex(range) => set.ranks_by_lex(range, reverse),
        }
    }
}

fn integer(text: &[u8]) -> Result<i64, CommandError> {
    parse_integer(text).ok_or(CommandError::NotInteger)
}

/// What a command says by its name: ZRANGE leaves both open.
#[derive(Clone, Copy)]
struct Form {
    by: Option<By>,
    reverse: Option<bool>,
}

impl Form {
    const fn new(by: By, reverse: bool) -> Form {
        Form { by: Some(by), reverse: Some(reverse) }
    }
}

/// What ZRANGE and its like ask for.
struct Query<'a> {
    range: Range<'a>,
    reverse: bool,
    with_scores: bool,
    offset: i64,
    count: i64,
}

impl<'a> Query<'a> {
    /// Reads the arguments, of which the key that is read is the `at`-th. Only an answer can have scores.
    fn parse(args: Args<'a>, at: usize, form: Form, is_stored: bool) -> Result<Query<'a>, CommandError> {
        let Form { mut by, mut reverse } = form;
        let (mut with_scores, mut offset, mut count) = (false, 0, -1);
        let mut i = at + 3;
        while let Some(word) = args.try_get(i) {
            let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
            match word {
                _ if !is_stored && is(b"withscores") => with_scores = true,
                _ if is(b"limit") && i + 2 < args.len() => {
                    offset = integer(args.get(i + 1))?;
                    count = integer(args.get(i + 2))?;
                    i += 2;
                }
                _ if reverse.is_none() && is(b"rev") => reverse = Some(true),
                _ if by.is_none() && is(b"bylex") => by = Some(By::Lex),
                _ if by.is_none() && is(b"byscore") => by = Some(By::Score),
                _ => return Err(CommandError::Syntax),
            }
            i += 1;
        }
        let (by, reverse) = (by.unwrap_or(By::Rank), reverse.unwrap_or(false));
        if count != -1 && by == By::Rank {
            return Err(CommandError::limit_by_rank());
        }
        if with_scores && by == By::Lex {
            return Err(CommandError::scores_by_lex());
        }
        let (mut min, mut max) = (args.get(at + 1), args.get(at + 2));
        if reverse && by != By::Rank {
            (min, max) = (max, min);
        }
        Ok(Query { range: Range::parse(by, min, max)?, reverse, with_scores, offset, count })
    }

    /// The ranks that are left by LIMIT (rules 2 and 3).
    fn ranks(&self, set: SortedSetRef) -> std::ops::Range<usize> {
        let ranks = self.range.ranks(set, self.reverse);
        if matches!(self.range, Range::Rank(..)) {
            return ranks;
        }
        let skipped = usize::try_from(self.offset).map_or(ranks.len(), |offset| offset.min(ranks.len()));
        let left = ranks.len() - skipped;
        let taken = usize::try_from(self.count).map_or(left, |count| count.min(left));
        if self.reverse {
            let end = ranks.end - skipped;
            end - taken..end
        } else {
            let start = ranks.start + skipped;
            start..start + taken
        }
    }
}

/// ZRANGE key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]
pub(super) fn zrange(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    answer(cx, args, reply, Form { by: None, reverse: None })
}

/// ZREVRANGE key start stop [WITHSCORES]
pub(super) fn zrevrange(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    answer(cx, args, reply, Form::new(By::Rank, true))
}

/// ZRANGEBYSCORE key min max [WITHSCORES] [LIMIT offset count]
pub(super) fn zrangebyscore(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    answer(cx, args, reply, Form::new(By::Score, false))
}

/// ZREVRANGEBYSCORE key max min [WITHSCORES] [LIMIT offset count]
pub(super) fn zrevrangebyscore(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    answer(cx, args, reply, Form::new(By::Score, true))
}

/// ZRANGEBYLEX key min max [LIMIT offset count]
pub(super) fn zrangebylex(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    answer(cx, args, reply, Form::new(By::Lex, false))
}

/// ZREVRANGEBYLEX key max min [LIMIT offset count]
pub(super) fn zrevrangebylex(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    answer(cx, args, reply, Form::new(By::Lex, true))
}

fn answer(cx: &mut Exec, args: Args, reply: &mut Reply, form: Form) -> Outcome {
    let query = Query::parse(args, 1, form, false)?;
    let key = cx.key(args, 1);
    let Some(set) = cx.keys.read::<SortedSetRef>(&key)? else {
        reply.array(0);
        return Ok(());
    };
    let elements = set.range(query.ranks(set));
    begin(reply, elements.len(), query.with_scores);
    let mut say = |element| say(reply, element, query.with_scores);
    if query.reverse {
        elements.rev().for_each(&mut say);
    } else {
        elements.for_each(&mut say);
    }
    Ok(())
}

/// ZRANGESTORE dst src min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]: how many were stored.
pub(super) fn zrangestore(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let query = Query::parse(args, 2, Form { by: None, reverse: None }, true)?;
    let source = cx.key(args, 2);
    let limits = &cx.limits.sorted_set;
    let result = match cx.keys.read::<SortedSetRef>(&source)? {
        // In whichever order it was asked for, the result is the same.
        Some(set) => gather(set.range(query.ranks(set)), limits),
        None => SortedSet::new(),
    };
    store_result(cx, args, result, reply)
}

/// ZCOUNT key min max
pub(super) fn zcount(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    count(cx, args, reply, By::Score)
}

/// ZLEXCOUNT key min max
pub(super) fn zlexcount(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    count(cx, args, reply, By::Lex)
}

fn count(cx: &mut Exec, args: Args, reply: &mut Reply, by: By) -> Outcome {
    let range = Range::parse(by, args.get(2), args.get(3))?;
    let key = cx.key(args, 1);
    let set = cx.keys.read::<SortedSetRef>(&key)?;
    reply.integer(set.map_or(0, |set| range.ranks(set, false).len()) as i64);
    Ok(())
}

/// ZREMRANGEBYRANK key start stop: how many were removed.
pub(super) fn zremrangebyrank(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    remove(cx, args, reply, By::Rank)
}

/// ZREMRANGEBYSCORE key min max: how many were removed.
pub(super) fn zremrangebyscore(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    remove(cx, args, reply, By::Score)
}

/// ZREMRANGEBYLEX key min max: how many were removed.
pub(super) fn zremrangebylex(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    remove(cx, args, reply, By::Lex)
}

fn remove(cx: &mut Exec, args: Args, reply: &mut Reply, by: By) -> Outcome {
    let range = Range::parse(by, args.get(2), args.get(3))?;
    let key = cx.key(args, 1);
    let mut set = cx.keys.edit::<SortedSet>(&key)?;
    let ranks = range.ranks(set.as_ref(), false);
    let removed = ranks.len();
    if removed == set.len() {
        drop(set);
        cx.keys.remove(&key);
    } else {
        if removed > 0 {
            set.remove_ranks(ranks, |_, _| ());
        }
        set.store();
    }
    cx.changed(removed as u64);
    reply.integer(removed as i64);
    Ok(())
}
