//! `tidegate plugin inspect`: what a packed plugin is and what it asks for, read from the file. None of its code is compiled or run.

use super::{limits, output, project::read_component, size};
use crate::cli::Failure;
use clap::Args;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::path::PathBuf;
use tidegate_plugin_host::{Anatomy, anatomy, is_given_import, read_manifest};

#[derive(Debug, Args)]
pub(in crate::cli) struct InspectArgs {
    /// A packed plugin.
    file: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &InspectArgs) -> Result<u8, Failure> {
    let component = read_component(&args.file)?;
    let manifest = read_manifest(&component).map_err(anyhow::Error::from)?;
    let posts: Vec<String> = manifest.posts().collect();
    let mut manifest = serde_json::to_value(&manifest).map_err(anyhow::Error::from)?;
    manifest["posts"] = json!(posts);
    let anatomy = anatomy(&component).map_err(anyhow::Error::from)?;
    let sheet = sheet(&component, &manifest, &anatomy);
    if args.json {
        output::json(&sheet);
    } else {
        lines(&sheet).iter().for_each(output::line);
    }
    Ok(0)
}

/// Everything that an operator grants by installing it.
fn sheet(component: &[u8], manifest: &Value, anatomy: &Anatomy) -> Value {
    let (given, refused): (Vec<&String>, Vec<&String>) = anatomy.imports.iter().partition(|name| is_given_import(name));
    json!({
        "id": manifest["id"],
        "version": manifest["version"],
        "name": manifest["name"],
        "description": manifest["description"],
        "digest": hex::encode(Sha256::digest(component)),
        "bytes": component.len(),
        "languages": anatomy.languages,
        "tools": anatomy.tools,
        "signature": manifest["signature"],
        "handshake": manifest["handshake"],
        "topics": manifest["topics"],
        "events": manifest["events"],
        "fetch": manifest["capabilities"]["fetch"],
        "fetch_by_post": manifest["posts"],
        "write": manifest["connector"]["write"],
        "credentials": manifest["auth"],
        "settings": manifest["config_schema"]["properties"],
        "limits": manifest["limits"],
        "exports": anatomy.exports,
        "imports": given,
        "refused_imports": refused,
    })
}

