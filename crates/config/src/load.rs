//! Start-up: from a configuration file, standard input and the command line to a [`Config`].
//!
//! The three are put after one another into one text, in this order, and read line by line; so later
//! ones win, and the line number of an error counts through all of them, as in Redis. An option
//! `--port 7000` becomes the line `port "7000"`.
//!
//! 1. `save` lines of one start add up; the first of them replaces the default.
//! 2. `include` is read in its place, at most [`DEEPEST_INCLUDE`] files deep.
//! 3. What would be dangerous to ignore is an error: users, renamed commands, modules, and the
//!    directives that the table refuses.
//!
//! Files are read by the caller, through [`Sources`].

use std::fmt;

use crate::{words, BadValue, Config, Id, Value};

/// Redis runs out of stack here; nobody nests files this deep on purpose.
const DEEPEST_INCLUDE: usize = 16;

/// Directives of older versions that are skipped, each with one argument.
const FORGOTTEN: [&[u8]; 3] =
    [b"list-max-ziplist-entries", b"list-max-ziplist-value", b"lua-replicate-commands"];

/// Reads what the command line and `include` name.
pub trait Sources {
    /// The contents of a file. A name with `*`, `?` or `[` stands for all the files that match it, one
    /// after the other; none may match. The error is the operating system's.
    fn read_file(&mut self, name: &[u8]) -> Result<Vec<u8>, String>;
    /// All of standard input.
    fn read_stdin(&mut self) -> Result<Vec<u8>, String>;
}

/// What a command line asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Launch {
    /// The configuration.
    pub config: Config,
    /// The file it came from, which CONFIG REWRITE writes.
    pub config_file: Option<Vec<u8>>,
    /// Remarks for the log.
    pub notes: Vec<String>,
}

/// Why there is no configuration to start with. Displayed, it is what to print before giving up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoadError {
    /// A file or standard input could not be read.
    Unreadable {
        /// Which.
        name: String,
        /// The operating system's reason.
        why: String,
    },
    /// A line makes no sense.
    Line(ConfigFileError),
}

/// A line that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFileError {
    /// Its number, from 1, and itself; `None` where all lines together make no sense.
    pub line: Option<(usize, String)>,
    /// Why.
    pub why: String,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadError::Unreadable { name, why } => {
                write!(f, "Fatal error, can't open config file '{name}': {why}")
            }
            LoadError::Line(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for ConfigFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n*** FATAL CONFIG FILE ERROR (Ringslot 7.2.4) ***")?;
        if let Some((number, line)) = &self.line {
            writeln!(f, "Reading the configuration file, at line {number}\n>>> '{line}'")?;
        }
        f.write_str(&self.why)
    }
}

impl std::error::Error for LoadError {}
impl std::error::Error for ConfigFileError {}

/// Reads the arguments that `redis-server` takes, without the program's own name: `[file] [--directive
/// value ...] ...`, and `-` first or last for standard input.
pub fn from_command_line<A: AsRef<[u8]>>(args: &[A], sources: &mut dyn Sources) -> Result<Launch, LoadError> {
    let args: Vec<&[u8]> = args.iter().map(AsRef::as_ref).collect();
    let config_file = args.first().copied().filter(|name| !name.starts_with(b"-"));
    let (options, wants_stdin) = options_text(&args, config_file.is_some());

    let mut text = match config_file {
        Some(name) => read(sources.read_file(name), name)?,
        None => Vec::new(),
    };
    if wants_stdin {
        if text.last().is_some_and(|byte| *byte != b'\n') {
            text.push(b'\n');
        }
        text.extend(read(sources.read_stdin(), b"-")?);
    }
    text.push(b'\n');
    text.extend(options);

    let mut loader = Loader::default();
    loader.load(&text, sources)?;
    let (config, notes) = loader.finish()?;
    Ok(Launch { config, config_file: config_file.map(<[u8]>::to_vec), notes })
}

/// The options as lines of a configuration file, and whether standard input is to be read.
fn options_text(args: &[&[u8]], skip_file: bool) -> (Vec<u8>, bool) {
    let mut text = Vec::new();
    let mut wants_stdin = false;
    // An option name only counts as one when the option before it has got a value: `--requirepass
    // --secret` sets a password that looks like an option.
    let mut has_value = true;
    for (i, &arg) in args.iter().enumerate().skip(usize::from(skip_file)) {
        let is_last = i + 1 == args.len();
        if arg == b"-" && (i == 0 || is_last) {
            wants_stdin = true;
        } else if let Some(name) = arg.strip_prefix(b"--").filter(|_| has_value) {
            if !text.is_empty() {
                text.push(b'\n');
            }
            text.extend_from_slice(name);
            text.push(b' ');
            // `"--port 7000"` brings its value along.
            has_value = words::split(arg).is_none_or(|words| words.len() != 1);
            let next_is_option = args.get(i + 1).is_some_and(|next| next.starts_with(b"--"));
            if !has_value && arg.eq_ignore_ascii_case(b"--save") && (is_last || next_is_option) {
                // Scripts write `--save` with nothing after it for "never".
                text.extend_from_slice(b"\"\"");
                has_value = true;
            }
        } else {
            text.extend(words::quote(arg));
            text.push(b' ');
            has_value = true;
        }
    }
    (text, wants_stdin)
}

