//! The schema: what a context may hold, in every mode, on every way in which it changes.

use crate::harness::engines::{PATIENCE, Setup, bytes, commits, fails, json, message, value};
use crate::harness::guests;
use crate::harness::in_flight::{counting, during_spin, spin};
use std::sync::Barrier;
use std::thread;
use theus_host::{
    Call, EditError, Engine, EngineBuildError, ErrorKind, Gate, Limits, Map, Mode, Outcome, Path,
    Policy, RunError, Schema, Step, Tree, Value, args, context_from_json,
};

/// What the tests say of the probe's context; the rest of it is open.
const SCHEMA: &str = "context:
  domain:
    type: map
    open: true
    fields:
      counter: { type: int, max: 2 }
      slots: { type: map, max_len: 3 }
      data: { type: map, fields: { big: { type: bytes, max_len: 4 } } }
      sig_done: { type: any }
      record: { type: map, fields: { child: { type: int }, sibling: { type: int, required: true } } }
";

#[test]
fn a_commit_that_would_break_the_schema_is_rolled_back() {
    let engine = Setup::probe().schema(SCHEMA).engine();
    commits(&engine, "increment", args! {});
    commits(&engine, "increment", args! {});
    let receipt = fails(&engine, "increment", args! {}, "THEUS-C011");
    assert_eq!(receipt.outcome, Outcome::RolledBack);
    let error = receipt.error.as_ref().expect("an error");
    assert_eq!(
        error.to_string(),
        "increment: `domain.counter` is 3, but is declared with `max` 2 (schema.yaml:6)"
    );
    assert_eq!(error.kind(), ErrorKind::Contract);
    assert_eq!(error.path().as_deref(), Some("domain.counter"));
    assert_eq!(error.process(), "increment");
    assert_eq!(
        error.help().as_deref(),
        Some("write a number that fits, or change `max` at schema.yaml:6")
    );
    assert!(matches!(error, RunError::Schema { .. }));
    assert_eq!(receipt.version, 2);
    let last = engine.records().pop().expect("a record");
    assert_eq!(last.error.as_deref(), Some("THEUS-C011"));
    assert_eq!((last.read_version, last.version), (Some(2), None));
    // The lock is free again.
    commits(&engine, "increment_at", args! { "slot" => "a" });
}

/// Constraints of an ancestor, of the value itself, and of what is in it.
#[test]
fn every_way_of_writing_is_checked() {
    let engine = Setup::probe().schema(SCHEMA).engine();
    for (process, args, part) in [
        (
            "many_writes",
            args! { "count" => 4 },
            "`domain.slots` has 4 keys, but is declared with `max_len` 3 (schema.yaml:7)",
        ),
        (
            "big_value",
            args! { "bytes" => 5 },
            "`domain.data.big` has 5 bytes, but is declared with `max_len` 4 (schema.yaml:8)",
        ),
    ] {
        let receipt = fails(&engine, process, args, "THEUS-C011");
        assert_eq!(message(&receipt), format!("{process}: {part}"));
    }
    commits(&engine, "many_writes", args! { "count" => 3 });
    commits(&engine, "big_value", args! { "bytes" => 4 });
}

#[test]
fn a_signal_that_breaks_the_schema_never_was() {
    let schema =
        "context: { domain: { type: map, open: true, fields: { sig_done: { type: bool } } } }";
    let context = json(r#"{"domain":{}}"#);
    let tree = theus_host::context_from_value(&context).expect("a context");
    let engine = Setup::probe().tree(tree).schema(schema).engine();
    // `fails` sees to it that no event is published.
    let args = |value: &str| args! { "value" => value, "fail" => false };
    fails(&engine, "signal", args("no bool"), "THEUS-C011");
    let events = engine.subscribe();
    commits(
        &engine,
        "signal",
        args! { "value" => true, "fail" => false },
    );
    assert!(events.try_next().is_some());
}

#[test]
fn permissive_mode_does_not_relax_the_schema() {
    let engine = Setup::probe().schema(SCHEMA).permissive().engine();
    let receipt = fails(&engine, "many_writes", args! { "count" => 4 }, "THEUS-C011");
    assert_eq!(receipt.mode, Mode::Permissive);
    // What permissive mode lets pass is checked like anything else: the parent of a granted child is replaced.
    let receipt = fails(&engine, "write_ancestor", args! {}, "THEUS-C011");
    assert!(
        message(&receipt)
            .contains("`domain.record.sibling` is absent, but is declared as required"),
        "{}",
        message(&receipt)
    );
    assert_eq!(
        receipt.violations.len(),
        1,
        "the violation is reported all the same"
    );
}

#[test]
fn a_dry_run_is_checked_and_leaves_nothing() {
    let engine = Setup::probe().schema(SCHEMA).engine();
    let call = |count: u64| Call::new("many_writes", args! { "count" => count }).dry_run();
    let refused = engine.call(call(4));
    assert_eq!(
        refused.error.map(|it| it.code()).as_deref(),
        Some("THEUS-C011")
    );
    assert_eq!(engine.call(call(3)).error, None);
    assert_eq!(engine.context().version, 0);
}

/// The output rules judge before the schema: it must not keep a rule from acting, or a counter from counting.
#[test]
fn rules_act_on_what_the_schema_refuses() {
    let recipe = "process_recipes: { many_writes: { outputs: [
        { field: domain.slots, max_len: 3, level: S, max_threshold: 2, message: too many } ] } }";
    let engine = Setup::probe().schema(SCHEMA).recipe(recipe).engine();
    let first = fails(&engine, "many_writes", args! { "count" => 4 }, "THEUS-C011");
    assert_eq!(first.audit.len(), 1);
    assert_eq!(
        (first.audit[0].gate, first.audit[0].count),
        (Gate::Output, 1)
    );
    let last = first.stats.steps.iter().map(|step| step.name).last();
    assert_eq!(last, Some(Step::Commit), "the check belongs to the commit");
    fails(&engine, "many_writes", args! { "count" => 4 }, "THEUS-A003");
    assert!(engine.interlock().is_some());
}

