//! Replies: what a handler says, in the words of the client's protocol.
//!
//! A handler calls one verb per element, in Redis's words; where RESP2 lacks a type, the verb writes
//! what Redis sends instead (a map is a flat array, a double is a bulk string, a push is an array).
//! A large value is not copied: the bytes hold a gap, and a [`Splice`] names what belongs there.
//!
//! ```text
//!     bytes    $100000\r\n | \r\n:1\r\n
//!     splices            at 9: value[0..100000]
//! ```
//!
//! 1. `splices` are in the order of `at`, an offset into `bytes` (not into what is sent).
//! 2. Aggregates whose length is known late nest: the one begun last is ended first.
//! 3. A `Mark` is good until something before it changes, that is until an aggregate begun before it
//!    is ended.

use crate::double::format_double;
use crate::integer::{format_integer, NumberLine};
use std::ops::Range;
use std::sync::Arc;

/// A shared value shorter than this is copied: a send of several pieces costs more than that.
pub const SPLICE_FROM: usize = 16 * 1024;

/// Which version of the protocol a client speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// What a connection starts with.
    #[default]
    Resp2,
    /// After `HELLO 3`.
    Resp3,
}

/// A value sent by reference.
#[derive(Clone, Debug)]
pub struct Splice {
    /// It stands before the byte at this offset.
    pub at: usize,
    /// What is sent.
    pub value: Arc<Vec<u8>>,
    /// The part of it.
    pub range: Range<usize>,
}

/// The replies to one or more commands, in the making.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    bytes: Vec<u8>,
    splices: Vec<Splice>,
    /// Bytes of all splices.
    spliced: usize,
    protocol: Protocol,
}

/// A place to return to with [`Reply::truncate`].
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    bytes: usize,
    splices: usize,
}

/// An aggregate that was begun before its length was known.
#[derive(Debug)]
#[must_use = "an aggregate that was begun has to be ended with its length"]
pub struct Deferred {
    at: usize,
}

impl Reply {
    /// No reply yet.
    pub fn new(protocol: Protocol) -> Reply {
        Reply { protocol, ..Reply::default() }
    }

    /// The client's protocol.
    #[inline]
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Changes the protocol of what follows (HELLO).
    pub fn set_protocol(&mut self, protocol: Protocol) {
        self.protocol = protocol;
    }

    /// Whether the client speaks RESP3.
    #[inline]
    pub fn is_resp3(&self) -> bool {
        self.protocol == Protocol::Resp3
    }

    /// How many bytes will be sent.
    #[inline]
    pub fn len(&self) -> usize {
        self.bytes.len() + self.spliced
    }

    /// Whether nothing was said.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    // Simple types.

    /// `+OK`
    #[inline]
    pub fn ok(&mut self) {
        self.bytes.extend_from_slice(b"+OK\r\n");
    }

    /// A status. It must be a single line.
    pub fn simple(&mut self, status: &str) {
        debug_assert!(!status.contains(['\r', '\n']), "a status is a line");
        self.line(b'+', status.as_bytes());
    }

    /// An error: its code and its message, without the dash.
    pub fn error(&mut self, text: &str) {
        self.error_bytes(text.as_bytes());
    }

    /// An error that may quote what a client sent. Line ends around it are dropped, those inside become
    /// blanks, as in Redis.
    pub fn error_bytes(&mut self, text: &[u8]) {
        let is_line_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
        let start = text.iter().position(|byte| !is_line_end(byte)).unwrap_or(text.len());
        let end = text.iter().rposition(|byte| !is_line_end(byte)).map_or(start, |last| last + 1);
        self.bytes.push(b'-');
        self.bytes.extend(text[start..end].iter().map(|byte| if is_line_end(byte) { b' ' } else { *byte }));
        self.bytes.extend_from_slice(b"\r\n");
    }

    /// An integer.
    #[inline]
    pub fn integer(&mut self, number: i64) {
        if (0..10).contains(&number) {
            self.bytes.extend_from_slice(&[b':', b'0' + number as u8, b'\r', b'\n']);
        } else {
            self.number(b':', number);
        }
    }

