//! One node of a stream: some hundred entries in a listpack, byte for byte as Redis lays them out.
//!
//! ```text
//!     master   count | deleted | n | field 1 .. field n | 0
//!     entry    flags | ms - master's | seq - master's | value 1 .. value n | pieces          same fields
//!              flags | ms - master's | seq - master's | m | field 1 | value 1 | .. | pieces  others
//!     flags    1 deleted, 2 same fields as the master
//! ```
//!
//! The master entry holds the fields of the first entry but is none itself; the id that the others count from
//! is the node's key in the stream, the id of its first entry. `pieces` is how many elements stand before it
//! in its entry: so a walk from the end finds each entry's beginning, and ends at the master's 0.
//!
//! 1. `count` and `deleted` of the master entry equal [`Node::live`] and [`Node::deleted`], and the entries'
//!    flags.
//! 2. A deleted entry keeps its place. A node may have no live entry left: after trimming by id, if its last
//!    is a deleted one not below the bound.
//! 3. Live entries stand in the order of their ids.
//!
//! Not here: which node an entry goes to, and when one goes as a whole (`stream.rs`, `trim.rs`).

use super::id::StreamId;
use crate::listpack::{self, Item, Iter, Listpack, Pos};

const DELETED: i64 = 1;
const SAME_FIELDS: i64 = 2;
/// Flags and the two halves of the id.
const FIXED_PIECES: usize = 3;

/// A node: its listpack, and the counts of its master entry.
#[derive(Clone, Debug)]
pub(super) struct Node {
    bytes: Vec<u8>,
    live: u32,
    deleted: u32,
}

impl Node {
    /// A node with its first entry, whose id is the node's key.
    pub(super) fn create<'a>(pairs: impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone) -> Node {
        let mut bytes = listpack::create();
        let count = pairs.clone().count();
        for number in [1, 0, count as i64] {
            listpack::push_back_int(&mut bytes, number);
        }
        for (field, _) in pairs.clone() {
            listpack::push_back(&mut bytes, field);
        }
        listpack::push_back_int(&mut bytes, 0);
        let mut node = Node { bytes, live: 1, deleted: 0 };
        node.write_entry((0, 0), pairs, count, true);
        node
    }

    /// Adds an entry behind the others.
    pub(super) fn append<'a>(
        &mut self,
        master: StreamId,
        id: StreamId,
        pairs: impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone,
    ) {
        self.live += 1;
        let first = Listpack::new(&self.bytes).first().expect("a node has a master entry");
        listpack::replace_int(&mut self.bytes, first, i64::from(self.live));
        let count = pairs.clone().count();
        let view = NodeView::new(master, self);
        let same = view.master_pairs == count
            && view
                .pack
                .iter_from(view.master_fields)
                .zip(pairs.clone())
                .all(|(item, (field, _))| item.is(field));
        let delta = (id.ms.wrapping_sub(master.ms) as i64, id.seq.wrapping_sub(master.seq) as i64);
        self.write_entry(delta, pairs, count, same);
    }

    fn write_entry<'a>(
        &mut self,
        (ms, seq): (i64, i64),
        pairs: impl Iterator<Item = (&'a [u8], &'a [u8])>,
        count: usize,
        same: bool,
    ) {
        let bytes = &mut self.bytes;
        listpack::push_back_int(bytes, if same { SAME_FIELDS } else { 0 });
        listpack::push_back_int(bytes, ms);
        listpack::push_back_int(bytes, seq);
        if !same {
            listpack::push_back_int(bytes, count as i64);
        }
        for (field, value) in pairs {
            if !same {
                listpack::push_back(bytes, field);
            }
            listpack::push_back(bytes, value);
        }
        listpack::push_back_int(bytes, pieces(count, same) as i64);
    }

    /// Bytes from outside, if they are a node. Its live entries may not be out of order, which Redis does not
    /// ask.
    pub(super) fn validate(master: StreamId, bytes: Vec<u8>) -> Option<Node> {
        let pack = Listpack::validate(&bytes)?;
        let mut items = pack.iter();
        let mut number = || items.next().and_then(|item| item.as_i64());
        let count = u32::try_from(number()?).ok()?;
        let deleted = u32::try_from(number()?).ok()?;
        let fields = usize::try_from(number()?).ok()?;
        skip(&mut items, fields)?;
        if items.next()?.as_i64()? != 0 {
            return None;
        }
        let (mut seen_live, mut seen_deleted, mut last) = (0u32, 0u32, None);
        while let Some(flags) = items.next() {
            let flags = flags.as_i64()?;
            let mut number = || items.next().and_then(|item| item.as_i64());
            let id = from_delta(master, number()?, number()?);
            let same = flags & SAME_FIELDS != 0;
            let entry_fields = if same { fields } else { usize::try_from(number()?).ok()? };
            skip(&mut items, if same { fields } else { entry_fields.checked_mul(2)? })?;
            let stored = items.next()?.as_i64()?;
            if usize::try_from(stored).ok()? != pieces(entry_fields, same) {
                return None;
            }
            if flags & DELETED != 0 {
                seen_deleted += 1;
            } else {
                seen_live += 1;
                if last.is_some_and(|last| last >= id) {
                    return None;
                }
                last = Some(id);
            }
        }
        let right = (seen_live, seen_deleted) == (count, deleted) && count.checked_add(deleted)? > 0;
        right.then_some(Node { bytes, live: count, deleted })
    }

    /// Marks the entry whose flags stand here as deleted.
    pub(super) fn delete(&mut self, flags_at: Pos) {
        self.mark(flags_at);
        self.write_counts();
    }

    /// Marks as deleted the entries from the first on, while `wanted` says so of each (its id, and whether it
    /// is deleted already). Answers how many were live.
    pub(super) fn delete_while(
        &mut self,
        master: StreamId,
        mut wanted: impl FnMut(StreamId, bool) -> bool,
    ) -> u64 {
        let before = self.live;
        let mut next = NodeView::new(master, self).first();
        while let Some(entry) = next {
            if !wanted(entry.id, entry.deleted) {
                break;
            }
            next = NodeView::new(master, self).after(&entry);
            if !entry.deleted {
                self.mark(entry.flags_at);
            }
        }
        self.write_counts();
        u64::from(before - self.live)
    }

    /// The flags stay one byte: nothing behind them moves.
    fn mark(&mut self, flags_at: Pos) {
        let flags = number_at(Listpack::new(&self.bytes), flags_at);
        debug_assert_eq!(flags & DELETED, 0, "deleted twice");
        listpack::replace_int(&mut self.bytes, flags_at, flags | DELETED);
        self.live -= 1;
        self.deleted += 1;
    }

    fn write_counts(&mut self) {
        let first = Listpack::new(&self.bytes).first().expect("a node has a master entry");
        let first = listpack::replace_int(&mut self.bytes, first, i64::from(self.live));
        let second = Listpack::new(&self.bytes).next(first).expect("a master entry has two counts");
        listpack::replace_int(&mut self.bytes, second, i64::from(self.deleted));
    }

    /// Entries that are not deleted.
    pub(super) fn live(&self) -> u64 {
        u64::from(self.live)
    }

    /// All entries, the deleted ones too.
    pub(super) fn entries(&self) -> u64 {
        u64::from(self.live) + u64::from(self.deleted)
    }

    /// The listpack.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Bytes that it holds on the heap.
    pub(super) fn heap(&self) -> usize {
        self.bytes.capacity()
    }

    /// Nothing more will be added: gives back what was kept for it.
    pub(super) fn close(&mut self) {
        self.bytes.shrink_to_fit();
    }
}

