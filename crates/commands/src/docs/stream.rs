//! stream commands, in words. See `docs.rs`.

use super::*;

pub(super) const DOCS: &[Doc] = &[
    doc("xack", "5.0.0", "O(N), N: the ids given", "Takes entries off the pending list of a group.").args(&[
        key("key", 0),
        string("group"),
        string("ID").multiple(),
    ]),
    doc(
        "xadd",
        "5.0.0",
        "O(1), and O(N) to trim N entries",
        "Adds an entry to a stream, creating it if need be.",
    )
    .args(&[
        key("key", 0),
        word("nomkstream", "NOMKSTREAM").since("6.2.0").optional(),
        block(
            "trim",
            &[
                one_of("strategy", &[word("maxlen", "MAXLEN"), word("minid", "MINID").since("6.2.0")]),
                one_of("operator", &[word("equal", "="), word("approximately", "~")]).optional(),
                string("threshold"),
                integer("count").token("LIMIT").since("6.2.0").optional(),
            ],
        )
        .optional(),
        one_of("id-selector", &[word("auto-id", "*"), string("id")]),
        block("data", &[string("field"), string("value")]).multiple(),
    ]),
    doc(
        "xautoclaim",
        "6.2.0",
        "O(1) for a bounded COUNT",
        "Hands over pending entries that were idle for long to another consumer.",
    )
    .args(&[
        key("key", 0),
        string("group"),
        string("consumer"),
        string("min-idle-time"),
        string("start"),
        integer("count").token("COUNT").optional(),
        word("justid", "JUSTID").optional(),
    ]),
    doc(
        "xclaim",
        "5.0.0",
        "O(log N), N: the pending entries of the group",
        "Hands over pending entries to another consumer.",
    )
    .args(&[
        key("key", 0),
        string("group"),
        string("consumer"),
        string("min-idle-time"),
        string("ID").multiple(),
        integer("ms").token("IDLE").optional(),
        unix_time("unix-time-milliseconds").token("TIME").optional(),
        integer("count").token("RETRYCOUNT").optional(),
        word("force", "FORCE").optional(),
        word("justid", "JUSTID").optional(),
        string("lastid").token("LASTID").optional(),
    ]),
    doc("xdel", "5.0.0", "O(N), N: the ids given", "Removes entries from a stream.")
        .args(&[key("key", 0), string("ID").multiple()]),
    doc("xgroup", "5.0.0", "Depends on the subcommand.", "Manages the consumer groups of a stream."),
    doc("xgroup|create", "5.0.0", "O(1)", "Creates a consumer group.").args(&[
        key("key", 0),
        string("group"),
        one_of("id-selector", &[string("id"), word("new-id", "$")]),
        word("mkstream", "MKSTREAM").optional(),
        integer("entries-read").token("ENTRIESREAD").optional(),
    ]),
    doc("xgroup|createconsumer", "6.2.0", "O(1)", "Creates a consumer in a group.").args(&[
        key("key", 0),
        string("group"),
        string("consumer"),
    ]),
    doc(
        "xgroup|delconsumer",
        "5.0.0",
        "O(N), N: the pending entries of the consumer",
        "Removes a consumer from a group.",
    )
    .args(&[key("key", 0), string("group"), string("consumer")]),
    doc("xgroup|destroy", "5.0.0", "O(N), N: the pending entries of the group", "Removes a consumer group.")
        .args(&[key("key", 0), string("group")]),
    doc("xgroup|help", "5.0.0", "O(1)", "Lists the subcommands."),
    doc("xgroup|setid", "5.0.0", "O(1)", "Sets the id up to which a group has been served.").args(&[
        key("key", 0),
        string("group"),
        one_of("id-selector", &[string("id"), word("new-id", "$")]),
        integer("entriesread").token("ENTRIESREAD").shown_as("entries-read").optional(),
    ]),
    doc("xinfo", "5.0.0", "Depends on the subcommand.", "Tells about streams, groups and consumers."),
    doc("xinfo|consumers", "5.0.0", "O(N), N: the consumers", "Tells about the consumers of a group.")
        .args(&[key("key", 0), string("group")]),
    doc("xinfo|groups", "5.0.0", "O(N), N: the groups", "Tells about the groups of a stream.")
        .args(&[key("key", 0)]),
    doc("xinfo|help", "5.0.0", "O(1)", "Lists the subcommands."),
    doc("xinfo|stream", "5.0.0", "O(1), with FULL O(N), N: what is shown", "Tells about a stream.").args(&[
        key("key", 0),
        block("full-block", &[word("full", "FULL"), integer("count").token("COUNT").optional()]).optional(),
    ]),
    doc("xlen", "5.0.0", "O(1)", "Counts the entries of a stream.").args(&[key("key", 0)]),
    doc(
        "xpending",
        "5.0.0",
        "O(N), N: the entries answered",
        "Tells which entries were delivered and not acknowledged.",
    )
    .args(&[
        key("key", 0),
        string("group"),
        block(
            "filters",
            &[
                integer("min-idle-time").token("IDLE").since("6.2.0").optional(),
                string("start"),
                string("end"),
                integer("count"),
                string("consumer").optional(),
            ],
        )
        .optional(),
    ]),
    doc(
        "xrange",
        "5.0.0",
        "O(log N + M), N: the entries, M: the entries answered",
        "Answers a range of a stream.",
    )
    .args(&[key("key", 0), string("start"), string("end"), integer("count").token("COUNT").optional()]),
    doc(
        "xread",
        "5.0.0",
        "O(N), N: the entries answered",
        "Reads entries that follow given ids, waiting for them if told to.",
    )
    .args(&[
        integer("count").token("COUNT").optional(),
        integer("milliseconds").token("BLOCK").optional(),
        block("streams", &[key("key", 0).multiple(), string("ID").multiple()]).token("STREAMS"),
    ]),
    doc(
        "xreadgroup",
        "5.0.0",
        "O(N), N: the entries answered",
        "Reads entries on behalf of a consumer of a group, waiting for them if told to.",
    )
    .args(&[
        block("group-block", &[string("group"), string("consumer")]).token("GROUP"),
        integer("count").token("COUNT").optional(),
        integer("milliseconds").token("BLOCK").optional(),
        word("noack", "NOACK").optional(),
        block("streams", &[key("key", 0).multiple(), string("ID").multiple()]).token("STREAMS"),
    ]),
    doc(
        "xrevrange",
        "5.0.0",
        "O(log N + M), N: the entries, M: the entries answered",
        "Answers a range of a stream, the last entry first.",
    )
    .args(&[key("key", 0), string("end"), string("start"), integer("count").token("COUNT").optional()]),
    doc("xsetid", "5.0.0", "O(1)", "Sets the last id of a stream.").args(&[
        key("key", 0),
        string("last-id"),
        integer("entries-added").token("ENTRIESADDED").since("7.0.0").optional(),
        string("max-deleted-id").token("MAXDELETEDID").since("7.0.0").optional(),
    ]),
    doc("xtrim", "5.0.0", "O(N), N: the entries removed", "Removes the oldest entries of a stream.").args(&[
        key("key", 0),
        block(
            "trim",
            &[
                one_of("strategy", &[word("maxlen", "MAXLEN"), word("minid", "MINID").since("6.2.0")]),
                one_of("operator", &[word("equal", "="), word("approximately", "~")]).optional(),
                string("threshold"),
                integer("count").token("LIMIT").since("6.2.0").optional(),
            ],
        ),
    ]),
];
