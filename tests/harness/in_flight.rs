//! Runs that are still going on, held there without a clock.

use super::engines::Setup;
use std::thread::{self, ScopedJoinHandle};
use theus_host::{Call, Edit, EditError, Engine, Receipt, args};

/// Rules that count runs of `spin_for` the moment their transaction is opened.
pub(crate) const COUNTED: &str = "
process_recipes:
  spin_for:
    inputs:
      - { field: iterations, max: 0, level: I, min_threshold: 1000000, max_threshold: 1000000 }
";

/// Enough work for the other side of a test to be done many times over.
pub(crate) const LONG: u64 = 600_000_000;

/// An engine on which runs of `spin_for` are counted as they are admitted, with fuel for [`LONG`] ones.
pub(crate) fn counting() -> Setup {
    Setup::probe()
        .recipe(COUNTED)
        .limits(|limits| limits.fuel = u64::MAX / 2)
}

/// A call of `spin_for` that writes the slot `key`.
pub(crate) fn spin(iterations: u64, key: &str) -> Call<'static> {
    Call::new(
        "spin_for",
        args! { "iterations" => iterations, "key" => key },
    )
}

/// Waits until a run of `spin_for` has been admitted, or has ended without that.
///
/// A dry run of the same process sees the run's count and leaves no trace; its slot is its own, so it waits for nobody.
pub(crate) fn wait_for_admitted(engine: &Engine, running: &ScopedJoinHandle<'_, Receipt>) {
    let admitted = || engine.call(spin(1, "watcher").dry_run()).audit[0].count > 1;
    while !admitted() && !running.is_finished() {
        thread::yield_now();
    }
}

/// Runs `meanwhile` while a [`LONG`] run that writes the slot `key` is in its execution; gives the receipt of that run.
pub(crate) fn during_spin<R>(
    engine: &Engine,
    key: &str,
    meanwhile: impl FnOnce(&dyn Fn() -> bool) -> R,
) -> (Receipt, R) {
    thread::scope(|scope| {
        let running = scope.spawn(|| engine.call(spin(LONG, key)));
        wait_for_admitted(engine, &running);
        let meanwhile = meanwhile(&|| !running.is_finished());
        (running.join().expect("the run ends"), meanwhile)
    })
}

/// Calls a process while an edit holds every lock, and changes the context once the call is past its input gate.
///
/// A sandbox is made between gate and lock: that there is one more says how far the call has come.
pub(crate) fn behind_an_edit(
    engine: &Engine,
    call: Call,
    change: impl FnOnce(&mut Edit<'_>) -> Result<(), EditError>,
) -> Receipt {
    let made = engine.sandboxes_made();
    thread::scope(|scope| {
        let waiting = engine
            .edit(|context| {
                let waiting = scope.spawn(|| engine.call(call));
                while engine.sandboxes_made() == made && !waiting.is_finished() {
                    thread::yield_now();
                }
                change(context)?;
                Ok(waiting)
            })
            .expect("an edit");
        waiting.join().expect("the run ends")
    })
}
