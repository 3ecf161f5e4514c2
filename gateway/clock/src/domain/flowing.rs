//! Clocks that run by themselves: the arithmetic of a scaled clock, and how long to sleep.

use std::time::{Duration, Instant};

use super::RECHECK;
use crate::mode::{ClockMode, MAX_MS};

/// A clock that runs from a start, so many times faster than the machine's.
#[derive(Debug)]
pub(crate) struct Scaled {
    speed: f64,
    start_ms: i64,
    begun: Instant,
}

impl Scaled {
    pub(super) fn new(speed: f64, start_ms: i64, begun: Instant) -> Self {
        Self { speed, start_ms, begun }
    }

    pub(super) fn speed(&self) -> f64 {
        self.speed
    }

    pub(super) fn mode(&self) -> ClockMode {
        ClockMode::Scaled { speed: self.speed, start_ms: Some(self.start_ms) }
    }

    /// The domain time at a real instant.
    pub(super) fn at(&self, now: Instant) -> i64 {
        let real = now.saturating_duration_since(self.begun);
        let passed_ms = real.as_secs_f64() * 1000.0 * self.speed;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a cast from f64 stops at the ends of i64, and the sum is held to MAX_MS"
        )]
        let passed_ms = passed_ms as i64;
        self.start_ms.saturating_add(passed_ms).min(MAX_MS)
    }
}

/// How long to really sleep when `left_ms` of domain time are left: at least a millisecond, so that rounding never spins, and at most [`RECHECK`]. `None` when
/// nothing is left.
pub(super) fn nap(left_ms: i64, speed: f64) -> Option<Duration> {
    let left = u64::try_from(left_ms).ok().filter(|left| *left > 0)?;
    let real = Duration::try_from_secs_f64(Duration::from_millis(left).as_secs_f64() / speed);
    Some(real.unwrap_or(RECHECK).clamp(Duration::from_millis(1), RECHECK))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{RECHECK, Scaled, nap};
    use crate::machine::instant;
    use crate::mode::{ClockMode, MAX_MS};

    #[test]
    fn a_scaled_clock_multiplies_the_time_that_passed() {
        let begun = instant();
        let check = |speed: f64, real_ms: u64, expected: i64| {
            let now = begun + Duration::from_millis(real_ms);
            assert_eq!(Scaled::new(speed, 1000, begun).at(now), expected);
        };
        check(60.0, 0, 1000);
        check(60.0, 500, 31_000);
        check(0.5, 500, 1250);
        check(1e6, 86_400_000 * 3650, MAX_MS);
        let earlier = Scaled::new(60.0, 1000, begun + Duration::from_secs(9));
        assert_eq!(earlier.at(begun), 1000);
    }

    #[test]
    fn a_scaled_clock_tells_the_start_it_took() {
        let mode = Scaled::new(60.0, 1000, instant()).mode();
        let (speed, start_ms) = (60.0, Some(1000));
        assert_eq!(mode, ClockMode::Scaled { speed, start_ms });
    }

    #[test]
    fn a_nap_is_what_is_left_between_a_millisecond_and_the_recheck() {
        let check = |left_ms: i64, speed: f64, expected: Option<Duration>| {
            assert_eq!(nap(left_ms, speed), expected, "{left_ms} at {speed}");
        };
        let ms = |ms| Some(Duration::from_millis(ms));
        check(0, 1.0, None);
        check(-5, 1.0, None);
        check(i64::MIN, 1.0, None);
        check(1, 1.0, ms(1));
        check(29_000, 1.0, ms(29_000));
        check(30_001, 1.0, Some(RECHECK));
        check(60_000, 60.0, ms(1000));
        check(1, 60.0, ms(1));
        check(20_000, 0.5, Some(RECHECK));
        check(i64::MAX, 1e-9, Some(RECHECK));
    }
}
