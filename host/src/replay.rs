//! Replay: every run of a history again, compared bit for bit with what its record says.
//!
//! A run is made by its component, its terms, its arguments, the version that it read, and what it was given from outside. A
//! state keeps all of these, so the run can be made again, and has to write, return and cost the same. What a run with secret
//! arguments or files was given is not kept; its writes are applied as they were recorded, and it is counted apart.
//!
//! ```
//! use theus_host::build::{Build, Diagnostics};
//! use theus_host::replay::{self, Options};
//! use theus_host::{Engine, Policy, args, context_from_json, store};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let directory = folder.path().join("state");
//! let guest = Build::new("../guests/warehouse").diagnostics(Diagnostics::Hide).run()?;
//! let context = context_from_json(r#"{"domain": {"items": [], "total_value": 0}}"#)?;
//! let engine = Engine::builder().context(context).state(&directory).build()?;
//! engine.register(guest.wasm, Policy::as_declared())?;
//! engine.run("add_product", args! { "product_name" => "TV", "price" => 500 })?;
//! drop(engine);
//!
//! let store = store::open(&directory, |_, _| {})?;
//! let replayed = replay::replay(&*store, &Options::default(), |_, _| {})?;
//! assert_eq!((replayed.alike, replayed.different), (1, 0));
//! # Ok(())
//! # }
//! ```

mod compare;
mod rehearsal;

pub use self::compare::{Compiler, Difference, What};

use self::compare::{Promise, compare, contradiction};
use self::rehearsal::Stage;
use crate::history::{Records, Versions};
use crate::receipt::Outcome;
use crate::record::Actor;
use crate::store::{Damage, Entry, Store, StoreError};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use theus_core::transaction::Snapshot;

/// What is to be replayed, and how.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// The first record; the oldest that is there, unless it is given.
    pub from: Option<u64>,
    /// The last record; the last that is there, unless it is given.
    pub to: Option<u64>,
    /// Runs only this process again. The writes of all others are applied as they were recorded.
    pub process: Option<String>,
    /// Where compiled code is kept, as [`EngineBuilder::compiled_code_cache`](crate::EngineBuilder::compiled_code_cache) has it.
    pub compiled_code_cache: Option<PathBuf>,
}

/// What came of a replay.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Replayed {
    /// The first and the last record that was looked at; none where there is none.
    pub records: Option<(u64, u64)>,
    /// The version behind the last of them.
    pub version: u64,
    /// Runs that were made again, and were as they had been.
    pub alike: u64,
    /// Of these, those whose fuel is another because another compiler, or other settings of it, made their code then.
    pub other_fuel: u64,
    /// Runs that were made again, and were not.
    pub different: u64,
    /// The first differences, at most 16, in order.
    pub differences: Vec<Difference>,
    /// Records of which nothing was run again, by the reason.
    pub apart: BTreeMap<Apart, u64>,
}

/// Why a record's run was not made again. What it wrote is applied as it was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Apart {
    /// It was no run: an edit of the operator, a reset.
    NoRun,
    /// The guest was not entered.
    NotEntered,
    /// It had a secret argument, which the record masks.
    Secret,
    /// It had files, which are not part of the record.
    Files,
    /// It ran out of time: how far it came was chance.
    OutOfTime,
    /// It failed for a reason of the host's.
    HostFailed,
    /// Its component, or a document of its terms, is not in the state.
    NotKept,
    /// The version that it read was compacted away, while it was under way.
    Compacted,
    /// Another compiler made its code then, and what is recorded of it is promised for that one only.
    OtherCompiler,
    /// It took longer than a minute when it was made again, and longer than it was allowed then.
    TooSlow,
    /// It is a run of another process than the one that was asked for.
    OtherProcess,
}

/// Why a run is not made again.
enum Unstaged {
    /// There is a reason, and it is counted.
    Apart(Apart),
    /// Its component, as it was, cannot be registered.
    Unfit(String),
    /// Nothing can be replayed any more.
    Failed(ReplayError),
}

/// Differences that are told.
const TOLD: usize = 16;

impl Apart {
    /// The reason, in the plural and as what follows a number.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::NoRun => "edits and resets",
            Self::NotEntered => "refused before the guest was entered",
            Self::Secret => "with secret arguments",
            Self::Files => "with files",
            Self::OutOfTime => "out of time",
            Self::HostFailed => "ended by a failure of the host",
            Self::NotKept => "whose component or terms are not kept",
            Self::Compacted => "on versions that were compacted away",
            Self::OtherCompiler => {
                "made by another compiler, which alone gives the same end or cost"
            }
            Self::TooSlow => "too slow now",
            Self::OtherProcess => "of other processes",
        }
    }

    /// The reason as JSON names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NoRun => "no-run",
            Self::NotEntered => "not-entered",
            Self::Secret => "secret",
            Self::Files => "files",
            Self::OutOfTime => "out-of-time",
            Self::HostFailed => "host-failed",
            Self::NotKept => "not-kept",
            Self::Compacted => "compacted",
            Self::OtherCompiler => "other-compiler",
            Self::TooSlow => "too-slow",
            Self::OtherProcess => "other-process",
        }
    }
}

