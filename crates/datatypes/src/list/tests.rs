use super::*;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::VecDeque;

type Model = VecDeque<Vec<u8>>;

fn elements_of(list: &List) -> Model {
    list.as_ref().iter().map(|item| item.to_bytes().into_owned()).collect()
}

fn limits(listpack_size: i32) -> Limits {
    Limits { listpack_size, ..Limits::default() }
}

fn push(list: &mut List, value: impl AsRef<[u8]>, at: End, limits: &Limits) {
    list.push(std::iter::once(value.as_ref()), at, limits);
}

/// The sizes of a large list's nodes in elements.
fn nodes_of(list: &List) -> Vec<usize> {
    let List::Large(list) = list else { panic!("not large") };
    list.nodes()
        .map(|node| match node {
            NodeRef::Packed(listpack) => listpack.len(),
            NodeRef::Plain(_) => 1,
        })
        .collect()
}

#[test]
fn a_list_is_large_beyond_the_limit_on_bytes_and_small_again_below_half_of_it() {
    // Elements of 100 bytes take 103; the listpack itself 7: 39 of them, and what is to come is counted as 100.
    for (size, most, fewest) in
        [(-1, 39, 19), (-2, 79, 39), (-5, 636, 318), (-6, 636, 318), (i32::MIN, 636, 318)]
    {
        let limits = limits(size);
        let mut list = List::new();
        for _ in 0..most {
            push(&mut list, [b'x'; 100], End::Back, &limits);
        }
        assert_eq!(list.as_ref().encoding(), "listpack", "{size}");
        push(&mut list, [b'x'; 100], End::Back, &limits);
        assert_eq!(list.as_ref().encoding(), "quicklist", "{size}");
        while list.as_ref().len() > fewest + 1 {
            assert!(list.pop(End::Front, &limits, |item| item.is(&[b'x'; 100])).unwrap());
            assert_eq!(list.as_ref().encoding(), "quicklist", "{size}: {}", list.as_ref().len());
        }
        list.pop(End::Back, &limits, |_| ());
        assert_eq!(list.as_ref().encoding(), "listpack", "{size}");
    }
}

#[test]
fn a_list_is_large_beyond_the_limit_on_elements_and_small_again_at_half_of_it() {
    let limits = limits(10);
    let mut list = List::new();
    for number in 0..10 {
        push(&mut list, number.to_string(), End::Back, &limits);
    }
    assert_eq!(list.as_ref().encoding(), "listpack");
    push(&mut list, "10", End::Back, &limits);
    assert_eq!((list.as_ref().encoding(), nodes_of(&list)), ("quicklist", vec![10, 1]));
    // Two nodes are two nodes, however few their elements.
    assert_eq!(list.trim(8, -1, &limits).count, 8);
    assert_eq!((list.as_ref().encoding(), nodes_of(&list)), ("quicklist", vec![2, 1]));
    list.pop(End::Back, &limits, |_| ());
    assert_eq!(list.as_ref().encoding(), "listpack");
    // A limit on elements is also one of 8 KB.
    push(&mut list, vec![b'x'; 8192], End::Back, &limits);
    assert_eq!((list.as_ref().encoding(), nodes_of(&list)), ("quicklist", vec![2, 1]));
}

#[test]
fn all_that_one_command_brings_is_counted_before_it_is_added() {
    let limits = limits(3);
    let mut list = List::new();
    list.push([b"a", b"b", b"c", b"d"].iter().map(|value| &value[..]), End::Front, &limits);
    assert_eq!((list.as_ref().encoding(), nodes_of(&list)), ("quicklist", vec![1, 3]));
    // An insertion that finds no pivot has converted the list all the same.
    let mut list = List::new();
    list.push([b"a", b"b", b"c"].iter().map(|value| &value[..]), End::Back, &limits);
    assert!(!list.insert(b"nothing", b"d", End::Back, &limits));
    assert_eq!(list.as_ref().encoding(), "quicklist");
}

