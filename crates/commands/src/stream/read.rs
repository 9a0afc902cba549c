//! XREAD and XREADGROUP: what is new in some streams, waiting for it if asked to.
//!
//! ```text
//!     XREAD                           [COUNT n] [BLOCK ms]         STREAMS key [key ...] id [id ...]
//!     XREADGROUP GROUP group consumer [COUNT n] [BLOCK ms] [NOACK] STREAMS key [key ...] id [id ...]
//!
//!     id, $    entries above it; `$` is the stream's last id now        XREAD
//!     >        entries that no consumer of the group got yet            XREADGROUP
//!     id       of this consumer's pending entries those above it        XREADGROUP, never waits
//! ```
//!
//! 1. All keys, groups and ids are looked at before anything is read.
//! 2. A command that waits logs nothing and counts no change. That it made its consumer is told to replicas by
//!    what it is served with later.
//! 3. A command that waits is tried again when one of its streams is touched. Were it to touch the stream each
//!    time to note that its consumer was seen, clients waiting at several cores would wake each other for ever: a
//!    waiting consumer is noted once a second, [`SEEN_EVERY_MS`].

use super::effects::Named;
use super::{amount, id_of, id_text, write_entries, write_entry, write_id, Outcome};
use crate::blocking::until_of_milliseconds;
use crate::{CommandError, Exec, Wait};
use datatypes::stream::{Delivery, Stream, StreamId, StreamLarge, StreamRef};
use keyspace::{Key, ValueType};
use resp::{Args, Deferred, Reply};

/// How often a consumer that waits is noted as seen, at most.
const SEEN_EVERY_MS: i64 = 1_000;

/// The arguments.
struct Request<'a> {
    count: usize,
    /// When it gives up waiting, if it waits; see [`Wait::until_ms`].
    block: Option<Option<u64>>,
    no_ack: bool,
    /// The names of group and consumer.
    group: Option<(&'a [u8], &'a [u8])>,
    /// Which argument is the first key, and how many there are.
    first: usize,
    streams: usize,
}

impl<'a> Request<'a> {
    fn read(args: Args<'a>, of_group: bool, now_ms: u64) -> Result<Request<'a>, CommandError> {
        let mut request = Request { count: 0, block: None, no_ack: false, group: None, first: 0, streams: 0 };
        let mut i = 1;
        while let Some(word) = args.try_get(i) {
            let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
            let more = args.len() - 1 - i;
            if is("block") && more > 0 {
                i += 1;
                request.block = Some(until_of_milliseconds(args.get(i), now_ms)?);
            } else if is("count") && more > 0 {
                i += 1;
                request.count = amount(args.get(i))?;
            } else if is("streams") && more > 0 {
                if more % 2 != 0 {
                    return Err(CommandError::unbalanced_streams(of_group));
                }
                (request.first, request.streams) = (i + 1, more / 2);
                break;
            } else if is("group") && more > 1 {
                if !of_group {
                    return Err(CommandError::only_xreadgroup("GROUP"));
                }
                request.group = Some((args.get(i + 1), args.get(i + 2)));
                i += 2;
            } else if is("noack") {
                if !of_group {
                    return Err(CommandError::only_xreadgroup("NOACK"));
                }
                request.no_ack = true;
            } else {
                return Err(CommandError::Syntax);
            }
            i += 1;
        }
        if request.streams == 0 {
            return Err(CommandError::Syntax);
        }
        if of_group && request.group.is_none() {
            return Err(CommandError::missing_group());
        }
        Ok(request)
    }

    /// Parks the command until one of the streams is touched.
    fn wait(&self, cx: &mut Exec, args: Args, until_ms: Option<u64>, replaced: Vec<(usize, Vec<u8>)>) {
        cx.wait(Wait {
            keys: (self.first..self.first + self.streams).map(|at| args.get(at).to_vec()).collect(),
            wants: ValueType::Stream,
            on_deletion: self.group.is_some(),
            until_ms,
            replaced,
        });
    }
}

/// The reply: streams with their entries, as a map in RESP3; null if there are none.
#[derive(Default)]
struct Answer {
    begun: Option<Deferred>,
    streams: usize,
}

impl Answer {
    /// Begins the next stream, whose entries follow.
    fn stream(&mut self, reply: &mut Reply, key: &[u8]) {
        let is_map = reply.is_resp3();
        if self.begun.is_none() {
            self.begun = Some(if is_map { reply.begin_map() } else { reply.begin_array() });
        }
        self.streams += 1;
        if !is_map {
            reply.array(2);
        }
        reply.bulk(key);
    }

