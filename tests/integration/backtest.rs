//! Recipes against histories: what would have been refused, by an oracle that runs the guests.

use crate::harness::engines::{Setup, commits, fails, json};
use crate::harness::wat::{contract_section, core_module};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use theus_core::fuzz::Dice;
use theus_host::backtest::{Backtest, BacktestError, BacktestReport, NotJudgedReason};
use theus_host::store::{self, Commit, CommitId, Entry, Hash, Store};
use theus_host::{Actor, Call, Engine, Gate, Map, Outcome, Policy, Recipe, Tree, Value, args};

/// A store with the probe's context.
fn store() -> Arc<dyn Store> {
    let engine = Setup::probe().engine();
    store::memory(engine.context().tree.clone()).expect("a store")
}

fn recipe(text: &str) -> Recipe {
    let text = format!("process_recipes:\n{text}");
    Recipe::parse(&text, "new.yaml").unwrap_or_else(|error| panic!("{text}\n{error}"))
}

#[track_caller]
fn report(store: &Arc<dyn Store>, rules: &str) -> BacktestReport {
    let recipe = recipe(rules);
    let report = Backtest::new(&recipe).listed(usize::MAX).run(&**store);
    report.unwrap_or_else(|error| panic!("{error}"))
}

/// The records of the commits that would have been refused.
fn refused(report: &BacktestReport) -> Vec<u64> {
    report.refused.first.iter().map(|it| it.seq).collect()
}

fn not_judged(report: &BacktestReport) -> Vec<(NotJudgedReason, u64)> {
    let reasons = report.not_judged.iter();
    reasons.map(|it| (it.reason, it.runs)).collect()
}

/// Calls of every ending, drawn by lot.
fn calls(seed: u64, count: usize) -> Vec<(&'static str, Map)> {
    let bytes = theus_core::fuzz::bytes(seed, 16 * count);
    let mut dice = Dice::new(&bytes);
    let call = |_| match dice.below(8) {
        0..=2 => ("increment", args! {}),
        3 => {
            let name = dice.pick(&["ann", "robert", "x", "josephine"]);
            ("echo_name", args! { "name" => name })
        }
        4 => {
            let (value, fail) = (dice.pick(&[true, false]), dice.once_in(3));
            ("signal", args! { "value" => value, "fail" => fail })
        }
        5 => ("fail", args! { "code" => "ValueError", "message" => "no" }),
        6 => ("panic_now", args! { "message" => "now" }),
        _ => {
            let slot = dice.pick(&["a", "b", "long"]);
            ("increment_at", args! { "slot" => slot })
        }
    };
    (0..count).map(call).collect()
}

fn play(engine: &Engine, calls: &[(&str, Map)]) {
    for (process, args) in calls {
        let _ = engine.call(Call::new(*process, args.clone()));
    }
}

fn entries(store: &Arc<dyn Store>) -> Vec<Entry> {
    let kept = store.entries(0, usize::MAX).expect("sound");
    kept.into_iter().map(|it| it.entry).collect()
}

fn process_of(entry: &Entry) -> String {
    match &entry.record.actor {
        Actor::Process { name, .. } => name.to_string(),
        other => panic!("{other:?}"),
    }
}

const RULES: &str = "  increment:
    inputs:
      - { field: domain.counter, max: 5, level: C, max_threshold: 4, min_threshold: 2, reset_on_success: false }
    outputs:
      - { expr: 'domain.counter == old.domain.counter + 1', level: S }
      - { field: result, max: 9, level: C }
      - { field: domain.counter, in: [1, 2, 4, 8, 16], level: I, max_threshold: 3 }
  echo_name:
    inputs:
      - { field: name, max_len: 3, level: B, min_threshold: 1, max_threshold: 3 }
    outputs:
      - { field: result, neq: x, level: C }
  signal:
    outputs:
      - { field: domain.sig_done, eq: true, level: C, optional: true }
  fail:
    inputs:
      - { field: code, regex: '^V', level: A }
      - { field: domain.counter, max: 3, level: B, threshold: 2 }
  '*':
    outputs:
      - { field: domain.slots, max_len: 2, level: C, reset_on_success: false, max_threshold: 3 }
";

