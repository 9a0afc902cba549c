//! Elements by rank, from either end.

use super::leaf::Leaf;
use super::small::score_of;
use super::SortedSetRef;
use crate::listpack::{Item, Listpack, Pos};
use std::iter::FusedIterator;
use std::ops::Range;

/// The elements of some ranks in their order, as member and score. A step costs the same wherever the ranks
/// begin; to begin costs a descent of the tree, as does every leaf.
#[derive(Clone)]
pub struct Iter<'a> {
    set: SortedSetRef<'a>,
    /// What is still to come.
    ranks: Range<usize>,
    front: Option<Place<'a>>,
    back: Option<Place<'a>>,
}

/// Where the next element is.
#[derive(Clone, Copy)]
enum Place<'a> {
    /// From the front its member, from the back its score.
    Listpack(Pos),
    Leaf(&'a Leaf, usize),
}

impl<'a> Iter<'a> {
    pub(super) fn new(set: SortedSetRef<'a>, ranks: Range<usize>) -> Iter<'a> {
        let end = ranks.end.min(set.len());
        Iter { set, ranks: ranks.start.min(end)..end, front: None, back: None }
    }

    /// The element at `place`, and the place of the next one where that is at hand.
    fn step(place: Place<'a>, pack: &'a [u8]) -> ((Item<'a>, f64), Option<Place<'a>>) {
        match place {
            Place::Leaf(leaf, at) => {
                let (score, member) = leaf.get(at);
                let next = (at + 1 < leaf.len()).then_some(Place::Leaf(leaf, at + 1));
                ((Item::Str(member), score), next)
            }
            Place::Listpack(member) => {
                let pack = Listpack::new(pack);
                let score = pack.next(member).expect("every member has a score");
                let next = pack.next(score).map(Place::Listpack);
                ((pack.get(member), score_of(pack.get(score))), next)
            }
        }
    }

    fn step_back(place: Place<'a>, pack: &'a [u8]) -> ((Item<'a>, f64), Option<Place<'a>>) {
        match place {
            Place::Leaf(leaf, at) => {
                let (score, member) = leaf.get(at);
                let next = at.checked_sub(1).map(|at| Place::Leaf(leaf, at));
                ((Item::Str(member), score), next)
            }
            Place::Listpack(score) => {
                let pack = Listpack::new(pack);
                let member = pack.prev(score).expect("every score has a member");
                let next = pack.prev(member).map(Place::Listpack);
                ((pack.get(member), score_of(pack.get(score))), next)
            }
        }
    }

    /// The place of a rank; `back`: to go backwards from there.
    fn locate(&self, rank: usize, back: bool) -> Option<Place<'a>> {
        match self.set {
            SortedSetRef::Listpack(pack) => {
                let at = 2 * rank + usize::from(back);
                Listpack::new(pack).at(at as isize).map(Place::Listpack)
            }
            SortedSetRef::Large(large) => large.tree.leaf_of(rank).map(|(leaf, at)| Place::Leaf(leaf, at)),
        }
    }

    fn pack(&self) -> &'a [u8] {
        match self.set {
            SortedSetRef::Listpack(pack) => pack,
            SortedSetRef::Large(_) => &[],
        }
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = (Item<'a>, f64);

    #[inline]
    fn next(&mut self) -> Option<(Item<'a>, f64)> {
        if self.ranks.is_empty() {
            return None;
        }
        let place = self.front.or_else(|| self.locate(self.ranks.start, false))?;
        let (element, next) = Iter::step(place, self.pack());
        self.front = next;
        self.ranks.start += 1;
        Some(element)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.ranks.len(), Some(self.ranks.len()))
    }

    fn nth(&mut self, skipped: usize) -> Option<(Item<'a>, f64)> {
        if skipped > 0 {
            self.ranks.start = self.ranks.start.saturating_add(skipped).min(self.ranks.end);
            self.front = None;
        }
        self.next()
    }
}

impl DoubleEndedIterator for Iter<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        if self.ranks.is_empty() {
            return None;
        }
        let place = self.back.or_else(|| self.locate(self.ranks.end - 1, true))?;
        let (element, next) = Iter::step_back(place, self.pack());
        self.back = next;
        self.ranks.end -= 1;
        Some(element)
    }

    fn nth_back(&mut self, skipped: usize) -> Option<Self::Item> {
        if skipped > 0 {
            self.ranks.end = self.ranks.end.saturating_sub(skipped).max(self.ranks.start);
            self.back = None;
        }
        self.next_back()
    }
}

impl ExactSizeIterator for Iter<'_> {}
impl FusedIterator for Iter<'_> {}
