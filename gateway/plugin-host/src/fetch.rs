//! What a plugin may ask the host to read, as its manifest says: hosts, also ones that a connection names; reads by POST; headers and bodies. What the operator
//! grants of it, and where a name leads, is for the gateway.

mod connecting;

pub(crate) use connecting::check as check_connecting;

use crate::manifest::{AuthKind, Capabilities, PostRule};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;
use tidegate_model::{
    outcome::{ConnectionInfo, Request},
    reach::{Authority, HostPattern, authority_of, path_of},
};

/// Headers that a request may have. What proves who asks is the host's alone.
const HEADERS: &[&str] = &[
    "accept",
    "accept-language",
    "content-type",
    "if-modified-since",
    "if-none-match",
    "if-unmodified-since",
    "prefer",
];
/// Beginnings of further names: versions of an API, which some providers take in a header of their own.
const HEADER_BEGINNINGS: &[&str] = &["x-api-version", "api-version", "x-goog-fieldmask"];
/// Longest URL.
const URL_BYTES: usize = 8 << 10;
/// Longest body: a read by POST names what it wants.
const BODY_BYTES: usize = 64 << 10;
/// Longest value of a header.
const VALUE_BYTES: usize = 1 << 10;

/// A host that a manifest asks for, filled in for one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// As the manifest writes it.
    pub template: String,
    /// What it is for the connection: a host, `*.host`, or an authority that the connection names. `None` when the connection does not say.
    pub host: Option<String>,
}

impl Asked {
    /// Whether it covers a host with its port.
    pub fn covers(&self, authority: &Authority) -> bool {
        let Some(host) = &self.host else { return false };
        match HostPattern::parse(host) {
            Some(pattern) => authority.port.is_none() && pattern.covers(&authority.host),
            None => Authority::parse(host).as_ref() == Some(authority),
        }
    }
}

/// Fills in a host of the manifest: `{account}` and `{settings.KEY}` are the connection's.
///
/// # Errors
/// The connection's value is no host: which, and what was expected.
pub fn fill(template: &str, connection: &ConnectionInfo) -> Result<Asked, String> {
    let asked = |host| Ok(Asked { template: template.to_owned(), host });
    let Some(parts) = parts(template) else { return asked(None) };
    let mut host = String::new();
    for part in &parts {
        match part {
            Part::Text(text) => host.push_str(text),
            Part::Account => match &connection.account {
                Some(account) => host.push_str(account),
                None => return asked(None),
            },
            Part::Setting(key) => match setting(connection, key) {
                Some(value) => host.push_str(&value),
                None => return asked(None),
            },
        }
    }
    let host = host.to_ascii_lowercase();
    let is_written_out = parts.iter().all(|part| matches!(part, Part::Text(_)));
    let fits = if is_written_out { HostPattern::parse(&host).is_some() } else { Authority::parse(&host).is_some() };
    if !fits {
        return Err(format!(
            "the plugin reads from {template:?}, which is {:?} here: expected a host such as shop.example.com",
            short(&host)
        ));
    }
    asked(Some(host))
}

/// The setting that is at fault when a template can't be filled in; `None` when it is the account, or there is none.
pub fn setting_of(template: &str) -> Option<&str> {
    parts(template)?.into_iter().find_map(|part| match part {
        Part::Setting(key) => Some(key),
        Part::Text(_) | Part::Account => None,
    })
}

fn setting(connection: &ConnectionInfo, key: &str) -> Option<String> {
    let settings: Value = serde_json::from_str(&connection.settings).ok()?;
    settings.get(key)?.as_str().map(str::to_owned)
}

enum Part<'t> {
    Text(&'t str),
    Account,
    Setting(&'t str),
}

/// `None` when the braces don't fit, or name something else.
fn parts(template: &str) -> Option<Vec<Part<'_>>> {
    let (mut parts, mut rest) = (Vec::new(), template);
    while let Some((before, after)) = rest.split_once('{') {
        let (name, behind) = after.split_once('}')?;
        parts.push(Part::Text(before));
        parts.push(match name.strip_prefix("settings.") {
            Some(key) if !key.is_empty() => Part::Setting(key),
            None if name == "account" => Part::Account,
            _ => return None,
        });
        rest = behind;
    }
    if rest.contains('}') {
        return None;
    }
    parts.push(Part::Text(rest));
    Some(parts)
}

