//! What stands under a payload: the version it needs, and a checksum.
//!
//! ```text
//!     type 1 | value | version 2 | CRC-64 of all before 8          both little-endian
//! ```

use crate::crc64;
use crate::Corrupt;

/// The highest version that is read: Redis 7.4's.
pub const NEWEST_VERSION: u16 = 12;
/// The version that is written where the value allows it: Redis 7.0's, which all later ones read.
pub const COMMON_VERSION: u16 = 10;

const FOOTER: usize = 10;

/// Writes the footer under the payload that begins at `start`.
pub fn seal(version: u16, start: usize, into: &mut Vec<u8>) {
    into.extend_from_slice(&version.to_le_bytes());
    let checksum = crc64::checksum(&into[start..]);
    into.extend_from_slice(&checksum.to_le_bytes());
}

/// A payload's three parts: what stands over the footer, what the checksum is of, and the checksum.
pub fn parts(payload: &[u8]) -> Result<(&[u8], &[u8], u64), Corrupt> {
    let body = payload.len().checked_sub(FOOTER).ok_or(Corrupt::Checksum)?;
    let (summed, checksum) = payload.split_last_chunk().ok_or(Corrupt::Checksum)?;
    let (body, version) = summed.split_at(body);
    let version = u16::from_le_bytes([version[0], version[1]]);
    if version > NEWEST_VERSION {
        return Err(Corrupt::Version(version));
    }
    Ok((body, summed, u64::from_le_bytes(*checksum)))
}

/// What stands over the footer, if version and checksum are right.
pub fn open(payload: &[u8]) -> Result<&[u8], Corrupt> {
    let (body, summed, checksum) = parts(payload)?;
    if crc64::checksum(summed) != checksum {
        return Err(Corrupt::Checksum);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens() {
        let mut payload = b"before\x00\x05hello".to_vec();
        seal(COMMON_VERSION, 6, &mut payload);
        // As redis-server 7.0 answers it.
        assert_eq!(&payload[6..], b"\x00\x05hello\x0a\x00\x63\x72\xdf\x76\x65\x34\x20\x0a");
        assert_eq!(open(&payload[6..]), Ok(&b"\x00\x05hello"[..]));
    }

    #[test]
    fn every_changed_bit_is_noticed() {
        let mut payload = b"\x00\x05hello".to_vec();
        seal(NEWEST_VERSION, 0, &mut payload);
        for at in 0..payload.len() * 8 {
            let mut changed = payload.clone();
            changed[at / 8] ^= 1 << (at % 8);
            assert!(open(&changed).is_err_and(Corrupt::in_footer), "bit {at}");
        }
        for cut in 0..payload.len() {
            assert!(open(&payload[..cut]).is_err_and(Corrupt::in_footer), "cut at {cut}");
        }
    }

    #[test]
    fn later_versions_are_not_read() {
        let mut payload = vec![0, 0];
        seal(NEWEST_VERSION + 1, 0, &mut payload);
        assert_eq!(open(&payload), Err(Corrupt::Version(NEWEST_VERSION + 1)));
    }

    #[test]
    fn nothing_has_a_footer_too() {
        // FUNCTION DUMP without functions.
        let mut payload = Vec::new();
        seal(COMMON_VERSION, 0, &mut payload);
        assert_eq!(payload, [0x0a, 0x00, 0x5d, 0x9b, 0x5c, 0x40, 0x0f, 0x7f, 0xa2, 0xda]);
        assert_eq!(open(&payload), Ok(&[][..]));
    }
}
