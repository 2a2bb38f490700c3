use super::*;
use crate::guest::Guest;
use crate::runtime::tests::guests;
use theus_core::limits::Limits;

/// A core module with a component type, as an SDK leaves it.
fn module(definitions: &str) -> Vec<u8> {
    guests::core_module(&format!(
        r#"(module {definitions} (memory (export "memory") 1)
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8))
            (func (export "theus:process/processes@0.1.0#run") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))"#
    ))
}

#[test]
fn a_component_stays_as_it_is() {
    let component = guests::running("(call $ok (i32.const 0) (i32.const 0))");
    let same = into_component(&component).expect("it is one");
    assert!(matches!(same, Cow::Borrowed(bytes) if bytes == component));
}

#[test]
fn the_contract_section_survives() {
    let line = r#"{\"name\":\"work\",\"summary\":\"\",\"parameters\":[],\"inputs\":[],\"outputs\":[],\"side_effects\":[],\"errors\":[]}"#;
    let core = module(&format!(r#"(@custom "theus:contract" "{line}\n")"#));
    let component = into_component(&core).expect("it makes one");
    let guest = Guest::read(&component, &Limits::default()).expect("it is a guest");
    assert_eq!(guest.contracts[0].name, "work");
    assert!(guest.imports.is_empty(), "it imports what it uses");
}

#[test]
fn the_same_module_makes_the_same_component() {
    let core = module("");
    let once = into_component(&core).expect("it makes one");
    assert_eq!(once, into_component(&core).expect("it makes one"));
}

#[test]
fn foreign_imports_are_named() {
    let core = module(
        r#"(import "env" "Date.now" (func (result f64)))
           (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))"#,
    );
    let error = into_component(&core).expect_err("nobody gives it those");
    let ComponentError::ForeignImports { imports } = &error else {
        panic!("{error}");
    };
    assert_eq!(
        imports,
        &["env.Date.now", "wasi_snapshot_preview1.fd_write"]
    );
    assert_eq!(error.code(), Code::ImportNotGranted);
    assert!(
        error
            .help()
            .is_some_and(|help| help.contains("wasm32-wasip2"))
    );
}

#[test]
fn an_unknown_function_of_a_known_interface_is_unfit() {
    let core = module(r#"(import "theus:process/context@0.1.0" "erase" (func (param i32 i32)))"#);
    let error = into_component(&core).expect_err("there is no such function");
    assert!(matches!(&error, ComponentError::Unfit(_)), "{error}");
    assert!(error.to_string().contains("erase"), "{error}");
}

#[test]
fn what_no_sdk_built_is_refused() {
    for bytes in [&b""[..], b"\0asm", b"\x7fELF"] {
        let error = into_component(bytes).expect_err("it is no wasm");
        assert!(matches!(error, ComponentError::NotWasm), "{error}");
    }
    let error = into_component(b"\0asm\x01\0\0\0").expect_err("it has no type");
    assert!(matches!(error, ComponentError::NoComponentType), "{error}");
    let core = module("");
    let error = into_component(&core[..core.len() - 10]).expect_err("it is cut");
    assert!(matches!(error, ComponentError::Malformed(_)), "{error}");
}

#[test]
fn a_component_type_that_lies_is_refused() {
    for section in ["", r"\00asm", r"\00asm\0d\00\01\00", r"\ff\ff\ff\ff"] {
        let text = format!(r#"(module (@custom "component-type" "{section}"))"#);
        let core = wat::parse_str(&text).expect("valid text");
        assert!(into_component(&core).is_err(), "{section}");
    }
}

#[test]
fn every_flipped_byte_is_an_answer() {
    let mut core = module("");
    for at in 0..core.len() {
        core[at] ^= 0xff;
        let _ = into_component(&core);
        core[at] ^= 0xff;
    }
}
