//! Case files: what to send, one command a line, and how to compare.
//!
//! ```text
//!     # a comment
//!     @server maxclients 100              both servers of this file get this directive
//!     @cluster                            both are cluster nodes that own every slot
//!     == SET: options                     a section: empty servers, new connections
//!     @protocols 2                        only in RESP2 (default: once in each of 2 and 3)
//!     SET k {v|""} {EX|PX} {1|0|x}        2 x 2 x 3 cases, in this order
//!     SET k "a\x00\r\n" 'b'               quotes as in redis-cli
//!     SETRANGE k 0 {ab*1000}              an argument of "ab" 1,000 times
//!     [near 1000] PTTL k                  a mask: type, shape, near N, unordered, has "text", silent
//!     [differs lib-name] CLIENT INFO      a difference between Redis versions, then the subject's reply
//!     => "+OK\r\n"                        (=>2 and =>3 for one protocol)
//!     @conn b                             the next lines are sent on another connection
//!     @raw 2 "PING\r\nPING\r\n"           bytes as they are, then this many replies
//!     @raw close "*x\r\n"                 bytes, then everything until the server closes
//!     @read 1                             replies that were not read after [silent]
//!     @closed                             the server closes this connection
//! ```
//!
//! Alternatives stand in braces with a `|`, outside quotes; braces without one are literal, so that
//! hash tags can be written. An empty argument is `""`, an empty alternative is no argument.

use crate::compare::Mask;

/// A parsed case file.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// Directives for both servers.
    pub directives: Vec<(String, String)>,
    /// Whether both run in cluster mode, owning all slots.
    pub cluster: bool,
    /// What is run, in order.
    pub sections: Vec<Section>,
}

/// A piece that starts from empty servers.
#[derive(Clone, Debug)]
pub struct Section {
    /// Its heading.
    pub name: String,
    /// The RESP versions that it is run in.
    pub protocols: Vec<u8>,
    /// What is done, in order.
    pub steps: Vec<Step>,
}

/// One step and the line it comes from.
#[derive(Clone, Debug)]
pub struct Step {
    /// Line number in the file.
    pub line: usize,
    /// What is done.
    pub action: Action,
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum Action {
    /// Sends a command and compares its reply.
    Command {
        /// Its words.
        args: Vec<Vec<u8>>,
        /// How to compare.
        check: Check,
    },
    /// Sends bytes, and compares so many replies.
    Raw(Vec<u8>, usize),
    /// Sends bytes, and compares all that comes until the server closes.
    RawClose(Vec<u8>),
    /// Compares so many replies that are owed.
    Read(usize),
    /// The server closes the connection, having said the same.
    Closed,
    /// The following steps use this connection.
    Connection(String),
}

/// How the reply of a command is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check {
    /// With a mask.
    Mask(Mask),
    /// With a mask that differs by protocol: a named difference between versions.
    Version {
        /// Its name.
        name: String,
        /// The subject's reply in RESP2 and in RESP3.
        expected: [Vec<u8>; 2],
    },
    /// There is no reply.
    Silent,
}

impl Check {
    /// The mask in this protocol; `None` where no reply comes.
    pub fn mask(&self, protocol: u8) -> Option<Mask> {
        match self {
            Check::Mask(mask) => Some(mask.clone()),
            Check::Version { name, expected } => {
                let expected = expected[usize::from(protocol == 3)].clone();
                Some(Mask::Version { name: name.clone(), expected })
            }
            Check::Silent => None,
        }
    }
}

impl Script {
    /// Reads a case file's text; the error names the line.
    pub fn parse(text: &str) -> Result<Script, String> {
        let mut script = Script::default();
        for (index, line) in text.lines().enumerate() {
            let number = index + 1;
            let line = line.trim();
            parse_line(&mut script, number, line).map_err(|why| format!("line {number}: {why}: {line}"))?;
        }
        for section in &script.sections {
            for step in &section.steps {
                if let Action::Command { check: Check::Version { name, expected }, .. } = &step.action {
                    if expected.iter().all(Vec::is_empty) {
                        return Err(format!("line {}: difference {name} without => line", step.line));
                    }
                }
            }
        }
        Ok(script)
    }

    /// Cases in the file: commands and raw exchanges, counted once for each protocol.
    pub fn cases(&self) -> usize {
        let is_case = |step: &&Step| !matches!(step.action, Action::Connection(_));
        self.sections.iter().map(|s| s.steps.iter().filter(is_case).count() * s.protocols.len()).sum()
    }
}

