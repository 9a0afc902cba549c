//! Streams against naive ones: random commands, small nodes, every number compared after each step.

use super::*;
use proptest::prelude::*;

mod cases;

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// Small nodes, so that few entries make many.
const LIMITS: Limits = Limits { node_bytes: 0, node_entries: 4 };
const NAMES: [&[u8]; 3] = [b"a", b"ab", b"b"];

#[derive(Clone, Debug)]
struct ModelEntry {
    id: StreamId,
    deleted: bool,
    pairs: Pairs,
}

#[derive(Clone, Debug, Default)]
struct ModelConsumer {
    seen: i64,
    active: Option<i64>,
}

#[derive(Clone, Debug, Default)]
struct ModelGroup {
    last_id: StreamId,
    pending: BTreeMap<StreamId, (i64, u64, Vec<u8>)>,
    consumers: BTreeMap<Vec<u8>, ModelConsumer>,
}

/// Nodes as lists of entries, searched from the front.
#[derive(Clone, Debug, Default)]
struct Model {
    nodes: Vec<Vec<ModelEntry>>,
    last_id: StreamId,
    max_deleted: StreamId,
    added: u64,
    groups: BTreeMap<Vec<u8>, ModelGroup>,
}

impl Model {
    fn live(&self) -> impl DoubleEndedIterator<Item = &ModelEntry> {
        self.nodes.iter().flatten().filter(|entry| !entry.deleted)
    }

    fn len(&self) -> u64 {
        self.live().count() as u64
    }

    fn has(&self, id: StreamId) -> bool {
        self.live().any(|entry| entry.id == id)
    }

    fn add(&mut self, id: StreamId, pairs: Pairs) {
        if self.nodes.last().is_none_or(|node| node.len() >= LIMITS.node_entries as usize) {
            self.nodes.push(Vec::new());
        }
        self.nodes.last_mut().unwrap().push(ModelEntry { id, deleted: false, pairs });
        self.last_id = id;
        self.added += 1;
    }

    fn delete(&mut self, id: StreamId) -> bool {
        if !self.has(id) {
            return false;
        }
        for node in &mut self.nodes {
            node.iter_mut().filter(|entry| entry.id == id).for_each(|entry| entry.deleted = true);
        }
        // A node goes with its last live entry, if that is the one.
        self.nodes.retain(|node| {
            !node.iter().any(|entry| entry.id == id) || node.iter().any(|entry| !entry.deleted)
        });
        self.max_deleted = self.max_deleted.max(id);
        true
    }

    fn trim(&mut self, to: Trim, approximate: bool, limit: u64) -> u64 {
        let before = self.len();
        while let Some(node) = self.nodes.first() {
            let live = node.iter().filter(|entry| !entry.deleted).count() as u64;
            let satisfied = matches!(to, Trim::MaxLen(most) if self.len() <= most);
            if satisfied || (limit > 0 && before - self.len() + live > limit) {
                return before - self.len();
            }
            let whole = match to {
                Trim::MaxLen(most) => self.len() - live >= most,
                Trim::MinId(least) => node.iter().all(|entry| entry.id < least),
            };
            if !whole {
                break;
            }
            self.nodes.remove(0);
        }
        if !approximate && !self.nodes.is_empty() {
            while match to {
                Trim::MaxLen(most) => self.len() > most,
                Trim::MinId(least) => self.live().next().is_some_and(|entry| entry.id < least),
            } {
                let first = self.nodes[0].iter_mut().find(|entry| !entry.deleted);
                first.expect("the whole nodes are gone").deleted = true;
            }
        }
        before - self.len()
    }

    fn see(&mut self, group: &[u8], consumer: &[u8], now: i64) {
        self.groups.get_mut(group).unwrap().consumers.entry(consumer.to_vec()).or_default().seen = now;
    }
}

fn id(number: u64) -> StreamId {
    StreamId::new(number / 3, number % 3)
}

