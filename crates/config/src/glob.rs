//! Glob patterns, exactly as Redis matches them in KEYS, SCAN, CONFIG GET and PSUBSCRIBE.
//!
//! ```text
//! *        any bytes, also none          [abc] [a-z]   one byte of a set
//! ?        any one byte                  [^abc]        one byte not of a set
//! \x       the byte x itself             \ at the end  a backslash
//! ```
//!
//! 1. Time is bounded by pattern length times text length, and no recursion takes place. When a part
//!    after a `*` has been found, an earlier `*` never has to be tried again: whatever it could gain by
//!    swallowing more, the later one can swallow itself. So one place to go back to is enough.
//! 2. The corners are Redis's: an empty text matches the empty pattern only (not `*`), a set without
//!    its `]` ends with the pattern, `[]` holds nothing, a range may be given backwards, bytes
//!    compare as signed ones, and inside a set an escaped letter minds its case even where case is
//!    ignored.

/// Whether the pattern matches all of the text.
pub fn matches(pattern: &[u8], text: &[u8]) -> bool {
    matches_with(pattern, text, false)
}

/// Whether the pattern matches all of the text when ASCII letters of either case are equal.
pub fn matches_ignoring_case(pattern: &[u8], text: &[u8]) -> bool {
    matches_with(pattern, text, true)
}

fn matches_with(pattern: &[u8], text: &[u8], ignore_case: bool) -> bool {
    if text.is_empty() {
        return pattern.is_empty();
    }
    let (mut p, mut t) = (0, 0);
    // Where to go on when the part after the last `*` fails: that part, and the text it was tried at.
    let mut last_star: Option<(usize, usize)> = None;
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            p += 1;
            last_star = Some((p, t));
            if p == pattern.len() {
                return true;
            }
            continue;
        }
        match step(&pattern[p..], text[t], ignore_case) {
            Some(used) => {
                p += used;
                t += 1;
            }
            None => match &mut last_star {
                Some((after, tried)) => {
                    *tried += 1;
                    p = *after;
                    t = *tried;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&byte| byte == b'*')
}

/// Matches one byte against the start of a pattern that is not a `*`; how much of the pattern that took.
fn step(pattern: &[u8], byte: u8, ignore_case: bool) -> Option<usize> {
    match pattern {
        [] => None,
        [b'?', ..] => Some(1),
        [b'[', set @ ..] => in_set(set, byte, ignore_case).map(|used| used + 1),
        [b'\\', literal, ..] => same(*literal, byte, ignore_case).then_some(2),
        [literal, ..] => same(*literal, byte, ignore_case).then_some(1),
    }
}

/// Matches one byte against a set whose `[` has been read; the length of the set with its `]`.
fn in_set(set: &[u8], byte: u8, ignore_case: bool) -> Option<usize> {
    let negated = set.first() == Some(&b'^');
    let mut i = usize::from(negated);
    let mut found = false;
    loop {
        match set[i..] {
            [] => break,
            [b'\\', literal, ..] => {
                found |= literal == byte;
                i += 2;
            }
            [b']', ..] => {
                i += 1;
                break;
            }
            [low, b'-', high, ..] => {
                found |= in_range(low, high, byte, ignore_case);
                i += 3;
            }
            [literal, ..] => {
                found |= same(literal, byte, ignore_case);
                i += 1;
            }
        }
    }
    (found != negated).then_some(i)
}

fn in_range(low: u8, high: u8, byte: u8, ignore_case: bool) -> bool {
    let (low, high) = if low as i8 > high as i8 { (high, low) } else { (low, high) };
    let fold = |byte: u8| if ignore_case { byte.to_ascii_lowercase() } else { byte } as i8;
    (fold(low)..=fold(high)).contains(&fold(byte))
}

fn same(a: u8, b: u8, ignore_case: bool) -> bool {
    a == b || (ignore_case && a.eq_ignore_ascii_case(&b))
}
