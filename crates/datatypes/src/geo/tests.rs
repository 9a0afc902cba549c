//! Places and searches against what redis-server answered (`vectors.txt`), and against looking at everything.

use super::*;
use crate::sorted_set::{Conditions, Limits, SortedSet};
use proptest::prelude::*;

const VECTORS: &str = include_str!("vectors.txt");

/// The lines of one kind, split into words.
fn lines(kind: &str) -> impl Iterator<Item = Vec<&'static str>> + '_ {
    VECTORS.lines().filter_map(move |line| {
        let mut words = line.split(' ');
        (words.next() == Some(kind)).then(|| words.collect())
    })
}

fn number(text: &str) -> f64 {
    text.parse().unwrap()
}

fn place(longitude: f64, latitude: f64) -> Position {
    Position::new(longitude, latitude).unwrap()
}

fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut bytes = Vec::new();
    write(&mut bytes);
    String::from_utf8(bytes).unwrap()
}

fn coordinate(degrees: f64) -> String {
    text(|bytes| format_coordinate(degrees, bytes))
}

fn in_unit(distance_m: f64, unit: Unit) -> String {
    text(|bytes| format_distance(distance_m / unit.in_meters(), bytes))
}

/// A sorted set of places with their numbers as members.
fn set_of(places: impl Iterator<Item = Position>) -> SortedSet {
    let mut set = SortedSet::new();
    for (number, place) in places.enumerate() {
        let added = set.add(
            number.to_string().as_bytes(),
            place.score(),
            Conditions::default(),
            &Limits { listpack_entries: 16, listpack_value: 64, hash_seed: 1 },
        );
        added.unwrap();
    }
    set
}

/// What a search finds: members and distances in meters, the nearest first, each once.
fn found(search: &Search, set: &SortedSet) -> Vec<(String, f64)> {
    let set = set.as_ref();
    let mut all = Vec::new();
    for scores in search.score_ranges() {
        for (member, score) in set.range(set.ranks_by_score(&scores)) {
            if let Some(found) = search.find(score) {
                all.push((text(|bytes| member.write_to(bytes)), found.distance_m));
            }
        }
    }
    all.sort_by(|one, other| one.1.total_cmp(&other.1));
    all
}

#[test]
fn places_are_where_redis_has_them() {
    let mut count = 0;
    for words in lines("point") {
        let place = place(number(words[0]), number(words[1]));
        assert_eq!(place.score(), number(words[2]), "{words:?}");
        let stored = Position::of_score(place.score());
        assert_eq!(std::str::from_utf8(&stored.geohash()).unwrap(), words[3], "{words:?}");
        assert_eq!((&*coordinate(stored.longitude), &*coordinate(stored.latitude)), (words[4], words[5]));
        count += 1;
    }
    assert_eq!(count, 300);
}

#[test]
fn distances_are_those_of_redis() {
    let places: Vec<_> = lines("point").map(|words| Position::of_score(number(words[2]))).collect();
    let mut count = 0;
    for words in lines("dist") {
        let (from, to): (usize, usize) = (words[0].parse().unwrap(), words[1].parse().unwrap());
        let unit = Unit::parse(words[2].as_bytes()).unwrap();
        assert_eq!(in_unit(distance(places[from], places[to]), unit), words[3], "{words:?}");
        count += 1;
    }
    assert_eq!(count, 200);
}

#[test]
fn searches_find_what_redis_finds() {
    let set = set_of(lines("point").map(|words| place(number(words[0]), number(words[1]))));
    let circles = lines("circle").map(|words| (words, 3));
    let mut count = 0;
    for (words, form) in circles.chain(lines("box").map(|words| (words, 4))) {
        let shape = match form {
            3 => Shape::Circle { radius: number(words[2]) },
            _ => Shape::Box { width: number(words[2]), height: number(words[3]) },
        };
        let unit = Unit::parse(words[form].as_bytes()).unwrap();
        let search = Search { center: place(number(words[0]), number(words[1])), shape, unit };
        let mut expected: Vec<String> = words[form + 1..].iter().map(ToString::to_string).collect();
        let mut found: Vec<String> = found(&search, &set)
            .into_iter()
            .map(|(member, distance_m)| format!("{member}:{}", in_unit(distance_m, unit)))
            .collect();
        // Of points at the same distance, Redis tells either first.
        expected.sort();
        found.sort();
        assert_eq!(found, expected, "{words:?}");
        count += 1;
    }
    assert_eq!(count, 300);
}

/// A search around a member, in the order of the cells: what a command without ASC shows.
fn found_in_order(search: &Search, set: &SortedSet) -> Vec<usize> {
    let set = set.as_ref();
    let mut all = Vec::new();
    for scores in search.score_ranges() {
        for (member, score) in set.range(set.ranks_by_score(&scores)) {
            if search.find(score).is_some() {
                all.push(member.as_i64().unwrap() as usize);
            }
        }
    }
    all
}

