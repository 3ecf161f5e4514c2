//! The plugins that come with the gateway, as packed components, and samples of the webhooks they read. Built by `build.rs`; knows nothing of what is inside.

/// A plugin that comes with the gateway.
#[derive(Debug, Clone, Copy)]
pub struct BundledPlugin {
    /// Its id, as in its manifest.
    pub id: &'static str,
    /// The component with its manifest.
    pub component: &'static [u8],
}

/// A webhook as a provider sends it: for trying things out, and for tests.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// The plugin that reads it.
    pub plugin: &'static str,
    /// What it is about, e.g. `orders/create`.
    pub topic: &'static str,
    /// Name of the case.
    pub case: &'static str,
    /// The webhook: `topic`, `headers`, `received_at`, `body` or `body_text`, `source`, and where they matter `settings` and `state`.
    pub webhook_json: &'static str,
}

include!(concat!(env!("OUT_DIR"), "/tables.rs"));

/// The bundled plugin with this id.
pub fn plugin(id: &str) -> Option<&'static BundledPlugin> {
    PLUGINS.iter().find(|plugin| plugin.id == id)
}

/// The samples of a topic, or of every topic of a plugin.
pub fn samples<'q>(plugin: &'q str, topic: Option<&'q str>) -> impl Iterator<Item = &'static Sample> + 'q {
    SAMPLES.iter().filter(move |sample| sample.plugin == plugin && topic.is_none_or(|topic| sample.topic == topic))
}
