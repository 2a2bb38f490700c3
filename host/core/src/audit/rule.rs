//! Rules: one condition on one field, and the rules of one process.

use super::condition::{self, Condition, ConditionWord, Objection};
use super::field::{Facts, Field};
use super::verdict::{Gate, Level};
use crate::path::Path;
use crate::value::Value;
use crate::zone::Hidden;
use smol_str::SmolStr;
use std::fmt;
use std::sync::Arc;

/// One condition, on a field or over several, with a counter of its own.
#[derive(Clone, Debug)]
pub struct Rule {
    pub(super) id: RuleId,
    pub(super) name: String,
    /// None for an expression that is about no field in particular.
    pub(super) field: Option<Field>,
    pub(super) condition: Condition,
    pub(super) level: Level,
    pub(super) min_threshold: u64,
    pub(super) max_threshold: u64,
    pub(super) reset_on_success: bool,
    pub(super) optional: bool,
    pub(super) message: Option<String>,
    pub(super) binding: Binding,
    pub(super) origin: Origin,
}

/// Where a rule was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Origin {
    /// The file, as the caller named it.
    pub file: Arc<str>,
    /// The line, from 1.
    pub line: u32,
    /// The recipe that has it: the process's own, one that it inherits, or `*`.
    pub recipe: SmolStr,
}

/// Which rule of a process: the identity of its counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId {
    /// The gate.
    pub gate: Gate,
    /// The entry's position among those that hold for the process at the gate, from 0.
    pub position: u32,
    /// The condition within the entry.
    pub condition: ConditionWord,
}

/// What the contract says about what a rule looks at.
#[derive(Clone, Debug, Default)]
pub(super) struct Binding {
    // The secret parameters that are looked at, or a place in one.
    pub(super) secrets: Arc<[SmolStr]>,
    // The field is an optional parameter: nil is the same as absent there.
    pub(super) nil_is_absent: bool,
    // The optional parameters that an expression looks at.
    pub(super) optional: Arc<[SmolStr]>,
}

/// The rules of one process, bound to its contract.
#[derive(Debug)]
pub struct ProcessRules {
    process: String,
    inputs: Vec<Rule>,
    outputs: Vec<Rule>,
    context_paths: Vec<Path>,
    notes: Vec<String>,
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
    pub(super) fn new(
        process: String,
        inputs: Vec<Rule>,
        outputs: Vec<Rule>,
        notes: Vec<String>,
    ) -> Self {
        let mut context_paths: Vec<Path> = inputs
            .iter()
            .chain(&outputs)
            .flat_map(Rule::committed_paths)
            .cloned()
            .collect();
        context_paths.sort();
        context_paths.dedup();
        Self {
            process,
            inputs,
            outputs,
            context_paths,
            notes,
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

    /// The same rules without some of them; each keeps its identity, and so its counter.
    #[must_use]
    pub fn without(&self, left_out: impl Fn(&Rule) -> bool) -> Self {
        let kept = |rules: &[Rule]| rules.iter().filter(|it| !left_out(it)).cloned().collect();
        Self::new(
            self.process.clone(),
            kept(&self.inputs),
            kept(&self.outputs),
            self.notes.clone(),
        )
    }

    /// The rule of an identity, where the process has it.
    #[must_use]
    pub fn rule(&self, id: RuleId) -> Option<&Rule> {
        self.rules(id.gate).iter().find(|rule| rule.id == id)
    }

    /// What the counter of a rule is kept under where it outlives the engine: its name rather than its position, so that
    /// editing the recipe around it does not move it. Of several rules of one name, later ones have a number behind it.
    #[must_use]
    pub fn lasting_name(&self, id: RuleId) -> Option<String> {
        let rules = self.rules(id.gate);
        let at = rules.iter().position(|rule| rule.id == id)?;
        let name = &rules[at].name;
        let earlier = rules[..at].iter().filter(|rule| rule.name == *name).count();
        Some(match earlier {
            0 => name.clone(),
            earlier => format!("{name} #{}", earlier + 1),
        })
    }

    /// Finds the rule that [`ProcessRules::lasting_name`] names, where the recipe still has it.
    #[must_use]
    pub fn find_lasting(&self, gate: Gate, name: &str) -> Option<RuleId> {
        let mut rules = self.rules(gate).iter();
        rules
            .find(|rule| self.lasting_name(rule.id).as_deref() == Some(name))
            .map(|rule| rule.id)
    }

    /// Every place whose committed value a rule of either gate reads: these belong into the lock set, shared.
    ///
    /// Signal and meta places are not among them: rules see only what the run itself wrote there.
    #[must_use]
    pub fn context_paths(&self) -> &[Path] {
        &self.context_paths
    }

    /// What is odd about the rules but wrong in none of them: one that can never act.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
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

    /// What it looks at; none for an expression that is about no field in particular.
    #[must_use]
    pub fn field(&self) -> Option<&Field> {
        self.field.as_ref()
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

    /// The author's message, where there is one.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// The secret parameters that it looks at, or a place in one: records mask what they hold.
    #[must_use]
    pub fn secrets(&self) -> &[SmolStr] {
        &self.binding.secrets
    }

    /// Where it was written.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(super) fn bind(&mut self, binding: Binding) {
        self.binding = binding;
        self.name = self.print_name();
    }

    /// What stays out of sight below the field.
    pub(super) fn hidden(&self) -> Hidden {
        self.field.as_ref().map_or(Hidden::Nothing, Field::hidden)
    }

    fn check(&self, index: usize, facts: &Facts<'_>) -> Result<(), Finding> {
        let value = self
            .field
            .as_ref()
            .and_then(|field| field.value(facts))
            .filter(|value| !(self.binding.nil_is_absent && **value == Value::Nil));
        let is_absent = self.field.is_some() && value.is_none();
        if is_absent && self.optional {
            return Ok(());
        }
        let judged = match (&self.condition, value) {
            _ if is_absent => Err(Objection::Absent),
            (Condition::Expr(expression), _) => {
                match expression.evaluate(facts, &self.binding.optional) {
                    Ok(true) => Ok(()),
                    Ok(false) => Err(Objection::Unmet),
                    Err(fault) => Err(Objection::Undecided {
                        why: fault.to_string().into(),
                    }),
                }
            }
            (condition, Some(value)) => condition.check(value, self.hidden()),
            (_, None) => Err(Objection::Absent),
        };
        judged.map_err(|objection| Finding {
            rule: index,
            objection,
            found: value.filter(|_| self.binding.secrets.is_empty()).cloned(),
            kind: value.map(condition::kind_phrase),
        })
    }

    fn committed_paths(&self) -> impl Iterator<Item = &Path> {
        let of_field = match &self.field {
            Some(Field::Context { path, zone }) if zone.is_readable() => Some(path),
            _ => None,
        };
        let of_expression = match &self.condition {
            Condition::Expr(expression) => expression.context_paths(),
            _ => &[],
        };
        of_field.into_iter().chain(of_expression)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
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

    /// The violated rules, by their places among those of the gate ([`ProcessRules::rules`]).
    pub fn rules(&self) -> impl Iterator<Item = usize> {
        self.0.iter().map(|finding| finding.rule)
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
