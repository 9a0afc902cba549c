//! Ringslot benches.
