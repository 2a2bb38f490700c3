//! What minimizing comes to, and the blocks to paste: into the guest's source, or into the operator's file.

use crate::advice;
use crate::contract::{Contract, MAX_ITEMS};
use crate::path::Path;
use crate::pattern::PathPattern;
use crate::policy::{PolicyList, ProcessPolicy};

/// The tightest contract for what was observed, next to the one that was declared.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Minimum {
    /// The contract that was declared.
    pub contract: Contract,
    /// The runs that it rests on.
    pub runs: u64,
    /// The declared inputs, in their order, and what became of each.
    pub inputs: Vec<Fate>,
    /// The declared outputs, in their order, and what became of each.
    pub outputs: Vec<Fate>,
    /// Inputs that take the place of outputs which were read and are no outputs any more.
    pub added_inputs: Vec<PathPattern>,
    /// What permissive runs read beyond the contract.
    pub beyond_inputs: Vec<PathPattern>,
    /// What permissive runs wrote beyond the contract.
    pub beyond_outputs: Vec<PathPattern>,
    /// What permissive runs touched and no contract may grant.
    pub never_granted: Vec<Path>,
    /// Declared errors that no run ended with. They grant nothing, so they stay.
    pub unseen_errors: Vec<String>,
    /// Parameters that a proposed path depends on, and that had one value in all runs.
    pub constant_parameters: Vec<String>,
    /// Runs of which only the places that hold what they read are known.
    pub folded_runs: u64,
}

/// What became of a declared path.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fate {
    /// The path as it was declared.
    pub declared: PathPattern,
    /// What takes its place: itself, narrower ones, or nothing where it was never used.
    pub proposed: Vec<PathPattern>,
    /// Whether it stays only because what is known does not tell: a place above it was read, which may stand for it.
    pub unsure: bool,
}

impl Minimum {
    /// A list of the proposed contract, in the order of the declared one; what was touched beyond it comes last.
    #[must_use]
    pub fn list(&self, list: PolicyList) -> Vec<PathPattern> {
        let mut paths = self.within(list);
        let beyond = match list {
            PolicyList::Inputs => &self.beyond_inputs,
            PolicyList::Outputs => &self.beyond_outputs,
        };
        paths.extend(beyond.iter().cloned());
        without_repeats(&paths)
    }

    /// The proposed contract: it differs from the declared one in its inputs and outputs.
    #[must_use]
    pub fn proposed(&self) -> Contract {
        Contract {
            inputs: self.list(PolicyList::Inputs),
            outputs: self.list(PolicyList::Outputs),
            ..self.contract.clone()
        }
    }

    /// A policy that narrows the declared contract to what is proposed of it; none where nothing is to be narrowed.
    #[must_use]
    pub fn policy(&self) -> Option<ProcessPolicy> {
        let lists = self.policy_lists();
        if lists.iter().all(Option::is_none) {
            return None;
        }
        let [inputs, outputs] = lists.map(|it| it.map(|paths| texts(&paths)));
        let mut policy = ProcessPolicy::new();
        if let Some(inputs) = inputs {
            policy = policy.inputs(inputs);
        }
        if let Some(outputs) = outputs {
            policy = policy.outputs(outputs);
        }
        Some(policy)
    }

    /// Whether every declared path is needed as it was declared.
    #[must_use]
    pub fn is_tight(&self) -> bool {
        self.policy_lists().iter().all(Option::is_none)
    }

    /// The lists that a policy has to give: those that differ from the contract's.
    fn policy_lists(&self) -> [Option<Vec<PathPattern>>; 2] {
        [
            (PolicyList::Inputs, &self.contract.inputs),
            (PolicyList::Outputs, &self.contract.outputs),
        ]
        .map(|(list, declared)| {
            let within = without_repeats(&self.within(list));
            (within != *declared).then_some(within)
        })
    }

