//! The 80-bit floats of the x87 unit, in software.
//!
//! INCRBYFLOAT is defined by what C's `long double` does on the machines that Redis runs on: a 64-bit
//! mantissa, rounded to nearest even, printed with 17 decimals. A client may compare the result byte
//! for byte with another server's, so it is computed here exactly, on any machine.
//!
//! ```text
//!     value = mantissa * 2^exponent      mantissa: 64 bits, the top one set (fewer below 2^-16382)
//!     text  -> exact ratio of integers -> one rounding
//!     value -> exact integer of 10^-17ths -> one rounding -> digits
//! ```
//!
//! 1. Every operation rounds once, from the exact result (`round`).
//! 2. What can be read follows `strtold`: decimal and hexadecimal, `inf`; what is not a number, or
//!    overflows, or vanishes to zero, is refused. Nothing may stand before or after it.
//! 3. A text has fewer than 5120 bytes, as in Redis, which also bounds the work.

/// Redis's buffer for such a number.
const MAX_TEXT: usize = 5 * 1024;
/// The exponent of the smallest step there is.
const MIN_EXPONENT: i64 = -16445;
/// The largest exponent that a full mantissa can have.
const MAX_EXPONENT: i64 = 16384 - 64;

/// An 80-bit float that is not "not a number".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LongDouble {
    negative: bool,
    size: Size,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Size {
    Zero,
    Finite { mantissa: u64, exponent: i64 },
    Infinite,
}

/// Why a float was not incremented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IncrementError {
    /// One of the texts is no float.
    NotAFloat,
    /// The sum is infinite, or no number.
    NotFinite,
}

/// INCRBYFLOAT: the sum of two texts as text.
pub fn increment_float(value: &[u8], increment: &[u8]) -> Result<Vec<u8>, IncrementError> {
    let value = LongDouble::parse(value).ok_or(IncrementError::NotAFloat)?;
    let increment = LongDouble::parse(increment).ok_or(IncrementError::NotAFloat)?;
    match value.plus(increment) {
        Some(sum) if sum.is_finite() => Ok(sum.to_text()),
        _ => Err(IncrementError::NotFinite),
    }
}

impl LongDouble {
    /// Zero.
    pub const ZERO: LongDouble = LongDouble { negative: false, size: Size::Zero };

    /// Whether it is not infinite.
    pub fn is_finite(self) -> bool {
        self.size != Size::Infinite
    }

    /// What `strtold` makes of all of these bytes.
    pub fn parse(text: &[u8]) -> Option<LongDouble> {
        if text.is_empty() || text.len() >= MAX_TEXT {
            return None;
        }
        let (negative, body) = match text {
            [b'-', body @ ..] => (true, body),
            [b'+', body @ ..] => (false, body),
            body => (false, body),
        };
        if body.eq_ignore_ascii_case(b"inf") || body.eq_ignore_ascii_case(b"infinity") {
            return Some(LongDouble { negative, size: Size::Infinite });
        }
        let size = match body {
            [b'0', b'x' | b'X', digits @ ..] => parse_hexadecimal(digits)?,
            digits => parse_decimal(digits)?,
        };
        Some(LongDouble { negative, size })
    }

    /// The sum; `None` for infinity minus infinity.
    pub fn plus(self, other: LongDouble) -> Option<LongDouble> {
        let (a, b) = match (self.size, other.size) {
            (Size::Infinite, Size::Infinite) => return (self.negative == other.negative).then_some(self),
            (Size::Infinite, _) => return Some(self),
            (_, Size::Infinite) => return Some(other),
            (Size::Zero, Size::Zero) => {
                return Some(LongDouble { negative: self.negative && other.negative, size: Size::Zero })
            }
            (Size::Zero, _) => return Some(other),
            (_, Size::Zero) => return Some(self),
            (Size::Finite { mantissa: m1, exponent: e1 }, Size::Finite { mantissa: m2, exponent: e2 }) => {
                if (e1, m1) >= (e2, m2) {
                    ((self.negative, m1, e1), (other.negative, m2, e2))
                } else {
                    ((other.negative, m2, e2), (self.negative, m1, e1))
                }
            }
        };
        // `a` has the larger exponent. With 62 bits below it, what `b` loses at its end can only
        // matter as "a little more", which the lowest bit records.
        const ROOM: i64 = 62;
        let large = u128::from(a.1) << ROOM;
        let distance = a.2 - b.2;
        let small = u128::from(b.1) << ROOM;
        let small = if distance >= 127 {
            1
        } else {
            small >> distance | u128::from(small & ((1 << distance) - 1) != 0)
        };
        // Equal exponents with a smaller `a` cannot be: the order above includes the mantissa.
        let exact = if a.0 == b.0 { large + small } else { large.abs_diff(small) };
        let negative = if large >= small { a.0 } else { b.0 };
        if exact == 0 {
            return Some(LongDouble::ZERO);
        }
        Some(LongDouble { negative, size: round(exact, a.2 - ROOM, false) })
    }

