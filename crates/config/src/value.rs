//! Values: from the words of a configuration file or of CONFIG SET, and back into words.
//!
//! `parse` takes the arguments that follow a directive's name and answers the value or, in Redis's
//! words, why it is none. `show` is what CONFIG GET answers; `parse(show(value))` gives the same value
//! again (a test holds that for every directive).
//!
//! Where Redis lets C's number parsing wrap around silently (`maxmemory 99999999999gb`), this says that
//! the value is out of bounds or no number: nobody can have meant what Redis makes of it.

use std::borrow::Cow;

use crate::directive::{Check, Directive, Kind, NumberForm, Special};

/// The value of one directive.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Of a yes/no directive.
    YesNo(bool),
    /// Of a number.
    Number(i128),
    /// Of a number that was given as a percentage.
    Percent(u8),
    /// Of a text; `None` is "not set".
    Text(Option<Vec<u8>>),
    /// Of a choice: what the word, or the words together, stand for.
    Choice(i32),
    /// Of `save`.
    Save(Vec<SavePoint>),
    /// Of `client-output-buffer-limit`: normal, replica, pubsub.
    OutputLimits([OutputLimit; 3]),
    /// Of `oom-score-adj-values`: primary, replica, child.
    OomScores([i32; 3]),
    /// Of `notify-keyspace-events`: bits of [`events`].
    Events(u32),
    /// Of `bind`.
    Addresses(Vec<Vec<u8>>),
    /// Of `replicaof`.
    Primary(Option<(Vec<u8>, u16)>),
    /// Of `latency-tracking-info-percentiles`.
    Percentiles(Vec<f64>),
}

/// Save a snapshot after this many seconds if there were this many changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SavePoint {
    /// After this time.
    pub seconds: u64,
    /// If at least this many.
    pub changes: u32,
}

/// How much may wait in a client's output buffer before the client is dropped. Zero is "no limit".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputLimit {
    /// At once above this.
    pub hard_bytes: u64,
    /// Above this for `soft_seconds` without a break.
    pub soft_bytes: u64,
    /// See `soft_bytes`.
    pub soft_seconds: u32,
}

/// Why a text is no value of its directive, in Redis's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadValue(pub Cow<'static, str>);

/// The classes of keyspace events, as `notify-keyspace-events` names them.
#[allow(missing_docs, reason = "the letters beside them are the documentation")]
pub mod events {
    pub const KEYSPACE: u32 = 1 << 0; // K
    pub const KEYEVENT: u32 = 1 << 1; // E
    pub const GENERIC: u32 = 1 << 2; // g
    pub const STRING: u32 = 1 << 3; // $
    pub const LIST: u32 = 1 << 4; // l
    pub const SET: u32 = 1 << 5; // s
    pub const HASH: u32 = 1 << 6; // h
    pub const ZSET: u32 = 1 << 7; // z
    pub const EXPIRED: u32 = 1 << 8; // x
    pub const EVICTED: u32 = 1 << 9; // e
    pub const STREAM: u32 = 1 << 10; // t
    pub const KEY_MISS: u32 = 1 << 11; // m
    pub const MODULE: u32 = 1 << 13; // d
    pub const NEW: u32 = 1 << 14; // n
    /// A: all but misses and new keys.
    pub const ALL: u32 = GENERIC | STRING | LIST | SET | HASH | ZSET | EXPIRED | EVICTED | STREAM | MODULE;

    /// The single classes in the order in which they are shown: those which `A` covers and `n`, then
    /// the rest.
    pub(super) const COVERED: [(u8, u32); 11] = [
        (b'g', GENERIC),
        (b'$', STRING),
        (b'l', LIST),
        (b's', SET),
        (b'h', HASH),
        (b'z', ZSET),
        (b'x', EXPIRED),
        (b'e', EVICTED),
        (b't', STREAM),
        (b'd', MODULE),
        (b'n', NEW),
    ];
    pub(super) const OTHERS: [(u8, u32); 3] = [(b'K', KEYSPACE), (b'E', KEYEVENT), (b'm', KEY_MISS)];
}

