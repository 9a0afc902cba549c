//! CLUSTER: what operators and clients ask of the cluster.
//!
//! The cluster's state is on the control plane, so most subcommands run there ([`Run::Cluster`]); those
//! about keys of a slot run on the core that has the slot. The `cluster` crate decides and describes;
//! here arguments are read and replies worded.
//!
//! 1. Without `cluster-enabled` every subcommand is refused in the same way, after its arity. There is no
//!    cluster to run on then, so `node` refuses those of [`Run::Cluster`] before they travel; the others
//!    do it themselves.
//! 2. The reply of a verb leaves when what it changed is in nodes.conf, and when every core routes by it
//!    (rule R3).
//!
//! Not built: FAILOVER, REPLICATE and SETSLOT.

use crate::exec::ClusterExec;
use crate::table::{Command, Flags, Run};
use crate::{CommandError, Exec};
use cluster::{ClusterError, NodeView, ShardNodeView};
use resp::{parse_integer, Args, Reply};
use slot::{Slot, SlotRange, SlotSet};

type Result<T = ()> = std::result::Result<T, CommandError>;

const ASKS: &[Flags] = &[Flags::STALE];
const QUIET: &[Flags] = &[Flags::LOADING, Flags::STALE];
const ADMIN: &[Flags] = &[Flags::ADMIN, Flags::STALE];
const CHANGES: &[Flags] = &[Flags::NO_ASYNC_LOADING, Flags::ADMIN, Flags::STALE];
const RESETS: &[Flags] = &[Flags::ADMIN, Flags::STALE, Flags::NOSCRIPT];
const VARIES: &[&str] = &["nondeterministic_output"];

type Verb = fn(&mut ClusterExec<'_>, Args<'_>, &mut Reply) -> Result;

const fn verb(name: &'static str, run: Verb) -> Command {
    Command::running(name, Run::Cluster(run))
}

const fn here(name: &'static str, run: crate::table::Handler) -> Command {
    Command::running(name, Run::Here(run))
}

const fn in_slot(name: &'static str, run: crate::table::Handler) -> Command {
    Command::running(name, Run::Slot(slot_argument, run))
}

/// CLUSTER.
pub const TABLE: &[Command] = &[Command::container(
    "cluster",
    &[
        verb("cluster|addslots", addslots).arity(-3).flags(CHANGES),
        verb("cluster|addslotsrange", addslotsrange).arity(-4).flags(CHANGES),
        verb("cluster|bumpepoch", bumpepoch).arity(2).flags(CHANGES).tips(VARIES),
        verb("cluster|count-failure-reports", count_failure_reports).arity(3).flags(ADMIN).tips(VARIES),
        in_slot("cluster|countkeysinslot", countkeysinslot).arity(3).flags(ASKS),
        verb("cluster|delslots", delslots).arity(-3).flags(CHANGES),
        verb("cluster|delslotsrange", delslotsrange).arity(-4).flags(CHANGES),
        verb("cluster|flushslots", flushslots).arity(2).flags(CHANGES),
        verb("cluster|forget", forget).arity(3).flags(CHANGES),
        in_slot("cluster|getkeysinslot", getkeysinslot).arity(4).flags(ASKS).tips(VARIES),
        here("cluster|help", help).arity(2).flags(QUIET),
        verb("cluster|info", info).arity(2).flags(ASKS).tips(VARIES),
        here("cluster|keyslot", keyslot).arity(3).flags(ASKS),
        verb("cluster|links", links).arity(2).flags(ASKS).tips(VARIES),
        verb("cluster|meet", meet).arity(-4).flags(CHANGES),
        verb("cluster|myid", myid).arity(2).flags(ASKS),
        verb("cluster|myshardid", myshardid).arity(2).flags(ASKS).tips(VARIES),
        verb("cluster|nodes", nodes).arity(2).flags(ASKS).tips(VARIES),
        verb("cluster|replicas", replicas).arity(3).flags(ADMIN).tips(VARIES),
        verb("cluster|reset", reset).arity(-2).flags(RESETS),
        verb("cluster|saveconfig", saveconfig).arity(2).flags(CHANGES),
        verb("cluster|set-config-epoch", set_config_epoch).arity(3).flags(CHANGES),
        verb("cluster|shards", shards).arity(2).flags(QUIET).tips(VARIES),
        verb("cluster|slaves", replicas).arity(3).flags(ADMIN).tips(VARIES),
        verb("cluster|slots", slots).arity(2).flags(QUIET).tips(VARIES),
    ],
)];

