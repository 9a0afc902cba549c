//! Listpacks: a few strings and integers in one run of bytes, byte for byte as Redis writes them.
//!
//! ```text
//!     listpack  total bytes 4 | count 2 | element | element | ... | FF
//!     element   tag and length | bytes of the string | backlen
//!
//!     0xxxxxxx                      an integer from 0 to 127
//!     10llllll                      a string of l < 64 bytes
//!     110xxxxx xxxxxxxx             an integer of 13 bits, the high ones first
//!     1110llll llllllll             a string of l < 4096 bytes, the high bits of l first
//!     11110000 and l in 4 bytes     any other string
//!     F1, F2, F3, F4                integers of 16, 24, 32 and 64 bits follow
//! ```
//!
//! Numbers in the header, after F0 and after F1 to F4 are little-endian; integers are in two's complement.
//! The backlen is the element's length without the backlen itself, in groups of 7 bits of which the
//! lowest stands last; every byte but the first has its top bit set. It is read from the right, so that a
//! listpack is walked from both ends.
//!
//! 1. What reads like an integer (`integer.rs`: prints back the same) is stored as one, in the smallest
//!    form; nothing else is. So the bytes of a listpack follow from its elements: DUMP and RESTORE copy them.
//!    Payloads of others may hold `12` as a string all the same, so elements are compared by what they say.
//! 2. The count 65535 means «at least 65535, walk and see», for good: removals do not bring it back.
//! 3. No listpack may grow past [`MOST_BYTES`]. Who adds asks [`safe_to_add`] first, or has a lower limit.
//! 4. Bytes from outside pass [`Listpack::validate`] once. After that they are trusted: a wrong one is a bug
//!    and panics, but reads nothing outside the slice.
//! 5. A [`Pos`] is good until the listpack changes.
//!
//! Reading is [`Listpack`], on borrowed bytes; writing is the free functions, on a `Vec` (`edit.rs`).
//! Not here: which types use listpacks up to which size (each type's own module).
//! The format is Salvatore Sanfilippo's listpack specification, with the tags as Redis 7 uses them.

mod edit;
#[cfg(test)]
mod tests;

use crate::integer::{parse_i64, Decimal};
use std::borrow::Cow;

pub use edit::{
    append, create, entry_size, insert_after, insert_before, push_back, push_back_int, push_front, remove,
    remove_all, remove_range, replace, replace_int, safe_to_add, split_off,
};

/// No listpack grows beyond this, far below what its header can say.
pub const MOST_BYTES: usize = 1 << 30;
/// Bytes before the first element.
pub const HEADER: usize = 6;
/// Bytes of a listpack without elements.
pub const EMPTY_BYTES: usize = HEADER + 1;
/// The count of a listpack that has too many elements to say how many.
const COUNT_UNKNOWN: u16 = u16::MAX;
/// The byte behind the last element.
const END: u8 = 0xFF;

const TAG_STRING_LONG: u8 = 0xF0;
const TAG_INT_16: u8 = 0xF1;
const TAG_INT_24: u8 = 0xF2;
const TAG_INT_32: u8 = 0xF3;
const TAG_INT_64: u8 = 0xF4;

/// An element, in the form that it is stored in. Two are equal if they print the same bytes.
#[derive(Clone, Copy, Debug)]
pub enum Item<'a> {
    /// Stored as an integer.
    Int(i64),
    /// Stored as a string.
    Str(&'a [u8]),
}

impl<'a> Item<'a> {
    /// Whether it is this string.
    #[inline]
    pub fn is(&self, bytes: &[u8]) -> bool {
        match *self {
            Item::Int(number) => parse_i64(bytes) == Some(number),
            Item::Str(text) => text == bytes,
        }
    }

    /// Appends its bytes.
    #[inline]
    pub fn write_to(&self, out: &mut Vec<u8>) {
        match *self {
            Item::Int(number) => out.extend_from_slice(Decimal::new(number).as_bytes()),
            Item::Str(text) => out.extend_from_slice(text),
        }
    }

