//! Cutting a link's byte stream into frames (rules 1.7.1 and 1.7.5).
//!
//! ```text
//!     52 43 6d 62 | totlen | ............ totlen bytes in all ............ | 52 43 6d 62 | ...
//! ```
//!
//! There is no other framing, so whoever loses step has lost the link: a wrong signature, a length
//! below the header's, or one above the bound is a [`Violation`] and ends it. The signature is
//! judged on the first four bytes, the length on the first eight: nobody makes us wait for, or
//! store, what will be refused.
//!
//! Memory: what has arrived of one frame, and never more than the bound plus one `feed`. A length that
//! is merely announced costs nothing.

use crate::codec::{is_light, HEADER_LEN, LIGHT_HEADER_LEN, SIGNATURE};

/// Why a link has to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// The next message does not begin as one.
    #[error("Bad message signature received on the Cluster bus")]
    Signature,
    /// The next message claims to be shorter than its own header.
    #[error("Bad message length received on the Cluster bus: {0} bytes")]
    TooShort(u32),
    /// The next message claims to be longer than we are willing to read.
    #[error("Bad message length received on the Cluster bus: {0} bytes are more than the bound")]
    TooLong(u32),
}

/// The bytes of one link that are not a whole message yet.
#[derive(Debug, Default)]
pub struct PacketReader {
    buffer: Vec<u8>,
    start: usize,
}

/// Capacity kept for the next messages once the buffer has run empty.
const KEEP_CAPACITY: usize = 64 * 1024;

impl PacketReader {
    /// A reader at the beginning of a stream.
    pub fn new() -> PacketReader {
        PacketReader::default()
    }

    /// Takes bytes in the order of arrival. Call [`next_frame`](Self::next_frame) until it has no
    /// more before feeding again.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// How many bytes wait for the rest of their message.
    pub fn buffered(&self) -> usize {
        self.buffer.len() - self.start
    }

    /// The next whole message, not longer than `max_len`.
    pub fn next_frame(&mut self, max_len: usize) -> Result<Option<Vec<u8>>, Violation> {
        let waiting = &self.buffer[self.start..];
        let seen = waiting.len().min(SIGNATURE.len());
        if waiting[..seen] != SIGNATURE[..seen] {
            return Err(Violation::Signature);
        }
        let Some(total) = waiting.get(4..8).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]])) else {
            return Ok(None);
        };
        if (total as usize) < LIGHT_HEADER_LEN {
            return Err(Violation::TooShort(total));
        }
        if total as usize > max_len {
            return Err(Violation::TooLong(total));
        }
        if (total as usize) < HEADER_LEN {
            // Only a light message may be so short, and its type is in bytes 12 and 13.
            if waiting.len() < LIGHT_HEADER_LEN {
                return Ok(None);
            }
            if !is_light(waiting) {
                return Err(Violation::TooShort(total));
            }
        }
        let total = total as usize;
        if waiting.len() < total {
            return Ok(None);
        }
        if self.start == 0 && self.buffer.len() == total {
            // The usual case, and the large one: nothing is copied.
            let fresh = Vec::with_capacity(self.buffer.capacity().min(KEEP_CAPACITY));
            return Ok(Some(std::mem::replace(&mut self.buffer, fresh)));
        }
        let frame = waiting[..total].to_vec();
        self.start += total;
        Ok(Some(frame))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(len: usize, kind: u16) -> Vec<u8> {
        let mut bytes = vec![7; len];
        bytes[..4].copy_from_slice(SIGNATURE);
        bytes[4..8].copy_from_slice(&(len as u32).to_be_bytes());
        bytes[12..14].copy_from_slice(&kind.to_be_bytes());
        bytes
    }

    #[test]
    fn frames_come_out_whole_however_the_bytes_arrive() {
        let frames = [frame(2256, 0), frame(2273, 4), frame(16, 0x8004), frame(28, 0x8004), frame(9000, 9)];
        let stream = frames.concat();
        for step in [1, 7, 16, 2255, 2256, 2257, 5000, stream.len()] {
            let mut reader = PacketReader::new();
            let mut out = Vec::new();
            for chunk in stream.chunks(step) {
                reader.feed(chunk);
                while let Some(frame) = reader.next_frame(1 << 20).unwrap() {
                    out.push(frame);
                }
            }
            assert!(out == frames, "in steps of {step}");
            assert_eq!(reader.buffered(), 0);
        }
    }

    #[test]
    fn a_wrong_signature_is_refused_at_its_first_wrong_byte() {
        let mut reader = PacketReader::new();
        reader.feed(b"RC");
        assert_eq!(reader.next_frame(1 << 20), Ok(None));
        reader.feed(b"x");
        assert_eq!(reader.next_frame(1 << 20), Err(Violation::Signature));
    }

    #[test]
    fn impossible_lengths_are_refused_before_their_bytes_arrive() {
        for (len, bound, violation) in [
            (0u32, 1 << 20, Violation::TooShort(0)),
            (15, 1 << 20, Violation::TooShort(15)),
            (4097, 4096, Violation::TooLong(4097)),
            (u32::MAX, 1 << 20, Violation::TooLong(u32::MAX)),
        ] {
            let mut reader = PacketReader::new();
            reader.feed(SIGNATURE);
            reader.feed(&len.to_be_bytes());
            assert_eq!(reader.next_frame(bound), Err(violation));
        }
    }

    #[test]
    fn only_a_light_message_may_be_shorter_than_a_header() {
        let mut reader = PacketReader::new();
        reader.feed(&frame(2255, 0)[..8]);
        assert_eq!(reader.next_frame(1 << 20), Ok(None));
        reader.feed(&frame(2255, 0)[8..16]);
        assert_eq!(reader.next_frame(1 << 20), Err(Violation::TooShort(2255)));
    }
}
