//! What a running engine tells the outside: `tracing` spans named after the seven steps, and `metrics`.
//!
//! | metric | kind | labels | unit |
//! | --- | --- | --- | --- |
//! | `theus_runs_total` | counter | `process`, `outcome` | runs |
//! | `theus_verdicts_total` | counter | `process`, `action` | verdicts of violated rules |
//! | `theus_violations_total` | counter | `process` | contract violations that permissive mode let pass |
//! | `theus_fuel_total` | counter | `process` | fuel units |
//! | `theus_lock_wait_seconds` | histogram | `process` | seconds |
//! | `theus_call_seconds` | histogram | `process` | seconds |
//!
//! The handles are made when a process is registered: install a recorder before that. Without one they are empty, and a
//! call pays a comparison for each.

use crate::receipt::{Outcome, Receipt, Step};
use metrics::{Counter, Histogram, counter, histogram};
use std::time::Duration;
use theus_core::audit::Action;
use tracing::Span;

/// The metrics of one process.
pub(crate) struct Metrics {
    committed: Counter,
    rolled_back: Counter,
    refused: Counter,
    verdicts: [(Action, Counter); 6],
    violations: Counter,
    fuel: Counter,
    lock_wait: Histogram,
    call: Histogram,
}

impl Metrics {
    pub(crate) fn of(process: &str) -> Self {
        let runs = |outcome: &'static str| counter!("theus_runs_total", "process" => process.to_owned(), "outcome" => outcome);
        let verdicts = |action: Action| {
            let handle = counter!(
                "theus_verdicts_total",
                "process" => process.to_owned(),
                "action" => action.name()
            );
            (action, handle)
        };
        Self {
            committed: runs("committed"),
            rolled_back: runs("rolled-back"),
            refused: runs("refused"),
            verdicts: [
                Action::Pass,
                Action::Record,
                Action::Warn,
                Action::Block,
                Action::Abort,
                Action::Interlock,
            ]
            .map(verdicts),
            violations: counter!("theus_violations_total", "process" => process.to_owned()),
            fuel: counter!("theus_fuel_total", "process" => process.to_owned()),
            lock_wait: histogram!("theus_lock_wait_seconds", "process" => process.to_owned()),
            call: histogram!("theus_call_seconds", "process" => process.to_owned()),
        }
    }

    /// Counts one run that has ended. A dry run counts as what its receipt says.
    pub(crate) fn count(&self, receipt: &Receipt, duration: Duration) {
        let runs = match receipt.outcome {
            Outcome::Committed => &self.committed,
            Outcome::RolledBack => &self.rolled_back,
            Outcome::Refused => &self.refused,
        };
        runs.increment(1);
        for verdict in &receipt.audit {
            if let Some((_, counter)) = self.verdicts.iter().find(|it| it.0 == verdict.action) {
                counter.increment(1);
            }
        }
        if !receipt.violations.is_empty() {
            self.violations.increment(receipt.violations.len() as u64);
        }
        self.fuel.increment(receipt.stats.fuel);
        if let Some(wait) = receipt.stats.steps.time(Step::Lock) {
            self.lock_wait.record(wait.as_secs_f64());
        }
        self.call.record(duration.as_secs_f64());
    }
}

/// The span of one step; nothing while nobody listens.
pub(crate) fn span(step: Step) -> Span {
    match step {
        Step::InputGate => tracing::debug_span!("input-gate"),
        Step::Lock => tracing::debug_span!("lock"),
        Step::Transaction => tracing::debug_span!("transaction"),
        Step::Guard => tracing::debug_span!("guard"),
        Step::Execution => tracing::debug_span!("execution"),
        Step::OutputGate => tracing::debug_span!("output-gate"),
        Step::Commit => tracing::debug_span!("commit"),
    }
}
