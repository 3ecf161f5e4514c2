//! Where each value of a configuration comes from: a line of the file, a variable, or the defaults.

use serde::{Serialize, Serializer};
use std::{collections::BTreeMap, fmt, path::Path};
use toml::de::{DeTable, DeValue};

/// Where a value was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// In the file.
    File {
        /// The file.
        path: String,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// In the environment: the variable.
    Variable(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line, .. } => write!(f, "{path}:{line}"),
            Self::Variable(name) => f.write_str(name),
        }
    }
}

/// The origin of each value that is no default, by its key: `server.listen`, `endpoints.shopify.plugin` (the items of a list by their names).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Origins(BTreeMap<String, Origin>);

impl Origins {
    /// Of every key of a file.
    pub(super) fn of_file(path: &Path, text: &str, table: &DeTable<'_>) -> Self {
        let mut origins = Self::default();
        let at = |offset: usize| {
            let (line, column) = position(text, offset);
            Origin::File { path: path.display().to_string(), line, column }
        };
        walk("", table, &mut |key, offset| {
            origins.0.insert(key, at(offset));
        });
        origins
    }

    /// Notes that a variable set a key.
    pub(super) fn set_by_variable(&mut self, key: String, name: &str) {
        self.0.insert(key, Origin::Variable(name.to_owned()));
    }

    /// Where a key was set, with the column; `None` for a default.
    pub(super) fn place(&self, key: &str) -> Option<String> {
        match self.0.get(key)? {
            Origin::File { path, line, column } => Some(format!("{path}:{line}:{column}")),
            Origin::Variable(name) => Some(format!("the variable {name}")),
        }
    }

    /// Where a key was set, or what is around it.
    pub(crate) fn nearest_place(&self, key: &str) -> Option<String> {
        let mut key = key;
        loop {
            if let Some(place) = self.place(key) {
                return Some(place);
            }
            key = key.rsplit_once('.')?.0;
        }
    }

    /// Where a key comes from, in a word or two.
    pub(crate) fn of(&self, key: &str) -> String {
        self.0.get(key).map_or_else(|| "default".to_owned(), ToString::to_string)
    }
}

/// Key and place. Whoever is not in it is a default.
impl Serialize for Origins {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, origin)| (key, origin.to_string())))
    }
}

fn walk(prefix: &str, table: &DeTable<'_>, note: &mut dyn FnMut(String, usize)) {
    for (key, value) in table {
        let name = join(prefix, key.get_ref());
        note(name.clone(), key.span().start);
        match value.get_ref() {
            DeValue::Table(inner) => walk(&name, inner, note),
            DeValue::Array(items) => {
                for (place, item) in items.iter().enumerate() {
                    let DeValue::Table(inner) = item.get_ref() else { continue };
                    let name = join(&name, &item_name(inner, place));
                    note(name.clone(), item.span().start);
                    walk(&name, inner, note);
                }
            }
            _ => {}
        }
    }
}

/// What an item of a list is called: its name, or its place.
pub(super) fn item_name(item: &DeTable<'_>, place: usize) -> String {
    let name = item.iter().find(|(key, _)| key.get_ref() == "name").and_then(|(_, value)| value.get_ref().as_str());
    name.map_or_else(|| place.to_string(), str::to_owned)
}

/// A key below another.
pub(super) fn join(prefix: &str, key: &str) -> String {
    if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") }
}

/// Line and column of an offset, from 1.
pub(super) fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}
