//! Sorted set commands. `datatypes::sorted_set` keeps the order and picks the encoding; here we read the arguments,
//! call it, record what changed, and word the reply.
//!
//! ```text
//!     sorted_set.rs    members one by one: scores, ranks, ZADD, ZREM, ZSCAN
//!     range.rs         ZRANGE and its many forms, ZCOUNT, ZREMRANGEBY..   a range becomes ranks
//!     pop.rs           ZPOPMIN, ZMPOP and those that wait                 either end of the ranks
//!     algebra.rs       ZUNION, ZINTER, ZDIFF                              several sets, plain ones too
//!     random.rs        ZRANDMEMBER
//! ```
//!
//! 1. A command that changes nothing touches nothing: ZADD and ZREM look for the first member that makes a
//!    difference before they change the set, since a touched set ends the transactions of those who WATCH it.
//! 2. Where scores are answered, RESP3 has an array of pairs and RESP2 a flat one ([`begin`], [`say`]).
//! 3. Where nothing would be left of a set, its key is removed as a whole: a large one is freed in the background.

mod algebra;
mod pop;
mod random;
mod range;
#[cfg(test)]
mod tests;

use crate::scan::collection::{self, NoValues, Options, Page};
use crate::table::{at, through, Begin, Categories, Command, Find, Flags, KeySpec};
use crate::{CommandError, Exec};
use datatypes::listpack::Item;
use datatypes::sorted_set::{format_score, parse_score, Added, Conditions, Limits, SortedSet, SortedSetRef};
use keyspace::{ExpiryChange, OwnedValue};
use resp::{Args, Reply};
use std::io::Write;

type Outcome = Result<(), CommandError>;

const ZSET: Categories = Categories::SORTEDSET;
const READONLY: Flags = Flags::READONLY;
const WRITE: Flags = Flags::WRITE;
const DENYOOM: Flags = Flags::DENYOOM;
const FAST: Flags = Flags::FAST;
const BLOCKING: Flags = Flags::BLOCKING;

const READS: &[KeySpec] = &[at(1, &["RO", "access"])];
const DELETES: &[KeySpec] = &[at(1, &["RW", "delete"])];
const TAKES: &[KeySpec] = &[at(1, &["RW", "access", "delete"])];
const TAKES_FROM_ANY: &[KeySpec] = &[through(1, -2, 1, &["RW", "access", "delete"])];
const TAKES_FROM_COUNTED: &[KeySpec] = &[counted(1, &["RW", "access", "delete"])];
const TAKES_FROM_COUNTED_LATER: &[KeySpec] = &[counted(2, &["RW", "access", "delete"])];
const READS_COUNTED: &[KeySpec] = &[counted(1, &["RO", "access"])];
const STORES_COUNTED: &[KeySpec] = &[at(1, &["OW", "update"]), counted(2, &["RO", "access"])];

/// Keys behind their number, which is the `at`-th argument.
const fn counted(at: u8, flags: &'static [&'static str]) -> KeySpec {
    KeySpec { flags, begin: Begin::Index(at), find: Find::KeyNum { at: 0, first: 1, step: 1 }, notes: None }
}

const ANY_OUTPUT: &[&str] = &["nondeterministic_output"];

