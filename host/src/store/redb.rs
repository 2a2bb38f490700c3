//! Rows in a redb file: every group of them is one durable transaction.

use super::backend::{Backend, Rows};
use super::blobs::Blobs;
use super::directory::{Seal, patiently};
use super::error::{Damage, StoreError};
use super::ledger::CheckpointRow;
use crate::receipt::Durability;
use redb::{Database, ReadableDatabase as _, TableDefinition};
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Rows in a redb file.
pub(super) struct RedbBackend {
    /// None only while it is dropped.
    database: Option<Database>,
    seal: Seal,
    blobs: Blobs,
}

const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
const RECORDS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("records");
const CHECKPOINTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("checkpoints");
const VERSIONS: TableDefinition<'_, u64, u64> = TableDefinition::new("versions");
const IDS: TableDefinition<'_, [u8; 16], u64> = TableDefinition::new("ids");

const HEAD: &str = "head";

/// Memory for pages. The journal is written at its end and read from its end.
const CACHE_BYTES: usize = 32 << 20;

impl RedbBackend {
    /// Makes a file that must not be there, or opens one that is.
    pub(super) fn on_file(path: &Path, seal: Seal, blobs: Blobs) -> Result<Self, StoreError> {
        Self::guarded_open(seal, blobs, || {
            patiently(|| {
                Database::builder()
                    .set_cache_size(CACHE_BYTES)
                    .create(path)
                    .map_err(|error| match error {
                        redb::DatabaseError::DatabaseAlreadyOpen => StoreError::InUse(path.into()),
                        other => of_redb(other.into()),
                    })
            })
        })
    }

    /// The same on any storage, for tests that break it.
    #[cfg(test)]
    pub(super) fn on_storage(
        storage: impl redb::StorageBackend,
        seal: Seal,
    ) -> Result<Self, StoreError> {
        Self::guarded_open(seal, Blobs::held(), || {
            Database::builder()
                .set_cache_size(CACHE_BYTES)
                .create_with_backend(storage)
                .map_err(|error| of_redb(error.into()))
        })
    }

    /// The same with other blobs.
    #[cfg(test)]
    pub(super) fn with_blobs(self, blobs: Blobs) -> Self {
        let mut backend = self;
        backend.blobs = blobs;
        backend
    }

    fn guarded_open(
        seal: Seal,
        blobs: Blobs,
        open: impl FnOnce() -> Result<Database, StoreError>,
    ) -> Result<Self, StoreError> {
        let database = guarded(open)?;
        Ok(Self {
            database: Some(database),
            seal,
            blobs,
        })
    }

    /// Makes the file as small as it can be.
    pub(super) fn shrink(&mut self) -> Result<(), StoreError> {
        let database = self.database.as_mut();
        let database = database.ok_or_else(|| StoreError::Io("it is closed".into()))?;
        guarded(|| {
            // One pass may make room for the next one.
            while database.compact().map_err(|error| of_redb(error.into()))? {}
            Ok(())
        })
    }

    fn database(&self) -> Result<&Database, StoreError> {
        let closed = || StoreError::Io("it is closed".into());
        self.database.as_ref().ok_or_else(closed)
    }

    fn read<T>(
        &self,
        read: impl FnOnce(&redb::ReadTransaction) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        guarded(|| {
            let begun = self.database()?.begin_read();
            let transaction = begun.map_err(|error| of_redb(error.into()))?;
            read(&transaction).map_err(of_redb)
        })
    }
}

impl Backend for RedbBackend {
    const DURABILITY: Durability = Durability::Durable;

    fn write(&self, rows: &Rows) -> Result<(), StoreError> {
        guarded(|| write(self.database()?, rows).map_err(of_redb))
    }

