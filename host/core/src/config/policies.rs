//! `[policy.PROCESS]`: what a file says about processes, held against the contracts that are loaded.

use super::{Config, ConfigErrors};
use crate::contract::Contract;
use crate::policy::{PolicyList, PolicyProblem, ProcessPolicy};
use crate::source::error::{Place, nearest};

/// What one process gets. A list that is left out stays as the contract declares it; an empty one grants nothing.
#[derive(Clone, Debug, Default)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub struct PolicyGrant {
    #[cfg_attr(test, schemars(skip))]
    pub(super) place: Place,
    /// Places that the process may read, each at or below one that its contract lets it read.
    #[cfg_attr(test, schemars(with = "Option<Vec<String>>"))]
    pub(super) inputs: Option<Vec<(Place, String)>>,
    /// Places that the process may write, each at or below an output of its contract.
    #[cfg_attr(test, schemars(with = "Option<Vec<String>>"))]
    pub(super) outputs: Option<Vec<(Place, String)>>,
    /// Topics that the process may send messages to: names, or how they begin and a `*`. Every topic where it is left out.
    #[cfg_attr(test, schemars(with = "Option<Vec<String>>"))]
    pub(super) topics: Option<Vec<(Place, String)>>,
}

/// The policies of a file that are for the contracts that are loaded.
#[derive(Clone, Debug, Default)]
pub struct FittingPolicies {
    /// Each with the name of its process.
    pub policies: Vec<(String, ProcessPolicy)>,
    /// One on each policy that is for a process that is not loaded.
    pub notes: Vec<String>,
}

/// Why the policies of a file do not fit the contracts that are loaded: a text with places, and what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyMisfit {
    /// The process, where it is one.
    pub process: Option<String>,
    /// What is wrong, and where.
    pub errors: ConfigErrors,
}

impl PolicyGrant {
    /// The same for the engine.
    #[must_use]
    pub fn to_policy(&self) -> ProcessPolicy {
        let texts = |list: &[(Place, String)]| list.iter().map(|(_, text)| text.clone()).collect();
        let mut policy = ProcessPolicy::new();
        if let Some(inputs) = &self.inputs {
            let inputs: Vec<String> = texts(inputs);
            policy = policy.inputs(inputs);
        }
        if let Some(outputs) = &self.outputs {
            let outputs: Vec<String> = texts(outputs);
            policy = policy.outputs(outputs);
        }
        if let Some(topics) = &self.topics {
            let topics: Vec<String> = texts(topics);
            policy = policy.topics(topics);
        }
        policy
    }

    fn place_of(&self, problem: &PolicyProblem) -> Place {
        let found = problem.place().and_then(|(list, index)| {
            let list = match list {
                PolicyList::Inputs => self.inputs.as_ref(),
                PolicyList::Outputs => self.outputs.as_ref(),
            };
            list?.get(index)
        });
        let topic = || self.topics.as_ref()?.get(problem.topic()?);
        let found = found.or_else(topic);
        found.map_or(self.place, |(place, _)| *place)
    }
}

impl Config {
    /// The policies for processes that are loaded, and a note on each one that is for a process that is not.
    ///
    /// # Errors
    ///
    /// A policy that does not narrow its contract, or whose name is a slip of the pen, at its place in the file.
    pub fn policies_for(
        &self,
        contracts: &[Contract],
    ) -> Result<FittingPolicies, Box<PolicyMisfit>> {
        let (mut policies, mut notes) = (Vec::new(), Vec::new());
        let mut problems = Vec::new();
        let mut about = None;
        let without_policy = || {
            let names = contracts.iter().map(|it| it.name.as_str());
            names.filter(|name| !self.policy.contains_key(*name))
        };
        for (name, grant) in &self.policy {
            let Some(contract) = contracts.iter().find(|it| it.name == *name) else {
                match nearest(name, without_policy()) {
                    Some(meant) => problems.push((
                        grant.place,
                        format!(
                            "no process `{name}` is loaded, so its policy would never be applied"
                        ),
                        Some(format!(
                            "did you mean `{meant}`? it is loaded and has no policy"
                        )),
                    )),
                    None => notes.push(format!(
                        "{}:{}: the policy of `{name}` is not applied: no such process is loaded",
                        self.origin(),
                        grant.place
                    )),
                }
                continue;
            };
            let policy = grant.to_policy();
            for problem in policy.narrow(contract).err().into_iter().flatten() {
                about = about.or_else(|| Some(name.clone()));
                problems.push((
                    grant.place_of(&problem),
                    format!("{name}: {problem}"),
                    Some(problem.help()),
                ));
            }
            policies.push((name.clone(), policy));
        }
        match self.refuse(problems) {
            Ok(()) => Ok(FittingPolicies { policies, notes }),
            Err(errors) => Err(Box::new(PolicyMisfit {
                process: about,
                errors,
            })),
        }
    }
}
