//! What a group's consumers have yet to acknowledge: XACK, XPENDING, XCLAIM, XAUTOCLAIM.
//!
//! 1. An entry that is pending and no longer in the stream is dropped by whoever claims it; XAUTOCLAIM names it
//!    in its third element.
//! 2. Claims are logged one by one, as they are pending from then on (`effects.rs`). A consumer that was made by
//!    the way and got nothing is logged, too.

use super::effects::Named;
use super::{end_of, id_of, ids_of, start_of, write_entry, write_id, Outcome};
use crate::{CommandError, Effects, Exec};
use datatypes::stream::{Claim, Claimed, Delivery, Group, Stream, StreamId, StreamLarge, StreamRef};
use resp::{parse_integer, Args, Reply};

/// XAUTOCLAIM looks at ten times as many entries, which Redis keeps within a signed number of bytes.
const MOST_AUTOCLAIMED: i64 = i64::MAX / 16;

/// XACK key group id [id ...]: how many of these were pending.
pub(super) fn xack(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let key = cx.key(args, 1);
    let mut stream = cx.keys.edit::<Stream>(&key)?;
    let mut acknowledged = 0;
    if let Some(group) = stream.group(args.get(2)) {
        let ids = ids_of(args.from(3))?;
        if let Some(first) = ids.iter().position(|&id| group.pending_one(id).is_some()) {
            let mut group = stream.group_mut(args.get(2)).expect("just seen");
            acknowledged = ids[first..].iter().filter(|&&id| group.acknowledge(id)).count();
        }
    }
    drop(stream);
    cx.changed(acknowledged as u64);
    reply.integer(acknowledged as i64);
    Ok(())
}

/// What XPENDING with a range asks for.
struct Listing<'a> {
    min_idle: i64,
    start: StreamId,
    end: StreamId,
    count: usize,
    consumer: Option<&'a [u8]>,
}

