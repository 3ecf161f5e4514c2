//! Secrets in the configuration: named by their source, read once, never shown.

use serde::{Deserialize, Serialize, Serializer};
use std::{fmt, path::Path};

/// A secret as it is written in the configuration: `${NAME}`, `file:PATH`, or the secret itself. Shown only when it names a source.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(crate) struct SecretText(String);

impl SecretText {
    /// From the text of the configuration.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Takes the path of a file as relative to this folder.
    pub(super) fn rebase(&mut self, base: &Path) {
        if let Some(path) = self.0.strip_prefix("file:") {
            self.0 = format!("file:{}", base.join(path).display());
        }
    }

    /// The secret. `lookup` reads a variable of the environment.
    ///
    /// # Errors
    /// What is missing, without the secret.
    pub(crate) fn resolve(&self, lookup: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
        let value = if let Some(name) = self.variable() {
            lookup(name)
                .ok_or_else(|| format!("the environment has no variable {name}: set it, or name another source"))?
        } else if let Some(path) = self.0.strip_prefix("file:") {
            let text =
                std::fs::read_to_string(path).map_err(|error| format!("the file {path} can't be read: {error}"))?;
            text.trim_end_matches(['\r', '\n']).to_owned()
        } else {
            self.0.clone()
        };
        if value.is_empty() { Err(format!("the secret {self} is empty")) } else { Ok(value) }
    }

    /// Whether nothing is said.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it stands for the secret that the gateway makes when it subscribes.
    pub(crate) fn is_generated(&self) -> bool {
        self.0 == "generated"
    }

    /// Whether it is the secret itself, and no source of it.
    pub(crate) fn is_written_out(&self) -> bool {
        self.variable().is_none() && !self.0.starts_with("file:") && !self.is_empty() && !self.is_generated()
    }

    fn variable(&self) -> Option<&str> {
        self.0.strip_prefix("${")?.strip_suffix('}')
    }
}

impl fmt::Display for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_written_out() { "***" } else { &self.0 })
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for SecretText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_shown_by_its_source_only() {
        assert_eq!(format!("{:?}", SecretText::new("hunter2")), "***");
        assert_eq!(SecretText::new("${SHOP_SECRET}").to_string(), "${SHOP_SECRET}");
        assert_eq!(serde_json::to_string(&SecretText::new("hunter2")).unwrap(), "\"***\"");
    }

    #[test]
    fn sources_are_read_and_their_absence_is_said() {
        let lookup = |name: &str| (name == "HERE").then(|| "value".to_owned());
        assert_eq!(SecretText::new("${HERE}").resolve(&lookup).unwrap(), "value");
        assert_eq!(SecretText::new("plain").resolve(&lookup).unwrap(), "plain");
        let missing = SecretText::new("${GONE}").resolve(&lookup).unwrap_err();
        assert!(missing.contains("GONE"), "{missing}");
        assert!(SecretText::new("file:/nowhere/at/all").resolve(&lookup).is_err());
        assert!(SecretText::new("").resolve(&lookup).is_err());
    }

    #[test]
    fn a_file_loses_its_last_line_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        std::fs::write(&path, "hunter2\n").unwrap();
        assert_eq!(SecretText::new(format!("file:{}", path.display())).resolve(&|_| None).unwrap(), "hunter2");
    }
}
