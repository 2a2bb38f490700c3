//! Runs guests: the only place that names wasmtime.
//!
//! A [`Runtime`] compiles components to [`Program`]s. Every call gets a store and an instance of its own, entered with
//! the guest's side of a transaction (a [`ContextGuard`]) and left with an [`Execution`]: how it ended, what it cost,
//! and the guard again. The pool, fuel, the epoch deadline, memory and table sums bound what a guest can do to the host;
//! what it can do to the context is the guard's business.
//!
//! A call runs on the caller's thread, its wasm on the caller's stack: up to `Limits::stack_bytes` of it, while the host's
//! functions under it need the rest of its stack. The 2 MiB of a thread of the standard library are enough for the default.

#[cfg(feature = "baseline")]
mod baseline;
mod bulk;
mod cache;
mod call;
mod config;
mod end;
mod host_calls;
mod limiter;
mod moves;
mod program;
mod slots;
mod standing;
mod state;
mod symbol;
mod ticker;
mod wasi;

#[cfg(test)]
pub(crate) mod tests;

#[cfg(feature = "baseline")]
pub use self::baseline::{BareGuest, PlainGuest, ReusedInstance};
pub(crate) use self::call::{CallSettings, Execution, Instance};
pub(crate) use self::end::End;
pub(crate) use self::program::Program;

use self::cache::CodeCache;
use self::slots::Slots;
use self::standing::Keeper;
use self::state::CallState;
use self::ticker::Ticker;
use crate::guest::GuestError;
use crossbeam_utils::CachePadded;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use theus_core::limits::Limits;
use wasmtime::Engine;
use wasmtime::component::Linker;

/// Calls that may be inside a guest at a time; further ones wait.
const SLOTS: u32 = 256;
/// Further places, for instances that stand ready or are still to be taken apart.
const STANDING_SLOTS: u32 = 64;

/// Compiles guests and holds what all their calls share: the engine, the instance pool, the epoch's clock.
#[derive(Clone)]
pub(crate) struct Runtime(Arc<Shared>);

struct Shared {
    engine: Engine,
    // For guests that import nothing but `theus:process`.
    plain: Linker<CallState>,
    // The same, and the virtual WASI world.
    virtual_wasi: Linker<CallState>,
    ticker: Ticker,
    slots: Arc<Slots>,
    keeper: Keeper,
    limits: Limits,
    cache: Option<CodeCache>,
    compilations: AtomicU64,
    // Apart from what calls only read.
    instantiations: CachePadded<AtomicU64>,
}

impl Runtime {
    /// Sets up the engine and reserves the instance pool's address space.
    ///
    /// Compiled code is kept in the folder `cache`, where that is safe. Of a guest that is called often, up to `standing`
    /// instances stand ready.
    pub(crate) fn new(
        limits: &Limits,
        cache: Option<&Path>,
        standing: u32,
    ) -> anyhow::Result<Self> {
        Self::with_pool(limits, cache, SLOTS, standing)
    }

    #[cfg(test)]
    fn with_slots(limits: &Limits, slots: u32) -> anyhow::Result<Self> {
        Self::with_pool(limits, None, slots, 0)
    }

    fn with_pool(
        limits: &Limits,
        cache: Option<&Path>,
        slots: u32,
        standing: u32,
    ) -> anyhow::Result<Self> {
        let standing_slots = if standing > 0 { STANDING_SLOTS } else { 0 };
        let engine = Engine::new(&config::config(limits, slots + standing_slots)?)?;
        let mut plain = Linker::new(&engine);
        host_calls::add_to_linker(&mut plain)?;
        let mut virtual_wasi = plain.clone();
        wasi::add_to_linker(&mut virtual_wasi)?;
        let cache = cache.and_then(|folder| {
            CodeCache::open(folder, &engine)
                .inspect_err(|error| tracing::warn!("compiled code is not cached: {error:#}"))
                .ok()
        });
        Ok(Self(Arc::new(Shared {
            ticker: Ticker::start(&engine)?,
            engine,
            plain,
            virtual_wasi,
            slots: Slots::new(slots),
            keeper: Keeper::new(standing, Slots::new(standing_slots)),
            limits: limits.clone(),
            cache,
            compilations: AtomicU64::new(0),
            instantiations: AtomicU64::new(0).into(),
        })))
    }

    /// Names the compiler, its version, every setting that changes the code that it makes, and how guests are changed before.
    pub(crate) fn settings(&self) -> String {
        let sum = cache::compiler(&self.0.engine);
        sum.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Compiles a component, or takes its code from the cache, and links its imports; nothing of it runs.
    ///
    /// # Errors
    ///
    /// An import that the host does not give, a missing or different export, memory or tables over their limits, or
    /// code that is no valid wasm.
    ///
    /// # Security
    ///
    /// Takes hostile bytes, but compiling costs time and memory by their shape: check that with
    /// [`Guest::read`](crate::guest::Guest::read) first.
    pub(crate) fn compile(&self, component: &[u8]) -> Result<Program, GuestError> {
        Program::compile(self, component)
    }

    /// How often a component was compiled: what the cache had does not count.
    #[cfg(test)]
    fn compilations(&self) -> u64 {
        self.0.compilations.load(Ordering::Relaxed)
    }

    #[cfg(test)]
    fn keeper(&self) -> &Keeper {
        &self.0.keeper
    }

    /// How many instances were ever made: what was refused before its sandbox does not count.
    pub(crate) fn instantiations(&self) -> u64 {
        self.0.instantiations.load(Ordering::Relaxed)
    }
}
