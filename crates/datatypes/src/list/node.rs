//! A node of a quicklist: a listpack of neighbouring elements, or one element too large for a listpack.
//!
//! A packed node is never empty. What may still go into a node is decided by estimates on sizes
//! ([`Limits`]), the same ones as Redis's, so that nodes, and with them the payloads of DUMP and the
//! moment when a quicklist is small enough to be one listpack again, come out alike.

use super::{End, Limits, NodeRef};
use crate::listpack::{self, Item, Listpack, Pos};

/// What Redis reckons for the tag, length and backlen of one more element.
const ELEMENT_ESTIMATE: usize = 8;
/// The first allocation of a node's bytes; doubled, it meets the default limit exactly.
const FIRST_BYTES: usize = 128;

/// Some neighbouring elements.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// A listpack, or the element itself.
    bytes: Vec<u8>,
    count: u32,
    plain: bool,
}

impl Node {
    /// A node of this element alone.
    pub fn of(value: &[u8], limits: &Limits) -> Node {
        if limits.is_plain(value) {
            return Node::plain(value.to_vec());
        }
        let mut bytes =
            Vec::with_capacity((listpack::EMPTY_BYTES + listpack::entry_size(value)).max(FIRST_BYTES));
        bytes.extend_from_slice(&listpack::create());
        listpack::push_back(&mut bytes, value);
        Node { bytes, count: 1, plain: false }
    }

    /// A node that is this element.
    pub fn plain(element: Vec<u8>) -> Node {
        Node { bytes: element, count: 1, plain: true }
    }

    /// A node of these elements; none, if there are none.
    pub fn packed(mut bytes: Vec<u8>) -> Option<Node> {
        bytes.shrink_to_fit();
        let count = Listpack::new(&bytes).len();
        let count = u32::try_from(count).expect("a listpack has fewer bytes than that");
        (count > 0).then_some(Node { bytes, count, plain: false })
    }

    /// How many elements it holds.
    #[inline]
    pub fn count(&self) -> usize {
        self.count as usize
    }

    /// Bytes of heap that it holds.
    #[inline]
    pub fn heap(&self) -> usize {
        self.bytes.capacity()
    }

    pub fn is_plain(&self) -> bool {
        self.plain
    }

    /// Its contents.
    pub fn contents(&self) -> NodeRef<'_> {
        if self.plain {
            NodeRef::Plain(&self.bytes)
        } else {
            NodeRef::Packed(Listpack::new(&self.bytes))
        }
    }

    /// Its listpack. It has one: it is not plain.
    #[inline]
    pub fn listpack(&self) -> Listpack<'_> {
        debug_assert!(!self.plain);
        Listpack::new(&self.bytes)
    }

    /// Its listpack's bytes, taken out. It has one: it is not plain.
    pub fn into_listpack(self) -> Vec<u8> {
        assert!(!self.plain, "no listpack");
        self.bytes
    }

    /// The place of an element.
    pub fn place(&self, offset: usize) -> Pos {
        if self.plain {
            return Pos::FIRST;
        }
        self.listpack().at(offset as isize).expect("an element of this node")
    }

    /// Whether the element here is the node's outermost on one side.
    pub fn is_at_end(&self, pos: Pos, toward: End) -> bool {
        match toward {
            End::Front => pos == Pos::FIRST,
            End::Back => self.plain || self.listpack().next(pos).is_none(),
        }
    }

    pub fn get(&self, offset: usize) -> Item<'_> {
        if self.plain {
            return Item::Str(&self.bytes);
        }
        self.listpack().get(self.place(offset))
    }

    /// Its outermost element.
    pub fn end(&self, end: End) -> Item<'_> {
        if self.plain {
            return Item::Str(&self.bytes);
        }
        self.listpack().get(self.place_of_end(end))
    }

    /// The first element equal to this one.
    pub fn find(&self, value: &[u8]) -> Option<Pos> {
        if self.plain {
            return (self.bytes == value).then_some(Pos::FIRST);
        }
        self.listpack().find(value, Pos::FIRST, 1)
    }

    /// Whether one more element may come in.
    #[inline]
    pub fn allows(&self, value: &[u8], limits: &Limits) -> bool {
        let bytes = self.bytes.len() + value.len() + ELEMENT_ESTIMATE;
        !self.plain && !limits.is_plain(value) && !limits.are_exceeded_by(bytes, self.count() + 1)
    }

    /// Whether the next node's elements may come in.
    pub fn allows_merge(&self, next: &Node, limits: &Limits) -> bool {
        let bytes = self.bytes.len() + next.bytes.len() - listpack::EMPTY_BYTES.min(self.bytes.len());
        !self.plain && !next.plain && !limits.are_exceeded_by(bytes, self.count() + next.count())
    }

    #[inline]
    pub fn push(&mut self, value: &[u8], at: End) {
        match at {
            End::Back => listpack::push_back(&mut self.bytes, value),
            End::Front => listpack::push_front(&mut self.bytes, value),
        }
        self.count += 1;
    }

    pub fn insert(&mut self, pos: Pos, value: &[u8], toward: End) {
        match toward {
            End::Back => listpack::insert_after(&mut self.bytes, pos, value),
            End::Front => listpack::insert_before(&mut self.bytes, pos, value),
        };
        self.count += 1;
    }

    pub fn replace(&mut self, pos: Pos, value: &[u8]) {
        listpack::replace(&mut self.bytes, pos, value);
        self.give_back();
    }

    /// Removes the outermost element of a packed node, which is not the only one.
    pub fn pop(&mut self, from: End) {
        debug_assert!(self.count() > 1);
        let pos = self.place_of_end(from);
        listpack::remove(&mut self.bytes, pos);
        self.count -= 1;
        self.give_back();
    }

    /// Removes elements of a packed node; not all of them.
    pub fn remove_range(&mut self, offset: usize, count: usize) {
        debug_assert!(count < self.count());
        listpack::remove_range(&mut self.bytes, offset as isize, count);
        self.count -= count as u32;
        self.give_back();
    }

    /// Removes the elements at these ascending places of a packed node; not all of them.
    pub fn remove_all(&mut self, places: &[Pos]) {
        debug_assert!(places.len() < self.count());
        listpack::remove_all(&mut self.bytes, places);
        self.count -= places.len() as u32;
        self.give_back();
    }

    /// The elements of a packed node from this place on as a node of their own, leaving the others.
    pub fn split_off(&mut self, pos: Pos) -> Node {
        let staying = if pos == Pos::FIRST { 0 } else { self.listpack().iter_from(Pos::FIRST).count() };
        let leaving = self.listpack().iter_from(pos).count();
        let bytes = listpack::split_off(&mut self.bytes, pos, leaving);
        self.count = (staying - leaving) as u32;
        self.seal();
        Node { bytes, count: leaving as u32, plain: false }
    }

    /// Takes in the elements of the next node.
    pub fn append(&mut self, next: Node) {
        listpack::append(&mut self.bytes, next.listpack());
        self.count += next.count;
        self.seal();
    }

    /// Gives back what it had allocated to grow into.
    pub fn seal(&mut self) {
        self.bytes.shrink_to_fit();
    }

    fn place_of_end(&self, end: End) -> Pos {
        match end {
            End::Front => Pos::FIRST,
            End::Back => self.listpack().last().expect("a node is not empty"),
        }
    }

    /// Gives back memory, when it is most of it.
    fn give_back(&mut self) {
        if self.bytes.capacity() > 2 * self.bytes.len() + FIRST_BYTES {
            self.seal();
        }
    }
}