pub const TABLE: &[Command] = &[
    Command::new("bzmpop", pop::bzmpop)
        .arity(-5)
        .keys(TAKES_FROM_COUNTED_LATER)
        .flags(&[WRITE, BLOCKING])
        .acl(ZSET),
    Command::new("bzpopmax", pop::bzpopmax)
        .arity(-3)
        .keys(TAKES_FROM_ANY)
        .flags(&[WRITE, FAST, BLOCKING])
        .acl(ZSET),
    Command::new("bzpopmin", pop::bzpopmin)
        .arity(-3)
        .keys(TAKES_FROM_ANY)
        .flags(&[WRITE, FAST, BLOCKING])
        .acl(ZSET),
    Command::new("zadd", zadd)
        .arity(-4)
        .keys(&[at(1, &["RW", "update"])])
        .flags(&[WRITE, DENYOOM, FAST])
        .acl(ZSET),
    Command::new("zcard", zcard).arity(2).keys(&[at(1, &["RO"])]).flags(&[READONLY, FAST]).acl(ZSET),
    Command::new("zcount", range::zcount).arity(4).keys(READS).flags(&[READONLY, FAST]).acl(ZSET),
    Command::new("zdiff", algebra::zdiff).arity(-3).keys(READS_COUNTED).flags(&[READONLY]).acl(ZSET),
    Command::new("zdiffstore", algebra::zdiffstore)
        .arity(-4)
        .keys(STORES_COUNTED)
        .flags(&[WRITE, DENYOOM])
        .acl(ZSET),
    Command::new("zincrby", zincrby)
        .arity(4)
        .keys(&[at(1, &["RW", "access", "update"])])
        .flags(&[WRITE, DENYOOM, FAST])
        .acl(ZSET),
    Command::new("zinter", algebra::zinter).arity(-3).keys(READS_COUNTED).flags(&[READONLY]).acl(ZSET),
    Command::new("zintercard", algebra::zintercard)
        .arity(-3)
        .keys(READS_COUNTED)
        .flags(&[READONLY])
        .acl(ZSET),
    Command::new("zinterstore", algebra::zinterstore)
        .arity(-4)
        .keys(STORES_COUNTED)
        .flags(&[WRITE, DENYOOM])
        .acl(ZSET),
    Command::new("zlexcount", range::zlexcount).arity(4).keys(READS).flags(&[READONLY, FAST]).acl(ZSET),
    Command::new("zmpop", pop::zmpop).arity(-4).keys(TAKES_FROM_COUNTED).flags(&[WRITE]).acl(ZSET),
    Command::new("zmscore", zmscore).arity(-3).keys(READS).flags(&[READONLY, FAST]).acl(ZSET),
    Command::new("zpopmax", pop::zpopmax).arity(-2).keys(TAKES).flags(&[WRITE, FAST]).acl(ZSET),
    Command::new("zpopmin", pop::zpopmin).arity(-2).keys(TAKES).flags(&[WRITE, FAST]).acl(ZSET),
    Command::new("zrandmember", random::zrandmember)
        .arity(-2)
        .keys(READS)
        .flags(&[READONLY])
        .acl(ZSET)
        .tips(ANY_OUTPUT),
    Command::new("zrange", range::zrange).arity(-4).keys(READS).flags(&[READONLY]).acl(ZSET),
    Command::new("zrangebylex", range::zrangebylex).arity(-4).keys(READS).flags(&[READONLY]).acl(ZSET),
    Command::new("zrangebyscore", range::zrangebyscore).arity(-4).keys(READS).flags(&[READONLY]).acl(ZSET),
    Command::new("zrangestore", range::zrangestore)
        .arity(-5)
        .keys(&[at(1, &["OW", "update"]), at(2, &["RO", "access"])])
        .flags(&[WRITE, DENYOOM])
        .acl(ZSET),
    Command::new("zrank", zrank).arity(-3).keys(READS).flags(&[READONLY, FAST]).acl(ZSET),
    Command::new("zrem", zrem).arity(-3).keys(DELETES).flags(&[WRITE, FAST]).acl(ZSET),
    Command::new("zremrangebylex", range::zremrangebylex).arity(4).keys(DELETES).flags(&[WRITE]).acl(ZSET),
    Command::new("zremrangebyrank", range::zremrangebyrank).arity(4).keys(DELETES).flags(&[WRITE]).acl(ZSET),
    Command::new("zremrangebyscore", range::zremrangebyscore)
        .arity(4)
        .keys(DELETES)
        .flags(&[WRITE])
        .acl(ZSET),
    Command::new("zrevrange", range::zrevrange).arity(-4).keys(READS).flags(&[READONLY]).acl(ZSET),
    Command::new("zrevrangebylex", range::zrevrangebylex).arity(-4).keys(READS).flags(&[READONLY]).acl(ZSET),
    Command::new("zrevrangebyscore", range::zrevrangebyscore)
        .arity(-4)
        .keys(READS)
        .flags(&[READONLY])
        .acl(ZSET),
    Command::new("zrevrank", zrevrank).arity(-3).keys(READS).flags(&[READONLY, FAST]).acl(ZSET),
    Command::new("zscan", zscan).arity(-3).keys(READS).flags(&[READONLY]).acl(ZSET).tips(ANY_OUTPUT),
    Command::new("zscore", zscore).arity(3).keys(READS).flags(&[READONLY, FAST]).acl(ZSET),
    Command::new("zunion", algebra::zunion).arity(-3).keys(READS_COUNTED).flags(&[READONLY]).acl(ZSET),
    Command::new("zunionstore", algebra::zunionstore)
        .arity(-4)
        .keys(STORES_COUNTED)
        .flags(&[WRITE, DENYOOM])
        .acl(ZSET),
];

