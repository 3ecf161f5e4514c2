//! What the wire did, in the terms of an attempt: what certainly never left is refused, what may have left is unknown.

use std::error::Error;

use reqwest::Response;

use super::answer::{parse_answer, retry_after, without_envelope};
use crate::{Action, ProviderRefusal, Scope, SendResult};

/// Longest answer that is read. Graph's have a few hundred bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

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
pub(crate) async fn read(mut response: Response) -> SendResult {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= MAX_ANSWER_BYTES => {
                body.extend_from_slice(&chunk);
            }
            Ok(None) => {
                return parse_answer(response.status().as_u16(), response.headers(), &body);
            }
            Ok(Some(_)) | Err(_) => return unreadable(&response),
        }
    }
}

/// The status came, the body did not (or was too long to be one of Graph's).
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
        details: Some("the provider's reason was lost on the way".to_owned()),
        action: Action::Retry { after },
        ..without_envelope(status, after)
    })
}

fn unreachable(details: String) -> ProviderRefusal {
    ProviderRefusal {
        code: "connect".to_owned(),
        title: "The provider could not be reached".to_owned(),
        details: Some(details),
        http_status: None,
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
