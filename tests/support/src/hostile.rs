//! The hostile plugin of the plugin host's own tests, for a gateway: built once in a test run.

use crate::guest::built;
use std::{path::Path, sync::OnceLock};
use tidegate_plugin_pack::embed;

/// Little memory and little time, so that a test need not wait for the attacks to end.
const MANIFEST: &str = r#"
id = "hostile"
name = "Hostile"
version = "0.1.0"
signature = { scheme = "shopify" }
items = { topic = { header = "x-shopify-topic" }, dedupe = [{ header = "x-shopify-webhook-id" }], state = { pointer = "/key" } }
limits = { memory_bytes = 16777216, deadline_ms = 1000 }
capabilities = { fetch = ["api.example.com"] }
[[events]]
kind = "warranty.registered"
schema = { type = "object", required = ["serial"], properties = { serial = { type = "integer" } } }
"#;

/// The packed plugin.
pub(crate) fn packed(program: &Path) -> Vec<u8> {
    static COMPONENT: OnceLock<Vec<u8>> = OnceLock::new();
    let component = COMPONENT
        .get_or_init(|| built(program, "tidegate-hostile-guest", "../../gateway/plugin-host/tests/guests/hostile"));
    embed(component, MANIFEST).unwrap_or_else(|error| panic!("{error}"))
}

/// A file that is small and would cost the gateway much: hundreds of thousands of sections with nothing in them, and the manifest of the plugin.
pub(crate) fn bomb() -> Vec<u8> {
    const PREAMBLE: [u8; 8] = [0, b'a', b's', b'm', 0x0d, 0, 1, 0];
    // A section of types, one byte long: the number of types, none.
    let sections = [7, 1, 0].repeat(600_000);
    embed(&[PREAMBLE.to_vec(), sections].concat(), MANIFEST).unwrap_or_else(|error| panic!("{error}"))
}
