//! Streams in single cases: bytes, rules of ids, sizes and steps.

use super::*;

#[test]
fn trimming_many_nodes_hands_them_back() {
    let mut stream = Stream::new();
    for number in 0..2000 {
        stream.add(NewId::Given(id(number + 1)), slices(&pairs(0)), LIMITS, 0).unwrap();
    }
    let before = stream.memory();
    let trimmed = stream.trim(Trim::MaxLen(10), false, 0);
    assert_eq!((trimmed.removed, stream.len()), (1990, 10));
    assert_eq!(stream.iter().next().unwrap().id(), id(1991));
    let mut rest = trimmed.rest.unwrap();
    assert_eq!(rest.nodes().len() + stream.nodes().len(), 500);
    assert_eq!(rest.memory() + stream.memory(), before + size_of::<StreamLarge>());
    let mut steps = 1;
    while !rest.dismantle(100) {
        steps += 1;
    }
    assert_eq!((steps, rest.memory()), (5, size_of::<StreamLarge>()));
    let trimmed = stream.trim(Trim::MinId(StreamId::MAX), true, 0);
    assert_eq!((trimmed.removed, stream.memory()), (10, size_of::<StreamLarge>()));
}

#[test]
fn a_million_pending_entries_come_apart_in_steps() {
    let mut stream = Stream::new();
    stream.create_group(b"g", StreamId::MIN, None);
    let mut group = stream.group_mut(b"g").unwrap();
    let (consumer, _) = group.see_consumer(b"c", 0);
    for number in 1..=1_000_000 {
        assert!(group.restore_pending(StreamId::new(number, 0), 0, 1));
        assert!(group.restore_owner(consumer, StreamId::new(number, 0)));
    }
    drop(group);
    assert!(stream.memory() < 1_000_000 * 60, "{} bytes", stream.memory());
    let mut destroyed = stream.destroy_group(b"g").unwrap();
    let mut steps = 1;
    while !destroyed.dismantle(1000) {
        steps += 1;
    }
    assert!((31..34).contains(&steps), "{steps} steps");
    assert_eq!(destroyed.memory(), size_of::<StreamLarge>());
}

/// What redis-server 7.0 dumps after XADD 5-1 a 1 b two; 5-2 a -300 b x; 7-0 c ""; XDEL 5-2.
#[test]
fn nodes_are_redis_own_bytes() {
    let mut stream = Stream::new();
    let add = |stream: &mut Stream, (ms, seq), pairs: &[(&str, &str)]| {
        let pairs = pairs.iter().map(|(field, value)| (field.as_bytes(), value.as_bytes()));
        stream.add(NewId::Given(StreamId::new(ms, seq)), pairs, Limits::default(), 0).unwrap();
    };
    add(&mut stream, (5, 1), &[("a", "1"), ("b", "two")]);
    add(&mut stream, (5, 2), &[("a", "-300"), ("b", "x")]);
    add(&mut stream, (7, 0), &[("c", "")]);
    assert_eq!(stream.delete([StreamId::new(5, 2), StreamId::new(5, 3)]), 1);
    let hex: String = stream.nodes().next().unwrap().1.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, "420000001900020101010201816102816202000102010001000101018374776f040501030100010101ded402817802050100010201dfff02010181630280010601ff");
}

#[test]
fn radix_trees_count_leaves_branches_and_chains() {
    let count = |keys: &[(u64, u64)]| {
        radix_tree_nodes(keys.iter().map(|&(ms, seq)| StreamId::new(ms, seq).to_bytes()))
    };
    assert_eq!(count(&[]), 1);
    assert_eq!(count(&[(1, 0)]), 2);
    // A chain to where they part, the branch, and for each a chain and a leaf.
    assert_eq!(count(&[(1, 0), (2, 0)]), 6);
    // They part in the last byte: no chains below.
    assert_eq!(count(&[(1, 1), (1, 2), (1, 3)]), 5);
    assert_eq!(count(&[(1, 1), (1, 2), (2, 0)]), 8);
}

#[test]
fn ids_are_given_by_the_rules() {
    let mut stream = Stream::new();
    let mut add = |wanted, now| {
        stream
            .add(wanted, [(&b"f"[..], &b"v"[..])].into_iter(), Limits::default(), now)
            .map(|id| (id.ms, id.seq))
    };
    assert_eq!(add(NewId::AutoSeq(0), 9), Ok((0, 1)));
    assert_eq!(add(NewId::Auto, 9), Ok((9, 0)));
    assert_eq!(add(NewId::Auto, 9), Ok((9, 1)));
    // The clock went back.
    assert_eq!(add(NewId::Auto, 3), Ok((9, 2)));
    assert_eq!(add(NewId::AutoSeq(8), 9), Err(AddError::NotAbove));
    assert_eq!(add(NewId::AutoSeq(9), 9), Ok((9, 3)));
    assert_eq!(add(NewId::Given(StreamId::new(9, u64::MAX)), 9), Ok((9, u64::MAX)));
    assert_eq!(add(NewId::AutoSeq(9), 9), Err(AddError::NotAbove));
    assert_eq!(add(NewId::Auto, 9), Ok((10, 0)));
    assert_eq!(add(NewId::Given(StreamId::MAX), 9), Ok((u64::MAX, u64::MAX)));
    assert_eq!(add(NewId::Auto, 9), Err(AddError::Exhausted));
}
