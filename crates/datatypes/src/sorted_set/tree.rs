//! The elements of a large sorted set in their order: a B+-tree that counts.
//!
//! ```text
//!     inner node    child | separator | child | separator | child ...      and for each child its elements
//!     separator     score, bytes: above every element on its left, not above any on its right
//!     child         an inner node, or in the lowest inner nodes a leaf (`leaf.rs`)
//! ```
//!
//! A rank is the sum of the counts on the left of the way down, so an element is found by its rank, and the
//! rank of an element or of any boundary between elements by one descent. Every range is a range of ranks.
//!
//! 1. All leaves are at the same depth. No node is empty, but the root of an empty tree.
//! 2. An inner node has at most [`MOST_CHILDREN`]. One that falls below a quarter, like a leaf below
//!    [`FEW_BYTES`], is joined with a neighbour if the two leave room in one. So an operation changes a
//!    node on each level and its neighbours: nothing that grows with the set.
//! 3. A separator keeps no more of a member than tells the two sides apart: nothing where the scores do. As
//!    no node is empty, separators among elements of one score have that score, so that a search by
//!    members alone works in a set of one score.
//! 4. `memory` is kept up to date by whoever changes a block or a vector.

use super::leaf::{compare, Leaf, Placed, FEW_BYTES, MOST_BYTES};
use std::ops::Range;

/// With 70 elements in a leaf, three levels of inner nodes hold ten million.
const MOST_CHILDREN: usize = 64;
const FEW_CHILDREN: usize = MOST_CHILDREN / 4;

pub(super) struct Tree {
    root: Inner,
    memory: usize,
}

struct Inner {
    /// Separators, one fewer than children.
    scores: Vec<f64>,
    members: Vec<Box<[u8]>>,
    /// Elements below each child.
    counts: Vec<u64>,
    children: Children,
}

enum Children {
    Leaves(Vec<Leaf>),
    Inners(Vec<Inner>),
}

/// A new right neighbour, and the separator between.
struct Sibling {
    score: f64,
    member: Box<[u8]>,
    node: Inner,
}

/// What a descent looks for.
#[derive(Clone, Copy)]
enum Target<'a> {
    Rank(usize),
    Element(f64, &'a [u8]),
}

impl Tree {
    pub fn new() -> Tree {
        Tree { root: Inner::new(Children::Leaves(Vec::new())), memory: 0 }
    }

    pub fn len(&self) -> usize {
        self.root.len()
    }

    /// Bytes on the heap.
    pub fn memory(&self) -> usize {
        self.memory
    }

    /// Adds an element, which must not be there.
    pub fn insert(&mut self, score: f64, member: &[u8]) {
        let Some(sibling) = self.root.insert(score, member, &mut self.memory) else { return };
        let left = std::mem::replace(&mut self.root, Inner::new(Children::Inners(Vec::new())));
        let counts = vec![left.len() as u64, sibling.node.len() as u64];
        self.root = Inner {
            scores: vec![sibling.score],
            members: vec![sibling.member],
            counts,
            children: Children::Inners(vec![left, sibling.node]),
        };
        self.memory += self.root.vectors();
    }

    /// Removes an element; says whether it was there.
    pub fn remove(&mut self, score: f64, member: &[u8]) -> bool {
        self.len() > 0 && self.remove_at(Target::Element(score, member), 1, &mut |_, _| ()) == 1
    }

    /// Removes the elements of these ranks, and hands them out in order.
    pub fn remove_ranks(&mut self, ranks: Range<usize>, mut each: impl FnMut(f64, &[u8])) {
        let mut rest = ranks.len();
        while rest > 0 {
            rest -= self.remove_at(Target::Rank(ranks.start), rest, &mut each);
        }
    }

    fn remove_at(&mut self, target: Target, most: usize, each: &mut dyn FnMut(f64, &[u8])) -> usize {
        let removed = self.root.remove(target, most, each, &mut self.memory);
        // A root with one child, itself inner, is one level too many.
        while let Children::Inners(inners) = &mut self.root.children {
            if inners.len() > 1 {
                break;
            }
            let child = inners.pop();
            self.memory -= self.root.vectors();
            self.root = child.unwrap_or_else(|| Inner::new(Children::Leaves(Vec::new())));
        }
        removed
    }

    /// How many elements are before a boundary. `before` is true of everything up to it, false from there on.
    pub fn rank(&self, before: impl Fn(f64, &[u8]) -> bool) -> usize {
        let mut node = &self.root;
        let mut rank = 0;
        loop {
            let at = node.partition_point(&before);
            rank += node.counts[..at.min(node.counts.len())].iter().sum::<u64>() as usize;
            match &node.children {
                Children::Inners(inners) => node = &inners[at],
                Children::Leaves(leaves) => {
                    return rank + leaves.get(at).map_or(0, |leaf| leaf.partition_point(&before));
                }
            }
        }
    }

