//! What is wrong with a configuration, in words for who wrote it. Never the value of a secret.

use super::Origins;
use std::{fmt, path::PathBuf};

/// One thing that is wrong.
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
        /// The layer; of a file also line and column.
        place: String,
        /// The key and what was expected.
        problem: String,
    },
    /// A variable names no key.
    #[error("the variable {name} names no key{near}")]
    UnknownVariable {
        /// The variable.
        name: String,
        /// The variable that may have been meant, or where all are shown: the end of the sentence.
        near: String,
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
    #[error("{place}{key}: {problem}")]
    Key {
        /// Where it was set, and `: `; or nothing.
        place: String,
        /// Which.
        key: String,
        /// What is wrong and what to do.
        problem: String,
    },
}

impl ConfigFault {
    /// A fault at a key.
    pub(crate) fn key(key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Key { place: String::new(), key: key.into(), problem: problem.into() }
    }

    /// The same, with the place where its key was set.
    #[must_use]
    pub(super) fn at(self, origins: &Origins) -> Self {
        match self {
            Self::Key { key, problem, .. } => {
                let place = origins.place(&key).map(|place| format!("{place}: ")).unwrap_or_default();
                Self::Key { place, key, problem }
            }
            other => other,
        }
    }
}

/// Everything that is wrong, one a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConfigFaults(Vec<ConfigFault>);

impl ConfigFaults {
    /// A failure, unless there is no fault.
    ///
    /// # Errors
    /// The faults.
    pub(super) fn unless_empty(faults: Vec<ConfigFault>) -> Result<(), Self> {
        if faults.is_empty() { Ok(()) } else { Err(Self(faults)) }
    }
}

impl From<ConfigFault> for ConfigFaults {
    fn from(fault: ConfigFault) -> Self {
        Self(vec![fault])
    }
}

impl fmt::Display for ConfigFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, fault) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str("\n")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigFaults {}