/// ZADD key [NX | XX] [GT | LT] [CH] [INCR] score member [score member ...]: how many are new, with CH how many
/// changed, with INCR the new score.
fn zadd(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    add(cx, args, reply, false)
}

/// ZINCRBY key increment member: the new score.
fn zincrby(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    // Redis looks for ZADD's options here, too, which leaves a word too few.
    add(cx, args, reply, true)
}

fn add(cx: &mut Exec, args: Args, reply: &mut Reply, mut increment: bool) -> Outcome {
    let mut conditions = Conditions::default();
    let mut says_changes = false;
    let mut first = 2;
    while let Some(word) = args.try_get(first) {
        let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
        match word {
            _ if is(b"nx") => conditions.only_new = true,
            _ if is(b"xx") => conditions.only_existing = true,
            _ if is(b"gt") => conditions.only_greater = true,
            _ if is(b"lt") => conditions.only_less = true,
            _ if is(b"ch") => says_changes = true,
            _ if is(b"incr") => increment = true,
            _ => break,
        }
        first += 1;
    }
    let count = (args.len() - first) / 2;
    if count == 0 || !(args.len() - first).is_multiple_of(2) {
        return Err(CommandError::Syntax);
    }
    let Conditions { only_new, only_existing, only_greater, only_less } = conditions;
    if only_new && only_existing {
        return Err(CommandError::nx_and_xx());
    }
    if only_greater && only_less || only_new && (only_greater || only_less) {
        return Err(CommandError::gt_lt_and_nx());
    }
    if increment && count > 1 {
        return Err(CommandError::incr_of_several());
    }
    let mut scores = Vec::with_capacity(count);
    for i in 0..count {
        scores.push(parse_score(args.get(first + 2 * i)).ok_or(CommandError::NotFloat)?);
    }

    let key = cx.key(args, 1);
    let limits = &cx.limits.sorted_set;
    let mut set = cx.keys.edit::<SortedSet>(&key)?;
    let was_there = set.was_there();
    let (mut added, mut updated, mut last) = (0, 0, Added::Refused);
    if was_there {
        if count > limits.listpack_entries && matches!(set.as_ref(), SortedSetRef::Listpack(_)) {
            set.expect(count, limits);
        }
    } else if !only_existing {
        *set = SortedSet::for_members(args.get(first + 1), count, limits);
    }
    for (i, score) in scores.into_iter().enumerate() {
        let member = args.get(first + 1 + 2 * i);
        if added + updated == 0 {
            last = foresee(conditions, set.as_ref().score(member), score, increment)?;
            if matches!(last, Added::Refused | Added::Same(_)) {
                continue;
            }
        }
        let done = match increment {
            true => set.increment(member, score, conditions, limits),
            false => set.add(member, score, conditions, limits),
        };
        last = done.map_err(|_| CommandError::not_a_number())?;
        added += u64::from(matches!(last, Added::New(_)));
        updated += u64::from(matches!(last, Added::Updated(_)));
    }
    drop(set);
    cx.changed(added + updated);
    match (increment, last.score()) {
        (true, Some(score)) => reply.double(score),
        (true, None) => reply.null(),
        (false, _) if says_changes => reply.integer((added + updated) as i64),
        (false, _) => reply.integer(added as i64),
    }
    Ok(())
}

