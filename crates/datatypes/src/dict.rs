//! Dict: a hash table of byte strings to byte strings for millions of entries, without an allocation for each.
//!
//! It is what a large set, a large hash and the member index of a large sorted set are made of.
//!
//! ```text
//!     hash      | tag 8 bits | ........................ address bits, from the lowest |
//!     dict      pages of 256 buckets;  n buckets, half <= n < 2 half, half a power of two
//!     address   the lowest bits of the hash, one more than log2(half); where that is not below n, one less
//!     bucket    tags, offsets and entries in one block of memory (`bucket.rs`)
//!     long      entries of more than 254 bytes, each in its own block (`long.rs`)
//! ```
//!
//! This is linear hashing. When the buckets are full on average, the next one in turn is split by one more
//! bit of the hash, whichever was hit; when they are too empty, the last one is joined to the one that it was
//! split from. A bucket that is full before its turn simply has a larger block. So there is no directory
//! to double, every step of growth and shrinkage touches two buckets of about a kilobyte, and blocks fit their
//! contents: an entry costs some nine bytes beyond its own (a tag, an offset, two lengths, rounding).
//!
//! A look-up reads a bucket's pointer, its tags and the entry that agrees: about three cache misses.
//!
//! Cursors. Read the address bits in reverse, and the hash has a place in a line of 2^32 prefixes; each bucket
//! covers one range of it, splitting halves the range and joining doubles it. A cursor is a place in this
//! line: [`Dict::scan`] tells all entries of the bucket that covers it and goes on behind the bucket's
//! range. So whoever stays from the first to the last call is told at least once, whatever
//! happens to the table in between.
//!
//! 1. Every entry is in the bucket that its hash names; the buckets are those below `buckets`.
//! 2. `tallest` is at least the count of every bucket, so that drawing a bucket and a place below `tallest`, until
//!    an entry is there, draws all entries alike.
//! 3. Two dicts should not share a seed: one that is filled in the order of another's cursor would fill its
//!    first bucket with most of what comes. Mix the seed of the node with something of the value.
//! 4. Whoever removes what the dict's own cursor tells is common, and empties the line from its beginning: a bucket
//!    that would grow out of bounds is not joined, and the empty ones (24 bytes each) wait.
//!
//! Not here: what keys and values mean, and when a collection becomes large (`set.rs`, `hash.rs`).

mod bucket;
mod keyed_hash;
mod long;
#[cfg(test)]
mod tests;

use bucket::{Bucket, Entry, MOST_INLINE};
pub use keyed_hash::keyed_hash;
use long::Longs;
use std::mem;

/// Buckets of a page: 6 KB of pointers. The list of pages, which doubles, has some 50 KB at ten million entries.
const PAGE: usize = 256;
/// A further bucket is due when the buckets have more entries than this on average ..
const ENTRIES_SPLIT: usize = 20;
/// .. or more bytes.
const BYTES_SPLIT: usize = 800;
/// A bucket less is due when both are below so many eighths of that.
const JOIN_EIGHTHS: usize = 5;
/// Buckets that are fuller together than this are not joined. Whoever removes what a cursor tells empties the
/// beginning of the line and leaves its end as it was; joining by the average would make giants there.
const ENTRIES_MOST: usize = 4 * ENTRIES_SPLIT;
/// And those of more bytes.
const BYTES_MOST: usize = 4 * BYTES_SPLIT;
/// Joins to one removal: enough to make up for those that were put off.
const JOINS_MOST: usize = 8;
/// A bucket of so many bytes is no accident: entries come in the order of the line, as when two dicts share a seed and
/// one is filled by the other's cursor. It is split before the average says so.
const GIANT: usize = 10 * BYTES_SPLIT;
/// Splits to one insertion into a giant.
const SPLITS_MOST: usize = 4;
/// Draws before an entry is counted off instead. Three are usual.
const DRAWS_MOST: usize = 100;
/// Bits of the hash that a cursor counts in.
const PREFIX_BITS: u32 = 32;

