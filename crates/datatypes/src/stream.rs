//! Streams: entries in the order of their ids, and groups of consumers that read them together.
//!
//! ```text
//!     nodes    1-0 -> | 1-0  1-1  1-7 .. |     9-3 -> | 9-3 .. |     first id of a node -> its entries
//!     groups   name -> last delivered id, entries read, pending: id -> time, count, consumer
//!                      consumers: name -> seen, active, pending ids
//! ```
//!
//! The nodes are Redis's own, byte for byte (`node.rs`), cut at the same places, and entries are removed as
//! Redis 7.2 removes them: so DUMP copies the nodes, and approximate trimming takes the same entries away.
//! There is no compact form: a stream of one entry is one node.
//!
//! 1. `len` is the number of live entries of all nodes. A new entry goes behind the last node's, or into a
//!    new node.
//! 2. `last_id` never falls below an entry, so that no id is given twice, unless XSETID says otherwise.
//! 3. `first_id` is the first live entry's, 0-0 in an empty stream. `max_deleted_id` is the highest that XDEL
//!    took; trimming leaves it alone. The arithmetic of lag (`counters.rs`) rests on these and on
//!    `entries_added`.
//! 4. Pending entries outlive the entries of the stream: XDEL and trimming leave them; XCLAIM and XAUTOCLAIM
//!    find them gone.
//! 5. No operation on one entry touches more than a node, a tree path and a chunk of pending entries. What
//!    frees many nodes or a group hands them back as a stream of their own, to be dismantled in steps.
//!
//! Not here: time (every `now` is an argument), blocking, what is sent to replicas.

mod counters;
mod delivery;
mod group;
mod id;
mod id_map;
mod node;
mod range;
#[cfg(test)]
mod tests;
mod trim;

pub use counters::Counters;
pub use delivery::{Claim, Claimed, Delivered};
pub use group::{Consumer, ConsumerId, Deliveries, Delivery, Group};
pub use id::{BoundError, NewId, StreamId};
pub use node::{Entry, Fields};
pub use range::Entries;
pub use trim::{Trim, Trimmed};

use node::{Node, NodeView};
use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};

/// Most bytes of one entry's fields and values, and of one node where the configuration sets no limit.
const MOST_BYTES: usize = 1 << 30;
/// What the tree of nodes holds for each, about: key, node, and the tree's own slack.
const NODE_OVERHEAD: usize = 80;
/// The same for a group.
const GROUP_OVERHEAD: usize = 96;
/// Nodes beyond which the shape of Redis's radix tree is estimated from those before.
const MOST_SHAPED: usize = 16_384;

/// A stream to be changed.
#[derive(Clone, Debug)]
pub enum Stream {
    /// The only form.
    Large(Box<StreamLarge>),
}

/// A stream to be read.
#[derive(Clone, Copy, Debug)]
pub enum StreamRef<'a> {
    /// The only form.
    Large(&'a StreamLarge),
}

impl Stream {
    /// An empty stream.
    pub fn new() -> Stream {
        Stream::Large(Box::default())
    }

    /// It, to be read.
    pub fn as_ref(&self) -> StreamRef<'_> {
        StreamRef::Large(self)
    }
}

impl Default for Stream {
    fn default() -> Stream {
        Stream::new()
    }
}

impl Deref for Stream {
    type Target = StreamLarge;

    fn deref(&self) -> &StreamLarge {
        let Stream::Large(stream) = self;
        stream
    }
}

impl DerefMut for Stream {
    fn deref_mut(&mut self) -> &mut StreamLarge {
        let Stream::Large(stream) = self;
        stream
    }
}

impl<'a> StreamRef<'a> {
    /// What OBJECT ENCODING says.
    pub fn encoding(self) -> &'static str {
        "stream"
    }

    /// The stream, for as long as it is borrowed.
    pub fn get(self) -> &'a StreamLarge {
        let StreamRef::Large(stream) = self;
        stream
    }
}

impl Deref for StreamRef<'_> {
    type Target = StreamLarge;

    fn deref(&self) -> &StreamLarge {
        self.get()
    }
}

/// How much a node may hold: `stream-node-max-bytes` and `stream-node-max-entries`, 0 for no limit.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// A node of so many bytes takes no more.
    pub node_bytes: usize,
    /// Nor one of so many entries, deleted ones included.
    pub node_entries: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { node_bytes: 4096, node_entries: 100 }
    }
}

