//! Records of authorizations: the tokens that a provider gave when a person authorized a connection, sealed.

use serde::{Deserialize, Serialize};
use tidegate_model::Timestamp;
use tidegate_store::{Key, Space, keys, records::Record};

/// The tokens of one connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TokenRow {
    /// Workspace.
    pub workspace: u32,
    /// The connection's number in the registry.
    pub connection: u32,
    /// The tokens, sealed; `None` when the provider takes them no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<String>,
    /// Why it takes them no more: a person must authorize again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub void: Option<String>,
    /// When the provider gave them.
    pub given_at: Timestamp,
    /// When the access token ends. It is renewed before.
    pub expires_at: Timestamp,
}

record!(TokenRow in Tokens, key (u32, u32), |me| (me.workspace, me.connection),
    |(workspace, connection)| keys::token(*workspace, *connection));

impl TokenRow {
    /// What the tokens of a connection are sealed for.
    pub(crate) fn purpose(workspace: u32, connection: u32) -> String {
        format!("tokens of connection {connection} in workspace {workspace}")
    }
}