fn parse_line(script: &mut Script, number: usize, line: &str) -> Result<(), String> {
    if line.is_empty() || line.starts_with('#') {
        return Ok(());
    }
    if let Some(name) = line.strip_prefix("== ") {
        script.sections.push(Section { name: name.into(), protocols: vec![2, 3], steps: Vec::new() });
        return Ok(());
    }
    if line == "@cluster" {
        script.cluster = true;
        return Ok(());
    }
    if let Some(rest) = line.strip_prefix("@server ") {
        let mut words = split(rest)?.into_iter().map(|w| String::from_utf8_lossy(&w).into_owned());
        match (words.next(), words.next(), words.next()) {
            (Some(directive), Some(value), None) => script.directives.push((directive, value)),
            _ => return Err("a directive and a value".into()),
        }
        return Ok(());
    }
    let section = script.sections.last_mut().ok_or("before the first section")?;
    if let Some(rest) = line.strip_prefix("=>") {
        return expected_reply(section, rest);
    }
    if let Some(rest) = line.strip_prefix('@') {
        return directive(section, number, rest);
    }
    let (check, command) = check_of(line)?;
    for text in alternatives(command)? {
        let args = split(&text)?;
        if args.is_empty() {
            return Err("no command".into());
        }
        section.steps.push(Step { line: number, action: Action::Command { args, check: check.clone() } });
    }
    Ok(())
}

fn directive(section: &mut Section, line: usize, text: &str) -> Result<(), String> {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let mut add = |action| section.steps.push(Step { line, action });
    match word {
        "protocols" => {
            section.protocols = rest
                .split_whitespace()
                .map(|p| p.parse::<u8>().ok().filter(|p| matches!(p, 2 | 3)).ok_or("2 or 3".to_string()))
                .collect::<Result<_, _>>()?;
        }
        "conn" => add(Action::Connection(rest.to_string())),
        "closed" => add(Action::Closed),
        "read" => add(Action::Read(rest.parse().map_err(|_| "a number of replies")?)),
        "raw" => {
            let (count, bytes) = rest.split_once(' ').ok_or("a number of replies, or close, and bytes")?;
            for text in alternatives(bytes)? {
                let bytes = split(&text)?.concat();
                match count {
                    "close" => add(Action::RawClose(bytes)),
                    n => add(Action::Raw(bytes, n.parse().map_err(|_| "a number of replies")?)),
                }
            }
        }
        _ => return Err("unknown directive".into()),
    }
    Ok(())
}

/// `=> "bytes"`, `=>2 "bytes"` or `=>3 "bytes"`: belongs to the command before.
fn expected_reply(section: &mut Section, rest: &str) -> Result<(), String> {
    let (which, text): (&[usize], &str) = match rest.as_bytes().first() {
        Some(b'2') => (&[0], &rest[1..]),
        Some(b'3') => (&[1], &rest[1..]),
        _ => (&[0, 1], rest),
    };
    let bytes = split(text)?.concat();
    match section.steps.last_mut().map(|s| &mut s.action) {
        Some(Action::Command { check: Check::Version { expected, .. }, .. }) => {
            for &i in which {
                expected[i] = bytes.clone();
            }
            Ok(())
        }
        _ => Err("not after a [differs ...] command".into()),
    }
}

/// Takes `[mask]` from the front of a line.
fn check_of(line: &str) -> Result<(Check, &str), String> {
    let Some(inside) = line.strip_prefix('[') else { return Ok((Check::Mask(Mask::Exact), line)) };
    let (mask, command) = inside.split_once("] ").ok_or("[ without ]")?;
    let (word, rest) = mask.split_once(' ').unwrap_or((mask, ""));
    let check = match word {
        "type" => Check::Mask(Mask::Type),
        "shape" => Check::Mask(Mask::Shape),
        "unordered" => Check::Mask(Mask::Unordered),
        "near" => Check::Mask(Mask::Near(rest.parse().map_err(|_| "near a number")?)),
        "has" => Check::Mask(Mask::Has(String::from_utf8_lossy(&split(rest)?.concat()).into_owned())),
        "differs" => Check::Version { name: rest.to_string(), expected: [Vec::new(), Vec::new()] },
        "silent" => Check::Silent,
        _ => return Err("unknown mask".into()),
    };
    Ok((check, command.trim_start()))
}

