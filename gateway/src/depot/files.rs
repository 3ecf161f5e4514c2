//! The files of installed versions: `plugins/<id>/<version>-<digest12>.wasm` in the data directory, private, and there whole or not at all.

use super::{Shelf, digest_of};
use crate::records::InstalledRow;
use std::{
    fs,
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};
use tidegate_model::Timestamp;

/// Digits of a digest that stand in a file's name.
const SHORT: usize = 12;
/// End of a component's file name.
const COMPONENT: &str = "wasm";
/// End of the name of a file that is being written.
const PART: &str = "part";

/// The folder of installed versions.
#[derive(Debug, Clone)]
pub(crate) struct Depot {
    dir: PathBuf,
}

impl Depot {
    /// In this folder, which is made when something is put there.
    pub(crate) fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    /// Where a version lies.
    pub(crate) fn path(&self, row: &InstalledRow) -> PathBuf {
        let short = row.digest.get(..SHORT).unwrap_or(&row.digest);
        self.dir.join(&row.plugin).join(format!("{}-{short}.{COMPONENT}", row.version))
    }

    /// Writes a component. When this returns it is on disk under its name; before, there is nothing under that name.
    ///
    /// # Errors
    /// The file system's.
    pub(crate) fn put(&self, row: &InstalledRow, component: &[u8]) -> io::Result<()> {
        let path = self.path(row);
        let folder = path.parent().unwrap_or(&self.dir);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let part = path.with_extension(PART);
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
        file.write_all(component)?;
        file.sync_all()?;
        fs::rename(&part, &path)?;
        sync_dir(folder)?;
        sync_dir(&self.dir)
    }

    /// Reads a component back.
    ///
    /// # Errors
    /// It is gone or not as it was, and what to do.
    pub(crate) fn read(&self, row: &InstalledRow) -> Result<Vec<u8>, String> {
        let path = self.path(row);
        let label = format!("{}@{}", row.plugin, row.version);
        let wayout = format!(
            "install it again, or make another version active with the gateway stopped: tidegate plugin rollback {}",
            row.plugin
        );
        let component = fs::read(&path).map_err(|error| {
            format!("{label} is installed, and {} can't be read: {error}; {wayout}", path.display())
        })?;
        if digest_of(&component) != row.digest {
            return Err(format!("{label} is installed, and {} is not as it was written; {wayout}", path.display()));
        }
        Ok(component)
    }

    /// Removes a component that no row names any more.
    ///
    /// # Errors
    /// The file system's.
    pub(crate) fn remove(&self, row: &InstalledRow) -> io::Result<()> {
        match fs::remove_file(self.path(row)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Removes what an installing or uninstalling left that was interrupted: parts of files, and components without a row. Only who has the store may ask.
    pub(crate) fn tidy(&self, shelf: &Shelf) {
        let known: Vec<PathBuf> = shelf.versions().map(|row| self.path(row)).collect();
        for path in self.files() {
            let is_ours = path.extension().is_some_and(|end| end == COMPONENT || end == PART);
            if is_ours && !known.contains(&path) {
                match fs::remove_file(&path) {
                    Ok(()) => tracing::info!(path = %path.display(), "removed what an interrupted installation left"),
                    Err(error) => {
                        tracing::warn!(path = %path.display(), %error, "what an interrupted installation left can't be removed")
                    }
                }
            }
        }
    }

    /// The versions that lie here, by their files alone: for looking while somebody else has the store.
    pub(crate) fn found(&self) -> Vec<InstalledRow> {
        let row = |path: PathBuf| {
            let component = fs::read(&path).ok().filter(|_| path.extension().is_some_and(|end| end == COMPONENT))?;
            let manifest = tidegate_plugin_host::read_manifest(&component).ok()?;
            Some(InstalledRow {
                plugin: manifest.id,
                version: manifest.version,
                digest: digest_of(&component),
                bytes: component.len() as u64,
                source: path.display().to_string(),
                signed_by: Vec::new(),
                installed_at: Timestamp::from_ms(0),
            })
        };
        self.files().into_iter().filter_map(row).collect()
    }

    /// The files in the folders of plugins.
    fn files(&self) -> Vec<PathBuf> {
        let list = |dir: &Path| -> Vec<PathBuf> {
            fs::read_dir(dir).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect()
        };
        let mut files: Vec<PathBuf> =
            list(&self.dir).iter().filter(|path| path.is_dir()).flat_map(|folder| list(folder)).collect();
        files.sort();
        files
    }
}

fn sync_dir(dir: &Path) -> io::Result<()> {
    fs::File::open(dir)?.sync_all()
}
