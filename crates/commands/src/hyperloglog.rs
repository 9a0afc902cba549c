//! HyperLogLog commands. `datatypes::hyperloglog` knows the bytes; here we read the arguments, decide what
//! is written, and word the reply.
//!
//! ```text
//!     PFADD    absent: a new sparse value     sparse: edited as a whole     dense: two bytes in place
//!     PFCOUNT  one key: the cached count, or counted and cached     several: the count of their union
//! ```
//!
//! 1. PFCOUNT of one key reads for its client, but writes the count into the value, and so it is logged
//!    wherever it has counted.
//! 2. A value found corrupted stays as it is. (Redis keeps the elements that it added before it noticed.)
//! 3. Each command that may write leaves its value "raw" to OBJECT ENCODING, even where nothing changes.

use crate::bitmap::{is_raw, overwrite};
use crate::string::string;
use crate::table::{at, through, Categories, Command, Flags, Run};
use crate::{CommandError, Exec};
use datatypes::hyperloglog::{self as hll, Encoding, Hll, HllRef, REGISTERS};
use keyspace::{Entry, ExpiryChange, Form, Key, NewValue, Spot};
use resp::{Args, Reply};

type Outcome = Result<(), CommandError>;

const HYPERLOGLOG: Categories = Categories::HYPERLOGLOG;
const WRITE: Flags = Flags::WRITE;
const DENYOOM: Flags = Flags::DENYOOM;

pub const TABLE: &[Command] = &[
    Command::new("pfadd", pfadd)
        .arity(-2)
        .keys(&[at(1, &["RW", "insert"])])
        .flags(&[WRITE, DENYOOM, Flags::FAST])
        .acl(HYPERLOGLOG),
    Command::new("pfcount", pfcount)
        .arity(-2)
        .keys(&[through(1, -1, 1, &["RW", "access"]).noted(
            "RW because it may change the internal representation of the key, and propagate to replicas",
        )])
        .flags(&[Flags::READONLY, Flags::MAY_REPLICATE])
        .acl(HYPERLOGLOG),
    Command::new("pfdebug", pfdebug)
        .arity(3)
        .keys(&[at(2, &["RW", "access"])])
        .flags(&[WRITE, DENYOOM, Flags::ADMIN])
        .acl(HYPERLOGLOG),
    Command::new("pfmerge", pfmerge)
        .arity(-2)
        .keys(&[at(1, &["RW", "access", "insert"]), through(2, -1, 1, &["RO", "access"])])
        .flags(&[WRITE, DENYOOM])
        .acl(HYPERLOGLOG),
    Command::running("pfselftest", Run::Here(pfselftest)).arity(1).flags(&[Flags::ADMIN]).acl(HYPERLOGLOG),
];

/// PFADD key [element ...]: whether the cardinality may have changed.
fn pfadd(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let key = cx.key(args, 1);
    let sparse_max = sparse_max(cx);
    let spot = cx.keys.open(&key);
    let mut edited = match spot.entry() {
        None => Edited { hll: Hll::new(), old: None },
        Some(entry) if value(entry)?.encoding() == Encoding::Dense => {
            return add_to_dense(cx, &key, args, reply);
        }
        Some(entry) => Edited::copy_of(entry)?,
    };
    let mut changed = u64::from(edited.old.is_none());
    for element in args.iter().skip(2) {
        changed += u64::from(edited.hll.add(element, sparse_max)?);
    }
    if changed > 0 {
        edited.hll.forget_count();
    }
    edited.store(spot, changed > 0);
    cx.changed(changed);
    reply.integer((changed > 0).into());
    Ok(())
}

/// PFADD to a dense value: most elements raise no register, and then nothing is written.
fn add_to_dense(cx: &mut Exec, key: &Key, args: Args, reply: &mut Reply) -> Outcome {
    let mut changed = 0;
    for element in args.iter().skip(2) {
        let (register, length) = hll::pattern(element);
        let entry = cx.keys.peek(key).expect("it was there just now");
        if let Some(patch) = hll::dense::raise(value(entry)?.bytes(), register, length) {
            overwrite(cx, key, patch.at, patch.bytes());
            changed += 1;
        }
    }
    if changed > 0 {
        let stale = hll::stale_byte(value(cx.keys.peek(key).expect("it was there just now"))?);
        overwrite(cx, key, hll::STALE_AT, &[stale]);
    }
    cx.changed(changed);
    reply.integer((changed > 0).into());
    Ok(())
}

