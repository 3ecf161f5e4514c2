//! What can be wrong with a manifest, said to the person who wrote it.

use std::fmt;

/// A mistake in a manifest. Trying again does not help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ManifestError {
    /// The file, as it was named to the reader.
    pub file: String,
    /// Line of the mistake, from 1; `None` when something is missing altogether.
    pub line: Option<usize>,
    /// The key at fault, dotted (`items.each`); empty when the text is no TOML.
    pub key: String,
    /// What was expected, and what was found.
    pub reason: String,
    /// The known key that comes nearest to an unknown one.
    pub nearest: Option<String>,
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.reason)?;
        match &self.nearest {
            Some(nearest) => write!(f, "; did you mean `{nearest}`?"),
            None => Ok(()),
        }
    }
}
