//! Any signed JSON webhook to canonical events: a connection's settings are the mapping (`tidegate-json-mapping`), and this carries it out on each item. It knows no
//! provider. How the webhook is signed and cut into items is the endpoint's configuration.

mod contact;
mod event;
mod instant;
mod payload;
mod reading;

use tidegate_json_mapping::{Fault, Mapping};
use tidegate_plugin_sdk::{Context, Error, Interpretation, Item, Plugin, export};

/// The plugin.
#[derive(Debug)]
pub struct JsonHmac;

impl Plugin for JsonHmac {
    fn interpret(ctx: &mut Context<'_>, item: &Item) -> Result<Interpretation, Error> {
        let mapping = Mapping::read(&ctx.connection().settings).map_err(|faults| unusable(&faults))?;
        event::events(&mapping, item)
    }
}

/// The gateway checks settings when it is configured, so this is seen by who runs the plugin without it.
fn unusable(faults: &[Fault]) -> Error {
    let words: Vec<String> = faults.iter().map(ToString::to_string).collect();
    Error::new(format!("the settings of the connection: {}", words.join("; ")))
}

export!(JsonHmac);

#[cfg(test)]
mod tests;
