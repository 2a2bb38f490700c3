//! One call: an instance that serves it, and what became of it.

use super::end::End;
use super::moves;
use super::program::Linked;
use super::slots::{Slot, Slots};
use super::state::{CallState, charge_flat, tank};
use crate::side_effects::{Outside, Reach};
use crate::staging::SharedArea;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;
use theus_core::context_guard::ContextGuard;
use theus_core::guest_log::GuestLog;
use theus_core::limits::{Limit, LimitExceeded, Limits};
use wasmtime::component::{ComponentType, Lift, TypedFunc};
use wasmtime::{AsContextMut, Store};

/// What is kept of a failure's code; a longer one cannot be declared anyway.
const MAX_FAILURE_CODE: usize = 256;
/// What is kept of a failure's message.
const MAX_FAILURE_MESSAGE: usize = 64 * 1024;
/// Bytes of arguments and result for one unit of fuel.
const BYTES_PER_FUEL: usize = 8;

/// What one call may use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallSettings {
    /// Fuel, instantiation included.
    pub(crate) fuel: u64,
    /// The time, as of a moment ago.
    pub(crate) now: Instant,
    /// When the call is ended, whatever it is doing.
    pub(crate) deadline: Instant,
}

/// A fresh instance, good for one call.
pub(crate) struct Instance {
    fresh: Fresh,
    program: Arc<Linked>,
}

/// An instance apart from its program, which may itself keep some of them.
pub(super) struct Fresh {
    // Dropped in this order: the pool's memory is free before the place in the pool is.
    store: Store<CallState>,
    run: Run,
    slot: Slot,
}

type Run = TypedFunc<(&'static str, &'static [u8]), (Returned,)>;
type Returned = Result<Vec<u8>, Failure>;

/// The WIT's `failure`.
#[derive(ComponentType, Lift)]
#[component(record)]
pub(super) struct Failure {
    code: String,
    message: String,
}

/// What became of one call.
#[derive(Debug)]
pub(crate) struct Execution {
    /// The guest's side of the transaction; absent where the guest was not entered or the host itself failed.
    pub(crate) guard: Option<Box<ContextGuard>>,
    /// What the guest wrote.
    pub(crate) log: GuestLog,
    /// How the call ended.
    pub(crate) end: End,
    /// Fuel used, instantiation included.
    pub(crate) fuel: u64,
    /// Calls from the guest into the host.
    pub(crate) host_calls: u64,
    /// The most linear memory that the guest held, in bytes.
    pub(crate) memory_peak: u64,
    /// The most table elements that the guest held.
    pub(crate) table_elements: u64,
}

impl Fresh {
    pub(super) fn new(store: Store<CallState>, run: Run, slot: Slot) -> Self {
        Self { store, run, slot }
    }

    /// The fuel that its call may use.
    pub(super) fn fuel(&self) -> u64 {
        self.store.data().meter.fuel_allowed
    }

    /// Its linear memory, in bytes.
    pub(super) fn memory(&self) -> u64 {
        self.store.data().limiter.memory()
    }

    /// Whether its place in the pool is one of these.
    pub(super) fn has_place_in(&self, places: &Arc<Slots>) -> bool {
        self.slot.is_of(places)
    }
}

impl Instance {
    pub(super) fn new(fresh: Fresh, program: Arc<Linked>) -> Self {
        Self { fresh, program }
    }

    /// Lets the call that is about to run see what is outside the context. Guests that do not import WASI never look.
    pub(crate) fn reach(
        &mut self,
        reach: &Arc<Reach>,
        outside: &Outside,
        area: Option<&SharedArea>,
    ) {
        if let Some(world) = &mut self.fresh.store.data_mut().world {
            world.reach(reach, outside, area);
        }
    }