/// What a recipe said of the runs that it was there for, it says again of their records.
#[test]
fn a_recipe_finds_in_its_own_history_what_it_found_then() {
    let store = store();
    let engine = Setup::probe()
        .recipe(&format!("process_recipes:\n{RULES}"))
        .store(store.clone())
        .engine();
    play(&engine, &calls(1, 400));
    let report = report(&store, RULES);
    assert_eq!(report.runs, 400);
    assert_eq!(report.refused.commits, 0);
    assert!(!report.refuses());

    let (mut verdicts, mut refused_then, mut warned_then) = (BTreeMap::new(), 0, 0);
    for entry in entries(&store) {
        let process = process_of(&entry);
        let error = entry.record.error.as_deref().unwrap_or_default();
        refused_then += u64::from(error.starts_with("THEUS-A"));
        let is_commit = entry.record.outcome == Outcome::Committed;
        let actions = entry.record.audit.iter().map(|it| it.action.name());
        let warns = actions.max_by_key(|it| *it == "warn") == Some("warn");
        warned_then += u64::from(is_commit && warns);
        for verdict in &entry.record.audit {
            let key = (process.clone(), verdict.gate, verdict.rule.clone());
            let counts = verdicts.entry(key).or_insert([0_u64; 6]);
            counts[verdict.action as usize] += 1;
        }
    }
    assert!(
        refused_then > 3 && warned_then > 20,
        "{refused_then} {warned_then}"
    );
    assert_eq!(report.refused.others, refused_then);
    assert_eq!(report.warned.commits, warned_then);
    let mut violated = 0;
    for rule in &report.rules {
        let key = (rule.process.to_string(), rule.gate, rule.rule.clone());
        let then = verdicts.remove(&key).unwrap_or_default();
        let now = [
            rule.passed,
            rule.recorded,
            rule.warned,
            rule.blocked,
            rule.aborted,
            rule.thrown,
        ];
        assert_eq!(now, then, "{key:?}");
        assert_eq!(rule.violated, then.iter().sum::<u64>());
        // The output gate is not asked where the guest failed, and these two always do.
        let fails = ["fail", "panic_now"].contains(&&*rule.process);
        let is_asked = rule.gate == Gate::Input || !fails;
        assert_eq!(rule.judged > 0, is_asked, "{key:?}");
        violated += usize::from(rule.violated > 0);
    }
    assert!(
        verdicts.is_empty() && violated >= 7,
        "{violated}: {verdicts:?}"
    );
}

/// Rules that look at arguments alone find the same whatever the context is: so running the calls again under them shows
/// what they would have refused.
#[test]
fn rules_on_arguments_refuse_what_they_would_have_refused() {
    let rules = "  echo_name:
    inputs:
      - { field: name, max_len: 3, level: B, min_threshold: 1, max_threshold: 3, reset_on_success: false }
      - { field: name, neq: x, level: A }
  increment_at:
    inputs:
      - { expr: 'args.slot != \"long\"', level: B, threshold: 2 }
  fail:
    inputs:
      - { field: code, eq: Other, level: B, threshold: 4 }
";
    for seed in 0..4 {
        let (before, after) = (store(), store());
        let calls = calls(seed, 150);
        play(&Setup::probe().store(before.clone()).engine(), &calls);
        let with_rules = Setup::probe().recipe(&format!("process_recipes:\n{rules}"));
        play(&with_rules.store(after.clone()).engine(), &calls);
        let (then, with_rules) = (entries(&before), entries(&after));
        let ran_into_rules: BTreeSet<u64> = with_rules
            .iter()
            .filter(|it| {
                it.record
                    .error
                    .as_deref()
                    .unwrap_or_default()
                    .starts_with("THEUS-A")
            })
            .map(|it| it.record.seq)
            .collect();
        let committed = |seq: &&u64| {
            let record = &then[usize::try_from(**seq - 1).expect("small")].record;
            record.outcome == Outcome::Committed
        };
        let (commits, others): (Vec<u64>, Vec<u64>) =
            ran_into_rules.iter().partition(|seq| committed(seq));
        let report = report(&before, rules);
        assert_eq!(refused(&report), commits);
        assert_eq!(report.refused.others, others.len() as u64);
        assert!(
            commits.len() > 5 && !others.is_empty(),
            "{commits:?} {others:?}"
        );
        assert!(report.refuses());
    }
}

/// The version that a run read counts, not the one before its record.
#[test]
fn input_rules_judge_the_version_that_the_run_read() {
    let first = store();
    let engine = Setup::probe().store(first.clone()).engine();
    for _ in 0..3 {
        commits(&engine, "increment", args! {});
    }
    let rules = "  increment: { inputs: [{ field: domain.counter, max: 0, level: B }] }";
    assert_eq!(refused(&report(&first, rules)), [2, 3]);
    let again = copied(&first, |entry| {
        if entry.record.seq == 3 {
            entry.record.read_version = Some(0);
        }
    });
    assert_eq!(refused(&report(&again, rules)), [2]);
    // What was before it is that version as well.
    let rules = "  increment: { outputs: [{ expr: old.domain.counter == 0, level: B }] }";
    assert_eq!(refused(&report(&again, rules)), [2]);
}

