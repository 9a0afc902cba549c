//! Lists: a listpack while small, a quicklist beyond.
//!
//! ```text
//!     listpack --what is to be added would exceed the limit--> quicklist
//!     quicklist --one node, of at most half the limit, after a removal or replacement--> listpack
//! ```
//!
//! The limit is list-max-listpack-size ([`Limits`]): bytes, or elements and 8 KB. It is the limit of a whole
//! small list and of each node of a large one.
//!
//! 1. A list grows into a quicklist before the elements are added, judged by the sum of all lengths that one
//!    command brings; so LINSERT may convert without inserting. This is how `t_list.c` of Redis 7.2 counts.
//! 2. Removals and replacements convert back, growth never does. Half the limit keeps a list that
//!    goes up and down from being converted each time.
//! 3. A list without elements is for its owner to remove: no key holds one.
//!
//! Not here: what the commands reply, and waiting clients. Reads are on [`ListRef`], which borrows; the
//! quicklist itself is in `list/quicklist.rs`.

mod node;
mod quicklist;
#[cfg(test)]
mod tests;
mod tree;

use crate::listpack::{self, Item, Listpack, Pos};
use quicklist::Elements;

pub use quicklist::{NodeRef, Quicklist};

/// An element this long gets a node of its own, since no listpack may be that long.
pub const PLAIN_FROM: usize = 1 << 30;
/// The most elements that a trim frees itself.
const MOST_FREED: usize = 10_000;
/// What a limit on elements allows in bytes.
const MOST_BYTES_BY_COUNT: usize = 8192;

/// What a listpack may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The setting list-max-listpack-size: so many elements, or from -1 to -5 for 4, 8, 16, 32 and 64 KB.
    pub listpack_size: i32,
    /// Elements of so many bytes are kept apart ([`PLAIN_FROM`]); less only to test that.
    pub plain_from: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { listpack_size: -2, plain_from: PLAIN_FROM }
    }
}

impl Limits {
    /// Whether a listpack of this size would be too large.
    #[inline]
    fn are_exceeded_by(&self, bytes: usize, count: usize) -> bool {
        match self.most() {
            Most::Bytes(most) => bytes > most,
            Most::Elements(most) => bytes > MOST_BYTES_BY_COUNT || count > most,
        }
    }

    /// Whether a quicklist of this one listpack may become it: `divisor` makes the limit a stricter one.
    fn allow_listpack(&self, listpack: Listpack<'_>, divisor: usize) -> bool {
        match self.most() {
            Most::Bytes(most) => listpack.bytes().len() <= most / divisor,
            Most::Elements(most) => listpack.len() <= most / divisor,
        }
    }

    #[inline]
    fn is_plain(&self, value: &[u8]) -> bool {
        value.len() >= self.plain_from
    }

    #[inline]
    fn most(&self) -> Most {
        match self.listpack_size {
            size @ 1.. => Most::Elements(size as usize),
            0 => Most::Elements(1),
            size => Most::Bytes(4096 << (-(i64::from(size)) - 1).min(4)),
        }
    }
}

enum Most {
    Bytes(usize),
    Elements(usize),
}

/// An end of a list, or the way to it: towards its back, an element follows another and an iteration goes forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Where the first element is: left in the names of commands.
    Front,
    /// Where the last element is.
    Back,
}

impl End {
    /// The other one.
    pub fn opposite(self) -> End {
        match self {
            End::Back => End::Front,
            End::Front => End::Back,
        }
    }
}

/// A list.
#[derive(Clone, Debug)]
pub enum List {
    /// Up to the limit: a listpack's bytes.
    Listpack(Vec<u8>),
    /// Beyond.
    Large(Box<Quicklist>),
}

impl Default for List {
    fn default() -> List {
        List::new()
    }
}

impl List {
    /// A list without elements.
    pub fn new() -> List {
        List::Listpack(listpack::create())
    }

