//! Geo commands: places on the map, kept in sorted sets. `datatypes::geo` knows what score a place has and what is
//! near another; here we read the arguments, call it, record what changed, and word the reply.
//!
//! Places are added and told apart here, with the table of all; `geo/search.rs` has the searches.
//!
//! 1. The log has what was added as ZADD, with the scores: so that a replica need not compute as we do.
//! 2. Any sorted set will do. A score that no place has is read as the place of its lower 52 bits.

mod search;
#[cfg(test)]
mod tests;

use crate::table::{at, Begin, Categories, Command, Find, Flags, KeySpec};
use crate::{CommandError, Exec};
use datatypes::geo::{distance, format_coordinate, format_distance, Position, Unit};
use datatypes::sorted_set::{parse_score, Added, Conditions, SortedSet, SortedSetRef};
use resp::{format_integer, Args, Reply};

type Outcome = Result<(), CommandError>;

const GEO: Categories = Categories::GEO;
const READONLY: &[Flags] = &[Flags::READONLY];
const WRITE: &[Flags] = &[Flags::WRITE, Flags::DENYOOM];

const READ: KeySpec = at(1, &["RO", "access"]);
const READS: &[KeySpec] = &[READ];
const AROUND_PLACE: &[KeySpec] = &[READ, behind("STORE", 6), behind("STOREDIST", 6)];
const AROUND_MEMBER: &[KeySpec] = &[READ, behind("STORE", 5), behind("STOREDIST", 5)];

/// The key behind a keyword that may follow from an argument on.
const fn behind(word: &'static str, from: i8) -> KeySpec {
    let find = Find::Range { last: 0, step: 1, limit: 0 };
    KeySpec { flags: &["OW", "update"], begin: Begin::Keyword(word, from), find, notes: None }
}

pub const TABLE: &[Command] = &[
    Command::new("geoadd", geoadd).arity(-5).keys(&[at(1, &["RW", "update"])]).flags(WRITE).acl(GEO),
    Command::new("geodist", geodist).arity(-4).keys(READS).flags(READONLY).acl(GEO),
    Command::new("geohash", geohash).arity(-2).keys(READS).flags(READONLY).acl(GEO),
    Command::new("geopos", geopos).arity(-2).keys(READS).flags(READONLY).acl(GEO),
    Command::new("georadius", search::georadius)
        .arity(-6)
        .keys(AROUND_PLACE)
        .keys_found_by(search::radius_keys)
        .flags(WRITE)
        .acl(GEO),
    Command::new("georadius_ro", search::georadius_ro).arity(-6).keys(READS).flags(READONLY).acl(GEO),
    Command::new("georadiusbymember", search::georadiusbymember)
        .arity(-5)
        .keys(AROUND_MEMBER)
        .keys_found_by(search::radius_keys)
        .flags(WRITE)
        .acl(GEO),
    Command::new("georadiusbymember_ro", search::georadiusbymember_ro)
        .arity(-5)
        .keys(READS)
        .flags(READONLY)
        .acl(GEO),
    Command::new("geosearch", search::geosearch).arity(-7).keys(READS).flags(READONLY).acl(GEO),
    Command::new("geosearchstore", search::geosearchstore)
        .arity(-8)
        .keys(&[at(1, &["OW", "update"]), at(2, &["RO", "access"])])
        .flags(WRITE)
        .acl(GEO),
];

