//! The versions of plugins that are here: what is installed and bundled, what is active, and where. And taking one away.

use super::{Desk, conflict};
use crate::{
    config::Config,
    depot::{Build, Reference, Shelf},
    http::{Code, Problem},
    records::{Choice, ChoiceRow, InstalledRow},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tidegate_store::records::Record;

/// What is to be taken away.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Uninstall {
    /// Id of the plugin.
    pub id: String,
    /// Its version.
    pub version: String,
}

/// Every version, by plugin; those of one plugin where it is named.
///
/// # Errors
/// The store's.
pub(crate) fn versions(desk: &Desk<'_>, id: Option<&str>) -> Result<Vec<Value>, Problem> {
    let shelf = desk.shelf()?;
    let config = desk.config();
    let bundled = tidegate_bundled::PLUGINS.iter().map(Build::Bundled);
    let mut builds: Vec<Build> = bundled.chain(shelf.versions().cloned().map(Build::Installed)).collect();
    builds.retain(|build| id.is_none_or(|id| id == build.id()));
    builds.sort_by_key(|build| (build.id().to_owned(), semver::Version::parse(&build.version()).ok()));
    Ok(builds.iter().map(|build| shown(desk, &shelf, config.as_ref(), build)).collect())
}

fn shown(desk: &Desk<'_>, shelf: &Shelf, config: Option<&Config>, build: &Build) -> Value {
    let (id, digest) = (build.id(), build.digest());
    let active = shelf.active(id).is_ok_and(|active| active.digest() == digest);
    let (used_by, row) = (
        uses(shelf, config, build),
        match build {
            Build::Bundled(_) => None,
            Build::Installed(row) => Some(row),
        },
    );
    let state = match (active, row.map(|row| desk.depot.path(row).is_file())) {
        (_, Some(false)) => "file missing",
        (true, _) => "active",
        (false, _) if !used_by.is_empty() => "in use",
        (false, _) => "idle",
    };
    json!({
        "id": id,
        "version": build.version(),
        "digest": digest,
        "digest_short": digest.get(..12),
        "bundled": row.is_none(),
        "active": active,
        "state": state,
        "used_by": used_by,
        "signed_by": row.map(|row| row.signed_by.clone()).unwrap_or_default(),
        "source": row.map(|row| row.source.as_str()),
        "bytes": row.map(|row| row.bytes),
        "installed_at": row.map(|row| row.installed_at),
    })
}

/// Where a build is used, in words: `endpoint shop`, `connection acme`. A choice counts also where nothing is configured for it.
fn uses(shelf: &Shelf, config: Option<&Config>, build: &Build) -> Vec<String> {
    let (id, digest) = (build.id(), build.digest());
    let mut found = Vec::new();
    for endpoint in config.iter().flat_map(|config| &config.endpoints) {
        let runs = match Reference::parse(&endpoint.plugin) {
            Ok(Reference::Active { id: of }) if of == id => shelf.active(id).ok(),
            Ok(Reference::Version { id: of, version, .. }) if of == id => shelf.version(id, &version).ok(),
            _ => None,
        };
        if runs.is_some_and(|runs| runs.digest() == digest) {
            found.push(format!("endpoint {}", endpoint.name));
        }
    }
    let chosen = |row: &&ChoiceRow| row.plugin == id && !row.connection.is_empty() && build.is(&row.choice);
    found.extend(shelf.choices().filter(chosen).map(|row| format!("connection {}", row.connection)));
    found
}

/// Takes an installed version away: first the row, then the file.
///
/// # Errors
/// 404 when it is not installed, 409 while it is in use.
pub(crate) fn uninstall(desk: &Desk<'_>, asked: &Uninstall) -> Result<Value, Problem> {
    let Uninstall { id, version } = asked;
    let shelf = desk.shelf()?;
    let row = shelf.installed(id, version).cloned();
    let row = row.ok_or_else(|| Problem::new(Code::NotFound, format!("{id}@{version} is not installed")))?;
    let build = Build::Installed(row.clone());
    let mut uses = uses(&shelf, desk.config().as_ref(), &build);
    if shelf.choice(id, "").is_some_and(|choice| build.is(&choice.choice)) {
        uses.insert(0, format!("what is active for the plugin {id}"));
    }
    if !uses.is_empty() {
        let uses = uses.join(", ");
        return Err(conflict(format!("{id}@{version} is in use: {uses}. Make another version active there first")));
    }
    // Nobody can go back to it any more.
    let forget = |held: &ChoiceRow| {
        let before: Vec<Choice> = held.before.iter().filter(|choice| !build.is(choice)).cloned().collect();
        (before.len() != held.before.len()).then(|| ChoiceRow { before, ..held.clone() })
    };
    let changed: Vec<ChoiceRow> = shelf.choices().filter(|held| held.plugin == *id).filter_map(forget).collect();
    desk.commit(|tx| {
        tx.delete(&InstalledRow::row_key(&row.key()));
        changed.into_iter().for_each(|row| tx.put(row));
    })?;
    if let Err(error) = desk.depot.remove(&row) {
        tracing::warn!(path = %desk.depot.path(&row).display(), %error, "the file of an uninstalled plugin can't be removed; the next start tries again");
    }
    tracing::info!(plugin = id, version, "plugin uninstalled");
    Ok(json!({"id": id, "version": version, "digest": row.digest}))
}
