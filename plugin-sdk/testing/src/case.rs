//! One case on disk: its folder, its `webhook.json`, its `outcome.json`.

use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use std::{
    borrow::Cow,
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};
use tidegate_model::Timestamp;

/// A webhook as a provider sent it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fixture {
    /// What the gateway must take it for.
    pub topic: String,
    /// Headers of the delivery.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// When it was received.
    pub received_at: Timestamp,
    /// Settings of the connection.
    #[serde(default)]
    pub settings: Option<Value>,
    /// What the plugin stored before.
    #[serde(default)]
    pub state: Option<String>,
    /// Body that is JSON, sent as it is written here.
    #[serde(default)]
    body: Option<Box<RawValue>>,
    /// Body that is not JSON.
    #[serde(default)]
    body_text: Option<String>,
    /// Where the payload comes from.
    pub source: String,
}

impl Fixture {
    /// Reads `webhook.json`.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, CaseError> {
        let fixture: Self =
            serde_json::from_str(text).map_err(|error| CaseError::NoFixture { reason: error.to_string() })?;
        match (&fixture.body, &fixture.body_text) {
            (Some(_), None) | (None, Some(_)) => Ok(fixture),
            _ => Err(CaseError::NoFixture { reason: "expected either `body` or `body_text`".to_owned() }),
        }
    }

    /// The body, as it is sent.
    pub fn body(&self) -> Cow<'_, str> {
        match (&self.body, &self.body_text) {
            (Some(json), _) => Cow::Borrowed(json.get()),
            (None, text) => Cow::Borrowed(text.as_deref().unwrap_or_default()),
        }
    }

    /// The headers as a delivery has them.
    pub fn headers(&self) -> Vec<(String, String)> {
        self.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}

/// Why a case can't be run.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// A file can't be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// `webhook.json` is not as it should be.
    #[error("webhook.json: {reason}")]
    NoFixture {
        /// What is wrong.
        reason: String,
    },
    /// `answers.json` is not as it should be.
    #[error("answers.json: {reason}")]
    NoAnswers {
        /// What is wrong.
        reason: String,
    },
    /// The plugin asks for what `answers.json` does not answer.
    #[error("the plugin asks for what answers.json does not answer; add:\n{skeleton}")]
    Unanswered {
        /// What to add.
        skeleton: String,
    },
    /// The plugin did not ask for what `answers.json` answers.
    #[error("the plugin did not ask for: {request}")]
    Unasked {
        /// Its method and URL.
        request: String,
    },
    /// The plugin never has enough.
    #[error("the plugin still asks after {rounds} rounds of answers")]
    Endless {
        /// How often it was answered.
        rounds: usize,
    },
    /// The gateway would take the webhook for something else.
    #[error("webhook.json says the topic is {expected:?}, but by plugin.toml's [items] it is {found:?}")]
    OtherTopic {
        /// The fixture's topic.
        expected: String,
        /// Topics of its items.
        found: Vec<String>,
    },
    /// The body can't be cut into items.
    #[error(transparent)]
    Split(#[from] tidegate_plugin_host::SplitError),
    /// The call of the plugin failed.
    #[error(transparent)]
    Call(#[from] tidegate_plugin_host::CallError),
    /// An outcome is not the one in `outcome.json`.
    #[error("the outcome is another (- expected, + found):\n{difference}")]
    OtherOutcome {
        /// Lines that differ, and those around them.
        difference: String,
    },
    /// There is no `outcome.json` yet.
    #[error("there is no outcome.json; UPDATE=1 writes it. Found:\n{found}")]
    NoOutcome {
        /// What it would hold.
        found: String,
    },
}

/// The folders with a `webhook.json`, by name.
pub(crate) fn folders(dir: &Path) -> Result<Vec<PathBuf>, CaseError> {
    let failed = |source| CaseError::File { path: dir.to_owned(), source };
    let mut folders = Vec::new();
    for entry in fs::read_dir(dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}

pub(crate) fn read(path: &Path) -> Result<String, CaseError> {
    fs::read_to_string(path).map_err(|source| CaseError::File { path: path.to_owned(), source })
}

/// What happens to `outcome.json`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Compare,
    Update,
}

/// Compares what was found with `outcome.json`, or writes it.
pub(crate) fn settle(folder: &Path, found: &str, mode: Mode) -> Result<(), CaseError> {
    let path = folder.join("outcome.json");
    if mode == Mode::Update {
        return fs::write(&path, found).map_err(|source| CaseError::File { path, source });
    }
    if !path.exists() {
        return Err(CaseError::NoOutcome { found: found.to_owned() });
    }
    let expected = read(&path)?;
    if expected == found {
        return Ok(());
    }
    Err(CaseError::OtherOutcome { difference: crate::diff::lines(&expected, found) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_is_written_compared_and_its_difference_shown() {
        let dir = tempfile::tempdir().unwrap();
        let settle = |found: &str, mode| settle(dir.path(), found, mode);
        assert!(matches!(settle("a\n", Mode::Compare), Err(CaseError::NoOutcome { .. })));
        settle("a\n", Mode::Update).unwrap();
        settle("a\n", Mode::Compare).unwrap();
        let error = settle("b\n", Mode::Compare).unwrap_err().to_string();
        assert!(error.ends_with("- a\n+ b\n"), "{error}");
    }

    #[test]
    fn a_body_keeps_its_text() {
        let fixture = |rest: &str| {
            Fixture::parse(&format!(
                "{{\"topic\":\"t\",\"received_at\":\"2026-03-01T10:00:00Z\",\"source\":\"s\"{rest}}}"
            ))
        };
        assert_eq!(fixture(",\"body\":{\"n\": 1.10}").unwrap().body(), "{\"n\": 1.10}");
        assert_eq!(fixture(",\"body_text\":\"webhook_id=1\"").unwrap().body(), "webhook_id=1");
        assert!(fixture("").unwrap_err().to_string().contains("either `body` or `body_text`"));
        assert!(fixture(",\"body\":1,\"boby\":2").unwrap_err().to_string().contains("unknown field `boby`"));
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        assert!(folders(Path::new("/nowhere/fixtures")).unwrap_err().to_string().starts_with("/nowhere/fixtures: "));
    }
}
