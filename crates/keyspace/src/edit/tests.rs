//! Collections under keys, held against plain ones, through every way in which a record is handled.

use super::*;
use crate::{Access, Keyspace, Setup, Touched, View};
use datatypes::list::{End, Limits, List, ListRef};
use datatypes::set::Set;
use std::collections::{BTreeMap, VecDeque};

const LIMITS: Limits = Limits { listpack_size: -1, plain_from: 1 << 30 };

fn keyspace(core: u8) -> Keyspace {
    Keyspace::new(Setup { core, cores: 2, databases: 2, hash_seed: 5 })
}

fn view(keys: &mut Keyspace) -> View<'_> {
    View::new(keys, 0, 1_000, Access::default())
}

fn random(state: &mut u64, bound: u64) -> u64 {
    *state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
    (*state >> 33) % bound
}

fn elements(list: ListRef<'_>) -> Vec<Vec<u8>> {
    list.iter().map(|item| item.to_bytes().into_owned()).collect()
}

/// Lists that grow beyond their record and shrink back to nothing, moved, copied, lent and given expiries.
#[test]
fn lists_agree_with_plain_ones() {
    let mut state = 7;
    let (mut keys, mut other) = (keyspace(0), keyspace(1));
    let mut model = BTreeMap::<String, (VecDeque<Vec<u8>>, Option<u64>)>::new();
    for step in 0..if cfg!(miri) { 300 } else { 30_000 } {
        let name = format!("k{}", random(&mut state, 12));
        let second = format!("k{}", random(&mut state, 12));
        let mut view = view(&mut keys);
        let key = view.locate(name.as_bytes());
        match random(&mut state, 12) {
            0..=4 => {
                let value = vec![b'a' + (step % 26) as u8; 1 + random(&mut state, 300) as usize];
                let mut list = view.edit::<List>(&key).unwrap();
                list.push([&value[..]].into_iter(), End::Back, &LIMITS);
                let there = model.contains_key(&name);
                assert_eq!(list.store(), if there { Stored::Changed } else { Stored::Made });
                model.entry(name).or_default().0.push_back(value);
            }
            5..=8 => {
                let mut list = view.edit::<List>(&key).unwrap();
                for _ in 0..1 + random(&mut state, 4) {
                    let popped = list.pop(End::Front, &LIMITS, |item| item.to_bytes().into_owned());
                    let expected = model.get_mut(&name).and_then(|(list, _)| list.pop_front());
                    assert_eq!(popped, expected);
                }
                drop(list);
                model.retain(|_, (list, _)| !list.is_empty());
            }
            9 => {
                let expiry = (random(&mut state, 2) == 0).then_some(5_000);
                assert_eq!(view.set_expiry(&key, expiry), model.contains_key(&name));
                if let Some((_, at)) = model.get_mut(&name) {
                    *at = expiry;
                }
            }
            10 => {
                let target = view.locate(second.as_bytes());
                if let Some(record) = view.peek(&key).map(|entry| entry.to_owned_record()) {
                    view.put(&target, record);
                    model.insert(second, model[&name].clone());
                }
            }
            _ => {
                let record = view.take(&key);
                assert_eq!(record.is_some(), model.contains_key(&name));
                let target = view.locate(second.as_bytes());
                if let Some(record) = record {
                    view.put(&target, record);
                    let moved = model.remove(&name).unwrap();
                    model.insert(second, moved);
                }
            }
        }
        if step % 50 == 0 {
            // All slots through the other core, which changes one of the lists.
            let lent: Vec<_> = slot::Slot::all().map(|slot| keys.detach(slot)).collect();
            lent.into_iter().for_each(|slot| other.attach(slot));
            if let Some((name, (list, _))) = model.iter_mut().next() {
                let mut view = self::view(&mut other);
                let key = view.locate(name.as_bytes());
                view.edit::<List>(&key).unwrap().push([&b"there"[..]].into_iter(), End::Front, &LIMITS);
                list.push_front(b"there".to_vec());
            }
            let back: Vec<_> = slot::Slot::all().map(|slot| other.detach(slot)).collect();
            back.into_iter().for_each(|slot| keys.attach(slot));
            other.take_foreign_frees().for_each(|chain| keys.give_back(chain));
            keys.defragment(10_000, |_| true);
        }
        for (name, (expected, expiry)) in &model {
            let view = self::view(&mut keys);
            let entry = view.peek(&view.locate(name.as_bytes())).expect("the model has it");
            let crate::ValueRef::List(list) = entry.value() else { panic!("a list is a list") };
            assert_eq!(entry.expiry(), *expiry);
            assert!(elements(list).iter().eq(expected));
        }
        assert_eq!(keys.len(0), model.len());
    }
    assert!(keys.memory().large + other.memory().large > 0, "some list is large");
    let chains: Vec<_> = keys.dismantle().into_iter().chain(other.dismantle()).collect();
    for chain in chains {
        if chain.owner() == 0 { &mut keys } else { &mut other }.give_back(chain);
    }
    while keys.background(1000) || other.background(1000) {}
    assert_eq!(keys.memory().used + other.memory().used, 0);
}

