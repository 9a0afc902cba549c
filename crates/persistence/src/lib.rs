//! Values as bytes: the forms in which Redis stores and exchanges them.
//!
//! ```text
//!     payload            DUMP and RESTORE: kind, value, footer
//!     encode   decode    a value, in steps
//!     write    read      lengths, strings, doubles and times, of which values are made
//!     dump     crc64     the footer under payloads, and its checksum
//!     lzf                how strings shrink
//!     ziplist  zipmap    encodings of old versions, read only
//! ```
//!
//! Everything here takes bytes and gives bytes; files and sockets are others' business. What is read
//! may be anything: it is read or refused ([`Corrupt`]), and never panics.
//!
//! Not here yet: files.

mod blob;
pub mod crc64;
mod decode;
mod decode_hash;
mod decode_stream;
pub mod dump;
mod encode;
mod encode_hash;
mod encode_stream;
mod error;
mod limits;
pub mod lzf;
mod payload;
pub mod read;
mod value;
pub mod write;
pub mod ziplist;
pub mod zipmap;

pub use decode::Decoder;
pub use encode::Encoder;
pub use error::Corrupt;
pub use limits::Limits;
pub use payload::{dump, restore, Dump, Restore};
pub use value::{kind, Value, ValueRef};
