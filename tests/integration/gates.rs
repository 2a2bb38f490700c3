//! The input gate and the output gate, from a recipe to a receipt.

use crate::harness::engines::{Setup, bytes, commits, fails, json, message, value};
use theus_host::{Action, Call, Engine, ErrorKind, Gate, Level, Outcome, Receipt, Value, args};

/// A recipe for one process.
fn recipe(process: &str, inputs: &str, outputs: &str) -> String {
    format!("process_recipes: {{ {process}: {{ inputs: [{inputs}], outputs: [{outputs}] }} }}")
}

/// A warehouse whose rules are these.
fn warehouse(inputs: &str, outputs: &str) -> Engine {
    Setup::warehouse()
        .recipe(&recipe("add_product", inputs, outputs))
        .engine()
}

fn add(price: i64) -> Call<'static> {
    Call::new(
        "add_product",
        args! { "product_name" => "TV", "price" => price },
    )
}

fn verdict(receipt: &Receipt) -> (Gate, Level, Action, u64) {
    assert_eq!(receipt.audit.len(), 1, "{:?}", receipt.audit);
    let verdict = &receipt.audit[0];
    (verdict.gate, verdict.level, verdict.action, verdict.count)
}

#[test]
fn input_rules_see_the_arguments() {
    let engine = warehouse(
        "{ field: price, min: 0, max: 100, level: B, message: 'price {value}' }",
        "",
    );
    for price in [-1, 101] {
        let args = add(price).args;
        let receipt = fails(&engine, "add_product", args, "THEUS-A001");
        assert_eq!(receipt.outcome, Outcome::Refused);
        assert_eq!(message(&receipt), format!("add_product: price {price}"));
        assert_eq!(verdict(&receipt), (Gate::Input, Level::B, Action::Block, 1));
    }
    assert_eq!(engine.sandboxes_made(), 0, "a refusal costs no sandbox");
    for price in [0, 100] {
        assert!(
            commits(&engine, "add_product", add(price).args)
                .audit
                .is_empty()
        );
    }
}

#[test]
fn input_rules_see_the_context() {
    let engine = warehouse("{ field: domain.total_value, max: 150, level: B }", "");
    commits(&engine, "add_product", add(100).args);
    commits(&engine, "add_product", add(100).args);
    let made = engine.sandboxes_made();
    let receipt = fails(&engine, "add_product", add(1).args, "THEUS-A001");
    assert_eq!(verdict(&receipt), (Gate::Input, Level::B, Action::Block, 1));
    assert_eq!(engine.sandboxes_made(), made);
    engine
        .edit(|context| context.set("domain.total_value", 0))
        .expect("an edit");
    commits(&engine, "add_product", add(1).args);
}

#[test]
fn an_absent_field_violates_its_rule_unless_it_is_optional() {
    let setup = |optional: &str| {
        Setup::probe()
            .recipe(&recipe(
                "increment",
                &format!("{{ field: domain.nowhere, max: 1, level: B{optional} }}"),
                "",
            ))
            .engine()
    };
    let receipt = fails(&setup(""), "increment", args! {}, "THEUS-A001");
    assert!(
        message(&receipt).contains("`domain.nowhere` is absent"),
        "{receipt:?}"
    );
    commits(&setup(", optional: true"), "increment", args! {});
}

/// The view of the transaction, not the committed version, and the result.
#[test]
fn output_rules_see_what_the_transaction_would_leave() {
    let engine = warehouse(
        "",
        "{ field: domain.total_value, max: 1000, level: B }, { field: result, eq: Added, level: B }, \
         { field: domain.items, max_len: 3, level: B }",
    );
    commits(&engine, "add_product", add(600).args);
    let receipt = fails(&engine, "add_product", add(600).args, "THEUS-A001");
    assert_eq!(receipt.outcome, Outcome::RolledBack);
    assert_eq!(
        verdict(&receipt),
        (Gate::Output, Level::B, Action::Block, 1)
    );
    assert!(message(&receipt).contains("1200"), "{}", message(&receipt));
    commits(&engine, "add_product", add(400).args);
    commits(&engine, "add_product", add(0).args);
    let receipt = fails(&engine, "add_product", add(0).args, "THEUS-A001");
    assert!(
        message(&receipt).contains("4 elements"),
        "{}",
        message(&receipt)
    );
}

