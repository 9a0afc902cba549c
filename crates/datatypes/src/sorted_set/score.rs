//! Scores as text: how they are written, and what is read as one.
//!
//! Written as Redis 7.2 does, in replies and inside a listpack: a whole number as an integer, any other with
//! the fewest digits that read back as it, plain while that takes few zeros, else with an exponent. (The
//! crate `resp` writes doubles into replies by the same rules; neither crate may lean on the other.)
//!
//! Read as C's `strtod` does: white space, a sign, decimal or hexadecimal digits, `inf`, `infinity`. Of
//! that a score as an argument may have no white space and must be in range ([`parse`]); the end of a range
//! is taken as it comes ([`parse_bound`]).

use crate::integer::Decimal;
use std::io::Write;

/// The integer that a score is written as, if it is.
#[inline]
pub(super) fn as_integer(score: f64) -> Option<i64> {
    /// Within these bounds a double without a fraction is written as an integer.
    const WHOLE: f64 = (i64::MAX / 2) as f64;
    (score.abs() <= WHOLE && score.trunc() == score).then_some(score as i64)
}

/// Appends a score's text.
pub fn format(score: f64, into: &mut Vec<u8>) {
    if score.is_nan() {
        into.extend_from_slice(b"nan");
    } else if score.is_infinite() {
        into.extend_from_slice(if score < 0.0 { b"-inf" } else { b"inf" });
    } else if score == 0.0 {
        into.extend_from_slice(if score.is_sign_negative() { b"-0" } else { b"0" });
    } else if let Some(integer) = as_integer(score) {
        into.extend_from_slice(Decimal::new(integer).as_bytes());
    } else {
        format_digits(score, into);
    }
}

fn format_digits(score: f64, into: &mut Vec<u8>) {
    // Rust writes the fewest digits: `d.ddde-x`.
    let mut text = [0u8; 32];
    let mut rest = &mut text[..];
    write!(rest, "{:e}", score.abs()).expect("at most 17 digits and an exponent");
    let unused = rest.len();
    let text = &text[..text.len() - unused];
    let split = text.iter().position(|&byte| byte == b'e').expect("written so");
    let exponent = crate::integer::parse_i64(&text[split + 1..]).expect("written so");
    let mut digits = [0u8; 17];
    let mut count = 0;
    for &byte in text[..split].iter().filter(|&&byte| byte != b'.') {
        digits[count] = byte;
        count += 1;
    }
    let digits = &digits[..count];
    let count = count as i64;
    // The score is `digits * 10^scale`.
    let scale = exponent - (count - 1);

    if score < 0.0 {
        into.push(b'-');
    }
    if scale >= 0 && exponent < count + 7 {
        into.extend_from_slice(digits);
        into.resize(into.len() + scale as usize, b'0');
    } else if scale < 0 && (scale > -7 || exponent.abs() < 4) {
        if exponent < 0 {
            into.extend_from_slice(b"0.");
            into.resize(into.len() + (-exponent - 1) as usize, b'0');
            into.extend_from_slice(digits);
        } else {
            let (whole, fraction) = digits.split_at(exponent as usize + 1);
            into.extend_from_slice(whole);
            into.push(b'.');
            into.extend_from_slice(fraction);
        }
    } else {
        into.push(digits[0]);
        if count > 1 {
            into.push(b'.');
            into.extend_from_slice(&digits[1..]);
        }
        into.push(b'e');
        into.push(if exponent < 0 { b'-' } else { b'+' });
        into.extend_from_slice(Decimal::new(exponent.abs()).as_bytes());
    }
}

/// The score that an argument states; infinities are scores, NaN is none.
pub fn parse(text: &[u8]) -> Option<f64> {
    let number = read(text)?;
    let strict = !text.first()?.is_ascii_whitespace() && text[0] != 0x0b;
    (strict && number.end == text.len() && number.in_range && !number.value.is_nan()).then_some(number.value)
}

/// The score at the end of a range. `strtod` sees the text up to a zero byte, and takes none at all for 0.
pub(super) fn parse_bound(text: &[u8]) -> Option<f64> {
    let text = text.split(|&byte| byte == 0).next()?;
    if text.is_empty() {
        return Some(0.0);
    }
    let number = read(text)?;
    (number.end == text.len() && !number.value.is_nan()).then_some(number.value)
}

/// The score that an element of a listpack states as text.
pub(super) fn parse_stored(text: &[u8]) -> f64 {
    read(text).map_or(0.0, |number| number.value)
}

