//! HyperLogLogs: how many different elements were seen, in at most 12 KB, as strings that Redis
//! understands byte for byte.
//!
//! An element's hash picks one of 16384 registers, and the register keeps the longest run of zeros seen
//! ([`pattern`]). Many long runs mean many elements (`estimate.rs`). A value is a header and the
//! registers, in one of two encodings:
//!
//! ```text
//!     0      4          5      8             16
//!     "HYLL" encoding   zeros  cardinality   registers
//!            0 dense           last counted,   dense.rs: 16384 numbers of 6 bits, 12288 bytes
//!            1 sparse          little endian   sparse.rs: runs of equal registers
//!                              top bit: it is out of date
//! ```
//!
//! 1. Redis and we may take turns at a value, so not only what is counted is the same but every byte:
//!    where a run is split, which neighbours are merged, and when sparse becomes dense.
//! 2. Any client can SET any bytes. A value is only trusted as far as [`HllRef::of`] has looked; what is
//!    wrong behind the header is found where it is read, as [`Corrupted`], and then nothing has changed.
//! 3. A dense value is raised in place by a [`dense::Patch`] of two bytes; a sparse one is edited as a
//!    whole, being short.

pub mod dense;
mod estimate;
mod murmur;
mod self_test;
mod sparse;

pub use self_test::{self_test, Fault};

/// How many registers there are.
pub const REGISTERS: usize = 1 << INDEX_BITS;

/// Bits of the hash that pick the register.
const INDEX_BITS: u32 = 14;
/// The longest pattern that the other bits can show.
const LONGEST: usize = 64 - INDEX_BITS as usize + 1;
/// The seed of all HyperLogLogs.
const SEED: u64 = 0xadc8_3b19;

const MAGIC: &[u8] = b"HYLL";
const ENCODING_AT: usize = 4;
const CACHE_AT: usize = 8;
const HEADER: usize = 16;
const DENSE: u8 = 0;
const SPARSE: u8 = 1;
const DENSE_LEN: usize = HEADER + dense::LEN;

/// Where the byte stands whose top bit says that the cached cardinality is out of date.
pub const STALE_AT: usize = CACHE_AT + 7;
const STALE: u8 = 0x80;

/// How often each value occurs among the registers. A dense register can hold 63, though none should be
/// above [`LONGEST`].
type Histogram = [u32; 64];

/// One number a register: the union of several values, or a value to look at.
pub type Registers = [u8; REGISTERS];

/// Behind a good header there is no HyperLogLog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrupted;

/// How registers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Six bits each.
    Dense,
    /// As runs.
    Sparse,
}

impl Encoding {
    /// As PFDEBUG ENCODING names it.
    pub fn name(self) -> &'static str {
        match self {
            Encoding::Dense => "dense",
            Encoding::Sparse => "sparse",
        }
    }
}

/// The register that an element belongs to, and the length of its pattern: how many zeros there are, from
/// the lowest bit of the remaining hash, up to and with the first one.
pub fn pattern(element: &[u8]) -> (usize, u8) {
    let hash = murmur::hash(element, SEED);
    let rest = hash >> INDEX_BITS | 1 << (LONGEST - 1);
    (hash as usize & (REGISTERS - 1), rest.trailing_zeros() as u8 + 1)
}

/// The cardinality that these registers stand for.
pub fn count(registers: &Registers) -> u64 {
    let mut histogram = [0; 64];
    dense::tally(registers.as_chunks::<4>().0.iter().copied(), &mut histogram);
    estimate::cardinality(&histogram)
}

/// A value, to be read.
#[derive(Clone, Copy)]
pub struct HllRef<'a> {
    bytes: &'a [u8],
    encoding: Encoding,
}

impl<'a> HllRef<'a> {
    /// A string that has the header, and the length if it is dense; of the runs of a sparse one nothing is
    /// known yet.
    pub fn of(bytes: &'a [u8]) -> Option<HllRef<'a>> {
        let encoding = match *bytes.get(ENCODING_AT)? {
            DENSE if bytes.len() == DENSE_LEN => Encoding::Dense,
            SPARSE if bytes.len() >= HEADER => Encoding::Sparse,
            _ => return None,
        };
        bytes.starts_with(MAGIC).then_some(HllRef { bytes, encoding })
    }

    /// The whole string.
    pub fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// How its registers are stored.
    pub fn encoding(self) -> Encoding {
        self.encoding
    }

    /// The cardinality as it was counted last, if it has not changed since.
    pub fn cached_count(self) -> Option<u64> {
        let cache: [u8; 8] = self.bytes[CACHE_AT..HEADER].try_into().expect("eight bytes");
        (cache[7] & STALE == 0).then(|| u64::from_le_bytes(cache))
    }

    /// The cardinality, counted now.
    pub fn count(self) -> Result<u64, Corrupted> {
        let mut histogram = [0; 64];
        match self.encoding {
            Encoding::Dense => dense::histogram(self.body(), &mut histogram),
            Encoding::Sparse => sparse::histogram(self.body(), &mut histogram)?,
        }
        Ok(estimate::cardinality(&histogram))
    }

    /// Raises registers to those of this value.
    pub fn merge_into(self, registers: &mut Registers) -> Result<(), Corrupted> {
        match self.encoding {
            Encoding::Dense => dense::merge_into(self.body(), registers),
            Encoding::Sparse => sparse::merge_into(self.body(), registers)?,
        }
        Ok(())
    }

    /// The runs of a sparse value in letters: `z` and `Z` are zeros, `v` values.
    pub fn decoded(self) -> Option<String> {
        (self.encoding == Encoding::Sparse).then(|| sparse::decoded(self.body()))
    }

    fn body(self) -> &'a [u8] {
        &self.bytes[HEADER..]
    }
}

