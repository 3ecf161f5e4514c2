//! What a manifest asks the operator to grant: hosts to read from, how fast, and with which of the connection's credentials.

use super::Oauth;
use serde::{Deserialize, Serialize};

/// What the plugin asks the operator to grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Capabilities {
    /// Hosts that the gateway may read from for the plugin: `api.example.com`, `*.example.com` for every host below, or one that the connection names:
    /// `{account}`, `{settings.store}`, `{settings.shop}.example.com`.
    pub fetch: Vec<String>,
    /// Where a POST only reads.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub post: Vec<PostRule>,
    /// Reads that several items ask for and that are made by one request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub batch: Vec<BatchRule>,
    /// How fast it may read, for each connection.
    pub rate: Rate,
    /// Largest answer, in bytes; by default 1 MiB, at most 4 MiB. All answers of an item together may have twice as much.
    pub answer_bytes: u64,
}

impl Capabilities {
    /// Bounds of `answer_bytes`: less than 1 KiB holds no answer, and answers are in memory while they are read.
    pub const ANSWER_BYTES: std::ops::RangeInclusive<u64> = 1 << 10..=4 << 20;
}

impl Default for Capabilities {
    fn default() -> Self {
        Self { fetch: Vec::new(), post: Vec::new(), batch: Vec::new(), rate: Rate::default(), answer_bytes: 1 << 20 }
    }
}

/// A place where a POST only reads (a search, a batch read).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostRule {
    /// The host, as in `fetch`.
    pub host: String,
    /// The path; `*` stands for one part between slashes: `/crm/v3/objects/*/batch/read`.
    pub path: String,
    /// Whether GraphQL is spoken there: then only what is a query reads, and a body in which a mutation is named does not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub graphql: bool,
}

/// Reads of one form that the gateway makes by one request, when several items of a connection ask for them. The plugin asks for each by itself, and is answered as if it
/// had been read so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchRule {
    /// Path of a read of one, with `{id}` for its id: `/crm/v3/objects/contacts/{id}`.
    pub get: String,
    /// Path of the read of several, at the same host, by POST: `/crm/v3/objects/contacts/batch/read`.
    pub post: String,
    /// Most ids of one request.
    pub most: u16,
    /// Member of the body that is the list of ids: `inputs`.
    pub ids: String,
    /// Member of each element of that list that is the id; without it the elements are the ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_member: Option<String>,
    /// Parameters of the read of one that become lists of the body, by their commas: `properties`. A read with any other parameter is made by itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lists: Vec<String>,
    /// Member of the answer that is the list of what was read: `results`. Each is what a read of one would answer.
    pub answers: String,
    /// Member of each that is its id: `id`. What the answer does not have is read by itself.
    pub answer_id: String,
}

impl BatchRule {
    /// Stands for the id in `get`.
    pub const ID: &str = "{id}";
    /// Bounds of `most`.
    pub const MOST: std::ops::RangeInclusive<u16> = 2..=500;
}

/// How fast the gateway reads for one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rate {
    /// So many requests, all at once if need be; by default 40.
    pub requests: u32,
    /// In so many seconds; by default 10.
    pub per_s: u32,
    /// Most requests at once; by default 4.
    pub in_flight: u32,
}

impl Rate {
    /// Bounds of `requests`.
    pub const REQUESTS: std::ops::RangeInclusive<u32> = 1..=10_000;
    /// Bounds of `per_s`: an hour is the longest period that a provider counts short rates by.
    pub const PER_S: std::ops::RangeInclusive<u32> = 1..=3_600;
    /// Bounds of `in_flight`: as many as items of one connection are read for at once.
    pub const IN_FLIGHT: std::ops::RangeInclusive<u32> = 1..=16;
}

impl Default for Rate {
    fn default() -> Self {
        Self { requests: 40, per_s: 10, in_flight: 4 }
    }
}

/// How the gateway adds credentials of a connection to requests to a host. The plugin never sees them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// The host, as in `fetch`.
    pub host: String,
    /// How.
    pub kind: AuthKind,
    /// Name of the header or the query parameter, for those kinds; the header of a token in place of `Authorization`, for `oauth`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Which of the connection's credentials is the user, for `basic`; the app's client id, for `oauth`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Which of the connection's credentials it is: a key under `[connections.credentials]`. The app's client secret, for `oauth`.
    pub secret: String,
    /// Whether a connection may do without it, because only some of what the plugin does reads from the host.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
    /// How a connection is authorized, for `oauth`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth: Option<Oauth>,
}

impl Auth {
    /// Whether a person authorizes the connection with it.
    pub fn needs_person(&self) -> bool {
        self.oauth.as_ref().is_some_and(|oauth| oauth.authorize.is_some())
    }
}

/// Kinds of credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthKind {
    /// `Authorization: Bearer …`.
    Bearer,
    /// `Authorization: Basic …`, of a user and a secret.
    Basic,
    /// A header of the provider's own.
    Header,
    /// A parameter of the URL.
    Query,
    /// `Authorization: Bearer …`, or a header of the provider's own, of a token that the gateway is given for a time.
    Oauth,
}
