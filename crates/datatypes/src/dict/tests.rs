//! A dict beside a `HashMap`: every operation, growth and shrinkage, cursors and chance.

use super::bucket::allocated;
use super::*;
use proptest::prelude::*;
use std::collections::{HashMap, HashSet};

impl Dict {
    /// Checks the sums and invariants 1 and 2 against what is there.
    fn check(&self) {
        let buckets: Vec<&Bucket> = self.pages.iter().flatten().collect();
        assert_eq!(buckets.len(), self.buckets);
        assert_eq!(buckets.iter().map(|b| b.count()).sum::<usize>(), self.len);
        assert_eq!(buckets.iter().map(|b| b.used()).sum::<usize>(), self.used);
        assert_eq!(buckets.iter().map(|b| b.capacity()).sum::<usize>(), self.taken);
        assert!(buckets.iter().all(|b| b.count() <= self.tallest), "no bucket is taller than known");
        for (address, bucket) in buckets.iter().enumerate() {
            for index in 0..bucket.count() {
                let hash = self.hash_at(bucket, index);
                assert_eq!(self.address(hash), address);
                assert_eq!(bucket.tag(index), tag_of(hash));
                assert_eq!(keyed_hash(self.seed, bucket.get(index, &self.longs).0), hash);
            }
        }
    }

    fn to_map(&self) -> HashMap<Vec<u8>, Vec<u8>> {
        let map: HashMap<_, _> = self.iter().map(|(k, v)| (k.to_vec(), v.to_vec())).collect();
        assert_eq!(map.len(), self.len, "an entry is iterated once");
        map
    }
}

/// Random numbers from a seed (xorshift64*).
fn numbers(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}

#[derive(Clone, Debug)]
enum Step {
    Insert(u16, Vec<u8>),
    Add(u16, Vec<u8>),
    Overwrite(u16),
    Remove(u16),
    Get(u16),
    Pop(u64),
    AddMany(u16, u16),
    RemoveMany(u16, u16),
}

