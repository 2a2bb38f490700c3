//! Contract-scoped locks: what runs side by side, what waits, and that nothing is lost.

use crate::harness::engines::{Setup, commits, fails, value};
use crate::harness::in_flight::{LONG, behind_an_edit, counting, during_spin, spin};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use theus_host::{Actor, Call, EditError, Engine, ErrorKind, Outcome, Record, Step, Value, args};

/// The version that a run read and the one that it made, by process name, in the order of their commits.
fn versions(engine: &Engine) -> Vec<(String, u64, u64)> {
    let name = |record: &Record| match &record.actor {
        Actor::Process { name, .. } => name.to_string(),
        other => format!("{other:?}"),
    };
    let records = engine.records();
    let committed = records.iter().filter_map(|it| {
        let (read, made) = (it.read_version?, it.version?);
        Some((name(it), read, made))
    });
    let mut committed: Vec<_> = committed.collect();
    committed.sort_by_key(|(_, _, made)| *made);
    committed
}

#[test]
fn forty_thousand_increments_by_eight_threads_are_forty_thousand() {
    const THREADS: i64 = 8;
    const EACH: i64 = 5_000;
    let engine = Setup::probe().engine();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..EACH {
                    let receipt = engine.call(Call::new("increment", args! {}));
                    assert_eq!(receipt.error, None);
                }
            });
        }
    });
    assert_eq!(
        value(&engine, "domain.counter"),
        Some(Value::Int(THREADS * EACH))
    );
    assert_eq!(
        engine.context().version,
        u64::try_from(THREADS * EACH).expect("small")
    );
}

#[test]
fn disjoint_runs_overlap_in_time() {
    let engine = counting().engine();
    let (long, ()) = during_spin(&engine, "a", |still_running| {
        commits(&engine, "spin_for", spin(1, "b").args);
        commits(&engine, "increment", args! {});
        assert!(still_running(), "they did not wait for the long run");
    });
    assert_eq!(long.outcome, Outcome::Committed);
    let expected = [("spin_for", 0, 1), ("increment", 1, 2), ("spin_for", 0, 3)];
    assert_eq!(
        versions(&engine),
        expected.map(|(name, read, made)| (name.to_owned(), read, made)),
        "the long run read version 0, and its writes went into a head that had moved on"
    );
    assert_eq!(value(&engine, "domain.slots.b"), Some(Value::Int(1)));
}

#[test]
fn runs_with_equal_outputs_do_not_overlap() {
    let engine = counting().engine();
    let (long, waited) = during_spin(&engine, "a", |_| {
        commits(&engine, "spin_for", spin(1, "a").args)
    });
    assert_eq!((long.version, waited.version), (1, 2));
    assert_eq!(
        versions(&engine),
        [("spin_for".into(), 0, 1), ("spin_for".into(), 1, 2)],
        "the second one read what the first one made"
    );
    assert_eq!(value(&engine, "domain.slots.a"), Some(Value::Int(1)));
    let time = |step| waited.stats.steps.time(step).expect("a step");
    assert!(
        time(Step::Lock) > time(Step::Execution),
        "{:?}",
        waited.stats
    );
}

#[test]
fn an_ancestor_waits_for_its_descendant() {
    let engine = counting().engine();
    let (long, above) = during_spin(&engine, "a", |_| {
        commits(&engine, "many_writes", args! { "count" => 1 })
    });
    assert_eq!((long.version, above.version), (1, 2));
    assert_eq!(
        versions(&engine),
        [("spin_for".into(), 0, 1), ("many_writes".into(), 1, 2)]
    );
}

#[test]
fn a_descendant_waits_for_its_ancestor() {
    let engine = Setup::probe().engine();
    // The edit stands for a long run on an ancestor: it holds both layers.
    let call = Call::new("increment_at", args! { "slot" => "x" });
    let receipt = behind_an_edit(&engine, call, |context| context.set("domain.slots.x", 41));
    assert_eq!(receipt.result, Some(Value::Int(42)));
    assert_eq!(receipt.version, 2);
}

/// An input is shared: its readers run side by side, and a writer waits for them.
#[test]
fn rules_lock_what_they_read() {
    // The rule makes `spin_for` a reader of the counter, which `increment` writes.
    let recipe = "
process_recipes:
  spin_for:
    inputs:
      - { field: iterations, max: 0, level: I, min_threshold: 1000000, max_threshold: 1000000 }
    outputs:
      - { field: domain.counter, max: 0, level: B }
";
    let engine = counting().recipe(recipe).engine();
    let (long, counted) = during_spin(&engine, "a", |still_running| {
        commits(&engine, "spin_for", spin(1, "b").args);
        assert!(
            still_running(),
            "two readers of the counter do not wait for one another"
        );
        commits(&engine, "increment", args! {})
    });
    assert_eq!((long.error, long.version), (None, 2));
    assert_eq!(counted.version, 3, "its writer waits for both");
}

