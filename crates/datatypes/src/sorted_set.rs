//! Sorted sets: members with scores, in the order of score and member.
//!
//! ```text
//!     listpack   | member | score | member | score | ...             (small.rs) Redis's own bytes
//!     skiplist   tree in order, counted (tree.rs, leaf.rs) + index from member to score (index.rs)
//! ```
//!
//! Everything that reads by position goes through ranks: a range of scores, of members or of indexes is
//! first turned into a range of ranks, for which [`SortedSetRef::range`] gives an iterator from either end,
//! [`SortedSet::remove_ranks`] removes the elements, and whose length is what ZCOUNT asks for. A LIMIT is
//! arithmetic on the ranks.
//!
//! 1. A set becomes large when a new member would be one too many or too long for a listpack, as in
//!    Redis; only [`SortedSet::compact`], for results and loaded values, makes it small again.
//! 2. Scores are never NaN, neither from an argument nor from an increment.
//! 3. Scores that compare equal are equal: 0 and -0 are one score, and the first to come stays. In a
//!    listpack it is written 0.
//!
//! Not here: unions and intersections (commands make them of iterators); geohashes (`geo.rs`).

mod index;
mod iter;
mod large;
mod leaf;
mod range;
mod score;
mod small;
mod tree;

#[cfg(test)]
mod tests;

pub use iter::Iter;
pub use large::LargeSortedSet;
pub use range::{ranks_between, LexBound, LexRange, ScoreRange};
pub use score::{format as format_score, parse as parse_score};

use crate::dict::keyed_hash;
use crate::listpack::{self, Item};
use std::collections::HashSet;
use std::ops::Range;

/// Up to where a sorted set is a listpack.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// `zset-max-listpack-entries`.
    pub listpack_entries: usize,
    /// `zset-max-listpack-value`, in bytes.
    pub listpack_value: usize,
    /// The secret of the node, which seeds the hashes of large sets.
    pub hash_seed: u64,
}

impl Limits {
    /// Redis's own limits.
    pub fn with_seed(hash_seed: u64) -> Limits {
        Limits { listpack_entries: 128, listpack_value: 64, hash_seed }
    }
}

/// A sorted set, to be changed.
#[derive(Clone)]
pub enum SortedSet {
    /// Small: the listpack's bytes.
    Listpack(Vec<u8>),
    /// Large.
    Large(Box<LargeSortedSet>),
}

/// A sorted set, to be read.
#[derive(Clone, Copy)]
pub enum SortedSetRef<'a> {
    /// Small: the listpack's bytes.
    Listpack(&'a [u8]),
    /// Large.
    Large(&'a LargeSortedSet),
}

/// When ZADD changes a member.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// NX: only members that are not there.
    pub only_new: bool,
    /// XX: only members that are there.
    pub only_existing: bool,
    /// GT: a member that is there, only to a greater score.
    pub only_greater: bool,
    /// LT: a member that is there, only to a lesser score.
    pub only_less: bool,
}

/// What became of a member.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Added {
    /// It is new, with this score.
    New(f64),
    /// It was there, and has this score now.
    Updated(f64),
    /// It was there with this score.
    Same(f64),
    /// The conditions spoke against it.
    Refused,
}

impl Added {
    /// Its score, unless refused.
    pub fn score(self) -> Option<f64> {
        match self {
            Added::New(score) | Added::Updated(score) | Added::Same(score) => Some(score),
            Added::Refused => None,
        }
    }
}

/// The score is not a number, or would become none (`inf` and `-inf` added).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotANumber;

impl Conditions {
    /// What to do with a score for a member that has, or has not, a score.
    fn decide(self, old: Option<f64>, score: f64, increment: bool) -> Result<Added, NotANumber> {
        if score.is_nan() {
            return Err(NotANumber);
        }
        let Some(old) = old else {
            return Ok(if self.only_existing { Added::Refused } else { Added::New(score) });
        };
        if self.only_new {
            return Ok(Added::Refused);
        }
        let score = if increment { old + score } else { score };
        if score.is_nan() {
            return Err(NotANumber);
        }
        if self.only_greater && score <= old || self.only_less && score >= old {
            return Ok(Added::Refused);
        }
        Ok(if score == old { Added::Same(score) } else { Added::Updated(score) })
    }
}

impl Default for SortedSet {
    fn default() -> SortedSet {
        SortedSet::new()
    }
}

impl SortedSet {
    /// An empty set, small.
    pub fn new() -> SortedSet {
        SortedSet::Listpack(listpack::create())
    }

    /// An empty set for `count` elements that begin with this member: Redis makes a large one from the
    /// beginning where that is too much for a listpack.
    pub fn for_members(first: &[u8], count: usize, limits: &Limits) -> SortedSet {
        if count <= limits.listpack_entries && first.len() <= limits.listpack_value {
            SortedSet::new()
        } else {
            SortedSet::Large(Box::new(LargeSortedSet::new(keyed_hash(limits.hash_seed, first))))
        }
    }

