//! The names of nodes and of shards: forty characters of `[0-9a-z]`, by convention hexadecimal.

use crate::rng::Rng;
use std::fmt;

/// The name of a node, for ever: it survives restarts and changes of address, not CLUSTER RESET HARD.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId([u8; NodeId::LEN]);

/// The name of a primary and its replicas together. It survives failovers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardId(NodeId);

impl NodeId {
    /// How many characters a name has.
    pub const LEN: usize = 40;

    /// The name in these bytes, if they are exactly forty of `[0-9a-z]`.
    pub fn parse(bytes: &[u8]) -> Option<NodeId> {
        let name: [u8; NodeId::LEN] = bytes.try_into().ok()?;
        name.iter().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase()).then_some(NodeId(name))
    }

    pub(crate) fn random(rng: &mut Rng) -> NodeId {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut name = [0; NodeId::LEN];
        for byte in &mut name {
            *byte = HEX[rng.below(16)];
        }
        NodeId(name)
    }

    /// Its characters as bytes.
    pub fn as_bytes(&self) -> &[u8; NodeId::LEN] {
        &self.0
    }

    /// Its characters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a name has only ASCII letters and digits, by construction")
    }
}

impl ShardId {
    /// The name in these bytes, if they are exactly forty of `[0-9a-z]`.
    pub fn parse(bytes: &[u8]) -> Option<ShardId> {
        NodeId::parse(bytes).map(ShardId)
    }

    pub(crate) fn random(rng: &mut Rng) -> ShardId {
        ShardId(NodeId::random(rng))
    }

    /// Its characters as bytes.
    pub fn as_bytes(&self) -> &[u8; NodeId::LEN] {
        self.0.as_bytes()
    }

    /// Its characters.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for ShardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for ShardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_forty_lower_case_letters_and_digits_are_a_name() {
        let name = "58b084472198cd896a8bf6a590ae277df611b7bd";
        assert_eq!(NodeId::parse(name.as_bytes()).unwrap().to_string(), name);
        assert!(NodeId::parse(&name.as_bytes()[1..]).is_none());
        assert!(NodeId::parse(name.to_uppercase().as_bytes()).is_none());
        assert!(NodeId::parse(&[0; 40]).is_none());
    }
}
