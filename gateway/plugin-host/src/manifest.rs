//! A plugin's manifest, `plugin.toml`: what the plugin is, how its provider signs and what it wants answered, how a delivery is cut into items, what the plugin may
//! use. Read and checked before any code of the plugin is looked at.

use crate::{error::LoadError, pointer::Pointer};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tidegate_model::scheme::{SignatureScheme, TokenRule};

mod build;
mod capabilities;
mod check;
mod configurable;
mod connector;
mod error;
mod locate;
mod nearest;
mod oauth;
mod read;
mod unsigned;

pub use build::Build;
pub use capabilities::{Auth, AuthKind, BatchRule, Capabilities, PostRule, Rate};
pub(crate) use check::is_kebab_case;
pub use check::is_plugin_id;
pub use configurable::{Configurable, Configured, ConfiguredError, EndpointPart};
pub use connector::{Connector, SecretOrigin};
pub use error::ManifestError;
pub use oauth::{Oauth, OauthClientProof};
pub use unsigned::{FieldForm, Unsigned};

/// Largest manifest, in bytes: it is read before anything else of a stranger's file.
const MANIFEST_BYTES: usize = 256 << 10;

/// The manifest inside a packed component. Nothing is compiled or run.
///
/// # Errors
/// When the bytes are no component, have no manifest, or one with a mistake.
pub fn read_manifest(component: &[u8]) -> Result<Manifest, LoadError> {
    let text = tidegate_plugin_pack::extract(component)?;
    if text.len() > MANIFEST_BYTES {
        let reason = format!("it has {} bytes, and {MANIFEST_BYTES} is the most", text.len());
        let file = "plugin.toml".to_owned();
        return Err(ManifestError { file, line: None, key: String::new(), reason, nearest: None }.into());
    }
    Ok(Manifest::parse("plugin.toml", text)?)
}

/// What a plugin says about itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Id in kebab-case, e.g. `shopify`; at most 64 characters.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Version of the plugin (semver).
    pub version: String,
    /// What it does, in a sentence.
    #[serde(default)]
    pub description: String,
    /// What the provider sends, as far as the plugin reads it.
    #[serde(default)]
    pub topics: Vec<Topic>,
    /// How the component is built from its source; `None` for a crate, which cargo builds. Of use beside the source only: a gateway builds nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<Build>,
    /// How the provider signs; `None` when it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
    /// What the provider sends unsigned, to see whether the endpoint answers. It is answered as what is accepted, and nothing of it is stored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unsigned: Vec<Unsigned>,
    /// How the provider checks that an endpoint is ours; `None` when it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handshake: Option<Handshake>,
    /// What an accepted delivery is answered with.
    #[serde(default)]
    pub response: Response,
    /// How a delivery is cut into items.
    #[serde(default)]
    pub items: Items,
    /// Limits of one delivery and of one call.
    #[serde(default)]
    pub limits: Limits,
    /// What the plugin asks the operator to grant.
    #[serde(default)]
    pub capabilities: Capabilities,
    /// How the gateway adds a connection's credentials to what it reads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub auth: Vec<Auth>,
    /// How it looks after its connections; `None` when it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connector: Option<Connector>,
    /// Kinds of events that the canonical model does not have.
    #[serde(default)]
    pub events: Vec<OwnEvent>,
    /// What it leaves to the configuration.
    #[serde(default, skip_serializing_if = "Configurable::is_nothing")]
    pub configurable: Configurable,
    /// JSON Schema of the plugin's settings for a connection.
    #[serde(default, with = "read::schema", skip_serializing_if = "Option::is_none")]
    pub config_schema: Option<Value>,
}

impl Manifest {
    /// Where a POST only reads, by the manifest's word: host and path, of whatever asks there. Part of what an operator grants.
    pub fn posts(&self) -> impl Iterator<Item = String> {
        let asked = &self.capabilities;
        let rules = asked.post.iter().chain(self.connector.iter().flat_map(|connector| &connector.query));
        let batches = asked.batch.iter().map(|rule| format!("{} of every host that it reads from", rule.post));
        rules.map(|rule| format!("{}{}", rule.host, rule.path)).chain(batches)
    }

    /// Reads a manifest. `file` names it in errors.
    ///
    /// # Errors
    /// What is wrong, with its file, line and key.
    pub fn parse(file: &str, text: &str) -> Result<Self, ManifestError> {
        let manifest = read::read(file, text)?;
        check::check(file, text, &manifest)?;
        Ok(manifest)
    }

    /// Whether the manifest declares this kind of event, or leaves kinds to a connection's settings.
    pub fn declares(&self, kind: &str) -> bool {
        self.configurable.kinds || self.events.iter().any(|own| own.kind == kind)
    }
}

/// A topic of the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// Its name, as the provider writes it.
    pub name: String,
    /// What the plugin makes of it.
    #[serde(default)]
    pub description: String,
}

/// How the provider signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Signature {
    /// A scheme of the gateway, by name: `scheme = "shopify"`.
    Named {
        /// Its name. Whether it exists is for the gateway to say.
        scheme: String,
    },
    /// A scheme spelled out.
    Scheme(SignatureScheme),
    /// No signature, but a secret in a header: `scheme = "token"`, or `scheme = "basic"` for HTTP's own.
    #[serde(serialize_with = "read::token")]
    Token(TokenRule),
}

