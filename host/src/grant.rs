//! Grants: what one call may touch, and what it therefore locks.

use crate::error::RunError;
use crate::lock::{LockMode, LockSet};
use crate::process::Process;
use crate::run::Run;
use std::sync::Arc;
use theus_core::audit::ProcessRules;
use theus_core::context_guard::Mode;
use theus_core::contract::Contract;
use theus_core::guard::{GrantError, Guard};
use theus_core::limits::Limits;
use theus_core::policy::{self, Narrowed};
use theus_core::schema::Schema;
use theus_core::value::Map;

/// The contract's paths, as the policy narrows them, with the arguments filled in: the guard over them, and the locks that they need.
pub(crate) struct Grant {
    pub(crate) guard: Arc<Guard>,
    pub(crate) locks: Arc<LockSet>,
}

impl Grant {
    /// The grant of a contract whose paths depend on no argument: made once, good for every call.
    pub(crate) fn fixed(
        contract: &Contract,
        narrowed: Option<&Narrowed>,
        rules: Option<&ProcessRules>,
        limits: &Limits,
        mode: Mode,
        schema: Option<&Schema>,
    ) -> Option<Self> {
        let own = contract.inputs.iter().chain(&contract.outputs);
        let granted = narrowed
            .into_iter()
            .flat_map(|it| it.inputs.iter().chain(&it.outputs));
        if own
            .chain(granted)
            .any(|pattern| pattern.params().next().is_some())
        {
            return None;
        }
        let guard = policy::guard_of(contract, narrowed, &Map::new(), limits).ok()?;
        Some(Self {
            locks: Arc::new(lock_set(&guard, rules, mode, schema)),
            guard: Arc::new(guard.interned()),
        })
    }

    /// The grant of one call.
    pub(crate) fn of_call(
        run: &Run,
        limits: &Limits,
        mode: Mode,
        schema: Option<&Schema>,
    ) -> Result<Self, RunError> {
        let Process {
            contract, narrowed, ..
        } = &*run.process;
        let guard =
            policy::guard_of(contract, narrowed.as_ref(), &run.args, limits).map_err(|error| {
                match error {
                    GrantError::Fill(problem) => RunError::Grant {
                        process: run.name().to_owned(),
                        problem,
                    },
                    GrantError::Limit(exceeded) => run.limit(exceeded),
                }
            })?;
        let rules = run.process.rules.as_deref();
        Ok(Self {
            locks: Arc::new(lock_set(&guard, rules, mode, schema)),
            guard: Arc::new(guard),
        })
    }
}

/// The keys of the grant, those that the gates' rules read, and the maps whose keys the schema counts.
///
/// A permissive run may touch anything, so it locks all.
fn lock_set(
    guard: &Guard,
    rules: Option<&ProcessRules>,
    mode: Mode,
    schema: Option<&Schema>,
) -> LockSet {
    if mode == Mode::Permissive {
        return LockSet::whole();
    }
    let mut set = LockSet::default();
    for path in guard.outputs() {
        set.add(path, LockMode::Exclusive);
        // Shared suffices: who else adds a key holds that key exclusively, which conflicts with this map.
        if let Some(map) = schema.and_then(|schema| schema.counted_map(path)) {
            set.add(&map, LockMode::Shared);
        }
    }
    let read_by_rules = rules.into_iter().flat_map(ProcessRules::context_paths);
    for path in guard.inputs().chain(read_by_rules) {
        set.add(path, LockMode::Shared);
    }
    set
}
