//! The keyspace held against its naive twin, by random operations.

use crate::twin::Twin;
use crate::{
    locate_in, Access, AccessClock, Cursor, ExpiryChange, Form, Keyspace, NewValue, Replaced, Setup, Touch,
    View,
};
use slot::{Slot, SLOTS};
use std::collections::{BTreeMap, BTreeSet};

const SEED: u64 = 11;

fn keyspace(core: u8) -> Keyspace {
    Keyspace::new(Setup { core, cores: 2, databases: 2, hash_seed: SEED })
}

struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// Every key of a database by SCAN, each once.
fn scanned(keys: &Keyspace, db: u16, budget: usize) -> BTreeMap<Vec<u8>, (Vec<u8>, Option<u64>)> {
    let (mut cursor, mut all) = (Cursor::START, BTreeMap::new());
    loop {
        cursor = keys.scan(db, cursor, 0..SLOTS, budget, |entry| {
            let value = entry.string();
            let old = all.insert(entry.key().to_vec(), (value.bytes().to_vec(), entry.expiry()));
            assert!(old.is_none(), "a key is shown once");
        });
        if cursor == Cursor::START {
            return all;
        }
    }
}

fn insert(keys: &mut Keyspace, db: u16, key: &[u8], value: &[u8], expiry: Option<u64>) {
    let at = keys.locate(key);
    keys.insert(db, at, key, NewValue::Copy(value, Form::Auto), expiry, AccessClock::new(1));
}

/// Random operations on both, in `names` different names, most of them in one slot when `tagged`.
fn duel(seed: u64, steps: usize, names: u64, tagged: bool) {
    let (mut random, mut keys, mut twin) = (Random(seed | 1), keyspace(0), Twin::new(2));
    for step in 0..steps {
        let db = random.below(2) as u16;
        let n = random.below(names);
        let name =
            if tagged { format!("{{t}}{n}") } else { format!("key:{n}{}", "x".repeat((n % 40) as usize)) };
        let key = name.as_bytes();
        let at = locate_in(SEED, key);
        let len = match random.below(50) {
            0 => random.below(40_000),
            1..=5 => random.below(700),
            _ => random.below(40),
        };
        let value = vec![b'a' + (step % 26) as u8; len as usize];
        match random.below(10) {
            0..=4 => {
                let expiry = (random.below(3) == 0).then(|| random.below(1000));
                let (new, clock) = (NewValue::Copy(&value, Form::Auto), AccessClock::new(step as u32));
                let a = keys.insert(db, at, key, new.clone(), expiry, clock);
                assert_eq!(a, twin.insert(db, at, key, &new, expiry, clock));
            }
            5..=7 => assert_eq!(keys.remove(db, at, key), twin.remove(db, at, key).is_some()),
            8 => {
                let expiry = (random.below(2) == 0).then(|| random.below(1000));
                let there = twin.find_mut(db, at, key).map(|record| record.expiry = expiry).is_some();
                assert_eq!(keys.set_expiry(db, at, key, expiry), there);
            }
            _ => {
                let offset = random.below(100) as usize;
                let len = keys.write_range(db, at, key, offset, &value);
                let expected = twin.find_mut(db, at, key).map(|record| {
                    record.bytes.resize(record.bytes.len().max(offset + value.len()), 0);
                    record.bytes[offset..offset + value.len()].copy_from_slice(&value);
                    record.form = Form::Raw;
                    record.bytes.len()
                });
                assert_eq!(len, expected);
            }
        }
        match (keys.find(db, at, key), twin.find(db, at, key)) {
            (None, None) => {}
            (Some(entry), Some(record)) => {
                let string = entry.string();
                assert_eq!((entry.key(), string.bytes()), (key, &record.bytes[..]));
                assert_eq!(
                    (string.form(), entry.expiry(), entry.clock()),
                    (record.form, record.expiry, record.clock)
                );
            }
            (found, _) => panic!("{name} is {} there", if found.is_some() { "wrongly" } else { "not" }),
        }
        if step % 1000 == 0 {
            keys.defragment(10_000, |_| true);
        }
    }
    for db in 0..2 {
        assert_eq!((keys.len(db), keys.volatile_len(db)), (twin.len(db), twin.volatile_len(db)));
        let expected: BTreeMap<_, _> = twin
            .iter(db)
            .map(|(key, record)| (key.to_vec(), (record.bytes.clone(), record.expiry)))
            .collect();
        assert_eq!(scanned(&keys, db, 7), expected);
    }
    assert!(keys.dismantle().is_empty());
    assert_eq!(keys.memory().used, 0);
}

