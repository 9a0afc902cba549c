//! What is near a place: GEOSEARCH, GEORADIUS and their like.
//!
//! ```text
//!     key --> arguments --> cells of the map --> hits --order, COUNT--> the client
//!                                                                  '--> a sorted set under another key
//! ```
//!
//! 1. The key is looked up before the arguments are read, since a member may be the middle of the search; an error
//!    in an argument is told where it stands, from left to right.
//! 2. COUNT answers the nearest, in order; with ANY the search ends as soon as it has so many.
//! 3. Of several STORE and STOREDIST the last one holds. All of them count as keys (`radius_keys`), so that the
//!    command runs where each of them is.
//! 4. Hits as far away as each other come as Redis's two ways of sorting leave them: `sort/partial.rs`.

use super::{position, say_distance, say_position, unit, Outcome};
use crate::sort::partial;
use crate::{CommandError, Exec};
use datatypes::geo::{Found, Position, Search, Shape, Unit};
use datatypes::listpack::Item;
use datatypes::sorted_set::{parse_score, Conditions, SortedSet, SortedSetRef};
use keyspace::{ExpiryChange, OwnedValue};
use resp::{parse_integer, Args, Reply};
use std::cmp::Ordering;

/// Which command it is: they share their options, but not all of them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// GEORADIUS: around a place, in a circle.
    Radius { stores: bool },
    /// GEORADIUSBYMEMBER: around a member, in a circle.
    ByMember { stores: bool },
    /// GEOSEARCH.
    Search,
    /// GEOSEARCHSTORE.
    SearchStore,
}

impl Kind {
    fn source(self) -> usize {
        if self == Kind::SearchStore {
            2
        } else {
            1
        }
    }

    /// Where the options begin.
    fn options(self) -> usize {
        match self {
            Kind::Radius { .. } => 6,
            Kind::ByMember { .. } => 5,
            Kind::Search => 2,
            Kind::SearchStore => 3,
        }
    }

    fn is_search(self) -> bool {
        matches!(self, Kind::Search | Kind::SearchStore)
    }

    fn has_store_option(self) -> bool {
        matches!(self, Kind::Radius { stores: true } | Kind::ByMember { stores: true })
    }
}

/// GEORADIUS key longitude latitude radius unit [options]
pub(super) fn georadius(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    search(cx, args, Kind::Radius { stores: true }, reply)
}

/// GEORADIUS_RO, the same without STORE and STOREDIST.
pub(super) fn georadius_ro(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    search(cx, args, Kind::Radius { stores: false }, reply)
}

/// GEORADIUSBYMEMBER key member radius unit [options]
pub(super) fn georadiusbymember(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    search(cx, args, Kind::ByMember { stores: true }, reply)
}

/// GEORADIUSBYMEMBER_RO, the same without STORE and STOREDIST.
pub(super) fn georadiusbymember_ro(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    search(cx, args, Kind::ByMember { stores: false }, reply)
}

/// GEOSEARCH key FROMMEMBER member | FROMLONLAT longitude latitude
/// BYRADIUS radius unit | BYBOX width height unit
/// [ASC | DESC] [COUNT count [ANY]] [WITHCOORD] [WITHDIST] [WITHHASH]
pub(super) fn geosearch(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    search(cx, args, Kind::Search, reply)
}

/// GEOSEARCHSTORE destination source, and then as GEOSEARCH, with STOREDIST in place of WITH...
pub(super) fn geosearchstore(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    search(cx, args, Kind::SearchStore, reply)
}

/// The keys of GEORADIUS and GEORADIUSBYMEMBER: the first argument, and whatever STORE and STOREDIST may name.
pub(super) fn radius_keys(args: Args, each: &mut dyn FnMut(usize)) {
    if args.len() > 1 {
        each(1);
    }
    for at in 5..args.len().saturating_sub(1) {
        let word = args.get(at);
        if word.eq_ignore_ascii_case(b"store") || word.eq_ignore_ascii_case(b"storedist") {
            each(at + 1);
        }
    }
}

/// What the arguments ask for.
#[derive(Default)]
struct Options {
    with_distance: bool,
    with_score: bool,
    with_position: bool,
    any: bool,
    order: Option<Order>,
    count: Option<usize>,
    /// Which argument is the key to store under.
    store: Option<usize>,
    store_distance: bool,
    center: Option<Position>,
    /// FROMMEMBER, whose place is unknown if there is no set.
    from_member: bool,
    shape: Option<(Shape, Unit)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Near,
    Far,
}

