//! Ids of stream entries: a time in milliseconds and a sequence number, ordered as one number of 128 bits.
//!
//! ```text
//!     "1526919030474-55"   whole
//!     "1526919030474"      the sequence is what the caller says: 0 at a start, the highest at an end
//!     "-"  "+"             the lowest and the highest id, where a range is asked for
//!     "(1526919030474-55"  not this one: the next above at a start, the next below at an end
//!     "1526919030474-*"    XADD: the next free sequence of that millisecond
//!     "*"                  XADD: the next free id
//! ```
//!
//! 1. Numbers are read as leniently as Redis reads them: canonical integers first, then what C's `strtoull`
//!    takes (leading blanks, a sign, leading zeros), and nothing behind a zero byte.
//!
//! Not here: `$` and `>`, whose meaning depends on the command.

use crate::integer::parse_i64;
use std::fmt;

/// The longest argument that is looked at.
const MOST_BYTES: usize = 127;

/// The id of an entry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct StreamId {
    /// Unix time in milliseconds when the entry was added, as a rule.
    pub ms: u64,
    /// Tells apart the entries of one millisecond.
    pub seq: u64,
}

impl StreamId {
    /// 0-0, which no entry has.
    pub const MIN: StreamId = StreamId { ms: 0, seq: 0 };
    /// The highest id there is.
    pub const MAX: StreamId = StreamId { ms: u64::MAX, seq: u64::MAX };

    /// The id of these two parts.
    pub fn new(ms: u64, seq: u64) -> StreamId {
        StreamId { ms, seq }
    }

    /// An argument where `-` and `+` are allowed. What is missing after the milliseconds is `missing_seq`.
    pub fn parse(argument: &[u8], missing_seq: u64) -> Option<StreamId> {
        match shown(argument)? {
            b"-" => Some(StreamId::MIN),
            b"+" => Some(StreamId::MAX),
            text => parse_parts(text, missing_seq),
        }
    }

    /// An argument that has to be a certain id: neither `-` nor `+`.
    pub fn parse_strict(argument: &[u8], missing_seq: u64) -> Option<StreamId> {
        match shown(argument)? {
            b"-" | b"+" => None,
            text => parse_parts(text, missing_seq),
        }
    }

    /// The first id of a range, the `(` form included.
    pub fn parse_start(argument: &[u8]) -> Result<StreamId, BoundError> {
        match exclusive(argument) {
            None => StreamId::parse(argument, 0).ok_or(BoundError::Invalid),
            Some(id) => {
                let id = StreamId::parse_strict(id, 0).ok_or(BoundError::Invalid)?;
                id.next().ok_or(BoundError::Empty)
            }
        }
    }

    /// The last id of a range, the `(` form included.
    pub fn parse_end(argument: &[u8]) -> Result<StreamId, BoundError> {
        match exclusive(argument) {
            None => StreamId::parse(argument, u64::MAX).ok_or(BoundError::Invalid),
            Some(id) => {
                let id = StreamId::parse_strict(id, u64::MAX).ok_or(BoundError::Invalid)?;
                id.previous().ok_or(BoundError::Empty)
            }
        }
    }

    /// The id above; none above the highest.
    pub fn next(self) -> Option<StreamId> {
        self.to_number().checked_add(1).map(StreamId::from_number)
    }

    /// The id below; none below 0-0.
    pub fn previous(self) -> Option<StreamId> {
        self.to_number().checked_sub(1).map(StreamId::from_number)
    }

    /// 16 bytes, big endian: as payloads hold it.
    pub fn to_bytes(self) -> [u8; 16] {
        self.to_number().to_be_bytes()
    }

    /// The reverse of [`StreamId::to_bytes`].
    pub fn from_bytes(bytes: [u8; 16]) -> StreamId {
        StreamId::from_number(u128::from_be_bytes(bytes))
    }

    /// Appends the form that clients see.
    pub fn write_to(self, out: &mut Vec<u8>) {
        write_number(self.ms, out);
        out.push(b'-');
        write_number(self.seq, out);
    }

    pub(super) fn to_number(self) -> u128 {
        u128::from(self.ms) << 64 | u128::from(self.seq)
    }

    fn from_number(number: u128) -> StreamId {
        StreamId { ms: (number >> 64) as u64, seq: number as u64 }
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}-{}", self.ms, self.seq)
    }
}

/// Why an argument is no bound of a range.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BoundError {
    /// No id at all.
    Invalid,
    /// Exclusive, and nothing is beyond it.
    Empty,
}

/// The id that XADD asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NewId {
    /// `*`
    Auto,
    /// `ms-*`
    AutoSeq(u64),
    /// An id of the client's.
    Given(StreamId),
}

impl NewId {
    /// XADD's id argument.
    pub fn parse(argument: &[u8]) -> Option<NewId> {
        match shown(argument)? {
            b"*" => Some(NewId::Auto),
            b"-" | b"+" => None,
            text => match split_at_dash(text) {
                (ms, Some(b"*")) => parse_number(ms).map(NewId::AutoSeq),
                _ => parse_parts(text, 0).map(NewId::Given),
            },
        }
    }
}

