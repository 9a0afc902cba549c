//! What several sets have in common, all together, or one alone.
//!
//! Results have the encoding that Redis 7.2 gives the key of a ..STORE command, which depends on the way:
//!
//! 1. An intersection passes over the smallest set and begins in its encoding (a large one begins as a listpack);
//!    if all that remains are integers, it becomes an intset.
//! 2. A union, and a difference, begin as an intset and change as members are added.
//! 3. A difference either asks the other sets about each member of the first, or takes the members of the others
//!    out of a copy of the first, whichever promises less work; the copy keeps its encoding.
//!
//! A key that does not exist is a set without members; callers leave it out where that changes nothing.

use super::{Item, Limits, Set, SetRef};
use crate::{intset, listpack};

/// Tells what is in all of these sets, as long as `f` says to go on. No sets have nothing in common.
pub fn intersect(sets: &[SetRef<'_>], f: &mut dyn FnMut(Item<'_>) -> bool) {
    let mut sorted = sets.to_vec();
    sorted.sort_by_key(|set| set.len());
    let Some((smallest, others)) = sorted.split_first() else { return };
    for item in smallest.iter() {
        if others.iter().all(|set| set.contains_item(item)) && !f(item) {
            return;
        }
    }
}

/// What is in all of these sets, to be stored.
pub fn intersection(sets: &[SetRef<'_>], limits: &Limits) -> Set {
    let mut result = match sets.iter().min_by_key(|set| set.len()) {
        Some(SetRef::Listpack(_) | SetRef::Large(_)) => Set::Listpack(listpack::create()),
        Some(SetRef::Intset(_)) | None => Set::new(),
    };
    let mut only_integers = true;
    intersect(sets, &mut |item| {
        only_integers = only_integers && item.as_i64().is_some();
        result.add_item(item, limits);
        true
    });
    let becomes_intset = only_integers && !result.is_empty() && result.len() <= limits.most_integers();
    if becomes_intset && !matches!(result, Set::Intset(_)) {
        let mut numbers = intset::create();
        for item in result.as_ref().iter() {
            intset::add(&mut numbers, item.as_i64().expect("all members are integers"));
        }
        result = Set::Intset(numbers);
    }
    result
}

/// What is in any of these sets.
pub fn union(sets: &[SetRef<'_>], limits: &Limits) -> Set {
    let mut result = Set::new();
    for item in sets.iter().flat_map(|set| set.iter()) {
        result.add_item(item, limits);
    }
    result
}

/// What is in the first set and in none of the others.
pub fn difference(first: SetRef<'_>, others: &[SetRef<'_>], limits: &Limits) -> Set {
    let mut result = Set::new();
    let asking = first.len() * (others.len() + 1) / 2;
    let taking_out = first.len() + others.iter().map(|set| set.len()).sum::<usize>();
    if asking <= taking_out {
        let mut others = others.to_vec();
        // The largest is the likeliest to know.
        others.sort_by_key(|set| std::cmp::Reverse(set.len()));
        for item in first.iter().filter(|&item| !others.iter().any(|set| set.contains_item(item))) {
            result.add_item(item, limits);
        }
        return result;
    }
    for item in first.iter() {
        result.add_item(item, limits);
    }
    for item in others.iter().flat_map(|set| set.iter()) {
        if result.is_empty() {
            break;
        }
        item.with_bytes(|member| result.remove(member));
    }
    result
}
