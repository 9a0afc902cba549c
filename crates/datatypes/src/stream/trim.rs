//! Trimming: the oldest entries go, by number or by id.
//!
//! Whole nodes go as long as the bound allows it; then, unless the trimming is approximate, entries of the
//! next node are marked as deleted up to the bound. With a limit, no node goes that would make more than so
//! many entries. Which entries go is part of what clients see, and this is what Redis 7.2 removes.
//!
//! 1. To find the nodes costs a look at each in the tree, without touching its bytes; many are cut off the
//!    tree at once and handed back, not freed here.

use super::id::StreamId;
use super::node::NodeView;
use super::{Stream, StreamLarge, NODE_OVERHEAD};

/// As many nodes are freed on the spot.
const FEW_NODES: usize = 64;

/// What to keep.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trim {
    /// So many entries.
    MaxLen(u64),
    /// Entries not below this id.
    MinId(StreamId),
}

/// What trimming did.
#[derive(Debug)]
pub struct Trimmed {
    /// Entries removed.
    pub removed: u64,
    /// Nodes still to be freed, to be dismantled in steps.
    pub rest: Option<Stream>,
}

/// The nodes that go as a whole.
#[derive(Default)]
struct Front {
    nodes: usize,
    entries: u64,
    heap: usize,
    /// The node behind them is to lose a part.
    partly: bool,
    /// The key of the node behind them.
    kept: Option<StreamId>,
}

impl StreamLarge {
    /// XTRIM. An approximate one removes whole nodes only. A limit of 0 is none.
    pub fn trim(&mut self, to: Trim, approximate: bool, limit: u64) -> Trimmed {
        let front = self.front(to, approximate, limit);
        let rest = self.remove_front(&front);
        self.counters.len -= front.entries;
        let mut removed = front.entries;
        if front.partly {
            removed += self.trim_first_node(to);
        }
        if removed > 0 || self.is_empty() {
            self.find_first_id();
        }
        Trimmed { removed, rest }
    }

    fn front(&self, to: Trim, approximate: bool, limit: u64) -> Front {
        let mut front = Front::default();
        let mut nodes = self.nodes.iter().peekable();
        while let Some((&master, node)) = nodes.next() {
            front.kept = Some(master);
            let len = self.len() - front.entries;
            if matches!(to, Trim::MaxLen(most) if len <= most) {
                return front;
            }
            if limit > 0 && front.entries + node.live() > limit {
                return front;
            }
            let whole = match to {
                Trim::MaxLen(most) => len - node.live() >= most,
                // Where the next node begins at or below the bound, all of this one is below it.
                Trim::MinId(least) => {
                    nodes.peek().is_some_and(|(&next, _)| next <= least)
                        || NodeView::new(master, node).last().is_none_or(|last| last.id < least)
                }
            };
            if !whole {
                front.partly = !approximate;
                return front;
            }
            front.nodes += 1;
            front.entries += node.live();
            front.heap += NODE_OVERHEAD + node.heap();
        }
        front.kept = None;
        front
    }

    fn remove_front(&mut self, front: &Front) -> Option<Stream> {
        self.nodes_heap -= front.heap;
        if front.nodes <= FEW_NODES {
            for _ in 0..front.nodes {
                self.nodes.pop_first();
            }
            return None;
        }
        let kept = front.kept.map(|kept| self.nodes.split_off(&kept)).unwrap_or_default();
        let nodes = std::mem::replace(&mut self.nodes, kept);
        Some(Stream::Large(Box::new(StreamLarge { nodes, nodes_heap: front.heap, ..StreamLarge::default() })))
    }

    fn trim_first_node(&mut self, to: Trim) -> u64 {
        let Some(mut first) = self.nodes.first_entry() else { return 0 };
        let master = *first.key();
        let node = first.get_mut();
        let before = node.heap();
        let removed = match to {
            Trim::MaxLen(most) => {
                let mut excess = self.counters.len - most;
                node.delete_while(master, |_, deleted| {
                    let more = excess > 0;
                    excess -= u64::from(more && !deleted);
                    more
                })
            }
            Trim::MinId(least) => node.delete_while(master, |id, _| id < least),
        };
        self.nodes_heap = self.nodes_heap + node.heap() - before;
        self.counters.len -= removed;
        removed
    }
}
