//! DEBUG: what tests and the curious ask for. Refused unless `enable-debug-command` allows it.
//!
//! DEBUG is one command, not a container: it takes its subcommands apart itself, after the
//! permission. It visits every core under the lock of the whole node, because SLEEP holds up and
//! SET-ACTIVE-EXPIRE concerns them all, and so that OBJECT finds its key at home.
//!
//! OBJECT differs from Redis in two numbers: strings are never shared, so `refcount` is 1, and
//! `serializedlength` is without compression.

use crate::table::{Command, EveryCore, Flags, Run};
use crate::{CommandError, Exec, Gathered, Visit};
use keyspace::{AccessClock, ValueRef};
use resp::{parse_integer, Args, Reply};

type Result<T = ()> = std::result::Result<T, CommandError>;

/// DEBUG.
pub const TABLE: &[Command] =
    &[Command::running("debug", Run::EveryCore(EveryCore { locked: true, check, visit, finish }))
        .arity(-2)
        .flags(&[Flags::ADMIN, Flags::NOSCRIPT, Flags::LOADING, Flags::STALE])];

enum Request<'a> {
    Help,
    /// Microseconds.
    Sleep(u64),
    SetActiveExpire(bool),
    Object(&'a [u8]),
    /// Jmap exists for the sake of Redis's own test suite.
    Jmap,
}

fn parse(args: Args<'_>) -> Result<Request<'_>> {
    let sub = args.get(1);
    Ok(match (sub.to_ascii_lowercase().as_slice(), args.len()) {
        (b"help", 2) => Request::Help,
        (b"sleep", 3) => Request::Sleep((leading_float(args.get(2)) * 1e6) as u64),
        (b"set-active-expire", 3) => Request::SetActiveExpire(leading_integer(args.get(2)) != 0),
        (b"object", 3) => Request::Object(args.get(2)),
        (b"jmap", 2) => Request::Jmap,
        _ => return Err(CommandError::unknown_or_arity("DEBUG", sub)),
    })
}

/// As C's `strtod` for plain decimals: what cannot be read counts as zero, and what follows is ignored.
fn leading_float(text: &[u8]) -> f64 {
    let text = String::from_utf8_lossy(text);
    let text = text.trim_start();
    let good = (0..=text.len()).rev().filter(|&end| text.is_char_boundary(end));
    let number = good.filter_map(|end| text[..end].parse::<f64>().ok()).next();
    number.filter(|number| number.is_finite()).unwrap_or(0.0)
}

/// As C's `atoi`.
fn leading_integer(text: &[u8]) -> i64 {
    leading_float(text) as i64
}

fn check(cx: &Exec<'_>, args: Args<'_>) -> Result {
    if !cx.config.enable_debug_command().allows(cx.session.is_local) {
        return Err(CommandError::debug_not_allowed());
    }
    parse(args).map(|_| ())
}

fn visit(visit: &mut Visit<'_>, args: Args<'_>, gathered: &mut Gathered) {
    match parse(args).expect("the check has passed") {
        Request::Sleep(us) => visit.facts.sleep_us = us,
        Request::SetActiveExpire(on) => visit.facts.active_expire = on,
        Request::Object(key) => gathered.rows.extend(object_line(visit, key)),
        Request::Help | Request::Jmap => {}
    }
}

/// The status of DEBUG OBJECT, if the key lives on this core. Redis shows a key that has expired and
/// was not met since, and so do we.
fn object_line(visit: &Visit<'_>, key: &[u8]) -> Option<Vec<u8>> {
    let place = visit.keyspace.locate(key);
    let entry = visit.keyspace.find(visit.session.db, place, key)?;
    let (address, length) = match entry.value() {
        ValueRef::Str(string) => (string.bytes().as_ptr(), serialized_length(string.bytes())),
        // Until values can be serialised: what they take here.
        _ => (entry.key().as_ptr(), entry.memory()),
    };
    let lru = entry.clock().get();
    let now = AccessClock::lru(visit.now.unix_ms()).get();
    let idle = now.wrapping_sub(lru) & 0xFF_FFFF;
    let line = format!(
        "Value at:{:p} refcount:1 encoding:{} serializedlength:{} lru:{lru} lru_seconds_idle:{idle}",
        address,
        crate::keys::encoding_name(entry.value()),
        length,
    );
    Some(line.into_bytes())
}

/// Bytes of a string in an RDB file, without compression: a length and the bytes, or an integer of 1, 2
/// or 4 bytes behind a mark.
fn serialized_length(bytes: &[u8]) -> usize {
    let integer = parse_integer(bytes).filter(|_| bytes.len() <= 11);
    match integer {
        Some(number) if i8::try_from(number).is_ok() => 2,
        Some(number) if i16::try_from(number).is_ok() => 3,
        Some(number) if i32::try_from(number).is_ok() => 5,
        _ => {
            let header = match bytes.len() {
                0..64 => 1,
                64..16384 => 2,
                _ => 5,
            };
            header + bytes.len()
        }
    }
}

fn finish(_: &mut Exec<'_>, args: Args<'_>, gathered: Gathered, reply: &mut Reply) -> Result {
    match (parse(args)?, gathered.rows.first()) {
        (Request::Help, _) => crate::help::write(reply, "DEBUG", HELP),
        (Request::Object(_), None) => return Err(CommandError::NoSuchKey),
        (Request::Object(_), Some(line)) => reply.simple(&String::from_utf8_lossy(line)),
        _ => reply.ok(),
    }
    Ok(())
}

const HELP: &[&str] = &[
    "JMAP",
    "    Does nothing.",
    "OBJECT <key>",
    "    How the value of the key is kept.",
    "SET-ACTIVE-EXPIRE (0|1)",
    "    Whether keys expire that nobody asks for.",
    "SLEEP <seconds>",
    "    Holds up all cores; fractions of a second are allowed.",
];

#[cfg(test)]
mod tests {
    use crate::scenario::MiniNode;

    #[test]
    fn every_core_is_held_up_and_told() {
        let mut node = MiniNode::new(&[("enable-debug-command", "yes")]);
        for (line, us) in [("1.5", 1_500_000), ("0.25x", 250_000), ("x", 0), ("-1", 0), ("inf", 0)] {
            assert_eq!(node.run(&format!("DEBUG SLEEP {line}")), "+OK");
            assert_eq!((node.facts(0).sleep_us, node.facts(1).sleep_us), (us, us), "{line}");
        }
        assert!(node.facts(1).active_expire);
        node.run("DEBUG SET-ACTIVE-EXPIRE 0");
        assert!(!node.facts(0).active_expire && !node.facts(1).active_expire);
    }

    #[test]
    fn local_clients_may_where_only_they_may() {
        let mut node = MiniNode::new(&[("enable-debug-command", "local")]);
        assert_eq!(node.run("DEBUG JMAP"), "+OK");
        node.session.is_local = false;
        assert!(node.run("DEBUG JMAP").starts_with("-ERR DEBUG command not allowed."));
    }
}