    /// Runs one process and ends the instance.
    ///
    /// `args` is a MessagePack map. The guard comes back with the execution, except where the host itself failed.
    pub(crate) fn run(
        self,
        process: &str,
        args: &[u8],
        guard: Box<ContextGuard>,
        settings: &CallSettings,
    ) -> Execution {
        let Self { mut fresh, program } = self;
        let Fresh { store, run, .. } = &mut fresh;
        let state = store.data_mut();
        state.deadline = settings.deadline;
        state.guard = Some(guard);
        if let Some(world) = &mut state.world {
            world.enter_call(&program.digest, process, args);
        }
        // It may have been made many ticks ago.
        store.set_epoch_deadline(1);
        moves::bound(&mut store.as_context_mut(), settings.now);
        let limits = &program.runtime.limits;
        let running = program.runtime.ticker.running();
        let called = catch_unwind(AssertUnwindSafe(|| {
            call(store, *run, limits, process, args, settings.now)
        }));
        drop(running);
        let end = match called {
            Ok(Ok(end)) => end,
            Ok(Err(error)) => {
                let error = moves::judged(error, store);
                let fuel = store.data().meter.fuel_allowed;
                End::of_error(error, &program.places, limits, fuel)
            }
            Err(panic) => {
                // Whatever was going on in the transaction was not finished.
                store.data_mut().guard = None;
                End::of_panic(panic.as_ref())
            }
        };
        let execution = Execution::ended(store, end);
        program.retire(fresh);
        execution
    }
}

fn call(
    store: &mut Store<CallState>,
    run: Run,
    limits: &Limits,
    process: &str,
    args: &[u8],
    now: Instant,
) -> wasmtime::Result<End> {
    LimitExceeded::check(
        Limit::ArgumentBytes,
        limits.argument_bytes,
        args.len() as u64,
    )?;
    let state = store.data();
    if now >= state.deadline {
        return Err(state.time_exceeded().into());
    }
    charge_flat(&mut store.as_context_mut(), fuel_for(args.len()))?;
    // The result is copied out before its limit is checked, for the guest has freed it by the time the call returns;
    // the copy is bounded by the store's own limit on what one call may move.
    let (returned,) = run.call(&mut *store, (process, args))?;
    // The last look of the guest's own code may have been a tick ago, and a large result takes a while.
    let state = store.data();
    if Instant::now() >= state.deadline {
        return Err(state.time_exceeded().into());
    }
    let mut store = store.as_context_mut();
    match returned {
        Ok(result) => {
            charge_flat(&mut store, fuel_for(result.len()))?;
            LimitExceeded::check(Limit::ResultBytes, limits.result_bytes, result.len() as u64)?;
            Ok(End::Returned(result))
        }
        Err(failure) => {
            let bytes = failure.code.len() + failure.message.len();
            charge_flat(&mut store, fuel_for(bytes))?;
            Ok(End::Failed {
                code: beginning(failure.code, MAX_FAILURE_CODE),
                message: beginning(failure.message, MAX_FAILURE_MESSAGE),
            })
        }
    }
}

impl Execution {
    /// A call that ended before there was an instance.
    pub(super) fn not_entered(end: End) -> Self {
        Self {
            guard: None,
            log: GuestLog::default(),
            end,
            fuel: 0,
            host_calls: 0,
            memory_peak: 0,
            table_elements: 0,
        }
    }

    /// A call that ended with an instance, whole or half made.
    pub(super) fn ended(store: &mut Store<CallState>, end: End) -> Self {
        let left = store.get_fuel().unwrap_or(0);
        let state = store.data_mut();
        if let Some(world) = &mut state.world {
            world.close(&mut state.log);
        }
        Self {
            guard: state.guard.take(),
            log: std::mem::take(&mut state.log),
            end,
            fuel: tank(state.meter.fuel_allowed)
                .saturating_sub(left)
                .min(state.meter.fuel_allowed),
            host_calls: state.meter.host_calls,
            memory_peak: state.limiter.memory(),
            table_elements: state.limiter.elements(),
        }
    }
}

fn fuel_for(bytes: usize) -> u64 {
    (bytes / BYTES_PER_FUEL) as u64
}

fn beginning(mut text: String, bytes: usize) -> String {
    text.truncate(text.floor_char_boundary(bytes));
    text
}
