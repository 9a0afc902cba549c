//! The refusals of the set commands, in Redis's words.

use super::CommandError;
use std::borrow::Cow;

fn fixed(text: &'static str) -> CommandError {
    CommandError::Text(Cow::Borrowed(text))
}

impl CommandError {
    /// SPOP with a count that is no integer, or negative.
    pub fn not_positive() -> CommandError {
        fixed("ERR value is out of range, must be positive")
    }

    /// SINTERCARD of a number of keys that is no integer, or not positive.
    pub fn numkeys_not_positive() -> CommandError {
        fixed("ERR numkeys should be greater than 0")
    }

    /// SINTERCARD of more keys than follow.
    pub fn more_keys_than_arguments() -> CommandError {
        fixed("ERR Number of keys can't be greater than number of args")
    }

    /// SINTERCARD LIMIT that is no integer, or negative.
    pub fn negative_limit() -> CommandError {
        fixed("ERR LIMIT can't be negative")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_redis_s() {
        for (error, line) in [
            (CommandError::not_positive(), "ERR value is out of range, must be positive"),
            (CommandError::numkeys_not_positive(), "ERR numkeys should be greater than 0"),
            (
                CommandError::more_keys_than_arguments(),
                "ERR Number of keys can't be greater than number of args",
            ),
            (CommandError::negative_limit(), "ERR LIMIT can't be negative"),
        ] {
            assert_eq!(error.to_string(), line);
        }
    }
}
