//! What a manifest asks the operator to grant: hosts to read from, how fast, and with which of the connection's credentials.

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
        Self { fetch: Vec::new(), post: Vec::new(), rate: Rate::default(), answer_bytes: 1 << 20 }
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
    /// Name of the header or the query parameter, for those kinds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Which of the connection's credentials is the user, for `basic`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Which of the connection's credentials it is: a key under `[connections.credentials]`.
    pub secret: String,
    /// Whether a connection may do without it, because only some of what the plugin does reads from the host.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
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
}
