//! Contracts as data: what a guest's section says is read without running anything, and checked before anything is
//! granted.

use crate::harness::engines::{Setup, commits, fails};
use crate::harness::guests;
use crate::harness::wat::{component, contract_section, core_module};
use theus_host::{Engine, ErrorReport, Mode, Outcome, Policy, RegisterError, args};

fn engine(mode: Mode) -> Engine {
    Engine::builder().mode(mode).build().expect("an engine")
}

fn register(definitions: &str) -> Result<Vec<String>, RegisterError> {
    let engine = engine(Mode::Strict);
    let registered = engine.register(core_module(definitions), Policy::as_declared());
    assert_eq!(engine.sandboxes_made(), 0, "nothing of the guest runs");
    registered.map(|it| it.processes)
}

#[track_caller]
fn refused(definitions: &str, code: &str, part: &str) {
    let error = register(definitions).expect_err(part);
    assert_eq!(error.code().as_str(), code, "{error}");
    assert!(error.to_string().contains(part), "{error}, not: {part}");
    assert!(error.help().is_some(), "{error}");
}

fn refused_contract(contract: &str, code: &str, part: &str) {
    refused(&contract_section(contract), code, part);
}

#[test]
fn one_line_is_one_process() {
    let section = contract_section("{\"name\":\"one\"}\n\n{\"name\":\"two\",\"summary\":\"x\"}\n");
    assert_eq!(register(&section).expect("two processes"), ["one", "two"]);
    // The linker of an SDK may leave several sections in one module: they are one text.
    let split = [r#"{"name":"one"}"#, r#"{"name":"two"}"#].map(contract_section);
    assert_eq!(
        register(&split.join(" ")).expect("two processes"),
        ["one", "two"]
    );
}

#[test]
fn a_missing_section_is_refused() {
    refused("", "THEUS-C005", "no `theus:contract` section");
    refused_contract("", "THEUS-C005", "no `theus:contract` section");
    refused_contract(" \n\n", "THEUS-C005", "no `theus:contract` section");
}

#[test]
fn a_malformed_section_is_refused_and_says_where() {
    for (contract, part) in [
        (
            "[]",
            "line 1 of the contract section: expected one JSON object",
        ),
        ("{\"name\":\"ok\"}\n{", "line 2 of the contract section"),
        ("{\"name\":\"ok\"}\n{}", "missing field `name`"),
        (r#"{"name":"p","inptus":[]}"#, "unknown field `inptus`"),
        (
            r#"{"name":"p","parameters":[{"name":"a","kind":"number"}]}"#,
            "unknown variant `number`",
        ),
        (r#"{"name":""}"#, "process"),
        (r#"{"name":"a b"}"#, "process"),
        (r#"{"name":"p","inputs":["domain..a"]}"#, "domain..a"),
        (r#"{"name":"p","inputs":["local.a"]}"#, "local.a"),
        (r#"{"name":"p","outputs":["domain._x"]}"#, "_x"),
        (r#"{"name":"p","outputs":["domain.{a}"]}"#, "a"),
        (
            r#"{"name":"p","outputs":["domain.{a}"],"parameters":[{"name":"a","kind":"string","optional":true}]}"#,
            "optional",
        ),
        (
            r#"{"name":"p","outputs":["domain.{a}"],"parameters":[{"name":"a","kind":"string","secret":true}]}"#,
            "secret",
        ),
        (
            r#"{"name":"p","parameters":[{"name":"args","kind":"any"}]}"#,
            "`args`",
        ),
        (
            r#"{"name":"p","parameters":[{"name":"a","kind":"any"},{"name":"a","kind":"any"}]}"#,
            "declared twice",
        ),
        (
            r#"{"name":"p","errors":["Decode"]}"#,
            "`Decode` is reserved",
        ),
    ] {
        refused_contract(contract, "THEUS-C006", part);
    }
}

#[test]
fn a_process_that_is_declared_twice_is_refused() {
    refused_contract(
        "{\"name\":\"p\"}\n{\"name\":\"q\"}\n{\"name\":\"p\"}",
        "THEUS-C006",
        "line 3 of the contract section: the process `p` is declared twice",
    );
}

#[test]
fn two_sections_in_two_modules_are_refused() {
    let section = contract_section(r#"{"name":"p"}"#);
    let guest = component(&format!("(core module {section}) (core module {section})"));
    let error = engine(Mode::Strict)
        .register(guest, Policy::as_declared())
        .expect_err("which of them counts?");
    assert_eq!(error.code().as_str(), "THEUS-C006");
    assert!(error.to_string().contains("more than one"), "{error}");
}

#[test]
fn a_huge_section_is_refused() {
    let summary = |bytes: usize| format!(r#"{{"name":"p","summary":"{}"}}"#, "x".repeat(bytes));
    refused_contract(
        &summary(300 * 1024),
        "THEUS-C006",
        "at most 262144 are allowed",
    );
    refused_contract(&summary(2_000), "THEUS-C006", "summary");
    let many: Vec<String> = (0..257)
        .map(|it| format!(r#"{{"name":"p{it}"}}"#))
        .collect();
    refused_contract(&many.join("\n"), "THEUS-C006", "more than 256 processes");
    assert_eq!(
        register(&contract_section(&many[..256].join("\n")))
            .expect("they fit")
            .len(),
        256
    );
    let inputs: Vec<String> = (0..257).map(|it| format!("\"domain.a{it}\"")).collect();
    let inputs = format!(r#"{{"name":"p","inputs":[{}]}}"#, inputs.join(","));
    refused_contract(&inputs, "THEUS-C006", "257 inputs");
}

#[test]
fn strict_mode_refuses_contracts_that_reach_too_far() {
    for (contract, part) in [
        (r#"{"name":"p","inputs":["domain.sig_x"]}"#, "domain.sig_x"),
        (
            r#"{"name":"p","inputs":["domain.meta_x.a"]}"#,
            "domain.meta_x.a",
        ),
        (r#"{"name":"p","outputs":["global.max"]}"#, "global.max"),
        (r#"{"name":"p","outputs":["global"]}"#, "global"),
    ] {
        refused_contract(contract, "THEUS-C007", part);
        let core = core_module(&contract_section(contract));
        let permitted = engine(Mode::Permissive).register(core, Policy::as_declared());
        assert!(permitted.is_ok(), "{contract}");
    }
}

#[test]
fn side_effects_are_not_granted_by_asking() {
    for effect in ["fs:data", "fs-rw:data", "clock", "random"] {
        let contract = format!(r#"{{"name":"p","side_effects":["{effect}"]}}"#);
        refused_contract(&contract, "THEUS-C008", effect);
        let core = core_module(&contract_section(&contract));
        let permissive = engine(Mode::Permissive).register(core, Policy::as_declared());
        let error = permissive.expect_err("permissive mode grants no side effects");
        assert_eq!(error.code().as_str(), "THEUS-C008");
    }
}

#[test]
fn a_second_registration_of_a_name_is_refused_and_changes_nothing() {
    let engine = Setup::probe().engine();
    let contracts = "{\"name\":\"newcomer\"}\n{\"name\":\"increment\"}";
    let other = core_module(&contract_section(contracts));
    let error = engine
        .register(other, Policy::as_declared())
        .expect_err("increment is taken");
    let report = ErrorReport::from(&error);
    assert_eq!(
        (report.code.as_str(), report.process.as_deref()),
        ("THEUS-C010", Some("increment"))
    );
    // All of a guest or none, and the first one stays.
    fails(&engine, "newcomer", args! {}, "THEUS-U005");
    let receipt = commits(&engine, "increment", args! {});
    assert_eq!(receipt.changes.len(), 1);
}

/// A contract may name a process that the guest's code does not know: the run fails inside the guest.
#[test]
fn a_guest_runs_under_the_name_that_was_called() {
    let engine = engine(Mode::Strict);
    let contracts = "{\"name\":\"a\",\"outputs\":[\"domain.a\"]}\n{\"name\":\"b\"}";
    let guest = core_module(&contract_section(contracts));
    engine
        .register(guest, Policy::as_declared())
        .expect("a guest");
    for process in ["a", "b"] {
        let receipt = commits(&engine, process, args! {});
        assert_eq!(receipt.process.as_deref(), Some(process));
    }
}

#[test]
fn what_is_no_guest_is_refused() {
    let wasm = &guests::warehouse().bytes;
    for (bytes, part) in [
        (Vec::new(), "not WebAssembly"),
        (b"#!/bin/sh\n".to_vec(), "not WebAssembly"),
        (b"\0asm\x01\0\0\0".to_vec(), "not built with an SDK"),
        (wasm[..wasm.len() / 2].to_vec(), "malformed"),
        (
            wat::parse_str("(component)").expect("valid"),
            "does not export",
        ),
    ] {
        let error = engine(Mode::Strict)
            .register(bytes, Policy::as_declared())
            .expect_err(part);
        assert_eq!(error.code().as_str(), "THEUS-U007", "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
    let error = engine(Mode::Strict)
        .register("/no/such/guest.wasm", Policy::as_declared())
        .expect_err("there is none");
    assert_eq!(error.code().as_str(), "THEUS-U002");
    assert!(error.to_string().contains("/no/such/guest.wasm"), "{error}");
}

#[test]
fn a_recipe_must_fit_the_contract() {
    for (recipe, part) in [
        (
            "{ increment: { inputs: [{ field: prize, min: 0 }] } }",
            "prize",
        ),
        (
            "{ echo_name: { inputs: [{ field: nmae, eq: x }] } }",
            "name",
        ),
        ("{ fail: { errors: [OtherError] } }", "OtherError"),
    ] {
        let recipe =
            theus_host::Recipe::parse(&format!("process_recipes: {recipe}"), "recipe.yaml")
                .unwrap_or_else(|error| panic!("{error}"));
        let engine = Engine::builder().recipe(recipe).build().expect("an engine");
        let error = engine
            .register(guests::probe().file.as_path(), Policy::as_declared())
            .expect_err(part);
        assert_eq!(error.code().as_str(), "THEUS-U004");
        assert!(error.to_string().contains(part), "{error}");
        let receipt = engine.call(theus_host::Call::new("increment", args! {}));
        assert_eq!(receipt.outcome, Outcome::Refused, "nothing was registered");
    }
}
