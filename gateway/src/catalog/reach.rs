//! What a connection's plugin may read: the manifest's wishes, filled in for the connection, against what the operator grants; the credentials that are added; and
//! the connection's settings, held to the manifest's schema.

use super::{
    CatalogFault, Connection,
    load::{Loader, fault, secret},
    tokens::ConnectionTokens,
};
use crate::config;
use reqwest::Url;
use serde_json::Value;
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tidegate_fetch::{
    Authorized, BatchRule, ClientProof, Credential, Hidden, Keeper, Kind, MissingCredential, OauthClient,
    OauthProvider, Rate, Reach, Rules, TokenHost, Writes,
};
use tidegate_model::outcome::ConnectionInfo;
use tidegate_plugin_host::{Auth, AuthKind, Manifest, Oauth, OauthClientProof, Plugin, fill, setting_of};

/// Whether a plugin takes a connection's settings.
///
/// # Errors
/// As [`settings`].
pub(crate) fn check_settings(manifest: &Manifest, section: &config::Connection) -> Result<(), CatalogFault> {
    settings(manifest, section).map(drop)
}

/// A connection's settings as JSON text, by the manifest's schema.
///
/// # Errors
/// Every setting that does not fit: what was expected, and what was found.
pub(super) fn settings(manifest: &Manifest, section: &config::Connection) -> Result<String, CatalogFault> {
    let key = format!("connections.{}.settings", section.name);
    let mut settings = serde_json::to_value(&section.settings).map_err(|error| fault(&key, error))?;
    if let Some(schema) = &manifest.config_schema {
        fill_defaults(schema, &mut settings);
        // It was checked with the manifest.
        let validator = jsonschema::validator_for(schema).map_err(|error| fault(&key, error))?;
        let problems: Vec<String> = validator.iter_errors(&settings).map(|error| problem(&error)).collect();
        if !problems.is_empty() {
            let plugin = &manifest.id;
            return Err(fault(key, format!("the plugin {plugin} takes other settings: {}", problems.join("; "))));
        }
    }
    Ok(settings.to_string())
}

/// Puts in the defaults of the schema's own properties that are not set.
fn fill_defaults(schema: &Value, settings: &mut Value) {
    let (Some(properties), Some(settings)) = (schema["properties"].as_object(), settings.as_object_mut()) else {
        return;
    };
    for (name, property) in properties {
        if let (Some(default), false) = (property.get("default"), settings.contains_key(name)) {
            settings.insert(name.clone(), default.clone());
        }
    }
}

fn problem(error: &jsonschema::ValidationError<'_>) -> String {
    let place = error.instance_path().to_string();
    if place.is_empty() {
        error.to_string()
    } else {
        format!("{}: {error}", place.trim_start_matches('/').replace('/', "."))
    }
}

fn batch(rule: &tidegate_plugin_host::BatchRule) -> BatchRule {
    BatchRule {
        get: rule.get.clone(),
        post: rule.post.clone(),
        most: usize::from(rule.most),
        ids: rule.ids.clone(),
        id_member: rule.id_member.clone(),
        lists: rule.lists.clone(),
        answers: rule.answers.clone(),
        answer_id: rule.answer_id.clone(),
    }
}

