//! The memory of one core: blocks for records and blocks for tables.
//!
//! One allocation per record from a general allocator costs 48 bytes where 35 are needed, and size
//! classes for tables that all grow at the same time leave half-empty pages behind. So records live in
//! a slab of 8-byte classes and tables in a heap that joins free neighbours, both in 2 MB chunks:
//!
//! ```text
//!     slab chunk   | page heads (in 8 KB) + blocks | page 1: blocks | ..        | page 31 |
//!     page         64 KB of blocks of one class (8, 16, .. 512 bytes); free ones are a list
//!     heap chunk   | head | block | block | free       | block | ..
//!     block        granules of 64 bytes: size, size of the one before, used or free; then contents
//! ```
//!
//! Rule R11 of the architecture holds here:
//! 1. A page or chunk names its core; only that core touches its lists and counts. Other cores read
//!    nothing of a page but the name, which never changes while a block of theirs is in it.
//! 2. A foreign block that is freed here is put on a chain for its owner, through the block itself; a
//!    block's first eight bytes stay the heap's own even while it is lent.
//! 3. A page that is being evacuated is on no list: nothing new comes into it, and when its last block
//!    is freed it is given up. The same holds for a heap chunk.
//!
//! Page heads lie at offsets that differ from chunk to chunk: at the same offset of every page they
//! would all fall into two sets of the processor's cache, and every free would miss it.
//!
//! Not here: what is in a block (`record.rs`, `table.rs`) and which pages to evacuate (`defragment.rs`).

#![allow(unsafe_code)]

use crate::chunk::{give_pages_back, keep_small, Chunk, CHUNK};
use crate::keyspace::MemoryUse;
use std::alloc::{alloc, dealloc, handle_alloc_error, Layout};
use std::ptr::{null_mut, NonNull};

/// The largest record that lives in the slab.
pub(crate) const MAX_SLAB: usize = 512;
/// Bytes of a unit of the heap.
pub(crate) const GRANULE: usize = 64;

const CLASSES: usize = MAX_SLAB / 8 + 1;
const PAGE: usize = 64 * 1024;
const PAGES: usize = CHUNK / PAGE;
/// Bytes at the start of a slab chunk that hold page heads, at one of `COLOURS` places.
const HEADS: usize = 8 * 1024;
const COLOURS: usize = HEADS / (PAGES * size_of::<Page>());
/// Emptied pages of a core that stay resident for the next use.
const KEPT_PAGES: usize = 8;

/// Blocks freed by other cores that are taken back when they come; each may miss the cache.
const TAKEN_BACK_AT_ONCE: usize = 256;

const GRANULES: usize = CHUNK / GRANULE;
/// Heap blocks up to this many granules have a list for each size; above, one for each power of two.
const EXACT: usize = 160;
const BINS: usize = EXACT + 9;

/// The head of a slab page.
#[repr(C)]
pub(crate) struct Page {
    owner: u8,
    class: u8,
    state: u8,
    _spare: u8,
    live: u16,
    capacity: u16,
    /// Offset / 8 of the first free block in the page, 0 for none.
    free: u16,
    /// Offset / 8 of the memory never used so far.
    fresh: u16,
    chunk: u32,
    prev: *mut Page,
    next: *mut Page,
}

/// The page can be allocated from: it is on the list of its class.
const LISTED: u8 = 1;
/// Its blocks are being moved elsewhere.
const EVACUATING: u8 = 2;

struct SlabChunk {
    base: NonNull<u8>,
    /// A bit for each page in no use.
    free: u32,
    /// A bit for each page that may be resident.
    touched: u32,
}

/// The head of a heap chunk, in its first granule.
#[repr(C)]
struct HeapHead {
    owner: u8,
    evacuating: bool,
    index: u32,
    /// Granules in use.
    live: u32,
}

/// What stands before a heap block's contents. A lent block's first eight bytes stay the owner's.
#[repr(C)]
struct Block {
    size: u16,
    prev_size: u16,
    used: bool,
    /// Links of the free list; contents while it is used.
    next: *mut Block,
    prev: *mut Block,
}

/// Freed blocks on their way back to the core that owns their pages. Dropped, they leak.
#[must_use]
pub struct FreeChain {
    owner: u8,
    records: *mut u8,
    segments: *mut u8,
}

// SAFETY: the chain refers to blocks that nobody uses any more; its owner core alone follows it.
unsafe impl Send for FreeChain {}

impl FreeChain {
    /// The core that must get them.
    pub fn owner(&self) -> u8 {
        self.owner
    }
}

