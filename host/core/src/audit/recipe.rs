//! Recipes: the file of rules, per process, and how it meets the contracts.

use super::error::{Place, RecipeErrors, Report, Source, nearest, quoted};
use super::field::Field;
use super::reader;
use super::rule::{Binding, ProcessRules, Rule};
use super::yaml::Node;
use crate::contract::Contract;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The most bytes that a recipe file may have.
pub const MAX_RECIPE_BYTES: usize = 1024 * 1024;

/// A parsed recipe file.
#[derive(Clone, Debug, Default)]
pub struct Recipe {
    source: Arc<Source>,
    processes: Vec<ProcessRecipe>,
}

/// What the file says about one process.
#[derive(Clone, Debug)]
pub(super) struct ProcessRecipe {
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) inputs: Vec<PlacedRule>,
    pub(super) outputs: Vec<PlacedRule>,
    pub(super) side_effects: Option<Declared>,
    pub(super) errors: Option<Declared>,
}

/// A rule and where its field stands.
#[derive(Clone, Debug)]
pub(super) struct PlacedRule {
    pub(super) rule: Rule,
    pub(super) place: Place,
}

/// A list that must agree with the contract.
#[derive(Clone, Debug)]
pub(super) struct Declared {
    pub(super) place: Place,
    pub(super) names: Vec<String>,
}

impl Recipe {
    /// Parses a recipe file; `origin` is what errors call it.
    ///
    /// # Errors
    ///
    /// Every problem of the file at once, each with line, column and the nearest valid word. A construct that this
    /// version does not evaluate is such a problem: a rule never silently does nothing.
    ///
    /// # Security
    ///
    /// The text is bounded to [`MAX_RECIPE_BYTES`], and so is what it can expand to.
    pub fn parse(text: &str, origin: &str) -> Result<Self, RecipeErrors> {
        if text.len() > MAX_RECIPE_BYTES {
            let message = format!(
                "the recipe has {} bytes, at most {MAX_RECIPE_BYTES} are allowed",
                text.len()
            );
            return Err(RecipeErrors::of_file(origin, message));
        }
        let source = Source::new(origin, text);
        let root = Node::parse(&source, text)?;
        let processes = reader::read(&source, &root)?;
        Ok(Self {
            source: Arc::new(source),
            processes,
        })
    }

    /// The processes that the file names, in its order.
    pub fn processes(&self) -> impl Iterator<Item = &str> {
        self.processes.iter().map(|process| process.name.as_str())
    }

    /// Binds the rules of a process to its contract; none where the file does not name the process.
    ///
    /// # Errors
    ///
    /// Fields that name no parameter of the contract; `side_effects` or `errors` that differ from the contract's.
    pub fn bind(&self, contract: &Contract) -> Result<Option<Arc<ProcessRules>>, RecipeErrors> {
        let Some(process) = self.find(&contract.name) else {
            return Ok(None);
        };
        let mut report = Report::new(&self.source);
        let inputs = bind_rules(&mut report, &process.inputs, contract);
        let outputs = bind_rules(&mut report, &process.outputs, contract);
        for (what, said, declared) in [
            (
                "side effects",
                &process.side_effects,
                &contract.side_effects,
            ),
            ("errors", &process.errors, &contract.errors),
        ] {
            if let Some(said) = said {
                agree(&mut report, what, said, declared, &contract.name);
            }
        }
        report.finish(Some(Arc::new(ProcessRules::new(
            contract.name.clone(),
            inputs,
            outputs,
        ))))
    }

    /// What the file says about processes that are not loaded: one note each.
    ///
    /// # Errors
    ///
    /// A name that nearly is that of a loaded process for which the file has no rules: they would never be applied.
    pub fn notes(&self, loaded: &[&str]) -> Result<Vec<String>, RecipeErrors> {
        let mut report = Report::new(&self.source);
        let mut notes = Vec::new();
        let without_recipe = || {
            loaded
                .iter()
                .copied()
                .filter(|name| self.find(name).is_none())
        };
        for process in &self.processes {
            let name = &process.name;
            if loaded.contains(&name.as_str()) {
                continue;
            }
            match nearest(name, without_recipe()) {
                Some(meant) => report.refuse(
                    process.place,
                    format!("no process `{name}` is loaded, so its rules would never be applied"),
                    format!("did you mean `{meant}`? it is loaded and has no rules"),
                ),
                None => notes.push(format!(
                    "{}:{}: the rules of `{name}` are not applied: no such process is loaded",
                    self.source.origin(),
                    process.place
                )),
            }
        }
        report.finish(notes)
    }

    fn find(&self, name: &str) -> Option<&ProcessRecipe> {
        self.processes.iter().find(|process| process.name == name)
    }
}

fn bind_rules(report: &mut Report<'_>, rules: &[PlacedRule], contract: &Contract) -> Vec<Rule> {
    rules
        .iter()
        .map(|PlacedRule { rule, place }| {
            let mut rule = rule.clone();
            if let Field::Argument { name, steps } = &rule.field {
                match contract.parameter(name) {
                    Some(parameter) => rule.bind(Binding {
                        secret: parameter.secret,
                        nil_is_absent: parameter.optional && steps.is_empty(),
                    }),
                    None => {
                        let message = format!("`{}` has no parameter `{name}`", contract.name);
                        report.refuse(*place, message, parameter_help(name, contract));
                    }
                }
            }
            rule
        })
        .collect()
}

fn parameter_help(name: &str, contract: &Contract) -> String {
    let parameters = || contract.parameters.iter().map(|it| it.name.as_str());
    let roots = ["args", "domain", "global", "result"];
    let takes = match parameters().count() {
        0 => "it takes no arguments".to_owned(),
        _ => format!("it takes {}", quoted(parameters())),
    };
    match nearest(name, parameters().chain(roots)) {
        Some(meant) => format!("did you mean `{meant}`? {takes}"),
        None => format!("{takes}; a place in the context begins with `domain` or `global`"),
    }
}

fn agree(report: &mut Report<'_>, what: &str, said: &Declared, declared: &[String], process: &str) {
    let set = |names: &[String]| names.iter().cloned().collect::<BTreeSet<_>>();
    let (said_names, declared_names) = (set(&said.names), set(declared));
    if said_names == declared_names {
        return;
    }
    let listed = |names: &BTreeSet<String>| match names.len() {
        0 => "none".to_owned(),
        _ => quoted(names.iter().map(String::as_str)),
    };
    let message = format!(
        "the {what} of `{process}` are {} in the recipe, but {} in its contract",
        listed(&said_names),
        listed(&declared_names)
    );
    let help = "make the two lists equal, or leave the recipe's out".to_owned();
    report.refuse(said.place, message, help);
}
