//! Values of every type, small and large, written and read again: the same elements in the same encoding.

mod support;

use datatypes::hash::{Hash, SetExpiry};
use datatypes::list::{End, List};
use datatypes::set::Set;
use datatypes::sorted_set::{Conditions, SortedSet};
use datatypes::stream::{self, NewId, Stream, StreamId};
use persistence::{dump, restore, Value};
use proptest::prelude::*;
use support::{check_sealed, contents, limits};

/// A string of the kind that collections hold.
fn word() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => any::<i64>().prop_map(|number| number.to_string().into_bytes()),
        4 => (-5000..5000i64).prop_map(|number| number.to_string().into_bytes()),
        4 => prop::collection::vec(any::<u8>(), 0..30),
        1 => prop::collection::vec(0..2u8, 30..300),
        1 => (0..9000usize).prop_map(|len| vec![b'w'; len]),
    ]
}

/// Words that are all short, so that only their number makes a collection large.
fn words() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop_oneof![
        prop::collection::vec(word(), 1..40),
        prop::collection::vec((0..100_000i64).prop_map(|number| number.to_string().into_bytes()), 1..700),
        prop::collection::vec(prop::collection::vec(any::<u8>(), 1..12), 1..700),
    ]
}

fn encoding(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "",
        Value::List(list) => list.as_ref().encoding(),
        Value::Set(set) => set.as_ref().encoding(),
        Value::SortedSet(set) => set.as_ref().encoding(),
        Value::Hash(hash) => hash.as_ref().encoding(),
        Value::Stream(stream) => stream.as_ref().encoding(),
    }
}

/// Writes and reads it; the encoding stays as well, if `keeps`.
fn check(value: &Value, keeps: bool) {
    let mut payload = Vec::new();
    dump(value.as_ref(), &mut payload);
    check_sealed(&payload, &limits());
    let again = restore(&payload, &limits()).expect("our own payload is read");
    assert_eq!(contents(again.as_ref()), contents(value.as_ref()));
    if keeps {
        assert_eq!(encoding(&again), encoding(value));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn strings(text in word()) {
        check(&Value::String(text), true);
    }

    #[test]
    fn lists(words in words()) {
        let limits = limits().list;
        let mut list = List::new();
        for word in &words {
            list.push(std::iter::once(&word[..]), End::Back, &limits);
        }
        check(&Value::List(list), true);
    }

    #[test]
    fn sets(words in words()) {
        let limits = limits().set;
        let mut set = Set::new();
        for word in &words {
            set.add(word, &limits);
        }
        // A table of integers, or a large one that has shrunk, is read in its smallest form.
        let keeps = set.as_ref().encoding() != "hashtable";
        check(&Value::Set(set), keeps);
    }

    #[test]
    fn sorted_sets(words in words(), scores in prop::collection::vec(any::<f64>(), 1..20), shrink in any::<bool>()) {
        let limits = limits().sorted_set;
        let mut set = SortedSet::new();
        for (word, score) in words.iter().zip(scores.iter().cycle()) {
            // NaN is refused. A listpack has no -0: the sum is 0.
            let _ = set.add(word, *score + 0.0, Conditions::default(), &limits);
        }
        if shrink {
            let half = set.len() / 2;
            set.remove_ranks(0..half, |_, _| ());
        }
        if !set.is_empty() {
            check(&Value::SortedSet(set), !shrink);
        }
    }

    #[test]
    fn hashes(words in words(), times in prop::collection::vec(prop::option::of(1..5000u64), 1..5)) {
        let limits = limits().hash;
        let mut hash = Hash::new();
        for (word, time) in words.iter().zip(times.iter().cycle()) {
            hash.set(word, &word[word.len() / 2..], time.map_or(SetExpiry::End, SetExpiry::At), 0, &limits);
        }
        check(&Value::Hash(hash), true);
    }

    #[test]
    fn streams(
        entries in prop::collection::vec((0..3u64, prop::collection::vec((word(), word()), 1..4)), 0..300),
        delete in prop::collection::vec(any::<prop::sample::Index>(), 0..30),
        groups in prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 0..40), 0..4),
    ) {
        let mut stream = Stream::new();
        let mut ids = vec![StreamId::new(1, 1)];
        for (ms, pairs) in &entries {
            let pairs = pairs.iter().map(|(field, value)| (&field[..], &value[..]));
            ids.push(stream.add(NewId::Auto, pairs, stream::Limits::default(), 5 + ms).expect("there are more ids"));
        }
        stream.delete(delete.iter().map(|index| *index.get(&ids)).collect::<Vec<_>>());
        for (number, pending) in groups.iter().enumerate() {
            let name = number.to_string().into_bytes();
            assert!(stream.create_group(&name, ids[0], Some(number as u64).filter(|number| number % 2 == 0)));
            let mut group = stream.group_mut(&name).expect("just created");
            for (at, index) in pending.iter().enumerate() {
                let id = *index.get(&ids);
                let consumer = group.see_consumer(format!("c{}", at % 3).as_bytes(), at as i64).0;
                if group.pending_one(id).is_none() {
                    assert!(group.restore_pending(id, at as i64, 1 + at as u64));
                    assert!(group.restore_owner(consumer, id));
                }
            }
        }
        let value = Value::Stream(stream);
        check(&value, true);
        let mut payload = Vec::new();
        dump(value.as_ref(), &mut payload);
        let (Ok(Value::Stream(again)), Value::Stream(stream)) = (restore(&payload, &limits()), &value) else {
            panic!("it is a stream")
        };
        assert_eq!(again.counters(), stream.counters());
        assert_eq!(shown_groups(&again), shown_groups(stream));
    }
}

/// All that clients see of a stream's groups, but when consumers were active: 7.0 does not know.
fn shown_groups(stream: &Stream) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, group) in stream.groups() {
        lines.push(format!("{name:?} {:?} {:?}", group.last_id(), group.entries_read()));
        lines.extend(
            group.pending(StreamId::MIN, StreamId::MAX, None).map(|delivery| format!("{delivery:?}")),
        );
        for (_, consumer) in group.consumers() {
            let ids: Vec<StreamId> = consumer.pending_ids().collect();
            lines.push(format!("{:?} {} {ids:?}", consumer.name(), consumer.seen_time()));
        }
    }
    lines
}
