//! Ziplists: the compact encoding of Redis before 7.0, read only.
//!
//! ```text
//!     ziplist   total bytes 4 | offset of the last element 4 | count 2 | element | ... | FF
//!     element   length of the element before | tag and length | bytes of the string
//!
//!     00llllll                            a string of l < 64 bytes
//!     01llllll llllllll                   a string of l < 16384 bytes, the high bits of l first
//!     10000000 and l in 4 bytes           any other string, l big-endian
//!     C0, F0, D0, E0                      integers of 16, 24, 32 and 64 bits follow
//!     FE                                  one of 8 bits
//!     F1 to FD                            the integers from 0 to 12
//! ```
//!
//! The length of the element before is a byte below 254, or 254 and four bytes. Numbers are
//! little-endian but for the one place. A count of 65535 means: count yourself.
//!
//! All is checked that can contradict itself, since whoever wrote it is a stranger.

use crate::Corrupt;
use datatypes::listpack::Item;

const HEADER: usize = 10;
const END: u8 = 0xff;
const COUNT_UNKNOWN: u16 = u16::MAX;

/// Calls `element` with each element, checking all sizes and links on the way.
pub fn read<'a>(
    bytes: &'a [u8],
    mut element: impl FnMut(Item<'a>) -> Result<(), Corrupt>,
) -> Result<(), Corrupt> {
    let broken = Corrupt::Ziplist;
    if bytes.len() <= HEADER || bytes.last() != Some(&END) {
        return Err(broken);
    }
    let total = u32_at(bytes, 0);
    let tail = u32_at(bytes, 4);
    let count = u16::from_le_bytes([bytes[8], bytes[9]]);
    if total != bytes.len() {
        return Err(broken);
    }
    let end = bytes.len() - 1;
    let mut at = HEADER;
    let mut before = 0;
    let mut last = HEADER;
    let mut seen = 0usize;
    while at < end {
        let (length_before, rest) = previous_length(&bytes[at..end]).ok_or(broken)?;
        let (item, rest) = item(rest).ok_or(broken)?;
        if length_before != before {
            return Err(broken);
        }
        element(item)?;
        last = at;
        before = end - rest.len() - at;
        at += before;
        seen += 1;
    }
    // An empty one's last element is where the first would be.
    if tail != last || (count != COUNT_UNKNOWN && usize::from(count) != seen) {
        return Err(broken);
    }
    Ok(())
}

fn u32_at(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes")) as usize
}

fn previous_length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    match first {
        END => None,
        254 => {
            let (four, rest) = rest.split_first_chunk()?;
            Some((u32::from_le_bytes(*four) as usize, rest))
        }
        short => Some((usize::from(short), rest)),
    }
}

fn item(bytes: &[u8]) -> Option<(Item<'_>, &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (length, rest) = match tag {
        0x00..=0x3f => (usize::from(tag), rest),
        0x40..=0x7f => {
            let (&low, rest) = rest.split_first()?;
            (usize::from(tag & 0x3f) << 8 | usize::from(low), rest)
        }
        0x80 => {
            let (four, rest) = rest.split_first_chunk()?;
            (u32::from_be_bytes(*four) as usize, rest)
        }
        _ => return integer(tag, rest),
    };
    let (text, rest) = rest.split_at_checked(length)?;
    Some((Item::Str(text), rest))
}

