//! Requests: from the bytes of a connection to commands.
//!
//! ```text
//!     *2\r\n $3\r\nGET\r\n $1\r\nk\r\n     a multibulk: a count, then as many bulks
//!     GET k\r\n                            inline: words on a line, quoted as in a shell
//! ```
//!
//! [`parse`] reads as many commands as the buffer holds and allocates nothing for them. The caller
//! drops `consumed` bytes, receives more behind what is left, and calls again; an unfinished command
//! thus always starts at the front. So that one of a million arguments, arriving in small pieces, is
//! not parsed from its start each time, [`Partial`] keeps the place reached inside it.
//!
//! ```text
//!                 NeedMore: receive, append                    a bulk of big_threshold or more, cut
//!      +--------+ <------------------------ +-------+ short of its end: Big    +-------------------+
//!      | buffer |                           | parse | ----------------------> | the value's own   |
//!      +--------+ ------------------------> +-------+ <---------------------- | buffer, received  |
//!                                             |   ^        big_received       | into directly     |
//!                                    commands v   | Complete, more in the     +-------------------+
//!                                                 | buffer
//! ```
//!
//! 1. Offsets count from the front of the buffer given, and an unfinished command is at its front at
//!    the next call. While [`Partial::in_progress`], its bytes must stay there unchanged.
//! 2. How the bytes were cut into pieces changes neither the commands nor the error (but for
//!    `max_query`, which bounds what is kept: a longer command that is all there is executed).
//! 3. The commands in front of a protocol error are in the batch: they are executed, then the error
//!    is answered, then the connection is closed.
//! 4. Before authentication one command is parsed at a time, for it may be the AUTH that lifts the
//!    limits on the next.
//! 5. No offset reaches 2^30: an unfinished command that would need one is refused.
//!
//! Follows Redis 7.2, including what it leaves unchecked: a line of a multibulk ends at `\r` and the
//! byte after it is skipped, as are the two bytes after a bulk; a NUL byte hides the end of its line, so
//! that such a line only ends at the size limit. One difference is wanted: Redis notices an overlong
//! line only if a read happened to end inside it; by rule 2 we always do.

use crate::args::{Arg, Batch, CommandFrame};
use crate::integer::parse_integer;
use crate::Reply;
use std::sync::Arc;

/// The highest offset into a buffer, by the two bits that `Arg` keeps for itself.
pub const MAX_OFFSET: usize = (1 << 30) - 1;

/// Below this many bytes an unfinished command is parsed again rather than remembered: most are cut
/// by the end of a receive buffer, and remembering costs two allocations.
const REMEMBER_FROM: usize = 1024;

/// Before authentication a command has at most so many arguments.
const UNAUTHENTICATED_ARGS: i64 = 10;
/// Before authentication an argument is at most so long.
const UNAUTHENTICATED_BULK: usize = 16384;

/// What a connection may send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `proto-max-bulk-len`: the longest argument. Arguments below 1000 bytes are never refused.
    pub max_bulk: usize,
    /// The longest line: of an inline command, or the header of a multibulk or a bulk.
    pub max_inline: usize,
    /// `client-query-buffer-limit`: the most bytes of one unfinished command.
    pub max_query: usize,
    /// From this length on an argument that is not yet all there is received apart.
    pub big_threshold: usize,
    /// Whether the client has authenticated, or need not.
    pub authenticated: bool,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            max_bulk: 512 << 20,
            max_inline: 64 << 10,
            max_query: 1 << 30,
            big_threshold: 32 << 10,
            authenticated: true,
        }
    }
}

/// How far [`parse`] came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes at the front of the buffer that belong to the commands now in the batch; what follows is
    /// unparsed, or an unfinished command, and stays.
    pub consumed: usize,
    /// What to do next.
    pub state: State,
}

/// What [`parse`] is waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No command is unfinished. If bytes are left in the buffer, the batch was full: call again.
    Complete,
    /// The command after `consumed` is unfinished: receive more.
    NeedMore,
    /// As `NeedMore`, and its next argument has `len` bytes, of which the last `already` of the buffer
    /// are the first. Move these into a vector with room for `len + 2`, drop them from the buffer,
    /// receive up to `len + 2` bytes straight into the vector, and hand it to [`Partial::big_received`].
    /// `already` may be `len + 1`: all but the last byte of the line end.
    Big {
        /// Length of the argument, without the line end that follows it.
        len: usize,
        /// How many of its bytes, line end included, are at the buffer's end.
        already: usize,
    },
}

