//! Sets beside a `BTreeSet`, with limits so low that every threshold is crossed.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

const LIMITS: Limits = Limits { intset_entries: 12, listpack_entries: 8, listpack_value: 6, hash_seed: 77 };

fn numbers(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}

type Model = BTreeSet<Vec<u8>>;

fn members(set: &Set) -> Model {
    let all: Vec<Vec<u8>> = set.as_ref().iter().map(|item| item.to_bytes().into_owned()).collect();
    let model: Model = all.iter().cloned().collect();
    assert_eq!(model.len(), all.len(), "no member is iterated twice");
    assert_eq!(set.len(), all.len());
    model
}

/// What every set holds to: only integers in an intset, nothing beyond the limits in a compact form.
fn check(set: &Set) {
    match set {
        Set::Intset(_) => assert!(set.len() <= LIMITS.intset_entries),
        Set::Listpack(_) => {
            assert!(set.len() <= LIMITS.listpack_entries);
            assert!(set.as_ref().iter().all(|item| item.len() <= LIMITS.listpack_value));
        }
        Set::Large(_) => {}
    }
}

fn member() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => (-20i64..20).prop_map(|n| n.to_string().into_bytes()),
        1 => any::<i64>().prop_map(|n| n.to_string().into_bytes()),
        2 => prop::collection::vec(b'a'..b'e', 0..3),
        1 => prop::collection::vec(b'a'..b'c', 6..8),
        1 => Just(b"007".to_vec()),
    ]
}

fn many() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop_oneof![
        prop::collection::vec((-20i64..20).prop_map(|n| n.to_string().into_bytes()), 0..14),
        prop::collection::vec(member(), 0..9),
        prop::collection::vec(member(), 0..60),
    ]
}

fn build(members: &[Vec<u8>]) -> (Set, Model) {
    let mut set = Set::new();
    for member in members {
        set.add(member, &LIMITS);
    }
    (set, members.iter().cloned().collect())
}

#[derive(Clone, Debug)]
enum Step {
    Add(Vec<u8>),
    Remove(Vec<u8>),
    Expect(usize),
    Pop(u64),
    PopMany(usize, u64),
    Sample(usize, u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => member().prop_map(Step::Add),
        3 => member().prop_map(Step::Remove),
        1 => (0usize..14).prop_map(Step::Expect),
        1 => any::<u64>().prop_map(Step::Pop),
        1 => (0usize..20, any::<u64>()).prop_map(|(count, seed)| Step::PopMany(count, seed)),
        1 => (0usize..20, any::<u64>()).prop_map(|(count, seed)| Step::Sample(count, seed)),
    ]
}

