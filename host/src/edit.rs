//! Edits: the one way besides a process's commit in which the context changes.

use crate::engine::Shared;
use crate::error::EditError;
use crate::lock::LockSet;
use crate::receipt::Outcome;
use crate::record::{Actor, Record};
use std::time::Instant;
use theus_core::limits::{Limit, LimitExceeded, Limits};
use theus_core::path::Path;
use theus_core::transaction::{Snapshot, Transaction};
use theus_core::value::Value;
use theus_core::zone::{self, Hidden};

/// A transaction of the operator's. Nothing of it is visible before it commits.
pub struct Edit<'a> {
    transaction: Transaction,
    limits: &'a Limits,
}

impl<'a> Edit<'a> {
    pub(crate) fn new(transaction: Transaction, limits: &'a Limits) -> Self {
        Self {
            transaction,
            limits,
        }
    }

    pub(crate) fn into_transaction(self) -> Transaction {
        self.transaction
    }

    /// The value at a place, with what this edit changed.
    ///
    /// # Errors
    ///
    /// [`EditError`] where the text is no path.
    pub fn get(&self, path: &str) -> Result<Option<Value>, EditError> {
        let path = self.parse(path)?;
        Ok(self.transaction.view().get(&path).cloned())
    }

    /// Sets the value at a place.
    ///
    /// # Errors
    ///
    /// [`EditError`] where the path is malformed or private, the parent is missing, or the value is too deep.
    pub fn set(&mut self, path: &str, value: impl Into<Value>) -> Result<(), EditError> {
        let path = self.parse(path)?;
        let value = value.into();
        check_value(&path, 0, &value, self.limits)?;
        Ok(self.transaction.set(path, value)?)
    }

    /// Appends to the list at a place, or creates a list of one. The new length.
    ///
    /// # Errors
    ///
    /// As [`Edit::set`].
    pub fn push(&mut self, path: &str, value: impl Into<Value>) -> Result<u64, EditError> {
        let path = self.parse(path)?;
        let value = value.into();
        check_value(&path, 1, &value, self.limits)?;
        Ok(self.transaction.push(path, value)?)
    }

    /// Removes the value at a place. True where something was there.
    ///
    /// # Errors
    ///
    /// As [`Edit::set`].
    pub fn remove(&mut self, path: &str) -> Result<bool, EditError> {
        let path = self.parse(path)?;
        Ok(self.transaction.remove(path)?)
    }

    fn parse(&self, text: &str) -> Result<Path, EditError> {
        let path = Path::parse_bounded(text, self.limits)?;
        if path.is_private() {
            return Err(EditError::Private(path));
        }
        Ok(path)
    }
}

/// Judges a value that comes from the operator: its depth, and that no key in it is private to the host.
pub(crate) fn check_value(
    path: &Path,
    below: u64,
    value: &Value,
    limits: &Limits,
) -> Result<(), EditError> {
    if let Some(key) = value.hidden_key(Hidden::Private) {
        debug_assert!(zone::is_private(key));
        let place = path.child(theus_core::path::Segment::Key(key.clone()));
        return Err(EditError::Private(place));
    }
    let depth = path.segments().len() as u64 + below + value.nesting();
    LimitExceeded::check(Limit::ValueDepth, limits.value_depth, depth)?;
    Ok(())
}

impl Shared {
    /// One transaction over the whole context, through the same queue as every run.
    pub(crate) fn edit<R>(
        &self,
        change: impl FnOnce(&mut Edit<'_>) -> Result<R, EditError>,
    ) -> Result<R, EditError> {
        let started = Instant::now();
        let deadline = crate::run::deadline(started, self.limits.timeout);
        let lock = self
            .locks
            .admit(LockSet::whole(), deadline)
            .map_err(|_| EditError::TimedOut)?;
        let base = self.head.load();
        let read_version = base.version;
        let mut edit = Edit::new(Transaction::begin(Snapshot::clone(&base)), &self.limits);
        let result = change(&mut edit)?;
        let transaction = edit.into_transaction();
        if let Some(schema) = &self.schema {
            schema.check_transaction(&transaction)?;
        }
        let version = self.head.commit(
            |head| transaction.commit(head).map_err(EditError::from),
            |version| self.subscribers.publish(version, &transaction.signals()),
        )?;
        drop(lock);
        self.records.add(Record {
            read_version: Some(read_version),
            version: (version != read_version).then_some(version),
            outcome: Outcome::Committed,
            writes: transaction.writes().len(),
            ..Record::of(Actor::Edit, self.mode, started.elapsed())
        });
        Ok(result)
    }
}
