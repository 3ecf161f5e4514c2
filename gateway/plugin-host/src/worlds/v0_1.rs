//! Version 0.1 of the contract: `tidegate:plugin@0.1`, bound to the host, its values turned into the model's and back.

use super::{Call, Failed, Made, World};
use crate::{
    error::CallError,
    guest::Guest,
    limits::{Broken, LOG_LINE_BYTES, cut},
    plugin::Identity,
};
use tidegate_model::outcome::{ConnectionInfo, Item, Outcome};
use wasmtime::{
    Store,
    component::{HasSelf, InstancePre, Linker},
};

mod bindings;
mod contact;
mod event;
mod into;
mod outcome;
mod payload;
mod read;

use bindings::{Plugin, PluginPre, tidegate::plugin::host};

/// The import that plugins of this version may have, up to its patch number.
pub(crate) const HOST_IMPORT: &str = "tidegate:plugin/host@0.1.";
/// The import by which plugins of this version name its types.
pub(crate) const TYPES_IMPORT: &str = "tidegate:plugin/types@0.1.";

/// What every plugin of this version exports.
pub(crate) const NORMALIZER_EXPORT: &str = "tidegate:plugin/normalizer@0.1.";

/// Offers the host's functions to plugins.
pub(crate) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    Plugin::add_to_linker::<_, HasSelf<Guest>>(linker, |guest| guest)
}

/// A plugin of this version; an error names the export that does not fit.
pub(crate) fn world(pre: InstancePre<Guest>) -> wasmtime::Result<Box<dyn World>> {
    Ok(Box::new(PluginPre::new(pre)?))
}

impl World for PluginPre<Guest> {
    fn instantiate<'c>(&'c self, store: &'c mut Store<Guest>) -> Made<'c> {
        Box::pin(async move { self.instantiate_async(store).await.map(|_| ()) })
    }

    fn interpret<'c>(
        &'c self,
        store: &'c mut Store<Guest>,
        identity: &'c Identity,
        connection: &'c ConnectionInfo,
        items: &'c [Item],
    ) -> Call<'c> {
        Box::pin(async move {
            let instance = self.instantiate_async(&mut *store).await.map_err(Failed::Engine)?;
            let (guest_connection, guest_items) = (into::connection(connection), into::items(items));
            let answer = instance
                .tidegate_plugin_normalizer()
                .call_interpret(&mut *store, &guest_connection, &guest_items)
                .await;
            outcomes(identity, connection, items, answer.map_err(Failed::Engine)?)
        })
    }
}

fn outcomes(
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