fn pairs(a: u64) -> Pairs {
    let text = |text: &str| text.as_bytes().to_vec();
    match a % 5 {
        0 => vec![(text("field"), text(&a.to_string()))],
        1 => vec![(text("field"), text("value")), (text("7"), text(""))],
        2 => vec![(text("field"), vec![b'x'; 300])],
        3 => vec![(text("7"), text("-5")), (text("field"), text("07"))],
        _ => vec![(text("field"), text("1")), (text("8"), text("2"))],
    }
}

fn slices(pairs: &Pairs) -> impl Iterator<Item = (&[u8], &[u8])> + Clone {
    pairs.iter().map(|(field, value)| (&field[..], &value[..]))
}

fn pairs_of(entry: &Entry<'_>) -> Pairs {
    let pairs: Pairs =
        entry.fields().map(|(f, v)| (f.to_bytes().into_owned(), v.to_bytes().into_owned())).collect();
    assert_eq!(pairs.len(), entry.pairs());
    pairs
}

fn check(stream: &Stream, model: &Model) {
    let counters = stream.counters();
    assert_eq!(stream.len(), model.len());
    assert_eq!(counters.last_id, model.last_id);
    assert_eq!(counters.entries_added, model.added);
    assert_eq!(counters.max_deleted_id, model.max_deleted);
    assert_eq!(counters.first_id, model.live().next().map_or(StreamId::MIN, |entry| entry.id));
    assert_eq!(stream.last_entry_id(), model.live().next_back().map(|entry| entry.id));
    let first_place = model.nodes.first().map_or(StreamId::MAX, |node| node[0].id);
    assert_eq!(stream.first_place(), first_place);
    let found: Vec<_> = stream.iter().map(|entry| (entry.id(), pairs_of(&entry))).collect();
    assert!(found
        .iter()
        .map(|(id, pairs)| (id, pairs))
        .eq(model.live().map(|entry| (&entry.id, &entry.pairs))));
    let keys: Vec<_> = model.nodes.iter().map(|node| node[0].id).collect();
    assert_eq!(stream.nodes().map(|node| node.0).collect::<Vec<_>>(), keys);
    let heap: usize = stream.nodes.values().map(|node| node.heap() + NODE_OVERHEAD).sum();
    assert_eq!(stream.nodes_heap, heap);
    let heap: usize = stream.groups.values().map(|group| group.memory() + GROUP_OVERHEAD).sum();
    assert_eq!(stream.groups_heap, heap);
    assert_eq!(stream.groups().len(), model.groups.len());
    for ((name, group), (model_name, model)) in stream.groups().zip(&model.groups) {
        assert_eq!((name, group.last_id()), (&model_name[..], model.last_id));
        check_group(group, model);
    }
}

fn check_group(group: &Group, model: &ModelGroup) {
    let shown = |deliveries: Deliveries<'_>| -> Vec<(StreamId, i64, u64, Vec<u8>)> {
        deliveries.map(|d| (d.id, d.delivery_time, d.delivery_count, d.consumer.to_vec())).collect()
    };
    let wanted = |of: Option<&[u8]>| -> Vec<(StreamId, i64, u64, Vec<u8>)> {
        let all = model.pending.iter().filter(|(_, pending)| of.is_none_or(|of| pending.2 == of));
        all.map(|(&id, (time, count, consumer))| (id, *time, *count, consumer.clone())).collect()
    };
    assert_eq!(shown(group.pending(StreamId::MIN, StreamId::MAX, None)), wanted(None));
    assert_eq!(group.pending_len(), model.pending.len());
    assert!(group.is_owned());
    let span = model.pending.keys().next().zip(model.pending.keys().next_back());
    assert_eq!(group.pending_span(), span.map(|(&first, &last)| (first, last)));
    assert_eq!(group.consumers().len(), model.consumers.len());
    for ((number, consumer), (name, model)) in group.consumers().zip(&model.consumers) {
        assert_eq!(consumer.name(), name);
        assert_eq!((consumer.seen_time(), consumer.active_time()), (model.seen, model.active));
        let ids = wanted(Some(name));
        assert_eq!(shown(group.pending(StreamId::MIN, StreamId::MAX, Some(number))), ids);
        assert!(consumer.pending_ids().eq(ids.iter().map(|pending| pending.0)));
        assert_eq!(consumer.pending_len(), ids.len());
    }
}

