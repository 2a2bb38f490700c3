//! Records: what happened and why, one per run, refusals included.

use crate::engine::Shared;
use crate::error::RunError;
use crate::receipt::{Outcome, Receipt};
use crate::run::{Call, Run};
use crate::side_effects::Outside;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};
use theus_core::arguments;
use theus_core::audit::Verdict;
use theus_core::context_guard::Mode;
use theus_core::value::Map;

/// What the engine keeps of one run or edit.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Record {
    /// The record's number, from 1, without gaps.
    pub seq: u64,
    /// When the run ended.
    pub time: SystemTime,
    /// Who changed the context, or tried to.
    pub actor: Actor,
    /// The arguments; secret ones are masked. None of a call whose arguments did not fit: they could not be masked.
    pub args: Map,
    /// The version that the run read, where it came that far.
    pub read_version: Option<u64>,
    /// The version that it made, where it committed a change.
    pub version: Option<u64>,
    /// How it ended.
    pub outcome: Outcome,
    /// The code of its error, where it failed.
    pub error: Option<String>,
    /// What the gates' rules found.
    pub audit: Vec<Verdict>,
    /// The number of writes that it committed.
    pub writes: usize,
    /// Strict, or permissive: then contract violations may have been let pass.
    pub mode: Mode,
    /// Fuel that the guest and the host's work for it used.
    pub fuel: u64,
    /// Time from the call to its end.
    pub duration: Duration,
    /// What the run was given from outside the context.
    pub outside: Option<Box<Outside>>,
}

impl Record {
    /// A record of something that was refused before it read anything; the ring numbers it.
    pub(crate) fn of(actor: Actor, mode: Mode, duration: Duration) -> Self {
        Self {
            seq: 0,
            time: SystemTime::now(),
            actor,
            args: Map::new(),
            read_version: None,
            version: None,
            outcome: Outcome::Refused,
            error: None,
            audit: Vec::new(),
            writes: 0,
            mode,
            fuel: 0,
            duration,
            outside: None,
        }
    }
}

/// Who changed the context, or tried to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Actor {
    /// A process of a guest.
    Process {
        /// The process's name, as it was asked for.
        name: Arc<str>,
        /// The digest of its component; none where no such process is registered.
        digest: Option<Arc<str>>,
    },
    /// The operator, through [`Engine::edit`](crate::Engine::edit).
    Edit,
    /// The operator, through [`Engine::reset_interlock`](crate::Engine::reset_interlock).
    InterlockReset,
    /// The host, when it opened a state in which signals had values: they are events, and end with the engine.
    SignalsReset,
}

/// The last records, in memory.
pub(crate) struct RecordRing {
    last_seq: AtomicU64,
    records: Mutex<VecDeque<Record>>,
}

const KEPT: usize = 1_000;

impl RecordRing {
    pub(crate) fn new() -> Self {
        Self {
            last_seq: AtomicU64::new(0),
            records: Mutex::new(VecDeque::with_capacity(KEPT + 1)),
        }
    }

    /// The next number, for a record that is still to come: a commit's is taken in the order of commits.
    pub(crate) fn number(&self) -> u64 {
        self.last_seq.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Keeps a record in its place: under the number that it was given, or else the next one.
    pub(crate) fn add(&self, mut record: Record, seq: Option<u64>) {
        record.seq = seq.unwrap_or_else(|| self.number());
        let mut records = self.records();
        // Nearly always the end: only runs that end at the same moment come out of order.
        let behind = records.iter().rev().take_while(|it| it.seq > record.seq);
        let at = records.len() - behind.count();
        records.insert(at, record);
        let oldest = if records.len() > KEPT {
            records.pop_front()
        } else {
            None
        };
        drop(records);
        // What it held is freed while nobody waits for it.
        drop(oldest);
    }

    pub(crate) fn all(&self) -> Vec<Record> {
        self.records().iter().cloned().collect()
    }

    fn records(&self) -> MutexGuard<'_, VecDeque<Record>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// The receipt and the record of a call that names no process.
    pub(crate) fn no_such_process(&self, call: &Call<'_>, started: Instant) -> Receipt {
        let mut known: Vec<String> = self.processes.load().keys().cloned().collect();
        known.sort();
        let error = RunError::NoSuchProcess {
            process: theus_core::path::cut(&call.process),
            known,
        };
        let actor = Actor::Process {
            name: theus_core::path::cut(&call.process).into(),
            digest: None,
        };
        let mut receipt = Receipt {
            version: self.lasting_context().version,
            error: Some(error),
            mode: self.mode,
            dry_run: call.is_dry_run(),
            ..Receipt::refused(Some((*call.process).into()))
        };
        if !call.is_dry_run() {
            let record = Record {
                error: receipt.error.as_ref().map(RunError::code),
                ..Record::of(actor, self.mode, started.elapsed())
            };
            let seq = self.await_stranger(&record, &mut receipt);
            self.records.add(record, seq);
        }
        receipt
    }

    /// Leaves one record per run, refusals included; a dry run leaves none.
    pub(crate) fn record(&self, run: &Run) {
        if !run.is_dry_run() {
            self.records.add(self.record_of(run), run.seq);
        }
    }

    pub(crate) fn record_of(&self, run: &Run) -> Record {
        let receipt = &run.receipt;
        Record {
            seq: 0,
            time: SystemTime::now(),
            actor: Actor::Process {
                name: run.process.name.clone(),
                digest: Some(run.process.digest.clone()),
            },
            args: arguments::masked(&run.process.contract, run.args.clone()),
            read_version: run.read_version,
            version: run.made_version,
            outcome: receipt.outcome,
            error: receipt.error.as_ref().map(RunError::code),
            audit: receipt.audit.clone(),
            writes: run.writes,
            mode: receipt.mode,
            fuel: receipt.stats.fuel,
            duration: run.elapsed(),
            outside: receipt.outside.clone(),
        }
    }
}
