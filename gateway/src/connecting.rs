//! Connections at their providers: what is to be sent is subscribed to, looked after, mended, and what no webhook told is read. What to ask the provider is the
//! plugin's connector's business; when, with which secret, and what is written down, is decided here.

mod aside;
mod door;
mod perform;
mod round;
mod schedule;
mod secret;
mod subscribe;

pub(crate) use aside::put_aside;
pub(crate) use door::admit;
pub(crate) use perform::{ConnectorFault, perform, perform_patiently};
pub(crate) use round::{Outcome, Round, settle};
pub(crate) use schedule::{arm, arm_all};
pub(crate) use secret::SecretFault;
pub(crate) use subscribe::{SubscribeFault, subscribe, unsubscribe};

use crate::{
    app::App,
    catalog::{Connection, Endpoint},
    records::ConnectionRow,
    tx::TxError,
};
use std::sync::Arc;
use tidegate_model::connector::Target;

/// A connection with everything that its provider is told of.
#[derive(Clone)]
pub(crate) struct Subject {
    /// Its endpoint.
    pub endpoint: Arc<Endpoint>,
    /// The connection.
    pub connection: Arc<Connection>,
    /// Where its webhooks go.
    pub url: String,
}

impl Subject {
    /// A connection by its name.
    pub(crate) fn named(app: &App, name: &str) -> Option<Self> {
        Self::found(app, |connection| connection.name == name)
    }

    /// A connection by its number.
    pub(crate) fn numbered(app: &App, workspace: u32, number: u32) -> Option<Self> {
        Self::found(app, |connection| (connection.workspace, connection.number) == (workspace, number))
    }

    fn found(app: &App, is_it: impl Fn(&Connection) -> bool) -> Option<Self> {
        let catalog = app.catalog();
        let (endpoint, connection) = catalog.connections().find(|(_, connection)| is_it(connection))?;
        let url = format!("{}/in/{}", app.public_url(), endpoint.name);
        Some(Self { endpoint: Arc::clone(endpoint), connection: Arc::clone(connection), url })
    }

    /// Whether its plugin looks after it.
    pub(crate) fn connects(&self) -> bool {
        self.connection.interpreter.plugin.connects()
    }

    /// Whether what no webhook told can be read.
    pub(crate) fn reads_back(&self) -> bool {
        let connector = &self.connection.interpreter.plugin.manifest().connector;
        connector.as_ref().is_some_and(|connector| connector.backfill)
    }

    /// Whether the provider has one address for all that it sends.
    fn has_one_address(&self) -> bool {
        let connector = &self.connection.interpreter.plugin.manifest().connector;
        connector.as_ref().is_some_and(|connector| connector.one_address)
    }

    /// What is to be sent, by the row, or as usual.
    pub(crate) fn target(&self, row: Option<&ConnectionRow>) -> Target {
        let wanted = row.and_then(|row| row.wanted.as_ref()).map(|wanted| wanted.topics.clone());
        let topics = wanted.unwrap_or_else(|| self.connection.interpreter.plugin.manifest().usual_topics());
        Target { url: self.url.clone(), topics }
    }

    /// Its row.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn row(&self, app: &App) -> Result<Option<ConnectionRow>, TxError> {
        let key = (self.connection.workspace, self.connection.number);
        Ok(tidegate_store::records::get::<ConnectionRow>(app.store(), &key)?.map(|(row, _)| row))
    }
}
