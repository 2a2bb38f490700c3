//! Guests for tests: the body of a core module, in text, made into a component like an SDK's.

use crate::component::into_component;
use std::fmt::Write as _;
use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

const WIT: &str = include_str!("../../../../wit/theus.wit");

/// The part of WASI that the tests' guests import.
const WASI: &str = include_str!("wasi.wit");

/// What every guest has: memory, an allocator that never frees, and `$ok`, `$fail` that make a result.
const PRELUDE: &str = r#"
    (import "theus:process/context@0.1.0" "get" (func $get (param i32 i32 i32)))
    (import "theus:process/context@0.1.0" "set" (func $set (param i32 i32 i32 i32)))
    (import "theus:process/context@0.1.0" "remove" (func $remove (param i32 i32) (result i32)))
    (import "theus:process/context@0.1.0" "push" (func $push (param i32 i32 i32 i32) (result i64)))
    (import "theus:process/context@0.1.0" "len" (func $len (param i32 i32 i32)))
    (import "theus:process/context@0.1.0" "keys" (func $keys (param i32 i32 i32 i32 i32 i32 i32)))
    (import "theus:process/context@0.1.0" "read-bytes" (func $read_bytes (param i32 i32 i64 i32 i32)))
    (import "theus:process/log@0.1.0" "write" (func $log (param i32 i32 i32)))
    (import "theus:process/log@0.1.0" "abort" (func $abort (param i32 i32 i32 i32 i32 i32)))
    (import "theus:process/outbox@0.1.0" "send" (func $send (param i32 i32 i32 i32)))
"#;

const ALLOCATOR: &str = r#"
    (global $next (mut i32) (i32.const 16384))
    (func (export "cabi_realloc") (param i32 i32 i32) (param $size i32) (result i32)
        (local $at i32)
        (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
        (global.set $next (i32.add (local.get $at) (local.get $size)))
        (block $fits
            (br_if $fits (i32.le_u (global.get $next) (i32.mul (memory.size) (i32.const 65536))))
            (drop (memory.grow (i32.add (i32.shr_u (local.get $size) (i32.const 16)) (i32.const 1)))))
        (local.get $at))
"#;

const RESULTS: &str = r#"
    (memory (export "memory") 1)
    (func $ok (param $at i32) (param $len i32) (result i32)
        (i32.store8 (i32.const 1024) (i32.const 0))
        (i32.store (i32.const 1028) (local.get $at))
        (i32.store (i32.const 1032) (local.get $len))
        (i32.const 1024))
    (func $fail (param $code i32) (param $code_len i32) (param $message i32) (param $len i32) (result i32)
        (i32.store8 (i32.const 1024) (i32.const 1))
        (i32.store (i32.const 1028) (local.get $code))
        (i32.store (i32.const 1032) (local.get $code_len))
        (i32.store (i32.const 1036) (local.get $message))
        (i32.store (i32.const 1040) (local.get $len))
        (i32.const 1024))
"#;

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
        "(module $guest {PRELUDE} {RESULTS} {ALLOCATOR} {CONTRACT} {definitions})"
    ))
}

/// A guest with an allocator of its own: the body of `cabi_realloc (param i32 i32 i32 i32) (result i32)`.
pub(crate) fn with_allocator(body: &str) -> Vec<u8> {
    component(&format!(
        r#"(module $guest {PRELUDE} {RESULTS} {CONTRACT}
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) {body})
            (func (export "theus:process/processes@0.1.0#run") (param i32 i32 i32 i32) (result i32)
                (call $ok (i32.const 0) (i32.const 0))))"#
    ))
}

/// A guest that imports WASI: `imports` are core imports, `body` is that of `run`.
pub(crate) fn on_wasi(imports: &str, body: &str) -> Vec<u8> {
    component(&format!(
        r#"(module $guest {imports} {PRELUDE} {RESULTS} {ALLOCATOR} {CONTRACT}
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

/// A core module with its component type, as an SDK builds it.
pub(crate) fn core_module(text: &str) -> Vec<u8> {
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
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
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