/// A hash table of byte strings.
#[derive(Debug)]
pub struct Dict {
    seed: u64,
    pages: Vec<Vec<Bucket>>,
    buckets: usize,
    len: usize,
    /// Bytes in use in the blocks of buckets.
    used: usize,
    /// Bytes of the blocks of buckets.
    taken: usize,
    longs: Longs,
    tallest: usize,
    /// What `tallest` will be when every bucket has been split since it was last set.
    tallest_next: usize,
    /// Whether all buckets will have been split when `buckets` next doubles.
    rising: bool,
}

impl Dict {
    /// An empty one; see invariant 3 for the seed.
    pub fn new(seed: u64) -> Dict {
        Dict {
            seed,
            pages: vec![vec![Bucket::default()]],
            buckets: 1,
            len: 0,
            used: 0,
            taken: 0,
            longs: Longs::new(),
            tallest: 0,
            tallest_next: 0,
            rising: true,
        }
    }

    /// The seed that it was made with.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// How many entries it has.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes of heap that it holds, without those of the struct.
    pub fn memory(&self) -> usize {
        let buckets = match self.pages.last() {
            Some(last) => (self.pages.len() - 1) * PAGE + last.capacity(),
            None => 0,
        };
        self.taken
            + self.longs.memory()
            + buckets * mem::size_of::<Bucket>()
            + self.pages.capacity() * mem::size_of::<Vec<Bucket>>()
    }

    /// Whether the key is there.
    #[inline]
    pub fn contains(&self, key: &[u8]) -> bool {
        let hash = keyed_hash(self.seed, key);
        self.bucket(self.address(hash)).find(tag_of(hash), key, &self.longs).is_some()
    }

    /// The value of a key.
    #[inline]
    pub fn get(&self, key: &[u8]) -> Option<&[u8]> {
        let hash = keyed_hash(self.seed, key);
        let bucket = self.bucket(self.address(hash));
        let index = bucket.find(tag_of(hash), key, &self.longs)?;
        Some(bucket.get(index, &self.longs).1)
    }

    /// The value of a key, to be overwritten in its length.
    pub fn get_mut(&mut self, key: &[u8]) -> Option<&mut [u8]> {
        let hash = keyed_hash(self.seed, key);
        let address = self.address(hash);
        let bucket = &mut self.pages[address / PAGE][address % PAGE];
        let index = bucket.find(tag_of(hash), key, &self.longs)?;
        Some(bucket.value_mut(index, &mut self.longs))
    }

    /// Adds the key with this value, unless it is there already; whether it was added.
    #[inline]
    pub fn add(&mut self, key: &[u8], value: &[u8]) -> bool {
        let hash = keyed_hash(self.seed, key);
        let address = self.address(hash);
        if self.bucket(address).find(tag_of(hash), key, &self.longs).is_some() {
            return false;
        }
        self.push(hash, address, key, value);
        true
    }

    /// Gives the key this value; whether the key is new.
    #[inline]
    pub fn insert(&mut self, key: &[u8], value: &[u8]) -> bool {
        let hash = keyed_hash(self.seed, key);
        let address = self.address(hash);
        let Some(index) = self.bucket(address).find(tag_of(hash), key, &self.longs) else {
            self.push(hash, address, key, value);
            return true;
        };
        let inline = key.len() + value.len() <= MOST_INLINE && !self.bucket(address).is_crowded();
        let entry = match (self.bucket(address).stored(index), inline) {
            (Entry::Long(number), false) => {
                self.longs.replace(number, hash, key, value);
                return false;
            }
            (Entry::Long(number), true) => {
                self.longs.remove(number);
                Entry::Inline(key, value)
            }
            (Entry::Inline(_, old), _) if old.len() == value.len() => Entry::Inline(key, value),
            (Entry::Inline(..), true) => Entry::Inline(key, value),
            (Entry::Inline(..), false) => Entry::Long(self.longs.insert(hash, key, value)),
        };
        self.edit(address, |bucket| bucket.replace(index, entry));
        self.grow(address);
        false
    }

