//! The settings of a connection.

use serde::Deserialize;
use tidegate_plugin_sdk::json::Text;

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
}
