//! Guests that attack the host at the edge of the component model, in many variants; `guests/hostile` has one of each.

use super::guests::{component, data, on_wasi, running, with_allocator, with_module};
use super::{FUEL, RUNTIME, run};
use crate::guest::GuestError;
use crate::runtime::End;

fn trapped(end: &End) -> &str {
    match end {
        End::Trapped { reason, .. } => reason,
        other => panic!("no trap: {other:?}"),
    }
}

const START: &str = r#"(start $begin)
    (func (export "theus:process/processes@0.1.0#run") (param i32 i32 i32 i32) (result i32)
        (call $ok (i32.const 0) (i32.const 0)))"#;

#[test]
fn a_start_function_reaches_no_import() {
    for call in [
        "(drop (call $remove (i32.const 0) (i32.const 8)))",
        "(call $log (i32.const 0) (i32.const 0) (i32.const 1))",
        "(call $send (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 1))",
        "(call $abort (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 1) (i32.const 1))",
    ] {
        let execution = run(&with_module(&format!("(func $begin {call}) {START}")));
        trapped(&execution.end);
        assert!(execution.log.lines().is_empty());
    }
}

#[test]
fn start_fuel_counts() {
    let busy = "(func $begin (local $i i32)
        (loop $on (br_if $on (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 100000)))))";
    let execution = run(&with_module(&format!("{busy} {START}")));
    assert!(matches!(execution.end, End::Returned(_)));
    assert!(execution.fuel > 300_000, "{}", execution.fuel);
}

#[test]
fn an_allocator_that_lies_is_stopped() {
    for at in ["-1", "-8", "65537", "2147483647"] {
        let execution = run(&with_allocator(&format!("(i32.const {at})")));
        trapped(&execution.end);
    }
    // An odd address is fine for bytes and wrong for anything wider.
    let execution = run(&with_module(
        r#"(func (export "theus:process/processes@0.1.0#run") (param i32 i32 i32 i32) (result i32) (i32.const 1025))"#,
    ));
    assert!(
        trapped(&execution.end).contains("align"),
        "{:?}",
        execution.end
    );
}

#[test]
fn pointers_out_of_range_trap() {
    for call in [
        "(drop (call $remove (i32.const 65530) (i32.const 8)))",
        "(drop (call $remove (i32.const -1) (i32.const -1)))",
        "(call $set (i32.const 0) (i32.const 8) (i32.const 65535) (i32.const 2))",
        "(call $set (i32.const 0) (i32.const 8) (i32.const 0) (i32.const -1))",
        "(call $get (i32.const 0) (i32.const 8) (i32.const 65534))",
        "(call $log (i32.const 9) (i32.const 0) (i32.const 1))",
        "(return (i32.const 65535))",
        "(return (call $ok (i32.const 65535) (i32.const 2)))",
        "(return (call $ok (i32.const 0) (i32.const -1)))",
        "(return (call $fail (i32.const 0) (i32.const 1) (i32.const -1) (i32.const 9)))",
    ] {
        let execution = run(&with_module(&format!(
            r#"{} (func (export "theus:process/processes@0.1.0#run") (param i32 i32 i32 i32) (result i32)
                {call} (call $ok (i32.const 0) (i32.const 0)))"#,
            data(0, b"domain.a\x01")
        )));
        trapped(&execution.end);
    }
}

#[test]
fn invalid_utf8_traps() {
    let guest = |call: &str| {
        with_module(&format!(
            r#"{} (func (export "theus:process/processes@0.1.0#run") (param i32 i32 i32 i32) (result i32)
                {call} (call $ok (i32.const 0) (i32.const 0)))"#,
            data(0, b"domain.\xff\xfe")
        ))
    };
    for call in [
        "(drop (call $remove (i32.const 0) (i32.const 9)))",
        "(call $log (i32.const 0) (i32.const 0) (i32.const 9))",
        "(call $keys (i32.const 0) (i32.const 6) (i32.const 1) (i32.const 7) (i32.const 2) (i32.const 1) (i32.const 64))",
        "(call $send (i32.const 0) (i32.const 9) (i32.const 0) (i32.const 1))",
        "(return (call $fail (i32.const 0) (i32.const 9) (i32.const 0) (i32.const 1)))",
    ] {
        let execution = run(&guest(call));
        let reason = trapped(&execution.end);
        assert!(reason.contains("utf-8"), "{reason}");
        assert!(execution.guard.is_some(), "{call}");
    }
}

#[test]
fn other_imports_are_refused_by_name() {
    for (module, name, import) in [
        ("other:service/secrets@1.0.0", "read", "(param i32)"),
        ("wasi:cli/nothing-of-the-kind@0.2.0", "call", ""),
    ] {
        let guest = on_wasi(
            &format!(r#"(import "{module}" "{name}" (func $it {import}))"#),
            "(call $ok (i32.const 0) (i32.const 0))",
        );
        let Err(GuestError::ImportNotGranted { imports, reason }) = RUNTIME.compile(&guest) else {
            panic!("{module} is granted");
        };
        assert_eq!(imports, [module]);
        assert!(reason.is_some());
    }
}

#[test]
fn an_import_of_another_type_is_refused() {
    let guest = wat::parse_str(
        r#"(component (import "theus:process/log@0.1.0" (instance (export "write" (func (param "message" string))))))"#,
    )
    .expect("the test's component is valid");
    let Err(GuestError::ImportNotGranted { imports, .. }) = RUNTIME.compile(&guest) else {
        panic!("it is granted");
    };
    assert_eq!(imports, ["theus:process/log@0.1.0"]);
}

#[test]
fn a_run_of_another_type_is_refused() {
    let guest = wat::parse_str(
        r#"(component
            (core module $main (func (export "run")))
            (core instance $main (instantiate $main))
            (func $run (canon lift (core func $main "run")))
            (instance $processes (export "run" (func $run)))
            (export "theus:process/processes@0.1.0" (instance $processes)))"#,
    )
    .expect("the test's component is valid");
    assert!(matches!(
        RUNTIME.compile(&guest),
        Err(GuestError::ExportMissing)
    ));
    let empty = wat::parse_str("(component)").expect("the test's component is valid");
    assert!(matches!(
        RUNTIME.compile(&empty),
        Err(GuestError::ExportMissing)
    ));
}

#[test]
fn proposals_that_are_off_do_not_compile() {
    for definition in [
        "(memory i64 1)",
        "(memory 1 1 shared)",
        "(func (param externref) (result anyref) (any.convert_extern (local.get 0)))",
    ] {
        let text = format!("(component (core module {definition}))");
        let guest = wat::parse_str(text).expect("the test's component is valid text");
        assert!(
            matches!(RUNTIME.compile(&guest), Err(GuestError::Uncompilable(_))),
            "{definition}"
        );
    }
}

#[test]
fn bytes_that_are_no_component_do_not_compile() {
    for bytes in [
        &b""[..],
        b"\0asm",
        b"\0asm\x01\0\0\0",
        b"\0asm\x0d\0\x01\0\x07\xff\xff\xff\xff",
    ] {
        assert!(RUNTIME.compile(bytes).is_err());
    }
    assert!(
        RUNTIME
            .compile(&running("(call $ok (i32.const 0) (i32.const 0))")[..100])
            .is_err()
    );
}

#[test]
fn a_guest_without_the_prelude_is_a_guest_too() {
    let module = r#"(module (memory (export "memory") 1)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8))
        (func (export "theus:process/processes@0.1.0#run") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))"#;
    let execution = run(&component(module));
    assert!(matches!(execution.end, End::Returned(bytes) if bytes.is_empty()));
    assert!(execution.fuel < FUEL);
}
