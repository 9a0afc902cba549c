//! The buffers into which the kernel receives: one ring of them a core, shared by all connections.
//!
//! An idle connection holds no buffer: the kernel takes one when bytes arrive, we hand the bytes to the
//! application in place, and give the buffer back in the same turn.
//!
//! Where the kernel can (6.12), buffers are consumed in steps: short requests fill one buffer one after the
//! other, so that the same few lines of memory are used again and again instead of the start of every
//! buffer in turn.
//!
//! 1. A buffer belongs to the kernel from `publish` until a completion names it without "more to come".
//! 2. The part that a completion names is not written again before the buffer has been given back.
//! 3. Nothing is given to the kernel but by `publish`, which runs between turns.
#![allow(unsafe_code)]

use crate::sys::{advise, Advice, Pages};
use io_uring::types::BufRingEntry;
use std::io;
use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicU16, Ordering};

/// IOU_PBUF_RING_INC: private in io-uring's crate.
const INCREMENTAL: u16 = 2;
/// The only buffer group of a ring.
pub(super) const GROUP: u16 = 0;

pub(super) struct Buffers {
    /// The ring of entries that the kernel reads. Never unmapped while the io_uring lives: see `drop` there.
    entries: ManuallyDrop<Pages>,
    memory: ManuallyDrop<Pages>,
    count: u16,
    size: usize,
    tail: u16,
    published: u16,
    incremental: bool,
    /// How much of each buffer is used up, in the incremental form.
    used: Vec<u32>,
}

/// Where the bytes of one completion are.
pub(super) struct Received {
    id: u16,
    start: usize,
    length: usize,
    /// The kernel writes nothing more into this buffer.
    last: bool,
}

impl Buffers {
    /// Makes and registers `count` buffers (a power of two up to 32768) of `size` bytes.
    pub(super) fn new(
        submitter: &io_uring::Submitter<'_>,
        count: u16,
        size: usize,
        incremental: bool,
    ) -> io::Result<Buffers> {
        let entries = Pages::new(usize::from(count) * size_of::<BufRingEntry>())?;
        let memory = Pages::new(usize::from(count) * size)?;
        // The kernel takes them in turn, so all are touched soon: better now than under the first load. Where it
        // cannot, it is done then.
        let _ = advise(memory.start(), memory.len(), Advice::Populate);
        let address = entries.start() as u64;
        let register = |flags| {
            // SAFETY: the entries are mapped, zeroed (an empty ring), of `count` entries, and stay mapped
            // until the io_uring is gone.
            unsafe { submitter.register_buf_ring_with_flags(address, count, GROUP, flags) }
        };
        let incremental = incremental && register(INCREMENTAL).is_ok();
        if !incremental {
            register(0)?;
        }
        let (entries, memory) = (ManuallyDrop::new(entries), ManuallyDrop::new(memory));
        let used = vec![0; usize::from(count)];
        let mut buffers = Buffers { entries, memory, count, size, tail: 0, published: 0, incremental, used };
        for id in 0..count {
            buffers.give_back(id);
        }
        buffers.publish();
        Ok(buffers)
    }

    /// Takes note of what a completion brought. `more` is the completion's "more to come in this buffer".
    pub(super) fn received(&mut self, id: u16, length: usize, more: bool) -> Received {
        let start = if self.incremental { self.used[usize::from(id)] as usize } else { 0 };
        assert!(start + length <= self.size, "the kernel stays inside a buffer");
        if self.incremental && more {
            self.used[usize::from(id)] += length as u32;
        }
        Received { id, start, length, last: !(self.incremental && more) }
    }

    /// The bytes that a completion brought. They hold until `finished`.
    pub(super) fn bytes(&self, received: &Received) -> &[u8] {
        // SAFETY: `received` was checked to be inside the mapping; the kernel has written there and does not
        // touch it again before a `publish`, which needs `&mut self` (invariants 2 and 3).
        unsafe {
            let at = self.memory.start().add(usize::from(received.id) * self.size + received.start);
            std::slice::from_raw_parts(at, received.length)
        }
    }

    /// The application has seen the bytes: the buffer goes back if the kernel is done with it.
    pub(super) fn finished(&mut self, received: Received) {
        if received.last {
            self.give_back(received.id);
        }
    }

    /// Returns a buffer, to be offered to the kernel at the next `publish`.
    fn give_back(&mut self, id: u16) {
        self.used[usize::from(id)] = 0;
        let at = usize::from(self.tail & (self.count - 1)) * size_of::<BufRingEntry>();
        debug_assert!(at < self.entries.len());
        // SAFETY: the entry is inside the mapping and beyond the tail, so the kernel does not read it. The
        // setters leave the tail alone, which shares the first entry's last two bytes.
        unsafe {
            let entry = &mut *self.entries.start().add(at).cast::<BufRingEntry>();
            entry.set_addr(self.memory.start().add(usize::from(id) * self.size) as u64);
            entry.set_len(self.size as u32);
            entry.set_bid(id);
        }
        self.tail = self.tail.wrapping_add(1);
    }

    /// Offers what was given back.
    pub(super) fn publish(&mut self) {
        if self.tail == self.published {
            return;
        }
        self.published = self.tail;
        // SAFETY: the first entry is mapped; its tail field is an aligned u16 that only we write and that the
        // kernel reads with acquire.
        unsafe {
            let tail = BufRingEntry::tail(self.entries.start().cast());
            (*tail.cast::<AtomicU16>()).store(self.tail, Ordering::Release);
        }
    }

    /// Unmaps everything.
    ///
    /// # Safety
    /// The io_uring is gone and no receive was under way when it went.
    pub(super) unsafe fn release(mut self) {
        // SAFETY: dropped once, as `self` ends here; the kernel has no use for them any more.
        unsafe {
            ManuallyDrop::drop(&mut self.entries);
            ManuallyDrop::drop(&mut self.memory);
        }
    }
}