/// A violation of the protocol: it is answered, and the connection closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtocolError {
    /// An inline command longer than `max_inline`.
    TooBigInline,
    /// An inline command with an open quote, or text right behind a closing one.
    UnbalancedQuotes,
    /// A multibulk's header longer than `max_inline`.
    TooBigMultibulkCount,
    /// A multibulk's count that is no number, or above 2^31 - 1.
    InvalidMultibulkLength,
    /// More than ten arguments before authentication.
    UnauthenticatedMultibulkLength,
    /// A bulk's header longer than `max_inline`.
    TooBigBulkCount,
    /// This byte where a bulk should start.
    ExpectedDollar(u8),
    /// A bulk's length that is no number, negative, or above `max_bulk`.
    InvalidBulkLength,
    /// An argument above 16 KiB before authentication.
    UnauthenticatedBulkLength,
    /// An unfinished command above `max_query`. Redis closes on it without a word.
    QueryTooBig,
}

impl ProtocolError {
    /// Redis's words for it, as bytes since they may quote one of the client's.
    pub fn text(self) -> Vec<u8> {
        let text: &[u8] = match self {
            ProtocolError::TooBigInline => b"too big inline request",
            ProtocolError::UnbalancedQuotes => b"unbalanced quotes in request",
            ProtocolError::TooBigMultibulkCount => b"too big mbulk count string",
            ProtocolError::InvalidMultibulkLength => b"invalid multibulk length",
            ProtocolError::UnauthenticatedMultibulkLength => b"unauthenticated multibulk length",
            ProtocolError::TooBigBulkCount => b"too big bulk count string",
            ProtocolError::ExpectedDollar(got) => &[b"expected '$', got '", &[got][..], b"'"].concat(),
            ProtocolError::InvalidBulkLength => b"invalid bulk length",
            ProtocolError::UnauthenticatedBulkLength => b"unauthenticated bulk length",
            ProtocolError::QueryTooBig => b"max query buffer length reached",
        };
        [b"Protocol error: ", text].concat()
    }

    /// Answers it, where Redis does.
    pub fn write(self, reply: &mut Reply) {
        if self != ProtocolError::QueryTooBig {
            reply.error_bytes(&[b"ERR ", &self.text()[..]].concat());
        }
    }
}

impl std::fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.text()))
    }
}

impl std::error::Error for ProtocolError {}

/// A connection's place inside an unfinished command. One pointer, null while there is none.
#[derive(Debug, Default)]
pub struct Partial(Option<Box<Unfinished>>);

#[derive(Debug)]
struct Unfinished {
    /// How many arguments the command will have.
    argc: u32,
    /// Those which are there; offsets from the command's first byte.
    args: Vec<Arg>,
    /// The offset, from the command's first byte, of the next argument's header; while `awaited`,
    /// of what will follow that argument.
    at: usize,
    /// Big arguments received apart.
    bigs: Vec<Arc<Vec<u8>>>,
    /// Length of the big argument that is being received apart.
    awaited: Option<usize>,
}

impl Unfinished {
    fn big_bytes(&self) -> usize {
        self.bigs.iter().map(|big| big.len()).sum::<usize>() + self.awaited.unwrap_or(0)
    }
}

impl Partial {
    /// Whether it holds a place in an unfinished command.
    pub fn in_progress(&self) -> bool {
        self.0.is_some()
    }

    /// Gives back the big argument that [`State::Big`] asked for: its bytes and the two of its line
    /// end. Panics if none was asked for or the length is wrong.
    pub fn big_received(&mut self, mut value: Vec<u8>) {
        let unfinished = self.0.as_deref_mut().expect("a big argument was asked for");
        let len = unfinished.awaited.take().expect("a big argument was asked for");
        assert_eq!(value.len(), len + 2, "a big argument comes back with its line end");
        value.truncate(len);
        unfinished.args.push(Arg::big(unfinished.bigs.len()));
        unfinished.bigs.push(Arc::new(value));
    }

    /// Bytes that it keeps in memory, the big arguments included.
    pub fn memory(&self) -> usize {
        self.0.as_deref().map_or(0, |unfinished| {
            size_of::<Unfinished>() + unfinished.args.capacity() * size_of::<Arg>() + unfinished.big_bytes()
        })
    }
}

