//! What a plugin asks for, beside what another version of it asked for; and whether a version can interpret what another one cuts. Pure: two manifests in, words out.

use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use tidegate_plugin_host::{Auth, Limits, Manifest};

/// One thing that a version asks for, or does in another way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Want {
    /// What: `reads from api.example.com`.
    pub what: String,
    /// As it was; `-` for not at all.
    pub was: String,
    /// As it would be.
    pub now: String,
    /// Whether it is more than before, so that an operator must grant it.
    pub more: bool,
}

/// Where something is the same, and where not, between a version and the next. Without a version before, what is usual is taken for it.
pub(crate) fn wants(before: Option<&Manifest>, after: &Manifest) -> Vec<Want> {
    let mut found = hosts(before, after);
    found.extend(writes(before, after));
    found.extend(credentials(before, after));
    found.extend(limits(before, after));
    if let Some(before) = before {
        found.extend(topics(before, after));
        found.extend(ways(before, after));
    }
    found
}

/// Why items that one version cuts can't be interpreted by another, in words; `None` when they can.
pub(crate) fn misfit(cuts: &Manifest, interprets: &Manifest) -> Option<String> {
    let differing = differing_ways(cuts, interprets);
    if differing.is_empty() {
        return None;
    }
    Some(format!(
        "{id}@{} takes webhooks at the endpoint, and {id}@{} differs from it in {}: one connection can't run it by itself; switch the plugin as a whole",
        cuts.version,
        interprets.version,
        differing.join(", "),
        id = cuts.id,
    ))
}

fn hosts(before: Option<&Manifest>, after: &Manifest) -> Vec<Want> {
    let held = |host: &String| before.is_some_and(|before| before.capabilities.fetch.contains(host));
    let came = after.capabilities.fetch.iter().filter(|host| !held(host));
    let mut found: Vec<Want> = came.map(|host| want(format!("reads from {host}"), "-", "yes", true)).collect();
    let gone = before.into_iter().flat_map(|before| &before.capabilities.fetch);
    let gone = gone.filter(|host| !after.capabilities.fetch.contains(host));
    found.extend(gone.map(|host| want(format!("reads from {host}"), "yes", "-", false)));
    found
}

/// Where a connector writes, and where POSTs only read: the manifest's word for it is part of what is granted.
fn writes(before: Option<&Manifest>, after: &Manifest) -> Vec<Want> {
    let lines = |manifest: &Manifest| -> Vec<String> {
        let writes = manifest.connector.iter().flat_map(|connector| &connector.write);
        writes
            .map(|host| format!("writes to {host}"))
            .chain(manifest.posts().map(|place| format!("reads by POST from {place}")))
            .collect()
    };
    let (before, after) = (before.map(lines).unwrap_or_default(), lines(after));
    let came = after.iter().filter(|line| !before.contains(line)).map(|line| want(line.clone(), "-", "yes", true));
    let gone = before.iter().filter(|line| !after.contains(line)).map(|line| want(line.clone(), "yes", "-", false));
    came.chain(gone).collect()
}

/// Each entry of `[[auth]]`: how a credential is used is part of what is granted.
fn credentials(before: Option<&Manifest>, after: &Manifest) -> Vec<Want> {
    let (before, after) = (before.map(entries_of).unwrap_or_default(), entries_of(after));
    let mut found = Vec::new();
    for (name, entry) in &after {
        match before.get(name) {
            Some(held) if held == entry => {}
            Some(_) => found.push(want(format!("uses the credential {name}"), "one way", "another way", true)),
            None => found.push(want(format!("uses the credential {name}"), "-", "yes", true)),
        }
    }
    let gone = before.keys().filter(|name| !after.contains_key(*name));
    found.extend(gone.map(|name| want(format!("uses the credential {name}"), "yes", "-", false)));
    found
}

fn entries_of(manifest: &Manifest) -> BTreeMap<String, &Auth> {
    manifest.auth.iter().map(|auth| (format!("{} at {}", auth.secret, auth.host), auth)).collect()
}

fn limits(before: Option<&Manifest>, after: &Manifest) -> Vec<Want> {
    let usual = Limits::default();
    let before = serde_json::to_value(before.map_or(&usual, |before| &before.limits)).unwrap_or_default();
    let after = serde_json::to_value(after.limits).unwrap_or_default();
    let numbers = |limits: &Value, key: &str| limits[key].as_u64().unwrap_or_default();
    let keys: Vec<String> = after.as_object().into_iter().flat_map(|limits| limits.keys().cloned()).collect();
    let changed = keys.into_iter().map(|key| (numbers(&before, &key), numbers(&after, &key), key));
    let changed = changed.filter(|(was, now, _)| was != now);
    changed
        .map(|(was, now, key)| want(format!("limits.{key}"), &was.to_string(), &now.to_string(), now > was))
        .collect()
}

