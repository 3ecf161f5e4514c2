//! The Graph API as a connection asks it: where it is, and what its refusals mean.

use serde::Deserialize;
use tidegate_plugin_sdk::{Response, json, json::Text, url};

const HOST: &str = "graph.facebook.com";
const VERSION: &str = "v25.0";

/// Where Graph is asked, with its version.
pub(crate) fn root(host: Option<&str>, version: Option<&str>) -> String {
    [&url::root(host.unwrap_or(HOST)), "/", version.unwrap_or(VERSION)].concat()
}

/// Graph's own words for what went wrong.
#[derive(Deserialize)]
struct Refused<'a> {
    #[serde(borrow)]
    error: Problem<'a>,
}

#[derive(Deserialize)]
struct Problem<'a> {
    #[serde(borrow)]
    code: Option<Text<'a>>,
}

/// A refusal. Its texts stay out: they may repeat what was asked.
pub(crate) struct Refusal {
    pub(crate) status: u16,
    /// Graph's code; `none` when there is none.
    pub(crate) code: String,
}

impl Refusal {
    pub(crate) fn of(response: &Response) -> Self {
        let refused = json::parse::<Refused<'_>>(&response.body).ok();
        let code = refused.and_then(|refused| json::string(refused.error.code.as_ref()));
        Self { status: response.status, code: code.unwrap_or_else(|| "none".to_owned()) }
    }

    /// Whether it may be another answer soon: rate limits of the app, the user, the page, its leads and the WhatsApp account; a hiccup.
    ///
    /// Source: <https://developers.facebook.com/docs/graph-api/overview/rate-limiting>.
    pub(crate) fn is_busy(&self) -> bool {
        let codes = ["1", "2", "4", "17", "32", "613", "80001", "80005", "80008"];
        codes.contains(&self.code.as_str()) || self.status == 429 || self.status >= 500
    }
}
