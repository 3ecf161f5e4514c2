//! Reads Graph's answer to a send: a pure function of status, headers and body. What is no certain answer is `Unknown`.

use std::time::Duration;

use reqwest::header::HeaderMap;
use serde_json::Value;

use super::errors::error_row;
use crate::{
    Action, ProviderRefusal, Scope, SendResult,
    table::ErrorRow,
    transport::{no_sooner, retry_after, shortened, without_envelope},
};

/// What an answer without Graph's envelope may be.
const NO_ENVELOPE: &str = "the answer has no error of the Graph API: check base_url, and what stands between";

/// What an answer to a send means.
///
/// Only the envelope's code decides; the status does where there is none: 429 is a refusal that passes, 4xx a
/// refusal, and of a 5xx without a readable error, or a 2xx without a message id, nobody knows whether the message went.
///
/// `Retry-After` is read in seconds, the form that Graph sends.
pub fn parse_answer(status: u16, headers: &HeaderMap, body: &[u8]) -> SendResult {
    let json = serde_json::from_slice::<Value>(body).unwrap_or(Value::Null);
    let retry_after = retry_after(headers);
    if let Some(error) = GraphError::of(&json) {
        return SendResult::Refused(error.refusal(status, retry_after));
    }
    match status {
        200..=299 => accepted(&json).unwrap_or_else(|| SendResult::Unknown {
            reason: format!("the provider answered {status}, but without a message id: it may have been sent"),
        }),
        // A proxy's "request timeout" may come when the request was read in full.
        408 | 500.. => SendResult::Unknown {
            reason: format!("the provider answered {status} without saying why: it may have been sent"),
        },
        _ => SendResult::Refused(without_envelope(status, retry_after, NO_ENVELOPE)),
    }
}

fn accepted(json: &Value) -> Option<SendResult> {
    let text = |pointer| json.pointer(pointer).and_then(Value::as_str);
    let provider_id = text("/messages/0/id").filter(|id| !id.is_empty())?;
    Some(SendResult::Accepted {
        provider_id: provider_id.to_owned(),
        wa_id: text("/contacts/0/wa_id").map(str::to_owned),
        user_id: text("/contacts/0/user_id").map(str::to_owned),
        held: text("/messages/0/message_status").filter(|word| *word != "accepted").map(str::to_owned),
    })
}

/// The envelope `{"error": {…}}`.
struct GraphError<'a> {
    code: i64,
    message: &'a str,
    details: Option<&'a str>,
    transient: bool,
}

impl<'a> GraphError<'a> {
    fn of(json: &'a Value) -> Option<Self> {
        let error = json.get("error")?;
        let text = |pointer| error.pointer(pointer).and_then(Value::as_str);
        Some(Self {
            code: error.get("code")?.as_i64()?,
            message: text("/message").unwrap_or_default(),
            details: text("/error_data/details").or_else(|| text("/error_user_msg")),
            transient: error.get("is_transient").and_then(Value::as_bool) == Some(true),
        })
    }

    fn refusal(&self, status: u16, retry_after: Option<Duration>) -> ProviderRefusal {
        let row = error_row(self.code);
        let (action, scope) = match row {
            Some(row) => (row.action, row.scope),
            None => self.by_class(status),
        };
        ProviderRefusal {
            code: self.code.to_string(),
            title: shortened(self.title(row)),
            details: self.details.or(row.map(|row| row.meaning)).map(shortened),
            http_status: Some(status),
            provider_id: None,
            action: no_sooner(action, retry_after),
            scope,
        }
    }

    /// For a code that the table does not have: 429, 5xx and what calls itself transient passes; the rest does not.
    fn by_class(&self, status: u16) -> (Action, Scope) {
        match status {
            429 => (Action::Retry { after: None }, Scope::Sender),
            _ if self.transient => (Action::Retry { after: None }, Scope::Message),
            500.. => (Action::Retry { after: None }, Scope::Message),
            401 => (Action::Pause, Scope::App),
            _ => (Action::Fail, Scope::Message),
        }
    }

    /// `message` without the `(#131056) ` that it opens with.
    fn title(&self, row: Option<&'static ErrorRow>) -> &'a str {
        let bare = self
            .message
            .strip_prefix("(#")
            .and_then(|rest| rest.split_once(") "))
            .map_or(self.message, |(_, words)| words);
        match (bare, row) {
            ("", Some(row)) => row.meaning,
            ("", None) => "the provider gave no words",
            (words, _) => words,
        }
    }
}

#[cfg(test)]
mod tests;
