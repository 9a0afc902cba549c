//! A member of a Redis Cluster, without its sockets: nodes, slots, epochs, gossip, failure
//! detection, votes and nodes.conf, byte-compatible with Redis 7.0, 7.2 and Valkey 7.2, 8.0.
//!
//! ```text
//!                 handle_*  what the world did          verbs  what an operator asked
//!                     |                                   |
//!     bytes ----> PacketReader -> codec -> Cluster (nodes, slots, epochs, links) <---- tick, 100 ms
//!                                              |
//!                     poll_output: Save, Routing, Connect, Send, Close, Publish, Log
//! ```
//!
//! The machine owns no socket, file, clock or random source: `now_ms` (unix milliseconds) and a seed
//! are arguments, and what it wants done comes out of [`Cluster::poll_output`]. The same code runs
//! against real sockets and in a simulator.
//!
//! What the shell must keep:
//!
//! 1. Outputs are carried out **strictly in order, each finished before the next begins**. A `Save`
//!    with `fsync` is on disk before a later `Send` leaves: a vote, or a new epoch, that is forgotten
//!    in a crash could be given twice. A save that fails ends the process.
//! 2. Every `Routing` version goes to all data cores, and once all have applied it
//!    [`Cluster::handle_routing_applied`] is told. Slots gained in a version are claimed on the bus
//!    only from then on, lost ones are given up at once (rule R3 of the architecture). Verbs return the
//!    version that must be applied before their reply leaves.
//! 3. The first version stands for "data is loaded": until it is applied the machine connects to
//!    nobody and refuses links, so that a node that restarts never says that it has lost its slots.
//!
//! The files, by story: [`codec`] and [`packet_reader`] (bytes), `nodes` and `links` (tables),
//! `receive` (what each message does, in order), `handshake`, `ping` (what is sent, and when),
//! `gossip`, `failure_detection`, `epochs`, `slots`, `voting`, `health` (is the cluster up),
//! `blacklist`, `routing` (what the data cores see), `nodes_conf`, `verbs` (operators) and `views`
//! (CLUSTER NODES, INFO, SLOTS, SHARDS, LINKS).
//!
//! Section numbers in the comments are those of the table in `docs/cluster-bus.md`.
//!
//! Not here yet: candidacy, manual failover, being a replica, replica migration, SETSLOT. This node
//! is always a primary, and says so in the log when the cluster would have it become a replica.

mod blacklist;
pub mod codec;
mod epochs;
mod error;
mod failure_detection;
mod flags;
mod gossip;
mod handshake;
mod health;
mod links;
mod machine;
mod node_id;
mod nodes;
mod nodes_conf;
mod output;
pub mod packet_reader;
mod ping;
mod receive;
mod rng;
mod routing;
mod settings;
mod slots;
mod text;
mod verbs;
mod views;
mod voting;

pub use error::ClusterError;
pub use flags::{MessageFlags, NodeFlags};
pub use links::LinkId;
pub use machine::Cluster;
pub use node_id::{NodeId, ShardId};
pub use nodes_conf::{LoadError, LoadProblem};
pub use output::{LogLevel, Output};
pub use routing::{ClusterState, RoutingMap, RoutingNode, UNASSIGNED};
pub use settings::{EndpointType, Settings};
pub use views::{Direction, LinkView, NodeHealth, NodeView, ShardNodeView, ShardView, SlotRangeView, HELP};
