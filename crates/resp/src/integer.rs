//! Decimal integers, both ways, as Redis writes and reads them.

use std::ops::Deref;

/// A number in decimal, on the stack.
#[derive(Clone, Copy)]
pub struct IntegerText {
    // The digits end at the array's end.
    bytes: [u8; 20],
    start: u8,
}

impl Deref for IntegerText {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.bytes[self.start as usize..]
    }
}

/// All two-digit numbers in a row: two digits by one division.
static PAIRS: [u8; 200] = pairs();

const fn pairs() -> [u8; 200] {
    let mut table = [0; 200];
    let mut n = 0;
    while n < 100 {
        table[n * 2] = b'0' + (n / 10) as u8;
        table[n * 2 + 1] = b'0' + (n % 10) as u8;
        n += 1;
    }
    table
}

/// The number in decimal.
#[inline]
pub fn format_integer(number: i64) -> IntegerText {
    let mut bytes = [0; 20];
    let start = write_backwards(number, &mut bytes);
    IntegerText { bytes, start: start as u8 }
}

/// A line of the protocol that holds a number: its mark, the number, the line end.
#[derive(Clone, Copy)]
pub(crate) struct NumberLine {
    bytes: [u8; 23],
    start: u8,
}

impl NumberLine {
    #[inline]
    pub(crate) fn new(mark: u8, number: i64) -> NumberLine {
        let mut bytes = [0; 23];
        bytes[21] = b'\r';
        bytes[22] = b'\n';
        let start = write_backwards(number, &mut bytes[1..21]);
        // One byte further along than in the slice, and one back for the mark.
        bytes[start] = mark;
        NumberLine { bytes, start: start as u8 }
    }

    #[inline]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[self.start as usize..]
    }
}

/// Writes the number so that it ends where the slice does; returns where it starts.
#[inline]
fn write_backwards(number: i64, bytes: &mut [u8]) -> usize {
    let mut at = bytes.len();
    let mut rest = number.unsigned_abs();
    while rest >= 100 {
        let pair = (rest % 100) as usize * 2;
        rest /= 100;
        at -= 2;
        bytes[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    }
    if rest >= 10 {
        let pair = rest as usize * 2;
        at -= 2;
        bytes[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    } else {
        at -= 1;
        bytes[at] = b'0' + rest as u8;
    }
    if number < 0 {
        at -= 1;
        bytes[at] = b'-';
    }
    at
}

/// The number that a text is, if it is the one way in which [`format_integer`] would write it: no
/// blanks, plus, leading zeros or `-0`. So a text that is an integer can be stored as one.
#[inline]
pub fn parse_integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'0'] => return Some(0),
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.len() > 19 || !matches!(digits.first(), Some(b'1'..=b'9')) {
        return None;
    }
    let mut value: u64 = 0;
    for &byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        // Nineteen digits fit in 64 bits.
        value = value * 10 + u64::from(digit);
    }
    if negative {
        0i64.checked_sub_unsigned(value)
    } else {
        i64::try_from(value).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_ends_of_the_range_are_read_and_written() {
        for number in [i64::MIN, i64::MIN + 1, -100, -99, -10, -1, 0, 1, 9, 10, 99, 100, 101, i64::MAX] {
            assert_eq!(&*format_integer(number), number.to_string().as_bytes());
            assert_eq!(parse_integer(number.to_string().as_bytes()), Some(number));
        }
    }

    #[test]
    fn only_the_canonical_text_is_an_integer() {
        for text in
            ["", "-", "+1", " 1", "1 ", "01", "-0", "-01", "00", "1a", "0x1", "9223372036854775808", "1.0"]
        {
            assert_eq!(parse_integer(text.as_bytes()), None, "{text}");
        }
        for text in ["-9223372036854775809", "99999999999999999999", "18446744073709551617"] {
            assert_eq!(parse_integer(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn it_agrees_with_the_standard_library(number: i64, shift in 0..63) {
            let number: i64 = number >> shift;
            let expected = number.to_string();
            prop_assert_eq!(&*format_integer(number), expected.as_bytes());
            prop_assert_eq!(parse_integer(expected.as_bytes()), Some(number));
        }

        #[test]
        fn a_text_that_is_read_is_written_the_same(text in "-?[0-9]{1,20}") {
            if let Some(number) = parse_integer(text.as_bytes()) {
                prop_assert_eq!(&*format_integer(number), text.as_bytes());
            }
        }
    }
}
