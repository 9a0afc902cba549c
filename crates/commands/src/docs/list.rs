//! list commands, in words. See `docs.rs`.

use super::*;

pub(super) const DOCS: &[Doc] = &[
    doc("blmove", "6.2.0", "O(1)", "Moves an element from one list to another, waiting until there is one.")
        .args(&[
            key("source", 0),
            key("destination", 1),
            one_of("wherefrom", &[word("left", "LEFT"), word("right", "RIGHT")]),
            one_of("whereto", &[word("left", "LEFT"), word("right", "RIGHT")]),
            double("timeout"),
        ]),
    doc(
        "blmpop",
        "7.0.0",
        "O(N+M), N: the keys, M: the elements taken",
        "Takes elements from the first list that has any, waiting until one has.",
    )
    .args(&[
        double("timeout"),
        integer("numkeys"),
        key("key", 0).multiple(),
        one_of("where", &[word("left", "LEFT"), word("right", "RIGHT")]),
        integer("count").token("COUNT").optional(),
    ]),
    doc(
        "blpop",
        "2.0.0",
        "O(N), N: the keys",
        "Takes the first element of the first list that has any, waiting until one has.",
    )
    .args(&[key("key", 0).multiple(), double("timeout")]),
    doc(
        "brpop",
        "2.0.0",
        "O(N), N: the keys",
        "Takes the last element of the first list that has any, waiting until one has.",
    )
    .args(&[key("key", 0).multiple(), double("timeout")]),
    doc(
        "brpoplpush",
        "2.2.0",
        "O(1)",
        "Moves the last element of a list to the front of another, waiting until there is one.",
    )
    .deprecated("6.2.0", "`BLMOVE` with the `RIGHT` and `LEFT` arguments")
    .args(&[key("source", 0), key("destination", 1), double("timeout")]),
    doc("lindex", "1.0.0", "O(log N), N: the elements", "Answers the element at an index of a list.")
        .args(&[key("key", 0), integer("index")]),
    doc(
        "linsert",
        "2.2.0",
        "O(N), N: the elements up to the pivot",
        "Inserts an element beside another one of a list.",
    )
    .args(&[
        key("key", 0),
        one_of("where", &[word("before", "BEFORE"), word("after", "AFTER")]),
        string("pivot"),
        string("element"),
    ]),
    doc("llen", "1.0.0", "O(1)", "Counts the elements of a list.").args(&[key("key", 0)]),
    doc("lmove", "6.2.0", "O(1)", "Moves an element from one list to another.").args(&[
        key("source", 0),
        key("destination", 1),
        one_of("wherefrom", &[word("left", "LEFT"), word("right", "RIGHT")]),
        one_of("whereto", &[word("left", "LEFT"), word("right", "RIGHT")]),
    ]),
    doc(
        "lmpop",
        "7.0.0",
        "O(N+M), N: the keys, M: the elements taken",
        "Takes elements from the first list that has any.",
    )
    .args(&[
        integer("numkeys"),
        key("key", 0).multiple(),
        one_of("where", &[word("left", "LEFT"), word("right", "RIGHT")]),
        integer("count").token("COUNT").optional(),
    ]),
    doc("lpop", "1.0.0", "O(N), N: the elements taken", "Takes elements from the front of a list.")
        .args(&[key("key", 0), integer("count").since("6.2.0").optional()]),
    doc("lpos", "6.0.6", "O(N), N: the elements looked at", "Finds where in a list an element stands.").args(
        &[
            key("key", 0),
            string("element"),
            integer("rank").token("RANK").optional(),
            integer("num-matches").token("COUNT").optional(),
            integer("len").token("MAXLEN").optional(),
        ],
    ),
    doc(
        "lpush",
        "1.0.0",
        "O(N), N: the elements given",
        "Puts elements in front of a list, creating it if need be.",
    )
    .args(&[key("key", 0), string("element").multiple()]),
    doc("lpushx", "2.2.0", "O(N), N: the elements given", "Puts elements in front of a list that exists.")
        .args(&[key("key", 0), string("element").multiple()]),
    doc(
        "lrange",
        "1.0.0",
        "O(log N + M), N: the elements, M: the elements answered",
        "Answers a range of a list.",
    )
    .args(&[key("key", 0), integer("start"), integer("stop")]),
    doc("lrem", "1.0.0", "O(N), N: the elements", "Removes elements that equal the one given.").args(&[
        key("key", 0),
        integer("count"),
        string("element"),
    ]),
    doc("lset", "1.0.0", "O(log N), N: the elements", "Replaces the element at an index of a list.").args(&[
        key("key", 0),
        integer("index"),
        string("element"),
    ]),
    doc("ltrim", "1.0.0", "O(N), N: the elements removed", "Removes all elements but those of a range.")
        .args(&[key("key", 0), integer("start"), integer("stop")]),
    doc("rpop", "1.0.0", "O(N), N: the elements taken", "Takes elements from the end of a list.")
        .args(&[key("key", 0), integer("count").since("6.2.0").optional()]),
    doc("rpoplpush", "1.2.0", "O(1)", "Moves the last element of a list to the front of another.")
        .deprecated("6.2.0", "`LMOVE` with the `RIGHT` and `LEFT` arguments")
        .args(&[key("source", 0), key("destination", 1)]),
    doc(
        "rpush",
        "1.0.0",
        "O(N), N: the elements given",
        "Puts elements at the end of a list, creating it if need be.",
    )
    .args(&[key("key", 0), string("element").multiple()]),
    doc("rpushx", "2.2.0", "O(N), N: the elements given", "Puts elements at the end of a list that exists.")
        .args(&[key("key", 0), string("element").multiple()]),
];
