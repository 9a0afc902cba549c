//! Strings: ranges of bytes, and the longest common subsequence of two of them.

use std::ops::Range;

/// The bytes that GETRANGE means by `start` and `end` (both included, negative ones from the end) in a
/// string of this length.
pub fn range(len: usize, start: i64, end: i64) -> Range<usize> {
    // Two negative indexes in the wrong order are empty even where clamping would make them meet.
    if len == 0 || (start < 0 && end < 0 && start > end) {
        return 0..0;
    }
    let from_start = |index: i64| {
        if index < 0 {
            len.saturating_sub(usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX))
        } else {
            usize::try_from(index).unwrap_or(usize::MAX)
        }
    };
    let (first, last) = (from_start(start), from_start(end).min(len - 1));
    if first > last {
        0..0
    } else {
        first..last + 1
    }
}

/// Why a longest common subsequence was not computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LcsError {
    /// A string has 4 GiB or more.
    TooLong,
    /// The table that the plain method needs, four bytes for each pair of positions, would be larger
    /// than the limit. Ours is smaller, but what is refused must not depend on the server asked.
    TooMuchMemory,
}

/// A run of bytes that both strings share; both ends included, as LCS IDX prints them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LcsMatch {
    /// First and last position in the first string.
    pub a: (u32, u32),
    /// First and last position in the second string.
    pub b: (u32, u32),
}

impl LcsMatch {
    /// Its length.
    pub fn len(&self) -> u32 {
        self.a.1 - self.a.0 + 1
    }

    /// A match has at least one byte.
    pub fn is_empty(&self) -> bool {
        false
    }
}

/// The longest common subsequence of two strings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lcs {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The runs that it is made of, the last first, as LCS IDX lists them.
    pub matches: Vec<LcsMatch>,
}

fn check_lcs(a: &[u8], b: &[u8], max_memory: u64) -> Result<(), LcsError> {
    let limit = u32::MAX as usize - 1;
    if a.len() >= limit || b.len() >= limit {
        return Err(LcsError::TooLong);
    }
    // Below 2^32 each, so that the product fits; the table's bytes may not.
    let cells = (a.len() as u64 + 1).checked_mul(b.len() as u64 + 1).ok_or(LcsError::TooMuchMemory)?;
    if cells.checked_mul(4).is_none_or(|bytes| bytes > max_memory) {
        return Err(LcsError::TooMuchMemory);
    }
    Ok(())
}

/// One row of lengths after another; `visit(i, j)` is told of each pair of positions whose bytes differ
/// and where leaving out the byte of `a` is strictly better.
fn lcs_lengths(a: &[u8], b: &[u8], mut visit: impl FnMut(usize, usize)) -> u32 {
    let mut row = vec![0u32; b.len() + 1];
    for (i, &x) in a.iter().enumerate() {
        let mut diagonal = 0;
        for (j, &y) in b.iter().enumerate() {
            let above = row[j + 1];
            if x == y {
                row[j + 1] = diagonal + 1;
            } else if above > row[j] {
                visit(i, j);
            } else {
                row[j + 1] = row[j];
            }
            diagonal = above;
        }
    }
    row[b.len()]
}

/// The length of the longest common subsequence.
pub fn lcs_len(a: &[u8], b: &[u8], max_memory: u64) -> Result<u32, LcsError> {
    check_lcs(a, b, max_memory)?;
    Ok(lcs_lengths(a, b, |_, _| ()))
}

