//! What the configuration file says about the cluster. All of it may change at run time.

/// What clients are given as the address of a node (`cluster-preferred-endpoint-type`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EndpointType {
    /// Its address.
    #[default]
    Ip,
    /// Its host name, or `?` if it has announced none.
    Hostname,
    /// Nothing: the client stays with the address it used.
    UnknownEndpoint,
}

/// The configuration of the machine; see section 15 for the directives of the same names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long a node may be silent before it is suspected.
    pub node_timeout_ms: u64,
    /// How long a node may go without a ping; 0 means half the node timeout.
    pub ping_interval_ms: u64,
    /// Whether one slot without an owner takes the whole cluster down.
    pub require_full_coverage: bool,
    /// Whether reads are served while the cluster is down.
    pub allow_reads_when_down: bool,
    /// Whether shard channels are served while the cluster is down.
    pub allow_pubsubshard_when_down: bool,
    /// Whether a primary that lost its last slot follows the node that took it (7.2).
    pub allow_replica_migration: bool,
    /// `cluster-replica-no-failover`, told to the others in our flags.
    pub no_failover: bool,
    /// The port of ordinary clients; 0 if there is none.
    pub client_port: u16,
    /// The port of TLS clients; 0 if there is none.
    pub tls_port: u16,
    /// The port on which we accept bus links (`cluster-port`); 0 means the client port + 10000.
    pub bus_port: u16,
    /// The address that others shall use, if it is not what their sockets show.
    pub announce_ip: Option<String>,
    /// The port that others shall use, or 0.
    pub announce_port: u16,
    /// The TLS port that others shall use, or 0.
    pub announce_tls_port: u16,
    /// The bus port that others shall use, or 0.
    pub announce_bus_port: u16,
    /// Our host name, for clients.
    pub announce_hostname: Option<String>,
    /// A name for people, in logs.
    pub announce_human_nodename: Option<String>,
    /// What clients get as a node's address.
    pub preferred_endpoint_type: EndpointType,
    /// A link whose unsent bytes exceed this is closed; 0 means never.
    pub link_sendbuf_limit: u64,
    /// The longest message taken from a node that we know; longer ones end the link.
    pub max_message_bytes: usize,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            node_timeout_ms: 15_000,
            ping_interval_ms: 0,
            require_full_coverage: true,
            allow_reads_when_down: false,
            allow_pubsubshard_when_down: true,
            allow_replica_migration: true,
            no_failover: false,
            client_port: 6379,
            tls_port: 0,
            bus_port: 0,
            announce_ip: None,
            announce_port: 0,
            announce_tls_port: 0,
            announce_bus_port: 0,
            announce_hostname: None,
            announce_human_nodename: None,
            preferred_endpoint_type: EndpointType::Ip,
            link_sendbuf_limit: 0,
            max_message_bytes: 1 << 30,
        }
    }
}

/// What is added to a client port to make a bus port, where none is named.
pub(crate) const BUS_PORT_OFFSET: u16 = 10_000;

impl Settings {
    /// The bus port that we tell the others. A client port above 55535 needs an explicit one.
    pub fn announced_bus_port(&self) -> u16 {
        match (self.announce_bus_port, self.bus_port) {
            (0, 0) => self.client_port.saturating_add(BUS_PORT_OFFSET),
            (0, bus_port) => bus_port,
            (announced, _) => announced,
        }
    }

    /// The client port that we tell the others.
    pub fn announced_port(&self) -> u16 {
        if self.announce_port != 0 {
            self.announce_port
        } else {
            self.client_port
        }
    }

    /// The TLS port that we tell the others.
    pub fn announced_tls_port(&self) -> u16 {
        if self.announce_tls_port != 0 {
            self.announce_tls_port
        } else {
            self.tls_port
        }
    }

    pub(crate) fn ping_interval(&self) -> u64 {
        if self.ping_interval_ms != 0 {
            self.ping_interval_ms
        } else {
            self.node_timeout_ms / 2
        }
    }
}
