//! The table of one slot: from a hash to a record, in the order of the hash.
//!
//! ```text
//!     slot      root ---> segment                          (a small slot)
//!               root ---> node of 2^bits references ---> nodes ---> segments    (extendible hashing)
//!     reference pointer 48 bits | granules 10 bits | local depth 6 bits
//!               pointer 48 bits | 0               | bits of the hash that the node consumes
//!     node      | the heap's 8 | reference | reference | ...
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
//! 2. A segment outgrown beyond [`MOST_GRANULES`] is split by one more bit of the hash. A node has at most
//!    2^[`MOST_BITS`] references; what is deeper hangs in a node below. So no insertion moves more than
//!    one segment and copies more than 4 KB of references, however large or crooked the table is.
//! 3. A table without keys has no memory.
//! 4. Eight tags are compared at a time; a segment of one granule is searched one by one.
//!
//! Not here: what a record is (`record.rs`), and where memory comes from (`memory.rs`).

#![allow(unsafe_code)]

use crate::memory::{Memory, GRANULE};
use crate::record::Record;
use std::ptr::NonNull;

/// A segment of 6 KiB: some 660 keys. Splitting it is the longest that an insertion can take, and ten million
/// keys in all slots still need no node.
const MOST_GRANULES: usize = 96;
/// A node of 4 KB: with one level below it, tables of 200 million keys.
const MOST_BITS: u32 = 9;
/// Segments of one prefix would be one place to a cursor.
const MOST_DEPTH: u32 = PREFIX_BITS;
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

    /// The tags of the eight entries from `at` on.
    #[cfg(target_arch = "x86_64")]
    #[inline]
    fn eight_tags(self, at: usize) -> std::arch::x86_64::__m128i {
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
            _mm_packs_epi32(upper(0), upper(2))
        }
    }

    /// Which of the eight entries from `at` on have this tag, a bit each.
    #[cfg(target_arch = "x86_64")]
    #[inline]
    fn match_eight(self, at: usize, tag: u16) -> u32 {
        use std::arch::x86_64::*;
        // SAFETY: SSE2 is part of x86-64.
        unsafe {
            let equal = _mm_cmpeq_epi16(self.eight_tags(at), _mm_set1_epi16(tag as i16));
            _mm_movemask_epi8(_mm_packs_epi16(equal, _mm_setzero_si128())) as u32
        }
    }

    /// Which of them have a larger tag.
    #[cfg(target_arch = "x86_64")]
    #[inline]
    fn larger_of_eight(self, at: usize, tag: u16) -> u32 {
        use std::arch::x86_64::*;
        // SAFETY: SSE2 is part of x86-64.
        unsafe {
            // The comparison is of signed numbers: both sides are moved by half of the range.
            let half = _mm_set1_epi16(i16::MIN);
            let than = _mm_set1_epi16((tag ^ 0x8000) as i16);
            let larger = _mm_cmpgt_epi16(_mm_xor_si128(self.eight_tags(at), half), than);
            _mm_movemask_epi8(_mm_packs_epi16(larger, _mm_setzero_si128())) as u32
        }
    }

    /// Which of them are at home.
    #[cfg(target_arch = "x86_64")]
    #[inline]
    fn settled_of_eight(self, at: usize) -> u32 {
        use std::arch::x86_64::*;
        // SAFETY: SSE2 is part of x86-64.
        unsafe {
            // `home` of all eight at once; a segment has far fewer than 2^16 homes.
            let homes = _mm_mulhi_epu16(self.eight_tags(at), _mm_set1_epi16(homes_of(self.total()) as i16));
            let places = _mm_add_epi16(_mm_set1_epi16(at as i16), _mm_setr_epi16(0, 1, 2, 3, 4, 5, 6, 7));
            let settled = _mm_cmpeq_epi16(homes, places);
            _mm_movemask_epi8(_mm_packs_epi16(settled, _mm_setzero_si128())) as u32
        }
    }

    /// Which of them are empty.
    #[cfg(target_arch = "x86_64")]
    #[inline]
    fn empty_of_eight(self, at: usize) -> u32 {
        use std::arch::x86_64::*;
        debug_assert!(at + 8 <= self.total());
        // SAFETY: as in `eight_tags`.
        unsafe {
            let from = self.entry(at).cast::<__m128i>();
            let zero = _mm_setzero_si128();
            let halves = |i: usize| _mm_castsi128_ps(_mm_cmpeq_epi32(_mm_loadu_si128(from.add(i)), zero));
            let both = |i: usize| {
                let low = _mm_shuffle_ps::<0b10_00_10_00>(halves(i), halves(i + 1));
                let high = _mm_shuffle_ps::<0b11_01_11_01>(halves(i), halves(i + 1));
                _mm_castps_si128(_mm_and_ps(low, high))
            };
            let empty = _mm_packs_epi32(both(0), both(2));
            _mm_movemask_epi8(_mm_packs_epi16(empty, zero)) as u32
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn of_eight(self, at: usize, is: impl Fn(usize, u64) -> bool) -> u32 {
        (0..8).filter(|&i| is(at + i, self.get(at + i))).fold(0, |bits, i| bits | 1 << i)
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn match_eight(self, at: usize, tag: u16) -> u32 {
        self.of_eight(at, |_, entry| tag_of(entry) == tag)
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn larger_of_eight(self, at: usize, tag: u16) -> u32 {
        self.of_eight(at, |_, entry| tag_of(entry) > tag)
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn settled_of_eight(self, at: usize) -> u32 {
        self.of_eight(at, |place, entry| self.home(tag_of(entry)) == place)
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn empty_of_eight(self, at: usize) -> u32 {
        self.of_eight(at, |_, entry| entry == 0)
    }

    /// The first place from `start` on that `is` shows among eight, or `is_one` alone in a small segment.
    /// There must be one: every caller asks for empty places, too.
    #[inline]
    fn first(self, start: usize, is: impl Fn(usize) -> u32, is_one: impl Fn(usize, u64) -> bool) -> usize {
        let total = self.total();
        if total < 8 {
            return (start..total).find(|&at| is_one(at, self.get(at))).expect("the last entry is empty");
        }
        let mut from = start;
        loop {
            let at = from.min(total - 8);
            let bits = is(at) >> (from - at);
            if bits != 0 {
                return from + bits.trailing_zeros() as usize;
            }
            assert!(at + 8 < total, "the last entry is empty");
            from = at + 8;
        }
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
        let at = self.first(
            self.home(tag),
            |at| self.larger_of_eight(at, tag) | self.empty_of_eight(at),
            |_, entry| entry == 0 || tag_of(entry) > tag,
        );
        let free = self.first_empty(at);
        if free + 1 >= self.total() {
            return false;
        }
        // SAFETY: both ranges are inside of the block: `free` is before its last entry.
        unsafe { std::ptr::copy(self.entry(at), self.entry(at + 1), free - at) };
        self.set(at, u64::from(tag) << 48 | record.to_bits());
        self.set_count(count + 1);
        true
    }

    fn first_empty(self, from: usize) -> usize {
        self.first(from, |at| self.empty_of_eight(at), |_, entry| entry == 0)
    }

    /// Takes an entry out; those behind it that are not at home move up.
    fn remove(self, at: usize) {
        let end = self.first(
            at + 1,
            |at| self.settled_of_eight(at) | self.empty_of_eight(at),
            |at, entry| entry == 0 || self.home(tag_of(entry)) == at,
        );
        // SAFETY: both ranges are inside of the block, as `at` is not its last entry.
        unsafe { std::ptr::copy(self.entry(at + 1), self.entry(at), end - at - 1) };
        self.set(end - 1, 0);
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

    /// One that holds these entries, if any is large enough.
    fn of(memory: &mut Memory, entries: &[(u64, u64)], depth: u32) -> Option<Segment> {
        for granules in granules_for(entries.len())..=MOST_GRANULES {
            let new = Segment::create(memory, granules, depth);
            if new.fill(entries.iter().map(|&(hash, pointer)| u64::from(new.tag(hash)) << 48 | pointer)) {
                return Some(new);
            }
            new.free(memory);
        }
        None
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
        let to = relocate_block(memory, self.block(), self.granules())?;
        Some(Segment::at(to, self.granules(), self.depth()))
    }
}

fn relocate_block(memory: &mut Memory, block: NonNull<u8>, granules: usize) -> Option<NonNull<u8>> {
    // SAFETY: the block is live.
    if !unsafe { memory.should_move_block(block) } {
        return None;
    }
    let to = memory.alloc_block(granules);
    // SAFETY: both blocks have so many granules; each keeps its own first eight bytes. The old one is not
    // referred to any more once the caller has put the new one in its place.
    unsafe {
        std::ptr::copy_nonoverlapping(block.as_ptr().add(8), to.as_ptr().add(8), granules * GRANULE - 8);
        memory.free_block(block);
    }
    Some(to)
}

/// A reference to a node: to segments or nodes, by the next bits of the hash. Several references to the
/// same segment stand side by side; only a node of [`MOST_BITS`] has nodes below it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Node(u64);

impl Node {
    fn granules_of(bits: u32) -> usize {
        (8 + (8usize << bits)).div_ceil(GRANULE)
    }

    /// A node whose references are made by `f` of their number.
    fn create(memory: &mut Memory, bits: u32, f: impl Fn(usize) -> u64) -> Node {
        let block = memory.alloc_block(Node::granules_of(bits));
        let node = Node::at(block, bits);
        (0..1 << bits).for_each(|i| node.set(i, f(i)));
        node
    }

    fn at(block: NonNull<u8>, bits: u32) -> Node {
        Node((block.as_ptr().expose_provenance() as u64) << 16 | u64::from(bits))
    }

    #[inline]
    fn block(self) -> NonNull<u8> {
        let pointer = std::ptr::with_exposed_provenance_mut((self.0 >> 16) as usize);
        NonNull::new(pointer).expect("a node is somewhere")
    }

    #[inline]
    fn bits(self) -> u32 {
        (self.0 & 0x3f) as u32
    }

    #[inline]
    fn place(self, i: usize) -> *mut u64 {
        debug_assert!(i >> self.bits() == 0);
        // SAFETY: the place is inside of the block.
        unsafe { self.block().as_ptr().add(8).cast::<u64>().add(i) }
    }

    #[inline]
    fn get(self, i: usize) -> u64 {
        // SAFETY: references are initialised when the node is made.
        unsafe { self.place(i).read() }
    }

    fn set(self, i: usize, reference: u64) {
        // SAFETY: inside of the block; the core that holds the slot is the only one to write.
        unsafe { self.place(i).write(reference) };
    }

    /// Which reference is for a hash whose first bits have been consumed.
    #[inline]
    fn index(self, rest: u64) -> usize {
        (rest >> (64 - self.bits())) as usize
    }

    fn free(self, memory: &mut Memory) {
        // SAFETY: the block is a node's, and nothing refers to it any more.
        unsafe { memory.free_block(self.block()) };
    }

    fn relocate(self, memory: &mut Memory) -> Option<Node> {
        let to = relocate_block(memory, self.block(), Node::granules_of(self.bits()))?;
        Some(Node::at(to, self.bits()))
    }
}

/// What a reference refers to.
enum Target {
    Nothing,
    Segment(Segment),
    Node(Node),
}

#[inline]
fn target(reference: u64) -> Target {
    match reference {
        0 => Target::Nothing,
        segment if segment >> 6 & 0x3ff != 0 => Target::Segment(Segment(segment)),
        node => Target::Node(Node(node)),
    }
}

/// The table of one slot of one database.
#[derive(Clone, Copy)]
pub(crate) struct Table {
    root: u64,
    /// Keys.
    pub keys: u32,
    /// Keys that have an expiry, or fields that have one.
    pub volatile: u32,
    /// No key or field expires before this time, unix ms; meaningless while none has an expiry.
    pub next_expiry: u64,
}

// SAFETY: what a table refers to belongs to whoever holds the table (rule R5).
unsafe impl Send for Table {}

/// What hashes the key of a record, for splits and cursors.
pub(crate) type Rehash<'a> = &'a dyn Fn(&[u8]) -> u64;

impl Table {
    pub const EMPTY: Table = Table { root: 0, keys: 0, volatile: 0, next_expiry: 0 };

    #[inline]
    fn segment(&self, hash: u64) -> Option<Segment> {
        let (mut at, mut rest) = (self.root, hash);
        loop {
            match target(at) {
                Target::Nothing => return None,
                Target::Segment(segment) => return Some(segment),
                Target::Node(node) => {
                    at = node.get(node.index(rest));
                    rest <<= node.bits();
                }
            }
        }
    }

    /// Puts a segment in the place of the one that has this hash.
    fn set_segment(&mut self, hash: u64, segment: Segment) {
        let (mut at, mut consumed) = (self.root, 0);
        let Target::Node(_) = target(at) else {
            self.root = segment.0;
            return;
        };
        while let Target::Node(node) = target(at) {
            let i = node.index(hash << consumed);
            at = node.get(i);
            consumed += node.bits();
            if !matches!(target(at), Target::Node(_)) {
                let spread = consumed - segment.depth();
                let first = i >> spread << spread;
                (first..first + (1 << spread)).for_each(|i| node.set(i, segment.0));
                return;
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
        self.keys = self.keys.checked_add(1).expect("so many keys of one slot fit into no memory");
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
        let old: Vec<u64> = segment.all().map(pointer_of).collect();
        let mut entries = Vec::with_capacity(old.len());
        for (i, &pointer) in old.iter().enumerate() {
            if let Some(&ahead) = old.get(i + 12) {
                Record::from_bits(ahead).prefetch();
            }
            // Nearly sorted: only entries that share a tag may be out of order.
            let hash = rehash(Record::from_bits(pointer).key());
            let at = entries.iter().rposition(|&(before, _)| before <= hash).map_or(0, |at| at + 1);
            entries.insert(at, (hash, pointer));
        }
        let depth = segment.depth();
        self.put_halves(memory, &entries, hash >> (63 - depth) >> 1 << 1 << (63 - depth), depth);
        segment.free(memory);
    }

    /// Puts entries, in the order of their hashes, which begin with the first `depth` bits of `prefix`, into
    /// two segments in place of one; into more where a half does not fit.
    fn put_halves(&mut self, memory: &mut Memory, entries: &[(u64, u64)], prefix: u64, depth: u32) {
        let depth = depth + 1;
        assert!(depth <= MOST_DEPTH, "hashes that agree in so many bits were not drawn at random");
        let upper = prefix | 1 << (64 - depth);
        let (low, high) = entries.split_at(entries.partition_point(|&(hash, _)| hash < upper));
        for (half, prefix) in [(low, prefix), (high, upper)] {
            match Segment::of(memory, half, depth) {
                Some(new) => {
                    self.deepen(memory, prefix, depth);
                    self.set_segment(prefix, new);
                }
                None => self.put_halves(memory, half, prefix, depth),
            }
        }
    }

    /// Makes room among the references for a segment of this depth at this hash.
    fn deepen(&mut self, memory: &mut Memory, hash: u64, depth: u32) {
        let (mut place, mut consumed): (*mut u64, u32) = (&mut self.root, 0);
        // SAFETY: `place` is the root or a reference in a node of ours; a node is freed after its place got
        // another, and `place` never leads into it.
        unsafe {
            while consumed < depth {
                let Target::Node(node) = target(*place) else {
                    let segment = *place;
                    *place = Node::create(memory, 1, |_| segment).0;
                    continue;
                };
                if consumed + node.bits() < depth && node.bits() < MOST_BITS {
                    *place = Node::create(memory, node.bits() + 1, |i| node.get(i / 2)).0;
                    node.free(memory);
                    continue;
                }
                place = node.place(node.index(hash << consumed));
                consumed += node.bits();
            }
        }
    }

    /// Takes a record out. Its memory is the caller's. With the last key a small table's memory goes; a
    /// large one must then be dropped by its owner, in steps ([`Table::is_hollow`]).
    pub fn remove(&mut self, memory: &mut Memory, hash: u64, record: Record) {
        let segment = self.segment(hash).expect("the record is there");
        let at = segment.find(segment.tag(hash), |found| found == record).expect("the record is there");
        segment.remove(at);
        self.keys -= 1;
        if self.keys == 0 {
            if let Target::Segment(last) = target(self.root) {
                last.free(memory);
                self.root = 0;
            }
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

    /// Whether there is no key but memory.
    pub fn is_hollow(&self) -> bool {
        self.keys == 0 && self.root != 0
    }

    /// Frees one segment, the last, and hands out its records. Whether there was one. The table is good
    /// for nothing else afterwards.
    pub fn drop_segment(&mut self, memory: &mut Memory, mut f: impl FnMut(&mut Memory, Record)) -> bool {
        let mut place: *mut u64 = &mut self.root;
        // SAFETY: `place` is the root or a reference in a node of ours, and a node is freed only once it
        // has none left; its own place is the root or in a node that stays.
        unsafe {
            loop {
                match target(*place) {
                    Target::Nothing => return false,
                    Target::Segment(segment) => {
                        *place = 0;
                        for entry in segment.all() {
                            f(memory, Record::from_bits(pointer_of(entry)));
                        }
                        segment.free(memory);
                        return true;
                    }
                    Target::Node(node) => {
                        let Some(mut last) = (0..1 << node.bits()).rev().find(|&i| node.get(i) != 0) else {
                            *place = 0;
                            node.free(memory);
                            place = &mut self.root;
                            continue;
                        };
                        while last > 0 && node.get(last - 1) == node.get(last) {
                            node.set(last, 0);
                            last -= 1;
                        }
                        place = node.place(last);
                    }
                }
            }
        }
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
        let (mut place, mut rest): (*mut u64, u64) = (&mut self.root, hash);
        // SAFETY: as in `deepen`.
        unsafe {
            while let Target::Node(mut node) = target(*place) {
                if let Some(new) = node.relocate(memory) {
                    *place = new.0;
                    node = new;
                    moved();
                }
                place = node.place(node.index(rest));
                rest <<= node.bits();
            }
        }
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
        // A table that deletions left hollow: the first from a random prefix on.
        let mut first = None;
        for from in [random() >> (64 - PREFIX_BITS), 0] {
            self.walk(&|_| u64::MAX, from, 1, |_, record| first = first.or(Some(record)));
            if first.is_some() {
                break;
            }
        }
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Draft;
    use crate::value::{AccessClock, Form, NewValue};

    /// The hash of these keys is what stands in them.
    fn rehash(key: &[u8]) -> u64 {
        u64::from_le_bytes(key.try_into().expect("keys of eight bytes"))
    }

    fn add(memory: &mut Memory, table: &mut Table, hash: u64) {
        let key = hash.to_le_bytes();
        let value = NewValue::Copy(b"", Form::Auto);
        let draft = Draft { key: &key, value, expiry: None, clock: AccessClock::new(0) };
        let record = Record::create(memory, draft);
        table.insert(memory, &rehash, hash, record);
    }

    /// Hashes that agree in many bits make a deep table, not a wide one; and in it everything works.
    #[test]
    fn crooked_hashes_cost_no_more_memory() {
        for shared in [0, 7, 8, 9, 10, 18, 20, 24] {
            let (mut memory, mut table) = (Memory::new(0), Table::EMPTY);
            let count = if cfg!(miri) { 1500 } else { 20_000u64 };
            let mut state = 42u64;
            let mut hashes = Vec::new();
            for n in 0..count {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                let low = (state ^ state >> 29).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                // Most share their first bits, some do not.
                hashes.push(if n % 50 == 0 {
                    low
                } else {
                    0xabcd_ef01_2345_6789 >> (64 - shared.max(1)) << (64 - shared.max(1)) | low >> shared
                });
            }
            for &hash in &hashes {
                add(&mut memory, &mut table, hash);
            }
            assert!(memory.tables < 40 * count as i64 + 20_000, "{} bytes, {shared} bits", memory.tables);
            let mut walked = Vec::new();
            let mut at = 0;
            while at >> PREFIX_BITS == 0 {
                at = table.walk(&rehash, at, 3, |hash, _| walked.push(hash));
            }
            walked.sort_unstable();
            let mut sorted = hashes.clone();
            sorted.sort_unstable();
            assert!(walked == sorted, "{shared} bits");
            for (n, &hash) in hashes.iter().enumerate() {
                let record = table.find(hash, &hash.to_le_bytes()).expect("it was put in");
                if n % 3 != 0 {
                    table.remove(&mut memory, hash, record);
                    drop(record.free(&mut memory));
                    assert!(table.find(hash, &hash.to_le_bytes()).is_none());
                }
            }
            assert!(hashes.iter().step_by(3).all(|&hash| table.find(hash, &hash.to_le_bytes()).is_some()));
            let mut left = 0;
            while table.drop_segment(&mut memory, |memory, record| {
                left += 1;
                drop(record.free(memory));
            }) {}
            assert_eq!(left, hashes.len().div_ceil(3));
            assert_eq!((memory.tables, memory.records), (0, 0));
        }
    }

    /// The eight at a time must see what one at a time would.
    #[test]
    fn eight_at_a_time_agree_with_one_at_a_time() {
        let mut memory = Memory::new(0);
        let mut state = 7u64;
        for granules in [2, 3, 9, 40] {
            let segment = Segment::create(&mut memory, granules, 0);
            let mut record = 0x1_0000_0000u64;
            loop {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                // Pointers with an empty half, and tags on both sides of the sign.
                record += 8;
                if !segment.insert(state as u16, Record::from_bits(record)) {
                    break;
                }
                for at in 0..=segment.total() - 8 {
                    let bits = |is: &dyn Fn(usize, u64) -> bool| {
                        (0..8).filter(|i| is(at + i, segment.get(at + i))).fold(0, |bits, i| bits | 1u32 << i)
                    };
                    let tag = (state >> 20) as u16;
                    assert_eq!(segment.empty_of_eight(at), bits(&|_, entry| entry == 0));
                    assert_eq!(segment.larger_of_eight(at, tag), bits(&|_, entry| tag_of(entry) > tag));
                    let settled = bits(&|at, entry| segment.home(tag_of(entry)) == at);
                    assert_eq!(segment.settled_of_eight(at), settled);
                }
            }
            let tags: Vec<u16> = segment.all().map(tag_of).collect();
            assert!(tags.is_sorted() && tags.len() == segment.count());
            assert_eq!(segment.get(segment.total() - 1), 0);
            segment.free(&mut memory);
        }
    }
}
