//! Where runs are made again: an engine of its own for each set of limits, and the processes as they were registered.

use super::ReplayError;
use super::compare::Rerun;
use crate::body::Body;
use crate::engine::Engine;
use crate::error::{EngineBuildError, RegisterError};
use crate::guest::Guest;
use crate::process::Process;
use crate::record::Actor;
use crate::run::{Call, Run};
use crate::side_effects::SideEffectGrants;
use crate::store::{Entry, Hash, Store, StoreError};
use crate::terms::{self, Terms};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use theus_core::config;
use theus_core::context_guard::Mode;
use theus_core::limits::Limits;
use theus_core::policy::Narrowed;
use theus_core::side_effect::SideEffect;
use theus_core::transaction::Snapshot;

/// Engines and processes, as records name them.
pub(super) struct Stage<'a> {
    store: &'a dyn Store,
    cache: Option<PathBuf>,
    engines: HashMap<(Option<Hash>, Mode), Option<Engine>>,
    processes: HashMap<Part, Result<Arc<Process>, Unstaged>>,
}

/// A process as it was registered.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Part {
    process: Arc<str>,
    component: Option<Arc<str>>,
    policy: Option<Hash>,
    limits: Option<Hash>,
    mode: Mode,
}

/// Why a run cannot be made again.
#[derive(Clone, Debug)]
pub(super) enum Unstaged {
    /// Its component or a document is not in the store.
    NotKept,
    /// It had a secret argument.
    Secret,
    /// Its component, as it was, cannot be registered.
    Unfit(String),
}

/// Time that a run may take, if it was given less: what is compared does not depend on how fast this machine is.
const PATIENCE: Duration = Duration::from_secs(60);

impl<'a> Stage<'a> {
    pub(super) fn new(store: &'a dyn Store, cache: Option<PathBuf>) -> Self {
        Self {
            store,
            cache,
            engines: HashMap::new(),
            processes: HashMap::new(),
        }
    }

    /// Makes a run again on the version that it read.
    pub(super) fn rehearse(
        &mut self,
        name: &Arc<str>,
        entry: &Entry,
        on: Snapshot,
    ) -> Result<Result<Rerun, Unstaged>, ReplayError> {
        let record = &entry.record;
        let Some(engine) = self.engine(&entry.terms, record.mode)? else {
            return Ok(Err(Unstaged::NotKept));
        };
        let process = match self.process(&engine, name, entry)? {
            Ok(process) => process,
            Err(unstaged) => return Ok(Err(unstaged)),
        };
        let is_secret = process
            .contract
            .parameters
            .iter()
            .any(|parameter| parameter.secret && record.args.get(&parameter.name).is_some());
        if is_secret {
            return Ok(Err(Unstaged::Secret));
        }
        let mut call = Call::new(name.to_string(), record.args.clone()).dry_run();
        if let Some(outside) = &record.outside {
            if let Some(time) = outside.time {
                call = call.at(time);
            }
            if let Some(seed) = outside.seed {
                call = call.seeded(seed);
            }
        }
        let shared = &*engine.shared;
        let timeout = shared.limits.timeout;
        let mut run = Run::new(process, call, record.mode, Instant::now(), timeout);
        let ended = shared.rehearse(&mut run, on);
        let settings = terms::settings_digest(&shared.runtime.settings());
        Ok(Ok(Rerun {
            ended: ended.map_err(|error| error.code()),
            result: run.receipt.result.take(),
            fuel: run.receipt.stats.fuel,
            same_settings: entry.terms.settings == Some(settings),
        }))
    }

    /// The engine with a record's limits; none where they are not kept.
    fn engine(&mut self, terms: &Terms, mode: Mode) -> Result<Option<Engine>, ReplayError> {
        let key = (terms.limits, mode);
        if let Some(engine) = self.engines.get(&key) {
            return Ok(engine.clone());
        }
        let engine = match self.limits(terms.limits)? {
            None => None,
            Some(limits) => Some(self.new_engine(limits, mode)?),
        };
        self.engines.insert(key, engine.clone());
        Ok(engine)
    }