/// The memory of one core.
pub(crate) struct Memory {
    core: u8,
    classes: [*mut Page; CLASSES],
    slab: Vec<Option<SlabChunk>>,
    /// No slab chunk before this one has a free page.
    first_free: usize,
    free_pages: usize,
    heap: Vec<Option<NonNull<u8>>>,
    bins: [*mut Block; BINS],
    bin_map: [u64; BINS.div_ceil(64)],
    spare: Option<Chunk>,
    foreign: Vec<FreeChain>,
    /// Blocks of ours that others freed and that are not taken back yet.
    returned: Vec<FreeChain>,
    trim_at: usize,
    /// Chunks that are mapped, and pages of slab chunks that may be resident.
    slab_count: usize,
    heap_count: usize,
    touched_pages: usize,
    /// Bytes of live blocks, as classes.
    pub(crate) records: i64,
    /// Bytes of live heap blocks.
    pub(crate) tables: i64,
    /// Bytes of what lies outside of pages.
    pub(crate) large: i64,
}

// SAFETY: the pointers lead into chunks that this value owns and that no other thread touches but by
// rule 1.
unsafe impl Send for Memory {}

fn page_of(block: *const u8) -> *mut Page {
    let address = block.addr();
    let chunk = address & !(CHUNK - 1);
    let colour = chunk / CHUNK % COLOURS;
    let head = chunk + (colour * PAGES + (address - chunk) / PAGE) * size_of::<Page>();
    block.with_addr(head).cast_mut().cast()
}

fn bin_of(granules: usize) -> usize {
    if granules <= EXACT {
        granules
    } else {
        EXACT + granules.ilog2() as usize - EXACT.ilog2() as usize + 1
    }
}

fn large_layout(size: usize) -> Layout {
    Layout::from_size_align(size, 8).expect("a record is far below the limit")
}

impl Memory {
    pub(crate) fn new(core: u8) -> Memory {
        Memory {
            core,
            classes: [null_mut(); CLASSES],
            slab: Vec::new(),
            first_free: 0,
            free_pages: 0,
            heap: Vec::new(),
            bins: [null_mut(); BINS],
            bin_map: [0; BINS.div_ceil(64)],
            spare: None,
            foreign: Vec::new(),
            returned: Vec::new(),
            trim_at: 0,
            slab_count: 0,
            heap_count: 0,
            touched_pages: 0,
            records: 0,
            tables: 0,
            large: 0,
        }
    }

    fn mapped(&self) -> usize {
        (self.slab_count + self.heap_count) * CHUNK
    }

    pub(crate) fn usage(&self) -> MemoryUse {
        let mapped = (self.touched_pages * PAGE + self.heap_count * CHUNK) as i64;
        MemoryUse {
            used: self.records + self.tables + self.large,
            records: self.records,
            tables: self.tables,
            large: self.large,
            mapped,
            unused: mapped - self.records - self.tables,
        }
    }

    // Chunks.

    /// Whether a populated chunk would be needed soon. A small keyspace stays without huge pages, so
    /// that it stays small.
    pub(crate) fn wishes_chunk(&self) -> bool {
        self.spare.is_none() && self.free_pages < PAGES / 8 && self.slab.len() + self.heap.len() >= 3
    }

    pub(crate) fn supply(&mut self, chunk: Chunk) {
        // More than one spare would be memory held for nothing.
        self.spare.get_or_insert(chunk);
    }

    fn take_chunk(&mut self) -> (Chunk, u32) {
        match self.spare.take() {
            Some(chunk) => (chunk, u32::MAX),
            None => (Chunk::plain(), 0),
        }
    }

    // Records.

    /// A block for a record of `size` bytes. Not initialised.
    #[inline]
    pub(crate) fn alloc_record(&mut self, size: usize) -> NonNull<u8> {
        if size > MAX_SLAB {
            return self.alloc_large(size);
        }
        let class = size.div_ceil(8);
        self.records += class as i64 * 8;
        let mut page = self.classes[class];
        if page.is_null() {
            page = self.new_page(class);
        }
        // SAFETY: listed pages are this core's and have a free block: on the free list, where its
        // first two bytes are the link, or beyond `fresh`.
        unsafe {
            let base = page_base(page);
            let offset = (*page).free;
            let offset = if offset != 0 {
                (*page).free = base.add(usize::from(offset) * 8).cast::<u16>().read();
                offset
            } else {
                let offset = (*page).fresh;
                (*page).fresh = offset + class as u16;
                offset
            };
            (*page).live += 1;
            if (*page).live == (*page).capacity {
                self.unlist(page);
            }
            NonNull::new_unchecked(base.add(usize::from(offset) * 8))
        }
    }

