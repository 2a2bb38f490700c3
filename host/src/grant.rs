//! Grants: what one call may touch, and what it therefore locks.

use crate::error::RunError;
use crate::lock::{LockMode, LockSet};
use crate::process::Process;
use crate::run::Run;
use crate::side_effects::Reach;
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
        reach: Option<&Reach>,
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
            locks: Arc::new(lock_set(&guard, reach, rules, mode, schema)),
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
        let reach = run.process.reach.as_deref();
        Ok(Self {
            locks: Arc::new(lock_set(&guard, reach, rules, mode, schema)),
            guard: Arc::new(guard),
        })
    }
}

/// The keys of the grant, those that the gates' rules read, the maps whose keys the schema counts, and the directories.
///
/// A permissive run may touch anything, so it locks all; side effects are not relaxed, so its directories are its own.
fn lock_set(
    guard: &Guard,
    reach: Option<&Reach>,
    rules: Option<&ProcessRules>,
    mode: Mode,
    schema: Option<&Schema>,
) -> LockSet {
    let mut set = match mode {
        Mode::Permissive => LockSet::whole(),
        Mode::Strict => LockSet::default(),
    };
    if let Some(reach) = reach {
        reach.lock(&mut set);
    }
    if mode == Mode::Permissive {
        return set;
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Policy;

    /// Also in permissive mode, in which a run locks the whole context.
    #[test]
    fn directories_are_locked_with_the_keys() {
        let folder = tempfile::tempdir().expect("a folder");
        let locks = |effect: &str, mode| {
            let line = format!(r#"{{"name":"p","side_effects":["{effect}:data"]}}"#);
            let contract = Contract::parse_section(line.as_bytes())
                .expect("a contract")
                .remove(0);
            let policy = Policy::as_declared();
            let policy = match effect {
                "fs" => policy.grant_directory("data", folder.path()),
                _ => policy.grant_writable_directory("data", folder.path()),
            };
            let contracts = [contract];
            let grants = policy.side_effects.open(&contracts).expect("granted");
            let reach = grants.reach(&contracts[0]);
            let limits = Limits::default();
            let [contract] = &contracts;
            let grant = Grant::fixed(contract, None, reach.as_deref(), None, &limits, mode, None);
            grant.expect("it depends on no argument").locks
        };
        let (strict, permissive) = (Mode::Strict, Mode::Permissive);
        for (one, other, conflict) in [
            (("fs", strict), ("fs", strict), false),
            (("fs", strict), ("fs-rw", strict), true),
            (("fs-rw", strict), ("fs-rw", strict), true),
            (("fs-rw", strict), ("fs-rw", permissive), true),
            (("fs", strict), ("fs-rw", permissive), true),
            (("fs", strict), ("fs", permissive), false),
        ] {
            let (one_locks, other_locks) = (locks(one.0, one.1), locks(other.0, other.1));
            let found = one_locks.conflicts(&other_locks);
            assert_eq!(found, conflict, "{one:?} {other:?}");
        }
    }
}
