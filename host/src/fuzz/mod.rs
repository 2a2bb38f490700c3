//! Fuzzing a guest: random arguments and contexts through the whole pipeline, and a report of what must not happen.
//!
//! ```no_run
//! use theus_host::fuzz::Fuzzer;
//! use theus_host::{Engine, Policy};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let engine = Engine::builder().build()?; // an engine of its own: its context is replaced again and again
//! engine.register("warehouse.wasm", Policy::as_declared())?;
//! let report = Fuzzer::new(&engine).seed(42).runs(10_000).run();
//! assert!(report.findings.is_empty(), "{:?}", report.findings);
//! # Ok(())
//! # }
//! ```
//!
//! Arguments are made from the parameters of each contract, contexts from the engine's own one and from its schema. Every
//! run is a dry run and is made twice: nothing is committed, no counter ticks, and the two must agree. A seed and a number of
//! runs decide all of it, so the same ones give the same findings.
//!
//! What the operator's rules refuse (audit rules, the schema) and what a contract declares are no findings; they are
//! counted. Findings are made as small as possible: of each kind at each place the smallest input is kept.

mod finding;
mod input;
mod judge;
mod mutate;
mod report;
mod script;
mod shrink;

pub use self::finding::{Finding, FindingKind};
pub use self::judge::difference;
pub use self::report::{AuditSeen, Costly, FuzzReport, ProcessReport};
pub use self::script::play_script;

use self::finding::Found;
use self::input::{Input, Inputs};
use self::judge::Judge;
use crate::engine::Engine;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use theus_core::contract::Contract;
use theus_core::fuzz::{Dice, bytes};

/// Runs a guest's processes with random input.
#[must_use]
pub struct Fuzzer<'e> {
    engine: &'e Engine,
    process: Option<String>,
    seed: u64,
    runs: u64,
    time: Option<Duration>,
    stop: Option<Arc<AtomicBool>>,
}

/// Bytes that one run's input is made from.
const ENTROPY: usize = 4096;

/// Runs that share a context: replacing it costs more than a run.
const RUNS_PER_CONTEXT: u64 = 8;

/// Findings are kept up to this number; what comes later is counted with the one that it is most like, or not at all.
const MAX_FINDINGS: usize = 64;

/// Of one kind in one process no more are kept: a guest that makes the codes of its errors of its arguments leaves room for others.
const MAX_ALIKE: usize = 16;

impl<'e> Fuzzer<'e> {
    /// A fuzzer of every process of an engine: seed 0, 10,000 runs.
    ///
    /// The engine's context is where contexts start from. It is replaced by others and in the end put back; nobody else
    /// should use the engine meanwhile.
    pub fn new(engine: &'e Engine) -> Self {
        Self {
            engine,
            process: None,
            seed: 0,
            runs: 10_000,
            time: None,
            stop: None,
        }
    }

    /// Fuzzes this process only.
    pub fn process(mut self, name: impl Into<String>) -> Self {
        self.process = Some(name.into());
        self
    }

    /// Sets what all choices follow from.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets the number of runs, of all processes together.
    pub fn runs(mut self, runs: u64) -> Self {
        self.runs = runs;
        self
    }

    /// Stops after that time, where the runs are not over before. What is found by then is still made small.
    pub fn time(mut self, time: Duration) -> Self {
        self.time = Some(time);
        self
    }

    /// Stops as soon as that is true. What is found by then is still made small.
    pub fn stop_when(mut self, stop: Arc<AtomicBool>) -> Self {
        self.stop = Some(stop);
        self
    }

    /// Runs them.
    #[must_use]
    pub fn run(&self) -> FuzzReport {
        let started = Instant::now();
        let contracts = self.contracts();
        let base = self.engine.context().tree.clone();
        let inputs = Inputs::new(&contracts, &base, self.engine.shared.schema.as_ref());
        let judge = Judge::new(self.engine);
        let mut report = FuzzReport::new(self.seed, &contracts);
        let mut found: Vec<(Found, Input, u64)> = Vec::new();
        let mut context = Arc::new(base.clone());
        let processes = contracts.len() as u64;
        while processes > 0 && report.runs < self.runs {
            if self.time.is_some_and(|time| started.elapsed() >= time) || self.is_stopped() {
                break;
            }
            let number = report.runs;
            let bytes = bytes(
                self.seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15),
                ENTROPY,
            );
            let mut dice = Dice::new(&bytes);
            if number > 0 && (number / processes).is_multiple_of(RUNS_PER_CONTEXT) {
                let made = inputs.context(&mut dice);
                context = Arc::new(if judge.enter(&made) {
                    made
                } else {
                    base.clone()
                });
            }
            let contract = &contracts[usize::try_from(number % processes).unwrap_or_default()];
            let input = inputs.input(contract, &context, &mut dice);
            let judged = judge.judge(&input);
            report.note(contract, &input, &judged);
            if let Some(new) = judged.found {
                let known = found.iter().position(|(known, ..)| known.is_same(&new));
                let alike = found.iter().filter(|(known, ..)| known.is_alike(&new));
                let has_room = found.len() < MAX_FINDINGS && alike.count() < MAX_ALIKE;
                match known {
                    Some(known) => found[known].2 += 1,
                    None if has_room => found.push((new, input, 1)),
                    None => report.left_out += 1,
                }
            }
        }
        report.fuzzing = started.elapsed();
        report.findings = self.smallest(found, &contracts, &judge, &base);
        judge.enter(&base);
        report
    }

    /// Every finding with the smallest input that still shows it, the smallest of them first.
    fn smallest(
        &self,
        found: Vec<(Found, Input, u64)>,
        contracts: &[Arc<Contract>],
        judge: &Judge<'_>,
        base: &theus_core::tree::Tree,
    ) -> Vec<Finding> {
        let schema = self.engine.shared.schema.as_ref();
        let mut findings: Vec<Finding> = found
            .into_iter()
            .filter_map(|(found, input, times)| {
                let contract = contracts.iter().find(|it| it.name == input.process)?;
                let smallest = shrink::shrink(&found, input, contract, base, schema, judge);
                Some(Finding::new(smallest, times, base))
            })
            .collect();
        findings.sort_by_key(Finding::size);
        findings
    }

    fn is_stopped(&self) -> bool {
        let stop = self.stop.as_ref();
        stop.is_some_and(|stop| stop.load(Ordering::Relaxed))
    }

    fn contracts(&self) -> Vec<Arc<Contract>> {
        let processes = self.engine.shared.processes.load();
        let mut contracts: Vec<_> = processes
            .values()
            .filter(|it| self.process.as_deref().is_none_or(|name| *it.name == *name))
            .map(|it| Arc::new(it.contract.clone()))
            .collect();
        contracts.sort_by(|one, other| one.name.cmp(&other.name));
        contracts
    }
}
