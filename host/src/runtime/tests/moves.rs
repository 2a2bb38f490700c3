//! Moving much when a call's time is nearly up.

use super::guests::{data, on_wasi, running, running_in_utf16, with_module};
use super::{FUEL, PATIENCE, RUNTIME, run_program, settings};
use crate::guest::passes_utf8;
use crate::runtime::{End, Program};
use std::sync::Arc;
use std::time::Duration;
use theus_core::context_guard::{ContextGuard, Mode};
use theus_core::guard::Guard;
use theus_core::limits::{Limit, Limits};
use theus_core::path::Path;
use theus_core::transaction::{Snapshot, Transaction};
use theus_core::tree::Tree;
use theus_core::value::{Map, Value};

/// Not enough for 60 MB, whatever the machine.
const SHORT: Duration = Duration::from_millis(20);

fn is_out_of_time(end: &End) -> bool {
    matches!(end, End::Limit(exceeded) if exceeded.limit == Limit::Time)
}

fn compiled(guest: &[u8]) -> Program {
    RUNTIME.compile(guest).expect("the guest compiles")
}

/// Its memory is 60 MB, all of them zero: an ASCII text, and MessagePack for 0 with too much behind it.
fn with_much(body: &str) -> String {
    format!("(drop (memory.grow (i32.const 920))) {body}")
}

#[test]
fn what_would_outlive_its_deadline_is_not_begun() {
    const MUCH: &str = "(i32.const 65536) (i32.const 60000000)";
    const HALF: &str = "(i32.const 65536) (i32.const 30000000)";
    let write = format!(
        "(call $write (call $stdout) {MUCH} (i32.const 512)) (call $ok (i32.const 512) (i32.const 1))"
    );
    let stdout = r#"
        (import "wasi:cli/stdout@0.2.0" "get-stdout" (func $stdout (result i32)))
        (import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-write-and-flush"
            (func $write (param i32 i32 i32 i32)))"#;
    let running = |body: String| running(&with_much(&body));
    for (what, guest) in [
        (
            "a path",
            running(format!("(drop (call $remove {MUCH})) unreachable")),
        ),
        (
            "a value",
            running(format!(
                "(call $set (i32.const 0) (i32.const 6) {MUCH}) unreachable"
            )),
        ),
        (
            "a message",
            running(format!(
                "(call $send (i32.const 0) (i32.const 6) {MUCH}) unreachable"
            )),
        ),
        (
            "a line",
            running(format!("(call $log (i32.const 2) {MUCH}) unreachable")),
        ),
        (
            "last words",
            running(format!(
                "(call $abort {HALF} {HALF} (i32.const 1) (i32.const 1)) unreachable"
            )),
        ),
        ("a result", running(format!("(call $ok {MUCH})"))),
        ("an error", running(format!("(call $fail {HALF} {HALF})"))),
        ("output", on_wasi(stdout, &with_much(&write))),
    ] {
        let program = compiled(&guest);
        let late = run_program(&program, &[], settings(FUEL, SHORT));
        assert!(is_out_of_time(&late.end), "{what}: {:?}", late.end);
        let in_time = run_program(&program, &[], settings(FUEL, PATIENCE));
        assert!(!is_out_of_time(&in_time.end), "{what}");
    }
}

#[test]
fn texts_of_another_form_take_longer() {
    // 16 million letters are 32 MB: as UTF-8 there would be time to look at them.
    let line = with_much(
        "(call $log (i32.const 2) (i32.const 65536) (i32.const 16000000)) (call $ok (i32.const 0) (i32.const 1))",
    );
    let guest = running_in_utf16(&line);
    assert_eq!(passes_utf8(&guest).ok(), Some(false));
    let program = compiled(&guest);
    let late = run_program(&program, &[], settings(FUEL, SHORT));
    assert!(is_out_of_time(&late.end), "{:?}", late.end);
    // Turned into UTF-8 it would have cost its length.
    assert!(late.fuel < 16_000_000, "{}", late.fuel);
    let in_time = run_program(&program, &[], settings(FUEL, PATIENCE));
    assert!(matches!(in_time.end, End::Returned(_)), "{:?}", in_time.end);
    assert_eq!(passes_utf8(&running(&line)).ok(), Some(true));
}

/// The host's own copy is made in pieces, but not the one into the guest's memory.
#[test]
fn a_large_value_is_not_handed_out_when_there_is_no_time_for_it() {
    let text = Value::from("x".repeat(60_000_000));
    let layer: Map = [("heavy_x", text)].into_iter().collect();
    let limits = Arc::new(Limits::default());
    let reading = || {
        let all = || vec![Path::parse("domain.heavy_x").expect("a path")];
        let tree = Tree::new(Map::new(), layer.clone());
        let transaction = Transaction::begin(Snapshot { version: 0, tree });
        let guard = Guard::new(all(), Vec::new());
        Box::new(ContextGuard::new(
            guard,
            transaction,
            limits.clone(),
            Mode::Strict,
        ))
    };
    let path = data(0, b"domain.heavy_x");
    let program = compiled(&with_module(&format!(
        r#"{path} (func (export "theus:process/processes@0.1.0#run") (param i32 i32 i32 i32) (result i32)
            (call $get (i32.const 0) (i32.const 14) (i32.const 512)) (call $ok (i32.const 0) (i32.const 1)))"#
    )));
    for (time, late) in [(Duration::from_millis(15), true), (PATIENCE, false)] {
        let call = settings(FUEL, time);
        let instance = program.instantiate(&call).expect("an instance");
        let execution = instance.run("work", &[], reading(), &call);
        assert_eq!(is_out_of_time(&execution.end), late, "{execution:?}");
        // What is handed out costs its length.
        assert_eq!(execution.fuel < 60_000_000, late, "{}", execution.fuel);
    }
}
