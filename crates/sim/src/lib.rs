//! The cores of a node on one thread, interleaved from a seed, and checkers of what clients saw.
//!
//!     seed -> workload -> clients --bytes--> cores <--messages, in any order between rings--> cores
//!                            '--- history ---> linearizable? in order? nothing left locked?
//!                                              the merged log replayed = the keys that are there?
//!
//! The cores are the very `node::Core` that production runs. Between two turns of a core anything may
//! happen elsewhere; a ring delivers in order, different rings in any order; rings are short, so that
//! messages have to wait; clients pipeline, and some disconnect in the middle.
//!
//! `run(seed)` replays exactly. Not here yet: network, disks, clocks and clusters of nodes.

pub mod client;
pub mod history;
pub mod model;
mod queues;
pub mod world;

pub use world::{run, Failure};
