//! What HSCAN, SSCAN and ZSCAN share: `key cursor [MATCH pattern] [COUNT n]`, and the shape of the answer.
//!
//! ```text
//!     let cursor = collection::cursor(args)?;                          // 1
//!     let key = cx.key(args, 1);
//!     let Some(set) = cx.keys.read::<SetRef>(&key)? else { .. }        // 2  collection::nothing(reply)
//!     let options = collection::Options::read(args, NoValues::Unknown)?;   // 3
//!     let mut page = collection::Page::new();
//!     let next = set.scan(cursor, options.count, &mut |item| item.with_bytes(|member| {
//!         if options.wants(member) {
//!             page.push(member);
//!         }
//!     }));
//!     page.answer(next, reply);
//! ```
//!
//! 1. The arguments are looked at in this order, and as far as shown: Redis refuses a bad cursor before anything
//!    else, and does not read the options where the key is not there or holds another type.
//! 2. A collection in a compact encoding is told whole, whatever the cursor and COUNT, and ends the iteration;
//!    the types see to that.
//! 3. The answer is an array in an array for both protocols; the scores of ZSCAN are strings for both.
//!
//! Not here: what a cursor means (`datatypes::dict`), and SCAN, which walks over slots (`scan.rs`).

use crate::CommandError;
use config::glob;
use resp::{parse_integer, Args, Protocol, Reply};

/// Whether a command knows the option NOVALUES.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum NoValues {
    /// As HSCAN does, which then answers fields without their values.
    Known,
    /// As no other does.
    Unknown,
}

/// The options of a scan of a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Options<'a> {
    /// About how many elements are asked for; at least one.
    pub count: usize,
    /// Whether fields come with their values: NOVALUES was not given.
    pub values: bool,
    pattern: Option<&'a [u8]>,
}

