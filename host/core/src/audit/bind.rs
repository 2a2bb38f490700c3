//! Binding: the rules that hold for a process meet its contract.

use super::condition::Condition;
use super::error::{Place, RecipeErrors, Report, Source, nearest, quoted};
use super::field::Field;
use super::inheritance::{Holding, Way};
use super::recipe::{Declared, PlacedRule};
use super::rule::{Binding, Origin, ProcessRules, Rule};
use super::verdict::Gate;
use crate::contract::Contract;
use crate::schema::Schema;
use smol_str::SmolStr;
use std::collections::BTreeSet;
use std::sync::Arc;

const ROOTS: [&str; 4] = ["args", "domain", "global", "result"];

/// Binds every rule of the recipes that hold for a process.
pub(super) fn bind(
    source: &Source,
    holding: &[Holding<'_>],
    contract: &Contract,
    schema: Option<&Schema>,
) -> Result<Arc<ProcessRules>, RecipeErrors> {
    let mut binder = Binder {
        report: Report::new(source),
        file: source.origin().into(),
        contract,
        schema,
        notes: Vec::new(),
    };
    let inputs = binder.gate(Gate::Input, holding);
    let outputs = binder.gate(Gate::Output, holding);
    for Holding { recipe, way } in holding {
        if *way == Way::Inherited {
            continue;
        }
        binder.agree("side effects", &recipe.side_effects, &contract.side_effects);
        binder.agree("errors", &recipe.errors, &contract.errors);
    }
    // Several conditions of one entry share its field, and what is odd about it.
    binder.notes.dedup();
    let rules = ProcessRules::new(contract.name.clone(), inputs, outputs, binder.notes);
    binder.report.finish(Arc::new(rules))
}

pub(super) struct Binder<'a> {
    pub(super) report: Report<'a>,
    pub(super) file: Arc<str>,
    pub(super) contract: &'a Contract,
    pub(super) schema: Option<&'a Schema>,
    pub(super) notes: Vec<String>,
}

impl Binder<'_> {
    fn gate(&mut self, gate: Gate, holding: &[Holding<'_>]) -> Vec<Rule> {
        let mut bound = Vec::new();
        // Entries are counted over all recipes, so that every rule has a counter of its own.
        let mut entries_before = 0;
        for holding in holding {
            let (placed, entries) = match gate {
                Gate::Input => (&holding.recipe.inputs, holding.recipe.input_entries),
                Gate::Output => (&holding.recipe.outputs, holding.recipe.output_entries),
            };
            for placed in placed {
                let Some(mut rule) = self.rule(placed, *holding) else {
                    continue;
                };
                rule.id.position += entries_before;
                rule.origin = Origin {
                    file: self.file.clone(),
                    line: placed.place.line,
                    recipe: holding.recipe.name.as_str().into(),
                };
                bound.push(rule);
            }
            entries_before += entries;
        }
        bound
    }

    /// One rule, or none where it is for other processes.
    fn rule(&mut self, placed: &PlacedRule, holding: Holding<'_>) -> Option<Rule> {
        let mut rule = placed.rule.clone();
        let lacking = self.lacking(placed);
        if !lacking.is_empty() {
            // A word that is nearly a parameter's is a mistake also where it need not be there.
            let is_meant = |name: &SmolStr| nearest(name, self.parameters()).is_some();
            let may_lack = holding.way == Way::EveryProcess && rule.optional;
            if may_lack && !lacking.iter().any(|(name, _)| is_meant(name)) {
                return None;
            }
            for (name, place) in lacking {
                self.refuse(&name, place, holding);
            }
            return None;
        }
        let mut binding = Binding::default();
        let mut secrets = Vec::new();
        if let Some(Field::Argument { name, steps }) = &rule.field
            && let Some(parameter) = self.contract.parameter(name)
        {
            secrets.extend(parameter.secret.then(|| name.clone()));
            binding.nil_is_absent = parameter.optional && steps.is_empty();
        }
        if let Condition::Expr(expression) = &rule.condition {
            let reads = |name: &str| {
                expression.reads_any_argument()
                    || expression.arguments().iter().any(|it| it == name)
            };
            let read = || self.contract.parameters.iter().filter(|it| reads(&it.name));
            secrets.extend(
                read()
                    .filter(|it| it.secret)
                    .map(|it| SmolStr::from(it.name.as_str())),
            );
            binding.optional = read()
                .filter(|it| it.optional)
                .map(|it| SmolStr::from(it.name.as_str()))
                .collect();
        }
        binding.secrets = secrets.into();
        rule.bind(binding);
        self.meet(placed, &rule, holding.way);
        Some(rule)
    }

    /// The arguments that a rule names and the contract lacks.
    fn lacking(&self, placed: &PlacedRule) -> Vec<(SmolStr, Place)> {
        let of_field = match &placed.rule.field {
            Some(Field::Argument { name, .. }) => Some((name.clone(), placed.place)),
            _ => None,
        };
        let of_expression: &[SmolStr] = match &placed.rule.condition {
            Condition::Expr(expression) => expression.arguments(),
            _ => &[],
        };
        of_field
            .into_iter()
            .chain(
                of_expression
                    .iter()
                    .map(|name| (name.clone(), placed.condition_place)),
            )
            .filter(|(name, _)| self.contract.parameter(name).is_none())
            .collect()
    }

    fn refuse(&mut self, name: &str, place: Place, holding: Holding<'_>) {
        let process = &self.contract.name;
        let mut message = format!("`{process}` has no parameter `{name}`");
        let mut help = self.parameter_help(name);
        match holding.way {
            Way::Own => {}
            Way::Inherited => {
                message.push_str(&format!(
                    ", which it inherits from `{}`",
                    holding.recipe.name
                ));
            }
            Way::EveryProcess => {
                message.push_str(", and the entry holds for every process");
                help.push_str(
                    "; `optional: true` leaves out the processes that do not have the parameter",
                );
            }
        }
        self.report.refuse(place, message, help);
    }

    fn parameters(&self) -> impl Iterator<Item = &str> {
        self.contract.parameters.iter().map(|it| it.name.as_str())
    }

    fn parameter_help(&self, name: &str) -> String {
        let takes = match self.parameters().count() {
            0 => "it takes no arguments".to_owned(),
            _ => format!("it takes {}", quoted(self.parameters())),
        };
        match nearest(name, self.parameters().chain(ROOTS)) {
            Some(meant) => format!("did you mean `{meant}`? {takes}"),
            None => format!("{takes}; a place in the context begins with `domain` or `global`"),
        }
    }

    /// A list that says what the contract declares must say all of it, and nothing else.
    fn agree(&mut self, what: &str, said: &Option<Declared>, declared: &[impl ToString]) {
        let Some(said) = said else { return };
        let said_names = said.names.iter().cloned().collect::<BTreeSet<_>>();
        let declared_names = declared.iter().map(ToString::to_string).collect();
        if said_names == declared_names {
            return;
        }
        let listed = |names: &BTreeSet<String>| match names.len() {
            0 => "none".to_owned(),
            _ => quoted(names.iter().map(String::as_str)),
        };
        let message = format!(
            "the {what} of `{}` are {} in the recipe, but {} in its contract",
            self.contract.name,
            listed(&said_names),
            listed(&declared_names)
        );
        let help = "make the two lists equal, or leave the recipe's out".to_owned();
        self.report.refuse(said.place, message, help);
    }
}
