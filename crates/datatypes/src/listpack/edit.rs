//! Changing a listpack: every change is a piece of it replaced by one new element or by nothing.
//!
//! 1. After every function here the header's length and count, the end byte and all backlens are right.
//! 2. The `Vec` grows as `Vec`s do and is never shrunk: its owner knows whether it will be used again.

use super::{
    after, backlen_bytes, encode_backlen, stored_count, Listpack, Pos, COUNT_UNKNOWN, EMPTY_BYTES, END,
    HEADER, MOST_BYTES, TAG_INT_16, TAG_INT_24, TAG_INT_32, TAG_INT_64, TAG_STRING_LONG,
};
use crate::integer::parse_i64;

/// A listpack without elements.
pub fn create() -> Vec<u8> {
    vec![EMPTY_BYTES as u8, 0, 0, 0, 0, 0, END]
}

/// Whether elements of `more` bytes may still be added to it.
pub fn safe_to_add(listpack: &[u8], more: usize) -> bool {
    listpack.len().checked_add(more).is_some_and(|sum| sum <= MOST_BYTES)
}

/// How many bytes this string takes as an element.
pub fn entry_size(bytes: &[u8]) -> usize {
    let size = Encoded::of(bytes).size();
    size + backlen_bytes(size)
}

/// Adds an element at the end.
pub fn push_back(listpack: &mut Vec<u8>, bytes: &[u8]) {
    push_back_encoded(listpack, &Encoded::of(bytes));
}

/// Adds an integer at the end.
pub fn push_back_int(listpack: &mut Vec<u8>, number: i64) {
    push_back_encoded(listpack, &Encoded::of_int(number));
}

/// Adds an element at the beginning.
pub fn push_front(listpack: &mut Vec<u8>, bytes: &[u8]) {
    insert_before(listpack, Pos(HEADER), bytes);
}

/// Puts an element before the one at `pos`; gives its own place.
pub fn insert_before(listpack: &mut Vec<u8>, pos: Pos, bytes: &[u8]) -> Pos {
    put(listpack, pos.0, 0, &Encoded::of(bytes));
    add_to_count(listpack, 1);
    pos
}

/// Puts an element behind the one at `pos`; gives its own place.
pub fn insert_after(listpack: &mut Vec<u8>, pos: Pos, bytes: &[u8]) -> Pos {
    let at = Pos(after(listpack, pos.0));
    insert_before(listpack, at, bytes)
}

/// Puts an element in the place of the one at `pos`.
pub fn replace(listpack: &mut Vec<u8>, pos: Pos, bytes: &[u8]) -> Pos {
    let replaced = after(listpack, pos.0) - pos.0;
    put(listpack, pos.0, replaced, &Encoded::of(bytes));
    pos
}

/// Puts an integer in the place of the element at `pos`.
pub fn replace_int(listpack: &mut Vec<u8>, pos: Pos, number: i64) -> Pos {
    let replaced = after(listpack, pos.0) - pos.0;
    put(listpack, pos.0, replaced, &Encoded::of_int(number));
    pos
}

/// Removes the element at `pos`; gives the place of the next one.
pub fn remove(listpack: &mut Vec<u8>, pos: Pos) -> Option<Pos> {
    let end = after(listpack, pos.0);
    cut(listpack, pos.0, end, 1);
    (pos.0 < listpack.len() - 1).then_some(pos)
}

/// Removes `count` elements, or as many as there are, from the one of this index on; a negative index
/// counts from the end. Nothing happens if there is no such element.
pub fn remove_range(listpack: &mut Vec<u8>, from_index: isize, count: usize) {
    let Some(from) = Listpack::new(listpack).at(from_index) else { return };
    let last = listpack.len() - 1;
    let (mut end, mut removed) = (from.0, 0);
    while removed < count && end < last {
        end = after(listpack, end);
        removed += 1;
    }
    cut(listpack, from.0, end, removed);
}

/// Removes the elements at these places, which ascend, in one pass.
pub fn remove_all(listpack: &mut Vec<u8>, places: &[Pos]) {
    let Some(first) = places.first() else { return };
    let mut kept = first.0;
    for (index, pos) in places.iter().enumerate() {
        let from = after(listpack, pos.0);
        let to = places.get(index + 1).map_or(listpack.len() - 1, |next| next.0);
        assert!(from <= to, "places in disorder");
        listpack.copy_within(from..to, kept);
        kept += to - from;
    }
    let end = listpack.len() - 1;
    cut(listpack, kept, end, places.len());
}

/// Adds all elements of another listpack at the end.
pub fn append(listpack: &mut Vec<u8>, other: Listpack<'_>) {
    listpack.pop();
    listpack.extend_from_slice(&other.bytes()[HEADER..]);
    set_total(listpack);
    match stored_count(other.bytes()) {
        COUNT_UNKNOWN => set_count(listpack, usize::MAX),
        count => add_to_count(listpack, usize::from(count)),
    }
}

/// Takes off the elements from `pos` on, of which there are `count`, and gives them as a listpack.
pub fn split_off(listpack: &mut Vec<u8>, pos: Pos, count: usize) -> Vec<u8> {
    let mut tail = Vec::with_capacity(HEADER + listpack.len() - pos.0);
    tail.extend_from_slice(&[0; HEADER]);
    tail.extend_from_slice(&listpack[pos.0..]);
    set_total(&mut tail);
    set_count(&mut tail, count);
    let end = listpack.len() - 1;
    cut(listpack, pos.0, end, count);
    tail
}

