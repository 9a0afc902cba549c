//! Waiting for something to become true: polling with a deadline, in one place.

use std::time::{Duration, Instant};

/// Pause between two looks. Short, because most things are true at the first or second.
const PAUSE: Duration = Duration::from_millis(10);

/// Asks `look` until it gives a value; `None` when `deadline` has passed without one.
pub fn until<T>(deadline: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        if let Some(value) = look() {
            return Some(value);
        }
        if start.elapsed() >= deadline {
            return None;
        }
        std::thread::sleep(PAUSE);
    }
}

/// Asks `look` until it is `Ok`; panics with `what` and the last `Err` when the deadline passes.
#[track_caller]
pub fn until_ok<T>(what: &str, deadline: Duration, mut look: impl FnMut() -> Result<T, String>) -> T {
    let mut last = String::new();
    let found = until(deadline, || match look() {
        Ok(value) => Some(value),
        Err(why) => {
            last = why;
            None
        }
    });
    match found {
        Some(value) => value,
        None => panic!("{what}: not within {deadline:?}; last: {last}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_up_at_the_deadline_and_not_before() {
        let start = Instant::now();
        assert_eq!(until(Duration::from_millis(50), || None::<()>), None);
        assert!(start.elapsed() >= Duration::from_millis(50));
    }

    #[test]
    fn looks_at_least_once() {
        assert_eq!(until(Duration::ZERO, || Some(1)), Some(1));
    }
}