const NEW_YORK: [(f64, f64); 7] = [
    (-73.9733487, 40.7648057),
    (-73.9903085, 40.7362513),
    (-74.0131604, 40.7126674),
    (-73.7858139, 40.6428986),
    (-73.9375699, 40.7498929),
    (-73.9564142, 40.7480973),
    (-73.9454966, 40.747533),
];

/// Searches of Redis's own test suite, sorted and in the order of the cells.
#[test]
fn searches_of_redis_s_tests_succeed() {
    let set = set_of(NEW_YORK.iter().map(|&(longitude, latitude)| place(longitude, latitude)));
    let scores: Vec<f64> = set.as_ref().iter().map(|(_, score)| score).collect();
    let expected: [f64; 7] = [
        1791873972053020.0,
        1791875485187452.0,
        1791875761332224.0,
        1791875796750882.0,
        1791875804419201.0,
        1791875830079666.0,
        1791895905559723.0,
    ];
    assert_eq!(scores, expected);

    let search =
        |longitude, latitude, shape, unit| Search { center: place(longitude, latitude), shape, unit };
    let circle = |radius| Shape::Circle { radius };
    let sides = |width, height| Shape::Box { width, height };
    let km = Unit::Kilometers;
    let near = search(-73.9798091, 40.7598464, circle(3.0), km);
    let distances: Vec<_> =
        found(&near, &set).into_iter().map(|(member, far)| member + " " + &in_unit(far, km)).collect();
    assert_eq!(distances, ["0 0.7750", "5 2.3651", "1 2.7697"]);
    let near = Search { shape: sides(6.0, 6.0), ..near };
    let distances: Vec<_> =
        found(&near, &set).into_iter().map(|(member, far)| member + " " + &in_unit(far, km)).collect();
    assert_eq!(distances, ["0 0.7750", "5 2.3651", "1 2.7697", "6 3.1991"]);
    // COUNT 3 ANY takes the first three.
    let wide = search(-73.9798091, 40.7598464, circle(10.0), km);
    assert_eq!(found_in_order(&wide, &set)[..3], [2, 1, 0]);
    let member = Position::of_score(expected[0]);
    let around = Search { center: member, shape: circle(7.0), unit: km };
    assert_eq!(found_in_order(&around, &set), [2, 1, 0, 5, 6]);
    let around = Search { center: member, shape: sides(14.0, 14.0), unit: km };
    assert_eq!(found_in_order(&around, &set), [2, 1, 0, 5, 6, 4]);
}

#[test]
fn searches_at_the_edges_of_redis_s_tests_succeed() {
    type Case<'a> = (Option<(f64, f64)>, Shape, Unit, &'a [(f64, f64)], &'a [&'a str]);
    let circle = |radius| Shape::Circle { radius };
    let sides = |width, height| Shape::Box { width, height };
    let (m, km) = (Unit::Meters, Unit::Kilometers);
    let sicily = Some((15.0, 37.0));
    let cases: &[Case] = &[
        // Of huge size (issue 2767).
        (Some((0.0, 0.0)), circle(50000.0), km, &[(-47.27161377668381, -54.53450419804768)], &["0"]),
        // In an oblique direction; around the first place.
        (
            None,
            circle(4891.94),
            m,
            &[(-0.153079032897949, 85.0), (0.3515625, 85.00019260486917)],
            &["0", "1"],
        ),
        (None, circle(156544.0), m, &[(-4.952119588851928, 85.0), (11.25, 85.0511)], &["0", "1"]),
        (None, circle(5009431.0), m, &[(-45.0, 65.50900022111811), (90.0, 85.0511)], &["0", "1"]),
        // Across the pole.
        (None, circle(5009431.0), m, &[(45.0, 65.0), (-135.0, 85.05)], &["0", "1"]),
        // A circle, and the box around it.
        (
            sicily,
            circle(200.0),
            km,
            &[(13.361389, 38.115556), (15.087269, 37.502669), (17.24151, 38.788135)],
            &["1", "0"],
        ),
        (
            sicily,
            sides(400.0, 400.0),
            km,
            &[(13.361389, 38.115556), (15.087269, 37.502669), (12.758489, 38.788135), (17.24151, 38.788135)],
            &["1", "0", "3", "2"],
        ),
        // Long and narrow.
        (sicily, sides(400.0, 2.0), km, &[(12.75, 36.995), (12.75, 36.5), (13.0, 36.5)], &["0"]),
        (sicily, sides(3000.0, 2.0), km, &[(12.75, 36.995), (12.75, 36.5), (-1.0, 37.0)], &["0", "2"]),
        // Just in and just out, at the corners of the box.
        (
            sicily,
            sides(400.0, 400.0),
            km,
            &[
                (17.25, 35.202),
                (12.75, 35.202),
                (15.0, 38.798135872540925),
                (15.0, 35.201864127459075),
                (12.692799634687903, 38.798135872540925),
                (17.200560937451133, 35.201864127459075),
                (12.799439062548865, 35.201864127459075),
            ],
            &[],
        ),
    ];
    for (center, shape, unit, places, expected) in cases {
        let set = set_of(places.iter().map(|&(longitude, latitude)| place(longitude, latitude)));
        let center = match center {
            Some((longitude, latitude)) => place(*longitude, *latitude),
            None => Position::of_score(place(places[0].0, places[0].1).score()),
        };
        let search = Search { center, shape: *shape, unit: *unit };
        let members: Vec<_> = found(&search, &set).into_iter().map(|(member, _)| member).collect();
        assert_eq!(&members, expected, "{search:?}");
    }
}