    /// Whether there was any stream: then the reply is complete.
    fn end(self, reply: &mut Reply) -> bool {
        let Some(begun) = self.begun else { return false };
        if reply.is_resp3() {
            reply.end_map(begun, self.streams);
        } else {
            reply.end_array(begun, self.streams);
        }
        true
    }
}

/// XREAD
pub(super) fn xread(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let request = Request::read(args, false, cx.now.unix_ms())?;
    let mut above = Vec::with_capacity(request.streams);
    // `$` may not mean something later when the command is tried again.
    let mut replaced = Vec::new();
    for at in request.first..request.first + request.streams {
        let key = cx.key(args, at);
        let stream = cx.keys.read::<StreamRef>(&key)?;
        let id = at + request.streams;
        above.push(match args.get(id) {
            b"$" => {
                let last = stream.map_or(StreamId::MIN, |stream| stream.counters().last_id);
                replaced.push((id, id_text(last)));
                last
            }
            b">" => return Err(CommandError::new_ids_without_group()),
            argument => id_of(argument)?,
        });
    }
    let mut answer = Answer::default();
    for (i, above) in above.into_iter().enumerate() {
        let key = cx.key(args, request.first + i);
        let Some(stream) = cx.keys.read::<StreamRef>(&key)?.filter(|stream| stream.has_after(above)) else {
            continue;
        };
        let start = above.next().expect("there is an entry above");
        answer.stream(reply, key.bytes);
        write_entries(reply, stream.get().range(start, StreamId::MAX), request.count);
    }
    if !answer.end(reply) {
        match request.block {
            Some(until_ms) => request.wait(cx, args, until_ms, replaced),
            None => reply.null_array(),
        }
    }
    Ok(())
}

/// What XREADGROUP reads of one stream.
#[derive(Clone, Copy, PartialEq, Eq)]
enum From {
    /// What is new for the group.
    New,
    /// The consumer's pending entries above this id.
    History(StreamId),
}

impl From {
    fn of(argument: &[u8]) -> Result<From, CommandError> {
        match argument {
            b"$" => Err(CommandError::last_id_in_group()),
            b">" => Ok(From::New),
            // Redis takes the highest id for `>`.
            argument => Ok(match id_of(argument)? {
                StreamId::MAX => From::New,
                id => From::History(id),
            }),
        }
    }
}

/// XREADGROUP
pub(super) fn xreadgroup(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let request = Request::read(args, true, cx.now.unix_ms())?;
    let (group, consumer) = request.group.expect("it is refused without");
    let mut from = Vec::with_capacity(request.streams);
    for at in request.first..request.first + request.streams {
        let key = cx.key(args, at);
        let stream = cx.keys.read::<StreamRef>(&key)?;
        if stream.is_none_or(|stream| stream.get().group(group).is_none()) {
            return Err(CommandError::no_group_to_read(key.bytes, group));
        }
        from.push(From::of(args.get(at + request.streams))?);
    }
    let (mut answer, mut made) = (Answer::default(), Vec::new());
    for (i, from) in from.into_iter().enumerate() {
        let key = cx.key(args, request.first + i);
        if read_one(cx, &request, &key, from, &mut answer, reply)? {
            made.push(key.bytes);
        }
    }
    match (answer.end(reply), request.block) {
        (false, Some(until_ms)) => {
            request.wait(cx, args, until_ms, Vec::new());
            return Ok(());
        }
        (false, None) => reply.null_array(),
        (true, _) => {}
    }
    for key in made {
        Named { key, group }.log_consumer(cx.effects, consumer);
        cx.changed(1);
    }
    Ok(())
}

/// Reads one stream, if it has something. Whether replicas are still to be told that the consumer was made.
fn read_one(
    cx: &mut Exec,
    request: &Request,
    key: &Key,
    from: From,
    answer: &mut Answer,
    reply: &mut Reply,
) -> Result<bool, CommandError> {
    let (group_name, name) = request.group.expect("XREADGROUP is refused without");
    let now = cx.now.unix_ms() as i64;
    let mut stream = cx.keys.edit::<Stream>(key)?;
    let Some(group) = stream.group(group_name) else { return Ok(false) };
    let known = group.consumer(name).and_then(|id| group.consumer_state(id));
    let is_served = matches!(from, From::History(_)) || stream.has_after(group.last_id());
    let is_recent = known.is_some_and(|consumer| (0..SEEN_EVERY_MS).contains(&(now - consumer.seen_time())));
    if !is_served && request.block.is_some() && is_recent {
        return Ok(false);
    }
    // Rule 2: it may have been made while it waited. Redis has none that is given nothing but with NOACK.
    let is_unheard_of = request.block.is_some()
        && request.no_ack
        && known.is_some_and(|consumer| consumer.active_time().is_none());
    let stream: &mut StreamLarge = &mut stream;
    let (consumer, is_new) = stream.group_mut(group_name).expect("just seen").see_consumer(name, now);
    if !is_served {
        return Ok(is_new);
    }
    answer.stream(reply, key.bytes);
    let begun = reply.begin_array();
    if let From::History(above) = from {
        let read =
            stream.read_history(group_name, consumer, above, request.count, now, |id, entry| match entry {
                Some(entry) => write_entry(reply, &entry),
                None => {
                    reply.array(2);
                    write_id(reply, id);
                    reply.null_array();
                }
            });
        reply.end_array(begun, read);
        return Ok(is_new);
    }
    let (effects, named) = (&mut *cx.effects, Named { key: key.bytes, group: group_name });
    let read = stream.read_new(group_name, consumer, request.count, request.no_ack, now, |entry| {
        write_entry(reply, &entry);
        if !request.no_ack {
            let id = entry.id();
            let delivery = Delivery { id, consumer: name, delivery_time: now, delivery_count: 1 };
            named.log_claim(effects, &delivery, id);
        }
    });
    reply.end_array(begun, read.entries);
    if request.no_ack && read.moved {
        named.log_progress(effects, stream.group(group_name).expect("just read"));
    }
    effects.dirty += 1;
    Ok(request.no_ack && (is_new || is_unheard_of))
}
