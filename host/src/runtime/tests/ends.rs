//! Every way a call can end.

use super::guests::{data, running, with_module};
use super::{FUEL, PATIENCE, RUNTIME, guard, run, settings};
use crate::runtime::End;
use theus_core::code::Code;
use theus_core::guest_log::LogLevel;
use theus_core::value::Value;

#[test]
fn returns_what_the_process_returned() {
    let program = RUNTIME
        .compile(&running(
            "(call $ok (local.get $args) (local.get $args_len))",
        ))
        .expect("the guest compiles");
    let call = settings(FUEL, PATIENCE);
    let instance = program.instantiate(&call).expect("nothing stops it");
    let execution = instance.run("work", b"\x80", guard(), &call);
    assert!(matches!(&execution.end, End::Returned(bytes) if bytes == b"\x80"));
    assert!(execution.guard.is_some());
    assert!(execution.fuel > 0 && execution.fuel < 10_000);
    assert_eq!(execution.host_calls, 0);
    assert_eq!(execution.memory_peak, 65536);
}

#[test]
fn the_process_name_reaches_the_guest() {
    let execution = run(&running(
        "(call $ok (local.get $process) (local.get $process_len))",
    ));
    assert!(matches!(execution.end, End::Returned(bytes) if bytes == b"work"));
}

#[test]
fn fails_with_the_process_failure() {
    let execution = run(&with_module(&format!(
        r#"{} (func (export "theus:process/processes@0.1.0#run") (param i32 i32 i32 i32) (result i32)
            (call $fail (i32.const 0) (i32.const 5) (i32.const 5) (i32.const 3)))"#,
        data(0, b"Knownwhy")
    )));
    let End::Failed { code, message } = execution.end else {
        panic!("{:?}", execution.end);
    };
    assert_eq!((code.as_str(), message.as_str()), ("Known", "why"));
}

#[test]
fn a_long_failure_is_cut() {
    let execution = run(&running(
        "(call $fail (i32.const 2048) (i32.const 2000) (i32.const 2048) (i32.const 60000))",
    ));
    let End::Failed { code, message } = execution.end else {
        panic!("{:?}", execution.end);
    };
    assert_eq!((code.len(), message.len()), (256, 60000));
}

#[test]
fn writes_go_to_the_transaction() {
    let execution = run(&with_module(&format!(
        r#"{} (func (export "theus:process/processes@0.1.0#run") (param i32 i32 i32 i32) (result i32)
            (call $set (i32.const 0) (i32.const 8) (i32.const 100) (i32.const 1))
            (drop (call $push (i32.const 16) (i32.const 8) (i32.const 100) (i32.const 1)))
            (call $send (i32.const 0) (i32.const 8) (i32.const 100) (i32.const 1))
            (call $get (i32.const 0) (i32.const 8) (i32.const 200))
            (call $ok (i32.load (i32.const 204)) (i32.load (i32.const 208))))"#,
        [
            data(0, b"domain.a"),
            data(16, b"domain.b"),
            data(100, b"\x07")
        ]
        .concat()
    )));
    assert!(
        matches!(&execution.end, End::Returned(bytes) if bytes == b"\x07"),
        "{:?}",
        execution.end
    );
    assert_eq!(execution.host_calls, 4);
    let transaction = execution.guard.expect("it comes back").into_transaction();
    let values: Vec<_> = transaction
        .changes()
        .into_iter()
        .map(|change| (change.path.to_string(), change.new))
        .collect();
    assert_eq!(
        values,
        [
            ("domain.a".to_owned(), Value::Int(7)),
            ("domain.b".to_owned(), Value::Int(7)),
        ]
    );
    assert_eq!(transaction.outbox().len(), 1);
}

#[test]
fn a_violation_ends_the_run_with_its_reason() {
    let execution = run(&with_module(&format!(
        r#"{} (func (export "theus:process/processes@0.1.0#run") (param i32 i32 i32 i32) (result i32)
            (call $get (i32.const 0) (i32.const 8) (i32.const 200))
            (call $ok (i32.const 0) (i32.const 0)))"#,
        data(0, b"global.a")
    )));
    let End::Refused(refusal) = &execution.end else {
        panic!("{:?}", execution.end);
    };
    assert_eq!(refusal.code(), Code::ReadOutside);
    assert!(
        execution.guard.is_some(),
        "the record wants the transaction"
    );
}