impl Limits {
    /// What XADD and XTRIM limit an approximate trimming to when the client does not say: a hundred nodes.
    pub fn trim_limit(&self) -> u64 {
        match self.node_entries.saturating_mul(100) {
            0 => 10_000,
            limit => limit.min(1_000_000),
        }
    }
}

/// Why an entry was not added.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AddError {
    /// The stream's last id is the highest there is.
    Exhausted,
    /// The id is not above the last one.
    NotAbove,
    /// More than a node can hold.
    TooLarge,
}

/// Why XSETID was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SetIdError {
    /// Below the highest id that was deleted.
    BelowMaxDeleted,
    /// Below an entry.
    BelowTop,
    /// Fewer entries added than there are.
    AddedBelowLength,
}

/// The one form of a stream.
#[derive(Clone, Debug, Default)]
pub struct StreamLarge {
    nodes: BTreeMap<StreamId, Node>,
    counters: Counters,
    groups: BTreeMap<Box<[u8]>, Group>,
    /// Heap bytes of the nodes and of the groups.
    nodes_heap: usize,
    groups_heap: usize,
}

// Reading.
impl StreamLarge {
    /// How many entries it has.
    pub fn len(&self) -> u64 {
        self.counters.len
    }

    /// Whether it has no entries. (A stream without entries stays a key.)
    pub fn is_empty(&self) -> bool {
        self.counters.len == 0
    }

    /// Length, last id, first id and the rest.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The entries from `start` to `end`, both included.
    pub fn range(&self, start: StreamId, end: StreamId) -> Entries<'_> {
        Entries::new(&self.nodes, start, end, false)
    }

    /// The same entries, the last first.
    pub fn range_reversed(&self, start: StreamId, end: StreamId) -> Entries<'_> {
        Entries::new(&self.nodes, start, end, true)
    }

    /// All entries.
    pub fn iter(&self) -> Entries<'_> {
        self.range(StreamId::MIN, StreamId::MAX)
    }

    /// One entry.
    pub fn get(&self, id: StreamId) -> Option<Entry<'_>> {
        self.range(id, id).next()
    }

    /// The id of the last entry.
    pub fn last_entry_id(&self) -> Option<StreamId> {
        self.range_reversed(StreamId::MIN, StreamId::MAX).next().map(|entry| entry.id())
    }

    /// Whether it has an entry above `id`: whether a reader that saw `id` is served.
    pub fn has_after(&self, id: StreamId) -> bool {
        self.last_entry_id().is_some_and(|last| last > id)
    }

    /// The first id that still has its place, deleted or not: what replaces the id of an approximate MINID in
    /// what replicas get. The highest id if there is none.
    pub fn first_place(&self) -> StreamId {
        let mut entries = self.iter().with_deleted();
        entries.next().map_or(StreamId::MAX, |entry| entry.id())
    }

    /// The nodes as payloads hold them: key and listpack.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = (StreamId, &[u8])> {
        self.nodes.iter().map(|(&master, node)| (master, node.bytes()))
    }

    /// The nodes from a key on: where writing a payload in steps goes on.
    pub fn nodes_from(&self, master: StreamId) -> impl Iterator<Item = (StreamId, &[u8])> {
        self.nodes.range(master..).map(|(&master, node)| (master, node.bytes()))
    }

    /// How many nodes Redis's radix tree would have for these keys: XINFO shows it. Exact for streams of a
    /// million small entries; estimated beyond, not to hold up a core.
    pub fn radix_tree_nodes(&self) -> u64 {
        let keys = self.nodes.len();
        let shaped = radix_tree_nodes(self.nodes.keys().take(MOST_SHAPED).map(|id| id.to_bytes()));
        if keys <= MOST_SHAPED {
            shaped
        } else {
            (u128::from(shaped) * keys as u128 / MOST_SHAPED as u128) as u64
        }
    }

    /// The groups in the order of their names.
    pub fn groups(&self) -> impl ExactSizeIterator<Item = (&[u8], &Group)> {
        self.groups.iter().map(|(name, group)| (&**name, group))
    }

    /// A group.
    pub fn group(&self, name: &[u8]) -> Option<&Group> {
        self.groups.get(name)
    }

    /// Heap bytes that it holds, itself included.
    pub fn memory(&self) -> usize {
        size_of::<StreamLarge>() + self.nodes_heap + self.groups_heap
    }
}

