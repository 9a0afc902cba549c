//! SCAN and KEYS: all keys of a database.
//!
//! SCAN's cursor is `keyspace::Cursor`, which begins with a slot. A step runs on the core that holds
//! that slot and goes on through the slots after it, as long as this core holds them and nobody else
//! has them locked:
//!
//! ```text
//!     cursor's slot -> count keys seen?  cursor behind them
//!                   -> a slot that is not at home?  cursor at its start: the next step goes there
//!                   -> no slot left?  0
//! ```
//!
//! 1. A step that can see nothing (its slot is lent at the moment) is empty and gives the cursor back.
//!    The start of slot 0 is the number 0, which would end the iteration: [`START_AGAIN`] stands for it.
//! 2. Expired keys are left out, and left to the active cycle.
//!
//! KEYS looks at all cores while they are locked, and so answers what was there at one moment.

use crate::exec::Visit;
use crate::table::{Categories, Command, EveryCore, Flags, Run};
use crate::{CommandError, Exec, Gathered};
use config::glob;
use keyspace::{Cursor, Entry, View};
use resp::{parse_integer, Args, Protocol, Reply};
use slot::{Slot, SLOTS};
use std::ops::Range;

type Outcome = Result<(), CommandError>;

pub const TABLE: &[Command] = &[
    Command::running(
        "keys",
        Run::EveryCore(EveryCore {
            locked: true,
            check: |_, _| Ok(()),
            visit: keys_here,
            finish: keys_reply,
        }),
    )
    .arity(2)
    .flags(&[Flags::READONLY])
    .acl(Categories::KEYSPACE.or(Categories::DANGEROUS))
    .tips(&["request_policy:all_shards", "nondeterministic_output_order"]),
    Command::running("scan", Run::Slot(scan_slot, scan))
        .arity(-2)
        .flags(&[Flags::READONLY])
        .acl(Categories::KEYSPACE)
        .tips(&["nondeterministic_output", "request_policy:special", "response_policy:special"]),
];

/// The first number that is no place in any slot, still below 2^53.
const START_AGAIN: u64 = 1 << 52;

/// SCAN cursor [MATCH pattern] [COUNT n] [TYPE type]
fn scan(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let mut cursor = read_cursor(args.get(1)).ok_or(CommandError::InvalidCursor)?;
    let filter = Filter::read(args)?;
    let (at_home, db) = (cx.at_home, cx.keys.db());
    // The keys come behind the cursor in the reply, and are known before it.
    let (mut found, mut count) = (Reply::new(Protocol::Resp2), 0);
    let mut left = filter.count;
    let next = loop {
        let Some(slot) = cursor.slot() else { break 0 };
        if !at_home(slot) {
            break if cursor == Cursor::START { START_AGAIN } else { cursor.get() };
        }
        let mut seen = 0;
        cursor = if cx.keys.keyspace().slot_len(db, slot) == 0 {
            Cursor::at_slot(slot.get() + 1)
        } else {
            filter.scan(&mut cx.keys, cursor, slot.get()..slot.get() + 1, left, |key| {
                seen += 1;
                if let Some(key) = key {
                    found.bulk(key);
                    count += 1;
                }
            })
        };
        left = left.saturating_sub(seen);
        if cursor == Cursor::START || left == 0 {
            break cursor.get();
        }
    };
    reply.array(2);
    reply.bulk_integer(next as i64);
    reply.array(count);
    reply.raw(found.as_bytes().expect("keys are copied"));
    Ok(())
}

/// Where SCAN runs.
fn scan_slot(args: Args) -> Option<Slot> {
    read_cursor(args.get(1))?.slot()
}

/// What C's `strtoul` reads, but for leading blanks, which Redis refuses.
fn read_cursor(text: &[u8]) -> Option<Cursor> {
    let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
    let (negative, digits) = match text {
        [] => return Some(Cursor::START),
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number: u64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let number = if negative { number.wrapping_neg() } else { number };
    Some(if number == START_AGAIN { Cursor::START } else { Cursor::new(number) })
}

/// What SCAN asks of a key.
struct Filter<'a> {
    pattern: Option<&'a [u8]>,
    type_name: Option<&'a [u8]>,
    count: usize,
}

impl<'a> Filter<'a> {
    fn read(args: Args<'a>) -> Result<Filter<'a>, CommandError> {
        let mut filter = Filter { pattern: None, type_name: None, count: 10 };
        let mut i = 2;
        while i < args.len() {
            let is = |name: &[u8]| args[i].eq_ignore_ascii_case(name);
            let Some(value) = args.try_get(i + 1) else { return Err(CommandError::Syntax) };
            if is(b"count") {
                let count = parse_integer(value).ok_or(CommandError::NotInteger)?;
                filter.count = usize::try_from(count).ok().filter(|n| *n > 0).ok_or(CommandError::Syntax)?;
            } else if is(b"match") {
                filter.pattern = (value != b"*").then_some(value);
            } else if is(b"type") {
                filter.type_name = Some(value);
            } else {
                return Err(CommandError::Syntax);
            }
            i += 2;
        }
        Ok(filter)
    }

    /// Shows the keys of these slots that are asked for, and `None` for each other one.
    fn scan(
        &self,
        keys: &mut View,
        cursor: Cursor,
        slots: Range<u16>,
        budget: usize,
        mut f: impl FnMut(Option<&[u8]>),
    ) -> Cursor {
        let (db, now_ms) = (keys.db(), keys.now_ms());
        let is_live = |entry: &Entry| entry.expiry().is_none_or(|at| at > now_ms);
        keys.keyspace().scan(db, cursor, slots, budget, |entry| {
            f((is_live(&entry) && self.wants(&entry)).then(|| entry.key()))
        })
    }

    fn wants(&self, entry: &Entry) -> bool {
        self.pattern.is_none_or(|pattern| glob::matches(pattern, entry.key()))
            && self
                .type_name
                .is_none_or(|name| name.eq_ignore_ascii_case(entry.value_type().name().as_bytes()))
    }
}

/// KEYS pattern, on one core: its keys as finished RESP, in one row.
fn keys_here(visit: &mut Visit, args: Args, gathered: &mut Gathered) {
    let pattern = Some(args.get(1)).filter(|pattern| *pattern != b"*");
    let filter = Filter { pattern, type_name: None, count: 0 };
    let mut found = Reply::new(Protocol::Resp2);
    filter.scan(&mut visit.keys(), Cursor::START, 0..SLOTS, usize::MAX, |key| {
        if let Some(key) = key {
            found.bulk(key);
            gathered.count += 1;
        }
    });
    gathered.rows.push(found.to_vec());
}

fn keys_reply(_: &mut Exec, _: Args, gathered: Gathered, reply: &mut Reply) -> Outcome {
    reply.array(gathered.count as usize);
    gathered.rows.iter().for_each(|keys| reply.raw(keys));
    Ok(())
}

#[cfg(test)]
mod tests;
