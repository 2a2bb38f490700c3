//! Backtesting a recipe: which runs of a history it would have refused or warned about. No guest is run.
//!
//! ```
//! # use theus_host::build::{Build, Diagnostics};
//! use theus_host::backtest::Backtest;
//! use theus_host::{Engine, Policy, Recipe, args, context_from_json, store};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let guest = Build::new("../guests/warehouse").diagnostics(Diagnostics::Hide).run()?;
//! let context = context_from_json(r#"{"domain": {"items": [], "total_value": 0}}"#)?;
//! let store = store::memory(context)?;
//! let engine = Engine::builder().store(store.clone()).build()?;
//! engine.register(guest.wasm, Policy::as_declared())?;
//! for price in [300, 900] {
//!     engine.run("add_product", args! { "product_name" => "TV", "price" => price })?;
//! }
//!
//! let recipe = "process_recipes: { add_product: { outputs: [{ field: domain.total_value, max: 1000, level: B }] } }";
//! let recipe = Recipe::parse(recipe, "new.yaml")?;
//! let report = Backtest::new(&recipe).run(&*store)?;
//! assert_eq!((report.commits, report.refused.commits), (2, 1));
//! assert_eq!(report.refused.first[0].version, Some(2));
//! # Ok(())
//! # }
//! ```
//!
//! The input rules are judged on the version that a run read, the output rules on what it committed. The counters of the new
//! recipe begin at 0 and move as they would have; a level S rule throws an interlock of the backtest's own, which the resets
//! of the history lift.
//!
//! **The history is judged as it was.** A run that would have been refused would have left another context to those behind it;
//! what they would have done then, only running them could tell.

mod judge;
mod past;
mod report;

pub use self::report::{
    BacktestReport, Halt, Judged, Listed, NotJudged, NotJudgedReason, RuleReport,
};

use self::judge::Judge;
use crate::history::{Records, Versions};
use crate::record::Actor;
use crate::store::{Store, StoreError};
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use theus_core::audit::{Recipe, RecipeErrors};
use theus_core::code::Code;
use theus_core::path::cut;
use theus_core::policy::nearest;

/// Holds a recipe against the records of a store.
#[must_use]
pub struct Backtest<'r> {
    recipe: &'r Recipe,
    records: RangeInclusive<u64>,
    process: Option<String>,
    listed: usize,
}

/// Why a recipe is not held against a history.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BacktestError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The recipe does not fit the newest recorded contract of a process, or names one that nearly is in the history.
    #[error("{errors}")]
    Recipe {
        /// The process, where it is about one.
        process: Option<String>,
        /// What does not fit, with its places in the file.
        errors: RecipeErrors,
    },
    /// No record of the range is of the process.
    #[error(
        "no record of `{}` is in the range; there are records of: {}",
        cut(process),
        listed(known)
    )]
    NoSuchProcess {
        /// The process that was asked for.
        process: String,
        /// The processes that there are.
        known: Vec<String>,
    },
}

impl<'r> Backtest<'r> {
    /// A backtest over all records, which lists the first 20 commits of a kind.
    pub fn new(recipe: &'r Recipe) -> Self {
        Self {
            recipe,
            records: 0..=u64::MAX,
            process: None,
            listed: 20,
        }
    }

    /// Looks at these records only, by their numbers. Counters begin at 0 there.
    pub fn records(mut self, range: RangeInclusive<u64>) -> Self {
        self.records = range;
        self
    }

    /// Judges the runs of this process only.
    pub fn process(mut self, name: impl Into<String>) -> Self {
        self.process = Some(name.into());
        self
    }

    /// Lists that many commits of a kind, the first ones.
    pub fn listed(mut self, most: usize) -> Self {
        self.listed = most;
        self
    }

    /// Judges every run of the history, in order.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read; where the recipe does not fit the newest recorded contract of a process.
    pub fn run(&self, store: &dyn Store) -> Result<BacktestReport, BacktestError> {
        let mut records = Records::of(store, &self.records);
        let mut versions = Versions::before(store, *self.records.start())?;
        let mut judge = Judge::new(self.recipe, store, self.listed);
        let mut names = BTreeSet::new();
        while let Some(entry) = records.next()? {
            judge.note_record(&entry);
            let is_meant = match &entry.record.actor {
                // One without a digest was never registered.
                Actor::Process {
                    name,
                    digest: Some(_),
                } => {
                    names.insert(name.clone());
                    self.process.as_deref().is_none_or(|it| it == &**name)
                }
                Actor::InterlockReset => {
                    judge.note_reset(&entry);
                    false
                }
                _ => false,
            };
            if is_meant {
                judge.run(&entry, &versions)?;
            }
            versions.follow(&entry)?;
        }
        let names: Vec<&str> = names.iter().map(|it| &**it).collect();
        if let Some(process) = self
            .process
            .as_ref()
            .filter(|it| !names.contains(&it.as_str()))
        {
            return Err(BacktestError::NoSuchProcess {
                process: process.clone(),
                known: names.into_iter().map(str::to_owned).collect(),
            });
        }
        let notes = self
            .recipe
            .notes(&names)
            .map_err(|errors| BacktestError::Recipe {
                process: None,
                errors,
            })?;
        judge.finish(notes)
    }
}

impl BacktestError {
    /// The error's stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Store(error) => error.code(),
            Self::Recipe { .. } => Code::RecipeFile,
            Self::NoSuchProcess { .. } => Code::NoSuchProcess,
        }
    }

    /// How to mend it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.help(),
            Self::Recipe { .. } => None,
            Self::NoSuchProcess { process, known } => {
                nearest(process, known.iter().map(String::as_str))
                    .map(|name| format!("did you mean `{name}`?"))
            }
        }
    }
}

/// Names in a row, for a message.
pub(crate) fn listed(names: &[String]) -> String {
    match names {
        [] => "none".into(),
        names => names.join(", "),
    }
}