fn pieces(fields: usize, same: bool) -> usize {
    if same {
        FIXED_PIECES + fields
    } else {
        FIXED_PIECES + 1 + 2 * fields
    }
}

fn skip(items: &mut Iter<'_>, count: usize) -> Option<()> {
    // Not `nth`: a count from outside may be huge, but the items are finite.
    for _ in 0..count {
        items.next()?;
    }
    Some(())
}

fn from_delta(master: StreamId, ms: i64, seq: i64) -> StreamId {
    StreamId::new(master.ms.wrapping_add(ms as u64), master.seq.wrapping_add(seq as u64))
}

fn number_at(pack: Listpack<'_>, pos: Pos) -> i64 {
    pack.get(pos).as_i64().expect("our own bytes or validated ones")
}

/// A node being read.
#[derive(Clone, Copy, Debug)]
pub(super) struct NodeView<'a> {
    pack: Listpack<'a>,
    master: StreamId,
    master_pairs: usize,
    /// The master's first field, or its 0.
    master_fields: Pos,
}

/// Where an entry is, and how to read it.
#[derive(Clone, Copy, Debug)]
pub(super) struct RawEntry {
    pub(super) id: StreamId,
    pub(super) deleted: bool,
    pub(super) flags_at: Pos,
    same: bool,
    pairs: usize,
    /// Its first field or value.
    data: Pos,
}

