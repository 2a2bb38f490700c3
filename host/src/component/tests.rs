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

/// What says its type is a component for the encoder's parser, which reads types inside one another by recursion.
#[test]
fn a_component_type_that_no_parser_survives_is_refused() {
    let mut types = vec![1_u8];
    for _ in 0..100_000 {
        types.extend([0x42, 1, 1]);
    }
    types.push(0x7f);
    let mut ty = b"\0asm\x0d\0\x01\0\x07".to_vec();
    wasm_encoder::Encode::encode(&types[..], &mut ty);
    let section = CustomSection {
        name: "component-type:guest".into(),
        data: ty.into(),
    };
    let mut core = module("");
    section.append_to(&mut core);
    for made in [
        into_component(&core).map(Cow::into_owned),
        componentize(&core, &[]),
    ] {
        let error = made.expect_err("it is refused");
        assert!(
            error.to_string().contains("types inside one another"),
            "{error}"
        );
    }
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
    let ComponentError::ForeignImports { imports, language } = &error else {
        panic!("{error}");
    };
    assert_eq!(
        imports,
        &["env.Date.now", "wasi_snapshot_preview1.fd_write"]
    );
    assert_eq!(*language, Some(Language::AssemblyScript));
    assert_eq!(error.code(), Code::ImportNotGranted);
    assert!(error.help().is_some_and(|help| help.contains("wasi-shim")));
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

fn contracts(lines: &str) -> Vec<Contract> {
    Contract::parse_section(lines.as_bytes()).expect(lines)
}

/// A core module as a compiler leaves it that knows nothing of components.
fn plain(definitions: &str) -> Vec<u8> {
    let text = format!(
        r#"(module {definitions} (memory (export "memory") 1)
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8))
            (func (export "theus:process/processes@0.1.0#run") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))"#
    );
    wat::parse_str(&text).expect("valid text")
}

/// A `producers` section that names one program.
fn produced_by(program: &str) -> String {
    let (field, length) = ("processed-by", program.len());
    format!(
        r#"(@custom "producers" "\01\{:02x}{field}\01\{length:02x}{program}\011")"#,
        field.len()
    )
}

#[test]
fn any_compilers_module_becomes_a_guest() {
    let wanted = contracts("{\"name\":\"work\",\"inputs\":[\"domain.a\"]}\n{\"name\":\"rest\"}");
    let get = r#"(import "theus:process/context@0.1.0" "get" (func (param i32 i32 i32)))"#;
    let component = componentize(&plain(get), &wanted).expect("it makes one");
    let guest = Guest::read(&component, &Limits::default()).expect("it is a guest");
    assert_eq!(guest.contracts, wanted);
    assert_eq!(guest.imports, ["theus:process/context@0.1.0"]);
    assert_eq!(
        componentize(&plain(get), &wanted).expect("again"),
        component
    );
    // Neither to a component nor to a typed module is anything added that is there.
    assert_eq!(
        componentize(&component, &wanted).expect("it is one"),
        component
    );
    let reversed: Vec<_> = wanted.iter().rev().cloned().collect();
    assert_eq!(
        componentize(&component, &reversed).expect("the same"),
        component
    );
    let typed = componentize(&module(""), &wanted).expect("it makes one");
    assert!(Guest::read(&typed, &Limits::default()).is_ok());
    // To a component without contracts they are added.
    let bare = into_component(&module(""))
        .expect("it makes one")
        .into_owned();
    let with = componentize(&bare, &wanted).expect("they are added");
    let guest = Guest::read(&with, &Limits::default()).expect("it is a guest");
    assert_eq!(guest.contracts, wanted);
}

#[test]
fn contracts_that_differ_are_named() {
    let there = componentize(&plain(""), &contracts("{\"name\":\"a\"}\n{\"name\":\"b\"}"));
    let there = there.expect("it makes one");
    for (lines, expected) in [
        ("{\"name\":\"a\"}", "file does: `b`"),
        (
            "{\"name\":\"a\",\"errors\":[\"E\"]}\n{\"name\":\"b\"}",
            "file does: `a`",
        ),
        ("{\"name\":\"c\"}", "file does: `a`, `b`, `c`"),
    ] {
        let error = componentize(&there, &contracts(lines)).expect_err(lines);
        assert_eq!(error.code(), Code::ContractFile);
        assert!(error.to_string().ends_with(expected), "{lines}: {error}");
    }
    let malformed = plain(r#"(@custom "theus:contract" "{")"#);
    let error = componentize(&malformed, &contracts("{\"name\":\"a\"}")).expect_err("malformed");
    assert_eq!(error.code(), Code::ContractMalformed);
}

#[test]
fn what_a_module_has_to_change_is_said() {
    let wasi = r#"(import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))"#;
    let write = r#"(import "theus:process/log@0.1.0" "write" (func $write (param i32 i32 i32)))
        (func $main (call $inner)) (func $inner (call $write (i32.const 0) (i32.const 0) (i32.const 0)))"#;
    for (definitions, message, help) in [
        (
            format!("{wasi} {}", produced_by("Debian clang")),
            "wasi_snapshot_preview1.fd_write",
            "wasi-sdk",
        ),
        (
            format!("{wasi} {}", produced_by("rustc")),
            "wasi_snapshot_preview1.fd_write",
            "wasm32-wasip1",
        ),
        (
            format!("{wasi} {}", produced_by("TinyGo")),
            "wasi_snapshot_preview1.fd_write",
            "tinygo",
        ),
        (
            r#"(import "env" "Date.now" (func (result f64)))"#.to_owned(),
            "env.Date.now",
            "as an argument",
        ),
        (
            r#"(import "env" "abort" (func (param i32 i32 i32 i32)))"#.to_owned(),
            "env.abort",
            "transform",
        ),
        (
            format!("{write} (start $main)"),
            "`theus:process/log@0.1.0.write`",
            "_initialize",
        ),
    ] {
        let error = componentize(&plain(&definitions), &[]).expect_err(&definitions);
        assert!(error.to_string().contains(message), "{error}");
        let found = error.help().expect("a remedy");
        assert!(found.contains(help), "{message}: {found}");
    }
    // A start function that calls nobody, and a call of the host that no start function makes, are nobody's trouble.
    for definitions in [write.to_owned(), "(func $main) (start $main)".to_owned()] {
        assert!(
            componentize(&plain(&definitions), &[]).is_ok(),
            "{definitions}"
        );
    }
    let empty = wat::parse_str(r#"(module (memory (export "memory") 1))"#).expect("valid text");
    let error = componentize(&empty, &[]).expect_err("it exports nothing");
    let expected =
        "the core module does not export `cabi_realloc`, `theus:process/processes@0.1.0#run`";
    assert_eq!(error.to_string(), expected);
    assert!(matches!(
        componentize(b"\x7fELF", &[]),
        Err(ComponentError::NotWasm)
    ));
}

#[test]
fn every_flipped_byte_of_a_plain_module_is_an_answer() {
    let wanted = contracts("{\"name\":\"a\"}");
    let mut core = plain("(func $main) (start $main)");
    for at in 0..core.len() {
        core[at] ^= 0xff;
        let _ = componentize(&core, &wanted);
        core[at] ^= 0xff;
    }
}