#[test]
fn a_built_list_settles_at_the_whole_limit() {
    let mut list = Quicklist::new();
    let mut bytes = listpack::create();
    (0..10).for_each(|number| listpack::push_back_int(&mut bytes, number));
    list.push_packed_node(bytes.clone());
    list.push_packed_node(listpack::create());
    let mut list = List::Large(Box::new(list));
    list.settle(&limits(9));
    assert_eq!(list.as_ref().encoding(), "quicklist");
    list.settle(&limits(10));
    assert_eq!(list.as_ref().encoding(), "listpack");
    let List::Listpack(settled) = &list else { unreachable!() };
    assert_eq!(*settled, bytes);
    list.settle(&limits(9));
    assert_eq!(list.as_ref().encoding(), "quicklist");
}

/// The sequences of nodes that DUMP of a Redis 7.0 shows, with list-max-listpack-size 4.
#[test]
fn elements_go_to_the_nodes_that_redis_puts_them_in() {
    let limits = limits(4);
    let mut list = List::new();
    for number in 0..12 {
        push(&mut list, number.to_string(), End::Back, &limits);
    }
    assert_eq!(nodes_of(&list), [4, 4, 4]);
    assert!(list.insert(b"5", b"x", End::Back, &limits));
    assert_eq!(nodes_of(&list), [4, 2, 3, 4]);
    assert!(list.insert(b"4", b"y", End::Front, &limits));
    assert_eq!(nodes_of(&list), [4, 3, 3, 4]);
    assert!(list.insert(b"3", b"z", End::Back, &limits));
    assert_eq!(nodes_of(&list), [4, 4, 3, 4]);
    assert!(list.insert(b"y", b"v", End::Front, &limits));
    assert_eq!(nodes_of(&list), [4, 2, 3, 3, 4]);
}

/// As the debug option for the threshold of plain nodes shows it in a Redis 7.0.
#[test]
fn huge_elements_are_nodes_of_their_own() {
    let limits = Limits { listpack_size: 4, plain_from: 60 };
    let huge = [b'h'; 60];
    let mut list = List::new();
    for number in 0..6 {
        push(&mut list, number.to_string(), End::Back, &limits);
    }
    assert!(list.insert(b"1", &huge, End::Back, &limits));
    let kinds = |list: &List| -> Vec<usize> {
        let List::Large(list) = list else { panic!("not large") };
        list.nodes().map(|node| if let NodeRef::Packed(part) = node { part.len() } else { 0 }).collect()
    };
    assert_eq!(kinds(&list), [2, 0, 2, 2]);
    // What replaces it joins the next node.
    assert!(list.as_ref().get(2).unwrap().is(&huge));
    assert!(list.set(2, b"x", &limits));
    assert_eq!(kinds(&list), [2, 3, 2]);
    assert!(list.set(3, &huge, &limits));
    assert_eq!(kinds(&list), [2, 1, 0, 1, 2]);
    assert_eq!(list.as_ref().positions(&huge, End::Front, 10).collect::<Vec<_>>(), [3]);
    assert_eq!(list.remove_equal(&huge, -1, &limits), 1);
    assert_eq!(kinds(&list), [2, 1, 1, 2]);
    // One huge element is no listpack, however few it is.
    assert!(list.set(0, &huge, &limits));
    assert_eq!(list.trim(0, 0, &limits).count, 5);
    assert_eq!(kinds(&list), [0]);
    assert_eq!(list.trim(1, 0, &limits).count, 1);
    assert_eq!((list.as_ref().encoding(), list.as_ref().len()), ("listpack", 0));
}

#[test]
fn a_list_of_many_nodes_is_sought_and_freed_in_steps() {
    let limits = limits(1);
    let mut list = Quicklist::new();
    for number in 0..200_000 {
        list.push(number.to_string().as_bytes(), End::Back, &limits);
    }
    assert_eq!(list.node_count(), 200_000);
    for index in (0..200_000).step_by(997) {
        assert!(list.get(index).unwrap().is(index.to_string().as_bytes()));
    }
    for _ in 0..1000 {
        list.insert_at(b"100", b"x", End::Front, &limits);
    }
    list.check();
    // The element, the node and its share of the blocks.
    assert!(list.memory() < 200_000 * 60, "{}", list.memory());
    assert!(!list.dismantle(1000));
    assert_eq!(list.node_count(), 200_000);
    assert!(list.dismantle(200_000));
    assert!(list.is_empty() && list.dismantle(1));
}

