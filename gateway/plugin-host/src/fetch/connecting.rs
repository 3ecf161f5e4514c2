//! What a plugin's connector may ask the host to do: read where the plugin reads, and write where `[connector] write` says, while it subscribes or unsubscribes.

use super::{BODY_BYTES, URL_BYTES, Wrong, fill, headers, is_ruled, short};
use crate::manifest::Manifest;
use tidegate_model::{
    outcome::{ConnectionInfo, Request},
    reach::authority_of,
};

/// Methods that change something.
const WRITES: &[&str] = &["POST", "PUT", "PATCH", "DELETE"];

/// Whether the manifest lets its connector make the request for this connection, or why not. `may_write` is whether the task may change something.
pub(crate) fn check(
    request: &Request,
    manifest: &Manifest,
    connection: &ConnectionInfo,
    may_write: bool,
) -> Result<(), Wrong> {
    if request.url.len() > URL_BYTES {
        return Err(("url", format!("{} bytes, and {URL_BYTES} is the most", request.url.len())));
    }
    if request.body.as_ref().is_some_and(|body| body.len() > BODY_BYTES) {
        return Err(("body", format!("more than {BODY_BYTES} bytes")));
    }
    let authority = authority_of(&request.url)
        .ok_or_else(|| ("url", format!("expected an https URL of a named host, found {:?}", short(&request.url))))?;
    let covers = |hosts: &[String]| {
        hosts.iter().filter_map(|host| fill(host, connection).ok()).any(|asked| asked.covers(&authority))
    };
    if !covers(&manifest.capabilities.fetch) {
        let line = format!("its plugin.toml needs `fetch = [\"{}\"]` under [capabilities]", authority.host);
        return Err(("url", format!("the plugin may not read from {authority}: {line}")));
    }
    headers(request)?;
    let method = request.method.as_str();
    let connector = manifest.connector.as_ref();
    let queries = connector.is_some_and(|held| is_ruled(&held.query, connection, &authority, request));
    match method {
        "GET" if request.body.is_some() => Err(("body", "a GET has no body".to_owned())),
        "GET" => Ok(()),
        "POST" if queries || is_ruled(&manifest.capabilities.post, connection, &authority, request) => Ok(()),
        _ if !WRITES.contains(&method) => {
            Err(("method", format!("expected GET or one of {}, found {:?}", WRITES.join(", "), short(method))))
        }
        _ if !may_write => {
            Err(("method", format!("a {method} may change something, and this task only looks: use GET")))
        }
        _ if connector.is_some_and(|held| covers(&held.write)) => Ok(()),
        _ => {
            let line = format!("its plugin.toml needs `write = [\"{}\"]` under [connector]", authority.host);
            Err(("method", format!("the plugin may not write to {authority}: {line}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "id = \"a\"\nname = \"A\"\nversion = \"1.0.0\"\n\
        [capabilities]\nfetch = [\"read.example.com\", \"both.example.com\"]\n\
        [connector]\nwrite = [\"both.example.com\"]\nquery = [{ host = \"both.example.com\", path = \"/search\" }, { host = \"both.example.com\", path = \"/graphql\", graphql = true }]\n";

    #[test]
    fn a_connector_writes_to_its_hosts_and_only_in_tasks_that_may() {
        let manifest = Manifest::parse("plugin.toml", MANIFEST).unwrap();
        let check_one = |method: &str, url: &str, may_write: bool, expected: Option<&str>| {
            let request = Request { method: method.to_owned(), url: url.to_owned(), headers: Vec::new(), body: None };
            match (check(&request, &manifest, &ConnectionInfo::default(), may_write), expected) {
                (Ok(()), None) => {}
                (Err((_, reason)), Some(words)) => assert!(reason.contains(words), "{reason}"),
                (found, _) => panic!("{method} {url}: {found:?}"),
            }
        };
        let both = "https://both.example.com/hooks";
        check_one("GET", "https://read.example.com/x", false, None);
        for method in WRITES {
            check_one(method, both, true, None);
            check_one(method, both, false, Some("only looks"));
            check_one(method, "https://read.example.com/x", true, Some("may not write"));
        }
        check_one("POST", "https://both.example.com/search", false, None);
        let graphql = |document: &str, may_write: bool, expected: Option<&str>| {
            let body = serde_json::json!({"query": document, "variables": {}}).to_string();
            let url = "https://both.example.com/graphql".to_owned();
            let request = Request { method: "POST".to_owned(), url, headers: Vec::new(), body: Some(body) };
            let found = check(&request, &manifest, &ConnectionInfo::default(), may_write);
            assert_eq!(
                found.err().map(|(_, reason)| reason.contains("only looks")),
                expected.map(|_| true),
                "{document}"
            );
        };
        graphql("query { shop { id } }", false, None);
        graphql(" { shop { id } }", false, None);
        graphql("mutation { hook { id } }", false, Some("only looks"));
        graphql("query A { shop { id } } mutation B { hook { id } }", false, Some("only looks"));
        graphql("#\nmutation { hook { id } }", false, Some("only looks"));
        graphql("mutation { hook { id } }", true, None);
        let twice = r#"{"query": "mutation { hook }", "query": "query { shop }"}"#;
        assert!(!super::super::is_graphql_query(Some(twice)));
        check_one("TRACE", both, true, Some("expected GET"));
        check_one("GET", "https://other.example.com/x", true, Some("may not read"));
    }
}
