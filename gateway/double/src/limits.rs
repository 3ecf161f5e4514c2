//! Meta's limits as leaky buckets on the domain clock. Source: Meta, "About the platform" (pair rate) and "Throughput".

use std::collections::HashMap;

use crate::config::Limits;

/// To one person: one in 6 seconds.
const PAIR_INTERVAL_MS: i64 = 6_000;
/// To one person: so many at once, borrowed from the future.
const PAIR_BURST: i64 = 45;

/// Which limit was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reached {
    Pair,
    Throughput,
}

/// The buckets, as the instant at which each is empty again, in microseconds.
#[derive(Default)]
pub(crate) struct Buckets {
    pairs: HashMap<(String, String), i64>,
    numbers: HashMap<String, i64>,
}

impl Buckets {
    /// Takes one message out of every bucket that holds, or none.
    pub(crate) fn take(&mut self, limits: Limits, number: &str, person: &str, now_ms: i64) -> Result<(), Reached> {
        let now = now_ms.saturating_mul(1_000);
        if let Some(rate) = limits.per_second.filter(|rate| *rate > 0) {
            let empty = self.numbers.entry(number.to_owned()).or_default();
            *empty = after(*empty, now, 1_000_000 / i64::from(rate), i64::from(rate)).ok_or(Reached::Throughput)?;
        }
        if limits.pair {
            let pair = (number.to_owned(), person.to_owned());
            let empty = self.pairs.entry(pair).or_default();
            *empty = after(*empty, now, PAIR_INTERVAL_MS * 1_000, PAIR_BURST).ok_or(Reached::Pair)?;
        }
        Ok(())
    }
}

/// When the bucket is empty after one more; `None` when it does not fit.
fn after(empty: i64, now: i64, interval: i64, burst: i64) -> Option<i64> {
    let empty = empty.max(now) + interval;
    (empty - now <= interval * burst).then_some(empty)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(limits: Limits, tries: usize, now_ms: i64, buckets: &mut Buckets) -> usize {
        (0..tries).filter(|_| buckets.take(limits, "n", "p", now_ms).is_ok()).count()
    }

    #[test]
    fn a_person_gets_45_at_once_then_one_in_six_seconds() {
        let limits = Limits { pair: true, per_second: None };
        let mut buckets = Buckets::default();
        assert_eq!(taken(limits, 60, 0, &mut buckets), 45);
        assert_eq!(taken(limits, 60, 5_999, &mut buckets), 0);
        assert_eq!(taken(limits, 60, 6_000, &mut buckets), 1);
        assert_eq!(buckets.take(limits, "n", "other", 6_000), Ok(()));
        assert_eq!(buckets.take(limits, "n", "p", 6_000), Err(Reached::Pair));
    }

    #[test]
    fn a_number_sends_so_many_a_second() {
        let limits = Limits { pair: false, per_second: Some(80) };
        let mut buckets = Buckets::default();
        assert_eq!(taken(limits, 200, 0, &mut buckets), 80);
        assert_eq!(taken(limits, 200, 1_000, &mut buckets), 80);
        assert_eq!(buckets.take(limits, "n", "p", 1_000), Err(Reached::Throughput));
        assert_eq!(taken(Limits::default(), 200, 0, &mut buckets), 200);
    }
}
