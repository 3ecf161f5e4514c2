struct NotAPlugin;

tidegate_plugin_sdk::export!(NotAPlugin);

fn main() {}