#[test]
fn an_edit_that_would_break_the_schema_is_refused() {
    let engine = Setup::probe().schema(SCHEMA).engine();
    let before = bytes(&engine);
    let refused = engine.edit(|context| {
        context.set("domain.hidden", "changed")?;
        context.set("domain.counter", "three")
    });
    let error = refused.expect_err("a string");
    assert!(matches!(error, EditError::Schema(_)));
    assert_eq!(
        error.to_string(),
        "`domain.counter` is a string, but is declared as `int` (schema.yaml:6)"
    );
    assert_eq!((engine.context().version, bytes(&engine)), (0, before));
    engine
        .edit(|context| context.set("domain.counter", 2))
        .expect("it fits");
    fails(&engine, "increment", args! {}, "THEUS-C011");
}

fn build(schema: &str, context: &str) -> Result<Engine, EngineBuildError> {
    let schema = Schema::parse(schema, "schema.yaml").expect(schema);
    let context = context_from_json(context).expect(context);
    Engine::builder().schema(schema).context(context).build()
}

#[test]
fn the_initial_context_gets_its_defaults_and_is_checked_as_a_whole() {
    let schema = "context: { domain: { total: { type: int, default: 7 }, name: { type: string, required: true } } }";
    let engine = build(schema, r#"{"domain":{"name":"x"}}"#).expect("it fits");
    assert_eq!(value(&engine, "domain.total"), Some(Value::Int(7)));
    assert_eq!(engine.context().version, 0, "a default is no commit");
    // A default is for a new context only.
    engine
        .edit(|context| context.remove("domain.total").map(|_| ()))
        .expect("not required");
    assert_eq!(value(&engine, "domain.total"), None);
    let error = build(schema, r#"{"domain":{"total":"x"}}"#)
        .err()
        .expect("two breaches");
    let EngineBuildError::Schema(breaches) = &error else {
        panic!("{error}")
    };
    let paths: Vec<_> = breaches
        .breaches
        .iter()
        .map(|it| it.path.to_string())
        .collect();
    assert_eq!(paths, ["domain.total", "domain.name"]);
    assert!(
        error
            .to_string()
            .starts_with("the initial context does not fit its schema\n`domain.total` is a string"),
        "{error}"
    );
}

#[test]
fn a_guest_whose_paths_cannot_be_is_not_registered() {
    for (schema, process, path, part) in [
        (
            "context: { domain: { items: { type: list }, total_valeu: { type: int }, sig_restock_needed: { type: bool } } }",
            "add_product",
            "domain.total_value",
            "did you mean `domain.total_valeu`?",
        ),
        (
            "context: { domain: { items: { type: list }, total_value: { type: int }, sig_restock_needed: { type: bool } }, global: {} }",
            "add_product",
            "global.max_capacity",
            "or the declaration at schema.yaml:1",
        ),
    ] {
        for mode in [Mode::Strict, Mode::Permissive] {
            let schema = Schema::parse(schema, "schema.yaml").expect(schema);
            let engine = Engine::builder()
                .schema(schema)
                .mode(mode)
                .build()
                .expect("an engine");
            let file = guests::warehouse().file.as_path();
            let error = engine
                .register(file, Policy::as_declared())
                .expect_err(path);
            assert_eq!(error.code().as_str(), "THEUS-C012", "{error}");
            assert_eq!(error.kind(), ErrorKind::Contract);
            assert_eq!(
                (error.process(), error.path().as_deref()),
                (Some(process), Some(path))
            );
            let help = error.help().unwrap_or_default();
            assert!(format!("{error} {help}").contains(part), "{error} {help}");
            let receipt = engine.call(Call::new(process, Map::new()));
            assert_eq!(
                receipt.error.map(|it| it.code()).as_deref(),
                Some("THEUS-U005")
            );
        }
    }
}

/// Two runs that each add a key, at the same time, where there is room for one.
#[test]
fn keys_that_disjoint_runs_add_are_counted_together() {
    const WORK: u64 = 150_000_000;
    let schema = "context: { domain: { type: map, open: true, fields: { slots: { type: map, max_len: 1 } } } }";
    let engine = Setup::probe()
        .schema(schema)
        .limits(|limits| limits.fuel = u64::MAX / 2)
        .engine();
    let start = Barrier::new(2);
    let codes = thread::scope(|scope| {
        let run = |key: &'static str| {
            let (engine, start) = (&engine, &start);
            scope.spawn(move || {
                start.wait();
                engine.call(spin(WORK, key)).error.map(|error| error.code())
            })
        };
        let both = [run("a"), run("b")];
        both.map(|it| it.join().expect("it ends"))
    });
    let refused: Vec<_> = codes.into_iter().flatten().collect();
    assert_eq!(
        refused,
        ["THEUS-C011"],
        "one commits, the other sees its key"
    );
    let slots = value(&engine, "domain.slots").expect("a map");
    assert_eq!(slots.as_map().map(Map::len), Some(1));
    assert_eq!(engine.context().version, 1);
}

/// Many threads, each with keys of its own: exactly as many are added as there is room for.
#[test]
fn a_bounded_map_is_filled_to_its_bound_by_many_threads() {
    const ROOM: usize = 40;
    const THREADS: usize = 8;
    const EACH: usize = 20;
    let schema = format!(
        "context: {{ domain: {{ type: map, open: true, fields: {{ slots: {{ type: map, max_len: {ROOM}, }} }} }} }}"
    );
    let engine = Setup::probe().schema(&schema).engine();
    let committed: usize = thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS)
            .map(|thread| {
                let engine = &engine;
                scope.spawn(move || {
                    let run = |n: &usize| {
                        let slot = format!("t{thread}n{n}");
                        let receipt =
                            engine.call(Call::new("increment_at", args! { "slot" => slot }));
                        let code = receipt.error.map(|error| error.code());
                        assert!(
                            code.is_none() || code.as_deref() == Some("THEUS-C011"),
                            "{code:?}"
                        );
                        code.is_none()
                    };
                    (0..EACH).filter(run).count()
                })
            })
            .collect();
        workers
            .into_iter()
            .map(|it| it.join().expect("it ends"))
            .sum()
    });
    assert_eq!(committed, ROOM);
    let slots = value(&engine, "domain.slots").expect("a map");
    assert_eq!(slots.as_map().map(Map::len), Some(ROOM));
}