#[test]
fn geohashes_are_the_usual_ones() {
    for (longitude, latitude, expected) in [
        (-5.6, 42.6, b"ezs42e44yx0"),
        (13.361389, 38.115556, b"sqc8b49rny0"),
        (15.087269, 37.502669, b"sqdtr74hyu0"),
    ] {
        assert_eq!(&Position::of_score(place(longitude, latitude).score()).geohash(), expected);
    }
}

#[test]
fn only_places_on_the_map_are_places() {
    assert!(Position::new(180.0, 85.05112878).is_some());
    for (longitude, latitude) in
        [(180.1, 0.0), (-180.1, 0.0), (0.0, 85.06), (0.0, -85.06), (f64::INFINITY, 0.0)]
    {
        assert!(Position::new(longitude, latitude).is_none());
    }
}

#[test]
fn any_score_has_a_place() {
    for score in [-1.0, -0.0, 1.5, 1e18, 1e19, 1e300, f64::INFINITY, f64::NEG_INFINITY] {
        let place = Position::of_score(score);
        assert!(LONGITUDES.contains(place.longitude) && LATITUDES.contains(place.latitude), "{score}");
    }
}

#[test]
fn distances_have_four_digits_and_coordinates_as_many_as_they_need() {
    for (distance, expected) in [
        (0.0, "0.0000"),
        (0.00004, "0.0000"),
        (0.0123, "0.0123"),
        (12.3, "12.3000"),
        (166274.15156, "166274.1516"),
    ] {
        assert_eq!(text(|bytes| format_distance(distance, bytes)), expected);
    }
    for (degrees, expected) in
        [(0.0, "0"), (-0.0, "0"), (1.5, "1.5"), (-180.0, "-180"), (100.0, "100"), (1e-20, "0")]
    {
        assert_eq!(coordinate(degrees), expected);
    }
    assert_eq!(Unit::parse(b"KM"), Some(Unit::Kilometers));
    assert_eq!(Unit::parse(b"yd"), None);
}

proptest! {
    #[test]
    fn a_place_is_found_again_within_its_cell(longitude in -180.0..180.0f64, latitude in -85.0..85.0f64) {
        let place = place(longitude, latitude);
        let stored = Position::of_score(place.score());
        prop_assert!((stored.longitude - longitude).abs() <= 180.0 / (1u64 << 26) as f64);
        prop_assert!((stored.latitude - latitude).abs() <= 90.0 / (1u64 << 26) as f64);
        prop_assert_eq!(stored.score(), place.score());
    }

    #[test]
    fn a_search_finds_what_looking_at_everything_finds(
        longitude in -150.0..150.0f64,
        latitude in -60.0..60.0f64,
        size in 1.0..6.0f64,
        ratio in -1.0..1.0f64,
        circle: bool,
        places in proptest::collection::vec((-1.5..1.5f64, -1.5..1.5f64), 1..60),
    ) {
        let size = 10f64.powf(size);
        let shape = if circle {
            Shape::Circle { radius: size }
        } else {
            Shape::Box { width: size, height: size * 10f64.powf(ratio) }
        };
        let search = Search { center: place(longitude, latitude), shape, unit: Unit::Meters };
        // Around the search area, at its scale.
        let degrees = size / 111_000.0;
        let places: Vec<_> = places
            .into_iter()
            .map(|(x, y)| place(
                (longitude + x * degrees).clamp(-180.0, 180.0),
                (latitude + y * degrees).clamp(-85.0, 85.0),
            ))
            .collect();
        let set = set_of(places.iter().copied());
        let mut expected: Vec<_> = set
            .as_ref()
            .iter()
            .filter(|(_, score)| search.find(*score).is_some())
            .map(|(member, _)| text(|bytes| member.write_to(bytes)))
            .collect();
        let mut members: Vec<_> = found(&search, &set).into_iter().map(|(member, _)| member).collect();
        expected.sort();
        members.sort();
        prop_assert_eq!(members, expected);
    }
}