    #[cold]
    fn alloc_large(&mut self, size: usize) -> NonNull<u8> {
        self.large += size as i64;
        let layout = large_layout(size);
        // SAFETY: the layout is not empty.
        NonNull::new(unsafe { alloc(layout) }).unwrap_or_else(|| handle_alloc_error(layout))
    }

    /// Frees a record's block.
    ///
    /// # Safety
    /// `block` came from [`Memory::alloc_record`] of this size's class, of this or another core, is
    /// freed once and not used afterwards.
    #[inline]
    pub(crate) unsafe fn free_record(&mut self, block: NonNull<u8>, size: usize) {
        // SAFETY: the caller's promise; `owner` of a page with a live block does not change.
        unsafe {
            if size > MAX_SLAB {
                self.large -= size as i64;
                dealloc(block.as_ptr(), large_layout(size));
                return;
            }
            let page = page_of(block.as_ptr());
            let owner = (*page).owner;
            if owner == self.core {
                self.free_own(page, block.as_ptr());
            } else {
                let chain = self.foreign_chain(owner);
                block.cast::<*mut u8>().write(chain.records);
                chain.records = block.as_ptr();
            }
        }
    }

    /// # Safety
    /// `page` is this core's, and `block` a live block of it that nobody uses any more.
    #[inline]
    unsafe fn free_own(&mut self, page: *mut Page, block: *mut u8) {
        // SAFETY: the caller's promise. A block has room for the link of two bytes.
        unsafe {
            let size = usize::from((*page).class) * 8;
            self.records -= size as i64;
            if cfg!(test) {
                // Whoever still reads the block is found out.
                block.write_bytes(0xdd, size);
            }
            block.cast::<u16>().write((*page).free);
            (*page).free = ((block.addr() % PAGE) / 8) as u16;
            // The first page's blocks start after the heads, so offset 0 is never a block there; in
            // the others the first eight bytes are left out for that.
            (*page).live -= 1;
            if (*page).live == 0 {
                self.page_emptied(page);
            } else if (*page).state == 0 {
                self.list(page);
            }
        }
    }

    /// # Safety
    /// `page` is this core's, not listed and not being evacuated.
    unsafe fn list(&mut self, page: *mut Page) {
        // SAFETY: the caller's promise; what is on the list is this core's too.
        unsafe {
            let head = &mut self.classes[usize::from((*page).class)];
            (*page).state = LISTED;
            (*page).prev = null_mut();
            (*page).next = *head;
            if !head.is_null() {
                (**head).prev = page;
            }
            *head = page;
        }
    }

    /// # Safety
    /// `page` is this core's and listed.
    unsafe fn unlist(&mut self, page: *mut Page) {
        // SAFETY: the caller's promise; what is on the list is this core's too.
        unsafe {
            let (prev, next) = ((*page).prev, (*page).next);
            if prev.is_null() {
                self.classes[usize::from((*page).class)] = next;
            } else {
                (*prev).next = next;
            }
            if !next.is_null() {
                (*next).prev = prev;
            }
            (*page).state = 0;
        }
    }

    #[cold]
    fn new_page(&mut self, class: usize) -> *mut Page {
        while self.slab.get(self.first_free).is_some_and(|c| c.as_ref().is_none_or(|c| c.free == 0)) {
            self.first_free += 1;
        }
        if self.first_free == self.slab.len() {
            let (chunk, touched) = self.take_chunk();
            let new = SlabChunk { base: chunk.into_base(), free: u32::MAX, touched };
            self.free_pages += PAGES;
            // The place of a chunk that is gone is used again.
            self.first_free = match self.slab.iter().position(Option::is_none) {
                Some(hole) => hole,
                None => {
                    self.slab.push(None);
                    self.slab.len() - 1
                }
            };
            self.touched_pages += new.touched.count_ones() as usize;
            self.slab_count += 1;
            self.slab[self.first_free] = Some(new);
        }
        let index = self.first_free;
        let chunk = self.slab[index].as_mut().expect("it was just found or made");
        let number = chunk.free.trailing_zeros() as usize;
        chunk.free &= !(1 << number);
        // The heads are in the first page, which is therefore touched with any of them.
        let touched = chunk.touched | 1 << number | 1;
        self.touched_pages += (touched.count_ones() - chunk.touched.count_ones()) as usize;
        chunk.touched = touched;
        self.free_pages -= 1;
        let first = if number == 0 { HEADS } else { 8 };
        // SAFETY: the page is inside of a chunk of ours and in no use, so its head is free to be written.
        unsafe {
            let base = chunk.base.as_ptr().add(number * PAGE);
            let page = page_of(base);
            page.write(Page {
                owner: self.core,
                class: class as u8,
                state: 0,
                _spare: 0,
                live: 0,
                capacity: ((PAGE - first) / (class * 8)) as u16,
                free: 0,
                fresh: (first / 8) as u16,
                chunk: index as u32,
                prev: null_mut(),
                next: null_mut(),
            });
            self.list(page);
            page
        }
    }

