//! Components that were made for another contract: each is refused when it is loaded, with a sentence for its author. They are made here from the contract's own
//! files with a change, and do nothing.

use crate::support::{MANIFEST, host};
use tidegate_plugin_host::embed;
use wasm_encoder::{
    CodeSection, EntityType, ExportKind, ExportSection, Function, FunctionSection, ImportSection, MemorySection,
    MemoryType, Module, TypeSection, ValType,
};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{
    Resolve, SourceMap, WorldId, WorldItem,
    abi::{AbiVariant, WasmType},
};

const TYPES: &str = include_str!("../../../../wit/types.wit");
const WORLD: &str = include_str!("../../../../wit/world.wit");

/// A component of the world `plugin` by these files.
fn component(types: &str, world: &str) -> Vec<u8> {
    let mut sources = SourceMap::new();
    sources.push_str("types.wit", types);
    sources.push_str("world.wit", world);
    let mut resolve = Resolve::new();
    let package = sources.parse().map_err(|(_, error)| error).unwrap();
    let package = resolve.push_group(package).unwrap();
    let world = resolve.select_world(&[package], Some("plugin")).unwrap();
    let mut module = module(&resolve, world);
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    let component = ComponentEncoder::default().module(&module).unwrap().encode().unwrap();
    embed(&component, MANIFEST).unwrap()
}

/// A module that imports all that the world has, and exports all that it asks for; each function traps.
fn module(resolve: &Resolve, world: WorldId) -> Vec<u8> {
    let (mut types, mut imports, mut declared) = (TypeSection::new(), ImportSection::new(), FunctionSection::new());
    let (mut exports, mut code) = (ExportSection::new(), CodeSection::new());
    let world = &resolve.worlds[world];
    let functions = |items: Vec<&WorldItem>| {
        let interfaces = items.into_iter().filter_map(|item| match item {
            WorldItem::Interface { id, .. } => Some(*id),
            _ => None,
        });
        interfaces
            .flat_map(|id| resolve.interfaces[id].functions.values().map(move |function| (id, function)))
            .map(|(id, function)| (resolve.id_of(id).unwrap(), function))
            .collect::<Vec<_>>()
    };
    let plain = |all: &[WasmType]| all.iter().map(|one| value(*one)).collect::<Vec<ValType>>();
    for (interface, function) in functions(world.imports.values().collect()) {
        let signature = resolve.wasm_signature(AbiVariant::GuestImport, function);
        types.ty().function(plain(&signature.params), plain(&signature.results));
        imports.import(&interface, &function.name, EntityType::Function(types.len() - 1));
    }
    let define = |name: &str, params: Vec<ValType>, results: Vec<ValType>| (name.to_owned(), params, results);
    let mut defined = vec![define("cabi_realloc", vec![ValType::I32; 4], vec![ValType::I32])];
    for (interface, function) in functions(world.exports.values().collect()) {
        let signature = resolve.wasm_signature(AbiVariant::GuestExport, function);
        let name = format!("{interface}#{}", function.name);
        defined.push(define(&name, plain(&signature.params), plain(&signature.results)));
    }
    for (place, (name, params, results)) in defined.into_iter().enumerate() {
        types.ty().function(params, results);
        declared.function(types.len() - 1);
        exports.export(&name, ExportKind::Func, imports.len() + place as u32);
        let mut body = Function::new([]);
        body.instructions().unreachable().end();
        code.function(&body);
    }
    let mut memories = MemorySection::new();
    memories.memory(MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None });
    exports.export("memory", ExportKind::Memory, 0);
    let mut module = Module::new();
    module.section(&types).section(&imports).section(&declared).section(&memories).section(&exports).section(&code);
    module.finish()
}

fn value(ty: WasmType) -> ValType {
    match ty {
        WasmType::I64 | WasmType::PointerOrI64 => ValType::I64,
        WasmType::F32 => ValType::F32,
        WasmType::F64 => ValType::F64,
        WasmType::I32 | WasmType::Pointer | WasmType::Length => ValType::I32,
    }
}

/// Changes one place of a file.
fn changed(file: &str, from: &str, to: &str) -> String {
    assert!(file.contains(from), "{from:?} is not in the file");
    file.replacen(from, to, 1)
}

fn refusal(component: &[u8]) -> String {
    host().load(component).unwrap_err().to_string()
}

