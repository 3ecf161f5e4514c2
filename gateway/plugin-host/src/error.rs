//! What can go wrong with the host, with loading a plugin, and with calling one. Every text is a sentence for an operator; none holds a person's data.

use crate::{inspect::Oversized, manifest::ManifestError, worlds::shape::Misfit};
use std::{io, path::PathBuf, time::Duration};
use tidegate_plugin_pack::SectionError;

/// Why the host did not start. Trying again does not help before something is changed.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The machine can't run the engine as it is configured.
    #[error("the WebAssembly engine does not start: {reason}")]
    Engine {
        /// The engine's words.
        reason: String,
    },
    /// The directory for compiled plugins can't be used.
    #[error("can't use {} as a private directory for compiled plugins: {source}", path.display())]
    CacheDir {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Why a plugin was not loaded. Trying again does not help: the file must change.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file is no component with a manifest.
    #[error(transparent)]
    Section(#[from] SectionError),
    /// The manifest is wrong.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The file is larger than any plugin should be.
    #[error("the component has {found} bytes, and {most} is the most")]
    TooLarge {
        /// Its size.
        found: usize,
        /// The limit.
        most: usize,
    },
    /// The component is not valid, or uses what the engine does not have.
    #[error("the plugin {plugin} does not compile: {reason}")]
    Compile {
        /// The plugin's id.
        plugin: String,
        /// The compiler's words.
        reason: String,
    },
    /// The component wants something that plugins are not given.
    #[error(
        "the plugin {plugin} imports `{import}`, which plugins are not given; they get tidegate:plugin/host (of {spoken}) and wasi 0.2 without network and files"
    )]
    ForbiddenImport {
        /// The plugin's id.
        plugin: String,
        /// The import's name.
        import: String,
        /// Versions of the contract that have imports for it.
        spoken: String,
    },
    /// The component would cost too much to compile, or its bytes make no sense.
    #[error("the plugin {plugin} is not compiled: {reason}")]
    Oversized {
        /// The plugin's id.
        plugin: String,
        /// What it has too much of.
        reason: Oversized,
    },
    /// The component is something else than a plugin.
    #[error(
        "the plugin {plugin} exports {exports}, and not tidegate:plugin/normalizer, which every plugin exports: build it for the world `plugin` of a contract that this gateway speaks ({spoken}), for instance with the SDK {sdk}"
    )]
    NoPlugin {
        /// The plugin's id.
        plugin: String,
        /// What it exports, in words.
        exports: String,
        /// Versions that are spoken here.
        spoken: String,
        /// The newest SDK that fits.
        sdk: &'static str,
    },
    /// The component was made for a version of the contract that is not spoken here.
    #[error(
        "the plugin {plugin} was built for tidegate:plugin@{found}, and this gateway speaks {spoken}: build it again with the SDK {sdk}, or use a gateway that speaks its version"
    )]
    OtherContract {
        /// The plugin's id.
        plugin: String,
        /// The versions that it was made for.
        found: String,
        /// Versions that are spoken here.
        spoken: String,
        /// The newest SDK that fits.
        sdk: &'static str,
    },
    /// The component says that it was made for a version that is spoken here, and has other types than that version.
    #[error(
        "the plugin {plugin} names tidegate:plugin@{version} and is not made as it says: {misfit}. It was built from other files than that version's. This gateway speaks {spoken}: build the plugin again with the SDK {sdk}, or from that version's wit files as they are"
    )]
    OtherShape {
        /// The plugin's id.
        plugin: String,
        /// The version that it names.
        version: &'static str,
        /// The first place that differs.
        misfit: Box<Misfit>,
        /// Versions that are spoken here.
        spoken: String,
        /// The SDK of that version.
        sdk: &'static str,
    },
    /// Its manifest promises a connector.
    #[error(
        "the plugin.toml of {plugin} has [connector], and the component exports no tidegate:plugin/connector: implement `Connector` and write `export!(MyPlugin, connector);`, or take [connector] out"
    )]
    NoConnector {
        /// The plugin's id.
        plugin: String,
    },
    /// The component does not fit for another reason.
    #[error("the plugin {plugin} does not fit the world `plugin` of tidegate:plugin@{version}: {reason}")]
    World {
        /// The plugin's id.
        plugin: String,
        /// The version of the contract.
        version: &'static str,
        /// The engine's words.
        reason: String,
    },
}

/// Why a call gave no outcomes. The whole chunk failed: run its items one by one, and park the one that fails again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The call took too long.
    #[error("the plugin {plugin} did not answer within {} ms", deadline.as_millis())]
    Deadline {
        /// The plugin's id.
        plugin: String,
        /// The limit, from its manifest.
        deadline: Duration,
    },
    /// The plugin wanted more memory than it may have, and gave up.
    #[error("the plugin {plugin} needs more than the {} KiB of memory that it may have", limit_bytes / 1024)]
    Memory {
        /// The plugin's id.
        plugin: String,
        /// The limit, from its manifest.
        limit_bytes: usize,
    },
    /// The plugin crashed.
    #[error("the plugin {plugin} crashed: {reason}")]
    Trap {
        /// The plugin's id.
        plugin: String,
        /// How.
        reason: String,
    },
    /// The plugin returned more than the host takes.
    #[error("the plugin {plugin} returned more than the {} KiB that one call may return", limit_bytes / 1024)]
    TooMuchOutput {
        /// The plugin's id.
        plugin: String,
        /// The limit, from its manifest.
        limit_bytes: usize,
    },
    /// The plugin used up something else that the host gives in portions.
    #[error("the plugin {plugin} used up its {budget}")]
    HostBudget {
        /// The plugin's id.
        plugin: String,
        /// What it used up.
        budget: &'static str,
    },
    /// The plugin's answer does not belong to the question.
    #[error("the plugin {plugin} gave a wrong answer: {reason}")]
    BadOutcome {
        /// The plugin's id.
        plugin: String,
        /// What is wrong.
        reason: String,
    },
}

impl CallError {
    /// Whether the same call may succeed later. Plugins are pure, so only a slow machine is a reason to hope.
    pub const fn retryable(&self) -> bool {
        matches!(self, Self::Deadline { .. })
    }
}