    /// The list, to read.
    #[inline]
    pub fn as_ref(&self) -> ListRef<'_> {
        match self {
            List::Listpack(bytes) => ListRef::Listpack(bytes),
            List::Large(list) => ListRef::Large(list),
        }
    }

    /// Adds elements one after the other at an end: the last of them is then outermost.
    pub fn push<'v, I>(&mut self, values: I, at: End, limits: &Limits)
    where
        I: Iterator<Item = &'v [u8]> + Clone,
    {
        let (bytes, count) =
            values.clone().fold((0, 0), |(bytes, count), value| (bytes + value.len(), count + 1));
        self.make_room(bytes, count, limits);
        match self {
            List::Listpack(listpack) => values.for_each(|value| match at {
                End::Back => listpack::push_back(listpack, value),
                End::Front => listpack::push_front(listpack, value),
            }),
            List::Large(list) => values.for_each(|value| list.push(value, at, limits)),
        }
    }

    /// Takes the element at an end out, after `read` has seen it; `None` if there are no elements.
    pub fn pop<R>(&mut self, from: End, limits: &Limits, read: impl FnOnce(Item<'_>) -> R) -> Option<R> {
        match self {
            List::Listpack(bytes) => {
                let listpack = Listpack::new(bytes);
                let pos = if from == End::Back { listpack.last()? } else { listpack.first()? };
                let result = read(listpack.get(pos));
                listpack::remove(bytes, pos);
                Some(result)
            }
            List::Large(list) => {
                let result = list.pop(from, read)?;
                self.shrink(limits);
                Some(result)
            }
        }
    }

    /// Puts an element in the place of another; a negative index counts from the end. False if there is none.
    pub fn set(&mut self, index: i64, value: &[u8], limits: &Limits) -> bool {
        self.make_room(value.len(), 1, limits);
        let Some(index) = self.as_ref().absolute(index) else { return false };
        match self {
            List::Listpack(bytes) => {
                let pos = Listpack::new(bytes).at(index as isize).expect("an element of the list");
                listpack::replace(bytes, pos, value);
            }
            List::Large(list) => {
                list.replace(index, value, limits);
            }
        }
        self.shrink(limits);
        true
    }

    /// Puts an element beside the first one equal to `pivot`: behind it, if towards the back. False if there is none.
    pub fn insert(&mut self, pivot: &[u8], value: &[u8], toward: End, limits: &Limits) -> bool {
        self.make_room(value.len(), 1, limits);
        match self {
            List::Listpack(bytes) => {
                let listpack = Listpack::new(bytes);
                let Some(pos) = listpack.first().and_then(|first| listpack.find(pivot, first, 1)) else {
                    return false;
                };
                match toward {
                    End::Back => listpack::insert_after(bytes, pos, value),
                    End::Front => listpack::insert_before(bytes, pos, value),
                };
                true
            }
            List::Large(list) => list.insert_at(pivot, value, toward, limits),
        }
    }

    /// Removes elements equal to `value`: the first `count`, or the last `-count`, or all if it is 0.
    /// Gives how many they were.
    pub fn remove_equal(&mut self, value: &[u8], count: i64, limits: &Limits) -> usize {
        let toward = if count < 0 { End::Front } else { End::Back };
        let most = match usize::try_from(count.unsigned_abs()) {
            Ok(0) | Err(_) => usize::MAX,
            Ok(most) => most,
        };
        let removed = match self {
            List::Listpack(bytes) => {
                let mut places = Vec::new();
                equal_places(Listpack::new(bytes), value, toward, most, &mut places);
                listpack::remove_all(bytes, &places);
                places.len()
            }
            List::Large(list) => list.remove_equal(value, toward, most),
        };
        if removed > 0 {
            self.shrink(limits);
        }
        removed
    }

    /// Leaves the elements from `first` to `last`; negative indices count from the end.
    pub fn trim(&mut self, first: i64, last: i64, limits: &Limits) -> Trimmed {
        let length = self.as_ref().len();
        let range = self.as_ref().range_of(first, last);
        let mut trimmed = Trimmed { count: length - range.len(), parts: Vec::new() };
        match self {
            List::Listpack(bytes) => {
                // A listpack has fewer elements than an isize can count.
                listpack::remove_range(bytes, range.end as isize, length - range.end);
                listpack::remove_range(bytes, 0, range.start);
            }
            List::Large(list) => {
                if length - range.end > MOST_FREED {
                    trimmed.parts.push(Box::new(list.split_off(range.end)));
                } else {
                    list.remove_range(range.end, length - range.end);
                }
                if range.start > MOST_FREED {
                    let rest = list.split_off(range.start);
                    trimmed.parts.push(Box::new(std::mem::replace(&mut **list, rest)));
                } else {
                    list.remove_range(0, range.start);
                }
            }
        }
        self.shrink(limits);
        trimmed
    }

    /// Removes `count` elements, or as many as there are, from an index on.
    pub fn remove_range(&mut self, from: usize, count: usize, limits: &Limits) {
        match self {
            List::Listpack(bytes) => {
                if let Ok(from) = isize::try_from(from) {
                    listpack::remove_range(bytes, from, count);
                }
            }
            List::Large(list) => list.remove_range(from, count),
        }
        self.shrink(limits);
    }

    /// Chooses the form of a list that was built as a whole: loaded, restored, or stored by SORT.
    pub fn settle(&mut self, limits: &Limits) {
        self.make_room(0, 0, limits);
        self.become_listpack(limits, 1);
    }

    /// Becomes a quicklist, if so many more bytes and elements exceed the limit.
    fn make_room(&mut self, bytes: usize, count: usize, limits: &Limits) {
        let List::Listpack(listpack) = self else { return };
        if limits.are_exceeded_by(listpack.len() + bytes, Listpack::new(listpack).len() + count) {
            let mut list = Box::new(Quicklist::new());
            list.push_packed_node(std::mem::take(listpack));
            *self = List::Large(list);
        }
    }

    /// Becomes a listpack, if it is a quicklist far below the limit.
    fn shrink(&mut self, limits: &Limits) {
        self.become_listpack(limits, 2);
    }

    fn become_listpack(&mut self, limits: &Limits, divisor: usize) {
        let List::Large(list) = self else { return };
        if list.is_empty() {
            *self = List::new();
        } else if list.only_listpack().is_some_and(|listpack| limits.allow_listpack(listpack, divisor)) {
            *self = List::Listpack(list.take_listpack().expect("just looked at"));
        }
    }
}

