//! What a schema costs a commit: the check of a change, on lists and maps that grow, and of a whole context beside it.
//!
//! `cargo bench -p theus-core --bench schema`

#![allow(missing_docs, reason = "criterion's macros make public items")]

use criterion::{Bencher, BenchmarkId, Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use theus_core::path::Path;
use theus_core::schema::Schema;
use theus_core::transaction::{Snapshot, Transaction};
use theus_core::tree::Tree;
use theus_core::value::{List, Map, Value};

const SCHEMA: &str = "
context:
  domain:
    items:
      type: list
      max_len: 10000000
      items:
        type: map
        fields:
          name: { type: string, required: true, max_len: 40 }
          price: { type: int, required: true, min: 0 }
    accounts: { type: map, max_len: 10000000 }
    total_value: { type: int, min: 0 }
";

fn path(text: &str) -> Path {
    Path::parse(text).expect(text)
}

fn schema() -> Schema {
    Schema::parse(SCHEMA, "schema.yaml").expect("a schema")
}

fn product() -> Value {
    let entries = [("name", Value::from("TV")), ("price", Value::Int(500))];
    Value::Map(entries.into_iter().collect())
}

fn snapshot(len: usize) -> Snapshot {
    let items: List = std::iter::repeat_with(product).take(len).collect();
    let accounts: Map = (0..len)
        .map(|n| (format!("key{n}"), Value::Int(1)))
        .collect();
    let domain: Map = [
        ("items", Value::List(items)),
        ("accounts", Value::Map(accounts)),
        ("total_value", Value::Int(0)),
    ]
    .into_iter()
    .collect();
    Snapshot {
        version: 1,
        tree: Tree::new(Map::new(), domain),
    }
}

fn checks(bencher: &mut Bencher<'_>, schema: &Schema, transaction: &Transaction) {
    bencher.iter(|| {
        let checked = schema.check_transaction(black_box(transaction));
        checked.expect("it fits");
    });
}

/// The writes of `add_product`: a push onto the list, and the new total.
fn add_product(base: &Snapshot) -> Transaction {
    let mut transaction = Transaction::begin(base.clone());
    transaction
        .push(path("domain.items"), product())
        .expect("a list");
    transaction
        .set(path("domain.total_value"), Value::Int(500))
        .expect("a map");
    transaction
}

fn changes(criterion: &mut Criterion) {
    let schema = schema();
    let mut group = criterion.benchmark_group("check of one push and one set, on a list of");
    for len in [100, 10_000, 1_000_000] {
        let transaction = add_product(&snapshot(len));
        group.bench_function(BenchmarkId::from_parameter(len), |bencher| {
            checks(bencher, &schema, &transaction);
        });
    }
    group.finish();
    let mut group = criterion.benchmark_group("check of one new key, in a bounded map of");
    for len in [100, 10_000, 1_000_000] {
        let mut transaction = Transaction::begin(snapshot(len));
        transaction
            .set(path("domain.accounts.new"), Value::Int(1))
            .expect("a map");
        group.bench_function(BenchmarkId::from_parameter(len), |bencher| {
            checks(bencher, &schema, &transaction);
        });
    }
    group.finish();
    let mut group =
        criterion.benchmark_group("check after the first element was removed, of a list of");
    for len in [100, 10_000, 1_000_000] {
        let mut transaction = add_product(&snapshot(len));
        transaction
            .remove(path("domain.items[0]"))
            .expect("an element");
        group.bench_function(BenchmarkId::from_parameter(len), |bencher| {
            checks(bencher, &schema, &transaction);
        });
    }
    group.finish();
}

fn wholes(criterion: &mut Criterion) {
    let schema = schema();
    let mut group = criterion.benchmark_group("check of a whole context with a list of");
    for len in [100, 10_000] {
        let base = snapshot(len);
        group.bench_function(BenchmarkId::from_parameter(len), |bencher| {
            bencher.iter(|| schema.check(black_box(&base.tree)).expect("it fits"));
        });
    }
    group.finish();
}

/// As many writes as a transaction may hold, at their worst: elements are changed, and those before them removed.
fn shifts(criterion: &mut Criterion) {
    let schema = schema();
    let mut transaction = Transaction::begin(snapshot(20_000));
    for n in 0..8_000_u64 {
        let price = path(&format!("domain.items[{}].price", 19_999 - 2 * n));
        transaction.set(price, Value::Int(1)).expect("an element");
        transaction
            .remove(path("domain.items[0]"))
            .expect("an element");
    }
    criterion.bench_function(
        "check of 8,000 sets and 8,000 removals in one list",
        |bencher| {
            checks(bencher, &schema, &transaction);
        },
    );
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(30);
    targets = changes, wholes, shifts
}
criterion_main!(benches);
