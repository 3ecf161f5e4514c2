//! The table in each plugin's README that tells what a topic gives: made from the plugin's manifest and from what its fixtures show, so that it can't promise what
//! the plugin does not do.

mod cut;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value};

use crate::workspace::root;
use cut::Cutter;

/// What stands before and behind a table.
const BEGIN: &str = "<!-- Made by `cargo xtask plugin-tables`. -->\n";
const END: &str = "<!-- The end of what is made. -->\n";
/// Members of an event that are no payload.
const NO_PAYLOAD: [&str; 7] = ["id", "connection", "kind", "occurred_at", "entity", "contact", "extra"];

/// Writes the table of every plugin that has topics of its own.
pub(crate) fn write() -> Result<()> {
    for plugin in plugins()? {
        let readme = plugin.join("README.md");
        let text = std::fs::read_to_string(&readme).with_context(|| readme.display().to_string())?;
        let made = with_table(&text, &table(&plugin)?).with_context(|| readme.display().to_string())?;
        if made != text {
            std::fs::write(&readme, made)?;
            println!("{}", readme.strip_prefix(root()).unwrap_or(&readme).display());
        }
    }
    Ok(())
}

/// A sentence for each README whose table is not what the plugin does, and for each topic that no fixture shows.
pub(crate) fn problems() -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for plugin in plugins()? {
        let readme = plugin.join("README.md");
        let name = readme.strip_prefix(root()).unwrap_or(&readme).display().to_string();
        let text = std::fs::read_to_string(&readme).with_context(|| name.clone())?;
        match table(&plugin).and_then(|table| with_table(&text, &table)) {
            Ok(made) if made == text => {}
            Ok(_) => {
                problems.push(format!("{name}: the table of topics is an old one: run `cargo xtask plugin-tables`"))
            }
            Err(error) => problems.push(format!("{name}: {error:#}")),
        }
    }
    Ok(problems)
}

/// The plugins whose manifests name topics.
fn plugins() -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root().join("plugins"))? {
        let dir = entry?.path();
        if dir.join("plugin.toml").exists() && manifest(&dir)?.get("topics").is_some() {
            found.push(dir);
        }
    }
    found.sort();
    Ok(found)
}

fn manifest(plugin: &Path) -> Result<toml::Table> {
    let file = plugin.join("plugin.toml");
    let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    text.parse().with_context(|| file.display().to_string())
}

/// The text with a table in place of the one between the marks.
fn with_table(text: &str, table: &str) -> Result<String> {
    let (before, rest) = text.split_once(BEGIN).with_context(|| format!("the line {} is missing", BEGIN.trim()))?;
    let (_, after) = rest.split_once(END).with_context(|| format!("the line {} is missing", END.trim()))?;
    Ok([before, BEGIN, "\n", table, "\n", END, after].concat())
}

/// What the fixtures show of a topic.
#[derive(Default)]
struct Shown {
    kinds: BTreeSet<String>,
    triggers: BTreeSet<String>,
    /// Names of fields, by where they are.
    fields: BTreeMap<String, BTreeSet<String>>,
    is_skipped: bool,
}

fn table(plugin: &Path) -> Result<String> {
    let manifest = manifest(plugin)?;
    let mut shown = shown(plugin, &manifest)?;
    let topics = manifest.get("topics").and_then(toml::Value::as_array).context("the manifest names no topics")?;
    let mut table = "| Topic | Events | Triggers | Fields |\n|---|---|---|---|\n".to_owned();
    for topic in topics {
        let name = topic.get("name").and_then(toml::Value::as_str).context("a topic has no name")?;
        let held = shown.remove(name).with_context(|| format!("no fixture shows the topic {name}"))?;
        table += &row(name, &held);
    }
    // What the manifest does not name: topics without end, such as WooCommerce's `action.…`, and what means nothing.
    let mut skipped = Vec::new();
    for (name, held) in &shown {
        if held.kinds.is_empty() {
            skipped.push(format!("`{name}`"));
        } else {
            table += &row(name, held);
        }
    }
    if !skipped.is_empty() {
        writeln!(table, "| {} | skipped, with the reason | | |", skipped.join(", "))?;
    }
    Ok(table)
}

fn row(topic: &str, held: &Shown) -> String {
    let coded = |names: &BTreeSet<String>| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let mut kinds = coded(&held.kinds);
    if held.is_skipped {
        kinds += if kinds.is_empty() { "skipped" } else { "; or skipped" };
    }
    let fields: Vec<String> = held
        .fields
        .iter()
        .map(|(place, names)| format!("**{place}** {}", names.iter().cloned().collect::<Vec<_>>().join(", ")))
        .collect();
    format!("| `{topic}` | {kinds} | {} | {} |\n", coded(&held.triggers), fields.join("<br>"))
}

