//! The Ringslot server.
fn main() {}
