//! Loads plugins and calls them in a sandbox: the only package that knows wasmtime. It knows neither the store nor the network; what a plugin is given and what
//! comes back are values of the model.
//!
//! [`PluginHost::load`] reads a component's manifest, checks what it imports and compiles it; [`Plugin::interpret`] runs it once, in a fresh instance; [`split`]
//! cuts a delivery into the items that it is given.

mod anatomy;
mod cache;
mod error;
mod fetch;
mod guest;
mod host;
mod inspect;
mod items;
mod limits;
mod manifest;
mod own_kinds;
mod plugin;
mod pointer;
mod promote;
mod ticker;
mod worlds;

pub use anatomy::{Anatomy, AnatomyError, anatomy, is_given_import};
pub use error::{CallError, HostError, LoadError};
pub use fetch::{Asked, fill, setting_of};
pub use host::{HostConfig, PluginHost};
pub use inspect::Oversized;
pub use items::{MAX_ITEMS, SplitError, SplitItem, guest_headers, query_header, split};
pub use manifest::{
    Auth, AuthKind, BatchRule, Build, Capabilities, Configurable, Configured, ConfiguredError, Connector, Digest,
    EndpointPart, FieldForm, Handshake, HandshakeKind, Items, Limits, Manifest, ManifestError, Oauth, OauthClientProof,
    OwnEvent, PostRule, Rate, Response, SecretOrigin, Selector, Signature, Topic, Unsigned, is_plugin_id,
    read_manifest,
};
pub use plugin::{Figures, Measured, Plugin};
pub use pointer::{Pointer, PointerError};
pub use tidegate_plugin_pack::{MANIFEST_SECTION, SectionError, embed, extract};
pub use worlds::shape::Misfit;
