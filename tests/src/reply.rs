//! RESP2 and RESP3 replies: where one ends, and what it says.
//!
//! The suites compare bytes, so framing is kept apart from meaning: [`Framer`] finds the end of a
//! reply without interpreting it, and [`Value`] is for the tests that want to look inside.
//!
//! ```text
//!     line    + - : , ( # _        one line
//!     blob    $ = !                a length, that many bytes, CRLF; length -1 is the line alone
//!     array   * ~ >                a count, that many replies; count -1 is the line alone
//!     map     % |                  a count, twice that many replies; after | comes the reply itself
//! ```

use std::fmt;

/// What cannot be a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// Offset of the byte that is wrong.
    pub at: usize,
    /// What is wrong with it.
    pub why: &'static str,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a reply: {} at byte {}", self.why, self.at)
    }
}

/// Finds the end of one reply, over as many reads as it takes, looking at every byte once.
#[derive(Clone, Debug)]
pub struct Framer {
    /// Where the next element begins.
    at: usize,
    /// Elements still to come.
    pending: u64,
}

impl Default for Framer {
    fn default() -> Self {
        Framer { at: 0, pending: 1 }
    }
}

impl Framer {
    /// The reply's length if all of it is in `bytes`, which starts with the reply and holds at
    /// least what earlier calls have seen.
    pub fn end(&mut self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        while self.pending > 0 {
            let Some(&kind) = bytes.get(self.at) else { return Ok(None) };
            let Some(line) = line_at(bytes, self.at + 1) else { return Ok(None) };
            let after = self.at + 1 + line.len() + 2;
            let (end, more) = match kind {
                b'+' | b'-' | b':' | b',' | b'(' | b'#' | b'_' => (after, 0),
                b'$' | b'=' | b'!' => match self.count(line)? {
                    None => (after, 0),
                    Some(n) => (after + n as usize + 2, 0),
                },
                b'*' | b'~' | b'>' => (after, self.count(line)?.unwrap_or(0)),
                b'%' => (after, self.count(line)?.unwrap_or(0) * 2),
                b'|' => (after, self.count(line)?.unwrap_or(0) * 2 + 1),
                _ => return Err(Malformed { at: self.at, why: "unknown type byte" }),
            };
            if end > bytes.len() {
                return Ok(None);
            }
            if end >= 2 && bytes[end - 2..end] != *b"\r\n" {
                return Err(Malformed { at: end - 2, why: "no CRLF" });
            }
            self.at = end;
            self.pending = self.pending - 1 + more;
        }
        Ok(Some(self.at))
    }

    fn count(&self, line: &[u8]) -> Result<Option<u64>, Malformed> {
        let bad = Malformed { at: self.at + 1, why: "bad length" };
        match std::str::from_utf8(line).ok().and_then(|t| t.parse::<i64>().ok()) {
            Some(-1) => Ok(None),
            Some(n) if n >= 0 => Ok(Some(n as u64)),
            _ => Err(bad),
        }
    }
}

/// The line that begins at `start`, without its CRLF, if its end is there.
fn line_at(bytes: &[u8], start: usize) -> Option<&[u8]> {
    let rest = bytes.get(start..)?;
    let end = rest.windows(2).position(|w| w == b"\r\n")?;
    Some(&rest[..end])
}

/// A reply read for its meaning.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `+text`
    Simple(String),
    /// `-text` and RESP3's blob error
    Error(String),
    /// `:n`
    Integer(i64),
    /// `$n`, and RESP3's verbatim strings with their prefix
    Bulk(Vec<u8>),
    /// `$-1`, `*-1`, `_`
    Null,
    /// `*n`, and RESP3's pushes
    Array(Vec<Value>),
    /// `~n`
    Set(Vec<Value>),
    /// `%n`
    Map(Vec<(Value, Value)>),
    /// `,x`
    Double(String),
    /// `(n`
    BigNumber(String),
    /// `#t`, `#f`
    Boolean(bool),
}

impl Value {
    /// Reads the one complete reply that `bytes` are.
    pub fn parse(bytes: &[u8]) -> Result<Value, Malformed> {
        let mut at = 0;
        let value = parse_at(bytes, &mut at)?;
        if at != bytes.len() {
            return Err(Malformed { at, why: "bytes after the reply" });
        }
        Ok(value)
    }

    /// Text of a string of any kind, or of an error; empty for the rest.
    pub fn text(&self) -> String {
        match self {
            Value::Simple(t) | Value::Error(t) | Value::Double(t) | Value::BigNumber(t) => t.clone(),
            Value::Bulk(b) => String::from_utf8_lossy(b).into_owned(),
            Value::Integer(n) => n.to_string(),
            _ => String::new(),
        }
    }

    /// The integer it is; panics when it is something else.
    #[track_caller]
    pub fn integer(&self) -> i64 {
        match self {
            Value::Integer(n) => *n,
            other => panic!("expected an integer, got {other:?}"),
        }
    }

    /// The elements of an array or set; panics when it is something else.
    #[track_caller]
    pub fn items(&self) -> &[Value] {
        match self {
            Value::Array(items) | Value::Set(items) => items,
            other => panic!("expected an array, got {other:?}"),
        }
    }

