//! What can be wrong with bytes that claim to be a value.
//!
//! Clients hear one of two sentences, whatever the reason ([`Corrupt::in_footer`] tells which); the
//! reason is for logs, for tests and for whoever writes such bytes.

/// Why a payload was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Corrupt {
    /// The footer names a version that we do not know, or there is none.
    #[error("version {0} is not known")]
    Version(u16),
    /// The checksum is that of other bytes, or there is no room for one.
    #[error("the checksum is wrong")]
    Checksum,
    /// The bytes end before the value does.
    #[error("the bytes end inside the value")]
    Truncated,
    /// A type that no version up to ours writes, or whose content only a module understands.
    #[error("values of type {0} cannot be read")]
    Type(u8),
    /// A first byte of a length that means nothing here.
    #[error("byte {0:#04x} begins no length")]
    Length(u8),
    /// A string is longer than the limit.
    #[error("a string of {0} bytes is too long")]
    TooLong(u64),
    /// A compressed string does not decompress to its announced length.
    #[error("a compressed string is broken")]
    Lzf,
    /// A score is not a number.
    #[error("a score is not a number")]
    Score,
    /// A collection without elements: a file's reader passes over the key.
    #[error("the collection is empty")]
    Empty,
    /// A field or member occurs twice.
    #[error("an element occurs twice")]
    Duplicate,
    /// Fields without values.
    #[error("pairs come in odd numbers")]
    Odd,
    /// Elements are not in the order that their encoding demands.
    #[error("elements are out of order")]
    Order,
    /// A ziplist's sizes, links or entries contradict each other.
    #[error("a ziplist is broken")]
    Ziplist,
    /// A zipmap's sizes or entries contradict each other.
    #[error("a zipmap is broken")]
    Zipmap,
    /// A listpack's sizes, links or entries contradict each other.
    #[error("a listpack is broken")]
    Listpack,
    /// An intset's width, count or order is wrong.
    #[error("an intset is broken")]
    Intset,
    /// A list's node is of a kind that is not known.
    #[error("a list node of kind {0} is not known")]
    Container(u64),
    /// A field's expiry is impossible.
    #[error("a field's expiry is impossible")]
    Expiry,
    /// What is wrong with a stream.
    #[error("stream: {0}")]
    Stream(&'static str),
}

impl Corrupt {
    /// Whether RESTORE words it "DUMP payload version or checksum are wrong" rather than "Bad data
    /// format".
    pub fn in_footer(self) -> bool {
        matches!(self, Corrupt::Version(_) | Corrupt::Checksum)
    }
}
