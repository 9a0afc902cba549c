//! Hashes beside a `BTreeMap`, with limits so low that every threshold is crossed, while time goes on.

use super::*;
use crate::long_double;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const LIMITS: Limits = Limits { listpack_entries: 8, listpack_value: 6, hash_seed: 77 };

fn numbers(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}

/// What should be there: the expired are removed at once.
#[derive(Clone, Default)]
struct Model {
    fields: BTreeMap<Vec<u8>, (Vec<u8>, Option<u64>)>,
}

impl Model {
    fn expire(&mut self, now_ms: u64) {
        self.fields.retain(|_, (_, expiry)| expiry.is_none_or(|at| at >= now_ms));
    }
}

type Pairs = BTreeMap<Vec<u8>, Vec<u8>>;

fn pairs(hash: &Hash, now_ms: u64) -> Pairs {
    let all: Vec<_> = hash
        .as_ref()
        .iter(now_ms)
        .map(|(field, value)| (field.to_bytes().into_owned(), value.to_bytes().into_owned()))
        .collect();
    let map: Pairs = all.iter().cloned().collect();
    assert_eq!(map.len(), all.len(), "no field is iterated twice");
    map
}

/// What every hash holds to.
fn check(hash: &Hash) {
    assert_eq!(hash.as_ref().entries().count(), hash.len());
    let expiries: Vec<Option<u64>> = hash.as_ref().entries().map(|entry| entry.expiry).collect();
    assert_eq!(hash.as_ref().next_expiry(), expiries.iter().flatten().min().copied());
    match hash {
        Hash::Large(large) => {
            let expiring = expiries.iter().flatten().count();
            assert_eq!(large.expiries.is_some(), expiring > 0);
        }
        _ => {
            assert!(hash.len() <= LIMITS.listpack_entries);
            let longest = hash.as_ref().entries().map(|entry| entry.field.len().max(entry.value.len())).max();
            assert!(longest.unwrap_or(0) <= LIMITS.listpack_value);
            // None is the latest.
            assert!(expiries.is_sorted_by_key(|expiry| expiry.unwrap_or(u64::MAX)));
        }
    }
}

fn field() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => (0u8..10).prop_map(|n| n.to_string().into_bytes()),
        6 => (0u8..60).prop_map(|n| format!("f{n}").into_bytes()),
        1 => Just(b"a field of more bytes".to_vec()),
        1 => Just(Vec::new()),
    ]
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => (-50i64..1000).prop_map(|n| n.to_string().into_bytes()),
        1 => any::<i64>().prop_map(|n| n.to_string().into_bytes()),
        2 => prop::collection::vec(any::<u8>(), 0..6),
        1 => prop::collection::vec(any::<u8>(), 6..8),
    ]
}

#[derive(Clone, Debug)]
enum Step {
    Set(Vec<u8>, Vec<u8>),
    SetWith(Vec<u8>, Vec<u8>, Option<u64>),
    SetMany(Vec<(Vec<u8>, Vec<u8>)>),
    Remove(Vec<u8>),
    Increment(Vec<u8>, i64),
    IncrementFloat(Vec<u8>),
    Expire(Vec<u8>, u64, Condition),
    Persist(Vec<u8>),
    Wait(u64),
    Reap(usize),
    Sample(usize, u64),
}

fn condition() -> impl Strategy<Value = Condition> {
    prop_oneof![
        3 => Just(Condition::Always),
        1 => Just(Condition::IfNone),
        1 => Just(Condition::IfSome),
        1 => Just(Condition::IfLater),
        1 => Just(Condition::IfEarlier),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (field(), value()).prop_map(|(f, v)| Step::Set(f, v)),
        2 => (field(), value(), prop::option::of(1u64..50)).prop_map(|(f, v, e)| Step::SetWith(f, v, e)),
        1 => prop::collection::vec((field(), value()), 1..12).prop_map(Step::SetMany),
        5 => field().prop_map(Step::Remove),
        3 => (field(), prop_oneof![-5i64..5, any::<i64>()]).prop_map(|(f, by)| Step::Increment(f, by)),
        1 => field().prop_map(Step::IncrementFloat),
        5 => (field(), 0u64..60, condition()).prop_map(|(f, after, c)| Step::Expire(f, after, c)),
        2 => field().prop_map(Step::Persist),
        3 => (0u64..20).prop_map(Step::Wait),
        2 => (0usize..4).prop_map(Step::Reap),
        1 => (0usize..12, any::<u64>()).prop_map(|(count, seed)| Step::Sample(count, seed)),
    ]
}

