//! Measurements: what Ringslot costs, beside what Redis costs.
//!
//! `benches/run` is the one that counts: server CPU time per operation and resident bytes per key, both
//! servers in the same run; it owns its rules, which stand at its top. Dated tables are in
//! `benches/results`, each with machine, kernel, commit and command line. Micro benches of a crate's
//! inner loops live beside the crate that they measure.
