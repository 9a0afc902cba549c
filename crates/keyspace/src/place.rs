//! Where a key lives: its slot and its hash, computed once for each key of a command.
//!
//! The hash is keyed with a seed that the node draws at start, so that nobody outside can choose
//! keys that collide; all cores of a node share it, because slots move between them. Its top bits order the entries of a slot, so SCAN cursors speak of them; it is never
//! stored outside the process.

pub use datatypes::dict::keyed_hash as hash;
use slot::Slot;

/// Where a key lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The slot, by specification.
    pub slot: Slot,
    /// The keyed hash.
    pub hash: u64,
}

/// A key and where it lives.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    /// The name.
    pub bytes: &'a [u8],
    /// Where it lives.
    pub place: Place,
}

/// The place of a key in a node whose hash has this seed.
#[inline]
pub fn locate_in(hash_seed: u64, key: &[u8]) -> Place {
    Place { slot: slot::slot_of(key), hash: hash(hash_seed, key) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn hashes_of_short_and_long_keys_differ_in_their_top_bits() {
        // 38 bits order a slot: 40,000 keys should collide about 0.003 times.
        let mut seen = HashSet::new();
        for i in 0..20_000u32 {
            assert!(seen.insert(hash(7, i.to_string().as_bytes()) >> 26));
            assert!(seen.insert(hash(7, format!("user:{{tag}}:{i:030}").as_bytes()) >> 26));
        }
    }

    #[test]
    fn each_tag_gets_its_share() {
        let mut counts = [0u32; 64];
        for i in 0..64_000u32 {
            counts[(hash(99, &i.to_le_bytes()) >> 58) as usize] += 1;
        }
        assert!(counts.iter().all(|&n| (800..1200).contains(&n)), "{counts:?}");
    }
}
