//! How long after its time a call is ended, whatever the guest is doing, or before it.
//!
//! The lateness is what the caller sees: from the deadline to the return of `Engine::call`.

use super::Effort;
use super::rounds::{Figures, figures};
use super::wat::hostile;
use anyhow::{Result, ensure};
use std::thread;
use std::time::{Duration, Instant};
use theus_host::{Call, Code, Engine, Limits, Policy, args, context_from_json};

const ROUNDS: usize = 50;
const TIMEOUT: Duration = Duration::from_millis(100);
/// So soon that a guest is still at the first thing that it does.
const SOON: Duration = Duration::from_millis(5);
const CONTEXT: &str = r#"{"domain": {"data": {}, "hidden": 0, "counter": 0}}"#;
/// The longest text that a guest has room for, beside its own.
const TEXT: usize = 60_000_000;

/// Each a folder of `guests/hostile`, and what it does when its time is up.
const ATTACKS: [(&str, &str); 11] = [
    ("spin", "in a loop"),
    ("start-loops", "in a start function"),
    ("realloc-loops", "in the guest's allocator"),
    ("bulk-memory", "memory.fill of 56 MiB, again and again"),
    ("host-call-flood", "small host calls"),
    ("host-work", "set of 1 MB, again and again"),
    ("heavy-work", "set of two million texts, 36 MB"),
    ("heavy-text", "set of a text of 50 MB"),
    ("read-heavy", "get of a text of 60 MB"),
    ("log-line-huge", "log lines of 50 MB"),
    ("read-flood", "reads"),
];

pub(crate) fn run(effort: Effort) -> Result<()> {
    println!(
        "{:<44} {:>10} {:>10} {:>10}",
        "ms from the deadline to the end", "earliest", "median", "latest"
    );
    for (folder, what) in ATTACKS {
        let engine = engine(TIMEOUT)?;
        engine.register(hostile(folder), Policy::as_declared())?;
        print(what, effort, || Ok(late(&engine, "attack", TIMEOUT)))?;
    }
    let soon = engine(SOON)?;
    soon.register(hostile("bulk-memory"), Policy::as_declared())?;
    print("memory.fill of 56 MiB of fresh pages", effort, || {
        Ok(late(&soon, "attack", SOON))
    })?;
    let patient = engine(Duration::from_secs(10))?;
    patient.register(hostile("failure-heavy"), Policy::as_declared())?;
    let started = Instant::now();
    let receipt = patient.call(Call::new("attack", args! {}));
    let takes = started.elapsed();
    ensure!(receipt.error.is_some(), "it has to fail");
    let mut round = 0;
    print("an error of 50 MB, at any time of its call", effort, || {
        loop {
            round += 1;
            let timeout = takes.mul_f64(f64::from(round * 37 % 100) / 100.0) + SOON;
            let engine = engine(timeout)?;
            engine.register(hostile("failure-heavy"), Policy::as_declared())?;
            if let Some(late) = late(&engine, "attack", timeout) {
                return Ok(Some(late));
            }
        }
    })?;
    let engine = engine(TIMEOUT)?;
    let guest = super::guests::component("probe")?;
    engine.register(guest, Policy::as_declared())?;
    print("waiting for a lock", effort, || {
        thread::scope(|scope| {
            let late = engine.edit(|_| {
                let waiting = scope.spawn(|| late(&engine, "increment", TIMEOUT));
                Ok(waiting.join())
            })?;
            late.map_err(|_| anyhow::anyhow!("the waiting call panicked"))
        })
    })?;
    println!("aim: at most 20 ms; what cannot be ended half way ends early");
    Ok(())
}

fn engine(timeout: Duration) -> Result<Engine> {
    // Nothing but time ends a call.
    let limits = Limits {
        timeout,
        fuel: u64::MAX / 2,
        reads: u64::MAX,
        writes: u64::MAX,
        write_bytes: u64::MAX,
        read_bytes: u64::MAX,
        host_calls: u64::MAX,
        ..Limits::default()
    };
    let engine = Engine::builder()
        .context(context_from_json(CONTEXT)?)
        .limits(limits)
        .standing_instances(0)
        .build()?;
    engine.edit(|context| context.set("domain.data.heavy_x", "x".repeat(TEXT).as_str()))?;
    Ok(engine)
}

/// How long after its deadline one call ended, in milliseconds, negative where it ended before it; none where something else ended it.
fn late(engine: &Engine, process: &str, timeout: Duration) -> Option<f64> {
    let started = Instant::now();
    let receipt = engine.call(Call::new(process, args! {}));
    let late = started.elapsed().as_secs_f64() - timeout.as_secs_f64();
    let code = receipt.error.map(|error| error.code());
    (code.as_deref() == Some(Code::TimeExhausted.as_str())).then_some(late * 1e3)
}

fn print(what: &str, effort: Effort, mut once: impl FnMut() -> Result<Option<f64>>) -> Result<()> {
    let mut all = Vec::new();
    for _ in 0..effort.rounds(ROUNDS) {
        let late = once()?;
        ensure!(late.is_some(), "{what}: something else than time ended it");
        all.extend(late);
    }
    let earliest = all.iter().copied().fold(0.0, f64::min);
    let latest = all.iter().copied().fold(0.0, f64::max);
    let Figures { median, .. } = figures(&mut all);
    println!("{what:<44} {earliest:>10.1} {median:>10.1} {latest:>10.1}");
    Ok(())
}
