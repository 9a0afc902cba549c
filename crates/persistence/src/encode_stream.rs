//! Writing a stream; the layout is in `decode_stream.rs`.
//!
//! The nodes' listpacks are copied as they are. Groups and consumers are found again by their number at the
//! next step, nodes and pending entries by the id behind the last.

use crate::decode_stream::{NEVER, UNKNOWN_READ};
use crate::value::kind;
use crate::write::{self, Writer};
use datatypes::stream::{ConsumerId, Group, StreamId, StreamLarge};

/// How far a stream is written.
#[derive(Clone, Copy)]
pub(crate) enum StreamCursor {
    /// The nodes below this key.
    Nodes(StreamId),
    /// So many groups.
    Groups(usize),
    /// The pending entries of this group, below the id.
    Pending(usize, StreamId),
    /// So many consumers of this group.
    Consumers(usize, usize),
    /// The entries of this consumer of this group, below the id.
    Owned(usize, usize, StreamId),
}

impl StreamCursor {
    pub(crate) fn start(stream: &StreamLarge, into: &mut Vec<u8>) -> StreamCursor {
        write::length(stream.nodes().len() as u64, into);
        StreamCursor::Nodes(StreamId::MIN)
    }

    /// Writes until `enough` says so; where to go on, or nothing at the end.
    pub(crate) fn advance(
        self,
        kind: u8,
        stream: &StreamLarge,
        writer: &mut Writer,
        into: &mut Vec<u8>,
        mut enough: impl FnMut(&Vec<u8>) -> bool,
    ) -> Option<StreamCursor> {
        let mut at = self;
        while !enough(into) {
            at = match at {
                StreamCursor::Nodes(from) => {
                    for (master, bytes) in stream.nodes_from(from) {
                        if enough(into) {
                            return Some(StreamCursor::Nodes(master));
                        }
                        writer.string(&master.to_bytes(), into);
                        writer.string(bytes, into);
                    }
                    counters(kind, stream, into);
                    write::length(stream.groups().len() as u64, into);
                    StreamCursor::Groups(0)
                }
                StreamCursor::Groups(index) => {
                    let (name, group) = stream.groups().nth(index)?;
                    writer.string(name, into);
                    id(group.last_id(), into);
                    if kind != kind::STREAM {
                        write::length(group.entries_read().unwrap_or(UNKNOWN_READ), into);
                    }
                    write::length(group.pending_len() as u64, into);
                    StreamCursor::Pending(index, StreamId::MIN)
                }
                StreamCursor::Pending(index, from) => {
                    let group = group(stream, index);
                    for delivery in group.pending(from, StreamId::MAX, None) {
                        if enough(into) {
                            return Some(StreamCursor::Pending(index, delivery.id));
                        }
                        into.extend_from_slice(&delivery.id.to_bytes());
                        write::milliseconds(delivery.delivery_time, into);
                        write::length(delivery.delivery_count, into);
                    }
                    write::length(group.consumers().len() as u64, into);
                    StreamCursor::Consumers(index, 0)
                }
                StreamCursor::Consumers(index, number) => {
                    match group(stream, index).consumers().nth(number) {
                        None => StreamCursor::Groups(index + 1),
                        Some((_, consumer)) => {
                            writer.string(consumer.name(), into);
                            write::milliseconds(consumer.seen_time(), into);
                            if kind == kind::STREAM_3 {
                                write::milliseconds(consumer.active_time().unwrap_or(NEVER), into);
                            }
                            write::length(consumer.pending_len() as u64, into);
                            StreamCursor::Owned(index, number, StreamId::MIN)
                        }
                    }
                }
                StreamCursor::Owned(index, number, from) => {
                    let group = group(stream, index);
                    let consumer = consumer(group, number);
                    for delivery in group.pending(from, StreamId::MAX, Some(consumer)) {
                        if enough(into) {
                            return Some(StreamCursor::Owned(index, number, delivery.id));
                        }
                        into.extend_from_slice(&delivery.id.to_bytes());
                    }
                    StreamCursor::Consumers(index, number + 1)
                }
            };
        }
        Some(at)
    }
}

fn group(stream: &StreamLarge, index: usize) -> &Group {
    stream.groups().nth(index).expect("the value has not changed between steps").1
}

fn consumer(group: &Group, number: usize) -> ConsumerId {
    group.consumers().nth(number).expect("the value has not changed between steps").0
}

fn id(id: StreamId, into: &mut Vec<u8>) {
    write::length(id.ms, into);
    write::length(id.seq, into);
}

fn counters(kind: u8, stream: &StreamLarge, into: &mut Vec<u8>) {
    let counters = stream.counters();
    write::length(counters.len, into);
    id(counters.last_id, into);
    if kind != kind::STREAM {
        id(counters.first_id, into);
        id(counters.max_deleted_id, into);
        write::length(counters.entries_added, into);
    }
}