// Slots of this node.

fn parse_slot(arg: &[u8]) -> Result<Slot> {
    let number = parse_integer(arg).and_then(|number| u16::try_from(number).ok());
    number.and_then(Slot::new).ok_or_else(CommandError::bad_slot)
}

fn parse_slots(args: Args<'_>) -> Result<Vec<Slot>> {
    args.from(2).iter().map(parse_slot).collect()
}

/// The ranges of the arguments. As in Redis they are judged one by one, so that what is wrong with an
/// earlier range is told before a later argument that is no slot.
fn parse_ranges(
    cx: &ClusterExec<'_>,
    args: Args<'_>,
    name: &'static str,
    adding: bool,
) -> Result<Vec<(Slot, Slot)>> {
    if !args.len().is_multiple_of(2) {
        return Err(CommandError::WrongArity(name));
    }
    let mut ranges = Vec::with_capacity(args.len() / 2 - 1);
    for at in (2..args.len()).step_by(2) {
        match (parse_slot(args.get(at)), parse_slot(args.get(at + 1))) {
            (Ok(first), Ok(last)) => ranges.push((first, last)),
            (Err(error), _) | (_, Err(error)) => {
                let earlier = first_conflict(cx, &ranges, adding);
                return Err(earlier.map_or(error, |earlier| CommandError::cluster(&earlier)));
            }
        }
    }
    Ok(ranges)
}

/// Why these ranges cannot be added or deleted, if they cannot: what the verb itself would say.
fn first_conflict(cx: &ClusterExec<'_>, ranges: &[(Slot, Slot)], adding: bool) -> Option<ClusterError> {
    let map = cx.cluster.routing_map();
    let mut named = SlotSet::new();
    for &(first, last) in ranges {
        let Some(range) = SlotRange::new(first, last) else {
            return Some(ClusterError::RangeReversed { first: first.get(), last: last.get() });
        };
        for slot in range.slots() {
            match (map.owner(slot).is_some(), adding) {
                (true, true) => return Some(ClusterError::SlotBusy(slot.get())),
                (false, false) => return Some(ClusterError::SlotUnassigned(slot.get())),
                _ if !named.insert(slot) => return Some(ClusterError::SlotRepeated(slot.get())),
                _ => {}
            }
        }
    }
    None
}

/// What a verb has changed must be routed by and saved before `+OK` leaves.
fn changed(
    cx: &mut ClusterExec<'_>,
    routing: std::result::Result<u64, ClusterError>,
    reply: &mut Reply,
) -> Result {
    let version = routing.map_err(|error| CommandError::cluster(&error))?;
    cx.after_routing = Some(version);
    cx.after_save = true;
    reply.ok();
    Ok(())
}

/// CLUSTER ADDSLOTS slot [slot ...]
fn addslots(cx: &mut ClusterExec<'_>, args: Args<'_>, reply: &mut Reply) -> Result {
    let slots = parse_slots(args)?;
    let routing = cx.cluster.add_slots(cx.now.unix_ms(), &slots);
    changed(cx, routing, reply)
}

/// CLUSTER ADDSLOTSRANGE start end [start end ...]
fn addslotsrange(cx: &mut ClusterExec<'_>, args: Args<'_>, reply: &mut Reply) -> Result {
    let ranges = parse_ranges(cx, args, "cluster|addslotsrange", true)?;
    let routing = cx.cluster.add_slots_ranges(cx.now.unix_ms(), &ranges);
    changed(cx, routing, reply)
}

/// CLUSTER DELSLOTS slot [slot ...]
fn delslots(cx: &mut ClusterExec<'_>, args: Args<'_>, reply: &mut Reply) -> Result {
    let slots = parse_slots(args)?;
    let routing = cx.cluster.del_slots(cx.now.unix_ms(), &slots);
    changed(cx, routing, reply)
}