    /// A string.
    #[inline]
    pub fn bulk(&mut self, value: &[u8]) {
        self.bytes.reserve(value.len() + 16);
        self.header(b'$', value.len());
        self.bytes.extend_from_slice(value);
        self.bytes.extend_from_slice(b"\r\n");
    }

    /// A string that is sent by reference if it is large.
    pub fn bulk_shared(&mut self, value: &Arc<Vec<u8>>) {
        self.bulk_shared_range(value, 0..value.len());
    }

    /// A part of a string, sent by reference if it is large.
    pub fn bulk_shared_range(&mut self, value: &Arc<Vec<u8>>, range: Range<usize>) {
        if range.len() < SPLICE_FROM {
            return self.bulk(&value[range]);
        }
        assert!(range.end <= value.len(), "a part of the value");
        self.header(b'$', range.len());
        self.spliced += range.len();
        self.splices.push(Splice { at: self.bytes.len(), value: Arc::clone(value), range });
        self.bytes.extend_from_slice(b"\r\n");
    }

    /// A string that is an integer's text.
    pub fn bulk_integer(&mut self, number: i64) {
        self.bulk(&format_integer(number));
    }

    /// A missing value.
    #[inline]
    pub fn null(&mut self) {
        self.bytes.extend_from_slice(match self.protocol {
            Protocol::Resp2 => b"$-1\r\n",
            Protocol::Resp3 => b"_\r\n",
        });
    }

    /// A missing array.
    pub fn null_array(&mut self) {
        self.bytes.extend_from_slice(match self.protocol {
            Protocol::Resp2 => b"*-1\r\n",
            Protocol::Resp3 => b"_\r\n",
        });
    }

    /// A double; for RESP2 a string.
    pub fn double(&mut self, number: f64) {
        match self.protocol {
            Protocol::Resp2 => {
                // The text is at most 25 bytes long: sign, 17 digits, point, and either an exponent or
                // fewer than seven zeros. So its length's two digits can be set afterwards.
                let at = self.bytes.len();
                self.bytes.extend_from_slice(b"$00\r\n");
                format_double(number, &mut self.bytes);
                let len = self.bytes.len() - at - 5;
                if len < 10 {
                    self.bytes[at + 2] = b'0' + len as u8;
                    self.bytes.remove(at + 1);
                } else {
                    assert!(len < 100, "a double's text is short");
                    self.bytes[at + 1] += len as u8 / 10;
                    self.bytes[at + 2] += len as u8 % 10;
                }
                self.bytes.extend_from_slice(b"\r\n");
            }
            Protocol::Resp3 => {
                self.bytes.push(b',');
                format_double(number, &mut self.bytes);
                self.bytes.extend_from_slice(b"\r\n");
            }
        }
    }

    /// A double that the caller has put into words (INCRBYFLOAT's have their own); for RESP2 a string.
    pub fn double_text(&mut self, text: &[u8]) {
        match self.protocol {
            Protocol::Resp2 => self.bulk(text),
            Protocol::Resp3 => self.line(b',', text),
        }
    }

    /// A truth value; for RESP2 the integer 1 or 0.
    pub fn bool(&mut self, value: bool) {
        match self.protocol {
            Protocol::Resp2 => self.integer(i64::from(value)),
            Protocol::Resp3 => self.bytes.extend_from_slice(if value { b"#t\r\n" } else { b"#f\r\n" }),
        }
    }

    /// An integer of any size, in decimal; for RESP2 a string.
    pub fn big_number(&mut self, digits: &[u8]) {
        match self.protocol {
            Protocol::Resp2 => self.bulk(digits),
            Protocol::Resp3 => self.line(b'(', digits),
        }
    }

    /// A text with its format (`txt`, `mkd`; three letters, padded with blanks); for RESP2 a string.
    pub fn verbatim(&mut self, format: &str, text: &[u8]) {
        match self.protocol {
            Protocol::Resp2 => self.bulk(text),
            Protocol::Resp3 => {
                let mut three = *b"   :";
                for (to, from) in three[..3].iter_mut().zip(format.bytes()) {
                    *to = from;
                }
                self.header(b'=', text.len() + three.len());
                self.bytes.extend_from_slice(&three);
                self.bytes.extend_from_slice(text);
                self.bytes.extend_from_slice(b"\r\n");
            }
        }
    }

