//! Receipts: what one run did, or why it did nothing. Serialised, a receipt is the object that `-o json` prints.

use crate::error::{RegisterError, RunError};
use crate::side_effects::Outside;
use crate::store::Position;
use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};
use std::sync::Arc;
use std::time::Duration;
use theus_core::audit::{Gate, Judgement, Verdict};
use theus_core::changes::Changes;
use theus_core::code::ErrorKind;
use theus_core::context_guard::Mode;
use theus_core::guard::Violation;
use theus_core::guest_log::LogLine;
use theus_core::transaction::{OutboxMessage, Signal};
use theus_core::value::Value;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Everything that it wrote is in the context.
    Committed,
    /// The guest was entered, and nothing of what it wrote remains.
    RolledBack,
    /// The guest was not entered.
    Refused,
}

/// What one run did, or why it did nothing.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Receipt {
    /// How it ended.
    pub outcome: Outcome,
    /// The process; none where the run ended before one was chosen.
    pub process: Option<Arc<str>>,
    /// What the process returned; none where it did not return, nil where it returned nil.
    pub result: Option<Value>,
    /// The version of the context after the run.
    pub version: u64,
    /// What changed, net. Empty unless committed, except in a dry run.
    pub changes: Changes,
    /// Signals set, in order. Empty unless committed, except in a dry run.
    pub signals: Vec<Signal>,
    /// Messages sent, in order. Empty unless committed, except in a dry run.
    pub outbox: Vec<OutboxMessage>,
    /// What the gates' rules found; a rule that passed leaves no entry.
    pub audit: Vec<Verdict>,
    /// Why the run did not commit.
    #[serde(serialize_with = "error_report")]
    pub error: Option<RunError>,
    /// What the run cost.
    pub stats: Stats,
    /// What an operator should know: limits nearly reached, a cut log, contract violations let pass.
    pub warnings: Vec<String>,
    /// Strict or permissive.
    pub mode: Mode,
    /// What an acknowledged commit survives.
    pub durability: Durability,
    /// The end of the journal when the receipt was made: with [`Durability::Durable`], the run's own record or one behind
    /// it. Whoever keeps its hash can tell later that nothing up to there was rewritten. None where there is no store.
    pub journal: Option<Position>,
    /// Whether this was a dry run: everything but the commit.
    pub dry_run: bool,
    /// What the guest wrote to its log.
    pub log: Vec<LogLine>,
    /// The contract violations that permissive mode let pass.
    #[serde(serialize_with = "violations")]
    pub violations: Vec<Violation>,
    /// What the run was given from outside the context, and what it did there; none where its contract asks for nothing there.
    pub outside: Option<Box<Outside>>,
}

/// What an acknowledged commit survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Durability {
    /// Nothing: the context lives as long as the engine.
    Memory,
    /// The end of the engine, kill -9 among them, and power loss: it is acknowledged once it is on the disk.
    Durable,
    /// What reaches the disk a moment after the acknowledgement: the last commits before a crash may be gone, whole.
    Buffered,
}

/// What a run cost.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Stats {
    /// Fuel that the guest and the host's work for it used.
    pub fuel: u64,
    /// Calls from the guest into the host.
    pub host_calls: u64,
    /// The most linear memory that the guest held, in bytes.
    pub memory_bytes: u64,
    /// The steps that the run went through, in order.
    pub steps: Steps,
    /// The gates that judged the run, in order, and how many rules they had for it.
    pub gates: Gates,
}

/// What the gates had to judge; a gate without rules, or one that the run did not come to, has no entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gates([Option<GateCount>; 2]);

/// How many rules a gate judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct GateCount {
    /// The gate.
    pub gate: Gate,
    /// The rules that were judged: all of the gate's, unless one of level S acted before the last.
    pub judged: usize,
    /// Those of them that were violated, whatever followed from it.
    pub violated: usize,
}

/// The time that each step of a run took; a step that it did not come to has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Steps([Option<Duration>; Step::ALL.len()]);

/// The time that one step took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepTime {
    /// The step.
    pub name: Step,
    /// How long it took.
    pub time: Duration,
}

/// The seven steps of the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Rules on the arguments and the last committed version.
    InputGate,
    /// Waiting for the keys of the grant.
    Lock,
    /// Opening the transaction.
    Transaction,
    /// Building the guard from the grant.
    Guard,
    /// Making the sandbox and running the guest in it.
    Execution,
    /// Rules on what the transaction would leave.
    OutputGate,
    /// Applying the writes, or dropping them.
    Commit,
}

/// An error as `-o json` prints it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ErrorReport {
    /// A stable code, or the contract's own name for a declared failure.
    pub code: String,
    /// The kind of ending.
    pub kind: ErrorKind,
    /// What went wrong.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
    /// The place in the context.
    pub path: Option<String>,
    /// The process.
    pub process: Option<String>,
}