/// CLUSTER DELSLOTSRANGE start end [start end ...]
fn delslotsrange(cx: &mut ClusterExec<'_>, args: Args<'_>, reply: &mut Reply) -> Result {
    let ranges = parse_ranges(cx, args, "cluster|delslotsrange", false)?;
    let routing = cx.cluster.del_slots_ranges(cx.now.unix_ms(), &ranges);
    changed(cx, routing, reply)
}

/// CLUSTER FLUSHSLOTS
fn flushslots(cx: &mut ClusterExec<'_>, _: Args<'_>, reply: &mut Reply) -> Result {
    let routing = cx.cluster.flush_slots(cx.now.unix_ms(), cx.keys > 0);
    changed(cx, routing, reply)
}

// Members.

/// CLUSTER MEET ip port [cluster-bus-port]
fn meet(cx: &mut ClusterExec<'_>, args: Args<'_>, reply: &mut Reply) -> Result {
    if args.len() > 5 {
        return Err(CommandError::unknown_or_arity("CLUSTER", args.get(1)));
    }
    let (ip, port) = (args.get(2), args.get(3));
    let port = parse_integer(port).ok_or_else(|| CommandError::bad_base_port(port))?;
    let bus_port = match args.try_get(4) {
        Some(port) => Some(parse_integer(port).ok_or_else(|| CommandError::bad_bus_port(port))?),
        None => None,
    };
    let met = cx.cluster.meet(cx.now.unix_ms(), ip, port, bus_port);
    met.map_err(|error| CommandError::cluster(&error))?;
    reply.ok();
    Ok(())
}

/// CLUSTER FORGET node-id
fn forget(cx: &mut ClusterExec<'_>, args: Args<'_>, reply: &mut Reply) -> Result {
    let routing = cx.cluster.forget(cx.now.unix_ms(), args.get(2));
    changed(cx, routing, reply)
}

/// CLUSTER RESET [HARD | SOFT]
fn reset(cx: &mut ClusterExec<'_>, args: Args<'_>, reply: &mut Reply) -> Result {
    let hard = match args.try_get(2) {
        _ if args.len() > 3 => return Err(CommandError::unknown_or_arity("CLUSTER", args.get(1))),
        None => false,
        Some(word) if word.eq_ignore_ascii_case(b"soft") => false,
        Some(word) if word.eq_ignore_ascii_case(b"hard") => true,
        Some(_) => return Err(CommandError::Syntax),
    };
    let routing = cx.cluster.reset(cx.now.unix_ms(), hard, cx.keys > 0);
    changed(cx, routing, reply)
}

/// CLUSTER BUMPEPOCH
fn bumpepoch(cx: &mut ClusterExec<'_>, _: Args<'_>, reply: &mut Reply) -> Result {
    let (bumped, epoch) = cx.cluster.bump_epoch(cx.now.unix_ms());
    cx.after_save = true;
    reply.simple(&format!("{} {epoch}", if bumped { "BUMPED" } else { "STILL" }));
    Ok(())
}

/// CLUSTER SET-CONFIG-EPOCH config-epoch
fn set_config_epoch(cx: &mut ClusterExec<'_>, args: Args<'_>, reply: &mut Reply) -> Result {
    let epoch = parse_integer(args.get(2)).ok_or(CommandError::NotInteger)?;
    let set = cx.cluster.set_config_epoch(cx.now.unix_ms(), epoch);
    set.map_err(|error| CommandError::cluster(&error))?;
    cx.after_save = true;
    reply.ok();
    Ok(())
}

/// CLUSTER SAVECONFIG. A save that fails ends the process, so there is no other reply.
fn saveconfig(cx: &mut ClusterExec<'_>, _: Args<'_>, reply: &mut Reply) -> Result {
    cx.cluster.save_config(cx.now.unix_ms());
    cx.after_save = true;
    reply.ok();
    Ok(())
}

// Views.

/// CLUSTER INFO
fn info(cx: &mut ClusterExec<'_>, _: Args<'_>, reply: &mut Reply) -> Result {
    reply.verbatim("txt", cx.cluster.info_text().as_bytes());
    Ok(())
}

/// CLUSTER NODES
fn nodes(cx: &mut ClusterExec<'_>, _: Args<'_>, reply: &mut Reply) -> Result {
    reply.verbatim("txt", cx.cluster.nodes_text().as_bytes());
    Ok(())
}

