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
}

impl Window {
    /// Until when free-form messages may be sent (exclusive).
    pub const fn open_until(self) -> Timestamp {
        self.last_inbound_at.plus_ms(WINDOW_MS)
    }

    /// Whether free-form messages may be sent now.
    pub fn is_open(self, now: Timestamp) -> bool {
        now < self.open_until()
    }

    /// The window after one more inbound message; an older message never shortens it.
    #[must_use]
    pub fn after_inbound(held: Option<Self>, at: Timestamp) -> Self {
        let last = held.map_or(at, |held| held.last_inbound_at.max(at));
        Self { last_inbound_at: last }
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
}