/// The records of a store in another one, some of them changed, with everything that they refer to.
fn copied(from: &Arc<dyn Store>, change: impl Fn(&mut Entry)) -> Arc<dyn Store> {
    let copy = bare_copy(from, change);
    let terms = |entry: &Entry| [entry.terms.policy, entry.terms.schema, entry.terms.limits];
    for entry in entries(from) {
        let component = match &entry.record.actor {
            Actor::Process {
                digest: Some(digest),
                ..
            } => digest.parse::<Hash>().ok(),
            _ => None,
        };
        for digest in terms(&entry).into_iter().chain([component]).flatten() {
            let bytes = from.blob(digest).expect("sound").expect("kept");
            copy.keep_blob(&bytes).expect("kept");
        }
    }
    copy
}

fn bare_copy(from: &Arc<dyn Store>, change: impl Fn(&mut Entry)) -> Arc<dyn Store> {
    let copy = store::memory(from.begin(0).expect("version 0").tree).expect("a store");
    for (number, mut entry) in (1..).zip(entries(from)) {
        change(&mut entry);
        entry.id = CommitId::from_bytes([number; 16]);
        // Nothing is in conflict with what it did not depend on.
        entry.reads = Arc::default();
        let kept = copy.commit(vec![Commit::new(entry)]).expect("committed");
        assert!(matches!(kept[..], [store::Outcome::Kept(_)]), "{kept:?}");
    }
    copy
}

#[test]
fn signals_results_pushes_and_messages_are_what_the_run_left() {
    let store = store();
    let engine = Setup::probe().store(store.clone()).engine();
    commits(
        &engine,
        "signal",
        args! { "value" => true, "fail" => false },
    );
    let steps = json(
        r#"[{"push":{"path":"domain.data.list","value":1}},{"push":{"path":"domain.data.list","value":2}},{"send":{"topic":"t","payload":{"$bytes":""}}}]"#,
    );
    commits(&engine, "script", args! { "steps" => steps });
    commits(&engine, "increment_at", args! { "slot" => "a" });
    commits(&engine, "increment_at", args! { "slot" => "b" });
    commits(&engine, "increment_at", args! { "slot" => "a" });
    commits(
        &engine,
        "signal",
        args! { "value" => Value::Nil, "fail" => false },
    );
    let seqs = |rules: &str| refused(&report(&store, rules));
    // A signal is seen as this run wrote it; what is left of an earlier one is not.
    assert_eq!(
        seqs("  '*': { outputs: [{ field: domain.sig_done, eq: ~, optional: true, level: B }] }"),
        [1]
    );
    assert_eq!(
        seqs("  script: { outputs: [{ field: domain.data.list, max_len: 1, level: B }] }"),
        [2]
    );
    assert_eq!(
        seqs("  increment_at: { outputs: [{ field: result, max: 1, level: B }] }"),
        [5]
    );
    assert_eq!(
        seqs(
            "  increment_at: { outputs: [{ expr: size(domain.slots) == size(old.domain.slots), level: B }] }"
        ),
        [3, 4]
    );
}

