//! XADD and XTRIM: entries come at the end, and go at the front.
//!
//! ```text
//!     XADD key [NOMKSTREAM] [MAXLEN | MINID [= | ~] threshold [LIMIT count]] * | id field value [field value ...]
//!     XTRIM key              MAXLEN | MINID [= | ~] threshold [LIMIT count]
//! ```
//!
//! 1. Words before the id are options in any order; the first that is none is the id.
//! 2. What an approximate trimming removes depends on how the nodes happened to be cut, and on a limit: it is
//!    logged as the exact trimming with the same outcome. An entry is logged with the id it got.

use super::{free_later, id_of, id_text, Outcome};
use crate::{CommandError, Exec};
use datatypes::stream::{AddError, Counters, Limits, NewId, Stream, StreamId, StreamLarge, Trim};
use resp::{format_integer, parse_integer, Args, Reply};

/// The options of XADD and XTRIM.
struct Options {
    trim: Option<Trimming>,
    no_mkstream: bool,
    /// Which argument is the first behind them: XADD's id.
    end: usize,
}

#[derive(Clone, Copy)]
struct Trimming {
    to: Trim,
    approximate: bool,
    /// 0 is none.
    limit: u64,
}

impl Options {
    fn read(args: Args, is_add: bool, limits: Limits) -> Result<Options, CommandError> {
        let mut options = Options { trim: None, no_mkstream: false, end: args.len() };
        let mut limit: Option<u64> = None;
        let mut i = 2;
        while let Some(word) = args.try_get(i) {
            let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
            let more = args.len() - 1 - i;
            if is_add && word == b"*" {
                options.end = i;
                break;
            } else if (is("maxlen") || is("minid")) && more > 0 {
                if options.trim.is_some() {
                    return Err(CommandError::maxlen_and_minid());
                }
                let operator = args.get(i + 1);
                let approximate = more > 1 && operator == b"~";
                i += 1 + usize::from(approximate || (more > 1 && operator == b"="));
                let to = match is("maxlen") {
                    true => Trim::MaxLen(not_negative(args.get(i), CommandError::maxlen_negative)?),
                    false => Trim::MinId(id_of(args.get(i))?),
                };
                options.trim = Some(Trimming { to, approximate, limit: 0 });
            } else if is("limit") && more > 0 {
                i += 1;
                limit = Some(not_negative(args.get(i), CommandError::trim_limit_negative)?);
            } else if is_add && is("nomkstream") {
                options.no_mkstream = true;
            } else if is_add {
                options.end = i;
                NewId::parse(word).ok_or_else(CommandError::invalid_stream_id)?;
                break;
            } else {
                return Err(CommandError::Syntax);
            }
            i += 1;
        }
        match (&mut options.trim, limit) {
            (None, Some(1..)) => return Err(CommandError::limit_without_trimming()),
            (None, _) if !is_add => return Err(CommandError::trim_without_strategy()),
            // LIMIT 0 alone is let pass until here.
            (None, Some(0)) => return Err(CommandError::limit_without_approximation()),
            (None, None) => {}
            (Some(trim), Some(_)) if !trim.approximate => {
                return Err(CommandError::limit_without_approximation());
            }
            (Some(trim), Some(limit)) => trim.limit = limit,
            (Some(trim), None) if trim.approximate => trim.limit = limits.trim_limit(),
            (Some(_), None) => {}
        }
        Ok(options)
    }
}

fn not_negative(argument: &[u8], refusal: fn() -> CommandError) -> Result<u64, CommandError> {
    let number = parse_integer(argument).ok_or(CommandError::NotInteger)?;
    u64::try_from(number).map_err(|_| refusal())
}

impl Trimming {
    /// Whether there is nothing to be trimmed, as far as counters can tell.
    fn is_vain(&self, counters: &Counters) -> bool {
        match self.to {
            Trim::MaxLen(most) => counters.len <= most,
            Trim::MinId(least) => counters.len == 0 || counters.first_id >= least,
        }
    }

    /// Trims. How many entries went, and what is to be freed later.
    fn run(&self, stream: &mut StreamLarge) -> (u64, Option<Stream>) {
        let trimmed = stream.trim(self.to, self.approximate, self.limit);
        (trimmed.removed, trimmed.rest)
    }

