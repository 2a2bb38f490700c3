//! Minimizing contracts: what each process of a history declared, against what it touched.
//!
//! ```
//! # use theus_host::build::{Build, Diagnostics};
//! use theus_host::minimize::Minimize;
//! use theus_host::{Engine, Policy, PolicyList, args, context_from_json, store};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let guest = Build::new("../guests/warehouse").diagnostics(Diagnostics::Hide).run()?;
//! let context = context_from_json(r#"{"domain": {"items": [], "total_value": 0}}"#)?;
//! let store = store::memory(context)?;
//! let engine = Engine::builder().store(store.clone()).build()?;
//! engine.register(guest.wasm, Policy::as_declared())?;
//! engine.run("add_product", args! { "product_name" => "TV", "price" => 500 })?;
//!
//! let history = Minimize::new().run(&*store)?;
//! let minimum = &history[0].minimum;
//! // No run has brought the list over a hundred yet, so none has set the signal.
//! assert!(minimum.outputs[2].is_unused());
//! assert_eq!(minimum.list(PolicyList::Outputs).len(), 2);
//! # Ok(())
//! # }
//! ```
//!
//! What is proposed suffices for the runs that it rests on. It is an operator's or an author's to judge whether that is enough:
//! the branch that no run has taken yet is in no history.

use crate::backtest::listed;
use crate::declared::Contracts;
use crate::history::Records;
use crate::receipt::Outcome;
use crate::record::Actor;
use crate::store::{Entry, Hash, Store, StoreError};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;
use theus_core::code::Code;
use theus_core::context_guard::Mode;
use theus_core::contract::Contract;
use theus_core::minimize::{Minimizer, Observed};
use theus_core::path::cut;
use theus_core::policy::nearest;

pub use theus_core::minimize::{Fate, Minimum};

/// Holds the contracts of a history's processes against what they touched.
#[derive(Clone, Debug)]
#[must_use]
pub struct Minimize {
    records: RangeInclusive<u64>,
    process: Option<String>,
}

/// A process, and the contract that its history needs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Minimized {
    /// The process.
    pub process: Arc<str>,
    /// The newest component that it ran in.
    pub component: Arc<str>,
    /// Other components with the same contract, whose runs count as well.
    pub other_components: u64,
    /// Runs under earlier contracts, which do not count.
    pub earlier_runs: u64,
    /// Runs that were permissive: the contract did not hold them.
    pub permissive_runs: u64,
    /// Runs that were rolled back: what they wrote is not recorded.
    pub rolled_back_runs: u64,
    /// What is proposed.
    pub minimum: Minimum,
    /// Where the evidence is thin, and what no history tells.
    pub warnings: Vec<String>,
}

/// Why nothing is proposed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MinimizeError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No run of the process, of those that are asked about, entered its guest.
    #[error(
        "no run of `{}` is in the range; there are runs of: {}",
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

/// Below this number of runs a proposal is called thin.
const FEW: u64 = 20;

/// What was seen of one contract of one process.
struct Seen {
    component: Arc<str>,
    components: BTreeSet<Arc<str>>,
    runs: u64,
    permissive: u64,
    rolled_back: u64,
    newest: u64,
    /// None where the component is not kept.
    minimizer: Option<Minimizer>,
}

/// The contracts of one process, by what they declare.
type Processes = BTreeMap<Arc<str>, BTreeMap<Identity, Seen>>;

/// A contract's digest, or the component's where that was not recorded.
type Identity = (Option<[u8; 32]>, Option<Arc<str>>);

impl Default for Minimize {
    fn default() -> Self {
        Self::new()
    }
}

impl Minimize {
    /// Looks at all records and all processes.
    pub fn new() -> Self {
        Self {
            records: 0..=u64::MAX,
            process: None,
        }
    }

    /// Looks at these records only, by their numbers.
    pub fn records(mut self, range: RangeInclusive<u64>) -> Self {
        self.records = range;
        self
    }

    /// Looks at this process only.
    pub fn process(mut self, name: impl Into<String>) -> Self {
        self.process = Some(name.into());
        self
    }

    /// What each process needs of its contract, by name. A process whose component is not kept is left out.
    ///
    /// # Errors
    ///
    /// Where the store cannot be read; where it has no run of the process.
    pub fn run(&self, store: &dyn Store) -> Result<Vec<Minimized>, MinimizeError> {
        let mut processes = Processes::new();
        let mut contracts = Contracts::of(store);
        let mut records = Records::of(store, &self.records);
        while let Some(entry) = records.next()? {
            let Actor::Process {
                name,
                digest: Some(digest),
            } = &entry.record.actor
            else {
                continue;
            };
            if entry.record.outcome == Outcome::Refused {
                // No guest was entered, so nothing was touched.
                continue;
            }
            let seen = processes.entry(name.clone()).or_default();
            let identity = identity(&entry, digest);
            if !seen.contains_key(&identity) {
                let contract = contracts.find(name, digest)?;
                seen.insert(identity.clone(), Seen::of(digest, contract));
            }
            if let Some(seen) = seen.get_mut(&identity) {
                seen.note(&entry, digest);
            }
        }
        if let Some(process) = &self.process
            && !processes.contains_key(process.as_str())
        {
            return Err(MinimizeError::NoSuchProcess {
                process: process.clone(),
                known: processes.keys().map(ToString::to_string).collect(),
            });
        }
        let is_meant = |name: &str| self.process.as_deref().is_none_or(|it| it == name);
        let meant = processes.into_iter().filter(|(name, _)| is_meant(name));
        Ok(meant
            .filter_map(|(name, seen)| minimized(name, seen))
            .collect())
    }
}

