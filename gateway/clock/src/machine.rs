//! The machine's own clocks: the one place of the project that reads them.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::MAX_MS;

/// The system's time in Unix milliseconds, held to 1970..9999 (a machine without a battery may start before).
#[expect(clippy::disallowed_methods, reason = "this is where the domain clock takes the time from")]
pub(crate) fn system_ms() -> i64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_millis()).map_or(MAX_MS, |ms| ms.min(MAX_MS))
}

/// A reading of the clock that never goes backwards.
#[expect(clippy::disallowed_methods, reason = "this is where the domain clock takes the time from")]
pub(crate) fn instant() -> Instant {
    Instant::now()
}

/// Measures how long something takes, for figures, by a clock that never goes backwards. Nothing is decided by it.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// From now on.
    pub fn start() -> Self {
        Self(instant())
    }

    /// Time since the start.
    pub fn elapsed(self) -> Duration {
        instant().saturating_duration_since(self.0)
    }
}
