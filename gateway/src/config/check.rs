//! What a configuration must hold to, beyond its shape.

use super::{Config, Retention, Sender};
use crate::tx::DEDUPE_DAYS;
use std::{collections::HashSet, path::PathBuf};
use tidegate_clock::ClockMode;

/// A limit below this keeps less than a day of a small shop.
const LEAST_ROWS: u64 = 1_000;

/// What is wrong with a configuration, for the operator who wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ConfigFault {
    /// The file can't be read.
    #[error("{path}: {reason}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// It is no TOML, or a key is unknown, missing or of another type.
    #[error("{place}: {problem}")]
    Shape {
        /// The layer.
        place: String,
        /// Line, key and what was expected.
        problem: String,
    },
    /// A variable names no key.
    #[error("the variable {name} names no key; `tidegate config --defaults` shows them all")]
    UnknownVariable {
        /// The variable.
        name: String,
    },
    /// A variable's value has another type than its key.
    #[error("the variable {name} must hold a value of type {expected}, not {found:?}")]
    Variable {
        /// The variable.
        name: String,
        /// What its key takes.
        expected: String,
        /// What it holds.
        found: String,
    },
    /// Keys that do not fit together.
    #[error("{key}: {problem}")]
    Key {
        /// Where.
        key: String,
        /// What is wrong and what to do.
        problem: String,
    },
}

impl ConfigFault {
    pub(super) fn syntax(place: &str, error: &toml::de::Error) -> Self {
        Self::Shape { place: place.to_owned(), problem: error.to_string().trim_end().to_owned() }
    }

    /// A fault at a key.
    pub(crate) fn key(key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Key { key: key.into(), problem: problem.into() }
    }
}

impl Config {
    pub(super) fn check(&self) -> Result<(), ConfigFault> {
        unique("endpoints", self.endpoints.iter().map(|endpoint| endpoint.name.as_str()))?;
        unique("connections", self.connections.iter().map(|connection| connection.name.as_str()))?;
        unique("senders", self.senders.iter().map(|sender| sender.name.as_str()))?;
        for name in self.workspaces.keys() {
            name_is_plain(&format!("workspaces.{name}"), name)?;
        }
        self.check_clock()?;
        self.check_retention()?;
        // First, so that an endpoint that is misspelt there is not said to have no connection.
        self.check_connections()?;
        self.check_endpoints()?;
        self.senders.iter().try_for_each(|sender| self.check_sender(sender))?;
        self.check_default_senders()
    }

    fn check_clock(&self) -> Result<(), ConfigFault> {
        let mode = self.clock.mode.parse::<ClockMode>();
        mode.map(|_| ()).map_err(|error| ConfigFault::key("clock.mode", error.to_string()))
    }

    /// What is kept must outlive the time in which it is asked for.
    fn check_retention(&self) -> Result<(), ConfigFault> {
        let Retention { days, max_rows, dead_letter_days } = self.retention;
        let least = DEDUPE_DAYS;
        if (1..least).contains(&days) {
            let problem = format!(
                "must be {least} or more, or 0 for ever, not {days}: repeats are recognised for {least} days, and must find what they repeat"
            );
            return Err(ConfigFault::key("retention.days", problem));
        }
        if (1..least).contains(&dead_letter_days) {
            let problem = format!(
                "must be {least} or more, or 0 for ever, not {dead_letter_days}: parked work is lost when it goes, so leave people time to find it"
            );
            return Err(ConfigFault::key("retention.dead_letter_days", problem));
        }
        if (1..LEAST_ROWS).contains(&max_rows) {
            let problem = format!("must be {LEAST_ROWS} or more, or 0 for any number, not {max_rows}");
            return Err(ConfigFault::key("retention.max_rows", problem));
        }
        Ok(())
    }

    fn check_endpoints(&self) -> Result<(), ConfigFault> {
        for endpoint in &self.endpoints {
            let key = format!("endpoints.{}", endpoint.name);
            name_is_plain(&key, &endpoint.name)?;
            if endpoint.secrets.is_empty() {
                return Err(ConfigFault::key(key, "secrets must hold at least one signing secret"));
            }
            if !self.connections.iter().any(|connection| connection.endpoint == endpoint.name) {
                return Err(ConfigFault::key(
                    key,
                    "no [[connections]] names this endpoint: add one, so that its items have a workspace",
                ));
            }
        }
        Ok(())
    }

    fn check_connections(&self) -> Result<(), ConfigFault> {
        let mut seen = HashSet::new();
        for connection in &self.connections {
            let key = format!("connections.{}", connection.name);
            name_is_plain(&key, &connection.name)?;
            if !self.endpoints.iter().any(|endpoint| endpoint.name == connection.endpoint) {
                return Err(ConfigFault::key(key, format!("there is no endpoint {:?}", connection.endpoint)));
            }
            self.workspace_exists(&key, &connection.workspace)?;
            if !seen.insert((&connection.endpoint, &connection.account)) {
                let problem = "another connection of this endpoint has the same account: an item would have two owners";
                return Err(ConfigFault::key(key, problem));
            }
        }
        Ok(())
    }

    fn check_sender(&self, sender: &Sender) -> Result<(), ConfigFault> {
        let key = format!("senders.{}", sender.name);
        name_is_plain(&key, &sender.name)?;
        self.workspace_exists(&key, &sender.workspace)?;
        if sender.channel != tidegate_model::message::ChannelKind::Whatsapp {
            return Err(ConfigFault::key(key, "channel must be \"whatsapp\": this version sends by no other"));
        }
        let (base_url, digits) = (&sender.base_url, &sender.phone_number_id);
        if !(base_url.starts_with("https://") || base_url.starts_with("http://")) {
            return Err(ConfigFault::key(
                key,
                format!("base_url must begin with https:// or http://, not {base_url:?}"),
            ));
        }
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            let problem = format!(
                "phone_number_id must be Meta's id of the number (digits, not the number itself), not {digits:?}"
            );
            return Err(ConfigFault::key(key, problem));
        }
        Ok(())
    }

    fn check_default_senders(&self) -> Result<(), ConfigFault> {
        for (name, workspace) in &self.workspaces {
            let Some(default) = &workspace.default_sender else { continue };
            if !self.senders.iter().any(|sender| sender.name == *default && sender.workspace == *name) {
                let problem = format!("default_sender {default:?} is no sender of this workspace");
                return Err(ConfigFault::key(format!("workspaces.{name}"), problem));
            }
        }
        Ok(())
    }

    fn workspace_exists(&self, key: &str, workspace: &str) -> Result<(), ConfigFault> {
        if self.workspaces.contains_key(workspace) {
            return Ok(());
        }
        Err(ConfigFault::key(key, format!("there is no workspace {workspace:?}: add [workspaces.{workspace}]")))
    }
}

fn unique<'a>(list: &str, names: impl Iterator<Item = &'a str>) -> Result<(), ConfigFault> {
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(ConfigFault::key(format!("{list}.{name}"), "this name is used twice"));
        }
    }
    Ok(())
}

/// Names stand in URLs, keys and logs.
fn name_is_plain(key: &str, name: &str) -> Result<(), ConfigFault> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
    if (1..=64).contains(&name.len()) && name.bytes().all(plain) {
        return Ok(());
    }
    Err(ConfigFault::key(key, format!("a name has 1 to 64 of a-z, 0-9, - and _; found {name:?}")))
}