/// Redis keeps no more addresses than these.
const MOST_ADDRESSES: usize = 16;
/// Longest host name that the bus can carry, and one.
const HOST_NAME_LIMIT: usize = 256;
const LOWEST_HZ: i128 = 1;
const HIGHEST_HZ: i128 = 500;
const SMALLEST_BACKLOG: i128 = 16 << 10;

impl Value {
    /// The value that a directive has when nobody sets it.
    pub fn default_of(directive: &Directive) -> Value {
        match &directive.kind {
            Kind::YesNo { default } => Value::YesNo(*default),
            Kind::Number { default, .. } => Value::Number(*default),
            Kind::Text { default } => Value::Text(default.map(|text| text.as_bytes().to_vec())),
            Kind::Choice { words, default, .. } => {
                let word = words.iter().find(|(word, _)| word == default);
                Value::Choice(word.expect("a default is one of its row's words").1)
            }
            Kind::Special(special) => default_of_special(*special),
        }
    }

    /// Reads the arguments of a directive. `current` is its value now: limits name single classes, and
    /// `save` lines of one file add up (`adding`).
    pub fn parse<A: AsRef<[u8]>>(
        directive: &Directive,
        args: &[A],
        current: &Value,
        adding: bool,
    ) -> Result<Value, BadValue> {
        let args: Vec<&[u8]> = args.iter().map(AsRef::as_ref).collect();
        let value = match &directive.kind {
            Kind::YesNo { .. } => parse_yes_no(one(&args)?)?,
            Kind::Number { form, low, high, .. } => {
                let value = parse_number(*form, one(&args)?)?;
                check_bounds(*form, *low, *high, &value)?;
                match value {
                    // Redis takes any number for these two, and keeps it within reason.
                    Value::Number(hz) if directive.name == "hz" => {
                        Value::Number(hz.clamp(LOWEST_HZ, HIGHEST_HZ))
                    }
                    Value::Number(bytes) if directive.name == "repl-backlog-size" => {
                        Value::Number(bytes.max(SMALLEST_BACKLOG))
                    }
                    value => value,
                }
            }
            Kind::Text { default } => {
                let mut text = one(&args)?;
                if !directive.sensitive {
                    // Names of files and hosts end at a zero byte.
                    text = text.split(|&byte| byte == 0).next().unwrap_or_default();
                }
                Value::Text((default.is_some() || !text.is_empty()).then(|| text.to_vec()))
            }
            Kind::Choice { words, several, .. } => parse_choice(words, *several, &args)?,
            Kind::Special(special) => parse_special(*special, &args, current, adding)?,
        };
        check(directive.check, &value)?;
        Ok(value)
    }

    /// The value as CONFIG GET answers it.
    pub fn show(&self, directive: &Directive) -> Vec<u8> {
        match self {
            Value::YesNo(yes) => if *yes { "yes" } else { "no" }.into(),
            Value::Number(number) => match directive.kind {
                Kind::Number { form: NumberForm::Octal, .. } => format!("{number:o}").into(),
                _ => number.to_string().into(),
            },
            Value::Percent(percent) => format!("{percent}%").into(),
            Value::Text(text) => text.clone().unwrap_or_default(),
            Value::Choice(bits) => show_choice(directive, *bits).into(),
            Value::Save(points) => {
                join(points.iter().map(|point| format!("{} {}", point.seconds, point.changes)))
            }
            // CONFIG GET keeps the older name of a replica.
            Value::OutputLimits(limits) => {
                join(limits.iter().zip(["normal", "slave", "pubsub"]).map(|(limit, class)| {
                    format!("{class} {} {} {}", limit.hard_bytes, limit.soft_bytes, limit.soft_seconds)
                }))
            }
            Value::OomScores(scores) => join(scores.iter()),
            Value::Events(bits) => show_events(*bits).into(),
            Value::Addresses(addresses) => addresses.join(&b' '),
            Value::Primary(None) => Vec::new(),
            Value::Primary(Some((host, port))) => {
                let mut text = host.clone();
                text.extend_from_slice(format!(" {port}").as_bytes());
                text
            }
            Value::Percentiles(all) => join(all.iter().map(|percentile| show_percentile(*percentile))),
        }
    }
}

