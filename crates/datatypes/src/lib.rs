//! The data types, apart from keys, clients and time: values in, values out.
//!
//! Strings so far: integers as Redis reads and writes them ([`integer`]), the 80-bit floats of
//! INCRBYFLOAT ([`long_double`]), index arithmetic and the longest common subsequence ([`string`]).

pub mod bitfield;
pub mod bits;
pub mod dict;
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
