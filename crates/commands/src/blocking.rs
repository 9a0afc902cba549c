//! Commands that wait: what a handler says when it found nothing, and how its timeout is read.
//!
//! ```text
//!     handler finds nothing --> Exec::wait(Wait { keys, wants, until }) --> no reply; `node` parks the batch
//!     a key of those is touched, by whatever command --> the handler runs again, from the beginning
//! ```
//!
//! A handler is written as if it ran for the first time each time; only arguments that mean "now" (XREAD's
//! `$`) are replaced by what they meant at first.

use crate::{CommandError, Exec};
use datatypes::sorted_set::parse_score;
use keyspace::ValueType;
use resp::parse_integer;

/// What a command waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Any of these keys, of the session's database.
    pub keys: Vec<Vec<u8>>,
    /// They must hold this type to be worth a try.
    pub wants: ValueType,
    /// It is tried also when a key goes or gets another type (XREADGROUP: the group is gone).
    pub on_deletion: bool,
    /// When it gives up, unix milliseconds; never if none.
    pub until_ms: Option<u64>,
    /// Arguments to be replaced before it is tried again.
    pub replaced: Vec<(usize, Vec<u8>)>,
}

impl Exec<'_> {
    /// Parks the command until one of the keys is touched. Nothing may have been replied or changed.
    pub fn wait(&mut self, wait: Wait) {
        *self.waiting = Some(wait);
    }
}

/// A timeout in seconds, which may be fractions: when it is over, unix ms, or none for 0, which is never.
pub fn until_of_seconds(seconds: &[u8], now_ms: u64) -> Result<Option<u64>, CommandError> {
    let seconds = parse_score(seconds).ok_or_else(CommandError::timeout_not_float)?;
    // Rounded up, so that nobody waits too short.
    let ms = (seconds * 1000.0).ceil();
    if ms >= i64::MAX as f64 {
        return Err(CommandError::timeout_out_of_range());
    }
    until(ms as i64, now_ms)
}

/// A timeout in milliseconds: when it is over, unix ms, or none for 0, which is never.
pub fn until_of_milliseconds(ms: &[u8], now_ms: u64) -> Result<Option<u64>, CommandError> {
    until(parse_integer(ms).ok_or_else(CommandError::timeout_not_integer)?, now_ms)
}

fn until(ms: i64, now_ms: u64) -> Result<Option<u64>, CommandError> {
    match ms {
        ..0 => Err(CommandError::timeout_negative()),
        0 => Ok(None),
        _ => match ms.checked_add(now_ms as i64) {
            Some(at) => Ok(Some(at as u64)),
            None => Err(CommandError::timeout_out_of_range()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_rounded_up_and_bounded() {
        let seconds = |text: &str| until_of_seconds(text.as_bytes(), 1_000);
        assert_eq!(seconds("0"), Ok(None));
        assert_eq!(seconds("0.0001"), Ok(Some(1_001)));
        assert_eq!(seconds("2"), Ok(Some(3_000)));
        assert_eq!(seconds("x"), Err(CommandError::timeout_not_float()));
        assert_eq!(seconds("nan"), Err(CommandError::timeout_not_float()));
        assert_eq!(seconds("-1"), Err(CommandError::timeout_negative()));
        assert_eq!(seconds("inf"), Err(CommandError::timeout_out_of_range()));
        assert_eq!(seconds("9223372036854775"), Err(CommandError::timeout_out_of_range()));
        let ms = |text: &str| until_of_milliseconds(text.as_bytes(), 1_000);
        assert_eq!(ms("5"), Ok(Some(1_005)));
        assert_eq!(ms("0"), Ok(None));
        assert_eq!(ms("1.5"), Err(CommandError::timeout_not_integer()));
        assert_eq!(ms("-5"), Err(CommandError::timeout_negative()));
        assert_eq!(ms("9223372036854775807"), Err(CommandError::timeout_out_of_range()));
    }
}
