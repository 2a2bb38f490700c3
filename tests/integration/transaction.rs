//! The transaction: what a run sees of itself, what remains of it where it fails, and what it costs.

use crate::harness::engines::{Setup, commits, fails, json, value};
use std::time::{Duration, Instant};
use theus_core::transaction::Transaction;
use theus_host::{
    Call, Change, ChangeOp, Engine, List, Map, Outcome, Path, Snapshot, Tree, Value, args,
};

/// A context with a list of so many numbers at `domain.data.list`.
fn list_of(len: i64) -> Tree {
    let list: List = (0..len).map(Value::Int).collect();
    let data: Map = [("list", Value::List(list))].into_iter().collect();
    let domain: Map = [("data", Value::Map(data))].into_iter().collect();
    Tree::new(Map::new(), domain)
}

/// The median of 200 measurements of 20 rounds each.
fn median(mut round: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..200)
        .map(|_| {
            let started = Instant::now();
            (0..20).for_each(|_| round());
            started.elapsed()
        })
        .collect();
    times.sort();
    times[times.len() / 2]
}

/// Asserts that work costs about the same on a list of 100 as on one of 1,000,000 elements.
///
/// What grew with the list would be 10,000 times as dear.
fn costs_the_same(what: &str, mut work: impl FnMut(&Snapshot)) {
    let [small, large] = [100, 1_000_000].map(|len| {
        let snapshot = Snapshot {
            version: 0,
            tree: list_of(len),
        };
        median(|| work(&snapshot))
    });
    assert!(
        large < small * 20 + Duration::from_micros(20),
        "{what}: {small:?}, then {large:?}"
    );
}

#[test]
fn the_cost_follows_the_change_not_the_context() {
    let list = Path::parse("domain.data.list").expect("a path");
    let element = Path::parse("domain.data.list[50]").expect("a path");
    costs_the_same("a snapshot", |snapshot| {
        std::hint::black_box(snapshot.clone());
    });
    costs_the_same("opening and dropping a transaction", |snapshot| {
        drop(Transaction::begin(snapshot.clone()));
    });
    costs_the_same("push, changes and commit", |snapshot| {
        let mut transaction = Transaction::begin(snapshot.clone());
        transaction
            .push(list.clone(), Value::Int(1))
            .expect("a list");
        assert_eq!(transaction.changes().len(), 1);
        transaction.commit(snapshot).expect("it fits");
    });
    costs_the_same("set of an element, and rollback", |snapshot| {
        let mut transaction = Transaction::begin(snapshot.clone());
        transaction
            .set(element.clone(), Value::Nil)
            .expect("an element");
        drop(transaction);
    });
}

/// The same through the whole pipeline, guest and all.
#[test]
fn a_run_on_a_large_context_costs_what_it_costs_on_a_small_one() {
    let median = |engine: &Engine| {
        let mut times: Vec<Duration> = (0..100)
            .map(|_| {
                let args = args! { "path" => "domain.data.list", "value" => 1 };
                let call = Call::new("push_raw", args);
                let started = Instant::now();
                assert_eq!(engine.call(call).error, None);
                started.elapsed()
            })
            .collect();
        times.sort();
        times[times.len() / 2]
    };
    let [small, large] = [100, 1_000_000].map(|len| {
        let engine = Setup::probe().tree(list_of(len)).engine();
        let time = median(&engine);
        let list = value(&engine, "domain.data.list").expect("the list");
        assert_eq!(list.as_list().expect("a list").len() as i64, len + 100);
        time
    });
    assert!(large < small * 10, "{small:?}, then {large:?}");
}

fn script(steps: &str) -> Map {
    args! { "steps" => json(steps) }
}

