//! Server commands, in words. See `docs.rs`.

use super::*;

pub(super) const DOCS: &[Doc] = &[
    doc("command", "2.8.13", "O(N), N: all commands", "Describes all commands."),
    doc("command|count", "2.8.13", "O(1)", "Counts the commands."),
    doc("command|docs", "7.0.0", "O(N), N: the commands asked for", "Answers documentation of commands.")
        .args(&[string("command-name").optional().multiple()]),
    doc(
        "command|getkeys",
        "2.8.13",
        "O(N), N: the arguments",
        "Finds the keys in a command with its arguments.",
    )
    .args(&[string("command"), string("arg").optional().multiple()]),
    doc(
        "command|getkeysandflags",
        "7.0.0",
        "O(N), N: the arguments",
        "Finds the keys in a command with its arguments, and how each is accessed.",
    )
    .args(&[string("command"), string("arg").optional().multiple()]),
    doc("command|help", "5.0.0", "O(1)", "Lists the subcommands."),
    doc("command|info", "2.8.13", "O(N), N: the commands asked for", "Describes the given commands, or all.")
        .args(&[string("command-name").optional().multiple()]),
    doc("command|list", "7.0.0", "O(N), N: all commands", "Lists the names of commands.").args(&[one_of(
        "filterby",
        &[
            string("module-name").token("MODULE"),
            string("category").token("ACLCAT"),
            pattern("pattern").token("PATTERN"),
        ],
    )
    .token("FILTERBY")
    .optional()]),
    doc("config", "2.0.0", "By subcommand.", "Groups the commands about the configuration."),
    doc("config|get", "2.0.0", "O(N), N: the patterns", "Reads the directives that match the patterns.")
        .args(&[string("parameter").multiple()]),
    doc("config|help", "5.0.0", "O(1)", "Lists the subcommands."),
    doc("config|resetstat", "2.0.0", "O(1)", "Sets the counters of INFO to zero."),
    doc("config|rewrite", "2.8.0", "O(1)", "Writes the configuration in force to its file."),
    doc("config|set", "2.0.0", "O(N), N: the directives", "Changes directives while the server runs.")
        .args(&[block("data", &[string("parameter"), string("value")]).multiple()]),
    doc("dbsize", "1.0.0", "O(1)", "Counts the keys of the database."),
    doc("debug", "1.0.0", "By subcommand.", "Groups commands for tests and inquiries.").system(),
    doc("flushall", "1.0.0", "O(N), N: all keys", "Deletes the keys of all databases.").args(&[one_of(
        "flush-type",
        &[word("async", "ASYNC").since("4.0.0"), word("sync", "SYNC").since("6.2.0")],
    )
    .optional()]),
    doc("flushdb", "1.0.0", "O(N), N: the keys of the database", "Deletes the keys of the database.").args(
        &[one_of(
            "flush-type",
            &[word("async", "ASYNC").since("4.0.0"), word("sync", "SYNC").since("6.2.0")],
        )
        .optional()],
    ),
    doc("info", "1.0.0", "O(1)", "Tells facts and counters of the server.")
        .args(&[string("section").optional().multiple()]),
    doc("memory", "4.0.0", "Depends on the subcommand.", "Tells about the use of memory."),
    doc("memory|help", "4.0.0", "O(1)", "Lists the subcommands."),
    doc("memory|usage", "4.0.0", "O(1)", "Estimates the bytes that a key and its value take.")
        .args(&[key("key", 0), integer("count").token("SAMPLES").optional()]),
    doc(
        "restore-asking",
        "3.0.0",
        "O(N), N: the size of the value",
        "Creates a key from what DUMP answered, in a slot that is being imported.",
    )
    .args(&[
        key("key", 0),
        integer("ttl"),
        string("serialized-value"),
        word("replace", "REPLACE").since("3.0.0").optional(),
        word("absttl", "ABSTTL").since("5.0.0").optional(),
        integer("seconds").token("IDLETIME").since("5.0.0").optional(),
        integer("frequency").token("FREQ").since("5.0.0").optional(),
    ])
    .system(),
    doc(
        "shutdown",
        "1.0.0",
        "O(N), N: all keys, when saving; otherwise O(1)",
        "Saves what has to be saved and stops the server.",
    )
    .args(&[
        one_of("save-selector", &[word("nosave", "NOSAVE"), word("save", "SAVE")]).optional(),
        word("now", "NOW").since("7.0.0").optional(),
        word("force", "FORCE").since("7.0.0").optional(),
        word("abort", "ABORT").since("7.0.0").optional(),
    ]),
    doc(
        "swapdb",
        "4.0.0",
        "O(N), N: the clients that watch or wait for keys of the two",
        "Exchanges two databases.",
    )
    .args(&[integer("index1"), integer("index2")]),
    doc("time", "2.6.0", "O(1)", "Tells the time of the server."),
];
