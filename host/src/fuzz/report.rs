//! What fuzzing reports: what was run, how it ended, what it cost, and what must not happen.

use super::finding::Finding;
use super::input::Input;
use super::judge::{COMMITTED, Judged};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use theus_core::audit::{Action, Gate, Level};
use theus_core::contract::Contract;
use theus_core::value::Map;

/// What fuzzing found, and what it looked at.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct FuzzReport {
    /// What all choices followed from.
    pub seed: u64,
    /// How many inputs were run; each of them twice.
    pub runs: u64,
    /// How long that took, without making findings small.
    #[serde(skip)]
    pub fuzzing: Duration,
    /// What each process did.
    pub processes: Vec<ProcessReport>,
    /// What must not happen, with the smallest input first.
    pub findings: Vec<Finding>,
    /// Runs that showed something further, when there were too many findings to keep another one.
    pub left_out: u64,
}

/// What one process did.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ProcessReport {
    /// The process.
    pub process: String,
    /// How many inputs it was run with.
    pub runs: u64,
    /// How its runs ended, and how many of them did.
    pub endings: BTreeMap<String, u64>,
    /// What audit rules did.
    pub audit: Vec<AuditSeen>,
    /// The run whose execution took the longest.
    pub slowest: Option<Costly>,
    /// The run that used the most fuel.
    pub hungriest: Option<Costly>,
}

/// What an audit rule did, over all runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AuditSeen {
    /// The gate.
    pub gate: Gate,
    /// The rule.
    pub rule: String,
    /// Its level.
    pub level: Level,
    /// What it did.
    pub action: Action,
    /// In how many runs.
    pub runs: u64,
}

/// A run that cost much.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Costly {
    /// The fuel that it used.
    pub fuel: u64,
    /// The time that its execution took, in microseconds.
    pub micros: f64,
    /// The most linear memory that it held.
    pub memory_bytes: u64,
    /// Its calls into the host.
    pub host_calls: u64,
    /// Its arguments.
    pub args: Map,
}

impl FuzzReport {
    pub(super) fn new(seed: u64, contracts: &[Arc<Contract>]) -> Self {
        let processes = contracts.iter().map(|contract| ProcessReport {
            process: contract.name.clone(),
            runs: 0,
            endings: BTreeMap::new(),
            audit: Vec::new(),
            slowest: None,
            hungriest: None,
        });
        Self {
            seed,
            runs: 0,
            fuzzing: Duration::ZERO,
            processes: processes.collect(),
            findings: Vec::new(),
            left_out: 0,
        }
    }

    /// Counts a run.
    pub(super) fn note(&mut self, contract: &Contract, input: &Input, judged: &Judged) {
        self.runs += 1;
        let mut processes = self.processes.iter_mut();
        if let Some(process) = processes.find(|it| it.process == contract.name) {
            process.note(input, judged);
        }
    }
}

impl ProcessReport {
    /// How many of its runs would have been committed.
    #[must_use]
    pub fn committed(&self) -> u64 {
        self.endings.get(COMMITTED).copied().unwrap_or_default()
    }

    fn note(&mut self, input: &Input, judged: &Judged) {
        self.runs += 1;
        *self.endings.entry(judged.ending.clone()).or_default() += 1;
        for verdict in &judged.receipt.audit {
            let seen = AuditSeen {
                gate: verdict.gate,
                rule: verdict.rule.clone(),
                level: verdict.level,
                action: verdict.action,
                runs: 0,
            };
            let is_it = |it: &&mut AuditSeen| {
                AuditSeen {
                    runs: 0,
                    ..(**it).clone()
                } == seen
            };
            match self.audit.iter_mut().find(is_it) {
                Some(known) => known.runs += 1,
                None => self.audit.push(AuditSeen { runs: 1, ..seen }),
            }
        }
        let time = judged.execution();
        let stats = &judged.receipt.stats;
        let costly = || {
            Some(Costly {
                fuel: stats.fuel,
                micros: (time.as_secs_f64() * 1e9).round() / 1e3,
                memory_bytes: stats.memory_bytes,
                host_calls: stats.host_calls,
                args: input.args.clone(),
            })
        };
        let (slowest, hungriest) = (&self.slowest, &self.hungriest);
        if slowest
            .as_ref()
            .is_none_or(|it| time.as_secs_f64() * 1e6 > it.micros + 1e-3)
        {
            self.slowest = costly();
        }
        if hungriest.as_ref().is_none_or(|it| stats.fuel > it.fuel) {
            self.hungriest = costly();
        }
    }
}