fn default_of_special(special: Special) -> Value {
    const MIB: u64 = 1 << 20;
    match special {
        Special::Dir => Value::Text(Some(b".".to_vec())),
        Special::Save => Value::Save(vec![
            SavePoint { seconds: 3600, changes: 1 },
            SavePoint { seconds: 300, changes: 100 },
            SavePoint { seconds: 60, changes: 10_000 },
        ]),
        Special::ClientOutputBufferLimit => Value::OutputLimits([
            OutputLimit { hard_bytes: 0, soft_bytes: 0, soft_seconds: 0 },
            OutputLimit { hard_bytes: 256 * MIB, soft_bytes: 64 * MIB, soft_seconds: 60 },
            OutputLimit { hard_bytes: 32 * MIB, soft_bytes: 8 * MIB, soft_seconds: 60 },
        ]),
        Special::OomScoreAdjValues => Value::OomScores([0, 200, 800]),
        Special::NotifyKeyspaceEvents => Value::Events(0),
        Special::Bind => Value::Addresses(vec![b"*".to_vec(), b"-::*".to_vec()]),
        Special::Replicaof => Value::Primary(None),
        Special::LatencyTrackingInfoPercentiles => Value::Percentiles(vec![50.0, 99.0, 99.9]),
    }
}

fn bad<T>(why: impl Into<Cow<'static, str>>) -> Result<T, BadValue> {
    Err(BadValue(why.into()))
}

fn one<'a>(args: &[&'a [u8]]) -> Result<&'a [u8], BadValue> {
    match args {
        [arg] => Ok(arg),
        _ => bad("wrong number of arguments"),
    }
}

fn parse_yes_no(arg: &[u8]) -> Result<Value, BadValue> {
    if arg.eq_ignore_ascii_case(b"yes") {
        Ok(Value::YesNo(true))
    } else if arg.eq_ignore_ascii_case(b"no") {
        Ok(Value::YesNo(false))
    } else {
        bad("argument must be 'yes' or 'no'")
    }
}

fn parse_number(form: NumberForm, arg: &[u8]) -> Result<Value, BadValue> {
    match form {
        NumberForm::Integer => match strict_integer(arg) {
            Some(number) => Ok(Value::Number(number.into())),
            None => bad("argument couldn't be parsed into an integer"),
        },
        NumberForm::Octal => match c_integer(arg, 8) {
            Some(number) => Ok(Value::Number(number.into())),
            None => bad("argument couldn't be parsed as an octal number"),
        },
        NumberForm::Memory => match memory(arg) {
            Some(bytes) => Ok(Value::Number(bytes.into())),
            None => bad("argument must be a memory value"),
        },
        NumberForm::MemoryOrPercent => {
            let percent = arg.strip_suffix(b"%").and_then(strict_integer).filter(|number| *number >= 0);
            match (memory(arg), percent) {
                (Some(bytes), _) => Ok(Value::Number(bytes.into())),
                // None is beyond 100, as any number above 255 is.
                (None, Some(percent)) => Ok(Value::Percent(percent.min(255) as u8)),
                (None, None) => bad("argument must be a memory or percent value"),
            }
        }
    }
}

fn check_bounds(form: NumberForm, low: i128, high: i128, value: &Value) -> Result<(), BadValue> {
    match value {
        Value::Percent(0) => Ok(()),
        Value::Percent(percent) if i128::from(*percent) > -low => {
            bad(format!("percentage argument must be less or equal to {}", -low))
        }
        Value::Number(number) if *number < low || *number > high => match form {
            NumberForm::Octal => bad(format!("argument must be between {low:o} and {high:o} inclusive")),
            _ => bad(format!("argument must be between {low} and {high} inclusive")),
        },
        _ => Ok(()),
    }
}

