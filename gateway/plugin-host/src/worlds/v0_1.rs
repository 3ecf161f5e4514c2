//! Version 0.1 of the contract: `tidegate:plugin@0.1`, bound to the host, its values turned into the model's and back.

use super::{Advance, Call, Contract, Failed, Making, World};
use crate::{
    error::CallError,
    guest::Guest,
    limits::{Broken, LOG_LINE_BYTES, cut},
    plugin::Identity,
};
use tidegate_model::{
    connector::Task,
    outcome::{Answer, ConnectionInfo, Item, Outcome},
};
use wasmtime::{
    Store,
    component::{HasSelf, InstancePre},
};

pub(in crate::worlds) mod bindings;
mod connecting;
mod contact;
mod event;
pub(in crate::worlds) mod into;
mod outcome;
mod payload;
mod read;

use bindings::{Plugin, PluginPre, tidegate::plugin::host};

/// This version, for the host.
pub(crate) const CONTRACT: Contract = Contract {
    version: "0.1",
    sdk: "0.1",
    wit: &[WIT],
    connecting: Some(&[CONNECTOR_WIT]),
    // The types are an interface without functions, which a component imports to name them.
    imports: &["tidegate:plugin/host@0.1.", "tidegate:plugin/types@0.1."],
    link: |linker| Plugin::add_to_linker::<_, HasSelf<Guest>>(linker, |guest| guest),
    bind: |pre| Ok(Box::new(Bound::new(pre)?)),
};

/// The files of the package.
pub(in crate::worlds) const WIT: &[&str] =
    &[include_str!("../../../../wit/types.wit"), include_str!("../../../../wit/world.wit")];

/// The files of the package, with the optional interface.
const CONNECTOR_WIT: &[&str] = &[
    include_str!("../../../../wit/types.wit"),
    include_str!("../../../../wit/world.wit"),
    include_str!("../../../../wit/connector.wit"),
];

/// A component, bound to what it exports.
struct Bound {
    plugin: PluginPre<Guest>,
    connector: Option<connecting::ConnectingPre<Guest>>,
}

impl Bound {
    fn new(pre: InstancePre<Guest>) -> wasmtime::Result<Self> {
        let exports = |name: &str| name.split('@').next() == Some(super::CONNECTOR);
        let component = pre.component();
        let connects = component.component_type().exports(component.engine()).any(|(name, _)| exports(name));
        let connector = connects.then(|| connecting::ConnectingPre::new(pre.clone())).transpose()?;
        Ok(Self { plugin: PluginPre::new(pre)?, connector })
    }
}

impl World for Bound {
    fn connects(&self) -> bool {
        self.connector.is_some()
    }

    fn advance<'c>(
        &'c self,
        store: &'c mut Store<Guest>,
        identity: &'c Identity,
        connection: &'c ConnectionInfo,
        task: &'c Task,
        answers: &'c [Answer],
    ) -> Advance<'c> {
        Box::pin(async move {
            let Some(connector) = &self.connector else { return Err(super::no_connector(identity)) };
            let instance = connector.instantiate_async(&mut *store).await.map_err(Failed::Engine)?;
            let (guest_connection, guest_task) = (into::connection(connection), connecting::task(task));
            let step = instance
                .tidegate_plugin_connector()
                .call_advance(&mut *store, &guest_connection, &guest_task, &connecting::answers(answers))
                .await;
            connecting::step(identity, connection, task, step.map_err(Failed::Engine)?)
        })
    }

    fn interpret<'c>(
        &'c self,
        store: &'c mut Store<Guest>,
        identity: &'c Identity,
        connection: &'c ConnectionInfo,
        items: &'c [Item],
    ) -> Call<'c> {
        Box::pin(async move {
            let instance = self.plugin.instantiate_async(&mut *store).await.map_err(Failed::Engine)?;
            let (guest_connection, guest_items) = (into::connection(connection), into::items(items));
            let answer = instance
                .tidegate_plugin_normalizer()
                .call_interpret(&mut *store, &guest_connection, &guest_items)
                .await;
            outcomes(identity, connection, items, answer.map_err(Failed::Engine)?)
        })
    }

    fn instantiate<'c>(&'c self, store: &'c mut Store<Guest>) -> Making<'c> {
        Box::pin(async move { self.plugin.instantiate_async(store).await.map(drop) })
    }
}

/// The answer as the host understands it, when it is one for each item.
pub(in crate::worlds) fn outcomes(
    identity: &Identity,
    connection: &ConnectionInfo,
    items: &[Item],
    answer: Vec<bindings::tidegate::plugin::types::Outcome>,
) -> Result<Vec<Outcome>, Failed> {
    if answer.len() != items.len() {
        let reason =
            format!("{} outcomes for {} items; it must return one for each, in their order", answer.len(), items.len());
        return Err(Failed::Answer(CallError::BadOutcome { plugin: identity.manifest.id.clone(), reason }));
    }
    Ok(items.iter().zip(answer).map(|(item, outcome)| outcome::read(identity, connection, item, outcome)).collect())
}

impl bindings::tidegate::plugin::types::Host for Guest {}

impl host::Host for Guest {
    fn log(&mut self, level: host::Level, message: String) -> wasmtime::Result<()> {
        let line = cut(&message, LOG_LINE_BYTES);
        self.budgets.take_log(line.len()).map_err(|Broken(budget)| wasmtime::Error::new(Broken(budget)))?;
        // A plugin has seen personal data, and may say it.
        let line = tidegate_model::mask::Scrubbed(line);
        let Self { plugin, first_item, items, .. } = self;
        // The level of a log line must be known when it is compiled, so each has a line of its own.
        macro_rules! write_line {
            ($level:ident) => {
                tracing::$level!(target: "plugin", { plugin.id = plugin, item.id = %first_item, items }, "{line}")
            };
        }
        match level {
            host::Level::Debug => write_line!(debug),
            host::Level::Info => write_line!(info),
            host::Level::Warn => write_line!(warn),
            host::Level::Error => write_line!(error),
        }
        Ok(())
    }
}
