//! Hosts: how a manifest and a configuration name what may be read, and which hosts a name covers. Pure text; it resolves nothing.

use std::{fmt, net::IpAddr};

/// A host, or every host below one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum HostPattern {
    /// `api.example.com`.
    Exact(String),
    /// `*.example.com`: every host below, and not `example.com` itself.
    Below(String),
}

impl HostPattern {
    /// Reads `api.example.com` or `*.example.com`; `None` for an address, a port, a bare name or upper case.
    pub fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix("*.") {
            Some(parent) => is_host(parent).then(|| Self::Below(parent.to_owned())),
            None => is_host(text).then(|| Self::Exact(text.to_owned())),
        }
    }

    /// Whether the host is one of these.
    pub fn covers(&self, host: &str) -> bool {
        match self {
            Self::Exact(name) => host == name,
            Self::Below(parent) => host.strip_suffix(parent).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(name) => f.write_str(name),
            Self::Below(parent) => write!(f, "*.{parent}"),
        }
    }
}

/// A host of any kind, an address included, and the port when it is not the scheme's own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Authority {
    /// Name or address, in lower case; an IPv6 address in brackets.
    pub host: String,
    /// Port.
    pub port: Option<u16>,
}

impl Authority {
    /// Reads `shop.internal:8443`, `127.0.0.1:9000`, `[::1]:80` or `shop.internal`.
    pub fn parse(text: &str) -> Option<Self> {
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                let plain = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
                (host, Some(plain.then(|| port.parse().ok()).flatten().filter(|port| *port > 0)?))
            }
            _ => (text, None),
        };
        let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        let is_address = address.parse::<IpAddr>().is_ok_and(|ip| ip.is_ipv6() == host.starts_with('['));
        (is_address || is_name(host)).then(|| Self { host: host.to_owned(), port })
    }

    /// Whether it is a named host of the internet without a port: what a [`HostPattern`] may cover.
    pub fn is_public_name(&self) -> bool {
        self.port.is_none() && is_host(&self.host)
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.host),
            None => f.write_str(&self.host),
        }
    }
}

/// The host and the port of an absolute `https` or `http` URL; `None` when it names a user, or is none.
pub fn authority_of(url: &str) -> Option<Authority> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    let authority = rest.split(['/', '?', '#', '\\']).next()?;
    Authority::parse(&authority.to_ascii_lowercase())
}

/// The path of an absolute URL, without its query; `/` when it has none.
pub fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    rest.find('/').map_or("/", |slash| &rest[slash..])
}

/// Names of letters, digits and `-`, at least two of them: no addresses, no ports, no bare `localhost`.
pub fn is_host(text: &str) -> bool {
    let letters_last = text.rsplit('.').next().is_some_and(|top| top.starts_with(|c: char| c.is_ascii_lowercase()));
    text.contains('.') && letters_last && is_name(text)
}

/// The same, also of one label only.
fn is_name(text: &str) -> bool {
    let label = |part: &str| {
        let inner = part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        inner && !part.is_empty() && !part.starts_with('-') && !part.ends_with('-')
    };
    let letters_last = text.rsplit('.').next().is_some_and(|top| top.starts_with(|c: char| c.is_ascii_lowercase()));
    text.len() <= 253 && letters_last && text.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_covers_its_host_or_what_is_below_it() {
        let check = |pattern: &str, host: &str, expected: bool| {
            assert_eq!(
                HostPattern::parse(pattern).is_some_and(|pattern| pattern.covers(host)),
                expected,
                "{pattern} {host}"
            );
        };
        check("api.example.com", "api.example.com", true);
        check("api.example.com", "eu.api.example.com", false);
        check("*.example.com", "eu.api.example.com", true);
        check("*.example.com", "example.com", false);
        check("*.example.com", "badexample.com", false);
        check("*.example.com", ".example.com", false);
        check("*.com.", "example.com.", false);
        check("localhost", "localhost", false);
        check("127.0.0.1", "127.0.0.1", false);
        check("API.example.com", "API.example.com", false);
        check("*", "example.com", false);
    }

    #[test]
    fn the_authority_of_a_url_is_exact_or_none() {
        let check = |url: &str, expected: Option<&str>| {
            assert_eq!(authority_of(url).map(|found| found.to_string()).as_deref(), expected, "{url}");
        };
        check("https://API.example.com/a?b", Some("api.example.com"));
        check("https://api.example.com", Some("api.example.com"));
        check("https://shop.internal:8443/x", Some("shop.internal:8443"));
        check("http://127.0.0.1:9000/x", Some("127.0.0.1:9000"));
        check("https://[::1]:80/x", Some("[::1]:80"));
        check("https://[::1]/x", Some("[::1]"));
        check("https://api.example.com@evil.org/", None);
        check("https://user:pass@evil.org/", None);
        check("https://a.example.com:/", None);
        check("https://a.example.com:0/", None);
        check("https://a.example.com:99999/", None);
        check("https://::1/", None);
        check("ftp://a.example.com/", None);
        check("https:///x", None);
        check("https://0x7f.1/", None);
        check("https://2130706433/", None);
    }

    #[test]
    fn a_path_is_without_its_query() {
        for (url, path) in
            [("https://a.example/x/y?z#w", "/x/y"), ("https://a.example", "/"), ("https://a.example?x=/y", "/")]
        {
            assert_eq!(path_of(url), path, "{url}");
        }
    }
}
