//! A call of a guest, and what comes before the first one.
//!
//! `cargo bench -p theus-host --bench call`; what a call costs against its baselines is what the bench `ratios` prints.

#![allow(missing_docs, reason = "criterion's macros make public items")]

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use theus_host::build::{Build, Diagnostics};
use theus_host::{Call, Engine, Policy, args, context_from_json};

/// The guest of the reference call, as a core module.
fn guest() -> Vec<u8> {
    let built = Build::new("../guests/reference")
        .diagnostics(Diagnostics::Hide)
        .run();
    std::fs::read(built.expect("the guest builds").wasm).expect("the guest was built")
}

fn engine(standing: u32) -> Engine {
    let context = r#"{"domain": {"total_value": 0, "count": 0, "last_product": ""}}"#;
    Engine::builder()
        .context(context_from_json(context).expect("a context"))
        .standing_instances(standing)
        .build()
        .expect("an engine")
}

fn calls(criterion: &mut Criterion) {
    let wasm = guest();
    let args = args! { "product_name" => "TV", "price" => 500 };
    for (name, standing) in [("a call", 0), ("a call, instances standing ready", 8)] {
        let engine = engine(standing);
        engine
            .register(wasm.clone(), Policy::as_declared())
            .expect("registered");
        criterion.bench_function(name, |bencher| {
            bencher.iter(|| engine.run("reference", args.clone()).expect("committed"));
        });
        criterion.bench_function(&format!("{name}, dry run"), |bencher| {
            bencher.iter(|| engine.call(Call::new("reference", args.clone()).dry_run()));
        });
    }
}

fn registration(criterion: &mut Criterion) {
    let wasm = guest();
    let folder = tempfile::tempdir().expect("a folder");
    let cache = folder.path().join("cache");
    let mut group = criterion.benchmark_group("registering a guest");
    group.sample_size(20);
    group.bench_function("compiling it", |bencher| {
        bencher.iter_batched(
            || (engine(0), wasm.clone()),
            |(engine, wasm)| {
                engine
                    .register(wasm, Policy::as_declared())
                    .expect("registered")
            },
            BatchSize::PerIteration,
        );
    });
    group.bench_function("its code in the cache", |bencher| {
        bencher.iter_batched(
            || {
                let engine = Engine::builder().compiled_code_cache(&cache).build();
                (engine.expect("an engine"), wasm.clone())
            },
            |(engine, wasm)| {
                engine
                    .register(wasm, Policy::as_declared())
                    .expect("registered")
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, calls, registration);
criterion_main!(benches);
