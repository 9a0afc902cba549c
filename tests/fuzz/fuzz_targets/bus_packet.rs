//! The frames and messages of the cluster bus on anything; see the check.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../checks/bus_packet.rs"]
mod check;

fuzz_target!(|input: &[u8]| check::check(input));
