//! Reads maps, lists and texts out of a YAML tree, notes the place of each field, and gathers every mistake.

use super::yaml::{self, Node, Place, Yaml};
use crate::{Fault, Invalid, ParseError, Problem, error::nearest};
use std::collections::BTreeMap;

/// Reads a file: its shape with `shape`, its meaning with `compile`.
pub(super) fn read<D, T>(
    file: &str,
    text: &str,
    shape: impl FnOnce(&mut Reader, &Node) -> Option<D>,
    compile: impl FnOnce(D) -> Result<T, Invalid>,
) -> Result<T, ParseError> {
    let mut reader = Reader::default();
    let compiled = match yaml::parse(text) {
        Ok(root) => shape(&mut reader, &root).map(compile),
        Err((place, message)) => {
            reader.problem(place, "", message);
            None
        }
    };
    let value = match compiled {
        Some(Ok(value)) => Some(value),
        Some(Err(invalid)) => {
            invalid.faults.into_iter().for_each(|fault| reader.fault(fault));
            None
        }
        None => None,
    };
    match value {
        Some(value) if reader.problems.is_empty() => Ok(value),
        _ => Err(reader.finish(file)),
    }
}

/// The places and mistakes of one file.
#[derive(Default)]
pub(super) struct Reader {
    places: BTreeMap<String, Place>,
    problems: Vec<Problem>,
}

/// The entries of a map by key.
pub(super) struct Fields<'n> {
    place: Place,
    path: String,
    entries: Vec<(&'n str, &'n Node)>,
}

impl<'n> Fields<'n> {
    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&'n Node> {
        self.entries.iter().find(|(name, _)| *name == key).map(|(_, node)| *node)
    }

    /// The path of a key.
    pub(super) fn path(&self, key: &str) -> String {
        join(&self.path, key)
    }

    /// Keys and values, in the order of the file.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'n str, &'n Node)> {
        self.entries.iter().copied()
    }
}

impl Reader {
    /// Notes a mistake.
    pub(super) fn problem(&mut self, place: Place, field: &str, message: impl Into<String>) {
        let Place { line, column } = place;
        self.problems.push(Problem {
            file: String::new(),
            line,
            column,
            field: field.to_owned(),
            message: message.into(),
        });
    }

    /// A map with any keys.
    pub(super) fn map<'n>(&mut self, node: &'n Node, path: &str, expected: &str) -> Option<Fields<'n>> {
        let Yaml::Map(entries) = &node.value else {
            self.problem(node.place, path, format!("expected {expected}, found {}", node.value.what()));
            return None;
        };
        for entry in entries {
            self.places.insert(join(path, &entry.key), entry.node.place);
        }
        let entries = entries.iter().map(|entry| (entry.key.as_str(), &entry.node)).collect();
        Some(Fields { place: node.place, path: path.to_owned(), entries })
    }

    /// A map with known keys; others are mistakes.
    pub(super) fn known<'n>(
        &mut self,
        node: &'n Node,
        path: &str,
        expected: &str,
        keys: &[&str],
    ) -> Option<Fields<'n>> {
        let fields = self.map(node, path, expected)?;
        if let Yaml::Map(entries) = &node.value {
            for entry in entries.iter().filter(|entry| !keys.contains(&entry.key.as_str())) {
                let shown: String = entry.key.chars().take(60).collect();
                let message = match nearest(&entry.key, keys.iter().copied()) {
                    Some(key) => format!("unknown key {shown:?}; did you mean {key}?"),
                    None => format!("unknown key {shown:?}; known here: {}", keys.join(", ")),
                };
                self.problem(entry.place, path, message);
            }
        }
        Some(fields)
    }

    /// The value of a key that must be there.
    pub(super) fn required<'n>(&mut self, fields: &Fields<'n>, key: &str, expected: &str) -> Option<&'n Node> {
        let node = fields.get(key);
        if node.is_none() {
            self.problem(fields.place, &fields.path, format!("`{key}` is missing: {expected}"));
        }
        node
    }

    /// A text. A number or a bare true is a mistake: its spelling would be lost.
    pub(super) fn text(&mut self, node: &Node, path: &str, expected: &str) -> Option<String> {
        match &node.value {
            Yaml::Text(text) => return Some(text.clone()),
            Yaml::Number(_) | Yaml::Bool(_) => {
                let message = format!("expected {expected}, found {}; put a text in quotes", node.value.what());
                self.problem(node.place, path, message);
            }
            other => self.problem(node.place, path, format!("expected {expected}, found {}", other.what())),
        }
        None
    }

    /// The items of a list, each with its path.
    pub(super) fn list<'n>(&mut self, node: &'n Node, path: &str, expected: &str) -> Option<Vec<(String, &'n Node)>> {
        let Yaml::List(items) = &node.value else {
            self.problem(node.place, path, format!("expected {expected}, found {}", node.value.what()));
            return None;
        };
        let items: Vec<_> = items.iter().enumerate().map(|(at, item)| (format!("{path}[{at}]"), item)).collect();
        for (path, item) in &items {
            self.places.insert(path.clone(), item.place);
        }
        Some(items)
    }

    /// A mistake in the meaning, at the place of its field or of what the field is in.
    fn fault(&mut self, fault: Fault) {
        let mut path = fault.field.as_str();
        let place = loop {
            match self.places.get(path) {
                Some(place) => break *place,
                None => match path.rfind(['.', '[']) {
                    Some(end) => path = &path[..end],
                    None => break Place { line: 1, column: 1 },
                },
            }
        };
        self.problem(place, &fault.field, fault.message);
    }

    fn finish(mut self, file: &str) -> ParseError {
        for problem in &mut self.problems {
            file.clone_into(&mut problem.file);
        }
        self.problems.sort();
        self.problems.dedup();
        ParseError { problems: self.problems }
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