/// Collects, in ascending order, the places of the first `most` elements equal to `value` on the way to an end.
fn equal_places(listpack: Listpack<'_>, value: &[u8], toward: End, most: usize, places: &mut Vec<Pos>) {
    let limit = if toward == End::Back { most } else { usize::MAX };
    let mut found = listpack.first().and_then(|first| listpack.find(value, first, 1));
    while let Some(pos) = found.filter(|_| places.len() < limit) {
        places.push(pos);
        found = listpack.next(pos).and_then(|next| listpack.find(value, next, 1));
    }
    // Of those found, the last ones were asked for.
    places.drain(..places.len().saturating_sub(most));
}

/// What [`List::trim`] took off.
#[derive(Debug)]
pub struct Trimmed {
    /// How many elements that were.
    pub count: usize,
    /// Those of them that are too many to be freed at once, to be dismantled.
    pub parts: Vec<Box<Quicklist>>,
}

/// A list to read.
#[derive(Clone, Copy, Debug)]
pub enum ListRef<'a> {
    /// A listpack's bytes.
    Listpack(&'a [u8]),
    /// A quicklist.
    Large(&'a Quicklist),
}

impl<'a> ListRef<'a> {
    /// The name of its form, as OBJECT ENCODING tells it.
    pub fn encoding(&self) -> &'static str {
        match self {
            ListRef::Listpack(_) => "listpack",
            ListRef::Large(_) => "quicklist",
        }
    }

    /// How many elements there are.
    #[inline]
    pub fn len(&self) -> usize {
        match self {
            ListRef::Listpack(bytes) => Listpack::new(bytes).len(),
            ListRef::Large(list) => list.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        match self {
            ListRef::Listpack(bytes) => Listpack::new(bytes).is_empty(),
            ListRef::Large(list) => list.is_empty(),
        }
    }

    /// The element of an index; a negative one counts from the end.
    pub fn get(&self, index: i64) -> Option<Item<'a>> {
        self.item(self.absolute(index)?)
    }

    /// All elements from the first to the last.
    pub fn iter(&self) -> Iter<'a> {
        self.iter_from(0, End::Back)
    }

    /// The element of an index, counted from the first, and those from there to an end. Nothing, if there is none.
    pub fn iter_from(&self, index: usize, toward: End) -> Iter<'a> {
        let mut iter = Iter { toward, elements: listpack::Iter::default(), plain: None, beyond: None };
        match *self {
            ListRef::Listpack(bytes) => {
                let listpack = Listpack::new(bytes);
                if let Some(pos) = isize::try_from(index).ok().and_then(|index| listpack.at(index)) {
                    iter.elements = match toward {
                        End::Back => listpack.iter_from(pos),
                        End::Front => listpack.iter_to(pos),
                    };
                }
            }
            ListRef::Large(list) if index < list.len() => iter.enter(list, list.start(index, toward)),
            ListRef::Large(_) => (),
        }
        iter
    }

    /// The indices that LRANGE means by these two: negative ones count from the end, and too large ones are cut.
    /// The range is empty if there are none.
    pub fn range_of(&self, first: i64, last: i64) -> std::ops::Range<usize> {
        let length = self.len() as i64;
        let absolute = |index: i64| if index < 0 { index.saturating_add(length).max(-1) } else { index };
        let (first, last) = (absolute(first).max(0), absolute(last).min(length - 1));
        if first > last {
            return 0..0;
        }
        first as usize..last as usize + 1
    }

    /// The elements that LRANGE gives for these indices.
    pub fn range(&self, first: i64, last: i64) -> std::iter::Take<Iter<'a>> {
        let range = self.range_of(first, last);
        self.iter_from(range.start, End::Back).take(range.len())
    }

    /// The indices of the elements equal to `value`, on the way towards an end, among the first `most` on it.
    /// LPOS skips as many as its rank says, and takes its count.
    pub fn positions<'v>(
        &self,
        value: &'v [u8],
        toward: End,
        most: usize,
    ) -> impl Iterator<Item = usize> + use<'a, 'v> {
        let last = self.len().saturating_sub(1);
        let from = if toward == End::Back { 0 } else { last };
        let number = crate::integer::parse_i64(value);
        self.iter_from(from, toward).take(most).enumerate().filter_map(move |(steps, item)| {
            let is_equal = match item {
                Item::Int(stored) => number == Some(stored),
                Item::Str(text) => text == value,
            };
            is_equal.then(|| if toward == End::Back { steps } else { last - steps })
        })
    }

    fn item(&self, index: usize) -> Option<Item<'a>> {
        match *self {
            ListRef::Listpack(bytes) => {
                let listpack = Listpack::new(bytes);
                Some(listpack.get(listpack.at(isize::try_from(index).ok()?)?))
            }
            ListRef::Large(list) => list.get(index),
        }
    }

    /// The index counted from the first, if there is such an element.
    fn absolute(&self, index: i64) -> Option<usize> {
        let length = self.len();
        let absolute = if index < 0 { index.checked_add(length as i64)? } else { index };
        usize::try_from(absolute).ok().filter(|&index| index < length)
    }
}

