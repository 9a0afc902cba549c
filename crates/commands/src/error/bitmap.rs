//! The refusals of the bitmap and HyperLogLog commands, in Redis's words.

use super::CommandError;
use datatypes::hyperloglog::{Corrupted, Fault};
use std::borrow::Cow;

fn fixed(text: &'static str) -> CommandError {
    CommandError::Text(Cow::Borrowed(text))
}

impl CommandError {
    /// An offset that is no integer, negative, or too far for `proto-max-bulk-len`.
    pub fn bad_bit_offset() -> CommandError {
        fixed("ERR bit offset is not an integer or out of range")
    }

    /// SETBIT to what is neither 0 nor 1.
    pub fn bad_bit() -> CommandError {
        fixed("ERR bit is not an integer or out of range")
    }

    /// BITPOS of what is an integer, but neither 0 nor 1.
    pub fn no_such_bit() -> CommandError {
        fixed("ERR The bit argument must be 1 or 0.")
    }

    /// BITOP NOT of several keys.
    pub fn not_of_several() -> CommandError {
        fixed("ERR BITOP NOT must be called with a single source key.")
    }

    /// BITFIELD with a type that does not exist.
    pub fn bad_bitfield_type() -> CommandError {
        fixed(
            "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.",
        )
    }

    /// BITFIELD OVERFLOW of an unknown kind.
    pub fn bad_overflow() -> CommandError {
        fixed("ERR Invalid OVERFLOW type specified")
    }

    /// BITFIELD_RO that would write.
    pub fn bitfield_only_reads() -> CommandError {
        fixed("ERR BITFIELD_RO only supports the GET subcommand")
    }

    /// A string that does not begin as a HyperLogLog does.
    pub fn not_a_hyperloglog() -> CommandError {
        fixed("WRONGTYPE Key is not a valid HyperLogLog string value.")
    }

    /// PFDEBUG of a key that is not there.
    pub fn no_key_to_debug() -> CommandError {
        fixed("ERR The specified key does not exist")
    }

    /// PFDEBUG DECODE of a dense value.
    pub fn not_sparse() -> CommandError {
        fixed("ERR HLL encoding is not sparse")
    }

    /// PFDEBUG with a word that it does not know.
    pub fn unknown_pfdebug(sub: &[u8]) -> CommandError {
        let sub = super::first_bytes(sub, usize::MAX);
        CommandError::Bytes([b"ERR Unknown PFDEBUG subcommand '", sub, b"'"].concat())
    }

    /// PFSELFTEST has found something.
    pub fn self_test_failed(fault: &Fault) -> CommandError {
        CommandError::Text(Cow::Owned(format!("ERR TESTFAILED {fault}")))
    }
}

impl From<Corrupted> for CommandError {
    fn from(_: Corrupted) -> CommandError {
        fixed("INVALIDOBJ Corrupted HLL object detected")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_redis_s() {
        let bitfield =
            "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported \
                        but i64 is.";
        let fault = Fault::Register { register: 1, given: 2, has: 3 };
        for (error, line) in [
            (CommandError::bad_bit_offset(), "ERR bit offset is not an integer or out of range"),
            (CommandError::bad_bit(), "ERR bit is not an integer or out of range"),
            (CommandError::no_such_bit(), "ERR The bit argument must be 1 or 0."),
            (CommandError::not_of_several(), "ERR BITOP NOT must be called with a single source key."),
            (CommandError::bad_bitfield_type(), bitfield),
            (CommandError::bad_overflow(), "ERR Invalid OVERFLOW type specified"),
            (CommandError::bitfield_only_reads(), "ERR BITFIELD_RO only supports the GET subcommand"),
            (CommandError::not_a_hyperloglog(), "WRONGTYPE Key is not a valid HyperLogLog string value."),
            (CommandError::no_key_to_debug(), "ERR The specified key does not exist"),
            (CommandError::not_sparse(), "ERR HLL encoding is not sparse"),
            (CommandError::unknown_pfdebug(b"x\0y"), "ERR Unknown PFDEBUG subcommand 'x'"),
            (CommandError::self_test_failed(&fault), "ERR TESTFAILED Register 1 should be 2 but is 3"),
            (Corrupted.into(), "INVALIDOBJ Corrupted HLL object detected"),
        ] {
            assert_eq!(error.to_string(), line);
        }
    }
}