    /// Its bytes; borrowed, if it is a string.
    pub fn to_bytes(&self) -> Cow<'a, [u8]> {
        match *self {
            Item::Int(number) => Cow::Owned(Decimal::new(number).as_bytes().to_vec()),
            Item::Str(text) => Cow::Borrowed(text),
        }
    }

    /// Calls `f` with its bytes, without an allocation.
    #[inline]
    pub fn with_bytes<R>(&self, f: impl FnOnce(&[u8]) -> R) -> R {
        match *self {
            Item::Int(number) => f(Decimal::new(number).as_bytes()),
            Item::Str(text) => f(text),
        }
    }

    /// The integer that it is, in whichever form it is stored.
    #[inline]
    pub fn as_i64(&self) -> Option<i64> {
        match *self {
            Item::Int(number) => Some(number),
            Item::Str(text) => parse_i64(text),
        }
    }

    /// How many bytes it prints.
    #[inline]
    pub fn len(&self) -> usize {
        match *self {
            Item::Int(number) => Decimal::new(number).as_bytes().len(),
            Item::Str(text) => text.len(),
        }
    }

    /// Whether it is the empty string.
    #[inline]
    pub fn is_empty(&self) -> bool {
        matches!(self, Item::Str([]))
    }
}

impl PartialEq for Item<'_> {
    fn eq(&self, other: &Item<'_>) -> bool {
        match *other {
            Item::Int(number) => self.as_i64() == Some(number),
            Item::Str(text) => self.is(text),
        }
    }
}

impl Eq for Item<'_> {}

impl PartialEq<[u8]> for Item<'_> {
    fn eq(&self, other: &[u8]) -> bool {
        self.is(other)
    }
}

impl PartialEq<&[u8]> for Item<'_> {
    fn eq(&self, other: &&[u8]) -> bool {
        self.is(other)
    }
}

/// Where an element begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pos(usize);

impl Pos {
    /// Where the first element of every listpack is.
    pub const FIRST: Pos = Pos(HEADER);

    /// Bytes from the beginning of the listpack.
    pub fn offset(self) -> usize {
        self.0
    }
}

/// A listpack to read.
#[derive(Clone, Copy, Debug)]
pub struct Listpack<'a>(&'a [u8]);

impl<'a> Listpack<'a> {
    /// Bytes that this module wrote or validated.
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Listpack<'a> {
        debug_assert!(header_is_right(bytes), "not a listpack: {bytes:?}");
        Listpack(bytes)
    }

    /// Bytes from outside, if they are a listpack: header, count, each element and each backlen.
    pub fn validate(bytes: &'a [u8]) -> Option<Listpack<'a>> {
        if !header_is_right(bytes) {
            return None;
        }
        let end = bytes.len() - 1;
        let (mut at, mut count) = (HEADER, 0usize);
        while at < end {
            let size = checked_size(&bytes[at..end])?;
            let (backlen, bytes_of_backlen) = encode_backlen(size);
            let backlen_at = at.checked_add(size)?;
            at = backlen_at.checked_add(bytes_of_backlen)?;
            if bytes[..end].get(backlen_at..at)? != &backlen[..bytes_of_backlen] {
                return None;
            }
            count += 1;
        }
        let stored = stored_count(bytes);
        (stored == COUNT_UNKNOWN || usize::from(stored) == count).then_some(Listpack(bytes))
    }

    /// How many elements there are. Walks all of them if the header does not say.
    #[inline]
    pub fn len(&self) -> usize {
        match stored_count(self.0) {
            COUNT_UNKNOWN => self.walk().count(),
            count => usize::from(count),
        }
    }

    /// Whether there are no elements.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.len() == EMPTY_BYTES
    }

    /// All its bytes.
    #[inline]
    pub fn bytes(&self) -> &'a [u8] {
        self.0
    }

    /// The first element.
    #[inline]
    pub fn first(&self) -> Option<Pos> {
        (!self.is_empty()).then_some(Pos(HEADER))
    }

    /// The last element.
    #[inline]
    pub fn last(&self) -> Option<Pos> {
        before(self.0, self.end()).map(Pos)
    }

    /// The element behind this one.
    #[inline]
    pub fn next(&self, pos: Pos) -> Option<Pos> {
        let next = after(self.0, pos.0);
        (next < self.end()).then_some(Pos(next))
    }

    /// The element before this one.
    #[inline]
    pub fn prev(&self, pos: Pos) -> Option<Pos> {
        before(self.0, pos.0).map(Pos)
    }

    /// The element of an index; negative ones count from the end, -1 being the last.
    pub fn at(&self, index: isize) -> Option<Pos> {
        let mut index = index;
        let stored = stored_count(self.0);
        if stored != COUNT_UNKNOWN {
            // Walk from the nearer end.
            let count = stored as isize;
            if index >= count || index < -count {
                return None;
            }
            if index >= 0 && index > count / 2 {
                index -= count;
            } else if index < 0 && -index > count / 2 + 1 {
                index += count;
            }
        }
        if index >= 0 {
            self.walk().nth(index as usize)
        } else {
            let mut pos = self.last()?;
            for _ in 0..-(index + 1) {
                pos = self.prev(pos)?;
            }
            Some(pos)
        }
    }

    /// The element here.
    #[inline]
    pub fn get(&self, pos: Pos) -> Item<'a> {
        decode(self.0, pos.0).0
    }

    /// All elements, from either end.
    #[inline]
    pub fn iter(&self) -> Iter<'a> {
        Iter { bytes: self.0, front: HEADER, back: self.end() }
    }

    /// The element here and those behind it.
    #[inline]
    pub fn iter_from(&self, pos: Pos) -> Iter<'a> {
        Iter { bytes: self.0, front: pos.0, back: self.end() }
    }

    /// The elements up to and with the one here: from the back, those before it.
    #[inline]
    pub fn iter_to(&self, pos: Pos) -> Iter<'a> {
        Iter { bytes: self.0, front: HEADER, back: after(self.0, pos.0) }
    }

    /// The first element equal to `needle` among the one at `from` and every `stride`-th behind it.
    pub fn find(&self, needle: &[u8], from: Pos, stride: usize) -> Option<Pos> {
        assert!(stride > 0, "a search that does not move");
        let number = parse_i64(needle);
        let end = self.end();
        let mut at = from.0;
        while at < end {
            let (item, next) = decode(self.0, at);
            let found = match item {
                Item::Int(stored) => number == Some(stored),
                Item::Str(text) => text == needle,
            };
            if found {
                return Some(Pos(at));
            }
            at = next;
            for _ in 1..stride {
                if at >= end {
                    return None;
                }
                at = after(self.0, at);
            }
        }
        None
    }

    /// The offset of the end byte.
    #[inline]
    fn end(&self) -> usize {
        self.0.len() - 1
    }

    /// The places of all elements.
    fn walk(&self) -> impl Iterator<Item = Pos> + 'a {
        let bytes = self.0;
        let end = self.end();
        let mut at = HEADER;
        std::iter::from_fn(move || {
            let pos = (at < end).then_some(Pos(at))?;
            at = after(bytes, at);
            Some(pos)
        })
    }
}

