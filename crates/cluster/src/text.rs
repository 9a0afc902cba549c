//! Texts that other nodes send about themselves and that we pass on: to nodes.conf, to the replies
//! of CLUSTER NODES, and into `-MOVED`. A peer is trusted to be honest, not to be well: a blank or
//! a line feed in a host name would make nodes.conf unreadable at the next start, so such texts
//! count as not sent.

/// Addresses are stored in 46 bytes on the wire, the last one zero.
pub(crate) const MAX_ADDRESS: usize = 45;
/// Redis's bound for a host name.
pub(crate) const MAX_HOSTNAME: usize = 255;

/// An address: usually digits, but `cluster-announce-ip` may hold a name as well.
pub(crate) fn is_address(text: &[u8]) -> bool {
    text.len() <= MAX_ADDRESS
        && text
            .iter()
            .all(|&byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b':' | b'-' | b'_' | b'%'))
}

pub(crate) fn is_hostname(text: &[u8]) -> bool {
    text.len() <= MAX_HOSTNAME
        && text.iter().all(|&byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
}

/// A human name: what may stand in an auxiliary field of nodes.conf, and is no separator there.
pub(crate) fn is_nodename(text: &[u8]) -> bool {
    text.len() <= MAX_HOSTNAME
        && text
            .iter()
            .all(|&byte| byte.is_ascii_graphic() && !b"!#$%&()*+:;<>?@[]^{|}~,=\"'\\".contains(&byte))
}

/// The text if `valid` finds it so, else nothing.
pub(crate) fn accept(text: &[u8], valid: fn(&[u8]) -> bool) -> Option<String> {
    valid(text).then(|| text.iter().map(|&byte| byte as char).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_break_a_line_of_nodes_conf_is_not_taken() {
        assert!(is_address(b"127.0.0.1") && is_address(b"fe80::1%eth0") && is_address(b""));
        assert!(!is_address(b"1.2.3.4 x") && !is_address(b"1.2.3.4\n") && !is_address(&[b'1'; 46]));
        assert!(is_hostname(b"host-1.example") && !is_hostname(b"host,x") && !is_hostname(&[b'h'; 256]));
        assert!(
            is_nodename(b"node_A-1") && !is_nodename(b"a b") && !is_nodename(b"a=b") && !is_nodename(b"a\"b")
        );
        assert_eq!(accept(b"a b", is_nodename), None);
    }
}
