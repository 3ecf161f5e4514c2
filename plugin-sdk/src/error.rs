//! Why an item has no interpretation. Written for the operator who reads it.

/// Why an item has no interpretation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Answers are needed first. Made by [`crate::Context::fetch`]; pass it on with `?`.
    #[error("answers are needed first")]
    Need,
    /// Authentic, understood, and of no interest: why.
    #[error("skipped: {0}")]
    Skip(String),
    /// Not understood: the item is parked, visible and replayable.
    #[error("{reason}")]
    Failed {
        /// The field at fault, as a JSON pointer.
        field: Option<String>,
        /// What was expected, and what was found.
        reason: String,
        /// Whether trying again later may help.
        retryable: bool,
    },
}

impl Error {
    /// The item can't be read.
    pub fn new(reason: impl Into<String>) -> Self {
        Self::Failed { field: None, reason: reason.into(), retryable: false }
    }

    /// A field (a JSON pointer such as `/customer/phone`) is not as expected.
    pub fn field(pointer: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Failed { field: Some(pointer.into()), reason: reason.into(), retryable: false }
    }

    /// The item is understood and of no interest.
    pub fn skip(reason: impl Into<String>) -> Self {
        Self::Skip(reason.into())
    }

    /// The same error, for which trying again later may help.
    #[must_use]
    pub fn retryable(mut self) -> Self {
        if let Self::Failed { retryable, .. } = &mut self {
            *retryable = true;
        }
        self
    }

    /// The same error of a part that is at `pointer` in the item: its field is below that.
    #[must_use]
    pub fn under(mut self, pointer: &str) -> Self {
        if let Self::Failed { field, .. } = &mut self {
            let below = field.take().unwrap_or_default();
            *field = Some([pointer, &below].concat());
        }
        self
    }
}