/// What will become of a member that has this score, or none (rule 1).
fn foresee(
    conditions: Conditions,
    old: Option<f64>,
    score: f64,
    increment: bool,
) -> Result<Added, CommandError> {
    let Some(old) = old else {
        return Ok(if conditions.only_existing { Added::Refused } else { Added::New(score) });
    };
    if conditions.only_new {
        return Ok(Added::Refused);
    }
    let score = if increment { old + score } else { score };
    if score.is_nan() {
        return Err(CommandError::not_a_number());
    }
    if conditions.only_greater && score <= old || conditions.only_less && score >= old {
        return Ok(Added::Refused);
    }
    Ok(if score == old { Added::Same(score) } else { Added::Updated(score) })
}

/// ZREM key member [member ...]: how many were members.
fn zrem(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let key = cx.key(args, 1);
    let members = args.from(2);
    let mut set = cx.keys.edit::<SortedSet>(&key)?;
    let mut removed = 0;
    if let Some(first) = members.iter().position(|member| set.as_ref().score(member).is_some()) {
        let set = &mut *set;
        for member in members.from(first).iter() {
            removed += u64::from(set.remove(member).is_some());
            if set.is_empty() {
                break;
            }
        }
    }
    drop(set);
    cx.changed(removed);
    reply.integer(removed as i64);
    Ok(())
}

/// ZCARD key
fn zcard(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let key = cx.key(args, 1);
    reply.integer(cx.keys.read::<SortedSetRef>(&key)?.map_or(0, SortedSetRef::len) as i64);
    Ok(())
}

/// ZSCORE key member
fn zscore(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let key = cx.key(args, 1);
    let set = cx.keys.read::<SortedSetRef>(&key)?;
    say_score(reply, set, args.get(2));
    Ok(())
}

/// ZMSCORE key member [member ...]
fn zmscore(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let key = cx.key(args, 1);
    let set = cx.keys.read::<SortedSetRef>(&key)?;
    let members = args.from(2);
    reply.array(members.len());
    members.iter().for_each(|member| say_score(reply, set, member));
    Ok(())
}

fn say_score(reply: &mut Reply, set: Option<SortedSetRef>, member: &[u8]) {
    match set.and_then(|set| set.score(member)) {
        Some(score) => reply.double(score),
        None => reply.null(),
    }
}

/// ZRANK key member [WITHSCORE]
fn zrank(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    rank(cx, args, reply, "zrank", |rank, _| rank)
}

/// ZREVRANK key member [WITHSCORE]
fn zrevrank(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    rank(cx, args, reply, "zrevrank", |rank, len| len - 1 - rank)
}

fn rank(
    cx: &mut Exec,
    args: Args,
    reply: &mut Reply,
    name: &'static str,
    counted: fn(usize, usize) -> usize,
) -> Outcome {
    if args.len() > 4 {
        return Err(CommandError::WrongArity(name));
    }
    let with_score = args.len() == 4;
    if with_score && !args.get(3).eq_ignore_ascii_case(b"withscore") {
        return Err(CommandError::Syntax);
    }
    let key = cx.key(args, 1);
    let set = cx.keys.read::<SortedSetRef>(&key)?;
    match set.and_then(|set| Some((set.rank(args.get(2))?, set.len()))) {
        Some(((rank, score), len)) => {
            if with_score {
                reply.array(2);
            }
            reply.integer(counted(rank, len) as i64);
            if with_score {
                reply.double(score);
            }
        }
        None if with_score => reply.null_array(),
        None => reply.null(),
    }
    Ok(())
}

