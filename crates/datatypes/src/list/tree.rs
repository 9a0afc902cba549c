//! The order of a quicklist's nodes: a tree that counts them and their elements.
//!
//! ```text
//!     root    | branch | branch |        each with the sums of what is below
//!     block      | branch | branch | branch |
//!     block         | node | node | node | ..     all nodes at the same depth
//! ```
//!
//! Nodes are named by their ordinal. Finding the node of an element's index, reaching a node, and putting
//! one in or taking one out touch one block of at most [`FANOUT`] entries on each level: a list of ten
//! million small elements has 22,000 nodes and three levels.
//!
//! 1. Every branch says how many nodes and elements are below it; no block but the root is empty.
//! 2. A block grown beyond [`FANOUT`] is halved, at the ends of the list unevenly: blocks that are only
//!    pushed to are full. A block that shrinks to a quarter joins its neighbour if both fit.
//! 3. `heap` is what all nodes and blocks have allocated: a node changes only within [`Tree::update`].

use super::node::Node;
use super::End;

/// The most entries of a block: 1.3 KB, which an insertion moves within. One more is there until it is split,
/// and that makes an even allocation.
const FANOUT: usize = 31;
const ROOM: usize = FANOUT + 1;
/// A block of so many entries looks for a neighbour to join.
const SMALL: usize = FANOUT / 4;

/// Nodes in order.
#[derive(Debug)]
pub(super) struct Tree {
    root: Block,
    nodes: usize,
    elements: usize,
    heap: usize,
}

#[derive(Debug)]
enum Block {
    Nodes(Vec<Node>),
    Branches(Vec<Branch>),
}

#[derive(Debug)]
struct Branch {
    nodes: usize,
    elements: usize,
    block: Block,
}

impl Tree {
    pub fn new() -> Tree {
        let root = Block::Nodes(Vec::new());
        Tree { nodes: 0, elements: 0, heap: root.heap(), root }
    }

    pub fn nodes(&self) -> usize {
        self.nodes
    }

    pub fn elements(&self) -> usize {
        self.elements
    }

    pub fn heap(&self) -> usize {
        self.heap
    }

    /// The node with the element of this index, which there is, and the element's offset in it.
    pub fn locate(&self, index: usize) -> (usize, usize) {
        assert!(index < self.elements, "element {index} of {}", self.elements);
        let (mut block, mut ordinal, mut offset) = (&self.root, 0, index);
        while let Block::Branches(branches) = block {
            let mut at = 0;
            while offset >= branches[at].elements {
                offset -= branches[at].elements;
                ordinal += branches[at].nodes;
                at += 1;
            }
            block = &branches[at].block;
        }
        let Block::Nodes(nodes) = block else { unreachable!("branches were passed") };
        let mut at = 0;
        while offset >= nodes[at].count() {
            offset -= nodes[at].count();
            at += 1;
        }
        (ordinal + at, offset)
    }

    /// A node, if there is one of this ordinal.
    pub fn get(&self, ordinal: usize) -> Option<&Node> {
        if ordinal >= self.nodes {
            return None;
        }
        let (mut block, mut ordinal) = (&self.root, ordinal);
        loop {
            match block {
                Block::Branches(branches) => {
                    let at;
                    (at, ordinal) = child_of(branches, ordinal)?;
                    block = &branches[at].block;
                }
                Block::Nodes(nodes) => return nodes.get(ordinal),
            }
        }
    }

    /// The outermost node, if there are any.
    pub fn end(&self, end: End) -> Option<&Node> {
        let mut block = &self.root;
        loop {
            match (block, end) {
                (Block::Branches(branches), End::Front) => block = &branches.first()?.block,
                (Block::Branches(branches), End::Back) => block = &branches.last()?.block,
                (Block::Nodes(nodes), End::Front) => return nodes.first(),
                (Block::Nodes(nodes), End::Back) => return nodes.last(),
            }
        }
    }

    /// Changes a node, which there is.
    pub fn update<R>(&mut self, ordinal: usize, change: impl FnOnce(&mut Node) -> R) -> R {
        let mut grown = Growth::default();
        let result = self.root.update(ordinal, change, &mut grown);
        self.elements = self.elements.wrapping_add_signed(grown.elements);
        self.heap = self.heap.wrapping_add_signed(grown.heap);
        result
    }

