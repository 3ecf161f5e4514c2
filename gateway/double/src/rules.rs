//! Failures that a script asked for, and which request gets them.

use serde::Deserialize;

/// How a request is made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Failure {
    /// HTTP 500 without a body; the message is not taken.
    Http500,
    /// Graph's error of this code; the message is not taken.
    Code {
        /// The code.
        code: i64,
    },
    /// HTTP 429, code 130429, and a `Retry-After`; the message is not taken. Of a lead: code 80005, and the wait in `X-Business-Use-Case-Usage`.
    RateLimited {
        /// Seconds to wait.
        retry_after_s: u64,
    },
    /// No answer, ever; the message is not taken.
    Hang,
    /// The message is taken, and the connection closed without an answer.
    DropAnswerAfterAccepting,
    /// The connection is closed; the message is not taken. Without a recipient to look for, before its body is read.
    CloseBeforeReading,
    /// The message is taken, and fails by webhook.
    FailedStatus {
        /// The code.
        code: i64,
    },
}

/// One failure, for some requests. The oldest rule that fits a request is used.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Rule {
    /// How.
    pub failure: Failure,
    /// For this person only (digits, or a user id), or for this lead.
    #[serde(default)]
    pub to: Option<String>,
    /// Of this business number only (`phone_number_id`), or of this page.
    #[serde(default)]
    pub number: Option<String>,
    /// So many times; for ever when `None`.
    #[serde(default)]
    pub times: Option<u32>,
}

/// At which point of a request a failure strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Its head is there.
    Head,
    /// Its body was read, and not looked at.
    Body,
    /// It is good, and would be taken.
    Good,
}

impl Failure {
    fn strikes_at(self, stage: Stage, any_recipient: bool) -> bool {
        let own = match self {
            Self::CloseBeforeReading if any_recipient => Stage::Head,
            Self::CloseBeforeReading | Self::Http500 | Self::Hang => Stage::Body,
            Self::Code { .. }
            | Self::RateLimited { .. }
            | Self::DropAnswerAfterAccepting
            | Self::FailedStatus { .. } => Stage::Good,
        };
        own == stage
    }
}

/// The rules in force.
#[derive(Debug, Default)]
pub(crate) struct Rules(Vec<Rule>);

impl Rules {
    pub(crate) fn add(&mut self, rule: Rule) {
        if rule.times != Some(0) {
            self.0.push(rule);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The failure of this request at this stage, if any, counted as used.
    pub(crate) fn take(&mut self, stage: Stage, number: &str, to: Option<&str>) -> Option<Failure> {
        let place = self.0.iter().position(|rule| {
            let fits = rule.to.is_none() || rule.to.as_deref() == to;
            let of_number = rule.number.as_deref().is_none_or(|wanted| wanted == number);
            fits && of_number && rule.failure.strikes_at(stage, rule.to.is_none())
        })?;
        let rule = &mut self.0[place];
        let failure = rule.failure;
        if let Some(times) = &mut rule.times {
            *times -= 1;
            if *times == 0 {
                self.0.remove(place);
            }
        }
        Some(failure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBER: &str = "106540352242922";

    #[test]
    fn a_rule_of_one_number_spares_the_others() {
        let mut rules = Rules::default();
        rules.add(Rule { failure: Failure::Hang, to: None, number: Some(NUMBER.to_owned()), times: None });
        assert_eq!(rules.take(Stage::Body, "1", Some("391")), None);
        assert_eq!(rules.take(Stage::Body, NUMBER, Some("391")), Some(Failure::Hang));
    }

    #[test]
    fn a_rule_strikes_its_person_as_often_as_it_says() {
        let mut rules = Rules::default();
        let failure = Failure::Code { code: 131056 };
        rules.add(Rule { failure, to: Some("391".to_owned()), number: None, times: Some(2) });
        assert_eq!(rules.take(Stage::Good, NUMBER, Some("392")), None);
        assert_eq!(rules.take(Stage::Body, NUMBER, Some("391")), None);
        assert_eq!(rules.take(Stage::Good, NUMBER, Some("391")), Some(failure));
        assert_eq!(rules.take(Stage::Good, NUMBER, Some("391")), Some(failure));
        assert_eq!(rules.take(Stage::Good, NUMBER, Some("391")), None);
    }

    #[test]
    fn a_rule_without_a_number_of_times_holds_until_it_is_cleared() {
        let mut rules = Rules::default();
        rules.add(Rule { failure: Failure::CloseBeforeReading, to: None, number: None, times: None });
        for _ in 0..10 {
            assert_eq!(rules.take(Stage::Head, NUMBER, None), Some(Failure::CloseBeforeReading));
        }
        rules.clear();
        assert_eq!(rules.take(Stage::Head, NUMBER, None), None);
    }
}