impl<'a> Options<'a> {
    /// Reads what follows the cursor. Of options that are repeated the last one counts.
    pub fn read(args: Args<'a>, no_values: NoValues) -> Result<Options<'a>, CommandError> {
        let mut options = Options { count: 10, values: true, pattern: None };
        let mut i = 3;
        while let Some(word) = args.try_get(i) {
            let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
            match args.try_get(i + 1) {
                _ if no_values == NoValues::Known && is(b"novalues") => {
                    options.values = false;
                    i += 1;
                }
                Some(value) if is(b"count") => {
                    options.count = count(value)?;
                    i += 2;
                }
                Some(value) if is(b"match") => {
                    options.pattern = (value != b"*").then_some(value);
                    i += 2;
                }
                _ => return Err(CommandError::Syntax),
            }
        }
        Ok(options)
    }

    /// Whether a member or field is asked for.
    pub fn wants(&self, name: &[u8]) -> bool {
        self.pattern.is_none_or(|pattern| glob::matches(pattern, name))
    }
}

/// The argument of COUNT.
pub(super) fn count(text: &[u8]) -> Result<usize, CommandError> {
    let count = parse_integer(text).ok_or(CommandError::NotInteger)?;
    usize::try_from(count).ok().filter(|count| *count > 0).ok_or(CommandError::Syntax)
}

/// The cursor that a client gives, which stands behind the key.
pub(crate) fn cursor(args: Args<'_>) -> Result<u64, CommandError> {
    read_cursor(args.get(2)).ok_or(CommandError::InvalidCursor)
}

/// What C's `strtoul` reads, but for leading blanks, which Redis refuses.
pub(super) fn read_cursor(text: &[u8]) -> Option<u64> {
    let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
    let (negative, digits) = match text {
        [] => return Some(0),
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some(if negative { number.wrapping_neg() } else { number })
}

/// What is found in one step. It is collected here, since the cursor, known last, is said first.
pub(crate) struct Page {
    words: Reply,
    count: usize,
}

impl Page {
    /// Nothing is found yet.
    pub fn new() -> Page {
        Page { words: Reply::new(Protocol::Resp2), count: 0 }
    }

    /// Adds a member, a field, a value, or a score in words.
    pub fn push(&mut self, word: &[u8]) {
        self.words.bulk(word);
        self.count += 1;
    }

    /// Says what was found, and where the client is to go on.
    pub fn answer(mut self, next: u64, reply: &mut Reply) {
        reply.array(2);
        reply.bulk(next.to_string().as_bytes());
        reply.array(self.count);
        reply.append(self.words.take_segments());
    }
}

/// The answer where there is no such key.
pub(crate) fn nothing(reply: &mut Reply) {
    Page::new().answer(0, reply);
}

#[cfg(test)]
mod tests {
    use super::*;
    use resp::OwnedBatch;

    fn read(line: &str, no_values: NoValues) -> Result<(usize, bool, bool, bool), CommandError> {
        let words: Vec<&str> = line.split(' ').collect();
        let batch = OwnedBatch::of(&words);
        let options = Options::read(batch.args(0), no_values)?;
        Ok((options.count, options.values, options.wants(b"ab"), options.wants(b"c")))
    }

    #[test]
    fn options_are_read_in_any_order_and_the_last_one_counts() {
        use NoValues::*;
        assert_eq!(read("sscan k 0", Unknown), Ok((10, true, true, true)));
        assert_eq!(read("sscan k 0 match a* COUNT 5", Unknown), Ok((5, true, true, false)));
        assert_eq!(read("sscan k 0 COUNT 5 count 7 MATCH c MATCH *", Unknown), Ok((7, true, true, true)));
        assert_eq!(read("hscan k 0 novalues COUNT 5 MATCH ?", Known), Ok((5, false, false, true)));
        assert_eq!(read("hscan k 0 COUNT 5 NOVALUES NOVALUES", Known), Ok((5, false, true, true)));
        assert_eq!(
            read("sscan k 0 COUNT 9223372036854775807", Unknown),
            Ok((i64::MAX as usize, true, true, true))
        );
    }

    #[test]
    fn other_options_are_refused() {
        for (line, error) in [
            ("sscan k 0 NOVALUES", CommandError::Syntax),
            ("sscan k 0 COUNT", CommandError::Syntax),
            ("sscan k 0 MATCH", CommandError::Syntax),
            ("sscan k 0 TYPE set", CommandError::Syntax),
            ("sscan k 0 COUNT 0", CommandError::Syntax),
            ("sscan k 0 COUNT -1", CommandError::Syntax),
            ("sscan k 0 COUNT x", CommandError::NotInteger),
            ("sscan k 0 COUNT x NOSUCH", CommandError::NotInteger),
            ("sscan k 0 COUNT 9223372036854775808", CommandError::NotInteger),
            ("sscan k 0 COUNT 1 1", CommandError::Syntax),
        ] {
            assert_eq!(read(line, NoValues::Unknown), Err(error), "{line}");
        }
        assert_eq!(read("hscan k 0 COUNT NOVALUES", NoValues::Known), Err(CommandError::NotInteger));
    }

    #[test]
    fn cursors_are_read_as_strtoul_does() {
        for (text, cursor) in [
            ("0", Some(0)),
            ("", Some(0)),
            ("+7", Some(7)),
            ("007", Some(7)),
            ("-1", Some(u64::MAX)),
            ("7\0x", Some(7)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", None),
            (" 1", None),
            ("1 ", None),
            ("-", None),
            ("x", None),
        ] {
            assert_eq!(read_cursor(text.as_bytes()), cursor, "{text:?}");
        }
    }

    #[test]
    fn the_cursor_comes_first() {
        let mut page = Page::new();
        page.push(b"a");
        page.push(b"");
        let mut reply = Reply::new(Protocol::Resp3);
        page.answer(u64::MAX, &mut reply);
        nothing(&mut reply);
        let expected: &[u8] = b"*2\r\n$20\r\n18446744073709551615\r\n*2\r\n$1\r\na\r\n$0\r\n\r\n\
            *2\r\n$1\r\n0\r\n*0\r\n";
        assert_eq!(reply.to_vec(), expected);
    }
}
