//! Records of connections: the secrets that the gateway made for them, sealed, and how each fares at its provider.

use serde::{Deserialize, Serialize};
use tidegate_model::{
    Timestamp,
    connector::{Finding, Severity, Subscription},
};
use tidegate_store::{Key, Space, TimerKey, keys, records::Record};

/// Secrets that are live at once: the one that the provider is told, and the one before it.
const LIVE: usize = 2;

/// The signing secrets of a connection, newest last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SecretRow {
    /// Workspace.
    pub workspace: u32,
    /// The connection's number in the registry.
    pub connection: u32,
    /// One or two.
    pub generations: Vec<Generation>,
}

/// One secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Generation {
    /// The secret, sealed.
    pub sealed: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// When the provider had taken it for every subscription.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_at: Option<Timestamp>,
}

record!(SecretRow in Secrets, key (u32, u32), |me| (me.workspace, me.connection),
    |(workspace, connection)| keys::secret(*workspace, *connection));

impl SecretRow {
    /// What a secret of a connection is sealed for.
    pub(crate) fn purpose(workspace: u32, connection: u32) -> String {
        format!("webhook secret of connection {connection} in workspace {workspace}")
    }

    /// Whether a new secret is needed: there is none yet, or the last one is to be replaced and the provider was told it. One that it was not told is as good as new;
    /// and making another would push out the one that it signs with.
    pub(crate) fn needs_another(row: Option<&Self>, rotate: bool) -> bool {
        match row.and_then(|row| row.generations.last()) {
            None => true,
            Some(last) => rotate && last.told_at.is_some(),
        }
    }

    /// Adds a secret; the one before it stays live.
    pub(crate) fn add(&mut self, sealed: String, now: Timestamp) {
        self.generations.push(Generation { sealed, made_at: now, told_at: None });
        let over = self.generations.len().saturating_sub(LIVE);
        self.generations.drain(..over);
    }
}

/// How a connection fares at its provider.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct ConnectionRow {
    /// Workspace.
    pub workspace: u32,
    /// The connection's number in the registry.
    pub connection: u32,
    /// Its name.
    pub name: String,
    /// What the operator wants the provider to send; `None` when nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wanted: Option<Wanted>,
    /// The provider's subscriptions, as they were last seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subscriptions: Vec<Subscription>,
    /// What was wrong then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// When that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked_at: Option<Timestamp>,
    /// When something was last mended at the provider without an operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mended_at: Option<Timestamp>,
    /// What went wrong the last time, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Trouble>,
    /// The dead letter of the turn that was given up: nobody looks after it until that is tried again, or another turn is begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aside: Option<u64>,
    /// What changed at the provider before this is here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_to: Option<Timestamp>,
    /// The pages that are being read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<Reading>,
    /// Items that came by being read, and by no webhook before.
    #[serde(default)]
    pub found: u64,
    /// Which row of work or timer may go on with it.
    #[serde(default)]
    pub turn: u32,
    /// When it is looked after next; `None` when nobody does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// The timer behind that, while it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timer: Option<TimerKey>,
}

/// What the provider is to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Wanted {
    /// Where to.
    pub url: String,
    /// Topics, in the provider's words.
    pub topics: Vec<String>,
    /// Since when.
    pub since: Timestamp,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Trouble {
    /// When it began.
    pub since: Timestamp,
    /// In words.
    pub reason: String,
    /// Times in a row.
    pub times: u32,
}

/// Pages that are being read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reading {
    /// What changed at this moment or later.
    pub since: Timestamp,
    /// When the first page was asked for: what changed before it will be here at the end.
    pub began: Timestamp,
    /// What the next page is asked for with.
    pub cursor: String,
}

record!(ConnectionRow in Connections, key (u32, u32), |me| (me.workspace, me.connection),
    |(workspace, connection)| keys::connection(*workspace, *connection));

impl ConnectionRow {
    /// A connection that nothing is known of.
    pub(crate) fn new(workspace: u32, connection: u32, name: &str) -> Self {
        Self { workspace, connection, name: name.to_owned(), ..Self::default() }
    }

    /// The worst that is known.
    pub(crate) fn worst(&self) -> Option<Severity> {
        let found = self.findings.iter().map(|finding| finding.severity).max();
        found.max(self.trouble.is_some().then_some(Severity::Problem))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotation_never_pushes_out_the_secret_that_the_provider_signs_with() {
        let now = Timestamp::from_ms(1);
        let mut row = SecretRow { workspace: 1, connection: 2, generations: Vec::new() };
        assert!(SecretRow::needs_another(None, false) && SecretRow::needs_another(Some(&row), false));
        row.add("a".to_owned(), now);
        assert!(!SecretRow::needs_another(Some(&row), true), "the provider was not told yet: it is as good as new");
        row.generations[0].told_at = Some(now);
        assert!(!SecretRow::needs_another(Some(&row), false) && SecretRow::needs_another(Some(&row), true));
        row.add("b".to_owned(), now);
        assert!(!SecretRow::needs_another(Some(&row), true));
        row.generations[1].told_at = Some(now);
        row.add("c".to_owned(), now);
        let live: Vec<&str> = row.generations.iter().map(|one| one.sealed.as_str()).collect();
        assert_eq!(live, ["b", "c"]);
    }
}
