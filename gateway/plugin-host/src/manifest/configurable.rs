//! What a plugin leaves to the configuration: one that reads the webhooks of many can't know how each is signed and cut. And the manifest of such a plugin at one
//! endpoint, with what the endpoint says in it.

use super::{Handshake, Items, Manifest, Response, Signature, check};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What is said by the configuration instead of the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Configurable {
    /// Parts that an endpoint may give.
    pub endpoint: Vec<EndpointPart>,
    /// Whether a connection's settings name kinds of events that the canonical model does not have.
    pub kinds: bool,
}

impl Configurable {
    /// Whether everything is in the manifest.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// A part of the manifest that an endpoint may give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndpointPart {
    /// `signature`, or `unsigned`.
    Signature,
    /// `items`
    Items,
    /// `response`
    Response,
    /// `handshake`
    Handshake,
}

impl fmt::Display for EndpointPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Signature => "signature",
            Self::Items => "items",
            Self::Response => "response",
            Self::Handshake => "handshake",
        })
    }
}

/// What an endpoint says in the manifest's place. What it leaves out is as in the manifest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Configured {
    /// How the provider signs.
    pub signature: Option<Signature>,
    /// How a delivery is cut into items.
    pub items: Option<Items>,
    /// What an accepted delivery is answered with.
    pub response: Option<Response>,
    /// How the provider checks the endpoint.
    pub handshake: Option<Handshake>,
}

/// What an endpoint says does not go with its plugin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {reason}")]
pub struct ConfiguredError {
    /// The key, dotted, below the endpoint.
    pub key: String,
    /// What is wrong, and what to do.
    pub reason: String,
}

impl Configured {
    fn parts(&self) -> impl Iterator<Item = EndpointPart> {
        [
            (self.signature.is_some(), EndpointPart::Signature),
            (self.items.is_some(), EndpointPart::Items),
            (self.response.is_some(), EndpointPart::Response),
            (self.handshake.is_some(), EndpointPart::Handshake),
        ]
        .into_iter()
        .filter_map(|(given, part)| given.then_some(part))
    }
}

impl Manifest {
    /// Whether an endpoint may give this part.
    pub fn leaves(&self, part: EndpointPart) -> bool {
        self.configurable.endpoint.contains(&part)
    }

    /// The manifest at an endpoint.
    ///
    /// # Errors
    /// When the endpoint gives a part that the plugin does not leave to it, or one with a mistake.
    pub fn configured(&self, given: &Configured) -> Result<Self, ConfiguredError> {
        if let Some(part) = given.parts().find(|part| !self.leaves(*part)) {
            let reason = format!("the plugin {} says this itself; take it out of the endpoint", self.id);
            return Err(ConfiguredError { key: part.to_string(), reason });
        }
        let mut manifest = self.clone();
        manifest.signature = given.signature.clone().or(manifest.signature);
        manifest.items = given.items.clone().unwrap_or(manifest.items);
        manifest.response = given.response.clone().unwrap_or(manifest.response);
        manifest.handshake = given.handshake.clone().or(manifest.handshake);
        // Topics that go first need not be listed anywhere else: the plugin knows none.
        let known =
            manifest.items.priority.iter().map(|name| super::Topic { name: name.clone(), description: String::new() });
        let known: Vec<_> = known.filter(|topic| manifest.topics.iter().all(|held| held.name != topic.name)).collect();
        manifest.topics.extend(known);
        match check::mistake(&manifest) {
            Some((key, reason)) => Err(ConfiguredError { key, reason }),
            None => Ok(manifest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAVES: &str = "id = \"any\"\nname = \"Any\"\nversion = \"1.0.0\"\n[configurable]\nendpoint = [\"signature\", \"items\"]\nkinds = true\n";

    #[derive(serde::Deserialize)]
    struct Given {
        signature: Option<Signature>,
        items: Option<Items>,
        response: Option<Response>,
    }

    fn configured(manifest: &str, given: &str) -> Result<Manifest, ConfiguredError> {
        let Given { signature, items, response } = toml::from_str(given).unwrap();
        let manifest = Manifest::parse("plugin.toml", manifest).unwrap();
        manifest.configured(&Configured { signature, items, response, handshake: None })
    }

    #[test]
    fn an_endpoint_gives_what_the_manifest_leaves_to_it() {
        let given = "signature = { scheme = \"token\", header = \"X-Token\" }\nitems = { each = \"/a/*\", priority = [\"urgent\"] }";
        let manifest = configured(LEAVES, given).unwrap();
        assert!(matches!(&manifest.signature, Some(Signature::Token(rule)) if rule.header == "X-Token"));
        assert_eq!(manifest.items.each.as_ref().map(ToString::to_string).as_deref(), Some("/a/*"));
        assert!(manifest.declares("any.kind"));
        let headers = [("x-token".to_owned(), "secret".to_owned()), ("x-other".to_owned(), "1".to_owned())];
        assert_eq!(crate::guest_headers(&manifest, &headers), [("x-other".to_owned(), "1".to_owned())]);
        let written = toml::to_string(&manifest).unwrap();
        assert_eq!(Manifest::parse("plugin.toml", &written).unwrap().signature, manifest.signature, "{written}");
    }

    #[test]
    fn what_an_endpoint_may_not_give_or_gives_wrong_is_told() {
        let check = |manifest: &str, given: &str, key: &str, word: &str| {
            let error = configured(manifest, given).unwrap_err();
            assert!(error.key == key && error.reason.contains(word), "{error}");
        };
        check(LEAVES, "response = { status = 204 }", "response", "the plugin any says this itself");
        check(LEAVES, "items = { topic = { envelope = \"/type\" } }", "items.topic", "unless `items.each` is set");
        let own = "id = \"own\"\nname = \"Own\"\nversion = \"1.0.0\"\n[signature]\nscheme = \"meta\"\n";
        check(own, "signature = { scheme = \"basic\" }", "signature", "the plugin own says this itself");
        assert!(configured(own, "").is_ok());
    }
}
