//! Memory and tables of one call, summed over all core instances of its component.

use theus_core::limits::{Limit, LimitExceeded, Limits};
use wasmtime::{ResourceLimiter, Result};

/// Counts what a store's instances hold and ends the run at the limit.
///
/// A growth that fails does not return -1 to the guest: it is a limit, and a limit ends the run.
pub(super) struct Limiter {
    memory: u64,
    memory_allowed: u64,
    elements: u64,
    elements_allowed: u64,
    tables_allowed: u64,
}

impl Limiter {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            memory: 0,
            memory_allowed: limits.memory_bytes,
            elements: 0,
            elements_allowed: limits.table_elements,
            tables_allowed: limits.tables,
        }
    }

    /// Bytes of linear memory; memories never shrink, so this is the peak as well.
    pub(super) fn memory(&self) -> u64 {
        self.memory
    }

    /// Elements of tables; tables never shrink either.
    pub(super) fn elements(&self) -> u64 {
        self.elements
    }

    fn memory_exceeded(&self, asked: Option<u64>) -> LimitExceeded {
        LimitExceeded {
            limit: Limit::MemoryBytes,
            allowed: self.memory_allowed,
            asked,
        }
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> Result<bool> {
        let sum = self
            .memory
            .saturating_add(desired.saturating_sub(current) as u64);
        LimitExceeded::check(Limit::MemoryBytes, self.memory_allowed, sum)?;
        self.memory = sum;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> Result<()> {
        // Over the maximum that the module itself declares, or over what the pool can give.
        Err(self.memory_exceeded(None).into())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> Result<bool> {
        let sum = self
            .elements
            .saturating_add(desired.saturating_sub(current) as u64);
        LimitExceeded::check(Limit::TableElements, self.elements_allowed, sum)?;
        self.elements = sum;
        Ok(true)
    }

    fn table_grow_failed(&mut self, _error: wasmtime::Error) -> Result<()> {
        Err(LimitExceeded {
            limit: Limit::TableElements,
            allowed: self.elements_allowed,
            asked: None,
        }
        .into())
    }

    fn tables(&self) -> usize {
        usize::try_from(self.tables_allowed).unwrap_or(usize::MAX)
    }
}
