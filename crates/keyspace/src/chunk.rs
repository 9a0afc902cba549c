//! Memory from the system, 2 MB at a time.
//!
//! A chunk is as large as a huge page and aligned like one. Touching a huge page for the first time
//! takes the kernel some 270 microseconds of zeroing, and now and then many milliseconds of
//! compaction, which a data core must never wait for. So huge pages come from a control thread, which
//! touches them ahead ([`Chunk::populate`]); a chunk that a core has to get by itself is of small pages.
//!
//! Under Miri, which has no mmap, chunks come from the allocator.

#![allow(unsafe_code)]

use std::ptr::NonNull;

/// Bytes of a chunk, and its alignment.
pub(crate) const CHUNK: usize = 2 << 20;

/// 2 MB of memory, aligned, in a huge page if the system has one to give.
pub struct Chunk {
    base: NonNull<u8>,
}

// SAFETY: a chunk is plain memory that nobody else refers to.
unsafe impl Send for Chunk {}

impl Chunk {
    /// Asks the system for one in a huge page, and touches it. Takes a fraction of a millisecond or
    /// more, so it is done on a control thread.
    pub fn populate() -> Option<Chunk> {
        let chunk = Chunk::map()?;
        chunk.advise_huge();
        Some(chunk)
    }

    /// One in small pages, not touched yet.
    pub(crate) fn plain() -> Chunk {
        let Some(chunk) = Chunk::map() else {
            // As any allocation does when there is no memory.
            std::alloc::handle_alloc_error(std::alloc::Layout::new::<[u8; CHUNK]>());
        };
        chunk.advise_small();
        chunk
    }

    /// Gives the memory to the caller, who must hand it to [`Chunk::from_base`] in the end.
    pub(crate) fn into_base(self) -> NonNull<u8> {
        let base = self.base;
        std::mem::forget(self);
        base
    }

    /// # Safety
    /// `base` came from [`Chunk::into_base`], and nothing refers to the memory any more.
    pub(crate) unsafe fn from_base(base: NonNull<u8>) -> Chunk {
        Chunk { base }
    }
}

#[cfg(not(miri))]
impl Chunk {
    fn map() -> Option<Chunk> {
        // Twice as much has an aligned chunk in it; the rest goes back.
        // SAFETY: an anonymous mapping at an address of the kernel's choice touches nothing of ours, and
        // what is unmapped is part of that mapping and in no use.
        unsafe {
            let protection = libc::PROT_READ | libc::PROT_WRITE;
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
            let raw = libc::mmap(std::ptr::null_mut(), 2 * CHUNK, protection, flags, -1, 0);
            if raw == libc::MAP_FAILED {
                return None;
            }
            let raw = raw.cast::<u8>();
            let before = raw.align_offset(CHUNK);
            if before > 0 {
                libc::munmap(raw.cast(), before);
            }
            let base = raw.add(before);
            libc::munmap(base.add(CHUNK).cast(), CHUNK - before);
            Some(Chunk { base: NonNull::new(base)? })
        }
    }

    fn advise_huge(&self) {
        // Advice may be refused (no huge pages, an old kernel): then the memory is touched by hand.
        // SAFETY: the range is our own mapping, and nothing refers to what is in it.
        unsafe {
            let start = self.base.as_ptr();
            libc::madvise(start.cast(), CHUNK, libc::MADV_HUGEPAGE);
            if libc::madvise(start.cast(), CHUNK, libc::MADV_POPULATE_WRITE) != 0 {
                for page in (0..CHUNK).step_by(4096) {
                    start.add(page).write_volatile(0);
                }
            }
        }
    }

    fn advise_small(&self) {
        // SAFETY: the range is our own mapping.
        unsafe { keep_small(self.base) };
    }
}

/// Keeps the system from making a chunk one huge page (again): it would bring back the pages that were
/// given back.
///
/// # Safety
/// `base` is that of a chunk.
pub(crate) unsafe fn keep_small(base: NonNull<u8>) {
    #[cfg(not(miri))]
    // SAFETY: the range is a chunk's mapping; the advice does not change what is in it.
    unsafe {
        libc::madvise(base.as_ptr().cast(), CHUNK, libc::MADV_NOHUGEPAGE);
    }
    #[cfg(miri)]
    let _ = base;
}

/// Lets the system take back the pages of a range, which reads as zeros afterwards.
///
/// # Safety
/// The range consists of whole pages of private anonymous memory, and nobody relies on its contents.
pub(crate) unsafe fn give_pages_back(start: NonNull<u8>, len: usize) {
    #[cfg(not(miri))]
    // SAFETY: by the contract above.
    unsafe {
        libc::madvise(start.as_ptr().cast(), len, libc::MADV_DONTNEED);
    }
    #[cfg(miri)]
    let _ = (start, len);
}

/// Lets the system take back what a large empty buffer reserves, `len` bytes of it from offset `from` on,
/// so that freeing it in the end is quick. Where the next piece begins.
pub(crate) fn give_back_within(buffer: &mut Vec<u8>, from: usize, len: usize) -> usize {
    const SYSTEM_PAGE: usize = 4096;
    assert!(buffer.is_empty());
    let room = buffer.spare_capacity_mut();
    let end = from.saturating_add(len).min(room.len());
    let address = room.as_ptr().addr();
    // Whole pages only: what lies beside them is the allocator's, or the next piece's.
    let first = (address + from).next_multiple_of(SYSTEM_PAGE);
    let last = (address + end) / SYSTEM_PAGE * SYSTEM_PAGE;
    if first < last {
        let start = NonNull::from(&mut room[first - address]).cast::<u8>();
        // SAFETY: whole pages inside of a buffer that is ours and has no contents. Allocators take memory
        // of this size from anonymous private mappings.
        unsafe { give_pages_back(start, last - first) };
    }
    // The page that this piece could not give wholly is tried again with the next.
    if end == room.len() {
        end
    } else {
        last.max(first) - address
    }
}

#[cfg(not(miri))]
impl Drop for Chunk {
    fn drop(&mut self) {
        // SAFETY: the chunk is ours alone, and it ends here.
        unsafe { libc::munmap(self.base.as_ptr().cast(), CHUNK) };
    }
}

#[cfg(miri)]
mod by_allocator {
    use super::*;
    use std::alloc::{alloc_zeroed, dealloc, Layout};

    fn layout() -> Layout {
        Layout::from_size_align(CHUNK, CHUNK).expect("powers of two")
    }

    impl Chunk {
        pub(super) fn map() -> Option<Chunk> {
            // SAFETY: the layout is not empty.
            NonNull::new(unsafe { alloc_zeroed(layout()) }).map(|base| Chunk { base })
        }

        pub(super) fn advise_huge(&self) {}

        pub(super) fn advise_small(&self) {}
    }

    impl Drop for Chunk {
        fn drop(&mut self) {
            // SAFETY: allocated in `map` with the same layout.
            unsafe { dealloc(self.base.as_ptr(), layout()) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_aligned_and_writable() {
        for chunk in [Chunk::plain(), Chunk::populate().unwrap()] {
            let base = chunk.base;
            assert_eq!(base.as_ptr() as usize % CHUNK, 0);
            // SAFETY: inside of a chunk that lives until the end of the loop.
            unsafe {
                base.write(1);
                base.add(CHUNK - 1).write(2);
                assert_eq!((base.read(), base.add(CHUNK - 1).read()), (1, 2));
            }
        }
    }
}
