//! Set commands. `datatypes::set` picks and converts the encoding; here we read the arguments, call it, record
//! what changed, and word the reply.
//!
//! Members added, removed, asked for and moved are here, with the table of all; `set/algebra.rs` has what combines
//! several sets, `set/random.rs` what chooses members at random.
//!
//! 1. A command that changes nothing writes nothing: the first member that makes a difference is looked for before
//!    the set is touched, since a touched set ends the transactions of those who WATCH it.
//! 2. Keys of several sets are read one after the other first, as Redis looks them up (counted, touched, expired,
//!    refused if another type is met), and only then borrowed all at once.
//! 3. A set that a ..STORE command made takes the place of whatever was there, and has no expiry.

mod algebra;
mod random;
#[cfg(test)]
mod tests;

use crate::scan::collection::{self, NoValues, Options, Page};
use crate::table::{at, through, Begin, Categories, Command, Find, Flags, KeySpec};
use crate::{CommandError, Exec};
use datatypes::listpack::Item;
use datatypes::set::{Limits, Set, SetRef};
use keyspace::{ExpiryChange, Key, OwnedValue, ValueType};
use resp::{Args, Reply};

type Outcome = Result<(), CommandError>;

const SET: Categories = Categories::SET;
const READONLY: Flags = Flags::READONLY;
const WRITE: Flags = Flags::WRITE;
const DENYOOM: Flags = Flags::DENYOOM;
const FAST: Flags = Flags::FAST;

/// One set, whose members are answered.
const READ: &[KeySpec] = &[at(1, &["RO", "access"])];
/// One set, of which something is said.
const ASKED: &[KeySpec] = &[at(1, &["RO"])];
const READ_ALL: &[KeySpec] = &[through(1, -1, 1, &["RO", "access"])];
const STORED: &[KeySpec] = &[at(1, &["OW", "update"]), through(2, -1, 1, &["RO", "access"])];
const COUNTED: &[KeySpec] = &[KeySpec {
    flags: &["RO", "access"],
    begin: Begin::Index(1),
    find: Find::KeyNum { at: 0, first: 1, step: 1 },
    notes: None,
}];

const ANY_ORDER: &[&str] = &["nondeterministic_output_order"];
const ANY_OUTPUT: &[&str] = &["nondeterministic_output"];

pub const TABLE: &[Command] = &[
    Command::new("sadd", sadd)
        .arity(-3)
        .keys(&[at(1, &["RW", "insert"])])
        .flags(&[WRITE, DENYOOM, FAST])
        .acl(SET),
    Command::new("scard", scard).arity(2).keys(ASKED).flags(&[READONLY, FAST]).acl(SET),
    Command::new("sdiff", algebra::sdiff)
        .arity(-2)
        .keys(READ_ALL)
        .flags(&[READONLY])
        .acl(SET)
        .tips(ANY_ORDER),
    Command::new("sdiffstore", algebra::sdiffstore).arity(-3).keys(STORED).flags(&[WRITE, DENYOOM]).acl(SET),
    Command::new("sinter", algebra::sinter)
        .arity(-2)
        .keys(READ_ALL)
        .flags(&[READONLY])
        .acl(SET)
        .tips(ANY_ORDER),
    Command::new("sintercard", algebra::sintercard).arity(-3).keys(COUNTED).flags(&[READONLY]).acl(SET),
    Command::new("sinterstore", algebra::sinterstore)
        .arity(-3)
        .keys(&[at(1, &["RW", "update"]), through(2, -1, 1, &["RO", "access"])])
        .flags(&[WRITE, DENYOOM])
        .acl(SET),
    Command::new("sismember", sismember).arity(3).keys(ASKED).flags(&[READONLY, FAST]).acl(SET),
    Command::new("smembers", smembers).arity(2).keys(READ).flags(&[READONLY]).acl(SET).tips(ANY_ORDER),
    Command::new("smismember", smismember).arity(-3).keys(READ).flags(&[READONLY, FAST]).acl(SET),
    Command::new("smove", smove)
        .arity(4)
        .keys(&[at(1, &["RW", "access", "delete"]), at(2, &["RW", "insert"])])
        .flags(&[WRITE, FAST])
        .acl(SET),
    Command::new("spop", random::spop)
        .arity(-2)
        .keys(&[at(1, &["RW", "access", "delete"])])
        .flags(&[WRITE, FAST])
        .acl(SET)
        .tips(ANY_OUTPUT),
    Command::new("srandmember", random::srandmember)
        .arity(-2)
        .keys(READ)
        .flags(&[READONLY])
        .acl(SET)
        .tips(ANY_OUTPUT),
    Command::new("srem", srem).arity(-3).keys(&[at(1, &["RW", "delete"])]).flags(&[WRITE, FAST]).acl(SET),
    Command::new("sscan", sscan).arity(-3).keys(READ).flags(&[READONLY]).acl(SET).tips(ANY_OUTPUT),
    Command::new("sunion", algebra::sunion)
        .arity(-2)
        .keys(READ_ALL)
        .flags(&[READONLY])
        .acl(SET)
        .tips(ANY_ORDER),
    Command::new("sunionstore", algebra::sunionstore)
        .arity(-3)
        .keys(STORED)
        .flags(&[WRITE, DENYOOM])
        .acl(SET),
];

