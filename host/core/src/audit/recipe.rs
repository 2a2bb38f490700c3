//! Recipes: the file of rules, per process, and how it meets the contracts.

use super::bind;
use super::error::{Place, RecipeErrors, Report, Source, nearest};
use super::inheritance::{self, EVERY_PROCESS};
use super::reader;
use super::rule::{ProcessRules, Rule};
use super::source::Node;
use crate::contract::Contract;
use crate::schema::Schema;
use std::collections::HashSet;
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
    /// How many entries the rules of a gate come from.
    pub(super) input_entries: u32,
    pub(super) output_entries: u32,
    /// These two are about the process of that name, so nothing inherits them.
    pub(super) side_effects: Option<Declared>,
    pub(super) errors: Option<Declared>,
    pub(super) inherits: Option<(Place, String)>,
}

/// A rule, and where its field or its condition stands.
#[derive(Clone, Debug)]
pub(super) struct PlacedRule {
    pub(super) rule: Rule,
    pub(super) place: Place,
    /// The place of what an expression says; else that of the field.
    pub(super) condition_place: Place,
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
    /// Every problem of the file at once, each with line, column and the nearest valid word: a rule never silently
    /// does nothing.
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
        let root = Node::of_yaml(&source, text)?;
        let processes = reader::read(&source, &root)?;
        Ok(Self {
            source: Arc::new(source),
            processes,
        })
    }

    /// The file's text, as it was parsed.
    #[must_use]
    pub fn text(&self) -> &str {
        self.source.text()
    }

    /// The processes that the file names, in its order; `*` is none of them.
    pub fn processes(&self) -> impl Iterator<Item = &str> {
        self.processes
            .iter()
            .map(|process| process.name.as_str())
            .filter(|name| *name != EVERY_PROCESS)
    }

    /// Binds the rules that hold for a process to its contract; none where the file has none for it.
    ///
    /// Rules for every process (`*`) come first, then inherited ones, then its own.
    ///
    /// # Errors
    ///
    /// Fields that name no parameter of the contract; conditions that no value of the parameter meets; `side_effects` or
    /// `errors` that differ from the contract's.
    pub fn bind(&self, contract: &Contract) -> Result<Option<Arc<ProcessRules>>, RecipeErrors> {
        self.bind_to(contract, None)
    }

    /// Binds the rules as [`Recipe::bind`] does, and holds them against the schema of the context that they are for.
    ///
    /// ```
    /// # use theus_core::{audit::Recipe, contract::Contract, schema::Schema};
    /// let contract = Contract::parse_section(br#"{"name":"add","outputs":["domain.total"]}"#)?.remove(0);
    /// let schema = Schema::parse("context: { domain: { total: { type: int } } }", "schema.yaml")?;
    /// let rules = "process_recipes: { add: { outputs: [{ field: domain.totl, max: 9 }] } }";
    /// let recipe = Recipe::parse(rules, "audit.yaml")?;
    /// assert!(recipe.bind(&contract).is_ok());
    /// let errors = recipe.bind_within(&contract, &schema).unwrap_err();
    /// assert!(errors.to_string().contains("did you mean `domain.total`?"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Recipe::bind`]; places at which the schema lets nothing be; conditions that no value which the schema
    /// allows there meets. All of them at once.
    pub fn bind_within(
        &self,
        contract: &Contract,
        schema: &Schema,
    ) -> Result<Option<Arc<ProcessRules>>, RecipeErrors> {
        self.bind_to(contract, Some(schema))
    }

    fn bind_to(
        &self,
        contract: &Contract,
        schema: Option<&Schema>,
    ) -> Result<Option<Arc<ProcessRules>>, RecipeErrors> {
        let holding = inheritance::holding(&self.processes, &contract.name);
        if holding.is_empty() {
            return Ok(None);
        }
        bind::bind(&self.source, &holding, contract, schema).map(Some)
    }

    /// What the file says about processes that are not loaded: one note each.
    ///
    /// # Errors
    ///
    /// A name that nearly is that of a loaded process for which the file has no rules: they would never be applied.
    pub fn notes(&self, loaded: &[&str]) -> Result<Vec<String>, RecipeErrors> {
        let mut report = Report::new(&self.source);
        let mut notes = Vec::new();
        // What a loaded process inherits is applied, by whatever name.
        let inherited: HashSet<&str> = loaded
            .iter()
            .chain(&[EVERY_PROCESS])
            .flat_map(|name| inheritance::ancestors(&self.processes, name))
            .map(|recipe| recipe.name.as_str())
            .collect();
        let without_recipe = || {
            loaded
                .iter()
                .copied()
                .filter(|name| self.find(name).is_none())
        };
        for process in &self.processes {
            let name = &process.name;
            if inherited.contains(name.as_str()) {
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

    /// Every recipe of the file.
    pub(super) fn all(&self) -> &[ProcessRecipe] {
        &self.processes
    }

    fn find(&self, name: &str) -> Option<&ProcessRecipe> {
        self.processes.iter().find(|process| process.name == name)
    }
}
