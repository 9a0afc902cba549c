//! What the black-box suites share: two servers, raw bytes, and the comparison of replies.
//!
//! Nothing here knows a crate of the workspace. A suite sees what any client sees: a binary that
//! takes a command line, and sockets. The yardstick is a `redis-server` of the distribution, and
//! equality means equal bytes.
//!
//! ```text
//!     program ── finds the two binaries            reply ── where a reply ends, what it says
//!        │                                           │
//!     server ── starts one, waits, ends it  ◄──►  client ── raw RESP over TCP or a unix socket
//!        │                                           │
//!        └────────────── pair ───────────────────────┘
//!                 a subject beside a reference
//!                   ▲                    ▲
//!            script (case files)   generator (seeded), shrink (makes a failure small)
//! ```
//!
//! Rules of the house:
//! 1. A missing program is an error that says how to get it, never a skipped test.
//! 2. Nothing sleeps to wait: [`wait::until`] polls with a deadline.
//! 3. A process is ended by its pid, by the value that started it, also when a test panics.
//! 4. What a test draws at random comes from a seed that it prints.

pub mod client;
pub mod compare;
pub mod duel;
pub mod generator;
pub mod launcher;
pub mod nodes;
pub mod pair;
pub mod process;
pub mod program;
pub mod random;
pub mod reply;
pub mod script;
pub mod server;
pub mod shrink;
pub mod wait;
