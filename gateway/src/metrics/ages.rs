//! When a row of work was put in line. Its key holds a growing number and no time; so now and then the number that is next is written down with the time.

use std::sync::{Mutex, PoisonError};
use tidegate_model::Timestamp;

/// Marks that are kept: older ones are thinned out, so that the age of an old row is told less exactly.
const MOST: usize = 512;
/// Domain time between a mark and the one after the next, at least.
const APART_MS: i64 = 1_000;

/// Marks of numbers and times, both growing.
#[derive(Debug, Default)]
pub(crate) struct Ages(Mutex<Vec<(u64, Timestamp)>>);

impl Ages {
    /// The number that is next at this moment.
    pub(crate) fn mark(&self, next: u64, now: Timestamp) {
        let mut marks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Within the same moment the last mark moves on.
        if let [.., (_, before), last] = marks.as_mut_slice()
            && now.ms() - before.ms() < APART_MS
        {
            *last = (next, now);
            return;
        }
        if marks.len() >= MOST {
            let mut place = 0;
            marks.retain(|_| {
                place += 1;
                // The first is the start, which is the least that is known of what came before.
                place == 1 || place % 2 == 0
            });
        }
        marks.push((next, now));
    }

    /// How long ago this number was given, at least: by the first mark behind it.
    pub(crate) fn age_ms(&self, number: u64, now: Timestamp) -> i64 {
        let marks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let behind = marks.partition_point(|(next, _)| *next <= number);
        marks.get(behind).map_or(0, |(_, at)| (now.ms() - at.ms()).max(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(ms)
    }

    #[test]
    fn a_row_is_as_old_as_the_first_mark_behind_it() {
        let ages = Ages::default();
        for (next, ms) in [(100, 0), (200, 10_000), (300, 20_000)] {
            ages.mark(next, at(ms));
        }
        let age = |number| ages.age_ms(number, at(50_000));
        assert_eq!([age(7), age(99)], [50_000, 50_000], "before the start: since the start");
        assert_eq!([age(100), age(199), age(200), age(299)], [40_000, 40_000, 30_000, 30_000]);
        assert_eq!(age(300), 0, "newer than every mark");
    }

    #[test]
    fn a_mark_of_the_same_moment_counts() {
        let ages = Ages::default();
        for (next, ms) in [(100, 0), (110, 0), (120, 10), (130, 90_000)] {
            ages.mark(next, at(ms));
        }
        assert_eq!(ages.age_ms(119, at(90_000)), 89_990);
        assert_eq!(ages.age_ms(129, at(90_000)), 0);
    }

    #[test]
    fn marks_are_bounded_and_the_start_stays() {
        let ages = Ages::default();
        for n in 0..10_000 {
            ages.mark(n, at(i64::try_from(n).unwrap() * APART_MS));
        }
        assert!(ages.0.lock().unwrap().len() <= MOST);
        ages.mark(20_000, at(10_000 * APART_MS));
        let old = ages.age_ms(0, at(10_000 * APART_MS));
        assert!(old > 9_000 * APART_MS, "{old}");
    }
}
