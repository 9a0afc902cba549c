//! When two replies count as equal.
//!
//! Equal bytes, unless a case says what in its reply cannot be equal: a time, an id, an order that
//! a hash table chose. A mask loosens exactly that and nothing else.

use crate::reply::{quoted, Value};

/// How a subject's reply is compared with the reference's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mask {
    /// Equal bytes.
    Exact,
    /// The same type of reply (same first byte); errors have equal bytes all the same.
    Type,
    /// The same types at every depth, and the same lengths of arrays.
    Shape,
    /// Integers that differ by no more than this; negative ones are equal.
    Near(i64),
    /// Arrays, sets and maps with the same elements in any order.
    Unordered,
    /// The subject's reply has this text in it; the reference's is of the same type.
    Has(String),
    /// A difference between the versions that the two speak, by name.
    /// Where they speak the same version, bytes are equal; else the subject says exactly this.
    Version {
        /// What the difference is.
        name: String,
        /// The subject's reply.
        expected: Vec<u8>,
    },
}

/// Two replies that should have counted as equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unequal(pub String);

/// Compares two replies; `same_version` says whether named differences are to be expected.
pub fn compare(mask: &Mask, same_version: bool, subject: &[u8], reference: &[u8]) -> Result<(), Unequal> {
    let unequal = |what: &str| {
        Err(Unequal(format!(
            "{what}\n     subject {}\n   reference {}",
            quoted(subject, 300),
            quoted(reference, 300)
        )))
    };
    if let Mask::Version { name, expected } = mask {
        if same_version {
            return if subject == reference { Ok(()) } else { unequal("bytes differ") };
        }
        if subject != expected.as_slice() {
            return unequal(&format!("difference {name}: expected {}", quoted(expected, 300)));
        }
        // A difference that is none any more should leave the case file.
        return if subject == reference {
            unequal(&format!("difference {name}: there is none"))
        } else {
            Ok(())
        };
    }
    if subject == reference {
        return match mask {
            Mask::Has(text) => {
                holds(subject, text).then_some(()).ok_or(()).or_else(|()| unequal(&format!("no {text:?}")))
            }
            _ => Ok(()),
        };
    }
    let same_type = subject.first() == reference.first() && subject.first() != Some(&b'-');
    match mask {
        Mask::Exact | Mask::Version { .. } => unequal("bytes differ"),
        Mask::Type if same_type => Ok(()),
        Mask::Type => unequal("types differ"),
        Mask::Has(text) if !holds(subject, text) => unequal(&format!("no {text:?}")),
        Mask::Has(_) if same_type => Ok(()),
        Mask::Has(_) => unequal("types differ"),
        Mask::Shape => match (Value::parse(subject), Value::parse(reference)) {
            (Ok(a), Ok(b)) if same_shape(&a, &b) => Ok(()),
            _ => unequal("shapes differ"),
        },
        Mask::Near(tolerance) => match (Value::parse(subject), Value::parse(reference)) {
            (Ok(Value::Integer(a)), Ok(Value::Integer(b)))
                if a >= 0 && b >= 0 && a.abs_diff(b) <= tolerance.unsigned_abs() =>
            {
                Ok(())
            }
            _ => unequal(&format!("not within {tolerance}")),
        },
        Mask::Unordered => match (elements(subject), elements(reference)) {
            (Some(a), Some(b)) if a == b => Ok(()),
            _ => unequal("elements differ"),
        },
    }
}

fn holds(reply: &[u8], text: &str) -> bool {
    reply.windows(text.len().max(1)).any(|w| w == text.as_bytes())
}

/// The type byte of an array, and its elements in an order of our own.
fn elements(reply: &[u8]) -> Option<(u8, Vec<String>)> {
    let kind = *reply.first()?;
    match Value::parse(reply) {
        Ok(Value::Array(items) | Value::Set(items)) => {
            let mut shown: Vec<String> = items.iter().map(|item| format!("{item:?}")).collect();
            shown.sort();
            Some((kind, shown))
        }
        Ok(Value::Map(pairs)) => {
            let mut shown: Vec<String> = pairs.iter().map(|pair| format!("{pair:?}")).collect();
            shown.sort();
            Some((kind, shown))
        }
        _ => None,
    }
}

fn same_shape(a: &Value, b: &Value) -> bool {
    let all = |a: &[Value], b: &[Value]| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_shape(a, b));
    match (a, b) {
        (Value::Array(a), Value::Array(b)) | (Value::Set(a), Value::Set(b)) => all(a, b),
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.0 == b.0 && same_shape(&a.1, &b.1))
        }
        (Value::Error(a), Value::Error(b)) => a == b,
        _ => std::mem::discriminant(a) == std::mem::discriminant(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn equal(mask: &Mask, a: &str, b: &str) -> bool {
        compare(mask, false, a.as_bytes(), b.as_bytes()).is_ok()
    }

    #[test]
    fn a_mask_loosens_what_it_names_and_nothing_else() {
        assert!(equal(&Mask::Exact, "+OK\r\n", "+OK\r\n"));
        assert!(!equal(&Mask::Exact, "+OK\r\n", "+ok\r\n"));
        assert!(equal(&Mask::Type, ":1\r\n", ":2\r\n"));
        assert!(!equal(&Mask::Type, ":1\r\n", "+2\r\n"));
        assert!(!equal(&Mask::Type, "-ERR a\r\n", "-ERR b\r\n"));
        assert!(equal(&Mask::Near(2), ":10\r\n", ":12\r\n"));
        assert!(!equal(&Mask::Near(2), ":10\r\n", ":13\r\n"));
        assert!(!equal(&Mask::Near(2), ":-1\r\n", ":-2\r\n"));
        assert!(equal(&Mask::Unordered, "*2\r\n+a\r\n+b\r\n", "*2\r\n+b\r\n+a\r\n"));
        assert!(!equal(&Mask::Unordered, "*2\r\n+a\r\n+a\r\n", "*2\r\n+b\r\n+a\r\n"));
        assert!(equal(&Mask::Shape, "*2\r\n:1\r\n+b\r\n", "*2\r\n:7\r\n+c\r\n"));
        assert!(!equal(&Mask::Shape, "*2\r\n:1\r\n+b\r\n", "*2\r\n:7\r\n:1\r\n"));
        assert!(equal(&Mask::Has("x=1".into()), "+a x=1\r\n", "+a x=2\r\n"));
        assert!(!equal(&Mask::Has("x=1".into()), "+a x=2\r\n", "+a x=2\r\n"));
    }

    #[test]
    fn a_named_difference_is_exact_on_both_sides() {
        let mask = Mask::Version { name: "new".into(), expected: b"+OK\r\n".to_vec() };
        assert!(equal(&mask, "+OK\r\n", "-ERR\r\n"));
        assert!(!equal(&mask, "+KO\r\n", "-ERR\r\n"));
        assert!(!equal(&mask, "+OK\r\n", "+OK\r\n"), "a difference that is gone is told");
        assert!(compare(&mask, true, b"-ERR\r\n", b"-ERR\r\n").is_ok());
    }
}
