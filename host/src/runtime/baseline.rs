//! What the benchmarks compare with: a guest called with nothing around it.

use super::call::Failure;
use super::config;
use super::host_calls;
use super::moves::Texts;
use super::state::CallState;
use std::collections::HashMap;
use std::time::{Duration, Instant};
use theus_core::context_guard::ContextGuard;
use theus_core::limits::Limits;
use wasmtime::component::{
    Component, ComponentExportIndex, InstancePre, Linker, TypedFunc, WasmList, WasmStr,
};
use wasmtime::{Engine, Store, StoreContextMut};

/// A guest under the same engine settings, whose `get` and `set` reach a plain map: no contract, no transaction, no
/// gates, no log, no record.
pub struct PlainGuest(Bare<Values>);

/// A guest under the same engine settings with the engine's own host functions over a transaction, and nothing else: no
/// gates, no locks, no commit, no record.
pub struct BareGuest {
    bare: Bare<CallState>,
    limits: Limits,
}

/// One instance of a [`PlainGuest`], called again and again. What it keeps between calls is why the engine never does this.
pub struct ReusedInstance(Instance<Values>);

struct Bare<D: 'static> {
    engine: Engine,
    pre: InstancePre<D>,
    run: ComponentExportIndex,
    fuel: u64,
}

struct Instance<D: 'static> {
    store: Store<D>,
    run: Run,
    fuel: u64,
}

type Values = HashMap<String, Vec<u8>>;
type Run = TypedFunc<(&'static str, &'static [u8]), (Result<Vec<u8>, Failure>,)>;
type Caller<'a> = StoreContextMut<'a, Values>;

impl PlainGuest {
    /// Compiles a component that imports `get` and `set` of the context, and the log.
    ///
    /// # Errors
    ///
    /// What wasmtime has against it.
    pub fn new(component: &[u8], limits: &Limits) -> anyhow::Result<Self> {
        Bare::new(component, limits, |linker| {
            let mut context = linker.instance("theus:process/context@0.1.0")?;
            context.func_wrap("get", |caller: Caller<'_>, (path,): (WasmStr,)| {
                let path = path.to_str(&caller)?;
                Ok((caller.data().get(&*path).cloned(),))
            })?;
            context.func_wrap(
                "set",
                |mut caller: Caller<'_>, (path, value): (WasmStr, WasmList<u8>)| {
                    let path = path.to_str(&caller)?.into_owned();
                    let value = value.as_le_slice(&caller).to_vec();
                    caller.data_mut().insert(path, value);
                    Ok(())
                },
            )
        })
        .map(Self)
    }

    /// Calls a process in a fresh instance.
    ///
    /// # Errors
    ///
    /// What wasmtime says of the call.
    pub fn call(&self, process: &str, args: &[u8], values: Values) -> anyhow::Result<Vec<u8>> {
        self.0.instance(values)?.call(process, args)
    }

    /// Makes one instance for many calls.
    ///
    /// # Errors
    ///
    /// What wasmtime says of it.
    pub fn instance(&self, values: Values) -> anyhow::Result<ReusedInstance> {
        self.0.instance(values).map(ReusedInstance)
    }
}

impl BareGuest {
    /// Compiles a component.
    ///
    /// # Errors
    ///
    /// What wasmtime has against it.
    pub fn new(component: &[u8], limits: &Limits) -> anyhow::Result<Self> {
        let bare = Bare::new(component, limits, host_calls::add_to_linker)?;
        let limits = limits.clone();
        Ok(Self { bare, limits })
    }

    /// Calls a process in a fresh instance.
    ///
    /// # Errors
    ///
    /// What wasmtime says of the call.
    pub fn call(
        &self,
        process: &str,
        args: &[u8],
        guard: Box<ContextGuard>,
    ) -> anyhow::Result<Vec<u8>> {
        let deadline = Instant::now() + Duration::from_secs(60);
        let mut state = CallState::new(&self.limits, self.bare.fuel, deadline, Texts::Utf8, None);
        state.guard = Some(guard);
        self.bare.instance(state)?.call(process, args)
    }
}

impl ReusedInstance {
    /// Calls a process once more.
    ///
    /// # Errors
    ///
    /// What wasmtime says of the call.
    pub fn call(&mut self, process: &str, args: &[u8]) -> anyhow::Result<Vec<u8>> {
        self.0.call(process, args)
    }
}

impl<D> Bare<D> {
    fn new(
        component: &[u8],
        limits: &Limits,
        link: impl FnOnce(&mut Linker<D>) -> wasmtime::Result<()>,
    ) -> anyhow::Result<Self> {
        let engine = Engine::new(&config::config(limits, 8)?)?;
        let component = Component::new(&engine, component)?;
        let mut linker: Linker<D> = Linker::new(&engine);
        link(&mut linker)?;
        linker.define_unknown_imports_as_traps(&component)?;
        let pre = linker.instantiate_pre(&component)?;
        let (_, interface) = component
            .get_export(None, "theus:process/processes@0.1.0")
            .ok_or_else(|| anyhow::anyhow!("the component exports no processes"))?;
        let (_, run) = component
            .get_export(Some(&interface), "run")
            .ok_or_else(|| anyhow::anyhow!("the component exports no `run`"))?;
        component.initialize_copy_on_write_image()?;
        Ok(Self {
            engine,
            pre,
            run,
            fuel: limits.fuel,
        })
    }

    fn instance(&self, data: D) -> anyhow::Result<Instance<D>> {
        let mut store = Store::new(&self.engine, data);
        store.set_epoch_deadline(u64::MAX / 2);
        store.set_fuel(self.fuel)?;
        let instance = self.pre.instantiate(&mut store)?;
        let run = instance.get_typed_func(&mut store, self.run)?;
        Ok(Instance {
            store,
            run,
            fuel: self.fuel,
        })
    }
}

impl<D> Instance<D> {
    fn call(&mut self, process: &str, args: &[u8]) -> anyhow::Result<Vec<u8>> {
        self.store.set_fuel(self.fuel)?;
        let (returned,) = self.run.call(&mut self.store, (process, args))?;
        returned.map_err(|_| anyhow::anyhow!("the process failed"))
    }
}
