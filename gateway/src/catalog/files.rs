//! The files that a configuration names: plugins, and folders of flows and templates.

use super::CatalogFault;
use crate::config;
use std::{
    borrow::Cow,
    path::{Path, PathBuf},
};

/// A plugin's packed component: a bundled one by its id, or a file by its path.
///
/// # Errors
/// What is there instead.
pub(super) fn read_component(name: &str) -> Result<Cow<'static, [u8]>, String> {
    if config::is_path(name) {
        let component = std::fs::read(name).map_err(|error| format!("{name} can't be read: {error}"))?;
        return Ok(Cow::Owned(component));
    }
    let bundled = tidegate_bundled::PLUGINS.iter().find(|plugin| plugin.id == name).ok_or_else(|| {
        let known: Vec<&str> = tidegate_bundled::PLUGINS.iter().map(|plugin| plugin.id).collect();
        format!("there is no bundled plugin {name:?}; there are {}, or name a .wasm file by its path", known.join(", "))
    })?;
    Ok(Cow::Borrowed(bundled.component))
}

/// Every `.yaml` file of a folder, in the order of names. All that is wrong is said at once.
pub(super) fn read_all<T, E: ToString>(
    folder: Option<&Path>,
    parse: fn(&str, &str) -> Result<T, E>,
) -> Result<Vec<T>, CatalogFault> {
    let Some(folder) = folder else { return Ok(Vec::new()) };
    let unreadable = |path: &Path, error: std::io::Error| CatalogFault::Files(format!("{}: {error}", path.display()));
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .map_err(|error| unreadable(folder, error))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .map_err(|error| unreadable(folder, error))?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml"));
    files.sort();
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for path in files {
        let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
        match parse(&path.display().to_string(), &text) {
            Ok(one) => found.push(one),
            Err(error) => problems.push(error.to_string()),
        }
    }
    if problems.is_empty() { Ok(found) } else { Err(CatalogFault::Files(problems.join("\n"))) }
}
