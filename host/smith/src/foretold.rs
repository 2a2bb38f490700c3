//! What must come of a guest's first calls, said by the model of the context before the guest is run.

use crate::acts::Act;
use crate::graft::{By, Returns, Step};
use crate::guest::Case;
use theus_core::code::Code;
use theus_core::fuzz::{Broken, Script};
use theus_core::limits::Limit;
use theus_core::tree::Tree;
use theus_host::{Outcome, Receipt, RunError};

/// The levels that a line of the log may have.
const LEVELS: std::ops::Range<i32> = 0..5;

/// How the run must end, as far as random code has no say in it.
#[derive(Debug)]
pub(crate) struct Foretold {
    /// The refusal that its first calls come to.
    refusal: Option<Code>,
    /// The context that it leaves, where it has no random code.
    tree: Option<Tree>,
}

impl Foretold {
    /// Plays the calls in front of the first random code on the model, under the case's own grant and limits.
    ///
    /// None where random code comes before all of them, or decides where their answers go.
    ///
    /// # Errors
    ///
    /// The host's functions and the model differ already without a guest.
    pub(crate) fn of(case: &Case) -> Result<Option<Self>, Broken> {
        if case.features.start || case.graft.allocator == By::Smith {
            return Ok(None);
        }
        let mut calls = Vec::new();
        let mut steps = case.graft.steps.iter();
        let stopped = steps.any(|step| match step {
            Step::Body(_) => true,
            Step::Act(number) => match case.graft.acts.get(*number as usize) {
                Some(Act::Call(call)) => {
                    calls.push(call.clone());
                    false
                }
                Some(Act::Log { level, .. }) => !LEVELS.contains(level),
                Some(Act::Copy { .. } | Act::Abort { .. }) | None => true,
            },
        });
        let script = Script {
            calls,
            ..case.script.clone()
        };
        let ended = script.check()?;
        let refusal = ended.answers.iter().find_map(|it| it.as_ref().err());
        let returns = matches!(case.graft.returns, Returns::Heap | Returns::Nil);
        Ok(Some(Self {
            refusal: refusal.copied(),
            tree: (!stopped && returns && refusal.is_none()).then_some(ended.tree),
        }))
    }

    /// Whether the run came to that, unless a limit of the sandbox itself ended it first.
    pub(crate) fn judge(&self, receipt: &Receipt, after: &Tree) -> Result<(), String> {
        let error = receipt.error.as_ref();
        let never_ran = receipt.stats.host_calls == 0;
        if never_ran || error.and_then(RunError::limit).is_some_and(of_sandbox) {
            return Ok(());
        }
        let code = error.map(RunError::code);
        if let Some(refusal) = self.refusal
            && code.as_deref() != Some(refusal.as_str())
        {
            return Err(format!("it ended with {code:?}, not with {refusal}"));
        }
        let Some(tree) = &self.tree else {
            return Ok(());
        };
        match error.and_then(RunError::limit) {
            // All that is left to refuse is the result.
            Some(Limit::ResultBytes) => Ok(()),
            _ if receipt.outcome != Outcome::Committed => Err(format!(
                "it ended with {code:?}, and nothing that it did is refused"
            )),
            _ if after != tree => Err("it committed another context than it must".into()),
            _ => Ok(()),
        }
    }
}

/// Whether the limit is one of what the guest's code uses, which the model knows nothing of.
fn of_sandbox(limit: Limit) -> bool {
    matches!(
        limit,
        Limit::Fuel
            | Limit::HostCalls
            | Limit::MemoryBytes
            | Limit::StackBytes
            | Limit::TableElements
    )
}
