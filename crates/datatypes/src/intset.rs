//! Intsets: sets of integers in one run of bytes, byte for byte as Redis writes them.
//!
//! ```text
//!     intset    width 4 | count 4 | integer | integer | ...      all numbers little-endian
//!     integer   `width` bytes: 2, 4 or 8, the same for all
//! ```
//!
//! 1. The integers stand in ascending order, each once: membership is a binary search, and an index
//!    picks a member at random.
//! 2. The width is that of the widest integer the set ever had: adding a wider one rewrites all of them;
//!    removing it does not make them narrow again.
//! 3. Bytes from outside pass [`Intset::validate`] once. An intset without members never comes from
//!    outside: a set that becomes empty ceases to be.
//!
//! Additions and removals move the bytes behind their place, so an intset has to stay small; the limit
//! (512 members by default) is the set's (`set.rs`). The format is that of Redis's `intset.c`.

/// Bytes before the first integer, and those of a set without members.
pub const HEADER: usize = 8;

/// An intset to read.
#[derive(Clone, Copy, Debug)]
pub struct Intset<'a> {
    bytes: &'a [u8],
    width: usize,
}

impl<'a> Intset<'a> {
    /// Bytes that this module wrote or validated.
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Intset<'a> {
        let width = usize::from(bytes[0]);
        assert!(matches!(width, 2 | 4 | 8), "no intset has integers of {width} bytes");
        Intset { bytes, width }
    }

    /// Bytes from outside, if they are an intset with members.
    pub fn validate(bytes: &'a [u8]) -> Option<Intset<'a>> {
        let header = bytes.first_chunk::<HEADER>()?;
        if !matches!(header[..4], [2 | 4 | 8, 0, 0, 0]) {
            return None;
        }
        let set = Intset::new(bytes);
        let count = u32::from_le_bytes([header[4], header[5], header[6], header[7]]) as usize;
        let fits = count > 0 && count.checked_mul(set.width) == Some(bytes.len() - HEADER);
        (fits && set.iter().zip(set.iter().skip(1)).all(|(this, next)| this < next)).then_some(set)
    }

    /// How many integers there are.
    #[inline]
    pub fn len(&self) -> usize {
        // What the header says, without another load from it.
        (self.bytes.len() - HEADER) / self.width
    }

    /// Whether there are none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.bytes.len() == HEADER
    }

    /// All its bytes.
    #[inline]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The integer of an index in ascending order.
    #[inline]
    pub fn get(&self, index: usize) -> Option<i64> {
        (index < self.len()).then(|| self.value(index))
    }

    /// Whether this integer is a member.
    #[inline]
    pub fn contains(&self, number: i64) -> bool {
        self.search(number).is_ok()
    }

    /// The index of an integer, or the one that it would have.
    pub fn search(&self, number: i64) -> Result<usize, usize> {
        if width_of(number) > self.width {
            return Err(if number < 0 { 0 } else { self.len() });
        }
        let (mut low, mut high) = (0, self.len());
        // Members often come in ascending order.
        if high > 0 && number > self.value(high - 1) {
            return Err(high);
        }
        while low < high {
            let middle = low + (high - low) / 2;
            match self.value(middle).cmp(&number) {
                std::cmp::Ordering::Equal => return Ok(middle),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Err(low)
    }

    /// The integers in ascending order, from either end.
    #[inline]
    pub fn iter(&self) -> Iter<'a> {
        Iter { integers: &self.bytes[HEADER..], width: self.width }
    }

    #[inline]
    fn value(&self, index: usize) -> i64 {
        let at = HEADER + index * self.width;
        read(&self.bytes[at..at + self.width])
    }
}

/// The integers of an intset in ascending order.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    integers: &'a [u8],
    width: usize,
}

impl Iterator for Iter<'_> {
    type Item = i64;

    #[inline]
    fn next(&mut self) -> Option<i64> {
        let (integer, rest) = self.integers.split_at_checked(self.width)?;
        self.integers = rest;
        Some(read(integer))
    }

    fn nth(&mut self, skipped: usize) -> Option<i64> {
        self.integers =
            skipped.checked_mul(self.width).and_then(|at| self.integers.get(at..)).unwrap_or_default();
        self.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let count = self.integers.len() / self.width;
        (count, Some(count))
    }
}

impl DoubleEndedIterator for Iter<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<i64> {
        let (rest, integer) = self.integers.split_at_checked(self.integers.len().checked_sub(self.width)?)?;
        self.integers = rest;
        Some(read(integer))
    }
}

impl ExactSizeIterator for Iter<'_> {}
impl std::iter::FusedIterator for Iter<'_> {}

/// An intset without members.
pub fn create() -> Vec<u8> {
    vec![2, 0, 0, 0, 0, 0, 0, 0]
}

/// Makes an integer a member; false if it was one.
pub fn add(intset: &mut Vec<u8>, number: i64) -> bool {
    if width_of(number) > Intset::new(intset).width {
        widen(intset, width_of(number));
    }
    let set = Intset::new(intset);
    let Err(index) = set.search(number) else { return false };
    let (width, at) = (set.width, HEADER + index * set.width);
    let old_bytes = intset.len();
    intset.resize(old_bytes + width, 0);
    intset.copy_within(at..old_bytes, at + width);
    write(&mut intset[at..at + width], number);
    set_count(intset);
    true
}

/// Ends an integer's membership; false if it was no member.
pub fn remove(intset: &mut Vec<u8>, number: i64) -> bool {
    let set = Intset::new(intset);
    let Ok(index) = set.search(number) else { return false };
    let (width, at) = (set.width, HEADER + index * set.width);
    intset.copy_within(at + width.., at);
    intset.truncate(intset.len() - width);
    set_count(intset);
    true
}

