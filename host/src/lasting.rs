//! What of a run lasts: the entry that the store keeps of it, and the wait until it does.

use crate::committer::{Committer, Made};
use crate::engine::Shared;
use crate::error::RunError;
use crate::receipt::{Outcome, Receipt};
use crate::record::Record;
use crate::run::Run;
use crate::staging::Awaits;
use crate::store::{CommitId, CountChange, Entry, StoreError};
use std::sync::Arc;
use theus_core::audit::{Judgement, Moved};
use theus_core::transaction::{Signal, Snapshot, Transaction};

impl Shared {
    /// Refuses a run whose commit could not last: an earlier error left open what is on the disk, or what its record would
    /// refer to cannot be kept.
    pub(crate) fn store_sound(&self, run: &Run) -> Result<(), RunError> {
        match &self.committer {
            None => Ok(()),
            Some(committer) => {
                let sound = committer.sound();
                let kept = sound.and_then(|()| match run.is_dry_run() {
                    true => Ok(()),
                    false => run.process.unkept.keep(&**committer.store()),
                });
                kept.map_err(|error| run.store_failed(error))
            }
        }
    }

    /// The last version that readers outside see: one that lasts, where there is a store.
    pub(crate) fn lasting_context(&self) -> Arc<Snapshot> {
        match &self.committer {
            None => self.head.load(),
            Some(committer) => committer.lasting(),
        }
    }

    /// What files are to wait for that a run writes: its commit, where that lasts; none where nothing does.
    pub(crate) fn awaits(&self, run: &Run) -> Result<Option<Awaits>, RunError> {
        let Some(committer) = &self.committer else {
            return Ok(None);
        };
        let commit = CommitId::random().map_err(|error| run.store_failed(error))?;
        Ok(Some(Awaits {
            state: committer.state_id(),
            commit,
            behind: committer.lasting_position().seq,
        }))
    }

