//! Refused: what follows from a provider's refusal, for the message and for everything that would be refused alike.
//!
//! Whether the refusal was the answer to the attempt or came by webhook, one pure function decides; carrying it out is below it.

use super::{health, reach, record, window};
use crate::{
    catalog::{Catalog, Sender},
    config::Sending,
    pulse::is_trouble_of_provider,
    tx::{Tx, TxError},
};
use std::time::Duration;
use tidegate_channels::{Action, ProviderRefusal, Scope};
use tidegate_model::{
    Timestamp,
    circuit::{Cause, Trip},
    gate::{Suppression, SuppressionScope},
    message::{Category, Content, Message},
};

/// Attempts before a message that could be tried again is given up.
pub(super) const MAX_ATTEMPTS: u16 = 6;
/// First pause between attempts; it doubles.
const FIRST_PAUSE_MS: i64 = 2_000;
/// Longest pause between attempts that the provider did not ask for.
const LONGEST_PAUSE_MS: i64 = 5 * 60_000;
/// Steps that a message stands back at most.
const MOST_STEPS_BACK: u16 = 20;
/// Longest pause after the limit of a pair, 4^6 seconds.
const MOST_POWERS: u32 = 6;

/// A refused message, and what is known about it.
pub(super) struct Case<'a> {
    /// The message, as it was attempted.
    pub message: &'a Message,
    /// What the provider said.
    pub refusal: &'a ProviderRefusal,
    /// How it said so.
    pub by: By,
    /// Attempts of the sender in a row, this one included, without a good answer.
    pub in_a_row: u32,
    /// What is configured.
    pub sending: &'a Sending,
    /// Now.
    pub now: Timestamp,
}

/// How a refusal came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// As the answer to the attempt: it was certainly not sent.
    Answer,
    /// By webhook, after the message was taken.
    Status,
}

/// What follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Follow {
    /// For the message.
    pub fate: Fate,
    /// For everything that would be refused alike: its circuit opens.
    pub trip: Option<(Scope, Trip)>,
    /// For the person or the address.
    pub effect: Option<Effect>,
}

/// What becomes of the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is tried again, not before this.
    Again {
        /// When.
        at: Timestamp,
        /// In words.
        words: String,
    },
    /// It waits for a circuit; that it was refused does not count against it.
    Waits {
        /// When to look again.
        until: Timestamp,
        /// In words.
        words: String,
    },
    /// It is given up.
    Fails {
        /// Why, and what to do.
        words: String,
    },
}

/// What becomes known about the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// The customer service window is closed, whatever we thought.
    CloseWindow,
    /// They do not want this.
    Suppress(SuppressionScope),
    /// The address is not on the channel.
    Unreachable,
}

/// What follows from a refusal.
pub(super) fn follow(case: &Case<'_>) -> Follow {
    let trip = trip(case);
    let effect = effect(case.refusal);
    let said = words(case.refusal);
    let waits = |(scope, trip): &(Scope, Trip)| Fate::Waits {
        until: case.now.plus_ms(trip.first_pause_ms().unwrap_or_default()),
        words: format!("{said}; it waits, because {} is paused", scope_words(*scope)),
    };
    let fate = match (case.refusal.action, case.by, &trip) {
        // Nothing is lost: it was not sent, and the fault is not its own.
        (Action::Pause | Action::PauseMarketing, By::Answer, Some(trip)) => waits(trip),
        (Action::Retry { .. } | Action::Try { .. }, By::Answer, Some(trip)) if trip.1.cause == Cause::Trouble => {
            waits(trip)
        }
        (Action::Retry { after }, By::Answer, _) => again(case, MAX_ATTEMPTS, pause_ms(case, after), &said),
        (Action::Try { at_most }, By::Answer, _) => again(case, at_most, pause_ms(case, None), &said),
        (Action::Defer { after }, ..) => again(case, MAX_ATTEMPTS, ms(after), &said),
        // It may yet arrive, as statuses contradict each other: what comes back at once could arrive twice.
        (Action::Retry { .. } | Action::Try { .. }, By::Status, _) => {
            Fate::Fails { words: format!("{said}; it is not sent again, because it had been taken") }
        }
        (Action::Template, ..) => Fate::Fails {
            words: format!("{said}; the customer service window is closed: send a template, or wait until they write"),
        },
        // Where a channel beside WhatsApp takes over, once there is one.
        (Action::Sms | Action::Unreachable, ..) => {
            Fate::Fails { words: format!("{said}; it would have to go by another channel") }
        }
        (Action::Suppress(scope), ..) => {
            let what = if scope == SuppressionScope::Marketing { "no more marketing" } else { "nothing more" };
            Fate::Fails { words: format!("{said}; {what} is sent to this contact") }
        }
        (Action::Pause | Action::PauseMarketing | Action::Fail, ..) => Fate::Fails { words: said },
    };
    Follow { fate, trip, effect }
}

