//! Where runs are made again: an engine of its own for each set of limits, and the processes as they were registered.

use super::compare::{Compiler, Rerun};
use super::{Apart, ReplayError, Unstaged};
use crate::body::Body;
use crate::engine::Engine;
use crate::error::{EngineBuildError, RegisterError};
use crate::guest::Guest;
use crate::process::Process;
use crate::run::{Call, Run};
use crate::runtime::Program;
use crate::side_effects::SideEffectGrants;
use crate::store::{Entry, Hash, Store, StoreLimits};
use crate::terms;
use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use theus_core::config;
use theus_core::context_guard::Mode;
use theus_core::contract::Contract;
use theus_core::limits::Limits;
use theus_core::side_effect::SideEffect;
use theus_core::transaction::Snapshot;

/// Engines and processes, as records name them.
pub(super) struct Stage<'a> {
    store: &'a dyn Store,
    cache: Option<PathBuf>,
    sets: Recent<(Hash, Mode), Set>,
}

/// An engine with certain limits, and what was made for it.
struct Set {
    engine: Engine,
    settings: Hash,
    components: Recent<Arc<str>, Component>,
    parts: Recent<PartKey, Arc<Process>>,
}

/// The component, the policy, and the name of a process.
type PartKey = (Arc<str>, Hash, Arc<str>);

struct Component {
    program: Program,
    contracts: Vec<Contract>,
}

/// All that the run of one record is made again with.
pub(super) struct Part {
    engine: Engine,
    process: Arc<Process>,
    pub(super) compiler: Compiler,
}

/// The values that were asked for last, by their keys.
struct Recent<K, V> {
    most: usize,
    /// The one that was asked for last comes last.
    values: VecDeque<(K, V)>,
}

/// Engines that are at hand: a journal may name any number of limits, and each engine reserves address space.
const SETS: usize = 3;
/// Components whose code is at hand, for each engine.
const COMPONENTS: usize = 16;
/// Processes that are at hand, for each engine.
const PARTS: usize = 64;

/// Time that a run may take, if it was given less: what is compared does not depend on how fast this machine is.
const PATIENCE: Duration = Duration::from_secs(60);

impl<'a> Stage<'a> {
    pub(super) fn new(store: &'a dyn Store, cache: Option<PathBuf>) -> Self {
        Self {
            store,
            cache,
            sets: Recent::new(SETS),
        }
    }

    /// What the store takes at most.
    pub(super) fn limits(&self) -> StoreLimits {
        self.store.limits()
    }

    /// What the run of a record is made again with.
    pub(super) fn part(
        &mut self,
        name: &Arc<str>,
        digest: &Arc<str>,
        entry: &Entry,
    ) -> Result<Part, Unstaged> {
        let store = self.store;
        let terms = &entry.terms;
        let policy = terms.policy.ok_or(Apart::NotKept)?;
        let Set {
            engine,
            settings,
            components,
            parts,
        } = self.set(entry)?;
        let key = (digest.clone(), policy, name.clone());
        let process = parts.get(key, || {
            let component =
                components.get(digest.clone(), || Component::read(store, engine, digest))?;
            component.process(store, engine, name, digest, policy)
        })?;
        let compiler = match terms.settings {
            Some(recorded) if recorded == *settings => Compiler::Same,
            _ => Compiler::Other,
        };
        Ok(Part {
            engine: engine.clone(),
            process: process.clone(),
            compiler,
        })
    }

    fn set(&mut self, entry: &Entry) -> Result<&mut Set, Unstaged> {
        let (store, cache) = (self.store, self.cache.as_ref());
        let digest = entry.terms.limits.ok_or(Apart::NotKept)?;
        let mode = entry.record.mode;
        self.sets.get((digest, mode), || {
            let document = store.blob(digest)?.ok_or(Apart::NotKept)?;
            let mut limits = limits(&document).ok_or(Apart::NotKept)?;
            limits.timeout = limits.timeout.max(PATIENCE);
            // One run at a time: no instance has to stand ready.
            let mut builder = Engine::builder()
                .limits(limits)
                .mode(mode)
                .standing_instances(0);
            if let Some(cache) = cache {
                builder = builder.compiled_code_cache(cache);
            }
            let engine = builder.build().map_err(|error| match error {
                // Limits that no engine has run under are no reason to look at no other record.
                EngineBuildError::Limits(error) => Unstaged::Unfit(error.to_string()),
                error => Unstaged::Failed(ReplayError::Engine(error)),
            })?;
            Ok(Set {
                settings: terms::settings_digest(&engine.shared.runtime.settings()),
                engine,
                components: Recent::new(COMPONENTS),
                parts: Recent::new(PARTS),
            })
        })
    }
}

impl Component {
    fn read(store: &dyn Store, engine: &Engine, digest: &str) -> Result<Self, Unstaged> {
        // That of an engine's own closure is of another form.
        let digest = digest.parse().map_err(|_| Apart::NotKept)?;
        let bytes = store.blob(digest)?.ok_or(Apart::NotKept)?;
        let shared = &*engine.shared;
        let unfit = |error: crate::guest::GuestError| Unstaged::Unfit(error.to_string());
        let guest = Guest::read(&bytes, &shared.limits).map_err(unfit)?;
        Ok(Self {
            program: shared.runtime.compile(&bytes).map_err(unfit)?,
            contracts: guest.contracts,
        })
    }

