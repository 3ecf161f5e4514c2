//! What a project's sources say, as one value: another value means that they have changed. What is written, not when: a build that writes the same files again changes
//! nothing.

use sha2::{Digest, Sha256};
use std::{fs, path::Path};

/// Folders that hold what tools make.
const MADE: [&str; 7] = ["target", "build", "dist", "node_modules", "__pycache__", "venv", "wit_world"];
/// Larger files are looked at from outside only.
const READ_BYTES: u64 = 1 << 20;
/// Most files that are looked at.
const MOST_FILES: u32 = 20_000;

/// The sources at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Print([u8; 32]);

impl Print {
    /// Of the sources in a folder.
    pub(super) fn of(dir: &Path) -> Self {
        let (mut hash, mut left) = (Sha256::new(), MOST_FILES);
        add_folder(&mut hash, dir, &mut left);
        Self(hash.finalize().into())
    }
}

/// What can't be read counts as absent: it may be about to be written.
fn add_folder(hash: &mut Sha256, dir: &Path, left: &mut u32) {
    let entries = fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok);
    let mut entries: Vec<_> = entries.collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Ok(kind) = entry.file_type() else { continue };
        let is_made = name.starts_with('.') || name == "Cargo.lock" || name.ends_with(".wasm");
        if is_made || MADE.contains(&name.as_str()) || *left == 0 {
            continue;
        }
        // Links are not followed: they lead out of the project, or round in it.
        if kind.is_dir() {
            add_folder(hash, &entry.path(), left);
        } else if kind.is_file() {
            *left -= 1;
            add_file(hash, &entry.path());
        }
    }
}

fn add_file(hash: &mut Sha256, path: &Path) {
    let Ok(meta) = fs::metadata(path) else { return };
    let content =
        if meta.len() <= READ_BYTES { fs::read(path).unwrap_or_default() } else { format!("{meta:?}").into_bytes() };
    for part in [path.as_os_str().as_encoded_bytes(), &content] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_count_and_what_tools_make_does_not() {
        let dir = tempfile::tempdir().unwrap();
        let put = |path: &str, text: &str| {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        put("src/lib.rs", "a");
        let first = Print::of(dir.path());
        for made in ["target/x", "node_modules/x/y.js", ".git/x", "shop.wasm", "src/__pycache__/x", "Cargo.lock"] {
            put(made, "made");
        }
        put("src/lib.rs", "a");
        assert_eq!(Print::of(dir.path()), first);
        put("src/lib.rs", "b");
        let second = Print::of(dir.path());
        assert_ne!(second, first);
        put("fixtures/one/webhook.json", "{}");
        assert_ne!(Print::of(dir.path()), second);
    }
}