/// CLUSTER REPLICAS node-id, and by its older name CLUSTER SLAVES
fn replicas(cx: &mut ClusterExec<'_>, args: Args<'_>, reply: &mut Reply) -> Result {
    let lines = cx.cluster.replicas(args.get(2)).map_err(|error| CommandError::cluster(&error))?;
    reply.array(lines.len());
    for line in lines {
        reply.bulk(line.as_bytes());
    }
    Ok(())
}

/// CLUSTER COUNT-FAILURE-REPORTS node-id
fn count_failure_reports(cx: &mut ClusterExec<'_>, args: Args<'_>, reply: &mut Reply) -> Result {
    let count = cx.cluster.count_failure_reports(cx.now.unix_ms(), args.get(2));
    reply.integer(count.map_err(|error| CommandError::cluster(&error))? as i64);
    Ok(())
}

/// CLUSTER MYID
fn myid(cx: &mut ClusterExec<'_>, _: Args<'_>, reply: &mut Reply) -> Result {
    reply.bulk(cx.cluster.my_id().as_bytes());
    Ok(())
}

/// CLUSTER MYSHARDID
fn myshardid(cx: &mut ClusterExec<'_>, _: Args<'_>, reply: &mut Reply) -> Result {
    reply.bulk(cx.cluster.my_shard_id().as_bytes());
    Ok(())
}

/// CLUSTER SLOTS
fn slots(cx: &mut ClusterExec<'_>, _: Args<'_>, reply: &mut Reply) -> Result {
    let ranges = cx.cluster.slots();
    reply.array(ranges.len());
    for view in ranges {
        reply.array(2 + view.nodes.len());
        reply.integer(view.range.first.get().into());
        reply.integer(view.range.last.get().into());
        view.nodes.iter().for_each(|node| write_node(reply, node));
    }
    Ok(())
}

fn write_node(reply: &mut Reply, node: &NodeView) {
    reply.array(4);
    match &node.endpoint {
        Some(endpoint) => reply.bulk(endpoint.as_bytes()),
        None => reply.null(),
    }
    reply.integer(node.port.into());
    reply.bulk(node.id.as_bytes());
    reply.map(node.metadata.len());
    for (name, value) in &node.metadata {
        text_pair(reply, name, value);
    }
}

/// CLUSTER SHARDS
fn shards(cx: &mut ClusterExec<'_>, _: Args<'_>, reply: &mut Reply) -> Result {
    let shards = cx.cluster.shards();
    reply.array(shards.len());
    for shard in shards {
        reply.map(2);
        reply.bulk(b"slots");
        reply.array(shard.slots.len() * 2);
        for range in &shard.slots {
            reply.integer(range.first.get().into());
            reply.integer(range.last.get().into());
        }
        reply.bulk(b"nodes");
        reply.array(shard.nodes.len());
        shard.nodes.iter().for_each(|node| write_shard_node(reply, node));
    }
    Ok(())
}

fn write_shard_node(reply: &mut Reply, node: &ShardNodeView) {
    let pairs = reply.begin_map();
    let mut count = 6;
    text_pair(reply, "id", node.id.as_str());
    for (name, port) in [("port", node.port), ("tls-port", node.tls_port)] {
        if port != 0 {
            integer_pair(reply, name, port.into());
            count += 1;
        }
    }
    text_pair(reply, "ip", &node.ip);
    text_pair(reply, "endpoint", &node.endpoint);
    if !node.hostname.is_empty() {
        text_pair(reply, "hostname", &node.hostname);
        count += 1;
    }
    text_pair(reply, "role", if node.is_replica { "replica" } else { "master" });
    integer_pair(reply, "replication-offset", node.offset as i64);
    text_pair(reply, "health", node.health.as_str());
    reply.end_map(pairs, count);
}