/// An element's bytes without its backlen: those that say what follows (all of an integer), and a string's.
struct Encoded<'a> {
    head: [u8; 9],
    head_bytes: u8,
    body: &'a [u8],
}

impl<'a> Encoded<'a> {
    #[inline]
    fn of(bytes: &'a [u8]) -> Encoded<'a> {
        if let Some(number) = parse_i64(bytes) {
            return Encoded::of_int(number);
        }
        let mut head = [0; 9];
        let head_bytes = match bytes.len() {
            length @ 0..=63 => {
                head[0] = 0x80 | length as u8;
                1
            }
            length @ 64..=4095 => {
                head[..2].copy_from_slice(&(0xE000 | length as u16).to_be_bytes());
                2
            }
            length => {
                let length = u32::try_from(length).expect("no element is longer than a listpack may be");
                head[0] = TAG_STRING_LONG;
                head[1..5].copy_from_slice(&length.to_le_bytes());
                5
            }
        };
        Encoded { head, head_bytes, body: bytes }
    }

    #[inline]
    fn of_int(number: i64) -> Encoded<'a> {
        let mut head = [0; 9];
        let (tag, value_bytes) = match number {
            0..=127 => {
                head[0] = number as u8;
                return Encoded { head, head_bytes: 1, body: &[] };
            }
            -4096..=4095 => {
                head[..2].copy_from_slice(&(0xC000 | (number as u16 & 0x1FFF)).to_be_bytes());
                return Encoded { head, head_bytes: 2, body: &[] };
            }
            -0x8000..=0x7FFF => (TAG_INT_16, 2),
            -0x80_0000..=0x7F_FFFF => (TAG_INT_24, 3),
            -0x8000_0000..=0x7FFF_FFFF => (TAG_INT_32, 4),
            _ => (TAG_INT_64, 8),
        };
        head[0] = tag;
        head[1..=value_bytes].copy_from_slice(&number.to_le_bytes()[..value_bytes]);
        Encoded { head, head_bytes: 1 + value_bytes as u8, body: &[] }
    }

    #[inline]
    fn head(&self) -> &[u8] {
        &self.head[..usize::from(self.head_bytes)]
    }

    #[inline]
    fn size(&self) -> usize {
        usize::from(self.head_bytes) + self.body.len()
    }
}

#[inline]
fn push_back_encoded(listpack: &mut Vec<u8>, element: &Encoded<'_>) {
    let (backlen, backlen_bytes) = encode_backlen(element.size());
    listpack.reserve(element.size() + backlen_bytes);
    listpack.pop();
    if element.head_bytes == 1 && backlen_bytes == 1 {
        // By far the most: single bytes are stored, where copying a slice is a call.
        listpack.push(element.head[0]);
        listpack.extend_from_slice(element.body);
        listpack.push(backlen[0]);
    } else {
        listpack.extend_from_slice(element.head());
        listpack.extend_from_slice(element.body);
        listpack.extend_from_slice(&backlen[..backlen_bytes]);
    }
    listpack.push(END);
    set_total(listpack);
    add_to_count(listpack, 1);
}

/// Puts an element at `at`, where `replaced` bytes give way to it.
fn put(listpack: &mut Vec<u8>, at: usize, replaced: usize, element: &Encoded<'_>) {
    let (backlen, backlen_bytes) = encode_backlen(element.size());
    let needed = element.size() + backlen_bytes;
    let old_bytes = listpack.len();
    if needed > replaced {
        listpack.resize(old_bytes + needed - replaced, 0);
    }
    listpack.copy_within(at + replaced..old_bytes, at + needed);
    listpack.truncate(old_bytes + needed - replaced);
    let (head, rest) = listpack[at..at + needed].split_at_mut(element.head().len());
    head.copy_from_slice(element.head());
    let (body, end) = rest.split_at_mut(element.body.len());
    body.copy_from_slice(element.body);
    end.copy_from_slice(&backlen[..backlen_bytes]);
    set_total(listpack);
}

/// Takes out the bytes from `from` to `to`, which are so many elements.
fn cut(listpack: &mut Vec<u8>, from: usize, to: usize, elements: usize) {
    listpack.copy_within(to.., from);
    listpack.truncate(listpack.len() - (to - from));
    set_total(listpack);
    let count = stored_count(listpack);
    if count != COUNT_UNKNOWN {
        set_count(listpack, usize::from(count) - elements);
    }
}

#[inline]
fn set_total(listpack: &mut [u8]) {
    let total = u32::try_from(listpack.len()).expect("who adds to a listpack keeps it below 1 GiB");
    listpack[..4].copy_from_slice(&total.to_le_bytes());
}

#[inline]
fn add_to_count(listpack: &mut [u8], more: usize) {
    match stored_count(listpack) {
        COUNT_UNKNOWN => (),
        count => set_count(listpack, usize::from(count) + more),
    }
}

#[inline]
fn set_count(listpack: &mut [u8], count: usize) {
    let count = count.min(usize::from(COUNT_UNKNOWN)) as u16;
    listpack[4..HEADER].copy_from_slice(&count.to_le_bytes());
}
