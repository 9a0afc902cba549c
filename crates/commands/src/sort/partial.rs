//! Sorting of which only a part is wanted, with Redis's order of equal elements.
//!
//! Clients see where equal elements end up. Redis sorts with the C library's `qsort`, on Linux a stable merge sort,
//! where all elements are wanted, and with Bentley and McIlroy's quicksort ("Engineering a Sort Function", 1993),
//! which leaves alone the parts that nobody asked for, where a LIMIT or COUNT wants some. So both are here: the
//! second compares and swaps in the paper's order, and its result is that of any implementation of it.
//!
//! ```text
//!     | = pivot | < pivot | not seen | > pivot | = pivot |      while it divides
//!               a         b          c         d
//! ```

use std::cmp::Ordering;
use std::ops::Range;

/// Sorts so that what is in `wanted` is where it is in the sorted whole; the rest stands somewhere.
pub fn sort<T>(elements: &mut [T], wanted: Range<usize>, compare: impl Fn(&T, &T) -> Ordering) {
    if wanted == (0..elements.len()) {
        elements.sort_by(compare);
    } else if !wanted.is_empty() {
        quicksort(elements, wanted.start as isize, wanted.end as isize - 1, &compare);
    }
}

/// Sorts as far as the elements from `first` to `last` need it, counted from the beginning of the part. Either may
/// be outside.
fn quicksort<T>(
    mut part: &mut [T],
    mut first: isize,
    mut last: isize,
    compare: &impl Fn(&T, &T) -> Ordering,
) {
    loop {
        let n = part.len();
        if n < 7 {
            insertion_sort(part, compare);
            return;
        }
        let pivot = pivot(part, compare);
        part.swap(0, pivot);
        let (mut a, mut b) = (1, 1);
        let (mut c, mut d) = (n as isize - 1, n as isize - 1);
        loop {
            while b as isize <= c {
                match compare(&part[b], &part[0]) {
                    Ordering::Greater => break,
                    Ordering::Less => {}
                    Ordering::Equal => {
                        part.swap(a, b);
                        a += 1;
                    }
                }
                b += 1;
            }
            while b as isize <= c {
                match compare(&part[c as usize], &part[0]) {
                    Ordering::Less => break,
                    Ordering::Greater => {}
                    Ordering::Equal => {
                        part.swap(c as usize, d as usize);
                        d -= 1;
                    }
                }
                c -= 1;
            }
            if b as isize > c {
                break;
            }
            part.swap(b, c as usize);
            b += 1;
            c -= 1;
        }
        // Those equal to the pivot go to the middle.
        let (less, greater) = (b - a, (d - c) as usize);
        let equal_right = n - 1 - d as usize;
        swap_blocks(part, 0, b - a.min(less), a.min(less));
        swap_blocks(part, b, n - greater.min(equal_right), greater.min(equal_right));
        let wants = |from: usize, len: usize| {
            let (from, to) = (from as isize, (from + len) as isize);
            len > 1 && last >= from && first < to
        };
        if wants(0, less) {
            quicksort(&mut part[..less], first, last, compare);
        }
        if !wants(n - greater, greater) {
            return;
        }
        part = &mut part[n - greater..];
        first -= (n - greater) as isize;
        last -= (n - greater) as isize;
    }
}

fn insertion_sort<T>(part: &mut [T], compare: &impl Fn(&T, &T) -> Ordering) {
    for i in 1..part.len() {
        let mut at = i;
        while at > 0 && compare(&part[at - 1], &part[at]) == Ordering::Greater {
            part.swap(at - 1, at);
            at -= 1;
        }
    }
}

/// The middle element of seven; of more, the median of three, or of three such medians.
fn pivot<T>(part: &[T], compare: &impl Fn(&T, &T) -> Ordering) -> usize {
    let n = part.len();
    let (mut low, mut middle, mut high) = (0, n / 2, n - 1);
    if n == 7 {
        return middle;
    }
    let median = |a: usize, b: usize, c: usize| {
        let order = |x: usize, y: usize| compare(&part[x], &part[y]);
        if order(a, b) == Ordering::Less {
            match () {
                () if order(b, c) == Ordering::Less => b,
                () if order(a, c) == Ordering::Less => c,
                () => a,
            }
        } else {
            match () {
                () if order(b, c) == Ordering::Greater => b,
                () if order(a, c) == Ordering::Less => a,
                () => c,
            }
        }
    };
    if n > 40 {
        let step = n / 8;
        low = median(low, low + step, low + 2 * step);
        middle = median(middle - step, middle, middle + step);
        high = median(high - 2 * step, high - step, high);
    }
    median(low, middle, high)
}

fn swap_blocks<T>(part: &mut [T], a: usize, b: usize, len: usize) {
    for i in 0..len {
        part.swap(a + i, b + i);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that look random, many of them equal.
    fn numbers(count: usize, seed: u64) -> Vec<(u64, usize)> {
        let mut state = seed;
        (0..count)
            .map(|i| {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                ((state >> 33) % (1 + count as u64 / 3), i)
            })
            .collect()
    }

    #[test]
    fn what_is_wanted_is_where_it_belongs() {
        for seed in 0..40 {
            for count in [0, 1, 2, 5, 6, 7, 8, 40, 41, 100, 1000] {
                let mut sorted = numbers(count, seed);
                let all = sorted.clone();
                sorted.sort_by_key(|(number, _)| *number);
                for wanted in [0..1, 0..3, 0..count / 2, count / 3..count / 2, count.saturating_sub(2)..count]
                {
                    if wanted.end > count {
                        continue;
                    }
                    let mut part = all.clone();
                    sort(&mut part, wanted.clone(), |a, b| a.0.cmp(&b.0));
                    for i in wanted.clone() {
                        assert_eq!(part[i].0, sorted[i].0, "{count} of {seed}, {wanted:?}, at {i}");
                    }
                    part.sort_by_key(|(_, i)| *i);
                    assert_eq!(part, all, "nothing is lost");
                }
            }
        }
    }

    #[test]
    fn a_whole_keeps_equal_elements_in_order() {
        let mut all = numbers(500, 1);
        let mut sorted = all.clone();
        sorted.sort();
        sort(&mut all, 0..500, |a, b| a.0.cmp(&b.0));
        assert_eq!(all, sorted);
    }
}
