//! A gateway for tests of the stages: the real catalog with the bundled plugins over an engine in memory, a clock that is stepped, and a channel that
//! writes down what it is given. Nothing runs by itself: a test takes one step after the other, and may pull the plug between any two.

mod channel;
mod meddler;
mod steps;
mod webhooks;

pub(crate) use channel::Recorder;
pub(crate) use meddler::Meddler;
pub(crate) use webhooks::{Webhook, entry, failure, inbound, meta, meta_entries, order, phone, preference, status};

use crate::{
    app::App,
    catalog::{Catalog, Sources, TokenPlace},
    config::Config,
    metrics::Metrics,
    pipeline::{Accepted, Incoming, ReceiveFault, Runner, receive},
    play::Played,
    tx::Tx,
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};
use steps::Flight;
use tempfile::TempDir;
use tidegate_clock::{ClockMode, DomainClock};
use tidegate_model::{
    ContactId, DeliveryId, MessageId, Timestamp,
    message::{Category, ChannelKind, Content, Draft, Message, State},
};
use tidegate_plugin_host::{HostConfig, PluginHost};
use tidegate_signature::Target;
use tidegate_store::{CommitError, KeyRange, Order, Queue, Space, keys::Key, memory::Memory, records};

/// When every test begins: noon of a day (2026-06-01), in Unix milliseconds.
pub(crate) const START: Timestamp = Timestamp::from_ms(1_780_315_200_000);
/// The id of the sender at its provider.
pub(crate) const NUMBER_ID: &str = "106540352242922";
/// The account of that number at its provider.
pub(crate) const ACCOUNT: &str = "102290129340398";
/// Signs every webhook.
pub(crate) const SECRET: &str = "secret-of-the-tests";
/// The URL that every webhook is sent to, for providers that sign it.
pub(crate) const CALLED: &str = "https://gateway.example/in/test";
/// The number of the only workspace.
pub(crate) const WORKSPACE: u32 = 1;

const CONFIG: &str = r#"
[workspaces.main]
flows = "flows"
templates = "templates"
default_sender = "shop"
[[senders]]
name = "shop"
workspace = "main"
channel = "whatsapp"
phone_number_id = "106540352242922"
access_token = "token-of-the-tests"
[[endpoints]]
name = "shopify"
plugin = "shopify"
secrets = ["secret-of-the-tests"]
[[endpoints]]
name = "meta"
plugin = "meta"
secrets = ["secret-of-the-tests"]
[[connections]]
name = "store"
endpoint = "shopify"
workspace = "main"
[[connections]]
name = "whatsapp"
endpoint = "meta"
workspace = "main"
"#;

/// A flow that thanks for an order, and asks two days later.
pub(crate) const THANKS: &str = "flow: thanks\non: order.placed\nsteps:\n  - id: thank\n    send: { template: thanks }\n  - id: let-it-arrive\n    wait: 2d\n  - id: ask\n    send: { template: ask }\n";
/// A flow that sends an advertisement for an order.
pub(crate) const OFFER: &str = "flow: offer\non: order.placed\nsteps:\n  - id: offer\n    send: { template: offer }\n";

const TEMPLATES: [(&str, &str); 3] = [("thanks", "utility"), ("ask", "utility"), ("offer", "marketing")];

/// Endpoints for the bundled plugins that the configuration above has none for, named as they are. What signs a webhook of `json-hmac` is the endpoint's to say.
fn other_endpoints() -> String {
    let others = tidegate_bundled::PLUGINS
        .iter()
        .map(|plugin| plugin.id)
        .filter(|id| !["shopify", "meta", "json-hmac"].contains(id));
    let section = |id: &str| {
        let endpoint = format!("[[endpoints]]\nname = \"{id}\"\nplugin = \"{id}\"\nsecrets = [\"{SECRET}\"]\n");
        // The one whose credential is not optional.
        let credentials = if id == "hubspot" { "credentials = { access_token = \"token\" }\n" } else { "" };
        format!("{endpoint}[[connections]]\nname = \"{id}\"\nendpoint = \"{id}\"\nworkspace = \"main\"\n{credentials}")
    };
    others.map(section).collect()
}

/// The folder where the bundled plugins lie compiled, for all tests of this build.
pub(crate) fn plugin_cache() -> &'static Path {
    static CACHE: OnceLock<PathBuf> = OnceLock::new();
    CACHE.get_or_init(|| {
        let program = std::env::current_exe().unwrap();
        let dir = program.parent().unwrap().join("compiled-plugins-of-tests");
        let host = PluginHost::new(&HostConfig { cache_dir: Some(dir.clone()), ..HostConfig::default() }).unwrap();
        for plugin in tidegate_bundled::PLUGINS {
            host.load(plugin.component).unwrap();
        }
        dir
    })
}

/// A gateway whose steps are taken by hand.
pub(crate) struct Stage {
    dir: TempDir,
    clock: DomainClock,
    channel: Arc<Recorder>,
    runtime: tokio::runtime::Runtime,
    memory: Memory,
    runner: Runner,
    app: Arc<App>,
    meddler: Arc<Meddler>,
    flight: Option<Flight>,
}