#[test]
fn an_abort_says_where() {
    let execution = run(&with_module(&format!(
        r#"{} (func $add_product
            (call $abort (i32.const 0) (i32.const 4) (i32.const 4) (i32.const 6) (i32.const 12) (i32.const 3)))
           (func (export "theus:process/processes@0.1.0#run") (param i32 i32 i32 i32) (result i32)
            (call $add_product) unreachable)"#,
        data(0, b"oh nolib.rs")
    )));
    let End::Aborted {
        message,
        file,
        line,
        column,
        function,
    } = execution.end
    else {
        panic!("{:?}", execution.end);
    };
    assert_eq!((message.as_str(), file.as_str()), ("oh n", "olib.r"));
    assert_eq!((line, column), (12, 3));
    assert_eq!(function.as_deref(), Some("add_product"));
}

#[test]
fn a_trap_names_function_and_place() {
    let execution = run(&with_module(
        r#"(func $_ZN9warehouse11add_product17h0123456789abcdefE unreachable)
           (func (export "theus:process/processes@0.1.0#run") (param i32 i32 i32 i32) (result i32)
            (call $_ZN9warehouse11add_product17h0123456789abcdefE) unreachable)"#,
    ));
    let End::Trapped {
        reason,
        function,
        place,
    } = execution.end
    else {
        panic!("{:?}", execution.end);
    };
    assert_eq!(reason, "wasm `unreachable` instruction executed");
    assert_eq!(function.as_deref(), Some("warehouse::add_product"));
    assert!(place.is_some_and(|place| place.starts_with("wasm offset 0x")));
}

/// Rust's newer mangling: the standard library is named with the hash of its crate.
#[test]
fn the_place_of_a_panic_is_not_in_the_standard_library() {
    let execution = run(&with_module(
        r#"(func $_RNvNtCs15kBYyAo9fc_3std9panicking11begin_panic unreachable)
           (func $_RNvCs15kBYyAo9fc_9warehouse11add_product (call $_RNvNtCs15kBYyAo9fc_3std9panicking11begin_panic))
           (func (export "theus:process/processes@0.1.0#run") (param i32 i32 i32 i32) (result i32)
            (call $_RNvCs15kBYyAo9fc_9warehouse11add_product) unreachable)"#,
    ));
    let End::Trapped { function, .. } = execution.end else {
        panic!("{:?}", execution.end);
    };
    assert_eq!(function.as_deref(), Some("warehouse::add_product"));
}

#[test]
fn log_lines_keep_their_level_and_order() {
    let execution = run(&with_module(&format!(
        r#"{} (func (export "theus:process/processes@0.1.0#run") (param i32 i32 i32 i32) (result i32)
            (call $log (i32.const 2) (i32.const 0) (i32.const 3))
            (call $log (i32.const 4) (i32.const 3) (i32.const 3))
            (call $ok (i32.const 0) (i32.const 0)))"#,
        data(0, b"onetwo")
    )));
    let lines: Vec<_> = execution
        .log
        .lines()
        .iter()
        .map(|line| (line.level, line.message.as_str()))
        .collect();
    assert_eq!(lines, [(LogLevel::Info, "one"), (LogLevel::Error, "two")]);
}

#[test]
fn nothing_survives_a_call() {
    let program = RUNTIME
        .compile(&with_module(
            r#"(global $calls (mut i32) (i32.const 0))
               (func (export "theus:process/processes@0.1.0#run") (param i32 i32 i32 i32) (result i32)
                (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
                (i32.store8 (i32.const 3000) (i32.add (i32.load8_u (i32.const 3000)) (global.get $calls)))
                (call $ok (i32.const 3000) (i32.const 1)))"#,
        ))
        .expect("the guest compiles");
    let mut fuel = Vec::new();
    for _ in 0..3 {
        let execution = super::run_program(&program, &[], settings(FUEL, PATIENCE));
        assert!(matches!(execution.end, End::Returned(bytes) if bytes == [1]));
        fuel.push(execution.fuel);
    }
    assert!(fuel.iter().all(|one| *one == fuel[0]), "{fuel:?}");
}
