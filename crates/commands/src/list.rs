//! List commands. `datatypes::list` keeps the elements and picks the encoding; here we read the
//! arguments, record what changed, and word the reply. What takes elements out is in `list/take.rs`, where
//! the blocking commands find it, too.
//!
//! 1. Elements go from the list into the reply one by one; however long a range is, nothing gathers it first.
//! 2. A command that changes nothing leaves its key untouched for who watches it, but LTRIM, which Redis
//!    counts as a change in any case (and logs only where elements went).
//! 3. Redis makes room for an element before it looks for its place. So LSET and LINSERT which find none may
//!    change the encoding all the same.
//! 4. Where nothing would be left of a list, its key is removed as a whole: the elements of a long one are
//!    then freed in the background.

mod blocking;
mod take;

use crate::table::{at, through, Begin, Categories, Command, Find, Flags, KeySpec};
use crate::{CommandError, Exec};
use datatypes::collection::Large;
use datatypes::list::{End, List, ListRef};
use datatypes::listpack::Item;
use keyspace::Edit;
use resp::{parse_integer, Args, Reply};

type Outcome = Result<(), CommandError>;

const LIST: Categories = Categories::LIST;
const READONLY: Flags = Flags::READONLY;
const WRITE: Flags = Flags::WRITE;
const DENYOOM: Flags = Flags::DENYOOM;
const FAST: Flags = Flags::FAST;
const BLOCKING: Flags = Flags::BLOCKING;

const READS: &[KeySpec] = &[at(1, &["RO", "access"])];
const INSERTS: &[KeySpec] = &[at(1, &["RW", "insert"])];
const DELETES: &[KeySpec] = &[at(1, &["RW", "delete"])];
const TAKES: &[KeySpec] = &[at(1, &["RW", "access", "delete"])];
const MOVES: &[KeySpec] = &[at(1, &["RW", "access", "delete"]), at(2, &["RW", "insert"])];
const TAKES_FROM_ANY: &[KeySpec] = &[through(1, -2, 1, &["RW", "access", "delete"])];
const TAKES_FROM_SECOND: &[KeySpec] = &[KeySpec {
    flags: &["RW", "access", "delete"],
    begin: Begin::Index(2),
    find: Find::KeyNum { at: 0, first: 1, step: 1 },
    notes: None,
}];
const TAKES_FROM_FIRST: &[KeySpec] = &[KeySpec {
    flags: &["RW", "access", "delete"],
    begin: Begin::Index(1),
    find: Find::KeyNum { at: 0, first: 1, step: 1 },
    notes: None,
}];

pub const TABLE: &[Command] = &[
    Command::new("blmove", blocking::blmove)
        .arity(6)
        .keys(MOVES)
        .flags(&[WRITE, DENYOOM, BLOCKING])
        .acl(LIST),
    Command::new("blmpop", blocking::blmpop)
        .arity(-5)
        .keys(TAKES_FROM_SECOND)
        .flags(&[WRITE, BLOCKING])
        .acl(LIST),
    Command::new("blpop", blocking::blpop).arity(-3).keys(TAKES_FROM_ANY).flags(&[WRITE, BLOCKING]).acl(LIST),
    Command::new("brpop", blocking::brpop).arity(-3).keys(TAKES_FROM_ANY).flags(&[WRITE, BLOCKING]).acl(LIST),
    Command::new("brpoplpush", blocking::brpoplpush)
        .arity(4)
        .keys(MOVES)
        .flags(&[WRITE, DENYOOM, BLOCKING])
        .acl(LIST),
    Command::new("lindex", lindex).arity(3).keys(READS).flags(&[READONLY]).acl(LIST),
    Command::new("linsert", linsert).arity(5).keys(INSERTS).flags(&[WRITE, DENYOOM]).acl(LIST),
    Command::new("llen", llen).arity(2).keys(&[at(1, &["RO"])]).flags(&[READONLY, FAST]).acl(LIST),
    Command::new("lmove", take::lmove).arity(5).keys(MOVES).flags(&[WRITE, DENYOOM]).acl(LIST),
    Command::new("lmpop", take::lmpop).arity(-4).keys(TAKES_FROM_FIRST).flags(&[WRITE]).acl(LIST),
    Command::new("lpop", take::lpop).arity(-2).keys(TAKES).flags(&[WRITE, FAST]).acl(LIST),
    Command::new("lpos", lpos).arity(-3).keys(READS).flags(&[READONLY]).acl(LIST),
    Command::new("lpush", lpush).arity(-3).keys(INSERTS).flags(&[WRITE, DENYOOM, FAST]).acl(LIST),
    Command::new("lpushx", lpushx).arity(-3).keys(INSERTS).flags(&[WRITE, DENYOOM, FAST]).acl(LIST),
    Command::new("lrange", lrange).arity(4).keys(READS).flags(&[READONLY]).acl(LIST),
    Command::new("lrem", lrem).arity(4).keys(DELETES).flags(&[WRITE]).acl(LIST),
    Command::new("lset", lset).arity(4).keys(&[at(1, &["RW", "update"])]).flags(&[WRITE, DENYOOM]).acl(LIST),
    Command::new("ltrim", ltrim).arity(4).keys(DELETES).flags(&[WRITE]).acl(LIST),
    Command::new("rpop", take::rpop).arity(-2).keys(TAKES).flags(&[WRITE, FAST]).acl(LIST),
    Command::new("rpoplpush", take::rpoplpush).arity(3).keys(MOVES).flags(&[WRITE, DENYOOM]).acl(LIST),
    Command::new("rpush", rpush).arity(-3).keys(INSERTS).flags(&[WRITE, DENYOOM, FAST]).acl(LIST),
    Command::new("rpushx", rpushx).arity(-3).keys(INSERTS).flags(&[WRITE, DENYOOM, FAST]).acl(LIST),
];