/// What was answered to a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answered {
    /// Stored as this.
    Stored(DeliveryId),
    /// It came before, as this.
    Repeat(DeliveryId),
}

impl Answered {
    pub(crate) fn id(self) -> DeliveryId {
        match self {
            Self::Stored(id) | Self::Repeat(id) => id,
        }
    }
}

impl Stage {
    /// With these flows.
    pub(crate) fn new(flows: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["flows", "templates"] {
            std::fs::create_dir(dir.path().join(folder)).unwrap();
        }
        for (place, flow) in flows.iter().enumerate() {
            std::fs::write(dir.path().join(format!("flows/{place}.yaml")), flow).unwrap();
        }
        for (name, category) in TEMPLATES {
            let text = format!(
                "template: {name}\ncategory: {category}\ndefault_language: en\nlanguages:\n  en: {{ code: en_US, body: \"{name}!\" }}\n"
            );
            std::fs::write(dir.path().join(format!("templates/{name}.yaml")), text).unwrap();
        }
        std::fs::write(dir.path().join("tidegate.toml"), CONFIG).unwrap();
        let clock = DomainClock::new(ClockMode::Stepped { start_ms: START.ms() }).unwrap();
        let channel = Arc::new(Recorder::default());
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).enable_all().build().unwrap();
        let memory = Memory::new();
        let (app, meddler) = open(dir.path(), &memory, &clock, &channel);
        let runner = Runner::new(Arc::clone(&app), runtime.handle().clone());
        Self { dir, clock, channel, runtime, memory, runner, app, meddler, flight: None }
    }

    /// Pulls the plug and starts again: only what is on disk is left.
    pub(crate) fn crash(&mut self) {
        let memory = std::mem::take(&mut self.memory).crash();
        self.start(memory);
    }

    /// Stops, changes a part of the configuration, and starts again.
    pub(crate) fn reconfigure(&mut self, from: &str, to: &str) {
        self.reconfigure_all(&[(from, to)]);
    }

    /// The same for several parts.
    pub(crate) fn reconfigure_all(&mut self, parts: &[(&str, &str)]) {
        let path = self.dir.path().join("tidegate.toml");
        let mut text = std::fs::read_to_string(&path).unwrap();
        for (from, to) in parts {
            assert!(text.contains(from), "the configuration has no {from}");
            text = text.replace(from, to);
        }
        std::fs::write(&path, text).unwrap();
        let memory = std::mem::take(&mut self.memory).reopen();
        self.start(memory);
    }

    /// Gives every bundled plugin that has no endpoint one of its name, with a connection.
    pub(crate) fn open_every_endpoint(&mut self) {
        let first = "[[endpoints]]\nname = \"shopify\"\n";
        self.reconfigure(first, &format!("{}{first}", other_endpoints()));
    }

    /// Writes a file beside the configuration, and gives its path.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn start(&mut self, memory: Memory) {
        self.flight = None;
        self.memory = memory;
        (self.app, self.meddler) = open(self.dir.path(), &self.memory, &self.clock, &self.channel);
        self.runner = Runner::new(Arc::clone(&self.app), self.runtime.handle().clone());
    }

    /// The store, with the switches of its disk.
    pub(crate) fn memory(&self) -> &Memory {
        &self.memory
    }

    pub(crate) fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// Who gets in the way of commits.
    pub(crate) fn meddler(&self) -> &Meddler {
        &self.meddler
    }

    pub(crate) fn runtime(&self) -> &tokio::runtime::Runtime {
        &self.runtime
    }

    pub(crate) fn runner(&self) -> &Runner {
        &self.runner
    }

    /// Another runner of the same gateway, for another thread.
    pub(crate) fn another_runner(&self) -> Runner {
        Runner::new(Arc::clone(&self.app), self.runtime.handle().clone())
    }

    pub(crate) fn channel(&self) -> &Recorder {
        &self.channel
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.app.now()
    }

    /// Moves the time on.
    pub(crate) fn advance(&self, by_ms: i64) {
        self.clock.advance(by_ms).unwrap();
    }

    /// A unit of work in the workspace.
    pub(crate) fn tx(&self) -> Tx<'_> {
        Tx::new(self.app.store(), WORKSPACE)
    }

    /// What the listener would store of a webhook, and in which commits.
    pub(crate) fn accept(&self, endpoint: &str, played: &Played) -> Result<Accepted, ReceiveFault> {
        let endpoint = self.app.catalog().endpoint(endpoint).unwrap();
        let headers: Vec<(String, Vec<u8>)> =
            played.headers.iter().map(|(name, value)| (name.clone(), value.clone().into_bytes())).collect();
        let target = Target { method: "POST", url: CALLED };
        let incoming = Incoming { target, headers: &headers, body: &played.body, received_at: self.now() };
        receive(&endpoint, &incoming, self.app.store().seq())
    }

    /// Takes a webhook as the listener does, and waits until it is on disk.
    pub(crate) fn try_post(&self, endpoint: &str, played: &Played) -> Result<Answered, ReceiveFault> {
        let accepted = self.accept(endpoint, played)?;
        for batch in accepted.ahead {
            self.app.store().commit(batch).wait().unwrap();
        }
        Ok(match (self.app.store().commit(accepted.changes.into_batch()).wait(), accepted.mark) {
            (Ok(_), _) => Answered::Stored(accepted.id),
            (Err(CommitError::Conflict { key }), Some(mark)) if mark.is_conflict(&key) => {
                Answered::Repeat(mark.first(self.app.store()).unwrap().unwrap())
            }
            (Err(CommitError::Conflict { .. }), None) => Answered::Repeat(accepted.id),
            (Err(error), _) => panic!("not stored: {error}"),
        })
    }

    /// Signs and posts a webhook.
    pub(crate) fn post(&self, webhook: &Webhook) -> Answered {
        self.try_post(webhook.endpoint, &webhook.play(self.now())).unwrap()
    }

    /// The records of a space in the workspace as JSON, in the order of their keys.
    pub(crate) fn rows(&self, space: Space) -> Vec<Value> {
        self.rows_of(space, WORKSPACE)
    }

    /// The records of a space in any workspace.
    pub(crate) fn rows_of(&self, space: Space, workspace: u32) -> Vec<Value> {
        let range = KeyRange::prefix(&Key::new(space, workspace));
        let rows = self.app.store().range(&range, Order::Forward, 1_000).unwrap();
        rows.into_iter().map(|(_, row)| serde_json::from_slice(&row.value).unwrap()).collect()
    }

    /// How many rows of work are ready.
    pub(crate) fn ready(&self, queue: Queue) -> u64 {
        self.app.store().stats().ready[queue.index()]
    }

    /// Every message, by the order of ids.
    pub(crate) fn messages(&self) -> Vec<Message> {
        let range = KeyRange::prefix(&Key::new(Space::Messages, WORKSPACE));
        let page = records::list::<crate::records::MessageRow>(self.app.store(), range, Order::Forward, None, 1_000);
        page.unwrap().items.into_iter().map(|row| row.record.message).collect()
    }

    /// Messages to people.
    pub(crate) fn outbound(&self) -> Vec<Message> {
        let mut messages = self.messages();
        messages.retain(|message| message.direction == tidegate_model::message::Direction::Outbound);
        messages
    }

    pub(crate) fn message(&self, id: MessageId) -> Message {
        self.messages().into_iter().find(|message| message.id == id).unwrap()
    }

    /// Everything that is known at the end, by space, without what hangs on the order of commits.
    pub(crate) fn state(&self) -> BTreeMap<&'static str, Vec<Value>> {
        let spaces = [
            Space::Interpretations,
            Space::Runs,
            Space::Messages,
            Space::Contacts,
            Space::ContactKeys,
            Space::Suppressions,
            Space::Windows,
            Space::Replies,
            Space::ProviderIds,
            Space::Unreachable,
            Space::Circuits,
            Space::PluginState,
            Space::DeadLetters,
        ];
        let plain = |mut row: Value| {
            strip(&mut row);
            row
        };
        spaces.map(|space| (space.label(), self.rows(space).into_iter().map(plain).collect())).into()
    }
}