/// Whether the manifest may say this host: a host, `*.host`, or a template.
pub(crate) fn is_template(text: &str) -> bool {
    let Some(parts) = parts(text) else { return false };
    if parts.iter().all(|part| matches!(part, Part::Text(_))) {
        return HostPattern::parse(text).is_some();
    }
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-');
    parts.iter().all(|part| !matches!(part, Part::Text(text) if !text.bytes().all(plain)))
}

/// Whether a header of this name may carry a credential that the host adds.
pub(crate) fn is_auth_header(kind: AuthKind, name: &str) -> bool {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let plain = !name.is_empty() && name.bytes().all(token);
    plain
        && (kind != AuthKind::Header
            || !["host", "content-length", "connection"].contains(&name.to_ascii_lowercase().as_str()))
}

/// What is wrong with a request: its field, and the reason.
pub(crate) type Wrong = (&'static str, String);

/// Whether the manifest lets the request be made for this connection, or why not.
pub(crate) fn check(request: &Request, capabilities: &Capabilities, connection: &ConnectionInfo) -> Result<(), Wrong> {
    if request.url.len() > URL_BYTES {
        return Err(("url", format!("{} bytes, and {URL_BYTES} is the most", request.url.len())));
    }
    let authority = authority_of(&request.url)
        .ok_or_else(|| ("url", format!("expected an https URL of a named host, found {:?}", short(&request.url))))?;
    let filled = |template: &String| fill(template, connection).ok();
    if !capabilities.fetch.iter().filter_map(filled).any(|asked| asked.covers(&authority)) {
        let host = &authority.host;
        return Err((
            "url",
            format!(
                "the plugin may not read from {authority}: its plugin.toml needs `fetch = [\"{host}\"]` under [capabilities]"
            ),
        ));
    }
    match request.method.as_str() {
        "GET" if request.body.is_some() => return Err(("body", "a GET has no body".to_owned())),
        "GET" => {}
        "POST" => post(request, capabilities, connection, &authority)?,
        other => return Err(("method", format!("expected the method GET or POST, found {:?}", short(other)))),
    }
    headers(request)
}

fn post(
    request: &Request,
    capabilities: &Capabilities,
    connection: &ConnectionInfo,
    authority: &Authority,
) -> Result<(), Wrong> {
    let bytes = request.body.as_ref().map_or(0, String::len);
    if bytes > BODY_BYTES {
        return Err(("body", format!("{bytes} bytes, and {BODY_BYTES} is the most")));
    }
    let path = path_of(&request.url);
    if is_ruled(&capabilities.post, connection, authority, request) {
        return Ok(());
    }
    let line = format!("[[capabilities.post]] with `host = \"{}\"` and `path = \"{}\"`", authority.host, short(path));
    Err((
        "method",
        format!(
            "the plugin may not POST there, since a POST may change something: if it only reads, its plugin.toml needs {line}"
        ),
    ))
}

/// Whether one of the rules lets a POST be made there.
fn is_ruled(rules: &[PostRule], connection: &ConnectionInfo, authority: &Authority, request: &Request) -> bool {
    let path = path_of(&request.url);
    rules.iter().any(|rule| {
        fill(&rule.host, connection).is_ok_and(|asked| asked.covers(authority))
            && path_fits(&rule.path, path)
            && (!rule.graphql || is_graphql_query(request.body.as_deref()))
    })
}

/// A GraphQL request. A key that is there twice is an error: the provider might take the other one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Graphql {
    query: String,
    #[serde(default, rename = "variables")]
    _variables: IgnoredAny,
    #[serde(default, rename = "operationName")]
    _operation_name: IgnoredAny,
}