    /// # Safety
    /// `page` is this core's and has no live block.
    #[cold]
    unsafe fn page_emptied(&mut self, page: *mut Page) {
        // SAFETY: the caller's promise.
        unsafe {
            if (*page).state == LISTED {
                // The last page of a class stays: the class was in use just now.
                if (*page).prev.is_null() && (*page).next.is_null() {
                    return;
                }
                self.unlist(page);
            } else if (*page).state == 0 && self.classes[usize::from((*page).class)].is_null() {
                // Only a page with a single block can be full and empty at once.
                self.list(page);
                return;
            }
            let index = (*page).chunk as usize;
            let chunk = self.slab[index].as_mut().expect("a page's chunk lives");
            let number = (page_base(page).addr() % CHUNK) / PAGE;
            chunk.free |= 1 << number;
            self.free_pages += 1;
            self.first_free = self.first_free.min(index);
        }
    }

    // Blocks of the heap.

    /// A block of `granules`, of which the first eight bytes are the heap's. Not initialised.
    pub(crate) fn alloc_block(&mut self, granules: usize) -> NonNull<u8> {
        debug_assert!((1..GRANULES).contains(&granules));
        self.tables += (granules * GRANULE) as i64;
        let block = match self.find_free(granules) {
            Some(block) => block,
            None => self.new_heap_chunk(),
        };
        // SAFETY: the block is free, in a chunk of this core, and at least as large; what is cut off its
        // end is inside of it.
        unsafe {
            self.unbin(block);
            let whole = usize::from((*block).size);
            (*block).used = true;
            if whole > granules {
                (*block).size = granules as u16;
                let rest = block.cast::<u8>().add(granules * GRANULE).cast::<Block>();
                (*rest).size = (whole - granules) as u16;
                (*rest).prev_size = granules as u16;
                (*rest).used = false;
                if let Some(after) = next_block(rest) {
                    (*after).prev_size = (*rest).size;
                }
                self.bin(rest);
            }
            (*heap_head(block.cast())).live += granules as u32;
            NonNull::new_unchecked(block.cast())
        }
    }

    fn find_free(&self, granules: usize) -> Option<*mut Block> {
        let mut bin = bin_of(granules);
        loop {
            // The next bin that is not empty, by the map.
            let word = bin / 64;
            let masked = self.bin_map[word] & (u64::MAX << (bin % 64));
            if masked == 0 {
                bin = (word + 1) * 64;
                if bin >= BINS {
                    return None;
                }
                continue;
            }
            bin = word * 64 + masked.trailing_zeros() as usize;
            let mut block = self.bins[bin];
            while !block.is_null() {
                // SAFETY: what is in the bins are free blocks of this core.
                unsafe {
                    if usize::from((*block).size) >= granules {
                        return Some(block);
                    }
                    block = (*block).next;
                }
            }
            bin += 1;
            if bin >= BINS {
                return None;
            }
        }
    }

    #[cold]
    fn new_heap_chunk(&mut self) -> *mut Block {
        let (chunk, _) = self.take_chunk();
        let base = chunk.into_base();
        let index = match self.heap.iter().position(Option::is_none) {
            Some(hole) => hole,
            None => {
                self.heap.push(None);
                self.heap.len() - 1
            }
        };
        self.heap[index] = Some(base);
        self.heap_count += 1;
        // SAFETY: the chunk is ours and empty.
        unsafe {
            let head = HeapHead { owner: self.core, evacuating: false, index: index as u32, live: 0 };
            base.cast::<HeapHead>().write(head);
            let block = base.as_ptr().add(GRANULE).cast::<Block>();
            (*block).size = (GRANULES - 1) as u16;
            (*block).prev_size = 0;
            (*block).used = false;
            self.bin(block);
            block
        }
    }

    /// # Safety
    /// `block` is free, of this core, and in no bin; its chunk is not being evacuated.
    unsafe fn bin(&mut self, block: *mut Block) {
        // SAFETY: the caller's promise; what is in the bins are free blocks of this core.
        unsafe {
            let bin = bin_of((*block).size.into());
            let head = self.bins[bin];
            (*block).prev = null_mut();
            (*block).next = head;
            if !head.is_null() {
                (*head).prev = block;
            }
            self.bins[bin] = block;
            self.bin_map[bin / 64] |= 1 << (bin % 64);
        }
    }