#[test]
fn an_interlock_would_have_stopped_what_came_behind_it_until_a_reset() {
    let store = store();
    let old =
        "process_recipes: { increment: { inputs: [{ field: domain.counter, max: 3, level: S }] } }";
    let engine = Setup::probe().recipe(old).store(store.clone()).engine();
    for _ in 0..4 {
        commits(&engine, "increment", args! {});
    }
    fails(&engine, "increment", args! {}, "THEUS-A003");
    fails(&engine, "increment", args! {}, "THEUS-A004");
    engine
        .reset_interlock()
        .expect("kept")
        .expect("it was in force");
    commits(&engine, "echo_name", args! { "name" => "x" });
    engine
        .edit(|context| context.set("domain.counter", 0))
        .expect("an edit");
    commits(&engine, "increment", args! {});
    // 1 to 4 commit, 5 and 6 do not, 7 is the reset, 8 the echo, 9 the edit, 10 an increment.
    let new = "  increment: { outputs: [{ field: domain.counter, max: 1, level: S }] }";
    let found = report(&store, new);
    assert_eq!(refused(&found), [2, 3, 4]);
    let [halt] = &found.halts[..] else {
        panic!("{found:?}")
    };
    assert_eq!(
        (halt.thrown_by.seq, halt.until, halt.runs, halt.commits),
        (2, Some(7), 4, 2)
    );
    assert_eq!(
        not_judged(&found)[..],
        [
            (NotJudgedReason::NoRules, 1),
            (NotJudgedReason::OutputUnknown, 2)
        ]
    );
    // The same over the rest alone: nothing.
    let recipe = recipe(new);
    let rest = Backtest::new(&recipe)
        .records(7..=10)
        .run(&*store)
        .expect("judged");
    assert_eq!(
        (rest.from, rest.to, rest.runs, rest.refuses()),
        (7, 10, 2, false)
    );
    // Thrown by a run that was refused then: it stops those behind it all the same.
    let new = "  increment: { inputs: [{ field: domain.counter, max: 3, level: S }] }";
    let found = report(&store, new);
    assert_eq!((refused(&found), found.refused.others), (vec![], 2));
    assert_eq!(
        (found.halts[0].thrown_by.seq, found.halts[0].until),
        (5, Some(7))
    );
    // Without a reset it stays.
    let found = Backtest::new(&self::recipe(new))
        .records(1..=6)
        .run(&*store)
        .expect("judged");
    assert_eq!((found.halts[0].until, found.halts[0].runs), (None, 1));
}

/// What other recipes would have let through would have come to its transaction and counted; what was refused for another
/// reason leaves no count under any recipe.
#[test]
fn refusals_of_then_count_only_where_rules_refused() {
    let store = store();
    let old = "process_recipes: { echo_name: { inputs: [{ field: name, neq: bad, level: B }] } }";
    let engine = Setup::probe().recipe(old).store(store.clone()).engine();
    for _ in 0..2 {
        fails(
            &engine,
            "echo_name",
            args! { "name" => "bad" },
            "THEUS-A001",
        );
        fails(
            &engine,
            "increment_at",
            args! { "slot" => "sig_x" },
            "THEUS-C009",
        );
    }
    commits(&engine, "echo_name", args! { "name" => "good" });
    commits(&engine, "increment_at", args! { "slot" => "a" });
    let rules = "  '*': { inputs: [{ expr: 'size(args) == 0', level: B, threshold: 3 }] }";
    let found = report(&store, rules);
    // The third of those who come to their transaction: two that the old rule refused, and the one that committed.
    assert_eq!((refused(&found), found.refused.others), (vec![5], 0));
}

#[test]
fn what_cannot_be_judged_is_counted_with_its_reason() {
    use NotJudgedReason::*;
    let first = store();
    let engine = Setup::probe().store(first.clone()).engine();
    commits(&engine, "secret", args! { "token" => "hunter2" });
    fails(&engine, "secret", args! { "token" => 7 }, "THEUS-U006");
    fails(
        &engine,
        "fail",
        args! { "code" => "ValueError", "message" => "no" },
        "ValueError",
    );
    commits(&engine, "increment", args! {});
    let rules = "  secret:
    inputs: [{ field: token, min_len: 99, level: S }]
    outputs:
      - { field: result, max: 5, level: B }
      - { expr: 'size(args.token) == 0', level: S }
  fail: { outputs: [{ field: domain.counter, max: 0, level: B }] }
";
    let found = report(&first, rules);
    assert_eq!(
        not_judged(&found),
        [(NoRules, 1), (ArgumentsUnfit, 1), (SecretArguments, 1)]
    );
    // The rule that looks at no secret is judged; the others are not, and nothing is thrown.
    assert_eq!((refused(&found), found.halts.len()), (vec![1], 0));
    let rows: Vec<_> = found
        .rules
        .iter()
        .map(|it| (it.gate, it.judged, it.violated, it.not_judged))
        .collect();
    assert_eq!(
        rows,
        [
            // The guest of `fail` ended it: no output rule would have been asked.
            (Gate::Output, 0, 0, 0),
            (Gate::Input, 0, 0, 1),
            (Gate::Output, 1, 1, 0),
            (Gate::Output, 0, 0, 1),
        ]
    );
    let gone = bare_copy(&first, |_| {});
    assert_eq!(not_judged(&report(&gone, rules)), [(ContractNotKept, 4)]);
    // The version that the last run read is there no more.
    let early = copied(&first, |_| {});
    let mut last = entries(&early).pop().expect("the increment");
    early.compact(u64::MAX).expect("compacted");
    last.id = CommitId::from_bytes([99; 16]);
    last.record.read_version = Some(0);
    early.commit(vec![Commit::new(last)]).expect("committed");
    let rules = "  increment: { inputs: [{ field: domain.counter, max: 0, level: B }] }";
    assert_eq!(not_judged(&report(&early, rules)), [(VersionCompacted, 1)]);
}