/// CLUSTER LINKS
fn links(cx: &mut ClusterExec<'_>, _: Args<'_>, reply: &mut Reply) -> Result {
    let links = cx.cluster.links();
    reply.array(links.len());
    for link in links {
        reply.map(6);
        text_pair(reply, "direction", link.direction.as_str());
        text_pair(reply, "node", link.node.as_str());
        integer_pair(reply, "create-time", link.created_ms as i64);
        text_pair(reply, "events", link.events);
        // What is queued is what is allotted: there is no other buffer.
        integer_pair(reply, "send-buffer-allocated", link.send_buffer_bytes as i64);
        integer_pair(reply, "send-buffer-used", link.send_buffer_bytes as i64);
    }
    Ok(())
}

fn text_pair(reply: &mut Reply, name: &str, value: &str) {
    reply.bulk(name.as_bytes());
    reply.bulk(value.as_bytes());
}

fn integer_pair(reply: &mut Reply, name: &str, value: i64) {
    reply.bulk(name.as_bytes());
    reply.integer(value);
}

// Keys.

fn in_cluster(cx: &Exec<'_>) -> Result {
    if cx.config.cluster_enabled() {
        Ok(())
    } else {
        Err(CommandError::not_a_cluster())
    }
}

/// CLUSTER KEYSLOT key
fn keyslot(cx: &mut Exec<'_>, args: Args<'_>, reply: &mut Reply) -> Result {
    in_cluster(cx)?;
    reply.integer(slot::slot_of(args.get(2)).get().into());
    Ok(())
}

/// The slot of COUNTKEYSINSLOT and GETKEYSINSLOT, for finding its core.
fn slot_argument(args: Args<'_>) -> Option<Slot> {
    parse_slot(args.try_get(2)?).ok()
}

/// CLUSTER COUNTKEYSINSLOT slot
fn countkeysinslot(cx: &mut Exec<'_>, args: Args<'_>, reply: &mut Reply) -> Result {
    in_cluster(cx)?;
    parse_integer(args.get(2)).ok_or(CommandError::NotInteger)?;
    let slot = slot_argument(args).ok_or_else(CommandError::bad_slot_to_count)?;
    reply.integer(cx.keys.keyspace().slot_len(0, slot) as i64);
    Ok(())
}

/// CLUSTER GETKEYSINSLOT slot count
fn getkeysinslot(cx: &mut Exec<'_>, args: Args<'_>, reply: &mut Reply) -> Result {
    in_cluster(cx)?;
    parse_integer(args.get(2)).ok_or(CommandError::NotInteger)?;
    let max = parse_integer(args.get(3)).ok_or(CommandError::NotInteger)?;
    let (Some(slot), Ok(max)) = (slot_argument(args), usize::try_from(max)) else {
        return Err(CommandError::bad_slot_or_count());
    };
    let keys = cx.keys.keyspace().keys_in_slot(0, slot, max);
    reply.array(keys.len());
    for key in keys {
        reply.bulk(&key);
    }
    Ok(())
}

/// CLUSTER HELP
fn help(cx: &mut Exec<'_>, _: Args<'_>, reply: &mut Reply) -> Result {
    in_cluster(cx)?;
    crate::help::write(reply, "CLUSTER", HELP);
    Ok(())
}

const HELP: &[&str] = &[
    "ADDSLOTS <slot> [<slot> ...]",
    "    Takes slots that nobody owns.",
    "ADDSLOTSRANGE <start slot> <end slot> [<start slot> <end slot> ...]",
    "    Takes ranges of slots that nobody owns.",
    "BUMPEPOCH",
    "    Raises the configuration epoch of this node.",
    "COUNT-FAILURE-REPORTS <node-id>",
    "    How many nodes report this one as failing.",
    "COUNTKEYSINSLOT <slot>",
    "    How many keys of the slot this node has.",
    "DELSLOTS <slot> [<slot> ...]",
    "    Regards these slots as owned by nobody.",
    "DELSLOTSRANGE <start slot> <end slot> [<start slot> <end slot> ...]",
    "    Regards these ranges of slots as owned by nobody.",
    "FLUSHSLOTS",
    "    Gives up all slots of this node.",
    "FORGET <node-id>",
    "    Removes a node from this node's table.",
    "GETKEYSINSLOT <slot> <count>",
    "    So many keys of the slot.",
    "INFO",
    "    The state of the cluster as this node sees it.",
    "KEYSLOT <key>",
    "    The slot of the key.",
    "LINKS",
    "    The bus links to and from other nodes.",
    "MEET <ip> <port> [<bus-port>]",
    "    Joins this node with another.",
    "MYID",
    "    The id of this node.",
    "MYSHARDID",
    "    The id of the shard of this node.",
    "NODES",
    "    A line for each node:",
    "    <id> <ip:port@bus-port[,hostname]> <flags> <primary> <ping> <pong> <epoch> <link> <slot> ...",
    "REPLICAS <node-id>",
    "    The lines of a primary's replicas.",
    "RESET [HARD|SOFT]",
    "    Forgets the cluster; HARD also takes a new id.",
    "SAVECONFIG",
    "    Writes the cluster configuration file.",
    "SET-CONFIG-EPOCH <epoch>",
    "    Gives a new node its first configuration epoch.",
    "SHARDS",
    "    The shards: their slots and nodes.",
    "SLOTS",
    "    The ranges of slots, each with the nodes that serve it.",
];

