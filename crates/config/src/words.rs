//! Lines of words: how a line of a configuration file (and an inline command) falls into arguments, and
//! how an argument is written so that it reads back as it was.
//!
//! Words are separated by blanks. `"..."` may hold blanks and the escapes `\n \r \t \b \a \xHH` (any
//! other escaped byte is itself); `'...'` holds everything as it is but `\'`. A closing quote must be
//! followed by a blank or the end.

/// The words of a line; `None` where its quotes do not add up.
pub fn split(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut words = Vec::new();
    let mut rest = line;
    loop {
        let blanks = rest.iter().take_while(|byte| is_space(**byte)).count();
        rest = &rest[blanks..];
        if rest.is_empty() {
            return Some(words);
        }
        let (word, used) = first_word(rest)?;
        words.push(word);
        rest = &rest[used..];
    }
}

fn first_word(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut word = Vec::new();
    let mut i = 0;
    while i < text.len() {
        match text[i] {
            b' ' | b'\n' | b'\r' | b'\t' => break,
            quote @ (b'"' | b'\'') => {
                // A quoted part ends the word, whatever came before it.
                i += 1 + quoted(&text[i + 1..], quote, &mut word)?;
                return text.get(i).is_none_or(|byte| is_space(*byte)).then_some((word, i));
            }
            byte => {
                word.push(byte);
                i += 1;
            }
        }
    }
    Some((word, i))
}

/// Reads up to the closing quote; how many bytes that took with the quote.
fn quoted(text: &[u8], quote: u8, word: &mut Vec<u8>) -> Option<usize> {
    let mut i = 0;
    loop {
        match text.get(i..)? {
            [] => return None,
            [byte, ..] if *byte == quote => return Some(i + 1),
            [b'\\', b'x', high, low, ..]
                if quote == b'"' && high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                word.push(hex(*high) << 4 | hex(*low));
                i += 4;
            }
            [b'\\', escaped, ..] if quote == b'"' => {
                word.push(match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 0x08,
                    b'a' => 0x07,
                    other => *other,
                });
                i += 2;
            }
            [b'\\', b'\'', ..] if quote == b'\'' => {
                word.push(b'\'');
                i += 2;
            }
            [byte, ..] => {
                word.push(*byte);
                i += 1;
            }
        }
    }
}

fn hex(digit: u8) -> u8 {
    (digit as char).to_digit(16).unwrap_or(0) as u8
}

/// The word between double quotes, with escapes for whatever is not plain ASCII.
pub fn quote(word: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(word.len() + 2);
    text.push(b'"');
    for &byte in word {
        match byte {
            b'\\' | b'"' => text.extend([b'\\', byte]),
            b'\n' => text.extend(b"\\n"),
            b'\r' => text.extend(b"\\r"),
            b'\t' => text.extend(b"\\t"),
            0x07 => text.extend(b"\\a"),
            0x08 => text.extend(b"\\b"),
            b' '..=b'~' => text.push(byte),
            other => text.extend(format!("\\x{other:02x}").bytes()),
        }
    }
    text.push(b'"');
    text
}

pub(crate) fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}
