//! What is on its way: memory that the kernel reads from or writes to until a completion comes.
//!
//! `Outgoing` and `Incoming` own their bytes. While an operation is under way they are `armed`; dropped in
//! that state (a core that panics) they leak the bytes instead of freeing memory that the kernel may still
//! touch.
#![allow(unsafe_code)]

use crate::data::{Segment, Sent};
use io_uring::{opcode, squeue, types};
use std::mem::ManuallyDrop;

/// One send: the buffers, and how far it has come.
pub(super) struct Outgoing {
    what: ManuallyDrop<What>,
    sent: usize,
    total: usize,
    armed: bool,
}

enum What {
    Bytes(Vec<u8>),
    Segments(Box<Vectored>),
}

/// Boxed, because the kernel reads the header and the vectors where they are.
struct Vectored {
    segments: Vec<Segment>,
    vectors: Vec<libc::iovec>,
    header: libc::msghdr,
}

// SAFETY: the pointers inside point into the segments, which are `Send` and move with them on the heap.
unsafe impl Send for Vectored {}

/// The most vectors that one sendmsg takes.
const MOST_VECTORS: usize = libc::UIO_MAXIOV as usize;

/// The most bytes that we ask of one call, which takes 32 bits of length and the kernel 2 GiB less a page.
const MOST_BYTES: usize = 1 << 30;

impl Outgoing {
    pub(super) fn bytes(bytes: Vec<u8>) -> Outgoing {
        let total = bytes.len();
        Outgoing { what: ManuallyDrop::new(What::Bytes(bytes)), sent: 0, total, armed: false }
    }

    pub(super) fn segments(segments: Vec<Segment>) -> Outgoing {
        let total = segments.iter().map(|segment| segment.bytes().len()).sum();
        // SAFETY: all zeroes is an empty header.
        let header = unsafe { std::mem::zeroed() };
        let vectored = Box::new(Vectored { segments, vectors: Vec::new(), header });
        Outgoing { what: ManuallyDrop::new(What::Segments(vectored)), sent: 0, total, armed: false }
    }

    pub(super) fn is_done(&self) -> bool {
        self.sent == self.total
    }

    /// The entry that sends what is left, with these message flags. From here until `completed` the bytes
    /// must not move: the caller keeps this value, whose heap memory stays where it is.
    pub(super) fn entry(&mut self, slot: u32, flags: i32) -> squeue::Entry {
        self.armed = true;
        let target = types::Fixed(slot);
        match &mut *self.what {
            What::Bytes(bytes) => {
                let rest = &bytes[self.sent..];
                let length = rest.len().min(MOST_BYTES) as u32;
                opcode::Send::new(target, rest.as_ptr(), length).flags(flags).build()
            }
            What::Segments(vectored) => {
                vectored.aim(self.sent);
                opcode::SendMsg::new(target, &vectored.header).flags(flags as u32).build()
            }
        }
    }

    /// As `entry`, of plain bytes to a descriptor.
    pub(super) fn entry_for(&mut self, fd: types::Fd, flags: i32) -> squeue::Entry {
        self.armed = true;
        match &*self.what {
            What::Bytes(bytes) => {
                opcode::Send::new(fd, bytes.as_ptr(), bytes.len() as u32).flags(flags).build()
            }
            What::Segments(_) => unreachable!("only the trial of quiet sends uses this, with plain bytes"),
        }
    }

    /// The operation ended with `count` bytes sent.
    pub(super) fn completed(&mut self, count: usize) {
        self.armed = false;
        self.sent += count;
        assert!(self.sent <= self.total, "the kernel sends what it was given");
    }

    /// Whether one entry carries all of it. If not, the rest waits for the first part's completion, so that
    /// must be told.
    pub(super) fn fits_one_call(&self) -> bool {
        match &*self.what {
            What::Bytes(bytes) => bytes.len() <= MOST_BYTES,
            What::Segments(vectored) => vectored.segments.len() <= MOST_VECTORS && self.total <= MOST_BYTES,
        }
    }