#[test]
fn readers_of_the_context_never_wait() {
    let engine = counting().engine();
    let (_, ()) = during_spin(&engine, "a", |still_running| {
        for _ in 0..1_000 {
            assert_eq!(engine.context().version, 0);
        }
        assert!(still_running());
    });
    // Not even where everything is locked: the reader answers while the edit waits for it.
    let (answer, answered) = mpsc::channel();
    let version = engine.edit(|_| {
        let reader = engine.clone();
        thread::spawn(move || answer.send(reader.context().version));
        answered
            .recv_timeout(Duration::from_secs(60))
            .map_err(|error| EditError::Abandoned(error.to_string()))
    });
    assert_eq!(version, Ok(1));
}

/// In permissive mode a contract says nothing about what a run touches.
#[test]
fn permissive_runs_lock_everything() {
    let engine = counting().permissive().engine();
    thread::scope(|scope| {
        let both: Vec<_> = ["a", "b"]
            .map(|key| scope.spawn(|| engine.call(spin(LONG / 4, key))))
            .into_iter()
            .collect();
        for run in both {
            assert_eq!(run.join().expect("the run ends").error, None);
        }
    });
    assert_eq!(
        versions(&engine),
        [("spin_for".into(), 0, 1), ("spin_for".into(), 1, 2)],
        "disjoint as they are, the second one read what the first one made"
    );
}

#[test]
fn a_deadline_that_passes_in_the_queue_refuses() {
    let engine = Setup::probe()
        .limits(|limits| limits.timeout = Duration::from_millis(50))
        .engine();
    let receipt = engine
        .edit(|_| Ok(fails(&engine, "increment", args! {}, "THEUS-L002")))
        .expect("an edit");
    assert_eq!(
        receipt.outcome,
        Outcome::Refused,
        "its guest was not entered"
    );
    let error = receipt.error.expect("an error");
    assert_eq!(error.kind(), ErrorKind::Limit);
    assert!(error.to_string().contains("50 ms"), "{error}");
    // Whoever gave up holds nothing back.
    assert_eq!(engine.call(Call::new("increment", args! {})).error, None);
}

#[test]
fn an_edit_waits_like_a_run_and_no_longer() {
    let engine = Setup::probe()
        .limits(|limits| limits.timeout = Duration::from_millis(50))
        .engine();
    let inner = engine
        .edit(|_| Ok(engine.edit(|_| Ok(()))))
        .expect("an edit");
    assert_eq!(inner, Err(EditError::TimedOut));
}

/// 32 threads, runs on equal, ancestor, descendant and disjoint places, edits between: everybody comes to an end, and
/// the result is that of some order one after the other.
#[test]
fn random_runs_neither_deadlock_nor_lose_anything() {
    const THREADS: u64 = 32;
    const EACH: u64 = 20;
    let engine = Setup::probe().engine();
    let counted = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let engine = &engine;
                scope.spawn(move || {
                    let mut state = (thread + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                    let mut slots = [0_i64; 3];
                    for _ in 0..EACH {
                        state ^= state << 13;
                        state ^= state >> 7;
                        state ^= state << 17;
                        let slot = usize::try_from(state % 3).expect("small");
                        match state >> 60 {
                            0 => engine
                                .edit(|context| context.push("domain.deep", 1).map(drop))
                                .expect("an edit"),
                            1..4 => {
                                commits(engine, "increment", args! {});
                            }
                            // Writes slots of its own, under the ancestor of all slots.
                            4..6 => {
                                commits(engine, "many_writes", args! { "count" => 2 });
                            }
                            _ => {
                                commits(
                                    engine,
                                    "increment_at",
                                    args! { "slot" => format!("s{slot}") },
                                );
                                slots[slot] += 1;
                            }
                        }
                    }
                    slots
                })
            })
            .collect();
        let mut sum = [0; 3];
        for thread in threads {
            let slots = thread.join().expect("every run ends");
            sum = [0, 1, 2].map(|slot| sum[slot] + slots[slot]);
        }
        sum
    });
    for (slot, count) in counted.into_iter().enumerate() {
        let place = format!("domain.slots.s{slot}");
        assert_eq!(value(&engine, &place), Some(Value::Int(count)), "{place}");
    }
    assert_eq!(engine.context().version, THREADS * EACH);
}
