//! A leaf of the tree: a run of elements in one block of memory.
//!
//! ```text
//!     block     entry | entry | ... | start of the 1st entry 16 bits | start of the 2nd | ...
//!     entry     score 64 bits, little-endian | the member's bytes
//! ```
//!
//! Entries stand in order, without gaps; one ends where the next begins. The starts come last, so that an
//! insertion moves only what is behind it.
//!
//! 1. A leaf holds at most [`MOST_BYTES`], or a single element, which may be of any size. So a start fits
//!    16 bits, and no insertion moves more than `MOST_BYTES`.
//! 2. The block's size is one of [`block_size`]: a leaf of half the elements takes half the memory, and an
//!    allocator has nothing to round up.

use std::cmp::Ordering;

/// What a leaf of more than one element holds at most. Larger leaves make insertions slower, smaller ones
/// make the inner nodes heavier: at 2 KiB, and 16-byte members, these weigh a byte and a half per element.
pub(super) const MOST_BYTES: usize = 2048;
/// A leaf below it is joined with a neighbour where both fit into one.
pub(super) const FEW_BYTES: usize = MOST_BYTES / 4;
/// What an element takes in a leaf beyond its member: score and start.
const ENTRY_OVERHEAD: usize = 10;

/// The order of a sorted set: by score, and for equal scores by the member's bytes. Scores are never NaN.
#[inline]
pub(super) fn compare(left: (f64, &[u8]), right: (f64, &[u8])) -> Ordering {
    match left.0.partial_cmp(&right.0) {
        Some(Ordering::Equal) | None => left.1.cmp(right.1),
        Some(order) => order,
    }
}

/// The size of the block for so many bytes: four sizes in each doubling, as allocators have them.
fn block_size(bytes: usize) -> usize {
    if bytes <= 64 {
        return 64;
    }
    let step = (bytes - 1).ilog2() - 2;
    bytes.div_ceil(1 << step) << step
}

pub(super) struct Leaf {
    block: Vec<u8>,
    count: u32,
}

/// Where an element went.
pub(super) enum Placed {
    /// Into the leaf.
    Here,
    /// The leaf was split: these stand behind it, and none of them is empty.
    Split(Vec<Leaf>),
}

impl Leaf {
    pub fn of_one(score: f64, member: &[u8]) -> Leaf {
        let mut leaf = Leaf::empty(ENTRY_OVERHEAD + member.len());
        leaf.put(0, score, member);
        leaf
    }

    fn empty(bytes: usize) -> Leaf {
        Leaf { block: Vec::with_capacity(block_size(bytes)), count: 0 }
    }

    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Bytes in use.
    pub fn bytes(&self) -> usize {
        self.block.len()
    }

    /// Bytes of its block.
    pub fn memory(&self) -> usize {
        self.block.capacity()
    }

    fn starts(&self) -> usize {
        self.block.len() - 2 * self.len()
    }

    #[inline]
    fn start(&self, index: usize) -> usize {
        let starts = self.starts();
        if index == self.len() {
            return starts;
        }
        let at = starts + 2 * index;
        usize::from(u16::from_le_bytes([self.block[at], self.block[at + 1]]))
    }

    #[inline]
    pub fn get(&self, index: usize) -> (f64, &[u8]) {
        debug_assert!(index < self.len());
        let entry = &self.block[self.start(index)..self.start(index + 1)];
        let (score, member) = entry.split_first_chunk().expect("an entry begins with its score");
        (f64::from_le_bytes(*score), member)
    }

    pub fn first(&self) -> (f64, &[u8]) {
        self.get(0)
    }

    pub fn last(&self) -> (f64, &[u8]) {
        self.get(self.len() - 1)
    }

