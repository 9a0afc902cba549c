//! Writing: the parts of which RDB values are made. The forms are those of [`read`](crate::read).
//!
//! A string takes the first of these forms that fits: an integer, if it is one's canonical text; compressed, if it
//! is longer than 20 bytes and shrinks by 4 or more; as it is. So does Redis.

use crate::lzf::Compressor;
use datatypes::parse_i64;

/// No shorter string can shrink enough to be compressed.
const COMPRESS_ABOVE: usize = 20;
/// So much a compressed string must be shorter.
const MUST_SAVE: usize = 4;
/// No integer of 32 bits has a longer text.
const INTEGER_TEXT: usize = 11;

/// Appends the parts; keeps what compression needs from string to string.
#[derive(Default)]
pub struct Writer {
    compressor: Compressor,
    /// The last string's compressed form.
    compressed: Vec<u8>,
}

impl Writer {
    /// Ready to write.
    pub fn new() -> Writer {
        Writer::default()
    }

    /// A string, in its shortest form.
    pub fn string(&mut self, text: &[u8], into: &mut Vec<u8>) {
        if text.len() <= INTEGER_TEXT && integer_string(text, into) {
            return;
        }
        if text.len() > COMPRESS_ABOVE
            && self.compressor.compress(text, text.len() - MUST_SAVE, &mut self.compressed)
        {
            into.push(0xc3);
            length(self.compressed.len() as u64, into);
            length(text.len() as u64, into);
            into.extend_from_slice(&self.compressed);
            return;
        }
        length(text.len() as u64, into);
        into.extend_from_slice(text);
    }
}

/// A length or count.
pub fn length(length: u64, into: &mut Vec<u8>) {
    match length {
        0..=0x3f => into.push(length as u8),
        0x40..=0x3fff => into.extend_from_slice(&(0x4000 | length as u16).to_be_bytes()),
        0x4000..=0xffff_ffff => {
            into.push(0x80);
            into.extend_from_slice(&(length as u32).to_be_bytes());
        }
        _ => {
            into.push(0x81);
            into.extend_from_slice(&length.to_be_bytes());
        }
    }
}

/// A double as it lies in memory.
pub fn binary_double(number: f64, into: &mut Vec<u8>) {
    into.extend_from_slice(&number.to_le_bytes());
}

/// A time in milliseconds.
pub fn milliseconds(time: i64, into: &mut Vec<u8>) {
    into.extend_from_slice(&time.to_le_bytes());
}