/// A rule on a signal sees what this run has set, never what an earlier one left.
#[test]
fn a_signal_is_seen_only_as_written_by_the_run() {
    let rule = "{ field: domain.sig_done, neq: 13, level: B, optional: true }";
    let engine = Setup::probe().recipe(&recipe("script", "", rule)).engine();
    let set = |place: &str, value: i64| {
        let step = format!(r#"[{{"set": {{"path": "{place}", "value": {value}}}}}]"#);
        args! { "steps" => json(&step) }
    };
    engine
        .edit(|context| context.set("domain.sig_done", 13))
        .expect("an edit");
    commits(&engine, "script", set("domain.data.a", 13));
    fails(&engine, "script", set("domain.sig_done", 13), "THEUS-A001");
    commits(&engine, "script", set("domain.sig_done", 12));
}

#[test]
fn each_level_has_its_action_kind_and_outcome() {
    for (level, action, code, kind) in [
        (Level::B, Action::Block, "THEUS-A001", ErrorKind::AuditBlock),
        (Level::A, Action::Abort, "THEUS-A002", ErrorKind::AuditAbort),
        (
            Level::S,
            Action::Interlock,
            "THEUS-A003",
            ErrorKind::Interlock,
        ),
    ] {
        let rule = |field: &str| {
            format!("{{ field: {field}, max: 9, level: {level}, message: 'too much' }}")
        };
        for (gate, engine, outcome) in [
            (Gate::Input, warehouse(&rule("price"), ""), Outcome::Refused),
            (
                Gate::Output,
                warehouse("", &rule("domain.total_value")),
                Outcome::RolledBack,
            ),
        ] {
            let receipt = fails(&engine, "add_product", add(10).args, code);
            assert_eq!(verdict(&receipt), (gate, level, action, 1));
            assert_eq!(receipt.outcome, outcome);
            assert_eq!(message(&receipt), "add_product: too much");
            assert_eq!(receipt.error.expect("an error").kind(), kind);
            assert_eq!(engine.interlock().is_some(), level == Level::S);
        }
    }
}

#[test]
fn levels_c_and_i_let_pass_and_tell() {
    for (level, action) in [(Level::C, Action::Warn), (Level::I, Action::Record)] {
        let engine = warehouse(&format!("{{ field: price, max: 9, level: {level} }}"), "");
        let receipt = commits(&engine, "add_product", add(10).args);
        assert_eq!(verdict(&receipt), (Gate::Input, level, action, 1));
        assert_eq!(value(&engine, "domain.total_value"), Some(Value::Int(10)));
    }
    let default = warehouse("{ field: price, max: 9 }", "");
    let receipt = commits(&default, "add_product", add(10).args);
    assert_eq!(
        verdict(&receipt).1,
        Level::C,
        "the level where none is given"
    );
}

#[test]
fn the_weightiest_verdict_decides_and_all_are_told() {
    let engine = warehouse(
        "{ field: price, max: 3, level: C }, { field: price, max: 5, level: B }, \
         { field: price, max: 7, level: A }",
        "",
    );
    let receipt = fails(&engine, "add_product", add(10).args, "THEUS-A002");
    let actions: Vec<Action> = receipt.audit.iter().map(|it| it.action).collect();
    assert_eq!(actions, [Action::Warn, Action::Block, Action::Abort]);
}

#[test]
fn thresholds_count_violations() {
    let engine = warehouse(
        "{ field: price, max: 9, level: B, min_threshold: 2, max_threshold: 3 }",
        "",
    );
    let violate = || engine.call(add(10));
    let expect = |receipt: Receipt, action, count| {
        assert_eq!(verdict(&receipt), (Gate::Input, Level::B, action, count));
    };
    for round in 1..=2 {
        expect(violate(), Action::Pass, 1);
        expect(violate(), Action::Warn, 2);
        let blocked = fails(&engine, "add_product", add(10).args, "THEUS-A001");
        expect(blocked, Action::Block, 3);
        assert_eq!(engine.context().version, round * 2);
    }
    // A rule that passes begins again.
    expect(violate(), Action::Pass, 1);
    commits(&engine, "add_product", add(1).args);
    expect(violate(), Action::Pass, 1);
}

#[test]
fn a_counter_goes_on_where_success_does_not_reset_it() {
    let engine = warehouse(
        "{ field: price, max: 9, level: B, max_threshold: 3, reset_on_success: false }",
        "",
    );
    for count in 1..=2 {
        let receipt = commits(&engine, "add_product", add(10).args);
        assert_eq!(verdict(&receipt).3, count);
        commits(&engine, "add_product", add(1).args);
    }
    fails(&engine, "add_product", add(10).args, "THEUS-A001");
}

#[test]
fn the_output_gate_is_skipped_where_the_guest_failed() {
    let engine = warehouse("", "{ field: domain.total_value, max: -1, level: S }");
    let receipt = fails(&engine, "add_product", add(-5).args, "ValueError");
    assert!(receipt.audit.is_empty());
    assert_eq!(engine.interlock(), None);
}

/// A rule that passes leaves no verdict, but the receipt says that it was there.
#[test]
fn the_receipt_says_how_many_rules_each_gate_judged() {
    let engine = warehouse(
        "{ field: price, min: 0, max: 600, level: B }",
        "{ field: domain.total_value, max: 100, level: C }",
    );
    let gates = |receipt: &Receipt| {
        let gates = receipt.stats.gates.iter();
        gates
            .map(|it| (it.gate, it.judged, it.violated))
            .collect::<Vec<_>>()
    };
    let receipt = commits(&engine, "add_product", add(500).args);
    assert_eq!(gates(&receipt), [(Gate::Input, 2, 0), (Gate::Output, 1, 1)]);
    let receipt = fails(&engine, "add_product", add(700).args, "THEUS-A001");
    assert_eq!(gates(&receipt), [(Gate::Input, 2, 1)]);
    let unruled = Setup::warehouse().engine();
    let receipt = commits(&unruled, "add_product", add(500).args);
    assert_eq!(gates(&receipt), []);
}

/// Everything but the commit: and nothing of it is left anywhere.
#[test]
fn a_dry_run_shows_and_leaves_nothing() {
    let engine = Setup::warehouse()
        .context_file("guests/warehouse/context-100.yaml")
        .recipe(&recipe(
            "add_product",
            "{ field: price, max: 9, level: B, min_threshold: 0, max_threshold: 2 }",
            "{ field: price, max: 99, level: S }",
        ))
        .engine();
    let events = engine.subscribe();
    let before = bytes(&engine);
    for _ in 0..3 {
        let receipt = engine.call(add(10).dry_run());
        assert_eq!(receipt.error, None);
        assert_eq!(receipt.outcome, Outcome::RolledBack);
        assert!(receipt.dry_run);
        assert_eq!(verdict(&receipt).3, 1, "the counter stays");
        assert_eq!(receipt.changes.len(), 3);
        assert_eq!(
            receipt.changes[0].new,
            json(r#"{"name": "TV", "price": 10}"#)
        );
        assert_eq!(receipt.signals.len(), 1);
        assert_eq!(receipt.version, 0);
    }
    let thrown = engine.call(add(100).dry_run());
    assert_eq!(thrown.error.expect("refused").code(), "THEUS-A003");
    assert_eq!(engine.interlock(), None, "a dry run throws nothing");
    assert_eq!(bytes(&engine), before);
    assert_eq!(engine.context().version, 0);
    assert!(engine.records().is_empty());
    assert_eq!(events.try_next(), None);
    let committed = commits(&engine, "add_product", add(10).args);
    assert_eq!(verdict(&committed).3, 1);
}