/// Runs a history again; `progress` is told the record that was looked at last, and the last one that will be.
///
/// Nothing is written into the store.
///
/// # Errors
///
/// What keeps the store from being read, or an engine from being made. A run that is not as it was recorded is no error: see
/// [`Replayed::differences`].
pub fn replay(
    store: &dyn Store,
    options: &Options,
    mut progress: impl FnMut(u64, u64),
) -> Result<Replayed, ReplayError> {
    let from = options.from.unwrap_or_default();
    let range = from..=options.to.unwrap_or(u64::MAX);
    let last = store.head().seq.min(*range.end());
    let mut records = Records::of(store, &range);
    let mut versions = Versions::before(store, from)?;
    let mut stage = Stage::new(store, options.compiled_code_cache.clone());
    let mut replayed = Replayed {
        records: None,
        version: 0,
        alike: 0,
        other_fuel: 0,
        different: 0,
        differences: Vec::new(),
        apart: BTreeMap::new(),
    };
    let mut known = BTreeSet::new();
    while let Some(entry) = records.next()? {
        if let Actor::Process {
            name,
            digest: Some(_),
        } = &entry.record.actor
        {
            known.insert(name.to_string());
        }
        let seq = entry.record.seq;
        let first = replayed.records.map_or(seq, |(first, _)| first);
        replayed.records = Some((first, seq));
        replayed.look_at(&entry, &versions, &mut stage, options)?;
        versions.follow(&entry)?;
        progress(seq, last);
    }
    replayed.version = versions.last().version;
    if let Some((_, seq)) = replayed.records {
        versions.compare_last(seq)?;
    }
    match &options.process {
        // That nothing differs would say nothing.
        Some(process) if !known.contains(process) => Err(ReplayError::NoSuchProcess {
            process: process.clone(),
            known: known.into_iter().collect(),
        }),
        _ => Ok(replayed),
    }
}

/// Why a history could not be replayed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No run of the range is of the process that was asked for.
    #[error("no record is of a process `{process}`")]
    NoSuchProcess {
        /// What was asked for.
        process: String,
        /// The processes of the records.
        known: Vec<String>,
    },
    /// There is no engine to run guests in.
    #[error("no guest can be run: {0}")]
    Engine(#[from] crate::error::EngineBuildError),
}

impl Replayed {
    fn look_at(
        &mut self,
        entry: &Entry,
        versions: &Versions<'_>,
        stage: &mut Stage<'_>,
        options: &Options,
    ) -> Result<(), ReplayError> {
        if let Some(difference) = contradiction(entry) {
            self.note(difference);
            return Ok(());
        }
        match again(entry, versions, stage, options) {
            Ok(None) => self.alike += 1,
            // Other code for the same guest may cost otherwise; it must not do otherwise.
            Ok(Some(difference))
                if difference.what == What::Fuel && difference.compiler == Compiler::Other =>
            {
                self.alike += 1;
                self.other_fuel += 1;
            }
            Ok(Some(difference)) => self.note(difference),
            Err(Unstaged::Apart(apart)) => *self.apart.entry(apart).or_default() += 1,
            Err(Unstaged::Unfit(problem)) => self.note(Difference::of_component(entry, &problem)),
            Err(Unstaged::Failed(error)) => return Err(error),
        }
        Ok(())
    }

    fn note(&mut self, difference: Difference) {
        self.different += 1;
        if self.differences.len() < TOLD {
            self.differences.push(difference);
        }
    }
}

/// Makes the run of a record again, where there is one and it can be. What it did otherwise.
fn again(
    entry: &Entry,
    versions: &Versions<'_>,
    stage: &mut Stage<'_>,
    options: &Options,
) -> Result<Option<Difference>, Unstaged> {
    let record = &entry.record;
    let Actor::Process { name, digest } = &record.actor else {
        return Err(Apart::NoRun.into());
    };
    if options.process.as_ref().is_some_and(|it| **it != **name) {
        return Err(Apart::OtherProcess.into());
    }
    if record.outcome == Outcome::Refused {
        return Err(Apart::NotEntered.into());
    }
    let promise = Promise::of(entry)?;
    let digest = digest.as_ref().ok_or(Apart::NotKept)?;
    let part = stage.part(name, digest, entry)?;
    if let Some(apart) = part.lacks(entry) {
        return Err(apart.into());
    }
    if !promise.holds_for(part.compiler) {
        return Err(Apart::OtherCompiler.into());
    }
    let read = match record.read_version {
        Some(version) => read(entry, version, versions)?,
        // It ended while its instance was made, before it could read anything.
        None => versions.last().clone(),
    };
    let rerun = part.rehearse(entry, read);
    Ok(compare(entry, promise, &rerun, stage.limits())?)
}

fn read(entry: &Entry, version: u64, versions: &Versions<'_>) -> Result<Snapshot, Unstaged> {
    match versions.at(version) {
        Ok(found) => found.ok_or(Apart::Compacted.into()),
        // Whoever wrote that made it up.
        Err(StoreError::NoSuchVersion { asked, .. }) => {
            let damage = Damage::Record {
                seq: entry.record.seq,
                problem: format!("it read version {asked}, which there never was"),
            };
            Err(StoreError::Damaged(damage).into())
        }
        Err(error) => Err(error.into()),
    }
}

impl From<Apart> for Unstaged {
    fn from(apart: Apart) -> Self {
        Self::Apart(apart)
    }
}

impl From<StoreError> for Unstaged {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}
