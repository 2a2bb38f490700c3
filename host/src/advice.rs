//! What an engine has learnt from permissive runs: per process, the lines that its contract and its policy lack.

use crate::engine::{Engine, Shared};
use crate::run::Run;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use theus_core::advice::Advice;

/// The advice of an engine, by process.
#[derive(Default)]
pub(crate) struct AdviceBook {
    by_process: Mutex<BTreeMap<String, Advice>>,
}

impl Engine {
    /// What contracts and policies lack, one block per process, from every violation that permissive mode has let pass.
    ///
    /// Empty in strict mode. Dry runs leave nothing here; their receipts hold their violations.
    #[must_use]
    pub fn advice(&self) -> Vec<Advice> {
        self.shared.advice.all()
    }
}

impl AdviceBook {
    fn all(&self) -> Vec<Advice> {
        let book = self.by_process.lock();
        let book = book.unwrap_or_else(PoisonError::into_inner);
        book.values().cloned().collect()
    }
}

impl Shared {
    /// Takes note of the violations that a run was let pass. Strict runs have none, and pay a comparison.
    pub(crate) fn note_advice(&self, run: &Run) {
        let violations = &run.receipt.violations;
        if violations.is_empty() || run.is_dry_run() {
            return;
        }
        let book = self.advice.by_process.lock();
        let mut book = book.unwrap_or_else(PoisonError::into_inner);
        let process = &run.process;
        let advice = book
            .entry(process.contract.name.clone())
            .or_insert_with(|| Advice::new(&process.contract, process.narrowed.as_ref()));
        violations
            .iter()
            .for_each(|violation| advice.add(violation));
    }
}
