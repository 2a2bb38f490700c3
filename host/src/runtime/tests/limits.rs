//! Every limit that the runtime enforces, at its edge.

use super::guests::{component, data, running, with_module};
use super::{FUEL, PATIENCE, RUNTIME, run, run_program, run_with, settings};
use crate::guest::MAX_CORE_INSTANCES;
use crate::runtime::{End, Runtime};
use std::thread;
use std::time::{Duration, Instant};
use theus_core::limits::{Limit, Limits};

/// Asserts that a limit ended the run, and gives what was allowed.
fn limit(end: &End) -> (Limit, u64) {
    match end {
        End::Limit(exceeded) => (exceeded.limit, exceeded.allowed),
        other => panic!("no limit: {other:?}"),
    }
}

const FOREVER: &str = "(loop $on (br $on)) unreachable";

#[test]
fn fuel_runs_out() {
    let execution = run(&running(FOREVER));
    assert_eq!(limit(&execution.end), (Limit::Fuel, FUEL));
    assert_eq!(execution.fuel, FUEL);
    assert!(execution.guard.is_some());
}

#[test]
fn time_runs_out() {
    let program = RUNTIME
        .compile(&running(FOREVER))
        .expect("the guest compiles");
    let started = Instant::now();
    let execution = run_program(&program, &[], settings(u64::MAX, Duration::from_millis(50)));
    assert_eq!(limit(&execution.end).0, Limit::Time);
    let took = started.elapsed();
    assert!(took >= Duration::from_millis(50), "killed early: {took:?}");
    assert!(took < Duration::from_secs(5), "killed late: {took:?}");
}

#[test]
fn a_call_past_its_deadline_enters_no_guest() {
    let program = RUNTIME
        .compile(&running(FOREVER))
        .expect("the guest compiles");
    let execution = run_program(&program, &[], settings(FUEL, Duration::ZERO));
    assert_eq!(limit(&execution.end).0, Limit::Time);
    assert_eq!(execution.fuel, 0);
}

#[test]
fn a_waiting_instance_gets_the_deadline_of_its_call() {
    let program = RUNTIME
        .compile(&running(FOREVER))
        .expect("the guest compiles");
    let instance = program
        .instantiate(&settings(u64::MAX, PATIENCE))
        .expect("nothing stops it");
    let soon = settings(u64::MAX, Duration::from_millis(20));
    let execution = instance.run("work", &[], super::guard(), &soon);
    assert_eq!(limit(&execution.end).0, Limit::Time);
}

/// However soon a guest returns, it may have been too late; no tick needs to come for that.
#[test]
fn what_returns_after_the_deadline_has_not_returned() {
    for body in [
        "(call $ok (i32.const 0) (i32.const 0))",
        "(call $fail (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))",
    ] {
        let program = RUNTIME.compile(&running(body)).expect("the guest compiles");
        let instance = program
            .instantiate(&settings(FUEL, PATIENCE))
            .expect("nothing stops it");
        let over = settings(FUEL, Duration::from_nanos(1));
        let execution = instance.run("work", &[], super::guard(), &over);
        assert_eq!(limit(&execution.end).0, Limit::Time, "{body}");
    }
}

#[test]
fn a_failed_growth_ends_the_run() {
    for (pages, fits) in [(1023, true), (1024, false), (65535, false), (-1, false)] {
        let execution = run(&running(&format!(
            "(drop (memory.grow (i32.const {pages}))) (call $ok (i32.const 0) (i32.const 0))"
        )));
        if fits {
            assert!(matches!(execution.end, End::Returned(_)), "{pages}");
            assert_eq!(execution.memory_peak, 64 << 20);
        } else {
            assert_eq!(
                limit(&execution.end),
                (Limit::MemoryBytes, 64 << 20),
                "{pages}"
            );
        }
    }
}

#[test]
fn growth_over_the_modules_own_maximum_ends_the_run() {
    let module = r#"(module (memory (export "memory") 1 2)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8))
        (func (export "theus:process/processes@0.1.0#run") (param i32 i32 i32 i32) (result i32)
            (drop (memory.grow (i32.const 2))) unreachable))"#;
    assert_eq!(limit(&run(&component(module)).end).0, Limit::MemoryBytes);
}

#[test]
fn memory_is_summed_over_core_instances() {
    // Two modules with memories of their own: each is under the limit, both together are over it.
    let text = |pages: u32| {
        format!(
            r#"(component
                (core module $side (memory 600))
                (core instance $side (instantiate $side))
                (core module $main
                    (memory (export "memory") 1)
                    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8))
                    (func (export "run") (param i32 i32 i32 i32) (result i32)
                        (drop (memory.grow (i32.const {pages}))) (i32.const 1024)))
                (core instance $main (instantiate $main))
                {PROCESSES}
            )"#
        )
    };
    let guest = |pages| wat::parse_str(text(pages)).expect("the test's component is valid");
    let execution = run(&guest(423));
    assert!(
        matches!(execution.end, End::Returned(_)),
        "{:?}",
        execution.end
    );
    assert_eq!(execution.memory_peak, 64 << 20);
    assert_eq!(limit(&run(&guest(424)).end), (Limit::MemoryBytes, 64 << 20));
}

/// Lifts `run` of the core instance `$main` into the processes interface.
pub(super) const PROCESSES: &str = include_str!("../../../../guests/hostile/processes.wat");

#[test]
fn a_guest_may_have_as_many_core_instances_as_the_survey_lets_pass() {
    let sides = "(core instance (instantiate $side))".repeat(MAX_CORE_INSTANCES as usize - 1);
    let text = format!(
        r#"(component
            (core module $side) {sides}
            (core module $main
                (memory (export "memory") 1)
                (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8))
                (func (export "run") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
            (core instance $main (instantiate $main))
            {PROCESSES})"#
    );
    let execution = run(&wat::parse_str(text).expect("the test's component is valid"));
    assert!(
        matches!(execution.end, End::Returned(_)),
        "{:?}",
        execution.end
    );
}