/// Whether text from outside may stand for a score in a listpack.
pub(super) fn is_number(text: &[u8]) -> bool {
    read(text).is_some_and(|number| number.end == text.len() && !number.value.is_nan())
}

/// What `strtod` reads at the beginning of a text.
struct Number {
    value: f64,
    end: usize,
    /// Neither too large, nor too small to be told from zero.
    in_range: bool,
}

fn read(text: &[u8]) -> Option<Number> {
    let blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0x0b;
    let start = text.iter().position(|byte| !blank(byte))?;
    let (negative, signed) = match text[start] {
        b'-' => (true, 1),
        b'+' => (false, 1),
        _ => (false, 0),
    };
    let body = &text[start + signed..];
    let begins = |word: &[u8]| body.get(..word.len()).is_some_and(|found| found.eq_ignore_ascii_case(word));
    let (size, length, in_range) = if begins(b"infinity") {
        (f64::INFINITY, 8, true)
    } else if begins(b"inf") {
        (f64::INFINITY, 3, true)
    } else if begins(b"nan") {
        (f64::NAN, 3, true)
    } else if begins(b"0x") && hexadecimal(&body[2..]).is_some() {
        let (size, length, in_range) = hexadecimal(&body[2..])?;
        (size, length + 2, in_range)
    } else {
        decimal(body)?
    };
    let value = if negative { -size } else { size };
    Some(Number { value, end: start + signed + length, in_range })
}

/// The digits around an optional point: where they end, and how many there are behind the point.
fn digits(text: &[u8], is_digit: impl Fn(u8) -> bool) -> Option<(usize, usize)> {
    let whole = text.iter().take_while(|&&byte| is_digit(byte)).count();
    let fraction = match text.get(whole) {
        Some(b'.') => text[whole + 1..].iter().take_while(|&&byte| is_digit(byte)).count(),
        _ => 0,
    };
    let point = usize::from(text.get(whole) == Some(&b'.'));
    (whole + fraction > 0).then_some((whole + point + fraction, fraction))
}

/// An exponent of this letter; only with digits is it one.
fn exponent(text: &[u8], letter: u8) -> Option<(i64, usize)> {
    if !text.first()?.eq_ignore_ascii_case(&letter) {
        return None;
    }
    let (negative, signed) = match text.get(1)? {
        b'-' => (true, 1),
        b'+' => (false, 1),
        _ => (false, 0),
    };
    let digits = text[1 + signed..].iter().take_while(|byte| byte.is_ascii_digit());
    let mut length = 0;
    let mut value = 0i64;
    for &digit in digits {
        // Far beyond every double; what follows changes nothing.
        value = (value * 10 + i64::from(digit - b'0')).min(1 << 40);
        length += 1;
    }
    (length > 0).then_some((if negative { -value } else { value }, 1 + signed + length))
}

fn decimal(text: &[u8]) -> Option<(f64, usize, bool)> {
    let (mut end, _) = digits(text, |byte| byte.is_ascii_digit())?;
    let nonzero = text[..end].iter().any(|byte| matches!(byte, b'1'..=b'9'));
    if let Some((_, length)) = exponent(&text[end..], b'e') {
        end += length;
    }
    let value: f64 = std::str::from_utf8(&text[..end]).ok()?.parse().ok()?;
    Some((value, end, value.is_finite() && (value != 0.0 || !nonzero)))
}

