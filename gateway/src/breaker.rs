//! The breaker of a plugin: a plugin that keeps failing is paused, then tried with one item, and goes on when that works. A pure state machine for each build of a
//! plugin, and a board that holds them; the time is an argument. It knows neither what a plugin is nor what is put aside meanwhile.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tidegate_model::Timestamp;

/// What a failure adds to a plugin's strain; a success takes one back. So five failures in a row pause it, or a stream of which half fails; one in three does not.
const FAILURE_STRAIN: u32 = 2;
/// Strain at which a plugin is paused.
const MOST_STRAIN: u32 = 10;
/// First pause; it doubles with every try that fails.
const FIRST_PAUSE_MS: i64 = 10_000;
/// Longest pause.
const LONGEST_PAUSE_MS: i64 = 10 * 60_000;
/// Calls in a row that must work before a plugin's next pause is a short one again.
const CALM_CALLS: u32 = 20;
/// What is said when one item is being tried: it is over soon.
const TRIAL_MS: i64 = 1_000;

/// Whether a plugin may be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Permit {
    /// It may.
    Go,
    /// With one item: what comes of it decides.
    Trial,
    /// Not now.
    Paused(Pause),
}

/// Why a plugin is not called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pause {
    /// Since when.
    pub since: Timestamp,
    /// When it is tried again.
    pub until: Timestamp,
    /// Failures before the pause.
    pub failures: u32,
    /// The last of them, as a sentence.
    pub reason: String,
}

impl Pause {
    /// In words: `since … after 5 failures: …`.
    pub(crate) fn words(&self) -> String {
        let Self { since, until, failures, reason } = self;
        format!("since {since}, after {failures} failures; it is tried again at {until}; the last failure: {reason}")
    }
}

/// One plugin's breaker.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Breaker {
    state: State,
    /// Pauses in a row.
    pauses: u32,
    /// Calls in a row that worked.
    calm: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    /// It is called.
    Closed { strain: u32, failures: u32 },
    /// It is not.
    Open(Pause),
    /// One item is being tried.
    Trying(Pause),
}

impl Default for State {
    fn default() -> Self {
        Self::Closed { strain: 0, failures: 0 }
    }
}

impl Breaker {
    /// Asks for a call. Who is given [`Permit::Trial`] must report what came of it, or give it back.
    pub(crate) fn ask(&mut self, now: Timestamp) -> Permit {
        match &self.state {
            State::Closed { .. } => Permit::Go,
            // A clock that was set back must not make the pause longer.
            State::Open(pause) if pause.until <= now || now < pause.since => {
                self.state = State::Trying(pause.clone());
                Permit::Trial
            }
            State::Open(pause) => Permit::Paused(pause.clone()),
            State::Trying(pause) => Permit::Paused(Pause { until: now.plus_ms(TRIAL_MS), ..pause.clone() }),
        }
    }

    /// As [`Breaker::ask`], without asking for a call: why it would not be given.
    pub(crate) fn pause(&self, now: Timestamp) -> Option<Pause> {
        match self.clone().ask(now) {
            Permit::Go | Permit::Trial => None,
            Permit::Paused(pause) => Some(pause),
        }
    }

    /// A call worked. Returns whether the pause has ended by it.
    pub(crate) fn worked(&mut self, permit: &Permit) -> bool {
        match (&mut self.state, permit) {
            (State::Closed { strain, failures }, Permit::Go) => {
                *strain = strain.saturating_sub(1);
                if *strain == 0 {
                    *failures = 0;
                }
                self.calm += 1;
                if self.calm >= CALM_CALLS {
                    self.pauses = 0;
                }
                false
            }
            (State::Trying(_), Permit::Trial) => {
                (self.state, self.calm) = (State::default(), 1);
                true
            }
            // Begun before the pause.
            _ => false,
        }
    }

    /// A call failed. Returns the pause that it led to.
    pub(crate) fn failed(&mut self, permit: &Permit, reason: &str, now: Timestamp) -> Option<Pause> {
        self.calm = 0;
        let (since, failures) = match (&mut self.state, permit) {
            (State::Closed { strain, failures }, Permit::Go) => {
                *strain += FAILURE_STRAIN;
                *failures += 1;
                if *strain < MOST_STRAIN {
                    return None;
                }
                (now, *failures)
            }
            (State::Trying(pause), Permit::Trial) => (pause.since, pause.failures + 1),
            _ => return None,
        };
        let length = FIRST_PAUSE_MS.saturating_mul(1 << self.pauses.min(16)).min(LONGEST_PAUSE_MS);
        self.pauses += 1;
        let pause = Pause { since, until: now.plus_ms(length), failures, reason: reason.to_owned() };
        self.state = State::Open(pause.clone());
        Some(pause)
    }

    /// A call was not made after all.
    pub(crate) fn given_back(&mut self, permit: &Permit) {
        if let (State::Trying(pause), Permit::Trial) = (&self.state, permit) {
            self.state = State::Open(pause.clone());
        }
    }

    /// For people.
    pub(crate) fn words(&self, now: Timestamp) -> String {
        match &self.state {
            State::Closed { failures: 0, .. } => "works".to_owned(),
            State::Closed { failures, .. } => format!("works, with {failures} failures of late"),
            State::Open(pause) if pause.until <= now => "paused; the next item is tried".to_owned(),
            State::Open(pause) => format!("paused {}", pause.words()),
            State::Trying(_) => "paused; one item is being tried".to_owned(),
        }
    }

    /// Whether it is called as usual.
    pub(crate) const fn works(&self) -> bool {
        matches!(self.state, State::Closed { .. })
    }

    /// One word: `working`, `paused` or `trying`.
    pub(crate) const fn word(&self) -> &'static str {
        match self.state {
            State::Closed { .. } => "working",
            State::Open(_) => "paused",
            State::Trying(_) => "trying",
        }
    }
}

/// The breakers of all plugins, by the digests of their components.
#[derive(Debug, Default)]
pub(crate) struct Board(Mutex<HashMap<String, Breaker>>);

impl Board {
    /// A plugin's breaker, as it is now.
    pub(crate) fn of(&self, digest: &str) -> Breaker {
        self.lock().get(digest).cloned().unwrap_or_default()
    }

    /// Asks for a call; see [`Breaker::ask`].
    pub(crate) fn ask(&self, digest: &str, now: Timestamp) -> Permit {
        self.with(digest, |breaker| breaker.ask(now))
    }

    /// Changes a plugin's breaker.
    pub(crate) fn with<T>(&self, digest: &str, change: impl FnOnce(&mut Breaker) -> T) -> T {
        change(self.lock().entry(digest.to_owned()).or_default())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Breaker>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
