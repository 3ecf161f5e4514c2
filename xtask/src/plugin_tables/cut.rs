//! The topics of the items that a fixture's webhook is cut into, by the manifest's `[items]`.

use anyhow::{Context, Result};
use serde_json::Value;

/// Where items are, and where each says its topic.
pub(super) struct Cutter {
    /// A pointer whose `*` stands for every element; the whole body without one.
    each: Option<String>,
    /// Pointers into an item, the first that leads to a text counts. Where there are none a header has the topic, and the fixture says it.
    topic: Vec<String>,
}

impl Cutter {
    pub(super) fn of(manifest: &toml::Table) -> Result<Self> {
        let items = manifest.get("items").context("the manifest has no [items]")?;
        let text = |value: &toml::Value| value.as_str().map(str::to_owned);
        let topic = items.get("topic").context("the manifest does not say where topics are")?;
        let pointers = match (topic.get("pointer"), topic.get("first_of").and_then(toml::Value::as_array)) {
            (Some(pointer), _) => text(pointer).into_iter().collect(),
            (None, Some(list)) => list.iter().filter_map(text).collect(),
            (None, None) => Vec::new(),
        };
        Ok(Self { each: items.get("each").and_then(text), topic: pointers })
    }

    /// The topic of each item.
    pub(super) fn topics(&self, webhook: &Value) -> Vec<String> {
        let of_fixture = webhook["topic"].as_str().unwrap_or_default();
        let mut items = vec![&webhook["body"]];
        for part in self.each.iter().flat_map(|each| each.split('/').skip(1)) {
            items = items.into_iter().flat_map(|item| step(item, part)).collect();
        }
        let topic =
            |item: &Value| self.topic.iter().find_map(|pointer| item.pointer(pointer)?.as_str().map(str::to_owned));
        items.into_iter().map(|item| topic(item).unwrap_or_else(|| of_fixture.to_owned())).collect()
    }
}

fn step<'v>(value: &'v Value, part: &str) -> Vec<&'v Value> {
    match part {
        "*" => value.as_array().into_iter().flatten().collect(),
        name => value.get(name).into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn topics(items: &str, webhook: &Value) -> Vec<String> {
        Cutter::of(&format!("[items]\n{items}").parse().unwrap()).unwrap().topics(webhook)
    }

    #[test]
    fn items_are_found_and_say_their_topics() {
        let header = "topic = { header = \"x-topic\" }";
        assert_eq!(topics(header, &json!({"topic": "orders/create", "body": {"id": 1}})), ["orders/create"]);
        let list = "each = \"/*\"\ntopic = { first_of = [\"/a\", \"/b\"] }";
        let webhook = json!({"topic": "x", "body": [{"a": "one"}, {"b": "two"}, {}]});
        assert_eq!(topics(list, &webhook), ["one", "two", "x"]);
        let nested = "each = \"/entry/*/changes/*\"\ntopic = { pointer = \"/field\" }";
        let webhook = json!({"topic": "x", "body": {"entry": [{"changes": [{"field": "a"}]}, {"changes": [{"field": "b"}, {"field": "c"}]}]}});
        assert_eq!(topics(nested, &webhook), ["a", "b", "c"]);
    }
}
