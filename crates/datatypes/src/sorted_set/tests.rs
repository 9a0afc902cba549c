//! Sorted sets against a naive one.

use super::leaf::MOST_BYTES;
use super::tree::Tree;
use super::*;
use proptest::prelude::*;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

const LIMITS: Limits = Limits { listpack_entries: 128, listpack_value: 64, hash_seed: 7 };

/// A score in the order of scores, where 0 and -0 are the same.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Score(f64);

impl Eq for Score {}

impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Score) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Score {
    fn cmp(&self, other: &Score) -> Ordering {
        self.0.partial_cmp(&other.0).unwrap()
    }
}

/// The naive one.
#[derive(Clone, Default)]
struct Model {
    order: BTreeSet<(Score, Vec<u8>)>,
    scores: BTreeMap<Vec<u8>, f64>,
}

impl Model {
    fn set(&mut self, member: &[u8], score: f64) {
        self.remove(member);
        self.scores.insert(member.to_vec(), score);
        self.order.insert((Score(score), member.to_vec()));
    }

    fn remove(&mut self, member: &[u8]) -> Option<f64> {
        let score = self.scores.remove(member)?;
        assert!(self.order.remove(&(Score(score), member.to_vec())));
        Some(score)
    }

    fn rank(&self, member: &[u8]) -> Option<(usize, f64)> {
        let score = *self.scores.get(member)?;
        Some((self.order.iter().position(|(_, other)| other == member)?, score))
    }

    fn elements(&self) -> Vec<(Vec<u8>, f64)> {
        self.order.iter().map(|(score, member)| (member.clone(), score.0)).collect()
    }

    fn add(
        &mut self,
        member: &[u8],
        score: f64,
        increment: bool,
        conditions: Conditions,
    ) -> Result<Added, NotANumber> {
        let old = self.scores.get(member).copied();
        let new = if increment { old.unwrap_or(0.0) + score } else { score };
        let allowed = match old {
            None => !conditions.only_existing,
            Some(_) if conditions.only_new => false,
            Some(_) if new.is_nan() => return Err(NotANumber),
            Some(old) => (!conditions.only_greater || new > old) && (!conditions.only_less || new < old),
        };
        if !allowed {
            return Ok(Added::Refused);
        }
        if old == Some(new) {
            return Ok(Added::Same(new));
        }
        self.set(member, new);
        Ok(if old.is_some() { Added::Updated(new) } else { Added::New(new) })
    }
}

#[derive(Clone, Debug)]
enum Step {
    Add(Vec<u8>, f64, bool, Conditions),
    Remove(Vec<u8>),
    RemoveRanks(usize, usize),
    PopFirst,
    PopLast,
    Ranges(f64, f64, bool, bool),
    Members(Vec<u8>, Vec<u8>, bool, bool),
    Compact,
    MakeLarge,
}

fn member() -> impl Strategy<Value = Vec<u8>> {
    // Few enough to meet again; some look like integers, some are longer than a leaf.
    prop_oneof![
        8 => (0..40u32).prop_map(|number| number.to_string().into_bytes()),
        4 => (0..20u32).prop_map(|number| format!("member:{number}").into_bytes()),
        4 => (0..60usize).prop_map(|number| vec![b'a' + (number % 3) as u8; number * 9]),
        1 => (0..3u8).prop_map(|number| vec![number; MOST_BYTES + 10]),
        1 => Just(Vec::new()),
    ]
}

fn score() -> impl Strategy<Value = f64> {
    prop_oneof![
        10 => (-5..5i32).prop_map(f64::from),
        5 => (-20..20i32).prop_map(|number| f64::from(number) / 10.0),
        1 => Just(f64::INFINITY),
        1 => Just(f64::NEG_INFINITY),
        1 => any::<f64>().prop_filter("no score", |score| !score.is_nan()),
    ]
}

