//! Which variables an expression or text reads, so that only those are converted. An event of 8 KB has hundreds of values; a condition reads two.

use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc};

/// What is read of one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Need {
    /// All of it.
    All,
    /// Only these fields.
    Fields(BTreeMap<String, Need>),
}

/// What is read of each variable, by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Needs(BTreeMap<String, Need>);

impl Needs {
    /// Notes that the value at a path (`event`, `order`, `number`) is read.
    pub(crate) fn insert(&mut self, path: &[&str]) {
        insert(&mut self.0, path);
    }

    /// Names of the variables that are read, with what is read of each.
    pub(crate) fn roots(&self) -> impl Iterator<Item = (&str, &Need)> {
        self.0.iter().map(|(name, need)| (name.as_str(), need))
    }

    /// Whether nothing is read: the result never changes.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each path that is read, as it is written: `event.order.number`.
    pub(crate) fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        collect(&self.0, "", &mut paths);
        paths
    }
}

fn insert(fields: &mut BTreeMap<String, Need>, path: &[&str]) {
    match path {
        [] => {}
        [last] => {
            fields.insert((*last).to_owned(), Need::All);
        }
        [first, rest @ ..] => {
            let need = fields.entry((*first).to_owned()).or_insert_with(|| Need::Fields(BTreeMap::new()));
            if let Need::Fields(inner) = need {
                insert(inner, rest);
            }
        }
    }
}

fn collect(fields: &BTreeMap<String, Need>, prefix: &str, paths: &mut Vec<String>) {
    for (name, need) in fields {
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match need {
            Need::All => paths.push(path),
            Need::Fields(inner) => collect(inner, &path, paths),
        }
    }
}

impl Need {
    /// The needed part of a value, for a condition. What is absent stays absent, so that `has()` sees it.
    pub(crate) fn to_cel(&self, value: &Value) -> cel::Value {
        match (self, value) {
            (Self::Fields(fields), Value::Object(map)) => {
                cel_map(fields.iter().filter_map(|(name, need)| Some((name, need.to_cel(map.get(name)?)))))
            }
            _ => cel_value(value),
        }
    }

    /// The needed part of a value, for a text. What is absent or null is undefined, at any depth, so that `default` can stand in.
    pub(crate) fn to_text(&self, value: Option<&Value>) -> minijinja::Value {
        let field = |name: &str| match value {
            Some(Value::Object(map)) => map.get(name),
            _ => None,
        };
        match (self, value) {
            (Self::Fields(fields), None | Some(Value::Null | Value::Object(_))) => minijinja::Value::from_pairs(
                fields.iter().map(|(name, need)| (name.as_str(), need.to_text(field(name)))),
            ),
            (_, Some(value)) => text_value(value),
            (Self::All, None) => minijinja::Value::UNDEFINED,
        }
    }
}

fn cel_map<'a>(entries: impl Iterator<Item = (&'a String, cel::Value)>) -> cel::Value {
    let map = entries.map(|(name, value)| (cel::objects::Key::from(name.as_str()), value)).collect();
    cel::Value::Map(cel::objects::Map { map: Arc::new(map) })
}

fn cel_value(value: &Value) -> cel::Value {
    match value {
        Value::Null => cel::Value::Null,
        Value::Bool(bool) => cel::Value::Bool(*bool),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(int), _) => cel::Value::Int(int),
            (None, float) => cel::Value::Float(float.unwrap_or(f64::NAN)),
        },
        Value::String(text) => cel::Value::String(Arc::new(text.clone())),
        Value::Array(items) => cel::Value::List(Arc::new(items.iter().map(cel_value).collect())),
        Value::Object(map) => cel_map(map.iter().map(|(name, value)| (name, cel_value(value)))),
    }
}

fn text_value(value: &Value) -> minijinja::Value {
    match value {
        Value::Null => minijinja::Value::UNDEFINED,
        Value::Bool(bool) => (*bool).into(),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(int), _) => int.into(),
            (None, float) => float.unwrap_or(f64::NAN).into(),
        },
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => items.iter().map(text_value).collect(),
        Value::Object(map) => {
            minijinja::Value::from_pairs(map.iter().map(|(name, value)| (name.as_str(), text_value(value))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_path_is_part_of_a_shorter_one() {
        let check = |paths: &[&[&str]], expected: &[&str]| {
            let mut needs = Needs::default();
            paths.iter().for_each(|path| needs.insert(path));
            assert_eq!(needs.paths(), expected);
        };
        check(
            &[&["event", "order", "number"], &["event", "order", "total"]],
            &["event.order.number", "event.order.total"],
        );
        check(&[&["event", "order", "number"], &["event", "order"]], &["event.order"]);
        check(&[&["event", "order"], &["event", "order", "number"]], &["event.order"]);
    }
}
