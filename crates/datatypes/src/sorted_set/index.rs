//! The scores of a large sorted set by member: a dict whose values are the eight bytes of a score.

use crate::dict::Dict;

/// From a member to its score.
#[derive(Clone)]
pub(super) struct Index {
    scores: Dict,
}

fn score(bytes: &[u8]) -> f64 {
    f64::from_le_bytes(bytes.try_into().expect("the value of a member is a score"))
}

impl Index {
    pub fn new(seed: u64) -> Index {
        Index { scores: Dict::new(seed) }
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.scores.len()
    }

    /// Bytes on the heap.
    pub fn memory(&self) -> usize {
        self.scores.memory()
    }

    pub fn get(&self, member: &[u8]) -> Option<f64> {
        self.scores.get(member).map(score)
    }

    /// Adds a member that is not there.
    pub fn add(&mut self, member: &[u8], score: f64) {
        self.scores.add(member, &score.to_le_bytes());
    }

    /// Changes the score of a member that is there.
    pub fn change(&mut self, member: &[u8], score: f64) {
        self.scores.get_mut(member).expect("a member that is there").copy_from_slice(&score.to_le_bytes());
    }

    pub fn remove(&mut self, member: &[u8]) {
        self.scores.remove(member);
    }

    /// See [`Dict::scan`].
    pub fn scan(&self, cursor: u64, count: usize, f: &mut dyn FnMut(&[u8], f64)) -> u64 {
        self.scores.scan(cursor, count, &mut |member, value| f(member, score(value)))
    }

    /// Frees about so many blocks of memory; true when nothing is left.
    pub fn dismantle(&mut self, steps: usize) -> bool {
        self.scores.dismantle(steps)
    }
}