/// PFCOUNT key [key ...]
fn pfcount(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    if args.len() > 2 {
        let mut registers = [0; REGISTERS];
        for i in 1..args.len() {
            let key = cx.key(args, i);
            if let Some(entry) = cx.keys.find(&key) {
                value(entry)?.merge_into(&mut registers)?;
            }
        }
        reply.integer(hll::count(&registers) as i64);
        return Ok(());
    }
    let key = cx.key(args, 1);
    let Some(entry) = cx.keys.find(&key) else {
        reply.integer(0);
        return Ok(());
    };
    let (hll, raw) = (value(entry)?, is_raw(string(entry)?));
    let count = match hll.cached_count() {
        Some(count) => {
            if !raw {
                let first = hll.bytes()[0];
                overwrite(cx, &key, 0, &[first]);
            }
            count
        }
        None => {
            let count = hll.count()?;
            let (at, bytes) = hll::cache_patch(count);
            overwrite(cx, &key, at, &bytes);
            cx.changed(1);
            count
        }
    };
    reply.integer(count as i64);
    Ok(())
}

/// PFMERGE destkey [sourcekey ...]: the union of all, the destination's own elements included.
fn pfmerge(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let (mut registers, mut dense) = ([0; REGISTERS], false);
    for i in 1..args.len() {
        let key = cx.key(args, i);
        if let Some(entry) = cx.keys.find(&key) {
            let hll = value(entry)?;
            dense |= hll.encoding() == Encoding::Dense;
            hll.merge_into(&mut registers)?;
        }
    }
    let key = cx.key(args, 1);
    let sparse_max = sparse_max(cx);
    let spot = cx.keys.open(&key);
    let mut edited = match spot.entry() {
        Some(entry) => Edited::copy_of(entry)?,
        None => Edited { hll: Hll::new(), old: None },
    };
    if dense {
        edited.hll.to_dense()?;
    }
    edited.hll.merge(&registers, sparse_max)?;
    edited.hll.forget_count();
    edited.store(spot, true);
    cx.changed(1);
    reply.ok();
    Ok(())
}

/// PFDEBUG GETREG | DECODE | ENCODING | TODENSE key
fn pfdebug(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let key = cx.key(args, 2);
    let spot = cx.keys.open(&key);
    let entry = spot.entry().ok_or_else(CommandError::no_key_to_debug)?;
    let mut edited = Edited::copy_of(entry)?;
    let was_sparse = edited.hll.as_ref().encoding() == Encoding::Sparse;
    let mut densify = false;
    match args.get(1).to_ascii_lowercase().as_slice() {
        b"getreg" => {
            let mut registers = [0; REGISTERS];
            edited.hll.as_ref().merge_into(&mut registers)?;
            densify = was_sparse;
            reply.array(REGISTERS);
            registers.iter().for_each(|register| reply.integer((*register).into()));
        }
        b"decode" => {
            let runs = edited.hll.as_ref().decoded().ok_or_else(CommandError::not_sparse)?;
            reply.bulk(runs.as_bytes());
        }
        b"encoding" => reply.simple(edited.hll.as_ref().encoding().name()),
        b"todense" => {
            densify = was_sparse;
            reply.integer(was_sparse.into());
        }
        _ => return Err(CommandError::unknown_pfdebug(args.get(1))),
    }
    if densify {
        edited.hll.to_dense()?;
    }
    edited.store(spot, densify);
    cx.changed(densify.into());
    Ok(())
}

/// PFSELFTEST
fn pfselftest(cx: &mut Exec, _: Args, reply: &mut Reply) -> Outcome {
    let sparse_max = sparse_max(cx);
    hll::self_test(cx.random, sparse_max).map_err(|fault| CommandError::self_test_failed(&fault))?;
    reply.ok();
    Ok(())
}

/// A value taken out to be changed, and what it was.
struct Edited {
    hll: Hll,
    /// How long the string was, and whether it was raw, if there was one.
    old: Option<(usize, bool)>,
}

impl Edited {
    fn copy_of(entry: Entry) -> Result<Edited, CommandError> {
        let hll = value(entry)?;
        Ok(Edited { hll: Hll::copy_of(hll), old: Some((hll.bytes().len(), is_raw(string(entry)?))) })
    }

    /// Puts it back where it was found.
    fn store(&self, spot: Spot, changed: bool) {
        let bytes = self.hll.bytes();
        match self.old {
            Some((_, true)) if !changed => {}
            Some((len, _)) if len == bytes.len() => {
                spot.write_range(0, bytes);
            }
            _ => {
                spot.set(NewValue::Copy(bytes, Form::Raw), ExpiryChange::Keep);
            }
        }
    }
}

/// The HyperLogLog in an entry.
fn value(entry: Entry) -> Result<HllRef, CommandError> {
    HllRef::of(string(entry)?.bytes()).ok_or_else(CommandError::not_a_hyperloglog)
}

fn sparse_max(cx: &Exec) -> usize {
    usize::try_from(cx.config.hll_sparse_max_bytes()).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
