//! Sweeping: the blobs that nothing refers to any more.

use super::backend::Backend;
use super::chain;
use super::error::StoreError;
use super::journal::PAGE;
use super::ledger;
use std::collections::HashSet;

/// Removes the blobs that no record and no checkpoint refers to, and that nobody holds a claim on.
///
/// Nothing may be committed meanwhile: a record that has just been written would be missed, and its claim is gone.
pub(super) fn sweep(backend: &impl Backend) -> Result<(), StoreError> {
    let mut used = HashSet::new();
    let mut from = 0;
    while let Some(row) = backend.checkpoint_from(from)? {
        let (checkpoint, _) = ledger::read_checkpoint(&row).map_err(StoreError::Damaged)?;
        used.extend(checkpoint.heavy.iter().map(|it| it.digest));
        from = row.seq + 1;
    }
    from = 0;
    loop {
        let page = backend.records(from, PAGE)?;
        let len = page.len();
        for (seq, frame) in page {
            let (_, record) = chain::open(seq, &frame).map_err(StoreError::Damaged)?;
            let entry = ledger::read_without_heavy(seq, record).map_err(StoreError::Damaged)?;
            used.extend(entry.blobs());
            from = seq + 1;
        }
        if len < PAGE {
            break;
        }
    }
    let removed = backend.blobs().retain(|it| used.contains(&it))?;
    tracing::debug!(removed, "old blobs are gone");
    Ok(())
}
