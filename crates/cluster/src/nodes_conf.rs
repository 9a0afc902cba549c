//! nodes.conf: what a node remembers of its cluster, in the text of Redis 7.2 (section 11).
//!
//! ```text
//!     <id> <ip>:<port>@<bus port>,<hostname>,tls-port=<n>[,nodename=<x>],shard-id=<id> <flags> <primary|->
//!          <ping sent> <pong received> <config epoch> <connected|disconnected> <slots and ranges> <open slots>
//!     vars currentEpoch <n> lastVoteEpoch <n>
//! ```
//!
//! Read: files of Redis 7.0 and 7.2 and of Valkey as well. Written: always Redis 7.2's form, which
//! all of them read. A file that says something we do not understand stops the start: guessing
//! could claim slots that are another's. Nodes in handshake are not written. Bytes in, bytes out:
//! the file itself is the shell's.

use crate::machine::Cluster;
use crate::nodes::{Health, Node, NodeKey, Nodes, Role};
use crate::rng::Rng;
use crate::settings::BUS_PORT_OFFSET;
use crate::{text, LogLevel, NodeFlags, NodeId, Settings, ShardId};
use slot::{Slot, SlotRange};

/// Why a file cannot be read, and in which line (from 1; 0 for the file as a whole).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cluster config file, line {line}: {problem}")]
pub struct LoadError {
    /// Where.
    pub line: usize,
    /// What.
    pub problem: LoadProblem,
}

/// What is wrong with a line of nodes.conf.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadProblem {
    /// It has fewer than eight fields, or `vars` an odd number.
    #[error("wrong number of fields")]
    Fields,
    /// Something that should be forty lower-case letters or digits.
    #[error("{0:?} is no node id")]
    Id(String),
    /// Something that should be `ip:port@bus-port`.
    #[error("{0:?} is no address")]
    Address(String),
    /// An auxiliary field that is not known, or whose value is not valid.
    #[error("{0:?} is no valid auxiliary field")]
    Auxiliary(String),
    /// A flag that is not known.
    #[error("{0:?} is no flag of a node")]
    Flag(String),
    /// Something that should be a number.
    #[error("{0:?} is no number")]
    Number(String),
    /// Something that should be a slot, a range or an open slot.
    #[error("{0:?} is no slot")]
    Slot(String),
    /// A slot that a line before has given to another node.
    #[error("slot {0} has two owners")]
    SlotTwice(u16),
    /// Two lines, or none, are marked `myself`.
    #[error("not exactly one node is marked as myself")]
    Myself,
    /// This node was a replica.
    #[error("this node is a replica in the file, and this version can only be a primary")]
    IsReplica,
    /// A replica and its primary are said to be in different shards.
    #[error("replica {0} is not in the shard of its primary")]
    Shard(NodeId),
    /// More nodes than this version keeps.
    #[error("too many nodes")]
    TooMany,
}

struct Line {
    key: NodeKey,
    number: usize,
    is_myself: bool,
    has_shard: bool,
    primary: Option<NodeId>,
    slots: Vec<SlotRange>,
    migrating: Vec<(Slot, NodeId)>,
    importing: Vec<(Slot, NodeId)>,
}

impl Cluster {
    /// A node that has run before, from its nodes.conf. (An empty file means a new node: [`Cluster::new`].)
    pub fn load(file: &[u8], settings: Settings, seed: u64, now_ms: u64) -> Result<Cluster, LoadError> {
        let mut loader = Loader {
            rng: Rng::new(seed),
            nodes: Nodes::default(),
            now_ms,
            current_epoch: 0,
            last_vote_epoch: 0,
        };
        let mut lines = Vec::new();
        for (index, line) in file.split(|&byte| byte == b'\n').enumerate() {
            let number = index + 1;
            let line = String::from_utf8_lossy(line);
            let fields: Vec<&str> = line.split_ascii_whitespace().collect();
            match fields.first() {
                None => {}
                Some(first) if first.eq_ignore_ascii_case("vars") => {
                    loader.read_vars(&fields).map_err(at(number))?
                }
                Some(_) => lines.push(loader.read_node(number, &fields).map_err(at(number))?),
            }
        }
        let mut mine = lines.iter().filter(|line| line.is_myself);
        let (Some(myself), None) = (mine.next(), mine.next()) else {
            return Err(LoadError { line: 0, problem: LoadProblem::Myself });
        };
        let (myself, number) = (myself.key, myself.number);
        loader.resolve_primaries(&lines)?;
        if !loader.nodes[myself].is_primary() {
            return Err(LoadError { line: number, problem: LoadProblem::IsReplica });
        }
        let (current_epoch, last_vote_epoch) = (loader.current_epoch, loader.last_vote_epoch);
        let mut open = Vec::new();
        for line in &lines {
            for (slot, id, is_import) in line
                .migrating
                .iter()
                .map(|&(slot, id)| (slot, id, false))
                .chain(line.importing.iter().map(|&(slot, id)| (slot, id, true)))
            {
                open.push((slot, loader.find_or_add(id).map_err(at(line.number))?, is_import));
            }
        }
        let mut cluster = Cluster::assemble(settings, loader.rng, loader.nodes, myself);
        for line in &lines {
            for slot in line.slots.iter().flat_map(|range| range.slots()) {
                match cluster.slots.owner(slot) {
                    None => cluster.bind_slot(slot, line.key),
                    Some(owner) if owner == line.key => {}
                    Some(_) => return Err(at(line.number)(LoadProblem::SlotTwice(slot.get()))),
                }
            }
        }
        for (slot, key, is_import) in open {
            let table =
                if is_import { &mut cluster.slots.importing_from } else { &mut cluster.slots.migrating_to };
            table.insert(slot, key);
        }
        cluster.last_vote_epoch = last_vote_epoch;
        cluster.current_epoch = current_epoch;
        // It never should be less than any config epoch; people do edit this file.
        cluster.current_epoch = cluster.greatest_epoch();
        cluster.announce_settings();
        if lines.iter().any(|line| line.is_myself && !line.has_shard) {
            // A file of 7.0: the shard id that we have just made up has to last.
            cluster.todo.save_first();
        }
        let id = cluster.my_id();
        cluster.log(LogLevel::Notice, format!("Node configuration loaded, I'm {id}"));
        cluster.settle(now_ms);
        Ok(cluster)
    }