impl Loader<'_> {
    /// What a connection's plugin may read, and the lines that are missing for what it asks besides.
    pub(super) fn reach(
        &mut self,
        plugin: &Plugin,
        section: &config::Connection,
        info: &ConnectionInfo,
        place: (u32, u32),
    ) -> Result<(Option<Reach>, Vec<String>), CatalogFault> {
        let manifest = plugin.manifest();
        let Credentials { added, without, authorization } = self.credentials(manifest, section, info)?;
        if manifest.capabilities.fetch.is_empty() {
            return Ok((None, Vec::new()));
        }
        let mut asked = Vec::new();
        for template in &manifest.capabilities.fetch {
            asked.extend(filled(template, section, info)?);
        }
        let granted = self.config.plugins.get(&manifest.id).cloned().unwrap_or_default();
        let is_bundled = tidegate_bundled::PLUGINS.iter().any(|held| held.id == manifest.id) && self.is_bundled(plugin);
        let writes = writes(manifest, section, info, &granted, is_bundled)?;
        let grants = granted.grants(is_bundled);
        let rules = Rules { plugin: manifest.id.clone(), asked, grants, without_credential: without };
        let mut not_granted: Vec<String> = rules.asked.iter().filter_map(|asked| rules.granted(asked).err()).collect();
        not_granted.extend(writes.not_granted(&manifest.id));
        for line in &not_granted {
            tracing::warn!(
                connection = section.name,
                "the plugin {} asks for what it is not granted: {line}",
                manifest.id
            );
        }
        let wanted = manifest.capabilities.rate;
        let period = Duration::from_secs(u64::from(wanted.per_s));
        let rate = Rate { requests: wanted.requests, period, in_flight: wanted.in_flight };
        let bytes = usize::try_from(manifest.capabilities.answer_bytes).unwrap_or(usize::MAX);
        let batches = manifest.capabilities.batch.iter().map(batch).collect();
        let before = self.previous.and_then(|held| held.connection_named(&section.name));
        let before = before.as_ref().and_then(|held| held.reach.as_ref());
        let authorized = authorization.and_then(|found| self.authorized(found, &rules, place, before));
        let mut reach = Reach::new(self.fetcher.clone(), rules, added, bytes, rate).batching(batches);
        reach.writes = writes;
        reach.authorized = authorized;
        if let Some(held) = before.filter(|held| held.pace.rate() == rate) {
            reach.pace = Arc::clone(&held.pace);
        }
        Ok((Some(reach), not_granted))
    }

    /// Who keeps the tokens of a connection. Takes turns with the one before: a refresh token that is used twice may be void.
    fn authorized(
        &self,
        authorization: Authorization,
        rules: &Rules,
        (workspace, connection): (u32, u32),
        before: Option<&Reach>,
    ) -> Option<Authorized> {
        let Authorization { hosts, provider, client } = authorization;
        let (place, vault) = (self.tokens.clone()?, Arc::clone(&self.vault));
        let shelf = Arc::new(ConnectionTokens { place, vault, workspace, connection });
        let mut keeper = Keeper::new(self.fetcher.clone(), rules.clone(), provider, client, shelf);
        if let Some(held) = before.and_then(|held| held.authorized.as_ref()) {
            keeper = keeper.beside(&held.keeper);
        }
        Some(Authorized { hosts, keeper: Arc::new(keeper) })
    }

    fn is_bundled(&self, plugin: &Plugin) -> bool {
        use sha2::{Digest, Sha256};
        tidegate_bundled::PLUGINS.iter().any(|held| hex::encode(Sha256::digest(held.component)) == plugin.digest())
    }

    fn credentials(
        &mut self,
        manifest: &Manifest,
        section: &config::Connection,
        info: &ConnectionInfo,
    ) -> Result<Credentials, CatalogFault> {
        let key = format!("connections.{}.credentials", section.name);
        let known: BTreeSet<&str> = manifest
            .auth
            .iter()
            .flat_map(|auth| std::iter::once(&auth.secret).chain(&auth.user))
            .map(String::as_str)
            .collect();
        if let Some(unknown) = section.credentials.keys().find(|name| !known.contains(name.as_str())) {
            let takes =
                if known.is_empty() { "none".to_owned() } else { known.iter().copied().collect::<Vec<_>>().join(", ") };
            return Err(fault(&key, format!("the plugin {} takes no {unknown:?}; it takes {takes}", manifest.id)));
        }
        let mut values = Vec::new();
        for name in known {
            let Some(text) = section.credentials.get(name) else { continue };
            let value = secret(&key, name, text)?;
            self.facts.note_hidden(format!("connection {}", section.name), &format!("credentials.{name}"), &value);
            values.push((name, value));
        }
        let value = |name: &str| {
            let found = values.iter().find(|(held, _)| *held == name);
            Hidden::new(found.map(|(_, value)| value.as_str()).unwrap_or_default())
        };
        let mut found = Credentials::default();
        let is_missing = |name: &&String| !section.credentials.contains_key(*name);
        let is_given = |auth: &Auth| !auth.user.iter().chain([&auth.secret]).any(|name| is_missing(&name));
        for auth in manifest.auth_for(is_given) {
            let Some(host) = filled(&auth.host, section, info)? else { continue };
            if let Some(name) = auth.user.iter().chain([&auth.secret]).find(is_missing) {
                let line = |name: &str| format!("{name} = \"${{{}}}\"", name.to_ascii_uppercase());
                if !auth.optional {
                    let problem = format!(
                        "the plugin {} needs {name}: add `{}` under [connections.credentials]",
                        manifest.id,
                        line(name)
                    );
                    return Err(fault(&key, problem));
                }
                let lines: Vec<String> = manifest.choices(auth).map(|auth| line(&auth.secret)).collect();
                found.without.push(MissingCredential { host, line: format!("{key} needs {}", lines.join(" or ")) });
                continue;
            }
            let Some(kind) = kind(auth, &value) else {
                let host = TokenHost { host, header: auth.name.clone() };
                match (&mut found.authorization, provider(auth, section, info)?) {
                    (Some(held), _) => held.hosts.push(host),
                    (none @ None, Some(provider)) => {
                        let secret = value(&auth.secret);
                        let id = auth.user.iter().find_map(|user| values.iter().find(|(held, _)| held == user));
                        let client = OauthClient { id: id.map(|(_, id)| id.clone()).unwrap_or_default(), secret };
                        *none = Some(Authorization { hosts: vec![host], provider, client });
                    }
                    (None, None) => {}
                }
                continue;
            };
            let credential = Credential { host, kind };
            credential.check().map_err(|problem| fault(format!("{key}.{}", auth.secret), problem))?;
            found.added.push(credential);
        }
        Ok(found)
    }
}

