//! A small fixed set of seeds for every test run; `make sim` explores further.

#[cfg(not(feature = "canary"))]
#[test]
fn the_checkers_are_quiet() {
    for seed in 0..3_000 {
        if let Err(failure) = sim::run(seed) {
            panic!("seed {} fails: {}", failure.seed, failure.what);
        }
    }
}

/// Run with `--features canary`: the planted bug must not go unseen.
#[cfg(feature = "canary")]
#[test]
fn a_planted_bug_is_caught() {
    let caught = (0..200).find_map(|seed| sim::run(seed).err());
    let failure = caught.expect("200 seeds and nobody noticed");
    println!("caught by seed {}: {}", failure.seed, failure.what);
}