/// Writes a string as an integer, if it is the text of one of 32 bits.
fn integer_string(text: &[u8], into: &mut Vec<u8>) -> bool {
    let Some(number) = parse_i64(text) else { return false };
    if let Ok(number) = i8::try_from(number) {
        into.push(0xc0);
        into.extend_from_slice(&number.to_le_bytes());
    } else if let Ok(number) = i16::try_from(number) {
        into.push(0xc1);
        into.extend_from_slice(&number.to_le_bytes());
    } else if let Ok(number) = i32::try_from(number) {
        into.push(0xc2);
        into.extend_from_slice(&number.to_le_bytes());
    } else {
        return false;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::Reader;
    use crate::Corrupt;
    use proptest::prelude::*;

    fn read(bytes: &[u8]) -> Result<Vec<u8>, Corrupt> {
        let mut reader = Reader::new(bytes, 1 << 20);
        let text = reader.string()?.into_owned();
        assert_eq!(reader.remaining(), 0);
        let mut again = Reader::new(bytes, 1 << 20);
        again.skip_string()?;
        assert_eq!(again.remaining(), 0, "a string that is skipped is as long as one that is read");
        Ok(text)
    }

    fn written(text: &[u8]) -> Vec<u8> {
        let mut into = Vec::new();
        Writer::new().string(text, &mut into);
        into
    }

    #[test]
    fn strings_take_their_shortest_form() {
        let cases: [(&[u8], &[u8]); 12] = [
            (b"", &[0]),
            (b"hello", b"\x05hello"),
            (b"123", &[0xc0, 0x7b]),
            (b"-128", &[0xc0, 0x80]),
            (b"-1000", &[0xc1, 0x18, 0xfc]),
            (b"100000", &[0xc2, 0xa0, 0x86, 0x01, 0x00]),
            (b"-2147483648", &[0xc2, 0, 0, 0, 0x80]),
            (b"2147483648", b"\x0a2147483648"),
            (b"007", b"\x03007"),
            (b"-0", b"\x02-0"),
            (b"+5", b"\x02+5"),
            (&[b'a'; 60], &[0xc3, 9, 60, 1, 0x61, 0x61, 0xe0, 0x2f, 0, 1, 0x61, 0x61]),
        ];
        for (text, form) in cases {
            assert_eq!(written(text), form, "{}", text.escape_ascii());
            assert_eq!(read(form).as_deref(), Ok(text));
        }
    }

    #[test]
    fn lengths_take_their_shortest_form() {
        for (number, size) in [
            (0, 1),
            (63, 1),
            (64, 2),
            (16383, 2),
            (16384, 5),
            (u64::from(u32::MAX), 5),
            (1 << 32, 9),
            (u64::MAX, 9),
        ] {
            let mut into = Vec::new();
            length(number, &mut into);
            assert_eq!(into.len(), size);
            assert_eq!(Reader::new(&into, 0).length(), Ok(number));
            for cut in 0..size {
                assert_eq!(Reader::new(&into[..cut], 0).length(), Err(Corrupt::Truncated));
            }
        }
        for first in (0x82..=0xbf).chain(0xc0..=0xff) {
            assert_eq!(Reader::new(&[first; 20], 99).length(), Err(Corrupt::Length(first)));
        }
    }

    #[test]
    fn claims_are_held_against_what_is_left() {
        assert_eq!(
            Reader::new(&[0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], 99).string(),
            Err(Corrupt::TooLong(u64::MAX))
        );
        assert_eq!(Reader::new(b"\x09short", 99).string(), Err(Corrupt::Truncated));
        assert_eq!(Reader::new(b"\x09nine char", 8).string(), Err(Corrupt::TooLong(9)));
        assert_eq!(Reader::new(&[0xc3, 2, 63, 0, 0], 99).string(), Err(Corrupt::Lzf));
    }

    #[test]
    fn doubles_and_times() {
        let mut into = Vec::new();
        binary_double(-0.0, &mut into);
        milliseconds(-1, &mut into);
        into.extend_from_slice(b"\x032.5\xfd\xfe\xff\x06-1e-20\x02x1\x09");
        let mut reader = Reader::new(&into, 0);
        assert_eq!(reader.binary_double().map(f64::to_bits), Ok((-0.0f64).to_bits()));
        assert_eq!(reader.milliseconds(), Ok(-1));
        assert_eq!(reader.text_double(), Ok(2.5));
        assert!(reader.text_double().is_ok_and(f64::is_nan));
        assert_eq!(reader.text_double(), Ok(f64::INFINITY));
        assert_eq!(reader.text_double(), Ok(f64::NEG_INFINITY));
        assert_eq!(reader.text_double(), Ok(-1e-20));
        assert_eq!(reader.text_double(), Err(Corrupt::Score));
        assert_eq!(reader.text_double(), Err(Corrupt::Truncated));
    }

    proptest! {
        #[test]
        fn strings_come_back(text in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            prop::collection::vec(0..3u8, 0..20_000),
            any::<i64>().prop_map(|number| number.to_string().into_bytes()),
            any::<i16>().prop_map(|number| number.to_string().into_bytes()),
        ]) {
            prop_assert_eq!(read(&written(&text)), Ok(text));
        }

        #[test]
        fn anything_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = Reader::new(&bytes, 1 << 20).string();
            let _ = Reader::new(&bytes, 1 << 20).skip_string();
            let _ = Reader::new(&bytes, 1 << 20).text_double();
        }
    }
}
