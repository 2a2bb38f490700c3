use super::*;
use crate::runtime::tests::guests;
use theus_core::limits::Limits;
use wasm_encoder::{
    CodeSection, Encode as _, Function, FunctionSection, Instruction, Module, TypeSection, ValType,
};

const OK: &str = "(call $ok (i32.const 0) (i32.const 0))";
const LINE: &str = r#"{\"name\":\"work\",\"summary\":\"\",\"parameters\":[],\"inputs\":[],\"outputs\":[],\"side_effects\":[],\"errors\":[]}\n"#;

fn read(bytes: &[u8]) -> Result<Guest, GuestError> {
    Guest::read(bytes, &Limits::default())
}

/// A component in text, with the export that a guest must have and whatever else.
fn text(more: &str) -> Vec<u8> {
    let text = format!(
        r#"(component {more} (instance $none) (export "theus:process/processes@0.1.0" (instance $none)))"#
    );
    wat::parse_str(&text).expect("the test's component is valid text")
}

fn contract(sections: &str) -> Vec<u8> {
    text(&sections.replace("LINE", LINE))
}

#[test]
fn reads_what_a_guest_is() {
    let component = guests::running(OK);
    let guest = read(&component).expect("it is a guest");
    assert_eq!(guest.size, component.len() as u64);
    assert_eq!(guest.digest.len(), "sha256:".len() + 64);
    assert!(guest.digest.starts_with("sha256:"));
    assert_eq!(
        guest.imports,
        [
            "theus:process/context@0.1.0",
            "theus:process/log@0.1.0",
            "theus:process/outbox@0.1.0",
        ]
    );
    assert_eq!(guest.exports, ["theus:process/processes@0.1.0"]);
    assert_eq!(guest.contracts.len(), 1);
    assert_eq!(guest.contracts[0].name, "work");
}

