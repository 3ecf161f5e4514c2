//! Switching: which version of a plugin is active, for all or for one connection; and back. More permissions must be granted anew.

use super::{Desk, conflict, wrong};
use crate::{
    config::{Config, Connection},
    depot::{Build, Reference, Shelf, Want, misfit, wants},
    http::{Code, Problem},
    records::{Choice, ChoiceRow},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tidegate_plugin_host::Manifest;
use tidegate_store::records::Record;

/// Choices that are remembered, to go back to.
const REMEMBERED: usize = 16;

/// What is to become active.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Upgrade {
    /// Id of the plugin.
    pub id: String,
    /// The version: an installed one, or the bundled one.
    pub to: String,
    /// For this connection only.
    #[serde(default)]
    pub connection: Option<String>,
    /// Whether what it asks for more than the active one is granted.
    #[serde(default)]
    pub grant: bool,
    /// The build that was looked at before this was asked for; refused when it is another one now.
    #[serde(default)]
    pub digest: Option<String>,
    /// Only tell what would change.
    #[serde(default)]
    pub plan: bool,
}

/// What is to be as it was before.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rollback {
    /// Id of the plugin.
    pub id: String,
    /// For this connection only.
    #[serde(default)]
    pub connection: Option<String>,
}

/// Makes a version active, or tells what that would change.
///
/// # Errors
/// 400 and 404 for what is not there; 409 for what does not fit, and for more permissions than were granted. Then nothing has changed.
pub(crate) fn upgrade(desk: &Desk<'_>, asked: &Upgrade) -> Result<Value, Problem> {
    let shelf = desk.shelf()?;
    let scope = Scope::new(desk, &asked.id, asked.connection.as_deref())?;
    let to = shelf.version(&asked.id, &asked.to).map_err(|problem| Problem::new(Code::NotFound, problem))?;
    if asked.digest.as_ref().is_some_and(|digest| *digest != to.digest()) {
        return Err(conflict(format!(
            "{}@{} is another build now than the one that was looked at; look again",
            asked.id, asked.to
        )));
    }
    let change = Change::new(desk, &scope, &shelf, to)?;
    let mut told = change.tell();
    if asked.plan {
        return Ok(told);
    }
    if change.needs_grant() && !asked.grant {
        return Err(change.refusal());
    }
    if change.is_none() {
        told["done"] = json!("already");
        return Ok(told);
    }
    let before = scope.row(&shelf);
    let mut remembered = before.map(|row| row.before.clone()).unwrap_or_default();
    let last = before.map_or(scope.usual(), |row| row.choice.clone());
    // Of a plugin that is not bundled nothing was active before the first version was.
    if shelf.chosen(&asked.id, &last).is_ok() {
        remembered.push(last);
    }
    let over = remembered.len().saturating_sub(REMEMBERED);
    remembered.drain(..over);
    let row = scope.chosen(change.choice(&shelf), remembered, desk);
    told["changes"] = json!(put(desk, shelf, row)?);
    told["done"] = json!("switched");
    tracing::info!(
        plugin = asked.id,
        to = asked.to,
        connection = asked.connection,
        "another version of the plugin is active"
    );
    Ok(told)
}

/// Makes what was active before active again. It was granted then.
///
/// # Errors
/// 409 when nothing was active before, or it is not installed any more.
pub(crate) fn rollback(desk: &Desk<'_>, asked: &Rollback) -> Result<Value, Problem> {
    let shelf = desk.shelf()?;
    let scope = Scope::new(desk, &asked.id, asked.connection.as_deref())?;
    let nothing = || conflict(format!("nothing else was active before for {}", scope.words()));
    let row = scope.row(&shelf).ok_or_else(nothing)?;
    let mut before = row.before.clone();
    let choice = before.pop().ok_or_else(nothing)?;
    let to = shelf.chosen(&asked.id, &choice).map_err(conflict)?;
    // A bundled one that is gone from this version of the gateway is no way back.
    let change = Change::new(desk, &scope, &shelf, to)?;
    let mut told = change.tell();
    let row = scope.chosen(choice, before, desk);
    told["changes"] = json!(put(desk, shelf, row)?);
    told["done"] = json!("rolled back");
    tracing::info!(
        plugin = asked.id,
        connection = asked.connection,
        "the version of the plugin that was active before is active again"
    );
    Ok(told)
}

