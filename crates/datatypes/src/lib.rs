//! The data types, apart from keys, clients and time: values in, values out.
//!
//! ```text
//!     collection      what all collections have in common, for whom stores them
//!     list  set  sorted_set  hash  stream     the types: compact for small values, scalable for large ones
//!     listpack  intset                        Redis's compact encodings, byte for byte
//!     dict                                    byte strings by hash, for millions
//!     string  integer  long_double            strings, and numbers as Redis reads and writes them
//!     bits  bitfield  hyperloglog  geo        what strings and sorted sets are used for
//! ```

pub mod bitfield;
pub mod bits;
pub mod collection;
pub mod dict;
pub mod geo;
pub mod hash;
pub mod hyperloglog;
pub mod integer;
pub mod intset;
pub mod list;
pub mod listpack;
pub mod long_double;
pub mod set;
pub mod sorted_set;
pub mod stream;
pub mod string;

pub use integer::{parse_i64, Decimal};
pub use long_double::{increment_float, IncrementError, LongDouble};
