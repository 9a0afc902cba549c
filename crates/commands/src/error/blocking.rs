//! The refusals of the commands that wait, in Redis's words.

use super::CommandError;
use std::borrow::Cow;

fn fixed(text: &'static str) -> CommandError {
    CommandError::Text(Cow::Borrowed(text))
}

impl CommandError {
    /// A timeout in seconds that is no number.
    pub fn timeout_not_float() -> CommandError {
        fixed("ERR timeout is not a float or out of range")
    }

    /// CLIENT UNBLOCK with ERROR.
    pub fn unblocked() -> CommandError {
        fixed("UNBLOCKED client unblocked via CLIENT UNBLOCK")
    }
}