/// Keys of all lengths: some empty, some long, and some that are long only with their value.
fn key(number: u16) -> Vec<u8> {
    let text = number.to_string().into_bytes();
    match number % 23 {
        0 if number == 0 => Vec::new(),
        1 => text.repeat(70),
        2 => text.repeat(40),
        _ => text,
    }
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..20),
        1 => (0usize..700, any::<u8>()).prop_map(|(len, byte)| vec![byte; len]),
        1 => (245usize..260, any::<u8>()).prop_map(|(len, byte)| vec![byte; len]),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let number = || prop_oneof![0u16..60, 0u16..2000];
    prop_oneof![
        6 => (number(), value()).prop_map(|(k, v)| Step::Insert(k, v)),
        2 => (number(), value()).prop_map(|(k, v)| Step::Add(k, v)),
        2 => number().prop_map(Step::Overwrite),
        4 => number().prop_map(Step::Remove),
        2 => number().prop_map(Step::Get),
        2 => any::<u64>().prop_map(Step::Pop),
        1 => (number(), 0u16..800).prop_map(|(from, n)| Step::AddMany(from, n)),
        1 => (number(), 0u16..800).prop_map(|(from, n)| Step::RemoveMany(from, n)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_dict_does_what_a_map_does(seed in any::<u64>(), steps in prop::collection::vec(step(), 1..120)) {
        let mut dict = Dict::new(seed);
        let mut map: HashMap<Vec<u8>, Vec<u8>> = HashMap::new();
        for step in steps {
            match step {
                Step::Insert(k, v) => {
                    prop_assert_eq!(dict.insert(&key(k), &v), map.insert(key(k), v).is_none());
                }
                Step::Add(k, v) => {
                    let new = !map.contains_key(&key(k));
                    prop_assert_eq!(dict.add(&key(k), &v), new);
                    map.entry(key(k)).or_insert(v);
                }
                Step::Overwrite(k) => {
                    let there = map.get_mut(&key(k));
                    let found = dict.get_mut(&key(k));
                    prop_assert_eq!(found.as_deref(), there.as_deref().map(|v| &v[..]));
                    if let (Some(found), Some(there)) = (found, there) {
                        found.iter_mut().for_each(|byte| *byte ^= 0x55);
                        there.iter_mut().for_each(|byte| *byte ^= 0x55);
                    }
                }
                Step::Remove(k) => prop_assert_eq!(dict.remove(&key(k)), map.remove(&key(k)).is_some()),
                Step::Get(k) => {
                    prop_assert_eq!(dict.get(&key(k)), map.get(&key(k)).map(|v| &v[..]));
                    prop_assert_eq!(dict.contains(&key(k)), map.contains_key(&key(k)));
                }
                Step::Pop(seed) => {
                    let mut popped = None;
                    let some = dict.pop_random(&mut numbers(seed), &mut |k, v| {
                        popped = Some((k.to_vec(), v.to_vec()));
                    });
                    prop_assert_eq!(some, !map.is_empty());
                    if let Some((k, v)) = popped {
                        prop_assert_eq!(map.remove(&k), Some(v));
                    }
                }
                Step::AddMany(from, n) => {
                    for k in from..from + n {
                        dict.insert(&key(k), b"many");
                        map.insert(key(k), b"many".to_vec());
                    }
                }
                Step::RemoveMany(from, n) => {
                    for k in from..from + n {
                        prop_assert_eq!(dict.remove(&key(k)), map.remove(&key(k)).is_some());
                    }
                }
            }
            prop_assert_eq!(dict.len(), map.len());
            dict.check();
        }
        prop_assert_eq!(dict.to_map(), map.clone());
        let copy = dict.clone();
        copy.check();
        prop_assert_eq!(copy.to_map(), map);
    }

    /// Entries that stay are told, while others come and go between the calls.
    #[test]
    fn a_scan_tells_whoever_stays(
        seed in any::<u64>(),
        stay in 1usize..400,
        phases in prop::collection::vec((any::<bool>(), 0usize..1500), 1..30),
        count in 1usize..40,
    ) {
        let mut dict = Dict::new(seed);
        for n in 0..stay {
            dict.insert(format!("stay {n}").as_bytes(), &n.to_le_bytes());
        }
        let mut others: Vec<usize> = Vec::new();
        let mut next = 0;
        let mut told = HashSet::new();
        let mut cursor = 0;
        let mut phases = phases.into_iter().cycle();
        let mut calls = 0;
        loop {
            cursor = dict.scan(cursor, count, &mut |key, _| {
                told.insert(key.to_vec());
            });
            calls += 1;
            prop_assert!(calls < 5000, "a scan ends");
            if cursor == 0 {
                break;
            }
            // Later on nothing changes any more, so that scans end.
            if calls > 60 {
                continue;
            }
            let (grow, by) = phases.next().expect("phases repeat");
            for _ in 0..by {
                if grow {
                    dict.insert(format!("other {next}").as_bytes(), b"");
                    others.push(next);
                    next += 1;
                } else if let Some(n) = others.pop() {
                    dict.remove(format!("other {n}").as_bytes());
                }
            }
        }
        for n in 0..stay {
            prop_assert!(told.contains(format!("stay {n}").as_bytes()), "{} of {} was not told", n, stay);
        }
    }
}

#[test]
fn a_scan_of_an_unchanged_dict_tells_each_entry_once() {
    let mut dict = Dict::new(5);
    for n in 0..10_000u32 {
        dict.insert(&n.to_le_bytes(), b"");
    }
    let mut told = Vec::new();
    let (mut cursor, mut calls) = (0, 0);
    loop {
        let before = told.len();
        cursor = dict.scan(cursor, 10, &mut |key, _| told.push(key.to_vec()));
        assert!(told.len() - before < 10 + 2 * ENTRIES_SPLIT * 4, "a call is bounded");
        calls += 1;
        if cursor == 0 {
            break;
        }
    }
    assert!(calls > 200);
    assert_eq!(told.len(), 10_000);
    assert_eq!(told.into_iter().collect::<HashSet<_>>().len(), 10_000);
}

/// How people empty a large set: by a cursor, and what it tells is removed.
#[test]
fn removing_what_a_cursor_tells_makes_no_giants() {
    for value_len in [0, 60] {
        let mut dict = Dict::new(5);
        for n in 0..200_000u32 {
            dict.insert(&n.to_le_bytes(), &vec![b'v'; value_len]);
        }
        let full = dict.memory();
        let mut draw = numbers(1);
        let (mut cursor, mut calls, mut most) = (0, 0, 0);
        loop {
            let mut told = Vec::new();
            cursor = dict.scan(cursor, 50, &mut |key, _| told.push(key.to_vec()));
            for key in told {
                assert!(dict.remove(&key), "what is told for the second time was not removed");
            }
            let tallest = dict.pages.iter().flatten().map(|bucket| bucket.used()).max();
            assert!(tallest < Some(2 * BYTES_MOST), "a bucket of {tallest:?} bytes");
            calls += 1;
            if calls % 50 == 0 || dict.len() < 2000 {
                dict.check();
                let mut draws = 0;
                let random = dict.random(&mut || {
                    draws += 1;
                    draw()
                });
                assert_eq!(random.is_some(), !dict.is_empty());
                most = most.max(draws);
            }
            if cursor == 0 {
                break;
            }
        }
        assert_eq!(dict.len(), 0);
        assert!(dict.memory() < full / 20, "{} bytes of {full} for nothing", dict.memory());
        assert!(most <= DRAWS_MOST + 1, "{most} draws of one entry");
    }
}

/// What seeds are there to avoid: it costs memory for a while, but no bucket grows out of bounds.
#[test]
fn filling_in_the_order_of_a_cursor_makes_no_giants() {
    let mut from = Dict::new(5);
    for n in 0..200_000u32 {
        from.insert(format!("member:{n:09}").as_bytes(), b"");
    }
    let mut to = Dict::new(5);
    let mut cursor = 0;
    let mut tallest = 0;
    loop {
        cursor = from.scan(cursor, 1000, &mut |key, value| {
            assert!(to.add(key, value));
            let address = to.address(keyed_hash(5, key));
            tallest = tallest.max(to.bucket(address).used());
        });
        if cursor == 0 {
            break;
        }
    }
    assert!(tallest < 3 * GIANT, "a bucket of {tallest} bytes");
    to.check();
    assert_eq!(to.len(), 200_000);
    assert!(to.memory() < from.memory() * 5 / 4, "{} instead of {}", to.memory(), from.memory());
}

#[test]
fn any_cursor_is_taken() {
    let mut dict = Dict::new(5);
    for n in 0..100u32 {
        dict.insert(&n.to_le_bytes(), b"");
    }
    for cursor in [1, 77, u64::from(u32::MAX), 1 << 32, u64::MAX] {
        let next = dict.scan(cursor, 10, &mut |_, _| {});
        assert!(next == 0 || next > cursor);
    }
}

#[test]
fn chance_is_fair() {
    let mut dict = Dict::new(11);
    // Up and down and up again, so that the tallest bucket known is one of the past.
    for n in 0..5000u32 {
        dict.insert(&n.to_le_bytes(), b"");
    }
    for n in 300..5000u32 {
        dict.remove(&n.to_le_bytes());
    }
    let mut draw = numbers(3);
    let mut counts = vec![0u32; 300];
    for _ in 0..300 * 400 {
        let (key, _) = dict.random(&mut draw).expect("it is not empty");
        counts[u32::from_le_bytes(key.try_into().expect("four bytes")) as usize] += 1;
    }
    // Chi-square of 299 degrees of freedom: 299 on average, 24 standard deviation.
    let chi: f64 = counts.iter().map(|&n| (f64::from(n) - 400.0).powi(2) / 400.0).sum();
    assert!((180.0..430.0).contains(&chi), "chi-square {chi}");
}

#[test]
fn samples_have_no_entry_twice_and_are_fair() {
    let mut dict = Dict::new(11);
    for n in 0..60u32 {
        dict.insert(&n.to_le_bytes(), b"");
    }
    let mut draw = numbers(4);
    for count in [0, 1, 7, 20, 21, 40, 59, 60, 61] {
        let mut counts = [0u32; 60];
        for _ in 0..2000 {
            let mut told = HashSet::new();
            dict.sample(count, &mut draw, &mut |key, _| {
                counts[u32::from_le_bytes(key.try_into().expect("four bytes")) as usize] += 1;
                assert!(told.insert(key.to_vec()));
            });
            assert_eq!(told.len(), count.min(60));
        }
        let expected = 2000.0 * count.min(60) as f64 / 60.0;
        assert!(
            counts.iter().all(|&n| (f64::from(n) - expected).abs() < 6.0 * expected.sqrt() + 1.0),
            "{counts:?}"
        );
    }
}

#[test]
fn memory_is_given_back_with_the_entries() {
    let mut dict = Dict::new(1);
    for n in 0..20_000u32 {
        dict.insert(format!("member:{n:09}").as_bytes(), b"");
    }
    let full = dict.memory();
    let overhead = full as f64 / 20_000.0 - 16.0;
    assert!(overhead < 15.0, "{overhead} bytes beyond the member");
    for n in 0..19_900u32 {
        assert!(dict.remove(format!("member:{n:09}").as_bytes()));
        assert!(
            n % 1000 != 0 || {
                dict.check();
                true
            }
        );
    }
    assert!(dict.memory() < full / 30, "{} of {full}", dict.memory());
}

#[test]
fn dismantling_is_bounded() {
    let mut dict = Dict::new(1);
    for n in 0..5000u32 {
        dict.insert(&n.to_le_bytes(), &vec![1; if n % 10 == 0 { 1000 } else { 10 }]);
    }
    let pieces = dict.buckets + 500;
    let mut calls = 0;
    while !dict.dismantle(50) {
        calls += 1;
    }
    assert!((pieces / 50..pieces / 50 + 10).contains(&calls), "{calls} calls for {pieces} pieces");
    assert!(dict.memory() < 256 * 24 + 4096, "{}", dict.memory());
    assert_eq!(dict.len(), 0);
}

#[test]
fn a_bucket_that_is_hit_all_the_time_takes_long_entries() {
    // Keys that share their low bits: what a secret seed makes improbable.
    let mut dict = Dict::new(9);
    let mut added = Vec::new();
    for n in 0.. {
        let key = u32::to_le_bytes(n).repeat(4);
        if keyed_hash(9, &key) % 1024 == 5 {
            assert!(dict.insert(&key, &[7; 200]));
            added.push(key);
            if added.len() == 400 {
                break;
            }
        }
    }
    dict.check();
    assert!(added.iter().all(|key| dict.get(key) == Some(&[7; 200][..])));
    for key in &added {
        assert!(dict.remove(key));
    }
    assert_eq!(dict.longs.memory(), 0);
}

#[test]
fn blocks_are_of_sizes_that_the_allocator_has() {
    assert_eq!(
        [1, 16, 17, 128, 129, 160, 161, 257, 640, 641, 1025].map(allocated),
        [16, 16, 32, 128, 160, 160, 192, 320, 640, 768, 1280]
    );
    for bytes in 1..5000 {
        assert!(allocated(bytes) >= bytes && allocated(bytes) * 4 <= bytes * 5 + 64);
    }
}
