//! Errors in Meta's words: of messages, of statuses, of a number.

use serde::Deserialize;
use tidegate_plugin_sdk::{ProviderError, json, json::Text};

/// An error. Its codes are the ones of Meta's error reference.
#[derive(Deserialize)]
pub(crate) struct MetaError<'a> {
    #[serde(borrow)]
    pub(crate) code: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) title: Option<Text<'a>>,
    #[serde(borrow)]
    message: Option<Text<'a>>,
    #[serde(borrow)]
    error_data: Option<Details<'a>>,
}

#[derive(Deserialize)]
struct Details<'a> {
    #[serde(borrow)]
    details: Option<Text<'a>>,
}

impl MetaError<'_> {
    /// The canonical error.
    pub(crate) fn error(&self) -> ProviderError {
        let details = self.error_data.as_ref().and_then(|data| json::string(data.details.as_ref()));
        ProviderError {
            code: json::string(self.code.as_ref()).unwrap_or_else(|| "unknown".to_owned()),
            title: json::string(self.title.as_ref()).or_else(|| json::string(self.message.as_ref())),
            details: details.or_else(|| json::string(self.message.as_ref())),
        }
    }
}
