//! What the context costs without any sandbox: calls through the guard, growth, snapshots, commits.
//!
//! `cargo bench -p theus-core --bench context`

#![allow(missing_docs, reason = "criterion's macros make public items")]

use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use std::sync::Arc;
use theus_core::context_guard::{ContextGuard, Mode};
use theus_core::guard::Guard;
use theus_core::limits::Limits;
use theus_core::path::Path;
use theus_core::transaction::{Snapshot, Transaction};
use theus_core::tree::Tree;
use theus_core::value::{List, Map, Value};

fn path(text: &str) -> Path {
    Path::parse(text).expect(text)
}

fn snapshot(key: &str, value: Value) -> Snapshot {
    let domain: Map = [(key, value), ("total", Value::Int(5))]
        .into_iter()
        .collect();
    Snapshot {
        version: 1,
        tree: Tree::new(Map::new(), domain),
    }
}

fn guard() -> Arc<Guard> {
    let places = || vec![path("domain.value"), path("domain.total")];
    Arc::new(Guard::new(places(), places()).interned())
}

/// Limits that a benchmark may call under for ever.
fn limits() -> Arc<Limits> {
    Arc::new(Limits {
        reads: u64::MAX,
        read_bytes: u64::MAX,
        writes: u64::MAX,
        write_bytes: u64::MAX,
        value_bytes: 64 << 20,
        ..Limits::default()
    })
}

fn guarded(base: &Snapshot) -> ContextGuard {
    let transaction = Transaction::begin(base.clone());
    ContextGuard::new(guard(), transaction, limits(), Mode::Strict)
}

fn calls(criterion: &mut Criterion) {
    let base = snapshot(
        "value",
        Value::Map([("a", Value::Int(1))].into_iter().collect()),
    );
    let mut context = guarded(&base);
    criterion.bench_function("get of a granted path", |bencher| {
        bencher.iter(|| context.get(black_box("domain.total")).expect("granted"));
    });
    criterion.bench_function("get below a granted path", |bencher| {
        bencher.iter(|| context.get(black_box("domain.value.a")).expect("granted"));
    });
    criterion.bench_function("set of a granted path", |bencher| {
        bencher.iter_batched_ref(
            || guarded(&base),
            |context| {
                for _ in 0..100 {
                    context
                        .set(black_box("domain.total"), &[7])
                        .expect("granted");
                }
            },
            BatchSize::LargeInput,
        );
    });
}

fn growth(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("push and commit on a list of");
    for len in [100, 10_000, 1_000_000] {
        let list: List = (0..len).map(Value::Int).collect();
        let base = snapshot("value", Value::List(list));
        group.bench_function(BenchmarkId::from_parameter(len), |bencher| {
            bencher.iter(|| {
                let mut context = guarded(&base);
                context.push("domain.value", &[7]).expect("granted");
                let transaction = context.into_transaction();
                transaction.commit(&base).expect("nothing else moved")
            });
        });
    }
    group.finish();
}

fn subtrees(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("get of a subtree of");
    for nodes in [1, 1_000, 100_000] {
        let map: Map = (0..nodes)
            .map(|n| (format!("key{n}"), Value::Int(n)))
            .collect();
        let base = snapshot("value", Value::Map(map));
        let mut context = guarded(&base);
        group.bench_function(BenchmarkId::from_parameter(nodes), |bencher| {
            bencher.iter(|| context.get(black_box("domain.value")).expect("granted"));
        });
    }
    group.finish();
}

fn large(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a context of 1,000,000 keys:");
    let map: Map = (0..1_000_000)
        .map(|n| (format!("key{n}"), Value::Int(n)))
        .collect();
    let base = snapshot("value", Value::Map(map));
    group.bench_function("snapshot", |bencher| {
        bencher.iter(|| black_box(base.clone()));
    });
    group.bench_function("set one key and commit", |bencher| {
        bencher.iter(|| {
            let mut context = guarded(&base);
            context
                .set("domain.value.key500000", &[7])
                .expect("granted");
            let transaction = context.into_transaction();
            (
                transaction.changes(),
                transaction.commit(&base).expect("nothing else moved"),
            )
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(30);
    targets = calls, growth, subtrees, large
}
criterion_main!(benches);
