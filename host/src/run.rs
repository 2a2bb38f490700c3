//! One run: what was asked for, and what has come of it so far.

use crate::error::RunError;
use crate::leftovers;
use crate::lock::LockSet;
use crate::observe;
use crate::process::Process;
use crate::receipt::{Outcome, Receipt, Step};
use crate::runtime::{End, Execution};
use crate::side_effects::{FileChange, Outside, Seed};
use crate::store::{CommitId, CountChange, InterlockChange, StoreError};
use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use theus_core::audit::{Findings, Tick};
use theus_core::context_guard::{ContextGuard, Mode, Usage};
use theus_core::limits::{Limit, LimitExceeded, Limits};
use theus_core::path::Path;
use theus_core::schema::Breach;
use theus_core::transaction::{Snapshot, Transaction};
use theus_core::value::Map;
use tracing::span::EnteredSpan;

/// A call of a process: its name, its arguments, and how it is to be made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Call<'a> {
    /// The process's name.
    pub process: Cow<'a, str>,
    /// The arguments by parameter name.
    pub args: Map,
    dry_run: bool,
    outside: Outside,
}

/// The state of one run on its way through the pipeline.
pub(crate) struct Run {
    pub(crate) process: Arc<Process>,
    pub(crate) args: Map,
    pub(crate) deadline: Instant,
    pub(crate) receipt: Receipt,
    pub(crate) read_version: Option<u64>,
    pub(crate) made_version: Option<u64>,
    pub(crate) writes: usize,
    /// What it does to the directory that it writes into; shown only if that is done, or would be.
    pub(crate) files: Vec<FileChange>,
    /// Files and bytes that it staged there.
    pub(crate) staged: (u64, u64),
    /// The number of its record, where that was given when the commit was ordered.
    pub(crate) seq: Option<u64>,
    /// The id of its commit, where that decides on files as well.
    pub(crate) commit_id: Option<CommitId>,
    /// What it locked: all that it may have read.
    pub(crate) locks: Option<Arc<LockSet>>,
    /// Where it did read, where that is kept.
    pub(crate) touched: Vec<Path>,
    /// The audit counters that it moved, where they are kept.
    pub(crate) counts: Vec<CountChange>,
    /// What it did to the interlock.
    pub(crate) interlock: Option<InterlockChange>,
    /// What the call brings of what is outside the context.
    brought: Outside,
    /// What the input rules found on the version that they were judged on before the lock.
    pub(crate) found: Option<(Arc<Snapshot>, Findings)>,
    usage: Usage,
    spent: Spent,
    started: Instant,
    last_moment: Instant,
    step: Option<Step>,
}

/// What a run has used of the limits that neither its transaction nor its receipt counts.
#[derive(Default)]
struct Spent {
    argument_bytes: u64,
    result_bytes: u64,
    result_decoded_bytes: u64,
    table_elements: u64,
    log_lines: u64,
    log_bytes: u64,
}

/// The moment at which a call that starts now is ended.
pub(crate) fn deadline(started: Instant, timeout: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    started
        .checked_add(timeout)
        .unwrap_or_else(|| started + FAR)
}

impl<'a> Call<'a> {
    /// Creates a call.
    #[must_use]
    pub fn new(process: impl Into<Cow<'a, str>>, args: Map) -> Self {
        Self {
            process: process.into(),
            args,
            dry_run: false,
            outside: Outside::default(),
        }
    }

    /// Makes it a dry run: every step but the commit, and nothing is counted, recorded, sent or published.
    #[must_use]
    pub fn dry_run(mut self) -> Self {
        self.dry_run = true;
        self
    }

    /// Brings the time of the run, instead of what the clock says: to make a run again, or to test.
    ///
    /// The process must have been granted the `clock`; otherwise the call is refused.
    #[must_use]
    pub fn at(mut self, time: SystemTime) -> Self {
        self.outside.time = Some(time);
        self
    }