/// One random command on both.
fn step(stream: &mut Stream, model: &mut Model, (kind, a, b, flag): (u8, u64, u64, bool), now: i64) {
    let group = NAMES[(a % 3) as usize];
    let name = NAMES[(b % 3) as usize];
    match kind {
        0..=9 => add(stream, model, a, b, now),
        10..=12 => {
            let ids = [id(a), id(b)];
            let wanted = ids.iter().filter(|&&id| model.delete(id)).count();
            assert_eq!(stream.delete(ids), wanted);
        }
        13 | 14 => {
            let to = if kind == 13 { Trim::MaxLen(a % 40) } else { Trim::MinId(id(a)) };
            let limit = if flag { b % 12 } else { 0 };
            let trimmed = stream.trim(to, flag, limit);
            assert_eq!(trimmed.removed, model.trim(to, flag, limit));
            assert!(trimmed.rest.is_none());
        }
        15 => {
            let (low, high) = (id(a.min(b)), id(a.max(b)));
            let wanted = || model.live().map(|entry| entry.id).filter(|id| (low..=high).contains(id));
            assert!(stream.range(low, high).map(|entry| entry.id()).eq(wanted()));
            assert!(stream.range_reversed(low, high).map(|entry| entry.id()).eq(wanted().rev()));
            assert_eq!(stream.range(high, low).count(), usize::from(low == high && model.has(low)));
            assert_eq!(stream.get(low).is_some(), model.has(low));
            assert_eq!(stream.has_after(low), model.live().any(|entry| entry.id > low));
        }
        16 => {
            let created = stream.create_group(group, id(b), None);
            assert_eq!(created, !model.groups.contains_key(group));
            if created {
                model.groups.insert(group.to_vec(), ModelGroup { last_id: id(b), ..Default::default() });
            }
        }
        _ if !model.groups.contains_key(group) => assert!(stream.group(group).is_none()),
        17..=19 => read_new(stream, model, group, name, a as usize % 7, flag, now),
        20 => read_history(stream, model, group, name, id(a), b as usize % 5, now),
        21 | 22 => {
            let wanted = model.groups.get_mut(group).unwrap().pending.remove(&id(b)).is_some();
            assert_eq!(stream.group_mut(group).unwrap().acknowledge(id(b)), wanted);
        }
        23 | 24 => claim(stream, model, group, name, (a, b, flag), now),
        25 | 26 => auto_claim(stream, model, group, name, (a, b, flag), now),
        27 => {
            let model = model.groups.get_mut(group).unwrap();
            let before = model.pending.len();
            model.pending.retain(|_, pending| pending.2 != name);
            let wanted = model.consumers.remove(name).map(|_| before - model.pending.len());
            assert_eq!(stream.group_mut(group).unwrap().delete_consumer(name), wanted);
        }
        28 => {
            model.groups.get_mut(group).unwrap().last_id = id(b);
            stream.group_mut(group).unwrap().set_id(id(b), None);
        }
        29 if flag => {
            model.groups.remove(group);
            let mut rest = stream.destroy_group(group).unwrap();
            assert!(stream.destroy_group(group).is_none());
            while !rest.dismantle(1) {}
            assert_eq!(rest.memory(), size_of::<StreamLarge>());
        }
        _ => {
            let model = model.groups.get_mut(group).unwrap();
            let created = stream.group_mut(group).unwrap().create_consumer(name, now).is_some();
            assert_eq!(created, !model.consumers.contains_key(name));
            model.consumers.entry(name.to_vec()).or_insert(ModelConsumer { seen: now, active: None });
        }
    }
}