    fn within(&self, list: PolicyList) -> Vec<PathPattern> {
        let (fates, added) = match list {
            PolicyList::Inputs => (&self.inputs, &self.added_inputs[..]),
            PolicyList::Outputs => (&self.outputs, &[][..]),
        };
        let proposed = fates.iter().flat_map(|fate| &fate.proposed);
        proposed.chain(added).cloned().collect()
    }

    /// Gives up narrowing a list that would have more paths than a contract may have.
    pub(super) fn bound(&mut self) {
        if self.list(PolicyList::Outputs).len() > MAX_ITEMS {
            as_declared(&mut self.outputs);
        }
        if self.list(PolicyList::Inputs).len() > MAX_ITEMS {
            as_declared(&mut self.inputs);
            let outputs = self.contract.outputs.iter();
            self.added_inputs = outputs
                .filter(|it| it.zone().is_readable())
                .cloned()
                .collect();
        }
    }
}

impl Fate {
    /// Whether nothing at or below the path was touched.
    #[must_use]
    pub fn is_unused(&self) -> bool {
        self.proposed.is_empty()
    }

    /// Whether less takes its place.
    #[must_use]
    pub fn is_narrowed(&self) -> bool {
        self.proposed.as_slice() != std::slice::from_ref(&self.declared)
    }
}

fn as_declared(fates: &mut [Fate]) {
    for fate in fates.iter_mut().filter(|it| !it.is_unused()) {
        fate.proposed = vec![fate.declared.clone()];
    }
}

impl Minimum {
    /// The attribute of the proposed contract, in the spelling of the Rust SDK.
    ///
    /// Side effects and errors stay as they are declared: a history does not tell whether a clock was read, and an error
    /// grants nothing.
    #[must_use]
    pub fn attribute(&self) -> String {
        let contract = self.proposed();
        let side_effects = contract.side_effects.iter().map(ToString::to_string);
        let lists = [
            ("inputs", texts(&contract.inputs)),
            ("outputs", texts(&contract.outputs)),
            ("side_effects", side_effects.collect()),
            ("errors", contract.errors),
        ];
        let given = lists.iter().filter(|(_, items)| !items.is_empty());
        let lines: String = given
            .map(|(list, items)| advice::line(list, items))
            .collect();
        match lines.as_str() {
            "" => "#[process]\n".into(),
            lines => format!("#[process(\n{lines})]\n"),
        }
    }

    /// The policy as a table of `theus.toml`; none where nothing is to be narrowed.
    #[must_use]
    pub fn policy_table(&self) -> Option<String> {
        let given = [PolicyList::Inputs, PolicyList::Outputs].into_iter();
        let given = given.zip(self.policy_lists());
        let lines: String = given
            .filter_map(|(list, paths)| Some((list, paths?)))
            .map(|(list, paths)| {
                let paths: Vec<String> = texts(&paths).iter().map(|it| quoted(it)).collect();
                format!("{list} = [{}]\n", paths.join(", "))
            })
            .collect();
        (!lines.is_empty()).then(|| format!("[policy.{}]\n{lines}", self.contract.name))
    }
}

/// A basic string of TOML: every escape of JSON is one of its own, but for DEL, which it wants escaped as well.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text)
        .to_string()
        .replace('\u{7f}', "\\u007f")
}

/// Every path once, and none that another one covers.
fn without_repeats(paths: &[PathPattern]) -> Vec<PathPattern> {
    let mut kept: Vec<PathPattern> = Vec::with_capacity(paths.len());
    for (at, path) in paths.iter().enumerate() {
        let wider = |other: &PathPattern| other != path && other.holds(path) && !other.is_indexed();
        if !paths.iter().any(wider) && !paths[..at].contains(path) {
            kept.push(path.clone());
        }
    }
    kept
}

fn texts(patterns: &[PathPattern]) -> Vec<String> {
    patterns.iter().map(ToString::to_string).collect()
}
