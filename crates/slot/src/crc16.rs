//! CRC16/XMODEM, sliced by sixteen.
//!
//! The usual table walk feeds each step's result into the next look-up: some 22 ns for a 16-byte
//! key, as much as a batched look-up in the keyspace. A CRC is linear, so the bytes can be looked up
//! independently instead, each in a table for its distance from the end, and the results XORed:
//!
//! ```text
//!     crc(b0 b1 .. bn) = DISTANCE[n][b0] ^ DISTANCE[n - 1][b1] ^ .. ^ DISTANCE[0][bn]
//! ```
//!
//! A longer input is its odd head in that way, then blocks of sixteen, the state so far XORed into
//! a block's first two bytes. The tables take 8 KiB, computed at compile time; a key of up to n
//! bytes touches the first n of them only.

const BLOCK: usize = 16;

/// `DISTANCE[n][b]`: the CRC of byte `b` followed by `n` zero bytes.
static DISTANCE: [[u16; 256]; BLOCK] = distance_tables();

const fn distance_tables() -> [[u16; 256]; BLOCK] {
    let mut tables = [[0; 256]; BLOCK];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = (byte as u16) << 8;
        let mut distance = 0;
        while distance < BLOCK {
            let mut bit = 0;
            while bit < 8 {
                crc = if crc & 0x8000 != 0 { crc << 1 ^ 0x1021 } else { crc << 1 };
                bit += 1;
            }
            tables[distance][byte] = crc;
            distance += 1;
        }
        byte += 1;
    }
    tables
}

/// CRC16/XMODEM of the bytes.
#[inline]
pub fn crc16(bytes: &[u8]) -> u16 {
    let (head, blocks) = bytes.split_at(bytes.len() % BLOCK);
    let mut crc = 0;
    for (table, &byte) in DISTANCE.iter().zip(head.iter().rev()) {
        crc ^= table[byte as usize];
    }
    for block in blocks.chunks_exact(BLOCK) {
        let [high, low] = crc.to_be_bytes();
        crc = DISTANCE[15][(block[0] ^ high) as usize] ^ DISTANCE[14][(block[1] ^ low) as usize];
        for distance in 0..BLOCK - 2 {
            crc ^= DISTANCE[distance][block[BLOCK - 1 - distance] as usize];
        }
    }
    crc
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_check_value_of_the_algorithm_holds() {
        assert_eq!(crc16(b"123456789"), 0x31C3);
        assert_eq!(crc16(b""), 0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]
        #[test]
        fn it_agrees_with_the_reference_crate(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(crc16(&bytes), ::crc16::State::<::crc16::XMODEM>::calculate(&bytes));
        }
    }
}
