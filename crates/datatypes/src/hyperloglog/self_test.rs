//! PFSELFTEST: whether registers keep what they are given, and counts are near the truth.
//!
//! It is a hundredth as long as that of Redis, which holds its server for seconds: a core must not stand still
//! for more than a few milliseconds.

use super::{dense, Encoding, Hll, HllRef, Registers, REGISTERS};
use std::fmt;

/// Rounds of random registers.
const ROUNDS: usize = 20;
/// Elements that are counted.
const ELEMENTS: u64 = 100_000;

/// What the test found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// A register has lost its number.
    Register {
        /// Which.
        register: usize,
        /// What it was given.
        given: u8,
        /// What it has.
        has: u8,
    },
    /// A short value was dense.
    NotSparse,
    /// The same elements count differently in the two encodings.
    Disagree,
    /// A count is too far from the truth.
    Error {
        /// The truth.
        cardinality: u64,
        /// How far.
        off_by: u64,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Register { register, given, has } => {
                write!(f, "Register {register} should be {given} but is {has}")
            }
            Fault::NotSparse => write!(f, "sparse encoding not used"),
            Fault::Disagree => write!(f, "dense/sparse disagree"),
            Fault::Error { cardinality, off_by } => {
                write!(f, "Too big error. card:{cardinality} abserr:{off_by}")
            }
        }
    }
}

/// Runs the test on random numbers.
pub fn self_test(random: &mut dyn FnMut() -> u64, sparse_max_bytes: usize) -> Result<(), Fault> {
    for _ in 0..ROUNDS {
        registers_are_kept(random)?;
    }
    counts_are_near(random(), sparse_max_bytes)
}

fn registers_are_kept(random: &mut dyn FnMut() -> u64) -> Result<(), Fault> {
    let mut given: Registers = [0; REGISTERS];
    let mut hll = Hll::new();
    hll.to_dense().map_err(|_| Fault::NotSparse)?;
    let mut bytes = hll.bytes().to_vec();
    for (register, number) in given.iter_mut().enumerate() {
        *number = (random() >> 20) as u8 & 63;
        if let Some(patch) = dense::raise(&bytes, register, *number) {
            bytes[patch.at..patch.at + patch.bytes().len()].copy_from_slice(patch.bytes());
        }
    }
    let mut kept: Registers = [0; REGISTERS];
    let read = HllRef::of(&bytes).map(|hll| hll.merge_into(&mut kept));
    let lost = given.iter().zip(&kept).position(|(given, has)| given != has);
    match (read, lost) {
        (Some(Ok(())), None) => Ok(()),
        (_, lost) => {
            let register = lost.unwrap_or(0);
            Err(Fault::Register { register, given: given[register], has: kept[register] })
        }
    }
}

fn counts_are_near(seed: u64, sparse_max_bytes: usize) -> Result<(), Fault> {
    let standard_error = 1.04 / (REGISTERS as f64).sqrt();
    let (mut dense, mut sparse) = (Hll::new(), Hll::new());
    let mut checkpoint = 1;
    let disagree = |_| Fault::Disagree;
    dense.to_dense().map_err(disagree)?;
    for n in 1..=ELEMENTS {
        let element = (n ^ seed).to_le_bytes();
        dense.add(&element, sparse_max_bytes).map_err(disagree)?;
        sparse.add(&element, sparse_max_bytes).map_err(disagree)?;
        if n < checkpoint {
            continue;
        }
        if n < sparse_max_bytes as u64 / 2 && sparse.as_ref().encoding() != Encoding::Sparse {
            return Err(Fault::NotSparse);
        }
        let counted = dense.as_ref().count().map_err(disagree)?;
        if sparse.as_ref().count() != Ok(counted) {
            return Err(Fault::Disagree);
        }
        // Six times the standard error, so that a bad run is no fault; among ten one collision is nothing.
        let most = if n == 10 { 1 } else { (standard_error * 6.0 * n as f64).ceil() as u64 };
        let off_by = counted.abs_diff(n);
        if off_by > most {
            return Err(Fault::Error { cardinality: n, off_by });
        }
        checkpoint *= 10;
    }
    Ok(())
}