    /// With 17 decimals, zeros at the end left out, and no `-0`: what Redis calls the human form.
    pub fn to_text(self) -> Vec<u8> {
        let mut text = Vec::new();
        let (mantissa, exponent) = match self.size {
            Size::Infinite => return if self.negative { b"-inf".to_vec() } else { b"inf".to_vec() },
            Size::Zero => return b"0".to_vec(),
            Size::Finite { mantissa, exponent } => (mantissa, exponent),
        };
        let digits = if exponent >= 0 {
            let mut whole = Big::from(u128::from(mantissa));
            whole.shift_left(exponent as usize);
            let mut digits = whole.to_digits();
            digits.extend_from_slice(&[b'0'; 17]);
            digits
        } else {
            // Below 2^64 * 10^17 < 2^121.
            let scaled = u128::from(mantissa) * 10u128.pow(17);
            let shift = exponent.unsigned_abs();
            let rounded = if shift > 127 {
                0
            } else {
                let whole = scaled >> shift;
                let rest = scaled & ((1 << shift) - 1);
                let half = 1u128 << (shift - 1);
                whole + u128::from(rest > half || (rest == half && whole & 1 == 1))
            };
            format!("{rounded:018}").into_bytes()
        };
        let (whole, decimals) = digits.split_at(digits.len() - 17);
        let kept = decimals.iter().rposition(|&digit| digit != b'0').map_or(0, |last| last + 1);
        if self.negative && (whole != b"0" || kept > 0) {
            text.push(b'-');
        }
        text.extend_from_slice(whole);
        if kept > 0 {
            text.push(b'.');
            text.extend_from_slice(&decimals[..kept]);
        }
        text
    }
}

impl From<i64> for LongDouble {
    fn from(number: i64) -> LongDouble {
        let size = if number == 0 { Size::Zero } else { round(number.unsigned_abs().into(), 0, false) };
        LongDouble { negative: number < 0, size }
    }
}

/// The float nearest to `exact * 2^exponent`, plus a little more if `more` says so. `exact` is not 0,
/// and if `more` is set it has at least 66 bits.
fn round(exact: u128, exponent: i64, more: bool) -> Size {
    let bits = 128 - i64::from(exact.leading_zeros());
    // How many bits must go: down to 64, or more where the steps have become as small as they get.
    let drop = (bits - 64).max(MIN_EXPONENT - exponent);
    let (mut mantissa, mut exponent) = if drop <= 0 {
        // Exact; fewer than 64 bits are shifted up so that equal values look equal.
        let up = (-drop).min(64 - bits);
        (exact << up, exponent - up)
    } else if drop > 127 {
        return Size::Zero;
    } else {
        let kept = exact >> drop;
        let rest = exact & ((1 << drop) - 1);
        let half = 1u128 << (drop - 1);
        let up = rest > half || (rest == half && (more || kept & 1 == 1));
        (kept + u128::from(up), exponent + drop)
    };
    if mantissa >> 64 != 0 {
        (mantissa, exponent) = (mantissa >> 1, exponent + 1);
    }
    if mantissa == 0 {
        Size::Zero
    } else if exponent > MAX_EXPONENT {
        Size::Infinite
    } else {
        Size::Finite { mantissa: mantissa as u64, exponent }
    }
}

/// The digits before an exponent, without their point, and how many of them stand after it.
struct Digits<'a> {
    before: &'a [u8],
    after: &'a [u8],
    rest: &'a [u8],
}