    /// The exact trimming that does what this one did (rule 2).
    fn exact_words(&self, stream: &StreamLarge) -> [Vec<u8>; 3] {
        let (strategy, threshold) = match (self.to, self.approximate) {
            (Trim::MaxLen(_), true) => ("MAXLEN", stream.len().to_string().into_bytes()),
            (Trim::MaxLen(most), false) => ("MAXLEN", format_integer(most as i64).to_vec()),
            (Trim::MinId(_), true) => ("MINID", id_text(stream.first_place())),
            (Trim::MinId(least), false) => ("MINID", id_text(least)),
        };
        [strategy.into(), b"=".to_vec(), threshold]
    }
}

/// XADD: the id of the new entry.
pub(super) fn xadd(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let limits = cx.limits.stream;
    let options = Options::read(args, true, limits)?;
    let first_field = options.end + 1;
    if args.len() < first_field + 2 || (args.len() - first_field) % 2 == 1 {
        return Err(CommandError::WrongArity("xadd"));
    }
    let wanted = NewId::parse(args.get(options.end)).ok_or_else(CommandError::invalid_stream_id)?;
    if wanted == NewId::Given(StreamId::MIN) {
        return Err(CommandError::zero_id());
    }
    let now_ms = cx.now.unix_ms();
    let key = cx.key(args, 1);
    let mut stream = cx.keys.edit::<Stream>(&key)?;
    if options.no_mkstream && !stream.was_there() {
        reply.null();
        return Ok(());
    }
    look_first(stream.counters(), wanted)?;
    let fields = args.from(first_field);
    let pairs = (0..fields.len() / 2).map(|i| (fields.get(2 * i), fields.get(2 * i + 1)));
    let id = stream.add(wanted, pairs, limits, now_ms).map_err(refused)?;
    let mut rest = None;
    if let Some(trim) = options.trim.filter(|trim| !trim.is_vain(stream.counters())) {
        rest = trim.run(&mut stream).1;
    }
    let approximate = options.trim.is_some_and(|trim| trim.approximate);
    if cx.effects.wanted && (approximate || !matches!(wanted, NewId::Given(_))) {
        let text = id_text(id);
        let trim = options.trim.map(|trim| trim.exact_words(&stream));
        let mut words: Vec<&[u8]> = vec![b"XADD", key.bytes];
        if options.no_mkstream {
            words.push(b"NOMKSTREAM");
        }
        words.extend(trim.iter().flatten().map(|word| &word[..]));
        words.push(&text);
        words.extend(fields.iter());
        cx.effects.log(&words);
    }
    drop(stream);
    free_later(cx, &key, rest);
    cx.changed(1);
    super::write_id(reply, id);
    Ok(())
}

/// Refuses an id that cannot be given before the stream is touched.
fn look_first(counters: &Counters, wanted: NewId) -> Result<(), CommandError> {
    let last = counters.last_id;
    if last == StreamId::MAX {
        return Err(CommandError::stream_exhausted());
    }
    let is_above = match wanted {
        NewId::Auto => true,
        NewId::AutoSeq(ms) => ms > last.ms || (ms == last.ms && last.seq < u64::MAX),
        NewId::Given(id) => id > last,
    };
    is_above.then_some(()).ok_or_else(CommandError::id_not_above)
}

fn refused(refusal: AddError) -> CommandError {
    match refusal {
        AddError::Exhausted => CommandError::stream_exhausted(),
        AddError::NotAbove => CommandError::id_not_above(),
        AddError::TooLarge => CommandError::entry_too_large(),
    }
}

/// XTRIM: how many entries went.
pub(super) fn xtrim(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let trim = Options::read(args, false, cx.limits.stream)?.trim.expect("XTRIM is refused without");
    let key = cx.key(args, 1);
    let mut stream = cx.keys.edit::<Stream>(&key)?;
    if !stream.was_there() || trim.is_vain(stream.counters()) {
        reply.integer(0);
        return Ok(());
    }
    let (removed, rest) = trim.run(&mut stream);
    if removed > 0 && trim.approximate && cx.effects.wanted {
        let [strategy, operator, threshold] = trim.exact_words(&stream);
        cx.effects.log(&[b"XTRIM", key.bytes, &strategy, &operator, &threshold]);
    }
    drop(stream);
    free_later(cx, &key, rest);
    cx.changed(removed);
    reply.integer(removed as i64);
    Ok(())
}