proptest! {
    #[test]
    fn a_set_does_what_a_set_does(steps in prop::collection::vec(step(), 1..150)) {
        let mut set = Set::new();
        let mut model = Model::new();
        for step in steps {
            match step {
                Step::Add(member) => prop_assert_eq!(set.add(&member, &LIMITS), model.insert(member)),
                Step::Remove(member) => prop_assert_eq!(set.remove(&member), model.remove(&member)),
                Step::Expect(count) => set.expect(count, &LIMITS),
                Step::Pop(seed) => {
                    let mut popped = Vec::new();
                    set.pop(&mut numbers(seed), &mut |item| popped.push(item.to_bytes().into_owned()));
                    prop_assert_eq!(popped.len(), model.len().min(1));
                    prop_assert!(popped.iter().all(|member| model.remove(member)));
                }
                Step::PopMany(count, seed) => {
                    let mut popped = Vec::new();
                    set.pop_many(count, &LIMITS, &mut numbers(seed), &mut |item| {
                        popped.push(item.to_bytes().into_owned());
                    });
                    prop_assert_eq!(popped.len(), model.len().min(count));
                    prop_assert!(popped.iter().all(|member| model.remove(member)));
                }
                Step::Sample(count, seed) => {
                    let mut told = Model::new();
                    set.as_ref().sample(count, &mut numbers(seed), &mut |item| {
                        assert!(told.insert(item.to_bytes().into_owned()));
                    });
                    prop_assert_eq!(told.len(), model.len().min(count));
                    prop_assert!(told.is_subset(&model));
                    let random = set.as_ref().random(&mut numbers(seed)).map(|item| item.to_bytes());
                    prop_assert_eq!(random.is_some(), !model.is_empty());
                    prop_assert!(random.is_none_or(|member| model.contains(&*member)));
                }
            }
            check(&set);
            prop_assert_eq!(members(&set), model.clone());
            for member in [&b"3"[..], b"-7", b"ab", b"007", b""] {
                prop_assert_eq!(set.as_ref().contains(member), model.contains(member));
            }
        }
        let (mut told, mut cursor) = (Model::new(), 0);
        loop {
            cursor = set.as_ref().scan(cursor, 3, &mut |item| {
                told.insert(item.to_bytes().into_owned());
            });
            if cursor == 0 {
                break;
            }
        }
        prop_assert_eq!(told, model);
    }

    #[test]
    fn algebra_is_that_of_sets(lists in prop::collection::vec(many(), 1..5)) {
        let built: Vec<(Set, Model)> = lists.iter().map(|list| build(list)).collect();
        let sets: Vec<SetRef<'_>> = built.iter().map(|(set, _)| set.as_ref()).collect();
        let models: Vec<&Model> = built.iter().map(|(_, model)| model).collect();
        let (first, others) = models.split_first().expect("there is a set");

        let all: Model = first.iter().filter(|m| others.iter().all(|o| o.contains(*m))).cloned().collect();
        let result = intersection(&sets, &LIMITS);
        check(&result);
        prop_assert_eq!(members(&result), all.clone());
        let mut told = 0;
        intersect(&sets, &mut |_| {
            told += 1;
            told < 2
        });
        prop_assert_eq!(told, all.len().min(2));

        let any: Model = models.iter().flat_map(|m| m.iter()).cloned().collect();
        let result = union(&sets, &LIMITS);
        check(&result);
        prop_assert_eq!(members(&result), any);

        let one: Model = first.iter().filter(|m| !others.iter().any(|o| o.contains(*m))).cloned().collect();
        let result = difference(sets[0], &sets[1..], &LIMITS);
        check(&result);
        prop_assert_eq!(members(&result), one);
    }
}

fn set_of(members: &[&str]) -> Set {
    let mut set = Set::new();
    for member in members {
        set.add(member.as_bytes(), &LIMITS);
    }
    set
}

fn integers(count: usize) -> Set {
    let mut set = Set::new();
    for n in 0..count {
        set.add(n.to_string().as_bytes(), &LIMITS);
    }
    set
}

#[test]
fn encodings_change_where_redis_changes_them() {
    let encoding = |set: &Set| set.as_ref().encoding();
    assert_eq!(encoding(&integers(12)), "intset");
    assert_eq!(encoding(&integers(13)), "hashtable");
    assert_eq!(encoding(&set_of(&["1", "a"])), "listpack");
    assert_eq!(encoding(&set_of(&["1", "sixsix"])), "listpack");
    assert_eq!(encoding(&set_of(&["1", "sevense"])), "hashtable");
    // An integer of too many digits for a listpack.
    assert_eq!(encoding(&set_of(&["1234567", "a"])), "hashtable");
    assert_eq!(encoding(&set_of(&["-123456", "a"])), "hashtable");
    let mut set = integers(7);
    set.add(b"a", &LIMITS);
    assert_eq!((encoding(&set), set.len()), ("listpack", 8));
    assert!(!set.add(b"3", &LIMITS));
    assert_eq!(encoding(&set), "listpack");
    set.add(b"100", &LIMITS);
    assert_eq!((encoding(&set), set.len()), ("hashtable", 9));
    let mut set = integers(8);
    set.add(b"a", &LIMITS);
    assert_eq!((encoding(&set), set.len()), ("hashtable", 9));
}

