//! Edits: the one way besides a process's commit in which the context changes.

use crate::engine::Shared;
use crate::error::EditError;
use crate::lock::LockSet;
use crate::receipt::Outcome;
use crate::record::{Actor, Record};
use crate::store::{CommitId, Entry};
use std::time::{Duration, Instant};
use theus_core::changes::Change;
use theus_core::limits::{Limit, LimitExceeded, Limits};
use theus_core::path::Path;
use theus_core::transaction::{Snapshot, Transaction};
use theus_core::tree::Tree;
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

    /// The context as this edit would leave it.
    #[must_use]
    pub fn context(&self) -> &Tree {
        self.transaction.view()
    }

    /// What this edit changes so far, net: one entry per place, in order of the first write.
    #[must_use]
    pub fn changes(&self) -> Vec<Change> {
        self.transaction.changes()
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
    /// One transaction over the whole context, through the same queue as every run. It leaves a record, whatever its end.
    pub(crate) fn edit<R>(
        &self,
        change: impl FnOnce(&mut Edit<'_>) -> Result<R, EditError>,
    ) -> Result<R, EditError> {
        if let Some(committer) = &self.committer {
            committer.sound()?;
        }
        let started = Instant::now();
        let mut record = Record::of(Actor::Edit, self.mode, Duration::ZERO);
        let mut seq = None;
        let edited = self.edited(change, started, &mut record, &mut seq);
        record.duration = started.elapsed();
        let kept = match (&self.committer, seq) {
            (None, _) => Ok(seq),
            (Some(committer), Some(seq)) => committer.wait(seq).map(|_| Some(seq)),
            (Some(_), None) => {
                record.error = edited.as_ref().err().map(|error| {
                    let code = error.code().map(|code| code.to_string());
                    code.unwrap_or_else(|| "abandoned".into())
                });
                self.keep(Entry::new(CommitId::UNNAMED, record.clone()))
            }
        };
        let kept = kept.map_err(EditError::from);
        self.records
            .add(record, kept.clone().ok().flatten().or(seq));
        kept.and(edited)
    }

    fn edited<R>(
        &self,
        change: impl FnOnce(&mut Edit<'_>) -> Result<R, EditError>,
        started: Instant,
        record: &mut Record,
        seq: &mut Option<u64>,
    ) -> Result<R, EditError> {
        let deadline = crate::run::deadline(started, self.limits.timeout);
        let lock = self
            .locks
            .admit(LockSet::whole(), deadline)
            .map_err(|_| EditError::TimedOut)?;
        let base = self.head.load();
        record.read_version = Some(base.version);
        let mut edit = Edit::new(Transaction::begin(Snapshot::clone(&base)), &self.limits);
        let result = change(&mut edit)?;
        let transaction = edit.into_transaction();
        if let Some(schema) = &self.schema {
            schema.check_transaction(&transaction)?;
        }
        let entry = self.entry_of_edit(record, &transaction, started)?;
        let version = self.head.commit(
            |head| transaction.commit(head).map_err(EditError::from),
            |next| *seq = Some(self.ordered(entry, next, &transaction.signals())),
        )?;
        drop(lock);
        record.version = (version != base.version).then_some(version);
        record.outcome = Outcome::Committed;
        record.writes = transaction.writes().len();
        Ok(result)
    }

    fn entry_of_edit(
        &self,
        record: &Record,
        transaction: &Transaction,
        started: Instant,
    ) -> Result<Option<Entry>, EditError> {
        let Some(committer) = self.committer.as_ref().filter(|_| !transaction.is_empty()) else {
            return Ok(None);
        };
        let mut entry = Entry::new(CommitId::UNNAMED, record.clone());
        entry.record.outcome = Outcome::Committed;
        entry.record.duration = started.elapsed();
        entry.record.writes = transaction.writes().len();
        entry.reads = LockSet::whole().paths();
        entry.writes = transaction.writes().to_vec();
        committer.store().limits().check(&entry)?;
        entry.keep_heavy(|bytes| committer.store().keep_blob(bytes))?;
        Ok(Some(entry))
    }
}