    /// Whether it is an error.
    pub fn is_error(&self) -> bool {
        matches!(self, Value::Error(_))
    }

    /// Panics unless it is `+OK`.
    #[track_caller]
    pub fn ok(&self) {
        assert_eq!(*self, Value::Simple("OK".into()));
    }
}

fn parse_at(bytes: &[u8], at: &mut usize) -> Result<Value, Malformed> {
    let begin = *at;
    let kind = *bytes.get(begin).ok_or(Malformed { at: begin, why: "cut off" })?;
    let line = line_at(bytes, begin + 1).ok_or(Malformed { at: begin, why: "cut off" })?;
    *at += 1 + line.len() + 2;
    let text = || String::from_utf8_lossy(line).into_owned();
    let number = || text().parse::<i64>().map_err(|_| Malformed { at: begin + 1, why: "bad number" });
    let many = |n: i64, at: &mut usize| (0..n).map(|_| parse_at(bytes, at)).collect::<Result<Vec<_>, _>>();
    Ok(match kind {
        b'+' => Value::Simple(text()),
        b'-' => Value::Error(text()),
        b':' => Value::Integer(number()?),
        b',' => Value::Double(text()),
        b'(' => Value::BigNumber(text()),
        b'#' => Value::Boolean(line == b"t"),
        b'_' => Value::Null,
        b'$' | b'=' | b'!' => match number()? {
            -1 => Value::Null,
            n => {
                let end = *at + n as usize;
                let body = bytes.get(*at..end).ok_or(Malformed { at: *at, why: "cut off" })?;
                *at = end + 2;
                match kind {
                    b'!' => Value::Error(String::from_utf8_lossy(body).into_owned()),
                    _ => Value::Bulk(body.to_vec()),
                }
            }
        },
        b'*' | b'>' | b'~' => match number()? {
            -1 => Value::Null,
            n if kind == b'~' => Value::Set(many(n, at)?),
            n => Value::Array(many(n, at)?),
        },
        b'%' | b'|' => {
            let flat = many(number()? * 2, at)?;
            let pairs = flat.chunks(2).map(|c| (c[0].clone(), c[1].clone())).collect();
            if kind == b'|' {
                return parse_at(bytes, at);
            }
            Value::Map(pairs)
        }
        _ => return Err(Malformed { at: begin, why: "unknown type byte" }),
    })
}

/// Bytes as redis-cli would quote them, cut after `limit` bytes so that a failure stays readable.
pub fn quoted(bytes: &[u8], limit: usize) -> String {
    let mut out = String::from("\"");
    for &b in bytes.iter().take(limit) {
        match b {
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            0x20..=0x7e => out.push(b as char),
            _ => out.push_str(&format!("\\x{b:02x}")),
        }
    }
    out.push('"');
    if bytes.len() > limit {
        out.push_str(&format!(" and {} bytes more", bytes.len() - limit));
    }
    out
}

/// A command as RESP sends it.
pub fn encode<A: AsRef<[u8]>>(args: &[A]) -> Vec<u8> {
    let mut out = format!("*{}\r\n", args.len()).into_bytes();
    for arg in args {
        let arg = arg.as_ref();
        out.extend_from_slice(format!("${}\r\n", arg.len()).as_bytes());
        out.extend_from_slice(arg);
        out.extend_from_slice(b"\r\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPLIES: &[&[u8]] = &[
        b"+OK\r\n",
        b"-ERR x\r\n",
        b":-5\r\n",
        b"$-1\r\n",
        b"$0\r\n\r\n",
        b"$5\r\na\r\nb\n\r\n",
        b"*-1\r\n",
        b"*0\r\n",
        b"*3\r\n:1\r\n*1\r\n$1\r\na\r\n+b\r\n",
        b"_\r\n",
        b"%2\r\n+a\r\n:1\r\n+b\r\n%1\r\n+c\r\n#t\r\n",
        b"~2\r\n+a\r\n,1.5\r\n",
        b"=7\r\ntxt:abc\r\n",
        b"!5\r\nERR x\r\n",
        b"|1\r\n+ttl\r\n:5\r\n*1\r\n(123\r\n",
        b">2\r\n+invalidate\r\n_\r\n",
    ];

    #[test]
    fn a_reply_ends_where_it_ends_however_it_is_cut() {
        for reply in REPLIES {
            let mut followed = reply.to_vec();
            followed.extend_from_slice(b"+NEXT\r\n");
            assert_eq!(Framer::default().end(&followed), Ok(Some(reply.len())), "{}", quoted(reply, 99));
            let mut framer = Framer::default();
            for cut in 0..reply.len() {
                assert_eq!(framer.end(&reply[..cut]), Ok(None), "{} cut at {cut}", quoted(reply, 99));
            }
            assert_eq!(framer.end(reply), Ok(Some(reply.len())));
            Value::parse(reply).expect("a whole reply");
        }
    }

    #[test]
    fn what_is_no_reply_is_told() {
        for bad in [&b"OK\r\n"[..], b"$x\r\n", b"$-2\r\n", b"$1\r\nabc", b"*1\r\nx\r\n"] {
            assert!(Framer::default().end(bad).is_err(), "{}", quoted(bad, 99));
        }
    }
}
