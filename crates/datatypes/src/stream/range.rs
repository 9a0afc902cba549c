//! Entries between two ids, from either end.
//!
//! A range begins in the node with the highest key not above its first id (reversed: its last), since only
//! that node can hold the id, and walks entry by entry from there. What lies outside the range in that node
//! is passed by from its nearer end.
//!
//! Not here: COUNT, which is `take` of the iterator.

use super::id::StreamId;
use super::node::{Entry, Node, NodeView, RawEntry};
use std::collections::btree_map::{self, BTreeMap};

/// Entries in the order of their ids, or against it.
#[derive(Clone, Debug)]
pub struct Entries<'a> {
    nodes: btree_map::Range<'a, StreamId, Node>,
    /// The node being walked, and the entry given last.
    current: Option<(NodeView<'a>, Option<RawEntry>)>,
    start: StreamId,
    end: StreamId,
    reversed: bool,
    with_deleted: bool,
}

impl<'a> Entries<'a> {
    /// Entries not below `start` and not above `end`.
    pub(super) fn new(
        nodes: &'a BTreeMap<StreamId, Node>,
        start: StreamId,
        end: StreamId,
        reversed: bool,
    ) -> Entries<'a> {
        let from = nodes.range(..=start).next_back().map_or(StreamId::MIN, |(&key, _)| key);
        // A range that ends before it begins has no nodes.
        let nodes = if from <= end { nodes.range(from..=end) } else { nodes.range(end..end) };
        Entries { nodes, current: None, start, end, reversed, with_deleted: false }
    }

    /// Deleted entries that still have their place are given too.
    pub(super) fn with_deleted(mut self) -> Entries<'a> {
        self.with_deleted = true;
        self
    }

    /// The next entry in walking order, whatever its id.
    fn step(&mut self) -> Option<(NodeView<'a>, RawEntry)> {
        loop {
            if let Some((view, last)) = &mut self.current {
                let next = match (last.as_ref(), self.reversed) {
                    (None, false) if view.key() < self.start => view.seek(self.start),
                    (None, false) => view.first(),
                    (None, true) => view.seek_back(self.end),
                    (Some(last), false) => view.after(last),
                    (Some(last), true) => view.before(last),
                };
                if let Some(entry) = next {
                    *last = next;
                    return Some((*view, entry));
                }
            }
            let (&master, node) = if self.reversed { self.nodes.next_back() } else { self.nodes.next() }?;
            self.current = Some((NodeView::new(master, node), None));
        }
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        loop {
            let (view, entry) = self.step()?;
            if entry.deleted && !self.with_deleted {
                continue;
            }
            let (early, late) = (entry.id < self.start, entry.id > self.end);
            if (early && self.reversed) || (late && !self.reversed) {
                // Nothing behind it is in the range either.
                self.nodes = btree_map::Range::default();
                self.current = None;
                return None;
            }
            if !early && !late {
                return Some(view.open(&entry));
            }
        }
    }
}
