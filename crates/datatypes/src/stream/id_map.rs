//! A map ordered by id, dense where ids are added in order: the lists of pending entries.
//!
//! ```text
//!     chunks   1-0 -> [(1-0, v) (1-1, v) .. 64 of them]   7-3 -> [(7-4, v) ..]   9-0 -> ...
//! ```
//!
//! 1. No chunk is empty, none has more than [`CHUNK`] pairs, and they stand in the order of their ids.
//! 2. The key of a chunk is at most its first id and above all ids of the chunk before: a chunk keeps its key
//!    when its first pair goes.
//! 3. Ids added in order fill chunks whole; a chunk drained to a quarter joins a neighbour if both then have
//!    room.
//! 4. Every operation on one id moves at most one chunk, a few KB.

use super::id::StreamId;
use std::collections::btree_map::{self, BTreeMap};

/// Pairs in a chunk: 2.5 KB of the group's pending entries.
const CHUNK: usize = 64;
/// What the tree of chunks holds for each, about: key, vector, and the tree's own slack.
const CHUNK_OVERHEAD: usize = 64;

type Chunk<V> = Vec<(StreamId, V)>;

/// The map.
#[derive(Clone, Debug)]
pub struct IdMap<V> {
    chunks: BTreeMap<StreamId, Chunk<V>>,
    len: usize,
    /// Bytes on the heap.
    heap: usize,
}

impl<V> Default for IdMap<V> {
    fn default() -> IdMap<V> {
        IdMap { chunks: BTreeMap::new(), len: 0, heap: 0 }
    }
}

impl<V> IdMap<V> {
    /// How many ids it has.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Heap bytes.
    pub fn memory(&self) -> usize {
        self.heap
    }

    /// The value of an id.
    pub fn get(&self, id: StreamId) -> Option<&V> {
        let (_, chunk) = self.chunks.range(..=id).next_back()?;
        let at = find(chunk, id).ok()?;
        Some(&chunk[at].1)
    }

    /// The value of an id, to be changed.
    pub fn get_mut(&mut self, id: StreamId) -> Option<&mut V> {
        let (_, chunk) = self.chunks.range_mut(..=id).next_back()?;
        let at = find(chunk, id).ok()?;
        Some(&mut chunk[at].1)
    }

    /// The lowest id.
    pub fn first(&self) -> Option<StreamId> {
        self.chunks.values().next()?.first().map(|pair| pair.0)
    }

    /// The highest id.
    pub fn last(&self) -> Option<StreamId> {
        self.chunks.values().next_back()?.last().map(|pair| pair.0)
    }

    /// The lowest id that is not below `from`.
    pub fn first_from(&self, from: StreamId) -> Option<(StreamId, &V)> {
        self.range(from).next()
    }