fn parse_choice(words: &[(&str, i32)], several: bool, args: &[&[u8]]) -> Result<Value, BadValue> {
    let value_of = |arg: &[u8]| {
        words.iter().find(|(word, _)| arg.eq_ignore_ascii_case(word.as_bytes())).map(|word| word.1)
    };
    let values: Option<Vec<i32>> = args.iter().map(|arg| value_of(arg)).collect();
    match values {
        Some(values) if values.len() == 1 || (several && !values.is_empty()) => {
            Ok(Value::Choice(values.into_iter().fold(0, |all, value| all | value)))
        }
        _ => {
            let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            bad(format!("argument(s) must be one of the following: {}", words.join(", ")))
        }
    }
}

fn show_choice(directive: &Directive, bits: i32) -> String {
    let Kind::Choice { words, several, .. } = directive.kind else { return String::new() };
    if let Some((word, _)) = words.iter().find(|(_, value)| *value == bits) {
        return (*word).to_string();
    }
    let set = |value: i32| several && value != 0 && bits & value == value;
    let named: Vec<&str> = words.iter().filter(|word| set(word.1)).map(|word| word.0).collect();
    named.join(" ")
}

fn parse_special(special: Special, args: &[&[u8]], current: &Value, adding: bool) -> Result<Value, BadValue> {
    let empty = matches!(args, [b""]);
    match special {
        Special::Dir => Ok(Value::Text(Some(one(args)?.to_vec()))),
        Special::Save => {
            let mut points = match current {
                Value::Save(points) if adding && !empty => points.clone(),
                _ => Vec::new(),
            };
            if !empty {
                points.extend(save_points(args)?);
            }
            Ok(Value::Save(points))
        }
        Special::ClientOutputBufferLimit => output_limits(args, current),
        Special::OomScoreAdjValues => oom_scores(args),
        Special::NotifyKeyspaceEvents => parse_events(one(args)?),
        Special::Bind if empty => Ok(Value::Addresses(Vec::new())),
        Special::Bind if args.len() > MOST_ADDRESSES => bad("Too many bind addresses specified."),
        // Such an "address" could never be listened on, nor written to a file and read back.
        Special::Bind if !args.iter().all(|arg| is_plain(arg)) => bad("Invalid bind address."),
        Special::Bind => Ok(Value::Addresses(args.iter().map(|arg| arg.to_vec()).collect())),
        Special::Replicaof => parse_primary(args),
        Special::LatencyTrackingInfoPercentiles if empty => Ok(Value::Percentiles(Vec::new())),
        Special::LatencyTrackingInfoPercentiles => percentiles(args),
    }
}

/// Neither blanks nor quotes.
fn is_plain(word: &[u8]) -> bool {
    !word.iter().any(|byte| crate::words::is_space(*byte) || matches!(byte, b'"' | b'\''))
}

fn save_points(args: &[&[u8]]) -> Result<Vec<SavePoint>, BadValue> {
    let points: Option<Vec<SavePoint>> = args
        .chunks(2)
        .map(|pair| {
            let [seconds, changes] = pair else { return None };
            let seconds = c_integer(seconds, 10).filter(|seconds| *seconds >= 1)?;
            let changes = c_integer(changes, 10).filter(|changes| *changes <= i32::MAX.into())?;
            Some(SavePoint { seconds: seconds.try_into().ok()?, changes: changes.try_into().ok()? })
        })
        .collect();
    points.ok_or(BadValue("Invalid save parameters".into()))
}

fn output_limits(args: &[&[u8]], current: &Value) -> Result<Value, BadValue> {
    if !args.len().is_multiple_of(4) {
        return bad("Wrong number of arguments in buffer limit configuration.");
    }
    let Value::OutputLimits(mut limits) = *current else {
        return bad("Invalid client class specified in buffer limit configuration.");
    };
    for limit in args.chunks_exact(4) {
        let class = match limit[0].to_ascii_lowercase().as_slice() {
            b"normal" => 0,
            b"slave" | b"replica" => 1,
            b"pubsub" => 2,
            _ => return bad("Invalid client class specified in buffer limit configuration."),
        };
        let seconds = c_integer(limit[3], 10).filter(|seconds| (0..=i32::MAX.into()).contains(seconds));
        match (memory(limit[1]), memory(limit[2]), seconds) {
            (Some(hard_bytes), Some(soft_bytes), Some(seconds)) => {
                limits[class] = OutputLimit { hard_bytes, soft_bytes, soft_seconds: seconds as u32 };
            }
            _ => return bad("Error in hard, soft or soft_seconds setting in buffer limit configuration."),
        }
    }
    Ok(Value::OutputLimits(limits))
}

