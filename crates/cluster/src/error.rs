//! What the verbs refuse, with the words of Redis (section 13). The code `ERR` is the reply writer's.

use crate::NodeId;

/// Why an operator's request was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClusterError {
    /// A slot argument that is no slot.
    #[error("Invalid or out of range slot")]
    InvalidSlot,
    /// ADDSLOTS of a slot that has an owner.
    #[error("Slot {0} is already busy")]
    SlotBusy(u16),
    /// DELSLOTS of a slot that has none.
    #[error("Slot {0} is already unassigned")]
    SlotUnassigned(u16),
    /// A slot named twice in one request.
    #[error("Slot {0} specified multiple times")]
    SlotRepeated(u16),
    /// A range with its ends exchanged.
    #[error("start slot number {first} is greater than end slot number {last}")]
    RangeReversed {
        /// Its first argument.
        first: u16,
        /// Its second.
        last: u16,
    },
    /// A node id that we do not know, as it was given.
    #[error("Unknown node {0}")]
    UnknownNode(String),
    /// FORGET of this node.
    #[error("I tried hard but I can't forget myself...")]
    ForgetMyself,
    /// REPLICAS of a replica.
    #[error("The specified node is not a master")]
    NotAPrimary,
    /// MEET with something that is no address; the port as it was given.
    #[error("Invalid node address specified: {ip}:{port}")]
    InvalidAddress {
        /// The first argument.
        ip: String,
        /// The second.
        port: String,
    },
    /// FLUSHSLOTS with keys.
    #[error("DB must be empty to perform CLUSTER FLUSHSLOTS.")]
    FlushNeedsEmptyDb,
    /// RESET with keys.
    #[error("CLUSTER RESET can't be called with master nodes containing keys")]
    ResetNeedsEmptyDb,
    /// SET-CONFIG-EPOCH with a negative number.
    #[error("Invalid config epoch specified: {0}")]
    InvalidEpoch(i64),
    /// SET-CONFIG-EPOCH when there are others.
    #[error("The user can assign a config epoch only when the node does not know any other node.")]
    EpochWithOthersKnown,
    /// SET-CONFIG-EPOCH for the second time.
    #[error("Node config epoch is already non-zero")]
    EpochAlreadySet,
    /// The node table is full. Redis has no such bound, and no words for it.
    #[error("Too many cluster nodes are known")]
    TooManyNodes,
}

impl ClusterError {
    pub(crate) fn unknown_node(argument: &[u8]) -> ClusterError {
        ClusterError::UnknownNode(String::from_utf8_lossy(argument).into_owned())
    }

    /// The error for a node id that is well formed and unknown.
    pub fn no_such_node(id: &NodeId) -> ClusterError {
        ClusterError::UnknownNode(id.to_string())
    }
}
