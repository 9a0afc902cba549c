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

    // DEBUG.

    /// DEBUG LISTPACK of another encoding.
    pub fn not_a_listpack() -> CommandError {
        fixed("ERR Not a listpack encoded object.")
    }

    /// DEBUG HTSTATS-KEY of another encoding.
    pub fn not_a_table() -> CommandError {
        fixed("ERR The value stored at the specified key is not represented using an hash table")
    }

    /// DEBUG QUICKLIST-PACKED-THRESHOLD of what is no size, or too large.
    pub fn bad_packed_threshold() -> CommandError {
        fixed("ERR argument must be a memory value bigger than 1 and smaller than 4gb")
    }

    /// DEBUG RELOAD with another word.
    pub fn bad_reload_option() -> CommandError {
        fixed("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.")
    }

    /// DEBUG RELOAD NOSAVE without a file.
    pub fn nothing_to_reload() -> CommandError {
        fixed("ERR Error trying to load the RDB dump, check server logs.")
    }

    /// DEBUG PROTOCOL PUSH where there is no such thing.
    pub fn no_push_in_resp2() -> CommandError {
        fixed("ERR RESP2 is not supported by this command")
    }

    /// DEBUG PROTOCOL of another type.
    pub fn unknown_protocol_type() -> CommandError {
        fixed(
            "ERR Wrong protocol type name. Please use one of the following: string|integer|double|bignum|null|\
             array|set|map|attrib|push|verbatim|true|false",
        )
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
