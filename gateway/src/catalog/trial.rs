//! One endpoint loaded by itself, to try what it makes of a body: without a store, secrets or flows.

use super::{
    CatalogFault,
    load::{component_of, fault},
    proof::{manifest_of, proof_of},
    settings,
};
use crate::{config::Config, depot::Depot};
use tidegate_model::{
    ItemId, Timestamp,
    outcome::{ConnectionInfo, Item, Outcome},
};
use tidegate_plugin_host::{HostConfig, Manifest, Plugin, PluginHost, SplitError, guest_headers, split};

/// An endpoint to try.
pub(crate) struct Trial {
    plugin: Plugin,
    manifest: Manifest,
    connections: Vec<ConnectionInfo>,
}

/// One item of a tried body.
#[derive(Debug)]
pub(crate) struct Tried {
    /// Its place in the body.
    pub index: usize,
    /// Its topic.
    pub topic: String,
    /// The connection it belongs to, or why it has none.
    pub connection: Result<String, String>,
    /// What the plugin makes of it, or why its call failed; nothing without a connection.
    pub outcome: Option<Result<Outcome, String>>,
}

impl Trial {
    /// Loads the endpoint's plugin and checks what the configuration says to it.
    ///
    /// # Errors
    /// What does not fit together, as at a start.
    pub(crate) fn load(config: &Config, endpoint: &str) -> Result<Self, CatalogFault> {
        Self::load_one(config, endpoint).map_err(|fault| fault.at(&config.origins))
    }

    fn load_one(config: &Config, endpoint: &str) -> Result<Self, CatalogFault> {
        let section = config.endpoints.iter().find(|section| section.name == endpoint).ok_or_else(|| {
            let known: Vec<&str> = config.endpoints.iter().map(|section| section.name.as_str()).collect();
            fault("endpoints", format!("there is no endpoint {endpoint:?}; there are {}", known.join(", ")))
        })?;
        let unloaded = |problem: String| fault(format!("endpoints.{endpoint}.plugin"), problem);
        // As `tidegate config --check`: a trial leaves nothing behind where there is nothing yet.
        let cache_dir = Some(config.data.dir.join("plugins")).filter(|dir| dir.is_dir());
        let depot = cache_dir.as_deref().map(Depot::new);
        let host = PluginHost::new(&HostConfig { cache_dir, ..HostConfig::default() })
            .map_err(|error| CatalogFault::Host(error.to_string()))?;
        let component = component_of(&section.plugin, depot.as_ref()).map_err(unloaded)?;
        let plugin = host.load(&component).map_err(|error| unloaded(error.to_string()))?;
        let manifest = manifest_of(section, &plugin)?;
        proof_of(section, &manifest)?;
        let of_endpoint = config.connections.iter().filter(|held| held.endpoint == endpoint);
        let connections = of_endpoint.map(|held| {
            let settings = settings::text_of(&plugin, held)?;
            Ok(ConnectionInfo { name: held.name.clone(), account: held.account.clone(), settings })
        });
        Ok(Self { connections: connections.collect::<Result<_, CatalogFault>>()?, plugin, manifest })
    }

    /// Cuts a body into items, and has the plugin interpret each by itself.
    ///
    /// # Errors
    /// When the body can't be cut.
    pub(crate) async fn run(
        &self,
        headers: &[(String, String)],
        body: &[u8],
        received_at: Timestamp,
    ) -> Result<Vec<Tried>, SplitError> {
        let shown = guest_headers(&self.manifest, headers);
        let mut tried = Vec::new();
        for piece in split(&self.manifest, headers, body)? {
            let item = Item {
                id: ItemId::derive(received_at.ms(), &[b"try", &piece.index.to_be_bytes()]),
                topic: piece.topic.clone(),
                headers: shown.clone(),
                body: piece.body.into_owned(),
                envelope: piece.envelope,
                received_at,
                state: None,
                answers: Vec::new(),
            };
            let connection = self.connection_for(piece.route.as_deref());
            let outcome = match &connection {
                Ok(connection) => Some(self.interpret(connection, item).await),
                Err(_) => None,
            };
            let connection = connection.map(|connection| connection.name.clone());
            tried.push(Tried { index: piece.index, topic: piece.topic, connection, outcome });
        }
        Ok(tried)
    }

    async fn interpret(&self, connection: &ConnectionInfo, item: Item) -> Result<Outcome, String> {
        let mut outcomes = self.plugin.interpret(connection, &[item]).await.map_err(|error| error.to_string())?;
        outcomes.pop().ok_or_else(|| "the plugin gave no outcome".to_owned())
    }

    fn connection_for(&self, account: Option<&str>) -> Result<&ConnectionInfo, String> {
        let named = self.connections.iter().find(|held| account.is_some() && held.account.as_deref() == account);
        named.or_else(|| self.connections.iter().find(|held| held.account.is_none())).ok_or_else(|| match account {
            Some(account) => format!("no connection of the endpoint is for the account {account:?}"),
            None => "the item names no account, and no connection is for every account".to_owned(),
        })
    }
}
