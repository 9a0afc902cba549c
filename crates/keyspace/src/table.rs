//! The table of one slot: from a hash to a record, in the order of the hash.
//!
//! ```text
//!     slot      root ---> segment                          (a small slot)
//!               root ---> directory of 2^depth references ---> segments        (extendible hashing)
//!     reference pointer 48 bits | granules 10 bits | local depth 6 bits
//!     segment   | the heap's 8 | count 4 | - 4 | entry | entry | ... | 0 |
//!     entry     tag 16 bits | pointer to the record 48 bits;  0: empty
//! ```
//!
//! A tag is the 16 bits of the hash below the segment's local depth. An entry's home is its tag scaled to
//! the capacity; entries stand in the order of their tags, at their home or behind it without a gap
//! (linear probing that keeps the order). So a look-up ends at the first empty or larger tag, growth
//! reads no record, and an iteration in the order of the hash survives growth, shrinkage and splits.
//!
//! 1. The last entry of a segment is always empty: every probe ends.
//! 2. A segment outgrown beyond [`MOST_GRANULES`] is split by one more bit of the hash: no insertion moves
//!    more than one segment, or copies more than one directory.
//! 3. A table without keys has no memory.
//! 4. Eight tags are compared at a time; a segment of one granule is searched one by one.
//!
//! Not here: what a record is (`record.rs`), and where memory comes from (`memory.rs`).

#![allow(unsafe_code)]

use crate::memory::{Memory, GRANULE};
use crate::record::Record;
use std::ptr::NonNull;

/// A segment of 8 KiB: some 880 keys.
const MOST_GRANULES: usize = 128;
/// Bytes of a segment before its entries.
const FRONT: usize = 16;
/// Bits of the hash that the cursor of an iteration keeps.
const PREFIX_BITS: u32 = crate::cursor::PREFIX_BITS;

/// Asks for a cache line.
#[inline]
pub(crate) fn prefetch(at: *const u8) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: a prefetch of any address is harmless.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(at.cast());
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = at;
}

/// A reference to a segment, with what a look-up needs to know of it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Segment(u64);

fn entries_of(granules: usize) -> usize {
    (granules * GRANULE - FRONT) / 8
}

/// Homes of a segment with so many entries: the rest takes what the last homes push on.
fn homes_of(total: usize) -> usize {
    total - 3 - total / 32
}

/// Keys that a segment of so many granules may hold.
fn limit_of(granules: usize) -> usize {
    let total = entries_of(granules);
    if granules <= 2 {
        total - 2
    } else {
        homes_of(total) * 9 / 10
    }
}

/// The smallest segment that is not full with so many keys and a tenth more.
fn granules_for(keys: usize) -> usize {
    let wanted = keys + keys / 10 + 1;
    let mut granules = (wanted * 8 * 10 / 9 / GRANULE).max(1);
    while limit_of(granules) < wanted {
        granules += 1;
    }
    granules.min(MOST_GRANULES)
}

fn pointer_of(entry: u64) -> u64 {
    entry & ((1 << 48) - 1)
}

fn tag_of(entry: u64) -> u16 {
    (entry >> 48) as u16
}

impl Segment {
    fn create(memory: &mut Memory, granules: usize, depth: u32) -> Segment {
        let block = memory.alloc_block(granules);
        // SAFETY: the block is new; the heap's own eight bytes are left alone.
        unsafe { std::ptr::write_bytes(block.as_ptr().add(8), 0, granules * GRANULE - 8) };
        Segment::at(block, granules, depth)
    }

    fn at(block: NonNull<u8>, granules: usize, depth: u32) -> Segment {
        let pointer = block.as_ptr().expose_provenance() as u64;
        Segment(pointer << 16 | (granules as u64) << 6 | u64::from(depth))
    }

    #[inline]
    fn block(self) -> NonNull<u8> {
        let pointer = std::ptr::with_exposed_provenance_mut((self.0 >> 16) as usize);
        NonNull::new(pointer).expect("a segment is somewhere")
    }

    #[inline]
    fn granules(self) -> usize {
        (self.0 >> 6 & 0x3ff) as usize
    }