#[test]
fn reads_see_the_runs_own_writes() {
    let engine = Setup::probe().engine();
    let receipt = commits(
        &engine,
        "script",
        script(
            r#"[{"get": {"path": "domain.data.a"}},
                {"set": {"path": "domain.data.a", "value": {"b": 1}}},
                {"get": {"path": "domain.data.a"}},
                {"set": {"path": "domain.data.a.c", "value": 2}},
                {"keys": {"path": "domain.data.a"}},
                {"push": {"path": "domain.data.list", "value": 7}},
                {"push": {"path": "domain.data.list", "value": 8}},
                {"len": {"path": "domain.data.list"}},
                {"get": {"path": "domain.data.list[1]"}},
                {"remove": {"path": "domain.data.list[0]"}},
                {"get": {"path": "domain.data.list"}},
                {"remove": {"path": "domain.data.a.b"}},
                {"remove": {"path": "domain.data.a.b"}},
                {"get": {"path": "domain.data"}}]"#,
        ),
    );
    assert_eq!(
        receipt.result,
        Some(json(
            r#"[null, null, {"b": 1}, null, ["b", "c"], 1, 2, 2, 8, true, [8], true, false,
                {"a": {"c": 2}, "list": [8]}]"#
        ))
    );
    assert_eq!(
        value(&engine, "domain.data"),
        Some(json(r#"{"a": {"c": 2}, "list": [8]}"#))
    );
}

#[test]
fn changes_are_net() {
    let engine = Setup::probe()
        .context(r#"{"domain": {"data": {"kept": 1, "changed": 1, "gone": 1}}}"#)
        .engine();
    let receipt = commits(
        &engine,
        "script",
        script(
            r#"[{"set": {"path": "domain.data.changed", "value": 2}},
                {"set": {"path": "domain.data.kept", "value": 5}},
                {"set": {"path": "domain.data.changed", "value": 3}},
                {"set": {"path": "domain.data.kept", "value": 1}},
                {"set": {"path": "domain.data.fleeting", "value": 1}},
                {"remove": {"path": "domain.data.fleeting"}},
                {"remove": {"path": "domain.data.gone"}},
                {"set": {"path": "domain.data.new", "value": {}}},
                {"set": {"path": "domain.data.new.below", "value": 1}}]"#,
        ),
    );
    let change = |path, op, old, new: &str| Change {
        path: Path::parse(path).expect(path),
        op,
        old,
        new: json(new),
    };
    assert_eq!(
        receipt.changes,
        [
            change("domain.data.changed", ChangeOp::Set, Value::Int(1), "3"),
            change("domain.data.gone", ChangeOp::Remove, Value::Int(1), "null"),
            change(
                "domain.data.new",
                ChangeOp::Set,
                Value::Nil,
                r#"{"below": 1}"#
            ),
        ]
    );
}

#[test]
fn a_run_without_writes_does_not_raise_the_version() {
    let engine = Setup::probe().engine();
    let receipt = commits(&engine, "get_raw", args! { "path" => "domain.inbox.text" });
    assert_eq!(
        (receipt.version, receipt.result),
        (0, Some(Value::from("hello")))
    );
    assert_eq!(commits(&engine, "increment", args! {}).version, 1);
    assert_eq!(
        commits(&engine, "remove_raw", args! { "path" => "domain.data.x" }).version,
        1
    );
    let records = engine.records();
    let made: Vec<_> = records.iter().map(|record| record.version).collect();
    assert_eq!(made, [None, Some(1), None]);
}

/// Law 4, for every way in which a run can end badly after it has written; `fails` compares the context's bytes.
#[test]
fn a_rollback_is_the_identity_whatever_ended_the_run() {
    let engine = Setup::probe()
        .limits(|limits| limits.writes = 10)
        .recipe(
            "process_recipes: { increment: { outputs: [{ field: domain.counter, max: 0, level: B }] } }",
        )
        .engine();
    let set = r#"{"set": {"path": "domain.data.a", "value": 1}}"#;
    let after_a_set = |step: &str| script(&format!("[{set}, {step}]"));
    let data_is_gone = args! { "code" => "ValueError", "message" => "declared" };
    for (process, args, code) in [
        ("fail", data_is_gone, "ValueError"),
        (
            "fail",
            args! { "code" => "Other", "message" => "" },
            "THEUS-C003",
        ),
        (
            "fail",
            args! { "code" => "Decode", "message" => "" },
            "THEUS-T007",
        ),
        (
            "signal",
            args! { "value" => 1, "fail" => true },
            "ValueError",
        ),
        (
            "panic_now",
            args! { "message" => "on purpose" },
            "THEUS-T002",
        ),
        ("fail_decode", args! {}, "THEUS-T007"),
        ("write_undeclared", args! {}, "THEUS-C002"),
        ("increment", args! {}, "THEUS-A001"),
        ("many_writes", args! { "count" => 11 }, "THEUS-L009"),
        (
            "script",
            after_a_set(r#"{"get": {"path": "domain.hidden"}}"#),
            "THEUS-C001",
        ),
        (
            "script",
            after_a_set(r#"{"get": {"path": "domain..a"}}"#),
            "THEUS-T003",
        ),
        (
            "script",
            after_a_set(r#"{"push": {"path": "domain.data.a", "value": 1}}"#),
            "THEUS-T005",
        ),
        (
            "script",
            after_a_set(r#"{"set": {"path": "domain.data.b.c", "value": 1}}"#),
            "THEUS-T005",
        ),
    ] {
        let receipt = fails(&engine, process, args, code);
        assert_eq!(receipt.outcome, Outcome::RolledBack, "{process}");
    }
    // What was rolled back is not in the way of what comes.
    commits(&engine, "many_writes", args! { "count" => 10 });
    assert_eq!(value(&engine, "domain.data"), Some(json("{}")));
}

/// A commit applies its writes to the head as it is by then, never the tree that it began with.
#[test]
fn a_commit_keeps_what_others_committed_meanwhile() {
    use crate::harness::in_flight::{counting, during_spin};
    let engine = counting().engine();
    during_spin(&engine, "a", |still_running| {
        commits(&engine, "increment", args! {});
        commits(&engine, "increment_at", args! { "slot" => "b" });
        assert!(still_running());
    });
    assert_eq!(value(&engine, "domain.counter"), Some(Value::Int(1)));
    let slots = value(&engine, "domain.slots").expect("the slots");
    assert_eq!(slots.as_map().expect("a map").len(), 2);
}
