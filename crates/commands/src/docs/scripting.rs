//! scripting commands, in words. See `docs.rs`.

use super::*;

pub(super) const DOCS: &[Doc] =
    &[
        doc("function", "7.0.0", "Depends on the subcommand.", "Manages libraries of functions."),
        doc("function|flush", "7.0.0", "O(N), N: the functions", "Removes all libraries of functions.")
            .args(&[one_of("flush-type", &[word("async", "ASYNC"), word("sync", "SYNC")]).optional()]),
        doc("function|help", "7.0.0", "O(1)", "Lists the subcommands."),
        doc("script", "2.6.0", "Depends on the subcommand.", "Manages the cache of scripts."),
        doc("script|flush", "2.6.0", "O(N), N: the scripts", "Empties the cache of scripts.").args(&[
            one_of("flush-type", &[word("async", "ASYNC"), word("sync", "SYNC")]).since("6.2.0").optional(),
        ]),
        doc("script|help", "5.0.0", "O(1)", "Lists the subcommands."),
    ];