/// A value, to be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hll(Vec<u8>);

impl Default for Hll {
    fn default() -> Hll {
        Hll::new()
    }
}

impl Hll {
    /// Of no elements: sparse, one run of zeros.
    pub fn new() -> Hll {
        let mut bytes = vec![0; HEADER];
        bytes[..MAGIC.len()].copy_from_slice(MAGIC);
        bytes[ENCODING_AT] = SPARSE;
        sparse::push_zeros(&mut bytes, REGISTERS);
        Hll(bytes)
    }

    /// A copy of one that was looked at.
    pub fn copy_of(hll: HllRef<'_>) -> Hll {
        Hll(hll.bytes.to_vec())
    }

    /// To be read.
    pub fn as_ref(&self) -> HllRef<'_> {
        let encoding = if self.0[ENCODING_AT] == DENSE { Encoding::Dense } else { Encoding::Sparse };
        HllRef { bytes: &self.0, encoding }
    }

    /// The string to be stored.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Adds an element; whether a register rose, and so perhaps the cardinality. `sparse_max_bytes` is the
    /// length at which a sparse value becomes dense.
    pub fn add(&mut self, element: &[u8], sparse_max_bytes: usize) -> Result<bool, Corrupted> {
        let (register, length) = pattern(element);
        self.raise(register, length, sparse_max_bytes, &mut sparse::Cursor::default())
    }

    /// Raises its registers to these.
    pub fn merge(&mut self, registers: &Registers, sparse_max_bytes: usize) -> Result<(), Corrupted> {
        // Registers come in order, so the search in a sparse value goes on where the last one ended.
        let mut cursor = sparse::Cursor::default();
        for (register, &length) in registers.iter().enumerate().filter(|(_, length)| **length > 0) {
            if self.as_ref().encoding == Encoding::Dense {
                break;
            }
            self.raise(register, length, sparse_max_bytes, &mut cursor)?;
        }
        if self.as_ref().encoding == Encoding::Dense {
            let mut union = *registers;
            self.as_ref().merge_into(&mut union)?;
            dense::write(&mut self.0[HEADER..], &union);
        }
        Ok(())
    }

    fn raise(
        &mut self,
        register: usize,
        length: u8,
        sparse_max_bytes: usize,
        cursor: &mut sparse::Cursor,
    ) -> Result<bool, Corrupted> {
        if self.as_ref().encoding == Encoding::Sparse {
            match sparse::raise(&mut self.0, register, length, sparse_max_bytes, cursor)? {
                sparse::Raised::No => return Ok(false),
                sparse::Raised::Yes => {
                    self.forget_count();
                    return Ok(true);
                }
                sparse::Raised::NeedsDense => self.to_dense()?,
            }
        }
        let Some(patch) = dense::raise(&self.0, register, length) else { return Ok(false) };
        self.0[patch.at..patch.at + patch.bytes().len()].copy_from_slice(patch.bytes());
        Ok(true)
    }

    /// Makes it dense. The cached cardinality stays, for it is the same.
    pub fn to_dense(&mut self) -> Result<(), Corrupted> {
        if self.as_ref().encoding == Encoding::Dense {
            return Ok(());
        }
        let mut registers = [0; REGISTERS];
        self.as_ref().merge_into(&mut registers)?;
        self.0.resize(DENSE_LEN, 0);
        self.0[ENCODING_AT] = DENSE;
        dense::write(&mut self.0[HEADER..], &registers);
        Ok(())
    }

    /// The cached cardinality is out of date.
    pub fn forget_count(&mut self) {
        self.0[STALE_AT] |= STALE;
    }
}

/// That byte once the cached cardinality is out of date.
pub fn stale_byte(hll: HllRef<'_>) -> u8 {
    hll.bytes[STALE_AT] | STALE
}

/// Where the cached cardinality stands, and the bytes of this one.
pub fn cache_patch(count: u64) -> (usize, [u8; 8]) {
    (CACHE_AT, count.to_le_bytes())
}

#[cfg(test)]
mod tests;
