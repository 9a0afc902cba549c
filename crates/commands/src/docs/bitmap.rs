//! Bitmap commands, in words. See `docs.rs`.

use super::*;

/// The ends of a range, as BITCOUNT and BITPOS take them.
const UNIT: Argument = one_of("unit", &[word("byte", "BYTE"), word("bit", "BIT")]).since("7.0.0").optional();

pub(super) const DOCS: &[Doc] = &[
    doc("bitcount", "2.6.0", "O(N), N: the bytes counted", "Counts the bits that are set in a string.")
        .args(&[key("key", 0), block("range", &[integer("start"), integer("end"), UNIT]).optional()]),
    doc(
        "bitfield",
        "3.2.0",
        "O(N), N: the steps given",
        "Reads, sets and raises integers of any width anywhere in a string.",
    )
    .args(&[
        key("key", 0),
        one_of(
            "operation",
            &[
                block("get-block", &[string("encoding"), integer("offset")]).token("GET"),
                block(
                    "write",
                    &[
                        one_of(
                            "overflow-block",
                            &[word("wrap", "WRAP"), word("sat", "SAT"), word("fail", "FAIL")],
                        )
                        .token("OVERFLOW")
                        .optional(),
                        one_of(
                            "write-operation",
                            &[
                                block(
                                    "set-block",
                                    &[string("encoding"), integer("offset"), integer("value")],
                                )
                                .token("SET"),
                                block(
                                    "incrby-block",
                                    &[string("encoding"), integer("offset"), integer("increment")],
                                )
                                .token("INCRBY"),
                            ],
                        ),
                    ],
                ),
            ],
        )
        .multiple()
        .optional(),
    ]),
    doc(
        "bitfield_ro",
        "6.0.0",
        "O(N), N: the steps given",
        "Reads integers of any width anywhere in a string.",
    )
    .args(&[
        key("key", 0),
        block("get-block", &[string("encoding"), integer("offset")])
            .token("GET")
            .multiple()
            .multiple_token()
            .optional(),
    ]),
    doc(
        "bitop",
        "2.6.0",
        "O(N), N: the bytes of all strings",
        "Combines the bits of several strings and stores the result.",
    )
    .args(&[
        one_of("operation", &[word("and", "AND"), word("or", "OR"), word("xor", "XOR"), word("not", "NOT")]),
        key("destkey", 0),
        key("key", 1).multiple(),
    ]),
    doc("bitpos", "2.8.7", "O(N), N: the bytes searched", "Finds the first bit that is set, or clear.").args(
        &[
            key("key", 0),
            integer("bit"),
            block("range", &[integer("start"), block("end-unit-block", &[integer("end"), UNIT]).optional()])
                .optional(),
        ],
    ),
    doc("getbit", "2.2.0", "O(1)", "Reads a bit of a string.").args(&[key("key", 0), integer("offset")]),
    doc("setbit", "2.2.0", "O(1)", "Writes a bit of a string and answers the one that was there.").args(&[
        key("key", 0),
        integer("offset"),
        integer("value"),
    ]),
];