    /// A set from a listpack from outside; large if it has too many elements. None if it is not one.
    pub fn from_listpack(bytes: Vec<u8>, limits: &Limits) -> Option<SortedSet> {
        if !small::is_valid(&bytes) {
            return None;
        }
        let mut set = SortedSet::Listpack(bytes);
        if set.len() > limits.listpack_entries {
            set.make_large(limits);
        }
        Some(set)
    }

    /// To read it.
    #[inline]
    pub fn as_ref(&self) -> SortedSetRef<'_> {
        match self {
            SortedSet::Listpack(pack) => SortedSetRef::Listpack(pack),
            SortedSet::Large(large) => SortedSetRef::Large(large),
        }
    }

    /// Elements in it.
    pub fn len(&self) -> usize {
        self.as_ref().len()
    }

    /// Whether it has no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Prepares it for a command that adds so many elements: Redis makes it large at once if they alone are
    /// too many for a listpack.
    pub fn expect(&mut self, elements: usize, limits: &Limits) {
        if elements > limits.listpack_entries {
            self.make_large(limits);
        }
    }

    /// Gives a member a score.
    pub fn add(
        &mut self,
        member: &[u8],
        score: f64,
        conditions: Conditions,
        limits: &Limits,
    ) -> Result<Added, NotANumber> {
        self.put(member, score, false, conditions, limits)
    }

    /// Adds to a member's score; one that is not there has 0.
    pub fn increment(
        &mut self,
        member: &[u8],
        by: f64,
        conditions: Conditions,
        limits: &Limits,
    ) -> Result<Added, NotANumber> {
        self.put(member, by, true, conditions, limits)
    }

    fn put(
        &mut self,
        member: &[u8],
        score: f64,
        increment: bool,
        conditions: Conditions,
        limits: &Limits,
    ) -> Result<Added, NotANumber> {
        match self {
            SortedSet::Large(large) => {
                let old = large.score(member);
                let added = conditions.decide(old, score, increment)?;
                match (added, old) {
                    (Added::New(score), _) => large.insert(member, score),
                    (Added::Updated(score), Some(old)) => large.update(member, old, score),
                    _ => (),
                }
                Ok(added)
            }
            SortedSet::Listpack(pack) => {
                let found = small::find(pack, member);
                let added = conditions.decide(found.map(|(_, score)| score), score, increment)?;
                match (added, found) {
                    (Added::New(score), _) => self.insert_new(member, score, limits),
                    (Added::Updated(score), Some((at, _))) => {
                        small::remove(pack, at);
                        small::insert(pack, member, score);
                    }
                    _ => (),
                }
                Ok(added)
            }
        }
    }

    /// Adds a member to a listpack, or makes it large.
    fn insert_new(&mut self, member: &[u8], score: f64, limits: &Limits) {
        if let SortedSet::Listpack(pack) = self {
            let fits = small::len(pack) < limits.listpack_entries
                && member.len() <= limits.listpack_value
                && listpack::safe_to_add(pack, member.len());
            if fits {
                small::insert(pack, member, score);
                return;
            }
        }
        self.make_large(limits).insert(member, score);
    }

    /// Removes a member; its score, if it was there.
    pub fn remove(&mut self, member: &[u8]) -> Option<f64> {
        match self {
            SortedSet::Large(large) => large.remove(member),
            SortedSet::Listpack(pack) => {
                let (at, score) = small::find(pack, member)?;
                small::remove(pack, at);
                Some(score)
            }
        }
    }

    /// Removes the elements of these ranks, handing each out in order; how many there were.
    pub fn remove_ranks(&mut self, ranks: Range<usize>, mut each: impl FnMut(Item<'_>, f64)) -> usize {
        let end = ranks.end.min(self.len());
        let ranks = ranks.start.min(end)..end;
        match self {
            SortedSet::Large(large) => {
                large.remove_ranks(ranks.clone(), |member, score| each(Item::Str(member), score));
            }
            SortedSet::Listpack(pack) => {
                for (member, score) in Iter::new(SortedSetRef::Listpack(pack), ranks.clone()) {
                    each(member, score);
                }
                listpack::remove_range(pack, 2 * ranks.start as isize, 2 * ranks.len());
            }
        }
        ranks.len()
    }

    /// Makes it large, if it is not.
    pub fn make_large(&mut self, limits: &Limits) -> &mut LargeSortedSet {
        if let SortedSet::Listpack(pack) = self {
            let mut large = Box::new(LargeSortedSet::new(keyed_hash(limits.hash_seed, pack)));
            for (member, score) in small::pairs(pack) {
                member.with_bytes(|member| large.insert(member, score));
            }
            *self = SortedSet::Large(large);
        }
        match self {
            SortedSet::Large(large) => large,
            SortedSet::Listpack(_) => unreachable!("just made large"),
        }
    }

    /// Makes a listpack of a large set that fits into one: a result to be stored, or a loaded value.
    pub fn compact(&mut self, limits: &Limits) {
        if !matches!(self, SortedSet::Large(_)) || self.len() > limits.listpack_entries {
            return;
        }
        let set = self.as_ref();
        if set.iter().any(|(member, _)| member.len() > limits.listpack_value) {
            return;
        }
        let mut pack = listpack::create();
        if !listpack::safe_to_add(&[], set.iter().map(|(member, _)| member.len()).sum()) {
            return;
        }
        for (member, score) in set.iter() {
            member.with_bytes(|member| small::push(&mut pack, member, score));
        }
        *self = SortedSet::Listpack(pack);
    }
}

