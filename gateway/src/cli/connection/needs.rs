//! What a new connection needs, by its plugin's manifest and the configuration that it joins: the sections to write, or all that is missing. Pure: it reads no file
//! and asks nobody.

use crate::config::Config;
use std::collections::BTreeMap;
use tidegate_plugin_host::{Auth, EndpointPart, Manifest, setting_of};

/// What the operator said.
#[derive(Debug, Clone, Default)]
pub(super) struct Said {
    /// The connection's name.
    pub name: String,
    /// The plugin, as the configuration names one.
    pub plugin: String,
    /// Its business.
    pub workspace: Option<String>,
    /// Its endpoint.
    pub endpoint: Option<String>,
    /// Its account at the provider.
    pub account: Option<String>,
    /// Where the signing secret is.
    pub secret: Option<String>,
    /// Where the token of the handshake is.
    pub verify_token: Option<String>,
    /// Settings, as they were typed.
    pub settings: BTreeMap<String, String>,
    /// Where each credential is.
    pub credentials: BTreeMap<String, String>,
}

/// What is written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sections {
    /// The endpoint, unless it is there.
    pub endpoint: Option<NewEndpoint>,
    /// The name of the connection, and of what it belongs to.
    pub name: String,
    /// The endpoint's name.
    pub endpoint_name: String,
    /// The workspace's.
    pub workspace: String,
    /// The account.
    pub account: Option<String>,
    /// Settings.
    pub settings: toml::Table,
    /// Where each credential is.
    pub credentials: BTreeMap<String, String>,
}

/// An endpoint to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NewEndpoint {
    /// The plugin.
    pub plugin: String,
    /// Where the signing secret is; `None` for a provider that signs nothing.
    pub secret: Option<String>,
    /// Where the token of the handshake is.
    pub verify_token: Option<String>,
}

/// Something that nobody said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Missing {
    /// What it is.
    pub place: Place,
    /// For who is asked.
    pub what: String,
    /// What is usual.
    pub usual: Option<String>,
}

/// What can be missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// `--workspace`
    Workspace,
    /// `--account`
    Account,
    /// `--secret`
    Secret,
    /// `--verify-token`
    VerifyToken,
    /// `--set KEY=…`
    Setting(String),
    /// `--credential NAME=…`
    Credential(String),
}

impl Place {
    /// How it is said on the command line.
    pub(super) fn flag(&self) -> String {
        match self {
            Self::Workspace => "--workspace NAME".to_owned(),
            Self::Account => "--account ACCOUNT".to_owned(),
            Self::Secret => "--secret '${VARIABLE}' or --secret file:PATH".to_owned(),
            Self::VerifyToken => "--verify-token '${VARIABLE}' or --verify-token file:PATH".to_owned(),
            Self::Setting(key) => format!("--set {key}=VALUE"),
            Self::Credential(name) => {
                format!("--credential {name}='${{VARIABLE}}' or --credential {name}=file:PATH")
            }
        }
    }
}

impl Said {
    /// Notes what was asked for.
    pub(super) fn note(&mut self, place: &Place, value: String) {
        match place {
            Place::Workspace => self.workspace = Some(value),
            Place::Account => self.account = Some(value),
            Place::Secret => self.secret = Some(value),
            Place::VerifyToken => self.verify_token = Some(value),
            Place::Setting(key) => drop(self.settings.insert(key.clone(), value)),
            Place::Credential(name) => drop(self.credentials.insert(name.clone(), value)),
        }
    }

    /// The variable that a secret of this name is usually in.
    fn usual(&self, what: &str) -> Option<String> {
        let name = self.name.to_ascii_uppercase().replace('-', "_");
        // No shell takes a variable that begins with a digit.
        let name = if name.starts_with(|first: char| first.is_ascii_digit()) { format!("C{name}") } else { name };
        Some(format!("${{{name}_{}}}", what.to_ascii_uppercase()))
    }
}

/// Why there is nothing to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Lack {
    /// This is to be said.
    Missing(Vec<Missing>),
    /// This is to be changed.
    Wrong(String),
}

