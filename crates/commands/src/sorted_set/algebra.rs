//! What several sorted sets have in common, all together, or one alone: ZUNION, ZINTER, ZDIFF and their like. A plain
//! set can take part: its members have the score 1.
//!
//! ```text
//!     Request::read --keys are sets or nothing--> sources --> elements, in order --> to the client
//!                                                                               --> a SortedSet to be stored
//! ```
//!
//! 1. Arguments are read as Redis reads them: the number of keys, the keys with what they hold, and the options last.
//! 2. But for a difference, the sets are gone through from the smallest to the largest. Sums of floats depend on the
//!    order; among sets of one size it is that of the arguments.
//! 3. Where infinities make a score that is not a number, it is 0.
//! 4. Elements are borrowed from the sets until the result is said or stored.

use super::{begin, gather, say, store_result, Outcome};
use crate::{CommandError, Exec};
use datatypes::listpack::Item;
use datatypes::set::SetRef;
use datatypes::sorted_set::{parse_score, SortedSetRef};
use keyspace::{Entry, Key, ValueRef, ValueType, View};
use resp::{parse_integer, Args, Reply};
use std::borrow::Cow;
use std::collections::hash_map::{self, HashMap};

type Elements<'a> = Vec<(Item<'a>, f64)>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Union,
    Intersection,
    Difference,
    /// The number of elements that all have in common.
    Count,
}
use Operation::{Count, Difference, Intersection, Union};

/// ZUNION numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM | MIN | MAX] [WITHSCORES]
pub(super) fn zunion(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    answer(cx, args, reply, Union, "zunion")
}

/// ZINTER numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM | MIN | MAX] [WITHSCORES]
pub(super) fn zinter(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    answer(cx, args, reply, Intersection, "zinter")
}

/// ZDIFF numkeys key [key ...] [WITHSCORES]: what is in the first set only.
pub(super) fn zdiff(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    answer(cx, args, reply, Difference, "zdiff")
}

fn answer(cx: &mut Exec, args: Args, reply: &mut Reply, operation: Operation, name: &'static str) -> Outcome {
    let request = Request::read(cx, args, 1, operation, name)?;
    let result = request.result(&cx.keys);
    begin(reply, result.len(), request.with_scores);
    result.into_iter().for_each(|element| say(reply, element, request.with_scores));
    Ok(())
}

/// ZUNIONSTORE destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM | MIN | MAX]
pub(super) fn zunionstore(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    store(cx, args, reply, Union, "zunionstore")
}

/// ZINTERSTORE destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM | MIN | MAX]
pub(super) fn zinterstore(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    store(cx, args, reply, Intersection, "zinterstore")
}

/// ZDIFFSTORE destination numkeys key [key ...]
pub(super) fn zdiffstore(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    store(cx, args, reply, Difference, "zdiffstore")
}

fn store(cx: &mut Exec, args: Args, reply: &mut Reply, operation: Operation, name: &'static str) -> Outcome {
    let request = Request::read(cx, args, 2, operation, name)?;
    let result = gather(request.result(&cx.keys).into_iter(), &cx.limits.sorted_set);
    store_result(cx, args, result, reply)
}

/// ZINTERCARD numkeys key [key ...] [LIMIT limit]: how many elements all have in common, counted no further than
/// the limit.
pub(super) fn zintercard(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let request = Request::read(cx, args, 1, Count, "zintercard")?;
    let mut count = 0;
    intersect(&request.sources(&cx.keys), request.aggregate, &mut |_, _| {
        count += 1;
        count != request.limit
    });
    reply.integer(count as i64);
    Ok(())
}

/// How the scores of a member become one.
#[derive(Clone, Copy)]
enum Aggregate {
    Sum,
    Min,
    Max,
}

impl Aggregate {
    fn of(word: &[u8]) -> Option<Aggregate> {
        match word {
            _ if word.eq_ignore_ascii_case(b"sum") => Some(Aggregate::Sum),
            _ if word.eq_ignore_ascii_case(b"min") => Some(Aggregate::Min),
            _ if word.eq_ignore_ascii_case(b"max") => Some(Aggregate::Max),
            _ => None,
        }
    }