fn shown(plugin: &Path, manifest: &toml::Table) -> Result<BTreeMap<String, Shown>> {
    let cutter = Cutter::of(manifest)?;
    let mut topics: BTreeMap<String, Shown> = BTreeMap::new();
    let mut cases: Vec<PathBuf> =
        std::fs::read_dir(plugin.join("fixtures"))?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    cases.sort();
    for case in cases {
        let webhook = json(&case.join("webhook.json"))?;
        let Value::Array(outcomes) = json(&case.join("outcome.json"))? else {
            anyhow::bail!("{}: outcome.json is no list", case.display());
        };
        let items = cutter.topics(&webhook);
        ensure!(
            items.len() == outcomes.len(),
            "{}: {} items have {} outcomes",
            case.display(),
            items.len(),
            outcomes.len()
        );
        for (topic, outcome) in items.into_iter().zip(&outcomes) {
            topics.entry(topic).or_default().add(outcome);
        }
    }
    Ok(topics)
}

fn json(file: &Path) -> Result<Value> {
    let bytes = std::fs::read(file).with_context(|| file.display().to_string())?;
    serde_json::from_slice(&bytes).with_context(|| file.display().to_string())
}

impl Shown {
    fn add(&mut self, outcome: &Value) {
        self.is_skipped |= outcome.get("skip").is_some();
        let list = |name: &str| outcome["done"][name].as_array().into_iter().flatten();
        for trigger in list("triggers") {
            self.triggers.extend(trigger["name"].as_str().map(str::to_owned));
        }
        for event in list("events").filter_map(Value::as_object) {
            self.kinds.extend(event.get("kind").and_then(Value::as_str).map(str::to_owned));
            self.add_event(event);
        }
    }

    fn add_event(&mut self, event: &Map<String, Value>) {
        for (name, payload) in event.iter().filter(|(name, _)| !NO_PAYLOAD.contains(&name.as_str())) {
            self.add_fields(name, payload);
        }
        self.add_fields("extra", event.get("extra").unwrap_or(&Value::Null));
        let Some(contact) = event.get("contact") else { return };
        self.add_fields("contact", contact.get("fields").unwrap_or(&Value::Null));
        let keys = contact["keys"].as_array().into_iter().flatten();
        let mut of_contact: BTreeSet<String> = keys.filter_map(|key| key["type"].as_str()).map(str::to_owned).collect();
        for list in ["tags", "consents"] {
            of_contact.extend(contact.get(list).map(|_| list.to_owned()));
        }
        self.add_names("contact", of_contact);
    }

    fn add_fields(&mut self, place: &str, fields: &Value) {
        let names = fields.as_object().into_iter().flat_map(Map::keys).cloned();
        self.add_names(place, names.collect());
    }

    fn add_names(&mut self, place: &str, names: BTreeSet<String>) {
        if !names.is_empty() {
            self.fields.entry(place.to_owned()).or_default().extend(names);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_replaces_the_one_between_the_marks() {
        let text = format!("# Shop\n\n{BEGIN}\nold\n{END}\nrest\n");
        assert_eq!(with_table(&text, "new\n").unwrap(), format!("# Shop\n\n{BEGIN}\nnew\n\n{END}\nrest\n"));
        let error = with_table("# Shop\n", "new\n").unwrap_err();
        assert!(error.to_string().contains("cargo xtask plugin-tables"), "{error}");
    }

    #[test]
    fn a_row_tells_what_outcomes_contain() {
        let mut shown = Shown::default();
        shown.add(&serde_json::json!({"done": {
            "events": [{"kind": "order.placed", "order": {"id": "1", "total": {}}, "extra": {"test": true}, "contact": {"keys": [{"type": "email"}], "fields": {"country": "IT"}, "tags": []}}],
            "triggers": [{"name": "first-order"}],
        }}));
        shown.add(&serde_json::json!({"skip": "no"}));
        let expected = "| `orders` | `order.placed`; or skipped | `first-order` | **contact** country, email, tags<br>**extra** test<br>**order** id, total |\n";
        assert_eq!(row("orders", &shown), expected);
    }

    #[test]
    fn the_tables_of_the_plugins_are_made() {
        assert!(plugins().unwrap().len() >= 5);
    }
}