fn read(contents: Result<Vec<u8>, String>, name: &[u8]) -> Result<Vec<u8>, LoadError> {
    contents.map_err(|why| LoadError::Unreadable { name: String::from_utf8_lossy(name).into_owned(), why })
}

/// Reads texts into a configuration, one after the other.
#[derive(Debug, Default)]
pub struct Loader {
    config: Config,
    seen_save: bool,
    depth: usize,
}

impl Loader {
    /// Reads the lines of one text.
    pub fn load(&mut self, text: &[u8], sources: &mut dyn Sources) -> Result<(), LoadError> {
        for (i, line) in text.split(|&byte| byte == b'\n').enumerate() {
            let line = trim(line);
            if line.is_empty() || line[0] == b'#' {
                continue;
            }
            let at_this_line = |why: String| {
                let line = (i + 1, String::from_utf8_lossy(line).into_owned());
                LoadError::Line(ConfigFileError { line: Some(line), why })
            };
            let Some(words) = words::split(line) else {
                return Err(at_this_line("Unbalanced quotes in configuration line".to_string()));
            };
            let Some((name, args)) = words.split_first() else { continue };
            if name.eq_ignore_ascii_case(b"include") && args.len() == 1 {
                if self.depth == DEEPEST_INCLUDE {
                    return Err(at_this_line("Files include each other too deeply".to_string()));
                }
                let included = read(sources.read_file(&args[0]), &args[0])?;
                self.depth += 1;
                self.load(&included, sources)?;
                self.depth -= 1;
            } else {
                self.apply(name, args).map_err(|BadValue(why)| at_this_line(why.into_owned()))?;
            }
        }
        Ok(())
    }

    /// Checks what only all lines together can show, and hands out the result with remarks.
    pub fn finish(mut self) -> Result<(Config, Vec<String>), LoadError> {
        let mut notes = Vec::new();
        let databases = self.config.databases();
        if self.config.cluster_enabled() && databases > 1 {
            if databases != 16 {
                notes.push(format!(
                    "WARNING: Changing databases number from {databases} to 1 since we are in cluster mode"
                ));
            }
            self.config.values[Id::Databases as usize] = Value::Number(1);
        }
        Ok((self.config, notes))
    }

    fn apply(&mut self, name: &[u8], args: &[Vec<u8>]) -> Result<(), BadValue> {
        let Some(id) = Id::find(name) else { return self.apply_unknown(name, args) };
        let directive = id.directive();
        if !directive.takes_several() && args.len() != 1 {
            return Err(BadValue("wrong number of arguments".into()));
        }
        let inner;
        let args = match args {
            // `--save "900 1"`: one word that holds several.
            [all] if directive.takes_several() && !all.is_empty() => {
                inner =
                    words::split(all).ok_or(BadValue("Unbalanced quotes in configuration line".into()))?;
                inner.as_slice()
            }
            args => args,
        };
        let adding = id == Id::Save && self.seen_save;
        let value = Value::parse(directive, args, self.config.value(id), adding)?;
        self.config.check_supported(id, &value)?;
        self.config.values[id as usize] = value;
        self.seen_save |= id == Id::Save;
        Ok(())
    }

    fn apply_unknown(&mut self, name: &[u8], args: &[Vec<u8>]) -> Result<(), BadValue> {
        let lower = name.to_ascii_lowercase();
        let dangerous = match lower.as_slice() {
            name if FORGOTTEN.contains(&name) && args.len() == 1 => return Ok(()),
            b"user" => "ACL users",
            b"rename-command" => "renamed commands",
            b"loadmodule" => "modules",
            b"sentinel" => return Err(BadValue("sentinel directive while not in sentinel mode".into())),
            _ => {
                let mut why = "Bad directive or wrong number of arguments".to_string();
                if let Some(near) = nearest(&lower) {
                    why.push_str(&format!("\nDid you mean '{near}'?"));
                }
                return Err(BadValue(why.into()));
            }
        };
        let why = format!("Ringslot does not have {dangerous} yet, and to ignore this would be dangerous");
        Err(BadValue(why.into()))
    }
}

fn trim(line: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let start = line.iter().position(|byte| !blank(byte)).unwrap_or(line.len());
    let end = line.iter().rposition(|byte| !blank(byte)).map_or(start, |last| last + 1);
    &line[start..end]
}

/// The known name that is fewest changed letters away, if any is near enough to be a slip.
fn nearest(name: &[u8]) -> Option<&'static str> {
    // Longer than any name by more than what counts as near.
    if name.len() > 64 {
        return None;
    }
    let names = Id::ALL.iter().flat_map(|id| [Some(id.directive().name), id.directive().alias]).flatten();
    let (changes, near) = names
        .chain(["include"])
        .map(|known| (edit_distance(name, known.as_bytes()), known))
        .min_by_key(|(changes, _)| *changes)?;
    (changes <= (name.len() / 3).clamp(1, 4)).then_some(near)
}

/// Levenshtein's distance, with two neighbours exchanged as one change.
fn edit_distance(a: &[u8], b: &[u8]) -> usize {
    let (mut before, mut row) = (Vec::new(), (0..=b.len()).collect::<Vec<usize>>());
    for (i, x) in a.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let replaced = row[j] + usize::from(x != y);
            let mut least = replaced.min(row[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && (x, &a[i - 1]) == (&b[j - 1], y) {
                let exchanged: usize = before[j - 1];
                least = least.min(exchanged + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    row[b.len()]
}