fn oom_scores(args: &[&[u8]]) -> Result<Value, BadValue> {
    let Ok::<[&[u8]; 3], _>(args) = args.try_into() else {
        return bad("wrong number of arguments");
    };
    let mut scores = [0; 3];
    for (score, arg) in scores.iter_mut().zip(args) {
        *score = match c_integer(arg, 10) {
            Some(number) if (-2000..=2000).contains(&number) => number as i32,
            _ => return bad("Invalid oom-score-adj-values, elements must be between -2000 and 2000."),
        };
    }
    Ok(Value::OomScores(scores))
}

fn parse_events(arg: &[u8]) -> Result<Value, BadValue> {
    let class = |letter: &u8| match letter {
        b'A' => Some(events::ALL),
        letter => events::COVERED.iter().chain(&events::OTHERS).find(|class| class.0 == *letter).map(|c| c.1),
    };
    match arg.iter().map(class).try_fold(0, |all, class| Some(all | class?)) {
        Some(bits) => Ok(Value::Events(bits)),
        None => bad("Invalid event class character. Use 'Ag$lshzxeKEtmdn'."),
    }
}

fn show_events(bits: u32) -> String {
    let mut text = String::new();
    let mut add = |classes: &[(u8, u32)]| {
        classes.iter().filter(|class| bits & class.1 != 0).for_each(|class| text.push(class.0 as char))
    };
    if bits & events::ALL == events::ALL {
        // Redis forgets `n` here; without it, what CONFIG REWRITE wrote would read back as less.
        add(&[(b'A', events::ALL), (b'n', events::NEW)]);
    } else {
        add(&events::COVERED);
    }
    add(&events::OTHERS);
    text
}

fn parse_primary(args: &[&[u8]]) -> Result<Value, BadValue> {
    let [host, port] = args else { return bad("wrong number of arguments") };
    if host.eq_ignore_ascii_case(b"no") && port.eq_ignore_ascii_case(b"one") {
        return Ok(Value::Primary(None));
    }
    match c_integer(port, 10).and_then(|port| u16::try_from(port).ok()) {
        Some(port) => Ok(Value::Primary(Some((host.to_vec(), port)))),
        None => bad("Invalid master port"),
    }
}

fn percentiles(args: &[&[u8]]) -> Result<Value, BadValue> {
    let mut all = Vec::with_capacity(args.len());
    for arg in args {
        let number: Option<f64> = std::str::from_utf8(arg).ok().and_then(|text| text.parse().ok());
        match number {
            Some(number) if (0.0..=100.0).contains(&number) => all.push(number + 0.0), // no minus zero

            Some(number) if !number.is_nan() => {
                return bad("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]")
            }
            _ => return bad("Invalid latency-tracking-info-percentiles parameters"),
        }
    }
    Ok(Value::Percentiles(all))
}