fn expire(model: &mut Model, field: &[u8], at: u64, condition: Condition, now: u64) -> ExpirySet {
    let Some((_, expiry)) = model.fields.get_mut(field) else { return ExpirySet::NoField };
    let met = match condition {
        Condition::Always => true,
        Condition::IfNone => expiry.is_none(),
        Condition::IfSome => expiry.is_some(),
        Condition::IfLater => at > expiry.unwrap_or(u64::MAX),
        Condition::IfEarlier => at < expiry.unwrap_or(u64::MAX),
    };
    if !met {
        return ExpirySet::NotMet;
    }
    if at <= now {
        model.fields.remove(field);
        return ExpirySet::Deleted;
    }
    *expiry = Some(at);
    ExpirySet::Set
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_hash_does_what_a_map_does(steps in prop::collection::vec(step(), 1..120)) {
        let mut hash = Hash::new();
        let mut model = Model::default();
        let mut now = 1_700_000_000_000;
        for step in steps {
            match step {
                Step::Set(f, v) => {
                    let new = hash.set(&f, &v, SetExpiry::End, now, &LIMITS);
                    prop_assert_eq!(new, model.fields.insert(f, (v, None)).is_none());
                }
                Step::SetWith(f, v, expiry) => {
                    let (set, kept) = match expiry {
                        Some(after) => (SetExpiry::At(now + after), Some(now + after)),
                        None => (SetExpiry::Keep, model.fields.get(&f).and_then(|(_, expiry)| *expiry)),
                    };
                    let new = hash.set(&f, &v, set, now, &LIMITS);
                    prop_assert_eq!(new, model.fields.insert(f, (v, kept)).is_none());
                }
                Step::SetMany(many) => {
                    hash.expect(many.iter().flat_map(|(f, v)| [&f[..], &v[..]]), &LIMITS);
                    for (f, v) in many {
                        let new = hash.set(&f, &v, SetExpiry::End, now, &LIMITS);
                        prop_assert_eq!(new, model.fields.insert(f, (v, None)).is_none());
                    }
                }
                Step::Remove(f) => prop_assert_eq!(hash.remove(&f, now), model.fields.remove(&f).is_some()),
                Step::Increment(f, by) => {
                    let (old, expiry) = model.fields.get(&f).cloned().unwrap_or((b"0".to_vec(), None));
                    let expected = match crate::parse_i64(&old) {
                        None => Err(IncrementError::NotAnInteger),
                        Some(old) => old.checked_add(by).ok_or(IncrementError::Overflow),
                    };
                    prop_assert_eq!(hash.increment(&f, by, now, &LIMITS), expected);
                    if let Ok(sum) = expected {
                        model.fields.insert(f, (sum.to_string().into_bytes(), expiry));
                    }
                }
                Step::IncrementFloat(f) => {
                    let (old, expiry) = model.fields.get(&f).cloned().unwrap_or((b"0".to_vec(), None));
                    let expected = long_double::increment_float(&old, b"0.5");
                    prop_assert_eq!(hash.increment_float(&f, b"0.5", now, &LIMITS), expected.clone());
                    if let Ok(sum) = expected {
                        model.fields.insert(f, (sum, expiry));
                    }
                }
                Step::Expire(f, after, condition) => {
                    // Some of them in the past.
                    let at = now + after - 5;
                    let expected = expire(&mut model, &f, at, condition, now);
                    prop_assert_eq!(hash.set_expiry(&f, at, condition, now), expected);
                }
                Step::Persist(f) => {
                    let expected = match model.fields.get_mut(&f) {
                        None => Persisted::NoField,
                        Some((_, expiry)) => match expiry.take() {
                            Some(_) => Persisted::Done,
                            None => Persisted::NoExpiry,
                        },
                    };
                    prop_assert_eq!(hash.persist(&f, now), expected);
                }
                Step::Wait(ms) => {
                    now += ms;
                    model.expire(now);
                }
                Step::Reap(limit) => {
                    let before = hash.len();
                    let overdue = before - model.fields.len();
                    let mut told = BTreeSet::new();
                    let removed = hash.expire_fields(now, limit, &mut |field| {
                        told.insert(field.to_vec());
                    });
                    prop_assert_eq!(removed, overdue.min(limit));
                    prop_assert_eq!(told.len(), removed);
                    prop_assert_eq!(hash.len(), before - removed);
                    prop_assert!(told.iter().all(|field| !model.fields.contains_key(field)));
                }
                Step::Sample(count, seed) => {
                    let mut told = Pairs::new();
                    hash.as_ref().sample(count, now, &mut numbers(seed), &mut |field, value| {
                        let new = told.insert(field.to_bytes().into_owned(), value.to_bytes().into_owned());
                        assert!(new.is_none());
                    });
                    prop_assert_eq!(told.len(), model.fields.len().min(count));
                    prop_assert!(told.iter().all(|(f, v)| model.fields.get(f).is_some_and(|(value, _)| value == v)));
                    let random = hash.as_ref().random(now, &mut numbers(seed));
                    prop_assert_eq!(random.is_some(), !model.fields.is_empty());
                    prop_assert!(random.is_none_or(|(f, _)| model.fields.contains_key(&*f.to_bytes())));
                }
            }
            check(&hash);
            let expected: Pairs = model.fields.iter().map(|(f, (v, _))| (f.clone(), v.clone())).collect();
            prop_assert_eq!(pairs(&hash, now), expected);
            for (f, (v, expiry)) in &model.fields {
                prop_assert!(hash.as_ref().get(f, now).is_some_and(|value| value.is(v)));
                prop_assert_eq!(hash.as_ref().expiry(f, now), Some(*expiry));
            }
            for f in [&b"1"[..], b"f1", b"nothing", b""] {
                prop_assert_eq!(hash.as_ref().contains(f, now), model.fields.contains_key(f));
            }
        }
        let (mut told, mut cursor) = (Pairs::new(), 0);
        loop {
            cursor = hash.as_ref().scan(cursor, 3, now, &mut |field, value| {
                told.insert(field.to_bytes().into_owned(), value.to_bytes().into_owned());
            });
            if cursor == 0 {
                break;
            }
        }
        prop_assert_eq!(told, pairs(&hash, now));
    }
}

