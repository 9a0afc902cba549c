//! What the hot path asks of the configuration, read once a version.

use commands::TypeLimits;
use config::{Config, MaxmemoryPolicy, OutputLimit};
use keyspace::{Access, Expired, Touch};
use resp::Limits;

/// Settings of a core.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// What a client may send; `authenticated` is each client's own.
    pub limits: Limits,
    /// `client-output-buffer-limit normal`.
    pub output_limit: OutputLimit,
    /// `cluster-allow-cross-slot`.
    pub cross_slot: bool,
    /// What reads leave on the access clock.
    pub access: Access,
    /// `maxmemory`, bytes; 0 is no limit.
    pub maxmemory: u64,
    /// Up to where collections are kept in compact encodings.
    pub types: TypeLimits,
    /// `lazyfree-lazy-expire`: expired keys are logged as UNLINK.
    pub unlink_expired: bool,
}

impl Settings {
    /// Of this configuration.
    pub fn of(config: &Config, hash_seed: u64) -> Settings {
        let touch = match config.maxmemory_policy() {
            MaxmemoryPolicy::AllkeysLfu | MaxmemoryPolicy::VolatileLfu => {
                Touch::Lfu { log_factor: config.lfu_log_factor(), decay_minutes: config.lfu_decay_time() }
            }
            _ => Touch::Lru,
        };
        Settings {
            limits: Limits {
                max_bulk: config.proto_max_bulk_len() as usize,
                max_query: config.client_query_buffer_limit() as usize,
                ..Limits::default()
            },
            output_limit: config.client_output_buffer_limit().normal,
            cross_slot: config.cluster_allow_cross_slot(),
            access: Access { touch, expired: Expired::Remove },
            maxmemory: config.maxmemory(),
            types: TypeLimits::of(config, hash_seed),
            unlink_expired: config.lazyfree_lazy_expire(),
        }
    }
}
