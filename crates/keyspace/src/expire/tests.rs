//! Fields that expire, held against a plain model; the expiry of whole keys is in the keyspace's own tests.

use super::*;
use crate::{Access, Cursor, Expired, ExpiryChange, Form, NewValue, Setup, Touch, ValueRef, View};
use datatypes::hash::{Condition, ExpirySet, Limits, SetExpiry};
use std::collections::BTreeMap;

type Fields = BTreeMap<Vec<u8>, Option<u64>>;
/// Keys with their expiry and fields.
type Model = BTreeMap<Vec<u8>, (Option<u64>, Fields)>;

/// Keys that are gone, or fields of them.
type Removed = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// Nothing expires by access here, so that only the walk removes.
const SHOW: Access = Access { touch: Touch::Lru, expired: Expired::Show };

fn limits() -> Limits {
    Limits { listpack_entries: 8, listpack_value: 64, hash_seed: 3 }
}

fn keyspace(core: u8) -> Keyspace {
    Keyspace::new(Setup { core, cores: 2, databases: 2, hash_seed: 9 })
}

fn random(state: &mut u64, bound: u64) -> u64 {
    *state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
    (*state >> 33) % bound
}

/// Walks until it has been everywhere; what was removed, and in how many calls.
fn walk(keys: &mut Keyspace, now_ms: u64, budget: usize) -> (Removed, usize) {
    let (mut gone, mut calls) = (Vec::new(), 0);
    loop {
        let progress = keys.active_expire(
            now_ms,
            budget,
            |_| true,
            |_, _, what| match what {
                Gone::Key(key) => gone.push((key.to_vec(), None)),
                Gone::Fields { key, fields } => {
                    assert!(!fields.is_empty(), "what is due is removed");
                    gone.extend(fields.iter().map(|field| (key.to_vec(), Some(field.clone()))));
                }
            },
        );
        calls += 1;
        assert!(progress.steps <= 2 * budget + 2_000, "{} steps", progress.steps);
        if progress.done {
            return (gone, calls);
        }
    }
}

/// What is there, found by a scan. It must be what the model has, and the counts must be true.
fn check(keys: &Keyspace, model: &Model) {
    let (mut cursor, mut found, mut volatile) = (Cursor::START, Model::new(), 0);
    loop {
        cursor = keys.scan(0, cursor, 0..SLOTS, 100, |entry| {
            let ValueRef::Hash(hash) = entry.value() else { panic!("a hash") };
            volatile += usize::from(entry.expiry().is_some() || hash.next_expiry().is_some());
            let fields = hash.entries().map(|entry| (entry.field.to_bytes().into_owned(), entry.expiry));
            found.insert(entry.key().to_vec(), (entry.expiry(), fields.collect()));
        });
        if cursor == Cursor::START {
            break;
        }
    }
    assert_eq!(&found, model);
    assert_eq!(keys.volatile_len(0), volatile);
}

