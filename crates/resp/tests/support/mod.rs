//! What the tests and the fuzz target of the request parser share: a caller that feeds it pieces as a
//! connection does, and a naive parser that reads everything from one slice.

#![allow(dead_code)] // each user takes a part

use resp::{parse, Batch, Limits, Partial, ProtocolError, State};

/// Everything that came out of a connection's bytes.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The arguments of each command.
    pub commands: Vec<Vec<Vec<u8>>>,
    pub error: Option<ProtocolError>,
    /// Whether the last command is unfinished.
    pub unfinished: bool,
}

/// A connection: the buffer, and the big argument while one is being received.
pub struct Connection {
    limits: Limits,
    max_commands: usize,
    buffer: Vec<u8>,
    partial: Partial,
    batch: Batch,
    big: Option<(Vec<u8>, usize)>,
    outcome: Outcome,
}

impl Connection {
    pub fn new(limits: &Limits, max_commands: usize) -> Connection {
        Connection {
            limits: limits.clone(),
            max_commands,
            buffer: Vec::new(),
            partial: Partial::default(),
            batch: Batch::new(),
            big: None,
            outcome: Outcome::default(),
        }
    }

    pub fn receive(&mut self, mut piece: &[u8]) {
        while !piece.is_empty() && self.outcome.error.is_none() {
            if let Some((mut value, wanted)) = self.big.take() {
                let (mine, rest) = piece.split_at(piece.len().min(wanted - value.len()));
                value.extend_from_slice(mine);
                piece = rest;
                if value.len() < wanted {
                    self.big = Some((value, wanted));
                    continue;
                }
                self.partial.big_received(value);
            } else {
                self.buffer.extend_from_slice(piece);
                piece = &[];
            }
            self.parse();
        }
    }

    pub fn finish(mut self) -> Outcome {
        if self.outcome.error.is_none() {
            self.outcome.unfinished = !self.buffer.is_empty();
            assert!(self.outcome.unfinished || !self.partial.in_progress());
        }
        self.outcome
    }

    fn parse(&mut self) {
        loop {
            let result =
                parse(&self.buffer, &mut self.partial, &self.limits, self.max_commands, &mut self.batch);
            self.take_commands();
            let progress = match result {
                Ok(progress) => progress,
                Err(error) => {
                    self.outcome.error = Some(error);
                    return;
                }
            };
            let last = self.batch.commands().last().map_or(0, |frame| frame.end as usize);
            assert!(last <= progress.consumed && progress.consumed <= self.buffer.len());
            self.buffer.drain(..progress.consumed);
            match progress.state {
                State::Complete if self.buffer.is_empty() => return,
                State::Complete => assert!(progress.consumed > 0, "a call must bring us on"),
                State::NeedMore => {
                    assert!(!self.buffer.is_empty());
                    return;
                }
                State::Big { len, already } => {
                    assert!(len >= self.limits.big_threshold && already < len + 2);
                    let mut value = Vec::with_capacity(len.min(1 << 20) + 2);
                    value.extend(self.buffer.drain(self.buffer.len() - already..));
                    self.big = Some((value, len + 2));
                    return;
                }
            }
        }
    }

    fn take_commands(&mut self) {
        assert!(self.batch.len() <= self.max_commands);
        let owned = self.batch.to_owned(&self.buffer, 0);
        for i in 0..self.batch.len() {
            let args = self.batch.args(&self.buffer, i);
            assert!(args.len() > 0);
            assert!(args.iter().eq(owned.args(i).iter()), "what travels is what was parsed");
            self.outcome.commands.push(args.iter().map(<[u8]>::to_vec).collect());
        }
    }
}

/// What comes out if the bytes arrive in these pieces.
pub fn feed<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, limits: &Limits, max_commands: usize) -> Outcome {
    let mut connection = Connection::new(limits, max_commands);
    for piece in pieces {
        connection.receive(piece);
    }
    connection.finish()
}

/// The reference: the whole input, no state, no care for speed.
pub fn naive(mut input: &[u8], limits: &Limits) -> Outcome {
    let mut outcome = Outcome::default();
    while !input.is_empty() {
        let step = if input[0] == b'*' { multibulk(input, limits) } else { inline(input, limits) };
        match step {
            Ok(Some((args, rest))) => {
                input = rest;
                if !args.is_empty() {
                    outcome.commands.push(args);
                }
            }
            Ok(None) => {
                outcome.unfinished = true;
                break;
            }
            Err(error) => {
                outcome.error = Some(error);
                break;
            }
        }
    }
    outcome
}

type Step<'a> = Result<Option<(Vec<Vec<u8>>, &'a [u8])>, ProtocolError>;

fn multibulk<'a>(input: &'a [u8], limits: &Limits) -> Step<'a> {
    let Some((line, mut rest)) = line(input, limits, ProtocolError::TooBigMultibulkCount)? else {
        return Ok(None);
    };
    let count = match number(&line[1..]) {
        Some(count) if count < 1 << 31 => count,
        _ => return Err(ProtocolError::InvalidMultibulkLength),
    };
    if count > 10 && !limits.authenticated {
        return Err(ProtocolError::UnauthenticatedMultibulkLength);
    }
    let mut args = Vec::new();
    for _ in 0..count {
        let Some((line, after)) = self::line(rest, limits, ProtocolError::TooBigBulkCount)? else {
            return Ok(None);
        };
        if rest[0] != b'$' {
            return Err(ProtocolError::ExpectedDollar(rest[0]));
        }
        let len = match number(&line[1..]) {
            Some(len) if len >= 0 && len <= limits.max_bulk as i128 => len as usize,
            _ => return Err(ProtocolError::InvalidBulkLength),
        };
        if len > 16384 && !limits.authenticated {
            return Err(ProtocolError::UnauthenticatedBulkLength);
        }
        if after.len() < len + 2 {
            return Ok(None);
        }
        args.push(after[..len].to_vec());
        rest = &after[len + 2..];
    }
    Ok(Some((args, rest)))
}

