//! What the runtime promises, one hostile or ordinary guest per promise.

mod bulk;
mod ends;
mod files;
pub(crate) mod guests;
mod hostile;
mod limits;
mod moves;
mod prices;
mod standing;
mod wasi;

use super::{CallSettings, Execution, Program, Runtime};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};
use theus_core::context_guard::{ContextGuard, Mode};
use theus_core::guard::Guard;
use theus_core::limits::Limits;
use theus_core::path::Path;
use theus_core::transaction::{Snapshot, Transaction};

/// The runtime that tests with default limits share.
static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Runtime::with_slots(&Limits::default(), 16).expect("the pool fits"));

pub(super) const FUEL: u64 = 1_000_000_000;
/// Long enough that nothing reaches it on a busy machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// A guard that lets a process read and write the whole domain.
fn guard() -> Box<ContextGuard> {
    let domain = || vec![Path::parse("domain").expect("a layer is a path")];
    let guard = ContextGuard::new(
        Guard::new(domain(), domain()),
        Transaction::begin(Snapshot::default()),
        Arc::new(Limits::default()),
        Mode::Strict,
    );
    Box::new(guard)
}

pub(super) fn settings(fuel: u64, time: Duration) -> CallSettings {
    let now = Instant::now();
    CallSettings {
        fuel,
        now,
        deadline: now + time,
    }
}

/// Runs `work` of a program as an engine does.
pub(super) fn run_program(program: &Program, args: &[u8], call: CallSettings) -> Execution {
    match program.instantiate(&call) {
        Ok(instance) => instance.run("work", args, guard(), &call),
        Err(execution) => *execution,
    }
}

/// Compiles a guest and runs `work` once, with time and fuel to spare.
fn run(component: &[u8]) -> Execution {
    let program = RUNTIME.compile(component).expect("the guest compiles");
    run_program(&program, &[], settings(FUEL, PATIENCE))
}

/// The same on a runtime with limits of its own.
fn run_with(limits: &Limits, component: &[u8]) -> Execution {
    let runtime = Runtime::with_slots(limits, 1).expect("the pool fits");
    let program = runtime.compile(component).expect("the guest compiles");
    run_program(&program, &[], settings(limits.fuel, PATIENCE))
}

/// Instances may be made on one thread and run on another; programs are shared by all.
#[test]
fn instances_can_be_made_ahead_elsewhere() {
    fn sent<T: Send>() {}
    fn shared<T: Send + Sync>() {}
    sent::<super::Instance>();
    sent::<Execution>();
    shared::<Program>();
    shared::<Runtime>();
}
