//! Guests written by hand, in WebAssembly's text form.

use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

const WIT: &str = include_str!("../../wit/theus.wit");

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
    let mut module = wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}"));
    let mut resolve = Resolve::default();
    let package = resolve
        .push_str("theus.wit", WIT)
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
