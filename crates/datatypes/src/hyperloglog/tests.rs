//! Values against plain registers, and against bytes that Redis 7.0.15 has written.

use super::*;
use proptest::prelude::*;

const SPARSE_MAX: usize = 3000;

fn hll_of<T: AsRef<[u8]>>(elements: impl IntoIterator<Item = T>, sparse_max: usize) -> Hll {
    let mut hll = Hll::new();
    for element in elements {
        if hll.add(element.as_ref(), sparse_max).expect("a sound value") {
            hll.forget_count();
        }
    }
    hll
}

fn registers_of(hll: HllRef<'_>) -> Registers {
    let mut registers = [0; REGISTERS];
    hll.merge_into(&mut registers).expect("a sound value");
    registers
}

/// A sparse value with these runs.
fn sparse_of(runs: &[u8]) -> Vec<u8> {
    let mut bytes = Hll::new().bytes()[..HEADER].to_vec();
    bytes.extend_from_slice(runs);
    bytes
}

/// PFADD of these words in order, then GET, of Redis 7.0.15.
#[test]
fn small_values_have_the_bytes_of_redis() {
    assert_eq!(Hll::new().bytes(), b"HYLL\x01\0\0\0\0\0\0\0\0\0\0\0\x7f\xff");
    let hll = hll_of(["a", "b", "c", "d", "e", "f", "g"], SPARSE_MAX);
    let runs =
        "Z:1646 v:1,1 Z:5645 v:1,1 Z:1085 v:2,1 z:57 v:1,1 Z:4274 v:2,1 Z:2445 v:1,1 Z:622 v:1,1 Z:603";
    assert_eq!(hll.as_ref().decoded().as_deref(), Some(runs));
    assert_eq!(hll.as_ref().cached_count(), None);
    let (at, cache) = cache_patch(hll.as_ref().count().unwrap());
    let mut counted = hll.bytes().to_vec();
    counted[at..at + 8].copy_from_slice(&cache);
    let redis = b"HYLL\x01\x00\x00\x00\x07\x00\x00\x00\x00\x00\x00\x00Fm\x80V\x0c\x80D<\x848\x80P\xb1\x84I\x8c\x80Bm\x80BZ";
    assert_eq!(counted, redis);
}

#[test]
fn patterns_count_zeros_and_the_first_one() {
    for n in 0..100_000u32 {
        let (register, length) = pattern(&n.to_le_bytes());
        assert!(register < REGISTERS && (1..=LONGEST as u8).contains(&length));
    }
}

#[test]
fn what_is_no_hyperloglog_is_seen() {
    let good = Hll::new().bytes().to_vec();
    assert!(HllRef::of(&good).is_some());
    for bad in [&b""[..], b"HYLL", &good[..15], b"HYLX\x01\0\0\0\0\0\0\0\0\0\0\0\x7f\xff"] {
        assert!(HllRef::of(bad).is_none(), "{bad:?}");
    }
    for encoding in [0, 2, 255] {
        let mut bad = good.clone();
        bad[ENCODING_AT] = encoding;
        assert!(HllRef::of(&bad).is_none());
    }
    let mut dense = Hll::new();
    dense.to_dense().unwrap();
    assert_eq!(dense.bytes().len(), 12_304);
    assert!(HllRef::of(&dense.bytes()[..12_303]).is_none());
}

#[test]
fn runs_must_cover_the_registers() {
    let all = [0x7F, 0xFF];
    for (runs, sound) in [
        (&all[..], true),
        (&[], false),
        (&[0x7F], false),
        (&[0x7F, 0xFE], false),
        (&[0x7F, 0xFE, 0x80], true),
        (&[0x7F, 0xFE, 0x81], false),
        (&[0x7F, 0xFF, 0x00], false),
        (&[0x7F, 0xFF, 0x80], false),
        (&[0x7F, 0xFF, 0x7F, 0xFF], false),
    ] {
        let bytes = sparse_of(runs);
        let hll = HllRef::of(&bytes).expect("a header");
        assert_eq!(hll.count().is_ok(), sound, "{runs:?}");
        assert_eq!(hll.merge_into(&mut [0; REGISTERS]).is_ok(), sound, "{runs:?}");
        let mut dense = Hll::copy_of(hll);
        assert_eq!(dense.to_dense().is_ok(), sound, "{runs:?}");
        assert_eq!(dense.as_ref().encoding() == Encoding::Sparse, !sound, "unchanged by an error");
    }
}