fn add(stream: &mut Stream, model: &mut Model, a: u64, b: u64, now: i64) {
    let last = model.last_id;
    let (wanted, expected) = match b % 4 {
        0 => (NewId::Given(id(a)), id(a)),
        1 if a / 3 == last.ms => (NewId::AutoSeq(last.ms), StreamId::new(last.ms, last.seq + 1)),
        1 => (NewId::AutoSeq(a / 3), StreamId::new(a / 3, 0)),
        2 => (NewId::Given(last.next().unwrap()), last.next().unwrap()),
        _ if now as u64 / 16 > last.ms => (NewId::Auto, StreamId::new(now as u64 / 16, 0)),
        _ => (NewId::Auto, last.next().unwrap()),
    };
    let pairs = pairs(a);
    let added = stream.add(wanted, slices(&pairs), LIMITS, now as u64 / 16);
    if expected > last {
        assert_eq!(added, Ok(expected));
        model.add(expected, pairs);
    } else {
        assert_eq!(added, Err(AddError::NotAbove));
    }
}

fn read_new(
    stream: &mut Stream,
    model: &mut Model,
    group: &[u8],
    name: &[u8],
    count: usize,
    no_ack: bool,
    now: i64,
) {
    let (consumer, _) = stream.group_mut(group).unwrap().see_consumer(name, now);
    model.see(group, name, now);
    let above = model.groups[group].last_id;
    let most = if count == 0 { usize::MAX } else { count };
    let wanted: Vec<_> = model.live().map(|entry| entry.id).filter(|id| *id > above).take(most).collect();
    let mut seen = Vec::new();
    let read = stream.read_new(group, consumer, count, no_ack, now, |entry| seen.push(entry.id()));
    assert_eq!((read.entries, read.moved), (wanted.len(), !wanted.is_empty()));
    assert_eq!(seen, wanted);
    let model = model.groups.get_mut(group).unwrap();
    for id in wanted {
        model.last_id = id;
        if !no_ack {
            model.pending.insert(id, (now, 1, name.to_vec()));
            model.consumers.get_mut(name).unwrap().active = Some(now);
        }
    }
}

fn read_history(
    stream: &mut Stream,
    model: &mut Model,
    group: &[u8],
    name: &[u8],
    above: StreamId,
    count: usize,
    now: i64,
) {
    let (consumer, _) = stream.group_mut(group).unwrap().see_consumer(name, now);
    model.see(group, name, now);
    let live: Vec<_> = model.live().map(|entry| entry.id).collect();
    let most = if count == 0 { usize::MAX } else { count };
    let mut wanted = Vec::new();
    let pending = model.groups.get_mut(group).unwrap().pending.range_mut(above..);
    for (&id, (time, deliveries, _)) in pending.filter(|(id, of)| **id > above && of.2 == name).take(most) {
        wanted.push((id, live.contains(&id)));
        if live.contains(&id) {
            *time = now;
            *deliveries += 1;
        }
    }
    let mut seen = Vec::new();
    let read = stream.read_history(group, consumer, above, count, now, |id, entry| {
        assert!(entry.as_ref().is_none_or(|entry| entry.id() == id));
        seen.push((id, entry.is_some()));
    });
    assert_eq!((read, seen), (wanted.len(), wanted));
}

fn note(claimed: Claimed<'_>, seen: &mut Vec<(StreamId, bool)>) {
    match claimed {
        Claimed::Moved { delivery, entry } => {
            assert_eq!(delivery.id, entry.id());
            seen.push((delivery.id, true));
        }
        Claimed::Gone { delivery } => seen.push((delivery.id, false)),
    }
}

