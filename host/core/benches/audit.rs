//! What rules cost: per evaluation of a gate where all pass, and once per recipe.
//!
//! `cargo bench -p theus-core --bench audit`

#![allow(missing_docs, reason = "criterion's macros make public items")]

use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use std::sync::Arc;
use theus_core::audit::{Facts, Gate, ProcessRules, Recipe, Tick, Tracker};
use theus_core::contract::Contract;
use theus_core::path::Path;
use theus_core::transaction::{Snapshot, Transaction};
use theus_core::tree::Tree;
use theus_core::value::{List, Map, Value};

/// Ten plain conditions.
const INPUTS: &str = "
      - { field: price, min: 0, max: 1000000, neq: 13, level: B }
      - { field: product_name, min_len: 1, max_len: 40, type: string, level: B }
      - { field: currency, in: [EUR, USD, CHF], level: B }
      - { field: domain.status, eq: READY, level: B }
      - { field: global.max_capacity, min: 1, type: int }
";

const OUTPUTS: &str = "
      - { field: domain.total_value, min: 0, max: 1000000000, type: int, level: S }
      - { field: domain.items, max_len: 1000000, min_len: 1, type: list, level: A }
      - { field: domain.status, in: [READY, BUSY], neq: BROKEN, level: B }
      - { field: result, type: string, eq: Added }
";

const REGEX: &str = "
      - { field: product_name, regex: '^[A-Z][A-Za-z0-9 ]{0,39}$', level: B }
";

const EXPRESSION: &str = "
      - { expr: domain.total_value == old.domain.total_value + args.price, level: S }
";

const MACRO: &str = "
      - { expr: 'domain.items.all(item, item.price >= 0)', level: S }
";

fn contract() -> Contract {
    let line = r#"{"name":"add_product","parameters":[{"name":"product_name","kind":"string"},{"name":"price","kind":"int"},{"name":"currency","kind":"string"}]}"#;
    Contract::parse_section(line.as_bytes())
        .expect("contract")
        .remove(0)
}

fn text(inputs: &str, outputs: &str) -> String {
    let gate = |name: &str, entries: &str| match entries {
        "" => String::new(),
        entries => format!("    {name}:{entries}"),
    };
    format!(
        "process_recipes:\n  add_product:\n{}{}",
        gate("inputs", inputs),
        gate("outputs", outputs)
    )
}

fn rules(text: &str) -> Arc<ProcessRules> {
    let recipe = Recipe::parse(text, "bench").expect("recipe");
    recipe.bind(&contract()).expect("bound").expect("rules")
}

fn arguments() -> Map {
    [
        ("product_name", Value::from("Iphone")),
        ("price", Value::Int(500)),
        ("currency", Value::from("EUR")),
    ]
    .into_iter()
    .collect()
}

/// A transaction that adds a product to a context of 1,000.
fn transaction() -> Transaction {
    let product = |price: i64| Value::Map([("price", Value::Int(price))].into_iter().collect());
    let items: List = (0..1000).map(product).collect();
    let domain: Map = [
        ("items", Value::List(items)),
        ("total_value", Value::Int(1000)),
        ("status", Value::from("READY")),
    ]
    .into_iter()
    .collect();
    let global: Map = [("max_capacity", Value::Int(500))].into_iter().collect();
    let mut transaction = Transaction::begin(Snapshot {
        version: 1,
        tree: Tree::new(global, domain),
    });
    let path = |text| Path::parse(text).expect(text);
    transaction
        .push(path("domain.items"), product(500))
        .expect("push");
    transaction
        .set(path("domain.total_value"), Value::Int(1500))
        .expect("set");
    transaction
}

fn gates(criterion: &mut Criterion) {
    let (args, transaction, result) = (arguments(), transaction(), Value::from("Added"));
    let tracker = Tracker::new();
    for (name, gate, rules) in [
        (
            "input gate, 10 plain rules",
            Gate::Input,
            rules(&text(INPUTS, "")),
        ),
        (
            "output gate, 10 plain rules",
            Gate::Output,
            rules(&text("", OUTPUTS)),
        ),
        (
            "input gate, one regex",
            Gate::Input,
            rules(&text(REGEX, "")),
        ),
        (
            "output gate, one expr",
            Gate::Output,
            rules(&text("", EXPRESSION)),
        ),
        (
            "output gate, one expr over 1,001 elements",
            Gate::Output,
            rules(&text("", MACRO)),
        ),
    ] {
        let facts = match gate {
            Gate::Input => Facts {
                args: &args,
                tree: &transaction.base().tree,
                result: None,
                written: None,
            },
            Gate::Output => Facts {
                args: &args,
                tree: transaction.view(),
                result: Some(&result),
                written: Some(&transaction),
            },
        };
        criterion.bench_function(name, |bencher| {
            bencher.iter(|| {
                let findings = rules.evaluate(gate, black_box(&facts));
                let judgement = tracker.judge(&rules, gate, &findings, Tick::Record);
                assert!(judgement.verdicts.is_empty());
            });
        });
    }
}

fn recipes(criterion: &mut Criterion) {
    let inputs = [INPUTS, REGEX].concat();
    let outputs = [OUTPUTS, EXPRESSION].concat();
    let text = text(&inputs, &outputs);
    let contract = contract();
    criterion.bench_function("parse a recipe of 22 rules", |bencher| {
        bencher.iter(|| Recipe::parse(black_box(&text), "bench").expect("recipe"));
    });
    let recipe = Recipe::parse(&text, "bench").expect("recipe");
    criterion.bench_function("bind a recipe of 22 rules", |bencher| {
        bencher.iter(|| recipe.bind(black_box(&contract)).expect("bound"));
    });
}

criterion_group!(benches, gates, recipes);
criterion_main!(benches);