/// The sheet for people.
fn lines(sheet: &Value) -> Vec<String> {
    let mut lines = vec![format!("{}@{}  {}", text(&sheet["id"]), text(&sheet["version"]), text(&sheet["name"]))];
    let description = text(&sheet["description"]);
    if !description.is_empty() {
        lines.push(description);
    }
    let mut row = |key: &str, value: String| lines.push(format!("{key:<12} {value}"));
    row("sha256", text(&sheet["digest"]));
    row("size", size(sheet["bytes"].as_u64().unwrap_or_default()));
    row("written in", list(&sheet["languages"], "not told"));
    row("signature", signature(&sheet["signature"]));
    row("topics", names(&sheet["topics"], "name", "not told"));
    row("own events", names(&sheet["events"], "kind", "none"));
    row("may ask", list(&sheet["fetch"], "nobody"));
    row("by POST", list(&sheet["fetch_by_post"], "nothing"));
    row("may change", list(&sheet["write"], "nothing"));
    row("credentials", credentials(&sheet["credentials"]));
    row("settings", settings(&sheet["settings"]));
    row("limits", limits(&sheet["limits"]));
    row("exports", list(&sheet["exports"], "nothing"));
    row("imports", list(&sheet["imports"], "nothing"));
    let refused = &sheet["refused_imports"];
    if refused.as_array().is_some_and(|refused| !refused.is_empty()) {
        row("not given", format!("{}: a gateway does not load it", list(refused, "")));
    }
    lines
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn joined(values: impl Iterator<Item = String>, none: &str) -> String {
    let values: Vec<String> = values.collect();
    if values.is_empty() { none.to_owned() } else { values.join(", ") }
}

fn list(values: &Value, none: &str) -> String {
    joined(values.as_array().into_iter().flatten().map(text), none)
}

fn names(values: &Value, key: &str, none: &str) -> String {
    joined(values.as_array().into_iter().flatten().map(|value| text(&value[key])), none)
}

fn settings(properties: &Value) -> String {
    joined(properties.as_object().into_iter().flat_map(|fields| fields.keys().cloned()), "none")
}

/// The scheme's name, or what it does.
fn signature(signature: &Value) -> String {
    if signature.is_null() {
        return "none: no endpoint takes it".to_owned();
    }
    if let Some(name) = signature["scheme"].as_str() {
        return name.to_owned();
    }
    let part = |part: &Value| match part {
        Value::String(word) => word.clone(),
        other => other.to_string(),
    };
    let parts = joined(signature["parts"].as_array().into_iter().flatten().map(part), "nothing");
    let (algorithm, encoding) = (text(&signature["algorithm"]), text(&signature["encoding"]));
    format!("{algorithm} of {parts}, as {encoding} in {}", text(&signature["header"]))
}

/// How the host adds credentials to requests, for each host.
fn credentials(auth: &Value) -> String {
    let one = |entry: &Value| {
        joined(entry.as_object().into_iter().flatten().map(|(key, value)| format!("{key} {}", plain(value))), "")
    };
    let entries: Vec<String> = auth.as_array().into_iter().flatten().map(one).collect();
    if entries.is_empty() { "none".to_owned() } else { entries.join("; ") }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => joined(values.iter().map(plain), "none"),
        Value::Object(fields) => {
            let inner = fields.iter().map(|(key, value)| format!("{key} {}", plain(value)));
            format!("({})", joined(inner, ""))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sheet_of_a_bundled_plugin_tells_all_that_is_granted() {
        let component = tidegate_bundled::plugin("shopify").unwrap().component;
        let manifest = serde_json::to_value(read_manifest(component).unwrap()).unwrap();
        let sheet = sheet(component, &manifest, &anatomy(component).unwrap());
        assert_eq!(sheet["refused_imports"], json!([]));
        let lines = lines(&sheet);
        assert!(lines[0].starts_with("shopify@0.1.0"), "{lines:#?}");
        for expected in [
            "signature    shopify",
            "may ask      {account}",
            "may change   {account}",
            "credentials  host {account}, kind oauth, name X-Shopify-Access-Token, user client_id, secret client_secret, optional true, \
             oauth (grant client_credentials, token https://{account}/admin/oauth/access_token, client body); \
             host {account}, kind header, name X-Shopify-Access-Token, secret access_token, optional true",
            "settings     api_version, high_value_over",
            "exports      tidegate:plugin/connector@0.1.0, tidegate:plugin/normalizer@0.1.0",
        ] {
            assert!(lines.iter().any(|line| line == expected), "{expected}: {lines:#?}");
        }
    }

    #[test]
    fn a_spelled_out_scheme_and_what_is_not_given_are_told() {
        let scheme = json!({"header": "x-sig", "algorithm": "hmac-sha256", "encoding": "hex", "parts": [{"header": "x-time"}, "body"]});
        assert_eq!(signature(&scheme), "hmac-sha256 of {\"header\":\"x-time\"}, body, as hex in x-sig");
        assert_eq!(signature(&Value::Null), "none: no endpoint takes it");
        assert_eq!(credentials(&json!([{"host": "a.example", "scheme": "bearer"}])), "host a.example, scheme bearer");
        let oauth = json!([{"host": "a.example", "kind": "oauth", "oauth": {"authorize": "https://b.example/o", "scopes": ["x", "y"]}}]);
        assert_eq!(
            credentials(&oauth),
            "host a.example, kind oauth, oauth (authorize https://b.example/o, scopes x, y)"
        );
        let anatomy = Anatomy { imports: vec!["wasi:http/types@0.2.0".to_owned()], ..Anatomy::default() };
        let lines = lines(&sheet(b"", &json!({}), &anatomy));
        assert!(lines.last().unwrap().starts_with("not given    wasi:http/types@0.2.0"), "{lines:#?}");
    }
}
