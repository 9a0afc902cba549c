//! The commands: from arguments to reply and effects.
//!
//! One file per published group; each opens with its part of the table (arity, keys, flags), which
//! is the single truth that routing, ACL categories and COMMAND read. A handler sees the keys of
//! the core it runs on, the session of its client, the time and a source of randomness. It never
//! sees a connection, a socket or another core: where a command runs is said by [`Run`] in its row,
//! and `node` brings it there.
//!
//!     bytes -> resp::parse -> Table::find -> node routes -> handler -> node settles -> bytes
//!
//! 1. A handler that returns an error has changed nothing, and what it wrote to the reply is undone.
//! 2. A handler states what it changed once ([`Exec::changed`], [`Exec::log`]); `node` settles it.

pub mod error;
pub mod exec;
pub mod facts;
pub mod table;

pub use error::CommandError;
pub use exec::{ClusterExec, ControlExec, Effects, Exec, Gathered, Now, Session, Visit};
pub use table::{Command, Run, Table};
