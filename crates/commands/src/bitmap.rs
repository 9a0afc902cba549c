//! Bitmap commands: strings as bits, and as integers of any width. `datatypes::bits` and
//! `datatypes::bitfield` know the bits; here we read the arguments, make room, and word the reply.
//!
//! 1. A string can be huge, so a write touches only the bytes in which it changes a bit: nothing is copied
//!    out and back. Reading works on the value where it lies.
//! 2. What writes a bit leaves the string "raw" to OBJECT ENCODING, even where no bit changes.
//! 3. A change is a bit that differs or a string that has grown; without one nothing is logged.
//! 4. Offsets are limited by `proto-max-bulk-len` as far as they are given, so a field of BITFIELD can end
//!    eight bytes behind.

use crate::string::string;
use crate::table::{at, through, Categories, Command, Flags, KeySpec};
use crate::{CommandError, Exec};
use datatypes::bitfield::{Field, Overflow};
use datatypes::bits::{self, Operation};
use keyspace::{ExpiryChange, Form, Key, NewValue, StrRef, INLINE_MAX};
use resp::{parse_integer, Args, Reply};
use std::ops::Range;
use std::sync::Arc;

type Outcome = Result<(), CommandError>;

const BITMAP: Categories = Categories::BITMAP;
const READONLY: Flags = Flags::READONLY;
const WRITE: Flags = Flags::WRITE;
const DENYOOM: Flags = Flags::DENYOOM;
const FAST: Flags = Flags::FAST;

const READS: &[KeySpec] = &[at(1, &["RO", "access"])];

pub const TABLE: &[Command] = &[
    Command::new("bitcount", bitcount).arity(-2).keys(READS).flags(&[READONLY]).acl(BITMAP),
    Command::new("bitfield", bitfield)
        .arity(-2)
        .keys(&[at(1, &["RW", "access", "update", "variable_flags"])
            .noted("This command allows both access and modification of the key")])
        .flags(&[WRITE, DENYOOM])
        .acl(BITMAP),
    Command::new("bitfield_ro", bitfield_ro).arity(-2).keys(READS).flags(&[READONLY, FAST]).acl(BITMAP),
    Command::new("bitop", bitop)
        .arity(-4)
        .keys(&[at(2, &["OW", "update"]), through(3, -1, 1, &["RO", "access"])])
        .flags(&[WRITE, DENYOOM])
        .acl(BITMAP),
    Command::new("bitpos", bitpos).arity(-3).keys(READS).flags(&[READONLY]).acl(BITMAP),
    Command::new("getbit", getbit).arity(3).keys(READS).flags(&[READONLY, FAST]).acl(BITMAP),
    Command::new("setbit", setbit)
        .arity(4)
        .keys(&[at(1, &["RW", "access", "update"])])
        .flags(&[WRITE, DENYOOM])
        .acl(BITMAP),
];

/// GETBIT key offset
fn getbit(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let offset = bit_offset(cx, args.get(2), None)?;
    let key = cx.key(args, 1);
    let bit = match cx.keys.find(&key) {
        Some(entry) => bits::get(string(entry)?.bytes(), offset),
        None => false,
    };
    reply.integer(bit.into());
    Ok(())
}

/// SETBIT key offset value: the bit that was there.
fn setbit(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let offset = bit_offset(cx, args.get(2), None)?;
    let on = match parse_integer(args.get(3)) {
        Some(0) => false,
        Some(1) => true,
        _ => return Err(CommandError::bad_bit()),
    };
    let key = cx.key(args, 1);
    let spot = cx.keys.open(&key);
    let at = (offset / 8) as usize;
    let (old, raw) = match spot.entry() {
        Some(entry) => {
            let string = string(entry)?;
            (string.bytes().get(at).copied(), is_raw(string))
        }
        None => (None, false),
    };
    let new = bits::with_bit(old.unwrap_or(0), offset, on);
    let changed = old != Some(new);
    if changed || !raw {
        spot.write_range(at, &[new]);
    }
    cx.changed(changed.into());
    reply.integer(bits::get(&[old.unwrap_or(0)], offset % 8).into());
    Ok(())
}

/// BITCOUNT key [start end [BYTE | BIT]]
fn bitcount(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let key = cx.key(args, 1);
    let Some(entry) = cx.keys.find(&key) else {
        // Redis does not look at what else was sent.
        reply.integer(0);
        return Ok(());
    };
    let bytes = string(entry)?.bytes();
    let count = match args.len() {
        2 => bits::count(bytes),
        4 | 5 => {
            let (start, end) = (integer(args.get(2))?, integer(args.get(3))?);
            // Two negative ends in the wrong order are empty even where cutting off would make them meet,
            // and then the unit is not looked at.
            if start < 0 && end < 0 && start > end {
                0
            } else {
                bits::count_range(bytes, range(bytes, start, end, Unit::of(args.try_get(4))?))
            }
        }
        _ => return Err(CommandError::Syntax),
    };
    reply.integer(count as i64);
    Ok(())
}

