//! Up to where the types are kept in their compact encodings: the configuration as `datatypes` wants it.
//!
//! Read once for each version of the configuration, for it is asked at every change of a collection.

use config::Config;
use datatypes::{hash, list, set, sorted_set, stream};

/// The limits of all types.
#[derive(Clone, Copy, Debug)]
pub struct TypeLimits {
    /// Of lists.
    pub list: list::Limits,
    /// Of sets.
    pub set: set::Limits,
    /// Of sorted sets.
    pub sorted_set: sorted_set::Limits,
    /// Of hashes.
    pub hash: hash::Limits,
    /// Of the nodes of streams.
    pub stream: stream::Limits,
}

impl TypeLimits {
    /// Those of a configuration, in a node whose hashes have this seed.
    pub fn of(config: &Config, hash_seed: u64) -> TypeLimits {
        let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        TypeLimits {
            list: list::Limits { listpack_size: config.list_max_listpack_size(), ..list::Limits::default() },
            set: set::Limits {
                intset_entries: size(config.set_max_intset_entries()),
                listpack_entries: size(config.set_max_listpack_entries()),
                listpack_value: size(config.set_max_listpack_value()),
                hash_seed,
            },
            sorted_set: sorted_set::Limits {
                listpack_entries: size(config.zset_max_listpack_entries()),
                listpack_value: size(config.zset_max_listpack_value()),
                hash_seed,
            },
            hash: hash::Limits {
                listpack_entries: size(config.hash_max_listpack_entries()),
                listpack_value: size(config.hash_max_listpack_value()),
                hash_seed,
            },
            stream: stream::Limits {
                node_bytes: size(config.stream_node_max_bytes()),
                node_entries: config.stream_node_max_entries(),
            },
        }
    }
}
