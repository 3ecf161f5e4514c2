//! Finds lines and dotted keys in a manifest's text, for errors.

use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// Line of a byte offset, from 1.
pub(super) fn line_at(text: &str, offset: usize) -> usize {
    1 + text.as_bytes().iter().take(offset).filter(|&&byte| byte == b'\n').count()
}

/// A key of the text: its dotted path and where its name is.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) path: String,
    pub(super) name: String,
    pub(super) key: Range<usize>,
    pub(super) value: Range<usize>,
}

/// Every key of the text, in order of nesting; none when it is no TOML.
pub(super) fn places(text: &str) -> Vec<Place> {
    let mut places = Vec::new();
    if let Ok(table) = DeTable::parse(text) {
        collect(table.get_ref(), "", &mut places);
    }
    places
}

/// Line of a dotted key, or of the nearest table around it.
pub(super) fn line_of(text: &str, path: &str) -> Option<usize> {
    let places = places(text);
    let mut path = path;
    loop {
        if let Some(place) = places.iter().find(|place| place.path == path) {
            return Some(line_at(text, place.key.start));
        }
        path = path.rsplit_once('.')?.0;
    }
}

fn collect(table: &DeTable<'_>, prefix: &str, places: &mut Vec<Place>) {
    for (key, value) in table {
        let name = key.get_ref().to_string();
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        places.push(Place { path: path.clone(), name, key: key.span(), value: value.span() });
        nested(value.get_ref(), &path, places);
    }
}

fn nested(value: &DeValue<'_>, path: &str, places: &mut Vec<Place>) {
    match value {
        DeValue::Table(table) => collect(table, path, places),
        DeValue::Array(array) => {
            for (index, element) in array.iter().enumerate() {
                let path = format!("{path}.{index}");
                places.push(Place {
                    path: path.clone(),
                    name: index.to_string(),
                    key: element.span(),
                    value: element.span(),
                });
                nested(element.get_ref(), &path, places);
            }
        }
        DeValue::String(_) | DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {}
    }
}
