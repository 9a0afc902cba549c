//! Sorted set commands, in words. See `docs.rs`.

use super::*;

pub(super) const DOCS: &[Doc] = &[
    doc(
        "bzmpop",
        "7.0.0",
        "O(K + M*log N), K: the keys, M: the members taken, N: the members there are",
        "Takes members with the lowest or highest scores from the first sorted set that has any, \
         waiting until one has.",
    )
    .args(&[
        double("timeout"),
        integer("numkeys"),
        key("key", 0).multiple(),
        one_of("where", &[word("min", "MIN"), word("max", "MAX")]),
        integer("count").token("COUNT").optional(),
    ]),
    doc(
        "bzpopmax",
        "5.0.0",
        "O(log N), N: the members",
        "Takes the member with the highest score from the first sorted set that has any, waiting \
         until one has.",
    )
    .args(&[key("key", 0).multiple(), double("timeout")]),
    doc(
        "bzpopmin",
        "5.0.0",
        "O(log N), N: the members",
        "Takes the member with the lowest score from the first sorted set that has any, waiting \
         until one has.",
    )
    .args(&[key("key", 0).multiple(), double("timeout")]),
    doc(
        "zadd",
        "1.2.0",
        "O(log N) for each member, N: the members there are",
        "Adds members with their scores, or changes scores.",
    )
    .args(&[
        key("key", 0),
        one_of("condition", &[word("nx", "NX"), word("xx", "XX")]).since("3.0.2").optional(),
        one_of("comparison", &[word("gt", "GT"), word("lt", "LT")]).since("6.2.0").optional(),
        word("change", "CH").since("3.0.2").optional(),
        word("increment", "INCR").since("3.0.2").optional(),
        block("data", &[double("score"), string("member")]).multiple(),
    ]),
    doc("zcard", "1.2.0", "O(1)", "Counts the members of a sorted set.").args(&[key("key", 0)]),
    doc("zcount", "2.0.0", "O(log N), N: the members", "Counts the members with scores in a range.").args(&[
        key("key", 0),
        double("min"),
        double("max"),
    ]),
    doc(
        "zdiff",
        "6.2.0",
        "O(L + (N-K)*log N), L: all members, N: those of the first set, K: the result",
        "Answers what is in the first sorted set and in none of the others.",
    )
    .args(&[integer("numkeys"), key("key", 0).multiple(), word("withscores", "WITHSCORES").optional()]),
    doc(
        "zdiffstore",
        "6.2.0",
        "O(L + (N-K)*log N), L: all members, N: those of the first set, K: the result",
        "Stores what is in the first sorted set and in none of the others.",
    )
    .args(&[key("destination", 0), integer("numkeys"), key("key", 1).multiple()]),
    doc(
        "zincrby",
        "1.2.0",
        "O(log N), N: the members",
        "Raises the score of a member; an absent one counts as zero.",
    )
    .args(&[key("key", 0), integer("increment"), string("member")]),
    doc(
        "zinter",
        "6.2.0",
        "O(N*K + M*log M), N: the members of the smallest set, K: the sets, M: the result",
        "Answers what all sorted sets have in common, with combined scores.",
    )
    .args(&[
        integer("numkeys"),
        key("key", 0).multiple(),
        integer("weight").token("WEIGHTS").optional().multiple(),
        one_of("aggregate", &[word("sum", "SUM"), word("min", "MIN"), word("max", "MAX")])
            .token("AGGREGATE")
            .optional(),
        word("withscores", "WITHSCORES").optional(),
    ]),
    doc(
        "zintercard",
        "7.0.0",
        "O(N*K), N: the members of the smallest set, K: the sets",
        "Counts what all sorted sets have in common.",
    )
    .args(&[integer("numkeys"), key("key", 0).multiple(), integer("limit").token("LIMIT").optional()]),
    doc(
        "zinterstore",
        "2.0.0",
        "O(N*K + M*log M), N: the members of the smallest set, K: the sets, M: the result",
        "Stores what all sorted sets have in common, with combined scores.",
    )
    .args(&[
        key("destination", 0),
        integer("numkeys"),
        key("key", 1).multiple(),
        integer("weight").token("WEIGHTS").optional().multiple(),
        one_of("aggregate", &[word("sum", "SUM"), word("min", "MIN"), word("max", "MAX")])
            .token("AGGREGATE")
            .optional(),
    ]),
    doc(
        "zlexcount",
        "2.8.9",
        "O(log N), N: the members",
        "Counts the members in a range of names, all scores being equal.",
    )
    .args(&[key("key", 0), string("min"), string("max")]),
    doc(
        "zmpop",
        "7.0.0",
        "O(K + M*log N), K: the keys, M: the members taken, N: the members there are",
        "Takes members with the lowest or highest scores from the first sorted set that has any.",
    )
    .args(&[
        integer("numkeys"),
        key("key", 0).multiple(),
        one_of("where", &[word("min", "MIN"), word("max", "MAX")]),
        integer("count").token("COUNT").optional(),
    ]),
    doc("zmscore", "6.2.0", "O(N), N: the members asked for", "Answers the scores of several members.")
        .args(&[key("key", 0), string("member").multiple()]),
    doc(
        "zpopmax",
        "5.0.0",
        "O(M*log N), M: the members taken, N: the members there are",
        "Takes the members with the highest scores.",
    )
    .args(&[key("key", 0), integer("count").optional()]),
    doc(
        "zpopmin",
        "5.0.0",
        "O(M*log N), M: the members taken, N: the members there are",
        "Takes the members with the lowest scores.",
    )
    .args(&[key("key", 0), integer("count").optional()]),
    doc("zrandmember", "6.2.0", "O(N), N: the members answered", "Answers random members of a sorted set.")
        .args(&[
            key("key", 0),
            block("options", &[integer("count"), word("withscores", "WITHSCORES").optional()]).optional(),
        ]),
    doc(
        "zrange",
        "1.2.0",
        "O(log N + M), N: the members, M: the members answered",
        "Answers a range of a sorted set by rank, score or name.",
    )
    .args(&[
        key("key", 0),
        string("start"),
        string("stop"),
        one_of("sortby", &[word("byscore", "BYSCORE"), word("bylex", "BYLEX")]).since("6.2.0").optional(),
        word("rev", "REV").since("6.2.0").optional(),
        block("limit", &[integer("offset"), integer("count")]).token("LIMIT").since("6.2.0").optional(),
        word("withscores", "WITHSCORES").optional(),
    ]),
    doc(
        "zrangebylex",
        "2.8.9",
        "O(log N + M), N: the members, M: the members answered",
        "Answers the members in a range of names, all scores being equal.",
    )
    .deprecated("6.2.0", "`ZRANGE` with the `BYLEX` argument")
    .args(&[
        key("key", 0),
        string("min"),
        string("max"),
        block("limit", &[integer("offset"), integer("count")]).token("LIMIT").optional(),
    ]),
    doc(
        "zrangebyscore",
        "1.0.5",
        "O(log N + M), N: the members, M: the members answered",
        "Answers the members with scores in a range.",
    )
    .deprecated("6.2.0", "`ZRANGE` with the `BYSCORE` argument")
    .args(&[
        key("key", 0),
        double("min"),
        double("max"),
        word("withscores", "WITHSCORES").since("2.0.0").optional(),
        block("limit", &[integer("offset"), integer("count")]).token("LIMIT").optional(),
    ]),
    doc(
        "zrangestore",
        "6.2.0",
        "O(log N + M), N: the members, M: the members stored",
        "Stores a range of a sorted set.",
    )
    .args(&[
        key("dst", 0),
        key("src", 1),
        string("min"),
        string("max"),
        one_of("sortby", &[word("byscore", "BYSCORE"), word("bylex", "BYLEX")]).optional(),
        word("rev", "REV").optional(),
        block("limit", &[integer("offset"), integer("count")]).token("LIMIT").optional(),
    ]),
    doc(
        "zrank",
        "2.0.0",
        "O(log N), N: the members",
        "Answers the rank of a member, counted from the lowest score.",
    )
    .args(&[key("key", 0), string("member"), word("withscore", "WITHSCORE").optional()]),
    doc(
        "zrem",
        "1.2.0",
        "O(M*log N), M: the members given, N: the members there are",
        "Removes members from a sorted set.",
    )
    .args(&[key("key", 0), string("member").multiple()]),
    doc(
        "zremrangebylex",
        "2.8.9",
        "O(log N + M), N: the members, M: the members removed",
        "Removes the members in a range of names, all scores being equal.",
    )
    .args(&[key("key", 0), string("min"), string("max")]),
    doc(
        "zremrangebyrank",
        "2.0.0",
        "O(log N + M), N: the members, M: the members removed",
        "Removes the members in a range of ranks.",
    )
    .args(&[key("key", 0), integer("start"), integer("stop")]),
    doc(
        "zremrangebyscore",
        "1.2.0",
        "O(log N + M), N: the members, M: the members removed",
        "Removes the members with scores in a range.",
    )
    .args(&[key("key", 0), double("min"), double("max")]),
    doc(
        "zrevrange",
        "1.2.0",
        "O(log N + M), N: the members, M: the members answered",
        "Answers a range of a sorted set by rank, from the highest score down.",
    )
    .deprecated("6.2.0", "`ZRANGE` with the `REV` argument")
    .args(&[
        key("key", 0),
        integer("start"),
        integer("stop"),
        word("withscores", "WITHSCORES").optional(),
    ]),
    doc(
        "zrevrangebylex",
        "2.8.9",
        "O(log N + M), N: the members, M: the members answered",
        "Answers the members in a range of names, the last first.",
    )
    .deprecated("6.2.0", "`ZRANGE` with the `REV` and `BYLEX` arguments")
    .args(&[
        key("key", 0),
        string("max"),
        string("min"),
        block("limit", &[integer("offset"), integer("count")]).token("LIMIT").optional(),
    ]),
    doc(
        "zrevrangebyscore",
        "2.2.0",
        "O(log N + M), N: the members, M: the members answered",
        "Answers the members with scores in a range, from the highest down.",
    )
    .deprecated("6.2.0", "`ZRANGE` with the `REV` and `BYSCORE` arguments")
    .args(&[
        key("key", 0),
        double("max"),
        double("min"),
        word("withscores", "WITHSCORES").optional(),
        block("limit", &[integer("offset"), integer("count")]).token("LIMIT").optional(),
    ]),
    doc(
        "zrevrank",
        "2.0.0",
        "O(log N), N: the members",
        "Answers the rank of a member, counted from the highest score.",
    )
    .args(&[key("key", 0), string("member"), word("withscore", "WITHSCORE").optional()]),
    doc(
        "zscan",
        "2.8.0",
        "O(1) for a call, O(N) for a whole iteration",
        "Goes through the members of a sorted set step by step.",
    )
    .args(&[
        key("key", 0),
        integer("cursor"),
        pattern("pattern").token("MATCH").optional(),
        integer("count").token("COUNT").optional(),
    ]),
    doc("zscore", "1.2.0", "O(1)", "Answers the score of a member.").args(&[key("key", 0), string("member")]),
    doc(
        "zunion",
        "6.2.0",
        "O(N + M*log M), N: the members of all sets, M: the result",
        "Answers what is in any of the sorted sets, with combined scores.",
    )
    .args(&[
        integer("numkeys"),
        key("key", 0).multiple(),
        integer("weight").token("WEIGHTS").optional().multiple(),
        one_of("aggregate", &[word("sum", "SUM"), word("min", "MIN"), word("max", "MAX")])
            .token("AGGREGATE")
            .optional(),
        word("withscores", "WITHSCORES").optional(),
    ]),
    doc(
        "zunionstore",
        "2.0.0",
        "O(N + M*log M), N: the members of all sets, M: the result",
        "Stores what is in any of the sorted sets, with combined scores.",
    )
    .args(&[
        key("destination", 0),
        integer("numkeys"),
        key("key", 1).multiple(),
        integer("weight").token("WEIGHTS").optional().multiple(),
        one_of("aggregate", &[word("sum", "SUM"), word("min", "MIN"), word("max", "MAX")])
            .token("AGGREGATE")
            .optional(),
    ]),
];
