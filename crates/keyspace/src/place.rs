//! Where a key lives: its slot and its hash, computed once for each key of a command.
//!
//! The hash is keyed with a seed that the node draws at start, so that nobody outside can choose
//! keys that collide; all cores of a node share it, because slots move between them. It multiplies
//! 64-bit halves and folds the 128-bit product (the construction of wyhash and rapidhash): some 2 ns
//! for 16 bytes. Its top bits order the entries of a slot, so SCAN cursors speak of them; it is never
//! stored outside the process.

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

const P0: u64 = 0x2d35_8dcc_aa6c_78a5;
const P1: u64 = 0x8bb8_4b93_962e_acc9;
const P2: u64 = 0x4b33_a62e_d433_d4a3;

#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

#[inline]
fn word(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("a slice of eight bytes"))
}

#[inline]
fn half(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32::from_le_bytes(bytes[at..at + 4].try_into().expect("a slice of four bytes")))
}

/// The keyed hash of some bytes.
#[inline]
pub fn hash(seed: u64, bytes: &[u8]) -> u64 {
    let len = bytes.len();
    let mut state = seed ^ fold(seed ^ P0, P1);
    // Either factor of a product must hold a secret: a known one could be made zero by the key, and then
    // the other would not count.
    let secret = seed.rotate_left(32) ^ P1;
    let (a, b) = if len <= 16 {
        if len >= 8 {
            (word(bytes, 0), word(bytes, len - 8))
        } else if len >= 4 {
            (half(bytes, 0), half(bytes, len - 4))
        } else if len > 0 {
            (u64::from(bytes[0]) << 16 | u64::from(bytes[len / 2]) << 8 | u64::from(bytes[len - 1]), 0)
        } else {
            (0, 0)
        }
    } else {
        let mut at = 0;
        while len - at > 16 {
            state = fold(word(bytes, at) ^ secret, word(bytes, at + 8) ^ state);
            at += 16;
        }
        (word(bytes, len - 16), word(bytes, len - 8))
    };
    // Two rounds: the first takes the bytes in, the second spreads them over all 64 bits.
    let product = u128::from(a ^ secret) * u128::from(b ^ state);
    fold(product as u64 ^ P0 ^ len as u64, (product >> 64) as u64 ^ P2 ^ seed)
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
    fn every_byte_and_the_length_count() {
        for len in 0..70 {
            let base = vec![0u8; len];
            assert_ne!(hash(1, &base), hash(2, &base));
            assert_ne!(hash(1, &base), hash(1, &vec![0u8; len + 1]));
            for at in 0..len {
                let mut other = base.clone();
                other[at] = 1;
                assert_ne!(hash(1, &base), hash(1, &other), "byte {at} of {len}");
            }
        }
    }

    /// A known factor that a key can make zero would take the other factor, and the seed, out of the
    /// product: whoever knows this file could then fill a table with keys of one hash.
    #[test]
    fn no_known_bytes_cancel_the_seed() {
        for constant in [0, P0, P1, P2] {
            for repeat in 1..4 {
                let mut seen = HashSet::new();
                for n in 0..100u64 {
                    let block = [constant.to_le_bytes(), n.to_le_bytes()].concat();
                    assert!(seen.insert(hash(7, &block.repeat(repeat))), "{constant:x}, {repeat} times");
                }
            }
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