    /// How many of the first elements satisfy `before`, which all elements do up to some point.
    #[inline]
    pub fn partition_point(&self, before: impl Fn(f64, &[u8]) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = (low + high) / 2;
            let (score, member) = self.get(middle);
            if before(score, member) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// Adds an element that is not there yet.
    pub fn insert(&mut self, score: f64, member: &[u8]) -> Placed {
        let at = self.partition_point(|other, bytes| compare((other, bytes), (score, member)).is_lt());
        self.insert_at(at, score, member)
    }

    fn insert_at(&mut self, at: usize, score: f64, member: &[u8]) -> Placed {
        if self.bytes() + ENTRY_OVERHEAD + member.len() <= MOST_BYTES || self.count == 0 {
            self.put(at, score, member);
            return Placed::Here;
        }
        // At an end the full leaf stays as it is: elements that come in order leave full leaves behind.
        if at == self.len() {
            return Placed::Split(vec![Leaf::of_one(score, member)]);
        }
        if at == 0 {
            return Placed::Split(vec![std::mem::replace(self, Leaf::of_one(score, member))]);
        }
        // A large element would not fit into a half either.
        let middle = if ENTRY_OVERHEAD + member.len() > MOST_BYTES / 2 { at } else { self.middle() };
        let mut right = self.split_off(middle);
        let in_right = at > middle;
        let (half, at) = if in_right { (&mut right, at - middle) } else { (&mut *self, at) };
        let mut leaves = match half.insert_at(at, score, member) {
            Placed::Here => Vec::new(),
            Placed::Split(leaves) => leaves,
        };
        leaves.insert(if in_right { 0 } else { leaves.len() }, right);
        Placed::Split(leaves)
    }

    /// Where to split a leaf of several elements so that both parts have elements, and about as many bytes.
    fn middle(&self) -> usize {
        let half = self.starts() / 2;
        let (mut low, mut high) = (1, self.len() - 1);
        while low < high {
            let middle = (low + high) / 2;
            if self.start(middle) < half {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// Writes an entry, for which there must be room by rule 1.
    fn put(&mut self, at: usize, score: f64, member: &[u8]) {
        let size = 8 + member.len();
        let (old, starts, place) = (self.block.len(), self.starts(), self.start(at));
        self.reserve(old + size + 2);
        self.block.resize(old + size + 2, 0);
        let own_start = starts + 2 * at;
        self.block.copy_within(own_start..old, own_start + size + 2);
        self.block.copy_within(place..own_start, place + size);
        self.block[place..place + 8].copy_from_slice(&score.to_le_bytes());
        self.block[place + 8..place + size].copy_from_slice(member);
        let start = u16::try_from(place).expect("by rule 1");
        self.block[own_start + size..own_start + size + 2].copy_from_slice(&start.to_le_bytes());
        if own_start < old {
            // By rule 1 the element is small where others follow it.
            self.move_starts(own_start + size + 2, size as u16);
        }
        self.count += 1;
    }

    /// Adds to all the starts from this byte on.
    fn move_starts(&mut self, from: usize, by: u16) {
        for start in self.block[from..].chunks_exact_mut(2) {
            let moved = u16::from_le_bytes([start[0], start[1]]).wrapping_add(by);
            start.copy_from_slice(&moved.to_le_bytes());
        }
    }

    /// Removes some elements, of which there must be so many.
    pub fn remove(&mut self, at: usize, count: usize) {
        let (old, starts) = (self.block.len(), self.starts());
        let (from, to) = (self.start(at), self.start(at + count));
        let size = to - from;
        let (starts_from, starts_to) = (starts + 2 * at, starts + 2 * (at + count));
        self.block.copy_within(to..starts_from, from);
        self.block.copy_within(starts_to..old, starts_from - size);
        self.block.truncate(old - size - 2 * count);
        if starts_to < old {
            self.move_starts(starts_from - size, (size as u16).wrapping_neg());
        }
        self.count -= count as u32;
        self.give_back();
    }

    /// Takes away the elements from this one on.
    fn split_off(&mut self, at: usize) -> Leaf {
        let (starts, place) = (self.starts(), self.start(at));
        let mut right = Leaf::empty(self.block.len() - place - 2 * at);
        right.block.extend_from_slice(&self.block[place..starts]);
        let right_starts = right.block.len();
        right.block.extend_from_slice(&self.block[starts + 2 * at..]);
        right.count = self.count - at as u32;
        right.move_starts(right_starts, (place as u16).wrapping_neg());
        self.block.copy_within(starts..starts + 2 * at, place);
        self.block.truncate(place + 2 * at);
        self.count = at as u32;
        self.give_back();
        right
    }

    /// Takes over the elements of the next leaf; both together must keep rule 1.
    pub fn append(&mut self, next: &Leaf) {
        let (starts, next_starts) = (self.starts(), next.starts());
        self.reserve(self.block.len() + next.block.len());
        let own = self.block.len();
        self.block.extend_from_slice(&next.block);
        // From `own starts | next entries | next starts` to `next entries | own starts | next starts`.
        self.block[starts..own + next_starts].rotate_left(own - starts);
        self.move_starts(own + next_starts, starts as u16);
        self.count += next.count;
    }

    fn reserve(&mut self, bytes: usize) {
        if bytes > self.block.capacity() {
            self.block.reserve_exact(block_size(bytes) - self.block.len());
        }
    }

    /// Gives back memory, once there is so much of it that the next insertions cannot want it again.
    fn give_back(&mut self) {
        let fitting = block_size(self.block.len() + self.block.len() / 4);
        if fitting < self.block.capacity() {
            self.block.shrink_to(fitting);
        }
    }
}

impl Clone for Leaf {
    fn clone(&self) -> Leaf {
        let mut leaf = Leaf::empty(self.block.len());
        leaf.block.extend_from_slice(&self.block);
        leaf.count = self.count;
        leaf
    }
}