/// Elements of a listpack. By default, none.
#[derive(Clone, Debug, Default)]
pub struct Iter<'a> {
    bytes: &'a [u8],
    front: usize,
    /// The end of the last element still to come.
    back: usize,
}

impl<'a> Iterator for Iter<'a> {
    type Item = Item<'a>;

    #[inline]
    fn next(&mut self) -> Option<Item<'a>> {
        if self.front >= self.back {
            return None;
        }
        let (item, next) = decode(self.bytes, self.front);
        self.front = next;
        Some(item)
    }
}

impl<'a> DoubleEndedIterator for Iter<'a> {
    #[inline]
    fn next_back(&mut self) -> Option<Item<'a>> {
        if self.front >= self.back {
            return None;
        }
        self.back = before(self.bytes, self.back).expect("an element ends here");
        Some(decode(self.bytes, self.back).0)
    }
}

impl std::iter::FusedIterator for Iter<'_> {}

fn header_is_right(bytes: &[u8]) -> bool {
    bytes.len() >= EMPTY_BYTES
        && u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize == bytes.len()
        && bytes[bytes.len() - 1] == END
}

#[inline]
fn stored_count(bytes: &[u8]) -> u16 {
    u16::from_le_bytes([bytes[4], bytes[5]])
}

/// The length of the element at `at` without its backlen.
#[inline]
fn size_at(bytes: &[u8], at: usize) -> usize {
    match bytes[at] {
        0..=0x7F => 1,
        tag @ 0x80..=0xBF => 1 + usize::from(tag & 0x3F),
        0xC0..=0xDF => 2,
        tag @ 0xE0..=0xEF => 2 + (usize::from(tag & 0x0F) << 8 | usize::from(bytes[at + 1])),
        TAG_STRING_LONG => 5 + long_length(bytes, at),
        TAG_INT_16 => 3,
        TAG_INT_24 => 4,
        TAG_INT_32 => 5,
        TAG_INT_64 => 9,
        tag => panic!("no element of a listpack begins with {tag:#x}"),
    }
}

