//! Policies: what the operator grants a process of what its contract requests. Pure code: a grant is computed here, and
//! the guard decides over it.
//!
//! A policy narrows, it never widens. Its paths lie at or below paths of the contract; that is checked where a policy meets
//! a contract, and once more for every call, on the filled-in paths.

use crate::contract::{Contract, parse_path};
use crate::guard::{self, GrantError, Guard};
use crate::limits::Limits;
use crate::path::{self, Path};
use crate::pattern::PathPattern;
pub use crate::source::error::nearest;
use crate::topic::{TopicPattern, Topics};
use crate::value::Map;
use std::collections::HashSet;
use std::fmt;

/// What the operator grants one process: the lists that are given stand in the place of the contract's.
///
/// A list that is left out stays as the contract declares it; an empty one grants nothing of its kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProcessPolicy {
    inputs: Option<Vec<String>>,
    outputs: Option<Vec<String>>,
    topics: Option<Vec<String>>,
}

/// A contract's paths as a policy narrows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Narrowed {
    /// Places that the process may read.
    pub inputs: Vec<PathPattern>,
    /// Places that it may write.
    pub outputs: Vec<PathPattern>,
    /// Topics that it may send to; none where the policy does not restrict them.
    pub topics: Option<Topics>,
}

/// One of the two lists of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PolicyList {
    /// What may be read.
    Inputs,
    /// What may be written.
    Outputs,
}

/// Why a policy does not fit a contract.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyProblem {
    /// The policy names neither inputs nor outputs nor topics.
    #[error("the policy gives neither inputs nor outputs nor topics, so it would narrow nothing")]
    Empty,
    /// A topic of the policy is none.
    #[error("the policy's topic `{}` {problem}", path::cut(topic))]
    Topic {
        /// Its place in the list, from 0.
        index: usize,
        /// The text.
        topic: String,
        /// What is wrong with it.
        problem: String,
    },
    /// No path of the contract covers a path of the policy.
    #[error(
        "the policy grants `{path}` among its {list}, which the contract does not ask for; it {} {}",
        list.verb(),
        declared_as(declared)
    )]
    NotDeclared {
        /// The list that it stands in.
        list: PolicyList,
        /// Its place in the list, from 0.
        index: usize,
        /// The policy's path.
        path: String,
        /// What the contract declares for that kind of access.
        declared: Vec<String>,
    },
    /// A path of the policy is no path that this contract could have.
    #[error("the policy's {problem}")]
    Path {
        /// The list that it stands in.
        list: PolicyList,
        /// Its place in the list, from 0.
        index: usize,
        /// Which path, and what is wrong with it.
        problem: String,
    },
}

impl ProcessPolicy {
    /// Creates a policy that narrows nothing yet; one that stays so is refused where it meets a contract.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the places that the process may read: each at or below an input or a readable output of the contract.
    #[must_use]
    pub fn inputs<T: Into<String>>(mut self, paths: impl IntoIterator<Item = T>) -> Self {
        self.inputs = Some(paths.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the places that the process may write: each at or below an output of the contract.
    #[must_use]
    pub fn outputs<T: Into<String>>(mut self, paths: impl IntoIterator<Item = T>) -> Self {
        self.outputs = Some(paths.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the topics that the process may send outbox messages to: names, or how they begin and a `*`.
    ///
    /// Contracts do not name topics, so without this a process sends to any.
    #[must_use]
    pub fn topics<T: Into<String>>(mut self, topics: impl IntoIterator<Item = T>) -> Self {
        self.topics = Some(topics.into_iter().map(Into::into).collect());
        self
    }

    /// The contract's paths as the policy narrows them.
    ///
    /// # Errors
    ///
    /// Everything in the policy that does not fit the contract.
    pub fn narrow(&self, contract: &Contract) -> Result<Narrowed, Vec<PolicyProblem>> {
        if self.inputs.is_none() && self.outputs.is_none() && self.topics.is_none() {
            return Err(vec![PolicyProblem::Empty]);
        }
        let mut problems = Vec::new();
        let mut list = |given: Option<&Vec<String>>, list: PolicyList| {
            let Some(given) = given else {
                return list.declared(contract).to_vec();
            };
            let mut seen = HashSet::new();
            let mut patterns = Vec::with_capacity(given.len());
            for (index, text) in given.iter().enumerate() {
                let fits = if seen.insert(text) {
                    fitting(contract, list, index, text)
                } else {
                    let problem = format!("{} `{}` comes twice", list.one(), path::cut(text));
                    Err(PolicyProblem::Path {
                        list,
                        index,
                        problem,
                    })
                };
                match fits {
                    Ok(pattern) => patterns.push(pattern),
                    Err(problem) => problems.push(problem),
                }
            }
            patterns
        };
        let inputs = list(self.inputs.as_ref(), PolicyList::Inputs);
        let outputs = list(self.outputs.as_ref(), PolicyList::Outputs);
        let topics = self.topics.as_ref();
        let narrowed = Narrowed {
            inputs,
            outputs,
            topics: topics.map(|topics| topics_of(topics, &mut problems)),
        };
        if problems.is_empty() {
            Ok(narrowed)
        } else {
            Err(problems)
        }
    }
}

/// The guard of one call: the contract, narrowed by the policy where there is one, with the arguments filled in.
///
/// # Errors
///
/// The first path that an argument does not fit, or makes too long.
///
/// # Security
///
/// A policy's path counts only where it lies at or below a path of the contract *of this call*: `domain.accounts.anna` under
/// `domain.accounts.{user}` grants nothing when `user` is somebody else.
pub fn guard_of(
    contract: &Contract,
    narrowed: Option<&Narrowed>,
    args: &Map,
    limits: &Limits,
) -> Result<Guard, GrantError> {
    let inputs = guard::fill(&contract.inputs, args, limits)?;
    let outputs = guard::fill(&contract.outputs, args, limits)?;
    let Some(narrowed) = narrowed else {
        return Ok(Guard::new(inputs, outputs));
    };
    let readable = |it: &&Path| it.zone().is_readable();
    let may_read: Vec<&Path> = inputs
        .iter()
        .chain(outputs.iter().filter(readable))
        .collect();
    let may_write: Vec<&Path> = outputs.iter().collect();
    let granted_inputs = common(&guard::fill(&narrowed.inputs, args, limits)?, &may_read);
    let granted_outputs = common(&guard::fill(&narrowed.outputs, args, limits)?, &may_write);
    let contract = Guard::new(inputs, outputs);
    let guard = Guard::new(granted_inputs, granted_outputs).within(contract);
    Ok(guard.sending_to(narrowed.topics.clone()))
}

impl PolicyProblem {
    /// Where among the policy's paths the problem stands; none where it is about something else.
    #[must_use]
    pub fn place(&self) -> Option<(PolicyList, usize)> {
        match self {
            Self::Empty | Self::Topic { .. } => None,
            Self::NotDeclared { list, index, .. } | Self::Path { list, index, .. } => {
                Some((*list, *index))
            }
        }
    }

    /// Which topic of the policy it is about, from 0, where it is about one.
    #[must_use]
    pub fn topic(&self) -> Option<usize> {
        match self {
            Self::Topic { index, .. } => Some(*index),
            _ => None,
        }
    }

    /// How to mend it, and the nearest word.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::Empty => {
                "list the inputs, outputs or topics that the process may have, or leave the process out"
                    .into()
            }
            Self::Topic { .. } => {
                "write a topic as the guest sends it, or how it begins and a `*`, such as \"orders.*\""
                    .into()
            }
            Self::NotDeclared { path, declared, .. } => {
                let narrow = "a policy only narrows: name places at or below those of the contract, of the same zone";
                match nearest(path, declared.iter().map(String::as_str)) {
                    Some(near) if near != path => format!("did you mean `{near}`? {narrow}"),
                    _ => narrow.into(),
                }
            }
            Self::Path { .. } => "write the path as a contract would, `{param}` included".into(),
        }
    }
}

impl PolicyList {
    fn declared(self, contract: &Contract) -> &[PathPattern] {
        match self {
            Self::Inputs => &contract.inputs,
            Self::Outputs => &contract.outputs,
        }
    }