/// LPUSH key element [element ...]: the length afterwards.
fn lpush(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    push(cx, args, reply, End::Front, false)
}

/// RPUSH key element [element ...]: the length afterwards.
fn rpush(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    push(cx, args, reply, End::Back, false)
}

/// LPUSHX key element [element ...]: the length afterwards, 0 if there is no list.
fn lpushx(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    push(cx, args, reply, End::Front, true)
}

/// RPUSHX key element [element ...]: the length afterwards, 0 if there is no list.
fn rpushx(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    push(cx, args, reply, End::Back, true)
}

fn push(cx: &mut Exec, args: Args, reply: &mut Reply, at: End, if_there: bool) -> Outcome {
    let key = cx.key(args, 1);
    let mut list = cx.keys.edit::<List>(&key)?;
    if if_there && !list.was_there() {
        reply.integer(0);
        return Ok(());
    }
    list.push(args.from(2).iter(), at, &cx.limits.list);
    reply.integer(list.as_ref().len() as i64);
    list.store();
    cx.changed(args.len() as u64 - 2);
    Ok(())
}

/// LLEN key
fn llen(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let key = cx.key(args, 1);
    let list = cx.keys.read::<ListRef>(&key)?;
    reply.integer(list.map_or(0, |list| list.len() as i64));
    Ok(())
}

/// LINDEX key index
fn lindex(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let key = cx.key(args, 1);
    let Some(list) = cx.keys.read::<ListRef>(&key)? else {
        // Redis does not look at the index.
        reply.null();
        return Ok(());
    };
    match list.get(integer(args.get(2))?) {
        Some(element) => write_element(element, reply),
        None => reply.null(),
    }
    Ok(())
}

/// LRANGE key start stop
fn lrange(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let (start, stop) = (integer(args.get(2))?, integer(args.get(3))?);
    let key = cx.key(args, 1);
    let Some(list) = cx.keys.read::<ListRef>(&key)? else {
        reply.array(0);
        return Ok(());
    };
    reply.array(list.range_of(start, stop).len());
    list.range(start, stop).for_each(|element| write_element(element, reply));
    Ok(())
}

/// LPOS key element [RANK rank] [COUNT matches] [MAXLEN elements]: an index, or several with COUNT.
fn lpos(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let options = PosOptions::of(args)?;
    let key = cx.key(args, 1);
    let list = cx.keys.read::<ListRef>(&key)?;
    // A list that is not there has no elements.
    let found = list.map(|list| list.positions(args.get(2), options.toward, options.most_looked_at));
    let mut found = found.into_iter().flatten().skip(options.skipped);
    let Some(count) = options.count else {
        match found.next() {
            Some(index) => reply.integer(index as i64),
            None => reply.null(),
        }
        return Ok(());
    };
    let begun = reply.begin_array();
    let mut matches = 0;
    for index in found.take(count) {
        reply.integer(index as i64);
        matches += 1;
    }
    reply.end_array(begun, matches);
    Ok(())
}

struct PosOptions {
    /// Where the search goes.
    toward: End,
    /// Matches that do not count: one fewer than the rank.
    skipped: usize,
    /// How many matches are asked for, if COUNT is given.
    count: Option<usize>,
    most_looked_at: usize,
}