    /// # Safety
    /// `block` is in its bin.
    unsafe fn unbin(&mut self, block: *mut Block) {
        // SAFETY: the caller's promise; what is in the bins are free blocks of this core.
        unsafe {
            let (prev, next) = ((*block).prev, (*block).next);
            if prev.is_null() {
                let bin = bin_of((*block).size.into());
                self.bins[bin] = next;
                if next.is_null() {
                    self.bin_map[bin / 64] &= !(1 << (bin % 64));
                }
            } else {
                (*prev).next = next;
            }
            if !next.is_null() {
                (*next).prev = prev;
            }
        }
    }

    /// Frees a block of the heap.
    ///
    /// # Safety
    /// `block` came from [`Memory::alloc_block`], of this or another core, is freed once and not used
    /// afterwards.
    pub(crate) unsafe fn free_block(&mut self, block: NonNull<u8>) {
        // SAFETY: the caller's promise. The link of a foreign one is put behind the first eight bytes,
        // which its owner may be writing just now (rule 2).
        unsafe {
            let owner = (*heap_head(block.as_ptr())).owner;
            if owner == self.core {
                self.free_own_block(block.as_ptr().cast());
            } else {
                let chain = self.foreign_chain(owner);
                block.add(8).cast::<*mut u8>().write(chain.segments);
                chain.segments = block.as_ptr();
            }
        }
    }

    /// # Safety
    /// `block` is a used one of this core, and nobody uses it any more.
    unsafe fn free_own_block(&mut self, mut block: *mut Block) {
        // SAFETY: the caller's promise; neighbours are inside of the same chunk, which is this core's.
        unsafe {
            let head = heap_head(block.cast());
            let evacuating = (*head).evacuating;
            let size = usize::from((*block).size);
            self.tables -= (size * GRANULE) as i64;
            if cfg!(test) {
                block.cast::<u8>().add(8).write_bytes(0xdd, size * GRANULE - 8);
            }
            (*head).live -= size as u32;
            (*block).used = false;
            if let Some(after) = next_block(block) {
                if !(*after).used {
                    if !evacuating {
                        self.unbin(after);
                    }
                    (*block).size += (*after).size;
                }
            }
            if (*block).prev_size != 0 {
                let before =
                    block.cast::<u8>().sub(usize::from((*block).prev_size) * GRANULE).cast::<Block>();
                if !(*before).used {
                    if !evacuating {
                        self.unbin(before);
                    }
                    (*before).size += (*block).size;
                    block = before;
                }
            }
            if let Some(after) = next_block(block) {
                (*after).prev_size = (*block).size;
            }
            if !evacuating {
                self.bin(block);
            }
        }
    }

    // Blocks of other cores.

    fn foreign_chain(&mut self, owner: u8) -> &mut FreeChain {
        let at = match self.foreign.iter().position(|chain| chain.owner == owner) {
            Some(at) => at,
            None => {
                self.foreign.push(FreeChain { owner, records: null_mut(), segments: null_mut() });
                self.foreign.len() - 1
            }
        };
        &mut self.foreign[at]
    }

