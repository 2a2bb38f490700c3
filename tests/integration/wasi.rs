//! Guests on WASI: what a plain `cargo build --target wasm32-wasip2` makes runs the same, and reaches nothing more.

use crate::harness::engines::{Setup, bytes, commits, fails};
use crate::harness::guests;
use crate::harness::wat::{component, contract_section, core_module};
use theus_host::component::into_component;
use theus_host::guest::Guest;
use theus_host::{Engine, Limits, Policy, RegisterError, args};

const CONTEXT: &str = "guests/warehouse/context-100.yaml";

fn on_wasi() -> Setup {
    Setup::of(guests::warehouse_on_wasi(), CONTEXT)
}

#[test]
fn the_guest_is_a_component_that_imports_wasi() {
    let guest =
        Guest::read(&guests::warehouse_on_wasi().bytes, &Limits::default()).expect("a guest");
    assert!(
        guest.imports.iter().any(|it| it.starts_with("wasi:cli/")),
        "{:?}",
        guest.imports
    );
    assert_eq!(guest.contracts[0].name, "add_product");
    let without = into_component(&guests::warehouse().bytes).expect("a component");
    let without = Guest::read(&without, &Limits::default()).expect("a guest");
    assert_eq!(guest.contracts, without.contracts, "the same contract");
}

#[test]
fn it_does_what_it_does_without_wasi() {
    let engines = [
        on_wasi().engine(),
        Setup::warehouse().context_file(CONTEXT).engine(),
    ];
    for price in [1000, 0] {
        let args = args! { "product_name" => "Iphone", "price" => price };
        let [with, without] = engines
            .each_ref()
            .map(|it| commits(it, "add_product", args.clone()));
        assert_eq!(with.result, without.result);
        assert_eq!(with.changes, without.changes);
        assert_eq!(with.signals, without.signals);
        assert_eq!(with.version, without.version);
    }
    let negative = args! { "product_name" => "x", "price" => -5 };
    let [with, without] = engines
        .each_ref()
        .map(|it| fails(it, "add_product", negative.clone(), "ValueError"));
    assert_eq!(
        with.error.expect("an error").to_string(),
        without.error.expect("an error").to_string()
    );
    assert_eq!(bytes(&engines[0]), bytes(&engines[1]));
}

/// wasmtime-wasi's own synchronous functions panic on a runtime's thread.
#[test]
fn it_runs_inside_an_async_runtime() {
    let engine = on_wasi().engine();
    let run = |price: i64| {
        let receipt = commits(
            &engine,
            "add_product",
            args! { "product_name" => "a", "price" => price },
        );
        receipt.version
    };
    let several = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let spawned = several.block_on(async {
        let engine = engine.clone();
        let task = tokio::spawn(async move {
            commits(
                &engine,
                "add_product",
                args! { "product_name" => "b", "price" => 1 },
            )
            .version
        });
        task.await.expect("the task ends")
    });
    assert_eq!(spawned, 1);
    let one = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    assert_eq!(one.block_on(async { run(2) }), 2);
    assert_eq!(run(3), 3);
}

fn register(bytes: Vec<u8>) -> Result<Vec<String>, RegisterError> {
    let engine = Engine::builder().build().expect("an engine");
    let registered = engine.register(bytes, Policy::as_declared())?;
    Ok(registered.processes)
}

#[test]
fn another_import_is_refused_at_registration_and_named() {
    let contract = contract_section(r#"{"name":"work"}"#);
    for import in [
        "wasi:http/outgoing-handler@0.2.0",
        "wasi:keyvalue/store@0.2.0",
        "wasi:cli/environment@0.3.0",
        "made-up:service/secrets@1.0.0",
        "theus:process/context@0.2.0",
        "theus:process/admin@0.1.0",
    ] {
        let guest = component(&format!(r#"(import "{import}" (instance)) {contract}"#));
        let error = register(guest).expect_err(import);
        assert_eq!(error.code().as_str(), "THEUS-C004", "{error}");
        assert!(
            error.to_string().contains(&format!("`{import}`")),
            "{error}"
        );
        assert!(error.help().is_some());
    }
}

/// Interfaces that exist, with functions that do not.
#[test]
fn an_unknown_function_of_a_granted_interface_is_refused_too() {
    let contract = contract_section(r#"{"name":"work"}"#);
    for import in ["wasi:cli/environment@0.2.0", "theus:process/log@0.1.0"] {
        let guest = component(&format!(
            r#"(import "{import}" (instance (export "steal" (func)))) {contract}"#
        ));
        let error = register(guest).expect_err(import);
        assert_eq!(error.code().as_str(), "THEUS-C004", "{error}");
        assert!(error.to_string().contains(import), "{error}");
    }
}

#[test]
fn a_core_module_that_imports_something_else_is_refused_by_name() {
    let contract = contract_section(r#"{"name":"work"}"#);
    for (module, name) in [("env", "system"), ("wasi_snapshot_preview1", "fd_write")] {
        let guest = core_module(&format!(
            r#"(import "{module}" "{name}" (func)) {contract}"#
        ));
        let error = register(guest).expect_err(module);
        assert_eq!(error.code().as_str(), "THEUS-C004", "{error}");
        assert!(
            error.to_string().contains(&format!("{module}.{name}")),
            "{error}"
        );
    }
    assert_eq!(
        register(core_module(&contract)).expect("nothing is wrong"),
        ["work"]
    );
}
