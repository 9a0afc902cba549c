//! Generic commands, in words. See `docs.rs`.

use super::*;

pub(super) const DOCS: &[Doc] = &[
    doc(
        "copy",
        "6.2.0",
        "O(N), N: the elements of the value; O(1) for a string",
        "Copies the value of a key to another key.",
    )
    .args(&[
        key("source", 0),
        key("destination", 1),
        integer("destination-db").token("DB").optional(),
        word("replace", "REPLACE").optional(),
    ]),
    doc("del", "1.0.0", "O(N), N: the keys and the elements of their values", "Deletes keys.")
        .args(&[key("key", 0).multiple()]),
    doc(
        "dump",
        "2.6.0",
        "O(N), N: the size of the value",
        "Answers a value in the form in which it can be restored.",
    )
    .args(&[key("key", 0)]),
    doc("exists", "1.0.0", "O(N), N: the keys named", "Counts how many of the given keys exist.")
        .args(&[key("key", 0).multiple()]),
    doc("expire", "1.0.0", "O(1)", "Lets a key expire after some seconds.").args(&[
        key("key", 0),
        integer("seconds"),
        one_of("condition", &[word("nx", "NX"), word("xx", "XX"), word("gt", "GT"), word("lt", "LT")])
            .since("7.0.0")
            .optional(),
    ]),
    doc("expireat", "1.2.0", "O(1)", "Lets a key expire at a time in unix seconds.").args(&[
        key("key", 0),
        unix_time("unix-time-seconds"),
        one_of("condition", &[word("nx", "NX"), word("xx", "XX"), word("gt", "GT"), word("lt", "LT")])
            .since("7.0.0")
            .optional(),
    ]),
    doc("expiretime", "7.0.0", "O(1)", "Tells when a key expires, in unix seconds.").args(&[key("key", 0)]),
    doc("keys", "1.0.0", "O(N), N: all keys of the database", "Lists the keys that match a pattern.")
        .args(&[pattern("pattern")]),
    doc("move", "1.0.0", "O(1)", "Moves a key to another database.").args(&[key("key", 0), integer("db")]),
    doc("object", "2.2.3", "By subcommand.", "Groups the commands that look into how a value is kept."),
    doc("object|encoding", "2.2.3", "O(1)", "Tells the encoding of a value.").args(&[key("key", 0)]),
    doc("object|freq", "4.0.0", "O(1)", "Tells the access frequency counter of a key (LFU policies).")
        .args(&[key("key", 0)]),
    doc("object|help", "6.2.0", "O(1)", "Lists the subcommands."),
    doc("object|idletime", "2.2.3", "O(1)", "Tells the seconds since a key was last accessed.")
        .args(&[key("key", 0)]),
    doc("object|refcount", "2.2.3", "O(1)", "Tells how many references a value has.").args(&[key("key", 0)]),
    doc("persist", "2.2.0", "O(1)", "Takes the expiry off a key.").args(&[key("key", 0)]),
    doc("pexpire", "2.6.0", "O(1)", "Lets a key expire after some milliseconds.").args(&[
        key("key", 0),
        integer("milliseconds"),
        one_of("condition", &[word("nx", "NX"), word("xx", "XX"), word("gt", "GT"), word("lt", "LT")])
            .since("7.0.0")
            .optional(),
    ]),
    doc("pexpireat", "2.6.0", "O(1)", "Lets a key expire at a time in unix milliseconds.").args(&[
        key("key", 0),
        unix_time("unix-time-milliseconds"),
        one_of("condition", &[word("nx", "NX"), word("xx", "XX"), word("gt", "GT"), word("lt", "LT")])
            .since("7.0.0")
            .optional(),
    ]),
    doc("pexpiretime", "7.0.0", "O(1)", "Tells when a key expires, in unix milliseconds.")
        .args(&[key("key", 0)]),
    doc("pttl", "2.6.0", "O(1)", "Tells the remaining milliseconds of a key.").args(&[key("key", 0)]),
    doc("randomkey", "1.0.0", "O(1)", "Answers a key chosen by chance."),
    doc("rename", "1.0.0", "O(1)", "Gives a key another name, replacing what has that name.")
        .args(&[key("key", 0), key("newkey", 1)]),
    doc("renamenx", "1.0.0", "O(1)", "Gives a key another name unless that name is taken.")
        .args(&[key("key", 0), key("newkey", 1)]),
    doc("restore", "2.6.0", "O(N), N: the size of the value", "Creates a key from what DUMP answered.").args(
        &[
            key("key", 0),
            integer("ttl"),
            string("serialized-value"),
            word("replace", "REPLACE").since("3.0.0").optional(),
            word("absttl", "ABSTTL").since("5.0.0").optional(),
            integer("seconds").token("IDLETIME").since("5.0.0").optional(),
            integer("frequency").token("FREQ").since("5.0.0").optional(),
        ],
    ),
    doc(
        "scan",
        "2.8.0",
        "O(1) a call, O(N) for all N keys",
        "Goes through the keys of the database, some at each call.",
    )
    .args(&[
        integer("cursor"),
        pattern("pattern").token("MATCH").optional(),
        integer("count").token("COUNT").optional(),
        string("type").token("TYPE").since("6.0.0").optional(),
    ]),
    doc(
        "touch",
        "3.2.1",
        "O(N), N: the keys named",
        "Marks keys as accessed now and counts those that exist.",
    )
    .args(&[key("key", 0).multiple()]),
    doc("ttl", "1.0.0", "O(1)", "Tells the remaining seconds of a key.").args(&[key("key", 0)]),
    doc("type", "1.0.0", "O(1)", "Tells the type of the value of a key.").args(&[key("key", 0)]),
    doc(
        "unlink",
        "4.0.0",
        "O(N), N: the keys named; memory is freed apart",
        "Deletes keys and gives their memory back later.",
    )
    .args(&[key("key", 0).multiple()]),
    doc(
        "sort",
        "1.0.0",
        "O(N + M*log M), N: the elements, M: the elements answered",
        "Sorts a list, set or sorted set, and may store the result.",
    )
    .args(&[
        key("key", 0),
        key_pattern("by-pattern", 1).token("BY").shown_as("pattern").optional(),
        block("limit", &[integer("offset"), integer("count")]).token("LIMIT").optional(),
        key_pattern("get-pattern", 1).token("GET").shown_as("pattern").optional().multiple().multiple_token(),
        one_of("order", &[word("asc", "ASC"), word("desc", "DESC")]).optional(),
        word("sorting", "ALPHA").optional(),
        key("destination", 2).token("STORE").optional(),
    ]),
    doc(
        "sort_ro",
        "7.0.0",
        "O(N + M*log M), N: the elements, M: the elements answered",
        "Sorts a list, set or sorted set.",
    )
    .args(&[
        key("key", 0),
        key_pattern("by-pattern", 1).token("BY").shown_as("pattern").optional(),
        block("limit", &[integer("offset"), integer("count")]).token("LIMIT").optional(),
        key_pattern("get-pattern", 1).token("GET").shown_as("pattern").optional().multiple().multiple_token(),
        one_of("order", &[word("asc", "ASC"), word("desc", "DESC")]).optional(),
        word("sorting", "ALPHA").optional(),
    ]),
];
