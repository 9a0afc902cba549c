//! The refusals of the geo commands, in Redis's words.

use super::{first_bytes, CommandError};
use std::borrow::Cow;

fn fixed(text: &'static str) -> CommandError {
    CommandError::Text(Cow::Borrowed(text))
}

impl CommandError {
    /// A place that is not on the map.
    pub fn off_the_map(longitude: f64, latitude: f64) -> CommandError {
        let text = format!("ERR invalid longitude,latitude pair {longitude:.6},{latitude:.6}");
        CommandError::Text(Cow::Owned(text))
    }

    /// Neither m, km, ft nor mi.
    pub fn no_such_unit() -> CommandError {
        fixed("ERR unsupported unit provided. please use M, KM, FT, MI")
    }

    /// A radius, width or height that is no number.
    pub fn need_numeric(what: &'static str) -> CommandError {
        CommandError::Text(Cow::Owned(format!("ERR need numeric {what}")))
    }

    /// A radius below zero.
    pub fn negative_radius() -> CommandError {
        fixed("ERR radius cannot be negative")
    }

    /// A side of a box below zero.
    pub fn negative_box() -> CommandError {
        fixed("ERR height or width cannot be negative")
    }

    /// A search around a member that is not there.
    pub fn no_such_place() -> CommandError {
        fixed("ERR could not decode requested zset member")
    }

    /// COUNT of a search that is not positive.
    pub fn count_not_positive() -> CommandError {
        fixed("ERR COUNT must be > 0")
    }

    /// ANY without COUNT.
    pub fn any_without_count() -> CommandError {
        fixed("ERR the ANY argument requires COUNT argument")
    }

    /// Details of what is to be stored; by GEOSEARCHSTORE, or by an option of GEORADIUS.
    pub fn store_with_details(by_search: bool) -> CommandError {
        let who = if by_search { "GEOSEARCHSTORE" } else { "STORE option in GEORADIUS" };
        CommandError::Text(Cow::Owned(format!(
            "ERR {who} is not compatible with WITHDIST, WITHHASH and WITHCOORD options"
        )))
    }

    /// A search without a middle; the command's name is told as it was sent.
    pub fn no_center(name: &[u8]) -> CommandError {
        exactly_one(b"FROMMEMBER or FROMLONLAT", name)
    }

    /// A search without an area.
    pub fn no_shape(name: &[u8]) -> CommandError {
        exactly_one(b"BYRADIUS and BYBOX", name)
    }
}

fn exactly_one(of: &[u8], name: &[u8]) -> CommandError {
    let name = first_bytes(name, usize::MAX);
    CommandError::Bytes([b"ERR exactly one of ", of, b" can be specified for ", name].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_redis_s() {
        let details = "is not compatible with WITHDIST, WITHHASH and WITHCOORD options";
        for (error, line) in [
            (
                CommandError::off_the_map(200.0, -1e20),
                "ERR invalid longitude,latitude pair 200.000000,-100000000000000000000.000000",
            ),
            (
                CommandError::off_the_map(f64::INFINITY, 0.25),
                "ERR invalid longitude,latitude pair inf,0.250000",
            ),
            (CommandError::no_such_unit(), "ERR unsupported unit provided. please use M, KM, FT, MI"),
            (CommandError::need_numeric("radius"), "ERR need numeric radius"),
            (CommandError::negative_radius(), "ERR radius cannot be negative"),
            (CommandError::negative_box(), "ERR height or width cannot be negative"),
            (CommandError::no_such_place(), "ERR could not decode requested zset member"),
            (CommandError::count_not_positive(), "ERR COUNT must be > 0"),
            (CommandError::any_without_count(), "ERR the ANY argument requires COUNT argument"),
            (CommandError::store_with_details(true), &format!("ERR GEOSEARCHSTORE {details}")),
            (CommandError::store_with_details(false), &format!("ERR STORE option in GEORADIUS {details}")),
            (
                CommandError::no_center(b"GeoSearch"),
                "ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for GeoSearch",
            ),
            (
                CommandError::no_shape(b"geosearch"),
                "ERR exactly one of BYRADIUS and BYBOX can be specified for geosearch",
            ),
        ] {
            assert_eq!(error.to_string(), line);
        }
    }
}
