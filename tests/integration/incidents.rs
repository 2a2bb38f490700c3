//! The incident reports of the seed's own family, by number: what went wrong there, tried here.
//!
//! They share one engine; each has a place of its own in the context.

use crate::harness::engines::{Setup, commits, json, value};
use std::sync::OnceLock;
use std::thread;
use theus_host::{Call, Engine, Outcome, Receipt, Snapshot, Value, args};

const CONTEXT: &str = r#"{"domain": {"counter": 0, "slots": {}, "record": {"child": 1, "sibling": 2},
    "inbox": {"list": [1, 2, 3], "map": {"deep": {"list": [1]}}},
    "data": {"inc001": {"list": [1], "map": {"a": 1}}, "inc003": {"a": 1, "b": {"c": 2, "d": 3}}, "inc013": {"a": {}},
             "inc020": 1, "inc021": [], "inc026": 0},
    "sig_done": null}}"#;

fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| Setup::probe().context(CONTEXT).engine())
}

fn script(steps: &str) -> Receipt {
    commits(engine(), "script", args! { "steps" => json(steps) })
}

fn refused(process: &str, steps: &str) -> String {
    let args = match process {
        "script" => args! { "steps" => json(steps) },
        _ => args! {},
    };
    let receipt = engine().call(Call::new(process, args));
    assert_eq!(receipt.outcome, Outcome::RolledBack);
    receipt.error.expect("it is refused").code()
}

fn data(name: &str) -> Value {
    value(engine(), &format!("domain.data.{name}")).expect(name)
}

