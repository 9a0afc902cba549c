//! Quiet sends: does this kernel tell us only of sends that did not go out whole?
//!
//! A send with MSG_DONTWAIT is done or refused while it is submitted; with MSG_WAITALL anything less than
//! everything counts as a failure; with SKIP_SUCCESS only failures make a completion. So after an enter that
//! took a send, no completion means that all of it is in the socket. That halves the completions of a
//! request, and a turn whose sends all go out does not find its own sends as the next thing to wake for.
//!
//! The pieces are documented, the sum is not; so it is tried at start, and where a kernel answers otherwise
//! every send is told.

use crate::data::outgoing::Outgoing;
use crate::data::ring::Ring;
use io_uring::{cqueue, squeue, types};
use std::io::Read;
use std::mem::MaybeUninit;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;

/// The message flags of a quiet send.
pub(super) const FLAGS: i32 = libc::MSG_DONTWAIT | libc::MSG_WAITALL | libc::MSG_NOSIGNAL;

/// Tries, on a new ring with nothing in flight.
pub(super) fn works(ring: &mut Ring) -> bool {
    let Ok((from, mut to)) = UnixStream::pair() else { return false };
    let mut send = |size: usize| -> Option<Vec<i32>> {
        let mut outgoing = Outgoing::bytes(vec![7; size]);
        let entry = outgoing.entry_for(types::Fd(from.as_raw_fd()), FLAGS).flags(squeue::Flags::SKIP_SUCCESS);
        push(ring, &entry);
        ring.enter(0, None).ok()?;
        let mut entries = [const { MaybeUninit::<cqueue::Entry>::uninit() }; 4];
        let results: Vec<i32> = ring.fill(&mut entries).iter().map(cqueue::Entry::result).collect();
        outgoing.completed(0);
        Some(results)
    };
    const MORE_THAN_FITS: usize = 16 << 20;
    // 1. A send that goes out whole is not told.
    let small = send(100);
    // 2. One that goes out in part tells how far it came.
    let partial = send(MORE_THAN_FITS);
    // 3. One for which there is no room at all says so.
    let refused = send(100);
    drop(from);
    let mut received = Vec::new();
    let (Some(small), Some(partial), Some(refused)) = (small, partial, refused) else { return false };
    small.is_empty()
        && refused == [-libc::EAGAIN]
        && partial.len() == 1
        && (1..MORE_THAN_FITS as i32).contains(&partial[0])
        && to.read_to_end(&mut received).is_ok_and(|count| count == 100 + partial[0] as usize)
}

#[allow(unsafe_code)]
fn push(ring: &mut Ring, entry: &squeue::Entry) {
    // SAFETY: the bytes belong to `outgoing`, which outlives the enter that ends the send (DONTWAIT: it is
    // never left pending), and is leaked if dropped before.
    assert!(unsafe { ring.push(entry) }, "a new ring has room");
}
