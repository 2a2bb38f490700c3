//! Rules: one condition on one field, and the rules of one process.

use super::condition::{self, Condition, ConditionWord, Objection};
use super::field::{Facts, Field};
use super::verdict::{Gate, Level};
use crate::path::Path;
use crate::value::Value;
use std::fmt;

/// One condition on one field, with a counter of its own.
#[derive(Clone, Debug)]
pub struct Rule {
    pub(super) id: RuleId,
    pub(super) name: String,
    pub(super) field: Field,
    pub(super) condition: Condition,
    pub(super) level: Level,
    pub(super) min_threshold: u64,
    pub(super) max_threshold: u64,
    pub(super) reset_on_success: bool,
    pub(super) optional: bool,
    pub(super) message: Option<String>,
    pub(super) binding: Binding,
}

/// Which rule of a process: the identity of its counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId {
    /// The gate.
    pub gate: Gate,
    /// The entry's position in the gate's list, from 0.
    pub position: u32,
    /// The condition within the entry.
    pub condition: ConditionWord,
}

/// What the contract says about a rule's field.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Binding {
    // The field is, or lies in, a secret parameter.
    pub(super) secret: bool,
    // The field is an optional parameter: nil is the same as absent there.
    pub(super) nil_is_absent: bool,
}

/// The rules of one process, bound to its contract.
#[derive(Debug)]
pub struct ProcessRules {
    process: String,
    inputs: Vec<Rule>,
    outputs: Vec<Rule>,
    context_paths: Vec<Path>,
}

/// The rules of a gate that a run violates, in the order of the recipe.
#[derive(Clone, Debug, Default)]
pub struct Findings(Vec<Finding>);

/// One violated rule.
#[derive(Clone)]
pub(super) struct Finding {
    // The rule's index in the gate.
    pub(super) rule: usize,
    pub(super) objection: Objection,
    // None where nothing is there, and for secrets.
    pub(super) found: Option<Value>,
    // None where nothing is there.
    pub(super) kind: Option<&'static str>,
}

impl ProcessRules {
    pub(super) fn new(process: String, inputs: Vec<Rule>, outputs: Vec<Rule>) -> Self {
        let mut context_paths: Vec<Path> = inputs
            .iter()
            .chain(&outputs)
            .filter_map(Rule::committed_path)
            .cloned()
            .collect();
        context_paths.sort();
        context_paths.dedup();
        Self {
            process,
            inputs,
            outputs,
            context_paths,
        }
    }

    /// The process.
    #[must_use]
    pub fn process(&self) -> &str {
        &self.process
    }

    /// The rules of a gate, in the order of the recipe.
    #[must_use]
    pub fn rules(&self, gate: Gate) -> &[Rule] {
        match gate {
            Gate::Input => &self.inputs,
            Gate::Output => &self.outputs,
        }
    }

    /// Every place whose committed value a rule of either gate reads: these belong into the lock set, shared.
    ///
    /// Signal and meta places are not among them: rules see only what the run itself wrote there.
    #[must_use]
    pub fn context_paths(&self) -> &[Path] {
        &self.context_paths
    }

    /// Finds the rules of a gate that a run violates. Changes nothing, and allocates nothing where all pass.
    #[must_use]
    pub fn evaluate(&self, gate: Gate, facts: &Facts<'_>) -> Findings {
        let violated = |(index, rule): (usize, &Rule)| rule.check(index, facts).err();
        Findings(
            self.rules(gate)
                .iter()
                .enumerate()
                .filter_map(violated)
                .collect(),
        )
    }
}

impl Rule {
    /// The rule as receipts print it, such as `price min 0`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Which rule of its process it is.
    #[must_use]
    pub fn id(&self) -> RuleId {
        self.id
    }

    /// What it looks at.
    #[must_use]
    pub fn field(&self) -> &Field {
        &self.field
    }

    /// What it asks for.
    #[must_use]
    pub fn condition(&self) -> &Condition {
        &self.condition
    }

    /// How much it matters.
    #[must_use]
    pub fn level(&self) -> Level {
        self.level
    }

    /// The count of violations from which on it warns.
    #[must_use]
    pub fn min_threshold(&self) -> u64 {
        self.min_threshold
    }

    /// The count of violations at which its level acts.
    #[must_use]
    pub fn max_threshold(&self) -> u64 {
        self.max_threshold
    }

    /// Whether passing returns its counter to 0.
    #[must_use]
    pub fn reset_on_success(&self) -> bool {
        self.reset_on_success
    }

    /// Whether it passes where its field is absent.
    #[must_use]
    pub fn is_optional(&self) -> bool {
        self.optional
    }

    pub(super) fn bind(&mut self, binding: Binding) {
        self.binding = binding;
        self.name = self.print_name();
    }

    fn check(&self, index: usize, facts: &Facts<'_>) -> Result<(), Finding> {
        let value = self
            .field
            .value(facts)
            .filter(|value| !(self.binding.nil_is_absent && **value == Value::Nil));
        let objection = match value {
            None if self.optional => return Ok(()),
            None => Objection::Absent,
            Some(value) => match self.condition.check(value, self.field.hidden()) {
                Ok(()) => return Ok(()),
                Err(objection) => objection,
            },
        };
        let shown = value.filter(|_| !self.binding.secret);
        Err(Finding {
            rule: index,
            objection,
            found: shown.cloned(),
            kind: value.map(condition::kind_phrase),
        })
    }

    fn committed_path(&self) -> Option<&Path> {
        match &self.field {
            Field::Context { path, zone } if zone.is_readable() => Some(path),
            _ => None,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Findings {
    /// Whether every rule passes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of violated rules.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Finding> {
        self.0.iter()
    }
}

/// Values stay out of debug output.
impl fmt::Debug for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Finding")
            .field("rule", &self.rule)
            .field("objection", &self.objection)
            .finish_non_exhaustive()
    }
}
