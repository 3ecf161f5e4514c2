//! The customer service window: 24 hours from the contact's last inbound message, in which free-form messages may be sent.
//! It decides what may be sent, never what it costs.

use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// Length of the window: 24 hours (Meta, "Customer service windows").
pub const WINDOW_MS: i64 = 24 * 3_600_000;

/// The window between one of our senders and one contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// When the contact last wrote, by the provider's time.
    pub last_inbound_at: Timestamp,
    /// When the provider said that it is closed, although it should have been open. A later message of the contact opens it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
}

impl Window {
    /// Until when free-form messages may be sent (exclusive).
    pub const fn open_until(self) -> Timestamp {
        self.last_inbound_at.plus_ms(WINDOW_MS)
    }

    /// Whether free-form messages may be sent now.
    pub fn is_open(self, now: Timestamp) -> bool {
        now < self.open_until() && self.closed_at.is_none_or(|closed| closed < self.last_inbound_at)
    }

    /// The window after the provider said that it is closed.
    #[must_use]
    pub fn after_closing(self, at: Timestamp) -> Self {
        Self { closed_at: self.closed_at.max(Some(at)), ..self }
    }

    /// The window after one more inbound message; an older message never shortens it.
    #[must_use]
    pub fn after_inbound(held: Option<Self>, at: Timestamp) -> Self {
        let last = held.map_or(at, |held| held.last_inbound_at.max(at));
        Self { last_inbound_at: last, closed_at: held.and_then(|held| held.closed_at) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_open_for_exactly_a_day_and_never_shrinks() {
        let start = Timestamp::from_ms(1_000);
        let window = Window::after_inbound(None, start);
        assert!(window.is_open(start) && window.is_open(start.plus_ms(WINDOW_MS - 1)));
        assert!(!window.is_open(start.plus_ms(WINDOW_MS)));
        assert_eq!(Window::after_inbound(Some(window), start.plus_ms(-500)), window);
        assert_eq!(Window::after_inbound(Some(window), start.plus_ms(500)).last_inbound_at, start.plus_ms(500));
    }

    #[test]
    fn a_window_that_the_provider_closed_opens_with_a_later_message_only() {
        let start = Timestamp::from_ms(1_000);
        let closed = Window::after_inbound(None, start).after_closing(start.plus_ms(500));
        assert!(!closed.is_open(start.plus_ms(600)));
        assert!(!Window::after_inbound(Some(closed), start.plus_ms(400)).is_open(start.plus_ms(600)));
        assert!(Window::after_inbound(Some(closed), start.plus_ms(550)).is_open(start.plus_ms(600)));
        assert_eq!(closed.after_closing(start).closed_at, closed.closed_at, "an older word changes nothing");
    }
}
