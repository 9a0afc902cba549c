//! What several sets have in common, all together, or one alone: SINTER, SUNION, SDIFF and their like.
//!
//! ```text
//!     sources(keys) --all are sets or nothing--> borrowed at once --> members to the client
//!                                                                 --> a Set to be stored, or a key removed
//! ```
//!
//! 1. Every key is looked at, even where an earlier one already decides the result: one that holds another type is
//!    an error.
//! 2. Members come in the order in which Redis would say them, as far as the encodings give one: those of an
//!    intersection as they lie in the smallest set, all others as they lie in a set that was made for the result.
//! 3. A ..STORE command without a result removes its destination; if that was not there, nothing has changed.

use super::{say, store, Outcome};
use crate::{CommandError, Exec};
use datatypes::set::{self, Set, SetRef};
use keyspace::{Entry, ExpiryChange, Key, Readable, View};
use resp::{parse_integer, Args, Reply};

/// SINTER key [key ...]
pub(super) fn sinter(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let sources = Sources::find(cx, args, 1, args.len())?;
    let Some(sets) = sources.all(&cx.keys) else {
        reply.set(0);
        return Ok(());
    };
    let (begun, mut count) = (reply.begin_set(), 0);
    set::intersect(&sets, &mut |item| {
        say(reply, item);
        count += 1;
        true
    });
    reply.end_set(begun, count);
    Ok(())
}

/// SINTERCARD numkeys key [key ...] [LIMIT limit]: how many members all sets have in common, counted no further
/// than the limit.
pub(super) fn sintercard(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let numkeys = parse_integer(args.get(1)).filter(|count| *count > 0);
    let numkeys = numkeys.ok_or_else(CommandError::numkeys_not_positive)? as usize;
    if numkeys > args.len() - 2 {
        return Err(CommandError::more_keys_than_arguments());
    }
    let mut limit = 0;
    let mut i = 2 + numkeys;
    while let Some(word) = args.try_get(i) {
        let Some(value) = args.try_get(i + 1).filter(|_| word.eq_ignore_ascii_case(b"limit")) else {
            return Err(CommandError::Syntax);
        };
        let number = parse_integer(value).and_then(|limit| usize::try_from(limit).ok());
        limit = number.ok_or_else(CommandError::negative_limit)?;
        i += 2;
    }
    let sources = Sources::find(cx, args, 2, 2 + numkeys)?;
    let mut count = 0;
    if let Some(sets) = sources.all(&cx.keys) {
        set::intersect(&sets, &mut |_| {
            count += 1;
            count != limit
        });
    }
    reply.integer(count as i64);
    Ok(())
}

/// SINTERSTORE destination key [key ...]
pub(super) fn sinterstore(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let sources = Sources::find(cx, args, 2, args.len())?;
    let result = match sources.all(&cx.keys) {
        Some(sets) => set::intersection(&sets, &cx.limits.set),
        None => Set::new(),
    };
    store_result(cx, args, result, reply)
}

/// SUNION key [key ...]
pub(super) fn sunion(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let union = Sources::find(cx, args, 1, args.len())?.union(cx);
    say_all(reply, &union);
    Ok(())
}

/// SUNIONSTORE destination key [key ...]
pub(super) fn sunionstore(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let union = Sources::find(cx, args, 2, args.len())?.union(cx);
    store_result(cx, args, union, reply)
}

/// SDIFF key [key ...]: what is in the first set only.
pub(super) fn sdiff(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let difference = Sources::find(cx, args, 1, args.len())?.difference(cx);
    say_all(reply, &difference);
    Ok(())
}

/// SDIFFSTORE destination key [key ...]
pub(super) fn sdiffstore(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let difference = Sources::find(cx, args, 2, args.len())?.difference(cx);
    store_result(cx, args, difference, reply)
}

/// The keys of sets, each of which was found to be a set or not to be there.
struct Sources<'k> {
    keys: Vec<Key<'k>>,
}

impl<'k> Sources<'k> {
    /// Looks up the keys among these arguments, in order.
    fn find(cx: &mut Exec, args: Args<'k>, first: usize, end: usize) -> Result<Sources<'k>, CommandError> {
        let mut keys = Vec::with_capacity(end - first);
        for i in first..end {
            let key = cx.key(args, i);
            cx.keys.read::<SetRef>(&key)?;
            keys.push(key);
        }
        Ok(Sources { keys })
    }

    /// The sets, `None` for a key that is not there.
    fn each<'a>(&'a self, keys: &'a View<'a>) -> impl Iterator<Item = Option<SetRef<'a>>> + 'a {
        self.keys.iter().map(|key| keys.peek(key).map(Entry::value).and_then(SetRef::of))
    }

    /// All sets, unless one of the keys is not there.
    fn all<'a>(&'a self, keys: &'a View<'a>) -> Option<Vec<SetRef<'a>>> {
        self.each(keys).collect()
    }

    fn union(&self, cx: &Exec) -> Set {
        let sets: Vec<SetRef> = self.each(&cx.keys).flatten().collect();
        set::union(&sets, &cx.limits.set)
    }

    fn difference(&self, cx: &Exec) -> Set {
        let mut sets = self.each(&cx.keys);
        let Some(first) = sets.next().flatten() else { return Set::new() };
        // Nothing is left of a set without itself.
        if self.keys[1..].iter().any(|key| key.bytes == self.keys[0].bytes) {
            return Set::new();
        }
        let others: Vec<SetRef> = sets.flatten().collect();
        set::difference(first, &others, &cx.limits.set)
    }
}

fn say_all(reply: &mut Reply, set: &Set) {
    reply.set(set.len());
    set.as_ref().iter().for_each(|item| say(reply, item));
}

/// Stores a result under the first key, whatever was there, and tells how many members it has.
fn store_result(cx: &mut Exec, args: Args, result: Set, reply: &mut Reply) -> Outcome {
    let key = cx.key(args, 1);
    let len = result.len();
    if len > 0 {
        store(cx, &key, result, ExpiryChange::Clear);
        cx.changed(1);
    } else {
        let removed = cx.keys.remove(&key);
        cx.changed(removed.into());
    }
    reply.integer(len as i64);
    Ok(())
}
