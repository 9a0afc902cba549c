//! The expiry of hash fields from outside; the reference server does not know it.

use std::time::{Duration, Instant};

use ringslot_tests::reply::Value;
use ringslot_tests::server::Setup;
use ringslot_tests::wait;

#[test]
fn fields_that_nobody_touches_expire_all_the_same() {
    const FIELDS: usize = 20_000;
    for cores in [1, 2] {
        let server = Setup::subject(cores).start();
        let mut client = server.client();
        for start in (0..FIELDS).step_by(1000) {
            let mut words: Vec<String> =
                ["HSETEX", "large", "PX", "300", "FIELDS", "1000"].map(String::from).into();
            words.extend((start..start + 1000).flat_map(|i| [format!("f{i}"), "v".to_string()]));
            assert_eq!(client.pipeline(&[words])[0], Value::Integer(1));
        }
        for i in 0..100 {
            let key = format!("small{i}");
            client.call(&["HSET", &key, "stays", "v", "goes", "v"]).integer();
            client.call(&["HPEXPIRE", &key, "300", "FIELDS", "1", "goes"]);
        }
        // HLEN counts what is there, shown or not.
        wait::until_ok("all fields with an expiry are gone", Duration::from_secs(30), || {
            let left: i64 = (0..100).map(|i| client.call(&["HLEN", &format!("small{i}")]).integer()).sum();
            match (client.call(&["HLEN", "large"]).integer(), left) {
                (0, 100) => Ok(()),
                counts => Err(format!("{counts:?} fields")),
            }
        });
        assert_eq!(client.call(&["DBSIZE"]).integer(), 100, "{cores} cores: a key goes with its last field");
        assert_eq!(client.call(&["HGET", "small7", "stays"]), Value::Bulk(b"v".to_vec()));
    }
}

#[test]
fn a_field_is_not_shown_once_its_time_is_past() {
    let server = Setup::subject(1).start();
    let mut client = server.client();
    client.call(&["DEBUG", "SET-ACTIVE-EXPIRE", "0"]).ok();
    client.call(&["HSET", "h", "a", "1", "b", "2"]).integer();
    let since = Instant::now();
    client.call(&["HPEXPIRE", "h", "50", "FIELDS", "1", "a"]);
    wait::until_ok("it is hidden", Duration::from_secs(10), || match client.call(&["HGET", "h", "a"]) {
        Value::Bulk(_) => Err("it is shown".to_string()),
        _ => Ok(()),
    });
    assert!(since.elapsed() >= Duration::from_millis(50), "not before its time");
    assert_eq!(client.call(&["HLEN", "h"]).integer(), 2, "nothing has removed it");
    assert_eq!(client.call(&["HSETNX", "h", "a", "3"]).integer(), 1);
    assert_eq!(client.call(&["HGET", "h", "a"]), Value::Bulk(b"3".to_vec()));
}
