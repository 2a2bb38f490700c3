//! Policies: what the operator grants of what a contract requests.

use theus_core::contract::Contract;

/// What the operator grants a guest of what its contracts request.
///
/// # Security
///
/// A contract is a request by the guest's author. Registering a guest takes a policy so that granting it is a decision
/// somebody made: `Policy::as_declared()` says it aloud.
#[derive(Clone, Debug)]
pub struct Policy(Grants);

#[derive(Clone, Debug)]
enum Grants {
    /// Every input and output that a contract declares, and no side effect.
    AsDeclared,
}

impl Policy {
    /// Grants every input and output that the contracts declare, and no side effect.
    #[must_use]
    pub fn as_declared() -> Self {
        Self(Grants::AsDeclared)
    }

    /// The first side effect that a contract asks for and does not get.
    pub(crate) fn refused_side_effect<'a>(&self, contract: &'a Contract) -> Option<&'a str> {
        match self.0 {
            Grants::AsDeclared => contract.side_effects.first().map(String::as_str),
        }
    }
}