// Writing.
impl StreamLarge {
    /// XADD: adds an entry of these fields and values. `now_ms` is the time for an id that is left to the
    /// stream.
    pub fn add<'a>(
        &mut self,
        id: NewId,
        pairs: impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone,
        limits: Limits,
        now_ms: u64,
    ) -> Result<StreamId, AddError> {
        let id = self.counters.new_id(id, now_ms)?;
        let size =
            pairs.clone().fold(0usize, |sum, (field, value)| sum.saturating_add(field.len() + value.len()));
        if size > MOST_BYTES {
            return Err(AddError::TooLarge);
        }
        let tail = self.nodes.last_entry().filter(|tail| !is_full(tail.get(), size, limits));
        match tail {
            Some(mut tail) => {
                let master = *tail.key();
                let node = tail.get_mut();
                let before = node.heap();
                node.append(master, id, pairs);
                self.nodes_heap += node.heap() - before;
            }
            None => {
                if let Some(mut full) = self.nodes.last_entry() {
                    let before = full.get().heap();
                    full.get_mut().close();
                    self.nodes_heap -= before - full.get().heap();
                }
                self.insert_node(id, Node::create(pairs));
            }
        }
        self.counters.added(id);
        Ok(id)
    }

    /// XDEL: how many of these entries there were. They are gone.
    pub fn delete(&mut self, ids: impl IntoIterator<Item = StreamId>) -> usize {
        let (mut deleted, mut first_gone) = (0, false);
        for id in ids {
            if self.delete_one(id) {
                deleted += 1;
                first_gone |= id == self.counters.first_id;
                self.counters.max_deleted_id = self.counters.max_deleted_id.max(id);
            }
        }
        if first_gone || self.is_empty() {
            self.find_first_id();
        }
        deleted
    }

    fn delete_one(&mut self, id: StreamId) -> bool {
        let Some((&master, node)) = self.nodes.range_mut(..=id).next_back() else { return false };
        let Some(entry) = NodeView::new(master, node).find(id) else { return false };
        if node.live() == 1 {
            self.remove_node(master);
        } else {
            let before = node.heap();
            node.delete(entry.flags_at);
            self.nodes_heap = self.nodes_heap + node.heap() - before;
        }
        self.counters.len -= 1;
        true
    }

    /// XSETID. `max_deleted_id` of 0-0 leaves what there is.
    pub fn set_id(
        &mut self,
        id: StreamId,
        entries_added: Option<u64>,
        max_deleted_id: StreamId,
    ) -> Result<(), SetIdError> {
        if id < self.counters.max_deleted_id {
            return Err(SetIdError::BelowMaxDeleted);
        }
        if self.last_entry_id().is_some_and(|last| id < last) {
            return Err(SetIdError::BelowTop);
        }
        if !self.is_empty() && entries_added.is_some_and(|added| self.len() > added) {
            return Err(SetIdError::AddedBelowLength);
        }
        self.counters.last_id = id;
        if let Some(entries_added) = entries_added {
            self.counters.entries_added = entries_added;
        }
        if max_deleted_id != StreamId::MIN {
            self.counters.max_deleted_id = max_deleted_id;
        }
        Ok(())
    }

    fn find_first_id(&mut self) {
        self.counters.first_id = self.iter().next().map_or(StreamId::MIN, |entry| entry.id());
    }

    fn insert_node(&mut self, master: StreamId, node: Node) {
        self.nodes_heap += NODE_OVERHEAD + node.heap();
        self.nodes.insert(master, node);
    }

    fn remove_node(&mut self, master: StreamId) -> Option<Node> {
        let node = self.nodes.remove(&master)?;
        self.nodes_heap -= NODE_OVERHEAD + node.heap();
        Some(node)
    }

    /// Frees at most about `steps` nodes and chunks of pending entries; true when nothing is left.
    pub fn dismantle(&mut self, mut steps: usize) -> bool {
        while steps > 0 {
            let Some((&master, _)) = self.nodes.first_key_value() else { break };
            self.remove_node(master);
            steps -= 1;
        }
        while steps > 0 {
            let Some(mut group) = self.groups.first_entry() else { break };
            let before = group.get().memory();
            if group.get_mut().dismantle(&mut steps) {
                group.remove();
                self.groups_heap -= GROUP_OVERHEAD + before;
                steps = steps.saturating_sub(1);
            } else {
                self.groups_heap = self.groups_heap + group.get().memory() - before;
            }
        }
        self.nodes.is_empty() && self.groups.is_empty()
    }
}

