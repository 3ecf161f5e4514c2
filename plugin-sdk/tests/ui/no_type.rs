tidegate_plugin_sdk::export!();

fn main() {}
