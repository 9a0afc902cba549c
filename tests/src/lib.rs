//! Ringslot tests.