#[test]
fn a_cached_count_lasts_until_it_is_forgotten() {
    let mut hll = hll_of(["x"], SPARSE_MAX);
    let (at, bytes) = cache_patch(hll.as_ref().count().unwrap());
    let mut with_count = hll.bytes().to_vec();
    with_count[at..at + 8].copy_from_slice(&bytes);
    let with_count = HllRef::of(&with_count).unwrap();
    assert_eq!(with_count.cached_count(), Some(1));
    hll = Hll::copy_of(with_count);
    hll.to_dense().unwrap();
    assert_eq!(hll.as_ref().cached_count(), Some(1), "the same elements, stored otherwise");
    hll.forget_count();
    assert_eq!(hll.as_ref().cached_count(), None);
    assert_eq!(stale_byte(hll.as_ref()), hll.bytes()[STALE_AT]);
}

#[test]
fn equal_values_are_merged_as_redis_merges_them() {
    let raise = |runs: &[u8], register, number| {
        let mut value = sparse_of(runs);
        let raised = sparse::raise(&mut value, register, number, SPARSE_MAX, &mut Default::default());
        assert_eq!(raised, Ok(sparse::Raised::Yes));
        HllRef::of(&value).unwrap().decoded().unwrap()
    };
    assert_eq!(raise(&[0x7F, 0xFF], 100, 3), "Z:100 v:3,1 Z:16283");
    assert_eq!(raise(&[0x7F, 0xFF], 0, 32), "v:32,1 Z:16383");
    assert_eq!(raise(&[0x7F, 0xFF], 16383, 1), "Z:16383 v:1,1");
    assert_eq!(raise(&[0x7F, 0xFF], 64, 1), "z:64 v:1,1 Z:16319");
    assert_eq!(raise(&[0x40, 99, 0x88, 0x7F, 0x9A], 101, 3), "Z:100 v:3,2 Z:16282");
    // A run of four takes no more.
    assert_eq!(raise(&[0x8B, 0x7F, 0xFB], 4, 3), "v:3,4 v:3,1 Z:16379");
    // Both neighbours at once.
    assert_eq!(raise(&[0x89, 0x00, 0x88, 0x7F, 0xFB], 2, 3), "v:3,4 Z:16380");
    assert_eq!(raise(&[0x87, 0x7F, 0xFB], 2, 5), "v:2,2 v:5,1 v:2,1 Z:16380");
    // Zeros are never merged, not even at the splits.
    assert_eq!(raise(&[0x00, 0x00, 0x7F, 0xFD], 2, 1), "z:1 z:1 v:1,1 Z:16381");
}

#[test]
fn what_is_too_much_becomes_dense() {
    // A pattern of more than 32.
    let mut hll = Hll::new();
    assert_eq!(hll.raise(7, 33, SPARSE_MAX, &mut Default::default()), Ok(true));
    assert_eq!(hll.as_ref().encoding(), Encoding::Dense);
    assert_eq!(registers_of(hll.as_ref())[7], 33);
    // More bytes than allowed, to the byte.
    for max in [0, 18, 21, 100, 3000] {
        let mut hll = Hll::new();
        let mut last = hll.clone();
        let mut n = 0u32;
        while hll.as_ref().encoding() == Encoding::Sparse {
            last = hll.clone();
            hll.add(&n.to_le_bytes(), max).unwrap();
            n += 1;
        }
        assert!(last.bytes().len() <= max.max(18), "{max}");
        assert_eq!(
            registers_of(hll.as_ref()),
            registers_of(hll_of((0..n).map(u32::to_le_bytes), 1 << 20).as_ref())
        );
    }
}

