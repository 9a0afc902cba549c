//! The `ringslot` program: a Redis-compatible cluster node.
//!
//!     cli            what the arguments ask for
//!     start          a configuration becomes a running node: files, sockets, threads, and their end
//!     core_app       one data core: the pure `node::Core` on the ring of its thread
//!     control        what the cores and the two executors below say to each other
//!     bus            the executor that keeps the cluster bus going, and nothing else (rule R12)
//!     admin          the executor for configuration and everything else that may take its time
//!     logging        log lines leave by a thread of their own
//!     doctor_report  what the machine lacks, in words
//!     local_cluster  `ringslot cluster`: several nodes of one machine, joined and watched
//!
//! Decisions are made in `node` and below. Here is only what joins them to threads, files and a terminal.

mod admin;
mod bus;
mod cli;
mod control;
mod core_app;
mod doctor_report;
mod local_cluster;
mod logging;
mod start;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: runtime::memory::Allocator = runtime::memory::Allocator;

fn main() -> ExitCode {
    cli::run(std::env::args_os().skip(1).collect())
}
