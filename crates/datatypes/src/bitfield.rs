//! Integers of any width up to 64 bits, at any place in a string: what BITFIELD reads and writes.
//!
//! An integer stands with its highest bit first, so that one of 8, 16, 32 or 64 bits at a byte's border is
//! in big-endian order. Any other may begin and end inside of a byte; 64 bits lie in nine bytes at most:
//!
//! ```text
//!     u5 at offset 7, value 23 = 0b10111
//!          [ 0000000 1 ][ 0111 0000 ]
//! ```
//!
//! 1. Widths are 1 to 64 bits signed, 1 to 63 unsigned: every value fits in an `i64`, as replies have it.
//! 2. Beyond the end of the string there are zeros to be read. A write comes back as a [`Patch`], and its
//!    caller makes the room: the string itself may be huge, and is never copied.
//! 3. What counts as overflow, and to which end a value is saturated, is Redis's arithmetic to the letter,
//!    one surprise included (see [`Field::settle`]).

/// The type of an integer: `i` or `u` and its width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    signed: bool,
    bits: u32,
}

/// What becomes of a value that does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Overflow {
    /// Its lowest bits are kept.
    #[default]
    Wrap,
    /// It becomes the nearest value that fits.
    Saturate,
    /// Nothing is written.
    Fail,
}

/// Bytes to be written into a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patch {
    /// Where the first of them goes.
    pub at: usize,
    bytes: [u8; 9],
    len: usize,
}

