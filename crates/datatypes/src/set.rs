//! Sets: distinct byte strings.
//!
//! ```text
//!     intset     integers, ascending                  up to set-max-intset-entries
//!     listpack   strings and integers as they came    up to set-max-listpack-entries of set-max-listpack-value bytes
//!     hashtable  a dict of members without values
//!
//!     (first member) --integer--> intset --no integer--> listpack --too many, too long--> hashtable
//!                    --other----------------------------> listpack
//! ```
//!
//! 1. A set changes its encoding exactly where Redis 7.2 does, for OBJECT ENCODING and DUMP show it: when a member
//!    is added ([`Set::add`]), when a command announces many ([`Set::for_members`], [`Set::expect`]), and when
//!    nearly all members are popped ([`Set::pop_many`]).
//! 2. Otherwise nothing leads back: a set that shrinks keeps its encoding.
//! 3. A member that is an integer in canonical form may be stored as one; [`Item`]s of both kinds are equal if they
//!    print the same.
//!
//! Algebra of several sets is in `algebra.rs`. Not here: keys, replies, and what becomes of a set without members.

mod algebra;
#[cfg(test)]
mod tests;

use crate::dict::{self, below, keyed_hash, Dict, Selection};
use crate::integer::parse_i64;
use crate::intset::{self, Intset};
use crate::listpack::{self, Item, Listpack};
pub use algebra::{difference, intersect, intersection, union};
use std::mem;

/// When a set outgrows its encoding.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most members of an intset: set-max-intset-entries.
    pub intset_entries: usize,
    /// Most members of a listpack: set-max-listpack-entries.
    pub listpack_entries: usize,
    /// Most bytes of a member in a listpack: set-max-listpack-value.
    pub listpack_value: usize,
    /// The secret of the node, which seeds the hashes of large sets.
    pub hash_seed: u64,
}

impl Limits {
    /// Those of a configuration that does not mention them.
    pub fn with_seed(hash_seed: u64) -> Limits {
        Limits { intset_entries: 512, listpack_entries: 128, listpack_value: 64, hash_seed }
    }

    /// An intset has no more than 2^30 members, whatever the configuration says.
    fn most_integers(&self) -> usize {
        self.intset_entries.min(1 << 30)
    }
}

/// A large set.
#[derive(Clone, Debug)]
pub struct LargeSet {
    members: Dict,
}

impl LargeSet {
    fn new(seed: u64) -> LargeSet {
        LargeSet { members: Dict::new(seed) }
    }

    /// Bytes of heap that it holds, itself included.
    pub fn memory(&self) -> usize {
        mem::size_of::<LargeSet>() + self.members.memory()
    }

    /// Frees about so many of its pieces; whether nothing is left.
    pub fn dismantle(&mut self, steps: usize) -> bool {
        self.members.dismantle(steps)
    }
}

/// A set to be changed.
#[derive(Clone, Debug)]
pub enum Set {
    /// Integers.
    Intset(Vec<u8>),
    /// A few short members.
    Listpack(Vec<u8>),
    /// Any members.
    Large(Box<LargeSet>),
}

