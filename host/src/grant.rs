//! Grants: what one call may touch, and what it therefore locks.

use crate::error::RunError;
use crate::lock::{LockMode, LockSet};
use crate::run::Run;
use std::sync::Arc;
use theus_core::audit::ProcessRules;
use theus_core::context_guard::Mode;
use theus_core::contract::Contract;
use theus_core::guard::{self, GrantError, Guard};
use theus_core::limits::Limits;
use theus_core::path::Path;
use theus_core::schema::Schema;
use theus_core::value::Map;

/// The contract's paths with the arguments filled in: the guard over them, and the locks that they need.
pub(crate) struct Grant {
    pub(crate) guard: Arc<Guard>,
    pub(crate) locks: Arc<LockSet>,
}

impl Grant {
    /// The grant of a contract whose paths depend on no argument: made once, good for every call.
    pub(crate) fn fixed(
        contract: &Contract,
        rules: Option<&ProcessRules>,
        limits: &Limits,
        mode: Mode,
        schema: Option<&Schema>,
    ) -> Option<Self> {
        let patterns = || contract.inputs.iter().chain(&contract.outputs);
        if patterns().any(|pattern| pattern.params().next().is_some()) {
            return None;
        }
        let fill = |patterns| guard::fill(patterns, &Map::new(), limits).ok();
        let inputs = fill(&contract.inputs)?;
        let outputs = fill(&contract.outputs)?;
        Some(Self {
            locks: Arc::new(lock_set(&inputs, &outputs, rules, mode, schema)),
            guard: Arc::new(Guard::new(inputs, outputs).interned()),
        })
    }

    /// The grant of one call.
    pub(crate) fn of_call(
        run: &Run,
        limits: &Limits,
        mode: Mode,
        schema: Option<&Schema>,
    ) -> Result<Self, RunError> {
        let contract = &run.process.contract;
        let fill = |patterns| {
            guard::fill(patterns, &run.args, limits).map_err(|error| match error {
                GrantError::Fill(problem) => RunError::Grant {
                    process: run.name().to_owned(),
                    problem,
                },
                GrantError::Limit(exceeded) => run.limit(exceeded),
            })
        };
        let inputs = fill(&contract.inputs)?;
        let outputs = fill(&contract.outputs)?;
        let rules = run.process.rules.as_deref();
        Ok(Self {
            locks: Arc::new(lock_set(&inputs, &outputs, rules, mode, schema)),
            guard: Arc::new(Guard::new(inputs, outputs)),
        })
    }
}

/// The keys of the grant, those that the gates' rules read, and the maps whose keys the schema counts.
///
/// A permissive run may touch anything, so it locks all.
fn lock_set(
    inputs: &[Path],
    outputs: &[Path],
    rules: Option<&ProcessRules>,
    mode: Mode,
    schema: Option<&Schema>,
) -> LockSet {
    if mode == Mode::Permissive {
        return LockSet::whole();
    }
    let mut set = LockSet::default();
    for path in outputs {
        set.add(path, LockMode::Exclusive);
        // Shared suffices: who else adds a key holds that key exclusively, which conflicts with this map.
        if let Some(map) = schema.and_then(|schema| schema.counted_map(path)) {
            set.add(&map, LockMode::Shared);
        }
    }
    let read_by_rules = rules.into_iter().flat_map(ProcessRules::context_paths);
    for path in inputs.iter().chain(read_by_rules) {
        set.add(path, LockMode::Shared);
    }
    set
}