    /// The rank of an element, whether or not it is there.
    pub fn rank_of(&self, score: f64, member: &[u8]) -> usize {
        self.rank(|other, bytes| compare((other, bytes), (score, member)).is_lt())
    }

    /// The leaf that holds a rank, and the element's place in it.
    pub fn leaf_of(&self, mut rank: usize) -> Option<(&Leaf, usize)> {
        if rank >= self.len() {
            return None;
        }
        let mut node = &self.root;
        loop {
            let at = node.child_of_rank(&mut rank);
            match &node.children {
                Children::Inners(inners) => node = &inners[at],
                Children::Leaves(leaves) => return Some((&leaves[at], rank)),
            }
        }
    }

    /// Frees about so many leaves, from the end; true when nothing is left.
    pub fn dismantle(&mut self, steps: usize) -> bool {
        for _ in 0..steps.max(1) {
            if self.root.counts.is_empty() {
                break;
            }
            self.root.drop_last(&mut self.memory);
        }
        if !self.root.counts.is_empty() {
            return false;
        }
        self.memory -= self.root.vectors();
        self.root = Inner::new(Children::Leaves(Vec::new()));
        true
    }

    /// Checks every rule, for tests.
    #[cfg(test)]
    pub fn check(&self) {
        let mut memory = 0;
        if self.len() > 0 {
            self.root.check(None, None, &mut memory);
        } else {
            memory = self.root.vectors();
        }
        assert_eq!(memory, self.memory, "rule 4");
    }
}

impl Clone for Tree {
    fn clone(&self) -> Tree {
        let root = self.root.clone();
        let memory = root.total_memory();
        Tree { root, memory }
    }
}

impl Inner {
    fn new(children: Children) -> Inner {
        Inner { scores: Vec::new(), members: Vec::new(), counts: Vec::new(), children }
    }

    fn len(&self) -> usize {
        self.counts.iter().sum::<u64>() as usize
    }

    /// Bytes of the vectors, without what is behind separators and children.
    fn vectors(&self) -> usize {
        let children = match &self.children {
            Children::Leaves(leaves) => leaves.capacity() * size_of::<Leaf>(),
            Children::Inners(inners) => inners.capacity() * size_of::<Inner>(),
        };
        (self.scores.capacity() + self.counts.capacity()) * 8
            + self.members.capacity() * size_of::<Box<[u8]>>()
            + children
    }

    fn total_memory(&self) -> usize {
        let separators: usize = self.members.iter().map(|member| member.len()).sum();
        let children: usize = match &self.children {
            Children::Leaves(leaves) => leaves.iter().map(Leaf::memory).sum(),
            Children::Inners(inners) => inners.iter().map(Inner::total_memory).sum(),
        };
        self.vectors() + separators + children
    }

