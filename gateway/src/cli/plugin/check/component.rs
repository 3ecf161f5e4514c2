//! Whether a packed component fits the host: its imports, its exports, its size, and whether it compiles. None of its code runs.

use super::Finding;
use crate::cli::plugin::size;
use tidegate_plugin_host::{Anatomy, HostConfig, LoadError, Manifest, PluginHost, anatomy, is_given_import};

/// From this size on a component of a compiled language has something in it that it does not need.
const LARGE_BYTES: usize = 4 << 20;

/// Findings about a packed component.
pub(super) fn check(packed: &[u8], manifest: &Manifest) -> Vec<Finding> {
    let anatomy = match anatomy(packed) {
        Ok(anatomy) => anatomy,
        Err(error) => return vec![Finding::fault(error.to_string(), "build it again")],
    };
    let mut found = parts(&anatomy);
    if found.is_empty() {
        found.extend(loads(packed));
    }
    if packed.len() > LARGE_BYTES
        && anatomy.languages.iter().any(|language| matches!(language.as_str(), "Rust" | "C" | "C11"))
    {
        let what = format!("the component of {} has {}", manifest.id, size(packed.len() as u64));
        found.push(Finding::warning(what, "build with optimisation, and strip names and debug information"));
    }
    found
}

/// What can be told by its parts.
fn parts(anatomy: &Anatomy) -> Vec<Finding> {
    let mut found = Vec::new();
    if !anatomy.is_normalizer() {
        let exports = if anatomy.exports.is_empty() { "nothing".to_owned() } else { anatomy.exports.join(", ") };
        found.push(Finding::fault(
            format!("the component does not export tidegate:plugin/normalizer@0.1.0; it exports {exports}"),
            "build it for the world `plugin` of wit/world.wit; in Rust that is `export!(MyPlugin);`",
        ));
    }
    found.extend(anatomy.imports.iter().filter(|name| !is_given_import(name)).map(|name| forbidden(name)));
    found
}

fn forbidden(import: &str) -> Finding {
    let mend = if import.starts_with("wasi:http") || import.starts_with("wasi:sockets") {
        "a plugin makes no requests: it says what it needs (`ctx.fetch`), and the host asks"
    } else {
        "a plugin is given tidegate:plugin/host@0.1 and WASI 0.2 without HTTP: remove what needs it"
    };
    Finding::fault(format!("the component imports {import}, which plugins are not given"), mend)
}

/// What only the engine can tell.
fn loads(packed: &[u8]) -> Option<Finding> {
    let host = match PluginHost::new(&HostConfig::default()) {
        Ok(host) => host,
        Err(error) => return Some(Finding::fault(error.to_string(), "check it on a machine that runs plugins")),
    };
    let error = host.load_aside(packed).err()?;
    let mend = match &error {
        LoadError::TooLarge { .. } => "leave out what the plugin does not need",
        LoadError::World { .. } => "build it with the wit folder of this version, unchanged",
        _ => "build it again, for WebAssembly 2.0 and the component model",
    };
    Some(Finding::fault(error.to_string(), mend))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_plugins_are_not_given_is_named_with_what_to_do() {
        let anatomy = Anatomy {
            imports: ["wasi:http/outgoing-handler@0.2.0", "wasi:io/streams@0.2.3", "env"].map(str::to_owned).to_vec(),
            exports: vec!["tidegate:plugin/normalizer@0.1.0".to_owned()],
            ..Anatomy::default()
        };
        let found = parts(&anatomy);
        assert_eq!(found.len(), 2, "{found:#?}");
        assert!(found[0].what.contains("wasi:http/outgoing-handler@0.2.0") && found[0].mend.contains("ctx.fetch"));
        assert!(found[1].what.contains("imports env,"), "{}", found[1].what);
    }

    #[test]
    fn a_component_of_another_world_is_told_what_it_exports() {
        let found = parts(&Anatomy { exports: vec!["wasi:cli/run@0.2.0".to_owned()], ..Anatomy::default() });
        assert!(found[0].what.ends_with("it exports wasi:cli/run@0.2.0"), "{}", found[0].what);
        assert!(parts(&Anatomy::default())[0].what.ends_with("it exports nothing"));
    }

    #[test]
    fn every_bundled_plugin_has_no_findings() {
        for bundled in tidegate_bundled::PLUGINS {
            let manifest = tidegate_plugin_host::read_manifest(bundled.component).unwrap();
            assert_eq!(check(bundled.component, &manifest), [], "{}", bundled.id);
        }
    }
}