impl<'a> NodeView<'a> {
    pub(super) fn new(master: StreamId, node: &'a Node) -> NodeView<'a> {
        let pack = Listpack::new(&node.bytes);
        let fields_count = pack.at(2).expect("a master entry has three counts");
        let master_pairs = number_at(pack, fields_count) as usize;
        let master_fields = pack.next(fields_count).expect("a master entry ends with 0");
        NodeView { pack, master, master_pairs, master_fields }
    }

    /// The id that the entries count from.
    pub(super) fn key(&self) -> StreamId {
        self.master
    }

    /// The first entry, deleted ones included.
    pub(super) fn first(&self) -> Option<RawEntry> {
        let zero = self.forward(self.master_fields, self.master_pairs);
        self.pack.next(zero).map(|pos| self.entry(pos))
    }

    /// The last entry, deleted ones included.
    pub(super) fn last(&self) -> Option<RawEntry> {
        self.ending(self.pack.last()?)
    }

    /// The live entry of this id.
    pub(super) fn find(&self, id: StreamId) -> Option<RawEntry> {
        self.seek(id).filter(|entry| entry.id == id)
    }

    /// The first live entry at or above an id.
    ///
    /// Searched from the end that is likely nearer: readers are mostly close to the last entry.
    pub(super) fn seek(&self, id: StreamId) -> Option<RawEntry> {
        let last = self.last_live()?;
        if last.id < id {
            return None;
        }
        if self.is_nearer_front(id, last.id) {
            let mut next = self.first();
            while let Some(entry) = next.filter(|entry| entry.deleted || entry.id < id) {
                next = self.after(&entry);
            }
            return next;
        }
        let (mut best, mut next) = (last, self.before(&last));
        while let Some(entry) = next.filter(|entry| entry.deleted || entry.id >= id) {
            if !entry.deleted {
                best = entry;
            }
            next = self.before(&entry);
        }
        Some(best)
    }

    /// The last live entry at or below an id.
    pub(super) fn seek_back(&self, id: StreamId) -> Option<RawEntry> {
        let last = self.last_live()?;
        if last.id <= id {
            return Some(last);
        }
        if self.is_nearer_front(id, last.id) {
            let (mut best, mut next) = (None, self.first());
            while let Some(entry) = next.filter(|entry| entry.deleted || entry.id <= id) {
                if !entry.deleted {
                    best = next;
                }
                next = self.after(&entry);
            }
            return best;
        }
        let mut next = self.before(&last);
        while let Some(entry) = next.filter(|entry| entry.deleted || entry.id > id) {
            next = self.before(&entry);
        }
        next
    }

    fn last_live(&self) -> Option<RawEntry> {
        let mut last = self.last();
        while let Some(entry) = last.filter(|entry| entry.deleted) {
            last = self.before(&entry);
        }
        last
    }

    /// Whether an id lies in the lower half of the ids from the node's key to this one.
    fn is_nearer_front(&self, id: StreamId, last: StreamId) -> bool {
        let master = self.master.to_number();
        id.to_number().saturating_sub(master) < last.to_number().saturating_sub(master) / 2
    }

    /// The entry behind.
    pub(super) fn after(&self, entry: &RawEntry) -> Option<RawEntry> {
        let pieces = self.forward(entry.data, if entry.same { entry.pairs } else { entry.pairs * 2 });
        self.pack.next(pieces).map(|pos| self.entry(pos))
    }

    /// The entry before.
    pub(super) fn before(&self, entry: &RawEntry) -> Option<RawEntry> {
        self.ending(self.pack.prev(entry.flags_at)?)
    }

    /// The entry whose count of pieces stands here; none if it is the master.
    fn ending(&self, pieces: Pos) -> Option<RawEntry> {
        let count = number_at(self.pack, pieces);
        if count == 0 {
            return None;
        }
        let mut pos = pieces;
        for _ in 0..count {
            pos = self.pack.prev(pos).expect("an entry is whole");
        }
        Some(self.entry(pos))
    }

    fn entry(&self, flags_at: Pos) -> RawEntry {
        let step = |pos| self.pack.next(pos).expect("an entry is whole");
        let flags = number_at(self.pack, flags_at);
        let ms_at = step(flags_at);
        let seq_at = step(ms_at);
        let mut data = step(seq_at);
        let id = from_delta(self.master, number_at(self.pack, ms_at), number_at(self.pack, seq_at));
        let same = flags & SAME_FIELDS != 0;
        let mut pairs = self.master_pairs;
        if !same {
            pairs = number_at(self.pack, data) as usize;
            data = step(data);
        }
        RawEntry { id, deleted: flags & DELETED != 0, flags_at, same, pairs, data }
    }

    fn forward(&self, from: Pos, count: usize) -> Pos {
        let mut pos = from;
        for _ in 0..count {
            pos = self.pack.next(pos).expect("an entry is whole");
        }
        pos
    }

    /// An entry with its fields.
    pub(super) fn open(&self, raw: &RawEntry) -> Entry<'a> {
        Entry {
            id: raw.id,
            pairs: raw.pairs,
            names: raw.same.then(|| self.pack.iter_from(self.master_fields)),
            data: self.pack.iter_from(raw.data),
        }
    }
}

/// An entry of a stream.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    id: StreamId,
    pairs: usize,
    /// The master's fields, if the entry has the same.
    names: Option<Iter<'a>>,
    data: Iter<'a>,
}

impl<'a> Entry<'a> {
    /// Its id.
    pub fn id(&self) -> StreamId {
        self.id
    }

    /// How many pairs of field and value it has.
    pub fn pairs(&self) -> usize {
        self.pairs
    }

    /// Its fields and values.
    pub fn fields(&self) -> Fields<'a> {
        Fields { left: self.pairs, names: self.names.clone(), data: self.data.clone() }
    }
}

/// The fields and values of an entry.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    left: usize,
    names: Option<Iter<'a>>,
    data: Iter<'a>,
}

impl<'a> Iterator for Fields<'a> {
    type Item = (Item<'a>, Item<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let field = match &mut self.names {
            Some(names) => names.next()?,
            None => self.data.next()?,
        };
        Some((field, self.data.next()?))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Fields<'_> {}