fn hash_of(fields: usize) -> Hash {
    let mut hash = Hash::new();
    for n in 0..fields {
        hash.set(format!("f{n}").as_bytes(), b"v", SetExpiry::End, 0, &LIMITS);
    }
    hash
}

#[test]
fn encodings_change_where_redis_changes_them() {
    let encoding = |hash: &Hash| hash.as_ref().encoding();
    assert_eq!(encoding(&hash_of(8)), "listpack");
    assert_eq!(encoding(&hash_of(9)), "hashtable");
    let set = |field: &str, value: &str| {
        let mut hash = hash_of(1);
        hash.set(field.as_bytes(), value.as_bytes(), SetExpiry::End, 0, &LIMITS);
        encoding(&hash)
    };
    assert_eq!(set("sixsix", "sixsix"), "listpack");
    assert_eq!(set("sevense", "v"), "hashtable");
    assert_eq!(set("f0", "sevense"), "hashtable");
    let expect = |arguments: &[&str]| {
        let mut hash = hash_of(1);
        hash.expect(arguments.iter().map(|argument| argument.as_bytes()), &LIMITS);
        encoding(&hash)
    };
    assert_eq!(expect(&["a"; 16]), "listpack");
    assert_eq!(expect(&["a"; 18]), "hashtable");
    assert_eq!(expect(&["a", "sevense"]), "hashtable");

    let mut hash = hash_of(8);
    assert_eq!(hash.set_expiry(b"no", 50, Condition::Always, 10), ExpirySet::NoField);
    assert_eq!(encoding(&hash), "listpack");
    assert_eq!(hash.set_expiry(b"f3", 50, Condition::Always, 10), ExpirySet::Set);
    assert_eq!(encoding(&hash), "listpackex");
    assert_eq!(hash.persist(b"f3", 10), Persisted::Done);
    assert_eq!(encoding(&hash), "listpackex");
    hash.set(b"f9", b"v", SetExpiry::End, 10, &LIMITS);
    assert_eq!(encoding(&hash), "hashtable");
}

