//! Guests that would keep the compiler busy, too large to be kept as files: refused before it sees them, or compiled
//! within bounds.

use crate::harness::engines::PATIENCE;
use crate::harness::wat::{at_every_limit, component};
use std::time::{Duration, Instant};
use theus_host::{Call, Engine, ErrorKind, Limits, Policy, args};

fn engine(limits: Limits) -> Engine {
    let engine = Engine::builder().limits(limits).build();
    engine.expect("the engine is built")
}

/// Refused for its shape, in the time that a walk over its bytes takes.
#[track_caller]
fn is_refused(definitions: &str, what: &str) {
    let guest = component(definitions);
    let engine = engine(Limits::default());
    let started = Instant::now();
    let error = engine
        .register(guest, Policy::as_declared())
        .expect_err(what);
    let took = started.elapsed();
    assert_eq!(error.code().as_str(), "THEUS-L013", "{error}");
    assert_eq!(error.kind(), ErrorKind::Limit);
    assert!(error.to_string().contains(what), "{error}, not: {what}");
    assert!(error.help().is_some());
    // A compiler that saw it would be busy for minutes.
    assert!(took < Duration::from_secs(10), "{took:?}");
}

fn function(body: &str) -> String {
    format!("(core module (table 1 funcref) (func {body}))")
}

#[test]
fn ten_thousand_imports() {
    let imports: String = (0..10_000)
        .map(|it| format!(r#"(import "theus:process/log@0.1.{it}" (instance))"#))
        .collect();
    is_refused(&imports, "imports");
}

#[test]
fn ten_thousand_exports() {
    let exports: String = (0..10_000)
        .map(|it| format!(r#"(export "a{it}" (instance $empty))"#))
        .collect();
    is_refused(&format!("(instance $empty) {exports}"), "exports");
}

#[test]
fn ten_thousand_nested_components() {
    is_refused(&"(component)".repeat(10_000), "modules and components");
    let deep = format!("{}{}", "(component ".repeat(90), ")".repeat(90));
    is_refused(&deep, "levels of nesting");
}

/// Ten components that each instantiate the one before ten times: 10^10 instances in a few lines.
#[test]
fn instances_that_multiply() {
    let mut text = "(component $c0)".to_owned();
    for level in 1..=10 {
        let each = format!("(instance (instantiate $c{}))", level - 1).repeat(10);
        text += &format!(
            "(component $c{level} (alias outer 1 $c{0} (component $c{0})) {each})",
            level - 1
        );
    }
    is_refused(&text, "component instances");
}

#[test]
fn a_function_of_a_million_blocks() {
    is_refused(
        &function(&"block end ".repeat(1_000_000)),
        "bytes in one function",
    );
    is_refused(
        &function(&"block end ".repeat(300_000)),
        "branches and values in large functions",
    );
}

#[test]
fn many_functions_of_many_branches() {
    let each = format!("(func {})", "block end ".repeat(20_000));
    is_refused(
        &format!("(core module {})", each.repeat(10)),
        "branches and values in large functions",
    );
}

#[test]
fn a_thousand_loops_inside_one_another() {
    let loops = format!("{}{}", "loop ".repeat(1_000), "end ".repeat(1_000));
    is_refused(&function(&loops), "loops inside one another");
}

/// One byte of a call stands for a thousand values: a function of 40 KB took minutes, and 9 GB.
#[test]
fn values_that_multiply() {
    let values = " i32".repeat(1000);
    let pair = "call 0 call 1 ".repeat(10_000);
    is_refused(
        &format!(
            "(core module (func (result{values}) unreachable) (func (param{values})) (func {pair}))"
        ),
        "results in one function",
    );
}

/// Fewer values, as many as one function may give, and more calls.
#[test]
fn calls_of_many_values() {
    let values = " i32".repeat(200);
    let pair = "call 0 call 1 ".repeat(10_000);
    is_refused(
        &format!(
            "(core module (func (result{values}) unreachable) (func (param{values})) (func {pair}))"
        ),
        "branches and values in large functions",
    );
}

/// Each local is looked for in each block: 200 KB of code took 2.6 GB.
#[test]
fn locals_in_every_block() {
    let locals = format!("(local{})", " i32".repeat(20_000));
    let sets: String = (0..20_000)
        .map(|it| format!("i32.const 1 local.set {it} "))
        .collect();
    let gets: String = (0..20_000)
        .map(|it| format!("local.get {it} drop "))
        .collect();
    let blocks = "i32.const 0 if end ".repeat(5_000);
    is_refused(
        &function(&format!("{locals} {sets} {blocks} {gets}")),
        "branches and values in large functions",
    );
}

#[test]
fn types_of_many_values() {
    let types: String = (0..1_000)
        .map(|it| {
            let kinds = (0..10).map(|bit| if it >> bit & 1 == 1 { " i64" } else { " i32" });
            let kinds: String = kinds.collect();
            format!("(type (func (param{kinds}{})))", " i32".repeat(190))
        })
        .collect();
    is_refused(
        &format!("(core module {types})"),
        "parameters and results in function types",
    );
}

/// A byte each, and code of its own each, where the table is somebody else's.
#[test]
fn elements_of_an_imported_table() {
    let segment = format!("(elem (i32.const 0) func {})", "0 ".repeat(19_000));
    is_refused(
        &format!(
            r#"(core module (import "t" "t" (table 1 funcref)) (func) {})"#,
            segment.repeat(10)
        ),
        "elements in segments",
    );
}

/// A constant that is a sum of a million terms.
#[test]
fn constants_of_many_terms() {
    let sum = format!("i32.const 0 {}", "i32.const 0 i32.add ".repeat(1_000_000));
    is_refused(
        &format!("(core module (global i32 {sum}))"),
        "bytes in one constant",
    );
}

/// As much of everything as is let through, all in one guest: it compiles, it runs, and the engine goes on.
///
/// A sixteenth of the default size, so that this is no test of patience; the benchmark section `compile` measures the
/// whole.
#[test]
fn a_module_at_every_limit_at_once() {
    let limits = Limits {
        component_bytes: 1 << 20,
        timeout: PATIENCE,
        ..Limits::default()
    };
    let guest = at_every_limit(&limits);
    assert!(
        guest.len() as u64 > limits.component_bytes / 10 * 9,
        "{}",
        guest.len()
    );
    assert!(
        guest.len() as u64 <= limits.component_bytes,
        "{}",
        guest.len()
    );
    let engine = engine(limits);
    let registered = engine
        .register(guest, Policy::as_declared())
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(registered.processes.len(), 256);
    let receipt = engine.call(Call::new("p255", args! {}));
    assert!(receipt.error.is_none(), "{:?}", receipt.error);
    assert_eq!(receipt.stats.memory_bytes, 64 << 20);
}
