//! What is said over the clock's socket: JSON, a line each.
//!
//! `{"now":true}`, `{"advance_ms":N}` and `{"set_ms":N}` are answered by `{"now_ms":N,"mode":"…"}` or `{"error":"…"}`. `{"watch":true}` is answered by the same
//! line at once and again at each step, until either side closes; steps made faster than they are read are told as one.

use serde::{Deserialize, Serialize};

use crate::ClockMode;

/// The longest line either side reads, in bytes; every line of this protocol is far shorter.
pub(crate) const MAX_LINE: u64 = 1024;

/// What a client asks: an object with one of these keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Request {
    Now(Yes),
    AdvanceMs(i64),
    SetMs(i64),
    Watch(Yes),
}

/// The value `true`: a request without a number carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "bool", into = "bool")]
pub(crate) struct Yes;

impl TryFrom<bool> for Yes {
    type Error = &'static str;

    fn try_from(yes: bool) -> Result<Self, Self::Error> {
        if yes { Ok(Self) } else { Err("expected true: leave a request out instead of writing false") }
    }
}

impl From<Yes> for bool {
    fn from(Yes: Yes) -> Self {
        true
    }
}

/// What a clock showed, and how it runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// The domain time, in Unix milliseconds.
    pub now_ms: i64,
    /// How the clock runs; its start is that of the clock, not the time it shows.
    pub mode: ClockMode,
}

/// What the clock's side answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Reply {
    Reading(Reading),
    Error { error: String },
}

impl Reply {
    pub(crate) fn error(error: &dyn std::fmt::Display) -> Self {
        let error = error.to_string();
        Self::Error { error }
    }

    /// The reply as a line with its end.
    pub(crate) fn line(&self) -> Vec<u8> {
        line(self)
    }
}

impl Request {
    /// The request as a line with its end.
    pub(crate) fn line(self) -> Vec<u8> {
        line(&self)
    }
}

fn line(value: &impl Serialize) -> Vec<u8> {
    let mut line = serde_json::to_vec(value).expect("numbers and strings can be written as JSON");
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use super::{Reading, Reply, Request, Yes};
    use crate::ClockMode;

    #[test]
    fn requests_are_objects_with_one_key() {
        let check = |json: &str, expected: Request| {
            assert_eq!(serde_json::from_str::<Request>(json).unwrap(), expected);
            assert_eq!(expected.line(), format!("{json}\n").into_bytes());
        };
        check(r#"{"now":true}"#, Request::Now(Yes));
        check(r#"{"advance_ms":60000}"#, Request::AdvanceMs(60_000));
        check(r#"{"set_ms":1}"#, Request::SetMs(1));
        check(r#"{"watch":true}"#, Request::Watch(Yes));
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for json in [
            "",
            "{}",
            "true",
            r#"{"now":false}"#,
            r#"{"now":1}"#,
            r#"{"advance_ms":"1"}"#,
            r#"{"advance_ms":1.5}"#,
            r#"{"now":true,"watch":true}"#,
            r#"{"later":true}"#,
        ] {
            let read = serde_json::from_str::<Request>(json);
            assert!(read.is_err(), "{json}: {read:?}");
        }
    }

    #[test]
    fn replies_are_a_reading_or_an_error() {
        let check = |json: &str, expected: &Reply| {
            assert_eq!(&serde_json::from_str::<Reply>(json).unwrap(), expected);
            assert_eq!(expected.line(), format!("{json}\n").into_bytes());
        };
        let mode = ClockMode::System;
        let reading = Reading { now_ms: 5, mode };
        let json = r#"{"now_ms":5,"mode":"system"}"#;
        check(json, &Reply::Reading(reading));
        check(r#"{"error":"no"}"#, &Reply::error(&"no"));
    }
}