fn claim(
    stream: &mut Stream,
    model: &mut Model,
    group: &[u8],
    name: &[u8],
    (a, b, flag): (u64, u64, bool),
    now: i64,
) {
    let (consumer, _) = stream.group_mut(group).unwrap().see_consumer(name, now);
    model.see(group, name, now);
    let how = Claim {
        min_idle: a as i64 % 40,
        delivery_time: flag.then_some(now - b as i64 % 30 + 3),
        retry_count: (a.is_multiple_of(4)).then_some(b),
        force: a.is_multiple_of(3),
        just_id: b.is_multiple_of(2),
    };
    let ids = [id(b), id(a), id(a + 1)];
    let mut wanted = Vec::new();
    for id in ids {
        let exists = model.has(id);
        let model = model.groups.get_mut(group).unwrap();
        let old = model.pending.get(&id).cloned();
        let (time, count) = match (old, exists) {
            (None, true) if how.force => (i64::MIN, 1),
            (None, _) => continue,
            (Some(_), false) => {
                model.pending.remove(&id);
                wanted.push((id, false));
                continue;
            }
            (Some(old), true) => (old.0, old.1),
        };
        if time != i64::MIN && now - time < how.min_idle {
            continue;
        }
        let count = how.retry_count.unwrap_or(count + u64::from(!how.just_id));
        let time = how.delivery_time.filter(|time| *time >= 0 && *time <= now).unwrap_or(now);
        model.pending.insert(id, (time, count, name.to_vec()));
        model.consumers.get_mut(name).unwrap().active = Some(now);
        wanted.push((id, true));
    }
    let mut seen = Vec::new();
    stream.claim(group, consumer, ids, &how, now, |claimed| note(claimed, &mut seen));
    assert_eq!(seen, wanted);
}

fn auto_claim(
    stream: &mut Stream,
    model: &mut Model,
    group: &[u8],
    name: &[u8],
    (a, b, just_id): (u64, u64, bool),
    now: i64,
) {
    let (consumer, _) = stream.group_mut(group).unwrap().see_consumer(name, now);
    model.see(group, name, now);
    let (start, count) = (id(a / 4), 1 + b as usize % 4);
    let how = Claim { min_idle: b as i64 % 60, just_id, ..Claim::default() };
    let live: Vec<_> = model.live().map(|entry| entry.id).collect();
    let model = model.groups.get_mut(group).unwrap();
    let candidates: Vec<_> = model.pending.range(start..).map(|(&id, _)| id).collect();
    let (mut wanted, mut looked) = (Vec::new(), 0);
    while looked < candidates.len() && looked < count * 10 && wanted.len() < count {
        let id = candidates[looked];
        looked += 1;
        let old = model.pending[&id].clone();
        if !live.contains(&id) {
            model.pending.remove(&id);
            wanted.push((id, false));
        } else if now - old.0 >= how.min_idle {
            model.pending.insert(id, (now, old.1 + u64::from(!just_id), name.to_vec()));
            model.consumers.get_mut(name).unwrap().active = Some(now);
            wanted.push((id, true));
        }
    }
    let mut seen = Vec::new();
    let next =
        stream.auto_claim(group, consumer, start, count, &how, now, |claimed| note(claimed, &mut seen));
    assert_eq!(seen, wanted);
    assert_eq!(next, candidates.get(looked).copied().unwrap_or(StreamId::MIN));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn it_does_what_a_naive_stream_does(
        steps in proptest::collection::vec((0u8..32, 0u64..240, 0u64..240, any::<bool>()), 1..300),
    ) {
        let (mut stream, mut model) = (Stream::new(), Model::default());
        for (now, what) in steps.into_iter().enumerate() {
            step(&mut stream, &mut model, what, now as i64 * 4);
            check(&stream, &model);
        }
        // A payload's parts make the same stream.
        let restored = restore(&stream);
        check(&restored, &model);
        // It comes apart in steps, and nothing stays counted.
        while !stream.dismantle(1) {}
        prop_assert_eq!(stream.memory(), size_of::<StreamLarge>());
    }

    /// Entries are deleted only where all groups have been, and no counter was lied about: then the lag,
    /// where there is one, is what is left to be delivered.
    #[test]
    fn lag_counts_what_is_left_to_be_delivered(
        steps in proptest::collection::vec((0u8..16, 0u64..200, 0u64..40), 1..300),
    ) {
        let mut stream = Stream::new();
        stream.create_group(b"from the start", StreamId::MIN, None);
        for (number, (kind, a, b)) in steps.into_iter().enumerate() {
            let name = [&b"from the start"[..], b"a", b"b"][(b % 3) as usize];
            let safe = stream.groups().map(|(_, group)| group.last_id()).min().unwrap();
            match kind {
                0..=6 => {
                    let pairs = pairs(a);
                    stream.add(NewId::Auto, slices(&pairs), LIMITS, number as u64 / 4).unwrap();
                }
                7 if id(a) <= safe => {
                    stream.delete([id(a)]);
                }
                8 => {
                    let to = Trim::MinId(safe.min(id(a)));
                    stream.trim(to, a % 2 == 0, 0);
                }
                9 => {
                    stream.create_group(name, id(a), None);
                }
                _ => {
                    let Some(mut group) = stream.group_mut(name) else { continue };
                    let (consumer, _) = group.see_consumer(b"c", 0);
                    drop(group);
                    stream.read_new(name, consumer, 1 + b as usize, kind % 2 == 0, 0, |_| ());
                }
            }
            for (name, group) in stream.groups() {
                let left = stream.iter().filter(|entry| entry.id() > group.last_id()).count() as i64;
                let lag = stream.counters().lag(group.last_id(), group.entries_read());
                prop_assert!(lag.is_none() || lag == Some(left), "{name:?}: {lag:?}, not {left}");
                // The one that read all from the start always knows, but where its last entry is the one
                // deleted.
                let blind = name != b"from the start" || group.last_id() == stream.counters().max_deleted_id;
                prop_assert!(lag.is_some() || blind);
            }
        }
    }

    #[test]
    fn what_is_no_node_is_refused(
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
        cut in any::<bool>(),
    ) {
        let stream = some_stream();
        let (master, bytes) = stream.nodes().next().unwrap();
        let mut bytes = bytes.to_vec();
        let at = at.index(bytes.len());
        if cut {
            bytes.truncate(at);
        } else {
            bytes[at] = byte;
        }
        let mut other = Stream::new();
        if other.restore_node(master, bytes) {
            // What passes can be walked, trimmed and added to.
            let len = other.iter().inspect(|entry| assert_eq!(pairs_of(entry).len(), entry.pairs())).count() as u64;
            prop_assert_eq!(other.range_reversed(StreamId::MIN, StreamId::MAX).count() as u64, len);
            other.trim(Trim::MaxLen(1), false, 0);
            other.counters.last_id = StreamId::new(u64::MAX, 0);
            other.add(NewId::Auto, [(&b"f"[..], &b"v"[..])].into_iter(), Limits::default(), 0).unwrap();
        }
    }
}

