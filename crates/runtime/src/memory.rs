//! Pages for those who manage memory themselves: the chunk supplier in `keyspace` asks for these away
//! from the data cores, so that no core waits for the kernel to clear a page.

use crate::sys::{advise, Advice};
use std::io;

/// Makes the pages of a mapping present and writable now, without changing what they hold.
///
/// `start` and `length` are those of a mapping of the caller, whole pages. Linux 5.14.
pub fn populate(start: *mut u8, length: usize) -> io::Result<()> {
    advise(start, length, Advice::Populate)
}

/// Asks for huge pages behind a mapping. A wish, not a promise.
pub fn advise_hugepage(start: *mut u8, length: usize) -> io::Result<()> {
    advise(start, length, Advice::HugePages)
}
