//! Kinds of events of a plugin's own, with the JSON Schemas of their payloads. A schema is a stranger's and is used outside the sandbox, so what it may cost is
//! bounded: by its parts with references followed, by patterns that match in linear time, and by a budget for the payloads of an item.

use crate::manifest::OwnEvent;
use jsonschema::{PatternOptions, Validator};
use serde_json::Value;
use std::{cell::Cell, collections::HashMap};

/// Most parts of a schema, references followed: each costs at most one look at each value.
const MOST_PARTS: usize = 1_000;
/// Deepest schema, references followed.
const MOST_DEPTH: usize = 64;
/// Largest pattern, compiled.
const PATTERN_BYTES: usize = 1 << 20;
/// Parts of schemas times values of payloads, over the events of an item.
const ITEM_BUDGET: usize = 2_000_000;

/// The compiled schemas of a plugin, by kind.
#[derive(Debug, Default)]
pub(crate) struct OwnKinds(HashMap<String, Schema>);

#[derive(Debug)]
struct Schema {
    validator: Validator,
    parts: usize,
}

/// What the payloads of one item may still cost.
#[derive(Debug)]
pub(crate) struct SchemaBudget(Cell<usize>);

impl Default for SchemaBudget {
    fn default() -> Self {
        Self(Cell::new(ITEM_BUDGET))
    }
}

/// A payload that is not as its schema says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mismatch {
    /// The place in the payload, as a JSON pointer; empty for all of it.
    pub(crate) pointer: String,
    /// What is wrong, without the value: it may be personal.
    pub(crate) reason: String,
}

impl OwnKinds {
    /// Compiles the schemas.
    ///
    /// # Errors
    /// The place of the first kind whose schema is wrong, and why.
    pub(crate) fn new(events: &[OwnEvent]) -> Result<Self, (usize, String)> {
        let mut found = HashMap::new();
        for (place, own) in events.iter().enumerate() {
            if let Some(schema) = &own.schema {
                found.insert(own.kind.clone(), compile(schema).map_err(|reason| (place, reason))?);
            }
        }
        Ok(Self(found))
    }

    /// Whether payloads of this kind have a schema.
    pub(crate) fn has(&self, kind: &str) -> bool {
        self.0.contains_key(kind)
    }

    /// Holds a payload to its kind's schema. A kind without one takes any.
    pub(crate) fn check(&self, kind: &str, payload: &Value, budget: &SchemaBudget) -> Result<(), Mismatch> {
        let Some(Schema { validator, parts }) = self.0.get(kind) else { return Ok(()) };
        let values = count(payload);
        let Some(left) = budget.0.get().checked_sub(values.saturating_mul(*parts)) else {
            let reason = format!(
                "the payloads of this item are too large for their schemas: {values} values more, under a schema of {parts} parts; \
                 an item may have {ITEM_BUDGET} of values times parts"
            );
            return Err(Mismatch { pointer: String::new(), reason });
        };
        budget.0.set(left);
        validator.validate(payload).map_err(|error| Mismatch {
            pointer: error.instance_path().to_string(),
            reason: format!(
                "it is not as the schema of {kind} in plugin.toml says: {}",
                error.masked_with("the value")
            ),
        })
    }
}

fn compile(schema: &Value) -> Result<Schema, String> {
    let mut parts = 0;
    measure(schema, schema, 0, &mut parts)?;
    let built = jsonschema::options()
        .with_pattern_options(PatternOptions::regex().size_limit(PATTERN_BYTES).dfa_size_limit(PATTERN_BYTES))
        .build(schema);
    let validator = built.map_err(|error| format!("this is no JSON Schema that can be used: {error}"))?;
    Ok(Schema { validator, parts })
}

/// Counts the parts of a schema with references followed, and refuses what could not be bounded.
fn measure(root: &Value, part: &Value, depth: usize, parts: &mut usize) -> Result<(), String> {
    *parts += 1;
    if *parts > MOST_PARTS {
        return Err(format!("the schema has more than {MOST_PARTS} parts, references followed"));
    }
    if depth > MOST_DEPTH {
        return Err(format!(
            "the schema is more than {MOST_DEPTH} deep, references followed; it may not refer to itself"
        ));
    }
    match part {
        Value::Object(members) => {
            for (key, value) in members {
                match (key.as_str(), value) {
                    // Where they are referred to, they count.
                    ("$defs" | "definitions", Value::Object(_)) => {}
                    ("$ref", Value::String(target)) => measure(root, referred(root, target)?, depth + 1, parts)?,
                    ("$dynamicRef" | "$recursiveRef", _) => {
                        return Err(format!("`{key}` can't be used here; write out what it stands for"));
                    }
                    // Either would change what a reference means.
                    ("$id", Value::String(_)) if depth > 0 => {
                        return Err("`$id` can be used at the top of the schema only".to_owned());
                    }
                    ("$schema", Value::String(draft)) if draft.contains("draft-0") && !draft.contains("draft-07") => {
                        return Err("the schema must be of draft 7, 2019-09 or 2020-12".to_owned());
                    }
                    (_, value) => measure(root, value, depth + 1, parts)?,
                }
            }
            Ok(())
        }
        Value::Array(all) => all.iter().try_for_each(|value| measure(root, value, depth + 1, parts)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

/// What a reference names: a part of the same schema, and nothing else.
fn referred<'s>(root: &'s Value, target: &str) -> Result<&'s Value, String> {
    let found = target.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
    found.ok_or_else(|| {
        let target: String = target.chars().take(80).collect();
        format!("`$ref` must name a part of the same schema, such as \"#/$defs/name\", found {target:?}")
    })
}

/// Values in a JSON text, members and elements included. Its depth is bounded by the parser.
fn count(value: &Value) -> usize {
    match value {
        Value::Array(all) => 1 + all.iter().map(count).sum::<usize>(),
        Value::Object(members) => 1 + members.values().map(count).sum::<usize>(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 1,
    }
}

#[cfg(test)]
mod tests;