    /// All of it has been sent.
    pub(super) fn completed_whole(&mut self) {
        self.armed = false;
        self.sent = self.total;
    }

    /// The buffers, for their owner to use again.
    pub(super) fn into_sent(mut self) -> Sent {
        assert!(!self.armed, "buffers go back when the kernel is done with them");
        // SAFETY: `what` is taken once: `self` is forgotten at once.
        let what = unsafe { ManuallyDrop::take(&mut self.what) };
        std::mem::forget(self);
        match what {
            What::Bytes(bytes) => Sent::Bytes(bytes),
            What::Segments(vectored) => Sent::Segments(vectored.segments),
        }
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        if !self.armed {
            // SAFETY: dropped once, here; nobody else reads it.
            unsafe { ManuallyDrop::drop(&mut self.what) };
        }
    }
}

impl Vectored {
    /// Points the vectors at everything from byte `sent` on, as far as one call takes it.
    fn aim(&mut self, mut sent: usize) {
        self.vectors.clear();
        for bytes in self.segments.iter().map(Segment::bytes) {
            if sent >= bytes.len() {
                sent -= bytes.len();
                continue;
            }
            if self.vectors.len() == MOST_VECTORS {
                break;
            }
            let rest = &bytes[sent..];
            sent = 0;
            self.vectors.push(libc::iovec { iov_base: rest.as_ptr() as *mut _, iov_len: rest.len() });
        }
        self.header.msg_iov = self.vectors.as_mut_ptr();
        self.header.msg_iovlen = self.vectors.len() as _;
    }
}

/// A receive straight to its final place: the spare capacity of a vector.
pub(super) struct Incoming {
    bytes: ManuallyDrop<Vec<u8>>,
    /// The length at which it is complete.
    until: usize,
    armed: bool,
}

impl Incoming {
    pub(super) fn new(mut bytes: Vec<u8>, from: usize, length: usize) -> Incoming {
        assert!(from <= bytes.len(), "what is before the place of a direct receive is there already");
        bytes.truncate(from);
        bytes.reserve_exact(length);
        Incoming { bytes: ManuallyDrop::new(bytes), until: from + length, armed: false }
    }

    pub(super) fn is_armed(&self) -> bool {
        self.armed
    }

    pub(super) fn is_done(&self) -> bool {
        self.bytes.len() == self.until
    }

    /// Takes over what another receive brought; returns what does not belong to this one.
    pub(super) fn append<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        assert!(!self.armed, "one receive at a time");
        let (ours, rest) = bytes.split_at(bytes.len().min(self.until - self.bytes.len()));
        self.bytes.extend_from_slice(ours);
        rest
    }

    /// The entry that receives what is missing.
    pub(super) fn entry(&mut self, slot: u32) -> squeue::Entry {
        self.armed = true;
        let missing = (self.until - self.bytes.len()).min(MOST_BYTES) as u32;
        let place = self.bytes.spare_capacity_mut().as_mut_ptr().cast();
        opcode::Recv::new(types::Fixed(slot), place, missing).flags(libc::MSG_WAITALL).build()
    }

    /// The operation ended with `count` bytes received.
    pub(super) fn completed(&mut self, count: usize) {
        self.armed = false;
        let length = self.bytes.len() + count;
        assert!(length <= self.until, "the kernel receives what it was asked for");
        // SAFETY: the kernel has written `count` bytes from the old end on, and `until` is within capacity.
        unsafe { self.bytes.set_len(length) };
    }

    pub(super) fn into_bytes(mut self) -> Vec<u8> {
        assert!(!self.armed, "bytes go on when the kernel is done with them");
        // SAFETY: taken once: `self` is forgotten at once.
        let bytes = unsafe { ManuallyDrop::take(&mut self.bytes) };
        std::mem::forget(self);
        bytes
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if !self.armed {
            // SAFETY: dropped once, here.
            unsafe { ManuallyDrop::drop(&mut self.bytes) };
        }
    }
}
