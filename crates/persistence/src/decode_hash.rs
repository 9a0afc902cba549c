//! Reading a hash, with or without times at which fields go.
//!
//! ```text
//!     plain            n  { field value }*                         or a blob of the same
//!     expiring         earliest 8  n  { t field value }*           goes at earliest + t - 1; never, if t is 0
//!     expiring, blob   earliest 8  listpack of field, value, time  never, if the time is 0
//!     drafts           the same without the earliest; t is the time
//! ```
//!
//! 1. Fields whose time has come are read as well: only their owner knows the time.

use crate::blob;
use crate::decode::{from_ziplist, push, some};
use crate::read::Reader;
use crate::value::kind;
use crate::zipmap;
use crate::{Corrupt, Limits};
use datatypes::hash::{Hash, SetExpiry};
use datatypes::listpack;

/// At this time nothing has expired.
pub(crate) const NEVER_EXPIRED: u64 = 0;

/// A hash that is being read, field by field.
pub(crate) struct HashDecoder {
    hash: Hash,
    left: u64,
    times: Times,
}

/// How the time of a field is written.
#[derive(Clone, Copy)]
enum Times {
    Absent,
    Plain,
    /// One more than what it is behind this.
    Behind(u64),
}

impl HashDecoder {
    /// Reads what stands before the fields.
    pub(crate) fn start(kind: u8, input: &mut Reader<'_>) -> Result<HashDecoder, Corrupt> {
        let times = match kind {
            kind::HASH_EXPIRING => Times::Behind(earliest(input)?),
            kind::HASH_EXPIRING_DRAFT => Times::Plain,
            _ => Times::Absent,
        };
        Ok(HashDecoder { hash: Hash::new(), left: some(input.length()?)?, times })
    }

    /// Reads a field; the hash, if that was the last.
    pub(crate) fn advance(
        &mut self,
        input: &mut Reader<'_>,
        limits: &Limits,
    ) -> Result<Option<Hash>, Corrupt> {
        if self.left == 0 {
            return Ok(Some(std::mem::take(&mut self.hash)));
        }
        let expiry = self.times.read(input)?;
        let field = input.string()?;
        let value = input.string()?;
        if self.hash.is_empty() {
            announce(&mut self.hash, &field, usize::try_from(self.left).unwrap_or(usize::MAX), limits);
        }
        set(&mut self.hash, &field, &value, expiry, limits)?;
        self.left -= 1;
        Ok(None)
    }
}

impl Times {
    /// The time of one field, if it has one.
    fn read(self, input: &mut Reader<'_>) -> Result<Option<u64>, Corrupt> {
        let time = match self {
            Times::Absent => return Ok(None),
            Times::Plain => Some(input.length()?).filter(|&time| time != 0),
            Times::Behind(earliest) => match input.length()?.checked_sub(1) {
                None => None,
                Some(more) => {
                    Some(earliest.checked_add(more).filter(|&time| time != 0).ok_or(Corrupt::Expiry)?)
                }
            },
        };
        match time {
            Some(time) if time > blob::LATEST_EXPIRY => Err(Corrupt::Expiry),
            time => Ok(time),
        }
    }
}

/// A hash that is one blob.
pub(crate) fn hash_of_blob(kind: u8, input: &mut Reader<'_>, limits: &Limits) -> Result<Hash, Corrupt> {
    if kind == kind::HASH_EXPIRING_LISTPACK {
        earliest(input)?;
    }
    let bytes = input.string()?;
    let mut longest = 0;
    let hash = match kind {
        kind::HASH_EXPIRING_LISTPACK | kind::HASH_EXPIRING_LISTPACK_DRAFT => {
            blob::expiring_fields(&bytes)?;
            Hash::ListpackEx(bytes.into_owned())
        }
        kind::HASH_ZIPLIST => pairs(from_ziplist(&bytes)?)?,
        kind::HASH_ZIPMAP => {
            let mut pack = listpack::create();
            zipmap::read(&bytes, |field, value| {
                longest = longest.max(field.len()).max(value.len());
                push(&mut pack, field)?;
                push(&mut pack, value)
            })?;
            pairs(pack)?
        }
        _ => pairs(bytes.into_owned())?,
    };
    // As in Redis, the lengths of strings are looked at only where they must be read anyway.
    if hash.len() > limits.hash.listpack_entries || longest > limits.hash.listpack_value {
        return enlarged(&hash, limits);
    }
    Ok(hash)
}

fn pairs(bytes: Vec<u8>) -> Result<Hash, Corrupt> {
    blob::fields(&bytes)?;
    Ok(Hash::Listpack(bytes))
}

/// A hash of the same fields that is too large for a listpack.
fn enlarged(hash: &Hash, limits: &Limits) -> Result<Hash, Corrupt> {
    let mut large = Hash::new();
    for entry in hash.as_ref().entries() {
        let (field, value) = (entry.field.to_bytes(), entry.value.to_bytes());
        if large.is_empty() {
            announce(&mut large, &field, usize::MAX, limits);
        }
        set(&mut large, &field, &value, entry.expiry, limits)?;
    }
    Ok(large)
}

/// Lets an empty hash choose its encoding for so many fields, of which this is one.
fn announce(hash: &mut Hash, field: &[u8], count: usize, limits: &Limits) {
    // It only matters whether they are too many.
    let count = count.min(limits.hash.listpack_entries.saturating_add(1)).saturating_mul(2);
    hash.expect(std::iter::repeat_n(field, count), &limits.hash);
}

fn set(
    hash: &mut Hash,
    field: &[u8],
    value: &[u8],
    expiry: Option<u64>,
    limits: &Limits,
) -> Result<(), Corrupt> {
    let expiry = expiry.map_or(SetExpiry::End, SetExpiry::At);
    if hash.set(field, value, expiry, NEVER_EXPIRED, &limits.hash) {
        Ok(())
    } else {
        Err(Corrupt::Duplicate)
    }
}

fn earliest(input: &mut Reader<'_>) -> Result<u64, Corrupt> {
    u64::try_from(input.milliseconds()?).map_err(|_| Corrupt::Expiry)
}