/// The parts before and behind the first dash.
fn split_at_dash(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|&byte| byte == b'-') {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

fn exclusive(argument: &[u8]) -> Option<&[u8]> {
    match argument {
        [b'(', id @ ..] if !id.is_empty() => Some(id),
        _ => None,
    }
}

/// What of an argument counts: all before a zero byte, unless it is too long for an id.
fn shown(argument: &[u8]) -> Option<&[u8]> {
    if argument.len() > MOST_BYTES {
        return None;
    }
    argument.split(|&byte| byte == 0).next()
}

fn parse_parts(text: &[u8], missing_seq: u64) -> Option<StreamId> {
    let (ms, seq) = split_at_dash(text);
    let ms = parse_number(ms)?;
    let seq = match seq {
        Some(seq) => parse_number(seq)?,
        None => missing_seq,
    };
    Some(StreamId { ms, seq })
}

fn parse_number(text: &[u8]) -> Option<u64> {
    if let Some(number) = parse_i64(text) {
        return u64::try_from(number).ok();
    }
    // Blanks as C's `isspace` knows them: the vertical tab is one.
    let blanks = text.iter().take_while(|&&byte| byte == b' ' || (9..=13).contains(&byte)).count();
    let (negative, digits) = match &text[blanks..] {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() {
        return None;
    }
    let mut number = 0u64;
    for &digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        number = number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
    }
    Some(if negative { number.wrapping_neg() } else { number })
}

fn write_number(number: u64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    let mut rest = number;
    loop {
        start -= 1;
        digits[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(ms: u64, seq: u64) -> StreamId {
        StreamId { ms, seq }
    }

    #[test]
    fn ids_are_read_whole_and_in_part() {
        assert_eq!(StreamId::parse(b"5-7", 0), Some(id(5, 7)));
        assert_eq!(StreamId::parse(b"5", 3), Some(id(5, 3)));
        assert_eq!(StreamId::parse(b"-", 3), Some(StreamId::MIN));
        assert_eq!(StreamId::parse(b"+", 3), Some(StreamId::MAX));
        assert_eq!(StreamId::parse_strict(b"-", 3), None);
        assert_eq!(StreamId::parse_strict(b"+", 3), None);
        let highest = b"18446744073709551615-18446744073709551615";
        assert_eq!(StreamId::parse_strict(highest, 0), Some(StreamId::MAX));
        for bad in
            ["", "-1", "1-", "a", "1-b", "1-2-3", "1--2", "18446744073709551616", "1-*", "*", "(1", "1 "]
        {
            assert_eq!(StreamId::parse(bad.as_bytes(), 0), None, "{bad}");
        }
        assert_eq!(StreamId::parse(&[b'1'; 128], 0), None);
    }

    #[test]
    fn numbers_are_read_as_c_reads_them() {
        assert_eq!(StreamId::parse(b"007-+5", 0), Some(id(7, 5)));
        assert_eq!(StreamId::parse(b" 7-\t5", 0), Some(id(7, 5)));
        assert_eq!(StreamId::parse(b"7- -5", 0), Some(id(7, 5u64.wrapping_neg())));
        assert_eq!(StreamId::parse(b"7-5\0junk", 0), Some(id(7, 5)));
        assert_eq!(StreamId::parse(b"-\0junk", 0), Some(StreamId::MIN));
    }

    #[test]
    fn bounds_may_be_exclusive() {
        assert_eq!(StreamId::parse_start(b"5"), Ok(id(5, 0)));
        assert_eq!(StreamId::parse_start(b"(5"), Ok(id(5, 1)));
        assert_eq!(StreamId::parse_end(b"5"), Ok(id(5, u64::MAX)));
        assert_eq!(StreamId::parse_end(b"(5"), Ok(id(5, u64::MAX - 1)));
        assert_eq!(StreamId::parse_end(b"(5-0"), Ok(id(4, u64::MAX)));
        assert_eq!(StreamId::parse_start(b"(4-18446744073709551615"), Ok(id(5, 0)));
        assert_eq!(StreamId::parse_end(b"(0-0"), Err(BoundError::Empty));
        assert_eq!(
            StreamId::parse_start(b"(18446744073709551615-18446744073709551615"),
            Err(BoundError::Empty)
        );
        for bad in ["(", "(-", "(+", "((1", "(a"] {
            assert_eq!(StreamId::parse_start(bad.as_bytes()), Err(BoundError::Invalid), "{bad}");
            assert_eq!(StreamId::parse_end(bad.as_bytes()), Err(BoundError::Invalid), "{bad}");
        }
        assert_eq!(StreamId::parse_start(b"-"), Ok(StreamId::MIN));
        assert_eq!(StreamId::parse_end(b"+"), Ok(StreamId::MAX));
    }

    #[test]
    fn a_new_id_may_leave_parts_to_the_stream() {
        assert_eq!(NewId::parse(b"*"), Some(NewId::Auto));
        assert_eq!(NewId::parse(b"7-*"), Some(NewId::AutoSeq(7)));
        assert_eq!(NewId::parse(b"7-3"), Some(NewId::Given(id(7, 3))));
        assert_eq!(NewId::parse(b"7"), Some(NewId::Given(id(7, 0))));
        for bad in ["-", "+", "7-**", "*-1", "*-*", ""] {
            assert_eq!(NewId::parse(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn neighbours_carry_into_the_milliseconds() {
        assert_eq!(id(1, u64::MAX).next(), Some(id(2, 0)));
        assert_eq!(id(2, 0).previous(), Some(id(1, u64::MAX)));
        assert_eq!(StreamId::MAX.next(), None);
        assert_eq!(StreamId::MIN.previous(), None);
    }

    #[test]
    fn ids_are_written_and_packed() {
        let mut out = Vec::new();
        StreamId::MAX.write_to(&mut out);
        assert_eq!(out, StreamId::MAX.to_string().as_bytes());
        out.clear();
        id(0, 10).write_to(&mut out);
        assert_eq!(out, b"0-10");
        assert_eq!(StreamId::from_bytes(id(258, 3).to_bytes()), id(258, 3));
        assert_eq!(id(1, 2).to_bytes(), [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2]);
    }
}