#[test]
fn random_operations_agree_with_the_twin() {
    let steps = if cfg!(miri) { 300 } else { 60_000 };
    duel(1, steps, 50, false);
    duel(2, steps, 20_000, false);
    duel(3, steps, 5_000, true);
}

/// SCAN's promise: what is there from the beginning to the end is shown exactly once, whatever comes and
/// goes meanwhile.
#[test]
fn a_scan_shows_what_stays_exactly_once() {
    let mut random = Random(99);
    for round in 0..20 {
        let mut keys = keyspace(0);
        let name = |n: u64| if round % 2 == 0 { format!("{{t}}{n}") } else { format!("k{n}") };
        let stay: BTreeSet<String> = (0..2000).map(name).collect();
        stay.iter().for_each(|key| insert(&mut keys, 0, key.as_bytes(), b"v", None));
        let (mut cursor, mut seen) = (Cursor::START, BTreeMap::<Vec<u8>, u32>::new());
        let growing = round % 4 < 2;
        let mut extra = 10_000;
        if !growing {
            (10_000..30_000).for_each(|n| insert(&mut keys, 0, name(n).as_bytes(), b"w", None));
        }
        loop {
            cursor = keys
                .scan(0, cursor, 0..SLOTS, 10, |entry| *seen.entry(entry.key().to_vec()).or_default() += 1);
            assert!(cursor.get() < 1 << 53);
            if cursor == Cursor::START {
                break;
            }
            for _ in 0..random.below(60) {
                if growing {
                    insert(&mut keys, 0, name(extra).as_bytes(), b"w", None);
                } else {
                    let key = name(10_000 + random.below(20_000));
                    let at = keys.locate(key.as_bytes());
                    keys.remove(0, at, key.as_bytes());
                }
                extra += 1;
            }
            keys.defragment(500, |_| true);
        }
        for key in &stay {
            assert_eq!(seen.get(key.as_bytes()), Some(&1), "{key} in round {round}");
        }
    }
}

/// Slots go to another core and come back changed; blocks go home by chains; nothing is lost or leaks.
#[test]
fn lent_slots_come_back_with_what_was_done_to_them() {
    let (mut home, mut runner) = (keyspace(0), keyspace(1));
    let name = |n: u64| format!("key:{n}");
    (0..3000).for_each(|n| insert(&mut home, 0, name(n).as_bytes(), b"before", None));
    for slot in Slot::all() {
        let keys = home.keys_in_slot(0, slot, 100);
        runner.attach(home.detach(slot));
        assert_eq!((home.slot_len(0, slot), runner.slot_len(0, slot)), (0, keys.len()));
        for (i, key) in keys.iter().enumerate() {
            match i % 2 {
                0 => insert(&mut runner, 0, key, b"a value of another size", Some(5)),
                _ => {
                    let at = runner.locate(key);
                    runner.remove(0, at, key);
                }
            }
        }
        home.attach(runner.detach(slot));
        let chains: Vec<_> = runner.take_foreign_frees().collect();
        chains.into_iter().for_each(|chain| home.give_back(chain));
    }
    assert_eq!(runner.len(0), 0);
    let all = scanned(&home, 0, 100);
    assert_eq!((all.len(), home.volatile_len(0)), (home.len(0), home.len(0)));
    assert!(all.values().all(|value| value.0 == b"a value of another size"));
    home.flush_all();
    while home.background(1000) {}
    let chains: Vec<_> = home.take_foreign_frees().collect();
    chains.into_iter().for_each(|chain| runner.give_back(chain));
    assert!(runner.background(10), "a long chain is taken back in steps");
    while runner.background(10) {}
    assert_eq!((home.memory().used, runner.memory().used), (0, 0));
}

#[test]
fn active_expiry_removes_what_is_due_and_nothing_else() {
    let mut keys = keyspace(0);
    for n in 0..5000u64 {
        let expiry = (n % 3 != 0).then_some(n);
        insert(&mut keys, 0, format!("{{t}}{n}").as_bytes(), b"v", expiry);
        insert(&mut keys, 1, format!("k{n}").as_bytes(), b"v", expiry);
    }
    for now in [100, 2500, 2600, 10_000] {
        let mut gone = 0;
        loop {
            let progress = keys.active_expire(now, 100, |_| true, |_, _, _| gone += 1);
            if progress.done {
                break;
            }
        }
        let left = (0..5000u64).filter(|n| n % 3 == 0 || *n >= now).count();
        assert_eq!((keys.len(0), keys.len(1)), (left, left), "at {now}, {gone} gone");
    }
    assert_eq!(keys.volatile_len(0), 0);
}