    #[inline]
    fn depth(self) -> u32 {
        (self.0 & 0x3f) as u32
    }

    #[inline]
    fn total(self) -> usize {
        entries_of(self.granules())
    }

    #[inline]
    fn tag(self, hash: u64) -> u16 {
        (hash << self.depth() >> 48) as u16
    }

    #[inline]
    fn home(self, tag: u16) -> usize {
        (usize::from(tag) * homes_of(self.total())) >> 16
    }

    #[inline]
    fn entry(self, at: usize) -> *mut u64 {
        debug_assert!(at < self.total());
        // SAFETY: the place is inside of the block.
        unsafe { self.block().as_ptr().add(FRONT).cast::<u64>().add(at) }
    }

    #[inline]
    fn get(self, at: usize) -> u64 {
        // SAFETY: entries are initialised when the segment is made.
        unsafe { self.entry(at).read() }
    }

    #[inline]
    fn set(self, at: usize, entry: u64) {
        // SAFETY: as in `get`; the core that holds the slot is the only one to write.
        unsafe { self.entry(at).write(entry) };
    }

    #[inline]
    fn count(self) -> usize {
        // SAFETY: the field is initialised when the segment is made.
        unsafe { self.block().as_ptr().add(8).cast::<u32>().read() as usize }
    }

    fn set_count(self, count: usize) {
        // SAFETY: as in `count`.
        unsafe { self.block().as_ptr().add(8).cast::<u32>().write(count as u32) };
    }