/// A GET request by which the provider checks the endpoint: when the mode and the token are right, the challenge is the answer's body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Handshake {
    /// Its kind.
    pub kind: HandshakeKind,
    /// Query parameter of the mode, e.g. `hub.mode`.
    pub mode: String,
    /// What the mode must be, e.g. `subscribe`.
    pub mode_value: String,
    /// Query parameter of the token that the operator chose, e.g. `hub.verify_token`.
    pub token: String,
    /// Query parameter that is sent back, e.g. `hub.challenge`.
    pub challenge: String,
}

/// Kinds of handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandshakeKind {
    /// The answer repeats a text of the request.
    Challenge,
}

/// What an accepted delivery is answered with. By default 200 and no body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Response {
    /// HTTP status, 200 to 299.
    pub status: u16,
    /// Body.
    pub body: String,
    /// `content-type` of the body; by default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
}

impl Default for Response {
    fn default() -> Self {
        Self { status: 200, body: String::new(), content_type: None }
    }
}

/// How a delivery is cut into items, and where their properties are.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Items {
    /// The body is a form (`application/x-www-form-urlencoded`): pointers find its fields (`/MessageSid`), of a field that is there twice the first. The item's text stays
    /// the form as it was received.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub form: bool,
    /// Parameters of the URL that the plugin is given, as the header `:query` with a form in it (`mid=…`), for providers that give back only the URL that they were
    /// given. Others are not kept: a URL may hold a secret.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub query: Vec<String>,
    /// Where the items are in the body, `*` being every element of an array: `/entry/*/changes/*`. By default the whole body is the one item.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub each: Option<Pointer>,
    /// Parts of the body that every item is given beside its own text, `*` being the same element as in `each`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub envelope: Vec<Pointer>,
    /// What the provider says the item is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<Selector>,
    /// The provider's account that the item belongs to, for endpoints that serve many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<Selector>,
    /// What is the same when the provider sends the item again. By default the item's text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dedupe: Vec<Selector>,
    /// What is the same in two deliveries, each with an id of its own, that tell the same thing: two subscriptions to one topic. It counts beside a `dedupe` of
    /// headers, and only for items in which each of these finds something.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fold: Vec<Selector>,
    /// The key of the state that the plugin keeps for the item; of several selectors the first that finds something gives it. By default the plugin keeps none.
    #[serde(deserialize_with = "read::one_or_several", skip_serializing_if = "Vec::is_empty")]
    pub state: Vec<Selector>,
    /// Topics that are interpreted before all others (what people write to us).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub priority: Vec<String>,
}

/// Where a value of an item is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Selector {
    /// In a header of the delivery: `{ header = "x-shopify-topic" }`.
    Header(String),
    /// In the item: `{ pointer = "/field" }`.
    Pointer(Pointer),
    /// In the body around the item, `*` being the same element as in `each`: `{ envelope = "/entry/*/id" }`.
    Envelope(Pointer),
    /// In the first of several places in the item that has a value: `{ first_of = ["/subscriptionType", "/eventType"] }`.
    FirstOf(Vec<Pointer>),
    /// A digest of the whole body, in `dedupe` only: `{ body = "sha256" }`.
    Body(Digest),
}

/// Digests of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Digest {
    /// SHA-256.
    Sha256,
}

/// Limits of one delivery and of one call of the plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Largest body of a delivery; by default 4 MiB.
    pub body_bytes: u64,
    /// Largest memory of the plugin; by default, and at most, 64 MiB.
    pub memory_bytes: u64,
    /// Longest call, in milliseconds; by default 250, at most 10 000.
    pub deadline_ms: u64,
    /// Most items in one call; by default 32, at most 1 000.
    pub chunk_items: u64,
    /// Most bytes that one call may return; by default, and at most, 16 MiB.
    pub outcome_bytes: u64,
}

impl Limits {
    /// Bounds of `body_bytes`: no provider sends more.
    pub const BODY_BYTES: std::ops::RangeInclusive<u64> = 1..=64 << 20;
    /// Bounds of `memory_bytes`: less than 1 MiB holds no language's runtime, more would let a few plugins fill a small machine.
    pub const MEMORY_BYTES: std::ops::RangeInclusive<u64> = 1 << 20..=64 << 20;
    /// Bounds of `deadline_ms`: a longer call would hold up the others of its contacts.
    pub const DEADLINE_MS: std::ops::RangeInclusive<u64> = 1..=10_000;
    /// Bounds of `chunk_items`: a chunk that fails runs again item by item.
    pub const CHUNK_ITEMS: std::ops::RangeInclusive<u64> = 1..=1_000;
    /// Bounds of `outcome_bytes`: less than 4 KiB holds no event, and an outcome is a few times the size of its item.
    pub const OUTCOME_BYTES: std::ops::RangeInclusive<u64> = 4 << 10..=16 << 20;
}

impl Default for Limits {
    fn default() -> Self {
        Self { body_bytes: 4 << 20, memory_bytes: 64 << 20, deadline_ms: 250, chunk_items: 32, outcome_bytes: 16 << 20 }
    }
}

/// A kind of event that only this plugin has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnEvent {
    /// `noun.verb`, not one of the canonical model.
    pub kind: String,
    /// When it happens.
    #[serde(default)]
    pub description: String,
    /// JSON Schema that its payload is held to, as JSON text or as a table; without one any JSON is taken.
    #[serde(default, with = "read::schema", skip_serializing_if = "Option::is_none")]
    pub schema: Option<Value>,
}

#[cfg(test)]
mod tests;
