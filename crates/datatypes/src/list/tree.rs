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
//! 1. Every branch says how many nodes and elements are below it, and what they and the blocks have
//!    allocated; a node changes only within [`Tree::update`]. No block but the root's is empty.
//! 2. A block grown beyond [`FANOUT`] is halved, at the ends of the list unevenly: blocks that are only
//!    pushed to are full. A block that shrinks to a quarter joins its neighbour if both fit.
//! 3. A tree is cut in two along one path ([`Tree::split_off`]), however much falls off.

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
    root: Branch,
}

/// A part of the tree, with its sums.
#[derive(Debug)]
struct Branch {
    nodes: usize,
    elements: usize,
    heap: usize,
    block: Block,
}

#[derive(Debug)]
enum Block {
    Nodes(Vec<Node>),
    Branches(Vec<Branch>),
}

impl Tree {
    pub fn new() -> Tree {
        Tree { root: Branch::of(Block::Nodes(Vec::new())) }
    }

    pub fn nodes(&self) -> usize {
        self.root.nodes
    }

    pub fn elements(&self) -> usize {
        self.root.elements
    }

    pub fn heap(&self) -> usize {
        self.root.heap
    }

    /// The node with the element of this index, which there is, and the element's offset in it.
    pub fn locate(&self, index: usize) -> (usize, usize) {
        assert!(index < self.elements(), "element {index} of {}", self.elements());
        let (mut block, mut ordinal, mut offset) = (&self.root.block, 0, index);
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
        if ordinal >= self.nodes() {
            return None;
        }
        let (mut block, mut ordinal) = (&self.root.block, ordinal);
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
        let mut block = &self.root.block;
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
        self.root.update(ordinal, change).0
    }

    /// Puts a node in, so that it has this ordinal.
    pub fn insert(&mut self, ordinal: usize, node: Node) {
        assert!(ordinal <= self.nodes(), "node {ordinal} of {}", self.nodes());
        if let Some(right) = self.root.insert(ordinal, node) {
            let left = std::mem::replace(&mut self.root, Branch::of(Block::Nodes(Vec::new())));
            let mut branches = Vec::with_capacity(ROOM);
            branches.extend([left, right]);
            self.root = Branch::of(Block::Branches(branches));
        }
    }

    /// Takes a node out, which there is.
    pub fn remove(&mut self, ordinal: usize) -> Node {
        let node = self.root.remove(ordinal);
        self.lower();
        node
    }

    /// Takes the nodes from this ordinal on off.
    pub fn split_off(&mut self, ordinal: usize) -> Tree {
        if ordinal == 0 {
            return std::mem::replace(self, Tree::new());
        }
        if ordinal >= self.nodes() {
            return Tree::new();
        }
        let mut right = Tree { root: self.root.split_off(ordinal) };
        self.lower();
        right.lower();
        right
    }

    /// All nodes, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Node> {
        (0..self.nodes()).map(|ordinal| self.get(ordinal).expect("as many as there are"))
    }

    /// Takes levels away that are one branch wide.
    fn lower(&mut self) {
        while let Block::Branches(branches) = &mut self.root.block {
            if branches.len() > 1 {
                break;
            }
            self.root = branches.pop().expect("a branch");
        }
    }
}

impl Clone for Tree {
    fn clone(&self) -> Tree {
        let mut copy = Tree::new();
        for node in self.iter() {
            copy.insert(copy.nodes(), node.clone());
        }
        copy
    }
}

/// What a change to a node added.
#[derive(Clone, Copy)]
struct Growth {
    elements: isize,
    heap: isize,
}

impl Branch {
    fn of(block: Block) -> Branch {
        let mut branch = Branch { nodes: 0, elements: 0, heap: 0, block };
        branch.recount();
        branch
    }

    /// Sums up its entries, which know their own sums.
    fn recount(&mut self) {
        (self.nodes, self.elements, self.heap) = match &self.block {
            Block::Nodes(nodes) => nodes.iter().fold(
                (nodes.len(), 0, nodes.capacity() * size_of::<Node>()),
                |(count, elements, heap), node| (count, elements + node.count(), heap + node.heap()),
            ),
            Block::Branches(branches) => branches.iter().fold(
                (0, 0, branches.capacity() * size_of::<Branch>()),
                |(nodes, elements, heap), branch| {
                    (nodes + branch.nodes, elements + branch.elements, heap + branch.heap)
                },
            ),
        };
    }

    fn update<R>(&mut self, ordinal: usize, change: impl FnOnce(&mut Node) -> R) -> (R, Growth) {
        let (result, grown) = match &mut self.block {
            Block::Nodes(nodes) => {
                let node = &mut nodes[ordinal];
                let (count, heap) = (node.count() as isize, node.heap() as isize);
                let result = change(node);
                (
                    result,
                    Growth { elements: node.count() as isize - count, heap: node.heap() as isize - heap },
                )
            }
            Block::Branches(branches) => {
                let (at, ordinal) = child_of(branches, ordinal).expect("a node of the tree");
                branches[at].update(ordinal, change)
            }
        };
        self.elements = self.elements.wrapping_add_signed(grown.elements);
        self.heap = self.heap.wrapping_add_signed(grown.heap);
        (result, grown)
    }