    /// What the contract lets the process do in the way that the list is about: outputs are readable, too.
    fn allowed(self, contract: &Contract) -> impl Iterator<Item = &PathPattern> {
        let readable_outputs = contract
            .outputs
            .iter()
            .filter(move |it| self == Self::Inputs && it.zone().is_readable());
        self.declared(contract).iter().chain(readable_outputs)
    }

    /// The list's name, as contracts and policies spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Inputs => "inputs",
            Self::Outputs => "outputs",
        }
    }

    fn one(self) -> &'static str {
        match self {
            Self::Inputs => "input",
            Self::Outputs => "output",
        }
    }

    fn verb(self) -> &'static str {
        match self {
            Self::Inputs => "reads",
            Self::Outputs => "writes",
        }
    }
}

impl fmt::Display for PolicyList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The places that both lists cover: the lower one of every pair that lies on one line.
fn common(policy: &[Path], contract: &[&Path]) -> Vec<Path> {
    let mut places = Vec::with_capacity(policy.len());
    for path in policy {
        let same_zone = contract.iter().filter(|it| it.zone() == path.zone());
        let (above, others): (Vec<&&Path>, Vec<&&Path>) =
            same_zone.partition(|declared| path.is_at_or_below(declared));
        if above.is_empty() {
            let below = others.into_iter().filter(|it| it.is_at_or_below(path));
            places.extend(below.map(|it| Path::clone(it)));
        } else {
            places.push(path.clone());
        }
    }
    places
}

fn fitting(
    contract: &Contract,
    list: PolicyList,
    index: usize,
    text: &str,
) -> Result<PathPattern, PolicyProblem> {
    let pattern = parse_path(list.one(), text, &contract.parameters).map_err(|problem| {
        // What a contract's own paths are held to, said of the policy's.
        let problem = problem.strip_prefix("the ").unwrap_or(&problem).to_owned();
        PolicyProblem::Path {
            list,
            index,
            problem,
        }
    })?;
    if list.allowed(contract).any(|it| it.may_cover(&pattern)) {
        return Ok(pattern);
    }
    let mut declared: Vec<String> = Vec::new();
    for pattern in list.allowed(contract).map(ToString::to_string) {
        if !declared.contains(&pattern) {
            declared.push(pattern);
        }
    }
    Err(PolicyProblem::NotDeclared {
        list,
        index,
        path: path::cut(text),
        declared,
    })
}

/// The topics of a policy; what is wrong with some of them is told.
fn topics_of(texts: &[String], problems: &mut Vec<PolicyProblem>) -> Topics {
    let mut patterns = Vec::with_capacity(texts.len());
    let mut seen = HashSet::new();
    for (index, text) in texts.iter().enumerate() {
        let parsed = match seen.insert(text) {
            true => TopicPattern::parse(text),
            false => Err("comes twice".into()),
        };
        match parsed {
            Ok(pattern) => patterns.push(pattern),
            Err(problem) => problems.push(PolicyProblem::Topic {
                index,
                topic: text.clone(),
                problem,
            }),
        }
    }
    Topics::new(patterns)
}

fn declared_as(paths: &[String]) -> String {
    if paths.is_empty() {
        "nothing".into()
    } else {
        paths.join(", ")
    }
}

#[cfg(test)]
mod tests;
