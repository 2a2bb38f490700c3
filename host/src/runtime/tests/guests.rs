//! Guests for tests: the body of a core module, in text, made into a component like an SDK's.

use crate::component::into_component;
use std::fmt::Write as _;
use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

const WIT: &str = include_str!("../../../../wit/theus.wit");

/// The part of WASI that the tests' guests import.
const WASI: &str = include_str!("wasi.wit");

// The parts that the hostile guests have as well.
const IMPORTS: &str = include_str!("../../../../guests/hostile/imports.wat");

const ALLOCATOR: &str = include_str!("../../../../guests/hostile/allocator.wat");

const RESULTS: &str = include_str!("../../../../guests/hostile/results.wat");

const CONTRACT: &str = r#"
    (@custom "theus:contract" "{\"name\":\"work\",\"summary\":\"\",\"parameters\":[],\"inputs\":[\"domain\"],\"outputs\":[\"domain\"],\"side_effects\":[],\"errors\":[\"Known\"]}\n")
"#;

/// A guest whose `run` has this body, with `$process $process_len $args $args_len` as parameters.
pub(crate) fn running(body: &str) -> Vec<u8> {
    with_module(&format!(
        r#"(func $run (export "theus:process/processes@0.1.0#run")
            (param $process i32) (param $process_len i32) (param $args i32) (param $args_len i32) (result i32)
            {body})"#
    ))
}

/// A guest with these definitions, which export `run`.
pub(crate) fn with_module(definitions: &str) -> Vec<u8> {
    component(&format!(
        "(module $guest {IMPORTS} {RESULTS} {ALLOCATOR} {CONTRACT} {definitions})"
    ))
}

/// A guest with an allocator of its own: the body of `cabi_realloc (param i32 i32 i32 i32) (result i32)`.
pub(crate) fn with_allocator(body: &str) -> Vec<u8> {
    component(&format!(
        r#"(module $guest {IMPORTS} {RESULTS} {CONTRACT}
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) {body})
            (func (export "theus:process/processes@0.1.0#run") (param i32 i32 i32 i32) (result i32)
                (call $ok (i32.const 0) (i32.const 0))))"#
    ))
}

/// A guest that imports WASI: `imports` are core imports, `body` is that of `run`.
pub(crate) fn on_wasi(imports: &str, body: &str) -> Vec<u8> {
    component(&format!(
        r#"(module $guest {imports} {IMPORTS} {RESULTS} {ALLOCATOR} {CONTRACT}
            (func $run (export "theus:process/processes@0.1.0#run")
                (param $process i32) (param $process_len i32) (param $args i32) (param $args_len i32) (result i32)
                {body}))"#
    ))
}

/// The component of a whole core module.
pub(crate) fn component(module: &str) -> Vec<u8> {
    into_component(&core_module(module))
        .expect("the test's module makes a component")
        .into_owned()
}

/// A guest with this body, as [`running`], that passes its texts in UTF-16.
pub(crate) fn running_in_utf16(body: &str) -> Vec<u8> {
    let module = format!(
        r#"(module $guest {IMPORTS} {RESULTS} {ALLOCATOR} {CONTRACT}
            (func $run (export "theus:process/processes@0.1.0#run")
                (param $process i32) (param $process_len i32) (param $args i32) (param $args_len i32) (result i32)
                {body}))"#
    );
    into_component(&core_module_passing(&module, StringEncoding::UTF16))
        .expect("the test's module makes a component")
        .into_owned()
}

/// A core module with its component type, as an SDK builds it.
pub(crate) fn core_module(text: &str) -> Vec<u8> {
    core_module_passing(text, StringEncoding::UTF8)
}

fn core_module_passing(text: &str, texts: StringEncoding) -> Vec<u8> {
    let mut module = wat::parse_str(text).expect("the test's module is valid text");
    let mut resolve = Resolve::default();
    resolve
        .push_str("theus.wit", WIT)
        .expect("wit/theus.wit is valid");
    let package = resolve
        .push_str("wasi.wit", WASI)
        .expect("the test's WIT is valid");
    let world = resolve
        .select_world(&[package], Some("guest"))
        .expect("the test's WIT has the world");
    embed_component_metadata(&mut module, &resolve, world, texts)
        .expect("the type fits into the module");
    module
}

/// Data at `at`, as a text literal of a module.
pub(crate) fn data(at: u32, bytes: &[u8]) -> String {
    let mut text = format!("(data (i32.const {at}) \"");
    for byte in bytes {
        write!(text, "\\{byte:02x}").expect("a string takes any text");
    }
    text + "\")"
}