fn topics(before: &Manifest, after: &Manifest) -> Vec<Want> {
    let has = |manifest: &Manifest, name: &str| manifest.topics.iter().any(|topic| topic.name == name);
    let came = after.topics.iter().filter(|topic| !has(before, &topic.name));
    let gone = before.topics.iter().filter(|topic| !has(after, &topic.name));
    let came = came.map(|topic| want(format!("reads the topic {}", topic.name), "-", "yes", true));
    came.chain(gone.map(|topic| want(format!("reads the topic {}", topic.name), "yes", "-", false))).collect()
}

fn ways(before: &Manifest, after: &Manifest) -> Vec<Want> {
    differing_ways(before, after)
        .into_iter()
        .map(|what| want(what.to_owned(), "one way", "another way", true))
        .collect()
}

/// What an endpoint does by the manifest, as far as two of them differ in it.
fn differing_ways(one: &Manifest, other: &Manifest) -> Vec<&'static str> {
    let differ = [
        ("how webhooks are signed", one.signature != other.signature),
        ("how the URL is checked (handshake)", one.handshake != other.handshake),
        ("what webhooks are answered with", one.response != other.response),
        ("how webhooks are cut into items", one.items != other.items),
    ];
    differ.into_iter().filter(|(_, differ)| *differ).map(|(what, _)| what).collect()
}

fn want(what: String, was: &str, now: &str, more: bool) -> Want {
    Want { what, was: was.to_owned(), now: now.to_owned(), more }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(more: &str) -> Manifest {
        let text = format!("id = \"shop\"\nname = \"Shop\"\nversion = \"0.1.0\"\n{more}");
        Manifest::parse("plugin.toml", &text).unwrap()
    }

    #[track_caller]
    fn check(before: Option<&str>, after: &str, expected: &[&str]) {
        let found = wants(before.map(manifest).as_ref(), &manifest(after));
        let line =
            |want: &Want| format!("{}{}: {} -> {}", if want.more { "+ " } else { "  " }, want.what, want.was, want.now);
        assert_eq!(found.iter().map(line).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_is_more_must_be_granted_and_what_is_less_is_told() {
        check(Some(""), "", &[]);
        check(
            Some("[capabilities]\nfetch = [\"a.example.com\"]"),
            "[capabilities]\nfetch = [\"b.example.com\"]",
            &["+ reads from b.example.com: - -> yes", "  reads from a.example.com: yes -> -"],
        );
        check(
            Some("[limits]\ndeadline_ms = 500\nmemory_bytes = 2097152"),
            "[limits]\ndeadline_ms = 900\nmemory_bytes = 1048576",
            &["  limits.memory_bytes: 2097152 -> 1048576", "+ limits.deadline_ms: 500 -> 900"],
        );
        check(
            Some("[capabilities]\nfetch = [\"a.example.com\"]"),
            "[capabilities]\nfetch = [\"a.example.com\"]\n[connector]\nwrite = [\"a.example.com\"]",
            &["+ writes to a.example.com: - -> yes"],
        );
        let batch = "[[capabilities.batch]]\nget = \"/x/{id}\"\npost = \"/x/read\"\nmost = 9\nids = \"ids\"\nanswers = \"found\"\nanswer_id = \"id\"";
        let post = "[[capabilities.post]]\nhost = \"a.example.com\"\npath = \"/find\"";
        check(
            Some("[capabilities]\nfetch = [\"a.example.com\"]"),
            &format!("[capabilities]\nfetch = [\"a.example.com\"]\n{batch}\n{post}"),
            &[
                "+ reads by POST from a.example.com/find: - -> yes",
                "+ reads by POST from /x/read of every host that it reads from: - -> yes",
            ],
        );
        check(
            Some("topics = [{ name = \"a\" }]"),
            "topics = [{ name = \"b\" }]",
            &["+ reads the topic b: - -> yes", "  reads the topic a: yes -> -"],
        );
        check(
            Some("signature = { scheme = \"shopify\" }"),
            "signature = { scheme = \"meta\" }",
            &["+ how webhooks are signed: one way -> another way"],
        );
    }

    #[test]
    fn a_first_version_is_held_against_what_is_usual() {
        check(None, "topics = [{ name = \"a\" }]\nsignature = { scheme = \"shopify\" }", &[]);
        check(
            None,
            "[capabilities]\nfetch = [\"a.example.com\"]\n[limits]\ndeadline_ms = 300",
            &["+ reads from a.example.com: - -> yes", "+ limits.deadline_ms: 250 -> 300"],
        );
    }

    #[test]
    fn a_version_that_cuts_or_checks_otherwise_does_not_interpret_for_another() {
        let fits = |one: &str, other: &str| misfit(&manifest(one), &manifest(other));
        assert_eq!(fits("", "topics = [{ name = \"a\" }]\n[limits]\ndeadline_ms = 500"), None);
        for (other, word) in [
            ("signature = { scheme = \"meta\" }", "how webhooks are signed"),
            ("[items]\neach = \"/a/*\"", "how webhooks are cut into items"),
            ("[response]\nstatus = 202", "what webhooks are answered with"),
        ] {
            let words = fits("", other).unwrap();
            assert!(words.contains(word) && words.contains("switch the plugin as a whole"), "{words}");
        }
    }
}