/// Whether a GraphQL request can only read: its document begins as a query, and nowhere in it is a mutation named.
fn is_graphql_query(body: Option<&str>) -> bool {
    let asked = body.and_then(|body| serde_json::from_str::<Graphql>(body).ok());
    asked.is_some_and(|Graphql { query, .. }| {
        let begins = query.trim_start();
        (begins.starts_with("query") || begins.starts_with('{')) && !query.contains("mutation")
    })
}

/// Whether a path is the rule's; `*` in it stands for one part between slashes.
fn path_fits(rule: &str, path: &str) -> bool {
    let (rule, path): (Vec<&str>, Vec<&str>) = (rule.split('/').collect(), path.split('/').collect());
    let dots = path.iter().any(|part| matches!(*part, "." | "..") || part.contains('%') || part.contains('\\'));
    !dots
        && rule.len() == path.len()
        && rule.iter().zip(&path).all(|(rule, part)| rule == part || (*rule == "*" && !part.is_empty()))
}

fn headers(request: &Request) -> Result<(), Wrong> {
    for (name, value) in &request.headers {
        let known = HEADERS.contains(&name.as_str()) || HEADER_BEGINNINGS.iter().any(|begin| name == begin);
        if !known {
            return Err((
                "headers",
                format!(
                    "a plugin may not set {:?}; it may set {}; credentials are added by the gateway",
                    short(name),
                    HEADERS.join(", ")
                ),
            ));
        }
        if value.len() > VALUE_BYTES || !value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return Err(("headers", format!("the value of {name} must be at most {VALUE_BYTES} plain characters")));
        }
    }
    Ok(())
}