    /// The whole file.
    pub(crate) fn nodes_conf(&self) -> Vec<u8> {
        let mut out = String::new();
        for (key, node) in self.nodes.iter().filter(|(_, node)| !node.in_handshake) {
            self.describe(&mut out, key, node, true);
            out.push('\n');
        }
        out.push_str(&format!(
            "vars currentEpoch {} lastVoteEpoch {}\n",
            self.current_epoch, self.last_vote_epoch
        ));
        out.into_bytes()
    }
}

fn at(line: usize) -> impl Fn(LoadProblem) -> LoadError {
    move |problem| LoadError { line, problem }
}

struct Loader {
    rng: Rng,
    nodes: Nodes,
    now_ms: u64,
    current_epoch: u64,
    last_vote_epoch: u64,
}

impl Loader {
    fn read_vars(&mut self, fields: &[&str]) -> Result<(), LoadProblem> {
        if fields.len().is_multiple_of(2) {
            return Err(LoadProblem::Fields);
        }
        for pair in fields[1..].chunks_exact(2) {
            if pair[0].eq_ignore_ascii_case("currentEpoch") {
                self.current_epoch = number(pair[1])?;
            } else if pair[0].eq_ignore_ascii_case("lastVoteEpoch") {
                self.last_vote_epoch = number(pair[1])?;
            }
            // Other variables are another version's, and advice only.
        }
        Ok(())
    }

    fn find_or_add(&mut self, id: NodeId) -> Result<NodeKey, LoadProblem> {
        if let Some(key) = self.nodes.find(&id) {
            return Ok(key);
        }
        if self.nodes.is_full() {
            return Err(LoadProblem::TooMany);
        }
        let shard = ShardId::random(&mut self.rng);
        Ok(self.nodes.insert(Node::new(id, shard, self.now_ms)))
    }

    fn read_node(&mut self, number_of_line: usize, fields: &[&str]) -> Result<Line, LoadProblem> {
        if fields.len() < 8 {
            return Err(LoadProblem::Fields);
        }
        let key = self.find_or_add(id(fields[0])?)?;
        let now_ms = self.now_ms;
        let node = self.nodes.get_mut(key).expect("it has just been found or added");
        let has_shard = read_address(node, fields[1])?;
        let is_myself = read_flags(node, fields[2], now_ms)?;
        let primary = if fields[3] == "-" { None } else { Some(id(fields[3])?) };
        node.ping_sent_ms = if fields[4] == "0" { 0 } else { now_ms };
        node.pong_received_ms = if fields[5] == "0" { 0 } else { now_ms };
        // A replica's column shows its primary's epoch.
        node.config_epoch = if primary.is_some() { 0 } else { number(fields[6])? };
        let mut line = Line {
            key,
            number: number_of_line,
            is_myself,
            has_shard,
            primary,
            slots: Vec::new(),
            migrating: Vec::new(),
            importing: Vec::new(),
        };
        for field in &fields[8..] {
            read_slots(&mut line, field)?;
        }
        Ok(line)
    }

    fn resolve_primaries(&mut self, lines: &[Line]) -> Result<(), LoadError> {
        for line in lines {
            let Some(primary) = line.primary else { continue };
            let primary = self.find_or_add(primary).map_err(at(line.number))?;
            let shard = self.nodes[primary].shard;
            let has_primary_a_line = lines.iter().any(|other| other.key == primary && other.has_shard);
            let node = self.nodes.get_mut(line.key).expect("every line's node is in the table");
            if !line.has_shard {
                node.shard = shard;
            } else if has_primary_a_line && node.shard != shard {
                return Err(at(line.number)(LoadProblem::Shard(node.id)));
            }
            let shard = node.shard;
            node.role = Role::Replica { of: Some(primary) };
            let primary = self.nodes.get_mut(primary).expect("it has just been found or added");
            primary.migrate_to = true;
            if !has_primary_a_line {
                primary.shard = shard;
            }
        }
        Ok(())
    }
}

