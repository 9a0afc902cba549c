//! A small sorted set: a listpack of member and score by turns, in the order of the set.

use super::leaf::compare;
use super::range::{LexRange, ScoreRange};
use super::score::{as_integer, format, parse_stored};
use crate::listpack::{self, Item, Listpack, Pos};
use std::ops::Range;

pub(super) fn len(pack: &[u8]) -> usize {
    Listpack::new(pack).len() / 2
}

pub(super) fn score_of(item: Item) -> f64 {
    match item {
        Item::Int(number) => number as f64,
        Item::Str(text) => parse_stored(text),
    }
}

/// The members with their scores.
pub(super) fn pairs(pack: &[u8]) -> impl Iterator<Item = (Item<'_>, f64)> {
    let mut items = Listpack::new(pack).iter();
    std::iter::from_fn(move || Some((items.next()?, score_of(items.next()?))))
}

/// Where a member is, and its score.
pub(super) fn find(pack: &[u8], member: &[u8]) -> Option<(Pos, f64)> {
    let pack = Listpack::new(pack);
    let at = pack.find(member, pack.first()?, 2)?;
    Some((at, score_of(pack.get(pack.next(at)?))))
}

pub(super) fn rank(pack: &[u8], member: &[u8]) -> Option<(usize, f64)> {
    pairs(pack).enumerate().find_map(|(rank, (item, score))| item.is(member).then_some((rank, score)))
}

pub(super) fn ranks_by_score(pack: &[u8], range: &ScoreRange) -> Range<usize> {
    if range.is_empty() {
        return 0..0;
    }
    let mut ranks = 0..0;
    for (_, score) in pairs(pack) {
        if !range.ends_after(score) {
            break;
        }
        ranks.end += 1;
        if !range.starts_by(score) {
            ranks.start += 1;
        }
    }
    ranks
}

/// The ranks of a range of members. Where scores differ, it has no meaning, but a result in Redis: what an
/// iteration meets from the first member not below the range to before the first above it; or in reverse.
pub(super) fn ranks_by_lex(pack: &[u8], range: &LexRange, reverse: bool) -> Range<usize> {
    let items: Vec<(bool, bool)> = pairs(pack)
        .map(|(item, _)| item.with_bytes(|member| (range.starts_by(member), range.ends_after(member))))
        .collect();
    let reachable = items.last().is_some_and(|last| last.0) && items.first().is_some_and(|first| first.1);
    if range.is_empty() || !reachable {
        return 0..0;
    }
    if reverse {
        let end = items.iter().rposition(|item| item.1).map_or(0, |at| at + 1);
        let start = items[..end].iter().rposition(|item| !item.0).map_or(0, |at| at + 1);
        start..end
    } else {
        let start = items.iter().position(|item| item.0).unwrap_or(items.len());
        let count = items[start..].iter().position(|item| !item.1).unwrap_or(items.len() - start);
        start..start + count
    }
}

/// Adds a member that is not there.
pub(super) fn insert(pack: &mut Vec<u8>, member: &[u8], score: f64) {
    match place(Listpack::new(pack), member, score) {
        Some(at) => {
            listpack::insert_before(pack, at, &text_of(score));
            listpack::insert_before(pack, at, member);
        }
        None => push(pack, member, score),
    }
}

/// Adds a member that comes last.
pub(super) fn push(pack: &mut Vec<u8>, member: &[u8], score: f64) {
    listpack::push_back(pack, member);
    match as_integer(score) {
        Some(integer) => listpack::push_back_int(pack, integer),
        None => listpack::push_back(pack, &text_of(score)),
    }
}

fn text_of(score: f64) -> Vec<u8> {
    let mut text = Vec::with_capacity(24);
    // Zero has no sign here.
    format(if score == 0.0 { 0.0 } else { score }, &mut text);
    text
}

/// The first member behind the place of a new one.
fn place(pack: Listpack, member: &[u8], score: f64) -> Option<Pos> {
    let mut at = pack.first();
    while let Some(pos) = at {
        let score_at = pack.next(pos)?;
        let other = score_of(pack.get(score_at));
        let behind = other > score
            || other == score
                && pack.get(pos).with_bytes(|bytes| compare((other, bytes), (score, member)).is_gt());
        if behind {
            return at;
        }
        at = pack.next(score_at);
    }
    None
}

/// Removes the member here.
pub(super) fn remove(pack: &mut Vec<u8>, at: Pos) {
    if let Some(score) = listpack::remove(pack, at) {
        listpack::remove(pack, score);
    }
}

/// Whether bytes from outside are the listpack of a sorted set: every member once, in order, with a number
/// for a score.
pub(super) fn is_valid(bytes: &[u8]) -> bool {
    let Some(pack) = Listpack::validate(bytes) else { return false };
    if pack.len() % 2 != 0 {
        return false;
    }
    let numbers = pack.iter().skip(1).step_by(2).all(|item| match item {
        Item::Int(_) => true,
        Item::Str(text) => super::score::is_number(text),
    });
    if !numbers {
        return false;
    }
    let pairs: Vec<_> = pairs(bytes).map(|(item, score)| (score, item.to_bytes())).collect();
    let ordered = pairs.windows(2).all(|two| compare((two[0].0, &two[0].1), (two[1].0, &two[1].1)).is_lt());
    let mut members: Vec<_> = pairs.into_iter().map(|(_, member)| member).collect();
    members.sort_unstable();
    ordered && members.windows(2).all(|two| two[0] != two[1])
}