#[test]
fn the_digest_is_that_of_the_bytes() {
    assert_eq!(
        digest(b"abc"),
        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
}

#[test]
fn size_is_checked_first() {
    let limits = Limits {
        component_bytes: 3,
        ..Limits::default()
    };
    let Err(GuestError::Limit(exceeded)) = Guest::read(b"long", &limits) else {
        panic!("it is read");
    };
    assert_eq!(
        (exceeded.limit, exceeded.asked),
        (Limit::ComponentBytes, Some(4))
    );
}

#[test]
fn what_is_no_component_is_refused() {
    for bytes in [&b""[..], b"\0asm", b"#!/bin/sh\n", b"\0asm\x01\0\0\x01"] {
        let error = read(bytes).expect_err("it is no wasm");
        assert!(
            matches!(error, GuestError::Component(ComponentError::NotWasm)),
            "{error}"
        );
        assert_eq!(error.code(), Code::NotAGuest);
    }
    assert!(matches!(
        read(b"\0asm\x01\0\0\0"),
        Err(GuestError::CoreModule)
    ));
    let cut = &guests::running(OK)[..200];
    assert!(matches!(read(cut), Err(GuestError::Malformed(_))));
}

#[test]
fn wasi_is_granted_and_nothing_else() {
    for (import, granted) in [
        ("theus:process/context@0.1.0", true),
        ("theus:process/log@0.1.7", true),
        ("theus:process/outbox@0.1.0", true),
        ("theus:process/context@0.2.0", false),
        ("theus:process/context", false),
        ("theus:process/files@0.1.0", false),
        ("wasi:io/streams@0.2.3", true),
        ("wasi:sockets/tcp@0.2.0", true),
        ("wasi:http/outgoing-handler@0.2.0", false),
        ("wasi:cli/run@0.3.0", false),
        ("wasi:cli/environment", false),
        ("other:service/secrets@1.0.0", false),
        ("env", false),
    ] {
        assert_eq!(ImportKind::of(import).is_some(), granted, "{import}");
        let component = contract(&format!(
            r#"(import "{import}" (instance)) (@custom "theus:contract" "LINE")"#
        ));
        match read(&component) {
            Ok(guest) => assert!(granted && guest.imports == [import]),
            Err(error @ GuestError::ImportNotGranted { .. }) => {
                assert!(!granted);
                assert_eq!(error.code(), Code::ImportNotGranted);
                assert!(error.to_string().contains(import), "{error}");
            }
            Err(error) => panic!("{import}: {error}"),
        }
    }
}

#[test]
fn every_import_that_is_refused_is_named_with_what_to_do() {
    let component = contract(
        r#"(import "wasi:http/types@0.2.0" (instance)) (import "theus:process/log@0.1.0" (instance))
           (import "wasi:cli/run@0.3.0" (instance)) (import "theus:process/contxt@0.1.0" (instance))
           (@custom "theus:contract" "LINE")"#,
    );
    let error = read(&component).expect_err("three are not given");
    assert_eq!(
        error.to_string(),
        "the component imports `theus:process/contxt@0.1.0`, `wasi:cli/run@0.3.0`, `wasi:http/types@0.2.0`, which are not granted"
    );
    let help = error.help().expect("help");
    for part in [
        "`theus:process/contxt@0.1.0`: did you mean `theus:process/context`?",
        "`wasi:cli/run@0.3.0`: build the guest for wasm32-wasip2",
        "`wasi:http/types@0.2.0`: a guest has no network",
    ] {
        assert!(help.contains(part), "{help}");
    }
    let one = contract(
        r#"(import "theus:process/context@0.2.0" (instance)) (@custom "theus:contract" "LINE")"#,
    );
    let error = read(&one).expect_err("another version");
    assert_eq!(
        error.to_string(),
        "the component imports `theus:process/context@0.2.0`, which is not granted"
    );
    let help = error.help().expect("help");
    assert!(
        help.starts_with("build the guest with an SDK of this version"),
        "{help}"
    );
}

#[test]
fn imports_say_what_they_are() {
    for (import, expected) in [
        ("theus:process/outbox@0.1.7", Some(ImportKind::World)),
        (
            "wasi:io/poll@0.2.3",
            Some(ImportKind::VirtualWasi { real_with: None }),
        ),
        (
            "wasi:clocks/wall-clock@0.2.0",
            Some(ImportKind::VirtualWasi {
                real_with: Some("clock"),
            }),
        ),
        ("wasi:io/poll@0.3.0", None),
    ] {
        assert_eq!(ImportKind::of(import), expected, "{import}");
    }
}

#[test]
fn the_export_is_required() {
    let component = wat::parse_str("(component)").expect("valid text");
    assert!(matches!(read(&component), Err(GuestError::ExportMissing)));
}

#[test]
fn the_contract_section_is_found_wherever_it_stands() {
    for sections in [
        r#"(@custom "theus:contract" "LINE")"#,
        r#"(core module (@custom "theus:contract" "LINE"))"#,
        r#"(component (core module (@custom "theus:contract" "\nLINE\n")))"#,
        r#"(core module (@custom "theus:contract" "LINE")) (core module (@custom "theus:contract" " \n"))"#,
        r#"(@custom "theus:contract" "") (core module (@custom "theus:contract" "LINE"))"#,
    ] {
        let guest = read(&contract(sections)).unwrap_or_else(|error| panic!("{sections}: {error}"));
        assert_eq!(guest.contracts.len(), 1, "{sections}");
    }
}

#[test]
fn contract_sections_that_are_not_one_are_refused() {
    let missing = [
        "",
        r#"(@custom "theus:contract" "")"#,
        r#"(@custom "other" "LINE")"#,
    ];
    for sections in missing {
        let error = read(&contract(sections)).expect_err(sections);
        assert!(matches!(error, GuestError::ContractMissing), "{error}");
    }
    for sections in [
        r#"(@custom "theus:contract" "LINE") (core module (@custom "theus:contract" "LINE"))"#,
        r#"(core module (@custom "theus:contract" "LINE")) (core module (@custom "theus:contract" "LINE"))"#,
    ] {
        let error = read(&contract(sections)).expect_err(sections);
        assert!(matches!(error, GuestError::ContractDuplicate), "{error}");
    }
    for sections in [
        r#"(@custom "theus:contract" "LINELINE")"#,
        r#"(@custom "theus:contract" "LINE") (@custom "theus:contract" "LINE")"#,
        r#"(@custom "theus:contract" "[]")"#,
        r#"(@custom "theus:contract" "\ff")"#,
    ] {
        let error = read(&contract(sections)).expect_err(sections);
        assert!(matches!(error, GuestError::Contract(_)), "{error}");
        assert_eq!(error.code(), Code::ContractMalformed);
    }
}

#[test]
fn a_huge_contract_section_is_refused() {
    let line = "x".repeat(contract::MAX_SECTION_BYTES / 2);
    let section = format!(r#"(@custom "theus:contract" "{line}")"#);
    let error = read(&text(&section.repeat(3))).expect_err("it is too large");
    assert!(matches!(error, GuestError::Contract(_)), "{error}");
}

#[test]
fn shapes_that_only_cost_are_refused() {
    let nested = |levels: usize| format!("{}{}", "(component ".repeat(levels), ")".repeat(levels));
    let imports: String = (0..300)
        .map(|it| format!(r#"(import "theus:process/log@0.1.{it}" (instance))"#))
        .collect();
    let exports: String = (0..300)
        .map(|it| format!(r#"(export "a{it}" (instance $empty))"#))
        .collect();
    let function = |body: &str| format!("(core module (table 1 funcref) (func {body}))");
    let loops = |deep: usize| function(&format!("{}{}", "loop ".repeat(deep), "end ".repeat(deep)));
    let calls = "i32.const 0 call_indirect ";
    let bytes = format!("(core module (func {}))", "nop ".repeat(1_100_000));
    for (what, component) in [
        ("levels of nesting", nested(8)),
        (
            "modules and components",
            "(core module) (component)".repeat(40),
        ),
        ("imports", imports),
        ("exports", format!("(instance $empty) {exports}")),
        ("types", "(type (list u8))".repeat(20_001)),
        ("component instances", {
            let each = "(instance (instantiate $c))".repeat(21);
            format!("(component $c) {each}")
        }),
        ("core instances", {
            let each = "(core instance (instantiate $m))".repeat(65);
            format!("(core module $m) {each}")
        }),
        ("bytes of data in all instances", {
            let data = "x".repeat(1 << 20);
            let each = "(core instance (instantiate $m))".repeat(17);
            format!(r#"(core module $m (memory 32) (data (i32.const 0) "{data}")) {each}"#)
        }),
        ("canonical functions", {
            let each = r#"(core func (canon lower (func $f)))"#.repeat(2_001);
            format!(r#"(component (import "f" (func $f)) {each})"#)
        }),
        (
            "functions",
            format!("(core module {})", "(func)".repeat(100_001)),
        ),
        (
            "branches and values in large functions",
            function(&"block end ".repeat(25_000)),
        ),
        (
            "branches and values in large functions",
            function(&calls.repeat(25_000)),
        ),
        (
            "branches and values in large functions",
            function(&"loop end ".repeat(12_000)),
        ),
        ("types", {
            let group = "(type (func))".repeat(20_001);
            format!("(core module (rec {group}))")
        }),
        (
            "parameters in one function",
            format!("(core module (func (param{})))", " i32".repeat(201)),
        ),
        (
            "results in one function",
            format!(
                "(core module (func (result{}) unreachable))",
                " i32".repeat(201)
            ),
        ),
        ("parameters and results in function types", {
            let each = |it: usize| {
                let kinds = (0..9).map(|bit| if it >> bit & 1 == 1 { " i64" } else { " i32" });
                let kinds: String = kinds.collect();
                format!("(type (func (param{kinds}{})))", " f32".repeat(191))
            };
            let types: String = (0..501).map(each).collect();
            format!("(core module {types})")
        }),
        (
            "bytes in one constant",
            format!(
                "(core module (global i32 i32.const 0 {}))",
                "i32.const 0 i32.add ".repeat(100)
            ),
        ),
        (
            "elements in segments",
            format!(
                "(core module (func) {})",
                format!("(elem func {})", "0 ".repeat(10_000)).repeat(5)
            ),
        ),
        ("loops inside one another", loops(101)),
        ("bytes in one function", bytes),
    ] {
        let error = read(&text(&component)).expect_err(what);
        assert_eq!(error.code(), Code::ComponentTooLarge, "{what}: {error}");
        assert!(error.to_string().contains(what), "{what}: {error}");
    }
}

/// Wherever a module or a component comes from, it costs what one instance of it copies, or more.
#[test]
fn data_is_counted_for_each_instance() {
    let data = "x".repeat(1 << 20);
    let module = |name: &str| {
        format!(
            r#"(core module {name} (memory 32) (data $kept "y") (data (i32.const 0) "{data}"))"#
        )
    };
    let once = "(core instance (instantiate $m))";
    let nested = format!("(component $c {} {once})", module("$m"));
    let cases = |times: usize| {
        let (modules, components) = (
            once.repeat(times),
            "(instance (instantiate $c))".repeat(times),
        );
        [
            format!("{} {modules}", module("$m")),
            format!("{nested} {components}"),
            format!("{} (component $c (alias outer 1 0 (core module $m)) {modules}) (instance (instantiate $c))", module("$o")),
            format!(
                "(component $c (import \"m\" (core module $m)) {modules}) {}
                (instance (instantiate $c (with \"m\" (core module $o))))",
                module("$o")
            ),
            format!(
                "(component $from {} (export \"m\" (core module $m))) (instance $i (instantiate $from))
                (alias export $i \"m\" (core module $m)) {modules}",
                module("$m")
            ),
            format!(
                "(component $c {} (export $m \"m\" (core module $o)) {modules}) (instance (instantiate $c))",
                module("$o")
            ),
        ]
    };
    let imported = r#"(component $c (import "c" (component $a)) (instance (instantiate $a)) (instance (instantiate $a)))"#;
    let error = read(&text(imported)).expect_err("it may copy too much");
    assert!(
        error.to_string().contains("bytes of data in all instances"),
        "{error}"
    );
    for (few, many) in cases(15).iter().zip(&cases(17)) {
        let few = read(&text(few)).expect_err("it has no contract");
        assert!(matches!(few, GuestError::ContractMissing), "{few}");
        let error = read(&text(many)).expect_err("it copies too much");
        assert!(
            error.to_string().contains("bytes of data in all instances"),
            "{error}"
        );
    }
}

/// Between two of them the runtime would copy texts and lists without fuel, and to the end.
#[test]
fn one_component_of_a_guest_takes_texts() {
    let takes = |name: &str, ty: &str, lift: &str| {
        format!(
            r#"(component {name}
                (core module $m (memory (export "memory") 1) (func (export "take") (param i32 i32))
                    (func (export "count") (param i32))
                    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0)))
                (core instance $i (instantiate $m))
                (func (export "it") (param "it" {ty}) (canon lift {lift})))"#
        )
    };
    let text = takes(
        "$t",
        "string",
        r#"(core func $i "take") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))"#,
    );
    let number = takes("$n", "u32", r#"(core func $i "count")"#);
    let one = "(instance (instantiate $t))";
    for fits in [
        format!("{text} {one}"),
        format!("{text} {number} {one} (instance (instantiate $n)) (instance (instantiate $n))"),
        format!("(component {text} {one})"),
    ] {
        let error = read(&self::text(&fits)).expect_err("it has no contract");
        assert!(matches!(error, GuestError::ContractMissing), "{error}");
    }
    for more in [
        format!("{text} {one} {one}"),
        format!(
            "{text} {} {one} (instance (instantiate $o))",
            text.replace("$t", "$o")
        ),
        format!("(component $both {text} {one} {one})"),
        format!("(component $t {text} {one}) {one} {one}"),
    ] {
        let error = read(&self::text(&more)).expect_err("texts may pass between them");
        let what = "parts that take or give texts or lists: 2, at most 1";
        assert!(error.to_string().contains(what), "{error}");
    }
}

/// Values that a byte or two stand for, and locals: some of these took the compiler minutes, or gigabytes.
#[test]
fn values_and_locals_weigh_as_branches_do() {
    let values = " i32".repeat(200);
    let types = format!(
        "(type $gives (func (result{values}))) (type $passes (func (param{values}) (result{values})))"
    );
    let (zeroes, drops) = ("i32.const 0 ".repeat(200), "drop ".repeat(200));
    let giving = |call: &str, times: usize| format!("{call} {drops}").repeat(times);
    let passing = |block: &str, times: usize| {
        let blocks = format!("{block} (type $passes) end ").repeat(times);
        format!("{zeroes} {blocks} {drops}")
    };
    let leaving = |branch: &str, times: usize| {
        let branches = format!("i32.const 0 {branch} ").repeat(times);
        format!("block (type $gives) {zeroes} {branches} end {drops}")
    };
    let locals = |count: usize| format!("(local{})", " i32".repeat(count));
    let gives = |times| giving("call $gives", times);
    let gives_by_table = |times| giving("i32.const 0 call_indirect (type $gives)", times);
    let table = |times: usize| leaving(&format!("br_table 0 {}", "0 ".repeat(times)), 1);
    let many_blocks = |count| format!("{} {}", locals(count), "block end ".repeat(5_000));
    let long = |count| format!("{} {}", locals(count), "nop ".repeat(1_000_000));
    for (name, few, many) in [
        ("calls", gives(100), gives(120)),
        ("calls by table", gives_by_table(100), gives_by_table(120)),
        ("blocks", passing("block", 50), passing("block", 60)),
        ("loops", passing("loop", 50), passing("loop", 60)),
        ("branches", leaving("br_if 0", 100), leaving("br_if 0", 120)),
        ("tables of branches", table(100), table(120)),
        (
            "locals in many blocks",
            many_blocks(10_000),
            many_blocks(20_000),
        ),
        ("locals in a long function", long(5_000), long(10_000)),
    ] {
        let module = |body: &str| {
            format!(
                r#"(core module {types} (table 1 funcref) (func $gives (type $gives) unreachable) (func {body}))
                    (@custom "theus:contract" "LINE")"#
            )
        };
        let guest = read(&contract(&module(&few)));
        assert!(guest.is_ok(), "{name}: {:?}", guest.err());
        let error = read(&contract(&module(&many))).expect_err(name);
        let what = "branches and values in large functions";
        assert!(error.to_string().contains(what), "{name}: {error}");
    }
}

/// A component with its contract, and one more section: its number and what is in it.
fn with_section(number: u8, content: &[u8]) -> Vec<u8> {
    let mut component = contract(r#"(@custom "theus:contract" "LINE")"#);
    component.push(number);
    content.encode(&mut component);
    component
}

/// Two bytes declare fifty thousand locals: 200,000 functions of them took the compiler ten minutes. What may be called from
/// outside is compiled once more for it, by its parameters.
#[test]
fn functions_of_many_locals_or_parameters_are_counted() {
    let module = |functions: usize, params: usize, locals: u32| {
        let (mut types, mut section, mut code) = Default::default();
        TypeSection::ty(&mut types).function(vec![ValType::I32; params], []);
        for _ in 0..functions {
            FunctionSection::function(&mut section, 0);
            let mut function = Function::new([(locals, ValType::I64)]);
            function.instruction(&Instruction::End);
            CodeSection::function(&mut code, &function);
        }
        let mut module = Module::new();
        module.section(&types).section(&section).section(&code);
        with_section(1, module.as_slice())
    };
    for (few, many, params, locals) in [(5_000, 6_000, 0, 50_000), (15_000, 16_000, 200, 0)] {
        assert!(read(&module(few, params, locals)).is_ok());
        let error = read(&module(many, params, locals)).expect_err("too many");
        let what = "branches and values in large functions";
        assert!(error.to_string().contains(what), "{error}");
    }
}

/// Parsers read them by recursion, and end the process at ten thousand.
#[test]
fn types_inside_one_another_are_counted() {
    for kind in [0x41, 0x42] {
        let types = |levels: usize| {
            let mut types = vec![1];
            for _ in 0..levels {
                types.extend([kind, 1, 1]);
            }
            types.push(0x7f);
            types
        };
        assert!(read(&with_section(7, &types(200))).is_ok());
        let component = with_section(7, &types(100_000));
        let error = read(&component).expect_err("too deep");
        assert_eq!(error.code(), Code::ComponentTooLarge);
        assert!(
            error.to_string().contains("types inside one another"),
            "{error}"
        );
        assert!(!is_parsable(&component));
        assert!(is_parsable(&with_section(7, &types(200))));
    }
    let mut nested = wasm_encoder::Component::HEADER.to_vec();
    for _ in 0..20 {
        let mut outer = wasm_encoder::Component::HEADER.to_vec();
        outer.push(4);
        nested.encode(&mut outer);
        nested = outer;
    }
    assert!(!is_parsable(&nested), "components are no deeper either");
}

#[test]
fn large_functions_of_ordinary_shape_pass() {
    let loops = format!("{}{}", "loop ".repeat(100), "end ".repeat(100));
    let switch = format!(
        "{} i32.const 0 br_table {} {}",
        "block ".repeat(1000),
        (0..1000).map(|it| format!("{it} ")).collect::<String>(),
        "end ".repeat(1000)
    );
    for body in [
        "block end ".repeat(20_000),
        "call 0 ".repeat(100_000),
        loops,
        switch,
    ] {
        let component = contract(&format!(
            r#"(core module (func {body})) (@custom "theus:contract" "LINE")"#
        ));
        let guest = read(&component);
        assert!(guest.is_ok(), "{:?}", guest.err());
    }
}

#[test]
fn memories_and_tables_over_their_limits_are_refused_before_compiling() {
    for (definition, limit) in [
        ("(memory 1025)", Limit::MemoryBytes),
        ("(memory 65536)", Limit::MemoryBytes),
        ("(table 20001 funcref)", Limit::TableElements),
    ] {
        let error = read(&text(&format!("(core module {definition})"))).expect_err(definition);
        assert!(
            matches!(&error, GuestError::Limit(it) if it.limit == limit),
            "{error}"
        );
    }
}

#[test]
fn every_cut_and_every_flipped_byte_is_an_answer() {
    let component = guests::running(OK);
    for end in 0..component.len() {
        let _ = read(&component[..end]);
    }
    let mut flipped = component.clone();
    for at in 0..flipped.len() {
        flipped[at] ^= 0xff;
        let _ = read(&flipped);
        flipped[at] ^= 0xff;
    }
}
