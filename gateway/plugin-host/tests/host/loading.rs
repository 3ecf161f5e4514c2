//! What is refused before it runs, and what the cache keeps.

use crate::support::{MANIFEST, bare, call, host, packed};
use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};
use tempfile::TempDir;
use tidegate_model::outcome::Outcome;
use tidegate_plugin_host::{HostConfig, PluginHost, embed};

/// A component with nothing but one import of an interface.
fn importing(import: &str) -> Vec<u8> {
    let mut bytes = vec![0, b'a', b's', b'm', 0x0d, 0, 1, 0];
    // A type section with one instance type without members, and an import section with one such instance.
    bytes.extend([7, 3, 1, 0x42, 0]);
    let name = import.as_bytes();
    bytes.extend([10, name.len() as u8 + 5, 1, 0, name.len() as u8]);
    bytes.extend(name);
    bytes.extend([5, 0]);
    bytes
}

fn check(component: &[u8], expected: &str) {
    let error = host().load(component).unwrap_err().to_string();
    assert!(error.contains(expected), "{error}");
}

#[test]
fn an_import_that_plugins_are_not_given_is_named() {
    for import in [
        "wasi:http/outgoing-handler@0.2.0",
        "tidegate:plugin/secrets@0.1.0",
        "wasi:cli/environment@0.3.0",
        "acme:db/sql@1.0.0",
    ] {
        let component = embed(&importing(import), MANIFEST).unwrap();
        check(&component, &format!("the plugin hostile imports `{import}`, which plugins are not given"));
    }
}

#[test]
fn a_component_of_another_world_is_told_what_it_lacks() {
    let component = embed(&importing("wasi:cli/environment@0.2.0"), MANIFEST).unwrap();
    check(
        &component,
        "the plugin hostile exports nothing, and not tidegate:plugin/normalizer, which every plugin exports: build it for the world `plugin`",
    );
}

#[test]
fn what_is_no_plugin_is_refused_with_what_to_do() {
    check(b"hello", "expected a WebAssembly component");
    check(bare(), "has no manifest");
    check(&packed("id = 1"), "plugin.toml:1: id: invalid type");
    let mut broken = packed(MANIFEST);
    let middle = broken.len() / 2;
    broken[middle..middle + 64].fill(0xff);
    check(&broken, "the plugin hostile ");
    let long = format!("{MANIFEST}\n# {}", "x".repeat(256 << 10));
    check(&packed(&long), "plugin.toml: it has ");
    check(
        &packed(&MANIFEST.replace("integer", "no-such-type")),
        "plugin.toml:10: events.0.schema: this is no JSON Schema",
    );
}

#[test]
fn a_plugin_that_is_loaded_aside_leaves_nothing_in_the_cache() {
    let dir = tempfile::tempdir().unwrap();
    let config = HostConfig { cache_dir: Some(dir.path().join("cache")), ..HostConfig::default() };
    let host = PluginHost::new(&config).unwrap();
    assert_eq!(host.load_aside(&packed(MANIFEST)).unwrap().id(), "hostile");
    assert_eq!(fs::read_dir(dir.path().join("cache")).unwrap().count(), 0);
}

struct CacheDir {
    dir: TempDir,
}

impl CacheDir {
    fn new() -> Self {
        Self { dir: TempDir::new().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("compiled/plugins")
    }

    /// A new host with this cache loads the plugin and calls it.
    fn serve(&self) {
        let config = HostConfig { cache_dir: Some(self.path()), ..HostConfig::default() };
        let plugin = PluginHost::new(&config).unwrap().load(&packed(MANIFEST)).unwrap();
        assert_eq!(call(&plugin, &["nothing"]).unwrap(), [Outcome::Skip("nothing to do".to_owned())]);
    }

    fn file(&self) -> PathBuf {
        let files: Vec<_> = fs::read_dir(self.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(files.len(), 1, "{files:?}");
        files[0].clone()
    }
}

#[test]
fn a_compiled_plugin_is_kept_in_a_directory_for_its_owner() {
    let cache = CacheDir::new();
    cache.serve();
    let written = fs::metadata(cache.file()).unwrap().modified().unwrap();
    assert_eq!(fs::metadata(cache.path()).unwrap().permissions().mode() & 0o777, 0o700);
    cache.serve();
    assert_eq!(fs::metadata(cache.file()).unwrap().modified().unwrap(), written, "the second host took the file");
}

#[test]
fn a_damaged_file_is_made_anew() {
    let cache = CacheDir::new();
    cache.serve();
    let good = fs::read(cache.file()).unwrap();
    let flipped = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    for damaged in [Vec::new(), good[..good.len() / 2].to_vec(), flipped(0), flipped(20), flipped(good.len() - 1)] {
        fs::write(cache.file(), damaged).unwrap();
        cache.serve();
        assert!(fs::read(cache.file()).unwrap() == good, "the file is whole again");
    }
}

#[test]
fn a_cache_directory_that_can_not_be_used_is_named() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("file");
    fs::write(&path, "").unwrap();
    let error = PluginHost::new(&HostConfig { cache_dir: Some(path.join("x")), ..HostConfig::default() })
        .unwrap_err()
        .to_string();
    assert!(error.contains("file/x as a private directory"), "{error}");
}
