//! Cells of the map, and the bits that name them.
//!
//! ```text
//!     longitude -180 .. 180, latitude -85.05112878 .. 85.05112878, each halved `step` times
//!     bits      ... | longitude | latitude | longitude | latitude |      the last halving is the lowest pair
//! ```
//!
//! At 26 halvings the bits are a sorted set's score. The bits of a larger cell are the beginning of the bits
//! of all that is in it, so a cell is one range of scores.

/// The most halvings: 52 bits are an exact double.
pub(super) const MOST_STEPS: u32 = 26;
/// Mercator's limits; nothing nearer to a pole has a place.
pub(super) const LONGITUDES: Span = Span { min: -180.0, max: 180.0 };
pub(super) const LATITUDES: Span = Span { min: -85.05112878, max: 85.05112878 };

const LATITUDE_BITS: u64 = 0x5555_5555_5555_5555;
const LONGITUDE_BITS: u64 = !LATITUDE_BITS;

/// From one longitude or latitude to another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub min: f64,
    pub max: f64,
}

impl Span {
    pub fn contains(self, value: f64) -> bool {
        value >= self.min && value <= self.max
    }

    /// Which of the 2^step parts a value is in; the upper end is in the part above the last.
    fn part_of(self, value: f64, step: u32) -> u32 {
        let offset = (value - self.min) / (self.max - self.min);
        (offset * (1u64 << step) as f64) as u32
    }

    fn part(self, index: u32, step: u32) -> Span {
        let (parts, scale) = ((1u64 << step) as f64, self.max - self.min);
        Span {
            min: self.min + (f64::from(index) / parts) * scale,
            max: self.min + (f64::from(index.wrapping_add(1)) / parts) * scale,
        }
    }

    pub fn middle(self) -> f64 {
        (self.min + self.max) / 2.0
    }
}

/// Spreads the bits of a number to the even places.
fn spread(number: u32) -> u64 {
    let mut bits = u64::from(number);
    for (shift, mask) in [
        (16, 0x0000_ffff_0000_ffff),
        (8, 0x00ff_00ff_00ff_00ff),
        (4, 0x0f0f_0f0f_0f0f_0f0f),
        (2, 0x3333_3333_3333_3333),
        (1, LATITUDE_BITS),
    ] {
        bits = (bits | bits << shift) & mask;
    }
    bits
}

/// The number whose bits are at the even places.
fn gather(bits: u64) -> u32 {
    let mut bits = bits & LATITUDE_BITS;
    for (shift, mask) in [
        (1, 0x3333_3333_3333_3333),
        (2, 0x0f0f_0f0f_0f0f_0f0f),
        (4, 0x00ff_00ff_00ff_00ff),
        (8, 0x0000_ffff_0000_ffff),
        (16, 0xffff_ffff),
    ] {
        bits = (bits | bits >> shift) & mask;
    }
    bits as u32
}

/// The bits of a place among `longitudes` and `latitudes`.
pub(super) fn encode(longitudes: Span, latitudes: Span, longitude: f64, latitude: f64, step: u32) -> u64 {
    spread(latitudes.part_of(latitude, step)) | spread(longitudes.part_of(longitude, step)) << 1
}

/// A cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    pub bits: u64,
    pub step: u32,
}

impl Cell {
    pub fn around(longitude: f64, latitude: f64, step: u32) -> Cell {
        Cell { bits: encode(LONGITUDES, LATITUDES, longitude, latitude, step), step }
    }

    pub fn longitudes(self) -> Span {
        LONGITUDES.part(gather(self.bits >> 1), self.step)
    }

    pub fn latitudes(self) -> Span {
        LATITUDES.part(gather(self.bits), self.step)
    }

    /// The cell so many to the east (or west: -1) and north (or south), around the edges of the map.
    pub fn neighbour(self, east: i32, north: i32) -> Cell {
        let longitude = moved(self.bits, east, LONGITUDE_BITS, self.step);
        let latitude = moved(self.bits, north, LATITUDE_BITS, self.step);
        Cell { bits: longitude | latitude, step: self.step }
    }

    /// The scores of what is in it: from the first up to before the second.
    pub fn scores(self) -> (u64, u64) {
        let rest = 2 * (MOST_STEPS - self.step);
        (self.bits << rest, (self.bits + 1) << rest)
    }
}

/// The bits of one direction, one cell further; the carry runs through the other direction's places.
fn moved(bits: u64, by: i32, own: u64, step: u32) -> u64 {
    let unused = 64 - 2 * step;
    let others = !own >> unused;
    let moved = match by {
        0 => return bits & own,
        1 => (bits & own).wrapping_add(others + 1),
        _ => ((bits & own) | others).wrapping_sub(others + 1),
    };
    moved & (own >> unused)
}