#[test]
fn what_is_trimmed_off_a_large_list_is_left_to_be_dismantled() {
    for (size, elements) in [(-2, 100_000), (7, 50_000), (1, 30_000)] {
        let limits = limits(size);
        let mut list = List::new();
        for number in 0..elements {
            push(&mut list, number.to_string(), End::Back, &limits);
        }
        let before = memory_of(&list);
        let trimmed = list.trim(10_003, elements - 10_011, &limits);
        assert_eq!((trimmed.count, trimmed.parts.len()), (20_013, 2));
        let mut numbers: Vec<_> = list.as_ref().iter().map(|item| item.as_i64().unwrap()).collect();
        assert!(numbers.iter().copied().eq(10_003..elements - 10_010));
        let mut parts = trimmed.parts;
        numbers.extend(
            parts.iter().flat_map(|part| ListRef::Large(part).iter().map(|item| item.as_i64().unwrap())),
        );
        numbers.sort_unstable();
        assert!(numbers.iter().copied().eq(0..elements));
        let List::Large(large) = &list else { panic!("not large") };
        large.check();
        parts.iter().for_each(|part| part.check());
        // The blocks and nodes along the cuts are halved.
        let after = memory_of(&list) + parts.iter().map(|part| part.memory()).sum::<usize>();
        assert!(after.abs_diff(before) < 30_000, "{before} {after}");
        assert!(parts.iter_mut().all(|part| part.dismantle(usize::MAX)));
        assert_eq!(list.trim(5, 4, &limits).count as i64, elements - 20_013);
        assert_eq!((list.as_ref().len(), list.as_ref().encoding()), (0, "listpack"));
    }
}

fn memory_of(list: &List) -> usize {
    let List::Large(list) = list else { panic!("not large") };
    list.memory()
}

fn element() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => (0u8..6).prop_map(|number| number.to_string().into_bytes()),
        3 => vec(any::<u8>(), 0..20),
        3 => (0usize..300).prop_map(|length| vec![b'x'; length]),
        1 => (4000usize..4200).prop_map(|length| vec![b'x'; length]),
        1 => (8100usize..8300).prop_map(|length| vec![b'x'; length]),
    ]
}

#[derive(Clone, Debug)]
enum Step {
    Push(Vec<Vec<u8>>, End),
    Pop(End),
    PopMany(End, usize),
    Set(i64, Vec<u8>),
    Insert(Vec<u8>, Vec<u8>, End),
    RemoveEqual(Vec<u8>, i64),
    Trim(i64, i64),
    RemoveRange(usize, usize),
    Settle,
}

fn step() -> impl Strategy<Value = Step> {
    let end = || prop_oneof![Just(End::Front), Just(End::Back)];
    let index = || prop_oneof![8 => -60i64..60, 1 => Just(i64::MIN), 1 => Just(i64::MAX)];
    prop_oneof![
        6 => (vec(element(), 1..12), end()).prop_map(|(values, at)| Step::Push(values, at)),
        3 => end().prop_map(Step::Pop),
        1 => (end(), 0usize..12).prop_map(|(from, count)| Step::PopMany(from, count)),
        3 => (index(), element()).prop_map(|(index, value)| Step::Set(index, value)),
        6 => (element(), element(), end()).prop_map(|(pivot, value, toward)| Step::Insert(pivot, value, toward)),
        2 => (element(), -4i64..5).prop_map(|(value, count)| Step::RemoveEqual(value, count)),
        1 => (0i64..8, -8i64..0).prop_map(|(first, last)| Step::Trim(first, last)),
        1 => (index(), index()).prop_map(|(first, last)| Step::Trim(first, last)),
        1 => (0usize..60, 0usize..30).prop_map(|(from, count)| Step::RemoveRange(from, count)),
        1 => Just(Step::Settle),
    ]
}

