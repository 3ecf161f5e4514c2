//! The folders that a configuration names: of flows and of templates.

use super::CatalogFault;
use std::path::{Path, PathBuf};

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