fn some_stream() -> Stream {
    let mut stream = Stream::new();
    for number in 0..6 {
        let pairs = pairs(number);
        stream.add(NewId::Given(id(number + 1)), slices(&pairs), Limits::default(), 0).unwrap();
    }
    stream.delete([id(3)]);
    stream
}

fn restore(stream: &Stream) -> Stream {
    let mut other = Stream::new();
    for (master, bytes) in stream.nodes() {
        assert!(other.restore_node(master, bytes.to_vec()));
        assert!(!other.restore_node(master, bytes.to_vec()));
    }
    assert!(!other.restore_counters(Counters { len: stream.len() + 1, ..*stream.counters() }));
    assert!(other.restore_counters(*stream.counters()));
    for (name, group) in stream.groups() {
        assert!(other.create_group(name, group.last_id(), group.entries_read()));
        let mut restored = other.group_mut(name).unwrap();
        for pending in group.pending(StreamId::MIN, StreamId::MAX, None) {
            assert!(restored.restore_pending(pending.id, pending.delivery_time, pending.delivery_count));
        }
        assert_eq!(restored.is_owned(), group.pending_len() == 0);
        for (_, consumer) in group.consumers() {
            let number = restored
                .restore_consumer(consumer.name(), consumer.seen_time(), consumer.active_time())
                .unwrap();
            for id in consumer.pending_ids() {
                assert!(restored.restore_owner(number, id));
                assert!(!restored.restore_owner(number, id));
            }
        }
        assert!(restored.is_owned());
    }
    other
}
