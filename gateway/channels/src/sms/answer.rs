//! Reads Twilio's answer to a send: a pure function of status, headers and body. What is no certain answer is `Unknown`.

use reqwest::header::HeaderMap;
use serde_json::Value;

use super::errors::error_row;
use crate::{
    Action, ProviderRefusal, Scope, SendResult,
    transport::{no_sooner, retry_after, shortened, without_envelope},
};

/// What an answer without Twilio's error may be.
const NO_ERROR: &str = "the answer has no error of Twilio's: check base_url, and what stands between";

/// What an answer to a send means.
///
/// A 4xx is a refusal, and its `code` says what to do. Of 429 Twilio says that it is never processed. Of a 5xx, also of one with a code, and of a 2xx without a message,
/// nobody knows whether the message went. A message that Twilio took and failed at once (`status` in the body of a 201) is refused.
pub(super) fn parse_answer(status: u16, headers: &HeaderMap, body: &[u8]) -> SendResult {
    let json = serde_json::from_slice::<Value>(body).unwrap_or(Value::Null);
    match status {
        200..=299 => taken(status, &json).unwrap_or_else(|| SendResult::Unknown {
            reason: format!("the provider answered {status}, but without a message: it may have been sent"),
        }),
        // A proxy's "request timeout" may come when the request was read in full.
        408 | 500.. => SendResult::Unknown {
            reason: format!("the provider answered {status}{}: it may have been sent", in_words(&json)),
        },
        _ => SendResult::Refused(refused(status, headers, &json)),
    }
}

/// A message that Twilio made.
fn taken(status: u16, json: &Value) -> Option<SendResult> {
    let sid = json.get("sid").and_then(Value::as_str).filter(|sid| !sid.is_empty())?;
    let state = json.get("status").and_then(Value::as_str).unwrap_or_default();
    if matches!(state, "failed" | "undelivered" | "canceled") {
        let code = json.get("error_code").and_then(Value::as_i64);
        let words = json.get("error_message").and_then(Value::as_str);
        let refusal = refusal(code, words, state, status);
        return Some(SendResult::Refused(ProviderRefusal { provider_id: Some(sid.to_owned()), ..refusal }));
    }
    let held = (state == "scheduled").then(|| state.to_owned());
    Some(SendResult::Accepted { provider_id: sid.to_owned(), wa_id: None, user_id: None, held })
}

fn refused(status: u16, headers: &HeaderMap, json: &Value) -> ProviderRefusal {
    let wait = retry_after(headers);
    let Some(code) = json.get("code").and_then(Value::as_i64) else {
        return without_envelope(status, wait, NO_ERROR);
    };
    let words = json.get("message").and_then(Value::as_str);
    let refusal = refusal(Some(code), words, "refused", status);
    ProviderRefusal { action: no_sooner(refusal.action, wait), ..refusal }
}

fn refusal(code: Option<i64>, words: Option<&str>, state: &str, status: u16) -> ProviderRefusal {
    let row = code.and_then(error_row);
    // For a code that the table does not have: 429 passes, 401 and 403 are about who asks, the rest is about the message.
    let (action, scope) = match (row, status) {
        (Some(row), _) => (row.action, row.scope),
        (None, 429) => (Action::Retry { after: None }, Scope::Account),
        (None, 401 | 403) => (Action::Pause, Scope::App),
        (None, _) => (Action::Fail, Scope::Message),
    };
    let words = words.filter(|words| !words.is_empty());
    let meaning = row.map(|row| row.meaning);
    ProviderRefusal {
        code: code.map_or_else(|| state.to_owned(), |code| code.to_string()),
        title: shortened(words.or(meaning).unwrap_or("the provider gave no words")),
        details: meaning.map(str::to_owned),
        http_status: Some(status),
        provider_id: None,
        action,
        scope,
    }
}

/// The code of an error, for an operator.
fn in_words(json: &Value) -> String {
    json.get("code").and_then(Value::as_i64).map(|code| format!(" (code {code})")).unwrap_or_default()
}

#[cfg(test)]
mod tests;