#[test]
fn hashes_lose_the_fields_that_expire_and_no_others() {
    for seed in 1..if cfg!(miri) { 2 } else { 20 } {
        let mut state = seed;
        let (mut keys, mut other) = (keyspace(0), keyspace(1));
        let (mut model, mut now) = (Model::new(), 1_000);
        for _ in 0..if cfg!(miri) { 200 } else { 3_000 } {
            let name = format!("{{t{}}}{}", random(&mut state, 2), random(&mut state, 8)).into_bytes();
            let field = format!("f{}", random(&mut state, 14)).into_bytes();
            let at = now + random(&mut state, 200);
            let mut view = View::new(&mut keys, 0, now, SHOW);
            let key = view.locate(&name);
            match random(&mut state, 20) {
                0..=5 => {
                    view.edit::<Hash>(&key).unwrap().set(&field, b"v", SetExpiry::End, 0, &limits());
                    model.entry(name).or_default().1.insert(field, None);
                }
                6..=9 => {
                    let mut hash = view.edit::<Hash>(&key).unwrap();
                    let there = model.get_mut(&name).and_then(|(_, fields)| fields.get_mut(&field));
                    let expected = if there.is_some() { ExpirySet::Set } else { ExpirySet::NoField };
                    assert_eq!(hash.set_expiry(&field, at, Condition::Always, 0), expected);
                    there.into_iter().for_each(|expiry| *expiry = Some(at));
                }
                10 => {
                    view.edit::<Hash>(&key).unwrap().persist(&field, 0);
                    let there = model.get_mut(&name).and_then(|(_, fields)| fields.get_mut(&field));
                    there.into_iter().for_each(|expiry| *expiry = None);
                }
                11 | 12 => {
                    view.edit::<Hash>(&key).unwrap().remove(&field, 0);
                    model.entry(name).or_default().1.remove(&field);
                    model.retain(|_, (_, fields)| !fields.is_empty());
                }
                13 => {
                    let expiry = (random(&mut state, 2) == 0).then_some(at);
                    view.set_expiry(&key, expiry);
                    model.entry(name).and_modify(|(old, _)| *old = expiry);
                }
                14 => {
                    view.remove(&key);
                    model.remove(&name);
                }
                15 => {
                    let to = format!("{{t0}}{}", random(&mut state, 8)).into_bytes();
                    if let Some(record) = view.take(&key) {
                        let to = view.locate(&to);
                        view.put(&to, record);
                    }
                    if let Some(value) = model.remove(&name) {
                        model.insert(to, value);
                    }
                }
                16 => {
                    other.attach(keys.detach(key.place.slot));
                    keys.attach(other.detach(key.place.slot));
                }
                _ => {
                    now += random(&mut state, 60);
                    let (gone, _) = walk(&mut keys, now, 1 + random(&mut state, 50) as usize);
                    let is_past = |at: Option<u64>| at.is_some_and(|at| at < now);
                    for (key, field) in gone {
                        let (expiry, fields) = model.get_mut(&key).expect("it was there");
                        match field {
                            None => {
                                assert!(is_past(*expiry));
                                model.remove(&key);
                            }
                            Some(field) => {
                                assert!(!is_past(*expiry), "the whole key goes");
                                assert!(is_past(fields.remove(&field).expect("it was there")));
                            }
                        }
                        model.retain(|_, (_, fields)| !fields.is_empty());
                    }
                    for (expiry, fields) in model.values() {
                        assert!(!is_past(*expiry) && !fields.values().any(|at| is_past(*at)), "none stays");
                    }
                    check(&keys, &model);
                }
            }
        }
        check(&keys, &model);
        keys.flush_all();
        assert_eq!(keys.volatile_len(0), 0);
    }
}

/// A large hash of so many fields, which expire at 1,000.
fn expiring(keys: &mut Keyspace, name: &[u8], fields: usize) {
    let mut view = View::new(keys, 0, 0, SHOW);
    let key = view.locate(name);
    let mut hash = view.edit::<Hash>(&key).unwrap();
    for i in 0..fields {
        hash.set(format!("f{i}").as_bytes(), b"v", SetExpiry::At(1_000), 0, &limits());
    }
}

#[test]
fn many_expired_fields_go_in_bounded_steps() {
    let mut keys = keyspace(0);
    expiring(&mut keys, b"{t}h", 10_000);
    expiring(&mut keys, b"{t}g", 3);
    assert_eq!(walk(&mut keys, 1_000, 100), (Vec::new(), 1), "not before their time is past");
    let (gone, calls) = walk(&mut keys, 1_001, 100);
    assert_eq!((gone.len(), keys.len(0), keys.volatile_len(0)), (10_003, 0, 0));
    assert!((400..=700).contains(&calls), "{calls} calls");
}

#[test]
fn a_hash_that_is_overwritten_is_volatile_no_more() {
    let mut keys = keyspace(0);
    expiring(&mut keys, b"large", 100);
    expiring(&mut keys, b"small", 2);
    assert_eq!(keys.volatile_len(0), 2);
    for name in [&b"large"[..], b"small"] {
        let mut view = View::new(&mut keys, 0, 0, SHOW);
        let key = view.locate(name);
        view.set(&key, NewValue::Copy(b"v", Form::Auto), ExpiryChange::Clear);
    }
    assert_eq!(keys.volatile_len(0), 0);
    assert_eq!(walk(&mut keys, 5_000, 100), (Vec::new(), 1));
    assert_eq!(keys.len(0), 2);
}