    /// Which of the eight entries from `at` on have this tag, a bit each.
    #[cfg(target_arch = "x86_64")]
    #[inline]
    fn match_eight(self, at: usize, tag: u16) -> u32 {
        use std::arch::x86_64::*;
        debug_assert!(at + 8 <= self.total());
        // SAFETY: the eight entries are inside of the block; SSE2 is part of x86-64.
        unsafe {
            let from = self.entry(at).cast::<__m128i>();
            let load = |i: usize| _mm_castsi128_ps(_mm_loadu_si128(from.add(i)));
            // The upper halves of four entries: tag in the upper 16 bits, shifted down with its sign.
            let upper = |i: usize| {
                let four = _mm_shuffle_ps::<0b11_01_11_01>(load(i), load(i + 1));
                _mm_srai_epi32::<16>(_mm_castps_si128(four))
            };
            let tags = _mm_packs_epi32(upper(0), upper(2));
            let equal = _mm_cmpeq_epi16(tags, _mm_set1_epi16(tag as i16));
            _mm_movemask_epi8(_mm_packs_epi16(equal, _mm_setzero_si128())) as u32
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn match_eight(self, at: usize, tag: u16) -> u32 {
        (0..8).filter(|&i| tag_of(self.get(at + i)) == tag).fold(0, |bits, i| bits | 1 << i)
    }

    /// The place of the first entry of this tag whose record `is_it`.
    #[inline]
    fn find(self, tag: u16, mut is_it: impl FnMut(Record) -> bool) -> Option<usize> {
        let (total, mut at) = (self.total(), self.home(tag));
        if total < 8 {
            return self.find_slowly(tag, is_it);
        }
        loop {
            at = at.min(total - 8);
            let mut equal = self.match_eight(at, tag);
            while equal != 0 {
                let place = at + equal.trailing_zeros() as usize;
                let entry = self.get(place);
                if entry != 0 && is_it(Record::from_bits(pointer_of(entry))) {
                    return Some(place);
                }
                equal &= equal - 1;
            }
            let last = self.get(at + 7);
            if last == 0 || tag_of(last) > tag {
                return None;
            }
            at += 8;
        }
    }

    fn find_slowly(self, tag: u16, mut is_it: impl FnMut(Record) -> bool) -> Option<usize> {
        (self.home(tag)..self.total())
            .take_while(|&at| self.get(at) != 0 && tag_of(self.get(at)) <= tag)
            .find(|&at| tag_of(self.get(at)) == tag && is_it(Record::from_bits(pointer_of(self.get(at)))))
    }

    /// Puts an entry into its place; false if the segment is full.
    fn insert(self, tag: u16, record: Record) -> bool {
        let count = self.count();
        if count >= limit_of(self.granules()) {
            return false;
        }
        let mut at = self.home(tag);
        while self.get(at) != 0 && tag_of(self.get(at)) <= tag {
            at += 1;
        }
        let mut free = at;
        while self.get(free) != 0 {
            free += 1;
        }
        if free + 1 >= self.total() {
            return false;
        }
        // SAFETY: both ranges are inside of the block: `free` is before its last entry.
        unsafe { std::ptr::copy(self.entry(at), self.entry(at + 1), free - at) };
        self.set(at, u64::from(tag) << 48 | record.to_bits());
        self.set_count(count + 1);
        true
    }

    /// Takes an entry out; those behind it that are not at home move up.
    fn remove(self, mut at: usize) {
        loop {
            let next = self.get(at + 1);
            if next == 0 || self.home(tag_of(next)) > at {
                break;
            }
            self.set(at, next);
            at += 1;
        }
        self.set(at, 0);
        self.set_count(self.count() - 1);
    }

    /// Puts entries, in the order of their tags, into an empty segment; false if they do not fit.
    fn fill(self, entries: impl Iterator<Item = u64>) -> bool {
        let (mut next, mut count) = (0, 0);
        for entry in entries {
            let at = self.home(tag_of(entry)).max(next);
            if at + 1 >= self.total() {
                return false;
            }
            self.set(at, entry);
            next = at + 1;
            count += 1;
        }
        self.set_count(count);
        true
    }

    fn all(self) -> impl Iterator<Item = u64> {
        (0..self.total()).map(move |at| self.get(at)).filter(|&entry| entry != 0)
    }

    /// The same entries in a segment of another size, or the next larger one that they fit into.
    fn rebuild(self, memory: &mut Memory, mut granules: usize) -> Option<Segment> {
        while granules <= MOST_GRANULES {
            let new = Segment::create(memory, granules, self.depth());
            if new.fill(self.all()) {
                self.free(memory);
                return Some(new);
            }
            new.free(memory);
            granules += 1;
        }
        None
    }

    fn free(self, memory: &mut Memory) {
        // SAFETY: the block is a segment's, and nothing refers to it any more.
        unsafe { memory.free_block(self.block()) };
    }

    /// Moves the segment, if `memory` wants it moved.
    fn relocate(self, memory: &mut Memory) -> Option<Segment> {
        // SAFETY: the block is live.
        if !unsafe { memory.should_move_block(self.block()) } {
            return None;
        }
        let to = memory.alloc_block(self.granules());
        // SAFETY: both blocks have so many granules; each keeps its own first eight bytes.
        unsafe {
            let bytes = self.granules() * GRANULE - 8;
            std::ptr::copy_nonoverlapping(self.block().as_ptr().add(8), to.as_ptr().add(8), bytes);
        }
        self.free(memory);
        Some(Segment::at(to, self.granules(), self.depth()))
    }
}

/// References to the segments of a large slot, by the first `depth` bits of the hash.
struct Directory {
    depth: u32,
    segments: Vec<Segment>,
}

/// What a root refers to.
enum Root {
    Empty,
    Segment(Segment),
    Directory(NonNull<Directory>),
}

/// The table of one slot of one database.
#[derive(Clone, Copy)]
pub(crate) struct Table {
    root: u64,
    /// Keys.
    pub keys: u32,
    /// Keys that have an expiry.
    pub volatile: u32,
    /// No key expires before this time, unix ms; meaningless while no key has an expiry.
    pub next_expiry: u64,
}

// SAFETY: what a table refers to belongs to whoever holds the table (rule R5).
unsafe impl Send for Table {}

/// What hashes the key of a record, for splits and cursors.
pub(crate) type Rehash<'a> = &'a dyn Fn(&[u8]) -> u64;

impl Table {
    pub const EMPTY: Table = Table { root: 0, keys: 0, volatile: 0, next_expiry: 0 };

    #[inline]
    fn root(&self) -> Root {
        match self.root {
            0 => Root::Empty,
            root if root >> 6 & 0x3ff != 0 => Root::Segment(Segment(root)),
            root => {
                let pointer = std::ptr::with_exposed_provenance_mut((root >> 16) as usize);
                Root::Directory(NonNull::new(pointer).expect("a directory is somewhere"))
            }
        }
    }

    #[inline]
    fn segment(&self, hash: u64) -> Option<Segment> {
        match self.root() {
            Root::Empty => None,
            Root::Segment(segment) => Some(segment),
            Root::Directory(directory) => {
                // SAFETY: the directory lives as long as the root refers to it.
                let directory = unsafe { directory.as_ref() };
                Some(directory.segments[(hash >> (64 - directory.depth)) as usize])
            }
        }
    }

    /// Puts a segment in the place of the one that has this hash.
    fn set_segment(&mut self, hash: u64, segment: Segment) {
        match self.root() {
            Root::Empty | Root::Segment(_) => self.root = segment.0,
            Root::Directory(mut directory) => {
                // SAFETY: as in `segment`, and nobody else holds a reference into it.
                let directory = unsafe { directory.as_mut() };
                let spread = directory.depth - segment.depth();
                let first = (hash >> (64 - directory.depth)) as usize >> spread << spread;
                directory.segments[first..first + (1 << spread)].fill(segment);
            }
        }
    }

    /// Asks for the entries where this hash would be.
    #[inline]
    pub fn prefetch(&self, hash: u64) {
        if let Some(segment) = self.segment(hash) {
            let home = segment.entry(segment.home(segment.tag(hash))).cast::<u8>();
            prefetch(home);
            prefetch(home.wrapping_add(56));
        }
    }

    /// Asks for the records whose entries look like this hash.
    #[inline]
    pub fn prefetch_record(&self, hash: u64) {
        if let Some(segment) = self.segment(hash) {
            segment.find(segment.tag(hash), |record| {
                record.prefetch();
                true
            });
        }
    }

    /// The record of a key.
    #[inline]
    pub fn find(&self, hash: u64, key: &[u8]) -> Option<Record> {
        let segment = self.segment(hash)?;
        let mut found = None;
        segment.find(segment.tag(hash), |record| {
            let is_it = record.key() == key;
            if is_it {
                found = Some(record);
            }
            is_it
        });
        found
    }

    /// Puts a record in whose key is not there.
    pub fn insert(&mut self, memory: &mut Memory, rehash: Rehash<'_>, hash: u64, record: Record) {
        self.keys += 1;
        loop {
            let segment = match self.segment(hash) {
                Some(segment) => segment,
                None => {
                    let first = Segment::create(memory, 1, 0);
                    self.root = first.0;
                    first
                }
            };
            if segment.insert(segment.tag(hash), record) {
                return;
            }
            self.enlarge(memory, rehash, hash, segment);
        }
    }

    fn enlarge(&mut self, memory: &mut Memory, rehash: Rehash<'_>, hash: u64, segment: Segment) {
        let wanted = granules_for(segment.count()).max(segment.granules() + 1);
        if wanted <= MOST_GRANULES {
            if let Some(new) = segment.rebuild(memory, wanted) {
                return self.set_segment(hash, new);
            }
        }
        self.split(memory, rehash, hash, segment);
    }

    /// Splits a segment by the next bit of the hash.
    fn split(&mut self, memory: &mut Memory, rehash: Rehash<'_>, hash: u64, segment: Segment) {
        let depth = segment.depth() + 1;
        assert!(depth < 48, "hashes that agree in so many bits were not drawn at random");
        let old: Vec<u64> = segment.all().collect();
        let mut halves = [Vec::with_capacity(old.len()), Vec::with_capacity(old.len())];
        for (i, &entry) in old.iter().enumerate() {
            if let Some(&ahead) = old.get(i + 12) {
                Record::from_bits(pointer_of(ahead)).prefetch();
            }
            let hash = rehash(Record::from_bits(pointer_of(entry)).key());
            let tag = (hash << depth >> 48) as u16;
            let half = (hash << (depth - 1) >> 63) as usize;
            halves[half].push(u64::from(tag) << 48 | pointer_of(entry));
        }
        self.deepen(depth);
        for (half, mut entries) in halves.into_iter().enumerate() {
            // Nearly sorted: only entries that shared a tag may be out of order.
            entries.sort_by_key(|&entry| tag_of(entry));
            let mut granules = granules_for(entries.len());
            let new = loop {
                let new = Segment::create(memory, granules, depth);
                if new.fill(entries.iter().copied()) {
                    break new;
                }
                new.free(memory);
                granules += 1;
                assert!(granules < 1 << 10, "half a segment fits into one");
            };
            let bit = 1 << (64 - depth);
            let place = if half == 0 { hash & !bit } else { hash | bit };
            self.set_segment(place, new);
        }
        segment.free(memory);
    }

    /// Makes the directory deep enough for segments of this depth.
    fn deepen(&mut self, depth: u32) {
        match self.root() {
            Root::Empty => unreachable!("an empty table is not split"),
            Root::Segment(segment) => {
                let directory = Directory { depth, segments: vec![segment; 1 << depth] };
                self.set_directory(Box::new(directory));
            }
            Root::Directory(mut directory) => {
                // SAFETY: as in `set_segment`.
                let directory = unsafe { directory.as_mut() };
                if directory.depth < depth {
                    let doubled = directory.segments.iter().flat_map(|&segment| [segment; 2]).collect();
                    *directory = Directory { depth, segments: doubled };
                }
            }
        }
    }

    fn set_directory(&mut self, directory: Box<Directory>) {
        self.root = (Box::into_raw(directory).expose_provenance() as u64) << 16;
    }

    fn take_directory(&mut self) -> Option<Box<Directory>> {
        let Root::Directory(directory) = self.root() else { return None };
        self.root = 0;
        // SAFETY: it came from `set_directory`, and the only reference to it is gone.
        Some(unsafe { Box::from_raw(directory.as_ptr()) })
    }

    /// Takes a record out. Its memory is the caller's.
    pub fn remove(&mut self, memory: &mut Memory, hash: u64, record: Record) {
        let segment = self.segment(hash).expect("the record is there");
        let at = segment.find(segment.tag(hash), |found| found == record).expect("the record is there");
        segment.remove(at);
        self.keys -= 1;
        if self.keys == 0 {
            self.free_segments(memory);
            return;
        }
        let count = segment.count();
        if count * 10 < limit_of(segment.granules()) * 6 {
            let wanted = granules_for(count + count / 8);
            if wanted < segment.granules() {
                if let Some(new) = segment.rebuild(memory, wanted) {
                    self.set_segment(hash, new);
                }
            }
        }
    }

    /// A record has moved.
    pub fn repoint(&mut self, hash: u64, from: Record, to: Record) {
        let segment = self.segment(hash).expect("the record is there");
        let tag = segment.tag(hash);
        let at = segment.find(tag, |found| found == from).expect("the record is there");
        segment.set(at, u64::from(tag) << 48 | to.to_bits());
    }

    /// Frees the segments of a table without keys.
    fn free_segments(&mut self, memory: &mut Memory) {
        while self.drop_segment(memory, |_, _| unreachable!("the table has no keys")) {}
    }

    /// Frees one segment and hands out its records. Whether there was one.
    pub fn drop_segment(&mut self, memory: &mut Memory, mut f: impl FnMut(&mut Memory, Record)) -> bool {
        let segment = match self.root() {
            Root::Empty => return false,
            Root::Segment(segment) => {
                self.root = 0;
                segment
            }
            Root::Directory(mut directory) => {
                // SAFETY: as in `set_segment`.
                let segments = unsafe { &mut directory.as_mut().segments };
                let last = segments.pop();
                while last.is_some() && segments.last() == last.as_ref() {
                    segments.pop();
                }
                match last {
                    Some(segment) => segment,
                    None => {
                        drop(self.take_directory());
                        return false;
                    }
                }
            }
        };
        for entry in segment.all() {
            f(memory, Record::from_bits(pointer_of(entry)));
        }
        segment.free(memory);
        true
    }

    /// Shows the records whose hash prefix is at least `from`, in the order of the prefix and all of one
    /// prefix together, until `budget` or more were seen. Where to go on; one past the last prefix at
    /// the end.
    pub fn walk(&self, rehash: Rehash<'_>, from: u64, budget: usize, mut f: impl FnMut(u64, Record)) -> u64 {
        let (mut at, mut seen) = (from, 0);
        while at >> PREFIX_BITS == 0 && seen < budget {
            let hash = at << (64 - PREFIX_BITS);
            let Some(segment) = self.segment(hash) else { break };
            at = self.walk_segment(segment, rehash, (from, at), budget - seen, |hash, record| {
                seen += 1;
                f(hash, record);
            });
        }
        if at >> PREFIX_BITS != 0 || seen < budget {
            1 << PREFIX_BITS
        } else {
            at
        }
    }

    fn walk_segment(
        &self,
        segment: Segment,
        rehash: Rehash<'_>,
        (from, at): (u64, u64),
        budget: usize,
        mut f: impl FnMut(u64, Record),
    ) -> u64 {
        let hash = at << (64 - PREFIX_BITS);
        let depth = segment.depth();
        let start = segment.tag(hash);
        let end = if depth == 0 {
            1 << PREFIX_BITS
        } else {
            ((hash >> (64 - depth)) + 1) << (PREFIX_BITS.saturating_sub(depth))
        };
        let (mut seen, mut last) = (0, None);
        for place in segment.home(start)..segment.total() {
            let entry = segment.get(place);
            if entry == 0 || tag_of(entry) < start {
                continue;
            }
            let tag = tag_of(entry);
            // Below this depth a tag's end is a prefix's end, too.
            if seen >= budget && last != Some(tag) && depth + 16 <= PREFIX_BITS {
                let above = if depth == 0 { 0 } else { hash >> (64 - depth) << 16 };
                return (above | u64::from(tag)) << (PREFIX_BITS - depth - 16);
            }
            let record = Record::from_bits(pointer_of(entry));
            let hash = rehash(record.key());
            if hash >> (64 - PREFIX_BITS) >= from {
                f(hash, record);
                seen += 1;
            }
            last = Some(tag);
        }
        end
    }

    /// Moves what `memory` wants moved of the segment at `from`, a hash prefix. Where to go on, and how many
    /// entries were looked at.
    pub fn relocate(&mut self, memory: &mut Memory, from: u64, mut moved: impl FnMut()) -> (u64, usize) {
        let hash = from << (64 - PREFIX_BITS);
        let Some(mut segment) = self.segment(hash) else { return (1 << PREFIX_BITS, 1) };
        if let Some(new) = segment.relocate(memory) {
            self.set_segment(hash, new);
            segment = new;
            moved();
        }
        for at in 0..segment.total() {
            if at + 12 < segment.total() && segment.get(at + 12) != 0 {
                Record::from_bits(pointer_of(segment.get(at + 12))).prefetch();
            }
            let entry = segment.get(at);
            if entry == 0 {
                continue;
            }
            if let Some(new) = Record::from_bits(pointer_of(entry)).relocate(memory) {
                segment.set(at, u64::from(tag_of(entry)) << 48 | new.to_bits());
                moved();
            }
        }
        let depth = segment.depth();
        let next = match depth {
            0 => 1 << PREFIX_BITS,
            depth => ((hash >> (64 - depth)) + 1) << PREFIX_BITS.saturating_sub(depth),
        };
        (next, segment.total())
    }

    /// A record at about a random place.
    pub fn random(&self, random: &mut dyn FnMut() -> u64) -> Option<Record> {
        // A few tries for a fair one: a place of a random segment that holds a key.
        for _ in 0..64 {
            let segment = self.segment(random())?;
            let entry = segment.get((random() % segment.total() as u64) as usize);
            if entry != 0 {
                return Some(Record::from_bits(pointer_of(entry)));
            }
        }
        let mut first = None;
        self.walk(&|_| u64::MAX, 0, 1, |_, record| first = first.or(Some(record)));
        first
    }
}
