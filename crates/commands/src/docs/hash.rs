//! Hash commands, in words. See `docs.rs`.

use super::*;

/// The fields that a command is about, with their number.
const FIELDS: Argument = block("fields", &[integer("numfields"), string("field").multiple()]).token("FIELDS");
/// When an expiry is to be set.
const CONDITION: Argument =
    one_of("condition", &[word("nx", "NX"), word("xx", "XX"), word("gt", "GT"), word("lt", "LT")]).optional();

pub(super) const DOCS: &[Doc] = &[
    doc("hdel", "2.0.0", "O(N), N: the fields given", "Removes fields of a hash.")
        .args(&[key("key", 0), string("field").multiple()]),
    doc("hexists", "2.0.0", "O(1)", "Tells whether a hash has a field.")
        .args(&[key("key", 0), string("field")]),
    doc("hexpire", "7.4.0", "O(N), N: the fields given", "Sets in how many seconds fields of a hash go.")
        .args(&[key("key", 0), integer("seconds"), CONDITION, FIELDS]),
    doc("hexpireat", "7.4.0", "O(N), N: the fields given", "Sets the second at which fields of a hash go.")
        .args(&[key("key", 0), unix_time("unix-time-seconds"), CONDITION, FIELDS]),
    doc(
        "hexpiretime",
        "7.4.0",
        "O(N), N: the fields given",
        "Answers the second at which fields of a hash go.",
    )
    .args(&[key("key", 0), FIELDS]),
    doc("hget", "2.0.0", "O(1)", "Reads a field of a hash.").args(&[key("key", 0), string("field")]),
    doc("hgetall", "2.0.0", "O(N), N: the fields", "Answers all fields and values of a hash.")
        .args(&[key("key", 0)]),
    doc("hgetdel", "8.0.0", "O(N), N: the fields given", "Reads fields of a hash and removes them.")
        .args(&[key("key", 0), FIELDS]),
    doc("hgetex", "8.0.0", "O(N), N: the fields given", "Reads fields of a hash and sets when they go.")
        .args(&[
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
            FIELDS,
        ]),
    doc("hincrby", "2.0.0", "O(1)", "Raises the integer in a field; an absent field counts as zero.")
        .args(&[key("key", 0), string("field"), integer("increment")]),
    doc(
        "hincrbyfloat",
        "2.6.0",
        "O(1)",
        "Raises the floating point number in a field; an absent field counts as zero.",
    )
    .args(&[key("key", 0), string("field"), double("increment")]),
    doc("hkeys", "2.0.0", "O(N), N: the fields", "Answers all fields of a hash.").args(&[key("key", 0)]),
    doc("hlen", "2.0.0", "O(1)", "Counts the fields of a hash.").args(&[key("key", 0)]),
    doc("hmget", "2.0.0", "O(N), N: the fields given", "Reads several fields of a hash.")
        .args(&[key("key", 0), string("field").multiple()]),
    doc("hmset", "2.0.0", "O(N), N: the fields given", "Sets several fields of a hash.")
        .deprecated("4.0.0", "`HSET` with multiple field-value pairs")
        .args(&[key("key", 0), block("data", &[string("field"), string("value")]).multiple()]),
    doc("hpersist", "7.4.0", "O(N), N: the fields given", "Lets fields of a hash stay.")
        .args(&[key("key", 0), FIELDS]),
    doc(
        "hpexpire",
        "7.4.0",
        "O(N), N: the fields given",
        "Sets in how many milliseconds fields of a hash go.",
    )
    .args(&[key("key", 0), integer("milliseconds"), CONDITION, FIELDS]),
    doc(
        "hpexpireat",
        "7.4.0",
        "O(N), N: the fields given",
        "Sets the millisecond at which fields of a hash go.",
    )
    .args(&[key("key", 0), unix_time("unix-time-milliseconds"), CONDITION, FIELDS]),
    doc(
        "hpexpiretime",
        "7.4.0",
        "O(N), N: the fields given",
        "Answers the millisecond at which fields of a hash go.",
    )
    .args(&[key("key", 0), FIELDS]),
    doc(
        "hpttl",
        "7.4.0",
        "O(N), N: the fields given",
        "Answers how many milliseconds fields of a hash have.",
    )
    .args(&[key("key", 0), FIELDS]),
    doc("hrandfield", "6.2.0", "O(N), N: the fields answered", "Answers random fields of a hash.").args(&[
        key("key", 0),
        block("options", &[integer("count"), word("withvalues", "WITHVALUES").optional()]).optional(),
    ]),
    doc(
        "hscan",
        "2.8.0",
        "O(1) for a call, O(N) for a whole iteration",
        "Goes through the fields of a hash step by step.",
    )
    .args(&[
        key("key", 0),
        integer("cursor"),
        pattern("pattern").token("MATCH").optional(),
        integer("count").token("COUNT").optional(),
    ]),
    doc("hset", "2.0.0", "O(N), N: the fields given", "Sets fields of a hash, creating it if need be.")
        .args(&[key("key", 0), block("data", &[string("field"), string("value")]).multiple()]),
    doc("hsetex", "8.0.0", "O(N), N: the fields given", "Sets fields of a hash and when they go.").args(&[
        key("key", 0),
        one_of("condition", &[word("fnx", "FNX"), word("fxx", "FXX")]).optional(),
        one_of(
            "expiration",
            &[
                integer("seconds").token("EX"),
                integer("milliseconds").token("PX"),
                unix_time("unix-time-seconds").token("EXAT"),
                unix_time("unix-time-milliseconds").token("PXAT"),
                word("keepttl", "KEEPTTL"),
            ],
        )
        .optional(),
        block(
            "fields",
            &[integer("numfields"), block("data", &[string("field"), string("value")]).multiple()],
        )
        .token("FIELDS"),
    ]),
    doc("hsetnx", "2.0.0", "O(1)", "Sets a field of a hash unless it is there.").args(&[
        key("key", 0),
        string("field"),
        string("value"),
    ]),
    doc("hstrlen", "3.2.0", "O(1)", "Answers the length of the value in a field.")
        .args(&[key("key", 0), string("field")]),
    doc("httl", "7.4.0", "O(N), N: the fields given", "Answers how many seconds fields of a hash have.")
        .args(&[key("key", 0), FIELDS]),
    doc("hvals", "2.0.0", "O(N), N: the fields", "Answers all values of a hash.").args(&[key("key", 0)]),
];
