//! A node on a hostile bus; see the check.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../checks/bus_node.rs"]
mod check;

fuzz_target!(|input: &[u8]| check::check(input));
