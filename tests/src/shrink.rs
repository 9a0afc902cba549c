//! Making a failing sequence small, by delta debugging: drop chunks of ever smaller size as long as
//! what is left still fails.

/// The smallest sub-sequence found of `items` for which `fails` still holds; `tries` bounds the work.
pub fn shrink<T: Clone>(items: &[T], mut tries: usize, mut fails: impl FnMut(&[T]) -> bool) -> Vec<T> {
    let mut kept = items.to_vec();
    let mut chunk = kept.len().div_ceil(2);
    while chunk > 0 {
        let mut at = 0;
        let mut dropped = false;
        while at < kept.len() {
            if tries == 0 {
                return kept;
            }
            tries -= 1;
            let end = (at + chunk).min(kept.len());
            let mut without = kept[..at].to_vec();
            without.extend_from_slice(&kept[end..]);
            if fails(&without) {
                kept = without;
                dropped = true;
            } else {
                at = end;
            }
        }
        // At single items, go round until nothing more can go.
        if chunk > 1 || !dropped {
            chunk /= 2;
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_pair_that_fails() {
        let items: Vec<u32> = (0..100).collect();
        let small = shrink(&items, 10_000, |s| s.contains(&13) && s.contains(&77));
        assert_eq!(small, [13, 77]);
    }

    #[test]
    fn stops_when_its_tries_are_spent() {
        let mut calls = 0;
        shrink(&[1, 2, 3, 4], 2, |_| {
            calls += 1;
            true
        });
        assert_eq!(calls, 2);
    }
}
