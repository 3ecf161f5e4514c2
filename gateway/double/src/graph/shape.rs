//! Strict reading of JSON objects: keys, kinds and lengths, with Graph's complaint for each.

use serde_json::{Map, Value};

use super::error::GraphError;

pub(crate) type Result<T> = std::result::Result<T, GraphError>;

/// A JSON object and how it is called in complaints.
#[derive(Clone, Copy)]
pub(crate) struct Object<'a> {
    map: &'a Map<String, Value>,
    name: &'a str,
}

impl<'a> Object<'a> {
    /// An object with no other keys than these.
    pub(crate) fn strict(value: &'a Value, name: &'a str, keys: &[&str]) -> Result<Self> {
        let object = Self::open(value, name)?;
        match object.map.keys().find(|key| !keys.contains(&key.as_str())) {
            Some(key) => Err(GraphError::parameter(format!("Unexpected key \"{key}\" on param \"{name}\""))),
            None => Ok(object),
        }
    }

    /// An object with any keys.
    pub(crate) fn open(value: &'a Value, name: &'a str) -> Result<Self> {
        match value {
            Value::Object(map) => Ok(Self { map, name }),
            _ => Err(GraphError::parameter(format!("Param {name} must be a JSON object"))),
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key)
    }

    pub(crate) fn need(&self, key: &str) -> Result<&'a Value> {
        self.get(key).ok_or_else(|| self.missing(key))
    }

    /// A text that must be there, may not be empty, and has a longest length in characters.
    pub(crate) fn text(&self, key: &str, max_chars: usize) -> Result<&'a str> {
        match self.optional_text(key, max_chars)? {
            Some("") | None => Err(self.missing(key)),
            Some(text) => Ok(text),
        }
    }

    /// A text that may be missing.
    pub(crate) fn optional_text(&self, key: &str, max_chars: usize) -> Result<Option<&'a str>> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        let name = self.name;
        let Some(text) = value.as_str() else {
            return Err(GraphError::parameter(format!("Param {name}['{key}'] must be a string.")));
        };
        if text.chars().count() > max_chars {
            return Err(GraphError::parameter(format!(
                "Param {name}['{key}'] must be at most {max_chars} characters long."
            )));
        }
        Ok(Some(text))
    }

    /// A list that must be there, with so many entries.
    pub(crate) fn list(&self, key: &str, min: usize, max: usize) -> Result<&'a Vec<Value>> {
        let name = self.name;
        match self.need(key)? {
            Value::Array(list) if (min..=max).contains(&list.len()) => Ok(list),
            Value::Array(list) => Err(GraphError::with(
                131009,
                format!("{name}.{key} has {} entries, expected {min} to {max}", list.len()),
            )),
            _ => Err(GraphError::parameter(format!("Param {name}['{key}'] must be an array."))),
        }
    }

    pub(crate) fn missing(&self, key: &str) -> GraphError {
        GraphError::with(131008, format!("Parameter '{key}' of '{}' is missing", self.name))
    }
}