impl<'a> Listing<'a> {
    fn read(args: Args<'a>) -> Result<Listing<'a>, CommandError> {
        let integer = |at: usize| parse_integer(args.get(at)).ok_or(CommandError::NotInteger);
        let (mut min_idle, mut at) = (0, 3);
        if args.get(3).eq_ignore_ascii_case(b"idle") {
            min_idle = integer(4)?;
            if args.len() < 8 {
                return Err(CommandError::Syntax);
            }
            at = 5;
        }
        let count = usize::try_from(integer(at + 2)?).unwrap_or(0);
        let (start, end) = (start_of(args.get(at))?, end_of(args.get(at + 1))?);
        Ok(Listing { min_idle, start, end, count, consumer: args.try_get(at + 3) })
    }
}

/// XPENDING key group [[IDLE min-idle-time] start end count [consumer]]
pub(super) fn xpending(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let listing = match args.len() {
        3 => None,
        6..=9 => Some(Listing::read(args)?),
        _ => return Err(CommandError::Syntax),
    };
    let now = cx.now.unix_ms() as i64;
    let key = cx.key(args, 1);
    let stream = cx.keys.read::<StreamRef>(&key)?;
    let group = stream.and_then(|stream| stream.get().group(args.get(2)));
    let group = group.ok_or_else(|| CommandError::no_key_or_group(key.bytes, args.get(2)))?;
    match listing {
        None => write_summary(reply, group),
        Some(listing) => write_pending(reply, group, &listing, now),
    }
    Ok(())
}

fn write_summary(reply: &mut Reply, group: &Group) {
    reply.array(4);
    reply.integer(group.pending_len() as i64);
    let Some((first, last)) = group.pending_span() else {
        reply.null();
        reply.null();
        reply.null_array();
        return;
    };
    write_id(reply, first);
    write_id(reply, last);
    let begun = reply.begin_array();
    let mut consumers = 0;
    for (_, consumer) in group.consumers().filter(|(_, consumer)| consumer.pending_len() > 0) {
        reply.array(2);
        reply.bulk(consumer.name());
        reply.bulk_integer(consumer.pending_len() as i64);
        consumers += 1;
    }
    reply.end_array(begun, consumers);
}

fn write_pending(reply: &mut Reply, group: &Group, listing: &Listing, now: i64) {
    let consumer = listing.consumer.map(|name| group.consumer(name));
    if consumer == Some(None) {
        reply.array(0);
        return;
    }
    let begun = reply.begin_array();
    let idle = |delivery: &Delivery| now.wrapping_sub(delivery.delivery_time);
    let all = group.pending(listing.start, listing.end, consumer.flatten());
    let wanted = all.filter(|delivery| listing.min_idle == 0 || idle(delivery) >= listing.min_idle);
    let mut count = 0;
    for delivery in wanted.take(listing.count) {
        reply.array(4);
        write_id(reply, delivery.id);
        reply.bulk(delivery.consumer);
        reply.integer(idle(&delivery).max(0));
        reply.integer(delivery.delivery_count as i64);
        count += 1;
    }
    reply.end_array(begun, count);
}

/// The options of XCLAIM behind its ids.
fn read_claim(args: Args, min_idle: i64, now: i64) -> Result<(Claim, StreamId), CommandError> {
    let mut claim = Claim { min_idle: min_idle.max(0), ..Claim::default() };
    let mut last_id = StreamId::MIN;
    let mut i = 0;
    while i < args.len() {
        let word = args.get(i);
        let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
        let number = |at: usize, name: &str| {
            parse_integer(args.get(at)).ok_or_else(|| CommandError::bad_claim_option(name))
        };
        let has_more = i + 1 < args.len();
        if is("force") {
            claim.force = true;
        } else if is("justid") {
            claim.just_id = true;
        } else if is("idle") && has_more {
            i += 1;
            claim.delivery_time = Some(now.wrapping_sub(number(i, "IDLE")?));
        } else if is("time") && has_more {
            i += 1;
            claim.delivery_time = Some(number(i, "TIME")?);
        } else if is("retrycount") && has_more {
            i += 1;
            claim.retry_count = u64::try_from(number(i, "RETRYCOUNT")?).ok();
        } else if is("lastid") && has_more {
            i += 1;
            last_id = id_of(args.get(i))?;
        } else {
            return Err(CommandError::unknown_claim_option(word));
        }
        i += 1;
    }
    Ok((claim, last_id))
}

/// XCLAIM key group consumer min-idle-time id [id ...] [IDLE ms] [TIME unix-ms] [RETRYCOUNT count] [FORCE]
/// [JUSTID] [LASTID id]
pub(super) fn xclaim(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let now = cx.now.unix_ms() as i64;
    let (key, group, name) = (cx.key(args, 1), args.get(2), args.get(3));
    let mut stream = cx.keys.edit::<Stream>(&key)?;
    if stream.group(group).is_none() {
        return Err(CommandError::no_key_or_group(key.bytes, group));
    }
    let min_idle = parse_integer(args.get(4)).ok_or_else(|| CommandError::bad_min_idle("XCLAIM"))?;
    // What is no id begins the options.
    let ids: Vec<StreamId> =
        args.from(5).iter().map_while(|argument| StreamId::parse_strict(argument, 0)).collect();
    let (claim, up_to) = read_claim(args.from(5 + ids.len()), min_idle, now)?;
    let stream: &mut StreamLarge = &mut stream;
    let mut state = stream.group_mut(group).expect("just seen");
    let moved_up = state.advance_to(up_to);
    let (consumer, is_new) = state.see_consumer(name, now);
    let last_id = state.last_id();
    drop(state);
    let begun = reply.begin_array();
    let named = Named { key: key.bytes, group };
    let mut claims = Claims { effects: cx.effects, named, last_id, told: 0, moved: 0 };
    stream.claim(group, consumer, ids, &claim, now, |claimed| {
        claims.log(&claimed);
        claims.write(reply, &claimed, claim.just_id);
    });
    let Claims { effects, told, moved, .. } = claims;
    if moved_up && told == 0 {
        named.log_progress(effects, stream.group(group).expect("just seen"));
        effects.dirty += 1;
    }
    if is_new && moved == 0 {
        named.log_consumer(effects, name);
        effects.dirty += 1;
    }
    reply.end_array(begun, moved);
    Ok(())
}

/// Claims as they are made.
struct Claims<'a> {
    effects: &'a mut Effects,
    named: Named<'a>,
    last_id: StreamId,
    /// Pending entries that changed, and those of them that were claimed.
    told: usize,
    moved: usize,
}

