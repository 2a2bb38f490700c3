//! What a run holds from its admission to the end of its commit: its keys, and the directory that it writes into.

use crate::error::RunError;
use crate::lock::Admitted;
use crate::run::Run;
use crate::staging::{self, Awaits, DirectoryProblem, Fate, Recovered, SharedArea, Staging};
use theus_core::limits::Limits;

/// What a run holds. Dropping it undoes what was not decided, and lets the next runs in.
pub(crate) struct Held<'a> {
    // Dropped in this order: whoever is admitted next finds the directory free.
    staging: Option<Staging>,
    _lock: Admitted<'a>,
}

impl<'a> Held<'a> {
    /// Takes the directory that a process writes into, for a run that was admitted.
    pub(crate) fn new(
        run: &mut Run,
        limits: &Limits,
        lock: Admitted<'a>,
        fate: Fate<'_>,
    ) -> Result<Self, RunError> {
        let writable = run
            .process
            .reach
            .as_ref()
            .and_then(|it| it.writable.as_ref());
        let staging = writable.map(|directory| {
            Staging::begin(directory, limits, run.deadline, fate)
                .map_err(|problem| unusable(run, &directory.name, problem))
        });
        let staging = staging.transpose()?;
        if let Some(staging) = &staging
            && staging.recovered() == Recovered::Commit
        {
            run.receipt.warnings.push(staging::told(staging.name()));
        }
        Ok(Self {
            staging,
            _lock: lock,
        })
    }

    /// What the guest's handles work on.
    pub(crate) fn area(&self) -> Option<&SharedArea> {
        self.staging.as_ref().map(Staging::area)
    }

    /// Files and bytes that the run staged.
    pub(crate) fn staged(&self) -> (u64, u64) {
        self.staging.as_ref().map_or((0, 0), Staging::used)
    }

    /// Looks at what the run does to its directory and, unless it is a dry run, makes it ready to be decided: by the commit that it
    /// `awaits`, where there is one.
    pub(crate) fn prepare(
        &mut self,
        run: &mut Run,
        awaits: impl FnOnce(&Run) -> Result<Option<Awaits>, RunError>,
    ) -> Result<(), RunError> {
        let Some(staging) = &mut self.staging else {
            return Ok(());
        };
        let changes = staging.changes();
        let changes = changes.map_err(|problem| unusable(run, staging.name(), problem))?;
        if !run.is_dry_run() && !changes.is_empty() {
            let awaits = awaits(run)?;
            run.commit_id = awaits.map(|it| it.commit);
            let prepared = staging.prepare(awaits);
            prepared.map_err(|problem| unusable(run, staging.name(), problem))?;
        }
        run.files = changes;
        Ok(())
    }

    /// Decides on the files: the one moment before which nothing has happened to them, and after which everything will. Where a
    /// commit decides, that is when it lasts.
    pub(crate) fn decide(&mut self, run: &Run) -> Result<(), RunError> {
        let Some(staging) = &mut self.staging else {
            return Ok(());
        };
        if staging.leave_to_commit() {
            return Ok(());
        }
        let decided = staging.decide();
        decided.map_err(|problem| unusable(run, staging.name(), problem))
    }

    /// Whether a commit decides on the files, which has yet to last.
    pub(crate) fn is_awaiting(&self) -> bool {
        self.staging.as_ref().is_some_and(Staging::is_awaiting)
    }

    /// Puts the files in place. What fails now is only late: it is decided, and the next run does it before it begins.
    pub(crate) fn finish(&mut self, run: &mut Run) {
        let Some(staging) = &mut self.staging else {
            return;
        };
        if let Err(problem) = staging.finish() {
            let name = staging.name();
            run.receipt.warnings.push(format!(
                "the run is committed, but not all files are in place in `{name}` yet; the next run will go on with them: {problem} ({})",
                problem.help()
            ));
        }
    }
}

fn unusable(run: &Run, directory: &str, problem: DirectoryProblem) -> RunError {
    RunError::Directory {
        process: run.name().to_owned(),
        directory: directory.to_owned(),
        problem,
    }
}