/// Writes out every `{a|b}` of a line, the first ones slowest.
fn alternatives(line: &str) -> Result<Vec<String>, String> {
    let bytes = line.as_bytes();
    let mut quote = None;
    let mut open = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match (quote, bytes[at]) {
            (Some(b'"'), b'\\') => at += 1,
            (Some(q), b) if b == q => quote = None,
            (Some(_), _) => {}
            (None, b @ (b'"' | b'\'')) => quote = Some(b),
            (None, b'{') => open.push(at),
            (None, b'}') => {
                // A repetition may be one of the alternatives: the outer braces decide.
                let begin = open.pop();
                if let Some(begin) = begin.filter(|_| open.is_empty()) {
                    let inside = &line[begin + 1..at];
                    if inside.contains('|') {
                        let rest = alternatives(&line[at + 1..])?;
                        let heads = inside.split('|').map(|choice| format!("{}{choice}", &line[..begin]));
                        return Ok(heads.flat_map(|h| rest.iter().map(move |r| format!("{h}{r}"))).collect());
                    }
                }
            }
            _ => {}
        }
        at += 1;
    }
    Ok(vec![line.to_string()])
}

/// Splits a line into words as redis-cli does, and repeats `{text*N}`.
fn split(line: &str) -> Result<Vec<Vec<u8>>, String> {
    let bytes = line.as_bytes();
    let mut words = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at].is_ascii_whitespace() {
            at += 1;
            continue;
        }
        let mut word = Vec::new();
        let begin = at;
        let mut plain = true;
        while at < bytes.len() && !bytes[at].is_ascii_whitespace() {
            match bytes[at] {
                b'"' => {
                    plain = false;
                    at = double_quoted(bytes, at + 1, &mut word)?;
                }
                b'\'' => {
                    plain = false;
                    let len = bytes[at + 1..].iter().position(|&b| b == b'\'').ok_or("unbalanced quotes")?;
                    word.extend_from_slice(&bytes[at + 1..at + 1 + len]);
                    at += len + 2;
                }
                b => {
                    word.push(b);
                    at += 1;
                }
            }
        }
        let repeated = if plain { repetition(&line[begin..at]) } else { None };
        words.push(repeated.unwrap_or(word));
    }
    Ok(words)
}

/// Reads from after the opening quote; where the closing one ends.
fn double_quoted(bytes: &[u8], mut at: usize, word: &mut Vec<u8>) -> Result<usize, String> {
    loop {
        match *bytes.get(at).ok_or("unbalanced quotes")? {
            b'"' => return Ok(at + 1),
            b'\\' => {
                let escape = *bytes.get(at + 1).ok_or("unbalanced quotes")?;
                at += 2;
                word.push(match escape {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'x' => {
                        let hex = bytes.get(at..at + 2).and_then(|h| std::str::from_utf8(h).ok());
                        at += 2;
                        hex.and_then(|h| u8::from_str_radix(h, 16).ok())
                            .ok_or("\\x without two hex digits")?
                    }
                    other => other,
                });
            }
            b => {
                word.push(b);
                at += 1;
            }
        }
    }
}

/// `{text*N}`
fn repetition(word: &str) -> Option<Vec<u8>> {
    let (text, count) = word.strip_prefix('{')?.strip_suffix('}')?.rsplit_once('*')?;
    Some(text.repeat(count.parse().ok()?).into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands(text: &str) -> Vec<Vec<String>> {
        let script = Script::parse(&format!("== s\n{text}")).unwrap();
        let words = |a: &Vec<Vec<u8>>| a.iter().map(|w| String::from_utf8_lossy(w).into_owned()).collect();
        script.sections[0]
            .steps
            .iter()
            .filter_map(|s| match &s.action {
                Action::Command { args, .. } => Some(words(args)),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn alternatives_multiply_and_hash_tags_do_not() {
        let all = commands("SET {t}k {a|\"\"} {EX 1|}");
        assert_eq!(all.len(), 4);
        assert_eq!(all[0], ["SET", "{t}k", "a", "EX", "1"]);
        assert_eq!(all[3], ["SET", "{t}k", ""]);
        assert_eq!(commands("GET \"{a|b}\""), [["GET", "{a|b}"]]);
        assert_eq!(commands("GET {a|{b*3}|\"c}\"}"), [["GET", "a"], ["GET", "bbb"], ["GET", "c}"]]);
    }

    #[test]
    fn quotes_and_repetitions() {
        assert_eq!(commands(r#"SET 'a b' "c\x41\"\n""#), [["SET", "a b", "cA\"\n"]]);
        assert_eq!(commands("SET k {ab*3}"), [["SET", "k", "ababab"]]);
    }

    #[test]
    fn mistakes_name_their_line() {
        for bad in
            ["GET k", "== s\n[nonsense] GET k", "== s\n[differs x] GET k", "== s\n=> \"x\"", "== s\nGET \"k"]
        {
            assert!(Script::parse(bad).unwrap_err().contains("line "), "{bad}");
        }
    }
}
