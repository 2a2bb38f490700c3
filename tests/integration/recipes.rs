//! Recipes as engines apply them: inheritance, rules for every process, expressions, counters.

use crate::harness::engines::{Setup, commits, fails, message};
use theus_host::{AuditCount, Call, Engine, Gate, Outcome, args};

fn warehouse(recipe: &str) -> Engine {
    Setup::warehouse().recipe(recipe).engine()
}

fn add(engine: &Engine, price: i64, code: &str) -> String {
    let args = args! { "product_name" => "TV", "price" => price };
    message(&fails(engine, "add_product", args, code))
}

fn counts(engine: &Engine) -> Vec<(Gate, String, u64)> {
    let told = |it: AuditCount| {
        assert_eq!(it.process, "add_product");
        (it.gate, it.rule, it.count)
    };
    engine.audit_counts().into_iter().map(told).collect()
}

/// Both versions of the context are there, and what the rule asks holds for every run or nothing is left of it.
#[test]
fn an_expression_compares_before_and_after() {
    let engine = warehouse(
        "process_recipes:
  add_product:
    outputs:
      - { expr: domain.total_value == old.domain.total_value + args.price, level: S }
      - { expr: size(domain.items) == size(old.domain.items) + 1, level: S }
      - { expr: domain.total_value - old.domain.total_value < 1000, level: B, message: 'too much at once' }
",
    );
    for price in [1, 20, 300] {
        let args = args! { "product_name" => "TV", "price" => price };
        assert!(commits(&engine, "add_product", args).audit.is_empty());
    }
    assert_eq!(
        add(&engine, 1000, "THEUS-A001"),
        "add_product: too much at once"
    );
    assert_eq!(engine.context().version, 3);
}

/// An argument chooses the place that is looked at: what is fixed above it is locked, and judged again if it changed.
#[test]
fn a_place_that_an_argument_names_is_read() {
    let engine = Setup::warehouse()
        .context(r#"{"domain":{"items":[],"total_value":0,"limits":{"TV":100,"sig_x":1}},"global":{"max_capacity":500}}"#)
        .recipe(
            "process_recipes:
  add_product:
    inputs:
      - { expr: 'args.price <= domain.limits[args.product_name]', level: B }
",
        )
        .engine();
    let run = |name: &str, price: i64| {
        let call = Call::new(
            "add_product",
            args! { "product_name" => name, "price" => price },
        );
        let receipt = engine.call(call);
        (
            receipt.outcome,
            receipt.audit.first().map(|it| it.message.clone()),
        )
    };
    assert_eq!(run("TV", 100), (Outcome::Committed, None));
    let unmet = "`args.price <= domain.limits[args.product_name]` does not hold";
    assert_eq!(run("TV", 101), (Outcome::Refused, Some(unmet.into())));
    // What a process would not see is not there.
    let undecided = "`args.price <= domain.limits[args.product_name]` cannot be decided: there is no such key or index";
    for hidden in ["sig_x", "radio", "_private"] {
        assert_eq!(run(hidden, 0), (Outcome::Refused, Some(undecided.into())));
    }
}

#[test]
fn rules_for_every_process_and_inherited_ones_are_judged() {
    let engine = warehouse(
        "process_recipes:
  '*':
    inputs: [{ field: price, max: 10, level: B, optional: true }]
  add_product: { inherits: base }
  base:
    inputs: [{ field: product_name, neq: Bomb, level: A }]
",
    );
    assert_eq!(
        add(&engine, 11, "THEUS-A001"),
        "add_product: `price` is 11, expected at most 10"
    );
    let bomb = args! { "product_name" => "Bomb", "price" => 1 };
    let receipt = fails(&engine, "add_product", bomb, "THEUS-A002");
    assert_eq!(receipt.audit[0].rule, "product_name neq \"Bomb\"");
    let args = args! { "product_name" => "TV", "price" => 1 };
    commits(&engine, "add_product", args);
}

#[test]
fn counters_tick_once_per_run_and_can_be_read() {
    let engine = warehouse(
        "process_recipes:
  add_product:
    inputs:
      - { field: price, max: 10, threshold: 5, reset_on_success: false }
      - { expr: args.price < 20, threshold: 5 }
      - { field: price, max: 100, level: B, threshold: 2 }
    outputs:
      - { field: domain.total_value, max: 5, threshold: 9 }
",
    );
    let run = |price: i64| {
        engine.call(Call::new(
            "add_product",
            args! { "product_name" => "TV", "price" => price },
        ))
    };
    assert!(engine.audit_counts().is_empty());
    assert_eq!(run(15).outcome, Outcome::Committed);
    let input = |rule: &str, count| (Gate::Input, rule.to_owned(), count);
    let output = |count| (Gate::Output, "domain.total_value max 5".to_owned(), count);
    assert_eq!(counts(&engine), [input("price max 10", 1), output(1)]);
    // Two input rules and the output rule, though the input gate looks twice.
    assert_eq!(run(50).outcome, Outcome::Committed);
    assert_eq!(
        counts(&engine),
        [
            input("price max 10", 2),
            input("expr args.price < 20", 1),
            output(2)
        ]
    );
    assert_eq!(run(500).outcome, Outcome::Committed);
    // A refused run counts at its gate; the rule that acted returns to 0.
    assert_eq!(run(500).outcome, Outcome::Refused);
    assert_eq!(
        counts(&engine),
        [
            input("price max 10", 4),
            input("expr args.price < 20", 3),
            output(3)
        ]
    );
    let dry = Call::new(
        "add_product",
        args! { "product_name" => "TV", "price" => 50 },
    );
    let _ = engine.call(dry.dry_run());
    assert_eq!(counts(&engine).len(), 3);
    assert_eq!(counts(&engine)[0].2, 4);
    // A rule that passes starts over, unless it is told not to.
    assert_eq!(run(1).outcome, Outcome::Committed);
    assert_eq!(counts(&engine), [input("price max 10", 4), output(4)]);
    let counted = serde_json::to_value(&engine.audit_counts()[0]).expect("json");
    assert_eq!(
        counted,
        serde_json::json!({"process":"add_product","gate":"input","rule":"price max 10","count":4})
    );
}
