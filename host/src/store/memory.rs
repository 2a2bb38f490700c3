//! A store that lives as long as the process: history, replay and watching without a directory.

use super::Store;
use super::backend::{Backend, Rows};
use super::blobs::Blobs;
use super::error::StoreError;
use super::journal::{Journal, Settings};
use super::ledger::CheckpointRow;
use super::state::State;
use crate::receipt::Durability;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use theus_core::tree::Tree;

/// Creates a store in memory over an initial context.
///
/// # Errors
///
/// None that are known; the signature is that of every store.
pub fn memory(context: Tree) -> Result<Arc<dyn Store>, StoreError> {
    let backend = MemoryBackend::default();
    let journal = Journal::create(backend, State::initial(context)?, Settings::default())?;
    Ok(Arc::new(journal))
}

/// Rows in memory.
#[derive(Debug)]
pub(super) struct MemoryBackend {
    tables: Mutex<Tables>,
    blobs: Blobs,
}

impl Default for MemoryBackend {
    fn default() -> Self {
        Self {
            tables: Mutex::default(),
            blobs: Blobs::held(),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) head: Option<Vec<u8>>,
    pub(super) records: BTreeMap<u64, Vec<u8>>,
    pub(super) checkpoints: BTreeMap<u64, Vec<u8>>,
    versions: BTreeMap<u64, u64>,
    ids: HashMap<[u8; 16], u64>,
    sealed: u64,
}

impl MemoryBackend {
    pub(super) fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Backend for MemoryBackend {
    const DURABILITY: Durability = Durability::Memory;

    fn write(&self, rows: &Rows) -> Result<(), StoreError> {
        let mut tables = self.tables();
        for row in &rows.records {
            tables.records.insert(row.seq, row.frame.clone());
            tables.ids.insert(row.id, row.seq);
            if let Some(version) = row.version {
                tables.versions.insert(version, row.seq);
            }
        }
        if let Some(row) = &rows.checkpoint {
            tables.checkpoints.insert(row.seq, row.frame.clone());
        }
        if let Some(seq) = rows.forget {
            tables.records.retain(|it, _| *it > seq);
            tables.versions.retain(|_, it| *it > seq);
            tables.ids.retain(|_, it| *it > seq);
            tables.checkpoints.retain(|it, _| *it >= seq);
        }
        tables.head = Some(rows.head.clone());
        Ok(())
    }

    fn head(&self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.tables().head.clone())
    }

    fn records(&self, from: u64, most: usize) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        let tables = self.tables();
        let records = tables.records.range(from..).take(most);
        Ok(records.map(|(seq, frame)| (*seq, frame.clone())).collect())
    }

    fn checkpoint_before(&self, seq: u64) -> Result<Option<CheckpointRow>, StoreError> {
        let tables = self.tables();
        Ok(tables.checkpoints.range(..=seq).next_back().map(row))
    }

    fn checkpoint_from(&self, seq: u64) -> Result<Option<CheckpointRow>, StoreError> {
        let tables = self.tables();
        Ok(tables.checkpoints.range(seq..).next().map(row))
    }

    fn seq_of_version(&self, version: u64) -> Result<Option<u64>, StoreError> {
        Ok(self.tables().versions.get(&version).copied())
    }

    fn seq_of_id(&self, id: &[u8; 16]) -> Result<Option<u64>, StoreError> {
        Ok(self.tables().ids.get(id).copied())
    }

    fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    fn seal(&self, seq: u64) -> Result<(), StoreError> {
        self.tables().sealed = seq;
        Ok(())
    }

    fn sealed(&self) -> Result<u64, StoreError> {
        Ok(self.tables().sealed)
    }
}

fn row((seq, frame): (&u64, &Vec<u8>)) -> CheckpointRow {
    CheckpointRow {
        seq: *seq,
        frame: frame.clone(),
    }
}