/// The sections of a new connection.
///
/// # Errors
/// All that is missing, or the first thing that is wrong.
pub(super) fn sections(manifest: &Manifest, config: &Config, said: &Said) -> Result<Sections, Lack> {
    if config.connections.iter().any(|held| held.name == said.name) {
        let problem =
            format!("there is a connection {:?} already: take another name, or change it in the file", said.name);
        return Err(Lack::Wrong(problem));
    }
    let endpoint_name = said.endpoint.clone().unwrap_or_else(|| said.name.clone());
    let mut missing = Vec::new();
    let endpoint = match config.endpoints.iter().find(|held| held.name == endpoint_name) {
        None => Some(new_endpoint(manifest, said, &mut missing)?),
        Some(held) if id_of(&held.plugin) == id_of(&said.plugin) => {
            let alike = config.connections.iter().any(|other| other.endpoint == held.name && other.account.is_none());
            if said.secret.is_some() || said.verify_token.is_some() {
                let problem = format!("the endpoint {} is there: its secrets are to be changed in the file", held.name);
                return Err(Lack::Wrong(problem));
            }
            if said.account.is_none() && alike {
                let what = format!(
                    "whose items of the endpoint {} these are (its other connection takes all without an account)",
                    held.name
                );
                missing.push(Missing { place: Place::Account, what, usual: None });
            }
            None
        }
        Some(held) => {
            let problem = format!(
                "the endpoint {} runs the plugin {}: name another with --endpoint, or none for one of the connection's name",
                held.name, held.plugin
            );
            return Err(Lack::Wrong(problem));
        }
    };
    let workspace = workspace(config, said, &mut missing);
    needed_hosts(manifest, said, &mut missing);
    needed_settings(manifest, said, &mut missing);
    let credentials = credentials(manifest, said, &mut missing)?;
    let mut places = Vec::new();
    missing.retain(|one| {
        let is_new = !places.contains(&one.place);
        places.push(one.place.clone());
        is_new
    });
    if !missing.is_empty() {
        return Err(Lack::Missing(missing));
    }
    Ok(Sections {
        endpoint,
        name: said.name.clone(),
        endpoint_name,
        workspace,
        account: said.account.clone(),
        settings: said.settings.iter().map(|(key, text)| (key.clone(), value(manifest, key, text))).collect(),
        credentials,
    })
}

/// A plugin's name without what it is pinned to.
fn id_of(plugin: &str) -> &str {
    if crate::config::is_path(plugin) { plugin } else { plugin.split(['@', '#']).next().unwrap_or(plugin) }
}

fn new_endpoint(manifest: &Manifest, said: &Said, missing: &mut Vec<Missing>) -> Result<NewEndpoint, Lack> {
    if manifest.configurable.endpoint.contains(&EndpointPart::Signature) && manifest.signature.is_none() {
        let problem = format!(
            "the plugin {} leaves how webhooks are signed to the endpoint: write the endpoint by hand (docs/generic-webhooks.md), then name it with --endpoint",
            manifest.id
        );
        return Err(Lack::Wrong(problem));
    }
    let secret = match (&manifest.signature, &said.secret) {
        (None, Some(_)) => {
            return Err(Lack::Wrong(format!("--secret: the provider of the plugin {} signs nothing", manifest.id)));
        }
        (None, None) => None,
        (Some(_), None) if manifest.generates_secret() => Some("generated".to_owned()),
        (Some(_), Some(text)) if text == "generated" && manifest.generates_secret() => Some(text.clone()),
        (Some(_), Some(text)) => Some(reference("--secret", text)?),
        (Some(_), None) => {
            let what = "where the secret is that the provider signs its webhooks with".to_owned();
            missing.push(Missing { place: Place::Secret, what, usual: said.usual("secret") });
            None
        }
    };
    let verify_token = match (&manifest.handshake, &said.verify_token) {
        (None, None) => None,
        (None, Some(_)) => {
            let problem = format!("--verify-token: the provider of the plugin {} asks for none", manifest.id);
            return Err(Lack::Wrong(problem));
        }
        (Some(_), Some(text)) => Some(reference("--verify-token", text)?),
        (Some(_), None) => {
            let what = "where the token is that the provider proves itself with when it tries the URL".to_owned();
            missing.push(Missing { place: Place::VerifyToken, what, usual: said.usual("verify_token") });
            None
        }
    };
    Ok(NewEndpoint { plugin: said.plugin.clone(), secret, verify_token })
}

/// A place where a secret is. The text itself is never told: it may be the secret.
fn reference(flag: &str, text: &str) -> Result<String, Lack> {
    let is_word =
        |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let variable = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    let is_file = text.strip_prefix("file:").is_some_and(|path| !path.is_empty());
    if variable.is_some_and(is_word) || is_file {
        return Ok(text.to_owned());
    }
    Err(Lack::Wrong(format!(
        "{flag}: expected where the secret is, ${{VARIABLE}} or file:PATH: a secret itself is not written into the configuration"
    )))
}