/// In-place changes of a list or map inside a process were silently lost at commit.
#[test]
fn inc_001_changes_inside_lists_and_maps_are_committed() {
    script(
        r#"[{"set": {"path": "domain.data.inc001.list[0]", "value": 2}},
            {"push": {"path": "domain.data.inc001.list", "value": 3}},
            {"set": {"path": "domain.data.inc001.map.b", "value": 2}},
            {"remove": {"path": "domain.data.inc001.map.a"}}]"#,
    );
    assert_eq!(data("inc001"), json(r#"{"list": [2, 3], "map": {"b": 2}}"#));
}

/// A partial update of a map dropped its sibling keys.
#[test]
fn inc_003_a_partial_update_keeps_the_siblings() {
    script(r#"[{"set": {"path": "domain.data.inc003.b.c", "value": 9}}]"#);
    assert_eq!(data("inc003"), json(r#"{"a": 1, "b": {"c": 9, "d": 3}}"#));
}

/// An output on a child let the parent be replaced.
#[test]
fn inc_004_an_output_on_a_child_does_not_cover_its_parent() {
    assert_eq!(refused("write_ancestor", ""), "THEUS-C002");
    let record = value(engine(), "domain.record");
    assert_eq!(record, Some(json(r#"{"child": 1, "sibling": 2}"#)));
}

/// An accessor handed out the raw state, so writes bypassed the transaction; read-only views froze the top level only;
/// a proxy exposed the object that it guarded.
#[test]
fn inc_005_006_019_a_snapshot_is_a_value_of_its_own() {
    let before = engine().context();
    let mut mine = Snapshot::clone(&before);
    let path = |text| theus_host::Path::parse(text).expect(text);
    mine.tree
        .set(&path("domain.inbox.map.deep.list[0]"), Value::Int(99))
        .expect("it is mine");
    let place = path("domain.inbox.map.deep.list");
    for shared in [engine().context(), before] {
        assert_eq!(shared.tree.get(&place), Some(&json("[1]")));
    }
}

/// A write through a read-only view succeeded and vanished; list methods changed a protected list in place.
#[test]
fn inc_010_018_a_write_to_an_input_is_an_error() {
    for step in [
        r#"{"set": {"path": "domain.inbox.list[0]", "value": 9}}"#,
        r#"{"push": {"path": "domain.inbox.list", "value": 9}}"#,
        r#"{"remove": {"path": "domain.inbox.list[0]"}}"#,
        r#"{"set": {"path": "domain.inbox.map.deep.new", "value": 9}}"#,
    ] {
        assert_eq!(
            refused("script", &format!("[{step}]")),
            "THEUS-C002",
            "{step}"
        );
    }
    assert_eq!(
        value(engine(), "domain.inbox.list"),
        Some(json("[1, 2, 3]"))
    );
}

/// The strictness flag never reached the core, so strict meant nothing.
#[test]
fn inc_011_strict_is_the_default_and_means_something() {
    let receipt = engine().call(Call::new("write_undeclared", args! {}));
    assert_eq!(receipt.mode, theus_host::Mode::Strict);
    assert_eq!(receipt.error.expect("refused").code(), "THEUS-C002");
}

/// Audit rules were loaded and never evaluated; a rule's own level and threshold gave way to global ones.
#[test]
fn inc_012_each_rule_has_its_own_level_and_threshold() {
    let recipe = "
audit: { level: C, threshold_max: 50 }
process_recipes:
  add_product:
    inputs:
      - { field: price, max: 10, level: B, max_threshold: 2 }
      - { field: price, max: 10 }
";
    let engine = Setup::warehouse().recipe(recipe).engine();
    let add = || {
        engine.call(Call::new(
            "add_product",
            args! { "product_name" => "a", "price" => 11 },
        ))
    };
    assert_eq!(
        add().outcome,
        Outcome::Committed,
        "the first is below both thresholds"
    );
    assert_eq!(add().error.expect("the second is not").code(), "THEUS-A001");
}

/// A new key in a nested map was lost.
#[test]
fn inc_013_a_new_key_in_a_nested_map_is_kept() {
    script(
        r#"[{"set": {"path": "domain.data.inc013.a.b", "value": {}}},
            {"set": {"path": "domain.data.inc013.a.b.c", "value": 1}}]"#,
    );
    assert_eq!(data("inc013"), json(r#"{"a": {"b": {"c": 1}}}"#));
}

/// A transaction object ended up inside the stored data.
#[test]
fn inc_020_what_is_stored_is_a_plain_value() {
    script(
        r#"[{"get": {"path": "domain.data.inc020"}}, {"set": {"path": "domain.data.inc020", "value": [{"a": 1}]}}]"#,
    );
    assert_eq!(data("inc020"), json(r#"[{"a": 1}]"#));
}

/// Consecutive saves read a stale snapshot, so the third and later were lost.
#[test]
fn inc_021_each_run_reads_what_the_one_before_made() {
    for round in 1..=5_i64 {
        let receipt = script(r#"[{"push": {"path": "domain.data.inc021", "value": 0}}]"#);
        assert_eq!(
            receipt.result,
            Some(Value::List([Value::Int(round)].into_iter().collect()))
        );
    }
}

/// A signal was published before its commit was certain.
#[test]
fn inc_023_a_signal_follows_its_commit() {
    let events = engine().subscribe();
    let fail = args! { "value" => 1, "fail" => true };
    assert!(engine().call(Call::new("signal", fail)).error.is_some());
    assert_eq!(events.try_next(), None);
    let receipt = commits(engine(), "signal", args! { "value" => 2, "fail" => false });
    let Some(theus_host::Event::Signal { version, signal }) = events.try_next() else {
        panic!("no signal");
    };
    assert_eq!((version, signal.value), (receipt.version, Value::Int(2)));
}

/// A result or a write in the same run blocked the other's mapping into outputs.
#[test]
fn inc_026_results_and_writes_do_not_get_in_each_others_way() {
    let receipt = script(
        r#"[{"set": {"path": "domain.data.inc026", "value": 5}}, {"get": {"path": "domain.data.inc026"}}]"#,
    );
    assert_eq!(receipt.result, Some(json("[null, 5]")));
    assert_eq!(data("inc026"), Value::Int(5));
}

/// A public call replaced the state with no version check; of two concurrent writers the second silently overwrote the
/// first.
#[test]
fn inc_027_028_concurrent_writers_lose_nothing() {
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..50 {
                    commits(engine(), "increment_at", args! { "slot" => "inc028" });
                    let edited = engine().edit(|context| {
                        let slot = context.get("domain.slots.inc027")?;
                        let count = slot.as_ref().and_then(Value::as_i64).unwrap_or(0);
                        context.set("domain.slots.inc027", count + 1)
                    });
                    assert_eq!(edited, Ok(()));
                }
            });
        }
    });
    for slot in ["inc027", "inc028"] {
        let place = format!("domain.slots.{slot}");
        assert_eq!(value(engine(), &place), Some(Value::Int(100)), "{slot}");
    }
}
