//! What a state holds: facts for an operator, read without changing anything.

use super::backend::Backend;
use super::directory;
use super::error::StoreError;
use super::journal::{FORMAT, Journal, no_checkpoint};
use super::ledger;
use super::redb::RedbBackend;
use super::state::State;
use super::{Position, Store as _};
use std::path::Path;
use std::time::SystemTime;

/// What a state holds.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Info {
    /// The format in which it is written.
    pub format: u64,
    /// The last record.
    pub head: Position,
    /// The oldest version that can still be read.
    pub oldest: u64,
    /// The first record that is still there; one behind the head where none is.
    pub first: u64,
    /// When the first record that is still there was made.
    pub began: Option<SystemTime>,
    /// When the last record was made.
    pub ended: Option<SystemTime>,
    /// The checkpoints from which versions are read.
    pub checkpoints: u64,
    /// The record up to which the state is known to have held everything when it was last left in order.
    pub sealed: u64,
    /// The size of the journal's file in bytes.
    pub journal_bytes: u64,
    /// The blobs that records refer to, such as components.
    pub blobs: u64,
    /// The size of all blobs in bytes.
    pub blob_bytes: u64,
    /// What all records make: the context, the counters, the interlock.
    pub state: State,
}

/// Says what the state in a directory holds.
///
/// # Errors
///
/// As [`open`](super::open).
pub fn info(directory: &Path) -> Result<Info, StoreError> {
    let journal_bytes = directory::journal_bytes(directory);
    let journal = directory::journal(directory)?;
    let (backend, head) = (journal.backend(), journal.head());
    let begin = backend.checkpoint_from(0)?.ok_or_else(no_checkpoint)?;
    let oldest = ledger::position_of(&begin).map_err(StoreError::Damaged)?;
    let mut checkpoints = 1;
    let mut last = begin.seq;
    while let Some(row) = backend.checkpoint_from(last + 1)? {
        (checkpoints, last) = (checkpoints + 1, row.seq);
    }
    let digests = backend.blobs().all()?;
    let mut blob_bytes = 0;
    for digest in &digests {
        blob_bytes += backend
            .blobs()
            .read(*digest)?
            .map_or(0, |it| it.len() as u64);
    }
    Ok(Info {
        format: FORMAT,
        head,
        oldest: oldest.version,
        first: oldest.seq + 1,
        began: time_of(&journal, oldest.seq)?,
        ended: time_of(&journal, head.seq.saturating_sub(1))?,
        checkpoints,
        sealed: backend.sealed()?,
        journal_bytes,
        blobs: digests.len() as u64,
        blob_bytes,
        state: journal.state(),
    })
}

/// The time of the record behind another one.
fn time_of(journal: &Journal<RedbBackend>, after: u64) -> Result<Option<SystemTime>, StoreError> {
    let next = journal.entries(after, 1)?;
    Ok(next.first().map(|kept| kept.entry.record.time))
}
