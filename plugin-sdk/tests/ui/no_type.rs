//! `export!` without a plugin.

tidegate_plugin_sdk::export!();

fn main() {}