#[test]
fn triples_stand_in_the_order_of_their_expiries() {
    let mut hash = hash_of(5);
    let order = |hash: &Hash| -> Vec<(Vec<u8>, Option<u64>)> {
        hash.as_ref().entries().map(|entry| (entry.field.to_bytes().into_owned(), entry.expiry)).collect()
    };
    let of = |list: &[(&str, u64)]| -> Vec<(Vec<u8>, Option<u64>)> {
        list.iter().map(|(field, at)| (field.as_bytes().to_vec(), (*at != 0).then_some(*at))).collect()
    };
    hash.set_expiry(b"f3", 500, Condition::Always, 0);
    hash.set_expiry(b"f1", 300, Condition::Always, 0);
    hash.set_expiry(b"f4", 500, Condition::Always, 0);
    assert_eq!(order(&hash), of(&[("f1", 300), ("f3", 500), ("f4", 500), ("f0", 0), ("f2", 0)]));
    hash.persist(b"f1", 0);
    hash.set(b"f3", b"w", SetExpiry::End, 0, &LIMITS);
    hash.set(b"f4", b"w", SetExpiry::Keep, 0, &LIMITS);
    hash.set(b"f5", b"w", SetExpiry::At(400), 0, &LIMITS);
    assert_eq!(order(&hash), of(&[("f5", 400), ("f4", 500), ("f0", 0), ("f2", 0), ("f1", 0), ("f3", 0)]));
    // The bytes: a listpack of triples.
    let Hash::ListpackEx(bytes) = &hash else { panic!("it has expiries") };
    let items: Vec<_> =
        Listpack::new(bytes).iter().take(4).map(|item| item.to_bytes().into_owned()).collect();
    assert_eq!(items, [&b"f5"[..], b"w", b"400", b"f4"]);
}

#[test]
fn a_field_goes_after_its_last_millisecond() {
    for fields in [3, 30] {
        let mut hash = hash_of(fields);
        hash.set_expiry(b"f1", 100, Condition::Always, 0);
        assert!(hash.as_ref().contains(b"f1", 100));
        assert!(!hash.as_ref().contains(b"f1", 101));
        assert_eq!(hash.as_ref().expiry(b"f1", 101), None);
        assert_eq!((hash.len(), hash.as_ref().iter(101).count()), (fields, fields - 1));
        // A field set again is a new one, and its expiry is over.
        assert!(hash.set(b"f1", b"again", SetExpiry::Keep, 101, &LIMITS));
        assert_eq!(hash.as_ref().expiry(b"f1", 200), Some(None));
    }
}

#[test]
fn a_large_hash_in_which_all_fields_are_expired_has_no_random_one() {
    let mut hash = hash_of(100);
    for n in 0..100 {
        hash.set_expiry(format!("f{n}").as_bytes(), 100, Condition::Always, 0);
    }
    assert!(hash.as_ref().random(100, &mut numbers(1)).is_some());
    assert!(hash.as_ref().random(101, &mut numbers(1)).is_none());
    hash.set(b"f7", b"v", SetExpiry::End, 101, &LIMITS);
    for seed in 0..20 {
        let (field, _) = hash.as_ref().random(101, &mut numbers(seed)).expect("one is left");
        assert!(field.is(b"f7"));
    }
}

#[test]
fn large_hashes_account_for_their_memory() {
    let limits = Limits::with_seed(3);
    let mut hash = Hash::new();
    for n in 0..50_000 {
        let field = format!("field::{n:09}");
        hash.set(field.as_bytes(), field.as_bytes(), SetExpiry::End, 0, &limits);
    }
    let Hash::Large(mut large) = hash else { panic!("it is large") };
    let overhead = large.memory() as f64 / 50_000.0 - 32.0;
    assert!((5.0..18.0).contains(&overhead), "{overhead} bytes beyond field and value");
    let before = large.memory();
    large.set_expiry(b"field::000000001", Some(5));
    assert!(large.memory() > before + 16);
    for n in 0..1000 {
        large.set_expiry(format!("field::{n:09}").as_bytes(), Some(5 + n));
    }
    let mut steps = 0;
    while !large.dismantle(100) {
        steps += 1;
    }
    assert!(steps > 20, "{steps} steps");
    assert!(large.memory() < 100_000, "{}", large.memory());
}