#[test]
fn announced_members_choose_the_encoding() {
    let first = |member: &str, count| Set::for_members(member.as_bytes(), count, &LIMITS).as_ref().encoding();
    assert_eq!(first("1", 12), "intset");
    assert_eq!(first("1", 13), "hashtable");
    assert_eq!(first("a", 8), "listpack");
    assert_eq!(first("a", 9), "hashtable");
    let mut set = integers(3);
    set.expect(12, &LIMITS);
    assert_eq!(set.as_ref().encoding(), "intset");
    set.expect(13, &LIMITS);
    assert_eq!((set.as_ref().encoding(), set.len()), ("hashtable", 3));
    // Between the limits an integer asks for an intset and another for a listpack.
    let limits = Limits { intset_entries: 2, listpack_entries: 5, ..LIMITS };
    assert_eq!(Set::for_members(b"1", 3, &limits).as_ref().encoding(), "listpack");
}

#[test]
fn popping_nearly_all_makes_a_new_set() {
    let mut large = set_of(&["a"]);
    for n in 0..40 {
        large.add(n.to_string().as_bytes(), &LIMITS);
    }
    let pop = |set: &mut Set, count| set.pop_many(count, &LIMITS, &mut numbers(1), &mut |_| {}).is_some();
    let mut set = large.clone();
    assert!(!pop(&mut set, 30));
    assert_eq!((set.as_ref().encoding(), set.len()), ("hashtable", 11));
    let mut set = large.clone();
    assert!(pop(&mut set, 35));
    assert_eq!((set.as_ref().encoding(), set.len()), ("listpack", 6));
    let mut set = large.clone();
    assert!(pop(&mut set, 41));
    assert!(set.is_empty());
}

#[test]
fn stored_results_have_the_encodings_of_redis() {
    let large = |members: &[&str]| {
        let mut set = set_of(members);
        set.expect(100, &LIMITS);
        set
    };
    let (ints, mixed) = (set_of(&["1", "2", "3"]), set_of(&["1", "2", "a", "b", "c"]));
    let of = |set: Set| set.as_ref().encoding();
    assert_eq!(of(intersection(&[ints.as_ref(), mixed.as_ref()], &LIMITS)), "intset");
    assert_eq!(
        of(intersection(&[mixed.as_ref(), large(&["1", "2", "x", "y", "z", "v"]).as_ref()], &LIMITS)),
        "intset"
    );
    assert_eq!(of(intersection(&[mixed.as_ref(), large(&["1", "2", "a"]).as_ref()], &LIMITS)), "listpack");
    assert_eq!(of(union(&[large(&["1", "2"]).as_ref()], &LIMITS)), "intset");
    assert_eq!(of(union(&[ints.as_ref(), large(&["a"]).as_ref()], &LIMITS)), "listpack");
    // Few others: each member is asked about, and only integers remain.
    let strings = set_of(&["a", "b", "c"]);
    assert_eq!(of(difference(mixed.as_ref(), &[strings.as_ref()], &LIMITS)), "intset");
    // Many small others: a copy of the first is what remains, and keeps its encoding.
    let (a, b, c) = (set_of(&["a"]), set_of(&["b"]), set_of(&["c"]));
    assert_eq!(of(difference(mixed.as_ref(), &[a.as_ref(), b.as_ref(), c.as_ref()], &LIMITS)), "listpack");
}

#[test]
fn large_sets_account_for_their_memory() {
    let limits = Limits::with_seed(3);
    let mut set = Set::new();
    for n in 0..100_000 {
        set.add(format!("member:{n:09}").as_bytes(), &limits);
    }
    let Set::Large(mut large) = set else { panic!("it is large") };
    let overhead = large.memory() as f64 / 100_000.0 - 16.0;
    assert!((5.0..15.0).contains(&overhead), "{overhead} bytes beyond a member");
    while !large.dismantle(100) {}
    assert!(large.memory() < 100_000, "{}", large.memory());
}
