//! Places on the map, as members of sorted sets: the score is where a member is.
//!
//! A place is a cell of 0.6 m (`hash.rs`), whose 52 bits are the score; read back, it is the cell's middle.
//! Searches read the ranges of scores of a few larger cells and test every element (`search.rs`).
//! All arithmetic keeps to the order of Redis's, so that replies agree to the last digit.
//!
//! Not here: the sorted set (`sorted_set.rs`), and how results are sorted, counted or stored (commands).

mod hash;
mod search;

#[cfg(test)]
mod tests;

pub use search::{Found, Search, Shape};

use crate::integer::Decimal;
use hash::{encode, Cell, Span, LATITUDES, LONGITUDES, MOST_STEPS};
use std::io::Write;

/// Redis's radius of the earth.
const EARTH_RADIUS_M: f64 = 6372797.560856;
const DEGREE: f64 = std::f64::consts::PI / 180.0;

fn radians(degrees: f64) -> f64 {
    degrees * DEGREE
}

fn degrees(radians: f64) -> f64 {
    radians / DEGREE
}

/// A place on the map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position {
    /// Degrees east.
    pub longitude: f64,
    /// Degrees north.
    pub latitude: f64,
}

impl Position {
    /// The place, if it is on the map: within 180 degrees of longitude and 85.05112878 of latitude.
    pub fn new(longitude: f64, latitude: f64) -> Option<Position> {
        (LONGITUDES.contains(longitude) && LATITUDES.contains(latitude))
            .then_some(Position { longitude, latitude })
    }

    /// The score of a member at this place.
    pub fn score(self) -> f64 {
        encode(LONGITUDES, LATITUDES, self.longitude, self.latitude, MOST_STEPS) as f64
    }

    /// Where a member of this score is.
    pub fn of_score(score: f64) -> Position {
        let cell = Cell { bits: bits_of(score), step: MOST_STEPS };
        Position {
            longitude: cell.longitudes().middle().clamp(LONGITUDES.min, LONGITUDES.max),
            latitude: cell.latitudes().middle().clamp(LATITUDES.min, LATITUDES.max),
        }
    }

    /// The usual geohash, in which latitudes go from pole to pole. Its last character is always 0: there are
    /// no more than 52 bits for the first ten.
    pub fn geohash(self) -> [u8; 11] {
        let poles = Span { min: -90.0, max: 90.0 };
        let bits = encode(LONGITUDES, poles, self.longitude, self.latitude, MOST_STEPS);
        let mut text = *b"00000000000";
        for (nth, character) in text[..10].iter_mut().enumerate() {
            *character = b"0123456789bcdefghjkmnpqrstuvwxyz"[(bits >> (47 - 5 * nth) & 31) as usize];
        }
        text
    }
}

/// The bits of a score, which need not be one that a place has: as the processor that Redis runs on converts.
fn bits_of(score: f64) -> u64 {
    const HALF: f64 = (1u64 << 63) as f64;
    if score < HALF {
        score as i64 as u64
    } else if score < 2.0 * HALF {
        score as u64
    } else {
        0
    }
}

/// The great-circle distance of two places in meters (the haversine formula).
pub fn distance(from: Position, to: Position) -> f64 {
    let (from_longitude, to_longitude) = (radians(from.longitude), radians(to.longitude));
    let v = ((to_longitude - from_longitude) / 2.0).sin();
    if v == 0.0 {
        return latitude_distance(from.latitude, to.latitude);
    }
    let (from_latitude, to_latitude) = (radians(from.latitude), radians(to.latitude));
    let u = ((to_latitude - from_latitude) / 2.0).sin();
    let a = u * u + from_latitude.cos() * to_latitude.cos() * v * v;
    2.0 * EARTH_RADIUS_M * a.sqrt().asin()
}

/// The distance of two latitudes in meters.
fn latitude_distance(from: f64, to: f64) -> f64 {
    EARTH_RADIUS_M * (radians(to) - radians(from)).abs()
}

/// What distances are measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// `m`
    Meters,
    /// `km`
    Kilometers,
    /// `ft`
    Feet,
    /// `mi`
    Miles,
}

impl Unit {
    /// Reads its name, in upper or lower case.
    pub fn parse(text: &[u8]) -> Option<Unit> {
        [
            (b"m".as_slice(), Unit::Meters),
            (b"km", Unit::Kilometers),
            (b"ft", Unit::Feet),
            (b"mi", Unit::Miles),
        ]
        .into_iter()
        .find_map(|(name, unit)| text.eq_ignore_ascii_case(name).then_some(unit))
    }

    /// Its length in meters.
    pub fn in_meters(self) -> f64 {
        match self {
            Unit::Meters => 1.0,
            Unit::Kilometers => 1000.0,
            Unit::Feet => 0.3048,
            Unit::Miles => 1609.34,
        }
    }
}

/// Appends a distance with four digits behind the point.
pub fn format_distance(distance: f64, into: &mut Vec<u8>) {
    let parts = (distance * 10000.0).round_ties_even() as i64;
    if parts < 0 {
        into.push(b'-');
    }
    let parts = parts.unsigned_abs();
    into.extend_from_slice(Decimal::new((parts / 10000) as i64).as_bytes());
    into.push(b'.');
    // Four digits: the number behind a one.
    into.extend_from_slice(&Decimal::new((10000 + parts % 10000) as i64).as_bytes()[1..]);
}

/// Appends a longitude or latitude with up to 17 digits behind the point, without zeros at the end.
pub fn format_coordinate(degrees: f64, into: &mut Vec<u8>) {
    let start = into.len();
    write!(into, "{degrees:.17}").expect("memory takes what is written");
    while into.last() == Some(&b'0') {
        into.pop();
    }
    if into.last() == Some(&b'.') {
        into.pop();
    }
    if &into[start..] == b"-0" {
        into.remove(start);
    }
}