/// `ip:port@bus-port,hostname,name=value...`; whether a shard id was among the values.
fn read_address(node: &mut Node, field: &str) -> Result<bool, LoadProblem> {
    let mut parts = field.split(',');
    let address = parts.next().unwrap_or_default();
    let bad = || LoadProblem::Address(address.to_owned());
    let hostname = parts.next().unwrap_or_default();
    node.hostname = text::accept(hostname.as_bytes(), text::is_hostname)
        .ok_or_else(|| LoadProblem::Auxiliary(hostname.to_owned()))?;
    let mut has_shard = false;
    let mut tcp_port = None;
    for part in parts {
        let bad_field = || LoadProblem::Auxiliary(part.to_owned());
        let (name, value) = part.split_once('=').ok_or_else(bad_field)?;
        match name {
            "shard-id" => {
                node.shard = ShardId::parse(value.as_bytes()).ok_or_else(bad_field)?;
                has_shard = true;
            }
            "nodename" => {
                node.human_nodename =
                    text::accept(value.as_bytes(), text::is_nodename).ok_or_else(bad_field)?;
            }
            "tls-port" => node.tls_port = value.parse().map_err(|_| bad_field())?,
            "tcp-port" => tcp_port = Some(value.parse::<u16>().map_err(|_| bad_field())?),
            // Valkey's, which clients of ours are not told.
            "client-ipv4" | "client-ipv6" => {}
            _ => return Err(bad_field()),
        }
    }
    let (ip, ports) = address.rsplit_once(':').ok_or_else(bad)?;
    node.ip = text::accept(ip.as_bytes(), text::is_address).ok_or_else(bad)?;
    let (port, bus_port) = match ports.split_once('@') {
        Some((port, bus_port)) => (port, Some(bus_port)),
        None => (ports, None),
    };
    let port: u16 = port.parse().map_err(|_| bad())?;
    match tcp_port {
        // The file of a node whose cluster ran over TLS.
        Some(tcp_port) => (node.port, node.tls_port) = (tcp_port, port),
        None => node.port = port,
    }
    node.bus_port = match bus_port {
        Some(bus_port) => bus_port.parse().map_err(|_| bad())?,
        None => port.saturating_add(BUS_PORT_OFFSET),
    };
    Ok(has_shard)
}

/// Whether the node is this node.
fn read_flags(node: &mut Node, field: &str, now_ms: u64) -> Result<bool, LoadProblem> {
    let mut flags = NodeFlags::default();
    for word in field.split(',') {
        let word = match word {
            // Valkey's words.
            "primary" => "master",
            "replica" => "slave",
            other => other,
        };
        let known = NodeFlags::NAMES.iter().find(|(_, name)| name.eq_ignore_ascii_case(word));
        match known {
            Some((flag, _)) => flags = flags.with(*flag),
            None if word.eq_ignore_ascii_case("noflags") => {}
            None => return Err(LoadProblem::Flag(word.to_owned())),
        }
    }
    if flags.has(NodeFlags::SLAVE) {
        node.role = Role::Replica { of: None };
    } else if flags.has(NodeFlags::MASTER) {
        node.role = Role::Primary;
    }
    if flags.has(NodeFlags::FAIL) {
        node.health = Health::Failed { since_ms: now_ms };
    } else if flags.has(NodeFlags::PFAIL) {
        node.health = Health::Suspected;
    }
    node.in_handshake = flags.has(NodeFlags::HANDSHAKE);
    node.no_address = flags.has(NodeFlags::NOADDR);
    node.no_failover = flags.has(NodeFlags::NOFAILOVER);
    Ok(flags.has(NodeFlags::MYSELF))
}

/// `5`, `0-99`, `[5->-id]` or `[5-<-id]`.
fn read_slots(line: &mut Line, field: &str) -> Result<(), LoadProblem> {
    let bad = || LoadProblem::Slot(field.to_owned());
    let Some(open) = field.strip_prefix('[') else {
        line.slots.push(field.parse().map_err(|_| bad())?);
        return Ok(());
    };
    let open = open.strip_suffix(']').ok_or_else(bad)?;
    let (list, (slot, node)) = if let Some(parts) = open.split_once("->-") {
        (&mut line.migrating, parts)
    } else {
        (&mut line.importing, open.split_once("-<-").ok_or_else(bad)?)
    };
    let slot = slot.parse().ok().and_then(Slot::new).ok_or_else(bad)?;
    list.push((slot, id(node)?));
    Ok(())
}

fn id(field: &str) -> Result<NodeId, LoadProblem> {
    NodeId::parse(field.as_bytes()).ok_or_else(|| LoadProblem::Id(field.to_owned()))
}

fn number(field: &str) -> Result<u64, LoadProblem> {
    field.parse().map_err(|_| LoadProblem::Number(field.to_owned()))
}

#[cfg(test)]
mod tests;