#[inline]
fn long_length(bytes: &[u8], at: usize) -> usize {
    let length: [u8; 4] = bytes[at + 1..at + 5].try_into().expect("four bytes");
    u32::from_le_bytes(length) as usize
}

/// The length of the element that these untrusted bytes begin with, if they reach far enough to say.
fn checked_size(bytes: &[u8]) -> Option<usize> {
    let said_in = match *bytes.first()? {
        0..=0xDF | TAG_INT_16..=TAG_INT_64 => 1,
        0xE0..=0xEF => 2,
        TAG_STRING_LONG => 5,
        _ => return None,
    };
    (bytes.len() >= said_in).then(|| size_at(bytes, 0))
}

/// The element at `at`, and where the next begins.
#[inline]
fn decode(bytes: &[u8], at: usize) -> (Item<'_>, usize) {
    // The two commonest forms stand alone, so that loops over elements stay short.
    let tag = bytes[at];
    if tag & 0xC0 == 0x80 {
        let end = at + 1 + usize::from(tag & 0x3F);
        (Item::Str(&bytes[at + 1..end]), end + 1)
    } else if tag < 0x80 {
        (Item::Int(i64::from(tag)), at + 2)
    } else {
        decode_wide(bytes, at)
    }
}

/// The same for the other forms.
fn decode_wide(bytes: &[u8], at: usize) -> (Item<'_>, usize) {
    let signed = |size: usize| {
        let mut wide = [0; 8];
        wide[8 - size..].copy_from_slice(&bytes[at + 1..at + 1 + size]);
        i64::from_le_bytes(wide) >> (64 - 8 * size)
    };
    let (item, size) = match bytes[at] {
        tag @ 0xC0..=0xDF => {
            // Up and down again: the tag's bits fall off, the sign comes down.
            let value = i16::from_be_bytes([tag, bytes[at + 1]]) << 3 >> 3;
            (Item::Int(i64::from(value)), 2)
        }
        tag @ 0xE0..=0xEF => {
            let length = (usize::from(tag & 0x0F) << 8) | usize::from(bytes[at + 1]);
            (Item::Str(&bytes[at + 2..at + 2 + length]), 2 + length)
        }
        TAG_STRING_LONG => {
            let length = long_length(bytes, at);
            (Item::Str(&bytes[at + 5..at + 5 + length]), 5 + length)
        }
        TAG_INT_16 => (Item::Int(signed(2)), 3),
        TAG_INT_24 => (Item::Int(signed(3)), 4),
        TAG_INT_32 => (Item::Int(signed(4)), 5),
        TAG_INT_64 => (Item::Int(signed(8)), 9),
        tag => panic!("no element of a listpack begins with {tag:#x}"),
    };
    (item, at + size + backlen_bytes(size))
}

/// Where the element behind the one at `at` begins.
#[inline]
fn after(bytes: &[u8], at: usize) -> usize {
    let size = size_at(bytes, at);
    at + size + backlen_bytes(size)
}

/// Where the element that ends at `at` begins.
#[inline]
fn before(bytes: &[u8], at: usize) -> Option<usize> {
    if at == HEADER {
        return None;
    }
    let last = bytes[at - 1];
    if last < 0x80 {
        return Some(at - usize::from(last) - 1);
    }
    let mut size = 0;
    for group in 0..5 {
        let byte = bytes[at - 1 - group];
        size |= usize::from(byte & 0x7F) << (7 * group);
        if byte & 0x80 == 0 {
            return Some(at - size - backlen_bytes(size));
        }
    }
    panic!("no backlen ends at {at}");
}

/// How many bytes the backlen of an element of this length takes. The odd limits are the format's.
#[inline]
fn backlen_bytes(size: usize) -> usize {
    match size {
        0..=127 => 1,
        128..=16382 => 2,
        16383..=2097150 => 3,
        2097151..=268435454 => 4,
        _ => 5,
    }
}

/// The backlen of an element of this length, and how many bytes it takes.
#[inline]
fn encode_backlen(size: usize) -> ([u8; 5], usize) {
    let mut bytes = [0; 5];
    if size < 0x80 {
        bytes[0] = size as u8;
        return (bytes, 1);
    }
    let count = backlen_bytes(size);
    for (group, byte) in bytes[..count].iter_mut().rev().enumerate() {
        *byte = (size >> (7 * group)) as u8 | 0x80;
    }
    bytes[0] &= 0x7F;
    (bytes, count)
}