    /// Bytes that are protocol already.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    // Aggregates: the header; the elements follow.

    /// An array of so many elements.
    #[inline]
    pub fn array(&mut self, elements: usize) {
        self.header(b'*', elements);
    }

    /// A map of so many pairs; for RESP2 an array of twice as many elements.
    pub fn map(&mut self, pairs: usize) {
        match self.protocol {
            Protocol::Resp2 => self.header(b'*', pairs * 2),
            Protocol::Resp3 => self.header(b'%', pairs),
        }
    }

    /// A set of so many elements; for RESP2 an array.
    pub fn set(&mut self, elements: usize) {
        self.header(self.mark_of(b'~'), elements);
    }

    /// A push of so many elements, out of the order of replies; for RESP2 an array.
    pub fn push(&mut self, elements: usize) {
        self.header(self.mark_of(b'>'), elements);
    }

    /// Attributes, so many pairs, of the reply that follows. RESP2 has no place for them: ask
    /// [`is_resp3`](Reply::is_resp3) first.
    pub fn attribute(&mut self, pairs: usize) {
        assert!(self.is_resp3(), "attributes are RESP3's");
        self.header(b'|', pairs);
    }

    /// Begins an aggregate of unknown length.
    pub fn begin_array(&mut self) -> Deferred {
        // One digit is the commonest length, and then nothing has to move.
        let at = self.bytes.len();
        self.bytes.extend_from_slice(b"*0\r\n");
        Deferred { at }
    }

    /// As [`begin_array`](Reply::begin_array); end it with [`end_map`](Reply::end_map).
    pub fn begin_map(&mut self) -> Deferred {
        self.begin_array()
    }

    /// As [`begin_array`](Reply::begin_array); end it with [`end_set`](Reply::end_set).
    pub fn begin_set(&mut self) -> Deferred {
        self.begin_array()
    }

    /// Ends what was begun as an array: it has so many elements.
    pub fn end_array(&mut self, begun: Deferred, elements: usize) {
        self.end(begun, b'*', elements);
    }

    /// Ends what was begun as a map: it has so many pairs.
    pub fn end_map(&mut self, begun: Deferred, pairs: usize) {
        match self.protocol {
            Protocol::Resp2 => self.end(begun, b'*', pairs * 2),
            Protocol::Resp3 => self.end(begun, b'%', pairs),
        }
    }

    /// Ends what was begun as a set: it has so many elements.
    pub fn end_set(&mut self, begun: Deferred, elements: usize) {
        self.end(begun, self.mark_of(b'~'), elements);
    }

    // The reply as a whole.

    /// Where the next element will stand.
    pub fn mark(&self) -> Mark {
        Mark { bytes: self.bytes.len(), splices: self.splices.len() }
    }

    /// Unsays what was said since the mark (CLIENT REPLY OFF, a handler that fails half-way).
    pub fn truncate(&mut self, mark: Mark) {
        self.bytes.truncate(mark.bytes);
        for splice in self.splices.drain(mark.splices..) {
            self.spliced -= splice.range.len();
        }
    }

    /// Unsays everything and keeps the memory.
    pub fn clear(&mut self) {
        self.truncate(Mark { bytes: 0, splices: 0 });
    }

    /// Appends what was taken from another reply.
    pub fn append(&mut self, segments: Segments) {
        let shift = self.bytes.len();
        if shift == 0 && self.bytes.capacity() < segments.bytes.capacity() {
            self.bytes = segments.bytes;
        } else {
            self.bytes.extend_from_slice(&segments.bytes);
        }
        for splice in segments.splices {
            self.spliced += splice.range.len();
            self.splices.push(Splice { at: splice.at + shift, ..splice });
        }
    }