    fn join(self, score: f64, next: f64) -> f64 {
        match self {
            Aggregate::Sum => or_zero(score + next),
            // Not f64::min: of two zeros the first one stays, and what is no number is passed over.
            Aggregate::Min if next < score => next,
            Aggregate::Max if next > score => next,
            Aggregate::Min | Aggregate::Max => score,
        }
    }
}

/// Rule 3.
fn or_zero(score: f64) -> f64 {
    if score.is_nan() {
        0.0
    } else {
        score
    }
}

/// What is asked for; every key holds a set, a sorted set, or nothing.
struct Request<'k> {
    operation: Operation,
    keys: Vec<Key<'k>>,
    /// As many as keys.
    weights: Vec<f64>,
    aggregate: Aggregate,
    with_scores: bool,
    /// Of ZINTERCARD; 0 is none.
    limit: usize,
}

impl<'k> Request<'k> {
    /// Reads the arguments, of which the number of keys is the `at`-th (rule 1).
    fn read(
        cx: &mut Exec,
        args: Args<'k>,
        at: usize,
        operation: Operation,
        name: &'static str,
    ) -> Result<Request<'k>, CommandError> {
        let numkeys = parse_integer(args.get(at)).ok_or(CommandError::NotInteger)?;
        if numkeys < 1 {
            return Err(CommandError::no_input_key(name));
        }
        let first = at + 1;
        let numkeys = numkeys as usize;
        if numkeys > args.len() - first {
            return Err(CommandError::Syntax);
        }
        let mut keys = Vec::with_capacity(numkeys);
        for i in first..first + numkeys {
            let key = cx.key(args, i);
            match cx.keys.find(&key).map(Entry::value_type) {
                None | Some(ValueType::SortedSet | ValueType::Set) => keys.push(key),
                Some(_) => return Err(CommandError::WrongType),
            }
        }
        let mut request = Request {
            operation,
            keys,
            weights: vec![1.0; numkeys],
            aggregate: Aggregate::Sum,
            with_scores: false,
            limit: 0,
        };
        request.read_options(args.from(first + numkeys), at == 2)?;
        Ok(request)
    }

    fn read_options(&mut self, options: Args, is_stored: bool) -> Result<(), CommandError> {
        let has_scores = matches!(self.operation, Union | Intersection);
        let mut i = 0;
        while let Some(word) = options.try_get(i) {
            let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
            let behind = options.len() - i - 1;
            i += 1;
            match word {
                _ if has_scores && behind >= self.weights.len() && is(b"weights") => {
                    for weight in &mut self.weights {
                        *weight = parse_score(options.get(i)).ok_or_else(CommandError::weight_not_float)?;
                        i += 1;
                    }
                }
                _ if has_scores && behind >= 1 && is(b"aggregate") => {
                    self.aggregate = Aggregate::of(options.get(i)).ok_or(CommandError::Syntax)?;
                    i += 1;
                }
                _ if !is_stored && self.operation != Count && is(b"withscores") => self.with_scores = true,
                _ if self.operation == Count && behind >= 1 && is(b"limit") => {
                    let limit = parse_integer(options.get(i)).and_then(|limit| usize::try_from(limit).ok());
                    self.limit = limit.ok_or_else(CommandError::negative_limit)?;
                    i += 1;
                }
                _ => return Err(CommandError::Syntax),
            }
        }
        Ok(())
    }

    /// The sets in the order in which they are gone through (rule 2).
    fn sources<'a>(&self, keys: &'a View) -> Vec<Weighted<'a>> {
        let weighted = |(key, weight): (&Key, &f64)| {
            let source = match keys.peek(key).map(Entry::value) {
                Some(ValueRef::SortedSet(set)) => Source::SortedSet(set),
                Some(ValueRef::Set(set)) => Source::Set(set),
                _ => Source::Nothing,
            };
            Weighted { source, weight: *weight }
        };
        let mut sources: Vec<Weighted> = self.keys.iter().zip(&self.weights).map(weighted).collect();
        if self.operation != Difference {
            sources.sort_by_key(|set| set.source.len());
        }
        sources
    }

    /// The elements of the result in the order of a sorted set.
    fn result<'a>(&self, keys: &'a View) -> Elements<'a> {
        let sources = self.sources(keys);
        let mut elements = match self.operation {
            Union => union(&sources, self.aggregate),
            Difference => difference(&sources),
            Intersection | Count => {
                let mut elements = Elements::new();
                intersect(&sources, self.aggregate, &mut |member, score| {
                    elements.push((member, score));
                    true
                });
                elements
            }
        };
        elements.sort_unstable_by(|(a, first), (b, second)| {
            let by_score = first.partial_cmp(second).expect("no score is NaN");
            by_score.then_with(|| a.with_bytes(|a| b.with_bytes(|b| a.cmp(b))))
        });
        elements
    }
}

