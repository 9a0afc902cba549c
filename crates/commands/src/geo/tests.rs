//! Where nothing else is said, the expectations are Redis 7.0.15's, asked by the harness; see `testing.rs`.

use crate::testing::TestNode;

const SICILY: &str = "13.361389 38.115556 Palermo 15.087269 37.502669 Catania";

fn sicily() -> TestNode {
    let mut node = TestNode::new();
    node.check(&format!("GEOADD s {SICILY}"), ":2");
    node
}

#[test]
fn places_are_added_as_scores() {
    let mut node = sicily();
    for (line, reply) in [
        ("GEODIST s Palermo Catania", "$11 166274.1516"),
        ("GEODIST s Palermo Catania KM", "$8 166.2742"),
        ("GEODIST s Palermo nobody", "$-1"),
        ("GEOHASH s Palermo nobody", "*2 $11 sqc8b49rny0 $-1"),
        ("GEOPOS s nobody", "*1 *-1"),
        ("GEOADD s NX 0 0 Palermo 1 1 x", ":1"),
        ("GEOADD s XX CH 2 2 x 3 3 y", ":1"),
        ("GEOADD s CH XX 2 2 x", ":0"),
        ("GEOADD s 2 2 x 4 4 x", ":0"),
        ("GEOADD none XX 1 1 x", ":0"),
        ("EXISTS none", ":0"),
        ("GEOADD s XX NX 1 1 x", "-ERR syntax error"),
        ("GEOADD s NX CH NX", "-ERR syntax error"),
        ("GEOADD s 181 1 x", "-ERR invalid longitude,latitude pair 181.000000,1.000000"),
        ("GEOADD s 1 x x", "-ERR value is not a valid float"),
    ] {
        node.check(line, reply);
    }
}

#[test]
fn a_log_has_scores() {
    let mut node = TestNode::new();
    let zadd = "zadd s nx CH 3479099956230698 Palermo 3479447370796909 Catania";
    node.check_log(&format!("GEOADD s nx CH {SICILY}"), zadd);
    node.check_log(&format!("GEOADD s {SICILY}"), "");
    node.check_log("GEOADD s NX 1 1 Palermo", "");
    node.check_log("GEOADD s XX 1 1 x", "");
    let store = "GEOSEARCHSTORE d s FROMLONLAT 15 37 BYRADIUS 200 km";
    node.check_log(store, store);
    let nothing = "GEOSEARCHSTORE d s FROMLONLAT 100 37 BYRADIUS 200 km";
    node.check_log(nothing, nothing);
    node.check_log(nothing, "");
    assert_eq!(node.dirty("GEORADIUS s 15 37 200 km STORE d"), 2);
}

#[test]
fn searches_find_what_is_near() {
    let mut node = sicily();
    node.check("SET str v", "+OK");
    for (line, reply) in [
        (
            "GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 200 km ASC WITHDIST WITHHASH",
            "*2 *3 $7 Catania $7 56.4413 :3479447370796909 *3 $7 Palermo $8 190.4424 :3479099956230698",
        ),
        ("GEOSEARCH s FROMLONLAT 15 37 BYRADIUS 200 km DESC COUNT 1", "*1 $7 Palermo"),
        ("GEOSEARCH s FROMMEMBER Catania BYBOX 400 400 km COUNT 1", "*1 $7 Catania"),
        ("GEORADIUSBYMEMBER s Palermo 1 m", "*1 $7 Palermo"),
        ("GEORADIUS_RO s 15 37 100 km", "*1 $7 Catania"),
        ("GEORADIUS_RO s 15 37 100 km STORE d", "-ERR syntax error"),
        ("GEORADIUSBYMEMBER none x no m", "*0"),
        ("GEORADIUSBYMEMBER none x no m STORE d", ":0"),
        ("GEORADIUSBYMEMBER s x 1 m", "-ERR could not decode requested zset member"),
        ("GEORADIUS str x x x x", "-WRONGTYPE Operation against a key holding the wrong kind of value"),
        (
            "GEOSEARCH s BYRADIUS 1 m ASC ASC ASC",
            "-ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for GEOSEARCH",
        ),
        ("GEOSEARCH s FROMMEMBER x FROMLONLAT 1 1", "-ERR could not decode requested zset member"),
        ("GEOSEARCH s FROMMEMBER Palermo FROMLONLAT 1 1", "-ERR syntax error"),
        (
            "GEOSEARCH s FROMLONLAT 1 1 ASC ASC ASC",
            "-ERR exactly one of BYRADIUS and BYBOX can be specified for GEOSEARCH",
        ),
        ("GEOSEARCH s FROMLONLAT 1 1 BYRADIUS 1 m ANY", "-ERR the ANY argument requires COUNT argument"),
        ("GEOSEARCH s FROMLONLAT 1 1 BYRADIUS 1 m COUNT 0", "-ERR COUNT must be > 0"),
        ("GEOSEARCH s FROMLONLAT 1 1 BYRADIUS -1 m", "-ERR radius cannot be negative"),
        ("GEOSEARCH s FROMLONLAT 1 1 BYBOX 1 -1 m", "-ERR height or width cannot be negative"),
    ] {
        node.check(line, reply);
    }
}

#[test]
fn results_are_stored_whatever_was_there() {
    let mut node = sicily();
    for (line, reply) in [
        ("SET d v", "+OK"),
        ("GEORADIUS s 15 37 200 km STORE other STOREDIST d", ":2"),
        ("TYPE d", "+zset"),
        ("EXISTS other", ":0"),
        ("GEOSEARCHSTORE s s FROMLONLAT 15 37 BYRADIUS 100 km", ":1"),
        ("GEOPOS s Palermo", "*1 *-1"),
        ("GEOSEARCHSTORE s none FROMMEMBER x BYRADIUS 100 km", ":0"),
        ("EXISTS s", ":0"),
        (
            "GEORADIUS d 15 37 200 km STORE a WITHDIST",
            "-ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options",
        ),
        ("COMMAND GETKEYS GEORADIUS k 1 1 1 m STORE a STOREDIST b", "*3 $1 k $1 a $1 b"),
    ] {
        node.check(line, reply);
    }
    node.configure("zset-max-listpack-entries", "1");
    node.check(&format!("GEOADD s {SICILY}"), ":2");
    node.check("OBJECT ENCODING s", "$8 skiplist");
    node.check("GEOSEARCHSTORE t s FROMLONLAT 15 37 BYRADIUS 100 km", ":1");
    node.check("OBJECT ENCODING t", "$8 listpack");
}

#[test]
fn coordinates_are_doubles_to_resp3() {
    let mut node = TestNode::resp3();
    node.check("GEOADD s 0 0 a", ":1");
    node.check("GEOPOS s a b", "*2 *2 ,0.00000268220901489 ,0.00000126736058093 _");
    node.check("GEODIST s a b", "_");
    node.check("GEODIST s a a", "$6 0.0000");
}
