//! The interlock: the engine-wide stop that a level S rule throws.

use crate::harness::engines::{Setup, bytes, commits, fails, message, value};
use crate::harness::guests;
use crate::harness::in_flight::{LONG, behind_an_edit, spin, wait_for_admitted};
use std::thread;
use theus_host::{Actor, Call, Engine, ErrorKind, Gate, Outcome, Value, args};

/// Level S on a price over 9; `spin_for` is counted, and stopped by level S above a bound on the context.
const RECIPE: &str = "
process_recipes:
  add_product:
    inputs:
      - { field: price, max: 9, level: S, message: 'far too much' }
  increment:
    inputs:
      - { field: domain.counter, max: 9, level: S, message: 'the counter is beyond its bound' }
  spin_for:
    inputs:
      - { field: iterations, max: 0, level: I, min_threshold: 1000000, max_threshold: 1000000 }
";

fn engine() -> Engine {
    Setup::probe()
        .and(guests::warehouse())
        .recipe(RECIPE)
        .limits(|limits| limits.fuel = u64::MAX / 2)
        .engine()
}

fn throw(engine: &Engine) {
    let call = Call::new(
        "add_product",
        args! { "product_name" => "TV", "price" => 10 },
    );
    let error = engine.call(call).error.expect("level S refuses");
    assert_eq!(error.code(), "THEUS-A003");
}

#[test]
fn a_level_s_verdict_costs_no_instantiation() {
    let engine = engine();
    throw(&engine);
    assert_eq!(engine.sandboxes_made(), 0);
    let stopped = engine.call(Call::new("increment", args! {}));
    assert_eq!(stopped.outcome, Outcome::Refused);
    assert_eq!(engine.sandboxes_made(), 0);
}

#[test]
fn every_later_run_of_every_process_is_refused_until_the_reset() {
    let engine = engine();
    commits(&engine, "increment", args! {});
    throw(&engine);
    let cause = engine.interlock().expect("it is in force");
    assert_eq!(
        (cause.process.as_str(), cause.message.as_str()),
        ("add_product", "far too much")
    );
    let made = engine.sandboxes_made();
    for (process, args) in [
        ("increment", args! {}),
        ("echo", args! { "value" => 1 }),
        (
            "add_product",
            args! { "product_name" => "cheap", "price" => 1 },
        ),
    ] {
        let receipt = fails(&engine, process, args, "THEUS-A004");
        assert_eq!(receipt.outcome, Outcome::Refused);
        assert!(
            message(&receipt).contains("far too much"),
            "{}",
            message(&receipt)
        );
        assert_eq!(
            receipt.error.expect("an error").kind(),
            ErrorKind::Interlock
        );
    }
    assert_eq!(engine.sandboxes_made(), made);

    // Reading and editing go on.
    engine
        .edit(|context| context.set("domain.counter", 5))
        .expect("an edit");
    assert_eq!(value(&engine, "domain.counter"), Some(Value::Int(5)));

    assert_eq!(engine.reset_interlock(), Ok(Some(cause)));
    assert_eq!(
        (engine.interlock(), engine.reset_interlock()),
        (None, Ok(None))
    );
    let actors: Vec<Actor> = engine.records().iter().map(|it| it.actor.clone()).collect();
    assert_eq!(actors.last(), Some(&Actor::InterlockReset));
    commits(&engine, "increment", args! {});
}

#[test]
fn the_first_cause_stays() {
    let engine = Setup::probe()
        .recipe(
            "process_recipes: { many_writes: { outputs: [{ field: domain.slots, max_len: 0, level: S }] } }",
        )
        .engine();
    fails(&engine, "many_writes", args! { "count" => 2 }, "THEUS-A003");
    let cause = engine.interlock().expect("in force");
    fails(&engine, "many_writes", args! { "count" => 1 }, "THEUS-A004");
    assert_eq!(engine.interlock(), Some(cause));
}

#[test]
fn a_run_in_flight_cannot_slip_through() {
    let engine = engine();
    let before = bytes(&engine);
    let receipt = thread::scope(|scope| {
        let running = scope.spawn(|| engine.call(spin(LONG, "a")));
        wait_for_admitted(&engine, &running);
        throw(&engine);
        running.join().expect("the run ends")
    });
    let error = receipt.error.expect("it must not commit");
    assert_eq!(error.code(), "THEUS-A004");
    assert_eq!(
        receipt.outcome,
        Outcome::RolledBack,
        "its guest had been entered"
    );
    assert!(receipt.changes.is_empty() && receipt.result.is_none());
    assert_eq!(bytes(&engine), before);
    assert_eq!(engine.context().version, 0);
}

/// The rule passes at the gate; the key it reads changes while the run waits for its lock.
#[test]
fn a_race_between_gate_and_lock_does_not_beat_a_rule() {
    let engine = engine();
    let increment = Call::new("increment", args! {});
    let receipt = behind_an_edit(&engine, increment, |context| {
        context.set("domain.counter", 10)
    });
    let error = receipt.error.as_ref().expect("level S refuses");
    assert_eq!(error.code(), "THEUS-A003");
    assert_eq!(
        receipt.outcome,
        Outcome::Refused,
        "no instruction of its guest ran"
    );
    assert_eq!(receipt.audit.len(), 1, "only the last verdict counts, once");
    assert_eq!(
        (receipt.audit[0].gate, receipt.audit[0].count),
        (Gate::Input, 1)
    );
    assert!(engine.interlock().is_some());
    assert_eq!(value(&engine, "domain.counter"), Some(Value::Int(10)));
}

/// The other way round: a rule that would have refused at the gate is judged on what the run really reads.
#[test]
fn a_verdict_that_lets_pass_counts_once() {
    let engine = Setup::probe()
        .recipe(
            "process_recipes: { increment: { inputs: [{ field: domain.counter, max: 0, level: C, \
             max_threshold: 10, reset_on_success: false }] } }",
        )
        .engine();
    commits(&engine, "increment", args! {});
    for count in 1..=3 {
        let receipt = commits(&engine, "increment", args! {});
        assert_eq!(receipt.audit[0].count, count);
    }
}

/// Thrown while a run waits for its lock: the run is refused when it is admitted.
#[test]
fn a_run_that_waits_is_refused_too() {
    let engine = engine();
    let receipt = behind_an_edit(&engine, Call::new("increment", args! {}), |_| {
        throw(&engine);
        Ok(())
    });
    assert_eq!(receipt.error.expect("it must not run").code(), "THEUS-A004");
    assert_eq!(receipt.outcome, Outcome::Refused);
}