/// Elements of a list on the way to an end.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    toward: End,
    /// What is left of the listpack that it is in.
    elements: listpack::Iter<'a>,
    /// A node that is one element, still to come.
    plain: Option<&'a [u8]>,
    /// The node that comes then.
    beyond: Option<(&'a Quicklist, usize)>,
}

impl<'a> Iter<'a> {
    fn enter(&mut self, list: &'a Quicklist, (elements, next): (Elements<'a>, Option<usize>)) {
        match elements {
            Elements::Packed(elements) => self.elements = elements,
            Elements::Plain(element) => self.plain = Some(element),
        }
        self.beyond = next.map(|next| (list, next));
    }

    /// The first element of the next node: apart, so that the way within a node stays short.
    #[cold]
    fn next_node(&mut self) -> Option<Item<'a>> {
        if let Some(element) = self.plain.take() {
            return Some(Item::Str(element));
        }
        let (list, ordinal) = self.beyond.take()?;
        self.enter(list, list.go_on(ordinal, self.toward)?);
        self.next()
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = Item<'a>;

    #[inline]
    fn next(&mut self) -> Option<Item<'a>> {
        let item = match self.toward {
            End::Back => self.elements.next(),
            End::Front => self.elements.next_back(),
        };
        if item.is_some() {
            return item;
        }
        self.next_node()
    }
}

impl std::iter::FusedIterator for Iter<'_> {}
