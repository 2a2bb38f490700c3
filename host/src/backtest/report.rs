//! What a backtest found.

use serde::Serialize;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::SystemTime;
use theus_core::audit::{Action, Gate, Level, Verdict};

/// What a recipe would have done to a history.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct BacktestReport {
    /// The first record that was looked at; 0 where there is none.
    pub from: u64,
    /// The last one.
    pub to: u64,
    /// Runs of processes among them.
    pub runs: u64,
    /// Those of them that committed.
    pub commits: u64,
    /// Runs that would have been refused.
    pub refused: Judged,
    /// Runs that would have been warned about, and not refused.
    pub warned: Judged,
    /// When the interlock would have been thrown, and what it would have refused.
    pub halts: Vec<Halt>,
    /// Every rule that holds for a process of the history, and what became of it.
    pub rules: Vec<RuleReport>,
    /// Runs that were not judged, or not by all rules, with the reason.
    pub not_judged: Vec<NotJudged>,
    /// What is odd about the recipe, or about what it met.
    pub warnings: Vec<String>,
}

/// Runs with one verdict.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct Judged {
    /// Those that committed.
    pub commits: u64,
    /// Those that ended otherwise: they did not commit either way.
    pub others: u64,
    /// The first ones that committed.
    pub first: Vec<Listed>,
}

/// One run and the rule that decided about it.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Listed {
    /// Its record.
    pub seq: u64,
    /// The version that it made, if any.
    pub version: Option<u64>,
    /// When it ended.
    #[serde(rename = "time_ns", serialize_with = "as_nanos")]
    pub time: SystemTime,
    /// The process.
    pub process: Arc<str>,
    /// The verdict.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// A time in which every run would have been refused.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Halt {
    /// The run that would have thrown the interlock.
    pub thrown_by: Listed,
    /// The record that reset an interlock next, and so this one; none where none did.
    pub until: Option<u64>,
    /// The runs between, and those of them that committed: all of them would have been refused.
    pub runs: u64,
    /// Those that committed.
    pub commits: u64,
}

/// What one rule would have done.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct RuleReport {
    /// The process that it holds for.
    pub process: Arc<str>,
    /// The gate.
    pub gate: Gate,
    /// The rule, as receipts print it.
    pub rule: String,
    /// Its level.
    pub level: Level,
    /// The line of the recipe's file.
    pub line: u32,
    /// How often it was judged.
    pub judged: u64,
    /// How often it was violated.
    pub violated: u64,
    /// Violations below both thresholds.
    pub passed: u64,
    /// Violations that were recorded.
    pub recorded: u64,
    /// Those that warned.
    pub warned: u64,
    /// Those that blocked.
    pub blocked: u64,
    /// Those that aborted.
    pub aborted: u64,
    /// Those that threw the interlock, or would have if it had not been in force.
    pub thrown: u64,
    /// How often it could not be judged, because it looks at a secret argument.
    pub not_judged: u64,
}

/// Runs that were not judged, or not by all rules.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct NotJudged {
    /// Why.
    pub reason: NotJudgedReason,
    /// How many.
    pub runs: u64,
    /// Their processes.
    pub processes: BTreeSet<Arc<str>>,
}

/// Why runs were not judged, or not by all rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum NotJudgedReason {
    /// The recipe has no rules for the process.
    NoRules,
    /// The component is not kept, so its contract is not known.
    ContractNotKept,
    /// An earlier contract of the process, which the recipe does not fit.
    EarlierContract,
    /// The arguments did not fit the contract: no rule would have seen them, and they are not recorded.
    ArgumentsUnfit,
    /// The version that the run read was compacted away.
    VersionCompacted,
    /// A rule looks at a secret argument, which the record masks: it was left out, and the others judged.
    SecretArguments,
    /// The run was refused, or rolled back behind its guest: what it would have left is not recorded. Its input rules were
    /// judged.
    OutputUnknown,
}

impl BacktestReport {
    /// Whether a run that committed would not have.
    #[must_use]
    pub fn refuses(&self) -> bool {
        self.refused.commits > 0 || self.halts.iter().any(|halt| halt.commits > 0)
    }

    pub(super) fn not_judged(&mut self, reason: NotJudgedReason, process: &Arc<str>) {
        let at = self.not_judged.iter().position(|it| it.reason == reason);
        let at = at.unwrap_or_else(|| {
            self.not_judged.push(NotJudged {
                reason,
                runs: 0,
                processes: BTreeSet::new(),
            });
            self.not_judged.len() - 1
        });
        let found = &mut self.not_judged[at];
        found.runs += 1;
        found.processes.insert(process.clone());
    }
}

impl Judged {
    pub(super) fn note(&mut self, committed: bool, most: usize, listed: &Listed) {
        if !committed {
            self.others += 1;
            return;
        }
        self.commits += 1;
        if self.first.len() < most {
            self.first.push(listed.clone());
        }
    }
}

impl RuleReport {
    /// Counts a violation by what followed from it.
    pub(super) fn count(&mut self, action: Action) {
        self.violated += 1;
        let counter = match action {
            Action::Pass => &mut self.passed,
            Action::Record => &mut self.recorded,
            Action::Warn => &mut self.warned,
            Action::Block => &mut self.blocked,
            Action::Abort => &mut self.aborted,
            Action::Interlock => &mut self.thrown,
        };
        *counter += 1;
    }
}

impl NotJudgedReason {
    /// The reason, for a person.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::NoRules => "the recipe has no rules for the process",
            Self::ContractNotKept => "their component is not kept, so their contract is not known",
            Self::EarlierContract => {
                "they ran under an earlier contract, which the recipe does not fit"
            }
            Self::ArgumentsUnfit => "their arguments did not fit, and are not recorded",
            Self::VersionCompacted => "the version that they read was compacted away",
            Self::SecretArguments => {
                "a rule looks at a secret argument, which is masked: the other rules were judged"
            }
            Self::OutputUnknown => {
                "they were refused, or rolled back behind their guest, so what they would have left is not known: their input rules were judged"
            }
        }
    }
}

fn as_nanos<S: serde::Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(crate::side_effects::nanos(*time))
}