fn conditions() -> impl Strategy<Value = Conditions> {
    prop_oneof![5 => Just(0), 1 => Just(1), 1 => Just(2), 1 => Just(4), 1 => Just(8), 1 => Just(6), 1 => Just(10)]
        .prop_map(|bits| Conditions {
            only_new: bits & 1 != 0,
            only_existing: bits & 2 != 0,
            only_greater: bits & 4 != 0,
            only_less: bits & 8 != 0,
        })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        30 => (member(), score(), any::<bool>(), conditions()).prop_map(|(m, s, i, c)| Step::Add(m, s, i, c)),
        10 => member().prop_map(Step::Remove),
        1 => (0..60usize, 0..20usize).prop_map(|(from, count)| Step::RemoveRanks(from, count)),
        2 => Just(Step::PopFirst),
        2 => Just(Step::PopLast),
        5 => (score(), score(), any::<bool>(), any::<bool>()).prop_map(|(a, b, x, y)| Step::Ranges(a, b, x, y)),
        3 => (member(), member(), any::<bool>(), any::<bool>()).prop_map(|(a, b, x, y)| Step::Members(a, b, x, y)),
        1 => Just(Step::Compact),
        1 => Just(Step::MakeLarge),
    ]
}

fn elements(set: &SortedSet) -> Vec<(Vec<u8>, f64)> {
    collected(set.as_ref().iter())
}

fn collected<'a>(iter: impl Iterator<Item = (Item<'a>, f64)>) -> Vec<(Vec<u8>, f64)> {
    iter.map(|(member, score)| (member.to_bytes().into_owned(), score)).collect()
}