/// What is under a key.
#[derive(Clone, Copy)]
enum Source<'a> {
    Nothing,
    Set(SetRef<'a>),
    SortedSet(SortedSetRef<'a>),
}

struct Weighted<'a> {
    source: Source<'a>,
    weight: f64,
}

impl<'a> Source<'a> {
    fn len(self) -> usize {
        match self {
            Source::Nothing => 0,
            Source::Set(set) => set.len(),
            Source::SortedSet(set) => set.len(),
        }
    }

    fn score(self, member: Item) -> Option<f64> {
        match self {
            Source::Nothing => None,
            Source::Set(set) => set.contains_item(member).then_some(1.0),
            Source::SortedSet(set) => member.with_bytes(|member| set.score(member)),
        }
    }

    /// Its elements in any order.
    fn iter(self) -> Box<dyn Iterator<Item = (Item<'a>, f64)> + 'a> {
        match self {
            Source::Nothing => Box::new(std::iter::empty()),
            Source::Set(set) => Box::new(set.iter().map(|member| (member, 1.0))),
            Source::SortedSet(set) => Box::new(set.iter()),
        }
    }
}

/// Hands out what all sources have, until `f` has enough.
fn intersect<'a>(sources: &[Weighted<'a>], how: Aggregate, f: &mut dyn FnMut(Item<'a>, f64) -> bool) {
    let (smallest, others) = sources.split_first().expect("there is a key");
    for (member, score) in smallest.source.iter() {
        let first = or_zero(smallest.weight * score);
        let joined = others.iter().try_fold(first, |joined, other| {
            Some(how.join(joined, other.source.score(member)? * other.weight))
        });
        if joined.is_some_and(|score| !f(member, score)) {
            return;
        }
    }
}

fn union<'a>(sources: &[Weighted<'a>], how: Aggregate) -> Elements<'a> {
    // It is at least as large as the largest one, which is the last.
    let expected = sources.last().map_or(0, |set| set.source.len());
    let mut elements = Elements::with_capacity(expected);
    let mut places: HashMap<Cow<'a, [u8]>, usize> = HashMap::with_capacity(expected);
    for set in sources {
        for (member, score) in set.source.iter() {
            let score = or_zero(set.weight * score);
            match places.entry(member.to_bytes()) {
                hash_map::Entry::Vacant(place) => {
                    place.insert(elements.len());
                    elements.push((member, score));
                }
                hash_map::Entry::Occupied(place) => {
                    let joined = &mut elements[*place.get()].1;
                    *joined = how.join(*joined, score);
                }
            }
        }
    }
    elements
}

fn difference<'a>(sources: &[Weighted<'a>]) -> Elements<'a> {
    let (first, others) = sources.split_first().expect("there is a key");
    let is_alone = |member| others.iter().all(|other| other.source.score(member).is_none());
    first.source.iter().filter(|(member, _)| is_alone(*member)).collect()
}