/// Where an index points in a model of this length.
fn absolute(index: i64, length: usize) -> i128 {
    i128::from(index) + if index < 0 { length as i128 } else { 0 }
}

/// The part of a model that LRANGE would give.
fn range(first: i64, last: i64, length: usize) -> std::ops::Range<usize> {
    let first = absolute(first, length).max(0);
    let last = absolute(last, length).min(length as i128 - 1);
    if first > last {
        0..0
    } else {
        first as usize..last as usize + 1
    }
}

fn take(step: &Step, list: &mut List, model: &mut Model, limits: &Limits) {
    match step {
        Step::Push(values, at) => {
            list.push(values.iter().map(Vec::as_slice), *at, limits);
            for value in values {
                match at {
                    End::Back => model.push_back(value.clone()),
                    End::Front => model.push_front(value.clone()),
                }
            }
        }
        Step::Pop(from) => {
            let expected = if *from == End::Back { model.pop_back() } else { model.pop_front() };
            assert_eq!(list.pop(*from, limits, |item| item.to_bytes().into_owned()), expected);
        }
        Step::PopMany(from, count) => {
            for _ in 0..*count {
                take(&Step::Pop(*from), list, model, limits);
            }
        }
        Step::Set(index, value) => {
            let place = usize::try_from(absolute(*index, model.len())).ok().and_then(|at| model.get_mut(at));
            assert_eq!(list.set(*index, value, limits), place.is_some());
            place.into_iter().for_each(|place| place.clone_from(value));
        }
        Step::Insert(pivot, value, toward) => {
            let found = model.iter().position(|element| element == pivot);
            assert_eq!(list.insert(pivot, value, *toward, limits), found.is_some());
            if let Some(found) = found {
                model.insert(found + usize::from(*toward == End::Back), value.clone());
            }
        }
        Step::RemoveEqual(value, count) => {
            let mut places: Vec<usize> = (0..model.len()).filter(|&at| model[at] == *value).collect();
            match count {
                1.. => places.truncate(*count as usize),
                0 => (),
                _ => drop(places.drain(..places.len().saturating_sub(-count as usize))),
            }
            assert_eq!(list.remove_equal(value, *count, limits), places.len());
            places.iter().rev().for_each(|&at| drop(model.remove(at)));
        }
        Step::Trim(first, last) => {
            let range = range(*first, *last, model.len());
            let trimmed = list.trim(*first, *last, limits);
            assert_eq!((trimmed.count, trimmed.parts.len()), (model.len() - range.len(), 0));
            model.truncate(range.end);
            model.drain(..range.start);
        }
        Step::RemoveRange(from, count) => {
            list.remove_range(*from, *count, limits);
            model.drain((*from).min(model.len())..(from + count).min(model.len()));
        }
        Step::Settle => list.settle(limits),
    }
}

