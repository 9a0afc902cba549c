//! Reading: the parts of which RDB values are made, from bytes that may be anything.
//!
//! ```text
//!     00nnnnnn                     a length, or count: 6 bits
//!     01nnnnnn nnnnnnnn            14 bits, big-endian as the next two
//!     10000000 + 4 bytes           32 bits
//!     10000001 + 8 bytes           64 bits
//!     11000000 + 1 byte            in place of a string: its text is this integer's
//!     11000001 + 2, 11000010 + 4   likewise, little-endian
//!     11000011 length length ...   a string compressed by LZF: compressed length, length, bytes
//! ```
//!
//! 1. Every method fails rather than read beyond the end, and consumes nothing that matters then: the
//!    caller drops the reader, or sets it back by [`Reader::set_position`].
//! 2. A length is only a claim. Nothing is allocated for it before it is held against what is left.

use crate::lzf;
use crate::Corrupt;
use std::borrow::Cow;

/// Bytes, and how far they are read.
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    max_string: usize,
}

/// A length, or one of the special forms of a string.
enum Prefix {
    Length(u64),
    Special(u8),
}

impl<'a> Reader<'a> {
    /// At the front of `bytes`; a string longer than `max_string` is an error.
    pub fn new(bytes: &'a [u8], max_string: usize) -> Reader<'a> {
        Reader { bytes, at: 0, max_string }
    }

    /// How many bytes have been read.
    pub fn position(&self) -> usize {
        self.at
    }

    /// Goes to a position that [`position`](Self::position) gave.
    pub fn set_position(&mut self, at: usize) {
        self.at = at.min(self.bytes.len());
    }

    /// How many bytes are left.
    pub fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// So many bytes as they are.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], Corrupt> {
        let taken = self.bytes[self.at..].get(..count).ok_or(Corrupt::Truncated)?;
        self.at += count;
        Ok(taken)
    }

    /// So many bytes as an array.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Corrupt> {
        self.take(N).map(|bytes| bytes.try_into().expect("so many were taken"))
    }

    /// One byte.
    pub fn byte(&mut self) -> Result<u8, Corrupt> {
        self.array().map(|[byte]| byte)
    }

    /// A length or count.
    pub fn length(&mut self) -> Result<u64, Corrupt> {
        match self.prefix()? {
            Prefix::Length(length) => Ok(length),
            Prefix::Special(kind) => Err(Corrupt::Length(0xc0 | kind)),
        }
    }

    /// A string, borrowed if it stands there as it is.
    pub fn string(&mut self) -> Result<Cow<'a, [u8]>, Corrupt> {
        let number = match self.prefix()? {
            Prefix::Length(length) => {
                let length = self.string_length(length)?;
                return self.take(length).map(Cow::Borrowed);
            }
            Prefix::Special(0) => i64::from(i8::from_le_bytes(self.array()?)),
            Prefix::Special(1) => i64::from(i16::from_le_bytes(self.array()?)),
            Prefix::Special(2) => i64::from(i32::from_le_bytes(self.array()?)),
            Prefix::Special(3) => return self.compressed_string().map(Cow::Owned),
            Prefix::Special(other) => return Err(Corrupt::Length(0xc0 | other)),
        };
        Ok(Cow::Owned(number.to_string().into_bytes()))
    }

    /// Passes over a string, without decompressing it.
    pub fn skip_string(&mut self) -> Result<(), Corrupt> {
        let count = match self.prefix()? {
            Prefix::Length(length) => self.string_length(length)?,
            Prefix::Special(kind @ 0..=2) => 1 << kind,
            Prefix::Special(3) => {
                let compressed = self.length()?;
                self.length()?;
                self.string_length(compressed)?
            }
            Prefix::Special(other) => return Err(Corrupt::Length(0xc0 | other)),
        };
        self.take(count).map(|_| ())
    }

    /// A double as it lies in memory.
    pub fn binary_double(&mut self) -> Result<f64, Corrupt> {
        self.array().map(f64::from_le_bytes)
    }

    /// A double as text, as long ago.
    pub fn text_double(&mut self) -> Result<f64, Corrupt> {
        match self.byte()? {
            253 => Ok(f64::NAN),
            254 => Ok(f64::INFINITY),
            255 => Ok(f64::NEG_INFINITY),
            length => {
                let text = self.take(usize::from(length))?;
                let text = std::str::from_utf8(text).map_err(|_| Corrupt::Score)?;
                text.trim().parse().map_err(|_| Corrupt::Score)
            }
        }
    }

    /// A time in milliseconds.
    pub fn milliseconds(&mut self) -> Result<i64, Corrupt> {
        self.array().map(i64::from_le_bytes)
    }

    fn prefix(&mut self) -> Result<Prefix, Corrupt> {
        let first = self.byte()?;
        let low = first & 0x3f;
        Ok(match first >> 6 {
            0 => Prefix::Length(u64::from(low)),
            1 => Prefix::Length(u64::from(low) << 8 | u64::from(self.byte()?)),
            2 if first == 0x80 => Prefix::Length(u64::from(u32::from_be_bytes(self.array()?))),
            2 if first == 0x81 => Prefix::Length(u64::from_be_bytes(self.array()?)),
            2 => return Err(Corrupt::Length(first)),
            _ => Prefix::Special(low),
        })
    }

    fn string_length(&self, length: u64) -> Result<usize, Corrupt> {
        usize::try_from(length)
            .ok()
            .filter(|&length| length <= self.max_string)
            .ok_or(Corrupt::TooLong(length))
    }

    fn compressed_string(&mut self) -> Result<Vec<u8>, Corrupt> {
        let compressed = self.length()?;
        let length = self.length()?;
        let compressed = self.string_length(compressed)?;
        let length = self.string_length(length)?;
        let input = self.take(compressed)?;
        let mut output = Vec::new();
        if lzf::decompress(input, length, &mut output) {
            Ok(output)
        } else {
            Err(Corrupt::Lzf)
        }
    }
}
