//! The commands: from arguments to reply and effects.
//!
//! One file per published group; each opens with its part of the table (arity, keys, flags), which
//! is the single truth that routing, ACL categories and COMMAND read. A handler sees the keys of
//! the core it runs on, the session of its client, the time and a source of randomness. It never
//! sees a connection, a socket or another core: where a command runs is said by [`Run`] in its row,
//! and `node` brings it there.
//!
//! ```text
//!     bytes -> resp::parse -> Table::find -> node routes -> handler -> node settles -> bytes
//! ```
//!
//! 1. A handler that returns an error has changed nothing, and what it wrote to the reply is undone.
//! 2. A handler states what it changed once ([`Exec::changed`], [`Exec::log`]); `node` settles it.

mod bitmap;
pub mod blocking;
mod client;
mod cluster;
mod command;
mod config_cmd;
mod connection;
mod debug;
mod docs;
mod dump;
pub mod error;
pub mod exec;
mod expire;
pub mod facts;
mod geo;
mod hash;
mod help;
mod hyperloglog;
mod info;
mod keys;
mod limits;
mod list;
mod lookup;
mod memory;
mod scan;
#[cfg(test)]
mod scenario;
mod scripting;
mod server;
mod set;
mod sort;
mod sorted_set;
mod stream;
mod string;
pub mod table;
#[cfg(test)]
mod testing;

pub use blocking::Wait;
pub use error::CommandError;
pub use exec::{
    write_command, ClusterExec, ControlExec, Effects, Exec, Gathered, Now, ReplyMode, Session, Visit,
};
pub use limits::TypeLimits;
pub use lookup::{Row, Table, TABLE};
pub use table::{Command, Run};

/// Every family's part of the table. What is not in it is an unknown command.
const FAMILIES: &[&[Command]] = &[
    string::TABLE,
    bitmap::TABLE,
    hyperloglog::TABLE,
    hash::TABLE,
    list::TABLE,
    set::TABLE,
    sorted_set::TABLE,
    stream::TABLE,
    geo::TABLE,
    sort::TABLE,
    keys::TABLE,
    expire::TABLE,
    dump::TABLE,
    scan::TABLE,
    connection::TABLE,
    client::TABLE,
    server::TABLE,
    scripting::TABLE,
    info::TABLE,
    config_cmd::TABLE,
    command::TABLE,
    debug::TABLE,
    memory::TABLE,
    cluster::TABLE,
];
