//! The refusals of the stream commands, in Redis's words.

use super::{first_bytes, CommandError};
use std::borrow::Cow;

fn fixed(text: &'static str) -> CommandError {
    CommandError::Text(Cow::Borrowed(text))
}

/// A text around two names that a client sent, as C prints them.
fn naming(before: &str, first: &[u8], between: &str, second: &[u8], after: &str) -> CommandError {
    let (first, second) = (first_bytes(first, usize::MAX), first_bytes(second, usize::MAX));
    CommandError::Bytes([before.as_bytes(), first, between.as_bytes(), second, after.as_bytes()].concat())
}

impl CommandError {
    /// An argument that is no id.
    pub fn invalid_stream_id() -> CommandError {
        fixed("ERR Invalid stream ID specified as stream command argument")
    }

    /// A range that begins behind the highest id.
    pub fn invalid_start() -> CommandError {
        fixed("ERR invalid start ID for the interval")
    }

    /// A range that ends before the lowest id.
    pub fn invalid_end() -> CommandError {
        fixed("ERR invalid end ID for the interval")
    }

    // XADD and XTRIM.

    /// XADD of 0-0.
    pub fn zero_id() -> CommandError {
        fixed("ERR The ID specified in XADD must be greater than 0-0")
    }

    /// XADD of an id that is not above the last.
    pub fn id_not_above() -> CommandError {
        fixed("ERR The ID specified in XADD is equal or smaller than the target stream top item")
    }

    /// XADD to a stream whose last id is the highest.
    pub fn stream_exhausted() -> CommandError {
        fixed("ERR The stream has exhausted the last possible ID, unable to add more items")
    }

    /// XADD of more than a node can hold.
    pub fn entry_too_large() -> CommandError {
        fixed("ERR Elements are too large to be stored")
    }

    /// Trimming twice.
    pub fn maxlen_and_minid() -> CommandError {
        fixed("ERR syntax error, MAXLEN and MINID options at the same time are not compatible")
    }

    /// MAXLEN below zero.
    pub fn maxlen_negative() -> CommandError {
        fixed("ERR The MAXLEN argument must be >= 0.")
    }

    /// LIMIT below zero.
    pub fn trim_limit_negative() -> CommandError {
        fixed("ERR The LIMIT argument must be >= 0.")
    }

    /// LIMIT of nothing.
    pub fn limit_without_trimming() -> CommandError {
        fixed("ERR syntax error, LIMIT cannot be used without specifying a trimming strategy")
    }

    /// XTRIM to nothing.
    pub fn trim_without_strategy() -> CommandError {
        fixed("ERR syntax error, XTRIM must be called with a trimming strategy")
    }

    /// LIMIT of an exact trimming.
    pub fn limit_without_approximation() -> CommandError {
        fixed("ERR syntax error, LIMIT cannot be used without the special ~ option")
    }

    // XSETID.

    /// ENTRIESADDED below zero.
    pub fn entries_added_negative() -> CommandError {
        fixed("ERR entries_added must be positive")
    }

    /// XSETID below its own MAXDELETEDID.
    pub fn setid_below_given_deleted() -> CommandError {
        fixed("ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id")
    }

    /// XSETID below an entry that was deleted.
    pub fn setid_below_deleted() -> CommandError {
        fixed("ERR The ID specified in XSETID is smaller than current max_deleted_entry_id")
    }

    /// XSETID below an entry.
    pub fn setid_below_top() -> CommandError {
        fixed("ERR The ID specified in XSETID is smaller than the target stream top item")
    }

    /// XSETID with fewer entries added than there are.
    pub fn setid_added_below_length() -> CommandError {
        fixed("ERR The entries_added specified in XSETID is smaller than the target stream length")
    }

    // Reading.

    /// Streams and ids are not as many.
    pub fn unbalanced_streams(of_group: bool) -> CommandError {
        fixed(if of_group {
            "ERR Unbalanced 'xreadgroup' list of streams: for each stream key an ID or '>' must be specified."
        } else {
            "ERR Unbalanced 'xread' list of streams: for each stream key an ID or '$' must be specified."
        })
    }

    /// XREAD with an option of XREADGROUP.
    pub fn only_xreadgroup(option: &str) -> CommandError {
        CommandError::Text(Cow::Owned(format!(
            "ERR The {option} option is only supported by XREADGROUP. You called XREAD instead."
        )))
    }

    /// XREADGROUP of no group.
    pub fn missing_group() -> CommandError {
        fixed("ERR Missing GROUP option for XREADGROUP")
    }

    /// XREAD of `>`.
    pub fn new_ids_without_group() -> CommandError {
        fixed(
            "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> \
             option.",
        )
    }

    /// XREADGROUP of `$`.
    pub fn last_id_in_group() -> CommandError {
        fixed(
            "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this \
             consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would just \
             return an empty result set.",
        )
    }

    /// XREADGROUP of a group that is not there.
    pub fn no_group_to_read(key: &[u8], group: &[u8]) -> CommandError {
        naming(
            "NOGROUP No such key '",
            key,
            "' or consumer group '",
            group,
            "' in XREADGROUP with GROUP option",
        )
    }

    // Groups.

    /// XPENDING, XCLAIM, XAUTOCLAIM of a group that is not there.
    pub fn no_key_or_group(key: &[u8], group: &[u8]) -> CommandError {
        naming("NOGROUP No such key '", key, "' or consumer group '", group, "'")
    }

    /// XGROUP and XINFO of a group that the stream does not have.
    pub fn no_group(group: &[u8], key: &[u8]) -> CommandError {
        naming("NOGROUP No such consumer group '", group, "' for key name '", key, "'")
    }

    /// XGROUP CREATE of a group that is there.
    pub fn busy_group() -> CommandError {
        fixed("BUSYGROUP Consumer Group name already exists")
    }

    /// XGROUP of no stream.
    pub fn xgroup_needs_key() -> CommandError {
        fixed(
            "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use \
             the MKSTREAM option to create an empty stream automatically.",
        )
    }

    /// ENTRIESREAD below -1.
    pub fn entries_read_negative() -> CommandError {
        fixed("ERR value for ENTRIESREAD must be positive or -1")
    }

    /// XCLAIM and XAUTOCLAIM with a time that is no integer.
    pub fn bad_min_idle(command: &str) -> CommandError {
        CommandError::Text(Cow::Owned(format!("ERR Invalid min-idle-time argument for {command}")))
    }

    /// XCLAIM with an option whose value is no integer.
    pub fn bad_claim_option(option: &str) -> CommandError {
        CommandError::Text(Cow::Owned(format!("ERR Invalid {option} option argument for XCLAIM")))
    }

    /// XCLAIM with an option that does not exist.
    pub fn unknown_claim_option(option: &[u8]) -> CommandError {
        naming("ERR Unrecognized XCLAIM option '", option, "'", b"", "")
    }

    /// XAUTOCLAIM COUNT that is no integer, not positive or huge.
    pub fn autoclaim_count() -> CommandError {
        fixed("ERR COUNT must be > 0")
    }
}
