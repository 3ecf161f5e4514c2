//! What a configuration must hold to, beyond its shape.

use super::{Config, ConfigFault, Connection, Endpoint, Retention, Sender};
use crate::{http::Proxies, telemetry, tx::DEDUPE_DAYS};
use std::{collections::HashSet, net::SocketAddr};
use tidegate_clock::ClockMode;
use tidegate_model::message::ChannelKind;

type Sound = Result<(), ConfigFault>;

/// A limit below this keeps less than a day of a small shop.
const LEAST_ROWS: u64 = 1_000;

impl Config {
    /// Everything that is wrong, at most one fault for each item of a list.
    pub(super) fn check(&self) -> Vec<ConfigFault> {
        let mut checks: Vec<Sound> = vec![
            self.check_server(),
            self.check_clock(),
            self.sending.check(),
            self.check_retention(),
            self.plugin_sources.check(),
            telemetry::check_filter(&self.log.filter).map_err(|problem| ConfigFault::key("log.filter", problem)),
            unique("endpoints", self.endpoints.iter().map(|endpoint| endpoint.name.as_str())),
            unique("connections", self.connections.iter().map(|connection| connection.name.as_str())),
            unique("senders", self.senders.iter().map(|sender| sender.name.as_str())),
            self.accounts_are_distinct(),
        ];
        checks.extend(self.workspaces.keys().map(|name| name_is_plain(&format!("workspaces.{name}"), name)));
        checks.extend(self.connections.iter().map(|connection| self.check_connection(connection)));
        checks.extend(self.endpoints.iter().map(|endpoint| self.check_endpoint(endpoint)));
        checks.extend(self.senders.iter().map(|sender| self.check_sender(sender)));
        checks.extend(self.plugins.iter().map(|(id, grants)| grants.check(id)));
        checks.extend(self.workspaces.keys().map(|name| self.check_default_sender(name)));
        checks.into_iter().filter_map(Result::err).collect()
    }

    fn check_server(&self) -> Sound {
        let url = &self.server.public_url;
        if !["https://", "http://"].iter().any(|scheme| url.is_empty() || url.starts_with(scheme)) {
            let problem = format!("it must begin with https:// or http://, not {url:?}");
            return Err(ConfigFault::key("server.public_url", problem));
        }
        if url.contains(['?', '#']) {
            return Err(ConfigFault::key("server.public_url", "it must have no query and no fragment"));
        }
        Proxies::parse(&self.server.trusted_proxies)
            .map_err(|problem| ConfigFault::key("server.trusted_proxies", problem))?;
        let metrics = &self.server.metrics_listen;
        if !metrics.is_empty() && metrics.parse::<SocketAddr>().is_err() {
            let problem = format!("it must be an address and a port such as 127.0.0.1:9464, not {metrics:?}");
            return Err(ConfigFault::key("server.metrics_listen", problem));
        }
        for (key, value) in [
            ("server.max_connections", self.server.max_connections),
            ("server.body_memory_mib", self.server.body_memory_mib),
        ] {
            if value == 0 {
                return Err(ConfigFault::key(key, "must be 1 at least: with 0 no webhook could come in"));
            }
        }
        Ok(())
    }

    fn check_clock(&self) -> Result<(), ConfigFault> {
        let mode = self.clock.mode.parse::<ClockMode>();
        mode.map(|_| ()).map_err(|error| ConfigFault::key("clock.mode", error.to_string()))
    }

    /// What is kept must outlive the time in which it is asked for.
    fn check_retention(&self) -> Sound {
        let Retention { days, max_rows, dead_letter_days } = self.retention;
        let least = DEDUPE_DAYS;
        if (1..least).contains(&days) {
            let problem = format!(
                "must be {least} or more, or 0 for ever, not {days}: repeats are recognised for {least} days, and must find what they repeat"
            );
            return Err(ConfigFault::key("retention.days", problem));
        }
        if (1..least).contains(&dead_letter_days) {
            let problem = format!(
                "must be {least} or more, or 0 for ever, not {dead_letter_days}: parked work is lost when it goes, so leave people time to find it"
            );
            return Err(ConfigFault::key("retention.dead_letter_days", problem));
        }
        if (1..LEAST_ROWS).contains(&max_rows) {
            let problem = format!("must be {LEAST_ROWS} or more, or 0 for any number, not {max_rows}");
            return Err(ConfigFault::key("retention.max_rows", problem));
        }
        Ok(())
    }