fn split_digits(text: &[u8], is_digit: impl Fn(u8) -> bool) -> Option<Digits<'_>> {
    let count = |text: &[u8]| text.iter().take_while(|&&byte| is_digit(byte)).count();
    let (before, rest) = text.split_at(count(text));
    let (after, rest) = match rest {
        [b'.', rest @ ..] => rest.split_at(count(rest)),
        rest => (&rest[..0], rest),
    };
    (before.len() + after.len() > 0).then_some(Digits { before, after, rest })
}

/// The number after `e` or `p`; nothing may follow. Huge ones are cut to where they mean the same.
fn parse_exponent(text: &[u8], letter: u8) -> Option<i64> {
    let digits = match text {
        [] => return Some(0),
        [first, digits @ ..] if first.to_ascii_lowercase() == letter => digits,
        _ => return None,
    };
    let (negative, digits) = match digits {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let size = digits.iter().fold(0i64, |n, digit| (n * 10 + i64::from(digit - b'0')).min(1_000_000));
    Some(if negative { -size } else { size })
}

/// Refuses what overflowed or vanished, as `strtold` reports with ERANGE.
fn in_range(size: Size) -> Option<Size> {
    matches!(size, Size::Finite { .. }).then_some(size)
}

fn parse_hexadecimal(text: &[u8]) -> Option<Size> {
    let digits = split_digits(text, |byte| byte.is_ascii_hexdigit())?;
    let mut exponent = parse_exponent(digits.rest, b'p')? - 4 * digits.after.len() as i64;
    let (mut exact, mut more) = (0u128, false);
    for &digit in digits.before.iter().chain(digits.after) {
        let value = (digit as char).to_digit(16).expect("only such digits were split off");
        if exact >> 120 == 0 {
            exact = exact << 4 | u128::from(value);
        } else {
            more |= value != 0;
            exponent += 4;
        }
    }
    if exact == 0 {
        return Some(Size::Zero);
    }
    in_range(round(exact, exponent, more))
}

fn parse_decimal(text: &[u8]) -> Option<Size> {
    let digits = split_digits(text, |byte| byte.is_ascii_digit())?;
    let exponent = parse_exponent(digits.rest, b'e')?;
    // Zeros in front say nothing, zeros at the end only move the exponent.
    let all: Vec<u8> = digits.before.iter().chain(digits.after).copied().collect();
    let mut power = exponent - digits.after.len() as i64;
    let Some(first) = all.iter().position(|&digit| digit != b'0') else { return Some(Size::Zero) };
    let last = all.iter().rposition(|&digit| digit != b'0').expect("there is a first");
    power += (all.len() - 1 - last) as i64;
    let all = &all[first..=last];
    // Outside of this it is surely infinite, or nothing: 10^4932 and 10^-4951 are the limits.
    let magnitude = power + all.len() as i64;
    if !(-4960..=4940).contains(&magnitude) {
        return None;
    }
    if all.len() <= 19 && (-18..=18).contains(&power) {
        return in_range(ratio_of_small(all, power));
    }
    let mut top = Big::from(0);
    for &digit in all {
        top.multiply_add(10, u64::from(digit - b'0'));
    }
    let mut bottom = Big::from(1);
    let side = if power >= 0 { &mut top } else { &mut bottom };
    for _ in 0..power.unsigned_abs() {
        side.multiply_add(10, 0);
    }
    let (exact, exponent, more) = top.divide_to_bits(bottom);
    in_range(round(exact, exponent, more))
}

/// The usual case, without long arithmetic: up to 19 digits, times or by up to 10^18.
fn ratio_of_small(digits: &[u8], power: i64) -> Size {
    let number = digits.iter().fold(0u64, |n, digit| n * 10 + u64::from(digit - b'0'));
    let scale = 10u128.pow(power.unsigned_abs() as u32);
    if power >= 0 {
        return round(u128::from(number) * scale, 0, false);
    }
    let shift = u128::from(number).leading_zeros();
    let top = u128::from(number) << shift;
    // 128 bits by at most 60 leave at least 68.
    round(top / scale, -i64::from(shift), top % scale != 0)
}

/// A natural number of any size, the least digit first.
#[derive(Clone)]
struct Big(Vec<u64>);

impl From<u128> for Big {
    fn from(number: u128) -> Big {
        let mut big = Big(vec![number as u64, (number >> 64) as u64]);
        big.trim();
        big
    }
}

impl Big {
    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    fn bits(&self) -> usize {
        self.0.last().map_or(0, |top| self.0.len() * 64 - top.leading_zeros() as usize)
    }

    fn multiply_add(&mut self, factor: u64, mut carry: u64) {
        for word in &mut self.0 {
            let product = u128::from(*word) * u128::from(factor) + u128::from(carry);
            (*word, carry) = (product as u64, (product >> 64) as u64);
        }
        if carry != 0 {
            self.0.push(carry);
        }
    }

    fn shift_left(&mut self, by: usize) {
        let (words, bits) = (by / 64, by % 64);
        if bits > 0 {
            let mut carry = 0;
            for word in &mut self.0 {
                (*word, carry) = (*word << bits | carry, *word >> (64 - bits));
            }
            self.0.push(carry);
        }
        self.0.splice(0..0, std::iter::repeat_n(0, words));
        self.trim();
    }

    fn is_less(&self, other: &Big) -> bool {
        self.0.len() < other.0.len()
            || (self.0.len() == other.0.len() && self.0.iter().rev().lt(other.0.iter().rev()))
    }

    /// `other` must not be larger.
    fn subtract(&mut self, other: &Big) {
        let mut borrow = false;
        for (at, word) in self.0.iter_mut().enumerate() {
            let take = other.0.get(at).copied().unwrap_or(0);
            let (less, first) = word.overflowing_sub(take);
            let (less, second) = less.overflowing_sub(borrow.into());
            (*word, borrow) = (less, first || second);
        }
        self.trim();
    }

    /// `self / other` as (70 bits, exponent, whether there is more).
    fn divide_to_bits(mut self, mut other: Big) -> (u128, i64, bool) {
        const BITS: i64 = 70;
        // Both with equally many bits: the quotient is then between 1/2 and 2.
        let difference = self.bits() as i64 - other.bits() as i64;
        if difference < 0 {
            self.shift_left(difference.unsigned_abs() as usize);
        } else {
            other.shift_left(difference as usize);
        }
        let mut quotient = 0u128;
        for _ in 0..=BITS {
            quotient <<= 1;
            if !self.is_less(&other) {
                self.subtract(&other);
                quotient |= 1;
            }
            self.shift_left(1);
        }
        (quotient, difference - BITS, !self.0.is_empty())
    }

    fn to_digits(&self) -> Vec<u8> {
        const STEP: u64 = 10u64.pow(19);
        let mut rest = self.clone();
        let mut groups = Vec::new();
        while !rest.0.is_empty() {
            let mut remainder = 0u128;
            for word in rest.0.iter_mut().rev() {
                let part = remainder << 64 | u128::from(*word);
                *word = (part / u128::from(STEP)) as u64;
                remainder = part % u128::from(STEP);
            }
            rest.trim();
            groups.push(remainder as u64);
        }
        let mut digits = groups.pop().unwrap_or(0).to_string().into_bytes();
        for group in groups.iter().rev() {
            digits.extend_from_slice(format!("{group:019}").as_bytes());
        }
        digits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(a: &str, b: &str) -> String {
        match increment_float(a.as_bytes(), b.as_bytes()) {
            Ok(text) => String::from_utf8(text).unwrap(),
            Err(error) => format!("{error:?}"),
        }
    }

    #[test]
    fn sums_are_those_of_the_x87_unit() {
        // Each line was answered so by redis-server 7.0.15 on x86-64.
        for (a, b, want) in [
            ("10.50", "0.1", "10.6"),
            ("5.0e3", "2.0e2", "5200"),
            ("0.1", "0.2", "0.3"),
            ("3.0", "1.000000000000000005", "4.00000000000000001"),
            ("1", "-1", "0"),
            ("-1e-30", "0", "0"),
            ("0x1.8p1", "0", "3"),
            ("0.000000000000000005", "0", "0"),
            ("0.000000000000000015", "0", "0.00000000000000002"),
            ("9223372036854775807", "0.5", "9223372036854775807.5"),
            ("9223372036854775807", "1.5", "9223372036854775808"),
            ("18446744073709551615", "1", "18446744073709551616"),
            ("18446744073709551617", "0", "18446744073709551616"),
            ("18446744073709551619", "0", "18446744073709551620"),
            ("0.1", "0.7", "0.8"),
            ("17e-17", "0", "0.00000000000000017"),
            ("3.6e-4951", "0", "0"),
            ("1.8e-4951", "0", "NotAFloat"),
            ("1.9e-4951", "0", "0"),
            ("0x1p-16445", "0x1p-16445", "0"),
            ("0x1p-16446", "0", "NotAFloat"),
            ("0x1.8p-16446", "0", "0"),
            ("0xffffffffffffffff8p-60", "0", "256"),
            ("0x.8p1", "-.5", "0.5"),
            ("0e99999999999999999999", "1", "1"),
            ("1e-99999999999999999999", "1", "NotAFloat"),
            ("1e25", "1e-10", "10000000000000000000000000"),
            ("123456789012345678901234567890", "0", "123456789012345678899921813504"),
            ("-1.23456789012345678e-5", "0", "-0.00001234567890123"),
            ("1e18", "0.00000000000000001", "1000000000000000000"),
            ("+5", "5.", "10"),
            ("-0", "-0", "0"),
            (
                "1.0000000000000000271050543121376108501863200217485427856445312500001",
                "0",
                "1.00000000000000003",
            ),
            ("1.00000000000000002710505431213761085018632002174854278564453125", "0", "1.00000000000000003"),
        ] {
            assert_eq!(sum(a, b), want, "{a} + {b}");
        }
    }

    #[test]
    fn what_is_no_float_is_refused() {
        for text in [
            "", " 1", "1 ", "+", "-", ".", "e5", "1e", "1e+", "1e5x", "0x", "0x.", "0x1p", "0xg", "nan",
            "-nan", "nan(1)", "infin", "in", "1,5", "--1", "1e4933", "1e-4970", "1_0", "1\0",
        ] {
            assert_eq!(LongDouble::parse(text.as_bytes()), None, "{text}");
        }
        assert!(LongDouble::parse(&[b'1'; 5119]).is_none(), "overflows");
        let mut long = vec![b'0'; 5119];
        assert_eq!(LongDouble::parse(&long), Some(LongDouble::ZERO));
        long.push(b'0');
        assert_eq!(LongDouble::parse(&long), None);
    }

    #[test]
    fn infinity_is_read_but_never_the_result() {
        for text in ["inf", "-inf", "Infinity", "+INF"] {
            assert!(!LongDouble::parse(text.as_bytes()).unwrap().is_finite());
        }
        assert_eq!(sum("inf", "1"), "NotFinite");
        assert_eq!(sum("inf", "-inf"), "NotFinite");
        assert_eq!(sum("1e4932", "1e4932"), "NotFinite");
    }

    #[test]
    fn short_and_long_arithmetic_agree() {
        // The same number once with few digits, once padded beyond what the short way takes.
        for (short, long) in
            [("0.1", "0.1000000000000000000000"), ("123.456e3", "123456.0000000000000000000")]
        {
            assert_eq!(LongDouble::parse(short.as_bytes()), LongDouble::parse(long.as_bytes()));
        }
        for digits in ["1", "12345678901234567", "9999999999999999999", "7205759403792793"] {
            for power in -18..=18 {
                let text = format!("{digits}e{power}");
                let mut top = Big::from(digits.parse::<u128>().unwrap());
                let mut bottom = Big::from(1);
                let side = if power >= 0 { &mut top } else { &mut bottom };
                (0..i32::abs(power)).for_each(|_| side.multiply_add(10, 0));
                let (exact, exponent, more) = top.divide_to_bits(bottom);
                assert_eq!(parse_decimal(text.as_bytes()), Some(round(exact, exponent, more)), "{text}");
            }
        }
    }

    #[test]
    fn integers_are_exact() {
        for number in [0, 1, -1, i64::MAX, i64::MIN, 1 << 53, (1 << 53) + 1] {
            assert_eq!(LongDouble::from(number), LongDouble::parse(number.to_string().as_bytes()).unwrap());
            assert_eq!(LongDouble::from(number).to_text(), number.to_string().into_bytes());
        }
    }
}
