//! Calls made on the threads of an async runtime. They hold the thread up, which is the caller's to avoid, and nothing
//! worse: no panic of a runtime that finds itself inside another one. (`tests/integration/wasi.rs` has the same for a
//! guest on WASI.)

use theus_host::testing::Host;
use theus_host::{Engine, Outcome, Policy, Receipt, args};
use tokio::runtime::Builder;

fn run(engine: &Engine) -> Receipt {
    let receipt = engine.run("increment", args! {});
    receipt.unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn calls_on_a_reactor_s_thread_do_not_panic() {
    let host = Host::build("../guests/probe").context(r#"{"domain": {"counter": 0}}"#);
    let engine = host.engine();

    let one = Builder::new_current_thread().enable_all().build();
    let receipt = one.expect("a runtime").block_on(async { run(engine) });
    assert_eq!(receipt.version, 1);

    let several = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let versions = several.block_on(async {
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let engine = engine.clone();
                tokio::spawn(async move { run(&engine).version })
            })
            .collect();
        let mut versions = Vec::new();
        for task in tasks {
            versions.push(task.await.expect("the task does not panic"));
        }
        versions.sort_unstable();
        versions
    });
    assert_eq!(versions, (2..=9).collect::<Vec<u64>>());
}

#[test]
fn an_engine_is_made_and_dropped_on_a_reactor_s_thread() {
    let runtime = Builder::new_current_thread().enable_all().build();
    let outcome = runtime.expect("a runtime").block_on(async {
        let host = Host::build("../guests/probe").context(r#"{"domain": {"counter": 0}}"#);
        let refused = host
            .engine()
            .register(b"no guest".to_vec(), Policy::as_declared());
        assert!(refused.is_err());
        let receipt = run(host.engine());
        drop(host);
        receipt.outcome
    });
    assert_eq!(outcome, Outcome::Committed);
}