fn short(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(account: Option<&str>, settings: &str) -> ConnectionInfo {
        ConnectionInfo { name: "test".to_owned(), account: account.map(str::to_owned), settings: settings.to_owned() }
    }

    fn get(url: &str) -> Request {
        Request { method: "GET".to_owned(), url: url.to_owned(), headers: Vec::new(), body: None }
    }

    fn asking(fetch: &[&str]) -> Capabilities {
        Capabilities { fetch: fetch.iter().map(|&host| host.to_owned()).collect(), ..Capabilities::default() }
    }

    #[test]
    fn only_hosts_that_the_manifest_names_are_read() {
        let check_url = |url: &str, fetch: &[&str], allowed: bool| {
            let connection = connection(Some("acme.myshopify.com"), r#"{"store":"shop.internal:8443","odd":7}"#);
            assert_eq!(check(&get(url), &asking(fetch), &connection).is_ok(), allowed, "{url} with {fetch:?}");
        };
        check_url("https://api.example.com/a?b", &["api.example.com"], true);
        check_url("https://API.example.com", &["api.example.com"], true);
        check_url("https://eu.api.example.com/", &["*.example.com"], true);
        check_url("https://example.com/", &["*.example.com"], false);
        check_url("https://api.example.com@evil.org/", &["api.example.com"], false);
        check_url("https://evil.org/https://api.example.com", &["api.example.com"], false);
        check_url("https://api.example.com:8443/", &["api.example.com"], false);
        check_url("https://127.0.0.1/", &["127.0.0.1"], false);
        check_url("https://api.example.com/", &[], false);
        check_url("https://acme.myshopify.com/", &["{account}"], true);
        check_url("https://other.myshopify.com/", &["{account}"], false);
        check_url("https://shop.internal:8443/x", &["{settings.store}"], true);
        check_url("https://shop.internal/x", &["{settings.store}"], false);
        check_url("https://shop.internal:8443/x", &["{settings.none}"], false);
        check_url("https://shop.internal:8443/x", &["{settings.odd}"], false);
    }

    #[test]
    fn a_template_is_filled_with_what_the_connection_says_and_checked_then() {
        let check = |template: &str, account: Option<&str>, expected: Result<Option<&str>, ()>| {
            let found = fill(template, &connection(account, r#"{"shop":"acme"}"#));
            assert_eq!(
                found.map(|asked| asked.host).map_err(|_| ()),
                expected.map(|host| host.map(str::to_owned)),
                "{template} {account:?}"
            );
        };
        check("api.example.com", None, Ok(Some("api.example.com")));
        check("*.example.com", None, Ok(Some("*.example.com")));
        check("{account}", Some("Acme.example.com"), Ok(Some("acme.example.com")));
        check("{account}", None, Ok(None));
        check("{settings.shop}.example.com", None, Ok(Some("acme.example.com")));
        check("{account}", Some("*.example.com"), Err(()));
        check("{account}", Some("a@b.example.com"), Err(()));
        check("{account}", Some("a.example.com/x"), Err(()));
        check("{account}.example.com", Some("evil.org#"), Err(()));
        check("{account}", Some(""), Err(()));
    }

    #[test]
    fn what_a_manifest_may_say_is_a_host_or_a_template() {
        for good in ["api.example.com", "*.example.com", "{account}", "{settings.store}", "{settings.shop}.example.com"]
        {
            assert!(is_template(good), "{good}");
        }
        for bad in [
            "https://x.example",
            "*",
            "{other}",
            "{settings.}",
            "{account",
            "account}",
            "{account}:80",
            "{account}/x",
            "localhost",
        ] {
            assert!(!is_template(bad), "{bad}");
        }
    }

    #[test]
    fn a_post_is_made_only_where_the_manifest_says_that_it_reads() {
        let mut asks = asking(&["api.example.com"]);
        asks.post = vec![
            PostRule {
                host: "api.example.com".to_owned(),
                path: "/v3/objects/*/batch/read".to_owned(),
                graphql: false,
            },
            PostRule { host: "api.example.com".to_owned(), path: "/search".to_owned(), graphql: false },
        ];
        let check_post = |url: &str, allowed: bool| {
            let request = Request { method: "POST".to_owned(), body: Some("{}".to_owned()), ..get(url) };
            assert_eq!(check(&request, &asks, &connection(None, "{}")).is_ok(), allowed, "{url}");
        };
        check_post("https://api.example.com/search?x=1", true);
        check_post("https://api.example.com/v3/objects/contacts/batch/read", true);
        check_post("https://api.example.com/v3/objects//batch/read", false);
        check_post("https://api.example.com/v3/objects/contacts/batch/archive", false);
        check_post("https://api.example.com/v3/objects/../batch/read", false);
        check_post("https://api.example.com/v3/objects/%2e%2e/batch/read", false);
        check_post("https://api.example.com/search/more", false);
    }

    #[test]
    fn what_a_request_may_not_have_is_said_with_its_field() {
        let check_request = |change: &dyn Fn(&mut Request), field: &str, word: &str| {
            let mut request = get("https://api.example.com/x");
            change(&mut request);
            let (found, reason) = check(&request, &asking(&["api.example.com"]), &connection(None, "{}")).unwrap_err();
            assert!(found == field && reason.contains(word), "{found}: {reason}");
        };
        check_request(
            &|request| request.url = "https://a.example.com/x".to_owned(),
            "url",
            "fetch = [\"a.example.com\"]",
        );
        check_request(&|request| request.url.push_str(&"x".repeat(9_000)), "url", "8192 is the most");
        check_request(&|request| request.method = "DELETE".to_owned(), "method", "GET or POST");
        check_request(&|request| request.method = "POST".to_owned(), "method", "[[capabilities.post]]");
        check_request(&|request| request.body = Some(String::new()), "body", "no body");
        for name in ["authorization", "cookie", "host", "x-api-key", "proxy-authorization", "transfer-encoding"] {
            check_request(&|request| request.headers.push((name.to_owned(), "x".to_owned())), "headers", name);
        }
        check_request(
            &|request| request.headers.push(("accept".to_owned(), "a\r\nb: c".to_owned())),
            "headers",
            "plain",
        );
        check_request(&|request| request.headers.push(("accept".to_owned(), "x".repeat(2_000))), "headers", "plain");
    }
}