fn integer(tag: u8, rest: &[u8]) -> Option<(Item<'_>, &[u8])> {
    let width = match tag {
        0xf1..=0xfd => return Some((Item::Int(i64::from(tag - 0xf1)), rest)),
        0xfe => 1,
        0xc0 => 2,
        0xf0 => 3,
        0xd0 => 4,
        0xe0 => 8,
        _ => return None,
    };
    let (bytes, rest) = rest.split_at_checked(width)?;
    let mut wide = [0; 8];
    wide[8 - width..].copy_from_slice(bytes);
    // From the top of the word the sign comes down with the shift.
    Some((Item::Int(i64::from_le_bytes(wide) >> (64 - 8 * width)), rest))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A ziplist as Redis writes it, for tests: integers in their smallest form if `compact`.
    pub(crate) fn build(items: &[Item<'_>]) -> Vec<u8> {
        let mut bytes = vec![0; HEADER];
        let mut before = 0;
        let mut last = HEADER;
        for item in items {
            last = bytes.len();
            if before < 254 {
                bytes.push(before as u8);
            } else {
                bytes.push(254);
                bytes.extend((before as u32).to_le_bytes());
            }
            match *item {
                Item::Int(number @ 0..=12) => bytes.push(0xf1 + number as u8),
                Item::Int(number) => {
                    let fits = |bits: u32| number << (64 - bits) >> (64 - bits) == number;
                    let forms = [(0xfe, 8), (0xc0, 16), (0xf0, 24), (0xd0, 32), (0xe0, 64)];
                    let (tag, bits) = forms.into_iter().find(|&(_, bits)| fits(bits)).expect("64 bits fit");
                    bytes.push(tag);
                    bytes.extend(&number.to_le_bytes()[..bits as usize / 8]);
                }
                Item::Str(text) => {
                    match text.len() {
                        len @ 0..64 => bytes.push(len as u8),
                        len @ 64..16384 => bytes.extend((0x4000 | len as u16).to_be_bytes()),
                        len => {
                            bytes.push(0x80);
                            bytes.extend((len as u32).to_be_bytes());
                        }
                    }
                    bytes.extend(text);
                }
            }
            before = bytes.len() - last;
        }
        bytes.push(END);
        let total = bytes.len() as u32;
        bytes[..4].copy_from_slice(&total.to_le_bytes());
        bytes[4..8].copy_from_slice(&(last as u32).to_le_bytes());
        bytes[8..10].copy_from_slice(&(items.len().min(65535) as u16).to_le_bytes());
        bytes
    }

    fn elements(bytes: &[u8]) -> Result<Vec<Item<'_>>, Corrupt> {
        let mut elements = Vec::new();
        read(bytes, |item| {
            elements.push(item);
            Ok(())
        })?;
        Ok(elements)
    }

    #[test]
    fn one_of_the_documented_bytes_is_read() {
        // Redis's own example: the strings "2" and "5", both integers.
        let bytes = b"\x0f\0\0\0\x0c\0\0\0\x02\0\x00\xf3\x02\xf6\xff";
        assert_eq!(elements(bytes), Ok(vec![Item::Int(2), Item::Int(5)]));
        assert_eq!(build(&[Item::Int(2), Item::Int(5)]), bytes);
        assert_eq!(elements(&build(&[])), Ok(vec![]));
    }

    #[test]
    fn contradictions_are_found() {
        let long = vec![b'x'; 300];
        let good =
            build(&[Item::Str(b"ab"), Item::Int(-7), Item::Str(&long), Item::Int(1 << 40), Item::Str(b"z")]);
        assert_eq!(elements(&good).map(|items| items.len()), Ok(5));
        for cut in 0..good.len() {
            assert_eq!(elements(&good[..cut]), Err(Corrupt::Ziplist), "cut at {cut}");
        }
        for at in 0..HEADER {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert_eq!(elements(&bad), Err(Corrupt::Ziplist), "byte {at} of the header");
        }
        let mut bad = good.clone();
        bad[HEADER] = 1;
        assert_eq!(elements(&bad), Err(Corrupt::Ziplist), "the first has nothing before it");
        for tag in (0x81..=0xbf).chain([0xc1, 0xd1, 0xe1, 0xef, 0xff]) {
            let mut bad = good.clone();
            bad[HEADER + 1] = tag;
            assert_eq!(elements(&bad), Err(Corrupt::Ziplist), "tag {tag:#x}");
        }
    }

    proptest! {
        #[test]
        fn elements_come_back(
            elements_in in prop::collection::vec(
                prop_oneof![
                    any::<i64>().prop_map(Ok),
                    any::<i16>().prop_map(|number| Ok(i64::from(number))),
                    (-2..15i64).prop_map(Ok),
                    prop::collection::vec(any::<u8>(), 0..300).prop_map(Err),
                    (0..20_000usize).prop_map(|len| Err(vec![b'x'; len])),
                ],
                0..20,
            ),
            flip in any::<(usize, u8)>(),
        ) {
            let items: Vec<Item<'_>> = elements_in
                .iter()
                .map(|element| match element {
                    Ok(number) => Item::Int(*number),
                    Err(text) => Item::Str(text),
                })
                .collect();
            let mut bytes = build(&items);
            prop_assert_eq!(elements(&bytes), Ok(items));
            let at = flip.0 % bytes.len();
            bytes[at] ^= flip.1;
            let _ = elements(&bytes);
        }
    }
}
