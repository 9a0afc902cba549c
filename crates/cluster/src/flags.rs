//! The flag words of the bus as they stand on the wire (sections 1.3 and 1.4). The machine keeps a
//! node's role and health in types of their own and makes these words only when it speaks.

/// What is known of a node, as sent in headers and gossip.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeFlags(pub u16);

impl NodeFlags {
    /// It is a primary.
    pub const MASTER: NodeFlags = NodeFlags(0x001);
    /// It is a replica.
    pub const SLAVE: NodeFlags = NodeFlags(0x002);
    /// The speaker suspects it.
    pub const PFAIL: NodeFlags = NodeFlags(0x004);
    /// A majority has found it failed.
    pub const FAIL: NodeFlags = NodeFlags(0x008);
    /// It is the speaker.
    pub const MYSELF: NodeFlags = NodeFlags(0x010);
    /// Its true name is not known yet.
    pub const HANDSHAKE: NodeFlags = NodeFlags(0x020);
    /// Its address is not known.
    pub const NOADDR: NodeFlags = NodeFlags(0x040);
    /// It has to be sent a MEET.
    pub const MEET: NodeFlags = NodeFlags(0x080);
    /// A primary that has, or had, replicas.
    pub const MIGRATE_TO: NodeFlags = NodeFlags(0x100);
    /// It never stands for election.
    pub const NOFAILOVER: NodeFlags = NodeFlags(0x200);

    /// The names in nodes.conf and CLUSTER NODES, in the order in which they are written.
    pub const NAMES: [(NodeFlags, &'static str); 8] = [
        (NodeFlags::MYSELF, "myself"),
        (NodeFlags::MASTER, "master"),
        (NodeFlags::SLAVE, "slave"),
        (NodeFlags::PFAIL, "fail?"),
        (NodeFlags::FAIL, "fail"),
        (NodeFlags::HANDSHAKE, "handshake"),
        (NodeFlags::NOADDR, "noaddr"),
        (NodeFlags::NOFAILOVER, "nofailover"),
    ];

    /// Whether every flag of `other` is set.
    pub fn has(self, other: NodeFlags) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any flag of `other` is set.
    pub fn any(self, other: NodeFlags) -> bool {
        self.0 & other.0 != 0
    }

    /// These and those.
    #[must_use]
    pub const fn with(self, other: NodeFlags) -> NodeFlags {
        NodeFlags(self.0 | other.0)
    }

    /// Those only if `condition`.
    #[must_use]
    pub fn with_if(self, condition: bool, other: NodeFlags) -> NodeFlags {
        if condition {
            self.with(other)
        } else {
            self
        }
    }

    /// The names, joined by commas; `noflags` if none has one.
    pub fn names(self) -> String {
        let names: Vec<&str> =
            NodeFlags::NAMES.iter().filter(|(flag, _)| self.has(*flag)).map(|&(_, name)| name).collect();
        if names.is_empty() {
            "noflags".to_owned()
        } else {
            names.join(",")
        }
    }
}

/// What is particular about a message; the first of the header's three `mflags` bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MessageFlags(pub u8);

impl MessageFlags {
    /// The sender, a primary, has paused its clients for a manual failover: its offset is final.
    pub const PAUSED: MessageFlags = MessageFlags(0x01);
    /// Vote even if my primary is up: a manual failover.
    pub const FORCEACK: MessageFlags = MessageFlags(0x02);
    /// Ping extensions follow the gossip.
    pub const EXT_DATA: MessageFlags = MessageFlags(0x04);

    /// Whether every flag of `other` is set.
    pub fn has(self, other: MessageFlags) -> bool {
        self.0 & other.0 == other.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_in_the_order_of_redis() {
        assert_eq!(NodeFlags(0x3ff).names(), "myself,master,slave,fail?,fail,handshake,noaddr,nofailover");
        assert_eq!(NodeFlags(0x180).names(), "noflags");
    }
}