    /// One process, under the policy that it had. The others of the guest may ask for what is not there.
    fn process(
        &self,
        store: &dyn Store,
        engine: &Engine,
        name: &str,
        digest: &Arc<str>,
        policy: Hash,
    ) -> Result<Arc<Process>, Unstaged> {
        let mut contracts = self.contracts.iter();
        let contract = contracts.find(|it| it.name == name).ok_or_else(|| {
            Unstaged::Unfit(format!("its contract section names no process `{name}`"))
        })?;
        let mut grants = SideEffectGrants::default();
        for effect in &contract.side_effects {
            match effect {
                SideEffect::Clock => grants.grant_clock(),
                SideEffect::Random => grants.grant_random(),
                _ => return Err(Apart::Files.into()),
            }
        }
        let unfit = |error: RegisterError| Unstaged::Unfit(error.to_string());
        let open = grants.open(std::slice::from_ref(contract)).map_err(unfit)?;
        let document = store.blob(policy)?.ok_or(Apart::NotKept)?;
        let process = Process::new(
            contract.clone(),
            terms::narrowed(&document, contract).map_err(Unstaged::Unfit)?,
            open.reach(contract),
            digest.clone(),
            // Only an engine that keeps a state needs its bytes.
            &[],
            Body::Guest(self.program.clone()),
            &engine.shared,
        );
        Ok(Arc::new(process.map_err(unfit)?))
    }
}

impl Part {
    /// What the record holds too little of for its run to be made again.
    pub(super) fn lacks(&self, entry: &Entry) -> Option<Apart> {
        let record = &entry.record;
        let mut parameters = self.process.contract.parameters.iter();
        if parameters.any(|it| it.secret && record.args.get(&it.name).is_some()) {
            return Some(Apart::Secret);
        }
        // It would be given the time and the randomness of today.
        let outside = record.outside.as_deref();
        let has = |effect: &SideEffect| match effect {
            SideEffect::Clock => outside.is_some_and(|it| it.time.is_some()),
            SideEffect::Random => outside.is_some_and(|it| it.seed.is_some()),
            _ => false,
        };
        let mut effects = self.process.contract.side_effects.iter();
        (!effects.all(has)).then_some(Apart::NotKept)
    }

    /// Makes the run again on the version that it read.
    pub(super) fn rehearse(&self, entry: &Entry, on: Snapshot) -> Rerun {
        let record = &entry.record;
        let mut call = Call::new(&*self.process.name, record.args.clone()).dry_run();
        if let Some(outside) = &record.outside {
            if let Some(time) = outside.time {
                call = call.at(time);
            }
            if let Some(seed) = outside.seed {
                call = call.seeded(seed);
            }
        }
        let shared = &*self.engine.shared;
        let process = self.process.clone();
        let timeout = shared.limits.timeout;
        let mut run = Run::new(process, call, record.mode, Instant::now(), timeout);
        let ended = shared.rehearse(&mut run, on);
        Rerun {
            ended,
            result: run.receipt.result.take(),
            fuel: run.receipt.stats.fuel,
            compiler: self.compiler,
        }
    }
}

impl<K: PartialEq, V> Recent<K, V> {
    fn new(most: usize) -> Self {
        Self {
            most,
            values: VecDeque::new(),
        }
    }

    /// The value of a key, made where it is not at hand.
    fn get<E>(&mut self, key: K, make: impl FnOnce() -> Result<V, E>) -> Result<&mut V, E> {
        let at = self.values.iter().position(|(known, _)| *known == key);
        let value = match at.and_then(|at| self.values.remove(at)) {
            Some(value) => value,
            None => (key, make()?),
        };
        if self.values.len() == self.most {
            self.values.pop_front();
        }
        self.values.push_back(value);
        let last = self.values.len() - 1;
        Ok(&mut self.values[last].1)
    }
}

fn limits(document: &[u8]) -> Option<Limits> {
    let amounts: HashMap<String, u64> = serde_json::from_slice(document).ok()?;
    let amounts = amounts
        .iter()
        .map(|(word, amount)| (word.as_str(), *amount));
    config::limits_of_amounts(amounts)
}

#[cfg(test)]
mod tests {
    use super::Recent;

    #[test]
    fn what_was_asked_for_last_is_at_hand() {
        let mut recent = Recent::new(2);
        let mut made = Vec::new();
        for key in [1, 2, 1, 3, 1, 2] {
            let value = recent.get(key, || {
                made.push(key);
                Ok::<_, ()>(key * 10)
            });
            assert_eq!(value, Ok(&mut (key * 10)));
        }
        assert_eq!(made, [1, 2, 3, 2]);
        let failed = recent.get(9, || Err("it cannot be made"));
        assert_eq!(failed, Err("it cannot be made"));
        let still = recent.get(1, || Err("it is at hand"));
        assert_eq!(still, Ok(&mut 10));
    }
}
