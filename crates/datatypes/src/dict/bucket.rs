//! A bucket: some two dozen entries in one block of memory.
//!
//! ```text
//!     block   | count 2 | room 2 | tag 1 x room | offset 2 x room | entry | entry | ...
//!     entry   | length of the key 1 | length of the value 1 | key | value |
//!             | 255 | number of a long entry 4 |
//! ```
//!
//! A tag is eight bits of the hash: a look-up compares eight tags at a time and reads a key only where one
//! agrees. Offsets count from the first entry, so that more room for tags moves no offset.
//!
//! 1. Entries lie without gaps in the order of their offsets; the last one ends the block.
//! 2. Room is a multiple of eight; what lies in it behind `count` means nothing.
//! 3. A bucket without entries has no block.
//! 4. A block is of a size that the allocator has: growth by a quarter costs a copy, not waste.

use super::long::Longs;

const FRONT: usize = 4;
const ROOM_STEP: usize = 8;
/// In place of a key's length: the entry is long.
const LONG: u8 = 255;
const LONG_SIZE: usize = 5;
/// Key and value of more bytes than this lie outside the block.
pub(super) const MOST_INLINE: usize = 254;
/// Beyond this many bytes a block takes only long entries: it is far past its usual size, and offsets
/// have 16 bits.
const CROWDED: usize = 32 << 10;

/// The size that the allocator gives for a request: multiples of 16 up to 128, then four to each doubling.
pub(super) fn allocated(bytes: usize) -> usize {
    if bytes <= 128 {
        return bytes.next_multiple_of(16);
    }
    let step = 1 << ((bytes - 1).ilog2() - 2);
    bytes.next_multiple_of(step)
}

/// What a bucket stores for a key and its value.
#[derive(Clone, Copy)]
pub(super) enum Entry<'a> {
    Inline(&'a [u8], &'a [u8]),
    Long(u32),
}

impl Entry<'_> {
    fn size(&self) -> usize {
        match self {
            Entry::Inline(key, value) => 2 + key.len() + value.len(),
            Entry::Long(_) => LONG_SIZE,
        }
    }

    fn write(&self, to: &mut [u8]) {
        match *self {
            Entry::Inline(key, value) => {
                to[0] = key.len() as u8;
                to[1] = value.len() as u8;
                let (key_at, value_at) = to[2..].split_at_mut(key.len());
                key_at.copy_from_slice(key);
                value_at.copy_from_slice(value);
            }
            Entry::Long(number) => {
                to[0] = LONG;
                to[1..].copy_from_slice(&number.to_le_bytes());
            }
        }
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Bucket {
    block: Vec<u8>,
}

/// The bytes of `word` that are zero, as their top bits. A byte of one above a zero byte may be among them.
#[inline]
fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(0x0101_0101_0101_0101) & !word & 0x8080_8080_8080_8080
}

impl Bucket {
    #[inline]
    fn short(&self, at: usize) -> usize {
        usize::from(u16::from_le_bytes([self.block[at], self.block[at + 1]]))
    }

    fn set_short(&mut self, at: usize, value: usize) {
        let value = u16::try_from(value).expect("hashes under a secret seed do not fill a bucket to 64 KB");
        self.block[at..at + 2].copy_from_slice(&value.to_le_bytes());
    }

    /// How many entries it has.
    #[inline]
    pub(super) fn count(&self) -> usize {
        if self.block.is_empty() {
            0
        } else {
            self.short(0)
        }
    }

    #[inline]
    fn room(&self) -> usize {
        self.short(2)
    }

    /// Bytes in use.
    pub(super) fn used(&self) -> usize {
        self.block.len()
    }

    /// Bytes taken.
    pub(super) fn capacity(&self) -> usize {
        self.block.capacity()
    }

    /// Whether a further entry should be a long one.
    pub(super) fn is_crowded(&self) -> bool {
        self.block.len() > CROWDED
    }

    #[inline]
    fn base(room: usize) -> usize {
        FRONT + 3 * room
    }

    /// Where entry `index` begins.
    #[inline]
    fn at(&self, index: usize) -> usize {
        let room = self.room();
        Bucket::base(room) + self.short(FRONT + room + 2 * index)
    }

    fn end(&self, index: usize) -> usize {
        if index + 1 == self.count() {
            self.block.len()
        } else {
            self.at(index + 1)
        }
    }

    /// The tag of entry `index`.
    pub(super) fn tag(&self, index: usize) -> u8 {
        self.block[FRONT + index]
    }

