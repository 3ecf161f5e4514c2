//! What senders did since the start: failures in a row, and when each last worked.
//!
//! Kept in memory: what must outlive the process is a circuit, which is a row.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};
use tidegate_channels::{ProviderRefusal, SendResult};
use tidegate_model::Timestamp;

/// Of every sender, by its number in the registry.
#[derive(Debug, Default)]
pub(crate) struct Pulses(Mutex<HashMap<u32, Pulse>>);

/// Of one sender.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Pulse {
    /// Attempts, one after the other, to which the provider gave no good answer.
    pub in_a_row: u32,
    /// When a message was last accepted.
    pub last_success_at: Option<Timestamp>,
    /// When an attempt last failed.
    pub last_failure_at: Option<Timestamp>,
    /// How, in a word: a code, or `unknown`.
    pub last_failure: Option<String>,
}

impl Pulses {
    /// Counts an attempt's outcome. Returns how many in a row had no good answer.
    pub(crate) fn observe(&self, sender: u32, result: &SendResult, now: Timestamp) -> u32 {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pulse = held.entry(sender).or_default();
        pulse.in_a_row = if is_trouble(result) { pulse.in_a_row.saturating_add(1) } else { 0 };
        match result {
            SendResult::Accepted { .. } => pulse.last_success_at = Some(now),
            SendResult::Unknown { .. } => pulse.fail("unknown", now),
            SendResult::Refused(refusal) => pulse.fail(&refusal.code, now),
        }
        pulse.in_a_row
    }

    /// A sender's.
    pub(crate) fn of(&self, sender: u32) -> Pulse {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&sender).cloned().unwrap_or_default()
    }

    /// Counts from nothing again.
    pub(crate) fn forget_failures(&self, sender: u32) {
        if let Some(pulse) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get_mut(&sender) {
            pulse.in_a_row = 0;
        }
    }
}

impl Pulse {
    fn fail(&mut self, word: &str, now: Timestamp) {
        self.last_failure_at = Some(now);
        self.last_failure = Some(word.to_owned());
    }
}

/// Whether an outcome speaks against the provider, not against the message: it was not reached, did not answer, or failed by itself.
fn is_trouble(result: &SendResult) -> bool {
    match result {
        SendResult::Accepted { .. } => false,
        SendResult::Unknown { .. } => true,
        SendResult::Refused(refusal) => is_trouble_of_provider(refusal),
    }
}

/// The same for a refusal.
pub(crate) fn is_trouble_of_provider(refusal: &ProviderRefusal) -> bool {
    refusal.code == "connect" || refusal.http_status.is_some_and(|status| status >= 500)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_channels::{Action, Scope};

    const NOW: Timestamp = Timestamp::from_ms(5);

    fn refused(code: &str, http_status: Option<u16>) -> SendResult {
        SendResult::Refused(ProviderRefusal {
            code: code.to_owned(),
            title: String::new(),
            details: None,
            http_status,
            provider_id: None,
            action: Action::Fail,
            scope: Scope::Message,
        })
    }

    fn check(results: &[SendResult], in_a_row: u32) {
        let pulses = Pulses::default();
        for result in results {
            pulses.observe(1, result, NOW);
        }
        assert_eq!((pulses.of(1).in_a_row, pulses.of(2)), (in_a_row, Pulse::default()), "{results:?}");
    }

    #[test]
    fn what_speaks_against_the_provider_is_counted_until_it_answers_well() {
        let unknown = SendResult::Unknown { reason: String::new() };
        let accepted = SendResult::Accepted { provider_id: "1".to_owned(), wa_id: None, user_id: None, held: None };
        let (gone, down, wrong) = (refused("connect", None), refused("131016", Some(500)), refused("100", Some(400)));
        check(&[unknown.clone(), gone.clone(), down], 3);
        check(&[unknown.clone(), accepted, gone], 1);
        check(&[unknown.clone(), unknown, wrong], 0);
    }
}
