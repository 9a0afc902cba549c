//! Cluster commands, in words. See `docs.rs`.

use super::*;

pub(super) const DOCS: &[Doc] = &[
    doc("asking", "3.0.0", "O(1)", "Lets the next command reach a slot that is being imported."),
    doc("cluster", "3.0.0", "By subcommand.", "Groups the commands about the cluster."),
    doc("cluster|addslots", "3.0.0", "O(N), N: the slots", "Takes slots that nobody owns.")
        .args(&[integer("slot").multiple()]),
    doc("cluster|addslotsrange", "7.0.0", "O(N), N: the slots", "Takes ranges of slots that nobody owns.")
        .args(&[block("range", &[integer("start-slot"), integer("end-slot")]).multiple()]),
    doc("cluster|bumpepoch", "3.0.0", "O(1)", "Raises the configuration epoch of this node."),
    doc(
        "cluster|count-failure-reports",
        "3.0.0",
        "O(N), N: the reports",
        "Counts the nodes that report a node as failing.",
    )
    .args(&[string("node-id")]),
    doc("cluster|countkeysinslot", "3.0.0", "O(1)", "Counts the keys of a slot.").args(&[integer("slot")]),
    doc(
        "cluster|delslots",
        "3.0.0",
        "O(N), N: the slots",
        "Makes this node regard slots as owned by nobody.",
    )
    .args(&[integer("slot").multiple()]),
    doc(
        "cluster|delslotsrange",
        "7.0.0",
        "O(N), N: the slots",
        "Makes this node regard ranges of slots as owned by nobody.",
    )
    .args(&[block("range", &[integer("start-slot"), integer("end-slot")]).multiple()]),
    doc("cluster|flushslots", "3.0.0", "O(1)", "Gives up all slots of this node."),
    doc("cluster|forget", "3.0.0", "O(1)", "Removes a node from the table of nodes.")
        .args(&[string("node-id")]),
    doc("cluster|getkeysinslot", "3.0.0", "O(N), N: the keys asked for", "Lists keys of a slot.")
        .args(&[integer("slot"), integer("count")]),
    doc("cluster|help", "5.0.0", "O(1)", "Lists the subcommands."),
    doc("cluster|info", "3.0.0", "O(1)", "Tells the state of the cluster as this node sees it."),
    doc("cluster|keyslot", "3.0.0", "O(N), N: the bytes of the key", "Tells the slot of a key.")
        .args(&[string("key")]),
    doc("cluster|links", "7.0.0", "O(N), N: the nodes", "Describes the bus links to and from other nodes."),
    doc("cluster|meet", "3.0.0", "O(1)", "Joins this node with another.").args(&[
        string("ip"),
        integer("port"),
        integer("cluster-bus-port").since("4.0.0").optional(),
    ]),
    doc("cluster|myid", "3.0.0", "O(1)", "Tells the id of this node."),
    doc("cluster|myshardid", "7.2.0", "O(1)", "Tells the id of the shard of this node."),
    doc("cluster|nodes", "3.0.0", "O(N), N: the nodes", "Describes all nodes, a line each."),
    doc(
        "cluster|replicas",
        "5.0.0",
        "O(N), N: the replicas",
        "Describes the replicas of a primary, a line each.",
    )
    .args(&[string("node-id")]),
    doc("cluster|reset", "3.0.0", "O(N), N: the known nodes", "Makes this node forget the cluster.")
        .args(&[one_of("reset-type", &[word("hard", "HARD"), word("soft", "SOFT")]).optional()]),
    doc("cluster|saveconfig", "3.0.0", "O(1)", "Writes the cluster configuration file."),
    doc("cluster|set-config-epoch", "3.0.0", "O(1)", "Gives a new node its first configuration epoch.")
        .args(&[integer("config-epoch")]),
    doc("cluster|shards", "7.0.0", "O(N), N: the nodes", "Describes the shards: their slots and nodes."),
    doc(
        "cluster|slaves",
        "3.0.0",
        "O(N), N: the replicas",
        "Describes the replicas of a primary, a line each.",
    )
    .deprecated("5.0.0", "`CLUSTER REPLICAS`")
    .args(&[string("node-id")]),
    doc("cluster|slots", "3.0.0", "O(N), N: the nodes", "Tells which nodes serve which slots.")
        .deprecated("7.0.0", "`CLUSTER SHARDS`"),
    doc("readonly", "3.0.0", "O(1)", "Lets this connection read from a replica."),
    doc("readwrite", "3.0.0", "O(1)", "Ends what READONLY began."),
];
