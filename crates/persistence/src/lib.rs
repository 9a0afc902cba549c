//! Values as bytes: the forms in which Redis stores and exchanges them.
//!
//! ```text
//!     write    read      lengths, strings, doubles and times, of which all else is made
//!     lzf      crc64     how strings shrink, and how payloads are checked
//!     ziplist  zipmap    encodings of old versions, read only
//! ```
//!
//! Everything here takes bytes and gives bytes; files and sockets are others' business. What is read
//! may be anything: it is read or refused ([`Corrupt`]), and never panics.

pub mod crc64;
mod error;
pub mod lzf;
pub mod read;
pub mod write;
pub mod ziplist;
pub mod zipmap;

pub use error::Corrupt;