    fn head(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|transaction| {
            let table = transaction.open_table(META)?;
            Ok(table.get(HEAD)?.map(|row| row.value().to_vec()))
        })
    }

    fn records(&self, from: u64, most: usize) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        self.read(|transaction| {
            let table = transaction.open_table(RECORDS)?;
            let mut records = Vec::new();
            for row in table.range(from..)?.take(most) {
                let (seq, frame) = row?;
                records.push((seq.value(), frame.value().to_vec()));
            }
            Ok(records)
        })
    }

    fn checkpoint_before(&self, seq: u64) -> Result<Option<CheckpointRow>, StoreError> {
        self.read(|transaction| {
            let table = transaction.open_table(CHECKPOINTS)?;
            let row = table.range(..=seq)?.next_back().transpose()?;
            Ok(row.map(|(seq, frame)| CheckpointRow {
                seq: seq.value(),
                frame: frame.value().to_vec(),
            }))
        })
    }

    fn checkpoint_from(&self, seq: u64) -> Result<Option<CheckpointRow>, StoreError> {
        self.read(|transaction| {
            let table = transaction.open_table(CHECKPOINTS)?;
            let row = table.range(seq..)?.next().transpose()?;
            Ok(row.map(|(seq, frame)| CheckpointRow {
                seq: seq.value(),
                frame: frame.value().to_vec(),
            }))
        })
    }

    fn seq_of_version(&self, version: u64) -> Result<Option<u64>, StoreError> {
        self.read(|transaction| {
            let table = transaction.open_table(VERSIONS)?;
            Ok(table.get(version)?.map(|row| row.value()))
        })
    }

    fn seq_of_id(&self, id: &[u8; 16]) -> Result<Option<u64>, StoreError> {
        self.read(|transaction| {
            let table = transaction.open_table(IDS)?;
            Ok(table.get(*id)?.map(|row| row.value()))
        })
    }

    fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    fn seal(&self, seq: u64) -> Result<(), StoreError> {
        self.seal.set(seq)
    }

    fn sealed(&self) -> Result<u64, StoreError> {
        self.seal.seq()
    }
}

impl Drop for RedbBackend {
    fn drop(&mut self) {
        let database = self.database.take();
        // redb tidies up a file that may not be sound; all that counts in it is there already.
        let closed = guarded(|| {
            drop(database);
            Ok(())
        });
        if let Err(error) = closed {
            tracing::warn!(%error, "the journal's file was not closed in order");
        }
    }
}

fn write(database: &Database, rows: &Rows) -> Result<(), redb::Error> {
    // Durable once it returns: that is redb's default, and the only level that is used.
    let transaction = database.begin_write()?;
    {
        let mut records = transaction.open_table(RECORDS)?;
        let mut versions = transaction.open_table(VERSIONS)?;
        let mut ids = transaction.open_table(IDS)?;
        let mut checkpoints = transaction.open_table(CHECKPOINTS)?;
        for row in &rows.records {
            records.insert(row.seq, row.frame.as_slice())?;
            ids.insert(row.id, row.seq)?;
            if let Some(version) = row.version {
                versions.insert(version, row.seq)?;
            }
        }
        if let Some(row) = &rows.checkpoint {
            checkpoints.insert(row.seq, row.frame.as_slice())?;
        }
        if let Some(seq) = rows.forget {
            records.retain_in(..=seq, |_, _| false)?;
            versions.retain(|_, it| it > seq)?;
            ids.retain(|_, it| it > seq)?;
            checkpoints.retain_in(..seq, |_, _| false)?;
        }
        let mut meta = transaction.open_table(META)?;
        meta.insert(HEAD, rows.head.as_slice())?;
    }
    transaction.commit()?;
    Ok(())
}

/// Runs something of redb's, which may panic on a file whose pages are not as it wrote them.
fn guarded<T>(action: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    catch_unwind(AssertUnwindSafe(action)).unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied());
        Err(damaged(text.unwrap_or("its pages are not sound")))
    })
}

fn of_redb(error: redb::Error) -> StoreError {
    use std::io::ErrorKind as Io;
    match error {
        redb::Error::Corrupted(problem) => damaged(problem),
        redb::Error::TableDoesNotExist(_)
        | redb::Error::TableTypeMismatch { .. }
        | redb::Error::TypeDefinitionChanged { .. } => damaged(error),
        redb::Error::Io(error)
            if matches!(
                error.kind(),
                Io::InvalidData | Io::InvalidInput | Io::UnexpectedEof
            ) =>
        {
            damaged(error)
        }
        other => StoreError::Io(other.to_string()),
    }
}

fn damaged(problem: impl Display) -> StoreError {
    StoreError::Damaged(Damage::File(format!("its file is not sound: {problem}")))
}
