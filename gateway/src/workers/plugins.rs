//! The watched folder: packed plugins that appear in it are installed, and where the configuration says so, made active when they ask for no more than before.

use crate::{
    app::App,
    commands::{Desk, Install, Upgrade, install, upgrade},
    supervisor::Shutdown,
};
use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

/// Pause between two looks.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// Files that are looked at in a folder.
const MOST_FILES: usize = 1_000;

/// Runs until the gateway stops.
pub(super) async fn run(app: Arc<App>, mut shutdown: Shutdown) -> Result<(), String> {
    let mut watch = Watch::default();
    while !shutdown.is_asked() {
        if app.catalog().config().plugin_sources.watched().is_some() {
            let (app, mut watching) = (Arc::clone(&app), watch);
            let looked = tokio::task::spawn_blocking(move || {
                watching.look(&app);
                watching
            });
            watch = looked.await.map_err(|error| error.to_string())?;
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_AGAIN) => {}
            () = shutdown.asked() => {}
        }
    }
    Ok(())
}

/// How a file looked: while this changes it is being written.
type Looks = (u64, Option<SystemTime>);

/// What was seen in the folder.
#[derive(Default)]
struct Watch {
    files: HashMap<PathBuf, (Looks, Seen)>,
    unreadable: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// Once.
    New,
    /// It was dealt with as it looks.
    Done,
}

impl Watch {
    /// Looks once. A file is dealt with when it looks as it did the time before.
    fn look(&mut self, app: &App) {
        let rules = app.catalog().config().plugin_sources.clone();
        let Some(dir) = rules.watched() else { return };
        let found = match list(dir) {
            Ok(found) => found,
            Err(error) => {
                if !std::mem::replace(&mut self.unreadable, true) {
                    tracing::warn!(dir = %dir.display(), %error, "plugin_sources.dir can't be read");
                }
                return;
            }
        };
        self.unreadable = false;
        self.files.retain(|path, _| found.contains_key(path));
        let mut settled = Vec::new();
        for (path, looks) in found {
            match self.files.get_mut(&path) {
                Some((held, seen)) if *held == looks => {
                    if *seen == Seen::New {
                        *seen = Seen::Done;
                        settled.push(path);
                    }
                }
                _ => {
                    self.files.insert(path, (looks, Seen::New));
                }
            }
        }
        let mut new: Vec<New> = settled.into_iter().filter_map(|path: PathBuf| take(app, &path)).collect();
        // The newest last: it is the one that stays active.
        new.sort_by(|a, b| a.version.cmp(&b.version));
        for one in new.iter().filter(|one| !one.already) {
            one.settle(app, &rules.auto);
        }
    }
}

fn list(dir: &Path) -> io::Result<HashMap<PathBuf, Looks>> {
    let mut found = HashMap::new();
    for entry in fs::read_dir(dir)?.take(MOST_FILES) {
        let path = entry?.path();
        let looks = fs::metadata(&path).ok().filter(fs::Metadata::is_file);
        if let Some(looks) = looks.filter(|_| path.extension().is_some_and(|end| end == "wasm")) {
            found.insert(path, (looks.len(), looks.modified().ok()));
        }
    }
    Ok(found)
}

/// A plugin that appeared.
struct New {
    id: String,
    version: Option<semver::Version>,
    text: String,
    already: bool,
}

fn take(app: &App, path: &Path) -> Option<New> {
    let refused = |reason: &str| {
        tracing::warn!(path = %path.display(), reason, "a plugin in the watched folder was not installed");
    };
    let component = fs::read(path).map_err(|error| refused(&error.to_string())).ok()?;
    let source = path.display().to_string();
    let asked = Install { source, ..Install::default() };
    let answer = install(&Desk::of(app), &component, &asked).map_err(|problem| refused(problem.detail())).ok()?;
    let text = answer["version"].as_str().unwrap_or_default().to_owned();
    let id = answer["id"].as_str().unwrap_or_default().to_owned();
    Some(New { id, version: semver::Version::parse(&text).ok(), text, already: answer["already"] == true })
}

impl New {
    /// Makes it active, or says how.
    fn settle(&self, app: &App, auto: &[String]) {
        let Self { id, text, .. } = self;
        let how = format!("tidegate plugin upgrade {id} --to {text}");
        if !auto.contains(id) {
            tracing::info!(
                plugin = id,
                version = text,
                "a plugin from the watched folder is installed, and waits: `{how}` makes it active"
            );
            return;
        }
        let mut asked =
            Upgrade { id: id.clone(), to: text.clone(), connection: None, grant: false, digest: None, plan: true };
        let desk = Desk::of(app);
        let active = match upgrade(&desk, &asked) {
            Ok(plan) => plan["from"]["version"].as_str().and_then(|held| semver::Version::parse(held).ok()),
            Err(problem) => {
                tracing::warn!(
                    plugin = id,
                    version = text,
                    reason = problem.detail(),
                    "a plugin from the watched folder is not made active by itself"
                );
                return;
            }
        };
        if active.is_some_and(|active| self.version.as_ref().is_none_or(|new| *new <= active)) {
            tracing::info!(
                plugin = id,
                version = text,
                "a plugin from the watched folder is no newer than what is active, and waits: `{how}` makes it active"
            );
            return;
        }
        asked.plan = false;
        if let Err(problem) = upgrade(&desk, &asked) {
            tracing::warn!(
                plugin = id,
                version = text,
                reason = problem.detail(),
                "a plugin from the watched folder is not made active by itself"
            );
        }
    }
}