    /// Brings the seed of the run's randomness: to make a run again, or to test.
    ///
    /// The process must have been granted `random`; otherwise the call is refused.
    #[must_use]
    pub fn seeded(mut self, seed: Seed) -> Self {
        self.outside.seed = Some(seed);
        self
    }

    /// Whether the call is a dry run.
    #[must_use]
    pub fn is_dry_run(&self) -> bool {
        self.dry_run
    }
}

impl Run {
    pub(crate) fn new(
        process: Arc<Process>,
        call: Call<'_>,
        mode: Mode,
        started: Instant,
        timeout: Duration,
    ) -> Self {
        let mut receipt = Receipt::refused(Some(process.name.clone()));
        receipt.mode = mode;
        receipt.dry_run = call.dry_run;
        Self {
            args: call.args,
            process,
            deadline: deadline(started, timeout),
            receipt,
            read_version: None,
            made_version: None,
            writes: 0,
            files: Vec::new(),
            staged: (0, 0),
            seq: None,
            commit_id: None,
            locks: None,
            touched: Vec::new(),
            counts: Vec::new(),
            interlock: None,
            brought: call.outside,
            found: None,
            usage: Usage::default(),
            spent: Spent::default(),
            started,
            last_moment: started,
            step: None,
        }
    }

    /// The process's name.
    pub(crate) fn name(&self) -> &str {
        &self.process.contract.name
    }

    /// Time from the begin of the call to the end of its last step.
    pub(crate) fn elapsed(&self) -> Duration {
        self.last_moment - self.started
    }

    /// When the last step ended: a moment ago, and nobody had to ask the clock.
    pub(crate) fn last_moment(&self) -> Instant {
        self.last_moment
    }

    /// Whether the run goes through everything but the commit.
    pub(crate) fn is_dry_run(&self) -> bool {
        self.receipt.dry_run
    }

    /// Notes that the transaction is in the context.
    pub(crate) fn committed(&mut self, version: u64, seq: Option<u64>, transaction: &Transaction) {
        self.seq = seq;
        self.receipt.outcome = Outcome::Committed;
        self.writes = transaction.writes().len();
        self.made_version = (!transaction.is_empty()).then_some(version);
    }

    /// Looks outside the context, where the process may: the clock is read once, and the seed is drawn.
    pub(crate) fn look_outside(&mut self) -> Result<(), RunError> {
        let reach = self.process.reach.as_deref();
        if let Some(side_effect) = self.brought.beyond(reach) {
            return Err(RunError::NotGranted {
                process: self.name().to_owned(),
                side_effect,
            });
        }
        if let Some(reach) = reach {
            let found = Outside::look(reach, &self.brought)
                .map_err(|error| self.host_failed(&format!("no randomness: {error}")))?;
            self.receipt.outside = Some(Box::new(found));
        }
        Ok(())
    }

    /// Puts what it did to files into the receipt.
    pub(crate) fn show_files(&mut self) {
        if let Some(outside) = &mut self.receipt.outside {
            outside.files = std::mem::take(&mut self.files);
        }
    }

    /// How a gate's counters count this run: in a dry run, not at all.
    pub(crate) fn tick(&self, tick: Tick) -> Tick {
        if self.is_dry_run() {
            Tick::Preview
        } else {
            tick
        }
    }

    /// Notes that a step begins; its span lasts as long as what is returned.
    pub(crate) fn begin(&mut self, step: Step) -> EnteredSpan {
        self.step = Some(step);
        observe::span(step).entered()
    }

    /// Notes that the step that began last is over. Work for one step at two moments adds up.
    pub(crate) fn done(&mut self) {
        if let Some(step) = self.step.take() {
            let now = Instant::now();
            self.receipt.stats.steps.add(step, now - self.last_moment);
            self.last_moment = now;
        }
    }