/// BITPOS key bit [start [end [BYTE | BIT]]]: where the first such bit is, or -1. A zero is also found
/// right behind the string, unless an end is given.
fn bitpos(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let bit = match integer(args.get(2))? {
        0 => false,
        1 => true,
        _ => return Err(CommandError::no_such_bit()),
    };
    let key = cx.key(args, 1);
    let Some(entry) = cx.keys.find(&key) else {
        // A string that is not there is full of zeros.
        reply.integer(if bit { -1 } else { 0 });
        return Ok(());
    };
    let bytes = string(entry)?.bytes();
    if args.len() > 6 {
        return Err(CommandError::Syntax);
    }
    let start = args.try_get(3).map_or(Ok(0), integer)?;
    let unit = Unit::of(args.try_get(5))?;
    let end = args.try_get(4).map(integer).transpose()?;
    let range = range(bytes, start, end.unwrap_or(-1), unit);
    let behind = (!bit && end.is_none() && !range.is_empty()).then_some(range.end);
    let position = bits::position(bytes, bit, range).or(behind);
    reply.integer(position.map_or(-1, |at| at as i64));
    Ok(())
}

/// BITOP AND | OR | XOR | NOT destkey key [key ...]: the length of the result.
fn bitop(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let operation = match args.get(1).to_ascii_lowercase().as_slice() {
        b"and" => Operation::And,
        b"or" => Operation::Or,
        b"xor" => Operation::Xor,
        b"not" if args.len() == 4 => Operation::Not,
        b"not" => return Err(CommandError::not_of_several()),
        _ => return Err(CommandError::Syntax),
    };
    let sources: Vec<Key> = (3..args.len()).map(|i| cx.key(args, i)).collect();
    for source in &sources {
        if let Some(entry) = cx.keys.find(source) {
            string(entry)?;
        }
    }
    // All were read properly; now they are borrowed all at once.
    let mut values = Vec::with_capacity(sources.len());
    for source in &sources {
        values.push(match cx.keys.peek(source) {
            Some(entry) => string(entry)?.bytes(),
            None => b"",
        });
    }
    let result = bits::combine(operation, &values);
    let len = result.len();
    let key = cx.key(args, 2);
    if len > INLINE_MAX {
        cx.keys.set(&key, NewValue::Shared(Arc::new(result), Form::Raw), ExpiryChange::Clear);
        cx.changed(1);
    } else if len > 0 {
        cx.keys.set(&key, NewValue::Copy(&result, Form::Raw), ExpiryChange::Clear);
        cx.changed(1);
    } else {
        let removed = cx.keys.remove(&key);
        cx.changed(removed.into());
    }
    reply.integer(len as i64);
    Ok(())
}

/// BITFIELD key [GET type offset | [OVERFLOW WRAP | SAT | FAIL] SET type offset value |
/// INCRBY type offset increment ...]
fn bitfield(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let steps = Step::all(cx, args)?;
    let key = cx.key(args, 1);
    let furthest = steps.iter().filter(|step| !step.action.reads()).map(|step| step.field.end(step.offset));
    let Some(end) = furthest.max() else { return read_fields(cx, &key, &steps, reply) };
    // 1. Room for all that will be written.
    let spot = cx.keys.open(&key);
    let last = ((end - 1) / 8) as usize;
    let (old, raw) = match spot.entry() {
        Some(entry) => {
            let string = string(entry)?;
            (string.bytes().get(last).copied(), is_raw(string))
        }
        None => (None, false),
    };
    let grown = old.is_none();
    if grown || !raw {
        spot.write_range(last, &[old.unwrap_or(0)]);
    }
    // 2. Step by step, each in place.
    let mut changes = 0;
    reply.array(steps.len());
    for Step { action, field, offset } in steps {
        let before = {
            let entry = cx.keys.peek(&key).expect("there is room in it");
            let string = string(entry)?.bytes();
            let old = field.get(string, offset);
            let new = match action {
                Action::Get => {
                    reply.integer(old);
                    continue;
                }
                Action::Set(value, overflow) => field.settle(value, 0, overflow).map(|new| (old, new)),
                Action::Increment(by, overflow) => field.settle(old, by, overflow).map(|new| (new, new)),
            };
            new.map(|(answer, new)| (answer, old != new, field.put(string, offset, new)))
        };
        let Some((answer, differs, patch)) = before else {
            reply.null();
            continue;
        };
        if differs {
            overwrite(cx, &key, patch.at, patch.bytes());
        }
        changes += u64::from(differs || grown);
        reply.integer(answer);
    }
    // A string that was made or grown is a change, even if each step failed: replicas must have it, too.
    cx.changed(changes.max(grown.into()));
    Ok(())
}

/// BITFIELD_RO key [GET type offset ...]
fn bitfield_ro(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let steps = Step::all(cx, args)?;
    if steps.iter().any(|step| !step.action.reads()) {
        return Err(CommandError::bitfield_only_reads());
    }
    let key = cx.key(args, 1);
    read_fields(cx, &key, &steps, reply)
}

