//! The virtual WASI world, for guests whose language's runtime imports WASI.
//!
//! wasmtime-wasi gives the interfaces and their types. Whatever a guest can reach without a socket (and none can be had
//! here) is defined again below: no environment, no arguments, a closed stdin, stdout and stderr into the run's log, a
//! clock that stands still but for sleeps, randomness that follows from the call, no files. So nothing here blocks,
//! nothing needs an async runtime, and two runs of one call see the same world.
//!
//! What its contract asks for and the operator grants is put in as the call is entered: the time of the transaction, the
//! seed of its randomness, directories to read or to write. An instance that stands ready for a call has none of it.

mod cli;
mod clocks;
mod files;
mod io;
mod random;
mod sockets;

use self::clocks::Clock;
use self::io::{Lines, Pollable};
use self::random::Randomness;
use super::state::CallState;
use crate::side_effects::{Directory, Outside, Reach, Seed};
use crate::staging::SharedArea;
use std::sync::Arc;
use theus_core::guest_log::GuestLog;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::p2::DynPollable;
use wasmtime_wasi::p2::bindings::sync;
use wasmtime_wasi::p2::bindings::{
    cli as wasi_cli, clocks as wasi_clocks, filesystem, random as wasi_random,
    sockets as wasi_sockets,
};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_io::bindings::wasi::io::error;

/// Handles that a guest may hold at a time: it has three streams and the pollables it waits for.
const MAX_HANDLES: usize = 1024;

/// The virtual world of one call.
pub(super) struct World {
    table: ResourceTable,
    clock: Clock,
    randomness: Randomness,
    stdout: Lines,
    stderr: Lines,
    // What was granted beyond, from the moment at which the call is entered.
    seed: Option<Seed>,
    reach: Option<Arc<Reach>>,
    area: Option<SharedArea>,
    open_files: Arc<files::OpenFiles>,
    // Answers for sockets; made only if a guest asks, for it is the most costly part.
    ctx: Option<WasiCtx>,
}

impl World {
    /// Creates the world in which a guest is instantiated: it follows from the component alone.
    pub(super) fn new(component_digest: &[u8; 32]) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_HANDLES);
        Self {
            table,
            clock: Clock::default(),
            randomness: Randomness::of_component(component_digest),
            stdout: Lines::default(),
            stderr: Lines::default(),
            seed: None,
            reach: None,
            area: None,
            open_files: Arc::default(),
            ctx: None,
        }
    }

    /// Lets the next call see what is outside the context.
    pub(super) fn reach(
        &mut self,
        reach: &Arc<Reach>,
        outside: &Outside,
        area: Option<&SharedArea>,
    ) {
        if let Some(time) = outside.time {
            self.clock.set(time);
        }
        self.seed = outside.seed;
        self.reach = Some(Arc::clone(reach));
        self.area = area.cloned();
    }

    /// Sets the randomness of one call.
    pub(super) fn enter_call(&mut self, component_digest: &[u8; 32], process: &str, args: &[u8]) {
        self.randomness = match self.seed.take() {
            Some(seed) => Randomness::of_transaction(&seed),
            None => Randomness::of_call(component_digest, process, args),
        };
    }

    /// The directories that were granted to be read.
    fn directories(&self) -> &[Directory] {
        self.reach.as_ref().map_or(&[], |it| &it.directories)
    }

    /// The directory that was granted to be written, by its name.
    fn writable(&self) -> Option<(Arc<str>, SharedArea)> {
        let writable = self.reach.as_ref()?.writable.as_ref()?;
        Some((writable.name.clone(), self.area.clone()?))
    }

    /// Puts what was written without a closing line end into the log.
    pub(super) fn close(&mut self, log: &mut GuestLog) {
        self.stdout.close(io::STDOUT, log);
        self.stderr.close(io::STDERR, log);
    }
}

