//! Builds the hostile plugin once, loads it, and calls it.

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};
use tidegate_model::{
    ItemId, Timestamp,
    outcome::{ConnectionInfo, Item, Outcome},
};
use tidegate_plugin_host::{CallError, HostConfig, Plugin, PluginHost, embed};
use tidegate_plugin_pack::{Crate, build};
use tokio::runtime::{Builder, Runtime};

/// A manifest with little memory, and time enough for a slow machine.
pub(crate) const MANIFEST: &str = r#"
id = "hostile"
name = "Hostile"
version = "0.1.0"
items = { state = { header = "x-state" } }
limits = { memory_bytes = 16777216, deadline_ms = 10000 }
capabilities = { fetch = ["api.example.com"] }
[[events]]
kind = "warranty.registered"
schema = { type = "object", required = ["serial"], properties = { serial = { type = "integer" } } }
[[events]]
kind = "review.posted"
"#;

/// When the items of all tests were received.
pub(crate) const RECEIVED_MS: i64 = 1_780_000_000_123;

/// The hostile plugin without a manifest.
pub(crate) fn bare() -> &'static [u8] {
    static COMPONENT: OnceLock<Result<Vec<u8>, String>> = OnceLock::new();
    let built = COMPONENT.get_or_init(|| {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guests/hostile");
        // Beside what this build makes, shared with the other plugins that are built in it.
        let target_dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).with_file_name("guests");
        let guest = Crate { package: "tidegate-hostile-guest", dir: &dir, target_dir: &target_dir };
        build(guest).map_err(|error| error.to_string())
    });
    built.as_ref().unwrap_or_else(|error| panic!("{error}"))
}

/// The hostile plugin with a manifest.
pub(crate) fn packed(manifest: &str) -> Vec<u8> {
    embed(bare(), manifest).unwrap()
}

/// One host for all tests, as a gateway has one.
pub(crate) fn host() -> &'static PluginHost {
    static HOST: OnceLock<PluginHost> = OnceLock::new();
    HOST.get_or_init(|| PluginHost::new(&HostConfig::default()).unwrap())
}

/// The hostile plugin, loaded.
pub(crate) fn hostile() -> &'static Plugin {
    static PLUGIN: OnceLock<Plugin> = OnceLock::new();
    PLUGIN.get_or_init(|| host().load(&packed(MANIFEST)).unwrap())
}

pub(crate) fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().unwrap()
}

/// An item with this topic; the place tells items apart.
pub(crate) fn item(topic: &str, place: u8) -> Item {
    Item {
        id: ItemId::derive(RECEIVED_MS, &[b"item", &[place]]),
        topic: topic.to_owned(),
        headers: vec![("x-topic".to_owned(), topic.to_owned())],
        body: "{\"id\":1}".to_owned(),
        envelope: None,
        received_at: Timestamp::from_ms(RECEIVED_MS),
        state: None,
        answers: Vec::new(),
    }
}

pub(crate) fn connection() -> ConnectionInfo {
    ConnectionInfo { name: "shop".to_owned(), account: Some("acme".to_owned()), settings: String::new() }
}

/// One call with items of these topics.
pub(crate) fn call(plugin: &Plugin, topics: &[&str]) -> Result<Vec<Outcome>, CallError> {
    let items: Vec<Item> = topics.iter().enumerate().map(|(place, topic)| item(topic, place as u8)).collect();
    runtime().block_on(plugin.interpret(&connection(), &items))
}

/// One call with one item.
pub(crate) fn outcome(topic: &str) -> Outcome {
    call(hostile(), &[topic]).unwrap().remove(0)
}

/// What the plugin reports.
pub(crate) fn report(topic: &str) -> String {
    match outcome(topic) {
        Outcome::Skip(report) => report,
        other => panic!("{other:?}"),
    }
}