impl Seen {
    fn of(component: &Arc<str>, contract: Option<Contract>) -> Self {
        Self {
            component: component.clone(),
            components: BTreeSet::new(),
            runs: 0,
            permissive: 0,
            rolled_back: 0,
            newest: 0,
            minimizer: contract.map(Minimizer::new),
        }
    }

    fn note(&mut self, entry: &Entry, digest: &Arc<str>) {
        let record = &entry.record;
        self.component = digest.clone();
        self.components.insert(digest.clone());
        self.newest = record.seq;
        self.runs += 1;
        self.permissive += u64::from(record.mode == Mode::Permissive);
        self.rolled_back += u64::from(record.outcome == Outcome::RolledBack);
        if let Some(minimizer) = &mut self.minimizer {
            minimizer.observe(&Observed {
                args: &record.args,
                reads: &entry.touched,
                writes: &entry.writes,
                error: record.error.as_deref(),
                mode: record.mode,
            });
        }
    }
}

fn identity(entry: &Entry, digest: &Arc<str>) -> Identity {
    let contract = entry
        .terms
        .contract
        .as_ref()
        .map(|it: &Hash| *it.as_bytes());
    let instead = contract.is_none().then(|| digest.clone());
    (contract, instead)
}

/// What the newest contract of a process comes to.
fn minimized(process: Arc<str>, seen: BTreeMap<Identity, Seen>) -> Option<Minimized> {
    let earlier: u64 = seen.values().map(|it| it.runs).sum();
    let contracts = seen.len();
    let newest = seen.into_values().max_by_key(|it| it.newest)?;
    let minimum = newest.minimizer?.minimum();
    let mut minimized = Minimized {
        process,
        component: newest.component,
        other_components: newest.components.len() as u64 - 1,
        earlier_runs: earlier - newest.runs,
        permissive_runs: newest.permissive,
        rolled_back_runs: newest.rolled_back,
        minimum,
        warnings: Vec::new(),
    };
    minimized.warnings = minimized.doubts(contracts as u64 - 1);
    Some(minimized)
}

impl Minimized {
    /// What makes the evidence less than it looks.
    fn doubts(&self, earlier_contracts: u64) -> Vec<String> {
        let minimum = &self.minimum;
        let mut doubts = Vec::new();
        let mut doubt = |is: bool, text: String| {
            if is {
                doubts.push(text);
            }
        };
        let runs = minimum.runs;
        doubt(
            runs < FEW,
            format!(
                "it rests on {} only: what a rarer run needs is not among them",
                counted(runs, "run")
            ),
        );
        doubt(
            self.permissive_runs > 0,
            format!(
                "{} of the runs were permissive: what they touched beyond the contract is in the contract that is proposed, and in no policy",
                self.permissive_runs
            ),
        );
        doubt(
            self.rolled_back_runs > 0,
            format!(
                "{} of the runs were rolled back: what they wrote is not recorded",
                self.rolled_back_runs
            ),
        );
        doubt(
            minimum.folded_runs > 0,
            format!(
                "{} of the runs read more places than a record names: what they may have read stays as it is declared",
                minimum.folded_runs
            ),
        );
        let constant = &minimum.constant_parameters;
        doubt(
            !constant.is_empty(),
            format!(
                "{} had one value in all runs: that a path depends on it may be chance",
                listed(constant)
            ),
        );
        doubt(
            self.earlier_runs > 0,
            format!(
                "{} under {} of the process left out",
                counted(self.earlier_runs, "run"),
                counted(earlier_contracts, "other contract")
            ),
        );
        let effects = minimum.contract.side_effects.iter();
        let effects: Vec<String> = effects.map(ToString::to_string).collect();
        doubt(
            !effects.is_empty(),
            format!(
                "whether {} was used is not recorded: side effects stay as they are declared",
                listed(&effects)
            ),
        );
        let never = minimum.never_granted.iter().map(ToString::to_string);
        let never: Vec<String> = never.collect();
        doubt(
            !never.is_empty(),
            format!(
                "no contract may grant what permissive runs did at: {}",
                listed(&never)
            ),
        );
        doubts
    }
}

impl MinimizeError {
    /// The error's stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Store(error) => error.code(),
            Self::NoSuchProcess { .. } => Code::NoSuchProcess,
        }
    }

    /// How to mend it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Store(error) => error.help(),
            Self::NoSuchProcess { process, known } => {
                nearest(process, known.iter().map(String::as_str))
                    .map(|name| format!("did you mean `{name}`?"))
            }
        }
    }
}

fn counted(count: u64, one: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {one}{ending}")
}
