//! RESP, the protocol between clients and this node: requests in, replies out.
//!
//! Pure functions over bytes. A connection's bytes go through [`parse`] into a [`Batch`] of commands
//! that points into them; a handler sees one command as [`Args`] and words its answer in a
//! [`Reply`], which knows whether this client speaks RESP2 or RESP3.
//!
//! ```text
//!     bytes --parse--> Batch --args(i)--> Args --handler--> Reply --take--> Segments --> socket
//! ```
//!
//! Not here: what a command means and the error texts of commands (`commands`); buffers and their
//! growth, which belong to whoever receives and sends.

mod args;
mod double;
mod integer;
mod reply;
mod request;

pub use args::{Arg, Args, ArgsIter, Batch, CommandFrame, OwnedBatch};
pub use double::format_double;
pub use integer::{format_integer, parse_integer, IntegerText};
pub use reply::{Deferred, Mark, Protocol, Reply, Segments, Splice, SPLICE_FROM};
pub use request::{parse, Limits, Partial, Progress, ProtocolError, State, MAX_OFFSET};