    /// The child that a boundary falls into.
    #[inline]
    fn partition_point(&self, before: impl Fn(f64, &[u8]) -> bool) -> usize {
        let (mut low, mut high) = (0, self.scores.len());
        while low < high {
            let middle = (low + high) / 2;
            if before(self.scores[middle], &self.members[middle]) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// The child that an element belongs to: the last with a separator not above it on its left.
    fn child_of(&self, score: f64, member: &[u8]) -> usize {
        self.partition_point(|other, bytes| compare((other, bytes), (score, member)).is_le())
    }

    /// The child that holds a rank, which becomes the rank within the child.
    fn child_of_rank(&self, rank: &mut usize) -> usize {
        for (at, &count) in self.counts.iter().enumerate() {
            if *rank < count as usize {
                return at;
            }
            *rank -= count as usize;
        }
        unreachable!("a rank below the number of elements")
    }

    fn insert(&mut self, score: f64, member: &[u8], memory: &mut usize) -> Option<Sibling> {
        let at = self.child_of(score, member);
        match &mut self.children {
            Children::Leaves(leaves) => {
                let Some(leaf) = leaves.get_mut(at) else {
                    // The first element of all.
                    let old = self.vectors();
                    let leaf = Leaf::of_one(score, member);
                    *memory += leaf.memory();
                    self.counts.push(1);
                    self.children = Children::Leaves(vec![leaf]);
                    *memory = *memory + self.vectors() - old;
                    return None;
                };
                let old = leaf.memory();
                let placed = leaf.insert(score, member);
                *memory = *memory + leaf.memory() - old;
                self.counts[at] = leaf.len() as u64;
                let Placed::Split(new) = placed else { return None };
                for (nth, leaf) in new.into_iter().enumerate() {
                    self.add_leaf(at + 1 + nth, leaf, memory);
                }
            }
            Children::Inners(inners) => {
                let sibling = inners[at].insert(score, member, memory);
                let Some(Sibling { score, member, node }) = sibling else {
                    self.counts[at] += 1;
                    return None;
                };
                self.counts[at] = inners[at].len() as u64;
                let old = self.vectors();
                self.scores.insert(at, score);
                self.members.insert(at, member);
                self.counts.insert(at + 1, node.len() as u64);
                if let Children::Inners(inners) = &mut self.children {
                    inners.insert(at + 1, node);
                }
                *memory = *memory + self.vectors() - old;
            }
        }
        (self.counts.len() > MOST_CHILDREN).then(|| self.split(memory))
    }

    /// Adds a leaf behind another one.
    fn add_leaf(&mut self, at: usize, leaf: Leaf, memory: &mut usize) {
        let old = self.vectors();
        let Children::Leaves(leaves) = &mut self.children else { unreachable!("a node above leaves") };
        let (score, member) = separator(&leaves[at - 1], &leaf);
        *memory += leaf.memory() + member.len();
        self.counts.insert(at, leaf.len() as u64);
        leaves.insert(at, leaf);
        self.scores.insert(at - 1, score);
        self.members.insert(at - 1, member);
        *memory = *memory + self.vectors() - old;
    }

    /// Moves the right half into a new node.
    fn split(&mut self, memory: &mut usize) -> Sibling {
        let old = self.vectors();
        let half = self.counts.len() / 2;
        let children = match &mut self.children {
            Children::Leaves(leaves) => Children::Leaves(leaves.split_off(half)),
            Children::Inners(inners) => Children::Inners(inners.split_off(half)),
        };
        let node = Inner {
            scores: self.scores.split_off(half),
            members: self.members.split_off(half),
            counts: self.counts.split_off(half),
            children,
        };
        let score = self.scores.pop().expect("a separator between the halves");
        let member = self.members.pop().expect("a separator between the halves");
        *memory = *memory + self.vectors() + node.vectors() - old;
        Sibling { score, member, node }
    }

    /// Removes up to `most` elements of one leaf, from `target` on.
    fn remove(
        &mut self,
        target: Target,
        most: usize,
        each: &mut dyn FnMut(f64, &[u8]),
        memory: &mut usize,
    ) -> usize {
        let (at, target) = match target {
            Target::Rank(mut rank) => (self.child_of_rank(&mut rank), Target::Rank(rank)),
            Target::Element(score, member) => (self.child_of(score, member), target),
        };
        let removed = match &mut self.children {
            Children::Inners(inners) => inners[at].remove(target, most, each, memory),
            Children::Leaves(leaves) => {
                let leaf = &mut leaves[at];
                let (place, most) = match target {
                    Target::Rank(rank) => (rank, most.min(leaf.len() - rank)),
                    Target::Element(score, member) => {
                        let wanted = (score, member);
                        let place =
                            leaf.partition_point(|score, member| compare((score, member), wanted).is_lt());
                        let found = place < leaf.len() && compare(leaf.get(place), wanted).is_eq();
                        (place, usize::from(found))
                    }
                };
                for index in place..place + most {
                    let (score, member) = leaf.get(index);
                    each(score, member);
                }
                let old = leaf.memory();
                if most == leaf.len() {
                    // The whole leaf goes with the child.
                } else if most > 0 {
                    leaf.remove(place, most);
                }
                *memory = *memory + leaf.memory() - old;
                most
            }
        };
        self.counts[at] -= removed as u64;
        if removed > 0 {
            self.mend(at, memory);
        }
        removed
    }

    /// Keeps rules 1 and 2 after a removal below a child.
    fn mend(&mut self, at: usize, memory: &mut usize) {
        if self.counts[at] == 0 {
            self.drop_child(at, memory);
            return;
        }
        let few = match &self.children {
            Children::Leaves(leaves) => leaves[at].bytes() < FEW_BYTES,
            Children::Inners(inners) => inners[at].counts.len() < FEW_CHILDREN,
        };
        if !few {
            return;
        }
        if at + 1 < self.counts.len() && self.can_join(at) {
            self.join(at, memory);
        } else if at > 0 && self.can_join(at - 1) {
            self.join(at - 1, memory);
        }
    }

    /// Whether a child and the next one leave room in one.
    fn can_join(&self, at: usize) -> bool {
        match &self.children {
            Children::Leaves(leaves) => leaves[at].bytes() + leaves[at + 1].bytes() <= MOST_BYTES * 3 / 4,
            Children::Inners(inners) => {
                inners[at].counts.len() + inners[at + 1].counts.len() <= MOST_CHILDREN * 3 / 4
            }
        }
    }

    /// Joins a child with the next one.
    fn join(&mut self, at: usize, memory: &mut usize) {
        let score = self.scores.remove(at);
        let member = self.members.remove(at);
        self.counts[at] += self.counts.remove(at + 1);
        match &mut self.children {
            Children::Leaves(leaves) => {
                let next = leaves.remove(at + 1);
                let old = leaves[at].memory() + next.memory() + member.len();
                leaves[at].append(&next);
                *memory = *memory + leaves[at].memory() - old;
            }
            Children::Inners(inners) => {
                let mut next = inners.remove(at + 1);
                let node = &mut inners[at];
                let old = node.vectors() + next.vectors();
                node.scores.push(score);
                node.scores.append(&mut next.scores);
                node.members.push(member);
                node.members.append(&mut next.members);
                node.counts.append(&mut next.counts);
                match (&mut node.children, &mut next.children) {
                    (Children::Leaves(left), Children::Leaves(right)) => left.append(right),
                    (Children::Inners(left), Children::Inners(right)) => left.append(right),
                    _ => unreachable!("rule 1: leaves are at one depth"),
                }
                *memory = *memory + node.vectors() - old;
            }
        }
    }

    /// Takes out a child without elements.
    fn drop_child(&mut self, at: usize, memory: &mut usize) {
        self.counts.remove(at);
        *memory -= match &mut self.children {
            Children::Leaves(leaves) => leaves.remove(at).memory(),
            Children::Inners(inners) => inners.remove(at).total_memory(),
        };
        if !self.scores.is_empty() {
            // The left separator of what follows goes up to where the child's left neighbour ends.
            let separator = at.saturating_sub(1);
            self.scores.remove(separator);
            *memory -= self.members.remove(separator).len();
        }
    }

    /// Frees the last leaf.
    fn drop_last(&mut self, memory: &mut usize) {
        let Some(at) = self.counts.len().checked_sub(1) else { return };
        if let Children::Inners(inners) = &mut self.children {
            inners[at].drop_last(memory);
            self.counts[at] = inners[at].len() as u64;
            if self.counts[at] > 0 {
                return;
            }
        }
        self.drop_child(at, memory);
    }

    #[cfg(test)]
    fn check(&self, low: Option<(f64, &[u8])>, high: Option<(f64, &[u8])>, memory: &mut usize) -> usize {
        *memory += self.vectors() + self.members.iter().map(|member| member.len()).sum::<usize>();
        let children = self.counts.len();
        assert!((1..=MOST_CHILDREN).contains(&children), "rules 1 and 2");
        assert!(self.scores.len() == children - 1 && self.members.len() == children - 1);
        let separator = |at: usize| (self.scores[at], &*self.members[at]);
        let mut depths = Vec::new();
        for at in 0..children {
            let low = if at > 0 { Some(separator(at - 1)) } else { low };
            let high = if at + 1 < children { Some(separator(at)) } else { high };
            match &self.children {
                Children::Inners(inners) => {
                    assert_eq!(self.counts[at], inners[at].len() as u64);
                    depths.push(inners[at].check(low, high, memory) + 1);
                }
                Children::Leaves(leaves) => {
                    let leaf = &leaves[at];
                    *memory += leaf.memory();
                    assert!(leaf.len() == 1 || leaf.bytes() <= MOST_BYTES);
                    assert!(leaf.len() > 0 && self.counts[at] == leaf.len() as u64);
                    for index in 1..leaf.len() {
                        assert!(compare(leaf.get(index - 1), leaf.get(index)).is_lt());
                    }
                    assert!(low.is_none_or(|low| compare(low, leaf.first()).is_le()));
                    assert!(high.is_none_or(|high| compare(leaf.last(), high).is_lt()));
                    depths.push(1);
                }
            }
        }
        assert!(depths.windows(2).all(|pair| pair[0] == pair[1]), "rule 1");
        depths[0]
    }
}

impl Clone for Inner {
    fn clone(&self) -> Inner {
        let children = match &self.children {
            Children::Leaves(leaves) => Children::Leaves(leaves.clone()),
            Children::Inners(inners) => Children::Inners(inners.clone()),
        };
        Inner {
            scores: self.scores.clone(),
            members: self.members.clone(),
            counts: self.counts.clone(),
            children,
        }
    }
}

/// The shortest separator between two leaves.
fn separator(left: &Leaf, right: &Leaf) -> (f64, Box<[u8]>) {
    let (below, low) = left.last();
    let (score, high) = right.first();
    if below < score {
        return (score, Box::default());
    }
    let common = low.iter().zip(high).take_while(|(one, other)| one == other).count();
    (score, high[..(common + 1).min(high.len())].into())
}
