//! The interlock: the engine-wide stop that a level S rule throws.

use crate::engine::Shared;
use crate::receipt::Outcome;
use crate::record::{Actor, Record};
use crate::store::{CommitId, Entry, InterlockChange, StoreError};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use theus_core::audit::Verdict;

/// Why the interlock is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interlock {
    /// The process whose run threw it.
    pub process: String,
    /// The rule that threw it.
    pub rule: String,
    /// What the rule said.
    pub message: String,
}

/// Whether the interlock is in force. Reading it costs one atomic load while it is not.
#[derive(Default)]
pub(crate) struct InterlockState {
    in_force: AtomicBool,
    state: Mutex<Cause>,
}

#[derive(Default)]
struct Cause {
    cause: Option<Interlock>,
    /// The number of the last change: records of two may be kept in another order than they were made.
    order: u64,
}

impl InterlockState {
    /// The state that an earlier life of the engine left.
    pub(crate) fn restored(cause: Option<Interlock>, order: u64) -> Self {
        Self {
            in_force: AtomicBool::new(cause.is_some()),
            state: Mutex::new(Cause { cause, order }),
        }
    }

    /// The cause, where the interlock is in force.
    #[inline]
    pub(crate) fn cause(&self) -> Option<Interlock> {
        if !self.in_force.load(Ordering::Acquire) {
            return None;
        }
        self.lock().cause.clone()
    }

    /// Throws the interlock; the first cause stays. What has changed, where something has.
    pub(crate) fn throw(&self, process: &str, verdict: &Verdict) -> Option<InterlockChange> {
        let mut state = self.lock();
        if state.cause.is_some() {
            return None;
        }
        state.cause = Some(Interlock {
            process: process.to_owned(),
            rule: verdict.rule.clone(),
            message: verdict.message.clone(),
        });
        self.in_force.store(true, Ordering::Release);
        Some(state.changed())
    }

    /// Ends the stop; returns what it was for, and what has changed.
    fn reset(&self) -> Option<(Interlock, InterlockChange)> {
        let mut state = self.lock();
        self.in_force.store(false, Ordering::Release);
        let cause = state.cause.take()?;
        Some((cause, state.changed()))
    }

    fn lock(&self) -> MutexGuard<'_, Cause> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cause {
    fn changed(&mut self) -> InterlockChange {
        self.order += 1;
        InterlockChange {
            cause: self.cause.clone(),
            order: self.order,
        }
    }
}

impl Shared {
    /// Ends the stop between two commits, and records that somebody did.
    pub(crate) fn reset_interlock(&self) -> Result<Option<Interlock>, StoreError> {
        if let Some(committer) = &self.committer {
            committer.sound()?;
        }
        let Some((cause, change)) = self.head.exclusively(|| self.interlock.reset()) else {
            return Ok(None);
        };
        let record = Record {
            outcome: Outcome::Committed,
            ..Record::of(Actor::InterlockReset, self.mode, Duration::ZERO)
        };
        let mut entry = Entry::new(CommitId::UNNAMED, record.clone());
        entry.interlock = Some(change);
        let seq = self.keep(entry)?;
        self.records.add(record, seq);
        Ok(Some(cause))
    }
}