/// An element that was found.
struct Hit<'a> {
    member: Item<'a>,
    score: f64,
    found: Found,
}

fn search(cx: &mut Exec, args: Args, kind: Kind, reply: &mut Reply) -> Outcome {
    let source = cx.key(args, kind.source());
    let limits = &cx.limits.sorted_set;
    let set = cx.keys.read::<SortedSetRef>(&source)?;
    let options = Options::read(args, kind, set)?;

    let mut hits = Vec::new();
    if let (Some(set), Some(center), Some((shape, unit))) = (set, options.center, options.shape) {
        options.find(set, &Search { center, shape, unit }, &mut hits);
    }
    let unit = options.shape.map_or(Unit::Meters, |(_, unit)| unit);
    let Some(store) = options.store else {
        options.say(&hits, unit, reply);
        return Ok(());
    };

    let mut result = SortedSet::new();
    for hit in &hits {
        let distance = hit.found.distance_m / unit.in_meters();
        let score = if options.store_distance { distance } else { hit.score };
        hit.member.with_bytes(|member| {
            result.add(member, score, Conditions::default(), limits).expect("distances are numbers");
        });
    }
    let destination = cx.key(args, store);
    let len = result.len();
    if len > 0 {
        let mut bytes = Vec::new();
        cx.keys.set(&destination, OwnedValue::of(result).into_new(&mut bytes), ExpiryChange::Clear);
        cx.changed(len as u64);
    } else {
        let removed = cx.keys.remove(&destination);
        cx.changed(removed.into());
    }
    reply.integer(len as i64);
    Ok(())
}

impl Options {
    fn read(args: Args, kind: Kind, set: Option<SortedSetRef>) -> Result<Options, CommandError> {
        let mut options = Options::default();
        match kind {
            Kind::Radius { .. } => {
                options.center = Some(position(args, 2)?);
                options.shape = Some(circle(args, 4)?);
            }
            // Without a set Redis does not look at the radius.
            Kind::ByMember { .. } => {
                if let Some(set) = set {
                    options.center = Some(place_of(set, args.get(2))?);
                    options.shape = Some(circle(args, 3)?);
                }
            }
            Kind::Search => {}
            Kind::SearchStore => options.store = Some(1),
        }
        let mut at = kind.options();
        while at < args.len() {
            at += 1 + options.read_one(args, at, kind, set)?;
        }
        options.check(args, kind)?;
        Ok(options)
    }

    /// Reads an option; how many arguments of its own it has.
    fn read_one(
        &mut self,
        args: Args,
        at: usize,
        kind: Kind,
        set: Option<SortedSetRef>,
    ) -> Result<usize, CommandError> {
        let left = args.len() - at - 1;
        let is = |name: &str| args.get(at).eq_ignore_ascii_case(name.as_bytes());
        let is_search = kind.is_search();
        match () {
            () if is("withdist") => self.with_distance = true,
            () if is("withhash") => self.with_score = true,
            () if is("withcoord") => self.with_position = true,
            () if is("any") => self.any = true,
            () if is("asc") => self.order = Some(Order::Near),
            () if is("desc") => self.order = Some(Order::Far),
            () if is("count") && left >= 1 => {
                let count = parse_integer(args.get(at + 1)).ok_or(CommandError::NotInteger)?;
                let count = usize::try_from(count).ok().filter(|&count| count > 0);
                self.count = Some(count.ok_or_else(CommandError::count_not_positive)?);
                return Ok(1);
            }
            () if (is("store") || is("storedist")) && left >= 1 && kind.has_store_option() => {
                self.store = Some(at + 1);
                self.store_distance = is("storedist");
                return Ok(1);
            }
            () if is("storedist") && kind == Kind::SearchStore => self.store_distance = true,
            () if is("frommember")
                && left >= 1
                && is_search
                && (self.center.is_none() || self.from_member) =>
            {
                if let Some(set) = set {
                    self.center = Some(place_of(set, args.get(at + 1))?);
                }
                self.from_member = true;
                return Ok(1);
            }
            () if is("fromlonlat") && left >= 2 && is_search && !self.from_member => {
                self.center = Some(position(args, at + 1)?);
                return Ok(2);
            }
            () if is("byradius")
                && left >= 2
                && is_search
                && !matches!(self.shape, Some((Shape::Box { .. }, _))) =>
            {
                self.shape = Some(circle(args, at + 1)?);
                return Ok(2);
            }
            () if is("bybox")
                && left >= 3
                && is_search
                && !matches!(self.shape, Some((Shape::Circle { .. }, _))) =>
            {
                self.shape = Some(rectangle(args, at + 1)?);
                return Ok(3);
            }
            () => return Err(CommandError::Syntax),
        }
        Ok(0)
    }

