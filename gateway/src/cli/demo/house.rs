//! The demo's own surroundings: its data directory, its secrets, its configuration, and the double.

use super::super::Failure;
use crate::{
    app::Running,
    config::{Config, Connection, Endpoint, SecretText, Sender, Workspace},
    play,
};
use anyhow::{Context, anyhow};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    net::TcpListener,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};
use tidegate_clock::DomainClock;
use tidegate_double::{Category, Delays, Double, DoubleConfig, Number, Parameters, Template};
use tidegate_flows::{ParameterFormat, parse_template};
use tidegate_model::message;
use tidegate_plugin_host::read_manifest;

/// The address that is tried first.
const USUAL_ADDRESS: &str = "127.0.0.1:8080";
/// File that says what a directory is: only such a one is emptied by `--fresh`.
const SECRETS: &str = "demo.json";
const WORKSPACE: &str = "demo";
const SENDER: &str = "demo-shop";
const PHONE_NUMBER_ID: &str = "106540352242922";
const WABA_ID: &str = "102290129340398";
const DISPLAY_NUMBER: &str = "15550783881";

/// The example flows and templates, as they are in `examples/`.
const FLOWS: &[(&str, &str)] = &[
    ("order-confirmation.yaml", include_str!("../../../../examples/flows/flows/order-confirmation.yaml")),
    ("shipping.yaml", include_str!("../../../../examples/flows/flows/shipping.yaml")),
    ("order-follow-up.yaml", include_str!("../../../../examples/flows/flows/order-follow-up.yaml")),
];
const TEMPLATES: &[(&str, &str)] = &[
    ("order_confirmation.yaml", include_str!("../../../../examples/flows/templates/order_confirmation.yaml")),
    ("order_confirmation_vip.yaml", include_str!("../../../../examples/flows/templates/order_confirmation_vip.yaml")),
    ("order_follow_up.yaml", include_str!("../../../../examples/flows/templates/order_follow_up.yaml")),
    ("shipping_update.yaml", include_str!("../../../../examples/flows/templates/shipping_update.yaml")),
    (
        "shipping_update_untracked.yaml",
        include_str!("../../../../examples/flows/templates/shipping_update_untracked.yaml"),
    ),
];

/// Secrets that are made once for a data directory.
#[derive(Serialize, Deserialize)]
struct Secrets {
    webhook: String,
    verify_token: String,
    access_token: String,
}

/// Where the demo lives.
pub(super) struct House {
    /// Its data directory.
    pub(super) data: PathBuf,
    /// The double.
    pub(super) double: Double,
    secrets: Secrets,
}

/// A connection of the demo, as scripts see it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Door {
    /// Name.
    pub(super) name: &'static str,
    /// Provider: the plugin's id.
    pub(super) provider: &'static str,
    /// Where its webhooks go.
    pub(super) url: String,
    /// What they are signed with.
    pub(super) secret: String,
}

impl House {
    /// Makes or opens the directory, and starts the double.
    pub(super) async fn open(data: &Path, fresh: bool, clock: DomainClock) -> Result<Self, Failure> {
        let data = std::path::absolute(data).map_err(anyhow::Error::from)?;
        if fresh {
            empty(&data)?;
        }
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&data)
            .with_context(|| format!("{} can't be made", data.display()))?;
        let secrets = secrets(&data.join(SECRETS))?;
        write_private(&data.join("webhook.secret"), &secrets.webhook)?;
        write_examples(&data)?;
        let double = start_double(&secrets, clock).await?;
        Ok(Self { data, double, secrets })
    }

    /// The demo's configuration.
    pub(super) fn config(&self, listen: &str) -> Result<Config, Failure> {
        let mut config = Config::load(None, &[]).map_err(|fault| Failure::Usage(fault.to_string()))?;
        listen.clone_into(&mut config.server.listen);
        config.server.drain_s = 5;
        config.data.dir.clone_from(&self.data);
        config.data.reserve_mib = 64;
        config.workspaces.insert(
            WORKSPACE.to_owned(),
            Workspace {
                flows: Some(self.data.join("flows")),
                templates: Some(self.data.join("templates")),
                default_sender: Some(SENDER.to_owned()),
                ..Workspace::default()
            },
        );
        for plugin in play::providers() {
            config.endpoints.push(Endpoint {
                name: plugin.id.to_owned(),
                plugin: plugin.id.to_owned(),
                secrets: vec![SecretText::new(&self.secrets.webhook)],
                verify_token: Some(SecretText::new(&self.secrets.verify_token)),
                ..Endpoint::default()
            });
            config.connections.push(Connection {
                name: plugin.id.to_owned(),
                endpoint: plugin.id.to_owned(),
                workspace: WORKSPACE.to_owned(),
                account: None,
                settings: toml::Table::new(),
                credentials: credentials(plugin.component),
                reconcile: None,
            });
        }
        config.senders.push(Sender {
            phone_number_id: Some(PHONE_NUMBER_ID.to_owned()),
            access_token: Some(SecretText::new(&self.secrets.access_token)),
            base_url: self.double.url().to_owned(),
            ..Sender::new(SENDER, WORKSPACE, message::ChannelKind::Whatsapp)
        });
        Ok(config)
    }

    /// Tells the double where the gateway is.
    pub(super) fn connect(&mut self, running: &Running) -> Result<(), Failure> {
        let url = format!("http://{}/in/meta", running.address);
        self.double
            .script()
            .set_webhook_url(PHONE_NUMBER_ID, Some(&url))
            .map_err(|error| Failure::Work(anyhow!("the double does not take the gateway's address: {error}")))
    }

    /// The demo's connections.
    pub(super) fn doors(&self, running: &Running) -> Vec<Door> {
        let door = |plugin: &tidegate_bundled::BundledPlugin| Door {
            name: plugin.id,
            provider: plugin.id,
            url: format!("http://{}/in/{}", running.address, plugin.id),
            secret: self.secrets.webhook.clone(),
        };
        play::providers().map(door).collect()
    }

    /// The number that the demo sends by.
    pub(super) const fn phone_number_id(&self) -> &'static str {
        PHONE_NUMBER_ID
    }

    pub(super) async fn close(self) {
        self.double.stop().await;
    }
}