pub(crate) fn show_percentile(percentile: f64) -> String {
    let text = format!("{percentile:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

fn check(check: Check, value: &Value) -> Result<(), BadValue> {
    let text = match value {
        Value::Text(text) => text.as_deref().unwrap_or_default(),
        Value::Choice(bits) if check == Check::ShutdownFlags && bits & 1 != 0 && bits & 2 != 0 => {
            return bad("shutdown options SAVE and NOSAVE can't be used simultaneously");
        }
        _ => return Ok(()),
    };
    let is_path = text.contains(&b'/') || text.contains(&b'\\');
    match check {
        Check::DumpName if is_path => bad("dbfilename can't be a path, just a filename"),
        Check::AppendName if text.is_empty() => bad("appendfilename can't be empty"),
        Check::AppendName if is_path => bad("appendfilename can't be a path, just a filename"),
        Check::AppendDir if text.is_empty() => bad("appenddirname can't be empty"),
        Check::AppendDir if is_path => bad("appenddirname can't be a path, just a dirname"),
        Check::NodeName if text.iter().any(|byte| b"!#$%&()*+:;<>?@[]^{|}~".contains(byte)) => {
            bad("Announced human node name contained invalid character")
        }
        Check::HostName if text.len() >= HOST_NAME_LIMIT => bad("Hostnames must be less than 256 characters"),
        Check::HostName
            if !text.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.')) =>
        {
            bad("Hostnames may only contain alphanumeric characters, hyphens or dots")
        }
        Check::TitleTemplate if !is_title_template(text) => {
            bad("template format is invalid or contains unknown variables")
        }
        _ => Ok(()),
    }
}

/// Whether each `{..}` of a process title names a thing that is known (`{{` is a brace), and whether
/// anything but spaces can come out of it.
fn is_title_template(template: &[u8]) -> bool {
    const VARIABLES: [&[u8]; 7] =
        [b"title", b"listen-addr", b"server-mode", b"config-file", b"port", b"tls-port", b"unixsocket"];
    // These may come out empty.
    const HOLLOW: [&[u8]; 3] = [b"title", b"server-mode", b"unixsocket"];
    let mut rest = template;
    let mut says_something = false;
    while let Some(brace) = rest.iter().position(|&byte| byte == b'{') {
        says_something |= rest[..brace].iter().any(|&byte| byte != b' ');
        let inner = &rest[brace + 1..];
        if inner.first() == Some(&b'{') {
            says_something = true;
            rest = &inner[1..];
            continue;
        }
        let Some(end) = inner.iter().position(|&byte| byte == b'}') else { return false };
        if !VARIABLES.contains(&&inner[..end]) {
            return false;
        }
        says_something |= !HOLLOW.contains(&&inner[..end]);
        rest = &inner[end + 1..];
    }
    says_something || rest.iter().any(|&byte| byte != b' ')
}

fn join<T: ToString>(parts: impl Iterator<Item = T>) -> Vec<u8> {
    parts.map(|part| part.to_string()).collect::<Vec<_>>().join(" ").into_bytes()
}

/// An integer in the one spelling that the protocol knows: no sign but `-`, no leading zeros, no blanks.
fn strict_integer(arg: &[u8]) -> Option<i64> {
    let digits = arg.strip_prefix(b"-").unwrap_or(arg);
    let plain = match digits {
        b"0" => arg == b"0",
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    plain.then_some(())?;
    std::str::from_utf8(arg).ok()?.parse().ok()
}

/// An integer as C's strtoll takes it when it takes all of the text: blanks and a sign may precede it,
/// and an empty text is zero.
fn c_integer(arg: &[u8], radix: u32) -> Option<i64> {
    if arg.is_empty() {
        return Some(0);
    }
    let text = std::str::from_utf8(arg).ok()?;
    let text = text.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '\x0b');
    i64::from_str_radix(text, radix).ok()
}

/// A number of bytes: digits and a unit. As in Redis, no digits are zero, and `k` is 1000 where `kb`
/// is 1024.
pub fn memory(arg: &[u8]) -> Option<u64> {
    let digits = arg.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let unit: u64 = match arg[digits..].to_ascii_lowercase().as_slice() {
        b"" | b"b" => 1,
        b"k" => 1000,
        b"kb" => 1 << 10,
        b"m" => 1_000_000,
        b"mb" => 1 << 20,
        b"g" => 1_000_000_000,
        b"gb" => 1 << 30,
        _ => return None,
    };
    let number = match digits {
        0 => 0,
        _ => std::str::from_utf8(&arg[..digits]).ok()?.parse::<u64>().ok()?,
    };
    number.checked_mul(unit)
}
