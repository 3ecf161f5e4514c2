//! Combinations that are allowed and harmful: said at the start, and by `tidegate config`.

use super::{Config, Origins};
use std::net::SocketAddr;
use tidegate_clock::ClockMode;

/// A sentence for each, with what to do.
pub(crate) fn warnings(config: &Config, origins: &Origins) -> Vec<String> {
    let mut found = Vec::new();
    let listens_to_all = config.server.listen.parse().is_ok_and(|address: SocketAddr| address.ip().is_unspecified());
    if listens_to_all && config.server.public_url.is_empty() {
        let listen = &config.server.listen;
        found.push(format!("server.listen is {listen} and server.public_url is empty: the URLs shown can't be called from outside; set the address that providers call"));
    }
    if listens_to_all && config.server.public_url.starts_with("https://") && config.server.trusted_proxies.is_empty() {
        found.push("server.public_url is https and server.trusted_proxies is empty: the log shows the address of the proxy that ends TLS for every caller; name its network".to_owned());
    }
    let everybody = |network: &String| network.ends_with("/0");
    if config.server.trusted_proxies.iter().any(everybody) {
        found.push("server.trusted_proxies holds the whole internet: every caller can say that it is another; name the networks of your proxies".to_owned());
    }
    let metrics: Option<SocketAddr> = config.server.metrics_listen.parse().ok();
    if metrics.is_some_and(|address| !address.ip().is_loopback()) {
        let listen = &config.server.metrics_listen;
        found.push(format!("server.metrics_listen is {listen}: figures are shown to whoever reaches it, without a password; keep it in a private network"));
    }
    match config.clock.mode.parse() {
        Ok(ClockMode::System) | Err(_) => {}
        Ok(mode) => found.push(format!(
            "clock.mode is {mode}: messages, windows and timers do not go by the real time; it is for tests"
        )),
    }
    if config.workers.paused {
        found.push("workers.paused is set: webhooks are stored and not interpreted".to_owned());
    }
    found.extend(config.endpoints.iter().filter(|endpoint| endpoint.unsigned).map(|endpoint| {
        let key = format!("endpoints.{}.unsigned", endpoint.name);
        let place = origins.place(&key).map(|place| format!(" ({place})")).unwrap_or_default();
        format!("{key} is set{place}: whoever knows the URL can make events and messages; have the provider sign, or use a static token")
    }));
    found.extend(written_secrets(config).map(|key| {
        let place = origins.place(&key).map(|place| format!(" ({place})")).unwrap_or_default();
        format!("{key} is written in the file{place}: who reads the file has it; use \"${{NAME}}\" or \"file:PATH\"")
    }));
    found
}

/// Secrets that stand in the configuration themselves.
fn written_secrets(config: &Config) -> impl Iterator<Item = String> {
    let endpoints = config.endpoints.iter().flat_map(|endpoint| {
        let written = endpoint.secrets.iter().any(|secret| secret.is_written_out());
        let token = endpoint.verify_token.as_ref().is_some_and(|secret| secret.is_written_out());
        [(written, "secrets"), (token, "verify_token")]
            .into_iter()
            .filter(|(written, _)| *written)
            .map(|(_, key)| format!("endpoints.{}.{key}", endpoint.name))
    });
    let connections = config.connections.iter().flat_map(|connection| {
        let written = connection.credentials.iter().filter(|(_, secret)| secret.is_written_out());
        written.map(|(name, _)| format!("connections.{}.credentials.{name}", connection.name))
    });
    let senders = config.senders.iter().flat_map(|sender| {
        let written = sender.secrets().filter(|(_, secret)| secret.is_written_out());
        written.map(|(key, _)| format!("senders.{}.{key}", sender.name))
    });
    let registries = config.plugin_sources.registries.iter().filter(|login| login.password.is_written_out());
    let registries = registries.map(|login| format!("plugin_sources.registries.{}.password", login.host));
    endpoints.chain(connections).chain(senders).chain(registries)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, words: &[&str]) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tidegate.toml");
        std::fs::write(&path, text).unwrap();
        let loaded = Config::load_layers(Some(&path), &[]).unwrap();
        let found = warnings(&loaded.config, &loaded.origins);
        assert_eq!(found.len(), words.len(), "{found:#?}");
        for (warning, word) in found.iter().zip(words) {
            assert!(warning.contains(word), "{word:?} is not in {warning:?}");
        }
    }

    #[test]
    fn what_is_harmful_is_said_and_the_defaults_are_not() {
        check("", &[]);
        check("[server]\nlisten = \"0.0.0.0:8080\"", &["public_url is empty"]);
        check("[server]\nlisten = \"[::]:8080\"\npublic_url = \"https://a.example\"", &["trusted_proxies is empty"]);
        check("[server]\ntrusted_proxies = [\"0.0.0.0/0\"]", &["whole internet"]);
        check("[server]\nmetrics_listen = \"0.0.0.0:9464\"", &["metrics_listen"]);
        check("[clock]\nmode = \"scaled:60\"\n[workers]\npaused = true", &["clock.mode is scaled:60", "paused"]);
        let secret = "[workspaces.m]\n[[endpoints]]\nname = \"e\"\nplugin = \"shopify\"\nsecrets = [\"${A}\", \"hunter2\"]\n[[connections]]\nname = \"c\"\nendpoint = \"e\"\nworkspace = \"m\"\n";
        check(secret, &["endpoints.e.secrets is written in the file"]);
        let unsigned = secret.replace("secrets = [\"${A}\", \"hunter2\"]", "unsigned = true");
        check(&unsigned, &["endpoints.e.unsigned is set"]);
    }
}