    pub(crate) fn take_foreign(&mut self) -> std::vec::Drain<'_, FreeChain> {
        self.foreign.drain(..)
    }

    pub(crate) fn give_back(&mut self, chain: FreeChain) {
        assert_eq!(chain.owner, self.core, "a chain of freed blocks came to the wrong core");
        self.returned.push(chain);
        // Most chains are short.
        self.take_back(TAKEN_BACK_AT_ONCE);
    }

    /// Takes back up to `budget` blocks that other cores freed. How many there were.
    pub(crate) fn take_back(&mut self, budget: usize) -> usize {
        let mut taken = 0;
        while let Some(mut chain) = self.returned.pop() {
            // SAFETY: what is on the chain was freed once, by `free_record` or `free_block` of the core
            // that made it, and is linked as they link it.
            unsafe {
                while !chain.records.is_null() && taken < budget {
                    let block = chain.records;
                    chain.records = block.cast::<*mut u8>().read();
                    self.free_own(page_of(block), block);
                    taken += 1;
                }
                while !chain.segments.is_null() && taken < budget {
                    let block = chain.segments;
                    chain.segments = block.add(8).cast::<*mut u8>().read();
                    self.free_own_block(block.cast());
                    taken += 1;
                }
            }
            if !chain.records.is_null() || !chain.segments.is_null() {
                self.returned.push(chain);
                break;
            }
        }
        taken
    }

    // Giving memory back to the system.

    /// Looks at one chunk and gives back what is in no use, beyond a small reserve. How many pages that
    /// were, or `None` at the end of the round over all chunks.
    pub(crate) fn trim_step(&mut self) -> Option<usize> {
        let before = self.touched_pages + self.heap_count * PAGES;
        if self.trim_at < self.slab.len() {
            self.trim_slab(self.trim_at);
        } else if self.trim_at - self.slab.len() < self.heap.len() {
            self.trim_heap(self.trim_at - self.slab.len());
        } else {
            self.trim_at = 0;
            return None;
        }
        self.trim_at += 1;
        Some(before - self.touched_pages - self.heap_count * PAGES)
    }

    fn trim_slab(&mut self, index: usize) {
        let Some(chunk) = &mut self.slab[index] else { return };
        if chunk.free == u32::MAX && self.free_pages >= PAGES + KEPT_PAGES {
            self.free_pages -= PAGES;
            self.slab_count -= 1;
            self.touched_pages -= chunk.touched.count_ones() as usize;
            let base = chunk.base;
            self.slab[index] = None;
            // SAFETY: none of its pages is in use.
            drop(unsafe { Chunk::from_base(base) });
            return;
        }
        // The first page holds the heads of the others.
        let idle = chunk.free & chunk.touched & !1;
        if self.free_pages < KEPT_PAGES {
            return;
        }
        if idle != 0 {
            // SAFETY: the whole chunk is our own mapping.
            unsafe { keep_small(chunk.base) };
        }
        for number in (0..PAGES).filter(|number| idle >> number & 1 == 1) {
            // SAFETY: the page is inside of our chunk, and in no use.
            unsafe { give_pages_back(chunk.base.add(number * PAGE), PAGE) };
        }
        chunk.touched &= !idle;
        self.touched_pages -= idle.count_ones() as usize;
    }

    fn trim_heap(&mut self, index: usize) {
        let Some(base) = self.heap[index] else { return };
        // SAFETY: the chunk is ours; its head is in its first granule and its first block follows.
        unsafe {
            let head = heap_head(base.as_ptr());
            if (*head).live > 0 || (*head).evacuating {
                return;
            }
            // One stays, so that a heap that breathes does not map and unmap.
            if self.heap_count > 1 {
                self.heap_count -= 1;
                self.unbin(base.as_ptr().add(GRANULE).cast());
                self.heap[index] = None;
                drop(Chunk::from_base(base));
            }
        }
    }

    // Evacuation.

    /// How many chunks [`Memory::survey_chunk`] can be asked about.
    pub(crate) fn slab_chunks(&self) -> usize {
        self.slab.len()
    }

    /// Shows the pages of a slab chunk that are in use.
    pub(crate) fn survey_chunk(&self, index: usize, mut f: impl FnMut(PageRef, usize, u16, u16)) {
        let Some(Some(chunk)) = self.slab.get(index) else { return };
        for number in (0..PAGES).filter(|number| chunk.free >> number & 1 == 0) {
            // SAFETY: a page in use has a head, which is this core's.
            unsafe {
                let page = page_of(chunk.base.as_ptr().add(number * PAGE));
                f(PageRef(page), (*page).class.into(), (*page).live, (*page).capacity);
            }
        }
    }

    /// Starts to evacuate a page that a survey showed, unless it is gone since. The survey may be a few
    /// calls old: chunks are only unmapped by [`Memory::trim_step`], which is not called in between.
    pub(crate) fn evacuate_page(&mut self, page: PageRef, class: usize) {
        // SAFETY: chunks that were surveyed are still mapped, so the head can be read.
        unsafe {
            let page = page.0;
            let index = (*page).chunk as usize;
            let number = (page_base(page).addr() % CHUNK) / PAGE;
            let gone = self.slab[index].as_ref().is_none_or(|chunk| chunk.free >> number & 1 == 1);
            if gone || usize::from((*page).class) != class || (*page).live == 0 {
                return;
            }
            if (*page).state == LISTED {
                self.unlist(page);
            }
            (*page).state = EVACUATING;
        }
    }

    /// Ends the evacuation of the pages of a chunk: what could not be emptied is used again.
    pub(crate) fn settle_chunk(&mut self, index: usize) {
        let Some(Some(chunk)) = self.slab.get(index) else { return };
        let (base, used) = (chunk.base, !chunk.free);
        for number in (0..PAGES).filter(|number| used >> number & 1 == 1) {
            // SAFETY: a page in use has a head, which is this core's.
            unsafe {
                let page = page_of(base.as_ptr().add(number * PAGE));
                if (*page).state == EVACUATING {
                    (*page).state = 0;
                    if (*page).live < (*page).capacity {
                        self.list(page);
                    }
                }
            }
        }
    }

    /// Whether a record's block is to be moved: out of a page that is being evacuated, or home.
    ///
    /// # Safety
    /// `block` is a live block of the slab.
    #[inline]
    pub(crate) unsafe fn should_move_record(&self, block: NonNull<u8>) -> bool {
        // SAFETY: the page of a live block has a head. The state of a foreign page is not read.
        unsafe {
            let page = page_of(block.as_ptr());
            (*page).owner != self.core || (*page).state == EVACUATING
        }
    }

    /// The same for a block of the heap.
    ///
    /// # Safety
    /// `block` is a used block of the heap.
    #[inline]
    pub(crate) unsafe fn should_move_block(&self, block: NonNull<u8>) -> bool {
        // SAFETY: the chunk of a used block has a head.
        unsafe {
            let head = heap_head(block.as_ptr());
            (*head).owner != self.core || (*head).evacuating
        }
    }

    /// How many chunks of the heap there are, with holes.
    pub(crate) fn heap_chunks(&self) -> usize {
        self.heap.len()
    }

    /// The sparsest chunks of the heap, as many as the others have room for.
    pub(crate) fn sparse_heap_chunks(&self) -> Vec<usize> {
        let mut chunks: Vec<(usize, usize)> = Vec::new();
        for (index, base) in self.heap.iter().enumerate() {
            let Some(base) = base else { continue };
            // SAFETY: the chunk is ours.
            chunks.push((unsafe { (*heap_head(base.as_ptr())).live as usize }, index));
        }
        chunks.sort_unstable();
        // Free memory in pieces is not all of use: count on nine tenths of it.
        let room = |live: usize| (GRANULES - live) * 9 / 10;
        let mut free: usize = chunks.iter().map(|(live, _)| room(*live)).sum();
        let mut moved = 0;
        let fits = |&(live, _): &(usize, usize)| {
            free -= room(live);
            moved += live;
            moved <= free && live <= GRANULES * 3 / 4
        };
        chunks.into_iter().take_while(fits).map(|(_, index)| index).collect()
    }

    /// Starts to evacuate a chunk of the heap, or ends it.
    pub(crate) fn set_heap_evacuation(&mut self, index: usize, on: bool) {
        let Some(Some(base)) = self.heap.get(index) else { return };
        // SAFETY: the chunk is ours, its blocks follow one another, and the free ones are binned unless it
        // is being evacuated.
        unsafe {
            let head = heap_head(base.as_ptr());
            if (*head).evacuating == on {
                return;
            }
            (*head).evacuating = on;
            let mut block = Some(base.as_ptr().add(GRANULE).cast::<Block>());
            while let Some(this) = block {
                if !(*this).used {
                    match on {
                        true => self.unbin(this),
                        false => self.bin(this),
                    }
                }
                block = next_block(this);
            }
        }
    }

    /// Bytes of slab pages and heap chunks that are resident, and of these in no use.
    pub(crate) fn fragmentation(&self) -> (usize, usize) {
        let used = usize::try_from(self.records + self.tables).unwrap_or(0);
        let resident = self.mapped() - self.free_pages * PAGE;
        (resident, resident.saturating_sub(used))
    }
}

