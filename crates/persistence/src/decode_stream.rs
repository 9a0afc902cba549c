//! Reading a stream: entries, then counters, then groups with their consumers.
//!
//! ```text
//!     n  { "id 16" listpack }*  length  last id  [first id  highest deleted id  entries ever added]
//!     n  { name  last id  [entries read]
//!          n  { id 16  delivery time 8  deliveries }*                 pending in the group
//!          n  { name  seen 8  [active 8]  n  { id 16 }* }*            whose they are
//!     }*
//! ```
//!
//! What is in brackets came with later versions; older forms leave it to be estimated. The checks of content are
//! `datatypes::stream`'s own; here we only say what it was that could not be true.
//!
//! 1. A call of [`StreamDecoder::advance`] reads one piece and then changes the state, never the other way round: a
//!    piece that is not all there yet changes nothing.

use crate::read::Reader;
use crate::value::kind;
use crate::Corrupt;
use datatypes::stream::{ConsumerId, Counters, GroupMut, Stream, StreamId};

/// A count of entries read that stands for "not known".
pub(crate) const UNKNOWN_READ: u64 = u64::MAX;
/// An active time that stands for "never".
pub(crate) const NEVER: i64 = -1;

/// A stream that is being read.
pub(crate) struct StreamDecoder {
    kind: u8,
    stream: Stream,
    next: Next,
}

/// What is read next, and how many of it are left.
enum Next {
    NodeCount,
    Node(u64),
    Counters,
    GroupCount,
    Group(u64),
    Pending { groups: u64, group: Vec<u8>, left: u64 },
    ConsumerCount { groups: u64, group: Vec<u8> },
    Consumer { groups: u64, group: Vec<u8>, left: u64 },
    Owned { groups: u64, group: Vec<u8>, consumers: u64, consumer: ConsumerId, left: u64 },
}

impl StreamDecoder {
    pub(crate) fn new(kind: u8) -> StreamDecoder {
        StreamDecoder { kind, stream: Stream::new(), next: Next::NodeCount }
    }

    /// Reads one piece; the stream, if that was the last.
    pub(crate) fn advance(&mut self, input: &mut Reader<'_>) -> Result<Option<Stream>, Corrupt> {
        // Each arm takes its state by reference and gives the next, so that an error leaves it as it was.
        let next = match &mut self.next {
            Next::NodeCount => Next::Node(input.length()?),
            Next::Node(0) => Next::Counters,
            Next::Node(left) => {
                let master = input.string()?;
                let master =
                    <[u8; 16]>::try_from(&*master).map_err(|_| Corrupt::Stream("a node's key is no id"))?;
                let bytes = input.string()?.into_owned();
                if !self.stream.restore_node(StreamId::from_bytes(master), bytes) {
                    return Err(Corrupt::Stream("a node's entries are broken, or it is there twice"));
                }
                Next::Node(*left - 1)
            }
            Next::Counters => {
                let counters = counters(self.kind, &self.stream, input)?;
                if !self.stream.restore_counters(counters) {
                    return Err(Corrupt::Stream("the length is another than that of the nodes"));
                }
                Next::GroupCount
            }
            Next::GroupCount => Next::Group(input.length()?),
            Next::Group(0) => return Ok(Some(std::mem::take(&mut self.stream))),
            Next::Group(left) => {
                let name = input.string()?.into_owned();
                let last_id = id(input)?;
                let entries_read = match self.kind {
                    kind::STREAM => self.stream.counters().distance_from_first(last_id),
                    _ => Some(input.length()?).filter(|&read| read != UNKNOWN_READ),
                };
                let pending = input.length()?;
                if !self.stream.create_group(&name, last_id, entries_read) {
                    return Err(Corrupt::Stream("a group is there twice"));
                }
                Next::Pending { groups: *left - 1, group: name, left: pending }
            }
            Next::Pending { groups, group, left: 0 } => {
                Next::ConsumerCount { groups: *groups, group: std::mem::take(group) }
            }
            Next::Pending { group, left, .. } => {
                let id = StreamId::from_bytes(input.array()?);
                let delivery_time = input.milliseconds()?;
                let deliveries = input.length()?;
                if !named(&mut self.stream, group).restore_pending(id, delivery_time, deliveries) {
                    return Err(Corrupt::Stream("an entry is pending twice"));
                }
                *left -= 1;
                return Ok(None);
            }
            Next::ConsumerCount { groups, group } => {
                let left = input.length()?;
                Next::Consumer { groups: *groups, group: std::mem::take(group), left }
            }
            Next::Consumer { groups, group, left: 0 } => {
                if !named(&mut self.stream, group).is_owned() {
                    return Err(Corrupt::Stream("a pending entry is nobody's"));
                }
                Next::Group(*groups)
            }
            Next::Consumer { groups, group, left } => {
                let name = input.string()?;
                let seen = input.milliseconds()?;
                let active = match self.kind {
                    kind::STREAM_3 => Some(input.milliseconds()?).filter(|&time| time != NEVER),
                    // The best that is known of it.
                    _ => Some(seen),
                };
                let owned = input.length()?;
                let consumer = named(&mut self.stream, group)
                    .restore_consumer(&name, seen, active)
                    .ok_or(Corrupt::Stream("a consumer is there twice"))?;
                let group = std::mem::take(group);
                Next::Owned { groups: *groups, group, consumers: *left - 1, consumer, left: owned }
            }
            Next::Owned { groups, group, consumers, left: 0, .. } => {
                Next::Consumer { groups: *groups, group: std::mem::take(group), left: *consumers }
            }
            Next::Owned { group, consumer, left, .. } => {
                let id = StreamId::from_bytes(input.array()?);
                if !named(&mut self.stream, group).restore_owner(*consumer, id) {
                    return Err(Corrupt::Stream("a consumer's entry is not pending, or another's"));
                }
                *left -= 1;
                return Ok(None);
            }
        };
        self.next = next;
        Ok(None)
    }
}

fn named<'a>(stream: &'a mut Stream, group: &[u8]) -> GroupMut<'a> {
    stream.group_mut(group).expect("created when its name was read")
}

fn id(input: &mut Reader<'_>) -> Result<StreamId, Corrupt> {
    Ok(StreamId::new(input.length()?, input.length()?))
}

fn counters(kind: u8, stream: &Stream, input: &mut Reader<'_>) -> Result<Counters, Corrupt> {
    let len = input.length()?;
    let last_id = id(input)?;
    if kind == kind::STREAM {
        // Redis knew no more before 7.0.
        let first_id = stream.iter().next().map_or(StreamId::MIN, |entry| entry.id());
        return Ok(Counters { len, last_id, first_id, max_deleted_id: StreamId::MIN, entries_added: len });
    }
    Ok(Counters {
        len,
        last_id,
        first_id: id(input)?,
        max_deleted_id: id(input)?,
        entries_added: input.length()?,
    })
}
