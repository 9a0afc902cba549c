//! The time. Only `runtime` and `server` read it; everyone else gets it as an argument.

use crate::sys;

/// One reading of both clocks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Now {
    /// Microseconds on a clock that never goes back (since the machine started). For deadlines and measuring.
    pub mono_us: u64,
    /// Milliseconds since 1970, as the machine's clock has it. For expiry times.
    pub unix_ms: u64,
}

/// Reads both clocks (two calls into the vDSO, no system call).
pub fn now() -> Now {
    Now { mono_us: mono_us(), unix_ms: unix_ms() }
}

/// Milliseconds since 1970.
pub fn unix_ms() -> u64 {
    sys::clock_ns(libc::CLOCK_REALTIME) / 1_000_000
}

/// Microseconds on the clock that never goes back.
pub fn mono_us() -> u64 {
    sys::clock_ns(libc::CLOCK_MONOTONIC) / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_move_forward_and_agree_with_std() {
        let (a, b) = (mono_us(), mono_us());
        assert!(a > 0 && b >= a);
        let std_ms = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() as u64;
        assert!(unix_ms().abs_diff(std_ms) < 5_000);
    }
}
