//! The optional interface `connector`, as Rust types: generated from `wit/connector.wit`. Nothing here is written by hand but the default of a report.

wit_bindgen::generate!({
    path: "../wit",
    world: "connecting",
    pub_export_macro: true,
    export_macro_name: "export_connecting_component",
    default_bindings_module: "tidegate_plugin_sdk::connector_bindings",
    with: { "tidegate:plugin/types@0.1.0": crate::bindings::tidegate::plugin::types },
    additional_derives: [PartialEq],
    additional_derives_ignore: ["severity", "subscription-state"],
});