impl<'a> SortedSetRef<'a> {
    /// OBJECT ENCODING's name for it.
    pub fn encoding(self) -> &'static str {
        match self {
            SortedSetRef::Listpack(_) => "listpack",
            SortedSetRef::Large(_) => "skiplist",
        }
    }

    /// Elements in it.
    pub fn len(self) -> usize {
        match self {
            SortedSetRef::Listpack(pack) => small::len(pack),
            SortedSetRef::Large(large) => large.len(),
        }
    }

    /// Whether it has no elements.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// A copy, to be changed.
    pub fn to_owned(self) -> SortedSet {
        match self {
            SortedSetRef::Listpack(pack) => SortedSet::Listpack(pack.to_vec()),
            SortedSetRef::Large(large) => SortedSet::Large(Box::new(large.clone())),
        }
    }

    /// A member's score.
    pub fn score(self, member: &[u8]) -> Option<f64> {
        match self {
            SortedSetRef::Listpack(pack) => small::find(pack, member).map(|(_, score)| score),
            SortedSetRef::Large(large) => large.score(member),
        }
    }

    /// A member's rank, from 0 at the lowest score, and its score.
    pub fn rank(self, member: &[u8]) -> Option<(usize, f64)> {
        match self {
            SortedSetRef::Listpack(pack) => small::rank(pack, member),
            SortedSetRef::Large(large) => large.rank(member),
        }
    }

    /// The element at a rank.
    pub fn at(self, rank: usize) -> Option<(Item<'a>, f64)> {
        self.range(rank..rank.saturating_add(1)).next()
    }

    /// An element, each with the same probability.
    pub fn random(self, draw: &mut dyn FnMut() -> u64) -> Option<(Item<'a>, f64)> {
        self.at(below(self.len(), draw))
    }

    /// Tells `count` different elements, each choice of so many with the same probability, in no order of
    /// meaning; all of them, if there are no more.
    pub fn sample(self, count: usize, draw: &mut dyn FnMut() -> u64, f: &mut dyn FnMut(Item<'_>, f64)) {
        let len = self.len();
        if count >= len {
            self.iter().for_each(|(member, score)| f(member, score));
            return;
        }
        // Floyd's algorithm: a rank that has been drawn already gives way to the newest one.
        let mut drawn = HashSet::with_capacity(count);
        for newest in len - count..len {
            let rank = below(newest + 1, draw);
            let rank = if drawn.insert(rank) { rank } else { newest };
            drawn.insert(rank);
            if let Some((member, score)) = self.at(rank) {
                f(member, score);
            }
        }
    }

    /// Tells about `count` elements from a cursor on, and gives the cursor to go on from: zero at the end,
    /// as at the start. An element that is there from the first call to the last is told at least once.
    pub fn scan(self, cursor: u64, count: usize, f: &mut dyn FnMut(Item<'_>, f64)) -> u64 {
        match self {
            SortedSetRef::Listpack(pack) => {
                small::pairs(pack).for_each(|(member, score)| f(member, score));
                0
            }
            SortedSetRef::Large(large) => {
                large.scan(cursor, count, &mut |member, score| f(Item::Str(member), score))
            }
        }
    }

    /// All elements in order.
    pub fn iter(self) -> Iter<'a> {
        self.range(0..self.len())
    }

    /// The elements of these ranks in order.
    pub fn range(self, ranks: Range<usize>) -> Iter<'a> {
        Iter::new(self, ranks)
    }

    /// The ranks of the elements with these scores.
    pub fn ranks_by_score(self, range: &ScoreRange) -> Range<usize> {
        match self {
            SortedSetRef::Listpack(pack) => small::ranks_by_score(pack, range),
            SortedSetRef::Large(_) if range.is_empty() => 0..0,
            SortedSetRef::Large(large) => {
                let start = large.tree.rank(|score, _| !range.starts_by(score));
                start..large.tree.rank(|score, _| range.ends_after(score))
            }
        }
    }

    /// The ranks of the elements with these members, in a set of one score. In a listpack of several
    /// scores, what Redis gives there; `reverse`: to a command that goes from the highest member down.
    pub fn ranks_by_lex(self, range: &LexRange, reverse: bool) -> Range<usize> {
        match self {
            SortedSetRef::Listpack(pack) => small::ranks_by_lex(pack, range, reverse),
            SortedSetRef::Large(_) if range.is_empty() => 0..0,
            SortedSetRef::Large(large) => {
                let start = large.tree.rank(|_, member| !range.starts_by(member));
                start..large.tree.rank(|_, member| range.ends_after(member)).max(start)
            }
        }
    }
}

/// A number below `bound`, each with the same probability (but for one part in 2^64 / bound).
fn below(bound: usize, draw: &mut dyn FnMut() -> u64) -> usize {
    ((u128::from(draw()) * bound as u128) >> 64) as usize
}
