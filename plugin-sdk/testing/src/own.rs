//! Builds the plugin of the package that a test is in.

use std::{
    fs,
    path::{Path, PathBuf},
};
use tidegate_plugin_host::embed;
use tidegate_plugin_pack::{Crate, build};

/// The packed component of a package: built with cargo for `wasm32-wasip2`, with the `plugin.toml` beside its `Cargo.toml`. For [`fixtures!`](crate::fixtures).
///
/// # Panics
/// When it does not build: the caller is a test, and the message is for its author.
pub fn own_component(package: &str, dir: &str, target_tmp: Option<&str>) -> Vec<u8> {
    let dir = Path::new(dir);
    let target_dir =
        target_tmp.map_or_else(|| dir.join("target/guests"), |tmp| PathBuf::from(tmp).with_file_name("guests"));
    let manifest = dir.join("plugin.toml");
    let manifest = fs::read_to_string(&manifest).unwrap_or_else(|error| panic!("{}: {error}", manifest.display()));
    let component = build(Crate { package, dir, target_dir: &target_dir }).unwrap_or_else(|error| panic!("{error}"));
    embed(&component, &manifest).unwrap_or_else(|error| panic!("{error}"))
}
