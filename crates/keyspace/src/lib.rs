//! The keys and values of one core's slots.
//!
//! [`Keyspace`] is what a core holds: for each database and slot a table of records. [`View`] is a
//! database as a command sees it, at a time, with expired keys out of sight.

mod chunk;
mod cursor;
mod defragment;
mod edit;
mod entry;
mod expire;
mod keyspace;
mod memory;
mod place;
mod record;
mod spot;
mod table;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod twin;
mod value;
mod view;
mod watch;

pub use cursor::Cursor;
pub use edit::{Edit, Stored, WrongType};
pub use entry::Entry;
pub use expire::Gone;
pub use keyspace::{Chunk, ExpiredKey, FreeChain, Keyspace, LentSlot, MemoryUse, Setup, Stats, Touched};
pub use place::{hash, locate_in, Key, Place};
pub use spot::Spot;
pub use value::{
    AccessClock, Form, NewValue, OwnedRecord, OwnedValue, Progress, Readable, Replaced, StrRef, ValueRef,
    ValueType, INLINE_MAX,
};
pub use view::{Access, Expired, ExpiryChange, Touch, View};
