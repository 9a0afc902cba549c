//! A core's bell: how threads that have no ring wake it.
//!
//! An eventfd that the core's ring polls. Nobody reads its counter: the poll is edge-triggered and each
//! write is an edge. `rung` keeps a busy sender from writing more than once until the core has heard.

use crate::sys;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

/// Wakes one data core from any thread. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Bell(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    eventfd: File,
    rung: AtomicBool,
}

impl Bell {
    /// A bell that no core listens to yet; what is rung before is heard when one does.
    pub fn new() -> io::Result<Bell> {
        let eventfd = sys::eventfd()?.into();
        Ok(Bell(Arc::new(Inner { eventfd, rung: AtomicBool::new(false) })))
    }

    /// Makes the core's `on_wake` run after this call. What was written before it is seen there.
    pub fn ring(&self) {
        if !self.0.rung.swap(true, Ordering::SeqCst) {
            // Fails only where the counter is full, after 2^64 writes.
            let _ = (&self.0.eventfd).write_all(&1u64.to_ne_bytes());
        }
    }

    /// The core has heard, and will look at everything now.
    pub(super) fn heard(&self) {
        self.0.rung.swap(false, Ordering::SeqCst);
    }

    pub(super) fn fd(&self) -> RawFd {
        self.0.eventfd.as_raw_fd()
    }
}
