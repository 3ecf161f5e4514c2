//! The clock itself: reading it, stepping it, waiting on it.

use std::sync::Arc;
use std::time::Duration;

use crate::machine::{instant, system_ms};
use crate::mode::{ClockMode, MAX_MS, ModeError};
use crate::socket::Link;

mod flowing;
mod stepped;

pub(crate) use stepped::Stepped;

use flowing::{Scaled, nap};

/// The longest real time that a sleep on a flowing clock lasts before the time is read again, so that a machine's clock that is set is noticed.
pub const RECHECK: Duration = Duration::from_secs(30);

/// The time that decisions are made by, in Unix milliseconds (UTC). Clones are cheap and show the same time.
#[derive(Debug, Clone)]
pub struct DomainClock {
    source: Arc<Source>,
}

#[derive(Debug)]
pub(crate) enum Source {
    System,
    Scaled(Scaled),
    Stepped(Stepped),
}

/// Why a clock was not stepped. Trying again does not help.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ClockError {
    /// The clock runs by itself.
    #[error("the clock runs as `{mode}` and cannot be stepped: start it as `stepped:INSTANT`")]
    NotStepped {
        /// How it runs.
        mode: ClockMode,
    },
    /// The clock reads another process's.
    #[error("this clock follows the one of another process: step that one")]
    Follows,
    /// Domain time never goes backwards.
    #[error("the clock shows {now_ms} ms and cannot be set back to {asked_ms} ms")]
    Backwards {
        /// What it shows.
        now_ms: i64,
        /// What was asked for.
        asked_ms: i64,
    },
    /// Past the end of the year 9999.
    #[error("the clock shows {now_ms} ms and cannot go past {MAX_MS} ms, the end of the year 9999")]
    OutOfRange {
        /// What it shows.
        now_ms: i64,
    },
}

impl DomainClock {
    /// A clock that runs as the mode says, from now on.
    ///
    /// # Errors
    /// [`ModeError`] when the mode's speed or start is out of range.
    pub fn new(mode: ClockMode) -> Result<Self, ModeError> {
        Ok(Self::from_source(match mode.check()? {
            ClockMode::System => Source::System,
            ClockMode::Scaled { speed, start_ms } => {
                let start_ms = start_ms.unwrap_or_else(system_ms);
                Source::Scaled(Scaled::new(speed, start_ms, instant()))
            }
            ClockMode::Stepped { start_ms } => Source::Stepped(Stepped::new(start_ms, None)),
        }))
    }

    /// A clock that shows the machine's time.
    #[must_use]
    pub fn system() -> Self {
        Self::from_source(Source::System)
    }

    /// A clock that follows another process's stepped clock.
    pub(crate) fn following(now_ms: i64, link: Link) -> Self {
        Self::from_source(Source::Stepped(Stepped::new(now_ms, Some(link))))
    }

    fn from_source(source: Source) -> Self {
        let source = Arc::new(source);
        Self { source }
    }

    pub(crate) fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// How this clock runs.
    #[must_use]
    pub fn mode(&self) -> ClockMode {
        match &*self.source {
            Source::System => ClockMode::System,
            Source::Scaled(scaled) => scaled.mode(),
            Source::Stepped(stepped) => stepped.mode(),
        }
    }

    /// The domain time. A scaled or stepped clock never goes backwards; the system's may, when the machine's clock is set.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        match &*self.source {
            Source::System => system_ms(),
            Source::Scaled(scaled) => scaled.at(instant()),
            Source::Stepped(stepped) => stepped.now_ms(),
        }
    }

    /// Moves a stepped clock on by so many milliseconds and wakes what is due; gives the new time.
    ///
    /// # Errors
    /// [`ClockError`]; the clock then shows what it showed.
    pub fn advance(&self, by_ms: i64) -> Result<i64, ClockError> {
        self.stepped()?.step(|now_ms| now_ms.saturating_add(by_ms))
    }

    /// Moves a stepped clock on to an instant (Unix milliseconds) and wakes what is due; gives the new time.
    ///
    /// # Errors
    /// [`ClockError`]; the clock then shows what it showed.
    pub fn set(&self, to_ms: i64) -> Result<i64, ClockError> {
        self.stepped()?.step(|_| to_ms)
    }

    /// Waits until the clock shows `at_ms` or later. Needs tokio's timers unless the clock is stepped. May be dropped at any point.
    pub async fn sleep_until(&self, at_ms: i64) {
        if let Source::Stepped(stepped) = &*self.source {
            return stepped.sleep_until(at_ms).await;
        }
        while let Some(left) = self.flowing_nap(at_ms) {
            tokio::time::sleep(left).await;
        }
    }

    /// Waits for a step: returns as soon as a stepped clock shows another time than `seen_ms`, at once if it does already. On a flowing clock returns after
    /// [`RECHECK`], for the caller to look at the time again.
    pub async fn changed(&self, seen_ms: i64) {
        match &*self.source {
            Source::Stepped(stepped) => stepped.changed(seen_ms).await,
            Source::System | Source::Scaled(_) => tokio::time::sleep(RECHECK).await,
        }
    }

    /// Blocks a plain thread until the clock shows `at_ms` or later, but at most for `cap` of real time. Read the clock to know which.
    pub fn wait_until(&self, at_ms: i64, cap: Duration) {
        if let Source::Stepped(stepped) = &*self.source {
            return stepped.wait_until(at_ms, cap);
        }
        let begun = instant();
        while let Some(left) = self.flowing_nap(at_ms) {
            let Some(rest) = cap.checked_sub(begun.elapsed()).filter(|rest| !rest.is_zero()) else {
                return;
            };
            std::thread::sleep(left.min(rest));
        }
    }

    /// How long to really sleep before looking again; `None` when the time has come.
    fn flowing_nap(&self, at_ms: i64) -> Option<Duration> {
        let speed = match &*self.source {
            Source::Scaled(scaled) => scaled.speed(),
            Source::System | Source::Stepped(_) => 1.0,
        };
        nap(at_ms.saturating_sub(self.now_ms()), speed)
    }

    fn stepped(&self) -> Result<&Stepped, ClockError> {
        match &*self.source {
            Source::Stepped(stepped) if stepped.follows() => Err(ClockError::Follows),
            Source::Stepped(stepped) => Ok(stepped),
            Source::System | Source::Scaled(_) => Err(ClockError::NotStepped { mode: self.mode() }),
        }
    }
}

#[cfg(test)]
mod tests;
