//! Packs a plugin: builds its crate to a component with cargo ([`build()`]), and puts its manifest into the component ([`embed`], [`extract`]). It knows neither
//! what a manifest says nor how a component runs, and has no dependencies: build scripts use it.

mod build;
mod seal;
mod section;

pub use build::{BuildError, Crate, Lock, TARGET, build, build_with};
pub use seal::{Sealed, seal, unseal};
pub use section::{MANIFEST_SECTION, SIGNATURE_SECTION, SectionError, embed, extract};
