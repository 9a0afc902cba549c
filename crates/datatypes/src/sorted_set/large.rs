//! A large sorted set: the elements in order in a tree, and an index from member to score.
//!
//! 1. Tree and index hold the same members with the same scores; only this module changes either.

use super::index::Index;
use super::tree::Tree;
use std::ops::Range;

/// The large form, with OBJECT ENCODING's name "skiplist".
#[derive(Clone)]
pub struct LargeSortedSet {
    pub(super) tree: Tree,
    index: Index,
}

impl LargeSortedSet {
    pub(super) fn new(seed: u64) -> LargeSortedSet {
        LargeSortedSet { tree: Tree::new(), index: Index::new(seed) }
    }

    /// Elements in it.
    pub fn len(&self) -> usize {
        self.tree.len()
    }

    /// Whether it has no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes on the heap, itself included.
    pub fn memory(&self) -> usize {
        size_of::<LargeSortedSet>() + self.tree.memory() + self.index.memory()
    }

    /// Frees about so many pieces of memory; true when nothing is left. The set is of no use afterwards.
    pub fn dismantle(&mut self, steps: usize) -> bool {
        self.tree.dismantle(steps) && self.index.dismantle(steps)
    }

    pub(super) fn scan(&self, cursor: u64, count: usize, f: &mut dyn FnMut(&[u8], f64)) -> u64 {
        self.index.scan(cursor, count, f)
    }

    pub(super) fn score(&self, member: &[u8]) -> Option<f64> {
        self.index.get(member)
    }

    pub(super) fn rank(&self, member: &[u8]) -> Option<(usize, f64)> {
        let score = self.index.get(member)?;
        Some((self.tree.rank_of(score, member), score))
    }

    /// Adds a member that is not there.
    pub(super) fn insert(&mut self, member: &[u8], score: f64) {
        self.index.add(member, score);
        self.tree.insert(score, member);
    }

    /// Gives a member another score.
    pub(super) fn update(&mut self, member: &[u8], old: f64, score: f64) {
        let found = self.tree.remove(old, member);
        debug_assert!(found, "rule 1");
        self.tree.insert(score, member);
        self.index.set(member, score);
    }

    pub(super) fn remove(&mut self, member: &[u8]) -> Option<f64> {
        let score = self.index.get(member)?;
        self.index.remove(member);
        let found = self.tree.remove(score, member);
        debug_assert!(found, "rule 1");
        Some(score)
    }

    pub(super) fn remove_ranks(&mut self, ranks: Range<usize>, mut each: impl FnMut(&[u8], f64)) {
        let index = &mut self.index;
        self.tree.remove_ranks(ranks, |score, member| {
            index.remove(member);
            each(member, score);
        });
    }
}

#[cfg(test)]
impl LargeSortedSet {
    /// Checks every rule.
    pub(super) fn check(&self) {
        self.tree.check();
        for rank in 0..self.len() {
            let (leaf, at) = self.tree.leaf_of(rank).expect("a rank below the length");
            let (score, member) = leaf.get(at);
            assert_eq!(self.index.get(member), Some(score), "rule 1");
        }
        assert_eq!(self.index.len(), self.len(), "rule 1");
    }
}
