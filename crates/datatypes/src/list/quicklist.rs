//! The large form of a list: listpacks of a few KB each, in a counted tree.
//!
//! ```text
//!     tree --> node --> node --> node ..        node: a listpack up to the limit, or one huge element
//! ```
//!
//! Pushing, popping, finding an index and changing one place work on one node and one path of the tree,
//! so the largest list takes some microseconds. Walking borrows the elements.
//!
//! Which node an element goes into, when a full node is split and when neighbours join, is as in Redis's
//! `quicklist.c`: the payload of DUMP shows the nodes, and `list.rs` asks whether there is but one.
//!
//! 1. No node is empty. 2. Only an insertion into a full node joins neighbours; removals leave small nodes.
//! 3. A replacement stays in its node and may make it larger than the limit.

use super::node::Node;
use super::tree::Tree;
use super::{equal_places, End, Limits};
use crate::listpack::{Item, Iter, Listpack, Pos};

/// A node's contents, for who writes them out.
#[derive(Clone, Copy, Debug)]
pub enum NodeRef<'a> {
    /// A listpack with elements.
    Packed(Listpack<'a>),
    /// One element.
    Plain(&'a [u8]),
}

/// A list of many elements.
#[derive(Clone, Debug)]
pub struct Quicklist {
    tree: Tree,
}

impl Default for Quicklist {
    fn default() -> Quicklist {
        Quicklist::new()
    }
}

impl Quicklist {
    /// A list without elements.
    pub fn new() -> Quicklist {
        Quicklist { tree: Tree::new() }
    }

    /// How many elements there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.tree.elements()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of heap that it holds, itself included.
    pub fn memory(&self) -> usize {
        size_of::<Quicklist>() + self.tree.heap()
    }

    /// How many nodes there are.
    pub fn node_count(&self) -> usize {
        self.tree.nodes()
    }

    /// The nodes from first to last.
    pub fn nodes(&self) -> impl Iterator<Item = NodeRef<'_>> {
        self.tree.iter().map(Node::contents)
    }

    /// The element of an index, counted from the first.
    pub fn get(&self, index: usize) -> Option<Item<'_>> {
        if index >= self.len() {
            return None;
        }
        let (ordinal, offset) = self.tree.locate(index);
        Some(self.node(ordinal).get(offset))
    }

    /// The elements from an index, which there is, to the end of its node, and the next node's ordinal.
    pub(super) fn start(&self, index: usize, toward: End) -> (Elements<'_>, Option<usize>) {
        let (ordinal, offset) = self.tree.locate(index);
        let node = self.node(ordinal);
        let elements = match node.contents() {
            NodeRef::Plain(element) => Elements::Plain(element),
            NodeRef::Packed(listpack) => Elements::Packed(match toward {
                End::Back => listpack.iter_from(node.place(offset)),
                End::Front => listpack.iter_to(node.place(offset)),
            }),
        };
        (elements, next_ordinal(ordinal, toward))
    }

    /// The elements of a node, if there is one of this ordinal, and the next one's ordinal.
    pub(super) fn go_on(&self, ordinal: usize, toward: End) -> Option<(Elements<'_>, Option<usize>)> {
        let elements = match self.tree.get(ordinal)?.contents() {
            NodeRef::Plain(element) => Elements::Plain(element),
            NodeRef::Packed(listpack) => Elements::Packed(listpack.iter()),
        };
        Some((elements, next_ordinal(ordinal, toward)))
    }

    /// Adds a node of these elements at the end. A listpack without elements adds nothing.
    pub fn push_packed_node(&mut self, listpack: Vec<u8>) {
        if let Some(node) = Node::packed(listpack) {
            self.tree.insert(self.tree.nodes(), node);
        }
    }

    /// Adds a node that is this element at the end.
    pub fn push_plain_node(&mut self, element: Vec<u8>) {
        self.tree.insert(self.tree.nodes(), Node::plain(element));
    }

    /// Adds an element at an end.
    pub fn push(&mut self, value: &[u8], at: End, limits: &Limits) {
        let last = self.tree.nodes().checked_sub(1);
        let pushed = last.is_some_and(|last| {
            let end = if at == End::Back { last } else { 0 };
            self.tree.update(end, |node| {
                let allowed = node.allows(value, limits);
                if allowed {
                    node.push(value, at);
                } else {
                    node.seal();
                }
                allowed
            })
        });
        if !pushed {
            let ordinal = if at == End::Back { self.tree.nodes() } else { 0 };
            self.tree.insert(ordinal, Node::of(value, limits));
        }
    }

    /// Takes the outermost element out, after `read` has seen it; `None` if there are no elements.
    pub fn pop<R>(&mut self, from: End, read: impl FnOnce(Item<'_>) -> R) -> Option<R> {
        let node = self.tree.end(from)?;
        let result = read(node.end(from));
        let is_last = node.count() == 1;
        let ordinal = if from == End::Back { self.tree.nodes() - 1 } else { 0 };
        if is_last {
            self.tree.remove(ordinal);
        } else {
            self.tree.update(ordinal, |node| node.pop(from));
        }
        Some(result)
    }

    /// Puts an element in the place of another; false if there is no such index.
    pub fn replace(&mut self, index: usize, value: &[u8], limits: &Limits) -> bool {
        if index >= self.len() {
            return false;
        }
        let (ordinal, offset) = self.tree.locate(index);
        let (is_plain, pos) = (self.node(ordinal).is_plain(), self.node(ordinal).place(offset));
        if is_plain {
            self.insert(ordinal, pos, value, End::Back, limits);
            self.tree.remove(ordinal);
        } else if limits.is_plain(value) {
            self.insert(ordinal, pos, value, End::Back, limits);
            self.remove_from_node(ordinal, offset, 1);
        } else {
            self.tree.update(ordinal, |node| node.replace(pos, value));
        }
        true
    }

    /// Puts an element beside the first one equal to `pivot`: behind it, if towards the back. False if there is none.
    pub fn insert_at(&mut self, pivot: &[u8], value: &[u8], toward: End, limits: &Limits) -> bool {
        let found =
            self.tree.iter().enumerate().find_map(|(ordinal, node)| Some((ordinal, node.find(pivot)?)));
        let Some((ordinal, pos)) = found else { return false };
        self.insert(ordinal, pos, value, toward, limits);
        true
    }

    /// Removes `count` elements, or as many as there are, from an index on.
    pub fn remove_range(&mut self, from: usize, count: usize) {
        if from >= self.len() {
            return;
        }
        let (mut ordinal, mut offset) = self.tree.locate(from);
        let mut left = count.min(self.len() - from);
        while left > 0 {
            let here = (self.node(ordinal).count() - offset).min(left);
            if !self.remove_from_node(ordinal, offset, here) {
                ordinal += 1;
            }
            offset = 0;
            left -= here;
        }
    }

    /// Takes the elements from an index on off. This takes some microseconds, however many they are.
    pub fn split_off(&mut self, index: usize) -> Quicklist {
        if index >= self.len() {
            return Quicklist::new();
        }
        let (ordinal, offset) = self.tree.locate(index);
        if offset == 0 {
            return Quicklist { tree: self.tree.split_off(ordinal) };
        }
        // Within a node, which then is no plain one.
        let pos = self.node(ordinal).place(offset);
        let part = self.tree.update(ordinal, |node| node.split_off(pos));
        let mut tree = self.tree.split_off(ordinal + 1);
        tree.insert(0, part);
        Quicklist { tree }
    }

    /// Removes the first `most` elements equal to `value` on the way to an end; gives how many they were.
    pub fn remove_equal(&mut self, value: &[u8], toward: End, most: usize) -> usize {
        let (mut removed, mut places) = (0, Vec::new());
        let mut next = if toward == End::Back { Some(0) } else { self.tree.nodes().checked_sub(1) };
        while let Some(ordinal) = next.filter(|_| removed < most) {
            let Some(node) = self.tree.get(ordinal) else { break };
            places.clear();
            match node.contents() {
                NodeRef::Plain(element) if element == value => places.push(Pos::FIRST),
                NodeRef::Plain(_) => (),
                NodeRef::Packed(listpack) => {
                    equal_places(listpack, value, toward, most - removed, &mut places)
                }
            }
            removed += places.len();
            let is_gone = places.len() == node.count();
            if is_gone {
                self.tree.remove(ordinal);
            } else if !places.is_empty() {
                self.tree.update(ordinal, |node| node.remove_all(&places));
            }
            next = match toward {
                // The next node has come up to this one's place.
                End::Back if is_gone => Some(ordinal),
                toward => next_ordinal(ordinal, toward),
            };
        }
        removed
    }

    /// The only node's listpack, taken out, if there is but one and it is one.
    pub(super) fn take_listpack(&mut self) -> Option<Vec<u8>> {
        let is_listpack = self.tree.nodes() == 1 && !self.node(0).is_plain();
        is_listpack.then(|| self.tree.remove(0).into_listpack())
    }

    /// The bytes of the only node's listpack, if there is but one and it is one.
    pub(super) fn only_listpack(&self) -> Option<Listpack<'_>> {
        let is_listpack = self.tree.nodes() == 1 && !self.node(0).is_plain();
        is_listpack.then(|| self.node(0).listpack())
    }

    /// Frees at most so many nodes; true when nothing is left.
    pub fn dismantle(&mut self, steps: usize) -> bool {
        for _ in 0..steps {
            let Some(last) = self.tree.nodes().checked_sub(1) else { return true };
            self.tree.remove(last);
        }
        self.tree.nodes() == 0
    }

    fn node(&self, ordinal: usize) -> &Node {
        self.tree.get(ordinal).expect("a node of the list")
    }

    /// Whether there is this node and one more element may come in.
    fn allows(&self, ordinal: usize, value: &[u8], limits: &Limits) -> bool {
        self.tree.get(ordinal).is_some_and(|node| node.allows(value, limits))
    }

    /// Puts an element beside the one at `pos` of a node.
    fn insert(&mut self, ordinal: usize, pos: Pos, value: &[u8], toward: End, limits: &Limits) {
        let node = self.node(ordinal);
        // The neighbour on the side of the new element, and where a node between the two would stand.
        let (neighbour, between) = match toward {
            End::Back => (Some(ordinal + 1), ordinal + 1),
            End::Front => (ordinal.checked_sub(1), ordinal),
        };
        if node.allows(value, limits) {
            self.tree.update(ordinal, |node| node.insert(pos, value, toward));
        } else if node.is_plain() || node.is_at_end(pos, toward) {
            match neighbour {
                Some(neighbour) if self.allows(neighbour, value, limits) => {
                    self.tree.update(neighbour, |node| node.push(value, toward.opposite()));
                }
                _ => self.tree.insert(between, Node::of(value, limits)),
            }
        } else {
            self.split_around(ordinal, pos, value, toward, limits);
        }
    }

    /// Splits a full node beside the element at `pos` and puts another one there.
    fn split_around(&mut self, ordinal: usize, pos: Pos, value: &[u8], toward: End, limits: &Limits) {
        let from = match toward {
            End::Front => pos,
            End::Back => self.node(ordinal).listpack().next(pos).expect("it is not the last"),
        };
        let tail = self.tree.update(ordinal, |node| node.split_off(from));
        self.tree.insert(ordinal + 1, tail);
        if limits.is_plain(value) {
            self.tree.insert(ordinal + 1, Node::of(value, limits));
            return;
        }
        // The new element goes to the part without the pivot, even if that part is full already: the
        // joining below starts from the part with the pivot.
        let (pivot, other) = match toward {
            End::Back => (ordinal, ordinal + 1),
            End::Front => (ordinal + 1, ordinal),
        };
        self.tree.update(other, |node| node.push(value, toward.opposite()));
        self.join_around(pivot, limits);
    }

    /// Joins small nodes: the two before `center`, the two behind it, and it with what is then beside it.
    fn join_around(&mut self, center: usize, limits: &Limits) {
        let mut center = center;
        if center >= 2 && self.join(center - 2, limits) {
            center -= 1;
        }
        self.join(center + 1, limits);
        if center >= 1 && self.join(center - 1, limits) {
            center -= 1;
        }
        self.join(center, limits);
    }

    /// Joins a node and the next one, if both are there and small enough.
    fn join(&mut self, left: usize, limits: &Limits) -> bool {
        let (Some(node), Some(next)) = (self.tree.get(left), self.tree.get(left + 1)) else { return false };
        if !node.allows_merge(next, limits) {
            return false;
        }
        let next = self.tree.remove(left + 1);
        self.tree.update(left, |node| node.append(next));
        true
    }

    /// Removes elements of a node; true if that were all and it is gone.
    fn remove_from_node(&mut self, ordinal: usize, offset: usize, count: usize) -> bool {
        let is_gone = self.node(ordinal).count() == count;
        if is_gone {
            self.tree.remove(ordinal);
        } else {
            self.tree.update(ordinal, |node| node.remove_range(offset, count));
        }
        is_gone
    }

    #[cfg(test)]
    pub(super) fn check(&self) {
        self.tree.check();
        for node in self.nodes() {
            if let NodeRef::Packed(listpack) = node {
                assert!(Listpack::validate(listpack.bytes()).is_some());
            }
        }
    }
}

/// Elements of a node still to come.
pub(super) enum Elements<'a> {
    Packed(Iter<'a>),
    Plain(&'a [u8]),
}

fn next_ordinal(ordinal: usize, toward: End) -> Option<usize> {
    match toward {
        End::Back => Some(ordinal + 1),
        End::Front => ordinal.checked_sub(1),
    }
}
