//! String commands, in words. See `docs.rs`.

use super::*;

pub(super) const DOCS: &[Doc] = &[
    doc("append", "2.0.0", "O(1) amortized", "Adds bytes to the end of a string, creating it if need be.")
        .args(&[key("key", 0), string("value")]),
    doc("decr", "1.0.0", "O(1)", "Lowers an integer by one; an absent key counts as zero.")
        .args(&[key("key", 0)]),
    doc("decrby", "1.0.0", "O(1)", "Lowers an integer by the given amount; an absent key counts as zero.")
        .args(&[key("key", 0), integer("decrement")]),
    doc("get", "1.0.0", "O(1)", "Reads a string.").args(&[key("key", 0)]),
    doc("getdel", "6.2.0", "O(1)", "Reads a string and deletes its key.").args(&[key("key", 0)]),
    doc("getex", "6.2.0", "O(1)", "Reads a string and sets or clears the expiry of its key.").args(&[
        key("key", 0),
        one_of(
            "expiration",
            &[
                integer("seconds").token("EX"),
                integer("milliseconds").token("PX"),
                unix_time("unix-time-seconds").token("EXAT"),
                unix_time("unix-time-milliseconds").token("PXAT"),
                word("persist", "PERSIST"),
            ],
        )
        .optional(),
    ]),
    doc("getrange", "2.4.0", "O(N), N: the length of the part", "Reads a part of a string.").args(&[
        key("key", 0),
        integer("start"),
        integer("end"),
    ]),
    doc("getset", "1.0.0", "O(1)", "Stores a string and answers the one it replaced.")
        .deprecated("6.2.0", "`SET` with the `!GET` argument")
        .args(&[key("key", 0), string("value")]),
    doc("incr", "1.0.0", "O(1)", "Raises an integer by one; an absent key counts as zero.")
        .args(&[key("key", 0)]),
    doc("incrby", "1.0.0", "O(1)", "Raises an integer by the given amount; an absent key counts as zero.")
        .args(&[key("key", 0), integer("increment")]),
    doc(
        "incrbyfloat",
        "2.6.0",
        "O(1)",
        "Raises a floating point number by the given amount; an absent key counts as zero.",
    )
    .args(&[key("key", 0), double("increment")]),
    doc(
        "lcs",
        "7.0.0",
        "O(N*M), N and M: the lengths of the two strings",
        "Finds the longest subsequence that two strings share.",
    )
    .args(&[
        key("key1", 0),
        key("key2", 0),
        word("len", "LEN").optional(),
        word("idx", "IDX").optional(),
        integer("min-match-len").token("MINMATCHLEN").optional(),
        word("withmatchlen", "WITHMATCHLEN").optional(),
    ]),
    doc("mget", "1.0.0", "O(N), N: the keys named", "Reads the strings of several keys at once.")
        .args(&[key("key", 0).multiple()]),
    doc("mset", "1.0.1", "O(N), N: the keys named", "Stores several strings at once.").args(&[block(
        "data",
        &[key("key", 0), string("value")],
    )
    .multiple()]),
    doc(
        "msetnx",
        "1.0.1",
        "O(N), N: the keys named",
        "Stores several strings at once, but only if none of the keys exists.",
    )
    .args(&[block("data", &[key("key", 0), string("value")]).multiple()]),
    doc("psetex", "2.6.0", "O(1)", "Stores a string that expires after some milliseconds.")
        .deprecated("2.6.12", "`SET` with the `PX` argument")
        .args(&[key("key", 0), integer("milliseconds"), string("value")]),
    doc(
        "set",
        "1.0.0",
        "O(1)",
        "Stores a string, whatever the key held before; options set conditions and an expiry.",
    )
    .args(&[
        key("key", 0),
        string("value"),
        one_of("condition", &[word("nx", "NX"), word("xx", "XX")]).since("2.6.12").optional(),
        word("get", "GET").since("6.2.0").optional(),
        one_of(
            "expiration",
            &[
                integer("seconds").token("EX").since("2.6.12"),
                integer("milliseconds").token("PX").since("2.6.12"),
                unix_time("unix-time-seconds").token("EXAT").since("6.2.0"),
                unix_time("unix-time-milliseconds").token("PXAT").since("6.2.0"),
                word("keepttl", "KEEPTTL").since("6.0.0"),
            ],
        )
        .optional(),
    ]),
    doc("setex", "2.0.0", "O(1)", "Stores a string that expires after some seconds.")
        .deprecated("2.6.12", "`SET` with the `EX` argument")
        .args(&[key("key", 0), integer("seconds"), string("value")]),
    doc("setnx", "1.0.0", "O(1)", "Stores a string if the key does not exist.")
        .deprecated("2.6.12", "`SET` with the `NX` argument")
        .args(&[key("key", 0), string("value")]),
    doc(
        "setrange",
        "2.2.0",
        "O(N), N: the bytes written and the gap before them",
        "Overwrites a part of a string, filling a gap with zero bytes.",
    )
    .args(&[key("key", 0), integer("offset"), string("value")]),
    doc("strlen", "2.2.0", "O(1)", "Tells the length of a string.").args(&[key("key", 0)]),
    doc("substr", "1.0.0", "O(N), N: the length of the part", "Reads a part of a string.")
        .deprecated("2.0.0", "`GETRANGE`")
        .args(&[key("key", 0), integer("start"), integer("end")]),
];