    /// Puts a node in, so that it has this ordinal.
    pub fn insert(&mut self, ordinal: usize, node: Node) {
        assert!(ordinal <= self.nodes, "node {ordinal} of {}", self.nodes);
        self.nodes += 1;
        self.elements += node.count();
        self.heap += node.heap();
        if let Some(right) = self.root.insert(ordinal, node, &mut self.heap) {
            let left = std::mem::replace(&mut self.root, Block::Branches(Vec::with_capacity(ROOM)));
            let Block::Branches(branches) = &mut self.root else { unreachable!("just made") };
            branches.push(Branch::of(left));
            branches.push(right);
            self.heap += self.root.heap();
        }
    }

    /// Takes a node out, which there is.
    pub fn remove(&mut self, ordinal: usize) -> Node {
        let node = self.root.remove(ordinal, &mut self.heap);
        self.nodes -= 1;
        self.elements -= node.count();
        self.heap -= node.heap();
        while let Block::Branches(branches) = &mut self.root {
            if branches.len() > 1 {
                break;
            }
            let only = branches.pop().expect("a branch");
            self.heap -= self.root.heap();
            self.root = only.block;
        }
        node
    }

    /// All nodes, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Node> {
        (0..self.nodes).map(|ordinal| self.get(ordinal).expect("as many as there are"))
    }
}

impl Clone for Tree {
    fn clone(&self) -> Tree {
        let mut copy = Tree::new();
        for node in self.iter() {
            copy.insert(copy.nodes, node.clone());
        }
        copy
    }
}

/// What a change to a node added.
#[derive(Default)]
struct Growth {
    elements: isize,
    heap: isize,
}

impl Branch {
    fn of(block: Block) -> Branch {
        let (nodes, elements) = match &block {
            Block::Nodes(nodes) => (nodes.len(), nodes.iter().map(Node::count).sum()),
            Block::Branches(branches) => (
                branches.iter().map(|branch| branch.nodes).sum(),
                branches.iter().map(|branch| branch.elements).sum(),
            ),
        };
        Branch { nodes, elements, block }
    }
}

impl Block {
    fn len(&self) -> usize {
        match self {
            Block::Nodes(nodes) => nodes.len(),
            Block::Branches(branches) => branches.len(),
        }
    }

    /// Bytes of its own entries.
    fn heap(&self) -> usize {
        match self {
            Block::Nodes(nodes) => nodes.capacity() * size_of::<Node>(),
            Block::Branches(branches) => branches.capacity() * size_of::<Branch>(),
        }
    }

    fn update<R>(&mut self, ordinal: usize, change: impl FnOnce(&mut Node) -> R, grown: &mut Growth) -> R {
        match self {
            Block::Nodes(nodes) => {
                let node = &mut nodes[ordinal];
                let (count, heap) = (node.count(), node.heap());
                let result = change(node);
                grown.elements = node.count() as isize - count as isize;
                grown.heap = node.heap() as isize - heap as isize;
                result
            }
            Block::Branches(branches) => {
                let (at, ordinal) = child_of(branches, ordinal).expect("a node of the tree");
                let branch = &mut branches[at];
                let result = branch.block.update(ordinal, change, grown);
                branch.elements = branch.elements.wrapping_add_signed(grown.elements);
                result
            }
        }
    }

    /// Puts a node in; gives what stands behind, if the block had to be split.
    fn insert(&mut self, ordinal: usize, node: Node, heap: &mut usize) -> Option<Branch> {
        let at = match self {
            Block::Nodes(nodes) => {
                insert_into(nodes, ordinal, node, heap);
                ordinal
            }
            Block::Branches(branches) => {
                // A node between two branches joins the first, so that pushing at the end does not descend elsewhere.
                let (at, ordinal) = match child_of(branches, ordinal) {
                    Some((at, 0)) if at > 0 => (at - 1, branches[at - 1].nodes),
                    Some(found) => found,
                    None => (branches.len() - 1, branches[branches.len() - 1].nodes),
                };
                let branch = &mut branches[at];
                branch.nodes += 1;
                branch.elements += node.count();
                let right = branch.block.insert(ordinal, node, heap)?;
                branch.nodes -= right.nodes;
                branch.elements -= right.elements;
                insert_into(branches, at + 1, right, heap);
                at + 1
            }
        };
        if self.len() <= FANOUT {
            return None;
        }
        // Where only one end grows, the blocks left behind stay full.
        let from = match at {
            0 | 1 => 2,
            last if last == self.len() - 1 => FANOUT,
            _ => self.len() / 2,
        };
        let right = match self {
            Block::Nodes(nodes) => Block::Nodes(split_at(nodes, from)),
            Block::Branches(branches) => Block::Branches(split_at(branches, from)),
        };
        *heap += right.heap();
        Some(Branch::of(right))
    }