// Groups.
impl StreamLarge {
    /// XGROUP CREATE: false if there is a group of that name.
    pub fn create_group(&mut self, name: &[u8], last_id: StreamId, entries_read: Option<u64>) -> bool {
        if self.groups.contains_key(name) {
            return false;
        }
        let group = Group::new(last_id, entries_read);
        self.groups_heap += GROUP_OVERHEAD + group.memory();
        self.groups.insert(name.into(), group);
        true
    }

    /// A group to be changed.
    pub fn group_mut(&mut self, name: &[u8]) -> Option<GroupMut<'_>> {
        let group = self.groups.get_mut(name)?;
        Some(GroupMut { before: group.memory(), group, groups_heap: &mut self.groups_heap })
    }

    /// XGROUP DESTROY: takes a group out. What is answered holds it, to be dismantled in steps.
    pub fn destroy_group(&mut self, name: &[u8]) -> Option<Stream> {
        let (name, group) = self.groups.remove_entry(name)?;
        let heap = GROUP_OVERHEAD + group.memory();
        self.groups_heap -= heap;
        let mut rest = StreamLarge { groups_heap: heap, ..StreamLarge::default() };
        rest.groups.insert(name, group);
        Some(Stream::Large(Box::new(rest)))
    }
}

// From payloads: each answers whether what it was given can be true.
impl StreamLarge {
    /// A node of a payload, checked whole.
    pub fn restore_node(&mut self, master: StreamId, bytes: Vec<u8>) -> bool {
        if self.nodes.contains_key(&master) {
            return false;
        }
        let Some(node) = Node::validate(master, bytes) else { return false };
        self.counters.len += node.live();
        self.insert_node(master, node);
        true
    }

    /// The counters of a payload, after its nodes.
    pub fn restore_counters(&mut self, counters: Counters) -> bool {
        let right = counters.len == self.counters.len;
        if right {
            self.counters = counters;
        }
        right
    }
}

fn is_full(node: &Node, more: usize, limits: Limits) -> bool {
    let most_bytes = if limits.node_bytes == 0 { MOST_BYTES } else { limits.node_bytes.min(MOST_BYTES) };
    node.bytes().len() + more >= most_bytes
        || (limits.node_entries > 0 && node.entries() >= limits.node_entries)
}

/// A group to be changed, whose memory stays counted.
#[derive(Debug)]
pub struct GroupMut<'a> {
    group: &'a mut Group,
    before: usize,
    groups_heap: &'a mut usize,
}

impl Deref for GroupMut<'_> {
    type Target = Group;

    fn deref(&self) -> &Group {
        self.group
    }
}

impl DerefMut for GroupMut<'_> {
    fn deref_mut(&mut self) -> &mut Group {
        self.group
    }
}

impl Drop for GroupMut<'_> {
    fn drop(&mut self) {
        *self.groups_heap = *self.groups_heap + self.group.memory() - self.before;
    }
}

/// Nodes of a radix tree with compressed chains, for sorted keys of 16 bytes.
///
/// Each key has a leaf, each place where keys part a branching node, and each stretch between them that is
/// longer than the byte of its edge one chain.
fn radix_tree_nodes(mut keys: impl Iterator<Item = [u8; 16]>) -> u64 {
    // The depths of the branching nodes on the path of the last key; a chain is counted when its lower end is
    // left.
    let mut branches: Vec<usize> = Vec::new();
    let Some(mut last) = keys.next() else { return 1 };
    let mut nodes = 1;
    let chain = |above: Option<&usize>, below: usize| u64::from(above.map_or(0, |depth| depth + 1) < below);
    for key in keys {
        let shared = last.iter().zip(&key).take_while(|(a, b)| a == b).count();
        let mut below = 16;
        while branches.last().is_some_and(|&depth| depth > shared) {
            let depth = branches.pop().expect("just seen");
            nodes += chain(Some(&depth), below);
            below = depth;
        }
        if branches.last() != Some(&shared) {
            branches.push(shared);
            nodes += 1;
        }
        nodes += chain(branches.last(), below) + 1;
        last = key;
    }
    let mut below = 16;
    while let Some(depth) = branches.pop() {
        nodes += chain(Some(&depth), below);
        below = depth;
    }
    nodes + chain(None, below)
}