impl Step {
    /// The steps in order.
    pub const ALL: [Self; 7] = [
        Self::InputGate,
        Self::Lock,
        Self::Transaction,
        Self::Guard,
        Self::Execution,
        Self::OutputGate,
        Self::Commit,
    ];

    /// The step's name, as it is printed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::InputGate => "input-gate",
            Self::Lock => "lock",
            Self::Transaction => "transaction",
            Self::Guard => "guard",
            Self::Execution => "execution",
            Self::OutputGate => "output-gate",
            Self::Commit => "commit",
        }
    }
}

impl Steps {
    /// The steps that the run came to, in order.
    pub fn iter(&self) -> impl Iterator<Item = StepTime> {
        let time = |(name, time): (Step, Option<Duration>)| Some(StepTime { name, time: time? });
        Step::ALL.into_iter().zip(self.0).filter_map(time)
    }

    /// The time that a step took, where the run came to it.
    #[must_use]
    pub fn time(&self, step: Step) -> Option<Duration> {
        self.0[step as usize]
    }

    /// Adds to the time of a step: work for one step at two moments adds up.
    pub(crate) fn add(&mut self, step: Step, time: Duration) {
        *self.0[step as usize].get_or_insert_default() += time;
    }
}

impl Gates {
    /// The gates that had rules to judge, in order.
    pub fn iter(&self) -> impl Iterator<Item = GateCount> {
        self.0.into_iter().flatten()
    }

    /// Notes what a gate judged; a later judgement of the same gate replaces an earlier one.
    pub(crate) fn note(&mut self, gate: Gate, judgement: &Judgement) {
        self.0[gate as usize] = (judgement.judged > 0).then_some(GateCount {
            gate,
            judged: judgement.judged,
            violated: judgement.verdicts.len(),
        });
    }
}

impl FromIterator<GateCount> for Gates {
    fn from_iter<I: IntoIterator<Item = GateCount>>(counts: I) -> Self {
        let mut gates = Self::default();
        for count in counts {
            gates.0[count.gate as usize] = Some(count);
        }
        gates
    }
}

impl Serialize for Gates {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl FromIterator<(Step, Duration)> for Steps {
    fn from_iter<I: IntoIterator<Item = (Step, Duration)>>(times: I) -> Self {
        let mut steps = Self::default();
        for (step, time) in times {
            steps.add(step, time);
        }
        steps
    }
}

impl Serialize for Steps {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl StepTime {
    /// The time in microseconds.
    #[must_use]
    pub fn micros(&self) -> f64 {
        // Rounded to the nanosecond, which is what was measured: binary fractions would show more.
        (self.time.as_secs_f64() * 1e9).round() / 1e3
    }
}

impl Serialize for StepTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut step = serializer.serialize_struct("StepTime", 2)?;
        step.serialize_field("name", &self.name)?;
        step.serialize_field("micros", &self.micros())?;
        step.end()
    }
}

impl Receipt {
    /// The receipt of a run that ended before it began.
    #[must_use]
    pub fn refused(process: Option<Arc<str>>) -> Self {
        Self {
            outcome: Outcome::Refused,
            process,
            result: None,
            version: 0,
            changes: Changes::default(),
            signals: Vec::new(),
            outbox: Vec::new(),
            audit: Vec::new(),
            error: None,
            stats: Stats::default(),
            warnings: Vec::new(),
            mode: Mode::Strict,
            durability: Durability::Memory,
            journal: None,
            dry_run: false,
            log: Vec::new(),
            violations: Vec::new(),
            outside: None,
        }
    }
}

impl From<&RunError> for ErrorReport {
    fn from(error: &RunError) -> Self {
        Self {
            code: error.code(),
            kind: error.kind(),
            message: error.to_string(),
            help: error.help(),
            path: error.path(),
            process: Some(error.process().to_owned()),
        }
    }
}

impl From<&RegisterError> for ErrorReport {
    fn from(error: &RegisterError) -> Self {
        Self {
            code: error.code().to_string(),
            kind: error.kind(),
            message: error.to_string(),
            help: error.help(),
            path: error.path(),
            process: error.process().map(str::to_owned),
        }
    }
}

fn error_report<S: Serializer>(error: &Option<RunError>, serializer: S) -> Result<S::Ok, S::Error> {
    error.as_ref().map(ErrorReport::from).serialize(serializer)
}

fn violations<S: Serializer>(violations: &[Violation], serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Reported {
        operation: &'static str,
        path: String,
        message: String,
        remedy: String,
    }
    serializer.collect_seq(violations.iter().map(|violation| Reported {
        operation: violation.operation,
        path: violation.path.to_string(),
        message: violation.to_string(),
        remedy: violation.remedy(),
    }))
}
