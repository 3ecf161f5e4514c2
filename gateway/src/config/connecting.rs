//! `[secrets]` and `[connections.reconcile]`: what the gateway keeps secret by itself, and how often it looks after a connection.

use super::{ConfigFault, SecretText};
use serde::{Deserialize, Serialize};

/// `[secrets]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SecretsSection {
    /// What secrets in the store are sealed with; empty for the key file in the data directory.
    pub master_key: SecretText,
}

/// `[connections.reconcile]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reconcile {
    /// `15m`, `2h`, `90s`, or `off`.
    pub every: String,
}

impl Reconcile {
    /// How often a connection that was subscribed is looked after when nothing is said.
    pub(crate) const USUAL_MS: i64 = 15 * 60_000;

    /// The period in milliseconds; `None` for never.
    ///
    /// # Errors
    /// What was expected.
    pub(crate) fn period_ms(&self) -> Result<Option<i64>, String> {
        let text = self.every.trim();
        if text == "off" {
            return Ok(None);
        }
        let wrong = || format!("expected a time from 1m to 24h such as \"15m\", or \"off\", found {:?}", self.every);
        let unit_at = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let (digits, unit) = text.split_at(unit_at);
        let unit_ms = match unit {
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return Err(wrong()),
        };
        let ms = digits.parse::<i64>().ok().and_then(|n| n.checked_mul(unit_ms)).ok_or_else(wrong)?;
        if (60_000..=24 * 3_600_000).contains(&ms) { Ok(Some(ms)) } else { Err(wrong()) }
    }

    pub(super) fn check(&self, connection: &str) -> Result<(), ConfigFault> {
        let at = |problem| ConfigFault::key(format!("connections.{connection}.reconcile.every"), problem);
        self.period_ms().map(drop).map_err(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_read_in_units() {
        let check = |text: &str, expected: Result<Option<i64>, ()>| {
            let found = Reconcile { every: text.to_owned() }.period_ms();
            assert_eq!(found.map_err(drop), expected, "{text}");
        };
        check("15m", Ok(Some(Reconcile::USUAL_MS)));
        check("90s", Ok(Some(90_000)));
        check("24h", Ok(Some(86_400_000)));
        check("off", Ok(None));
        for wrong in ["", "15", "m", "1d", "30s", "25h", "-5m", "99999999999999999h", "1.5h"] {
            check(wrong, Err(()));
        }
    }
}
