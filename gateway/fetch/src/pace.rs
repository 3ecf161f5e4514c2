//! How fast one connection is read: a rate with a burst, most requests at once, and a pause that the provider asked for. In memory: it spares the provider, and
//! nothing depends on it. After a restart the burst is there again, and a provider that finds it too much says so (429).

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::Instant,
};

/// A pause up to this is waited for in place; a longer one puts the request off.
const LONGEST_WAIT_IN_PLACE: Duration = Duration::from_secs(5);

/// So many requests in a period, all at once if need be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Requests.
    pub requests: u32,
    /// In this time.
    pub period: Duration,
    /// At once.
    pub in_flight: u32,
}

/// The pace of one connection.
#[derive(Debug)]
pub struct Pace {
    rate: Rate,
    since: Instant,
    bucket: Mutex<Bucket>,
    in_flight: Semaphore,
}

/// What is left of a rate (the generic cell rate algorithm). Times count from the begin of the pace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Bucket {
    /// When the whole burst is there again.
    full_at: Duration,
    /// Until then the provider wants to be left alone.
    paused_until: Duration,
}

impl Bucket {
    /// Takes one request; how long it has to wait.
    fn take(&mut self, rate: Rate, now: Duration) -> Duration {
        let each = rate.period / rate.requests.max(1);
        let full_at = self.full_at.max(now) + each;
        self.full_at = full_at;
        (full_at.saturating_sub(now)).saturating_sub(rate.period)
    }
}

impl Pace {
    /// At this rate.
    pub fn new(rate: Rate) -> Self {
        let in_flight = Semaphore::new(rate.in_flight.max(1) as usize);
        Self { rate, since: Instant::now(), bucket: Mutex::default(), in_flight }
    }

    /// At which rate.
    pub const fn rate(&self) -> Rate {
        self.rate
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// How long the provider wants to be left alone, when that is too long to wait for.
    pub(crate) async fn turn(&self) -> Result<Option<SemaphorePermit<'_>>, Duration> {
        // It is never closed.
        let permit = self.in_flight.acquire().await.ok();
        let now = self.since.elapsed();
        let wait = {
            let mut bucket = self.lock();
            let pause = bucket.paused_until.saturating_sub(now);
            if pause > LONGEST_WAIT_IN_PLACE {
                return Err(pause);
            }
            bucket.take(self.rate, now).max(pause)
        };
        tokio::time::sleep(wait).await;
        Ok(permit)
    }

    /// Waits until fewer requests are on their way than may be.
    pub(crate) async fn room(&self) {
        drop(self.in_flight.acquire().await);
    }

    /// The provider wants to be left alone so long.
    pub(crate) fn pause(&self, wait: Duration) {
        let until = self.since.elapsed() + wait;
        let mut bucket = self.lock();
        bucket.paused_until = bucket.paused_until.max(until);
    }

    fn lock(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_burst_goes_at_once_and_the_rest_at_the_rate() {
        let rate = Rate { requests: 4, period: 8 * SECOND, in_flight: 4 };
        let mut bucket = Bucket::default();
        let mut take = |now: u32| bucket.take(rate, now * SECOND).as_secs();
        assert_eq!([take(0), take(0), take(0), take(0)], [0, 0, 0, 0]);
        assert_eq!([take(0), take(0)], [2, 4]);
        assert_eq!(take(4), 2);
        assert_eq!([take(100), take(100), take(100), take(100), take(100)], [0, 0, 0, 0, 2]);
    }

    #[tokio::test]
    async fn a_long_pause_puts_requests_off_and_a_second_of_it_does_not_shorten_it() {
        let pace = Pace::new(Rate { requests: 10, period: SECOND, in_flight: 1 });
        assert!(pace.turn().await.is_ok());
        pace.pause(60 * SECOND);
        pace.pause(SECOND);
        let left = pace.turn().await.err().unwrap();
        assert!(left > 50 * SECOND && left <= 60 * SECOND, "{left:?}");
    }
}
