//! The refusals of the hash commands, in Redis's words, and of those that Redis 7.2 does not have in Valkey's.

use super::CommandError;
use std::borrow::Cow;

fn fixed(text: &'static str) -> CommandError {
    CommandError::Text(Cow::Borrowed(text))
}

impl CommandError {
    /// HINCRBY of a value that is no integer.
    pub fn hash_value_not_integer() -> CommandError {
        fixed("ERR hash value is not an integer")
    }

    /// HINCRBYFLOAT of a value that is no float.
    pub fn hash_value_not_float() -> CommandError {
        fixed("ERR hash value is not a float")
    }

    /// HINCRBYFLOAT by infinity.
    pub fn infinite_increment() -> CommandError {
        fixed("ERR value is NaN or Infinity")
    }

    /// HRANDFIELD WITHVALUES of so many fields that their words cannot be counted.
    pub fn count_out_of_range() -> CommandError {
        fixed("ERR value is out of range")
    }

    /// FIELDS with a number that is not that of the fields behind it.
    pub fn numfields() -> CommandError {
        fixed("ERR numfields should be greater than 0 and match the provided number of fields")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_as_clients_know_it() {
        for (error, line) in [
            (CommandError::hash_value_not_integer(), "ERR hash value is not an integer"),
            (CommandError::hash_value_not_float(), "ERR hash value is not a float"),
            (CommandError::infinite_increment(), "ERR value is NaN or Infinity"),
            (CommandError::count_out_of_range(), "ERR value is out of range"),
            (
                CommandError::numfields(),
                "ERR numfields should be greater than 0 and match the provided number of fields",
            ),
        ] {
            assert_eq!(error.to_string(), line);
        }
    }
}
