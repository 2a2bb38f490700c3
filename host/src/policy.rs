//! Policies: what the operator grants of what a contract requests.

use crate::side_effects::SideEffectGrants;

/// What the operator grants a guest of what its contracts request.
///
/// # Security
///
/// A contract is a request by the guest's author. Registering a guest takes a policy so that granting it is a decision
/// somebody made: `Policy::as_declared()` says it aloud.
#[derive(Clone, Debug)]
pub struct Policy {
    pub(crate) side_effects: SideEffectGrants,
}

impl Policy {
    /// Grants every input and output that the contracts declare, and no side effect.
    #[must_use]
    pub fn as_declared() -> Self {
        Self {
            side_effects: SideEffectGrants::default(),
        }
    }
}