    /// What the options together do not allow, in Redis's order.
    fn check(&self, args: Args, kind: Kind) -> Outcome {
        if self.store.is_some() && self.is_detailed() {
            return Err(CommandError::store_with_details(kind == Kind::SearchStore));
        }
        if kind.is_search() && !self.from_member && self.center.is_none() {
            return Err(CommandError::no_center(args.get(0)));
        }
        if kind.is_search() && self.shape.is_none() {
            return Err(CommandError::no_shape(args.get(0)));
        }
        if self.any && self.count.is_none() {
            return Err(CommandError::any_without_count());
        }
        Ok(())
    }

    fn is_detailed(&self) -> bool {
        self.with_distance || self.with_score || self.with_position
    }

    /// The elements that are meant, in order.
    fn find<'a>(&self, set: SortedSetRef<'a>, search: &Search, hits: &mut Vec<Hit<'a>>) {
        let enough = self.count.filter(|_| self.any).unwrap_or(usize::MAX);
        'cells: for scores in search.score_ranges() {
            for (member, score) in set.range(set.ranks_by_score(&scores)) {
                if let Some(found) = search.find(score) {
                    hits.push(Hit { member, score, found });
                    if hits.len() == enough {
                        break 'cells;
                    }
                }
            }
        }
        let count = self.count.map_or(hits.len(), |count| count.min(hits.len()));
        let order = self.order.or(self.count.filter(|_| !self.any).map(|_| Order::Near));
        let near =
            |a: &Hit, b: &Hit| a.found.distance_m.partial_cmp(&b.found.distance_m).unwrap_or(Ordering::Equal);
        match order {
            Some(Order::Near) => partial::sort(hits, 0..count, near),
            Some(Order::Far) => partial::sort(hits, 0..count, |a, b| near(b, a)),
            None => {}
        }
        hits.truncate(count);
    }

    fn say(&self, hits: &[Hit], unit: Unit, reply: &mut Reply) {
        let details = [self.with_distance, self.with_score, self.with_position];
        let details = details.iter().filter(|wanted| **wanted).count();
        reply.array(hits.len());
        for hit in hits {
            if details > 0 {
                reply.array(1 + details);
            }
            match hit.member {
                Item::Int(number) => reply.bulk_integer(number),
                Item::Str(member) => reply.bulk(member),
            }
            if self.with_distance {
                say_distance(reply, hit.found.distance_m / unit.in_meters());
            }
            if self.with_score {
                reply.integer(hit.score as i64);
            }
            if self.with_position {
                say_position(reply, hit.found.position);
            }
        }
    }
}

fn place_of(set: SortedSetRef, member: &[u8]) -> Result<Position, CommandError> {
    set.score(member).map(Position::of_score).ok_or_else(CommandError::no_such_place)
}

/// `radius unit`
fn circle(args: Args, at: usize) -> Result<(Shape, Unit), CommandError> {
    let radius = parse_score(args.get(at)).ok_or_else(|| CommandError::need_numeric("radius"))?;
    if radius < 0.0 {
        return Err(CommandError::negative_radius());
    }
    Ok((Shape::Circle { radius }, unit(args.get(at + 1))?))
}

/// `width height unit`
fn rectangle(args: Args, at: usize) -> Result<(Shape, Unit), CommandError> {
    let width = parse_score(args.get(at)).ok_or_else(|| CommandError::need_numeric("width"))?;
    let height = parse_score(args.get(at + 1)).ok_or_else(|| CommandError::need_numeric("height"))?;
    if width < 0.0 || height < 0.0 {
        return Err(CommandError::negative_box());
    }
    Ok((Shape::Box { width, height }, unit(args.get(at + 2))?))
}