    /// Takes the key out; whether it was there.
    pub fn remove(&mut self, key: &[u8]) -> bool {
        let hash = keyed_hash(self.seed, key);
        let address = self.address(hash);
        match self.bucket(address).find(tag_of(hash), key, &self.longs) {
            Some(index) => {
                self.remove_at(address, index);
                true
            }
            None => false,
        }
    }

    /// All entries, in no order of meaning.
    pub fn iter(&self) -> Iter<'_> {
        Iter { dict: self, address: 0, index: 0, left: self.len }
    }

    /// An entry, each with the same probability.
    pub fn random(&self, draw: &mut dyn FnMut() -> u64) -> Option<(&[u8], &[u8])> {
        let (address, index) = self.draw(draw)?;
        Some(self.bucket(address).get(index, &self.longs))
    }

    /// Tells `count` different entries, each choice of so many with the same probability, in no order of
    /// meaning; all of them, if there are no more.
    pub fn sample(&self, count: usize, draw: &mut dyn FnMut() -> u64, f: &mut dyn FnMut(&[u8], &[u8])) {
        // Where few are left out, passing over all is cheaper than drawing the last ones again and again.
        if count > self.len / 3 {
            let mut chosen = Selection::new(count, self.len);
            self.iter().filter(|_| chosen.next(draw)).for_each(|(key, value)| f(key, value));
            return;
        }
        let mut seen = Dict::new(keyed_hash(self.seed, b"sample"));
        while seen.len() < count {
            let Some((address, index)) = self.draw(draw) else { return };
            // A bucket has less than 2^16 entries.
            if seen.add(&((address << 16 | index) as u64).to_le_bytes(), &[]) {
                let (key, value) = self.bucket(address).get(index, &self.longs);
                f(key, value);
            }
        }
    }

    /// Takes out an entry, each with the same probability, and tells it; whether there was one.
    pub fn pop_random(&mut self, draw: &mut dyn FnMut() -> u64, f: &mut dyn FnMut(&[u8], &[u8])) -> bool {
        let Some((address, index)) = self.draw(draw) else { return false };
        let (key, value) = self.bucket(address).get(index, &self.longs);
        f(key, value);
        self.remove_at(address, index);
        true
    }

    /// Tells about `count` entries from a cursor on, and gives the cursor to go on from: zero at the end, as at
    /// the start. An entry that is there from the first call to the last one is told at least once; buckets are
    /// told whole, so that more than `count` may come.
    pub fn scan(&self, cursor: u64, count: usize, f: &mut dyn FnMut(&[u8], &[u8])) -> u64 {
        let mut place = cursor;
        let (mut told, mut visited) = (0, 0);
        while place < 1 << PREFIX_BITS {
            let address = self.address(u64::from((place as u32).reverse_bits()));
            let bucket = self.bucket(address);
            for index in 0..bucket.count() {
                let (key, value) = bucket.get(index, &self.longs);
                f(key, value);
            }
            let width = 1 << (PREFIX_BITS - self.depth(address));
            place = (place & !(width - 1)) + width;
            told += bucket.count();
            visited += 1;
            // Empty buckets are work, too.
            if told >= count || visited >= count.max(1).saturating_mul(10) {
                break;
            }
        }
        if place >> PREFIX_BITS == 0 {
            place
        } else {
            0
        }
    }

    /// Frees about so many blocks of memory, and loses what was in them; whether nothing is left. The dict is of
    /// no other use after the first call.
    pub fn dismantle(&mut self, steps: usize) -> bool {
        let mut steps = self.longs.dismantle(steps);
        while steps > 0 {
            let Some(page) = self.pages.last_mut() else { break };
            steps -= 1;
            match page.pop() {
                Some(bucket) => self.taken -= bucket.capacity(),
                None => drop(self.pages.pop()),
            }
        }
        self.len = 0;
        self.pages.is_empty() && self.longs.is_dismantled()
    }

    #[inline]
    fn bucket(&self, address: usize) -> &Bucket {
        &self.pages[address / PAGE][address % PAGE]
    }

    /// The bucket of a hash.
    #[inline]
    fn address(&self, hash: u64) -> usize {
        let mask = self.buckets.next_power_of_two() - 1;
        let address = hash as usize & mask;
        if address < self.buckets {
            address
        } else {
            address & (mask >> 1)
        }
    }

    /// The greatest power of two that is not above `buckets`.
    fn half(&self) -> usize {
        1 << self.buckets.ilog2()
    }

    /// How many bits of the hash lead to a bucket.
    fn depth(&self, address: usize) -> u32 {
        let half = self.half();
        let split = address >= half || address < self.buckets - half;
        half.ilog2() + u32::from(split)
    }

    /// Changes a bucket and keeps the sums.
    #[inline]
    fn edit(&mut self, address: usize, change: impl FnOnce(&mut Bucket)) {
        let bucket = &mut self.pages[address / PAGE][address % PAGE];
        let (used, taken) = (bucket.used(), bucket.capacity());
        change(bucket);
        self.used = self.used - used + bucket.used();
        self.taken = self.taken - taken + bucket.capacity();
        let count = bucket.count();
        self.tallest = self.tallest.max(count);
        self.tallest_next = self.tallest_next.max(count);
    }

    fn push(&mut self, hash: u64, address: usize, key: &[u8], value: &[u8]) {
        let inline = key.len() + value.len() <= MOST_INLINE && !self.bucket(address).is_crowded();
        let entry =
            if inline { Entry::Inline(key, value) } else { Entry::Long(self.longs.insert(hash, key, value)) };
        self.edit(address, |bucket| bucket.push(tag_of(hash), entry));
        self.len += 1;
        self.grow(address);
    }

    fn remove_at(&mut self, address: usize, index: usize) {
        if let Entry::Long(number) = self.bucket(address).stored(index) {
            self.longs.remove(number);
        }
        self.edit(address, |bucket| bucket.remove(index));
        self.len -= 1;
        self.shrink();
    }

    /// The step of growth that is due when a bucket has got more. One is enough, for no entry weighs more than a
    /// bucket; more are taken to bring a giant's turn nearer.
    #[inline]
    fn grow(&mut self, address: usize) {
        if self.len > self.buckets * ENTRIES_SPLIT || self.used > self.buckets * BYTES_SPLIT {
            self.split();
        } else if self.bucket(address).used() > GIANT && self.buckets < self.len * 8 {
            for _ in 0..SPLITS_MOST {
                self.split();
            }
        }
    }

    /// The steps of shrinkage that are due when an entry is gone: more than one, where they have been put off.
    #[inline]
    fn shrink(&mut self) {
        for _ in 0..JOINS_MOST {
            if !self.is_sparse() || !self.join() {
                return;
            }
        }
    }

    #[inline]
    fn is_sparse(&self) -> bool {
        self.buckets > 1
            && self.len * 8 < self.buckets * ENTRIES_SPLIT * JOIN_EIGHTHS
            && self.used * 8 < self.buckets * BYTES_SPLIT * JOIN_EIGHTHS
    }

    /// Splits the bucket whose turn it is.
    fn split(&mut self) {
        let half = self.half();
        let from = self.buckets - half;
        assert!(self.buckets < 1 << (PREFIX_BITS - 1), "a dict has less than 2^31 buckets");
        let bucket = self.bucket(from);
        let leaves: Vec<bool> =
            (0..bucket.count()).map(|index| self.hash_at(bucket, index) as usize & half != 0).collect();
        let new = bucket.select(|index, _| leaves[index]);
        let rest = bucket.select(|index, _| !leaves[index]);
        self.append_bucket();
        let to = self.buckets - 1;
        self.edit(to, |bucket| *bucket = new);
        self.edit(from, |bucket| *bucket = rest);
        if self.buckets.is_power_of_two() {
            if self.rising {
                self.tallest = self.tallest_next;
            }
            self.tallest_next = 0;
            self.rising = true;
        }
    }

    fn append_bucket(&mut self) {
        if self.pages.last().is_none_or(|page| page.len() == PAGE) {
            self.pages.push(Vec::new());
        }
        let page = self.pages.last_mut().expect("there is a page");
        if page.len() == page.capacity() {
            page.reserve_exact(page.len().max(2));
        }
        page.push(Bucket::default());
        self.buckets += 1;
    }

    /// Joins the last bucket to the one that it was split from, unless that would be too much for one; whether it did.
    fn join(&mut self) -> bool {
        let from = self.buckets - 1;
        let to = from - (1 << from.ilog2());
        let (count, used) = [from, to]
            .map(|at| self.bucket(at))
            .iter()
            .fold((0, 0), |(count, used), bucket| (count + bucket.count(), used + bucket.used()));
        if count > ENTRIES_MOST || used > BYTES_MOST {
            return false;
        }
        if self.buckets.is_power_of_two() {
            self.rising = false;
        }
        let mut last = Bucket::default();
        self.edit(from, |bucket| mem::swap(bucket, &mut last));
        let page = self.pages.last_mut().expect("there is a page");
        page.pop();
        if page.is_empty() {
            self.pages.pop();
        }
        self.buckets -= 1;
        self.edit(to, |bucket| bucket.append(&last));
        true
    }

    /// The hash of an entry.
    fn hash_at(&self, bucket: &Bucket, index: usize) -> u64 {
        match bucket.stored(index) {
            Entry::Inline(key, _) => keyed_hash(self.seed, key),
            Entry::Long(number) => self.longs.hash(number),
        }
    }

    /// Where a random entry is.
    fn draw(&self, draw: &mut dyn FnMut() -> u64) -> Option<(usize, usize)> {
        if self.len == 0 {
            return None;
        }
        for _ in 0..DRAWS_MOST {
            let bits = draw();
            let address = (((bits >> 32) * self.buckets as u64) >> 32) as usize;
            let index = (((bits & 0xffff_ffff) * self.tallest as u64) >> 32) as usize;
            if index < self.bucket(address).count() {
                return Some((address, index));
            }
        }
        // A table that was emptied by a cursor may have many buckets with nothing.
        let mut index = below(self.len, draw);
        for (address, bucket) in self.pages.iter().flatten().enumerate() {
            match index.checked_sub(bucket.count()) {
                Some(left) => index = left,
                None => return Some((address, index)),
            }
        }
        unreachable!("the buckets hold as many entries as are counted")
    }
}

