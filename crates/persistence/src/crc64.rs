//! The checksum under payloads and files: CRC-64 with Jones's polynomial, reflected, from zero.
//!
//! Sixteen tables of 2 KB each take 16 bytes a step: some 2.5 GB/s, 100 ns for a payload of 100 bytes.
//! A carry-less multiplication is faster from a kilobyte on, but slower on the small payloads that DUMP
//! mostly makes.

use crc::{Crc, Table, CRC_64_REDIS};

static CRC: Crc<u64, Table<16>> = Crc::<u64, Table<16>>::new(&CRC_64_REDIS);

/// The checksum of bytes that come in pieces.
pub struct Checksum(crc::Digest<'static, u64, Table<16>>);

impl Checksum {
    /// Of nothing so far.
    pub fn new() -> Checksum {
        Checksum(CRC.digest())
    }

    /// The next piece.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The checksum of all pieces.
    pub fn finish(self) -> u64 {
        self.0.finalize()
    }
}

impl Default for Checksum {
    fn default() -> Checksum {
        Checksum::new()
    }
}

/// The checksum of `bytes`.
pub fn checksum(bytes: &[u8]) -> u64 {
    CRC.checksum(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bit by bit, as the polynomial's definition says.
    fn naive(bytes: &[u8]) -> u64 {
        bytes.iter().fold(0u64, |crc, &byte| {
            (0..8).fold(crc ^ u64::from(byte), |crc, _| (crc >> 1) ^ (0x95ac9329ac4bc9b5 * (crc & 1)))
        })
    }

    #[test]
    fn it_is_the_one_that_redis_computes() {
        assert_eq!(checksum(b"123456789"), 0xe9c6d914c4b8d9ca);
        assert_eq!(checksum(b""), 0);
        let bytes: Vec<u8> = (0..1000u32).map(|i| (i * 7919 / 8) as u8).collect();
        for len in (0..100).chain([255, 256, 257, 1000]) {
            assert_eq!(checksum(&bytes[..len]), naive(&bytes[..len]), "{len} bytes");
        }
    }

    #[test]
    fn pieces_sum_up() {
        let bytes: Vec<u8> = (0..200u8).collect();
        for cut in 0..bytes.len() {
            let mut sum = Checksum::new();
            sum.update(&bytes[..cut]);
            sum.update(&bytes[cut..]);
            assert_eq!(sum.finish(), checksum(&bytes));
        }
    }
}