/// Writes a choice down. Connections that have chosen the same as all others do not differ any more.
fn put(desk: &Desk<'_>, shelf: Shelf, row: ChoiceRow) -> Result<Vec<String>, Problem> {
    let same = |held: &&ChoiceRow| {
        row.connection.is_empty()
            && held.plugin == row.plugin
            && !held.connection.is_empty()
            && held.choice == row.choice
    };
    let like: Vec<ChoiceRow> = shelf.choices().filter(same).cloned().collect();
    let mut after = shelf;
    for held in &like {
        after.put_choice(ChoiceRow { choice: Choice::Follow, before: Vec::new(), ..held.clone() });
    }
    after.put_choice(row.clone());
    desk.put_in_force(after, |tx| {
        for held in &like {
            tx.delete(&ChoiceRow::row_key(&held.key()));
        }
        tx.put(row);
    })
}

/// For whom something is switched.
struct Scope<'a> {
    id: &'a str,
    connection: Option<&'a str>,
    config: Option<Config>,
}

impl<'a> Scope<'a> {
    fn new(desk: &Desk<'_>, id: &'a str, connection: Option<&'a str>) -> Result<Self, Problem> {
        let scope = Self { id, connection, config: desk.config() };
        let Some(name) = connection else { return Ok(scope) };
        let Some(config) = &scope.config else {
            return Err(wrong(
                "the gateway does not run: name its file with --config, so that its connections are known",
            ));
        };
        let held = config.connections.iter().find(|held| held.name == name);
        let held = held.ok_or_else(|| {
            Problem::new(Code::NotFound, format!("there is no connection {name:?} in the configuration"))
        })?;
        let endpoint = config.endpoints.iter().find(|endpoint| endpoint.name == held.endpoint);
        match endpoint.map(|endpoint| Reference::parse(&endpoint.plugin)) {
            Some(Ok(Reference::Active { id: of })) if of == id => Ok(scope),
            Some(Ok(Reference::Active { id: of })) => {
                Err(conflict(format!("the connection {name} is of the plugin {of}, not of {id}")))
            }
            _ => Err(conflict(format!(
                "the endpoint {} is pinned to its plugin by the configuration: change `plugin` there",
                held.endpoint
            ))),
        }
    }

    fn row<'s>(&self, shelf: &'s Shelf) -> Option<&'s ChoiceRow> {
        shelf.choice(self.id, self.connection.unwrap_or_default())
    }

    const fn usual(&self) -> Choice {
        if self.connection.is_some() { Choice::Follow } else { Choice::Bundled }
    }

    fn words(&self) -> String {
        match self.connection {
            Some(name) => format!("the connection {name}"),
            None => format!("the plugin {}", self.id),
        }
    }

    fn chosen(&self, choice: Choice, before: Vec<Choice>, desk: &Desk<'_>) -> ChoiceRow {
        let (plugin, connection) = (self.id.to_owned(), self.connection.unwrap_or_default().to_owned());
        ChoiceRow { plugin, connection, choice, before, since: desk.now }
    }

    /// The build that is active now.
    fn active(&self, shelf: &Shelf) -> Result<Build, String> {
        let own = self.connection.map(|name| shelf.active_for(self.id, name)).transpose()?.flatten();
        own.map_or_else(|| shelf.active(self.id), Ok)
    }

    /// Endpoints that take what is active, and those that are pinned to something else.
    fn endpoints(&self) -> (Vec<&str>, Vec<&str>) {
        let (mut follow, mut pinned) = (Vec::new(), Vec::new());
        for endpoint in self.config.iter().flat_map(|config| &config.endpoints) {
            match Reference::parse(&endpoint.plugin) {
                Ok(Reference::Active { id }) if id == self.id => follow.push(endpoint.name.as_str()),
                Ok(Reference::Version { id, .. }) if id == self.id => pinned.push(endpoint.name.as_str()),
                _ => {}
            }
        }
        (follow, pinned)
    }

    /// Connections whose items are interpreted by another version after the switch.
    fn connections(&self, shelf: &Shelf) -> Vec<&str> {
        let (endpoints, _) = self.endpoints();
        let follows = |held: &&Connection| match self.connection {
            Some(name) => held.name == name,
            None => {
                endpoints.contains(&held.endpoint.as_str()) && matches!(shelf.active_for(self.id, &held.name), Ok(None))
            }
        };
        let all = self.config.iter().flat_map(|config| &config.connections);
        all.filter(follows).map(|held| held.name.as_str()).collect()
    }
}