/// What a connection's credentials come to.
#[derive(Default)]
struct Credentials {
    /// What is added to which host.
    added: Vec<Credential>,
    /// Hosts that there is no credential for, each with the line to add.
    without: Vec<MissingCredential>,
    /// How tokens are come by.
    authorization: Option<Authorization>,
}

struct Authorization {
    /// The hosts that are given the token.
    hosts: Vec<TokenHost>,
    provider: OauthProvider,
    client: OauthClient,
}

/// A provider's OAuth for a connection; `None` when the connection does not say a host of it.
fn provider(
    auth: &Auth,
    section: &config::Connection,
    info: &ConnectionInfo,
) -> Result<Option<OauthProvider>, CatalogFault> {
    let Some(oauth) = &auth.oauth else { return Ok(None) };
    let key = format!("connections.{}.settings", section.name);
    let url = |template: &str| {
        let Some(text) = Oauth::fill_url(template, info).map_err(|problem| fault(&key, problem))? else {
            return Ok(None);
        };
        Url::parse(&text).map(Some).map_err(|error| fault(&key, format!("{text:?} is no URL: {error}")))
    };
    let authorize = oauth.authorize.as_deref().map(url).transpose()?;
    let (authorize, Some(token)) = (authorize, url(&oauth.token)?) else { return Ok(None) };
    let authorize = match authorize {
        Some(None) => return Ok(None),
        said => said.flatten(),
    };
    let proof = match oauth.client {
        OauthClientProof::Body => ClientProof::Body,
        OauthClientProof::Basic => ClientProof::Basic,
    };
    Ok(Some(OauthProvider { authorize, token, scopes: oauth.scopes.clone(), pkce: oauth.pkce, proof }))
}

/// Where a connection's connector may write.
fn writes(
    manifest: &Manifest,
    section: &config::Connection,
    info: &ConnectionInfo,
    granted: &config::PluginGrants,
    all_asked: bool,
) -> Result<Writes, CatalogFault> {
    let mut asked = Vec::new();
    for template in manifest.connector.iter().flat_map(|connector| &connector.write) {
        asked.extend(filled(template, section, info)?);
    }
    Ok(Writes { asked, granted: granted.write.clone(), all_asked })
}

/// What is added of the configuration; `None` for a token that a person's authorization gives.
fn kind(auth: &Auth, value: &dyn Fn(&str) -> Hidden) -> Option<Kind> {
    let (secret, name) = (value(&auth.secret), auth.name.clone().unwrap_or_default());
    match auth.kind {
        AuthKind::Bearer => Some(Kind::Bearer(secret)),
        AuthKind::Basic => {
            Some(Kind::Basic { user: value(auth.user.as_deref().unwrap_or_default()), password: secret })
        }
        AuthKind::Header => Some(Kind::Header { name, value: secret }),
        AuthKind::Query => Some(Kind::Query { name, value: secret }),
        AuthKind::Oauth => None,
    }
}

/// A host of the manifest for a connection; `None` when the connection does not say it.
fn filled(template: &str, section: &config::Connection, info: &ConnectionInfo) -> Result<Option<String>, CatalogFault> {
    let key = match setting_of(template) {
        Some(setting) => format!("connections.{}.settings.{setting}", section.name),
        None => format!("connections.{}.account", section.name),
    };
    match fill(template, info) {
        Ok(asked) => Ok(asked.host),
        // An account that is no host matters only to who is to be asked there.
        Err(_) if section.credentials.is_empty() && setting_of(template).is_none() => Ok(None),
        Err(problem) => Err(fault(key, problem)),
    }
}

impl super::Catalog {
    /// A connection by its name.
    fn connection_named(&self, name: &str) -> Option<Arc<Connection>> {
        self.endpoints.values().find_map(|endpoint| endpoint.connection_named(name))
    }
}

#[cfg(test)]
mod tests;