    /// Takes what was said so far, for sending.
    pub fn take_segments(&mut self) -> Segments {
        self.spliced = 0;
        Segments { bytes: std::mem::take(&mut self.bytes), splices: std::mem::take(&mut self.splices) }
    }

    /// Gives an empty reply a buffer that was used before.
    pub fn reuse(&mut self, mut buffer: Vec<u8>) {
        if self.bytes.capacity() == 0 {
            buffer.clear();
            self.bytes = buffer;
        }
    }

    /// Takes the buffer of an empty reply, for others to use.
    pub fn spare_buffer(&mut self) -> Option<Vec<u8>> {
        (self.is_empty() && self.bytes.capacity() > 0).then(|| std::mem::take(&mut self.bytes))
    }

    /// The bytes as they will be sent, in one piece.
    pub fn to_vec(&self) -> Vec<u8> {
        pieces(&self.bytes, &self.splices).collect::<Vec<_>>().concat()
    }

    /// What the bytes are if nothing of them is by reference.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        self.splices.is_empty().then_some(&self.bytes)
    }

    fn mark_of(&self, resp3: u8) -> u8 {
        match self.protocol {
            Protocol::Resp2 => b'*',
            Protocol::Resp3 => resp3,
        }
    }

    fn line(&mut self, mark: u8, text: &[u8]) {
        self.bytes.push(mark);
        self.bytes.extend_from_slice(text);
        self.bytes.extend_from_slice(b"\r\n");
    }

    #[inline]
    fn header(&mut self, mark: u8, number: usize) {
        if number < 10 {
            self.bytes.extend_from_slice(&[mark, b'0' + number as u8, b'\r', b'\n']);
        } else if number < 100 {
            let (tens, ones) = (number as u8 / 10, number as u8 % 10);
            self.bytes.extend_from_slice(&[mark, b'0' + tens, b'0' + ones, b'\r', b'\n']);
        } else {
            self.number(mark, number as i64);
        }
    }

    #[inline]
    fn number(&mut self, mark: u8, number: i64) {
        self.bytes.extend_from_slice(NumberLine::new(mark, number).as_bytes());
    }

    fn end(&mut self, begun: Deferred, mark: u8, number: usize) {
        let at = begun.at;
        self.bytes[at] = mark;
        let text = format_integer(number as i64);
        if let [digit] = *text {
            self.bytes[at + 1] = digit;
            return;
        }
        self.bytes.splice(at + 1..at + 2, text.iter().copied());
        let moved = text.len() - 1;
        for splice in self.splices.iter_mut().rev().take_while(|splice| splice.at > at) {
            splice.at += moved;
        }
    }
}

/// What is to be sent: bytes, and values that belong between them.
#[derive(Clone, Debug, Default)]
pub struct Segments {
    bytes: Vec<u8>,
    splices: Vec<Splice>,
}

impl Segments {
    /// How many bytes it has.
    pub fn len(&self) -> usize {
        self.bytes.len() + self.splices.iter().map(|splice| splice.range.len()).sum::<usize>()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Its pieces in the order of sending, none of them empty.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        pieces(&self.bytes, &self.splices)
    }

    /// The bytes between which the splices stand, and the splices in order.
    pub fn into_parts(self) -> (Vec<u8>, Vec<Splice>) {
        (self.bytes, self.splices)
    }
}