#[test]
fn big_values_are_kept_by_reference_and_freed() {
    let mut keys = keyspace(0);
    let at = keys.locate(b"big");
    let buffer = std::sync::Arc::new(vec![7u8; 3 << 20]);
    keys.insert(0, at, b"big", NewValue::Shared(buffer.clone(), Form::Auto), None, AccessClock::new(0));
    {
        let string = keys.find(0, at, b"big").unwrap().string();
        assert!(std::sync::Arc::ptr_eq(string.shared().unwrap(), &buffer));
    }
    // A reply still holds the old bytes: the change makes a copy.
    keys.append(0, at, b"big", b"tail");
    assert_eq!(buffer.len(), 3 << 20);
    assert!(keys.remove(0, at, b"big"));
    while keys.background(1) {}
    assert_eq!(std::sync::Arc::strong_count(&buffer), 1);
    assert_eq!(keys.memory().used, 0);
}

#[test]
fn deleting_most_keys_gives_memory_back() {
    let mut keys = keyspace(0);
    (0..300_000u64).for_each(|n| insert(&mut keys, 0, format!("k{n}").as_bytes(), &[b'v'; 64], None));
    let full = keys.memory().mapped;
    for n in (0..300_000u64).filter(|n| n % 3 != 0) {
        let key = format!("k{n}");
        let at = keys.locate(key.as_bytes());
        assert!(keys.remove(0, at, key.as_bytes()));
    }
    let sparse = keys.memory();
    for _ in 0..1000 {
        keys.defragment(10_000, |_| true);
    }
    let dense = keys.memory();
    assert_eq!((keys.len(0), scanned(&keys, 0, 1000).len()), (100_000, 100_000));
    assert!(dense.used <= sparse.used);
    assert!(dense.mapped * 2 < full, "{full} bytes before, {} after, {} dense", sparse.mapped, dense.mapped);
}

fn view(keys: &mut Keyspace, now_ms: u64) -> View<'_> {
    View::new(keys, 0, now_ms, Access::default())
}

/// As in Redis, a key is there at the very millisecond at which it expires, and gone after it.
#[test]
fn a_key_lives_through_the_millisecond_of_its_expiry() {
    let mut keys = keyspace(0);
    insert(&mut keys, 0, b"k", b"v", Some(1000));
    let mut at_expiry = view(&mut keys, 1000);
    let key = at_expiry.locate(b"k");
    assert!(at_expiry.find(&key).is_some() && at_expiry.peek(&key).is_some());
    while !keys.active_expire(1000, 100, |_| true, |_, _, _| ()).done {}
    assert_eq!(keys.len(0), 1);
    let mut after = view(&mut keys, 1001);
    let key = after.locate(b"k");
    assert!(after.peek(&key).is_none() && after.find(&key).is_none());
    assert_eq!(keys.len(0), 0);
}

/// A walk that is driven off in the middle of a slot must come back to it.
#[test]
fn active_expiry_returns_to_a_slot_that_it_had_to_leave() {
    for by_swap in [false, true] {
        let mut keys = keyspace(0);
        for n in 0..5000u64 {
            insert(&mut keys, 0, format!("{{t}}{n}").as_bytes(), b"v", Some(10 + n % 7));
        }
        assert!(!keys.active_expire(100, 50, |_| true, |_, _, _| ()).done);
        assert!(!keys.is_empty(0));
        if by_swap {
            keys.swap_db(0, 1);
        } else {
            // The slot is locked for a moment.
            assert!(keys.active_expire(100, 50, |_| false, |_, _, _| ()).done);
        }
        for _ in 0..1000 {
            keys.active_expire(100, 50, |_| true, |_, _, _| ());
        }
        assert_eq!((keys.len(0), keys.len(1)), (0, 0), "by swap: {by_swap}");
    }
}