/// A page as a survey shows it.
#[derive(Clone, Copy)]
pub(crate) struct PageRef(*mut Page);

// SAFETY: it is only used with the `Memory` that it came from.
unsafe impl Send for PageRef {}

/// # Safety
/// `page` is the head of a page.
#[inline]
unsafe fn page_base(page: *mut Page) -> *mut u8 {
    let address = page.addr();
    let chunk = address & !(CHUNK - 1);
    let number = (address - chunk) / size_of::<Page>() % PAGES;
    page.cast::<u8>().with_addr(chunk + number * PAGE)
}

#[inline]
fn heap_head(block: *mut u8) -> *mut HeapHead {
    block.map_addr(|address| address & !(CHUNK - 1)).cast()
}

/// # Safety
/// `block` is a block of a heap chunk.
unsafe fn next_block(block: *mut Block) -> Option<*mut Block> {
    // SAFETY: a block is followed by another one unless it ends with the chunk.
    unsafe {
        let next = block.cast::<u8>().add(usize::from((*block).size) * GRANULE);
        (next.addr() % CHUNK != 0).then_some(next.cast())
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        let slab = self.slab.drain(..).flatten().map(|chunk| chunk.base);
        for base in slab.chain(self.heap.drain(..).flatten()) {
            // SAFETY: the tables that referred to this memory are gone with the keyspace.
            drop(unsafe { Chunk::from_base(base) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn xorshift(state: &mut u64) -> u64 {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        *state
    }

    #[test]
    fn records_do_not_overlap_and_pages_are_used_again() {
        let mut memory = Memory::new(3);
        let mut state = 88172645463325252;
        let mut live: Vec<(NonNull<u8>, usize, u8)> = Vec::new();
        let rounds = if cfg!(miri) { 300 } else { 60_000 };
        for round in 0..rounds {
            let random = xorshift(&mut state);
            if random % 5 < 3 || live.is_empty() {
                let size = 4 + (random >> 8) as usize % 600;
                let block = memory.alloc_record(size);
                let fill = round as u8;
                // SAFETY: the block has `size` bytes.
                unsafe { block.as_ptr().write_bytes(fill, size) };
                live.push((block, size, fill));
            } else {
                let (block, size, fill) = live.swap_remove((random >> 8) as usize % live.len());
                // SAFETY: it was allocated with that size, filled, and is freed once.
                unsafe {
                    let bytes = std::slice::from_raw_parts(block.as_ptr(), size);
                    assert!(bytes.iter().all(|byte| *byte == fill));
                    memory.free_record(block, size);
                }
            }
        }
        let sum: usize = live
            .iter()
            .map(|(_, size, _)| if *size <= MAX_SLAB { size.div_ceil(8) * 8 } else { *size })
            .sum();
        assert_eq!(memory.usage().used as usize, sum);
        for (block, size, _) in live {
            // SAFETY: as above.
            unsafe { memory.free_record(block, size) };
        }
        assert_eq!(memory.usage().used, 0);
        assert!(memory
            .slab
            .iter()
            .flatten()
            .all(|chunk| chunk.free.count_ones() as usize + CLASSES >= PAGES));
    }

    #[test]
    fn heap_blocks_do_not_overlap_and_join_when_freed() {
        let mut memory = Memory::new(0);
        let mut state = 1234567;
        let mut live: Vec<(NonNull<u8>, usize, u8)> = Vec::new();
        let rounds = if cfg!(miri) { 200 } else { 20_000 };
        for round in 0..rounds {
            let random = xorshift(&mut state);
            if random % 5 < 3 || live.is_empty() {
                let granules = 1 + (random >> 8) as usize % if random & 64 == 0 { 200 } else { 9 };
                let block = memory.alloc_block(granules);
                // SAFETY: past the first eight bytes the block is ours.
                unsafe { block.as_ptr().add(8).write_bytes(round as u8, granules * GRANULE - 8) };
                live.push((block, granules, round as u8));
            } else {
                let (block, granules, fill) = live.swap_remove((random >> 8) as usize % live.len());
                // SAFETY: it was allocated with that size, filled, and is freed once.
                unsafe {
                    let bytes = std::slice::from_raw_parts(block.as_ptr().add(8), granules * GRANULE - 8);
                    assert!(bytes.iter().all(|byte| *byte == fill));
                    memory.free_block(block);
                }
            }
        }
        assert_eq!(memory.tables as usize, live.iter().map(|(_, n, _)| n * GRANULE).sum::<usize>());
        for (block, _, _) in live {
            // SAFETY: as above.
            unsafe { memory.free_block(block) };
        }
        for base in memory.heap.iter().flatten() {
            // SAFETY: the first block of our chunk.
            unsafe {
                assert_eq!((*heap_head(base.as_ptr())).live, 0);
                let first = base.as_ptr().add(GRANULE).cast::<Block>();
                assert_eq!(usize::from((*first).size), GRANULES - 1);
            }
        }
        while memory.trim_step().is_some() {}
    }

    #[test]
    fn foreign_blocks_go_home_by_a_chain() {
        let (mut ours, mut theirs) = (Memory::new(0), Memory::new(1));
        // SAFETY: each block is freed once.
        unsafe {
            for _ in 0..10 {
                let (record, block) = (theirs.alloc_record(40), theirs.alloc_block(2));
                ours.free_record(record, 40);
                ours.free_block(block);
            }
        }
        assert_eq!((ours.records, ours.tables), (0, 0));
        assert_eq!((theirs.records, theirs.tables), (400, 1280));
        let chains: Vec<FreeChain> = ours.take_foreign().collect();
        assert_eq!(chains.len(), 1);
        for chain in chains {
            assert_eq!(chain.owner(), 1);
            theirs.give_back(chain);
        }
        assert_eq!((theirs.records, theirs.tables), (0, 0));
    }
}
