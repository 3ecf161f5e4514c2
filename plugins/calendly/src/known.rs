//! What was told of a booking; the plugin's state. Pure.
//!
//! Somebody who reschedules is a new booking and a cancelled old one: two webhooks, in either order. Both have the same state, that of the new booking. The new
//! booking tells of the rescheduling, whichever comes first; the cancellation only leaves when the old one would have been, for a new booking that comes after it.

use serde::{Deserialize, Serialize};
use tidegate_plugin_sdk::time;

/// What is known of a booking.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq, Eq, Default)]
#[serde(default)]
pub(crate) struct Known {
    /// It was booked or rescheduled, and told.
    pub(crate) booked: bool,
    /// It was cancelled, and told.
    pub(crate) cancelled: bool,
    /// The booking that it replaces, once its cancellation came.
    pub(crate) replaces: Option<Replaced>,
    /// When a host last marked that the person did not come. What was taken back since is kept: marks and their undoings may overtake each other.
    pub(crate) missed_at: Option<String>,
    /// When a host last took a mark back.
    pub(crate) not_missed_at: Option<String>,
}

/// A booking that was replaced by another.
#[derive(Serialize, Deserialize, Debug, Clone, PartialEq, Eq)]
pub(crate) struct Replaced {
    /// Its id.
    pub(crate) id: String,
    /// When it would have started.
    pub(crate) starts_at: Option<String>,
}

impl Known {
    /// Why a booking is not told now; `None` when it is.
    pub(crate) fn booking_told(&self) -> Option<&'static str> {
        match (self.cancelled, self.booked) {
            (true, _) => Some("the cancellation of this booking came before it"),
            (false, true) => Some("the booking was told before"),
            (false, false) => None,
        }
    }

    /// Whether it is news that a mark was taken back at this moment. It is when nothing was told of the booking: its mark is older than what is known. It is not when a
    /// newer mark is known, or when none is taken back by it.
    pub(crate) fn is_undoing_told(&self, at: &str) -> bool {
        // That it replaces another is known from the other's webhook.
        if !self.booked && !self.cancelled && self.missed_at.is_none() && self.not_missed_at.is_none() {
            return true;
        }
        let Some(missed_at) = self.missed_at.as_deref() else { return false };
        let is_over = is_from(self.not_missed_at.as_deref(), missed_at) || is_from(self.not_missed_at.as_deref(), at);
        !is_over && is_from(Some(at), missed_at)
    }

    /// What is known after a mark was taken back.
    pub(crate) fn undone(self, at: &str) -> Self {
        let is_newer = !is_from(self.not_missed_at.as_deref(), at);
        Self { not_missed_at: if is_newer { Some(at.to_owned()) } else { self.not_missed_at }, ..self }
    }

    /// Why a no-show is not told now; `None` when it is.
    pub(crate) fn miss_told(&self, at: &str) -> Option<&'static str> {
        match (is_from(self.not_missed_at.as_deref(), at), is_from(self.missed_at.as_deref(), at)) {
            (true, _) => Some("it was taken back already that the person did not come"),
            (false, true) => Some("it was told before that the person did not come"),
            (false, false) => None,
        }
    }
}

/// Whether the one moment is the other, or later.
fn is_from(known: Option<&str>, at: &str) -> bool {
    let (known, at) = (known.and_then(time::unix_ms), time::unix_ms(at));
    matches!((known, at), (Some(known), Some(at)) if known >= at)
}
