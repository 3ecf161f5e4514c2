//! What is in force, as a file: each value with where it comes from.

use super::{Config, Origins, origin::join};
use std::fmt::Write;
use toml::{Table, Value};

/// A configuration as TOML, without secrets; behind each value stands its origin.
///
/// # Errors
/// A value has no TOML form.
pub(crate) fn in_force(config: &Config, origins: &Origins) -> Result<String, toml::ser::Error> {
    let mut text = String::new();
    for (name, value) in &Table::try_from(config)? {
        match value {
            Value::Table(sections) if sections.values().all(Value::is_table) => {
                for (inner, value) in sections {
                    let Value::Table(section) = value else { continue };
                    write_section(&mut text, &format!("[{name}.{inner}]"), &join(name, inner), section, origins);
                }
            }
            Value::Table(section) => write_section(&mut text, &format!("[{name}]"), name, section, origins),
            Value::Array(items) => {
                for item in items.iter().filter_map(Value::as_table) {
                    let called = item.get("name").and_then(Value::as_str).unwrap_or_default();
                    write_section(&mut text, &format!("[[{name}]]"), &join(name, called), item, origins);
                }
            }
            value => text.push_str(&format!("{name} = {value}\n")),
        }
    }
    Ok(text.trim_end().to_owned())
}

fn write_section(text: &mut String, header: &str, path: &str, section: &Table, origins: &Origins) {
    // Writing to a text can't fail.
    let _ = writeln!(text, "{header}");
    for (key, value) in section {
        let _ = writeln!(text, "{key} = {value} # {}", origins.of(&join(path, key)));
    }
    text.push('\n');
}
