//! A thousand calls from many threads, of a process that reads a counter and writes it back. None is lost.
//!
//! ```console
//! $ cargo run --release --example thousand_calls
//! ```

use std::error::Error;
use std::thread;
use std::time::Instant;
use theus_host::build::{Build, Diagnostics};
use theus_host::{Engine, Path, Policy, RunError, Value, args, context_from_json};

const THREADS: i64 = 8;
const CALLS_EACH: i64 = 125;

#[expect(clippy::print_stdout, reason = "a program may say what it did")]
pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let guests = concat!(env!("CARGO_MANIFEST_DIR"), "/../guests");
    let guest = Build::new(format!("{guests}/probe"))
        .diagnostics(Diagnostics::Hide)
        .run()?;
    let engine = Engine::builder()
        .context(context_from_json(r#"{"domain": {"counter": 0}}"#)?)
        .build()?;
    engine.register(guest.wasm, Policy::as_declared())?;

    let started = Instant::now();
    count(&engine)?;
    let time = started.elapsed();

    let counter = Path::parse("domain.counter")?;
    let end = engine.context();
    assert_eq!(
        end.tree.get(&counter),
        Some(&Value::Int(THREADS * CALLS_EACH)),
        "every call was counted once"
    );
    println!(
        "{THREADS} threads made {} calls in {time:.0?}: the counter is exact",
        end.version
    );
    Ok(())
}

/// Every thread has a clone of the engine. The engine sees to the rest: runs that touch the same keys go in turn.
fn count(engine: &Engine) -> Result<(), RunError> {
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                let engine = engine.clone();
                scope.spawn(move || {
                    (0..CALLS_EACH).try_for_each(|_| engine.run("increment", args! {}).map(drop))
                })
            })
            .collect();
        threads.into_iter().try_for_each(|thread| {
            thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    })
}
