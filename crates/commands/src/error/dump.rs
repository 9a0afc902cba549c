//! The refusals of DUMP, RESTORE and their like, in Redis's words.

use super::CommandError;
use persistence::Corrupt;
use std::borrow::Cow;

fn fixed(text: &'static str) -> CommandError {
    CommandError::Text(Cow::Borrowed(text))
}

impl CommandError {
    /// RESTORE of a key that is there.
    pub fn busy_key() -> CommandError {
        fixed("BUSYKEY Target key name already exists.")
    }

    /// RESTORE with a time to live below zero.
    pub fn negative_ttl() -> CommandError {
        fixed("ERR Invalid TTL value, must be >= 0")
    }

    /// RESTORE IDLETIME below zero.
    pub fn negative_idletime() -> CommandError {
        fixed("ERR Invalid IDLETIME value, must be >= 0")
    }

    /// RESTORE FREQ that does not fit in a byte.
    pub fn bad_frequency() -> CommandError {
        fixed("ERR Invalid FREQ value, must be >= 0 and <= 255")
    }

    /// RESTORE of bytes that are no payload. Redis does not say more of what is wrong with them.
    pub fn bad_payload(corrupt: Corrupt) -> CommandError {
        fixed(if corrupt.in_footer() {
            "ERR DUMP payload version or checksum are wrong"
        } else {
            "ERR Bad data format"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_redis_s() {
        for (error, line) in [
            (CommandError::busy_key(), "BUSYKEY Target key name already exists."),
            (CommandError::negative_ttl(), "ERR Invalid TTL value, must be >= 0"),
            (CommandError::negative_idletime(), "ERR Invalid IDLETIME value, must be >= 0"),
            (CommandError::bad_frequency(), "ERR Invalid FREQ value, must be >= 0 and <= 255"),
            (CommandError::bad_payload(Corrupt::Checksum), "ERR DUMP payload version or checksum are wrong"),
            (
                CommandError::bad_payload(Corrupt::Version(13)),
                "ERR DUMP payload version or checksum are wrong",
            ),
            (CommandError::bad_payload(Corrupt::Truncated), "ERR Bad data format"),
        ] {
            assert_eq!(error.to_string(), line);
        }
    }
}
