//! Threads, rings, files and timers: the only crate that names io-uring and glommio.
//!
//!     data       one pinned thread a core, each with a raw io_uring: client connections
//!     spsc       rings of messages between the cores, and who must be woken
//!     mailbox    bounded queues between the cores and the control plane, both ways
//!     control    executors of async tasks for everything that may take milliseconds
//!     thread     which processors there are, pinning, limits, signals, what the process uses
//!     clock      the time, for those who pass it on as an argument
//!     memory     page population and huge pages for chunk suppliers
//!     doctor     what this machine lacks, and the line that mends it
//!
//! Nothing here knows a command, a slot or a node: bytes and messages go in and out by traits and queues
//! that `server` joins to the pure crates. `unsafe` lives in small private modules, each block with its
//! reason; everything else of the crate is checked by the compiler.

pub mod clock;
pub mod control;
pub mod data;
pub mod doctor;
pub mod mailbox;
pub mod memory;
pub mod spsc;
mod sys;
pub mod thread;
