//! The warehouse in every language: one suite, and every guest does the same in it.

use crate::harness::engines::{Setup, arguments, value};
use crate::harness::guests::{self, Prebuilt};
use crate::harness::root;
use serde_json::{Value as Json, json};
use theus_host::guest::Guest;
use theus_host::{Call, ErrorKind, Limits, args, component, context_from_json};

/// The languages, with their guests.
fn warehouses() -> [(&'static str, &'static Prebuilt); 2] {
    [
        ("Rust", guests::warehouse()),
        ("AssemblyScript", guests::warehouse_as()),
    ]
}

/// A run of the suite: the context, the arguments, and a recipe that may judge it.
struct Run {
    context: &'static str,
    arguments: &'static str,
    recipe: &'static str,
}

const EMPTY: &str = r#"{"global": {"max_capacity": 500},
    "domain": {"items": [], "total_value": 0, "sig_restock_needed": false}}"#;
const NO_RULES: &str = "process_recipes: {}";

fn run(context: &'static str, arguments: &'static str) -> Run {
    Run {
        context,
        arguments,
        recipe: NO_RULES,
    }
}

/// What an observer sees of a run, and of the context after it: all but times, fuel and the digest.
fn observed(guest: &'static Prebuilt, run: &Run) -> Json {
    let engine = Setup::of(guest, "guests/warehouse/context.yaml")
        .context(run.context)
        .recipe(run.recipe)
        .engine();
    let events = engine.subscribe();
    let receipt = engine.call(Call::new("add_product", arguments(run.arguments)));
    let mut seen = serde_json::to_value(&receipt).expect("JSON");
    let host_calls = seen["stats"]["host_calls"].clone();
    let told: Vec<_> = std::iter::from_fn(|| events.try_next())
        .map(|event| format!("{event:?}"))
        .collect();
    seen["stats"] = json!({ "host_calls": host_calls });
    seen["told"] = json!(told);
    seen["domain after it"] = json!(value(&engine, "domain"));
    seen
}

#[test]
fn every_warehouse_does_the_same() {
    let items = |count: usize| -> &'static str {
        let items = vec![r#"{"name": "x", "price": 1}"#; count].join(",");
        Box::leak(
            format!(
                r#"{{"global": {{"max_capacity": 101}}, "domain": {{"items": [{items}], "total_value": {count}}}}}"#
            )
            .into_boxed_str(),
        )
    };
    let television = r#"{"product_name": "TV", "price": 500}"#;
    let negative = r#"{"product_name": "TV", "price": -5}"#;
    let audited = |arguments, recipe| Run {
        recipe,
        ..run(EMPTY, arguments)
    };
    let runs = [
        ("committed", run(EMPTY, television)),
        ("negative", run(EMPTY, negative)),
        ("free", run(EMPTY, r#"{"product_name": "", "price": 0}"#)),
        (
            "largest",
            run(
                EMPTY,
                r#"{"product_name": "TV", "price": 9223372036854775807}"#,
            ),
        ),
        (
            "overflow",
            run(
                items(1),
                r#"{"product_name": "TV", "price": 9223372036854775807}"#,
            ),
        ),
        (
            "letters",
            run(EMPTY, r#"{"product_name": "é€📺\u0000\"\\", "price": 1}"#),
        ),
        ("no signal yet", run(items(99), television)),
        ("signal", run(items(100), television)),
        ("full", run(items(101), television)),
        (
            "no capacity",
            run(r#"{"domain": {"items": []}}"#, television),
        ),
        ("nothing there", run("{}", television)),
        (
            "items are no list",
            run(r#"{"domain": {"items": {"a": 1}}}"#, television),
        ),
        (
            "items have no length",
            run(r#"{"domain": {"items": 7}}"#, television),
        ),
        ("argument missing", run(EMPTY, r#"{"product_name": "TV"}"#)),
        (
            "argument unknown",
            run(EMPTY, r#"{"product_name": "TV", "price": 1, "size": 2}"#),
        ),
        (
            "argument of another kind",
            run(EMPTY, r#"{"product_name": 3, "price": 1}"#),
        ),
        (
            "refused by a rule",
            audited(negative, include_str!("../../guests/warehouse/audit.yaml")),
        ),
        (
            "rolled back by a rule",
            audited(
                r#"{"product_name": "TV", "price": 1001}"#,
                include_str!("../../guests/warehouse/audit-small.yaml"),
            ),
        ),
    ];
    let mut endings = std::collections::BTreeSet::new();
    for (name, run) in &runs {
        let [(_, first), others @ ..] = warehouses();
        let expected = observed(first, run);
        endings.insert(format!(
            "{} {}",
            expected["outcome"], expected["error"]["code"]
        ));
        for (language, guest) in others {
            assert_eq!(observed(guest, run), expected, "{name} in {language}");
        }
    }
    // The suite compares something: every way to end that a warehouse has is among the runs.
    for ending in [
        "\"committed\" null",
        "\"rolled-back\" \"ValueError\"",
        "\"rolled-back\" \"THEUS-T005\"",
        "\"refused\" \"THEUS-U006\"",
        "\"refused\" \"THEUS-A001\"",
        "\"rolled-back\" \"THEUS-A001\"",
    ] {
        assert!(endings.contains(ending), "{ending} is not in {endings:?}");
    }
}

/// What is read as another type ends the call as a trap: in Rust with a code of its own, as a failure that `?` passes on;
/// in AssemblyScript, which has nothing like `?`, as an abort.
#[test]
fn a_value_of_another_type_is_named_in_every_language() {
    let context = r#"{"domain": {"items": [], "total_value": "much"}}"#;
    for (language, guest) in warehouses() {
        let engine = Setup::of(guest, "guests/warehouse/context.yaml")
            .context(context)
            .engine();
        let args = args! { "product_name" => "TV", "price" => 1 };
        let receipt = engine.call(Call::new("add_product", args));
        let error = receipt.error.expect("an error");
        assert_eq!(error.kind(), ErrorKind::Trap, "{language}");
        let told = error.to_string();
        let what = "the value at `domain.total_value` is of kind string, and the process reads it as `i64`";
        assert!(told.contains(what), "{language}: {told}");
        assert_eq!(
            engine.context().tree,
            context_from_json(context).expect("a context"),
            "{language}"
        );
    }
}

#[test]
fn every_warehouse_has_the_same_contract() {
    let contracts: Vec<_> = warehouses()
        .map(|(_, guest)| {
            let component = component::into_component(&guest.bytes).expect("a component");
            let guest = Guest::read(&component, &Limits::default()).expect("a guest");
            (format!("{:?}", guest.contracts), guest.imports.clone())
        })
        .to_vec();
    assert_eq!(contracts[0], contracts[1]);
}

/// The example's files are those of the Rust example: nothing of it is written twice.
#[test]
fn the_examples_share_their_context() {
    let files = std::fs::read_dir(root().join("guests/warehouse-as")).expect("the example");
    let names: Vec<_> = files
        .map(|file| file.expect("a file").file_name())
        .collect();
    assert!(
        !names.iter().any(|name| name == "context.yaml"),
        "{names:?}"
    );
}