fn check(list: &List, model: &Model) {
    assert_eq!(&elements_of(list), model);
    assert_eq!((list.as_ref().len(), list.as_ref().is_empty()), (model.len(), model.is_empty()));
    match list {
        List::Listpack(bytes) => assert!(Listpack::validate(bytes).is_some()),
        List::Large(large) => large.check(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn a_list_is_a_deque_of_strings(
        steps in vec(step(), 0..60),
        listpack_size in prop_oneof![Just(-2), Just(-1), Just(0), Just(1), Just(3), Just(10), Just(128)],
        plain_from in prop_oneof![Just(PLAIN_FROM), Just(100), Just(4100)],
        needle in element(), first in -60i64..60, last in -60i64..60, most in 0usize..60,
    ) {
        let limits = Limits { listpack_size, plain_from };
        let (mut list, mut model) = (List::new(), Model::new());
        for step in &steps {
            take(step, &mut list, &mut model, &limits);
            check(&list, &model);
        }
        let copy = list.clone();
        prop_assert_eq!(&elements_of(&copy), &model);
        let whole = copy.as_ref();
        for index in 0..model.len() {
            prop_assert!(whole.get(index as i64).unwrap().is(&model[index]));
            prop_assert!(whole.get(index as i64 - model.len() as i64).unwrap().is(&model[index]));
            let behind = whole.iter_from(index, End::Back).map(|item| item.to_bytes().into_owned());
            prop_assert!(behind.eq(model.iter().skip(index).cloned()));
            let before = whole.iter_from(index, End::Front).map(|item| item.to_bytes().into_owned());
            prop_assert!(before.eq(model.iter().take(index + 1).rev().cloned()));
        }
        prop_assert!(whole.get(model.len() as i64).is_none() && whole.get(-1 - model.len() as i64).is_none());
        prop_assert!(whole.iter_from(model.len(), End::Front).next().is_none());
        let part: Vec<_> = whole.range(first, last).map(|item| item.to_bytes().into_owned()).collect();
        let expected = range(first, last, model.len());
        prop_assert!(part.iter().eq(model.range(expected)));
        for value in model.iter().take(5).chain([&needle]) {
            let found: Vec<_> = whole.positions(value, End::Back, most).collect();
            let expected: Vec<_> = (0..model.len()).take(most).filter(|&at| model[at] == *value).collect();
            prop_assert_eq!(found, expected);
            let found: Vec<_> = whole.positions(value, End::Front, most).collect();
            let expected: Vec<_> = (0..model.len()).rev().take(most).filter(|&at| model[at] == *value).collect();
            prop_assert_eq!(found, expected);
        }
        if let List::Large(mut large) = copy {
            let (nodes, mut freed) = (large.node_count(), 0);
            while !large.dismantle(1) {
                freed += 1;
                large.check();
            }
            prop_assert!(freed + 1 == nodes || nodes == 0);
        }
    }

    #[test]
    fn many_nodes_are_one_list(changes in vec((any::<prop::sample::Index>(), 0u8..8), 0..600), grown in 0usize..3000) {
        // Nodes of one element: the tree alone, several levels of it.
        let limits = limits(1);
        let (mut list, mut model) = (Quicklist::new(), Model::new());
        for number in 0..grown {
            let value = number.to_string().into_bytes();
            list.push(&value, if number % 3 == 0 { End::Front } else { End::Back }, &limits);
            if number % 3 == 0 { model.push_front(value) } else { model.push_back(value) }
        }
        list.check();
        for (at, kind) in changes {
            let value = format!("v{}", model.len()).into_bytes();
            if model.is_empty() {
                list.push(&value, End::Back, &limits);
                model.push_back(value);
                continue;
            }
            let index = at.index(model.len());
            match kind {
                0..=2 => {
                    let pivot = model[index].clone();
                    let index = model.iter().position(|element| *element == pivot).unwrap();
                    prop_assert!(list.insert_at(&pivot, &value, End::Back, &limits));
                    model.insert(index + 1, value);
                }
                3..=5 => {
                    list.remove_range(index, 7);
                    model.drain(index..(index + 7).min(model.len()));
                }
                6 if model.len() > 1000 => {
                    let mut part = list.split_off(index);
                    list.check();
                    part.check();
                    let mut part_model = model.split_off(index);
                    prop_assert_eq!((list.len(), part.len()), (model.len(), part_model.len()));
                    if part_model.len() > model.len() {
                        std::mem::swap(&mut part, &mut list);
                        std::mem::swap(&mut part_model, &mut model);
                    }
                }
                6 => {
                    list.remove_range(index, 300);
                    model.drain(index..(index + 300).min(model.len()));
                }
                _ => {
                    prop_assert!(list.replace(index, &value, &limits));
                    model[index] = value;
                }
            }
        }
        list.check();
        prop_assert_eq!(list.len(), model.len());
        if !model.is_empty() {
            let list = ListRef::Large(&list);
            prop_assert_eq!(list.iter().count(), model.len());
            prop_assert!(list.iter().zip(&model).all(|(item, expected)| item.is(expected)));
            let backwards = list.iter_from(model.len() - 1, End::Front);
            prop_assert!(backwards.zip(model.iter().rev()).all(|(item, expected)| item.is(expected)));
        }
    }
}