    /// Takes over what a guest's call left, and says how it ended.
    pub(crate) fn ended(
        &mut self,
        mut execution: Execution,
    ) -> Result<(Vec<u8>, Box<ContextGuard>), RunError> {
        let stats = &mut self.receipt.stats;
        stats.fuel = execution.fuel;
        stats.host_calls = execution.host_calls;
        stats.memory_bytes = execution.memory_peak;
        self.spent.table_elements = execution.table_elements;
        if let End::Returned(result) = &execution.end {
            self.spent.result_bytes = result.len() as u64;
        }
        if execution.log.dropped() == 0 {
            self.spent.log_lines = execution.log.lines().len() as u64;
            self.spent.log_bytes = execution.log.bytes();
        } else {
            let dropped = execution.log.dropped();
            self.receipt.warnings.push(format!(
                "the log was cut: {dropped} lines were over its limit"
            ));
        }
        self.receipt.log = execution.log.into_lines();
        if let Some(guard) = &mut execution.guard {
            self.usage = *guard.usage();
            self.touched = guard.take_touched();
            self.note_violations(guard);
        }
        let process = self.name().to_owned();
        let guard = match execution.guard {
            Some(guard) if !matches!(execution.end, End::Returned(_)) => {
                let work = guard.work();
                leftovers::let_go(guard, work);
                None
            }
            guard => guard,
        };
        match (execution.end, guard) {
            (End::Returned(result), Some(guard)) => Ok((result, guard)),
            (End::Returned(_), None) => {
                Err(self.host_failed("the guest returned without its transaction"))
            }
            (End::Failed { code, message }, _) => Err(self.failed(code, message)),
            (End::Refused(refusal), _) => Err(RunError::Refused { process, refusal }),
            (End::Limit(exceeded), _) => Err(RunError::Limit { process, exceeded }),
            (
                End::Aborted {
                    message,
                    file,
                    line,
                    column,
                    function,
                },
                _,
            ) => Err(RunError::Panicked {
                process,
                message,
                file,
                line,
                column,
                function,
            }),
            (
                End::Trapped {
                    reason,
                    function,
                    place,
                },
                _,
            ) => Err(RunError::Trapped {
                process,
                reason,
                function,
                place,
            }),
            (End::Host(error), _) => Err(self.host_failed(&format!("{error:#}"))),
        }
    }

    /// Notes the size of the arguments as the guest is given them.
    pub(crate) fn note_arguments(&mut self, args: &[u8]) {
        self.spent.argument_bytes = args.len() as u64;
    }

    /// Notes what the result takes once decoded.
    pub(crate) fn note_result(&mut self, decoded_bytes: u64) {
        self.spent.result_decoded_bytes = decoded_bytes;
    }

    /// What long work of the host's own asks now and then: whether the run's time is up.
    pub(crate) fn interrupt(
        &self,
        limits: &Limits,
    ) -> impl Fn() -> Result<(), LimitExceeded> + Send + Sync + use<> {
        let (deadline, exceeded) = (self.deadline, late(limits));
        move || {
            if Instant::now() < deadline {
                return Ok(());
            }
            Err(exceeded.clone())
        }
    }

