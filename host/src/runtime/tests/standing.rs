//! Instances made ahead of their calls: fresh, bounded, and for guests that are called often only.

use super::guests::{running, with_module};
use super::{FUEL, PATIENCE, run_program, settings};
use crate::runtime::standing::OFTEN;
use crate::runtime::{End, Execution, Program, Runtime};
use std::thread;
use std::time::{Duration, Instant};
use theus_core::limits::{Limit, Limits};

/// A guest that answers with how often its instance was called.
fn counting() -> Vec<u8> {
    with_module(
        r#"(global $calls (mut i32) (i32.const 0))
        (func (export "theus:process/processes@0.1.0#run") (param i32 i32 i32 i32) (result i32)
            (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
            (i32.store8 (i32.const 2048) (global.get $calls))
            (call $ok (i32.const 2048) (i32.const 1)))"#,
    )
}

fn runtime(limits: &Limits, standing: u32) -> Runtime {
    Runtime::with_pool(limits, None, 4, standing).expect("the pool fits")
}

fn call(program: &Program) -> Execution {
    run_program(program, &[], settings(FUEL, PATIENCE))
}

/// Calls until `seen` holds; how many calls it took.
#[track_caller]
fn call_until(program: &Program, mut seen: impl FnMut(&Execution) -> bool) -> u64 {
    let end = Instant::now() + PATIENCE;
    let mut calls = 0;
    loop {
        calls += 1;
        if seen(&call(program)) {
            return calls;
        }
        assert!(Instant::now() < end, "not seen in {calls} calls");
    }
}

#[track_caller]
fn wait_until(mut seen: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !seen() {
        assert!(Instant::now() < end, "it never comes to that");
        thread::yield_now();
    }
}

#[test]
fn one_that_stood_ready_is_as_fresh_and_costs_the_same_fuel() {
    let runtime = runtime(&Limits::default(), 4);
    let program = runtime.compile(&counting()).expect("the guest compiles");
    let cold = call(&program);
    let stock = program.stock();
    let mut ready = 0;
    call_until(&program, |execution| {
        assert!(matches!(&execution.end, End::Returned(calls) if *calls == [1]));
        assert_eq!(execution.fuel, cold.fuel);
        assert_eq!(execution.memory_peak, cold.memory_peak);
        assert!(stock.ready() <= 4 && stock.spent() <= 4);
        ready += usize::from(stock.ready() == 4);
        // Long enough for some calls to have found one, and for the keeper to have made as many as it may.
        stock.taken() > 100 && ready > 0
    });
    assert!(runtime.instantiations() > 100);
}

#[test]
fn a_guest_that_is_called_rarely_has_none() {
    let runtime = runtime(&Limits::default(), 4);
    let program = runtime.compile(&counting()).expect("the guest compiles");
    for _ in 0..OFTEN {
        call(&program);
    }
    assert_eq!(runtime.instantiations(), OFTEN);
    assert!(runtime.keeper().is_asleep());
    assert_eq!(program.stock().ready(), 0);
}

#[test]
fn none_are_made_where_none_are_wanted() {
    let runtime = runtime(&Limits::default(), 0);
    let program = runtime.compile(&counting()).expect("the guest compiles");
    for _ in 0..500 {
        call(&program);
    }
    assert_eq!(runtime.instantiations(), 500);
    assert!(runtime.keeper().is_asleep());
}

#[test]
fn they_are_let_go_when_the_calls_stop() {
    let runtime = runtime(&Limits::default(), 4);
    let program = runtime.compile(&counting()).expect("the guest compiles");
    call_until(&program, |_| program.stock().ready() > 0);
    assert!(runtime.keeper().memory() > 0);
    wait_until(|| runtime.keeper().is_asleep());
    assert_eq!((program.stock().ready(), program.stock().spent()), (0, 0));
    assert_eq!(runtime.keeper().memory(), 0);
    // And it begins anew when they come back.
    call_until(&program, |_| program.stock().ready() > 0);
}

#[test]
fn their_memory_is_bounded() {
    // 40 MiB at once: a second one would be over what all of them may hold together.
    let guest = with_module(
        r#"(func $begin (drop (memory.grow (i32.const 639)))) (start $begin)
        (func (export "theus:process/processes@0.1.0#run") (param i32 i32 i32 i32) (result i32)
            (call $ok (i32.const 0) (i32.const 0)))"#,
    );
    let runtime = runtime(&Limits::default(), 4);
    let program = runtime.compile(&guest).expect("the guest compiles");
    call_until(&program, |_| {
        assert!(program.stock().ready() <= 1 && program.stock().spent() == 0);
        assert!(runtime.keeper().memory() <= 64 << 20);
        program.stock().taken() > 20
    });
}

#[test]
fn one_made_for_other_fuel_is_not_taken() {
    let runtime = runtime(&Limits::default(), 4);
    let program = runtime.compile(&counting()).expect("the guest compiles");
    call_until(&program, |_| program.stock().ready() > 0);
    let before = program.stock().taken();
    let execution = run_program(&program, &[], settings(FUEL - 1, PATIENCE));
    assert!(matches!(execution.end, End::Returned(_)));
    assert_eq!(program.stock().taken(), before);
}

#[test]
fn a_start_function_that_fails_is_reported_by_every_call() {
    let guest = with_module(
        r#"(func $begin unreachable) (start $begin)
        (func (export "theus:process/processes@0.1.0#run") (param i32 i32 i32 i32) (result i32)
            (call $ok (i32.const 0) (i32.const 0)))"#,
    );
    let runtime = runtime(&Limits::default(), 4);
    let program = runtime.compile(&guest).expect("the guest compiles");
    call_until(&program, |execution| {
        assert!(
            matches!(execution.end, End::Trapped { .. }),
            "{:?}",
            execution.end
        );
        assert_eq!(program.stock().ready(), 0);
        program.stock().is_failing()
    });
    assert!(matches!(call(&program).end, End::Trapped { .. }));
}

#[test]
fn a_start_function_that_takes_long_does_not_hold_up_the_end() {
    let guest = with_module(
        r#"(func $begin (local $i i32)
            (loop $on (br_if $on (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 200000)))))
        (start $begin)
        (func (export "theus:process/processes@0.1.0#run") (param i32 i32 i32 i32) (result i32)
            (call $ok (i32.const 0) (i32.const 0)))"#,
    );
    let limits = Limits {
        timeout: Duration::from_secs(1),
        ..Limits::default()
    };
    let runtime = runtime(&limits, 4);
    let program = runtime.compile(&guest).expect("the guest compiles");
    call_until(&program, |_| program.stock().ready() > 0);
    let started = Instant::now();
    drop((program, runtime));
    assert!(started.elapsed() < PATIENCE / 2);
}

#[test]
fn one_that_stood_ready_is_stopped_at_the_deadline_of_its_call() {
    let guest = running(
        "(if (local.get $args_len) (then (loop $on (br $on)))) (call $ok (i32.const 0) (i32.const 0))",
    );
    let limits = Limits {
        fuel: u64::MAX,
        // What it was made with; its call has less.
        timeout: PATIENCE,
        ..Limits::default()
    };
    let runtime = runtime(&limits, 4);
    let program = runtime.compile(&guest).expect("the guest compiles");
    let end = Instant::now() + PATIENCE;
    while program.stock().ready() == 0 {
        run_program(&program, &[], settings(u64::MAX, PATIENCE));
        assert!(Instant::now() < end, "none stands ready");
    }
    let before = program.stock().taken();
    let started = Instant::now();
    let soon = settings(u64::MAX, Duration::from_millis(20));
    let execution = run_program(&program, &[1], soon);
    assert!(matches!(&execution.end, End::Limit(it) if it.limit == Limit::Time));
    assert!(started.elapsed() < PATIENCE / 4);
    assert_eq!(program.stock().taken(), before + 1, "it stood ready");
}