/// The usual address, or a free one when that is taken and none was asked for.
pub(super) fn free_address(asked: Option<&str>) -> anyhow::Result<String> {
    if let Some(asked) = asked {
        return Ok(asked.to_owned());
    }
    if TcpListener::bind(USUAL_ADDRESS).is_ok() {
        return Ok(USUAL_ADDRESS.to_owned());
    }
    Ok("127.0.0.1:0".to_owned())
}

/// Empties a directory, if it is a demo's.
fn empty(data: &Path) -> Result<(), Failure> {
    if !data.exists() {
        return Ok(());
    }
    let is_empty = fs::read_dir(data).map_err(anyhow::Error::from)?.next().is_none();
    if !is_empty && !data.join(SECRETS).exists() {
        return Err(Failure::Usage(format!("{} is not a demo's directory: --fresh does not empty it", data.display())));
    }
    fs::remove_dir_all(data).with_context(|| format!("{} can't be emptied", data.display()))?;
    Ok(())
}

fn secrets(path: &Path) -> Result<Secrets, Failure> {
    if path.exists() {
        let text = fs::read_to_string(path).with_context(|| format!("{} can't be read", path.display()))?;
        let damaged = || Failure::Usage(format!("{} is damaged: start with --fresh", path.display()));
        return serde_json::from_str(&text).map_err(|_| damaged());
    }
    let random = || play::unique().map_err(|error| anyhow!("the system has no randomness: {error}"));
    let made = Secrets { webhook: random()?, verify_token: random()?, access_token: random()? };
    write_private(path, &serde_json::to_string_pretty(&made).map_err(anyhow::Error::from)?)?;
    Ok(made)
}

fn write_private(path: &Path, text: &str) -> Result<(), Failure> {
    let opened = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    let written = opened.and_then(|mut file| file.write_all(text.as_bytes()));
    Ok(written.with_context(|| format!("{} can't be written", path.display()))?)
}

/// Flows and templates are written once, so that they can be looked at and changed.
fn write_examples(data: &Path) -> Result<(), Failure> {
    for (folder, files) in [("flows", FLOWS), ("templates", TEMPLATES)] {
        let folder = data.join(folder);
        if folder.exists() {
            continue;
        }
        fs::create_dir(&folder).map_err(anyhow::Error::from)?;
        for (name, text) in files {
            fs::write(folder.join(name), text).map_err(anyhow::Error::from)?;
        }
    }
    Ok(())
}

async fn start_double(secrets: &Secrets, clock: DomainClock) -> Result<Double, Failure> {
    let mut config = DoubleConfig::new(clock);
    config.delays = Delays { sent_ms: 300, delivered_ms: Some(900), read_ms: Some(2_500) };
    config.numbers = vec![Number {
        phone_number_id: PHONE_NUMBER_ID.to_owned(),
        waba_id: WABA_ID.to_owned(),
        display_phone_number: DISPLAY_NUMBER.to_owned(),
        access_token: secrets.access_token.clone(),
        app_secret: secrets.webhook.clone(),
        webhook_url: None,
    }];
    for (name, text) in TEMPLATES {
        config.templates.extend(approved(name, text)?);
    }
    Double::start(config).await.map_err(|error| Failure::Work(anyhow!("the double does not start: {error}")))
}

/// A template file as the provider would have approved it: one template for each language.
fn approved(name: &str, text: &str) -> Result<Vec<Template>, Failure> {
    let template = parse_template(name, text).map_err(|error| Failure::Work(anyhow!("{error}")))?;
    let definition = template.definition();
    let (parameters, positional) = match definition.format {
        ParameterFormat::Positional => (Parameters::Positional(definition.parameters.len()), true),
        ParameterFormat::Named => (Parameters::Named(definition.parameters.clone()), false),
    };
    let body = |text: &str| {
        let numbered = definition.parameters.iter().enumerate();
        numbered.fold(text.to_owned(), |text, (place, name)| {
            let to = if positional { format!("{{{{{}}}}}", place + 1) } else { format!("{{{{{name}}}}}") };
            text.replace(&format!("{{{{{name}}}}}"), &to).replace(&format!("{{{{ {name} }}}}"), &to)
        })
    };
    let category = match definition.category {
        message::Category::Marketing => Category::Marketing,
        message::Category::Utility => Category::Utility,
        message::Category::Authentication => Category::Authentication,
        message::Category::Service => Category::Service,
    };
    let languages = definition.languages.values();
    Ok(languages
        .map(|language| Template {
            name: definition.template.clone(),
            language: language.code.clone(),
            parameters: parameters.clone(),
            category,
            body: body(&language.body),
        })
        .collect())
}

/// Something for each credential that a plugin is given: nobody is read from here.
fn credentials(component: &[u8]) -> BTreeMap<String, SecretText> {
    let auth = read_manifest(component).map(|manifest| manifest.auth).unwrap_or_default();
    let names = auth.iter().flat_map(|auth| std::iter::once(&auth.secret).chain(&auth.user));
    names.map(|name| (name.clone(), SecretText::new("demo"))).collect()
}