fn hexadecimal(text: &[u8]) -> Option<(f64, usize, bool)> {
    let (mut end, fraction) = digits(text, |byte| byte.is_ascii_hexdigit())?;
    // The first sixteen digits; of the others only whether one is not zero, and how many there are.
    let mut mantissa = 0u64;
    let mut power = -4 * fraction as i64;
    for &digit in text[..end].iter().filter(|&&byte| byte != b'.') {
        let digit = char::from(digit).to_digit(16).map_or(0, u64::from);
        if mantissa >> 60 == 0 {
            mantissa = mantissa << 4 | digit;
        } else {
            mantissa |= u64::from(digit != 0);
            power += 4;
        }
    }
    if let Some((exponent, length)) = exponent(&text[end..], b'p') {
        end += length;
        power += exponent;
    }
    if mantissa == 0 {
        return Some((0.0, end, true));
    }
    // Now the value is `mantissa * 2^power` with 64 bits in the mantissa; a double keeps 53, or fewer
    // where the last would be below 2^-1074.
    power -= i64::from(mantissa.leading_zeros());
    mantissa <<= mantissa.leading_zeros();
    let dropped = (-1074 - power).max(11);
    if dropped > 64 {
        return Some((0.0, end, false));
    }
    let wide = u128::from(mantissa);
    let half = 1u128 << (dropped - 1);
    let mut kept = wide >> dropped;
    let rest = wide & ((1 << dropped) - 1);
    if rest > half || rest == half && kept & 1 == 1 {
        kept += 1;
    }
    power += dropped;
    let value = if power > 1024 {
        f64::INFINITY
    } else {
        // In two steps, as 2^-1074 is no factor that a normal number could be.
        let first = power.max(-1000);
        kept as f64 * 2f64.powi(first as i32) * 2f64.powi((power - first) as i32)
    };
    Some((value, end, value.is_finite() && value != 0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(score: f64) -> String {
        let mut bytes = Vec::new();
        format(score, &mut bytes);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn scores_are_written_as_redis_7_2_writes_them() {
        for (score, expected) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (-17.0, "-17"),
            (0.1, "0.1"),
            (3.25, "3.25"),
            (1e18, "1000000000000000000"),
            (1e19, "1e+19"),
            (1.2345678901234567e19, "12345678901234567000"),
            (-2.5e-200, "-2.5e-200"),
            (0.000001, "0.000001"),
            (0.0000001, "1e-7"),
            (0.00000123, "1.23e-6"),
            (0.000123, "0.000123"),
            (1.0 / 3.0, "0.3333333333333333"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
        ] {
            assert_eq!(text(score), expected);
        }
    }

    #[test]
    fn arguments_are_read_as_strtod_reads_them() {
        for (text, expected) in [
            ("1", 1.0),
            ("+1.5", 1.5),
            ("-.5", -0.5),
            ("5.", 5.0),
            ("1e3", 1000.0),
            ("1E-2", 0.01),
            ("inf", f64::INFINITY),
            ("-Infinity", f64::NEG_INFINITY),
            ("0x10", 16.0),
            ("-0x1.8p1", -3.0),
            ("0x.1", 0.0625),
            ("0x1p-1074", 5e-324),
            ("0x1.fffffffffffffp1023", f64::MAX),
            ("0x1.00000000000008p0", 1.0),
            ("0x1.000000000000081p0", 1.0 + f64::EPSILON),
            ("0x1.8p-1074", 1e-323),
            ("4.9e-324", 5e-324),
        ] {
            assert_eq!(parse(text.as_bytes()), Some(expected), "{text}");
        }
        for text in [
            "",
            " 1",
            "\x0b1",
            "1 ",
            "nan",
            "-nan",
            "1e",
            "e5",
            ".",
            "+",
            "0x",
            "0xg",
            "1_0",
            "1e400",
            "-1e400",
            "1e-400",
            "0x1p1024",
            "0x1p-1076",
            "in",
            "infin",
            "1\0",
            "--1",
            "1,5",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn the_end_of_a_range_is_read_up_to_a_zero_byte_and_may_be_out_of_range() {
        for (text, expected) in [
            ("", 0.0),
            ("\0x", 0.0),
            (" 1", 1.0),
            ("1\0junk", 1.0),
            ("1e400", f64::INFINITY),
            ("-1e400", f64::NEG_INFINITY),
            ("1e-400", 0.0),
        ] {
            assert_eq!(parse_bound(text.as_bytes()), Some(expected), "{text:?}");
        }
        for text in [" ", "1 ", "nan", "x", "(1", "1x\0"] {
            assert_eq!(parse_bound(text.as_bytes()), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_as_the_score(score: f64) {
            if !score.is_nan() {
                prop_assert_eq!(parse(text(score).as_bytes()).unwrap().to_bits(), score.to_bits());
            }
        }

        #[test]
        fn hexadecimal_digits_read_back_exactly(bits in 1..0x7ff0_0000_0000_0000u64) {
            let value = f64::from_bits(bits);
            let (exponent, fraction) = (bits >> 52, bits & ((1 << 52) - 1));
            let text = if exponent == 0 {
                format!("0x0.{fraction:013x}p-1022")
            } else {
                format!("0x1.{fraction:013x}p{}", exponent as i64 - 1023)
            };
            prop_assert_eq!(parse(text.as_bytes()), Some(value));
        }
    }
}