#[test]
fn a_key_of_another_type_is_refused_and_left_alone() {
    let mut keys = keyspace(0);
    let mut view = view(&mut keys);
    let key = view.locate(b"k");
    view.edit::<List>(&key).unwrap().push([&b"1"[..]].into_iter(), End::Back, &LIMITS);
    assert_eq!(view.edit::<Set>(&key).err(), Some(WrongType));
    assert!(view.read::<datatypes::set::SetRef>(&key).is_err());
    assert_eq!(view.read::<ListRef>(&key).unwrap().map(elements), Some(vec![b"1".to_vec()]));
    view.set(&key, NewValue::Copy(b"text", Default::default()), crate::ExpiryChange::Keep);
    assert_eq!(view.edit::<List>(&key).err(), Some(WrongType));
}

#[test]
fn what_is_only_looked_at_makes_and_changes_nothing() {
    let mut keys = keyspace(0);
    let mut view = view(&mut keys);
    let key = view.locate(b"k");
    assert_eq!(view.edit::<List>(&key).unwrap().store(), Stored::Unchanged);
    assert_eq!(view.edit::<datatypes::stream::Stream>(&key).unwrap().store(), Stored::Unchanged);
    assert!(view.peek(&key).is_none());
    let mut list = view.edit::<List>(&key).unwrap();
    assert!(list.pop(End::Back, &LIMITS, |_| ()).is_none());
    assert_eq!(list.store(), Stored::Unchanged);
    let long = vec![b'x'; 9_000];
    view.edit::<List>(&key).unwrap().push([&long[..], &long[..]].into_iter(), End::Back, &LIMITS);
    let before = view.keyspace().memory();
    assert_eq!(view.edit::<List>(&key).unwrap().store(), Stored::Unchanged);
    assert_eq!(view.keyspace().memory(), before);
    let mut list = view.edit::<List>(&key).unwrap();
    while list.pop(End::Back, &LIMITS, |_| ()).is_some() {}
    assert_eq!(list.store(), Stored::Removed);
    assert!(view.peek(&key).is_none());
}

/// A huge collection goes in steps, whatever let it go.
#[test]
fn large_collections_are_freed_in_steps() {
    let mut keys = keyspace(0);
    let fill = |keys: &mut Keyspace| {
        let mut view = view(keys);
        let key = view.locate(b"k");
        let mut set = view.edit::<Set>(&key).unwrap();
        let limits = datatypes::set::Limits::with_seed(5);
        for n in 0..200_000u32 {
            set.add(format!("member {n}").as_bytes(), &limits);
        }
    };
    for way in 0..3 {
        fill(&mut keys);
        assert!(keys.memory().large > 1 << 20);
        let mut view = view(&mut keys);
        let key = view.locate(b"k");
        match way {
            0 => assert!(view.remove(&key)),
            1 => drop(view.set(&key, NewValue::Copy(b"v", Default::default()), crate::ExpiryChange::Clear)),
            _ => view.keyspace().flush_all(),
        }
        let mut steps = 0;
        while keys.background(1) {
            steps += 1;
        }
        assert!(steps > 5, "{steps} steps");
        keys.flush_all();
        while keys.background(1_000) {}
        assert_eq!(keys.memory().used, 0);
    }
}

#[test]
fn watched_slots_tell_what_was_touched_also_from_another_core() {
    let (mut keys, mut other) = (keyspace(0), keyspace(1));
    let touched = |db: u16, name: &[u8]| Touched { db, slot: slot::slot_of(name), key: name.to_vec() };
    let push = |keys: &mut Keyspace, name: &[u8]| {
        let mut view = view(keys);
        let key = view.locate(name);
        view.edit::<List>(&key).unwrap().push([&b"1"[..]].into_iter(), End::Back, &LIMITS);
    };
    keys.watch_slot(slot::slot_of(b"a"), true);
    keys.watch_slot(slot::slot_of(b"b"), true);
    push(&mut keys, b"x");
    assert!(!keys.has_touched());
    push(&mut keys, b"b");
    push(&mut keys, b"a");
    push(&mut keys, b"a");
    assert!(view(&mut keys).locate(b"b").place.slot == slot::slot_of(b"b"));
    assert_eq!(keys.take_touched(|_| true), [touched(0, b"b"), touched(0, b"a")]);
    // RENAME's way: taken from one key, put under another.
    let mut both = view(&mut keys);
    let (x, b) = (both.locate(b"x"), both.locate(b"b"));
    let record = both.take(&x).unwrap();
    both.put(&b, record);
    let lent = keys.detach(slot::slot_of(b"b"));
    assert!(!keys.has_touched());
    other.attach(lent);
    assert_eq!(other.take_touched(|_| true), [touched(0, b"b")]);
    push(&mut other, b"b");
    keys.attach(other.detach(slot::slot_of(b"b")));
    assert!(!other.has_touched());
    assert_eq!(keys.take_touched(|_| true), [touched(0, b"b")]);
    keys.watch_slot(slot::slot_of(b"b"), false);
    push(&mut keys, b"b");
    assert!(!keys.has_touched());
    let _ = keys.dismantle();
}