/// One build in place of another.
struct Change<'a> {
    scope: &'a Scope<'a>,
    from: Option<(Build, Manifest)>,
    to: (Build, Manifest),
    wants: Vec<Want>,
    connections: Vec<String>,
}

impl<'a> Change<'a> {
    fn new(desk: &Desk<'_>, scope: &'a Scope<'a>, shelf: &Shelf, to: Build) -> Result<Self, Problem> {
        let manifest = to.manifest(&desk.depot).map_err(conflict)?;
        // What is active and can't be read any more grants nothing.
        let from = scope.active(shelf).ok().and_then(|build| Some((build.clone(), build.manifest(&desk.depot).ok()?)));
        if scope.connection.is_some() {
            let endpoint = shelf.active(scope.id).and_then(|build| build.manifest(&desk.depot)).map_err(conflict)?;
            if let Some(problem) = misfit(&endpoint, &manifest) {
                return Err(conflict(problem));
            }
        }
        let wants = wants(from.as_ref().map(|(_, manifest)| manifest), &manifest);
        let connections = scope.connections(shelf).into_iter().map(str::to_owned).collect();
        Ok(Self { scope, from, to: (to, manifest), wants, connections })
    }

    /// How it is written down. A connection that runs what its endpoint runs has no choice of its own.
    fn choice(&self, shelf: &Shelf) -> Choice {
        let usual = self.scope.connection.is_some()
            && shelf.active(self.scope.id).is_ok_and(|build| build.digest() == self.to.0.digest());
        if usual { Choice::Follow } else { self.to.0.choice() }
    }

    fn is_none(&self) -> bool {
        self.from.as_ref().is_some_and(|(from, _)| from.digest() == self.to.0.digest())
    }

    fn needs_grant(&self) -> bool {
        !self.is_none() && self.wants.iter().any(|want| want.more)
    }

    fn refusal(&self) -> Problem {
        let more: Vec<&str> = self.wants.iter().filter(|want| want.more).map(|want| want.what.as_str()).collect();
        conflict(format!(
            "{}@{} asks for more than what is active: {}. Nothing was changed; look at it with `tidegate plugin upgrade {} --to {}`, and grant it with --grant",
            self.to.1.id,
            self.to.1.version,
            more.join("; "),
            self.to.1.id,
            self.to.1.version,
        ))
    }

    fn tell(&self) -> Value {
        let shown = |(build, manifest): &(Build, Manifest)| {
            json!({
                "version": manifest.version,
                "digest": build.digest(),
                "bundled": matches!(build, Build::Bundled(_)),
            })
        };
        let (follow, pinned) = self.scope.endpoints();
        json!({
            "id": self.scope.id,
            "connection": self.scope.connection,
            "from": self.from.as_ref().map(shown),
            "to": shown(&self.to),
            "wants": self.wants,
            "needs_grant": self.needs_grant(),
            "hosts": self.to.1.capabilities.fetch,
            "endpoints": follow,
            "connections": self.connections,
            "pinned": pinned,
        })
    }
}
