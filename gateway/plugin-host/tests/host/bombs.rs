//! Components that are made to cost the host more than they should when they are loaded: refused before they are compiled, or compiled within bounds.

use crate::support::{MANIFEST, host};
use tidegate_plugin_host::embed;
use wasm_encoder::{
    CodeSection, Component, ConstExpr, DataSection, Function, FunctionSection, InstructionSink, MemorySection,
    MemoryType, Module, ModuleSection, NestedComponentSection, RawSection, RefType, TableSection, TableType,
    TypeSection, ValType,
};

/// A component with these modules.
fn of(modules: &[Module]) -> Vec<u8> {
    let mut component = Component::new();
    modules.iter().for_each(|module| {
        component.section(&ModuleSection(module));
    });
    embed(&component.finish(), MANIFEST).unwrap()
}

/// A module whose functions all have these locals and this body.
fn functions(count: u32, locals: u32, body: impl Fn(&mut InstructionSink<'_>)) -> Module {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let (mut declared, mut code) = (FunctionSection::new(), CodeSection::new());
    for _ in 0..count {
        declared.function(0);
        let mut function = Function::new([(locals, ValType::I64)]);
        body(&mut function.instructions());
        function.instructions().end();
        code.function(&function);
    }
    let mut module = Module::new();
    module.section(&types).section(&declared).section(&code);
    module
}

fn nested(depth: usize) -> Component {
    let mut component = Component::new();
    if depth > 0 {
        component.section(&NestedComponentSection(&nested(depth - 1)));
    }
    component
}

fn check(component: &[u8], expected: &str) {
    let error = host().load(component).unwrap_err().to_string();
    assert!(error.contains(expected), "{}", error.chars().take(400).collect::<String>());
}

#[test]
fn what_would_cost_too_much_is_not_compiled() {
    let nops = |count: usize| {
        move |code: &mut InstructionSink<'_>| {
            for _ in 0..count {
                code.nop();
            }
        }
    };
    check(&of(&[functions(150_001, 0, nops(0))]), "it has 150001 functions, and 150000 is the most");
    check(&of(&[functions(1, 0, nops(600 << 10))]), "bytes in one function, and 524288 is the most");
    check(&of(&[functions(1, 10_001, nops(0))]), "it has 10001 local variables in one function, and 10000 is the most");
    check(&of(&[functions(70, 0, nops(500_000))]), "bytes of code, and 33554432 is the most");
    check(
        &embed(&nested(200).finish(), MANIFEST).unwrap(),
        "it has 9 levels of modules in components, and 8 is the most",
    );
    let empty: Vec<Module> = (0..513).map(|_| Module::new()).collect();
    check(&of(&empty), "it has 513 modules and components, and 512 is the most");
    let mut types = TypeSection::new();
    (0..500_001).for_each(|_| types.ty().function([], []));
    let mut module = Module::new();
    module.section(&types);
    check(&of(&[module]), "types, imports, exports and other entries, and 500000 is the most");
}

#[test]
fn a_section_that_claims_more_than_it_holds_is_refused() {
    for id in [1, 2, 3, 6, 7, 9, 10, 11] {
        let mut module = Module::new();
        // Four thousand million entries in no bytes.
        module.section(&RawSection { id, data: &[0xff, 0xff, 0xff, 0xff, 0x0f] });
        let error = host().load(&of(&[module])).unwrap_err().to_string();
        assert!(error.starts_with("the plugin hostile is not compiled: "), "section {id}: {error}");
    }
    let mut component = Component::new();
    for _ in 0..600_000 {
        component.section(&wasm_encoder::ComponentTypeSection::new());
    }
    check(&embed(&component.finish(), MANIFEST).unwrap(), "and other entries, and 500000 is the most");
}

#[test]
fn a_file_of_64_mebibytes_is_the_most() {
    let mut data = DataSection::new();
    data.active(0, &ConstExpr::i32_const(0), vec![7; 65 << 20]);
    let mut module = Module::new();
    let mut memory = MemorySection::new();
    memory.memory(MemoryType { minimum: 1_100, maximum: None, memory64: false, shared: false, page_size_log2: None });
    module.section(&memory).section(&data);
    check(&of(&[module]), "bytes, and 67108864 is the most");
}

#[test]
fn memories_and_tables_that_are_large_from_the_start_are_refused() {
    let mut memory = MemorySection::new();
    memory.memory(MemoryType { minimum: 4_096, maximum: None, memory64: false, shared: false, page_size_log2: None });
    let mut module = Module::new();
    module.section(&memory);
    check(&of(&[module]), "the plugin hostile does not compile: ");
    let mut tables = TableSection::new();
    let funcref =
        TableType { element_type: RefType::FUNCREF, minimum: 1 << 20, maximum: None, table64: false, shared: false };
    tables.table(funcref);
    let mut module = Module::new();
    module.section(&tables);
    check(&of(&[module]), "the plugin hostile does not compile: ");
}

#[test]
fn a_function_as_large_as_may_be_is_compiled() {
    // Every local is written and read in many blocks: what a compiler's register allocation likes least.
    const BLOCKS: u32 = 400;
    let module = functions(1, 2_000, |code| {
        for block in 0..BLOCKS {
            code.block(wasm_encoder::BlockType::Empty);
            for local in 0..8 {
                let local = (block * 31 + local * 251) % 2_000;
                code.local_get(local).i64_const(1).i64_add().local_tee((local + 1) % 2_000).i64_eqz().br_if(0);
            }
            code.end();
        }
    });
    check(&of(&[module]), "exports nothing, and not tidegate:plugin/normalizer");
}
