//! The settings of a connection.

use serde::Deserialize;
use tidegate_plugin_sdk::{json::Text, url};

#[derive(Deserialize, Default)]
pub(crate) struct Settings<'a> {
    /// The question (or a part of it) whose answer is the phone number.
    #[serde(borrow)]
    pub(crate) phone_question: Option<Text<'a>>,
    /// The country to assume for numbers without a country code.
    #[serde(borrow)]
    pub(crate) region: Option<Text<'a>>,
    /// Whose events are told: `organization` or `user`.
    #[serde(borrow)]
    pub(crate) scope: Option<Text<'a>>,
    /// A host that is asked in the API's place.
    #[serde(borrow)]
    api_host: Option<Text<'a>>,
}

impl Settings<'_> {
    /// Where Calendly's API is.
    pub(crate) fn api(&self) -> String {
        url::root(self.api_host.as_deref().unwrap_or("api.calendly.com"))
    }
}