#[test]
fn host_work_costs_fuel() {
    // One iteration is a handful of instructions for the guest and a megabyte for the host.
    let flood = r#"
        (drop (memory.grow (i32.const 16)))
        (loop $on (call $log (i32.const 2) (i32.const 2048) (i32.const 1000000)) (br $on)) unreachable"#;
    let execution = run(&running(flood));
    assert_eq!(limit(&execution.end), (Limit::Fuel, FUEL));
    assert!(execution.host_calls < 1_010, "{}", execution.host_calls);
    assert!(execution.log.lines().len() <= 256);

    let reads = with_module(&format!(
        r#"{} (func (export "theus:process/processes@0.1.0#run") (param i32 i32 i32 i32) (result i32)
            (call $get (i32.const 0) (i32.const 8) (i32.const 200))
            (call $ok (i32.const 0) (i32.const 0)))"#,
        data(0, b"domain.a")
    ));
    let idle = run(&running("(call $ok (i32.const 0) (i32.const 0))")).fuel;
    assert!(run(&reads).fuel > idle + 40, "a read is free");
}

#[test]
fn bulk_operations_cost_what_they_touch() {
    let once = |operation: &str| {
        let body = format!("{operation} (call $ok (i32.const 0) (i32.const 0))");
        run(&running(&body)).fuel
    };
    assert!(once("(memory.fill (i32.const 2048) (i32.const 1) (i32.const 60000))") > 60_000);
    assert!(once("(memory.copy (i32.const 2048) (i32.const 0) (i32.const 60000))") > 60_000);
    assert!(once("(drop (memory.grow (i32.const 0)))") > 100);
}

#[test]
fn arguments_and_results_are_limited() {
    let limits = Limits {
        argument_bytes: 10,
        result_bytes: 10,
        ..Limits::default()
    };
    let runtime = Runtime::with_slots(&limits, 1).expect("the pool fits");
    let echo = runtime
        .compile(&running(
            "(call $ok (local.get $args) (local.get $args_len))",
        ))
        .expect("the guest compiles");
    let call = || settings(FUEL, PATIENCE);
    assert!(matches!(
        run_program(&echo, &[0; 10], call()).end,
        End::Returned(_)
    ));
    let end = run_program(&echo, &[0; 11], call()).end;
    assert_eq!(limit(&end), (Limit::ArgumentBytes, 10));
    let end = run_with(&limits, &running("(call $ok (i32.const 0) (i32.const 11))")).end;
    assert_eq!(limit(&end), (Limit::ResultBytes, 10));
}

#[test]
fn arguments_results_and_errors_cost_by_their_size() {
    const BYTES: usize = 8_000;
    const COST: u64 = 1_000;
    let fuel = |body: &str, args: usize| {
        let program = RUNTIME.compile(&running(body)).expect("the guest compiles");
        let execution = run_program(&program, &vec![0; args], settings(FUEL, PATIENCE));
        let is_over = matches!(execution.end, End::Returned(_) | End::Failed { .. });
        assert!(is_over, "{:?}", execution.end);
        execution.fuel
    };
    let nothing = "(call $ok (i32.const 0) (i32.const 0))";
    assert_eq!(fuel(nothing, BYTES + 8) - fuel(nothing, 8), COST);
    for parts in [
        "(call $ok (i32.const 4096) (i32.const BYTES))",
        "(call $fail (i32.const 4096) (i32.const BYTES) (i32.const 0) (i32.const 0))",
        "(call $fail (i32.const 0) (i32.const 0) (i32.const 4096) (i32.const BYTES))",
    ] {
        let of = |bytes: usize| fuel(&parts.replace("BYTES", &bytes.to_string()), 0);
        assert_eq!(of(BYTES) - of(0), COST, "{parts}");
    }
}

#[test]
fn a_full_pool_is_waited_for_until_the_deadline() {
    let runtime = Runtime::with_slots(&Limits::default(), 1).expect("the pool fits");
    let program = runtime
        .compile(&running("(call $ok (i32.const 0) (i32.const 0))"))
        .expect("the guest compiles");
    let held = program
        .instantiate(&settings(FUEL, PATIENCE))
        .expect("nothing stops it");
    let execution = run_program(&program, &[], settings(FUEL, Duration::from_millis(20)));
    assert_eq!(limit(&execution.end).0, Limit::Time);
    assert_eq!(runtime.instantiations(), 1, "it was never made");
    thread::scope(|scope| {
        let waiting = scope.spawn(|| run_program(&program, &[], settings(FUEL, PATIENCE)));
        drop(held);
        let execution = waiting.join().expect("the waiter ends");
        assert!(
            matches!(execution.end, End::Returned(_)),
            "{:?}",
            execution.end
        );
    });
    assert_eq!(runtime.instantiations(), 2);
}

#[test]
fn many_threads_share_a_small_pool() {
    let runtime = Runtime::with_slots(&Limits::default(), 2).expect("the pool fits");
    let program = runtime
        .compile(&running(
            "(call $ok (local.get $args) (local.get $args_len))",
        ))
        .expect("the guest compiles");
    thread::scope(|scope| {
        for thread in 0..8u8 {
            let program = &program;
            scope.spawn(move || {
                for _ in 0..50 {
                    let execution = run_program(program, &[thread], settings(FUEL, PATIENCE));
                    assert!(matches!(execution.end, End::Returned(bytes) if bytes == [thread]));
                }
            });
        }
    });
    assert_eq!(runtime.instantiations(), 400);
}