/// Reads up to `max_commands` commands from the front of `buffer` into `out`, replacing what it held.
///
/// `max_commands` bounds how long one client is served before the next; a command of no arguments
/// (an empty line, `*0`) is passed over and does not count.
pub fn parse(
    buffer: &[u8],
    partial: &mut Partial,
    limits: &Limits,
    max_commands: usize,
    out: &mut Batch,
) -> Result<Progress, ProtocolError> {
    out.clear();
    let window = &buffer[..buffer.len().min(MAX_OFFSET)];
    let max_commands = if limits.authenticated { max_commands } else { max_commands.min(1) };
    let mut at = 0;
    while out.frames.len() < max_commands && at < window.len() {
        let found = if partial.in_progress() {
            resume(window, partial, limits, out)?
        } else if window[at] == b'*' {
            multibulk(window, at, partial, limits, out)?
        } else {
            inline(window, at, limits, out)?
        };
        match found {
            Found::Command { end } => at = end,
            Found::Unfinished(state) => {
                // What is left of a buffer beyond the highest offset gets its turn once `at` bytes
                // are gone.
                if at > 0 && buffer.len() > MAX_OFFSET {
                    *partial = Partial::default();
                    return Ok(Progress { consumed: at, state: State::Complete });
                }
                let here = match state {
                    State::Big { already, .. } => buffer.len() - at - already,
                    _ => buffer.len() - at,
                };
                let apart = partial.0.as_deref().map_or(0, Unfinished::big_bytes);
                if buffer.len() > MAX_OFFSET || here + apart > limits.max_query {
                    return Err(ProtocolError::QueryTooBig);
                }
                return Ok(Progress { consumed: at, state });
            }
        }
    }
    Ok(Progress { consumed: at, state: State::Complete })
}

enum Found {
    /// A command, now in the batch, or nothing to execute; up to `end`.
    Command {
        end: usize,
    },
    Unfinished(State),
}

/// A multibulk from its first byte.
#[inline]
fn multibulk(
    buffer: &[u8],
    start: usize,
    partial: &mut Partial,
    limits: &Limits,
    out: &mut Batch,
) -> Result<Found, ProtocolError> {
    let (argc, after) = match short_header(buffer, start, b'*') {
        Some((count, after)) if count <= UNAUTHENTICATED_ARGS as usize => (count, after),
        _ => match multibulk_header(buffer, start, limits)? {
            Some(header) => header,
            None => return Ok(Found::Unfinished(State::NeedMore)),
        },
    };
    if argc == 0 {
        return Ok(Found::Command { end: after });
    }
    let first_arg = out.args.len();
    match bulks(buffer, after, argc, limits, &mut out.args)? {
        Bulks::All { end } => {
            out.frames.push(CommandFrame {
                start: start as u32,
                end: end as u32,
                first_arg: first_arg as u32,
                argc: argc as u32,
            });
            Ok(Found::Command { end })
        }
        Bulks::Short { at, big } => {
            if big.is_some() || buffer.len() - start > REMEMBER_FROM {
                let args = out.args[first_arg..].iter().map(|arg| arg.moved_down(start)).collect();
                partial.0 = Some(Box::new(Unfinished {
                    argc: argc as u32,
                    args,
                    at: at - start,
                    bigs: Vec::new(),
                    awaited: big,
                }));
            }
            out.args.truncate(first_arg);
            Ok(Found::Unfinished(waiting_for(buffer, at, big)))
        }
    }
}

/// A multibulk from where the last call left it; it starts at the buffer's front.
#[cold]
fn resume(
    buffer: &[u8],
    partial: &mut Partial,
    limits: &Limits,
    out: &mut Batch,
) -> Result<Found, ProtocolError> {
    let unfinished = partial.0.as_deref_mut().expect("called for one");
    assert_eq!(unfinished.awaited, None, "a big argument is parsed after it has been received");
    let left = unfinished.argc as usize - unfinished.args.len();
    match bulks(buffer, unfinished.at, left, limits, &mut unfinished.args)? {
        Bulks::All { end } => {
            // An unfinished command is the first of its batch, so its big values keep their numbers.
            debug_assert!(out.args.is_empty() && out.bigs.is_empty());
            out.frames.push(CommandFrame { start: 0, end: end as u32, first_arg: 0, argc: unfinished.argc });
            out.args.append(&mut unfinished.args);
            out.bigs.append(&mut unfinished.bigs);
            partial.0 = None;
            Ok(Found::Command { end })
        }
        Bulks::Short { at, big } => {
            unfinished.at = at;
            unfinished.awaited = big;
            Ok(Found::Unfinished(waiting_for(buffer, at, big)))
        }
    }
}

fn waiting_for(buffer: &[u8], at: usize, big: Option<usize>) -> State {
    match big {
        Some(len) => State::Big { len, already: buffer.len() - at },
        None => State::NeedMore,
    }
}

