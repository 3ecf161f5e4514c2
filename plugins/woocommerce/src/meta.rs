//! `meta_data`: what a store's plugins add to orders and lines. Values are texts, numbers, lists or objects, as each plugin likes.

use serde::Deserialize;
use tidegate_plugin_sdk::{json, json::Object, json::Raw, json::Text};

/// Most values that are passed on, and the longest of them in bytes.
const VALUES: usize = 50;
const VALUE_BYTES: usize = 1024;

/// One value.
#[derive(Deserialize)]
pub(crate) struct Meta<'a> {
    #[serde(borrow)]
    key: Option<Text<'a>>,
    #[serde(borrow)]
    value: Option<Raw<'a>>,
    #[serde(borrow)]
    display_value: Option<Raw<'a>>,
}

impl<'a> Meta<'a> {
    /// A text or number that is meant to be seen: WordPress hides keys that begin with `_`.
    fn shown(&self) -> Option<(&str, String)> {
        let key = json::filled(self.key.as_deref()).filter(|key| !key.starts_with('_'))?;
        let scalar = |raw: Option<Raw<'a>>| raw?.parse::<Text<'a>>().ok();
        let value = scalar(self.display_value).or_else(|| scalar(self.value))?;
        json::string(Some(&value)).filter(|value| value.len() <= VALUE_BYTES).map(|value| (key, value))
    }
}

/// The value of a key, when there is one.
pub(crate) fn find<'a>(all: &[Meta<'a>], key: &str) -> Option<Raw<'a>> {
    all.iter().find(|meta| meta.key.as_deref() == Some(key))?.value
}

/// The texts and numbers that are meant to be seen, as an object; of a key that comes twice the first.
pub(crate) fn object(all: &[Meta<'_>]) -> Object {
    let mut seen: Vec<&str> = Vec::new();
    let mut object = Object::new();
    for (key, value) in all.iter().filter_map(Meta::shown).take(VALUES) {
        if !seen.contains(&key) {
            seen.push(key);
            object = object.text(key, Some(&value));
        }
    }
    object
}

/// What a variant is, from the meta data of its line: `black, M`.
pub(crate) fn variant(all: &[Meta<'_>]) -> Option<String> {
    let values: Vec<String> = all.iter().filter_map(Meta::shown).map(|(_, value)| value).collect();
    (!values.is_empty()).then(|| values.join(", "))
}