    /// Whether a commit that files await was kept, as far as this engine's state can tell.
    pub(crate) fn fate(&self, awaits: &Awaits) -> Result<bool, &'static str> {
        let committer = self.committer.as_ref();
        let committer = committer.ok_or("this host has not been given")?;
        if committer.state_id() != awaits.state {
            return Err("is not the state of this host");
        }
        let unreadable = |_| "cannot be read";
        let store = committer.store();
        // Not by the index of ids, which no checksum covers: files that were committed would be dropped for a flipped bit.
        let mut after = awaits.behind;
        loop {
            let page = store.entries(after, 256).map_err(unreadable)?;
            if page.iter().any(|it| it.entry.id == awaits.commit) {
                return Ok(true);
            }
            match page.last() {
                Some(last) => after = last.entry.record.seq,
                None => break,
            }
        }
        // Only a record behind that one could be it; if those are gone, nobody knows any more.
        let first = store.entries(0, 1).map_err(unreadable)?;
        let first = first
            .first()
            .map_or(store.head().seq + 1, |it| it.entry.record.seq);
        if first > awaits.behind + 1 {
            return Err("has been compacted since");
        }
        Ok(false)
    }

    /// The entry of a commit, made before the head is held; none where nothing lasts, or nothing was written.
    pub(crate) fn entry_of_commit(
        &self,
        run: &Run,
        transaction: &Transaction,
    ) -> Result<Option<Entry>, RunError> {
        let is_nothing = transaction.is_empty() && run.commit_id.is_none();
        let Some(committer) = self.committer.as_ref().filter(|_| !is_nothing) else {
            return Ok(None);
        };
        let mut entry = self.entry(run);
        entry.record.outcome = Outcome::Committed;
        entry.record.writes = transaction.writes().len();
        entry.writes = transaction.writes().to_vec();
        entry.outbox = transaction.outbox().to_vec();
        if let (Some(id), Some(outside)) = (run.commit_id, &mut entry.record.outside) {
            entry.id = id;
            outside.files.clone_from(&run.files);
        }
        let limits = committer.store().limits();
        limits
            .check(&entry)
            .and_then(|()| entry.keep_heavy(|bytes| committer.store().keep_blob(bytes)))
            .map_err(|error| run.store_failed(error))?;
        Ok(Some(entry))
    }

    /// Orders a commit behind all that the head has had before it; without a store, its signals go out at once.
    ///
    /// Called under the head's order. The number that the commit's record has.
    pub(crate) fn ordered(
        &self,
        entry: Option<Entry>,
        context: &Arc<Snapshot>,
        signals: &[Signal],
    ) -> u64 {
        match (&self.committer, entry) {
            (Some(committer), Some(entry)) => {
                let made = Made {
                    context: context.clone(),
                    signals: signals.to_vec(),
                };
                committer.order(entry, Some(made))
            }
            _ => {
                self.subscribers.publish(context.version, signals);
                self.records.number()
            }
        }
    }

    /// Orders a commit that makes no version: one of files alone. Called under the head's order. Its number.
    pub(crate) fn ordered_without_version(&self, entry: Option<Entry>) -> Option<u64> {
        let committer = self.committer.as_ref()?;
        Some(committer.order(entry?, None))
    }

    /// Waits until a run's commit lasts.
    pub(crate) fn await_commit(&self, run: &mut Run) -> Result<(), RunError> {
        let (Some(committer), Some(seq)) = (&self.committer, run.seq) else {
            return Ok(());
        };
        let waited = match run.commit_id {
            // Files are put in place behind it, and nothing undoes that.
            Some(_) => committer.wait_until_kept(seq),
            None => committer.wait(seq),
        };
        match waited {
            Ok(position) => {
                run.receipt.journal = Some(position);
                Ok(())
            }
            Err(error) => {
                // Whether it is on the disk is open; that nobody was told so is certain.
                run.receipt.outcome = Outcome::RolledBack;
                Err(run.store_failed(error))
            }
        }
    }

    /// Keeps what was no commit, and waits until it, and with it all that the run read, lasts.
    pub(crate) fn await_rest(&self, run: &mut Run) {
        let Some(committer) = &self.committer else {
            return;
        };
        if run.receipt.journal.is_some() || run.store_has_failed() {
            return;
        }
        let seq = if run.is_dry_run() {
            committer.ordered()
        } else {
            let seq = committer.order(self.entry(run), None);
            run.seq = Some(seq);
            seq
        };
        keep_waiting(committer, seq, &mut run.receipt, |error| RunError::Store {
            process: run.process.contract.name.clone(),
            problem: Box::new(error),
        });
    }

    /// Keeps the record of a call that names no process, and waits until it lasts. Its number.
    pub(crate) fn await_stranger(&self, record: &Record, receipt: &mut Receipt) -> Option<u64> {
        let committer = self.committer.as_ref()?;
        receipt.durability = committer.durability();
        let seq = committer.order(Entry::new(CommitId::UNNAMED, record.clone()), None);
        let process = receipt.process.as_deref().unwrap_or_default().to_owned();
        keep_waiting(committer, seq, receipt, |error| RunError::Store {
            process,
            problem: Box::new(error),
        });
        Some(seq)
    }

    /// The entry of a run that wrote nothing.
    fn entry(&self, run: &Run) -> Entry {
        let mut entry = Entry::new(CommitId::UNNAMED, self.record_of(run));
        entry.terms = run.process.terms;
        entry.touched.clone_from(&run.touched);
        // Nothing remains of a run that failed, its result included.
        if run.receipt.error.is_none() {
            entry.result.clone_from(&run.receipt.result);
        }
        entry.reads = run.locks.as_ref().map(|it| it.paths()).unwrap_or_default();
        entry.counts.clone_from(&run.counts);
        entry.interlock.clone_from(&run.interlock);
        entry
    }

    /// Keeps an entry of something that no run did, and waits for it.
    pub(crate) fn keep(&self, entry: Entry) -> Result<Option<u64>, StoreError> {
        let Some(committer) = &self.committer else {
            return Ok(None);
        };
        let seq = committer.order(entry, None);
        committer.wait(seq).map(|_| Some(seq))
    }

    /// Notes the counters that a judgement moved, under the names that they are kept by.
    pub(crate) fn note_counts(&self, run: &mut Run, judgement: &Judgement) {
        let Some(rules) = run
            .process
            .rules
            .as_ref()
            .filter(|_| self.committer.is_some())
        else {
            return;
        };
        let change = |moved: &Moved| {
            Some(CountChange {
                process: run.process.name.clone(),
                gate: moved.rule.gate,
                rule: rules.lasting_name(moved.rule)?,
                count: moved.count,
                order: moved.order,
            })
        };
        let changes: Vec<_> = judgement.moved.iter().filter_map(change).collect();
        run.counts.extend(changes);
    }
}

fn keep_waiting(
    committer: &Committer,
    seq: u64,
    receipt: &mut Receipt,
    failed: impl FnOnce(StoreError) -> RunError,
) {
    match committer.wait(seq) {
        Ok(position) => receipt.journal = Some(position),
        Err(error) => receipt.error = Some(failed(error)),
    }
}
