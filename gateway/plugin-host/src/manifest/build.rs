//! `[build]`: how an author's tools make the component of a plugin that is no Rust crate. Read beside the source; a packed plugin's is never run.

use super::check::{Mistake, at};
use serde::{Deserialize, Serialize};
use std::path::{Component, Path};

/// How a component is built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// A command for `sh`, run in the plugin's folder: `npm run build`.
    pub command: String,
    /// The component that it makes, from the plugin's folder: `build/plugin.wasm`.
    pub component: String,
}

/// The first mistake.
pub(super) fn mistake(build: &Build) -> Option<Mistake> {
    if build.command.trim().is_empty() {
        return at("build.command", "expected a command such as `npm run build`, found nothing");
    }
    let path = Path::new(&build.component);
    let inside = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if !inside || path.extension().is_none_or(|ending| ending != "wasm") {
        let found = &build.component;
        return at(
            "build.component",
            format!("expected a .wasm file in the plugin's folder such as build/plugin.wasm, found {found:?}"),
        );
    }
    None
}