impl Clone for Dict {
    fn clone(&self) -> Dict {
        let mut copy = Dict {
            pages: self.pages.clone(),
            longs: self.longs.clone(),
            // Blocks of the copy fit.
            taken: 0,
            ..*self
        };
        copy.taken = copy.pages.iter().flatten().map(Bucket::capacity).sum();
        copy
    }
}

#[inline]
fn tag_of(hash: u64) -> u8 {
    (hash >> 56) as u8
}

/// Chooses `count` things of `len` that pass by in a row, each choice with the same probability.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    wanted: usize,
    left: usize,
}

impl Selection {
    pub(crate) fn new(count: usize, len: usize) -> Selection {
        Selection { wanted: count.min(len), left: len }
    }

    /// Whether the next one is chosen.
    pub(crate) fn next(&mut self, draw: &mut dyn FnMut() -> u64) -> bool {
        let chosen = self.wanted > 0 && below(self.left, draw) < self.wanted;
        self.left -= 1;
        self.wanted -= usize::from(chosen);
        chosen
    }
}

/// A number below `limit`, each with the same probability.
pub(crate) fn below(limit: usize, draw: &mut dyn FnMut() -> u64) -> usize {
    ((u128::from(draw()) * limit as u128) >> 64) as usize
}

/// All entries of a [`Dict`].
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    dict: &'a Dict,
    address: usize,
    index: usize,
    left: usize,
}

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        loop {
            let bucket = self.dict.bucket(self.address);
            if self.index < bucket.count() {
                self.index += 1;
                return Some(bucket.get(self.index - 1, &self.dict.longs));
            }
            self.address += 1;
            self.index = 0;
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Iter<'_> {}
