//! A keyed 64-bit hash of short byte strings.
//!
//! It multiplies 64-bit halves and folds the 128-bit product (the construction of wyhash and rapidhash): some
//! 2 ns for 16 bytes. The keyspace uses it for keys, dicts for members. Both factors of every product hold a secret: a factor
//! that is known could be made zero by the input, and then the other one would not count.

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

/// The hash of some bytes under a seed.
#[inline]
pub fn keyed_hash(seed: u64, bytes: &[u8]) -> u64 {
    let len = bytes.len();
    let mut state = seed ^ fold(seed ^ P0, P1);
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
    fn every_byte_and_the_length_and_the_seed_count() {
        for len in 0..70 {
            let base = vec![0u8; len];
            assert_ne!(keyed_hash(1, &base), keyed_hash(2, &base));
            assert_ne!(keyed_hash(1, &base), keyed_hash(1, &vec![0u8; len + 1]));
            for at in 0..len {
                let mut other = base.clone();
                other[at] = 1;
                assert_ne!(keyed_hash(1, &base), keyed_hash(1, &other), "byte {at} of {len}");
            }
        }
    }

    #[test]
    fn low_bits_and_high_bits_spread() {
        let mut low = [0u32; 64];
        let mut high = [0u32; 64];
        for i in 0..64_000u32 {
            let hash = keyed_hash(99, i.to_string().as_bytes());
            low[(hash & 63) as usize] += 1;
            high[(hash >> 58) as usize] += 1;
        }
        assert!(low.iter().chain(&high).all(|&n| (800..1200).contains(&n)), "{low:?} {high:?}");
    }

    #[test]
    fn known_bytes_do_not_cancel_the_seed() {
        for constant in [0, P0, P1, P2] {
            let mut seen = HashSet::new();
            for n in 0..100u64 {
                let block = [constant.to_le_bytes(), n.to_le_bytes()].concat();
                assert!(seen.insert(keyed_hash(7, &block.repeat(2))), "{constant:x}");
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
                    assert!(
                        seen.insert(keyed_hash(7, &block.repeat(repeat))),
                        "{constant:x}, {repeat} times"
                    );
                }
            }
        }
    }
}
