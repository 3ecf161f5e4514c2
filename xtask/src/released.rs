//! Released plugin contracts never change: each file of a released folder under `wit/` has its digest in `wit/released.txt`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};

use crate::workspace::{files, root};

/// The list: lines of SHA-256 in hex, two spaces, and the path under `wit/`, as `sha256sum` writes them. Lines that begin with `#` are comments.
const LIST: &str = "wit/released.txt";

/// A sentence for each released file that changed, is gone, or was added.
pub(crate) fn problems() -> Result<Vec<String>> {
    let inside = files()?.into_iter().filter_map(|file| file.strip_prefix("wit").ok().map(Path::to_owned));
    compared(&root().join("wit"), inside)
}

/// As [`problems`], for a folder `wit` of which every file counts.
#[cfg(test)]
pub(crate) fn problems_in(wit: &Path) -> Result<Vec<String>> {
    let folders = std::fs::read_dir(wit)?.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_dir());
    let all = folders.flat_map(|folder| std::fs::read_dir(folder).into_iter().flatten().flatten());
    let inside: Vec<PathBuf> =
        all.filter_map(|entry| entry.path().strip_prefix(wit).ok().map(Path::to_owned)).collect();
    compared(wit, inside.into_iter())
}

fn compared(wit: &Path, files: impl Iterator<Item = PathBuf>) -> Result<Vec<String>> {
    let list = std::fs::read_to_string(wit.join("released.txt")).context(LIST)?;
    let released = parse(&list)?;
    let mut found = BTreeMap::new();
    for inside in files {
        let bytes = std::fs::read(wit.join(&inside)).with_context(|| format!("wit/{}", inside.display()))?;
        found.insert(inside.display().to_string(), hex::encode(Sha256::digest(bytes)));
    }
    Ok(compare(&released, &found))
}

/// Path to digest.
fn parse(text: &str) -> Result<BTreeMap<String, String>> {
    let mut released = BTreeMap::new();
    for (line, number) in text.lines().zip(1..) {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let (digest, path) = line.split_once("  ").with_context(|| format!("{LIST}:{number}: write `digest  path`"))?;
        let is_digest = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        ensure!(is_digest, "{LIST}:{number}: `{digest}` is not a SHA-256 in hex");
        ensure!(
            path.contains('/'),
            "{LIST}:{number}: `{path}` is not in a folder: a released contract has one of its own"
        );
        released.insert(path.to_owned(), digest.to_ascii_lowercase());
    }
    Ok(released)
}

fn compare(released: &BTreeMap<String, String>, found: &BTreeMap<String, String>) -> Vec<String> {
    let changed = released.iter().filter_map(|(path, digest)| match found.get(path) {
        None => Some(format!("wit/{path} was released and is gone: put it back")),
        Some(now) if now != digest => {
            Some(format!("wit/{path} was released and has changed: put it back, and make the change in a new version"))
        }
        Some(_) => None,
    });
    let folders: BTreeSet<&str> = released.keys().filter_map(|path| folder(path)).collect();
    let added = found
        .keys()
        .filter(|path| !released.contains_key(*path) && folder(path).is_some_and(|folder| folders.contains(folder)))
        .map(|path| format!("wit/{path} was added to a released version: move it to a new one"));
    changed.chain(added).collect()
}

fn folder(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(folder, _)| folder)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{compare, parse, problems};

    fn map(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
        entries.iter().map(|(path, digest)| ((*path).to_owned(), (*digest).to_owned())).collect()
    }

    #[test]
    fn released_contracts_are_as_they_were() {
        assert_eq!(problems().unwrap(), Vec::<String>::new());
    }

    #[test]
    fn changes_to_a_released_folder_are_told_and_new_folders_are_free() {
        let released = map(&[("v1/a.wit", "00"), ("v1/b.wit", "11"), ("v1/c.wit", "22")]);
        let found =
            map(&[("v1/a.wit", "00"), ("v1/b.wit", "ff"), ("v1/d.wit", "33"), ("v2/a.wit", "44"), ("world.wit", "55")]);
        let expected = [
            "wit/v1/b.wit was released and has changed: put it back, and make the change in a new version",
            "wit/v1/c.wit was released and is gone: put it back",
            "wit/v1/d.wit was added to a released version: move it to a new one",
        ];
        assert_eq!(compare(&released, &found), expected);
    }

    #[test]
    fn the_list_is_as_sha256sum_writes_it() {
        let digest = "E3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let text = format!("# released\n\n{digest}  v1/world.wit\n");
        assert_eq!(parse(&text).unwrap(), map(&[("v1/world.wit", &digest.to_lowercase())]));

        let refuse = |text: &str, message: &str| assert_eq!(parse(text).unwrap_err().to_string(), message);
        refuse("x", "wit/released.txt:1: write `digest  path`");
        refuse("x  v1/a.wit", "wit/released.txt:1: `x` is not a SHA-256 in hex");
        let bare = format!("{digest}  a.wit");
        refuse(&bare, "wit/released.txt:1: `a.wit` is not in a folder: a released contract has one of its own");
    }
}
