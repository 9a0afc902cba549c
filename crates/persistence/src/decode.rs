//! Reading a value, in steps.
//!
//! A [`Decoder`] is told the kind (the number in front), and then given the input again and again, each time
//! for a budget of bytes; between two steps the core does other work. It keeps no reference to the input, so
//! that whoever owns the bytes can keep both.
//!
//! ```text
//!     kind --> Start --> List, Set, SortedSet, Hash: elements left --> value
//!                   \--> Stream: decode_stream.rs --------------/
//!                    \-> blob, whole --------------------------/
//! ```
//!
//! 1. The unit of a step is an element, or a blob: a listpack, intset, ziplist or zipmap is at once read, checked
//!    and made a value. What is large is many elements or blobs (but for encodings that
//!    someone configured to be large).
//! 2. When the input ends inside an element, the reader is back at its beginning and the state is as before: the
//!    decoder can be asked again once there is more ([`Corrupt::Truncated`]).
//! 3. A count is only believed as its elements come; nothing is reserved for it.
//! 4. What is read has the encoding that Redis 7.2 would give it, by the limits of this node.
//!
//! A hash's fields whose time has come are read like all others: their owner knows the time.

use crate::blob;
use crate::decode_hash::{hash_of_blob, HashDecoder};
use crate::decode_stream::StreamDecoder;
use crate::read::Reader;
use crate::value::{kind, Value, NODE_LISTPACK, NODE_PLAIN};
use crate::ziplist;
use crate::{Corrupt, Limits};
use datatypes::intset::Intset;
use datatypes::list::{End, List, Quicklist};
use datatypes::listpack::{self, Item};
use datatypes::set::Set;
use datatypes::sorted_set::{Added, Conditions, SortedSet};
use std::borrow::Cow;

/// What an element costs of a budget beside its bytes.
const ELEMENT_COST: usize = 32;

/// A value that is being read.
pub struct Decoder {
    state: State,
}

enum State {
    Start(u8),
    List { kind: u8, left: u64, list: Box<Quicklist> },
    Set { left: u64, set: Set },
    SortedSet { kind: u8, left: u64, set: SortedSet },
    Hash(HashDecoder),
    Stream(Box<StreamDecoder>),
}

impl Decoder {
    /// For a value of this kind.
    pub fn new(kind: u8) -> Decoder {
        Decoder { state: State::Start(kind) }
    }

    /// Reads for about so many bytes; the value, if that was all of it.
    pub fn step(
        &mut self,
        input: &mut Reader<'_>,
        limits: &Limits,
        budget: usize,
    ) -> Result<Option<Value>, Corrupt> {
        let mut left = budget;
        loop {
            let start = input.position();
            match self.advance(input, limits) {
                Ok(None) => (),
                Ok(value) => return Ok(value),
                Err(reason) => {
                    input.set_position(start);
                    return Err(reason);
                }
            }
            let cost = input.position() - start + ELEMENT_COST;
            match left.checked_sub(cost) {
                Some(rest) => left = rest,
                None => return Ok(None),
            }
        }
    }

    /// Reads one piece; the value, if that was the last.
    fn advance(&mut self, input: &mut Reader<'_>, limits: &Limits) -> Result<Option<Value>, Corrupt> {
        match &mut self.state {
            State::Start(kind) => {
                let kind = *kind;
                match start(kind, input, limits)? {
                    Begun::Value(value) => return Ok(Some(value)),
                    Begun::More(state) => self.state = state,
                }
            }
            State::List { kind, left, list } => {
                if *left == 0 {
                    return finish_list(std::mem::take(list), limits).map(Some);
                }
                match *kind {
                    kind::LIST => list.push(&input.string()?, End::Back, &limits.list),
                    kind::LIST_ZIPLISTS => list.push_packed_node(from_ziplist(&input.string()?)?),
                    _ => node(input, list)?,
                }
                *left -= 1;
            }
            State::Set { left, set } => {
                if *left == 0 {
                    return Ok(Some(Value::Set(std::mem::take(set))));
                }
                let member = input.string()?;
                if set.is_empty() && *left > limits.set.intset_entries as u64 {
                    let count = usize::try_from(*left).unwrap_or(usize::MAX);
                    *set = Set::for_members(&member, count, &limits.set);
                }
                if !set.add(&member, &limits.set) {
                    return Err(Corrupt::Duplicate);
                }
                *left -= 1;
            }
            State::SortedSet { kind, left, set } => {
                if *left == 0 {
                    return Ok(Some(Value::SortedSet(std::mem::take(set))));
                }
                let member = input.string()?;
                let score = match *kind {
                    kind::SORTED_SET => input.binary_double()?,
                    _ => input.text_double()?,
                };
                if score.is_nan() {
                    return Err(Corrupt::Score);
                }
                match set.add(&member, score, Conditions::default(), &limits.sorted_set) {
                    Ok(Added::New(_)) => (),
                    _ => return Err(Corrupt::Duplicate),
                }
                *left -= 1;
            }
            State::Hash(hash) => return Ok(hash.advance(input, limits)?.map(Value::Hash)),
            State::Stream(stream) => return Ok(stream.advance(input)?.map(Value::Stream)),
        }
        Ok(None)
    }
}