/// Tried again, unless that was done often enough, or would come too late.
fn again(case: &Case<'_>, at_most: u16, pause_ms: i64, said: &str) -> Fate {
    let Case { message, now, .. } = case;
    let tried = message.retries + 1;
    if tried >= at_most {
        return Fate::Fails { words: format!("{said}; given up after {tried} attempts") };
    }
    let at = now.plus_ms(pause_ms.saturating_add(spread_ms(message, pause_ms)));
    if at >= message.expires_at {
        let expiry = message.expires_at;
        return Fate::Fails {
            words: format!("{said}; the next attempt could be made at {at}, and it was to be sent before {expiry}"),
        };
    }
    Fate::Again { at, words: format!("{said}; attempt {} follows at {at}", message.attempts + 1) }
}

/// The pause before the next attempt: it doubles, and the provider's wish is kept.
fn pause_ms(case: &Case<'_>, after: Option<Duration>) -> i64 {
    let tried = u32::from(case.message.retries);
    let asked = after.map_or(0, ms);
    if case.refusal.scope == Scope::Pair {
        // Meta: wait 4^X seconds, X = 1, 2, 3…
        return asked.max(4_i64.pow((tried + 1).min(MOST_POWERS)) * 1_000);
    }
    let doubled = FIRST_PAUSE_MS.saturating_mul(1 << tried.min(16)).min(LONGEST_PAUSE_MS);
    asked.max(doubled)
}

/// Messages refused together do not come back together: each adds up to a quarter of the pause, half a minute at most, by its id.
pub(super) fn spread_ms(message: &Message, pause_ms: i64) -> i64 {
    (pause_ms / 4).clamp(0, 30_000) * i64::from(message.id.raw()[15]) / 256
}

/// When a message that waits for a circuit looks again. One that was attempted before stands back, so that a message that can never be sent does not try for all of
/// them every time.
pub(super) fn look_again_at(message: &Message, until: Timestamp, now: Timestamp) -> Timestamp {
    let pause_ms = until.ms() - now.ms();
    let step_ms = (pause_ms / 4).clamp(0, 30_000);
    let at = until.plus_ms(spread_ms(message, pause_ms) + step_ms * i64::from(message.attempts.min(MOST_STEPS_BACK)));
    at.min(message.expires_at.max(now))
}

fn ms(pause: Duration) -> i64 {
    i64::try_from(pause.as_millis()).unwrap_or(i64::MAX)
}