enum Bulks {
    All {
        end: usize,
    },
    /// Stopped before the header at `at`, or, if the argument is to be received apart, after its
    /// header, with its length.
    Short {
        at: usize,
        big: Option<usize>,
    },
}

/// The loop that everything runs through: `left` bulks from `at` on.
#[inline]
fn bulks(
    buffer: &[u8],
    mut at: usize,
    left: usize,
    limits: &Limits,
    args: &mut Vec<Arg>,
) -> Result<Bulks, ProtocolError> {
    // Not by the announced count alone: it is a stranger's.
    args.reserve(left.min(1024));
    for _ in 0..left {
        let (len, body) = match short_header(buffer, at, b'$') {
            Some(header) => header,
            None => match bulk_header(buffer, at, limits)? {
                Some(header) => header,
                None => return Ok(Bulks::Short { at, big: None }),
            },
        };
        // `len` is at most 2^63 - 1, so the sum cannot wrap.
        if buffer.len() < body + len + 2 {
            return Ok(if len >= limits.big_threshold {
                Bulks::Short { at: body, big: Some(len) }
            } else {
                Bulks::Short { at, big: None }
            });
        }
        args.push(Arg::in_buffer(body, len));
        at = body + len + 2;
    }
    Ok(Bulks::All { end: at })
}

/// A header of one to three digits, which nearly all are: its number and the offset after it. `None`
/// says nothing but that the general way has to be gone. Six bytes are what the shortest bulk takes,
/// so that also a buffer's last argument is read here.
#[inline(always)]
fn short_header(buffer: &[u8], at: usize, mark: u8) -> Option<(usize, usize)> {
    let header: &[u8; 6] = buffer.get(at..)?.first_chunk()?;
    let digit = |i: usize| header[i].wrapping_sub(b'0') as usize;
    if header[0] != mark || digit(1) > 9 {
        return None;
    }
    if header[2] == b'\r' {
        return Some((digit(1), at + 4));
    }
    if digit(1) == 0 || digit(2) > 9 {
        return None;
    }
    if header[3] == b'\r' {
        return Some((digit(1) * 10 + digit(2), at + 5));
    }
    if digit(3) > 9 || header[4] != b'\r' {
        return None;
    }
    Some((digit(1) * 100 + digit(2) * 10 + digit(3), at + 6))
}

/// The header of a multibulk in all its forms: its count, none or negative as 0, and what follows.
#[cold]
fn multibulk_header(
    buffer: &[u8],
    start: usize,
    limits: &Limits,
) -> Result<Option<(usize, usize)>, ProtocolError> {
    let Some((line, after)) = header_line(buffer, start, limits, ProtocolError::TooBigMultibulkCount)? else {
        return Ok(None);
    };
    let count = parse_integer(&line[1..])
        .filter(|&count| count <= i64::from(i32::MAX))
        .ok_or(ProtocolError::InvalidMultibulkLength)?;
    if count > UNAUTHENTICATED_ARGS && !limits.authenticated {
        return Err(ProtocolError::UnauthenticatedMultibulkLength);
    }
    Ok(Some((count.max(0) as usize, after)))
}

/// The header of a bulk in all its forms: its length, and the offset of its bytes.
#[cold]
fn bulk_header(
    buffer: &[u8],
    start: usize,
    limits: &Limits,
) -> Result<Option<(usize, usize)>, ProtocolError> {
    let Some((line, after)) = header_line(buffer, start, limits, ProtocolError::TooBigBulkCount)? else {
        return Ok(None);
    };
    // Where the line is empty its `\r` is what stands in the place of the `$`.
    if buffer[start] != b'$' {
        return Err(ProtocolError::ExpectedDollar(buffer[start]));
    }
    let len = parse_integer(&line[1..])
        .and_then(|len| usize::try_from(len).ok())
        .filter(|&len| len <= limits.max_bulk)
        .ok_or(ProtocolError::InvalidBulkLength)?;
    if len > UNAUTHENTICATED_BULK && !limits.authenticated {
        return Err(ProtocolError::UnauthenticatedBulkLength);
    }
    Ok(Some((len, after)))
}

/// The line of a header, without its end, and the offset after it; `None` if its end is not there yet.
fn header_line<'a>(
    buffer: &'a [u8],
    start: usize,
    limits: &Limits,
    too_big: ProtocolError,
) -> Result<Option<(&'a [u8], usize)>, ProtocolError> {
    match line_end(&buffer[start..], b'\r', limits.max_inline) {
        LineEnd::At(length) if start + length + 2 <= buffer.len() => {
            Ok(Some((&buffer[start..start + length], start + length + 2)))
        }
        LineEnd::At(_) | LineEnd::NotYet => Ok(None),
        LineEnd::TooFar => Err(too_big),
    }
}

