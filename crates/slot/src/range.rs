//! A run of slots, and its text form: `5` or `0-5460`, as in nodes.conf and CLUSTER ADDSLOTSRANGE.

use crate::Slot;
use std::fmt;
use std::str::FromStr;

/// The slots from `first` to `last`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SlotRange {
    /// The lowest slot.
    pub first: Slot,
    /// The highest slot, not below `first`.
    pub last: Slot,
}

impl SlotRange {
    /// A range, unless its ends are the wrong way round.
    pub fn new(first: Slot, last: Slot) -> Option<SlotRange> {
        (first <= last).then_some(SlotRange { first, last })
    }

    /// The range of one slot.
    pub fn one(slot: Slot) -> SlotRange {
        SlotRange { first: slot, last: slot }
    }

    /// How many slots it has; never none, hence no `is_empty`.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(self) -> usize {
        self.last.index() - self.first.index() + 1
    }

    /// Whether the slot lies in it.
    #[inline]
    pub fn contains(self, slot: Slot) -> bool {
        self.first <= slot && slot <= self.last
    }

    /// Its slots in order.
    pub fn slots(self) -> impl DoubleEndedIterator<Item = Slot> + ExactSizeIterator {
        // The number is between two slots' numbers, so it is a slot's.
        (self.first.get()..self.last.get() + 1).map(Slot)
    }
}

/// One slot alone is written without a dash.
impl fmt::Display for SlotRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}-{}", self.first, self.last)
        }
    }
}

/// A text that is no range of slots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParseRangeError {
    /// Neither `number` nor `number-number`.
    Malformed,
    /// A number at or above 16384.
    OutOfRange,
    /// The first slot is above the last.
    Reversed,
}

impl fmt::Display for ParseRangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ParseRangeError::Malformed => "a slot range is written as 5 or 0-5460",
            ParseRangeError::OutOfRange => "a slot is a number from 0 to 16383",
            ParseRangeError::Reversed => "a slot range starts with its lower slot",
        })
    }
}

impl std::error::Error for ParseRangeError {}

impl FromStr for SlotRange {
    type Err = ParseRangeError;

    fn from_str(text: &str) -> Result<SlotRange, ParseRangeError> {
        let (first, last) = match text.split_once('-') {
            Some((first, last)) => (parse_slot(first)?, parse_slot(last)?),
            None => (parse_slot(text)?, parse_slot(text)?),
        };
        SlotRange::new(first, last).ok_or(ParseRangeError::Reversed)
    }
}

fn parse_slot(text: &str) -> Result<Slot, ParseRangeError> {
    // `parse` alone would take a leading plus.
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ParseRangeError::Malformed);
    }
    text.parse().ok().and_then(Slot::new).ok_or(ParseRangeError::OutOfRange)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for text in ["0", "16383", "0-16383", "5-6"] {
            assert_eq!(text.parse::<SlotRange>().unwrap().to_string(), text);
        }
        assert_eq!("7-7".parse::<SlotRange>().unwrap().to_string(), "7");
    }

    #[test]
    fn what_is_no_range_is_refused_with_the_reason() {
        for (text, error) in [
            ("", ParseRangeError::Malformed),
            ("-", ParseRangeError::Malformed),
            ("1-", ParseRangeError::Malformed),
            ("+1", ParseRangeError::Malformed),
            ("1-2-3", ParseRangeError::Malformed),
            (" 1", ParseRangeError::Malformed),
            ("16384", ParseRangeError::OutOfRange),
            ("99999999999999999999", ParseRangeError::OutOfRange),
            ("2-1", ParseRangeError::Reversed),
        ] {
            assert_eq!(text.parse::<SlotRange>(), Err(error), "{text}");
        }
    }

    #[test]
    fn a_range_holds_both_its_ends() {
        let range: SlotRange = "16380-16383".parse().unwrap();
        assert_eq!(range.len(), 4);
        assert_eq!(range.slots().map(Slot::get).collect::<Vec<_>>(), [16380, 16381, 16382, 16383]);
        assert!(range.contains(Slot::MAX) && !range.contains(Slot::MIN));
    }
}