fn read_fields(cx: &mut Exec, key: &Key, steps: &[Step], reply: &mut Reply) -> Outcome {
    let bytes = match cx.keys.find(key) {
        Some(entry) => string(entry)?.bytes(),
        None => b"",
    };
    reply.array(steps.len());
    for step in steps {
        reply.integer(step.field.get(bytes, step.offset));
    }
    Ok(())
}

/// One step of BITFIELD.
struct Step {
    action: Action,
    field: Field,
    offset: u64,
}

/// What a step does with its field.
#[derive(Clone, Copy)]
enum Action {
    Get,
    Set(i64, Overflow),
    Increment(i64, Overflow),
}

impl Action {
    fn reads(self) -> bool {
        matches!(self, Action::Get)
    }
}

impl Step {
    /// Reads all steps, before any is done.
    fn all(cx: &Exec, args: Args) -> Result<Vec<Step>, CommandError> {
        let mut steps = Vec::new();
        let mut overflow = Overflow::default();
        let mut i = 2;
        while let Some(word) = args.try_get(i) {
            let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
            let left = args.len() - i - 1;
            let (get, set) = (is(b"get") && left >= 2, is(b"set") && left >= 3);
            if is(b"overflow") && left >= 1 {
                overflow = overflow_of(args.get(i + 1))?;
                i += 2;
                continue;
            }
            if !(get || set || is(b"incrby") && left >= 3) {
                return Err(CommandError::Syntax);
            }
            let field = Field::parse(args.get(i + 1)).ok_or_else(CommandError::bad_bitfield_type)?;
            let offset = bit_offset(cx, args.get(i + 2), Some(field))?;
            let action = match (get, set) {
                (true, _) => Action::Get,
                (_, true) => Action::Set(integer(args.get(i + 3))?, overflow),
                _ => Action::Increment(integer(args.get(i + 3))?, overflow),
            };
            i += if get { 3 } else { 4 };
            steps.push(Step { action, field, offset });
        }
        Ok(steps)
    }
}

fn overflow_of(word: &[u8]) -> Result<Overflow, CommandError> {
    match word.to_ascii_lowercase().as_slice() {
        b"wrap" => Ok(Overflow::Wrap),
        b"sat" => Ok(Overflow::Saturate),
        b"fail" => Ok(Overflow::Fail),
        _ => Err(CommandError::bad_overflow()),
    }
}

/// What the ends of a range count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    Bytes,
    Bits,
}

impl Unit {
    fn of(word: Option<&[u8]>) -> Result<Unit, CommandError> {
        match word {
            None => Ok(Unit::Bytes),
            Some(word) if word.eq_ignore_ascii_case(b"byte") => Ok(Unit::Bytes),
            Some(word) if word.eq_ignore_ascii_case(b"bit") => Ok(Unit::Bits),
            Some(_) => Err(CommandError::Syntax),
        }
    }
}

/// The bits that a client means by two ends.
fn range(bytes: &[u8], start: i64, end: i64, unit: Unit) -> Range<u64> {
    let len = bytes.len() as u64;
    match unit {
        Unit::Bits => bits::span(len * 8, start, end),
        Unit::Bytes => {
            let span = bits::span(len, start, end);
            span.start * 8..span.end * 8
        }
    }
}

/// An offset in bits; with `#` before it, for BITFIELD, in fields of this type.
fn bit_offset(cx: &Exec, text: &[u8], field: Option<Field>) -> Result<u64, CommandError> {
    let offset = match (text, field) {
        // Redis multiplies without a look at overflow; where the product lands in the range it is taken.
        ([b'#', number @ ..], Some(field)) => {
            parse_integer(number).map(|number| number.wrapping_mul(field.bits().into()))
        }
        _ => parse_integer(text),
    };
    let in_range = |offset: &u64| offset / 8 < cx.config.proto_max_bulk_len();
    let offset = offset.and_then(|offset| u64::try_from(offset).ok()).filter(in_range);
    offset.ok_or_else(CommandError::bad_bit_offset)
}

/// An argument as an integer.
fn integer(text: &[u8]) -> Result<i64, CommandError> {
    parse_integer(text).ok_or(CommandError::NotInteger)
}

/// Whether OBJECT ENCODING says "raw" of a string: it was changed in place, or is too long for another
/// form.
pub(crate) fn is_raw(string: StrRef) -> bool {
    string.form() == Form::Raw || string.bytes().len() > 44
}

/// Writes into a string that is long enough. Its clock was touched when it was looked up.
pub(crate) fn overwrite(cx: &mut Exec, key: &Key, offset: usize, bytes: &[u8]) {
    let db = cx.keys.db();
    let len = cx.keys.keyspace().write_range(db, key.place, key.bytes, offset, bytes);
    debug_assert!(len.is_some_and(|len| offset + bytes.len() <= len));
}

#[cfg(test)]
mod tests;