    fn new_engine(&self, mut limits: Limits, mode: Mode) -> Result<Engine, EngineBuildError> {
        limits.timeout = limits.timeout.max(PATIENCE);
        let mut builder = Engine::builder()
            .limits(limits)
            .mode(mode)
            .standing_instances(0);
        if let Some(cache) = &self.cache {
            builder = builder.compiled_code_cache(cache);
        }
        builder.build()
    }

    fn process(
        &mut self,
        engine: &Engine,
        name: &Arc<str>,
        entry: &Entry,
    ) -> Result<Result<Arc<Process>, Unstaged>, ReplayError> {
        let component = match &entry.record.actor {
            Actor::Process { digest, .. } => digest.clone(),
            _ => None,
        };
        let part = Part {
            process: name.clone(),
            component,
            policy: entry.terms.policy,
            limits: entry.terms.limits,
            mode: entry.record.mode,
        };
        if let Some(process) = self.processes.get(&part) {
            return Ok(process.clone());
        }
        let process = self.new_process(engine, &part)?;
        self.processes.insert(part, process.clone());
        Ok(process)
    }

    fn new_process(
        &self,
        engine: &Engine,
        part: &Part,
    ) -> Result<Result<Arc<Process>, Unstaged>, StoreError> {
        let digest = part.component.clone();
        let component = self.blob(digest.as_deref().and_then(|it| it.parse().ok()))?;
        let policy = self.blob(part.policy)?;
        let (Some(digest), Some(component), Some(policy)) = (digest, component, policy) else {
            return Ok(Err(Unstaged::NotKept));
        };
        let made = register(engine, part, digest, &component, &policy);
        Ok(made.map(Arc::new).map_err(Unstaged::Unfit))
    }

    fn limits(&self, digest: Option<Hash>) -> Result<Option<Limits>, StoreError> {
        let Some(bytes) = self.blob(digest)? else {
            return Ok(None);
        };
        let amounts: Option<HashMap<String, u64>> = serde_json::from_slice(&bytes).ok();
        Ok(amounts.and_then(|amounts| {
            let amounts = amounts
                .iter()
                .map(|(word, amount)| (word.as_str(), *amount));
            config::limits_of_amounts(amounts)
        }))
    }

    fn blob(&self, digest: Option<Hash>) -> Result<Option<Vec<u8>>, StoreError> {
        match digest {
            None => Ok(None),
            Some(digest) => self.store.blob(digest),
        }
    }
}

/// One process of a component, under the policy that it had. The others of the guest may ask for what is not there.
fn register(
    engine: &Engine,
    part: &Part,
    digest: Arc<str>,
    component: &[u8],
    policy: &[u8],
) -> Result<Process, String> {
    let shared = &*engine.shared;
    let guest = Guest::read(component, &shared.limits).map_err(|error| error.to_string())?;
    let contract = guest
        .contracts
        .into_iter()
        .find(|contract| contract.name == *part.process)
        .ok_or_else(|| format!("its contract section names no process `{}`", part.process))?;
    let narrowed: Option<Narrowed> = terms::narrowed(policy, &contract)?;
    let mut grants = SideEffectGrants::default();
    for effect in &contract.side_effects {
        match effect {
            SideEffect::Clock => grants.grant_clock(),
            SideEffect::Random => grants.grant_random(),
            _ => {
                return Err(format!(
                    "it asks for `{effect}`, and its record names no files"
                ));
            }
        }
    }
    let unfit = |error: RegisterError| error.to_string();
    let open = grants
        .open(std::slice::from_ref(&contract))
        .map_err(unfit)?;
    let reach = open.reach(&contract);
    let program = shared
        .runtime
        .compile(component)
        .map_err(|error| error.to_string())?;
    let body = Body::Guest(program);
    Process::new(contract, narrowed, reach, digest, component, body, shared).map_err(unfit)
}