    /// Puts a node in; gives what stands behind, if the block had to be split.
    fn insert(&mut self, ordinal: usize, node: Node) -> Option<Branch> {
        let at = match &mut self.block {
            Block::Nodes(nodes) => {
                nodes.insert(ordinal, node);
                ordinal
            }
            Block::Branches(branches) => {
                // A node between two branches joins the first, and the last one takes what comes behind all.
                let (at, ordinal) = match child_of(branches, ordinal) {
                    Some((at, 0)) if at > 0 => (at - 1, branches[at - 1].nodes),
                    Some(found) => found,
                    None => (branches.len() - 1, branches[branches.len() - 1].nodes),
                };
                if let Some(right) = branches[at].insert(ordinal, node) {
                    branches.insert(at + 1, right);
                }
                at + 1
            }
        };
        let length = self.block.len();
        let right = (length > FANOUT).then(|| {
            // Where only one end grows, the blocks left behind stay full.
            let from = match at {
                0 | 1 => 2,
                last if last == length - 1 => FANOUT,
                _ => length / 2,
            };
            Branch::of(self.block.split_at(from))
        });
        self.recount();
        right
    }

    fn remove(&mut self, ordinal: usize) -> Node {
        let node = match &mut self.block {
            Block::Nodes(nodes) => nodes.remove(ordinal),
            Block::Branches(branches) => {
                let (at, ordinal) = child_of(branches, ordinal).expect("a node of the tree");
                let node = branches[at].remove(ordinal);
                match branches[at].block.len() {
                    0 => drop(branches.remove(at)),
                    1..=SMALL => join(branches, at),
                    _ => (),
                }
                node
            }
        };
        self.recount();
        node
    }

    /// Takes the nodes from this ordinal on off; there are some, and not all.
    fn split_off(&mut self, ordinal: usize) -> Branch {
        let right = match &mut self.block {
            Block::Nodes(_) => self.block.split_at(ordinal),
            Block::Branches(branches) => {
                let (at, inner) = child_of(branches, ordinal).expect("a node of the tree");
                let part = (inner > 0).then(|| branches[at].split_off(inner));
                let mut right = split_at(branches, at + usize::from(inner > 0));
                part.into_iter().for_each(|part| right.insert(0, part));
                Block::Branches(right)
            }
        };
        self.recount();
        Branch::of(right)
    }
}

impl Block {
    fn len(&self) -> usize {
        match self {
            Block::Nodes(nodes) => nodes.len(),
            Block::Branches(branches) => branches.len(),
        }
    }

    fn split_at(&mut self, from: usize) -> Block {
        match self {
            Block::Nodes(nodes) => Block::Nodes(split_at(nodes, from)),
            Block::Branches(branches) => Block::Branches(split_at(branches, from)),
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
fn join(branches: &mut Vec<Branch>, at: usize) {
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
    match (&mut branches[left].block, right.block) {
        (Block::Nodes(nodes), Block::Nodes(more)) => extend(nodes, more),
        (Block::Branches(branches), Block::Branches(more)) => extend(branches, more),
        _ => unreachable!("neighbours stand at the same depth"),
    }
    branches[left].recount();
}

/// Adds entries, with room for as many as a block can get.
fn extend<T>(entries: &mut Vec<T>, more: Vec<T>) {
    entries.reserve_exact(ROOM - entries.len());
    entries.extend(more);
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
        self.root.check();
        assert!(!matches!(&self.root.block, Block::Branches(branches) if branches.len() < 2));
    }
}

#[cfg(test)]
impl Branch {
    /// Checks the sums and gives the depth.
    fn check(&self) -> usize {
        assert!(self.block.len() <= FANOUT);
        let (mut nodes, mut elements) = (0, 0);
        let (heap, depth) = match &self.block {
            Block::Nodes(entries) => {
                assert!(entries.iter().all(|node| node.count() > 0));
                nodes += entries.len();
                elements += entries.iter().map(Node::count).sum::<usize>();
                assert!(entries.capacity() <= ROOM);
                (entries.capacity() * size_of::<Node>() + entries.iter().map(Node::heap).sum::<usize>(), 0)
            }
            Block::Branches(entries) => {
                let depths: Vec<usize> = entries.iter().map(Branch::check).collect();
                assert!(depths.iter().all(|depth| *depth == depths[0]));
                assert!(entries.iter().all(|branch| branch.block.len() > 0));
                nodes += entries.iter().map(|branch| branch.nodes).sum::<usize>();
                elements += entries.iter().map(|branch| branch.elements).sum::<usize>();
                let below: usize = entries.iter().map(|branch| branch.heap).sum();
                (entries.capacity() * size_of::<Branch>() + below, depths[0] + 1)
            }
        };
        assert_eq!((self.nodes, self.elements, self.heap), (nodes, elements, heap));
        depth
    }
}
