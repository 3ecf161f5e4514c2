//! The layers above the defaults: a file, read with the place of everything that is wrong in it, and the environment.

use super::{
    ConfigFault, Origins,
    origin::{item_name, join, position},
};
use serde::de::DeserializeOwned;
use std::{ops::Range, path::Path};
use toml::{
    Spanned,
    de::{DeArray, DeTable, DeValue, Deserializer},
};

/// Prefix of environment variables that set a key: `TIDEGATE_SERVER__LISTEN`.
const ENV_PREFIX: &str = "TIDEGATE_";
/// Faults that are told at once.
const MOST_FAULTS: usize = 50;
/// How like two words must be, of 1, for one to be taken for the other misspelt.
const ALIKE: f64 = 0.75;

/// A file as a layer.
pub(super) struct FileLayer {
    /// What it sets.
    pub table: toml::Table,
    /// Where.
    pub origins: Origins,
    /// What is wrong.
    pub faults: Vec<ConfigFault>,
}

/// Reads a file whose shape is `T`'s. What is wrong is taken out and looked past, so that the next fault shows as well.
pub(super) fn read<T: DeserializeOwned>(path: &Path, text: &str) -> FileLayer {
    let mut faults = Vec::new();
    let mut note = |span: Option<Range<usize>>, problem: String| {
        let (line, column) = position(text, span.map_or(0, |span| span.start));
        faults.push(ConfigFault::Shape { place: format!("{}:{line}:{column}", path.display()), problem });
    };
    let mut document = match DeTable::parse(text) {
        Ok(document) => document,
        Err(error) => {
            note(error.span(), error.message().trim_end().replace('\n', ": "));
            return FileLayer { table: toml::Table::new(), origins: Origins::default(), faults };
        }
    };
    let origins = Origins::of_file(path, text, document.get_ref());
    let mut removed: Vec<String> = Vec::new();
    for _ in 0..MOST_FAULTS {
        let Err(error) = T::deserialize(Deserializer::from(document.clone())) else { break };
        let taken = error.span().and_then(|span| take("", document.get_mut(), &span));
        let key = taken.clone().unwrap_or_default();
        // Its value was of a wrong type, and was taken out for that.
        let known = missing(error.message()).is_some_and(|field| removed.contains(&join(&key, field)));
        if !known {
            note(error.span(), explain(&key, error.message()));
        }
        match taken {
            Some(key) => removed.push(key),
            None => break,
        }
    }
    // Read without places: what is wrong has been noted, and then nobody looks at it.
    FileLayer { table: toml::from_str(text).unwrap_or_default(), origins, faults }
}

/// Takes out what lies at this span, the innermost first. Gives its key.
fn take(prefix: &str, table: &mut DeTable<'_>, span: &Range<usize>) -> Option<String> {
    let mut found = None;
    for (key, value) in table.iter_mut() {
        let name = join(prefix, key.get_ref());
        if let Some(inner) = take_below(&name, value, span) {
            return Some(inner);
        }
        if key.span() == *span || value.span() == *span {
            found = Some((key.clone(), name));
            break;
        }
    }
    let (key, name) = found?;
    table.remove(&key);
    Some(name)
}

fn take_below(name: &str, value: &mut Spanned<DeValue<'_>>, span: &Range<usize>) -> Option<String> {
    let items = match value.get_mut() {
        DeValue::Table(inner) => return take(name, inner, span),
        DeValue::Array(items) => items,
        _ => return None,
    };
    let mut found = None;
    for (place, item) in items.iter_mut().enumerate() {
        let label = match item.get_ref() {
            DeValue::Table(table) => join(name, &item_name(table, place)),
            _ => format!("{name}[{place}]"),
        };
        if let DeValue::Table(table) = item.get_mut()
            && let Some(inner) = take(&label, table, span)
        {
            return Some(inner);
        }
        if item.span() == *span {
            found = Some((place, label));
            break;
        }
    }
    let (place, label) = found?;
    let mut left = DeArray::new();
    items.iter().enumerate().filter(|(held, _)| *held != place).for_each(|(_, item)| left.push(item.clone()));
    *items = left;
    Some(label)
}

/// The words between backticks.
fn quoted(message: &str) -> impl Iterator<Item = &str> {
    message.split('`').skip(1).step_by(2)
}

fn missing(message: &str) -> Option<&str> {
    message.strip_prefix("missing field `")?.strip_suffix('`')
}

