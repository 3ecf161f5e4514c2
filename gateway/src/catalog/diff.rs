//! What a catalog holds, in facts that can be compared, and what another one changes, in words. Secrets are compared by their hashes, and shown as changed only.

use crate::config::{Config, Connection, Endpoint};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, fmt};

/// Keys whose values are not shown.
const HIDDEN: [&str; 7] =
    ["secrets", "verify_token", "access_token", "auth_token", "api_secret", "settings", "credentials"];

/// One thing that is known of a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fact {
    Shown(String),
    Hidden([u8; 32]),
}

/// What is known, by subject (`endpoint shopify`) and key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Facts(BTreeMap<String, BTreeMap<String, Fact>>);

impl Facts {
    /// What is configured beside lists and workspaces, and is put in force by a reload.
    pub(super) fn note_settings(&mut self, config: &Config) {
        self.note_text("settings".to_owned(), "server.public_url", &config.server.public_url);
        self.note_text("settings".to_owned(), "server.trusted_proxies", &config.server.trusted_proxies.join(", "));
        self.note_text("settings".to_owned(), "log.filter", &config.log.filter);
        self.note("sending".to_owned(), &config.sending);
        self.note("plugin sources".to_owned(), &config.plugin_sources);
    }

    /// Every key of a section.
    pub(super) fn note(&mut self, subject: String, section: &impl Serialize) {
        // A section was read from TOML, and can be written so.
        let table = toml::Table::try_from(section).unwrap_or_default();
        for (key, value) in table {
            let text = value.to_string();
            if HIDDEN.contains(&key.as_str()) {
                self.note_hidden(subject.clone(), &key, &text);
            } else {
                self.note_text(subject.clone(), &key, &text);
            }
        }
        self.0.entry(subject).or_default();
    }

    /// Something that may be shown.
    pub(super) fn note_text(&mut self, subject: String, key: &str, text: &str) {
        self.0.entry(subject).or_default().insert(key.to_owned(), Fact::Shown(text.to_owned()));
    }

    /// Something that may not.
    pub(super) fn note_hidden(&mut self, subject: String, key: &str, text: &str) {
        self.0.entry(subject).or_default().insert(key.to_owned(), Fact::Hidden(Sha256::digest(text).into()));
    }

    /// Forgets which builds an endpoint and its connections run.
    pub(super) fn forget_builds(&mut self, endpoint: &Endpoint, connections: &[Connection]) {
        let connections = connections.iter().filter(|held| held.endpoint == endpoint.name);
        let subjects = connections.map(|held| format!("connection {}", held.name));
        for subject in subjects.chain([format!("endpoint {}", endpoint.name)]) {
            if let Some(facts) = self.0.get_mut(&subject) {
                facts.remove("plugin build");
            }
        }
    }

    /// Whether the same is known of a subject.
    pub(super) fn same(&self, other: &Self, subject: &str) -> bool {
        self.0.get(subject) == other.0.get(subject)
    }
}

/// A subject that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Change {
    /// Which: `endpoint shopify`.
    pub what: String,
    /// `added`, `removed`, or what changed, in words.
    pub how: String,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.how)
    }
}

/// What becomes of the old facts, in the order of subjects.
pub(crate) fn changes(old: &Facts, new: &Facts) -> Vec<Change> {
    let mut subjects: Vec<&String> = old.0.keys().chain(new.0.keys()).collect();
    subjects.sort();
    subjects.dedup();
    let how = |what: &String| match (old.0.get(what), new.0.get(what)) {
        (None, _) => Some("added".to_owned()),
        (_, None) => Some("removed".to_owned()),
        (Some(old), Some(new)) if old == new => None,
        (Some(old), Some(new)) => Some(differences(old, new)),
    };
    subjects.into_iter().filter_map(|what| Some(Change { what: what.clone(), how: how(what)? })).collect()
}

fn differences(old: &BTreeMap<String, Fact>, new: &BTreeMap<String, Fact>) -> String {
    let mut keys: Vec<&String> = old.keys().chain(new.keys()).collect();
    keys.sort();
    keys.dedup();
    let word = |key: &String| match (old.get(key), new.get(key)) {
        (old, new) if old == new => None,
        (Some(Fact::Shown(old)), Some(Fact::Shown(new))) => {
            Some(format!("{key} was {}, is now {}", shown(old), shown(new)))
        }
        (None, Some(Fact::Shown(new))) => Some(format!("{key} is now {}", shown(new))),
        (Some(Fact::Shown(old)), None) => Some(format!("{key} was {}, and is not set any more", shown(old))),
        (Some(_), None) => Some(format!("{key} is not set any more")),
        (None, _) => Some(format!("{key} is set now")),
        _ => Some(format!("{key} changed")),
    };
    keys.into_iter().filter_map(word).collect::<Vec<_>>().join("; ")
}

fn shown(text: &str) -> &str {
    if text.is_empty() { "empty" } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(list: &[(&str, &str, &str)]) -> Facts {
        let mut facts = Facts::default();
        for (subject, key, value) in list {
            match key.strip_prefix('!') {
                Some(key) => facts.note_hidden((*subject).to_owned(), key, value),
                None => facts.note_text((*subject).to_owned(), key, value),
            }
        }
        facts
    }

    #[test]
    fn changes_are_told_in_words_and_secrets_are_not_shown() {
        let old = facts(&[
            ("endpoint a", "plugin", "shopify"),
            ("endpoint a", "!secrets", "one"),
            ("endpoint b", "plugin", "meta"),
            ("flow main/x", "version", "v1"),
            ("sender s", "timeout_s", "10"),
        ]);
        let new = facts(&[
            ("endpoint a", "plugin", "shopify"),
            ("endpoint a", "!secrets", "two"),
            ("endpoint a", "max_body_bytes", "10"),
            ("flow main/x", "version", "v2"),
            ("flow main/y", "version", "v1"),
            ("sender s", "timeout_s", "10"),
        ]);
        let words: Vec<String> = changes(&old, &new).iter().map(ToString::to_string).collect();
        assert_eq!(
            words,
            [
                "endpoint a: max_body_bytes is now 10; secrets changed",
                "endpoint b: removed",
                "flow main/x: version was v1, is now v2",
                "flow main/y: added",
            ]
        );
        assert!(changes(&old, &old).is_empty());
    }
}