#[cfg(test)]
mod tests {
    use crate::scenario::MiniNode;

    #[test]
    fn who_changes_routing_awaits_it() {
        let mut node = MiniNode::new(&[("cluster-enabled", "yes")]);
        for line in
            ["CLUSTER ADDSLOTS 1 2", "CLUSTER DELSLOTSRANGE 1 1", "CLUSTER FLUSHSLOTS", "CLUSTER RESET"]
        {
            assert_eq!(node.run(line), "+OK");
            let version = node.cluster.as_ref().expect("a cluster").routing_version();
            assert_eq!(node.after_routing, Some(version), "{line}");
        }
        node.run("CLUSTER ADDSLOTS x");
        assert_eq!(node.after_routing, None);
        node.run("CLUSTER NODES");
        assert_eq!(node.after_routing, None);
    }

    #[test]
    fn keys_of_a_slot_are_counted_and_listed_where_they_are() {
        let mut node = MiniNode::new(&[("cluster-enabled", "yes")]);
        for key in ["{a}1", "{a}2", "{a}3", "{b}1"] {
            node.run(&format!("SET {key} v"));
        }
        let slot_of_a = node.run("CLUSTER KEYSLOT a");
        assert_eq!(slot_of_a, ":15495");
        assert_eq!(node.run("CLUSTER COUNTKEYSINSLOT 15495"), ":3");
        assert_eq!(node.run("CLUSTER GETKEYSINSLOT 15495 2").matches("{a}").count(), 2);
        assert_eq!(node.run("CLUSTER GETKEYSINSLOT 15495 9223372036854775807").matches("{a}").count(), 3);
        assert_eq!(node.run("CLUSTER COUNTKEYSINSLOT 3300"), ":1");
        assert_eq!(node.run("CLUSTER FLUSHSLOTS"), "-ERR DB must be empty to perform CLUSTER FLUSHSLOTS.");
        assert_eq!(
            node.run("CLUSTER RESET"),
            "-ERR CLUSTER RESET can't be called with master nodes containing keys"
        );
    }

    #[test]
    fn a_node_that_was_met_is_known() {
        let mut node = MiniNode::new(&[("cluster-enabled", "yes")]);
        assert_eq!(node.run("CLUSTER MEET 127.0.0.1 7001"), "+OK");
        assert!(node.run("CLUSTER INFO").contains("cluster_known_nodes:2"));
        let nodes = node.run("CLUSTER NODES");
        assert!(nodes.contains(" 127.0.0.1:7001@17001 handshake - "), "{nodes}");
        let mine = node.run("CLUSTER MYID");
        let mine = mine.trim_matches('"');
        assert_eq!(
            node.run(&format!("CLUSTER FORGET {mine}")),
            "-ERR I tried hard but I can't forget myself..."
        );
        assert_eq!(node.run(&format!("CLUSTER REPLICAS {mine}")), "[]");
        assert_eq!(node.run(&format!("CLUSTER COUNT-FAILURE-REPORTS {mine}")), ":0");
        assert_eq!(
            node.run("CLUSTER SET-CONFIG-EPOCH 1"),
            "-ERR The user can assign a config epoch only when the node does not know any other node."
        );
        assert_eq!(node.run("CLUSTER RESET"), "+OK");
        assert!(node.run("CLUSTER INFO").contains("cluster_known_nodes:1"));
    }
}
