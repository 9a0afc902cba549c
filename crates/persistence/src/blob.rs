//! Compact encodings from outside: listpacks and intsets are checked here, whole, before a type takes
//! their bytes as they are.
//!
//! 1. What passes is what the types of this node would have written, but for the choice of forms inside a
//!    listpack (`12` as a string): sizes, links and counts agree, nothing is there twice, groups of
//!    elements are whole, and expiry times are in order. This is `sanitize-dump-payload yes`.
//! 2. The cost is that of sorting the elements once; nobody can choose elements that make it more.
//!
//! Not here: sorted sets and nodes of streams, which their types check themselves.

use crate::Corrupt;
use datatypes::listpack::{Item, Listpack};

/// No later time can be the expiry of a field: Redis keeps it in 48 bits.
pub const LATEST_EXPIRY: u64 = (1 << 48) - 2;

/// A listpack whose structure is right.
pub fn listpack(bytes: &[u8]) -> Result<Listpack<'_>, Corrupt> {
    Listpack::validate(bytes).ok_or(Corrupt::Listpack)
}

/// A set's members.
pub fn members(bytes: &[u8]) -> Result<Listpack<'_>, Corrupt> {
    let pack = filled(bytes)?;
    distinct(pack.iter())?;
    Ok(pack)
}

/// A hash's fields and values.
pub fn fields(bytes: &[u8]) -> Result<Listpack<'_>, Corrupt> {
    let pack = filled(bytes)?;
    distinct(every(pack, 2)?)?;
    Ok(pack)
}

/// A hash's fields, values and expiry times: those without one (0) last, the others in order, and none
/// of them negative.
pub fn expiring_fields(bytes: &[u8]) -> Result<Listpack<'_>, Corrupt> {
    let pack = filled(bytes)?;
    distinct(every(pack, 3)?)?;
    let (mut last, mut none) = (1, false);
    for time in pack.iter().skip(2).step_by(3) {
        let Item::Int(time) = time else { return Err(Corrupt::Expiry) };
        match u64::try_from(time) {
            Ok(0) => none = true,
            Ok(time) if !none && (last..=LATEST_EXPIRY).contains(&time) => last = time,
            _ => return Err(Corrupt::Expiry),
        }
    }
    Ok(pack)
}

/// A listpack that is right and has elements.
pub fn filled(bytes: &[u8]) -> Result<Listpack<'_>, Corrupt> {
    let pack = listpack(bytes)?;
    if pack.is_empty() {
        return Err(Corrupt::Empty);
    }
    Ok(pack)
}

/// Every element that begins a group of `stride`, all of which are whole.
fn every(pack: Listpack<'_>, stride: usize) -> Result<impl Iterator<Item = Item<'_>>, Corrupt> {
    if !pack.iter().count().is_multiple_of(stride) {
        return Err(Corrupt::Odd);
    }
    Ok(pack.iter().step_by(stride))
}

/// Fails if two of the elements print the same bytes.
fn distinct<'a>(items: impl Iterator<Item = Item<'a>>) -> Result<(), Corrupt> {
    // What reads as an integer is one, in whichever form it is stored.
    let key = |item: Item<'a>| match (item.as_i64(), item) {
        (Some(number), _) => (Some(number), &[][..]),
        (None, Item::Str(text)) => (None, text),
        (None, Item::Int(_)) => unreachable!("an integer reads as one"),
    };
    let mut keys: Vec<(Option<i64>, &[u8])> = items.map(key).collect();
    keys.sort_unstable();
    if keys.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Corrupt::Duplicate);
    }
    Ok(())
}
