//! What a manifest says of a plugin that looks after its connections: where it may write, and whose the signing secret is.

use super::{Manifest, check::Mistake, check::at};
use crate::fetch::is_template;
use serde::{Deserialize, Serialize};

/// `[connector]`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Connector {
    /// Hosts that it may write to while it subscribes and unsubscribes, as in `fetch`.
    pub write: Vec<String>,
    /// Where a POST of the connector only reads, also in a check.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub query: Vec<super::PostRule>,
    /// Who makes the secret that webhooks are signed with.
    pub secret: SecretOrigin,
    /// Topics that are subscribed to when the operator names none; by default all that the manifest lists.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub topics: Vec<String>,
    /// Whether what no webhook told can be read again.
    pub backfill: bool,
    /// Whether the provider has one address for all that it sends, which no subscription names: when it changes, none is left behind at the one before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub one_address: bool,
}

/// Who makes the secret that webhooks are signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretOrigin {
    /// The provider or the operator: it stands under the endpoint's `secrets`.
    #[default]
    Configured,
    /// The gateway: it is made when the provider is first told to send.
    Generated,
}

impl Manifest {
    /// Topics that a connection is subscribed to when nobody names them.
    pub fn usual_topics(&self) -> Vec<String> {
        match &self.connector {
            Some(connector) if !connector.topics.is_empty() => connector.topics.clone(),
            _ => self.topics.iter().map(|topic| topic.name.clone()).collect(),
        }
    }

    /// Whether the gateway makes the secret that webhooks are signed with.
    pub fn generates_secret(&self) -> bool {
        self.connector.as_ref().is_some_and(|connector| connector.secret == SecretOrigin::Generated)
    }
}

pub(super) fn mistake(manifest: &Manifest) -> Option<Mistake> {
    let connector = manifest.connector.as_ref()?;
    if let Some((index, host)) = connector.write.iter().enumerate().find(|(_, host)| !is_template(host)) {
        let reason = format!("expected a host as in `fetch` under [capabilities], found {host:?}");
        return at(format!("connector.write.{index}"), reason);
    }
    // Credentials and rates are those of what is read.
    let unread = |host: &&String| !manifest.capabilities.fetch.contains(host);
    let hosts = connector.write.iter().chain(connector.query.iter().map(|rule| &rule.host));
    if let Some(host) = hosts.into_iter().find(unread) {
        return at("connector", format!("{host:?} is not in `fetch` under [capabilities]: name it there too"));
    }
    let known = |topic: &&String| manifest.topics.iter().any(|held| held.name == **topic);
    let unknown = connector.topics.iter().find(|topic| !known(topic))?;
    at("connector.topics", format!("{unknown:?} is not among [[topics]]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connector_writes_only_where_the_plugin_reads() {
        let head = "id = \"a\"\nname = \"A\"\nversion = \"1.0.0\"\ntopics = [{ name = \"x\" }]\n";
        let check = |more: &str, expected: Option<&str>| {
            let found = Manifest::parse("plugin.toml", &format!("{head}{more}"));
            match (found, expected) {
                (Ok(_), None) => {}
                (Err(error), Some(words)) => assert!(error.to_string().contains(words), "{error}"),
                (found, _) => panic!("{more}: {found:?}"),
            }
        };
        let fetch = "[capabilities]\nfetch = [\"{settings.store}\"]\n";
        check(&format!("{fetch}[connector]\nwrite = [\"{{settings.store}}\"]\nsecret = \"generated\""), None);
        check("[connector]\nwrite = [\"a.example.com\"]", Some("is not in `fetch`"));
        check(&format!("{fetch}[connector]\nwrite = [\"http://a\"]"), Some("expected a host"));
        check("[connector]\ntopics = [\"y\"]", Some("not among [[topics]]"));
        check("[connector]\nwrites = []", Some("write"));
    }
}
