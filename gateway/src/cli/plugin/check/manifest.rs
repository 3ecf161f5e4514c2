//! What a manifest that can be read still says wrong, or does not say.

use super::Finding;
use crate::catalog::scheme_of;
use tidegate_plugin_host::{Manifest, ManifestError};

/// A call that may take longer holds up the other work of its thread noticeably.
const LONG_DEADLINE_MS: u64 = 1_000;

/// A manifest that can't be read.
pub(super) fn wrong(error: &ManifestError) -> Finding {
    let mend = match (&error.nearest, error.key.as_str()) {
        (Some(nearest), _) => format!("write `{nearest}`"),
        (None, "") => "mend the TOML".to_owned(),
        (None, key) => format!("mend `{key}`; docs/plugins.md lists every key and its range"),
    };
    Finding::fault(error.to_string(), mend)
}

/// Findings about the manifest alone.
pub(super) fn check(manifest: &Manifest) -> Vec<Finding> {
    [signature(manifest), words(manifest), items(manifest), limits(manifest), hosts(manifest), schema(manifest)]
        .concat()
}

fn signature(manifest: &Manifest) -> Vec<Finding> {
    if manifest.signature.is_none() {
        return vec![Finding::warning(
            "there is no [signature]: no endpoint takes webhooks that nobody signed",
            "say how the provider signs: `scheme = \"standard-webhooks\"`, or header, algorithm, encoding and parts",
        )];
    }
    let problem = scheme_of(manifest).err();
    problem.map(|problem| Finding::fault(problem, "mend [signature]")).into_iter().collect()
}

fn words(manifest: &Manifest) -> Vec<Finding> {
    let mut found = Vec::new();
    if manifest.description.trim().is_empty() {
        found.push(Finding::warning(
            "there is no `description`",
            "say in a sentence what the plugin does: operators read it before they install it",
        ));
    }
    if manifest.topics.is_empty() {
        found.push(Finding::warning(
            "there are no [[topics]]",
            "list what the plugin reads, with `name` and `description`: operators subscribe to these at the provider",
        ));
    }
    found
}

fn items(manifest: &Manifest) -> Vec<Finding> {
    let items = &manifest.items;
    let mut found = Vec::new();
    if items.topic.is_none() {
        found.push(Finding::warning(
            "[items] names no `topic`: the plugin is not told what a webhook is",
            "name its place: `topic = { header = \"x-topic\" }` or `topic = { pointer = \"/type\" }`",
        ));
    }
    if items.dedupe.is_empty() {
        found.push(Finding::warning(
            "[items] names nothing under `dedupe`: two webhooks with the same text count as one",
            "name what is the same in a repeat only, most often an id of the delivery: `dedupe = [{ header = \"x-delivery\" }]`",
        ));
    }
    let listed = manifest.topics.len();
    if listed > 1 && items.priority.len() == listed {
        found.push(Finding::warning(
            "every topic has priority, so none goes ahead of another",
            "list under `priority` only what people write to us, such as messages and opt-outs",
        ));
    }
    found
}

fn limits(manifest: &Manifest) -> Vec<Finding> {
    let deadline = manifest.limits.deadline_ms;
    let long = deadline > LONG_DEADLINE_MS;
    let what = format!("`limits.deadline_ms` is {deadline}: one call may hold up others that long");
    let mend = "measure with `tidegate plugin bench`, and allow ten times the p99";
    long.then(|| Finding::warning(what, mend)).into_iter().collect()
}

fn hosts(manifest: &Manifest) -> Vec<Finding> {
    let wide = manifest.capabilities.fetch.iter().filter(|host| host.starts_with("*."));
    let finding = |host: &String| {
        Finding::warning(
            format!("`capabilities.fetch` asks for every host below {}", &host[2..]),
            "name the one host that is needed, when there is one: operators grant less gladly what they can't foresee",
        )
    };
    wide.map(finding).collect()
}

fn schema(manifest: &Manifest) -> Vec<Finding> {
    let Some(schema) = &manifest.config_schema else { return Vec::new() };
    let mut found = Vec::new();
    if schema["type"] != "object" {
        found.push(Finding::fault(
            "[config_schema] is not about an object, and a connection's settings are one",
            "write `type = \"object\"` and `properties`",
        ));
    }
    if schema["additionalProperties"] != false {
        found.push(Finding::warning(
            "[config_schema] lets unknown settings pass, so a mistyped one is not noticed",
            "write `additionalProperties = false`",
        ));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = r#"
id = "shop"
name = "Shop"
version = "1.0.0"
description = "Orders."
topics = [{ name = "a" }, { name = "b" }]
signature = { scheme = "shopify" }
[items]
topic = { header = "x-topic" }
dedupe = [{ header = "x-id" }]
"#;

    fn findings(change: impl FnOnce(String) -> String) -> Vec<String> {
        let manifest = Manifest::parse("plugin.toml", &change(SOUND.to_owned())).unwrap();
        check(&manifest)
            .into_iter()
            .map(|found| format!("{:?}: {} → {}", found.level, found.what, found.mend))
            .collect()
    }

    #[track_caller]
    fn finds(change: impl FnOnce(String) -> String, words: &str) {
        let found = findings(change);
        assert!(found.len() == 1 && found[0].contains(words), "expected {words:?}: {found:#?}");
    }

    #[test]
    fn a_sound_manifest_has_no_findings() {
        assert!(findings(|text| text).is_empty());
    }

    #[test]
    fn what_is_missing_or_wide_is_found_with_how_to_mend_it() {
        let without = |line: &'static str| move |text: String| text.replace(line, "");
        let with = |more: &'static str| move |text: String| text + more;
        finds(without("description = \"Orders.\"\n"), "Warning: there is no `description`");
        finds(without("topics = [{ name = \"a\" }, { name = \"b\" }]"), "[[topics]]");
        finds(without("signature = { scheme = \"shopify\" }"), "no endpoint takes webhooks");
        finds(without("topic = { header = \"x-topic\" }"), "names no `topic`");
        finds(without("dedupe = [{ header = \"x-id\" }]"), "two webhooks with the same text");
        finds(|text| text.replace("shopify", "shopfy"), "Fault: the plugin shop names the signature scheme \"shopfy\"");
        finds(with("priority = [\"a\", \"b\"]\n"), "every topic has priority");
        finds(with("[limits]\ndeadline_ms = 5000\n"), "tidegate plugin bench");
        finds(with("[capabilities]\nfetch = [\"*.example.com\"]\n"), "Warning: `capabilities.fetch`");
        finds(with("[config_schema]\nadditionalProperties = false\n"), "Fault: [config_schema]");
        finds(with("[config_schema]\ntype = \"object\"\n"), "additionalProperties = false");
    }

    #[test]
    fn a_manifest_that_can_t_be_read_is_a_fault_with_the_nearest_key() {
        let error = Manifest::parse("plugin.toml", "id = \"x\"\nnmae = \"X\"\nversion = \"1.0.0\"\n").unwrap_err();
        let finding = wrong(&error);
        assert_eq!(finding.mend, "write `name`");
        assert!(finding.what.starts_with("plugin.toml:2: nmae: "), "{}", finding.what);
    }
}
