//! What a reader needs to know of the node that it reads for.

use datatypes::{hash, list, set, sorted_set};

/// Most bytes of a string where the configuration does not say (`proto-max-bulk-len`).
const STRING_BYTES: usize = 512 << 20;

/// When values outgrow their encodings, and which are refused.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Of lists.
    pub list: list::Limits,
    /// Of sets.
    pub set: set::Limits,
    /// Of hashes.
    pub hash: hash::Limits,
    /// Of sorted sets.
    pub sorted_set: sorted_set::Limits,
    /// A longer string, or blob, is refused.
    pub string_bytes: usize,
}

impl Limits {
    /// Those of a configuration that does not mention them.
    pub fn with_seed(hash_seed: u64) -> Limits {
        Limits {
            list: list::Limits::default(),
            set: set::Limits::with_seed(hash_seed),
            hash: hash::Limits::with_seed(hash_seed),
            sorted_set: sorted_set::Limits::with_seed(hash_seed),
            string_bytes: STRING_BYTES,
        }
    }
}
