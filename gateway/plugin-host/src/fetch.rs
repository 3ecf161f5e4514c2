//! What a plugin may ask the host to read: hosts that its manifest names.

use crate::manifest::Capabilities;
use tidegate_model::outcome::Request;

/// A host, or every host below one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HostPattern<'a> {
    Exact(&'a str),
    Below(&'a str),
}

impl<'a> HostPattern<'a> {
    /// Reads `api.example.com` or `*.example.com`.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (host, pattern): (&str, fn(&'a str) -> Self) = match text.strip_prefix("*.") {
            Some(parent) => (parent, Self::Below),
            None => (text, Self::Exact),
        };
        is_host(host).then(|| pattern(host))
    }

    fn covers(&self, host: &str) -> bool {
        match self {
            Self::Exact(name) => host == *name,
            Self::Below(parent) => host.strip_suffix(parent).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
        }
    }
}

/// Names of letters, digits and `-`, at least two of them: no addresses, no ports, no bare `localhost`.
fn is_host(text: &str) -> bool {
    let label = |part: &str| {
        let inner = part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        inner && !part.is_empty() && !part.starts_with('-') && !part.ends_with('-')
    };
    let letters_last = text.rsplit('.').next().is_some_and(|top| top.starts_with(|c: char| c.is_ascii_lowercase()));
    text.len() <= 253 && text.contains('.') && letters_last && text.split('.').all(label)
}

/// Whether the request may be made, or why not.
pub(crate) fn check(request: &Request, granted: &Capabilities) -> Result<(), String> {
    if !matches!(request.method.as_str(), "GET" | "POST") {
        return Err(format!("expected the method GET or POST, found {:?}", short(&request.method)));
    }
    let host = https_host(&request.url)
        .ok_or_else(|| format!("expected an https URL of a named host, found {:?}", short(&request.url)))?;
    let patterns = granted.fetch.iter().filter_map(|text| HostPattern::parse(text));
    if patterns.into_iter().any(|pattern| pattern.covers(&host)) {
        return Ok(());
    }
    Err(format!(
        "the plugin may not read from {host}: its plugin.toml needs `fetch = [\"{host}\"]` under [capabilities]"
    ))
}

/// The host of an `https` URL without user and port.
fn https_host(url: &str) -> Option<String> {
    let rest = url.strip_prefix("https://")?;
    let host = rest.split(['/', '?', '#']).next()?.to_ascii_lowercase();
    is_host(&host).then_some(host)
}

fn short(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_url(url: &str, fetch: &[&str], allowed: bool) {
        let request = Request { method: "GET".to_owned(), url: url.to_owned(), headers: Vec::new(), body: None };
        let granted = Capabilities { fetch: fetch.iter().map(|&host| host.to_owned()).collect() };
        assert_eq!(check(&request, &granted).is_ok(), allowed, "{url} with {fetch:?}");
    }

    #[test]
    fn only_named_hosts_are_read_and_only_over_https() {
        check_url("https://api.example.com/a?b", &["api.example.com"], true);
        check_url("https://API.example.com", &["api.example.com"], true);
        check_url("https://eu.api.example.com/", &["*.example.com"], true);
        check_url("https://example.com/", &["*.example.com"], false);
        check_url("https://badexample.com/", &["*.example.com"], false);
        check_url("https://.example.com/", &["*.example.com"], false);
        check_url("http://api.example.com/", &["api.example.com"], false);
        check_url("https://api.example.com@evil.org/", &["api.example.com"], false);
        check_url("https://evil.org/https://api.example.com", &["api.example.com"], false);
        check_url("https://api.example.com:8443/", &["api.example.com"], false);
        check_url("https://127.0.0.1/", &["127.0.0.1"], false);
        check_url("https://api.example.com/", &[], false);
    }

    #[test]
    fn a_refusal_names_the_line_to_add() {
        let request = Request {
            method: "GET".to_owned(),
            url: "https://a.example.com/x".to_owned(),
            headers: Vec::new(),
            body: None,
        };
        let reason = check(&request, &Capabilities::default()).unwrap_err();
        assert!(reason.contains("fetch = [\"a.example.com\"]"), "{reason}");
    }
}