fn in_rule(set: &SortedSet) {
    if let SortedSet::Large(large) = set {
        large.check();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_operation_agrees_with_a_naive_set(
        steps in proptest::collection::vec(step(), 0..250),
        entries in 0..30usize,
        value in prop_oneof![Just(4usize), Just(64), Just(10_000)],
    ) {
        let limits = Limits { listpack_entries: entries, listpack_value: value, hash_seed: 7 };
        let mut set = SortedSet::new();
        let mut model = Model::default();
        for step in steps {
            let was_large = set.as_ref().encoding() == "skiplist";
            match step {
                Step::Add(member, score, increment, conditions) => {
                    let known = model.scores.contains_key(&member);
                    let added = if increment {
                        set.increment(&member, score, conditions, &limits)
                    } else {
                        set.add(&member, score, conditions, &limits)
                    };
                    prop_assert_eq!(added, model.add(&member, score, increment, conditions));
                    let too_much = !known && model.scores.contains_key(&member)
                        && (model.scores.len() > entries || member.len() > value);
                    prop_assert_eq!(set.as_ref().encoding() == "skiplist", was_large || too_much);
                }
                Step::Remove(member) => {
                    prop_assert_eq!(set.remove(&member), model.remove(&member));
                }
                Step::RemoveRanks(from, count) => {
                    let expected: Vec<_> = model.elements().into_iter().skip(from).take(count).collect();
                    let mut removed = Vec::new();
                    let number = set.remove_ranks(from..from + count, |member, score| {
                        removed.push((member.to_bytes().into_owned(), score));
                    });
                    prop_assert_eq!(number, removed.len());
                    prop_assert_eq!(&removed, &expected);
                    for (member, _) in removed {
                        model.remove(&member);
                    }
                }
                Step::PopFirst | Step::PopLast => {
                    let rank = if matches!(step, Step::PopFirst) { 0 } else { set.len().saturating_sub(1) };
                    let expected = model.elements().get(rank).cloned();
                    let mut popped = None;
                    set.remove_ranks(rank..rank + 1, |member, score| {
                        popped = Some((member.to_bytes().into_owned(), score));
                    });
                    prop_assert_eq!(&popped, &expected);
                    if let Some((member, _)) = popped {
                        model.remove(&member);
                    }
                }
                Step::Ranges(min, max, above_min, below_max) => {
                    let range = ScoreRange { min, max, above_min, below_max };
                    let expected: Vec<_> =
                        model.elements().into_iter().filter(|(_, score)| range.contains(*score)).collect();
                    let ranks = set.as_ref().ranks_by_score(&range);
                    prop_assert_eq!(ranks.len(), expected.len());
                    prop_assert_eq!(collected(set.as_ref().range(ranks)), expected);
                }
                Step::Members(min, max, above_min, below_max) => {
                    // The same members with one score.
                    let mut flat = SortedSet::new();
                    for member in model.scores.keys() {
                        flat.add(member, 7.0, Conditions::default(), &limits).unwrap();
                    }
                    let range = LexRange {
                        min: if above_min { LexBound::Excluding(&min) } else { LexBound::Including(&min) },
                        max: if below_max { LexBound::Excluding(&max) } else { LexBound::Including(&max) },
                    };
                    let expected: Vec<_> = model
                        .scores
                        .keys()
                        .filter(|member| range.contains(member))
                        .map(|member| (member.clone(), 7.0))
                        .collect();
                    for reverse in [false, true] {
                        let ranks = flat.as_ref().ranks_by_lex(&range, reverse);
                        prop_assert_eq!(collected(flat.as_ref().range(ranks)), expected.clone());
                    }
                    // In a set of many scores there is nothing to expect, but an answer.
                    let ranks = set.as_ref().ranks_by_lex(&range, above_min);
                    prop_assert!(ranks.start <= ranks.end && ranks.end <= set.len());
                }
                Step::Compact => {
                    set.compact(&limits);
                    let fits = model.scores.len() <= entries && model.scores.keys().all(|key| key.len() <= value);
                    prop_assert_eq!(set.as_ref().encoding() == "skiplist", was_large && !fits);
                }
                Step::MakeLarge => {
                    set.make_large(&limits);
                }
            }
            in_rule(&set);
            if let SortedSet::Listpack(bytes) = &set {
                prop_assert!(small::is_valid(bytes));
            }
        }
        // Everything that can be read, in the end.
        let expected = model.elements();
        let read = set.as_ref();
        prop_assert_eq!(read.len(), expected.len());
        prop_assert_eq!(&elements(&set), &expected);
        prop_assert_eq!(&elements(&set.clone()), &expected);
        let mut reverse = collected(read.iter().rev());
        reverse.reverse();
        prop_assert_eq!(&reverse, &expected);
        for (rank, (member, score)) in expected.iter().enumerate() {
            prop_assert_eq!(read.rank(member), Some((rank, *score)));
            prop_assert_eq!(read.score(member), Some(*score));
            let (at, at_score) = read.at(rank).unwrap();
            prop_assert!(at.is(member) && at_score == *score);
        }
        prop_assert_eq!(read.rank(b"nobody"), None);
        prop_assert_eq!(model.rank(b"nobody"), None);
    }

    #[test]
    fn an_iterator_of_both_ends_meets_in_the_middle(
        count in 0..400u32,
        from in 0..420usize,
        length in 0..420usize,
        large: bool,
        turns in proptest::collection::vec((any::<bool>(), 0..4usize), 0..400),
    ) {
        let limits = Limits { listpack_entries: if large { 0 } else { 1000 }, listpack_value: 64, hash_seed: 7 };
        let mut set = SortedSet::new();
        for number in 0..count {
            set.add(format!("member:{number:05}").as_bytes(), 1.0, Conditions::default(), &limits).unwrap();
        }
        let all = elements(&set);
        let start = from.min(all.len());
        let end = (from + length).min(all.len());
        let mut expected = all[start..end].iter();
        let mut iter = set.as_ref().range(from..from + length);
        for (back, skip) in turns {
            prop_assert_eq!(iter.len(), expected.len());
            let (found, wanted) = if back {
                (iter.nth_back(skip), expected.nth_back(skip))
            } else {
                (iter.nth(skip), expected.nth(skip))
            };
            prop_assert_eq!(found.is_some(), wanted.is_some());
            if let (Some((member, score)), Some(wanted)) = (found, wanted) {
                prop_assert!(member.is(&wanted.0) && score == wanted.1);
            }
        }
        let (rest, wanted) = (collected(iter), expected.cloned().collect::<Vec<_>>());
        prop_assert_eq!(rest, wanted);
    }
}

/// Numbers that look random, from a seed (xorshift).
fn random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// Grows a tree to so many elements and shrinks it to nothing again, in waves.
fn grow_and_shrink(seed: u64, most: usize, scores: u64, length: impl Fn(u64) -> usize) {
    let mut state = seed;
    let mut tree = Tree::new();
    let mut model = BTreeSet::new();
    let mut growing = true;
    let mut turns = 0;
    for step in 0.. {
        let number = random(&mut state);
        let score = (number >> 20) % scores;
        let add = number.is_multiple_of(4) != growing;
        if add {
            let mut member = vec![b'x'; length(number >> 40)];
            let name = (number >> 24).to_string();
            let place = member.len().saturating_sub(name.len());
            member.splice(place.., name.bytes());
            if model.insert((score, member.clone())) {
                tree.insert(score as f64, &member);
            }
        } else if (number >> 10).is_multiple_of(256) && !model.is_empty() {
            let from = (number >> 8) as usize % model.len();
            let gone: Vec<_> = model.iter().skip(from).take(150).cloned().collect();
            let mut removed = Vec::new();
            tree.remove_ranks(from..from + gone.len(), |score, member| {
                removed.push((score as u64, member.to_vec()))
            });
            assert_eq!(removed, gone);
            for element in gone {
                model.remove(&element);
            }
        } else if let Some(element) = model.range((score, vec![])..).next().cloned() {
            assert!(tree.remove(element.0 as f64, &element.1));
            assert!(!tree.remove(element.0 as f64, &element.1));
            model.remove(&element);
        }
        assert_eq!(tree.len(), model.len());
        if step % 300 == 0 {
            tree.check();
            for (rank, (score, member)) in model.iter().enumerate().step_by(37) {
                assert_eq!(tree.rank_of(*score as f64, member), rank);
                let (leaf, at) = tree.leaf_of(rank).unwrap();
                assert_eq!(leaf.get(at), (*score as f64, &member[..]));
            }
        }
        if growing && model.len() >= most {
            growing = false;
        } else if !growing && (model.is_empty() || turns == 0 && model.len() < most / 3) {
            turns += 1;
            growing = true;
            if turns == 3 {
                break;
            }
        }
    }
    tree.check();
}

#[test]
fn a_tree_of_small_elements_keeps_its_rules_as_it_grows_and_shrinks() {
    grow_and_shrink(1, 9000, 1 << 40, |_| 16);
    grow_and_shrink(2, 9000, 3, |number| number as usize % 40);
}

#[test]
fn a_tree_of_elements_as_large_as_leaves_keeps_its_rules() {
    grow_and_shrink(3, 1500, 1 << 40, |number| number as usize % 900);
    grow_and_shrink(4, 600, 2, |number| number as usize % 5000);
    // Members with long common beginnings: long separators.
    grow_and_shrink(5, 700, 1, |_| 700);
}

#[test]
fn elements_in_order_leave_full_leaves() {
    for descending in [false, true] {
        let mut tree = Tree::new();
        for number in 0..20_000u32 {
            let number = if descending { 20_000 - number } else { number };
            tree.insert(f64::from(number), b"sixteen bytes...");
        }
        tree.check();
        // 26 bytes in the leaf for each.
        assert!(tree.memory() < 20_000 * 29, "{}", tree.memory());
    }
}

#[test]
fn a_large_set_is_dismantled_in_steps() {
    let mut set = LargeSortedSet::new(5);
    for number in 0..20_000u32 {
        set.insert(format!("member:{number:09}").as_bytes(), f64::from(number % 1000));
    }
    let mut steps = 0;
    let mut memory = set.memory();
    while !set.dismantle(20) {
        assert!(set.memory() <= memory);
        memory = set.memory();
        steps += 1;
    }
    assert!(steps > 10, "{steps}");
    assert!(set.memory() < 1000, "{}", set.memory());
}

#[test]
fn a_set_becomes_large_where_redis_makes_it_large() {
    let limits = LIMITS;
    let mut set = SortedSet::new();
    for number in 0..128 {
        set.add(number.to_string().as_bytes(), 1.0, Conditions::default(), &limits).unwrap();
    }
    assert_eq!(set.as_ref().encoding(), "listpack");
    set.add(b"0", 2.0, Conditions::default(), &limits).unwrap();
    assert_eq!(set.as_ref().encoding(), "listpack");
    set.add(b"another", 1.0, Conditions { only_existing: true, ..Default::default() }, &limits).unwrap();
    assert_eq!(set.as_ref().encoding(), "listpack");
    set.add(b"another", 1.0, Conditions::default(), &limits).unwrap();
    assert_eq!(set.as_ref().encoding(), "skiplist");
    set.remove(b"another");
    assert_eq!(set.as_ref().encoding(), "skiplist");
    set.compact(&limits);
    assert_eq!(set.as_ref().encoding(), "listpack");

    let mut set = SortedSet::new();
    set.add(&[b'x'; 64], 1.0, Conditions::default(), &limits).unwrap();
    assert_eq!(set.as_ref().encoding(), "listpack");
    set.add(&[b'x'; 65], 1.0, Conditions::default(), &limits).unwrap();
    assert_eq!(set.as_ref().encoding(), "skiplist");

    assert_eq!(SortedSet::for_members(&[b'x'; 64], 128, &limits).as_ref().encoding(), "listpack");
    assert_eq!(SortedSet::for_members(b"x", 129, &limits).as_ref().encoding(), "skiplist");
    assert_eq!(SortedSet::for_members(&[b'x'; 65], 1, &limits).as_ref().encoding(), "skiplist");
    let mut set = SortedSet::new();
    set.expect(128, &limits);
    assert_eq!(set.as_ref().encoding(), "listpack");
    set.expect(129, &limits);
    assert_eq!(set.as_ref().encoding(), "skiplist");
}

#[test]
fn a_listpack_holds_scores_as_redis_writes_them() {
    let mut set = SortedSet::new();
    for (member, score) in
        [("b", 1.5), ("a", 1.0), ("10", -0.0), ("inf", f64::INFINITY), ("big", 1e19), ("c", 1.0)]
    {
        set.add(member.as_bytes(), score, Conditions::default(), &LIMITS).unwrap();
    }
    let SortedSet::Listpack(bytes) = &set else { panic!("six elements") };
    // Lengths, then for each element its encoding, its bytes and its size.
    let mut expected = vec![54, 0, 0, 0, 12, 0];
    expected.extend_from_slice(&[10, 1, 0, 1]);
    expected.extend_from_slice(&[0x81, b'a', 2, 1, 1]);
    expected.extend_from_slice(&[0x81, b'c', 2, 1, 1]);
    expected.extend_from_slice(&[0x81, b'b', 2, 0x83, b'1', b'.', b'5', 4]);
    expected.extend_from_slice(&[0x83, b'b', b'i', b'g', 4, 0x85, b'1', b'e', b'+', b'1', b'9', 6]);
    expected.extend_from_slice(&[0x83, b'i', b'n', b'f', 4, 0x83, b'i', b'n', b'f', 4]);
    expected.push(0xff);
    expected[0] = expected.len() as u8;
    assert_eq!(bytes, &expected);
    assert_eq!(set.as_ref().score(b"10").map(f64::to_bits), Some(0.0f64.to_bits()));
    assert!(SortedSet::from_listpack(expected.clone(), &LIMITS).is_some());
}

#[test]
fn listpacks_from_outside_are_checked() {
    let pack = |items: &[&str]| {
        let mut pack = listpack::create();
        for item in items {
            listpack::push_back(&mut pack, item.as_bytes());
        }
        pack
    };
    let limits = Limits { listpack_entries: 2, listpack_value: 64, hash_seed: 7 };
    let accepted = |items: &[&str]| SortedSet::from_listpack(pack(items), &limits);
    assert!(accepted(&[]).is_some());
    // Redis 7.0 wrote 17 digits.
    let set = accepted(&["a", "0.10000000000000001", "b", "inf"]).unwrap();
    assert_eq!(set.as_ref().score(b"a"), Some(0.1));
    assert_eq!(accepted(&["a", "1", "b", "2", "c", "3"]).unwrap().as_ref().encoding(), "skiplist");
    for bad in [
        &["a"][..],
        &["a", "1", "a", "2"],
        &["b", "1", "a", "1"],
        &["a", "2", "b", "1"],
        &["a", "nan"],
        &["a", "x"],
    ] {
        assert!(accepted(bad).is_none(), "{bad:?}");
    }
    assert!(SortedSet::from_listpack(b"nonsense".to_vec(), &limits).is_none());
}

#[test]
fn infinities_that_meet_are_no_score() {
    for entries in [0, 128] {
        let limits = Limits { listpack_entries: entries, listpack_value: 64, hash_seed: 7 };
        let mut set = SortedSet::new();
        let all = Conditions::default();
        assert_eq!(set.add(b"a", f64::NAN, all, &limits), Err(NotANumber));
        assert_eq!(set.increment(b"a", f64::INFINITY, all, &limits), Ok(Added::New(f64::INFINITY)));
        assert_eq!(set.increment(b"a", f64::NEG_INFINITY, all, &limits), Err(NotANumber));
        assert_eq!(set.as_ref().score(b"a"), Some(f64::INFINITY));
        let greater = Conditions { only_greater: true, ..all };
        assert_eq!(set.add(b"a", 1.0, greater, &limits), Ok(Added::Refused));
        assert_eq!(set.add(b"b", 1.0, greater, &limits), Ok(Added::New(1.0)));
    }
}

#[test]
fn members_of_many_scores_are_ranged_in_a_listpack_as_redis_walks() {
    let mut set = SortedSet::new();
    for (member, score) in [("b", 1.0), ("d", 2.0), ("a", 3.0), ("c", 4.0)] {
        set.add(member.as_bytes(), score, Conditions::default(), &LIMITS).unwrap();
    }
    let ranks = |min: &str, max: &str, reverse| {
        let range = LexRange::parse(min.as_bytes(), max.as_bytes()).unwrap();
        set.as_ref().ranks_by_lex(&range, reverse)
    };
    assert_eq!(ranks("[b", "[c", false), 0..1);
    assert_eq!(ranks("[b", "[c", true), 3..4);
    assert_eq!(ranks("-", "+", false), 0..4);
    // The first member is above the end.
    assert_eq!(ranks("-", "[a", false), 0..0);
}

#[test]
fn random_elements_are_all_as_likely() {
    let mut set = SortedSet::new();
    for number in 0..10u32 {
        set.add(&[b'a' + number as u8], f64::from(number), Conditions::default(), &LIMITS).unwrap();
    }
    let mut counts = [0; 10];
    let mut state = 9;
    for _ in 0..10_000 {
        let (_, score) = set.as_ref().random(&mut || random(&mut state)).unwrap();
        counts[score as usize] += 1;
    }
    assert!(counts.iter().all(|count| (850..1150).contains(count)), "{counts:?}");
    assert!(SortedSet::new().as_ref().random(&mut || 5).is_none());

    let mut counts = [0; 10];
    for _ in 0..3000 {
        let mut seen = BTreeSet::new();
        set.as_ref().sample(4, &mut || random(&mut state), &mut |member, score| {
            assert!(seen.insert(member.to_bytes().into_owned()));
            counts[score as usize] += 1;
        });
        assert_eq!(seen.len(), 4);
    }
    assert!(counts.iter().all(|count| (1080..1320).contains(count)), "{counts:?}");
    let mut told = 0;
    set.as_ref().sample(11, &mut || 0, &mut |_, _| told += 1);
    assert_eq!(told, 10);
}

#[test]
fn whoever_stays_during_a_scan_is_told() {
    for (limits, large) in [(LIMITS, false), (Limits { listpack_entries: 0, ..LIMITS }, true)] {
        let mut set = SortedSet::new();
        let count = if large { 5000 } else { 100 };
        for number in 0..count {
            set.add(format!("stays:{number}").as_bytes(), 1.0, Conditions::default(), &limits).unwrap();
        }
        let mut told = BTreeMap::new();
        let mut cursor = 0;
        let mut turn = 0;
        loop {
            cursor = set.as_ref().scan(cursor, 10, &mut |member, score| {
                told.insert(member.to_bytes().into_owned(), score);
            });
            if cursor == 0 {
                break;
            }
            // Growth in between, and new scores for those who stay.
            for number in 0..20 {
                let member = format!("comes:{turn}:{number}");
                set.add(member.as_bytes(), 0.0, Conditions::default(), &limits).unwrap();
            }
            let member = format!("stays:{}", turn % count);
            set.add(member.as_bytes(), 2.0, Conditions::default(), &limits).unwrap();
            turn += 1;
        }
        for number in 0..count {
            assert!(told.contains_key(format!("stays:{number}").as_bytes()), "{number}");
        }
        assert!(turn > 0 || !large);
    }
}

#[test]
fn an_element_of_a_million_costs_little() {
    // A tenth of a million here; the cost per element hardly depends on it.
    let mut set = LargeSortedSet::new(5);
    let mut state = 11;
    for number in 0..100_000u32 {
        set.insert(format!("member:{number:09}").as_bytes(), random(&mut state) as f64);
    }
    let overhead = set.memory() / 100_000 - 24;
    assert!(overhead <= 56, "{overhead}");
}
