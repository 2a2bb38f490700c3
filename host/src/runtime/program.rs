//! A compiled guest: what of it is linked once, and how an instance of it is made.

use super::bulk::{self, Places};
use super::call::{CallSettings, Execution, Fresh, Instance};
use super::end::End;
use super::moves::{self, Texts};
use super::slots::Slot;
use super::standing::Stock;
use super::state::{CallState, at_tick, tank, time_exceeded};
use super::wasi::World;
use super::{Runtime, Shared};
use crate::guest::{GuestError, PROCESSES, passes_utf8};
use sha2::{Digest, Sha256};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;
use theus_core::limits::{Limit, LimitExceeded, Limits};
use wasmtime::component::types::{ComponentFunc, ComponentItem, Type};
use wasmtime::component::{Component, ComponentExportIndex, InstancePre};
use wasmtime::{AsContextMut, Engine, Store};

/// Handles of the component model's resources that a guest may hold; the virtual WASI world needs a few.
const MAX_HANDLES: usize = 4096;

/// A compiled component, ready to be instantiated.
#[derive(Clone)]
pub(crate) struct Program(Arc<Linked>);

pub(super) struct Linked {
    pub(super) runtime: Arc<Shared>,
    pub(super) digest: [u8; 32],
    pre: InstancePre<CallState>,
    run: ComponentExportIndex,
    wasi: Wasi,
    texts: Texts,
    pub(super) places: Places,
    pub(super) stock: Stock,
}

/// Whether a component imports WASI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wasi {
    Absent,
    Virtual,
}

impl Program {
    pub(super) fn compile(runtime: &Runtime, bytes: &[u8]) -> Result<Self, GuestError> {
        let shared = &runtime.0;
        let digest = Sha256::digest(bytes).into();
        let divided = bulk::divided(bytes).map_err(GuestError::Malformed)?;
        let (component, origin) = shared.code(&digest, bytes, &divided.bytes)?;
        check_tables(&component, &shared.limits)?;
        let imports = component
            .component_type()
            .imports(&shared.engine)
            .map(|(name, _)| name.to_owned())
            .collect::<Vec<_>>();
        let wasi = if imports.iter().any(|name| name.starts_with("wasi:")) {
            Wasi::Virtual
        } else {
            Wasi::Absent
        };
        let texts = if passes_utf8(bytes)? {
            Texts::Utf8
        } else {
            Texts::Converted
        };
        let linker = match wasi {
            Wasi::Absent => &shared.plain,
            Wasi::Virtual => &shared.virtual_wasi,
        };
        let pre = linker
            .instantiate_pre(&component)
            .map_err(|error| not_granted(&error, &imports))?;
        let run = exported_run(&shared.engine, &component).ok_or(GuestError::ExportMissing)?;
        component
            .initialize_copy_on_write_image()
            .map_err(|error| GuestError::Uncompilable(error.into()))?;
        if let (Some(cache), Origin::Compiler) = (&shared.cache, origin) {
            cache.store(&digest, &component);
        }
        let linked = Arc::new(Linked {
            runtime: Arc::clone(shared),
            digest,
            pre,
            run,
            wasi,
            texts,
            places: divided.places,
            stock: Stock::new(),
        });
        shared.keeper.watch(&linked);
        Ok(Self(linked))
    }

    /// A fresh instance: one that stands ready, or one that is made now, in a place of the pool that is waited for until
    /// the deadline.
    ///
    /// A start function runs while it is made, with no transaction to see: any call of it into the host traps.
    ///
    /// # Errors
    ///
    /// How the call ended, where it ended before its process was entered.
    pub(crate) fn instantiate(&self, call: &CallSettings) -> Result<Instance, Box<Execution>> {
        let linked = &self.0;
        let fresh = match linked.runtime.keeper.take(&linked.stock, call) {
            Some(fresh) => fresh,
            None => linked.make_in_time(call)?,
        };
        Ok(Instance::new(fresh, Arc::clone(linked)))
    }

    #[cfg(test)]
    pub(super) fn stock(&self) -> &Stock {
        &self.0.stock
    }
}

impl Linked {
    /// What a call may use that is not there yet.
    pub(super) fn standing_settings(&self) -> CallSettings {
        let now = Instant::now();
        let limits = &self.runtime.limits;
        CallSettings {
            fuel: limits.fuel,
            now,
            deadline: crate::run::deadline(now, limits.timeout),
        }
    }

    /// Takes a used instance apart.
    pub(super) fn retire(&self, used: Fresh) {
        self.runtime.keeper.retire(&self.stock, used);
    }

    fn make_in_time(&self, call: &CallSettings) -> Result<Fresh, Box<Execution>> {
        let shared = &self.runtime;
        let slot = if call.now < call.deadline {
            shared.slots.take(call.deadline)
        } else {
            None
        };
        let Some(slot) = slot else {
            let timeout_ms = u64::try_from(shared.limits.timeout.as_millis()).unwrap_or(u64::MAX);
            let end = End::Limit(time_exceeded(timeout_ms));
            return Err(Box::new(Execution::not_entered(end)));
        };
        self.make(call, slot)
    }