/// Defines every `wasi:*` interface that guests may import.
pub(super) fn add_to_linker(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_sync(linker)?;
    linker.allow_shadowing(true);
    let view: fn(&mut CallState) -> View<'_> = CallState::view;

    wasi_cli::environment::add_to_linker::<_, Virtual>(linker, view)?;
    wasi_cli::exit::add_to_linker::<_, Virtual>(linker, view)?;
    wasi_cli::stdin::add_to_linker::<_, Virtual>(linker, view)?;
    wasi_cli::stdout::add_to_linker::<_, Virtual>(linker, view)?;
    wasi_cli::stderr::add_to_linker::<_, Virtual>(linker, view)?;
    wasi_cli::terminal_stdin::add_to_linker::<_, Virtual>(linker, view)?;
    wasi_cli::terminal_stdout::add_to_linker::<_, Virtual>(linker, view)?;
    wasi_cli::terminal_stderr::add_to_linker::<_, Virtual>(linker, view)?;
    wasi_clocks::monotonic_clock::add_to_linker::<_, Virtual>(linker, view)?;
    wasi_clocks::wall_clock::add_to_linker::<_, Virtual>(linker, view)?;
    wasi_random::random::add_to_linker::<_, Virtual>(linker, view)?;
    wasi_random::insecure::add_to_linker::<_, Virtual>(linker, view)?;
    wasi_random::insecure_seed::add_to_linker::<_, Virtual>(linker, view)?;
    filesystem::preopens::add_to_linker::<_, Virtual>(linker, view)?;
    sync::filesystem::types::add_to_linker::<_, Virtual>(linker, view)?;
    error::add_to_linker::<_, Virtual>(linker, view)?;
    sync::io::poll::add_to_linker::<_, Virtual>(linker, view)?;
    sync::io::streams::add_to_linker::<_, Virtual>(linker, view)?;
    sync::sockets::tcp_create_socket::add_to_linker::<_, Virtual>(linker, view)?;
    sync::sockets::udp_create_socket::add_to_linker::<_, Virtual>(linker, view)?;
    wasi_sockets::instance_network::add_to_linker::<_, Virtual>(linker, view)?;
    wasi_sockets::network::add_to_linker::<_, Virtual>(
        linker,
        &wasi_sockets::network::LinkOptions::default(),
        view,
    )?;
    wasi_sockets::ip_name_lookup::add_to_linker::<_, Virtual>(linker, view)?;
    linker.allow_shadowing(false);
    Ok(())
}

/// Names this module's implementation to wasmtime's generated code.
struct Virtual;

impl HasData for Virtual {
    type Data<'a> = View<'a>;
}

/// What a WASI function sees of the call: its world, its log and its meter.
pub(super) struct View<'a> {
    world: &'a mut World,
    log: &'a mut GuestLog,
    meter: &'a mut super::state::Meter,
}

impl CallState {
    fn view(&mut self) -> View<'_> {
        View {
            world: world_of(&mut self.world),
            log: &mut self.log,
            meter: &mut self.meter,
        }
    }
}

/// Guests that import WASI are given a world before they are entered.
fn world_of(world: &mut Option<Box<World>>) -> &mut World {
    world.get_or_insert_with(|| Box::new(World::new(&[0; 32])))
}

/// For the interfaces of what nothing in this world ever opens: sockets.
impl WasiView for CallState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let world = world_of(&mut self.world);
        WasiCtxView {
            ctx: world.ctx.get_or_insert_with(closed),
            table: &mut world.table,
        }
    }
}

/// A context of wasmtime-wasi in which nothing is there and nothing is allowed.
fn closed() -> WasiCtx {
    WasiCtx::builder()
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false)
        .build()
}

impl View<'_> {
    /// Counts a call and its work, in bytes or what costs as much.
    fn spend(&mut self, bytes: usize) -> wasmtime::Result<()> {
        Ok(self.meter.owe(bytes as u64)?)
    }

    /// Counts further work of the same call.
    fn spend_more(&mut self, bytes: usize) -> wasmtime::Result<()> {
        Ok(self.meter.owe_more(bytes as u64)?)
    }

    /// A new pollable that is ready once virtual time has reached `at`.
    fn pollable(&mut self, at: u64) -> wasmtime::Result<Resource<DynPollable>> {
        let pollable = self.world.table.push(Pollable { at })?;
        Ok(Resource::new_own(pollable.rep()))
    }
}
