//! Set commands, in words. See `docs.rs`.

use super::*;

pub(super) const DOCS: &[Doc] = &[
    doc("sadd", "1.0.0", "O(N), N: the members given", "Adds members to a set, creating it if need be.")
        .args(&[key("key", 0), string("member").multiple()]),
    doc("scard", "1.0.0", "O(1)", "Counts the members of a set.").args(&[key("key", 0)]),
    doc(
        "sdiff",
        "1.0.0",
        "O(N), N: the members of all sets",
        "Answers what is in the first set and in none of the others.",
    )
    .args(&[key("key", 0).multiple()]),
    doc(
        "sdiffstore",
        "1.0.0",
        "O(N), N: the members of all sets",
        "Stores what is in the first set and in none of the others.",
    )
    .args(&[key("destination", 0), key("key", 1).multiple()]),
    doc(
        "sinter",
        "1.0.0",
        "O(N*M), N: the members of the smallest set, M: the number of sets",
        "Answers what all sets have in common.",
    )
    .args(&[key("key", 0).multiple()]),
    doc(
        "sintercard",
        "7.0.0",
        "O(N*M), N: the members of the smallest set, M: the number of sets",
        "Counts what all sets have in common.",
    )
    .args(&[integer("numkeys"), key("key", 0).multiple(), integer("limit").token("LIMIT").optional()]),
    doc(
        "sinterstore",
        "1.0.0",
        "O(N*M), N: the members of the smallest set, M: the number of sets",
        "Stores what all sets have in common.",
    )
    .args(&[key("destination", 0), key("key", 1).multiple()]),
    doc("sismember", "1.0.0", "O(1)", "Tells whether something is a member of a set.")
        .args(&[key("key", 0), string("member")]),
    doc("smembers", "1.0.0", "O(N), N: the members", "Answers all members of a set.").args(&[key("key", 0)]),
    doc(
        "smismember",
        "6.2.0",
        "O(N), N: the members asked for",
        "Tells of each of several things whether it is a member of a set.",
    )
    .args(&[key("key", 0), string("member").multiple()]),
    doc("smove", "1.0.0", "O(1)", "Moves a member from one set to another.").args(&[
        key("source", 0),
        key("destination", 1),
        string("member"),
    ]),
    doc("spop", "1.0.0", "O(N), N: the members taken", "Takes random members out of a set.")
        .args(&[key("key", 0), integer("count").since("3.2.0").optional()]),
    doc("srandmember", "1.0.0", "O(N), N: the members answered", "Answers random members of a set.")
        .args(&[key("key", 0), integer("count").since("2.6.0").optional()]),
    doc("srem", "1.0.0", "O(N), N: the members given", "Removes members from a set.")
        .args(&[key("key", 0), string("member").multiple()]),
    doc(
        "sscan",
        "2.8.0",
        "O(1) for a call, O(N) for a whole iteration",
        "Goes through the members of a set step by step.",
    )
    .args(&[
        key("key", 0),
        integer("cursor"),
        pattern("pattern").token("MATCH").optional(),
        integer("count").token("COUNT").optional(),
    ]),
    doc("sunion", "1.0.0", "O(N), N: the members of all sets", "Answers what is in any of the sets.")
        .args(&[key("key", 0).multiple()]),
    doc("sunionstore", "1.0.0", "O(N), N: the members of all sets", "Stores what is in any of the sets.")
        .args(&[key("destination", 0), key("key", 1).multiple()]),
];