/// A line, and the input behind it.
type Line<'a> = (&'a [u8], &'a [u8]);

/// A header's line up to `\r`, and what follows the byte after that.
fn line<'a>(
    input: &'a [u8],
    limits: &Limits,
    too_big: ProtocolError,
) -> Result<Option<Line<'a>>, ProtocolError> {
    for (at, &byte) in input.iter().enumerate() {
        if at > limits.max_inline {
            return Err(too_big);
        }
        if byte == b'\r' {
            return Ok((at + 2 <= input.len()).then(|| (&input[..at], &input[at + 2..])));
        }
        if byte == 0 {
            return if input.len() > limits.max_inline { Err(too_big) } else { Ok(None) };
        }
    }
    if input.len() > limits.max_inline {
        return Err(too_big);
    }
    Ok(None)
}

/// A canonical decimal number of 64 bits.
fn number(text: &[u8]) -> Option<i128> {
    let text = std::str::from_utf8(text).ok()?;
    let number: i128 = text.parse::<i64>().ok()?.into();
    (number.to_string() == text).then_some(number)
}

fn inline<'a>(input: &'a [u8], limits: &Limits) -> Step<'a> {
    let searched = &input[..input.len().min(limits.max_inline + 1)];
    let visible = searched.split(|&byte| byte == 0).next().unwrap_or_default();
    let Some(at) = visible.iter().position(|&byte| byte == b'\n') else {
        return if input.len() > limits.max_inline { Err(ProtocolError::TooBigInline) } else { Ok(None) };
    };
    let mut line = input[..at].to_vec();
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    let words = split_words(&line).ok_or(ProtocolError::UnbalancedQuotes)?;
    Ok(Some((words, &input[at + 1..])))
}

/// One byte after the other through four states.
fn split_words(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    #[derive(PartialEq)]
    enum In {
        Blank,
        Word,
        Single,
        Double,
    }
    let mut words: Vec<Vec<u8>> = Vec::new();
    let mut state = In::Blank;
    let mut bytes = line.iter().copied().collect::<std::collections::VecDeque<u8>>();
    while let Some(byte) = bytes.pop_front() {
        let blank = b" \t\n\r\x0b\x0c".contains(&byte);
        if state == In::Blank {
            if blank {
                continue;
            }
            words.push(Vec::new());
            state = In::Word;
        }
        let word = words.last_mut().unwrap();
        match (&state, byte) {
            (In::Word, b' ' | b'\t' | b'\n' | b'\r') => state = In::Blank,
            (In::Word, b'"') => state = In::Double,
            (In::Word, b'\'') => state = In::Single,
            (In::Double, b'"') | (In::Single, b'\'') => {
                state = In::Blank;
                if bytes.front().is_some_and(|byte| !b" \t\n\r\x0b\x0c".contains(byte)) {
                    return None;
                }
            }
            (In::Single, b'\\') if bytes.front() == Some(&b'\'') => word.extend(bytes.pop_front()),
            (In::Double, b'\\') if !bytes.is_empty() => {
                let hex = (bytes.len() >= 3 && bytes[0] == b'x')
                    .then(|| format!("{}{}", char::from(bytes[1]), char::from(bytes[2])))
                    .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
                    .and_then(|digits| u8::from_str_radix(&digits, 16).ok());
                if let Some(byte) = hex {
                    bytes.drain(..3);
                    word.push(byte);
                } else {
                    let escaped = bytes.pop_front().unwrap();
                    let at = b"nrtba".iter().position(|&letter| letter == escaped);
                    word.push(at.map_or(escaped, |at| b"\n\r\t\x08\x07"[at]));
                }
            }
            _ => word.push(byte),
        }
    }
    matches!(state, In::Blank | In::Word).then_some(words)
}

/// The check of the fuzz target: under several limits the input gives the same however it is cut, and
/// what the naive parser finds. The input itself says where the random cuts are.
pub fn check_all_ways(input: &[u8]) {
    let small = Limits { max_inline: 48, max_bulk: 4096, big_threshold: 16, ..Limits::default() };
    let unauthenticated = Limits { authenticated: false, ..Limits::default() };
    let in_place = Limits { big_threshold: usize::MAX, ..Limits::default() };
    for limits in [Limits::default(), small, unauthenticated, in_place] {
        let expected = naive(input, &limits);
        let same = |outcome: Outcome, how: &str| {
            assert_eq!(outcome, expected, "{how}, {limits:?}, {:?}", String::from_utf8_lossy(input));
        };
        same(feed([input], &limits, usize::MAX), "in one piece");
        same(feed([input], &limits, 1), "one command at a time");
        same(feed(input.chunks(1), &limits, 3), "byte by byte");
        // Pieces whose sizes follow from the bytes themselves, so that a seed replays.
        let mut pieces = Vec::new();
        let mut rest = input;
        let mut state = input.len() as u32;
        while !rest.is_empty() {
            state = (state ^ u32::from(rest[0])).wrapping_mul(0x9E37_79B9).rotate_left(13);
            let (piece, after) = rest.split_at((1 + state as usize % 100).min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        same(feed(pieces, &limits, 64), "in random pieces");
        // Quadratic, so for short inputs only.
        if input.len() <= 100 {
            for cut in 0..input.len() {
                same(feed([&input[..cut], &input[cut..]], &limits, 64), "in two pieces");
            }
        }
    }
}
