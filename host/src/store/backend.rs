//! What a journal is kept on: rows that are written together or not at all.

use super::blobs::Blobs;
use super::error::StoreError;
use super::ledger::CheckpointRow;
use crate::receipt::Durability;

/// Rows that are written, and become durable, together.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) records: Vec<Row>,
    pub(super) checkpoint: Option<CheckpointRow>,
    /// Where the journal stands with them; names the last record, so that a missing one is missed.
    pub(super) head: Vec<u8>,
    /// Everything up to this record goes, and the checkpoints before it.
    pub(super) forget: Option<u64>,
}

/// One record.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) seq: u64,
    pub(super) version: Option<u64>,
    pub(super) id: [u8; 16],
    pub(super) frame: Vec<u8>,
}

/// Where rows are kept.
pub(super) trait Backend: Send + Sync {
    /// What rows survive once they are written.
    const DURABILITY: Durability;

    /// Writes all rows or none, and returns once they are durable.
    fn write(&self, rows: &Rows) -> Result<(), StoreError>;

    /// The last row of [`Rows::head`].
    fn head(&self) -> Result<Option<Vec<u8>>, StoreError>;

    /// The frames of records from a number on, in order.
    fn records(&self, from: u64, most: usize) -> Result<Vec<(u64, Vec<u8>)>, StoreError>;

    /// The newest checkpoint at or before a record.
    fn checkpoint_before(&self, seq: u64) -> Result<Option<CheckpointRow>, StoreError>;

    /// The oldest checkpoint at or behind a record.
    fn checkpoint_from(&self, seq: u64) -> Result<Option<CheckpointRow>, StoreError>;

    /// The record that made a version.
    fn seq_of_version(&self, version: u64) -> Result<Option<u64>, StoreError>;

    /// The record of an id.
    fn seq_of_id(&self, id: &[u8; 16]) -> Result<Option<u64>, StoreError>;

    /// Where blobs are kept.
    fn blobs(&self) -> &Blobs;

    /// Keeps, apart from the rows, how far the journal had come.
    fn seal(&self, seq: u64) -> Result<(), StoreError>;

    /// How far the journal is known to have come.
    fn sealed(&self) -> Result<u64, StoreError>;
}