/// The longest common subsequence and its runs. Among several it is the one that is met going back from
/// the ends, leaving out a byte of `b` wherever that is as good as one of `a`.
pub fn lcs(a: &[u8], b: &[u8], max_memory: u64) -> Result<Lcs, LcsError> {
    check_lcs(a, b, max_memory)?;
    // Going back needs one bit for each pair: which byte to leave out.
    let mut leave_a = vec![0u64; (a.len() * b.len()).div_ceil(64)];
    let len = lcs_lengths(a, b, |i, j| {
        let bit = i * b.len() + j;
        leave_a[bit / 64] |= 1 << (bit % 64);
    });
    let mut result = Lcs { bytes: Vec::with_capacity(len as usize), matches: Vec::new() };
    let (mut i, mut j) = (a.len(), b.len());
    let mut run: Option<LcsMatch> = None;
    while i > 0 && j > 0 {
        if a[i - 1] == b[j - 1] {
            (i, j) = (i - 1, j - 1);
            result.bytes.push(a[i]);
            let (at_a, at_b) = (i as u32, j as u32);
            let open = run.get_or_insert(LcsMatch { a: (at_a, at_a), b: (at_b, at_b) });
            (open.a.0, open.b.0) = (at_a, at_b);
        } else {
            result.matches.extend(run.take());
            let bit = (i - 1) * b.len() + j - 1;
            if leave_a[bit / 64] >> (bit % 64) & 1 == 1 {
                i -= 1;
            } else {
                j -= 1;
            }
        }
    }
    result.matches.extend(run);
    result.bytes.reverse();
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranges_count_from_both_ends() {
        let text = b"This is a string";
        for (start, end, want) in [
            (0, 3, "This"),
            (-3, -1, "ing"),
            (0, -1, "This is a string"),
            (10, 100, "string"),
            (5, 3, ""),
            (-100, 3, "This"),
            (-1, -5, ""),
            (16, 20, ""),
            (-100, -90, "T"),
            (i64::MIN, i64::MAX, "This is a string"),
            (i64::MAX, i64::MIN, ""),
            (0, i64::MIN, "T"),
        ] {
            assert_eq!(&text[range(text.len(), start, end)], want.as_bytes(), "{start} {end}");
        }
        assert_eq!(range(0, 0, -1), 0..0);
    }

    #[test]
    fn the_published_example_of_lcs() {
        let found = lcs(b"ohmytext", b"mynewtext", 1 << 20).unwrap();
        assert_eq!(found.bytes, b"mytext");
        let matches = vec![LcsMatch { a: (4, 7), b: (5, 8) }, LcsMatch { a: (2, 3), b: (0, 1) }];
        assert_eq!(found.matches, matches);
        assert_eq!(lcs_len(b"ohmytext", b"mynewtext", 1 << 20), Ok(6));
        assert_eq!(found.matches[0].len(), 4);
    }

    #[test]
    fn the_memory_of_the_plain_method_is_the_limit() {
        assert_eq!(lcs_len(b"abc", b"abc", 64), Ok(3));
        assert_eq!(lcs_len(b"abc", b"abc", 63), Err(LcsError::TooMuchMemory));
        assert_eq!(lcs(b"", b"", 4), Ok(Lcs::default()));
    }

    /// The whole table, as textbooks have it.
    fn table(a: &[u8], b: &[u8]) -> Vec<Vec<u32>> {
        let mut lens = vec![vec![0u32; b.len() + 1]; a.len() + 1];
        for i in 1..=a.len() {
            for j in 1..=b.len() {
                lens[i][j] = if a[i - 1] == b[j - 1] {
                    lens[i - 1][j - 1] + 1
                } else {
                    lens[i - 1][j].max(lens[i][j - 1])
                };
            }
        }
        lens
    }

    proptest! {
        #[test]
        fn it_agrees_with_the_whole_table(a in "[abc]{0,40}", b in "[abc]{0,40}") {
            let (a, b) = (a.as_bytes(), b.as_bytes());
            let lens = table(a, b);
            let found = lcs(a, b, 1 << 30).unwrap();
            prop_assert_eq!(found.bytes.len() as u32, lens[a.len()][b.len()]);
            prop_assert_eq!(lcs_len(a, b, 1 << 30).unwrap(), lens[a.len()][b.len()]);
            let (mut i, mut j) = (a.len(), b.len());
            let mut pairs = vec![];
            while i > 0 && j > 0 {
                if a[i - 1] == b[j - 1] {
                    pairs.push((i as u32 - 1, j as u32 - 1));
                    (i, j) = (i - 1, j - 1);
                } else if lens[i - 1][j] > lens[i][j - 1] {
                    i -= 1;
                } else {
                    j -= 1;
                }
            }
            let ours: Vec<_> = found.matches.iter()
                .flat_map(|run| (0..run.len()).map(move |n| (run.a.1 - n, run.b.1 - n)))
                .collect();
            prop_assert_eq!(ours, pairs);
        }
    }
}
