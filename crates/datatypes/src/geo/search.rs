//! What is near a place: which cells to look into, and which of their elements are meant.
//!
//! The search area is a circle, or a box that is so wide and so high at the latitude of each point. Cells of
//! about its size are chosen so that the one with the centre and its eight neighbours cover it, whatever the
//! place of the centre in its cell; those that cannot have a part in it are left out:
//!
//! ```text
//!     7 | 2 | 6        1 the cell of the centre; the others in the order in which they are read, which is
//!     5 | 1 | 4        what a search with ANY shows
//!     9 | 3 | 8
//! ```
//!
//! The steps, in Redis's arithmetic to the last bit: 1. the box around the area; 2. the size of cells by its
//! radius and latitude; 3. larger ones, if the neighbours do not reach the sides of the box; 4. without those
//! on a side where the centre's own cell reaches beyond the box.

use super::hash::{Cell, MOST_STEPS};
use super::{degrees, distance, latitude_distance, radians, Position, Unit, EARTH_RADIUS_M};
use crate::sorted_set::ScoreRange;

/// Half the way around the equator in Mercator's projection.
const MERCATOR_MAX_M: f64 = 20037726.37;

/// The form of a search area, in the units of the search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// All points so near.
    Circle {
        /// How near.
        radius: f64,
    },
    /// All points in a box around the centre.
    Box {
        /// From west to east.
        width: f64,
        /// From south to north.
        height: f64,
    },
}

/// A search around a place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Search {
    /// The middle of the search area.
    pub center: Position,
    /// Its form.
    pub shape: Shape,
    /// What the form is measured in.
    pub unit: Unit,
}

/// An element in the search area.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// Where it is.
    pub position: Position,
    /// How far from the centre, in meters.
    pub distance_m: f64,
}

impl Search {
    /// The scores to look at, in order; each range is without its end. Cells that the map's edges make
    /// neighbours twice may come twice, as in Redis.
    pub fn score_ranges(&self) -> impl Iterator<Item = ScoreRange> {
        let (cells, count) = self.cells();
        let mut last: Option<Cell> = None;
        cells.into_iter().take(count).enumerate().filter_map(move |(nth, cell)| {
            // Only one of the neighbours counts as the last.
            if last == Some(cell) {
                return None;
            }
            if nth > 0 {
                last = Some(cell);
            }
            let (min, max) = cell.scores();
            Some(ScoreRange { min: min as f64, max: max as f64, above_min: false, below_max: true })
        })
    }

    /// Where an element of this score is, if that is in the search area.
    pub fn find(&self, score: f64) -> Option<Found> {
        let position = Position::of_score(score);
        let to_meters = self.unit.in_meters();
        let inside = match self.shape {
            Shape::Circle { .. } => true,
            Shape::Box { width, height } => {
                let level = Position { longitude: self.center.longitude, latitude: position.latitude };
                latitude_distance(position.latitude, self.center.latitude) <= height * to_meters / 2.0
                    && distance(position, level) <= width * to_meters / 2.0
            }
        };
        if !inside {
            return None;
        }
        let distance_m = distance(self.center, position);
        match self.shape {
            Shape::Circle { radius } if distance_m > radius * to_meters => None,
            _ => Some(Found { position, distance_m }),
        }
    }

    /// The cells, and how many of them there are.
    fn cells(&self) -> ([Cell; 9], usize) {
        let Position { longitude, latitude } = self.center;
        let to_meters = self.unit.in_meters();
        // 1.
        let (half_width, half_height, radius_m) = match self.shape {
            Shape::Circle { radius } => (to_meters * radius, to_meters * radius, radius * to_meters),
            Shape::Box { width, height } => {
                let (x, y) = (width / 2.0, height / 2.0);
                (to_meters * x, to_meters * y, (x * x + y * y).sqrt() * to_meters)
            }
        };
        let north_south = degrees(half_height / EARTH_RADIUS_M);
        // The side nearer to the pole spans more degrees, but is the shorter one.
        let nearer = if latitude < 0.0 { latitude - north_south } else { latitude + north_south };
        let east_west = degrees(half_width / EARTH_RADIUS_M / radians(nearer).cos());
        let (west, east) = (longitude - east_west, longitude + east_west);
        let (south, north) = (latitude - north_south, latitude + north_south);
        // 2.
        let mut step = steps_for(radius_m, latitude);
        let mut cell = Cell::around(longitude, latitude, step);
        // 3.
        let too_small = cell.neighbour(0, 1).latitudes().max < north
            || cell.neighbour(0, -1).latitudes().min > south
            || cell.neighbour(1, 0).longitudes().max < east
            || cell.neighbour(-1, 0).longitudes().min > west;
        if step > 1 && too_small {
            step -= 1;
            cell = Cell::around(longitude, latitude, step);
        }
        // 4.
        let (longitudes, latitudes) = (cell.longitudes(), cell.latitudes());
        let useful = |x: i32, y: i32| {
            step < 2
                || !(y < 0 && latitudes.min < south
                    || y > 0 && latitudes.max > north
                    || x < 0 && longitudes.min < west
                    || x > 0 && longitudes.max > east)
        };
        let mut cells = [cell; 9];
        let mut count = 1;
        for (x, y) in [(0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1)] {
            if useful(x, y) {
                cells[count] = cell.neighbour(x, y);
                count += 1;
            }
        }
        (cells, count)
    }
}

/// How many halvings make cells of about this radius.
fn steps_for(radius_m: f64, latitude: f64) -> u32 {
    if radius_m == 0.0 {
        return MOST_STEPS;
    }
    let mut step = 1i32;
    let mut range_m = radius_m;
    while range_m < MERCATOR_MAX_M {
        range_m *= 2.0;
        step += 1;
    }
    // One is for the rounding up, one so that the neighbours cover the area in most places.
    step -= 2;
    // Nearer to a pole the cells are narrower.
    if latitude.abs() > 66.0 {
        step -= 1;
    }
    if latitude.abs() > 80.0 {
        step -= 1;
    }
    step.clamp(1, MOST_STEPS as i32) as u32
}