/// ZSCAN key cursor [MATCH pattern] [COUNT count]
fn zscan(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let cursor = collection::cursor(args)?;
    let key = cx.key(args, 1);
    let Some(set) = cx.keys.read::<SortedSetRef>(&key)? else {
        collection::nothing(reply);
        return Ok(());
    };
    let options = Options::read(args, NoValues::Unknown)?;
    // Redis says what stands in a listpack, and prints the scores of a skiplist in a way of its own.
    let write: fn(f64, &mut Vec<u8>) = match set {
        SortedSetRef::Listpack(_) => format_score,
        SortedSetRef::Large(_) => format_17_digits,
    };
    let mut page = Page::new();
    let mut text = Vec::new();
    let next = set.scan(cursor, options.count, &mut |item, score| {
        item.with_bytes(|member| {
            if options.wants(member) {
                text.clear();
                write(score, &mut text);
                page.push(member);
                page.push(&text);
            }
        })
    });
    page.answer(next, reply);
    Ok(())
}

/// Appends what C's `%.17g` prints: 17 significant digits without the zeros at their end.
fn format_17_digits(score: f64, into: &mut Vec<u8>) {
    if score == 0.0 || !score.is_finite() {
        return format_score(score, into);
    }
    let text = format!("{:.16e}", score.abs());
    let (digits, exponent) = text.split_once('e').expect("written so");
    let exponent: i32 = exponent.parse().expect("written so");
    let digits: Vec<u8> = digits.bytes().filter(u8::is_ascii_digit).collect();
    let count = digits.iter().rposition(|&digit| digit != b'0').map_or(1, |last| last + 1);
    let digits = &digits[..count];
    if score < 0.0 {
        into.push(b'-');
    }
    // Where the point stands: so many digits are before it.
    let whole = match exponent {
        -4..=-1 => {
            into.extend_from_slice(&b"0.000"[..1 + exponent.unsigned_abs() as usize]);
            into.extend_from_slice(digits);
            return;
        }
        0..=16 => exponent as usize + 1,
        _ => 1,
    };
    into.extend_from_slice(&digits[..whole.min(count)]);
    if whole < count {
        into.push(b'.');
        into.extend_from_slice(&digits[whole..]);
    }
    into.extend(std::iter::repeat_n(b'0', whole.saturating_sub(count)));
    if !(-4..=16).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        write!(into, "e{sign}{:02}", exponent.abs()).expect("a Vec takes all");
    }
}

/// Begins the array of so many members (rule 2).
fn begin(reply: &mut Reply, members: usize, with_scores: bool) {
    reply.array(if with_scores && !reply.is_resp3() { 2 * members } else { members });
}

/// A member of such an array.
fn say(reply: &mut Reply, (member, score): (Item, f64), with_scores: bool) {
    if with_scores && reply.is_resp3() {
        reply.array(2);
    }
    say_member(reply, member);
    if with_scores {
        reply.double(score);
    }
}

fn say_member(reply: &mut Reply, member: Item) {
    match member {
        Item::Int(number) => reply.bulk_integer(number),
        Item::Str(member) => reply.bulk(member),
    }
}

/// A sorted set of these elements, of which no two have the same member. A large one is large from the beginning: a
/// listpack would forget the sign of a zero.
fn gather<'a>(
    elements: impl ExactSizeIterator<Item = (Item<'a>, f64)> + Clone,
    limits: &Limits,
) -> SortedSet {
    let Some((longest, _)) = elements.clone().max_by_key(|(member, _)| member.len()) else {
        return SortedSet::new();
    };
    let mut set = longest.with_bytes(|member| SortedSet::for_members(member, elements.len(), limits));
    for (member, score) in elements {
        member.with_bytes(|member| set.add(member, score, Conditions::default(), limits)).expect("no NaN");
    }
    set
}

/// Stores a result under the first key, whatever was there, and tells how many members it has; without any, it
/// removes the key.
fn store_result(cx: &mut Exec, args: Args, result: SortedSet, reply: &mut Reply) -> Outcome {
    let key = cx.key(args, 1);
    let len = result.len();
    if len > 0 {
        cx.keys.set(&key, OwnedValue::of(result).into_new(&mut Vec::new()), ExpiryChange::Clear);
        cx.changed(1);
    } else {
        let removed = cx.keys.remove(&key);
        cx.changed(removed.into());
    }
    reply.integer(len as i64);
    Ok(())
}
