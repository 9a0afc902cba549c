//! The configuration file on anything; see the check.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../checks/config_file.rs"]
mod check;

fuzz_target!(|input: &[u8]| check::check(input));
