//! Chapter 4 of the seed, whole: context, engine, pipeline, the run with its try/except, and the exercise.

use crate::harness::engines::{Setup, bytes, commits, fails, json, value};
use crate::harness::guests;
use theus_host::{
    Change, ChangeOp, Engine, Event, Mode, Outcome, Path, Policy, Signal, Step, Value, args,
    context_from_json,
};

const CONTEXT: &str = r#"{"global": {"max_capacity": 500},
    "domain": {"items": [], "total_value": 0, "sig_restock_needed": false}}"#;

fn warehouse_of(products: usize) -> Setup {
    let items: Vec<String> = (0..products)
        .map(|number| format!(r#"{{"name": "Product {number}", "price": 10}}"#))
        .collect();
    let total = products * 10;
    Setup::warehouse().context(&format!(
        r#"{{"global": {{"max_capacity": 500}}, "domain": {{"items": [{}], "total_value": {total},
            "sig_restock_needed": false}}}}"#,
        items.join(",")
    ))
}

/// The chapter's own program, statement by statement.
#[test]
fn the_chapter_runs_as_it_is_written() {
    let context = context_from_json(CONTEXT).expect("a context");
    let engine = Engine::builder()
        .context(context)
        .build()
        .expect("an engine");
    let registered = engine
        .register(guests::warehouse().file.as_path(), Policy::as_declared())
        .expect("a guest");
    assert_eq!(registered.processes, ["add_product"]);

    let told = match engine.run(
        "add_product",
        args! { "product_name" => "Iphone", "price" => 1000 },
    ) {
        Ok(receipt) => {
            assert_eq!(receipt.mode, Mode::Strict, "strict is the default");
            assert_eq!(receipt.outcome, Outcome::Committed);
            assert_eq!(receipt.version, 1);
            assert_eq!(receipt.result, Some(Value::from("Added")));
            let items = value(&engine, "domain.items").expect("the list");
            format!("Success! {}", serde_json::to_string(&items).expect("JSON"))
        }
        Err(error) => format!("Failed: {error}"),
    };
    assert_eq!(told, r#"Success! [{"name":"Iphone","price":1000}]"#);
    assert_eq!(value(&engine, "domain.total_value"), Some(Value::Int(1000)));
}

#[test]
fn the_changes_say_what_happened() {
    let engine = Setup::warehouse().engine();
    let receipt = commits(
        &engine,
        "add_product",
        args! { "product_name" => "TV", "price" => 500 },
    );
    let path = |text| Path::parse(text).expect(text);
    assert_eq!(
        receipt.changes,
        [
            Change {
                path: path("domain.items"),
                op: ChangeOp::Push,
                old: Value::Nil,
                new: json(r#"{"name": "TV", "price": 500}"#),
            },
            Change {
                path: path("domain.total_value"),
                op: ChangeOp::Set,
                old: Value::Int(0),
                new: Value::Int(500),
            },
        ]
    );
    let steps: Vec<Step> = receipt.stats.steps.iter().map(|step| step.name).collect();
    assert_eq!(steps, Step::ALL, "the seven steps, by name and in order");
}

#[test]
fn a_failure_says_why_and_leaves_nothing() {
    let engine = Setup::warehouse().engine();
    let before = bytes(&engine);
    let error = engine
        .run(
            "add_product",
            args! { "product_name" => "TV", "price" => -5 },
        )
        .expect_err("a negative price");
    assert_eq!(
        format!("Failed: {error}"),
        "Failed: price cannot be negative"
    );
    assert_eq!(error.code(), "ValueError");
    assert_eq!(bytes(&engine), before);
    assert_eq!(engine.context().version, 0);
}

#[test]
fn the_configuration_is_read_and_cannot_be_exceeded() {
    let engine = warehouse_of(499).engine();
    commits(
        &engine,
        "add_product",
        args! { "product_name" => "last", "price" => 1 },
    );
    let receipt = fails(
        &engine,
        "add_product",
        args! { "product_name" => "too many", "price" => 1 },
        "ValueError",
    );
    let error = receipt.error.expect("an error");
    assert_eq!(
        error.to_string(),
        "the warehouse is full: it holds 500 of 500 products"
    );
}

/// The chapter warns of a parameter called `name`; here it collides with nothing.
#[test]
fn a_parameter_may_be_called_name() {
    let engine = Setup::probe().engine();
    let receipt = commits(&engine, "echo_name", args! { "name" => "Ada" });
    assert_eq!(receipt.result, Some(Value::from("Ada")));
    assert_eq!(receipt.process.as_deref(), Some("echo_name"));
}

/// The exercise: the signal is set when the list passes 100, not before.
#[test]
fn the_signal_is_set_when_the_list_passes_100() {
    let engine = warehouse_of(99).engine();
    let events = engine.subscribe();
    let signal = || value(&engine, "domain.sig_restock_needed");
    assert_eq!(signal(), Some(Value::Bool(false)));

    let hundredth = commits(
        &engine,
        "add_product",
        args! { "product_name" => "a", "price" => 1 },
    );
    assert!(hundredth.signals.is_empty());
    assert_eq!(
        signal(),
        Some(Value::Bool(false)),
        "100 are not more than 100"
    );
    assert_eq!(events.try_next(), None);

    let next = commits(
        &engine,
        "add_product",
        args! { "product_name" => "b", "price" => 1 },
    );
    assert_eq!(signal(), Some(Value::Bool(true)));
    let sent = Signal {
        path: Path::parse("domain.sig_restock_needed").expect("a path"),
        value: Value::Bool(true),
    };
    assert_eq!(next.signals, std::slice::from_ref(&sent));
    match events.try_next() {
        Some(Event::Signal { version, signal }) => assert_eq!((version, signal), (2, sent)),
        other => panic!("no signal: {other:?}"),
    }
    assert_eq!(events.try_next(), None);
}

/// The exercise, where the transaction is rolled back after the guest has set the signal.
#[test]
fn the_signal_reverts_with_its_transaction() {
    let recipe = "
process_recipes:
  add_product:
    outputs:
      - { field: domain.total_value, max: 1500, level: B, message: 'too much in stock' }
";
    let engine = warehouse_of(100).recipe(recipe).engine();
    let receipt = fails(
        &engine,
        "add_product",
        args! { "product_name" => "Iphone", "price" => 1000 },
        "THEUS-A001",
    );
    assert_eq!(receipt.outcome, Outcome::RolledBack, "the guest ran");
    let signal = || value(&engine, "domain.sig_restock_needed");
    assert_eq!(signal(), Some(Value::Bool(false)));

    commits(
        &engine,
        "add_product",
        args! { "product_name" => "cheap", "price" => 1 },
    );
    assert_eq!(
        signal(),
        Some(Value::Bool(true)),
        "the same run, had it not been blocked"
    );
}
