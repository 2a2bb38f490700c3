//! What one run did, or why it did nothing.

use std::fmt;

use serde::de::DeserializeOwned;
use theus_core::guard::Violation;
use theus_core::guest_log::LogLine;
use theus_core::transaction::Snapshot;
use theus_core::value::Value as CoreValue;

use super::change::{Change, OutboxMessage, Signal};
use super::error::RunError;
use super::host;
use super::value;
use crate::failure::Failure;

/// What one run did, or why it did nothing.
#[derive(Clone, Debug)]
#[must_use = "a run that failed says so here"]
pub struct Run {
    pub(super) process: &'static str,
    pub(super) ended: Result<CoreValue, RunError>,
    pub(super) changes: Vec<Change>,
    pub(super) signals: Vec<Signal>,
    pub(super) outbox: Vec<OutboxMessage>,
    pub(super) log: Vec<LogLine>,
    pub(super) violations: Vec<Violation>,
    pub(super) context: Snapshot,
}

impl Run {
    /// Whether everything that the process wrote is in the context.
    #[must_use]
    pub fn is_committed(&self) -> bool {
        self.ended.is_ok()
    }

    /// What the process returned.
    ///
    /// # Errors
    ///
    /// Why the run did not commit.
    ///
    /// # Panics
    ///
    /// The result is not a `T`.
    #[track_caller]
    pub fn result<T: DeserializeOwned>(&self) -> Result<T, RunError> {
        match &self.ended {
            Ok(value) => Ok(value::read(
                value,
                &format!("the result of `{}`", self.process),
            )),
            Err(error) => Err(error.clone()),
        }
    }

    /// Why the run did not commit.
    #[must_use]
    pub fn error(&self) -> Option<&RunError> {
        self.ended.as_ref().err()
    }

    /// The failure, where the process failed with an error that its contract lists.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match self.error() {
            Some(RunError::Failure(failure)) => Some(failure),
            _ => None,
        }
    }

    /// What changed, net, in order of the first write. Empty unless committed.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// The signals set, in order. Empty unless committed.
    #[must_use]
    pub fn signals(&self) -> &[Signal] {
        &self.signals
    }

    /// The messages sent, in order. Empty unless committed.
    #[must_use]
    pub fn outbox(&self) -> &[OutboxMessage] {
        &self.outbox
    }

    /// The lines written to the log, in order; they remain of a failed run too.
    #[must_use]
    pub fn log(&self) -> &[LogLine] {
        &self.log
    }

    /// The violations of the contract: the one that ended the run, or those that permissive mode let pass.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// The value in the context after the run, as its operator sees it: signals and notes are shown too.
    ///
    /// # Panics
    ///
    /// `path` is no path, or the value there is not a `T`.
    #[must_use]
    #[track_caller]
    pub fn value<T: DeserializeOwned>(&self, path: &str) -> Option<T> {
        host::read(&self.context, path)
    }

    /// The version of the context after the run: raised by 1 where the run wrote and committed.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.context.version
    }
}

impl fmt::Display for Run {
    /// How the run ended, for the message of a failed assertion: `assert!(run.is_committed(), "{run}")`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let process = self.process;
        let Err(error) = &self.ended else {
            return write!(formatter, "{process} committed");
        };
        write!(formatter, "{process} failed with {}: {error}", error.code())?;
        match error.help() {
            Some(help) => write!(formatter, "; {help}"),
            None => Ok(()),
        }
    }
}