/// The settings of `[sending]` as documented.
pub(crate) fn sending() -> crate::config::Sending {
    Config::load(None, &[]).unwrap().sending
}

/// A utility template message that was attempted once.
pub(crate) fn message() -> Message {
    let draft = Draft {
        id: MessageId::derive(START.ms(), &[b"message"]),
        channel: ChannelKind::Whatsapp,
        sender: "shop".to_owned(),
        contact: ContactId::derive(START.ms(), &[b"contact"]),
        address: None,
        category: Category::Utility,
        content: Content::Template {
            name: "thanks".to_owned(),
            language: "en_US".to_owned(),
            parameters: Vec::new(),
            text: "thanks!".to_owned(),
        },
        event: None,
        step: None,
        at: START,
    };
    Message { state: State::Attempting, attempts: 1, ..Message::queued(draft, 86_400_000) }
}

/// Takes away numbers that commits give.
fn strip(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.remove("seq");
            fields.remove("letter");
            fields.remove("take");
            fields.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

fn open(dir: &Path, memory: &Memory, clock: &DomainClock, channel: &Arc<Recorder>) -> (Arc<App>, Arc<Meddler>) {
    let config = Config::load(Some(&dir.join("tidegate.toml")), &[]).unwrap();
    let meddler = Meddler::over(memory.engine());
    let store: Arc<dyn tidegate_store::Engine> = Arc::clone(&meddler) as _;
    let metrics = Arc::new(Metrics::new());
    let tokens = TokenPlace { store: Arc::clone(&store), clock: clock.clone() };
    let sources = Sources {
        store: &*store,
        plugin_cache: Some(plugin_cache()),
        metrics: &metrics,
        tokens: Some(&tokens),
        previous: None,
    };
    let mut catalog = Catalog::load(&config, &sources).unwrap();
    catalog.send_by(&(Arc::clone(channel) as Arc<dyn tidegate_channels::Channel>));
    let app = App::over(store, catalog, clock.clone());
    crate::pipeline::resume_all(&app).unwrap();
    (app, meddler)
}