    /// Makes a fresh instance in a place of the pool.
    pub(super) fn make(&self, call: &CallSettings, slot: Slot) -> Result<Fresh, Box<Execution>> {
        let shared = &self.runtime;
        let world = match self.wasi {
            Wasi::Absent => None,
            Wasi::Virtual => Some(World::new(&self.digest)),
        };
        let state = CallState::new(&shared.limits, call.fuel, call.deadline, self.texts, world);
        let mut store = Store::new(&shared.engine, state);
        store.limiter(|state| &mut state.limiter);
        store.epoch_deadline_callback(at_tick);
        store.set_epoch_deadline(1);
        store.set_max_component_handles(MAX_HANDLES);
        moves::bound(&mut store.as_context_mut(), call.now);
        shared.instantiations.fetch_add(1, Ordering::Relaxed);
        let running = shared.ticker.running();
        let instantiated = catch_unwind(AssertUnwindSafe(|| {
            store.set_fuel(tank(call.fuel))?;
            let instance = self.pre.instantiate(&mut store)?;
            instance.get_typed_func(&mut store, self.run)
        }));
        drop(running);
        match instantiated {
            Ok(Ok(run)) => Ok(Fresh::new(store, run, slot)),
            Ok(Err(error)) => {
                let error = moves::judged(error, &store);
                let end = End::of_error(error, &self.places, &shared.limits, call.fuel);
                Err(Box::new(Execution::ended(&mut store, end)))
            }
            Err(panic) => {
                let end = End::of_panic(panic.as_ref());
                Err(Box::new(Execution::ended(&mut store, end)))
            }
        }
    }
}

/// Where a component's code comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    Compiler,
    Cache,
}

impl Shared {
    /// The code of a component, which is compiled, divided, only where the cache does not have it.
    fn code(
        &self,
        digest: &[u8; 32],
        bytes: &[u8],
        divided: &[u8],
    ) -> Result<(Component, Origin), GuestError> {
        let cached = self
            .cache
            .as_ref()
            .and_then(|cache| cache.load(&self.engine, digest));
        if let Some(component) = cached {
            return Ok((component, Origin::Cache));
        }
        self.compilations.fetch_add(1, Ordering::Relaxed);
        let component = if divided == bytes {
            self.compile(bytes)?
        } else {
            bulk::validate(bytes).map_err(GuestError::Malformed)?;
            // What is wrong is told with its place in the file as it is.
            let compiled = self.compile(divided);
            compiled.map_err(|error| self.compile(bytes).err().unwrap_or(error))?
        };
        Ok((component, Origin::Compiler))
    }

    fn compile(&self, bytes: &[u8]) -> Result<Component, GuestError> {
        // Compilers are large: a panic in one is the guest's refusal, not the host's end.
        catch_unwind(AssertUnwindSafe(|| Component::new(&self.engine, bytes)))
            .map_err(|_| GuestError::Uncompilable(anyhow::anyhow!("the compiler failed on it")))?
            .map_err(|error| GuestError::Uncompilable(error.into()))
    }
}

/// Refuses tables over the limit; elements and memory are counted as they are made.
fn check_tables(component: &Component, limits: &Limits) -> Result<(), GuestError> {
    match component.resources_required() {
        Some(resources) => Ok(LimitExceeded::check(
            Limit::Tables,
            limits.tables,
            u64::from(resources.num_tables),
        )?),
        None => Err(GuestError::Uncompilable(anyhow::anyhow!(
            "it imports core modules"
        ))),
    }
}

/// Finds the import that linking failed on; wasmtime only names it in its text.
fn not_granted(error: &wasmtime::Error, imports: &[String]) -> GuestError {
    let reason = format!("{error:#}");
    let import = imports
        .iter()
        .filter(|import| reason.contains(&format!("`{import}`")))
        .max_by_key(|import| import.len())
        .map_or("unknown", String::as_str);
    GuestError::ImportNotGranted {
        imports: vec![import.to_owned()],
        reason: Some(reason),
    }
}

fn exported_run(engine: &Engine, component: &Component) -> Option<ComponentExportIndex> {
    let ty = component.component_type();
    let name = ty.exports(engine).find_map(|(name, export)| {
        let ComponentItem::ComponentInstance(processes) = export.ty else {
            return None;
        };
        let run = processes.get_export(engine, "run")?;
        match run.ty {
            ComponentItem::ComponentFunc(run) if name.starts_with(PROCESSES) && is_run(&run) => {
                Some(name)
            }
            _ => None,
        }
    })?;
    let processes = component.get_export_index(None, name)?;
    component.get_export_index(Some(&processes), "run")
}

/// Whether a function has the type of the WIT's `run`.
fn is_run(run: &ComponentFunc) -> bool {
    let is_bytes = |ty: &Type| matches!(ty, Type::List(list) if list.ty() == Type::U8);
    let params = run.params().map(|(_, ty)| ty).collect::<Vec<_>>();
    let results = run.results().collect::<Vec<_>>();
    let ([Type::String, args], [Type::Result(result)]) = (&params[..], &results[..]) else {
        return false;
    };
    let (Some(value), Some(Type::Record(failure))) = (result.ok(), result.err()) else {
        return false;
    };
    let fields = failure
        .fields()
        .map(|field| (field.name, field.ty))
        .collect::<Vec<_>>();
    is_bytes(args)
        && is_bytes(&value)
        && fields == [("code", Type::String), ("message", Type::String)]
}
