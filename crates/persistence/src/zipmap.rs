//! Zipmaps: the small hashes of Redis before 2.6, read only.
//!
//! ```text
//!     count | length field | length free value unused | length field | ... | ff
//! ```
//!
//! A length is a byte below 254, or 254 and four bytes, little-endian; `free` says how many unused bytes
//! follow the value. A count of 254 or 255 means: count yourself.

use crate::Corrupt;

/// The first count that says nothing.
const UNKNOWN: u8 = 254;
const END: u8 = 0xff;

/// Calls `pair` with each field and its value, checking all sizes on the way.
pub fn read<'a>(
    bytes: &'a [u8],
    mut pair: impl FnMut(&'a [u8], &'a [u8]) -> Result<(), Corrupt>,
) -> Result<(), Corrupt> {
    let (&count, mut rest) = bytes.split_first().ok_or(Corrupt::Zipmap)?;
    let mut seen = 0usize;
    while rest.first() != Some(&END) {
        let field = length(&mut rest)?;
        let field = take(&mut rest, field)?;
        let value = length(&mut rest)?;
        let unused = usize::from(take(&mut rest, 1)?[0]);
        let value = take(&mut rest, value)?;
        take(&mut rest, unused)?;
        pair(field, value)?;
        seen += 1;
    }
    if rest.len() > 1 || (count < UNKNOWN && usize::from(count) != seen) {
        return Err(Corrupt::Zipmap);
    }
    Ok(())
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Result<&'a [u8], Corrupt> {
    let (taken, left) = rest.split_at_checked(count).ok_or(Corrupt::Zipmap)?;
    *rest = left;
    Ok(taken)
}

fn length(rest: &mut &[u8]) -> Result<usize, Corrupt> {
    match take(rest, 1)?[0] {
        END => Err(Corrupt::Zipmap),
        254 => {
            let four = take(rest, 4)?.try_into().expect("four were taken");
            Ok(u32::from_le_bytes(four) as usize)
        }
        short => Ok(usize::from(short)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Pair<'a> = (&'a [u8], &'a [u8]);

    fn pairs(bytes: &[u8]) -> Result<Vec<Pair<'_>>, Corrupt> {
        let mut pairs = Vec::new();
        read(bytes, |field, value| {
            pairs.push((field, value));
            Ok(())
        })?;
        Ok(pairs)
    }

    #[test]
    fn pairs_are_read() {
        let bytes = b"\x02\x03foo\x03\x00bar\x05hello\x05\x02world??\xff";
        let expected: [Pair<'_>; 2] = [(b"foo", b"bar"), (b"hello", b"world")];
        assert_eq!(pairs(bytes).as_deref(), Ok(&expected[..]));
        for cut in 0..bytes.len() {
            assert_eq!(pairs(&bytes[..cut]), Err(Corrupt::Zipmap), "{cut}");
        }
        assert_eq!(pairs(b"\x03\x03foo\x03\x00bar\xff"), Err(Corrupt::Zipmap));
        assert_eq!(pairs(b"\x01\x03foo\x03\x00bar\xff\xff"), Err(Corrupt::Zipmap));
        assert_eq!(pairs(b"\xfe\x03foo\x03\x00bar\xff").map(|pairs| pairs.len()), Ok(1));
        assert_eq!(pairs(b"\x00\xff"), Ok(vec![]));
    }

    #[test]
    fn long_lengths_are_read() {
        let mut bytes = vec![1, 254];
        bytes.extend(300u32.to_le_bytes());
        bytes.extend([b'f'; 300]);
        bytes.extend(b"\x01\x00v\xff");
        assert_eq!(pairs(&bytes).map(|pairs| pairs[0].0.len()), Ok(300));
        bytes[2..6].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(pairs(&bytes), Err(Corrupt::Zipmap));
    }

    proptest! {
        #[test]
        fn anything_is_read_or_refused(bytes in prop::collection::vec(0..20u8, 0..60)) {
            let _ = pairs(&[&bytes[..], &[END]].concat());
        }
    }
}
