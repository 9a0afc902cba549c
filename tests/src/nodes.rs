//! Cluster nodes seen from outside: what CLUSTER NODES and CLUSTER INFO say, and redis-cli.

use std::collections::BTreeMap;
use std::process::{Command, Output};
use std::time::Duration;

use crate::client::{Client, ClientError};
use crate::program::installed;
use crate::reply::Value;
use crate::server::Server;
use crate::wait;

/// How long a single node may take to call a fully covered cluster ok.
const STATE_DEADLINE: Duration = Duration::from_secs(20);

/// A line of CLUSTER NODES, as far as all nodes should agree on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeLine {
    /// Its client port.
    pub port: u16,
    /// Flags, `myself` left out.
    pub flags: Vec<String>,
    /// Its config epoch.
    pub config_epoch: u64,
    /// Whether the link to it is up.
    pub connected: bool,
    /// Its slot ranges as written.
    pub slots: Vec<String>,
}

impl NodeLine {
    /// Whether it has this flag.
    pub fn is(&self, flag: &str) -> bool {
        self.flags.iter().any(|f| f == flag)
    }
}

/// Gives a lone node every slot, and waits until its state is ok.
#[track_caller]
pub fn own_all_slots(server: &Server) {
    let mut client = server.client();
    client.call(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]).ok();
    wait::until_ok("cluster_state:ok of a lone node", STATE_DEADLINE, || {
        match info(&mut client, "cluster_state") {
            Ok(state) if state == "ok" => Ok(()),
            other => Err(format!("{other:?}")),
        }
    });
}

/// A field of CLUSTER INFO.
pub fn info(client: &mut Client, field: &str) -> Result<String, ClientError> {
    let text = client.try_call(&["CLUSTER", "INFO"])?.text();
    let value = text.lines().find_map(|l| l.strip_prefix(field)?.strip_prefix(':'));
    Ok(value.unwrap_or("").trim().to_string())
}

/// CLUSTER NODES by node id.
pub fn nodes(client: &mut Client) -> Result<BTreeMap<String, NodeLine>, String> {
    let reply = client.try_call(&["CLUSTER", "NODES"]).map_err(|e| e.to_string())?;
    reply.text().lines().map(node_line).collect()
}

fn node_line(line: &str) -> Result<(String, NodeLine), String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [id, address, flags, _primary, _ping, _pong, epoch, link, slots @ ..] = words.as_slice() else {
        return Err(format!("not a line of CLUSTER NODES: {line}"));
    };
    // ip:port@bus-port[,hostname]
    let port = address.split('@').next().and_then(|a| a.rsplit(':').next()).and_then(|p| p.parse().ok());
    let node = NodeLine {
        port: port.ok_or_else(|| format!("no port in {address}"))?,
        flags: flags.split(',').filter(|f| *f != "myself").map(String::from).collect(),
        config_epoch: epoch.parse().map_err(|_| format!("no epoch in {line}"))?,
        connected: *link == "connected",
        slots: slots.iter().map(|s| s.to_string()).collect(),
    };
    Ok((id.to_string(), node))
}

/// CLUSTER SLOTS as (first, last, port, id) in order of the slots.
pub fn slots(client: &mut Client) -> Result<Vec<(i64, i64, i64, String)>, String> {
    let reply = client.try_call(&["CLUSTER", "SLOTS"]).map_err(|e| e.to_string())?;
    let Value::Array(ranges) = reply else { return Err(format!("{reply:?}")) };
    let mut all = Vec::new();
    for range in &ranges {
        match range {
            Value::Array(parts) if parts.len() >= 3 => {
                let node = parts[2].items();
                all.push((parts[0].integer(), parts[1].integer(), node[1].integer(), node[2].text()));
            }
            other => return Err(format!("{other:?}")),
        }
    }
    all.sort();
    Ok(all)
}

/// The id of the node itself.
#[track_caller]
pub fn my_id(client: &mut Client) -> String {
    client.call(&["CLUSTER", "MYID"]).text()
}

/// Runs redis-cli to its end.
#[track_caller]
pub fn redis_cli(args: &[&str]) -> Output {
    let program = installed("redis-cli", "redis-tools");
    Command::new(program).args(args).output().unwrap_or_else(|e| panic!("redis-cli: {e}"))
}

/// Runs redis-cli; panics with what it printed unless it succeeds.
#[track_caller]
pub fn redis_cli_ok(args: &[&str]) -> String {
    let output = redis_cli(args);
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "redis-cli {}: {}\n{text}", args.join(" "), output.status);
    text
}

/// Why the nodes do not agree on a healthy cluster, if they do not: every one calls it ok, and all tell
/// the same ids, ports, epochs and slots, with every link up.
pub fn agree(servers: &[&Server]) -> Result<(), String> {
    let mut views = Vec::new();
    for server in servers {
        let mut client =
            Client::connect(&server.address()).map_err(|e| format!("port {}: {e}", server.port()))?;
        let state = info(&mut client, "cluster_state").map_err(|e| e.to_string())?;
        if state != "ok" {
            return Err(format!("port {} says cluster_state:{state}", server.port()));
        }
        let view = nodes(&mut client)?;
        for (id, node) in &view {
            if !node.connected || node.flags != ["master"] {
                return Err(format!("port {} sees {id} as {node:?}", server.port()));
            }
        }
        if view.len() != servers.len() {
            return Err(format!("port {} knows {} nodes", server.port(), view.len()));
        }
        views.push((server.port(), view, slots(&mut client)?));
    }
    match views.windows(2).find(|w| w[0].1 != w[1].1 || w[0].2 != w[1].2) {
        Some(w) => Err(format!("ports {} and {} differ:\n{:?}\n{:?}", w[0].0, w[1].0, w[0], w[1])),
        None => Ok(()),
    }
}