/// What a reader's message means to the author of the file.
fn explain(key: &str, message: &str) -> String {
    if let Some(field) = missing(message) {
        return format!("{key}: the key `{field}` is missing");
    }
    let mut words = quoted(message);
    if message.starts_with("unknown field") {
        let found = words.next().unwrap_or_default();
        let known: Vec<&str> = words.collect();
        let section = key.rsplit_once('.').map_or("the file", |(section, _)| section);
        let near = did_you_mean(found, known.iter().copied());
        let all = if near.is_empty() { format!("; there are {}", list(&known)) } else { near };
        return format!("unknown key `{found}` in {section}{all}");
    }
    if message.starts_with("unknown variant") {
        let found = words.next().unwrap_or_default();
        let known: Vec<&str> = words.collect();
        return format!(
            "{key}: {found:?} is not known here{}; there are {}",
            did_you_mean(found, known.iter().copied()),
            list(&known)
        );
    }
    // A text is not shown: it may be a secret.
    let message = match (message.split_once("string \""), message.rsplit_once("\", expected ")) {
        (Some((before, _)), Some((_, expected))) => format!("{before}a text, expected {expected}"),
        _ => message.to_owned(),
    };
    format!("{key}: {}", message.replace("u64", "a whole number").replace("usize", "a whole number"))
}

fn list(words: &[&str]) -> String {
    if words.is_empty() {
        "none".to_owned()
    } else {
        words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
    }
}

/// The end of a sentence that names the word that was meant, when one is near.
pub(super) fn did_you_mean<'a>(found: &str, known: impl Iterator<Item = &'a str>) -> String {
    let alike = known.map(|word| (strsim::jaro_winkler(found, word), word)).filter(|(alike, _)| *alike >= ALIKE);
    let nearest = alike.max_by(|(a, _), (b, _)| a.total_cmp(b));
    nearest.map(|(_, word)| format!(": did you mean `{word}`?")).unwrap_or_default()
}

/// Lays a layer over another.
pub(super) fn merge(below: &mut toml::Table, above: toml::Table) {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            (Some(toml::Value::Table(held)), toml::Value::Table(table)) => merge(held, table),
            (_, value) => {
                below.insert(key, value);
            }
        }
    }
}

/// `TIDEGATE_SERVER__LISTEN=…` sets `server.listen`, which is given back. Other variables with the prefix (secrets) have no `__` and are left alone.
pub(super) fn set_from_environment(
    table: &mut toml::Table,
    name: &str,
    value: &str,
) -> Result<Option<String>, ConfigFault> {
    let Some((section, key)) = name.strip_prefix(ENV_PREFIX).and_then(|rest| rest.split_once("__")) else {
        return Ok(None);
    };
    let (section, key) = (section.to_lowercase(), key.to_lowercase());
    if table.get(&section).and_then(|held| held.get(&key)).is_none_or(toml::Value::is_table) {
        let known = variables(table);
        let near = match did_you_mean(name, known.iter().map(String::as_str)) {
            near if near.is_empty() => "; `tidegate config --defaults` shows them all".to_owned(),
            near => near,
        };
        return Err(ConfigFault::UnknownVariable { name: name.to_owned(), near });
    }
    let Some(slot) = table.get_mut(&section).and_then(|held| held.get_mut(&key)) else { return Ok(None) };
    // Only plain values have defaults, so the default tells the type.
    let parsed = match slot {
        toml::Value::Integer(_) => value.parse().ok().map(toml::Value::Integer),
        toml::Value::Boolean(_) => value.parse().ok().map(toml::Value::Boolean),
        toml::Value::Array(_) => {
            let words = value.split(',').map(str::trim).filter(|word| !word.is_empty());
            Some(toml::Value::Array(words.map(|word| toml::Value::String(word.to_owned())).collect()))
        }
        _ => Some(toml::Value::String(value.to_owned())),
    };
    *slot = parsed.ok_or_else(|| ConfigFault::Variable {
        name: name.to_owned(),
        expected: slot.type_str().to_owned(),
        found: value.to_owned(),
    })?;
    Ok(Some(join(&section, &key)))
}

/// Every variable that sets a key.
fn variables(table: &toml::Table) -> Vec<String> {
    let sections = table.iter().filter_map(|(section, value)| Some((section, value.as_table()?)));
    sections
        .flat_map(|(section, keys)| {
            keys.keys().map(move |key| format!("{ENV_PREFIX}{}__{}", section.to_uppercase(), key.to_uppercase()))
        })
        .collect()
}
