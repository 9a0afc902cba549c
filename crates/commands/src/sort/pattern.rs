//! The keys that SORT's patterns name, and what they hold.
//!
//! ```text
//!     weight_*            the string under weight_<element>
//!     object_*->name      the field `name` of the hash under object_<element>
//!     #                   the element
//! ```
//!
//! 1. The first star counts. The arrow counts only behind it, and only with a field's name; what is between the star
//!    and the arrow belongs to the key.
//! 2. A pattern ends for the search of star and arrow at a zero byte, as C strings do, and goes on behind it.
//! 3. A pattern without a star names nothing.
//! 4. A key on another core is refused: it is not here, but may be there.

use crate::{CommandError, Exec};
use datatypes::hash::HashRef;
use keyspace::ValueRef;
use resp::Args;
use slot::Slot;
use std::borrow::Cow;

/// What C takes a text to be: it ends at the first zero byte.
pub(super) fn c_string(text: &[u8]) -> &[u8] {
    &text[..text.iter().position(|&byte| byte == 0).unwrap_or(text.len())]
}

/// Whether a pattern names keys.
pub(super) fn has_star(pattern: &[u8]) -> bool {
    c_string(pattern).contains(&b'*')
}

/// A pattern, taken apart.
pub(super) enum Pattern<'a> {
    /// `#`
    Element,
    /// There is no star.
    Nothing,
    /// A key, or a field of a hash.
    Key { before: &'a [u8], behind: &'a [u8], field: Option<&'a [u8]> },
}

impl<'a> Pattern<'a> {
    pub(super) fn new(text: &'a [u8]) -> Pattern<'a> {
        let seen = c_string(text);
        if seen == b"#" {
            return Pattern::Element;
        }
        let Some(star) = seen.iter().position(|&byte| byte == b'*') else { return Pattern::Nothing };
        let arrow = seen[star + 1..].windows(2).position(|two| two == b"->").map(|at| star + 1 + at);
        let arrow = arrow.filter(|&at| at + 2 < seen.len());
        Pattern::Key {
            before: &text[..star],
            behind: &text[star + 1..arrow.unwrap_or(text.len())],
            field: arrow.map(|at| &text[at + 2..]),
        }
    }
}

/// The keys that the command can see.
pub(super) struct Sight<'c, 'e> {
    cx: &'c mut Exec<'e>,
    /// Slots that were brought here for the command.
    held: [Slot; 2],
    name: Vec<u8>,
}

impl<'c, 'e> Sight<'c, 'e> {
    /// Those of the core it runs on, and those in the slots of the keys that it states.
    pub(super) fn new(cx: &'c mut Exec<'e>, args: Args, store: Option<usize>) -> Sight<'c, 'e> {
        let source = cx.key(args, 1).place.slot;
        let held = [source, store.map_or(source, |at| cx.key(args, at).place.slot)];
        Sight { cx, held, name: Vec::new() }
    }

    /// What a pattern names for an element.
    pub(super) fn look_up<'a>(
        &'a mut self,
        pattern: &Pattern,
        element: &'a [u8],
    ) -> Result<Option<Cow<'a, [u8]>>, CommandError> {
        let (before, behind, field) = match pattern {
            Pattern::Element => return Ok(Some(Cow::Borrowed(element))),
            Pattern::Nothing => return Ok(None),
            Pattern::Key { before, behind, field } => (before, behind, field),
        };
        self.name.clear();
        self.name.extend_from_slice(before);
        self.name.extend_from_slice(element);
        self.name.extend_from_slice(behind);
        let key = self.cx.keys.locate(&self.name);
        let slot = key.place.slot;
        if !self.held.contains(&slot) && !(self.cx.at_home)(slot) {
            return Err(CommandError::sort_pattern_elsewhere());
        }
        let now_ms = self.cx.keys.now_ms();
        let Some(entry) = self.cx.keys.find(&key) else { return Ok(None) };
        Ok(match (entry.value(), field) {
            (ValueRef::Str(text), None) => Some(Cow::Borrowed(text.bytes())),
            (ValueRef::Hash(hash), Some(field)) => field_of(hash, field, now_ms),
            _ => None,
        })
    }
}

fn field_of<'a>(hash: HashRef<'a>, field: &[u8], now_ms: u64) -> Option<Cow<'a, [u8]>> {
    hash.get(field, now_ms).map(|value| value.to_bytes())
}