/// What else would be refused alike, and for how long.
fn trip(case: &Case<'_>) -> Option<(Scope, Trip)> {
    let Case { refusal, message, .. } = case;
    let trip = |cause, reason: String, pause_ms| Trip {
        cause,
        code: refusal.code.clone(),
        reason,
        // When something else is refused for the same reason, it is not about marketing alone.
        marketing_only: refusal.action == Action::PauseMarketing && message.category == Category::Marketing,
        pause_ms,
    };
    let said = || refusal.details.clone().unwrap_or_else(|| refusal.title.clone());
    let is_wide = !matches!(refusal.scope, Scope::Message | Scope::Recipient);
    let is_trouble =
        case.by == By::Answer && is_trouble_of_provider(refusal) && case.in_a_row >= case.sending.failures_to_pause;
    Some(match (refusal.action, refusal.scope) {
        // A template's refusal of what is no template is about this message.
        (_, Scope::Template | Scope::Flow) if !matches!(message.content, Content::Template { .. }) => return None,
        (Action::Pause | Action::PauseMarketing, scope) if is_wide => (scope, trip(Cause::Refusal, said(), None)),
        (Action::Retry { after: Some(after) }, scope) if is_wide => {
            let pause = if scope == Scope::Pair { pause_ms(case, Some(after)) } else { ms(after) };
            (scope, trip(Cause::Limit, said(), Some(pause)))
        }
        (Action::Defer { after }, scope @ (Scope::Template | Scope::Flow)) => {
            (scope, trip(Cause::Limit, said(), Some(ms(after))))
        }
        _ if is_trouble => (Scope::Sender, trip(Cause::Trouble, trouble_words(case.in_a_row), None)),
        _ => return None,
    })
}

/// What opens a sender's circuit when its provider does not answer well again and again.
pub(super) fn trouble(in_a_row: u32, sending: &Sending) -> Option<Trip> {
    (in_a_row >= sending.failures_to_pause).then(|| Trip {
        cause: Cause::Trouble,
        code: "no-answer".to_owned(),
        reason: trouble_words(in_a_row),
        marketing_only: false,
        pause_ms: None,
    })
}

fn trouble_words(in_a_row: u32) -> String {
    format!("the provider gave no good answer to {in_a_row} attempts in a row")
}

fn effect(refusal: &ProviderRefusal) -> Option<Effect> {
    match (refusal.action, refusal.scope) {
        (Action::Template, _) => Some(Effect::CloseWindow),
        (Action::Suppress(scope), _) => Some(Effect::Suppress(scope)),
        (Action::Sms | Action::Unreachable, Scope::Recipient) => Some(Effect::Unreachable),
        _ => None,
    }
}

const fn scope_words(scope: Scope) -> &'static str {
    match scope {
        Scope::App => "the app and its token",
        Scope::Account => "the business account",
        Scope::Sender => "the sender",
        Scope::Template | Scope::Flow => "the template",
        Scope::Pair => "the sender to this person",
        Scope::Message | Scope::Recipient => "this",
    }
}

/// A refusal in one line.
pub(super) fn words(refusal: &ProviderRefusal) -> String {
    match &refusal.details {
        Some(details) if *details != refusal.title => format!("{}: {} ({details})", refusal.code, refusal.title),
        _ => format!("{}: {}", refusal.code, refusal.title),
    }
}

/// Carries out what follows for everything but the message. `at` is when it was so, by the provider's time where it gives one.
///
/// # Errors
/// The store's.
pub(super) fn apply(
    tx: &mut Tx<'_>,
    catalog: &Catalog,
    sender: &Sender,
    message: &Message,
    refusal: &ProviderRefusal,
    follow: &Follow,
    at: Timestamp,
) -> Result<(), TxError> {
    if let Some((scope, trip)) = &follow.trip
        && let Some(scope) = health::scope_of(sender, message, *scope)
    {
        health::open(tx, &scope, trip, at)?;
    }
    match follow.effect {
        Some(Effect::CloseWindow) => window::close(tx, sender, message.contact, at),
        Some(Effect::Unreachable) => reach::mark(tx, catalog, message, &words(refusal), at),
        Some(Effect::Suppress(scope)) => {
            let Some(contact) = tx.contact(message.contact)? else { return Ok(()) };
            let reason = format!("the provider said {}", words(refusal));
            record::suppress(tx, message.channel, &contact, &Suppression { scope, since: at, reason })
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
