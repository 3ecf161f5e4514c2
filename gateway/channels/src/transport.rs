//! What the wire did, in the terms of an attempt: what certainly never left is refused, what may have left is unknown.

use std::{error::Error, time::Duration};

use reqwest::{
    Response,
    header::{HeaderMap, RETRY_AFTER},
};

use crate::{Action, ProviderRefusal, Scope, SendResult};

/// Longest answer that is read. Providers' have a few hundred bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// Longest wait that a provider's `Retry-After` can ask for.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 3600);
/// Longest text that is kept of a provider's words, in characters.
pub(crate) const MAX_WORDS_CHARS: usize = 500;

/// What an answer means, by its status, headers and body.
pub(crate) type Parse = fn(u16, &HeaderMap, &[u8]) -> SendResult;

/// An attempt that got no answer.
pub(crate) fn failure(error: reqwest::Error) -> SendResult {
    let error = error.without_url();
    // No connection stood (name, TCP, TLS): not a byte of the request was written.
    if error.is_connect() {
        return SendResult::Refused(unreachable(causes(&error)));
    }
    let reason = if error.is_timeout() {
        "no answer came in time: it may have been sent".to_owned()
    } else {
        format!("the connection broke before the answer ({}): it may have been sent", causes(&error))
    };
    SendResult::Unknown { reason }
}

/// Reads an answer to its end.
pub(crate) async fn read(mut response: Response, parse: Parse) -> SendResult {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= MAX_ANSWER_BYTES => {
                body.extend_from_slice(&chunk);
            }
            Ok(None) => {
                return parse(response.status().as_u16(), response.headers(), &body);
            }
            Ok(Some(_)) | Err(_) => return unreadable(&response),
        }
    }
}

/// The status came, the body did not (or was too long to be one of a provider's).
fn unreadable(response: &Response) -> SendResult {
    let status = response.status().as_u16();
    if !response.status().is_client_error() || status == 408 {
        return SendResult::Unknown {
            reason: format!("the provider answered {status} and the rest was lost: it may have been sent"),
        };
    }
    // Refused for certain, but why is lost: asking again tells.
    let after = retry_after(response.headers());
    SendResult::Refused(ProviderRefusal {
        action: Action::Retry { after },
        ..without_envelope(status, after, "the provider's reason was lost on the way")
    })
}

/// What a refusal without a readable body means.
pub(crate) fn without_envelope(status: u16, retry_after: Option<Duration>, details: &str) -> ProviderRefusal {
    let (action, scope) = match status {
        429 => (Action::Retry { after: retry_after }, Scope::Sender),
        _ => (Action::Fail, Scope::Message),
    };
    ProviderRefusal {
        code: format!("http_{status}"),
        title: format!("The provider answered HTTP {status}"),
        details: Some(details.to_owned()),
        http_status: Some(status),
        provider_id: None,
        action,
        scope,
    }
}

/// The wait that an answer asks for, in seconds: the form that Graph and Twilio send.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    let seconds = text.trim().parse::<u64>().ok()?;
    Some(Duration::from_secs(seconds).min(MAX_RETRY_AFTER))
}

/// The wait of a table, or the provider's if that is longer.
pub(crate) fn no_sooner(action: Action, wait: Option<Duration>) -> Action {
    match action {
        // `None` is the least of all options.
        Action::Retry { after } => Action::Retry { after: after.max(wait) },
        Action::Defer { after } => Action::Defer { after: after.max(wait.unwrap_or_default()) },
        Action::Try { .. }
        | Action::Template
        | Action::Sms
        | Action::Unreachable
        | Action::Suppress(_)
        | Action::Pause
        | Action::PauseMarketing
        | Action::Fail => action,
    }
}

/// A provider's words, as long as they are kept.
pub(crate) fn shortened(words: &str) -> String {
    words.chars().take(MAX_WORDS_CHARS).collect()
}

fn unreachable(details: String) -> ProviderRefusal {
    ProviderRefusal {
        code: "connect".to_owned(),
        title: "The provider could not be reached".to_owned(),
        details: Some(details),
        http_status: None,
        provider_id: None,
        action: Action::Retry { after: None },
        scope: Scope::App,
    }
}

/// The causes below an error, outermost first, without the address.
fn causes(error: &reqwest::Error) -> String {
    let mut words = Vec::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        words.push(error.to_string());
        cause = error.source();
    }
    words.join(": ")
}