/// A set to be read.
#[derive(Clone, Copy, Debug)]
pub enum SetRef<'a> {
    /// Integers.
    Intset(&'a [u8]),
    /// A few short members.
    Listpack(&'a [u8]),
    /// Any members.
    Large(&'a LargeSet),
}

impl Default for Set {
    fn default() -> Set {
        Set::new()
    }
}

impl Set {
    /// A set without members: an intset, until it is known better.
    pub fn new() -> Set {
        Set::Intset(intset::create())
    }

    /// A set without members that is about to take `count` of them, of which `first` is one.
    pub fn for_members(first: &[u8], count: usize, limits: &Limits) -> Set {
        if count <= limits.intset_entries && parse_i64(first).is_some() {
            Set::new()
        } else if count <= limits.listpack_entries {
            Set::Listpack(listpack::create())
        } else {
            // Sets that begin with the same member may still be of another size.
            Set::Large(Box::new(LargeSet::new(keyed_hash(limits.hash_seed ^ count as u64, first))))
        }
    }

    /// To read.
    pub fn as_ref(&self) -> SetRef<'_> {
        match self {
            Set::Intset(bytes) => SetRef::Intset(bytes),
            Set::Listpack(bytes) => SetRef::Listpack(bytes),
            Set::Large(large) => SetRef::Large(large),
        }
    }

    /// How many members it has.
    pub fn len(&self) -> usize {
        self.as_ref().len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.as_ref().is_empty()
    }

    /// `count` members are about to be added: converts a set that these alone would make large.
    pub fn expect(&mut self, count: usize, limits: &Limits) {
        let most = match self {
            Set::Intset(_) => limits.intset_entries,
            Set::Listpack(_) => limits.listpack_entries,
            Set::Large(_) => return,
        };
        if count > most {
            self.enlarge(limits);
        }
    }

    /// Makes this string a member; false if it was one.
    pub fn add(&mut self, member: &[u8], limits: &Limits) -> bool {
        match self {
            Set::Large(large) => return large.members.add(member, &[]),
            Set::Intset(bytes) => {
                if let Some(number) = parse_i64(member) {
                    let new = intset::add(bytes, number);
                    if new && Intset::new(bytes).len() > limits.most_integers() {
                        self.enlarge(limits);
                    }
                    return new;
                }
                if !self.unpack(member.len(), limits) {
                    self.enlarge(limits);
                }
            }
            Set::Listpack(bytes) => {
                let pack = Listpack::new(bytes);
                if pack.first().is_some_and(|first| pack.find(member, first, 1).is_some()) {
                    return false;
                }
                let fits = pack.len() < limits.listpack_entries
                    && member.len() <= limits.listpack_value
                    && listpack::safe_to_add(bytes, member.len());
                if !fits {
                    self.enlarge(limits);
                }
            }
        }
        // The member is new, and the set has an encoding that takes it.
        match self {
            Set::Listpack(bytes) => listpack::push_back(bytes, member),
            Set::Large(large) => {
                large.members.add(member, &[]);
            }
            Set::Intset(_) => unreachable!("an intset was converted for a member that is no integer"),
        }
        true
    }

    /// Makes an item a member; false if it was one.
    pub fn add_item(&mut self, item: Item<'_>, limits: &Limits) -> bool {
        item.with_bytes(|member| self.add(member, limits))
    }

    /// Ends a membership; false if there was none.
    pub fn remove(&mut self, member: &[u8]) -> bool {
        match self {
            Set::Intset(bytes) => parse_i64(member).is_some_and(|number| intset::remove(bytes, number)),
            Set::Listpack(bytes) => {
                let pack = Listpack::new(bytes);
                let Some(pos) = pack.first().and_then(|first| pack.find(member, first, 1)) else {
                    return false;
                };
                listpack::remove(bytes, pos);
                true
            }
            Set::Large(large) => large.members.remove(member),
        }
    }

    /// Takes out a random member and tells it; whether there was one.
    pub fn pop(&mut self, draw: &mut dyn FnMut() -> u64, f: &mut dyn FnMut(Item<'_>)) -> bool {
        if self.is_empty() {
            return false;
        }
        match self {
            Set::Intset(bytes) => {
                let set = Intset::new(bytes);
                let number = set.get(below(set.len(), draw)).expect("the index is below the length");
                f(Item::Int(number));
                intset::remove(bytes, number)
            }
            Set::Listpack(bytes) => {
                let pack = Listpack::new(bytes);
                let pos = pack.at(below(pack.len(), draw) as isize).expect("the index is below the length");
                f(pack.get(pos));
                listpack::remove(bytes, pos);
                true
            }
            Set::Large(large) => large.members.pop_random(draw, &mut |member, _| f(Item::Str(member))),
        }
    }

    /// Takes out `count` random members and tells them: all of them, if there are no more.
    ///
    /// Where few are to stay, these are chosen instead, and make a new set, which may be a smaller encoding. A large
    /// set that is left over then is given back: its members are told, its memory is to be dismantled.
    pub fn pop_many(
        &mut self,
        count: usize,
        limits: &Limits,
        draw: &mut dyn FnMut() -> u64,
        f: &mut dyn FnMut(Item<'_>),
    ) -> Option<Box<LargeSet>> {
        let stay = self.len().saturating_sub(count);
        if stay == 0 {
            self.as_ref().iter().for_each(f);
            let Set::Large(large) = mem::take(self) else { return None };
            return Some(large);
        }
        if stay.saturating_mul(5) > count {
            match self {
                Set::Listpack(bytes) => pop_from_listpack(bytes, count, draw, f),
                _ => {
                    for _ in 0..count {
                        self.pop(draw, f);
                    }
                }
            }
            return None;
        }
        let mut rest = match self {
            Set::Intset(_) => Set::new(),
            _ => Set::Listpack(listpack::create()),
        };
        if let Set::Large(_) = self {
            for _ in 0..stay {
                self.pop(draw, &mut |item| {
                    rest.add_item(item, limits);
                });
            }
            self.as_ref().iter().for_each(f);
        } else {
            let mut stays = Selection::new(stay, self.len());
            for item in self.as_ref().iter() {
                if stays.next(draw) {
                    rest.add_item(item, limits);
                } else {
                    f(item);
                }
            }
        }
        match mem::replace(self, rest) {
            Set::Large(large) => Some(large),
            _ => None,
        }
    }

    /// Turns an intset into a listpack, if that may take a further member of so many bytes; whether it did.
    fn unpack(&mut self, more: usize, limits: &Limits) -> bool {
        let Set::Intset(bytes) = self else { return false };
        let set = Intset::new(bytes);
        let ends = [set.get(0), set.len().checked_sub(1).and_then(|last| set.get(last))];
        // No integer between the two has more digits than both, or takes more bytes.
        let digits = ends.iter().flatten().map(|&number| Item::Int(number).len()).max().unwrap_or(0);
        let each = ends.iter().flatten().map(|&number| Item::Int(number).with_bytes(listpack::entry_size));
        let total = each.max().unwrap_or(0) * set.len() + listpack::EMPTY_BYTES + more;
        let fits = set.len() < limits.listpack_entries
            && more.max(digits) <= limits.listpack_value
            && total <= listpack::MOST_BYTES;
        if fits {
            let mut pack = listpack::create();
            set.iter().for_each(|number| listpack::push_back_int(&mut pack, number));
            *self = Set::Listpack(pack);
        }
        fits
    }

    /// Turns it into a large set. Its bytes so far make its hashes differ from those of other sets.
    fn enlarge(&mut self, limits: &Limits) {
        let (Set::Intset(bytes) | Set::Listpack(bytes)) = &*self else { return };
        let mut large = Box::new(LargeSet::new(keyed_hash(limits.hash_seed, bytes)));
        for item in self.as_ref().iter() {
            item.with_bytes(|member| large.members.add(member, &[]));
        }
        *self = Set::Large(large);
    }
}

/// Takes `count` random elements out of a listpack and tells them.
fn pop_from_listpack(
    bytes: &mut Vec<u8>,
    count: usize,
    draw: &mut dyn FnMut() -> u64,
    f: &mut dyn FnMut(Item<'_>),
) {
    let pack = Listpack::new(bytes);
    let mut chosen = Selection::new(count, pack.len());
    let mut popped = Vec::with_capacity(count);
    let mut next = pack.first();
    while let Some(pos) = next {
        if chosen.next(draw) {
            f(pack.get(pos));
            popped.push(pos);
        }
        next = pack.next(pos);
    }
    // From behind, so that the places before stay what they are.
    for pos in popped.into_iter().rev() {
        listpack::remove(bytes, pos);
    }
}

impl<'a> SetRef<'a> {
    /// What OBJECT ENCODING answers.
    pub fn encoding(self) -> &'static str {
        match self {
            SetRef::Intset(_) => "intset",
            SetRef::Listpack(_) => "listpack",
            SetRef::Large(_) => "hashtable",
        }
    }

    /// How many members it has.
    pub fn len(self) -> usize {
        match self {
            SetRef::Intset(bytes) => Intset::new(bytes).len(),
            SetRef::Listpack(bytes) => Listpack::new(bytes).len(),
            SetRef::Large(large) => large.members.len(),
        }
    }

    /// Whether it has none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Whether this string is a member.
    pub fn contains(self, member: &[u8]) -> bool {
        match self {
            SetRef::Intset(bytes) => {
                parse_i64(member).is_some_and(|number| Intset::new(bytes).contains(number))
            }
            SetRef::Listpack(bytes) => {
                let pack = Listpack::new(bytes);
                pack.first().is_some_and(|first| pack.find(member, first, 1).is_some())
            }
            SetRef::Large(large) => large.members.contains(member),
        }
    }

    /// Whether this item is a member.
    pub fn contains_item(self, item: Item<'_>) -> bool {
        match (self, item) {
            (SetRef::Intset(bytes), Item::Int(number)) => Intset::new(bytes).contains(number),
            _ => item.with_bytes(|member| self.contains(member)),
        }
    }

    /// All members, in the order of the encoding.
    pub fn iter(self) -> Iter<'a> {
        match self {
            SetRef::Intset(bytes) => Iter::Intset(Intset::new(bytes).iter()),
            SetRef::Listpack(bytes) => Iter::Listpack(Listpack::new(bytes).iter()),
            SetRef::Large(large) => Iter::Large(large.members.iter()),
        }
    }

    /// A member, each with the same probability.
    pub fn random(self, draw: &mut dyn FnMut() -> u64) -> Option<Item<'a>> {
        if self.is_empty() {
            return None;
        }
        match self {
            SetRef::Intset(bytes) => {
                let set = Intset::new(bytes);
                set.get(below(set.len(), draw)).map(Item::Int)
            }
            SetRef::Listpack(bytes) => {
                let pack = Listpack::new(bytes);
                pack.at(below(pack.len(), draw) as isize).map(|pos| pack.get(pos))
            }
            SetRef::Large(large) => large.members.random(draw).map(|(member, _)| Item::Str(member)),
        }
    }

    /// Tells `count` different members: all of them, if there are no more. Each choice has the same probability, but
    /// the order means nothing.
    pub fn sample(self, count: usize, draw: &mut dyn FnMut() -> u64, f: &mut dyn FnMut(Item<'_>)) {
        if let SetRef::Large(large) = self {
            return large.members.sample(count, draw, &mut |member, _| f(Item::Str(member)));
        }
        let mut chosen = Selection::new(count, self.len());
        self.iter().filter(|_| chosen.next(draw)).for_each(f);
    }

    /// Tells about `count` members from a cursor on and gives the next cursor, zero at the end; a small set is told
    /// whole. Whoever is a member from the first call to the last is told.
    pub fn scan(self, cursor: u64, count: usize, f: &mut dyn FnMut(Item<'_>)) -> u64 {
        if let SetRef::Large(large) = self {
            return large.members.scan(cursor, count, &mut |member, _| f(Item::Str(member)));
        }
        self.iter().for_each(f);
        0
    }
}

/// The members of a set.
#[derive(Clone, Debug)]
pub enum Iter<'a> {
    /// Of integers.
    Intset(intset::Iter<'a>),
    /// Of a few.
    Listpack(listpack::Iter<'a>),
    /// Of any.
    Large(dict::Iter<'a>),
}

impl<'a> Iterator for Iter<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        match self {
            Iter::Intset(numbers) => numbers.next().map(Item::Int),
            Iter::Listpack(items) => items.next(),
            Iter::Large(entries) => entries.next().map(|(member, _)| Item::Str(member)),
        }
    }
}