/// Whatever goes at once goes in steps: a large value that is overwritten, expired or removed, and the
/// table of a large slot whose last key is removed.
#[test]
fn nothing_large_is_freed_in_one_step() {
    let big = || NewValue::Shared(std::sync::Arc::new(vec![7u8; 64 << 20]), Form::Auto);
    let mut keys = keyspace(0);
    let at = keys.locate(b"big");
    for overwrite in [true, false] {
        keys.insert(0, at, b"big", big(), None, AccessClock::new(0));
        if overwrite {
            insert(&mut keys, 0, b"big", b"small", None);
        } else {
            assert!(keys.remove(0, at, b"big"));
        }
        let mut calls = 0;
        while keys.background(1000) {
            calls += 1;
        }
        assert!(calls >= 8, "64 MB were freed in {calls} calls");
    }
    for n in 0..200_000u64 {
        insert(&mut keys, 0, format!("{{t}}{n}").as_bytes(), b"v", None);
    }
    for n in 0..200_000u64 {
        let key = format!("{{t}}{n}");
        let at = keys.locate(key.as_bytes());
        assert!(keys.remove(0, at, key.as_bytes()));
    }
    assert!(keys.background(10), "a table of hundreds of segments was freed with its last key");
    while keys.background(10) {}
    assert_eq!(keys.memory().used, 0);
}

/// A new key starts at 5, grows slower the higher it is, loses one a decay time, and keeps its frequency when
/// its value changes.
#[test]
fn frequencies_grow_by_logarithms_and_decay_by_minutes() {
    let mut keys = keyspace(0);
    let touch = Touch::Lfu { log_factor: 10, decay_minutes: 1 };
    let access = Access { touch, ..Access::default() };
    // At the turn of the 16 bits of minutes.
    let start = 65_536 * 60_000 - 60_000;
    let mut view = View::new(&mut keys, 0, start, access);
    let key = view.locate(b"k");
    view.set(&key, NewValue::Copy(b"v", Form::Auto), ExpiryChange::Clear);
    assert_eq!(view.peek(&key).unwrap().clock(), AccessClock::lfu(start));
    assert_eq!(view.peek(&key).unwrap().clock().frequency(start, 1), 5);
    // Redis's own table for factor 10: about 10 after 100 hits, 18 after 1,000, 142 after 100,000.
    let mut seen = Vec::new();
    for n in 1..=100_000 {
        view.find(&key);
        if [100, 1000, 100_000].contains(&n) {
            seen.push(view.peek(&key).unwrap().clock().frequency(start, 1));
        }
    }
    assert!(
        (8..14).contains(&seen[0]) && (14..25).contains(&seen[1]) && (125..160).contains(&seen[2]),
        "{seen:?}"
    );
    let before = view.peek(&key).unwrap().clock();
    assert!(view.look(&key).is_some());
    assert_eq!(view.peek(&key).unwrap().clock(), before);
    view.set(&key, NewValue::Copy(b"longer than it was", Form::Auto), ExpiryChange::Clear);
    let after = view.peek(&key).unwrap().clock();
    assert!(after.frequency(start, 1) - before.frequency(start, 1) <= 1);
    // Around the turn Redis counts a minute less.
    assert_eq!(after.frequency(start + 11 * 60_000, 1), after.frequency(start, 1) - 10);
    assert_eq!(after.frequency(start + 11 * 60_000, 5), after.frequency(start, 1) - 2);
    assert_eq!(after.frequency(start + 11 * 60_000, 0), after.frequency(start, 1));
    assert_eq!(after.frequency(start + 1000 * 60_000, 1), 0);
}

#[test]
fn a_spot_changes_what_it_found() {
    let mut keys = keyspace(0);
    let mut view = view(&mut keys, 1000);
    let key = view.locate(b"k");
    let shown = |view: &View, len: usize| {
        let entry = view.peek(&key).unwrap();
        let string = entry.string();
        assert_eq!(string.bytes().len(), len);
        (string.bytes().to_vec(), string.form(), entry.expiry())
    };
    assert!(view.open(&key).entry().is_none());
    assert_eq!(view.open(&key).append(b"12"), 2);
    assert_eq!(shown(&view, 2), (b"12".to_vec(), Form::Auto, None));
    assert!(view.open(&key).set_expiry(Some(5000)));
    assert_eq!(view.open(&key).append(b"34"), 4);
    assert_eq!(shown(&view, 4), (b"1234".to_vec(), Form::Raw, Some(5000)));
    let spot = view.open(&key);
    assert_eq!(spot.entry().unwrap().expiry(), Some(5000));
    assert_eq!(spot.set(NewValue::Copy(b"5", Form::Auto), ExpiryChange::Keep), Replaced::Old);
    assert_eq!(shown(&view, 1), (b"5".to_vec(), Form::Auto, Some(5000)));
    assert_eq!(view.open(&key).write_range(100_000, b"far"), 100_003);
    assert_eq!(shown(&view, 100_003).2, Some(5000));
    let taken = view.open(&key).take().unwrap();
    assert!(!view.open(&key).remove());
    assert_eq!(view.open(&key).put(taken), Replaced::New);
    assert_eq!(&shown(&view, 100_003).0[100_000..], b"far");
    assert!(view.open(&key).remove() && !view.exists(&key));
    assert_eq!(view.open(&key).write_range(3, b"x"), 4);
    assert_eq!(shown(&view, 4), (b"\0\0\0x".to_vec(), Form::Raw, None));
}

