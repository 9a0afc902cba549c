//! geo commands, in words. See `docs.rs`.

use super::*;

pub(super) const DOCS: &[Doc] = &[
    doc(
        "geoadd",
        "3.2.0",
        "O(log N) for each place, N: the places there are",
        "Adds places by their coordinates.",
    )
    .args(&[
        key("key", 0),
        one_of("condition", &[word("nx", "NX"), word("xx", "XX")]).since("6.2.0").optional(),
        word("change", "CH").since("6.2.0").optional(),
        block("data", &[double("longitude"), double("latitude"), string("member")]).multiple(),
    ]),
    doc("geodist", "3.2.0", "O(1)", "Answers the distance of two places.").args(&[
        key("key", 0),
        string("member1"),
        string("member2"),
        one_of("unit", &[word("m", "m"), word("km", "km"), word("ft", "ft"), word("mi", "mi")]).optional(),
    ]),
    doc("geohash", "3.2.0", "O(N), N: the places asked for", "Answers geohashes of places.")
        .args(&[key("key", 0), string("member").optional().multiple()]),
    doc("geopos", "3.2.0", "O(N), N: the places asked for", "Answers coordinates of places.")
        .args(&[key("key", 0), string("member").optional().multiple()]),
    doc(
        "georadius",
        "3.2.0",
        "O(N + log M), N: the places in the area, M: those around it",
        "Finds places within a distance of a point.",
    )
    .deprecated("6.2.0", "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument")
    .args(&[
        key("key", 0),
        double("longitude"),
        double("latitude"),
        double("radius"),
        one_of("unit", &[word("m", "m"), word("km", "km"), word("ft", "ft"), word("mi", "mi")]),
        word("withcoord", "WITHCOORD").optional(),
        word("withdist", "WITHDIST").optional(),
        word("withhash", "WITHHASH").optional(),
        block(
            "count-block",
            &[integer("count").token("COUNT"), word("any", "ANY").since("6.2.0").optional()],
        )
        .optional(),
        one_of("order", &[word("asc", "ASC"), word("desc", "DESC")]).optional(),
        one_of(
            "store",
            &[
                key("storekey", 1).token("STORE").shown_as("key"),
                key("storedistkey", 2).token("STOREDIST").shown_as("key"),
            ],
        )
        .optional(),
    ]),
    doc(
        "georadius_ro",
        "3.2.10",
        "O(N + log M), N: the places in the area, M: those around it",
        "Finds places within a distance of a point, without storing them.",
    )
    .deprecated("6.2.0", "`GEOSEARCH` with the `BYRADIUS` argument")
    .args(&[
        key("key", 0),
        double("longitude"),
        double("latitude"),
        double("radius"),
        one_of("unit", &[word("m", "m"), word("km", "km"), word("ft", "ft"), word("mi", "mi")]),
        word("withcoord", "WITHCOORD").optional(),
        word("withdist", "WITHDIST").optional(),
        word("withhash", "WITHHASH").optional(),
        block(
            "count-block",
            &[integer("count").token("COUNT"), word("any", "ANY").since("6.2.0").optional()],
        )
        .optional(),
        one_of("order", &[word("asc", "ASC"), word("desc", "DESC")]).optional(),
    ]),
    doc(
        "georadiusbymember",
        "3.2.0",
        "O(N + log M), N: the places in the area, M: those around it",
        "Finds places within a distance of another one.",
    )
    .deprecated("6.2.0", "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments")
    .args(&[
        key("key", 0),
        string("member"),
        double("radius"),
        one_of("unit", &[word("m", "m"), word("km", "km"), word("ft", "ft"), word("mi", "mi")]),
        word("withcoord", "WITHCOORD").optional(),
        word("withdist", "WITHDIST").optional(),
        word("withhash", "WITHHASH").optional(),
        block("count-block", &[integer("count").token("COUNT"), word("any", "ANY").optional()]).optional(),
        one_of("order", &[word("asc", "ASC"), word("desc", "DESC")]).optional(),
        one_of(
            "store",
            &[
                key("storekey", 1).token("STORE").shown_as("key"),
                key("storedistkey", 2).token("STOREDIST").shown_as("key"),
            ],
        )
        .optional(),
    ]),
    doc(
        "georadiusbymember_ro",
        "3.2.10",
        "O(N + log M), N: the places in the area, M: those around it",
        "Finds places within a distance of another one, without storing them.",
    )
    .deprecated("6.2.0", "`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments")
    .args(&[
        key("key", 0),
        string("member"),
        double("radius"),
        one_of("unit", &[word("m", "m"), word("km", "km"), word("ft", "ft"), word("mi", "mi")]),
        word("withcoord", "WITHCOORD").optional(),
        word("withdist", "WITHDIST").optional(),
        word("withhash", "WITHHASH").optional(),
        block("count-block", &[integer("count").token("COUNT"), word("any", "ANY").optional()]).optional(),
        one_of("order", &[word("asc", "ASC"), word("desc", "DESC")]).optional(),
    ]),
    doc(
        "geosearch",
        "6.2.0",
        "O(N + log M), N: the places in the area, M: those around it",
        "Finds places in a circle or a box.",
    )
    .args(&[
        key("key", 0),
        one_of(
            "from",
            &[
                string("member").token("FROMMEMBER"),
                block("fromlonlat", &[double("longitude"), double("latitude")]).token("FROMLONLAT"),
            ],
        ),
        one_of(
            "by",
            &[
                block(
                    "circle",
                    &[
                        double("radius").token("BYRADIUS"),
                        one_of(
                            "unit",
                            &[word("m", "m"), word("km", "km"), word("ft", "ft"), word("mi", "mi")],
                        ),
                    ],
                ),
                block(
                    "box",
                    &[
                        double("width").token("BYBOX"),
                        double("height"),
                        one_of(
                            "unit",
                            &[word("m", "m"), word("km", "km"), word("ft", "ft"), word("mi", "mi")],
                        ),
                    ],
                ),
            ],
        ),
        one_of("order", &[word("asc", "ASC"), word("desc", "DESC")]).optional(),
        block("count-block", &[integer("count").token("COUNT"), word("any", "ANY").optional()]).optional(),
        word("withcoord", "WITHCOORD").optional(),
        word("withdist", "WITHDIST").optional(),
        word("withhash", "WITHHASH").optional(),
    ]),
    doc(
        "geosearchstore",
        "6.2.0",
        "O(N + log M), N: the places in the area, M: those around it",
        "Stores the places found in a circle or a box.",
    )
    .args(&[
        key("destination", 0),
        key("source", 1),
        one_of(
            "from",
            &[
                string("member").token("FROMMEMBER"),
                block("fromlonlat", &[double("longitude"), double("latitude")]).token("FROMLONLAT"),
            ],
        ),
        one_of(
            "by",
            &[
                block(
                    "circle",
                    &[
                        double("radius").token("BYRADIUS"),
                        one_of(
                            "unit",
                            &[word("m", "m"), word("km", "km"), word("ft", "ft"), word("mi", "mi")],
                        ),
                    ],
                ),
                block(
                    "box",
                    &[
                        double("width").token("BYBOX"),
                        double("height"),
                        one_of(
                            "unit",
                            &[word("m", "m"), word("km", "km"), word("ft", "ft"), word("mi", "mi")],
                        ),
                    ],
                ),
            ],
        ),
        one_of("order", &[word("asc", "ASC"), word("desc", "DESC")]).optional(),
        block("count-block", &[integer("count").token("COUNT"), word("any", "ANY").optional()]).optional(),
        word("storedist", "STOREDIST").optional(),
    ]),
];
