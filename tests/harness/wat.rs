//! Guests written by hand, in WebAssembly's text form.

use std::fs;
use std::path::Path;
use theus_host::Limits;
use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

const WIT: &str = include_str!("../../wit/theus.wit");
const IMPORTS: &str = include_str!("../../guests/hostile/imports.wat");
const RESULTS: &str = include_str!("../../guests/hostile/results.wat");
const PROCESSES: &str = include_str!("../../guests/hostile/processes.wat");
const ALLOCATOR: &str = include_str!("../../guests/hostile/allocator.wat");

const WASI: &str = include_str!("../../host/src/runtime/tests/wasi.wit");

/// A core module as an SDK leaves it: with its component type, and a process that returns nil.
///
/// `definitions` are further ones, such as custom sections and imports.
pub(crate) fn core_module(definitions: &str) -> Vec<u8> {
    core_module_that_returns(0xc0, definitions)
}

/// The same, with a process that returns this one byte.
pub(crate) fn core_module_that_returns(byte: u8, definitions: &str) -> Vec<u8> {
    let result = format!(
        r#"(data (i32.const 1024) "\00\00\00\00\10\04\00\00\01\00\00\00\00\00\00\00\{byte:02x}")"#
    );
    core_module_with("(i32.const 1024)", &format!("{definitions} {result}"))
}

/// The same, with a process that does this and leaves the address of its result.
pub(crate) fn core_module_with(body: &str, definitions: &str) -> Vec<u8> {
    let text = format!(
        r#"(module {definitions}
            (memory (export "memory") 1)
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8192))
            (func (export "theus:process/processes@0.1.0#run") (param i32 i32 i32 i32) (result i32) {body}))"#
    );
    typed(&text)
}

/// A core module in text form with the type of a component that has the world of a guest, and some of WASI to import.
pub(crate) fn typed(text: &str) -> Vec<u8> {
    let mut module = wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"));
    let mut resolve = Resolve::default();
    resolve
        .push_str("theus.wit", WIT)
        .expect("the WIT is valid");
    let package = resolve
        .push_str("wasi.wit", WASI)
        .expect("the WIT is valid");
    let world = resolve
        .select_world(&[package], Some("guest"))
        .expect("the WIT has the world");
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
        .expect("the type fits into the module");
    module
}

/// A custom section with contracts, as text of a module.
pub(crate) fn contract_section(contracts: &str) -> String {
    let escaped = contracts
        .replace('\\', "\\5c")
        .replace('"', "\\22")
        .replace('\n', "\\0a");
    format!("(@custom \"theus:contract\" \"{escaped}\")")
}

/// A component in text form, with the export that a guest has.
///
/// Enough for everything that is refused before its code is compiled.
pub(crate) fn component(definitions: &str) -> Vec<u8> {
    let text = format!(
        r#"(component {definitions}
            (instance $none) (export "theus:process/processes@0.1.0" (instance $none)))"#
    );
    wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}"))
}

/// A hostile guest, as bytes: a core module, or a component where the attack needs one made by hand.
pub(crate) fn hostile(folder: &str) -> Vec<u8> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../guests/hostile")).join(folder);
    let read = |name| fs::read_to_string(folder.join(name)).expect(name);
    let (guest, contract) = (read("guest.wat"), contract_section(&read("contract.json")));
    let allocator = if guest.contains("cabi_realloc") {
        ""
    } else {
        ALLOCATOR
    };
    if guest.contains("(core module") {
        let text = format!("(component {guest} {PROCESSES} {contract})");
        return wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}"));
    }
    typed(&format!(
        "(module $guest {IMPORTS} {guest} {RESULTS} {allocator} {contract})"
    ))
}

/// A guest with as much of everything as these limits let through: size, functions, branches, types, memory, tables,
/// processes.
pub(crate) fn at_every_limit(limits: &Limits) -> Vec<u8> {
    const TYPES: usize = 19_000;
    // What stands beside the code: types, contracts, the component around it.
    const BESIDE: u64 = 110_000;
    const LARGEST_FUNCTION: u64 = 1_000_000;
    // The compiler's work goes with the square of a function's branches; 32 of them are allowed per byte of the limit.
    let branches = (limits.component_bytes * 31).isqrt();
    let mut code = format!("(func {})", "block end ".repeat(branches as usize));
    let mut left = limits.component_bytes - branches * 3 - BESIDE;
    let step = "(local.set 0 (i32.add (local.get 0) (i32.const 1)))";
    while left > 0 {
        let bytes = left.min(LARGEST_FUNCTION);
        code += &format!("(func (local i32) {})", step.repeat(bytes as usize / 7));
        left -= bytes;
    }
    let contracts: String = (0..256)
        .map(|it| format!("{{\"name\":\"p{it}\"}}\n"))
        .collect();
    let types = "(type (func (param i32)))".repeat(TYPES);
    let tables = limits.tables - 1;
    let elements = limits.table_elements - tables;
    let pages = limits.memory_bytes >> 16;
    typed(&format!(
        r#"(module $guest {types} {} {} (table {elements} funcref)
            (memory (export "memory") {pages})
            (data (i32.const 1024) "\00\00\00\00\10\04\00\00\01\00\00\00\00\00\00\00\c0")
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8192))
            (func (export "theus:process/processes@0.1.0#run") (param i32 i32 i32 i32) (result i32)
                (i32.const 1024))
            {code})"#,
        contract_section(&contracts),
        "(table 1 funcref)".repeat(tables as usize),
    ))
}
