//! The life of a plugin at an operator's: installed, made active for all or for one connection, taken back, uninstalled. On a running gateway, or on the data
//! directory of a stopped one. Each change is one commit; what a kill leaves between two of them is a file that no row names.

mod install;
mod switch;
mod versions;

pub(crate) use install::{Install, install};
pub(crate) use switch::{Rollback, Upgrade, rollback, upgrade};
pub(crate) use versions::{Uninstall, uninstall, versions};

use crate::{
    app::{App, Held},
    catalog::{Catalog, CatalogFault, Sources},
    config::{Config, PluginSources},
    depot::{Depot, Shelf},
    http::{Code, Problem},
    metrics::Metrics,
    tx::{Tx, TxError},
};
use std::{path::Path, sync::Arc};
use tidegate_model::Timestamp;
use tidegate_plugin_host::PluginHost;
use tidegate_store::{Engine, keys::NO_WORKSPACE};

/// The folder of plugins in a data directory.
pub(crate) const PLUGINS: &str = "plugins";

/// Where plugins are dealt with. One at a time: who has a desk of a running gateway holds up reloads and other desks.
pub(crate) struct Desk<'a> {
    store: &'a dyn Engine,
    depot: Depot,
    dir: std::path::PathBuf,
    host: PluginHost,
    rules: PluginSources,
    now: Timestamp,
    place: Place<'a>,
}

enum Place<'a> {
    Running {
        app: &'a App,
        held: Held<'a>,
    },
    /// With the configuration that it will be started with, where that is known.
    Stopped(Option<&'a Config>),
}

impl<'a> Desk<'a> {
    /// Of a running gateway.
    pub(crate) fn of(app: &'a App) -> Self {
        let held = app.hold();
        let catalog = app.catalog();
        let dir = app.data().join(PLUGINS);
        Self {
            store: app.store(),
            depot: Depot::new(&dir),
            dir,
            host: catalog.plugin_host().clone(),
            rules: catalog.config().plugin_sources.clone(),
            now: app.now(),
            place: Place::Running { app, held },
        }
    }

    /// Of a stopped gateway's data directory. `rules` say whose plugins are taken.
    pub(crate) fn of_stopped(
        (store, data): (&'a dyn Engine, &Path),
        host: PluginHost,
        (config, rules): (Option<&'a Config>, PluginSources),
        now: Timestamp,
    ) -> Self {
        let dir = data.join(PLUGINS);
        Self { store, depot: Depot::new(&dir), dir, host, rules, now, place: Place::Stopped(config) }
    }

    fn shelf(&self) -> Result<Shelf, Problem> {
        Ok(Shelf::load(self.store)?)
    }

    /// What runs now, or would run: for looking who uses what.
    fn config(&self) -> Option<Config> {
        match &self.place {
            Place::Running { app, .. } => Some(app.catalog().config().clone()),
            Place::Stopped(config) => config.cloned(),
        }
    }

    /// Puts rows in force: everything that they change is made aside and checked, then they are written in one commit, and then the gateway works by them. When it
    /// fails, and when the process dies before the commit, everything is as it was.
    fn put_in_force(&self, shelf: Shelf, write: impl FnOnce(&mut Tx<'_>)) -> Result<Vec<String>, Problem> {
        let refused = |fault: CatalogFault| match fault {
            CatalogFault::Store(error) => Problem::internal(&error),
            other => Problem::new(Code::Conflict, format!("nothing was changed: {other}")),
        };
        let made = match &self.place {
            Place::Running { app, .. } => Some(app.catalog().switched(self.store, &self.dir, shelf).map_err(refused)?),
            Place::Stopped(Some(config)) => {
                let metrics = Arc::new(Metrics::new());
                let sources = Sources {
                    store: self.store,
                    plugin_cache: Some(&self.dir),
                    metrics: &metrics,
                    tokens: None,
                    previous: None,
                };
                Catalog::load_with(config, &sources, shelf).map_err(refused)?;
                None
            }
            Place::Stopped(None) => None,
        };
        self.commit(write)?;
        Ok(match (&self.place, made) {
            (Place::Running { app, held }, Some(catalog)) => app.exchange(held, catalog),
            _ => Vec::new(),
        })
    }

    fn commit(&self, write: impl FnOnce(&mut Tx<'_>)) -> Result<(), TxError> {
        let mut tx = Tx::new(self.store, NO_WORKSPACE);
        write(&mut tx);
        tx.commit(None)
    }
}

/// What a caller must change.
fn wrong(problem: impl Into<String>) -> Problem {
    Problem::new(Code::ParameterInvalid, problem)
}

/// What does not fit what is there.
fn conflict(problem: impl Into<String>) -> Problem {
    Problem::new(Code::Conflict, problem)
}

#[cfg(test)]
mod tests;
