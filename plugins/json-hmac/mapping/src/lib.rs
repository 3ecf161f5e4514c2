//! The mapping of the plugin `json-hmac`: a connection's settings say where in a webhook's JSON the parts of an event are. Here it is read and checked, for the gateway
//! when the configuration is loaded and for the plugin when it is called, and its values are found. Pure: no gateway, no plugin contract, no clock.

mod expression;
pub mod fields;
mod json;
mod mapping;
mod pointer;
mod schema;
mod settings;
mod source;
mod zone;

pub use expression::{Budget, Expression, ExpressionError};
pub use json::{Json, JsonError};
pub use mapping::{EventMapping, Mapping, PayloadMapping, TriggerMapping};
pub use pointer::Pointer;
pub use schema::schema;
pub use settings::{Answers, Consent, Fault, Filling, Fillings};
pub use source::{Found, Scope, Source};
pub use zone::zone;

/// Id of the plugin whose settings are such a mapping.
pub const PLUGIN: &str = "json-hmac";
