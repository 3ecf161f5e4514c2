//! The contract with the host, as Rust types: generated from `wit/`. Nothing here is written by hand.

wit_bindgen::generate!({
    path: "../wit",
    world: "plugin",
    pub_export_macro: true,
    export_macro_name: "export_component",
    default_bindings_module: "tidegate_plugin_sdk::bindings",
    additional_derives: [PartialEq, Default],
    additional_derives_ignore: ["payload", "outcome", "answer", "contact-key", "direction", "level"],
    additional_type_attributes: {
        "tidegate:plugin/types@0.1.0/payload": [#[derive(PartialEq)]],
        "tidegate:plugin/types@0.1.0/outcome": [#[derive(PartialEq)]],
        "tidegate:plugin/types@0.1.0/answer": [#[derive(PartialEq)]],
        "tidegate:plugin/types@0.1.0/contact-key": [#[derive(PartialEq)]],
    },
});