/// A component whose types differ is told where.
fn check(types: &str, world: &str, misfit: &str) {
    assert_eq!(
        refusal(&component(types, world)),
        format!(
            "the plugin hostile names tidegate:plugin@0.1 and is not made as it says: {misfit}. It was built from other files than that version's. \
             This gateway speaks 0.1: build the plugin again with the SDK 0.1, or from that version's wit files as they are"
        )
    );
}

#[test]
fn a_component_of_the_contract_as_it_is_is_loaded() {
    assert_eq!(host().load(&component(TYPES, WORLD)).unwrap().id(), "hostile");
    // Later patches may add interfaces, and change nothing.
    let later = [TYPES, WORLD].map(|file| file.replace("@0.1.0", "@0.1.7"));
    assert_eq!(host().load(&component(&later[0], &later[1])).unwrap().id(), "hostile");
}

#[test]
fn a_component_of_the_same_version_and_another_shape_is_told_where_it_differs() {
    let types = |from: &str, to: &str, misfit: &str| check(&changed(TYPES, from, to), WORLD, misfit);
    types(
        "        time-zone: option<string>,\n",
        "",
        "at `normalizer.interpret`, result → done → events → contact, the plugin's record `contact-info` has no field `time-zone`",
    );
    types(
        "        state: option<string>,\n        /// Answers",
        "        state: option<string>,\n        hint: string,\n        /// Answers",
        "at `normalizer.interpret`, parameter `items`, the plugin's record `item` has the field `hint`, which the contract has not",
    );
    types(
        "quantity: string",
        "quantity: f64",
        "at `normalizer.interpret`, result → done → events → payload → order → items → quantity, the plugin has an f64, the contract a string",
    );
    types(
        "region: option<string>,\n    }\n\n    /// What a provider",
        "region: string,\n    }\n\n    /// What a provider",
        "at `normalizer.interpret`, result → done → events → contact → keys → phone → region, the plugin has a string, the contract the option",
    );
    types(
        "custom(string),",
        "custom(string),\n        review(string),",
        "at `normalizer.interpret`, result → done → events → payload, the plugin's variant `payload` has the case `review`, which the contract has not",
    );
    types("skip(string),", "skip,", "at `normalizer.interpret`, result → skip, the contract's case has a value");
    types(
        "        inbound,",
        "        incoming,",
        "at `normalizer.interpret`, result → done → events → payload → message → direction, the plugin's enum `direction` has no case `inbound`, but `incoming`, which the contract has not",
    );
    types(
        "        code: string,\n        /// Title.\n        title: option<string>,",
        "        title: option<string>,\n        code: string,",
        "at `normalizer.interpret`, result → done → events → payload → status → errors, the plugin's record `provider-error` has its fields in another order",
    );
}

#[test]
fn a_component_with_other_functions_is_told_which() {
    let world = |from: &str, to: &str, misfit: &str| check(TYPES, &changed(WORLD, from, to), misfit);
    world(
        "    log: func(level: level, message: string);",
        "    log: func(level: level, message: string);\n    secret: func(name: string) -> string;",
        "at `host.secret`, the plugin imports a function that the host has not; it has `log`",
    );
    world(
        "items: list<item>)",
        "batch: list<item>)",
        "at `normalizer.interpret`, the plugin has the parameters `connection`, `batch`, the contract `connection`, `items`",
    );
    world(
        "-> list<outcome>",
        "-> option<outcome>",
        "at `normalizer.interpret`, result, the plugin has an option, the contract the list",
    );
    world(
        "items: list<item>) -> list<outcome>",
        "items: list<item>)",
        "at `normalizer.interpret`, result, the contract has one, the plugin has not",
    );
    world("    interpret:", "    explain:", "at `normalizer.interpret`, the plugin exports nothing");
}

#[test]
fn a_component_of_a_version_that_is_not_spoken_is_told_which_are() {
    let later = [TYPES, WORLD].map(|file| file.replace("@0.1.0", "@1.0.0"));
    assert_eq!(
        refusal(&component(&later[0], &later[1])),
        "the plugin hostile was built for tidegate:plugin@1.0.0, and this gateway speaks 0.1: build it again with the SDK 0.1, or use a gateway that speaks its version"
    );
    let other = changed(WORLD, "    export normalizer;", "    export helper;\n")
        .replace("interface normalizer", "interface helper");
    assert_eq!(
        refusal(&component(TYPES, &other)),
        "the plugin hostile exports `tidegate:plugin/helper@0.1.0`, and not tidegate:plugin/normalizer, which every plugin exports: build it for the world `plugin` \
         of a contract that this gateway speaks (0.1), for instance with the SDK 0.1"
    );
}