fn pieces<'a>(bytes: &'a [u8], splices: &'a [Splice]) -> impl Iterator<Item = &'a [u8]> {
    let starts = std::iter::once(0).chain(splices.iter().map(|splice| splice.at));
    let ends = splices.iter().map(|splice| splice.at).chain([bytes.len()]);
    let values = splices.iter().map(|splice| &splice.value[splice.range.clone()]).chain([&[][..]]);
    starts
        .zip(ends)
        .zip(values)
        .flat_map(move |((start, end), value)| [&bytes[start..end], value])
        .filter(|piece| !piece.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn said(protocol: Protocol, say: impl FnOnce(&mut Reply)) -> String {
        let mut reply = Reply::new(protocol);
        say(&mut reply);
        assert_eq!(reply.len(), reply.to_vec().len());
        String::from_utf8(reply.to_vec()).unwrap()
    }

    #[track_caller]
    fn check(say: impl Fn(&mut Reply), resp2: &str, resp3: &str) {
        assert_eq!(said(Protocol::Resp2, &say), resp2);
        assert_eq!(said(Protocol::Resp3, &say), resp3);
    }

    #[test]
    fn each_verb_has_its_words_in_both_protocols() {
        check(|r| r.ok(), "+OK\r\n", "+OK\r\n");
        check(|r| r.simple("PONG"), "+PONG\r\n", "+PONG\r\n");
        check(|r| r.integer(7), ":7\r\n", ":7\r\n");
        check(|r| r.integer(-10), ":-10\r\n", ":-10\r\n");
        check(|r| r.bulk(b""), "$0\r\n\r\n", "$0\r\n\r\n");
        check(
            |r| r.bulk_integer(i64::MIN),
            "$20\r\n-9223372036854775808\r\n",
            "$20\r\n-9223372036854775808\r\n",
        );
        check(|r| r.null(), "$-1\r\n", "_\r\n");
        check(|r| r.null_array(), "*-1\r\n", "_\r\n");
        check(|r| r.array(100), "*100\r\n", "*100\r\n");
        check(|r| r.map(6), "*12\r\n", "%6\r\n");
        check(|r| r.set(3), "*3\r\n", "~3\r\n");
        check(|r| r.push(3), "*3\r\n", ">3\r\n");
        check(|r| r.double(1.5), "$3\r\n1.5\r\n", ",1.5\r\n");
        check(|r| r.double(f64::NEG_INFINITY), "$4\r\n-inf\r\n", ",-inf\r\n");
        check(|r| r.double_text(b"10.5"), "$4\r\n10.5\r\n", ",10.5\r\n");
        check(|r| r.bool(true), ":1\r\n", "#t\r\n");
        check(|r| r.bool(false), ":0\r\n", "#f\r\n");
        check(|r| r.big_number(b"123"), "$3\r\n123\r\n", "(123\r\n");
        check(|r| r.verbatim("txt", b"hello"), "$5\r\nhello\r\n", "=9\r\ntxt:hello\r\n");
        check(|r| r.verbatim("a", b""), "$0\r\n\r\n", "=4\r\na  :\r\n");
        assert_eq!(said(Protocol::Resp3, |r| r.attribute(1)), "|1\r\n");
    }

    #[test]
    fn an_error_stays_on_its_line() {
        check(|r| r.error("ERR a\r\nb\nc\r\n"), "-ERR a  b c\r\n", "-ERR a  b c\r\n");
        check(|r| r.error("\r\n"), "-\r\n", "-\r\n");
        let mut reply = Reply::default();
        reply.error_bytes(b"ERR got '\xff'");
        assert_eq!(reply.to_vec(), b"-ERR got '\xff'\r\n");
    }

    #[test]
    fn lengths_learnt_late_nest() {
        for elements in [0, 1, 9, 10, 100, 12345] {
            let say = |r: &mut Reply| {
                r.ok();
                let outer = r.begin_array();
                r.integer(1);
                let inner = r.begin_map();
                for i in 0..elements {
                    r.integer(i as i64);
                }
                r.end_map(inner, elements);
                let set = r.begin_set();
                r.end_set(set, 0);
                r.end_array(outer, elements);
            };
            let body: String = (0..elements).map(|i| format!(":{i}\r\n")).collect();
            check(
                say,
                &format!("+OK\r\n*{elements}\r\n:1\r\n*{}\r\n{body}*0\r\n", elements * 2),
                &format!("+OK\r\n*{elements}\r\n:1\r\n%{elements}\r\n{body}~0\r\n"),
            );
        }
    }

    #[test]
    fn a_large_value_is_sent_by_reference_and_a_small_one_copied() {
        let large = Arc::new(vec![b'x'; SPLICE_FROM]);
        let mut reply = Reply::default();
        reply.bulk_shared(&Arc::new(b"small".to_vec()));
        assert!(reply.as_bytes().is_some());
        let outer = reply.begin_array();
        reply.bulk_shared(&large);
        reply.bulk_shared_range(&large, 1..3);
        reply.end_array(outer, 11);
        let expected = [&b"$5\r\nsmall\r\n*11\r\n$16384\r\n"[..], &large[..], b"\r\n$2\r\nxx\r\n"].concat();
        assert_eq!(reply.as_bytes(), None);
        assert_eq!((reply.len(), reply.to_vec()), (expected.len(), expected.clone()));

        let segments = reply.take_segments();
        assert_eq!((reply.is_empty(), reply.len(), segments.len()), (true, 0, expected.len()));
        let pieces: Vec<&[u8]> = segments.iter().collect();
        assert_eq!(pieces.len(), 3);
        assert!(std::ptr::eq(pieces[1].as_ptr(), large.as_ptr()), "not a copy");
        assert_eq!(pieces.concat(), expected);

        reply.ok();
        reply.append(segments);
        assert_eq!(reply.to_vec(), [&b"+OK\r\n"[..], &expected].concat());
        assert_eq!(reply.len(), 5 + expected.len());
    }

    #[test]
    fn what_was_said_can_be_unsaid() {
        let large = Arc::new(vec![b'x'; SPLICE_FROM]);
        let mut reply = Reply::default();
        reply.bulk_shared(&large);
        let (mark, before) = (reply.mark(), reply.to_vec());
        reply.bulk_shared(&large);
        reply.error("ERR");
        reply.truncate(mark);
        assert_eq!((reply.to_vec(), reply.len()), (before.clone(), before.len()));
        reply.clear();
        assert_eq!((reply.len(), Arc::strong_count(&large)), (0, 1));
    }

    /// What a random handler does.
    #[derive(Clone, Debug)]
    enum Say {
        Bulk(usize),
        Shared(usize),
        Begin,
        End,
        UndoneShared,
    }

    proptest! {
        #[test]
        fn splices_stay_in_place_whatever_moves(steps in proptest::collection::vec(prop_oneof![
            (0..200usize).prop_map(Say::Bulk),
            (0..3usize).prop_map(|more| Say::Shared(SPLICE_FROM - 1 + more)),
            Just(Say::Begin),
            Just(Say::End),
            Just(Say::UndoneShared),
        ], 0..60)) {
            let mut reply = Reply::default();
            // The model: a stack of texts, the innermost aggregate last.
            let mut open: Vec<Deferred> = Vec::new();
            let mut texts: Vec<(Vec<u8>, usize)> = vec![(Vec::new(), 0)];
            let bulk = |len: usize| [format!("${len}\r\n").into_bytes(), vec![b'v'; len], b"\r\n".to_vec()].concat();
            let mut steps = steps;
            steps.extend(std::iter::repeat_n(Say::End, 60));
            for step in steps {
                let top = texts.last_mut().unwrap();
                match step {
                    Say::Bulk(len) => {
                        reply.bulk(&vec![b'v'; len]);
                        top.0.extend(bulk(len));
                        top.1 += 1;
                    }
                    Say::Shared(len) => {
                        reply.bulk_shared(&Arc::new(vec![b'v'; len]));
                        top.0.extend(bulk(len));
                        // Claim many elements so that headers of several widths appear.
                        top.1 += 7;
                    }
                    Say::UndoneShared => {
                        let mark = reply.mark();
                        reply.bulk_shared(&Arc::new(vec![b'v'; SPLICE_FROM]));
                        reply.truncate(mark);
                    }
                    Say::Begin => {
                        open.push(reply.begin_array());
                        texts.push((Vec::new(), 0));
                    }
                    Say::End => {
                        if let Some(begun) = open.pop() {
                            let (body, count) = texts.pop().unwrap();
                            reply.end_array(begun, count);
                            let top = texts.last_mut().unwrap();
                            top.0.extend(format!("*{count}\r\n").into_bytes());
                            top.0.extend(body);
                            top.1 += 1;
                        }
                    }
                }
            }
            prop_assert_eq!(reply.to_vec(), texts.pop().unwrap().0);
            prop_assert_eq!(reply.len(), reply.to_vec().len());
        }
    }
}
