//! What the host keeps beside a guest while it runs: the store's data.

use super::end::{End, Stop};
use super::limiter::Limiter;
use super::moves::{self, Moves, Texts};
use super::wasi::World;
use std::time::Instant;
use theus_core::context_guard::ContextGuard;
use theus_core::guest_log::GuestLog;
use theus_core::limits::{Limit, LimitExceeded, Limits};
use wasmtime::{StoreContextMut, UpdateDeadline};

/// Fuel for entering the host once, on top of what the call's work costs.
const CALL_FUEL: u64 = 50;

/// The data of one call's store.
pub(super) struct CallState {
    /// The guest's side of the transaction; absent while instantiating and while the guard itself is at work.
    pub(super) guard: Option<Box<ContextGuard>>,
    pub(super) log: GuestLog,
    pub(super) limiter: Limiter,
    pub(super) meter: Meter,
    pub(super) deadline: Instant,
    pub(super) timeout_ms: u64,
    pub(super) moves: Moves,
    /// The virtual WASI world; made for guests that import WASI.
    pub(super) world: Option<Box<World>>,
}

/// What a call has spent.
pub(super) struct Meter {
    pub(super) host_calls: u64,
    host_calls_allowed: u64,
    /// The fuel that the call began with.
    pub(super) fuel_allowed: u64,
    /// Host work of WASI calls that is not yet taken from the store's fuel.
    owed: u64,
}

impl CallState {
    pub(super) fn new(
        limits: &Limits,
        fuel: u64,
        deadline: Instant,
        texts: Texts,
        world: Option<World>,
    ) -> Self {
        Self {
            guard: None,
            log: GuestLog::new(limits),
            limiter: Limiter::new(limits),
            meter: Meter {
                host_calls: 0,
                host_calls_allowed: limits.host_calls,
                fuel_allowed: fuel,
                owed: 0,
            },
            deadline,
            timeout_ms: u64::try_from(limits.timeout.as_millis()).unwrap_or(u64::MAX),
            moves: Moves::new(texts, limits.memory_bytes),
            world: world.map(Box::new),
        }
    }

    pub(super) fn time_exceeded(&self) -> LimitExceeded {
        time_exceeded(self.timeout_ms)
    }
}

impl Meter {
    /// Counts one call into the host.
    #[inline]
    pub(super) fn enter(&mut self) -> Result<(), LimitExceeded> {
        self.host_calls += 1;
        LimitExceeded::check(Limit::HostCalls, self.host_calls_allowed, self.host_calls)
    }

    /// Counts one WASI call and its work.
    ///
    /// Those functions do not see the store, so their fuel is taken at the next call that does, at the end at the
    /// latest; what is owed can never be more than the call's whole fuel.
    pub(super) fn owe(&mut self, work: u64) -> Result<(), LimitExceeded> {
        self.enter()?;
        self.owe_more(CALL_FUEL.saturating_add(work))
    }

    /// Further work of a WASI call that is counted already.
    pub(super) fn owe_more(&mut self, work: u64) -> Result<(), LimitExceeded> {
        self.owed = self.owed.saturating_add(work);
        if self.owed > self.fuel_allowed {
            return Err(self.fuel_exceeded());
        }
        Ok(())
    }

    pub(super) fn fuel_exceeded(&self) -> LimitExceeded {
        LimitExceeded {
            limit: Limit::Fuel,
            allowed: self.fuel_allowed,
            asked: None,
        }
    }
}

pub(super) fn time_exceeded(timeout_ms: u64) -> LimitExceeded {
    LimitExceeded {
        limit: Limit::Time,
        allowed: timeout_ms,
        asked: None,
    }
}

/// The fuel that a store begins with: one unit to spare, so that using all that is allowed is not using too much.
pub(super) fn tank(allowed: u64) -> u64 {
    allowed.saturating_add(1)
}

/// Takes fuel for one host call that did `work`, and whatever WASI calls still owe.
#[inline]
pub(super) fn charge(
    store: &mut StoreContextMut<'_, CallState>,
    work: u64,
) -> wasmtime::Result<()> {
    charge_flat(store, CALL_FUEL.saturating_add(work))
}

/// Takes `work` units of fuel, and whatever WASI calls still owe.
pub(super) fn charge_flat(
    store: &mut StoreContextMut<'_, CallState>,
    work: u64,
) -> wasmtime::Result<()> {
    let owed = std::mem::take(&mut store.data_mut().meter.owed);
    match store.get_fuel()?.checked_sub(work.saturating_add(owed)) {
        // Down to nothing, the spare unit included: the guest's last stretch, which is not checked as it ends, was too long.
        Some(left) if left > 0 => store.set_fuel(left),
        _ => {
            store.set_fuel(0)?;
            Err(store.data().meter.fuel_exceeded().into())
        }
    }
}

/// Runs at every tick of the epoch: ends the call once its deadline has passed, and sees to it that nothing is begun that
/// would outlive it.
pub(super) fn at_tick(
    mut store: StoreContextMut<'_, CallState>,
) -> wasmtime::Result<UpdateDeadline> {
    let now = Instant::now();
    let state = store.data();
    if now >= state.deadline {
        return Err(state.time_exceeded().into());
    }
    moves::bound(&mut store, now);
    Ok(UpdateDeadline::Continue(1))
}

/// Ends the run with `end`.
pub(super) fn stop<T>(end: End) -> wasmtime::Result<T> {
    Err(Stop(end).into())
}
