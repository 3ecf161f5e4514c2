//! Generated from `wit/`: the contract's types, and glue to call a component.

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "plugin",
    imports: { default: trappable },
    exports: { default: async },
});