impl Patch {
    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl Field {
    /// From its name, such as `i16` or `u8`.
    pub fn parse(name: &[u8]) -> Option<Field> {
        let (signed, width) = match name {
            [b'i', width @ ..] => (true, width),
            [b'u', width @ ..] => (false, width),
            _ => return None,
        };
        // Redis reads the width as C does: up to a zero byte.
        let width = width.split(|byte| *byte == 0).next().unwrap_or_default();
        let bits = u32::try_from(crate::parse_i64(width)?).ok()?;
        let widest = if signed { 64 } else { 63 };
        (1..=widest).contains(&bits).then_some(Field { signed, bits })
    }

    /// Its width.
    pub fn bits(self) -> u32 {
        self.bits
    }

    /// The bit after its last, if it stands at `offset`.
    pub fn end(self, offset: u64) -> u64 {
        offset + u64::from(self.bits)
    }

    /// The value at an offset.
    pub fn get(self, string: &[u8], offset: u64) -> i64 {
        let (window, below) = self.window(string, offset);
        self.of_low_bits((window >> below) as u64)
    }

    /// What must be written so that the value at an offset becomes this one.
    pub fn put(self, string: &[u8], offset: u64, value: i64) -> Patch {
        let (window, below) = self.window(string, offset);
        let mask = u128::from(self.mask()) << below;
        let window = (window & !mask) | ((u128::from(value as u64) << below) & mask);
        let mut bytes = [0; 9];
        bytes.copy_from_slice(&window.to_be_bytes()[7..]);
        let first = offset / 8;
        Patch { at: first as usize, bytes, len: ((self.end(offset) - 1) / 8 - first + 1) as usize }
    }

    /// The nine bytes from the one in which an offset lies, as a number, and how many of their bits are
    /// below the integer.
    fn window(self, string: &[u8], offset: u64) -> (u128, u32) {
        let rest = usize::try_from(offset / 8).ok().and_then(|at| string.get(at..)).unwrap_or_default();
        let known = rest.len().min(9);
        let mut bytes = [0; 16];
        bytes[7..7 + known].copy_from_slice(&rest[..known]);
        (u128::from_be_bytes(bytes), 72 - (offset % 8) as u32 - self.bits)
    }

    /// The value that is stored when `value` is raised by `increment`; `None` where that fails. SET is an
    /// increment of zero to any value.
    pub fn settle(self, value: i64, increment: i64, overflow: Overflow) -> Option<i64> {
        let sum = value.wrapping_add(increment);
        let Some(limit) = self.limit_passed(value, increment) else { return Some(sum) };
        match overflow {
            Overflow::Wrap => Some(self.of_low_bits(sum as u64)),
            Overflow::Saturate => Some(limit),
            Overflow::Fail => None,
        }
    }

    /// The end of the range that the sum has passed.
    fn limit_passed(self, value: i64, increment: i64) -> Option<i64> {
        if !self.signed {
            // A negative value is, as it is in Redis, a huge one.
            let max = self.mask() as i64;
            let above = value < 0 || value > max || (increment > 0 && increment > max - value);
            let below = increment < 0 && increment < -value;
            return if above { Some(max) } else { below.then_some(0) };
        }
        let max = (self.mask() >> 1) as i64;
        let min = -max - 1;
        // Narrow types are compared with the room that is left, which is computed modulo 2^64: a SET far
        // below the range finds no room above itself, and is saturated to the greatest value.
        let narrow = self.bits < 64;
        let room = max.wrapping_sub(value);
        if value > max || ((narrow || (value >= 0 && increment > 0)) && increment > room) {
            return Some(max);
        }
        let room = min.wrapping_sub(value);
        let below = value < min || ((narrow || (value < 0 && increment < 0)) && increment < room);
        below.then_some(min)
    }

    fn of_low_bits(self, bits: u64) -> i64 {
        let unused = 64 - self.bits;
        if self.signed {
            (bits << unused) as i64 >> unused
        } else {
            (bits & self.mask()) as i64
        }
    }

    fn mask(self) -> u64 {
        u64::MAX >> (64 - self.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn field(name: &str) -> Field {
        Field::parse(name.as_bytes()).unwrap_or_else(|| panic!("{name}"))
    }

    #[test]
    fn names_have_a_sign_and_a_width() {
        assert_eq!(field("i64"), Field { signed: true, bits: 64 });
        assert_eq!(field("u63"), Field { signed: false, bits: 63 });
        assert_eq!(field("u1\0x"), Field { signed: false, bits: 1 });
        for name in ["", "i", "u", "i0", "u0", "u64", "i65", "I8", "8", "i-8", "i08", "i 8", "i8x", "i\08"] {
            assert_eq!(Field::parse(name.as_bytes()), None, "{name:?}");
        }
    }

    #[test]
    fn the_picture_above_is_right() {
        let patch = field("u5").put(b"", 7, 23);
        assert_eq!((patch.at, patch.bytes()), (0, &[0b0000_0001, 0b0111_0000][..]));
        assert_eq!(field("u5").get(patch.bytes(), 7), 23);
        assert_eq!(field("i5").get(patch.bytes(), 7), 23 - 32);
    }

    #[test]
    fn the_ends_of_ranges() {
        use Overflow::*;
        for (name, value, increment, wrapped, saturated) in [
            ("u8", 255, 1, 0, 255),
            ("u8", 0, -1, 255, 0),
            ("u8", 300, 0, 44, 255),
            ("u8", -1, 0, 255, 255),
            ("u63", i64::MAX, 1, 0, i64::MAX),
            ("i8", 127, 1, -128, 127),
            ("i8", -128, -1, 127, -128),
            ("i8", 200, 0, -56, 127),
            ("i8", -200, 0, 56, -128),
            ("i64", i64::MAX, 1, i64::MIN, i64::MAX),
            ("i64", i64::MIN, -1, i64::MAX, i64::MIN),
            // Rule 3: too far below is taken for too far above.
            ("i8", i64::MIN, 0, 0, 127),
            ("i8", i64::MIN + 128, 0, -128, -128),
            ("i63", i64::MIN, 0, 0, (1 << 62) - 1),
            ("i8", 1, i64::MAX, 0, 127),
            ("i8", -1, i64::MIN, -1, -128),
        ] {
            let settle = |overflow| field(name).settle(value, increment, overflow);
            assert_eq!(settle(Wrap), Some(wrapped), "{name} {value} {increment}");
            assert_eq!(settle(Saturate), Some(saturated), "{name} {value} {increment}");
            assert_eq!(settle(Fail), None, "{name} {value} {increment}");
        }
        for (name, value, increment) in [("i64", i64::MIN, i64::MAX), ("i64", 0, i64::MIN), ("u1", 0, 1)] {
            assert_eq!(field(name).settle(value, increment, Fail), Some(value + increment));
        }
    }

    fn fields() -> impl Strategy<Value = Field> {
        (any::<bool>(), 1u32..=64)
            .prop_map(|(signed, bits)| Field { signed, bits: if signed { bits } else { bits.min(63) } })
    }

    proptest! {
        #[test]
        fn what_is_put_is_got_and_nothing_else_changes(
            string in proptest::collection::vec(any::<u8>(), 0..24),
            field in fields(),
            offset in 0u64..160,
            value: i64,
        ) {
            let patch = field.put(&string, offset, value);
            prop_assert_eq!(patch.bytes().len() as u64, (field.end(offset) - 1) / 8 - offset / 8 + 1);
            let mut after = string.clone();
            after.resize(after.len().max(patch.at + patch.bytes().len()), 0);
            after[patch.at..patch.at + patch.bytes().len()].copy_from_slice(patch.bytes());
            let bits = after.len() as u64 * 8;
            for at in (0..bits).filter(|at| !(offset..field.end(offset)).contains(at)) {
                prop_assert_eq!(crate::bits::get(&after, at), crate::bits::get(&string, at));
            }
            // Bit by bit, as the definition has it.
            let low = (offset..field.end(offset))
                .fold(0u64, |number, at| number << 1 | u64::from(crate::bits::get(&after, at)));
            prop_assert_eq!(low, value as u64 & field.mask());
            prop_assert_eq!(field.get(&after, offset), field.of_low_bits(value as u64));
        }

        #[test]
        fn increments_agree_with_wider_arithmetic(field in fields(), start: i64, increment: i64, shift in 0u32..63) {
            let (value, increment) = (field.of_low_bits(start as u64), increment >> shift);
            let (min, max) = match field.signed {
                true => (-(1i128 << (field.bits - 1)), (1i128 << (field.bits - 1)) - 1),
                false => (0, (1i128 << field.bits) - 1),
            };
            let sum = i128::from(value) + i128::from(increment);
            let fits = (min..=max).contains(&sum);
            prop_assert_eq!(field.settle(value, increment, Overflow::Fail), fits.then_some(sum as i64));
            let saturated = sum.clamp(min, max) as i64;
            prop_assert_eq!(field.settle(value, increment, Overflow::Saturate), Some(saturated));
            let wrapped = (sum - min).rem_euclid(max - min + 1) + min;
            prop_assert_eq!(field.settle(value, increment, Overflow::Wrap), Some(wrapped as i64));
        }
    }
}