    /// What entry `index` stores.
    #[inline]
    pub(super) fn stored(&self, index: usize) -> Entry<'_> {
        let rest = &self.block[self.at(index)..];
        let key = rest[0];
        if key == LONG {
            Entry::Long(u32::from_le_bytes([rest[1], rest[2], rest[3], rest[4]]))
        } else {
            let (key, value) =
                rest[2..2 + usize::from(key) + usize::from(rest[1])].split_at(usize::from(key));
            Entry::Inline(key, value)
        }
    }

    /// Key and value of entry `index`.
    #[inline]
    pub(super) fn get<'a>(&'a self, index: usize, longs: &'a Longs) -> (&'a [u8], &'a [u8]) {
        match self.stored(index) {
            Entry::Inline(key, value) => (key, value),
            Entry::Long(number) => longs.get(number),
        }
    }

    /// The value of entry `index`, to be overwritten in its length.
    pub(super) fn value_mut<'a>(&'a mut self, index: usize, longs: &'a mut Longs) -> &'a mut [u8] {
        match self.stored(index) {
            Entry::Long(number) => longs.value_mut(number),
            Entry::Inline(key, value) => {
                let (key, value) = (key.len(), value.len());
                let at = self.at(index) + 2 + key;
                &mut self.block[at..at + value]
            }
        }
    }

    /// Which entry has this key.
    #[inline]
    pub(super) fn find(&self, tag: u8, key: &[u8], longs: &Longs) -> Option<usize> {
        let count = self.count();
        if count == 0 {
            return None;
        }
        let wanted = u64::from(tag) * 0x0101_0101_0101_0101;
        let tags = &self.block[FRONT..FRONT + self.room()];
        for (group, tags) in tags.chunks_exact(8).enumerate() {
            let tags = u64::from_le_bytes(tags.try_into().expect("a chunk of eight bytes"));
            let mut hits = zero_bytes(tags ^ wanted);
            while hits != 0 {
                let index = group * 8 + hits.trailing_zeros() as usize / 8;
                if index >= count {
                    return None;
                }
                if self.get(index, longs).0 == key {
                    return Some(index);
                }
                hits &= hits - 1;
            }
        }
        None
    }

    /// Takes memory for so many bytes.
    fn reserve(&mut self, bytes: usize) {
        if bytes > self.block.capacity() {
            let more = allocated(bytes) - self.block.len();
            self.block.reserve_exact(more);
        }
    }

    /// Appends an entry.
    pub(super) fn push(&mut self, tag: u8, entry: Entry<'_>) {
        let size = entry.size();
        if self.block.is_empty() {
            self.reserve(Bucket::base(ROOM_STEP) + size);
            self.block.resize(Bucket::base(ROOM_STEP), 0);
            self.set_short(2, ROOM_STEP);
        } else if self.count() == self.room() {
            self.reserve(self.block.len() + 3 * ROOM_STEP + size);
            self.widen();
        } else {
            self.reserve(self.block.len() + size);
        }
        let (count, room, at) = (self.count(), self.room(), self.block.len());
        self.block.resize(at + size, 0);
        entry.write(&mut self.block[at..]);
        self.set_short(FRONT + room + 2 * count, at - Bucket::base(room));
        self.block[FRONT + count] = tag;
        self.set_short(0, count + 1);
    }

    /// Makes room for more tags and offsets.
    fn widen(&mut self) {
        let (room, len) = (self.room(), self.block.len());
        self.block.resize(len + 3 * ROOM_STEP, 0);
        self.block.copy_within(Bucket::base(room)..len, Bucket::base(room + ROOM_STEP));
        self.block.copy_within(FRONT + room..Bucket::base(room), FRONT + room + ROOM_STEP);
        self.set_short(2, room + ROOM_STEP);
    }

    /// Puts another entry in the place of entry `index`.
    pub(super) fn replace(&mut self, index: usize, entry: Entry<'_>) {
        let (at, end, len) = (self.at(index), self.end(index), self.block.len());
        let size = entry.size();
        let (old, new) = (end - at, size);
        if new > old {
            self.reserve(len + new - old);
            self.block.resize(len + new - old, 0);
        }
        if new != old {
            self.block.copy_within(end..len, at + new);
            self.block.truncate(len + new - old);
            self.move_offsets(index + 1, new as isize - old as isize);
        }
        entry.write(&mut self.block[at..at + size]);
        if new < old {
            self.shrink();
        }
    }

    fn move_offsets(&mut self, from: usize, by: isize) {
        let (count, room) = (self.count(), self.room());
        for index in from..count {
            let at = FRONT + room + 2 * index;
            let moved = self.short(at).wrapping_add_signed(by);
            self.set_short(at, moved);
        }
    }

    /// Takes entry `index` out; a long entry itself is for the caller to remove.
    pub(super) fn remove(&mut self, index: usize) {
        let (count, room, len) = (self.count(), self.room(), self.block.len());
        if count == 1 {
            self.block = Vec::new();
            return;
        }
        let (at, end) = (self.at(index), self.end(index));
        self.block.copy_within(end..len, at);
        self.block.truncate(len - (end - at));
        self.move_offsets(index + 1, -((end - at) as isize));
        self.block.copy_within(FRONT + index + 1..FRONT + count, FRONT + index);
        let offsets = FRONT + room;
        self.block.copy_within(offsets + 2 * (index + 1)..offsets + 2 * count, offsets + 2 * index);
        self.set_short(0, count - 1);
        self.shrink();
    }

    /// Gives memory back when a third of the block is empty.
    fn shrink(&mut self) {
        if self.block.len() < self.block.capacity() / 3 * 2 {
            *self = self.select(|_, _| true);
        }
    }

    /// A bucket of those entries that are chosen, in memory that fits.
    pub(super) fn select(&self, chosen: impl Fn(usize, Entry<'_>) -> bool) -> Bucket {
        let (mut size, mut kept) = (0, 0usize);
        for index in 0..self.count() {
            let entry = self.stored(index);
            if chosen(index, entry) {
                size += entry.size();
                kept += 1;
            }
        }
        let mut bucket = Bucket::default();
        if kept == 0 {
            return bucket;
        }
        let room = kept.next_multiple_of(ROOM_STEP);
        bucket.reserve(Bucket::base(room) + size);
        bucket.block.resize(Bucket::base(room), 0);
        bucket.set_short(2, room);
        for index in 0..self.count() {
            let entry = self.stored(index);
            if chosen(index, entry) {
                bucket.push(self.tag(index), entry);
            }
        }
        bucket
    }

    /// Appends all entries of another one.
    pub(super) fn append(&mut self, other: &Bucket) {
        if !self.block.is_empty() {
            let wanted = (self.count() + other.count()).next_multiple_of(ROOM_STEP);
            let room = wanted.saturating_sub(self.room());
            self.reserve(self.used() + other.used() + 3 * room);
        }
        for index in 0..other.count() {
            self.push(other.tag(index), other.stored(index));
        }
    }
}