/// RANDOMKEY reaches every key, in every slot, also after slots came and went and a table was hollowed out.
#[test]
fn random_keys_come_from_everywhere() {
    let mut keys = keyspace(0);
    for n in 0..20_000u64 {
        insert(&mut keys, 0, format!("{{t}}{n}").as_bytes(), b"v", None);
    }
    for n in 10..20_000u64 {
        let key = format!("{{t}}{n}");
        let at = keys.locate(key.as_bytes());
        keys.remove(0, at, key.as_bytes());
    }
    (0..40u64).for_each(|n| insert(&mut keys, 0, format!("k{n}").as_bytes(), b"v", None));
    let lent: Vec<_> = Slot::all().map(|slot| keys.detach(slot)).collect();
    let mut random = Random(77);
    assert!(keys.random(0, &mut || random.below(u64::MAX)).is_none());
    lent.into_iter().for_each(|slot| keys.attach(slot));
    let mut seen = BTreeMap::<Vec<u8>, u32>::new();
    for _ in 0..20_000 {
        let entry = keys.random(0, &mut || random.below(u64::MAX)).unwrap();
        *seen.entry(entry.key().to_vec()).or_default() += 1;
    }
    assert_eq!(seen.len(), 50, "{seen:?}");
}

/// Keys and records far above the slab's sizes, through every change of size and shape.
#[test]
fn large_keys_and_records_are_as_good_as_small_ones() {
    let mut keys = Keyspace::new(Setup { core: 0, cores: 1, databases: 2, hash_seed: SEED });
    for key_len in [0, 127, 128, 480, 520, 16_383, 16_384, 3 << 20] {
        let key = vec![b'k'; key_len];
        let mut view = view(&mut keys, 1000);
        let at = view.locate(&key);
        for len in [0, 1, 30, 500, 127, 128, 16_384, 16_385, 3, 70_000, 20] {
            let value = vec![b'0' + (len % 10) as u8; len];
            view.set(&at, NewValue::Copy(&value, Form::Auto), ExpiryChange::Keep);
            for expiry in [Some(2000), Some(3000), None, Some(4000)] {
                assert!(view.set_expiry(&at, expiry));
                let entry = view.peek(&at).unwrap();
                let string = entry.string();
                assert!(entry.key() == key && string.bytes() == value && entry.expiry() == expiry);
            }
            assert_eq!(view.append(&at, b"tail"), len + 4);
            let held = view.peek(&at).unwrap().to_owned_record();
            view.in_db(1).put(&at, held);
            let moved = view.take(&at).unwrap();
            assert!(view.peek(&at).is_none());
            view.put(&at, moved);
            for db in [0, 1] {
                let view = view.in_db(db);
                let string = view.peek(&at).unwrap().string();
                assert!(string.bytes()[..len] == value && &string.bytes()[len..] == b"tail");
            }
        }
    }
    keys.dismantle().into_iter().for_each(drop);
    assert_eq!(keys.memory().used, 0);
}

/// The tree of a large slot moves as well, and with it all of a heap's chunk.
#[test]
fn a_hollow_slot_is_moved_together() {
    let mut keys = keyspace(0);
    let name = |n: u64| format!("{{t}}{n}");
    (0..300_000u64).for_each(|n| insert(&mut keys, 0, name(n).as_bytes(), b"0123456789abcdef", Some(n)));
    let full = keys.memory();
    for n in (0..300_000u64).filter(|n| n % 4 != 0) {
        let at = keys.locate(name(n).as_bytes());
        assert!(keys.remove(0, at, name(n).as_bytes()));
    }
    while !keys.defragment(100, |_| true).done {}
    let dense = keys.memory();
    assert!(dense.mapped * 5 < full.mapped * 2, "{full:?}, {dense:?}");
    assert!(dense.unused < dense.used, "{dense:?}");
    assert_eq!(scanned(&keys, 0, 50).len(), 75_000);
    for n in 0..300_000u64 {
        let at = keys.locate(name(n).as_bytes());
        let found = keys.find(0, at, name(n).as_bytes()).map(|entry| entry.expiry());
        assert_eq!(found, (n % 4 == 0).then_some(Some(n)));
    }
}
