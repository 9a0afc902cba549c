//! Ranges of scores and of members, as arguments state them.

use super::score::parse_bound;

/// Scores between two ends, each of which belongs to the range or not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoreRange {
    /// The lower end.
    pub min: f64,
    /// The upper end.
    pub max: f64,
    /// The lower end is not in the range.
    pub above_min: bool,
    /// The upper end is not in the range.
    pub below_max: bool,
}

impl ScoreRange {
    /// Every score.
    pub const ALL: ScoreRange =
        ScoreRange { min: f64::NEG_INFINITY, max: f64::INFINITY, above_min: false, below_max: false };

    /// Reads the two ends: `1.5`, `(1.5` without the end itself, `-inf`, `+inf`.
    pub fn parse(min: &[u8], max: &[u8]) -> Option<ScoreRange> {
        let end = |text: &[u8]| match text {
            [b'(', rest @ ..] => Some((parse_bound(rest)?, true)),
            _ => Some((parse_bound(text)?, false)),
        };
        let ((min, above_min), (max, below_max)) = (end(min)?, end(max)?);
        Some(ScoreRange { min, max, above_min, below_max })
    }

    /// Whether no score can be in it.
    pub fn is_empty(&self) -> bool {
        self.min > self.max || self.min == self.max && (self.above_min || self.below_max)
    }

    /// Whether a score is not below the range.
    #[inline]
    pub fn starts_by(&self, score: f64) -> bool {
        if self.above_min {
            score > self.min
        } else {
            score >= self.min
        }
    }

    /// Whether a score is not above the range.
    #[inline]
    pub fn ends_after(&self, score: f64) -> bool {
        if self.below_max {
            score < self.max
        } else {
            score <= self.max
        }
    }

    /// Whether a score is in the range.
    pub fn contains(&self, score: f64) -> bool {
        self.starts_by(score) && self.ends_after(score)
    }
}

/// One end of a range of members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LexBound<'a> {
    /// `-`: below every member.
    Least,
    /// `+`: above every member.
    Greatest,
    /// `[member`: the member is in the range.
    Including(&'a [u8]),
    /// `(member`: the member is not in the range.
    Excluding(&'a [u8]),
}

impl<'a> LexBound<'a> {
    /// Reads one end.
    pub fn parse(text: &'a [u8]) -> Option<LexBound<'a>> {
        match text {
            // As in Redis, a zero byte ends these two.
            [b'-'] | [b'-', 0, ..] => Some(LexBound::Least),
            [b'+'] | [b'+', 0, ..] => Some(LexBound::Greatest),
            [b'[', member @ ..] => Some(LexBound::Including(member)),
            [b'(', member @ ..] => Some(LexBound::Excluding(member)),
            _ => None,
        }
    }
}

/// Members between two ends, in the order of their bytes. It has a meaning in a set of one score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LexRange<'a> {
    /// The lower end.
    pub min: LexBound<'a>,
    /// The upper end.
    pub max: LexBound<'a>,
}

impl<'a> LexRange<'a> {
    /// Reads the two ends: `-`, `+`, `[member`, `(member`.
    pub fn parse(min: &'a [u8], max: &'a [u8]) -> Option<LexRange<'a>> {
        Some(LexRange { min: LexBound::parse(min)?, max: LexBound::parse(max)? })
    }

    /// Whether no member can be in it.
    pub fn is_empty(&self) -> bool {
        use LexBound::{Excluding, Greatest, Including, Least};
        match (self.min, self.max) {
            (Greatest, _) | (_, Least) => true,
            (Least, _) | (_, Greatest) => false,
            (Including(min), Including(max)) => min > max,
            (Including(min) | Excluding(min), Including(max) | Excluding(max)) => min >= max,
        }
    }

    /// Whether a member is not below the range.
    #[inline]
    pub fn starts_by(&self, member: &[u8]) -> bool {
        match self.min {
            LexBound::Least => true,
            LexBound::Greatest => false,
            LexBound::Including(min) => member >= min,
            LexBound::Excluding(min) => member > min,
        }
    }

    /// Whether a member is not above the range.
    #[inline]
    pub fn ends_after(&self, member: &[u8]) -> bool {
        match self.max {
            LexBound::Least => false,
            LexBound::Greatest => true,
            LexBound::Including(max) => member <= max,
            LexBound::Excluding(max) => member < max,
        }
    }

    /// Whether a member is in the range.
    pub fn contains(&self, member: &[u8]) -> bool {
        self.starts_by(member) && self.ends_after(member)
    }
}

/// The ranks that `start` and `stop` (inclusive, negative from the end) mean among so many elements.
pub fn ranks_between(start: i64, stop: i64, len: usize) -> std::ops::Range<usize> {
    let len = len as i64;
    let from_front = |index: i64| if index < 0 { len.saturating_add(index) } else { index };
    let start = from_front(start).clamp(0, len);
    let end = from_front(stop).clamp(-1, len - 1) + 1;
    start as usize..end.max(start) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_of_score_ranges_may_be_excluded() {
        let range = ScoreRange::parse(b"(1", b"2.5").unwrap();
        assert!(!range.contains(1.0) && range.contains(1.1) && range.contains(2.5) && !range.contains(2.6));
        assert_eq!(ScoreRange::parse(b"-inf", b"+inf"), Some(ScoreRange::ALL));
        assert!(ScoreRange::parse(b"(1", b"1").unwrap().is_empty());
        assert!(!ScoreRange::parse(b"1", b"1").unwrap().is_empty());
        for bad in [&b"nan"[..], b"(nan", b"((1", b"[1", b"a", b"1 "] {
            assert_eq!(ScoreRange::parse(bad, b"1"), None);
            assert_eq!(ScoreRange::parse(b"1", bad), None);
        }
    }

    #[test]
    fn ends_of_lex_ranges_have_a_mark() {
        let range = LexRange::parse(b"[a", b"(c").unwrap();
        assert!(
            range.contains(b"a") && range.contains(b"bzz") && !range.contains(b"c") && !range.contains(b"")
        );
        assert!(LexRange::parse(b"-", b"+").unwrap().contains(b""));
        for empty in [
            (&b"+"[..], &b"-"[..]),
            (b"+", b"[z"),
            (b"[a", b"-"),
            (b"(a", b"[a"),
            (b"[b", b"[a"),
            (b"-", b"-"),
        ] {
            assert!(LexRange::parse(empty.0, empty.1).unwrap().is_empty(), "{empty:?}");
        }
        for bad in [&b""[..], b"a", b"-x", b"++"] {
            assert_eq!(LexRange::parse(bad, b"+"), None);
        }
    }

    #[test]
    fn ranks_are_counted_from_both_ends() {
        for (start, stop, len, expected) in [
            (0, -1, 5, 0..5),
            (1, 2, 5, 1..3),
            (-2, -1, 5, 3..5),
            (-100, 1, 5, 0..2),
            (3, 100, 5, 3..5),
            (3, 1, 5, 3..3),
            (7, 9, 5, 5..5),
            (0, -7, 5, 0..0),
            (0, -1, 0, 0..0),
            (i64::MIN, i64::MAX, 2, 0..2),
            (i64::MAX, i64::MIN, 2, 2..2),
        ] {
            assert_eq!(ranks_between(start, stop, len), expected, "{start} {stop} {len}");
        }
    }
}