    /// Warns of every limit of which a run used 80% or more; the one that ended it needs no warning.
    pub(crate) fn warn_of_limits(&mut self, limits: &Limits, ended_by: Option<Limit>) {
        let stats = &self.receipt.stats;
        let (usage, spent) = (&self.usage, &self.spent);
        // What is looked at when a guest is registered, and the stack, have no measure here.
        for (limit, used, allowed) in [
            (Limit::Fuel, stats.fuel, limits.fuel),
            (Limit::HostCalls, stats.host_calls, limits.host_calls),
            (Limit::MemoryBytes, stats.memory_bytes, limits.memory_bytes),
            (
                Limit::TableElements,
                spent.table_elements,
                limits.table_elements,
            ),
            (Limit::PathBytes, usage.path_bytes, limits.path_bytes),
            (
                Limit::PathSegments,
                usage.path_segments,
                limits.path_segments,
            ),
            (Limit::ValueBytes, usage.value_bytes, limits.value_bytes),
            (
                Limit::HeavyValueBytes,
                usage.heavy_value_bytes,
                limits.heavy_value_bytes,
            ),
            (
                Limit::DecodedBytes,
                usage.decoded_bytes,
                Limits::decoded_bytes(limits.value_bytes),
            ),
            (
                Limit::HeavyDecodedBytes,
                usage.heavy_decoded_bytes,
                Limits::decoded_bytes(limits.heavy_value_bytes),
            ),
            (Limit::ValueDepth, usage.value_depth, limits.value_depth),
            (
                Limit::ArgumentBytes,
                spent.argument_bytes,
                limits.argument_bytes,
            ),
            (Limit::ResultBytes, spent.result_bytes, limits.result_bytes),
            (
                Limit::ResultDecodedBytes,
                spent.result_decoded_bytes,
                Limits::decoded_bytes(limits.result_bytes),
            ),
            (Limit::Reads, usage.reads, limits.reads),
            (Limit::ReadBytes, usage.read_bytes, limits.read_bytes),
            (Limit::Writes, usage.writes, limits.writes),
            (Limit::WriteBytes, usage.write_bytes, limits.write_bytes),
            (
                Limit::OutboxMessages,
                usage.outbox_messages,
                limits.outbox_messages,
            ),
            (Limit::OutboxBytes, usage.outbox_bytes, limits.outbox_bytes),
            (Limit::TopicBytes, usage.topic_bytes, Limits::TOPIC_BYTES),
            (Limit::LogLines, spent.log_lines, limits.log_lines),
            (Limit::LogBytes, spent.log_bytes, limits.log_bytes),
            (Limit::StagedFiles, self.staged.0, limits.staged_files),
            (Limit::StagedBytes, self.staged.1, limits.staged_bytes),
            (Limit::Time, millis(self.elapsed()), millis(limits.timeout)),
        ] {
            if used >= allowed - allowed / 5 && used > 0 && Some(limit) != ended_by {
                self.receipt.warnings.push(format!(
                    "{} of {allowed} {} used: {used} ({})",
                    limit.name(),
                    limit.unit(),
                    limit.remedy()
                ));
            }
        }
    }

    pub(crate) fn limit(&self, exceeded: LimitExceeded) -> RunError {
        RunError::Limit {
            process: self.name().to_owned(),
            exceeded,
        }
    }

    pub(crate) fn time_exceeded(&self, limits: &Limits) -> RunError {
        self.limit(late(limits))
    }

    pub(crate) fn schema_broken(&self, breach: Box<Breach>) -> RunError {
        RunError::Schema {
            process: self.name().to_owned(),
            breach,
        }
    }

    pub(crate) fn store_failed(&self, error: StoreError) -> RunError {
        RunError::Store {
            process: self.name().to_owned(),
            problem: Box::new(error),
        }
    }

    /// Whether the run ended because nothing more is kept.
    pub(crate) fn store_has_failed(&self) -> bool {
        matches!(&self.receipt.error, Some(RunError::Store { problem, .. }) if problem.is_final())
    }

    pub(crate) fn host_failed(&self, message: &str) -> RunError {
        RunError::Host {
            process: self.name().to_owned(),
            message: message.to_owned(),
        }
    }

    fn failed(&self, code: String, message: String) -> RunError {
        /// The SDKs' code for a value that does not fit the guest's own type.
        const DECODE: &str = "Decode";
        let process = self.name().to_owned();
        let contract = &self.process.contract;
        if contract.errors.contains(&code) {
            RunError::Failure {
                process,
                code,
                message,
            }
        } else if code == DECODE {
            RunError::Decode { process, message }
        } else {
            RunError::UndeclaredError {
                process,
                code: theus_core::path::cut(&code),
                message,
                declared: contract.errors.clone(),
            }
        }
    }

    fn note_violations(&mut self, guard: &ContextGuard) {
        for violation in guard.violations() {
            self.receipt
                .warnings
                .push(format!("permissive: {violation}: {}", violation.remedy()));
            self.receipt.violations.push(violation.clone());
        }
    }
}

/// That the time is up.
fn late(limits: &Limits) -> LimitExceeded {
    LimitExceeded {
        limit: Limit::Time,
        allowed: millis(limits.timeout),
        asked: None,
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