fn workspace(config: &Config, said: &Said, missing: &mut Vec<Missing>) -> String {
    let only = (config.workspaces.len() == 1).then(|| config.workspaces.keys().next().cloned()).flatten();
    said.workspace.clone().or(only).unwrap_or_else(|| {
        let names: Vec<&str> = config.workspaces.keys().map(String::as_str).collect();
        let what = match names.as_slice() {
            [] => "the business it belongs to; there is none yet, so write [workspaces.main] first".to_owned(),
            names => format!("the business it belongs to: {}", names.join(", ")),
        };
        missing.push(Missing { place: Place::Workspace, what, usual: None });
        String::new()
    })
}

/// Credentials without which the connection is of no use: a connector can't do without, and neither can what is not optional. Where
/// webhooks may be made by hand and several of a kind are optional, which it is depends on what the account is, and nobody is asked for a certain one.
fn needed<'m>(manifest: &'m Manifest, said: &Said) -> Vec<&'m Auth> {
    let is_said = |auth: &Auth| auth.user.iter().chain([&auth.secret]).any(|name| said.credentials.contains_key(name));
    let mut found = manifest.auth_for(is_said);
    let of_its_kind = |auth: &Auth| manifest.choices(auth).filter(|other| other.kind == auth.kind).count();
    let is_certain = |auth: &Auth| manifest.generates_secret() || of_its_kind(auth) == 1;
    found.retain(|auth| !auth.optional || (manifest.connector.is_some() && is_certain(auth)));
    found
}

/// A plugin none of whose hosts is written out reaches its provider only by what the connection says.
fn needed_hosts(manifest: &Manifest, said: &Said, missing: &mut Vec<Missing>) {
    if manifest.auth.iter().any(|auth| !auth.host.contains('{')) {
        return;
    }
    for auth in needed(manifest, said) {
        let place = match setting_of(&auth.host) {
            Some(key) if !said.settings.contains_key(key) => Place::Setting(key.to_owned()),
            None if auth.host.contains("{account}") && said.account.is_none() => Place::Account,
            _ => continue,
        };
        let what = match &place {
            Place::Setting(key) => described(manifest, key),
            _ => format!("the account's host at the provider, for {}", auth.host),
        };
        missing.push(Missing { place, what, usual: None });
    }
}

/// Settings that the manifest's schema requires.
fn needed_settings(manifest: &Manifest, said: &Said, missing: &mut Vec<Missing>) {
    let required = manifest.config_schema.iter().flat_map(|schema| schema["required"].as_array()).flatten();
    for key in required.filter_map(|key| key.as_str()).filter(|key| !said.settings.contains_key(*key)) {
        missing.push(Missing { place: Place::Setting(key.to_owned()), what: described(manifest, key), usual: None });
    }
}

fn described(manifest: &Manifest, key: &str) -> String {
    let text = manifest.config_schema.as_ref().and_then(|schema| schema["properties"][key]["description"].as_str());
    text.unwrap_or("a setting that the plugin needs").to_owned()
}

fn credentials(manifest: &Manifest, said: &Said, missing: &mut Vec<Missing>) -> Result<BTreeMap<String, String>, Lack> {
    let names = |auth: &Auth| auth.user.iter().chain([&auth.secret]).cloned().collect::<Vec<_>>();
    let known: Vec<String> = manifest.auth.iter().flat_map(names).collect();
    if said.credentials.keys().any(|name| !known.contains(name)) {
        let takes = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        // Which name it was is not told: a secret with a = in it looks like one.
        return Err(Lack::Wrong(format!("--credential: the plugin {} takes {takes}, and no other", manifest.id)));
    }
    for name in needed(manifest, said).into_iter().flat_map(names).filter(|name| !said.credentials.contains_key(name)) {
        let what = format!("where the provider's {name} is, which the gateway asks it with");
        missing.push(Missing { usual: said.usual(&name), place: Place::Credential(name), what });
    }
    let placed =
        |(name, text): (&String, &String)| Ok((name.clone(), reference(&format!("--credential {name}"), text)?));
    said.credentials.iter().map(placed).collect()
}

/// A setting as the schema wants it: text where that is all it takes, else a value of TOML where it is one.
fn value(manifest: &Manifest, key: &str, text: &str) -> toml::Value {
    let kind = manifest.config_schema.as_ref().and_then(|schema| schema["properties"][key]["type"].as_str());
    let plain = || toml::Value::String(text.to_owned());
    if kind == Some("string") {
        return plain();
    }
    let read = toml::from_str::<toml::Table>(&format!("value = {text}")).ok();
    read.and_then(|mut table| table.remove("value").filter(|_| table.is_empty())).unwrap_or_else(plain)
}

#[cfg(test)]
mod tests;