    fn check_endpoint(&self, endpoint: &Endpoint) -> Sound {
        let key = format!("endpoints.{}", endpoint.name);
        name_is_plain(&key, &endpoint.name)?;
        if endpoint.secrets.is_empty() && !endpoint.unsigned {
            return Err(ConfigFault::key(key, "secrets must hold at least one signing secret"));
        }
        if endpoint.unsigned && !(endpoint.secrets.is_empty() && endpoint.signature.is_none()) {
            let problem = "unsigned takes webhooks from anybody, so `secrets` and `signature` would do nothing: take them or `unsigned` out";
            return Err(ConfigFault::key(key, problem));
        }
        // A connection of an endpoint that is not there may have been meant for this one: that is said already.
        let astray = |name: &str| !self.endpoints.iter().any(|endpoint| endpoint.name == name);
        if !self.connections.iter().any(|held| held.endpoint == endpoint.name || astray(&held.endpoint)) {
            let problem = "no [[connections]] names this endpoint: add one, so that its items have a workspace";
            return Err(ConfigFault::key(key, problem));
        }
        Ok(())
    }

    fn check_connection(&self, connection: &Connection) -> Sound {
        let key = format!("connections.{}", connection.name);
        name_is_plain(&key, &connection.name)?;
        if !self.endpoints.iter().any(|endpoint| endpoint.name == connection.endpoint) {
            let names = self.endpoints.iter().map(|endpoint| endpoint.name.as_str());
            let near = super::layer::did_you_mean(&connection.endpoint, names);
            return Err(ConfigFault::key(key, format!("there is no endpoint {:?}{near}", connection.endpoint)));
        }
        if let Some(reconcile) = &connection.reconcile {
            reconcile.check(&connection.name)?;
        }
        self.workspace_exists(&key, &connection.workspace)
    }

    fn accounts_are_distinct(&self) -> Sound {
        let mut seen = HashSet::new();
        match self.connections.iter().find(|held| !seen.insert((&held.endpoint, &held.account))) {
            None => Ok(()),
            Some(second) => Err(ConfigFault::key(
                format!("connections.{}", second.name),
                "another connection of this endpoint has the same account: an item would have two owners",
            )),
        }
    }

    fn check_sender(&self, sender: &Sender) -> Result<(), ConfigFault> {
        let key = format!("senders.{}", sender.name);
        name_is_plain(&key, &sender.name)?;
        self.workspace_exists(&key, &sender.workspace)?;
        sender.mistake(self).map_or(Ok(()), |problem| Err(ConfigFault::key(key, problem)))
    }

    fn check_default_sender(&self, name: &str) -> Sound {
        let Some(workspace) = self.workspaces.get(name) else { return Ok(()) };
        let defaults = [
            ("default_sender", &workspace.default_sender, ChannelKind::Whatsapp),
            ("default_sms_sender", &workspace.default_sms_sender, ChannelKind::Sms),
        ];
        for (key, default, channel) in defaults {
            let Some(default) = default else { continue };
            let problem = match self.senders.iter().find(|held| held.name == *default && held.workspace == *name) {
                Some(sender) if sender.channel == channel => continue,
                Some(_) => format!("{key} {default:?} does not send by {channel}"),
                None => format!("{key} {default:?} is no sender of this workspace"),
            };
            return Err(ConfigFault::key(format!("workspaces.{name}"), problem));
        }
        Ok(())
    }

    fn workspace_exists(&self, key: &str, workspace: &str) -> Result<(), ConfigFault> {
        if self.workspaces.contains_key(workspace) {
            return Ok(());
        }
        let near = super::layer::did_you_mean(workspace, self.workspaces.keys().map(String::as_str));
        Err(ConfigFault::key(key, format!("there is no workspace {workspace:?}: add [workspaces.{workspace}]{near}")))
    }
}

fn unique<'a>(list: &str, names: impl Iterator<Item = &'a str>) -> Result<(), ConfigFault> {
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(ConfigFault::key(format!("{list}.{name}"), "this name is used twice"));
        }
    }
    Ok(())
}

/// Names stand in URLs, keys and logs.
fn name_is_plain(key: &str, name: &str) -> Result<(), ConfigFault> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
    if (1..=64).contains(&name.len()) && name.bytes().all(plain) {
        return Ok(());
    }
    Err(ConfigFault::key(key, format!("a name has 1 to 64 of a-z, 0-9, - and _; found {name:?}")))
}
