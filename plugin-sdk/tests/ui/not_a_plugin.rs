//! `export!` with a type that is no plugin.

struct NotAPlugin;

tidegate_plugin_sdk::export!(NotAPlugin);

fn main() {}