/// A component in which `paint` takes these parameters.
fn component(parameters: &str) -> Vec<u8> {
    let contract = format!(r#"{{"name":"paint","parameters":[{parameters}]}}"#);
    let module = core_module(&contract_section(&contract));
    theus_host::component::into_component(&module)
        .expect("a component")
        .into_owned()
}

fn run_paint(store: &Arc<dyn Store>, parameters: &str, args: Map) {
    let engine = Engine::builder()
        .store(store.clone())
        .build()
        .expect("an engine");
    engine
        .register(component(parameters), Policy::as_declared())
        .expect("registered");
    commits(&engine, "paint", args);
}

#[test]
fn a_recipe_has_to_fit_the_newest_contract_and_earlier_ones_are_counted_apart() {
    let store = store::memory(Tree::default()).expect("a store");
    let (old, new) = (
        r#"{"name":"cost","kind":"int"}"#,
        r#"{"name":"price","kind":"int"}"#,
    );
    run_paint(&store, old, args! { "cost" => 5 });
    let rules = "  paint:\n    inputs:\n      - { field: price, max: 3, level: B }\n";
    let wanted = recipe(rules);
    let error = Backtest::new(&wanted)
        .run(&*store)
        .expect_err("there is no price");
    let BacktestError::Recipe { process, errors } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(process.as_deref(), Some("paint"));
    let text = errors.to_string();
    assert!(
        text.contains("new.yaml:4:") && text.contains("`paint` has no parameter `price`"),
        "{text}"
    );
    assert_eq!(error.code().as_str(), "THEUS-U004");

    run_paint(&store, new, args! { "price" => 5 });
    let found = report(&store, rules);
    assert_eq!(refused(&found), [2]);
    assert_eq!(not_judged(&found), [(NotJudgedReason::EarlierContract, 1)]);

    let near = recipe("  paimt: { inputs: [{ field: price, max: 3 }] }");
    let error = Backtest::new(&near)
        .run(&*store)
        .expect_err("a slip of the pen");
    assert!(
        error.to_string().contains("did you mean `paint`"),
        "{error}"
    );
    let far = recipe("  restock: { inputs: [] }");
    let found = Backtest::new(&far).run(&*store).expect("judged");
    assert!(
        found.warnings[0].contains("no such process is loaded"),
        "{:?}",
        found.warnings
    );
    let nobody = Backtest::new(&far)
        .process("q")
        .run(&*store)
        .expect_err("nobody");
    assert_eq!(nobody.code().as_str(), "THEUS-U005");
    assert_eq!(
        nobody.to_string(),
        "no record of `q` is in the range; there are records of: paint"
    );
}

/// Rules meet the schema that the runs were held against, as they would in a run.
#[test]
fn a_rule_that_the_recorded_schema_makes_senseless_is_an_error() {
    let store = store();
    let others = [
        "slots",
        "record",
        "inbox",
        "data",
        "deep",
        "hidden",
        "sig_done",
        "heavy_image",
    ];
    let others = others.map(|it| format!("{it}: {{ type: any }}")).join(", ");
    let schema = format!(
        "context: {{ global: {{ max_capacity: {{ type: int }} }}, domain: {{ counter: {{ type: int }}, {others} }} }}"
    );
    let engine = Setup::probe().schema(&schema).store(store.clone()).engine();
    commits(&engine, "increment", args! {});
    let recipe = recipe("  increment: { inputs: [{ field: domain.counter, max_len: 3 }] }");
    let error = Backtest::new(&recipe)
        .run(&*store)
        .expect_err("an int has no length");
    assert!(error.to_string().contains("the recorded schema"), "{error}");
}

#[test]
fn only_the_process_that_is_meant_is_judged_and_only_so_many_are_listed() {
    let store = store();
    let engine = Setup::probe().store(store.clone()).engine();
    for name in ["a", "b", "c"] {
        commits(&engine, "echo_name", args! { "name" => name });
        commits(&engine, "increment", args! {});
    }
    let recipe = recipe("  '*': { outputs: [{ field: result, eq: never, level: B }] }");
    let found = Backtest::new(&recipe)
        .process("increment")
        .listed(2)
        .run(&*store);
    let found = found.expect("judged");
    assert_eq!(
        (found.runs, found.refused.commits, refused(&found)),
        (3, 3, vec![2, 4])
    );
}