/// A map that is not counted costs no parallelism.
#[test]
fn runs_on_keys_of_a_map_without_a_bound_overlap() {
    let schema = "context: { domain: { type: map, max_len: 100, open: true, fields: {
        slots: { type: map, open: true, fields: { a: { type: int, min: 0 } } } } } }";
    let engine = counting().schema(schema).engine();
    let (long, ()) = during_spin(&engine, "a", |still_running| {
        commits(&engine, "spin_for", spin(1, "b").args);
        assert!(still_running(), "it did not wait for the long run");
    });
    assert_eq!((long.outcome, long.version), (Outcome::Committed, 2));
}

/// What a schema costs a run does not grow with the context: a list of a million elements is not walked.
#[test]
fn a_push_onto_a_long_list_is_checked_without_walking_it() {
    let schema = "context: { domain: { items: { type: list, items: { type: map, fields: { name: { type: string }, price: { type: int } } } },
        total_value: { type: int }, sig_restock_needed: { type: bool } } }";
    let item = json(r#"{"name":"x","price":1}"#);
    let items = Value::List((0..200_000).map(|_| item.clone()).collect());
    let domain: Map = [("items", items), ("total_value", Value::Int(0))]
        .into_iter()
        .collect();
    let engine = Setup::warehouse()
        .tree(Tree::new(Map::new(), domain))
        .schema(schema)
        .limits(|limits: &mut Limits| limits.timeout = PATIENCE)
        .engine();
    let add = |price: i64| args! { "product_name" => "TV", "price" => price };
    let receipt = commits(&engine, "add_product", add(5));
    assert_eq!(
        receipt.changes[0].path,
        Path::parse("domain.items").expect("path")
    );
    let whole = {
        let started = std::time::Instant::now();
        let schema = Schema::parse(schema, "schema.yaml").expect("a schema");
        schema.check(&engine.context().tree).expect("it fits");
        started.elapsed()
    };
    let step = |name| {
        let steps = &commits(&engine, "add_product", add(5)).stats.steps;
        steps
            .iter()
            .find(|step| step.name == name)
            .map(|step| step.time)
    };
    let commit = (0..5)
        .filter_map(|_| step(Step::Commit))
        .min()
        .expect("a commit");
    assert!(
        commit * 20 < whole,
        "the commit took {commit:?}, a check of the whole {whole:?}"
    );
}
