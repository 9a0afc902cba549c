//! Payloads of RESTORE on anything: read or refused, and what is read is written so that it reads the same.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../../crates/persistence/tests/support/mod.rs"]
mod support;

fuzz_target!(|input: &[u8]| support::check(input));
