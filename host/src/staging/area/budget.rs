//! What a run may still stage. Nothing of it is given back: what was written and removed again was work, too.

use theus_core::limits::{Limit, LimitExceeded, Limits};

/// What a run may still stage.
pub(super) struct Budget {
    files: u64,
    files_allowed: u64,
    bytes: u64,
    bytes_allowed: u64,
}

impl Budget {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            files: 0,
            files_allowed: limits.staged_files,
            bytes: 0,
            bytes_allowed: limits.staged_bytes,
        }
    }

    /// Files and bytes that were staged so far.
    pub(super) fn used(&self) -> (u64, u64) {
        (self.files, self.bytes)
    }

    pub(super) fn file(&mut self) -> Result<(), LimitExceeded> {
        self.files += 1;
        LimitExceeded::check(Limit::StagedFiles, self.files_allowed, self.files)
    }

    pub(super) fn bytes(&mut self, more: u64) -> Result<(), LimitExceeded> {
        self.check_bytes(more)?;
        self.bytes += more;
        Ok(())
    }

    pub(super) fn check_bytes(&self, more: u64) -> Result<(), LimitExceeded> {
        let asked = self.bytes.saturating_add(more);
        LimitExceeded::check(Limit::StagedBytes, self.bytes_allowed, asked)
    }
}
