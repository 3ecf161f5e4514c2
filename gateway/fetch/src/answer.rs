//! What a provider answered, as a plugin may see it: text only, within its size, with the headers that are of use. Pure, but for the reading itself.

use reqwest::{
    Response,
    header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, RETRY_AFTER},
};
use std::time::Duration;

/// Headers that a plugin is shown.
const SHOWN: &[&str] = &[
    "content-type",
    "content-language",
    "date",
    "etag",
    "last-modified",
    "link",
    "x-total-count",
    "x-wp-total",
    "x-wp-totalpages",
    "x-next-page",
    "x-total-pages",
];
/// Longest value of a header that is shown.
const VALUE_BYTES: usize = 4 << 10;
/// Longest wait that a provider may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3_600);

/// Whether a status means that the same request may succeed later.
pub(crate) const fn is_worth_retrying(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500..=599)
}

/// How long the provider wants to be left alone, in seconds; its other form, a date, is not read. Shopify writes `2.0`.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let (seconds, part) = text.split_once('.').unwrap_or((text, ""));
    let seconds: u64 = seconds.parse().ok().filter(|_| part.bytes().all(|byte| byte.is_ascii_digit()))?;
    let begun = u64::from(part.bytes().any(|byte| byte != b'0'));
    Some(Duration::from_secs(seconds.saturating_add(begun)).min(LONGEST_WAIT))
}

/// The headers that a plugin is shown.
pub(crate) fn shown(headers: &HeaderMap) -> Vec<(String, String)> {
    let kept = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
        let value = value.to_str().ok().filter(|value| value.len() <= VALUE_BYTES)?;
        SHOWN.contains(&name.as_str()).then(|| (name.as_str().to_owned(), value.to_owned()))
    };
    headers.iter().filter_map(kept).collect()
}

/// Why a body was not read to its end.
#[derive(Debug)]
pub(crate) enum Unread {
    /// It will not be another one the next time.
    Unfit(String),
    /// The connection broke.
    Broken(reqwest::Error),
}

/// Reads a body: text in UTF-8, at most so many bytes.
pub(crate) async fn read(mut response: Response, most: usize) -> Result<String, Unread> {
    fits(response.headers(), most).map_err(Unread::Unfit)?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(Unread::Broken)? {
        if body.len() + chunk.len() > most {
            return Err(Unread::Unfit(too_large(most)));
        }
        body.extend_from_slice(&chunk);
    }
    String::from_utf8(body).map_err(|_| Unread::Unfit("the answer is not text in UTF-8".to_owned()))
}

/// What the headers tell of the body.
fn fits(headers: &HeaderMap, most: usize) -> Result<(), String> {
    let text = |name| headers.get(name).and_then(|value: &reqwest::header::HeaderValue| value.to_str().ok());
    if text(CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok()).is_some_and(|length| length > most as u64) {
        return Err(too_large(most));
    }
    if text(CONTENT_ENCODING).is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        return Err("the answer is compressed, which was not asked for".to_owned());
    }
    match text(CONTENT_TYPE) {
        Some(kind) if !is_text(kind) => {
            let kind: String = kind.chars().take(80).collect();
            Err(format!("the answer is {kind:?}: expected text or JSON in UTF-8"))
        }
        Some(_) | None => Ok(()),
    }
}

fn too_large(most: usize) -> String {
    format!(
        "the answer has more than {most} bytes, the most that the plugin asks for (answer_bytes under [capabilities])"
    )
}

/// Whether a content type is text in UTF-8, as far as it says.
fn is_text(kind: &str) -> bool {
    let kind = kind.to_ascii_lowercase();
    let mut parts = kind.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    let known = ["application/json", "application/xml", "application/javascript", "application/x-ndjson"];
    let text = name.is_empty()
        || name.starts_with("text/")
        || name.ends_with("+json")
        || name.ends_with("+xml")
        || known.contains(&name);
    let charset = parts.find_map(|part| part.strip_prefix("charset="));
    text && charset.is_none_or(|charset| ["utf-8", "utf8", "us-ascii"].contains(&charset.trim_matches('"')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderName, HeaderValue};

    fn headers(of: &[(&str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&str, &str)| {
            (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap())
        };
        of.iter().map(pair).collect()
    }

    #[test]
    fn only_text_in_utf_8_is_read() {
        for (kind, expected) in [
            ("application/json", true),
            ("application/json; charset=UTF-8", true),
            ("application/hal+json", true),
            ("text/plain;charset=\"utf-8\"", true),
            ("text/html; charset=iso-8859-1", false),
            ("image/png", false),
            ("application/octet-stream", false),
        ] {
            assert_eq!(fits(&headers(&[("content-type", kind)]), 10).is_ok(), expected, "{kind}");
        }
        assert!(fits(&headers(&[("content-encoding", "gzip")]), 10).is_err());
        assert!(fits(&headers(&[("content-length", "11")]), 10).is_err());
        assert!(fits(&headers(&[]), 10).is_ok());
    }

    #[test]
    fn a_plugin_is_shown_what_is_of_use() {
        let shown = shown(&headers(&[("etag", "x"), ("set-cookie", "a=b"), ("x-request-id", "1"), ("link", "<y>")]));
        assert_eq!(shown, [("etag".to_owned(), "x".to_owned()), ("link".to_owned(), "<y>".to_owned())]);
    }

    #[test]
    fn how_long_to_wait_is_read_in_seconds() {
        for (text, seconds) in [
            ("7", Some(7)),
            (" 7 ", Some(7)),
            ("999999999", Some(86_400)),
            ("2.0", Some(2)),
            ("2.5", Some(3)),
            ("2.x", None),
            ("-1", None),
            ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ] {
            assert_eq!(retry_after(&headers(&[("retry-after", text)])), seconds.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn what_may_pass_is_tried_again_and_other_statuses_are_answers() {
        let check = |status, expected| assert_eq!(is_worth_retrying(status), expected, "{status}");
        for status in [408, 425, 429, 500, 502, 503, 504, 599] {
            check(status, true);
        }
        for status in [200, 204, 301, 400, 401, 403, 404, 410, 422] {
            check(status, false);
        }
    }
}
