use super::*;
use proptest::collection::vec;
use proptest::prelude::*;

fn listpack_of<T: AsRef<[u8]>>(elements: &[T]) -> Vec<u8> {
    let mut listpack = create();
    elements.iter().for_each(|element| push_back(&mut listpack, element.as_ref()));
    listpack
}

fn elements_of(listpack: &[u8]) -> Vec<Vec<u8>> {
    Listpack::new(listpack).iter().map(|item| item.to_bytes().into_owned()).collect()
}

fn bytes_of(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

/// Taken from the payloads that a Redis 7.0 gives for DUMP of lists with these elements.
#[test]
fn listpacks_are_those_of_redis() {
    for (elements, hex) in [
        ("", "07000000 0000 ff"),
        ("a", "0a000000 0100 81 61 02 ff"),
        ("0 127 128 -1 4095 -4096", "17000000 0600 0001 7f01 c08002 dfff02 cfff02 d00002 ff"),
        ("4096 -4097 32767 -32768", "17000000 0400 f1001003 f1ffef03 f1ff7f03 f1008003 ff"),
        ("32768 -32769 8388607 -8388608", "1b000000 0400 f200800004 f2ff7fff04 f2ffff7f04 f200008004 ff"),
        (
            "8388608 -8388609 2147483647 -2147483648",
            "1f000000 0400 f30000800005 f3ffff7fff05 f3ffffff7f05 f30000008005 ff",
        ),
        (
            "2147483648 -2147483649 9223372036854775807 -9223372036854775808",
            "2f000000 0400 f4000000800000000009 f4ffffff7fffffffff09 f4ffffffffffffff7f09 f4000000000000008009 ff",
        ),
        (
            "hello 01 -0 +1 1.5",
            "1f000000 0500 85 68656c6c6f 06 82 3031 03 82 2d30 03 82 2b31 03 83 312e35 04 ff",
        ),
    ] {
        let elements: Vec<&str> = elements.split_whitespace().collect();
        let expected = bytes_of(hex);
        assert_eq!(listpack_of(&elements), expected, "{elements:?}");
        assert_eq!(elements_of(&expected), elements.iter().map(|e| e.as_bytes().to_vec()).collect::<Vec<_>>());
        assert!(Listpack::validate(&expected).is_some(), "{elements:?}");
    }
}

#[test]
fn lengths_and_backlens_take_the_bytes_that_redis_gives_them() {
    // length of the string, bytes that say it, backlen
    for (length, head, backlen) in [
        (63, "bf", "40"),
        (64, "e040", "42"),
        (125, "e07d", "7f"),
        (126, "e07e", "0180"),
        (4095, "efff", "2081"),
        (4096, "f000100000", "2085"),
        (16377, "f0f93f0000", "7ffe"),
        // 16383 would fit two groups of 7 bits, yet takes three.
        (16378, "f0fa3f0000", "00ffff"),
        (2097145, "f0f9ff1f00", "7ffffe"),
        (2097146, "f0faff1f00", "00ffffff"),
    ] {
        let element = vec![b'x'; length];
        let listpack = listpack_of(&[&element]);
        let (head, backlen) = (bytes_of(head), bytes_of(backlen));
        assert!(listpack[HEADER..].starts_with(&head), "{length}");
        assert_eq!(&listpack[HEADER + head.len() + length..listpack.len() - 1], backlen, "{length}");
        assert_eq!(entry_size(&element), head.len() + length + backlen.len());
        assert!(Listpack::validate(&listpack).is_some(), "{length}");
        let whole = Listpack::new(&listpack);
        assert_eq!(whole.last(), whole.first());
        assert!(whole.iter().next_back().unwrap().is(&element));
    }
}

#[test]
fn the_count_gives_up_at_65535_for_good() {
    let mut listpack = create();
    for number in 0..65534 {
        push_back_int(&mut listpack, number);
    }
    assert_eq!(listpack[4..6], [0xFE, 0xFF]);
    push_back(&mut listpack, b"one");
    assert_eq!(listpack[4..6], [0xFF, 0xFF]);
    assert_eq!(Listpack::new(&listpack).len(), 65535);
    push_front(&mut listpack, b"two");
    let whole = Listpack::validate(&listpack).unwrap();
    assert_eq!(whole.len(), 65536);
    assert!(whole.get(whole.at(-1).unwrap()).is(b"one"));
    assert!(whole.get(whole.at(65535).unwrap()).is(b"one"));
    assert!(whole.get(whole.at(-65536).unwrap()).is(b"two"));
    assert_eq!((whole.at(65536), whole.at(-65537)), (None, None));
    remove_range(&mut listpack, 1, 65000);
    assert_eq!(listpack[4..6], [0xFF, 0xFF]);
    assert_eq!(Listpack::validate(&listpack).unwrap().len(), 536);
}

#[test]
fn elements_are_compared_by_what_they_say() {
    // "12" as a string, which Redis would not write.
    let foreign = bytes_of("0b000000 0100 823132 03 ff");
    let foreign = Listpack::validate(&foreign).unwrap();
    let first = foreign.first().unwrap();
    assert_eq!(foreign.get(first), Item::Int(12));
    assert_eq!(Item::Int(12), foreign.get(first));
    assert_eq!(foreign.find(b"12", first, 1), Some(first));
    assert_eq!(foreign.find(b"012", first, 1), None);
    assert_eq!(foreign.get(first).as_i64(), Some(12));
    assert!(!Item::Int(12).is(b"12 ") && Item::Int(-3).is(b"-3") && Item::Int(-3).len() == 2);
}

#[test]
fn a_listpack_has_room_up_to_a_gibibyte() {
    let listpack = create();
    assert!(safe_to_add(&listpack, MOST_BYTES - 7));
    assert!(!safe_to_add(&listpack, MOST_BYTES - 6));
    assert!(!safe_to_add(&listpack, usize::MAX));
}

#[test]
fn what_is_no_listpack_is_refused() {
    for hex in [
        "",
        "00",
        "070000000000",
        "070000000000fe",             // no end
        "080000000000ff",             // a wrong length
        "090000000000 0001 ff",       // a wrong count
        "090000000100 0002 ff",       // a wrong backlen
        "0a0000000100 00 0081 ff",    // a backlen longer than it need be
        "0a000000ffff 8261 ff ff",    // a string that leaves no room for its backlen
        "08000000ffff 00 ff",         // an integer without a backlen
        "08000000ffff e0 ff",         // a length that is cut off
        "0b000000ffff f0ffffff ff",   // the same
        "0c000000ffff f0ffffffff ff", // a string of 4 GiB
        "09000000ffff f501 ff",       // no tag
        "0b000000ffff ff000100ff",    // an end in the middle
        "09000000ffff 0001 00",       // no end
        "0b000000ffff f4000000 ff",   // an integer cut off
    ] {
        assert!(Listpack::validate(&bytes_of(hex)).is_none(), "{hex}");
    }
    assert!(Listpack::validate(&bytes_of("09000000ffff 0001 ff")).is_some());
}

fn element() -> impl Strategy<Value = Vec<u8>> {
    let text = |length: std::ops::Range<usize>| (length, any::<u8>()).prop_map(|(n, byte)| vec![byte; n]);
    prop_oneof![
        4 => any::<i64>().prop_map(|number| number.to_string().into_bytes()),
        4 => (0u32..63, -1i64..=1, any::<bool>()).prop_map(|(bits, off, minus)| {
            let number = (1i64 << bits) + off;
            (if minus { -number } else { number }).to_string().into_bytes()
        }),
        4 => vec(any::<u8>(), 0..5),
        4 => vec(prop_oneof![Just(b'0'), Just(b'-'), Just(b'1')], 0..4),
        2 => text(60..67),
        2 => text(120..130),
        1 => text(4090..4100),
        1 => text(16370..16390),
    ]
}

#[derive(Clone, Debug)]
enum Step {
    PushBack(Vec<u8>),
    PushFront(Vec<u8>),
    PushInt(i64),
    Before(usize, Vec<u8>),
    After(usize, Vec<u8>),
    Replace(usize, Vec<u8>),
    ReplaceInt(usize, i64),
    Remove(usize),
    RemoveRange(isize, usize),
    Split(usize),
    RemoveAll(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => element().prop_map(Step::PushBack),
        2 => element().prop_map(Step::PushFront),
        1 => any::<i64>().prop_map(Step::PushInt),
        2 => (any::<usize>(), element()).prop_map(|(at, element)| Step::Before(at, element)),
        2 => (any::<usize>(), element()).prop_map(|(at, element)| Step::After(at, element)),
        2 => (any::<usize>(), element()).prop_map(|(at, element)| Step::Replace(at, element)),
        1 => (any::<usize>(), any::<i64>()).prop_map(|(at, number)| Step::ReplaceInt(at, number)),
        2 => any::<usize>().prop_map(Step::Remove),
        1 => (-20isize..20, 0usize..5).prop_map(|(from, count)| Step::RemoveRange(from, count)),
        1 => any::<usize>().prop_map(Step::Split),
        1 => (any::<u64>(), any::<u64>()).prop_map(|(some, others)| Step::RemoveAll(some & others)),
    ]
}

/// Does a step to both; steps at a place need an element to be there.
fn take(step: &Step, listpack: &mut Vec<u8>, model: &mut Vec<Vec<u8>>) {
    let place = |at: &usize, listpack: &[u8]| {
        let index = at % model.len().max(1);
        Listpack::new(listpack).at(index as isize).map(|pos| (index, pos))
    };
    match step {
        Step::PushBack(element) => {
            push_back(listpack, element);
            model.push(element.clone());
        }
        Step::PushFront(element) => {
            push_front(listpack, element);
            model.insert(0, element.clone());
        }
        Step::PushInt(number) => {
            push_back_int(listpack, *number);
            model.push(number.to_string().into_bytes());
        }
        Step::Before(at, element) => {
            let Some((index, pos)) = place(at, listpack) else { return };
            let pos = insert_before(listpack, pos, element);
            assert!(Listpack::new(listpack).get(pos).is(element));
            model.insert(index, element.clone());
        }
        Step::After(at, element) => {
            let Some((index, pos)) = place(at, listpack) else { return };
            let pos = insert_after(listpack, pos, element);
            assert!(Listpack::new(listpack).get(pos).is(element));
            model.insert(index + 1, element.clone());
        }
        Step::Replace(at, element) => {
            let Some((index, pos)) = place(at, listpack) else { return };
            let pos = replace(listpack, pos, element);
            assert!(Listpack::new(listpack).get(pos).is(element));
            model[index].clone_from(element);
        }
        Step::ReplaceInt(at, number) => {
            let Some((index, pos)) = place(at, listpack) else { return };
            replace_int(listpack, pos, *number);
            model[index] = number.to_string().into_bytes();
        }
        Step::Remove(at) => {
            let Some((index, pos)) = place(at, listpack) else { return };
            let next = remove(listpack, pos);
            model.remove(index);
            assert_eq!(next, Listpack::new(listpack).at(index as isize));
        }
        Step::RemoveRange(from, count) => {
            remove_range(listpack, *from, *count);
            let length = model.len() as isize;
            let from = if *from < 0 { *from + length } else { *from };
            if (0..length).contains(&from) {
                model.drain(from as usize..(from as usize + count).min(model.len()));
            }
        }
        Step::RemoveAll(which) => {
            let chosen = |index: usize| which >> (index % 64) & 1 == 1;
            let whole = Listpack::new(listpack);
            let places: Vec<Pos> =
                (0..model.len()).filter(|&i| chosen(i)).map(|i| whole.at(i as isize).unwrap()).collect();
            remove_all(listpack, &places);
            let mut index = 0..;
            model.retain(|_| !chosen(index.next().unwrap()));
        }
        Step::Split(at) => {
            let Some((index, pos)) = place(at, listpack) else { return };
            let tail = split_off(listpack, pos, model.len() - index);
            assert_eq!(elements_of(listpack), model[..index]);
            assert_eq!(elements_of(&tail), model[index..]);
            assert!(Listpack::validate(&tail).is_some());
            append(listpack, Listpack::new(&tail));
        }
    }
}

proptest! {
    #[test]
    fn a_listpack_is_a_vector_of_strings(steps in vec(step(), 0..40), needle in element()) {
        let (mut listpack, mut model) = (create(), Vec::new());
        for step in &steps {
            take(step, &mut listpack, &mut model);
            prop_assert_eq!(&elements_of(&listpack), &model);
            // There is one form for given elements, however they came to be there.
            prop_assert_eq!(&listpack_of(&model), &listpack);
            let whole = Listpack::validate(&listpack).expect("what we wrote is valid");
            prop_assert_eq!((whole.len(), whole.is_empty()), (model.len(), model.is_empty()));
            let backwards: Vec<_> = whole.iter().rev().map(|item| item.to_bytes().into_owned()).collect();
            prop_assert!(backwards.iter().eq(model.iter().rev()));
        }
        let whole = Listpack::new(&listpack);
        let length = model.len() as isize;
        for index in -length - 2..length + 2 {
            let expected = if index < 0 { index + length } else { index };
            let item = whole.at(index).map(|pos| whole.get(pos).to_bytes().into_owned());
            prop_assert_eq!(item.as_ref(), usize::try_from(expected).ok().and_then(|at| model.get(at)));
        }
        for stride in 1..4 {
            for from in 0..model.len() {
                let pos = whole.at(from as isize).unwrap();
                for wanted in model.iter().chain([&needle]) {
                    let expected = (from..model.len()).step_by(stride).find(|&at| model[at] == *wanted);
                    let expected = expected.map(|at| whole.at(at as isize).unwrap());
                    prop_assert_eq!(whole.find(wanted, pos, stride), expected);
                }
            }
        }
        let mut at = whole.first();
        for (index, expected) in model.iter().enumerate() {
            let pos = at.expect("as many elements as in the model");
            prop_assert!(whole.get(pos).is(expected));
            prop_assert_eq!(whole.get(pos).len(), expected.len());
            prop_assert_eq!(whole.iter_from(pos).count(), model.len() - index);
            prop_assert_eq!(whole.iter_to(pos).count(), index + 1);
            prop_assert_eq!(whole.next(pos).and_then(|next| whole.prev(next)), whole.next(pos).map(|_| pos));
            at = whole.next(pos);
        }
        prop_assert_eq!(at, None);
    }

    #[test]
    fn a_mutated_listpack_is_refused_or_readable(
        elements in vec(element(), 0..6), changes in vec((any::<usize>(), any::<u8>()), 1..4), cut in 0usize..3,
    ) {
        let mut bytes = listpack_of(&elements);
        for (at, byte) in changes {
            let at = at % bytes.len().min(64);
            bytes[at] = byte;
        }
        bytes.truncate(bytes.len() - cut);
        if let Some(whole) = Listpack::validate(&bytes) {
            let forwards: Vec<_> = whole.iter().collect();
            let mut backwards: Vec<_> = whole.iter().rev().collect();
            backwards.reverse();
            prop_assert_eq!(forwards.len(), whole.len());
            prop_assert_eq!(forwards, backwards);
        }
    }
}