/// Gives all integers so many bytes.
fn widen(intset: &mut Vec<u8>, width: usize) {
    let old_width = Intset::new(intset).width;
    let count = Intset::new(intset).len();
    intset.resize(HEADER + count * width, 0);
    // From the last on, since each grows over those behind it.
    for index in (0..count).rev() {
        let old_at = HEADER + index * old_width;
        let number = read(&intset[old_at..old_at + old_width]);
        let at = HEADER + index * width;
        write(&mut intset[at..at + width], number);
    }
    intset[0] = width as u8;
}

/// The bytes that an integer needs.
#[inline]
fn width_of(number: i64) -> usize {
    if i16::try_from(number).is_ok() {
        2
    } else if i32::try_from(number).is_ok() {
        4
    } else {
        8
    }
}

#[inline]
fn read(bytes: &[u8]) -> i64 {
    match *bytes {
        [a, b] => i16::from_le_bytes([a, b]).into(),
        [a, b, c, d] => i32::from_le_bytes([a, b, c, d]).into(),
        _ => i64::from_le_bytes(bytes.try_into().expect("2, 4 or 8 bytes")),
    }
}

#[inline]
fn write(place: &mut [u8], number: i64) {
    let width = place.len();
    place.copy_from_slice(&number.to_le_bytes()[..width]);
}

fn set_count(intset: &mut [u8]) {
    let count = u32::try_from(Intset::new(intset).len()).expect("an intset is small");
    intset[4..HEADER].copy_from_slice(&count.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn intset_of(numbers: &[i64]) -> Vec<u8> {
        let mut intset = create();
        numbers.iter().for_each(|&number| assert!(add(&mut intset, number)));
        intset
    }

    /// The bytes that a Redis 7.0 gives for DUMP of sets with these members.
    #[test]
    fn intsets_are_those_of_redis() {
        for (numbers, bytes) in [
            (&[3, 1, -1][..], &[2, 0, 0, 0, 3, 0, 0, 0, 0xFF, 0xFF, 1, 0, 3, 0][..]),
            (&[1, -32769], &[4, 0, 0, 0, 2, 0, 0, 0, 0xFF, 0x7F, 0xFF, 0xFF, 1, 0, 0, 0]),
            (&[32768, -1], &[4, 0, 0, 0, 2, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0x80, 0, 0]),
            (&[2147483648], &[8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0x80, 0, 0, 0, 0]),
        ] {
            assert_eq!(intset_of(numbers), bytes, "{numbers:?}");
            assert!(Intset::validate(bytes).is_some(), "{numbers:?}");
        }
    }

    #[test]
    fn integers_stay_wide() {
        let mut intset = intset_of(&[1, i64::MAX]);
        assert!(remove(&mut intset, i64::MAX));
        assert_eq!(intset, [8, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
        assert!(!remove(&mut intset, i64::MAX) && !add(&mut intset, 1));
    }

    #[test]
    fn what_is_no_intset_is_refused() {
        for bytes in [
            &[][..],
            &[2, 0, 0, 0, 1, 0, 0],
            &[2, 0, 0, 0, 0, 0, 0, 0],             // no members
            &[2, 0, 0, 0, 1, 0, 0, 0],             // fewer than said
            &[2, 0, 0, 0, 1, 0, 0, 0, 1, 0, 2, 0], // more than said
            &[3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0],    // no width
            &[2, 1, 0, 0, 1, 0, 0, 0, 1, 0],       // no width
            &[2, 0, 0, 0, 2, 0, 0, 0, 1, 0, 1, 0], // one twice
            &[2, 0, 0, 0, 2, 0, 0, 0, 2, 0, 1, 0], // in disorder
            &[2, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 1, 0],
        ] {
            assert!(Intset::validate(bytes).is_none(), "{bytes:?}");
        }
    }

    fn number() -> impl Strategy<Value = i64> {
        prop_oneof![
            8 => -20i64..20,
            2 => -32770i64..-32765,
            2 => 32765i64..32770,
            1 => (i64::from(i32::MIN) - 2)..(i64::from(i32::MIN) + 2),
            1 => (i64::from(i32::MAX) - 2)..(i64::from(i32::MAX) + 2),
            1 => Just(i64::MIN),
            1 => Just(i64::MAX),
        ]
    }

    proptest! {
        #[test]
        fn an_intset_is_an_ordered_set(
            widest in 0usize..3, steps in vec((any::<bool>(), number()), 0..60), asked in number(),
        ) {
            let (mut intset, mut model) = (create(), BTreeSet::new());
            for (adds, number) in steps {
                // Sets that stay narrow are rare otherwise.
                let number = [i64::from(number as i16), i64::from(number as i32), number][widest];
                if adds {
                    prop_assert_eq!(add(&mut intset, number), model.insert(number));
                } else {
                    prop_assert_eq!(remove(&mut intset, number), model.remove(&number));
                }
                prop_assert_eq!(Intset::validate(&intset).is_some(), !model.is_empty());
                let set = Intset::new(&intset);
                prop_assert!(set.iter().eq(model.iter().copied()));
                prop_assert!(set.iter().rev().eq(model.iter().rev().copied()));
                prop_assert_eq!((set.len(), set.is_empty()), (model.len(), model.is_empty()));
                prop_assert_eq!(set.contains(number), adds);
                prop_assert_eq!(set.contains(asked), model.contains(&asked));
            }
            let set = Intset::new(&intset);
            for index in 0..model.len() + 2 {
                prop_assert_eq!(set.get(index), model.iter().nth(index).copied());
                prop_assert_eq!(set.iter().nth(index), set.get(index));
            }
        }
    }
}