    /// All pairs from an id on, in order.
    pub fn range(&self, from: StreamId) -> Pairs<'_, V> {
        match self.chunks.range(..=from).next_back() {
            Some((&key, chunk)) => {
                let start = find(chunk, from).unwrap_or_else(|at| at);
                let mut rest = self.chunks.range(key..);
                rest.next();
                Pairs { chunk: chunk[start..].iter(), rest }
            }
            None => Pairs { chunk: [].iter(), rest: self.chunks.range(from..) },
        }
    }

    /// Sets the value of an id; answers the one it had.
    pub fn insert(&mut self, id: StreamId, value: V) -> Option<V> {
        if let Some((_, chunk)) = self.chunks.range_mut(..=id).next_back() {
            return match find(chunk, id) {
                Ok(at) => Some(std::mem::replace(&mut chunk[at].1, value)),
                Err(at) => {
                    self.insert_new(at, id, value);
                    None
                }
            };
        }
        // Below all: the first chunk takes it, under a lower key.
        match self.chunks.pop_first() {
            Some((_, chunk)) => {
                self.chunks.insert(id, chunk);
                self.insert_new(0, id, value);
            }
            None => self.add_chunk(id, vec![(id, value)]),
        }
        None
    }

    /// Puts a new id at its place in the chunk that is to have it.
    fn insert_new(&mut self, at: usize, id: StreamId, value: V) {
        let (_, chunk) = self.chunks.range_mut(..=id).next_back().expect("the caller found the chunk");
        if chunk.len() < CHUNK {
            let before = chunk.capacity();
            chunk.insert(at, (id, value));
            self.heap += (chunk.capacity() - before) * size_of::<(StreamId, V)>();
            self.len += 1;
        } else if at == CHUNK {
            self.add_chunk(id, vec![(id, value)]);
        } else {
            let mut upper = chunk.split_off(CHUNK / 2);
            let key = upper[0].0;
            let half = if at <= CHUNK / 2 { &mut *chunk } else { &mut upper };
            half.insert(at - if at <= CHUNK / 2 { 0 } else { CHUNK / 2 }, (id, value));
            self.heap += upper.capacity() * size_of::<(StreamId, V)>() + CHUNK_OVERHEAD;
            self.chunks.insert(key, upper);
            self.len += 1;
        }
    }

    /// A chunk of new pairs.
    fn add_chunk(&mut self, key: StreamId, chunk: Chunk<V>) {
        self.heap += chunk.capacity() * size_of::<(StreamId, V)>() + CHUNK_OVERHEAD;
        self.len += chunk.len();
        self.chunks.insert(key, chunk);
    }

    /// Takes an id out; answers its value.
    pub fn remove(&mut self, id: StreamId) -> Option<V> {
        let (&key, chunk) = self.chunks.range_mut(..=id).next_back()?;
        let at = find(chunk, id).ok()?;
        let (_, value) = chunk.remove(at);
        self.len -= 1;
        if chunk.is_empty() {
            self.drop_chunk(key);
        } else if chunk.len() < CHUNK / 4 {
            self.join(key);
        }
        Some(value)
    }

    /// Keeps only what `keep` wants. One pass over all.
    pub fn retain(&mut self, mut keep: impl FnMut(StreamId, &V) -> bool) {
        let mut len = 0;
        let mut heap = 0;
        self.chunks.retain(|_, chunk| {
            chunk.retain(|(id, value)| keep(*id, value));
            if chunk.len() < CHUNK / 4 {
                chunk.shrink_to_fit();
            }
            len += chunk.len();
            heap += chunk.capacity() * size_of::<(StreamId, V)>() + CHUNK_OVERHEAD;
            !chunk.is_empty() || {
                heap -= CHUNK_OVERHEAD;
                false
            }
        });
        self.len = len;
        self.heap = heap;
    }

    /// Frees at most about so many chunks; true when nothing is left.
    pub fn dismantle(&mut self, steps: usize) -> bool {
        for _ in 0..steps {
            let Some((&key, chunk)) = self.chunks.first_key_value() else { break };
            self.len -= chunk.len();
            self.drop_chunk(key);
        }
        self.chunks.is_empty()
    }

    /// How many chunks there are: what dismantling takes.
    pub fn chunks(&self) -> usize {
        self.chunks.len()
    }

    fn drop_chunk(&mut self, key: StreamId) {
        let chunk = self.chunks.remove(&key).expect("the caller found the chunk");
        self.heap -= chunk.capacity() * size_of::<(StreamId, V)>() + CHUNK_OVERHEAD;
    }

    /// Joins a drained chunk with a neighbour if both fit well into one.
    fn join(&mut self, key: StreamId) {
        let len = self.chunks[&key].len();
        let roomy = |other: &Chunk<V>| len + other.len() <= CHUNK / 2;
        let next = self.chunks.range(key..).nth(1).filter(|(_, other)| roomy(other)).map(|(&key, _)| key);
        let previous =
            || self.chunks.range(..key).next_back().filter(|(_, other)| roomy(other)).map(|(&key, _)| key);
        let (into, from) = match next {
            Some(next) => (key, next),
            None => match previous() {
                Some(previous) => (previous, key),
                None => return,
            },
        };
        let moved = self.chunks.remove(&from).expect("just found");
        self.heap -= moved.capacity() * size_of::<(StreamId, V)>() + CHUNK_OVERHEAD;
        let chunk = self.chunks.get_mut(&into).expect("just found");
        let before = chunk.capacity();
        chunk.extend(moved);
        self.heap += (chunk.capacity() - before) * size_of::<(StreamId, V)>();
    }
}

