//! The refusals of the list commands, in Redis's words.

use super::CommandError;
use std::borrow::Cow;

fn fixed(text: &'static str) -> CommandError {
    CommandError::Text(Cow::Borrowed(text))
}

impl CommandError {
    /// LPOP and RPOP with a count that is no integer, or negative.
    pub fn bad_pop_count() -> CommandError {
        fixed("ERR value is out of range, must be positive")
    }

    /// LSET beyond either end.
    pub fn no_such_index() -> CommandError {
        fixed("ERR index out of range")
    }

    /// LPOS RANK 0.
    pub fn rank_is_zero() -> CommandError {
        fixed(
            "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use \
             negative to start from the end of the list",
        )
    }

    /// LPOS COUNT that is no integer, or negative.
    pub fn bad_lpos_count() -> CommandError {
        fixed("ERR COUNT can't be negative")
    }

    /// LPOS MAXLEN that is no integer, or negative.
    pub fn bad_lpos_maxlen() -> CommandError {
        fixed("ERR MAXLEN can't be negative")
    }

    /// LMPOP of a number of keys that is no integer, or not positive.
    pub fn bad_lmpop_numkeys() -> CommandError {
        fixed("ERR numkeys should be greater than 0")
    }

    /// LMPOP COUNT that is no integer, or not positive.
    pub fn bad_lmpop_count() -> CommandError {
        fixed("ERR count should be greater than 0")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_redis_s() {
        let rank =
            "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use \
                    negative to start from the end of the list";
        for (error, line) in [
            (CommandError::bad_pop_count(), "ERR value is out of range, must be positive"),
            (CommandError::no_such_index(), "ERR index out of range"),
            (CommandError::rank_is_zero(), rank),
            (CommandError::bad_lpos_count(), "ERR COUNT can't be negative"),
            (CommandError::bad_lpos_maxlen(), "ERR MAXLEN can't be negative"),
            (CommandError::bad_lmpop_numkeys(), "ERR numkeys should be greater than 0"),
            (CommandError::bad_lmpop_count(), "ERR count should be greater than 0"),
        ] {
            assert_eq!(error.to_string(), line);
        }
    }
}
