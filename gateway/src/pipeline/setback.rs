//! A setback: why an item is parked, and what is to become of it.

use crate::{breaker::Pause, records::Parked};

/// Why an item is parked, and what is to become of it.
#[derive(Debug, Clone)]
pub(super) struct Setback {
    /// Why.
    pub parked: Parked,
    /// What then.
    pub then: Then,
}

/// What is to become of a parked item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Then {
    /// It waits for a person.
    Person,
    /// It may work later.
    Later,
    /// It was not tried: it waits for its plugin.
    Paused(Pause),
}

impl Setback {
    /// For a person to look at.
    pub(super) const fn person(parked: Parked) -> Self {
        Self { parked, then: Then::Person }
    }
}
