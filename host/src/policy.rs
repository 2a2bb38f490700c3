//! Policies: what the operator grants of what a contract requests.

use crate::error::RegisterError;
use crate::side_effects::SideEffectGrants;
use std::collections::BTreeMap;
use theus_core::contract::Contract;
use theus_core::policy::{Narrowed, ProcessPolicy};

/// What the operator grants a guest of what its contracts request.
///
/// A policy begins with what the contracts declare and narrows it, process by process. It cannot widen: a path that no path
/// of the contract covers, or a process that the guest does not have, refuses the registration.
///
/// ```
/// use theus_host::{Policy, ProcessPolicy};
///
/// let policy = Policy::as_declared().narrowed(
///     "add_product",
///     ProcessPolicy::new()
///         .inputs(["domain.items"])
///         .outputs(["domain.items", "domain.total_value"]),
/// );
/// # drop(policy);
/// ```
///
/// # Security
///
/// A contract is a request by the guest's author. Registering a guest takes a policy so that granting it is a decision
/// somebody made: `Policy::as_declared()` says it aloud.
#[derive(Clone, Debug)]
pub struct Policy {
    /// What is granted of single processes; every other one gets what its contract declares.
    narrowed: BTreeMap<String, ProcessPolicy>,
    pub(crate) side_effects: SideEffectGrants,
}

impl Policy {
    /// Grants every input and output that the contracts declare, and no side effect.
    #[must_use]
    pub fn as_declared() -> Self {
        Self {
            narrowed: BTreeMap::new(),
            side_effects: SideEffectGrants::default(),
        }
    }

    /// Grants one process less than its contract declares. A second policy for the same process takes the place of the first.
    #[must_use]
    pub fn narrowed(mut self, process: impl Into<String>, policy: ProcessPolicy) -> Self {
        self.narrowed.insert(process.into(), policy);
        self
    }

    /// Holds the policy against the contracts of a guest, as registering it does.
    ///
    /// # Errors
    ///
    /// A policy that narrows nothing or goes beyond a contract, a side effect that is asked for and not granted, a grant that
    /// nothing asks for, a directory that cannot be opened.
    pub fn check(&self, contracts: &[Contract]) -> Result<(), RegisterError> {
        self.check_names(contracts)?;
        for contract in contracts {
            self.narrow(contract)?;
        }
        self.side_effects.open(contracts).map(|_| ())
    }

    /// The processes that get less than their contracts declare, in the order of their names.
    pub fn narrowed_processes(&self) -> impl Iterator<Item = &str> {
        self.narrowed.keys().map(String::as_str)
    }

    /// The side effects that it grants, as contracts spell them, in the order in which they were granted.
    #[must_use]
    pub fn granted(&self) -> Vec<String> {
        self.side_effects.words()
    }

    /// Refuses a policy for a process that the guest does not have: it would never do anything.
    pub(crate) fn check_names(&self, contracts: &[Contract]) -> Result<(), RegisterError> {
        let is_known = |name: &str| contracts.iter().any(|contract| contract.name == name);
        match self.narrowed.keys().find(|name| !is_known(name)) {
            Some(stranger) => Err(RegisterError::PolicyForNobody {
                process: stranger.clone(),
                known: contracts.iter().map(|it| it.name.clone()).collect(),
            }),
            None => Ok(()),
        }
    }

    /// The contract's paths as the policy narrows them; none where it leaves them as declared.
    pub(crate) fn narrow(&self, contract: &Contract) -> Result<Option<Narrowed>, RegisterError> {
        let policy = self.narrowed.get(&contract.name);
        let narrowed = policy.map(|policy| policy.narrow(contract)).transpose();
        narrowed.map_err(|problems| RegisterError::Policy {
            process: contract.name.clone(),
            problems,
        })
    }
}
