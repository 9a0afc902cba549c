//! The request parser on anything: no panic, the same commands and error however the bytes are cut, and
//! those that a naive parser finds.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../../crates/resp/tests/support/mod.rs"]
mod support;

fuzz_target!(|input: &[u8]| support::check_all_ways(input));