impl PosOptions {
    fn of(args: Args) -> Result<PosOptions, CommandError> {
        let mut options =
            PosOptions { toward: End::Back, skipped: 0, count: None, most_looked_at: usize::MAX };
        // 0 is no limit.
        let limit = |number: usize| if number == 0 { usize::MAX } else { number };
        for i in (3..args.len()).step_by(2) {
            let is = |name: &[u8]| args.get(i).eq_ignore_ascii_case(name);
            let Some(value) = args.try_get(i + 1) else { return Err(CommandError::Syntax) };
            if is(b"rank") {
                let rank = match integer(value)? {
                    i64::MIN => return Err(CommandError::not_between(-i64::MAX, i64::MAX)),
                    0 => return Err(CommandError::rank_is_zero()),
                    rank => rank,
                };
                options.toward = if rank > 0 { End::Back } else { End::Front };
                options.skipped = rank.unsigned_abs() as usize - 1;
            } else if is(b"count") {
                options.count = Some(limit(not_below(0, value).ok_or_else(CommandError::bad_lpos_count)?));
            } else if is(b"maxlen") {
                options.most_looked_at =
                    limit(not_below(0, value).ok_or_else(CommandError::bad_lpos_maxlen)?);
            } else {
                return Err(CommandError::Syntax);
            }
        }
        Ok(options)
    }
}

/// LSET key index element
fn lset(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let key = cx.key(args, 1);
    let mut list = cx.keys.edit::<List>(&key)?;
    if !list.was_there() {
        return Err(CommandError::NoSuchKey);
    }
    let (index, element) = (integer(args.get(2))?, args.get(3));
    let length = list.as_ref().len() as i64;
    let is_set = (-length..length).contains(&index);
    change(&mut list, |list| list.set(index, element, &cx.limits.list));
    list.store();
    if !is_set {
        return Err(CommandError::no_such_index());
    }
    cx.changed(1);
    reply.ok();
    Ok(())
}

/// LINSERT key BEFORE | AFTER pivot element: the length afterwards, 0 if there is no list, -1 if there is no
/// such pivot.
fn linsert(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let toward = match args.get(2) {
        word if word.eq_ignore_ascii_case(b"after") => End::Back,
        word if word.eq_ignore_ascii_case(b"before") => End::Front,
        _ => return Err(CommandError::Syntax),
    };
    let (pivot, element) = (args.get(3), args.get(4));
    let key = cx.key(args, 1);
    let mut list = cx.keys.edit::<List>(&key)?;
    if !list.was_there() {
        reply.integer(0);
        return Ok(());
    }
    let before = list.as_ref().len();
    change(&mut list, |list| list.insert(pivot, element, toward, &cx.limits.list));
    let length = list.as_ref().len();
    list.store();
    if length == before {
        reply.integer(-1);
        return Ok(());
    }
    reply.integer(length as i64);
    cx.changed(1);
    Ok(())
}

/// LREM key count element: how many were removed.
fn lrem(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let (count, element) = (integer(args.get(2))?, args.get(3));
    let key = cx.key(args, 1);
    let mut list = cx.keys.edit::<List>(&key)?;
    let mut removed = 0;
    list.change_if(|list| {
        removed = list.remove_equal(element, count, &cx.limits.list);
        removed > 0
    });
    list.store();
    cx.changed(removed as u64);
    reply.integer(removed as i64);
    Ok(())
}

/// LTRIM key start stop
fn ltrim(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let (start, stop) = (integer(args.get(2))?, integer(args.get(3))?);
    let key = cx.key(args, 1);
    let mut list = cx.keys.edit::<List>(&key)?;
    if list.was_there() {
        let (length, kept) = (list.as_ref().len(), list.as_ref().range_of(start, stop).len());
        if kept == 0 {
            drop(list);
            cx.keys.remove(&key);
        } else {
            let trimmed = list.trim(start, stop, &cx.limits.list);
            list.store();
            trimmed.parts.into_iter().for_each(|part| cx.keys.keyspace().discard(Large::List(part)));
        }
        cx.changed((length - kept) as u64);
    }
    reply.ok();
    Ok(())
}

/// Changes a list by what says whether it found its place. If it did not, only the encoding may have changed
/// (rule 3).
fn change(list: &mut Edit<List>, change: impl FnOnce(&mut List) -> bool) {
    list.change_if(|list| {
        let was_small = matches!(list, List::Listpack(_));
        change(list) || was_small && matches!(list, List::Large(_))
    });
}

#[inline]
fn write_element(element: Item, reply: &mut Reply) {
    match element {
        Item::Int(number) => reply.bulk_integer(number),
        Item::Str(text) => reply.bulk(text),
    }
}

/// An argument as an integer.
fn integer(text: &[u8]) -> Result<i64, CommandError> {
    parse_integer(text).ok_or(CommandError::NotInteger)
}

/// An argument as an integer that is at least so much.
fn not_below(least: i64, text: &[u8]) -> Option<usize> {
    parse_integer(text).filter(|&number| number >= least).and_then(|number| usize::try_from(number).ok())
}

#[cfg(test)]
mod tests;
