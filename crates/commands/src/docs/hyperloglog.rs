//! HyperLogLog commands, in words. See `docs.rs`.

use super::*;

pub(super) const DOCS: &[Doc] = &[
    doc("pfadd", "2.8.9", "O(1) for each element", "Adds elements to a HyperLogLog, creating it if need be.")
        .args(&[key("key", 0), string("element").multiple().optional()]),
    doc(
        "pfcount",
        "2.8.9",
        "O(1) for one key that has not changed, else O(N), N: the keys named",
        "Estimates how many different elements were added to some HyperLogLogs.",
    )
    .args(&[key("key", 0).multiple()]),
    doc("pfdebug", "2.8.9", "O(1)", "Shows how a HyperLogLog is stored, or makes it dense.")
        .system()
        .args(&[string("subcommand"), key("key", 0)]),
    doc("pfmerge", "2.8.9", "O(N), N: the keys named", "Adds the elements of some HyperLogLogs to another.")
        .args(&[key("destkey", 0), key("sourcekey", 1).multiple().optional()]),
    doc("pfselftest", "2.8.9", "O(1)", "Tests the HyperLogLog implementation.").system(),
];