impl Claims<'_> {
    fn log(&mut self, claimed: &Claimed) {
        let (Claimed::Moved { delivery, .. } | Claimed::Gone { delivery }) = claimed;
        self.named.log_claim(self.effects, delivery, self.last_id);
        self.effects.dirty += 1;
        self.told += 1;
    }

    /// Replies what was claimed; of what is gone, nothing.
    fn write(&mut self, reply: &mut Reply, claimed: &Claimed, just_id: bool) {
        if let Claimed::Moved { delivery, entry } = claimed {
            self.moved += 1;
            match just_id {
                true => write_id(reply, delivery.id),
                false => write_entry(reply, entry),
            }
        }
    }
}

/// XAUTOCLAIM key group consumer min-idle-time start [COUNT count] [JUSTID]: where to go on, what was claimed,
/// and the ids that are pending no more because their entries are gone.
pub(super) fn xautoclaim(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let now = cx.now.unix_ms() as i64;
    let min_idle = parse_integer(args.get(4)).ok_or_else(|| CommandError::bad_min_idle("XAUTOCLAIM"))?;
    let start = start_of(args.get(5))?;
    let mut claim = Claim { min_idle: min_idle.max(0), ..Claim::default() };
    let mut count = 100;
    let mut i = 6;
    while let Some(word) = args.try_get(i) {
        match args.try_get(i + 1) {
            Some(given) if word.eq_ignore_ascii_case(b"count") => {
                count = parse_integer(given)
                    .filter(|count| (1..=MOST_AUTOCLAIMED).contains(count))
                    .ok_or_else(CommandError::autoclaim_count)?;
                i += 2;
            }
            _ if word.eq_ignore_ascii_case(b"justid") => {
                claim.just_id = true;
                i += 1;
            }
            _ => return Err(CommandError::Syntax),
        }
    }
    let (key, group, name) = (cx.key(args, 1), args.get(2), args.get(3));
    let mut stream = cx.keys.edit::<Stream>(&key)?;
    if stream.group(group).is_none() {
        return Err(CommandError::no_key_or_group(key.bytes, group));
    }
    let stream: &mut StreamLarge = &mut stream;
    let mut state = stream.group_mut(group).expect("just seen");
    let (consumer, is_new) = state.see_consumer(name, now);
    let last_id = state.last_id();
    drop(state);
    let named = Named { key: key.bytes, group };
    let mut claims = Claims { effects: cx.effects, named, last_id, told: 0, moved: 0 };
    // The first element of the reply is known last.
    let (mut entries, mut gone) = (Reply::new(reply.protocol()), Vec::new());
    let next = stream.auto_claim(group, consumer, start, count as usize, &claim, now, |claimed| {
        claims.log(&claimed);
        claims.write(&mut entries, &claimed, claim.just_id);
        if let Claimed::Gone { delivery } = claimed {
            gone.push(delivery.id);
        }
    });
    let Claims { effects, moved, .. } = claims;
    if is_new && moved == 0 {
        named.log_consumer(effects, name);
        effects.dirty += 1;
    }
    reply.array(3);
    write_id(reply, next);
    reply.array(moved);
    reply.append(entries.take_segments());
    reply.array(gone.len());
    gone.into_iter().for_each(|id| write_id(reply, id));
    Ok(())
}