enum LineEnd {
    At(usize),
    NotYet,
    TooFar,
}

/// Where a line ends. A NUL byte hides the end, as in Redis.
fn line_end(bytes: &[u8], end: u8, max: usize) -> LineEnd {
    let searched = &bytes[..bytes.len().min(max.saturating_add(1))];
    match searched.iter().position(|&byte| byte == end || byte == 0) {
        Some(at) if searched[at] == end => LineEnd::At(at),
        _ if bytes.len() > max => LineEnd::TooFar,
        _ => LineEnd::NotYet,
    }
}

/// An inline command from its first byte.
#[cold]
fn inline(buffer: &[u8], start: usize, limits: &Limits, out: &mut Batch) -> Result<Found, ProtocolError> {
    let length = match line_end(&buffer[start..], b'\n', limits.max_inline) {
        LineEnd::At(length) => length,
        LineEnd::NotYet => return Ok(Found::Unfinished(State::NeedMore)),
        LineEnd::TooFar => return Err(ProtocolError::TooBigInline),
    };
    let end = start + length + 1;
    let line = &buffer[start..start + length];
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let first_arg = out.args.len();
    let mut at = 0;
    while let Some(skipped) = line[at..].iter().position(|&byte| !is_space(byte)) {
        at += skipped;
        at = word(line, at, start, out).ok_or_else(|| {
            out.args.truncate(first_arg);
            ProtocolError::UnbalancedQuotes
        })?;
    }
    let argc = out.args.len() - first_arg;
    if argc > 0 {
        out.frames.push(CommandFrame {
            start: start as u32,
            end: end as u32,
            first_arg: first_arg as u32,
            argc: argc as u32,
        });
    }
    Ok(Found::Command { end })
}

/// One word of an inline command, which starts at `at` and is no blank: pushes it and returns the
/// offset after it. `None`: unbalanced quotes.
fn word(line: &[u8], at: usize, line_start: usize, out: &mut Batch) -> Option<usize> {
    let rest = &line[at..];
    let plain = rest.iter().position(|&byte| ends_word(byte) || is_quote(byte)).unwrap_or(rest.len());
    if !rest.get(plain).is_some_and(|&byte| is_quote(byte)) {
        out.args.push(Arg::in_buffer(line_start + at, plain));
        return Some(at + plain);
    }
    let start = out.unescaped.len();
    out.unescaped.extend_from_slice(&rest[..plain]);
    let used = unescape(&rest[plain..], &mut out.unescaped)?;
    out.args.push(Arg::unescaped(start, out.unescaped.len() - start));
    Some(at + plain + used)
}

/// The rest of a word from its first quote on: appends its meaning, returns how long it is.
fn unescape(text: &[u8], into: &mut Vec<u8>) -> Option<usize> {
    let peek = |at: usize| text.get(at).copied();
    let mut at = 0;
    loop {
        match peek(at) {
            None => return Some(at),
            Some(byte) if ends_word(byte) => return Some(at),
            Some(quote @ (b'"' | b'\'')) => {
                at += 1;
                loop {
                    match (peek(at)?, peek(at + 1)) {
                        (byte, next) if byte == quote => {
                            // A closing quote also closes the word.
                            return next.is_none_or(is_space).then_some(at + 1);
                        }
                        (b'\\', Some(b'\'')) if quote == b'\'' => {
                            into.push(b'\'');
                            at += 2;
                        }
                        (b'\\', Some(escaped)) if quote == b'"' => {
                            let hex = |at: usize| peek(at).and_then(|byte| char::from(byte).to_digit(16));
                            match (escaped, hex(at + 2), hex(at + 3)) {
                                (b'x', Some(high), Some(low)) => {
                                    into.push((high * 16 + low) as u8);
                                    at += 4;
                                }
                                _ => {
                                    into.push(match escaped {
                                        b'n' => b'\n',
                                        b'r' => b'\r',
                                        b't' => b'\t',
                                        b'b' => 8,
                                        b'a' => 7,
                                        other => other,
                                    });
                                    at += 2;
                                }
                            }
                        }
                        (byte, _) => {
                            into.push(byte);
                            at += 1;
                        }
                    }
                }
            }
            Some(byte) => {
                into.push(byte);
                at += 1;
            }
        }
    }
}

/// What separates words: C's `isspace`, which has two more than what ends a plain word.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 11 | 12 | b'\r')
}

fn ends_word(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'')
}
