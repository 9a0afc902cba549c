//! SCAN and KEYS: all keys of a database.
//!
//! SCAN's cursor is `keyspace::Cursor`, which begins with a slot. A step visits the cores in order; cores
//! hold ascending runs of slots, and each goes on where the one before it stopped:
//!
//! ```text
//!     cursor's slot -> count keys seen?  cursor behind them, the other cores do nothing
//!                   -> a slot that is lent or locked?  cursor at its start: the next step goes there
//!                   -> this core's slots end?  on to the next core;  no slot left?  0
//! ```
//!
//! 1. A step that can see nothing (its slot is lent at the moment) is empty and gives the cursor back.
//!    The start of slot 0 is the number 0, which would end the iteration: [`START_AGAIN`] stands for it.
//! 2. Expired keys are left out, and left to the active cycle.
//!
//! KEYS looks at all cores while they are locked, and so answers what was there at one moment.

pub(crate) mod collection;

use crate::exec::{ScanStep, Visit};
use crate::table::{Categories, Command, EveryCore, Flags, Run};
use crate::{CommandError, Exec, Gathered};
use config::glob;
use keyspace::{Cursor, Entry, View};
use resp::{Args, Protocol, Reply};
use slot::SLOTS;
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
    Command::running(
        "scan",
        Run::EveryCore(EveryCore {
            locked: false,
            check: |_, args| {
                read_cursor(args.get(1)).ok_or(CommandError::InvalidCursor)?;
                Filter::read(args).map(drop)
            },
            visit: scan_here,
            finish: scan_reply,
        }),
    )
    .arity(-2)
    .flags(&[Flags::READONLY])
    .acl(Categories::KEYSPACE)
    .tips(&["nondeterministic_output", "request_policy:special", "response_policy:special"]),
];

/// The first number that is no place in any slot, still below 2^53.
const START_AGAIN: u64 = 1 << 52;

/// SCAN cursor [MATCH pattern] [COUNT n] [TYPE type], on one core. Of the row in `gathered`: the cursor so
/// far, what is left of COUNT, whether the step is over; its keys are finished RESP in `rows`.
fn scan_here(visit: &mut Visit, args: Args, gathered: &mut Gathered) {
    let (Some(start), Ok(filter)) = (read_cursor(args.get(1)), Filter::read(args)) else { return };
    let step = gathered.scan.get_or_insert(ScanStep {
        cursor: start,
        left: filter.count,
        over: false,
        ended: false,
    });
    let (mut cursor, mut left) = (step.cursor, step.left);
    if step.over {
        return;
    }
    let (at_home, is_mine, db) = (visit.at_home, visit.is_mine, visit.session.db);
    let (mut found, mut count) = (Reply::new(Protocol::Resp2), 0);
    let mut keys = visit.keys();
    let (mut over, mut ended) = (false, false);
    while let Some(slot) = cursor.slot().filter(|&slot| is_mine(slot)) {
        if !at_home(slot) {
            over = true;
            break;
        }
        let mut seen = 0;
        cursor = if keys.keyspace().slot_len(db, slot) == 0 {
            Cursor::at_slot(slot.get() + 1)
        } else {
            let mut expired = Vec::new();
            let next = filter.scan(&mut keys, cursor, slot.get()..slot.get() + 1, left, |met| {
                seen += 1;
                match met {
                    Met::Wanted(key) => {
                        found.bulk(key);
                        count += 1;
                    }
                    Met::Expired(key) => expired.push(key.to_vec()),
                    Met::Other => {}
                }
            });
            for key in expired {
                let key = keys.locate(&key);
                // Whoever looks at it removes it.
                let _ = keys.find_for_write(&key);
            }
            next
        };
        left = left.saturating_sub(seen);
        ended = cursor == Cursor::START;
        over = ended || left == 0;
        if over {
            break;
        }
    }
    // A number past the last slot has nothing behind it.
    over |= cursor.slot().is_none();
    ended |= cursor.slot().is_none();
    gathered.scan = Some(ScanStep { cursor, left, over, ended });
    gathered.count += count;
    gathered.rows.push(found.to_vec());
}

fn scan_reply(_: &mut Exec, args: Args, gathered: Gathered, reply: &mut Reply) -> Outcome {
    let cursor = gathered.scan.map_or(Cursor::START, |step| step.cursor);
    // Nothing was seen although the first slot has something, since it is lent: that is no end.
    let stuck = cursor == Cursor::START
        && read_cursor(args.get(1)) == Some(Cursor::START)
        && gathered.scan.is_some_and(|step| step.left > 0 && !step.ended);
    let next = match cursor.slot() {
        _ if stuck => START_AGAIN,
        Some(_) => cursor.get(),
        None => 0,
    };
    reply.array(2);
    reply.bulk_integer(next as i64);
    reply.array(gathered.count as usize);
    gathered.rows.iter().for_each(|keys| reply.raw(keys));
    Ok(())
}

fn read_cursor(text: &[u8]) -> Option<Cursor> {
    let number = collection::read_cursor(text)?;
    Some(if number == START_AGAIN { Cursor::START } else { Cursor::new(number) })
}

/// A key that an iteration meets.
enum Met<'a> {
    /// It is asked for.
    Wanted(&'a [u8]),
    /// It would be, but its time is over.
    Expired(&'a [u8]),
    /// It is not.
    Other,
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
                filter.count = collection::count(value)?;
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

    /// Shows each key of these slots as what it is to who asks.
    fn scan(
        &self,
        keys: &mut View,
        cursor: Cursor,
        slots: Range<u16>,
        budget: usize,
        mut f: impl FnMut(Met<'_>),
    ) -> Cursor {
        let (db, now_ms) = (keys.db(), keys.now_ms());
        let is_live = |entry: &Entry| entry.expiry().is_none_or(|at| at >= now_ms);
        keys.keyspace().scan(db, cursor, slots, budget, |entry| {
            f(match (self.matches(&entry), is_live(&entry)) {
                (true, true) if self.has_type(&entry) => Met::Wanted(entry.key()),
                (true, false) => Met::Expired(entry.key()),
                _ => Met::Other,
            })
        })
    }

    fn matches(&self, entry: &Entry) -> bool {
        self.pattern.is_none_or(|pattern| glob::matches(pattern, entry.key()))
    }

    fn has_type(&self, entry: &Entry) -> bool {
        self.type_name.is_none_or(|name| name.eq_ignore_ascii_case(entry.value_type().name().as_bytes()))
    }
}

/// KEYS pattern, on one core: its keys as finished RESP, in one row.
fn keys_here(visit: &mut Visit, args: Args, gathered: &mut Gathered) {
    let pattern = Some(args.get(1)).filter(|pattern| *pattern != b"*");
    let filter = Filter { pattern, type_name: None, count: 0 };
    let mut found = Reply::new(Protocol::Resp2);
    filter.scan(&mut visit.keys(), Cursor::START, 0..SLOTS, usize::MAX, |met| {
        if let Met::Wanted(key) = met {
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