    fn remove(&mut self, ordinal: usize, heap: &mut usize) -> Node {
        match self {
            Block::Nodes(nodes) => nodes.remove(ordinal),
            Block::Branches(branches) => {
                let (at, ordinal) = child_of(branches, ordinal).expect("a node of the tree");
                let branch = &mut branches[at];
                let node = branch.block.remove(ordinal, heap);
                branch.nodes -= 1;
                branch.elements -= node.count();
                match branch.block.len() {
                    0 => *heap -= branches.remove(at).block.heap(),
                    1..=SMALL => join(branches, at, heap),
                    _ => (),
                }
                node
            }
        }
    }
}

/// The branch with the node of this ordinal, and its ordinal there.
fn child_of(branches: &[Branch], ordinal: usize) -> Option<(usize, usize)> {
    let mut ordinal = ordinal;
    for (at, branch) in branches.iter().enumerate() {
        if ordinal < branch.nodes {
            return Some((at, ordinal));
        }
        ordinal -= branch.nodes;
    }
    None
}

/// Joins a small block with a neighbour, if there is room.
fn join(branches: &mut Vec<Branch>, at: usize, heap: &mut usize) {
    let fits = |left: usize| {
        left + 1 < branches.len()
            && branches[left].block.len() + branches[left + 1].block.len() <= FANOUT * 3 / 4
    };
    let left = match at.checked_sub(1) {
        Some(before) if fits(before) => before,
        _ if fits(at) => at,
        _ => return,
    };
    let right = branches.remove(left + 1);
    *heap -= right.block.heap();
    let branch = &mut branches[left];
    branch.nodes += right.nodes;
    branch.elements += right.elements;
    match (&mut branch.block, right.block) {
        (Block::Nodes(nodes), Block::Nodes(more)) => extend(nodes, more, heap),
        (Block::Branches(branches), Block::Branches(more)) => extend(branches, more, heap),
        _ => unreachable!("neighbours stand at the same depth"),
    }
}

fn insert_into<T>(entries: &mut Vec<T>, at: usize, entry: T, heap: &mut usize) {
    let before = entries.capacity();
    entries.insert(at, entry);
    *heap += (entries.capacity() - before) * size_of::<T>();
}

fn extend<T>(entries: &mut Vec<T>, more: Vec<T>, heap: &mut usize) {
    let before = entries.capacity();
    entries.extend(more);
    *heap += (entries.capacity() - before) * size_of::<T>();
}

/// The entries from an index on, with room for as many as a block can get.
fn split_at<T>(entries: &mut Vec<T>, from: usize) -> Vec<T> {
    let mut right = Vec::with_capacity(ROOM);
    right.extend(entries.drain(from..));
    right
}

#[cfg(test)]
impl Tree {
    /// Checks what the narrative promises.
    pub fn check(&self) {
        fn check(block: &Block, is_root: bool) -> (usize, usize, usize, usize) {
            assert!(block.len() <= FANOUT && (is_root || block.len() > 0));
            let mut sums = (0, 0, block.heap(), 0);
            match block {
                Block::Nodes(nodes) => {
                    for node in nodes {
                        assert!(node.count() > 0);
                        sums.0 += 1;
                        sums.1 += node.count();
                        sums.2 += node.heap();
                    }
                }
                Block::Branches(branches) => {
                    assert!(!is_root || branches.len() > 1);
                    let mut depths = Vec::new();
                    for branch in branches {
                        let (nodes, elements, heap, depth) = check(&branch.block, false);
                        assert_eq!((branch.nodes, branch.elements), (nodes, elements));
                        sums.0 += nodes;
                        sums.1 += elements;
                        sums.2 += heap;
                        depths.push(depth);
                    }
                    assert!(depths.iter().all(|depth| *depth == depths[0]));
                    sums.3 = depths[0] + 1;
                }
            }
            sums
        }
        let (nodes, elements, heap, _) = check(&self.root, true);
        assert_eq!((self.nodes, self.elements, self.heap), (nodes, elements, heap));
    }
}
