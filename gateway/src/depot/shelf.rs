//! What is installed and what is active, as the store has it: read whole, looked things up in, and laid over with what is about to be written.

use super::{Depot, digest_of};
use crate::records::{Choice, ChoiceRow, InstalledRow};
use std::{borrow::Cow, collections::BTreeMap, ops::ControlFlow};
use tidegate_bundled::BundledPlugin;
use tidegate_plugin_host::{Manifest, read_manifest};
use tidegate_store::{
    Engine, Key, KeyRange, Order, StoreError,
    keys::NO_WORKSPACE,
    records::{self, Record},
};

/// The installed versions, and what is active.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shelf {
    versions: BTreeMap<(String, String), InstalledRow>,
    choices: BTreeMap<(String, String), ChoiceRow>,
}

/// One build of a plugin: where its bytes are.
#[derive(Debug, Clone)]
pub(crate) enum Build {
    /// In the program.
    Bundled(&'static BundledPlugin),
    /// In the data directory.
    Installed(InstalledRow),
}

impl Build {
    /// Id of its plugin.
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Bundled(plugin) => plugin.id,
            Self::Installed(row) => &row.plugin,
        }
    }

    /// Its version.
    pub(crate) fn version(&self) -> String {
        match self {
            Self::Bundled(plugin) => bundled_version(plugin),
            Self::Installed(row) => row.version.clone(),
        }
    }

    /// SHA-256 of its component, in hex.
    pub(crate) fn digest(&self) -> String {
        match self {
            Self::Bundled(plugin) => digest_of(plugin.component),
            Self::Installed(row) => row.digest.clone(),
        }
    }

    /// Its component.
    ///
    /// # Errors
    /// Its file is gone or damaged.
    pub(crate) fn component(&self, depot: Option<&Depot>) -> Result<Cow<'static, [u8]>, String> {
        match (self, depot) {
            (Self::Bundled(plugin), _) => Ok(Cow::Borrowed(plugin.component)),
            (Self::Installed(row), Some(depot)) => depot.read(row).map(Cow::Owned),
            (Self::Installed(row), None) => Err(format!("{}@{} lies in no data directory", row.plugin, row.version)),
        }
    }

    /// Its manifest.
    ///
    /// # Errors
    /// As [`Build::component`].
    pub(crate) fn manifest(&self, depot: &Depot) -> Result<Manifest, String> {
        read_manifest(&self.component(Some(depot))?).map_err(|error| error.to_string())
    }

    /// Whether it is this build that was chosen.
    pub(crate) fn is(&self, choice: &Choice) -> bool {
        *choice == self.choice()
    }

    /// The choice of it.
    pub(crate) fn choice(&self) -> Choice {
        match self {
            Self::Bundled(_) => Choice::Bundled,
            Self::Installed(row) => Choice::Installed { version: row.version.clone(), digest: row.digest.clone() },
        }
    }
}

