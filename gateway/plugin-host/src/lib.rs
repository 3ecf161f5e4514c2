//! Loads plugins and calls them in a sandbox: the only package that knows wasmtime. It knows neither the store nor the network; what a plugin is given and what
//! comes back are values of the model.
//!
//! [`PluginHost::load`] reads a component's manifest, checks what it imports and compiles it; [`Plugin::interpret`] runs it once, in a fresh instance; [`split`]
//! cuts a delivery into the items that it is given.

mod cache;
mod error;
mod fetch;
mod guest;
mod host;
mod items;
mod limits;
mod manifest;
mod plugin;
mod pointer;
mod ticker;
mod worlds;

pub use error::{CallError, HostError, LoadError};
pub use host::{HostConfig, PluginHost};
pub use items::{MAX_ITEMS, SplitError, SplitItem, guest_headers, split};
pub use manifest::{
    Capabilities, Digest, FieldForm, Handshake, HandshakeKind, Items, Limits, Manifest, ManifestError, OwnEvent,
    Response, Selector, Signature, Topic, Unsigned, read_manifest,
};
pub use plugin::{Figures, Plugin};
pub use pointer::{Pointer, PointerError};
pub use tidegate_plugin_pack::{MANIFEST_SECTION, SectionError, embed};