fn find<V>(chunk: &Chunk<V>, id: StreamId) -> Result<usize, usize> {
    // Most are added behind all and taken from the front.
    match chunk.last() {
        Some((last, _)) if *last < id => Err(chunk.len()),
        _ => chunk.binary_search_by_key(&id, |pair| pair.0),
    }
}

/// Pairs in the order of their ids.
#[derive(Clone, Debug)]
pub struct Pairs<'a, V> {
    chunk: std::slice::Iter<'a, (StreamId, V)>,
    rest: btree_map::Range<'a, StreamId, Chunk<V>>,
}

impl<'a, V> Iterator for Pairs<'a, V> {
    type Item = (StreamId, &'a V);

    fn next(&mut self) -> Option<(StreamId, &'a V)> {
        loop {
            if let Some((id, value)) = self.chunk.next() {
                return Some((*id, value));
            }
            self.chunk = self.rest.next()?.1.iter();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(map: &IdMap<u64>, model: &BTreeMap<StreamId, u64>) {
        assert_eq!(map.len(), model.len());
        assert_eq!(map.first(), model.keys().next().copied());
        assert_eq!(map.last(), model.keys().next_back().copied());
        assert!(map.range(StreamId::MIN).map(|(id, &v)| (id, v)).eq(model.iter().map(|(&id, &v)| (id, v))));
        let mut heap = 0;
        let mut above = None;
        for (key, chunk) in &map.chunks {
            assert!(!chunk.is_empty() && chunk.len() <= CHUNK && *key <= chunk[0].0);
            assert!(above.is_none_or(|above| above < *key));
            above = chunk.last().map(|pair| pair.0);
            heap += chunk.capacity() * size_of::<(StreamId, u64)>() + CHUNK_OVERHEAD;
        }
        assert_eq!(map.memory(), heap);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn it_is_an_ordered_map(
            steps in proptest::collection::vec((0u8..8, 0u64..600, any::<u64>()), 1..1200),
            mostly_adds in any::<bool>(),
        ) {
            let (mut map, mut model) = (IdMap::default(), BTreeMap::new());
            for (kind, number, value) in steps {
                let id = StreamId::new(number / 7, number % 7);
                match kind {
                    0..=2 => prop_assert_eq!(map.insert(id, value), model.insert(id, value)),
                    3 if mostly_adds => prop_assert_eq!(map.insert(id, value), model.insert(id, value)),
                    3..=5 => prop_assert_eq!(map.remove(id), model.remove(&id)),
                    6 => {
                        prop_assert_eq!(map.get(id), model.get(&id));
                        prop_assert_eq!(map.get_mut(id), model.get_mut(&id));
                        let first = model.range(id..).next().map(|(&id, value)| (id, value));
                        prop_assert_eq!(map.first_from(id), first);
                    }
                    _ if number == 0 => {
                        map.retain(|_, value| value % 3 != 0);
                        model.retain(|_, value| *value % 3 != 0);
                    }
                    _ => {}
                }
            }
            check(&map, &model);
            while !map.dismantle(2) {}
            check(&map, &BTreeMap::new());
            prop_assert_eq!(map.memory(), 0);
        }
    }

    #[test]
    fn ids_in_order_leave_no_holes_and_drain_to_nothing() {
        let mut map = IdMap::default();
        for number in 0..10_000 {
            map.insert(StreamId::new(number, 0), number);
        }
        assert_eq!(map.chunks(), 10_000usize.div_ceil(CHUNK));
        assert!(map.memory() < 10_000 * 26);
        // Nine of ten go: what is left lies close again.
        for number in (0..10_000).filter(|number| number % 10 != 0) {
            map.remove(StreamId::new(number, 0));
        }
        assert_eq!(map.len(), 1000);
        assert!(map.chunks() < 1000 / 8, "{} chunks", map.chunks());
        for number in (0..10_000).step_by(10) {
            assert_eq!(map.remove(StreamId::new(number, 0)), Some(number));
        }
        assert_eq!((map.memory(), map.first()), (0, None));
    }
}