impl Shelf {
    /// As the store has it.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn load(store: &dyn Engine) -> Result<Self, StoreError> {
        let mut shelf = Self::default();
        read(store, |row: InstalledRow| shelf.put_version(row))?;
        read(store, |row: ChoiceRow| shelf.put_choice(row))?;
        Ok(shelf)
    }

    /// As far as files tell, while the store is somebody else's: what is active for a plugin that is not bundled is its newest version.
    pub(crate) fn of_files(depot: &Depot) -> Self {
        let mut shelf = Self::default();
        let mut found = depot.found();
        found.sort_by_key(|row| semver::Version::parse(&row.version).ok());
        for row in found {
            let (plugin, version, digest) = (row.plugin.clone(), row.version.clone(), row.digest.clone());
            let since = row.installed_at;
            shelf.put_version(row);
            if bundled(&plugin).is_none() {
                let choice = Choice::Installed { version, digest };
                shelf.put_choice(ChoiceRow { plugin, connection: String::new(), choice, before: Vec::new(), since });
            }
        }
        shelf
    }

    /// Adds a version.
    pub(crate) fn put_version(&mut self, row: InstalledRow) {
        self.versions.insert((row.plugin.clone(), row.version.clone()), row);
    }

    /// Replaces a choice.
    pub(crate) fn put_choice(&mut self, row: ChoiceRow) {
        self.choices.insert((row.plugin.clone(), row.connection.clone()), row);
    }

    /// Every installed version, by plugin and version.
    pub(crate) fn versions(&self) -> impl Iterator<Item = &InstalledRow> {
        self.versions.values()
    }

    /// Every choice that is not the usual one.
    pub(crate) fn choices(&self) -> impl Iterator<Item = &ChoiceRow> {
        self.choices.values()
    }

    /// The choice for a plugin, or for a connection.
    pub(crate) fn choice(&self, id: &str, connection: &str) -> Option<&ChoiceRow> {
        self.choices.get(&(id.to_owned(), connection.to_owned()))
    }

    /// An installed version.
    pub(crate) fn installed(&self, id: &str, version: &str) -> Option<&InstalledRow> {
        self.versions.get(&(id.to_owned(), version.to_owned()))
    }

    /// The build that is active for a plugin.
    ///
    /// # Errors
    /// There is none, and what to do.
    pub(crate) fn active(&self, id: &str) -> Result<Build, String> {
        match self.choice(id, "").map_or(&Choice::Bundled, |row| &row.choice) {
            Choice::Follow | Choice::Bundled => bundled(id).map(Build::Bundled).ok_or_else(|| self.unknown(id)),
            choice @ Choice::Installed { .. } => self.chosen(id, choice),
        }
    }

    /// The build that is active for a connection, where that is not its endpoint's.
    ///
    /// # Errors
    /// As [`Shelf::active`].
    pub(crate) fn active_for(&self, id: &str, connection: &str) -> Result<Option<Build>, String> {
        match self.choice(id, connection).map_or(&Choice::Follow, |row| &row.choice) {
            Choice::Follow => Ok(None),
            choice => self.chosen(id, choice).map(Some),
        }
    }

    /// The build that was chosen.
    ///
    /// # Errors
    /// It is not here any more.
    pub(crate) fn chosen(&self, id: &str, choice: &Choice) -> Result<Build, String> {
        match choice {
            Choice::Follow => self.active(id),
            Choice::Bundled => bundled(id).map(Build::Bundled).ok_or_else(|| self.unknown(id)),
            Choice::Installed { version, digest } => {
                let held = self.installed(id, version).filter(|row| row.digest == *digest);
                held.cloned().map(Build::Installed).ok_or_else(|| format!("{id}@{version} is not installed any more"))
            }
        }
    }

    /// The build of a version: an installed one, else the bundled one.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn version(&self, id: &str, version: &str) -> Result<Build, String> {
        if let Some(row) = self.installed(id, version) {
            return Ok(Build::Installed(row.clone()));
        }
        let bundled = bundled(id).filter(|plugin| bundled_version(plugin) == version);
        bundled.map(Build::Bundled).ok_or_else(|| {
            let known = self.known(id);
            if known.is_empty() {
                return self.unknown(id);
            }
            format!("there is no {id}@{version} here; there are {}", known.join(", "))
        })
    }

    /// The build with this digest.
    pub(crate) fn by_digest(&self, digest: &str) -> Option<Build> {
        let installed = self.versions.values().find(|row| row.digest == digest).cloned().map(Build::Installed);
        let bundled = || tidegate_bundled::PLUGINS.iter().find(|plugin| digest_of(plugin.component) == digest);
        installed.or_else(|| bundled().map(Build::Bundled))
    }

    /// Versions of a plugin, in words.
    fn known(&self, id: &str) -> Vec<String> {
        let mut known: Vec<String> =
            self.versions.values().filter(|row| row.plugin == id).map(|row| row.version.clone()).collect();
        known.extend(bundled(id).map(|plugin| format!("{} (bundled)", bundled_version(plugin))));
        known
    }

    fn unknown(&self, id: &str) -> String {
        let known = self.known(id);
        if let Some(version) = known.first() {
            let known = known.join(", ");
            return format!(
                "no version of the plugin {id:?} is active; {known} is installed: `tidegate plugin upgrade {id} --to {version}`"
            );
        }
        let mut ids: Vec<&str> = tidegate_bundled::PLUGINS.iter().map(|plugin| plugin.id).collect();
        ids.extend(self.versions.values().map(|row| row.plugin.as_str()));
        ids.sort_unstable();
        ids.dedup();
        format!(
            "there is no plugin {id:?} here; there are {}; `tidegate plugin install` installs another, and a .wasm file can be named by its path",
            ids.join(", ")
        )
    }
}

/// The bundled plugin with this id.
pub(super) fn bundled(id: &str) -> Option<&'static BundledPlugin> {
    tidegate_bundled::PLUGINS.iter().find(|plugin| plugin.id == id)
}

/// Its version, as its manifest says.
pub(super) fn bundled_version(plugin: &BundledPlugin) -> String {
    read_manifest(plugin.component).map(|manifest| manifest.version).unwrap_or_default()
}

fn read<R: Record>(store: &dyn Engine, mut take: impl FnMut(R)) -> Result<(), StoreError> {
    let range = KeyRange::prefix(&Key::new(R::SPACE, NO_WORKSPACE));
    records::walk(store, &range, Order::Forward, |row: R| {
        take(row);
        ControlFlow::<()>::Continue(())
    })?;
    Ok(())
}