/// GEOADD key [NX | XX] [CH] longitude latitude member [longitude latitude member ...]: how many are new, or
/// with CH how many changed.
fn geoadd(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let mut conditions = Conditions::default();
    let mut count_changes = false;
    let mut first = 2;
    while let Some(option) = args.try_get(first) {
        match () {
            () if option.eq_ignore_ascii_case(b"nx") => conditions.only_new = true,
            () if option.eq_ignore_ascii_case(b"xx") => conditions.only_existing = true,
            () if option.eq_ignore_ascii_case(b"ch") => count_changes = true,
            () => break,
        }
        first += 1;
    }
    let places = (args.len() - first) / 3;
    let contradicts = conditions.only_new && conditions.only_existing;
    if (args.len() - first) % 3 != 0 || places == 0 || contradicts {
        return Err(CommandError::Syntax);
    }
    let mut elements = Vec::with_capacity(places);
    for i in (first..args.len()).step_by(3) {
        elements.push((position(args, i)?.score(), args.get(i + 2)));
    }

    let key = cx.key(args, 1);
    let limits = &cx.limits.sorted_set;
    let mut set = cx.keys.edit::<SortedSet>(&key)?;
    let (mut added, mut updated) = (0, 0);
    let was_there = set.was_there();
    // A set that nothing changes is not touched: that would end the transactions of those who WATCH it.
    let first_change = elements.iter().position(|(score, member)| {
        match if was_there { set.as_ref().score(member) } else { None } {
            Some(old) => !conditions.only_new && old != *score,
            None => !conditions.only_existing,
        }
    });
    let is_small = matches!(set.as_ref(), SortedSetRef::Listpack(_));
    if was_there && is_small && places > limits.listpack_entries {
        set.expect(places, limits);
    }
    if let Some(first_change) = first_change {
        let set = &mut *set;
        if !was_there {
            *set = SortedSet::for_members(elements[0].1, places, limits);
        }
        for (score, member) in &elements[first_change..] {
            match set.add(member, *score, conditions, limits).expect("a place's score is a number") {
                Added::New(_) => added += 1,
                Added::Updated(_) => updated += 1,
                Added::Same(_) | Added::Refused => {}
            }
        }
    }
    drop(set);
    if added + updated > 0 {
        cx.changed(added + updated);
        let scores: Vec<_> = elements.iter().map(|(score, _)| format_integer(*score as i64)).collect();
        let mut words: Vec<&[u8]> = vec![b"zadd"];
        words.extend((1..first).map(|i| args.get(i)));
        for (score, (_, member)) in scores.iter().zip(&elements) {
            words.extend([&score[..], member]);
        }
        cx.log(&words);
    }
    reply.integer((added + if count_changes { updated } else { 0 }) as i64);
    Ok(())
}

/// GEODIST key member1 member2 [unit]
fn geodist(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    let unit = match args.len() {
        4 => Unit::Meters,
        5 => unit(args.get(4))?,
        _ => return Err(CommandError::Syntax),
    };
    let key = cx.key(args, 1);
    let set = cx.keys.read::<SortedSetRef>(&key)?;
    let place = |at| set.and_then(|set| set.score(args.get(at))).map(Position::of_score);
    match (place(2), place(3)) {
        (Some(from), Some(to)) => say_distance(reply, distance(from, to) / unit.in_meters()),
        _ => reply.null(),
    }
    Ok(())
}

/// GEOHASH key [member ...]
fn geohash(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    each_place(cx, args, reply, |reply, place| match place {
        Some(place) => reply.bulk(&place.geohash()),
        None => reply.null(),
    })
}

/// GEOPOS key [member ...]
fn geopos(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    each_place(cx, args, reply, |reply, place| match place {
        Some(place) => say_position(reply, place),
        None => reply.null_array(),
    })
}

/// Answers something of each member asked for.
fn each_place(
    cx: &mut Exec,
    args: Args,
    reply: &mut Reply,
    say: fn(&mut Reply, Option<Position>),
) -> Outcome {
    let key = cx.key(args, 1);
    let set = cx.keys.read::<SortedSetRef>(&key)?;
    let members = args.from(2);
    reply.array(members.len());
    for member in members.iter() {
        say(reply, set.and_then(|set| set.score(member)).map(Position::of_score));
    }
    Ok(())
}

/// Two arguments as a place on the map.
fn position(args: Args, at: usize) -> Result<Position, CommandError> {
    let longitude = parse_score(args.get(at)).ok_or(CommandError::NotFloat)?;
    let latitude = parse_score(args.get(at + 1)).ok_or(CommandError::NotFloat)?;
    Position::new(longitude, latitude).ok_or_else(|| CommandError::off_the_map(longitude, latitude))
}

fn unit(name: &[u8]) -> Result<Unit, CommandError> {
    Unit::parse(name).ok_or_else(CommandError::no_such_unit)
}

fn say_distance(reply: &mut Reply, distance: f64) {
    let mut text = Vec::with_capacity(16);
    format_distance(distance, &mut text);
    reply.bulk(&text);
}

fn say_position(reply: &mut Reply, place: Position) {
    reply.array(2);
    let mut text = Vec::with_capacity(24);
    for degrees in [place.longitude, place.latitude] {
        text.clear();
        format_coordinate(degrees, &mut text);
        reply.double_text(&text);
    }
}