/// SADD key member [member ...]: how many were none before.
fn sadd(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let key = cx.key(args, 1);
    let (limits, members) = (&cx.limits.set, args.from(2));
    let mut set = cx.keys.edit::<Set>(&key)?;
    // All members before this one are there already.
    let mut first_new = 0;
    if !set.was_there() {
        *set = Set::for_members(members.get(0), members.len(), limits);
    } else {
        if announces_large(set.as_ref(), members.len(), limits) {
            set.expect(members.len(), limits);
        }
        first_new = members.iter().take_while(|member| set.as_ref().contains(member)).count();
    }
    let mut added = 0;
    if first_new < members.len() {
        let set = &mut *set;
        added = members.from(first_new).iter().filter(|member| set.add(member, limits)).count();
    }
    drop(set);
    cx.changed(added as u64);
    reply.integer(added as i64);
    Ok(())
}

/// Whether [`Set::expect`] would convert a set.
fn announces_large(set: SetRef, count: usize, limits: &Limits) -> bool {
    match set {
        SetRef::Intset(_) => count > limits.intset_entries,
        SetRef::Listpack(_) => count > limits.listpack_entries,
        SetRef::Large(_) => false,
    }
}

/// SREM key member [member ...]: how many were members.
fn srem(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let key = cx.key(args, 1);
    let members = args.from(2);
    let mut set = cx.keys.edit::<Set>(&key)?;
    let mut removed = 0;
    if let Some(first) = members.iter().position(|member| set.as_ref().contains(member)) {
        let set = &mut *set;
        for member in members.from(first).iter() {
            removed += usize::from(set.remove(member));
            if set.is_empty() {
                break;
            }
        }
    }
    drop(set);
    cx.changed(removed as u64);
    reply.integer(removed as i64);
    Ok(())
}

/// SISMEMBER key member
fn sismember(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let key = cx.key(args, 1);
    let there = cx.keys.read::<SetRef>(&key)?.is_some_and(|set| set.contains(args.get(2)));
    reply.integer(there.into());
    Ok(())
}

/// SMISMEMBER key member [member ...]: of each, whether it is one.
fn smismember(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let key = cx.key(args, 1);
    let set = cx.keys.read::<SetRef>(&key)?;
    let members = args.from(2);
    reply.array(members.len());
    for member in members.iter() {
        reply.integer(set.is_some_and(|set| set.contains(member)).into());
    }
    Ok(())
}

/// SCARD key
fn scard(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let key = cx.key(args, 1);
    reply.integer(cx.keys.read::<SetRef>(&key)?.map_or(0, SetRef::len) as i64);
    Ok(())
}

/// SMEMBERS key
fn smembers(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let key = cx.key(args, 1);
    match cx.keys.read::<SetRef>(&key)? {
        Some(set) => {
            reply.set(set.len());
            set.iter().for_each(|item| say(reply, item));
        }
        None => reply.set(0),
    }
    Ok(())
}

/// SMOVE source destination member: whether it was in the source.
fn smove(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let (source, destination, member) = (cx.key(args, 1), cx.key(args, 2), args.get(3));
    let limits = &cx.limits.set;
    let is_misfit = cx.keys.peek(&destination).is_some_and(|entry| entry.value_type() != ValueType::Set);
    let mut from = cx.keys.edit::<Set>(&source)?;
    if !from.was_there() {
        // Then Redis does not mind what the destination holds.
        reply.integer(0);
        return Ok(());
    }
    if is_misfit {
        return Err(CommandError::WrongType);
    }
    let there = from.as_ref().contains(member);
    if !there || source.bytes == destination.bytes {
        reply.integer(there.into());
        return Ok(());
    }
    from.remove(member);
    drop(from);
    let mut to = cx.keys.edit::<Set>(&destination)?;
    let is_new = !to.as_ref().contains(member);
    if !to.was_there() {
        *to = Set::for_members(member, 1, limits);
    }
    if is_new {
        to.add(member, limits);
    }
    drop(to);
    // Redis counts each of the two keys that changed.
    cx.changed(1 + u64::from(is_new));
    reply.integer(1);
    Ok(())
}

/// SSCAN key cursor [MATCH pattern] [COUNT count]
fn sscan(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let cursor = collection::cursor(args)?;
    let key = cx.key(args, 1);
    let Some(set) = cx.keys.read::<SetRef>(&key)? else {
        collection::nothing(reply);
        return Ok(());
    };
    let options = Options::read(args, NoValues::Unknown)?;
    let mut page = Page::new();
    let next = set.scan(cursor, options.count, &mut |item| {
        item.with_bytes(|member| {
            if options.wants(member) {
                page.push(member);
            }
        })
    });
    page.answer(next, reply);
    Ok(())
}

/// A member as an element of the reply.
fn say(reply: &mut Reply, item: Item) {
    match item {
        Item::Int(number) => reply.bulk_integer(number),
        Item::Str(member) => reply.bulk(member),
    }
}

/// Stores a whole set over whatever is there, which is freed step by step if it is large.
fn store(cx: &mut Exec, key: &Key, set: Set, expiry: ExpiryChange) {
    let mut bytes = Vec::new();
    cx.keys.set(key, OwnedValue::of(set).into_new(&mut bytes), expiry);
}
