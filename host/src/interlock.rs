//! The interlock: the engine-wide stop that a level S rule throws.

use crate::engine::Shared;
use crate::receipt::Outcome;
use crate::record::{Actor, Record};
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
    cause: Mutex<Option<Interlock>>,
}

impl InterlockState {
    /// The cause, where the interlock is in force.
    #[inline]
    pub(crate) fn cause(&self) -> Option<Interlock> {
        if !self.in_force.load(Ordering::Acquire) {
            return None;
        }
        self.lock().clone()
    }

    /// Throws the interlock; the first cause stays.
    pub(crate) fn throw(&self, process: &str, verdict: &Verdict) {
        let mut cause = self.lock();
        cause.get_or_insert_with(|| Interlock {
            process: process.to_owned(),
            rule: verdict.rule.clone(),
            message: verdict.message.clone(),
        });
        self.in_force.store(true, Ordering::Release);
    }

    /// Ends the stop; returns what it was for.
    pub(crate) fn reset(&self) -> Option<Interlock> {
        let mut cause = self.lock();
        self.in_force.store(false, Ordering::Release);
        cause.take()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Interlock>> {
        self.cause.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// Ends the stop between two commits, and records that somebody did.
    pub(crate) fn reset_interlock(&self) -> Option<Interlock> {
        let cause = self.head.exclusively(|| self.interlock.reset())?;
        self.records.add(Record {
            outcome: Outcome::Committed,
            ..Record::of(Actor::InterlockReset, self.mode, Duration::ZERO)
        });
        Some(cause)
    }
}