/// What the first piece has given.
enum Begun {
    Value(Value),
    More(State),
}

fn start(kind: u8, input: &mut Reader<'_>, limits: &Limits) -> Result<Begun, Corrupt> {
    let value = match kind {
        kind::STRING => Value::String(input.string()?.into_owned()),
        kind::LIST | kind::LIST_ZIPLISTS | kind::LIST_LISTPACKS => {
            return Ok(Begun::More(State::List { kind, left: some(input.length()?)?, list: Box::default() }));
        }
        kind::SET => return Ok(Begun::More(State::Set { left: some(input.length()?)?, set: Set::new() })),
        kind::SORTED_SET | kind::SORTED_SET_TEXT => {
            let left = some(input.length()?)?;
            let mut set = SortedSet::new();
            set.expect(usize::try_from(left).unwrap_or(usize::MAX), &limits.sorted_set);
            return Ok(Begun::More(State::SortedSet { kind, left, set }));
        }
        kind::STREAM | kind::STREAM_2 | kind::STREAM_3 => {
            return Ok(Begun::More(State::Stream(Box::new(StreamDecoder::new(kind)))));
        }
        kind::LIST_ZIPLIST => {
            let mut list = Box::<Quicklist>::default();
            ziplist::read(&input.string()?, |item| {
                item.with_bytes(|element| list.push(element, End::Back, &limits.list));
                Ok(())
            })?;
            finish_list(list, limits)?
        }
        kind::SET_INTSET => {
            let bytes = input.string()?;
            Intset::validate(&bytes).ok_or(Corrupt::Intset)?;
            Value::Set(fitting_set(Set::Intset(bytes.into_owned()), limits))
        }
        kind::SET_LISTPACK => {
            let bytes = input.string()?;
            blob::members(&bytes)?;
            Value::Set(fitting_set(Set::Listpack(bytes.into_owned()), limits))
        }
        kind::SORTED_SET_LISTPACK => sorted_set(input.string()?, limits)?,
        kind::SORTED_SET_ZIPLIST => sorted_set(Cow::Owned(from_ziplist(&input.string()?)?), limits)?,
        kind::HASH_ZIPMAP
        | kind::HASH_ZIPLIST
        | kind::HASH_LISTPACK
        | kind::HASH_EXPIRING_LISTPACK
        | kind::HASH_EXPIRING_LISTPACK_DRAFT => Value::Hash(hash_of_blob(kind, input, limits)?),
        kind::HASH | kind::HASH_EXPIRING | kind::HASH_EXPIRING_DRAFT => {
            return Ok(Begun::More(State::Hash(HashDecoder::start(kind, input)?)));
        }
        unknown => return Err(Corrupt::Type(unknown)),
    };
    Ok(Begun::Value(value))
}

/// The count of elements, of which there must be some.
pub(crate) fn some(count: u64) -> Result<u64, Corrupt> {
    if count == 0 {
        return Err(Corrupt::Empty);
    }
    Ok(count)
}

/// A node of a list in its form since 7.0.
fn node(input: &mut Reader<'_>, list: &mut Quicklist) -> Result<(), Corrupt> {
    let container = input.length()?;
    let bytes = input.string()?;
    match container {
        NODE_PLAIN if bytes.is_empty() => return Err(Corrupt::Container(container)),
        NODE_PLAIN => list.push_plain_node(bytes.into_owned()),
        NODE_LISTPACK => {
            blob::listpack(&bytes)?;
            list.push_packed_node(bytes.into_owned());
        }
        unknown => return Err(Corrupt::Container(unknown)),
    }
    Ok(())
}

fn finish_list(list: Box<Quicklist>, limits: &Limits) -> Result<Value, Corrupt> {
    // Nodes without elements were passed over.
    if list.is_empty() {
        return Err(Corrupt::Empty);
    }
    let mut list = List::Large(list);
    list.settle(&limits.list);
    Ok(Value::List(list))
}

fn fitting_set(mut set: Set, limits: &Limits) -> Set {
    let len = set.len();
    set.expect(len, &limits.set);
    set
}

fn sorted_set(bytes: Cow<'_, [u8]>, limits: &Limits) -> Result<Value, Corrupt> {
    blob::filled(&bytes)?;
    let set = SortedSet::from_listpack(bytes.into_owned(), &limits.sorted_set).ok_or(Corrupt::Listpack)?;
    Ok(Value::SortedSet(set))
}

/// A ziplist's elements as a listpack.
pub(crate) fn from_ziplist(bytes: &[u8]) -> Result<Vec<u8>, Corrupt> {
    let mut pack = listpack::create();
    ziplist::read(bytes, |item| {
        match item {
            Item::Int(number) => listpack::push_back_int(&mut pack, number),
            Item::Str(text) => push(&mut pack, text)?,
        }
        Ok(())
    })?;
    Ok(pack)
}

/// Adds an element to a listpack that an old encoding becomes, while it can take it.
pub(crate) fn push(pack: &mut Vec<u8>, text: &[u8]) -> Result<(), Corrupt> {
    if !listpack::safe_to_add(pack, text.len()) {
        return Err(Corrupt::TooLong(text.len() as u64));
    }
    listpack::push_back(pack, text);
    Ok(())
}