#[test]
fn counts_are_near_the_truth() {
    let mut numbers = 1u64;
    let mut random = || {
        numbers = numbers.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
        numbers >> 8
    };
    assert_eq!(self_test(&mut random, SPARSE_MAX), Ok(()));
    assert_eq!(count(&[0; REGISTERS]), 0);
}

/// One step of a history.
#[derive(Clone, Debug)]
enum Step {
    Add(u32),
    Raise(usize, u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    // Registers that lie together, so that runs meet, and a few values, so that they are equal.
    let near = (0usize..40, 1u8..4).prop_map(|(register, number)| Step::Raise(register, number));
    let far = (0..REGISTERS, 1u8..40).prop_map(|(register, number)| Step::Raise(register, number));
    let add = any::<u32>().prop_map(Step::Add);
    proptest::collection::vec(prop_oneof![6 => near, 1 => far, 4 => add], 0..400)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn registers_hold_their_greatest(steps in steps(), max in prop_oneof![Just(100usize), Just(3000)]) {
        let mut registers = [0u8; REGISTERS];
        let mut hll = Hll::new();
        for step in steps {
            let (register, number) = match &step {
                Step::Add(element) => pattern(&element.to_le_bytes()),
                Step::Raise(register, number) => (*register, *number),
            };
            let rose = number > registers[register];
            registers[register] = registers[register].max(number);
            let raised = match step {
                Step::Add(element) => hll.add(&element.to_le_bytes(), max),
                Step::Raise(..) => hll.raise(register, number, max, &mut Default::default()),
            };
            prop_assert_eq!(raised, Ok(rose));
        }
        prop_assert!(registers_of(hll.as_ref()) == registers);
        prop_assert_eq!(hll.as_ref().count(), Ok(count(&registers)));
        if hll.as_ref().encoding() == Encoding::Sparse {
            prop_assert!(hll.bytes().len() <= max);
        }
        let mut dense = hll.clone();
        dense.to_dense().unwrap();
        prop_assert!(registers_of(dense.as_ref()) == registers);
        prop_assert_eq!(dense.as_ref().count(), hll.as_ref().count());
    }

    /// A merge begins each search where the last one ended; the bytes are those of searches from the front.
    #[test]
    fn a_merge_in_order_is_like_one_by_one(into in steps(), from in steps()) {
        let build = |steps: &[Step]| {
            let mut hll = Hll::new();
            for step in steps {
                let (register, number) = match step {
                    Step::Add(element) => pattern(&element.to_le_bytes()),
                    Step::Raise(register, number) => (*register, (*number).min(32)),
                };
                hll.raise(register, number, 1 << 20, &mut Default::default()).unwrap();
            }
            hll
        };
        let (mut merged, mut registers) = (build(&into), registers_of(build(&from).as_ref()));
        merged.as_ref().merge_into(&mut registers).unwrap();
        let mut one_by_one = merged.clone();
        for (register, number) in registers.iter().enumerate().filter(|(_, number)| **number > 0) {
            one_by_one.raise(register, *number, 1 << 20, &mut Default::default()).unwrap();
        }
        merged.merge(&registers, 1 << 20).unwrap();
        prop_assert_eq!(merged.as_ref().decoded(), one_by_one.as_ref().decoded());
        prop_assert!(registers_of(merged.as_ref()) == registers);
    }

    /// Whatever stands behind a header is read, and edited, without a panic.
    #[test]
    fn any_bytes_are_survived(runs in proptest::collection::vec(any::<u8>(), 0..200), element: u32, max in 0usize..300) {
        let bytes = sparse_of(&runs);
        let hll = HllRef::of(&bytes).unwrap();
        let _ = (hll.count(), hll.decoded(), hll.merge_into(&mut [0; REGISTERS]));
        let mut changed = Hll::copy_of(hll);
        if changed.add(&element.to_le_bytes(), max).is_err() {
            prop_assert_eq!(changed.bytes(), &bytes[..]);
        }
        let _ = changed.merge(&[3; REGISTERS], max);
    }
}
